"""The study `largest-pause`: the largest power that a cluster may stop drawing at once, found by bisection.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, setting
from gridai.studies.search import Bracket, Trial, scaled

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.engine import System
    from gridai.reports import Report
    from gridai.studies.searching import Judge

CONDITIONS = ("normal", "contingency")
AFTER_S = 20.0
"""Without until_s a run lasts so long after the last power has moved. [s]"""


@dataclass(frozen=True)
class LargestPause:
    """The largest pause of a cluster that the grid takes: what binds, where and when; also against inertia.

    The cluster stays as large as it is; the part that pauses grows. With inertia, one search for each factor.
    """

    needs_cluster: ClassVar[bool] = True

    low_mw: float | None = setting(None, "MW", "safe end of the bracket (default: 1, at most 1 % of the cluster)",
                                   above=0.0)  # fmt: skip
    high_mw: float | None = setting(None, "MW", "other end of the bracket (default: the whole cluster)", above=0.0)
    tol_mw: float | None = setting(None, "MW", "width of the bracket at the end (default: 1, at most 1 % of the "
                                   "cluster)", above=0.0)  # fmt: skip
    at_s: float = setting(1.0, "s", "start of the pause", least=0.0)
    resume_s: float = setting(math.inf, "s", "start of the return; inf: it stays away", least=0.0, endless=True)
    ramp_down_s: float = setting(0.4, "s", "time in which the power goes; 0: a step", least=0.0)
    ramp_up_s: float = setting(5.0, "s", "time of its return; 0: a step", least=0.0)
    inertia: tuple[float, ...] = setting(
        (), "", "factors on the inertia of all machines, parted by commas: a curve of the limit against it", above=0.0
    )
    condition: Literal["normal", "contingency"] = setting(
        "normal", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    until_s: float | None = setting(None, "s", "end of the runs (default: 20 s after the last change)", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the training's jitter", least=0)
    cluster: str | None = setting(None, "", "name of the cluster that pauses; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study largest-pause")
        check_fields(self, found)
        if not found and self.resume_s < self.at_s + self.ramp_down_s:
            text = f"give a time after the pause is complete at {self.at_s + self.ramp_down_s:g} s"
            found.add("largest-pause", None, "resume_s", self.resume_s, text)
        if not found and self.until_s is not None and self.until_s <= self.at_s:
            found.add("largest-pause", None, "until_s", self.until_s, f"give an end after {self.at_s:g} s")
        found.raise_if_any(SettingError)

    def bracket(self, p_mw: float) -> Bracket:
        """From low_mw to high_mw, at most the power of the cluster, p_mw. Raises SettingError for no bracket."""
        high = p_mw if self.high_mw is None else self.high_mw
        if high > p_mw * (1.0 + 1e-9):
            raise SettingError(
                f"high_mw = {high:g} MW: the cluster draws {p_mw:.1f} MW; give less, or a larger cluster"
            )
        return scaled("pause", self.low_mw, high, self.tol_mw, self.probes)

    @property
    def horizon_s(self) -> float:
        """End of the runs. [s]"""
        if self.until_s is not None:
            return self.until_s
        last = self.at_s + self.ramp_down_s if math.isinf(self.resume_s) else self.resume_s + self.ramp_up_s
        return last + AFTER_S

    def run(self, case: Case) -> Report:
        """Search on a case that holds a cluster.

        Raises SettingError for a case without a cluster or a bracket beyond it.
        """
        from gridai import engine
        from gridai.studies.searching import Judge, inertia_sweep, report, search

        placement = placement_of(case, self.cluster)
        bracket = self.bracket(placement.cluster.p_mw)
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)
        system = engine.compile_system(case)
        found = search(bracket, self._attempts(judge, placement)(system))
        sweep = inertia_sweep(case, self.inertia, bracket, self._attempts(judge, placement)) if self.inertia else None
        return report(
            self, judge, found, f"{case.name}: largest pause of {placement.name} at bus {placement.bus}",
            "largest pause", figures=("frequency", "voltages", "cluster_power"), sweep=sweep, notes=self._notes(),
        )  # fmt: skip

    def _attempts(self, judge: Judge, placement: Placement) -> Callable[[System], Callable[[float], Trial]]:
        """For a system, the run of a pause of so many MW."""

        def of(system: System) -> Callable[[float], Trial]:
            return lambda mw: judge.play(
                system, self._events(placement, mw), self.horizon_s, self.step_s, seed=self.seed
            )

        return of

    def _events(self, placement: Placement, mw: float) -> list[Any]:
        from gridai import engine
        from gridai.cluster import Pause

        back = None if math.isinf(self.resume_s) else self.resume_s
        pause = Pause(self.at_s, min(mw, placement.cluster.p_mw), back, self.ramp_down_s, self.ramp_up_s)
        return [engine.TrainingPause(placement.name, pause)]

    def _notes(self) -> tuple[str, ...]:
        if not self.inertia:
            return ()
        return ("inertia: the same factor on H of every machine; governors, damping and dispatch stay as they are",)
