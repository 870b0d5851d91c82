"""What a workload is, the two simplest ones, and how a course is made to start at its mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from gridai.cluster.hardware import Hardware
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile, total


@runtime_checkable
class Workload(Protocol):
    """Power against time. Implementations are frozen dataclasses; the same seed gives the same course."""

    @property
    def mean(self) -> float:
        """Mean power as a fraction of the hardware's mean in training; the power flow uses it."""
        ...

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """Fraction of the hardware's mean power in training, from 0 to until_s, starting at `mean`."""
        ...


@dataclass(frozen=True)
class Constant:
    """A steady load: no iterations. For studies that want one change at a time."""

    level: float = setting(1.0, "", "power as a fraction of the hardware's mean in training", 0.01, 2.0)

    def __post_init__(self) -> None:
        bad = Problems("workload Constant")
        check_ranges(self, bad)
        bad.raise_if_any(SettingError)

    @property
    def mean(self) -> float:
        """The level itself."""
        return self.level

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The level at all times."""
        return Profile([0.0, until_s], [self.level, self.level], "constant workload")


@dataclass(frozen=True)
class Idle(Constant):
    """Servers on, no job. The level is that of the H100: 334 W of 857 W; `Idle.of` takes another hardware's."""

    level: float = setting(334.0 / 857.0, "", "idle power over the hardware's mean in training", 0.01, 1.0)

    @classmethod
    def of(cls, hardware: Hardware) -> Idle:
        """The idle level of a hardware of the catalogue."""
        return cls(hardware.idle_fraction)


LEAD_S = 600.0
"""Courses that are added are drawn so much longer, to start each at an instant of its own. [s]"""


def memory(noise: Array, keep: float) -> Array:
    """Unit variance noise with a correlation of `keep` from step to step."""
    from scipy.signal import lfilter

    scale = math.sqrt(1.0 - keep * keep)
    out, _ = lfilter([scale], [1.0, -keep], noise, zi=[keep * noise[0]])
    return np.asarray(out)


def start_of_mean(course: Profile, mean: float, within_s: float) -> float:
    """The first instant before within_s at which a course crosses its mean, else 0. [s]"""
    crossings = course.crossings(mean)
    return float(crossings[0]) if len(crossings) and crossings[0] < within_s else 0.0


def cut(course: Profile, start_s: float, until_s: float) -> Profile:
    """The part of a course from start_s on, until_s long, with its time counted from there."""
    part = course.between(start_s, start_s + until_s)
    t = np.minimum(part.t_s - start_s, until_s)
    # The shift can round three neighbouring times to one: of those the outer two count.
    inner = (t[1:-1] == t[:-2]) & (t[1:-1] == t[2:])
    keep = np.concatenate([[True], ~inner, [True]])
    return Profile(t[keep], part.values[keep], course.name)


def from_mean(course: Profile, mean: float, until_s: float, within_s: float) -> Profile:
    """The part of a longer course, until_s long, that begins where it first crosses its mean, within within_s."""
    return cut(course, start_of_mean(course, mean, within_s), until_s)


def added(
    parts: list[tuple[float, Callable[[float], Profile]]], mean: float, until_s: float, rng: np.random.Generator
) -> Profile:
    """The sum of courses that know nothing of each other, from an instant of its mean on.

    parts  (weight, function of a length [s] that gives a course of that length). Each of them may start at its own
           mean, so each is entered at a random time: else all would be in step at time 0.
    """
    courses = [cut(make(until_s + 2.0 * LEAD_S), rng.uniform(0.0, LEAD_S), until_s + LEAD_S).scaled(weight)
               for weight, make in parts]  # fmt: skip
    return from_mean(total(courses), mean, until_s, LEAD_S)
