"""Curves, ride-through of the load and its recovery, tolerance curves: hand-made voltages and powers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridai.criteria import make
from gridai.criteria.curve import Threshold, excursions, parse, stays, under_envelope
from gridai.errors import CaseError, ResultError, UnknownNameError
from gridai.results import Limit

BANDS = [[0.0, 0.2, 0.15], [0.2, 0.5, 0.25], [0.5, 0.8, 0.5], [0.8, 0.9, 2.0], [0.9, 1.1, math.inf], [1.1, 1.2, 2.0]]
FAULT = [(1.0, "fault"), (1.2, "fault_cleared")]


def sag(depth: float, length: float, end: float = 10.0, begin: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and voltages of a rectangular sag, both sides of each jump kept."""
    t = np.array([0.0, begin, begin, begin + length, begin + length, end])
    return t, np.array([1.0, 1.0, depth, depth, 1.0, 1.0])


def test_a_curve_and_its_edges():
    curve = parse(BANDS, 1.0)
    assert (curve.low, curve.high) == (0.9, 1.1)
    assert curve.thresholds == (
        Threshold(0.2, -1, 0.15), Threshold(0.5, -1, 0.25), Threshold(0.8, -1, 0.5), Threshold(0.9, -1, 2.0),
        Threshold(1.1, 1, 2.0), Threshold(1.2, 1, 0.0),
    )  # fmt: skip
    eastern = parse([[57.8, 59.5, [1.7373, -100.116]], [59.5, 60.5, math.inf]], 60.0)
    by_level = {x.level: x.allowed_s for x in eastern.thresholds}
    assert by_level[59.5] == pytest.approx(1800.0, rel=0.01)
    assert by_level[57.8] == 0.0


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ("x", "list"), ([], "list"), ([[0.9, 0.8, 1.0]], "from below to"), ([[0.5, 0.8, 1.0], [0.9, 1.0, 2.0]], "meet"),
        ([[0.0, 0.9, -1.0]], "seconds"), ([[0.0, 0.9, math.inf], [0.9, 1.1, math.inf]], "only one"),
        ([[0.0, 0.9]], "seconds"),
    ],
)  # fmt: skip
def test_faulty_curves(bands, words):
    with pytest.raises(CaseError, match=words):
        parse(bands, 1.0)


def test_stays_and_excursions():
    t, v = sag(0.4, 0.3)
    assert stays(t, v, 0.5, -1) == [(1.0, pytest.approx(1.3), True)]
    assert stays(t, v, 0.4, -1) == []
    (one,) = excursions(t, v, parse(BANDS, 1.0))
    assert one.may_leave_s == pytest.approx(1.25)
    two_steps_t = np.array([0.0, 1.0, 1.0, 1.1, 1.1, 1.7, 1.7, 5.0])
    two_steps = np.array([1.0, 1.0, 0.4, 0.4, 0.6, 0.6, 1.0, 1.0])
    (deep,) = excursions(two_steps_t, two_steps, parse(BANDS, 1.0))
    assert deep.may_leave_s == pytest.approx(1.5)
    assert excursions(t, v * 0.0 + 1.0, parse(BANDS, 1.0)) == []


def test_an_envelope():
    points = [[0.15, 0.0], [1.5, 0.9]]
    t = np.array([0.0, 1.0, 1.0, 1.15, 2.5, 5.0])
    on_it = np.array([1.0, 1.0, 0.0, 0.0, 0.9, 0.9])
    assert under_envelope(t, on_it, points)[0].may_leave_s == math.inf
    low = np.array([1.0, 1.0, 0.0, 0.0, 0.8, 0.8])
    assert 1.15 <= under_envelope(t, low, points)[0].may_leave_s < 1.3
    with pytest.raises(CaseError, match="envelope"):
        under_envelope(t, low, [[1.0, 0.5]])


def stepped(end: float, *series: list[tuple[float, float]]) -> tuple[np.ndarray, ...]:
    """Times with every jump twice, and series of (from s, value) on them."""
    jumps = sorted({at for one in series for at, _ in one if 0.0 < at < end})
    t = np.array([0.0, *(x for at in jumps for x in (at, at)), end])
    first = np.array([True, *(x for _ in jumps for x in (True, False)), False])
    found = []
    for one in series:
        at, value = np.array([a for a, _ in one]), np.array([v for _, v in one])
        later = np.searchsorted(at, t, side="right") - 1
        earlier = np.maximum(np.searchsorted(at, t, side="left") - 1, 0)
        found.append(value[np.where(first, earlier, later)])
    return t, *found


