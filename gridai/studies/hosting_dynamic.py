"""The dynamic part of `hosting`: sizes are lowered until three things pass the profile, each at each bus.

    pause    the whole cluster pauses at 1 s and returns at 11 s; limits of normal operation: nadir, zenith, RoCoF, ...
    fault    three phases at the bus, cleared by opening its strongest branch; limits after a contingency: recovery, ...
    modes    eigenvalues with the cluster drawing its power; small-signal limits: damping

What fails without the cluster as well (a fault at the same bus, the modes of the grid as it is) is not held against a
cluster. Imported when a study is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import GridaiError
from gridai.results import Result, Verdict
from gridai.results.rooms import bounded_room
from gridai.studies.search import Trial, labelled
from gridai.studies.searching import Judge, built

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import System
    from gridai.grid.sizing import Sized, Sizing
    from gridai.studies.hosting import Hosting

NAME = "hosted cluster"
AT_S, BACK_S, UNTIL_S, STEP_S = 1.0, 11.0, 30.0, 1.0 / 240.0
FAULT_UNTIL_S = 20.0
HALVINGS = 6
"""A size that fails is halved into brackets so often: the answer lies within 1/64 of it, or within tol_mw."""
RUNS = ("pause", "fault", "modes")


@dataclass(frozen=True)
class Bound:
    """What a size fails: in which of RUNS, criterion, element, time; value and limit are NaN where a run breaks off."""

    run: str
    criterion: str
    element: str
    t_s: float
    value: float
    limit: float
    unit: str
    text: str


@dataclass(frozen=True)
class Lived:
    """What became of one bus.

    mw      largest size tried that passes all. [MW]
    beyond  smallest size tried that does not, NaN where the static size passes.
    bound   what that one fails.
    judged  verdicts at the size that passes, each with the run it is of.
    left    criteria that fail without the cluster too, each with its run.
    sizes   number of sizes tried.
    """

    mw: float
    beyond: float
    bound: Bound | None
    judged: tuple[tuple[str, Verdict], ...]
    left: tuple[str, ...]
    sizes: int


def lowered(
    study: Hosting, case: Case, sizing: Sizing, found: Sequence[Sized], tick: Callable[[int, int], None] | None = None
) -> tuple[list[Lived | None], list[str]]:
    """The dynamic answer of each bus, None where it is not asked for or the case cannot give it; and notes."""
    nothing: list[Lived | None] = [None] * len(found)
    if not study.dynamic:
        return nothing, []
    if not case.dynamics:
        return nothing, ["dynamic criteria are not judged: the case has no dynamic data"]
    try:
        grid = _Grid.of(study, case, sizing)
    except GridaiError as error:
        return nothing, [f"dynamic criteria are not judged: {error}"]
    keys = {i: k for k, i in case.buses.items()}
    out: list[Lived | None] = []
    for k, sized in enumerate(found):
        out.append(_Bus(grid, keys[sized.bus]).lower(sized.mw) if sized.mw > 0.0 else None)
        if tick is not None:
            tick(k + 1, len(found))
    return out, _notes(study, grid, [x for x in out if x is not None])


@dataclass(frozen=True)
class _Grid:
    """What all buses share."""

    study: Hosting
    tol_mw: float
    case: Case
    safe: frozenset[str]
    bare: System
    volts: dict[str, float]
    normal: Judge
    after: Judge
    modes: Judge
    weak: frozenset[str]

    @classmethod
    def of(cls, study: Hosting, case: Case, sizing: Sizing) -> _Grid:
        from gridai.engine import compile_system
        from gridai.studies import steady

        bare = compile_system(case)
        normal, after, modes = (
            Judge.of(case, study.profile, (c,), 180.0) for c in ("normal", "contingency", "small-signal")
        )
        grid = cls(
            study, study.bracket(case)[1], case, harmless(sizing), bare, steady.voltages(bare.op), normal, after, modes,
            frozenset(),
        )  # fmt: skip
        return replace(grid, weak=_failing(grid.mode_verdicts(bare)))

    def mode_verdicts(self, system: System) -> tuple[Verdict, ...]:
        """The small-signal limits; none where the profile states none, and no eigenvalue is computed then."""
        from gridai import criteria, engine
        from gridai.results.small_signal import Mode, small_signal_meta

        profile = self.modes.profile
        if profile is None or not profile.of("small-signal"):
            return ()
        linear = engine.linearise(system)
        modes = []
        for k in linear.oscillations[:12].tolist():
            shape = {u: (float(abs(x)), float(np.degrees(np.angle(x)))) for u, x in linear.mode_shape(k).items()}
            value = linear.eigenvalues[k]
            modes.append(Mode(float(value.real), float(value.imag), linear.swing_share(k), (), shape))
        meta = {"f_hz": self.case.f_hz, **small_signal_meta(linear.eigenvalues.tolist(), tuple(modes), None)}
        return criteria.check(Result([0.0], np.zeros((1, 0)), (), (), meta), profile, "small-signal")


def _failing(verdicts: Sequence[Verdict]) -> frozenset[str]:
    return frozenset(name for name, v in labelled(verdicts).items() if v.status == "fail")


class _Bus:
    """The runs at one bus."""

    def __init__(self, grid: _Grid, bus: str) -> None:
        self.grid, self.bus = grid, bus
        self.branch = strongest(grid.bare, grid.safe, bus)
        trial = self._fault(grid.bare, grid.case)
        self.broken = trial.failure is not None
        self.left = {"pause": frozenset[str](), "fault": _failing(trial.verdicts), "modes": grid.weak}
        self.sizes = 0

    def lower(self, mw: float) -> Lived:
        """The largest size up to mw that passes, by bisection: the first that fails is the upper end."""
        low, high, bound = 0.0, math.nan, None
        judged: tuple[tuple[str, Verdict], ...] = ()
        tried, tol = mw, max(self.grid.tol_mw, mw / 2.0**HALVINGS)
        while True:
            verdicts, fails = self.play(tried)
            if fails is None:
                low, judged = tried, verdicts
            else:
                high, bound = tried, fails
            if bound is None or high - low <= tol:
                break
            tried = 0.5 * (low + high)
        left = [f"{run}: {name}" for run, names in self.left.items() for name in sorted(names)]
        return Lived(low, high, bound, judged, (*left, *(["fault: no run"] if self.broken else [])), self.sizes)

    def play(self, mw: float) -> tuple[tuple[tuple[str, Verdict], ...], Bound | None]:
        """The verdicts at one size, and what fails worst in the first run that fails."""
        from gridai import engine

        self.sizes += 1
        made = built(lambda: self._placed(mw))
        ready = made if isinstance(made, Trial) else built(lambda: engine.compile_system(made))
        if isinstance(ready, Trial):
            return (), _bound("start", ready, frozenset(), self.grid.case.f_hz)
        verdicts: list[tuple[str, Verdict]] = []
        for run in RUNS:
            if run == "fault" and self.broken:
                continue
            trial = self._run(run, ready, made)
            fails = _bound(run, trial, self.left[run], self.grid.case.f_hz)
            if fails is not None:
                return (), fails
            verdicts += [(run, v) for name, v in labelled(trial.verdicts).items() if name not in self.left[run]]
        return tuple(verdicts), None

    def _placed(self, mw: float) -> Case:
        from gridai.cluster import Cluster
        from gridai.cluster.workloads import Constant

        one = Cluster.of("H100", count=1, workload=Constant(), power_factor=self.grid.study.pf)
        count = max(1, math.floor(mw / one.p_mw))
        return self.grid.case.with_cluster(replace(one, count=count), self.bus, self.grid.study.fed_by, NAME)

    def _run(self, run: str, system: System, case: Case) -> Trial:
        if run == "pause":
            from gridai import engine
            from gridai.cluster import Pause

            stop = Pause(AT_S, system.clusters[NAME].p_mw, BACK_S)
            return self.grid.normal.play(system, [engine.TrainingPause(NAME, stop)], UNTIL_S, STEP_S, case=case,
                                         before=self.grid.volts)  # fmt: skip
        if run == "fault":
            return self._fault(system, case)
        return Trial(self.grid.mode_verdicts(system), None, None, case.f_hz, True)

    def _fault(self, system: System, case: Case) -> Trial:
        from gridai import engine

        clear_s = AT_S + self.grid.study.fault_s
        events: list[Any] = [engine.BusFault(self.bus, AT_S, clear_s)]
        if self.branch:
            events.append(engine.BranchTrip(self.branch, clear_s))
        return self.grid.after.play(system, events, FAULT_UNTIL_S, STEP_S, case=case, before=self.grid.volts)


def _bound(run: str, trial: Trial, left: frozenset[str], f_hz: float) -> Bound | None:
    """What fails worst of a run, None where nothing does that did not fail without the cluster."""
    if trial.failure is not None:
        f = trial.failure
        return Bound(run, f.criterion, f.element, f.t_s, math.nan, math.nan, "", f.text)
    bad = {name: v for name, v in labelled(trial.verdicts).items() if v.status == "fail" and name not in left}
    if not bad:
        return None
    v = min(bad.values(), key=lambda x: bounded_room(x, f_hz))
    return Bound(run, v.criterion, v.element, v.t_s, v.value, v.limit, v.unit, v.note)


def harmless(sizing: Sizing) -> frozenset[str]:
    """Names of the branches whose outage cuts nothing off."""
    from gridai.grid.contingency import Contingencies, single_outages

    outages = single_outages(sizing.flow)
    dead = Contingencies(sizing.flow).prepare(outages).dead_buses if outages else ()
    net = sizing.flow.net
    pairs = zip(outages, dead, strict=True)
    return frozenset(str(net[t].at[i, "name"]) for o, cut in pairs if not cut for t, i in o.elements)


def strongest(system: System, safe: frozenset[str], bus: str) -> str:
    """The branch at a bus with the largest series admittance of those named `safe`; "": none."""
    b, node = system.network.branches, system.network.node_of_bus[bus]
    at = [
        k for k in np.flatnonzero((b.from_node == node) | (b.to_node == node)).tolist()
        if b.in_service[k] and b.name[k] in safe and b.from_node[k] != b.to_node[k]
    ]  # fmt: skip
    return str(b.name[max(at, key=lambda k: abs(b.y_ft[k]))]) if at else ""


def _notes(study: Hosting, grid: _Grid, lived: Sequence[Lived]) -> list[str]:
    notes = [
        "dynamic runs: H100 servers in constant training, one electronic load that holds its power down to 0.87 pu "
        f"and trips below 0.65 pu until the voltage is back; the whole of it pauses at {AT_S:g} s in 0.4 s and returns "
        f"from {BACK_S:g} s on in 5 s; a three-phase fault of {1e3 * study.fault_s:g} ms at its bus is cleared by "
        "opening the branch there with the largest admittance whose loss cuts nothing off (none: it clears by itself)",
        "pauses are held against the limits of normal operation, the fault against those after a contingency; sizes "
        f"are halved {HALVINGS} times at most, what passes is what was run",
    ]  # fmt: skip
    if grid.modes.profile is None or not grid.modes.profile.of("small-signal"):
        name = "none" if grid.modes.profile is None else grid.modes.profile.name
        notes.append(f"damping of modes is not judged: profile {name} states no limit of it")
    left = sorted({text for x in lived for text in x.left})
    if left:
        notes.append("fails without the cluster as well at some bus, and is not held against the cluster there: "
                     + ", ".join(left))  # fmt: skip
    return notes
