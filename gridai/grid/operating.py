"""Operating modes: how load, renewables and dispatch combine, and each of them with every contingency on the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.convert import sums_of_phases
from gridai.grid.sizing import Sizing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FLOWS = 8192
"""Power flows in one call."""
RULES = ("proportional", "headroom", "merit", "even")
SLACK_SHARE = 0.9
"""Part of its turbines up to which a rule loads the slack: the rest is for what losses differ from the base case."""
KINDS = ("accepted", "short of generation", "too much renewables", "no solution", "slack", "loading", "voltage")


@dataclass(frozen=True, eq=False)
class Modes:
    """M modes, one entry each.

    load, share, cluster  level of the load, part of it that renewables give, level of the clusters.
    rule      int[M], of RULES.
    planned   int[M]: 0, or 1, 2, ... for the planned outages in order.
    """

    load: Floats
    share: Floats
    cluster: Floats
    rule: Ints
    planned: Ints

    def __len__(self) -> int:
        return len(self.load)

    def part(self, at: Any) -> Modes:
        """Some of the modes."""
        return Modes(self.load[at], self.share[at], self.cluster[at], self.rule[at], self.planned[at])


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of M modes.

    kind     int[M], of KINDS: the first of them that rejects the mode.
    room     smallest room of voltage and loading, below nought beyond a limit; NaN without power flow. [pu or 1]
    state    int[M]: contingency that is worst, 0 for none.
    element  int[M]: row of net.bus (voltage) or of line, trafo, trafo3w side by side (loading), -1 for none.
    value, limit  in pu, % or MW.
    """

    kind: Ints
    room: Floats
    state: Ints
    element: Ints
    value: Floats
    limit: Floats


class Dispatch:
    """Set points of all units for a mode.

    flow      the network; its base case is the dispatch that the rules start from.
    clusters  rows of net.load whose power is not scaled by the load's level.
    """

    def __init__(self, flow: BatchFlow, clusters: Sequence[int]) -> None:
        net, m = flow.net, flow.matrices
        live = list(m.node_of_bus)
        load = net.load[net.load["in_service"].astype(bool) & net.load["bus"].isin(live)]
        self.loads = [int(i) for i in load.index]
        scale = load["scaling"].to_numpy(dtype=float)
        self.p, self.q = load["p_mw"].to_numpy(dtype=float), load["q_mvar"].to_numpy(dtype=float)
        self.own = np.isin(self.loads, list(clusters))
        self.base_mw = float((self.p * scale)[~self.own].sum())
        self.cluster_mw = float((self.p * scale)[self.own].sum())
        phases = net.get("asymmetric_load", net.load[:0])
        phases = phases[phases["in_service"].astype(bool) & phases["bus"].isin(live)]
        self.phase_bus = [int(b) for b in phases["bus"]]
        self.phase_p, self.phase_q = sums_of_phases(phases) if len(phases) else (np.zeros(0), np.zeros(0))
        self.base_mw += float(self.phase_p.sum())
        sgen = net.sgen[net.sgen["in_service"].astype(bool) & net.sgen["bus"].isin(live)]
        self.sgens = [int(i) for i in sgen.index]
        self.sgen_p = sgen["p_mw"].to_numpy(dtype=float)
        self.sgen_mw = float((self.sgen_p * sgen["scaling"].to_numpy(dtype=float)).sum()) if len(sgen) else 0.0
        if self.sgen_mw <= 0.0:  # they give nothing that a share could scale: left as they are
            self.sgens, self.sgen_mw = [], 0.0
        self._units(net, m)

    def _units(self, net: Any, m: Any) -> None:
        rows: list[tuple[int, float, float]] = []
        slack_now = slack_most = 0.0
        for table in ("gen", "ext_grid"):
            frame, solved = net[table], net[f"res_{table}"]
            for index, row in frame.iterrows():
                node = m.node_of_bus.get(int(row["bus"]), -1)
                if not row["in_service"] or node < 0:
                    continue
                now = float(solved.at[index, "p_mw"])
                most = float(row.get("max_p_mw", np.nan))
                most = max(most, now) if np.isfinite(most) else np.inf if table == "ext_grid" else max(now, 0.0)
                if m.reference[node]:
                    slack_now, slack_most = slack_now + now, slack_most + most
                else:
                    rows.append((int(index), now, most))
        self.units = [r[0] for r in rows]
        self.scaling = net.gen.loc[self.units, "scaling"].to_numpy(dtype=float) if rows else np.zeros(0)
        self.now = np.array([*(r[1] for r in rows), slack_now])
        self.most = np.array([*(r[2] for r in rows), max(slack_now, SLACK_SHARE * slack_most)])
        self.slack_most = slack_most
        used = self.base_mw + self.cluster_mw
        self.lost_mw = float(self.now.sum()) + self.sgen_mw - used

    def needed(self, modes: Modes) -> Floats:
        """What the units must give, losses as in the base case. [MW]"""
        load = modes.load * self.base_mw
        return np.asarray(load * (1.0 - modes.share) + modes.cluster * self.cluster_mw + self.lost_mw)

    def vary(self, modes: Modes) -> tuple[list[Vary], Floats]:
        """What varies in each mode, and what the units are short of (below nought: renewables beyond the load). [MW]"""
        need = self.needed(modes)
        p = np.stack([self._set_points(int(r), float(n)) for r, n in zip(modes.rule, need, strict=True)])
        short = np.where(need > self.most.sum(), need - self.most.sum(), np.minimum(need, 0.0))
        level = np.where(self.own, modes.cluster[:, None], modes.load[:, None])
        netted = np.where(self.own | bool(self.sgens), 0.0, (modes.share * modes.load)[:, None])
        out = [Vary("load", "p_mw", self.p * (level - netted), self.loads),
               Vary("load", "q_mvar", self.q * level, self.loads)]  # fmt: skip
        if self.phase_bus:
            out += self._by_phase(modes)
        if self.units:
            out.append(Vary("gen", "p_mw", p[:, :-1] / self.scaling, self.units))
        if self.sgens:
            factor = modes.share * modes.load * self.base_mw / self.sgen_mw
            out.append(Vary("sgen", "p_mw", factor[:, None] * self.sgen_p, self.sgens))
        return out, np.asarray(short)

    def _by_phase(self, modes: Modes) -> list[Vary]:
        """Loads by phase, which the batch holds as they are: what a mode adds to them or takes off at their buses."""
        buses, at = np.unique(self.phase_bus, return_inverse=True)
        netted = np.zeros(len(modes)) if self.sgens else modes.share * modes.load
        out = []
        for column, power, level in (("p_mw", self.phase_p, modes.load - netted), ("q_mvar", self.phase_q, modes.load)):
            own = np.zeros(len(buses))
            np.add.at(own, at, power)
            out.append(Vary("bus", column, (level - 1.0)[:, None] * own, [int(b) for b in buses]))
        return out

    def _set_points(self, rule: int, need: float) -> Floats:
        """Powers of the units, the slack last; they add up to `need` where the units can."""
        need = min(max(need, 0.0), float(self.most.sum()))
        most = np.minimum(self.most, max(need, 1.0))
        if RULES[rule] == "merit":
            order = np.argsort(-self.most, kind="stable")
            before = np.concatenate([[0.0], np.cumsum(most[order])[:-1]])
            out = np.zeros(len(most))
            out[order] = np.clip(need - before, 0.0, most[order])
            return out
        now = np.clip(self.now, 0.0, None)
        if RULES[rule] == "even":
            return _filled(np.where(np.isfinite(self.most), self.most, now), most, need)
        change = need - float(now.sum())
        if RULES[rule] == "headroom" and change > 0.0:
            left = np.maximum(most - now, 0.0)
            return np.asarray(now + left * min(1.0, change / max(float(left.sum()), 1e-9)))
        return _filled(now, most, need)


