"""Events of a controlled source (model SOURCE) and of clusters with UPS groups.

A source plays voltage, angle and frequency against time behind an impedance that may step: the test bench for a load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gridai.cluster.ups import BATTERY, FORCED, GENERATOR, LATCHED, NEVER, OFF
from gridai.engine.events import Action
from gridai.engine.run import Playback
from gridai.errors import SettingError, UnknownNameError, near
from gridai.kernel.profile import Profile

COUNTED_AT = tuple(f"e{n}_s" for n in range(1, 7))
"""Memory of a counter: the times of its disturbances."""
Signal = Literal["de_pu", "angle_rad", "df_hz"]
SIGNALS = ("de_pu", "angle_rad", "df_hz")


@dataclass(frozen=True)
class SourcePlayback:
    """A signal of a source follows a profile: de_pu (parts of its voltage), angle_rad or df_hz, all deviations.

    The angle adds to that of the frequency: a frequency that deviates turns the source on its own.
    """

    unit: str
    signal: Signal
    profile: Profile

    def actions(self, system: Any) -> list[Action]:
        """A log line at each point at which the profile jumps or bends."""
        self.playbacks(system)
        times = [float(t) for t in self.profile.kinks if t > 0.0]
        return [Action(t, "source", self.unit, f"{self.signal} {self.profile.value(t):.5g}", _nothing) for t in times]

    def playbacks(self, system: Any) -> list[Playback]:
        """The signal to be played. Raises UnknownNameError for a unit that is no source."""
        if self.signal not in SIGNALS:
            raise UnknownNameError(near(self.signal, SIGNALS, "signal of a source"))
        _source(system, self.unit)
        return [Playback((self.unit, f"converter.{self.signal}"), self.profile)]


@dataclass(frozen=True)
class SourceImpedance:
    """The impedance of a source steps at at_s, in pu of the unit's base: a change of short-circuit level."""

    unit: str
    r_pu: float
    x_pu: float
    at_s: float

    def actions(self, system: Any) -> list[Action]:
        """Set the memory that holds the impedance, and ask the unit for its admittance again."""
        group, k = _source(system, self.unit)
        if not (np.isfinite(self.r_pu) and self.r_pu >= 0.0 and np.isfinite(self.x_pu) and self.x_pu > 0.0):
            raise SettingError(f"impedance {self.r_pu!r} + j {self.x_pu!r}: give r of at least 0 and x above 0")

        def apply(run: Any) -> None:
            z = group.view(run.work.z, "z", group.z)
            z.r_pu[k], z.x_pu[k] = self.r_pu, self.x_pu
            run.refresh_unit(group, k)

        return [Action(self.at_s, "impedance", self.unit, f"{self.r_pu:.5g} + j {self.x_pu:.5g} pu", apply)]


def _source(system: Any, unit: str) -> tuple[Any, int]:
    group, k = system.device(unit, ("converter",))
    if group.model.name != "SOURCE":
        raise SettingError(f"unit '{unit}' is a {group.model.name}: only a SOURCE plays back voltage or frequency")
    return group, int(k)


@dataclass(frozen=True)
class ReturnLoad:
    """Somebody returns groups of a cluster that wait for a hand: from at_s on, every_s apart, in `parts` parts.

    Groups return in the order of their names; what stands on the grid by then, or returns by itself, is left alone.
    After the hand the input must be good for the group's own time, then it walks in. The memory of its counter is
    cleared. parts 0: one group at a time. share: only the first part of the groups, as ForceAway takes them.
    """

    cluster: str
    at_s: float
    parts: int = 1
    every_s: float = 0.0
    share: float = 1.0

    def actions(self, system: Any) -> list[Action]:
        """One action a part."""
        members = _first(_members(system, self.cluster), self.share)
        parts = self.parts or len(members)
        if not 0 < parts <= len(members) or not self.every_s >= 0.0:
            text = f"parts = {self.parts!r}, every_s = {self.every_s!r}"
            raise SettingError(f"{text}: give up to {len(members)} parts and a time of 0 s or more")
        found = []
        for part in range(parts):
            own = [m for n, m in enumerate(members) if n * parts // len(members) == part]
            text = f"returned by hand: part {part + 1} of {parts}"
            found.append(Action(self.at_s + part * self.every_s, "return", self.cluster, text, _release(own)))
        return found


@dataclass(frozen=True)
class ForceAway:
    """Groups of a cluster leave the grid at at_s without any fault, the first `share` of them by name.

    latch True: they stay until somebody returns them.
    """

    cluster: str
    at_s: float
    share: float = 1.0
    latch: bool = True

    def actions(self, system: Any) -> list[Action]:
        """One action."""
        members = _members(system, self.cluster)
        own = _first(members, self.share)

        def apply(run: Any) -> None:
            for group, k in own:
                z = group.view(run.work.z, "z", group.z)[k]
                p = group.view(run.system.p, "p", group.p)[k]
                stored = "ups" in p.dtype.names and p.ups == 1.0
                z.mode, z.cause, z.left_s = (BATTERY if stored else OFF), FORCED, run.time_s
                z.latched, z.released, z.ready_due_s = float(self.latch), 0.0, NEVER
                z.due_s = run.time_s + p.gen_start_s if stored and p.generator == 1.0 else NEVER

        return [Action(self.at_s, "leave", self.cluster, f"{len(own)} of {len(members)} groups leave", apply)]


def _members(system: Any, cluster: str) -> list[tuple[Any, int]]:
    """The groups of a cluster. Raises for an unknown cluster and for one without groups."""
    if cluster not in system.clusters:
        raise UnknownNameError(near(cluster, system.clusters, "cluster"))
    found = [(g, k) for g in system.groups for k, d in enumerate(g.devices) if d.owner == cluster]
    if not found:
        raise SettingError(f"cluster '{cluster}' has no UPS groups: give it ride_through settings")
    return found


def _first(members: list[tuple[Any, int]], share: float) -> list[tuple[Any, int]]:
    """The first groups by name that make up a share of them, one at least."""
    if not 0.0 < share <= 1.0:
        raise SettingError(f"share = {share!r}: give a part above 0, up to 1")
    return members[: max(1, round(share * len(members)))]


def _release(members: list[tuple[Any, int]]) -> Any:
    def apply(run: Any) -> None:
        for group, k in members:
            z = group.view(run.work.z, "z", group.z)[k]
            if z.latched == 1.0 and z.mode in (BATTERY, GENERATOR, OFF):
                z.latched, z.released, z.ready_due_s = 0.0, 1.0, NEVER
                for name in (n for n in COUNTED_AT if n in z.dtype.names):
                    z[name] = -NEVER
                _ask_again(run, group, k)

    return apply


def _ask_again(run: Any, group: Any, k: int) -> None:
    """Let the guards of a unit rise anew: what holds already at this instant counts as a crossing."""
    width = len(group.model.guards)
    run.work.g_old[group.g + k * width : group.g + (k + 1) * width] = -1.0


def _nothing(run: Any) -> None:
    """An action that only stands in the log."""


__all__ = ["LATCHED", "ForceAway", "ReturnLoad", "SourceImpedance", "SourcePlayback"]
