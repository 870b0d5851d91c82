"""Periods of a run: the cycle that repeats, the dips within it, and the mean course of one cycle.

Lags at which the record correlates with itself are candidates: a step, and the block of steps with its evaluation.
Cycles are laid over each other, each where it fits best after the one before (so that a stall shifts all that follow),
and their median is the template: lone samples do not get into it. The cycle is the shortest candidate whose template
explains the record nearly as well as the best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.kernel.profile import Array

NEARLY, LITTLE = 1.3, 0.02
FAR = 0.3
"""A cycle that starts half a cycle off must correlate by half of this better than one on time."""
MANY, LEAST_CYCLES = 8, 3.5
MOST_POINTS = 800
GROWS = 2.0
"""Where durations of several cycles spread by less than this of what those of one do, it is the error of the starts."""
LONE = 0.02
"""The share of the samples that may be lone deep ones."""
LEAST_CORRELATION = 0.25
PER_SAMPLE = 4
"""Points of the template for each sample of the trace."""


@dataclass(frozen=True)
class Template:
    """The mean course of one cycle: power at uniform phases, in the record's unit; starts_s: where cycles begin;
    sample_s: step of the samples it was made of."""

    cycle_s: float
    starts_s: Array
    power: Array
    sample_s: float = 0.0

    @property
    def phase_s(self) -> Array:
        """Times of the points within the cycle. [s]"""
        return np.asarray(self.cycle_s * np.arange(len(self.power)) / len(self.power))

    @property
    def drift_s(self) -> float:
        """Standard deviation of the cycles' durations [s], the error of finding their starts taken off.

        Over m cycles durations spread by m drift^2 + 2 error^2: the slope against m is the drift's.
        """
        step = np.diff(self.starts_s)
        n = min(6, len(self.starts_s) // 3)
        if n < 2:
            return 0.0
        # A stall shifts all that follow: such a step counts as a usual one.
        off = np.abs(step - np.median(step))
        step = np.where(off <= max(4.0 * 1.4826 * float(np.median(off)), 0.5 * self.sample_s), step, np.median(step))
        regular = np.concatenate([[0.0], np.cumsum(step)])
        m = np.arange(1, n + 1)
        spread = [float(np.var(regular[k:] - regular[:-k])) for k in m]
        if spread[-1] < GROWS * spread[0]:
            return 0.0
        return float(np.sqrt(max(np.polyfit(m, spread, 1)[0], 0.0)))

    def unexplained(self, power: Array, step_s: float) -> float:
        """Share of a record's variance that the repeated template leaves, lone deep samples left aside.

        A template of n cycles fits its own noise: the share is taken over 1 - 1 / n.
        """
        residual = power - self.at(step_s * np.arange(len(power), dtype=np.float64))
        off = np.abs(residual - np.median(residual))
        usual = off <= max(4.0 * 1.4826 * float(np.median(off)), float(np.quantile(off, 1.0 - LONE)))
        n = max(2, len(self.starts_s))
        whole = max(float(np.var(power[usual])), 1e-300)
        return float(np.var(residual[usual])) / whole * n / (n - 1.0)

    def at(self, t_s: Array) -> Array:
        """The template repeated over the record, each cycle at its own start."""
        k = np.clip(np.searchsorted(self.starts_s, t_s, side="right") - 1, 0, len(self.starts_s) - 1)
        phase = (t_s - self.starts_s[k]) / self.cycle_s % 1.0
        n = len(self.power)
        return np.asarray(np.interp(phase * n, np.arange(n + 1), np.append(self.power, self.power[0])))


def autocorrelation(power: Array) -> Array:
    """Correlation of the record with itself for lags of 0 to half its length, each over its own overlap."""
    x = power - power.mean()
    n = len(x)
    size = 1 << (2 * n - 1).bit_length()
    raw = np.fft.irfft(np.abs(np.fft.rfft(x, size)) ** 2, size)[: n // 2]
    return np.asarray(raw / (n - np.arange(n // 2)) / (np.mean(x**2) + 1e-300))


def find_cycle(power: Array, step_s: float) -> Template | None:
    """The template of the cycle that repeats, or None where nothing does so more than three times."""
    return next(iter(find_cycles(power, step_s)), None)


def find_cycles(power: Array, step_s: float) -> list[Template]:
    """Templates of cycles that repeat: first the shortest that explains nearly as much as the best, then the others."""
    lags = candidates(power, step_s)
    # Wide dips of an evaluation hide steps in the power, not in its changes.
    lags += [lag for lag in candidates(np.diff(power), step_s) if all(abs(lag / own - 1.0) > 0.02 for own in lags)]
    found = [fold(power, step_s, lag) for lag in sorted(lags)]
    left = [template.unexplained(power, step_s) for template in found]
    good = min(left, default=0.0)
    first = next((k for k, u in enumerate(left) if u <= NEARLY * good + LITTLE), 0)
    return found[first : first + 1] + found[:first] + found[first + 1 :]


def candidates(power: Array, step_s: float) -> list[float]:
    """Lags of high correlation [s], rising: the first peak, the highest, and the first that is nearly as high."""
    ac = autocorrelation(power)[: max(3, int(len(power) / LEAST_CYCLES))]
    peaks = np.flatnonzero((ac[1:-1] > ac[:-2]) & (ac[1:-1] >= ac[2:])) + 1
    negative = np.flatnonzero(ac < 0.0)
    peaks = peaks[peaks > (negative[0] if len(negative) else len(ac))]
    peaks = peaks[ac[peaks] > LEAST_CORRELATION]
    if not len(peaks):
        return []
    top = ac[peaks].max()
    chosen = {int(peaks[0]), int(peaks[ac[peaks].argmax()]), int(peaks[ac[peaks] >= 0.9 * top][0]),
              int(peaks[ac[peaks] >= 0.75 * top][0])}  # fmt: skip
    lags = sorted(step_s * _longer(ac, k + _vertex(ac[k - 1 : k + 2])) for k in chosen)
    return [lag for n, lag in enumerate(lags) if n == 0 or lag > 1.02 * lags[n - 1]]


def _longer(ac: Array, lag: float) -> float:
    """The lag made exact by its multiples, as far as they are peaks."""
    for m in range(2, 1 + int((len(ac) - 3) / lag)):
        reach = max(1, int(0.1 * lag))
        at = round(m * lag)
        if at - reach >= len(ac):
            break
        window = ac[max(at - reach, 0) : at + reach + 1]
        k = int(window.argmax()) + max(at - reach, 0)
        if ac[k] < LEAST_CORRELATION or not 0 < k < len(ac) - 1:
            break
        lag = (k + _vertex(ac[k - 1 : k + 2])) / m
    return lag


def _vertex(three: Array) -> float:
    """Offset of the top of a parabola through three neighbouring values."""
    bend = three[0] - 2.0 * three[1] + three[2]
    return 0.0 if bend >= 0.0 else float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5))


def fold(power: Array, step_s: float, cycle_s: float, rounds: int = 4) -> Template:
    """Lay the cycles over each other and take the median; find each cycle's start after that before; repeat."""
    t: Array = step_s * np.arange(len(power), dtype=np.float64)
    points = int(np.clip(PER_SAMPLE * cycle_s / step_s, 16, MOST_POINTS))
    phase: Array = cycle_s * np.arange(points, dtype=np.float64) / points
    starts: Array = cycle_s * np.arange(max(1, int((t[-1] + step_s) / cycle_s + 1e-6)), dtype=np.float64)
    template = _median(t, power, starts[: max(3, len(starts) // 8)], phase)
    for _ in range(rounds if len(starts) > 2 else 0):
        found = _follow(t, power, template, phase, cycle_s)
        step = np.diff(found)
        usual = step[np.abs(step - np.median(step)) < 0.1 * cycle_s] if len(step) else step
        if len(usual) < 2:
            break
        starts = found
        longer = float(usual.mean()) / cycle_s
        cycle_s, phase = cycle_s * longer, phase * longer
        template = _median(t, power, starts, phase)
    return Template(cycle_s, starts, template, step_s)


def refold(template: Template, power: Array, step_s: float) -> Template:
    """The mean course of another record over the same cycles."""
    t: Array = step_s * np.arange(len(power), dtype=np.float64)
    return Template(template.cycle_s, template.starts_s, _median(t, power, template.starts_s, template.phase_s), step_s)


def _follow(t: Array, power: Array, template: Array, phase: Array, cycle_s: float) -> Array:
    """The start of each cycle: one cycle after the last, up to half a cycle off where it fits clearly better."""
    centred = template - template.mean()
    norm = float(np.sqrt(centred @ centred)) + 1e-300
    # Few cycles that may shift freely would make a period of any three dips.
    reach = 0.5 if t[-1] > MANY * cycle_s else 0.05
    coarse = reach * cycle_s * np.linspace(-1.0, 1.0, 61)
    fine = reach * cycle_s / 30.0 * np.linspace(-1.0, 1.0, 13)
    starts: list[float] = []
    at = 0.0
    while at + 0.5 * cycle_s <= t[-1]:
        for shifts, price in ((coarse, FAR), (fine, 0.0)):
            rows = np.interp(at + phase[None, :] + shifts[:, None], t, power)
            rows -= rows.mean(axis=1, keepdims=True)
            match = rows @ centred / (np.sqrt((rows**2).sum(axis=1)) * norm + 1e-300)
            at += float(shifts[int((match - price * np.abs(shifts) / cycle_s).argmax())])
        if starts and at <= starts[-1]:
            at = starts[-1] + cycle_s
        starts.append(at)
        at += cycle_s
    return np.array(starts)


def _median(t: Array, power: Array, starts: Array, phase: Array) -> Array:
    inside = starts[(starts >= t[0]) & (starts + phase[-1] <= t[-1] + 1e-9)]
    used = inside if len(inside) else starts[:1]
    return np.asarray(np.median(np.interp(used[:, None] + phase[None, :], t, power), axis=0))
