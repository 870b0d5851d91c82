"""The three-bus system of the PSS/E time series, in plain Python: an infinite bus at 101, a machine at 102, loads.

The network is small enough to stand in one impedance matrix; kernels run as plain Python. It shows that a model's
equations are those of PSS/E without the engine in between.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.optimize import fsolve

from gridai.kernel.contract import Model, Start
from gridai.models.loads.zip import MODEL as ZIP

from .conformance import Sample, Unit, started

STEP_S = 0.005
TRIP_ROW = 200
DYR = {
    "GENROU": "td10_s td20_s tq10_s tq20_s h_s d_pu xd_pu xq_pu xd1_pu xq1_pu xd2_pu xl_pu s10 s12",
    "GENSAL": "td10_s td20_s tq20_s h_s d_pu xd_pu xq_pu xd1_pu xd2_pu xl_pu s10 s12",
}
"""Order of the parameters in a DYR record."""


def sections(raw: Path) -> list[list[list[str]]]:
    """The sections of a RAW file as lists of fields."""
    found: list[list[list[str]]] = [[]]
    for line in raw.read_text().splitlines()[3:]:
        text = line.strip()
        if text.startswith("0 /") or text == "Q":
            found.append([])
        elif text:
            found[-1].append([f.strip(" '") for f in text.split(",")])
    return found


def dyr_values(path: Path, model: str) -> dict[str, float]:
    """Parameters of the unit at bus 102."""
    for record in path.read_text().split("/"):
        f = record.replace("'", " ").split()
        if f[:2] == ["102", model]:
            return dict(zip(DYR[model].split(), map(float, f[3:]), strict=True))
    raise AssertionError(f"no {model} at 102 in {path}")


def plain(unit: Unit) -> Unit:
    """The unit with plain objects for records: several times faster in plain Python."""
    unit.records = {k: SimpleNamespace(**{n: float(r[n]) for n in r.dtype.names}) for k, r in unit.records.items()}
    return unit


class ThreeBus:
    """Network, infinite bus and units; `run` trips line 101-102 and returns the rotor angle and the voltages."""

    def __init__(
        self, raw: Path, machine: Model, values: dict[str, float], load: dict[str, float] | None = None
    ) -> None:
        _, loads, _, gens, branches = sections(raw)[:5]
        self.branches = [(int(b[0]) - 101, int(b[1]) - 101, 1 / complex(float(b[3]), float(b[4]))) for b in branches]
        demand = [(int(s[0]) - 101, complex(float(s[5]), float(s[6])) / 100) for s in loads]
        total = np.zeros(3, dtype=complex)
        for node, s in demand:
            total[node] += s
        v = self.flow(total, float(gens[1][2]) / 100, [float(g[6]) for g in gens])
        generated = v * np.conj(self.ybus(()) @ v) + total
        op = Start(complex(v[1]), float(generated[1].real), float(generated[1].imag))
        self.machine = plain(started(Sample(machine, values), op))
        starts = [(node, Start(complex(v[node]), s.real, s.imag)) for node, s in demand]
        self.loads: list[tuple[int, Unit]] = [(node, plain(started(Sample(ZIP, load or {}), s))) for node, s in starts]
        self.y_inf = 1 / 1e-5j
        self.i_inf = (v[0] + 1e-5j * np.conj(generated[0] / v[0])) * self.y_inf
        self.v0 = self.v = v
        self.names = [s.name for s in machine.states]
        self.iterations = 0

    def ybus(self, out: tuple[tuple[int, int], ...]) -> np.ndarray:
        """Branch admittances, less the branches out."""
        y = np.zeros((3, 3), dtype=complex)
        for i, k, a in self.branches:
            if (i, k) not in out:
                y[[i, k, i, k], [i, k, k, i]] += [a, a, -a, -a]
        return y

    def flow(self, load: np.ndarray, p: float, vm: list[float]) -> np.ndarray:
        """Bus voltages of the power flow: slack at 101, PV at 102."""
        y = self.ybus(())

        def volts(x: np.ndarray) -> np.ndarray:
            return np.array([vm[0], vm[1] * np.exp(1j * x[0]), x[1] * np.exp(1j * x[2])])

        def mismatch(x: np.ndarray) -> list[float]:
            s = volts(x) * np.conj(y @ volts(x)) + load
            return [s[1].real - p, s[2].real, s[2].imag]

        return volts(fsolve(mismatch, [0.0, 1.0, 0.0], xtol=1e-13))

    def impedance(self, out: tuple[tuple[int, int], ...] = ()) -> np.ndarray:
        """Inverse of the admittance matrix with all units in it."""
        y = self.ybus(out)
        y[0, 0] += self.y_inf
        y[1, 1] += self.machine.model.admittance(self.machine.p, self.machine.z)
        for node, unit in self.loads:
            y[node, node] += unit.model.admittance(unit.p, unit.z)
        return np.linalg.inv(y)

    def rates(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Derivatives of the machine's states; the network is solved by plain iteration."""
        m = self.machine
        vars(m.x).update(zip(self.names, map(float, x), strict=True))
        fixed = np.array([self.i_inf, m.call("current"), 0.0])
        for self.iterations in range(200):
            i = fixed.copy()
            for node, unit in self.loads:
                i[node] += unit.call("current", complex(self.v[node]))
            before, self.v = self.v, z @ i
            if abs(self.v - before).max() < 1e-12:
                break
        m.u.v_re, m.u.v_im = float(self.v[1].real), float(self.v[1].imag)
        m.evaluate()
        return np.array([getattr(m.d, n) for n in self.names])

    def run(self, rows: int, power_form: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Angle [degrees] at 102 and bus voltages, one row a step of Heun's method; the line opens after TRIP_ROW."""
        m, z = self.machine, self.impedance()
        x = np.array([getattr(m.x, n) for n in self.names])
        angle, volts = [], []
        speed = self.names.index("omega_pu")

        def f(x: np.ndarray) -> np.ndarray:
            d = self.rates(x, z)
            if power_form:
                d[speed] = (m.u.pm_pu - m.y.pe_pu) / (2 * m.p.h_s)
            return d

        for row in range(rows):
            if row == TRIP_ROW + 1:
                z = self.impedance(((0, 1),))
            elif row > TRIP_ROW + 1:
                k1 = f(x)
                x = x + STEP_S / 2 * (k1 + f(x + STEP_S * k1))
            f(x)
            angle.append(np.degrees(x[0]))
            volts.append(self.v)
        return np.array(angle), np.array(volts)
