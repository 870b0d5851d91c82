"""No row of the reference's tables of curves and of ramps is left over: each is in a profile, with its confidence.

What a row says of a curve is checked in test_criteria_vectors.py; here is who has it, and the rows beside the curves.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from gridai import criteria
from gridai.results import Limit

from .test_criteria_vectors import CURVES, endured, limits_with_curves

BESIDE = {
    "energinet DCC demand LVRT (300 kV+ and 110-300 kV)": "vertices of a ramp: test_envelopes_of_the_table",
    "fingrid SJV2024 type D storage (proxy; KJV2026 demand draft pending)": "vertices: test_envelopes_of_the_table",
    "eirgrid MPID345": "a time of return: test_the_times_of_return",
    "aemc package 2 draft": "a time of return: test_the_times_of_return",
    "ieso TRLCL v3.0": "a time of return: test_the_times_of_return",
    "entso-e DCC 2016/1388 CE 110-300 kV": "test_the_voltage_bands_of_the_demand_connection_code",
    "entso-e DCC 2016/1388 CE 300-400 kV": "test_the_voltage_bands_of_the_demand_connection_code",
}
"""Rows that are no bands of a curve, and where they are looked at."""


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "criteria" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def limits(profile: str, criterion: str, **settings: float) -> list[Limit]:
    found = [x for x in criteria.load_profile(profile).limits if x.criterion == criterion and x.profile == profile]
    return [x for x in found if all(x.settings.get(k) == v for k, v in settings.items())]


def test_every_profile_of_the_table_is_looked_at(reference_dir):
    named = {r["profile"] for r in rows(reference_dir, "ride_through_curves.csv")}
    assert named == set(CURVES) | set(BESIDE)


def test_the_voltages_of_spp(reference_dir):
    """0.5 pu for 0.15 s is one point, no band: at once below it, 0.15 s above, no limit within 0.9 to 1.1 pu."""
    table = [r for r in rows(reference_dir, "ride_through_curves.csv") if r["profile"] == "spp-hill"]
    points = {(float(r["low"]), float(r["high"])): r["min_ride_through_s"] for r in table if r["quantity"] == "V_pu"}
    assert points == {(0.9, 1.1): "inf", (0.5, 0.5): "0.15"}
    (curve,) = [x for x in limits_with_curves("spp", "vm_pu") if x.criterion == "ride_through"]
    assert endured([curve], 0.5 + 1e-6) == [0.15]
    assert endured([curve], 1.0) == [math.inf]


def test_the_voltage_bands_of_the_demand_connection_code(reference_dir):
    table = rows(reference_dir, "ride_through_curves.csv")
    for name, least_kv in (("110-300 kV", 110.0), ("300-400 kV", 300.0)):
        own = [r for r in table if r["profile"] == f"entso-e DCC 2016/1388 CE {name}"]
        (lasting,), (timed,) = ([r for r in own if (r["min_ride_through_s"] == "inf") == k] for k in (True, False))
        (band,) = limits("continental-europe", "steady_voltage", kv_min=least_kv)
        assert (band.low, band.high) == (float(lasting["low"]), float(lasting["high"]))
        (curve,) = limits("continental-europe", "tolerance_curve", kv_min=least_kv)
        middle = 0.5 * (float(timed["low"]) + float(timed["high"]))
        assert timed["min_ride_through_s"] == "20-60 min"
        assert endured([curve], middle) == [1200.0]
        assert band.confidence in lasting["confidence(P primary-quoted,V verified in code/spec file,S secondary,M recalled-high,m recalled-medium)"]  # noqa: E501  # fmt: skip


@pytest.mark.parametrize("name", sorted(CURVES))
def test_a_number_is_as_sure_as_its_row(reference_dir, name):
    """P and V in the table are verified in the profile; S, M and m are not, and every verdict says so."""
    own = [r for r in rows(reference_dir, "ride_through_curves.csv") if r["profile"] == name]
    letter = next(k for k in own[0] if k.startswith("confidence"))
    letters = {r[letter].strip() for r in own}
    assert len(letters) == 1, letters
    (one,) = letters
    for profile, quantity in CURVES[name]:
        found = [x for x in limits_with_curves(profile, quantity) if x.profile == profile]
        kinds = [x for x in found if x.criterion in ("ride_through", "tolerance_curve")]
        assert one in {x.confidence for x in kinds}, (profile, quantity)
        assert all(x.verified == (x.confidence in "PV") for x in kinds)


RAMPS = [
    ("ERCOT (proposed", "ercot-lel", "peak_to_peak", 10.0, {"window_s": 5.0, "band_high_hz": 55.0}, "P"),
    ("CAISO straw", "caiso", "ramp_rate", 20.0, {"window_s": 600.0}, "P"),
    ("IESO TRLCL v3.0 2026", "ieso", "ramp_rate", 20.0, {}, "P"),
    ("IESO TRLCL v3.0 2026", "ieso", "peak_to_peak", 5.0, {"window_s": 15.0}, "P"),
    ("IESO TRLCL v3.0", "ieso", "band_oscillation", 2.5, {"share": 0.0025}, "P"),
    ("Southern Co.", "southern", "ramp_rate", 20.0, {"percentile": 75.0}, "S"),
    ("ATC", "atc", "ramp_rate", 30.0, {}, "S"),
    ("ATC", "atc", "peak_to_peak", 25.0, {"window_s": 5.0}, "S"),
    ("SPP (attributed)", "spp", "peak_to_peak", 25.0, {"window_s": 5.0}, "S"),
    ("LIPA", "lipa", "band_oscillation", 10.0, {"f_low_hz": 0.1, "f_high_hz": 5.0}, "S"),
    ("LIPA", "lipa", "band_oscillation", 3.5, {"f_low_hz": 5.0, "f_high_hz": 55.0}, "S"),
    ("AESO", "aeso", "ramp_rate", 10.0, {}, "S"),
    ("GB/T 15945", "china", "frequency_zenith", 50.2, {}, "M"),
    ("GB/T 12326", "china", "rapid_voltage_change", 3.0, {"kv_min": 35.1}, "M"),
    ("GB/T 12326", "china", "rapid_voltage_change", 4.0, {"kv_max": 35.1}, "M"),
    ("IEC 61000-3-7 / IEEE 1453 stage 1", "ieee-1453", "power_change", 0.4, {}, "M"),
    ("IEC 61000-3-7 / IEEE 1453 RVC", "ieee-1453", "rapid_voltage_change", 5.0, {}, "M"),
    ("Dominion", "dominion", "rapid_voltage_change", 3.0, {}, "P"),
    ("Ameren", "ameren", "rapid_voltage_change", 2.0, {}, "P"),
    ("NG Grid Code", "gb", "voltage_step", 0.03, {}, "P"),
]  # fmt: skip
LEFT_OUT = {
    "ERCOT NPRR1191 (2023 proposal, not adopted?)": "a proposal that was not adopted",
    "arXiv:2508.14318 (Microsoft/OpenAI/NVIDIA)": "an example of a specification, no limit of an operator",
}


@pytest.mark.parametrize(("who", "profile", "criterion", "high", "settings", "letter"), RAMPS)
def test_ramps_and_variation(reference_dir, who, profile, criterion, high, settings, letter):
    own = [r for r in rows(reference_dir, "ramp_and_variation_limits.csv") if r["who"].startswith(who)]
    found = [x for x in limits(profile, criterion, **settings) if x.high == high]
    assert found, (profile, criterion, [dict(x.settings) for x in limits(profile, criterion)])
    assert {r["confidence"] for r in own} == {letter}
    assert {x.confidence for x in found} == {letter}
    shown = f"{100 * high:g}" if criterion == "voltage_step" else f"{high - 50.0:g}" if high > 50.0 else f"{high:g}"
    assert any(shown in r["limit"] for r in own)


def test_every_row_of_the_ramps_is_looked_at(reference_dir):
    for row in rows(reference_dir, "ramp_and_variation_limits.csv"):
        assert row["who"] in LEFT_OUT or any(row["who"].startswith(who) for who, *_ in RAMPS), row["who"]
