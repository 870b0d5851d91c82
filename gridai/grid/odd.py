"""Values of a net that look wrong: missing, without impedance, of another unit or another sign, out of their range.

Each function gives sentences without a full stop, the gravest first, and none where nothing looks wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.grid.names import bus_keys_of, element_names

_NEEDED = {
    "bus": ("vn_kv",), "load": ("p_mw", "q_mvar"), "sgen": ("p_mw", "q_mvar"), "storage": ("p_mw", "q_mvar"),
    "gen": ("p_mw", "vm_pu"), "ext_grid": ("vm_pu",),
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"), "shunt": ("p_mw", "q_mvar"),
}  # fmt: skip
MOST = 3
"""Sentences of one kind."""


def label(net: Any, table: str, index: Any) -> str:
    """An element by its table and name."""
    if table == "bus":
        return f"bus '{bus_keys_of(net)[int(index)]}'"
    names = dict(zip(net[table].index, element_names(net).get(table, ()), strict=False))
    return f"{table} '{names.get(index, index)}'"


def amount(value: float) -> str:
    """A power to four digits or in whole numbers."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def missing(net: Any) -> list[str]:
    """Values that every power flow needs and that are not numbers."""
    out = []
    for table, columns in _NEEDED.items():
        rows = net[table][net[table]["in_service"].astype(bool)]
        for column in columns:
            value = rows[column].to_numpy(dtype=float)
            out += [f"{label(net, table, i)} has {column} = {value[k]:g}: give a number"
                    for k, i in enumerate(rows.index) if not np.isfinite(value[k])]  # fmt: skip
    return _most(out)


def without_impedance(net: Any) -> list[str]:
    """Branches of no impedance or rating, buses of no voltage: divisions by nought."""
    out = []
    line = net.line[net.line["in_service"].astype(bool)]
    none = (line["length_km"] == 0.0) | ((line["r_ohm_per_km"] == 0.0) & (line["x_ohm_per_km"] == 0.0))
    for index in line.index[none]:
        word = "length_km = 0" if line.at[index, "length_km"] == 0.0 else "no impedance"
        out.append(f"{label(net, 'line', index)} has {word}: give it one, or join its buses with a switch")
    trafo = net.trafo[net.trafo["in_service"].astype(bool)]
    for column in ("sn_mva", "vk_percent", "vn_hv_kv", "vn_lv_kv"):
        out += [f"{label(net, 'trafo', i)} has {column} = 0" for i in trafo.index[trafo[column] == 0.0]]
    impedance = net.impedance[net.impedance["in_service"].astype(bool)]
    for index in impedance.index[(impedance["rft_pu"] == 0.0) & (impedance["xft_pu"] == 0.0)]:
        out.append(f"{label(net, 'impedance', index)} has no impedance")
    return _most([*out, *(f"{label(net, 'bus', i)} has vn_kv = 0" for i in net.bus.index[net.bus["vn_kv"] == 0.0])])


def odd_voltages(net: Any) -> list[str]:
    """Set points that are no pu, and buses whose nominal voltage differs from that of all lines' other ends."""
    out = []
    for table in ("gen", "ext_grid"):
        for index, vm in net[table]["vm_pu"].items():
            if not 0.7 <= vm <= 1.3:
                out.append(f"{label(net, table, index)} has vm_pu = {vm:g} (kV given as pu?)")
    if not len(net.line):
        return out
    kv = net.bus["vn_kv"]
    ends = net.line[net.line["in_service"].astype(bool)][["from_bus", "to_bus"]]
    one, two = kv.reindex(ends["from_bus"]).to_numpy(), kv.reindex(ends["to_bus"]).to_numpy()
    apart = np.abs(one - two) > 0.2 * np.maximum(one, two)
    told: set[int] = set()
    for bus in {int(b) for b in ends.to_numpy()[apart].ravel()}:
        mine = ((ends["from_bus"] == bus) | (ends["to_bus"] == bus)).to_numpy()
        others = {float(kv[b]) for b in ends.to_numpy()[mine].ravel() if b != bus}
        if apart[mine].all() and len(others) == 1 and mine.sum() > 1:
            told |= set(np.flatnonzero(mine).tolist())
            far = others.pop()
            out.append(f"{label(net, 'bus', bus)} has vn_kv = {kv[bus]:g}, the other ends of all its lines {far:g}")
    for k in np.flatnonzero(apart):
        if int(k) not in told:
            out.append(f"{label(net, 'line', ends.index[k])} joins {one[k]:g} kV and {two[k]:g} kV")
    return _most(out)


def odd_taps(net: Any) -> list[str]:
    """Transformers at a tap outside their range."""
    out = []
    for table in ("trafo", "trafo3w"):
        rows = net[table][net[table]["in_service"].astype(bool)]
        if not {"tap_pos", "tap_min", "tap_max"} <= set(rows.columns):
            continue
        at, low, high = (rows[c].to_numpy(dtype=float) for c in ("tap_pos", "tap_min", "tap_max"))
        for k in np.flatnonzero((at < low) | (at > high)):
            out.append(f"{label(net, table, rows.index[k])} stands at tap {at[k]:g} outside {low[k]:g} to {high[k]:g}")
    return _most(out)


def odd_shunts(net: Any) -> list[str]:
    """Shunts of far more power than all loads."""
    rows = net.shunt[net.shunt["in_service"].astype(bool)]
    total = max(_demand(net), 1e-9)
    size = np.hypot(rows["p_mw"].to_numpy(dtype=float), rows["q_mvar"].to_numpy(dtype=float))
    size = size * rows["step"].to_numpy(dtype=float)
    return _most([f"{label(net, 'shunt', rows.index[k])} takes {amount(size[k])} MVA, all loads {amount(total)} MW"
                  for k in np.flatnonzero(size > 3.0 * total)])  # fmt: skip


def odd_signs(net: Any) -> list[str]:
    """Loads that feed in, all in all."""
    on = net.load[net.load["in_service"].astype(bool)]
    total = float((on["p_mw"] * on["scaling"]).sum())
    fed = int((on["p_mw"] < 0.0).sum())
    if total >= 0.0 or fed < 0.5 * len(on):
        return []
    return [f"{fed} of {len(on)} loads are negative and add up to {amount(total)} MW: a load that consumes is positive"]


def short_of_power(net: Any) -> list[str]:
    """More load than all units can give."""
    demand = _demand(net)
    units = [net[t][net[t]["in_service"].astype(bool)] for t in ("gen", "ext_grid")]
    if not all("max_p_mw" in u.columns for u in units if len(u)):
        return []
    most = float(sum(u["max_p_mw"].sum(skipna=False) for u in units if len(u)))
    if np.isfinite(most) and demand > 1.2 * most:
        return [f"load of {amount(demand)} MW against {amount(most)} MW of generating capacity"]
    return []


def odd_branches(net: Any) -> list[str]:
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
    return _most([f"{kinds[k]} '{labels[k]}' has {z[k] / usual:.0f} times {why}" for k in odd])


def _demand(net: Any) -> float:
    """All loads in service. [MW]"""
    load = net.load[net.load["in_service"].astype(bool)]
    total = float((load["p_mw"] * load["scaling"]).sum())
    by_phase = net.get("asymmetric_load", ())
    if len(by_phase):
        from gridai.grid.convert import sums_of_phases

        total += float((sums_of_phases(by_phase)[0] * by_phase["in_service"].to_numpy(dtype=bool)).sum())
    return total


def _most(items: list[str]) -> list[str]:
    more = len(items) - MOST
    return items if more <= 0 else [*items[: MOST - 1], f"{items[MOST - 1]} (and {more} more like it)"]
