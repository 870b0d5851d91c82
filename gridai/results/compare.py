"""Comparison of curves for model and version checks: how far a run is from its reference, and where.

    pointwise      runs of the same fixed step: sample against sample; the times must be the same.
    tube           runs of variable step: the curve must stay within a tube around the reference, `width_s` in time and
                   `height` in value. A jump that comes a little early or late is no error.
    by_windows     maximum (MXE), mean (ME) and mean absolute error (MAE) before, during and after a disturbance, with
                   what follows its begin and its end at once left out, as operators' model checks ask.

Instants of events are kept: a repeated time has its two values compared side by side, and events are matched by kind,
element and time. Sources: MXE, ME, MAE and the instants left out: RTE I16 as in DyCoV; IEC 61400-27-2. Tube:
csv-compare of the Modelica Association.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError
from gridai.results.records import EventRecord
from gridai.results.result import Result
from gridai.results.variation import sides, sliding_extremes

SAME_TIME_S = 1e-9
"""Times of two runs of the same step may differ by this rounding. [s]"""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """How far one curve is from its reference.

    element          name of the curve.
    largest          largest distance (of a tube: beyond the tube), in the unit of the curve; NaN where one has a gap.
    mean, mean_abs   mean and mean absolute error.
    t_s              when the largest occurs. [s]
    samples          number of instants compared.
    """

    element: str
    largest: float
    mean: float
    mean_abs: float
    t_s: float
    samples: int

    def within(self, largest: float, mean: float = float("inf"), mean_abs: float = float("inf")) -> bool:
        """True where no error exceeds its bound. A NaN is never within."""
        return self.largest <= largest and abs(self.mean) <= mean and self.mean_abs <= mean_abs


def pointwise(
    t_s: ArrayLike, reference: ArrayLike, t_other: ArrayLike, other: ArrayLike, element: str = ""
) -> Difference:
    """Sample against sample. Raises ResultError, naming the first instant, where the times are not the same."""
    t, u = np.asarray(t_s, dtype=float), np.asarray(t_other, dtype=float)
    both = min(len(t), len(u))
    apart = np.flatnonzero(np.abs(t[:both] - u[:both]) > SAME_TIME_S)
    if len(apart) or len(t) != len(u):
        first = int(apart[0]) if len(apart) else both
        shown = " and ".join(f"{x[first]:.9g} s" if first < len(x) else "no sample" for x in (t, u))
        raise ResultError(
            f"{element or 'curves'}: {len(t)} and {len(u)} samples, at sample {first} {shown}: point by point takes "
            "runs of the same step and events; compare by tube"
        )
    return _difference(element, t, np.asarray(other, dtype=float) - np.asarray(reference, dtype=float))


def tube(
    t_s: ArrayLike, reference: ArrayLike, t_other: ArrayLike, other: ArrayLike, width_s: float, height: float,
    element: str = "",
) -> Difference:  # fmt: skip
    """How far a curve leaves the tube around its reference; 0 where it stays within.

    At an instant the tube reaches from `height` below the lowest to `height` above the highest value that the reference
    takes within `width_s` on either side. Looked at are all samples of both, both sides of a jump, and the instants
    where a corner of the reference enters or leaves the tube. The times must cover the same span, within `width_s`.
    """
    t, u = np.asarray(t_s, dtype=float), np.asarray(t_other, dtype=float)
    r, x = np.asarray(reference, dtype=float), np.asarray(other, dtype=float)
    if not len(t) or not len(u) or abs(t[0] - u[0]) > width_s or abs(t[-1] - u[-1]) > width_s:
        spans = " and ".join(f"{y[0]:g} to {y[-1]:g} s" if len(y) else "nothing" for y in (t, u))
        raise ResultError(f"{element or 'curves'}: {spans}: a tube takes runs of the same length")
    # A jump of the reference moves the tube's edge at once: both sides of that instant are looked at.
    aside = SAME_TIME_S * np.maximum(1.0, np.abs(t))
    edges = [t - width_s - aside, t - width_s, t + width_s, t + width_s + aside]
    at = np.unique(np.concatenate([u, t, *edges]))
    at = at[(at >= u[0]) & (at <= u[-1])]
    if np.isnan(r).any() or np.isnan(x).any():
        return Difference(element, float("nan"), float("nan"), float("nan"), _first_gap(t, r, u, x), len(at))
    low, high = sliding_extremes(t, r, np.maximum(at - width_s, t[0]), np.minimum(at + width_s, t[-1]))
    beyond = [np.maximum(y - high, 0.0) - np.maximum(low - y, 0.0) for y in sides(u, x, at)]
    error = np.where(np.abs(beyond[0]) >= np.abs(beyond[1]), *beyond)
    return _difference(element, at, np.sign(error) * np.maximum(np.abs(error) - height, 0.0))


def by_windows(
    t_s: ArrayLike, reference: ArrayLike, t_other: ArrayLike, other: ArrayLike, begin_s: float, end_s: float,
    after_begin_s: float = 0.020, after_end_s: float = 0.060, low_pass_hz: float = 15.0, step_s: float = 0.002,
    element: str = "",
) -> dict[str, Difference]:  # fmt: skip
    """Errors before, during and after a disturbance from begin_s to end_s, on common samples after a low-pass filter.

    after_begin_s, after_end_s  left out after the begin and after the end. [s]
    low_pass_hz                 second-order Butterworth, without delay, on each part for itself; 0: none. [Hz]
    step_s                      common sampling. [s]
    Raises ResultError for an end before the begin, or a disturbance outside the runs.
    """
    t, u = np.asarray(t_s, dtype=float), np.asarray(t_other, dtype=float)
    first, last = max(t[0], u[0]), min(t[-1], u[-1])
    if not first < begin_s < end_s < last:
        raise ResultError(f"disturbance from {begin_s:g} to {end_s:g} s: must lie within {first:g} to {last:g} s")
    parts = {"before": (first, begin_s), "during": (begin_s, end_s), "after": (end_s, last)}
    skipped = {"before": 0.0, "during": after_begin_s, "after": after_end_s}
    found = {}
    for name, (a, b) in parts.items():
        grid = a + step_s * np.arange(max(1, int(np.ceil((b - a) / step_s - 1e-6))))
        pair = [_smooth(_later_side(*curve, grid), low_pass_hz, step_s) for curve in ((t, reference), (u, other))]
        kept = grid >= a + skipped[name]
        found[name] = _difference(element, grid[kept], (pair[1] - pair[0])[kept])
    return found


def _later_side(t: FloatArray, x: ArrayLike, grid: FloatArray) -> FloatArray:
    """Values on a grid; of a jump the later side."""
    return sides(t, np.asarray(x, dtype=float), grid)[1]


def _smooth(x: FloatArray, low_pass_hz: float, step_s: float) -> FloatArray:
    """Low-pass without delay; too short a part, or one with a gap, stays as it is."""
    if low_pass_hz <= 0.0 or len(x) <= 12 or np.isnan(x).any() or low_pass_hz * step_s >= 0.5:
        return x
    from scipy.signal import butter, sosfiltfilt

    sos = butter(2, low_pass_hz, fs=1.0 / step_s, output="sos")
    smooth: FloatArray = sosfiltfilt(sos, x, padtype="even", padlen=min(len(x) - 1, 99))
    return smooth


def _difference(element: str, t: FloatArray, error: FloatArray) -> Difference:
    nan = float("nan")
    if not len(t) or np.isnan(error).any():
        at = float(t[np.argmax(np.isnan(error))]) if len(t) else nan
        return Difference(element, nan, nan, nan, at, len(t))
    k = int(np.argmax(np.abs(error)))
    return Difference(
        element, float(abs(error[k])), float(error.mean()), float(np.abs(error).mean()), float(t[k]), len(t)
    )


def _first_gap(t: FloatArray, r: FloatArray, u: FloatArray, x: FloatArray) -> float:
    return float(min([*t[np.isnan(r)][:1], *u[np.isnan(x)][:1]]))


def unmatched_events(
    reference: tuple[EventRecord, ...], other: tuple[EventRecord, ...], within_s: float = SAME_TIME_S
) -> tuple[str, ...]:
    """Events that only one of two runs has, in words; an event has its match in kind, element and time."""
    left = list(other)
    lines = []
    for event in reference:
        same = [e for e in left if (e.kind, e.element) == (event.kind, event.element)]
        match = min(same, key=lambda e: abs(e.t_s - event.t_s), default=None)
        if match is not None and abs(match.t_s - event.t_s) <= within_s:
            left.remove(match)
        else:
            near = f"; the nearest is at {match.t_s:.9g} s" if match is not None else ""
            lines.append(f"missing: {event.kind} {event.element} at {event.t_s:.9g} s{near}")
    return (*lines, *(f"new: {e.kind} {e.element} at {e.t_s:.9g} s" for e in left))


@dataclass(frozen=True)
class Comparison:
    """Two results, channel by channel.

    worst     the largest difference of each quantity "kind/quantity", the element named.
    missing   channels of the reference that the other lacks.
    events    events that only one of them has, in words.
    """

    worst: dict[str, Difference]
    missing: tuple[str, ...]
    events: tuple[str, ...]

    def within(self, tolerance: dict[str, float], default: float = 0.0) -> bool:
        """True where nothing is missing, all events match and every quantity keeps its tolerance ("bus/vm_pu")."""
        kept = all(d.within(tolerance.get(name, default)) for name, d in self.worst.items())
        return kept and not self.missing and not self.events


def compare_results(
    reference: Result, other: Result, width_s: float = 0.0, heights: dict[str, float] | None = None
) -> Comparison:
    """All channels of two results: point by point where width_s is 0, else by tube (height by "kind/quantity")."""
    worst: dict[str, Difference] = {}
    have = {channel.key: k for k, channel in enumerate(other.channels)}
    missing = tuple(c.key for c in reference.channels if c.key not in have)
    for k, channel in enumerate(reference.channels):
        if channel.key not in have:
            continue
        kept = have[channel.key]
        own = reference.data[:, k] * channel.scale
        others = other.data[:, kept] * other.channels[kept].scale
        name = f"{channel.kind}/{channel.quantity}"
        gap = np.isnan(own)
        if width_s == 0.0 and len(own) == len(others) and gap.any() and (gap == np.isnan(others)).all():
            own, others = np.where(gap, 0.0, own), np.where(gap, 0.0, others)
        if width_s == 0.0:
            found = pointwise(reference.t_s, own, other.t_s, others, channel.element)
        else:
            height = (heights or {}).get(name, 0.0)
            found = tube(reference.t_s, own, other.t_s, others, width_s, height, channel.element)
        if name not in worst or found.largest > worst[name].largest or np.isnan(found.largest):
            worst[name] = found
    return Comparison(worst, missing, unmatched_events(reference.events, other.events, max(width_s, SAME_TIME_S)))
