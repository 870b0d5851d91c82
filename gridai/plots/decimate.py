"""Fewer points for drawing, with every peak kept: the lowest and the highest sample of each bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
POINTS = 2000
"""About as many points as a printed line can show."""


def decimate(t: FloatArray, y: FloatArray, points: int = POINTS) -> tuple[FloatArray, FloatArray]:
    """Times and values of at most about `points` samples: both extremes of each bin, the first and the last sample.

    t  float[nt].   y  float[nt]. A gap (NaN) stays a gap: one NaN of each bin that holds any is kept.
    """
    if len(y) <= points:
        return t, y
    kept = kept_samples(y, points)
    return t[kept], y[kept]


def kept_samples(y: FloatArray, points: int = POINTS) -> NDArray[np.int64]:
    """Which samples `decimate` keeps, in order."""
    nt = len(y)
    if nt <= points:
        return np.arange(nt)
    size = -(-2 * nt // points)
    starts = np.arange(0, nt, size)
    padded = np.append(y, np.full(len(starts) * size - nt, y[-1])).reshape(-1, size)
    gap = np.isnan(padded)
    low = starts + np.where(gap, np.inf, padded).argmin(axis=1)
    high = starts + np.where(gap, -np.inf, padded).argmax(axis=1)
    gaps = (starts + gap.argmax(axis=1))[gap.any(axis=1)]
    return np.unique(np.concatenate([[0, nt - 1], np.minimum(low, nt - 1), np.minimum(high, nt - 1), gaps]))
