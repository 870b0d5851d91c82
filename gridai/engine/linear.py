"""Linearisation on the same right-hand side that is integrated: the state matrix, its modes, who takes part in them.

The matrix comes from differences of f(x), network solve included:

    D(h) = (f(x + h) - f(x - h)) / 2h        df/dx = (4 D(h) - D(2h)) / 3, error of order h^4

with the network solved as closely as rounding allows, so that h can be large (3e-4) and the noise of the solve small:
eigenvalues change by less than 1e-6 of their size when h is halved (tests). Where D(h) and D(2h), or the slopes to
both sides, differ, a limit or a dead band is near: h is cut to a tenth, twice at most. A state that has two slopes
even then stands in a corner; it is named in `corners` and gets their mean.

Three kinds of states and modes are set apart and named:

    left out      states that never move (an infinite bus, a block with time constant zero): no row in the matrix
    common angle  all angles of an island may turn together: an eigenvalue that is zero by the nature of the model.
                  One angle of the island is eliminated, so the zero is exact and does not disturb the others
    common speed  zero as well where no damping, governor or load holds the frequency; it then pairs with the angle,
                  and the second column of `right` is a generalised eigenvector (a right = the column of the angle)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.engine.plan import TOL
from gridai.engine.run import Run
from gridai.engine.system import System
from gridai.errors import ConvergenceError, UnknownNameError, near

STEPS = (3e-4, 3e-5, 3e-6)
"""Half-widths of the difference, tried in this order; relative for states above 1."""
SMOOTH, ONE_SLOPE = 1e-4, 1e-2
"""Most that D(h) and D(2h), and the slopes to both sides, may differ, relative to the slope."""
ZERO = 1e-6
"""An eigenvalue below this is zero. [1/s]"""
TIGHTEST, LOOSEST = 1e-14, 1e-11
"""Tolerance of the network solve while differences are taken: the tightest that is reached. [pu]"""


@dataclass(frozen=True)
class Linear:
    """dx/dt = a x around the start.

    a              float[n, n]
    states         names `unit.MODEL.state` of the n states
    left_out       names of states that never move
    eigenvalues    complex[n], sorted by falling real part [1/s]
    right, left    complex[n, n], eigenvectors in columns, left scaled so that left.T @ right = 1
    zeros          what each eigenvalue that is exactly zero stands for: "common angle", "common speed", or a state
    corners        states whose slope differs to both sides: at a limit, at the edge of a dead band
    speeds         row of the speed of each machine, by name
    angles         row of the angle of each machine, by name
    """

    a: np.ndarray
    states: tuple[str, ...]
    left_out: tuple[str, ...]
    eigenvalues: np.ndarray
    right: np.ndarray
    left: np.ndarray
    zeros: tuple[str, ...] = ()
    corners: tuple[str, ...] = ()
    speeds: dict[str, int] = field(default_factory=dict)
    angles: dict[str, int] = field(default_factory=dict)

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

    @property
    def oscillations(self) -> np.ndarray:
        """Places of the oscillatory modes, one of each conjugate pair, by rising damping ratio. int[]"""
        found = np.flatnonzero(self.eigenvalues.imag > ZERO)
        order: np.ndarray = found[np.argsort(self.damping[found], kind="stable")]
        return order

    def participants(self, mode: int, most: int = 5) -> list[tuple[str, float]]:
        """The states with the largest participation factors of a mode, and the factors."""
        share = self.participation[:, self._checked(mode)]
        return [(self.states[k], float(share[k])) for k in np.argsort(-share, kind="stable")[:most]]

    def mode_shape(self, mode: int) -> dict[str, complex]:
        """Right eigenvector of the machines' speeds, scaled so that the largest is 1; empty without a machine."""
        column = self.right[:, self._checked(mode)]
        shape = {name: complex(column[k]) for name, k in self.speeds.items()}
        largest = max(shape.values(), key=abs, default=0j)
        return {name: x / largest for name, x in shape.items()} if largest else shape

    def swing_share(self, mode: int) -> float:
        """Part of the participation that is of machine angles and speeds: near 1 in an electromechanical mode."""
        rows = [*self.speeds.values(), *self.angles.values()]
        return float(self.participation[rows, self._checked(mode)].sum())

    def _checked(self, mode: int) -> int:
        if not 0 <= mode < self.eigenvalues.size:
            raise UnknownNameError(near(mode, [str(k) for k in range(self.eigenvalues.size)], "mode"))
        return mode


