"""A new load in a net, and who balances it: units by headroom, the slack, or existing load at the bus."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.network import Floats, OperatingPoint
from gridai.grid.powerflow import solve

if TYPE_CHECKING:
    import pandas as pd

Balance = Literal["headroom", "slack", "in_place_of_load"]
COLUMNS = ("cluster", "kind", "name", "p_before_mw", "p_after_mw", "change_mw", "max_p_mw")
SMALL_MW = 1e-6  # changes below this are not listed


def empty_table() -> pd.DataFrame:
    """A redispatch table without rows."""
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object if c in COLUMNS[:3] else float) for c in COLUMNS})


def place_load(
    net: Any, name: str, bus: int, p_mw: float, q_mvar: float, balance: str
) -> tuple[Any, pd.DataFrame, tuple[str, ...]]:
    """A copy of the net with a constant-power load `name` at pandapower bus `bus`, balanced.

    Returns the net, the redispatch table, and texts for units that this drives out of their turbine's range.

    balance  "headroom": units share p_mw in proportion to max_p_mw - p_mw; an ext_grid that feeds the net alone and
             states no max_p_mw takes it all; "slack": the slack takes it all;
             "in_place_of_load": the loads at the bus are reduced in proportion, P and Q alike, by p_mw in all.

    Losses and Q are the slack's and the voltage-controlling units' in every case; the table shows the solved powers.
    Raises CaseError where there is not enough headroom or load.
    """
    if balance not in get_args(Balance):
        raise CaseError(near(balance, get_args(Balance), "balance"))
    before = solve(net)
    key = {index: k for k, index in before.network.bus_index.items()}[bus]
    if key not in before.network.node_of_bus:
        raise CaseError(f"bus '{key}' is out of service or not connected to a slack: choose a bus that is energised")
    out = copy.copy(net)
    out.gen, out.load = net.gen.copy(), net.load.copy()
    if balance == "in_place_of_load":
        _reduce_load(out, before, bus, p_mw)
    elif balance == "headroom" and not endless_source(net):
        _raise_units(out, before, p_mw)
    out.load = with_row(out.load, {"name": name, "bus": bus, "p_mw": p_mw, "q_mvar": q_mvar, "type": "cluster"})
    after = solve(out)
    already = {text.split(" gives ")[0] for text in _out_of_range(before)}
    new = tuple(text for text in _out_of_range(after) if text.split(" gives ")[0] not in already)
    return out, _table(name, before, after, balance), new


def endless_source(net: Any) -> bool:
    """Whether ext_grids feed the net and no unit states a max_p_mw: a feeder, or a machine, behind the world."""
    grids, gens = (t[t["in_service"].astype(bool)] for t in (net.ext_grid, net.gen))
    return len(grids) > 0 and not any("max_p_mw" in t and t["max_p_mw"].notna().any() for t in (grids, gens))


def with_row(table: Any, values: dict[str, Any]) -> Any:
    """A table with one more row; columns that are not given get 0, scaling 1, in service, or stay empty."""
    import pandas as pd

    index = int(table.index.max()) + 1 if len(table) else 0
    usual = {"scaling": 1.0, "in_service": True, "controllable": False, "sn_mva": np.nan, "name": None, "type": None}
    columns = {}
    for name in table.columns:
        empty = None if table[name].dtype == object else 0.0 if name.startswith("const_") else np.nan
        value = values.get(name, usual.get(name, empty))
        if table[name].dtype == bool:
            value = bool(value == 1)
        columns[name] = pd.Series([*table[name].tolist(), value], dtype=table[name].dtype, index=[*table.index, index])
    frame = pd.DataFrame(columns)
    frame.attrs.update(table.attrs)
    return frame


def _headroom_mw(point: OperatingPoint) -> Floats:
    """What each unit has left of its turbine; 0 where the maximum is not stated."""
    units = point.network.units
    left = np.nan_to_num(units.max_p_mw - units.p_mw, nan=0.0)
    return np.maximum(left, 0.0) * np.array([kind != "sgen" for kind in units.kind], dtype=float)


def _raise_units(net: Any, before: OperatingPoint, p_mw: float) -> None:
    from gridai.grid.names import element_names

    units, left = before.network.units, _headroom_mw(before)
    total = float(left.sum())
    if p_mw > total:
        listed = ", ".join(f"{n} {mw:.1f}" for n, mw in zip(units.name, left, strict=True) if mw > 0) or "none"
        raise CaseError(
            f"not enough headroom: the cluster needs {p_mw:.1f} MW, the units in service have {total:.1f} MW left "
            f"(max_p_mw less p_mw: {listed}); use a smaller cluster, balance slack or in_place_of_load, or raise "
            "max_p_mw"
        )
    share = dict(zip(units.name, left * (p_mw / total if total > 0 else 0.0), strict=True))
    solved = dict(zip(units.name, units.p_mw, strict=True))
    if len(net.gen) == 0:
        return
    names = element_names(net)["gen"]
    target = np.array([solved.get(n, np.nan) + share.get(n, 0.0) for n in names])
    scaling = net.gen["scaling"].to_numpy(dtype=float)
    changed = np.array([share.get(n, 0.0) > 0.0 for n in names]) & (scaling > 0.0)
    net.gen["p_mw"] = np.where(changed, target / np.where(changed, scaling, 1.0), net.gen["p_mw"].to_numpy(dtype=float))


def _reduce_load(net: Any, before: OperatingPoint, bus: int, p_mw: float) -> None:
    from gridai.grid.names import element_names

    network = before.network
    key = {index: k for k, index in network.bus_index.items()}[bus]
    node = network.node_of_bus.get(key, -1)
    consumed = dict(zip(network.loads.name, network.loads.p_mw, strict=True))
    names = element_names(net).get("load", ())
    at = {n for n, k in zip(network.loads.name, network.loads.node, strict=True) if k == node}
    here = np.array([n in at and t != "cluster" for n, t in zip(names, net.load["type"], strict=True)], dtype=bool)
    total = float(sum(consumed[n] for n, on in zip(names, here, strict=True) if on))
    if p_mw > total or total <= 0.0:
        listed = ", ".join(f"'{n}' {consumed[n]:.1f}" for n, on in zip(names, here, strict=True) if on) or "none"
        raise CaseError(
            f"not enough load at bus '{key}': the cluster takes the place of {p_mw:.1f} MW, the loads there draw "
            f"{total:.1f} MW ({listed}); use a smaller cluster, another bus, or balance='headroom'"
        )
    factor = np.where(here, 1.0 - p_mw / total, 1.0)
    for column in ("p_mw", "q_mvar"):
        net.load[column] = net.load[column].to_numpy(dtype=float) * factor


def _table(cluster: str, before: OperatingPoint, after: OperatingPoint, balance: str) -> pd.DataFrame:
    """Solved powers of all units (and of the loads that made room), before and after."""
    import pandas as pd

    rows = []
    first, second = before.network, after.network
    new = dict(zip(second.units.name, second.units.p_mw, strict=True))
    for k, name in enumerate(first.units.name):
        p = float(first.units.p_mw[k])
        rows.append((cluster, first.units.kind[k], name, p, float(new[name]), float(first.units.max_p_mw[k])))
    new_load = dict(zip(second.loads.name, second.loads.p_mw, strict=True))
    if balance == "in_place_of_load":
        for name, p in zip(first.loads.name, first.loads.p_mw, strict=True):
            rows.append((cluster, "load", name, float(p), float(new_load[name]), np.nan))
    rows.append((cluster, "cluster", cluster, 0.0, float(new_load[cluster]), np.nan))
    kept = [(*r[:5], r[4] - r[3], r[5]) for r in rows if abs(r[4] - r[3]) > SMALL_MW]
    return pd.DataFrame(kept, columns=list(COLUMNS))


def _out_of_range(point: OperatingPoint) -> list[str]:
    """Texts for the units whose solved power lies outside their turbine's range."""
    u = point.network.units
    out = []
    for k, name in enumerate(u.name):
        slack = 1e-6 * max(1.0, abs(float(u.p_mw[k])))
        if u.p_mw[k] > u.max_p_mw[k] + slack:
            out.append(f"{u.kind[k]} '{name}' gives {u.p_mw[k]:.1f} MW, above its max_p_mw of {u.max_p_mw[k]:.1f} MW")
        elif u.p_mw[k] < u.min_p_mw[k] - slack:
            out.append(f"{u.kind[k]} '{name}' gives {u.p_mw[k]:.1f} MW, below its min_p_mw of {u.min_p_mw[k]:.1f} MW")
    return out
