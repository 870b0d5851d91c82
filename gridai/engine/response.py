"""Frequency response: what a slow or fast change of power at one place does elsewhere, small and linear.

    dx/dt = a x + b u        u   more power consumed, MW: a cluster's demand, or an injection at any bus
    y     = c x + d u        y   bus frequency and voltage, speeds, line flows, any recorded output of a unit

    G(j w) = c (j w - a)^-1 b + d                                        [Hz/MW, pu/MW, MW/MW]

The matrices come from differences of the right-hand side that is integrated (see engine/slopes.py). A power of dP
taken at a bus is put there as the conductance dP / V^2, which is the same to first order; a cluster's demand is the
signal that its workload plays, so its supplies' lag is part of the answer.

Bus frequency is that of results/frequency.py, filter included: f = s / (2 pi (1 + s T)) * angle, T = 0.05 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.engine.clusters import parts_of
from gridai.engine.flows import flow_slope
from gridai.engine.run import Run
from gridai.engine.simulation import channel_table
from gridai.engine.slopes import differentiate, tight_network
from gridai.engine.system import System
from gridai.errors import SettingError, UnknownNameError, near
from gridai.results.frequency import FILTER_S

POWER_STEP_MW = 1e-2
"""Half-width of the difference with respect to an input, on a system base of 100 MVA."""
BUS_UNITS = {"f_hz": "Hz", "vm_pu": "pu", "va_degree": "degree"}
FLOW_UNITS = {"p_mw": "MW", "q_mvar": "MVAr"}


@dataclass(frozen=True)
class Demand:
    """Input: the power that a cluster's workload asks for. [MW]"""

    cluster: str


@dataclass(frozen=True)
class BusPower:
    """Input: active power consumed at a bus, cluster or not. [MW]"""

    bus: str


@dataclass(frozen=True)
class Signal:
    """Output, named as in a Result: ("bus", "16", "f_hz"), ("gen", "G1", "speed_pu"), ("branch", "16-17", "p_mw").

    bus     f_hz, vm_pu, va_degree
    branch  p_mw, q_mvar: into the branch at its from end
    others  any recorded channel
    """

    kind: str
    element: str
    quantity: str


@dataclass(frozen=True)
class StateSpace:
    """Matrices of the linear system and what its rows and columns are.

    a  float[n, n]    b  float[n, inputs]    c  float[outputs, n]    d  float[outputs, inputs]
    units     unit of each output; the inputs are in MW
    filtered  outputs that are bus frequencies; their filters are the last states, in this order
    """

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray
    states: tuple[str, ...]
    inputs: tuple[Demand | BusPower, ...]
    outputs: tuple[Signal, ...]
    units: tuple[str, ...]
    filtered: tuple[int, ...] = ()

    def response(self, f_hz: Any) -> np.ndarray:
        """Complex gains at frequencies above 0 Hz: complex[frequencies, outputs, inputs], unit of the output / MW.

        By the Schur form of a: ten seconds at 2,000 states, and right where eigenvectors are dependent.
        """
        f = np.atleast_1d(np.asarray(f_hz, dtype=float))
        if not (np.isfinite(f).all() and (f > 0.0).all()):
            raise SettingError("f_hz: give finite frequencies above 0 Hz")
        s = 2j * np.pi * f
        n = self.a.shape[0] - len(self.filtered)
        a, b, c, d = self.a[:n, :n], self.b[:n], self.c[:, :n].copy(), self.d.copy()
        c[list(self.filtered)] *= 2 * np.pi * FILTER_S
        d[list(self.filtered)] *= 2 * np.pi * FILTER_S
        gains = _by_schur(a, b, c, s) + d
        gains[:, list(self.filtered)] *= (s / (2 * np.pi * (1.0 + s * FILTER_S)))[:, None, None]
        return gains


def _by_schur(a: np.ndarray, b: np.ndarray, c: np.ndarray, s: np.ndarray) -> np.ndarray:
    """c (s - a)^-1 b at each s: complex[s, outputs, inputs]. Row by row from below, for all s at once."""
    from scipy.linalg import rsf2csf, schur

    t, z = rsf2csf(*schur(a))
    b, c = z.conj().T @ b, c @ z
    gains = np.empty((s.size, c.shape[0], b.shape[1]), dtype=complex)
    for j in range(b.shape[1]):
        x = np.zeros((t.shape[0], s.size), dtype=complex)
        for k in range(t.shape[0] - 1, -1, -1):
            x[k] = (b[k, j] + t[k, k + 1 :] @ x[k + 1 :]) / (s - t[k, k])
        gains[:, :, j] = (c @ x).T
    return gains


def state_space(system: System, inputs: Sequence[Demand | BusPower], outputs: Sequence[Signal]) -> StateSpace:
    """Linear system from inputs to outputs at the start of a compiled system.

    Raises UnknownNameError for a cluster, bus, branch or channel that is not there.
    """
    run = Run(system)
    x0 = run.work.x.copy()
    run.rhs()(0.0, x0)
    rows = [_row(run, signal) for signal in outputs]
    places = np.unique(np.concatenate([np.zeros(0, np.int64), *(row.places for row in rows)]))
    slopes = differentiate(run, x0, places=places)
    active = np.flatnonzero(np.any(slopes.a != 0.0, axis=1))
    found = [_input_slopes(run, x0, source, places) for source in inputs]
    b = np.column_stack([column[: x0.size] for column in found])[active]
    direct = np.column_stack([column[x0.size :] for column in found])
    weights = np.zeros((len(rows), places.size))
    for k, row in enumerate(rows):
        weights[k, np.searchsorted(places, row.places)] = row.weights
    names = system.state_names
    plain = StateSpace(
        a=slopes.a[np.ix_(active, active)],
        b=b,
        c=weights @ slopes.c[:, active],
        d=weights @ direct,
        states=tuple(names[k] for k in active),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        units=tuple(row.unit for row in rows),
    )
    return _with_filters(plain)


