"""The study `cct`: how long a fault may last before machines lose step, found by bisection.

    duration  low (stable) ----x----+----x---- high (unstable)      halved until high - low <= tol_s

Each trial is a whole run of the case with every model. It is unstable when two machines part by more than limit_degree
(180; results/stability.py), or when the run loses convergence (voltage collapse).

Above the critical time there may be narrow windows in which the machines stay together once more (WSCC, bus 6, line
4-6: unstable from 0.4468 s, stable again at 0.449 s), and bisection can end at the edge of such a window. So durations
below the edge found are tried too, in growing steps; where one of them is unstable, the search goes on below it.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import ConvergenceError, Problems, SettingError
from gridai.studies.common import add_places, bus_of, check_fields, provenance_of, redispatch_tables, required, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import System
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result
    from gridai.results.searches import End, SearchRecord

BELOW = (1, 2, 3, 5, 8, 13, 21, 34)
"""So many widths of the bracket below the edge that bisection found are tried as well."""
KINDS = ("three-phase", "line-ground", "line-line", "double-line-ground")


@dataclass(frozen=True)
class Cct:
    """The critical clearing time of a fault at a bus: the longest that leaves all machines in step.

    With branch, that line or transformer opens when the fault is cleared.
    """

    needs_cluster: ClassVar[bool] = False

    bus: str = required("bus of the fault, by name or by pandapower's index")
    branch: str = setting("", "", "line or transformer that opens when the fault is cleared")
    kind: Literal["three-phase", "line-ground", "line-line", "double-line-ground"] = setting(
        "three-phase", "", "type of the fault", choices=KINDS
    )
    r_pu: float = setting(0.0, "pu", "resistance of the fault on the system base", least=0.0)
    x_pu: float = setting(0.0, "pu", "reactance of the fault on the system base")
    at_s: float = setting(0.1, "s", "start of the fault", above=0.0)
    high_s: float = setting(1.0, "s", "longest duration tried", above=0.0)
    tol_s: float = setting(0.001, "s", "width of the bracket at the end", above=0.0)
    watch_s: float = setting(3.0, "s", "time watched after clearing; longer finds later swings too", above=0.0)
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)

    def __post_init__(self) -> None:
        found = Problems("study cct")
        check_fields(self, found)
        if not found and not self.tol_s < self.high_s:
            found.add("cct", None, "tol_s", self.tol_s, f"give a width below high_s = {self.high_s:g} s")
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Search on a case. Raises UnknownNameError for a bus or branch that is not there."""
        from gridai import engine
        from gridai.reports import Report
        from gridai.results.searches import add_search

        bus = bus_of(case, self.bus)
        search = self.search(engine.compile_system(case), bus)
        shown = add_search(search.shown, _record(self, search))
        add_places(shown, case)
        action = f", cleared by opening {self.branch}" if self.branch else ""
        return Report(
            title=f"{case.name}: critical clearing time of a {self.kind} fault at bus {bus}{action}",
            study=self,
            summary=_summary(self, search),
            verdicts=(),
            limits=(),
            result=shown,
            figures=("search_margin", "swing_curves", "voltages"),
            tables={"trials": _trials(search), **redispatch_tables(case)},
            notes=(_criterion(self), *case.notes),
            provenance=provenance_of(case, shown),
        )

    def search(self, system: System, bus: str) -> Search:
        """Bisect. The ends are tried first: no fault at all, and the longest duration."""
        trials = [self._trial(system, bus, 0.0)]
        if trials[0].stable:
            trials.append(self._trial(system, bus, self.high_s))
        if trials[-1].stable or len(trials) == 1:
            return Search(tuple(trials))
        while True:
            self._bisect(system, bus, trials)
            if not self._look_below(system, bus, trials):
                return Search(tuple(trials))

    def _bisect(self, system: System, bus: str, trials: list[Trial]) -> None:
        """Halve the bracket between the shortest unstable trial and the longest stable one below it."""
        found = Search(tuple(trials))
        assert found.below is not None
        assert found.above is not None
        low, high = found.below.duration_s, found.above.duration_s
        while high - low > self.tol_s * (1.0 + 1e-9):
            middle = 0.5 * (low + high)
            trials.append(self._trial(system, bus, middle))
            low, high = (middle, high) if trials[-1].stable else (low, middle)

    def _look_below(self, system: System, bus: str, trials: list[Trial]) -> bool:
        """Try durations below the edge found; True as soon as one of them is unstable."""
        edge = Search(tuple(trials)).cct_s
        for n in BELOW:
            duration_s = edge - n * self.tol_s
            if duration_s <= 0.0:
                return False
            trials.append(self._trial(system, bus, duration_s))
            if not trials[-1].stable:
                return True
        return False

    def _trial(self, system: System, bus: str, duration_s: float) -> Trial:
        from gridai import engine
        from gridai.results.stability import largest_spread, loss_of_step

        clear_s = self.at_s + duration_s
        events: list[Any] = [engine.BranchTrip(self.branch, clear_s)] if self.branch else []
        if duration_s > 0.0:
            events.append(engine.BusFault(bus, self.at_s, clear_s, self.kind, self.r_pu, self.x_pu))
        collapse = ""
        try:
            result = engine.simulate(system, events, until_s=clear_s + self.watch_s, step_s=self.step_s)
        except ConvergenceError as error:
            if error.result is None:
                raise
            result, collapse = error.result, f"no solution at {error.time_s:.3f} s, bus {error.bus}"
        lost = loss_of_step(result, self.limit_degree)
        spread = largest_spread(result)
        if lost is None:
            return Trial(duration_s, not collapse, spread.degree, (), math.nan, collapse, result)
        remark = collapse or ("" if lost.slipped else "no pole slipped within the time watched")
        return Trial(duration_s, False, spread.degree, lost.units, lost.t_s, remark, result)


