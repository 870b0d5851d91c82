"""Profiles: what ships is complete and stated, what is wrong is named, unverified numbers say so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridai import criteria
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.results import Channel, Limit, Result

SHIPPED = {
    "nerc-eastern", "wecc", "ercot", "ercot-lel", "spp", "caiso", "ieso", "aeso", "southern", "atc", "ameren",
    "ansi-c84-1", "pjm",
    "dominion", "lipa", "hydro-quebec", "eirgrid", "ireland-sogl", "gb", "continental-europe", "nordic", "energinet",
    "fingrid", "aemo", "china", "en50160", "ieee-1453", "itic", "semi-f47", "ieee-1668-1-2", "ieee-1668-3", "prc-006",
    "prc-024-eastern", "prc-024-western", "prc-024-ercot", "prc-024-quebec", "prc-029-ibr", "prc-029-wind",
    "rte-i16-simulation", "rte-i16-field", "dycov-step", "aemo-model",
}  # fmt: skip
CONDITIONS = ("normal", "contingency", "small-signal", "planning", "quality", "model")


def quiet_run(f_hz: float = 60.0) -> Result:
    t = np.linspace(0.0, 20.0, 401)
    channels = (
        Channel("gen", "G", "speed_pu", "pu"),
        Channel("bus", "a", "v_re_pu", "pu"),
        Channel("bus", "a", "v_im_pu", "pu"),
        Channel("cluster", "ai", "p_mw", "MW"),
    )
    meta = {"f_hz": f_hz, "inertia_mws": {"G": 1.0}, "bus_kv": {"a": 400.0}, "cluster_bus": {"ai": "a"}}
    return Result(t, np.tile([1.0, 1.0, 0.0, 100.0], (401, 1)), channels, (), meta)


def test_the_shipped_profiles():
    assert set(criteria.profile_names()) == SHIPPED
    assert criteria.default_profile_name(60.0) == "nerc-eastern"
    assert criteria.default_profile_name(50.0) == "continental-europe"
    with pytest.raises(SettingError, match="16"):
        criteria.default_profile_name(16.7)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_profile_states_every_number_and_judges_a_quiet_run(name):
    profile = criteria.load_profile(name)
    assert profile.limits
    for limit in profile.limits:
        assert limit.clause
        assert limit.source
        assert limit.edition
        assert limit.confidence in criteria.CONFIDENCE
    run = quiet_run(profile.f_hz or 60.0)
    verdicts = [v for condition in CONDITIONS for v in criteria.check(run, profile, condition)]
    assert len(verdicts) >= len(profile.limits)
    assert {v.status for v in verdicts} <= {"pass", "not assessable"}
    assert all(v.note for v in verdicts if v.status == "not assessable")
    assert all(("unverified" in v.status_text) == (v.confidence not in "PV") for v in verdicts)


def test_conditions():
    nerc = criteria.load_profile("nerc-eastern")
    normal = [x.low for x in nerc.of("normal") if x.criterion == "steady_voltage"]
    after = [x.low for x in nerc.of("contingency") if x.criterion == "steady_voltage"]
    assert (normal, after) == ([0.95], [0.90])
    with pytest.raises(UnknownNameError, match="normal"):
        nerc.of("norml")


def test_unknown_profiles_and_wrong_frequency():
    with pytest.raises(UnknownNameError, match="nerc-eastern"):
        criteria.load_profile("nerc-easten")
    with pytest.raises(SettingError, match=r"60 Hz.*nerc-eastern"):
        criteria.load_profile("gb", f_hz=60.0)
    assert criteria.load_profile("default", f_hz=50.0).name == "continental-europe"
    with pytest.raises(SettingError, match="f_hz"):
        criteria.load_profile("default")
    with pytest.raises(UnknownNameError, match="no such file"):
        criteria.load_profile("missing.toml")


GOOD = """
title = "mine"
f_hz = 60.0
[[limit]]
criterion = "rocof"
high = 1.0
unit = "Hz/s"
settings = {window_s = 0.5}
clause = "c"
source = "s"
confidence = "P"
"""


def test_a_profile_of_the_user(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    verdict = criteria.check(quiet_run(), criteria.load_profile(str(path)))[0]
    assert (verdict.status, verdict.profile) == ("pass", "mine")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"rocof"', '"rocoff"', "rocof"),
        ('unit = "Hz/s"', 'unit = "Hz"', "Hz/s"),
        ('unit = "Hz/s"\n', "", "unit"),
        ("high = 1.0", "low = 1.0", "high"),
        ("high = 1.0", 'high = "1.0"', "number"),
        ("window_s", "windw_s", "window_s"),
        ("settings = {window_s = 0.5}\n", "", "window_s"),
        ('confidence = "P"', 'confidence = "X"', "P, V, S"),
        ('clause = "c"\n', "", "clause"),
        ('source = "s"', 'sorce = "s"', "source"),
        ("f_hz = 60.0\n", "", "f_hz"),
        ('title = "mine"', 'title = "mine', "TOML"),
    ],
)
def test_faults_of_a_profile_are_named(tmp_path: Path, old: str, new: str, words: str):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(CaseError, match=words) as caught:
        criteria.load_profile(str(path))
    assert "mine.toml" in str(caught.value)


def test_all_faults_of_a_file_come_in_one_message(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace('clause = "c"', "").replace('"rocof"', '"rocoff"').replace('"P"', '"X"'))
    with pytest.raises(CaseError, match=r"(?s)clause.*confidence"):
        criteria.load_profile(str(path))


def test_a_result_without_the_quantity_is_not_assessable():
    bare = Result(np.arange(20.0), np.ones((20, 1)), (Channel("load", "L", "p_mw", "MW"),), (), {"f_hz": 60.0})
    verdicts = criteria.check(bare, criteria.load_profile("wecc"))
    assert {v.status for v in verdicts} == {"not assessable"}
    assert all(v.note for v in verdicts)


@pytest.mark.parametrize(
    ("profile", "criterion", "numbers", "pattern"),
    [
        ("nerc-eastern", "frequency_nadir", (59.5,), r"nerc-eastern:.*?ufls_first: ([\d.]+)"),
        ("nerc-eastern", "steady_voltage", (0.95, 1.05), r"nerc-eastern:.*?v_normal: \[([\d.]+), ([\d.]+)\]"),
        ("wecc", "steady_voltage", (0.95, 1.05), r"\n  wecc:.*?v_P0: \[([\d.]+), ([\d.]+)\]"),
        ("wecc", "transient_voltage_recovery", (0.80,), r"\n  wecc:.*?recover_to: ([\d.]+)"),
        ("ercot", "frequency_nadir", (59.3,), r"\n  ercot:.*?first: ([\d.]+)"),
        ("ercot", "transient_voltage_recovery", (0.90,), r"\n  ercot:.*?recover_to: ([\d.]+)"),
        ("eirgrid", "rocof", (1.0,), r"\n  eirgrid:.*?rocof_max: ([\d.]+)"),
        ("eirgrid", "frequency_nadir", (48.85,), r"\n  eirgrid:.*?ufls_first: ([\d.]+)"),
        ("eirgrid", "settling_frequency", (49.8, 50.2), r"\n  eirgrid:.*?normal: \[([\d.]+), ([\d.]+)\]"),
        ("gb", "settling_frequency", (49.5, 50.5), r"\n  gb:.*?statutory: \[([\d.]+), ([\d.]+)\]"),
        ("gb", "steady_voltage", (0.95, 1.05), r"\n  gb:.*?v_400: \[([\d.]+), ([\d.]+)\]"),
        ("continental-europe", "steady_voltage", (0.9, 1.05), r"v_300_400: \[([\d.]+), ([\d.]+)\]"),
    ],
)
def test_numbers_carried_over_from_the_reference(reference_dir, profile, criterion, numbers, pattern):
    text = (reference_dir / "criteria" / "criteria_profiles.yaml").read_text()
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None
    assert tuple(float(x) for x in found.groups()) == numbers
    first = next(x for x in criteria.load_profile(profile).limits if x.criterion == criterion)
    assert tuple(x for x in (first.low, first.high) if x is not None) == numbers


def test_listing_profiles_needs_neither_pandas_nor_matplotlib():
    code = (
        "from gridai import criteria; import sys; criteria.load_profile('gb');"
        "print(sorted({'pandas', 'matplotlib', 'numba', 'scipy', 'pandapower'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_profiles_for_any_frequency_and_those_that_include_others():
    itic = criteria.load_profile("itic", f_hz=50.0)
    assert itic.f_hz == 0.0
    caiso = criteria.load_profile("caiso", f_hz=60.0)
    assert {limit.profile for limit in caiso.limits} == {"wecc", "caiso"}
    with pytest.raises(SettingError, match="itic"):
        criteria.load_profile("wecc", f_hz=50.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('title = "t"\nf_hz = 60.0\ninclude = ["weccc"]', "wecc"),
        ('title = "t"\nf_hz = 60.0\ninclude = ["gb"]', "50 Hz"),
        ('title = "t"\nf_hz = "all"\ninclude = ["itic"]', "any"),
        ('title = "t"\nf_hz = 60.0', "limit"),
        ('title = "t"\nf_hz = 60.0\nincludes = ["itic"]', "include"),
    ],
)
def test_faults_of_the_head_of_a_profile(tmp_path: Path, text: str, words: str):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(CaseError, match=words):
        criteria.load_profile(str(path))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit("ramprate", "MW/min", None, 1.0), "ramp_rate"),
        (Limit("flicker", "1", None, 1.0), "flicker_pst"),
        (Limit("ramp_rate", "MW", None, 1.0), "MW/min"),
        (Limit("ramp_rate", "MW/min", 1.0), "high"),
        (Limit("ramp_rate", "MW/min", None, 1.0, settings={"window": 60.0}), "window_s"),
        (Limit("ramp_rate", "MW/min", None, 1.0, settings={"window_s": "60"}), "number"),
        (Limit("ramp_rate", "MW/min", None, 1.0, settings={"window_s": 0.0}), "above 0"),
        (Limit("steady_voltage", "pu", 1.1, 0.9), "nothing can pass"),
        (Limit("peak_to_peak", "MW", None, 1.0), "window_s"),
        (Limit("voltage_step", "pu", -0.1, 0.1, settings={"at": "cluster"}), "clusters"),
        (Limit("frequency_nadir", "Hz", 59.0, settings={"of": "buss"}), "bus"),
        (Limit("tolerance_curve", "pu", 0.9, settings={"curve": [[0, 1, 1]]}), "no side"),
        (Limit("curve_error", "pu", None, 0.1, settings={"window": "befor"}), "before"),
        (Limit("load_loss", "MW", None, 1.0, settings={"hold_s": 0.0}), "above 0"),
        (Limit("ride_through", "pu", 0.9, settings={"curve": [[0, 1, 1]], "reduce": 1}), "true or false"),
    ],
)
def test_faulty_limits_are_refused_by_name(limit: Limit, words: str):
    with pytest.raises(CaseError, match=words):
        criteria.make(limit)


def test_every_family_has_a_meaning_and_is_judged_by_some_profile():
    used = {x.criterion for name in criteria.profile_names() for x in criteria.load_profile(name).limits}
    assert set(criteria.FAMILIES) - used <= {"short_circuit_ratio"}
    assert all(family.name == name and family.meaning for name, family in criteria.FAMILIES.items())


def test_a_short_run_never_passes_a_limit_with_a_window():
    t = np.array([0.0, 0.001])
    channels = tuple(Channel("bus", "a", q, "pu") for q in ("v_re_pu", "v_im_pu"))
    channels = (*channels, Channel("gen", "G", "speed_pu", "pu"), Channel("cluster", "ai", "p_mw", "MW"))
    meta = {"inertia_mws": {"G": 1.0}, "bus_kv": {"a": 400.0}, "cluster_bus": {"ai": "a"}}
    untimed = {"frequency_nadir", "frequency_zenith", "tolerance_curve", "transient_voltage_recovery", "voltage_dip",
               "load_recovery"}  # fmt: skip
    for name in criteria.profile_names():
        profile = criteria.load_profile(name)
        run = Result(t, np.tile([1.0, 0.0, 1.0, 100.0], (2, 1)), channels, (), {"f_hz": profile.f_hz or 60.0, **meta})
        for condition in CONDITIONS:
            found = criteria.check(run, profile, condition)
            assert all(v.status == "not assessable" for v in found if v.criterion not in untimed), name
