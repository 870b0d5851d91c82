"""PSS2A, PSS2B, STAB1: transfer functions from both signals, limits, codes, refusals."""

import numpy as np
import pytest
from controller_bench import Bench

from gridai.models import catalog

from .samples_psse import SAMPLES_PSSE

OMEGA = np.logspace(-1, 2, 19)
S = 1j * OMEGA


def unit(key: str, **change: float) -> Bench:
    """A started stabiliser of the first sample, with changes, at 0.7 pu of power."""
    bench = Bench(catalog.model(key), **{**SAMPLES_PSSE[key][0], **change})
    inputs = {"pe_pu": 0.7, "pm_pu": 0.7} if "pe_pu" in vars(bench.u) else {}
    return bench.start(1.02, omega_pu=1.0, **inputs)


def at_rest(bench: Bench) -> float:
    return max(abs(rate) for rate in bench.rates().values())


def washout(t_s: float) -> np.ndarray | float:
    return S * t_s / (1 + S * t_s) if t_s > 0.0 else 1.0


def tracking(p) -> np.ndarray:
    """The ramp-tracking filter of IEEE Std 421.5: ((1 + s T8) / (1 + s T9)^M)^N."""
    return ((1 + S * p.t8_s) / (1 + S * p.t9_s) ** p.m) ** p.n if p.m * p.n > 0 else np.ones(len(S), complex)


def shaping(p) -> np.ndarray:
    """Gain and lead-lags."""
    found = p.ks1 * (1 + S * p.t1_s) / (1 + S * p.t2_s) * (1 + S * p.t3_s) / (1 + S * p.t4_s)
    return found * (1 + S * p.t10_s) / (1 + S * p.t11_s) if hasattr(p, "t10_s") else found


WIDE = {"vstmax_pu": 99.0, "vstmin_pu": -99.0}
CHANGES = [
    {},
    {"m": 4.0, "n": 2.0},
    {"m": 1.0, "n": 8.0, "t8_s": 0.12},
    {"m": 0.0},
    {"tw2_s": 0.0},
    {"tw4_s": 1.5, "t6_s": 0.05},
]


@pytest.mark.parametrize("key", ["pss2a", "pss2b"])
@pytest.mark.parametrize("change", CHANGES)
def test_pss2_speed_path(key, change):
    bench = unit(key, **change, **WIDE)
    assert at_rest(bench) < 1e-12
    p = bench.p
    expected = washout(p.tw1_s) * washout(p.tw2_s) / (1 + S * p.t6_s) * tracking(p) * shaping(p)
    np.testing.assert_allclose(bench.response("omega_pu", "vs_pu", OMEGA), expected, rtol=1e-6)


@pytest.mark.parametrize("key", ["pss2a", "pss2b"])
@pytest.mark.parametrize("change", [*CHANGES, {"ks3": 0.0}, {"t7_s": 0.0}])
def test_pss2_power_path(key, change):
    bench = unit(key, **change, **WIDE)
    p = bench.p
    branch = washout(p.tw3_s) * washout(p.tw4_s) * p.ks2 / (1 + S * p.t7_s)
    expected = branch * (p.ks3 * tracking(p) - 1.0) * shaping(p)
    np.testing.assert_allclose(bench.response("pe_pu", "vs_pu", OMEGA), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("code", "source"), [(3.0, "pe_pu"), (4.0, "pm_pu"), (5.0, "v_re")])
def test_pss2_signal_codes(code, source):
    """Any signal goes through the first branch alike: power as it is, mechanical power, voltage."""
    bench = unit("pss2a", ics1=code, ics2=0.0)
    assert at_rest(bench) < 1e-12
    p = bench.p
    expected = washout(p.tw1_s) * washout(p.tw2_s) * tracking(p) * shaping(p)
    np.testing.assert_allclose(bench.response(source, "vs_pu", OMEGA), expected, rtol=1e-6)


