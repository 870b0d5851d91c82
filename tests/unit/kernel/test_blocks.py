"""Control blocks: linear ones against scipy's transfer functions, limits, saturation, the error of a bad start."""

import inspect

import numba
import numpy as np
import pytest
from scipy import signal

from gridai.errors import InitialisationError
from gridai.kernel import blocks
from gridai.kernel.compile import jitted

OMEGA = np.logspace(-2, 2, 21)
WIDE = (-1e9, 1e9)

LINEAR = [
    (blocks.lag, (5.0, 0.3), [5.0], [0.3, 1.0]),
    (blocks.lag, (5.0, 0.0), [5.0], [1.0]),
    (blocks.lag_nonwindup, (5.0, 0.3, *WIDE), [5.0], [0.3, 1.0]),
    (blocks.lag_nonwindup, (5.0, 0.0, *WIDE), [5.0], [1.0]),
    (blocks.servo, (0.4, *WIDE, *WIDE), [1.0], [0.4, 1.0]),
    (blocks.servo, (0.0, *WIDE, *WIDE), [1.0], [1.0]),
    (blocks.integrator, (0.7,), [1.0], [0.7, 0.0]),
    (blocks.integrator_nonwindup, (0.7, *WIDE), [1.0], [0.7, 0.0]),
    (blocks.pi_nonwindup, (2.0, 3.0, *WIDE), [2.0, 3.0], [1.0, 0.0]),
    (blocks.lead_lag, (0.2, 1.5), [0.2, 1.0], [1.5, 1.0]),
    (blocks.lead_lag, (0.0, 0.0), [1.0], [1.0]),
    (blocks.washout, (3.0, 1.65), [3.0 * 1.65, 0.0], [1.65, 1.0]),
    (blocks.derivative_filtered, (3.0, 0.5), [3.0, 0.0], [0.5, 1.0]),
]


@pytest.mark.parametrize(("block", "values", "top", "bottom"), LINEAR)
def test_first_order_blocks_have_their_transfer_function(block, values, top, bottom):
    (d, b), (c, a) = block(1.0, 0.0, *values), block(0.0, 1.0, *values)
    s = 1j * OMEGA
    ours = d + c * b / (s - a)
    _, expected = signal.freqresp(signal.TransferFunction(top, bottom), OMEGA)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [blocks.washout, blocks.derivative_filtered])
def test_washouts_without_time_constant_give_nothing(block):
    assert block(5.0, 2.0, 3.0, 0.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    "coefficients", [(1.013, 0.013, 1.013, 0.113), (0.0, 0.2, 0.3, 0.0), (0.5, 0.0, 0.2, 0.0), (0.0, 0.0, 0.0, 0.0)]
)
def test_biquad_of_every_order(coefficients):
    a1, a2, b1, b2 = coefficients
    columns = [blocks.biquad(*basis, *coefficients) for basis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))]
    (d, *b), *states = columns
    c = np.array([q[0] for q in states])
    a = np.array([q[1:] for q in states]).T
    n = 2 if a2 else 1 if a1 else 0
    for w in OMEGA:
        s = 1j * w
        ours = d + (c[:n] @ np.linalg.solve(s * np.eye(n) - a[:n, :n], np.array(b)[:n]) if n else 0.0)
        assert ours == pytest.approx((1 + b1 * s + b2 * s**2) / (1 + a1 * s + a2 * s**2), rel=1e-12)


@pytest.mark.parametrize("block", [blocks.lag_nonwindup, blocks.integrator_nonwindup, blocks.servo])
def test_nonwindup_states_wait_at_the_limit(block):
    values = {
        blocks.lag_nonwindup: (1.0, 0.5, -1.0, 2.0),
        blocks.integrator_nonwindup: (0.5, -1.0, 2.0),
        blocks.servo: (0.5, -9.0, 9.0, -1.0, 2.0),
    }[block]
    assert block(5.0, 2.0, *values) == (2.0, 0.0)
    assert block(-5.0, -1.0, *values) == (-1.0, 0.0)
    assert block(-5.0, 2.0, *values)[1] < 0.0
    assert block(5.0, -1.0, *values)[1] > 0.0
    assert block(5.0, 2.1, *values) == (2.0, 0.0)  # carried past the limit within a step


def test_servo_limits_its_rate():
    assert blocks.servo(5.0, 0.0, 0.5, -0.1, 0.2, -1.0, 2.0) == (0.0, 0.2)
    assert blocks.servo(-5.0, 0.0, 0.5, -0.1, 0.2, -1.0, 2.0) == (0.0, -0.1)
    assert blocks.servo(0.05, 0.0, 0.5, -0.1, 0.2, -1.0, 2.0)[1] == pytest.approx(0.1)
    assert blocks.servo(5.0, 0.0, 0.0, -0.1, 0.2, -1.0, 2.0) == (2.0, 0.0)


def test_pi_integral_waits_while_the_sum_is_limited():
    assert blocks.pi_nonwindup(1.0, 0.5, 2.0, 3.0, -1.0, 2.0) == (2.0, 0.0)
    assert blocks.pi_nonwindup(-1.0, 0.5, 2.0, 3.0, -1.0, 2.0) == (-1.0, 0.0)
    assert blocks.pi_nonwindup(0.5, 0.5, 2.0, 3.0, -1.0, 2.0) == (1.5, 1.5)


