"""Linearisation on the same right-hand side that is integrated: the state matrix, its modes, who takes part in them.

The matrix comes from differences of f(x), network solve included (engine/slopes.py). Three kinds of states and modes
are set apart and named:

    left out      states that never move (an infinite bus, a block with time constant zero): no row in the matrix
    common angle  all angles of an island may turn together: an eigenvalue that is zero by the nature of the model.
                  One angle of the island is eliminated, so the zero is exact and does not disturb the others
    common speed  zero as well where no damping, governor or load holds the frequency; it then pairs with the angle,
                  and the second column of `right` is a generalised eigenvector (a right = the column of the angle)
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import eig

from gridai.engine.run import Run
from gridai.engine.slopes import differentiate
from gridai.engine.system import System
from gridai.errors import UnknownNameError, near

ZERO = 1e-6
"""An eigenvalue below this is zero. [1/s]"""


@dataclass(frozen=True)
class Linear:
    """dx/dt = a x around the start.

    a              float[n, n]
    states         names `unit.MODEL.state` of the n states
    left_out       names of states that never move
    eigenvalues    complex[n], sorted by falling real part [1/s]
    right, left    complex[n, n], eigenvectors in columns, left scaled so that left.T @ right = 1 (where several
                   eigenvalues are equal, only as far as their vectors are independent)
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
    values, right, left, zeros = _modes(a, turns, tuple(names[k] for k in active))
    order = np.lexsort((values.imag, -values.real))
    values, right, left = values[order], right[:, order], left[:, order]
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


def _common_turns(run: Run, a: np.ndarray, owners: list[Any]) -> list[np.ndarray]:
    """For each island without a fixed angle, the direction in which all its angles turn together: a r = 0. float[n]

    Angles turn by the same amount; what else stands in the turning frame (filtered phasors of converters) follows.
    """
    of = np.array([run.topology.island[d.node] for _, d, _, _ in owners], dtype=np.int64)
    is_angle = np.array([unit == "rad" for *_, unit in owners], dtype=bool)
    scale = np.abs(a).max(initial=1.0)
    found = []
    for number in np.unique(of[is_angle]):
        r = (is_angle & (of == number)).astype(float)
        for candidate in (r, _followed(a, r, ~is_angle & (of == number))):
            if np.abs(a @ candidate).max() <= 1e-7 * scale * np.abs(candidate).max():
                found.append(candidate)
                break
    return found


def _followed(a: np.ndarray, r: np.ndarray, others: np.ndarray) -> np.ndarray:
    """r with the other states of the island moved so that they stand still; r itself where they cannot."""
    k = np.flatnonzero(others)
    moved = r.copy()
    try:
        moved[k] = np.linalg.solve(a[np.ix_(k, k)], -(a[k] @ r))
    except np.linalg.LinAlgError:
        return r
    return np.where(np.abs(moved) > 1e-9, moved, 0.0) if np.isfinite(moved).all() else r


def _modes(
    a: np.ndarray, turns: list[np.ndarray], names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Eigenvalues, right and left eigenvectors in columns, and names of the zeros.

    With R the common turns and one angle `ref` of each, y = x - R x_ref on the other states splits off the zeros:
    dy/dt = (a - R a_ref) y. An eigenvector y gives x = y + R (a_ref y) / lambda; a left one stays, with -R.T y at ref.
    """
    n, m = a.shape[0], len(turns)
    r = np.column_stack(turns) if m else np.zeros((n, 0))
    refs = np.array([np.flatnonzero(np.abs(turn - 1.0) < 1e-12)[0] for turn in turns], dtype=np.int64)
    rest = np.setdiff1d(np.arange(n), refs)
    a_ref, inner = a[np.ix_(refs, rest)], a[np.ix_(rest, rest)] - r[rest] @ a[np.ix_(refs, rest)]
    values, w, y = _eigen(inner)
    small = np.abs(values) < ZERO
    right, left = np.zeros((n, values.size), dtype=complex), np.zeros((n, values.size), dtype=complex)
    right[rest], left[rest] = y, w
    right[:, ~small] += r @ ((a_ref @ y[:, ~small]) / values[~small])
    left[refs] = -r[rest].T @ w
    zeros = ["common angle"] * m
    for j in np.flatnonzero(small):
        drift = np.abs(a_ref @ y[:, j]).max(initial=0.0)
        drifts = drift > ZERO * np.abs(a_ref).max(initial=0.0) * np.abs(y[:, j]).max()
        zeros.append("common speed" if drifts else names[rest[int(np.argmax(np.abs(y[:, j])))]])
    values[small] = 0.0
    duals = _angle_duals(inner, a_ref, r, refs, rest, y[:, small], w[:, small])
    return np.append(np.zeros(m), values), np.hstack([r, right]), np.hstack([duals, left]), tuple(zeros)


def _eigen(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, left and right eigenvectors, with left.T @ right = 1 on the diagonal where they are not orthogonal.

    Left vectors come from the solver and not from an inverse: large systems hold nearly equal blocks whose right
    vectors are dependent, and an inverse would spoil the participation factors of all other modes as well.
    """
    if not a.size:
        return np.zeros(0, dtype=complex), np.zeros((0, 0), dtype=complex), np.zeros((0, 0), dtype=complex)
    values, left, right = eig(a, left=True, right=True)
    left = left.conj()
    product = (left * right).sum(axis=0)
    left = left / np.where(np.abs(product) > 1e-10, product, 1.0)
    return values.astype(complex), left.astype(complex), right.astype(complex)


def _angle_duals(
    inner: np.ndarray,
    a_ref: np.ndarray,
    r: np.ndarray,
    refs: np.ndarray,
    rest: np.ndarray,
    y0: np.ndarray,
    w0: np.ndarray,
) -> np.ndarray:
    """Left vectors of the common angles, complex[n, m]: 1 on their own turn, 0 on every other eigenvector.

    In the coordinates (x_ref, y) it is (1, u) with u inner = -a_ref, up to the zeros y0, w0 of the inner matrix.
    """
    duals = np.zeros(r.shape, dtype=complex)
    if not refs.size:
        return duals
    wanted = -a_ref + (a_ref @ y0) @ w0.T
    if y0.size:
        u = np.linalg.lstsq(inner.T, wanted.T, rcond=None)[0].T
        u = u - (u @ y0) @ w0.T
    else:
        u = np.linalg.solve(inner.T, wanted.T).T
    duals[rest] = u.T
    duals[refs] = np.eye(refs.size) - r[rest].T @ u.T
    return duals
