"""Figures of a step response, and how far those of a run are from its reference.

    reaction   from the step to 10 % of the whole change          rise       from 10 % to 90 %
    settling   from the step until within 5 % of the change for good
    overshoot  beyond the final value, as a part of the change    final      mean of the last part of the run

Source: windows and tolerances as in DyCoV (RTE I16); definitions as in IEC 61400-21-1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError
from gridai.results.compare import Difference
from gridai.results.result import Result
from gridai.results.scalars import Scalar, add_scalars
from gridai.results.variation import sides

FINAL_PART = 0.1
"""The final value is the mean over this part of the run after the step, at its end."""
SETTLED = 0.05

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class StepResponse:
    """reaction_s, rise_s, settling_s: [s]; overshoot: part of the change; initial, final: unit of the curve."""

    reaction_s: float
    rise_s: float
    settling_s: float
    overshoot: float
    initial: float
    final: float


def step_response(t_s: ArrayLike, x: ArrayLike, step_at_s: float) -> StepResponse:
    """The figures of one curve after a step at step_at_s.

    Raises ResultError for a curve with a gap, one that does not change, or a step outside the run.
    """
    t, values = np.asarray(t_s, dtype=float), np.asarray(x, dtype=float)
    if not len(t) or not t[0] <= step_at_s < t[-1] or np.isnan(values).any():
        raise ResultError(f"step at {step_at_s:g} s: the curve must have numbers before and after it")
    initial = float(sides(t, values, np.array([step_at_s]))[0][0])
    late = np.linspace(t[-1] - FINAL_PART * (t[-1] - step_at_s), t[-1], 201)
    final = float(np.interp(late, t, values).mean())
    change = final - initial
    if abs(change) <= 1e-9 * max(1.0, abs(initial)):
        raise ResultError("the curve does not change: it has no step response")
    after = t >= step_at_s
    time, way = t[after] - step_at_s, (values[after] - initial) / change
    far = np.flatnonzero(np.abs(way - 1.0) > SETTLED)
    settled = _crossing(time, np.abs(way - 1.0), int(far[-1]), SETTLED) if len(far) and far[-1] + 1 < len(time) else 0.0
    if len(far) and far[-1] + 1 == len(time):
        settled = float("nan")
    ten, ninety = (_first(time, way, level) for level in (0.1, 0.9))
    return StepResponse(ten, ninety - ten, settled, max(0.0, float(way.max()) - 1.0), initial, final)


def _first(t: FloatArray, way: FloatArray, level: float) -> float:
    """First time at which the level is reached, between samples by a straight line."""
    k = int(np.argmax(way >= level))
    return float(t[0]) if k == 0 else _crossing(t, way, k - 1, level)


def _crossing(t: FloatArray, x: FloatArray, k: int, level: float) -> float:
    return float(t[k] + (t[k + 1] - t[k]) * (level - x[k]) / (x[k + 1] - x[k]))


def relative_errors(reference: StepResponse, other: StepResponse) -> dict[str, float]:
    """How far a response is from its reference: times relative to the reference's, values relative to its change."""
    change = abs(reference.final - reference.initial)
    found = {
        name.removesuffix("_s"): _relative(getattr(other, name), getattr(reference, name))
        for name in ("reaction_s", "rise_s", "settling_s")
    }
    found["overshoot"] = abs(other.overshoot - reference.overshoot)
    found["final"] = abs(other.final - reference.final) / change
    return found


def _relative(found: float, wanted: float) -> float:
    if found == wanted:
        return 0.0
    return abs(found - wanted) / wanted if wanted > 0.0 else float("inf")


def comparison_result(
    windows: dict[str, dict[str, Difference]] | None = None, steps: dict[str, dict[str, float]] | None = None,
    like: Result | None = None,
) -> Result:  # fmt: skip
    """Errors as a Result that criteria can judge: by curve and window, and of step responses by curve.

    windows  what `by_windows` returned, by curve.     steps  what `relative_errors` returned, by curve.
    like     the run that was checked: its series and meta are kept.
    """
    base = Result([0.0], np.empty((1, 0)), ()) if like is None else like
    result = Result(base.t_s, base.data, base.channels, base.events, base.meta)
    found = []
    names = {"largest": "maximum", "mean": "mean", "mean_abs": "mean_absolute"}
    for curve, parts in (windows or {}).items():
        for part, difference in parts.items():
            for f in fields(difference):
                if f.name in names:
                    value = abs(float(getattr(difference, f.name)))
                    at = difference.t_s if f.name == "largest" else float("nan")
                    found.append(Scalar(f"curve_error.{part}.{names[f.name]}", curve, value, "pu", at))
    for curve, errors in (steps or {}).items():
        found += [Scalar(f"step_error.{name}", curve, 100.0 * value, "%") for name, value in errors.items()]
    return add_scalars(result, found)
