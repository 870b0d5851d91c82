"""Outcomes in words: the rows of the table, and what is said of a limit that fails."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridai.limits.amounts import PLAIN
from gridai.limits.checking import Checked
from gridai.limits.judge import Outcome
from gridai.limits.records import Entry
from gridai.reports.text import DECIMALS, number

COLUMNS = ("limit", "old", "new", "unit", "allowed", "element", "at s", "status")
Row = tuple[str, ...]


def row(outcome: Outcome) -> Row:
    """The outcome as a row of the table."""
    entry, unit = outcome.entry, outcome.unit or outcome.entry.unit
    shown = "" if unit == PLAIN else unit
    return (
        outcome.name, digits(entry.expected, entry, unit), digits(outcome.value, entry, unit), shown, allowed(entry),
        outcome.element, number(outcome.t_s, "s"), outcome.status,
    )  # fmt: skip


def digits(value: float | None, entry: Entry, unit: str) -> str:
    """A value with as many digits as its tolerance needs, at least those of its unit."""
    if value is None or not math.isfinite(value) or entry.tolerance is None or entry.expected is None:
        return number(value if value is None or abs(value) > 1e-12 else 0.0, unit)
    by = entry.tolerance.of(entry.expected)
    wanted = 1 - math.floor(math.log10(by)) if by > 0.0 else 0
    if wanted <= DECIMALS.get(unit, 6):
        return number(value, unit)
    text = f"{value:.{wanted}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text


def allowed(entry: Entry) -> str:
    """Tolerance, own limits and margin in short."""
    parts = [f"+-{entry.tolerance}"] if entry.tolerance is not None else []
    parts += [f">= {number(entry.low, entry.unit)}"] if entry.low is not None else []
    parts += [f"<= {number(entry.high, entry.unit)}"] if entry.high is not None else []
    parts += ["verdict passes"] if entry.kind == "limit" else []
    parts += [f"margin {entry.margin}"] if entry.margin is not None else []
    return ", ".join(parts)


def rows(checked: Checked) -> list[Row]:
    """All rows of a file."""
    return [row(outcome) for outcome in checked.outcomes]


def failure(outcome: Outcome, file: object, remarks: Sequence[str] = ()) -> str:
    """What is said of one limit that does not pass: limit, old and new value, element, time, why, and what to do.

    file     as to be named.   remarks  of the whole file: stale data, other versions.
    """
    entry = outcome.entry
    where = f"{file}" + (f":{entry.line}" if entry.line is not None else "")
    lines = [f"{outcome.name}: {outcome.status} ({where})"]
    if outcome.status != "error":
        if entry.expected is not None:
            lines.append("  old  " + _place(entry, entry.expected, entry.unit, entry.element or "", entry.t_s))
        lines.append("  new  " + _place(entry, outcome.value, outcome.unit, outcome.element, outcome.t_s))
    lines += [f"  - {_indented(text)}" for text in outcome.said]
    lines.append(f"  reason: {entry.reason}")
    lines += [f"  {remark}" for remark in remarks if remark]
    if outcome.moved and outcome.status == "fail":
        lines.append(f"  if the change is meant: gridai limits update {file}")
    return "\n".join(lines)


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def _place(entry: Entry, value: float, unit: str, element: str, t_s: float | None) -> str:
    shown = f"{digits(value, entry, unit)} {'' if unit == PLAIN else unit}".rstrip()
    parts = [shown, element, "" if t_s is None or math.isnan(t_s) else f"at {number(t_s, 's')} s"]
    return "  ".join(part for part in parts if part)


def closing(checked: list[Checked]) -> str:
    """The last line: how many limits in how many files, and what became of them."""
    outcomes = [outcome for one in checked for outcome in one.outcomes]
    counts = {s: sum(o.status == s for o in outcomes) for s in ("pass", "xfail", "fail", "unexpected pass", "error")}
    words = {"xfail": "fails as expected", "unexpected pass": "passes unexpectedly"}
    told = ", ".join(f"{n} {words.get(s, s)}" for s, n in counts.items() if n)
    files = f"{len(checked)} file" + ("s" if len(checked) != 1 else "")
    limits = f"{len(outcomes)} limit" + ("s" if len(outcomes) != 1 else "")
    return f"{limits} in {files}: {told}"
