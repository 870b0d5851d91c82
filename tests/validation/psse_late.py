"""What PSS/E does a row late, as corrections of gridai's right-hand side: see the list in psse_scheme.py.

Each has `correct(engine, x, f)`, called once a row with the rates f of this row, or works on the engine's signals.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from gridai.engine import Run, System

LAG = "source admittance"
NETWORK_TOL_PU = 1e-4


class Unit(Protocol):
    """A unit's kernels on records of its own (psse_scheme.py)."""

    group: Any
    k: int

    def inputs(self, engine: Run) -> SimpleNamespace:
        """The unit's inputs of the last evaluation."""
        ...

    def outputs(self, inputs: SimpleNamespace, x: np.ndarray) -> SimpleNamespace:
        """The unit's outputs with these inputs and the states in x."""
        ...


class Machine:
    """A unit's machine: its outputs in the signals, the places of its states."""

    def __init__(self, system: System, name: str) -> None:
        self.group, self.k = system.device(name, ("machine",))
        self.names = [s.name for s in self.group.model.states]
        self.first = self.group.x + self.k * len(self.names)
        self.p = self.group.view(system.p, "p", self.group.p)[self.k]

    def place(self, state: str) -> int:
        """Place of one of its states."""
        return self.first + self.names.index(state)

    def y(self, engine: Run) -> Any:
        """Its outputs, to be read and written."""
        return self.group.view(engine.work.sig, "y", self.group.y)[self.k]


class LateField:
    """Field voltage of a finer exciter: its states of this row, its inputs (limits that vary) of the row before."""

    def __init__(self, system: System, engine: Run, unit: Unit) -> None:
        self.unit, self.machine = unit, Machine(system, unit.group.devices[unit.k].name)
        self.before = unit.inputs(engine)

    def correct(self, engine: Run, x: np.ndarray, f: np.ndarray) -> None:
        """Put it in what is recorded and into the rate of E'q."""
        group, now, machine = self.unit.group, self.unit.inputs(engine), self.machine.y(engine)
        efd = self.unit.outputs(self.before, x).efd_pu
        f[self.machine.place("eq1_pu")] += (efd - machine["efd_pu"]) / self.machine.p["td10_s"]
        machine["efd_pu"] = group.view(engine.work.sig, "y", group.y)[self.unit.k]["efd_pu"] = efd
        self.before = now


class LatePower:
    """Mechanical power of a governor: the machine feels that of the row before."""

    def __init__(self, system: System, name: str) -> None:
        self.machine, self.before = Machine(system, name), np.nan

    def correct(self, engine: Run, x: np.ndarray, f: np.ndarray) -> None:
        """Put it into the rate of the speed."""
        now, omega = float(self.machine.y(engine)["pm_pu"]), self.machine.place("omega_pu")
        before = now if np.isnan(self.before) else self.before
        f[omega] += (before - now) / x[omega] / (2.0 * self.machine.p["h_s"])
        self.before = now


class MeanPower:
    """Power of a converter as PSS/E prints it; its plant controller, if it senses the unit itself, measures that."""

    def __init__(self, system: System, group: Any, k: int) -> None:
        self.group, self.k, self.vt_pu = group, k, np.nan
        plants = [(g, n) for g in system.groups if g.model.name == "REPCA1"
                  for n, device in enumerate(g.devices) if device.name == group.devices[k].name]  # fmt: skip
        self.rates = [rate for g, n in plants for rate in self._measured(system, g, n)]

    @staticmethod
    def _measured(system: System, group: Any, n: int) -> list[tuple[str, int, float]]:
        p, names = group.view(system.p, "p", group.p)[n], [s.name for s in group.model.states]
        used = (p["f_flag"] != 0.0 and p["tp_s"] > 0.0, p["ref_flag"] == 0.0 and p["tfltr_s"] > 0.0)
        first, lags = group.x + n * len(names), (("p_pu", p["tp_s"]), ("q_pu", p["tfltr_s"]))
        return [(name, first + names.index(name), t) for (name, t), on in zip(lags, used, strict=True) if on]

    def correct(self, engine: Run, x: np.ndarray, f: np.ndarray) -> None:
        """Put it in what is recorded and into the rates of what is measured."""
        y = self.group.view(engine.work.sig, "y", self.group.y)[self.k]
        now = float(y["vt_pu"])
        self.vt_pu = now if np.isnan(self.vt_pu) else 0.5 * (now + self.vt_pu)
        actual = {name: float(y[name]) for name in ("p_pu", "q_pu")}
        for name, value in actual.items():
            y[name] = value * self.vt_pu / now
        for name, place, t_s in self.rates:
            f[place] += (float(y[name]) - actual[name]) / t_s


class Algebraic:
    """An exciter without time constant sees the voltage of the row before: its reference takes up the difference."""

    def __init__(self, system: System, group: Any, k: int) -> None:
        self.place = system.constants[(group.devices[k].name, "exciter.dv_ref_pu")]
        self.node = group.devices[k].node
        self.v = abs(complex(system.sig0[2 * self.node], system.sig0[2 * self.node + 1]))

    def show(self, engine: Run) -> None:
        """Show it the voltage of the row before, and keep this row's."""
        now = abs(engine.work.v[self.node])
        engine.work.sig[self.place] = now - self.v
        self.v = now


class Source:
    """The source admittance of a bus's converters; its current comes from the voltage `e` of the solution before."""

    def __init__(self, system: System, engine: Run, bus: str) -> None:
        name = f"{LAG} {bus}"
        group, k = system.device(name, ("converter",))
        self.places = [system.constants[(name, f"converter.{signal}")] for signal in ("de_pu", "angle_rad")]
        self.states = [group.x + k * len(group.model.states)]
        self.node = group.devices[k].node
        self.start = self.e = complex(engine.work.v[self.node])

    def put(self, engine: Run) -> None:
        """Give the current of the voltage e."""
        ratio = self.e / self.start
        engine.work.sig[self.places] = abs(ratio) - 1.0, np.angle(ratio)

    def moved(self, engine: Run) -> bool:
        """Take the voltage over as e; True where it differs from the one before by the tolerance or more."""
        before, self.e = self.e, complex(engine.work.v[self.node])
        return abs(self.e - before) >= NETWORK_TOL_PU
