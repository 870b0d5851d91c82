"""Induction motors: torque against slip by the circuit, start, stall, trip and return, and the step that they allow."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_TRIP, Model, Start
from gridai.models.loads._motor import ACTION_PART_BACK, ACTION_PART_TRIP, at_slip, pull_out, steadied, torque_of
from gridai.models.loads.cim5bl import MODEL as CIM5BL
from gridai.models.loads.cim5bl import time_constants
from gridai.models.loads.motorw import MODEL as MOTORW

from .conformance import Sample, Unit, started, values_of

W = 2 * np.pi * 60
OP = Start(1.02 * np.exp(0.3j), 0.8, 0.3)
ONE_CAGE = {"ra_pu": 0.01, "xa_pu": 0.1, "xm_pu": 3.0, "r1_pu": 0.02, "x1_pu": 0.12, "h_s": 0.5}
TYPE_1 = {**ONE_CAGE, "r1_pu": 0.05, "x1_pu": 0.05, "r2_pu": 0.01, "x2_pu": 0.15}
TYPE_2 = {**ONE_CAGE, "it": 2.0, "r1_pu": 0.05, "x1_pu": 0.05, "r2_pu": 0.015, "x2_pu": 0.2}
MOTOR_A = {
    "etrq": 0.0, "h_s": 0.1, "rs_pu": 0.04, "lp_pu": 0.12, "lpp_pu": 0.104, "tpo_s": 0.095, "tppo_s": 0.0021,
    "vtr1_pu": 0.65, "ttr1_s": 0.5, "ftr1": 0.3, "vrc1_pu": 0.9, "trc1_s": 1.0,
}  # fmt: skip
STEP_S = 1 / 240


def impedance(p: SimpleNamespace, slip: float) -> complex:
    """The circuit of CIM5BL at a slip, drawn in its module."""
    cage1, cage2 = complex(p.r1_pu / slip, p.x1_pu), complex(p.r2_pu / slip, p.x2_pu)
    if p.r2_pu == 0.0:
        rotor = cage1
    elif p.it == 2.0:
        rotor = 1 / (1 / cage1 + 1 / cage2)
    else:
        rotor = 1j * p.x1_pu + 1 / (slip / p.r1_pu + 1 / cage2)
    return complex(p.ra_pu, p.xa_pu) + 1 / (1 / (1j * p.xm_pu) + 1 / rotor)


@pytest.mark.parametrize("values", [ONE_CAGE, TYPE_1, TYPE_2], ids=["one cage", "type 1", "type 2"])
@pytest.mark.parametrize("slip", [1e-3, 0.02, 0.3, 1.0])
def test_torque_against_slip_is_that_of_the_circuit(values: dict[str, float], slip: float) -> None:
    """Air-gap power over synchronous speed, |i|^2 (Re Z - ra), is the torque. Reached: 1e-15."""
    p = SimpleNamespace(**{"it": 1.0, "r2_pu": 0.0, "x2_pu": 0.0, **values})
    lpp, cages = time_constants(p, W)
    i, *e = at_slip(1.0, slip, p.ra_pu, lpp, tuple(cages), W)
    z = impedance(p, slip)
    np.testing.assert_allclose(1.0 / i, z, rtol=1e-12)
    np.testing.assert_allclose(sum(e) * i.conjugate(), abs(1 / z) ** 2 * (z - complex(p.ra_pu, lpp)), rtol=1e-12)


def test_one_cage_torque_is_the_textbook_formula() -> None:
    """Kundur 1994, equation 7.41: T = (Rr / s) Vth^2 / ((Rth + Rr / s)^2 + (Xth + Xr)^2)."""
    unit = started(Sample(CIM5BL, ONE_CAGE), Start(1.0 + 0.0j, 0.7, 0.3))
    slip = 1.0 - unit.x.omega_pu
    thevenin = 3.0j / complex(0.01, 3.1)
    z = thevenin * complex(0.01, 0.1)
    expected = 0.02 / slip * abs(thevenin) ** 2 / abs(z + complex(0.02 / slip, 0.12)) ** 2
    assert unit.y.te_pu == pytest.approx(expected, rel=1e-12)
    assert unit.p.t0_pu == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("model", "values"), [(CIM5BL, TYPE_1), (MOTORW, MOTOR_A)], ids=["CIM5BL", "MOTORW"])
def test_start_is_the_inverse_of_the_steady_state(model: Model, values: dict[str, float]) -> None:
    unit = started(Sample(model, values), OP)
    assert (unit.y.p_pu, unit.y.q_pu) == pytest.approx((0.8, 0.3), abs=1e-12)
    assert np.abs(values_of(unit.d)).max() < 1e-9


def settled(unit: Unit, v: complex, slip: float) -> float:
    """Torque after the rotor fluxes have settled at a fixed voltage and speed."""
    unit.set_voltage(v)
    unit.x.omega_pu = 1.0 - slip
    for _ in range(4000):
        unit.evaluate()
        for name in ("e1_re", "e1_im", "e2_re", "e2_im"):
            unit.x[name] += 2e-4 * unit.d[name]
    unit.evaluate()
    return float(unit.y.te_pu)


@pytest.mark.parametrize("slip", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("rate_max", [200.0, 1000.0])
def test_slowed_fluxes_settle_where_the_circuit_is(slip: float, rate_max: float) -> None:
    """rate_max changes how fast the flux settles, not where. Reached: 1e-13."""
    unit = started(Sample(MOTORW, {**MOTOR_A, "rate_max_per_s": rate_max}), OP)
    p = unit.p
    cages = ((p.ls_pu - p.lp_pu, p.tpo_s), (p.lp_pu - p.lpp_pu, p.tppo_s))
    expected = torque_of(*at_slip(0.6 + 0.0j, slip, p.rs_pu, p.lpp_pu, cages, p.omega_base))
    assert settled(unit, 0.6 + 0.0j, slip) == pytest.approx(expected, rel=1e-10)


def test_steadied_keeps_what_is_slow_and_bounds_what_is_fast() -> None:
    assert steadied(150.0, 100.0, 200.0) == 1.0
    assert steadied(1e4, 1e4, 0.0) == 1.0
    for decay, turn in ((160.0, 377.0), (550.0, 0.0), (20.0, 377.0)):
        slowed = steadied(decay, turn, 200.0) * complex(-decay, -turn)
        assert abs(slowed) == pytest.approx(200.0)
        assert slowed.real < 0.0


@pytest.mark.parametrize("zext", [0.0, 0.05j, 0.5j])
@pytest.mark.parametrize("slip", np.linspace(0.0, 1.0, 11))
def test_quarter_cycle_steps_of_a_stalled_motor_are_stable(slip: float, zext: complex) -> None:
    """Heun's amplification of the two cages behind a network, at 1/240 s, from running to standstill. Worst: 0.93."""
    unit = started(Sample(MOTORW, {}), OP)
    unit.x.omega_pu = 1.0 - slip
    names, columns = ("e1_re", "e1_im", "e2_re", "e2_im"), []
    z = complex(unit.p.rs_pu, unit.p.lpp_pu)
    for name in names:
        for n in names:
            unit.x[n] = float(n == name)
        e = complex(unit.x.e1_re + unit.x.e2_re, unit.x.e1_im + unit.x.e2_im)
        unit.set_voltage(e * zext / (z + zext))
        unit.evaluate()
        columns.append([float(unit.d[n]) for n in names])
    step = np.linalg.eigvals(np.array(columns).T) / 240
    assert np.abs(1 + step + step**2 / 2).max() < 1.0


