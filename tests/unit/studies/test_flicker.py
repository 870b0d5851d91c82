"""The study `flicker`: a swing of known size gives the Pst of the flickermeter's tables; refusals; the figure."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gridai as ga
from gridai import criteria, plots
from gridai.errors import SettingError
from gridai.plots import flicker as figures
from gridai.results import Limit
from gridai.studies.flicker import Flicker, voltage_behind


@pytest.fixture(scope="module")
def placed():
    return ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=300_000, pue=1.25), bus="16")


def square_trace(path: Path, low: float, high: float, half_period_s: float) -> Path:
    """A CSV of 700 s of a square wave, edges 1 ms wide."""
    rows = []
    for k in range(int(350.0 / half_period_s)):
        begin = 2 * k * half_period_s
        rows += [(begin, high), (begin + half_period_s - 0.001, high)]
        rows += [(begin + half_period_s, low), (begin + 2 * half_period_s - 0.001, low)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("t_s", "p"), *rows])
    return path


def test_the_voltage_behind_an_impedance():
    """Exact against the complex voltages it comes from."""
    p, q = np.array([50.0, 100.0, 130.0]), np.array([5.0, 10.0, 20.0])
    v = voltage_behind(p, q, 100.0, 10.0, 500.0, 10.0)
    assert v[1] == pytest.approx(1.0, abs=1e-12)
    z = complex(1.0, 10.0) / math.hypot(1.0, 10.0) / 500.0
    source = [abs(x + z * complex(a, -b) / x) for x, a, b in zip(v, p, q, strict=True)]
    assert source == pytest.approx([source[1]] * 3, abs=1e-12)
    with pytest.raises(SettingError, match="collapses"):
        voltage_behind(p, q, 100.0, 10.0, 150.0, 10.0)


def test_a_square_wave_gives_the_pst_of_the_table(placed, tmp_path):
    """110 changes a minute whose voltage changes by 0.844 %: Pst = 1 at 120 V and 60 Hz. Asked 5 %; reached 0.3 %."""
    path = square_trace(tmp_path / "square.csv", 0.8, 1.2, 60.0 / 110.0)
    first = Flicker(file=str(path), scr=10.0).run(placed)
    share = 0.844 / first.summary["voltage_swing"].value
    swing = first.summary["power_swing"].value
    report = Flicker(file=str(path), scr=10.0, amplitude_mw=0.5 * share * swing).run(placed)
    assert report.summary["voltage_swing"].value == pytest.approx(0.844, rel=0.02)
    assert report.summary["pst"].value == pytest.approx(1.0, rel=0.05)
    (verdict,) = [v for v in report.verdicts if v.criterion == "flicker_pst" and v.status != "not assessable"]
    assert (verdict.status_text, verdict.element) == ("fail (unverified)", "16")
    assert verdict.value == report.summary["pst"].value


def test_a_measured_swing_on_a_weak_bus(placed, reference_dir, tmp_path):
    """A production cycle of DGX H100, 20 to 200 ms points: stronger grid, less flicker, about in proportion."""
    trace = str(reference_dir / "power_traces" / "dgx_h100_production_cycle.csv")
    weak, strong = (Flicker(file=trace, scr=scr).run(placed) for scr in (5.0, 10.0))
    assert weak.summary["pst"].value > 1.8 * strong.summary["pst"].value > 1.0
    assert not weak.passed
    drawn = plots.save_figure(figures.flicker_figure(weak.result, weak.limits, weak.title), tmp_path / "flicker.png")
    assert drawn.stat().st_size > 50_000
    again = criteria.check(weak.result, criteria.load_profile("gb"), "quality")
    assert {v.criterion: v.status for v in again}["flicker_plt"] == "not assessable"
    ratio = criteria.make(Limit("short_circuit_ratio", "1", 6.0)).check(weak.result)
    assert (ratio.status, ratio.value) == ("fail", 5.0)
    (stage,) = criteria.check(weak.result, criteria.load_profile("ieee-1453"), "planning")
    assert (stage.criterion, stage.status) == ("power_change", "fail")


def test_in_the_grid_of_the_case(placed):
    """The dynamic run of the New England system, 660 s at 400 Hz. Training of 300,000 H100 at bus 16."""
    report = Flicker().run(placed)
    assert 0.0 < report.summary["pst"].value < 1.0
    assert report.result.quantities("bus") == ("vm_pu",)
    assert any(v.passed and v.criterion == "flicker_pst" for v in report.verdicts)
    assert report.tables["pst"].rows[0][:3] == (1, 60.0, 660.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"step_s": 0.01}, "400"), ({"amplitude_mw": 5.0}, "file"), ({"periods": 0}, "periods"), ({"scr": -1.0}, "scr")],
)
def test_what_the_study_refuses(settings, words):
    with pytest.raises(SettingError, match=words):
        Flicker(**settings)


def test_a_swing_larger_than_the_cluster_and_a_case_without_one(placed, tmp_path):
    path = str(square_trace(tmp_path / "square.csv", 0.8, 1.2, 1.0))
    with pytest.raises(SettingError, match="amplitude_mw"):
        Flicker(file=path, amplitude_mw=1e4, scr=5.0).run(placed)
    with pytest.raises(SettingError, match="no cluster"):
        Flicker(scr=5.0).run(replace(placed, placements=()))
