"""The study `longest-fault`: the longest fault through which the clusters stay, found by bisection.

A fault is ridden through when, watch_s after it is cleared, no more than lost_mw of the clusters is away from the grid,
the machines are in step, and the profile's limits after a contingency hold. With transfers = False no more than that
may leave at any time, not even to come back. `cct` looks at the machines alone.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import bus_of, check_fields, required, setting
from gridai.studies.search import Bracket, Trial

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report
    from gridai.results import Result, Verdict

CONDITIONS = ("normal", "contingency")
KINDS = ("three-phase", "line-ground", "line-line", "double-line-ground")


@dataclass(frozen=True)
class LongestFault:
    """The longest fault at a bus that the clusters of the case ride through: who leaves first beyond it, and why.

    Clusters without ride-through settings are taken as default UPS; `rule` makes all clusters obey a load curve.
    """

    needs_cluster: ClassVar[bool] = False

    bus: str = required("bus of the fault, by name or by pandapower's index")
    kind: Literal["three-phase", "line-ground", "line-line", "double-line-ground"] = setting(
        "three-phase", "", "type of the fault", choices=KINDS
    )
    r_pu: float = setting(0.0, "pu", "resistance of the fault on the system base", least=0.0)
    x_pu: float = setting(0.0, "pu", "reactance of the fault on the system base")
    branch: str = setting("", "", "line or transformer that opens when the fault is cleared")
    at_s: float = setting(1.0, "s", "start of the fault", above=0.0)
    low_s: float = setting(0.005, "s", "safe end of the bracket", above=0.0)
    high_s: float = setting(1.0, "s", "other end of the bracket", above=0.0)
    tol_s: float = setting(0.002, "s", "width of the bracket at the end", above=0.0)
    lost_mw: float = setting(0.0, "MW", "load that may be away", least=0.0)
    transfers: bool = setting(True, "", "load may leave and come back before the end, as a UPS on its battery does")
    watch_s: float = setting(30.0, "s", "time from clearing to the end of the run", above=0.0)
    rule: str = setting("case", "", "load curve that all clusters obey, by name or TOML file; case: their own settings")
    condition: Literal["normal", "contingency"] = setting(
        "contingency", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    decimate: int = setting(4, "", "steps from one row to the next; rows at events are always kept", least=1)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)

    def __post_init__(self) -> None:
        found = Problems("study longest-fault")
        check_fields(self, found)
        if not found and not self.low_s < self.high_s:
            found.add("longest-fault", None, "low_s", self.low_s, f"give a time below high_s = {self.high_s:g} s")
        found.raise_if_any(SettingError)

    @property
    def bracket(self) -> Bracket:
        """From low_s to high_s."""
        return Bracket("fault", "s", self.low_s, self.high_s, self.tol_s, self.probes)

    def run(self, case: Case) -> Report:
        """Search on a case that holds clusters.

        Raises UnknownNameError for a bus or branch that is not there, SettingError for a case without a cluster.
        """
        from gridai import engine
        from gridai.studies import away
        from gridai.studies.searching import Judge, report, search

        bus = bus_of(case, self.bus)
        made, notes = away.with_settings(case, self.rule)
        system = engine.compile_system(made)
        judge = Judge.of(made, self.profile, (self.condition,), self.limit_degree)

        def attempt(value_s: float) -> Trial:
            clear_s = self.at_s + value_s
            return judge.play(
                system, self._events(bus, clear_s), clear_s + self.watch_s, self.step_s, seed=self.seed,
                decimate=self.decimate, more=lambda result: (load_verdict(result, self.lost_mw, self.transfers),),
            )  # fmt: skip

        found = search(self.bracket, attempt)
        beyond = found.failed.result if found.failed is not None else None
        tables: dict[str, Any] = {"settings": away.settings_table(made)}
        if beyond is not None:
            tables = {"departures": away.departures(beyond), **tables}
        return report(
            self, judge, found, f"{case.name}: longest {self.kind} fault at bus {bus} ridden through",
            "longest fault ridden through", figures=away.figures(found.shown.result) if found.shown.result else (),
            tables=tables, notes=notes,
        )  # fmt: skip

    def _events(self, bus: str, clear_s: float) -> list[Any]:
        from gridai import engine

        events: list[Any] = [engine.BusFault(bus, self.at_s, clear_s, self.kind, self.r_pu, self.x_pu)]
        if self.branch:
            events.append(engine.BranchTrip(self.branch, clear_s))
        return events


def load_verdict(result: Result, most_mw: float, transfers: bool) -> Verdict:
    """The verdict on the load away from the grid, at most so many MW: at the end, or without transfers at any time.

    Where there is too much of it, the first group to leave is named, and when.
    """
    from gridai.results import Verdict
    from gridai.results.ride_through import away_by_cause, away_mw, changes

    away = away_mw(result)
    row = len(away) - 1 if transfers else int(away.argmax())
    lost = float(away[row])
    why = ", ".join(f"{cause} {mw:.1f} MW" for cause, mw in away_by_cause(result, row).items())
    first = next((c for c in changes(result) if c.leaves), None)
    element, at_s = "", float(result.t_s[row])
    if lost > most_mw and first is not None:
        element, at_s = first.group, first.t_s
    when = "at the end of the run" if transfers else "at any time"
    return Verdict(
        "load_away", lost, most_mw, "MW", most_mw - lost, element, at_s, "pass" if lost <= most_mw + 1e-9 else "fail",
        clause=f"load of the clusters away from the grid {when}", source="gridai, studies/longest_fault",
        confidence="V", profile="gridai", note=why,
    )  # fmt: skip
