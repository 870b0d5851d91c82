"""Parts of a run: where a job draws its power and where the servers stand idle, and which part is the training.

    W  |        ____________          _/\\_/\\_/\\_      high: between two crossings of the middle of both levels
       |  _____/            \\________/              low: idle, loading, initialising
       +--------------------------------------> t
              flat: warm-up            swings most: the training phase

The two levels are the means of the two groups that split the samples best (Otsu's criterion). A run whose lower group
is above KEEPS of the upper one, or that is up for short times only, is a single part.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gridai.cluster.calibration.measures import uniform
from gridai.cluster.traces.trace import Trace
from gridai.kernel.profile import Array

KEEPS = 0.62
"""Idle H100 nodes draw 0.31 to 0.39 of their training power, evaluations and checkpoints 0.8: the middle of both."""
EDGE_S = 4.0
"""So much is left out at both ends of a part, beside twice the meter's averaging time."""


@dataclass(frozen=True)
class Part:
    """From start_s to end_s (where power crosses the middle), its mean power and swing. [MW]"""

    start_s: float
    end_s: float
    high: bool
    mean_mw: float
    std_mw: float

    @property
    def duration_s(self) -> float:
        """Length. [s]"""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Segments:
    """All parts of a trace in order; idle_mw and active_mw are their levels (idle NaN where it never stands)."""

    parts: tuple[Part, ...]
    idle_mw: float
    active_mw: float

    @property
    def active(self) -> tuple[Part, ...]:
        """The parts in which a job runs."""
        return tuple(part for part in self.parts if part.high)

    @property
    def training(self) -> Part:
        """The part in which power swings most, its length counted in: the training. Flat parts are warm-up."""
        return max(self.active, key=lambda part: part.std_mw * np.sqrt(max(part.duration_s, 0.0)))


def split(power: Array) -> tuple[float, float]:
    """Means of the lower and the upper group of the two that differ most for their size (Otsu)."""
    ordered = np.sort(power)
    below = np.cumsum(ordered)[:-1]
    n = np.arange(1, len(ordered))
    low, high = below / n, (ordered.sum() - below) / (len(ordered) - n)
    between = n * (len(ordered) - n) * (high - low) ** 2
    k = int(between.argmax())
    return float(low[k]), float(high[k])


def segment(trace: Trace, shortest_s: float = 8.0) -> Segments:
    """The parts of a run; one shorter than shortest_s belongs to its neighbours."""
    power, step_s = uniform(trace), trace.step_s
    low, high = split(power)
    middle = (low + high) / 2.0
    state = power > middle
    edges = _edges(state, max(1, round(shortest_s / step_s)))
    if low > KEEPS * high or not state.any():
        whole = _part(power, step_s, 0, len(power), True, 0.0)
        return Segments((whole,), float("nan"), float(np.median(power)))
    margin = EDGE_S + 2.0 * trace.meter_s
    times = [step_s * _crossing(power, k, middle) for k in edges]
    parts = tuple(
        replace(_part(power, step_s, a, b, bool(state[(a + b) // 2]), margin), start_s=times[k], end_s=times[k + 1])
        for k, (a, b) in enumerate(itertools.pairwise(edges))
    )
    idle = [p.mean_mw for p in parts if not p.high]
    return Segments(parts, float(np.min(idle)) if idle else float("nan"), high)


def _edges(state: npt.NDArray[np.bool_], shortest: int) -> list[int]:
    """Borders of runs of one state; runs that are too short are taken into their neighbours, shortest first."""
    while True:
        edges = [0, *(np.flatnonzero(np.diff(state.astype(int))) + 1).tolist(), len(state)]
        length = np.diff(edges)
        k = int(length.argmin())
        if len(length) == 1 or length[k] >= shortest:
            return edges
        state[edges[k] : edges[k + 1]] = not state[edges[k]]


def _crossing(power: Array, k: int, middle: float) -> float:
    """Where between sample k - 1 and k the power crosses the middle, in samples; the ends of the record as they are."""
    if k <= 0 or k >= len(power):
        return float(min(max(k, 0), len(power) - 1))
    before, after = float(power[k - 1]), float(power[k])
    share = (middle - before) / (after - before) if after != before else 0.5
    return k - 1 + float(np.clip(share, 0.0, 1.0))


def _part(power: Array, step_s: float, a: int, b: int, high: bool, margin_s: float) -> Part:
    skip = min(round(margin_s / step_s), max(0, (b - a - 3) // 2))
    inner = power[a + skip : b - skip]
    return Part(a * step_s, (b - 1) * step_s, high, float(inner.mean()), float(inner.std()))


def inner(trace: Trace, part: Part) -> Trace:
    """The samples of a part without its edges."""
    return inner_of(trace, part.start_s, part.end_s)


def inner_of(trace: Trace, start_s: float, end_s: float) -> Trace:
    """The samples from start_s to end_s without the edges there; an end of the trace itself has none. [s]"""
    margin = min(EDGE_S + 2.0 * trace.meter_s, 0.25 * (end_s - start_s))
    first = start_s + (margin if start_s > 0.0 else 0.0)
    last = end_s - (margin if end_s < trace.duration_s - 1e-9 else 0.0)
    return trace.between(first, last)
