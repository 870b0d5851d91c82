"""What a shaper is, what it costs, and how several stand in a row.

A shaper takes the power demand of a cluster against time and gives the power that the grid sees:

    demand [MW] --> shaper --> shaper --> ... --> power at the meter [MW]
                      |          |
                     cost       cost

Its cost is counted by what it does to the energy of the demand. Over the span of the demand, in MJ (= MW s):

    out = in + ballast - deferred - shifted + loss + charged

    ballast    burnt without being asked for: floors, ramps down, secondary work
    deferred   asked for and not given: ramps up, caps; training that is done later or never
    shifted    moved beyond the end of the span by work that is delayed, less what was drawn before it started
    loss       lost in a store's converters
    charged    more in the store at the end than at the start

By default a course is not stretched by what is deferred: the demand goes on as if the work had been done, and the loss
of progress is stated instead, as time of training at the demand's mean power. With `stretch` a cap or a ramp limit that
holds the power back slows the job down, its progress in proportion to its power,

    d job / dt = power / demand(job)    where power < demand(job), else 1

so every joule of work is done, later: nothing is deferred, and what the span leaves over is shifted beyond its end.
Progress in proportion to power is an assumption; a clock that is lowered costs less power than speed at first, so it
errs to the side of much time lost. Load sign: positive consumes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from gridai.cluster.settings import check_ranges
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile

ROUNDING = 1e-12
DECIMALS = 10
"""Digits of the times of courses that are moved. [s]"""


@dataclass(frozen=True)
class Cost:
    """What shaping costs. Energies in MJ at the meter, times in s; costs add up.

    throughput_mj  energy that left the store, before its losses in the converter.
    progress_s     training lost, as time at the demand's mean power; delay_s: how much later work is done on average.
    limited_s      time in which a device was at its limit of power or energy while more was wanted of it.
    """

    ballast_mj: float = 0.0
    deferred_mj: float = 0.0
    shifted_mj: float = 0.0
    loss_mj: float = 0.0
    charged_mj: float = 0.0
    throughput_mj: float = 0.0
    progress_s: float = 0.0
    delay_s: float = 0.0
    limited_s: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Cost)))


@dataclass(frozen=True, eq=False)
class Shaped:
    """What one shaper made of a demand.

    demand, power  before and after, on the same span. [MW]
    stored_mj      energy in the store, exact at its points; None without a store.
    job_s          time of the job against time, exact at its points, where the course is stretched; else None. [s]
    """

    demand: Profile
    power: Profile
    cost: Cost
    stored_mj: Profile | None = None
    job_s: Profile | None = None

    @property
    def imbalance_mj(self) -> float:
        """Energy that the balance of the module's docstring does not account for; 0 but for rounding. [MJ]"""
        c = self.cost
        known = c.ballast_mj - c.deferred_mj - c.shifted_mj + c.loss_mj + c.charged_mj
        return area(self.power) - area(self.demand) - known


@dataclass(frozen=True, eq=False)
class Chain:
    """A demand through several shapers, in their order."""

    demand: Profile
    steps: tuple[Shaped, ...] = field(default=())

    @property
    def power(self) -> Profile:
        """What the grid sees. [MW]"""
        return self.steps[-1].power if self.steps else self.demand

    @property
    def cost(self) -> Cost:
        """All costs together; progress is counted against each step's own demand."""
        return sum((step.cost for step in self.steps), Cost())

    def reached_s(self, job_s: float) -> float:
        """When the job is at a time of its own, by straight lines between points; NaN if that lies beyond the end."""
        t = job_s
        for step in self.steps:
            if step.job_s is not None:
                own = step.job_s
                t = float(np.interp(t, own.values, own.t_s, right=math.nan)) if math.isfinite(t) else math.nan
        return t


@runtime_checkable
class Shaper(Protocol):
    """A filter of power against time. Implementations are frozen dataclasses."""

    def shape(self, demand: Profile) -> Shaped:
        """The power after shaping, on the span of the demand, and the cost."""
        ...

    def at_rest(self, p_mw: float) -> float:
        """Where the power starts that the demand starts with. [MW]"""
        ...


