"""The power flows of the study `unbalanced`: without and with the clusters, or over a day. Imported when it is run."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, SettingError, near

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.phases import PhaseFlow, PhaseResult, Vary
    from gridai.studies.series_input import Column
    from gridai.studies.unbalanced import Unbalanced

Floats = NDArray[np.float64]
MOST_VALUES = 60_000_000
"""Buses x steps that are kept at once."""
_POWER = {"load": ("p_mw", "q_mvar"), "sgen": ("p_mw", "q_mvar"), "storage": ("p_mw", "q_mvar")}
_BY_PHASE = tuple(f"{part}_{phase}_{unit}" for phase in "abc" for part, unit in (("p", "mw"), ("q", "mvar")))


@dataclass(frozen=True, eq=False)
class Done:
    """What was solved.

    flow, result  the network, and one scenario a step; without profiles the first is without clusters, the last with.
    t_s           time of the steps.   day  whether there are profiles.
    shown         the scenario that tables and figure show: with the clusters, or the step with the most unbalance.
    placed        the clusters in words.
    """

    flow: PhaseFlow
    result: PhaseResult
    t_s: Floats
    day: bool
    shown: int
    placed: str
    notes: tuple[str, ...] = ()


def solve(study: Unbalanced, case: Case) -> Done:
    """Solve the case. Raises CaseError for missing data and for profiles that do not fit."""
    from gridai.grid.phases import PhaseFlow

    flow = PhaseFlow(without_clusters(case), source=study.source)
    placed = ""
    if case.placements:
        names = ", ".join(f"{p.name} at bus {p.bus}" for p in case.placements)
        where = {"abc": "three phases"}.get(study.phases, f"phase{'s' * (len(study.phases) > 1)} {study.phases}")
        placed = f", {names} on {where}"
    if study.profiles:
        return _day(study, case, flow, placed)
    levels = np.array([[0.0], [1.0]]) if case.placements else np.array([[1.0]])
    varying = cluster_vary(study, case, levels * np.ones((1, len(case.placements))))
    result = flow.solve(varying, scenarios=len(levels))
    return Done(flow, result, np.zeros(1), False, len(levels) - 1, placed)


def without_clusters(case: Case) -> Any:
    """The net less the loads that stand for clusters."""
    net = copy.copy(case.net)
    names = {p.name for p in case.placements}
    net.load = case.net.load[~case.net.load["name"].isin(names)].copy()
    return net


def cluster_vary(study: Unbalanced, case: Case, levels: Floats) -> list[Vary]:
    """What the clusters draw, float[S, clusters] as parts of their mean power."""
    from gridai.grid.phases import Vary

    kind = "" if study.phases == "abc" else f"_{study.phases}"
    out = []
    for k, p in enumerate(case.placements):
        for part, value in (("p{}_mw", p.cluster.p_mw), ("q{}_mvar", p.cluster.q_mvar)):
            column = part.format(kind)
            out.append(Vary("bus", column, levels[:, k : k + 1] * float(value), [case.buses[p.bus]]))
    return out


def _day(study: Unbalanced, case: Case, flow: PhaseFlow, placed: str) -> Done:
    from gridai.studies.series_input import read_profiles
    from gridai.studies.series_play import profile_file

    files = [profile_file(case, name.strip()) for name in study.profiles.split(",") if name.strip()]
    given = read_profiles(files, study.gaps)
    count = len(given.t_s)
    if count * len(case.net.bus) > MOST_VALUES:
        raise SettingError(
            f"profiles: {count:,} steps of {len(case.net.bus):,} buses are too many at once; give fewer or longer steps"
        )
    levels = np.ones((count, len(case.placements)))
    varying: list[Vary] = []
    for column in given.columns:
        if column.table == "cluster":
            _cluster(case, column, levels)
        else:
            varying += _element(case, flow.net, column)
    result = flow.solve([*varying, *cluster_vary(study, case, levels)], scenarios=count)
    worst = np.full(count, -1.0)
    worst[result.solved] = np.nanmax(result.unbalance_percent[result.solved], axis=1)
    notes = (*given.notes, f"profiles: {len(given.columns)} columns, {count:,} steps from {given.start}")
    return Done(flow, result, np.asarray(given.t_s, dtype=float), True, int(worst.argmax()), placed, notes)


def _cluster(case: Case, column: Column, levels: Floats) -> None:
    """A cluster's column as parts of its mean power; Q follows P."""
    names = [p.name for p in case.placements]
    if column.name not in (*names, "*"):
        raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, names, 'cluster')}")
    if column.quantity not in ("p_mw", "factor"):
        raise CaseError(f"{column.file}: column '{column.title}': a cluster takes p_mw or factor here; Q follows P")
    for k, p in enumerate(case.placements):
        if column.name in (p.name, "*"):
            levels[:, k] = column.values / (1.0 if column.quantity == "factor" else float(p.cluster.p_mw))


def _element(case: Case, net: Any, column: Column) -> list[Vary]:
    """A column of loads, sgens, storages or the external grid."""
    from gridai.grid.phases import Vary

    table = column.table
    rows = net[table]
    chosen = [int(i) for i, n in rows["name"].items() if column.name in (str(n), "*")]
    if not chosen:
        raise CaseError(f"{column.file}: column '{column.title}': {near(column.name, rows['name'], table)}")
    if column.quantity != "factor":
        return [Vary(table, column.quantity, np.repeat(column.values[:, None], len(chosen), axis=1), chosen)]
    columns = _BY_PHASE if table.startswith("asymmetric") else _POWER.get(table, ("p_mw",))
    out = []
    for name in columns:
        base = rows.loc[chosen, name].to_numpy(dtype=float)
        if base.any():
            out.append(Vary(table, name, column.values[:, None] * base, chosen))
    return out


def largest(study: Unbalanced, case: Case, done: Done, view: Any) -> tuple[float, str]:
    """The largest mean power of the (only) cluster within the limits, and what stops a larger one. [MW]

    What is beyond a limit without the cluster does not stop it unless it gets worse.
    """
    if len(case.placements) != 1:
        raise SettingError("study unbalanced: largest: goes with one cluster; place one with --cluster-bus")
    p = float(case.placements[0].cluster.p_mw)
    low, high, why = 0.0, 0.0, ""
    for sizes in ([0.0, *(2.0**k for k in range(-6, 7))], None, None, None):  # doubling, then finer three times
        tried = np.array(sizes) if sizes is not None else np.linspace(low, high, 33)
        result = done.flow.solve(cluster_vary(study, case, tried[:, None]))
        stops = [view.stops(result, k) for k in range(len(tried))]
        first = next((k for k, text in enumerate(stops) if text), None)
        if first is None:
            return float(tried[-1]) * p, f"nothing up to {tried[-1]:g} times this cluster"
        if first == 0:
            return 0.0, stops[0]
        low, high, why = float(tried[first - 1]), float(tried[first]), stops[first]
    return low * p, why
