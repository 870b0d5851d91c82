"""Read and write one comma-separated table as plain text, with the line number of every row.

Lines that start with '#' are comments. Cells are text until a caller asks for numbers; nothing is evaluated.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridai.errors import Problems

TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True, eq=False)
class Table:
    """Cells of a file as text: `columns[name][k]` stands in line `rows[k]` of `file`."""

    file: str
    columns: dict[str, list[str]]
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: Path, file: str, found: Problems) -> Table:
    """Read a table. Faults (no header, repeated or empty column names, ragged rows, not UTF-8) go to `found`.

    file  the name to use in messages.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found.add(file, None, "file", None, f"cannot be read as UTF-8 text: {error}")
        return Table(file, {}, ())
    line = [0]
    records = [(number, cells) for number, cells in _records(text, line, file, found) if any(c.strip() for c in cells)]
    if not records:
        found.add(file, None, "header", None, "the table is empty: give it a header row with the column names")
        return Table(file, {}, ())
    header = [c.strip() for c in records[0][1]]
    for name in sorted({h for h in header if header.count(h) > 1}):
        found.add(file, records[0][0], "header", name, "this column appears twice" if name else "a column has no name")
    columns: dict[str, list[str]] = {name: [] for name in header}
    rows = []
    for number, cells in records[1:]:
        if len(cells) != len(header):
            found.add(file, number, "row", f"{len(cells)} cells", f"the header has {len(header)} columns")
            continue
        rows.append(number)
        for name, cell in zip(header, cells, strict=True):
            columns[name].append(cell.strip())
    if len(columns) != len(header):
        return Table(file, {}, ())
    return Table(file, columns, tuple(rows))


def _records(text: str, line: list[int], file: str, found: Problems) -> Iterator[tuple[int, list[str]]]:
    def lines() -> Iterator[str]:
        for number, content in enumerate(io.StringIO(text, newline=""), start=1):
            line[0] = number
            if not content.startswith("#"):
                yield content

    reader = csv.reader(lines(), strict=True)
    try:
        for cells in reader:
            yield line[0], cells
    except csv.Error as error:
        found.add(file, line[0], "row", None, f"is not comma-separated text: {error}")


def number(cell: str) -> float | None:
    """The number in a cell, nan for an empty cell, None if it is not a plain finite number."""
    if not cell:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def flag(cell: str) -> bool | None:
    """True, False, or None if the cell is neither."""
    low = cell.lower()
    return True if low in TRUE else False if low in FALSE else None


def cell_text(value: Any) -> str:
    """A value as a cell that reads back the same: shortest exact float, true/false, empty for None and NaN."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}:
        return "true" if value else "false"
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float):
        return str(int(plain)) if plain.is_integer() and abs(plain) < 1e15 else repr(plain)
    return str(plain)


def write_table(path: Path, columns: dict[str, Sequence[Any]]) -> None:
    """Write columns of equal length. Cells go through cell_text; a first cell that looks like a comment is quoted."""
    out = io.StringIO()
    plain = csv.writer(out, lineterminator="\n")
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(columns)
    for values in zip(*columns.values(), strict=True):
        cells = [cell_text(v) for v in values]
        (quoted if cells[0].startswith("#") or not any(cells) else plain).writerow(cells)
    path.write_text(out.getvalue(), encoding="utf-8")
