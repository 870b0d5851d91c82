"""Tap positions of transformers and steps of shunts, scenario by scenario, from pandapower's own conversion."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.batch.changes import Changes
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.batch.matrices import branch_table

Device = tuple[str, int]


class TapTable:
    """Admittances of transformers at every tap position, and of shunts at every step.

    flow     the network; its own positions are the base.
    devices  ("trafo", index), ("trafo3w", index) or ("shunt", index), in service and energised. Transformers need
             tap_min and tap_max.

    Every position is converted by pandapower itself (a few hundredths of a second each, once), so that tap changers of
    every kind, phase shifters and dependency tables come out as in runpp.

    Raises CaseError for unknown devices, devices out of service, and shunts with a step table.
    """

    def __init__(self, flow: BatchFlow, devices: Sequence[Device]) -> None:
        self.flow, self.devices = flow, tuple(devices)
        for table, index in self.devices:
            _check(flow.net, table, index)
        self.lowest = {d: self._range(d)[0] for d in self.devices}
        self.highest = {d: self._range(d)[1] for d in self.devices}
        self.base = {(t, i): int(flow.net[t].at[i, _POSITION[t]]) for t, i in self.devices}
        b = flow.matrices.branches
        rows = list(zip(b.kind, b.element.tolist(), strict=True))
        self._rows = {d: [k for k, row in enumerate(rows) if row == d] for d in self.devices}
        self._delta = self._convert()

    def _range(self, device: Device) -> tuple[int, int]:
        table, index = device
        row = self.flow.net[table].loc[index]
        if table == "shunt":
            return 0, int(row.get("max_step", 1))
        return int(row["tap_min"]), int(row["tap_max"])

    def _convert(self) -> dict[tuple[Device, int], Any]:
        """(device, position) to what is added to the admittances of its branches, float64[branches, 8]."""
        out: dict[tuple[Device, int], Any] = {}
        movable = [d for d in self.devices if d[0] != "shunt"]
        net, size = _own_tables(self.flow.net), len(self.flow.matrices.v)
        now = self.flow.matrices.branches.y
        lowest = min((self.lowest[d] for d in movable), default=0)
        highest = max((self.highest[d] for d in movable), default=-1)
        for position in range(lowest, highest + 1):
            for table, index in movable:
                limited = min(max(position, self.lowest[table, index]), self.highest[table, index])
                net[table].loc[index, "tap_pos"] = limited
            y = _converted(net, size).y
            for d in movable:
                if self.lowest[d] <= position <= self.highest[d]:
                    out[d, position] = y[self._rows[d]] - now[self._rows[d]]
        for d in self.devices:
            if d[0] == "shunt":
                for step in range(self.lowest[d], self.highest[d] + 1):
                    out[d, step] = self._shunt(d[1], step - self.base[d])
        return out

    def _shunt(self, index: int, steps: int) -> Any:
        row, m = self.flow.net.shunt.loc[index], self.flow.matrices
        ratio = (m.node_kv[m.node_of_bus[int(row["bus"])]] / float(row["vn_kv"])) ** 2
        y = steps * ratio * complex(float(row["p_mw"]), -float(row["q_mvar"])) / m.s_base_mva
        return np.array([[y.real, y.imag, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])

    def changes(self, positions: Mapping[Device, Any]) -> Changes:
        """The changes for BatchFlow.solve. `positions`: device to int[S], or one int for all scenarios.

        Raises CaseError for positions outside a device's range and for devices that are not in the table.
        """
        for d in positions:
            if d not in self.lowest:
                raise CaseError(near(f"{d[0]} {d[1]}", [f"{t} {i}" for t, i in self.devices], "device of the table"))
        arrays = {d: np.atleast_1d(np.asarray(p)).astype(np.int64) for d, p in positions.items()}
        count = max((len(a) for a in arrays.values()), default=1)
        arrays = {d: np.broadcast_to(a, (count,)) for d, a in arrays.items()}
        for d, a in arrays.items():
            if a.min() < self.lowest[d] or a.max() > self.highest[d]:
                raise CaseError(
                    f"{d[0]} {d[1]}: position {a.min()} to {a.max()} is outside {self.lowest[d]} to {self.highest[d]}"
                )
        return self._lists(arrays, count)

    def _lists(self, arrays: dict[Device, Any], count: int) -> Changes:
        b = self.flow.matrices.branches
        scenario, one, two, y, branch = [], [], [], [], []
        for d, a in arrays.items():
            moved = np.flatnonzero(a != self.base[d])
            stack = np.array([self._delta[d, k] for k in range(self.lowest[d], self.highest[d] + 1)])
            for part in range(stack.shape[1]):
                row = -1 if d[0] == "shunt" else self._rows[d][part]
                ends = (self._node(d[1]),) * 2 if row < 0 else (int(b.from_node[row]), int(b.to_node[row]))
                scenario.append(moved)
                one.append(np.full(len(moved), ends[0], dtype=np.int64))
                two.append(np.full(len(moved), ends[1], dtype=np.int64))
                y.append(stack[a[moved] - self.lowest[d], part])
                branch.append(np.full(len(moved), row, dtype=np.int64))
        every = np.concatenate(scenario) if scenario else np.zeros(0, dtype=np.int64)
        order = np.argsort(every, kind="stable")
        ptr = np.zeros(count + 1, dtype=np.int64)
        ptr[1:] = np.cumsum(np.bincount(every, minlength=count))
        lists = [np.concatenate(x)[order] if x else np.zeros(0, dtype=np.int64) for x in (one, two, branch)]
        values = np.concatenate(y)[order] if y else np.zeros((0, 8))
        nought = np.zeros(count + 1, dtype=np.int64)
        return Changes(ptr, lists[0], lists[1], values, lists[2], nought, np.zeros(0, dtype=np.int64), low_rank=False)

    def _node(self, index: int) -> int:
        return self.flow.matrices.node_of_bus[int(self.flow.net.shunt.at[index, "bus"])]


_POSITION = {"trafo": "tap_pos", "trafo3w": "tap_pos", "shunt": "step"}


def _check(net: Any, table: str, index: int) -> None:
    if table not in _POSITION:
        raise CaseError(near(table, _POSITION, "table with taps or steps"))
    if index not in net[table].index:
        raise CaseError(near(index, net[table].index, table))
    row = net[table].loc[index]
    if not bool(row["in_service"]):
        raise CaseError(f"{table} {index} is out of service: it has no position to vary")
    if table == "shunt":
        if bool(row.get("step_dependency_table", False)):
            raise CaseError(f"shunt {index} has a step table: vary it as outages and returns of single shunts instead")
    elif any(not np.isfinite(float(row[c])) for c in ("tap_min", "tap_max", "tap_pos")):
        raise CaseError(f"{table} {index}: state tap_min, tap_max and tap_pos to vary its tap")


def _own_tables(net: Any) -> Any:
    work = copy.copy(net)
    for table in ("trafo", "trafo3w"):
        work[table] = net[table].copy()
    return work


def _converted(net: Any, size: int) -> Any:
    """pandapower's conversion of a net that has been solved before, without solving it again."""
    from pandapower.pd2ppc import _pd2ppc

    net._pd2ppc_lookups = {k: np.array([], dtype=np.int64) for k in net._pd2ppc_lookups}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # older tables of a user's net, which still work
        net["_ppc"], _ = _pd2ppc(net)
    return branch_table(net, size)
