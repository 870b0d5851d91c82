"""The study `oscillate`: a cluster's power swings, as a square, a sine or a measured trace. What swings with it?

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, profile_of, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.cluster import Cluster
    from gridai.kernel.profile import Profile
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result

SHAPES = ("square", "sine", "measured")
LEAST_S, LEAST_PERIODS, AFTER_S = 20.0, 10.0, 5.0
"""Without until_s a run lasts so long at least, so many periods, and so long after the last one. [s, -, s]"""
FIGURES = ("swings", "frequency", "voltages", "branch_flows", "cluster_power")
DEFAULT_SHARE = 0.1
"""Amplitude where none is given, as a part of the cluster's mean power."""


@dataclass(frozen=True)
class Oscillate:
    """A cluster's power swings about its mean: tables of what generators, lines and buses swing with it.

    A square or sine of one frequency, or a measured trace from a CSV file.
    """

    needs_cluster: ClassVar[bool] = True

    shape: Literal["square", "sine", "measured"] = setting("square", "", "course of the power", choices=SHAPES)
    amplitude_mw: float | None = setting(None, "MW", "half of highest less lowest power (default: 10 % of the "
                                         "cluster; measured: in proportion to the cluster)", above=0.0)  # fmt: skip
    frequency_hz: float = setting(1.0, "Hz", "of the square or sine", above=0.0)
    at_s: float = setting(1.0, "s", "start", above=0.0)
    cycles: int | None = setting(None, "", "number of periods, or repeats of the trace (default: to the end of the "
                                 "run; trace: once)", least=1)  # fmt: skip
    duty: float = setting(0.5, "", "part of the square's period at high power, below 1", above=0.0)
    edge_s: float = setting(0.0, "s", "time that an edge of the square takes", least=0.0)
    file: str = setting("", "", "CSV of the measured power: a column of time in s and one of power in any unit")
    column: str = setting("", "", "name of the power's column in it (default: the second)")
    until_s: float | None = setting(None, "s", "end of the run (default: 5 s after the last period; 20 s and 10 "
                                    "periods at least)", above=0.0)  # fmt: skip
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    most: int = setting(15, "", "rows of each table", least=1)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")
    cluster: str | None = setting(None, "", "name of the cluster that swings; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study oscillate")
        check_fields(self, found)
        if not found:
            if self.duty >= 1.0:
                found.add("oscillate", None, "duty", self.duty, "give a part above 0 and below 1")
            if (self.shape == "measured") != bool(self.file):
                text = "give the CSV file of the trace with shape measured, and with no other shape"
                found.add("oscillate", None, "file", self.file, text)
            if self.until_s is not None and self.until_s <= self.at_s:
                found.add("oscillate", None, "until_s", self.until_s, f"give an end after {self.at_s:g} s")
            if self.shape != "measured" and self.frequency_hz * self.step_s > 0.1:
                text = f"at most 0.1 / step_s = {0.1 / self.step_s:g} Hz, ten steps a period; give a shorter step_s"
                found.add("oscillate", None, "frequency_hz", self.frequency_hz, text)
        found.raise_if_any(SettingError)

    @property
    def horizon_s(self) -> float:
        """End of the run of a square or sine. [s]"""
        if self.until_s is not None:
            return self.until_s
        if self.cycles is not None:
            return self.at_s + self.cycles / self.frequency_hz + AFTER_S
        return self.at_s + max(LEAST_S, LEAST_PERIODS / self.frequency_hz)

    def wave(self, p_mw: float) -> tuple[Profile, float]:
        """The change of the demand from the mean p_mw, in MW, and the end of the run in s."""
        from gridai.cluster import waveform

        if self.shape == "measured":
            course = waveform.trace(self.file, self.at_s, self.cycles or 1, self.column)
            top, bottom = float(course.values.max()), float(course.values.min())
            scale = p_mw if self.amplitude_mw is None else 2.0 * self.amplitude_mw / max(top - bottom, 1e-9)
            until_s = self.until_s or float(course.t_s[-1]) + AFTER_S
            return course.scaled(scale), until_s
        amplitude_mw = DEFAULT_SHARE * p_mw if self.amplitude_mw is None else self.amplitude_mw
        periods = float(self.cycles or math.ceil((self.horizon_s - self.at_s) * self.frequency_hz))
        if self.shape == "sine":
            course = waveform.sine(self.frequency_hz, periods, self.at_s)
        else:
            course = waveform.square(self.frequency_hz, periods, self.at_s, self.duty, self.edge_s)
        return course.scaled(amplitude_mw), self.horizon_s

    def run(self, case: Case) -> Report:
        """Play the course on a case that holds a cluster.

        Raises SettingError for a case without a cluster and for a swing larger than the cluster, CaseError for a
        faulty CSV file, ConvergenceError (with the result until then) when the run does not converge.
        """
        from gridai import criteria
        from gridai.reports import Report
        from gridai.studies.disturbance import play

        placement = placement_of(case, self.cluster)
        profile = profile_of(case, self.profile)
        wave, until_s = self.wave(placement.cluster.p_mw)
        swinging = _with_wave(case, placement, wave)
        result = play(swinging, (), until_s, self.step_s)
        window = self.window(until_s)
        return Report(
            title=f"{case.name}: {self._in_words(wave)} at bus {placement.bus}",
            study=self,
            summary=_summary(self, result, placement, window),
            verdicts=criteria.check(result, profile, "normal"),
            limits=profile.of("normal"),
            result=result,
            figures=FIGURES,
            tables={**_tables(self, result, placement.name, window), **redispatch_tables(case)},
            notes=(*_notes(self, placement, wave, window), *case.notes),
            provenance=provenance_of(case, result, profile),
        )

    def window(self, until_s: float) -> tuple[float, float]:
        """Where swings are read: the whole periods in the second half of the oscillation; of a trace, all of it. [s]"""
        if self.shape == "measured":
            return self.at_s, until_s
        end = until_s if self.cycles is None else min(until_s, self.at_s + self.cycles / self.frequency_hz)
        whole = math.floor((end - self.at_s) * self.frequency_hz + 1e-9)
        if whole < 1:
            return self.at_s, end
        last = self.at_s + whole / self.frequency_hz
        return last - max(1, whole // 2) / self.frequency_hz, last

    def _in_words(self, wave: Profile) -> str:
        swing = float(wave.values.max() - wave.values.min())
        if self.shape == "measured":
            from pathlib import Path

            return f"{Path(self.file).name}, {swing:.1f} MW from lowest to highest,"
        return f"{self.shape} of {self.frequency_hz:g} Hz, {swing:.1f} MW from lowest to highest,"


def _with_wave(case: Case, placement: Placement, wave: Profile) -> Case:
    """The case with the cluster's workload replaced by its mean and the wave."""
    played = swinging(placement.cluster, wave)
    kept = tuple(replace(p, cluster=played) if p.name == placement.name else p for p in case.placements)
    return replace(case, placements=kept)


def swinging(cluster: Cluster, wave: Profile) -> Cluster:
    """The cluster with its workload replaced by its mean and a wave [MW]. Raises SettingError for too large a wave."""
    from gridai.cluster.waveform import Played

    lowest = cluster.p_mw + float(wave.values.min())
    if lowest < -1e-9 * cluster.p_mw:
        raise SettingError(
            f"amplitude_mw: the cluster draws {cluster.p_mw:.1f} MW on average and would fall to {lowest:.1f} MW; "
            "give a smaller amplitude or a larger cluster"
        )
    level = cluster.workload.mean
    return replace(cluster, workload=Played(wave.scaled(level / cluster.p_mw).plus(level)))


def _summary(study: Oscillate, result: Result, placement: Placement, window: tuple[float, float]) -> dict[str, Measure]:
    from gridai.reports import Measure
    from gridai.studies.disturbance import machine_measures, swing_rows
    from gridai.studies.summary import all_measures

    lines = {}
    for key, label, kind, quantity, unit, factor in (
        ("cluster", "swing of the cluster", "cluster", "p_mw", "MW", 1.0),
        ("generator", "largest generator swing", "gen", "p_mw", "MW", 1.0),
        ("speed", "largest speed swing", "gen", "speed_pu", "mHz", 1e3 * float(result.meta["f_hz"])),
        ("branch", "largest line swing", "branch", "p_mw", "MW", 1.0),
        ("voltage", "largest voltage swing", "bus", "vm_pu", "pu", 1.0),
        ("bus_frequency", "largest swing of bus frequency", "bus", "f_hz", "mHz", 1e3),
    ):
        rows = swing_rows(result, *window, kind, quantity)
        own = [row for row in rows if kind != "cluster" or row[0] == placement.name]
        if own:
            lines[f"swing_of_{key}"] = Measure(label, factor * own[0][1], unit, own[0][0])
    others = {k: v for k, v in all_measures(result).items() if not k.startswith("swing_")}
    first = {k: v for k, v in machine_measures(result).items() if k != "swing"}
    return {**lines, **first, **others}


def _tables(study: Oscillate, result: Result, cluster: str, window: tuple[float, float]) -> dict[str, Table]:
    """Swings of generators, lines and buses, and their gains at the frequency of the oscillation."""
    from gridai.reports import Table

    f = float(result.meta["f_hz"])
    plans = {
        "generator_swings": ("generators", (("gen", "p_mw", "MW", 1.0), ("gen", "speed_pu", "mHz", 1e3 * f))),
        "branch_swings": ("branches", (("branch", "p_mw", "MW", 1.0), ("branch", "q_mvar", "MVAr", 1.0))),
        "bus_swings": ("buses", (("bus", "f_hz", "mHz", 1e3), ("bus", "vm_pu", "1e-3 pu", 1e3))),
    }
    found = {}
    for name, (what, quantities) in plans.items():
        columns, rows = _swing_table(study, result, cluster, window, what, quantities)
        if rows:
            text = f"swings of the {what}, highest less lowest from {window[0]:.2f} to {window[1]:.2f} s"
            found[name] = Table(text, columns, rows)
    return found


def _swing_table(
    study: Oscillate, result: Result, cluster: str, window: tuple[float, float], what: str, quantities: Any
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Columns and rows of one table: the elements that swing most in the first quantity."""
    from gridai.studies.disturbance import swing_rows

    held = [q for q in quantities if q[1] in result.quantities(q[0])]
    if not held:
        return (), ()
    columns, cells = [what], []
    order = [name for name, _ in swing_rows(result, *window, *held[0][:2])][: study.most]
    for kind, quantity, unit, factor in held:
        swing = dict(swing_rows(result, *window, kind, quantity))
        columns.append(f"{quantity.rpartition('_')[0]} [{unit}]")
        cells.append([factor * swing.get(name, math.nan) for name in order])
        if study.shape != "measured":
            gain = _gains(study, result, cluster, window, kind, quantity)
            columns.append(f"{unit} per MW")
            cells.append([factor * gain.get(name, math.nan) for name in order])
    return tuple(columns), tuple((name, *(round(c[k], 5) for c in cells)) for k, name in enumerate(order))


def _gains(
    study: Oscillate, result: Result, cluster: str, window: tuple[float, float], kind: str, quantity: str
) -> dict[str, float]:
    """Size of the spectral line at the oscillation's frequency over that of the cluster's power, by element."""
    from gridai.results.ringdown import spectral_line

    drawn = result.series("cluster", cluster, "p_mw")
    own = abs(spectral_line(result.t_s, drawn, study.frequency_hz, *window)[0])
    lines = spectral_line(result.t_s, result.values(kind, quantity), study.frequency_hz, *window)
    return {name: float(abs(x) / own) for name, x in zip(result.names(kind, quantity), lines, strict=True)}


def _notes(study: Oscillate, placement: Placement, wave: Profile, window: tuple[float, float]) -> tuple[str, ...]:
    cluster = placement.cluster
    top = cluster.p_mw + float(wave.values.max())
    notes = [f"swings are read from {window[0]:.2f} to {window[1]:.2f} s; gains are spectral lines over that window"]
    if study.shape == "measured":
        notes = [f"the trace swings about the cluster's mean of {cluster.p_mw:.1f} MW, in time as measured"]
    if top > cluster.nameplate_mw:
        notes.append(
            f"the highest power, {top:.1f} MW, is above the cluster's nameplate of {cluster.nameplate_mw:.1f} MW"
        )
    return tuple(notes)
