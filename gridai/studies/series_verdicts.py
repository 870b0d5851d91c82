"""The limits of a profile held against a course: voltages, loadings, flicker.

A limit that states a share of the time (time_percent, as EN 50160 does) is judged by means over ten minutes: so large
a share of them is within. One that states none is judged by the worst step. Steps without a solution are not judged:
with such steps nothing passes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.criteria.base import not_assessable, verdict, within_band
from gridai.criteria.steady_voltage import EDGE_PU
from gridai.grid.batch.result import REASONS
from gridai.results import Extreme, Limit, Verdict
from gridai.studies.series_flicker import PstCourse
from gridai.studies.series_sums import Sums

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria import Profile

Floats = NDArray[np.float64]
WORSENED_PU = 0.005
JUDGED = {"steady_voltage": ("any", "normal"), "thermal_loading": ("any", "normal", "planning"),
          "flicker_pst": ("quality",), "flicker_plt": ("quality",)}  # fmt: skip
BAD_INPUT = next(text for text in REASONS.values() if text.startswith("the input"))


def limits_of(profile: Profile | None, flicker: bool) -> tuple[Limit, ...]:
    """The limits of a profile that a course can be held against; those of flicker where that is measured."""
    some = () if profile is None else profile.limits
    return tuple(x for x in some if x.condition in JUDGED.get(x.criterion, ()) and (
        flicker or not x.criterion.startswith("flicker")))  # fmt: skip


def share_of(limit: Limit) -> float:
    """Share of the time that a limit holds for, 0 to 1."""
    return float(limit.settings.get("time_percent", 100.0)) / 100.0


def verdicts(case: Case, base_vm: Floats, sums: Sums, limits: tuple[Limit, ...], pst: PstCourse | None
             ) -> tuple[Verdict, ...]:  # fmt: skip
    """One verdict for each limit. base_vm: voltages of the case as it stands, float[buses] in pu."""
    if sums.means is not None:
        sums.means.end()
    lost = sum(count for text, count in sums.reasons.items() if not text.startswith(BAD_INPUT))
    out = []
    for limit in limits:
        if limit.criterion == "steady_voltage":
            found = _voltage(limit, case, base_vm, sums)
        elif limit.criterion == "thermal_loading":
            found = _loading(limit, sums)
        else:
            found = _flicker(limit, case, pst)
        if lost and found.status == "pass":
            found = not_assessable(limit, f"{lost} steps have no solution; the others stay within")
        out.append(found)
    return tuple(out)


def _own(limit: Limit, case: Case, names: tuple[str, ...]) -> list[int]:
    low, high = float(limit.settings.get("kv_min", 0.0)), float(limit.settings.get("kv_max", math.inf))
    kv = {key: float(case.net.bus.at[i, "vn_kv"]) for key, i in case.buses.items()}
    return [k for k, name in enumerate(names) if low <= kv[name] < high]


def _voltage(limit: Limit, case: Case, base_vm: Floats, sums: Sums) -> Verdict:
    """A bus that is outside in the case as it stands is held against the course where it gets worse (worsened_pu)."""
    own = np.array(_own(limit, case, sums.buses), dtype=int)
    own = own[np.isfinite(sums.bus_low[own]) & np.isfinite(base_vm[own])] if len(own) else own
    if not len(own):
        return not_assessable(limit, "no bus of this voltage class with a solved step")
    low, high, low_s, high_s = _extremes(limit, sums)
    least = -np.inf if limit.low is None else limit.low
    most = np.inf if limit.high is None else limit.high
    worse = float(limit.settings.get("worsened_pu", WORSENED_PU))
    below, above = base_vm < least + EDGE_PU, base_vm > most - EDGE_PU
    worsened = (below & (base_vm - low > worse)) | (above & (high - base_vm > worse))
    worsened |= (below & (high > most)) | (above & (low < least))
    excused = (below | above) & ((low < least) | (high > most)) & ~worsened
    judged = own[~excused[own]]
    note = "; ".join(x for x in (_said(limit), _listed([sums.buses[k] for k in own if excused[k]])) if x)
    if not len(judged):
        return not_assessable(limit, note)
    a, b = judged[low[judged].argmin()], judged[high[judged].argmax()]
    return within_band(limit, Extreme(float(low[a]), float(low_s[a]), sums.buses[a]),
                       Extreme(float(high[b]), float(high_s[b]), sums.buses[b]), note)  # fmt: skip


def _extremes(limit: Limit, sums: Sums) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest and highest voltage of each bus that counts, and its time (NaN where it is a share of the time)."""
    share, nowhere = share_of(limit), np.full(len(sums.buses), np.nan)
    if share >= 1.0 or sums.means is None:
        return sums.bus_low, sums.bus_high, sums.t_s[sums.bus_low_at], sums.t_s[sums.bus_high_at]
    least = -np.inf if limit.low is None else limit.low
    most = np.inf if limit.high is None else limit.high
    places = range(len(sums.buses))
    ends = np.array([_band(sums.means.histogram, k, share, least, most) for k in places]).reshape(-1, 2)
    return ends[:, 0], ends[:, 1], nowhere, nowhere


