"""Upper ends of hosting capacity that need no power flow: headroom, reserve, strength; and what the reader must know.

Imported when a study is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gridai.errors import GridaiError
from gridai.grid.sizing import EDGE

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.sizing import Limits, Sizing
    from gridai.studies.hosting import Hosting

CAPS = {
    "headroom": "headroom", "reserve": "headroom after an outage", "strength": "short-circuit ratio",
    "bracket": "upper end",
}  # fmt: skip


@dataclass(frozen=True)
class Cap:
    """An upper end: which of CAPS, the size, value and limit of what it stands for, and the outage behind it, if any.

    scc_mva  short-circuit power of the bus, NaN where it is not judged. [MVA]
    rest_mw  the lowest upper end but for the strength. [MW]
    """

    kind: str
    mw: float
    value: float
    limit: float
    unit: str
    outage: int = -1
    scc_mva: float = float("nan")
    rest_mw: float = float("inf")


def caps_of(
    study: Hosting, case: Case, sizing: Sizing, keys: Mapping[int, str], room_mw: float, high_mw: float
) -> tuple[list[Cap], list[str]]:
    """The lowest cap of each bus, and what the reader has to know of them.

    keys     pandapower index and key of the buses.
    room_mw  headroom of all units, infinite where a grid feeds that states no end. [MW]
    high_mw  upper end of the search. [MW]
    """
    strength, told = strengths(study, case, list(keys.values()))
    fed = study.fed_by == "headroom"
    reserve, short = _reserves(study, sizing, room_mw) if fed and np.isfinite(room_mw) else (np.zeros(0), [])
    out = []
    for index, bus in keys.items():
        scc = strength.get(bus, float("nan"))
        some = [Cap("bracket", high_mw, high_mw, high_mw, "MW", -1, scc)]
        if fed and np.isfinite(room_mw):
            some.append(Cap("headroom", room_mw, room_mw, room_mw, "MW", -1, scc))
        if len(reserve):
            # A cluster that an outage cuts off needs nothing from the units that are left.
            there = np.where(sizing.pickup.dead[:, sizing.row_of(index)], np.inf, reserve)
            k, mw = int(there.argmin()), float(there.min())
            some.append(Cap("reserve", mw, mw, mw, "MW", k - 1, scc))
        if bus in strength:
            some.append(Cap("strength", scc / study.lowest_scr, study.lowest_scr, study.lowest_scr, "1", -1, scc))
        rest = min(cap.mw for cap in some if cap.kind != "strength")
        out.append(replace(min(some, key=lambda cap: cap.mw), rest_mw=rest))
    return out, [*told, *short]


def _reserves(study: Hosting, sizing: Sizing, room_mw: float) -> tuple[np.ndarray, list[str]]:
    """Largest load of each state for which the units left can take over; infinite where that is not judged. [MW]"""
    if not study.units:
        return np.zeros(0), []
    left = sizing.pickup.reserve_mw(room_mw)
    judged = np.zeros(len(left), dtype=bool)
    judged[sizing.judged] = sizing.pickup.lost_mw[sizing.judged] > 0.0
    short = judged & (left < 0.0)
    told = []
    if short.any():
        told.append(f"{int(short.sum())} outages take away more than the other units have left without any cluster "
                    f"({-float(left[short].min()):.0f} MW more at the worst): what is short is shared in the same "
                    "proportion, beyond their turbines, and is not held against a cluster")  # fmt: skip
    return np.where(judged & ~short, left, np.inf), told


def strengths(study: Hosting, case: Case, buses: Sequence[str]) -> tuple[dict[str, float], list[str]]:
    """Short-circuit power of the buses by the dynamic models [MVA]; empty, and why, where they do not give it."""
    if study.lowest_scr == 0.0:
        return {}, ["short-circuit strength is not judged: lowest_scr = 0"]
    if not case.dynamics:
        return {}, ["short-circuit strength is not judged: the case has no dynamic data"]
    from gridai import engine
    from gridai.engine.events import thevenin

    try:
        system = engine.compile_system(case)
    except GridaiError as error:
        return {}, [f"short-circuit strength is not judged: {error}"]
    run = engine.Run(system)
    base = system.network.s_base_mva
    found = {bus: base / abs(thevenin(run, system.node(bus))) for bus in buses}
    return found, ["short-circuit power: S_base / |z|, z the Thevenin impedance of machines behind subtransient "
                   "reactances with constant-impedance loads in place, without the cluster"]  # fmt: skip


def notes_of(study: Hosting, sizing: Sizing, unrated: int) -> list[str]:
    """What the reader of the sizes has to know."""
    worse = sizing.limits
    notes = [
        f"one cluster at one bus at a time, power factor {study.pf:g}, fed by {study.fed_by}; voltage step "
        f"{_steps(worse)} at any bus of the intact grid when the whole cluster goes, dispatch and taps as they were",
        f"what is outside its limit without the cluster ({sizing.outside} voltages and loadings, all outages counted), "
        f"or within {EDGE * worse.worse_voltage:g} pu or {EDGE * worse.worse_loading:g} % of it, may get worse by "
        f"{worse.worse_voltage:g} pu or {worse.worse_loading:g} %; after an outage no limit is stricter than intact, "
        "after two none than after one of them",
        "a size is the largest of its bracket that passes; what must grow is what fails for a larger cluster, the "
        "worst of each element",
    ]
    if study.outages != "none":
        notes.append(_adjusted(study, sizing))
    if worse.margin[0] > 0.0:
        notes.append(_margin_note(study, worse.margin))
    headless = sizing.headless() & (sizing.order == 1)
    singles = (sizing.pickup.dead.any(axis=1) & (sizing.order == 1) & ~headless).nonzero()[0]
    if len(singles):
        count = int(sizing.pickup.dead[singles].any(axis=0).sum())
        notes.append(f"{len(singles)} single outages part {count} buses from the rest of the grid, with the cluster if "
                     "it stands there, which is then taken to be lost: the rest is judged, and the supply of those "
                     "buses is not N-1 secure at any size (column `cut off by`)")  # fmt: skip
    if headless.any():
        lost = ", ".join(str(sizing.outages[k - 1]) for k in headless.nonzero()[0])
        notes.append(f"{lost} takes the slack from a grid whose other units cannot hold it: it is not judged after "
                     "this outage")  # fmt: skip
    if len(sizing.without_solution):
        notes.append(f"{len(sizing.without_solution)} outages have no solution without the cluster and are left out")
    if unrated and study.rating_mva is None:
        notes.append(f"{unrated} branches state no rating (9,000 MVA or more), so their loading never stops a cluster; "
                     "give rating_mva to judge it")  # fmt: skip
    elif unrated:
        notes.append(f"{unrated} branches state no rating; {study.rating_mva:g} MVA is taken for each")
    return notes


def _steps(limits: Limits) -> str:
    """The voltage step allowed, or its range where it differs from bus to bus."""
    low, high = 100.0 * np.min(limits.step), 100.0 * np.max(limits.step)
    return f"{low:g} %" if low == high else f"{low:g} to {high:g} % by nominal voltage"


def _adjusted(study: Hosting, sizing: Sizing) -> str:
    """What is adjusted after an outage, and what is not."""
    if sizing.pickup.units:
        text = ("what an outage takes away is taken over by the other units in proportion to their headroom, as the "
                "cluster is")  # fmt: skip
    else:
        text = "what an outage takes away falls on the slack"
    if study.outages == "n-1-1":
        text += (" (after the first outage and after the second, which comes to the same as once after both); no other "
                 "adjustment is made between the two: no redispatch to relieve a branch, no taps, capacitors, set "
                 "points, topology or load, so an operator who may do these can take more")  # fmt: skip
    else:
        text += "; set points of voltage, taps and capacitors stay, nothing is redispatched to relieve a branch"
    return text + (", units at a slack are never out" if study.units else "")


def _margin_note(study: Hosting, margin: tuple[float, float, float]) -> str:
    """How the margin to the nose is judged."""
    text = f"the cluster must be able to grow by {100 * margin[0]:g} % before there is no power flow"
    if study.outages != "none":
        text += ", after every outage too"
    if study.outages == "n-1-1":
        text += f", after two by {100 * margin[2]:g} % (half, as in TPL-001-WECC-CRT)"
    text += "; units feed the growth in the same shares, beyond their turbines if need be"
    return text if study.enforce_q_lims else text + "; without the units' reactive limits the nose lies too far out"
