"""SEXS and IEEET1: against their transfer functions, into the limits and back, starts and refusals."""

import numpy as np
import pytest
from controller_bench import Bench
from scipy import signal

from gridai.errors import InitialisationError
from gridai.models.exciters.ieeet1 import MODEL as IEEET1
from gridai.models.exciters.sexs import MODEL as SEXS

OMEGA = np.logspace(-2, 2, 25)
SEXS_DATA = {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.1, "emin_pu": 0.0, "emax_pu": 3.0}
IEEET1_DATA = {
    "tr_s": 0.02, "ka": 40.0, "ta_s": 0.05, "vrmax_pu": 5.0, "vrmin_pu": -5.0, "ke": -0.0485, "te_s": 0.25,
    "kf": 0.03, "tf_s": 1.0, "e1_pu": 3.0, "se1": 0.08, "e2_pu": 4.0, "se2": 0.26,
}  # fmt: skip


def at_rest(unit):
    return max(abs(rate) for rate in unit.rates().values())


def value(*factors):
    """Product of (numerator, denominator) polynomials at j OMEGA."""
    product = np.ones(len(OMEGA), complex)
    for top, bottom in factors:
        product *= np.polyval(top, 1j * OMEGA) / np.polyval(bottom, 1j * OMEGA)
    return product


@pytest.mark.parametrize("te_s", [0.1, 0.0])
def test_sexs_transfer_function(te_s):
    unit = Bench(SEXS, **SEXS_DATA | {"te_s": te_s}).start(1.02, {"efd_pu": 1.8})
    assert at_rest(unit) < 1e-12
    expected = -100.0 * value(([1.0, 1.0], [10.0, 1.0]), ([1.0], [te_s, 1.0]))
    np.testing.assert_allclose(unit.response("v_re", "efd_pu", OMEGA), expected, rtol=1e-7)
    np.testing.assert_allclose(unit.response("vs_pu", "efd_pu", OMEGA), -expected, rtol=1e-7)
    np.testing.assert_allclose(unit.response("dv_ref_pu", "efd_pu", OMEGA), -expected, rtol=1e-7)


def test_sexs_step_response():
    unit = Bench(SEXS, **SEXS_DATA).start(1.0, {"efd_pu": 1.5})
    t, efd = unit.play(lambda t: {"v": 0.995}, 3.0, "efd_pu")
    _, expected = signal.step(signal.TransferFunction([100.0, 100.0], np.polymul([10.0, 1.0], [0.1, 1.0])), T=t)
    np.testing.assert_allclose(efd, 1.5 + 0.005 * expected, atol=1e-9)


@pytest.mark.parametrize("te_s", [0.1, 0.0])
def test_sexs_into_both_limits_and_back(te_s):
    unit = Bench(SEXS, **SEXS_DATA | {"te_s": te_s}).start(1.0, {"efd_pu": 1.5})

    def voltage(t):
        return {"v": 0.6 if t < 1.0 else 1.4 if t < 2.0 else 1.0}

    _, efd = unit.play(voltage, 30.0, "efd_pu")
    assert efd.max() == 3.0
    assert efd.min() == 0.0
    assert efd[999] == 3.0
    assert efd[1010] < 2.9  # off the limit at once: no windup
    assert efd[-1] == pytest.approx(1.5, abs=0.2)
    assert at_rest(unit) < 0.2


@pytest.mark.parametrize(("efd", "name"), [(3.2, "emax_pu = 3"), (-0.1, "emin_pu = 0")])
def test_sexs_refuses_a_start_outside_its_limits(efd, name):
    with pytest.raises(InitialisationError, match=f"SEXS: field voltage.*{efd}.*{name}.*widen"):
        Bench(SEXS, **SEXS_DATA).start(1.0, {"efd_pu": efd})


def test_sexs_refuses_crossed_limits():
    assert SEXS.check(SEXS_DATA) == []
    assert SEXS.check(SEXS_DATA | {"emin_pu": 5.0})[0][0] == "emin_pu"


