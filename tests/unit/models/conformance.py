"""The conformance suite: what every dynamic model must do. `test_conformance.py` runs it over the catalogue.

Each check takes a `Sample` (a model with parameter values that make sense) and asserts. A new model needs an entry
in SAMPLES when it has parameters without default; a model outside the catalogue passes `Sample(model, values)`.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gridai.engine.links import BRANCH_SIGNALS
from gridai.kernel.compile import OP_CURRENT, OP_DERIVATIVES, OP_EVALUATE, OP_OUTPUTS, entry_address
from gridai.kernel.contract import LATE_ROLES, ROLES, Model, Start, argument_names, records_of
from gridai.models import catalog

from .samples_loads import SAMPLES_LOADS
from .samples_psse import SAMPLES_PSSE
from .samples_renewables import SAMPLES_RENEWABLES

FLAT_TOLERANCE = 1e-6
ARGUMENTS = {
    "outputs": "pxzuyt",
    "derivatives": "pxzuydt",
    "current": "pxzuyv",
    "clamp": "pxu",
    "track": "pxzuyt",
    "guards": "pxzuytg",
    "update": "pxzuytg",
}
"""Kernels and the arguments each may name."""

WRITES = {"outputs": "y", "derivatives": "d", "current": "y", "guards": "g"}
"""What each pure kernel may write."""

MACHINE_OUTPUTS = {
    "p_pu": "p_mw",
    "q_pu": "q_mvar",
    "pm_pu": "pm_mw",
    "omega_pu": "speed_pu",
    "delta_rad": "angle_rad",
    "efd_pu": "efd_pu",
    "pe_pu": "",
    "i_re": "",
    "i_im": "",
    "vt_pu": "",
    "xad_ifd_pu": "",
}
"""What every machine gives, with the channel."""

POINTS = {
    "machine": ((1.0, 0.0, 0.8, 0.3), (1.04, 0.7, 0.5, -0.2), (0.97, -2.5, 0.9, 0.4)),
    "load": ((1.0, 0.0, 0.8, 0.3), (1.04, 0.7, 2.5, -0.4), (0.95, -2.5, 0.01, 0.0)),
}
"""Operating points by role: |v| [pu], its angle [rad], P and Q [pu on the unit's base]."""

_ROUND_ROTOR = {
    "h_s": 4.0, "xd_pu": 1.8, "xq_pu": 1.7, "xd1_pu": 0.3, "xq1_pu": 0.55, "xd2_pu": 0.25, "xl_pu": 0.2,
    "td10_s": 8.0, "tq10_s": 0.4, "td20_s": 0.03, "tq20_s": 0.05, "s10": 0.1, "s12": 0.8, "ra_pu": 0.003, "d_pu": 1.0,
}  # fmt: skip
_IEEET1 = {
    "tr_s": 0.02, "ka": 40.0, "ta_s": 0.05, "vrmax_pu": 9.0, "vrmin_pu": -9.0, "ke": 1.0, "te_s": 0.5,
    "kf": 0.06, "tf_s": 1.0, "e1_pu": 3.0, "se1": 0.1, "e2_pu": 4.0, "se2": 0.3,
}  # fmt: skip

SAMPLES: dict[str, tuple[dict[str, float], ...]] = {
    **SAMPLES_LOADS,
    **SAMPLES_PSSE,
    **SAMPLES_RENEWABLES,
    "gencls": ({"h_s": 3.5, "xd1_pu": 0.3, "ra_pu": 0.01, "d_pu": 2.0}, {"h_s": 0.0, "xd1_pu": 1e-5}),
    "genrou": (_ROUND_ROTOR, {**_ROUND_ROTOR, "s10": 0.0, "s12": 0.0}, {**_ROUND_ROTOR, "xq_pu": 0.55}),
    "gensal": (
        {
            "h_s": 5.0, "xd_pu": 1.0, "xq_pu": 0.75, "xd1_pu": 0.4, "xd2_pu": 0.25, "xl_pu": 0.1,
            "td10_s": 5.0, "td20_s": 0.05, "tq20_s": 0.2, "s10": 0.11, "s12": 0.62, "ra_pu": 0.003,
        },
    ),
    "sexs": (
        {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.1, "emin_pu": -5.0, "emax_pu": 5.0},
        {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.0, "emin_pu": -5.0, "emax_pu": 5.0},
    ),
    "ieeet1": (_IEEET1, {**_IEEET1, "tr_s": 0.0}),
    "tgov1": (
        {"r_pu": 0.05, "t1_s": 0.5, "vmax_pu": 1.0, "vmin_pu": 0.0, "t2_s": 2.1, "t3_s": 7.0, "dt_pu": 0.1},
    ),
    "hygov": (
        {
            "r_perm_pu": 0.05, "r_temp_pu": 0.3, "tr_s": 5.0, "tf_s": 0.05, "tg_s": 0.5, "velm_pu_per_s": 0.2,
            "gmax_pu": 1.0, "gmin_pu": 0.0, "tw_s": 1.3, "at": 1.2, "dturb_pu": 0.2, "qnl_pu": 0.08,
        },
    ),
    "ieeest": tuple(
        {
            "mode": mode, "a1": 1.013, "a2": 0.013, "a5": 1.013, "a6": 0.113, "t1_s": 0.2, "t2_s": 0.02,
            "t5_s": 1.65, "t6_s": 1.65, "ks": 3.0, "lsmax_pu": 0.1, "lsmin_pu": -0.1,
        }
        for mode in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    ),
    "zip": (
        {},
        {"pz": 0.3, "pi": 0.3, "pp": 0.4, "qz": 0.2, "qi": 0.5, "qp": 0.3, "kpf": 1.5, "kqf": -1.0},
        {"pz": 0.0, "pi": 0.0, "pp": 1.0, "qz": 0.0, "qi": 0.0, "qp": 1.0},
    ),
    "vtgtpat": ({"vl_pu": 0.8, "vu_pu": 1.2, "tp_s": 0.2, "tb_s": 0.05}, {"vl_pu": 0.8, "tp_s": 0.0, "tv_s": 0.02}),
    "frqtpat": ({"fl_hz": 57.0, "fu_hz": 62.0, "tp_s": 0.2, "tb_s": 0.05},),
}  # fmt: skip
"""Parameter values by model key: enough to fill what has no default, and variants worth a run."""


@dataclass(frozen=True)
class Sample:
    """A model with values for one unit."""

    model: Model
    values: dict[str, float] = field(default_factory=dict)

    def filled(self) -> dict[str, float]:
        """All given parameters: the defaults under the values. Fails on a parameter that has neither."""
        given = {q.name: q.default for q in self.model.params if not q.solved}
        given.update(self.values)
        missing = [name for name, value in given.items() if value is None]
        assert not missing, f"{self.model.name}: give {missing} in conformance.SAMPLES"
        return given  # type: ignore[return-value]

    def units(self) -> Iterator[Unit]:
        """One started unit for each operating point of its kind."""
        kind = "load" if self.model.role in ("load", "cluster") else "machine"
        for size, angle, p, q in POINTS[kind]:
            yield started(self, Start(size * np.exp(1j * angle), p, q))


@dataclass
class Unit:
    """The records of one unit; `call` runs a kernel on them in plain Python."""

    model: Model
    op: Start
    records: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.records[name]

    def call(self, name: str, v: complex | None = None, t: float = 0.0) -> Any:
        """Run a kernel; v defaults to the bus voltage in the inputs, or that of the power flow."""
        function = self.model.kernels[name]
        known = {**self.records, "t": t, "v": self.op.v if v is None else v}
        return function(*(known[a] for a in argument_names(function)))

    def evaluate(self) -> None:
        """Outputs, then derivatives."""
        if keeps_in_current(self.model):
            self.call("current")
        for name in ("outputs", "derivatives"):
            if name in self.model.kernels:
                self.call(name)

    def set_voltage(self, v: complex) -> None:
        """Put a bus voltage into the inputs that read it."""
        for signal in self.model.inputs:
            if signal.source in ("bus.v_re", "remote.v_re"):
                self.u[signal.name] = v.real
            elif signal.source in ("bus.v_im", "remote.v_im"):
                self.u[signal.name] = v.imag


def blank(sample: Sample, op: Start) -> Unit:
    """A unit with its given parameters and memory; solved parameters are NaN until found."""
    dtypes = records_of(sample.model)
    unit = Unit(sample.model, op, {k: np.zeros(1, t).view(np.recarray)[0] for k, t in dtypes.items()})
    for q in sample.model.params:
        unit.p[q.name] = np.nan
    for name, value in sample.filled().items():
        unit.p[name] = value
    unit.p.mva = unit.p.s_base_mva = 100.0
    unit.p.omega_base = 2 * np.pi * 60
    unit.z.on = 1.0
    for m in sample.model.memory:
        unit.z[m.name] = m.start
    for signal in sample.model.inputs:
        unit.u[signal.name] = 0.0 if signal.default is None else signal.default
    unit.set_voltage(op.v)
    return unit


def supports(role: str) -> dict[str, Sample]:
    """What a unit of this role stands on: samples by role."""
    if role in ("exciter", "governor", "stabilizer"):
        return {"machine": Sample(catalog.model("genrou"), _ROUND_ROTOR)}
    found = {"converter": Sample(catalog.model("regca1"))}
    if role == "plant":
        found["electrical"] = Sample(catalog.model("reecb1"))
    return found if role in ("electrical", "plant") else {}


def started(sample: Sample, op: Start) -> Unit:
    """A unit initialised at `op`; a controller stands on units at the same point that say what they need."""
    unit, model = blank(sample, op), sample.model
    below = {role: started(other, op) for role, other in supports(model.role).items()}
    for signal in model.inputs:
        role, _, name = signal.source.partition(".")
        if role in below:
            unit.u[signal.name] = below[role].y[name]
    for name, value in asked(model, below).items():
        unit.y[name] = value
    model.initialise(unit.p, unit.x, unit.z, unit.u, unit.y, op)
    unit.evaluate()
    return unit


def asked(model: Model, below: dict[str, Unit]) -> dict[str, float]:
    """The outputs of a controller that the units below it need for their start."""
    names = {f"{model.role}.{o.name}": o.name for o in model.outputs}
    found = [(other, s) for other in below.values() for s in other.model.inputs if s.source in names]
    return {names[s.source]: float(other.u[s.name]) for other, s in found if s.default is None}


def values_of(record: Any, names: tuple[str, ...] | None = None) -> np.ndarray:
    """A record's fields as floats."""
    return np.array([record[n] for n in (names or record.dtype.names)], dtype=float)


def shaken(unit: Unit, seed: int = 1) -> Iterator[Unit]:
    """The unit with states and voltage pushed about, down to a dead bus. The same unit is changed in place."""
    draw = np.random.default_rng(seed)
    x0 = values_of(unit.x)
    for size in (0.0, 1e-9, 0.05, 0.4, 0.7, 0.9, 1.3):
        for name, value in zip(unit.x.dtype.names, x0, strict=True):
            unit.x[name] = value + 0.3 * draw.uniform(-1, 1)
        unit.set_voltage(size * np.exp(1j * draw.uniform(-3, 3)))
        yield unit


def keeps_in_current(model: Model) -> bool:
    """True if `current` leaves in y what the other kernels read."""
    current = model.kernels.get("current")
    return current is not None and "y" in argument_names(current)


def voltage_of(unit: Unit) -> complex:
    """The bus voltage in the inputs (that of the power flow where none is read)."""
    parts = {s.source: float(unit.u[s.name]) for s in unit.model.inputs if s.source.startswith("bus.")}
    return complex(parts["bus.v_re"], parts["bus.v_im"]) if parts else unit.op.v


# --- the checks ------------------------------------------------------------------------------------------------


def check_tables(sample: Sample) -> None:
    """Names are unique and documented, defaults lie in their range, kernels name only what they may."""
    model = sample.model
    assert model.role in ROLES
    tables = (model.params, model.states, model.memory, model.inputs, model.outputs)
    for table in tables:
        names = [row.name for row in table]
        assert len(names) == len(set(names)), f"a name twice in {names}"
        assert all(row.meaning and row.name.isidentifier() for row in table)
    assert "on" not in [m.name for m in model.memory], "`on` is the engine's"
    channels = [o.channel for o in model.outputs if o.channel]
    assert len(channels) == len(set(channels))
    for q in model.params:
        assert q.default is None or q.low <= q.default <= q.high, q.name
    for name, function in model.kernels.items():
        assert set(argument_names(function)) <= set(ARGUMENTS[name]), f"{name}{argument_names(function)}"
        assert getattr(function, "__gridai_kernel__", False), f"{name} is not marked @kernel"
    assert ("guards" in model.kernels) == ("update" in model.kernels) == bool(model.guards)


def check_wiring(sample: Sample) -> None:
    """Sources are a voltage, a branch, a role's output or a setpoint; a machine's field and power may rest."""
    for signal in sample.model.inputs:
        role, _, name = signal.source.partition(".")
        role = role.rstrip("0123456789")  # branch2 is a branch
        assert name, signal.source
        assert role in (*ROLES, "bus", "remote", "branch", "setpoint"), signal.source
        assert role not in ("bus", "remote") or name in ("v_re", "v_im"), signal.source
        assert role != "branch" or name in BRANCH_SIGNALS, signal.source
        assert role != "setpoint" or signal.default == 0.0, f"{signal.source} must do nothing by default"


def check_document(sample: Sample) -> None:
    """The module's docstring opens with the name and has equations or a diagram and the source."""
    text = inspect.getmodule(sample.model.initialise).__doc__ or ""  # type: ignore[union-attr]
    assert text.startswith(sample.model.name + ":"), text[:40]
    assert "Source:" in text
    assert sample.model.source
    assert "--" in text or " = " in text, "no diagram, no equation"
    path = Path(inspect.getfile(sample.model.initialise))
    size = len(path.read_text().splitlines())
    assert size <= 500, f"{path.name} has {size} lines"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert ast.get_docstring(node), f"{node.name} has no docstring"
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is longer than 60 lines"


def check_values(sample: Sample) -> None:
    """The sample passes the model's own rules, and the rules complain about parameters that exist."""
    values = sample.filled()
    assert set(sample.values) <= {q.name for q in sample.model.params if not q.solved}
    for q in sample.model.params:
        assert q.solved or q.low <= values[q.name] <= q.high, q.name
    if sample.model.check is not None:
        assert list(sample.model.check(values)) == []
        for shift in (-0.5, 2.0):
            for name, complaint in sample.model.check({k: v * shift + shift for k, v in values.items()}):
                assert name in values
                assert complaint


def check_flat_start(sample: Sample) -> None:
    """Nothing moves at the operating point, and everything that had to be found was found."""
    for unit in sample.units():
        for table in "pxuy":
            assert np.isfinite(values_of(unit.records[table])).all(), table
        still = tuple(s.name for s in sample.model.states if not s.drifts)
        rate = np.abs(values_of(unit.d, still)).max(initial=0.0) if still else 0.0
        assert rate < FLAT_TOLERANCE, f"derivative {rate:.3g} at {unit.op}"


def check_everything_written(sample: Sample) -> None:
    """`outputs` writes every declared output, `derivatives` every state, `guards` every guard."""
    for name, table in (("outputs", "y"), ("derivatives", "d"), ("guards", "g")):
        if name in sample.model.kernels:
            for unit in sample.units():
                for f in unit.records[table].dtype.names:
                    unit.records[table][f] = np.nan
                if table == "y" and keeps_in_current(sample.model):
                    unit.call("current")
                unit.call(name)
                declared = {"y": sample.model.outputs, "d": sample.model.states, "g": sample.model.guards}[table]
                names = tuple(getattr(row, "name", row) for row in declared)
                assert np.isfinite(values_of(unit.records[table], names)).all(), name


def check_purity(sample: Sample) -> None:
    """A kernel writes what it may and nothing else, and gives the same answer twice."""
    for unit in sample.units():
        for _ in shaken(unit):
            for name in (n for n in WRITES if n in sample.model.kernels):
                before = {k: bytes(r) for k, r in unit.records.items()}
                first = unit.call(name, voltage_of(unit))
                middle = {k: bytes(r) for k, r in unit.records.items()}
                second = unit.call(name, voltage_of(unit))
                changed = {k for k in before if before[k] != middle[k]}
                assert changed <= set(WRITES[name]), f"{name} changed {changed}"
                assert first == second
                assert middle == {k: bytes(r) for k, r in unit.records.items()}


def check_finite(sample: Sample) -> None:
    """No voltage from zero up and no state near the start gives NaN or infinity."""
    for unit in sample.units():
        for _ in shaken(unit, seed=2):
            unit.evaluate()
            assert np.isfinite(values_of(unit.y)).all()
            assert np.isfinite(values_of(unit.d)).all()
            if "current" in sample.model.kernels:
                assert np.isfinite(unit.call("current", voltage_of(unit)))


def check_signs(sample: Sample) -> None:
    """Generator sign for machines and converters, load sign for loads and clusters; controllers meet their target."""
    model = sample.model
    role = model.role
    for unit in sample.units():
        if role in ("machine", "converter", "load", "cluster"):
            np.testing.assert_allclose([unit.y.p_pu, unit.y.q_pu], [unit.op.p_pu, unit.op.q_pu], atol=1e-9)
            into = unit.call("current")
            if model.admittance is not None:
                into -= model.admittance(unit.p, unit.z) * unit.op.v
            sign = 1.0 if role in ("machine", "converter") else -1.0
            assert abs(into - sign * unit.op.i) < 1e-9 * max(1.0, abs(unit.call("current")))
        below = {r: started(other, unit.op) for r, other in supports(role).items()}
        for name, value in asked(model, below).items():
            np.testing.assert_allclose(unit.y[name], value, rtol=1e-9)


def check_machine(sample: Sample) -> None:
    """A machine has the outputs that controllers read, and its current depends on states alone."""
    model = sample.model
    if model.role != "machine":
        return
    channels = {o.name: o.channel for o in model.outputs}
    for name, channel in MACHINE_OUTPUTS.items():
        assert channels.get(name) == channel, name
    assert not model.solves_with_network
    assert model.admittance is not None
    for unit in sample.units():
        assert abs(complex(unit.y.i_re, unit.y.i_im) - unit.op.i) < 1e-9
        np.testing.assert_allclose(unit.y.vt_pu, abs(unit.op.v))
        np.testing.assert_allclose(unit.y.pe_pu, unit.op.p_pu + unit.p.ra_pu * abs(unit.op.i) ** 2, atol=1e-9)
        np.testing.assert_allclose(unit.y.xad_ifd_pu, unit.y.efd_pu, rtol=1e-9)


def check_clamp(sample: Sample) -> None:
    """Clamping does nothing at rest, and twice is once."""
    if "clamp" not in sample.model.kernels:
        return
    for unit in sample.units():
        at_rest = bytes(unit.x)
        unit.call("clamp")
        assert bytes(unit.x) == at_rest
        for _ in shaken(unit, seed=3):
            for name in unit.x.dtype.names:
                unit.x[name] *= 100.0
            unit.call("clamp")
            once = bytes(unit.x)
            unit.call("clamp")
            assert bytes(unit.x) == once


def check_discrete(sample: Sample) -> None:
    """Guards are below zero at rest; `update` knows its action codes."""
    if not sample.model.guards:
        return
    for unit in sample.units():
        unit.call("guards")
        assert (values_of(unit.g) < 0.0).all()
        for name in sample.model.guards:
            unit.g[name] = 1.0
        assert unit.call("update") in {0, *sample.model.actions}


def check_linear(sample: Sample) -> None:
    """Where the model says that it is linear, its current beyond the admittance is zero at any voltage and state."""
    if sample.model.linear is None or not sample.model.linear(sample.filled()):
        return
    for unit in sample.units():
        for _ in shaken(unit):
            assert abs(unit.call("current", voltage_of(unit))) < 1e-12 * abs(unit.op.i)


def check_compiled(sample: Sample) -> None:
    """The compiled entry gives what plain Python gives."""
    pointers = [ctypes.c_int64] * 2 + [ctypes.c_void_p] * 11 + [ctypes.c_double]
    entry = ctypes.CFUNCTYPE(None, *pointers)(entry_address(sample.model))
    bus, action = np.zeros(1, dtype=np.int64), np.zeros(1)
    for unit in sample.units():
        for _ in shaken(unit, seed=4):
            unit.evaluate()
            expected = np.concatenate([values_of(unit.y), values_of(unit.d)])
            flat = {k: np.frombuffer(bytearray(bytes(unit.records[k])), dtype=float) for k in unit.records}
            flat["y"][:], flat["d"][:] = 0.0, 0.0
            v, w = np.array([voltage_of(unit)]), np.zeros(1, dtype=complex)
            arrays = [*(flat[k] for k in "pxzuydg"), bus, v, w, action]
            late = sample.model.role in LATE_ROLES
            for op in (OP_CURRENT, *((OP_OUTPUTS, OP_DERIVATIVES) if late else (OP_EVALUATE,))):
                entry(op, 1, *(a.ctypes.data for a in arrays), 0.0)
            np.testing.assert_allclose(np.concatenate([flat["y"], flat["d"]]), expected, rtol=1e-9, atol=1e-9)


CHECKS: tuple[Callable[[Sample], None], ...] = (
    check_tables,
    check_wiring,
    check_document,
    check_values,
    check_flat_start,
    check_everything_written,
    check_purity,
    check_finite,
    check_signs,
    check_machine,
    check_clamp,
    check_discrete,
    check_linear,
    check_compiled,
)


def samples(key: str) -> list[Sample]:
    """All samples of a model of the catalogue: at least one."""
    return [Sample(catalog.model(key), values) for values in SAMPLES.get(key, ({},))]
