"""Frequency against time since a loss of balance: the frequency stays above (below) a curve drawn over log time.

    segments = [[2.0, 58.0], [60.0, 57.83, 0.575], [inf, 59.3]]      until s, a, b: a + b log10(t)

Time counts from the first event. Judged is the centre of inertia, or every bus where of = "bus". Where a segment ends,
both its value and that of the next hold. Given `until_s`, a run that ends earlier is not assessable unless it fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from gridai.criteria.base import FloatArray, Of, first_event_s, frequencies, not_assessable, verdict
from gridai.errors import CaseError, UnknownNameError, near
from gridai.results import Extreme, Limit, Result, Verdict

SIDES = {"above": 1.0, "below": -1.0}
FIRST_S = 1e-3
"""The logarithm begins here. [s]"""


def segment_values(segments: Any, t_s: ArrayLike) -> FloatArray:
    """Value of a curve of segments at times since its begin, float[nt]. Raises CaseError for faulty segments."""
    rows = _rows(segments)
    t = np.maximum(np.asarray(t_s, dtype=float), FIRST_S)
    which = np.minimum(np.searchsorted([end for end, _, _ in rows], t, side="left"), len(rows) - 1)
    a, b = (np.array([row[k] for row in rows])[which] for k in (1, 2))
    return np.asarray(a + b * np.log10(t))


def _rows(segments: Any) -> list[tuple[float, float, float]]:
    good = isinstance(segments, list | tuple) and len(segments) > 0
    good = good and all(isinstance(s, list | tuple) and len(s) in (2, 3) for s in segments)
    good = good and all(isinstance(x, int | float) and not math.isnan(x) for s in segments for x in s)
    if not good or any(b[0] <= a[0] for a, b in pairwise(segments)):
        raise CaseError("segments: write a list of [until s, a] or [until s, a, b] in order of time")
    return [(float(s[0]), float(s[1]), float(s[2]) if len(s) == 3 else 0.0) for s in segments]


@dataclass(frozen=True)
class FrequencyEnvelope:
    """Smallest distance of the frequency to a curve against time.

    segments  [until s, a] or [until s, a, b]: a + b log10(t), t in s from the first event. [Hz]
    side      "above": the frequency stays above the curve; or "below".
    until_s   so long a run after the first event is needed. [s]
    of        "system" (centre of inertia) or "bus" (the worst one).
    """

    limit: Limit
    segments: Any
    side: Literal["above", "below"] = "above"
    until_s: float = 0.0
    of: Of = "system"

    name: ClassVar[str] = "frequency_envelope"
    meaning: ClassVar[str] = "the frequency keeps to one side of a curve against time"

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise UnknownNameError(near(self.side, SIDES, "side"))
        _rows(self.segments)

    def check(self, result: Result) -> Verdict:
        """Verdict at the instant with the least distance."""
        names, f = frequencies(result, self.of)
        start = first_event_s(result)
        if start is None:
            return not_assessable(self.limit, "nothing happens in the run: the curve has no begin")
        after = result.t_s >= start
        if after.sum() < 2 or np.isnan(f[after]).any():
            return not_assessable(self.limit, "no frequency in part of the run after the first event")
        t = result.t_s[after]
        joints = np.array([end for end, _, _ in _rows(self.segments) if math.isfinite(end)]) + start
        at = np.unique(np.concatenate([t, joints, joints + 1e-6]))
        at = at[(at >= t[0]) & (at <= t[-1])]
        bound = segment_values(self.segments, at - start)
        sign = SIDES[self.side]
        gaps = np.array([sign * (np.interp(at, t, x) - bound) for x in f[after].T])
        column, k = np.unravel_index(int(gaps.argmin()), gaps.shape)
        margin, value = float(gaps[column, k]), float(bound[k] + sign * gaps[column, k])
        found = Extreme(value, float(at[k]), names[int(column)])
        if margin >= -1e-9 and t[-1] - start < self.until_s * (1.0 - 1e-9):
            text = f"the run ends {t[-1] - start:.4g} s after the first event, before {self.until_s:g} s"
            return not_assessable(self.limit, text, found, float(bound[k]))
        return verdict(self.limit, value, float(bound[k]), margin, found)