def _filled(weight: Floats, most: Floats, need: float) -> Floats:
    """Shares of `need` in proportion to the weights, none above its most; what is over goes to the others."""
    out = np.zeros(len(weight))
    open_ = weight > 0.0
    for _ in range(len(weight) + 1):
        left = need - float(out.sum())
        if left <= 1e-9:
            break
        if not open_.any():
            room = most - out
            return np.asarray(out + room * min(1.0, left / max(float(room.sum()), 1e-9)))
        added = np.where(open_, weight * left / float(weight[open_].sum()), 0.0)
        out = np.minimum(out + added, most)
        open_ = open_ & (out < most - 1e-9)
    return out


def judge(sizing: Sizing, dispatch: Dispatch, modes: Modes, states: Sequence[Ints]) -> Outcomes:
    """Judge modes. states: for each planned outage (0: none) the states of `sizing` tried, the mode's own first."""
    if not len(sizing.flow.matrices.reference):
        raise CaseError("the network has no slack")
    vary, short = dispatch.vary(modes)
    count = np.array([len(states[int(k)]) for k in modes.planned])
    which = np.repeat(np.arange(len(modes)), count)
    state = np.concatenate([states[int(k)] for k in modes.planned]).astype(np.int64)
    rows = sizing.judge([Vary(v.table, v.column, v.values[which], v.elements) for v in vary], state)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    out = Outcomes(*(np.zeros(len(modes), dtype=t) for t in (np.int64, float, np.int64, np.int64, float, float)))
    room = np.fmin(rows.voltage, rows.loading)
    solved = ~np.isnan(rows.voltage)
    for n in range(len(modes)):
        own = slice(int(first[n]), int(first[n] + count[n]))
        _settle(out, n, sizing, dispatch, rows, own, state, room, solved, float(short[n]))
    return out


def _settle(out: Outcomes, n: int, sizing: Sizing, dispatch: Dispatch, rows: Any, own: slice, state: Ints, room: Floats,
            solved: Any, short: float) -> None:  # fmt: skip
    """The verdict of mode n: what rejects it first in the order of KINDS, and its smallest room."""
    good = solved[own]
    k = own.start + int(np.where(good, room[own], np.inf).argmin())
    out.room[n] = room[k] if good.any() and good.all() else np.nan
    out.element[n] = -1
    out.state[n] = state[k]
    if short != 0.0:
        out.kind[n] = 1 if short > 0.0 else 2
        out.value[n], out.limit[n], out.room[n], out.state[n] = abs(short), 0.0, np.nan, state[own.start]
        return
    if not good.all():
        k = own.start + int(np.flatnonzero(~good)[0])
        out.kind[n], out.state[n], out.value[n], out.limit[n] = 3, state[k], float(rows.reached[k]), 1.0
        return
    slack = float(rows.slack_mw[own.start])
    if slack > dispatch.slack_most + 1e-6:
        out.kind[n], out.state[n], out.value[n], out.limit[n] = 4, state[own.start], slack, dispatch.slack_most
        return
    by_loading = rows.loading[k] < rows.voltage[k]
    found = sizing.finding(rows, k, -1, int(state[k]))[1 if by_loading else 0]
    out.element[n] = int(rows.at_branch[k] if by_loading else rows.at_bus[k])
    out.value[n], out.limit[n] = found.value, found.limit
    if room[k] < 0.0:
        out.kind[n] = 5 if by_loading else 6
