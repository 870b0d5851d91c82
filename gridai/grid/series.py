"""Power flows along a time axis in blocks of bounded size, on the certified batch, with controllers where asked.

A block without controllers is one call of the batch. Taps and capacitors look at each step and act after a delay: the
block is solved with the positions as they stand up to the first move, then from there again. Storages are settled in
every step before they look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow, BatchResult, Vary
from gridai.grid.series_storage import Fleet, Stored
from gridai.grid.series_switch import Seen, Switching

Floats = NDArray[np.float64]
CHUNK = 16384
"""Steps in one block: 40 MB for 39 buses and 46 branches."""
LEAST = 64
LOADED = ("line", "trafo", "trafo3w")
Source = Callable[..., Sequence[Vary]]


@dataclass(frozen=True, eq=False)
class Block:
    """Steps k0 ... k0 + n - 1.

    solved    bool[n]; reason and reached of the others come from `reasons` and `reached`.
    vm_pu     float[n, buses], columns as net.bus; NaN where unsolved or without supply. [pu]
    percent   float[n, branches]: line, trafo, trafo3w side by side. [%]
    losses_mw, slack_mw   float[n]: lost in branches, given by the slack. [MW]
    positions  int[n, switches]: taps and capacitors.
    stored    what the storages did; None without.
    watched_mw  float[n]: the power that `watch` of `blocks` names; None without. [MW]
    """

    k0: int
    solved: Any
    reasons: dict[int, str]
    reached: Floats
    vm_pu: Floats
    percent: Floats
    losses_mw: Floats
    slack_mw: Floats
    positions: Any
    stored: Stored | None = None
    watched_mw: Floats | None = None


def hours_of(t_s: Floats) -> Floats:
    """Length of each step, float[n]: up to the next one; the last as the one before it, a single one an hour. [h]"""
    if len(t_s) < 2:
        return np.ones(len(t_s))
    steps = np.diff(t_s)
    return np.append(steps, steps[-1]) / 3600.0


def blocks(
    flow: BatchFlow, t_s: Floats, vary: Source, *, chunk: int = CHUNK, threads: int = 2,
    switches: Switching | None = None, fleet: Fleet | None = None, watch: tuple[str, int] | str = "",
) -> Iterator[Block]:  # fmt: skip
    """The power flows at t_s, float[n], in blocks.

    vary   vary(k0, k1) gives what varies from step k0 up to k1; with a fleet it is called with the powers of the
           storages too, float[n, storages].
    watch  "slack", or table and index of a branch: its power is kept in each block (at the first end).
    """
    hours = hours_of(t_s)
    k0, size = 0, chunk
    while k0 < len(t_s):
        k1 = min(k0 + size, len(t_s))
        changes = None if switches is None else switches.changes(k1 - k0)

        def solve(power: Floats | None, k0: int = k0, k1: int = k1, changes: Any = changes) -> BatchResult:
            varying = vary(k0, k1) if power is None else vary(k0, k1, power)
            many = threads if k1 - k0 > 512 else 1
            return flow.solve(varying, scenarios=k1 - k0, warm=True, threads=many, changes=changes)

        if fleet is None:
            result, stored = solve(None), None
        else:
            result, stored = fleet.settle(k0, t_s[k0:k1], hours[k0:k1], solve)
        block = _block(flow, k0, result, [] if switches is None else switches.position, stored, watch)
        done = k1 - k0
        if switches is not None:
            at = switches.first_move(t_s[k0:k1], Seen(flow, result, block.vm_pu))
            done = min(at + 1, k1 - k0)
            block = _part(block, done)
            size = min(chunk, 2 * size) if done == k1 - k0 else max(LEAST, min(chunk, 2 * done))
        if fleet is not None and block.stored is not None:
            fleet.keep(block.stored, hours[k0 : k0 + done])
        yield block
        k0 += done


def _block(
    flow: BatchFlow, k0: int, result: BatchResult, position: Sequence[int], stored: Stored | None,
    watch: tuple[str, int] | str,
) -> Block:  # fmt: skip
    solved = result.solved
    percent = [result.loading_percent(t) for t in LOADED if len(flow.net[t])]
    joined = np.concatenate(percent, axis=1) if percent else np.zeros((len(solved), 0))
    reasons = {k0 + int(s): result.reason(int(s)) for s in np.flatnonzero(~solved)}
    slack = np.where(solved, result.slack_mva().real.sum(axis=1), np.nan)
    positions = np.tile(np.array(position, dtype=np.int64), (len(solved), 1))
    vm = result.vm_pu
    seen = slack if watch == "slack" else None
    if isinstance(watch, tuple):
        seen = Seen(flow, result, vm).power(*watch)[0]
    return Block(k0, solved, reasons, result.reached, vm, joined, result.losses_mw(), slack, positions, stored, seen)


def _part(block: Block, count: int) -> Block:
    """The first steps of a block."""
    if count == len(block.solved):
        return block
    reasons = {k: text for k, text in block.reasons.items() if k < block.k0 + count}
    return Block(
        block.k0, block.solved[:count], reasons, block.reached[:count], block.vm_pu[:count], block.percent[:count],
        block.losses_mw[:count], block.slack_mw[:count], block.positions[:count],
        None if block.stored is None else block.stored.first(count),
        None if block.watched_mw is None else block.watched_mw[:count],
    )  # fmt: skip
