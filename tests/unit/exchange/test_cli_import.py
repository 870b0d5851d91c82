"""`gridai import`: the report on the screen, the case in a folder, faults as one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridai.case import load_case
from gridai.cli import call

from ..grid.raw_samples import raw_text, small
from .test_dyr import MACHINES
from .test_write import CASE


def test_raw_and_dyr_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.raw").write_text(raw_text(33, **small(33)))
    (tmp_path / "case.dyr").write_text(MACHINES)
    out = tmp_path / "mine"
    assert (
        call(["import", str(tmp_path / "case.raw"), str(tmp_path / "case.dyr"), "--out", str(out), "--name", "mine"])
        == 0
    )
    shown = capsys.readouterr()
    assert "case.raw: 12 records (RAW version 33)" in shown.out
    assert "GENROU" in shown.out
    assert f"gridai check {out}" in shown.err
    case = load_case(out)
    assert (case.name, len(case.dynamics["genrou"])) == ("mine", 2)


def test_an_imported_case_swings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a new user does: import, then `run oscillate` at a bus by its PSS/E number."""
    (tmp_path / "case.raw").write_text(raw_text(33, **small(33)))
    (tmp_path / "case.dyr").write_text(MACHINES)
    case, out = tmp_path / "mine", tmp_path / "out"
    assert call(["import", str(tmp_path / "case.raw"), str(tmp_path / "case.dyr"), "--out", str(case)]) == 0
    options = ["--bus", "2", "--count", "5000", "--frequency-hz", "1.2", "--cycles", "6", "--until-s", "7"]
    assert call(["run", "oscillate", "--case", str(case), *options, "--out", str(out)]) in (0, 1)
    shown = capsys.readouterr().out
    assert "swings of the generators" in shown
    assert "square of 1.2 Hz" in shown
    tables = {path.name for path in out.glob("*.csv")}
    assert {"generator_swings.csv", "branch_swings.csv", "bus_swings.csv"} <= tables
    assert (out / "swings.png").is_file()


def test_matpower_and_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case4.m").write_text(CASE)
    assert call(["import", str(tmp_path / "case4.m")]) == 0
    shown = capsys.readouterr()
    assert "TEMPLATES" in shown.out
    assert "Nothing is saved" in shown.err


def test_a_fault_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.raw").write_text("0, 100.0, 29, 0, 1, 60.0\n\n\n0\nQ\n")
    assert call(["import", str(tmp_path / "case.raw")]) == 2
    assert "case.raw, row 1: REV = '29'" in capsys.readouterr().err