@dataclass(frozen=True)
class Trial:
    """One run: fault duration [s], whether all stayed in step, largest angle, who left and when [s], a remark."""

    duration_s: float
    stable: bool
    degree: float
    units: tuple[str, ...]
    lost_s: float
    remark: str
    result: Result = field(repr=False)


@dataclass(frozen=True)
class Search:
    """The trials in the order they were made."""

    trials: tuple[Trial, ...]

    @property
    def below(self) -> Trial | None:
        """The longest stable trial below all unstable ones; None where even the state after clearing is unstable."""
        first = math.inf if self.above is None else self.above.duration_s
        some = [t for t in self.trials if t.stable and t.duration_s < first]
        return max(some, key=lambda t: t.duration_s, default=None)

    @property
    def above(self) -> Trial | None:
        """The shortest unstable trial; None where none was."""
        return min((t for t in self.trials if not t.stable), key=lambda t: t.duration_s, default=None)

    @property
    def cct_s(self) -> float:
        """The critical clearing time. [s]; infinity where every trial is stable, NaN where none is."""
        if self.below is None:
            return math.nan
        return self.below.duration_s if self.above is not None else math.inf

    @property
    def shown(self) -> Result:
        """The run just below the critical time, with the angles of the run just above it beside it."""
        below, above = self.below or self.trials[0], self.above
        if above is None or above is below:
            return below.result
        return _beside(below.result, above.result)


def _beside(result: Result, other: Result) -> Result:
    """The result with another run's machine angles as `unstable_angle_rad`, NaN where that run had ended."""
    import numpy as np

    from gridai.results import Channel
    from gridai.results import Result as Made
    from gridai.results.stability import angles

    names, angle = angles(other)
    columns = [np.interp(result.t_s, other.t_s, a, right=np.nan) for a in angle.T]
    channels = tuple(Channel("gen", name, "unstable_angle_rad", "rad") for name in names)
    data = np.column_stack([result.data, *columns])
    return Made(result.t_s, data, (*result.channels, *channels), result.events, result.meta)


def _summary(study: Cct, search: Search) -> dict[str, Measure]:
    from gridai.reports import Measure

    below, above, cct_s = search.below, search.above, search.cct_s
    if below is None:
        note = "unstable even without the fault: the state after clearing does not hold"
    elif above is None:
        note = f"stable up to high_s = {study.high_s:g} s; raise it to find the limit"
    else:
        note = f"stable; unstable at {above.duration_s:.4f} s"
    value = cct_s if math.isfinite(cct_s) else math.nan
    lines = {"cct": Measure("critical clearing time", value, "s", note=note)}
    if below is not None:
        text = f"at a fault of {below.duration_s:.4f} s"
        lines["largest_angle"] = Measure("largest angle, stable", below.degree, "degree", note=text)
    if above is not None:
        who = " ".join(above.units[:6])
        text = above.remark or f"at a fault of {above.duration_s:.4f} s"
        lines["loses_step"] = Measure("machines that lose step", float(len(above.units)), "", who, above.lost_s, text)
    lines["trials"] = Measure("runs", float(len(search.trials)), "")
    return lines


def _record(study: Cct, search: Search) -> SearchRecord:
    """The search as the figure of limit searches draws it: room left of the angle between two machines."""
    from gridai.results.searches import SearchPoint, SearchRecord

    def point(t: Trial) -> SearchPoint:
        room = 100.0 * (1.0 - min(t.degree, 10.0 * study.limit_degree) / study.limit_degree)
        text = t.remark or f"{t.degree:.1f} degree"
        return SearchPoint(t.duration_s, "pass" if t.stable else "fail", room, "loss_of_step", " ".join(t.units[:4]),
                           t.lost_s, text, True, {"loss_of_step": room})  # fmt: skip

    below, above = search.below, search.above
    end: End = "fails at once" if below is None else "passes all" if above is None else "found"
    return SearchRecord(
        "fault", "s", 0.0, study.high_s, study.tol_s, end, math.nan if below is None else below.duration_s,
        math.nan if above is None else above.duration_s,
        tuple(point(t) for t in sorted(search.trials, key=lambda t: t.duration_s)),
    )  # fmt: skip


def _trials(search: Search) -> Table:
    from gridai.reports import Table

    rows = [
        (f"{t.duration_s:.5f}", "stable" if t.stable else "unstable", round(t.degree, 1), " ".join(t.units[:6]),
         "-" if math.isnan(t.lost_s) else f"{t.lost_s:.3f}", t.remark)
        for t in sorted(search.trials, key=lambda t: t.duration_s)
    ]  # fmt: skip
    columns = ("fault_s", "outcome", "largest_angle_degree", "loses_step", "lost_at_s", "remark")
    return Table("trials", columns, tuple(rows))


def _criterion(study: Cct) -> str:
    return (
        f"a trial is unstable when two machines are more than {study.limit_degree:g} degrees apart within "
        f"{study.watch_s:g} s of clearing, or when the run loses convergence; times count from the start of the fault"
    )
