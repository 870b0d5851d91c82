"""GAST, IEEEG1, GGOV1, DEGOV: transfer functions, limits driven into and back, setpoints, refusals; the dead time."""

import numpy as np
import pytest
from controller_bench import Bench
from scipy import signal

from gridai.errors import InitialisationError
from gridai.kernel.blocks_delay import delay
from gridai.models import catalog

from .samples_psse import SAMPLES_PSSE

OMEGA = np.logspace(-2, 1, 16)
S = 1j * OMEGA
GGOV1 = {"ldref_pu": 5.0, "vmax_pu": 3.0, "vmin_pu": -3.0, "ka": 0.0, "tpelec_s": 0.5, "dm": 0.0, "tc_s": 0.05}
"""GGOV1 with no other controller near: the speed control alone."""


def unit(key: str, pm: float = 0.7, **change: float) -> Bench:
    """A started governor of the first sample, with changes."""
    values = change if key == "ggov1" else {**SAMPLES_PSSE[key][0], **change}
    bench = Bench(catalog.model(key), **values)
    inputs = {"p_pu": pm} if key == "ggov1" else {}
    return bench.start(target={"pm_pu": pm}, omega_pu=1.0, **inputs)


def at_rest(bench: Bench) -> float:
    return max(abs(rate) for rate in bench.rates().values())


def dead(t_s: float) -> np.ndarray:
    x = S * t_s
    return (1 - 0.4 * x + 0.05 * x**2) / (1 + 0.6 * x + 0.15 * x**2 + x**3 / 60)


@pytest.mark.parametrize("t2_s", [0.1, 0.0])
def test_gast_transfer_function(t2_s):
    bench = unit("gast", pm=0.6, t2_s=t2_s)
    assert at_rest(bench) < 1e-12
    turbine = 1 / ((1 + 0.4 * S) * (1 + S * t2_s))
    np.testing.assert_allclose(bench.response("omega_pu", "pm_pu", OMEGA), -turbine / 0.05 - 0.1, rtol=1e-7)
    np.testing.assert_allclose(bench.response("dp_ref_pu", "pm_pu", OMEGA), turbine, rtol=1e-7)


def test_gast_exhaust_limit_holds_the_power_at_at():
    """A call for more than AT: the power overshoots, then the exhaust signal brings it to AT; and back."""
    bench = unit("gast", pm=0.8, at=0.9, vmax_pu=1.2)
    _, pm = bench.play(lambda t: {"dp_ref_pu": 0.5 if t < 30.0 else 0.0}, 60.0, "pm_pu", step_s=0.01)
    assert pm[:2999].max() > 0.95
    assert pm[2990] == pytest.approx(0.9, abs=1e-3)
    assert pm[-1] == pytest.approx(0.8, abs=1e-3)


def test_gast_valve_limits_and_back():
    bench = unit("gast", pm=0.6, at=3.0)
    _, valve = bench.play(lambda t: {"omega_pu": 0.9 if t < 5 else 1.1 if t < 10 else 1.0}, 20.0, "valve_pu", 5e-3)
    assert valve.max() == 1.0
    assert valve.min() == -0.05
    assert valve[1010] < 0.99, "off the limit: no windup"
    assert valve[-1] == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("change", [{}, {"t1_s": 0.0, "t2_s": 0.0}, {"t4_s": 0.0, "t6_s": 0.0, "t7_s": 0.0}])
def test_ieeeg1_transfer_function(change):
    bench = unit("ieeeg1", **change)
    assert at_rest(bench) < 1e-12
    p = bench.p
    x4 = 1 / (1 + S * p.t4_s)
    x5 = x4 / (1 + S * p.t5_s)
    x6 = x5 / (1 + S * p.t6_s)
    turbine = 0.3 * x4 + 0.4 * x5 + 0.2 * x6 + 0.1 * x6 / (1 + S * p.t7_s)
    valve = 1 / (1 + S * p.t3_s)
    expected = -20.0 * (1 + S * p.t2_s) / (1 + S * p.t1_s) * valve * turbine
    np.testing.assert_allclose(bench.response("omega_pu", "pm_pu", OMEGA), expected, rtol=1e-6)
    np.testing.assert_allclose(bench.response("dp_ref_pu", "pm_pu", OMEGA), valve * turbine, rtol=1e-6)


