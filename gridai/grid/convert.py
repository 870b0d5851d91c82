"""From pandapower's converted matrices (net._ppc, net._pd2ppc_lookups) to Network and OperatingPoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gridai import units as base
from gridai.errors import CaseError
from gridai.grid.names import element_names
from gridai.grid.network import (
    Branches,
    Complexes,
    Floats,
    Ints,
    Loads,
    Network,
    OperatingPoint,
    Units,
    frozen,
    mismatch,
)

# kind, its columns for constant-power P and Q, and whether a scaling column applies
_FIXED_LOADS = (("storage", "p_mw", "q_mvar", True), ("ward", "ps_mw", "qs_mvar", False))
_BY_PHASE = (("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0))  # in a balanced power flow: the sum of the phases


def operating_point(net: Any, loads_from: Any = None) -> OperatingPoint:
    """Read a net that runpp has just solved.

    loads_from  load table to read the loads' laws from, if not the net's own.
    """
    v = voltages(net)
    network = _balanced(_network(net, v, net.load if loads_from is None else loads_from), v, net)
    left = float(np.abs(mismatch(network, v)).max(initial=0.0))
    return OperatingPoint(network, frozen(v, complex), left, int(net._ppc["iterations"]))


def voltages(net: Any) -> Complexes:
    """Complex voltages of the energised nodes of a solved net, in pandapower's internal order. [pu]"""
    inside = net._ppc["internal"].get("V")
    if inside is not None and len(inside):
        return np.array(inside, dtype=complex)
    bus = net._ppc["bus"]  # only slack buses are left: pandapower runs no iteration
    alive = bus[bus[:, 1] != 4]
    return np.asarray(alive[:, 7] * np.exp(1j * np.radians(alive[:, 8])), dtype=complex)


def _balanced(network: Network, v: Complexes, net: Any) -> Network:
    """Give Q of voltage-controlling units, and P of slack units, the rest of their node's balance.

    pandapower shares Q over its limits of +-1e9 MVAr, which rounds it to 1e-7.
    """
    left = mismatch(network, v)
    units = network.units
    slack = {n for n, on in zip(element_names(net).get("gen", ()), net.gen["slack"], strict=True) if on}
    holds_v = np.array([kind != "sgen" for kind in units.kind], dtype=float)
    holds_p = np.array(
        [k == "ext_grid" or n in slack for k, n in zip(units.kind, units.name, strict=True)], dtype=float
    )
    p, q = units.p_mw.copy(), units.q_mvar.copy()
    for power, part, who in ((p, left.real, holds_p), (q, left.imag, holds_v)):
        count = np.zeros(len(v))
        np.add.at(count, units.node, who)
        power -= who * part[units.node] / np.maximum(count[units.node], 1.0)
    q = _by_share(net, units, q)
    return replace(network, units=replace(units, p_mw=frozen(p, float), q_mvar=frozen(q, float)))


def _by_share(net: Any, units: Units, q: Floats) -> Floats:
    """Q of the gens of a node in proportion to their column `q_share`, where all of them state one."""
    if "q_share" not in net.gen.columns:
        return q
    stated = dict(zip(element_names(net).get("gen", ()), net.gen["q_share"].to_numpy(dtype=float), strict=True))
    pairs = zip(units.name, units.kind, strict=True)
    share = np.array([stated.get(name, np.nan) if kind == "gen" else np.nan for name, kind in pairs])
    holds_v = np.array(units.kind) != "sgen"
    for node in np.unique(units.node[np.isfinite(share)]):
        here = (units.node == node) & holds_v
        if np.isfinite(share[here]).all() and share[here].sum() > 0.0:
            q[here] = q[here].sum() * share[here] / share[here].sum()
    return q