@pytest.mark.parametrize(
    ("depth", "length", "leaves", "status"),
    [
        (0.4, 0.2, math.inf, "pass"),
        (0.4, 0.2, 1.1, "fail"),
        (0.4, 0.4, 1.26, "pass"),
        (0.4, 0.4, 1.25, "pass"),
        (0.4, 0.4, 1.20, "fail"),
        (1.0, 0.4, 5.0, "fail"),
    ],
)
def test_the_load_stays(run, judge, depth, length, leaves, status):
    t, vm, p = stepped(10.0, [(0.0, 1.0), (1.0, depth), (1.0 + length, 1.0)], [(0.0, 100.0), (leaves, 0.0)])
    found = judge(run(t, p, vm, events=FAULT), "ride_through", "pu", low=0.9, curve=BANDS, back_s=1e9)
    assert (found.status, found.element) == (status, "ai")
    if status == "fail":
        assert found.value == pytest.approx(0.0)
        assert found.t_s >= leaves - 1e-9
        assert found.margin == pytest.approx(-0.9)


@pytest.mark.parametrize(("share", "status"), [(0.95, "pass"), (0.9, "pass"), (0.89, "fail")])
def test_a_part_of_the_load_that_leaves(run, judge, share, status):
    t = np.linspace(0.0, 10.0, 1001)
    found = judge(run(t, np.where(t < 2.0, 100.0, 100.0 * share), events=FAULT), "ride_through", "pu", low=0.9,
                  curve=BANDS)  # fmt: skip
    assert (found.status, found.value, found.margin) == (status, pytest.approx(share), pytest.approx(share - 0.9))
    assert found.t_s == pytest.approx(2.0, abs=0.011)


def test_what_a_load_draws_in_a_sag_and_what_its_work_asks_for(run, judge):
    t = np.linspace(0.0, 10.0, 1001)
    v = np.where((t >= 1.0) & (t < 1.2), 0.5, 1.0)
    constant_z = run(t, 100.0 * v**2, v, events=FAULT)
    assert judge(constant_z, "ride_through", "pu", low=0.9, curve=BANDS).status == "pass"
    assert judge(constant_z, "ride_through", "pu", low=0.9, curve=BANDS, exponent=1.0).status == "fail"
    assert judge(constant_z, "ride_through", "pu", low=0.9, curve=BANDS, exponent=1.0, reduce=True,
                 back_s=0.1).status == "pass"  # fmt: skip
    pause = np.where(t < 4.0, 100.0, 30.0)
    assert judge(run(t, pause, demand=pause), "ride_through", "pu", low=0.9, curve=BANDS).status == "pass"
    assert judge(run(t, pause), "ride_through", "pu", low=0.9, curve=BANDS, back_s=1.0).status == "fail"


@pytest.mark.parametrize(("lag_s", "status"), [(0.03, "pass"), (0.15, "pass"), (0.6, "fail")])
def test_a_load_that_comes_back_as_fast_as_it_can_has_not_left(run, judge, lag_s, status):
    """Its work asks for 30 and, from 4 s on, within 0.1 s for 100 MW; the power follows so late. 0.2 s go."""
    t = np.linspace(0.0, 10.0, 2001)
    demand = np.interp(t, [4.0, 4.1], [30.0, 100.0])
    demand[t < 1.0] = 100.0
    power = np.interp(t - lag_s, t, demand)
    assert judge(run(t, power, demand=demand), "ride_through", "pu", low=0.9, curve=BANDS).status == status


@pytest.mark.parametrize(("length", "back", "status"), [(0.2, 2.0, "pass"), (0.2, 4.0, "fail"), (0.4, 99.0, "pass")])
def test_a_load_that_may_reduce_is_back_in_time_unless_the_curve_frees_it(run, judge, length, back, status):
    t, vm, p = stepped(20.0, [(0.0, 1.0), (1.0, 0.4), (1.0 + length, 1.0)], [(0.0, 100.0), (1.0, 0.0), (back, 100.0)])
    found = judge(run(t, p, vm, events=FAULT), "ride_through", "pu", low=0.9, curve=BANDS, reduce=True, back_s=2.0)
    assert found.status == status