def test_ieeeg1_setpoint_moves_power_by_as_much_whatever_the_shares():
    bench = unit("ieeeg1", k1=0.2, k3=0.2, k5=0.2, k7=0.1, k2=0.3, pm=0.5)
    assert bench.x.valve_pu == pytest.approx(0.5 / 0.7)
    _, pm = bench.play(lambda t: {"dp_ref_pu": 0.1}, 100.0, "pm_pu", 0.02)
    assert pm[-1] == pytest.approx(0.6, abs=1e-6)


def test_ieeeg1_rates_and_positions_and_back():
    bench = unit("ieeeg1")
    _, valve = bench.play(lambda t: {"omega_pu": 0.9 if t < 5 else 1.1 if t < 12 else 1.0}, 25.0, "valve_pu", 5e-3)
    rate = np.diff(valve) / 5e-3
    assert rate.max() == pytest.approx(0.3, abs=1e-9)
    assert rate.min() == pytest.approx(-0.5, abs=1e-9)
    assert valve.max() == 1.1
    assert valve.min() == 0.0
    assert valve[-1] == pytest.approx(0.7, abs=1e-6)
    assert valve[1100] < 1.05, "off the limit as fast as the valve may move"


def ggov1_speed_path(p, feedback: np.ndarray | float = 0.0) -> np.ndarray:
    """Speed error to power: PID, actuator, dead time, turbine; feedback of the valve times droop closes it."""
    pid = p.kpgov + p.kigov / S + S * p.kdgov / (1 + S * p.tdgov_s)
    valve = pid / (1 + S * p.tact_s)
    valve = valve / (1 + valve * feedback)
    return valve * p.kturb * dead(p.teng_s) * (1 + S * p.tc_s) / (1 + S * p.tb_s)


@pytest.mark.parametrize("change", [{}, {"kdgov": 1.0, "tdgov_s": 0.3}, {"teng_s": 0.2}, {"kpgov": 0.0}])
def test_ggov1_speed_control(change):
    """Power feedback is an input here: the transfer function is open loop from speed and from power."""
    bench = unit("ggov1", **GGOV1, **change, flag=0.0)
    assert at_rest(bench) < 1e-12
    path = ggov1_speed_path(bench.p)
    np.testing.assert_allclose(bench.response("omega_pu", "pm_pu", OMEGA), -path, rtol=1e-5)
    power = -0.04 * path / (1 + 0.5 * S)
    np.testing.assert_allclose(bench.response("p_pu", "pm_pu", OMEGA), power, rtol=1e-5)


def test_ggov1_valve_feedback_and_setpoint():
    bench = unit("ggov1", **GGOV1, rselect=-1.0, flag=0.0)
    path = ggov1_speed_path(bench.p, feedback=0.04)
    np.testing.assert_allclose(bench.response("omega_pu", "pm_pu", OMEGA), -path, rtol=1e-5)
    _, pm = bench.play(lambda t: {"dp_ref_pu": 0.05}, 300.0, "pm_pu", 0.01)
    assert pm[-1] == pytest.approx(0.75, abs=1e-5)


def test_ggov1_turbine_rating_and_friction():
    """On a turbine of half the machine's base the valve opens twice as far; Dm takes power at nominal speed."""
    bench = unit("ggov1", pm=0.3, trate_mw=50.0, ldref_pu=2.0)
    assert bench.x.valve_pu == pytest.approx(0.6 / 1.5 + 0.2)
    bench = unit("ggov1", pm=0.3, dm=0.2, ldref_pu=2.0)
    assert bench.x.valve_pu == pytest.approx(0.5 / 1.5 + 0.2)


