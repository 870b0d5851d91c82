"""Metrics beyond a report's summary: extremes of one time series, and the scalars of limit searches.

    lowest bus/16/vm_pu      highest gen/G5/speed_pu      final cluster/DC1/p_mw

KIND/ELEMENT/QUANTITY as in `gridai plot -q`; the unit is in the quantity's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridai.errors import UnknownNameError, near

if TYPE_CHECKING:
    from gridai.reports import Measure, Report

WORDS = ("lowest", "highest", "final")
UNITS = {
    "pu": "pu", "hz": "Hz", "mw": "MW", "mvar": "MVAr", "degree": "degree", "rad": "rad", "s": "s", "mva": "MVA",
}  # fmt: skip
"""The unit that the last part of a quantity's name means."""


def is_series(metric: str) -> bool:
    """Whether a metric is the extreme of a series: one of the words, then a path."""
    return " " in metric and "/" in metric


def split(metric: str) -> tuple[str, str, str, str]:
    """(word, kind, element, quantity). Raises UnknownNameError for another word or a path with too few parts."""
    word, _, path = metric.partition(" ")
    if word not in WORDS:
        raise UnknownNameError(near(word, WORDS, "word of a metric"))
    kind, _, rest = path.strip().partition("/")
    element, _, quantity = rest.rpartition("/")
    if not (kind and element and quantity):
        raise UnknownNameError(f"metric '{metric}': write {word} KIND/ELEMENT/QUANTITY, as {word} bus/16/vm_pu")
    return word, kind, element, quantity


def series_measure(report: Report, metric: str) -> Measure:
    """Lowest, highest or last value of a series, with its time. An unknown element or quantity lists the near ones."""
    from gridai.reports import Measure as Made
    from gridai.results import lowest_highest

    word, kind, element, quantity = split(metric)
    t, x = report.result.t_s, report.result.series(kind, element, quantity)
    unit = UNITS.get(quantity.rpartition("_")[2], "")
    if word == "final":
        return Made(metric, float(x[-1]), unit, element, float(t[-1]))
    found = lowest_highest(t, x, element)
    extreme = found.low if word == "lowest" else found.high
    return Made(metric, extreme.value, unit, element, extreme.t_s)


def all_measures(report: Report) -> dict[str, Measure]:
    """The report's summary, and its scalars by quantity (with :element where there are several)."""
    from gridai.reports import Measure as Made
    from gridai.results.scalars import Scalar

    measures = dict(report.summary)
    scalars = [Scalar(**{**row, "t_s": _number(row["t_s"])}) for row in report.result.meta.get("scalars", ())]
    for scalar in scalars:
        alone = sum(other.quantity == scalar.quantity for other in scalars) == 1
        key = scalar.quantity if alone else f"{scalar.quantity}:{scalar.element}"
        measures.setdefault(key, Made(key, scalar.value, scalar.unit, scalar.element, scalar.t_s, scalar.note))
    return measures


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
