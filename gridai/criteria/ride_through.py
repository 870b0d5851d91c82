"""Ride-through of the load: it must stay while a curve holds, may leave beyond it, must be back by a time.

    ride_through   while it must stay, and again `back_s` after the voltage (frequency) is back, each cluster draws at
                   least the share `low` of what it would draw: the smaller of its power before the first event and its
                   demand (where recorded; the lowest of the last FOLLOW_S, for power follows what is asked with a lag
                   of its own), times (V / V before)^exponent. Shorter gaps than `gap_s` do not count.
    load_recovery  after each excursion a cluster is back at the share `low` (and below `high`, if given) in `within_s`.

Curves as in criteria/curve.py; an excursion beyond the curve frees the load from then on until `back_s` after its end
(by default for good). Where `reduce` is true the load may reduce during an excursion within the curve and has to be
back `back_s` later; one beyond the curve frees it for good. Where a curve is given to load_recovery, only excursions
within it are judged. A repeated excursion is judged like the first: no counting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from gridai.criteria.base import (
    FloatArray,
    first_event_s,
    frequency_while_live,
    not_assessable,
    value_before,
    verdict,
)
from gridai.criteria.curve import Excursion, excursions, parse, under_envelope
from gridai.errors import CaseError, ResultError, UnknownNameError, near
from gridai.results import Extreme, Limit, Result, Verdict, rocof_series
from gridai.results.variation import sides, sliding_extremes

Quantity = Literal["vm_pu", "f_hz", "rocof_hz_per_s"]
QUANTITIES = ("vm_pu", "f_hz", "rocof_hz_per_s")
FOLLOW_S = 0.2
"""A load that comes back of itself lags its own demand by so much at most: that is no leaving; assumed. [s]"""
NORMAL_PU = 0.9
NORMAL_BAND = [[NORMAL_PU, 1.1, math.inf]]


class Load(NamedTuple):
    """A cluster in a run: its name, what its bus shows, what share of its expected power it draws. float[nt]"""

    name: str
    signal: FloatArray
    share: FloatArray
    voltage: FloatArray


@dataclass(frozen=True)
class RideThrough:
    """Least share of the expected power while the load must stay, at least `low`.

    curve      bands [from, to, seconds] of the quantity; or give `envelope`, points [seconds, value].
    quantity   "vm_pu" or "f_hz" of the cluster's bus, or "rocof_hz_per_s": size of its RoCoF over window_s.
    centre     value in the normal range. [unit of the quantity]
    back_s     from so long after its return to the normal range the load must be back. [s]
    reduce     True: during the excursion the load may draw less.
    exponent   of the voltage, by which the expected power falls: 1 constant current, 2 constant impedance.
    gap_s      shorter gaps do not count. [s]
    window_s   of the rate of change of frequency. [s]
    v_back_s   of frequency and its rate: while the voltage is outside 0.9 to 1.1 pu and so long after, nothing is
               judged; that belongs to the limit of the voltage. [s]
    """

    limit: Limit
    curve: Any = None
    envelope: Any = None
    quantity: Quantity = "vm_pu"
    centre: float = 1.0
    back_s: float = math.inf
    reduce: bool = False
    exponent: float = 2.0
    gap_s: float = 0.02
    window_s: float = 0.5
    v_back_s: float = 2.0

    name: ClassVar[str] = "ride_through"
    meaning: ClassVar[str] = "the load stays connected as long as a curve asks for it"

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise UnknownNameError(near(self.quantity, QUANTITIES, "quantity of a curve"))
        if (self.curve is None) == (self.envelope is None):
            raise CaseError("ride_through: give either curve or envelope")
        _excursions(np.zeros(2), np.ones(2), self.curve, self.envelope, self.centre)

    def check(self, result: Result) -> Verdict:
        """Verdict for the cluster with the least share; its time is when it draws it."""
        loads = loads_of(result, self.quantity, self.window_s, self.exponent)
        if len(result.t_s) < 2 or result.t_s[-1] - result.t_s[0] < self.gap_s:
            return not_assessable(self.limit, "the run is too short")
        worst: tuple[float, Extreme, str] | None = None
        for load in loads:
            if np.isnan(load.signal).any() or np.isnan(load.share).any():
                return not_assessable(self.limit, f"no {self.quantity} or power of {load.name} in part of the run")
            outside = _excursions(result.t_s, load.signal, self.curve, self.envelope, self.centre)
            found = self._least(result.t_s, load, outside)
            if found is not None and (worst is None or found[0] < worst[0]):
                worst = found
        if worst is None:
            return not_assessable(self.limit, "the load need not stay at any time of this run")
        low = float(self.limit.low or 0.0)
        return verdict(self.limit, worst[0], low, worst[0] - low, worst[1], worst[2])

    def _least(self, t: FloatArray, load: Load, outside: list[Excursion]) -> tuple[float, Extreme, str] | None:
        """The least share that lasts longer than gap_s while the load must stay; None where it never must."""
        rows = []
        for a, b in _rest(float(t[0]), float(t[-1]), self._free(t, load, outside)):
            if b - a < self.gap_s:
                continue
            # Windows begin just after each sample, so that of a jump its later side counts.
            begin = np.nextafter(np.concatenate([[a], t[(t > a) & (t <= b - self.gap_s)], [b - self.gap_s]]), np.inf)
            _, best = sliding_extremes(t, load.share, begin, np.minimum(begin + self.gap_s, b))
            k = int(best.argmin())
            rows.append((float(best[k]), float(begin[k])))
        if not rows:
            return None
        value, at = min(rows)
        freed = [e for e in outside if e.may_leave_s < math.inf]
        note = "no excursion" if not outside else f"{len(outside)} excursions, {len(freed)} beyond the curve"
        return value, Extreme(value, at, load.name), note

    def _free(self, t: FloatArray, load: Load, outside: list[Excursion]) -> list[tuple[float, float]]:
        """Times at which nothing is asked of the load, as pairs of begin and end."""
        found = []
        for e in outside:
            beyond = e.may_leave_s < math.inf
            if beyond or self.reduce:
                until = e.end_s + self.back_s if e.ended and not (beyond and self.reduce) else math.inf
                found.append((e.begin_s if self.reduce else e.may_leave_s, until))
        if self.quantity != "vm_pu":
            sags = excursions(t, load.voltage, parse(NORMAL_BAND, 1.0))
            found += [(e.begin_s, e.end_s + self.v_back_s if e.ended else math.inf) for e in sags]
        return sorted(found)


def _rest(begin_s: float, end_s: float, free: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of a time without some parts of it, in order."""
    found, at = [], begin_s
    for begin, end in free:
        if begin > at:
            found.append((at, min(begin, end_s)))
        at = max(at, end)
    return [*found, (at, end_s)] if at < end_s else found