@dataclass(frozen=True)
class _Row:
    """An output as a weighted sum of signals: their places, int[], and weights, float[]."""

    places: np.ndarray
    weights: np.ndarray
    unit: str


def _row(run: Run, signal: Signal) -> _Row:
    system = run.system
    if signal.kind == "bus":
        if signal.quantity not in BUS_UNITS:
            raise UnknownNameError(near(signal.quantity, BUS_UNITS, "bus quantity"))
        node = system.node(signal.element)
        return _bus_row(complex(run.work.v[node]), node, signal.quantity)
    if signal.kind == "branch":
        if signal.quantity not in FLOW_UNITS:
            raise UnknownNameError(near(signal.quantity, FLOW_UNITS, "branch quantity"))
        places, weights = flow_slope(system, run.work.v, signal.element, signal.quantity)
        return _Row(places, weights, FLOW_UNITS[signal.quantity])
    places, channels = channel_table(system)
    for place, channel in zip(places, channels, strict=True):
        if (channel.kind, channel.element, channel.quantity) == (signal.kind, signal.element, signal.quantity):
            return _Row(np.array([place]), np.array([channel.scale]), channel.unit)
    raise UnknownNameError(
        near(f"{signal.kind}/{signal.element}/{signal.quantity}", [c.key for c in channels], "channel")
    )


def _bus_row(v: complex, node: int, quantity: str) -> _Row:
    """Slope of a bus quantity with respect to the voltage's parts; f_hz: of the angle [rad], filtered afterwards."""
    vm = abs(v)
    if vm < 1e-6:
        raise SettingError("the bus is de-energised: it has no frequency response")
    along, across = (v.real / vm, v.imag / vm), (-v.imag / vm**2, v.real / vm**2)
    pair = along if quantity == "vm_pu" else across
    scale = np.degrees(1.0) if quantity == "va_degree" else 1.0
    return _Row(np.array([2 * node, 2 * node + 1]), scale * np.array(pair), BUS_UNITS[quantity])


def _input_slopes(run: Run, x0: np.ndarray, source: Demand | BusPower, places: np.ndarray) -> np.ndarray:
    """Slope of f and of the signals at `places` with respect to one MW of an input. float[n + places]"""
    h_mw = POWER_STEP_MW * run.system.network.s_base_mva / 100.0
    put = _demand(run, source) if isinstance(source, Demand) else _bus_power(run, source)
    ends = []
    for by_mw in (h_mw, -h_mw, 0.0):
        put(by_mw)
        with tight_network(run) as f:
            d = f(0.0, x0)
            ends.append(np.concatenate([d, run.work.sig[places]]))
    slope: np.ndarray = (ends[0] - ends[1]) / (2.0 * h_mw)
    return slope


def _demand(run: Run, source: Demand) -> Any:
    system = run.system
    if source.cluster not in system.clusters:
        raise UnknownNameError(near(source.cluster, system.clusters, "cluster"))
    parts = parts_of(system, source.cluster)
    shares = {system.constants[(name, "cluster.p_demand_mw")]: share for name, share in parts.items()}
    start = {place: float(run.work.sig[place]) for place in shares}

    def put(by_mw: float) -> None:
        for place, share in shares.items():
            run.work.sig[place] = start[place] + share * by_mw

    return put


def _bus_power(run: Run, source: BusPower) -> Any:
    node = run.system.node(source.bus)
    vm = abs(complex(run.work.v[node]))
    if vm < 1e-6:
        raise SettingError(f"bus '{source.bus}' is de-energised: no power can be taken there")

    def put(by_mw: float) -> None:
        run.fault_y["injection"] = (node, complex(by_mw / run.system.network.s_base_mva / vm**2))
        if by_mw == 0.0:
            del run.fault_y["injection"]
        run.factorise()

    return put


def _with_filters(plain: StateSpace) -> StateSpace:
    """A filter state w for each bus frequency: dw/dt = (angle - w) / T, f = (angle - w) / (2 pi T)."""
    of = [k for k, s in enumerate(plain.outputs) if (s.kind, s.quantity) == ("bus", "f_hz")]
    if not of:
        return plain
    n, m = plain.a.shape[0], len(of)
    a = np.block([[plain.a, np.zeros((n, m))], [plain.c[of] / FILTER_S, -np.eye(m) / FILTER_S]])
    b = np.vstack([plain.b, plain.d[of] / FILTER_S])
    c, d = np.hstack([plain.c, np.zeros((len(plain.outputs), m))]), plain.d.copy()
    c[of] = np.hstack([plain.c[of], -np.eye(m)]) / (2 * np.pi * FILTER_S)
    d[of] = plain.d[of] / (2 * np.pi * FILTER_S)
    names = tuple(f"{plain.outputs[k].element}.frequency.filter" for k in of)
    return StateSpace(a, b, c, d, (*plain.states, *names), plain.inputs, plain.outputs, plain.units, tuple(of))