def test_ride_through_of_frequency_and_of_its_rate(run, judge):
    t = np.linspace(0.0, 20.0, 4001)
    f = 60.0 - 2.0 * np.clip(t - 5.0, 0.0, 1.0)
    curve = [[57.0, 58.8, 3.0], [58.8, 61.2, math.inf]]
    stays_on, leaves = run(t, 100.0, f_hz=f), run(t, np.where(t < 7.0, 100.0, 0.0), f_hz=f)
    setting = {"curve": curve, "quantity": "f_hz", "centre": 60.0}
    assert judge(stays_on, "ride_through", "pu", low=0.9, **setting).status == "pass"
    early = judge(leaves, "ride_through", "pu", low=0.9, **setting)
    assert (early.status, early.t_s) == ("fail", pytest.approx(7.0, abs=0.02))
    rate = {"curve": [[0.0, 1.0, math.inf]], "quantity": "rocof_hz_per_s", "window_s": 0.5}
    gone = run(t, np.where((t > 5.5) & (t < 5.9), 0.0, 100.0), f_hz=f)
    assert judge(gone, "ride_through", "pu", low=0.9, **rate).status == "pass"
    rate["curve"] = [[0.0, 3.0, math.inf]]
    assert judge(gone, "ride_through", "pu", low=0.9, **rate).status == "fail"


def test_ride_through_not_assessable_and_faulty_settings(run, judge):
    t = np.linspace(0.0, 10.0, 1001)
    p = np.full(t.shape, 100.0)
    p[50] = np.nan
    lost = judge(run(t, p), "ride_through", "pu", low=0.9, curve=BANDS)
    assert lost.status == "not assessable"
    assert judge(run([0.0, 0.01], 1.0), "ride_through", "pu", low=0.9, curve=BANDS).status == "not assessable"
    with pytest.raises(ResultError, match="cluster_bus"):
        judge(run(t, 100.0, cluster_bus={}), "ride_through", "pu", low=0.9, curve=BANDS)
    for settings, words in (({}, "curve or envelope"), ({"curve": BANDS, "quantity": "vm"}, "vm_pu")):
        with pytest.raises((CaseError, UnknownNameError), match=words):
            make(Limit("ride_through", "pu", 0.9, settings=settings))


@pytest.mark.parametrize(("back", "status"), [(2.5, "pass"), (3.2, "pass"), (3.3, "fail"), (math.inf, "fail")])
def test_load_recovery(run, judge, back, status):
    t, vm, p = stepped(10.0, [(0.0, 1.0), (1.0, 0.4), (1.2, 1.0)], [(0.0, 100.0), (1.05, 0.0), (back, 100.0)])
    found = judge(run(t, p, vm, events=FAULT), "load_recovery", "pu", low=0.9, within_s=2.0)
    assert (found.status, found.element, found.unit, found.limit) == (status, "ai", "s", 2.0)
    wanted = min(back, 10.0) - 1.2
    assert found.value == pytest.approx(wanted, abs=1e-6)
    assert found.margin == pytest.approx(2.0 - wanted, abs=1e-6)
    assert found.t_s == pytest.approx(min(back, 10.0))


def test_load_recovery_without_a_sag_too_short_freed_by_the_curve_and_nan(run, judge):
    t, v = sag(0.4, 0.2)
    quiet = judge(run(t, 100.0), "load_recovery", "pu", low=0.9, within_s=2.0)
    assert (quiet.status, quiet.value, quiet.margin) == ("pass", 0.0, 2.0)
    times, vm, p = stepped(10.0, [(0.0, 1.0), (1.0, 0.4), (1.2, 1.0)], [(0.0, 100.0), (1.05, 0.0)])
    never = run(times, p, vm, events=FAULT)
    assert judge(never, "load_recovery", "pu", low=0.9, within_s=20.0).status == "not assessable"
    narrow = [[0.0, 0.9, 0.1], [0.9, 1.1, math.inf]]
    assert judge(never, "load_recovery", "pu", low=0.9, within_s=2.0, curve=narrow).status == "pass"
    assert judge(never, "load_recovery", "pu", low=0.9, within_s=2.0, curve=BANDS).status == "fail"
    low = run(t, 100.0, np.where(t > 1.0, 0.5, 1.0), events=FAULT)
    assert judge(low, "load_recovery", "pu", low=0.9, within_s=2.0).status == "not assessable"
    assert judge(run(t, t * np.nan, v), "load_recovery", "pu", low=0.9, within_s=2.0).status == "not assessable"
    over = run(t, np.where(t > 1.0, 120.0, 100.0), v, events=FAULT)
    assert judge(over, "load_recovery", "pu", low=0.9, high=1.1, within_s=2.0).status == "fail"


