"""GAST against PSS/E: three of its units in the four-bus system MultiGen, line 101-103 opening at 1 s.

The system has converters on the same bus, so the recorded bus voltage is played in: each unit (GENROU, SEXS, GAST)
runs alone behind it, kernels in plain Python, and its power is compared. The disturbance is small: the frequency
settles 1e-5 below nominal, so with a droop of 0.33 the governors raise the power by 3e-5 of the machines' base,
1.7e-4 of their power; the file prints six digits of it. A larger swing of GAST stands in `psse_samples.toml`.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import LoadStep, compile_system, simulate
from gridai.kernel.contract import Start, argument_names
from gridai.models import catalog
from gridai.models.exciters import sexs
from gridai.models.governors import gast
from gridai.models.machines import genrou

from . import test_playback_psse as psse

STEP_S = 0.005
ORDER = {"GENROU": genrou.DYR, "SEXS": sexs.DYR, "GAST": gast.DYR}


class Device:
    """One unit of a model on plain records; `call` runs a kernel."""

    def __init__(self, name: str, values: dict[str, float], v: complex) -> None:
        self.model = catalog.model(name)
        params = {q.name: q.default for q in self.model.params} | values
        self.p = SimpleNamespace(**params, mva=100.0, s_base_mva=100.0, omega_base=2 * np.pi * 60)
        self.x = SimpleNamespace(**{s.name: 0.0 for s in self.model.states})
        self.d = SimpleNamespace(**{s.name: 0.0 for s in self.model.states})
        self.u = SimpleNamespace(**{i.name: i.default or 0.0 for i in self.model.inputs})
        self.y = SimpleNamespace(**{o.name: 0.0 for o in self.model.outputs})
        self.z = SimpleNamespace(on=1.0)
        self.voltage(v)

    def voltage(self, v: complex) -> None:
        """Put the bus voltage in."""
        if hasattr(self.u, "v_re"):
            self.u.v_re, self.u.v_im = v.real, v.imag

    def start(self, op: Start) -> None:
        """Initialise."""
        self.model.initialise(self.p, self.x, self.z, self.u, self.y, op)

    def call(self, name: str) -> None:
        """Run a kernel if the model has it."""
        kernel = self.model.kernels.get(name)
        if kernel is not None:
            kernel(*[getattr(self, a) for a in argument_names(kernel)])


class Plant:
    """Machine, exciter and, if wanted, governor behind a bus voltage that is played in."""

    def __init__(self, values: dict[str, dict[str, float]], op: Start, governor: bool) -> None:
        self.machine = Device("genrou", values["GENROU"], op.v)
        self.machine.start(op)
        self.exciter = Device("sexs", values["SEXS"], op.v)
        self.exciter.y.efd_pu = self.machine.u.efd_pu
        self.exciter.start(op)
        self.devices = [self.machine, self.exciter]
        if governor:
            self.governor = Device("gast", values["GAST"], op.v)
            self.governor.u.omega_pu, self.governor.y.pm_pu = 1.0, self.machine.u.pm_pu
            self.governor.start(op)
            self.devices.append(self.governor)

    def rates(self, v: complex) -> list[np.ndarray]:
        """Derivatives of all devices at a bus voltage."""
        for device in self.devices:
            device.voltage(v)
        self.machine.call("current")
        self.machine.call("outputs")
        for device in self.devices[1:]:
            if hasattr(device.u, "omega_pu"):
                device.u.omega_pu = self.machine.y.omega_pu
            device.call("outputs")
            device.call("derivatives")
        self.machine.u.efd_pu = self.exciter.y.efd_pu
        if len(self.devices) == 3:
            self.machine.u.pm_pu = self.governor.y.pm_pu
        self.machine.call("derivatives")
        return [np.array(list(vars(device.d).values())) for device in self.devices]

    def put(self, states: list[np.ndarray]) -> None:
        """Set all states."""
        for device, values in zip(self.devices, states, strict=True):
            vars(device.x).update(zip(vars(device.x), values.tolist(), strict=True))

    def run(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Power [pu] and speed deviation for rows of voltage, Heun's method, one row a step."""
        power, slip = np.empty(len(v)), np.empty(len(v))
        for row in range(len(v)):
            first = self.rates(v[row])
            power[row], slip[row] = self.machine.y.p_pu, self.machine.y.omega_pu - 1.0
            if row + 1 < len(v):
                now = [np.array(list(vars(device.x).values())) for device in self.devices]
                self.put([a + STEP_S * b for a, b in zip(now, first, strict=True)])
                second = self.rates(v[row + 1])
                self.put([a + STEP_S / 2 * (b + c) for a, b, c in zip(now, first, second, strict=True)])
        return power, slip


