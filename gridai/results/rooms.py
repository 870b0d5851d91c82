"""How much of the way from the undisturbed value to a limit a verdict leaves: the one measure of what binds."""

from __future__ import annotations

import math

from gridai.results.records import Verdict

MOST_ROOM, LEAST_ROOM = 1000.0, -1000.0
"""Bounded rooms are cut to these. [%]"""
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


def bounded_room(verdict: Verdict, f_hz: float) -> float:
    """`room` as a number to compare: between LEAST_ROOM and MOST_ROOM, the least where there is no margin. [%]

    Where the limit is the undisturbed value itself, a value within it has all its room, 100.
    """
    left = room(verdict, f_hz)
    if math.isnan(left) and math.isfinite(verdict.margin):
        left = 100.0 if verdict.margin >= 0.0 else 100.0 * verdict.margin
    return LEAST_ROOM if math.isnan(left) else min(MOST_ROOM, max(LEAST_ROOM, left))
