"""How restless a course of power is: highest less lowest, ramps, and what of it lies between two frequencies.

    band_share    sum |X_k|^2 over f_low <= f_k <= f_high  /  sum |X_k|^2 over all f_k > 0
    band_mw       effective value (rms) of that part of the course. [MW]

X is the discrete Fourier transform of the course less its mean, in samples step_s apart; above half their frequency
nothing is seen. A span of whole periods needs no window; otherwise a Hann window keeps the ends from leaking.
Ramps are changes over a sliding window divided by its length, as meters and operators see them: a jump has no slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.errors import SettingError
from gridai.kernel.profile import Profile
from gridai.results.variation import window_changes

BAND_HZ = (0.1, 20.0)
"""The band of arXiv:2508.14318's example of a specification. [Hz]"""
SAMPLE_S = 0.005
RAMP_WINDOW_S = 0.1


@dataclass(frozen=True)
class Restlessness:
    """Measures of a course. Powers in MW, ramps in MW/s.

    band_share  part of the energy of all that varies that lies in the band; 0 where nothing varies.
    line_mw     amplitude of the strongest spectral line within the band, and line_hz its frequency.
    """

    mean_mw: float
    peak_to_peak_mw: float
    ramp_up_mw_per_s: float
    ramp_down_mw_per_s: float
    band_share: float
    band_mw: float
    line_mw: float
    line_hz: float


def restlessness(
    course: Profile,
    from_s: float,
    to_s: float,
    band_hz: tuple[float, float] = BAND_HZ,
    ramp_window_s: float = RAMP_WINDOW_S,
    periodic: bool = True,
) -> Restlessness:
    """Measures of a course between two times.

    periodic  the span holds whole periods: no window. Raises SettingError for a span without time or a crossed band.
    """
    if not (to_s > from_s and 0.0 < band_hz[0] < band_hz[1]):
        raise SettingError(f"{course.name}: from {from_s:g} to {to_s:g} s, {band_hz} Hz: give a span and a band")
    part = course.between(from_s, to_s)
    _, change = window_changes(part.t_s, part.values, min(ramp_window_s, 0.5 * (to_s - from_s)))
    window_s = min(ramp_window_s, 0.5 * (to_s - from_s))
    f, power = spectrum(part, SAMPLE_S, periodic)
    inside = (f >= band_hz[0] * (1 - 1e-9)) & (f <= band_hz[1] * (1 + 1e-9))
    whole, band = float(power.sum()), float(power[inside].sum())
    # What is left of a flat course is rounding, not a spectrum.
    still = whole <= (1e-9 * max(1.0, float(np.abs(part.values).max()))) ** 2
    top = int(np.argmax(np.where(inside, power, -1.0)))
    return Restlessness(
        mean_mw=part.mean(from_s, to_s),
        peak_to_peak_mw=float(part.values.max() - part.values.min()),
        ramp_up_mw_per_s=max(0.0, float(change.max())) / window_s,
        ramp_down_mw_per_s=max(0.0, -float(change.min())) / window_s,
        band_share=0.0 if still else band / whole,
        band_mw=0.0 if still else band**0.5,
        line_mw=0.0 if still else float((2.0 * power[top]) ** 0.5),
        line_hz=float("nan") if still else float(f[top]),
    )


def spectrum(course: Profile, sample_s: float = SAMPLE_S, periodic: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [Hz] above 0 and the mean square at each [MW^2], float[m]; a line of amplitude A gives A^2 / 2."""
    begin, end = float(course.t_s[0]), float(course.t_s[-1])
    n = max(4, round((end - begin) / sample_s))
    # Means over each sample, not values: jumps between samples neither alias nor depend on where they fall.
    x = sample_means(course, begin, end, n)
    x = x - x.mean()
    if not periodic:
        w = np.hanning(n)
        x = x * w / np.sqrt(np.mean(w * w))
    found = np.abs(np.fft.rfft(x)) ** 2 / n**2
    found[1:] *= 2.0
    if n % 2 == 0:
        found[-1] /= 2.0
    return np.fft.rfftfreq(n, (end - begin) / n)[1:], found[1:]


def sample_means(course: Profile, from_s: float, to_s: float, n: int) -> np.ndarray:
    """Mean of a course over each of n equal parts of a span, exact. float[n]"""
    edges = np.linspace(from_s, to_s, n + 1)
    t, v = course.t_s, course.values
    total = np.concatenate([[0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 2.0)])
    at = np.clip(np.searchsorted(t, edges, side="right") - 1, 0, len(t) - 1)
    here = course.value(edges)
    area = total[at] + (edges - t[at]) * (v[at] + here) / 2.0
    return np.diff(area) / np.diff(edges)
