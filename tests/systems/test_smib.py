"""One classical machine against an infinite bus: everything has an analytic answer (Kundur, examples 12.2 and 13.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gridai.case import load_case
from gridai.engine import BranchTrip, BusFault, compile_system, linearise, simulate

H_S, OMEGA0 = 3.5, 2 * np.pi * 60
XD1, XT, X1, X2 = 0.3, 0.15, 0.5, 0.93
PM, EB, E1 = 0.9, 0.90081, 1.1626
"""Example 13.1, pu on 2,220 MVA; E' is the book's."""
BOTH, ONE = XD1 + XT + X1 * X2 / (X1 + X2), XD1 + XT + X1


def damped(kd_pu: float) -> Any:
    """smib with damping KD on the machine."""
    case = load_case("smib")
    table = case.dynamics["gencls"].copy()
    table.loc[table["unit"] == "G1", "d_pu"] = kd_pu
    return compile_system(replace(case, dynamics={"gencls": table}))


def swing(result: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rotor angle against the infinite bus [rad] and slip [pu]."""
    delta = (result.gen.angle_rad["G1"] - result.gen.angle_rad["INF"]).to_numpy()
    return delta, result.gen.speed_pu["G1"].to_numpy() - 1.0


@pytest.mark.parametrize(("kd_pu", "book"), [(0.0, 6.39j), (10.0, -0.714 + 6.35j), (-10.0, 0.714 + 6.35j)])
def test_eigenvalue(kd_pu: float, book: complex) -> None:
    """+-j6.39 asked; reached +-j6.3862, and -0.7143 +-j6.3461 with KD = 10."""
    found = linearise(damped(kd_pu)).eigenvalues
    mode = found[found.imag > 1.0][0]
    assert mode.real == pytest.approx(book.real, abs=1e-3)
    assert mode.imag == pytest.approx(book.imag, abs=6e-3)  # the book's own rounding
    assert mode.imag / (2 * np.pi) == pytest.approx(np.sqrt(6.39**2 - (kd_pu / 14.0) ** 2) / (2 * np.pi), rel=2e-3)


def test_operating_point(compiled) -> None:
    """Example 13.1: Q 0.436, terminal 28.34 degrees, E' 1.1626 at 41.77 degrees."""
    system = compiled("smib_13_1")
    result = simulate(system, until_s=0.1)
    assert result.gen.q_mvar["G1"].iloc[0] / 2220 == pytest.approx(0.436, abs=5e-4)
    assert result.bus.va_degree["LT"].iloc[0] == pytest.approx(28.34, abs=0.01)
    assert np.degrees(result.gen.angle_rad["G1"].iloc[0]) == pytest.approx(41.77, abs=0.01)
    assert result.gen.efd_pu["G1"].iloc[0] == pytest.approx(E1, abs=1e-4)


def stable(system: Any, clearing_s: float, step_s: float = 1 / 240) -> bool:
    """Fault on circuit 2 at the HT bus, cleared by opening it; 5 s watched."""
    events = [BusFault("HT", 0.1, 0.1 + clearing_s), BranchTrip("CCT 2", 0.1 + clearing_s)]
    delta, _ = swing(simulate(system, events, 5.0, step_s=step_s, record=("gen",)))
    return bool(delta.max() < np.pi)


def test_critical_clearing_time(compiled) -> None:
    """0.0868 s within 0.5 % asked. Reached 0.086828 s at 1/240 s; equal area gives 0.086833 s."""
    low, high = 0.05, 0.15
    assert stable(compiled("smib_13_1"), low)
    assert not stable(compiled("smib_13_1"), high)
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if stable(compiled("smib_13_1"), middle) else (low, middle)
    assert low == pytest.approx(0.0868, rel=5e-3)
    assert low == pytest.approx(equal_area_s(), rel=2e-4)


def equal_area_s() -> float:
    """Critical clearing time by equal area, no power during the fault."""
    p_before, p_after = E1 * EB / BOTH, E1 * EB / ONE
    start, last = np.arcsin(PM / p_before), np.pi - np.arcsin(PM / p_after)
    critical = np.arccos(PM / p_after * (last - start) + np.cos(last))
    return float(np.sqrt(4 * H_S * (critical - start) / (OMEGA0 * PM)))


def energy(delta: np.ndarray, slip: np.ndarray, p_max: float) -> np.ndarray:
    """Constant of the undamped swing equation: H omega0 slip^2 - Pm delta - Pmax cos delta."""
    return H_S * OMEGA0 * slip**2 - PM * delta - p_max * np.cos(delta)


def test_swing_energy_is_conserved(compiled) -> None:
    """A swing of 39 degrees: over 10 s its energy grows by 5.2e-4 at 1/240 s, and 8 times less at half the step."""
    growth = []
    for n in (240, 480):
        result = simulate(compiled("smib_13_1"), [BusFault("HT", 0.1, 0.15)], 10.0, step_s=1 / n)
        delta, slip = swing(result)
        later = result.t_s > 0.16
        p_max = result.gen.efd_pu["G1"].iloc[0] * EB / BOTH
        e = energy(delta[later], slip[later], p_max)
        least = energy(np.array([delta[0]]), np.zeros(1), p_max)[0]
        growth.append((e[-1] - e[0]) / (e[0] - least))
    assert abs(growth[0]) < 1e-3
    assert growth[0] / growth[1] == pytest.approx(8.0, rel=0.1)  # reached 7.4


def test_reclosing_against_the_swing_equation(compiled) -> None:
    """Circuit 2 opens at 0.5 s and closes at 0.7 s: the textbook's swing equation in SciPy, at 1/3840 s."""
    system = compiled("smib_13_1")
    result = simulate(system, [BranchTrip("CCT 2", 0.5, reclose_s=0.7)], 3.0, step_s=1 / 3840)
    delta, slip = swing(result)
    e1 = result.gen.efd_pu["G1"].iloc[0]
    state, t0 = np.array([delta[0], 0.0]), 0.0
    for t1, x in ((0.5, BOTH), (0.7, ONE), (3.0, BOTH)):
        p_max = e1 * EB / x

        def rate(_: float, s: np.ndarray, p_max: float = p_max) -> np.ndarray:
            return np.array([OMEGA0 * s[1], (PM - p_max * np.sin(s[0])) / (2 * H_S)])

        found = solve_ivp(rate, (t0, t1), state, rtol=1e-11, atol=1e-13, method="DOP853")
        state, t0 = found.y[:, -1], t1
        k = np.searchsorted(result.t_s, t1 - 1e-9)
        assert delta[k] == pytest.approx(state[0], abs=5e-6)  # reached 1.7e-6: INF has 1e-6 pu of reactance
        assert slip[k] == pytest.approx(state[1], abs=5e-7)  # reached 4e-8
    assert [(e.kind, e.element) for e in result.events] == [("open", "CCT 2"), ("close", "CCT 2")]
    assert (result.t_s == 0.7).sum() == 2  # the instant before and the one after
