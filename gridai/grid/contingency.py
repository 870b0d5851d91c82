"""N-1 and N-1-1: what happens to voltages and loadings when branches or units go out, in one compiled batch.

An outage that cuts buses off is not left out: the buses, and the load and generation lost with them, are counted, and
the rest of the network is solved. Nothing is redispatched: what is lost falls on the slack, as in pandapower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.batch.changes import Changes
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.batch.result import BatchResult
from gridai.grid.batch.vary import Vary
from gridai.grid.contingency_outages import (
    BRANCHES,
    INJECTIONS,
    Outage,
    double_outages,
    live_elements,
    single_outages,
)
from gridai.grid.convert import sums_of_phases
from gridai.grid.cuts import Cuts

__all__ = [
    "BRANCHES", "INJECTIONS", "Contingencies", "ContingencyResult", "Outage", "Prepared", "double_outages",
    "single_outages",
]  # fmt: skip

_SIGN = {"gen": 1.0, "sgen": 1.0, "load": -1.0, "storage": -1.0}


@dataclass(frozen=True, eq=False)
class Prepared:
    """Outages ready for the batch: the changes, and for each outage the pandapower buses that lose supply."""

    outages: tuple[Outage, ...]
    changes: Changes
    dead_buses: tuple[tuple[int, ...], ...]

    def repeat(self, times: int) -> Prepared:
        """The same outages several times over, for as many states before them: all outages of the first, then ..."""
        return Prepared(self.outages * times, self.changes.repeat(times), self.dead_buses * times)


class Contingencies:
    """The contingency engine of one network.

    flow  the network; its base case is the state before the outage unless `varying` says otherwise.
    """

    def __init__(self, flow: BatchFlow) -> None:
        self.flow = flow
        m, b = flow.matrices, flow.matrices.branches
        self._on = np.flatnonzero(b.in_service)
        self._edge_of = {int(row): k for k, row in enumerate(self._on)}
        self._cuts = Cuts(len(m.v), b.from_node[self._on], b.to_node[self._on], np.flatnonzero(m.reference))
        self._rows: dict[tuple[str, int], list[int]] = {}
        for row in self._on.tolist():
            self._rows.setdefault((b.kind[row], int(b.element[row])), []).append(row)
        self._live: dict[str, set[int]] = {}
        self._holders: dict[int, list[tuple[str, int]]] = {}
        for table in ("gen", "ext_grid"):
            rows = flow.net[table]
            for index, bus, on in zip(rows.index, rows["bus"], rows["in_service"], strict=True):
                if on and int(bus) in m.node_of_bus:
                    self._holders.setdefault(m.node_of_bus[int(bus)], []).append((table, int(index)))
        self._buses_of: dict[int, list[int]] = {}
        for bus, node in m.node_of_bus.items():
            self._buses_of.setdefault(node, []).append(bus)

    def prepare(self, outages: Iterable[Outage]) -> Prepared:
        """Find what each outage cuts off and set up its changes. Raises CaseError for branches not in service."""
        listed = tuple(outages)
        b = self.flow.matrices.branches
        rows: list[int] = []
        sides: list[int] = []  # 0: both ends see the outage, 1: the from end alone, 2: the to end alone
        ptr, dead_ptr = [0], [0]
        lost_ptr, free_ptr = [0], [0]
        lost: list[tuple[int, complex]] = []
        freed: list[int] = []
        dead_all: list[Any] = []
        dead_buses = []
        for outage in listed:
            mine = self._rows_of(outage)
            self._lose(outage, lost, freed)
            lost_ptr.append(len(lost))
            free_ptr.append(len(freed))
            dead = self._cuts.dead([self._edge_of[r] for r in mine])
            gone = set(dead.tolist())
            for row in mine:
                f_dead, t_dead = int(b.from_node[row]) in gone, int(b.to_node[row]) in gone
                if f_dead and t_dead:
                    continue
                rows.append(row)
                sides.append(2 if f_dead else 1 if t_dead else 0)
            ptr.append(len(rows))
            dead_ptr.append(dead_ptr[-1] + len(dead))
            dead_all.append(dead)
            dead_buses.append(tuple(sorted(bus for k in dead.tolist() for bus in self._buses_of.get(k, ()))))
        changes = self._changes(rows, sides, ptr, dead_ptr, dead_all)
        whole = np.int64
        changes = replace(
            changes, lost_ptr=np.array(lost_ptr, dtype=whole), lost_node=np.array([n for n, _ in lost], dtype=whole),
            lost_mva=np.array([s for _, s in lost], dtype=complex), free_ptr=np.array(free_ptr, dtype=whole),
            free_node=np.array(freed, dtype=whole),
        )  # fmt: skip
        return Prepared(listed, changes, tuple(dead_buses))

    def _lose(self, outage: Outage, lost: list[tuple[int, complex]], freed: list[int]) -> None:
        """Note the injections that go with an outage, and the nodes that no unit holds any more."""
        out, start = set(outage.elements), len(freed)
        for table, index in dict.fromkeys(outage.elements):
            if table not in INJECTIONS:
                continue
            if index not in self._live_in(table):
                raise CaseError(
                    near(f"{table} {index}", [f"{table} {i}" for i in self._live_in(table)], "live element")
                )
            row = self.flow.net[table].loc[index]
            node = self.flow.matrices.node_of_bus[int(row["bus"])]
            scale = _SIGN[table] * float(row.get("scaling", 1.0))
            q = 0.0 if table == "gen" else float(row["q_mvar"])
            lost.append((node, -scale * complex(float(row["p_mw"]), q)))
            if table != "gen":
                continue
            beside = [u for u in self._holders.get(node, ()) if u not in out]
            if beside and self.flow.enforce_q_lims:
                raise CaseError(f"outage of gen {index}: units beside it at its bus keep their own reactive limits, "
                                "which the batch adds up; use enforce_q_lims=False for it")  # fmt: skip
            if not beside and node not in freed[start:]:
                freed.append(node)

    def _live_in(self, table: str) -> set[int]:
        if table not in self._live:
            self._live[table] = set(live_elements(self.flow, table))
        return self._live[table]

    def _rows_of(self, outage: Outage) -> list[int]:
        out: list[int] = []
        for element in outage.elements:
            if element[0] in INJECTIONS:
                continue
            if element not in self._rows:
                known = [f"{t} {i}" for t, i in self._rows]
                raise CaseError(f"{near(f'{element[0]} {element[1]}', known, 'branch in service')}")
            out += self._rows[element]
        return list(dict.fromkeys(out))

    def _changes(self, rows: list[int], sides: list[int], ptr: Any, dead_ptr: Any, dead: list[Any]) -> Changes:
        """The live end loses the branch; a dead end keeps it, fed without acting back, so that it has a solution."""
        b, at, side = self.flow.matrices.branches, np.array(rows, dtype=np.int64), np.array(sides, dtype=np.int64)
        y = -b.y[at]
        y[side == 1, 4:] = 0.0
        y[side == 2, :4] = 0.0
        whole = np.int64
        return Changes(
            np.array(ptr, dtype=whole), b.from_node[at], b.to_node[at], y, at, np.array(dead_ptr, dtype=whole),
            np.concatenate([np.zeros(0, dtype=whole), *dead]),
        )  # fmt: skip

    def run(
        self,
        outages: Iterable[Outage] | Prepared | None = None,
        *,
        varying: Sequence[Vary] = (),
        loading: bool = True,
        threads: int = 1,
    ) -> ContingencyResult:
        """Solve the network after each outage (default: every N-1 of lines, transformers and impedances).

        varying  a state before the outage for each outage, as in BatchFlow.solve: one row an outage.
        """
        if outages is None:
            outages = single_outages(self.flow)
        ready = outages if isinstance(outages, Prepared) else self.prepare(outages)
        if not ready.outages:
            raise CaseError("there is no outage to study: no branch of these tables is in service")
        result = self.flow.solve(varying, changes=ready.changes, loading=loading, threads=threads)
        return ContingencyResult(self.flow, ready, result)


@dataclass(frozen=True, eq=False)
class ContingencyResult:
    """One row an outage. `result` has voltages and loadings; NaN at buses without supply and where none is solved."""

    flow: BatchFlow
    prepared: Prepared
    result: BatchResult

    @property
    def outages(self) -> tuple[Outage, ...]:
        """The outages, in order."""
        return self.prepared.outages

    @property
    def splits(self) -> Any:
        """bool[S], True where buses lose their supply."""
        return np.array([len(d) > 0 for d in self.prepared.dead_buses])

    def lost_mw(self, table: str = "load") -> Any:
        """float[S] of "load", "gen" or "sgen" (by phase too) at buses without supply, as the net schedules it. [MW]"""
        rows, power = self.flow.net[table], {}
        if len(rows):
            scaling = rows["scaling"] if "scaling" in rows.columns else 1.0
            power = (rows["p_mw"] * scaling * rows["in_service"]).groupby(rows["bus"]).sum().to_dict()
        by_phase = self.flow.net.get(f"asymmetric_{table}", ())
        if len(by_phase):
            for bus, p_mw, on in zip(by_phase["bus"], sums_of_phases(by_phase)[0], by_phase["in_service"], strict=True):
                power[bus] = power.get(bus, 0.0) + p_mw * on
        return np.array([sum(power.get(bus, 0.0) for bus in d) for d in self.prepared.dead_buses])

    def worst_loading(self) -> tuple[Any, list[str]]:
        """float[S] highest loading after each outage, and the element that has it. [%]"""
        best = np.full(len(self.outages), -np.inf)
        name = [""] * len(self.outages)
        for table in ("line", "trafo", "trafo3w"):
            index = self.flow.net[table].index
            if not len(index):
                continue
            loading = self.result.loading_percent(table)
            finite = np.where(np.isfinite(loading), loading, -np.inf)
            at = finite.argmax(axis=1)
            top = finite[np.arange(len(at)), at]
            for s in np.flatnonzero(top > best):
                name[s] = f"{table} {index[at[s]]}"
            best = np.maximum(best, top)
        return np.where(np.isfinite(best), best, np.nan), name

    def lowest_voltage(self) -> tuple[Any, list[Any]]:
        """float[S] lowest voltage after each outage, and the pandapower index of its bus. [pu]"""
        vm = self.result.vm_pu
        filled = np.where(np.isfinite(vm), vm, np.inf)
        at = filled.argmin(axis=1)
        low = filled[np.arange(len(at)), at]
        return np.where(np.isfinite(low), low, np.nan), [self.flow.net.bus.index[k] for k in at]

    def table(self) -> Any:
        """A DataFrame with a row an outage: what is lost, the worst loading and voltage, and why where unsolved."""
        import pandas as pd

        loading, element = self.worst_loading()
        low, bus = self.lowest_voltage()
        solved = self.result.solved
        return pd.DataFrame({
            "outage": [str(o) for o in self.outages],
            "solved": solved,
            "buses_lost": [len(d) for d in self.prepared.dead_buses],
            "load_lost_mw": self.lost_mw("load"),
            "gen_lost_mw": self.lost_mw("gen") + self.lost_mw("sgen"),
            "max_loading_percent": loading,
            "at": [e if on else "" for e, on in zip(element, solved, strict=True)],
            "min_vm_pu": low,
            "at_bus": [b if on else None for b, on in zip(bus, solved, strict=True)],
            "reason": [self.result.reason(s) for s in range(len(self.outages))],
        })  # fmt: skip

    def summary(self) -> str:
        """Counts in words: solved, splitting the network, without solution."""
        solved, splits = self.result.solved, self.splits
        lost = float(self.lost_mw("load").sum())
        text = f"{len(self.outages)} outages: {int((solved & ~splits).sum())} solved with all buses supplied"
        text += f", {int((solved & splits).sum())} solved with buses cut off ({lost:.1f} MW of load lost in all)"
        return text + f", {int((~solved).sum())} without a solution"
