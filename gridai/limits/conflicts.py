"""Limits of a file that nothing can meet at once."""

from __future__ import annotations

import math
from typing import Any

from gridai.errors import Problems
from gridai.limits.records import Block, Entry, LimitsFile

ROUNDING = 1e-9


def note_conflicts(limits: LimitsFile, found: Problems) -> None:
    """Note entries that contradict themselves, and pairs on the same figure of the same run that exclude each other."""
    seen: list[tuple[Block, Entry, tuple[float, float]]] = []
    for block, entry in limits.entries:
        before = len(found)
        _note_own(limits, entry, found)
        if len(found) > before or not entry.metric or entry.xfail:
            continue
        allowed = _allowed(entry)
        for other_block, other, other_allowed in seen:
            if _same_figure(block, entry, other_block, other) and _apart(allowed, other_allowed):
                remedy = (
                    f"conflicting limits: {_range(allowed)} {entry.unit} here and {_range(other_allowed)} {other.unit} "
                    f"in row {other.line}, of the same run"
                )
                found.add(limits.path.name, entry.line, entry.name, None, remedy)
        seen.append((block, entry, allowed))


def _note_own(limits: LimitsFile, entry: Entry, found: Problems) -> None:
    low, high, margin = _bounds(entry)
    if low > high:
        text = f"with a margin of {entry.margin} " if entry.margin else ""
        remedy = f"conflicting limits: {text}nothing lies above {low:g} and below {high:g} {entry.unit}"
        found.add(limits.path.name, entry.line, entry.name, None, remedy)
    elif entry.expected is not None and not low - ROUNDING <= entry.expected <= high + ROUNDING and not entry.xfail:
        side, bound = ("below low", entry.low) if entry.expected < low else ("above high", entry.high)
        more = f" with a margin of {entry.margin}" if margin else ""
        remedy = f"conflicting limits: the expected value lies {side} = {bound:g}{more}; one of them is wrong"
        found.add(limits.path.name, entry.line, "expected", entry.expected, remedy)


def _bounds(entry: Entry) -> tuple[float, float, float]:
    """Low and high with the margin inside them, and the margin."""
    margin = entry.margin.value if entry.margin is not None and entry.kind == "metric" else 0.0
    low = -math.inf if entry.low is None else entry.low + margin
    high = math.inf if entry.high is None else entry.high - margin
    return low, high, margin


def _allowed(entry: Entry) -> tuple[float, float]:
    """What the entry allows: within its limits, and within the tolerance about the expected value."""
    low, high, _ = _bounds(entry)
    if entry.expected is not None and entry.tolerance is not None:
        by = entry.tolerance.of(entry.expected)
        low, high = max(low, entry.expected - by), min(high, entry.expected + by)
    return low, high


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) > min(one[1], other[1]) + ROUNDING


def _same_figure(block: Block, entry: Entry, other_block: Block, other: Entry) -> bool:
    same_run: Any = (block.run, block.study, block.cluster) == (other_block.run, other_block.study, other_block.cluster)
    return bool(same_run and entry.metric == other.metric and entry.unit == other.unit)


def _range(allowed: tuple[float, float]) -> str:
    low, high = allowed
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
