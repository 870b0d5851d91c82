"""Fit of a `Cycle`: one measured iteration cut into phases of a level, a duration and an edge.

    1. the samples, laid on a uniform grid, are cut into k constant pieces with the least square error (dynamic
       programming over all cuts), for k up to MOST_PHASES
    2. k is the smallest number after which one phase more takes off less than GAIN of the error
    3. a short piece between a lower and a higher one is part of an edge, not a phase
    4. levels, borders and edges are refined together by least squares on the samples and the lines between them
    5. the longest phase is searched for a pattern that repeats within it (micro-batches): the samples are folded at
       every period; it is taken where folding leaves clearly less than it does after shuffling the samples

Published traces of an iteration are drawn points, often 20 to 200 ms apart; an edge shorter than that cannot be seen.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from gridai.cluster.workloads.cycle import Cycle, Phase
from gridai.errors import SettingError
from gridai.kernel.profile import Array

MOST_PHASES = 24
GAIN = 0.04
GRID = 400
SHORT = 0.04
"""A piece of a stair shorter than this share of the iteration is part of an edge."""
SAMPLES_A_BIN = 5
PATTERN_EDGE = 0.5
LEAST_RIPPLE = 0.01
CLEARLY = 0.85
"""A pattern leaves less of the variance than this over the least that 20 shuffles leave."""


@dataclass(frozen=True)
class CycleFit:
    """A Cycle fitted to one iteration. rms: error over the mean of the samples; t_s, power: the model at the samples;
    pattern: whether the longest phase repeats a pattern."""

    cycle: Cycle
    t_s: Array
    power: Array
    rms: float
    pattern: bool = False


def fit_cycle(t_s: Array, power: Array, period_s: float | None = None, phases: int | None = None) -> CycleFit:
    """The phases of one iteration given by samples (t_s rising, power in any unit).

    period_s  length of the iteration; default: the lag at which the samples' end repeats their beginning, else their
              span. Samples beyond it are left out.
    phases    how many; default: as many as pay.
    Raises SettingError for too few samples or times that do not rise.
    """
    t, p = np.asarray(t_s, dtype=float), np.asarray(power, dtype=float)
    if len(t) < 12 or len(t) != len(p) or not (np.diff(t) > 0.0).all() or not np.isfinite(p).all():
        raise SettingError(f"cycle: {len(t)} samples: give 12 or more, of rising time and finite power")
    period = _own_period(t - t[0], p) if period_s is None else float(period_s)
    if not 0.0 < period <= (t[-1] - t[0]) * (1.0 + 1e-9):
        raise SettingError(
            f"cycle: period_s = {period:g} s: give one above 0 and within the samples' {t[-1] - t[0]:g} s"
        )
    inside = t - t[0] <= period + 1e-9
    t, p = t[inside] - t[0], p[inside]
    borders, edges = _merged(t, p, period, _cuts(t, p, period, phases))
    # Straight lines between samples count as well: an edge of two or three samples is not determined by them alone.
    even = np.union1d(t, np.linspace(t[0], t[-1], GRID))
    levels, borders, edges = _refined(even, np.interp(even, t, p), period, borders, edges)
    starts = np.concatenate([[0.0], borders])
    durations = np.diff(np.append(starts, period))
    made = [Phase(float(v), float(d), float(e), f"phase {k + 1}")
            for k, (v, d, e) in enumerate(zip(levels, durations, edges, strict=True))]  # fmt: skip
    k = int(durations.argmax())
    next_edge_s = float(edges[(k + 1) % len(edges)])
    inside = (t > starts[k] + edges[k] / 2.0) & (t < starts[k] + durations[k] - next_edge_s / 2.0)
    repeats = _pattern(made[k], next_edge_s, float(starts[k]), t[inside], p[inside])
    cycle = Cycle((*made[:k], *repeats, *made[k + 1 :]))
    course = cycle.one().value(t)
    return CycleFit(cycle, t, course, float(np.sqrt(np.mean((course - p) ** 2)) / p.mean()), len(repeats) > 1)


def _own_period(t: Array, p: Array) -> float:
    """The lag at which the end of the samples repeats their beginning, or their whole span where it does not. [s]"""
    span, reach = float(t[-1]), float(np.ptp(p))
    lags = np.linspace(0.6 * span, span, 400)
    off = np.full(len(lags), np.inf)
    for k, lag in enumerate(lags):
        common = t <= span - lag
        if common.sum() >= 6 and np.ptp(p[common]) > 0.5 * reach:
            off[k] = np.sqrt(np.mean((np.interp(t[common] + lag, t, p) - p[common]) ** 2))
    return float(lags[int(off.argmin())]) if off.min() < 0.1 * reach else span


def _merged(t: Array, p: Array, period: float, borders: Array) -> tuple[Array, Array]:
    """Borders and edges after short steps of a stair have become parts of edges."""
    starts = np.concatenate([[0.0], borders, [period]])
    level = [float(np.mean(np.interp(np.linspace(a, b, 20), t, p))) for a, b in itertools.pairwise(starts)]
    keep, width = [float(starts[0])], [0.0]
    for k in range(1, len(level)):
        here, before = float(starts[k]), level[k - 1]
        between = k < len(level) - 1 and min(before, level[k + 1]) < level[k] < max(before, level[k + 1])
        if between and starts[k + 1] - here < SHORT * period:
            # The stair's step goes into the edge at its end; the next border stands for both.
            starts[k + 1] = (here + starts[k + 1]) / 2.0
            width.append(2.0 * (starts[k + 1] - here))
            keep.append(float("nan"))
        else:
            keep.append(here)
            width.append(width[-1] if np.isnan(keep[-2]) else 0.0)
    kept = ~np.isnan(keep)
    kept[0] = False
    return np.array(keep)[kept], np.array(width)[kept]


def _pattern(phase: Phase, next_edge_s: float, start: float, t: Array, p: Array) -> list[Phase]:
    """The phase as repeats of a pattern of a few levels, or as it is where none is there."""
    bins = int(np.clip(len(t) // SAMPLES_A_BIN, 3, 12))
    if len(t) < 4 * SAMPLES_A_BIN or p.std() < LEAST_RIPPLE * abs(phase.level):
        return [phase]
    periods = np.linspace(bins * np.median(np.diff(t)) / 1.5, phase.duration_s / 3.0, 400)
    left = _left(t - start, p, periods, bins)
    rng = np.random.default_rng(0)
    shuffled = min(_left(t - start, rng.permutation(p), periods, bins).min() for _ in range(20))
    if left.min() > CLEARLY * shuffled:
        return [phase]
    best = float(periods[int(left.argmin())])
    where = ((t - start) / best % 1.0 * bins).astype(int)
    level = np.array([p[where == b].mean() if (where == b).any() else phase.level for b in range(bins)])
    width = best / bins
    first = int(np.ceil(phase.edge_s / 2.0 / width + 0.5))
    last = int(np.floor((phase.duration_s - next_edge_s / 2.0) / width - 0.5))
    borders = np.concatenate([[0.0], width * np.arange(first, last + 1), [phase.duration_s]])
    which = [(first - 1) % bins, *(n % bins for n in range(first, last + 1))]
    return [Phase(float(level[b]), float(d), phase.edge_s if n == 0 else PATTERN_EDGE * width, f"{phase.name}.{b + 1}")
            for n, (b, d) in enumerate(zip(which, np.diff(borders), strict=True))]  # fmt: skip


def _left(t: Array, p: Array, periods: Array, bins: int) -> Array:
    """Share of the variance that is left within the bins after folding at each period."""
    where = (t[None, :] / periods[:, None] % 1.0 * bins).astype(int) + bins * np.arange(len(periods))[:, None]
    y = np.broadcast_to(p - p.mean(), where.shape)
    size = bins * len(periods)
    count = np.bincount(where.ravel(), minlength=size)
    total = np.bincount(where.ravel(), y.ravel(), size)
    explained = np.divide(total**2, count, out=np.zeros(size), where=count > 0).reshape(len(periods), bins).sum(axis=1)
    return np.asarray(1.0 - explained / max(float(((p - p.mean()) ** 2).sum()), 1e-300))


def _cuts(t: Array, p: Array, period: float, phases: int | None) -> Array:
    """Borders of the constant pieces. [s]"""
    grid = period * (np.arange(GRID) + 0.5) / GRID
    y = np.interp(grid, t, p)
    s1, s2 = (np.concatenate([[0.0], np.cumsum(x)]) for x in (y, y * y))
    i, j = np.meshgrid(np.arange(GRID + 1), np.arange(GRID + 1), indexing="ij")
    n = np.maximum(j - i, 1)
    cost = np.where(j > i, (s2[j] - s2[i]) - (s1[j] - s1[i]) ** 2 / n, np.inf)
    best, back = cost[0].copy(), []
    found = [best[-1]]
    for _ in range(1, phases or MOST_PHASES):
        total = best[:, None] + cost
        back.append(total.argmin(axis=0))
        best = total.min(axis=0)
        found.append(best[-1])
    k = phases or _enough(np.array(found))
    at, borders = GRID, []
    for row in reversed(back[: k - 1]):
        at = int(row[at])
        borders.append(at * period / GRID)
    return np.array(borders[::-1])


def _enough(errors: Array) -> int:
    """The number of pieces after which none takes off more than GAIN of the whole variance's root."""
    left = np.sqrt(np.maximum(errors, 0.0) / max(errors[0], 1e-300))
    gains = left[:-1] - left[1:]
    worth = np.flatnonzero(gains > GAIN * left[:-1])
    return int(worth[-1]) + 2 if len(worth) else 1


