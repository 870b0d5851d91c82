r"""Flickermeter of IEC 61000-4-15: instantaneous flicker from a voltage, short-term Pst and long-term Plt from that.

    v --> v^2 / mean(v^2) --> high-pass 0.05 Hz, low-pass 35 or 42 Hz --> lamp and eye --> ( )^2 --> 0.3 s --> P_inst
                   27.3 s          1st order       6th Butterworth       weighting       brain    memory

    Pst = sqrt(0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s)     P_k: exceeded for k % of the time
    Plt = (mean of 12 Pst^3)^(1/3)                                                Pks: means of neighbouring levels

The voltage is the waveform, or its RMS value (the size of a phasor) at 400 Hz or more: after the demodulation both are
the same signal. The filters are one sum of first-order parts, each exact for straight lines between samples. The scale
is such that the sine of 8.8 Hz that the standard names for the lamp has a P_inst of 1 at its peak.

Source: IEC 61000-4-15 edition 2 (2010), clauses 5 and 6; coefficients recalled, checked against the tables of Pst = 1.
Analytic method: IEC 61000-3-3, d in %, F the shape factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError, UnknownNameError, near

LEAST_RATE_HZ = 400.0
"""An RMS voltage is sampled at least so often. [Hz]"""
PST_S, PLT_S = 600.0, 7200.0
"""Observation of one Pst, and of one Plt: twelve Pst. [s]"""
ADAPT_S, MEMORY_S = 27.3, 0.3
LEVELS = {
    0.0314: (0.1,), 0.0525: (0.7, 1.0, 1.5), 0.0657: (2.2, 3.0, 4.0), 0.28: (6.0, 8.0, 10.0, 13.0, 17.0),
    0.08: (30.0, 50.0, 80.0),
}  # fmt: skip

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Lamp:
    """Filters of one lamp and system frequency: weighting k, damping and corner frequencies [Hz], low-pass [Hz].

    unity_percent  change of voltage of a sine of 8.8 Hz, highest less lowest, whose P_inst peaks at 1. [%]
    """

    k: float
    decay_hz: float
    f1_hz: float
    f2_hz: float
    f3_hz: float
    f4_hz: float
    low_pass_hz: float
    unity_percent: float

    def poles(self) -> NDArray[np.complex128]:
        """Poles of demodulation and weighting with imaginary part >= 0: first the real ones. [rad/s]"""
        wing = np.exp(1j * np.pi * (0.5 + np.array([1.0, 3.0, 5.0]) / 12.0)) * self.low_pass_hz
        eye = -self.decay_hz + 1j * math.sqrt(self.f1_hz**2 - self.decay_hz**2)
        found = np.concatenate([[-0.05, -self.f3_hz, -self.f4_hz], [eye], wing])
        return np.asarray(2.0 * np.pi * found, dtype=complex)

    def residues(self) -> NDArray[np.complex128]:
        """Residues at `poles()` of the transfer function. [rad/s]"""
        poles = self.poles()
        every = np.concatenate([poles, poles[3:].conj()])
        gain = self.k * (2 * np.pi * self.f1_hz) * (2 * np.pi * self.f3_hz) * (2 * np.pi * self.f4_hz)
        gain *= (2 * np.pi * self.low_pass_hz) ** 6 / (2 * np.pi * self.f2_hz)
        found = [gain * p * p * (p + 2 * np.pi * self.f2_hz) / np.prod(p - every[every != p]) for p in poles]
        return np.array(found)

    def response(self, f_hz: float) -> complex:
        """Demodulation and weighting at one frequency."""
        s, poles, residues = 2j * np.pi * f_hz, self.poles(), self.residues()
        pairs = residues[3:] / (s - poles[3:]) + residues[3:].conj() / (s - poles[3:].conj())
        return complex((residues[:3] / (s - poles[:3])).sum() + pairs.sum())

    @property
    def scale(self) -> float:
        """What the remembered square is multiplied by."""
        swing = 0.01 * self.unity_percent * abs(self.response(8.8))
        return 2.0 / (swing**2 * (1.0 + 1.0 / math.hypot(1.0, 2 * np.pi * 17.6 * MEMORY_S)))


_230 = (1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9)
_120 = (1.6357, 4.167375, 9.077169, 2.939902, 1.394468, 17.31512)
LAMPS = {
    "230V50": Lamp(*_230, 35.0, 0.250), "230V60": Lamp(*_230, 42.0, 0.250),
    "120V50": Lamp(*_120, 35.0, 0.321), "120V60": Lamp(*_120, 42.0, 0.321),
}  # fmt: skip


def lamp_of(f_hz: float) -> str:
    """The lamp that goes with a nominal frequency: 120 V at 60 Hz, 230 V elsewhere."""
    return "120V60" if f_hz == 60.0 else "230V50"


def instantaneous_flicker(v: ArrayLike, rate_hz: float, lamp: str = "230V50") -> FloatArray:
    """P_inst of an evenly sampled voltage: waveform, or RMS value. It starts at rest, as after a long steady time.

    v  float[nt], any unit.   rate_hz  samples a second, 400 Hz or more; a waveform takes 2000 Hz.
    The steady time before had the first RMS value, or the first second's mean square of a waveform.
    Returns float[nt]. Raises ResultError for a lower rate or samples that are no numbers, UnknownNameError for a lamp.
    """
    if lamp not in LAMPS:
        raise UnknownNameError(near(lamp, LAMPS, "lamp"))
    if rate_hz < LEAST_RATE_HZ * (1.0 - 1e-6):
        raise ResultError(f"a flickermeter takes {LEAST_RATE_HZ:g} samples a second or more, not {rate_hz:g}")
    volts = np.asarray(v, dtype=float)
    if not len(volts) or not np.isfinite(volts).all():
        raise ResultError("a flickermeter takes numbers, without gaps")
    square = volts**2
    steady = square[0] if volts.min() > 0.0 else square[: max(1, round(rate_hz))].mean()
    level = _first_order(square, -1.0 / ADAPT_S, 1.0 / ADAPT_S, rate_hz, float(steady))
    chosen = LAMPS[lamp]
    seen = np.zeros(len(square))
    modulation = square / np.maximum(level.real, 1e-300) - 1.0
    for n, (pole, residue) in enumerate(zip(chosen.poles(), chosen.residues(), strict=True)):
        part = _first_order(modulation, pole if n >= 3 else pole.real, residue if n >= 3 else residue.real, rate_hz)
        seen += part.real if n < 3 else 2.0 * part.real
    remembered: FloatArray = _first_order(seen**2, -1.0 / MEMORY_S, 1.0 / MEMORY_S, rate_hz).real
    return chosen.scale * remembered


def _first_order(u: FloatArray, pole: complex, residue: complex, rate_hz: float, start: float = 0.0):  # type: ignore[no-untyped-def]
    """Response of residue / (s - pole) to straight lines between the samples of u, from the value `start` on."""
    from scipy.signal import lfilter

    z = pole / rate_hz
    grown = np.expm1(z)
    now, before = (grown - z) / z**2, (grown * (z - 1.0) + z) / z**2
    b, a = np.array([now, before]) * residue / rate_hz, np.array([1.0, -(grown + 1.0)])
    state = np.array([start - b[0] * u[0]], dtype=b.dtype)
    return lfilter(b, a, u, zi=state)[0]


def pst(p_inst: ArrayLike) -> float:
    """Pst of the instantaneous flicker of one observation, 10 minutes as a rule. NaN for no samples or a NaN."""
    p = np.asarray(p_inst, dtype=float)
    if not len(p) or np.isnan(p).any():
        return float("nan")
    percents = [k for group in LEVELS.values() for k in group]
    level = dict(zip(percents, np.quantile(p, 1.0 - np.array(percents) / 100.0), strict=True))
    return math.sqrt(sum(w * sum(level[k] for k in group) / len(group) for w, group in LEVELS.items()))


def plt(values: Sequence[float]) -> float:
    """Plt of Pst values that follow each other, twelve of ten minutes for two hours."""
    return float(np.mean(np.asarray(values, dtype=float) ** 3) ** (1.0 / 3.0)) if len(values) else float("nan")


def even_samples(t_s: ArrayLike, v: ArrayLike) -> tuple[float, FloatArray]:
    """Rate [Hz] and even samples, float[nt], of an RMS voltage over time, straight lines between its samples.

    Raises ResultError where two samples are farther apart than 1/400 s (no flickermeter can use that), or one is NaN.
    """
    t, volts = np.asarray(t_s, dtype=float), np.asarray(v, dtype=float)
    steps = np.diff(t)
    if len(t) < 2 or t[-1] <= t[0]:
        raise ResultError("a flickermeter takes more than one sample")
    if np.isnan(volts).any():
        raise ResultError("no voltage in part of the run")
    longest = float(steps.max())
    if longest * LEAST_RATE_HZ > 1.0 + 1e-6:
        raise ResultError(
            f"samples are up to {1e3 * longest:.3g} ms apart; a flickermeter takes {1e3 / LEAST_RATE_HZ:g} ms or less"
        )
    count = max(1, int(np.ceil((t[-1] - t[0]) / longest * (1.0 - 1e-8) - 1e-6)))
    return count / float(t[-1] - t[0]), np.interp(np.linspace(t[0], t[-1], count + 1), t, volts)


@dataclass(frozen=True)
class Flicker:
    """Flicker of one voltage. t_s float[nt] [s], p_inst float[nt]; pst of each whole period of `period_s`, in order."""

    t_s: FloatArray
    p_inst: FloatArray
    pst: tuple[float, ...]
    period_s: float

    @property
    def plt(self) -> float:
        """Plt of the worst twelve periods in a row; NaN where there are fewer."""
        found = [plt(self.pst[k : k + 12]) for k in range(len(self.pst) - 11)]
        return max(found, default=float("nan"))


def flicker(
    t_s: ArrayLike, v: ArrayLike, lamp: str = "230V50", period_s: float = PST_S, skip_s: float = 0.0
) -> Flicker:
    """Flicker of an RMS voltage over time.

    period_s  observation of one Pst. [s]      skip_s  what passes before the first period begins. [s]
    Raises ResultError where samples are too far apart or missing.
    """
    rate, volts = even_samples(t_s, v)
    p = instantaneous_flicker(volts, rate, lamp)
    t = float(np.asarray(t_s, dtype=float)[0]) + np.arange(len(p)) / rate
    whole = int((t[-1] - t[0] - skip_s) / period_s + 1e-6)
    edges = np.searchsorted(t, t[0] + skip_s + period_s * np.arange(whole + 1) - 0.5 / rate)
    return Flicker(t, p, tuple(pst(p[a:b]) for a, b in pairwise(edges)), period_s)


def pst_of_changes(d_percent: ArrayLike, shape: ArrayLike = 1.0, period_s: float = PST_S) -> float:
    """Pst of single changes of voltage by the analytic method: (sum 2.3 (F d)^3.2 / T)^(1/3.2), d in %."""
    d = np.asarray(d_percent, dtype=float) * np.asarray(shape, dtype=float)
    return float((2.3 * np.abs(d) ** 3.2).sum() / period_s) ** (1.0 / 3.2)
