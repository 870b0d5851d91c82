"""Damping of swings, frequency against a curve, figures of planning studies and of model checks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridai.criteria import make
from gridai.errors import CaseError, UnknownNameError
from gridai.results import Channel, EventRecord, Limit, Result
from gridai.results.scalars import Scalar, add_scalars, scalars_of

T = np.linspace(0.0, 30.0, 3001)
EVENT = [(1.0, "fault_cleared")]
HEAVY = {"G1": 1.0, "G2": 3.0}


def swing(damping: float, hz: float = 0.5, size: float = 1e-3) -> np.ndarray:
    sigma = damping * 2 * np.pi * hz / math.sqrt(1.0 - damping**2)
    after = np.maximum(T - 1.0, 0.0)
    return 1.0 + size * np.exp(-sigma * after) * np.sin(2 * np.pi * hz * after)


def gens(damping: float) -> dict[str, np.ndarray]:
    x = swing(damping)
    return {"G1": x, "G2": 2.0 - 0.5 * (x + 1.0)}


@pytest.mark.parametrize(("damping", "status"), [(0.05, "pass"), (0.031, "pass"), (0.029, "fail"), (-0.01, "fail")])
def test_swing_damping(run, judge, damping, status):
    found = judge(run(T, gens=gens(damping), events=EVENT, inertia_mws=HEAVY), "swing_damping", "%", low=3.0)
    assert (found.status, found.element, found.t_s) == (status, "G1", 1.0)
    assert found.value == pytest.approx(100 * damping, abs=0.02)
    assert found.margin == pytest.approx(found.value - 3.0)
    assert "0.500 Hz" in found.note


def test_swing_damping_on_the_boundary_still_short_and_nan(run, judge):
    once = judge(run(T, gens=gens(0.03), events=EVENT), "swing_damping", "%", low=0.0)
    on_it = judge(run(T, gens=gens(0.03), events=EVENT), "swing_damping", "%", low=once.value)
    assert (on_it.status, on_it.margin) == ("pass", 0.0)
    still = judge(run(T, gens={"G1": 1.0, "G2": 1.0}, events=EVENT), "swing_damping", "%", low=3.0)
    assert (still.status, still.note) == ("pass", "nothing swings")
    late = judge(run(T, gens=gens(0.05), events=[(25.0, "trip")]), "swing_damping", "%", low=3.0)
    assert late.status == "not assessable"
    lost = gens(0.05) | {"G2": np.where(T < 9.0, 1.0, np.nan)}
    assert judge(run(T, gens=lost, events=EVENT), "swing_damping", "%", low=3.0).status == "not assessable"


@pytest.mark.parametrize(("halves_s", "status"), [(4.0, "pass"), (4.99, "pass"), (6.0, "fail")])
def test_halving_time(run, judge, halves_s, status):
    sigma = math.log(2.0) / halves_s
    x = 1.0 + 1e-3 * np.exp(-sigma * np.maximum(T - 1.0, 0.0)) * np.sin(np.pi * np.maximum(T - 1.0, 0.0))
    found = judge(run(T, gens={"G1": x, "G2": 2.0 - x}, events=EVENT), "halving_time", "s", high=5.0)
    assert (found.status, found.value) == (status, pytest.approx(halves_s, rel=0.002))
    assert found.margin == pytest.approx(5.0 - found.value)


def test_a_swing_that_grows_never_halves_and_short_or_lost_runs(run, judge):
    grows = judge(run(T, gens=gens(-0.01), events=EVENT), "halving_time", "s", high=5.0)
    assert (grows.status, grows.value) == ("fail", math.inf)
    assert judge(run(T, gens=gens(0.1), events=[(29.0, "x")]), "halving_time", "s", high=5.0).status == "not assessable"
    nothing = {"G1": T * np.nan, "G2": T * np.nan}
    assert judge(run(T, gens=nothing, events=EVENT), "halving_time", "s", high=5.0).status == "not assessable"


def angles(ratio: float, lost: bool = False) -> Result:
    """Two machines, the angle of the first a swing whose every peak is `ratio` times the one before."""
    after = np.maximum(T - 1.0, 0.0)
    x = np.radians(20.0) * ratio**after * np.cos(2 * np.pi * after) * (T >= 1.0)
    x = np.where(T < 9.0, x, np.nan) if lost else x
    channels = (Channel("gen", "G1", "angle_rad", "rad"), Channel("gen", "G2", "angle_rad", "rad"))
    events = (EventRecord(1.0, "fault_cleared", "x"),)
    return Result(T, np.column_stack([x, 0 * T]), channels, events,
                  {"f_hz": 60.0, "inertia_mws": {"G1": 1.0, "G2": 1e9}})  # fmt: skip


@pytest.mark.parametrize(("ratio", "periods", "status"), [(0.9, 1, "pass"), (0.96, 1, "fail"), (0.9, 5, "pass")])
def test_peak_ratio(judge, ratio, periods, status):
    found = judge(angles(ratio), "peak_ratio", "1", high=0.95, periods=periods)
    assert (found.status, found.element) == (status, "G1")
    assert found.value == pytest.approx(ratio**periods, rel=0.01)
    assert found.t_s == pytest.approx(2.0 + periods, abs=0.05)
    on_it = judge(angles(ratio), "peak_ratio", "1", high=found.value, periods=periods)
    assert (on_it.status, on_it.margin) == ("pass", 0.0)


def test_peak_ratio_not_assessable(run, judge):
    assert judge(angles(0.9), "peak_ratio", "1", high=0.95, periods=99).status == "not assessable"
    assert judge(angles(0.9, lost=True), "peak_ratio", "1", high=0.95).status == "not assessable"
    assert judge(run(T), "peak_ratio", "1", high=0.95).status == "not assessable"


UNDER = [[2.0, 58.0], [60.0, 57.83, 0.575], [math.inf, 59.3]]


@pytest.mark.parametrize(("low", "status"), [(58.5, "pass"), (58.0, "pass"), (57.99, "fail")])
def test_frequency_envelope(run, judge, low, status):
    t = np.linspace(0.0, 70.0, 7001)
    f = np.interp(t, [0.0, 5.0, 6.0, 6.6, 20.0, 70.0], [60.0, 60.0, low, low, 59.4, 59.8])
    speed = {"G": f / 60.0}
    found = judge(run(t, gens=speed, events=[(5.0, "trip")]), "frequency_envelope", "Hz", segments=UNDER, until_s=60.0)
    assert (found.status, found.element) == (status, "COI")
    if status == "fail":
        assert found.margin == pytest.approx(low - 58.0, abs=1e-6)
        assert found.limit == pytest.approx(58.0)
        assert 6.0 <= found.t_s <= 7.0


def test_frequency_envelope_on_the_boundary_too_short_and_nan(run, judge):
    t = np.linspace(0.0, 70.0, 7001)
    high = {"segments": [[4.0, 61.8], [30.0, 62.21, -0.686], [math.inf, 60.7]], "side": "below", "until_s": 60.0}
    at = judge(run(t, gens={"G": np.full(t.shape, 60.7 / 60.0)}, events=[(5.0, "trip")]), "frequency_envelope", "Hz",
               **high)  # fmt: skip
    assert (at.status, at.margin) == ("pass", pytest.approx(0.0, abs=1e-9))
    flat = np.full(t.shape, 1.0)
    assert judge(run(t, gens={"G": flat}), "frequency_envelope", "Hz", **high).status == "not assessable"
    short = judge(run(t[:3000], gens={"G": flat[:3000]}, events=[(5.0, "trip")]), "frequency_envelope", "Hz", **high)
    assert short.status == "not assessable"
    assert "before 60 s" in short.note
    lost = np.where(t < 9.0, 1.0, np.nan)
    assert judge(run(t, gens={"G": lost}, events=[(5.0, "x")]), "frequency_envelope", "Hz", **high).status != "pass"
    with pytest.raises(CaseError, match="segments"):
        make(Limit("frequency_envelope", "Hz", settings={"segments": [[2.0]]}))
    with pytest.raises(UnknownNameError, match="above"):
        make(Limit("frequency_envelope", "Hz", settings={"segments": UNDER, "side": "abve"}))


FIGURES = [
    ("loadability_margin", "%", "low", 5.0), ("short_circuit_ratio", "1", "low", 3.0),
    ("power_change", "%", "high", 0.4), ("thermal_loading", "%", "high", 100.0),
    ("curve_error", "pu", "high", 0.05), ("step_error", "%", "high", 10.0),
]  # fmt: skip
QUANTITY = {"thermal_loading": "loading_percent", "curve_error": "curve_error.after.maximum",
            "step_error": "step_error.rise"}  # fmt: skip
SETTINGS = {"curve_error": {"window": "after"}, "step_error": {"part": "rise"}}


@pytest.mark.parametrize(("name", "unit", "side", "bound"), FIGURES)
def test_figures_of_studies(run, judge, name, unit, side, bound):
    quantity, settings = QUANTITY.get(name, name), SETTINGS.get(name, {})
    inside = -1.0 if side == "high" else 1.0

    def of(*values: float) -> Result:
        found = (Scalar(quantity, f"e{k}", x, unit, note="n") for k, x in enumerate(values))
        return add_scalars(run(T[:10]), found)

    for shift, status in ((0.1, "pass"), (0.0, "pass"), (-0.1, "fail")):
        worst = bound * (1.0 + inside * shift)
        found = judge(of(bound * (1.0 + inside * 0.5), worst), name, unit, **{side: bound}, **settings)
        assert (found.status, found.element, found.note) == (status, "e1", "n")
        assert (found.value, found.margin) == (pytest.approx(worst), pytest.approx(shift * bound, abs=1e-9))
    assert judge(of(), name, unit, **{side: bound}, **settings).status == "not assessable"
    assert judge(of(bound, math.nan), name, unit, **{side: bound}, **settings).status == "not assessable"


def test_figures_are_kept_as_plain_data(run):
    result = add_scalars(run(T[:10]), [Scalar("short_circuit_ratio", "ai", 4.0, "1")])
    assert result.meta["scalars"][0]["t_s"] is None
    (one,) = scalars_of(result, "short_circuit_ratio")
    assert math.isnan(one.t_s)
    assert (one.element, one.value) == ("ai", 4.0)


def test_loading_from_branch_flows(run, judge):
    t = T
    p = np.where(t < 10.0, 50.0, 90.0)
    base = run(t)
    channels = (*base.channels, Channel("branch", "L", "p_mw", "MW"), Channel("branch", "L", "q_mvar", "MVAr"))
    flows = Result(t, np.column_stack([base.data, p, 0 * p]), channels, (), {**base.meta})
    assert judge(flows, "thermal_loading", "%", high=100.0).status == "not assessable"
    flows.meta["branch_rating_mva"] = {"L": 100.0}
    found = judge(flows, "thermal_loading", "%", high=100.0)
    assert (found.status, found.value, found.element, found.t_s) == ("pass", pytest.approx(90.0), "L", 30.0)
    flows.meta["branch_rating_mva"] = {"L": 80.0}
    assert judge(flows, "thermal_loading", "%", high=100.0).status == "fail"
