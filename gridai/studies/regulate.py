"""The study `regulate`: a cluster follows a regulation signal, is scored, and helps an hour of the grid's own AGC.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

KINDS = ("cap", "clock", "batch", "pause")
FIGURES = ("regulate",)
LONGEST_CYCLE_S = 60.0
"""Longer periods are no regulation; the score takes means of 10 s and parts of 5 min. [s]"""


@dataclass(frozen=True)
class Regulate:
    """A cluster follows a 2 s or 4 s regulation signal: the operator's score of each actuator, and an hour of AGC.

    The score is PJM's of three parts; what each limit of an actuator costs is found by leaving it out. Then the loads
    of the grid wander for an hour under AGC, with units alone and with the cluster: deviation of frequency and CPS1.
    """

    needs_cluster: ClassVar[bool] = True

    power_mw: float = setting(30.0, "MW", "capability in each direction about the cluster's mean power", above=0.0)
    cycles_s: tuple[float, ...] = setting((2.0, 4.0), "s", "periods of the signal, parted by commas; AGC runs with the "
                                          "last", above=0.0)  # fmt: skip
    actuator: Literal["cap", "clock", "batch", "pause"] = setting("cap", "", "what follows the AGC", choices=KINDS)
    file: str = setting("", "", "CSV of a signal from -1 to 1: a column of time in s and one of the signal (default: "
                        "made from the seed)")  # fmt: skip
    longest_gap_s: float = setting(30.0, "s", "longer gaps of the signal are refused, shorter ones keep its last value",
                                   above=0.0)  # fmt: skip
    hour_s: float = setting(3600.0, "s", "length of the AGC run; 0: none", least=0.0)
    noise_mw: float | None = setting(None, "MW", "standard deviation of the wandering load (default: 1 % of all load)",
                                     above=0.0)  # fmt: skip
    noise_s: float = setting(60.0, "s", "time in which it forgets itself", above=0.0)
    share: float = setting(0.3, "", "part of the regulation that the cluster takes over from the units", above=0.0)
    ki_per_s: float = setting(0.02, "1/s", "integral gain of the AGC", least=0.0)
    kp: float = setting(0.5, "MW/MW", "proportional gain of the AGC", least=0.0)
    unit_ramp_mw_per_min: float = setting(10.0, "MW/min", "fastest change of each unit's reference", above=0.0)
    interconnection: str = setting("eastern", "", "whose target of frequency CPS1 takes (unverified)")
    seed: int = setting(0, "", "seed of signal and load", least=0)
    step_s: float = setting(1 / 60, "s", "longest integration step", above=0.0)
    cluster: str | None = setting(None, "", "name of the cluster that regulates; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study regulate")
        check_fields(self, found)
        if not found and self.share >= 1.0:
            found.add("regulate", None, "share", self.share, "give a part below 1: units take the rest")
        if not found and 0.0 < self.hour_s < 300.0:
            found.add("regulate", None, "hour_s", self.hour_s, "give 300 s at least (clock minutes are averaged), or 0")
        for cycle_s in self.periods if not found else ():
            if cycle_s > LONGEST_CYCLE_S:
                text = f"a regulation signal comes every 2 or 4 s: give {LONGEST_CYCLE_S:g} s at most"
                found.add("regulate", None, "cycles_s", cycle_s, text)
        found.raise_if_any(SettingError)

    @property
    def periods(self) -> tuple[float, ...]:
        """Periods of the signal, one given as a number too. [s]"""
        given = self.cycles_s
        return tuple(given) if isinstance(given, tuple | list) else (given,)

    def run(self, case: Case) -> Report:
        """Score each actuator, then play the hour without and with the cluster.

        Raises SettingError for a capability beyond idle or nameplate power, a signal with long gaps or beyond -1 to 1.
        """
        from gridai.criteria.balancing import interconnection
        from gridai.reports import Report
        from gridai.studies.regulating import Hour, measures_of, notes_of, result_of, scored, tables_of

        interconnection(self.interconnection)
        placement = placement_of(case, self.cluster)
        own = placement.cluster
        low, high = own.p_mw - own.idle_mw, own.nameplate_mw - own.p_mw
        if self.power_mw > min(low, high) * (1.0 + 1e-9):
            raise SettingError(
                f"power_mw = {self.power_mw:g}: the cluster draws {own.p_mw:.1f} MW, {own.idle_mw:.1f} idle and "
                f"{own.nameplate_mw:.1f} by nameplate: give {min(low, high):.1f} MW or less, or a larger cluster"
            )
        scores = scored(self, own.p_mw)
        hour = Hour.of(self, case, placement) if self.hour_s else None
        result = result_of(self, case, scores, hour)
        return Report(
            title=f"{case.name}: {placement.name} of {own.p_mw:.0f} MW regulates by {self.power_mw:g} MW",
            study=self,
            summary=measures_of(self, scores, hour),
            verdicts=(),
            limits=(),
            result=result,
            figures=FIGURES,
            tables={**tables_of(scores, hour), **redispatch_tables(case)},
            notes=(*notes_of(self, scores, hour, own.p_mw), *case.notes),
            provenance=provenance_of(case, result),
        )
