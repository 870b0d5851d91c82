"""REGCA1: currents against voltage, its limits alone, and a fault in the engine that drives it into them and back."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import InitialisationError
from gridai.kernel.contract import Start
from gridai.models.converters.regca1 import MODEL, V_FLOOR

from .conformance import Sample, Unit, started
from .renewable_case import at, case, channel


def unit(p_pu: float = 0.8, q_pu: float = 0.3, v: complex = 1.0, **values: float) -> Unit:
    """A unit that starts at this power and voltage."""
    return started(Sample(MODEL, values), Start(v, p_pu, q_pu))


def test_power_follows_voltage_at_constant_current() -> None:
    u = unit(lvpnt1_pu=0.5, lvpnt0_pu=0.1)
    for size in (0.6, 0.9, 1.1):
        v = size * np.exp(0.7j)
        s = v * np.conj(u.call("current", v))
        np.testing.assert_allclose([s.real, s.imag], [size * 0.8, size * 0.3], rtol=1e-12)


@pytest.mark.parametrize(("size", "gain"), [(0.8, 1.0), (0.6, 0.5), (0.5, 0.25), (0.4, 0.0), (0.2, 0.0)])
def test_active_current_falls_at_low_voltage(size: float, gain: float) -> None:
    i = unit(lvpnt1_pu=0.8, lvpnt0_pu=0.4).call("current", complex(size))
    np.testing.assert_allclose([i.real, i.imag], [0.8 * gain, -0.3], atol=1e-12)


def test_high_voltage_draws_reactive_current_down_to_its_limit() -> None:
    u = unit(volim_pu=1.2, khv=2.0, iolim_pu=-0.4)
    for size, iq in ((1.2, 0.3), (1.3, 0.1), (1.5, -0.3), (1.9, -0.4)):
        np.testing.assert_allclose(u.call("current", complex(size)).imag, -iq, atol=1e-12)


def test_current_vanishes_with_the_voltage() -> None:
    u = unit()
    full = abs(u.call("current", complex(V_FLOOR)))
    np.testing.assert_allclose(abs(u.call("current", 0.25j * V_FLOOR)), 0.25 * full)
    assert u.call("current", 0j) == 0.0


@pytest.mark.parametrize(
    ("q_pu", "up", "down"),
    [(0.3, 2.0, -np.inf), (-0.3, np.inf, -3.0), (0.0, np.inf, -np.inf)],
)
def test_reactive_rate_limit_depends_on_the_first_reactive_power(q_pu: float, up: float, down: float) -> None:
    u = unit(q_pu=q_pu, iqrmax_pu_per_s=2.0, iqrmin_pu_per_s=-3.0, tg_s=0.02)
    for step in (0.5, -0.5):
        u.u.iq_cmd_pu = q_pu + step
        u.evaluate()
        np.testing.assert_allclose(u.d.iq_pu, np.clip(step / 0.02, down, up))


@pytest.mark.parametrize(("p_pu", "up", "down"), [(0.8, 4.0, -np.inf), (-0.8, np.inf, -4.0), (0.0, 4.0, -4.0)])
def test_active_rate_limit_holds_growth_only(p_pu: float, up: float, down: float) -> None:
    u = unit(p_pu=p_pu, rrpwr_pu_per_s=4.0, tg_s=0.02)
    for step in (0.5, -0.5):
        u.u.ip_cmd_pu = p_pu + step
        u.evaluate()
        np.testing.assert_allclose(u.d.ip_pu, np.clip(step / 0.02, down, up))


def test_low_voltage_power_logic_in_a_fault_and_back() -> None:
    """At 0.6 pu the limit is 1.22 (0.6 - 0.4) / 0.5; afterwards the current grows at 2 pu/s to where it was."""
    values = {"lvplsw": 1.0, "lvpnt1_pu": 0.3, "lvpnt0_pu": 0.1, "rrpwr_pu_per_s": 2.0, "tfltr_s": 0.02}
    system = compile_system(case({"regca1": values, "reecb1": {"imax_pu": 2.0}}, h_s=0.0, p_mw=90.0))
    result = simulate(system, [BusFault("C", 1.0, 1.4, x_pu=0.14)], until_s=3.0)
    ip, v = channel(result, "ip_pu"), result.bus.vm_pu["C"].to_numpy()
    end = int(np.searchsorted(result.t_s, 1.4))
    limit = 1.22 * (v[end - 1] - 0.4) / 0.5
    assert 0.1 < limit < 0.8
    np.testing.assert_allclose(ip[end - 1], limit, rtol=1e-4)
    rise = np.diff(ip[end + 1 :]) / np.diff(result.t_s[end + 1 :])
    assert rise.max() < 2.0 + 1e-9
    assert (rise > 1.99).sum() > 20
    np.testing.assert_allclose(at(result, "ip_pu", 3.0), ip[0], atol=1e-4)


@pytest.mark.parametrize(
    ("values", "start", "words"),
    [
        ({"lvpnt0_pu": 0.5, "lvpnt1_pu": 0.9}, {"v": 0.45}, "lvpnt0_pu"),
        ({"lvplsw": 1.0, "lvpl1_pu": 0.7}, {"p_pu": 0.8}, "lvpl1_pu"),
        ({"iolim_pu": -0.2}, {"q_pu": -0.3}, "iolim_pu"),
    ],
)
def test_start_outside_a_limit_is_refused_by_name(values: dict, start: dict, words: str) -> None:
    with pytest.raises(InitialisationError, match=words):
        unit(**start, **values)
