"""REGFM_A1 in the engine: it holds an island by its droops, keeps its current and power limits, and lets go again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.engine import BranchTrip, BusFault, LoadStep, compile_system, linearise, simulate
from gridai.errors import InitialisationError

from .renewable_case import Z_PU, at, case, channel

CUT = (BranchTrip("A-C", 1.0), BranchTrip("A-B", 1.0))
"""What leaves B and C alone."""


def system_with(h_s: float = 6.0, **values: Any) -> Any:
    """The system with this inverter at C."""
    return compile_system(case({"regfm_a1": values}, h_s=h_s))


def current(result: Any) -> np.ndarray:
    """Size of the inverter's current."""
    s = channel(result, "p_mw") + 1j * channel(result, "q_mvar")
    v = result.bus.vm_pu["C"].to_numpy()
    return np.abs(s) / v


@pytest.mark.parametrize("qv_flag", [0.0, 1.0])
def test_island_runs_on_its_droops(qv_flag: float) -> None:
    result = simulate(system_with(mp=0.02, mq=0.05, qv_flag=qv_flag), CUT, until_s=15.0)
    p, q, v = channel(result, "p_mw"), channel(result, "q_mvar"), result.bus.vm_pu["C"].to_numpy()
    assert p[-1] > p[0] + 0.1
    np.testing.assert_allclose(channel(result, "speed_pu")[-1], 1.0 - 0.02 * (p[-1] - p[0]), atol=1e-9)
    np.testing.assert_allclose(v[-1], v[0] - 0.05 * (q[-1] - q[0]), atol=1e-7)


def test_without_voltage_control_the_command_is_the_internal_voltage() -> None:
    result = simulate(system_with(v_flag=0.0, mq=0.1), CUT, until_s=5.0)
    e, q = channel(result, "e_pu"), channel(result, "q_mvar")
    np.testing.assert_allclose(e[-1], e[0] - 0.1 * (q[-1] - q[0]), atol=1e-8)


def test_a_grid_following_converter_cannot_hold_the_island() -> None:
    following = compile_system(case({"regca1": {}, "reecb1": {}}))
    texts = [e.text for e in simulate(following, CUT, until_s=1.5).events]
    assert sum("no source" in text for text in texts) == 2
    texts = [e.text for e in simulate(system_with(), CUT, until_s=1.5).events]
    assert not any("no source" in text for text in texts)


def test_a_tripped_inverter_leaves_a_dead_island() -> None:
    from gridai.engine import GeneratorTrip

    result = simulate(system_with(), [*CUT, GeneratorTrip("pv", at_s=1.2)], until_s=1.5)
    assert result.bus.vm_pu["B"].iloc[-1] == 0.0


def test_current_limit_in_a_fault_and_back() -> None:
    result = simulate(system_with(imax_pu=1.2), [BusFault("C", 1.0, 1.1, x_pu=0.05)], until_s=8.0)
    size, t = current(result), result.t_s
    fault = (t > 1.0) & (t < 1.1)
    np.testing.assert_allclose(size[fault], 1.2, rtol=1e-6)
    assert (channel(result, "limited")[fault] == 1.0).all()
    assert channel(result, "limited")[-1] == 0.0
    np.testing.assert_allclose(at(result, "p_mw", 8.0), at(result, "p_mw", 0.0), atol=1e-4)
    free = simulate(system_with(imax_pu=0.0), [BusFault("C", 1.0, 1.1, x_pu=0.05)], until_s=1.2)
    assert current(free).max() > 2.5


def test_power_limit_and_back() -> None:
    """More load than pmax leaves to the inverter: the limiter brings it to pmax, and lets go when the load leaves."""
    events = [LoadStep("load", 40.0, at_s=1.0), LoadStep("load", -40.0, at_s=40.0)]
    result = simulate(system_with(pmax_pu=0.5, mp=0.02), events, until_s=80.0)
    p = channel(result, "p_mw")
    assert p.max() > 0.5
    np.testing.assert_allclose(at(result, "p_mw", 39.9), 0.5, atol=2e-4)
    np.testing.assert_allclose(at(result, "p_mw", 80.0), p[0], atol=0.02)


def test_second_order_through_a_fault_with_the_limit() -> None:
    """Halving the step divides the error by four."""
    values = []
    for step in (1 / 240, 1 / 480, 1 / 960):
        events = [BusFault("C", 1.0, 1.1, x_pu=0.05)]
        values.append(at(simulate(system_with(imax_pu=1.2), events, until_s=1.3, step_s=step), "p_mw", 1.3))
    ratio = abs(values[0] - values[1]) / abs(values[1] - values[2])
    assert 3.0 < ratio < 6.0


def test_linearisation_leaves_resting_limiters_alone() -> None:
    modes = linearise(system_with())
    assert np.abs(modes.eigenvalues).max() < 100.0
    assert modes.eigenvalues.real.max() < 1e-6


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pmax_pu": 0.3}, "pmax_pu"),
        ({"qmax_pu": 0.05}, "qmax_pu"),
        ({"emax_pu": 1.0}, "emax_pu"),
        ({"imax_pu": 0.3}, "imax_pu"),
    ],
)
def test_start_outside_a_limit_is_refused_by_name(values: dict, words: str) -> None:
    with pytest.raises(InitialisationError, match=words):
        system_with(**values)


@pytest.mark.parametrize("mp", [0.01, 0.05])
def test_modes_against_an_infinite_bus_are_those_of_its_droop(mp: float) -> None:
    """E constant, A infinite: s (1 + s TPf) + omega_base mp K = 0 with K = dP/d delta of the network by hand."""
    c = case({"regfm_a1": {"v_flag": 0.0, "mq": 0.0, "mp": mp, "pmin_pu": -1.0}}, h_s=0.0)
    point, y = c.solve(), 1.0 / Z_PU
    a, b, pv = (point.network.node_of_bus[name] for name in "ABC")
    s = complex(*(np.array([point.network.units.p_mw, point.network.units.q_mvar])[:, 1] / 100.0))
    source = 1.0 / (0.2j * 100.0 / 500.0)
    at_c = 1.0 / 0.15j
    grid = np.full((3, 3), -y, dtype=complex) + np.diag([3.0 * y, 3.0 * y, 3.0 * y])
    v = point.v[[a, b, pv]]
    grid[1, 1] += (0.6 - 0.1j) / abs(v[1]) ** 2
    norton_a = (grid @ v)[0] + source * v[0]
    whole = grid + np.diag([source, 0.0, at_c])
    e = v[2] + (s / v[2]).conjugate() / at_c

    def power(angle: float) -> float:
        inner = e * np.exp(1j * angle)
        vc = np.linalg.solve(whole, [norton_a, 0.0, at_c * inner])[2]
        return float((vc * (at_c * (inner - vc)).conjugate()).real)

    k = (power(1e-6) - power(-1e-6)) / 2e-6
    assert power(0.0) == pytest.approx(0.4, abs=1e-9)
    wanted = np.roots([0.02, 1.0, 2.0 * np.pi * 60.0 * mp * k])
    found = np.asarray(linearise(compile_system(c)).eigenvalues)
    for root in wanted:
        assert np.abs(found - root).min() < 1e-4 * abs(root)
