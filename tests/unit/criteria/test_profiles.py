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
from gridai.results import Channel, Result

SHIPPED = {"nerc-eastern", "wecc", "ercot", "eirgrid", "gb", "continental-europe", "nordic"}


def quiet_run(f_hz: float = 60.0) -> Result:
    t = np.linspace(0.0, 20.0, 401)
    channels = (
        Channel("gen", "G", "speed_pu", "pu"),
        Channel("bus", "a", "v_re_pu", "pu"),
        Channel("bus", "a", "v_im_pu", "pu"),
    )
    meta = {"f_hz": f_hz, "inertia_mws": {"G": 1.0}, "bus_kv": {"a": 400.0}}
    return Result(t, np.tile([1.0, 1.0, 0.0], (401, 1)), channels, (), meta)


def test_the_shipped_profiles():
    assert set(criteria.profile_names()) >= SHIPPED
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
    verdicts = criteria.check(quiet_run(profile.f_hz), profile)
    assert {v.status for v in verdicts} <= {"pass", "not assessable"}
    assert any(v.passed for v in verdicts)
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
