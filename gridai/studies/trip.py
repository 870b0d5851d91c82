"""The study `trip`: a unit, a line or a load is lost at once. What does the frequency do, and do all stay together?

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, profile_of, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import Event
    from gridai.reports import Measure, Report
    from gridai.results import Result


@dataclass(frozen=True)
class Trip:
    """The loss of a generator, a line or a load: nadir or zenith, RoCoF, settling frequency and the grid's response.

    Give one of unit, branch and load, or several that are lost together. A cluster is a load too.
    """

    needs_cluster: ClassVar[bool] = False

    unit: str = setting("", "", "generating unit that trips, with its controllers")
    branch: str = setting("", "", "line or transformer that opens")
    load: str = setting("", "", "load, or cluster, that is lost")
    at_s: float = setting(1.0, "s", "when", least=0.0)
    until_s: float = setting(60.0, "s", "end of the run", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study trip")
        check_fields(self, found)
        if not (self.unit or self.branch or self.load):
            found.add("trip", None, "unit", self.unit, "name what is lost: a unit, a branch or a load")
        if not found and self.until_s <= self.at_s:
            found.add("trip", None, "until_s", self.until_s, f"give an end after the trip at {self.at_s:g} s")
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Play the loss and judge what follows, by the limits after a contingency.

        Raises UnknownNameError for what the case does not have, ConvergenceError with the result until then.
        """
        from gridai import criteria
        from gridai.reports import Report
        from gridai.studies.disturbance import FIGURES, machine_measures, play
        from gridai.studies.summary import all_measures

        profile = profile_of(case, self.profile)
        lost = _lost(self, case)
        result = play(case, lost.events, self.until_s, self.step_s, self.seed)
        measures = all_measures(result)
        return Report(
            title=f"{case.name}: loss of {' and '.join(lost.words)} at {self.at_s:g} s",
            study=self,
            summary={**response_measures(result, lost.surplus_mw, measures), **measures, **machine_measures(result)},
            verdicts=criteria.check(result, profile, "contingency"),
            limits=profile.of("contingency"),
            result=result,
            figures=("frequency", *(name for name in FIGURES if name != "frequency"), "generator_power"),
            tables=redispatch_tables(case),
            notes=(*_log(result, {self.unit, self.branch}), *case.notes),
            provenance=provenance_of(case, result, profile),
        )


@dataclass(frozen=True)
class _Lost:
    """Events of the loss, in words, and the power that is then too much (load lost less generation lost). [MW]"""

    events: tuple[Event, ...]
    words: tuple[str, ...]
    surplus_mw: float


def _lost(study: Trip, case: Case) -> _Lost:
    from gridai import engine

    events: list[Any] = []
    words, surplus = [], 0.0
    net = case.solve().network
    if study.unit:
        events.append(engine.GeneratorTrip(study.unit, study.at_s))
        p_mw = _power(study.unit, net.units.name, net.units.p_mw, "unit")
        words.append(f"unit {study.unit} ({p_mw:.1f} MW)")
        surplus -= p_mw
    if study.branch:
        events.append(engine.BranchTrip(study.branch, study.at_s))
        words.append(f"branch {study.branch}")
    if study.load:
        p_mw = _power(study.load, net.loads.name, net.loads.p_mw, "load")
        events.append(_load_event(study, case, p_mw, _power(study.load, net.loads.name, net.loads.q_mvar, "load")))
        words.append(f"load {study.load} ({p_mw:.1f} MW)")
        surplus += p_mw
    return _Lost(tuple(events), tuple(words), surplus)


def _power(name: str, names: tuple[str, ...], powers: Any, kind: str) -> float:
    from gridai.errors import UnknownNameError, near

    if name not in names:
        raise UnknownNameError(near(name, names, kind))
    return float(powers[names.index(name)])


def _load_event(study: Trip, case: Case, p_mw: float, q_mvar: float) -> Any:
    """A load steps to zero; a cluster stops asking for power."""
    from gridai import engine
    from gridai.cluster import Pause

    placed = {p.name: p.cluster for p in case.placements}
    if study.load in placed:
        gone = Pause(at_s=study.at_s, pause_mw=placed[study.load].p_mw, ramp_down_s=0.0)
        return engine.TrainingPause(study.load, gone)
    return engine.LoadStep(study.load, -p_mw, -q_mvar, study.at_s)


def response_measures(result: Result, surplus_mw: float, measures: Any) -> dict[str, Measure]:
    """Power lost, energy of the machines that stay, and the frequency response: power over settled deviation."""
    from gridai.reports import Measure

    off = result.meta.get("units_off", {})
    energy = sum(x for name, x in result.meta.get("inertia_mws", {}).items() if name not in off)
    lines = {
        "surplus": Measure("generation less load after the loss", surplus_mw, "MW"),
        "energy": Measure("stored energy of the machines that stay", energy, "MWs"),
    }
    if "settling" not in measures:  # an infinite bus gives the frequency
        return lines
    deviation = measures["settling"].value - float(result.meta["f_hz"])
    if surplus_mw and abs(deviation) > 1e-4:
        value = surplus_mw / deviation / 10.0
        note = f"power over the deviation at the end; {measures['settling'].note}"
        lines["response"] = Measure("frequency response", value, "MW/0.1 Hz", note=note)
    return lines


def _log(result: Result, lost: set[str]) -> list[str]:
    """What happened besides, in words: relays, other trips and openings, load shed, islands."""
    kinds = ("relay", "island", "trip", "open", "shed")
    others = [e for e in result.events if e.kind in kinds and e.element not in lost]
    return [f"{event.t_s:.3f} s: {event.element} {event.text}" for event in others[:20]]