@pytest.mark.parametrize("kpload", [2.0, 0.0])
def test_ggov1_load_limiter_takes_over_and_gives_back(kpload):
    bench = unit("ggov1", pm=0.6, ldref_pu=0.75, kpload=kpload, ka=0.0, flag=0.0)
    closed = {"omega_pu": 0.985}

    def speed(t):
        return closed if t < 200.0 else {"omega_pu": 1.0}

    _, pm = bench.play(speed, 400.0, "pm_pu", 0.02)
    assert pm[9990] == pytest.approx(0.75, abs=2e-3)
    assert bench.x.speed_int_pu < 1.05, "the integral follows: no windup"
    assert pm[10500:].min() < 0.75


def test_ggov1_acceleration_limiter_slows_the_fuel():
    """fsr rises by no more than Ka (aset - acceleration) a second."""
    limited = unit("ggov1", pm=0.5, ldref_pu=3.0, ka=10.0, aset_pu_per_s=0.01, tact_s=0.02, ropen_pu_per_s=9.0)
    _, valve = limited.play(lambda t: {"dp_ref_pu": 0.4}, 1.0, "valve_pu", 2e-3)
    assert valve[350] - valve[250] == pytest.approx(0.2 * 0.1, rel=0.02)
    free = unit("ggov1", pm=0.5, ldref_pu=3.0, ka=0.0, tact_s=0.02, ropen_pu_per_s=9.0)
    _, valve = free.play(lambda t: {"dp_ref_pu": 0.4}, 1.0, "valve_pu", 2e-3)
    assert valve[100] - valve[0] > 0.15


def test_ggov1_valve_rates_positions_and_back():
    bench = unit("ggov1", pm=0.5, ldref_pu=3.0, ka=0.0, flag=0.0)
    _, valve = bench.play(lambda t: {"omega_pu": 0.9 if t < 20 else 1.1 if t < 50 else 1.0}, 60.0, "valve_pu", 0.01)
    rate = np.diff(valve) / 0.01
    assert rate.max() == pytest.approx(0.1, abs=1e-6)
    assert rate.min() == pytest.approx(-0.1, abs=1e-6)
    assert valve.max() == pytest.approx(1.0, abs=1e-12)
    assert valve.min() == pytest.approx(0.15, abs=1e-12)
    assert valve[2300] < 0.8, "off the limit as fast as the valve may move"


def test_ggov1_deadband_and_error_limits():
    bench = unit("ggov1", **GGOV1, db_pu=0.001, flag=0.0, maxerr_pu=0.01)
    bench.put(omega_pu=0.9992)
    bench.rates()
    assert bench.d.speed_int_pu == 0.0
    bench.put(omega_pu=0.5)
    bench.rates()
    assert bench.d.speed_int_pu == pytest.approx(2.0 * 0.01)


def test_ggov1_power_controller_brings_power_back():
    """Kimw integrates the power error into the speed reference, up to 1.1 R."""
    bench = unit("ggov1", **GGOV1, kimw=0.02, flag=0.0)
    bench.put(p_pu=0.6)
    bench.rates()
    assert bench.d.mw_pu == pytest.approx(0.0, abs=1e-9)  # behind Tpelec
    bench.play(lambda t: {"p_pu": 0.6}, 60.0, "pm_pu", 0.02)
    assert bench.x.mw_pu == pytest.approx(1.1 * 0.04)


@pytest.mark.parametrize(
    "change", [{}, {"t1_s": 0.0, "t2_s": 0.0, "t3_s": 0.0}, {"t4_s": 0.0, "t5_s": 0.0, "t6_s": 0.0}]
)
@pytest.mark.parametrize("td_s", [0.05, 0.0])
def test_degov_transfer_function(change, td_s):
    bench = unit("degov", td_s=td_s, **change)
    assert at_rest(bench) < 1e-12
    p = bench.p
    box = (1 + S * p.t3_s) / (1 + S * p.t1_s + S**2 * p.t1_s * p.t2_s)
    actuator = 18.0 * (1 + S * p.t4_s) / (S * (1 + S * p.t5_s) * (1 + S * p.t6_s))
    expected = -box * actuator * dead(td_s) + 0.7  # power is torque times speed
    np.testing.assert_allclose(bench.response("omega_pu", "pm_pu", OMEGA), expected, rtol=1e-6)


