"""Damping of modes: every oscillatory mode between two frequencies has at least the damping ratio `low`.

It is judged on the eigenvalues of a small-signal study, before or after a contingency. A growing exponential (an
eigenvalue above zero without a frequency) fails it too, whatever the band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridai.criteria.base import not_assessable, verdict
from gridai.results import Extreme, Limit, Result, Verdict
from gridai.results.small_signal import eigenvalues_of, has_modes, modes_of

GROWS = 1e-6
"""An eigenvalue above this grows. [1/s]"""


@dataclass(frozen=True)
class ModeDamping:
    """Lowest damping ratio of the modes between f_min_hz and f_max_hz, at least `low`. [%, Hz]"""

    limit: Limit
    f_min_hz: float = 0.1
    f_max_hz: float = 3.0

    name: ClassVar[str] = "mode_damping"
    meaning: ClassVar[str] = "oscillatory modes are damped well enough"

    def check(self, result: Result) -> Verdict:
        """Verdict for the mode with the least damping; the machine that swings most in it is named."""
        if not has_modes(result):
            return not_assessable(self.limit, "the result is of no small-signal study")
        low = float(self.limit.low or 0.0)
        values = eigenvalues_of(result)
        if np.isnan(values).any():
            return not_assessable(self.limit, "an eigenvalue is no number")
        growing = [x for x in values if abs(x.imag) < GROWS < x.real]
        if growing:
            text = f"an eigenvalue of {max(x.real for x in growing):.4g} 1/s grows without oscillation"
            return verdict(self.limit, -100.0, low, -100.0 - low, Extreme(-100.0, float("nan")), text)
        inside = [x for x in values if x.imag > 0.0 and self.f_min_hz <= x.imag / (2 * np.pi) <= self.f_max_hz]
        if not inside:
            text = f"no oscillatory mode from {self.f_min_hz:g} to {self.f_max_hz:g} Hz"
            return not_assessable(self.limit, text)
        worst = min(inside, key=lambda x: -x.real / abs(x))
        found = 100.0 * float(-worst.real / abs(worst))
        note = f"mode of {worst.imag / (2 * np.pi):.3f} Hz"
        return verdict(self.limit, found, low, found - low, Extreme(found, float("nan"), _mover(result, worst)), note)


def _mover(result: Result, value: complex) -> str:
    """The machine with the largest part in the shape of a mode; empty where the mode is not listed."""
    for mode in modes_of(result):
        if abs(complex(mode.real, mode.imag) - value) < 1e-6 * abs(value):
            return max(mode.shape, key=lambda name: mode.shape[name][0], default="")
    return ""
