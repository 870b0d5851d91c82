"""Trace: measured power against time, with the number of GPUs behind it and how its meter averages.

Power in MW, time in s from the first sample. A sample of a meter that averages over meter_s is taken as the mean of
the meter_s before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile

LEAST_W, MOST_W = 15.0, 5000.0
"""Mean power of one GPU and its share of the server lies between these; outside, the unit is wrong. [W]"""


@dataclass(frozen=True, eq=False)
class Trace:
    """Measured power. Raises SettingError for times that do not rise, negative or missing power, a wrong unit.

    t_s      times, rising, the first 0. [s]
    mw       power of all GPUs together. [MW]
    gpus     GPUs behind it; 0: unknown.
    meter_s  averaging time of the meter; 0: instantaneous. [s]
    notes    what reading it found: gaps filled, rows left out.
    """

    name: str
    t_s: Array
    mw: Array
    gpus: int = 0
    meter_s: float = 0.0
    notes: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        t, p = (np.asarray(x, dtype=float).reshape(-1) for x in (self.t_s, self.mw))
        bad = Problems(f"trace {self.name}")
        if len(t) != len(p) or len(t) < 2:
            bad.add(self.name, None, "samples", len(t), f"{len(p)} powers: give as many times as powers, two at least")
        else:
            _check_samples(bad, self.name, t, p)
        if self.gpus < 0 or not np.isfinite(self.meter_s) or self.meter_s < 0.0:
            bad.add(self.name, None, "gpus, meter_s", (self.gpus, self.meter_s), "must not be negative")
        bad.raise_if_any(SettingError)
        if self.gpus:
            check_unit(self.name, float(p.mean()), self.gpus)
        object.__setattr__(self, "t_s", t - t[0])
        object.__setattr__(self, "mw", p)

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def step_s(self) -> float:
        """Median time between samples. [s]"""
        return float(np.median(np.diff(self.t_s)))

    @property
    def duration_s(self) -> float:
        """From the first to the last sample. [s]"""
        return float(self.t_s[-1])

    @property
    def mean_mw(self) -> float:
        """Mean over time (samples may be uneven). [MW]"""
        return float(np.trapezoid(self.mw, self.t_s) / self.duration_s)

    @property
    def watt_per_gpu(self) -> Array:
        """Power of one GPU with its share of whatever the meter sees. [W] Raises SettingError if gpus is unknown."""
        if not self.gpus:
            raise SettingError(f"trace {self.name}: the number of GPUs is not known; give gpus=")
        return self.mw * 1e6 / self.gpus

    def profile(self) -> Profile:
        """The course, linear between samples. [MW]"""
        return Profile(self.t_s, self.mw, self.name)

    def between(self, from_s: float, to_s: float) -> Trace:
        """The samples from from_s to to_s, with time counted from the first of them."""
        inside = (self.t_s >= from_s - 1e-9) & (self.t_s <= to_s + 1e-9)
        return replace(self, t_s=self.t_s[inside], mw=self.mw[inside])

    def resampled(self, step_s: float) -> Trace:
        """The trace on a uniform grid: means over each step where it is coarser than the samples, else interpolated."""
        if not (np.isfinite(step_s) and 0.0 < step_s <= self.duration_s):
            raise SettingError(
                f"trace {self.name}: step_s = {step_s!r}: give a step above 0 and up to {self.duration_s:g} s"
            )
        grid: Array = step_s * np.arange(int(self.duration_s / step_s + 1e-9) + 1, dtype=np.float64)
        if step_s <= 1.5 * self.step_s:
            return replace(self, t_s=grid, mw=np.interp(grid, self.t_s, self.mw))
        knots = np.union1d(grid, self.t_s)
        p = np.interp(knots, self.t_s, self.mw)
        area = np.concatenate([[0.0], np.cumsum(np.diff(knots) * (p[1:] + p[:-1]) / 2.0)])
        means = np.diff(area[np.searchsorted(knots, grid)]) / step_s
        return replace(self, t_s=grid[1:], mw=means, meter_s=max(self.meter_s, step_s))

    def scaled(self, factor: float) -> Trace:
        """Every sample times a factor, GPUs unchanged: another PUE, another place of the meter."""
        return replace(self, mw=self.mw * factor)

    def on(self, gpus: int) -> Trace:
        """The same power for each GPU on another number of them, all in step: the swing is not smoothed."""
        if not self.gpus or gpus < 1:
            raise SettingError(f"trace {self.name}: from {self.gpus} to {gpus} GPUs: both must be 1 or more")
        return replace(self, mw=self.mw * (gpus / self.gpus), gpus=int(gpus))


def _check_samples(bad: Problems, name: str, t: Array, p: Array) -> None:
    """Note samples that cannot be: the first of each kind with its index, and how many there are."""
    for what, numbers in (("time", t), ("power", p)):
        missing = np.flatnonzero(~np.isfinite(numbers))
        if len(missing):
            text = f"{len(missing)} such, the first at sample {missing[0]}: leave those samples out, or fill them"
            bad.add(name, None, what, float(numbers[missing[0]]), text)
    negative = np.flatnonzero(p < 0.0)
    if len(negative):
        text = f"MW at sample {negative[0]}, {len(negative)} such: a load draws; turn the sign or drop the samples"
        bad.add(name, None, "power", float(p[negative[0]]), text)
    back = np.flatnonzero(np.diff(t) <= 0.0)
    if len(back):
        k = int(back[0])
        how = "is repeated" if t[k + 1] == t[k] else f"goes back from {t[k]:g} s"
        text = f"s at sample {k + 1}: time {how}, {len(back)} such; sort by time and keep one sample of each time"
        bad.add(name, None, "time", float(t[k + 1]), text)


def check_unit(name: str, mean_mw: float, gpus: int) -> None:
    """Raise SettingError where the mean power of one GPU cannot be: most often W read as kW, or kW as W."""
    watt = mean_mw * 1e6 / gpus
    if LEAST_W <= watt <= MOST_W:
        return
    thousand = 1e-3 if watt > MOST_W else 1e3
    text = f"trace {name}: {watt:.3g} W for each of {gpus} GPUs cannot be ({LEAST_W:g} to {MOST_W:g} W)"
    if LEAST_W <= watt * thousand <= MOST_W:
        way = "W where kW is taken" if thousand < 1.0 else "kW where W is taken"
        raise SettingError(f"{text}; off by a thousand, so the column is {way}: give unit=")
    raise SettingError(f"{text}: check unit= and gpus=")
