"""PowerCap: GPUs that draw no more than a cap.

    out = min(demand, cap)                                                                            exact

What is asked for above the cap is deferred: the GPUs' clocks are lower, and the work takes longer. With `stretch` it is
done, at the cap, before the course goes on: what takes the energy E above the cap lasts E / cap (`shapers.base`). The
cap must leave the idle power: a cap below it cannot be met by clocks. Power in MW at the meter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Shaped, burnt_and_deferred, check, slowed, spanned, with_points
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class PowerCap:
    """A most power. Raises SettingError naming the field, also for a cap below idle_mw."""

    cap_mw: float = setting(1.0, "MW", "most power", 0.0)
    idle_mw: float = setting(0.0, "MW", "power of the cluster with all jobs stopped", 0.0)
    stretch: bool = False
    """Whether the job is slowed down by what the cap holds back."""

    def __post_init__(self) -> None:
        remedy = f"the idle servers draw {self.idle_mw:g} MW: give that or more, or switch servers off"
        check(
            self,
            (self.cap_mw >= self.idle_mw, "cap_mw", remedy),
            (self.cap_mw > 0.0 or not self.stretch, "cap_mw", "a job without power never ends: give more than 0 MW"),
        )

    def shape(self, demand: Profile) -> Shaped:
        """The demand, held below the cap."""
        spanned(demand)
        if self.stretch:
            return self._stretched(demand)
        power = demand.clipped(high=self.cap_mw)
        return Shaped(demand, power, burnt_and_deferred(demand, power))

    def at_rest(self, p_mw: float) -> float:
        """The cap, where the demand starts above it."""
        return min(p_mw, self.cap_mw)

    def _stretched(self, demand: Profile) -> Shaped:
        """Each piece above the cap lasts as long as its energy takes at the cap."""
        whole = with_points(demand, demand.crossings(self.cap_mw))
        width, middle = np.diff(whole.t_s), (whole.values[1:] + whole.values[:-1]) / 2.0
        wall = np.concatenate([[0.0], np.cumsum(width * np.maximum(middle / self.cap_mw, 1.0))]) + whole.t_s[0]
        return slowed(demand, wall, np.minimum(whole.values, self.cap_mw), whole.t_s, 0.0)
