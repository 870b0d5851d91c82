"""Curves of value against time, as ride-through and tolerance limits state them, and the stays beyond them.

    curve = [[0.0, 0.2, 0.15], [0.2, 0.9, 2.0], [0.9, 1.1, inf]]      from, to, seconds it is to be endured

A value below (above) the edge of a band for longer than the band's seconds is beyond the curve, deeper bands included:
0.1 s at 0.4 and 0.5 s at 0.7 are 0.6 s below 0.8. Beyond the outermost band nothing has to be endured: 0 s. A band
whose seconds depend on the value takes a pair [a, b]: log10(s) = a * value + b. Each stay counts for itself; they do
not add up.

    envelope = [[0.15, 0.0], [1.5, 0.9]]      seconds since the value left the normal range, lowest value to be endured
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gridai.criteria.base import FloatArray
from gridai.errors import CaseError

FAR = 9.0
"""A band that reaches to 0 or below, or to this many times its centre, has no outer edge."""
STEPS = 64
"""A band with a pair of coefficients is cut into so many steps."""


class Threshold(NamedTuple):
    """One edge: below it (side -1) or above it (side +1) for at most allowed_s."""

    level: float
    side: int
    allowed_s: float


class Stay(NamedTuple):
    """One stay beyond a level. Times in s; `ended` is False when it lasts to the end of the run."""

    begin_s: float
    end_s: float
    ended: bool

    @property
    def lasted_s(self) -> float:
        """How long. [s]"""
        return self.end_s - self.begin_s


class Curve(NamedTuple):
    """Thresholds of a curve and its normal range, where anything may last."""

    thresholds: tuple[Threshold, ...]
    low: float
    high: float


def parse(bands: Any, centre: float) -> Curve:
    """A curve from its bands.

    Raises CaseError for what is no list of [from, to, seconds], for gaps and overlaps, and where the curve crosses
    itself: a value farther out that has to be endured longer, though it is beyond the nearer edge as well.
    """
    rows = _rows(bands)
    for (_, high, _), (low, _, _) in pairwise(rows):
        if abs(high - low) > 1e-12:
            raise CaseError(f"curve: a band ends at {high:g} and the next begins at {low:g}: bands must meet")
    endless = [(low, high) for low, high, seconds in rows if seconds == math.inf]
    if len(endless) > 1:
        raise CaseError("curve: only one band may last for ever (inf)")
    low, high = endless[0] if endless else _normal(rows, centre)
    found = [t for row in rows for t in _edges(row, low, high)]
    if 0.0 < rows[0][0] <= low:
        found.append(Threshold(rows[0][0], -1, 0.0))
    if rows[-1][1] < FAR * centre and rows[-1][1] >= high:
        found.append(Threshold(rows[-1][1], 1, 0.0))
    thresholds = tuple(_shortest(found))
    _check_crossing(thresholds)
    return Curve(thresholds, low, high)


def _check_crossing(thresholds: Sequence[Threshold]) -> None:
    for side in (-1, 1):
        own = sorted((t for t in thresholds if t.side == side), key=lambda t: side * t.level)
        for near, far in pairwise(own):
            if far.allowed_s > near.allowed_s * (1.0 + 1e-9):
                raise CaseError(
                    f"curve: it crosses itself: {far.level:g} is to be endured for {far.allowed_s:g} s, though beyond "
                    f"{near.level:g} only {near.allowed_s:g} s are: a value farther out cannot be allowed longer"
                )


def _rows(bands: Any) -> list[tuple[float, float, Any]]:
    if not isinstance(bands, list | tuple) or not bands:
        raise CaseError("curve: write a list of [from, to, seconds]")
    rows = []
    for band in bands:
        good = isinstance(band, list | tuple) and len(band) == 3 and all(_number(x) for x in band[:2])
        last: Any = band[2] if good else None
        pair = isinstance(last, list | tuple) and len(last) == 2 and all(_number(x) for x in last)
        if not (good and band[0] < band[1] and (pair or (_number(last) and last >= 0.0))):
            raise CaseError(f"curve: {band!r}: write [from, to, seconds] with from below to, or [from, to, [a, b]]")
        rows.append((float(band[0]), float(band[1]), tuple(last) if pair else float(last)))
    return sorted(rows, key=lambda row: row[0])


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and not math.isnan(x)


def _normal(rows: list[tuple[float, float, Any]], centre: float) -> tuple[float, float]:
    """The normal range of a curve that states none: from the highest band below the centre to the lowest above."""
    low = max([high for _, high, _ in rows if high <= centre], default=-math.inf)
    return low, min([below for below, _, _ in rows if below >= centre], default=math.inf)


def _edges(row: tuple[float, float, Any], normal_low: float, normal_high: float) -> list[Threshold]:
    """Thresholds of one band: its inner edge, or steps where the seconds depend on the value."""
    low, high, seconds = row
    side = -1 if high <= normal_low else 1 if low >= normal_high else 0
    if side == 0:
        return []
    if isinstance(seconds, tuple):
        inner, outer = (high, low) if side < 0 else (low, high)
        levels = np.linspace(inner, outer, STEPS + 1)[:-1]
        return [Threshold(float(x), side, float(10.0 ** (seconds[0] * x + seconds[1]))) for x in levels]
    return [Threshold(high if side < 0 else low, side, seconds)]


def _shortest(found: list[Threshold]) -> list[Threshold]:
    """One threshold a level: the shortest time counts where two bands share an edge."""
    least: dict[tuple[float, int], float] = {}
    for level, side, seconds in found:
        least[level, side] = min(seconds, least.get((level, side), math.inf))
    return [Threshold(level, side, seconds) for (level, side), seconds in sorted(least.items())]


def stays(t: FloatArray, x: FloatArray, level: float, side: int) -> list[Stay]:
    """Stays of a series below (side -1) or above (side +1) a level. Crossings lie on straight lines between samples."""
    distance = side * (x - level)
    beyond = distance > 1e-9 * max(1.0, abs(level))
    edges = np.flatnonzero(beyond[1:] != beyond[:-1])
    times = [float(t[0])] if beyond[0] else []
    times += [_crossing(t, distance, int(k)) for k in edges]
    ended = len(times) % 2 == 0
    if not ended:
        times.append(float(t[-1]))
    pairs = list(zip(times[::2], times[1::2], strict=True))
    return [Stay(a, b, ended or n < len(pairs) - 1) for n, (a, b) in enumerate(pairs)]


def _crossing(t: FloatArray, distance: FloatArray, k: int) -> float:
    way = distance[k + 1] - distance[k]
    share = min(1.0, max(0.0, float(-distance[k] / way))) if way else 0.0
    return float(t[k] + (t[k + 1] - t[k]) * share)


class Excursion(NamedTuple):
    """One time outside the normal range. may_leave_s: from when on the curve asks for nothing; inf: it always asks."""

    begin_s: float
    end_s: float
    ended: bool
    may_leave_s: float


def excursions(t: FloatArray, x: FloatArray, curve: Curve) -> list[Excursion]:
    """All times outside the normal range of a curve, in order, and from when on the curve no longer holds in each."""
    outside = [stay for level, side in ((curve.low, -1), (curve.high, 1)) if math.isfinite(level)
               for stay in stays(t, x, level, side)]  # fmt: skip
    free = [(stay.begin_s, stay.begin_s + limit.allowed_s) for limit in curve.thresholds
            for stay in stays(t, x, limit.level, limit.side) if stay.lasted_s > limit.allowed_s + 1e-9]  # fmt: skip
    return [
        Excursion(s.begin_s, s.end_s, s.ended,
                  min([at for begin, at in free if s.begin_s - 1e-9 <= begin <= s.end_s], default=math.inf))
        for s in sorted(outside)
    ]  # fmt: skip


def envelope_points(points: Any) -> tuple[FloatArray, FloatArray]:
    """Seconds and values of an envelope. Raises CaseError for what is no list of [seconds, value] in order of time."""
    good = isinstance(points, list | tuple) and len(points) >= 2
    good = good and all(isinstance(p, list | tuple) and len(p) == 2 and all(_number(x) for x in p) for p in points)
    if not good or any(b[0] < a[0] for a, b in pairwise(points)):
        raise CaseError("envelope: write a list of [seconds, value], two or more, in order of time")
    table = np.array(points, dtype=float)
    return table[:, 0], table[:, 1]


def under_envelope(t: FloatArray, x: FloatArray, points: Sequence[Any]) -> list[Excursion]:
    """Stays below the last value of an envelope, and from when on the series was below the envelope itself."""
    seconds, values = envelope_points(points)
    found = []
    for stay in stays(t, x, float(values[-1]), -1):
        inside = (t > stay.begin_s) & (t <= stay.end_s)
        at = np.unique(np.concatenate([[stay.begin_s], t[inside], stay.begin_s + seconds, [stay.end_s]]))
        at = at[at <= stay.end_s]
        gap = np.interp(at, t, x) - np.interp(at - stay.begin_s, seconds, values)
        below = np.flatnonzero(gap < -1e-9)
        free = math.inf
        if len(below):
            k = int(below[0])
            free = float(at[k]) if k == 0 else _crossing(at, gap, k - 1)
        found.append(Excursion(stay.begin_s, stay.end_s, stay.ended, free))
    return found
