"""The report: its text, its files (all or none), and reading it again."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from gridai import criteria, plots
from gridai.errors import ResultError, UnknownNameError
from gridai.reports import Measure, Report, Table, load_report, plain_table
from gridai.reports.text import more_digits, number
from gridai.studies.summary import all_measures

FILES = {
    "report.json", "summary.csv", "verdicts.csv", "redispatch.csv", "frequency.csv", "bus_frequency.csv", "voltage.csv",
    "generator_power.csv", "cluster_power.csv", "result.npz", "result.json", "overview.png", "frequency.png",
    "report.html",
}  # fmt: skip


@dataclass(frozen=True)
class Study:
    pause_mw: float = 100.0


@pytest.fixture
def report(made_up) -> Report:
    result = made_up()
    profile = criteria.load_profile("nerc-eastern")
    return Report(
        title="made-up: a pause", study=Study(), summary=all_measures(result),
        verdicts=criteria.check(result, profile), limits=profile.of(), result=result, figures=("overview", "frequency"),
        tables={"redispatch": Table("redispatch", ("unit", "change_mw"), (("G1", 12.5),))},
        notes=("templates are used",), provenance={"gridai": "0", "profile": profile.name},
    )  # fmt: skip


def test_text(report: Report):
    text = str(report)
    for words in ("frequency nadir", "RoCoF over 500 ms", "bus 16", "pass (unverified)", "TPL-001-5.1", "12.5",
                  "templates are used", "not read in the primary text"):  # fmt: skip
        assert words in text
    assert max(len(line) for line in text.splitlines()) < 140
    assert "pass" in repr(report)


def test_a_long_table_is_cut_in_print_alone(report: Report, tmp_path: Path):
    rows = tuple((f"G{k}", float(k)) for k in range(100))
    long = replace(report, tables={"redispatch": Table("redispatch", ("unit", "change_mw"), rows)})
    text = str(long)
    assert "G39" in text
    assert "G40" not in text
    assert "... and 60 more rows, in the saved tables" in text
    long.save(tmp_path / "out")
    assert len((tmp_path / "out" / "redispatch.csv").read_text().splitlines()) >= 101


def test_summary_values(report: Report):
    summary = report.summary
    assert summary["meter_change"].value == pytest.approx(-100.0, abs=3.1)
    assert summary["zenith"].value == pytest.approx(60.0 + 60 * 4e-4 * 1.31, abs=2e-3)
    assert summary["swing_1"].element == "G10"
    assert summary["highest_voltage"].element == "bus 39"
    assert summary["voltage_change"].element == "bus 16"
    assert 0.0 < abs(summary["rocof_500ms"].value) <= abs(summary["rocof_100ms"].value) + 1e-9


def test_passed_means_no_limit_is_violated(report: Report):
    statuses = {v.status for v in report.verdicts}
    assert report.passed == ("fail" not in statuses)


def test_save_and_read_again(report: Report, tmp_path: Path):
    report.save(tmp_path / "out")
    assert set(os.listdir(tmp_path / "out")) == FILES
    about = json.loads((tmp_path / "out" / "report.json").read_text())
    assert about["study"] == {"name": "Study", "pause_mw": 100.0}
    assert about["summary"]["nadir"]["unit"] == "Hz"
    with (tmp_path / "out" / "voltage.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["t_s", "1"]
    t_s = [float(row[0]) for row in rows[1:]]
    assert t_s.count(1.0) == t_s.count(11.0) == 2
    assert max(b - a for a, b in pairwise(t_s)) == pytest.approx(1 / 60, abs=1e-6)
    assert min(float(row[1]) for row in rows[1:]) == pytest.approx(report.result.bus.vm_pu["1"].min(), abs=5e-7)
    again = load_report(tmp_path / "out")
    assert again.figures == report.figures
    assert again.limits == report.limits
    assert again.figure("frequency").axes[0].get_ylabel() == "frequency (Hz)"
    with pytest.raises(UnknownNameError, match="frequency"):
        again.figure("freqency")


def test_svg_on_request(report: Report, tmp_path: Path):
    report.save(tmp_path / "out", svg=True)
    assert {"overview.svg", "frequency.svg"} <= set(os.listdir(tmp_path / "out"))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_save_leaves_nothing_new(report: Report, tmp_path: Path, monkeypatch, error: BaseException):
    folder = tmp_path / "out"
    report.save(folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(plots, "save_figure", fail)
    with pytest.raises(type(error)):
        report.save(folder)
    with pytest.raises(type(error)):
        report.save(tmp_path / "new")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert os.listdir(tmp_path) == ["out"]


def test_unknown_figure_and_damaged_folder(report: Report, tmp_path: Path):
    with pytest.raises(UnknownNameError, match="overview"):
        report.figure("overvew")
    with pytest.raises(ResultError, match="no such file"):
        load_report(tmp_path)
    report.save(tmp_path / "out")
    (tmp_path / "out" / "report.json").write_text('{"title": "x"}')
    with pytest.raises(ResultError, match="not a saved report"):
        load_report(tmp_path / "out")


def test_numbers_and_tables():
    assert number(59.97891, "Hz") == "59.9789"
    assert number(float("nan"), "Hz") == "-"
    assert number(-0.00001, "MW") == "0.00"
    assert (number(float("inf"), "s"), number(-float("inf"), "s")) == ("never", "-")
    assert number(float("inf"), "MW") == "unbounded"
    assert number(1.05000012, "pu", more_digits(1.05000012, 1.05, "pu")) == "1.0500001"
    assert more_digits(1.0499, 1.05, "pu") == more_digits(1.05, 1.05, "pu") == more_digits(1.0, 1.0 + 1e-9) == 0
    assert more_digits(1.05 + 1e-12, 1.05, "pu") == 4
    assert number(1234567.0) == "1.23457e+06"
    text = plain_table("t", ("name", "x"), [("a", "1.0"), ("bb", "-")])
    assert text.splitlines()[2] == "  a     1.0"
    assert Measure("x", 1.0, "pu").element == ""
