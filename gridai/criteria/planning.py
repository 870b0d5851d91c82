"""Figures of planning studies: loadability margin, short-circuit ratio, power change over strength, thermal loading.

They are read from the figures of a result (`results/scalars.py`), which the study that computes them leaves there; the
worst one is judged. Loading is also computed from the branch flows of a run where the ratings are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gridai.criteria.base import not_assessable, verdict
from gridai.criteria.rapid_voltage_change import by_rate
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.scalars import Scalar, scalars_of


@dataclass(frozen=True)
class LoadabilityMargin:
    """Smallest distance to the nose of the P-V curve, at least `low` in % of the load or transfer studied."""

    limit: Limit

    name: ClassVar[str] = "loadability_margin"
    meaning: ClassVar[str] = "the load may still grow before voltages collapse"

    def check(self, result: Result) -> Verdict:
        """Verdict for the case with the smallest margin."""
        return judge_low(self.limit, scalars_of(result, "loadability_margin"))


@dataclass(frozen=True)
class ShortCircuitRatio:
    """Smallest short-circuit ratio of a cluster: short-circuit power over rated power, at least `low`."""

    limit: Limit

    name: ClassVar[str] = "short_circuit_ratio"
    meaning: ClassVar[str] = "the grid is strong enough at the load"

    def check(self, result: Result) -> Verdict:
        """Verdict for the weakest connection."""
        return judge_low(self.limit, scalars_of(result, "short_circuit_ratio"))


@dataclass(frozen=True)
class PowerChange:
    """Largest change of a load's power over the short-circuit power, at most `high` in %: the first stage of IEEE 1453.

    table       rows [changes a minute, limit in %]: the first row with as many or more counts; without it `high`.
    per_minute  how often the power changes; 0: the first row. [1/min]
    """

    limit: Limit
    table: Any = None
    per_minute: float = 0.0

    name: ClassVar[str] = "power_change"
    meaning: ClassVar[str] = "the load changes little against the strength of the grid"

    def __post_init__(self) -> None:
        by_rate(self.table, self.per_minute, 0.0)

    def check(self, result: Result) -> Verdict:
        """Verdict for the load with the largest change."""
        high = by_rate(self.table, self.per_minute, float(self.limit.high or 0.0))
        return judge_high(replace(self.limit, high=high), scalars_of(result, "power_change"))


@dataclass(frozen=True)
class ThermalLoading:
    """Largest loading of a branch, at most `high` in % of its rating.

    window_s  of a run, the mean over so long at its end is judged. [s]
    """

    limit: Limit
    window_s: float = 1.0

    name: ClassVar[str] = "thermal_loading"
    meaning: ClassVar[str] = "lines and transformers stay within their ratings"

    def check(self, result: Result) -> Verdict:
        """Verdict for the branch with the highest loading."""
        found = scalars_of(result, "loading_percent")
        if found or "p_mw" not in result.quantities("branch"):
            return judge_high(self.limit, found)
        ratings = result.meta.get("branch_rating_mva", {})
        t, names = result.t_s, result.names("branch", "p_mw")
        rated = [k for k, name in enumerate(names) if float(ratings.get(name, 0.0)) > 0.0]
        if not rated:
            return not_assessable(self.limit, "the result lacks meta['branch_rating_mva']")
        if t[-1] - t[0] < self.window_s * (1.0 - 1e-9):
            return not_assessable(self.limit, f"the run is shorter than the window of {self.window_s:g} s")
        size = np.hypot(result.values("branch", "p_mw"), result.values("branch", "q_mvar"))[t >= t[-1] - self.window_s]
        end = t[t >= t[-1] - self.window_s]
        mean = np.trapezoid(size, end, axis=0) / (end[-1] - end[0])
        loads = [(100.0 * float(mean[k]) / float(ratings[names[k]]), names[k]) for k in rated]
        return judge_high(self.limit, tuple(Scalar("loading_percent", n, x, "%", float(t[-1])) for x, n in loads))


def judge_low(limit: Limit, found: tuple[Scalar, ...]) -> Verdict:
    """Verdict on the lowest of some figures, at least `low`; not assessable without any or with a NaN among them."""
    bad = _unusable(limit, found)
    if bad:
        return not_assessable(limit, bad)
    worst, low = min(found, key=lambda scalar: scalar.value), float(limit.low or 0.0)
    return verdict(limit, worst.value, low, worst.value - low, _where(worst), worst.note)


def judge_high(limit: Limit, found: tuple[Scalar, ...]) -> Verdict:
    """Verdict on the highest of some figures, at most `high`; not assessable without any or with a NaN among them."""
    bad = _unusable(limit, found)
    if bad:
        return not_assessable(limit, bad)
    worst, high = max(found, key=lambda scalar: scalar.value), float(limit.high or 0.0)
    return verdict(limit, worst.value, high, high - worst.value, _where(worst), worst.note)


def _unusable(limit: Limit, found: tuple[Scalar, ...]) -> str:
    if not found:
        return f"the result holds no figure of {limit.criterion}; it comes from a planning study"
    lost = [scalar.element for scalar in found if np.isnan(scalar.value)]
    return f"no value for {lost[0]}" if lost else ""


def _where(scalar: Scalar) -> Extreme:
    return Extreme(scalar.value, scalar.t_s, scalar.element)
