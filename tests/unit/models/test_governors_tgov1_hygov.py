"""TGOV1 and HYGOV: against their transfer functions, into the limits and back, starts and refusals."""

import numpy as np
import pytest
from controller_bench import Bench
from scipy import signal

from gridai.errors import InitialisationError
from gridai.models.governors.hygov import MODEL as HYGOV
from gridai.models.governors.tgov1 import MODEL as TGOV1

OMEGA = np.logspace(-3, 2, 26)
S = 1j * OMEGA
TGOV1_DATA = {"r_pu": 0.05, "t1_s": 0.2, "vmax_pu": 1.2, "vmin_pu": 0.1, "t2_s": 2.1, "t3_s": 7.0, "dt_pu": 0.4}
HYGOV_DATA = {
    "r_perm_pu": 0.05, "r_temp_pu": 0.4, "tr_s": 8.0, "tf_s": 0.05, "tg_s": 0.5, "velm_pu_per_s": 0.2,
    "gmax_pu": 1.0, "gmin_pu": 0.0, "tw_s": 1.3, "at": 1.2, "dturb_pu": 0.5, "qnl_pu": 0.08,
}  # fmt: skip


def at_rest(unit):
    return max(abs(rate) for rate in unit.rates().values())


def test_tgov1_transfer_function():
    unit = Bench(TGOV1, **TGOV1_DATA).start(target={"pm_pu": 0.8}, omega_pu=1.0)
    assert at_rest(unit) < 1e-12
    turbine = (1 + 2.1 * S) / ((1 + 0.2 * S) * (1 + 7.0 * S))
    np.testing.assert_allclose(unit.response("omega_pu", "pm_pu", OMEGA), -turbine / 0.05 - 0.4, rtol=1e-7)
    np.testing.assert_allclose(unit.response("dp_ref_pu", "pm_pu", OMEGA), turbine, rtol=1e-7)


def test_tgov1_step_response():
    unit = Bench(TGOV1, **TGOV1_DATA).start(target={"pm_pu": 0.8}, omega_pu=1.0)
    t, pm = unit.play(lambda t: {"omega_pu": 0.998}, 20.0, "pm_pu", step_s=0.005)
    _, step = signal.step(signal.TransferFunction([2.1, 1.0], np.polymul([0.2, 1.0], [7.0, 1.0])), T=t)
    np.testing.assert_allclose(pm, 0.8 + 0.002 * (step / 0.05 + 0.4), atol=1e-8)


def test_tgov1_into_both_limits_and_back():
    unit = Bench(TGOV1, **TGOV1_DATA).start(target={"pm_pu": 0.8}, omega_pu=1.0)

    def speed(t):
        return {"omega_pu": 0.95 if t < 5.0 else 1.05 if t < 10.0 else 1.0}

    _, valve = unit.play(speed, 15.0, "valve_pu", step_s=0.005)
    assert valve.max() == 1.2
    assert valve.min() == 0.1
    assert valve[999] == 1.2
    assert valve[1003] < 1.15  # off the limit at once: no windup
    assert valve[-1] == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize(("pm", "name"), [(1.25, "above vmax_pu = 1.2"), (0.05, "below vmin_pu = 0.1")])
def test_tgov1_refuses_a_start_outside_its_limits(pm, name):
    with pytest.raises(InitialisationError, match=f"TGOV1: valve position.*{pm}, {name}.*dispatch"):
        Bench(TGOV1, **TGOV1_DATA).start(target={"pm_pu": pm}, omega_pu=1.0)


def test_tgov1_refuses_crossed_limits():
    assert TGOV1.check(TGOV1_DATA) == []
    assert TGOV1.check(TGOV1_DATA | {"vmin_pu": 1.2})[0][0] == "vmin_pu"


