"""Numbers and tables as plain aligned text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridai.results import Result
from gridai.results.course import course_of, unit_of_time

DECIMALS = {"Hz": 4, "Hz/s": 4, "pu": 4, "MW": 2, "MVAr": 2, "s": 3, "%": 2}
"""Digits after the point by unit; other units get six significant digits."""
SMALL = ("MW", "MVAr")
"""Two more digits below 0.1: a rack of some kW."""
_NUMBER = set("0123456789.+-eE%")


def number(value: float | None, unit: str = "", more: int = 0) -> str:
    """A number as text with the digits its unit deserves, or `more` of them; a dash for NaN and None.

    Without end: a time is "never", its margin (below 0) a dash; another quantity "unbounded".
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return ("never" if value > 0.0 else "-") if unit == "s" else "unbounded" if value > 0.0 else "-unbounded"
    if unit in DECIMALS:
        small = 2 if unit in SMALL and 5e-5 <= abs(value) < 0.1 else 0
        text = f"{value:.{DECIMALS[unit] + max(more, small)}f}"
        return text.removeprefix("-") if float(text) == 0.0 else text
    return f"{value + 0.0:.6g}"  # no -0


def more_digits(value: float, limit: float, unit: str = "") -> int:
    """How many digits more than usual, four at most, show that a value is not its limit; 0 where the usual ones do."""
    usual, more = DECIMALS.get(unit), 0
    if usual is None or value == limit or math.isnan(value) or math.isnan(limit):
        return 0
    while more < 4 and f"{value:.{usual + more}f}" == f"{limit:.{usual + more}f}":
        more += 1
    return more


HOURS_FROM_S = 4.0 * 3600.0
"""A result this long is read in hours, without a course too."""


def clock(result: Result) -> tuple[str, float]:
    """The unit in which times are shown, and its length in s: that of a course's figure, hours of a day, else s."""
    span_s = float(result.t_s[-1] - result.t_s[0]) if len(result.t_s) > 1 else 0.0
    if span_s == 0.0 or (course_of(result) is None and span_s < HOURS_FROM_S):
        return "s", 1.0
    return unit_of_time(span_s)


def time(t_s: float, unit: tuple[str, float]) -> str:
    """An instant in a unit of `clock`."""
    name, size = unit
    return number(t_s / size, name)


def plain_table(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A table as text: title, header, rows; columns of numbers stand to the right."""
    right = [_is_number_column(cells, k) for k in range(len(columns))]
    width = [max(len(row[k]) for row in [list(columns), *cells]) for k in range(len(columns))]
    lines = [title] if title else []
    for row in [list(columns), *cells]:
        padded = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, width, right, strict=True)]
        lines.append(("  " + "  ".join(padded)).rstrip())
    return "\n".join(lines)


def _is_number_column(cells: Sequence[Sequence[str]], k: int) -> bool:
    filled = [row[k] for row in cells if row[k] not in ("", "-")]
    return bool(filled) and all(set(cell) <= _NUMBER for cell in filled)
