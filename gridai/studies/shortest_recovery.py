"""The study `shortest-recovery`: how fast, or how soon, a paused cluster may come back, found by bisection.

    ramp    the shortest time in which the power returns            delay    the shortest time until it begins to

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, setting
from gridai.studies.search import Bracket, Trial

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.reports import Measure, Report
    from gridai.studies.search import Found

CONDITIONS = ("normal", "contingency")
SEARCHED = ("ramp", "delay")
AFTER_S = 20.0
"""The runs last so long after the slowest return. [s]"""


@dataclass(frozen=True)
class ShortestRecovery:
    """The fastest return of a paused cluster that the grid takes: its ramp, or the delay before it; what binds.

    The pause itself is part of every run: where it fails by itself, no return can help, and the report says so.
    """

    needs_cluster: ClassVar[bool] = True

    searched: Literal["ramp", "delay"] = setting("ramp", "", "what is made shorter", choices=SEARCHED)
    pause_mw: float | None = setting(
        None, "MW", "power that goes away and comes back (default: all jobs stop, servers stay on)", above=0.0
    )
    slow_s: float = setting(60.0, "s", "safe end of the bracket", above=0.0)
    fast_s: float = setting(0.0, "s", "other end of the bracket; a ramp of 0: a step", least=0.0)
    tol_s: float = setting(0.1, "s", "width of the bracket at the end", above=0.0)
    at_s: float = setting(1.0, "s", "start of the pause", least=0.0)
    ramp_down_s: float = setting(0.4, "s", "time in which the power goes; 0: a step", least=0.0)
    delay_s: float = setting(20.0, "s", "time from the end of the fall to the return, where the ramp is searched",
                             least=0.0)  # fmt: skip
    ramp_up_s: float = setting(5.0, "s", "time of the return, where the delay is searched; 0: a step", least=0.0)
    condition: Literal["normal", "contingency"] = setting(
        "normal", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the training's jitter", least=0)
    cluster: str | None = setting(None, "", "name of the cluster that pauses; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study shortest-recovery")
        check_fields(self, found)
        if not found and not self.fast_s < self.slow_s:
            found.add("shortest-recovery", None, "fast_s", self.fast_s, f"give a time below slow_s = {self.slow_s:g} s")
        found.raise_if_any(SettingError)

    @property
    def bracket(self) -> Bracket:
        """From slow_s down to fast_s."""
        return Bracket(self.searched, "s", self.slow_s, self.fast_s, self.tol_s, self.probes)

    @property
    def until_s(self) -> float:
        """End of the runs, the same for all. [s]"""
        delay, ramp = (self.delay_s, self.slow_s) if self.searched == "ramp" else (self.slow_s, self.ramp_up_s)
        return self.at_s + self.ramp_down_s + delay + ramp + AFTER_S

    def run(self, case: Case) -> Report:
        """Search on a case that holds a cluster. Raises SettingError for one without, or a pause beyond it."""
        from gridai import engine
        from gridai.studies.searching import Judge, report, search

        placement = placement_of(case, self.cluster)
        mw = placement.cluster.p_mw - placement.cluster.idle_mw if self.pause_mw is None else self.pause_mw
        system = engine.compile_system(case)
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)

        def attempt(value_s: float) -> Trial:
            return judge.play(system, self._events(placement, mw, value_s), self.until_s, self.step_s, seed=self.seed)

        found = search(self.bracket, attempt)
        return report(
            self, judge, found,
            f"{case.name}: shortest {self.searched} of the return of {mw:.1f} MW at bus {placement.bus}",
            f"shortest {self.searched} of the return", figures=("frequency", "voltages", "cluster_power"),
            summary=self._steepness(found, mw),
        )  # fmt: skip

    def _events(self, placement: Placement, mw: float, value_s: float) -> list[Any]:
        from gridai import engine
        from gridai.cluster import Pause

        delay, ramp = (self.delay_s, value_s) if self.searched == "ramp" else (value_s, self.ramp_up_s)
        back_s = self.at_s + self.ramp_down_s + delay
        return [engine.TrainingPause(placement.name, Pause(self.at_s, mw, back_s, self.ramp_down_s, ramp))]

    def _steepness(self, found: Found, mw: float) -> dict[str, Measure]:
        from gridai.reports import Measure

        limit = found.record.limit
        if self.searched != "ramp" or not limit > 0.0:
            return {}
        return {"steepness": Measure("steepest return that passes", mw / limit, "MW/s")}
