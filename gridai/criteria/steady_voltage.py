"""Steady voltage band: after the last event every bus comes to rest between `low` and `high`.

Judged is the mean over the last `window_s`. A bus that stood outside the band, or on its edge, before the first event
is not held against what was studied, unless it moved out further by more than `worsened_pu` or beyond the other edge;
it is named in the note. That allowance is gridai's own choice, not a clause; set it to -1 to judge every bus. A bus
that is de-energised at the end (its island has no source, as the log says) has no voltage to judge and is named; a bus
that a fault holds at 0 pu is live and fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gridai.criteria.base import FloatArray, buses_of_class, dead_mask, last_event_s, not_assessable, within_band
from gridai.results import Extreme, Limit, Result, Verdict

EDGE_PU = 1e-6
"""A bus so close to an edge of the band stands on it: a setpoint that is the limit. [pu]"""


@dataclass(frozen=True)
class SteadyVoltage:
    """Mean bus voltage over the last `window_s` within [low, high].

    window_s        length of the window. [s]
    kv_min, kv_max  only buses of this class of nominal voltage, kv_min <= kv < kv_max. [kV]
    worsened_pu     how much further out a bus may move that was outside beforehand. [pu]
    time_percent    share of the time that must be within; the study `timeseries` judges it by means over ten minutes,
                    one run of seconds is judged whole. [%]
    """

    limit: Limit
    window_s: float = 1.0
    kv_min: float = 0.0
    kv_max: float = float("inf")
    worsened_pu: float = 0.005
    time_percent: float = 100.0

    name: ClassVar[str] = "steady_voltage"
    meaning: ClassVar[str] = "bus voltages come to rest within the band"

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the smallest margin; its time is the end of the run."""
        all_names, all_vm = result.names("bus", "vm_pu"), result.values("bus", "vm_pu")
        columns = buses_of_class(result, all_names, self.kv_min, self.kv_max)
        if not columns:
            return not_assessable(self.limit, "no bus of this voltage class")
        reason = self._too_early(result)
        if reason:
            return not_assessable(self.limit, reason)
        names, vm, dead = _live_at_end(result, [all_names[k] for k in columns], all_vm[:, columns], self.window_s)
        if not names:
            return not_assessable(self.limit, dead)
        end = _window_mean(result.t_s, vm, self.window_s)
        if np.isnan(end).any() or np.isnan(vm[0]).any():
            lost = names[int(np.argmax(np.isnan(end) | np.isnan(vm[0])))]
            return not_assessable(self.limit, f"no voltage at bus {lost} in the first sample or the last window")
        return self._judge(names, vm[0], end, float(result.t_s[-1]), dead)

    def _too_early(self, result: Result) -> str:
        t = result.t_s
        if not len(t) or t[-1] - t[0] < self.window_s * (1.0 - 1e-9):
            return f"the run is shorter than the window of {self.window_s:g} s"
        last = last_event_s(result)
        if last is not None and last > t[-1] - self.window_s:
            return f"an event at {last:g} s falls within the last {self.window_s:g} s"
        return ""

    def _judge(self, names: list[str], before: FloatArray, end: FloatArray, t_end: float, dead: str) -> Verdict:
        low = -np.inf if self.limit.low is None else self.limit.low
        high = np.inf if self.limit.high is None else self.limit.high
        below, above = before < low + EDGE_PU, before > high - EDGE_PU
        outside = below | above
        worsened = np.where(below, before - end, end - before) > self.worsened_pu
        worsened |= (below & (end > high)) | (above & (end < low))
        judged = np.flatnonzero(~outside | worsened)
        note = "; ".join(x for x in (dead, _already_outside(names, before, np.flatnonzero(outside))) if x)
        if not len(judged):
            return not_assessable(self.limit, note)
        lowest, highest = judged[end[judged].argmin()], judged[end[judged].argmax()]
        return within_band(
            self.limit,
            Extreme(float(end[lowest]), t_end, names[lowest]),
            Extreme(float(end[highest]), t_end, names[highest]),
            note,
        )


def _live_at_end(
    result: Result, names: list[str], vm: FloatArray, window_s: float
) -> tuple[list[str], FloatArray, str]:
    """Buses that are live in the last window, their voltages, and the sentence that names the others."""
    inside = result.t_s >= result.t_s[-1] - window_s
    dead = dead_mask(result, names, vm)[inside].any(axis=0)
    if not dead.any():
        return names, vm, ""
    live = np.flatnonzero(~dead)
    return [names[k] for k in live], vm[:, live], "de-energised at the end, not judged: " + _listed(names, dead)


def _listed(names: list[str], marked: NDArray[np.bool_]) -> str:
    shown = [names[k] for k in np.flatnonzero(marked)]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")


def _window_mean(t: FloatArray, values: FloatArray, window_s: float) -> FloatArray:
    """Time-weighted mean of each column over the last window, with the value at its start interpolated."""
    begin = t[-1] - window_s
    inside = t >= begin
    at_begin = np.array([np.interp(begin, t, column) for column in values.T])
    tw = np.concatenate([[begin], t[inside]])
    mean: FloatArray = np.trapezoid(np.vstack([at_begin, values[inside]]), tw, axis=0) / window_s
    return mean


def _already_outside(names: list[str], before: FloatArray, outside: NDArray[np.intp]) -> str:
    if not len(outside):
        return ""
    shown = ", ".join(f"{names[k]} ({before[k]:.4f})" for k in outside[:6])
    more = f" and {len(outside) - 6} more" if len(outside) > 6 else ""
    return f"outside or on the edge already before the first event: {shown}{more}"
