"""Bases and per-unit conversion, nowhere else.

Bases: s_base_mva is the system base (three-phase power), sn_mva a machine's own base, vn_kv line-to-line.
All functions take floats or NumPy arrays alike and are pure.
"""

from __future__ import annotations

import math
from typing import TypeVar

Number = TypeVar("Number")  # float, complex or ndarray

SQRT3 = math.sqrt(3.0)


def z_base_ohm(vn_kv: Number, s_base_mva: Number) -> Number:
    """Base impedance. [ohm]"""
    return vn_kv**2 / s_base_mva  # type: ignore[operator]


def i_base_ka(vn_kv: Number, s_base_mva: Number) -> Number:
    """Base current of one phase. [kA]"""
    return s_base_mva / (SQRT3 * vn_kv)  # type: ignore[operator, return-value]


def omega_base_rad_per_s(f_hz: float) -> float:
    """Nominal angular frequency. [rad/s]"""
    return 2.0 * math.pi * f_hz


def impedance_to_base(z_pu: Number, from_mva: Number, to_mva: Number) -> Number:
    """Per-unit impedance (or droop) of one power base on another; the voltage base stays. [pu]"""
    return z_pu * (to_mva / from_mva)  # type: ignore[operator]


def power_to_base(p_pu: Number, from_mva: Number, to_mva: Number) -> Number:
    """Per-unit power, current, admittance, inertia or damping of one power base on another. [pu]"""
    return p_pu * (from_mva / to_mva)  # type: ignore[operator]


def line_ohm_from_pu(z_pu: Number, vn_kv: Number, s_base_mva: Number) -> Number:
    """Series resistance or reactance. [ohm]"""
    return z_pu * z_base_ohm(vn_kv, s_base_mva)  # type: ignore[operator]


def line_nf_from_b_pu(b_pu: Number, vn_kv: Number, s_base_mva: Number, f_hz: float) -> Number:
    """Capacitance of a line of total charging susceptance b_pu at f_hz. [nF]"""
    return b_pu / z_base_ohm(vn_kv, s_base_mva) / omega_base_rad_per_s(f_hz) * 1e9  # type: ignore[operator]


def b_pu_from_line_nf(c_nf: Number, vn_kv: Number, s_base_mva: Number, f_hz: float) -> Number:
    """Total charging susceptance of a line with capacitance c_nf at f_hz. [pu]"""
    return c_nf * 1e-9 * omega_base_rad_per_s(f_hz) * z_base_ohm(vn_kv, s_base_mva)  # type: ignore[operator, return-value]


def percent_from_pu(z_pu: Number, s_base_mva: Number, sn_mva: Number) -> Number:
    """Transformer impedance in percent of its own rating, from pu on the system base. [%]"""
    return impedance_to_base(z_pu, s_base_mva, sn_mva) * 100.0  # type: ignore[operator, return-value]


def mva_from_ka(i_ka: Number, vn_kv: Number) -> Number:
    """Three-phase apparent power at rated voltage. [MVA]"""
    return i_ka * vn_kv * SQRT3  # type: ignore[operator]


def ka_from_mva(s_mva: Number, vn_kv: Number) -> Number:
    """Phase current that carries s_mva at rated voltage. [kA]"""
    return s_mva / (SQRT3 * vn_kv)  # type: ignore[operator, return-value]


def energy_mws(h_s: Number, sn_mva: Number) -> Number:
    """Kinetic energy at nominal speed of a machine with inertia constant h_s on sn_mva. [MWs]"""
    return h_s * sn_mva  # type: ignore[operator]


def power_text(mw: float) -> str:
    """A power in words with three or more digits: "107.1 MW", "5.01 MW", "0.985 MW", below 0.1 MW in kW: "42.9 kW"."""
    size = abs(mw)
    if size == 0.0 or size >= 0.1:
        digits = 1 if size == 0.0 or size >= 10.0 else 2 if size >= 1.0 else 3
        return f"{mw:.{digits}f} MW"
    return f"{1e3 * mw:.3g} kW"
