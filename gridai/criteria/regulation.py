"""Scores of a regulation service: accuracy, delay, precision and their mean, as PJM's three-part score.

    accuracy    largest correlation of response and signal over lags of 0 to 5 min, in steps of 10 s
    delay       |lag - 300 s| / 300 s at the lag of the largest correlation; 0 where nothing correlates
    precision   1 - mean |response - signal| / mean |signal|, at least 0

Every 5 min are scored for themselves and the hour is the mean of twelve. Source: PJM Manual 12, recalled, as in GMLC
1.4.2 `reg_service.perf_score`; checked against computed vectors. PJM's design of October 2025 is not covered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError

STEP_S, PART_S, LAG_S = 10.0, 300.0, 300.0
PART, LAGS, PARTS = 30, 30, 12
"""Samples of 5 min, largest lag in samples, parts of an hour."""
QUALIFIES, FLOOR = 0.75, 0.40
"""Score that qualifies a unit, and floor below which it loses that: recalled, unverified (confidence M)."""

FloatArray = NDArray[np.float64]


class Score(NamedTuple):
    """Each at most 1. precision_hourly: relative to the hour's mean signal; composite: mean of the first three."""

    accuracy: float
    delay: float
    precision: float
    precision_hourly: float
    composite: float


def regulation_score(signal: ArrayLike, response: ArrayLike) -> Score:
    """The score of one hour.

    signal, response  float[390] or longer: samples of 10 s, an hour and the 5 min after it in which the last response
    may still come; any common unit. Raises ResultError for fewer samples, NaN, or an hour without a signal.
    """
    s, r = np.asarray(signal, dtype=float), np.asarray(response, dtype=float)
    needed = PART * PARTS + LAGS
    if s.shape != r.shape or len(s) < needed:
        raise ResultError(f"signal {s.shape}, response {r.shape}: both take {needed} samples of {STEP_S:g} s")
    if np.isnan(s[:needed]).any() or np.isnan(r[:needed]).any():
        raise ResultError("signal or response holds NaN")
    hour = float(np.abs(s[: PART * PARTS]).mean())
    if hour == 0.0:
        raise ResultError("an hour without a signal has no score")
    rows = [_part(s[k : k + PART], r[k : k + PART + LAGS], hour) for k in range(0, PART * PARTS, PART)]
    accuracy, delay, precision, hourly = (float(x) for x in np.mean(rows, axis=0))
    return Score(accuracy, delay, precision, hourly, (accuracy + delay + precision) / 3.0)


def _part(s: FloatArray, r: FloatArray, hour: float) -> tuple[float, float, float, float]:
    """Accuracy, delay, and both precisions of one part; r reaches one largest lag further than s."""
    windows = np.lib.stride_tricks.sliding_window_view(r, PART)
    own, others = s - s.mean(), windows - windows.mean(axis=1, keepdims=True)
    size = np.sqrt((own**2).sum() * (others**2).sum(axis=1))
    still = size <= 1e-12 * max(1.0, float(np.abs(s).max()))
    correlation = np.divide(others @ own, size, out=np.zeros(len(windows)), where=~still)
    lag = int(correlation.argmax())
    accuracy = max(0.0, float(correlation[lag]))
    delay = abs(lag * STEP_S - LAG_S) / LAG_S if accuracy > 0.0 else 0.0
    error, mean = float(np.abs(r[:PART] - s).mean()), float(np.abs(s).mean())
    precision = max(0.0, 1.0 - error / mean) if mean > 0.0 else 0.0
    return accuracy, delay, precision, max(0.0, 1.0 - error / hour)
