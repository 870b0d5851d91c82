"""What may go out: single outages and pairs of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gridai.errors import CaseError, near
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.convert import sums_of_phases

BRANCHES = ("line", "trafo", "trafo3w", "impedance")
INJECTIONS = ("gen", "sgen", "load", "storage")


@dataclass(frozen=True)
class Outage:
    """Elements that are out together, as (table, pandapower index); tables of BRANCHES and INJECTIONS."""

    elements: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, table: str, *index: int) -> Outage:
        """Elements of one table."""
        return cls(tuple((table, int(i)) for i in index))

    def __str__(self) -> str:
        return " + ".join(f"{table} {index}" for table, index in self.elements)


def single_outages(flow: BatchFlow, tables: Iterable[str] = BRANCHES) -> list[Outage]:
    """N-1: every element of the tables that is in service and energised; units at a slack are left out.

    tables  of BRANCHES (the default) and INJECTIONS.
    """
    wanted = tuple(tables)
    for table in wanted:
        if table not in BRANCHES + INJECTIONS:
            raise CaseError(near(table, BRANCHES + INJECTIONS, "table of outages"))
    b = flow.matrices.branches
    pairs = zip(b.kind, b.element.tolist(), b.in_service.tolist(), strict=True)
    found = dict.fromkeys((kind, element) for kind, element, on in pairs if on and kind in wanted)
    return [Outage((x,)) for x in found] + [
        Outage.of(t, i) for t in wanted if t in INJECTIONS for i in live_elements(flow, t)
    ]


def live_elements(flow: BatchFlow, table: str) -> list[int]:
    """Rows in service at an energised bus, without units at a slack."""
    rows, m = flow.net[table], flow.matrices
    out = []
    for index, bus, on in zip(rows.index, rows["bus"], rows["in_service"], strict=True):
        node = m.node_of_bus.get(int(bus), -1)
        if on and node >= 0 and not (table == "gen" and m.reference[node]):
            out.append(int(index))
    return out


def double_outages(flow: BatchFlow, tables: Iterable[str] = BRANCHES, first: Sequence[Outage] = ()) -> list[Outage]:
    """N-1-1: every pair of single outages; with `first`, only pairs of which one is among these."""
    return pairs_of(single_outages(flow, tables), first)


def pairs_of(single: Sequence[Outage], first: Sequence[Outage] = ()) -> list[Outage]:
    """Every pair of these outages; with `first`, only pairs of which one is among these."""
    if not first:
        return [Outage(a.elements + b.elements) for a, b in combinations(single, 2)]
    chosen = list(dict.fromkeys(first))
    pairs = [(a, b) for a in chosen for b in single if a != b]
    seen: set[frozenset[Any]] = set()
    out = []
    for a, b in pairs:
        key = frozenset(a.elements + b.elements)
        if key not in seen:
            seen.add(key)
            out.append(Outage(a.elements + b.elements))
    return out


def power_at(flow: BatchFlow, table: str) -> dict[int, float]:
    """Power of "load", "gen", "ext_grid", "sgen" at each bus (pandapower index), those by phase too. [MW]

    Units as solved in the base case, the others as scheduled.
    """
    rows, power = flow.net[table], {}
    if len(rows):
        solved = table in ("gen", "ext_grid")
        p_mw = flow.net[f"res_{table}"]["p_mw"] if solved else rows["p_mw"] * rows["scaling"]
        power = {int(b): float(p) for b, p in (p_mw * rows["in_service"]).groupby(rows["bus"]).sum().items()}
    by_phase = flow.net.get(f"asymmetric_{table}", ())
    if len(by_phase):
        for bus, p, on in zip(by_phase["bus"], sums_of_phases(by_phase)[0], by_phase["in_service"], strict=True):
            power[int(bus)] = power.get(int(bus), 0.0) + float(p) * bool(on)
    return power
