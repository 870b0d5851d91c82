"""Measures that studies share: what happened to frequency, voltage, cluster and generator power, as summary lines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gridai.reports import Measure
from gridai.results import Extreme, Result, extremes, lowest_highest, rocof, settling
from gridai.results.frequency import SETTLED_HZ, SETTLING_WINDOW_S
from gridai.results.measures import swings
from gridai.results.result import COI

ROCOF_WINDOWS_S = (0.1, 0.5)
SWINGS = 3


def frequency_measures(result: Result) -> dict[str, Measure]:
    """Nadir, zenith, RoCoF over 100 and 500 ms, settling frequency: all of the centre of inertia.

    None where no machine has inertia: a feeder behind an infinite bus has the frequency of that bus.
    """
    if not has_frequency(result):
        return {}
    t, f = result.t_s, result.series("system", COI, "f_hz")
    found = lowest_highest(t, f, COI)

    def line(label: str, extreme: Extreme) -> Measure:
        note = "at the end of the run" if extreme.t_s == t[-1] else ""
        return Measure(label, extreme.value, "Hz", COI, extreme.t_s, note)

    lines = {"nadir": line("frequency nadir", found.low), "zenith": line("frequency zenith", found.high)}
    for window_s in ROCOF_WINDOWS_S:
        ms = f"{1e3 * window_s:.0f}"
        worst = rocof(t, f, window_s)
        note = "" if worst.assessable else "the run is shorter than the window"
        lines[f"rocof_{ms}ms"] = Measure(f"RoCoF over {ms} ms", worst.value, "Hz/s", COI, worst.t_s, note)
    last = max((event.t_s for event in result.events), default=None)
    end = settling(t, f, after_s=last)
    note = f"mean of the last {end.window_s:g} s{'; ' + end.reason if end.reason else ''}"
    lines["settling"] = Measure("settling frequency", end.value, "Hz", COI, float(t[-1]), note)
    return lines


def has_frequency(result: Result) -> bool:
    """Whether a machine with inertia gives the run a frequency of its own."""
    return "f_hz" in result.quantities("system")


def settling_between(result: Result, begin_s: float, end_s: float) -> Measure:
    """Mean frequency of the last seconds before `end_s`, and whether it had settled there since `begin_s`."""
    t, f = result.t_s, result.series("system", COI, "f_hz")
    before = np.flatnonzero(t <= end_s)
    at_end = np.flatnonzero(t == end_s)
    until = (at_end[0] if len(at_end) else before[-1]) + 1
    window_s = min(SETTLING_WINDOW_S, 0.25 * (end_s - begin_s))
    found = settling(t[:until], f[:until], window_s, SETTLED_HZ * window_s / SETTLING_WINDOW_S, after_s=begin_s)
    note = f"mean of the {window_s:g} s before{'; ' + found.reason if found.reason else ''}"
    return Measure("frequency before the first return", found.value, "Hz", COI, end_s, note)


def voltage_measures(result: Result) -> dict[str, Measure]:
    """Lowest and highest voltage, and the largest change since the start, with bus and time."""
    t, names, vm = result.t_s, result.names("bus", "vm_pu"), result.values("bus", "vm_pu")
    found, change = extremes(names, t, vm), extremes(names, t, vm - vm[0])
    moved = max(change.low, change.high, key=lambda extreme: abs(extreme.value))

    def line(label: str, extreme: Extreme, note: str = "") -> Measure:
        return Measure(label, extreme.value, "pu", f"bus {extreme.element}", extreme.t_s, note)

    return {
        "lowest_voltage": line("lowest voltage", found.low),
        "highest_voltage": line("highest voltage", found.high),
        "voltage_change": line("largest voltage change", moved, "since the start"),
    }


def cluster_measures(result: Result) -> dict[str, Measure]:
    """Largest change of each cluster's power at the meter since the start; none without a cluster."""
    if "p_mw" not in result.quantities("cluster"):
        return {}
    t, names, p = result.t_s, result.names("cluster", "p_mw"), result.values("cluster", "p_mw")
    lines: dict[str, Measure] = {}
    for k, name in enumerate(names):
        found = lowest_highest(t, p[:, k] - p[0, k])
        moved = max(found.low, found.high, key=lambda extreme: abs(extreme.value))
        key = "meter_change" if len(names) == 1 else f"meter_change_{name}"
        note = f"from {p[0, k]:.2f} MW"
        lines[key] = Measure("largest change at the meter", moved.value, "MW", name, moved.t_s, note)
    return lines


def swing_measures(result: Result) -> dict[str, Measure]:
    """The generators that swing most: highest less lowest power."""
    t, names, p = result.t_s, result.names("gen", "p_mw"), result.values("gen", "p_mw")
    span = np.nan_to_num(swings(p))
    lines: dict[str, Measure] = {}
    for rank, k in enumerate(np.argsort(-span, kind="stable")[:SWINGS], 1):
        found = lowest_highest(t, p[:, k], names[k])
        note = f"{found.low.value:.2f} to {found.high.value:.2f} MW"
        lines[f"swing_{rank}"] = Measure(f"generator swing {rank}", float(span[k]), "MW", names[k], note=note)
    return lines


def all_measures(result: Result) -> Mapping[str, Measure]:
    """Frequency, voltage, cluster and generator lines, in this order, of what the result holds."""
    return {
        **frequency_measures(result), **voltage_measures(result), **cluster_measures(result), **swing_measures(result),
    }  # fmt: skip
