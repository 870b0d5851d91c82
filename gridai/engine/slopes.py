"""Slopes of the right-hand side, and of any signal, with respect to each state, by differences.

    D(h) = (f(x + h) - f(x - h)) / 2h        df/dx = (4 D(h) - D(2h)) / 3, error of order h^4

The network is solved as closely as rounding allows, so that h can be large (3e-4) and the noise of the solve small:
eigenvalues change by less than 1e-9 of their size when h is halved (tests). Where D(h) and D(2h), or the slopes to
both sides, differ, a limit or a dead band is near: h is cut to a tenth, twice at most. A state that has two slopes
even then stands in a corner; it is named and gets their mean.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.engine.plan import TOL
from gridai.engine.run import Run
from gridai.errors import ConvergenceError

STEPS = (3e-4, 3e-5, 3e-6)
"""Half-widths of the difference, tried in this order; relative for states above 1."""
SMOOTH, ONE_SLOPE = 1e-4, 1e-2
"""Most that D(h) and D(2h), and the slopes to both sides, may differ, relative to the slope."""
TIGHTEST, LOOSEST = 1e-14, 1e-11
"""Tolerance of the network solve while differences are taken: the tightest that is reached. [pu]"""


def state_matrix(run: Run, x0: np.ndarray, steps: tuple[float, ...] = STEPS) -> np.ndarray:
    """Jacobian of f at x0. float[n, n]"""
    return differentiate(run, x0, steps).a


@dataclass(frozen=True)
class Slopes:
    """Derivatives with respect to x: a of f, float[n, n]; c of signals, float[m, n]; corners: places in x, int[]."""

    a: np.ndarray
    c: np.ndarray
    corners: np.ndarray


def differentiate(
    run: Run, x0: np.ndarray, steps: tuple[float, ...] = STEPS, places: np.ndarray | None = None
) -> Slopes:
    """Slopes of f and of the signals at `places` (none by default) with respect to each state."""
    n, places = x0.size, np.zeros(0, dtype=np.int64) if places is None else places
    columns = np.zeros((n + places.size, n))
    corners = []
    with tight_network(run) as f:

        def at(x: np.ndarray) -> np.ndarray:
            d = f(run.time_s, x)
            return np.concatenate([d, run.work.sig[places]])

        base = at(x0)
        for k in range(n):
            columns[:, k], corner = _column(at, base, x0, k, steps)
            if corner:
                corners.append(k)
        at(x0)
    return Slopes(columns[:n], columns[n:], np.array(corners, dtype=np.int64))


def _column(at: Any, base: np.ndarray, x0: np.ndarray, k: int, steps: tuple[float, ...]) -> tuple[np.ndarray, bool]:
    """Slope of everything with respect to state k, and whether it differs to both sides."""
    slope, corner = base, True
    for step in steps:
        h = step * max(1.0, abs(x0[k]))
        rows = [at(_moved(x0, k, m * h)) for m in (1.0, -1.0, 2.0, -2.0)]
        near_by, wide = (rows[0] - rows[1]) / (2 * h), (rows[2] - rows[3]) / (4 * h)
        one_sided = np.abs(rows[0] + rows[1] - 2 * base) / h
        floor = 1e-7 * np.abs(near_by).max()
        slope = (4.0 * near_by - wide) / 3.0
        corner = bool(np.any(one_sided > ONE_SLOPE * (np.abs(near_by) + 1e2 * floor)))
        if not corner and np.all(np.abs(near_by - wide) <= SMOOTH * np.abs(near_by) + floor):
            return slope, False
        slope = near_by
    return slope, corner


def _moved(x0: np.ndarray, k: int, by: float) -> np.ndarray:
    x = x0.copy()
    x[k] += by
    return x


@contextmanager
def tight_network(run: Run) -> Iterator[Any]:
    """f(t, x) of a run with the network solved to the tightest tolerance that rounding lets it reach."""
    floats, x = run.work.floats, run.work.x
    before = float(floats[TOL])
    f = run.rhs()
    tol = TIGHTEST
    while tol < LOOSEST and not _reached(run, f, x, tol):
        tol *= 10.0
    floats[TOL] = min(3.0 * tol, LOOSEST)
    try:
        yield f
    finally:
        floats[TOL] = before


def _reached(run: Run, f: Any, x: np.ndarray, tol: float) -> bool:
    """Whether the network solve reaches a tolerance at x and close to it."""
    run.work.floats[TOL] = tol
    try:
        for scale in (1.0 + 1e-7, 1.0 - 1e-7, 1.0):
            f(run.time_s, scale * x)
    except ConvergenceError:
        return False
    return True
