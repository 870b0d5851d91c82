"""Start of a composite load from the power flow at its system bus. Plain Python.

tap         the low-side bus (behind its compensation) in the middle of vmin .. vmax, rounded to a step
feeder      its impedance is reduced, if it must be, until the load bus has 0.95 pu
bfdr        found so that the parts' Q at the load bus and all losses add up to the Q of the power flow
parts       shares of the P that arrives at the load bus; the static part is what the others leave
"""

import math
from dataclasses import dataclass
from typing import Any

from gridai.errors import InitialisationError
from gridai.models.loads import _compressor
from gridai.models.loads._motor import at_slip, start_slip, torque_of

LOWEST_LOAD_BUS_PU = 0.95
LETTERS = "abc"


@dataclass(frozen=True)
class Point:
    """One trial: voltages and currents of the chain, power at the load bus, and the Q that it has too much."""

    w: complex
    s: complex
    excess: float


def start(p: Any, x: Any, z: Any, v: complex, s: complex) -> None:
    """Fill solved parameters, states and memory. Raises InitialisationError naming what cannot run."""
    if not s.real > 0.0:
        raise InitialisationError(f"CMLD: the load takes {s.real * p.mva:g} MW: a composite load needs more than 0")
    base = p.mvab_mva if p.mvab_mva > 0.0 else s.real * p.mva / (-p.mvab_mva if p.mvab_mva < 0.0 else 0.8)
    z_base = p.mva / base
    p.xt_pu, p.rf_pu, p.xf_pu = p.xxf_pu * z_base, p.rfdr_pu * z_base, p.xfdr_pu * z_base
    p.rcomp0_pu, p.xcomp0_pu, p.bss0_pu = p.rcomp_pu * z_base, p.xcomp_pu * z_base, p.bss_pu / z_base
    p.ratio = p.tfixls / p.tfixhs
    _compressor.derive(p)
    i = (s / v).conjugate()
    z.tap = _tap(p, v, i)
    e, ix = v * z.tap * p.ratio, i / (z.tap * p.ratio)
    vl = e - 1j * p.xt_pu * ix
    p.bfdr_pu, point = _feeder(p, vl, ix)
    _parts(p, x, z, point)


def _tap(p: Any, v: complex, i: complex) -> float:
    """Tap of the low side: 1 where there is no tap changer (ltc = 0)."""
    if p.ltc == 0.0:
        return 1.0

    def held(tap: float) -> float:
        n = tap * p.ratio
        vl = v * n - 1j * p.xt_pu * i / n
        return abs(vl - complex(p.rcomp0_pu, p.xcomp0_pu) * i / n)

    middle = 0.5 * (p.vmin_pu + p.vmax_pu)
    count = math.floor((p.tmax - p.tmin) / p.step + 1e-9)
    return float(min((p.tmin + k * p.step for k in range(count + 1)), key=lambda tap: abs(held(tap) - middle)))


def _feeder(p: Any, vl: complex, ix: complex) -> tuple[float, Point]:
    """Feeder susceptance, and the point; reduces the feeder's impedance while the load bus is below 0.95 pu."""
    z0 = complex(p.rf_pu, p.xf_pu)
    for share in [1.0 - 0.05 * k for k in range(21)]:
        p.rf_pu, p.xf_pu = (z0 * share).real, (z0 * share).imag
        bfdr, point = _balance(p, vl, ix)
        if abs(point.w) >= LOWEST_LOAD_BUS_PU or z0 == 0.0:
            break
    return bfdr, point


