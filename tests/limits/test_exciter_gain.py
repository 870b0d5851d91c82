"""Limits that an exciter gain moves: `gridai limits check` and `pytest` fail and name limit, values, element, time."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gridai import cli

Pytest = Callable[..., subprocess.CompletedProcess[str]]
KEPT = ("fault-16", "modes")
"""Studies of the bundled file that this test runs."""


@pytest.fixture
def changed(case_copy: Callable[[str], Path]) -> Path:
    """New England with a quarter of the exciter gain at G5 and G10, under its own limits."""
    folder = case_copy("ieee39")
    table = folder / "dynamics" / "sexs.csv"
    rows = table.read_text().splitlines()
    assert sum(row.startswith(("G5,0.1,10,200,", "G10,0.1,10,200,")) for row in rows) == 2
    table.write_text(
        "\n".join(row.replace(",10,200,", ",10,50,") if row.startswith(("G5,", "G10,")) else row for row in rows) + "\n"
    )
    limits = folder / "ieee39.limits.toml"
    head, *studies = limits.read_text().split("[[study]]\n")
    tail = studies[-1][studies[-1].index("# written by gridai") :]
    kept = [study for study in studies if any(f'name = "{name}"' in study for name in KEPT)]
    limits.write_text("[[study]]\n".join([head, *kept]) + tail)
    return folder


def assert_named(said: str) -> None:
    """Damping and angle after the fault, with limit, old, new, element and time; reached 8.65 %, 130.75 degrees."""
    for pattern in (
        r"modes::swing_damping: fail \(.*ieee39\.limits\.toml:\d+\)\n"
        r".*old  10\.2\d %  G10\n.*new  8\.\d\d %  G10\n.*moved by -1\.\d+ %, tolerance 0\.2 %",
        r"fault-16::largest_angle: fail \(.*ieee39\.limits\.toml:\d+\)\n"
        r".*old  129\.\d+ degree  G5 to G1  at 1\.57\d s\n.*new  130\.\d+ degree  G5 to G1  at 1\.58\d s\n"
        r".*moved by \+1\.\d+ degree, tolerance 1 % of value",
        r"stale baseline: .*: dynamics/sexs\.csv",
    ):
        assert re.search(pattern, said), f"{pattern!r} is not in\n{said}"


def test_gridai_limits_check(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.call(["limits", "check", str(changed)])
    out = capsys.readouterr().out
    assert status == 1, out
    assert_named(out)


def test_pytest(changed: Path, run_pytest: Pytest) -> None:
    done = run_pytest(changed.parent, "-q")
    assert done.returncode == 1
    assert_named(done.stdout)
