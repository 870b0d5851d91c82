"""Losses of a piece of equipment: constant + linear + quadratic in its load.

    loss = rated (k0 + k1 x + k2 x^2)        x = output / rated

k0 no-load (control, magnetising), k1 proportional (switching), k2 square-law (resistance): the three parts of
Schneider white papers 108 and 113. Input = output + loss. Power in any unit, the same throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridai.cluster.facility.curves import Array
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError


@dataclass(frozen=True)
class Losses:
    """Loss coefficients as shares of the rated power. Raises SettingError."""

    constant: float = setting(0.0, "", "no-load loss over rated power", 0.0, 0.5)
    linear: float = setting(0.0, "", "proportional loss at rated load over rated power", 0.0, 0.5)
    quadratic: float = setting(0.0, "", "square-law loss at rated load over rated power", 0.0, 0.5)

    def __post_init__(self) -> None:
        bad = Problems("losses")
        check_ranges(self, bad)
        bad.raise_if_any(SettingError)

    @classmethod
    def from_efficiency(cls, load: npt.ArrayLike, efficiency: npt.ArrayLike, name: str = "efficiency") -> Losses:
        """The coefficients, none negative, that fit an efficiency curve best.

        load  output over rated, above 0. efficiency  output over input, above 0 and below 1. Raises SettingError.
        """
        x, eta = np.asarray(load, dtype=float), np.asarray(efficiency, dtype=float)
        bad = Problems(f"curve {name}")
        for k in np.flatnonzero(~((eta > 0.0) & (eta < 1.0) & (x > 0.0))):
            bad.add(name, int(k) + 1, "point", (float(x[k]), float(eta[k])), "load above 0, efficiency between 0 and 1")
        if len(x) < 3 or len(x) != len(eta):
            bad.add(name, None, "points", len(x), "give three points at least, as many efficiencies as loads")
        bad.raise_if_any(SettingError)
        basis = np.stack([np.ones_like(x), x, x**2], axis=1)
        # Each point counts by the efficiency it leads to, so light loads are met as well as full load.
        found = _not_negative(basis / x[:, None], (1.0 / eta - 1.0))
        return cls(*(float(c) for c in found))

    def loss(self, output: npt.ArrayLike, rated: float) -> Array:
        """Loss at an output; nothing is lost where the rating is 0."""
        if rated <= 0.0:
            return np.zeros_like(np.asarray(output, dtype=float))
        x = np.asarray(output, dtype=float) / rated
        return np.asarray(rated * (self.constant + x * (self.linear + x * self.quadratic)))

    def output(self, taken: npt.ArrayLike, rated: float) -> Array:
        """The output that an input feeds: the inverse of output + loss; negative below the no-load loss."""
        y = np.asarray(taken, dtype=float) / rated - self.constant
        b = 1.0 + self.linear
        if self.quadratic == 0.0:
            return np.asarray(rated * y / b)
        root = np.sqrt(np.maximum(b * b + 4.0 * self.quadratic * y, 0.0))
        return np.asarray(rated * 2.0 * y / (b + root))

    def efficiency(self, load: npt.ArrayLike) -> Array:
        """Output over input at a load (output over rated)."""
        x = np.asarray(load, dtype=float)
        return np.asarray(x / (x + self.loss(x, 1.0)))


def _not_negative(matrix: Array, target: Array) -> Array:
    """Least squares with no negative coefficient: the worst one is set to 0 until none is left."""
    free = np.ones(matrix.shape[1], dtype=bool)
    found = np.zeros(matrix.shape[1])
    while free.any():
        found[:] = 0.0
        found[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
        if found.min() >= 0.0:
            break
        free[int(found.argmin())] = False
    return np.maximum(found, 0.0)