def test_degov_limits_and_back():
    bench = unit("degov")
    _, fuel = bench.play(lambda t: {"omega_pu": 0.98 if t < 5 else 1.02 if t < 12 else 1.0}, 20.0, "fuel_pu", 2e-3)
    assert fuel.max() == 1.1
    assert fuel.min() == 0.0
    assert fuel[2600] < 1.1, "off the limit: no windup"


def test_delay_is_a_delay():
    """A sine of 1 rad/s through 1 s comes out 1 s late; a step rises around T; T = 0 passes it."""
    t = np.linspace(0, 60, 6001)
    num, den = [0.05, -0.4, 1.0], [1 / 60, 0.15, 0.6, 1.0]
    _, y, _ = signal.lsim(signal.TransferFunction(num, den), np.sin(t), t)
    assert abs(y - np.sin(t - 1.0))[3000:].max() < 2e-4
    x = np.zeros(3)
    for _ in range(1000):
        y0, *dx = delay(1.0, *x, 0.5)
        x = x + 1e-3 * np.array(dx)
    assert y0 == pytest.approx(1.0, abs=0.02)
    assert delay(0.3, 0.0, 0.0, 0.0, 0.0) == (0.3, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("key", "pm", "change", "text"),
    [
        ("gast", 1.05, {"at": 2.0}, "GAST: fuel valve.*vmax_pu = 1"),
        ("gast", 0.95, {"at": 0.9}, "GAST: fuel valve.*exhaust limit at = 0.9"),
        ("ieeeg1", 1.2, {}, "IEEEG1: valve.*pmax_pu = 1.1"),
        ("degov", 1.2, {}, "DEGOV: fuel.*tmax_pu = 1.1"),
        ("ggov1", 0.9, {"ldref_pu": 0.8}, "GGOV1: valve.*ldref_pu"),
        ("ggov1", -0.2, {}, "GGOV1: valve.*vmin_pu = 0.15"),
    ],
)
def test_start_outside_a_limit_is_refused(key, pm, change, text):
    with pytest.raises(InitialisationError, match=text):
        unit(key, pm=pm, **change)


@pytest.mark.parametrize(
    ("key", "change", "field"),
    [
        ("gast", {"vmin_pu": 1.0}, "vmin_pu"),
        ("ieeeg1", {"pmin_pu": 2.0}, "pmin_pu"),
        ("ieeeg1", {"t1_s": 0.0}, "t1_s"),
        ("ieeeg1", {"k1": 0.0, "k3": 0.0, "k5": 0.0, "k7": 0.0}, "k1"),
        ("ieeeg1", {"jbus": 12.0}, "jbus"),
        ("degov", {"t1_s": 0.0}, "t1_s"),
        ("degov", {"tmin_pu": 2.0}, "tmin_pu"),
        ("ggov1", {"rselect": 2.0}, "rselect"),
        ("ggov1", {"flag": 2.0}, "flag"),
        ("ggov1", {"minerr_pu": 0.0}, "minerr_pu"),
        ("ggov1", {"tb_s": 0.0, "tc_s": 0.1}, "tb_s"),
        ("ggov1", {"ta_s": 0.0}, "ta_s"),
    ],
)
def test_bad_data_are_named(key, change, field):
    model = catalog.model(key)
    given = {q.name: q.default for q in model.params if not q.solved} | SAMPLES_PSSE[key][0]
    assert model.check(given) == []
    assert [name for name, _ in model.check(given | change)] == [field]
