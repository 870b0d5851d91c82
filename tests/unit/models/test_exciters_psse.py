"""IEEEX1, ESDC1A, ESDC2A, EXST1, ESST1A, ESST4B, EXAC1, ESAC1A, SCRX: transfer functions, limits, starts, refusals."""

import numpy as np
import pytest
from controller_bench import Bench

from gridai.errors import InitialisationError
from gridai.kernel.blocks_exciter import rectifier_source, rectifier_voltage
from gridai.models import catalog

from .samples_psse import SAMPLES_PSSE

OMEGA = np.logspace(-2, 2, 21)
S = 1j * OMEGA
V0, EFD0, IFD0 = 1.02, 2.2, 2.2


def unit(key: str, ifd: float = IFD0, efd: float = EFD0, v: float = V0, **change: float) -> Bench:
    """A started exciter of the first sample, with changes."""
    model = catalog.model(key)
    bench = Bench(model, **{**SAMPLES_PSSE[key][0], **change})
    if "xad_ifd_pu" in vars(bench.u):
        bench.put(xad_ifd_pu=ifd)
    if "i_re" in vars(bench.u):
        bench.put(i_re=0.8, i_im=-0.3)
    return bench.start(v, {"efd_pu": efd})


def at_rest(bench: Bench) -> float:
    return max(abs(rate) for rate in bench.rates().values())


def lead_lag(t1: float, t2: float) -> np.ndarray:
    return (1 + S * t1) / (1 + S * t2)


def dc_forward(p) -> np.ndarray:
    """Voltage error to field voltage of the rotating DC exciter."""
    slope = 2 * p.sat_b * max(EFD0 - p.sat_a, 0.0)
    exciter = 1 / (p.ke_used + slope + S * p.te_s)
    return closed(lead_lag(p.tc_s, p.tb_s) * p.ka / (1 + S * p.ta_s) * exciter, p) / (1 + S * p.tr_s)


def closed(forward: np.ndarray, p) -> np.ndarray:
    """With rate feedback around it."""
    return forward / (1 + forward * S * p.kf / (1 + S * p.tf_s))


def ac_forward(p, ve: float, ifd: float) -> np.ndarray:
    """Voltage error to field voltage of the alternator exciter; the rate feedback is of VFE."""
    slope = p.ke + 2 * p.sat_b * max(ve - p.sat_a, 0.0)
    regulator = lead_lag(p.tc_s, p.tb_s) * p.ka / (1 + S * p.ta_s)
    loop = regulator / (slope + S * p.te_s)
    feedback = slope * S * p.kf / (1 + S * p.tf_s)
    gain = (rectifier_voltage(ve + 1e-6, ifd, p.kc) - rectifier_voltage(ve - 1e-6, ifd, p.kc)) / 2e-6
    return gain * loop / (1 + loop * feedback) / (1 + S * p.tr_s)


def st_forward(p) -> np.ndarray:
    """Voltage error to field voltage of the static exciters."""
    second = lead_lag(p.tc1_s, p.tb1_s) if hasattr(p, "tc1_s") else 1.0
    return closed(lead_lag(p.tc_s, p.tb_s) * second * p.ka / (1 + S * p.ta_s), p) / (1 + S * p.tr_s)


@pytest.mark.parametrize("key", ["ieeex1", "esdc1a", "esdc2a"])
@pytest.mark.parametrize(
    "change", [{}, {"tr_s": 0.0, "ta_s": 0.0}, {"tb_s": 0.0, "tc_s": 0.0}, {"kf": 0.0, "tf_s": 0.0}]
)
def test_dc_transfer_function(key, change):
    bench = unit(key, **change)
    assert at_rest(bench) < 1e-12
    p = bench.p
    if p.kf == 0.0:
        p.tf_s = 1.0
    np.testing.assert_allclose(bench.response("v_re", "efd_pu", OMEGA), -dc_forward(p), rtol=1e-6)


@pytest.mark.parametrize("key", ["esac1a", "exac1"])
@pytest.mark.parametrize("change", [{}, {"tr_s": 0.0, "ta_s": 0.0}, {"kc": 0.0, "kd": 0.0}, {"kc": 0.9}])
def test_ac_transfer_function(key, change):
    bench = unit(key, **change)
    assert at_rest(bench) < 1e-12
    expected = -ac_forward(bench.p, bench.x.ve_pu, IFD0)
    np.testing.assert_allclose(bench.response("v_re", "efd_pu", OMEGA), expected, rtol=1e-5)


