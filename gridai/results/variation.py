"""How a power moves: changes over a window, highest less lowest within a window, and what lies in a band of frequency.

Series are straight lines between samples, and a repeated time is a jump, so every extreme lies at a time where one end
of the window meets a sample; those times are looked at, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError

ORDER = 4
"""Order of the Butterworth band filter, run forwards and backwards: no delay, corner at -6 dB."""
SAMPLES_PER_PERIOD = 2.5
"""So often, at least, the highest frequency of a band is sampled."""
ROUNDING = 1e-9

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A change over a window: size with sign, in the unit of the series; t_s [s] is the end of the window."""

    value: float
    t_s: float


def sides(t: FloatArray, x: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values of a series with jumps just before and just after each time of `at`."""
    low = np.clip(np.searchsorted(t, at, side="left"), 0, len(t) - 1)
    high = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 1)
    between = np.interp(at, t, x)
    on_sample = (t[low] == at) | (t[high] == at)
    return np.where(on_sample, x[low], between), np.where(on_sample, x[high], between)


def window_ends(t: FloatArray, window_s: float) -> FloatArray:
    """The times at which a sliding window ends with either of its ends on a sample; none for a shorter series. [s]"""
    if not len(t):
        return t
    ends = np.unique(np.concatenate([t, t + window_s]))
    slack = ROUNDING * max(1.0, window_s)
    return ends[(ends >= t[0] + window_s - slack) & (ends <= t[-1] + slack)]


def window_changes(t_s: ArrayLike, x: ArrayLike, window_s: float) -> tuple[FloatArray, FloatArray]:
    """x(t) - x(t - W) at the times of `window_ends`, float[m] each; at jumps the larger of both sides."""
    t, values = np.asarray(t_s, dtype=float), np.asarray(x, dtype=float)
    ends = window_ends(t, window_s)
    if not len(ends):
        return ends, ends.copy()
    before, after = sides(t, values, ends)
    first, second = sides(t, values, ends - window_s)
    several = np.stack([before - first, before - second, after - second])
    return ends, np.take_along_axis(several, np.abs(several).argmax(axis=0)[None], axis=0)[0]


def sliding_extremes(t_s: ArrayLike, x: ArrayLike, begin: FloatArray, end: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest value of a series within each of many windows [begin, end], float[m] each."""
    t, values = np.asarray(t_s, dtype=float), np.asarray(x, dtype=float)
    # At the ends the side of a jump that lies inside the window counts, and so do all samples in between.
    _, at_begin = sides(t, values, begin)
    at_end, _ = sides(t, values, end)
    low, high = np.minimum(at_begin, at_end), np.maximum(at_begin, at_end)
    first, last = np.searchsorted(t, begin, side="left"), np.searchsorted(t, end, side="right") - 1
    inside = last >= first
    if inside.any():
        low[inside] = np.minimum(low[inside], _range(values, first[inside], last[inside], np.minimum))
        high[inside] = np.maximum(high[inside], _range(values, first[inside], last[inside], np.maximum))
    return low, high


def _range(x: FloatArray, first: NDArray[np.intp], last: NDArray[np.intp], pick: np.ufunc) -> FloatArray:
    """Extreme of x[first..last] of many ranges: every range is covered by two blocks of a power of two."""
    length = last - first + 1
    level = np.floor(np.log2(length)).astype(int)
    found = np.empty(len(first))
    table = x
    for k in range(int(level.max()) + 1):
        own = level == k
        found[own] = pick(table[first[own]], table[last[own] - (1 << k) + 1])
        if k < level.max():
            table = pick(table[: -(1 << k)], table[1 << k :])
    return found


def peak_to_peak(t_s: ArrayLike, x: ArrayLike, window_s: float) -> Change:
    """Largest highest-less-lowest value within a sliding window; NaN for a shorter series, or one with NaN."""
    t, values = np.asarray(t_s, dtype=float), np.asarray(x, dtype=float)
    ends = window_ends(t, window_s)
    if not len(ends) or np.isnan(values).any():
        return Change(float("nan"), float("nan"))
    low, high = sliding_extremes(t, values, ends - window_s, ends)
    k = int(np.argmax(high - low))
    return Change(float(high[k] - low[k]), float(ends[k]))


def band_limited(t_s: ArrayLike, x: ArrayLike, f_low_hz: float, f_high_hz: float) -> tuple[FloatArray, FloatArray]:
    """Times, float[m], and what of a series lies between two frequencies, float[m], by a filter without delay.

    Before and after the series its first and its last value stand. Raises ResultError for a series shorter than one
    period of f_low, one sampled too seldom for f_high, or one with NaN.
    """
    from scipy.signal import butter, sosfiltfilt

    t, values = np.asarray(t_s, dtype=float), np.asarray(x, dtype=float)
    if len(t) < 2 or t[-1] - t[0] < (1.0 - ROUNDING) / f_low_hz:
        raise ResultError(f"the run is shorter than one period of {f_low_hz:g} Hz")
    if np.isnan(values).any():
        raise ResultError("the series holds NaN")
    longest = float(np.diff(t).max())
    if longest * f_high_hz * SAMPLES_PER_PERIOD > 1.0 + 1e-6:
        raise ResultError(
            f"samples up to {1e3 * longest:.3g} ms apart do not show {f_high_hz:g} Hz; "
            f"{1e3 / SAMPLES_PER_PERIOD / f_high_hz:.3g} ms or less are needed"
        )
    rate = max(1.0 / longest, 4.0 * f_high_hz)
    grid = t[0] + np.arange(int((t[-1] - t[0]) * rate + 1e-6) + 1) / rate
    sos = butter(ORDER, [f_low_hz, f_high_hz], "bandpass", fs=rate, output="sos")
    rest = round(3.0 * rate / f_low_hz)
    even = np.interp(grid, t, values)
    padded = np.concatenate([np.full(rest, even[0]), even, np.full(rest, even[-1])]) - even.mean()
    return grid, sosfiltfilt(sos, padded, padlen=0)[rest : rest + len(grid)]
