r"""Frequency and damping of the swings in a time series, by the matrix pencil method, and one spectral line of it.

A ringdown is a sum of damped sinusoids,

    y[k] = sum_i  R_i z_i^k,      z_i = exp(lambda_i * step),      lambda = sigma + j omega,   zeta = -sigma / |lambda|

Rows of shifted samples (a Hankel matrix, all series one below the other) have the z_i as the eigenvalues of the pencil
of their row space without its last and without its first column. Its dimension is the number of singular values
above the noise; the noise level is found from the median singular value (Gavish and Donoho 2014, hard threshold).
The amplitudes R_i follow by least squares.

Source: Hua and Sarkar, IEEE Trans. ASSP 38 (1990) 814-824; several series: Crow and Singh, IEEE Trans. Power Systems 20
(2005) 1097-1099.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import SettingError

SAMPLES_PER_PERIOD = 10.0
"""So often is the fastest swing looked for sampled."""
MOST_SAMPLES = 400
MOST_MODES = 30
TRACE = 1e-4
"""Swings below this part of the largest are left out."""
ROUNDING = 1e-9
"""Singular values below this part of the largest are rounding."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Swing:
    """One damped oscillation of a ringdown.

    f_hz      frequency. [Hz]
    damping   damping ratio; negative: it grows.
    sigma     real part of its eigenvalue. [1/s]
    size      root of its energy over all series, each series counted relative to its own deviation.
    shape     complex amplitude at the start in each series, in the unit of the series.
    """

    f_hz: float
    damping: float
    sigma: float
    size: float
    shape: tuple[complex, ...]


def ringdown(t_s: ArrayLike, y: ArrayLike, f_min_hz: float = 0.1, f_max_hz: float = 3.0) -> tuple[Swing, ...]:
    """The oscillations between two frequencies, the one with the most energy first.

    t_s  float[nt], s, non-decreasing; of a repeated time the last sample counts.   y  float[nt] or [nt, series].
    Series that hold NaN or do not move are left out (their amplitude is NaN). Empty where nothing swings.
    Raises SettingError for frequencies that are not 0 < f_min < f_max, or a series shorter than one period of f_min.
    """
    if not 0.0 < f_min_hz < f_max_hz < np.inf:
        raise SettingError(f"f_min_hz = {f_min_hz!r}, f_max_hz = {f_max_hz!r}: give 0 < f_min_hz < f_max_hz")
    t, values = np.asarray(t_s, dtype=float), np.asarray(y, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    if len(t) < 8 or t[-1] - t[0] < 1.0 / f_min_hz:
        raise SettingError(f"a ringdown of at least {1.0 / f_min_hz:.3g} s is needed for {f_min_hz:g} Hz")
    grid, step, samples = _even(t, values, f_max_hz)
    spread = np.std(samples, axis=0)
    moving = np.isfinite(spread) & (spread > 1e-12 * np.maximum(1.0, np.abs(samples).max(axis=0)))
    if not moving.any():
        return ()
    poles = _poles(samples[:, moving] / spread[moving])
    power = np.exp(np.outer(np.arange(len(grid)), np.log(poles)))
    amplitude = np.linalg.lstsq(power, samples[:, moving].astype(complex), rcond=None)[0]
    size = np.sqrt((np.abs(power) ** 2).mean(axis=0) * (np.abs(amplitude / spread[moving]) ** 2).sum(axis=1))
    found = []
    for k, rate in enumerate(np.log(poles) / step):
        if f_min_hz <= rate.imag / (2 * np.pi) <= f_max_hz:
            shape = np.full(values.shape[1], np.nan, dtype=complex)
            shape[moving] = 2.0 * amplitude[k]
            f_hz, damping = float(rate.imag / (2 * np.pi)), float(-rate.real / abs(rate))
            found.append(Swing(f_hz, damping, float(rate.real), float(size[k]), tuple(shape.tolist())))
    found.sort(key=lambda swing: -swing.size)
    return tuple(swing for swing in found if swing.size >= TRACE * found[0].size)


def _even(t: FloatArray, y: FloatArray, f_max_hz: float) -> tuple[FloatArray, float, FloatArray]:
    """Even samples: means over bins one step wide, so that noise falls and nothing folds back."""
    span = t[-1] - t[0]
    step = max(1.0 / (SAMPLES_PER_PERIOD * f_max_hz), span / MOST_SAMPLES)
    edges = t[0] + step * np.arange(int(span / step + 1e-9) + 1)
    last = np.append(np.diff(t) > 0.0, True)
    at, values = t[last], y[last]
    area = np.vstack([np.zeros(y.shape[1]), np.cumsum(np.diff(at)[:, None] * (values[1:] + values[:-1]) / 2, axis=0)])
    below = np.clip(np.searchsorted(at, edges, side="right") - 1, 0, len(at) - 2)
    part = (edges - at[below])[:, None]
    slope = (values[below + 1] - values[below]) / (at[below + 1] - at[below])[:, None]
    at_edges = area[below] + part * (values[below] + 0.5 * part * slope)
    return edges[:-1] + step / 2, step, np.diff(at_edges, axis=0) / step


def _poles(y: FloatArray) -> NDArray[np.complex128]:
    """The z_i of evenly sampled series, float[nt, series]."""
    n = len(y)
    width = n // 2
    rows = [np.lib.stride_tricks.sliding_window_view(column, width + 1) for column in y.T]
    hankel = np.vstack(rows)
    _, size, vh = np.linalg.svd(hankel, full_matrices=False)
    beta = min(hankel.shape) / max(hankel.shape)
    threshold = (0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43) * float(np.median(size))
    order = int(np.clip((size > max(threshold, ROUNDING * size[0])).sum(), 1, min(MOST_MODES, width)))
    v = vh[:order].T
    poles: NDArray[np.complex128] = np.linalg.eigvals(np.linalg.lstsq(v[:-1], v[1:], rcond=None)[0]).astype(complex)
    return poles[np.abs(poles) > 1e-6]


def spectral_line(t_s: ArrayLike, y: ArrayLike, f_hz: float, from_s: float, to_s: float) -> NDArray[np.complex128]:
    """Complex amplitude of y at one frequency over a window, best a whole number of periods. complex[series]

    Straight lines between samples, mean removed. A cosine of amplitude 1 gives 1.
    """
    t, values = np.asarray(t_s, dtype=float), np.asarray(y, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    inside = (t > from_s) & (t < to_s)
    grid = np.concatenate([[from_s], t[inside], [to_s]])
    ends = np.array([[np.interp(x, t, column) for column in values.T] for x in (from_s, to_s)])
    window = np.vstack([ends[:1], values[inside], ends[1:]])
    window = window - np.trapezoid(window, grid, axis=0) / (to_s - from_s)
    turn = np.exp(-2j * np.pi * f_hz * grid)[:, None]
    line: NDArray[np.complex128] = 2.0 * np.trapezoid(window * turn, grid, axis=0) / (to_s - from_s)
    return line
