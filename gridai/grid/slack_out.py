"""Outages of the unit at the slack: the largest other unit takes the reference, what is lost is shared by headroom.

The batch fixes its reference once for a network, so each unit at a slack has a network of its own here in which it is
an ordinary unit. What the others cannot take falls on the new reference, and the shortage is told.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from gridai.errors import CaseError
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.batch.vary import Vary
from gridai.grid.contingency import Contingencies, ContingencyResult, Outage

Unit = tuple[str, int]


def slack_units(flow: BatchFlow) -> list[Unit]:
    """Units at a slack whose outage leaves another unit that can take the reference."""
    out: list[Unit] = []
    others = 0
    for table in ("gen", "ext_grid"):
        rows = flow.net[table]
        for index, bus, on in zip(rows.index, rows["bus"], rows["in_service"], strict=True):
            node = flow.matrices.node_of_bus.get(int(bus), -1)
            if on and node >= 0:
                others += 1
                if flow.matrices.reference[node]:
                    out.append((table, int(index)))
    return out if others > 1 else []


class SlackOut:
    """A network in which some units at the slack are ordinary ones, and their outages.

    units      of slack_units(flow).
    avoid      units that cannot take the reference, as they are out, too.
    reference  the unit that takes the reference, None where another slack stays.

    Raises CaseError where no unit is left.
    """

    def __init__(self, flow: BatchFlow, units: Sequence[Unit], avoid: Sequence[Unit] = ()) -> None:
        self.units = tuple(units)
        self._left, self.lost_mw = _headroom(flow, self.units)
        net, self._gen, self.reference = _moved(flow, self.units, avoid)
        self.flow = BatchFlow(net, enforce_q_lims=flow.enforce_q_lims, tolerance_pu=flow.tolerance_pu)
        self.engine = Contingencies(self.flow)

    def run(self, outages: Sequence[Outage], threads: int = 1) -> ContingencyResult:
        """Solve outages that all hold the units; the result's outages are those of the moved network."""
        own = [Outage(tuple(("gen", self._gen[x]) if x in self._gen else x for x in o.elements)) for o in outages]
        units = list(self._left)
        if not units:
            return self.engine.run(own, threads=threads)
        room = self._room(own)
        part = room * np.minimum(1.0, max(self.lost_mw, 0.0) / np.maximum(room.sum(axis=1), 1e-9))[:, None]
        gen = self.flow.net.gen.loc[units]
        values = gen["p_mw"].to_numpy(dtype=float) + part / gen["scaling"].to_numpy(dtype=float)
        return self.engine.run(own, varying=[Vary("gen", "p_mw", values, units)], threads=threads)

    def _room(self, outages: Sequence[Outage]) -> Any:
        """Headroom of every unit in each outage, none for those that are out. [MW]"""
        return np.array([[0.0 if ("gen", u) in o.elements else x for u, x in self._left.items()] for o in outages])

    def short_mw(self, outages: Sequence[Outage]) -> Any:
        """What the units that are left cannot take of the lost power: the reference gives it all the same. [MW]"""
        room = self._room(outages).sum(axis=1) if self._left else np.zeros(len(outages))
        return np.maximum(self.lost_mw - room, 0.0) if self.reference else np.zeros(len(outages))


def _headroom(flow: BatchFlow, units: Sequence[Unit]) -> tuple[dict[int, float], float]:
    """What the other units of net.gen have left of max_p_mw, and what the units give. [MW]"""
    net = flow.net
    solved = net.res_gen["p_mw"]
    left: dict[int, float] = {}
    for index, row in net.gen.iterrows():
        own = float(row.get("max_p_mw", np.nan)) - float(solved.at[index])
        at = flow.matrices.node_of_bus.get(int(row["bus"]), -1)
        if row["in_service"] and at >= 0 and ("gen", int(index)) not in units and own > 0.0:
            left[int(index)] = own
    return left, float(sum(net[f"res_{table}"].at[index, "p_mw"] for table, index in units))


def _moved(flow: BatchFlow, units: Sequence[Unit], avoid: Sequence[Unit]) -> tuple[Any, dict[Unit, int], Unit | None]:
    """The net with the units as ordinary ones, their indices in net.gen, and the new reference if one is needed."""
    net = copy.copy(flow.net)
    net["gen"], net["ext_grid"] = flow.net.gen.copy(), flow.net.ext_grid.copy()
    if "slack" not in net.gen.columns:
        net.gen["slack"] = False
    own: dict[Unit, int] = {}
    for table, index in units:
        if table == "gen":
            p_mw = float(flow.net.res_gen.at[index, "p_mw"]) / float(net.gen.at[index, "scaling"])
            net.gen.loc[index, ["slack", "p_mw"]] = [False, p_mw]
        own[table, index] = index if table == "gen" else _as_gen(net, flow.net, index)
    gen = net.gen
    on = gen["in_service"].astype(bool) & gen["bus"].isin(list(flow.matrices.node_of_bus))
    if (gen["slack"].astype(bool) & on).any() or net.ext_grid["in_service"].any():
        return net, own, None
    out = [*own.values(), *(index for table, index in avoid if table == "gen")]
    left = gen[on & ~gen.index.isin(out)]
    if not len(left):
        raise CaseError(f"{units[0][0]} {units[0][1]}: without it no unit is left to hold a voltage")
    size = left["max_p_mw"] if "max_p_mw" in left.columns else left["p_mw"]
    first = int(size.fillna(left["p_mw"]).astype(float).idxmax())
    gen.loc[first, "slack"] = True
    return net, own, ("gen", first)


def _as_gen(net: Any, solved: Any, index: int) -> int:
    """An ext_grid as an ordinary unit; returns its index in net.gen."""
    import pandapower as pp

    row, given = net.ext_grid.loc[index], solved.res_ext_grid.loc[index]
    net.ext_grid.loc[index, "in_service"] = False
    low, high = (float(row.get(c, np.nan)) for c in ("min_q_mvar", "max_q_mvar"))
    limits = {} if np.isnan(low) or np.isnan(high) else {"min_q_mvar": low, "max_q_mvar": high}
    return int(pp.create_gen(net, int(row["bus"]), float(given["p_mw"]), vm_pu=float(row["vm_pu"]), **limits))
