"""Frequency measures: bus frequency from the voltage angle, centre of inertia, RoCoF, settling.

Bus frequency is what a relay or a PMU would show: the derivative of the voltage angle through a first-order filter,

    f = f_n + 1/(2 pi) * s/(1 + s T) * theta,    T = 0.05 s

The angle of a phasor jumps when the network is switched; the jump is no frequency. It falls between two samples of the
same time and is left out. A de-energised bus (below 0.01 pu) has no frequency: NaN, and the filter starts anew after.

RoCoF over a window W is the slope of the straight line between the two ends of the sliding window, as grid codes
define it (for instance 500 ms in G99 and in EirGrid's requirements): RoCoF(t) = (f(t) - f(t - W)) / W.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FILTER_S = 0.05
"""Time constant of the bus frequency filter. [s]"""
V_DEAD_PU = 0.01
"""A bus below this voltage is de-energised. [pu]"""
SETTLING_WINDOW_S = 5.0
"""The settling frequency is the mean over the last so many seconds. [s]"""
SETTLED_HZ = 0.010
"""Settled: moves by no more than this within the window. 10 mHz is the insensitivity SO GL, Annex V, allows. [Hz]"""

FloatArray = NDArray[np.float64]


def voltage_frequency(t_s: ArrayLike, v: ArrayLike, f_hz: float, filter_s: float = FILTER_S) -> FloatArray:
    """Bus frequency from complex voltages in a frame that turns at nominal frequency.

    t_s  float[nt], s, non-decreasing; a repeated time marks a jump.   v  complex[nt, n], pu.
    Returns float[nt, n], Hz; NaN where the bus is de-energised.
    """
    t, v = np.asarray(t_s, dtype=float), np.asarray(v, dtype=complex)
    live = np.abs(v) >= V_DEAD_PU
    dt = np.diff(t)
    turned = np.angle(v[1:] * np.conj(v[:-1]))
    known = live[1:] & live[:-1] & (dt > 0.0)[:, None]
    slope = np.where(known, turned, 0.0) / np.where(dt > 0.0, dt, 1.0)[:, None] / (2.0 * np.pi)
    decay = np.exp(-dt / filter_s)
    deviation = np.empty(v.shape)
    y = deviation[0] = _first_slope(slope, known, 0)
    revived = live[1:] & ~live[:-1]
    any_revived = revived.any(axis=1)
    for k in range(len(dt)):
        y = slope[k] + (y - slope[k]) * decay[k]
        if any_revived[k]:
            y = np.where(revived[k], _first_slope(slope, known, k + 1), y)
        deviation[k + 1] = y
    deviation[~live] = np.nan
    return f_hz + deviation


def _first_slope(slope: FloatArray, known: NDArray[np.bool_], begin: int) -> FloatArray:
    """First known slope of each bus from sample `begin` on, where the filter starts from. Zero where none follows."""
    ahead = known[begin:]
    if not len(ahead):
        return np.zeros(slope.shape[1])
    first = ahead.argmax(axis=0)
    column = np.arange(slope.shape[1])
    return np.where(ahead[first, column], slope[begin + first, column], 0.0)


def coi_frequency(
    speed_pu: ArrayLike,
    names: Sequence[str],
    inertia_mws: Mapping[str, float],
    f_hz: float,
    t_s: ArrayLike | None = None,
    units_off: Mapping[str, float] | None = None,
) -> FloatArray:
    """Frequency of the centre of inertia: the mean of the rotor speeds weighted with H * S of each unit.

    speed_pu     float[nt, n], 1.0 = nominal; NaN samples are left out.
    inertia_mws  H * S by unit, MWs. A unit without one does not count; where one is infinite, it alone counts.
    units_off    time from which a tripped unit no longer counts, by unit, s (needs t_s).
    Returns float[nt], Hz; NaN where no unit counts.
    """
    speed = np.asarray(speed_pu, dtype=float)
    given = np.array([float(inertia_mws.get(name, 0.0)) for name in names])
    weight = np.isinf(given).astype(float) if np.isinf(given).any() else np.where(given > 0.0, given, 0.0)
    shares = np.where(np.isnan(speed), 0.0, weight)
    if units_off:
        t = np.asarray(t_s, dtype=float)
        for k, name in enumerate(names):
            if name in units_off:
                shares[_after(t, units_off[name]), k] = 0.0
    total = shares.sum(axis=1)
    weighted = (np.nan_to_num(speed) * shares).sum(axis=1)
    return f_hz * np.divide(weighted, total, out=np.full(len(speed), np.nan), where=total > 0.0)


def _after(t: FloatArray, t_off: float) -> NDArray[np.bool_]:
    """Samples after an event at t_off: of two samples at that time, the second."""
    after = t > t_off
    at = np.flatnonzero(t == t_off)
    if len(at):
        after[at[-1]] = True
    return after


@dataclass(frozen=True)
class Rocof:
    """Largest rate of change of frequency. `value` keeps its sign, Hz/s; `t_s` is the end of the window, s.

    NaN both when the series is shorter than the window, or holds no whole window of numbers.
    """

    value: float
    t_s: float
    window_s: float

    @property
    def assessable(self) -> bool:
        """False when no whole window fitted into the series."""
        return bool(np.isfinite(self.value))


def rocof_series(t_s: ArrayLike, f_hz: ArrayLike, window_s: float) -> tuple[FloatArray, FloatArray]:
    """(f(t) - f(t - W)) / W at every time where either end of the window meets a sample.

    A frequency drawn with straight lines between samples has its extreme slope at one of those times, so nothing
    is missed between them. Returns the times of the window's end, s, and the slopes, Hz/s; both empty when too short.
    """
    t, f = np.asarray(t_s, dtype=float), np.asarray(f_hz, dtype=float)
    ends = np.unique(np.concatenate([t, t + window_s]))
    rounding = 1e-9 * window_s
    ends = ends[(ends >= t[0] + window_s - rounding) & (ends <= t[-1] + rounding)] if len(t) else ends[:0]
    if not len(ends):
        return ends, ends.copy()
    return ends, (np.interp(ends, t, f) - np.interp(ends - window_s, t, f)) / window_s


def rocof(t_s: ArrayLike, f_hz: ArrayLike, window_s: float) -> Rocof:
    """The slope of largest size over a sliding window; see the top of this module for its definition.

    t_s  float[nt], s.   f_hz  float[nt], Hz.   window_s  length of the window, s, above 0.
    """
    if not window_s > 0.0:
        raise ValueError(f"window_s = {window_s}: must be above 0 s")
    ends, slope = rocof_series(t_s, f_hz, window_s)
    size = np.where(np.isnan(slope), -1.0, np.abs(slope))
    if not (size >= 0.0).any():
        return Rocof(float("nan"), float("nan"), window_s)
    k = int(np.argmax(size))
    return Rocof(float(slope[k]), float(ends[k]), window_s)


@dataclass(frozen=True)
class Settling:
    """Where a frequency ends.

    value       time-weighted mean over the last `window_s`. [Hz]; NaN when the run is too short
    low, high   extremes within the window. [Hz]
    settled     True when high - low is at most `band_hz`, and the window begins after the last event.
    reason      why it is not settled, in words; empty when it is.
    """

    value: float
    low: float
    high: float
    settled: bool
    window_s: float
    reason: str = ""


def settling(
    t_s: ArrayLike,
    f_hz: ArrayLike,
    window_s: float = SETTLING_WINDOW_S,
    band_hz: float = SETTLED_HZ,
    after_s: float | None = None,
) -> Settling:
    """Settling frequency: mean over the last window, and whether the frequency has come to rest there.

    after_s  time of the last event; a window that reaches back beyond it has not settled. [s]
    """
    t, f = np.asarray(t_s, dtype=float), np.asarray(f_hz, dtype=float)
    nan = float("nan")
    if not len(t) or t[-1] - t[0] < window_s * (1.0 - 1e-9):
        return Settling(nan, nan, nan, False, window_s, f"the run is shorter than the window of {window_s:g} s")
    begin = t[-1] - window_s
    inside = t >= begin
    tw = np.concatenate([[begin], t[inside]])
    fw = np.concatenate([[np.interp(begin, t, f)], f[inside]])
    if np.isnan(fw).any():
        return Settling(nan, nan, nan, False, window_s, f"no frequency in part of the last {window_s:g} s")
    mean, low, high = float(np.trapezoid(fw, tw) / window_s), float(fw.min()), float(fw.max())
    reason = ""
    if after_s is not None and begin < after_s - 1e-9:
        reason = f"an event at {after_s:g} s falls within the last {window_s:g} s"
    elif high - low > band_hz:
        reason = f"still moves by {1e3 * (high - low):.3g} mHz within the last {window_s:g} s"
    return Settling(mean, low, high, not reason, window_s, reason)
