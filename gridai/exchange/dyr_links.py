"""Bus numbers and branches in DYR records, turned into the link columns of a dynamics table.

`remote_bus` and `remote_bus2` in a model's `DYR` are bus numbers, 0 or the unit's own number for the own bus.
`branch_from`, `branch_to` and `branch_circuit` name one branch, 0 for none; they become `branch` and `from_bus`, the
end where the flow is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridai.errors import Problems
from gridai.exchange.dyr import DyrRecord
from gridai.grid.names import bus_keys_of, element_names
from gridai.grid.raw_layout import to_number

BUS_COLUMNS = ("remote_bus", "remote_bus2")
BRANCH_COLUMNS = ("branch_from", "branch_to", "branch_circuit")
LINK_COLUMNS = (*BUS_COLUMNS, *BRANCH_COLUMNS)
SIGNAL_CODES = {"mode": "remote_bus", "ics1": "remote_bus", "ics2": "remote_bus2"}
"""A stabiliser's constant that chooses a signal, and the column of the signal's bus."""
BUS_SIGNALS = (2.0, 5.0, 6.0)
"""Signals that are measured at a bus; with the others the number of a bus says nothing."""


@dataclass(frozen=True)
class Places:
    """Bus number to key, and the branches of a net by name."""

    buses: dict[int, str]
    branches: frozenset[str]

    @classmethod
    def of(cls, net: Any) -> Places:
        """Buses by their index, which is the number in a PSS/E case."""
        names = element_names(net)
        tables = ("line", "trafo", "impedance", "switch")
        return cls(bus_keys_of(net), frozenset(name for table in tables for name in names.get(table, ())))


def links(
    record: DyrRecord, texts: dict[str, str], values: dict[str, float], places: Places, found: Problems
) -> dict[str, str]:
    """Columns `remote_bus`, `remote_bus2`, `branch`, `from_bus` of a record, those that are not empty.

    texts   the fields of LINK_COLUMNS that the record has.
    values  its other constants.
    """
    out = {}
    unread = {c for code, c in SIGNAL_CODES.items() if code in values and values[code] not in BUS_SIGNALS}
    for column in (c for c in BUS_COLUMNS if c in texts and c not in unread):
        bus = abs(_number(record, column, texts[column], found))
        if bus and bus not in places.buses:
            found.add(record.file, record.line, column, bus, f"no bus of the case has this number ({record.label})")
        elif bus and bus != record.bus:
            out[column] = places.buses[bus]
    start, end = (abs(_number(record, c, texts.get(c, "0"), found)) for c in BRANCH_COLUMNS[:2])
    if not start and not end:
        return out
    circuit = texts.get("branch_circuit", "1").strip() or "1"
    name = next((n for n in (f"{start}-{end} {circuit}", f"{end}-{start} {circuit}") if n in places.branches), None)
    if name is None:
        asked = f"{start} to {end} circuit '{circuit}'"
        found.add(record.file, record.line, "branch", asked, f"the case has no such branch ({record.label})")
    else:
        out |= {"branch": name, "from_bus": places.buses[start]}
    return out


def _number(record: DyrRecord, column: str, text: str, found: Problems) -> int:
    value = to_number(text or "0")
    if value is None or not value.is_integer():
        found.add(record.file, record.line, column, text, f"is not a bus number ({record.label})")
        return 0
    return int(value)


def numbers(row: dict[str, Any], net: Any) -> dict[str, str]:
    """The way back: fields of LINK_COLUMNS for a row of a dynamics table."""
    number = {key: index for index, key in bus_keys_of(net).items()}
    out = {c: str(number.get(_text(row, c), 0)) for c in BUS_COLUMNS}
    out |= {**dict.fromkeys(BRANCH_COLUMNS[:2], "0"), "branch_circuit": "0"}
    name = _text(row, "branch")
    if name:
        ends, _, circuit = name.rpartition(" ")
        start, _, end = ends.partition("-")
        if str(number.get(_text(row, "from_bus"), start)) == end:
            start, end = end, start
        out |= {"branch_from": start, "branch_to": end, "branch_circuit": circuit}
    return out


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None or value != value else str(value)
