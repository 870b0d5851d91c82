"""Profile: a quantity that changes linearly between points in time, with jumps where a time is repeated.

    value
      |      2 points at t = 1: before and after the jump
      |  ____                    ________   constant after the last point
      |      |_______           /
      |              \\_________/
      +------1--------3--4-----7--8--------> t [s]

At a jump the value is the one after it (right-continuous). Before the first point the first value holds.
A Profile is never changed: every operation gives a new one. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gridai.errors import SettingError

Array = npt.NDArray[np.float64]
TimeLike = TypeVar("TimeLike", float, Array)


class Profile:
    """A piecewise-linear function of time.

    t_s     times, not falling; a time given twice is a jump. [s] shape (n,)
    values  value at each time, in the unit its name states. shape (n,)
    name    what it is, for messages and plots.

    Raises SettingError for no points, different lengths, NaN or infinity, time going backward, or the same
    time more than twice; the message gives the index and the time.

    >>> step = Profile([0.0, 1.0, 1.0, 3.0], [5.0, 5.0, 2.0, 4.0])
    >>> step.value(1.0), step.before(1.0), step.value(2.0)
    (2.0, 5.0, 3.0)
    """

    __slots__ = ("name", "t_s", "values")

    t_s: Array
    values: Array
    name: str

    def __init__(self, t_s: npt.ArrayLike, value: npt.ArrayLike, name: str = "profile") -> None:
        t, v = _checked(t_s, value, name)
        object.__setattr__(self, "t_s", t)
        object.__setattr__(self, "values", v)
        object.__setattr__(self, "name", name)

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"a Profile does not change; make a new one instead of setting {key!r}")

    def __reduce__(self) -> tuple[type[Profile], tuple[Array, Array, str]]:
        return Profile, (self.t_s, self.values, self.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return np.array_equal(self.t_s, other.t_s) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.t_s)

    def __repr__(self) -> str:
        span = f"{self.t_s[0]:g} to {self.t_s[-1]:g} s"
        return f"Profile({self.name!r}, {len(self)} points, {span}, {self.values.min():g} to {self.values.max():g})"

    @classmethod
    def constant(cls, value: float, name: str = "profile") -> Profile:
        """The same value at all times."""
        return cls([0.0], [value], name)

    # Reading

    def value(self, t_s: TimeLike) -> TimeLike:
        """Value at one time (a float) or at many (an array); at a jump the value after it."""
        return self._at(t_s, "right")

    def before(self, t_s: TimeLike) -> TimeLike:
        """Value just before a time; differs from `value` only at a jump."""
        return self._at(t_s, "left")

    @property
    def breaks(self) -> Array:
        """The times of the jumps. [s]"""
        return self.t_s[1:][np.diff(self.t_s) == 0.0]

    @property
    def kinks(self) -> Array:
        """All times at which the slope or the value changes: the points, each once. [s]"""
        return np.unique(self.t_s)

    def next_break(self, t_s: float) -> float:
        """The first jump after t_s, or infinity. [s]"""
        breaks = self.breaks
        k = int(np.searchsorted(breaks, t_s, side="right"))
        return float(breaks[k]) if k < len(breaks) else float("inf")

    def mean(self, from_s: float, to_s: float) -> float:
        """Time average between two times, exact."""
        if not to_s > from_s:
            raise SettingError(f"{self.name}: mean from {from_s:g} s to {to_s:g} s: the end must be after the start")
        part = self.between(from_s, to_s)
        area = np.sum(np.diff(part.t_s) * (part.values[1:] + part.values[:-1])) / 2.0
        return float(area / (to_s - from_s))

    def crossings(self, level: float) -> Array:
        """The times at which the course crosses a level, jumps left out. [s]"""
        below, width = self.values < level, np.diff(self.t_s)
        k = np.flatnonzero((below[1:] != below[:-1]) & (width > 0.0))
        share = (level - self.values[k]) / (self.values[k + 1] - self.values[k])
        return self.t_s[k] + share * width[k]

    # Making new ones

    def scaled(self, factor: float, name: str = "") -> Profile:
        """Every value times a factor."""
        return Profile(self.t_s, self.values * factor, name or self.name)

    def shifted(self, by_s: float) -> Profile:
        """The same course, later by `by_s`."""
        return Profile(self.t_s + by_s, self.values, self.name)

    def plus(self, other: Profile | float) -> Profile:
        """The sum, exact: points and jumps of both are kept."""
        return self._combined(_as_profile(other), np.add)

    def times(self, other: Profile | float) -> Profile:
        """The product, exact at the points of both and linear between them."""
        return self._combined(_as_profile(other), np.multiply)

    def clipped(self, low: float = -np.inf, high: float = np.inf) -> Profile:
        """Values held between two bounds, exact: a point is added where a bound is crossed."""
        if not low <= high:
            raise SettingError(f"{self.name}: clipped to {low:g} .. {high:g}: the lower bound is above the upper")
        crossings = np.concatenate([self.crossings(b) for b in (low, high) if np.isfinite(b)] or [np.empty(0)])
        whole = self._with_points(crossings)
        return Profile(whole.t_s, np.clip(whole.values, low, high), self.name)

    def between(self, from_s: float, to_s: float) -> Profile:
        """The part from from_s to to_s, with points at both ends; a jump at either end is left out."""
        inner = (self.t_s > from_s) & (self.t_s < to_s)
        t = np.concatenate([[from_s], self.t_s[inner], [to_s]])
        v = np.concatenate([[self.value(float(from_s))], self.values[inner], [self.before(float(to_s))]])
        return Profile(t, v, self.name)

    def resampled(self, step_s: float, until_s: float | None = None) -> Profile:
        """Samples at whole multiples of step_s from the first point; jumps become slopes one step wide."""
        end = float(self.t_s[-1]) if until_s is None else until_s
        if not (np.isfinite(step_s) and step_s > 0.0):
            raise SettingError(f"{self.name}: step_s = {step_s!r}: give a step above 0 s")
        n = int(np.floor((end - self.t_s[0]) / step_s + 1e-9))
        if n < 0:
            raise SettingError(f"{self.name}: until_s = {end:g} s lies before the first point at {self.t_s[0]:g} s")
        t = self.t_s[0] + step_s * np.arange(n + 1)
        return Profile(t, self.value(t), self.name)

    # Inside

    def _at(self, t_s: TimeLike, side: str) -> TimeLike:
        t = np.asarray(t_s, dtype=float)
        after = np.searchsorted(self.t_s, t, side=side)  # type: ignore[call-overload]
        hi = np.clip(after, 0, len(self) - 1)
        lo = np.clip(after - 1, 0, len(self) - 1)
        width = self.t_s[hi] - self.t_s[lo]
        share = np.divide(t - self.t_s[lo], width, out=np.zeros_like(t), where=width > 0.0)
        rise = self.values[hi] - self.values[lo]
        found = np.where(width > 0.0, self.values[lo] + share * rise, self.values[hi if side == "left" else lo])
        return found if isinstance(t_s, np.ndarray) else float(found)

    def _combined(self, other: Profile, operation: Callable[[Array, Array], Array]) -> Profile:
        t = np.union1d(self.t_s, other.t_s)
        jump = np.isin(t, np.union1d(self.breaks, other.breaks))
        left = operation(self.before(t), other.before(t))
        right = operation(self.value(t), other.value(t))
        times, values = _with_jumps(t, left, right, jump)
        return Profile(times, values, self.name)

    def _with_points(self, t_s: Array) -> Profile:
        t = np.union1d(self.t_s, t_s)
        return Profile(*_with_jumps(t, self.before(t), self.value(t), np.isin(t, self.breaks)), self.name)


def total(profiles: list[Profile], name: str = "profile") -> Profile:
    """The sum of many profiles, pair by pair, so that the work grows with n log n."""
    if not profiles:
        raise SettingError(f"{name}: a sum of no profiles")
    while len(profiles) > 1:
        pairs = [a.plus(b) for a, b in zip(profiles[::2], profiles[1::2], strict=False)]
        profiles = pairs + profiles[len(pairs) * 2 :]
    return profiles[0].scaled(1.0, name)


def _as_profile(other: Profile | float) -> Profile:
    return other if isinstance(other, Profile) else Profile.constant(float(other))


def _with_jumps(t: Array, left: Array, right: Array, jump: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Interleave the values before the jumps with the values at all times."""
    count = 1 + jump.astype(int)
    times, values = np.repeat(t, count), np.repeat(right, count)
    last = np.cumsum(count) - 1
    values[last[jump] - 1] = left[jump]
    return times, values


