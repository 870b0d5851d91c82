"""The study `pause`: a cluster stops drawing part of its power and comes back, once, again and again, or by schedule.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import (
    add_places,
    check_fields,
    placement_of,
    profile_of,
    provenance_of,
    redispatch_tables,
    setting,
)

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.cluster import Pause as Stop
    from gridai.criteria import Profile
    from gridai.reports import Report
    from gridai.results import Result

FIGURES = ("overview", "frequency", "voltages", "cluster_power", "generator_power")
USUAL_MW = 100.0
LEAST_S, AFTER_S = 20.0, 10.0
"""Without until_s a run lasts at least so long, and so long after the last power has moved. [s]"""


@dataclass(frozen=True)
class Pause:
    """A GPU cluster pauses training and comes back: frequency, voltages, generator swings, verdicts.

    One pause; a train of them with repeat and every_s; or any with schedule.
    """

    needs_cluster: ClassVar[bool] = True

    pause_mw: float | None = setting(
        None,
        "MW",
        "power at the meter that goes away (default: 100, or all jobs of a cluster that draws less)",
        above=0.0,
    )
    at_s: float = setting(1.0, "s", "start of the first pause", least=0.0)
    resume_s: float | None = setting(11.0, "s", "start of its return; inf: it stays away", least=0.0, endless=True)
    repeat: int = setting(1, "", "number of pauses", least=1)
    every_s: float | None = setting(None, "s", "time from one pause to the next; needed with repeat", above=0.0)
    schedule: str = setting(
        "", "", "pauses as start:MW:return, parted by commas (1:100:11, 20:50:inf), in place of the fields above"
    )
    ramp_down_s: float | None = setting(None, "s", "time in which it goes; 0: a step (default: measured)", least=0.0)
    ramp_up_s: float | None = setting(None, "s", "time of its return; 0: a step (default: measured)", least=0.0)
    until_s: float | None = setting(None, "s", "end of the run (default: 10 s after the last change, 20 s at least)",
                                     above=0.0)  # fmt: skip
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the training's jitter", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")
    cluster: str | None = setting(None, "", "name of the cluster that pauses; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study pause")
        check_fields(self, found)
        if not found and self.repeat > 1 and self.every_s is None and not self.schedule:
            found.add("pause", None, "every_s", None, "give the time from one pause to the next, in s")
        if not found and self.until_s is not None and self.until_s <= self.at_s and not self.schedule:
            found.add("pause", None, "until_s", self.until_s, f"give an end after the pause at {self.at_s:g} s")
        found.raise_if_any(SettingError)
        self.pauses()

    def pauses(self) -> tuple[Stop, ...]:
        """The pauses that the fields describe, as the cluster plays them; of 100 MW where no power is given."""
        from gridai.cluster.pauses import Pause as Stop

        ramps = {"ramp_down_s": self.ramp_down_s, "ramp_up_s": self.ramp_up_s}
        given = {name: value for name, value in ramps.items() if value is not None}
        return tuple(Stop(at, mw, _finite(back), **given) for at, mw, back in self._times())

    def _times(self) -> list[tuple[float, float, float | None]]:
        """Start, power and return of each pause."""
        if self.schedule:
            return _parse_schedule(self.schedule)
        shifts = [k * (self.every_s or 0.0) for k in range(self.repeat)]
        back = _finite(self.resume_s)
        mw = USUAL_MW if self.pause_mw is None else self.pause_mw
        return [(self.at_s + s, mw, None if back is None else back + s) for s in shifts]

    def run(self, case: Case) -> Report:
        """Play the pauses on a case that holds a cluster, and judge what happens.

        Raises SettingError for a case without a cluster and for a pause larger than the cluster, ConvergenceError
        (with the result until then) when the run does not converge.
        """
        from gridai import engine
        from gridai.cluster.pauses import paused_share

        placement = placement_of(case, self.cluster)
        if self.pause_mw is None and not self.schedule:
            return replace(self, pause_mw=usual_mw(placement.cluster)).run(case)
        profile = profile_of(case, self.profile)
        stops = self.pauses()
        paused_share(stops, placement.cluster.p_mw)
        system = engine.compile_system(case)
        events = [engine.TrainingPause(placement.name, stop) for stop in stops]
        result = engine.simulate(system, events, until_s=self.horizon_s, step_s=self.step_s, seed=self.seed)
        add_places(result, case)
        return self._report(case, placement, profile, stops, result)

    @property
    def horizon_s(self) -> float:
        """End of the run: until_s, or 10 s after the last change, rounded up to whole 5 s, at least 20 s. [s]"""
        if self.until_s is not None:
            return self.until_s
        ends = [stop.back_s if math.isfinite(stop.back_s) else stop.at_s + stop.ramp_down_s for stop in self.pauses()]
        return max(LEAST_S, 5.0 * math.ceil((max(ends) + AFTER_S) / 5.0))

    def _report(
        self, case: Case, placement: Placement, profile: Profile, stops: tuple[Stop, ...], result: Result
    ) -> Report:
        from gridai import criteria
        from gridai.reports import Report

        return Report(
            title=f"{case.name}: {_in_words(stops)} at bus {placement.bus}",
            study=self,
            summary=_summary(result, stops),
            verdicts=criteria.check(result, profile, "normal"),
            limits=profile.of("normal"),
            result=result,
            figures=FIGURES,
            tables=redispatch_tables(case),
            notes=_notes(case, placement, stops),
            provenance=_provenance(case, placement, profile, result),
        )


def usual_mw(cluster: Any) -> float:
    """100 MW; where a cluster draws less, what goes when all its jobs stop and its servers stay on. [MW]"""
    return USUAL_MW if cluster.p_mw >= USUAL_MW else float(cluster.p_mw - cluster.idle_mw)


def _in_words(stops: tuple[Stop, ...]) -> str:
    from gridai.units import power_text

    first = stops[0]
    if len(stops) > 1:
        return f"{len(stops)} training pauses from {first.at_s:g} s on, the first of {first.pause_mw:g} MW,"
    until = "without return" if first.resume_s is None else f"to {first.resume_s:g} s"
    size = power_text(first.pause_mw) if first.pause_mw < 0.1 else f"{first.pause_mw:.5g} MW"
    return f"training pause of {size} from {first.at_s:g} s {until}"


def _finite(value: float | None) -> float | None:
    """Infinity as a time of return means: never."""
    return None if value is None or math.isinf(value) else value


def _parse_schedule(text: str) -> list[tuple[float, float, float | None]]:
    """start:MW:return of each pause; without a return, or with inf, it stays away."""
    found = Problems("study pause")
    times = []
    for n, part in enumerate(text.split(","), 1):
        cells = part.strip().split(":")
        try:
            at, mw, *back = [float(cell) for cell in cells]
        except ValueError:
            found.add("schedule", n, "schedule", part.strip(), "write start:MW:return, in s and MW, as 1:100:11")
            continue
        if len(back) > 1 or any(math.isnan(x) for x in (at, mw, *back)):
            found.add("schedule", n, "schedule", part.strip(), "write start:MW:return, in s and MW, as 1:100:11")
        else:
            times.append((at, mw, _finite(back[0]) if back else None))
    found.raise_if_any(SettingError)
    return times


def _summary(result: Result, stops: tuple[Stop, ...]) -> dict[str, Any]:
    from gridai.studies.summary import all_measures, has_frequency, settling_between

    lines = dict(all_measures(result))
    first = min(stops, key=lambda stop: stop.at_s)
    if first.resume_s is None or first.resume_s > result.t_s[-1] or not has_frequency(result):
        return lines
    ordered: dict[str, Any] = {}
    for key, line in lines.items():
        if key == "settling":
            gone_s = first.at_s + first.ramp_down_s
            ordered["before_return"] = settling_between(result, gone_s, first.resume_s)
        ordered[key] = line
    return ordered


def _notes(case: Case, placement: Placement, stops: tuple[Stop, ...]) -> tuple[str, ...]:
    largest = max(stops, key=lambda stop: stop.pause_mw)
    return (str(placement.cluster.explain_pause(largest)), *case.notes)


def _provenance(case: Case, placement: Placement, profile: Profile, result: Result) -> dict[str, Any]:
    """As of every study, with the cluster that pauses."""
    own = {"cluster": f"{placement.name}: {placement.cluster}", "cluster_bus": placement.bus}
    return {**provenance_of(case, result, profile), **own, "balance": placement.balance}
