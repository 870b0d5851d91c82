"""What the dynamic path cannot represent is refused by name, with the way out. Nothing is dropped."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.errors import CaseError, Problems, near

# table: the way out
REFUSED = {
    "dcline": "replace it by a load at the sending and an sgen at the receiving bus with its power flow's P and Q",
    "xward": "replace it by a ward, or by a gen behind an impedance (its internal voltage source needs a machine)",
    "svc": "replace it by a shunt of its power flow's Q",
    "tcsc": "replace it by an impedance of its power flow's reactance",
    "ssc": "replace it by a gen with p_mw = 0, or by a shunt of its power flow's Q",
    "vsc": "replace it by an sgen with its power flow's P and Q",
    "vsc_stacked": "replace it by an sgen with its power flow's P and Q",
    "vsc_bipolar": "replace it by an sgen with its power flow's P and Q",
    "line_dc": "replace the DC network by loads and sgens at its AC buses",
    "load_dc": "replace the DC network by loads and sgens at its AC buses",
    "source_dc": "replace the DC network by loads and sgens at its AC buses",
    "controller": "run pandapower's controllers first, then empty net.controller",
}

# Elements that have a place in the dynamic network.
ELEMENTS = (
    "bus", "line", "trafo", "trafo3w", "impedance", "switch", "load", "sgen", "storage", "motor", "gen", "ext_grid",
    "shunt", "ward", "asymmetric_load", "asymmetric_sgen",
)  # fmt: skip

# Tables that carry no equipment in service of a power flow.
HARMLESS = (
    "measurement", "pwl_cost", "poly_cost", "group", "bus_geodata", "line_geodata", "bus_dc", "characteristic",
    "trafo_characteristic_table", "trafo_characteristic_spline", "shunt_characteristic_table",
    "shunt_characteristic_spline", "q_capability_curve_table", "q_capability_characteristic",
)  # fmt: skip

BUS_COLUMNS = ("bus", "from_bus", "to_bus", "hv_bus", "mv_bus", "lv_bus")


def check_representable(net: Any, title: str = "network") -> None:
    """Raise one CaseError with every element that cannot be represented and every reference to a missing bus."""
    found = Problems(title)
    for table, rows in net.items():
        if str(table).startswith(("res_", "_")) or not hasattr(rows, "columns") or len(rows) == 0:
            continue
        if table in REFUSED:
            _refuse(table, rows, found)
        elif table in ELEMENTS:
            _check_buses(net, table, rows, found)
        elif table not in HARMLESS and any(column in rows.columns for column in BUS_COLUMNS):
            found.add(f"net.{table}", None, f"{len(rows)} rows", None, near(table, ELEMENTS, "element table"))
    _check_switches(net, found)
    found.raise_if_any(CaseError)


def _refuse(table: str, rows: Any, found: Problems) -> None:
    on = rows["in_service"].to_numpy(dtype=bool) if "in_service" in rows.columns else np.ones(len(rows), dtype=bool)
    for index, row in rows[on].iterrows():
        name = row.get("name", None)
        what = f"{table} {index}" if name is None or name != name else f"{table} {index} '{name}'"
        found.add(
            f"net.{table}", None, what, None, f"has no dynamic counterpart: {REFUSED[table]}, or take it out of service"
        )


def _check_buses(net: Any, table: str, rows: Any, found: Problems) -> None:
    for column in BUS_COLUMNS:
        if column in rows.columns:
            for index in rows.index[~np.isin(rows[column].to_numpy(), net.bus.index.to_numpy())]:
                value = rows.at[index, column]
                found.add(f"net.{table}", None, f"{column} of {table} {index}", value, "no bus has this index")


def _check_switches(net: Any, found: Problems) -> None:
    if "switch" not in net or len(net.switch) == 0:
        return
    target = {"b": "bus", "l": "line", "t": "trafo", "t3": "trafo3w"}
    for index, et, element in zip(net.switch.index, net.switch["et"], net.switch["element"], strict=True):
        if et not in target:
            found.add("net.switch", None, f"et of switch {index}", et, "must be b, l, t or t3")
        elif element not in net[target[et]].index:
            found.add("net.switch", None, f"element of switch {index}", element, f"there is no such {target[et]}")
