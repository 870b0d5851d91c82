"""Rows of pandapower's element tables, collected record by record, and the net made of them.

Each row keeps the line of the file it came from, so that later faults of a table name that line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.errors import Problems
from gridai.grid import schema
from gridai.grid.raw_layout import Row, layout
from gridai.grid.raw_report import Account
from gridai.grid.raw_text import FieldError, Line, RawText, split_fields
from gridai.grid.tables import empty_net

_DTYPES = {"number": "float64", "flag": "bool", "text": "object", "bus": "int64", "element": "int64"}
# Columns beyond pandapower's: kept in the case folder as they are.
NUMBER_COLUMNS = ("number", "area", "q_share", "zr_pu", "zx_pu", "rating_mva")


@dataclass(frozen=True)
class Node:
    """A bus as its record gives it. ide: 1 load, 2 generator, 3 swing, 4 isolated."""

    number: int
    name: str
    key: str
    kv: float
    ide: int
    vm_pu: float
    va_degree: float
    line: int


@dataclass(frozen=True)
class Regulator:
    """A machine that holds a voltage: its bus, the bus it regulates, the schedule, its reactive range."""

    bus: int
    target: int
    v_pu: float
    q_mvar: float
    q_min_mvar: float
    q_max_mvar: float


@dataclass
class Build:
    """A net in the making. Buses go by their number."""

    raw: RawText
    s_base_mva: float
    f_hz: float
    found: Problems
    account: Account
    nodes: dict[int, Node] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    regulators: list[Regulator] = field(default_factory=list)
    seen: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def rows(self, section: str, record: str = "") -> list[Row]:
        """The records of a section of one line each."""
        rows = [self.row(record or section, line) for line in self.raw.sections.get(section, [])]
        return [row for row in rows if row is not None]

    def row(self, record: str, line: Line) -> Row | None:
        """One line as a row; None, with a fault, if it cannot be split."""
        try:
            fields = split_fields(line.text)
        except FieldError as error:
            self.found.add(self.raw.file, line.number, f"{record} data", line.text.strip()[:60], str(error))
            return None
        return Row(layout(record, self.raw.version), fields, self.raw.file, line.number, self.found)

    def node(self, row: Row, name: str = "I") -> Node | None:
        """The bus that a field names; None, with a fault, if there is none."""
        number = row.whole(name)
        node = self.nodes.get(abs(number))
        if node is None:
            row.fault(name, number, "no bus of the file has this number")
        return node

    def once(self, row: Row, what: str, *key: Any) -> bool:
        """Whether this is the first record of its key; notes a fault if not."""
        first = self.seen.setdefault((what, *key), row.line)
        if first != row.line:
            name = " ".join(str(part) for part in key)
            row.fault(what, name, f"stands in line {first} already: two records of one key; give one another id")
        return first == row.line

    def add(self, table: str, line: int, **values: Any) -> None:
        """One more row of a table. Values that overflowed on the way are a fault of the line."""
        for name, value in values.items():
            column = schema.TABLES[table].get(name)
            if isinstance(value, float) and (
                math.isinf(value) or (math.isnan(value) and column is not None and column.required)
            ):
                self.found.add(self.raw.file, line, name, value, f"the record's numbers are out of range for a {table}")
        self.tables.setdefault(table, []).append(values)
        self.lines.setdefault(table, []).append(line)

    def net(self) -> Any:
        """The pandapower net. The index of a bus is its number."""
        net = empty_net(self.raw.titles[0], self.f_hz, self.s_base_mva)
        for table, rows in self.tables.items():
            net[table] = _frame(net[table], table, rows, self.raw.file, self.lines[table])
        net.bus.index = np.array([row["number"] for row in self.tables["bus"]], dtype=np.int64)
        return net


def _frame(empty: Any, table: str, rows: list[dict[str, Any]], file: str, lines: list[int]) -> Any:
    """Rows as a table in pandapower's order and dtypes; what a row does not give takes the schema's default."""
    import pandas as pd

    known = schema.TABLES[table]
    given = {name for row in rows for name in row}
    names = [c for c in empty.columns if c in known or c in given]
    names += [c for c in [*known, *NUMBER_COLUMNS] if c in given and c not in names]
    data = {}
    for name in names:
        column = known.get(name)
        default = column.default if column else None
        values = [row.get(name, default) for row in rows]
        number = (
            name in NUMBER_COLUMNS or str(empty.dtypes.get(name)) == "float64" or (column and column.kind == "number")
        )
        dtype = (
            str(empty[name].dtype) if name in empty.columns else _DTYPES.get(column.kind if column else "", "object")
        )
        if number:
            data[name] = pd.Series(np.array([np.nan if v is None else v for v in values], dtype=float))
        else:
            data[name] = pd.Series(values, dtype=dtype)
    frame = pd.DataFrame(data)
    frame.attrs["file"], frame.attrs["rows"] = file, list(lines)
    return frame
