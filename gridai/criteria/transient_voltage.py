"""Transient voltage: how fast a bus recovers, and how long it may dip again afterwards.

    recovery   a bus that fell below `low` is back within `within_s` of the fault's clearing (of the fall, where
               no fault was cleared meanwhile).
    dip        once the fault is cleared and the bus has recovered, it does not stay below `low` longer than `max_s`.

`low` is in pu of nominal, or of the bus's own voltage before the first event where reference = "initial". The verdict
is in seconds. A clearing is an event whose kind contains "clear". Crossings are interpolated between samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from gridai.criteria.base import FloatArray, buses_of_class, not_assessable, verdict
from gridai.results import Extreme, Limit, Result, Verdict

Reference = Literal["nominal", "initial"]


class Excursion(NamedTuple):
    """One stay below the threshold. Times in s; `ended` is False when it lasts to the end of the run."""

    bus: str
    begin_s: float
    end_s: float
    ended: bool


Clock = Callable[[Excursion], float]
"""From when on a stay is counted. [s]"""


class Buses(NamedTuple):
    """Which buses, and what their threshold is a share of."""

    reference: Reference
    kv_min: float
    kv_max: float


@dataclass(frozen=True)
class TransientVoltageRecovery:
    """Longest time from clearing to recovery above `low`, at most `within_s`.

    within_s        allowed time. [s]
    reference       what `low` is a share of: "nominal" or "initial" voltage.
    kv_min, kv_max  only buses of this class of nominal voltage. [kV]
    """

    limit: Limit
    within_s: float
    reference: Reference = "nominal"
    kv_min: float = 0.0
    kv_max: float = float("inf")

    name: ClassVar[str] = "transient_voltage_recovery"
    meaning: ClassVar[str] = "bus voltages recover in time after a fault"

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus that takes longest; its time is that of recovery."""
        clearings = [event.t_s for event in result.events if "clear" in event.kind]

        def clock_from(stay: Excursion) -> float:
            return max([c for c in clearings if stay.begin_s <= c <= stay.end_s], default=stay.begin_s)

        buses = Buses(self.reference, self.kv_min, self.kv_max)
        return _judge(self.limit, buses, result, self.within_s, clock_from)


@dataclass(frozen=True)
class VoltageDip:
    """Longest stay below `low` after the last clearing and a first recovery, at most `max_s`. Fields as above."""

    limit: Limit
    max_s: float
    reference: Reference = "nominal"
    kv_min: float = 0.0
    kv_max: float = float("inf")

    name: ClassVar[str] = "voltage_dip"
    meaning: ClassVar[str] = "bus voltages that have recovered do not dip again for long"

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the longest dip; its time is the end of the dip."""
        cleared = max((event.t_s for event in result.events if "clear" in event.kind), default=-np.inf)
        buses = Buses(self.reference, self.kv_min, self.kv_max)
        return _judge(self.limit, buses, result, self.max_s, lambda stay: stay.begin_s, after_s=cleared)


def _judge(
    limit: Limit, buses: Buses, result: Result, allowed_s: float, clock_from: Clock, after_s: float = -np.inf
) -> Verdict:
    names, vm = result.names("bus", "vm_pu"), result.values("bus", "vm_pu")
    columns = buses_of_class(result, names, buses.kv_min, buses.kv_max)
    if len(result.t_s) < 2 or not columns:
        return not_assessable(limit, "no samples, or no bus of this voltage class", bound=allowed_s, unit="s")
    lost = [names[k] for k in columns if np.isnan(vm[:, k]).any()]
    if lost:
        return not_assessable(limit, f"no voltage at bus {lost[0]} in part of the run", bound=allowed_s, unit="s")
    share = float(limit.low or 0.0)
    threshold = np.full(vm.shape[1], share) if buses.reference == "nominal" else share * vm[0]
    stays, low_from_start = _excursions(result.t_s, names, columns, vm, threshold)
    stays = [stay for stay in stays if stay.begin_s > after_s]
    note = f"below already at the start: {', '.join(low_from_start[:6])}" if low_from_start else ""
    if not stays:
        worst = min(columns, key=lambda k: vm[:, k].min())
        found = Extreme(0.0, float(result.t_s[vm[:, worst].argmin()]), names[worst])
        return verdict(limit, 0.0, allowed_s, allowed_s, found, note or "no bus fell below", "s")
    return _longest(limit, stays, allowed_s, clock_from, note)


def _longest(limit: Limit, stays: list[Excursion], allowed_s: float, clock_from: Clock, note: str) -> Verdict:
    def lasted(stay: Excursion) -> float:
        return stay.end_s - clock_from(stay)

    worst = max(stays, key=lasted)
    open_ended = [stay for stay in stays if not stay.ended]
    if lasted(worst) <= allowed_s and open_ended:
        first = open_ended[0]
        text = f"bus {first.bus} is still below when the run ends, before {allowed_s:g} s have passed"
        return not_assessable(limit, text, Extreme(lasted(first), first.end_s, first.bus), allowed_s, "s")
    if not worst.ended:
        note = f"not recovered when the run ends{'; ' + note if note else ''}"
    found = Extreme(lasted(worst), worst.end_s, worst.bus)
    return verdict(limit, found.value, allowed_s, allowed_s - found.value, found, note, "s")


def _excursions(
    t: FloatArray, names: tuple[str, ...], columns: list[int], vm: FloatArray, threshold: FloatArray
) -> tuple[list[Excursion], list[str]]:
    """All stays below the threshold, and the buses that were below from the first sample on (left out)."""
    stays: list[Excursion] = []
    low_from_start: list[str] = []
    for k in columns:
        below = vm[:, k] < threshold[k]
        if not below.any():
            continue
        if below[0]:
            low_from_start.append(names[k])
            continue
        falls = np.flatnonzero(below[1:] & ~below[:-1])
        rises = np.flatnonzero(~below[1:] & below[:-1])
        for n, fall in enumerate(falls):
            ended = n < len(rises)
            end = _crossing(t, vm[:, k], int(rises[n]), threshold[k]) if ended else float(t[-1])
            stays.append(Excursion(names[k], _crossing(t, vm[:, k], int(fall), threshold[k]), end, ended))
    return stays, low_from_start


def _crossing(t: FloatArray, v: FloatArray, k: int, level: float) -> float:
    """Time at which the straight line between samples k and k + 1 meets the level."""
    return float(t[k] + (t[k + 1] - t[k]) * (level - v[k]) / (v[k + 1] - v[k]))
