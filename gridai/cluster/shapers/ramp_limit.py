"""RampLimit: power that rises and falls no faster than two rates.

    d out / dt = up          demand > out, or at it and rising faster than up
               = - down      demand < out, or at it and falling faster than down                      exact
               = d demand / dt   otherwise

Ramps up hold the GPUs back, which defers work; ramps down burn the difference, as the firmware of GPUs does with idle
instructions (arXiv:2508.14318). Power in MW at the meter, rates in MW/s; infinity is no limit.

With `stretch` the job is slowed down while the power is held back (`shapers.base`). On a ramp from y at the rate `up`
it has done the work E when the power is sqrt(y^2 + 2 up E); the power meets a demand that starts at d and moves with
the slope s where E = (d^2 - y^2) / 2 (up - s): exact. A square wave between low and top of period T, falling by
L = T down / 2, then comes back to its top in every period, which lasts T + L^2 / (2 up top), wherever it started; not
stretched, it may hang at any level between the two. Behind a PowerFloor the floor's ballast counts as work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.shapers.base import Shaped, burnt_and_deferred, joined, slowed, spanned
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile


@dataclass(frozen=True)
class RampLimit:
    """Fastest rise and fall. Raises SettingError naming the field.

    up_mw_per_s, down_mw_per_s  both above 0; infinity: no limit. [MW/s]
    """

    up_mw_per_s: float = math.inf
    down_mw_per_s: float = math.inf
    stretch: bool = False
    """Whether the job is slowed down by what the ramp up holds back."""

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
        if self.stretch:
            return slowed(demand, *_stretched(demand, self.up_mw_per_s, self.down_mw_per_s))
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
                t.append(a)
                y.append(d)
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


def _stretched(demand: Profile, up: float, down: float) -> tuple[Array, Array, Array, float]:
    """Wall times [s], power [MW], times of the job [s], and what is burnt [MJ], to the end of the span."""
    times, values, end = demand.t_s.tolist(), demand.values.tolist(), float(demand.t_s[-1])
    now, y = times[0], values[0]
    t, power, job, burnt = [now], [y], [now], 0.0
    for k in range(len(times) - 1):
        a, d, b, last = times[k], values[k], times[k + 1], values[k + 1]
        slope = (last - d) / (b - a) if b > a else 0.0
        while a < b and now < end:
            done, took, y, d, more = _step(y, d, slope, min(b - a, end - now), b - a, end - now, (up, down))
            # What is left of a piece by rounding is no piece.
            a = b if done >= b - a else a + done
            now, burnt = now + took, burnt + more
            t.append(now)
            power.append(y)
            job.append(a)
    return np.array(t), np.array(power), np.array(job), burnt


def _step(
    y: float, d: float, slope: float, both: float, left: float, room: float, rates: tuple[float, float]
) -> tuple[float, float, float, float, float]:
    """One stretch of time in which nothing changes its kind: time of the job, wall time, power, demand, energy burnt.

    y, d  power and demand at its start [MW]; left: of the job's piece, room: until the span's end, both: the less. [s]
    """
    up, down = rates
    if y > d or (y == d and slope < -down):
        if math.isinf(down):
            return 0.0, 0.0, d, d, 0.0
        meets = (y - d) / (slope + down) if slope + down > 0.0 else math.inf
        x = min(meets, both)
        after = d + slope * x
        return x, x, after if x == meets else y - down * x, after, (y - d) * x - (slope + down) * x * x / 2.0
    if y == d and slope <= up:
        return both, both, d + slope * both, d + slope * both, 0.0
    if math.isinf(up):
        return 0.0, 0.0, d, d, 0.0
    work = (d + slope * left / 2.0) * left
    meets = (d * d - y * y) / (2.0 * (up - slope)) if up > slope else math.inf
    energy = min(meets, work)
    after = math.sqrt(y * y + 2.0 * up * energy)
    took = 2.0 * energy / (y + after)
    if took > room:
        took, after = room, y + up * room
        energy = (y + after) / 2.0 * room
        meets = math.inf
    met = energy == meets
    ahead = after if met else math.sqrt(max(0.0, d * d + 2.0 * slope * energy))
    return left if energy == work else 2.0 * energy / (d + ahead), took, after, ahead, 0.0