def test_deadbands():
    assert [blocks.deadband_step(u, -0.1, 0.2) for u in (-0.3, -0.1, 0.0, 0.2, 0.3)] == [-0.3, 0.0, 0.0, 0.0, 0.3]
    offset = [blocks.deadband_offset(u, -0.1, 0.2) for u in (-0.3, -0.1, 0.0, 0.2, 0.3)]
    assert offset == pytest.approx([-0.2, 0.0, 0.0, 0.0, 0.1])


def test_phasor_slip():
    """A steadily turning phasor is measured exactly, and the speed of a jump decays with the lag."""
    slip, t_s = 2 * np.pi * 0.37, 0.04
    v = 1.03 * np.exp(3.1j)
    measured, rate = blocks.phasor_slip(v, v / (1 + 1j * slip * t_s), t_s)
    assert measured == pytest.approx(slip, rel=1e-12)
    assert rate == pytest.approx(1j * slip * v / (1 + 1j * slip * t_s), rel=1e-12)
    assert blocks.phasor_slip(1j, 1.0 + 0j, t_s)[0] == pytest.approx(1.0 / t_s)
    assert blocks.phasor_slip(1.0 + 0j, 0j, t_s)[0] == 0.0


def test_rectifier_loading_is_continuous_and_falls():
    i_n = np.linspace(-0.2, 1.2, 1401)
    fex = np.array([blocks.rectifier_loading(i) for i in i_n])
    assert (fex[i_n <= 0] == 1.0).all()
    assert (fex[i_n >= 1.0] == 0.0).all()
    assert (np.diff(fex) <= 0.0).all()
    assert np.abs(np.diff(fex)).max() < 2.5e-3
    assert blocks.rectifier_loading(0.433) == pytest.approx(np.sqrt(0.75 - 0.433**2), abs=2e-4)


def test_machine_saturation_goes_through_its_points():
    for s10, s12 in ((0.1, 0.8), (0.03, 0.4), (0.0, 1.0)):
        a, b = blocks.quadratic_constants(s10, s12)
        assert blocks.saturation_quadratic(1.0, a, b) == pytest.approx(s10, abs=1e-12)
        assert blocks.saturation_quadratic(1.2, a, b) == pytest.approx(s12, rel=1e-12)
        assert blocks.saturation_quadratic(0.5 * a, a, b) == 0.0
    a, b = blocks.quadratic_constants(0.0, 0.0)
    assert blocks.saturation_quadratic(1.5, a, b) == 0.0
    exponent = np.log(0.8 / 0.1) / np.log(1.2)
    assert blocks.saturation_exponential(1.2, 0.1, exponent) == pytest.approx(0.8)
    assert blocks.saturation_exponential(-0.1, 0.1, exponent) == 0.0


@pytest.mark.parametrize("points", [(3.0, 0.08, 4.0, 0.26), (4.0, 0.26, 3.0, 0.08), (3.0, 0.0, 4.0, 0.26)])
def test_exciter_saturation_goes_through_its_points(points):
    e1, se1, e2, se2 = points
    assert complaints(*points) == []
    a, b = blocks.exciter_constants(*points)
    assert blocks.exciter_saturation(e1, a, b) == pytest.approx(se1 * e1, abs=1e-12)
    assert blocks.exciter_saturation(e2, a, b) == pytest.approx(se2 * e2, abs=1e-12)
    assert blocks.exciter_saturation(-3.0, a, b) == 0.0


def complaints(e1, se1, e2, se2):
    return blocks.exciter_complaints({"e1_pu": e1, "se1": se1, "e2_pu": e2, "se2": se2})


@pytest.mark.parametrize(
    ("points", "field"),
    [((3.0, 0.1, 3.0, 0.2), "e1_pu"), ((0.0, 0.1, 3.0, 0.2), "e1_pu"), ((3.0, 0.3, 4.0, 0.1), "se1"),
     ((3.0, 0.3, 4.0, 0.0), "se1")],
)  # fmt: skip
def test_exciter_saturation_that_cannot_be_drawn(points, field):
    assert [name for name, _ in complaints(*points)] == [field]
    assert complaints(0.0, 0.0, 0.0, 0.0) == []
    assert blocks.exciter_constants(0.0, 0.0, 0.0, 0.0) == (0.0, 0.0)


def test_a_start_outside_a_limiter_is_named():
    blocks.require_within("M", "x [pu]", 1.0 + 1e-12, ("lo", 0.0), ("hi", 1.0), "do this")
    for value, text in ((1.1, r"M: x \[pu\] starts at 1.1, above hi = 1: do this"), (-0.1, "below lo = 0"),
                        (float("nan"), "starts at nan")):  # fmt: skip
        with pytest.raises(InitialisationError, match=text):
            blocks.require_within("M", "x [pu]", value, ("lo", 0.0), ("hi", 1.0), "do this")


ALL = [f for f in vars(blocks).values() if getattr(f, "__gridai_kernel__", False) and f is not blocks.phasor_slip]


@pytest.mark.parametrize("block", ALL, ids=lambda f: f.__name__)
def test_compiled_blocks_give_the_same(block):
    rng = np.random.default_rng(7)
    compiled = jitted(block)
    call = numba.njit(lambda values: compiled(*values))
    for values in rng.uniform(-1.0, 2.0, (50, len(inspect.signature(block).parameters))):
        plain = tuple(float(v) for v in values)
        np.testing.assert_allclose(call(plain), block(*plain), rtol=1e-14, atol=1e-15)
