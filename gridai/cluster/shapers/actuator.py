"""Actuators: how a cluster's power follows an order, and what their limits do to it.

    order [MW about the base] --> within -down .. up --> nearest step of resolution --> delay --> ramp --> power

    latency     from the order to the first change of power. [s]
    ramp        fastest change, as a part of the base power a second; up and down alike
    resolution  step in which it can be set, as a part of the base power; 0: any
    reach       farthest from the base, down and up, as a part of the base power

What follows an order is held between its samples, so the course is exact: steps, delayed, joined by ramps. An order
beyond the reach saturates, and the samples are counted. A signal with gaps keeps its last value, counted too; a gap of
more than `longest_gap_s` is refused.

Sources: power cap 97 ms after the trigger (3 V100, arXiv:2605.26384); one iteration of 10.75 s and jobs of 16,384 GPUs
(MLPerf GPT-3, arXiv:2407.21783); fall of a job in 0.4 s and return in 5 s (arXiv:2508.14318, MLPerf). The other numbers
are assumed: a step of a cap is 5 W of 700 W, of the clock 15 MHz of 1,980 MHz with power in proportion, of the batch a
sixteenth; all reach down to 0.6 of the base but a pause, which reaches the idle power.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import check
from gridai.cluster.shapers.ramp_limit import RampLimit
from gridai.errors import SettingError
from gridai.kernel.profile import Array, Profile


@dataclass(frozen=True)
class Actuator:
    """A way to set a cluster's power. Raises SettingError naming the field."""

    title: str = "power cap"
    latency_s: float = setting(0.1, "s", "from the order to the first change of power", 0.0, 3600.0)
    ramp_per_s: float = setting(10.0, "1/s", "fastest change, part of the base power a second", 1e-6, 1e6)
    resolution: float = setting(0.007, "", "step, part of the base power; 0: any power", 0.0, 1.0)
    down: float = setting(0.4, "", "farthest below the base, part of the base power", 0.0, 1.0)
    up: float = setting(0.4, "", "farthest above it, part of the base power", 0.0, 10.0)

    def __post_init__(self) -> None:
        check(self, (self.down + self.up > 0.0, "down", "it reaches nowhere: give down or up above 0"))

    def follow(self, t_s: Array, order_mw: Array, base_mw: float) -> Followed:
        """Power above the base [MW] for orders held from each time on, to one period after the last.

        order_mw > 0 asks for more consumption. Raises SettingError for a base that is not above 0.
        """
        if not base_mw > 0.0:
            raise SettingError(f"base_mw = {base_mw!r}: give a power above 0 MW")
        bounded = np.clip(order_mw, -self.down * base_mw, self.up * base_mw)
        step = self.resolution * base_mw
        # A step that would pass the reach is not taken.
        set_mw = np.trunc(bounded / step + 0.5 * np.sign(bounded)) * step if step > 0.0 else bounded
        set_mw = np.clip(set_mw, -self.down * base_mw, self.up * base_mw)
        begin, end = float(t_s[0]), float(t_s[-1] + (t_s[-1] - t_s[-2]))
        wanted = staircase(np.asarray(t_s) + self.latency_s, set_mw, begin, end)
        power = wanted
        if math.isfinite(self.ramp_per_s):
            shifted = wanted.plus(base_mw * (1.0 + self.down))
            rate = self.ramp_per_s * base_mw
            power = RampLimit(rate, rate).shape(shifted).power.plus(-base_mw * (1.0 + self.down))
        return Followed(power, int(np.count_nonzero(np.abs(bounded - order_mw) > 1e-9 * base_mw)))

    def without(self, limit: str) -> Actuator:
        """The same without one of its limits: latency, ramp, resolution or saturation."""
        freed = {
            "latency": {"latency_s": 0.0},
            "ramp": {"ramp_per_s": 1e6},
            "resolution": {"resolution": 0.0},
            "saturation": {"down": 1.0, "up": 10.0},
        }
        return replace(self, **freed[limit])  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Followed:
    """Power about the base [MW], and how many orders lay beyond the reach."""

    power: Profile
    saturated: int


LIMITS = ("latency", "ramp", "resolution", "saturation")
ACTUATORS = {
    "cap": Actuator("power cap", 0.1, 10.0, 0.007, 0.4, 0.4),
    "clock": Actuator("clock frequency", 0.05, 10.0, 0.0076, 0.4, 0.4),
    "batch": Actuator("batch size, at the next iteration", 10.75, 0.2, 1.0 / 16.0, 0.4, 0.4),
    "pause": Actuator("pausing whole jobs", 1.0, 0.2 * 0.61, 0.164 * 0.61, 0.61, 0.61),
}
"""The four ways of issue and literature; sources in the module's docstring."""


def staircase(t_s: Array, values: Array, begin: float, end: float) -> Profile:
    """A course that holds each value from its time on, 0 before the first, from begin to end."""
    inside = t_s < end
    t, v = np.asarray(t_s)[inside], np.asarray(values, dtype=float)[inside]
    before = np.concatenate([[0.0], v[:-1]])
    points = np.column_stack([t, t]).ravel(), np.column_stack([before, v]).ravel()
    times, levels = np.concatenate([points[0], [end]]), np.concatenate([points[1], v[-1:]])
    if t[0] <= begin:
        return Profile(times[1:], levels[1:], "order")
    return Profile(np.concatenate([[begin], times]), np.concatenate([[0.0], levels]), "order")


def without_gaps(t_s: Array, signal: Array, every_s: float, longest_gap_s: float) -> tuple[Array, Array, int]:
    """Times and values on the signal's own period with gaps filled by the last value, and how many were missing.

    Missing are samples that are NaN and times that are left out; a signal of a longer period than every_s is held
    between its samples, and that is no gap. Raises SettingError for a gap of more than
    longest_gap_s, a start that is missing, times that do not rise, and values beyond -1 .. 1 by more than rounding.
    """
    t, s = np.asarray(t_s, dtype=float), np.asarray(signal, dtype=float)
    if len(t) < 2 or len(t) != len(s) or (np.diff(t) <= 0.0).any() or not np.isfinite(t).all():
        raise SettingError("signal: give at least two times that rise, and one value for each")
    known = np.isfinite(s)
    beyond = np.flatnonzero(known & (np.abs(s) > 1.0 + 1e-9))
    if len(beyond):
        k = beyond[0]
        raise SettingError(
            f"signal: {s[k]:g} at {t[k]:g} s, {len(beyond)} such: it is a part of the capability, -1 to 1; scale it"
        )
    if not known[0]:
        raise SettingError(f"signal: nothing at its start at {t[0]:g} s; begin where it begins")
    grid = t[0] + every_s * np.arange(round((t[-1] - t[0]) / every_s) + 1)
    at = np.searchsorted(t[known], grid + 1e-6 * every_s, side="right") - 1
    age = grid - t[known][at]
    worst = int(np.argmax(age))
    if age[worst] > longest_gap_s + 1e-9:
        raise SettingError(
            f"signal: a gap of {age[worst]:g} s before {grid[worst]:g} s; only gaps of {longest_gap_s:g} s are bridged"
        )
    own = max(every_s, float(np.median(np.diff(t))))
    return grid, s[known][at], int(np.count_nonzero(age > own - 0.5 * every_s))
