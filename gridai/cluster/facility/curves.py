"""Curves given by points, and families of curves that must not cross.

y |          ___ 1.0 of the clock        a family: one curve for each value of a parameter; between two of them
  |      ___/                            values are interpolated, so a higher one must lie above a lower one
  |  ___/ _____ 0.6                      everywhere, or a larger parameter would mean less somewhere
  | /____/
  +-----------------> x
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gridai.errors import Problems, SettingError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """A piecewise-linear curve, constant outside its points.

    name  what it is, for messages.
    x, y  points, x rising, all finite. low, high: bounds of y.

    Raises SettingError naming the point.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        bad = Problems(f"curve {self.name}")
        if len(self.x) != len(self.y) or len(self.x) < 2:
            bad.add(self.name, None, "points", len(self.x), f"give as many y ({len(self.y)}) as x, two at least")
        for k, (x, y) in enumerate(zip(self.x, self.y, strict=False)):
            if not (np.isfinite(x) and np.isfinite(y)):
                bad.add(self.name, k + 1, "point", (x, y), "give finite numbers")
            elif not self.low <= y <= self.high:
                bad.add(self.name, k + 1, "y", y, f"give a value from {self.low:g} to {self.high:g}")
            if k and not x > self.x[k - 1]:
                bad.add(self.name, k + 1, "x", x, f"must be above the point before it, {self.x[k - 1]:g}")
        bad.raise_if_any(SettingError)

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Values at x, same shape."""
        return np.asarray(np.interp(np.asarray(x, dtype=float), self.x, self.y))

    def inverse(self, y: npt.ArrayLike) -> Array:
        """The x at which a rising curve has the values y. Raises SettingError where it does not rise."""
        flat = np.flatnonzero(np.diff(self.y) <= 0.0)
        if len(flat):
            raise SettingError(
                f"curve {self.name}: does not rise between x = {self.x[flat[0]]:g} and {self.x[flat[0] + 1]:g}, "
                "so no value can be looked up on it; give rising y"
            )
        return np.asarray(np.interp(np.asarray(y, dtype=float), self.y, self.x))


@dataclass(frozen=True, eq=False)
class CurveFamily:
    """Curves for rising values of a parameter, interpolated between them. Raises SettingError where two cross."""

    name: str
    parameter: str
    at: tuple[float, ...]
    curves: tuple[Curve, ...] = field(repr=False)

    def __post_init__(self) -> None:
        bad = Problems(f"curves {self.name}")
        if len(self.at) != len(self.curves) or len(self.at) < 2:
            bad.add(self.name, None, self.parameter, len(self.at), "give one value for each curve, two at least")
        for k in range(1, min(len(self.at), len(self.curves))):
            if not self.at[k] > self.at[k - 1]:
                bad.add(self.name, k + 1, self.parameter, self.at[k], f"must be above {self.at[k - 1]:g}")
            else:
                self._add_crossing(bad, k)
        bad.raise_if_any(SettingError)

    def _add_crossing(self, bad: Problems, k: int) -> None:
        lower, upper = self.curves[k - 1], self.curves[k]
        x = np.union1d(lower.x, upper.x)
        below = upper(x) < lower(x) - 1e-9 * np.abs(lower(x)).max()
        if below.any():
            at = float(x[np.flatnonzero(below)[0]])
            text = (
                f"the curve lies below that of {self.parameter} = {self.at[k - 1]:g} at x = {at:g} "
                f"({float(upper(at)):g} against {float(lower(at)):g}): curves must not cross; check the columns"
            )
            bad.add(self.name, k + 1, self.parameter, self.at[k], text)

    def __call__(self, x: npt.ArrayLike, parameter: npt.ArrayLike) -> Array:
        """Values at x and parameter, broadcast against each other; held at the outermost curves."""
        x_, p_ = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(parameter, dtype=float))
        table = np.stack([curve(x_) for curve in self.curves])
        upper = np.clip(np.searchsorted(self.at, p_, side="right"), 1, len(self.at) - 1)
        at = np.asarray(self.at)
        share = np.clip((p_ - at[upper - 1]) / (at[upper] - at[upper - 1]), 0.0, 1.0)
        low = np.take_along_axis(table, (upper - 1)[None, ...], axis=0)[0]
        high = np.take_along_axis(table, upper[None, ...], axis=0)[0]
        return np.asarray(low + share * (high - low))
