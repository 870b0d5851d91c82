"""The pytest plugin in a user's repository: what it collects, how it reads, and that it weighs nothing elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridai import pytest_plugin
from gridai.limits import records

Pytest = Callable[..., subprocess.CompletedProcess[str]]
LIMITS = """title = "one machine"
case = "."
[[study]]
name = "modes"
study = "modes"
reason = "a test"
[[study.metric]]
metric = "swing_damping"
unit = "%"
expected = 0.0
tolerance = "0.01 %"
[[study.limit]]
profile = "ercot"
criterion = "mode_damping"
xfail = "undamped, as in the book"
[[study.metric]]
name = "far off"
metric = "damping"
unit = "%"
expected = 5.0
tolerance = "0.01 %"
element = "G1"
reason = "the reason of it"
[[study.metric]]
name = "passes unexpectedly"
metric = "states"
unit = "1"
low = 1
xfail = "there should be none"
"""
NAMES = ["modes::swing_damping", "modes::ercot/mode_damping", "modes::far off", "modes::passes unexpectedly"]


@pytest.fixture
def repository(case_copy: Callable[[str], Path]) -> Path:
    """A folder with a case and its limits, and a test of the user's own."""
    folder = case_copy("smib")
    (folder / "smib.limits.toml").write_text(LIMITS)
    (folder.parent / "test_own.py").write_text("def test_own():\n    pass\n")
    return folder.parent


def test_the_plugin_imports_the_standard_library_only(child_env: dict[str, str]) -> None:
    code = "import sys, gridai.pytest_plugin; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=child_env, check=True)
    assert set(done.stdout.split()) <= {*sys.stdlib_module_names, "gridai", "__main__"}
    assert (pytest_plugin.SUFFIX, pytest_plugin.STALE) == (records.SUFFIX, records.STALE)


def test_a_session_without_limits_files_loads_nothing(tmp_path: Path, run_pytest: Pytest) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n"
        "def test_own():\n"
        "    assert 'gridai.pytest_plugin' in sys.modules\n"
        "    heavy = {'gridai.limits', 'gridai.errors', 'numpy', 'pandapower', 'numba', 'click'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    (tmp_path / "other.toml").write_text("")
    done = run_pytest(tmp_path, "-q")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_each_limit_is_collected_once_and_nothing_is_run(repository: Path, run_pytest: Pytest) -> None:
    for paths in ((), (".", "smib", "smib/smib.limits.toml")):
        done = run_pytest(repository, "--collect-only", "-q", *paths)
        assert done.returncode == 0, done.stdout
        found = [line for line in done.stdout.splitlines() if "::" in line]
        assert found == [*(f"smib/smib.limits.toml::{name}" for name in NAMES), "test_own.py::test_own"], done.stdout


def test_each_limit_is_a_test(repository: Path, run_pytest: Pytest) -> None:
    done = run_pytest(repository, "-rA")
    assert done.returncode == 1
    assert "2 failed, 2 passed, 1 xfailed" in done.stdout
    for part in (
        "modes::far off: fail (smib/smib.limits.toml:16)", "old  5.000 %  G1", "new  0.000 %  G1",
        "moved by -5.00 %, tolerance 0.01 %", "reason: the reason of it", "no provenance",
        "gridai limits update smib/smib.limits.toml", "undamped, as in the book",
        "is expected to fail (there should be none): take xfail out",
    ):  # fmt: skip
        assert part in done.stdout
    assert "Traceback" not in done.stdout


def test_limits_are_chosen_by_name(repository: Path, run_pytest: Pytest) -> None:
    for chosen in (("-k", "swing_damping"), ("smib/smib.limits.toml::modes::swing_damping",)):
        done = run_pytest(repository, "-q", "--collect-only", *chosen)
        assert done.returncode == 0
        assert [line for line in done.stdout.splitlines() if "::" in line] == [f"smib/smib.limits.toml::{NAMES[0]}"]


def test_a_faulty_file_is_an_error_with_all_its_faults(repository: Path, run_pytest: Pytest) -> None:
    path = repository / "smib" / "smib.limits.toml"
    path.write_text(LIMITS.replace('"swing_damping"', "3").replace('"ercot"', '"ercto"'))
    done = run_pytest(repository, "-q")
    assert done.returncode == 2
    assert "2 faults" in done.stdout
    assert "did you mean 'ercot'" in done.stdout
    assert "metric = 3" in done.stdout


def test_a_stale_baseline_is_said_where_all_limits_hold(case_copy: Callable[[str], Path], run_pytest: Pytest) -> None:
    folder = case_copy("smib")
    table = folder / "network" / "line.csv"
    table.write_text(table.read_text() + "# a remark\n")
    done = run_pytest(folder, "-q", "-k", "cct")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("smib.limits.toml: stale baseline") == 1
    assert "network/line.csv" in done.stdout


@pytest.mark.slow
def test_on_several_workers(repository: Path, run_pytest: Pytest) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    for how in ("load", "loadfile"):
        done = run_pytest(repository, "-q", "-n", "2", "--dist", how)
        assert "2 failed, 2 passed, 1 xfailed" in done.stdout, done.stdout
