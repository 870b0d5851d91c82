"""What varies from scenario to scenario in an unbalanced power flow: `Vary` of the batch, with columns by phase.

load, sgen, storage               p_mw, q_mvar: all phases together
asymmetric_load, asymmetric_sgen  p_a_mw, q_a_mvar, ...
ward                              ps_mw, qs_mvar
gen, ext_grid                     p_mw (gen alone), vm_pu
bus                               drawn there in addition: p_a_mw .. q_c_mvar from phase to earth, p_ab_mw ..
                                  q_ca_mvar between phases, p_mw, q_mvar in three phases without neutral
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.batch.matrices import Complexes, Floats
from gridai.grid.batch.vary import Vary, block_of
from gridai.grid.names import bus_keys_of
from gridai.grid.phases.components import DELTA, KINDS, POSITIVE, WYE
from gridai.grid.phases.ports import NO_EARTH, Ports, afloat, phase_place, places
from gridai.grid.phases.sequences import Sequences

_SIGN = {"load": 1.0, "storage": 1.0, "sgen": -1.0, "ward": 1.0, "asymmetric_load": 1.0, "asymmetric_sgen": -1.0}
_PHASES = {f"{part}_{phase}_{unit}": (phase, unit) for part, unit in (("p", "mw"), ("q", "mvar")) for phase in "abc"}
_AT_BUS = {f"{part}_{kind}_{unit}": (KINDS.index(kind), unit)
           for part, unit in (("p", "mw"), ("q", "mvar")) for kind in KINDS[:6]}  # fmt: skip
_WHOLE = {"p_mw": "mw", "q_mvar": "mvar"}
COLUMNS = {
    **dict.fromkeys(("load", "sgen", "storage"), tuple(_WHOLE)),
    "ward": ("ps_mw", "qs_mvar"),
    **dict.fromkeys(("asymmetric_load", "asymmetric_sgen"), tuple(_PHASES)),
    "bus": (*_WHOLE, *_AT_BUS),
    "gen": ("p_mw", "vm_pu"),
    "ext_grid": ("vm_pu",),
}
"""Table to the columns that may vary."""


@dataclass(frozen=True, eq=False)
class Drive:
    """One varying value: what it adds to the power of ports, or which set point it is.

    ports     (node, kind, factor to pu of a third of the base); empty for a set point.
    base      what the net has there. [unit of the column]
    source    position among the sources, gen: position among the gens; -1 for none.
    """

    ports: tuple[tuple[int, int, complex], ...]
    base: float
    source: int
    gen: int
    values: Floats


def drives(net: Any, seq: Sequences, have: Ports, varying: Any) -> list[Drive]:
    """Resolve what varies. Raises CaseError for unknown tables, columns and elements and for unequal lengths."""
    out: list[Drive] = []
    for item in varying:
        if item.table not in COLUMNS:
            raise CaseError(near(item.table, COLUMNS, "table"))
        if item.column not in COLUMNS[item.table]:
            raise CaseError(near(item.column, COLUMNS[item.table], f"column of {item.table} that can vary"))
        elements, block = block_of(net, item)
        if out and len(block) != len(out[0].values):
            raise CaseError(
                f"{item.table}.{item.column} has {len(block)} scenarios, the first column has {len(out[0].values)}"
            )
        for k, element in enumerate(elements):
            if element not in net[item.table].index:
                raise CaseError(near(element, net[item.table].index, item.table))
            out.append(_drive(net, seq, have, item, element, block[:, k]))
    return out


def _drive(net: Any, seq: Sequences, have: Ports, item: Vary, element: Any, values: Floats) -> Drive:
    table, column = item.table, item.column
    row = net[table].loc[element]
    if column == "vm_pu":
        return _set_point(seq, have, table, row, values)
    part = 1.0 if column.startswith("p") else 1j
    unit = part * 3.0 / seq.s_base_mva
    if table == "bus":
        key = bus_keys_of(net)[int(element)]
        return Drive(_at_bus(seq, column, int(element), key, unit), 0.0, -1, -1, values)
    unit *= float(row["scaling"]) if "scaling" in row.index else 1.0
    if table == "gen":
        node = seq.matrices.node_of_bus.get(int(row["bus"]), -1)
        on = bool(row["in_service"]) and (node, POSITIVE) in have.position()
        return Drive(((node, POSITIVE, -unit / 3.0),) if on else (), float(row["p_mw"]), -1, -1, values)
    unit *= _SIGN[table]
    if table.startswith("asymmetric"):
        node, kind = phase_place(net, seq, table, element, _PHASES[column][0])
        _check_earth(seq, node, kind, f"{table} {element}")
        where: tuple[tuple[int, int, complex], ...] = ((node, kind, unit),) if node >= 0 else ()
    else:
        if any(float(row.get(f"const_{law}_{column[0]}_percent", 0.0) or 0.0) != 0.0 for law in "zi"):
            raise CaseError(f"{table} {element}: a load that depends on voltage cannot vary; split off its power")
        where = tuple((n, k, unit * share) for n, k, share in places(net, seq, table, element, afloat(seq)))
    return Drive(where, float(row[column]), -1, -1, values)


def _set_point(seq: Sequences, have: Ports, table: str, row: Any, values: Floats) -> Drive:
    node = seq.matrices.node_of_bus.get(int(row["bus"]), -1)
    if node < 0 or not bool(row["in_service"]):
        return Drive((), 0.0, -1, -1, values)
    at = np.flatnonzero(seq.source == node)
    if len(at):
        return Drive((), 0.0, int(at[0]), -1, values)
    return Drive((), 0.0, -1, int(np.flatnonzero(have.node[have.gen] == node)[0]), values)


def _at_bus(seq: Sequences, column: str, bus: int, key: str, unit: complex) -> tuple[tuple[int, int, complex], ...]:
    node = seq.matrices.node_of_bus.get(bus, -1)
    if node < 0:
        raise CaseError(f"bus '{key}' is out of service or without supply: nothing can be drawn there")
    if column in _WHOLE:
        return tuple((node, kind, unit / 3.0) for kind in DELTA)
    kind = _AT_BUS[column][0]
    _check_earth(seq, node, kind, f"{column} at bus '{key}'")
    return ((node, kind, unit),)


def _check_earth(seq: Sequences, node: int, kind: int, what: str) -> None:
    if kind in WYE and node in afloat(seq):
        raise CaseError(f"{what} {NO_EARTH}")


def applied(have: Ports, listed: list[Drive], emf: Complexes, count: int) -> tuple[Complexes, Complexes, Floats]:
    """Constant power of the ports complex[m, S], emf complex[r, S] and gens' magnitudes float[g, S]. [pu]"""
    at = have.position()
    power = np.repeat(have.power[:, :1], count, axis=1)
    sources, gens = np.repeat(emf[:, None], count, axis=1), np.repeat(have.set[:, None], count, axis=1)
    for d in listed:
        if d.source >= 0:
            sources[d.source] = d.values * emf[d.source] / abs(emf[d.source])
        elif d.gen >= 0:
            gens[d.gen] = d.values
        else:
            for node, kind, factor in d.ports:
                power[at[node, kind]] += factor * (d.values - d.base)
    return power, sources, gens
