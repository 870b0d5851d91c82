"""Load curves: data with sources, and what they make of a class of UPS."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gridai.cluster import RideThrough, UpsClass
from gridai.criteria.load_curves import curve_names, load_curve
from gridai.errors import CaseError, UnknownNameError


@pytest.mark.parametrize("name", curve_names())
def test_every_curve_states_its_source_and_makes_a_class(name):
    curve = load_curve(name)
    assert curve.source
    assert curve.confidence in "PVSMm"
    row = UpsClass(**curve.settings())
    assert row.count_n == 0
    assert RideThrough((row,)).groups()[0].values["under1_pu"] == curve.under[0][0]


def test_the_ercot_curve_is_that_of_the_reference(reference_dir: Path):
    with (reference_dir / "criteria" / "ride_through_curves.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["profile"] == "ercot-lel" and r["quantity"] == "V_pu"]
    under = {float(r["high"]): float(r["min_ride_through_s"]) for r in rows if float(r["high"]) <= 0.9}
    over = {float(r["low"]): float(r["min_ride_through_s"]) for r in rows if float(r["low"]) >= 1.1}
    curve = load_curve("ercot-lel")
    assert dict(curve.under) == under
    assert dict(curve.over) == over


def test_recovery_in_the_time_allowed():
    settings = load_curve("ercot-lel").settings()
    assert settings["return_s"] + 0.9 * settings["walk_s"] < 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("under = [[0.8, 1.0], [0.9, 0.5]]", "must lie beyond"),
        ("under = [[0.9, 1.0], [0.8, 2.0]]", "crosses itself"),
        ("over = [[1.2, 1.0], [1.1, 0.5]]", "must lie beyond"),
        ("under = [[0.9]]", "pairs"),
        ("undr = [[0.9, 1.0]]", "under"),
        ("under = [", "TOML"),
    ],
)
def test_faults(tmp_path: Path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "t"\nf_hz = 50.0\nsource = "s"\nconfidence = "V"\n{text}\n')
    with pytest.raises(CaseError, match=words):
        load_curve(str(path))


def test_missing_and_unknown(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text("f_hz = 50.0\n")
    with pytest.raises(CaseError, match=r"(?s)title.*source.*confidence"):
        load_curve(str(path))
    with pytest.raises(UnknownNameError, match="itic"):
        load_curve("itik")
