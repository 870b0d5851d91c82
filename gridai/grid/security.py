"""Many outages judged in blocks of bounded memory: worst loading and voltages of each, what is cut off, what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Contingencies, ContingencyResult, Outage
from gridai.grid.islanding import Island
from gridai.grid.series import LOADED
from gridai.grid.sizing import EDGE_PU
from gridai.grid.slack_out import SlackOut, slack_units

Floats = NDArray[np.float64]
CHUNK = 4096
WORSE_PU, WORSE_PERCENT = 0.005, 1.0
"""How much further out a voltage or a loading may go that is outside its limit with everything in, as in hosting."""


@dataclass(frozen=True)
class Beyond:
    """One element beyond its limit after one outage: table and pandapower index, value and limit. [pu or %]"""

    outage: int
    element: tuple[str, int]
    value: float
    limit: float

    @property
    def excess(self) -> float:
        """How far beyond."""
        return abs(self.value - self.limit)


@dataclass(eq=False)
class Security:
    """What became of each outage, in order.

    solved, reason, reached   whether it has a certified solution, why not, and the part of the way that it has.
    lost_buses, lost_load_mw, lost_gen_mw   what an outage cuts off and no unit holds.
    islands   of outages that part buses from the slack: the islands, dead and living; reference_mw: what the reference
              of each living one gives, in their order. [MW]
    moved     of outages of a unit at the slack: who takes the reference, and what the units are short of. [MW]
    percent, vm_low, vm_high  worst of each outage, NaN where unsolved. [%, pu]
    overloads, voltages       all that is beyond a limit; what was so with everything in, where it gets worse.
    already, already_voltages what is outside its limit with everything in; the voltages of it.
    tightest  the loading ("%") and the voltage ("pu") with the least room to its limit, and that room.
    band, ceiling             the limits: float[buses] low and high, float[branches]. [pu, %]
    """

    outages: tuple[Outage, ...]
    solved: Any
    reasons: dict[int, str] = field(default_factory=dict)
    islands: dict[int, tuple[Island, ...]] = field(default_factory=dict)
    reference_mw: dict[int, tuple[float, ...]] = field(default_factory=dict)
    moved: dict[int, tuple[Any, float]] = field(default_factory=dict)
    reached: Floats = field(default_factory=lambda: np.zeros(0))
    lost_buses: Any = None
    lost_load_mw: Any = None
    lost_gen_mw: Any = None
    percent: Floats = field(default_factory=lambda: np.zeros(0))
    vm_low: Floats = field(default_factory=lambda: np.zeros(0))
    vm_high: Floats = field(default_factory=lambda: np.zeros(0))
    overloads: list[Beyond] = field(default_factory=list)
    voltages: list[Beyond] = field(default_factory=list)
    already: int = 0
    already_voltages: int = 0
    tightest: dict[str, tuple[float, Beyond]] = field(default_factory=dict)
    band: tuple[Floats, Floats] = (np.zeros(0), np.zeros(0))
    ceiling: Floats = field(default_factory=lambda: np.zeros(0))


def assess(
    flow: BatchFlow, outages: Sequence[Outage], low: Floats, high: Floats, most: float, *, scale: Floats | None = None,
    threads: int = 2, tick: Callable[[int], None] | None = None, lost: Literal["slack", "headroom"] = "slack",
) -> Security:  # fmt: skip
    """Solve and judge outages.

    low, high  float[buses] voltage band after an outage, as net.bus. [pu]
    most       loading allowed. [%]
    scale      factors on the loadings of line, trafo, trafo3w.
    lost       who makes up for lost generation and load, see Contingencies; of a unit at the slack always by headroom.
    """
    base = flow.solve(scenarios=1)
    vm0, percent0 = base.vm_pu[0], percents(flow, base, scale)[0]
    below, above, over = vm0 < low - EDGE_PU, vm0 > high + EDGE_PU, percent0 > most
    band = np.where(below, vm0 - WORSE_PU, low), np.where(above, vm0 + WORSE_PU, high)
    ceiling = np.where(over, percent0 + WORSE_PERCENT, most)
    out = Security(tuple(outages), np.zeros(len(outages), dtype=bool))
    out.already_voltages = int(below.sum() + above.sum())
    out.already = out.already_voltages + int(over.sum())
    out.band, out.ceiling = band, ceiling
    out.reached = np.zeros(len(outages))
    for name in ("lost_buses", "lost_load_mw", "lost_gen_mw", "percent", "vm_low", "vm_high"):
        setattr(out, name, np.full(len(outages), np.nan))
    buses = [int(i) for i in flow.net.bus.index]
    branches = [(t, int(i)) for t in LOADED for i in flow.net[t].index]
    for at, part in _solved(flow, outages, out, threads, lost):
        _block(out, at, part, band, ceiling, scale, buses, branches)
        if tick is not None:
            tick(len(part.outages))
    return out


def _solved(
    flow: BatchFlow, outages: Sequence[Outage], out: Security, threads: int, lost: Literal["slack", "headroom"]
) -> Iterator[tuple[Any, ContingencyResult]]:
    """Outages in blocks: their numbers, and what became of them."""
    slacks = set(slack_units(flow))
    of = [tuple(x for x in o.elements if x in slacks) for o in outages]
    plain, engine = np.array([k for k, x in enumerate(of) if not x], dtype=np.int64), Contingencies(flow, lost)
    for k in range(0, len(plain), CHUNK):
        at = plain[k : k + CHUNK]
        part = engine.run([outages[n] for n in at], threads=threads)
        for n, found in part.prepared.islands.items():
            out.islands[int(at[n])] = found
            out.reference_mw[int(at[n])] = tuple(
                engine.islands.given_mw(x, part.result.v_pu_at(n, x.node)) for x in found if x.lives
            )
        yield at, part
    for units in dict.fromkeys(x for x in of if x):
        yield from _without_slack(flow, outages, units, [k for k, x in enumerate(of) if x == units], out, threads)


def _without_slack(
    flow: BatchFlow, outages: Sequence[Outage], units: tuple[Any, ...], numbers: list[int], out: Security, threads: int
) -> Iterator[tuple[Any, ContingencyResult]]:
    """Outages of the same units at the slack; where the unit that takes the reference is out, too, another does."""
    usual = SlackOut(flow, units)
    too = [k for k in numbers if usual.reference in outages[k].elements]
    for own, avoid in (([k for k in numbers if k not in too], None), (too, usual.reference)):
        moved = usual if avoid is None or not own else SlackOut(flow, units, (avoid,))
        for k in range(0, len(own), CHUNK):
            at = np.array(own[k : k + CHUNK], dtype=np.int64)
            mine = [outages[n] for n in at]
            part = moved.run(mine, threads)
            short = moved.short_mw(mine)
            out.moved |= {int(n): (moved.reference, float(mw)) for n, mw in zip(at, short, strict=True)}
            out.islands |= {int(at[n]): found for n, found in part.prepared.islands.items()}
            yield at, part


def percents(flow: BatchFlow, result: Any, scale: Floats | None) -> Floats:
    """float[S, rows] loading of line, trafo and trafo3w side by side, times the factors. [%]"""
    parts = [result.loading_percent(t) for t in LOADED if len(flow.net[t])]
    joined = np.concatenate(parts, axis=1) if parts else np.zeros((len(result), 0))
    return joined if scale is None else joined * scale


def _block(out: Security, at: Any, part: Any, band: Any, ceiling: Floats, scale: Floats | None, buses: list[int],
           branches: list[tuple[str, int]]) -> None:  # fmt: skip
    result = part.result
    good = result.solved
    out.solved[at], out.reached[at] = good, result.reached
    out.reasons |= {int(at[s]): result.reason(int(s)) for s in np.flatnonzero(~good)}
    out.lost_buses[at] = [len(d) for d in part.prepared.dead_buses]
    out.lost_load_mw[at] = part.lost_mw("load")
    out.lost_gen_mw[at] = part.lost_mw("gen") + part.lost_mw("ext_grid") + part.lost_mw("sgen")
    vm, percent = result.vm_pu, percents(part.flow, result, scale)
    out.vm_low[at] = np.where(good, np.where(np.isnan(vm), np.inf, vm).min(axis=1), np.nan)
    out.vm_high[at] = np.where(good, np.where(np.isnan(vm), -np.inf, vm).max(axis=1), np.nan)
    if percent.shape[1]:
        out.percent[at] = np.where(good, np.where(np.isfinite(percent), percent, -np.inf).max(axis=1), np.nan)
        _tighten(out, "%", at, branches, percent, ceiling, ceiling - percent)
        for s, e in zip(*np.nonzero(percent > ceiling), strict=True):
            if np.isfinite(percent[s, e]):
                found = Beyond(int(at[s]), branches[int(e)], float(percent[s, e]), float(ceiling[e]))
                out.overloads.append(found)
    every = [("bus", i) for i in buses]
    for bound, beyond, sign in ((band[0], vm < band[0] - EDGE_PU, 1.0), (band[1], vm > band[1] + EDGE_PU, -1.0)):
        _tighten(out, "pu", at, every, vm, bound, sign * (vm - bound))
        for s, e in zip(*np.nonzero(beyond), strict=True):
            out.voltages.append(Beyond(int(at[s]), ("bus", buses[int(e)]), float(vm[s, e]), float(bound[e])))


def _tighten(
    out: Security, unit: str, at: Any, elements: list[tuple[str, int]], values: Floats, limits: Floats, room: Floats
) -> None:
    """Keep the value that has the least room to its limit."""
    room = np.where(np.isfinite(room), room, np.inf)
    if not room.size or not np.isfinite(room.min()):
        return
    s, e = (int(n) for n in np.unravel_index(int(room.argmin()), room.shape))
    if unit not in out.tightest or room[s, e] < out.tightest[unit][0]:
        found = Beyond(int(at[s]), elements[e], float(values[s, e]), float(limits[e]))
        out.tightest[unit] = float(room[s, e]), found
