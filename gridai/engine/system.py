"""Compile: from a Case to a System, the immutable form that the compiled engine runs.

Units of one model form a group; all their records lie in flat float arrays side by side. Every signal (bus
voltage, output, constant) has one place in the signal array, and every input knows the place it reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.engine import devices
from gridai.engine.devices import Device
from gridai.engine.links import branch_signal, is_branch, is_remote, remote_place
from gridai.engine.network import NetworkModel
from gridai.engine.plan import CURRENT_NONE, CURRENT_STATES, CURRENT_VOLTAGE
from gridai.errors import CaseError, UnknownNameError, near
from gridai.kernel.compile import entry_address
from gridai.kernel.contract import LATE_ROLES, ROLES, Input, Model, records_of
from gridai.units import omega_base_rad_per_s

CHANNEL_KIND = {"load": "load", "cluster": "cluster", "relay": "relay", "area": "system"}


@dataclass(frozen=True)
class Group:
    """Units of one model and where their records lie: offsets count floats, `bus` counts units.

    Units whose current is wholly in the admittance matrix (`Model.linear`) form a group of their own.
    """

    model: Model
    devices: tuple[Device, ...]
    p: int
    x: int
    z: int
    u: int
    y: int
    g: int
    bus: int
    current: int

    @property
    def passive(self) -> bool:
        """True if the units stand wholly in the admittance matrix and only give outputs."""
        return self.model.linear is not None and self.current == CURRENT_NONE

    def width(self, table: str) -> int:
        """Floats of one unit's record."""
        return len(records_of(self.model)[table].names or ())

    def view(self, flat: np.ndarray, table: str, first: int) -> Any:
        """The group's records in a flat array."""
        dtype = records_of(self.model)[table]
        return flat[first : first + self.width(table) * len(self.devices)].view(dtype).view(np.recarray)


@dataclass(frozen=True)
class System:
    """A compiled case: nothing in it changes while it runs. Build it with `compile_system`.

    x0, z0, sig0   start of states, memory and signals; sig holds 2 n voltage parts, outputs, constants
    constants      (device key, input name) to its place in the signals
    switches       int[n, 2]: place in the signals that shows whether a branch is in service, and the branch
    """

    name: str
    network: Any
    op: Any
    groups: tuple[Group, ...]
    p: np.ndarray
    x0: np.ndarray
    z0: np.ndarray
    sig0: np.ndarray
    u_src: np.ndarray
    bus: np.ndarray
    table: np.ndarray
    order: np.ndarray
    constants: dict[tuple[str, str], int]
    switches: np.ndarray
    clusters: Mapping[str, Any]
    networks: NetworkModel = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def state_names(self) -> list[str]:
        """`unit.MODEL.state` of every continuous state."""
        return [f"{d.name}.{g.model.name}.{s}" for g, d, s, _ in self.states]

    @property
    def states(self) -> list[tuple[Group, Device, str, str]]:
        """Group, device, state name and unit of each place in x; a model without states keeps one unused place."""
        found = []
        for g in self.groups:
            columns = [(s.name, s.unit) for s in g.model.states] or [("_", "")]
            found += [(g, d, name, unit) for d in g.devices for name, unit in columns]
        return found

    @property
    def drifting(self) -> np.ndarray:
        """True for the states that need not stand still at the start. bool[n]"""
        flags: list[bool] = []
        for g in self.groups:
            flags += ([s.drifts for s in g.model.states] or [False]) * len(g.devices)
        return np.array(flags, dtype=bool)

    def node(self, bus: str) -> int:
        """Node of a bus key. Raises UnknownNameError listing the near names."""
        found = self.network.node_of_bus.get(str(bus))
        if found is None:
            raise UnknownNameError(near(bus, self.network.node_of_bus, "bus"))
        return int(found)

    def device(self, name: str, roles: tuple[str, ...]) -> tuple[Group, int]:
        """Group and position of the unit of this name in one of these roles."""
        for group in self.groups:
            if group.model.role in roles:
                for k, d in enumerate(group.devices):
                    if d.name == name:
                        return group, k
        names = [d.name for g in self.groups if g.model.role in roles for d in g.devices]
        raise UnknownNameError(near(name, names, " or ".join(roles)))

    def attached(self, name: str) -> list[tuple[Group, int]]:
        """Every device that belongs to the unit of this name; of a cluster its UPS groups too."""
        return [(g, k) for g in self.groups for k, d in enumerate(g.devices) if name in (d.name, d.owner)]


