"""Flicker along a course: Pst of ten-minute periods at a cluster's bus, from what its power does below the step.

    power of the steps x (workload's course / its mean) --> voltage behind the bus's short-circuit impedance, 400 values
    a second --> flickermeter --> Pst of each ten minutes, Plt of each two hours

Beside the study `flicker`, which runs the dynamic model, the second ten minutes: 0.286 and 0.291 on cigre_mv (5 MW at
bus 14), 0.0052 and 0.0060 on ieee39, but 0.023 and 0.044 on kundur: rotor swings and voltage regulators are not in
here, and where the areas swing against each other they make half of it.

Long courses are looked at in two-hour blocks spread evenly. The voltage of the power flow goes in with its mean over
the ten minutes: a change of power moves the voltage by the inverse of its square more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, GridaiError, SettingError
from gridai.results.flickermeter import LEAST_RATE_HZ, flicker, lamp_of, plt

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.studies.series_play import Play
    from gridai.studies.series_sums import Sums

Floats = NDArray[np.float64]
PERIOD_S, IN_PLT = 600.0, 12
STATED_XR = 10.0
LEAD_S = 60.0
"""The flickermeter runs so long before the first period of a block."""


@dataclass(frozen=True, eq=False)
class PstCourse:
    """Pst of the periods looked at.

    t_s      end of each, float[n]. [s]
    pst      float[n].
    plt      of each two-hour block that is complete.   plt_t_s  their ends. [s]
    bus      key.   strength_mva, xr  short-circuit power and X/R there.   source  where they come from.
    periods  in the whole course.
    """

    t_s: Floats
    pst: Floats
    plt: Floats
    plt_t_s: Floats
    bus: str
    strength_mva: float
    xr: float
    source: str
    periods: int

    def quantile(self, share: float) -> tuple[float, float]:
        """Value that so large a share of the periods stays at or below (0 to 1), and its time."""
        k = int(np.argsort(self.pst)[max(int(np.ceil(share * len(self.pst))) - 1, 0)])
        return float(self.pst[k]), float(self.t_s[k])


def strength(case: Case, placement: Placement, stated_mva: float | None, xr: float | None) -> tuple[float, float, str]:
    """Short-circuit power at the cluster's bus [MVA], reactance over resistance, and where they come from.

    By the dynamic models (subtransient, loads as they stand in the network) where the case has them, else the smallest
    fault of IEC 60909. Raises SettingError where neither gives it.
    """
    if stated_mva is not None:
        return stated_mva, STATED_XR if xr is None else xr, "as stated"
    if case.dynamics:
        from gridai import engine
        from gridai.engine.events import thevenin

        try:
            system = engine.compile_system(case)
        except GridaiError as error:
            raise SettingError(f"short_circuit_mva: give it; the dynamic models do not: {error}") from error
        z = thevenin(engine.Run(system), system.node(placement.bus))
        ratio = z.imag / max(z.real, 1e-12) if xr is None else xr
        return float(system.network.s_base_mva / abs(z)), ratio, "by the dynamic models, subtransient"
    from gridai.grid.shortcircuit import fault_levels

    try:
        levels = fault_levels(case.net, case.dynamics, "min")
    except CaseError as error:
        raise SettingError(f"short_circuit_mva: give it; {error}") from error
    at = case.buses[placement.bus]
    return levels.skss_mva[at], levels.xr[at] if xr is None else xr, "smallest fault by IEC 60909"


def pst_course(
    play: Play, sums: Sums, case: Case, placement: Placement, *, most: int, stated_mva: float | None, xr: float | None,
    tick: Any = None,
) -> PstCourse:  # fmt: skip
    """Pst along the course of a cluster. sums.means keeps the voltage of its bus first.

    most  periods looked at.
    Raises SettingError where the course is shorter than one period or the grid too weak for the power.
    """
    from gridai.studies.flicker import voltage_behind

    row = play.clusters[[p.name for p in case.placements].index(placement.name)]
    demand, net_row = play.demands[row], play.flow.net.load.loc[row]
    end_s = float(play.t_s[-1] + 3600.0 * sums.hours[-1])
    periods = int(end_s / PERIOD_S + 1e-9)
    if periods < 1:
        raise SettingError(f"flicker: the course lasts {end_s:g} s; one period takes {PERIOD_S:g} s: give more")
    mva, ratio, source = strength(case, placement, stated_mva, xr)
    assert sums.means is not None
    sums.means.end()
    vm = dict(zip(np.concatenate(sums.means.at).tolist(), np.concatenate(sums.means.kept)[:, 0], strict=True))
    slow = play.power_mw("load", row, 0, len(play.t_s))
    tan = float(net_row["q_mvar"]) / float(net_row["p_mw"]) if net_row["p_mw"] else 0.0
    lamp, times, found, plts, plt_times = lamp_of(case.f_hz), [], [], [], []
    own = play.strength.get(row)
    asked = _blocks(periods, most)
    for first, last in asked:
        begin = first * PERIOD_S
        t = begin - LEAD_S + np.arange(int(((last - first) * PERIOD_S + LEAD_S) * LEAST_RATE_HZ) + 1) / LEAST_RATE_HZ
        at = np.maximum(t, 0.0)
        p = demand.value(at)
        if not _same(play, demand, row):
            p = p * (slow[np.clip(np.searchsorted(play.t_s, at, side="right") - 1, 0, len(slow) - 1)]
                     / placement.cluster.p_mw)  # fmt: skip
        v = np.empty(len(t))
        for k in range(first, last):
            part = slice(0 if k == first else _index(k, first), None if k == last - 1 else _index(k + 1, first))
            mean, level = float(p[part].mean()), float(vm.get(k, np.nan))
            here = mva if own is None else float(np.interp((k + 0.5) * PERIOD_S, play.t_s, own))
            v[part] = voltage_behind(p[part], tan * p[part], mean, tan * mean, here * level**2, ratio)
        if np.isnan(v).any() or np.isnan(p).any():
            continue
        measured = flicker(t, v, lamp, PERIOD_S, LEAD_S)
        times += [(k + 1) * PERIOD_S for k in range(first, last)]
        found += list(measured.pst[: last - first])
        if last - first == IN_PLT:
            plts.append(plt(measured.pst[:IN_PLT]))
            plt_times.append(last * PERIOD_S)
        if tick is not None:
            tick(len(found), sum(b - a for a, b in asked))
    if not found:
        raise SettingError("flicker: no period of ten minutes has a solution in all of its steps")
    return PstCourse(np.array(times), np.array(found), np.array(plts), np.array(plt_times), placement.bus, mva, ratio,
                     source, periods)  # fmt: skip


def _index(k: int, first: int) -> int:
    """Place of the beginning of a period among the samples of its block."""
    return int(((k - first) * PERIOD_S + LEAD_S) * LEAST_RATE_HZ)


def _same(play: Play, demand: Any, row: int) -> bool:
    """True where the course of the steps is the mean of the fast one: then that is the power itself."""
    values, _ = play.columns.get(("load", "p_mw"), {}).get(row, (None, 1.0))
    if values is None or len(values) < 1:
        return False
    edges = np.append(play.t_s[: min(len(values), 16)], play.t_s[min(len(values), 16)] if len(values) > 16
                      else play.t_s[-1] + 1.0)  # fmt: skip
    return bool(np.allclose(values[: len(edges) - 2], demand.means(edges)[:-1], rtol=1e-9))


def _blocks(periods: int, most: int) -> list[tuple[int, int]]:
    """Blocks of up to twelve periods (first, one after the last): all of them, or so many spread evenly."""
    every = [(a, min(a + IN_PLT, periods)) for a in range(0, periods, IN_PLT)]
    count = max(1, most // IN_PLT)
    if len(every) > count:
        whole = [b for b in every if b[1] - b[0] == IN_PLT]
        every = [whole[int(k)] for k in np.linspace(0, len(whole) - 1, count).round()]
    if most < IN_PLT:
        every = [(every[0][0], min(every[0][1], every[0][0] + most))]
    return every
