"""A network with one reinforcement, and the sizes that buses take then under the limits that held before it.

second circuit      a line of the same data beside the first; one of the two goes out at a time
larger transformer  rating times a factor, the same impedance in per cent of it
capacitor           a fixed shunt
STATCOM, condenser  holds the voltage that the bus has without the load, within its reactive power
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Outage
from gridai.grid.headroom import loading_scales
from gridai.grid.sizing import Bounds, Sizing

ENDLESS_MVAR = 1e6
"""Reactive power of units whose limits are not kept. [MVAr]"""


@dataclass(frozen=True)
class Change:
    """One reinforcement.

    kind     "second circuit", "larger transformer", "capacitor", "STATCOM", "condenser".
    element  (table, pandapower index): the line, the transformer or the bus.
    size     MVAr or MVA of a device; rating over the old one of a transformer; 1 for a circuit.
    """

    kind: str
    element: tuple[str, int]
    size: float


def reinforced(sizing: Sizing, change: Change, rating_mva: float | None = None) -> Sizing:
    """The sizing of the network with a change; states and limits are those of `sizing`.

    rating_mva  rating of branches that state none, as in `sizing`. [MVA]

    Raises PowerFlowError where the changed network has no solution.
    """
    flow, (_, index) = sizing.flow, change.element
    net = copy.deepcopy(flow.net)
    outages: Sequence[Outage] = sizing.outages
    bounds, limits = sizing.bounds, flow.enforce_q_lims
    if change.kind == "second circuit":
        twin = _second(net, index)
        outages, bounds = _beside(sizing, index, twin)
    elif change.kind == "larger transformer":
        net.trafo.at[index, "sn_mva"] *= change.size
        net.trafo.at[index, "i0_percent"] /= change.size
    elif change.kind == "capacitor":
        _row(net, "shunt", {"bus": index, "q_mvar": -change.size, "p_mw": 0.0, "step": 1, "max_step": 1,
                            "vn_kv": float(net.bus.at[index, "vn_kv"])})  # fmt: skip
    else:
        _holder(net, index, change, float(flow.net.res_bus.at[index, "vm_pu"]), limits)
        limits = True
    after = BatchFlow(net, enforce_q_lims=limits)
    scale, _ = loading_scales(after, rating_mva)
    return Sizing(
        after, replace(sizing.limits, scale=scale), outages=outages, q_per_p=sizing.q_per_p, share=sizing.share,
        threads=sizing.threads, bounds=bounds,
    )  # fmt: skip


def _row(net: Any, table: str, values: dict[str, Any]) -> int:
    from gridai.grid.redispatch import with_row

    net[table] = with_row(net[table], {"name": f"new {table}", **values})
    return int(net[table].index[-1])


def _second(net: Any, index: int) -> int:
    """Another row of the same data, with as many parallel circuits as the first stands for."""
    row = net.line.loc[index].to_dict()
    return _row(net, "line", {**row, "name": f"{row['name']} new"})


def _beside(sizing: Sizing, index: int, twin: int) -> tuple[Sequence[Outage], Bounds]:
    """Outages and limits with a twin of a line: out alone it is the line out; both out is the line out as it was."""
    b, outages = sizing.bounds, list(sizing.outages)
    column = list(sizing.flow.net.line.index).index(index)
    at = len(sizing.flow.net.line)
    most = np.insert(b.most, at, b.most[:, column], axis=1)
    low, high, judged = b.low, b.high, b.judged
    if int(sizing.order.max()) > 1:
        single = 1 + next(k for k, o in enumerate(outages) if o.elements == (("line", index),))
        outages.append(Outage((("line", index), ("line", twin))))
        low, high, most = (np.vstack([x, x[single]]) for x in (low, high, most))
        judged = np.append(judged, len(outages)) if single in judged else judged
    return outages, replace(b, low=low, high=high, most=most, judged=judged)


def _holder(net: Any, bus: int, change: Change, vm_pu: float, limits: bool) -> None:
    """A unit without active power. Where limits of other units are not kept, they get none that can be met."""
    if not limits:
        for table in ("gen", "ext_grid"):
            net[table]["min_q_mvar"], net[table]["max_q_mvar"] = -ENDLESS_MVAR, ENDLESS_MVAR
    least = -0.5 * change.size if change.kind == "condenser" else -change.size
    _row(net, "gen", {"bus": bus, "p_mw": 0.0, "vm_pu": vm_pu, "sn_mva": change.size, "min_q_mvar": least,
                      "max_q_mvar": change.size, "slack": False, "slack_weight": 0.0})  # fmt: skip
