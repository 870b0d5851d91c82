"""Rapid voltage changes (RVC): how far the voltage leaves the mean of the second before, until it is steady again.

The RMS value is looked at every half period. It is steady while all values of the last `steady_s` lie within
`threshold` of their mean; a change begins with the first value that does not, and ends when it is steady again. Its
size is the largest distance from the mean before it. A voltage that falls below 0.9 or rises above 1.1 pu is a dip or
a swell by the same standard, and is judged here all the same, with a note. Limits depend on how often it happens.

Source: IEC 61000-4-30 edition 3, 5.11 (recalled); planning levels in IEC 61000-3-7 and IEEE 1453.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gridai.criteria.base import FloatArray, Places, buses_to_judge, not_assessable, verdict
from gridai.errors import CaseError
from gridai.results import Extreme, Limit, Result, Verdict

DIP_PU, SWELL_PU = 0.9, 1.1


class VoltageChange(NamedTuple):
    """One rapid change: begin and end [s], largest and lasting distance from the mean before, extreme value [pu]."""

    begin_s: float
    end_s: float
    largest_pu: float
    lasting_pu: float
    extreme_pu: float
    ended: bool


@dataclass(frozen=True)
class RapidVoltageChange:
    """Largest rapid change of voltage, at most `high` in % of nominal.

    threshold       a value farther from the mean is a change. [pu]
    table           rows [changes an hour, limit in %]: the first row with as many or more counts; without it `high`.
    per_hour        how often such changes happen; 0: rarely, the first row. [1/h]
    steady_s        the mean is taken over so long. [s]
    kv_min, kv_max  only buses of this class of nominal voltage. [kV]
    at              "all" buses, or the "clusters"' ones.
    """

    limit: Limit
    threshold: float = 0.01
    steady_s: float = 1.0
    kv_min: float = 0.0
    kv_max: float = float("inf")
    at: Places = "all"
    table: Any = None
    per_hour: float = 0.0

    name: ClassVar[str] = "rapid_voltage_change"
    meaning: ClassVar[str] = "bus voltages do not change too far at once"

    def __post_init__(self) -> None:
        if not (self.threshold > 0.0 and self.steady_s > 0.0):
            raise CaseError("rapid_voltage_change: threshold and steady_s must be above 0")
        by_rate(self.table, self.per_hour, 0.0)

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the largest change; its time is the begin of the change."""
        names, vm = buses_to_judge(result, self.kv_min, self.kv_max, self.at)
        f, t = float(result.meta["f_hz"]), result.t_s
        if not names:
            return not_assessable(self.limit, "no bus of this voltage class")
        if len(t) < 2 or t[-1] - t[0] < self.steady_s + 1.0 / f:
            return not_assessable(self.limit, f"the run is shorter than the window of {self.steady_s:g} s")
        rows: list[tuple[float, VoltageChange, str]] = []
        for name, v in zip(names, vm.T, strict=True):
            if np.isnan(v).any():
                return not_assessable(self.limit, f"no voltage at bus {name} in part of the run")
            found, least = voltage_changes(t, v, f, self.threshold, self.steady_s)
            if found is None:
                return not_assessable(self.limit, f"the voltage at bus {name} is never steady for {self.steady_s:g} s")
            rows += [(change.largest_pu, change, name) for change in [*found, least]]
        size, worst, name = max(rows, key=lambda row: row[0])
        high = by_rate(self.table, self.per_hour, float(self.limit.high or 0.0))
        found_at = Extreme(100.0 * size, worst.begin_s, name)
        open_ended = [bus for _, change, bus in rows if not change.ended]
        if open_ended and found_at.value <= high + 1e-9:
            return not_assessable(self.limit, f"bus {open_ended[0]} is not steady again when the run ends", found_at)
        return verdict(self.limit, found_at.value, high, high - found_at.value, found_at, self._note(worst))

    def _note(self, worst: VoltageChange) -> str:
        if worst.largest_pu <= self.threshold:
            return f"no change above the threshold of {100 * self.threshold:g} %"
        note = f"lasting {100 * worst.lasting_pu:.3g} %, {worst.end_s - worst.begin_s:.3g} s"
        note += "" if worst.ended else ", not steady again when the run ends"
        if worst.extreme_pu < DIP_PU or worst.extreme_pu > SWELL_PU:
            note += f"; {worst.extreme_pu:.4g} pu is a {'dip' if worst.extreme_pu < DIP_PU else 'swell'}"
        return note


def by_rate(table: Any, rate: float, otherwise: float) -> float:
    """The limit for so many changes: the first row [rate, limit] of a table with that rate or more, else the last."""
    if table is None:
        return otherwise
    good = isinstance(table, list | tuple) and bool(table)
    good = good and all(isinstance(r, list | tuple) and len(r) == 2 for r in table)
    if not good or any(b[0] <= a[0] for a, b in pairwise(table)):
        raise CaseError("table: write a list of [rate, limit] with rising rates")
    return float(next((bound for most, bound in table if rate <= most), table[-1][1]))


def voltage_changes(
    t: FloatArray, v: FloatArray, f_hz: float, threshold: float, steady_s: float
) -> tuple[list[VoltageChange] | None, VoltageChange]:
    """The rapid changes of one voltage, and the largest distance from the mean while it was steady.

    None for the list where the voltage was never steady.
    """
    step = 0.5 / f_hz
    grid = t[0] + step * np.arange(int((t[-1] - t[0]) / step + 1e-6) + 1)
    x = np.interp(grid, t, v)
    n = max(2, round(steady_s / step))
    nothing = VoltageChange(float(grid[0]), float(grid[0]), 0.0, 0.0, 1.0, True)
    if len(x) <= n:
        return None, nothing
    windows = np.lib.stride_tricks.sliding_window_view(x, n)
    mean = windows.mean(axis=1)
    steady = np.maximum(windows.max(axis=1) - mean, mean - windows.min(axis=1)) <= threshold
    if not steady.any():
        return None, nothing
    found, k = [], int(np.argmax(steady))
    away = np.abs(x[n:] - mean[:-1])
    quiet = steady[1:] & steady[:-1]
    best = int(np.where(quiet, away, -1.0).argmax())
    if quiet.any():
        at = float(grid[best + n])
        nothing = VoltageChange(at, at, float(away[best]), 0.0, float(x[best + n]), True)
    while k < len(steady):
        gone = np.flatnonzero(~steady[k:])
        if not len(gone):
            break
        first = k + int(gone[0])
        back = np.flatnonzero(steady[first:])
        ended = bool(len(back))
        last = first + int(back[0]) if ended else len(steady) - 1
        part = x[first + n - 1 : last + n]
        far = part[np.abs(part - mean[first - 1]).argmax()]
        lasting = float(abs(mean[last] - mean[first - 1])) if ended else float(abs(part[-1] - mean[first - 1]))
        end = float(grid[last]) if ended else float(grid[-1])
        begin = float(grid[first + n - 1])
        size = float(abs(far - mean[first - 1]))
        found.append(VoltageChange(begin, max(begin, end), size, lasting, float(far), ended))
        k = last + 1
    return found, nothing
