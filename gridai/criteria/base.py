"""What every criterion family is, and the two ways it ends: a verdict on a value, or "not assessable" with a reason.

A value exactly at the limit passes (within a rounding of 1e-9 of the unit). A result that cannot answer never passes.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gridai.errors import ResultError
from gridai.results import Extreme, Limit, Result, Status, Verdict
from gridai.results.dead import dead_mask, dead_spans
from gridai.results.frequency import V_DEAD_PU
from gridai.results.result import COI

ROUNDING = 1e-9
FloatArray = NDArray[np.float64]
Of = Literal["system", "bus"]
Places = Literal["all", "clusters"]


class Criterion(Protocol):
    """One limit, ready to be checked.

    name      the family's name, as profiles write it.
    meaning   what it asks, in one sentence.
    limit     the numbers and where they come from.
    """

    name: ClassVar[str]
    meaning: ClassVar[str]
    limit: Limit

    def check(self, result: Result) -> Verdict:
        """The verdict of this limit on a result."""
        ...


def verdict(limit: Limit, value: float, bound: float, margin: float, found: Extreme, note: str = "",
            unit: str = "") -> Verdict:  # fmt: skip
    """Pass or fail by the sign of the margin; element and time from `found`."""
    status: Status = "pass" if margin >= -ROUNDING else "fail"
    return _verdict(limit, value, bound, margin, found, status, note, unit)


def not_assessable(limit: Limit, reason: str, found: Extreme | None = None, bound: float | None = None,
                   unit: str = "") -> Verdict:  # fmt: skip
    """The verdict of a result that cannot answer, with the reason and what was seen, if anything."""
    found = found or Extreme(float("nan"), float("nan"))
    side = next((b for b in (bound, limit.low, limit.high) if b is not None), float("nan"))
    return _verdict(limit, found.value, side, float("nan"), found, "not assessable", reason, unit)


def _verdict(limit: Limit, value: float, bound: float, margin: float, found: Extreme, status: Status, note: str,
             unit: str) -> Verdict:  # fmt: skip
    return Verdict(
        criterion=limit.criterion, value=value, limit=bound, unit=unit or limit.unit, margin=margin,
        element=found.element, t_s=found.t_s, status=status, clause=limit.clause, edition=limit.edition,
        source=limit.source, confidence=limit.confidence, profile=limit.profile, note=note,
    )  # fmt: skip


def within_band(limit: Limit, low: Extreme, high: Extreme, note: str = "") -> Verdict:
    """The verdict on the side of the band with the smaller margin."""
    sides: list[tuple[float, float, Extreme]] = []
    if limit.low is not None:
        sides.append((low.value - limit.low, limit.low, low))
    if limit.high is not None:
        sides.append((limit.high - high.value, limit.high, high))
    margin, bound, found = min(sides, key=lambda side: side[0])
    return verdict(limit, found.value, bound, margin, found, note)


def frequencies(result: Result, of: Of) -> tuple[tuple[str, ...], FloatArray]:
    """Names and frequencies, float[nt, n] in Hz: of the centre of inertia ("system") or of all buses ("bus")."""
    return result.names(of, "f_hz"), result.values(of, "f_hz")


def last_event_s(result: Result) -> float | None:
    """Time of the last event, s; None when nothing happened."""
    return max((event.t_s for event in result.events), default=None)


def first_event_s(result: Result) -> float | None:
    """Time of the first event, s; None when nothing happened."""
    return min((event.t_s for event in result.events), default=None)


def value_before(t: FloatArray, x: FloatArray, event_s: float | None) -> float:
    """The value just before an event: of a repeated time the first, else the sample before; the first without one."""
    if event_s is None:
        return float(x[0])
    k = min(int(np.searchsorted(t, event_s, side="left")), len(t) - 1)
    repeated = k + 1 < len(t) and t[k] == t[k + 1] == event_s
    return float(x[k] if repeated else x[max(k - 1, 0)])


def buses_of_class(result: Result, names: tuple[str, ...], kv_min: float, kv_max: float) -> list[int]:
    """Columns of the buses with kv_min <= nominal voltage < kv_max; all of them when neither is stated.

    Raises ResultError when a voltage class is asked for and the result does not know the nominal voltages.
    """
    if kv_min <= 0.0 and kv_max == float("inf"):
        return list(range(len(names)))
    if not result.meta.get("bus_kv"):
        raise ResultError("the limit holds for a voltage class and the result lacks meta['bus_kv'], kV by bus")
    kv = result.meta["bus_kv"]
    return [k for k, name in enumerate(names) if kv_min <= float(kv[name]) < kv_max]


def frequency_while_live(t: FloatArray, f: FloatArray, vm: FloatArray) -> FloatArray:
    """Frequency of one bus, a straight line where it is de-energised and has none; any other gap stays a gap."""
    dead = np.isnan(f) & (vm < V_DEAD_PU)
    if not dead.any() or dead.all():
        return f
    return np.where(dead, np.interp(t, t[~dead], f[~dead]), f)


def buses_to_judge(result: Result, kv_min: float, kv_max: float, of: Places = "all") -> tuple[list[str], FloatArray]:
    """Names and voltages, float[nt, n] in pu, of the buses of a class; of = "clusters": only those that carry one.

    Raises ResultError where the clusters' buses are asked for and the result does not name them.
    """
    names, vm = result.names("bus", "vm_pu"), result.values("bus", "vm_pu")
    columns = buses_of_class(result, names, kv_min, kv_max)
    if of == "clusters":
        carrying = set(result.meta.get("cluster_bus", {}).values())
        if not carrying:
            raise ResultError("the limit holds at the clusters' buses and the result lacks meta['cluster_bus']")
        columns = [k for k in columns if names[k] in carrying]
    return [names[k] for k in columns], vm[:, columns]


__all__ = [
    "COI", "Criterion", "FloatArray", "Of", "Places", "buses_of_class", "buses_to_judge", "dead_mask", "dead_spans",
    "first_event_s", "frequencies", "frequency_while_live", "last_event_s", "not_assessable", "value_before", "verdict",
    "within_band",
]  # fmt: skip
