"""Voltage steps, rapid voltage changes and flicker: hand-made voltages."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.criteria import make
from gridai.criteria.rapid_voltage_change import by_rate, voltage_changes
from gridai.errors import CaseError, ResultError, UnknownNameError
from gridai.results import Limit

T = np.linspace(0.0, 20.0, 4001)
EVENT = [(5.0, "trip")]


@pytest.mark.parametrize(("step", "status"), [(0.02, "pass"), (0.03, "pass"), (0.031, "fail"), (-0.05, "fail")])
def test_voltage_step(run, judge, step, status):
    found = judge(run(T, vm=np.where(T < 5.0, 1.0, 1.0 + step), buses={"calm": 1.0}, events=EVENT), "voltage_step",
                  "pu", -0.03, 0.03)  # fmt: skip
    assert (found.status, found.element, found.t_s) == (status, "b", 20.0)
    assert found.value == pytest.approx(step)
    assert found.margin == pytest.approx(0.03 - abs(step), abs=1e-9)


def test_voltage_step_not_assessable(run, judge):
    band = ("voltage_step", "pu", -0.03, 0.03)
    assert judge(run(T[:100], events=EVENT), *band).status == "not assessable"
    assert judge(run(T, events=[(19.5, "trip")]), *band).status == "not assessable"
    assert judge(run(T, vm=np.where(T < 19.9, 1.0, np.nan), events=EVENT), *band).status == "not assessable"
    assert judge(run(T, events=EVENT, bus_kv={"b": 10.0}), *band, kv_min=100.0).status == "not assessable"


@pytest.mark.parametrize(("depth", "status"), [(2.9, "pass"), (3.0, "pass"), (3.1, "fail")])
def test_rapid_voltage_change(run, judge, depth, status):
    v = np.where(T < 5.0, 1.0, 1.0 - 0.01 * depth * np.exp(-(T - 5.0)))
    found = judge(run(T, vm=v), "rapid_voltage_change", "%", high=3.0, threshold=0.005)
    assert (found.status, found.element) == (status, "b")
    assert found.value == pytest.approx(depth, abs=0.01)
    assert found.margin == pytest.approx(3.0 - depth, abs=0.01)
    assert found.t_s == pytest.approx(5.0, abs=0.02)
    assert "lasting" in found.note


def test_rapid_voltage_change_on_the_boundary_to_the_digit(run, judge):
    v = np.where(T < 5.0, 1.0, 0.97)
    found = judge(run(T, vm=v), "rapid_voltage_change", "%", high=3.0)
    assert (found.status, found.margin) == ("pass", pytest.approx(0.0, abs=1e-9))


def test_rapid_voltage_change_other_outcomes(run, judge):
    name = "rapid_voltage_change"
    still = judge(run(T, vm=1.0 + 0.001 * np.sin(T)), name, "%", high=3.0)
    assert still.status == "pass"
    assert "no change" in still.note
    assert judge(run(T, vm=np.where(T < 5.0, 1.0, 0.6)), name, "%", high=3.0).note.endswith("dip")
    assert judge(run(T[:200]), name, "%", high=3.0).status == "not assessable"
    assert judge(run(T, vm=np.where(T < 5.0, 1.0, np.nan)), name, "%", high=3.0).status == "not assessable"
    assert judge(run(T, vm=1.0 + 0.02 * np.sin(9 * T)), name, "%", high=3.0).status == "not assessable"
    late = judge(run(T, vm=np.where(T < 19.5, 1.0, 0.98)), name, "%", high=3.0)
    assert late.status == "not assessable"
    assert judge(run(T, vm=np.where(T < 19.5, 1.0, 0.9)), name, "%", high=3.0).status == "fail"


def test_limits_by_the_number_of_changes(run, judge):
    v = np.where(T < 5.0, 1.0, 0.972)
    table = [[1.0, 3.0], [10.0, 2.5]]
    assert judge(run(T, vm=v), "rapid_voltage_change", "%", high=3.0, table=table).status == "pass"
    often = judge(run(T, vm=v), "rapid_voltage_change", "%", high=3.0, table=table, per_hour=5.0)
    assert (often.status, often.limit) == ("fail", 2.5)
    assert by_rate(table, 99.0, 1.0) == 2.5
    with pytest.raises(CaseError, match="rising"):
        make(Limit("rapid_voltage_change", "%", None, 3.0, settings={"table": [[2, 1], [1, 2]]}))


def test_two_changes_are_two():
    v = np.where((T > 5.0) & (T < 10.0), 0.97, 1.0)
    found, _ = voltage_changes(T, v, 60.0, 0.01, 1.0)
    assert found is not None
    assert [round(change.begin_s) for change in found] == [5, 10]
    assert [change.lasting_pu for change in found] == pytest.approx([0.03, 0.03])


def square(t: np.ndarray, percent: float, per_minute: float) -> np.ndarray:
    """A rectangular modulation of so many changes a minute."""
    return 1.0 + 0.005 * percent * np.where(np.floor(t * per_minute / 60.0 + 1e-9) % 2 == 0, 1.0, -1.0)


@pytest.mark.parametrize(("size", "status"), [(0.9, "pass"), (1.0, "pass"), (1.1, "fail")])
def test_flicker_pst(run, judge, size, status):
    t = np.arange(0.0, 60.0 + 1e-9, 0.0025)
    found = judge(run(t, vm=square(t, 0.844 * size, 110.0)), "flicker_pst", "1", high=1.02, period_s=50.0, skip_s=10.0)
    assert (found.status, found.element, found.t_s) == (status, "b", pytest.approx(60.0))
    assert found.value == pytest.approx(size, rel=0.02)
    assert found.margin == pytest.approx(1.02 - found.value)


def test_flicker_on_the_boundary(run, judge):
    t = np.arange(0.0, 20.0 + 1e-9, 0.0025)
    result = run(t, vm=square(t, 1.0, 110.0))
    once = judge(result, "flicker_pst", "1", high=9.0, period_s=20.0)
    on_it = judge(result, "flicker_pst", "1", high=once.value, period_s=20.0)
    assert (on_it.status, on_it.margin) == ("pass", 0.0)


def test_flicker_not_assessable(run, judge):
    t = np.arange(0.0, 60.0, 0.0025)
    short = judge(run(t), "flicker_pst", "1", high=1.0)
    assert short.status == "not assessable"
    assert "600 s" in short.note
    assert judge(run(t), "flicker_plt", "1", high=1.0).status == "not assessable"
    lost = np.where(t < 30.0, 1.0, np.nan)
    assert judge(run(t, vm=lost), "flicker_pst", "1", high=1.0, period_s=30.0).status == "not assessable"
    seldom = np.arange(0.0, 60.0, 1 / 240)
    with pytest.raises(ResultError, match=r"2\.5 ms"):
        judge(run(seldom), "flicker_pst", "1", high=1.0, period_s=30.0)
    with pytest.raises(ResultError, match="cluster_bus"):
        judge(run(t, cluster_bus={}), "flicker_pst", "1", high=1.0, period_s=30.0)
    with pytest.raises(UnknownNameError, match="230V50"):
        make(Limit("flicker_pst", "1", None, 1.0, settings={"lamp": "230V"}))


def test_flicker_plt_of_two_hours(run, judge):
    t = np.arange(0.0, 7200.0 + 1e-9, 0.0025)
    found = judge(run(t, vm=square(t, 0.844, 110.0)), "flicker_plt", "1", high=1.02)
    assert (found.status, found.element) == ("pass", "b")
    assert found.value == pytest.approx(1.0, rel=0.01)
    assert found.t_s == pytest.approx(7200.0)
