"""The study `lowest-scr`: how weak the grid at a cluster's bus may be, found by bisection.

    grid --- bus --- r + jx --- new bus: the cluster        |z_thevenin + r + jx| = S_base / (SCR P_cluster)

The series impedance grows until the short-circuit ratio at the cluster is the one tried. The power flow is solved anew
for each, so that generators hold their voltages; then the cluster pauses and comes back.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, setting
from gridai.studies.search import Bracket, Trial

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.engine import System
    from gridai.reports import Report
    from gridai.studies.searching import Judge

CONDITIONS = ("normal", "contingency")
NEGLIGIBLE = 1e-6
"""An impedance to be added that is smaller than this part of the whole is none."""


@dataclass(frozen=True)
class LowestScr:
    """The lowest short-circuit ratio at a cluster's bus that the cluster and the grid take: what binds, and when.

    A series impedance weakens the connection of the cluster until its pause, or the power flow itself, fails.
    """

    needs_cluster: ClassVar[bool] = True

    high_scr: float | None = setting(None, "", "safe end of the bracket (default: that of the bus as it is)", above=0.0)
    low_scr: float = setting(1.0, "", "other end of the bracket", above=0.0)
    tol_scr: float = setting(0.05, "", "width of the bracket at the end", above=0.0)
    xr: float = setting(10.0, "", "X/R of the impedance that is added", above=0.0)
    pause_share: float | None = setting(
        None,
        "",
        "part of the cluster that pauses; 0: nothing happens (default: all jobs stop, servers stay on)",
        least=0.0,
    )
    at_s: float = setting(1.0, "s", "start of the pause", least=0.0)
    resume_s: float = setting(11.0, "s", "start of the return; inf: it stays away", least=0.0, endless=True)
    ramp_down_s: float = setting(0.4, "s", "time in which the power goes; 0: a step", least=0.0)
    ramp_up_s: float = setting(5.0, "s", "time of its return; 0: a step", least=0.0)
    condition: Literal["normal", "contingency"] = setting(
        "normal", "", "which limits of the profile hold", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    until_s: float = setting(30.0, "s", "end of the runs", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the training's jitter", least=0)
    cluster: str | None = setting(None, "", "name of the cluster; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study lowest-scr")
        check_fields(self, found)
        if not found and (self.pause_share or 0.0) > 1.0:
            found.add("lowest-scr", None, "pause_share", self.pause_share, "give a part from 0 to 1")
        if not found and not self.at_s + self.ramp_down_s <= self.resume_s:
            text = f"give a time after the pause is complete at {self.at_s + self.ramp_down_s:g} s"
            found.add("lowest-scr", None, "resume_s", self.resume_s, text)
        found.raise_if_any(SettingError)

    def bracket(self, own: float) -> Bracket:
        """From high_scr, at most what the bus has, down to low_scr. Raises SettingError for no bracket."""
        high = own if self.high_scr is None else self.high_scr
        if high > own * (1.0 + 1e-9):
            raise SettingError(f"high_scr = {high:g}: the bus has {own:.2f}, and the grid is only weakened; give less")
        if high <= self.low_scr:
            raise SettingError(
                f"low_scr = {self.low_scr:g}: must lie below the safe end, {high:.3g}"
                + ("" if self.high_scr else ", which is that of the bus as it is; a smaller cluster has a higher one")
            )
        return Bracket("short-circuit ratio", "", high, self.low_scr, self.tol_scr, self.probes)

    def run(self, case: Case) -> Report:
        """Search on a case that holds a cluster. Raises SettingError for a case without one, or for no bracket."""
        from gridai import engine
        from gridai.reports import Measure
        from gridai.studies import steady
        from gridai.studies.searching import Judge, report, search

        placement = placement_of(case, self.cluster)
        system = engine.compile_system(case)
        own = steady.short_circuit_ratio(system, placement)
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)
        found = search(self.bracket(own), self._attempt(judge, system, placement))
        limit = found.record.limit
        mva = Measure("short-circuit power there", limit * placement.cluster.p_mw, "MVA", f"bus {placement.bus}")
        return report(
            self, judge, found, f"{case.name}: lowest short-circuit ratio of {placement.name} at bus {placement.bus}",
            "lowest short-circuit ratio",
            figures=("voltages", "frequency", "cluster_power"),
            summary={
                "own_scr": Measure("short-circuit ratio of the bus as it is", own, "", f"bus {placement.bus}"),
                **({"short_circuit_mva": mva} if math.isfinite(limit) else {}),
            },
            notes=(
                "short-circuit ratio: S_base / |z| over the cluster's power, z the Thevenin impedance of machines "
                "behind subtransient reactances with constant-impedance loads in place, plus the impedance added",
                "each value has a power flow of its own; a bus outside its band there that was not before fails",
            ),
        )  # fmt: skip

    def _attempt(self, judge: Judge, system: System, placement: Placement) -> Callable[[float], Trial]:
        """The run behind an impedance of such a short-circuit ratio."""
        from gridai import engine
        from gridai.studies import steady
        from gridai.studies.searching import built

        before = steady.voltages(system.op)
        z_bus = steady.thevenin_pu(system, placement.bus)
        base = system.network.s_base_mva / placement.cluster.p_mw

        def at(scr: float) -> Trial:
            made = weakened(judge.case, placement, added_impedance(z_bus, base / scr, self.xr))
            ready = built(lambda: engine.compile_system(made))
            if isinstance(ready, Trial):
                return ready
            start = steady.start_verdicts(judge, ready.op, before)
            return judge.play(
                ready, self._events(placement), self.until_s, self.step_s, case=made, seed=self.seed,
                before=before, more=lambda _: start,
            )  # fmt: skip

        return at

    def _events(self, placement: Placement) -> list[Any]:
        from gridai import engine
        from gridai.cluster import Pause

        if self.pause_share == 0.0:
            return []
        back = None if math.isinf(self.resume_s) else self.resume_s
        cluster = placement.cluster
        gone = cluster.p_mw - cluster.idle_mw if self.pause_share is None else self.pause_share * cluster.p_mw
        return [engine.TrainingPause(placement.name, Pause(self.at_s, gone, back, self.ramp_down_s, self.ramp_up_s))]


def added_impedance(z_bus: complex, size: float, xr: float) -> complex:
    """The series impedance of X/R = xr that makes |z_bus + z| = size. [pu] Zero where z_bus is (nearly) as large."""
    angle = math.atan(xr)
    direction = complex(math.cos(angle), math.sin(angle))
    along = z_bus.real * direction.real + z_bus.imag * direction.imag
    square = along**2 + size**2 - abs(z_bus) ** 2
    length = math.sqrt(max(0.0, square)) - along
    return length * direction if length > NEGLIGIBLE * size else 0j


def weakened(case: Case, placement: Placement, z_pu: complex) -> Case:
    """The case with a cluster moved behind a series impedance [pu on the system base], at a new bus."""
    from gridai.grid.weaken import behind_impedance

    if z_pu == 0:
        return case
    bus = f"{placement.bus} {placement.name}"
    net = behind_impedance(case.net, placement.name, bus, z_pu)
    moved = replace(placement, bus=bus)
    return replace(case, net=net, placements=tuple(moved if p is placement else p for p in case.placements))
