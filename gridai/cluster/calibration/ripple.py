"""Ripple: what the cycle and the stalls leave of a record, as noise that forgets itself exponentially.

    residual x, stalls left out -> variance v and correlation r of neighbouring samples, both as the meter shows them

The mean over T of a noise of variance s2 and correlation time a has at the lag L, with E(x) = exp(-x / a),

    c(L) = s2 (a / T)^2 (2 (T - L) / a + E(T + L) + E(T - L) - 2 E(L))      L < T
    c(L) = s2 (a / T)^2 (E(L - T) + E(L + T) - 2 E(L))                      L >= T

so a is where c(step) / c(0) = r, and s2 follows from c(0) = v. A correlation below that of white noise gives the
shortest a. v is no more than the variance that a model without ripple lacks: what is left at the edges of a cycle,
where it is laid over the record a little off, is no noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridai.cluster.calibration.stalls import Stalls
from gridai.kernel.profile import Array

Bools = npt.NDArray[np.bool_]
SHORTEST, LONGEST = 0.25, 200.0
"""The correlation time lies within so many sampling steps."""
LEAST = 0.002
"""Less ripple over the level is none."""


@dataclass(frozen=True)
class Ripple:
    """Standard deviation over the level, before the meter, and correlation time [s]; both 0 where there is none."""

    share: float = 0.0
    time_s: float = 0.0


def outside(stalls: Stalls, samples: int, step_s: float, meter_s: float) -> Bools:
    """Which samples of a record are not touched by a stall."""
    kept = np.ones(samples, dtype=bool)
    near = max(1, round((stalls.duration_s + meter_s) / step_s))
    for at in stalls.t_s:
        k = round(at / step_s)
        kept[max(0, k - near) : k + near + 1] = False
    return kept


def find_ripple(
    residual: Array, kept: Bools, cycles: int, step_s: float, level: float, meter_s: float, most: float
) -> Ripple:
    """The ripple of a record.

    residual  trace less expected course; cycles: how many the expected course is made of.
    kept      samples outside stalls; most: variance that the ripple may have. [unit of the power, squared]
    """
    pairs = kept[1:] & kept[:-1]
    if pairs.sum() < 10:
        return Ripple()
    x = residual - residual[kept].mean()
    # A mean course of n cycles has taken its n-th part of the variance.
    variance = min(float(np.mean(x[kept] ** 2)) * cycles / max(cycles - 1, 1), most)
    if variance < (LEAST * level) ** 2:
        return Ripple()
    correlation = float(np.mean(x[1:][pairs] * x[:-1][pairs]) / np.mean(x[kept] ** 2))
    times = step_s * np.geomspace(SHORTEST, LONGEST, 400)
    shown = np.array([metered_covariance(step_s, a, meter_s) / metered_covariance(0.0, a, meter_s) for a in times])
    time_s = float(times[int(np.abs(shown - correlation).argmin())])
    return Ripple(math.sqrt(variance / metered_covariance(0.0, time_s, meter_s)) / level, time_s)


def metered_covariance(lag_s: float, time_s: float, meter_s: float) -> float:
    """Covariance at a lag of the mean over meter_s of a noise of variance 1 and correlation time time_s."""
    if meter_s <= 0.0:
        return math.exp(-lag_s / time_s)
    lag, width = lag_s / time_s, meter_s / time_s
    if lag < width:
        inner = 2.0 * (width - lag) + math.exp(-width - lag) + math.exp(lag - width) - 2.0 * math.exp(-lag)
    else:
        inner = math.exp(width - lag) + math.exp(-lag - width) - 2.0 * math.exp(-lag)
    return inner / width**2
