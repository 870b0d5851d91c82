"""REECA1, REECB1, REECC1: transfer functions, current limits, tables, voltage dips, state of charge."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import InitialisationError
from gridai.kernel.contract import Model, Start
from gridai.models.electrical._reec import NO_LIMIT, table4
from gridai.models.electrical.reeca1 import MODEL as REECA1
from gridai.models.electrical.reecb1 import MODEL as REECB1
from gridai.models.electrical.reecc1 import MODEL as REECC1

from .conformance import Sample, Unit, started, values_of
from .controller_bench import Bench
from .renewable_case import at, case, channel

ALL = pytest.mark.parametrize("model", [REECA1, REECB1, REECC1], ids=lambda m: m.name)
OMEGA = np.array([0.3, 3.0, 30.0])
S = 1j * OMEGA
V = 0.98


def unit(model: Model, p_pu: float = 0.8, q_pu: float = 0.3, v: complex = 1.0, **values: float) -> Unit:
    """A unit on a REGCA1 that starts at this power and voltage."""
    return started(Sample(model, values), Start(v, p_pu, q_pu))


def bench(model: Model, **values: float) -> Bench:
    """The controller alone at V, 0.8 pu and 0.3 pu."""
    target = {"ip_cmd_pu": 0.8 / V, "iq_cmd_pu": 0.3 / V}
    return Bench(model, **values).start(V, target, p_pu=0.8, q_pu=0.3)


@ALL
def test_orders_pass_through_one_lag(model: Model) -> None:
    b = bench(model, tpord_s=0.1, tiq_s=0.05)
    np.testing.assert_allclose(b.response("p_ref_pu", "ip_cmd_pu", OMEGA), 1 / V / (1 + 0.1 * S), rtol=1e-6)
    np.testing.assert_allclose(b.response("q_ext_pu", "iq_cmd_pu", OMEGA), 1 / V / (1 + 0.05 * S), rtol=1e-6)


@ALL
def test_cascade_of_reactive_and_voltage_control(model: Model) -> None:
    b = bench(model, q_flag=1.0, v_flag=1.0, kqp=0.2, kqi=0.5, kvp=2.0, kvi=10.0, trv_s=0.02)
    outer, inner = 0.2 + 0.5 / S, 2.0 + 10.0 / S
    np.testing.assert_allclose(b.response("q_ext_pu", "iq_cmd_pu", OMEGA), outer * inner, rtol=1e-6)
    np.testing.assert_allclose(b.response("q_pu", "iq_cmd_pu", OMEGA), -outer * inner, rtol=1e-6)
    np.testing.assert_allclose(b.response("v_re", "iq_cmd_pu", OMEGA), -inner / (1 + 0.02 * S), rtol=1e-5, atol=1e-6)


@ALL
def test_power_factor_and_direct_voltage_reference(model: Model) -> None:
    b = bench(model, pf_flag=1.0, tp_s=0.1, tiq_s=0.0)
    np.testing.assert_allclose(b.response("p_pu", "iq_cmd_pu", OMEGA), 0.375 / V / (1 + 0.1 * S), rtol=1e-6)
    b = bench(model, q_flag=1.0, v_flag=0.0, kvp=2.0, kvi=10.0)
    np.testing.assert_allclose(b.u.q_ext_pu, V)
    np.testing.assert_allclose(b.response("q_ext_pu", "iq_cmd_pu", OMEGA), 2.0 + 10.0 / S, rtol=1e-6)


@ALL
@pytest.mark.parametrize("active_first", [False, True])
def test_current_limit_by_priority_and_back(model: Model, active_first: bool) -> None:
    u = unit(model, imax_pu=1.1, pmax_pu=2.0, pq_flag=float(active_first))
    before = [float(u.y.ip_cmd_pu), float(u.y.iq_cmd_pu)]
    u.x.p_ord_pu, u.x.iq_pu = 1.0, 0.9
    u.evaluate()
    rest = np.sqrt(1.1**2 - (1.0 if active_first else 0.9) ** 2)
    wanted = (1.0, min(0.9, rest)) if active_first else (min(1.0, rest), 0.9)
    np.testing.assert_allclose([u.y.ip_cmd_pu, u.y.iq_cmd_pu], wanted)
    u.x.p_ord_pu, u.x.iq_pu = 0.8, 0.3
    u.evaluate()
    np.testing.assert_allclose([u.y.ip_cmd_pu, u.y.iq_cmd_pu], before)


@ALL
def test_integrators_wait_at_the_current_limit(model: Model) -> None:
    u = unit(model, q_flag=1.0, v_flag=1.0, imax_pu=0.9, kvi=40.0)
    u.x.v_int_pu, u.x.q_int_pu = 0.95, 1.05
    u.evaluate()
    assert u.y.iq_cmd_pu == pytest.approx(0.9)
    assert u.d.v_int_pu == 0.0
    u.x.q_int_pu = 0.95
    u.evaluate()
    assert u.d.v_int_pu < 0.0


def test_voltage_tables() -> None:
    points = (0.2, 0.5, 0.5, 0.8, 0.9, 1.0, 1.2, 0.4)
    for v, limit in ((0.1, 0.5), (0.2, 0.5), (0.35, 0.65), (0.9, 1.0), (1.05, 0.7), (1.5, 0.4)):
        assert table4(v, *points) == pytest.approx(limit)
    assert table4(0.7, *[0.0] * 8) == NO_LIMIT
    assert table4(0.7, 0.5, 0.6, 0.8, 1.0, 0.0, 0.0, 0.0, 0.0) == pytest.approx(0.6 + 0.4 * 2 / 3)
    assert table4(1.2, 0.5, 0.6, 0.8, 1.0, 0.0, 0.0, 0.0, 0.0) == 1.0


@pytest.mark.parametrize("model", [REECA1, REECC1], ids=lambda m: m.name)
def test_tables_limit_the_commands(model: Model) -> None:
    tables = {"vq1_pu": 0.5, "iq1_pu": 0.2, "vq2_pu": 0.9, "iq2_pu": 1.0, "vp1_pu": 0.5, "ip1_pu": 0.3}
    u = unit(model, **tables, vp2_pu=0.9, ip2_pu=1.1, imax_pu=1.2)
    u.x.v_pu, u.x.iq_pu = 0.6, 1.0
    u.evaluate()
    np.testing.assert_allclose([u.y.iq_cmd_pu, u.y.ip_cmd_pu], [0.4, 0.5])


@ALL
def test_a_dip_freezes_the_controls_but_not_the_measurements(model: Model) -> None:
    u = unit(model, q_flag=1.0, v_flag=1.0, vdip_pu=0.85, vup_pu=1.15, trv_s=0.02)
    u.set_voltage(0.7 + 0j)
    u.call("guards")
    assert u.g.dips == pytest.approx(0.15)
    u.g.dips = 1.0
    u.call("update")
    u.u.p_ref_pu, u.u.q_ext_pu = 0.5, 0.1
    u.evaluate()
    assert u.y.dip == 1.0
    assert values_of(u.d, ("q_int_pu", "v_int_pu", "iq_pu", "p_ord_pu")).tolist() == [0.0] * 4
    assert u.d.v_pu < 0.0
    u.set_voltage(0.9 + 0j)
    u.call("guards")
    assert u.g.returns > 0.0


@pytest.mark.parametrize("model", [REECB1, REECC1], ids=lambda m: m.name)
def test_injection_for_the_voltage_error_is_always_on(model: Model) -> None:
    u = unit(model, kqv=2.0, dbd1_pu=-0.02, dbd2_pu=0.02, iqh1_pu=0.3, imax_pu=2.0)
    for v, injected in ((0.99, 0.0), (0.93, 0.1), (1.07, -0.1), (0.5, 0.3)):
        u.x.v_pu = v
        u.evaluate()
        np.testing.assert_allclose(u.y.iq_inj_pu, injected, atol=1e-12)


DIP = {"vdip_pu": 0.85, "vup_pu": 1.2, "kqv": 2.0, "dbd1_pu": -0.01, "dbd2_pu": 0.01, "iqfrz_pu": 0.15, "imax_pu": 1.3}


@pytest.mark.parametrize("thld_s", [0.3, 0.0, -0.3])
def test_injection_after_a_dip(thld_s: float) -> None:
    """In the dip and for -thld after it: Kqv times the error. For +thld: iqfrz. Otherwise none."""
    system = compile_system(case({"regca1": {}, "reeca1": {**DIP, "thld_s": thld_s}}, h_s=0.0))
    result = simulate(system, [BusFault("C", 1.0, 1.15, x_pu=0.08)], until_s=2.0)
    injected, dip = channel(result, "iq_inj_pu"), channel(result, "voltage_dip")
    t = result.t_s
    inside = (t > 1.1) & (t < 1.15)
    assert (dip[inside] == 1.0).all()
    assert (injected[inside] > 0.3).all()
    held = (t > 1.1501) & (t < 1.4499)
    if thld_s > 0.0:
        assert (injected[held] == 0.15).all()
    elif thld_s < 0.0:
        assert injected[held][0] > 0.2
        assert np.ptp(injected[held]) > 0.2
    else:
        assert (injected[held] == 0.0).all()
    assert (injected[t > 1.4501] == 0.0).all()
    np.testing.assert_allclose(at(result, "q_mvar", 2.0), at(result, "q_mvar", 0.0), atol=2e-3)


def test_active_current_limit_is_held_after_a_dip() -> None:
    """The reactive injection leaves less for the active current; that limit stays for thld2, then comes back."""
    values = {**DIP, "thld2_s": 0.2, "imax_pu": 0.9, "iqh1_pu": 0.6}
    system = compile_system(case({"regca1": {}, "reeca1": values}, h_s=0.0))
    result = simulate(system, [BusFault("C", 1.0, 1.15, x_pu=0.08)], until_s=2.0)
    limit, t = channel(result, "ip_max_pu"), result.t_s
    held = limit[(t > 1.1501) & (t < 1.3499)]
    assert np.ptp(held) == 0.0
    np.testing.assert_allclose(held[0], np.sqrt(0.9**2 - channel(result, "iq_cmd_pu")[t < 1.15][-1] ** 2), rtol=1e-6)
    assert held[0] < 0.75
    assert limit[t > 1.3501].min() > 0.85


def test_battery_stops_when_empty_and_may_charge_again() -> None:
    """0.4 pu from soc 0.21 with T = 10 s: empty at 0.2 after 0.25 s."""
    models = {"regca1": {}, "reecc1": {"t_s": 10.0, "soc_ini": 0.21, "soc_min": 0.2, "pmin_pu": -1.0}}
    result = simulate(compile_system(case(models, h_s=0.0)), until_s=1.0)
    soc, p, t = channel(result, "soc"), channel(result, "p_mw"), result.t_s
    np.testing.assert_allclose(soc[t < 0.24], 0.21 - 0.04 * t[t < 0.24], rtol=1e-9)
    assert soc.min() == 0.2
    assert abs(p[-1]) < 1e-6
    u = unit(REECC1, p_pu=0.5, q_pu=0.0, pmin_pu=-1.0)
    u.x.soc, u.u.p_pu = 0.2, -0.5
    u.evaluate()
    assert u.y.ip_cmd_pu == 0.0
    assert u.d.soc == pytest.approx(0.5 / 999.0)
    u.x.p_ord_pu = -0.5
    u.evaluate()
    assert u.y.ip_cmd_pu == -0.5
    u.x.soc = 0.8
    u.evaluate()
    assert u.y.ip_cmd_pu == 0.0
    assert u.d.soc == 0.0


@ALL
@pytest.mark.parametrize(
    ("values", "start", "words"),
    [
        ({"pmax_pu": 0.7}, {}, "pmax_pu = 0.7"),
        ({"imax_pu": 0.81}, {}, "imax_pu"),
        ({"vdip_pu": 0.9, "vup_pu": 1.1}, {"v": 0.85}, "vdip_pu = 0.9"),
        ({"q_flag": 1.0, "v_flag": 1.0, "qmax_pu": 0.2}, {}, "qmax_pu = 0.2"),
        ({"q_flag": 1.0, "vmax_pu": 1.02}, {"v": 1.05}, "vmax_pu = 1.02"),
        ({"pf_flag": 1.0}, {"p_pu": 0.0}, "power factor"),
    ],
)
def test_start_outside_a_limit_is_refused_by_name(model: Model, values: dict, start: dict, words: str) -> None:
    with pytest.raises(InitialisationError, match=words):
        unit(model, **start, **values)


def test_crossed_limits_are_named() -> None:
    sample = Sample(REECC1, {"qmin_pu": 0.5, "qmax_pu": 0.4, "soc_min": 0.9})
    assert [name for name, _ in REECC1.check(sample.filled())] == ["qmin_pu", "soc_min"]  # type: ignore[misc]