@dataclass(frozen=True)
class LoadRecovery:
    """Longest time from the return of the voltage to that of the load, at most `within_s`.

    within_s       allowed time. [s]
    after_v_pu     the voltage is back above this. [pu]
    below_v_pu     and below this. [pu]
    curve          only excursions within this curve are judged; all where none is given.
    tolerance      the share may be lower by this.
    """

    limit: Limit
    within_s: float
    after_v_pu: float = NORMAL_PU
    below_v_pu: float = 1.1
    curve: Any = None
    tolerance: float = 0.0

    name: ClassVar[str] = "load_recovery"
    meaning: ClassVar[str] = "the load is back in time after the voltage is"

    def __post_init__(self) -> None:
        if self.curve is not None:
            parse(self.curve, 1.0)

    def check(self, result: Result) -> Verdict:
        """Verdict for the cluster that takes longest; its time is that of its return."""
        loads = loads_of(result, "vm_pu", 0.0, 0.0)
        waits: list[tuple[float, Extreme, bool]] = []
        least = Extreme(math.inf, float(result.t_s[0]) if len(result.t_s) else math.nan)
        for load in loads:
            if len(result.t_s) < 2 or np.isnan(load.signal).any() or np.isnan(load.share).any():
                return self._unknown(f"no voltage or power of {load.name} in part of the run")
            found, open_ended = self._waits(result.t_s, load)
            if open_ended:
                return self._unknown(f"the voltage of {load.name} is not back when the run ends")
            waits += found
            least = min(least, Extreme(float(load.signal.min()), float(result.t_s[load.signal.argmin()]), load.name),
                        key=lambda e: e.value)  # fmt: skip
        if not waits:
            return verdict(self.limit, 0.0, self.within_s, self.within_s, Extreme(0.0, least.t_s, least.element),
                           "no excursion to recover from", "s")  # fmt: skip
        wait, found_at, back = max(waits, key=lambda row: row[0])
        if wait <= self.within_s and not all(row[2] for row in waits):
            return self._unknown("the load is not back when the run ends, before its time has passed")
        note = "" if back else "not back when the run ends"
        return verdict(self.limit, wait, self.within_s, self.within_s - wait, found_at, note, "s")

    def _unknown(self, reason: str) -> Verdict:
        return not_assessable(self.limit, reason, bound=self.within_s, unit="s")

    def _waits(self, t: FloatArray, load: Load) -> tuple[list[tuple[float, Extreme, bool]], bool]:
        """How long the load stays away after each excursion, and whether the voltage is still away at the end."""
        normal = [[self.after_v_pu, self.below_v_pu, math.inf]]
        outside = excursions(t, load.signal, parse(normal, 1.0))
        freed = excursions(t, load.signal, parse(self.curve, 1.0)) if self.curve is not None else []
        beyond = [e for e in freed if e.may_leave_s < math.inf]
        found: list[tuple[float, Extreme, bool]] = []
        for e in outside:
            if any(b.begin_s <= e.end_s and e.begin_s <= b.end_s for b in beyond):
                continue
            if not e.ended:
                return found, True
            found.append(self._wait(t, load, e.end_s))
        return found, False

    def _wait(self, t: FloatArray, load: Load, from_s: float) -> tuple[float, Extreme, bool]:
        low = float(self.limit.low or 0.0) - self.tolerance - 1e-9
        high = (math.inf if self.limit.high is None else self.limit.high) + 1e-9
        first = sides(t, load.share, np.array([from_s]))[1][0]
        if low <= first <= high:
            return 0.0, Extreme(0.0, from_s, load.name), True
        back = np.flatnonzero((t >= from_s) & (load.share >= low) & (load.share <= high))
        if not len(back):
            return float(t[-1] - from_s), Extreme(math.nan, float(t[-1]), load.name), False
        k = int(back[0])
        level = low if load.share[k - 1] < low else high
        step = load.share[k] - load.share[k - 1]
        at = max(from_s, float(t[k] - (t[k] - t[k - 1]) * (load.share[k] - level) / step)) if step else float(t[k])
        return at - from_s, Extreme(math.nan, at, load.name), True


