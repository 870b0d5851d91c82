"""How large a load each bus takes, found for all buses at once on the batched power flow.

    all buses, intact grid:   bisection of size and voltage step          one flow a bus and size
    after every outage:       bisection with the outages that fail        buses x outages in one batch
    at the end:               every outage again at the size found, and at sizes below it

A size passes if every flow has a certified solution inside its limits. What was outside a limit without the load may
get worse by a stated amount and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow, Changes, Vary
from gridai.grid.contingency import BRANCHES, Contingencies, Outage, single_outages
from gridai.grid.pickup import pick_up

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 4096
"""Power flows in one call: 4,096 of the 118-bus system hold 14 MB."""
LOADED = ("line", "trafo", "trafo3w")
MOST_ROUNDS = 12
EDGE_PU = 1e-6
"""A voltage so close to a limit without the load stands on it, as a set point that is the limit. [pu]"""
EDGE = 0.2
"""What is closer to its limit without the load than this part of what it may get worse by counts as outside, too: a
ten thousandth of a volt that is left would else stop every load in the grid."""


@dataclass(frozen=True, eq=False)
class Limits:
    """What must hold with the load.

    low, high        float[2, buses] voltage, intact and after an outage, columns as net.bus. [pu]
    loading          intact and after an outage. [% of the rating]
    step             largest change of a bus voltage when the whole load goes, one for all or float[buses]. [pu]
    worse_voltage    how much further out a voltage may go that is outside without the load, or on the edge. [pu]
    worse_loading    the same of a loading. [%]
    scale            loading as judged over loading by the table, for each row of line, trafo and trafo3w in this
                     order: where another rating holds than the table states; default 1.
    margin           how much further the load must be able to grow before there is no solution: intact, after one
                     outage, after two; 0: not judged. [part of the load]
    """

    low: Floats
    high: Floats
    loading: tuple[float, float] = (100.0, 100.0)
    step: float | Floats = 0.03
    worse_voltage: float = 0.005
    worse_loading: float = 1.0
    scale: Floats | None = None
    margin: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Finding:
    """One limit at one size.

    kind     "voltage", "loading", "step", "margin", "no solution".
    element  (table, pandapower index); of "no solution" and "margin" the load's own bus.
    outage   number of the outage, -1 for the intact grid.
    value, limit  in pu, %, of "margin" what the load may still grow by [%], of "no solution" the part of the change
             that can be made and 1.
    room     what is left to the limit, below nought beyond it. [pu or 1]
    """

    kind: str
    element: tuple[str, int]
    outage: int
    value: float
    limit: float
    room: float


@dataclass(frozen=True)
class Sized:
    """The answer of a bus.

    bus     pandapower index.
    mw      largest size that passes. [MW]
    beyond  smallest size tried above it that does not, NaN where the upper end passes.
    binds   what fails first beyond it, None where the upper end passes.
    needed  what fails at the size `target`, the worst of each element, first what is furthest beyond.
    nearest what is nearest to a limit at the size found: of voltage, loading and voltage step.
    """

    bus: int
    mw: float
    beyond: float
    binds: Finding | None
    target: float = float("nan")
    needed: tuple[Finding, ...] = ()
    nearest: tuple[Finding, ...] = ()


@dataclass(eq=False)
class Rows:
    """Rooms of flows: smallest room of voltage and loading of each, and where. NaN room: no solution."""

    voltage: Floats
    at_bus: Ints
    above: Any
    loading: Floats
    at_branch: Ints
    reached: Floats
    margin: Floats = field(default_factory=lambda: np.zeros(0))
    vm: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    percent: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    slack_mw: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def passes(self) -> Any:
        """bool[S]."""
        return (self.voltage >= 0.0) & (self.loading >= 0.0) & (self.margin >= 0.0)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Limits as they are held against each state and element.

    low, high  float[states, buses]. [pu]    most  float[states, branches]. [%]
    judged     states that have a solution without the load.
    outside    voltages and loadings that are outside a limit without the load.
    """

    low: Floats
    high: Floats
    most: Floats
    judged: Ints
    without_solution: Ints
    outside: int


