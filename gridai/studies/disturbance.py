"""What the studies of faults, trips and oscillations share: the run, its line flows, what became of the machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridai.reports import Measure
from gridai.results import Result
from gridai.results.ringdown import Swing, ringdown
from gridai.results.stability import LIMIT_DEGREE, largest_spread, loss_of_step, weights
from gridai.studies.common import add_places

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.engine import Event

MOST_DAMPING = 0.5
"""A swing damped more than this is over in a period and not worth a line."""
FIGURES = ("machines", "voltages", "frequency", "branch_flows")
LEAST_RINGDOWN_S, AFTER_S = 4.0, 0.5
"""A ringdown is looked at when so much of the run is left, from so long after the last event on. [s]"""
CRITERION = f"two machines more than {LIMIT_DEGREE:g} degrees apart"


def play(case: Case, events: Sequence[Event], until_s: float, step_s: float, seed: int = 0) -> Result:
    """Compile, simulate, and add line flows and places to the result."""
    from gridai import engine

    system = engine.compile_system(case)
    result = engine.simulate(system, events, until_s=until_s, step_s=step_s, seed=seed)
    result = engine.with_branch_flows(system, result)
    add_places(result, case)
    return result


def machine_measures(result: Result) -> dict[str, Measure]:
    """Largest angle between machines, those that lose step, and the dominant swing after the last event."""
    spread = largest_spread(result)
    pair = f"{spread.leading} to {spread.lagging}"
    if not (spread.leading and spread.lagging):
        return {}
    lines = {"largest_angle": Measure("largest angle between machines", spread.degree, "degree", pair, spread.t_s)}
    lost = loss_of_step(result)
    if lost is None:
        lines["loss_of_step"] = Measure("machines that lose step", 0.0, "", note=f"never {CRITERION}")
        return lines | _swing_measure(result)
    shown = " ".join(lost.units[:6]) + (" ..." if len(lost.units) > 6 else "")
    note = CRITERION if lost.slipped else f"{CRITERION}, but no pole slipped: they came back, or the run ends"
    lines["loss_of_step"] = Measure("machines that lose step", float(len(lost.units)), "", shown, lost.t_s, note)
    return lines


def _swing_measure(result: Result) -> dict[str, Measure]:
    first = next((swing for swing in swings_after(result) if swing.damping < MOST_DAMPING), None)
    if first is None:
        return {}
    names = result.names("gen", "speed_pu")
    mover = names[int(np.nanargmax(np.abs(first.shape)))]
    note = f"damping {100 * first.damping:.2f} %, largest in {mover}; matrix pencil on the machines' speeds"
    return {"swing": Measure("dominant swing afterwards", first.f_hz, "Hz", mover, note=note)}


def swings_after(result: Result) -> tuple[Swing, ...]:
    """Oscillations of the machines' speeds about their mean after the last event; empty where the run is too short."""
    if "speed_pu" not in result.quantities("gen"):
        return ()
    begin = max((event.t_s for event in result.events), default=0.0) + AFTER_S
    after = result.t_s >= begin
    left = float(result.t_s[-1] - begin)
    names, speed = result.names("gen", "speed_pu"), result.values("gen", "speed_pu")[after]
    if left < LEAST_RINGDOWN_S or len(names) < 2 or np.isnan(speed).all():
        return ()
    share = np.where(np.isnan(speed), 0.0, weights(result, names))
    mean = (np.nan_to_num(speed) * share).sum(axis=1) / np.maximum(share.sum(axis=1), 1e-300)
    relative = speed - mean[:, None]
    if np.nanmax(np.abs(relative)) < 1e-8:
        return ()
    return ringdown(result.t_s[after], relative, f_min_hz=max(0.1, 1.5 / left))


def swing_rows(result: Result, from_s: float, to_s: float, kind: str, quantity: str) -> list[tuple[str, float]]:
    """Highest less lowest value of each element within a window, the largest first; none for NaN."""
    inside = (result.t_s >= from_s) & (result.t_s <= to_s)
    values = result.values(kind, quantity)[inside]
    known = np.atleast_1d(np.isfinite(values).all(axis=0))
    span = np.where(known, values.max(axis=0) - values.min(axis=0), -1.0)
    names = result.names(kind, quantity)
    return [(names[k], float(span[k])) for k in np.argsort(-span, kind="stable") if known[k]]
