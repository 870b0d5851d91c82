"""Settling frequency: after the last event the frequency comes to rest between `low` and `high`.

Judged is the mean of the centre of inertia over the last `window_s`. Where it is still moving, it passes only when the
whole window lies within the band, and fails only when it moves away from it; else the run is too short to tell. With
`within_s` (the code grants that time) a run that ends earlier outside the band is not assessable rather than failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridai.criteria.base import COI, last_event_s, not_assessable, within_band
from gridai.results import Extreme, Limit, Result, Settling, Verdict, settling
from gridai.results.frequency import SETTLED_HZ, SETTLING_WINDOW_S


@dataclass(frozen=True)
class SettlingFrequency:
    """Mean frequency over the last window within [low, high].

    window_s  length of the window. [s]
    band_hz   movement within the window up to which it counts as settled. [Hz]
    within_s  time after the last event that the code grants. [s]
    """

    limit: Limit
    window_s: float = SETTLING_WINDOW_S
    band_hz: float = SETTLED_HZ
    within_s: float = 0.0

    name: ClassVar[str] = "settling_frequency"
    meaning: ClassVar[str] = "the frequency comes to rest within the band"

    def check(self, result: Result) -> Verdict:
        """Verdict on the settling frequency; its time is the end of the run."""
        last = last_event_s(result)
        f = result.series("system", COI, "f_hz")
        found = settling(result.t_s, f, self.window_s, self.band_hz, last)
        end_s = float(result.t_s[-1]) if len(result.t_s) else float("nan")
        at_end = Extreme(found.value, end_s, COI)
        if not at_end.assessable or (last is not None and last > end_s - self.window_s):
            return not_assessable(self.limit, found.reason, at_end)
        answer = within_band(self.limit, at_end, at_end, found.reason)
        if answer.status == "fail":
            early = end_s - (last if last is not None else float(result.t_s[0])) < self.within_s
            if early:
                text = f"outside the band, but the run ends before {self.within_s:g} s have passed"
                return not_assessable(self.limit, text, at_end)
            return not_assessable(self.limit, found.reason, at_end) if self._returning(found, f[-1]) else answer
        if not found.settled and not self._all_inside(found):
            return not_assessable(self.limit, found.reason, at_end)
        return answer

    def _returning(self, found: Settling, last_hz: float) -> bool:
        """Outside the band, not at rest, and moving towards it."""
        low, high = self.limit.low, self.limit.high
        below, above = low is not None and found.value < low, high is not None and found.value > high
        return not found.settled and ((below and last_hz > found.value) or (above and last_hz < found.value))

    def _all_inside(self, found: Settling) -> bool:
        low_ok = self.limit.low is None or found.low >= self.limit.low
        return low_ok and (self.limit.high is None or found.high <= self.limit.high)
