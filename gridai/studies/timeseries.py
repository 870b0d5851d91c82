"""The study `timeseries`: a cluster and the grid around it over a day or a year, one certified power flow a step.

    profiles (CSV), workload, sun ---> loads, units, cluster, PV ---> blocks of the batch ---> sums, curves, verdicts,
    units in service follow the load by their dispatch,               ^        |               file as they come
    or the slack takes it all                   taps, capacitors, storages <---+

A step without a solution is marked with the reason and counted; the next one is unharmed.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, phase_notes, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria import Profile
    from gridai.reports import Report

COURSES = ("demand", "constant")
GAPS = ("refuse", "bridge", "mark")
FOLLOWERS = ("units", "slack")
HOLDS = ("voltage", "q", "pf")
RULES = ("schedule", "shave", "own")
NO_PROFILE = "none"
DAY_S, MINUTE_S = 86_400.0, 60.0
MOST_STEPS = 40_000_000


@dataclass(frozen=True)
class Timeseries:
    """A day, a year or a second of power flows: losses, energy, duration curves, taps, capacitors, storages, flicker.

    Profiles of loads, units and the cluster come from CSV files, units in the columns' names (load/7/p_mw,
    sgen/PV/p_kw, load/*/factor, cluster/*/p_mw). Steps without a solution are marked with the reason and counted.
    """

    needs_cluster: ClassVar[bool] = False
    ticks: ClassVar[bool] = True

    profiles: str = setting("", "", "CSV files of profiles, or names of the case's own (day), parted by commas; "
                            "none: everything but the cluster stands")  # fmt: skip
    until_s: float | None = setting(None, "s", "end (default: that of the profiles, else a day)", above=0.0)
    step_s: float | None = setting(None, "s", "step (default: the rows of the profiles, else 60 s)", above=0.0)
    course: Literal["demand", "constant"] = setting(
        "demand", "", "clusters without a column: the demand of their workload, or their mean", choices=COURSES
    )
    gaps: Literal["refuse", "bridge", "mark"] = setting(
        "refuse", "", "missing rows and cells: refused, a straight line, or steps without data", choices=GAPS
    )
    followed_by: Literal["units", "slack"] = setting(
        "units", "", "who follows the load: all units in proportion to their dispatch, or the slack", choices=FOLLOWERS
    )
    taps: bool = setting(False, "", "tap changers hold the voltage at their low-voltage side")
    tap_vm_pu: float | None = setting(None, "pu", "voltage they aim at (default: that of the case)", above=0.0)
    deadband_pu: float = setting(0.0125, "pu", "they act where the voltage is further off", above=0.0)
    delay_s: float = setting(30.0, "s", "so long must it be off before a tap moves, and between two moves", least=0.0)
    capacitors: bool = setting(False, "", "switched shunts (max_step) hold what capacitors_hold says")
    capacitor_names: str = setting("", "", "shunts parted by commas (default: every one that can be switched)")
    capacitors_hold: Literal["voltage", "q", "pf"] = setting(
        "voltage", "", "voltage of their bus, or reactive power or power factor of capacitor_branch", choices=HOLDS
    )
    capacitor_branch: str = setting("", "", "branch at whose first end (from, hv) q or pf is held")
    capacitor_aim: float | None = setting(
        None, "pu, MVAr or pf", "what they aim at (default: the case's voltage or reactive power, power factor 0.95)"
    )
    capacitor_deadband: float | None = setting(
        None, "pu or MVAr", "they act where it is further off (default: 0.65 of the largest step's effect)", above=0.0
    )
    capacitor_delay_s: float = setting(60.0, "s", "so long must it be off before one switches", least=0.0)
    pv_mw: float = setting(0.0, "MW", "photovoltaics at the cluster's bus; course from a profile, sgen/PV/p_mw or "
                           "sgen/PV/factor, else a clear sky", least=0.0)  # fmt: skip
    latitude_degree: float | None = setting(None, "degree", "where they stand, north positive", least=-90.0)
    day: float | None = setting(None, "", "day of the year at the first step (default: of the profiles' dates, else "
                                "172)", least=1.0)  # fmt: skip
    hour: float | None = setting(None, "h", "solar time at the first step (default: of the dates, else 0)", least=0.0)
    tilt_degree: float = setting(25.0, "degree", "tilt of the modules, 0: level", least=0.0)
    azimuth_degree: float = setting(180.0, "degree", "where they look, 180: south", least=0.0)
    storage_mw: float = setting(0.0, "MW", "power of a battery at the cluster's bus", least=0.0)
    storage_mwh: float = setting(0.0, "MWh", "energy of that battery", least=0.0)
    storage_soc_percent: float = setting(50.0, "%", "its charge at the first step", least=0.0)
    storage_efficiency: float = setting(0.9, "", "there and back, of storages that state none", above=0.0)
    storage_rule: Literal["schedule", "shave", "own"] = setting(
        "schedule",
        "",
        "storages follow their profiles, shave peaks, or store surplus and give it back (own)",
        choices=RULES,
    )
    storage_at: str = setting("site", "", "whose power they hold: site (net load of the cluster's bus), substation "
                              "(what the slack gives), or a branch's name (its first end)")  # fmt: skip
    storage_names: str = setting("", "", "storages of the rule, parted by commas (default: those without a profile; "
                                 "of a site, those at its bus)")  # fmt: skip
    shave_mw: float | None = setting(None, "MW", "level to which shave holds it")
    recharge_mw: float | None = setting(None, "MW", "level up to which they charge again (default: 0.9 of shave_mw)")
    storage_deadband_mw: float = setting(0.0, "MW", "they begin to act where it is further off", least=0.0)
    storage_delay_s: float = setting(0.0, "s", "so long must it be off before they begin", least=0.0)
    flicker: bool = setting(False, "", "Pst of ten-minute periods at the cluster's bus from its power below the step")
    flicker_periods: int = setting(144, "", "so many periods at most, in blocks of two hours over the course", least=1)
    short_circuit_mva: float | None = setting(
        None, "MVA", "at the cluster's bus (default: by the dynamic models, else IEC 60909)", above=0.0
    )
    xr: float | None = setting(
        None, "", "reactance over resistance there (default: of the same source, else 10)", above=0.0
    )
    cluster: str | None = setting(None, "", "cluster of PV, battery and flicker; needed when the case has several")
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no verdicts"
    )
    enforce_q_lims: bool = setting(False, "", "hold units within their reactive limits")
    check_units: bool = setting(True, "", "refuse profiles that look a thousand times too large or small")
    keep: str = setting("", "", "write every step to this .csv or .parquet file as it is solved")
    detail: bool = setting(False, "", "write every bus voltage and branch loading there too")
    seed: int = setting(0, "", "seed of the clusters' demand", least=0)
    threads: int = setting(2, "", "threads of the batch", least=1)

    def __post_init__(self) -> None:
        found = Problems("study timeseries")
        check_fields(self, found)
        if not found:
            for name, value, remedy in self._faults():
                found.add("timeseries", None, name, value, remedy)
        found.raise_if_any(SettingError)

    def _faults(self) -> list[tuple[str, Any, str]]:
        """What does not go together: field, value, remedy."""
        out: list[tuple[str, Any, str]] = []
        if self.detail and not self.keep:
            out.append(("keep", self.keep, "name the file that detail is written to"))
        if self.step_s is not None and self.until_s is not None and self.step_s > self.until_s:
            out.append(("step_s", self.step_s, f"give a step up to until_s = {self.until_s:g} s"))
        if self.capacitors and self.capacitors_hold != "voltage" and not self.capacitor_branch:
            out.append(("capacitor_branch", "", f"name the branch whose {self.capacitors_hold} they hold"))
        if self.capacitors_hold == "pf" and self.capacitor_aim is not None and not 0.0 < self.capacitor_aim <= 1.0:
            out.append(("capacitor_aim", self.capacitor_aim, "give a power factor above 0, at most 1"))
        if (self.storage_mw > 0.0) != (self.storage_mwh > 0.0):
            out.append(("storage_mwh", self.storage_mwh, "give storage_mw and storage_mwh together"))
        if self.storage_soc_percent > 100.0 or self.storage_efficiency > 1.0:
            out.append(("storage_efficiency", self.storage_efficiency, "give at most 1, and a charge of at most 100 %"))
        if self.latitude_degree is not None and self.latitude_degree > 90.0:
            out.append(("latitude_degree", self.latitude_degree, "give -90 to 90, north positive"))
        if self.storage_rule == "shave" and self.shave_mw is None:
            out.append(("shave_mw", None, "give the level to which peaks are shaved"))
        if None not in (self.shave_mw, self.recharge_mw) and self.recharge_mw > self.shave_mw:  # type: ignore[operator]
            out.append(("recharge_mw", self.recharge_mw, "give a level up to shave_mw"))
        return out

    def run(self, case: Case, tick: Callable[[int, int], None] | None = None) -> Report:
        """Solve every step; tick(done, total) is called as steps are solved.

        Raises CaseError for faults of the profiles and of controllers that would hunt or cannot act, SettingError for
        what does not go together, PowerFlowError where the case as it stands has no power flow.
        """
        from gridai.reports import Report
        from gridai.studies import series_notes, series_run
        from gridai.studies import series_tables as tables

        profile = self._profile(case)
        done = series_run.play(self, case, profile, tick)
        result = tables.result_of(case, done)
        return Report(
            title=f"{case.name}: {len(done.sums.t_s):,} power flows over {tables.span(done.sums)}",
            study=self,
            summary=tables.summary(done),
            verdicts=done.verdicts,
            limits=done.limits,
            result=result,
            figures=("course",),
            tables={**tables.tables(done), **redispatch_tables(case)},
            notes=(*done.setup.play.notes, *series_notes.notes(self, done), *phase_notes(case), *case.notes),
            provenance=provenance_of(case, result, profile),
        )

    def _profile(self, case: Case) -> Profile | None:
        from gridai.criteria.profiles import DEFAULTS
        from gridai.studies.common import profile_of

        unknown = self.profile == "default" and "profile" not in case.defaults and case.f_hz not in DEFAULTS
        return None if self.profile == NO_PROFILE or unknown else profile_of(case, self.profile)
