"""PSS/E's own integration, played on gridai's right-hand side: what then is left of a difference is the models'.

The series of the reference folder show how PSS/E integrates (found here, from the series alone):

    x(n+1) = x(n) + h (3/2 f(n) - 1/2 f(n-1))        Adams and Bashforth's method of order 2, one evaluation a row
    f at the instant of a switching                  the mean of before and after: the first step covers 3/4 of a jump,
                                                     the second 5/4
    exciter without time constant                    gives the field voltage of the row before
    ESAC1A, EXAC1, EXST1, ESST1A                     are integrated more finely, with the voltage of the step's start
                                                     and a twentieth of its change over the step (a figure that fits);
                                                     what limits their output is that of the row before
    HYGOV                                            gives the mechanical power of the row before
    converter (REGCA1, DERA1)                        its source reactance ZX stands in the network: the current of it
                                                     comes from the voltage of the solution before, until two
                                                     solutions differ by less than 1e-4 pu (PSS/E's default tolerance)
    power of a converter without source reactance    printed, and measured by its plant controller, with a voltage that
                                                     is the mean of this row's and of the one so used a row before
    states                                           single precision; speed is kept as its deviation

The solution's tolerance is no model: a voltage that turns by less than 1e-4 rad a row is never solved again,
so the current of the source admittance y lags by a row and brakes the machines with |y| v^2 omega h per unit of speed.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from gridai.case import Case
from gridai.engine import BranchTrip, Event, Run, System, compile_system
from gridai.engine.simulation import channel_table
from gridai.kernel.contract import argument_names
from gridai.results import Result

from .psse_late import LAG, Algebraic, LateField, LatePower, MeanPower, Source

STEP_S = 0.005
TRIP = 200
FINER = {"ESAC1A": 4, "EXAC1": 4, "EXST1": 4, "ESST1A": 4}
"""Models that PSS/E integrates in parts of a step, and the parts taken here (any number from two gives the same)."""
LATE_POWER = ("HYGOV",)
"""Governors whose mechanical power reaches the machine a row late; TGOV1's does not."""
HELD_SHARE = 0.05
"""Part of the voltage's change over a step that these models see, held over it: fitted to TGOV1's series alone."""
CURRENT_SOURCES = ("regca1", "dera1")


def run(case: Case, change: str | Event, rows: int, step_s: float = STEP_S) -> tuple[System, Result]:
    """System and result of a branch that opens (or another event) at 1.0 s: row 200 is before it, row 201 after it."""
    event, trip = BranchTrip(change) if isinstance(change, str) else change, round(1.0 / step_s)
    marched = _March(case, step_s)
    places, channels = channel_table(marched.system)
    data = np.empty((rows, len(places)))
    for row in range(rows):
        marched.evaluate()
        data[row] = marched.engine.work.sig[places]
        if row == trip:
            marched.apply(event)
        elif row + 1 < rows:
            marched.step()
    t = step_s * np.concatenate([np.arange(trip + 1), np.arange(trip, rows - 1)])
    return marched.system, Result(t, data, channels, (), {"f_hz": case.f_hz})


class _March:
    """State of the run: x, f of this row and of the row before."""

    def __init__(self, case: Case, step_s: float) -> None:
        whole, buses = _with_sources(case)
        self.step_s = step_s
        self.system = compile_system(whole)
        self.engine = Run(self.system)
        self.rhs, self.x = self.engine.rhs(), self.system.x0.copy()
        self.before = self.rhs(0.0, self.x)
        self.sources = [Source(self.system, self.engine, bus) for bus in buses]
        self.still = [place for source in self.sources for place in source.states]
        self.finer = [_Unit(self.system, g, k) for g in self.system.groups if g.model.name in FINER
                      for k in range(len(g.devices))]  # fmt: skip
        self.late: list[Any] = [LateField(self.system, self.engine, unit) for unit in self.finer]
        self.late += [LatePower(self.system, g.devices[k].name) for g in self.system.groups
                      if g.model.name in LATE_POWER for k in range(len(g.devices))]  # fmt: skip
        sources = set(_finite(case)["name"])
        self.late += [MeanPower(self.system, g, k) for g in self.system.groups if g.model.name == "REGCA1"
                      for k in range(len(g.devices)) if g.devices[k].name not in sources]  # fmt: skip
        self.exciters = [Algebraic(self.system, g, k) for g in self.system.groups if g.model.name == "SEXS"
                         for k in range(len(g.devices)) if g.view(self.system.p, "p", g.p).te_s[k] == 0.0]  # fmt: skip
        self.clamped = [_Unit(self.system, g, k) for g in self.system.groups if "clamp" in g.model.kernels
                        for k in range(len(g.devices))]  # fmt: skip
        self.slip = np.array([k for k, (_, _, state, _) in enumerate(self.system.states) if state == "omega_pu"])
        self.f, self.at_switching = self.before, None

    def evaluate(self) -> None:
        """f of this row."""
        for _ in range(20):
            for source in self.sources:
                source.put(self.engine)
            self.rhs(0.0, self.x)
            if not [source for source in self.sources if source.moved(self.engine)]:
                break
        for exciter in self.exciters:
            exciter.show(self.engine)
        self.f = self.rhs(0.0, self.x)
        self.f[self.still] = 0.0
        for late in self.late:
            late.correct(self.engine, self.x, self.f)

    def apply(self, event: Event) -> None:
        """Apply an event; the states stay."""
        for action in event.actions(self.system):
            action.apply(self.engine)
        self.engine.factorise()
        self.at_switching = self.f

    def step(self) -> None:
        """To the next row."""
        f = self.f if self.at_switching is None else 0.5 * (self.at_switching + self.f)
        new = self.x + self.step_s * (1.5 * f - 0.5 * self.before)
        self.before, self.at_switching = f, None
        if self.finer:
            starts = [unit.inputs(self.engine) for unit in self.finer]
            self.rhs(0.0, new)
            for unit, start in zip(self.finer, starts, strict=True):
                unit.integrate(start, unit.inputs(self.engine), self.x, new, self.step_s)
        for unit in self.clamped:
            unit.clamp(self.engine, new)
        new[self.slip] -= 1.0
        new = new.astype(np.float32).astype(float)
        new[self.slip] += 1.0
        self.x = new


