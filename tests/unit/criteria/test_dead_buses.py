"""Buses without a source: named and left out of limits of voltage; a bus held at 0 pu by a fault is judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.criteria.base import dead_mask, dead_spans
from gridai.results import EventRecord, Result

T = np.linspace(0.0, 10.0, 201)
DEAD = "de-energised: its island has no source"


def opened(run: Any, *log: tuple[float, str, str], **buses: Any) -> Any:
    return with_log(run(T, vm=1.0, buses=buses), log)


def with_log(result: Result, log: Any, alive: Any = 1.0) -> Result:
    events = tuple(EventRecord(t, "island", bus, text) for t, bus, text in log)
    return Result(result.t_s, result.data * alive, result.channels, events, result.meta)


def low_after(at_s: float, until_s: float = np.inf) -> Any:
    return np.where((at_s < T) & (until_s > T), 0.0, 1.0)


def test_a_dead_line_end_is_named_and_not_judged(run, judge):
    found = judge(opened(run, (2.0, "F", DEAD), F=low_after(2.0)), "steady_voltage", "pu", 0.95, 1.05)
    assert found.status == "pass"
    assert found.element == "b"
    assert "de-energised at the end, not judged: F" in found.note


def test_a_fault_that_stays_is_judged(run, judge):
    """Nothing in the log says that the bus has no source."""
    found = judge(opened(run, F=low_after(2.0)), "steady_voltage", "pu", 0.95, 1.05)
    assert (found.status, found.element, found.value) == ("fail", "F", 0.0)


def test_a_bus_that_is_back_is_judged(run, judge):
    log = ((2.0, "F", DEAD), (4.0, "F", "energised again"))
    back = np.where(T > 4.0, 0.9, low_after(2.0, 4.0))
    found = judge(opened(run, *log, F=back), "steady_voltage", "pu", 0.95, 1.05)
    assert (found.status, found.element) == ("fail", "F")
    assert found.value == pytest.approx(0.9)


def test_all_dead_is_not_assessable(run, judge):
    zero = with_log(opened(run, F=1.0), ((2.0, "b", DEAD), (2.0, "F", DEAD)), (T <= 2.0)[:, None])
    found = judge(zero, "steady_voltage", "pu", 0.95, 1.05)
    assert found.status == "not assessable"
    assert "b, F" in found.note


def test_fused_buses_die_together(run):
    result = opened(run, (2.0, "F", DEAD), F=low_after(2.0), G=low_after(2.0), H=low_after(2.5))
    names = list(result.names("bus", "vm_pu"))
    mask = dead_mask(result, names, result.values("bus", "vm_pu"))
    assert dict(zip(names, mask[-1], strict=True)) == {"b": False, "F": True, "G": True, "H": False}
    assert dead_spans(result) == {"F": [(2.0, np.inf)]}


def test_a_tolerance_curve_does_not_judge_a_dead_bus(run, judge):
    curve = [[0.0, 0.9, 0.5], [0.9, 1.1, np.inf]]
    dead = opened(run, (2.0, "F", DEAD), F=low_after(2.0))
    assert judge(dead, "tolerance_curve", "pu", curve=curve).status == "pass"
    live = opened(run, F=low_after(2.0))
    assert judge(live, "tolerance_curve", "pu", curve=curve).status == "fail"