def test_pss2_follows_a_ramp_of_mechanical_power_without_offset():
    """With T8 = M T9 a ramp of power leaves the output near zero; without the lead it does not."""

    def power(t):
        return {"pe_pu": 0.7 + 0.02 * t}

    change = {
        "tw1_s": 10.0,
        "tw2_s": 10.0,
        "tw3_s": 10.0,
        "t7_s": 10.0,
        "ks2": 1.0,
        "vstmax_pu": 9.0,
        "vstmin_pu": -9.0,
    }
    _, tracked = unit("pss2a", **change, ks1=1.0).play(power, 2.0, "vs_pu", 2e-3)
    _, mismatched = unit("pss2a", **change, ks1=1.0, t8_s=0.0).play(power, 2.0, "vs_pu", 2e-3)
    assert abs(tracked[500:]).max() < 0.3 * abs(mismatched[500:]).max()


@pytest.mark.parametrize("key", ["pss2a", "pss2b"])
def test_pss2_output_limits_and_back(key):
    _, vs = unit(key).play(lambda t: {"omega_pu": 1.05 if t < 1 else 0.95 if t < 2 else 1.0}, 40.0, "vs_pu", 5e-3)
    assert vs.max() == 0.1
    assert vs.min() == -0.1
    assert vs[-1] == pytest.approx(0.0, abs=1e-3)


def test_pss2b_input_limits():
    """Signal 1 clipped at 0.01 gives what a signal of 0.01 gives."""
    limited = unit("pss2b", vs1max_pu=0.01, vstmax_pu=9.0)
    small = unit("pss2b", vstmax_pu=9.0)
    _, a = limited.play(lambda t: {"omega_pu": 1.2}, 1.0, "vs_pu", 2e-3)
    _, b = small.play(lambda t: {"omega_pu": 1.01}, 1.0, "vs_pu", 2e-3)
    np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("change", [{}, {"t3_s": 0.0, "t4_s": 0.0}])
def test_stab1_transfer_function(change):
    bench = unit("stab1", **change)
    assert at_rest(bench) == 0.0
    p = bench.p
    expected = 20.0 * S * 3.0 / (1 + 3.0 * S)
    expected = expected * (1 + S * p.t1_t3 * p.t3_s) / (1 + S * p.t3_s) * (1 + S * p.t2_t4 * p.t4_s) / (1 + S * p.t4_s)
    np.testing.assert_allclose(bench.response("omega_pu", "vs_pu", OMEGA), expected, rtol=1e-6)


def test_stab1_limits_and_back():
    _, vs = unit("stab1").play(lambda t: {"omega_pu": 1.05 if t < 1 else 0.95 if t < 2 else 1.0}, 40.0, "vs_pu", 5e-3)
    assert vs.max() == 0.05
    assert vs.min() == -0.05
    assert vs[-1] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(
    ("key", "change", "field"),
    [
        ("pss2a", {"ics1": 7.0}, "ics1"),
        ("pss2a", {"tw1_s": 0.0, "tw2_s": 0.0}, "tw1_s"),
        ("pss2a", {"tw3_s": 0.0}, "tw3_s"),
        ("pss2a", {"m": 5.0, "n": 2.0}, "m"),
        ("pss2a", {"m": 1.5}, "m"),
        ("pss2a", {"t9_s": 0.0}, "t9_s"),
        ("pss2a", {"t2_s": 0.0}, "t2_s"),
        ("pss2a", {"vstmin_pu": 0.01}, "vstmin_pu"),
        ("pss2b", {"t11_s": 0.0}, "t11_s"),
        ("pss2b", {"vs1min_pu": 99.0}, "vs1min_pu"),
    ],
)
def test_bad_data_are_named(key, change, field):
    model = catalog.model(key)
    given = {q.name: q.default for q in model.params if not q.solved} | SAMPLES_PSSE[key][0]
    assert model.check(given) == []
    assert [name for name, _ in model.check(given | change)] == [field]