def _network(net: Any, v: Complexes, load_table: Any) -> Network:
    names = element_names(net)
    size = len(v)
    lookup = net._pd2ppc_lookups["bus"]
    indices = [int(i) for i in net.bus.index]
    live = live_buses(net, size)
    node_of_bus = {key: int(lookup[i]) for key, i in zip(names["bus"], indices, strict=True) if live[i]}
    nodes = _node_names(net, names, node_of_bus, size)
    bus = net._ppc["bus"][:size]
    off: set[str] = set()
    loads = _loads(net, names, live, np.abs(v), load_table, off)
    units = _units(net, names, live, off)
    return Network(
        s_base_mva=float(net.sn_mva),
        f_hz=float(net.f_hz),
        nodes=nodes,
        node_kv=frozen(bus[:, 9], float),
        node_of_bus=node_of_bus,
        bus_index=dict(zip(names["bus"], indices, strict=True)),
        branches=_branches(net, names, size),
        shunt_pu=frozen((bus[:, 4] + 1j * bus[:, 5]) / net.sn_mva, complex),
        loads=loads,
        units=units,
        off=frozenset(off.difference(units.name, loads.name)),
    )


def live_buses(net: Any, size: int) -> dict[int, bool]:
    """pandapower bus index to whether the bus is energised: in service and connected to a slack."""
    lookup = net._pd2ppc_lookups["bus"]
    in_service = net.bus["in_service"].to_numpy(dtype=bool)
    return {int(i): bool(on and 0 <= lookup[i] < size) for i, on in zip(net.bus.index, in_service, strict=True)}


def _node_names(net: Any, names: dict[str, tuple[str, ...]], node_of_bus: dict[str, int], size: int) -> tuple[str, ...]:
    out: list[str | None] = [None] * size
    for key, node in node_of_bus.items():
        if out[node] is None:
            out[node] = key
    if len(net.trafo3w):
        aux = net._pd2ppc_lookups["bus"][net._pd2ppc_lookups["aux"]["trafo3w"]]
        for star, node in zip(names["trafo3w"], aux, strict=True):
            if 0 <= node < size:
                out[node] = f"{star}: star point"
    ends = np.real(net._ppc["branch"][:, :2]).astype(np.int64)
    for k, label in enumerate(_branch_labels(net, names)[0]):
        for side, end in zip(("from end", "to end"), ends[k], strict=True):
            if end < size and out[end] is None:
                out[end] = f"{label}: open {side}"
    taken = set(node_of_bus)
    final = []
    for node, made in enumerate(out):
        text = made if made is not None else f"node {node}"
        while text in taken and node_of_bus.get(text) != node:
            text += "'"
        taken.add(text)
        final.append(text)
    return tuple(final)


def _branch_labels(net: Any, names: dict[str, tuple[str, ...]]) -> tuple[list[str], list[str], Floats]:
    """Names, kinds and ratings of the branches in the order of pandapower's branch matrix."""
    order = sorted(net._pd2ppc_lookups["branch"].items(), key=lambda item: item[1][0])
    labels: list[str] = []
    kinds: list[str] = []
    rating: list[Floats] = []
    for kind, (start, stop) in order:
        if kind == "trafo3w":
            labels += [f"{name} ({side})" for side in ("hv", "mv", "lv") for name in names[kind]]
        elif kind == "switch":
            labels += [name for name, on in zip(names[kind], net._impedance_bb_switches, strict=True) if on]
        else:
            labels += names[kind]
        kinds += [kind] * (stop - start)
        rating.append(_rating_mva(net, kind, stop - start))
    return labels, kinds, np.concatenate(rating) if rating else np.zeros(0)


def _rating_mva(net: Any, kind: str, count: int) -> Floats:
    table = net[kind]
    if kind == "line":
        kv = net.bus["vn_kv"].reindex(table["from_bus"]).to_numpy()
        ka = table["max_i_ka"].to_numpy() * table["df"].to_numpy() * table["parallel"].to_numpy()
        return np.asarray(base.mva_from_ka(ka, kv), dtype=float)
    if kind == "trafo":
        rated = np.asarray(table["sn_mva"] * table["df"] * table["parallel"], dtype=float)
        return np.asarray(table["rating_mva"], dtype=float) if "rating_mva" in table.columns else rated
    if kind == "trafo3w":
        return np.concatenate([table[f"sn_{side}_mva"].to_numpy(dtype=float) for side in ("hv", "mv", "lv")])
    return np.full(count, np.nan)


