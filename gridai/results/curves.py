"""Single curves by name: those of a Result, recorded or derived, and those of a CSV file of another program.

gen/G1/p_mw        one curve: kind, element, quantity
bus/vm_pu          the quantity of every element of a kind
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridai.errors import ResultError, UnknownNameError, near
from gridai.results.result import Result

FloatArray = NDArray[np.float64]
TIMES = ("t_s", "time_s", "t", "time", "time(s)")


@dataclass(frozen=True, eq=False)
class Curve:
    """Times [s] and values of one quantity of one element; `group` is "kind/quantity"."""

    key: str
    group: str
    t_s: FloatArray
    x: FloatArray

    @property
    def span(self) -> float:
        """Highest less lowest value; 0 without a number."""
        known = self.x[~np.isnan(self.x)]
        return float(known.max() - known.min()) if len(known) else 0.0


def curves_of(result: Result, names: Sequence[str] = ()) -> dict[str, Curve]:
    """The curves of a result by key: those named ("kind/element/quantity" or "kind/quantity"), or all recorded ones.

    Raises UnknownNameError listing near names, ResultError for a kind that was not recorded.
    """
    found: dict[str, Curve] = {}
    if not names:
        for k, c in enumerate(result.channels):
            found[c.key] = Curve(c.key, f"{c.kind}/{c.quantity}", result.t_s, result.data[:, k] * c.scale)
        return found
    for name in names:
        kind, _, rest = name.partition("/")
        element, _, quantity = rest.rpartition("/")
        elements = result.names(kind, quantity)
        if element and element not in elements:
            raise UnknownNameError(near(element, elements, kind))
        values = result.values(kind, quantity)
        for k, e in enumerate(elements):
            if element in ("", e):
                key = f"{kind}/{e}/{quantity}"
                found[key] = Curve(key, f"{kind}/{quantity}", result.t_s, values[:, k])
    return found


def read_curves(path: str | Path) -> dict[str, Curve]:
    """The columns of a CSV file by their names; time is the column t_s, time or t, else the first.

    Lines that begin with # are left out. Raises ResultError that names the line for a missing or faulty number and for
    times that fall.
    """
    file = Path(path)
    if not file.is_file():
        raise ResultError(f"{file}: no such file; name a folder of a saved run or a CSV file of curves")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = [(n, r) for n, r in enumerate(csv.reader(stream), 1) if r and not r[0].startswith("#") and any(r)]
    if len(rows) < 2:
        raise ResultError(f"{file}: fewer than two rows; a header and a row for each instant are needed")
    header = [name.strip() for name in rows[0][1]]
    values = np.array([_numbers(file, n, row, len(header)) for n, row in rows[1:]])
    time = next((k for k, name in enumerate(header) if name.lower() in TIMES), 0)
    t = values[:, time]
    falls = np.flatnonzero(np.diff(t) < 0.0)
    if np.isnan(t).any() or len(falls):
        line = rows[1 + (int(falls[0]) + 1 if len(falls) else int(np.isnan(t).argmax()))][0]
        raise ResultError(f"{file}, line {line}: the time must be a number and must not fall")
    return {name: Curve(name, name, t, values[:, k]) for k, name in enumerate(header) if k != time}


def _numbers(file: Path, line: int, row: list[str], width: int) -> list[float]:
    if len(row) != width:
        raise ResultError(f"{file}, line {line}: {len(row)} cells where the header has {width}")
    try:
        return [float(cell) if cell.strip() else float("nan") for cell in row]
    except ValueError as error:
        raise ResultError(f"{file}, line {line}: {error}; write numbers, or nothing for a gap") from error
