"""Who takes over what a load draws and what an outage takes away: every unit in proportion to its headroom.

    unit j, outage o of the units G:    p_j = p_j0 + s_j / (1 - s_G) (load + lost_o)        s_j  share of the headroom
    shared in two steps, one outage after the other:  s_j / (1 - s_g) / (1 - s_h / (1 - s_g)) = s_j / (1 - s_g - s_h)

so the order of two outages does not matter, and a pair of outages is one state. What no unit has a share for falls on
the slack. Where an outage takes away more load than generation, units go down in proportion to what they give.

All this is within the largest part that lives after the outage, as a rule that of the slack. A load that stands in
another part is taken to be lost with it, and nobody feeds it: small islands are not sized for a load that may come.
Where the largest part has lost the slack, its units share what it is short of, and one of them holds the angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Outage, Prepared

Floats = NDArray[np.float64]
SIGN = {"gen": 1.0, "sgen": 1.0, "load": -1.0, "storage": -1.0}


@dataclass(frozen=True, eq=False)
class PickUp:
    """What the units of net.gen do in each state; state 0 is the intact grid, state k the outage k - 1.

    units    indices of net.gen.
    base_mw  float[units] as the table schedules them.
    scaling  float[units].
    share    float[states, units]: part of the load that a unit takes over.
    moved    float[states, units]: what it takes over of what the outage takes away. [MW]
    dead     bool[states, buses] as net.bus: buses outside the largest part that lives.
    lost_mw  float[states]: generation less load that the outage takes away from that part. [MW]
    gone     float[states]: part of the headroom that goes with it.
    """

    units: tuple[int, ...]
    base_mw: Floats
    scaling: Floats
    share: Floats
    moved: Floats
    dead: Any
    lost_mw: Floats
    gone: Floats

    def powers(self, state: Any, load_mw: Floats) -> Floats:
        """float[S, units] of net.gen's p_mw (before its scaling) where loads draw load_mw[S] in each state."""
        p = self.base_mw + self.share[state] * load_mw[:, None] + self.moved[state]
        return np.asarray(p / self.scaling)

    def reserve_mw(self, headroom_mw: float) -> Floats:
        """Largest load with which the units left can still take over all that an outage takes away. float[states]

        The headroom left is (1 - gone) headroom - (1 - gone) load, and they take over lost + gone load.
        """
        return np.asarray((1.0 - self.gone) * headroom_mw - self.lost_mw)


def pick_up(flow: BatchFlow, share: dict[int, float], ready: Prepared) -> PickUp:
    """Who takes over what.

    share  part of the headroom of each unit of net.gen; the rest is the slack's. Without any, all is the slack's.
    ready  the outages.
    """
    net, outages = flow.net, ready.outages
    row = {int(i): k for k, i in enumerate(net.bus.index)}
    dead, short = _parts(flow, ready, row)
    units, base, scaling, bus = _units(flow, share, row)
    own = np.array([share.get(u, 0.0) for u in units])
    out = np.zeros((len(outages) + 1, len(units)), dtype=bool)
    place = {u: k for k, u in enumerate(units)}
    for k, outage in enumerate(outages, 1):
        out[k, [place[i] for t, i in outage.elements if t == "gen" and i in place]] = True
    off = out | dead[:, bus]
    lost = _lost(net, row, outages, dead)
    gone = (off * own).sum(axis=1)
    alone = ~np.isnan(short)
    gone[alone] = 1.0 - np.where(off, 0.0, own)[alone].sum(axis=1)
    part = np.where(off, 0.0, own) / np.maximum(1.0 - gone, 1e-9)[:, None]
    lost = np.where(alone, short, lost)
    moved = lost[:, None] * part
    for n in np.flatnonzero(lost < 0.0).tolist() if units else ():
        moved[n] = _lowered(flow, base, off[n], float(lost[n]), not alone[n])
    return PickUp(tuple(units), base, scaling, part, moved, dead, lost, gone)