def _branches(net: Any, names: dict[str, tuple[str, ...]], size: int) -> Branches:
    from pandapower.pypower.makeYbus import branch_vectors

    labels, kinds, rating = _branch_labels(net, names)
    rows = np.array(net._ppc["branch"], dtype=float if np.isrealobj(net._ppc["branch"]) else complex)
    ends = np.real(rows[:, :2]).astype(np.int64)
    on = np.real(rows[:, 10]) > 0
    keep = np.asarray((ends < size).all(axis=1), dtype=bool).reshape(-1)
    for k in np.flatnonzero(keep & (rows[:, 2] == 0) & (rows[:, 3] == 0)):
        raise CaseError(f"{kinds[k]} '{labels[k]}' has no impedance: give it one, or join its buses with a switch")
    rows, ends, on = rows[keep], ends[keep], on[keep]
    rows[:, 10] = 1.0  # admittances as if in service: a branch that is out can be closed later
    y_tt, y_ff, y_ft, y_tf = branch_vectors(rows, len(rows))
    return Branches(
        name=tuple(label for label, k in zip(labels, keep, strict=True) if k),
        kind=tuple(kind for kind, k in zip(kinds, keep, strict=True) if k),
        from_node=frozen(ends[:, 0], np.int64),
        to_node=frozen(ends[:, 1], np.int64),
        y_ff=frozen(y_ff, complex),
        y_ft=frozen(y_ft, complex),
        y_tf=frozen(y_tf, complex),
        y_tt=frozen(y_tt, complex),
        in_service=frozen(on, bool),
        rating_mva=frozen(rating[keep], float),
    )


def load_factors(table: Any, vm: Floats) -> tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Consumption at voltage vm over that at 1 pu: parts of constant impedance, current, power; for P and for Q."""
    out = []
    for letter in "pq":
        z, i = (_column(table, f"const_{law}_{letter}_percent", 0.0) / 100.0 for law in "zi")
        out.append((z * vm**2, i * vm, 1.0 - z - i))
    return out[0], out[1]


def _column(table: Any, name: str, default: float) -> Floats:
    if name not in table.columns:
        return np.full(len(table), default)
    return np.asarray(table[name].to_numpy(dtype=float, na_value=np.nan), dtype=float)


def _alive(net: Any, table: str, names: dict[str, tuple[str, ...]], live: dict[int, bool], off: set[str]) -> Any:
    """Rows of a table that are in service at an energised bus, as a mask; the others' names go to `off`."""
    rows = net[table]
    mask = np.array(
        [bool(s) and live[int(b)] for s, b in zip(rows["in_service"], rows["bus"], strict=True)], dtype=bool
    )
    off.update(name for name, on in zip(names.get(table, ()), mask, strict=True) if not on)
    return mask


def _pick(names: tuple[str, ...], mask: Any) -> list[str]:
    return [name for name, on in zip(names, mask, strict=True) if on]


def _nodes(net: Any, table: str, mask: Any) -> Ints:
    return np.asarray(net._pd2ppc_lookups["bus"][net[table]["bus"].to_numpy()[mask].astype(np.int64)], dtype=np.int64)


def _loads(net: Any, names: Any, live: dict[int, bool], vm: Floats, table: Any, off: set[str]) -> Loads:
    mask = _alive(net, "load", names, live, off)
    node = _nodes(net, "load", mask)
    rows = table[mask]
    factors = load_factors(rows, vm[node])
    scaling = _column(rows, "scaling", 1.0)
    power, shares = [], []
    for column, parts in zip(("p_mw", "q_mvar"), factors, strict=True):
        whole = parts[0] + parts[1] + parts[2]
        power.append(rows[column].to_numpy(dtype=float) * scaling * whole)
        safe = np.where(whole == 0.0, 1.0, whole)
        shares += [
            np.where(whole == 0.0, alone, part / safe) for part, alone in zip(parts, (0.0, 0.0, 1.0), strict=True)
        ]
    label, nodes = _pick(names.get("load", ()), mask), [node]
    p, q = [power[0]], [power[1]]
    for extra_names, extra_node, extra_p, extra_q in _fixed_loads(net, names, live, off):
        label += extra_names
        nodes.append(extra_node)
        p.append(extra_p)
        q.append(extra_q)
    extra = len(label) - len(node)
    padded = [np.concatenate([s, np.full(extra, d)]) for s, d in zip(shares, (0.0, 0.0, 1.0) * 2, strict=True)]
    return Loads(
        tuple(label), frozen(np.concatenate(nodes), np.int64), frozen(np.concatenate(p), float),
        frozen(np.concatenate(q), float), *(frozen(share, float) for share in padded),
    )  # fmt: skip


