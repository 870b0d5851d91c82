"""The verb `limits`: what its three commands print, write and return."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridai import cli
from gridai.limits import read_limits

HEAD = 'title = "one machine"\ncase = "smib"\n'
MODES = '[[study]]\nname = "modes"\nstudy = "modes"\nreason = "a test"\n'
METRIC = '[[study.metric]]\nmetric = "swing_damping"\nunit = "%"\ntolerance = "0.01 %"\n'

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process: (exit status, standard output, standard error)."""

    def run(*args: object) -> tuple[int, str, str]:
        status = cli.call(["limits", *(str(arg) for arg in args)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "one.limits.toml"
    path.write_text(HEAD + MODES + text)
    return path


def test_a_file_that_holds(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, METRIC + "expected = 0.0\n")
    status, out, _ = call("check", path)
    assert status == 0
    assert out.splitlines()[0] == f"{path}: one machine"
    assert out.splitlines()[1].split() == ["limit", "old", "new", "unit", "allowed", "element", "at", "s", "status"]
    assert out.splitlines()[2].split()[:4] == ["modes::swing_damping", "0.000", "0.000", "%"]
    assert "no provenance" in out
    assert out.splitlines()[-1] == "1 limit in 1 file: 1 pass"


def test_a_file_that_fails(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, METRIC + "expected = 5.0\n" + METRIC.replace("swing_", "") + "expected = 0.0\n")
    status, out, _ = call("check", "--failed", path)
    assert status == 1
    for part in ("modes::swing_damping: fail", "moved by -5.00 %, tolerance 0.01 %", "reason: a test", "2 limits"):
        assert part in out
    assert "modes::damping" not in out


def test_update_shows_and_writes_only_when_told(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, METRIC)
    before = path.read_text()
    status, out, err = call("update", path)
    assert (status, path.read_text()) == (1, before)
    assert "+expected = " in out
    assert "Nothing is written; add --write" in err
    status, _, err = call("update", "--write", path)
    assert (status, err) == (0, f"written: {path}\n")
    assert call("check", path)[0] == 0
    assert call("update", path) == (0, f"{path}: nothing moved\n", "")


def test_update_says_what_it_leaves(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, METRIC + "low = 3\n")
    status, out, _ = call("update", "--write", path)
    assert status == 1
    assert "modes::swing_damping is left as it is: lies below low = 3.00 %" in out


def test_faults_are_status_2(call: Call, tmp_path: Path) -> None:
    status, _, err = call("check", written(tmp_path, METRIC.replace("0.01 %", "0.01")))
    assert status == 2
    assert "row 7: tolerance = '0.01': the unit is missing" in err
    status, _, err = call("check", tmp_path / "nothing")
    assert status == 2
    assert "gridai limits new" in err


def test_a_new_file_holds_at_once(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "smib.limits.toml"
    status, out, err = call(
        "new", "--case", "smib", "--study", "modes", "--study", "cct", "-p", "bus=HT", "--out", path
    )
    assert (status, out) == (0, "")
    assert "gridai limits update --write" in err
    limits = read_limits(path)
    assert [block.run for block in limits.blocks] == ["modes", "cct"]
    assert call("check", path)[0] == 0
    assert "exists already" in call("new", "--case", "smib", "--out", path)[2]
    assert "ends in .limits.toml" in call("new", "--case", "smib", "--out", tmp_path / "a.toml")[2]


def test_a_new_file_names_its_own_folder(call: Call, case_copy: Callable[[str], Path]) -> None:
    folder = case_copy("smib")
    assert call("new", "--case", folder, "--out", folder / "own.limits.toml")[0] == 0
    assert 'case = "."' in (folder / "own.limits.toml").read_text()


def test_new_with_a_cluster_and_a_bad_parameter(call: Call) -> None:
    status, out, _ = call(
        "new", "--case", "ieee39", "--study", "pause", "--bus", "16", "-p", "pause_mw=50", "-p", "until_s=5"
    )
    assert status == 0
    assert 'cluster = { bus = "16", count = 100000 }' in out
    assert "parameters = { pause_mw = 50, until_s = 5 }" in out
    assert 'criterion = "frequency_nadir"' in out
    assert "write NAME=VALUE" in call("new", "--case", "smib", "-p", "x")[2]


@pytest.mark.parametrize("verb", ["", "check", "update", "new"])
def test_help_loads_nothing_heavy(verb: str, child_env: dict[str, str]) -> None:
    code = (
        "import sys; from gridai.cli import call; status = call(sys.argv[1:]); "
        "print(*{m.partition('.')[0] for m in sys.modules}, file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", code, "limits", *([verb] if verb else []), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=child_env, check=True)
    assert done.stdout.startswith("Usage: gridai limits")
    assert set(done.stderr.split()).isdisjoint({"pandapower", "numba", "matplotlib", "pandas", "scipy", "numpy"})
