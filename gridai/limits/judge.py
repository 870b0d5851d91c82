"""Hold what a run found against one entry of a limits file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gridai.errors import near
from gridai.limits.amounts import unit_of
from gridai.limits.records import Block, Entry
from gridai.reports.text import number

if TYPE_CHECKING:
    from gridai.limits.running import Found
    from gridai.results import Verdict

ROUNDING = 1e-9
Status = Literal["pass", "fail", "xfail", "unexpected pass", "error"]
GOOD = ("pass", "xfail")
NAN = float("nan")


@dataclass(frozen=True)
class Outcome:
    """What became of one entry.

    value, element, t_s   as found now; NaN and "" where nothing was.
    unit     of the value.
    said     why it fails, one sentence each; empty when it passes.
    moved    whether value, element or time left the tolerance (update rewrites those).
    exit_status   0 pass, 1 a limit is violated or moved, 2 bad input, 3 no convergence.
    """

    block: Block
    entry: Entry
    status: Status
    value: float = NAN
    unit: str = ""
    element: str = ""
    t_s: float = NAN
    said: tuple[str, ...] = ()
    moved: bool = False
    exit_status: int = 0

    @property
    def name(self) -> str:
        """Study and entry, as pytest names the test."""
        return f"{self.block.name}::{self.entry.name}"

    @property
    def good(self) -> bool:
        """Whether it passes, or fails as expected."""
        return self.status in GOOD


def judge(block: Block, entry: Entry, found: Found) -> Outcome:
    """The outcome of one entry, from the figures of its run."""
    if found.error:
        return Outcome(block, entry, "error", said=(found.error,), exit_status=found.exit_status)
    fault = found.faults.get(entry.metric or entry.profile)
    if fault:
        return _bad(block, entry, fault)
    return _metric(block, entry, found) if entry.kind == "metric" else _limit(block, entry, found)


def _bad(block: Block, entry: Entry, text: str) -> Outcome:
    return Outcome(block, entry, "error", said=(text,), exit_status=2)


def _metric(block: Block, entry: Entry, found: Found) -> Outcome:
    measure = found.measures.get(entry.metric)
    if measure is None:
        return _bad(block, entry, near(entry.metric, found.measures, f"metric of study {block.run}"))
    unit = unit_of(measure.unit)
    if unit != entry.unit:
        return _bad(block, entry, f"unit = {entry.unit!r}: the study gives {entry.metric} in {unit}")
    value = float(measure.value)
    seen = Outcome(block, entry, "pass", value, unit, measure.element, measure.t_s)
    if math.isnan(value):
        text = "the run gives no such figure" + (f": {measure.note}" if measure.note else "")
        return _outcome(entry, seen, [] if entry.bounded else [text], [text] if entry.bounded else [])
    return _outcome(entry, seen, _moves(entry, value, measure.element, measure.t_s), _beyond(entry, value))


def _beyond(entry: Entry, value: float) -> list[str]:
    """The entry's own limits and the margin to them."""
    least = entry.margin.value if entry.margin is not None else 0.0
    said = []
    for side, bound, distance in (
        ("below low", entry.low, value - (entry.low or 0.0)), ("above high", entry.high, (entry.high or 0.0) - value),
    ):  # fmt: skip
        if bound is None or distance >= least - ROUNDING:
            continue
        if distance < -ROUNDING:
            said.append(f"lies {side} = {_text(bound, entry.unit)}")
        else:
            said.append(f"margin to {side.split()[1]} {_text(distance, entry.unit)}, at least {entry.margin} is wanted")
    return said


def _moves(entry: Entry, value: float, element: str, t_s: float) -> list[str]:
    """How far value, element and time left the tolerance; nothing without a tolerance or an expected value."""
    if entry.tolerance is None or entry.expected is None or math.isnan(value):
        return []
    said, by = [], value - entry.expected
    if abs(by) > entry.tolerance.of(entry.expected) + ROUNDING:
        said.append(f"moved by {_signed(by, entry.unit)}, tolerance {entry.tolerance}")
    if entry.element is not None and element != entry.element:
        said.append(f"the element is {element or 'none'}, it was {entry.element}")
    late = t_s - entry.t_s if entry.t_s is not None else 0.0
    if math.isnan(late) or abs(late) > entry.t_tolerance_s + ROUNDING:
        said.append(f"the time is {number(t_s, 's')} s, it was {number(entry.t_s, 's')} s, tolerance "
                    f"{entry.t_tolerance_s:g} s")  # fmt: skip
    return said


