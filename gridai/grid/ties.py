"""Connections that are open: lines, transformers, impedances out of service or open at a switch, bus couplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ENDS = {"line": ("from_bus", "to_bus"), "impedance": ("from_bus", "to_bus"), "trafo": ("hv_bus", "lv_bus")}
SWITCHED = {"l": "line", "t": "trafo"}
"""Kind of a switch (column et) to the table of what it switches; "b" joins two buses."""


@dataclass(frozen=True)
class Tie:
    """An open connection: ("line", 3), ("switch", 7), ...; its two buses, pandapower indices."""

    element: tuple[str, int]
    one: int
    two: int


def open_ties(net: Any) -> list[Tie]:
    """Connections that are open between two buses in service."""
    live = set(net.bus.index[net.bus["in_service"].astype(bool)].tolist())
    switch = net.switch
    opened = switch[~switch["closed"].astype(bool)]
    by_switch = {
        (SWITCHED[kind], int(e)) for kind, e in zip(opened["et"], opened["element"], strict=True) if kind in SWITCHED
    }
    out = []
    for table, (one, two) in _ENDS.items():
        rows = net[table]
        for index, on, a, b in zip(rows.index, rows["in_service"], rows[one], rows[two], strict=True):
            if (not on or (table, int(index)) in by_switch) and a in live and b in live:
                out.append(Tie((table, int(index)), int(a), int(b)))
    joins = opened[opened["et"] == "b"]
    for index, a, b in zip(joins.index, joins["bus"], joins["element"], strict=True):
        if a in live and b in live:
            out.append(Tie(("switch", int(index)), int(a), int(b)))
    return out
