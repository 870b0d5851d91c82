"""Each criterion family on hand-made traces: passing, failing, on the boundary, too short, NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.criteria import make
from gridai.results import Channel, EventRecord, Limit, Result, Verdict

F_HZ = 60.0
T = np.linspace(0.0, 20.0, 2001)


def result_of(f_hz: Any = F_HZ, vm: dict[str, Any] | None = None, events: Any = (), t: Any = T, **meta: Any) -> Result:
    """A run with one machine of the given frequency, and buses of the given voltages."""
    columns = [np.broadcast_to(f_hz, t.shape) / F_HZ]
    channels = [Channel("gen", "G", "speed_pu", "pu")]
    for name, value in (vm or {}).items():
        channels += [Channel("bus", name, "v_re_pu", "pu"), Channel("bus", name, "v_im_pu", "pu")]
        columns += [np.broadcast_to(value, t.shape), np.zeros(t.shape)]
    records = tuple(EventRecord(at, kind, "x") for at, kind in events)
    return Result(t, np.column_stack(columns), tuple(channels), records,
                  {"f_hz": F_HZ, "inertia_mws": {"G": 100.0}, **meta})  # fmt: skip


def judge(result: Result, criterion: str, unit: str, low: float | None = None, high: float | None = None,
          **settings: Any) -> Verdict:  # fmt: skip
    return make(Limit(criterion, unit, low, high, settings=settings, confidence="P")).check(result)


def dip(depth: float, at: float = 5.0, width: float = 1.0) -> np.ndarray:
    return F_HZ - depth * np.exp(-(((T - at) / width) ** 2))


@pytest.mark.parametrize(("depth", "status"), [(0.4, "pass"), (0.5, "pass"), (0.500001, "fail"), (0.8, "fail")])
def test_nadir(depth, status):
    found = judge(result_of(dip(depth)), "frequency_nadir", "Hz", low=59.5)
    assert found.status == status
    assert found.value == pytest.approx(60.0 - depth)
    assert found.margin == pytest.approx(0.5 - depth, abs=1e-9)
    assert (found.element, found.t_s) == ("COI", pytest.approx(5.0))


@pytest.mark.parametrize(("height", "status"), [(0.4, "pass"), (0.5, "pass"), (0.8, "fail")])
def test_zenith(height, status):
    found = judge(result_of(dip(-height)), "frequency_zenith", "Hz", high=60.5)
    assert (found.status, found.margin) == (status, pytest.approx(0.5 - height, abs=1e-9))


def test_nadir_not_assessable_when_nan_or_still_falling_or_too_short():
    f = dip(0.1)
    f[500:600] = np.nan
    assert judge(result_of(f), "frequency_nadir", "Hz", low=59.5).status == "not assessable"
    falling = judge(result_of(60.0 - 0.02 * T), "frequency_nadir", "Hz", low=59.0)
    assert falling.status == "not assessable"
    assert "still moving" in falling.note
    assert judge(result_of(60.0 - 0.1 * T), "frequency_nadir", "Hz", low=59.0).status == "fail"
    one = result_of(60.0, t=np.array([0.0]))
    assert judge(one, "frequency_nadir", "Hz", low=59.5).status == "not assessable"


def test_nadir_of_the_worst_bus():
    angle = np.where(T > 5.0, 2 * np.pi * -0.7 * np.minimum(T - 5.0, 1.0), 0.0)
    v = np.exp(1j * angle)
    channels = tuple(Channel("bus", b, q, "pu") for b in ("calm", "wild") for q in ("v_re_pu", "v_im_pu"))
    run = Result(T, np.column_stack([np.ones_like(T), 0 * T, v.real, v.imag]), channels, (), {"f_hz": 60.0})
    found = judge(run, "frequency_nadir", "Hz", low=59.5, of="bus")
    assert (found.status, found.element) == ("fail", "wild")
    assert found.value == pytest.approx(59.3, abs=1e-3)


@pytest.mark.parametrize(
    ("slope", "status"), [(0.9, "pass"), (1.0, "pass"), (-1.0, "pass"), (1.001, "fail"), (-2.0, "fail")]
)
def test_rocof(slope, status):
    f = F_HZ + slope * np.clip(T - 2.0, 0.0, 1.0)
    found = judge(result_of(f), "rocof", "Hz/s", high=1.0, window_s=0.5)
    assert found.status == status
    assert found.value == pytest.approx(abs(slope))
    assert found.margin == pytest.approx(1.0 - abs(slope), abs=1e-9)
    assert 2.5 - 1e-6 <= found.t_s <= 3.0 + 1e-6
    assert ("rising" if slope > 0 else "falling") in found.note


def test_rocof_too_short_or_nan():
    short = result_of(60.0 + 3.0 * T[:40], t=T[:40])
    assert judge(short, "rocof", "Hz/s", high=1.0, window_s=0.5).status == "not assessable"
    f = np.full(T.shape, 60.0)
    f[7] = np.nan
    assert judge(result_of(f), "rocof", "Hz/s", high=1.0, window_s=0.5).status == "not assessable"


@pytest.mark.parametrize(
    ("end", "status"), [(60.1, "pass"), (60.2, "pass"), (59.8, "pass"), (60.21, "fail"), (59.7, "fail")]
)
def test_settling(end, status):
    f = end + (60.0 - end) * np.exp(-T)
    found = judge(result_of(f, events=[(0.0, "step")]), "settling_frequency", "Hz", low=59.8, high=60.2)
    assert found.status == status
    assert found.value == pytest.approx(end, abs=1e-4)
    assert found.margin == pytest.approx(0.2 - abs(end - 60.0), abs=1e-4)
    assert found.t_s == 20.0


def test_settling_while_still_moving():
    band = {"low": 59.8, "high": 60.2}
    inside = judge(result_of(60.0 + 0.1 * np.sin(T)), "settling_frequency", "Hz", **band)
    assert inside.status == "pass"
    assert "still moves" in inside.note
    across = judge(result_of(60.0 + 0.3 * np.sin(3 * T)), "settling_frequency", "Hz", **band)
    assert across.status == "not assessable"
    late = judge(result_of(60.0, events=[(18.0, "step")]), "settling_frequency", "Hz", **band)
    assert late.status == "not assessable"
    short = judge(result_of(60.0, t=T[:100]), "settling_frequency", "Hz", **band)
    assert short.status == "not assessable"
    returning = judge(result_of(60.4 - 0.01 * T), "settling_frequency", "Hz", **band)
    assert returning.status == "not assessable"
    assert judge(result_of(60.2 + 0.01 * T), "settling_frequency", "Hz", **band).status == "fail"
    granted = judge(result_of(59.0, events=[(0.0, "step")]), "settling_frequency", "Hz", within_s=60.0, **band)
    assert granted.status == "not assessable"
    assert judge(result_of(59.0), "settling_frequency", "Hz", within_s=19.0, **band).status == "fail"
    lost = np.full(T.shape, 60.0)
    lost[-3:] = np.nan
    assert judge(result_of(lost), "settling_frequency", "Hz", **band).status == "not assessable"


def step_to(value: float, before: float = 1.0) -> np.ndarray:
    return np.where(T < 5.0, before, value)


@pytest.mark.parametrize(
    ("end", "status", "margin"),
    [(1.04, "pass", 0.01), (1.05, "pass", 0.0), (1.051, "fail", -0.001), (0.94, "fail", -0.01)],
)
def test_steady_voltage(end, status, margin):
    found = judge(result_of(vm={"a": 1.0, "b": step_to(end)}), "steady_voltage", "pu", 0.95, 1.05)
    assert (found.status, found.element, found.t_s) == (status, "b", 20.0)
    assert found.value == pytest.approx(end)
    assert found.margin == pytest.approx(margin, abs=1e-9)


def test_steady_voltage_outside_already():
    was_out = result_of(vm={"a": 1.0, "b": step_to(1.062, before=1.06)})
    found = judge(was_out, "steady_voltage", "pu", 0.95, 1.05)
    assert (found.status, found.element) == ("pass", "a")
    assert "b (1.0600)" in found.note
    worse = judge(result_of(vm={"a": 1.0, "b": step_to(1.07, before=1.06)}), "steady_voltage", "pu", 0.95, 1.05)
    assert (worse.status, worse.element) == ("fail", "b")
    strict = judge(was_out, "steady_voltage", "pu", 0.95, 1.05, worsened_pu=-1.0)
    assert (strict.status, strict.element) == ("fail", "b")
    alone = judge(result_of(vm={"b": 1.06}), "steady_voltage", "pu", 0.95, 1.05)
    assert alone.status == "not assessable"


def test_steady_voltage_on_the_edge_already():
    """A setpoint that is the limit: a hair above it is no violation, a fall below the other edge is one."""
    edge = judge(result_of(vm={"a": 1.0, "b": step_to(1.05003, before=1.05)}), "steady_voltage", "pu", 0.95, 1.05)
    assert (edge.status, edge.element) == ("pass", "a")
    assert "b (1.0500)" in edge.note
    fell = judge(result_of(vm={"a": 1.0, "b": step_to(0.9, before=1.06)}), "steady_voltage", "pu", 0.95, 1.05)
    assert (fell.status, fell.element) == ("fail", "b")


def test_steady_voltage_not_assessable():
    band = ("steady_voltage", "pu", 0.95, 1.05)
    assert judge(result_of(vm={"a": 1.0}, t=T[:50]), *band).status == "not assessable"
    assert judge(result_of(vm={"a": 1.0}, events=[(19.5, "step")]), *band).status == "not assessable"
    lost = np.where(T < 19.0, 1.0, np.nan)
    assert judge(result_of(vm={"a": lost}), *band).status == "not assessable"


def test_steady_voltage_of_a_class():
    run = result_of(vm={"hv": 1.0, "mv": step_to(0.5)}, bus_kv={"hv": 400.0, "mv": 110.0})
    assert judge(run, "steady_voltage", "pu", 0.95, 1.05, kv_min=300.0).status == "pass"
    assert judge(run, "steady_voltage", "pu", 0.95, 1.05, kv_max=300.0).element == "mv"
    assert judge(run, "steady_voltage", "pu", 0.95, 1.05, kv_min=500.0).status == "not assessable"


def fault(until: float, depth: float = 0.2, at: float = 1.0, cleared: float = 1.1) -> np.ndarray:
    """A fault from `at` to `cleared`, then 0.7 pu until `until`, then 1.0 pu."""
    t = np.asarray(T)
    return np.where(t < at, 1.0, np.where(t < cleared, depth, np.where(t < until, 0.7, 1.0)))


EVENTS = [(1.0, "fault"), (1.1, "fault_cleared")]


@pytest.mark.parametrize(("until", "status"), [(1.6, "pass"), (3.0, "pass"), (3.3, "fail")])
def test_voltage_recovery(until, status):
    run = result_of(vm={"a": 1.0, "b": fault(until)}, events=EVENTS)
    found = judge(run, "transient_voltage_recovery", "pu", low=0.9, within_s=2.0)
    assert (found.status, found.element, found.unit) == (status, "b", "s")
    assert found.value == pytest.approx(until - 1.1, abs=0.011)
    assert found.margin == pytest.approx(2.0 - found.value)
    assert found.t_s == pytest.approx(until, abs=0.011)


def test_voltage_recovery_on_the_boundary():
    t = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 3.0, 20.0])
    v = np.array([1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0])
    run = result_of(vm={"a": v}, t=t)
    found = judge(run, "transient_voltage_recovery", "pu", low=0.9, within_s=2.0)
    assert (found.status, found.value, found.margin) == ("pass", 2.0, 0.0)
    assert judge(run, "transient_voltage_recovery", "pu", low=0.9, within_s=1.999).status == "fail"


def test_voltage_recovery_without_a_dip_without_an_end_and_with_nan():
    quiet = judge(result_of(vm={"a": 0.95}), "transient_voltage_recovery", "pu", low=0.9, within_s=2.0)
    assert (quiet.status, quiet.value) == ("pass", 0.0)
    never = result_of(vm={"a": fault(until=99.0)}, events=EVENTS)
    failed = judge(never, "transient_voltage_recovery", "pu", low=0.9, within_s=2.0)
    assert failed.status == "fail"
    assert "not recovered" in failed.note
    assert judge(never, "transient_voltage_recovery", "pu", low=0.9, within_s=60.0).status == "not assessable"
    lost = np.where(T < 3.0, 1.0, np.nan)
    unknown = judge(result_of(vm={"a": lost}), "transient_voltage_recovery", "pu", low=0.9, within_s=2.0)
    assert unknown.status == "not assessable"
    initial = result_of(vm={"a": np.where((T > 2.0) & (T < 8.0), 0.83, 1.05)})
    of_own = judge(initial, "transient_voltage_recovery", "pu", low=0.8, within_s=2.0, reference="initial")
    assert of_own.status == "fail"
    assert judge(initial, "transient_voltage_recovery", "pu", low=0.8, within_s=2.0).status == "pass"


@pytest.mark.parametrize(("length", "status"), [(0.3, "pass"), (0.7, "fail")])
def test_a_dip_after_recovery(length, status):
    v = fault(until=1.4)
    v = np.where((T >= 3.0) & (length > T - 3.0), 0.6, v)
    run = result_of(vm={"a": 1.0, "b": v}, events=EVENTS)
    found = judge(run, "voltage_dip", "pu", low=0.7, max_s=0.5)
    assert (found.status, found.element) == (status, "b")
    assert found.value == pytest.approx(length, abs=0.011)