@pytest.mark.parametrize("pm", [0.3, 0.75, 1.0])
def test_hygov_transfer_function(pm):
    """Linearised at gate g = flow: d(pm) = At (2 (q - g) (g0 - qNL) / g0 + q), Tw g0 / 2 dq/dt = g - q."""
    unit = Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": pm}, omega_pu=1.0)
    assert at_rest(unit) < 1e-12
    g0 = pm / 1.2 + 0.08
    governor = (1 + 8.0 * S) / (0.4 * 8.0 * S) / (1 + 0.05 * S)
    gate = governor / (1 + 0.05 * governor) / (1 + 0.5 * S)
    flow = 1 / (1 + 0.5 * 1.3 * g0 * S)
    turbine = 1.2 * (2 * (flow - 1) * (g0 - 0.08) / g0 + flow)
    expected = -gate * turbine - 0.5 * g0
    np.testing.assert_allclose(unit.response("omega_pu", "pm_pu", OMEGA), expected, rtol=1e-5)
    np.testing.assert_allclose(unit.response("omega_pu", "gate_pu", OMEGA), -gate, rtol=1e-7)


def test_hygov_setpoint_moves_power_by_as_much():
    unit = Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": 0.7}, omega_pu=1.0)
    _, pm = unit.play(lambda t: {"dp_ref_pu": 0.1}, 600.0, "pm_pu", step_s=0.02)
    assert pm[-1] == pytest.approx(0.8, abs=1e-4)
    assert pm[:200].min() < 0.7  # the water column answers the wrong way first


def test_hygov_droop():
    unit = Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": 0.7}, omega_pu=1.0)
    _, gate = unit.play(lambda t: {"omega_pu": 0.998}, 600.0, "gate_pu", step_s=0.02)
    assert gate[-1] - gate[0] == pytest.approx(0.002 / 0.05, abs=1e-5)


def test_hygov_gate_speed_and_position_limits_and_back():
    unit = Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": 0.7}, omega_pu=1.0)

    def speed(t):
        return {"omega_pu": 0.85 if t < 10.0 else 1.3 if t < 25.0 else 1.0}

    _, desired = unit.play(speed, 40.0, "desired_pu", step_s=0.01)
    rate = np.diff(desired) / 0.01
    assert rate.max() == pytest.approx(0.2, abs=1e-9)
    assert rate.min() == pytest.approx(-0.2, abs=1e-9)
    assert desired.max() == 1.0
    assert desired.min() == 0.0
    assert desired[990] == 1.0
    assert desired[1050] < 0.95  # off the limit as fast as the gate may move: no windup
    assert np.isfinite(unit.y.pm_pu)


def test_hygov_closed_gate_gives_the_no_load_loss():
    unit = Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": 0.05}, omega_pu=1.0)
    unit.play(lambda t: {"omega_pu": 1.1}, 30.0, "gate_pu", step_s=0.003)
    assert unit.x.gate_pu == pytest.approx(0.0, abs=1e-9)
    assert unit.y.pm_pu == pytest.approx(-1.2 * 0.07, abs=1e-6)  # flow rests at the floor of the gate, 0.01


def test_hygov_isochronous_start():
    unit = Bench(HYGOV, **HYGOV_DATA | {"r_perm_pu": 0.0}).start(target={"pm_pu": 0.7}, omega_pu=1.0)
    assert at_rest(unit) < 1e-12


@pytest.mark.parametrize(("pm", "name"), [(1.2, "above gmax_pu = 1"), (-0.2, "below gmin_pu = 0")])
def test_hygov_refuses_a_start_outside_its_limits(pm, name):
    with pytest.raises(InitialisationError, match=f"HYGOV: gate.*{name}.*dispatch"):
        Bench(HYGOV, **HYGOV_DATA).start(target={"pm_pu": pm}, omega_pu=1.0)


def test_hygov_refuses_crossed_limits():
    assert HYGOV.check(HYGOV_DATA) == []
    assert HYGOV.check(HYGOV_DATA | {"gmin_pu": 1.5})[0][0] == "gmin_pu"
