"""Events: small frozen dataclasses, each a list of timed actions on a run.

Unbalanced faults act on the positive sequence through an equivalent shunt at the faulted bus (Anderson, Analysis of
Faulted Power Systems, 1995; Kundur 1994, section 13.4): with fault impedance zf

    three-phase         zf
    line-ground         z2 + z0 + 3 zf
    line-line           z2 + zf
    double line-ground  z2 (z0 + 3 zf) / (z2 + z0 + 3 zf)

z2 and z0 are the Thevenin impedances of the negative and zero sequence at the bus; where they are not given,
z2 = z1 and z0 = `Z0_OVER_Z1` z1 are estimates, and the event log says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from gridai.errors import SettingError, UnknownNameError, near

BOLTED_PU = 1e-9
"""A fault impedance of zero becomes this, in pu: the voltage left is below 1e-6 pu for any realistic current."""
Z0_OVER_Z1 = 1.0
"""Zero- over positive-sequence Thevenin impedance where it is not given; 0.5 to 3 in earthed transmission grids."""

FaultKind = Literal["three-phase", "line-ground", "line-line", "double-line-ground"]
FAULT_KINDS = ("three-phase", "line-ground", "line-line", "double-line-ground")


@dataclass(frozen=True)
class Action:
    """One change of a run at an instant. `apply` gets the run; the network is factorised again afterwards."""

    t_s: float
    kind: str
    element: str
    text: str
    apply: Callable[[Any], None]


class Event(Protocol):
    """What every event offers: its actions on a compiled system."""

    def actions(self, system: Any) -> list[Action]:
        """Timed actions. Raises UnknownNameError or SettingError for what the system does not have."""
        ...


def _at(name: str, value: float, low: float = 0.0) -> float:
    if not np.isfinite(value) or value < low:
        raise SettingError(f"{name} = {value!r}: give a time of at least {low:g} s")
    return float(value)


@dataclass(frozen=True)
class BusFault:
    """A fault at a bus, cleared by itself.

    bus        bus key
    at_s       start [s]
    clear_s    instant of clearing [s]; None: stays
    kind       "three-phase", "line-ground", "line-line" or "double-line-ground"
    r_pu, x_pu fault impedance on the system base [pu]
    z2_pu, z0_pu  negative- and zero-sequence Thevenin impedance at the bus [pu]; None: estimated
    """

    bus: str
    at_s: float = 1.0
    clear_s: float | None = 1.1
    kind: FaultKind = "three-phase"
    r_pu: float = 0.0
    x_pu: float = 0.0
    z2_pu: complex | None = None
    z0_pu: complex | None = None

    def impedance(self, z1: complex) -> tuple[complex, bool]:
        """Equivalent impedance at the positive-sequence terminals [pu], and whether it holds an estimate."""
        zf = complex(self.r_pu, self.x_pu)
        if self.kind == "three-phase":
            return zf, False
        z2 = z1 if self.z2_pu is None else self.z2_pu
        z0 = Z0_OVER_Z1 * z1 if self.z0_pu is None else self.z0_pu
        estimated = self.z2_pu is None or (self.z0_pu is None and self.kind != "line-line")
        if self.kind == "line-ground":
            return z2 + z0 + 3 * zf, estimated
        if self.kind == "line-line":
            return z2 + zf, estimated
        return z2 * (z0 + 3 * zf) / (z2 + z0 + 3 * zf), estimated

    def actions(self, system: Any) -> list[Action]:
        """Put the equivalent shunt in place, and take it away at clearing."""
        if self.kind not in FAULT_KINDS:
            raise UnknownNameError(near(self.kind, FAULT_KINDS, "fault kind"))
        if not (np.isfinite(self.r_pu) and np.isfinite(self.x_pu) and self.r_pu >= 0.0):
            text = f"fault impedance {self.r_pu!r} + j {self.x_pu!r}"
            raise SettingError(f"{text}: give finite numbers, r_pu of at least 0")
        node, key = system.node(self.bus), f"fault {self.bus} {self.at_s}"

        def strike(run: Any) -> None:
            z, estimated = self.impedance(thevenin(run, node))
            z = z if abs(z) > BOLTED_PU else 1j * BOLTED_PU
            run.fault_y[key] = (node, 1.0 / z)
            if estimated:
                run.note("estimate", self.bus, f"sequence impedances not given: equivalent fault impedance {z:.4g} pu")

        def clear(run: Any) -> None:
            del run.fault_y[key]

        found = [Action(_at("at_s", self.at_s), "fault", self.bus, f"{self.kind} fault", strike)]
        if self.clear_s is not None:
            if not self.clear_s > self.at_s:
                raise SettingError(f"clear_s = {self.clear_s!r}: must come after at_s = {self.at_s!r}")
            found.append(Action(self.clear_s, "clear", self.bus, "fault cleared", clear))
        return found


def thevenin(run: Any, node: int) -> complex:
    """Positive-sequence Thevenin impedance at a node of the present topology, machines by subtransient. [pu]"""
    unit = np.zeros(run.topology.y.shape[0], dtype=complex)
    unit[node] = 1.0
    return complex(run.topology.thevenin(unit)[node])


def _branch(system: Any, name: str) -> int:
    names = list(system.network.branches.name)
    if name not in names:
        raise UnknownNameError(near(name, names, "branch"))
    return names.index(name)


def _switch(k: int, on: bool) -> Callable[[Any], None]:
    def apply(run: Any) -> None:
        run.branch_on[k] = on

    return apply


@dataclass(frozen=True)
class BranchTrip:
    """A line or transformer opens at both ends at at_s, and closes again at reclose_s unless that is None. [s]"""

    branch: str
    at_s: float = 1.0
    reclose_s: float | None = None

    def actions(self, system: Any) -> list[Action]:
        """Open, then close."""
        k = _branch(system, self.branch)
        found = [Action(_at("at_s", self.at_s), "open", self.branch, "branch opened", _switch(k, False))]
        if self.reclose_s is not None:
            if not self.reclose_s > self.at_s:
                raise SettingError(f"reclose_s = {self.reclose_s!r}: must come after at_s = {self.at_s!r}")
            found.append(Action(self.reclose_s, "close", self.branch, "branch reclosed", _switch(k, True)))
        return found


@dataclass(frozen=True)
class BranchClose:
    """A line or transformer that is out of service closes at at_s. [s]"""

    branch: str
    at_s: float = 1.0

    def actions(self, system: Any) -> list[Action]:
        """Close."""
        k = _branch(system, self.branch)
        return [Action(_at("at_s", self.at_s), "close", self.branch, "branch closed", _switch(k, True))]


@dataclass(frozen=True)
class GeneratorTrip:
    """A generating unit leaves at at_s with its exciter, governor and stabiliser. [s]"""

    unit: str
    at_s: float = 1.0

    def actions(self, system: Any) -> list[Action]:
        """Switch off everything that belongs to the unit."""
        system.device(self.unit, ("machine", "converter"))

        def apply(run: Any) -> None:
            run.switch_off(self.unit, "unit tripped by event")

        return [Action(_at("at_s", self.at_s), "trip", self.unit, "generator trip", apply)]


@dataclass(frozen=True)
class LoadStep:
    """A load changes by p_mw and q_mvar (at its initial voltage) at at_s, in the shares of its own voltage law.

    Positive consumes more. The load must exist and have the power it scales: P for p_mw, Q for q_mvar.
    """

    load: str
    p_mw: float
    q_mvar: float = 0.0
    at_s: float = 1.0

    def actions(self, system: Any) -> list[Action]:
        """Scale the load's memory factors kp and kq."""
        group, k = system.device(self.load, ("load",))
        device = group.devices[k]
        if not {"kp", "kq"} <= {m.name for m in group.model.memory}:
            text = f"load '{self.load}' is a {group.model.name}, whose power does not scale"
            raise SettingError(f"{text}: give the step to a ZIP load at the same bus")
        for name, step, base in (("p_mw", self.p_mw, device.p_mw), ("q_mvar", self.q_mvar, device.q_mvar)):
            if not np.isfinite(step) or (step != 0.0 and base == 0.0):
                text = f"{name} = {step!r} on load '{self.load}' of {base:g}"
                raise SettingError(f"{text}: the step must be finite and the load not zero")

        def apply(run: Any) -> None:
            z = group.view(run.work.z, "z", group.z)
            z.kp[k] += self.p_mw / device.p_mw if self.p_mw else 0.0
            z.kq[k] += self.q_mvar / device.q_mvar if self.q_mvar else 0.0
            run.refresh_unit(group, k)

        text = f"{self.p_mw:+g} MW {self.q_mvar:+g} MVAr"
        return [Action(_at("at_s", self.at_s), "load step", self.load, text, apply)]


@dataclass(frozen=True)
class TrainingPause:
    """A pause of a cluster's training job (see gridai.cluster.Pause); several on one cluster add up.

    The engine plays the cluster's demand with all its pauses; edges of the demand cut the step.
    """

    cluster: str
    pause: Any

    def actions(self, system: Any) -> list[Action]:
        """Log lines only: the pause itself is in the cluster's demand."""
        if self.cluster not in system.clusters:
            raise UnknownNameError(near(self.cluster, system.clusters, "cluster"))
        pause = self.pause
        found = [Action(pause.at_s, "pause", self.cluster, f"{pause.pause_mw:g} MW of training pauses", _nothing)]
        if pause.resume_s is not None:
            found.append(Action(pause.resume_s, "resume", self.cluster, "training resumes", _nothing))
            back = pause.resume_s + pause.ramp_up_s
            found.append(Action(back, "resumed", self.cluster, "training is back at full power", _nothing))
        return found


def _nothing(run: Any) -> None:
    """An action that only stands in the log."""
