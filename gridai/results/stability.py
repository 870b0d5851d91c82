"""Loss of step: when machines of one system no longer turn together, and which of them leave.

Criterion. The angles of two machines in service differ by more than 180 degrees (`LIMIT_DEGREE`), where two machines
stand against each other and out-of-step protection acts. It is on the safe side: in the New England system a swing of
224 degrees between the ends of the grid still returns. `slipped` says whether 360 degrees were passed, a pole slipped;
there the stability index of DSATools' TSAT, (360 - angle) / (360 + angle), changes its sign. Machines of islands that
were parted on purpose pass both: nothing ties them together.

The machines that leave are those on the lighter side of the largest gap between the angles at that instant, by stored
energy; an infinite bus is never among them. Named first is the one farthest from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.results.frequency import FloatArray
from gridai.results.result import Result

LIMIT_DEGREE, POLE_DEGREE = 180.0, 360.0


@dataclass(frozen=True)
class LossOfStep:
    """The first time at which two machines are more than the limit apart.

    t_s      when. [s]
    units    those that leave, the farthest first.
    slipped  whether any two were 360 degrees apart later: a pole slipped. False: they came back, or the run ended.
    """

    t_s: float
    units: tuple[str, ...]
    slipped: bool


@dataclass(frozen=True)
class Spread:
    """The largest angle between two machines: degrees, when [s], and the leading and the lagging machine."""

    degree: float
    t_s: float
    leading: str
    lagging: str


def angles(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    """Names of the machines and their angles in rad, float[nt, n]; NaN after a trip."""
    if "angle_rad" not in result.quantities("gen"):
        return (), np.empty((len(result.t_s), 0))
    return result.names("gen", "angle_rad"), result.values("gen", "angle_rad")


def weights(result: Result, names: tuple[str, ...]) -> FloatArray:
    """Stored energy of each machine [MWs], for means over machines; where one is infinite, it alone counts."""
    energy = result.meta.get("inertia_mws", {})
    given = np.array([float(energy.get(name, np.inf)) for name in names])
    return np.isinf(given).astype(float) if np.isinf(given).any() else given


def from_centre(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    """Names, and angles from the inertia-weighted mean of the machines in service, rad, float[nt, n]."""
    names, angle = angles(result)
    share = np.where(np.isnan(angle), 0.0, weights(result, names))
    total = share.sum(axis=1)
    mean = np.divide(
        (np.nan_to_num(angle) * share).sum(axis=1), total, out=np.full(len(angle), np.nan), where=total > 0.0
    )
    return names, angle - mean[:, None]


def largest_spread(result: Result) -> Spread:
    """The largest angle between two machines over the run; NaN with fewer than two machines."""
    names, angle = angles(result)
    known = (~np.isnan(angle)).sum(axis=1) >= 2
    if not known.any():
        return Spread(float("nan"), float("nan"), "", "")
    high, low = np.where(np.isnan(angle), -np.inf, angle), np.where(np.isnan(angle), np.inf, angle)
    spread = np.where(known, high.max(axis=1) - low.min(axis=1), -np.inf)
    k = int(np.argmax(spread))
    degree = float(np.degrees(spread[k]))
    return Spread(degree, float(result.t_s[k]), names[int(np.argmax(high[k]))], names[int(np.argmin(low[k]))])


def loss_of_step(result: Result, limit_degree: float = LIMIT_DEGREE) -> LossOfStep | None:
    """The first time two machines are more than limit_degree apart, and who leaves; None where that never happens."""
    names, angle = angles(result)
    if len(names) < 2:
        return None
    high, low = np.where(np.isnan(angle), -np.inf, angle), np.where(np.isnan(angle), np.inf, angle)
    spread = np.degrees(high.max(axis=1) - low.min(axis=1))
    apart = np.flatnonzero(spread > limit_degree)
    if not len(apart):
        return None
    k = int(apart[0])
    return LossOfStep(float(result.t_s[k]), _leavers(result, names, angle[k]), bool((spread > POLE_DEGREE).any()))


def _leavers(result: Result, names: tuple[str, ...], angle: FloatArray) -> tuple[str, ...]:
    """The lighter side of the largest gap between the angles of one instant, the farthest first."""
    order = [int(k) for k in np.argsort(angle) if not np.isnan(angle[k])]
    cut = int(np.argmax(np.diff(angle[order]))) + 1
    weight = weights(result, names)
    behind, ahead = order[:cut], order[cut:][::-1]
    lighter = behind if weight[behind].sum() < weight[ahead].sum() else ahead
    return tuple(names[k] for k in lighter)
