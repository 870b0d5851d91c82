"""The study `size`: the smallest battery, GPU power floor or ramp limit with which a cluster's swings meet a profile.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, profile_of, provenance_of, setting
from gridai.studies.mitigate import SHAPES, Mitigate

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

FIGURES = ("sizes",)


@dataclass(frozen=True)
class Size:
    """The smallest battery, power floor and ramp limit that make a cluster's swings meet limits on its power.

    The limits are those of a criteria profile on the power of a load (ramps, range within a window, oscillation in a
    band), numbers of your own, or both. Each remedy alone, by bisection; for a square wave the closed form beside it.
    """

    needs_cluster: ClassVar[bool] = True

    shape: Literal["square", "sine", "measured"] = setting("square", "", "course of the power", choices=SHAPES)
    amplitude_mw: float | None = setting(None, "MW", "half of highest less lowest power (default: 10 % of the "
                                         "cluster; measured: in proportion to the cluster)", above=0.0)  # fmt: skip
    frequency_hz: float = setting(0.5, "Hz", "of the square or sine", above=0.0)
    file: str = setting("", "", "CSV of one cycle of measured power: a column of time in s and one of power")
    column: str = setting("", "", "name of the power's column in it (default: the second)")
    cycles: int | None = setting(None, "", "number of periods (default: 12, and 40 s of them at least)", least=4)
    profile: str = setting("none", "", "criteria profile whose limits on a load's power hold, or a TOML file; none: "
                           "only the numbers below")  # fmt: skip
    range_mw: float | None = setting(None, "MW", "highest less lowest power, at most", above=0.0)
    ramp_mw_per_min: float | None = setting(None, "MW/min", "ramp over 0.1 s, up and down, at most", above=0.0)
    band_share: float | None = setting(None, "", "part of the energy of all that varies that may lie in 0.1 to 20 Hz "
                                       "(arXiv:2508.14318: 0.2)", above=0.0)  # fmt: skip
    efficiency: float = setting(0.95, "", "of the battery, each way; 1: lossless, as in the closed form", above=0.0)
    soc_low: float = setting(0.05, "", "lowest charge of the battery; the highest is 1 less it", least=0.0)
    cluster: str | None = setting(None, "", "name of the cluster that swings; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study size")
        check_fields(self, found)
        if not found:
            if self.efficiency > 1.0:
                found.add("size", None, "efficiency", self.efficiency, "give 1 at most")
            if self.soc_low >= 0.5:
                found.add("size", None, "soc_low", self.soc_low, "give a charge below 0.5")
            if self.profile == "none" and not (self.range_mw or self.ramp_mw_per_min or self.band_share):
                text = "there is nothing to meet: give a profile, range_mw, ramp_mw_per_min or band_share"
                found.add("size", None, "profile", self.profile, text)
        found.raise_if_any(SettingError)
        self.swing()

    def swing(self) -> Mitigate:
        """The course that is to be smoothed, as the study mitigate makes it."""
        return Mitigate(
            shape=self.shape, amplitude_mw=self.amplitude_mw, frequency_hz=self.frequency_hz, file=self.file,
            column=self.column, cycles=self.cycles, cluster=self.cluster, unit="none",
        )  # fmt: skip

    def run(self, case: Case) -> Report:
        """Search each remedy's size. Raises SettingError for a profile without a limit on a load's power."""
        from pathlib import Path

        from gridai.reports import Report
        from gridai.studies.sizes import Asked, closed_forms, find, measures_of, result_of, tables_of

        placement = placement_of(case, self.cluster)
        profile = None if self.profile == "none" else profile_of(case, self.profile)
        demand, course, cycles = self.swing().course(case)
        asked = Asked.of(self, profile, course, cycles)
        found = find(self, demand, course, asked)
        result = result_of(case, demand, found, course, cycles)
        what = Path(self.file).name if self.shape == "measured" else f"{self.shape} of {self.frequency_hz:g} Hz"
        return Report(
            title=f"{case.name}: smallest remedies for {placement.name}, {what}, {course.swing_mw:.1f} MW from lowest "
            "to highest",
            study=self,
            summary=measures_of(asked, demand, found, closed_forms(self, course)),
            verdicts=(),
            limits=asked.limits,
            result=result,
            figures=FIGURES,
            tables=tables_of(asked, demand, found),
            notes=(*asked.notes, *_notes(self)),
            provenance=provenance_of(case, result, profile),
        )


def _notes(study: Size) -> tuple[str, ...]:
    return (
        "judged over the second half of the periods, once the course repeats; each remedy alone",
        "battery: a first-order lag of the power that the grid sees; its time constant is searched without losses, "
        "power and energy are those that it then uses; its capacity adds the loss of discharging and the "
        f"charge that stays: {study.soc_low:.0%} at either end",
        "ramp limit: it slows the job down while it holds power back, in proportion to the power (assumed); the "
        "periods grow longer",
    )
