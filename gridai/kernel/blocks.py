"""Control blocks as pure functions `(u, x, parameters) -> (y, dx)`, used by every model.

u is the input, x the block's state, y its output, dx the derivative of x. A time constant of zero makes a block
algebraic where the field allows it (lag, lead-lag with no lag and no lead): then y = u and dx = 0, and the state
is inactive. Limits: "windup" clips the output and leaves the state free; "non-windup" holds the state at its limit
while the input pushes outwards (IEEE Std 421.5-2016, annex E). A fixed step may carry a state past its limit within
one step: the output is clipped, and the model's `clamp` puts the state back at the step's end.

The last part holds what initialisation needs: saturation constants, and the error for a start outside a limiter.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.contract import kernel


@kernel
def clip(u, low, high):
    """u within [low, high]."""
    return min(max(u, low), high)


@kernel
def held(rate, x, low, high):
    """The rate of a state with non-windup limits: zero while it pushes x further out."""
    if (x >= high and rate > 0.0) or (x <= low and rate < 0.0):
        return 0.0
    return rate


@kernel
def magnitude(re, im):
    """Length of re + j im; quicker than abs() of a complex, which guards against overflow."""
    return np.sqrt(re * re + im * im)


@kernel
def lag(u, x, k, t_s):
    """k / (1 + s T). T = 0: y = k u."""
    if t_s <= 0.0:
        return k * u, 0.0
    return x, (k * u - x) / t_s


@kernel
def lag_nonwindup(u, x, k, t_s, low, high):
    """k / (1 + s T) with non-windup limits on the output. T = 0: y = k u, clipped."""
    if t_s <= 0.0:
        return clip(k * u, low, high), 0.0
    return clip(x, low, high), held((k * u - x) / t_s, x, low, high)


@kernel
def servo(u, x, t_s, slowest, fastest, low, high):
    """1 / (1 + s T) with limits on the rate (slowest < 0 < fastest, per second) and on the position (non-windup).

    T = 0: y = u within the position limits, the rate limits are not applied.
    """
    if t_s <= 0.0:
        return clip(u, low, high), 0.0
    return clip(x, low, high), held(clip((u - x) / t_s, slowest, fastest), x, low, high)


@kernel
def integrator(u, x, t_s):
    """1 / (s T)."""
    return x, u / t_s


@kernel
def integrator_nonwindup(u, x, t_s, low, high):
    """1 / (s T) with non-windup limits."""
    return clip(x, low, high), held(u / t_s, x, low, high)


@kernel
def pi_nonwindup(u, x, kp, ki, low, high):
    """kp + ki / s, state x = the integral part; the integral waits while the sum is at a limit (421.5-2016, E.3)."""
    total = kp * u + x
    return clip(total, low, high), held(ki * u, total, low, high)


@kernel
def lead_lag(u, x, t1_s, t2_s):
    """(1 + s T1) / (1 + s T2), state x = the lagged part. T2 = 0: y = u (T1 must be 0 too)."""
    if t2_s <= 0.0:
        return u, 0.0
    rate = (u - x) / t2_s
    return x + t1_s * rate, rate


@kernel
def washout(u, x, k, t_s):
    """k s T / (1 + s T), state x = lagged input. T = 0: y = 0."""
    if t_s <= 0.0:
        return 0.0, 0.0
    return k * (u - x), (u - x) / t_s


@kernel
def derivative_filtered(u, x, k, t_s):
    """k s / (1 + s T), state x = lagged input. T = 0: y = 0."""
    if t_s <= 0.0:
        return 0.0, 0.0
    rate = (u - x) / t_s
    return k * rate, rate


@kernel
def biquad(u, x1, x2, a1, a2, b1, b2):
    """(1 + b1 s + b2 s^2) / (1 + a1 s + a2 s^2), states x1 (low-pass output) and x2 = dx1/dt: (y, dx1, dx2).

    a2 = 0: first order, b2 must be 0 and x2 rests. a1 = a2 = 0: y = u, b1 and b2 must be 0, both states rest.
    """
    if a2 > 0.0:
        d2 = (u - x1 - a1 * x2) / a2
        return x1 + b1 * x2 + b2 * d2, x2, d2
    if a1 > 0.0:
        d1 = (u - x1) / a1
        return x1 + b1 * d1, d1, 0.0
    return u, 0.0, 0.0


@kernel
def phasor_slip(v, x, t_s):
    """Rate of turn of a phasor behind a lag 1 / (1 + s T) [rad/s], complex state x = the lagged phasor: (slip, dx).

    It needs no angle to be unwrapped and stays finite when the phasor jumps. T must be above 0. A lagged phasor of
    zero (a dead bus) gives 0.
    """
    rate = (v - x) / t_s
    size = x.real**2 + x.imag**2
    if size < 1e-12:
        return 0.0, rate
    return (x.real * rate.imag - x.imag * rate.real) / size, rate


@kernel
def deadband_step(u, low, high):
    """Zero inside the band, u outside it (intentional deadband of type 1: it steps)."""
    if low <= u <= high:
        return 0.0
    return u


@kernel
def deadband_offset(u, low, high):
    """Zero inside the band, u less the edge outside it (type 2: no step)."""
    if u > high:
        return u - high
    if u < low:
        return u - low
    return 0.0


@kernel
def rectifier_loading(i_n):
    """FEX of the rectifier's normalised load current I_N (IEEE Std 421.5-2016, annex D); 1 at no load, 0 from 1 up."""
    if i_n <= 0.0:
        return 1.0
    if i_n <= 0.433:
        return 1.0 - 0.577 * i_n
    if i_n < 0.75:
        return np.sqrt(0.75 - i_n**2)
    return max(1.732 * (1.0 - i_n), 0.0)


