"""Curves of loads: how long a load has to stay at which voltage, as the profiles of criteria state it.

The limits that judge a load and the settings of a load that just obeys them come from one place, profiles/*.toml: the
family ride_through, or tolerance_curve where a profile has no other (ITIC, SEMI F47, PRC-024).

    under = ((0.9, 2.0), (0.5, 0.25))   below 0.9 pu it may leave after 2 s, below 0.5 pu after 0.25 s
    over = ((1.1, 2.0), (1.2, 0.0))     above 1.1 pu after 2 s, above 1.2 pu at once

`settings()` gives a load that just obeys: it leaves the moment the curve lets it and returns in the time allowed. A
load has four thresholds below and two above. Of a curve with more, those are left out whose absence keeps the load on
the grid least longer; an envelope becomes four steps that lie above it. So it stays as long as it must, or longer.
Importing this file loads the standard library only.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from gridai.errors import CaseError, UnknownNameError, near

if TYPE_CHECKING:
    from gridai.criteria.profiles import Profile
    from gridai.results import Limit

MOST_UNDER, MOST_OVER = 4, 2
WALK_SHARE = 0.5
"""Of the time allowed for the return a load that just obeys waits one half and ramps the other."""
FAMILIES = ("ride_through", "tolerance_curve")
LONGEST_S, DEEPEST_PU, HIGHEST_PU = 600.0, 0.0, 1.5
"""What weighs a threshold that is left out: longer times count as LONGEST_S, voltages lie between these bounds."""
UNUSED = 9e9
CONFIDENCES = "PVSMm"

Edges = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LoadCurve:
    """A curve: thresholds [pu] with the time to be endured [s], mildest first.

    f_hz           nominal frequency, Hz; 0: any
    df_hz, freq_s  deviation of the frequency beyond which the load may leave, after that time; None: not stated
    recover_s      time in which it is back at 90 % after the voltage is; None: not stated
    confidence     the least of the limits that it is made of
    left_out       what the settings of a load cannot hold, in words
    """

    name: str
    title: str
    f_hz: float
    under: Edges
    over: Edges
    df_hz: float | None
    freq_s: float
    recover_s: float | None
    source: str
    confidence: str
    left_out: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """True where the numbers were read in the primary text or verified in code."""
        return self.confidence in ("P", "V")

    def settings(self) -> dict[str, Any]:
        """Fields of gridai.cluster.UpsClass for a load that leaves no sooner than the curve lets it."""
        found: dict[str, Any] = {"v_spread_pu": 0.0, "delay_spread": 0.0, "count_n": 0, "phase_rad": 9.0}
        found |= {"rocof_hz_per_s": UNUSED, "return_policy": "together", "return_every_s": 0.0, "return_spread_s": 0.0}
        under, over = self.kept(-1), self.kept(1)
        for k in range(MOST_UNDER):
            level, seconds = under[k] if k < len(under) else (0.0, 0.0)
            found |= {f"under{k + 1}_pu": level, f"under{k + 1}_s": seconds}
        for k in range(MOST_OVER):
            level, seconds = over[k] if k < len(over) else (9.0, 0.0)
            found |= {f"over{k + 1}_pu": level, f"over{k + 1}_s": seconds}
        found |= {"df_hz": UNUSED if self.df_hz is None else self.df_hz, "freq_s": self.freq_s}
        found |= {"v_return_low_pu": under[0][0] if under else 0.9}
        found |= {"v_return_high_pu": over[0][0] if over else 1.2}
        if self.recover_s is not None:
            # 90 % is reached after the wait and 0.9 of the ramp: inside the time allowed
            found |= {"return_s": WALK_SHARE * self.recover_s, "walk_s": WALK_SHARE * self.recover_s}
        return found

    def kept(self, side: int) -> Edges:
        """The thresholds below (side -1) or above (+1) that a load's settings take."""
        return _fitting(self.under, MOST_UNDER, DEEPEST_PU) if side < 0 else _fitting(self.over, MOST_OVER, HIGHEST_PU)


@cache
def curve_names() -> tuple[str, ...]:
    """Names of the profiles that come with gridai and say how long a load has to stay at a low voltage."""
    from gridai.criteria.profiles import FOLDER

    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("limit", ())
        if any(_of_voltage(row.get("criterion"), row.get("settings", {})) for row in rows):
            found.append(path.stem)
    return tuple(name for name in found if _edges_of(_profile(name), -1))


def load_curve(name: str) -> LoadCurve:
    """The curve of a profile, by name or from the path of a TOML file.

    Raises UnknownNameError, or CaseError with all faults of the file, or where the profile holds no such curve.
    """
    if not name.endswith(".toml") and name not in curve_names():
        raise UnknownNameError(near(name, curve_names(), "load curve"))
    profile = _profile(name)
    own = [x for x in profile.limits if x.criterion == _family(profile)]
    under, over = _edges_of(profile, -1), _edges_of(profile, 1)
    if not under and not over:
        text = "add a [[limit]] of criterion ride_through with a curve, as profiles/ercot-lel.toml has it"
        raise CaseError(f"{name}: states no curve of voltage that a load has to stay on: {text}")
    df_hz, freq_s = _frequency(own)
    back = [x.settings.get("within_s") for x in profile.limits if x.criterion == "load_recovery"]
    back += [x.settings.get("back_s") for x in own]
    waits = [float(s) for s in back if s is not None and math.isfinite(s)]
    used = [x for x in own if _quantity(x) in ("vm_pu", "f_hz")]
    made = LoadCurve(
        name=profile.name, title=profile.title, f_hz=profile.f_hz, under=under, over=over, df_hz=df_hz, freq_s=freq_s,
        recover_s=min(waits, default=None), source="; ".join(dict.fromkeys(x.source for x in used)),
        confidence=max((x.confidence for x in used), key=CONFIDENCES.index),
    )  # fmt: skip
    return replace(made, left_out=_left_out(made, own))


