"""The text of a PSS/E RAW file: header, sections, records, fields, each with its line number.

PSS/E reads free format: fields are parted by commas or blanks, an empty field takes its default, texts stand in
quotes, and a slash ends the record. Lines that start with `@!` are comments. A record that starts with 0 ends a
section, a `Q` the file. Sections are known by the words after "BEGIN" and, where there are none, by their order.

Sources: PSS/E 32, 33, 34 and 35 Program Operation Manual, chapter "Power flow raw data file contents".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gridai.errors import CaseError, Problems

VERSIONS = (32, 33, 34, 35)
_COMMON = (
    "area", "two-terminal dc", "vsc dc", "impedance correction", "multi-terminal dc", "multi-section line", "zone",
    "inter-area transfer", "owner", "facts", "switched shunt", "gne", "induction machine",
)  # fmt: skip
_FIRST = ("bus", "load", "fixed shunt", "generator", "branch")
_WITH_SWITCHES = ("system-wide", *_FIRST, "system switching device", "transformer", *_COMMON, "substation")
ORDER = {
    32: (*_FIRST, "transformer", *_COMMON),
    33: (*_FIRST, "transformer", *_COMMON),
    34: _WITH_SWITCHES,
    35: _WITH_SWITCHES,
}
"""Sections of each version in the order of the file."""

LAST_NEEDED = "switched shunt"
"""A file may end without Q once this section is closed; before that it is cut off."""

_END = re.compile(r"0\s*(?:/.*)?$")
_BEGIN = re.compile(r"begin\s+(.+?)(?:\s+data)?\s*$", re.IGNORECASE)
_PLAIN = re.compile(r"[^\s,/]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


class FieldError(ValueError):
    """A line that cannot be split into fields."""


@dataclass(frozen=True)
class Line:
    """One physical line with its number, counted from 1."""

    number: int
    text: str


@dataclass
class RawText:
    """A RAW file as text. `sections` keeps the lines of each section's records, comments and blank lines left out."""

    file: str
    version: int
    header: tuple[str, ...]
    titles: tuple[str, str]
    sections: dict[str, list[Line]] = field(default_factory=dict)
    comments: int = 0
    notes: list[str] = field(default_factory=list)


def split_fields(text: str) -> list[str]:
    """Fields of a line up to the slash that ends it; empty fields are "". Raises FieldError for an open quote."""
    out: list[str] = []
    at, size, wanted = 0, len(text), True
    while True:
        while at < size and text[at].isspace():
            at += 1
        if at >= size or text[at] == "/":
            return out
        if text[at] == ",":
            if wanted:
                out.append("")
            at, wanted = at + 1, True
            continue
        if text[at] in "'\"":
            end = text.find(text[at], at + 1)
            if end < 0:
                raise FieldError(f"the quote that opens at column {at + 1} is not closed")
            value, at = text[at + 1 : end].strip(), end + 1
        else:
            match = _PLAIN.match(text, at)
            value, at = (match.group(), match.end()) if match else ("", at + 1)
        out.append(value)
        wanted = False


