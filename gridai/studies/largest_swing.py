"""The study `largest-swing`: the largest amplitude at a frequency with which a cluster may swing, by bisection.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, setting
from gridai.studies.oscillate import Oscillate, swinging
from gridai.studies.search import Bracket, Trial

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.cluster import Cluster
    from gridai.engine import System
    from gridai.reports import Report
    from gridai.studies.searching import Judge, Sweep

CONDITIONS = ("normal", "contingency")
SHAPES = ("square", "sine")
USUAL_MW = 0.5
LEAST_S, LEAST_PERIODS = 20.0, 10
"""Without cycles a swing lasts so long, and so many periods, at least. [s, -]"""


@dataclass(frozen=True)
class LargestSwing:
    """The largest swing of a cluster's power at a frequency that the grid takes: what binds, where and when.

    A square or sine about the cluster's mean for some periods, then rest: limits on where frequency and voltage settle
    are judged there. Several frequencies give a curve of the limit against them.
    """

    needs_cluster: ClassVar[bool] = True

    frequency_hz: tuple[float, ...] = setting(
        (1.0,), "Hz", "of the swing; several, parted by commas: a curve; the first is the one reported", above=0.0
    )
    shape: Literal["square", "sine"] = setting("square", "", "course of the power", choices=SHAPES)
    low_mw: float | None = setting(None, "MW", "safe end: amplitude, half of highest less lowest power (default: 0.5, "
                                   "at most 1 % of the cluster)", above=0.0)  # fmt: skip
    high_mw: float | None = setting(
        None, "MW", "other end of the bracket (default: as far as mean, nameplate and zero allow)", above=0.0
    )
    tol_mw: float | None = setting(None, "MW", "width of the bracket at the end (default: 0.5, at most 1 % of the "
                                   "cluster)", above=0.0)  # fmt: skip
    at_s: float = setting(1.0, "s", "start", above=0.0)
    duty: float = setting(0.5, "", "part of the square's period at high power, below 1", above=0.0)
    edge_s: float = setting(0.0, "s", "time that an edge of the square takes", least=0.0)
    condition: Literal["normal", "contingency"] = setting(
        "normal", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    cycles: int | None = setting(None, "", "number of periods (default: 10, and 20 s of them at least)", least=1)
    rest_s: float = setting(15.0, "s", "rest after the swing, before the end of the runs", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    cluster: str | None = setting(None, "", "name of the cluster that swings; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study largest-swing")
        check_fields(self, found)
        if not self.frequencies:
            found.add("largest-swing", None, "frequency_hz", self.frequency_hz, "give one frequency at least")
        found.raise_if_any(SettingError)
        for f in self.frequencies:
            self._oscillate(f, self.low_mw or USUAL_MW)

    @property
    def frequencies(self) -> tuple[float, ...]:
        """All of them, one given as a number too. [Hz]"""
        given = self.frequency_hz
        return tuple(given) if isinstance(given, tuple | list) else (given,)

    def _oscillate(self, f_hz: float, amplitude_mw: float) -> Oscillate:
        cycles = self.cycles or math.ceil(max(LEAST_PERIODS, LEAST_S * f_hz))
        return Oscillate(
            shape=self.shape, amplitude_mw=amplitude_mw, frequency_hz=f_hz, at_s=self.at_s, cycles=cycles,
            duty=self.duty, edge_s=self.edge_s, until_s=self.at_s + cycles / f_hz + self.rest_s, step_s=self.step_s,
        )  # fmt: skip

    def bracket(self, cluster: Cluster) -> Bracket:
        """From low_mw to high_mw. Raises SettingError for no bracket and for a swing below zero power."""
        down = cluster.p_mw / (2.0 * self.duty if self.shape == "square" else 1.0)
        high, usual = self.high_mw, min(USUAL_MW, 0.01 * cluster.p_mw)
        low, tol = self.low_mw or usual, self.tol_mw or usual
        if high is None:
            up = (cluster.nameplate_mw - cluster.p_mw) / (2.0 * (1.0 - self.duty) if self.shape == "square" else 1.0)
            high = min(down, up) if up > low else down
        if high > down * (1.0 + 1e-9):
            raise SettingError(
                f"high_mw = {high:g} MW: the cluster draws {cluster.p_mw:.1f} MW and would fall below zero; give "
                f"{down:.1f} MW or less"
            )
        return Bracket("swing", "MW", low, high, tol, self.probes)

    def run(self, case: Case) -> Report:
        """Search on a case that holds a cluster.

        Raises SettingError for a case without a cluster or a bracket beyond it.
        """
        from gridai import engine
        from gridai.studies.searching import Judge, Sweep, report, search

        placement = placement_of(case, self.cluster)
        bracket = self.bracket(placement.cluster)
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)
        system = engine.compile_system(case)
        every = {f: search(bracket, self._attempt(judge, system, placement, f)) for f in self.frequencies}
        first = self.frequencies[0]
        sweep: Sweep | None = None
        if len(every) > 1:
            x = tuple(sorted(every))
            sweep = Sweep("frequency of the swing", "Hz", x, tuple(every[f] for f in x))
        return report(
            self, judge, every[first],
            f"{case.name}: largest {self.shape} swing of {placement.name} at {first:g} Hz, bus {placement.bus}",
            "largest swing, half of highest less lowest", figures=("swings", "frequency", "voltages"), sweep=sweep,
        )  # fmt: skip

    def _attempt(self, judge: Judge, system: System, placement: Placement, f_hz: float) -> Callable[[float], Trial]:
        """The run of a swing of so many MW."""

        def at(mw: float) -> Trial:
            wave, until_s = self._oscillate(f_hz, mw).wave(placement.cluster.p_mw)
            played = replace(system, clusters={**system.clusters, placement.name: swinging(placement.cluster, wave)})
            return judge.play(played, (), until_s, self.step_s)

        return at
