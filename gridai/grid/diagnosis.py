"""Why a power flow has no answer: the likely cause in words a planner can act on."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.beyond import HOPELESS, LARGEST, Retry, a_thousandth_of_all, carried, how_far, is_to_blame, scaled
from gridai.grid.convert import live_buses, voltages
from gridai.grid.names import bus_keys_of, element_names
from gridai.grid.network import OperatingPoint, mismatch
from gridai.grid.odd import (
    MOST,
    amount,
    label,
    missing,
    odd_branches,
    odd_shunts,
    odd_signs,
    odd_taps,
    odd_voltages,
    short_of_power,
    without_impedance,
)
from gridai.grid.ties import open_ties

_CURED = "with a thousandth of it the power flow solves"
_CARRIED = "the power flow solves with up to"
KILO = 300.0
"""An element so many times the usual one may be in kW."""
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
            f"in service; close the branch or switch that joins it{_joining(net, set(dead), live)}, give it a slack "
            "(gen with slack = true), or take these elements out of service"
        )


def _joining(net: Any, dead: set[int], live: dict[int, bool]) -> str:
    """What is open, or out of service, between a part without slack and the rest."""
    ties = [t for t in open_ties(net) if (t.one in dead and live.get(t.two)) or (t.two in dead and live.get(t.one))]
    if ties:
        return f" (open are {_some([label(net, *t.element) for t in ties])})"
    off = {int(i) for i, on in zip(net.bus.index, net.bus["in_service"], strict=True) if not on}
    beside = {int(b) for a, b in _pairs(net) if a in dead and b in off}
    return f" (out of service beside it: {_some([label(net, 'bus', b) for b in sorted(beside)])})" if beside else ""


def _pairs(net: Any) -> set[tuple[int, int]]:
    """Buses joined by lines, both ways."""
    ends = set(zip(net.line["from_bus"].astype(int), net.line["to_bus"].astype(int), strict=True))
    ends |= set(zip(net.trafo["hv_bus"].astype(int), net.trafo["lv_bus"].astype(int), strict=True))
    return ends | {(b, a) for a, b in ends}


def set_up_fails(net: Any, error: Exception) -> str:
    """Text for a power flow that pandapower cannot set up."""
    if "reference bus" in str(error).lower():
        return "the network has no slack: give one gen slack = true, or add an ext_grid in service"
    causes = missing(net) + without_impedance(net)
    why = "; ".join(causes) if causes else str(error)
    return f"the power flow cannot be set up: {why}"


def diverged(net: Any, retry: Retry | None = None) -> str:
    """Text for a power flow that did not converge: worst bus, how far beyond the limit, what in the data looks wrong.

    retry  solves a net of its own, False where it has no solution; without it nothing is tried again.
    """
    gone = missing(net)
    if gone:
        return "the power flow cannot be solved: " + "; ".join(gone)
    text = "the power flow did not converge"
    worst = _worst_bus(net)
    if worst:
        text += f"; largest mismatch {worst}"
    volts = odd_voltages(net)
    causes = volts + odd_taps(net) + odd_shunts(net) + odd_signs(net) + _odd_loads(net, retry)
    if retry is not None and not any(_CURED in cause or _CARRIED in cause for cause in causes):
        causes += _all_odd(net, retry) or ([] if causes else _largest(net, retry))
    cured = any(_CURED in cause for cause in causes)
    causes += short_of_power(net)
    causes += [] if any("vn_kv" in cause or " joins " in cause for cause in volts) else odd_branches(net)
    far = how_far(net, retry) if retry is not None and not cured else ""
    text += f". {far[0].upper()}{far[1:]}" if far and not (causes and far == HOPELESS) else ""
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


_POWERS = {"load": ("p_mw", "q_mvar"), "sgen": ("p_mw", "q_mvar"), "storage": ("p_mw", "q_mvar"), "gen": ("p_mw",)}


def _odd_loads(net: Any, retry: Retry | None) -> list[str]:
    """Loads and units far larger than all others: a unit mistaken by 1000, or more than the grid carries."""
    out: dict[tuple[str, Any], str] = {}
    for table, columns in _POWERS.items():
        rows = net[table][net[table]["in_service"].astype(bool)]
        for column in columns:
            value = rows[column].to_numpy(dtype=float)
            positive = np.abs(value)[np.abs(value) > 0]
            if len(positive) < 3:
                continue
            usual = float(np.median(positive))
            for k in np.flatnonzero(np.abs(value) > 50.0 * usual):
                if (table, rows.index[k]) in out or len(out) == MOST:
                    continue
                times = float(abs(value[k])) / usual
                text = f"{label(net, table, rows.index[k])} has {column} = {value[k]:g}, {times:.0f} times the usual"
                out[table, rows.index[k]] = text + " one here" + _blamed(net, table, rows.index[k], times, retry)
    return list(out.values())


def _blamed(net: Any, table: str, index: Any, times: float, retry: Retry | None) -> str:
    """What happens with less of an element: a thousandth where it is that odd, else as much as can be carried."""
    columns = _POWERS[table]
    guess = " (kW given as MW?)" if times > KILO else ""
    if retry is None or len(net.bus) > LARGEST or not is_to_blame(net, table, index, columns, retry):
        return guess
    if guess:
        return f"{guess}; {_CURED}"
    most = carried(net, table, index, columns, retry) * abs(float(net[table].at[index, "p_mw"]))
    return f"; {_CARRIED} {amount(most)} MW of it"


def _all_odd(net: Any, retry: Retry) -> list[str]:
    """All loads a thousand times too large."""
    if len(net.bus) > LARGEST or not len(net.load) or retry(scaled(net, 1.0 / 64.0)):
        return []
    if not a_thousandth_of_all(net, retry):
        return []
    usual = float(net.load["p_mw"].abs().median())
    return [f"all loads are large, the usual one is {amount(usual)} MW (kW given as MW?); with a thousandth of every "
            "load the power flow solves"]  # fmt: skip


def _largest(net: Any, retry: Retry) -> list[str]:
    """The one element whose power outweighs the rest, if the power flow solves without it."""
    if len(net.bus) > LARGEST or len(net.load) < MOST:
        return []
    sizes = [
        (abs(float(p)), table, index)
        for table in _POWERS
        for index, p, on in zip(net[table].index, net[table]["p_mw"], net[table]["in_service"], strict=True)
        if on
    ]
    sizes.sort(key=lambda x: -x[0])
    total = sum(p for p, table, _ in sizes if table == "load")
    for p, table, index in sizes[:MOST]:
        if p > 0.3 * total and is_to_blame(net, table, index, _POWERS[table], retry):
            text = f"{label(net, table, index)} has p_mw = {float(net[table].at[index, 'p_mw']):g}"
            return [text + f", all loads have {amount(total)} MW" + _blamed(net, table, index, 0.0, retry)]
    return []