def _checked(t_s: npt.ArrayLike, value: npt.ArrayLike, name: str) -> tuple[Array, Array]:
    """Read-only float arrays, or one error that says what is wrong and where."""
    t, v = np.array(t_s, dtype=float).reshape(-1), np.array(value, dtype=float).reshape(-1)
    if len(t) != len(v):
        raise SettingError(f"{name}: {len(t)} times but {len(v)} values; give one value for each time")
    if len(t) == 0:
        raise SettingError(f"{name}: no points; give at least one time and value")
    for what, numbers in (("time", t), ("value", v)):
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            where = f"{what} {numbers[bad[0]]} at index {bad[0]}, {len(bad)} such"
            raise SettingError(f"{name}: {where}: give finite numbers")
    back = np.flatnonzero(np.diff(t) < 0.0)
    if len(back):
        k = back[0]
        raise SettingError(f"{name}: time goes back from {t[k]:g} s to {t[k + 1]:g} s at index {k + 1}; sort by time")
    triple = np.flatnonzero(t[2:] == t[:-2])
    if len(triple):
        raise SettingError(
            f"{name}: {t[triple[0]]:g} s stands more than twice (index {triple[0]}); keep the values before and after"
        )
    t.flags.writeable = v.flags.writeable = False
    return t, v
