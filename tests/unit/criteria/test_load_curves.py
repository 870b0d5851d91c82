"""Load curves: one source with the limits, what they make of a class of UPS, and loads that pass their own profile."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from gridai import criteria
from gridai.case import load_case
from gridai.cluster import Cluster, Constant, RideThrough, UpsClass
from gridai.criteria.curve import parse
from gridai.criteria.load_curves import curve_names, load_curve
from gridai.errors import CaseError, UnknownNameError
from gridai.studies.ride_through import RideThrough as RideThroughStudy


@pytest.mark.parametrize("name", curve_names())
def test_every_curve_states_its_source_and_makes_a_class(name):
    curve = load_curve(name)
    assert curve.source
    assert curve.confidence in "PVSMm"
    row = UpsClass(**curve.settings())
    assert row.count_n == 0
    assert RideThrough((row,)).groups()[0].values["under1_pu"] == curve.under[0][0]


def test_the_curves_of_the_issue_are_there():
    assert {"itic", "semi-f47", "ercot-lel", "prc-024-eastern", "energinet", "caiso"} <= set(curve_names())


@pytest.mark.parametrize("name", ["ercot-lel", "caiso", "semi-f47", "itic"])
def test_one_source_with_the_limits(name):
    """The curve is read from the profile: all thresholds of its limits, no number twice."""
    kind = "ride_through" if name in ("ercot-lel", "caiso") else "tolerance_curve"
    rows = [x for x in criteria.load_profile(name).limits if x.criterion == kind]
    rows = [x for x in rows if x.settings.get("quantity", "vm_pu") == "vm_pu"]
    edges = {t.level: t.allowed_s for x in rows for t in parse(x.settings["curve"], 1.0).thresholds}
    curve = load_curve(name)
    assert dict((*curve.under, *curve.over)) == edges


def test_the_ercot_curve_is_that_of_the_reference(reference_dir: Path):
    with (reference_dir / "criteria" / "ride_through_curves.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["profile"] == "ercot-lel" and r["quantity"] == "V_pu"]
    under = {float(r["high"]): float(r["min_ride_through_s"]) for r in rows if float(r["high"]) <= 0.9}
    over = {float(r["low"]): float(r["min_ride_through_s"]) for r in rows if float(r["low"]) >= 1.1}
    curve = load_curve("ercot-lel")
    assert dict(curve.under) == under
    assert dict(curve.over) == over
    assert (curve.df_hz, curve.freq_s, curve.recover_s) == (1.2, 299.0, 2.0)


def test_recovery_in_the_time_allowed():
    settings = load_curve("ercot-lel").settings()
    assert settings["return_s"] + 0.9 * settings["walk_s"] < 2.0


@pytest.mark.parametrize("name", curve_names())
def test_what_is_left_out_only_makes_the_load_stay_longer(name):
    """At every voltage the settings allow no sooner departure than the thresholds of the profile."""
    curve = load_curve(name)

    def allowed(edges: tuple[tuple[float, float], ...], v: float, side: int) -> float:
        return min((s for level, s in edges if side * (v - level) > 0.0), default=math.inf)

    for k in range(300):
        v = 0.005 * k
        for side, edges in ((-1, curve.under), (1, curve.over)):
            assert allowed(curve.kept(side), v, side) >= allowed(edges, v, side)


def test_an_envelope_becomes_steps_above_it():
    """Energinet: 0 pu until 0.15 s, a straight line to 0.9 pu at 1.5 s."""
    curve = load_curve("energinet")
    assert len(curve.under) == 4
    for level, seconds in curve.under:
        assert seconds == pytest.approx(0.15 + 1.35 * level / 0.9)
    assert any("envelope" in text for text in curve.left_out)


@pytest.mark.parametrize(
    ("name", "fault_s", "left"), [("ercot-lel", 0.14, False), ("ercot-lel", 0.2, True), ("semi-f47", 0.04, False)]
)
def test_a_load_by_a_curve_passes_the_limits_of_that_curve(name, fault_s, left):
    """What obeys a profile is found to pass it, whether it stays or leaves where the curve lets it."""
    cluster = Cluster.of("H100", count=100_000, workload=Constant(), ride_through=RideThrough((UpsClass(groups=2),)))
    case = load_case("bench").with_cluster(cluster, "POC", balance="slack", name="dc")
    study = RideThroughStudy(bus="POC", fault_s=fault_s, x_pu=0.00001, rule=name, profile=name, until_s=12.0)
    case = case if name == "semi-f47" else _at_60_hz(case)
    report = study.run(case)
    own = [v for v in report.verdicts if v.criterion in ("ride_through", "load_recovery", "tolerance_curve")]
    assert own
    assert not [v for v in own if v.status == "fail"]
    assert (report.summary["largest_away"].value > 0.0) == left


def _at_60_hz(case):
    from dataclasses import replace

    case.net.f_hz = 60.0
    return replace(case, f_hz=60.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curve = [[0.0, 0.5, 5.0], [0.5, 0.9, 2.0], [0.9, 1.1, inf]]", "crosses itself"),
        ("curve = [[0.9, 1.1, inf], [1.1, 1.2, 0.5], [1.2, 9.0, 2.0]]", "crosses itself"),
        ("curve = [[0.0, 0.5, 0.1], [0.6, 0.9, 2.0]]", "must meet"),
        ("curve = [[0.9, 0.5, 0.1]]", "from below to"),
        ("envelope = [[1.5, 0.9], [0.15, 0.0]]", "in order of time"),
    ],
)
def test_faults(tmp_path: Path, text, words):
    path = tmp_path / "mine.toml"
    head = 'title = "t"\nf_hz = "any"\n[[limit]]\ncriterion = "ride_through"\nlow = 0.9\nunit = "pu"\n'
    path.write_text(f'{head}clause = "c"\nsource = "s"\nconfidence = "V"\n[limit.settings]\n{text}\n')
    with pytest.raises(CaseError, match=words):
        load_curve(str(path))


def test_a_curve_of_ones_own(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\nf_hz = "any"\n[[limit]]\ncriterion = "ride_through"\nlow = 0.9\nunit = "pu"\nclause = "c"\n'
        'source = "s"\nconfidence = "m"\nsettings = {curve = [[0.0, 0.85, 0.3], [0.85, 1.1, inf]]}\n'
    )
    curve = load_curve(str(path))
    assert (curve.under, curve.over, curve.verified) == (((0.85, 0.3),), ((1.1, 0.0),), False)


def test_missing_and_unknown(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\nf_hz = 50.0\n[[limit]]\ncriterion = "frequency_nadir"\nlow = 49.0\nunit = "Hz"\nclause = "c"\n'
        'source = "s"\nconfidence = "V"\n'
    )
    with pytest.raises(CaseError, match="states no curve of voltage"):
        load_curve(str(path))
    with pytest.raises(UnknownNameError, match="itic"):
        load_curve("itik")
    with pytest.raises(UnknownNameError, match="no such file"):
        load_curve(str(tmp_path / "none.toml"))