def loads_of(result: Result, quantity: str, window_s: float, exponent: float) -> list[Load]:
    """The clusters of a run. Raises ResultError where the result names no bus of a cluster or records no power."""
    names, power = result.names("cluster", "p_mw"), result.values("cluster", "p_mw")
    buses = result.meta.get("cluster_bus", {})
    lacking = [name for name in names if name not in buses]
    if lacking or not names:
        text = f"the limit holds for clusters and the result lacks meta['cluster_bus'] of {lacking or 'any'}"
        raise ResultError(text)
    demands = result.names("cluster", "p_demand_mw") if "p_demand_mw" in result.quantities("cluster") else ()
    begin = first_event_s(result)
    found = []
    for k, name in enumerate(names):
        before = value_before(result.t_s, power[:, k], begin)
        expected = np.full(len(result.t_s), before)
        if name in demands:
            t = result.t_s
            asked, _ = sliding_extremes(t, result.series("cluster", name, "p_demand_mw"), t - FOLLOW_S, t)
            expected = np.minimum(expected, asked)
        v = result.series("bus", buses[name], "vm_pu")
        sag = np.minimum(1.0, v / value_before(result.t_s, v, begin)) ** exponent if exponent else 1.0
        floor = 1e-3 * abs(before)
        scaled = expected * sag
        share = np.where(scaled > floor, power[:, k] / np.maximum(scaled, 1e-300), 1.0)
        share = np.where(np.isnan(power[:, k]), np.nan, share)
        found.append(Load(name, _signal(result, buses[name], quantity, window_s, v), share, v))
    return found


def _signal(result: Result, bus: str, quantity: str, window_s: float, v: FloatArray) -> FloatArray:
    if quantity == "vm_pu":
        return v
    f = frequency_while_live(result.t_s, result.series("bus", bus, "f_hz"), v)
    if quantity == "f_hz":
        return f
    ends, slope = rocof_series(result.t_s, f, window_s)
    if not len(ends):
        raise ResultError(f"the run is shorter than the window of {window_s:g} s")
    return np.abs(np.interp(result.t_s, ends, slope, left=0.0))


def _excursions(t: FloatArray, x: FloatArray, curve: Any, envelope: Any, centre: float) -> list[Excursion]:
    if envelope is not None:
        return under_envelope(t, x, envelope)
    return excursions(t, x, parse(curve, centre))
