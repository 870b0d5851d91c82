"""Voltage unbalance: the negative over the positive sequence voltage of every bus stays at or below `high`.

Judged as EN 50160 does it: means over `period_s` (ten minutes), of which `share` (95 %) must keep the limit; the value
of a bus is the largest of that share. A result of one sample is a steady state, judged as it stands. The run must hold
one whole period and the quantity `unbalance_percent` of buses, which an unbalanced power flow gives; a run of the
engine, which is balanced, is not assessable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import FloatArray, buses_of_class, not_assessable, verdict
from gridai.errors import CaseError
from gridai.results import Extreme, Limit, Result, Verdict

QUANTITY = "unbalance_percent"


@dataclass(frozen=True)
class VoltageUnbalance:
    """Negative over positive sequence voltage, at most `high` in %.

    share           of the means of a bus that must keep the limit; 1: all.
    period_s        length of each mean. [s]
    kv_min, kv_max  only buses of this class of nominal voltage, kv_min <= kv < kv_max. [kV]
    """

    limit: Limit
    share: float = 0.95
    period_s: float = 600.0
    kv_min: float = 0.0
    kv_max: float = float("inf")

    name: ClassVar[str] = "voltage_unbalance"
    meaning: ClassVar[str] = "the three phases stay nearly alike"

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0 or not self.period_s > 0.0:
            raise CaseError(
                f"voltage_unbalance: share = {self.share:g}, period_s = {self.period_s:g}: share above 0, at "
                "most 1; period above 0 s"
            )

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the largest value; its time is the end of the mean that has it."""
        if QUANTITY not in result.quantities("bus"):
            return not_assessable(self.limit, "the result holds no unbalance; it comes from the study unbalanced")
        all_names = result.names("bus", QUANTITY)
        columns = buses_of_class(result, all_names, self.kv_min, self.kv_max)
        if not columns:
            return not_assessable(self.limit, "no bus of this voltage class")
        values = result.values("bus", QUANTITY)[:, columns]
        names = [all_names[k] for k in columns]
        live = np.asarray(~np.isnan(values).all(axis=0)).reshape(-1)
        if not live.any() or np.isnan(values[:, live]).any():
            lost = names[int(np.argmax(np.isnan(values).any(axis=0)))]
            return not_assessable(self.limit, f"no value at bus {lost}")
        ends, means = period_means(result.t_s, values[:, live], self.period_s)
        if not len(ends):
            return not_assessable(self.limit, f"the run is shorter than a mean of {self.period_s:g} s")
        place = math.ceil(self.share * len(ends)) - 1
        order = np.argsort(means, axis=0, kind="stable")[place]
        kept = means[order, np.arange(means.shape[1])]
        worst = int(kept.argmax())
        high, name = float(self.limit.high or 0.0), [n for n, on in zip(names, live, strict=True) if on][worst]
        note = "" if len(ends) == 1 else f"{place + 1} of {len(ends)} means are at or below it"
        found = Extreme(float(kept[worst]), float(ends[order[worst]]), name)
        return verdict(self.limit, found.value, high, high - found.value, found, note)


def period_means(t: FloatArray, values: FloatArray, period_s: float) -> tuple[FloatArray, FloatArray]:
    """Ends float[n] and means float[n, k] of whole periods; one sample is its own mean.

    Samples at even steps hold for the step that begins with them, so a day of minutes has 144 means of ten minutes.
    """
    if len(t) == 1:
        return t, values
    step = float(np.median(np.diff(t)))
    per = round(period_s / step)
    if per < 1:
        return t + step, values  # each sample is a mean over longer than the period
    count = len(t) // per
    means = values[: count * per].reshape(count, per, values.shape[1]).mean(axis=1)
    return t[per - 1 : count * per : per] + step, np.asarray(means)