def _fixed_loads(net: Any, names: Any, live: dict[int, bool], off: set[str]) -> Any:
    """Storages, motors, wards, loads and sgens by phase: constant power. Yields names, nodes, P and Q drawn."""
    for table, p_column, q_column, scaled in _FIXED_LOADS:
        if len(net[table]):
            mask = _alive(net, table, names, live, off)
            rows = net[table][mask]
            scaling = _column(rows, "scaling", 1.0) if scaled else 1.0
            p, q = rows[p_column].to_numpy(dtype=float) * scaling, rows[q_column].to_numpy(dtype=float) * scaling
            yield _pick(names[table], mask), _nodes(net, table, mask), p, q
    for table, sign in _BY_PHASE:
        if len(net[table]):
            mask = _alive(net, table, names, live, off)
            rows = net[table][mask]
            p, q = sums_of_phases(rows)
            yield _pick(names[table], mask), _nodes(net, table, mask), sign * p, sign * q
    if len(net.motor):
        mask = _alive(net, "motor", names, live, off)
        rows = net.res_motor[mask]
        p, q = rows["p_mw"].to_numpy(dtype=float), rows["q_mvar"].to_numpy(dtype=float)
        yield _pick(names["motor"], mask), _nodes(net, "motor", mask), p, q


def sums_of_phases(rows: Any) -> tuple[Floats, Floats]:
    """P [MW] and Q [MVAr] of rows of asymmetric_load or asymmetric_sgen: the three phases together, scaled."""
    scaling = _column(rows, "scaling", 1.0)
    p, q = (sum(_column(rows, f"{letter}_{phase}_{unit}", 0.0) for phase in "abc") for letter, unit in _PQ)
    return np.asarray(p * scaling), np.asarray(q * scaling)


_PQ = (("p", "mw"), ("q", "mvar"))


def _units(net: Any, names: Any, live: dict[int, bool], off: set[str]) -> Units:
    label: list[str] = []
    kind: list[str] = []
    columns: dict[str, list[Any]] = {c: [] for c in ("node", "p", "q", "sn", "min", "max", "vm")}
    for table in ("ext_grid", "gen", "sgen"):
        if not len(net[table]):
            continue
        mask = _alive(net, table, names, live, off)
        rows = net[table][mask]
        label += _pick(names[table], mask)
        kind += [table] * len(rows)
        solved = net[f"res_{table}"][mask]
        sn = _column(rows, "sn_mva", np.nan)
        columns["node"].append(_nodes(net, table, mask))
        columns["p"].append(solved["p_mw"].to_numpy(dtype=float))
        columns["q"].append(solved["q_mvar"].to_numpy(dtype=float))
        columns["sn"].append(np.where(np.isnan(sn), float(net.sn_mva), sn) if table == "ext_grid" else sn)
        columns["min"].append(_column(rows, "min_p_mw", np.nan))
        columns["max"].append(_column(rows, "max_p_mw", np.nan))
        columns["vm"].append(_column(rows, "vm_pu", np.nan) if table != "sgen" else np.full(len(rows), np.nan))
    flat = {c: np.concatenate(parts) if parts else np.zeros(0) for c, parts in columns.items()}
    floats = [frozen(flat[c], float) for c in ("p", "q", "sn", "min", "max", "vm")]
    return Units(tuple(label), tuple(kind), frozen(flat["node"], np.int64), *floats)
