"""Frequency nadir and zenith: the frequency never falls below `low`, never rises above `high`.

Judged is the centre of inertia, or every bus where of = "bus". A run that ends while the frequency still moves towards
the limit faster than 0.01 Hz/s has not seen its extreme: not assessable, unless the limit is passed already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import FloatArray, Of, frequencies, not_assessable, within_band
from gridai.results import Extreme, Limit, Result, Verdict, extremes, rocof_series

STILL_MOVING_HZ_PER_S = 0.01
LOOK_BACK_S = 0.1


@dataclass(frozen=True)
class FrequencyNadir:
    """Lowest frequency at or above `low`. `of`: "system" (centre of inertia) or "bus" (the worst one)."""

    limit: Limit
    of: Of = "system"

    name: ClassVar[str] = "frequency_nadir"
    meaning: ClassVar[str] = "the frequency does not fall too low"

    def check(self, result: Result) -> Verdict:
        """Verdict on the lowest frequency and its time."""
        return _judge(self.limit, result, self.of, -1.0)


@dataclass(frozen=True)
class FrequencyZenith:
    """Highest frequency at or below `high`. `of`: "system" (centre of inertia) or "bus" (the worst one)."""

    limit: Limit
    of: Of = "system"

    name: ClassVar[str] = "frequency_zenith"
    meaning: ClassVar[str] = "the frequency does not rise too high"

    def check(self, result: Result) -> Verdict:
        """Verdict on the highest frequency and its time."""
        return _judge(self.limit, result, self.of, 1.0)


def _judge(limit: Limit, result: Result, of: Of, direction: float) -> Verdict:
    names, f = frequencies(result, of)
    if len(result.t_s) < 2:
        return not_assessable(limit, "the run holds fewer than two samples")
    found = extremes(names, result.t_s, f)
    worst = found.high if direction > 0.0 else found.low
    if not worst.assessable:
        return not_assessable(limit, "no frequency: every sample is NaN")
    answer = within_band(limit, found.low, found.high)
    if answer.status == "fail":
        return answer
    if of == "system" and np.isnan(f).any():
        return not_assessable(limit, "no frequency in part of the run", worst)
    if _still_moving(result.t_s, f[:, names.index(worst.element)], worst, direction):
        return not_assessable(limit, "still moving towards the limit when the run ends", worst)
    return answer


def _still_moving(t: FloatArray, f: FloatArray, worst: Extreme, direction: float) -> bool:
    if worst.t_s < t[-1]:
        return False
    _, slope = rocof_series(t, f, min(LOOK_BACK_S, float(t[-1] - t[0])))
    return bool(len(slope) and direction * slope[-1] > STILL_MOVING_HZ_PER_S)
