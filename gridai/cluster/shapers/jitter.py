"""Jitter: small random delays that bring jobs out of step, micro-batch by micro-batch.

    job time   tau_j(t):  each every_s of the job take every_s (1 + jitter u),  u uniform in 0 .. 2
    out(t)     = 1/n sum over j of demand(tau_j(t))                                                   exact

The demand is taken for the sum of n equal jobs in step. Each waits at random, so the phases drift apart as a random
walk: after m waits by every_s jitter sqrt(m / 3) (standard deviation); the swing of period T is gone when that is about
T / 2. Cost: on average the share jitter / (1 + jitter) of the training; that is progress and not a delay, for it grows
with the span. The same seed gives the same course.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Cost, Shaped, area, check, moved, spanned, with_points
from gridai.kernel.profile import Array, Profile, total

MOST_KNOTS = 200_000


@dataclass(frozen=True)
class Jitter:
    """Random waits of n jobs. Raises SettingError naming the field."""

    jobs: int = setting(2, "", "jobs that the demand is the sum of", 1, 10_000)
    every_s: float = setting(1.0, "s", "time of the job between two waits: a micro-batch, an iteration", 1e-3, 1e6)
    jitter: float = setting(0.02, "", "mean wait over every_s", 0.0, 1.0)
    seed: int = setting(0, "", "seed of the waits", 0, 2**63)

    def __post_init__(self) -> None:
        check(self, (self.jobs == int(self.jobs), "jobs", "give a whole number"))

    def shape(self, demand: Profile) -> Shaped:
        """The mean of the courses, each with its own waits."""
        span = spanned(demand)
        if span / self.every_s * self.jobs > MOST_KNOTS:
            check(self, (False, "every_s", f"{MOST_KNOTS} waits at most in all: give a longer time or fewer jobs"))
        own = [self.stretched(demand, k) for k in range(int(self.jobs))]
        power = total([course for course, _ in own], demand.name).scaled(1.0 / len(own))
        lost = float(np.mean([behind for _, behind in own]))
        shifted = area(demand) - sum(area(course) for course, _ in own) / len(own)
        return Shaped(demand, power, Cost(shifted_mj=shifted, progress_s=lost))

    def at_rest(self, p_mw: float) -> float:
        """The demand itself."""
        return p_mw

    def stretches(self, job: int, knots: int) -> Array:
        """By how much each part of a job's time is stretched, 1 or more. float[knots]"""
        rng = np.random.default_rng([self.seed, job])
        return 1.0 + self.jitter * rng.uniform(0.0, 2.0, knots)

    def stretched(self, demand: Profile, job: int) -> tuple[Profile, float]:
        """The course of one job, and how far it is behind at the end. [MW, s]"""
        begin, span = float(demand.t_s[0]), spanned(demand)
        knots = int(np.ceil(span / self.every_s))
        own = np.arange(knots + 1) * self.every_s
        wall = np.concatenate([[0.0], np.cumsum(self.every_s * self.stretches(job, knots))])
        inner = own[(own > 0.0) & (own < span)] + begin
        whole = with_points(demand, inner)
        t = begin + np.interp(whole.t_s - begin, own, wall)
        # At a jump both points share one time of the job, so they share one of the wall.
        course = moved(t, whole.values, demand.name).between(begin, begin + span)
        return course, span - float(np.interp(span, wall, own))
