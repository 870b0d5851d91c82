"""Measures by which a trace and a model are compared: mean, percentiles, spectral line, ramps, duration curve.

Power in the unit it is given in; times in s. Ramps are the changes of power over the step of a grid, from every start:
of the samples themselves where the meter averages over that step already, else of means over it. On 2 s meters a finer
grid would only show the meter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.cluster.traces.trace import Trace
from gridai.errors import SettingError
from gridai.kernel.profile import Array

NEIGHBOURS = 3
"""A line is spread over so many bins on either side by a record that is no whole number of its periods."""
PERCENTILES = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)


@dataclass(frozen=True)
class Line:
    """The strongest line of a spectrum: frequency [Hz] and amplitude (peak of the sine, unit of the power)."""

    f_hz: float
    amplitude: float


@dataclass(frozen=True)
class Measures:
    """What a course of power is like. Ramps in unit/s on a grid of ramp_step_s."""

    mean: float
    std: float
    percentiles: dict[float, float]
    line: Line
    ramp_step_s: float
    ramp_p95: float
    ramp_p999: float

    @property
    def swing(self) -> float:
        """95th less 5th percentile."""
        return self.percentiles[95.0] - self.percentiles[5.0]


def measure(trace: Trace, ramp_step_s: float | None = None) -> Measures:
    """All measures of a trace. [MW] Ramps on the grid of its meter where none is given, a third of its time at most."""
    power = uniform(trace)
    step_s = ramp_step_s or min(max(trace.meter_s, trace.step_s), trace.duration_s / 3.0)
    found = np.abs(ramps(power, trace.step_s, step_s, trace.meter_s))
    low = np.percentile(power, PERCENTILES)
    return Measures(
        mean=float(power.mean()),
        std=float(power.std()),
        percentiles=dict(zip(PERCENTILES, low.tolist(), strict=True)),
        line=spectral_line(power, trace.step_s),
        ramp_step_s=step_s,
        ramp_p95=float(np.percentile(found, 95.0)),
        ramp_p999=float(np.percentile(found, 99.9)),
    )


def uniform(trace: Trace) -> Array:
    """Samples on a uniform grid of the trace's median step."""
    grid = trace.step_s * np.arange(int(trace.duration_s / trace.step_s + 1e-9) + 1)
    return np.asarray(np.interp(grid, trace.t_s, trace.mw))


def spectrum(power: Array, step_s: float) -> tuple[Array, Array]:
    """Frequencies [Hz] and amplitudes of uniform samples, mean taken off."""
    amplitude = 2.0 * np.abs(np.fft.rfft(power - power.mean())) / len(power)
    return np.asarray(np.fft.rfftfreq(len(power), step_s), dtype=float), np.asarray(amplitude)


def spectral_line(power: Array, step_s: float, above_hz: float = 0.0) -> Line:
    """The strongest line above a frequency, its bins together; frequency by their centre of energy."""
    f, amplitude = spectrum(power, step_s)
    allowed = np.where(f > above_hz, amplitude, 0.0)
    k = int(allowed.argmax())
    around = slice(max(k - NEIGHBOURS, 1), k + NEIGHBOURS + 1)
    energy = amplitude[around] ** 2
    close = slice(max(k - 1, 1), k + 2)
    centre = float(np.sum(f[close] * amplitude[close] ** 2) / max(np.sum(amplitude[close] ** 2), 1e-300))
    return Line(centre, float(np.sqrt(energy.sum())))


def ramps(power: Array, step_s: float, ramp_step_s: float, meter_s: float = 0.0) -> Array:
    """Changes of power over ramp_step_s, from every start. [unit/s]"""
    n = max(1, round(ramp_step_s / step_s))
    if len(power) < 2 * n + 1:
        raise SettingError(f"ramps on a grid of {ramp_step_s:g} s need more than {2 * n} samples, here {len(power)}")
    means = power
    if n > 1 and meter_s < 0.99 * ramp_step_s:
        area = np.concatenate([[0.0], np.cumsum(power)])
        means = (area[n:] - area[:-n]) / n
    return np.asarray((means[n:] - means[:-n]) / (n * step_s))


def duration_curve(power: Array, points: int = 200) -> tuple[Array, Array]:
    """Share of the time [0..1] and the power that is exceeded for it."""
    share = np.linspace(0.0, 1.0, points)
    return share, np.asarray(np.quantile(power, 1.0 - share))
