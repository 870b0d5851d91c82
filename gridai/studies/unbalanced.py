"""The study `unbalanced`: the three phases of a feeder with the clusters on the phases they are connected to.

An unbalanced power flow of the network as it stands, without and with the clusters, or over a day of profiles. Judged
are the voltage of every phase, the negative over the positive sequence voltage, and the loading of the worst phase.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import PowerFlowError, SettingError
from gridai.studies.common import check_study, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report
    from gridai.results import Limit

PHASES = ("abc", "a", "b", "c", "ab", "bc", "ca")
GAPS = ("refuse", "bridge", "mark")
SOURCES = ("stiff", "behind")
USUAL_PERCENT = 2.0
"""Unbalance where the profile states none: EN 50160 and IEC 61000-2-2. [%]"""


@dataclass(frozen=True)
class Unbalanced:
    """Phase voltages, unbalance factor, loading by phase and neutral currents, by unbalanced three-phase power flow.

    The clusters draw on the phases named by --phases. Needs zero-sequence data of lines, transformers (vector group)
    and the external grid. With --profiles a whole day; limits as EN 50160 has them, by means of ten minutes.
    """

    needs_cluster: ClassVar[bool] = False

    phases: Literal["abc", "a", "b", "c", "ab", "bc", "ca"] = setting(
        "abc", "", "where clusters are connected: three phases, a phase and neutral, or two phases", choices=PHASES
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no voltages"
    )
    most_unbalance_percent: float | None = setting(
        None, "%", "negative over positive sequence voltage allowed (default: the profile's, else 2 %)", above=0.0
    )
    most_percent: float = setting(100.0, "%", "loading allowed in each phase", above=0.0)
    source: Literal["stiff", "behind"] = setting(
        "stiff", "", "the external grid's voltage stands at its bus, or behind its impedance", choices=SOURCES
    )
    profiles: str = setting("", "", "CSV files of a day, as of timeseries (or names of the case's own), by commas")
    gaps: Literal["refuse", "bridge", "mark"] = setting("refuse", "", "missing rows of profiles", choices=GAPS)
    largest: bool = setting(False, "", "also find the largest cluster at its bus and on its phases within the limits")

    def __post_init__(self) -> None:
        check_study(self)
        if self.largest and self.profiles:
            raise SettingError("study unbalanced: largest: goes without profiles")

    def run(self, case: Case) -> Report:
        """Assess a case. Raises CaseError for missing zero-sequence data, PowerFlowError without a solution."""
        from gridai.reports import Report
        from gridai.studies import unbalanced_run as running
        from gridai.studies import unbalanced_tables as tables
        from gridai.studies.searching import Judge
        from gridai.studies.unbalanced_view import View

        judge = Judge.of(case, self.profile, ("normal",), 180.0)
        done = running.solve(self, case)
        if not done.result.solved[done.shown]:
            raise PowerFlowError(f"unbalanced power flow of {case.name}{done.placed}: {done.result.reason(done.shown)}")
        limits = (*(x for x in judge.limits if x.criterion == "steady_voltage"), *self.unbalance_limits(judge))
        view = View(case, done, limits, self.most_percent)
        result = tables.result(view)
        largest = running.largest(self, case, done, view) if self.largest else None
        return Report(
            title=f"{case.name}: three phases{done.placed}" + (f", {len(done.t_s):,} steps" if done.day else ""),
            study=self,
            summary=tables.summary(view, largest),
            verdicts=view.verdicts(),
            limits=limits,
            result=result,
            figures=("unbalance", "unbalance_day") if done.day else ("unbalance",),
            tables={**tables.tables(view), **redispatch_tables(case)},
            notes=(*tables.notes(view), *case.notes),
            provenance=provenance_of(case, result, judge.profile),
        )

    def unbalance_limits(self, judge: Any) -> tuple[Limit, ...]:
        """The option's limit, else the profile's, else EN 50160's number; none of a profile "none"."""
        from gridai.results import Limit

        own = () if judge.profile is None else judge.profile.of("quality")
        stated = tuple(x for x in own if x.criterion == "voltage_unbalance")
        if self.most_unbalance_percent is None and (stated or judge.profile is None):
            return stated
        asked = self.most_unbalance_percent
        return (
            Limit(
                "voltage_unbalance", "%", high=USUAL_PERCENT if asked is None else asked, condition="quality",
                clause="asked for" if asked is not None else "2 %, 95 % of the means of ten minutes: EN 50160",
                source="option most_unbalance_percent" if asked is not None else "EN 50160, IEC 61000-2-2, recalled",
                confidence="V" if asked is not None else "M", profile="gridai",
            ),
        )  # fmt: skip
