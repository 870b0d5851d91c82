"""Balancing performance by NERC: frequency response (BAL-003), area control error, CPS1 and BAAL (BAL-001).

    frequency response   FRM = loss / (10 (fB - fA))      A: mean of t-16 to t-2 s, B: mean of t+20 to t+52 s
    obligation           IFRO = -(loss protected against - credit) / (10 MDF)
    ACE                  (NIA - NIS) - 10 B (FA - FS) - IME
    CPS1                 100 (2 - mean(ACE / (-10 B) dF) / eps1^2), 100 % or more
    BAAL                 -10 B (FTL - FS)^2 / (FA - FS), FTL = FS +- 3 eps1; ACE beyond it for 30 min at most

B is the frequency bias, negative, in MW per 0.1 Hz. Source: NERC BAL-003-2 and BAL-001-2, recalled: unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError, UnknownNameError, near

FloatArray = NDArray[np.float64]
A_S, B_S, C_S = (-16.0, -2.0), (20.0, 52.0), (0.0, 20.0)
"""Windows around the loss, by BAL-003. [s]"""
BAAL_S = 1800.0


@dataclass(frozen=True)
class Interconnection:
    """Numbers of an interconnection; None where the reference holds none. All unverified but where said.

    epsilon1_hz      target of the yearly RMS frequency error. [Hz]
    ifro_mw_per_tenth_hz   obligation of 2016 to 2020. [MW/0.1 Hz]
    """

    epsilon1_hz: float | None
    ifro_mw_per_tenth_hz: float | None = None
    ufls_first_hz: float | None = None
    start_hz: float | None = None


INTERCONNECTIONS = {
    "eastern": Interconnection(0.018, -1015.0, 59.5, 59.974),
    "western": Interconnection(0.0228, None, 59.5),
    "ercot": Interconnection(0.030, -381.0, 59.3, 59.966),
    "quebec": Interconnection(0.021, None, 58.5),
}
"""Recalled from BAL-001-2, BAL-003-2 and NERC's frequency response analyses: confidence M."""


def interconnection(name: str) -> Interconnection:
    """The numbers of an interconnection by name; an unknown one lists the near ones."""
    if name not in INTERCONNECTIONS:
        raise UnknownNameError(near(name, INTERCONNECTIONS, "interconnection"))
    return INTERCONNECTIONS[name]


class FrequencyResponse(NamedTuple):
    """Frequencies A, B, C [Hz], when C occurs [s], and the measure in MW per 0.1 Hz (negative: it supports)."""

    a_hz: float
    b_hz: float
    c_hz: float
    c_at_s: float
    frm_mw_per_tenth_hz: float


def frequency_response(t_s: ArrayLike, f_hz: ArrayLike, lost_mw: float, at_s: float) -> FrequencyResponse:
    """BAL-003 values of one loss at at_s. lost_mw: generation lost, negative for lost load. [MW]

    Raises ResultError for a series that does not reach from 16 s before to 52 s after, holds NaN there, or ends where
    it began.
    """
    t, f = np.asarray(t_s, dtype=float), np.asarray(f_hz, dtype=float)
    if not len(t) or t[0] > at_s + A_S[0] + 1e-9 or t[-1] < at_s + B_S[1] - 1e-9:
        raise ResultError(f"a BAL-003 measure takes a run from 16 s before to 52 s after {at_s:g} s")
    a, b = (_mean(t, f, at_s + begin, at_s + end) for begin, end in (A_S, B_S))
    inside = (t >= at_s + C_S[0]) & (t <= at_s + C_S[1])
    if np.isnan(a) or np.isnan(b) or not inside.any() or np.isnan(f[inside]).any():
        raise ResultError("no frequency in part of the windows")
    pick = np.argmin if lost_mw >= 0.0 else np.argmax
    k = int(np.flatnonzero(inside)[pick(f[inside])])
    if abs(b - a) < 1e-12:
        raise ResultError("the frequency ends where it began: there is no response to measure")
    return FrequencyResponse(a, b, float(f[k]), float(t[k]), lost_mw / (10.0 * (b - a)))


def _mean(t: FloatArray, f: FloatArray, begin: float, end: float) -> float:
    """Time-weighted mean of straight lines between samples."""
    at = np.concatenate([[begin], t[(t > begin) & (t < end)], [end]])
    return float(np.trapezoid(np.interp(at, t, f), at) / (end - begin))


def frequency_response_measure(events_mw_per_tenth_hz: ArrayLike) -> float:
    """Median over events, of which BAL-003 takes twenty or more. [MW/0.1 Hz]"""
    return float(np.median(np.asarray(events_mw_per_tenth_hz, dtype=float)))


def obligation(loss_mw: float, credit_mw: float, mdf_hz: float) -> float:
    """IFRO: loss protected against less credit for load resources, over the largest delta frequency. [MW/0.1 Hz]"""
    if not mdf_hz > 0.0:
        raise ValueError(f"mdf_hz = {mdf_hz!r}: give the largest delta frequency, above 0 Hz")
    return -(loss_mw - credit_mw) / (10.0 * mdf_hz)


def area_control_error(
    interchange_mw: ArrayLike, scheduled_mw: ArrayLike, f_hz: ArrayLike, bias: float, f_scheduled_hz: float = 60.0,
    meter_error_mw: float = 0.0,
) -> FloatArray:  # fmt: skip
    """ACE in MW, float[nt]. bias: B, negative. [MW/0.1 Hz]"""
    exchange = np.asarray(interchange_mw, dtype=float) - np.asarray(scheduled_mw, dtype=float)
    return exchange - 10.0 * _bias(bias) * (np.asarray(f_hz, dtype=float) - f_scheduled_hz) - meter_error_mw


def cps1(ace_mw: ArrayLike, df_hz: ArrayLike, bias: float, epsilon1_hz: float) -> float:
    """CPS1 in %, of clock-minute means of ACE and of the frequency's deviation; 100 or more passes over 12 months."""
    product = np.asarray(ace_mw, dtype=float) / (-10.0 * _bias(bias)) * np.asarray(df_hz, dtype=float)
    if not product.size:
        raise ResultError("CPS1 takes at least one clock minute")
    return float(100.0 * (2.0 - product.mean() / epsilon1_hz**2))


def baal(f_hz: ArrayLike, bias: float, epsilon1_hz: float, f_scheduled_hz: float = 60.0) -> FloatArray:
    """The limit that ACE must not pass, in MW, float[nt]: low below the schedule, high above it, infinite on it."""
    df = np.asarray(f_hz, dtype=float) - f_scheduled_hz
    reach = 10.0 * _bias(bias) * (3.0 * epsilon1_hz) ** 2
    return np.divide(-reach, df, out=np.full(df.shape, np.inf), where=df != 0.0)


def _bias(bias: float) -> float:
    if not bias < 0.0:
        raise ValueError(f"bias = {bias!r}: the frequency bias is negative, in MW per 0.1 Hz")
    return bias
