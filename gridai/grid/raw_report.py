"""What became of every record of a file: used, out of service, information only, or unsupported with its line."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridai.errors import CaseError, Problems

MOST_FAULTS = 60
"""Faults of a file that are shown in words."""


@dataclass(frozen=True)
class Unsupported:
    """A record, or a part of one, that the case does not hold. `what` names it, `why` says what that means."""

    file: str
    line: int
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}: {self.why}"


@dataclass
class Count:
    """Records of one kind. `out` are in the case but out of service; `skipped` carry no equipment."""

    used: int = 0
    out: int = 0
    skipped: int = 0
    unsupported: int = 0

    @property
    def total(self) -> int:
        """All records of the kind."""
        return self.used + self.out + self.skipped + self.unsupported


@dataclass
class Account:
    """The account of one file: counts by kind of record, what is not supported, and what was assumed.

    unsupported  whole records that are not in the case.
    partly       records in the case of which a part has no effect.
    notes        defaults taken and readings chosen.
    """

    file: str
    title: str = ""
    counts: dict[str, Count] = field(default_factory=dict)
    unsupported: list[Unsupported] = field(default_factory=list)
    partly: list[Unsupported] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, kind: str) -> Count:
        """The counts of a kind of record."""
        return self.counts.setdefault(kind, Count())

    def used(self, kind: str, in_service: bool = True) -> None:
        """One more record that is in the case."""
        count = self.of(kind)
        if in_service:
            count.used += 1
        else:
            count.out += 1

    def refuse(self, kind: str, line: int, what: str, why: str) -> None:
        """One more record that is not in the case."""
        self.of(kind).unsupported += 1
        self.unsupported.append(Unsupported(self.file, line, what, why))

    def without(self, line: int, what: str, why: str) -> None:
        """A part of a record that has no effect."""
        self.partly.append(Unsupported(self.file, line, what, why))

    @property
    def records(self) -> int:
        """All records of the file."""
        return sum(count.total for count in self.counts.values())

    def __str__(self) -> str:
        head = f"{self.file}: {self.records} records" + (f" ({self.title})" if self.title else "")
        columns = ("used", "out", "skipped", "unsupported")
        wide = max([len(kind) for kind in self.counts] or [0]) + 2
        lines = [head, "  " + "".ljust(wide) + "".join(c.rjust(13) for c in columns)]
        for kind, count in self.counts.items():
            cells = [str(getattr(count, c) or "").rjust(13) for c in columns]
            lines.append(("  " + kind.ljust(wide) + "".join(cells)).rstrip())
        for name, rows in (("not in the case", self.unsupported), ("in the case, in part", self.partly)):
            lines += [f"  {name}:", *(f"    {row}" for row in rows)] if rows else []
        return "\n".join(lines + [f"  note: {text}" for text in self.notes])


def raise_faults(found: Problems) -> None:
    """Raise one CaseError with the faults noted, the first MOST_FAULTS of them in words."""
    if len(found) > MOST_FAULTS:
        shown = Problems(found.title, found.items[:MOST_FAULTS])
        raise CaseError(f"{shown.text()}\n  and {len(found) - MOST_FAULTS} more: mend these first")
    found.raise_if_any(CaseError)
