"""Which limit binds: how much of the way from the undisturbed value to the limit is left."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridai.results import Verdict

SMALL_PU = 0.5
"""A limit in pu below this counts from 0, any other from 1 pu."""


def room(verdict: Verdict, f_hz: float) -> float:
    """Margin in % of the way from the undisturbed value to the limit: 100 untouched, 0 at the limit, below 0 beyond.

    The undisturbed value is the nominal frequency `f_hz` for limits in Hz, 1 pu for limits in pu of half or more, 1
    for shares that must not fall below a limit, else 0. NaN without a margin, or where the limit is that value itself.
    """
    if verdict.unit == "Hz" and math.isfinite(f_hz):
        way = abs(verdict.limit - f_hz)
    elif verdict.unit == "pu" and abs(verdict.limit) >= SMALL_PU:
        way = abs(verdict.limit - 1.0)
    elif verdict.unit in ("", "1") and 0.0 < verdict.limit < 1.0 and _below(verdict):
        way = 1.0 - verdict.limit
    else:
        way = abs(verdict.limit)
    if not math.isfinite(verdict.margin) or way < 1e-9:
        return math.nan
    return 100.0 * verdict.margin / way


def _below(verdict: Verdict) -> bool:
    """True for a limit that the value must not fall below."""
    return (verdict.value > verdict.limit) == (verdict.margin > 0.0)


def by_room(verdicts: Sequence[Verdict], f_hz: float) -> list[Verdict]:
    """Verdicts in order of what binds: violated limits, then the least room, then what could not be assessed."""
    order = {"fail": 0, "pass": 1, "not assessable": 2}

    def key(v: Verdict) -> tuple[int, float]:
        left = room(v, f_hz)
        return order[v.status], left if math.isfinite(left) else math.inf

    return sorted(verdicts, key=key)