@pytest.mark.parametrize("change", [{}, {"tr_s": 0.0}, {"ta_s": 0.0}, {"kf": 0.0, "tf_s": 0.0}, {"ke": 1.0}])
def test_ieeet1_transfer_function(change):
    data = IEEET1_DATA | change
    unit = Bench(IEEET1, **data).start(1.03, {"efd_pu": 2.6})
    assert at_rest(unit) < 1e-12
    slope = 2.0 * unit.p.sat_b * (2.6 - unit.p.sat_a)
    forward = value(([data["ka"]], [data["ta_s"], 1.0]), ([1.0], [data["te_s"], data["ke"] + slope]))
    back = value(([data["kf"], 0.0], [data["tf_s"], 1.0]))
    expected = -value(([1.0], [data["tr_s"], 1.0])) * forward / (1.0 + forward * back)
    np.testing.assert_allclose(unit.response("v_re", "efd_pu", OMEGA), expected, rtol=1e-6)


def test_ieeet1_saturation_goes_through_both_points_in_either_order():
    swapped = {"e1_pu": 4.0, "se1": 0.26, "e2_pu": 3.0, "se2": 0.08}
    for data in (IEEET1_DATA, IEEET1_DATA | swapped):
        for efd, se in ((3.0, 0.08), (4.0, 0.26)):
            unit = Bench(IEEET1, **data).start(1.0, {"efd_pu": efd})
            assert unit.x.vr_pu == pytest.approx((-0.0485 + se) * efd, rel=1e-12)


def test_ieeet1_into_both_limits_and_back():
    data = IEEET1_DATA | {"ke": 1.0, "vrmax_pu": 4.0, "vrmin_pu": -1.0}
    unit = Bench(IEEET1, **data).start(1.0, {"efd_pu": 2.0})
    start = unit.x.vr_pu

    def voltage(t):
        return {"v": 0.5 if t < 2.0 else 1.5 if t < 4.0 else 1.0}

    _, vr = unit.play(voltage, 20.0, "vr_pu")
    assert vr.max() == 4.0
    assert vr.min() == -1.0
    assert vr[1990] == 4.0
    assert vr[2050] < 4.0  # held, not wound up
    assert vr[-1] == pytest.approx(start, abs=0.01)


def test_ieeet1_finds_ke_when_zero():
    """PSS/E's rule: the regulator starts at a tenth of its ceiling."""
    unit = Bench(IEEET1, **IEEET1_DATA | {"ke": 0.0}).start(1.0, {"efd_pu": 3.0})
    assert unit.p.ke_used == pytest.approx(5.0 / 30.0 - 0.08, rel=1e-12)
    assert unit.x.vr_pu == pytest.approx(0.5, rel=1e-12)
    with pytest.raises(InitialisationError, match="ke = 0"):
        Bench(IEEET1, **IEEET1_DATA | {"ke": 0.0}).start(1.0, {"efd_pu": 0.0})


@pytest.mark.parametrize(("ke", "ceiling"), [(1.0, 1.26 * 4.0), (0.0, 0.26 * 4.0), (-0.05, 0.26 * 4.0)])
def test_ieeet1_finds_vrmax_when_zero(ke, ceiling):
    unit = Bench(IEEET1, **IEEET1_DATA | {"ke": ke, "vrmax_pu": 0.0, "vrmin_pu": 0.0}).start(1.0, {"efd_pu": 2.5})
    assert (unit.p.vr_low_pu, unit.p.vr_high_pu) == pytest.approx((-ceiling, ceiling), rel=1e-12)
    assert at_rest(unit) < 1e-12


def test_ieeet1_refuses_a_start_outside_its_limits():
    with pytest.raises(InitialisationError, match=r"IEEET1: regulator output.*above vrmax_pu = 1:.*setpoint"):
        Bench(IEEET1, **IEEET1_DATA | {"ke": 1.0, "vrmax_pu": 1.0}).start(1.0, {"efd_pu": 2.0})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vrmin_pu": 6.0}, "vrmin_pu"),
        ({"tf_s": 0.0}, "tf_s"),
        ({"e2_pu": 3.0}, "e1_pu"),
        ({"se1": 0.5, "se2": 0.1}, "se1"),
        ({"vrmax_pu": 0.0, "ke": 0.0, "se1": 0.0, "se2": 0.0}, "vrmax_pu"),
    ],
)
def test_ieeet1_refuses_bad_data(change, field):
    assert IEEET1.check(IEEET1_DATA) == []
    assert [name for name, _ in IEEET1.check(IEEET1_DATA | change)] == [field]
