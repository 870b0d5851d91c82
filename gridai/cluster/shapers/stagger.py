"""Stagger: jobs in step that are started, or take their checkpoints, one after the other.

    out(t) = 1/n sum over k = 0 .. n-1 of demand(t - k over_s / n)                                    exact

The demand is taken for the sum of n equal jobs in step; job k runs k over_s / n later. A part of the demand that
repeats every over_s (an iteration, the time between two checkpoints) loses all its harmonics but the n-th, 2n-th, ...
Before it starts a job draws what it draws at the start of the demand. Cost: the jobs' mean delay.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Cost, Shaped, area, check, moved, spanned
from gridai.errors import SettingError
from gridai.kernel.profile import Profile, total


@dataclass(frozen=True)
class Stagger:
    """n jobs spread over a time. Raises SettingError naming the field, and for a spread beyond the demand's span."""

    jobs: int = setting(2, "", "jobs that the demand is the sum of", 1, 10_000)
    over_s: float = setting(1.0, "s", "time over which their starts are spread", 0.0)

    def __post_init__(self) -> None:
        check(self, (self.jobs == int(self.jobs), "jobs", "give a whole number"))

    @property
    def delays_s(self) -> tuple[float, ...]:
        """How much later each job runs. [s]"""
        return tuple(k * self.over_s / self.jobs for k in range(int(self.jobs)))

    def shape(self, demand: Profile) -> Shaped:
        """The mean of the delayed courses."""
        span = spanned(demand)
        if self.delays_s[-1] >= span:
            raise SettingError(f"shaper Stagger: over_s = {self.over_s:g} s: the demand lasts {span:g} s; give less")
        begin, end = float(demand.t_s[0]), float(demand.t_s[-1])
        parts = [_late(demand, delay, begin, end) for delay in self.delays_s]
        power = total(parts, demand.name).scaled(1.0 / len(parts))
        return Shaped(demand, power, Cost(shifted_mj=self._shifted(demand), delay_s=sum(self.delays_s) / len(parts)))

    def at_rest(self, p_mw: float) -> float:
        """The demand itself."""
        return p_mw

    def _shifted(self, demand: Profile) -> float:
        """Energy of each job's end that falls beyond the span, less what it draws before it starts. [MJ]"""
        end, found = float(demand.t_s[-1]), 0.0
        for delay in self.delays_s[1:]:
            if delay > 0.0:
                found += area(demand.between(end - delay, end)) - delay * float(demand.values[0])
        return found / len(self.delays_s)


def _late(demand: Profile, delay_s: float, begin: float, end: float) -> Profile:
    """The demand later by a delay, on its own span."""
    return moved(demand.t_s + delay_s, demand.values, demand.name).between(begin, end)
