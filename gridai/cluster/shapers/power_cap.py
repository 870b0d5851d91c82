"""PowerCap: GPUs that draw no more than a cap.

    out = min(demand, cap)                                                                            exact

What is asked for above the cap is deferred: the GPUs' clocks are lower, and the work takes longer. The cap must leave
the idle power: a cap below it cannot be met by clocks. Power in MW at the meter.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Shaped, burnt_and_deferred, check, spanned
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class PowerCap:
    """A most power. Raises SettingError naming the field, also for a cap below idle_mw."""

    cap_mw: float = setting(1.0, "MW", "most power", 0.0)
    idle_mw: float = setting(0.0, "MW", "power of the cluster with all jobs stopped", 0.0)

    def __post_init__(self) -> None:
        remedy = f"the idle servers draw {self.idle_mw:g} MW: give that or more, or switch servers off"
        check(self, (self.cap_mw >= self.idle_mw, "cap_mw", remedy))

    def shape(self, demand: Profile) -> Shaped:
        """The demand, held below the cap."""
        spanned(demand)
        power = demand.clipped(high=self.cap_mw)
        return Shaped(demand, power, burnt_and_deferred(demand, power))

    def at_rest(self, p_mw: float) -> float:
        """The cap, where the demand starts above it."""
        return min(p_mw, self.cap_mw)
