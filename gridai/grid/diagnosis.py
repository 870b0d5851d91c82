"""Why a power flow has no answer: the likely cause in words a planner can act on."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.beyond import Retry, how_far, is_to_blame
from gridai.grid.convert import live_buses, voltages
from gridai.grid.names import bus_keys_of, element_names
from gridai.grid.network import OperatingPoint, mismatch

_CURED = "with a thousandth of it the power flow solves"
_FEEDING = ("load", "storage", "motor", "ward", "gen", "sgen", "asymmetric_load", "asymmetric_sgen")


def without_slack(net: Any) -> None:
    """Raise PowerFlowError if elements in service stand in a part of the network that has no slack.

    pandapower leaves such parts out silently, and their load with them.
    """
    live = live_buses(net, len(voltages(net)))
    dead = [i for i, on in zip(net.bus.index, net.bus["in_service"], strict=True) if on and not live[int(i)]]
    if not dead:
        return
    names = element_names(net)
    stranded = []
    for table in _FEEDING:
        rows = net[table]
        for name, bus, on in zip(names.get(table, ()), rows["bus"], rows["in_service"], strict=True):
            if on and bus in dead:
                stranded.append(f"{table} '{name}'")
    if stranded:
        keys = bus_keys_of(net)
        where, verb = _some([repr(keys[int(i)]) for i in dead]), "is" if len(stranded) == 1 else "are"
        raise PowerFlowError(
            f"no slack in an island: bus {where} cannot be reached from any slack, yet {_some(stranded)} there {verb} "
            "in service; close the branch or switch that joins it, give it a slack (gen with slack = true), or take "
            "these elements out of service"
        )


def diverged(net: Any, retry: Retry | None = None) -> str:
    """Text for a power flow that did not converge: worst bus, how far beyond the limit, what in the data looks wrong.

    retry  solves a net of its own, False where it has no solution; without it nothing is tried again.
    """
    text = "the power flow did not converge"
    worst = _worst_bus(net)
    if worst:
        text += f"; largest mismatch {worst}"
    causes = _odd_loads(net, retry)
    causes += [cause for look in (_short_of_power, _odd_branches, _odd_voltages) for cause in look(net)]
    cured = any(_CURED in cause for cause in causes)
    far = how_far(net, retry) if retry is not None and not cured else ""
    text += f". {far[0].upper()}{far[1:]}" if far else ""
    if causes:
        return text + ". Likely cause: " + "; ".join(causes)
    return text + ". No odd value stands out: the network may be loaded beyond what its lines can carry"


def worst_node(point: OperatingPoint) -> str:
    """The node with the largest power left over, and how much."""
    left = np.abs(mismatch(point.network, point.v))
    node = int(np.argmax(left))
    return f"bus '{point.network.nodes[node]}' ({left[node]:.3g} MVA)"


def _some(items: list[str], most: int = 5) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _worst_bus(net: Any) -> str:
    inside = net._ppc["internal"]
    v, y, s = inside.get("V"), inside.get("Ybus"), inside.get("Sbus")
    if v is None or not len(v):
        return ""
    fixed = np.zeros(len(v), dtype=bool)
    fixed[np.asarray(inside["ref"], dtype=np.int64)] = True
    with np.errstate(all="ignore"):
        left = v * np.conj(y @ v) - s
        left[np.asarray(inside["pv"], dtype=np.int64)] = left[np.asarray(inside["pv"], dtype=np.int64)].real
        size = np.where(fixed, 0.0, np.abs(left)) * net.sn_mva
    size[~np.isfinite(size)] = np.inf
    node = int(np.argmax(size))
    lookup = net._pd2ppc_lookups["bus"]
    keys = [key for index, key in bus_keys_of(net).items() if lookup[index] == node]
    where = f"at bus '{keys[0]}'" if keys else f"inside a branch (node {node})"
    return where + (f" ({size[node]:.4g} MVA)" if np.isfinite(size[node]) else " (without bound)")


def _odd_loads(net: Any, retry: Retry | None) -> list[str]:
    """Loads and units far larger than all others: a unit mistaken by 1000."""
    out = []
    names = element_names(net)
    for table, columns in (("load", ("p_mw", "q_mvar")), ("sgen", ("p_mw", "q_mvar")), ("gen", ("p_mw",))):
        on = net[table]["in_service"].to_numpy(dtype=bool)
        index = net[table].index.to_numpy()[on]
        labels = [name for name, here in zip(names.get(table, ()), on, strict=True) if here]
        for column in columns:
            value = net[table][column].to_numpy(dtype=float)[on]
            positive = np.abs(value)[np.abs(value) > 0]
            if len(positive) < 3:
                continue
            usual = float(np.median(positive))
            for k in np.flatnonzero(np.abs(value) > 50.0 * usual):
                times = f"{abs(value[k]) / usual:.0f} times the usual one here (kW given as MW?)"
                cured = retry is not None and is_to_blame(net, table, index[k], columns, retry)
                times += f"; {_CURED}" if cured else ""
                out.append(f"{table} '{labels[k]}' has {column} = {value[k]:g}, {times}")
    return out[:3]


def _short_of_power(net: Any) -> list[str]:
    load = net.load[net.load["in_service"].to_numpy(dtype=bool)]
    demand = float((load["p_mw"] * load["scaling"]).sum())
    units = [net[t][net[t]["in_service"].to_numpy(dtype=bool)] for t in ("gen", "ext_grid")]
    if not all("max_p_mw" in u.columns for u in units if len(u)):
        return []
    most = float(sum(u["max_p_mw"].sum(skipna=False) for u in units if len(u)))
    if np.isfinite(most) and demand > 1.2 * most:
        return [f"load of {demand:.0f} MW against {most:.0f} MW of generating capacity"]
    return []


def _odd_branches(net: Any) -> list[str]:
    """Branches of a series impedance far above all others in per unit."""
    from gridai.grid.convert import _branch_labels

    rows = net._ppc["branch"]
    z = np.abs(rows[:, 2] + 1j * rows[:, 3])
    on = np.real(rows[:, 10]) > 0
    if on.sum() < 3:
        return []
    usual = np.median(z[on])
    labels, kinds, _ = _branch_labels(net, element_names(net))
    odd = np.flatnonzero(on & (z > 100.0 * usual) & (z * 100.0 / net.sn_mva > 1.0))
    why = "the usual impedance in pu (ohm and pu mixed, wrong length or wrong kV?)"
    return [f"{kinds[k]} '{labels[k]}' has {z[k] / usual:.0f} times {why}" for k in odd[:3]]


def _odd_voltages(net: Any) -> list[str]:
    out = []
    for table in ("gen", "ext_grid"):
        for index, vm in net[table]["vm_pu"].items():
            if not 0.7 <= vm <= 1.3:
                out.append(f"{table} {index} has vm_pu = {vm:g} (kV given as pu?)")
    if len(net.line):
        kv = net.bus["vn_kv"]
        one, two = kv.reindex(net.line["from_bus"]).to_numpy(), kv.reindex(net.line["to_bus"]).to_numpy()
        for k in np.flatnonzero(np.abs(one - two) > 0.2 * np.maximum(one, two)):
            out.append(f"line {net.line.index[k]} joins {one[k]:g} kV and {two[k]:g} kV")
    return out[:3]
