"""Planning studies on the command line: outputs and files, a bar on a terminal, a run that goes on, bad input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gridai import cli
from gridai.cli import printing


def call(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    status = cli.call([str(arg) for arg in args])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_hosting_contingency_and_a_day(capsys: Any, tmp_path: Path):
    status, out, _ = call(capsys, "run", "hosting", "--case", "wscc9", "--tol-mw", "5", "--out", tmp_path / "h")
    assert status == 0
    assert "largest cluster at each bus" in out
    assert (tmp_path / "h" / "hosting.csv").is_file()
    status, out, _ = call(capsys, "run", "contingency", "--case", "wscc9", "--cluster-bus", "5", "--count", "20000")
    assert status in (0, 1)
    assert "three-phase faults" in out
    status, out, _ = call(capsys, "run", "timeseries", "--case", "wscc9", "--keep", tmp_path / "day.csv")
    assert status == 0
    assert len((tmp_path / "day.csv").read_text(encoding="utf-8").splitlines()) == 1441


def test_modes_go_on_from_their_file(capsys: Any, tmp_path: Path):
    args = ("run", "operating-modes", "--case", "wscc9", "--renewables", "0,0.2", "--keep", tmp_path / "modes.csv")
    first = call(capsys, *args)
    assert first[0] == 1  # the grid rejects some of the possible modes
    assert call(capsys, *args, "--allowed-percent", "100")[0] == 0
    assert "dispatch of the mode" in call(capsys, *args, "--explain", "3")[1]
    assert "taken from the file" in call(capsys, *args)[1]
    status, _, err = call(capsys, *args, "--seasons", "winter=1")
    assert status == 2
    assert "not of this study" in err


def test_a_bar_on_a_terminal_and_nothing_in_a_pipe(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    with printing.busy("counting") as tick:
        tick(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with printing.busy("counting") as tick:
        tick(1500, 3000)
        tick(3000, 3000)
    err = capsys.readouterr().err
    assert "counting" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("hosting", "--case", "wscc9", "--buses", "55"), "unknown bus '55'"),
        (("timeseries", "--case", "wscc9", "--profiles", "none.csv"), "no such file"),
        (("timeseries", "--case", "wscc9", "--taps"), "tap_min"),
        (("contingency", "--case", "wscc9", "--order", "n-1-1", "--first", "1-2"), "unknown branch"),
        (("operating-modes", "--case", "wscc9", "--dispatches", "even,merrit"), "merit"),
    ],
)
def test_bad_input_is_one_message_and_status_2(capsys: Any, args: tuple[str, ...], words: str):
    status, _, err = call(capsys, "run", *args)
    assert status == 2
    assert words in err
    assert "Traceback" not in err
