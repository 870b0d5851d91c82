"""The study `respond`: a cluster answers frequency by power caps when a unit is lost. How much does it help, how late?

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, profile_of, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

KINDS = ("droop", "step", "both")
FIGURES = ("respond",)
USUAL_MW = 100.0
MOST_CYCLES = 20
"""Power that is taken off where none is named [MW]; cycles that the model's delay line holds."""


@dataclass(frozen=True)
class Respond:
    """The loss of a unit with and without a cluster that answers frequency: nadir, RoCoF, and the delay that harms.

    The cluster answers by droop, by a step, or both, through power caps that are set every cycle_s and act delay_s
    later. A sweep of delays, also with a steeper droop, shows where help turns to harm.
    """

    needs_cluster: ClassVar[bool] = True

    power_mw: float | None = setting(None, "MW", "power that the cluster takes off at most (default: 100, or what caps "
                                     "and store can where that is less)", above=0.0)  # fmt: skip
    store_mw: float = setting(0.0, "MW", "part of it that UPS or a battery carry, beyond the caps", least=0.0)
    store_mj: float = setting(0.0, "MJ", "energy of that store; 1 MWh = 3,600 MJ", least=0.0)
    kind: Literal["droop", "step", "both"] = setting("droop", "", "how it is called", choices=KINDS)
    droop_hz: float = setting(0.3, "Hz", "deviation beyond the deadband at which all of it is called", above=0.0)
    deadband_hz: float = setting(0.036, "Hz", "deviation within which nothing is done", least=0.0)
    step_hz: float = setting(0.1, "Hz", "deviation that calls the step", above=0.0)
    release_hz: float = setting(0.05, "Hz", "deviation at which the step is given back", least=0.0)
    delay_s: float = setting(0.1, "s", "from measurement to cap, in whole cycles", least=0.0)
    cycle_s: float = setting(0.1, "s", "period in which caps are set", above=0.0)
    ramp_mw_per_s: float = setting(1e6, "MW/s", "fastest cut", above=0.0)
    recover_mw_per_s: float = setting(10.0, "MW/s", "fastest return to work", above=0.0)
    resolution_mw: float = setting(0.1, "MW", "steps in which caps are set; 0: any power", least=0.0)
    delays_s: tuple[float, ...] = setting((0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0), "s", "delays of the sweep, parted by "
                                          "commas", least=0.0)  # fmt: skip
    steeper: float = setting(20.0, "", "the sweep is made again with a droop so many times steeper; 1: not", least=1.0)
    unit: str = setting("", "", "unit that trips (default: the largest)")
    at_s: float = setting(1.0, "s", "when", above=0.0)
    until_s: float = setting(60.0, "s", "end of the run", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")
    cluster: str | None = setting(None, "", "name of the cluster that answers; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study respond")
        check_fields(self, found)
        if not found:
            for delay in (self.delay_s, *self.delays):
                cycles = delay / self.cycle_s
                if abs(cycles - round(cycles)) > 1e-6 or round(cycles) > MOST_CYCLES:
                    text = f"give whole cycles of {self.cycle_s:g} s, {MOST_CYCLES} at most"
                    found.add("respond", None, "delay_s", delay, text)
            if (self.store_mw > 0.0) != (self.store_mj > 0.0):
                text = "a store takes power and energy: give both store_mw and store_mj, or none"
                found.add("respond", None, "store_mj", self.store_mj, text)
            if self.kind != "droop" and not self.release_hz < self.step_hz:
                text = f"must be below step_hz = {self.step_hz:g} Hz: the points cross"
                found.add("respond", None, "release_hz", self.release_hz, text)
            if self.kind == "both" and self.deadband_hz > self.step_hz:
                text = f"must not be above step_hz = {self.step_hz:g} Hz: the points cross"
                found.add("respond", None, "deadband_hz", self.deadband_hz, text)
            if self.until_s < self.at_s + 20.0:
                found.add("respond", None, "until_s", self.until_s, "give 20 s after the trip at least")
        found.raise_if_any(SettingError)

    @property
    def delays(self) -> tuple[float, ...]:
        """Delays of the sweep, one given as a number too. [s]"""
        given = self.delays_s
        return tuple(given) if isinstance(given, tuple | list) else (given,)

    def sized(self, reach_mw: float) -> Respond:
        """The study with its power: what is asked for, else USUAL_MW as far as caps of reach_mw and the store go."""
        return replace(self, power_mw=self.power_mw or min(USUAL_MW, reach_mw + self.store_mw))

    @property
    def asked_mw(self) -> float:
        """Power that the cluster takes off at most, once it is `sized`. [MW]"""
        return self.power_mw or USUAL_MW

    def settings(self, delay_s: float, steeper: float = 1.0) -> dict[str, float]:
        """Columns of CAPLOAD's table."""
        down = max(0.0, self.asked_mw - self.store_mw)
        cycles = float(round(delay_s / self.cycle_s))
        droop = 0.0 if self.kind == "step" else self.asked_mw / self.droop_hz * steeper
        return {
            "droop_mw_per_hz": droop, "deadband_hz": self.deadband_hz, "down_mw": down,
            "store_mw": min(self.store_mw, self.asked_mw), "store_mj": self.store_mj,
            "step_mw": self.asked_mw if self.kind != "droop" else 0.0, "step_hz": self.step_hz,
            "release_hz": self.release_hz, "cycle_s": self.cycle_s, "delay_cycles": cycles,
            "resolution_mw": self.resolution_mw, "ramp_mw_per_s": self.ramp_mw_per_s,
            "recover_mw_per_s": self.recover_mw_per_s,
        }  # fmt: skip

    def run(self, case: Case) -> Report:
        """Trip the unit without and with the answer, then for each delay.

        Raises SettingError for more power than the cluster has above idle, UnknownNameError for an unknown unit,
        ConvergenceError when a run does not converge.
        """
        from gridai import criteria
        from gridai.reports import Report
        from gridai.studies.responding import Bench, inertia_note, measures_of, notes_of, result_of, tables_of

        placement = placement_of(case, self.cluster)
        profile = profile_of(case, self.profile)
        bench = Bench.of(self, case, placement)
        study = bench.study
        without, answered = bench.trip(None), bench.trip(study.settings(self.delay_s))
        rows = bench.sweep(without)
        inertia = inertia_note(bench, without, answered, bench.at_best())
        result = result_of(case, bench, without, answered, rows)
        return Report(
            title=f"{case.name}: loss of {bench.unit} ({bench.lost_mw:.0f} MW), {placement.name} answers with "
            f"{study.asked_mw:.4g} MW by {self.kind}",
            study=self,
            summary=measures_of(bench, without, answered, rows),
            verdicts=criteria.check(answered.result, profile, "contingency"),
            limits=profile.of("contingency"),
            result=result,
            figures=FIGURES,
            tables={**tables_of(bench, without, rows), **redispatch_tables(case)},
            notes=(*notes_of(bench, placement, inertia), *case.notes),
            provenance=provenance_of(case, answered.result, profile),
        )