def _parts(flow: BatchFlow, ready: Prepared, row: dict[int, int]) -> tuple[Any, Floats]:
    """bool[states, buses] outside the largest living part; MW it is short of where it has no slack, else NaN."""
    states = len(ready.outages) + 1
    dead, short = np.zeros((states, len(row)), dtype=bool), np.full(states, np.nan)
    live = np.array([i in flow.matrices.node_of_bus for i in row])
    for k, buses in enumerate(ready.dead_buses, 1):
        dead[k, [row[b] for b in buses]] = True
    for number, islands in ready.islands.items():
        own = [x for x in islands if x.lives]
        away = np.zeros(len(row), dtype=bool)
        for x in own:
            away[[row[b] for b in x.buses]] = True
        left = int((live & ~dead[number + 1] & ~away).sum())
        largest = max(own, key=lambda x: len(x.buses), default=None)
        if largest is None or len(largest.buses) <= left:
            dead[number + 1] |= away
            continue
        dead[number + 1] = live
        dead[number + 1, [row[b] for b in largest.buses]] = False
        short[number + 1] = largest.short_mw
    return dead, short


def _units(flow: BatchFlow, share: dict[int, float], row: dict[int, int]) -> tuple[list[int], Floats, Floats, Any]:
    """Units whose power may move: those with a share of the headroom, and all that give power, none at a slack."""
    gen, m = flow.net.gen, flow.matrices
    power = gen["p_mw"].to_numpy(dtype=float) * gen["scaling"].to_numpy(dtype=float)
    units, base = [], []
    for (index, line), mw in zip(gen.iterrows(), power.tolist(), strict=True):
        node = m.node_of_bus.get(int(line["bus"]), -1)
        moves = share and (share.get(int(index), 0.0) > 0.0 or mw > 0.0) and float(line["scaling"]) > 0.0
        if moves and line["in_service"] and node >= 0 and not m.reference[node]:
            units.append(int(index))
            base.append(mw)
    own = gen.loc[units]
    at = np.array([row[int(b)] for b in own["bus"]], dtype=np.int64)
    return units, np.array(base, dtype=float), own["scaling"].to_numpy(dtype=float), at


def _lost(net: Any, row: dict[int, int], outages: Sequence[Outage], dead: Any) -> Floats:
    """Generation less load that each outage takes away, as the tables schedule it. [MW]"""
    at_bus = np.zeros(len(row))
    power: dict[str, dict[int, tuple[int, float]]] = {}
    for table, sign in SIGN.items():
        rows = net[table]
        own = power.setdefault(table, {})
        for index, line in rows.iterrows():
            mw = sign * float(line["p_mw"]) * float(line.get("scaling", 1.0)) * bool(line["in_service"])
            own[int(index)] = row[int(line["bus"])], mw
            at_bus[row[int(line["bus"])]] += mw
    lost = dead @ at_bus
    for k, outage in enumerate(outages, 1):
        for table, index in outage.elements:
            if table in power:
                at, mw = power[table][index]
                lost[k] += 0.0 if dead[k, at] else mw
    return np.asarray(lost, dtype=float)


def _lowered(flow: BatchFlow, base: Floats, off: Any, lost: float, slack_on: bool) -> Floats:
    """Changes of the units where load goes: in proportion to what they and the slack give, never below nought."""
    slack = sum(float(flow.net[f"res_{t}"].at[i, "p_mw"]) for t, i in _slacks(flow)) if slack_on else 0.0
    giving = np.where(off, 0.0, np.maximum(base, 0.0))
    total = float(giving.sum()) + max(slack, 0.0)
    return np.asarray(giving * max(lost / total, -1.0) if total > 0.0 else np.zeros_like(base))


def _slacks(flow: BatchFlow) -> list[tuple[str, int]]:
    m = flow.matrices
    out = []
    for table in ("gen", "ext_grid"):
        rows = flow.net[table]
        for index, bus, on in zip(rows.index, rows["bus"], rows["in_service"], strict=True):
            node = m.node_of_bus.get(int(bus), -1)
            if on and node >= 0 and m.reference[node]:
                out.append((table, int(index)))
    return out
