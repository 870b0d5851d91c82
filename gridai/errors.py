"""Every error gridai raises on purpose, the text that lists near names, and the collector of faults.

`exit_status` is what the command line returns: 2 for bad input, 3 for a run that lost convergence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn


class GridaiError(Exception):
    """Base of all errors that gridai raises on purpose. Its text is meant for the user."""

    exit_status: int = 2


class CaseError(GridaiError):
    """A case, or something asked of it, is not as it must be: the text names file, row, field, value and remedy."""


class UnknownNameError(CaseError):
    """A name (case, bus, unit, model, hardware, study) that does not exist: the text lists near ones."""


class AmbiguousNameError(CaseError):
    """A name that fits more than one thing: the text lists the candidates."""


class PowerFlowError(GridaiError):
    """The power flow has no answer, or cannot be set up: the text names the likely cause."""


class InitialisationError(GridaiError):
    """The dynamic models do not start in balance: the text names state, unit and value.

    outside  limits that the start violates: (unit, model, parameter, value of the start, value of the limit).
    """

    outside: tuple[tuple[str, str, str, float, float], ...] = ()


class SettingError(GridaiError):
    """A parameter of a study, cluster or event outside what is allowed: the text gives value, unit and range."""


class ResultError(GridaiError):
    """A result that cannot be read, written or asked for that quantity."""


class ConvergenceError(GridaiError):
    """A run that lost convergence. What was computed until then is kept in `result`.

    time_s    time of the failure. [s]
    bus       the bus with the largest residual.
    residual  the largest residual left. [pu]
    result    the Result until then, or None.
    """

    exit_status = 3

    def __init__(self, time_s: float, bus: str, residual: float, result: Any = None, text: str = "") -> None:
        self.time_s = time_s
        self.bus = bus
        self.residual = residual
        self.result = result
        message = f"lost convergence at t = {time_s:.6g} s, worst bus '{bus}', residual {residual:.3g} pu"
        super().__init__(f"{message}: {text}" if text else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the fields when the error crosses a process border (sweeps)."""
        return _rebuild_convergence, (self.time_s, self.bus, self.residual, self.result, str(self))


def _rebuild_convergence(time_s: float, bus: str, residual: float, result: Any, message: str) -> ConvergenceError:
    error = ConvergenceError(time_s, bus, residual, result)
    error.args = (message,)
    return error


def near(name: object, names: Iterable[object], kind: str, other_way: str = "") -> str:
    """Text for an UnknownNameError: what was asked for, the near names, or all of them when they are few.

    name       what the user wrote.
    names      the names that exist.
    kind       what they are, in the singular: "case", "bus", "hardware".
    other_way  what may be given in place of a name: "the path of a folder".
    """
    known = sorted({str(n) for n in names}, key=lambda n: (len(n), n))
    asked = str(name)
    text = f"unknown {kind} '{asked}'"
    also = f"; or give {other_way}" if other_way else ""
    if not known:
        return f"{text}: there are none{also}"
    folded: dict[str, list[str]] = {}
    for other in known:
        folded.setdefault(other.casefold(), []).append(other)
    close = [n for hit in _close(asked.casefold(), folded) for n in folded[hit]]
    contains = [n for n in known if asked and asked.casefold() in n.casefold() and n not in close]
    close = (close + contains)[:8]
    if close:
        return f"{text}; did you mean {_quoted(close)}?" + (f" Or give {other_way}" if other_way else "")
    if len(known) <= 40:
        return f"{text}; known: {_quoted(known)}{also}"
    return f"{text}; known are {len(known)}, among them {_quoted(known[:12])}{also}"


def _close(asked: str, names: Iterable[str]) -> list[str]:
    """The nearest names; far ones are left out, and those that are much farther than the nearest."""
    # One letter of three weighs more than one of ten.
    hits = difflib.get_close_matches(asked, names, n=6, cutoff=0.55 if len(asked) < 5 else 0.62)
    likeness = [difflib.SequenceMatcher(None, hit, asked).ratio() for hit in hits]
    return [hit for hit, own in zip(hits, likeness, strict=True) if own >= likeness[0] - 0.3]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{n}'" for n in names)


@dataclass(frozen=True)
class Problem:
    """One fault of the input. `row` counts the file's lines from 1; None where the whole file or table is meant."""

    file: str
    row: int | None
    field: str
    value: Any
    remedy: str

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}, row {self.row}"
        what = f"{self.field} = {self.value!r}" if self.value is not None else self.field
        return ": ".join(part for part in (where, what, self.remedy) if part)


@dataclass
class Problems:
    """Collects all faults of a file or case before one error is raised.

    >>> found = Problems("case smib")
    >>> found.add("network/gen.csv", 3, "sn_mva", -5.0, "give a rating above 0 MVA")
    >>> len(found)
    1
    """

    title: str = ""
    items: list[Problem] = field(default_factory=list)

    def add(self, file: object, row: int | None, field: str, value: Any, remedy: str) -> None:
        """Note one fault: file, line number (or None), field, value found, and what to do about it."""
        self.items.append(Problem(str(file), None if row is None else int(row), field, _plain(value), remedy))

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    def text(self) -> str:
        """All faults, one a line, under a heading that counts them."""
        count = "1 fault" if len(self.items) == 1 else f"{len(self.items)} faults"
        head = f"{self.title}: {count}" if self.title else count
        return "\n".join([head, *(f"  {item}" for item in self.items)])

    def raise_if_any(self, error: type[GridaiError] = CaseError) -> None:
        """Raise one error that holds all faults noted so far; do nothing if there are none."""
        if self.items:
            self._raise(error)

    def _raise(self, error: type[GridaiError]) -> NoReturn:
        raise error(self.text())


def _plain(value: Any) -> Any:
    """NumPy scalars print as `np.float64(1.0)`: show the plain number."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value
