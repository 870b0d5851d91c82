"""Change single values in the text of a limits file; comments, order and everything else stay as they are.

The new text is read again and compared with the values wanted, so a layout that is not understood is refused.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from gridai.errors import CaseError
from gridai.limits import layout
from gridai.limits.records import Kind, Provenance

Changes = Mapping[tuple[int, Kind, int], Mapping[str, Any]]
"""New values by key, of the table (number of the [[study]], kind, number in it)."""
SECTION = "provenance"
ORDER = ("profile", "criterion", "metric", "unit", "expected", "element", "t_s")
"""The order in which new keys are put into a table."""
HEAD = "# written by gridai limits update; what the expected values were computed with"


def edited(text: str, changes: Changes, provenance: Provenance) -> str:
    """The text with new values and a new [provenance]. Raises CaseError where the layout is not understood."""
    lines = text.splitlines()
    found = layout.places(text)
    todo = [(found.get((study, kind, k)), values) for (study, kind, k), values in changes.items()]
    if any(part is None for part, _ in todo):
        raise CaseError(
            "tables must be headed [[study]], [[study.limit]], [[study.metric]]; inline lists are not edited"
        )
    for part, values in sorted(todo, key=lambda pair: -pair[0].begin if pair[0] else 0):
        assert part is not None
        lines[part.begin : part.end] = _table(lines[part.begin : part.end], values)
    new = "\n".join([*_without_provenance(lines), "", *_provenance(provenance)]) + "\n"
    _verify(text, new, changes, provenance)
    return new


def _table(lines: list[str], values: Mapping[str, Any]) -> list[str]:
    """The lines of one table with keys changed, or added after its last line that says something."""
    lines = list(lines)
    for key, value in values.items():
        for n, line in enumerate(lines):
            name, equals, rest = line.partition("=")
            if equals and name.strip() == key:
                lines[n] = f"{name}= {toml_value(value)}{_comment(rest)}"
                break
        else:
            indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
            lines.insert(_place(lines, key), f"{indent}{key} = {toml_value(value)}")
    return lines


def _place(lines: list[str], key: str) -> int:
    """Where a new key goes: behind those before it in ORDER, else behind the last line that says something."""
    before = ORDER[: ORDER.index(key)]
    behind = [n for n, line in enumerate(lines) if line.partition("=")[0].strip() in before]
    said = [n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    return max(behind or said) + 1


def _comment(rest: str) -> str:
    """The comment behind a value, with the space before it."""
    places = [k for k, char in enumerate(rest) if char == "#"]
    for k in places:
        try:
            tomllib.loads(f"key = {rest[:k]}")
        except tomllib.TOMLDecodeError:
            continue
        return rest[len(rest[:k].rstrip()) :]
    return ""


def toml_value(value: Any) -> str:
    """A number or text as TOML."""
    if isinstance(value, float):
        text = repr(value)
        return text if any(c in text for c in ".en") else f"{text}.0"
    return json.dumps(value, ensure_ascii=False)


def _without_provenance(lines: list[str]) -> list[str]:
    """The lines without the tables that `update` writes, and without blank lines at the end."""
    text = "\n".join(lines)
    drop: set[int] = set()
    for part in layout.parts(text):
        if part.header.partition(".")[0] == SECTION:
            drop |= set(range(part.begin, part.end))
    kept = [line for n, line in enumerate(lines) if n not in drop and line != HEAD]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _provenance(p: Provenance) -> list[str]:
    lines = [HEAD, f"[{SECTION}]"]
    lines += [f"{key} = {toml_value(getattr(p, key))}" for key in ("case_hash", "written", "command")]
    for name in ("versions", "files"):
        lines += ["", f"[{SECTION}.{name}]"]
        lines += [f"{_key(key)} = {toml_value(value)}" for key, value in getattr(p, name).items()]
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def _verify(old: str, new: str, changes: Changes, p: Provenance) -> None:
    wanted = copy.deepcopy(tomllib.loads(old))
    for (study, kind, k), values in changes.items():
        wanted["study"][study][kind][k].update(values)
    wanted[SECTION] = {
        "case_hash": p.case_hash, "written": p.written, "command": p.command,
        "versions": dict(p.versions), "files": dict(p.files),
    }  # fmt: skip
    try:
        same = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise CaseError("the layout of the file is not understood: write one key = value a line, then update again")
