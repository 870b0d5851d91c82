"""The study `largest-loss`: the largest load that may be lost at once, found by bisection; also against inertia.

    every load named loses the same part of itself, in one step, at at_s

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError, UnknownNameError, near
from gridai.studies.common import check_fields, setting
from gridai.studies.search import Bracket, Trial, scaled

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import System
    from gridai.reports import Report
    from gridai.studies.searching import Judge

CONDITIONS = ("normal", "contingency")


@dataclass(frozen=True)
class LargestLoss:
    """The largest simultaneous loss of load that the grid takes: what binds, where and when; also against inertia.

    The loads named, clusters or others, lose the same part of themselves at once. With inertia, one search a factor.
    """

    needs_cluster: ClassVar[bool] = False

    loads: str = setting(
        "", "", "loads and clusters that are lost, parted by commas (default: all clusters; without one, all loads)"
    )
    low_mw: float | None = setting(None, "MW", "safe end of the bracket (default: 1, at most 1 % of the other end)",
                                   above=0.0)  # fmt: skip
    high_mw: float | None = setting(None, "MW", "other end of the bracket (default: all of them)", above=0.0)
    tol_mw: float | None = setting(None, "MW", "width of the bracket at the end (default: 1, at most 1 % of the "
                                   "other end)", above=0.0)  # fmt: skip
    at_s: float = setting(1.0, "s", "when", least=0.0)
    inertia: tuple[float, ...] = setting(
        (), "", "factors on the inertia of all machines, parted by commas: a curve of the limit against it", above=0.0
    )
    condition: Literal["normal", "contingency"] = setting(
        "contingency", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    until_s: float = setting(40.0, "s", "end of the runs", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)

    def __post_init__(self) -> None:
        found = Problems("study largest-loss")
        check_fields(self, found)
        if not found and self.until_s <= self.at_s:
            found.add("largest-loss", None, "until_s", self.until_s, f"give an end after the loss at {self.at_s:g} s")
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Search on a case.

        Raises UnknownNameError for loads that are not there, SettingError for loads whose power does not scale and
        for a bracket beyond them.
        """
        from gridai import engine
        from gridai.studies.searching import Judge, inertia_sweep, report, search

        system = engine.compile_system(case)
        powers = self.powers(case, system)
        bracket = self.bracket(sum(p for p, _ in powers.values()))
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)
        attempts = self._attempts(judge, powers)
        found = search(bracket, attempts(system))
        sweep = inertia_sweep(case, self.inertia, bracket, attempts) if self.inertia else None
        who = ", ".join(powers) if len(powers) < 5 else f"{len(powers)} loads"
        return report(
            self, judge, found, f"{case.name}: largest simultaneous loss of {who}", "largest loss", sweep=sweep,
            notes=self._notes(powers),
        )  # fmt: skip

    def powers(self, case: Case, system: System) -> dict[str, tuple[float, float]]:
        """MW and MVAr of each load that is lost, by name. Raises UnknownNameError listing near names."""
        net = system.network.loads
        there = {n: (float(p), float(q)) for n, p, q in zip(net.name, net.p_mw, net.q_mvar, strict=True)}
        names = tuple(dict.fromkeys(name.strip() for name in self.loads.split(",") if name.strip()))
        for name in names:
            if name not in there:
                raise UnknownNameError(near(name, there, "load"))
        chosen = names or tuple(p.name for p in case.placements) or tuple(there)
        found = {name: there[name] for name in chosen if there[name][0] > 0.0}
        if not found:
            raise SettingError(f"loads: none of {', '.join(chosen[:6]) or 'the case'} draws power; name loads that do")
        return found

    def bracket(self, total_mw: float) -> Bracket:
        """From low_mw to high_mw, at most what the loads draw. Raises SettingError for no bracket."""
        high = total_mw if self.high_mw is None else self.high_mw
        if high > total_mw * (1.0 + 1e-9):
            raise SettingError(f"high_mw = {high:g} MW: the loads draw {total_mw:.1f} MW; give less, or more loads")
        return scaled("loss", self.low_mw, high, self.tol_mw, self.probes)

    def _attempts(
        self, judge: Judge, powers: dict[str, tuple[float, float]]
    ) -> Callable[[System], Callable[[float], Trial]]:
        """For a system, the run of a loss of so many MW."""

        def of(system: System) -> Callable[[float], Trial]:
            return lambda mw: judge.play(
                system, self._events(system, powers, mw), self.until_s, self.step_s, seed=self.seed
            )

        return of

    def _events(self, system: System, powers: dict[str, tuple[float, float]], mw: float) -> list[Any]:
        from gridai import engine
        from gridai.cluster import Pause

        share = min(1.0, mw / sum(p for p, _ in powers.values()))
        events: list[Any] = []
        for name, (p, q) in powers.items():
            if name in system.clusters:
                gone = Pause(self.at_s, share * system.clusters[name].p_mw, ramp_down_s=0.0)
                events.append(engine.TrainingPause(name, gone))
            else:
                events.append(engine.LoadStep(name, -share * p, -share * q, self.at_s))
        return events

    def _notes(self, powers: dict[str, tuple[float, float]]) -> tuple[str, ...]:
        total = sum(p for p, _ in powers.values())
        lines = [f"MW are those of the power flow; the loads draw {total:.1f} MW there, and each loses the same part"]
        if self.inertia:
            lines.append("inertia: the same factor on H of every machine; governors, damping and dispatch stay")
        return tuple(lines)