class Sizing:
    """Sizes of a load at the buses of one network.

    flow     the network; its base case is the grid without the load.
    limits   see Limits.
    outages  what may go out together; default every line, transformer and impedance in service, one at a time.
    q_per_p  reactive over active power of the load.
    share    part of the load, and of what an outage takes away, that each unit takes over, by index of net.gen; the
             rest falls on the slack. See gridai.grid.pickup.
    tick     called with the number of power flows of each batch.
    planned  so many outages from the first on are planned ones: the limits of the intact grid hold.
    slack    keep what the slack gives, too.
    bounds   the limits of each state and element are those of this one, whose buses, branches and outages are the
             same: a network that is reinforced is held against what held before.
    """

    def __init__(
        self, flow: BatchFlow, limits: Limits, *, outages: Sequence[Outage] | None = None, q_per_p: float = 0.0,
        share: dict[int, float] | None = None, threads: int = 2, tick: Callable[[int], None] | None = None,
        planned: int = 0, slack: bool = False, bounds: Bounds | None = None,
    ) -> None:  # fmt: skip
        self.flow, self.limits, self.q_per_p, self.threads = flow, limits, q_per_p, threads
        self.outages = tuple(single_outages(flow, BRANCHES) if outages is None else outages)
        ready = Contingencies(flow).prepare(self.outages, shared=False)
        self._changes, self.dead_buses = ready.changes, ready.dead_buses
        self._tick = tick or (lambda count: None)
        self.flows = 0
        self._planned, self._wants_slack = planned, slack
        self._branches = [(t, int(i)) for t in LOADED for i in flow.net[t].index]
        self._buses = np.array([int(i) for i in flow.net.bus.index])
        self._row = {int(b): k for k, b in enumerate(self._buses)}
        self._live = np.array([int(i) in flow.matrices.node_of_bus for i in self._buses])
        self.share = dict(share or {})
        self.pickup = pick_up(flow, self.share, ready)
        self.order = np.array([0, *(len(o.elements) for o in self.outages)])
        self._margin = np.array([0.0, *limits.margin[1:]])[np.minimum(self.order, 2)]
        self._margin[0] = limits.margin[0]
        if bounds is None:
            self._bounds()
        else:
            self.low, self.high, self.most = bounds.low, bounds.high, bounds.most
            self.outside, self.judged, self.without_solution = bounds.outside, bounds.judged, bounds.without_solution

    @property
    def bounds(self) -> Bounds:
        """The limits as they are held against each state and element."""
        return Bounds(self.low, self.high, self.most, self.judged, self.without_solution, self.outside)

    def _bounds(self) -> None:
        """Limits of each state and element: the band, or wider where it is left, or nearly, without the load already.

        After an outage no limit is stricter than the one of the intact grid, after several none than after one of them.
        """
        states = len(self.outages) + 1
        everything = np.arange(states)
        vm, percent, solved = self._voltages(self._vary(np.zeros((states, 0)), [], everything), everything)
        given, after = self.limits, (everything > self._planned).astype(int)
        low, high = given.low[after], given.high[after]
        most = np.array(given.loading)[after][:, None] * np.ones(percent.shape[1])
        edge = max(EDGE_PU, EDGE * given.worse_voltage)
        with np.errstate(invalid="ignore"):
            self.low = np.where(vm < low + edge, np.fmin(low, vm - given.worse_voltage), low)
            self.high = np.where(vm > high - edge, np.fmax(high, vm + given.worse_voltage), high)
            near = percent > most - EDGE * given.worse_loading
            self.most = np.where(near, np.fmax(most, percent + given.worse_loading), most)
            self.outside = int(((vm < low) | (vm > high)).sum() + (percent > most).sum())
        self.low[1:], self.high[1:] = np.fmin(self.low[1:], self.low[0]), np.fmax(self.high[1:], self.high[0])
        self.most[1:] = np.fmax(self.most[1:], self.most[0])
        alone = {o.elements[0]: k for k, o in enumerate(self.outages, 1) if len(o.elements) == 1}
        for k, outage in enumerate(self.outages, 1):
            for one in (alone[e] for e in outage.elements if len(outage.elements) > 1 and e in alone):
                self.low[k], self.high[k] = np.fmin(self.low[k], self.low[one]), np.fmax(self.high[k], self.high[one])
                self.most[k] = np.fmax(self.most[k], self.most[one])
        if not self.flow.enforce_q_lims:
            held = self._held()
            self.low[held], self.high[held] = -np.inf, np.inf
        self.without_solution = np.flatnonzero(~solved[1:])
        self.judged = np.flatnonzero(solved[1:]) + 1

    def _held(self) -> Any:
        """bool[states, buses], True where a unit sets the voltage: no load changes it, so no limit can stop one there.

        A bus whose last unit is out is judged.
        """
        m, c = self.flow.matrices, self._changes
        nodes = np.array([m.node_of_bus.get(int(i), -1) for i in self._buses])
        own = (nodes >= 0) & m.held[np.maximum(nodes, 0)].astype(bool)
        held = np.tile(own, (len(self.outages) + 1, 1))
        if c.frees:
            for k in np.flatnonzero(np.diff(c.free_ptr)):
                free = c.free_node[c.free_ptr[k] : c.free_ptr[k + 1]]
                held[k + 1] &= ~np.isin(nodes, free)
        return held

    def _voltages(self, vary: Sequence[Vary], state: Ints) -> tuple[Floats, Floats, Any]:
        """vm_pu, loading_percent (all tables side by side) and solved of flows."""
        result = self.flow.solve(vary, scenarios=len(state), changes=self._picked(state), threads=self.threads)
        self._count(len(state))
        loads = [result.loading_percent(t) for t in LOADED if len(self.flow.net[t])]
        percent = np.concatenate(loads, axis=1) if loads else np.zeros((len(state), 0))
        if self.limits.scale is not None:
            percent = percent * self.limits.scale
        self._reached = result.reached
        self._slack = result.slack_mva().real.sum(axis=1) if self._wants_slack else np.zeros(0)
        return result.vm_pu, percent, result.solved

    def _picked(self, state: Ints) -> Changes | None:
        return picked(self._changes, np.maximum(state - 1, 0), state > 0)

    def _count(self, flows: int) -> None:
        self.flows += flows
        self._tick(flows)

    def _vary(self, size: Floats, buses: list[int], state: Ints, drawn: Any = None) -> list[Vary]:
        """What varies with loads of size[S, buses] MW; drawn: the part of it that is drawn, all of it fed."""
        out = []
        fed = size
        if buses:
            fed = np.where(self.pickup.dead[state][:, [self._row[b] for b in buses]], 0.0, size)
            own = fed if drawn is None else fed * drawn[:, None]
            out = [Vary("bus", "p_mw", own, buses)]
            if self.q_per_p:
                out.append(Vary("bus", "q_mvar", self.q_per_p * own, buses))
        if self.pickup.units:
            out.append(Vary("gen", "p_mw", self.pickup.powers(state, fed.sum(axis=1)), list(self.pickup.units)))
        return out

    def rows(self, bus: Ints, mw: Floats, state: Ints, keep: bool = False) -> Rows:
        """Judge flows: the load of mw at pandapower bus `bus` in each state. keep: voltages and loadings as well."""
        parts = [
            self._chunk(bus[k : k + CHUNK], mw[k : k + CHUNK], state[k : k + CHUNK], keep)
            for k in range(0, len(bus), CHUNK)
        ]
        names = ("voltage", "at_bus", "above", "loading", "at_branch", "reached", "margin", "vm", "percent", "slack_mw")
        return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    def _chunk(self, bus: Ints, mw: Floats, state: Ints, keep: bool) -> Rows:
        buses, size = _sizes(bus, mw)
        rows = self.judge(self._vary(size, buses, state), state, keep)
        more = self._margin[state]
        at = np.flatnonzero((more > 0.0) & rows.passes & (mw > 0.0))
        if len(at):
            rows.margin[at[~self.solved(bus[at], (1.0 + more[at]) * mw[at], state[at])]] = -1.0
        return rows

    def solved(self, bus: Ints, mw: Floats, state: Ints) -> Any:
        """bool[S], whether a load of mw at each bus has a power flow at all in each state."""
        found = np.zeros(len(bus), dtype=bool)
        for k in range(0, len(bus), CHUNK):
            own = slice(k, k + CHUNK)
            buses, size = _sizes(bus[own], mw[own])
            changes = self._picked(state[own])
            result = self.flow.solve(
                self._vary(size, buses, state[own]), changes=changes, loading=False, threads=self.threads
            )
            self._count(len(size))
            found[own] = result.solved
        return found

    def margins(self, bus: Ints, mw: Floats, state: Ints, most: Floats, parts: int = 16, rounds: int = 4) -> Floats:
        """Part of the load of mw by which it may grow before there is no solution, up to most[S]. float[S]

        By shrinking brackets, to most / (parts + 1) ** rounds; NaN where mw itself has no solution.
        """
        low, high = np.zeros(len(bus)), most.astype(float)
        first = self.solved(bus, mw, state)
        steps = np.arange(1, parts + 1) / (parts + 1.0)
        for _ in range(rounds):
            tried = low[:, None] + (high - low)[:, None] * steps
            good = self.solved(
                np.repeat(bus, parts), ((1.0 + tried) * mw[:, None]).ravel(), np.repeat(state, parts)
            ).reshape(tried.shape)
            upto = np.where(good.all(axis=1), parts, good.argmin(axis=1))
            edges = np.column_stack([low, tried, high])
            every = np.arange(len(bus))
            low, high = edges[every, upto], edges[every, upto + 1]
        return np.where(first, low, np.nan)

    def judge(self, vary: Sequence[Vary], state: Ints, keep: bool = False) -> Rows:
        """Judge flows of anything that varies, one a state. keep: voltages and loadings as well."""
        vm, percent, solved = self._voltages(vary, state)
        to_low, to_high = vm - self.low[state], self.high[state] - vm
        room_v = np.nan_to_num(np.fmin(to_low, to_high), nan=np.inf, posinf=np.inf, neginf=-np.inf)
        room_l = (self.most[state] - percent) / 100.0
        room_l = np.where(np.isnan(room_l), np.inf, room_l)
        if not room_l.shape[1]:
            room_l = np.full((len(state), 1), np.inf)
        at_v, at_l = room_v.argmin(axis=1), room_l.argmin(axis=1)
        every = np.arange(len(state))
        worst = [np.where(solved, room[every, at], np.nan) for room, at in ((room_v, at_v), (room_l, at_l))]
        more = (vm, percent) if keep else (np.zeros((len(state), 0)), np.zeros((len(state), 0)))
        above = to_high[every, at_v] < to_low[every, at_v]
        slack = self._slack if self._wants_slack else np.full(len(state), np.nan)
        return Rows(worst[0], at_v, above, worst[1], at_l, self._reached.copy(), np.zeros(len(state)), *more, slack)

    def steps(self, bus: Ints, mw: Floats) -> tuple[Floats, Floats, Ints]:
        """Change of the bus voltage that is nearest to its limit, or furthest beyond, when the load goes; that limit.

        Then the bus's row in net.bus. NaN unsolved.
        """
        buses, size = _sizes(np.tile(bus, 2), np.tile(mw, 2))
        every = np.arange(len(bus))
        drawn = np.repeat([1.0, 0.0], len(bus))
        state = np.zeros(2 * len(bus), dtype=np.int64)
        result = self.flow.solve(self._vary(size, buses, state, drawn), loading=False, threads=self.threads)
        self._count(2 * len(bus))
        vm = result.vm_pu
        change = np.abs(vm[len(bus) :] - vm[: len(bus)])
        change[:, ~self._live] = 0.0
        limit = np.broadcast_to(self.limits.step, change.shape[1])
        at = np.nan_to_num(change / limit, nan=np.inf).argmax(axis=1)
        return change[every, at], limit[at], at

    def finding(self, rows: Rows, k: int, bus: int, state: int, mw: float = 0.0) -> list[Finding]:
        """What row k leaves: the worst voltage and the worst loading, or that there is no solution.

        mw  the load of that row; needed where a margin to the nose is judged.
        """
        if np.isnan(rows.voltage[k]):
            reached = float(rows.reached[k])
            return [Finding("no solution", ("bus", bus), state - 1, reached, 1.0, reached - 1.0)]
        if rows.margin[k] < 0.0:
            return [self._far(bus, mw, state)]
        out = [self._voltage(state, int(rows.at_bus[k]), bool(rows.above[k]), float(rows.voltage[k]))]
        if self._branches:
            out.append(self._loading(state, int(rows.at_branch[k]), float(rows.loading[k])))
        return out

    def _far(self, bus: int, mw: float, state: int) -> Finding:
        """How far a load may grow that must be able to grow more."""
        asked = float(self._margin[state])
        left = self.margins(np.array([bus]), np.array([mw]), np.array([state]), np.array([asked]))
        found = float(left[0])
        return Finding("margin", ("bus", bus), state - 1, 100.0 * found, 100.0 * asked, found - asked)

    def _voltage(self, state: int, at: int, above: bool, room: float) -> Finding:
        limit = float((self.high if above else self.low)[state, at])
        value = limit - room if above else limit + room
        return Finding("voltage", ("bus", int(self._buses[at])), state - 1, value, limit, room)

    def _loading(self, state: int, at: int, room: float) -> Finding:
        limit = float(self.most[state, at])
        return Finding("loading", self._branches[at], state - 1, limit - 100.0 * room, limit, room)

    def beyond(self, rows: Rows, k: int, state: int) -> list[Finding]:
        """Every voltage and loading of row k (kept) that is outside its limit."""
        vm, percent = rows.vm[k], rows.percent[k]
        out = []
        for above in (False, True):
            room = (self.high[state] - vm) if above else (vm - self.low[state])
            out += [self._voltage(state, int(at), above, float(room[at])) for at in np.flatnonzero(room < 0.0)]
        room = (self.most[state] - percent) / 100.0
        return out + [self._loading(state, int(at), float(room[at])) for at in np.flatnonzero(room < 0.0)]

    def headless(self) -> Any:
        """bool[states], True where an outage leaves most of a grid with units of its own dead: the slack is away."""
        dead = self.pickup.dead
        gen = self.flow.net.gen
        with_unit = np.zeros(dead.shape[1], dtype=bool)
        with_unit[[self._row[int(b)] for b in gen.loc[gen["in_service"].to_numpy(dtype=bool), "bus"]]] = True
        return (dead.sum(axis=1) > 0.5 * self._live.sum()) & (dead & with_unit).any(axis=1)

    def row_of(self, bus: int) -> int:
        """Row of a pandapower bus in net.bus."""
        return self._row[bus]

    def bus_at(self, position: int) -> int:
        """pandapower index of the bus in this row of net.bus."""
        return int(self._buses[position])


def _sizes(bus: Ints, mw: Floats) -> tuple[list[int], Floats]:
    """The buses that occur, and the load of each row at each of them. [MW]"""
    buses, where = np.unique(bus, return_inverse=True)
    size = np.zeros((len(bus), len(buses)))
    size[np.arange(len(bus)), where] = mw
    return buses.tolist(), size


def picked(changes: Changes, rows: Ints, on: Any) -> Changes | None:
    """Changes whose scenarios are the given ones of `changes`, nothing where `on` is False. None if nothing is on."""
    if not on.any():
        return None
    return changes.pick(rows, on)
