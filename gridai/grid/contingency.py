"""N-1 and N-1-1: what happens to voltages and loadings when branches or units go out, in one compiled batch.

An outage that cuts buses off is not left out. An island that a unit of its own can hold lives on and is solved with
that unit as its reference (gridai.grid.islanding); of any other the buses, load and generation are counted as lost, and
the rest of the network is solved. What it loses falls on the slack, as in pandapower, or is shared by headroom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from gridai.errors import CaseError, near
from gridai.grid.batch.changes import Changes
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.batch.result import BatchResult
from gridai.grid.batch.vary import Vary
from gridai.grid.contingency_lists import BOTH, FROM_END, TO_END, UNLIMITED_MVAR, Lists
from gridai.grid.contingency_outages import (
    BRANCHES,
    INJECTIONS,
    Outage,
    double_outages,
    live_elements,
    pairs_of,
    power_at,
    single_outages,
)
from gridai.grid.cuts import Cuts
from gridai.grid.islanding import Island, Islands
from gridai.grid.powerflow import LAWS

__all__ = [
    "BRANCHES", "INJECTIONS", "Contingencies", "ContingencyResult", "Outage", "Prepared", "double_outages",
    "pairs_of", "power_at", "single_outages",
]  # fmt: skip

_SIGN = {"gen": 1.0, "sgen": 1.0, "load": -1.0, "storage": -1.0}


@dataclass(frozen=True, eq=False)
class Prepared:
    """Outages ready for the batch: the changes, and for each outage the pandapower buses that lose supply.

    islands  of each outage that parts buses from the slack, by its number: the islands, dead and living ones.
    """

    outages: tuple[Outage, ...]
    changes: Changes
    dead_buses: tuple[tuple[int, ...], ...]
    islands: dict[int, tuple[Island, ...]] = field(default_factory=dict)

    def repeat(self, times: int) -> Prepared:
        """The same outages several times over, for as many states before them: all outages of the first, then ..."""
        count = len(self.outages)
        islands = {k + n * count: x for n in range(times) for k, x in self.islands.items()}
        return Prepared(self.outages * times, self.changes.repeat(times), self.dead_buses * times, islands)


class Contingencies:
    """The contingency engine of one network.

    flow  the network; its base case is the state before the outage unless `varying` says otherwise.
    lost  who makes up for what the slack's part of the network loses in the base case: "slack", as in pandapower, or
          "headroom", all units by what they have left of max_p_mw (too much: by what they give), the slack the rest.
    """

    def __init__(self, flow: BatchFlow, lost: Literal["slack", "headroom"] = "slack") -> None:
        self.flow, self._by_headroom = flow, lost == "headroom"
        m, b = flow.matrices, flow.matrices.branches
        self._on = np.flatnonzero(b.in_service)
        self._edge_of = {int(row): k for k, row in enumerate(self._on)}
        self._cuts = Cuts(len(m.v), b.from_node[self._on], b.to_node[self._on], np.flatnonzero(m.reference))
        self._rows: dict[tuple[str, int], list[int]] = {}
        for row in self._on.tolist():
            self._rows.setdefault((b.kind[row], int(b.element[row])), []).append(row)
        self._islands: Islands | None = None
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

    def prepare(self, outages: Iterable[Outage], shared: bool = True) -> Prepared:
        """Find what each outage cuts off and set up its changes. Raises CaseError for branches not in service.

        shared  what a living island is short of in the base case is shared by headroom; False, for states that are not
                the base case: all of it falls on the island's reference. Which islands live, the base case says.
        """
        listed, lists = tuple(outages), Lists()
        dead_buses: list[tuple[int, ...]] = []
        islands: dict[int, tuple[Island, ...]] = {}
        for number, outage in enumerate(listed):
            rows = self._rows_of(outage)
            injected = self._lose(outage, lists)
            dead = self._cuts.dead([self._edge_of[r] for r in rows])
            apart = set(dead.tolist())
            if len(dead):
                islands[number] = self._judge(dead, rows, outage, injected)
                dead = self._hold(islands[number], lists, shared)
            if self._by_headroom and (len(apart) or injected or any(t == "gen" for t, _ in outage.elements)):
                for node, p_mw in self.islands.main_shares(apart, set(outage.elements), injected):
                    lists.lose(node, complex(p_mw), False)
            self._open(rows, set(dead.tolist()), lists)
            lists.close(dead)
            dead_buses.append(tuple(sorted(bus for k in dead.tolist() for bus in self._buses_of.get(k, ()))))
        return Prepared(listed, lists.changes(self.flow.matrices.branches), tuple(dead_buses), islands)

    @property
    def islands(self) -> Islands:
        """What judges the islands of this network."""
        if self._islands is None:
            b = self.flow.matrices.branches
            edges = list(zip(b.from_node[self._on].tolist(), b.to_node[self._on].tolist(), strict=True))
            self._islands = Islands(self.flow, edges, self._buses_of)
        return self._islands

    def _judge(self, dead: Any, rows: list[int], outage: Outage, injected: dict[int, float]) -> tuple[Island, ...]:
        """The islands of an outage; the slack's own part stands among them where it is dead."""
        edges = [self._edge_of[r] for r in rows]
        found = self.islands.judge(dead, edges, set(outage.elements), injected)
        left = self.islands.slack_side(dead) if any(x.lives for x in found) else None
        return tuple(found) if left is None else (*found, left)

    def _hold(self, found: tuple[Island, ...], lists: Lists, shared: bool) -> Any:
        """Hold the living islands, each by its reference; returns the nodes that are dead."""
        node_of = self.flow.matrices.node_of_bus
        for island in found:
            if not island.lives:
                continue
            for (table, index), p_mw in island.shares if shared else ():
                lists.lose(node_of[int(self.flow.net[table].at[index, "bus"])], complex(p_mw), False)
            lists.limit(island.node, -UNLIMITED_MVAR, UNLIMITED_MVAR)
            lists.tie(self.islands.tie(island))
        return np.array([k for x in found if not x.lives for k in x.nodes], dtype=np.int64)

    def _open(self, rows: list[int], gone: set[int], lists: Lists) -> None:
        """Take the branches out; between two dead ends they stay, for these to have a solution."""
        b = self.flow.matrices.branches
        for row in rows:
            f_dead, t_dead = int(b.from_node[row]) in gone, int(b.to_node[row]) in gone
            if not (f_dead and t_dead):
                lists.open(row, TO_END if f_dead else FROM_END if t_dead else BOTH)

    def _lose(self, outage: Outage, lists: Lists) -> dict[int, float]:
        """Note what goes with an outage; returns what is added to the nodes by loads and static units. [MW]"""
        out = set(outage.elements)
        injected: dict[int, float] = {}
        for table, index in dict.fromkeys(outage.elements):
            if table not in INJECTIONS:
                continue
            if index not in self._live_in(table):
                raise CaseError(
                    near(f"{table} {index}", [f"{table} {i}" for i in self._live_in(table)], "live element")
                )
            row = self.flow.net[table].loc[index]
            node = self.flow.matrices.node_of_bus[int(row["bus"])]
            power = -_SIGN[table] * float(row.get("scaling", 1.0)) * float(row["p_mw"])
            if table == "gen":
                lists.lose(node, complex(power), False)
                self._without_unit(node, row, out, lists)
                continue
            if table == "load":
                self._check_law(index, int(row["bus"]))
            q = -_SIGN[table] * float(row.get("scaling", 1.0)) * float(row["q_mvar"])
            lists.lose(node, complex(power, q), True)
            injected[node] = injected.get(node, 0.0) + power
        return injected

    def _without_unit(self, node: int, row: Any, out: set[tuple[str, int]], lists: Lists) -> None:
        """The voltage of a node is let go with its last unit; before, what is left has its own reactive range."""
        if not any(u not in out for u in self._holders.get(node, ())):
            lists.release(node)
        elif self.flow.enforce_q_lims:
            low, high = (float(row.get(c, np.nan)) for c in ("min_q_mvar", "max_q_mvar"))
            low, high = (s * UNLIMITED_MVAR if np.isnan(q) else q for s, q in ((-1.0, low), (1.0, high)))
            lists.limit(node, -low, -high)

    def _check_law(self, index: int, bus: int) -> None:
        """pandapower takes the mean of the laws at a bus, which a load that goes would move."""
        if not len(self.flow.matrices.law_node):
            return
        load = self.flow.net.load
        beside = load[(load["bus"] == bus) & load["in_service"].astype(bool)][list(LAWS)]
        if (beside != beside.iloc[0]).any(axis=None):
            raise CaseError(
                f"outage of load {index}: the loads at its bus follow the voltage by different laws, of which "
                "pandapower takes the mean: put them on buses of their own, joined by a switch"
            )

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
        """float[S] of "load", "gen", "ext_grid" or "sgen" (by phase too) at buses without supply. [MW]"""
        power = power_at(self.flow, table)
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
            "gen_lost_mw": self.lost_mw("gen") + self.lost_mw("ext_grid") + self.lost_mw("sgen"),
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
        lives = sum(any(x.lives for x in found) for found in self.prepared.islands.values())
        text = f"{len(self.outages)} outages: {int((solved & ~splits).sum())} solved with all buses supplied"
        text += f" ({lives} with islands that live on their own)" if lives else ""
        text += f", {int((solved & splits).sum())} solved with buses cut off ({lost:.1f} MW of load lost in all)"
        return text + f", {int((~solved).sum())} without a solution"
