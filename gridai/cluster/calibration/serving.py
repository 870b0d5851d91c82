"""Fit of `Serving`: power of single GPUs while they serve, without a column of load.

    total -> parts (busy, idle) by their levels -> samples of all GPUs while busy -> two levels (Otsu), their share and
    spread; correlation of two GPUs from their covariance; how long a state lasts from the lag of one sample

The run's own start and stop times are taken from the parts, as in `fit`.
"""

from __future__ import annotations

import math

import numpy as np

from gridai.cluster.calibration.fit import Fit
from gridai.cluster.calibration.run import Schedule
from gridai.cluster.calibration.segment import segment, split
from gridai.cluster.traces.trace import Trace
from gridai.cluster.workloads.serving import Serving
from gridai.errors import SettingError
from gridai.kernel.profile import Array

LEAST_BUSY = 30


def fit_serving(trace: Trace, watt: Array) -> Fit:
    """The Serving workload of a trace and its GPUs' own powers.

    trace  the sum. watt  float[samples, GPUs] at the trace's times. [W] Raises SettingError for too few busy samples.
    """
    if watt.ndim != 2 or len(watt) != len(trace):
        raise SettingError(
            f"fit of {trace.name}: powers of shape {watt.shape}: give one row for each of {len(trace)} times"
        )
    segments = segment(trace)
    busy = np.zeros(len(trace), dtype=bool)
    for part in segments.active:
        busy |= (trace.t_s > part.start_s) & (trace.t_s < part.end_s)
    # Samples next to a border are of both states.
    busy &= np.roll(busy, 1) & np.roll(busy, -1)
    if busy.sum() < LEAST_BUSY:
        raise SettingError(f"fit of {trace.name}: {busy.sum()} busy samples; {LEAST_BUSY} are needed")
    b = watt[busy]
    low, high = split(b.ravel())
    up = b > (low + high) / 2.0
    mean = float(b.mean())
    spread = math.sqrt((b[up].var() * up.mean() if up.any() else 0.0) + b[~up].var() * (1.0 - up.mean())) / mean
    work = Serving(
        decode=low / mean,
        prefill=high / mean,
        prefill_share=float(up.mean()),
        turn_s=_turn(trace.t_s[busy], b),
        spread=spread,
        correlation=_correlation(b),
    )
    idle = ~busy & (trace.mw < segments.idle_mw + 0.2 * (segments.active_mw - segments.idle_mw))
    notes = (
        *trace.notes,
        f"decode {low:.0f} W, prefill {high:.0f} W for {up.mean():.0%} of the time, two GPUs correlate by "
        f"{work.correlation:.2f}",
        "the load is not in the trace, so levels and shares hold for this load only",
    )
    return Fit(trace, work, float(trace.mw[busy].mean()), segments, Schedule.of(segments, trace, idle), notes=notes)


def _correlation(b: Array) -> float:
    """Mean correlation of two GPUs, from the variance of the sum."""
    n = b.shape[1]
    own = b.var(axis=0)
    pairs = b.sum(axis=1).var() - own.sum()
    together = np.sqrt(own).sum() ** 2 - own.sum()
    return float(np.clip(pairs / together, 0.0, 1.0)) if n > 1 else 0.0


def _turn(t: Array, b: Array) -> float:
    """Time in which the correlation of a GPU with itself halves, a sixth of the sampling step at least. [s]"""
    step = np.diff(t)
    close = step < 1.5 * np.median(step)
    x = b - b.mean(axis=0)
    kept = float(np.mean(x[1:][close] * x[:-1][close]) / np.mean(x * x))
    base = float(np.median(step))
    return base * (math.log(0.5) / math.log(kept) if kept > 1.0 / 64.0 else 1.0 / 6.0)