def constants(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Constants at bus 102 by unit and model."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for record in (folder / "FourBus_multigen.dyr").read_text().split("/"):
        f = record.replace("'", " ").split()
        if len(f) > 3 and f[0] == "102" and f[1] in ORDER:
            values = dict(zip(ORDER[f[1]], map(float, f[3:]), strict=True))
            found.setdefault(f[2], {})[f[1]] = values
    return found


def recorded(folder: Path) -> dict[str, np.ndarray]:
    """Columns by name, from the row after the trip; the first entry is the row before everything."""
    with gzip.open(folder / "line_trip_results.csv.gz", "rt") as f:
        lines = [line.split(",") for line in f]
    table = np.array([[float(c) for c in line] for line in lines[2:]])
    after = int(np.flatnonzero(table[:, 0] > 0.9999)[0]) + 1
    keep = np.r_[0, after : len(table)]
    return {name.strip(): table[keep, k] for k, name in enumerate(lines[1])}


@pytest.mark.parametrize(("name", "mva", "limit"), [("EG", 2292.0, 2e-4), ("RG", 5451.0, 4e-4), ("SG", 4110.0, 3e-4)])
def test_power_behind_the_recorded_voltage(reference_dir: Path, name: str, mva: float, limit: float) -> None:
    """Power [pu of 100 MVA] from 1 s after the trip: reached 1.3e-4, 3.2e-4, 2.5e-4; without GAST 14 times as much."""
    folder = reference_dir / "psse/MultiGen"
    column, tag = recorded(folder), f"102[BUS 2 LV 20.000]{name}"
    v = column["VOLT 102 [BUS 2 LV 20.000]"] * np.exp(1j * np.radians(column["ANGL 102 [BUS 2 LV 20.000]"]))
    power, speed = column[f"POWR {tag}"], column[f"SPD {tag}"]
    op = Start(complex(v[0]), power[0] * 100 / mva, column[f"VARS {tag}"][0] * 100 / mva)
    errors = []
    for governor in (True, False):
        ours, slip = Plant(constants(folder)[name], op, governor).run(v[1:])
        assert abs(slip - speed[1:])[200:].max() < 3e-7
        errors.append(abs(ours * mva / 100 - power[1:])[200:].max())
    assert errors[0] < limit
    assert errors[1] > 10 * errors[0]


def case_with_gast(folder: Path) -> Case:
    """ThreeBus_GENROU_SEXS: two GENROU, SEXS and GAST at 101; constant-impedance loads."""
    rows: dict[str, list[dict[str, object]]] = {}
    for unit, model, values in psse.records(folder / "ThreeBus_GENROU_SEXS.dyr"):
        rows.setdefault(model.lower(), []).append({"unit": unit, **dict(zip(ORDER[model], values, strict=True))})
    rows["zip"] = [{"unit": "*", "pz": 1.0, "pi": 0.0, "pp": 0.0, "qz": 1.0, "qi": 0.0, "qp": 0.0}]
    tables = {model: pd.DataFrame(table) for model, table in rows.items()}
    return Case.from_pandapower(psse.network(folder / "ThreeBusMulti_LessLoad.raw"), dynamics=tables, name="three_bus")


def test_gast_in_the_engine(reference_dir: Path) -> None:
    """At rest for 5 s, then 3 MW more load: it ends on the droop (within 3e-10 pu). No series was printed for it."""
    system = compile_system(case_with_gast(reference_dir / "psse/GENROU"))
    result = simulate(system, [LoadStep("load 103", p_mw=3.0, at_s=5.0)], until_s=60.0, step_s=STEP_S)
    speed, power = result.gen.speed_pu["101"].to_numpy(), result.gen.pm_mw["101"].to_numpy() / 100.0
    assert abs(speed[:1000] - 1.0).max() < 1e-9
    assert power[-1] - power[0] == pytest.approx((1.0 - speed[-1]) / 0.05, abs=1e-6)
