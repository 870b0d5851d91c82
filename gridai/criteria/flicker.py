"""Flicker: Pst of every observation of ten minutes, and Plt of twelve of them, stay at or below `high`.

The flickermeter of IEC 61000-4-15 (results/flickermeter.py) on the RMS voltage of the clusters' buses. The run must
hold samples 2.5 ms apart or closer, and one whole observation at least: a shorter run is not assessable. Standards
judge a share of the values of a week (time_percent): the study `timeseries` does; of a run here the largest value is
judged, which is stricter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import Places, buses_to_judge, not_assessable, verdict
from gridai.errors import UnknownNameError, near
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.flickermeter import LAMPS, PLT_S, PST_S, Flicker, flicker, lamp_of


@dataclass(frozen=True)
class ShortTermFlicker:
    """Largest Pst, at most `high`.

    period_s        observation of one Pst; the standard has 600 s. [s]
    skip_s          what passes before the first observation, at least meta["flicker_settle_s"] of the result. [s]
    lamp            "230V50", "120V60", "230V60", "120V50"; by the nominal frequency where none is given.
    kv_min, kv_max  only buses of this class of nominal voltage. [kV]
    at              the "clusters"' buses, or "all".
    time_percent    share of the observations that must keep to it, in a study of hours (`timeseries`). [%]
    """

    limit: Limit
    period_s: float = PST_S
    skip_s: float = 0.0
    lamp: str = ""
    kv_min: float = 0.0
    kv_max: float = float("inf")
    at: Places = "clusters"
    time_percent: float = 100.0

    name: ClassVar[str] = "flicker_pst"
    meaning: ClassVar[str] = "short-term flicker stays low"

    def __post_init__(self) -> None:
        _check_lamp(self.lamp)

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus and the observation with the largest Pst; its time is the observation's end."""
        found = _meter(self, result, self.period_s, self.period_s)
        if isinstance(found, Verdict):
            return found
        rows = [(value, k, name) for name, one in found for k, value in enumerate(one.pst)]
        value, k, name = max(rows)
        end = float(result.t_s[0]) + _skip_s(self, result) + (k + 1) * self.period_s
        high = float(self.limit.high or 0.0)
        note = f"the largest of {len(found[0][1].pst)} at this bus"
        return verdict(self.limit, value, high, high - value, Extreme(value, end, name), note)


@dataclass(frozen=True)
class LongTermFlicker:
    """Largest Plt of twelve observations of ten minutes in a row, at most `high`. Fields as of flicker_pst."""

    limit: Limit
    skip_s: float = 0.0
    lamp: str = ""
    kv_min: float = 0.0
    kv_max: float = float("inf")
    at: Places = "clusters"
    time_percent: float = 100.0

    name: ClassVar[str] = "flicker_plt"
    meaning: ClassVar[str] = "long-term flicker stays low"

    def __post_init__(self) -> None:
        _check_lamp(self.lamp)

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus with the largest Plt; its time is the end of the run."""
        found = _meter(self, result, PLT_S, PST_S)
        if isinstance(found, Verdict):
            return found
        value, name = max((one.plt, name) for name, one in found)
        if np.isnan(value):
            return not_assessable(self.limit, "the run holds fewer than twelve whole periods")
        high = float(self.limit.high or 0.0)
        return verdict(self.limit, value, high, high - value, Extreme(value, float(result.t_s[-1]), name))


def _check_lamp(lamp: str) -> None:
    if lamp and lamp not in LAMPS:
        raise UnknownNameError(near(lamp, LAMPS, "lamp"))


def _skip_s(family: ShortTermFlicker | LongTermFlicker, result: Result) -> float:
    """What passes before the first observation: a study may say that its run settles so long. [s]"""
    return max(family.skip_s, float(result.meta.get("flicker_settle_s", 0.0)))


def _meter(
    family: ShortTermFlicker | LongTermFlicker, result: Result, least_s: float, period_s: float
) -> list[tuple[str, Flicker]] | Verdict:
    """Flicker at each bus, or the verdict that says why there is none. A ResultError says it of the samples."""
    t, skip_s = result.t_s, _skip_s(family, result)
    least_s += skip_s
    if len(t) < 2 or t[-1] - t[0] < least_s * (1.0 - 1e-6):
        return not_assessable(family.limit, f"the run is shorter than the window of {least_s:g} s")
    names, vm = buses_to_judge(result, family.kv_min, family.kv_max, family.at)
    if not names:
        return not_assessable(family.limit, "no bus of this voltage class")
    if np.isnan(vm).any():
        return not_assessable(family.limit, f"no voltage at bus {names[int(np.isnan(vm).any(axis=0).argmax())]}")
    lamp = family.lamp or lamp_of(float(result.meta["f_hz"]))
    return [(name, flicker(t, v, lamp, period_s, skip_s)) for name, v in zip(names, vm.T, strict=True)]