def _limit(block: Block, entry: Entry, found: Found) -> Outcome:
    verdicts = found.verdicts[entry.profile]
    mine = [v for v in verdicts if not entry.criterion or v.criterion == entry.criterion]
    if not mine:
        names = {v.criterion for v in verdicts}
        text = near(entry.criterion, names, "criterion of the run") if names else "no limit applies to this study"
        return _bad(block, entry, text)
    worst = _worst(mine)
    if entry.unit and unit_of(worst.unit) != entry.unit:
        return _bad(block, entry, f"unit = {entry.unit!r}: {worst.criterion} is judged in {unit_of(worst.unit)}")
    wrong_unit = entry.margin is not None and entry.margin.unit != unit_of(worst.unit)
    if wrong_unit and entry.criterion:
        return _bad(block, entry, f"margin = {entry.margin}: {worst.criterion} is judged in {unit_of(worst.unit)}")
    seen = Outcome(block, entry, "pass", worst.value, unit_of(worst.unit), worst.element, worst.t_s)
    return _outcome(entry, seen, _moves(entry, worst.value, worst.element, worst.t_s), _violated(entry, mine))


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The one to show: a failing one first, then the least margin as a part of its limit."""
    rank = {"fail": 0, "pass": 1, "not assessable": 2}

    def order(v: Verdict) -> tuple[int, float]:
        margin = v.margin / max(abs(v.limit), 1e-12)
        return rank[v.status], margin if math.isfinite(margin) else math.inf

    return min(verdicts, key=order)


def _violated(entry: Entry, verdicts: Sequence[Verdict]) -> list[str]:
    """Verdicts that fail, criteria that cannot be assessed at all, margins that are too small."""
    said = []
    for criterion in dict.fromkeys(v.criterion for v in verdicts):
        own = [v for v in verdicts if v.criterion == criterion]
        said += [_failed(v) for v in own if v.status == "fail"]
        if all(v.status == "not assessable" for v in own):
            said.append(f"{criterion} is not assessable, which is no pass: {own[0].note or own[0].clause}")
    for v in verdicts:
        small = entry.margin is not None and unit_of(v.unit) == entry.margin.unit and v.status == "pass"
        if small and entry.margin is not None and v.margin < entry.margin.value - ROUNDING:
            text = f"margin of {v.criterion} {_text(v.margin, v.unit)} to {_text(v.limit, v.unit)}"
            said.append(f"{text}, at least {entry.margin} is wanted")
    return said


def _failed(v: Verdict) -> str:
    where = f" at {v.element}" if v.element else ""
    when = f", {number(v.t_s, 's')} s" if math.isfinite(v.t_s) else ""
    mark = "" if v.verified else "; the number is unverified"
    text = f"{v.criterion} fails: {_text(v.value, v.unit)}{where}{when}, limit {_text(v.limit, v.unit)}"
    return f"{text} ({v.profile}: {v.clause}{mark})"


def _outcome(entry: Entry, found: Outcome, moves: list[str], violated: list[str]) -> Outcome:
    """Pass or fail; an expected failure must fail, and where it is one of a limit, its value must stay as well."""
    said, status = [*moves, *violated], "fail" if moves or violated else "pass"
    expected = violated if entry.bounded else moves
    if entry.xfail and not expected:
        said = [f"passes, but is expected to fail ({entry.xfail}): take xfail out of the file"]
        status = "unexpected pass"
    elif entry.xfail and (not moves or not entry.bounded):
        status = "xfail"
    bad = int(status not in GOOD)
    return replace(found, status=status, said=tuple(said), moved=bool(moves), exit_status=bad)  # type: ignore[arg-type]


def _text(value: float, unit: str) -> str:
    return f"{number(value, unit)} {'' if unit == '1' else unit}".strip()


def _signed(value: float, unit: str) -> str:
    text = _text(value, unit)
    return text if text.startswith("-") else f"+{text}"
