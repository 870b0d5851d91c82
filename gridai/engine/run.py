"""One run of a System: its changing state, the operations that events perform on it, and its right-hand side."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from gridai.engine.machine import evaluate
from gridai.engine.network import Topology
from gridai.engine.plan import (
    ADAMS,
    ADDR,
    BUS_OFF,
    COUNT,
    CURRENT_NONE,
    DECIMATE,
    DEN,
    G_OFF,
    NUM,
    P_OFF,
    RESIDUAL,
    TIME,
    TOL,
    U_OFF,
    WORST,
    X_OFF,
    Y_OFF,
    Z_OFF,
    Plan,
    Work,
)
from gridai.engine.system import Group, System
from gridai.errors import ConvergenceError
from gridai.kernel.profile import Profile

NETWORK_TOL_PU = 1e-11
SHEDDABLE = ("load", "cluster")
"""Roles of which a relay can shed a share."""


@dataclass(frozen=True)
class Playback:
    """A constant of the signals that follows a profile: (device key, input) and the function of time."""

    key: tuple[str, str]
    profile: Profile


class Run:
    """State and scratch of one run; build it afresh for every run.

    system     the compiled case
    playbacks  signals that follow a profile
    step       the longest step [s]; grid points are exact multiples of it
    decimate   record every this many grid points
    channels   places in the signals to record. int64[]
    adams      Adams and Bashforth's method where nothing fast goes on (see loop), else Heun's throughout
    """

    def __init__(
        self,
        system: System,
        playbacks: tuple[Playback, ...] = (),
        step: Fraction = Fraction(1, 240),
        decimate: int = 1,
        channels: np.ndarray | None = None,
        adams: bool = False,
    ) -> None:
        self.system = system
        self.branch_on = np.array(system.network.branches.in_service, dtype=bool)
        self.fault_y: dict[str, tuple[int, complex]] = {}
        self.notes: list[tuple[float, str, str, str]] = []
        self.off: dict[str, float] = {}
        self.shed_share: dict[str, float] = {}
        self.plan = _plan(system, playbacks, np.zeros(0, np.int64) if channels is None else channels)
        self.work = _work(system, len(playbacks), step, decimate)
        self.work.ints[ADAMS] = int(adams)
        self.unit_y = self._start_admittances()
        self.topology = self.factorise()

    def _start_admittances(self) -> dict[int, complex]:
        """Admittance of each unit at the start, kept with the parameters and memory that it belongs to."""
        networks, key = self.system.networks, self.system.p.tobytes() + self.work.z.tobytes()
        if networks.start_y is None or networks.start_y[0] != key:
            with_y = [g for g in self.system.groups if g.model.admittance]
            networks.start_y = key, {g.bus + k: self._unit_y(g, k) for g in with_y for k in range(len(g.devices))}
        return dict(networks.start_y[1])

    def _unit_y(self, group: Group, k: int) -> complex:
        """Admittance of a unit on the system base, with its service factor."""
        p = group.view(self.system.p, "p", group.p)[k]
        z = group.view(self.work.z, "z", group.z)[k]
        assert group.model.admittance is not None
        return complex(group.model.admittance(p, z)) * float(z.on) * float(p.mva / p.s_base_mva)

    def factorise(self) -> Topology:
        """Factors of the network as it now is; the Newton matrix is made anew."""
        n = len(self.system.network.nodes)
        y_node = np.zeros(n, dtype=complex)
        sources = []
        for g in self.system.groups:
            z_on = g.view(self.work.z, "z", g.z).on
            for k, d in enumerate(g.devices):
                if g.model.admittance is not None:
                    y_node[d.node] += self.unit_y[g.bus + k]
                if (g.model.role == "machine" or g.model.forms_voltage) and z_on[k] != 0.0:
                    sources.append(d.node)
        for node, y in self.fault_y.values():
            y_node[node] += y
        for place, branch in self.system.switches:
            self.work.sig[place] = float(self.branch_on[branch])
        self.work.have[0] = 0
        self.topology = self.system.networks.topology(self.branch_on, y_node, np.array(sources, dtype=np.int64))
        return self.topology

    def refresh_unit(self, group: Group, k: int) -> None:
        """Take over a changed memory of a unit into the admittance matrix."""
        if group.model.admittance is not None:
            self.unit_y[group.bus + k] = self._unit_y(group, k)

    def switch_off(self, name: str, text: str = "tripped") -> None:
        """Take a unit and everything that belongs to it out of service. Its rotor is no longer followed."""
        for group, k in self.system.attached(name):
            group.view(self.work.z, "z", group.z).on[k] = 0.0
            self.refresh_unit(group, k)
        self.off.setdefault(name, self.time_s)
        self.note("trip", name, text)

    def open_branch(self, k: int, text: str) -> None:
        """Open branch k at both ends."""
        self.branch_on[k] = False
        self.note("open", self.system.network.branches.name[k], text)

    def shed(self, name: str, share: float, text: str) -> None:
        """Take a share of a load off [part of what it was at the start]; what is left keeps its law.

        A load with factors kp and kq on its power (ZIP) is scaled by them, any other by its service factor.
        """
        before = self.shed_share.get(name, 0.0)
        after = min(before + share, 1.0)
        left = (1.0 - after) / (1.0 - before) if before < 1.0 else 0.0
        self.shed_share[name] = after
        for group, k in self.system.attached(name):
            if group.model.role in SHEDDABLE:
                z = group.view(self.work.z, "z", group.z)
                names = ("kp", "kq") if "kp" in (z.dtype.names or ()) else ("on",)
                for field in names:
                    z[field][k] *= left
                self.refresh_unit(group, k)
        self.note("shed", name, f"{text}: {100 * (after - before):.3g} % shed, {100 * (1 - after):.3g} % left")

    @property
    def time_s(self) -> float:
        """Present time. [s]"""
        return float(self.work.floats[TIME])

    def note(self, kind: str, element: str, text: str) -> None:
        """Add a line to the event log."""
        self.notes.append((self.time_s, kind, element, text))

    def failure(self, status_text: str, result: Any = None) -> ConvergenceError:
        """The error that says when, where and by how much the run lost convergence."""
        bus = self.system.network.nodes[int(self.work.ints[WORST])]
        return ConvergenceError(self.time_s, bus, float(self.work.floats[RESIDUAL]), result, status_text)

    def rhs(self) -> Callable[[float, np.ndarray], np.ndarray]:
        """f(t, x) of the present topology as a plain function: for oracles and linearisation."""
        plan, work = self.plan, self.work

        def f(t: float, x: np.ndarray) -> np.ndarray:
            d = np.zeros(x.size)
            x = np.ascontiguousarray(x, dtype=float)
            if not evaluate(plan, self.topology.topo, work, x, d, t):
                raise self.failure("in the right-hand side")
            return d

        return f


def _plan(system: System, playbacks: tuple[Playback, ...], channels: np.ndarray) -> Plan:
    slots = np.array([system.constants[b.key] for b in playbacks], dtype=np.int64)
    sizes = [b.profile.t_s.size for b in playbacks]
    points_t = [np.asarray(b.profile.t_s, dtype=float) for b in playbacks]
    points_v = [np.asarray(b.profile.values, dtype=float) for b in playbacks]
    edges = [b.profile.breaks for b in playbacks]
    return Plan(
        groups=system.table,
        order=system.order,
        bus=system.bus,
        p=system.p,
        u_src=system.u_src.astype(np.uint64),
        pb_slot=slots,
        pb_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        pb_t=np.concatenate([np.zeros(0), *points_t]),
        pb_v=np.concatenate([np.zeros(0), *points_v]),
        breaks=np.unique(np.concatenate([np.zeros(0), *edges])),
        rec=channels.astype(np.uint64),
    )


def _work(system: System, playbacks: int, step: Fraction, decimate: int) -> Work:
    n, nx = len(system.network.nodes), system.x0.size
    guards = sum(len(g.devices) * len(g.model.guards) for g in system.groups)
    m = sum(len(g.devices) for g in system.groups if g.current != CURRENT_NONE)
    guarded = sum(len(g.devices) for g in system.groups if g.model.guards)
    units = max((len(g.devices) for g in system.groups), default=1)
    sig = system.sig0.copy()
    ints = np.zeros(16, dtype=np.int64)
    ints[NUM], ints[DEN], ints[DECIMATE] = step.numerator, step.denominator, decimate
    floats = np.zeros(8)
    floats[TOL] = NETWORK_TOL_PU

    def reals(size: int) -> np.ndarray:
        return np.zeros(size)

    def phasors(size: int) -> np.ndarray:
        return np.zeros(size, dtype=complex)

    z, u, g = system.z0.copy(), reals(system.u_src.size), reals(guards)
    return Work(
        at=_addresses(system, z, u, sig, g),
        x=system.x0.copy(), xs=reals(nx), xn=reals(nx), d0=reals(nx), d1=reals(nx), d2=reals(nx), dn=reals(nx),
        z=z, u=u, sig=sig, v=sig[: 2 * n].view(complex),
        g=g, g_old=np.full(guards, -1.0), i0=phasors(n), inl=phasors(n), w=phasors(n), vb=phasors(n),
        c=phasors(n), ishift=phasors(n), r=phasors(m + 1), near=reals(2 * n),
        jinv=_newton_matrix(m),
        have=np.zeros(1, dtype=np.int64), act=reals(units + 1), actions=np.zeros((max(64, guarded), 3), dtype=np.int64),
        seg=np.zeros(playbacks, dtype=np.int64), ints=ints, floats=floats,
    )  # fmt: skip


def _addresses(system: System, z: np.ndarray, u: np.ndarray, sig: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Where the records of each group lie in memory (Work.at)."""
    t = system.table
    columns = [t[:, ADDR], t[:, COUNT], system.p.ctypes.data + 8 * t[:, P_OFF], 8 * t[:, X_OFF]]
    for array, offset in ((z, Z_OFF), (u, U_OFF), (sig, Y_OFF), (g, G_OFF), (system.bus, BUS_OFF)):
        columns.append(array.ctypes.data + 8 * t[:, offset])
    return np.ascontiguousarray(np.array(columns, dtype=np.int64).T)


def _newton_matrix(m: int) -> np.ndarray:
    """Room for the inverse: full and twice as wide for few buses, 2 x 2 blocks for many."""
    from gridai.engine.network import DENSE_LIMIT

    few = 2 * min(m, DENSE_LIMIT) + 2
    return np.zeros((max(few, 2 * m + 2), 2 * few))
