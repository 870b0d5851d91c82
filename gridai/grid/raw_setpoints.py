"""Terminal voltages of machines that regulate another bus or stand at a reactive limit, found as PSS/E finds them.

PSS/E holds VS at the bus that IREG names and keeps the machines of a bus within their reactive range; pandapower
holds a machine's own bus. So the own bus gets the setpoint at which one of these is true:

    |v| of the regulated bus = VS          or, where that would leave the range,          Q of the bus = its limit

Newton on these equations; the sensitivity of voltages and reactive powers to the setpoints is that of the power
flow. The result is a setpoint of the solved case, as good as the file's for dynamics: an exciter holds its terminal.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.network import Complexes, Floats, OperatingPoint, ybus
from gridai.grid.powerflow import solve
from gridai.grid.raw_build import Regulator

VOLTAGE_PU, REACTIVE_MVAR = 1e-7, 1e-4
LARGEST_STEP_PU, LOWEST_PU, HIGHEST_PU = 0.05, 0.5, 1.5
ROUNDS = 40


@dataclass
class _Rule:
    """What a regulating bus holds at present: VS (limit None) or a reactive limit. [MVAr]"""

    regulator: Regulator
    node: int
    target: int
    limit_mvar: float | None = None
    switches: int = 0


def settle(net: Any, regulators: tuple[Regulator, ...], q_limits: bool = True) -> tuple[Any, list[str]]:
    """The net with setpoints that hold, and notes on what was done. The net given is not written to.

    q_limits  keep machines within their reactive range, as PSS/E does by default.

    Where no solution is found the setpoints of the file stay, and a note says so.
    """
    work = copy.copy(net)
    work.gen = net.gen.copy()
    try:
        point = solve(work)
        rules = _rules(point, regulators)
        _loop(work, point, rules, q_limits)
    except PowerFlowError as error:
        return net, [f"setpoints of machines stay as in the file: {error}"]
    return work, _notes(rules)


def _rules(point: OperatingPoint, regulators: tuple[Regulator, ...]) -> list[_Rule]:
    """Regulating buses that are energised, with their nodes; those that share a node count once."""
    node_of = {index: point.network.node_of_bus.get(key, -1) for key, index in point.network.bus_index.items()}
    rules: dict[int, _Rule] = {}
    for r in regulators:
        node, target = node_of.get(r.bus, -1), node_of.get(r.target, -1)
        if node >= 0:
            rules.setdefault(node, _Rule(r, node, target if target >= 0 else node))
    return list(rules.values())


def _loop(work: Any, point: OperatingPoint, rules: list[_Rule], q_limits: bool) -> None:
    for _ in range(ROUNDS):
        q = _reactive(point)
        if q_limits:
            _switch(point, rules, q)
        error = np.array([_error(point, rule, q) for rule in rules])
        scale = np.array([VOLTAGE_PU if rule.limit_mvar is None else REACTIVE_MVAR for rule in rules])
        if not (np.abs(error) > scale).any():
            return
        point = _step(work, point, rules, error)
    worst = rules[int(np.argmax(np.abs(error) / scale))].regulator.bus
    raise PowerFlowError(f"no setpoints were found that hold every schedule and limit; worst at bus {worst}")


def _reactive(point: OperatingPoint) -> Floats:
    """Reactive power of the units at each node, sgens left out. [MVAr]"""
    units = point.network.units
    q = np.zeros(len(point.v))
    np.add.at(q, units.node, np.where(np.array(units.kind) == "sgen", 0.0, units.q_mvar))
    return q


def _switch(point: OperatingPoint, rules: list[_Rule], q: Floats) -> None:
    """Change what a bus holds: the limit it passed, or its schedule where that leads back into the range."""
    for rule in rules:
        r = rule.regulator
        if rule.switches > 6:
            continue  # a bus that keeps changing stays as it is
        before = rule.limit_mvar
        if rule.limit_mvar is None:
            if q[rule.node] > r.q_max_mvar + REACTIVE_MVAR:
                rule.limit_mvar = r.q_max_mvar
            elif q[rule.node] < r.q_min_mvar - REACTIVE_MVAR:
                rule.limit_mvar = r.q_min_mvar
        elif abs(q[rule.node] - rule.limit_mvar) < 1.0:
            above = abs(point.v[rule.target]) - r.v_pu
            if (rule.limit_mvar == r.q_max_mvar and above > 1e-6) or (
                rule.limit_mvar == r.q_min_mvar and above < -1e-6
            ):
                rule.limit_mvar = None
        rule.switches += before != rule.limit_mvar


def _error(point: OperatingPoint, rule: _Rule, q: Floats) -> float:
    if rule.limit_mvar is None:
        return float(rule.regulator.v_pu - abs(point.v[rule.target]))
    return float(rule.limit_mvar - q[rule.node])


def _step(work: Any, point: OperatingPoint, rules: list[_Rule], error: Floats) -> OperatingPoint:
    """One Newton step on the setpoints, halved where the power flow does not follow."""
    nodes = [rule.node for rule in rules]
    dvm, dq = _sensitivity(point, nodes, _reference_nodes(work, point))
    rows = [dvm[rule.target] if rule.limit_mvar is None else dq[k] for k, rule in enumerate(rules)]
    weight = np.array([1.0 if rule.limit_mvar is None else 1.0 / point.network.s_base_mva for rule in rules])
    step = np.linalg.lstsq(np.array(rows) * weight[:, None], error * weight, rcond=1e-10)[0]
    step = np.clip(step, -LARGEST_STEP_PU, LARGEST_STEP_PU)
    start = np.abs(point.v[nodes])
    bus_nodes = {point.network.bus_index[key]: node for key, node in point.network.node_of_bus.items()}
    place = np.array([bus_nodes.get(int(bus), -1) for bus in work.gen["bus"]])
    before = work.gen["vm_pu"].to_numpy().copy()
    for _ in range(5):
        setpoint = before.copy()
        for node, vm in zip(nodes, np.clip(start + step, LOWEST_PU, HIGHEST_PU), strict=True):
            setpoint[place == node] = vm
        work.gen["vm_pu"] = setpoint
        try:
            return solve(work)
        except PowerFlowError:
            step = 0.5 * step
    raise PowerFlowError("the power flow does not follow the machines' setpoints")


def _sensitivity(point: OperatingPoint, nodes: list[int], reference_nodes: list[int]) -> tuple[Floats, Floats]:
    """Derivatives by the setpoints at `nodes`: of all |v| [pu/pu], and of the units' Q at those nodes [MVAr/pu]."""
    from scipy.sparse import csc_matrix, hstack, vstack
    from scipy.sparse.linalg import splu

    by_angle, by_size = _derivatives(point)
    n = len(point.v)
    units = point.network.units
    held = np.zeros(n, dtype=bool)
    held[units.node[np.array(units.kind) != "sgen"]] = True
    reference = np.zeros(n, dtype=bool)
    reference[reference_nodes] = True
    free_angle, free_size = np.flatnonzero(~reference), np.flatnonzero(~held)
    j = vstack([
        hstack([by_angle.real[free_angle][:, free_angle], by_size.real[free_angle][:, free_size]]),
        hstack([by_angle.imag[free_size][:, free_angle], by_size.imag[free_size][:, free_size]]),
    ])  # fmt: skip
    right = vstack([by_size.real[free_angle][:, nodes], by_size.imag[free_size][:, nodes]]).toarray()
    solved = -splu(csc_matrix(j)).solve(right)
    angle, size = np.zeros((n, len(nodes))), np.zeros((n, len(nodes)))
    angle[free_angle], size[free_size] = solved[: len(free_angle)], solved[len(free_angle) :]
    size[nodes, np.arange(len(nodes))] = 1.0
    dq = by_angle.imag[nodes] @ angle + by_size.imag[nodes] @ size
    return size, np.asarray(dq) * point.network.s_base_mva