def shape(demand: Profile, shapers: Sequence[Shaper]) -> Chain:
    """A demand through shapers, one after the other. Raises SettingError for a demand without a span of time."""
    spanned(demand)
    steps: list[Shaped] = []
    for shaper in shapers:
        steps.append(shaper.shape(steps[-1].power if steps else demand))
    return Chain(demand, tuple(steps))


def spanned(demand: Profile) -> float:
    """The length of a demand. [s] Raises SettingError for none, and for a demand below 0."""
    length = float(demand.t_s[-1] - demand.t_s[0])
    if not length > 0.0:
        raise SettingError(f"{demand.name}: shaping takes a course from one time to a later one; it has one instant")
    lowest = int(np.argmin(demand.values))
    if demand.values[lowest] < 0.0:
        raise SettingError(
            f"{demand.name}: {demand.values[lowest]:g} MW at {demand.t_s[lowest]:g} s: a cluster's demand is 0 or more"
        )
    return length


def area(course: Profile) -> float:
    """Integral of a course over its span, exact. [unit of the course x s]"""
    return float(np.sum(np.diff(course.t_s) * (course.values[1:] + course.values[:-1])) / 2.0)


def joined(t_s: Array, values: Array, name: str) -> Profile:
    """A course of points of which more than two may fall on one instant, by rounding or jumps: the outer two count."""
    inner = np.zeros(len(t_s), dtype=bool)
    inner[1:-1] = (t_s[1:-1] == t_s[:-2]) & (t_s[1:-1] == t_s[2:])
    return Profile(t_s[~inner], values[~inner], name)


def moved(t_s: Array, values: Array, name: str) -> Profile:
    """A course whose times were moved, rounded to DECIMALS, so that edges of several courses that meet do meet."""
    return joined(np.round(t_s, DECIMALS), values, name)


def with_points(course: Profile, t_s: npt.ArrayLike) -> Profile:
    """The same course with points at more times."""
    fresh = np.setdiff1d(np.asarray(t_s, dtype=float), course.t_s)
    place = np.searchsorted(course.t_s, fresh)
    values = np.insert(course.values, place, course.value(fresh))
    return Profile(np.insert(course.t_s, place, fresh), values, course.name)


def burnt_and_deferred(demand: Profile, power: Profile) -> Cost:
    """The cost where every difference of power is ballast (above the demand) or deferred work (below it)."""
    more = power.plus(demand.scaled(-1.0))
    ballast, deferred = area(more.clipped(low=0.0)), -area(more.clipped(high=0.0))
    return Cost(ballast_mj=ballast, deferred_mj=deferred, progress_s=deferred / mean(demand))


def slowed(demand: Profile, t_s: Array, values: Array, job_s: Array, ballast_mj: float) -> Shaped:
    """What a stretched course is: points of wall time [s], power [MW] and the job's time [s], cut at the span's end."""
    begin, end = float(demand.t_s[0]), float(demand.t_s[-1])
    power = moved(t_s, values, demand.name).between(begin, end)
    job = joined(np.round(t_s, DECIMALS), job_s, "time of the job").between(begin, end)
    left = end - float(job.values[-1])
    shifted = area(demand.between(end - left, end)) if left > 0.0 else 0.0
    return Shaped(demand, power, Cost(ballast_mj=ballast_mj, shifted_mj=shifted, progress_s=left), job_s=job)


def mean(demand: Profile) -> float:
    """Mean power over the span; infinity where there is none, so that a share of it is 0. [MW]"""
    found = area(demand) / spanned(demand)
    return found if found > 0.0 else float("inf")


def check(shaper: Any, *rules: tuple[bool, str, str]) -> None:
    """Check the ranges of the fields, then rules (holds, field, remedy). Raises one SettingError with all faults."""
    name = type(shaper).__name__
    bad = Problems(f"shaper {name}")
    check_ranges(shaper, bad)
    for holds, where, remedy in () if bad else rules:
        if not holds:
            bad.add(name, None, where, getattr(shaper, where), remedy)
    bad.raise_if_any(SettingError)
