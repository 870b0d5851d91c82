"""Flows of lines and transformers, computed from bus voltages and the branches' admittances.

    i_from = y_ff v_from + y_ft v_to        S = v_from conj(i_from) * s_base

The flow counts at the from end, positive into the branch. A branch that is out of service carries none; the log of a
result says when branches were opened and closed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridai.engine.system import System
from gridai.errors import ResultError, UnknownNameError, near
from gridai.results import Channel, Result


def branch_index(system: System, name: str) -> int:
    """Place of a branch in the network. Raises UnknownNameError listing the near names."""
    names = list(system.network.branches.name)
    if name not in names:
        raise UnknownNameError(near(name, names, "branch"))
    return names.index(name)


def branch_flows(system: System, result: Result, branches: Sequence[str] | None = None) -> np.ndarray:
    """P + jQ into each branch at its from end over time, all branches by default. complex[nt, branches] [MVA]"""
    b = system.network.branches
    chosen = range(len(b.name)) if branches is None else [branch_index(system, name) for name in branches]
    keep = np.array(list(chosen), dtype=np.int64)
    on = _in_service(system, result)
    v = _node_voltages(system, result, on)
    v_from, v_to = v[:, b.from_node[keep]], v[:, b.to_node[keep]]
    flow: np.ndarray = v_from * np.conj(b.y_ff[keep] * v_from + b.y_ft[keep] * v_to) * system.network.s_base_mva
    return flow * on[:, keep]


def with_branch_flows(system: System, result: Result) -> Result:
    """The result with the channels ("branch", name, "p_mw") and "q_mvar" of every branch added."""
    if "branch" in {c.kind for c in result.channels}:
        raise ResultError("the result holds branch flows already")
    flow = branch_flows(system, result)
    names = system.network.branches.name
    channels = [Channel("branch", n, q, u) for q, u in (("p_mw", "MW"), ("q_mvar", "MVAr")) for n in names]
    data = np.hstack([result.data, flow.real, flow.imag])
    return Result(result.t_s, data, (*result.channels, *channels), result.events, result.meta)


def flow_slope(system: System, v: np.ndarray, branch: str, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Places in the signals of the voltages at both ends, and the slope of p_mw or q_mvar with respect to them."""
    b, k = system.network.branches, branch_index(system, branch)
    if not b.in_service[k]:
        raise ResultError(f"branch '{branch}' is out of service: it carries no flow")
    f, t = int(b.from_node[k]), int(b.to_node[k])
    current = b.y_ff[k] * v[f] + b.y_ft[k] * v[t]
    slopes = [d * np.conj(current) + v[f] * np.conj(b.y_ff[k] * d) for d in (1.0, 1.0j)]
    slopes += [v[f] * np.conj(b.y_ft[k] * d) for d in (1.0, 1.0j)]
    s = np.array(slopes) * system.network.s_base_mva
    return np.array([2 * f, 2 * f + 1, 2 * t, 2 * t + 1]), s.real if quantity == "p_mw" else s.imag


def _node_voltages(system: System, result: Result, on: np.ndarray) -> np.ndarray:
    """Voltage of every node, complex[nt, n]; that of star points and open ends from their neighbours."""
    n = len(system.network.nodes)
    bus_of: dict[int, str] = {}
    for key, node in system.network.node_of_bus.items():
        bus_of.setdefault(int(node), key)
    column = {name: k for k, name in enumerate(result.names("bus", "v_re_pu"))}
    known = np.array(sorted(bus_of), dtype=np.int64)
    places = [column[bus_of[k]] for k in known]
    v = np.zeros((result.t_s.size, n), dtype=complex)
    v[:, known] = result.values("bus", "v_re_pu")[:, places] + 1j * result.values("bus", "v_im_pu")[:, places]
    rest = np.setdiff1d(np.arange(n), known)
    if rest.size:
        for status in np.unique(on, axis=0):
            rows = np.flatnonzero((on == status).all(axis=1))
            y = system.networks.matrix(status, np.zeros(n, dtype=complex)).tocsr()[rest].toarray()
            v[np.ix_(rows, rest)] = -np.linalg.lstsq(y[:, rest], y[:, known] @ v[np.ix_(rows, known)].T, rcond=None)[
                0
            ].T
    return v


def _in_service(system: System, result: Result) -> np.ndarray:
    """Whether each branch is closed at each sample, from the start and the log. bool[nt, branches]"""
    b, t = system.network.branches, result.t_s
    on = np.tile(np.asarray(b.in_service, dtype=bool), (t.size, 1))
    place = {name: k for k, name in enumerate(b.name)}
    for event in result.events:
        if event.kind in ("open", "close") and event.element in place:
            same = np.flatnonzero(t == event.t_s)
            first = int(same[-1]) if same.size else int(np.searchsorted(t, event.t_s))
            on[first:, place[event.element]] = event.kind == "close"
    return on
