"""Steady limits on the power flow from which a run starts: voltages, loadings, short-circuit ratio.

A run is judged on what it changes. Where a search changes the power flow itself (a larger cluster, a weaker grid), the
start is judged as well: every bus that was inside its band, and every branch that was within its rating, before the
search changed anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.results import Limit, Result, Verdict
from gridai.results.scalars import Scalar, add_scalars

if TYPE_CHECKING:
    from gridai.case import Placement
    from gridai.engine import System
    from gridai.studies.searching import Judge

BEFORE = "power flow before the disturbance; what was outside already is not held against it"


def voltages(op: Any) -> dict[str, float]:
    """Voltage of each energised bus of a power flow, by key. [pu]"""
    return {bus: float(abs(op.v[node])) for bus, node in op.network.node_of_bus.items()}


def loadings(op: Any) -> dict[str, float]:
    """Loading of each branch in service that has a rating: the end with more MVA. [%]"""
    b, v = op.network.branches, op.v
    at_from = v[b.from_node] * np.conj(b.y_ff * v[b.from_node] + b.y_ft * v[b.to_node])
    at_to = v[b.to_node] * np.conj(b.y_tf * v[b.from_node] + b.y_tt * v[b.to_node])
    mva = op.network.s_base_mva * np.maximum(abs(at_from), abs(at_to))
    rated = np.isfinite(b.rating_mva) & (b.rating_mva > 0.0) & b.in_service
    return {b.name[k]: float(100.0 * mva[k] / b.rating_mva[k]) for k in np.flatnonzero(rated)}


def short_circuit_ratio(system: System, placement: Placement) -> float:
    """Short-circuit power at a cluster's bus over the cluster's power.

    With the network's Thevenin impedance as the dynamic models give it at the first instant: machines behind their
    subtransient (classical: transient) reactance, constant-impedance loads in place, 1 pu behind.
    """
    return system.network.s_base_mva / (abs(thevenin_pu(system, placement.bus)) * float(placement.cluster.p_mw))


def thevenin_pu(system: System, bus: str) -> complex:
    """That impedance. [pu on the system base]"""
    from gridai.engine import Run
    from gridai.engine.events import thevenin

    return thevenin(Run(system), system.node(bus))


def start_verdicts(judge: Judge, op: Any, before: Mapping[str, float]) -> tuple[Verdict, ...]:
    """The profile's steady voltage limits on a power flow.

    before  voltages of the buses before the search changed anything [pu]; a bus that is not in it is new and judged.
    """
    found = [_start_verdict(limit, op, before) for limit in judge.limits if limit.criterion == "steady_voltage"]
    return tuple(v for v in found if v is not None)


def _start_verdict(limit: Limit, op: Any, before: Mapping[str, float]) -> Verdict | None:
    low = -np.inf if limit.low is None else limit.low
    high = np.inf if limit.high is None else limit.high
    kv = (float(limit.settings.get("kv_min", 0.0)), float(limit.settings.get("kv_max", np.inf)))
    nodes, kvs = op.network.node_of_bus, op.network.node_kv
    own = {
        bus: v
        for bus, v in voltages(op).items()
        if kv[0] <= float(kvs[nodes[bus]]) < kv[1] and (bus not in before or low <= before[bus] <= high)
    }
    if not own:
        return None
    bus, v = min(own.items(), key=lambda item: min(item[1] - low, high - item[1]))
    margin, bound = min((v - low, low), (high - v, high))
    return Verdict(
        "start_voltage", v, bound, "pu", margin, bus, 0.0, "pass" if margin >= -1e-9 else "fail", limit.clause,
        limit.edition, limit.source, limit.confidence, limit.profile, BEFORE,
    )  # fmt: skip


def planning_verdicts(
    judge: Judge, system: System, placement: Placement, before: Mapping[str, float]
) -> tuple[Verdict, ...]:
    """The profile's limits on loadings and short-circuit ratio, as far as they can be judged on the power flow.

    before  loadings before the search changed anything [%]: branches above 100 % then are left out.
    """
    from gridai import criteria

    if judge.profile is None:
        return ()
    scalars = [
        Scalar("loading_percent", name, value, "%", 0.0, "power flow before the disturbance")
        for name, value in loadings(system.op).items()
        if before.get(name, 0.0) <= 100.0
    ]
    scalars.append(Scalar("short_circuit_ratio", placement.name, short_circuit_ratio(system, placement), "1"))
    bare = Result(np.zeros(1), np.zeros((1, 0)), (), (), {"f_hz": system.network.f_hz})
    found = criteria.check(add_scalars(bare, scalars), judge.profile, "planning")
    return tuple(v for v in found if v.status != "not assessable")
