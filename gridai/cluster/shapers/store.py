"""The store that batteries and capacitors are: a course of power, an energy that never leaves its bounds.

    demand d --+--------------------(-)--> power of the grid = d - b        b > 0: the store gives
               |                     | b
               +--> target g --> wish d - g --> 1/(1 + s response) --> within -power .. power --> within the energy

    target    g' = (d + (E0 - E) / restore - g) / smooth, no faster than ramp; smooth = 0: g follows d at once; never
              below 0: a meter of a cluster takes and does not feed (but for a moment after a fall, by response)
    energy    E' = - b / discharge_eff (b > 0),  - b charge_eff (b < 0),  low <= E <= high

Each piece between two times (points of the demand and multiples of step_s) has a linear demand; target and response are
solved in closed form for it, and b is a straight line in it by definition, so the energy is exact for the course that
is returned. A piece in which b changes its sign is cut there. Where the energy would leave its bounds in a piece, b is
made smaller in that piece so that it ends on the bound. Power in MW, energy in MJ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.shapers.base import Cost, Shaped, joined, spanned, with_points
from gridai.errors import SettingError
from gridai.kernel.profile import Array, Profile

MOST_POINTS = 2_000_000


@dataclass(frozen=True)
class Store:
    """Numbers of a store and of its control; `Battery` and `Capacitor` check theirs and make one."""

    power_mw: float
    low_mj: float
    high_mj: float
    start_mj: float
    smooth_s: float
    ramp_mw_per_s: float
    response_s: float
    restore_s: float
    charge_eff: float
    discharge_eff: float
    step_s: float


@dataclass
class _Run:
    """Where a store is in its run, and what it has left behind."""

    energy: float
    given: float
    target: float
    throughput: float = 0.0
    loss: float = 0.0
    limited: float = 0.0


def run(store: Store, demand: Profile) -> Shaped:
    """A demand with a store beside it. Raises SettingError for more than two million steps."""
    span = spanned(demand)
    if span / store.step_s > MOST_POINTS:
        raise SettingError(f"{demand.name}: {span:g} s in steps of {store.step_s:g} s are too many; give a longer step")
    begin = float(demand.t_s[0])
    whole = with_points(demand, begin + store.step_s * np.arange(1.0, math.ceil(span / store.step_s), dtype=float))
    now = _Run(store.start_mj, 0.0, float(demand.values[0]))
    t, power, energy = [begin], [float(demand.values[0])], [store.start_mj]
    times, values = whole.t_s.tolist(), whole.values.tolist()
    for k in range(len(times) - 1):
        if times[k + 1] > times[k]:
            for end, d0, d1, b0, b1, left in _piece(store, now, times[k], times[k + 1], values[k], values[k + 1]):
                t += [t[-1], end]
                power += [d0 - b0, d1 - b1]
                energy += [energy[-1], left]
    return _shaped(store, demand, now, np.array(t), np.array(power), np.array(energy))


Part = tuple[float, float, float, float, float, float]
"""End of a part [s], demand at its ends, power given at its ends [MW], energy left [MJ]."""


def _piece(store: Store, now: _Run, begin: float, end: float, d0: float, d1: float) -> list[Part]:
    """One piece as one part, or as two where the store turns."""
    h, top = end - begin, store.power_mw
    target = _target(store, now, h, d0, d1)
    b0, b1 = d0 - now.target, d1 - target
    if store.response_s > 0.0:
        b0, b1 = now.given, lagged(now.given, b0, b1, h, store.response_s)
    over = max(abs(b0), abs(b1)) > top * (1.0 + 1e-12)
    b0, b1 = min(max(b0, -top), top), min(max(b1, -top), top)
    found, short = [], False
    turn = b0 / (b0 - b1) if b0 * b1 < 0.0 else 1.0
    if turn < 1.0:
        middle, d = begin + turn * h, d0 + turn * (d1 - d0)
        share = _spend(store, now, middle - begin, b0, 0.0)
        found.append((middle, d0, d, share * b0, 0.0, now.energy))
        begin, d0, b0, short = middle, d, 0.0, share < 1.0
    share = _spend(store, now, end - begin, b0, b1)
    found.append((end, d0, d1, share * b0, share * b1, now.energy))
    short = short or share < 1.0
    now.given = share * b1
    now.limited += h if over or short else 0.0
    # A ramp goes on from what the grid sees, so it does not jump back when the store can give again.
    now.target = d1 - now.given if short and math.isfinite(store.ramp_mw_per_s) else target
    return found


def _target(store: Store, now: _Run, h: float, d0: float, d1: float) -> float:
    """Power that the grid shall see at the end of a piece. [MW]"""
    back = (store.start_mj - now.energy) / store.restore_s if store.restore_s > 0.0 else 0.0
    wanted = d1 + back
    if store.smooth_s > 0.0:
        wanted = lagged(now.target, d0 + back, d1 + back, h, store.smooth_s)
    most = store.ramp_mw_per_s * h
    return max(0.0, now.target + min(max(wanted - now.target, -most), most))


def lagged(y: float, u0: float, u1: float, h: float, tau: float) -> float:
    """1 / (1 + s tau) after h, from y, for an input that goes straight from u0 to u1; exact."""
    slope = (u1 - u0) / h
    return u1 - slope * tau + (y - u0 + slope * tau) * math.exp(-h / tau)


def _spend(store: Store, now: _Run, width: float, b0: float, b1: float) -> float:
    """Take a piece of one sign from the store; returns the share of it that there is energy, or room, for."""
    out = width * (b0 + b1) / 2.0
    inside = out / store.discharge_eff if out > 0.0 else out * store.charge_eff
    room = now.energy - store.low_mj if out > 0.0 else store.high_mj - now.energy
    share = 1.0
    if abs(inside) > room:
        share = room / abs(inside)
        now.energy = store.low_mj if out > 0.0 else store.high_mj
    else:
        now.energy -= inside
    now.throughput += share * max(inside, 0.0)
    now.loss += share * (inside - out)
    return share


def _shaped(store: Store, demand: Profile, now: _Run, t: Array, power: Array, energy: Array) -> Shaped:
    """Courses and cost of a run."""
    kept = np.concatenate([[True], np.diff(t) > 0.0])
    cost = Cost(
        loss_mj=now.loss,
        charged_mj=now.energy - store.start_mj,
        throughput_mj=now.throughput,
        limited_s=now.limited,
    )
    grid = joined(t[1:], power[1:], demand.name)
    return Shaped(demand, _lean(grid), cost, Profile(t[kept], energy[kept], "energy in the store"))


def _lean(course: Profile) -> Profile:
    """Without second points of an instant that hold the same value."""
    t, v = course.t_s, course.values
    same = np.concatenate([[False], (np.diff(t) == 0.0) & (np.diff(v) == 0.0)])
    return Profile(t[~same], v[~same], course.name)
