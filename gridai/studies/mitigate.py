"""The study `mitigate`: remedies for a cluster's swings side by side: what the grid feels, what they cost and give.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, provenance_of, redispatch_tables, setting
from gridai.studies.oscillate import Oscillate

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.kernel.profile import Profile
    from gridai.reports import Report
    from gridai.studies.mitigating import Row
    from gridai.studies.remedies import Course

SHAPES = ("square", "sine", "measured")
LEAST_S, LEAST_CYCLES = 40.0, 12
"""Without cycles the swing lasts so long, and so many periods, at least. [s, -]"""
LATEST_S = 20.0
"""Help that begins later than this comes after any nadir; the run after the trip lasts 30 s. [s]"""
FIGURES = ("mitigation",)


@dataclass(frozen=True)
class Mitigate:
    """Remedies for a cluster's power swings, all against all: power, grid, cost, and the help that is left to give.

    Each remedy shapes the same course (square, sine, or the repeated cycle of a measured trace) and is played on the
    grid; then the largest unit trips and each gives what it can. A specification says which remedies meet it.
    """

    needs_cluster: ClassVar[bool] = True

    remedies: str = setting("all", "", "names with commas: floor, cap, ramp, floor+ramp, ballast, stagger, jitter, "
                            "capacitor, supercapacitor, battery, floor+battery, condenser, "
                            "grid-forming, statcom; all of them")  # fmt: skip
    shape: Literal["square", "sine", "measured"] = setting("square", "", "course of the power", choices=SHAPES)
    amplitude_mw: float | None = setting(None, "MW", "half of highest less lowest power (default: 10 % of the "
                                         "cluster; measured: in proportion to the cluster)", above=0.0)  # fmt: skip
    frequency_hz: float = setting(0.5, "Hz", "of the square or sine", above=0.0)
    file: str = setting("", "", "CSV of one cycle of measured power: a column of time in s and one of power")
    column: str = setting("", "", "name of the power's column in it (default: the second)")
    cycles: int | None = setting(None, "", "number of periods (default: 12, and 40 s of them at least)", least=4)
    floor: float = setting(0.9, "", "power floor, and level of ballast, as a part of the highest power", above=0.0)
    ramp_s: float = setting(10.0, "s", "time in which a ramp limit lets the whole swing pass", above=0.0)
    smooth_s: float = setting(10.0, "s", "time constant of the power that the battery leaves", above=0.0)
    store_s: float = setting(60.0, "s", "energy of the battery over its power, which is the swing", above=0.0)
    device_mva: float | None = setting(None, "MVA", "condenser, grid-forming inverter and STATCOM at the bus "
                                       "(default: the cluster's MW)", above=0.0)  # fmt: skip
    jobs: int = setting(8, "", "jobs in step, for stagger and jitter", least=2)
    range_mw: float | None = setting(None, "MW", "specification: highest less lowest power", above=0.0)
    ramp_mw_per_min: float | None = setting(None, "MW/min", "specification: ramp over 0.1 s, up and down", above=0.0)
    band_share: float = setting(0.2, "", "specification: part of the energy of all that varies that may lie in 0.1 "
                                "to 20 Hz (arXiv:2508.14318: 0.2)", above=0.0)  # fmt: skip
    unit: str = setting("", "", "unit that trips for the help (default: the largest); none: no trip")
    relief: float = setting(
        0.25, "", "part of the cluster's mean power that power caps take off when called", least=0.0
    )
    delay_s: float = setting(0.1, "s", "time from the trip until help begins", least=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    cluster: str | None = setting(None, "", "name of the cluster that swings; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study mitigate")
        check_fields(self, found)
        parts = (("floor", "highest power"), ("relief", "mean power"), ("band_share", "energy of all that varies"))
        for name, of in parts if not found else ():
            if getattr(self, name) > 1.0:
                found.add("mitigate", None, name, getattr(self, name), f"give a part of the {of}, 1 at most")
        if not found and self.delay_s > LATEST_S:
            found.add("mitigate", None, "delay_s", self.delay_s, f"help later than {LATEST_S:g} s is none: give less")
        found.raise_if_any(SettingError)
        self._swing(4)

    def _swing(self, cycles: int) -> Oscillate:
        """The swing; it begins at once, so that shapers see whole periods."""
        return Oscillate(
            shape=self.shape, amplitude_mw=self.amplitude_mw, frequency_hz=self.frequency_hz, at_s=1e-3, cycles=cycles,
            file=self.file, column=self.column, step_s=self.step_s,
        )  # fmt: skip

    def demand(self, p_mw: float) -> tuple[Profile, float, int]:
        """The demand of a cluster of mean p_mw [MW], its period [s], and the number of periods.

        Raises SettingError for a swing below zero power, CaseError for a faulty file.
        """
        period_s = 1.0 / self.frequency_hz
        if self.shape == "measured":
            wave, _ = self._swing(4).wave(p_mw)
            period_s = (float(wave.t_s[-1]) - 1e-3) / 4
        cycles = self.cycles or max(LEAST_CYCLES, math.ceil(LEAST_S / period_s))
        wave, _ = self._swing(cycles).wave(p_mw)
        demand = wave.shifted(-1e-3).plus(p_mw).between(0.0, cycles * period_s)
        if demand.values.min() < 0.0:
            raise SettingError(
                f"amplitude_mw: the cluster draws {p_mw:.1f} MW on average and would fall to {demand.values.min():.1f} "
                "MW; give a smaller amplitude or a larger cluster"
            )
        return demand, period_s, cycles

    def course(self, case: Case) -> tuple[Profile, Course, int]:
        """The demand, what the remedies are sized by, and the number of periods."""
        from gridai.studies.remedies import Course

        own = placement_of(case, self.cluster).cluster
        demand, period_s, cycles = self.demand(own.p_mw)
        top, bottom = float(demand.values.max()), float(demand.values.min())
        # A site of several clusters has no one kind of GPU: its parts are summed.
        return demand, Course(
            mean_mw=demand.mean(0.0, float(demand.t_s[-1])), top_mw=top, swing_mw=top - bottom, period_s=period_s,
            gpus=sum(c.count for c in own.clusters), pue=own.pue, idle_mw=min(own.idle_mw, bottom), jobs=self.jobs,
            floor=self.floor, ramp_mw_per_s=(top - bottom) / self.ramp_s, smooth_s=self.smooth_s,
            store_s=self.store_s, device_mva=self.device_mva or own.p_mw,
        ), cycles  # fmt: skip

    def run(self, case: Case) -> Report:
        """Shape, play, trip, compare. Raises SettingError for a case without a cluster and for an impossible swing."""
        from pathlib import Path

        from gridai.reports import Report
        from gridai.studies.mitigating import compare, measures_of, result_of, tables_of
        from gridai.studies.remedies import chosen

        placement = placement_of(case, self.cluster)
        demand, course, cycles = self.course(case)
        rows = compare(self, case, placement, demand, course, cycles, chosen(self.remedies, course))
        result = result_of(case, rows, course, cycles)
        what = (
            f"a {self.shape} of {self.frequency_hz:g} Hz"
            if self.shape != "measured"
            else f"the cycle {Path(self.file).stem}"
        )
        return Report(
            title=f"{case.name}: remedies for {what}, {course.swing_mw:.1f} MW of swing, bus {placement.bus}",
            study=self,
            summary=measures_of(rows, course),
            verdicts=(),
            limits=(),
            result=result,
            figures=FIGURES,
            tables={**tables_of(self, rows), **redispatch_tables(case)},
            notes=(*_notes(self, rows), *case.notes),
            provenance=provenance_of(case, result),
        )


def _costs(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the cost columns hold, and what of them is assumed."""
    from gridai.studies.bus_devices import LOSSES

    late = [row.remedy.name for row in rows if row.cost.delay_s > 0.0]
    held = [row.remedy.device for row in rows if row.remedy.device in LOSSES]
    lossy = ", ".join(f"{name} {100.0 * sum(LOSSES[name]):.2g} %" for name in held)
    return (
        "latency: how much later work is done on average; "
        + (f"added by {', '.join(late)}, none by the others" if late else "none of these remedies adds any")
        + "; work that a cap, a ramp limit or a wait holds back counts as training lost",
        "throughput: energy that left the store; of the grid-forming inverter its battery's, with the efficiencies of "
        "the remedy battery",
        *((f"losses of devices at full reactive power: {lossy} of the rating, assumed; not drawn in the network",)
          if held else ()),
    )  # fmt: skip