@pytest.mark.parametrize(("length", "status"), [(0.2, "pass"), (0.25, "pass"), (0.26, "fail")])
def test_tolerance_curve(run, judge, length, status):
    t, v = sag(0.4, length)
    found = judge(run(t, vm=v, buses={"other": 1.0}), "tolerance_curve", "pu", curve=BANDS)
    assert (found.status, found.element, found.unit) == (status, "b", "s")
    assert found.value == pytest.approx(length)
    assert found.limit == 0.25
    assert found.margin == pytest.approx(0.25 - length, abs=1e-9)
    assert found.t_s == pytest.approx(1.0 + length)


def test_tolerance_curve_near_an_edge_lasting_and_nan(run, judge):
    t, v = sag(0.4, 0.2)
    near = judge(run(t, vm=0.95 + 0.0 * t, buses={"high": 1.08}), "tolerance_curve", "pu", curve=BANDS)
    assert (near.status, near.element, near.limit) == ("pass", "high", 1.1)
    assert (near.value, near.margin, near.unit) == (pytest.approx(1.08), pytest.approx(0.02), "pu")
    at_once = judge(run(t, vm=np.where(t > 5.0, 1.25, 1.0)), "tolerance_curve", "pu", curve=BANDS)
    assert at_once.status == "fail"
    lasting = run(np.array([0.0, 9.5, 9.5, 10.0]), vm=np.array([1.0, 1.0, 0.85, 0.85]))
    assert judge(lasting, "tolerance_curve", "pu", curve=BANDS).status == "not assessable"
    assert judge(run(t, vm=v * np.nan), "tolerance_curve", "pu", curve=BANDS).status == "not assessable"
    fine = run(t, vm=v, bus_kv={"b": 110.0})
    assert judge(fine, "tolerance_curve", "pu", curve=BANDS, kv_min=300.0).status == "not assessable"


def test_overfluxing_by_voltage_over_frequency(run, judge):
    t = np.linspace(0.0, 20.0, 4001)
    slow = run(t, vm=1.0, f_hz=60.0 - 9.0 * np.clip(t - 5.0, 0.0, 1.0) + 9.0 * np.clip(t - 9.0, 0.0, 1.0))
    curve = [[0.0, 1.1, math.inf], [1.1, 1.18, 45.0], [1.18, 9.0, 2.0]]
    found = judge(slow, "tolerance_curve", "pu", curve=curve, quantity="v_per_f_pu")
    assert (found.status, found.value) == ("pass", pytest.approx(4.0, abs=0.8))
    longer = [[0.0, 1.1, math.inf], [1.1, 1.17, 45.0], [1.17, 9.0, 2.0]]
    assert judge(slow, "tolerance_curve", "pu", curve=longer, quantity="v_per_f_pu").status == "fail"


def test_a_load_that_leaves_in_a_sag_is_no_matter_of_the_frequency(run, judge):
    """Both are judged: the loss in the sag by the curve of the voltage, one without a sag by that of the frequency."""
    t, vm, p = stepped(20.0, [(0.0, 1.0), (1.0, 0.0), (1.2, 1.0)], [(0.0, 100.0), (1.0, 0.0), (1.8, 100.0)])
    setting = {"curve": [[58.8, 61.2, math.inf]], "quantity": "f_hz", "centre": 60.0}
    dead = run(t, p, vm, events=FAULT)
    assert np.isnan(dead.values("bus", "f_hz")).any()
    assert judge(dead, "ride_through", "pu", low=0.9, **setting).status == "pass"
    assert judge(dead, "ride_through", "pu", low=0.9, **setting, v_back_s=0.1).status == "fail"
    zone = judge(dead, "tolerance_curve", "Hz", curve=[[57.0, 58.8, 3.0], [58.8, 61.2, math.inf]], quantity="f_hz",
                 centre=60.0)  # fmt: skip
    assert (zone.status, zone.unit) == ("pass", "Hz")