@pytest.mark.parametrize("key", ["exst1", "esst1a"])
@pytest.mark.parametrize("change", [{}, {"kf": 0.0}, {"kf": 0.0, "ta_s": 0.0, "tr_s": 0.0}])
def test_st_transfer_function(key, change):
    bench = unit(key, **change)
    assert at_rest(bench) < 1e-12
    np.testing.assert_allclose(bench.response("v_re", "efd_pu", OMEGA), -st_forward(bench.p), rtol=1e-6)


def test_esst1a_stabiliser_behind_the_regulator():
    bench = unit("esst1a", vos=2.0, kf=0.0)
    np.testing.assert_allclose(bench.response("vs_pu", "efd_pu", OMEGA), np.ones(len(OMEGA)), rtol=1e-7)
    bench = unit("esst1a", kf=0.0, tr_s=0.0)
    np.testing.assert_allclose(bench.response("vs_pu", "efd_pu", OMEGA), st_forward(bench.p), rtol=1e-6)


def test_esst1a_field_current_limiter():
    """Above ILR the field voltage falls by KLR for a pu of current; the start takes it into account."""
    bench = unit("esst1a", kf=0.0, ifd=2.5, efd=2.2)
    assert bench.x.va_pu == pytest.approx(2.2 + 4.54 * 0.5, rel=1e-12)
    assert bench.response("xad_ifd_pu", "efd_pu", OMEGA)[0] == pytest.approx(-4.54, rel=1e-6)
    below = unit("esst1a", kf=0.0, ifd=1.8)
    assert abs(below.response("xad_ifd_pu", "efd_pu", OMEGA)[0]) < 1e-9


@pytest.mark.parametrize("change", [{}, {"ta_s": 0.0, "tr_s": 0.0}, {"kim": 0.0, "kir": 0.0}])
def test_esst4b_transfer_function(change):
    """From the reference: PI, firing lag, inner loop closed through KG."""
    bench = unit("esst4b", **change)
    assert at_rest(bench) < 1e-12
    p = bench.p
    bench.call("outputs")
    regulator = (p.kpr + p.kir / S) / (1 + S * p.ta_s)
    inner = (p.kpm + p.kim / S) * bench.y.vb_pu
    expected = regulator * inner / (1 + inner * p.kg)
    np.testing.assert_allclose(bench.response("dv_ref_pu", "efd_pu", OMEGA), expected, rtol=1e-6)


def test_esst4b_source_follows_voltage_current_and_angle():
    bench = unit("esst4b", kc=0.0)
    bench.call("outputs")
    kp = 6.73 * np.exp(1j * np.radians(10.0))
    assert bench.y.vb_pu == pytest.approx(abs(kp * V0 + 1j * (0.1 + kp * 0.01) * (0.8 - 0.3j)), rel=1e-12)
    bench.put(v=1.4)
    bench.call("outputs")
    assert bench.y.vb_pu == 8.41


@pytest.mark.parametrize(("cswitch", "factor"), [(0.0, V0), (1.0, 1.0)])
@pytest.mark.parametrize("te_s", [0.05, 0.0])
def test_scrx_transfer_function(cswitch, factor, te_s):
    bench = unit("scrx", cswitch=cswitch, te_s=te_s)
    assert at_rest(bench) < 1e-12
    expected = factor * 100.0 * (1 + S) / (1 + 10 * S) / (1 + S * te_s)
    np.testing.assert_allclose(bench.response("dv_ref_pu", "efd_pu", OMEGA), expected, rtol=1e-6)


def test_scrx_crowbar_takes_negative_field_current():
    bench = unit("scrx")
    bench.put(xad_ifd_pu=-0.3)
    bench.call("outputs")
    assert bench.y.efd_pu == pytest.approx(3.0)
    free = unit("scrx", rc_rfd=0.0)
    free.put(xad_ifd_pu=-0.3)
    free.call("outputs")
    assert free.y.efd_pu == pytest.approx(EFD0)


LOW, HIGH = 0.2, 2.5
"""Bus voltages that drive every regulator into its limits."""