def linearise(system: System, run: Run | None = None) -> Linear:
    """Modes of a compiled system at its start (or at the present state of a run)."""
    run = run or Run(system)
    slopes = differentiate(run, run.work.x.copy())
    names = system.state_names
    active = np.flatnonzero(np.any(slopes.a != 0.0, axis=1))
    a = slopes.a[np.ix_(active, active)]
    owners = [system.states[k] for k in active]
    turns = _common_turns(run, a, owners)
    values, right, zeros = _modes(a, turns, tuple(names[k] for k in active))
    order = np.lexsort((values.imag, -values.real))
    values, right = values[order], right[:, order]
    left = _inverse(right).T
    moving = set(active.tolist())
    return Linear(
        a=a,
        states=tuple(names[k] for k in active),
        left_out=tuple(name for k, name in enumerate(names) if k not in moving),
        eigenvalues=values,
        right=right,
        left=left,
        zeros=zeros,
        corners=tuple(names[k] for k in slopes.corners if k in moving),
        speeds=_rows(owners, "omega_pu"),
        angles=_rows(owners, "delta_rad"),
    )


def _rows(owners: list[Any], state: str) -> dict[str, int]:
    """Row of a state of each machine, by name of the machine."""
    return {d.name: k for k, (g, d, s, _) in enumerate(owners) if g.model.role == "machine" and s == state}


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


def _common_turns(run: Run, a: np.ndarray, owners: list[Any]) -> list[np.ndarray]:
    """For each island without a fixed angle, the direction in which all its angles turn together: a r = 0. float[n]"""
    island = run.topology.island
    of = np.array([island[d.node] if unit == "rad" else -1 for _, d, _, unit in owners], dtype=np.int64)
    scale = np.abs(a).max(initial=1.0)
    found = []
    for number in np.unique(of[of >= 0]):
        r = (of == number).astype(float)
        if np.abs(a @ r).max() <= 1e-7 * scale:
            found.append(r)
    return found


def _modes(
    a: np.ndarray, turns: list[np.ndarray], names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Eigenvalues, right eigenvectors in columns, and names of the zeros.

    With R the common turns and one angle `ref` of each, x = E y + R x_ref splits off the zeros:
    dy/dt = (a - R a_ref) y on the other states, and an eigenvector y gives x = E y + R (a_ref y) / lambda.
    """
    n, m = a.shape[0], len(turns)
    r = np.column_stack(turns) if m else np.zeros((n, 0))
    refs = np.array([np.argmax(turn) for turn in turns], dtype=np.int64)
    rest = np.setdiff1d(np.arange(n), refs)
    a_ref = a[np.ix_(refs, rest)]
    values, y = np.linalg.eig(a[np.ix_(rest, rest)] - r[rest] @ a_ref)
    values, y = values.astype(complex), y.astype(complex)
    small = np.abs(values) < ZERO
    zeros = ["common angle"] * m
    x = np.zeros((n, values.size), dtype=complex)
    x[rest] = y
    x[:, ~small] += r @ ((a_ref @ y[:, ~small]) / values[~small])
    for j in np.flatnonzero(small):
        drifts = m > 0 and np.abs(a_ref @ y[:, j]).max() > ZERO * np.abs(a_ref).max(initial=0.0) * np.abs(y[:, j]).max()
        zeros.append("common speed" if drifts else names[rest[int(np.argmax(np.abs(y[:, j])))]])
    values[small] = 0.0
    return np.concatenate([np.zeros(m), values]), np.hstack([r.astype(complex), x]), tuple(zeros)


def _inverse(right: np.ndarray) -> np.ndarray:
    """The inverse of the eigenvectors; the pseudo-inverse where they do not span the space."""
    try:
        inverse: np.ndarray = np.linalg.inv(right)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(right)
    return inverse