def compile_system(case: Any) -> System:
    """Solve the power flow of `case`, collect its devices and lay them out; then initialise them.

    Raises CaseError (all faults of the dynamic tables in one message), PowerFlowError, InitialisationError.
    """
    from gridai.engine.initialise import initialise

    op = case.solve()
    found = devices.collect(case, op)
    system = _lay_out(case, op, found)
    initialise(system)
    return system


def _lay_out(case: Any, op: Any, found: list[Device]) -> System:
    net = op.network
    groups = _groups(found, 2 * len(op.network.nodes))
    sizes = {t: sum(g.width(t) * len(g.devices) for g in groups) for t in "pxzuy"}
    n = len(net.nodes)
    wiring = _wire(groups, 2 * n + sizes["y"], net)
    sig0 = np.zeros(wiring.total)
    sig0[: 2 * n] = np.ascontiguousarray(op.v, dtype=complex).view(float)
    for place, value in wiring.start.items():
        sig0[place] = value
    system = System(
        name=case.name,
        network=net,
        op=op,
        groups=tuple(groups),
        p=np.zeros(sizes["p"]),
        x0=np.zeros(sizes["x"]),
        z0=np.zeros(sizes["z"]),
        sig0=sig0,
        u_src=np.array(wiring.sources, dtype=np.int64),
        bus=np.array([d.node for g in groups for d in g.devices], dtype=np.int64),
        table=_table(groups),
        order=np.argsort([ROLES.index(g.model.role) for g in groups], kind="stable").astype(np.int64),
        constants=wiring.constants,
        switches=np.array(wiring.switches, dtype=np.int64).reshape(-1, 2),
        clusters={c.name: c.cluster for c in case.placements},
        networks=_network_model(net, groups, np.array(wiring.sources, dtype=np.int64)),
        notes=tuple(case.notes),
    )
    _fill(system, omega_base_rad_per_s(net.f_hz))
    return system


def _groups(found: list[Device], first_y: int) -> list[Group]:
    """Devices by model, with the offsets of their records; outputs start at first_y of the signals."""
    by_model: dict[tuple[str, bool], list[Device]] = {}
    for device in found:
        linear = device.model.linear is not None and device.model.linear(device.values)
        by_model.setdefault((device.model.name, linear), []).append(device)
    at = dict.fromkeys(("p", "x", "z", "u", "y", "g", "bus"), 0) | {"y": first_y}
    groups = []
    for members in sorted(by_model.values(), key=lambda m: ROLES.index(m[0].model.role)):
        model = members[0].model
        group = Group(model, tuple(members), **at, current=_current_kind(model, members))
        groups.append(group)
        for t in "pxzuy":
            at[t] += group.width(t) * len(members)
        at["g"] += len(model.guards) * len(members)
        at["bus"] += len(members)
    return groups


def _current_kind(model: Model, members: list[Device]) -> int:
    if "current" not in model.kernels:
        return CURRENT_NONE
    if not model.solves_with_network:
        return CURRENT_STATES
    if model.linear is not None and model.linear(members[0].values):
        return CURRENT_NONE
    return CURRENT_VOLTAGE


@dataclass
class _Wiring:
    """Where each input reads; constants take places from `total` on."""

    total: int
    sources: list[int] = field(default_factory=list)
    constants: dict[tuple[str, str], int] = field(default_factory=dict)
    start: dict[int, float] = field(default_factory=dict)
    switches: list[tuple[int, int]] = field(default_factory=list)

    def constant(self, key: tuple[str, str], value: float) -> int:
        """A new place for a constant."""
        self.constants[key], self.start[self.total] = self.total, value
        self.total += 1
        return self.total - 1


