"""Size of a simultaneous loss of load: how much of the load leaves within a window and stays away.

    lost(t) = max over the last window_s of P, each held for hold_s before  -  largest P of the following hold_s

A dip of the power that is over within `hold_s` (a fault) is no loss. Judged is the sum of the clusters, and of the
other loads as well where of = "all".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from gridai.criteria.base import FloatArray, not_assessable, verdict
from gridai.criteria.power_variation import clusters_of
from gridai.errors import CaseError
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.variation import sliding_extremes


@dataclass(frozen=True)
class LoadLoss:
    """Largest simultaneous loss of load, at most `high` in MW.

    window_s  what leaves within so long counts as simultaneous. [s]
    hold_s    what is back sooner is not lost. [s]
    of        "clusters", or "all": the other recorded loads too.
    """

    limit: Limit
    window_s: float = 5.0
    hold_s: float = 1.0
    of: Literal["clusters", "all"] = "clusters"

    name: ClassVar[str] = "load_loss"
    meaning: ClassVar[str] = "not too much load is lost at once"

    def __post_init__(self) -> None:
        if not (self.window_s > 0.0 and self.hold_s > 0.0):
            raise CaseError(f"load_loss: window_s = {self.window_s!r}, hold_s = {self.hold_s!r}: give times above 0 s")

    def check(self, result: Result) -> Verdict:
        """Verdict on the largest loss; its time is when the load is away, its element the cluster that lost most."""
        t, parts = result.t_s, dict(clusters_of(result))
        if self.of == "all" and "p_mw" in result.quantities("load"):
            parts |= dict(zip(result.names("load", "p_mw"), result.values("load", "p_mw").T, strict=True))
        gap = next((name for name, p in parts.items() if np.isnan(p).any()), None)
        if gap is not None:
            return not_assessable(self.limit, f"no power of {gap} in part of the run")
        if len(t) < 2 or t[-1] - t[0] < 2.0 * self.hold_s * (1.0 - 1e-9):
            return not_assessable(self.limit, f"the run is shorter than twice {self.hold_s:g} s")
        total = np.sum(list(parts.values()), axis=0)
        at, before, after = self._levels(t, total)
        lost = np.maximum(before - after, 0.0)
        k = int(lost.argmax())
        high = float(self.limit.high or 0.0)
        answer = Extreme(float(lost[k]), float(at[k]), self._most(t, parts, float(at[k])))
        note = f"of {before[k]:.4g} MW, {'all loads' if self.of == 'all' else 'clusters'}, held {self.hold_s:g} s"
        if lost[k] <= high + 1e-9 < before[-1] - float(total[t > at[-1]].min(initial=np.inf)):
            return not_assessable(self.limit, f"load leaves within {self.hold_s:g} s of the end of the run", answer)
        return verdict(self.limit, answer.value, high, high - answer.value, answer, note)

    def _levels(self, t: FloatArray, total: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Instants, the load held before within the window, and the most of it that follows."""
        at = np.unique(t[(t >= t[0]) & (t <= t[-1] - self.hold_s + 1e-12)])
        begin = np.maximum(at - self.hold_s, t[0])
        held, _ = sliding_extremes(t, total, begin, np.nextafter(at, -np.inf))
        _, after = sliding_extremes(t, total, np.nextafter(at, np.inf), at + self.hold_s)
        _, before = sliding_extremes(at, held, np.maximum(at - self.window_s, at[0]), at)
        return at, before, after

    def _most(self, t: FloatArray, parts: dict[str, FloatArray], at_s: float) -> str:
        now, then = int(np.searchsorted(t, at_s + 0.5 * self.hold_s)), int(np.searchsorted(t, at_s - self.window_s))
        now = min(now, len(t) - 1)
        return max(parts, key=lambda name: float(parts[name][then] - parts[name][now]))
