"""What becomes of the parts of a network that an outage parts from the slack: which live on their own, and how.

An island lives if it has load and a unit that holds a voltage, and its units can take what the outage leaves short or
over: short, in proportion to what they have left of max_p_mw; over, in proportion to what they give above min_p_mw.
The largest unit becomes the reference: it takes what losses differ. A unit that states no max_p_mw has nothing left.
Any other island is dead: its load and generation are lost. The slack's own part is dead, too, if it has no load.

In the batch the new reference keeps its angle by a tie: an admittance that only its own balance sees and that carries
no power at the angle of the base case. What it carries in the solution is what the reference gives beyond its share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridai.grid.batch.flow import BatchFlow
from gridai.grid.contingency_outages import power_at

Unit = tuple[str, int]
NO_LOAD = "no load: its units go off"
STIFFNESS = 10.0
"""Admittance of the tie, in pu or times the power it has to find: the angle found moves by a tenth of a radian."""


@dataclass(frozen=True)
class Island:
    """A part of the network that an outage parts from the slack, or the slack's own part if that is dead.

    buses      pandapower indices.
    nodes      internal nodes.
    reference  the unit that holds the angle, None where the island is dead.
    node       its internal node.
    load_mw    load of the island. [MW]
    short_mw   what the outage leaves its units short of; below nought: what is over. [MW]
    shares     what each unit takes of it. [MW]
    why        in words why it is dead.
    """

    buses: tuple[int, ...]
    nodes: tuple[int, ...]
    reference: Unit | None
    node: int
    load_mw: float
    short_mw: float
    shares: tuple[tuple[Unit, float], ...] = ()
    why: str = ""

    @property
    def lives(self) -> bool:
        """True if a unit holds it."""
        return self.reference is not None


@dataclass(frozen=True)
class _Machine:
    unit: Unit
    now: float
    most: float
    least: float
    size: float


class Islands:
    """Judges the parts of a network that outages cut off; each part is judged once."""

    def __init__(self, flow: BatchFlow, edges: list[tuple[int, int]], buses_of: dict[int, list[int]]) -> None:
        self.flow, self._edges, self._buses_of = flow, edges, buses_of
        net, m = flow.net, flow.matrices
        self._at: dict[int, list[int]] = {}
        for e, (a, b) in enumerate(edges):
            self._at.setdefault(a, []).append(e)
            self._at.setdefault(b, []).append(e)
        self._machines: dict[int, list[_Machine]] = {}
        self._load = np.zeros(len(m.v))
        for table in ("gen", "ext_grid"):
            for index, row in net[table].iterrows():
                node = m.node_of_bus.get(int(row["bus"]), -1)
                if row["in_service"] and node >= 0:
                    now = float(net[f"res_{table}"].at[index, "p_mw"])
                    self._machines.setdefault(node, []).append(_machine((table, int(index)), row, now))
        for bus, p_mw in power_at(flow, "load").items():
            if bus in m.node_of_bus:
                self._load[m.node_of_bus[bus]] += max(p_mw, 0.0)
        self._draw = -m.s.real * m.s_base_mva
        for node, own in self._machines.items():
            if not m.reference[node]:
                self._draw[node] += sum(x.now for x in own)
        self._known: dict[Any, list[Island]] = {}

    def has_units(self, nodes: Any) -> bool:
        """True if a unit that holds a voltage stands at one of the nodes."""
        return any(k in self._machines for k in nodes.tolist())

    def judge(self, dead: Any, edges: list[int], out: set[Unit], lost: dict[int, float]) -> list[Island]:
        """The islands that the nodes `dead` fall into, the largest first.

        edges  positions of the edges that are out; out: units that are out; lost: MW of loads and static units
               that the outage adds to the nodes.
        """
        nodes = set(dead.tolist())
        inside = frozenset(e for e in edges if self._edges[e][0] in nodes and self._edges[e][1] in nodes)
        mine = frozenset((k, p) for k, p in lost.items() if k in nodes)
        key = (dead.tobytes(), inside, mine, frozenset(out))
        if key not in self._known:
            parts = [self._island(part, out, lost) for part in self._parts(nodes, set(edges))]
            self._known[key] = sorted(parts, key=lambda x: (-len(x.buses), x.buses))
        return self._known[key]

    def main_shares(self, apart: set[int], out: set[Unit], injected: dict[int, float]) -> list[tuple[int, float]]:
        """What the units of the slack's part take of what it loses, by headroom: node and MW; the slack's own left out.

        apart  nodes that are no longer in it; out, injected: as in `judge`.
        """
        lost = sum(self._net(k) for k in apart) - sum(p for k, p in injected.items() if k not in apart)
        units = [(k, x) for k, own in self._machines.items() if k not in apart for x in own]
        lost += sum(x.now for _, x in units if x.unit in out)
        units = [(k, x) for k, x in units if x.unit not in out]
        room = np.array([max((x.most - x.now) if lost > 0.0 else (x.now - x.least), 0.0) for _, x in units])
        total = float(room.sum())
        if abs(lost) < 1e-9 or total <= 0.0:
            return []
        part = np.sign(lost) * room * min(1.0, abs(lost) / total)
        held = self.flow.matrices.reference
        return [(k, float(p)) for (k, _), p in zip(units, part, strict=True) if p != 0.0 and not held[k]]

    def _net(self, node: int) -> float:
        """What a node gives to the network in the base case; a slack's node gives what its units do. [MW]"""
        return sum(x.now for x in self._machines.get(node, ())) - float(self._draw[node])

    def slack_side(self, dead: Any) -> Island | None:
        """What is left beside `dead` where it has no load: units at a slack that are left alone. Else None."""
        rest = np.ones(len(self._load), dtype=bool)
        rest[dead] = False
        if (self._load[rest] > 0.0).any():
            return None
        nodes = tuple(int(k) for k in np.flatnonzero(rest))
        buses = tuple(sorted(bus for k in nodes for bus in self._buses_of.get(k, ())))
        return Island(buses, nodes, None, -1, 0.0, 0.0, (), NO_LOAD)

    def _parts(self, nodes: set[int], out: set[int]) -> list[list[int]]:
        left, parts = set(nodes), []
        while left:
            todo = [left.pop()]
            part = list(todo)
            while todo:
                k = todo.pop()
                for e in self._at.get(k, ()):
                    a, b = self._edges[e]
                    other = b if a == k else a
                    if other in left and e not in out:
                        left.discard(other)
                        todo.append(other)
                        part.append(other)
            parts.append(part)
        return parts

    def _island(self, nodes: list[int], out: set[Unit], lost: dict[int, float]) -> Island:
        buses = tuple(sorted(bus for k in nodes for bus in self._buses_of.get(k, ())))
        load = float(self._load[nodes].sum())
        units = [(k, x) for k in nodes for x in self._machines.get(k, ()) if x.unit not in out]
        draw = float(self._draw[nodes].sum()) - sum(lost.get(k, 0.0) for k in nodes)
        short = draw - sum(x.now for _, x in units)
        island = Island(buses, tuple(nodes), None, -1, load, short)
        if not units:
            return replace(island, why="no unit that holds a voltage")
        if load <= 0.0:
            return replace(island, why=NO_LOAD)
        room = np.array([max((x.most - x.now) if short > 0.0 else (x.now - x.least), 0.0) for _, x in units])
        if abs(short) > room.sum() + 1e-6:
            left = f"{abs(short) - room.sum():.1f} MW"
            shed = f"short of {left}: lives only if so much load is shed"
            return replace(island, why=shed if short > 0.0 else f"over by {left} that its units cannot lower")
        part = short * room / max(float(room.sum()), 1e-12)
        node, first = max(units, key=lambda u: (u[1].size, -u[1].unit[1]))
        shares = tuple((x.unit, float(p)) for (_, x), p in zip(units, part, strict=True))
        return replace(island, reference=first.unit, node=node, shares=shares)

    def tie(self, island: Island) -> tuple[int, int, Any]:
        """From node, to node and admittances (float[8]) that hold the angle of an island's reference."""
        m = self.flow.matrices
        slack = int(np.flatnonzero(m.reference)[0])
        y = -1j * STIFFNESS * max(1.0, abs(island.short_mw) / m.s_base_mva)
        far = -y * m.v[island.node] / m.v[slack]
        return slack, island.node, np.array([0.0, 0.0, 0.0, 0.0, far.real, far.imag, y.real, y.imag])

    def given_mw(self, island: Island, v: complex) -> float:
        """What a living island's reference gives, from the voltage of its node; NaN where unsolved. [MW]"""
        m = self.flow.matrices
        _, _, y = self.tie(island)
        current = complex(y[6], y[7]) * (v - m.v[island.node])
        beyond = -(v * np.conj(current)).real * m.s_base_mva
        own = next(x for x in self._machines[island.node] if x.unit == island.reference)
        return own.now + dict(island.shares)[own.unit] + float(beyond)


def _machine(unit: Unit, row: Any, now: float) -> _Machine:
    most, least, sn = (float(row.get(c, np.nan)) for c in ("max_p_mw", "min_p_mw", "sn_mva"))
    most = max(most, now) if np.isfinite(most) else now
    least = min(max(least, 0.0) if np.isfinite(least) else 0.0, now)
    return _Machine(unit, now, most, least, sn if np.isfinite(sn) else max(most, 0.0))
