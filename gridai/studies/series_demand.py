"""What the clusters' workloads ask for along a time axis: means of the steps, and the fast course behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.kernel.profile import Profile

Floats = NDArray[np.float64]
DAY_S = 86_400.0
MOST_POINTS, MOST_DAYS = 2_000_000, 7
MARGIN_S = 1.0


@dataclass(frozen=True, eq=False)
class Demand:
    """Power of a cluster at the meter: a course of `length_s`, repeated from then on. [MW]"""

    course: Profile
    length_s: float

    @classmethod
    def of(cls, cluster: Any, end_s: float, seed: int) -> Demand:
        """The demand of a cluster up to end_s: drawn as a whole up to a day, else up to seven, and then repeated.

        So many days are drawn as hold two million points. Raises SettingError as Cluster.demand.
        """
        if end_s <= DAY_S:
            return cls(cluster.demand(end_s + MARGIN_S, seed=seed), end_s + MARGIN_S)
        day = cluster.demand(DAY_S, seed=seed)
        days = max(1, min(MOST_DAYS, MOST_POINTS // max(len(day), 1), int(np.ceil(end_s / DAY_S))))
        return cls(day if days == 1 else cluster.demand(days * DAY_S, seed=seed), days * DAY_S)

    @property
    def flat(self) -> bool:
        """True where the power never changes."""
        values = self.course.values
        return bool(np.ptp(values) <= 1e-9 * np.abs(values).max(initial=0.0))

    def value(self, t_s: Floats) -> Floats:
        """Power at instants, float[n]; at a jump either side of it. [MW]"""
        return np.interp(np.mod(t_s, self.length_s), self.course.t_s, self.course.values)

    def means(self, edges_s: Floats) -> Floats:
        """Mean power between neighbouring instants, float[n - 1], exact. [MW]"""
        t, v = self.course.t_s, self.course.values
        total = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(t) * (v[1:] + v[:-1]))])
        turns, rest = np.divmod(edges_s, self.length_s)
        k = np.clip(np.searchsorted(t, rest, side="right") - 1, 0, len(t) - 2)
        width, into = t[k + 1] - t[k], rest - t[k]
        slope = np.where(width > 0.0, (v[k + 1] - v[k]) / np.where(width > 0.0, width, 1.0), 0.0)
        area = total[k] + v[k] * into + 0.5 * slope * into**2 + turns * total[-1]
        return np.asarray(np.diff(area) / np.diff(edges_s))
