"""IEEEST: every order of its filter against the transfer function, modes, limits, cutoff, refusals."""

import itertools

import numpy as np
import pytest
from controller_bench import Bench
from scipy import signal

from gridai.models.stabilizers.ieeest import MODEL

OMEGA = np.logspace(-2, 2, 21)
S = 1j * OMEGA
DATA = {"mode": 1.0, "t5_s": 1.65, "t6_s": 1.65, "ks": 3.0, "lsmax_pu": 0.1, "lsmin_pu": -0.1}
FIRST = [(0.0, 0.0), (0.3, 0.0), (0.3, 0.05), (0.0, 0.05)]
SECOND = [(0.0, 0.0), (0.1, 0.0), (0.1, 0.02)]
TOP = [(0.0, 0.0), (0.7, 0.0), (-0.7, 0.2), (0.0, 0.2)]


def order(pair):
    return 2 if pair[1] else int(pair[0] != 0.0)


PROPER = [c for c in itertools.product(FIRST, SECOND, TOP) if order(c[2]) <= order(c[0]) + order(c[1])]


def factor(pair, s=S):
    return 1 + pair[0] * s + pair[1] * s**2


def coefficients(first, second, top):
    return dict(zip(("a1", "a2", "a3", "a4", "a5", "a6"), (*first, *second, *top), strict=True))


@pytest.mark.parametrize(("first", "second", "top"), PROPER)
def test_filter_of_every_order(first, second, top):
    data = DATA | coefficients(first, second, top)
    assert MODEL.check(defaults() | data) == []
    unit = Bench(MODEL, **data).start(1.0, omega_pu=1.0)
    washout = 3.0 * 1.65 * S / (1 + 1.65 * S)
    expected = factor(top) / (factor(first) * factor(second)) * washout
    np.testing.assert_allclose(unit.response("omega_pu", "vs_pu", OMEGA), expected, rtol=1e-8)


def defaults():
    return {q.name: q.default if q.default is not None else DATA[q.name] for q in MODEL.params}


@pytest.mark.parametrize("leads", [(0.0, 0.0, 0.0, 0.02), (0.15, 0.03, 0.0, 0.0), (0.15, 0.03, 0.2, 0.05)])
def test_lead_lags(leads):
    data = DATA | dict(zip(("t1_s", "t2_s", "t3_s", "t4_s"), leads, strict=True)) | {"t5_s": 0.4}
    unit = Bench(MODEL, **data).start(1.0, omega_pu=1.0)
    t1, t2, t3, t4 = leads
    expected = (1 + t1 * S) / (1 + t2 * S) * (1 + t3 * S) / (1 + t4 * S) * 3.0 * 0.4 * S / (1 + 1.65 * S)
    np.testing.assert_allclose(unit.response("omega_pu", "vs_pu", OMEGA), expected, rtol=1e-8)


def test_step_response_of_the_full_chain():
    data = DATA | coefficients((1.013, 0.013), (0.1, 0.02), (1.013, 0.113)) | {"t1_s": 0.15, "t2_s": 0.03}
    unit = Bench(MODEL, **data).start(1.0, omega_pu=1.0)
    t, vs = unit.play(lambda t: {"omega_pu": 1.001}, 4.0, "vs_pu")
    top = np.polymul(np.polymul([0.113, 1.013, 1.0], [0.15, 1.0]), [3.0 * 1.65, 0.0])
    bottom = np.polymul([0.013, 1.013, 1.0], [0.02, 0.1, 1.0])
    bottom = np.polymul(np.polymul(bottom, [0.03, 1.0]), [1.65, 1.0])
    _, expected = signal.step(signal.TransferFunction(top, bottom), T=t)
    np.testing.assert_allclose(vs, 0.001 * expected, atol=1e-9)