def driven(
    bench: Bench, watch: str, seconds: float = 2.0, step_s: float = 2e-3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The watched signal while the voltage is low, high, and back at the start's value for eight times as long."""

    def voltage(t):
        return {"v": LOW if t < seconds else HIGH if t < 2 * seconds else V0}

    seen, n = bench.play(voltage, 10 * seconds, watch, step_s)[1], round(seconds / step_s)
    return seen[:n], seen[n : 2 * n], seen[2 * n :]


@pytest.mark.parametrize(
    ("key", "watch", "low", "high"),
    [
        ("ieeex1", "vr_pu", -9.0, 9.0),
        ("esdc1a", "vr_pu", -9.0, 9.0),
        ("esdc2a", "vr_pu", -9.0 * HIGH, 9.0 * LOW),
        ("exac1", "vr_pu", -12.0, 15.0),
        ("esac1a", "vr_pu", -12.0, 14.0),
    ],
)
def test_regulator_into_both_limits_and_back(key, watch, low, high):
    bench = unit(key, kf=0.0)
    start = getattr(bench.y, watch)
    down, up, back = driven(bench, watch)
    assert down.max() == pytest.approx(high)
    assert up.min() == pytest.approx(low)
    assert back[-1] == pytest.approx(start, abs=0.3)


def test_regulator_leaves_its_limit_at_once():
    """Non-windup: after 20 s at the ceiling it is off it within a tenth of a second."""
    for key in ("ieeex1", "esdc1a", "exac1", "esac1a"):
        bench = unit(key, kf=0.0, tb_s=0.0, tc_s=0.0)
        _, seen = bench.play(
            lambda t: {"v": 0.5 if t < 20.0 else 1.5}, 20.3, "va_pu" if "ac1" in key else "vr_pu", 5e-3
        )
        assert seen[3999] == seen.max()
        assert seen[4030] < 0.9 * seen.max()


@pytest.mark.parametrize("key", ["esdc1a", "esdc2a", "esac1a", "exac1"])
def test_rotating_exciter_stops_at_zero_and_comes_back(key):
    _, up, back = driven(unit(key, kf=0.0, se1=0.0, se2=0.0), "efd_pu", seconds=4.0)
    assert up.min() == 0.0
    assert back[-1] == pytest.approx(EFD0, abs=0.1)


@pytest.mark.parametrize("key", ["exst1", "esst1a"])
def test_static_exciter_ceiling_follows_voltage_and_current(key):
    bench = (
        unit(key, kf=0.0, tb_s=1.0, vamax_pu=50.0, vamin_pu=-50.0) if key == "esst1a" else unit(key, kf=0.0, tb_s=1.0)
    )
    down, up, back = driven(bench, "efd_pu")
    assert down.max() == pytest.approx(LOW * 7.0 - 0.04 * IFD0)
    assert up.min() == pytest.approx(HIGH * -6.4 - (0.04 * IFD0 if key == "exst1" else 0.0))
    assert back[-1] == pytest.approx(EFD0, abs=0.1)


def test_esst1a_regulator_limits():
    down, up, _ = driven(unit("esst1a", kf=0.0, tb_s=1.0), "va_pu")
    assert down.max() == 12.0
    assert up.min() == -12.0


def test_voltage_error_limits():
    bench = unit("exst1", vimax_pu=0.1, vimin_pu=-0.05, kf=0.0, tr_s=0.0, tc_s=0.0, tb_s=0.0)
    down, up, _ = driven(bench, "vr_pu")
    assert down[-1] == pytest.approx(20.0)
    assert up[-1] == pytest.approx(-10.0)


def test_esst4b_limits_and_back():
    down, up, back = driven(unit("esst4b", vmmin_pu=-0.3), "vm_pu")
    assert down.max() == 1.2
    assert up.min() == -0.3
    assert back[100] > -0.3, "off the limit: no windup"


def test_scrx_limits_and_back():
    down, up, back = driven(unit("scrx", tb_s=1.0), "vr_pu")
    assert down.max() == 10.0
    assert up.min() == -10.0
    assert back[-1] == pytest.approx(EFD0 / V0, abs=0.01)


@pytest.mark.parametrize("kc", [0.0, 0.1, 0.4, 0.9, 1.6, 3.0])
def test_rectifier_source_is_the_inverse(kc):
    for efd in (0.0, 0.5, 2.0, 5.0):
        ve = rectifier_source("X", efd, 2.0, kc)
        assert rectifier_voltage(ve, 2.0, kc) == pytest.approx(efd, abs=1e-9)


def test_rectifier_gives_no_negative_voltage():
    with pytest.raises(InitialisationError, match=r"ESAC1A: field voltage starts at -0\.1"):
        unit("esac1a", efd=-0.1)


@pytest.mark.parametrize(
    ("key", "change", "text"),
    [
        ("ieeex1", {"vrmax_pu": 2.0}, "IEEEX1: regulator output.*vrmax_pu = 2"),
        ("esdc1a", {"vrmax_pu": 2.0}, "ESDC1A: regulator output.*vrmax_pu = 2"),
        ("esdc2a", {"vrmax_pu": 2.0}, "ESDC2A: regulator output.*vrmax_pu x vt = 2.04"),
        ("exac1", {"vrmax_pu": 3.0}, "EXAC1: regulator output.*vrmax_pu = 3"),
        ("esac1a", {"vamax_pu": 3.0}, "ESAC1A: regulator output.*vamax_pu = 3"),
        ("esac1a", {"vrmax_pu": 3.0}, "ESAC1A: regulator output.*vrmax_pu = 3"),
        ("exst1", {"vrmax_pu": 2.0}, "EXST1: field voltage.*vrmax_pu vt - kc ifd"),
        ("exst1", {"vimax_pu": 0.01}, "EXST1: voltage error.*vimax_pu = 0.01"),
        ("esst1a", {"vamax_pu": 2.5}, "ESST1A: regulator output.*vamax_pu = 2.5"),
        ("esst4b", {"vmmax_pu": 0.3}, "ESST4B: bridge control.*vmmax_pu = 0.3"),
        ("esst4b", {"vrmax_pu": 0.1}, "ESST4B: regulator output.*vrmax_pu = 0.1"),
        ("scrx", {"emax_pu": 2.0}, "SCRX: amplifier output.*emax_pu = 2"),
    ],
)
def test_start_outside_a_limit_is_refused(key, change, text):
    with pytest.raises(InitialisationError, match=text):
        unit(key, **change)


@pytest.mark.parametrize("key", ["esdc1a", "esdc2a"])
def test_negative_field_voltage_is_refused(key):
    with pytest.raises(InitialisationError, match="below 0"):
        unit(key, efd=-0.2)


@pytest.mark.parametrize(
    ("key", "change", "field"),
    [
        ("ieeex1", {"vrmin_pu": 9.0}, "vrmin_pu"),
        ("esdc1a", {"tb_s": 0.0}, "tb_s"),
        ("esdc2a", {"tf_s": 0.0}, "tf_s"),
        ("esac1a", {"vamin_pu": 20.0}, "vamin_pu"),
        ("esac1a", {"se1": 0.5}, "se1"),
        ("exac1", {"vrmin_pu": 20.0}, "vrmin_pu"),
        ("exst1", {"ta_s": 0.0}, "ta_s"),
        ("exst1", {"vimin_pu": 100.0}, "vimin_pu"),
        ("esst1a", {"vos": 3.0}, "vos"),
        ("esst1a", {"tb1_s": 0.0}, "tb1_s"),
        ("esst1a", {"ta_s": 0.0}, "ta_s"),
        ("esst4b", {"kp": 0.0, "ki": 0.0}, "kp"),
        ("esst4b", {"kpm": 0.0, "kim": 0.0}, "kpm"),
        ("scrx", {"emin_pu": 11.0}, "emin_pu"),
    ],
)
def test_bad_data_are_named(key, change, field):
    model = catalog.model(key)
    given = {q.name: q.default for q in model.params if not q.solved} | SAMPLES_PSSE[key][0]
    assert model.check(given) == []
    assert [name for name, _ in model.check(given | change)] == [field]


def test_the_two_rules_for_zeros_reach_all_dc_exciters():
    for key in ("ieeex1", "esdc1a", "esdc2a"):
        bench = unit(key, ke=0.0, vrmax_pu=9.0)
        assert bench.x.vr_pu == pytest.approx(0.9, rel=1e-12)
        bench = unit(key, vrmax_pu=0.0, vrmin_pu=0.0)
        assert bench.p.vr_high_pu == pytest.approx(1.3 * 4.0, rel=1e-12)
