"""Comparison of curves: point by point, by tube, by windows; events; step responses; verdicts on the errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridai import criteria
from gridai.errors import ResultError
from gridai.results import Channel, EventRecord, Result
from gridai.results.compare import by_windows, compare_results, pointwise, tube, unmatched_events
from gridai.results.step_response import comparison_result, relative_errors, step_response

T = np.linspace(0.0, 10.0, 1001)
JUMP_T = np.array([0.0, 2.0, 2.0, 10.0])
JUMP = np.array([1.0, 1.0, 0.0, 0.0])


def test_pointwise():
    found = pointwise(T, np.sin(T), T, np.sin(T) + 0.01 * (T == 5.0), "a")
    assert (found.element, found.t_s, found.samples) == ("a", 5.0, 1001)
    assert found.largest == pytest.approx(0.01)
    assert found.mean == pytest.approx(0.01 / 1001)
    assert found.within(0.01 + 1e-12)
    assert not found.within(0.009)
    with pytest.raises(ResultError, match=r"1001 and 1000 samples.*tube"):
        pointwise(T, T, T[:-1], T[:-1])
    with pytest.raises(ResultError, match=r"at sample 7\b"):
        pointwise(T, T, T + 1e-6 * (np.arange(1001) == 7), T)


def test_pointwise_with_a_gap_is_never_within():
    found = pointwise(T, T, T, np.where(T == 3.0, np.nan, T))
    assert math.isnan(found.largest)
    assert found.t_s == 3.0
    assert not found.within(1e9)


def test_both_sides_of_an_event_are_kept():
    other = JUMP.copy()
    other[1] = 0.5
    assert pointwise(JUMP_T, JUMP, JUMP_T, other).largest == 0.5
    assert tube(JUMP_T, JUMP, JUMP_T, other, 0.01, 0.0).largest == pytest.approx(0.4975, abs=1e-3)
    assert tube(JUMP_T, JUMP, JUMP_T, JUMP - 0.2, 0.01, 0.1).largest == pytest.approx(0.1)


@pytest.mark.parametrize(("late", "outside"), [(0.005, False), (0.01, False), (0.011, True)])
def test_a_jump_that_comes_late(late, outside):
    shifted = JUMP_T + np.array([0.0, late, late, 0.0])
    found = tube(JUMP_T, JUMP, shifted, JUMP, 0.01, 0.001)
    assert (found.largest > 0.5) == outside
    if outside:
        assert 2.01 <= found.t_s <= 2.011


def test_a_tube_between_unlike_steps_and_of_unlike_lengths():
    coarse = np.linspace(0.0, 10.0, 201)
    assert tube(T, np.sin(T), coarse, np.sin(coarse), 0.0, 4e-4).largest == 0.0
    assert tube(T, np.sin(T), coarse, np.sin(coarse) + 0.01, 0.0, 4e-4).largest == pytest.approx(0.0096, abs=5e-4)
    # A narrow spike between two samples of the other run is not overlooked.
    spike = np.array([0.0, 4.999, 5.0, 5.001, 10.0])
    found = tube(T, 0 * T, spike, np.array([0.0, 0.0, 1.0, 0.0, 0.0]), 0.0, 0.1)
    assert (found.largest, found.t_s) == (pytest.approx(0.9), 5.0)
    with pytest.raises(ResultError, match="same length"):
        tube(T, T, T[:500], T[:500], 0.01, 0.01)
    assert math.isnan(tube(T, np.where(T == 4.0, np.nan, T), T, T, 0.01, 0.01).largest)


def test_errors_by_windows():
    t = np.linspace(0.0, 3.0, 3001)
    reference = np.where((t >= 1.0) & (t < 1.2), 0.5, 1.0)
    other = reference + 0.01 * (t < 1.0) + 0.2 * ((t >= 1.0) & (t < 1.015)) + 0.04 * (t >= 1.3)
    found = by_windows(t, reference, t, other, 1.0, 1.2, low_pass_hz=0.0, element="p")
    assert found["before"].largest == pytest.approx(0.01, abs=1e-3)
    assert found["during"].largest == pytest.approx(0.0, abs=1e-12)
    assert found["after"].largest == pytest.approx(0.04)
    assert found["after"].mean == pytest.approx(0.04 * 1.7 / 1.74, rel=0.01)
    smooth = by_windows(t, reference, t, reference + 0.1 * np.sin(2 * np.pi * 100 * t), 1.0, 1.2)
    assert smooth["after"].largest < 0.04
    with pytest.raises(ResultError, match="must lie within"):
        by_windows(t, reference, t, other, 1.2, 1.0)


def test_events_are_matched():
    own = (EventRecord(1.0, "fault", "16"), EventRecord(1.1, "fault_cleared", "16"))
    assert unmatched_events(own, own) == ()
    late = (own[0], EventRecord(1.2, "fault_cleared", "16"), EventRecord(2.0, "trip", "G1"))
    first, second = unmatched_events(own, late)[0], unmatched_events(own, late)[-1]
    assert "missing: fault_cleared 16 at 1.1 s; the nearest is at 1.2 s" in first
    assert "new: trip G1 at 2 s" in second
    assert unmatched_events(own, late[:2], within_s=0.11) == ()


def result(scale: float = 1.0, extra: bool = True) -> Result:
    channels = [Channel("bus", name, "vm_pu", "pu") for name in "ab"] + [Channel("gen", "G", "p_mw", "MW")]
    data = np.column_stack([np.sin(T), scale * np.cos(T), T])
    return Result(T, data[:, : 3 if extra else 2], tuple(channels[: 3 if extra else 2]))


def test_whole_results():
    same = compare_results(result(), result())
    assert same.within({})
    assert same.worst["bus/vm_pu"].largest == 0.0
    moved = compare_results(result(), result(1.01, extra=False))
    assert moved.worst["bus/vm_pu"].element == "b"
    assert moved.missing == ("gen/G/p_mw",)
    assert not moved.within({"bus/vm_pu": 1.0})
    assert compare_results(result(), result(1.01)).within({"bus/vm_pu": 0.0101})
    assert compare_results(result(), result(1.01), 0.01, {"bus/vm_pu": 0.011}).within({})


def test_step_responses():
    t = np.linspace(0.0, 11.0, 11001)
    after = np.maximum(t - 1.0, 0.0)
    first = step_response(t, 5.0 + 2.0 * (1.0 - np.exp(-after)), 1.0)
    assert first.reaction_s == pytest.approx(-math.log(0.9), abs=2e-3)
    assert first.rise_s == pytest.approx(math.log(9.0), abs=2e-3)
    assert first.settling_s == pytest.approx(math.log(20.0), abs=5e-3)
    assert first.overshoot == pytest.approx(0.0, abs=1e-3)
    assert (first.initial, first.final) == (5.0, pytest.approx(7.0, abs=1e-3))
    slower = step_response(t, 5.0 + 2.0 * (1.0 - np.exp(-after / 1.05)), 1.0)
    found = relative_errors(first, slower)
    assert found["rise"] == pytest.approx(0.05, abs=2e-3)
    assert found["final"] == pytest.approx(0.0, abs=1e-3)
    swing = 1.0 - np.exp(-after) * np.cos(4.0 * after)
    assert step_response(t, swing, 1.0).overshoot == pytest.approx(0.47, abs=0.02)
    for x, words in ((0 * t, "does not change"), (np.where(t > 5, np.nan, t), "numbers")):
        with pytest.raises(ResultError, match=words):
            step_response(t, x, 1.0)


def test_errors_become_verdicts_with_their_source():
    t = np.linspace(0.0, 3.0, 1501)
    reference = np.where((t >= 1.0) & (t < 1.2), 0.5, 1.0)
    windows = {name: by_windows(t, reference, t, reference + off * (t > 1.3), 1.0, 1.2, element=name)
               for name, off in (("P", 0.01), ("Q", 0.06))}  # fmt: skip
    errors = {"P": {"reaction": 0.05, "rise": 0.2, "settling": 0.0, "overshoot": 0.1, "final": 0.005}}
    judged = comparison_result(windows, errors)
    verdicts = criteria.check(judged, criteria.load_profile("rte-i16-simulation"), "model")
    assert len(verdicts) == 9
    failed = [v for v in verdicts if v.status == "fail"]
    assert {v.element for v in failed} == {"Q"}
    assert all("after" in v.clause for v in failed)
    assert all(v.verified for v in verdicts)
    field = criteria.check(judged, criteria.load_profile("rte-i16-field"), "model")
    assert sum(v.status == "fail" for v in field) < len(failed)
    steps = {v.clause: v.status for v in criteria.check(judged, criteria.load_profile("dycov-step"), "model")}
    assert steps["rise time, 10 to 90 %"] == "fail"
    assert steps["reaction time, 0 to 10 %"] == "pass"
    empty = criteria.check(comparison_result(), criteria.load_profile("aemo-model"), "model")
    assert {v.status_text for v in empty} == {"not assessable (unverified)"}


def test_the_thresholds_are_those_of_the_reference(reference_dir):
    text = (reference_dir / "criteria" / "model_validation_thresholds.csv").read_text()
    for name, word in (("rte-i16-simulation", "simulation"), ("rte-i16-field", "field test")):
        limits = criteria.load_profile(name).limits
        for part in ("before", "during", "after"):
            mxe, me, mae = (x.high for x in limits if x.settings["window"] == part)
            assert f'reference = {word}","P,Q,Ip,Iq [pu]",{part},MXE {mxe:g} ME {me:g} MAE {mae:g}' in text
