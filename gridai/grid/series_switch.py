"""Tap changers and switched capacitors that look at voltage, reactive power or power factor and act after a delay.

    watched value --> outside aim +- dead band --> for delay_s without a break --> one position up or down --> anew

Each device has its own clock. Where several of those that watch the same thing are due at one step, the quickest acts;
capacitors that watch the same thing act one after the other, the one with the fewest moves first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow, BatchResult

Floats = NDArray[np.float64]
HOLDS = ("voltage", "q", "pf")
_ANY = 2
HUNTS = 6
"""So many turns of the direction, each move within SOON delays of the one before, are hunting."""
SOON = 3.0


@dataclass(frozen=True)
class Watch:
    """What a device looks at.

    kind   "voltage" of a bus [pu]; "q", the reactive power into a branch at its first end (from, hv) [MVAr]; "pf", the
           power factor there: reactive power within +- |P| tan(arccos(pf)).
    table, index  "bus", or the branch's table, and the pandapower index.
    """

    kind: str
    table: str
    index: int


@dataclass(frozen=True)
class Switch:
    """A tap changer or a capacitor bank.

    table, index  row of net.trafo, or of net.shunt.
    watch     what it holds.
    aim       at this value. [pu, MVAr, or a power factor]
    deadband  it acts where the value is further off than this. [pu; MVAr for "q" and "pf"]
    delay_s   so long must it be off before a step, and after a step before the next one. [s]
    sense     +1 where a position up raises what is watched, -1 where it lowers it.
    """

    table: str
    index: int
    watch: Watch
    aim: float
    deadband: float
    delay_s: float
    sense: int

    @property
    def device(self) -> tuple[str, int]:
        """The key of the tap table."""
        return self.table, self.index


class Seen:
    """What can be watched in a block of steps, read once each."""

    def __init__(self, flow: BatchFlow, result: BatchResult, vm_pu: Floats) -> None:
        self._flow, self._result, self._vm = flow, result, vm_pu
        self._kept: dict[str, Any] = {}

    def band(self, switch: Switch) -> tuple[Floats, Floats, Floats]:
        """Value, lowest and highest one at which the switch rests, float[n] each."""
        w = switch.watch
        if w.kind == "voltage":
            column = self._flow.net.bus.index.get_loc(w.index)
            v = self._vm[:, column]
            return v, np.full(len(v), switch.aim - switch.deadband), np.full(len(v), switch.aim + switch.deadband)
        p, q = self.power(w.table, w.index)
        if w.kind == "q":
            return q, np.full(len(q), switch.aim - switch.deadband), np.full(len(q), switch.aim + switch.deadband)
        width = np.maximum(np.abs(p) * math.tan(math.acos(switch.aim)), switch.deadband)
        return q, -width, width

    def power(self, table: str, index: int) -> tuple[Floats, Floats]:
        """Power into a branch at its first end (from, hv), float[n] each. [MW, MVAr]"""
        if table not in self._kept:
            self._kept[table] = self._result.flows(table)
        side = "from" if table in ("line", "impedance") else "hv"
        column = self._flow.net[table].index.get_loc(index)
        flows = self._kept[table]
        return flows[f"p_{side}_mw"][:, column], flows[f"q_{side}_mvar"][:, column]

    def slack_mw(self) -> Floats:
        """Power that all slacks give, float[n]. [MW]"""
        if "slack" not in self._kept:
            self._kept["slack"] = self._result.slack_mva().real.sum(axis=1)
        found: Floats = self._kept["slack"]
        return found


@dataclass(eq=False)
class Switching:
    """The switches of a network and their state: positions, and since when what each one watches is off.

    moves       of each switch.
    hunting_s   since when it moves to and fro about as quickly as its delay lets it; else NaN. [s]
    """

    flow: BatchFlow
    switches: tuple[Switch, ...]
    position: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    hunting_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        from gridai.grid.batch.taps import TapTable

        self.table = TapTable(self.flow, [s.device for s in self.switches])
        count = len(self.switches)
        self.position = [self.table.base[s.device] for s in self.switches]
        self.moves, self.hunting_s = [0] * count, [math.nan] * count
        self._since, self._side = [math.nan] * count, [_ANY] * count
        # banks that watch the same thing act as one: what one adds another takes away
        self._team = [k if s.table != "shunt" else [(o.table, o.watch) for o in self.switches].index((s.table, s.watch))
                      for k, s in enumerate(self.switches)]  # fmt: skip
        self._last = [(0, -math.inf)] * count
        self._turns = [0] * count

    def changes(self, count: int) -> Any:
        """The positions as they stand, for `count` steps; None where all are as in the net."""
        positions = {s.device: np.full(count, p) for s, p in zip(self.switches, self.position, strict=True)}
        if all(p == self.table.base[d] for d, p in zip(positions, self.position, strict=True)):
            return None
        return self.table.changes(positions)

    def first_move(self, t_s: Floats, seen: Seen) -> int:
        """The step after which a switch moves, len(t_s) if none; the state is brought up to that step, switches moved.

        A step without a solution moves nothing, and the time a value was off begins anew after it.
        """
        off = [self._off(k, *seen.band(s)) for k, s in enumerate(self.switches)]
        due = [self._due(k, t_s, off[k]) for k in range(len(self.switches))]
        at = min(due)
        upto = min(at + 1, len(t_s))
        for k in range(len(self.switches)):
            self._advance(k, t_s[:upto], off[k][:upto])
        if at < len(t_s):
            self._act([k for k in range(len(due)) if due[k] == at], float(t_s[at]), off, at, _step_s(t_s, at))
        return at

    def _act(self, due: Sequence[int], t: float, off: Sequence[Any], at: int, step_s: float) -> None:
        for watch in dict.fromkeys(self.switches[k].watch for k in due):
            same = [k for k in due if self.switches[k].watch == watch]
            quickest = min(self.switches[k].delay_s for k in same)
            acting = [k for k in same if self.switches[k].delay_s == quickest]
            banks = [k for k in acting if self.switches[k].table == "shunt"]
            if banks:
                first = min(banks, key=lambda k: self.moves[k])
                acting = [k for k in acting if k not in banks or k == first]
                for k, other in enumerate(self.switches):
                    if other.table == "shunt" and other.watch == watch:
                        self._since[k], self._side[k] = t, _ANY
            for k in acting:
                self._move(k, int(off[k][at]), t, step_s)

    def _off(self, k: int, value: Floats, low: Floats, high: Floats) -> Any:
        """int[n]: +1 where the value must rise, -1 where it must fall and the switch has not reached its end."""
        s = self.switches[k]
        want = np.where(value < low, 1, 0) - np.where(value > high, 1, 0)
        step, d = want * s.sense, s.device
        blocked = ((step > 0) & (self.position[k] >= self.table.highest[d])) | (
            (step < 0) & (self.position[k] <= self.table.lowest[d])
        )
        return np.where(blocked, 0, want)

    def _due(self, k: int, t_s: Floats, off: Any) -> int:
        """First step at which the value has been off on one side for the delay."""
        if not off.any():
            return len(t_s)
        start = self._starts(k, t_s, off)
        due = np.flatnonzero((off != 0) & (t_s - start >= self.switches[k].delay_s - 1e-9))
        return int(due[0]) if len(due) else len(t_s)

    def _starts(self, k: int, t_s: Floats, off: Any) -> Floats:
        """Since when the value is off on the side of each step. [s]"""
        begins = np.concatenate([[True], off[1:] != off[:-1]])
        start = t_s[np.maximum.accumulate(np.where(begins, np.arange(len(off)), 0))].copy()
        if not math.isnan(self._since[k]) and self._side[k] in (_ANY, off[0]):
            end = int(np.flatnonzero(begins)[1]) if begins.sum() > 1 else len(off)
            start[:end] = self._since[k]
        return start

    def _advance(self, k: int, t_s: Floats, off: Any) -> None:
        if len(t_s):
            self._since[k] = float(self._starts(k, t_s, off)[-1]) if off[-1] != 0 else math.nan
            self._side[k] = int(off[-1])

    def _move(self, k: int, want: int, t: float, step_s: float) -> None:
        self.position[k] += want * self.switches[k].sense
        self.moves[k] += 1
        self._since[k], self._side[k] = t, _ANY
        team = self._team[k]
        before, when = self._last[team]
        soon = t - when <= SOON * max(self.switches[k].delay_s, step_s)
        self._turns[team] = self._turns[team] + int(before == -want) if soon else 0
        self._last[team] = (want, t)
        if self._turns[team] >= HUNTS and math.isnan(self.hunting_s[k]):
            self.hunting_s[k] = t


def _step_s(t_s: Floats, at: int) -> float:
    """Length of the step at a place, 0 for a single one. [s]"""
    return float(t_s[at + 1] - t_s[at]) if at + 1 < len(t_s) else float(t_s[at] - t_s[at - 1]) if at else 0.0


__all__ = ["HOLDS", "Seen", "Switch", "Switching", "Watch"]
