"""Voltage steps: how far the steady voltage of a bus moves from before the first event to after the last.

Judged is the mean over the last `window_s` less the voltage just before the first event, in pu of nominal. `low` is the
largest fall allowed, as a number below 0, `high` the largest rise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import (
    Places,
    buses_to_judge,
    first_event_s,
    last_event_s,
    not_assessable,
    value_before,
    within_band,
)
from gridai.results import Extreme, Limit, Result, Verdict


@dataclass(frozen=True)
class VoltageStep:
    """Change of the steady bus voltage within [low, high] in pu of nominal.

    window_s        the voltage afterwards is the mean over so long. [s]
    kv_min, kv_max  only buses of this class of nominal voltage. [kV]
    at              "all" buses, or the "clusters"' ones.
    """

    limit: Limit
    window_s: float = 1.0
    kv_min: float = 0.0
    kv_max: float = float("inf")
    at: Places = "all"

    name: ClassVar[str] = "voltage_step"
    meaning: ClassVar[str] = "steady bus voltages do not step too far"

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the least margin; its time is the end of the run."""
        names, vm = buses_to_judge(result, self.kv_min, self.kv_max, self.at)
        t, first, last = result.t_s, first_event_s(result), last_event_s(result)
        if not names:
            return not_assessable(self.limit, "no bus of this voltage class")
        if len(t) < 2 or t[-1] - t[0] < self.window_s * (1.0 - 1e-9):
            return not_assessable(self.limit, f"the run is shorter than the window of {self.window_s:g} s")
        if last is not None and last > t[-1] - self.window_s:
            return not_assessable(self.limit, f"an event at {last:g} s falls within the last {self.window_s:g} s")
        before = np.array([value_before(t, x, first) for x in vm.T])
        end = _mean(t, vm, self.window_s)
        if np.isnan(before).any() or np.isnan(end).any():
            lost = names[int(np.argmax(np.isnan(before) | np.isnan(end)))]
            return not_assessable(self.limit, f"no voltage at bus {lost} before the first event or in the last window")
        step = end - before
        falls, rises = int(step.argmin()), int(step.argmax())
        low, high = (Extreme(float(step[k]), float(t[-1]), names[k]) for k in (falls, rises))
        return within_band(self.limit, low, high)


def _mean(t: np.ndarray, values: np.ndarray, window_s: float) -> np.ndarray:
    """Time-weighted mean of each column over the last window."""
    begin = t[-1] - window_s
    inside = t >= begin
    start = np.array([np.interp(begin, t, column) for column in values.T])
    area = np.trapezoid(np.vstack([start, values[inside]]), np.concatenate([[begin], t[inside]]), axis=0)
    return np.asarray(area / window_s)