@kernel
def saturation_quadratic(psi, a, b):
    """Scaled quadratic saturation b (psi - a)^2 / psi above psi = a, else 0 (PSS/E, GENROU and GENSAL)."""
    if psi <= a or psi <= 0.0:
        return 0.0
    return b * (psi - a) ** 2 / psi


@kernel
def saturation_exponential(psi, a, b):
    """Exponential saturation a psi^b, with a = S(1.0) and b = ln(S(1.2) / S(1.0)) / ln 1.2 (PSS/E, GENROE)."""
    if psi <= 0.0:
        return 0.0
    return a * psi**b


@kernel
def exciter_saturation(e, a, b):
    """Exciter saturation: Se(E) E = b (E - a)^2 above a, else 0 (PSS/E quadratic form). Returns Se E."""
    if e <= a:
        return 0.0
    return b * (e - a) ** 2


def quadratic_constants(s10: float, s12: float) -> tuple[float, float]:
    """a and b of `saturation_quadratic` from S(1.0) and S(1.2). (0, 0) pairs give no saturation.

    S(psi) = b (psi - a)^2 / psi through both points; needs s12 > 0 and s12 * 1.2 > s10.
    """
    if s12 <= 0.0:
        return 1.0, 0.0
    if s10 <= 0.0:
        return 1.0, 1.2 * s12 / 0.04
    ratio = np.sqrt(s10 / (1.2 * s12))
    a = (1.0 - 1.2 * ratio) / (1.0 - ratio)
    return float(a), float(s10 / (1.0 - a) ** 2)


def exciter_constants(e1: float, se1: float, e2: float, se2: float) -> tuple[float, float]:
    """a and b of `exciter_saturation` from Se at two field voltages, in any order; all zero: no saturation.

    The points must pass `exciter_complaints`.
    """
    if se1 <= 0.0 and se2 <= 0.0:
        return 0.0, 0.0
    if e1 > e2:
        e1, se1, e2, se2 = e2, se2, e1, se1
    if se1 <= 0.0:
        return e1, se2 * e2 / (e2 - e1) ** 2
    ratio = np.sqrt(se1 * e1 / (se2 * e2))
    a = (e1 - ratio * e2) / (1.0 - ratio)
    return float(a), float(se1 * e1 / (e1 - a) ** 2)


def exciter_complaints(values: dict[str, float]) -> list[tuple[str, str]]:
    """What is wrong with the saturation points e1_pu, se1, e2_pu, se2 of an exciter: (parameter, complaint) pairs."""
    (e1, se1), (e2, se2) = sorted(((values["e1_pu"], values["se1"]), (values["e2_pu"], values["se2"])))
    if se1 == 0.0 and se2 == 0.0:
        return []
    if e1 == e2:
        return [("e1_pu", "equals e2_pu; give saturation at two field voltages, or zero for both se1 and se2")]
    if e1 < 0.0 or (e1 == 0.0 and se1 > 0.0):
        return [("e1_pu", "must be above 0 where saturation is given")]
    if se1 * e1 >= se2 * e2:
        return [
            ("se1", "saturation must grow with field voltage: se * e at the larger e must exceed se * e at the other")
        ]
    return []


def require_within(
    model: str, what: str, value: float, low: tuple[str, float], high: tuple[str, float], remedy: str
) -> None:
    """Raise InitialisationError when the start lies outside a limiter.

    model    name of the model.                  what    the quantity with its unit: "field voltage [pu]".
    low      parameter name and value of the lower limit; `high` likewise.      remedy  what the user can change.
    A margin of 1e-9 is allowed for rounding. A value that is not a number is refused too.
    """
    margin = 1e-9 * max(1.0, abs(value))
    side, (name, limit) = ("above", high) if value > high[1] + margin else ("below", low)
    if side == "above" or not value >= low[1] - margin:
        error = InitialisationError(f"{model}: {what} starts at {value:.6g}, {side} {name} = {limit:.6g}: {remedy}")
        error.outside = (("", model, name, float(value), float(limit)),)
        raise error
