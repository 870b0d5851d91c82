"""Buses of cases that come from PSS/E: their pandapower index is the number that the case's users know them by.

Such a net has a column `number` in its bus table, with a different whole number for every bus.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_BUS_COLUMNS = ("bus", "from_bus", "to_bus", "hv_bus", "mv_bus", "lv_bus")


def has_numbers(net: Any) -> bool:
    """Whether every bus states a number of its own."""
    if "number" not in net.bus.columns or net.bus["number"].dtype == object:
        return False
    numbers = net.bus["number"].to_numpy(dtype=float)
    return bool(
        np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all() and len(set(numbers)) == len(numbers)
    )


def index_by_number(net: Any) -> None:
    """Give each bus its number as index, if the bus table states numbers; every reference to it follows."""
    if not has_numbers(net):
        return
    new = dict(zip(net.bus.index.tolist(), net.bus["number"].astype(np.int64).tolist(), strict=True))
    for table in [t for t in net if not str(t).startswith(("_", "res_")) and hasattr(net[t], "columns")]:
        rows = net[table]
        for column in [c for c in _BUS_COLUMNS if c in rows.columns and len(rows)]:
            rows[column] = rows[column].map(new).astype(np.int64)
        if table == "switch" and len(rows):
            bus_bus = rows["et"] == "b"
            rows.loc[bus_bus, "element"] = rows.loc[bus_bus, "element"].map(new).astype(np.int64)
    net.bus.index = np.array(list(new.values()), dtype=np.int64)
