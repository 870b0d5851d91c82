"""Where power is drawn: ports. A port stands between a phase and earth, between two phases, or, for a gen, on the
positive sequence. All that is drawn in one place in one way is one port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.errors import CaseError, Problems
from gridai.grid.batch.matrices import Complexes, Floats, Ints
from gridai.grid.names import bus_keys_of
from gridai.grid.phases.components import DELTA, KINDS, POSITIVE, WYE
from gridai.grid.phases.refuse import in_service
from gridai.grid.phases.sequences import Sequences

_BALANCED = {
    "load": ("p_mw", "q_mvar", 1.0, True),
    "sgen": ("p_mw", "q_mvar", -1.0, True),
    "storage": ("p_mw", "q_mvar", 1.0, True),
    "ward": ("ps_mw", "qs_mvar", 1.0, False),
}
_BY_PHASE = {"asymmetric_load": 1.0, "asymmetric_sgen": -1.0}


@dataclass(frozen=True, eq=False)
class Ports:
    """m ports. Powers drawn in pu of a third of the system base.

    node, kind  int[m]: node, and index into KINDS.
    power       complex[m, 3]: drawn at nominal voltage as constant power, current and impedance.
    gen         ports of the gens that hold a voltage, with set: the magnitude each holds. [pu]
    """

    node: Ints
    kind: Ints
    power: Complexes
    gen: Ints
    set: Floats

    def position(self) -> dict[tuple[int, int], int]:
        """(node, kind) to port."""
        return {key: k for k, key in enumerate(zip(self.node.tolist(), self.kind.tolist(), strict=True))}


def places(net: Any, seq: Sequences, table: str, index: Any, floating: frozenset[int]) -> list[tuple[int, int, float]]:
    """(node, kind, share of the row's whole power) of a row of load, sgen, storage or ward; none without supply."""
    row = net[table].loc[index]
    node = seq.matrices.node_of_bus.get(int(row["bus"]), -1)
    if node < 0 or not bool(row["in_service"]):
        return []
    kinds = DELTA if row.get("type") == "delta" or node in floating else WYE
    return [(node, kind, 1.0 / 3.0) for kind in kinds]


def phase_place(net: Any, seq: Sequences, table: str, index: Any, phase: str) -> tuple[int, int]:
    """(node, kind) of one phase of a row of asymmetric_load or asymmetric_sgen; node -1 without supply."""
    row = net[table].loc[index]
    node = seq.matrices.node_of_bus.get(int(row["bus"]), -1)
    kinds = DELTA if row.get("type") == "delta" else WYE
    return (node if bool(row["in_service"]) else -1), kinds["abc".index(phase)]


def ports(net: Any, seq: Sequences) -> Ports:
    """All that the net draws. Raises CaseError for a load between phase and earth where nothing is tied to earth."""
    drawn: dict[tuple[int, int], Complexes] = {}
    adrift = afloat(seq)

    def add(node: int, kind: int, power: Any) -> None:
        drawn.setdefault((node, kind), np.zeros(3, dtype=complex))[:] += power

    unit = seq.s_base_mva / 3.0
    for table, (p, q, sign, scaled) in _BALANCED.items():
        for index, on in zip(net[table].index, in_service(net, table), strict=True):
            if on:
                parts = _parts(net[table].loc[index], p, q) * sign / unit
                parts = parts * float(net[table].at[index, "scaling"]) if scaled else parts
                for node, kind, share in places(net, seq, table, index, adrift):
                    add(node, kind, share * parts)
    found = Problems("unbalanced power flow")
    for table, sign in _BY_PHASE.items():
        for index in net[table].index[in_service(net, table)]:
            row = net[table].loc[index]
            for phase in "abc":
                power = complex(row[f"p_{phase}_mw"], row[f"q_{phase}_mvar"]) * float(row["scaling"])
                node, kind = phase_place(net, seq, table, index, phase)
                if node < 0 or power == 0:
                    continue
                if kind in WYE and node in adrift:
                    found.add(f"net.{table}", None, f"{table} {index} at {_bus(net, seq, node)}", None, NO_EARTH)
                    break
                add(node, kind, np.array([sign * power / unit, 0, 0]))
    found.raise_if_any(CaseError)
    gens = _gens(net, seq)
    for node, (p_mw, _) in gens.items():
        add(node, POSITIVE, np.array([-p_mw / seq.s_base_mva, 0, 0]))
    keys = list(drawn)
    at = {key: k for k, key in enumerate(keys)}
    powers: Complexes = np.array([drawn[key] for key in keys], dtype=complex).reshape(-1, 3)
    where = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return Ports(
        where[:, 0].copy(), where[:, 1].copy(), powers,
        np.array([at[node, POSITIVE] for node in gens], dtype=np.int64),
        np.array([vm for _, vm in gens.values()], dtype=float),
    )  # fmt: skip


NO_EARTH = (
    "is connected to earth where the zero sequence has no path to earth: connect it between phases (type delta; ab, "
    "bc, ca), earth a transformer's neutral (vector_group), or state c0_nf_per_km"
)


def afloat(seq: Sequences) -> frozenset[int]:
    """Nodes whose zero sequence nothing ties to earth."""
    return frozenset(int(n) for part in seq.floating for n in part)


def with_places(have: Ports, wanted: list[tuple[int, int]]) -> Ports:
    """The ports and, at the end, those of `wanted` (node, kind) that are not among them, drawing nothing yet."""
    known = have.position()
    new = [key for key in dict.fromkeys(wanted) if key not in known]
    if not new:
        return have
    node, kind = np.array(new, dtype=np.int64).T
    return Ports(
        np.concatenate([have.node, node]), np.concatenate([have.kind, kind]),
        np.concatenate([have.power, np.zeros((len(new), 3), dtype=complex)]), have.gen, have.set,
    )  # fmt: skip


def _parts(row: Any, p: str, q: str) -> Complexes:
    """Constant power, current and impedance at 1 pu of a row. [MVA]"""
    shares = [[float(row.get(f"const_{law}_{letter}_percent", 0.0) or 0.0) / 100.0 for law in "iz"] for letter in "pq"]
    whole = np.array([float(row[p]), float(row[q])])
    parts = [whole * [1.0 - sum(s) for s in shares], *(whole * [s[k] for s in shares] for k in range(2))]
    return np.array([complex(*part) for part in parts], dtype=complex)


def _gens(net: Any, seq: Sequences) -> dict[int, tuple[float, float]]:
    """Node to (P, magnitude held) of the gens beside the sources; those of one node together."""
    out: dict[int, tuple[float, float]] = {}
    at_source = set(seq.source.tolist())
    for index, on in zip(net.gen.index, in_service(net, "gen"), strict=True):
        row = net.gen.loc[index]
        node = seq.matrices.node_of_bus.get(int(row["bus"]), -1)
        if on and node >= 0 and node not in at_source:
            p, vm = out.get(node, (0.0, float(row["vm_pu"])))
            out[node] = (p + float(row["p_mw"]) * float(row["scaling"]), vm)
    return out


def _bus(net: Any, seq: Sequences, node: int) -> str:
    keys = bus_keys_of(net)
    return "bus " + next(f"'{keys[bus]}'" for bus, n in seq.matrices.node_of_bus.items() if n == node)


__all__ = ["KINDS", "NO_EARTH", "Ports", "afloat", "phase_place", "places", "ports", "with_places"]
