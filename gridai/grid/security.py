"""Many outages judged in blocks of bounded memory: worst loading and voltages of each, what is cut off, what fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Contingencies, Outage
from gridai.grid.series import LOADED
from gridai.grid.sizing import EDGE_PU

Floats = NDArray[np.float64]
CHUNK = 4096


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
    lost_buses, lost_load_mw, lost_gen_mw   what an outage cuts off.
    percent, vm_low, vm_high  worst of each outage, NaN where unsolved. [%, pu]
    overloads, voltages       all that is beyond a limit and was not with everything in.
    """

    outages: tuple[Outage, ...]
    solved: Any
    reasons: dict[int, str] = field(default_factory=dict)
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


def assess(
    flow: BatchFlow, outages: Sequence[Outage], low: Floats, high: Floats, most: float, *, scale: Floats | None = None,
    threads: int = 2, tick: Callable[[int], None] | None = None,
) -> Security:  # fmt: skip
    """Solve and judge outages.

    low, high  float[buses] voltage band after an outage, as net.bus. [pu]
    most       loading allowed. [%]
    scale      factors on the loadings of line, trafo, trafo3w.
    """
    engine = Contingencies(flow)
    base = flow.solve(scenarios=1)
    vm0, percent0 = base.vm_pu[0], _percent(flow, base, scale)[0]
    band = np.where(vm0 < low - EDGE_PU, -np.inf, low), np.where(vm0 > high + EDGE_PU, np.inf, high)
    ceiling = np.where(percent0 > most, np.inf, most)
    out = Security(tuple(outages), np.zeros(len(outages), dtype=bool))
    out.already = int((np.isinf(band[0]) & np.isfinite(low)).sum() + (np.isinf(band[1]) & np.isfinite(high)).sum()
                      + np.isinf(ceiling).sum())  # fmt: skip
    out.reached = np.zeros(len(outages))
    for name in ("lost_buses", "lost_load_mw", "lost_gen_mw", "percent", "vm_low", "vm_high"):
        setattr(out, name, np.full(len(outages), np.nan))
    buses = [int(i) for i in flow.net.bus.index]
    branches = [(t, int(i)) for t in LOADED for i in flow.net[t].index]
    for k in range(0, len(outages), CHUNK):
        part = engine.run(list(outages[k : k + CHUNK]), threads=threads)
        _block(out, k, part, band, ceiling, scale, buses, branches)
        if tick is not None:
            tick(len(part.outages))
    return out


def _percent(flow: BatchFlow, result: Any, scale: Floats | None) -> Floats:
    parts = [result.loading_percent(t) for t in LOADED if len(flow.net[t])]
    joined = np.concatenate(parts, axis=1) if parts else np.zeros((len(result), 0))
    return joined if scale is None else joined * scale


def _block(out: Security, k: int, part: Any, band: Any, ceiling: Floats, scale: Floats | None, buses: list[int],
           branches: list[tuple[str, int]]) -> None:  # fmt: skip
    result, at = part.result, slice(k, k + len(part.outages))
    good = result.solved
    out.solved[at], out.reached[at] = good, result.reached
    out.reasons |= {k + int(s): result.reason(int(s)) for s in np.flatnonzero(~good)}
    out.lost_buses[at] = [len(d) for d in part.prepared.dead_buses]
    out.lost_load_mw[at] = part.lost_mw("load")
    out.lost_gen_mw[at] = part.lost_mw("gen") + part.lost_mw("sgen")
    vm, percent = result.vm_pu, _percent(part.flow, result, scale)
    out.vm_low[at] = np.where(good, np.where(np.isnan(vm), np.inf, vm).min(axis=1), np.nan)
    out.vm_high[at] = np.where(good, np.where(np.isnan(vm), -np.inf, vm).max(axis=1), np.nan)
    if percent.shape[1]:
        out.percent[at] = np.where(good, np.where(np.isfinite(percent), percent, -np.inf).max(axis=1), np.nan)
        for s, e in zip(*np.nonzero(percent > ceiling), strict=True):
            if np.isfinite(percent[s, e]):
                found = Beyond(k + int(s), branches[int(e)], float(percent[s, e]), float(ceiling[e]))
                out.overloads.append(found)
    for bound, beyond in ((band[0], vm < band[0] - EDGE_PU), (band[1], vm > band[1] + EDGE_PU)):
        for s, e in zip(*np.nonzero(beyond), strict=True):
            out.voltages.append(Beyond(k + int(s), ("bus", buses[int(e)]), float(vm[s, e]), float(bound[e])))
