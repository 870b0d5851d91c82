"""Sequences of events as plain text, for case files and the command line.

    1.00 fault F r=0.0012; 1.05 open S3-F; 16.0 close S3-F; 40 return DC1 parts=4 every=60

One event a line or between semicolons: time [s], verb, element (in quotes where its name has spaces), options:

    fault BUS   [r= x= pu] [for= s] [kind=]   clear BUS              open BRANCH      close BRANCH
    trip UNIT                                 load NAME p= [q=] MW   leave CLUSTER [share=]
    return CLUSTER [parts=] [every= s]

A fault without `for` stays until `clear`, or for ever: a line with a permanent fault is then opened and closed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridai.errors import Problems, SettingError, near

OPTIONS: dict[str, tuple[str, ...]] = {
    "fault": ("r", "x", "for", "kind"), "clear": (), "open": (), "close": (), "trip": (), "load": ("p", "q"),
    "leave": ("share",), "return": ("parts", "every"),
}  # fmt: skip
"""Options of each verb."""


@dataclass(frozen=True)
class Line:
    """One event as written: time [s], verb, element, options."""

    at_s: float
    verb: str
    element: str
    options: dict[str, str]

    def number(self, name: str, usual: float) -> float:
        """An option as a number."""
        return float(self.options.get(name, usual))


def read(text: str | Sequence[str]) -> list[Line]:
    """The lines of a sequence, in order of time. Raises SettingError with all faults, each with its number."""
    parts = text.replace("\n", ";").split(";") if isinstance(text, str) else list(text)
    found, lines = Problems("sequence of events"), []
    for n, part in enumerate((p.strip() for p in parts if p.strip()), 1):
        line = _line(part, n, found)
        if line is not None:
            lines.append(line)
    if not lines and not found:
        found.add("sequence", None, "", None, "holds no event; write for example: 1.0 fault BUS for=0.1")
    found.raise_if_any(SettingError)
    return sorted(lines, key=lambda line: line.at_s)


def _line(part: str, n: int, found: Problems) -> Line | None:
    try:
        words = shlex.split(part)
        at_s = float(words[0])
        verb, element = words[1], words[2]
    except (ValueError, IndexError):
        found.add("sequence", n, "event", part, "write time, verb and element: 1.0 fault BUS for=0.1")
        return None
    before = len(found)
    if verb not in OPTIONS:
        found.add("sequence", n, "verb", verb, near(verb, OPTIONS, "verb"))
        return None
    if not 0.0 <= at_s < 1e9:
        found.add("sequence", n, "time", at_s, "give a time of 0 s or more")
    options = {}
    for word in words[3:]:
        name, _, value = word.partition("=")
        if name not in OPTIONS[verb]:
            found.add("sequence", n, "option", word, near(name, OPTIONS[verb], f"option of {verb}"))
        elif name != "kind" and not _is_number(value):
            found.add("sequence", n, name, value, "give a number")
        options[name] = value
    if verb == "load" and "p" not in options:
        found.add("sequence", n, "p", None, "give the step in MW: p=100")
    return Line(at_s, verb, element, options) if len(found) == before else None


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def events(lines: Sequence[Line]) -> list[Any]:
    """The engine's events of a sequence."""
    from gridai import engine

    made: list[Any] = []
    for k, line in enumerate(lines):
        at, name = line.at_s, line.element
        if line.verb == "fault":
            kind: Any = line.options.get("kind", "three-phase")
            r, x = line.number("r", 0.0), line.number("x", 0.0)
            made.append(engine.BusFault(name, at, _cleared(lines, k), kind, r, x))
        elif line.verb == "open":
            made.append(engine.BranchTrip(name, at))
        elif line.verb == "close":
            made.append(engine.BranchClose(name, at))
        elif line.verb == "trip":
            made.append(engine.GeneratorTrip(name, at))
        elif line.verb == "load":
            made.append(engine.LoadStep(name, line.number("p", 0.0), line.number("q", 0.0), at))
        elif line.verb == "leave":
            made.append(engine.ForceAway(name, at, line.number("share", 1.0)))
        elif line.verb == "return":
            made.append(engine.ReturnLoad(name, at, int(line.number("parts", 1)), line.number("every", 0.0)))
    return made


def _cleared(lines: Sequence[Line], k: int) -> float | None:
    """When the fault of line k is cleared; None: never."""
    if "for" in lines[k].options:
        return lines[k].at_s + lines[k].number("for", 0.0)
    later = [x.at_s for x in lines[k + 1 :] if x.verb == "clear" and x.element == lines[k].element]
    return later[0] if later else None


def disturbances(lines: Sequence[Line]) -> list[float]:
    """The instants at which something strikes: faults, and lines that close. [s]"""
    return [line.at_s for line in lines if line.verb in ("fault", "close", "trip", "leave", "load")]


def last_s(lines: Sequence[Line]) -> float:
    """When the last thing happens. [s]"""
    ends = [line.at_s + line.number("for", 0.0) for line in lines]
    ends += [x.at_s + x.number("every", 0.0) * x.number("parts", 1.0) for x in lines if x.verb == "return"]
    return max(ends)