@pytest.mark.parametrize(
    ("mode", "source", "gain"), [(1, "omega_pu", 1.0), (3, "pe_pu", 1.0), (4, "pm_pu", 1.0), (4, "pe_pu", -1.0)]
)
def test_modes_of_the_machine(mode, source, gain):
    unit = Bench(MODEL, **DATA | {"mode": float(mode)}).start(1.0, omega_pu=1.0, pe_pu=0.8, pm_pu=0.8)
    assert max(abs(r) for r in unit.rates().values()) == 0.0
    expected = gain * 3.0 * 1.65 * S / (1 + 1.65 * S)
    np.testing.assert_allclose(unit.response(source, "vs_pu", OMEGA), expected, rtol=1e-8)


@pytest.mark.parametrize(("mode", "factor"), [(5, 1.0), (6, S / (1 + 0.04 * S))])
def test_modes_of_the_bus_voltage(mode, factor):
    unit = Bench(MODEL, **DATA | {"mode": float(mode)}).start(1.02, omega_pu=1.0)
    expected = factor * 3.0 * 1.65 * S / (1 + 1.65 * S)
    np.testing.assert_allclose(unit.response("v_re", "vs_pu", OMEGA), expected, rtol=1e-7)


def test_mode_of_bus_frequency():
    """A bus that turns 0.1 Hz fast: after the measuring lag the signal is that deviation, washed out."""
    unit = Bench(MODEL, **DATA | {"mode": 2.0}).start(np.exp(0.4j), omega_pu=1.0)
    assert max(abs(r) for r in unit.rates().values()) == 0.0
    t, vs = unit.play(lambda t: {"v": np.exp(0.4j + 2j * np.pi * 0.1 * t)}, 1.0, "vs_pu")
    slip = 0.1 / 60.0
    expected = 3.0 * slip * (np.exp(-t / 1.65) - np.exp(-t / 0.04)) * 1.65 / (1.65 - 0.04)
    np.testing.assert_allclose(vs, expected, atol=2e-6)


def test_output_limit_and_back():
    unit = Bench(MODEL, **DATA).start(1.0, omega_pu=1.0)

    def speed(t):
        return {"omega_pu": 1.05 if t < 0.5 else 0.93 if t < 1.0 else 1.0}

    _, vs = unit.play(speed, 12.0, "vs_pu")
    assert vs.max() == 0.1
    assert vs.min() == -0.1
    assert vs[-1] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("vcu", "vcl", "v", "active"),
    [(1.1, 0.9, 1.0, True), (1.1, 0.9, 1.1, False), (1.1, 0.9, 0.9, False), (0.0, 0.9, 2.0, True),
     (1.1, 0.0, 0.1, True), (0.0, 0.0, 0.0, True), (1.1, 0.0, 1.2, False), (0.0, 0.9, 0.5, False)],
)  # fmt: skip
def test_cutoff_on_terminal_voltage(vcu, vcl, v, active):
    unit = Bench(MODEL, **DATA | {"vcu_pu": vcu, "vcl_pu": vcl}).start(1.0, omega_pu=1.0)
    unit.put(omega_pu=1.001, vt_pu=v)
    unit.call("outputs")
    assert unit.y.vs_pu == (pytest.approx(0.003, rel=1e-9) if active else 0.0)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"mode": 7.0}, "mode", "1 speed, 2 frequency"),
        ({"mode": 1.5}, "mode", "not an input mode"),
        ({"a5": 0.1}, "a5", "order 1 over a denominator of order 0"),
        ({"a1": 0.1, "a6": 0.1}, "a6", "order 2 over a denominator of order 1"),
        ({"t1_s": 0.1}, "t2_s", "t1_s is not 0"),
        ({"t3_s": 0.1}, "t4_s", "t3_s is not 0"),
        ({"lsmin_pu": 0.05}, "lsmin_pu", "lsmin <= 0 <= lsmax"),
        ({"vcu_pu": 0.9, "vcl_pu": 1.1}, "vcu_pu", "vcl < vcu"),
    ],
)
def test_refusals(change, field, says):
    found = MODEL.check(defaults() | DATA | change)
    assert [name for name, _ in found] == [field]
    assert says in found[0][1]