def _notes(study: Mitigate, rows: Sequence[Row]) -> tuple[str, ...]:
    asked = [f"at most {study.band_share:.0%} of the energy of all that varies in 0.1 to 20 Hz"]
    asked += [f"range {study.range_mw:g} MW"] if study.range_mw else []
    asked += [f"ramps {study.ramp_mw_per_min:g} MW/min over 0.1 s"] if study.ramp_mw_per_min else []
    lost = (
        "without its largest unit (or the one named) this grid does not come to rest, or no machine of it has inertia: "
        "no nadir is given",
    )
    return (
        *(f"{row.remedy.name}: machines lose step while the cluster swings" for row in rows if row.felt["lost"]),
        *(lost if study.unit != "none" and not any(math.isfinite(row.nadir_hz) for row in rows) else ()),
        "specification: "
        + ", ".join(asked)
        + " (form: arXiv:2508.14318; its example gives a number for the band alone)",
        "the band's part says how the energy is spread and not how much it is: a small swing in it fails; "
        "`band rms` is the size",
        "a machine's swing is that of its speed against the centre of inertia; it, line flow and bus voltage are the "
        "largest of the whole grid: a device calms its own bus and may move another",
        "a device that holds the voltage keeps voltage-dependent load up: after a trip the frequency may fall further",
        "Pst: flicker at the cluster's bus over that half of the run, as if it went on for 10 minutes; lamp of the "
        "grid's frequency; straight lines between the steps of the run",
        *_costs(rows),
        "powers and swings are read over the second half of the periods; costs over all of them",
        "a cap and a ramp limit slow the job down while they hold power back, its progress in proportion to its power "
        "(assumed): the periods grow longer, and their frequency lower",
        f"help: from the demand's mean power, caps take off {study.relief:.0%} of it {study.delay_s:g} s after the "
        "trip, within idle power and floors, as fast as ramp limits allow; a store adds its power while it has energy",
    )