def test_motor_follows_the_full_equations_of_the_source() -> None:
    """WECC's E'q, E'd, E''q, E''d against e1, e2 through a dip to 0.7 pu, no flux slowed. Reached: 2e-9 of speed."""
    unit = started(Sample(MOTORW, {**MOTOR_A, "rate_max_per_s": 0.0, "ftr1": 0.0}), OP)
    p, w = unit.p, unit.p.omega_base
    v, names = 0.7 * np.exp(0.3j), unit.x.dtype.names

    def ours(t: float, x: np.ndarray) -> np.ndarray:
        for name, value in zip(names, x, strict=True):
            unit.x[name] = value
        unit.set_voltage(v)
        unit.evaluate()
        return values_of(unit.d)

    def source(t: float, x: np.ndarray) -> np.ndarray:
        e1, e2, slip = complex(x[0], x[1]), complex(x[2], x[3]), 1.0 - x[4]
        i = (v - e2) / complex(p.rs_pu, p.lpp_pu)
        d1 = -1j * w * slip * e1 - (e1 - 1j * (p.ls_pu - p.lp_pu) * i) / p.tpo_s
        own = (p.tpo_s - p.tppo_s) / (p.tpo_s * p.tppo_s) * e1 - e2 / p.tppo_s - 1j * w * slip * e2
        cross = (p.tppo_s * (p.ls_pu - p.lp_pu) + p.tpo_s * (p.lp_pu - p.lpp_pu)) / (p.tpo_s * p.tppo_s)
        d2 = own + 1j * cross * i
        te = (e2 * i.conjugate()).real
        return np.array([d1.real, d1.imag, d2.real, d2.imag, (te - p.t0_pu) / (2 * p.h_s)])

    x0 = values_of(unit.x)
    y0 = x0 + np.array([0.0, 0.0, x0[0], x0[1], 0.0])
    options = {"rtol": 1e-10, "atol": 1e-12}
    a = solve_ivp(ours, (0.0, 0.5), x0, **options).y[:, -1]
    b = solve_ivp(source, (0.0, 0.5), y0, **options).y[:, -1]
    np.testing.assert_allclose(a[4], b[4], atol=1e-7)
    np.testing.assert_allclose(a[:2] + a[2:4], b[2:4], atol=1e-7)