class _Unit:
    """The kernels of one unit, run in Python on records of its own."""

    def __init__(self, system: System, group: Any, k: int) -> None:
        self.group, self.k, self.model = group, k, group.model
        self.names = [s.name for s in self.model.states]
        self.place = slice(group.x + k * len(self.names), group.x + (k + 1) * len(self.names))
        self.p = self._fields(group.view(system.p, "p", group.p)[k])
        self.records = {"p": self.p, "x": SimpleNamespace(), "d": SimpleNamespace(), "y": SimpleNamespace(), "z": None}

    @staticmethod
    def _fields(record: Any) -> SimpleNamespace:
        return SimpleNamespace(**{name: float(record[name]) for name in record.dtype.names})

    def _call(self, name: str) -> None:
        kernel = self.model.kernels.get(name)
        if kernel is not None:
            kernel(*[self.records[a] for a in argument_names(kernel)])

    def inputs(self, engine: Run) -> SimpleNamespace:
        """The unit's inputs of the last evaluation."""
        return self._fields(self.group.view(engine.work.u, "u", self.group.u)[self.k])

    def _rates(self, x: np.ndarray) -> np.ndarray:
        vars(self.records["x"]).update(zip(self.names, x, strict=True))
        self._call("clamp")
        self._call("derivatives")
        return np.array([getattr(self.records["d"], name) for name in self.names])

    def clamp(self, engine: Run, x: np.ndarray) -> None:
        """The unit's states within their limits."""
        self.records["u"] = self.inputs(engine)
        vars(self.records["x"]).update(zip(self.names, x[self.place], strict=True))
        self._call("clamp")
        x[self.place] = [getattr(self.records["x"], name) for name in self.names]

    def outputs(self, inputs: SimpleNamespace, x: np.ndarray) -> SimpleNamespace:
        """The unit's outputs with these inputs and the states in x."""
        self.records["u"] = inputs
        vars(self.records["x"]).update(zip(self.names, x[self.place], strict=True))
        self._call("outputs")
        y = self.records["y"]
        assert y is not None
        return y

    def integrate(
        self, before: SimpleNamespace, after: SimpleNamespace, start: np.ndarray, new: np.ndarray, step_s: float
    ) -> None:
        """Heun's method in parts of the step, inputs held; before, after: the inputs at the step's ends."""
        for name in ("v_re", "v_im"):
            change = getattr(after, name) - getattr(before, name)
            setattr(before, name, getattr(before, name) + HELD_SHARE * change)
        self.records["u"] = before
        x, part_s = start[self.place].copy(), step_s / FINER[self.model.name]
        for _ in range(FINER[self.model.name]):
            first = self._rates(x)
            x = x + part_s / 2 * (first + self._rates(x + part_s * first))
        new[self.place] = x


def _finite(case: Case) -> pd.DataFrame:
    """The converters with a source reactance in the network: rows of the units' table; 100 pu and more is none."""
    names = [name for model in CURRENT_SOURCES if model in case.dynamics for name in case.dynamics[model]["unit"]]
    units = case.net.gen[case.net.gen["name"].isin(names)]
    return units[units["zx_pu"] < 100.0] if len(units) else units


def _admittances(case: Case) -> dict[int, tuple[float, float]]:
    """Buses with such converters: rating [MVA] and source reactance [pu of it] of all of them."""
    return {int(bus): (float(at["sn_mva"].sum()), float(at["sn_mva"].sum() / (at["sn_mva"] / at["zx_pu"]).sum()))
            for bus, at in _finite(case).groupby("bus")}  # fmt: skip


def _with_sources(case: Case) -> tuple[Case, list[str]]:
    """The case with a source that stands for each of these, and their buses."""
    net, rows, buses = deepcopy(case.net), [], []
    for bus, (mva, x_pu) in _admittances(case).items():
        buses.append(str(net.bus.at[bus, "name"]))
        pp.create_sgen(net, bus, 0.0, 0.0, sn_mva=mva, name=f"{LAG} {buses[-1]}")
        rows.append({"unit": f"{LAG} {buses[-1]}", "r_pu": 0.0, "x_pu": x_pu})
    tables = {**case.dynamics, "source": pd.DataFrame(rows)} if rows else case.dynamics
    return replace(case, net=net, dynamics=tables), buses
