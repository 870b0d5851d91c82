"""Ballast: secondary work that fills the valleys of the main job.

    ballast(t) = level - demand(t - delay), within 0 and most                                         exact
    out        = demand + ballast

A process beside the job (matrix products of no use) watches its activity and steps in when it falls, `delay_s` late; as
late it gives way, so for that time both run and the power overshoots. Source: the software remedy of arXiv:2508.14318.
All of it is burnt. Power in MW at the meter.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Cost, Shaped, area, check, spanned
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Ballast:
    """Secondary work up to a level. Raises SettingError naming the field."""

    level_mw: float = setting(0.0, "MW", "level up to which valleys are filled", 0.0)
    most_mw: float = setting(1e6, "MW", "most secondary work", 0.0)
    delay_s: float = setting(0.0, "s", "time until it steps in, and until it gives way", 0.0)

    def __post_init__(self) -> None:
        check(self, (self.most_mw > 0.0, "most_mw", "give a power above 0 MW"))

    def shape(self, demand: Profile) -> Shaped:
        """The demand with its valleys filled."""
        spanned(demand)
        begin, end = float(demand.t_s[0]), float(demand.t_s[-1])
        seen = demand.shifted(self.delay_s).scaled(-1.0).plus(self.level_mw)
        more = seen.clipped(0.0, self.most_mw).between(begin, end) if self.delay_s else seen.clipped(0.0, self.most_mw)
        power = Profile((both := demand.plus(more)).t_s, both.values, demand.name)
        return Shaped(demand, power, Cost(ballast_mj=area(more)))

    def at_rest(self, p_mw: float) -> float:
        """Filled from the start."""
        return p_mw + min(max(self.level_mw - p_mw, 0.0), self.most_mw)
