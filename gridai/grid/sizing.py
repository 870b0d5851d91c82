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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 4096
"""Power flows in one call: 4,096 of the 118-bus system hold 14 MB."""
LOADED = ("line", "trafo", "trafo3w")
MOST_ROUNDS = 12
EDGE_PU = 1e-6
"""A voltage so close to a limit without the load stands on it, as a set point that is the limit. [pu]"""


@dataclass(frozen=True, eq=False)
class Limits:
    """What must hold with the load.

    low, high        float[2, buses] voltage, intact and after an outage, columns as net.bus. [pu]
    loading          intact and after an outage. [% of the rating]
    step             largest change of any bus voltage when the whole load goes. [pu]
    worse_voltage    how much further out a voltage may go that is outside without the load. [pu]
    worse_loading    the same of a loading. [%]
    scale            loading as judged over loading by the table, for each row of line, trafo and trafo3w in this
                     order: where another rating holds than the table states; default 1.
    """

    low: Floats
    high: Floats
    loading: tuple[float, float] = (100.0, 100.0)
    step: float = 0.03
    worse_voltage: float = 0.005
    worse_loading: float = 1.0
    scale: Floats | None = None


@dataclass(frozen=True)
class Finding:
    """One limit at one size.

    kind     "voltage", "loading", "step", "no solution".
    element  (table, pandapower index); of "no solution" the load's own bus.
    outage   number of the outage, -1 for the intact grid.
    value, limit  in pu, % or, of "no solution", the part of the change that can be made and 1.
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
    """

    bus: int
    mw: float
    beyond: float
    binds: Finding | None
    target: float = float("nan")
    needed: tuple[Finding, ...] = ()


@dataclass(eq=False)
class Rows:
    """Rooms of flows: smallest room of voltage and loading of each, and where. NaN room: no solution."""

    voltage: Floats
    at_bus: Ints
    above: Any
    loading: Floats
    at_branch: Ints
    reached: Floats
    vm: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    percent: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    slack_mw: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def passes(self) -> Any:
        """bool[S]."""
        return (self.voltage >= 0.0) & (self.loading >= 0.0)