def _refined(t: Array, p: Array, period: float, borders: Array, edges: Array) -> tuple[Array, Array, Array]:
    """Levels, borders and the edge into each phase, by least squares."""
    from scipy.optimize import least_squares

    n = len(borders) + 1
    starts = np.concatenate([[0.0], borders, [period]])
    scale, room = float(p.mean()), np.diff(np.concatenate([[0.0], borders, [period]]))
    levels = np.array([np.median(np.interp(np.linspace(a, b, 21)[5:16], t, p)) for a, b in itertools.pairwise(starts)])
    if n == 1:
        return levels, borders, np.array([0.0])
    first = np.maximum(edges, 0.2 * np.minimum(room[:-1], room[1:]))
    x0 = np.concatenate([levels / scale, borders, first])
    low = np.concatenate([np.full(n, 0.0), borders - 0.4 * room[:-1], np.full(n - 1, 1e-3)])
    high = np.concatenate([np.full(n, np.inf), borders + 0.4 * room[1:], np.full(n - 1, 0.2 * period)])

    def off(x: Array) -> Array:
        v, b = x[:n], x[n : 2 * n - 1]
        e = _fitting(b, x[2 * n - 1 :], period)
        knots = np.stack([b - e / 2.0, b + e / 2.0], axis=1).ravel()
        return np.asarray(np.interp(t, knots, np.stack([v[:-1], v[1:]], axis=1).ravel()) - p / scale)

    x = least_squares(off, np.clip(x0, low + 1e-9, high - 1e-9), bounds=(low, high), max_nfev=300).x
    b = x[n : 2 * n - 1]
    found = _fitting(b, x[2 * n - 1 :], period)
    return x[:n] * scale, b, np.concatenate([[min(float(found.min()), 0.1 * period / n)], found])


def _fitting(borders: Array, edges: Array, period: float) -> Array:
    """Edges cut so that two of them never overlap within a phase."""
    room = np.diff(np.concatenate([[0.0], borders, [period]]))
    return np.minimum(np.abs(edges), 0.95 * np.minimum(room[:-1], room[1:]))
