"""How far a model may be from its reference: the thresholds of operators' model checks.

Judged are the errors that `results.step_response.comparison_result` put into a result, from `results.compare`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridai.criteria.planning import judge_high
from gridai.errors import UnknownNameError, near
from gridai.results import Limit, Result, Verdict
from gridai.results.scalars import scalars_of

WINDOWS = ("before", "during", "after")
MEASURES = ("maximum", "mean", "mean_absolute")
STEP_PARTS = ("reaction", "rise", "settling", "overshoot", "final")


@dataclass(frozen=True)
class CurveError:
    """Largest error of any curve within a window, at most `high` in pu.

    window   "before", "during" or "after" the disturbance.
    measure  "maximum" (MXE), "mean" (size of ME) or "mean_absolute" (MAE).
    """

    limit: Limit
    window: Literal["before", "during", "after"]
    measure: Literal["maximum", "mean", "mean_absolute"] = "maximum"

    name: ClassVar[str] = "curve_error"
    meaning: ClassVar[str] = "a model's curves are close to their reference"

    def __post_init__(self) -> None:
        if self.window not in WINDOWS:
            raise UnknownNameError(near(self.window, WINDOWS, "window"))
        if self.measure not in MEASURES:
            raise UnknownNameError(near(self.measure, MEASURES, "measure"))

    def check(self, result: Result) -> Verdict:
        """Verdict for the curve with the largest error."""
        return judge_high(self.limit, scalars_of(result, f"curve_error.{self.window}.{self.measure}"))


@dataclass(frozen=True)
class StepError:
    """Largest error of a figure of the step response, at most `high` in %.

    part  "reaction", "rise", "settling" (relative to the reference's), "overshoot" or "final" (of the change).
    """

    limit: Limit
    part: Literal["reaction", "rise", "settling", "overshoot", "final"]

    name: ClassVar[str] = "step_error"
    meaning: ClassVar[str] = "a model's step response is close to its reference"

    def __post_init__(self) -> None:
        if self.part not in STEP_PARTS:
            raise UnknownNameError(near(self.part, STEP_PARTS, "part of a step response"))

    def check(self, result: Result) -> Verdict:
        """Verdict for the curve with the largest error."""
        return judge_high(self.limit, scalars_of(result, f"step_error.{self.part}"))
