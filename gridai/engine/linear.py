"""Linearisation on the same right-hand side that is integrated: the state matrix and its modes.

The matrix comes from central differences of f(x), network solve included. States that nothing moves and that move
nothing (an infinite bus, a block with time constant zero) are left out and named.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridai.engine.run import Run
from gridai.engine.system import System


@dataclass(frozen=True)
class Linear:
    """dx/dt = a x around the start.

    a              float[n, n]
    states         names `unit.MODEL.state` of the n states
    left_out       names of inactive states
    eigenvalues    complex[n], sorted by falling real part [1/s]
    right, left    complex[n, n], eigenvectors in columns, left scaled so that left.T @ right = 1
    """

    a: np.ndarray
    states: tuple[str, ...]
    left_out: tuple[str, ...]
    eigenvalues: np.ndarray
    right: np.ndarray
    left: np.ndarray

    @property
    def frequency_hz(self) -> np.ndarray:
        """Damped frequency of each mode. [Hz]"""
        f: np.ndarray = np.abs(self.eigenvalues.imag) / (2 * np.pi)
        return f

    @property
    def damping(self) -> np.ndarray:
        """Damping ratio of each mode; 0 where the eigenvalue is 0."""
        size = np.abs(self.eigenvalues)
        ratio: np.ndarray = np.divide(-self.eigenvalues.real, size, out=np.zeros(size.size), where=size > 0)
        return ratio

    @property
    def participation(self) -> np.ndarray:
        """Participation factor of state k (row) in mode j (column), magnitudes, columns sum to 1."""
        p = np.abs(self.right * self.left)
        total: np.ndarray = p / p.sum(axis=0)
        return total


def linearise(system: System, run: Run | None = None) -> Linear:
    """Modes of a compiled system at its start (or at the present state of a run)."""
    run = run or Run(system)
    x0 = run.work.x.copy()
    a = state_matrix(run, x0)
    names = system.state_names
    active = np.flatnonzero(np.any(a != 0.0, axis=1))
    a = a[np.ix_(active, active)]
    values, right = np.linalg.eig(a)
    order = np.lexsort((values.imag, -values.real))
    values, right = values[order], right[:, order]
    left = np.linalg.pinv(right).T if values.size else right
    gone = tuple(name for k, name in enumerate(names) if k not in set(active))
    return Linear(a, tuple(names[k] for k in active), gone, values, right, left)


def state_matrix(run: Run, x0: np.ndarray, relative: float = 1e-6) -> Any:
    """Jacobian of f at x0 by central differences. float[n, n]"""
    f, t = run.rhs(), run.time_s
    a = np.zeros((x0.size, x0.size))
    for k in range(x0.size):
        h = relative * max(1.0, abs(x0[k]))
        up, down = x0.copy(), x0.copy()
        up[k] += h
        down[k] -= h
        a[:, k] = (f(t, up) - f(t, down)) / (up[k] - down[k])
    return a
