"""RampLimit: power that rises and falls no faster than two rates.

    d out / dt = up          demand > out, or at it and rising faster than up
               = - down      demand < out, or at it and falling faster than down                      exact
               = d demand / dt   otherwise

Ramps up hold the GPUs back, which defers work; ramps down burn the difference, as the firmware of GPUs does with idle
instructions (arXiv:2508.14318). Power in MW at the meter, rates in MW/s; infinity is no limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.shapers.base import Shaped, burnt_and_deferred, joined, spanned
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile


@dataclass(frozen=True)
class RampLimit:
    """Fastest rise and fall. Raises SettingError naming the field.

    up_mw_per_s, down_mw_per_s  both above 0; infinity: no limit. [MW/s]
    """

    up_mw_per_s: float = math.inf
    down_mw_per_s: float = math.inf

    def __post_init__(self) -> None:
        bad = Problems("shaper RampLimit")
        for name in ("up_mw_per_s", "down_mw_per_s"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and value > 0.0):
                bad.add("RampLimit", None, name, value, "give a rate above 0 MW/s, or infinity for no limit")
        bad.raise_if_any(SettingError)

    def shape(self, demand: Profile) -> Shaped:
        """The demand, followed no faster than the rates; it starts where the demand does."""
        spanned(demand)
        power = joined(*followed(demand, self.up_mw_per_s, self.down_mw_per_s), demand.name)
        return Shaped(demand, power, burnt_and_deferred(demand, power))

    def at_rest(self, p_mw: float) -> float:
        """The demand itself."""
        return p_mw


def followed(demand: Profile, up: float, down: float) -> tuple[Array, Array]:
    """Times and values of a course that follows another no faster than up and down, exact. [s, MW]"""
    t, y = [float(demand.t_s[0])], [float(demand.values[0])]
    for k in range(len(demand) - 1):
        a, d = float(demand.t_s[k]), float(demand.values[k])
        end, last = float(demand.t_s[k + 1]), float(demand.values[k + 1])
        slope = (last - d) / (end - a) if end > a else 0.0
        while a < end:
            rate = _rate(d - y[-1], slope, up, down)
            if math.isinf(rate):
                t, y = [*t, a], [*y, d]
                continue
            closing = rate - slope
            meets = (d - y[-1]) / closing if (d - y[-1]) * closing > 0.0 else math.inf
            if a + meets < end:
                a, d = a + meets, d + slope * meets
                t.append(a)
                y.append(d)
            else:
                t.append(end)
                y.append(last if rate == slope and d == y[-1] else y[-1] + rate * (end - a))
                a = end
    return np.array(t), np.array(y)


def _rate(gap: float, slope: float, up: float, down: float) -> float:
    """How fast the follower moves when the demand is `gap` above it and moves with `slope`. [MW/s]"""
    if gap == 0.0:
        return min(max(slope, -down), up)
    return up if gap > 0.0 else -down