def read_text(path: Path, found: Problems, notes: list[str]) -> str | None:
    """The text of a file, UTF-8 or else Latin-1 (with a note); None with a fault for what is not text."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        found.add(path.name, None, "file", None, f"cannot be read: {error.strerror or error}")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        text = raw.decode("latin-1")
        notes.append(f"line {line} holds bytes that are not UTF-8: the file is read as Latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        remedy = "is not a text file; from a binary .sav case, write a RAW file in PSS/E"
        found.add(path.name, line, "character", f"\\x{ord(control.group()):02x}", remedy)
        return None
    if not text.strip():
        found.add(path.name, None, "file", None, "is empty")
        return None
    return text


def parse_text(path: Path, found: Problems) -> RawText:
    """Header and sections of a RAW file. Raises CaseError for what is no RAW file or of an unknown version."""
    notes: list[str] = []
    text = read_text(path, found, notes)
    if text is None:
        found.raise_if_any(CaseError)
        raise CaseError(f"{path.name}: cannot be read")
    lines = [Line(n, t) for n, t in enumerate(text.split("\n"), start=1)]
    while lines and not lines[-1].text.strip():
        lines.pop()
    kept = [line for line in lines if not line.text.lstrip().startswith("@!")]
    header, version = _header(path.name, kept, found)
    padded = [*(line.text.strip() for line in kept[1:3]), "", ""]
    raw = RawText(path.name, version, header, (padded[0], padded[1]), comments=len(lines) - len(kept), notes=notes)
    _fill_sections(raw, kept[3:], found)
    return raw


def _header(file: str, lines: list[Line], found: Problems) -> tuple[tuple[str, ...], int]:
    """Fields of the first line and the version. IC, SBASE, REV, XFRRAT, NXFRAT, BASFRQ."""
    first = lines[0] if lines else Line(1, "")
    if first.text.lstrip().startswith("{"):
        found.add(
            file, first.number, "file", None, "is in the RAWX (JSON) format: write a RAW file of version 33 or 35"
        )
        found.raise_if_any(CaseError)
    try:
        fields = split_fields(first.text)
    except FieldError as error:
        fields = []
        found.add(file, first.number, "header", None, str(error))
    fields += [""] * (6 - len(fields))
    change, version = fields[0] or "0", fields[2]
    known = ", ".join(map(str, VERSIONS))
    if not re.fullmatch(r"[01]", change) or not re.fullmatch(r"\d{1,3}(\.\d*)?", version):
        what = first.text.strip()[:60]
        remedy = f"is not the first line of a RAW file (IC, SBASE, REV, XFRRAT, NXFRAT, BASFRQ; REV one of {known})"
        found.add(file, first.number, "header", what, remedy)
    elif int(float(version)) not in VERSIONS:
        found.add(file, first.number, "REV", version, f"this version is not read: write the file as one of {known}")
    elif change == "1":
        found.add(file, first.number, "IC", 1, "the file holds changes to another case: write the whole case (IC = 0)")
    found.raise_if_any(CaseError)
    return tuple(fields), int(float(version))


def _fill_sections(raw: RawText, lines: list[Line], found: Problems) -> None:
    order = ORDER[raw.version]
    section, closed = order[0], set()
    multi = _Continuation()
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        if multi.left == 0:
            if text in ("Q", "q"):
                return
            if _END.match(text) or _ends(section, text):
                closed.add(section)
                section = _next_section(raw, section, text)
                raw.sections.setdefault(section, [])
                continue
        multi.count(section, text)
        raw.sections.setdefault(section, []).append(line)
    end = lines[-1].number if lines else 1
    if multi.left:
        found.add(raw.file, end, f"{section} data", None, "the file ends within a record: it is cut off")
    elif LAST_NEEDED not in closed:
        remedy = (
            "the file ends here without Q: it is cut off (a whole file closes every section with 0 and ends with Q)"
        )
        found.add(raw.file, end, f"{section} data", None, remedy)
    else:
        raw.notes.append("the file ends without a Q line")


def _ends(section: str, text: str) -> bool:
    """Whether a line whose first field is 0 closes a section of records that start with a bus number."""
    return section in _NUMBERED and re.match(r"0+\s*[\s,/]", text) is not None


_NUMBERED = (*_FIRST, "system switching device", "transformer", "area", "zone", "owner", "switched shunt")


class _Continuation:
    """Counts the lines that still belong to a record of several lines, so that none is taken for a section's end."""

    def __init__(self) -> None:
        self.left = 0

    def count(self, section: str, text: str) -> None:
        """Note one line of a section."""
        if self.left:
            self.left -= 1
        elif section == "transformer":
            try:
                third = split_fields(text)[2:3]
            except FieldError:
                third = []
            self.left = 3 if third in ([], [""], ["0"]) else 4
        elif section in ("two-terminal dc", "vsc dc"):
            self.left = 2


def _next_section(raw: RawText, section: str, text: str) -> str:
    """The section that the comment of a closing line announces, else the next one of the version."""
    order = ORDER[raw.version]
    usual = order[min(order.index(section) + 1, len(order) - 1)] if section in order else "unknown"
    said = _BEGIN.search(text)
    if said is None:
        return usual
    words = said.group(1).strip().lower()
    for name in sorted(order, key=len, reverse=True):
        if words.startswith(name):
            return name
    return words


def records(raw: RawText, section: str, lines_each: int = 1) -> Iterator[tuple[Line, ...]]:
    """Lines of a section grouped by record of a fixed number of lines."""
    lines = raw.sections.get(section, [])
    for at in range(0, len(lines), lines_each):
        yield tuple(lines[at : at + lines_each])
