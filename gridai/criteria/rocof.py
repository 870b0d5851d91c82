"""Rate of change of frequency over a stated window: |f(t) - f(t - W)| / W stays at or below `high`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import Of, frequencies, not_assessable, verdict
from gridai.results import Extreme, Limit, Result, Rocof, Verdict, rocof


@dataclass(frozen=True)
class RateOfChange:
    """Largest |RoCoF| at or below `high`; the verdict's value is the size, its time the end of the window.

    window_s  length of the sliding window. [s]
    of        "system" (centre of inertia) or "bus" (the worst one).
    """

    limit: Limit
    window_s: float
    of: Of = "system"

    name: ClassVar[str] = "rocof"
    meaning: ClassVar[str] = "the frequency does not change too fast"

    def check(self, result: Result) -> Verdict:
        """Verdict on the fastest change."""
        names, f = frequencies(result, self.of)
        if self.of == "system" and np.isnan(f).any():
            return not_assessable(self.limit, "no frequency in part of the run")
        found: list[tuple[str, Rocof]] = [
            (name, rocof(result.t_s, f[:, k], self.window_s)) for k, name in enumerate(names)
        ]
        whole = [(name, r) for name, r in found if r.assessable]
        if not whole:
            return not_assessable(self.limit, f"the run is shorter than the window of {self.window_s:g} s")
        name, worst = max(whole, key=lambda pair: abs(pair[1].value))
        size, high = abs(worst.value), float(self.limit.high or 0.0)
        note = f"{'rising' if worst.value > 0 else 'falling'}, window {self.window_s:g} s"
        return verdict(self.limit, size, high, high - size, Extreme(size, worst.t_s, name), note)