def _balance(p: Any, vl: complex, ix: complex) -> tuple[float, Point]:
    """The susceptance for which Q is in balance, by the secant method."""

    def trial(b: float) -> Point:
        i = ix - 1j * (p.bss0_pu + p.fb * b) * vl
        w = vl - complex(p.rf_pu, p.xf_pu) * i
        s = w * (i - 1j * (1.0 - p.fb) * b * w).conjugate()
        return Point(w, s, s.imag - _reactive(p, w, s.real))

    b0, b1 = 0.0, 0.1 * abs(ix)
    low, high = trial(b0), trial(b1)
    for _ in range(50):
        if abs(high.excess) < 1e-14 or high.excess == low.excess:
            break
        b0, b1, low = b1, b1 - high.excess * (b1 - b0) / (high.excess - low.excess), high
        high = trial(b1)
    if abs(high.excess) > 1e-9 or not abs(high.w) > 0.1:
        raise InitialisationError(
            f"CMLD: no shunt at the feeder balances Q at {abs(vl):.4g} pu of the low-side bus: "
            "check mvab_mva, rfdr_pu, xfdr_pu, xxf_pu"
        )
    return b1, high


def shares(p: Any) -> dict[str, float]:
    """Shares of P at the load bus, of at most 1 together."""
    given = {"a": p.fma, "b": p.fmb, "c": p.fmc, "d": p.fmd, "el": p.fel}
    total = max(sum(given.values()), 1.0)
    return {name: value / total for name, value in given.items()}


def tangent(power_factor: float) -> float:
    """Q over P; a negative power factor is leading."""
    return math.copysign(math.sqrt(1.0 - power_factor**2) / abs(power_factor), power_factor)


def motor(p: Any, letter: str, w: complex) -> tuple[float, complex, complex, complex]:
    """Slip, current and cage voltages of one motor at voltage w [pu of its base]."""
    ls, lp, lpp = (float(p[f"{name}{letter}_pu"]) for name in ("ls", "lp", "lpp"))
    fast = float(p[f"tppo{letter}_s"])
    cages = ((ls - lp, float(p[f"tpo{letter}_s"])), ((lp - lpp) * (fast > 0.0), fast))
    rs, lfm = float(p[f"rs{letter}_pu"]), float(p[f"lfm{letter}"])
    slip = start_slip(f"CMLD, motor {letter.upper()}", w, lfm, rs, lpp, cages, p.omega_base)
    return (slip, *at_slip(w, slip, rs, lpp, cages, p.omega_base))


def _reactive(p: Any, w: complex, p_pu: float) -> float:
    """Q that the parts take at the load bus."""
    part = shares(p)
    q = part["el"] * tangent(p.pfel) + (1.0 - sum(part.values())) * tangent(p.pfs)
    if part["d"] > 0.0:
        at = _compressor.running_power(p, abs(w))
        q += part["d"] * at.imag / at.real
    for letter in LETTERS:
        if part[letter] > 0.0:
            _, i, *_ = motor(p, letter, w)
            q += part[letter] * (w * i.conjugate()).imag / float(p[f"lfm{letter}"])
    return q * p_pu


def _parts(p: Any, x: Any, z: Any, point: Point) -> None:
    """Sizes and states of all parts."""
    part, w, p_pu = shares(p), point.w, point.s.real
    p.w0_pu = z.w_pu = z.v_low_pu = abs(w)
    static = 1.0 - sum(part.values())
    p.ps0_pu, p.qs0_pu = static * p_pu, static * p_pu * tangent(p.pfs)
    p.pel0_pu, p.qel0_pu = part["el"] * p_pu, part["el"] * p_pu * tangent(p.pfel)
    p.pb_pu = part["d"] * p_pu / _compressor.running_power(p, abs(w)).real
    _compressor.start(p, x, z, w)
    for letter in LETTERS:
        slip, i, e1, e2 = motor(p, letter, w) if part[letter] > 0.0 else (0.0, 0j, 0j, 0j)
        p[f"m{letter}_pu"] = part[letter] * p_pu / float(p[f"lfm{letter}"])
        p[f"t0{letter}_pu"], p[f"omega0{letter}_pu"] = torque_of(i, e1, e2), 1.0 - slip
        for name, value in (("e1", e1), ("e2", e2)):
            x[f"{name}{letter}_re"], x[f"{name}{letter}_im"] = value.real, value.imag
        x[f"omega{letter}_pu"] = 1.0 - slip