def _profile(name: str) -> Profile:
    from gridai.criteria.profiles import load_profile

    return load_profile(name)


def _quantity(limit: Limit) -> str:
    return str(limit.settings.get("quantity", "vm_pu"))


def _of_voltage(criterion: Any, settings: Any) -> bool:
    return criterion in FAMILIES and isinstance(settings, dict) and settings.get("quantity", "vm_pu") == "vm_pu"


def _family(profile: Profile) -> str:
    """ride_through, unless the profile states voltages by tolerance_curve alone."""
    stated = {x.criterion for x in profile.limits if _of_voltage(x.criterion, x.settings)}
    return FAMILIES[0] if FAMILIES[0] in stated or not stated else FAMILIES[1]


def _edges_of(profile: Profile, side: int) -> Edges:
    """Thresholds of all limits of voltage together, mildest first: a load that stays for all of them."""
    rows = [x for x in profile.limits if x.criterion == _family(profile) and _quantity(x) == "vm_pu"]
    curves = [own for x in rows if (own := [t for t in _thresholds(x, 1.0) if t[1] == side])]
    levels = sorted({t[0] for own in curves for t in own}, reverse=side < 0)
    found: list[tuple[float, float]] = []
    for level in levels:
        allowed = [min((s for v, _, s in own if side * (level - v) >= 0.0), default=math.inf) for own in curves]
        if max(allowed) < (found[-1][1] if found else math.inf):
            found.append((level, max(allowed)))
    return tuple(found)


def _thresholds(limit: Limit, centre: float) -> list[tuple[float, int, float]]:
    """(level, side, seconds) of a limit's curve, or of the steps above its envelope."""
    from gridai.criteria.curve import envelope_points, parse

    settings = limit.settings
    if settings.get("envelope") is None:
        return [
            (t.level, t.side, t.allowed_s) for t in parse(settings["curve"], settings.get("centre", centre)).thresholds
        ]
    seconds, values = envelope_points(settings["envelope"])
    levels = [float(values[-1]) * k / MOST_UNDER for k in range(MOST_UNDER, 0, -1)]
    return [(v, -1, _time_at(seconds.tolist(), values.tolist(), v)) for v in levels]


def _time_at(seconds: Sequence[float], values: Sequence[float], level: float) -> float:
    """The last time at which an envelope lies at or below a level."""
    at = seconds[0]
    for (s0, v0), (s1, v1) in pairwise(zip(seconds, values, strict=True)):
        if v1 <= level:
            at = s1
        elif v0 <= level:
            at = s0 + (level - v0) / (v1 - v0) * (s1 - s0)
    return round(at, 9)


def _frequency(limits: Sequence[Limit]) -> tuple[float | None, float]:
    """The deviation from which on a load may leave on both sides, and after how long; None: never, or not stated."""
    rows = [x for x in limits if _quantity(x) == "f_hz"]
    sides = []
    for side in (-1, 1):
        edges = []
        for x in rows:
            centre = float(x.settings.get("centre", 1.0))
            own = [(side * (t[0] - centre), t[2]) for t in _thresholds(x, centre) if t[1] == side]
            edges += [min(own)] if own else []
        if edges:
            sides.append((max(d for d, _ in edges), max(s for _, s in edges)))
    if len(sides) < 2:
        return None, 0.0
    return round(max(d for d, _ in sides), 9), max(s for _, s in sides)


def _fitting(edges: Edges, most: int, end: float) -> Edges:
    """At most so many thresholds, chosen so that the load stays least longer than with all of them.

    Without a threshold the load stays for the time of the milder one. The cost is that time over the band of voltage up
    to the next threshold, `end` behind the last.
    """

    def longer(kept: Edges) -> float:
        total = 0.0
        for k, (level, seconds) in enumerate(edges):
            far = edges[k + 1][0] if k + 1 < len(edges) else end
            milder = [s for v, s in kept if abs(v - edges[0][0]) <= abs(level - edges[0][0])]
            total += (min([LONGEST_S, *milder]) - min(LONGEST_S, seconds)) * max(abs(far - level), 1e-3)
        return total

    return edges if len(edges) <= most else min(combinations(edges, most), key=longer)


def _left_out(curve: LoadCurve, limits: Sequence[Limit]) -> tuple[str, ...]:
    """What the settings leave out of the limits; in all of it the load stays longer than it must."""
    found = []
    for side, edges in ((-1, curve.under), (1, curve.over)):
        gone = [f"{v:g} pu {s:g} s" for v, s in edges if (v, s) not in curve.kept(side)]
        if gone:
            found.append(f"thresholds left out, a load has no more: {', '.join(gone)}")
    if any(x.settings.get("envelope") is not None for x in limits):
        found.append("the envelope of voltage against time is taken as four steps that lie above it")
    if any(_quantity(x) == "rocof_hz_per_s" for x in limits):
        found.append("it never leaves by the rate of change of frequency")
    if curve.df_hz is not None:
        found.append(f"frequency: it leaves at {curve.df_hz:g} Hz from nominal after {curve.freq_s:g} s, not sooner")
    return tuple(found)
