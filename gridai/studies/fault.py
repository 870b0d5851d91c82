"""The study `fault`: a fault at a bus, its clearing, and a line that opens with it and may come back.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import (
    bus_of,
    check_fields,
    profile_of,
    provenance_of,
    redispatch_tables,
    required,
    setting,
)

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import Event
    from gridai.reports import Report

KINDS = ("three-phase", "line-ground", "line-line", "double-line-ground")


@dataclass(frozen=True)
class Fault:
    """A fault at a bus and its clearing: do the machines stay in step, do voltages recover, how do they swing.

    With branch, that line or transformer opens when the fault is cleared, and closes again at reclose_s if given.
    """

    needs_cluster: ClassVar[bool] = False

    bus: str = required("bus of the fault, by name or by pandapower's index")
    at_s: float = setting(1.0, "s", "start of the fault", least=0.0)
    clear_s: float = setting(1.1, "s", "instant at which it is cleared", above=0.0)
    kind: Literal["three-phase", "line-ground", "line-line", "double-line-ground"] = setting(
        "three-phase", "", "type of the fault", choices=KINDS
    )
    r_pu: float = setting(0.0, "pu", "resistance of the fault on the system base", least=0.0)
    x_pu: float = setting(0.0, "pu", "reactance of the fault on the system base")
    branch: str = setting("", "", "line or transformer that opens when the fault is cleared")
    reclose_s: float | None = setting(None, "s", "instant at which it closes again (default: it stays open)", above=0.0)
    until_s: float = setting(20.0, "s", "end of the run", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study fault")
        check_fields(self, found)
        if not found and not self.at_s < self.clear_s < self.until_s:
            remedy = f"give an instant after at_s = {self.at_s:g} s and before until_s = {self.until_s:g} s"
            found.add("fault", None, "clear_s", self.clear_s, remedy)
        if not found and self.reclose_s is not None:
            if not self.branch:
                found.add("fault", None, "reclose_s", self.reclose_s, "name the branch that closes")
            elif self.reclose_s <= self.clear_s:
                found.add("fault", None, "reclose_s", self.reclose_s, f"give an instant after {self.clear_s:g} s")
        found.raise_if_any(SettingError)

    def events(self, bus: str) -> list[Event]:
        """The events that the fields describe."""
        from gridai import engine

        fault = engine.BusFault(bus, self.at_s, self.clear_s, self.kind, self.r_pu, self.x_pu)
        if not self.branch:
            return [fault]
        return [fault, engine.BranchTrip(self.branch, self.clear_s, self.reclose_s)]

    def run(self, case: Case) -> Report:
        """Play the fault and judge what follows, by the limits after a contingency.

        Raises UnknownNameError for a bus or branch that is not there, ConvergenceError with the result until then.
        """
        from gridai import criteria
        from gridai.reports import Report
        from gridai.studies.disturbance import FIGURES, machine_measures, play
        from gridai.studies.summary import all_measures

        bus = bus_of(case, self.bus)
        profile = profile_of(case, self.profile)
        result = play(case, self.events(bus), self.until_s, self.step_s, self.seed)
        return Report(
            title=f"{case.name}: {self._in_words(bus)}",
            study=self,
            summary={**machine_measures(result), **all_measures(result)},
            verdicts=criteria.check(result, profile, "contingency"),
            limits=profile.of("contingency"),
            result=result,
            figures=FIGURES,
            tables=redispatch_tables(case),
            notes=(*_estimates(result), *case.notes),
            provenance=provenance_of(case, result, profile),
        )

    def _in_words(self, bus: str) -> str:
        text = f"{self.kind} fault at bus {bus} for {1e3 * (self.clear_s - self.at_s):g} ms"
        if self.branch:
            text += f", cleared by opening {self.branch}"
        return text


def _estimates(result: Any) -> list[str]:
    """What the engine had to estimate for an unbalanced fault."""
    return [f"{event.element}: {event.text}" for event in result.events if event.kind == "estimate"]
