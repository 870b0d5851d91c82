"""Where the tables of a limits file stand, line by line: for messages, and for edits that leave comments alone.

tomllib gives values without their places. This finds headers only; whoever edits by it reads the new text again and
compares (edit.py), so a layout it does not understand is refused and never spoilt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\- ]+?)\s*\]\]?\s*(?:#.*)?$")
STUDY, ENTRIES = "study", ("limit", "metric")
Place = tuple[int, str, int]
"""Number of the [[study]], kind of table ("" for the study itself, "limit", "metric"), number of it in the study."""


@dataclass(frozen=True)
class Part:
    """Lines of one table, from 0: its header, and the line after its last."""

    header: str
    begin: int
    end: int


def parts(text: str) -> list[Part]:
    """The tables of a TOML text in order, without what stands before the first header."""
    lines, starts, inside = text.splitlines(), [], ""
    for n, line in enumerate(lines):
        match = None if inside else HEADER.match(line)
        if match:
            starts.append((n, match.group(2).replace(" ", "")))
        inside = _open_string(line, inside)
    ends = [n for n, _ in starts[1:]] + [len(lines)] * bool(starts)
    return [Part(name, n, end) for (n, name), end in zip(starts, ends, strict=True)]


def _open_string(line: str, inside: str) -> str:
    """The quotes of a multi-line string that is open after this line; empty for none."""
    rest = line
    while True:
        if inside:
            _, found, rest = rest.partition(inside)
            if not found:
                return inside
            inside = ""
        places = {mark: rest.find(mark) for mark in ('"""', "'''") if mark in rest}
        if not places:
            return ""
        inside = min(places, key=lambda mark: places[mark])
        rest = rest[places[inside] + 3 :]


def places(text: str) -> dict[Place, Part]:
    """The [[study]], [[study.limit]] and [[study.metric]] tables by their numbers."""
    found: dict[Place, Part] = {}
    study, counts = -1, dict.fromkeys(ENTRIES, 0)
    for part in parts(text):
        head, _, kind = part.header.partition(".")
        if part.header == STUDY:
            study, counts = study + 1, dict.fromkeys(ENTRIES, 0)
            found[study, "", 0] = part
        elif head == STUDY and kind in counts:
            found[study, kind, counts[kind]] = part
            counts[kind] += 1
    return found


def line_of(found: dict[Place, Part], study: int, kind: str = "", number: int = 0) -> int | None:
    """Line of a table's header from 1, None where it was not found."""
    part = found.get((study, kind, number))
    return None if part is None else part.begin + 1
