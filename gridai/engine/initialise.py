"""Initialisation: every device from the power flow, consumers before their suppliers, then proof of balance.

A machine says which field voltage and torque it needs; its exciter and governor start from that. Afterwards the
compiled right-hand side is evaluated: voltages must be those of the power flow.

A power flow leaves a mismatch of up to its tolerance. Spread over machines without a fixed frequency it would turn the
whole system slowly (1.4e-6 rad in 20 s on `kundur`). So sources and controllers start once more from the network's own
solution, which balances to 1e-11 pu; only loads keep the power flow's voltage as their reference.
"""

from dataclasses import dataclass

import numpy as np

from gridai.engine.devices import SOURCE_ROLES
from gridai.engine.system import Group, System
from gridai.errors import InitialisationError, Problems
from gridai.kernel.contract import Start, argument_names

INITIAL_ORDER = (
    "machine",
    "converter",
    "monitor",
    "electrical",
    "plant",
    "exciter",
    "governor",
    "stabilizer",
    "load",
    "cluster",
    "relay",
    "area",
    "setpoint",
)
TOLERANCE = 1e-6


@dataclass(frozen=True)
class StartReport:
    """How well a system starts: worst derivative, and the states above the tolerance.

    rows   (state, its unit, value, derivative) of each state that moves
    """

    worst: float
    voltage_error_pu: float
    worst_bus: str
    rows: tuple[tuple[str, str, float, float], ...]

    def __str__(self) -> str:
        worst_bus = f"voltage off by {self.voltage_error_pu:.3g} pu at bus '{self.worst_bus}'"
        lines = [f"largest derivative {self.worst:.3g}, {worst_bus}"]
        if self.rows:
            lines.append(f"{'state':40s} {'unit':>8s} {'value':>14s} {'derivative':>14s}")
            lines += [f"{name:40s} {unit:>8s} {x:14.6g} {d:14.6g}" for name, unit, x, d in self.rows]
        return "\n".join(lines)


def initialise(system: System) -> None:
    """Set x0, z0, the solved parameters and the constants of a freshly laid out system, and prove the balance.

    Raises InitialisationError that lists every unit that cannot start, or the states that do not stand still.
    """
    _start_all(system, INITIAL_ORDER, system.op.v, None)
    v, signals = _network_solution(system)
    system.sig0[: 2 * v.size] = v.view(float)
    _start_all(system, tuple(r for r in INITIAL_ORDER if r != "load"), v, signals)
    report = check_start(system)
    if not (report.worst < TOLERANCE and report.voltage_error_pu < TOLERANCE):
        raise InitialisationError(f"case '{system.name}' does not stand still at its power flow: {report}")


def _start_all(system: System, roles: tuple[str, ...], v: np.ndarray, signals: np.ndarray | None) -> None:
    """Start every unit of these roles at voltages v; sources give what `signals` hold, or the power flow's power."""
    problems = Problems(f"case '{system.name}' cannot start from its power flow")
    outside: list[tuple[str, str, str, float, float]] = []
    for role in roles:
        for group in (g for g in system.groups if g.model.role == role):
            for k, d in enumerate(group.devices):
                power = complex(d.p_mw, d.q_mvar) / d.mva
                if signals is not None and role in SOURCE_ROLES:
                    y = group.view(signals, "y", group.y)[k]
                    power = complex(y.p_pu, y.q_pu)
                try:
                    _start_unit(system, group, k, Start(complex(v[d.node]), power.real, power.imag))
                except InitialisationError as error:
                    problems.add(d.file or group.model.name, d.row or None, d.name, None, str(error))
                    outside += [(d.name, group.model.name, *limit[2:]) for limit in error.outside]
    if problems:
        failure = InitialisationError(problems.text())
        failure.outside = tuple(outside)
        raise failure


def _network_solution(system: System) -> tuple[np.ndarray, np.ndarray]:
    """Bus voltages that balance the currents of the devices as started, and all signals there."""
    from gridai.engine.run import Run

    run = Run(system)
    run.rhs()(0.0, system.x0)
    return np.where(run.topology.live, run.work.v, system.op.v), run.work.sig


def _start_unit(system: System, group: Group, k: int, start: Start) -> None:
    model = group.model
    p, x = group.view(system.p, "p", group.p)[k], group.view(system.x0, "x", group.x)[k]
    z, y = group.view(system.z0, "z", group.z)[k], group.view(system.sig0, "y", group.y)[k]
    places = system.u_src[group.u + k * group.width("u") :][: len(model.inputs)]
    u = np.zeros(1, dtype=[(i.name, "f8") for i in model.inputs] or [("_", "f8")]).view(np.recarray)[0]
    for signal, place in zip(model.inputs, places, strict=True):
        u[signal.name] = system.sig0[place]
    model.initialise(p, x, z, u, y, start)
    for signal, place in zip(model.inputs, places, strict=True):
        if signal.default is None:
            system.sig0[place] = u[signal.name]
    if "outputs" in model.kernels:
        outputs = model.kernels["outputs"]
        known = {"p": p, "x": x, "z": z, "u": u, "y": y, "t": 0.0}
        outputs(**{name: known[name] for name in argument_names(outputs)})


def check_start(system: System) -> StartReport:
    """Evaluate the right-hand side at the start: worst derivative, worst voltage error, states that move."""
    from gridai.engine.run import Run

    run = Run(system)
    d = run.rhs()(0.0, system.x0)
    d[system.drifting] = 0.0
    error = np.abs(run.work.v - system.op.v)
    live = run.topology.live
    error[~live] = 0.0
    names, units = system.state_names, [unit for *_, unit in system.states]
    off = [k for k in np.argsort(-np.abs(d)) if not abs(d[k]) < TOLERANCE][:20]
    rows = tuple((names[k], units[k], float(system.x0[k]), float(d[k])) for k in off)
    worst = float(np.max(np.abs(d), initial=0.0))
    return StartReport(worst, float(np.max(error, initial=0.0)), system.network.nodes[int(np.argmax(error))], rows)
