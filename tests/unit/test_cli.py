"""The command line: help is quick and light, list and show tell what there is, errors are one clear message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridai import cli
from gridai.cli import catalogue, printing, show
from gridai.errors import AmbiguousNameError, CaseError, ConvergenceError, UnknownNameError

HEAVY = {"pandapower", "numba", "matplotlib", "pandas", "scipy", "networkx"}
LIGHT_COMMANDS = (
    "--help",
    "--version",
    "list",
    "list cases",
    "list models",
    "show ieee39",
    "show genrou",
    "show pause",
    "show H100",
    "show nerc-eastern",
    "run --help",
    "run pause --help",
    "check --help",
    "plot --help",
    "doctor --help",
)

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process: (exit status, standard output, standard error)."""

    def run(*args: str) -> tuple[int, str, str]:
        status = cli.call(args)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def fresh(args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh interpreter; the modules it loaded are the last line of standard error."""
    code = (
        "import sys; from gridai.cli import call; status = call(sys.argv[1:]); "
        "print('', ' '.join({m.partition('.')[0] for m in sys.modules}), sep='\\n', file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", code, *args.split()]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize("args", LIGHT_COMMANDS)
def test_help_list_and_show_load_nothing_heavy(args: str, child_env: dict[str, str]) -> None:
    done = fresh(args, child_env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert set(done.stderr.splitlines()[-1].split()) & HEAVY == set()


def test_help_takes_less_than_half_a_second(child_env: dict[str, str]) -> None:
    """Processor time of the child, reached 0.1 s: the wall clock would tell of other work on the machine too."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "gridai", "--help"], capture_output=True, env=child_env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_list_profiles_is_another_word_for_criteria(call: Call) -> None:
    assert call("list", "profiles") == call("list", "criteria")


def test_list_names_every_kind(call: Call) -> None:
    status, out, _ = call("list")
    assert status == 0
    for word in (*catalogue.KINDS, "ieee39", "GENROU", "pause", "H100", "nerc-eastern"):
        assert word in out


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_list_of_one_kind_has_a_row_for_each_name(call: Call, kind: str) -> None:
    status, out, _ = call("list", kind)
    rows = out.strip().splitlines()
    assert status == 0
    assert rows[0] == kind
    assert len(rows) == 2 + len(catalogue.LISTS[kind]()[1])


@pytest.mark.parametrize("kind", sorted(show.SHOWS))
def test_everything_listed_can_be_shown(call: Call, kind: str) -> None:
    for name in show.NAMES[kind]():
        status, out, err = call("show", kind, name)
        assert status == 0, err
        assert out.strip()


def test_show_a_model_gives_units_and_source(call: Call) -> None:
    _, out, _ = call("show", "genrou")
    for word in ("h_s", "td10_s", "required", "Source:"):
        assert word in out


def test_show_a_case_by_its_folder(call: Call, case_copy: Callable[[str], Path]) -> None:
    status, out, _ = call("show", str(case_copy("smib")))
    assert status == 0
    assert "smib" in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("shwo", "ieee39"), ("unknown command 'shwo'", "'show'")),
        (("show", "iee39"), ("unknown name 'iee39'", "'ieee39'")),
        (("show", "model", "genruo"), ("unknown model 'genruo'", "'genrou'")),
        (("show", "modle", "genrou"), ("unknown kind 'modle'", "'model'")),
        (("run", "puase", "--case", "smib"), ("unknown study 'puase'", "'pause'")),
        (("run", "pause", "--pause-mw", "1"), ("--case NAME", "--net FILE")),
        (("run", "pause", "--case", "smib", "--net", "x.json"), ("one of them",)),
        (("list", "case"), ("'cases'",)),
        (("show", "a", "b", "c"), ("NAME",)),
    ],
)
def test_bad_input_is_one_message_and_status_2(call: Call, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    status, out, err = call(*args)
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CaseError("gen.csv, row 3: h_s = 0"), 2),
        (UnknownNameError("unknown bus '1x'"), 2),
        (ConvergenceError(1.25, "16", 0.3), 3),
        (OSError(28, "No space left on device"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_sets_the_exit_status(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setitem(catalogue.LISTS, "cases", fail)
    found, _, err = call("list", "cases")
    assert found == status
    assert err.strip().startswith("gridai: ")
    assert "Traceback" not in err


def test_traceback_is_shown_when_asked_for(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise CaseError("broken on purpose")

    monkeypatch.setitem(catalogue.LISTS, "cases", fail)
    for args in (("--traceback", "list", "cases"), ("list", "cases", "--traceback")):
        status, _, err = call(*args)
        assert status == 2
        assert "Traceback" in err


def test_a_name_that_means_two_things_lists_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(show.NAMES, "study", lambda: ["pause", "H100"])
    with pytest.raises(AmbiguousNameError, match=r"gridai show study H100.*gridai show hardware H100"):
        show.find("h100")


def test_plain_tables_align_and_numbers_stand_right() -> None:
    text = printing.plain_table("t", ("name", "MW"), [["a", "1.5"], ["bcd", "100"]])
    assert text == "t\n  name   MW\n  a     1.5\n  bcd   100"


def test_the_module_runs_as_the_command(child_env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gridai", "list", "cases"], capture_output=True, text=True, env=child_env, check=True
    )
    assert "kundur" in done.stdout
