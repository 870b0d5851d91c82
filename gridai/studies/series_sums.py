"""What the study `timeseries` keeps of its steps, in bounded memory: sums, extremes, histograms, buckets of the course.

Histograms have bins of 0.0005 pu and 0.5 %, so duration curves are exact to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.series import Block, hours_of

Floats = NDArray[np.float64]
VM_BIN, VM_BINS = 0.0005, 4000
PERCENT_BIN, PERCENT_BINS = 0.5, 1000
BUCKETS, TEN_MINUTES_S = 2000, 600.0
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
        if kept.size * 8 < self.counts.size:  # short blocks of large networks: the bins are many more than the values
            np.add.at(self.counts.reshape(-1), kept, 1)
            return
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


class Means:
    """Means over ten minutes of float[n, columns], weighted with the length of the steps that have a value.

    keep  columns whose means are kept one by one; all of them go into a histogram.
    """

    def __init__(self, columns: int, keep: Sequence[int]) -> None:
        self.histogram = Histogram(columns, VM_BIN, VM_BINS)
        self.keep, self.kept, self.at = list(keep), [], []  # type: ignore[var-annotated]
        self._place = -1
        self._sum, self._weight = np.zeros(columns), np.zeros(columns)

    def add(self, t_s: Floats, hours: Floats, values: Floats) -> None:
        """Take steps in; a span of ten minutes is closed when a step after it comes."""
        place = np.floor(t_s / TEN_MINUTES_S + 1e-9).astype(np.int64)
        starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
        known = ~np.isnan(values)
        weight = np.add.reduceat(known * hours[:, None], starts, axis=0)
        total = np.add.reduceat(np.where(known, values, 0.0) * hours[:, None], starts, axis=0)
        if self._place == place[0]:
            total[0] += self._sum
            weight[0] += self._weight
        elif self._place >= 0:
            self._close(self._sum[None], self._weight[None], [self._place])
        self._close(total[:-1], weight[:-1], place[starts[:-1]])
        self._place, self._sum, self._weight = int(place[-1]), total[-1], weight[-1]

    def end(self) -> None:
        """Close the last span."""
        if self._place >= 0:
            self._close(self._sum[None], self._weight[None], [self._place])
            self._place = -1

    def _close(self, total: Floats, weight: Floats, places: Any) -> None:
        if len(total):
            with np.errstate(invalid="ignore"):
                means = np.where(weight > 0.0, total / weight, np.nan)
            self.histogram.add(means)
            self.kept.append(means[:, self.keep])
            self.at.append(np.asarray(places))


class Sums:
    """Adds up blocks of steps.

    t_s      times of all steps, float[n]. [s]
    buses, branches   names, as the columns of the blocks.
    more     names of further courses that come with each block. [MW, MWh]
    means    keep means over ten minutes too: of all buses, and one by one of the columns `kept`.
    """

    def __init__(
        self, t_s: Floats, buses: Sequence[str], branches: Sequence[str], more: Sequence[str] = (), means: bool = False,
        kept: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self.t_s, self.buses, self.branches = t_s, tuple(buses), tuple(branches)
        n = len(t_s)
        self.hours = hours_of(t_s)
        self.names = (*COURSES, *more)
        self.means = Means(len(self.buses), kept) if means else None
        self.solved = 0
        self.runs: list[Run] = []
        self.reasons: dict[str, int] = {}
        self.hours_solved = 0.0
        self.energy = dict.fromkeys(
            ("cluster_mw", "losses_mw", "slack_mw", *(m for m in more if m.endswith("_mw"))), 0.0
        )
        self.peak = dict.fromkeys(self.energy, (-np.inf, -1))
        self.vm = Histogram(len(self.buses), VM_BIN, VM_BINS)
        self.percent = Histogram(len(self.branches), PERCENT_BIN, PERCENT_BINS)
        self.low = [np.inf, -1, -1]
        self.high = [-np.inf, -1, -1]
        self.most = [-np.inf, -1, -1]
        self.over_hours = np.zeros(len(self.branches))
        self.bus_low, self.bus_high = np.full(len(self.buses), np.inf), np.full(len(self.buses), -np.inf)
        self.bus_low_at, self.bus_high_at = (np.full(len(self.buses), -1) for _ in range(2))
        self.extreme: dict[str, list[float]] = {}
        self._width = max(1, -(-n // BUCKETS))
        self._mean = {name: np.zeros(-(-n // self._width)) for name in self.names}
        self._count = np.zeros(-(-n // self._width))
        self._of_step: dict[str, Floats] = {}

    def add(self, block: Block, cluster_mw: Floats, more: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
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
            **{name: np.where(good, values, np.nan) for name, values in (more or {}).items()},
        }  # fmt: skip
        self._places(block.k0, vm, high_all)
        if self.means is not None:
            self.means.add(self.t_s[at], hours, block.vm_pu)
        self._extremes(block.k0, good, (low, low_at), (high, high_at), (most, most_at))
        for name in self.energy:
            self.energy[name] += float(np.nansum(courses[name] * hours))
            self._peak(name, block.k0, courses[name])
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

    def _peak(self, name: str, k0: int, values: Floats) -> None:
        held = np.where(np.isnan(values), -np.inf, values)
        k = int(held.argmax())
        if held[k] > self.peak[name][0]:
            self.peak[name] = (float(held[k]), k0 + k)

    def _places(self, k0: int, low: Floats, high: Floats) -> None:
        """Lowest and highest voltage of each bus, and its step."""
        least, most = low.min(axis=0), high.max(axis=0)
        for k in np.flatnonzero(least < self.bus_low):
            self.bus_low[k], self.bus_low_at[k] = least[k], k0 + int(low[:, k].argmin())
        for k in np.flatnonzero(most > self.bus_high):
            self.bus_high[k], self.bus_high_at[k] = most[k], k0 + int(high[:, k].argmax())

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

    @property
    def axis_s(self) -> Floats:
        """Times of the buckets. [s]"""
        return self.t_s[:: self._width]

    def courses(self) -> tuple[Floats, dict[str, Floats]]:
        """Times of the buckets and the means of the solved steps in each; NaN where none is solved."""
        t = self.axis_s
        with np.errstate(invalid="ignore"):
            means = {
                name: np.where(self._count > 0, values / np.maximum(self._count, 1.0), np.nan)
                for name, values in self._mean.items()
            }
        return t, means
