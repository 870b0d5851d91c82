"""How the power of a load may move: ramps, highest less lowest within a window, oscillation within a band.

Judged is each cluster's power at the meter. Over a window of minutes a run must be that long: a shorter one is not
assessable, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from gridai.criteria.base import FloatArray, not_assessable, verdict
from gridai.errors import CaseError, ResultError, UnknownNameError, near
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.variation import band_limited, peak_to_peak, window_changes

Direction = Literal["both", "up", "down"]
DIRECTIONS = {"both": (1.0, -1.0), "up": (1.0,), "down": (-1.0,)}


@dataclass(frozen=True)
class RampRate:
    """Largest ramp, at most `high` in MW/min: the change over a sliding window divided by its length.

    window_s    length of the window. [s]
    direction   "up" (consumes more), "down" or "both".
    percentile  judge not the largest but the ramp that so many per cent of all windows keep; 100: the largest. [%]
    """

    limit: Limit
    window_s: float = 60.0
    direction: Direction = "both"
    percentile: float = 100.0

    name: ClassVar[str] = "ramp_rate"
    meaning: ClassVar[str] = "the load's power does not ramp too fast"

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise UnknownNameError(near(self.direction, DIRECTIONS, "direction"))
        _positive("ramp_rate", self.window_s)

    def check(self, result: Result) -> Verdict:
        """Verdict for the cluster that ramps most; its time is the end of the window."""
        worst = Extreme(-1.0, float("nan"))
        for name, p in clusters_of(result):
            ends, change = window_changes(result.t_s, p, self.window_s)
            if np.isnan(p).any() or not len(ends):
                return _no_window(self.limit, name, p, self.window_s)
            sizes = np.max([sign * change for sign in DIRECTIONS[self.direction]], axis=0)
            sizes = np.maximum(sizes, 0.0) * 60.0 / self.window_s
            found = self._worst(ends, sizes, name)
            worst = found if found.value > worst.value else worst
        high = float(self.limit.high or 0.0)
        note = f"{self.direction}, window {self.window_s:g} s"
        if self.percentile < 100.0:
            note += f", {self.percentile:g} % of the windows"
        return verdict(self.limit, worst.value, high, high - worst.value, worst, note)

    def _worst(self, ends: FloatArray, sizes: FloatArray, name: str) -> Extreme:
        if self.percentile >= 100.0 or len(ends) < 2:
            k = int(sizes.argmax())
            return Extreme(float(sizes[k]), float(ends[k]), name)
        # The windows' ends are uneven: the percentile is taken over time.
        even = np.interp(np.linspace(ends[0], ends[-1], 4 * len(ends)), ends, sizes)
        level = float(np.percentile(even, self.percentile))
        return Extreme(level, float(ends[np.abs(sizes - level).argmin()]), name)


@dataclass(frozen=True)
class PeakToPeak:
    """Largest highest-less-lowest power within a sliding window, at most `high` in MW.

    window_s                 length of the window. [s]
    band_low_hz, band_high_hz   judge only what lies between two frequencies; both 0: the power itself. [Hz]
    """

    limit: Limit
    window_s: float
    band_low_hz: float = 0.0
    band_high_hz: float = 0.0

    name: ClassVar[str] = "peak_to_peak"
    meaning: ClassVar[str] = "the load's power does not move too far within a window"

    def __post_init__(self) -> None:
        _positive("peak_to_peak", self.window_s)
        if self.band_low_hz or self.band_high_hz:
            _band("peak_to_peak", self.band_low_hz, self.band_high_hz)

    def check(self, result: Result) -> Verdict:
        """Verdict for the cluster that moves most; its time is the end of the window."""
        worst = Extreme(-1.0, float("nan"))
        for name, p in clusters_of(result):
            if np.isnan(p).any() or len(p) < 2 or result.t_s[-1] - result.t_s[0] < self.window_s * (1.0 - 1e-9):
                return _no_window(self.limit, name, p, self.window_s)
            t, x = result.t_s, p
            if self.band_high_hz:
                t, x = band_limited(t, p, self.band_low_hz, self.band_high_hz)
            found = peak_to_peak(t, x, min(self.window_s, float(t[-1] - t[0])))
            worst = Extreme(found.value, found.t_s, name) if found.value > worst.value else worst
        high = float(self.limit.high or 0.0)
        note = f"window {self.window_s:g} s"
        if self.band_high_hz:
            note += f", {self.band_low_hz:g} to {self.band_high_hz:g} Hz"
        return verdict(self.limit, worst.value, high, high - worst.value, worst, note)


@dataclass(frozen=True)
class BandOscillation:
    """Largest amplitude within a band of frequency, at most `high` in MW: half of highest less lowest in a period.

    f_low_hz, f_high_hz  the band. The window is one period of the lower frequency. [Hz]
    share                of the rated power, if that is less than `high`; 0: `high` alone.
    rated_mw             rated power; 0: the largest power of the run. [MW]
    """

    limit: Limit
    f_low_hz: float
    f_high_hz: float
    share: float = 0.0
    rated_mw: float = 0.0

    name: ClassVar[str] = "band_oscillation"
    meaning: ClassVar[str] = "the load's power does not oscillate within a band of frequency"

    def __post_init__(self) -> None:
        _band("band_oscillation", self.f_low_hz, self.f_high_hz)

    def check(self, result: Result) -> Verdict:
        """Verdict for the cluster with the least margin; its time is the end of the period."""
        rows = []
        for name, p in clusters_of(result):
            if np.isnan(p).any():
                return not_assessable(self.limit, f"no power of {name} in part of the run")
            t, x = band_limited(result.t_s, p, self.f_low_hz, self.f_high_hz)
            found = peak_to_peak(t, x, min(1.0 / self.f_low_hz, float(t[-1] - t[0])))
            bound = self._bound(float(np.abs(p).max()))
            rows.append((bound - 0.5 * found.value, bound, Extreme(0.5 * found.value, found.t_s, name)))
        margin, bound, worst = min(rows, key=lambda row: row[0])
        note = f"{self.f_low_hz:g} to {self.f_high_hz:g} Hz"
        return verdict(self.limit, worst.value, bound, margin, worst, note)

    def _bound(self, largest_mw: float) -> float:
        high = float(self.limit.high or 0.0)
        return min(high, self.share * (self.rated_mw or largest_mw)) if self.share else high


def clusters_of(result: Result) -> list[tuple[str, FloatArray]]:
    """Name and power of each cluster. Raises ResultError where the result holds none."""
    names = result.names("cluster", "p_mw")
    if not names:
        raise ResultError("the limit holds for clusters and the result holds none")
    return list(zip(names, result.values("cluster", "p_mw").T, strict=True))


def _no_window(limit: Limit, name: str, p: FloatArray, window_s: float) -> Verdict:
    if np.isnan(p).any():
        return not_assessable(limit, f"no power of {name} in part of the run")
    return not_assessable(limit, f"the run is shorter than the window of {window_s:g} s")


def _positive(family: str, window_s: float) -> None:
    if not window_s > 0.0:
        raise CaseError(f"{family}: window_s = {window_s!r}: give a time above 0 s")


def _band(family: str, low_hz: float, high_hz: float) -> None:
    if not 0.0 < low_hz < high_hz:
        raise CaseError(f"{family}: from {low_hz!r} to {high_hz!r} Hz: give a band above 0 Hz")
