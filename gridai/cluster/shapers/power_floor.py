"""PowerFloor: GPUs that draw no less than a floor while they work, and for a time after.

    power    ____          ____
            |    |        |    |
     floor  |    |________|    |______          hold_s (hysteresis): so long below the floor it still holds;
            |    .        .    .      |         then the floor is off until the demand is at it again
            |    :........:    :......|....     demand
                                <hold_s>

    out = max(demand, floor) while the floor is on, else demand                                       exact

Where it is: "power smoothing" of the GPUs' firmware, with minimum power and a time until it gives way
(arXiv:2508.14318). What it draws beyond the demand is heat: ballast. The fall when the floor gives way is a jump; put
a RampLimit behind it. Power in MW at the meter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import ROUNDING, Shaped, burnt_and_deferred, check, spanned, with_points
from gridai.errors import SettingError
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class PowerFloor:
    """A least power while the GPUs work. Raises SettingError naming the field."""

    floor_mw: float = setting(0.0, "MW", "least power while the floor is on", 0.0)
    hold_s: float | None = None
    """How long the floor holds below it; None: at all times. [s]"""

    def __post_init__(self) -> None:
        check(self)
        if self.hold_s is not None and not 0.0 <= self.hold_s < math.inf:
            raise SettingError(f"shaper PowerFloor: hold_s = {self.hold_s!r}: give 0 s or more, or None for always")

    def shape(self, demand: Profile) -> Shaped:
        """The demand, lifted to the floor where it is on."""
        spanned(demand)
        lifted = demand.clipped(low=self.floor_mw)
        if self.hold_s is not None:
            lift = lifted.plus(demand.scaled(-1.0))
            lifted = demand.plus(lift.times(self._on(demand)))
        lifted = Profile(lifted.t_s, lifted.values, demand.name)
        return Shaped(demand, lifted, burnt_and_deferred(demand, lifted))

    def at_rest(self, p_mw: float) -> float:
        """The floor, where the demand starts below it."""
        return p_mw if self.hold_s == 0.0 else max(p_mw, self.floor_mw)

    def _on(self, demand: Profile) -> Profile:
        """1 while the floor is on, else 0."""
        assert self.hold_s is not None
        end = float(demand.t_s[-1])
        t, on = [float(demand.t_s[0])], [1.0]
        for a, b in _below(demand, self.floor_mw):
            if b > a + self.hold_s:
                off = a + self.hold_s
                t, on = [*t, off, off], [*on, 1.0, 0.0]
                if b < end:
                    t, on = [*t, b, b], [*on, 0.0, 1.0]
        first = 1 if len(t) > 1 and t[1] == t[0] else 0
        return Profile(t[first:], on[first:], "floor on")


def _below(demand: Profile, level: float) -> list[tuple[float, float]]:
    """The spans of time in which a course is below a level, in order. [s]"""
    whole = with_points(demand, demand.crossings(level))
    t, v = whole.t_s, whole.values
    wide = np.flatnonzero(np.diff(t) > 0.0)
    # Rounding leaves the points of crossings beside the level: the middle of a piece decides.
    low = (v[1:] + v[:-1])[wide] / 2.0 < level - ROUNDING * (1.0 + abs(level))
    spans: list[tuple[float, float]] = []
    for k, inside in zip(wide, low, strict=True):
        if inside and spans and spans[-1][1] == t[k]:
            spans[-1] = (spans[-1][0], float(t[k + 1]))
        elif inside:
            spans.append((float(t[k]), float(t[k + 1])))
    return spans
