"""The contract of a dynamic model: its tables of numbers and its equations.

A model file fills one `Model`. The tables (parameters, states, memory, inputs, outputs, guards) become NumPy
structured records of float64; the equations are scalar functions on one unit's records, marked `@kernel` and
compiled by numba when a system needs them. A kernel asks for what it needs by argument name:

    p  parameters          x  states             z  discrete memory (field `on`: 1 in service, 0 out)
    u  inputs              y  outputs (written by `outputs`)        d  time derivatives of x
    v  complex bus voltage [pu]                  t  time [s]        g  guards

    outputs(p, x, z, u, y)            algebraic outputs of the unit
    derivatives(p, x, z, u, y, d)     d = dx/dt
    current(p, x, z, u[, y][, v])     complex current into the network [pu on the unit's base, network frame];
                                      with `v` in the signature it is solved together with the network;
                                      it may leave in y what the other kernels need of the same x
    clamp(p, x, u)                    windup limits, once at the end of a step
    track(p, x, z, u, y)              memory that follows the solution (a running minimum, say)
    guards(p, x, z, u, y, t, g)       each g rises through zero when something discrete happens
    update(p, x, z, u, y, t, g)       what happens: g is 1 where a guard fired; returns an action code, 0 for none

Every kernel is called for each unit in turn with only the arguments it names, in any order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

ROLES = (
    "machine",
    "converter",
    "monitor",
    "area",
    "setpoint",
    "governor",
    "stabilizer",
    "plant",
    "electrical",
    "exciter",
    "load",
    "cluster",
    "relay",
)
"""Order of evaluation: a role may read the outputs of the roles before it without delay."""

LATE_ROLES = ("machine", "converter")
"""Roles whose outputs come first and whose derivatives come last, when their inputs are known."""

ACTION_NONE, ACTION_TRIP, ACTION_SHED, ACTION_OPEN = 0, 1, 2, 3
"""What `update` can ask for: ACTION_TRIP takes the unit and all that belongs to it out of service, ACTION_SHED sheds
the share that stands in the memory value `shed` of the load that the device belongs to, ACTION_OPEN opens the branch
that the relay guards, at both ends. Any other code of `Model.actions` stands in the log. After each the unit is asked
for its admittance again."""


@dataclass(frozen=True)
class Param:
    """A parameter. `default` None: the table must give it. `solved`: found by initialisation, not given."""

    name: str
    unit: str
    default: float | None
    meaning: str
    low: float = -np.inf
    high: float = np.inf
    solved: bool = False


@dataclass(frozen=True)
class State:
    """A continuous state, or a memory value if it stands in `Model.memory`.

    `drifts` True: it need not stand still at the start (the state of charge of a battery that gives power).
    """

    name: str
    unit: str
    meaning: str
    start: float = 0.0
    drifts: bool = False


@dataclass(frozen=True)
class Input:
    """A signal the unit reads. `source` is `bus.v_re`, or `<role>.<output>` of the device it belongs to.

    `remote.v_re`, `remote.v_im`: the voltage of the bus in the table's column `remote_bus` (empty: the own bus);
    `remote2.*` likewise reads column `remote_bus2`.
    `branch.<name>`: the branch in column `branch`, measured at its end `from_bus` (empty: its first end). The names:
    v_re, v_im (voltage there), w_re, w_im (other end), ys_re, ys_im, ym_re, ym_im (the current into the branch is
    (ys v + ym w) on [pu of the system base]), on (1 in service, 0 out or no branch given). `branch2.<name>` likewise
    reads columns `branch2` and `from_bus2`.
    `area.<output>`: an output of the area controller (role area) that the table's column `area` names.
    `setpoint.<output>`: of the unit's device of role setpoint (secondary control); constant where there is none.

    If that device is not there, the signal is constant: at `default`, or, when that is None, at the value
    that initialisation found (a machine without governor keeps its torque).
    """

    name: str
    unit: str
    source: str
    meaning: str
    default: float | None = 0.0


@dataclass(frozen=True)
class Output:
    """A signal the unit gives. `channel` names it in results (empty: not recorded by default).

    `on_base` True: the value is per unit of the unit's MVA base and the result shows MW or MVAr.
    """

    name: str
    unit: str
    meaning: str
    channel: str = ""
    on_base: bool = False


F = TypeVar("F", bound=Callable[..., Any])
Check = Callable[[dict[str, float]], list[tuple[str, str]]]


@dataclass(frozen=True)
class Model:
    """A dynamic model: tables, initialisation, kernels, source. See the module's docstring for the kernels.

    `initialise(p, x, z, u, y, op)` runs in plain Python on records of one unit; `op` (an `Start`) gives the
    power flow. It sets x and the solved parameters. A machine also sets the inputs it needs (`u.efd_pu`,
    `u.pm_pu`); an exciter or governor finds them as its output `y.efd_pu`, `y.pm_pu`.
    `admittance(p, z)` gives the constant part that stands in the admittance matrix [pu on the unit's base].
    `forms_voltage` True: a converter that can hold the voltage of an island alone; a machine always can.
    `linear(values)` is True when the unit's current is wholly in its admittance: the engine then skips it.
    `check(values)` returns (parameter, complaint) pairs for rules that join several parameters.
    """

    name: str
    role: str
    title: str
    params: tuple[Param, ...]
    states: tuple[State, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    initialise: Callable[..., None]
    kernels: dict[str, Callable[..., Any]]
    source: str
    memory: tuple[State, ...] = ()
    guards: tuple[str, ...] = ()
    admittance: Callable[..., complex] | None = None
    check: Check | None = None
    linear: Callable[[dict[str, float]], bool] | None = None
    deviations: tuple[str, ...] = ()
    actions: dict[int, str] = field(default_factory=dict)
    forms_voltage: bool = False

    @cached_property
    def records(self) -> dict[str, np.dtype[Any]]:
        """The dtypes of the records by argument name (p, x, z, u, y, d, g)."""
        x = record([s.name for s in self.states])
        return {
            "p": record([q.name for q in (*self.params, *ENGINE_PARAMS)]),
            "x": x,
            "z": record(["on", *(s.name for s in self.memory)]),
            "u": record([s.name for s in self.inputs]),
            "y": record([s.name for s in self.outputs]),
            "d": x,
            "g": record(list(self.guards)),
        }

    @property
    def on_branch(self) -> bool:
        """True for a relay of a line or transformer: its `unit` is a branch, and `from_bus` the end where it stands."""
        return self.role == "relay" and any(s.source.startswith("branch.") for s in self.inputs)

    @property
    def solves_with_network(self) -> bool:
        """True if the unit's current depends on the voltage of its bus."""
        current = self.kernels.get("current")
        return current is not None and "v" in argument_names(current)


@dataclass(frozen=True)
class Start:
    """The power flow at a unit's bus: complex voltage [pu] and its power [pu on its own base].

    The power is generated for machines and converters, consumed for loads and clusters (load sign).
    """

    v: complex
    p_pu: float
    q_pu: float

    @property
    def i(self) -> complex:
        """Current of that power [pu on the unit's base, network frame]: into the network for a machine."""
        return ((self.p_pu + 1j * self.q_pu) / self.v).conjugate()


ENGINE_PARAMS = (
    Param("mva", "MVA", 100.0, "base of the unit's per-unit values"),
    Param("s_base_mva", "MVA", 100.0, "base of the system's per-unit values"),
    Param("omega_base", "rad/s", 2 * np.pi * 60, "2 pi times nominal frequency"),
)
"""Parameters that the engine adds to every record."""


def record(names: tuple[str, ...] | list[str]) -> np.dtype[Any]:
    """A structured dtype of float64 fields; an empty table gets one unused field."""
    return np.dtype([(n, "f8") for n in (names or ["_"])])


def records_of(model: Model) -> dict[str, np.dtype[Any]]:
    """The dtypes of a model's records by argument name."""
    return model.records


def argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a kernel's arguments."""
    code = function.__code__
    return tuple(code.co_varnames[: code.co_argcount])


def kernel(function: F) -> F:
    """Mark a function as compiled by numba on first use. Until then it is plain Python and needs no numba."""
    function.__gridai_kernel__ = True  # type: ignore[attr-defined]
    return function
