"""The text of a PSS/E DYR file: records of dynamic models, each with the line where it begins.

    102 'GENROU' 1   8.0 0.03 0.4 0.05 ... /        bus number, model, id, constants, slash

Fields are parted by blanks or commas, records run over several lines up to a slash, what follows the slash on its
line is a remark. Lines that begin with `//` or `@!` are comments; a slash alone is skipped and counted.
Source: PSS/E Program Operation Manual, "Dynamics data input (DYRE)".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gridai.errors import Problems
from gridai.grid.raw_text import read_text

WRAPPERS = ("USRMDL", "USRLOD", "USRMSC", "USRFCT", "USRREL", "USRDCL", "USRSWS", "USRBUS")
"""Records of user-written models: the model's own name follows the id."""

_TOKEN = re.compile(r"""'([^']*)'|"([^"]*)"|(/)|([^\s,'"/]+)|(['"])""")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")


@dataclass(frozen=True)
class DyrRecord:
    """One record. `values` are the constants as text; `user_model` the name that a USR... record wraps."""

    file: str
    line: int
    bus: int
    model: str
    ident: str
    values: tuple[str, ...]
    user_model: str = ""

    @property
    def label(self) -> str:
        """Model, bus and id in words."""
        own = f" ({self.model})" if self.user_model else ""
        return f"{self.user_model or self.model}{own} at bus {self.bus}, id '{self.ident}'"


@dataclass
class DyrText:
    """The records of a file, and how many lines held a comment or only a slash."""

    file: str
    records: list[DyrRecord] = field(default_factory=list)
    comments: int = 0
    strays: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Token:
    line: int
    text: str
    quoted: bool


def parse_dyr(path: Path, found: Problems) -> DyrText:
    """The records of a DYR file. Faults go to `found`, each with its line; records with faults are left out."""
    out = DyrText(path.name)
    text = read_text(path, found, out.notes)
    if text is None:
        return out
    pending: list[_Token] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith(("//", "@!")):
            out.comments += 1
            continue
        ended = False
        for token in _tokens(out.file, number, line, found):
            if token is None:
                ended = True
                break
            pending.append(token)
        if ended and pending:
            _close(out, pending, found)
            pending = []
        elif ended:
            out.strays += 1
    if pending:
        what = " ".join(t.text for t in pending[:3])
        remedy = "the record is not ended by '/': the file is cut off, or the slash is missing"
        found.add(out.file, pending[0].line, "record", what, remedy)
    return out


def _tokens(file: str, number: int, line: str, found: Problems) -> Iterator[_Token | None]:
    """Tokens of a line; None for the slash that ends the record."""
    for match in _TOKEN.finditer(line):
        single, double, slash, plain, lone = match.groups()
        if slash:
            yield None
            return
        if lone:
            found.add(file, number, "quote", line.strip()[:60], "a quote is not closed on its line")
            return
        quoted = plain is None
        yield _Token(number, (single if single is not None else double or "").strip() if quoted else plain, quoted)


def _close(out: DyrText, tokens: list[_Token], found: Problems) -> None:
    """Make a record of the tokens up to a slash."""
    first = tokens[0]
    if len(tokens) < 3:
        what = " ".join(t.text for t in tokens)
        found.add(out.file, first.line, "record", what, "a record needs bus number, model name and id before its '/'")
        return
    if not re.fullmatch(r"\d{1,9}", first.text, re.ASCII) or first.quoted:
        remedy = (
            "a record begins with a bus number (names of buses are not read); or the '/' of the line before is missing"
        )
        found.add(out.file, first.line, "bus", first.text, remedy)
        return
    if not _NAME.fullmatch(tokens[1].text):
        found.add(out.file, tokens[1].line, "model", tokens[1].text, "a model name stands after the bus number")
        return
    model, rest, user = tokens[1].text.upper(), tokens[3:], ""
    if model in WRAPPERS and rest:
        user, rest = rest[0].text.upper(), rest[1:]
    joined = next((t for t in rest if t.quoted and _NAME.fullmatch(t.text)), None)
    if joined is not None:
        remedy = f"'{joined.text}' stands among the constants: the '/' before line {joined.line} seems to be missing"
        found.add(out.file, first.line, "record", f"{first.text} {model} {tokens[2].text}", remedy)
        return
    values = tuple(t.text for t in rest)
    out.records.append(DyrRecord(out.file, first.line, int(first.text), model, tokens[2].text, values, user))