def test_pull_out_torque_grows_with_the_square_of_voltage() -> None:
    cages = ((1.61, 0.2), (0.05, 0.0026))
    slip1, torque1 = pull_out(1.0, 0.03, 0.14, cages, W)
    slip2, torque2 = pull_out(0.5, 0.03, 0.14, cages, W)
    assert slip1 == slip2
    assert torque2 == pytest.approx(0.25 * torque1, rel=1e-12)


def test_load_that_no_motor_can_carry_is_refused() -> None:
    with pytest.raises(InitialisationError, match=r"MOTORW: a motor loaded to 2 pu .* cannot run at 0\.5 pu"):
        started(Sample(MOTORW, {"lfm": 2.0}), Start(0.5 + 0.0j, 0.8, 0.3))
    with pytest.raises(InitialisationError, match="CIM5BL: the load takes 0 MW"):
        started(Sample(CIM5BL, ONE_CAGE), Start(1.0 + 0.0j, 0.0, 0.0))
    with pytest.raises(InitialisationError, match=r"below vi_pu = 1\.1"):
        started(Sample(CIM5BL, {**ONE_CAGE, "vi_pu": 1.1}), OP)


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [
        (MOTORW, {"lp_pu": 2.0}, "lp_pu"),
        (MOTORW, {"tppo_s": 0.5}, "tppo_s"),
        (MOTORW, {"ftr1": 0.7, "ftr2": 0.7}, "ftr2"),
        (CIM5BL, {**ONE_CAGE, "it": 3.0}, "it"),
        (CIM5BL, {**ONE_CAGE, "se2": 0.3}, "se2"),
        (CIM5BL, {**ONE_CAGE, "pmult": 0.0}, "pmult"),
    ],
)
def test_bad_data_is_named(model: Model, values: dict[str, float], name: str) -> None:
    assert model.check is not None
    assert name in [n for n, _ in model.check(Sample(model, values).filled())]


def actions(unit: Unit, voltage, until_s: float) -> list[tuple[float, int]]:
    """Times and codes of what the unit asks for, at fixed states, guards on a grid of 1 ms."""
    old, found = np.full(len(unit.model.guards), -1.0), []
    for k in range(round(until_s / 1e-3) + 1):
        t = k * 1e-3
        unit.set_voltage(voltage(t))
        for _ in range(10):
            unit.evaluate()
            unit.call("guards", t=t)
            new = values_of(unit.g)
            fired = (new >= 0.0) & (old < 0.0)
            old = new
            if not fired.any():
                break
            for name, f in zip(unit.model.guards, fired, strict=True):
                unit.g[name] = float(f)
            code = unit.call("update", t=t)
            if code:
                found.append((round(t, 3), int(code)))
    return found


def test_part_trips_and_comes_back() -> None:
    """Below 0.65 pu for 0.5 s 30 % trip; above 0.9 pu for 1 s they are back; what stays draws 70 %."""
    unit = started(Sample(MOTORW, MOTOR_A), OP)
    y_full = unit.model.admittance(unit.p, unit.z)
    seen = actions(unit, lambda t: complex(0.5 if 0.1 <= t < 0.8 else 0.8 if t < 1.0 else 0.95), 1.5)
    assert seen == [(pytest.approx(0.6, abs=2e-3), ACTION_PART_TRIP)]
    assert unit.model.admittance(unit.p, unit.z) == pytest.approx(0.7 * y_full)
    assert unit.y.part == 0.7
    unit = started(Sample(MOTORW, MOTOR_A), OP)
    seen = actions(unit, lambda t: complex(0.5 if 0.1 <= t < 0.8 else 0.8 if t < 1.0 else 0.95), 2.5)
    assert seen[1:] == [(pytest.approx(2.0, abs=2e-3), ACTION_PART_BACK)]
    assert unit.y.part == 1.0


def test_dip_shorter_than_the_timer_trips_nothing() -> None:
    unit = started(Sample(MOTORW, MOTOR_A), OP)
    assert actions(unit, lambda t: complex(0.5 if 0.1 <= t < 0.55 else 1.0), 2.0) == []


def test_undervoltage_relay_of_cim5bl_counts_cycles() -> None:
    """20 cycles and 5 of the breaker at 60 Hz: 0.4167 s after the dip."""
    unit = started(Sample(CIM5BL, {**ONE_CAGE, "vi_pu": 0.7, "ti_cycles": 20.0, "tb_cycles": 5.0}), OP)
    seen = actions(unit, lambda t: complex(0.5 if t >= 0.1 else 1.0), 1.0)
    assert seen == [(pytest.approx(0.1 + 25 / 60, abs=3e-3), ACTION_TRIP)]