def _wire(groups: list[Group], place: int, net: Any) -> _Wiring:
    """Tie every input to a bus voltage, an output or a constant; constants lie from `place` on."""
    outputs = {}
    for g in groups:
        for k, d in enumerate(g.devices):
            for j, o in enumerate(g.model.outputs):
                outputs[(d.name, g.model.role, o.name)] = g.y + k * g.width("y") + j
    wiring = _Wiring(place)
    for g in groups:
        for d in g.devices:
            for signal in g.model.inputs:
                wiring.sources.append(_source(wiring, outputs, d, signal, net))
            wiring.sources.extend([0] * (g.width("u") - len(g.model.inputs)))
    return wiring


def _source(wiring: _Wiring, outputs: dict[tuple[str, str, str], int], d: Device, signal: Input, net: Any) -> int:
    """The place that an input of a device reads."""
    role, _, name = signal.source.partition(".")
    key = (d.name, f"{d.model.role}.{signal.name}")
    if role == "bus":
        return 2 * d.node + (name == "v_im")
    if is_remote(role):
        return remote_place(d.links, d.node, role, name)
    if is_branch(role):
        found, value = branch_signal(d.links, net, role, name)
        place = found if found >= 0 else wiring.constant(key, value)
        if name == "on" and role in d.links.branches:
            wiring.switches.append((place, d.links.branches[role][0]))
        return place
    if role == "area":
        return outputs[(d.links.area, role, name)]
    if (d.name, role, name) in outputs:
        return outputs[(d.name, role, name)]
    return wiring.constant(key, signal.default or 0.0)


def _table(groups: list[Group]) -> np.ndarray:
    """Plan.groups: one row of integers a group."""
    rows = []
    for g in groups:
        k = g.model.kernels
        n, guards = len(g.devices), len(g.model.guards)
        where = [g.p, g.x, g.width("x") * n, g.z, g.u, g.width("u") * n, g.y, g.g, guards * n, guards, g.bus]
        kind = [g.current, g.model.role in LATE_ROLES, "clamp" in k, "track" in k, g.passive]
        rows.append([entry_address(g.model), n, *where, *kind])
    return np.array(rows, dtype=np.int64)


def _network_model(net: Any, groups: list[Group], u_src: np.ndarray) -> NetworkModel:
    b = net.branches
    read = [u_src[g.u : g.u + g.width("u") * len(g.devices)] for g in groups if not g.passive]
    near = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *read]) // 2)
    nl = [d.node for g in groups if g.current == CURRENT_VOLTAGE for d in g.devices]
    own = [d.node for g in groups if g.current != CURRENT_NONE for d in g.devices]
    return NetworkModel(
        n=len(net.nodes),
        from_node=np.asarray(b.from_node),
        to_node=np.asarray(b.to_node),
        y_branch=np.array([b.y_ff, b.y_ft, b.y_tf, b.y_tt], dtype=complex),
        y_fixed=np.asarray(net.shunt_pu, dtype=complex),
        nl_nodes=np.array(nl, dtype=np.int64),
        all_nodes=np.array(own, dtype=np.int64),
        near_nodes=near[near < len(net.nodes)].astype(np.int64),
    )


def _fill(system: System, omega_base: float) -> None:
    """Parameter records from the tables; memory at its start values."""
    for g in system.groups:
        p, z = g.view(system.p, "p", g.p), g.view(system.z0, "z", g.z)
        for k, d in enumerate(g.devices):
            for name, value in d.values.items():
                p[name][k] = value
            p.mva[k], p.s_base_mva[k], p.omega_base[k] = d.mva, system.network.s_base_mva, omega_base
            z.on[k] = 1.0
            for m in g.model.memory:
                z[m.name][k] = m.start


def unit_of(system: System, name: str) -> int:
    """Index of a generating unit in `system.network.units`."""
    names = list(system.network.units.name)
    if name not in names:
        raise CaseError(near(name, names, "unit"))
    return names.index(name)
