"""What groups of a cluster did in a run: departures and returns, load by state, read off their recorded modes.

A group (channel kind "ups", element "dc1/ups07") records its `mode` and the `cause` of its last departure. The engine
keeps the row before and the row after every change, so the times here are those of the events themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridai.results.result import Result

FloatArray = NDArray[np.float64]
MODES = ("normal", "on battery", "on generator", "off", "walking in", "online", "latched", "bypass")
"""Names of the modes by number; latched: on battery until somebody returns it; bypass: on the grid past its UPS."""
AWAY = (1, 2, 3, 6)
"""Modes in which a group takes no power from the grid."""
CAUSES = (
    "", "undervoltage", "overvoltage", "frequency", "rate of change of frequency", "phase jump",
    "counting of disturbances", "battery empty", "forced",
)  # fmt: skip
"""Causes of a departure by number."""


@dataclass(frozen=True)
class Change:
    """A group that changes its mode: when, from what to what, why (cause of its last departure), with what power.

    p_mw  demand of the group then.
    """

    t_s: float
    group: str
    cluster: str
    before: str
    after: str
    cause: str
    p_mw: float

    @property
    def leaves(self) -> bool:
        """True when the group goes from the grid to something else."""
        away = {MODES[k] for k in AWAY}
        return self.before not in away and self.after in away

    @property
    def returns(self) -> bool:
        """True when the group begins to take power again."""
        away = {MODES[k] for k in AWAY}
        return self.before in away and self.after not in away


def groups_of(result: Result) -> tuple[str, ...]:
    """Names of the groups that the result holds; none for clusters without ride-through settings."""
    return result.names("ups", "mode") if "mode" in result.quantities("ups") else ()


def cluster_of(group: str) -> str:
    """The cluster that a group belongs to: what stands before the last slash."""
    return group.rpartition("/")[0]


def changes(result: Result) -> list[Change]:
    """Every change of mode, in order of time."""
    names = groups_of(result)
    if not names:
        return []
    mode, cause = result.values("ups", "mode"), result.values("ups", "cause")
    demand = result.values("ups", "p_demand_mw")
    rows, columns = np.nonzero(np.diff(mode, axis=0))
    return [
        Change(
            float(result.t_s[r + 1]),
            names[k],
            cluster_of(names[k]),
            MODES[round(mode[r, k])],
            MODES[round(mode[r + 1, k])],
            CAUSES[round(cause[r + 1, k])],
            float(demand[r + 1, k]),
        )
        for r, k in zip(rows, columns, strict=True)
    ]


def load_by_state(result: Result) -> dict[str, FloatArray]:
    """Demand of the groups in each mode against time [MW], modes that never occur left out."""
    mode, demand = result.values("ups", "mode").round(), result.values("ups", "p_demand_mw")
    found = {name: np.where(mode == k, demand, 0.0).sum(axis=1) for k, name in enumerate(MODES)}
    return {name: p for name, p in found.items() if p.any()}


def away_mw(result: Result) -> FloatArray:
    """Demand of all groups that take no power from the grid, against time. [MW] 0 without groups."""
    if not groups_of(result):
        return np.zeros(len(result.t_s))
    mode, demand = result.values("ups", "mode").round(), result.values("ups", "p_demand_mw")
    total: FloatArray = np.where(np.isin(mode, AWAY), demand, 0.0).sum(axis=1)
    return total


def away_by_cause(result: Result, row: int = -1) -> dict[str, float]:
    """Demand that is away at one row of the result, by the cause of its departure. [MW] Empty without groups."""
    if not groups_of(result):
        return {}
    mode, cause = result.values("ups", "mode")[row].round(), result.values("ups", "cause")[row].round()
    demand = result.values("ups", "p_demand_mw")[row]
    gone = np.isin(mode, AWAY)
    found = {CAUSES[int(k)]: float(demand[gone & (cause == k)].sum()) for k in np.unique(cause[gone])}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
