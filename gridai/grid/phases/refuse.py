"""What the unbalanced power flow does not model, and data it needs and a net lacks: all named, with the way out."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.errors import CaseError, Problems
from gridai.grid.names import element_names

_REFUSED = {
    "trafo3w": "replace it by two transformers, each with its vector group",
    "xward": "replace it by a ward, or by a gen behind an impedance",
    "motor": "replace it by a load of its P and Q with type delta",
    "dcline": "replace it by a load at the sending and an sgen at the receiving bus",
    **dict.fromkeys(("svc", "tcsc", "ssc", "vsc", "vsc_stacked", "vsc_bipolar"), "replace it by a shunt or an sgen"),
    **dict.fromkeys(("line_dc", "load_dc", "source_dc"), "replace the DC network by loads and sgens at its AC buses"),
}  # fmt: skip
_IMPEDANCE = tuple(f"{letter}{ends}0_pu" for ends in ("ft", "tf") for letter in "rx")
NEEDED = {
    "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"),
    "trafo": ("vector_group", "vk0_percent", "vkr0_percent"),
    "impedance": _IMPEDANCE,
    "ext_grid": ("s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max"),
    "gen": ("sn_mva", "xdss_pu"),
}
_WHY = {
    "line": "zero-sequence data; pandapower.add_zero_impedance_parameters(net) takes them from standard types",
    "trafo": "a transformer's vector group and zero-sequence short-circuit voltage",
    "impedance": "an impedance's zero-sequence data",
    "ext_grid": "the impedance behind an external grid, which the negative and zero sequence see",
    "gen": "a gen's rating and subtransient reactance: its impedance in the negative sequence; or make it an sgen",
}
_SHARES = tuple(f"const_{law}_{letter}_percent" for law in "zi" for letter in "pq")


def check_phases(net: Any, title: str = "unbalanced power flow") -> None:
    """Raise one CaseError that lists every element it cannot take and all data that are missing."""
    found = Problems(title)
    names = element_names(net)
    for table, way_out in _REFUSED.items():
        for name in _named(net, table, names):
            found.add(f"net.{table}", None, f"{table} {name}", None, f"is not modelled by phase: {way_out}")
    for table, columns in NEEDED.items():
        _missing(net, table, columns, names, found)
    for table in ("asymmetric_load", "asymmetric_sgen"):
        _kinds(net, table, found)
    found.raise_if_any(CaseError)


def in_service(net: Any, table: str) -> Any:
    """bool of each row of a table: in service. A table that is not there has no rows."""
    rows = net.get(table)
    if rows is None or not len(rows):
        return np.zeros(0, dtype=bool)
    if "in_service" not in rows.columns:
        return np.ones(len(rows), dtype=bool)
    return rows["in_service"].to_numpy(dtype=bool)


def _named(net: Any, table: str, names: dict[str, tuple[str, ...]]) -> list[str]:
    on = in_service(net, table)
    labels = names.get(table, tuple(str(i) for i in net[table].index) if len(on) else ())
    return [f"'{name}'" for name, here in zip(labels, on, strict=True) if here]


def _missing(net: Any, table: str, columns: tuple[str, ...], names: Any, found: Problems) -> None:
    on, rows = in_service(net, table), net[table]
    if not on.any():
        return
    for column in columns:
        lacks = on & (rows[column].isna().to_numpy() if column in rows.columns else True)
        if lacks.any():
            who = [f"'{name}'" for name, here in zip(names[table], lacks, strict=True) if here]
            more = f" and {len(who) - 6} more" if len(who) > 6 else ""
            text = (
                f"is missing for {', '.join(who[:6])}{more} ({len(who)} of {int(on.sum())} in service): {_WHY[table]}"
            )
            found.add(f"net.{table}", None, f"column {column}", None, text)


def _kinds(net: Any, table: str, found: Problems) -> None:
    rows = net[table]
    for index in rows.index[in_service(net, table)]:
        kind = rows.at[index, "type"] if "type" in rows.columns else "wye"
        if kind not in ("wye", "delta"):
            found.add(f"net.{table}", None, f"type of {table} {index}", kind, "must be wye or delta")
    for column in _SHARES:
        if column in rows.columns and (rows[column].fillna(0.0) != 0.0).any():
            found.add(f"net.{table}", None, f"column {column}", None, "only constant power by phase: set it to 0")