class Sizing:
    """Sizes of a load at the buses of one network.

    flow     the network; its base case is the grid without the load.
    limits   see Limits.
    outages  what may go out, one at a time; default every line, transformer and impedance in service.
    q_per_p  reactive over active power of the load.
    share    part of the load that each unit takes over, by index of net.gen; the rest falls on the slack.
    tick     called with the number of power flows of each batch.
    planned  so many outages from the first on are planned ones: the limits of the intact grid hold.
    slack    keep what the slack gives, too.
    """

    def __init__(
        self, flow: BatchFlow, limits: Limits, *, outages: Sequence[Outage] | None = None, q_per_p: float = 0.0,
        share: dict[int, float] | None = None, threads: int = 2, tick: Callable[[int], None] | None = None,
        planned: int = 0, slack: bool = False,
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
        self._live = np.array([int(i) in flow.matrices.node_of_bus for i in self._buses])
        self._share = share or {}
        self._bounds()

    def _bounds(self) -> None:
        """Limits of each state and element: the band, or wider where it is left without the load already."""
        states = len(self.outages) + 1
        everything = np.arange(states)
        vm, percent, solved = self._voltages([], everything)
        given, after = self.limits, (everything > self._planned).astype(int)
        low, high = given.low[after], given.high[after]
        most = np.array(given.loading)[after][:, None] * np.ones(percent.shape[1])
        with np.errstate(invalid="ignore"):
            self.low = np.where(vm < low + EDGE_PU, vm - given.worse_voltage, low)
            self.high = np.where(vm > high - EDGE_PU, vm + given.worse_voltage, high)
            self.most = np.where(percent > most, percent + given.worse_loading, most)
            self.outside = int(((vm < low) | (vm > high)).sum() + (percent > most).sum())
        if not self.flow.enforce_q_lims:
            held = self._held()
            self.low[:, held], self.high[:, held] = -np.inf, np.inf
        self.without_solution = np.flatnonzero(~solved[1:])
        self.judged = np.flatnonzero(solved[1:]) + 1

    def _held(self) -> Any:
        """bool[buses], True where a unit sets the voltage: no load changes it, so no limit can stop a load there."""
        m = self.flow.matrices
        nodes = np.array([m.node_of_bus.get(int(i), -1) for i in self._buses])
        return (nodes >= 0) & m.held[np.maximum(nodes, 0)].astype(bool)

    def _voltages(self, vary: Sequence[Vary], state: Ints) -> tuple[Floats, Floats, Any]:
        """vm_pu, loading_percent (all tables side by side) and solved of flows."""
        at = np.maximum(state - 1, 0)
        result = self.flow.solve(
            vary, scenarios=len(state), changes=picked(self._changes, at, state > 0), threads=self.threads
        )
        self.flows += len(state)
        self._tick(len(state))
        loads = [result.loading_percent(t) for t in LOADED if len(self.flow.net[t])]
        percent = np.concatenate(loads, axis=1) if loads else np.zeros((len(state), 0))
        if self.limits.scale is not None:
            percent = percent * self.limits.scale
        self._reached = result.reached
        self._slack = result.slack_mva().real.sum(axis=1) if self._wants_slack else np.zeros(0)
        return result.vm_pu, percent, result.solved

    def _vary(self, size: Floats, buses: list[int], drawn: Any = None) -> list[Vary]:
        if not buses:
            return []
        own = size if drawn is None else size * drawn[:, None]
        out = [Vary("bus", "p_mw", own, buses)]
        if self.q_per_p:
            out.append(Vary("bus", "q_mvar", self.q_per_p * own, buses))
        units = [u for u, part in self._share.items() if part > 0.0]
        if units:
            gen = self.flow.net.gen.loc[units]
            scaling = gen["scaling"].to_numpy(dtype=float)
            part = np.array([self._share[u] for u in units]) / scaling
            total = size.sum(axis=1)
            out.append(Vary("gen", "p_mw", gen["p_mw"].to_numpy(dtype=float) + total[:, None] * part, units))
        return out

    def rows(self, bus: Ints, mw: Floats, state: Ints, keep: bool = False) -> Rows:
        """Judge flows: the load of mw at pandapower bus `bus` in each state. keep: voltages and loadings as well."""
        parts = [
            self._chunk(bus[k : k + CHUNK], mw[k : k + CHUNK], state[k : k + CHUNK], keep)
            for k in range(0, len(bus), CHUNK)
        ]
        names = ("voltage", "at_bus", "above", "loading", "at_branch", "reached", "vm", "percent", "slack_mw")
        return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    def _chunk(self, bus: Ints, mw: Floats, state: Ints, keep: bool) -> Rows:
        buses, where = np.unique(bus, return_inverse=True)
        size = np.zeros((len(bus), len(buses)))
        size[np.arange(len(bus)), where] = mw
        return self.judge(self._vary(size, buses.tolist()), state, keep)

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
        return Rows(worst[0], at_v, above, worst[1], at_l, self._reached.copy(), *more, slack)

    def steps(self, bus: Ints, mw: Floats) -> tuple[Floats, Ints]:
        """Largest change of any bus voltage when the load goes, and that bus's row in net.bus; NaN unsolved."""
        buses, where = np.unique(bus, return_inverse=True)
        size = np.zeros((2 * len(bus), len(buses)))
        every = np.arange(len(bus))
        size[every, where] = mw
        size[every + len(bus), where] = mw
        drawn = np.repeat([1.0, 0.0], len(bus))
        result = self.flow.solve(self._vary(size, buses.tolist(), drawn), loading=False, threads=self.threads)
        self.flows += 2 * len(bus)
        self._tick(2 * len(bus))
        vm = result.vm_pu
        change = np.abs(vm[len(bus) :] - vm[: len(bus)])
        change[:, ~self._live] = 0.0
        at = np.nan_to_num(change, nan=np.inf).argmax(axis=1)
        return change[every, at], at

    def finding(self, rows: Rows, k: int, bus: int, state: int) -> list[Finding]:
        """What row k leaves: the worst voltage and the worst loading, or that there is no solution."""
        if np.isnan(rows.voltage[k]):
            reached = float(rows.reached[k])
            return [Finding("no solution", ("bus", bus), state - 1, reached, 1.0, reached - 1.0)]
        out = [self._voltage(state, int(rows.at_bus[k]), bool(rows.above[k]), float(rows.voltage[k]))]
        if self._branches:
            out.append(self._loading(state, int(rows.at_branch[k]), float(rows.loading[k])))
        return out

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

    def bus_at(self, position: int) -> int:
        """pandapower index of the bus in this row of net.bus."""
        return int(self._buses[position])


def picked(changes: Changes, rows: Ints, on: Any) -> Changes | None:
    """Changes whose scenarios are the given ones of `changes`, nothing where `on` is False. None if nothing is on."""
    if not on.any():
        return None
    return changes.pick(rows, on)
