"""What the study `timeseries` keeps of its steps, in bounded memory: sums, extremes, histograms, buckets of the course.

Histograms have bins of 0.0005 pu and 0.5 %, so duration curves are exact to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.series import Block

Floats = NDArray[np.float64]
VM_BIN, VM_BINS = 0.0005, 4000
PERCENT_BIN, PERCENT_BINS = 0.5, 1000
BUCKETS = 2000
"""So many points of the course are kept, each with mean, lowest and highest of its steps."""
POINTS = 201
MOST_RUNS = 10_000
COURSES = ("cluster_mw", "losses_mw", "slack_mw", "vm_min_pu", "vm_max_pu", "percent_max")


@dataclass
class Run:
    """Steps one after the other without a solution: first and last step, the reason of the first, least reached."""

    first: int
    last: int
    reason: str
    reached: float


class Histogram:
    """Counts of values, float[n, columns], in bins; values beyond the ends count in the outermost bin."""

    def __init__(self, columns: int, width: float, bins: int) -> None:
        self.width, self.bins = width, bins
        self.counts = np.zeros((columns, bins), dtype=np.int64)

    def add(self, values: Floats) -> None:
        """Count; NaN is left out."""
        columns = values.shape[1]
        place = np.nan_to_num(values / self.width, nan=-1.0, posinf=self.bins, neginf=0.0)
        at = np.minimum(place.astype(np.int64), self.bins - 1) + np.arange(columns) * self.bins
        kept = at[place >= 0.0]
        self.counts += np.bincount(kept.ravel(), minlength=columns * self.bins).reshape(columns, self.bins)

    def duration(self, column: int) -> tuple[Floats, Floats]:
        """Share of the time and the value exceeded for so long, POINTS points from the highest to the lowest."""
        counts = self.counts[column]
        total = counts.sum()
        share = np.linspace(0.0, 1.0, POINTS)
        if total == 0:
            return share, np.full(POINTS, np.nan)
        filled = np.flatnonzero(counts)
        above = np.cumsum(counts[::-1])[::-1] / total
        value = (np.arange(self.bins) + 0.5) * self.width
        inner = np.interp(share, above[filled][::-1], value[filled][::-1])
        return share, inner


class Sums:
    """Adds up blocks of steps.

    t_s      times of all steps, float[n]. [s]
    buses, branches   names, as the columns of the blocks.
    """

    def __init__(self, t_s: Floats, buses: Sequence[str], branches: Sequence[str]) -> None:
        self.t_s, self.buses, self.branches = t_s, tuple(buses), tuple(branches)
        n = len(t_s)
        self.hours = _hours(t_s)
        self.solved = 0
        self.runs: list[Run] = []
        self.reasons: dict[str, int] = {}
        self.hours_solved = 0.0
        self.energy = {"cluster_mw": 0.0, "losses_mw": 0.0, "slack_mw": 0.0}
        self.vm = Histogram(len(self.buses), VM_BIN, VM_BINS)
        self.percent = Histogram(len(self.branches), PERCENT_BIN, PERCENT_BINS)
        self.low = [np.inf, -1, -1]
        self.high = [-np.inf, -1, -1]
        self.most = [-np.inf, -1, -1]
        self.over_hours = np.zeros(len(self.branches))
        self.extreme: dict[str, list[float]] = {}
        self._width = max(1, -(-n // BUCKETS))
        self._mean = {name: np.zeros(-(-n // self._width)) for name in COURSES}
        self._count = np.zeros(-(-n // self._width))
        self._of_step: dict[str, Floats] = {}

    def add(self, block: Block, cluster_mw: Floats) -> dict[str, Floats]:
        """Count a block in; returns its courses, float[n] each, for writing."""
        at = slice(block.k0, block.k0 + len(block.solved))
        good, hours = block.solved, self.hours[at]
        self.solved += int(good.sum())
        self.hours_solved += float(hours[good].sum())
        vm = np.where(np.isnan(block.vm_pu), np.inf, block.vm_pu)
        low_at, low = vm.argmin(axis=1), vm.min(axis=1)
        high_all = np.where(np.isnan(block.vm_pu), -np.inf, block.vm_pu)
        high_at, high = high_all.argmax(axis=1), high_all.max(axis=1)
        percent = np.where(np.isnan(block.percent), -np.inf, block.percent)
        if not percent.shape[1]:
            percent = np.full((len(good), 1), -np.inf)
        most_at, most = percent.argmax(axis=1), percent.max(axis=1)
        courses = {
            "cluster_mw": np.where(good, cluster_mw, np.nan), "losses_mw": block.losses_mw,
            "slack_mw": block.slack_mw, "vm_min_pu": np.where(good, low, np.nan),
            "vm_max_pu": np.where(good, high, np.nan), "percent_max": np.where(good, most, np.nan),
        }  # fmt: skip
        self._extremes(block.k0, good, (low, low_at), (high, high_at), (most, most_at))
        for name in self.energy:
            self.energy[name] += float(np.nansum(courses[name] * hours))
        self.vm.add(block.vm_pu)
        if len(self.branches):
            self.percent.add(np.where(np.isinf(block.percent), np.nan, block.percent))
            self.over_hours += ((block.percent > 100.0) * hours[:, None]).sum(axis=0)
        self._bucket(block.k0, courses, good)
        self._unsolved(block)
        return {**courses, "vm_min_at": low_at, "vm_max_at": high_at, "percent_max_at": most_at}

    def _extremes(self, k0: int, good: Any, low: Any, high: Any, most: Any) -> None:
        if not good.any():
            return
        for held, (values, where), sign in ((self.low, low, 1.0), (self.high, high, -1.0), (self.most, most, -1.0)):
            k = int(np.where(good, sign * values, np.inf).argmin())
            if good[k] and sign * values[k] < sign * held[0]:
                held[:] = [float(values[k]), int(where[k]), k0 + k]

    def _bucket(self, k0: int, courses: Mapping[str, Floats], good: Any) -> None:
        place = (k0 + np.arange(len(good))) // self._width
        size = len(self._count)
        for name, values in courses.items():
            self._mean[name] += np.bincount(place[good], weights=np.nan_to_num(values[good]), minlength=size)
        self._count += np.bincount(place[good], minlength=size)

    def _unsolved(self, block: Block) -> None:
        for k in sorted(block.reasons):
            text = block.reasons[k].split(" (")[0]
            self.reasons[text] = self.reasons.get(text, 0) + 1
            reached = float(block.reached[k - block.k0])
            last = self.runs[-1] if self.runs else None
            if last is not None and last.last == k - 1 and last.reason == text:
                last.last, last.reached = k, min(last.reached, reached)
            elif len(self.runs) < MOST_RUNS:
                self.runs.append(Run(k, k, text, reached))

    def courses(self) -> tuple[Floats, dict[str, Floats]]:
        """Times of the buckets and the means of the solved steps in each; NaN where none is solved."""
        t = self.t_s[:: self._width]
        with np.errstate(invalid="ignore"):
            means = {
                name: np.where(self._count > 0, values / np.maximum(self._count, 1.0), np.nan)
                for name, values in self._mean.items()
            }
        return t, means


def _hours(t_s: Floats) -> Floats:
    """Length of each step: up to the next one; the last as long as the one before it. [h]"""
    if len(t_s) < 2:
        return np.ones(len(t_s))
    steps = np.diff(t_s)
    return np.append(steps, steps[-1]) / 3600.0
