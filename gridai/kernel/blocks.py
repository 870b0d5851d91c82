"""Control blocks as pure functions `(u, x, parameters) -> (y, dx)`, used by every model.

u is the input, x the block's state, y its output, dx the derivative of x. A time constant of zero makes a block
algebraic where the field allows it (lag, lead-lag with no lag and no lead): then y = u and dx = 0, and the state
is inactive. Limits: "windup" clips the output and leaves the state free; "non-windup" holds the state at its limit
while the input pushes outwards (IEEE Std 421.5-2016, annex E).
"""

import numpy as np

from gridai.kernel.contract import kernel


@kernel
def clip(u, low, high):
    """u within [low, high]."""
    return min(max(u, low), high)


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
    rate = (k * u - x) / t_s
    if (x >= high and rate > 0.0) or (x <= low and rate < 0.0):
        rate = 0.0
    return clip(x, low, high), rate


@kernel
def integrator(u, x, t_s):
    """1 / (s T)."""
    return x, u / t_s


@kernel
def integrator_nonwindup(u, x, t_s, low, high):
    """1 / (s T) with non-windup limits."""
    rate = u / t_s
    if (x >= high and rate > 0.0) or (x <= low and rate < 0.0):
        rate = 0.0
    return clip(x, low, high), rate


@kernel
def lead_lag(u, x, t1_s, t2_s):
    """(1 + s T1) / (1 + s T2), state x = the lagged part. T2 = 0: y = u (T1 must be 0 too)."""
    if t2_s <= 0.0:
        return u, 0.0
    return x + (t1_s / t2_s) * (u - x), (u - x) / t2_s


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
    return k * (u - x) / t_s, (u - x) / t_s


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


@kernel
def exciter_saturation(e, a, b):
    """Exciter saturation: Se(E) E = b (E - a)^2 above a, else 0 (PSS/E quadratic form). Returns Se E."""
    if e <= a:
        return 0.0
    return b * (e - a) ** 2


def exciter_constants(e1: float, se1: float, e2: float, se2: float) -> tuple[float, float]:
    """a and b of `exciter_saturation` from Se at two field voltages; all zero: no saturation."""
    if se1 <= 0.0 and se2 <= 0.0:
        return 0.0, 0.0
    if e1 > e2:
        e1, se1, e2, se2 = e2, se2, e1, se1
    if se1 <= 0.0:
        return e1, se2 * e2 / (e2 - e1) ** 2
    ratio = np.sqrt(se1 * e1 / (se2 * e2))
    a = (e1 - ratio * e2) / (1.0 - ratio)
    return float(a), float(se1 * e1 / (e1 - a) ** 2)
