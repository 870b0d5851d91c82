"""What varies from scenario to scenario, and where it enters the matrices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.batch.arrays import DRIVES_P, DRIVES_Q, DRIVES_V
from gridai.grid.batch.matrices import Matrices, clipped

# (table, column): what it drives, sign in the injection, whether a scaling column applies
_DRIVES = {
    ("load", "p_mw"): (DRIVES_P, -1.0, True),
    ("load", "q_mvar"): (DRIVES_Q, -1.0, True),
    ("sgen", "p_mw"): (DRIVES_P, 1.0, True),
    ("sgen", "q_mvar"): (DRIVES_Q, 1.0, True),
    ("storage", "p_mw"): (DRIVES_P, -1.0, True),
    ("storage", "q_mvar"): (DRIVES_Q, -1.0, True),
    ("ward", "ps_mw"): (DRIVES_P, -1.0, False),
    ("ward", "qs_mvar"): (DRIVES_Q, -1.0, False),
    ("xward", "ps_mw"): (DRIVES_P, -1.0, False),
    ("xward", "qs_mvar"): (DRIVES_Q, -1.0, False),
    ("gen", "p_mw"): (DRIVES_P, 1.0, True),
    ("gen", "vm_pu"): (DRIVES_V, 1.0, False),
    ("ext_grid", "vm_pu"): (DRIVES_V, 1.0, False),
}
_FOLLOWS = ("load", "sgen", "storage", "ward", "xward")
_BUS = {"p_mw": DRIVES_P, "q_mvar": DRIVES_Q}


@dataclass(frozen=True, eq=False)
class Vary:
    """One column of a pandapower table, a value for each scenario.

    table, column  "load", "sgen", "storage" with "p_mw" or "q_mvar"; "ward", "xward" with "ps_mw" or "qs_mvar";
                   "gen" with "p_mw" or "vm_pu"; "ext_grid" with "vm_pu"; "bus" with "p_mw" or "q_mvar": power drawn at
                   a bus in addition to what stands there (load sign). Signs and scaling as in pandapower.
    values         float[S, k], or a DataFrame whose columns are pandapower indices. NaN marks a scenario as bad input.
    elements       k pandapower indices; default: the DataFrame's columns, else every row of the table.
    """

    table: str
    column: str
    values: Any
    elements: Any = field(default=None)


@dataclass(frozen=True, eq=False)
class Columns:
    """All varying columns for the compiled code; `base` is what the base case has there already (after scaling).

    law  bool: what the column drives is part of what pandapower lets follow the voltage where loads do.
    """

    node: Any
    kind: Any
    scale: Any
    base: Any
    law: Any
    values: list[Any]

    @property
    def scenarios(self) -> int | None:
        """Number of scenarios, None if nothing varies."""
        return len(self.values[0]) if self.values else None


Place = tuple[int, int, float, float]


def columns(
    net: Any, m: Matrices, varying: Any, enforce_q_lims: bool = False, places: dict[Any, Place] | None = None
) -> Columns:
    """Resolve what varies. Raises CaseError for unknown tables, columns and elements, and for unequal lengths.

    enforce_q_lims  clip the reactive power of sgens to their range, as pandapower does.
    places  what was found before of each (table, column, element) of this net, added to.
    """
    places = {} if places is None else places
    node: list[int] = []
    kind: list[int] = []
    scale: list[float] = []
    base: list[float] = []
    law: list[bool] = []
    values: list[Any] = []
    for item in varying:
        elements, block = block_of(net, item)
        if enforce_q_lims and (item.table, item.column) == ("sgen", "q_mvar"):
            block = clipped(net.sgen.loc[[e for e in elements if e in net.sgen.index]], block)
        if values and len(block) != len(values[0]):
            raise CaseError(
                f"{item.table}.{item.column} has {len(block)} scenarios, the first column has {len(values[0])}"
            )
        for k, element in enumerate(elements):
            key = (item.table, item.column, element)
            if key not in places:
                places[key] = _place(net, m, item, element)
            at, what, factor, now = places[key]
            if at >= 0:
                node.append(at)
                kind.append(what)
                scale.append(factor)
                base.append(now)
                law.append(item.table in _FOLLOWS)
                values.append(block[:, k])
    _one_setpoint_a_node(node, kind, values)
    nodes, kinds = (np.array(x, dtype=np.int64) for x in (node, kind))
    return Columns(nodes, kinds, np.array(scale, dtype=float), np.array(base, dtype=float),
                   np.array(law, dtype=bool), values)  # fmt: skip


def block_of(net: Any, item: Vary) -> tuple[list[Any], Any]:
    """Elements and values float[S, k] of one column. Raises CaseError where they do not fit each other."""
    values, elements = item.values, item.elements
    if item.table not in net or not hasattr(net[item.table], "index"):
        raise CaseError(near(item.table, {t for t, _ in _DRIVES} | {"bus"}, "table"))
    if elements is None:
        elements = list(values.columns) if hasattr(values, "columns") else list(net[item.table].index)
    block = np.asarray(values, dtype=float)
    block = block[:, None] if block.ndim == 1 and len(elements) == 1 else block
    if block.ndim != 2 or block.shape[1] != len(elements):
        raise CaseError(
            f"{item.table}.{item.column}: values of shape {block.shape} for {len(elements)} elements; "
            "give one row a scenario and one column an element"
        )
    return list(elements), block


def _place(net: Any, m: Matrices, item: Vary, element: Any) -> Place:
    """Node (-1: without effect), what it drives, value to pu, and the value in the base case."""
    rows = net[item.table]
    if element not in rows.index:
        raise CaseError(near(element, rows.index, item.table))
    if item.table == "bus":
        if item.column not in _BUS:
            raise CaseError(near(item.column, _BUS, "column of bus"))
        if int(element) not in m.node_of_bus:
            raise CaseError(f"bus {element} is out of service or without supply: nothing can be drawn there")
        return m.node_of_bus[int(element)], _BUS[item.column], -1.0 / m.s_base_mva, 0.0
    if (item.table, item.column) not in _DRIVES:
        known = [f"{t}.{c}" for t, c in _DRIVES]
        raise CaseError(near(f"{item.table}.{item.column}", known, "column that can vary"))
    what, sign, scaled = _DRIVES[item.table, item.column]
    if not bool(rows.at[element, "in_service"]):
        return -1, what, 0.0, 0.0
    at = m.node_of_bus.get(int(rows.at[element, "bus"]), -1)
    if what == DRIVES_V:
        return at, what, 1.0, 0.0
    factor = sign * (float(rows.at[element, "scaling"]) if scaled and "scaling" in rows.columns else 1.0)
    return at, what, factor / m.s_base_mva, float(rows.at[element, item.column])


def _one_setpoint_a_node(node: list[int], kind: list[int], values: list[Any]) -> None:
    first: dict[int, int] = {}
    for k, (n, what) in enumerate(zip(node, kind, strict=True)):
        if what == DRIVES_V and not np.array_equal(values[first.setdefault(n, k)], values[k], equal_nan=True):
            raise CaseError("two units at one bus are given different voltage set points: give both the same")
