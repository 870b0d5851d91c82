"""The WECC 240-bus case under a 100 MW square wave of 1.2 Hz at bus 6508: swings in time and by the linear system.

The cluster's mean is 200 MW, fed by all units by their headroom. Swings are highest less lowest in the second half of
21 s; gains are those of the spectral line at 1.2 Hz, beside |c (j w - a)^-1 b + d| of the linear system. Both are per
MW that the cluster draws, which lags what its workload asks for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gridai as ga
from gridai.engine import Demand, Signal, compile_system, simulate, state_space

F_HZ, UNTIL_S = 1.2, 22.0
ROWS = 5
HEADER = f"""
## WECC 240-bus: 100 MW at {F_HZ} Hz at bus 6508

A cluster of 200 MW at bus 6508 (SPAN FRK) whose power is a square wave of 100 MW from lowest to highest. "swing" is
highest less lowest over the last 10 s of {UNTIL_S:g} s; "gain" the spectral line at {F_HZ} Hz per MW that the cluster
draws, in the run and of the linear system at rest.

| | element | swing | gain in the run | gain, linear | difference |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Swing:
    """One element: swing and gain in the run, gain of the linear system. Units: MW or 1e-3 pu, and per MW."""

    kind: str
    element: str
    swing: float
    gain: float
    linear: float

    @property
    def difference(self) -> float:
        """Relative difference of the gains."""
        return self.gain / self.linear - 1.0


def study(reference: Path) -> tuple[Any, Any]:
    """The case with its cluster, and the report of the study."""
    files = [reference / f"wecc240/240busWECC_2018_PSS.{end}" for end in ("raw", "dyr")]
    case, _ = ga.import_case(files[0], files[1], name="wecc240")
    case = case.with_cluster(ga.Cluster.of("H100", count=187_000), bus="6508")
    oscillate = ga.studies.Oscillate(shape="square", amplitude_mw=50.0, frequency_hz=F_HZ, until_s=UNTIL_S)
    return case, oscillate.run(case)


def swings(case: Any, report: Any) -> list[Swing]:
    """The first rows of the study's tables beside the linear system."""
    plan = (("generator", "gen", "generator_swings", 1.0), ("line", "branch", "branch_swings", 1.0))
    rows = [(kind, where, row[0], row[1], row[2], scale) for kind, where, table, scale in plan
            for row in report.tables[table].rows[:ROWS]]  # fmt: skip
    buses = sorted(report.tables["bus_swings"].rows, key=lambda row: -row[3])[:ROWS]
    rows += [("bus voltage", "bus", row[0], row[3], row[4], 1e3) for row in buses]
    signals = [Signal("cluster", "cluster", "p_mw")]
    signals += [Signal(where, name, "vm_pu" if where == "bus" else "p_mw") for _, where, name, *_ in rows]
    linear = state_space(compile_system(case), [Demand("cluster")], signals)
    turn = 2j * np.pi * F_HZ * np.eye(linear.a.shape[0])
    gains = np.abs(linear.c @ np.linalg.solve(turn - linear.a, linear.b.astype(complex)) + linear.d)[:, 0]
    drawn = gains[1:] / gains[0]
    return [Swing(kind, name, swing, gain, scale * float(g))
            for (kind, _, name, swing, gain, scale), g in zip(rows, drawn, strict=True)]  # fmt: skip


def seconds(case: Any) -> float:
    """Computing time of 22 s of the case, the second time. [s]"""
    system = compile_system(case)
    simulate(system, until_s=UNTIL_S)
    start = time.perf_counter()
    simulate(system, until_s=UNTIL_S)
    return time.perf_counter() - start


def markdown(reference: Path) -> str:
    """The table."""
    units = {"generator": "MW", "line": "MW", "bus voltage": "1e-3 pu"}
    lines = [
        f"| {s.kind} | {s.element} | {s.swing:.1f} {units[s.kind]} | {s.gain:.4f} | {s.linear:.4f} "
        f"| {100 * s.difference:+.1f} % |"
        for s in swings(*study(reference))
    ]
    return HEADER + "\n".join(lines) + "\n"
