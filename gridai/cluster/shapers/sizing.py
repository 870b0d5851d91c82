"""Sizes for a square wave in closed form, and the search that finds a size for any course.

A square wave of peak-to-peak D, period T and half its time high, about a mean; lossless, once it repeats:

    battery, flat        power D / 2, energy D T / 4
    battery, smooth tau  left D tanh(T/4tau), power D/2 (1 + tanh(T/4tau)), energy D tau tanh(T/4tau)
    battery, ramp R      left min(D, R T/2); 2 D <= R T: power D, energy D^2 / (2 R) above and as much below its charge
    floor                left D less the lift; burns lift / 2 on average
    ramp limit R         left min(D, R T/2) without a store: what it burns and defers is D^2 / (2 R) each, every period

tanh(T/4tau) from the exponential between two edges: it starts at -left/2 and ends at left/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gridai.errors import SettingError


@dataclass(frozen=True)
class Size:
    """A battery: most power [MW], energy between its lowest and highest charge [MJ], and the swing left [MW]."""

    power_mw: float
    energy_mj: float
    left_mw: float


def flat_battery(swing_mw: float, period_s: float) -> Size:
    """The battery that makes a square wave flat."""
    return Size(swing_mw / 2.0, swing_mw * period_s / 4.0, 0.0)


def smoothing_battery(swing_mw: float, period_s: float, smooth_s: float) -> Size:
    """The battery behind a first-order lag."""
    left = math.tanh(period_s / (4.0 * smooth_s))
    return Size(swing_mw / 2.0 * (1.0 + left), swing_mw * smooth_s * left, swing_mw * left)


def ramping_battery(swing_mw: float, period_s: float, ramp_mw_per_s: float) -> Size:
    """The battery behind a ramp limit that reaches the demand. Raises SettingError for one that does not."""
    if ramp_mw_per_s * period_s < 2.0 * swing_mw * (1.0 - 1e-12):
        raise SettingError(f"ramp_mw_per_s = {ramp_mw_per_s:g}: below {2.0 * swing_mw / period_s:g} it never arrives")
    return Size(swing_mw, swing_mw**2 / (2.0 * ramp_mw_per_s), swing_mw)


def smooth_for(swing_mw: float, period_s: float, left_mw: float) -> float:
    """Time constant that leaves so much of a square wave. [s] Raises SettingError outside 0 to the swing."""
    if not 0.0 < left_mw < swing_mw:
        raise SettingError(f"left_mw = {left_mw:g}: give more than 0 and less than the swing of {swing_mw:g} MW")
    return period_s / (4.0 * math.atanh(left_mw / swing_mw))


def ballast_of_floor(swing_mw: float, period_s: float, left_mw: float) -> float:
    """Energy that a floor burns in each period of a square wave to leave a swing of left_mw. [MJ]"""
    return (swing_mw - left_mw) * period_s / 2.0


def growing(meets: Callable[[float], bool], low: float, high: float, factor: float = 4.0) -> float | None:
    """`smallest` for sizes that cost more to try the larger they are: the bracket grows from its lower end."""
    top = low
    while top < high and not meets(top):
        top = min(top * factor, high)
    return smallest(meets, max(low, top / factor), top) if top > low else low


def smallest(meets: Callable[[float], bool], low: float, high: float, rel: float = 1e-3) -> float | None:
    """The least size that meets a demand which larger ones meet too, by bisection on a logarithmic scale.

    low, high  bracket, above 0. Returns the upper end of the last bracket, `low` if that meets it already, and None
    if not even `high` does. Raises SettingError for a crossed bracket.
    """
    if not 0.0 < low < high:
        raise SettingError(f"from {low:g} to {high:g}: give two sizes above 0, the lower one first")
    if meets(low):
        return low
    if not meets(high):
        return None
    while high / low > 1.0 + rel:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high