def _band(histogram: Any, column: int, share: float, least: float, most: float) -> tuple[float, float]:
    """Lowest and highest value of a share of the values, those left out that leave the widest margin to both limits."""
    counts = histogram.counts[column]
    filled = np.flatnonzero(counts)
    if not len(filled):
        return math.nan, math.nan
    values, some = (filled + 0.5) * histogram.width, counts[filled]
    spare = int((1.0 - share) * int(some.sum()) + 1e-9)
    below = np.concatenate([[0], np.cumsum(some)[:-1]])
    above = np.cumsum(some[::-1])[::-1] - some
    lows = np.flatnonzero(below <= spare)
    # above falls along the bins: the first one that leaves out no more than is left to spare
    highs = len(above) - np.searchsorted(above[::-1], spare - below[lows], side="right")
    margins = np.minimum(values[lows] - least, most - values[highs])
    best = int(margins.argmax())
    return float(values[lows[best]]), float(values[highs[best]])


def _said(limit: Limit) -> str:
    share = limit.settings.get("time_percent", 100.0)
    return f"{share:g} % of the means over ten minutes" if share < 100.0 else ""


def _listed(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"not judged, outside already in the case as it stands: {', '.join(names[:6])}{more}"


def _loading(limit: Limit, sums: Sums) -> Verdict:
    if sums.most[1] < 0 or not np.isfinite(sums.most[0]):
        return not_assessable(limit, "no solved step with a rated branch")
    value, branch, at = float(sums.most[0]), sums.branches[int(sums.most[1])], float(sums.t_s[int(sums.most[2])])
    high = float(limit.high or 0.0)
    return verdict(limit, value, high, high - value, Extreme(value, at, branch))


def _flicker(limit: Limit, case: Case, pst: PstCourse | None) -> Verdict:
    if pst is None:
        return not_assessable(limit, "flicker was not measured")
    if not _own(limit, case, (pst.bus,)):
        return not_assessable(limit, f"bus {pst.bus} is of another voltage class")
    values, times = (pst.pst, pst.t_s) if limit.criterion == "flicker_pst" else (pst.plt, pst.plt_t_s)
    if not len(values):
        return not_assessable(limit, "the course holds fewer than twelve whole periods")
    share = share_of(limit)
    k = int(np.argsort(values)[max(math.ceil(share * len(values) - 1e-9) - 1, 0)])
    high, value = float(limit.high or 0.0), float(values[k])
    note = f"{100 * share:g} % of {len(values)} periods" if share < 1.0 else f"the largest of {len(values)} periods"
    return verdict(limit, value, high, high - value, Extreme(value, float(times[k]), pst.bus), note)
