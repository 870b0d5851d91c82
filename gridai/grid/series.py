"""Power flows along a time axis in blocks of bounded size, on the certified batch, with tap changers where asked.

A block without moving taps is one call of the batch. Tap changers look at the voltage of each step and act after a
delay: the block is solved with the positions as they stand up to the first move, then from there again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError
from gridai.grid.batch import BatchFlow, BatchResult, Vary

Floats = NDArray[np.float64]
CHUNK = 16384
"""Steps in one block: 40 MB for 39 buses and 46 branches."""
LEAST = 64
_ANY = 2
LOADED = ("line", "trafo", "trafo3w")
Source = Callable[[int, int], Sequence[Vary]]


@dataclass(frozen=True, eq=False)
class Block:
    """Steps k0 ... k0 + n - 1.

    solved    bool[n]; reason and reached of the others come from `reasons` and `reached`.
    vm_pu     float[n, buses], columns as net.bus; NaN where unsolved or without supply. [pu]
    percent   float[n, branches]: line, trafo, trafo3w side by side. [%]
    losses_mw, slack_mw   float[n]: lost in branches, given by the slack. [MW]
    taps      int[n, devices]: positions.
    """

    k0: int
    solved: Any
    reasons: dict[int, str]
    reached: Floats
    vm_pu: Floats
    percent: Floats
    losses_mw: Floats
    slack_mw: Floats
    taps: Any


@dataclass(frozen=True)
class Changer:
    """A tap changer.

    index        row of net.trafo.
    bus          pandapower index of the bus whose voltage it holds.
    vm_pu        voltage that it aims at. [pu]
    deadband_pu  it acts where the voltage is further off than this. [pu]
    delay_s      so long must it be off before a step, and after a step before the next one. [s]
    """

    index: int
    bus: int
    vm_pu: float
    deadband_pu: float
    delay_s: float


@dataclass(eq=False)
class Changers:
    """The tap changers of a network and their state: positions, and since when each voltage is off."""

    flow: BatchFlow
    changers: tuple[Changer, ...]
    position: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        from gridai.grid.batch.taps import TapTable

        self.table = TapTable(self.flow, [("trafo", c.index) for c in self.changers])
        net = self.flow.net
        self.position = [self.table.base["trafo", c.index] for c in self.changers]
        self.moves = [0] * len(self.changers)
        self._since = [np.nan] * len(self.changers)
        self._side = [_ANY] * len(self.changers)
        rows = {int(b): k for k, b in enumerate(net.bus.index)}
        self._column = [rows[c.bus] for c in self.changers]
        self._raise = [_raises(net, c) for c in self.changers]

    def changes(self, count: int) -> Any:
        """The positions as they stand, for `count` steps; None where all are as in the net."""
        positions = {("trafo", c.index): np.full(count, p) for c, p in zip(self.changers, self.position, strict=True)}
        if all(p == self.table.base[d] for d, p in zip(positions, self.position, strict=True)):
            return None
        return self.table.changes(positions)

    def first_move(self, t_s: Floats, vm: Floats) -> int:
        """The step after which a tap moves, len(t_s) if none; the state is brought up to that step, the tap moved.

        A step without a solution moves nothing, and the time a voltage was off begins anew after it.
        """
        off = [self._off(k, vm) for k in range(len(self.changers))]
        due = [self._due(k, t_s, off[k]) for k in range(len(self.changers))]
        at = min(due)
        upto = min(at + 1, len(t_s))
        for k in range(len(self.changers)):
            self._advance(k, t_s[:upto], off[k][:upto])
            if at < len(t_s) and due[k] == at:
                self._move(k, off[k][at])
                self._since[k], self._side[k] = float(t_s[at]), _ANY
        return at

    def _off(self, k: int, vm: Floats) -> Any:
        """int[n]: +1 where the voltage must rise, -1 where it must fall and the tap has not reached its end."""
        c, v = self.changers[k], vm[:, self._column[k]]
        want = np.where(v < c.vm_pu - c.deadband_pu, 1, 0) - np.where(v > c.vm_pu + c.deadband_pu, 1, 0)
        d = ("trafo", c.index)
        step = want * self._raise[k]
        blocked = ((step > 0) & (self.position[k] >= self.table.highest[d])) | (
            (step < 0) & (self.position[k] <= self.table.lowest[d])
        )
        return np.where(blocked, 0, want)

    def _due(self, k: int, t_s: Floats, off: Any) -> int:
        """First step at which the voltage has been off on one side for the delay."""
        start = self._starts(k, t_s, off)
        due = np.flatnonzero((off != 0) & (t_s - start >= self.changers[k].delay_s - 1e-9))
        return int(due[0]) if len(due) else len(t_s)

    def _starts(self, k: int, t_s: Floats, off: Any) -> Floats:
        """Since when the voltage is off on the side of each step. [s]"""
        begins = np.concatenate([[True], off[1:] != off[:-1]])
        start = t_s[np.maximum.accumulate(np.where(begins, np.arange(len(off)), 0))].copy()
        if not np.isnan(self._since[k]) and self._side[k] in (_ANY, off[0]):
            end = int(np.flatnonzero(begins)[1]) if begins.sum() > 1 else len(off)
            start[:end] = self._since[k]
        return start

    def _advance(self, k: int, t_s: Floats, off: Any) -> None:
        if len(t_s):
            self._since[k] = float(self._starts(k, t_s, off)[-1]) if off[-1] != 0 else np.nan
            self._side[k] = int(off[-1])

    def _move(self, k: int, want: int) -> None:
        self.position[k] += int(want) * self._raise[k]
        self.moves[k] += 1


def _raises(net: Any, changer: Changer) -> int:
    """+1 where a higher tap position raises the voltage held, -1 where it lowers it."""
    row = net.trafo.loc[changer.index]
    at_hv = str(row["tap_side"]) == "hv"
    holds_lv = int(row["lv_bus"]) == changer.bus
    return (1 if float(row["tap_step_percent"]) > 0.0 else -1) * (-1 if at_hv == holds_lv else 1)


def tap_changers(flow: BatchFlow, deadband_pu: float, delay_s: float, vm_pu: float | None = None) -> Changers:
    """Every transformer with a tap range, holding its low-voltage bus; vm_pu None: at its voltage in the base case.

    Buses whose voltage a unit holds are left out. Raises CaseError where no transformer has taps, and for a dead band
    narrower than half a step, with which a tap would hunt.
    """
    net = flow.net
    held = {int(b) for t in ("gen", "ext_grid") for b in net[t].loc[net[t]["in_service"], "bus"]}
    out = []
    for index, row in net.trafo.iterrows():
        usable = (
            row["in_service"] and row["tap_min"] < row["tap_max"] and abs(float(row["tap_step_percent"] or 0.0)) > 0
        )
        bus = int(row["lv_bus"])
        if not usable or bus in held or bus not in flow.matrices.node_of_bus:
            continue
        least = 0.5 * abs(float(row["tap_step_percent"])) / 100.0
        if deadband_pu < least:
            raise CaseError(f"trafo {row['name']}: dead band {deadband_pu:g} pu is narrower than half a step, "
                            f"{least:g} pu: the tap would hunt; give more")  # fmt: skip
        aim = float(net.res_bus.at[bus, "vm_pu"]) if vm_pu is None else vm_pu
        out.append(Changer(int(index), bus, aim, deadband_pu, delay_s))
    if not out:
        raise CaseError("no transformer has taps that could hold a voltage: tap_min, tap_max and tap_step_percent of "
                        "net.trafo are needed, and a low-voltage bus that no unit holds")  # fmt: skip
    return Changers(flow, tuple(out))


def blocks(
    flow: BatchFlow, t_s: Floats, vary: Source, *, chunk: int = CHUNK, threads: int = 2, taps: Changers | None = None
) -> Iterator[Block]:
    """The power flows at t_s, float[n], in blocks; vary(k0, k1) gives what varies from step k0 up to k1."""
    k0, size = 0, chunk
    while k0 < len(t_s):
        k1 = min(k0 + size, len(t_s))
        changes = None if taps is None else taps.changes(k1 - k0)
        varying = vary(k0, k1)
        result = flow.solve(
            varying, scenarios=k1 - k0, warm=True, threads=threads if k1 - k0 > 512 else 1, changes=changes
        )
        block = _block(flow, k0, result, [] if taps is None else taps.position)
        if taps is None:
            yield block
            k0 = k1
            continue
        at = taps.first_move(t_s[k0:k1], block.vm_pu)
        done = min(at + 1, k1 - k0)
        yield _part(block, done)
        size = min(chunk, 2 * size) if done == k1 - k0 else max(LEAST, min(chunk, 2 * done))
        k0 += done


def _block(flow: BatchFlow, k0: int, result: BatchResult, position: Sequence[int]) -> Block:
    solved = result.solved
    percent = [result.loading_percent(t) for t in LOADED if len(flow.net[t])]
    joined = np.concatenate(percent, axis=1) if percent else np.zeros((len(solved), 0))
    reasons = {k0 + int(s): result.reason(int(s)) for s in np.flatnonzero(~solved)}
    slack = np.where(solved, result.slack_mva().real.sum(axis=1), np.nan)
    taps = np.tile(np.array(position, dtype=np.int64), (len(solved), 1))
    return Block(k0, solved, reasons, result.reached, result.vm_pu, joined, result.losses_mw(), slack, taps)


def _part(block: Block, count: int) -> Block:
    """The first steps of a block."""
    if count == len(block.solved):
        return block
    reasons = {k: text for k, text in block.reasons.items() if k < block.k0 + count}
    return Block(
        block.k0, block.solved[:count], reasons, block.reached[:count], block.vm_pu[:count], block.percent[:count],
        block.losses_mw[:count], block.slack_mw[:count], block.taps[:count],
    )  # fmt: skip
