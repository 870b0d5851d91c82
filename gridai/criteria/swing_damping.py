"""Damping of the swings that follow a disturbance, read from the run itself.

    swing_damping   damping ratio of every swing between two frequencies, at least `low` %
    halving_time    time in which every swing falls to half, at most `high` s
    peak_ratio      height of a later peak of a machine's angle over that of the first, at most `high`

The first two fit damped sinusoids (matrix pencil) to the machines' speeds about their mean, to the buses' frequencies
where no machine is recorded, from 0.5 s after the last event on. A run that holds less than `least_s` after it is not
assessable. Modes of the linearised system are judged by mode_damping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import FloatArray, last_event_s, not_assessable, verdict
from gridai.errors import ResultError
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.frequency import V_DEAD_PU
from gridai.results.measures import swings as spans
from gridai.results.ringdown import Swing, ringdown
from gridai.results.stability import from_centre, loss_of_step, weights

AFTER_S = 0.5
STILL_HZ = 1e-6
"""Below this nothing swings. [Hz]"""


@dataclass(frozen=True)
class _OfSwings:
    """What limits on swings after the last event share.

    f_min_hz, f_max_hz  swings between these are judged. [Hz]
    least_s             so long a run after the last event is needed. [s]
    least_share         swings below this share of the largest do not count.
    """

    limit: Limit
    f_min_hz: float = 0.1
    f_max_hz: float = 3.0
    least_s: float = 10.0
    least_share: float = 0.05

    def _found(self, result: Result) -> tuple[tuple[str, ...], list[Swing], str]:
        return _swings(result, self.f_min_hz, self.f_max_hz, self.least_s, self.least_share)


@dataclass(frozen=True)
class SwingDamping(_OfSwings):
    """Lowest damping ratio of the swings after the last event, at least `low` in %."""

    name: ClassVar[str] = "swing_damping"
    meaning: ClassVar[str] = "swings after a disturbance are damped well enough"

    def check(self, result: Result) -> Verdict:
        """Verdict for the swing with the least damping; the element is the machine that moves most in it."""
        names, swings, reason = self._found(result)
        if reason:
            return not_assessable(self.limit, reason)
        low, at = float(self.limit.low or 0.0), float(last_event_s(result) or 0.0)
        if not swings:
            return verdict(self.limit, 100.0, low, 100.0 - low, Extreme(100.0, at), "nothing swings")
        worst = min(swings, key=lambda swing: swing.damping)
        value = 100.0 * worst.damping
        return verdict(self.limit, value, low, value - low, Extreme(value, at, _mover(names, worst)), _text(worst))


@dataclass(frozen=True)
class HalvingTime(_OfSwings):
    """Longest time in which a swing falls to half, at most `high` in s."""

    name: ClassVar[str] = "halving_time"
    meaning: ClassVar[str] = "swings fall to half in time"

    def check(self, result: Result) -> Verdict:
        """Verdict for the slowest swing; a swing that grows never falls to half."""
        names, swings, reason = self._found(result)
        if reason:
            return not_assessable(self.limit, reason)
        high, at = float(self.limit.high or 0.0), float(last_event_s(result) or 0.0)
        if not swings:
            return verdict(self.limit, 0.0, high, high, Extreme(0.0, at), "nothing swings")
        worst = max(swings, key=lambda swing: swing.sigma)
        value = math.log(2.0) / -worst.sigma if worst.sigma < 0.0 else math.inf
        return verdict(self.limit, value, high, high - value, Extreme(value, at, _mover(names, worst)), _text(worst))


@dataclass(frozen=True)
class PeakRatio:
    """Largest ratio of the peak `periods` later to the first one of a machine's angle, at most `high`.

    Angles stand against the centre of inertia; heights against the mean of the last period of the run.
    least_degree  machines that swing less do not count. [degree]
    """

    limit: Limit
    periods: int = 1
    least_degree: float = 1.0

    name: ClassVar[str] = "peak_ratio"
    meaning: ClassVar[str] = "later peaks of the machines' angles are lower than the first"

    def check(self, result: Result) -> Verdict:
        """Verdict for the machine with the largest ratio; its time is that of the later peak."""
        at = last_event_s(result)
        if at is None:
            return not_assessable(self.limit, "nothing happens in the run")
        names, angle = from_centre(result)
        if not names:
            return not_assessable(self.limit, "no angle of a machine was recorded")
        lost = loss_of_step(result)
        if lost is not None:
            text = f"{', '.join(lost.units[:4])} lose step at {lost.t_s:.4g} s"
            high = float(self.limit.high or 0.0)
            return verdict(self.limit, math.inf, high, -math.inf, Extreme(math.inf, lost.t_s, lost.units[0]), text)
        after = result.t_s >= at
        gone = _unexplained(result, names, angle[after])
        if gone:
            return not_assessable(self.limit, f"no angle of {gone[0]} in part of the run")
        rows, waiting = [], ""
        for name, x in zip(names, np.degrees(angle[after]).T, strict=True):
            if np.isnan(x).any() or x.max() - x.min() < self.least_degree:
                continue
            found = _ratio(result.t_s[after], x, self.periods)
            if found is None:
                waiting = waiting or name
            else:
                rows.append((found[0], found[1], name))
        if waiting:
            return not_assessable(self.limit, f"the angle of {waiting} has no {self.periods + 1} peaks in the run")
        if not rows:
            return not_assessable(self.limit, f"no machine swings by {self.least_degree:g} degrees")
        value, t_s, name = max(rows)
        high = float(self.limit.high or 0.0)
        note = f"after {self.periods} periods"
        return verdict(self.limit, value, high, high - value, Extreme(value, t_s, name), note)


def _ratio(t: FloatArray, x: FloatArray, periods: int) -> tuple[float, float] | None:
    """Ratio of the peak so many periods later to the first, and its time; None with too few peaks."""
    peaks = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])) + 1
    if len(peaks) < 2:
        return None
    period = float(t[peaks[-1]] - t[peaks[0]]) / (len(peaks) - 1)
    late = t >= t[-1] - period
    rest = float(np.trapezoid(x[late], t[late]) / (t[late][-1] - t[late][0]))
    if len(peaks) <= periods or x[peaks[0]] <= rest:
        return None
    later = peaks[periods]
    return float((x[later] - rest) / (x[peaks[0]] - rest)), float(t[later])


def _swings(
    result: Result, f_min_hz: float, f_max_hz: float, least_s: float, least_share: float
) -> tuple[tuple[str, ...], list[Swing], str]:
    """Names of the series, the swings that count, and why there are none to judge."""
    begin = (last_event_s(result) or 0.0) + AFTER_S
    after = result.t_s >= begin
    left = float(result.t_s[-1] - begin) if len(result.t_s) else 0.0
    needed = max(least_s, 1.5 / f_min_hz)
    if left < needed * (1.0 - 1e-9) - AFTER_S:
        return (), [], f"the run is shorter than {needed:g} s after the last event"
    names, x = _series(result)
    x = x[after]
    if np.isnan(x).any(axis=0).all():
        return (), [], "every series holds NaN"
    lost = _unexplained(result, names, x)
    if lost:
        return (), [], f"no speed of {lost[0]} in part of the run"
    if float(np.nanmax(spans(x))) * float(result.meta["f_hz"]) < STILL_HZ:
        return names, [], ""
    found = ringdown(result.t_s[after], x, f_min_hz, f_max_hz)
    largest = max((swing.size for swing in found), default=0.0)
    return names, [swing for swing in found if swing.size >= least_share * largest], ""


def _unexplained(result: Result, names: tuple[str, ...], x: FloatArray) -> list[str]:
    """Elements without a value in part of the run that neither tripped nor were de-energised."""
    off = set(result.meta.get("units_off", {}))
    lost = [name for name, y in zip(names, x.T, strict=True) if np.isnan(y).any() and name not in off]
    if not lost or "vm_pu" not in result.quantities("bus"):
        return lost
    vm = dict(zip(result.names("bus", "vm_pu"), result.values("bus", "vm_pu").T, strict=True))
    return [name for name in lost if name not in vm or not (vm[name] < V_DEAD_PU).any()]


def _series(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    """Speeds of the machines about their mean, or frequencies of the buses in pu."""
    if "speed_pu" in result.quantities("gen") and len(result.names("gen", "speed_pu")) > 1:
        names, speed = result.names("gen", "speed_pu"), result.values("gen", "speed_pu")
        share = np.where(np.isnan(speed), 0.0, weights(result, names))
        mean = (np.nan_to_num(speed) * share).sum(axis=1) / np.maximum(share.sum(axis=1), 1e-300)
        return names, speed - mean[:, None]
    if "speed_pu" in result.quantities("gen"):
        return result.names("gen", "speed_pu"), result.values("gen", "speed_pu") - 1.0
    if "f_hz" in result.quantities("bus"):
        return result.names("bus", "f_hz"), result.values("bus", "f_hz") / float(result.meta["f_hz"]) - 1.0
    raise ResultError("neither speeds of machines nor bus voltages were recorded")


def _mover(names: tuple[str, ...], swing: Swing) -> str:
    return names[int(np.nanargmax(np.abs(swing.shape)))]


def _text(swing: Swing) -> str:
    return f"swing of {swing.f_hz:.3f} Hz"
