"""The study `operating-modes`: seasons, dispatches, renewable shares, clusters and planned outages, with N-1, ranked.

    every season x dispatch x renewable share x cluster level x planned outage     a mode
    every mode, and every mode after every contingency                             a certified power flow

A mode is rejected with its reason in words; the accepted ones are ranked by the room they leave. Finished modes stand
in a file, from which an interrupted run goes on.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError, near
from gridai.studies.common import check_fields, phase_notes, provenance_of, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

PLANNED = ("none", "branches")
CONTINGENCIES = ("branches", "none")
MOST_MODES = 5_000_000


@dataclass(frozen=True)
class OperatingModes:
    """Many operating modes judged at once: seasons, dispatches, renewables, planned outages, each with N-1; ranked.

    Each rejected mode has its reason in words: element, value, limit, contingency. --explain N tells all of mode N: its
    dispatch, every contingency, every limit it breaks. An interrupted run goes on where it stopped if --keep names a
    file.

    Exit status 1 if the grid rejects more of the possible modes than --allowed-percent: no power flow, a loading, a
    voltage. A dispatch that cannot be (short of generation, renewables beyond the load, the slack beyond its turbines)
    is no fault of the grid and is not counted.
    """

    needs_cluster: ClassVar[bool] = False
    ticks: ClassVar[bool] = True

    seasons: str = setting(
        "winter=1,spring=0.75,summer=0.85,autumn=0.8,night=0.5", "", "level of the load by season, name=level"
    )
    dispatches: str = setting(
        "proportional,headroom,merit,even", "", "rules that dispatch the units, parted by commas: in proportion to the "
        "case, by headroom, the largest first, all alike"
    )  # fmt: skip
    renewables: tuple[float, ...] = setting(
        (0.0, 0.1, 0.2, 0.3, 0.4), "", "parts of the load that renewables give: static generators of the case, else at "
        "the loads", least=0.0
    )  # fmt: skip
    clusters: tuple[float, ...] = setting((1.0,), "", "levels of the clusters", least=0.0)
    planned: Literal["none", "branches"] = setting(
        "none", "", "planned outages: none, or each branch that cuts nothing off", choices=PLANNED
    )
    contingencies: Literal["branches", "none"] = setting(
        "branches", "", "N-1 of lines, transformers and impedances in every mode, or none", choices=CONTINGENCIES
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no voltages"
    )
    outage_percent: float = setting(100.0, "%", "loading allowed after a contingency", above=0.0)
    rating_mva: float | None = setting(
        None, "MVA", "rating of branches that state none, as in MATPOWER's cases (default: not judged)", above=0.0
    )
    worse_pu: float = setting(
        0.005, "pu", "how much further out a voltage may go that is outside in the case as it stands", least=0.0
    )
    worse_percent: float = setting(
        1.0, "%", "how much higher a loading may go that is above its limit in the case as it stands", least=0.0
    )
    allowed_percent: float = setting(
        0.0, "%", "part of the possible modes that the grid may reject before a verdict fails", least=0.0
    )
    explain: int | None = setting(
        None, "", "tell all of this mode, by its number in the table, and judge no other (default: judge all)", least=0
    )
    keep: str = setting("", "", "CSV file of finished modes; a run that finds its own file goes on from there")
    threads: int = setting(2, "", "threads of the batch", least=1)

    def __post_init__(self) -> None:
        found = Problems("study operating-modes")
        check_fields(self, found)
        if not found and not (self.renewables and self.clusters):
            found.add("operating-modes", None, "renewables, clusters", None, "give at least one level of each")
        found.raise_if_any(SettingError)
        self.levels()
        self.rules()

    def levels(self) -> dict[str, float]:
        """Level of the load by season. Raises SettingError for what is no name=level."""
        out = {}
        for part in self.seasons.split(","):
            name, _, level = part.partition("=")
            try:
                out[name.strip()] = float(level)
            except ValueError as error:
                raise SettingError(f"seasons: '{part.strip()}': write name=level, as winter=1,night=0.5") from error
            if not 0.0 < out[name.strip()] < 100.0:
                raise SettingError(f"seasons: '{part.strip()}': give a level above 0, as a part of the case's load")
        return out

    def rules(self) -> list[str]:
        """The rules of dispatch. Raises SettingError listing near names."""
        known = ("proportional", "headroom", "merit", "even")
        asked = [name.strip() for name in self.dispatches.split(",") if name.strip()]
        for name in asked:
            if name not in known:
                raise SettingError(f"dispatches: {near(name, known, 'rule')}")
        return asked or ["proportional"]

    def run(self, case: Case, tick: Callable[[int, int], None] | None = None) -> Report:
        """Judge every mode. tick(done, total) is called as modes are finished.

        Raises PowerFlowError where the case as it stands has no power flow, SettingError for a file of another run
        and for a mode to explain that there is not.
        """
        from gridai.reports import Report
        from gridai.studies import operating_tables as tables
        from gridai.studies.operating_explain import explain
        from gridai.studies.operating_run import play

        if self.explain is not None:
            return explain(self, case)
        done = play(self, case, tick)
        result = tables.result_of(case, done)
        return Report(
            title=f"{case.name}: {len(done.modes):,} operating modes",
            study=self,
            summary=tables.summary(done),
            verdicts=tables.verdicts(self, done),
            limits=(),
            result=result,
            figures=("operating_modes",),
            tables=tables.tables(done),
            notes=(*tables.notes(self, done), *phase_notes(case), *case.notes),
            provenance=provenance_of(case, result, done.profile),
        )
