"""Supply restored after an outage by closing one open line, transformer or switch to a part that is live.

For each such tie the network with the tie closed is converted once by pandapower itself, and all outages that it may
help are solved in it in one batch: exact, whatever the tie is.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.contingency import Contingencies, Outage
from gridai.grid.security import EDGE_PU, Security, percents
from gridai.grid.series import LOADED
from gridai.grid.ties import SWITCHED, Tie, open_ties

MOST_TIES = 100
"""Ties tried; each needs a conversion of the network."""


@dataclass(frozen=True)
class Restored:
    """What closing a tie after an outage brings.

    outage       its number; lost_mw: load that it cuts off. [MW]
    tie          None where no tie joins what is dead to what is live.
    restored_mw  load that is fed again. [MW]
    percent, branch  highest loading and what has it; vm_low, bus  lowest voltage and where.
    beyond       number of limits that are not kept; what is outside with everything in may get worse a little.
    tried        number of ties tried; why: why none is closed.
    """

    outage: int
    lost_mw: float
    tie: Tie | None
    restored_mw: float = 0.0
    percent: float = float("nan")
    branch: tuple[str, int] | None = None
    vm_low: float = float("nan")
    bus: int | None = None
    beyond: int = 0
    tried: int = 0
    why: str = ""


def closed(net: Any, tie: Tie) -> Any:
    """The net with the tie in service and its switches closed; other tables are the same objects."""
    table, index = tie.element
    work = copy.copy(net)
    work["switch"] = net.switch.copy()
    if table == "switch":
        work.switch.loc[index, "closed"] = True
        return work
    work[table] = net[table].copy()
    work[table].loc[index, "in_service"] = True
    kinds = [k for k, t in SWITCHED.items() if t == table]
    work.switch.loc[work.switch["et"].isin(kinds) & (work.switch["element"] == index), "closed"] = True
    return work


def restore(
    flow: BatchFlow,
    found: Security,
    most: int,
    *,
    scale: Any = None,
    threads: int = 2,
    lost: Literal["slack", "headroom"] = "slack",
) -> tuple[list[Restored], int]:
    """The best tie for each of the `most` outages that cut off most load, and the number of ties there are.

    A tie that keeps all limits comes before one that does not, then the one that restores more, then the one with the
    lower loading. Outages that cut no load off are left out; both lists are empty where the network has no open tie.
    """
    ties = open_ties(flow.net)
    if not ties or len(ties) > MOST_TIES:
        return [], len(ties)
    cut = np.nan_to_num(found.lost_load_mw)
    order = np.argsort(-cut, kind="stable")[:most]
    numbers = [int(k) for k in order if cut[k] > 0.0]
    best: dict[int, Restored] = {}
    candidates = {k: _candidates(flow, found, k, ties) for k in numbers}
    for tie in ties:
        mine = [k for k in numbers if tie in candidates[k]]
        if not mine:
            continue
        for trial in _try(flow, found, tie, mine, scale, threads, lost):
            if trial.outage not in best or _rank(trial) > _rank(best[trial.outage]):
                best[trial.outage] = trial
    out = []
    for k in numbers:
        words = "no tie joins it to what is live" if not candidates[k] else "no tie leaves a power flow"
        chosen = best[k] if k in best else Restored(k, float(cut[k]), None, why=words)
        out.append(replace(chosen, tried=len(candidates[k])))
    return out, len(ties)


def _rank(x: Restored) -> tuple[Any, ...]:
    return x.beyond == 0, round(x.restored_mw, 6), -x.beyond, -x.percent if np.isfinite(x.percent) else 0.0


def _candidates(flow: BatchFlow, found: Security, k: int, ties: Sequence[Tie]) -> set[Tie]:
    """Ties with one end in a dead island of the outage and the other where there is supply."""
    dead = {bus for island in found.islands.get(k, ()) if not island.lives for bus in island.buses}
    supplied = set(flow.matrices.node_of_bus) - dead
    out = set(found.outages[k].elements)
    return {
        t for t in ties if t.element not in out
        and ((t.one in dead and t.two in supplied) or (t.two in dead and t.one in supplied))
    }  # fmt: skip


def _try(
    flow: BatchFlow,
    found: Security,
    tie: Tie,
    numbers: Sequence[int],
    scale: Any,
    threads: int,
    lost: Literal["slack", "headroom"],
) -> list[Restored]:
    """The outages with the tie closed; those without a solution are left out."""
    try:
        joined = BatchFlow(closed(flow.net, tie), enforce_q_lims=flow.enforce_q_lims, tolerance_pu=flow.tolerance_pu)
    except PowerFlowError:  # the meshed network has no solution: the tie helps none
        return []
    part = Contingencies(joined, lost).run([Outage(found.outages[k].elements) for k in numbers], threads=threads)
    vm, percent = part.result.vm_pu, percents(joined, part.result, scale)
    left = part.lost_mw("load")
    low, high = found.band
    branches = [(t, int(i)) for t in LOADED for i in flow.net[t].index]
    buses = [int(i) for i in flow.net.bus.index]
    out = []
    for row, k in enumerate(numbers):
        cut = float(found.lost_load_mw[k])
        if not part.result.solved[row] or cut - left[row] <= 1e-9:
            continue
        loads = np.where(np.isfinite(percent[row]), percent[row], -np.inf)
        at_branch = int(loads.argmax()) if len(loads) else -1
        volts = np.where(np.isnan(vm[row]), np.inf, vm[row])
        with np.errstate(invalid="ignore"):
            outside = (vm[row] < low - EDGE_PU) | (vm[row] > high + EDGE_PU)
            beyond = int((loads > found.ceiling).sum() + outside.sum())
        out.append(Restored(
            k, cut, tie, cut - float(left[row]), float(loads[at_branch]) if len(loads) else float("nan"),
            branches[at_branch] if len(loads) else None, float(volts.min()), buses[int(volts.argmin())], beyond,
        ))  # fmt: skip
    return out
