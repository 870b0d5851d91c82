"""Extremes of time series: the lowest and highest value, where and when. NaN samples are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Extreme:
    """One extreme value: `value` in the unit of the series, `t_s` in s. NaN both when there was no sample."""

    value: float
    t_s: float
    element: str = ""

    @property
    def assessable(self) -> bool:
        """False when the series held no number at all."""
        return bool(np.isfinite(self.value))


@dataclass(frozen=True)
class Extremes:
    """Lowest and highest value of a series or of a group of series."""

    low: Extreme
    high: Extreme

    @property
    def swing(self) -> float:
        """Highest less lowest value, in the unit of the series."""
        return self.high.value - self.low.value


def lowest_highest(t_s: ArrayLike, x: ArrayLike, element: str = "") -> Extremes:
    """Nadir and zenith of one series with their times (the first where a value is reached more than once).

    t_s  float[nt], s.   x  float[nt], any unit; NaN samples are left out.
    """
    return extremes([element], t_s, np.asarray(x, dtype=float)[:, None])


def extremes(names: Sequence[str], t_s: ArrayLike, values: ArrayLike) -> Extremes:
    """Lowest and highest value over all series, with element and time.

    names   one name a column.   t_s  float[nt], s.   values  float[nt, len(names)]; NaN samples are left out.
    """
    t, x = np.asarray(t_s, dtype=float), np.asarray(values, dtype=float)
    found = ~np.isnan(x)
    if not found.any():
        nothing = Extreme(float("nan"), float("nan"))
        return Extremes(nothing, nothing)
    low = np.argmin(np.where(found, x, np.inf))
    high = np.argmax(np.where(found, x, -np.inf))
    return Extremes(_at(names, t, x, int(low)), _at(names, t, x, int(high)))


def _at(names: Sequence[str], t: FloatArray, x: FloatArray, flat: int) -> Extreme:
    row, column = divmod(flat, x.shape[1])
    return Extreme(float(x[row, column]), float(t[row]), names[column])


def swings(values: ArrayLike) -> FloatArray:
    """Highest less lowest value of each column, float[n]; NaN for a column without any number."""
    x = np.asarray(values, dtype=float)
    if not x.size:
        return np.full(x.shape[1:], np.nan)
    found = ~np.isnan(x)
    span = np.where(found, x, -np.inf).max(axis=0) - np.where(found, x, np.inf).min(axis=0)
    return np.where(found.any(axis=0), span, np.nan)
