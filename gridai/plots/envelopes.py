"""Limits of voltage against time, drawn over the voltages from the disturbance on, and the dips as insets.

A curve of ride-through or tolerance asks for a voltage above (below) a step line that begins with the disturbance; a
limit of recovery asks for it from some time after the clearing on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.results import Limit, Result

DIP_PU, BACK = 0.1, 0.9
"""A dip is a fall of a live bus by so much; it is over when all live buses are back at this part of what they had."""
AT_ONCE_S, LONGEST_S, MOST_DIPS = 1.0, 3.0, 6
"""Events this close belong to one disturbance; an inset shows so much at most."""
MAY_LEAVE = ("may leave below", "may leave above")


class Dip(NamedTuple):
    """A fall of voltage after an event: from, until, lowest voltage of a live bus, what happened. [s, s, pu]"""

    begin_s: float
    end_s: float
    low_pu: float
    text: str

    @property
    def window(self) -> tuple[float, float]:
        """What an inset shows. [s]"""
        length = min(LONGEST_S, max(0.05, self.end_s - self.begin_s))
        return self.begin_s - max(0.03, 0.3 * length), self.begin_s + max(2.0 * length, length + 0.1)


class Envelope(NamedTuple):
    """A step line: times since its begin and levels, for the legend a text. side -1: stay above; +1: stay below."""

    side: int
    t_s: tuple[float, ...]
    level: tuple[float, ...]
    text: str


def dips_of(result: Result, vm: FloatArray) -> list[Dip]:
    """The dips that events brought, the deepest six at most, in order of time.

    vm  voltages, float[nt, n] in pu; NaN where a bus is de-energised.
    """
    t, found = result.t_s, []
    for times in _together(sorted({e.t_s for e in result.events if e.kind != "leave"})):
        before = max(0, int(np.searchsorted(t, times[0], side="left")) - 1)
        inside = (t >= times[0]) & (t <= times[-1] + 0.5)
        if not inside.any() or not vm.size:
            continue
        ratio = vm[inside] / np.where(vm[before] > 0.0, vm[before], np.nan)
        low = np.where(np.isnan(ratio), 1.0, ratio).min(axis=1)
        if 1.0 - low.min() < DIP_PU:
            continue
        within = t[inside]
        up = np.flatnonzero((low >= BACK) & (within > within[int(low.argmin())]))
        end = float(within[up[0]]) if len(up) else float(within[-1])
        text = next((f"{e.kind} {e.element}" for e in result.events if e.t_s == times[0]), "")
        found.append(Dip(times[0], end, float(np.nanmin(vm[inside])), text))
    deepest = sorted(found, key=lambda dip: dip.low_pu)[:MOST_DIPS]
    return sorted(deepest)


def _together(times: Sequence[float]) -> list[list[float]]:
    groups: list[list[float]] = []
    for at in times:
        if groups and at - groups[-1][-1] < AT_ONCE_S:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def envelopes_of(limits: Sequence[Limit]) -> tuple[list[Envelope], list[Envelope]]:
    """Envelopes that begin with the disturbance, and those that begin with its clearing."""
    struck, cleared = [], []
    for limit in limits:
        mark = "" if limit.verified else ", unverified"
        name = " ".join(word for word in (limit.profile, limit.edition, limit.clause) if word)
        text = f"{name if len(name) < 70 else name[:67] + '...'}{mark}"
        if (
            limit.criterion in ("tolerance_curve", "ride_through")
            and limit.settings.get("quantity", "vm_pu") == "vm_pu"
        ):
            words = ("stay above", "stay below") if limit.criterion == "tolerance_curve" else MAY_LEAVE
            struck += _curve(limit.settings, text, words)
        elif limit.criterion == "transient_voltage_recovery" and limit.low is not None:
            share = " of the voltage before" if limit.settings.get("reference") == "initial" else " pu"
            within = float(limit.settings.get("within_s", 0.0))
            said = f"recovery to {limit.low:g}{share} within {within:g} s{mark}"
            cleared.append(Envelope(-1, (within, math.inf), (limit.low, limit.low), said))
    return struck, cleared


def _curve(settings: Any, text: str, words: tuple[str, str]) -> list[Envelope]:
    """The lower and the upper step line of a curve, or of an envelope of points [seconds, value]."""
    if settings.get("envelope"):
        rows = [(float(s), float(v)) for s, v in settings["envelope"]]
        return [Envelope(-1, tuple(s for s, _ in rows), tuple(v for _, v in rows), f"{words[0]}: {text}")]
    edges = _edges(settings.get("curve") or (), float(settings.get("centre", 1.0)))
    found = []
    for side, word in zip((-1, 1), words, strict=True):
        rows = sorted((seconds, level) for at, level, seconds in edges if at == side)
        if rows:
            steps = np.minimum.accumulate if side > 0 else np.maximum.accumulate
            level = steps(np.array([v for _, v in rows]))
            found.append(Envelope(side, tuple(s for s, _ in rows), tuple(float(v) for v in level), f"{word}: {text}"))
    return found


def _edges(bands: Sequence[Any], centre: float) -> list[tuple[int, float, float]]:
    """(side, level, seconds) of each band's inner edge; a pair [a, b] means log10(s) = a * value + b."""
    found = []
    for low, high, seconds in bands:
        side, level = (-1, float(high)) if high <= centre else (1, float(low))
        if isinstance(seconds, list | tuple):
            inner, outer = (high, low) if side < 0 else (low, high)
            found += [
                (side, float(x), 10.0 ** (seconds[0] * x + seconds[1])) for x in np.linspace(inner, outer, 17)[:-1]
            ]
        elif math.isfinite(seconds) and not low < centre < high:
            found.append((side, level, float(seconds)))
    return found


def draw(ax: Axes, envelope: Envelope, begin_s: float, until_s: float, label: bool) -> None:
    """One envelope from `begin_s` on; the line is left out where it begins after `until_s`."""
    t = [begin_s + s for s in envelope.t_s if begin_s + s < until_s]
    if not t:
        return
    level = list(envelope.level[: len(t)])
    ax.plot([*t, until_s], [*level, level[-1]], drawstyle="steps-post", color=style.LIMIT, linewidth=1.5,
            linestyle=(0, (5, 1, 1, 1)), zorder=2.6, label=style.shown(envelope.text) if label else None)  # fmt: skip


__all__ = ["Dip", "Envelope", "dips_of", "draw", "envelopes_of"]
