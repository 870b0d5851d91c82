"""The oracle: SciPy's variable-step solvers on the engine's right-hand side, restarted at every discontinuity.

DOP853 at a relative tolerance of 1e-12 in steps of 1 ms at most and Radau at 1e-9 agree on the bolted fault of ieee39
to 2.7e-10 pu of speed and 7.9e-9 pu of voltage. With longer steps DOP853 is there off by 6e-7 pu of voltage, at 1e-9 by
1.5e-6: it oversteps where a limited exciter leaves its ceiling. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from gridai.engine import Run

BEFORE, INSIDE, AFTER = -1, 0, 1
JUST_AFTER_S = 1e-12
"""The right-hand side takes a played signal just before a jump; a segment starts just after one."""


class Oracle:
    """Integrates piece by piece; `change` does between two pieces what an event does.

    system   compiled case.    run   with playbacks, else a plain one.
    grid_hz  rows are kept at whole multiples of 1 / grid_hz, and at both ends of each piece.
    """

    def __init__(self, system: Any, run: Run | None = None, grid_hz: int = 240, method: str = "DOP853") -> None:
        self.system, self.run, self.grid_hz, self.method = system, run or Run(system), grid_hz, method
        self.t, self.x = 0.0, system.x0.copy()
        self.rows: list[tuple[float, int, np.ndarray, np.ndarray]] = []

    def to(self, until_s: float, stop: Callable[[Run], float] | None = None) -> Oracle:
        """Integrate to until_s, or to where `stop` (of the run's signals) rises through zero."""
        start, f = self.t, self.run.rhs()

        def rate(t: float, x: np.ndarray) -> np.ndarray:
            return f(max(t, start + JUST_AFTER_S), x)

        def crossing(t: float, x: np.ndarray) -> float:
            rate(t, x)
            return stop(self.run) if stop else -1.0

        crossing.terminal, crossing.direction = True, 1.0  # type: ignore[attr-defined]
        rtol, atol = (1e-12, 1e-13) if self.method == "DOP853" else (1e-9, 1e-10)
        longest = 1e-3 if self.method == "DOP853" else 0.05
        found = solve_ivp(
            rate,
            (start, until_s),
            self.x,
            method=self.method,
            rtol=rtol,
            atol=atol,
            dense_output=True,
            max_step=longest,
            events=crossing if stop else None,
        )
        assert found.success, found.message
        end = float(found.t[-1])
        first, last = np.floor(start * self.grid_hz + 1e-6) + 1, np.ceil(end * self.grid_hz - 1e-6)
        inside = np.arange(first, last) / self.grid_hz
        for t, side in [(start, AFTER), *((t, INSIDE) for t in inside), (end, BEFORE)]:
            x = found.sol(t) if side == INSIDE else (self.x if side == AFTER else found.y[:, -1])
            rate(t, x)
            self.rows.append((float(t), side, x.copy(), np.abs(self.run.work.v)))
        self.t, self.x = end, found.y[:, -1].copy()
        return self

    def change(self, act: Callable[[Run], None]) -> Oracle:
        """Do something to the run: a fault, a switch, a trip."""
        act(self.run)
        self.run.factorise()
        return self

    def fault(self, bus: str, z: complex) -> Oracle:
        """A shunt of impedance z [pu]."""
        node = self.system.node(bus)
        return self.change(lambda run: run.fault_y.update(fault=(node, 1.0 / z)))

    def clear(self) -> Oracle:
        """Take the shunt away."""
        return self.change(lambda run: run.fault_y.clear())

    @property
    def speed_columns(self) -> dict[str, int]:
        """Unit to the place of its speed in x."""
        names = enumerate(self.system.state_names)
        return {name.split(".")[0]: k for k, name in names if name.endswith(".omega_pu")}


def errors(result: Any, oracle: Oracle) -> tuple[np.ndarray, np.ndarray]:
    """Absolute errors of a result in speed (nt, units) and voltage (nt, nodes) at the rows that both have. [pu]

    Tripped units are left out: their speed is no longer followed.
    """
    columns = {name: k for name, k in oracle.speed_columns.items() if name not in result.meta["units_off"]}
    speed = result.gen.speed_pu[list(columns)].to_numpy()
    v = result.bus.vm_pu[list(oracle.system.network.nodes)].to_numpy()
    e_speed, e_v = [], []
    for t, side, x, vm in oracle.rows:
        near = np.flatnonzero(np.abs(result.t_s - t) < 1e-8)
        if not near.size or (side == INSIDE and near.size > 1):
            continue
        k = near[-1] if side == AFTER else near[0]
        e_speed.append(np.abs(speed[k] - x[list(columns.values())]))
        e_v.append(np.abs(v[k] - vm))
    return np.array(e_speed), np.array(e_v)


def largest(result: Any, oracle: Oracle) -> np.ndarray:
    """Largest error in speed and in voltage. [pu] float[2]"""
    speed, v = errors(result, oracle)
    return np.array([speed.max(), v.max()])


def orders(run: Callable[[float], Any], oracle: Oracle, steps_per_s: tuple[int, ...]) -> np.ndarray:
    """Observed order in speed and in voltage: slope of log(error) against log(step) by least squares. float[2]"""
    found = np.array([largest(run(1 / n), oracle) for n in steps_per_s])
    return np.array([-np.polyfit(np.log(steps_per_s), np.log(found[:, k]), 1)[0] for k in range(2)])