def _reference_nodes(net: Any, point: OperatingPoint) -> list[int]:
    """Nodes whose angle does not move."""
    on = net.gen["slack"].to_numpy(dtype=bool) & net.gen["in_service"].to_numpy(dtype=bool)
    buses = {
        *net.gen["bus"][on].tolist(),
        *net.ext_grid["bus"][net.ext_grid["in_service"].to_numpy(dtype=bool)].tolist(),
    }
    nodes = {node for key, node in point.network.node_of_bus.items() if point.network.bus_index[key] in buses}
    return sorted(nodes)


def _derivatives(point: OperatingPoint) -> tuple[Any, Any]:
    """Derivatives of each node's power balance, flow plus load, by all angles and magnitudes; sparse, complex. [pu]"""
    from scipy.sparse import diags

    v: Complexes = point.v
    y = ybus(point.network)
    size = np.abs(v)
    current = diags((y @ v).conj())
    by_angle = 1j * diags(v) @ (diags(y @ v) - y @ diags(v)).conj()
    by_size = diags(v) @ (y @ diags(v / size)).conj() + current @ diags(v / size)
    loads = point.network.loads
    slope = np.zeros(len(v), dtype=complex)
    change = loads.p_mw * (2.0 * loads.pz + loads.pi) + 1j * loads.q_mvar * (2.0 * loads.qz + loads.qi)
    np.add.at(slope, loads.node, change / point.network.s_base_mva)
    return by_angle.tocsr(), (by_size + diags(slope / size)).tocsr()


def _notes(rules: list[_Rule]) -> list[str]:
    remote = sum(rule.target != rule.node for rule in rules)
    limited = [str(rule.regulator.bus) for rule in rules if rule.limit_mvar is not None]
    notes = []
    if remote:
        notes.append(
            f"machines at {remote} buses regulate another bus: their terminal setpoints were found by power flow"
        )
    if limited:
        notes.append(
            f"machines at a reactive limit, terminal setpoints lowered or raised to it: bus {', '.join(limited)}"
        )
    return notes
