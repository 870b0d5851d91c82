"""Two ways to the voltages of the ports: a fixed point that costs a product of matrices a step, and Newton.

Fixed point: v = e - Z i(v). It contracts where the loads are far from the loadability limit. What it does not settle,
and networks with gens that hold a voltage, goes to Newton in rectangular coordinates on the same equations. Newton
takes no long step, which could end on another branch of solutions: where it would have to, it gives up, and `path`
takes over.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch.matrices import Complexes, Floats
from gridai.grid.phases.currents import current_at, power_at, slopes
from gridai.grid.phases.operator import Operator

_SWEEPS, _PATIENCE = 60, 4
STEPS, LARGEST_STEP = 10, 0.3  # a step that changes a voltage by more than this share is too long
_NEWTON_BYTES = 2e8


class Answer(NamedTuple):
    """S scenarios: complex[m, S] voltage across the ports and current drawn there, settled or not, steps taken,
    float[g, S] Q of the gens. [pu]"""

    v: Complexes
    current: Complexes
    done: NDArray[np.bool_]
    steps: NDArray[np.int64]
    q: Floats


def fixed_point(op: Operator, unloaded: Complexes, constant: Complexes, start: Complexes, aim: Floats) -> Answer:
    """Iterate v = e - Z i(v) for all scenarios at once.

    unloaded  complex[m, S] voltage across the ports without load; constant: constant power drawn there.
    aim       float[S] power that may be left over at a port. [pu of a third of the base]
    """
    m, count = unloaded.shape
    out, settled_v = np.zeros((m, count), dtype=complex), start.copy()
    done, steps = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
    active, v = np.arange(count), start
    e, s = unloaded, constant
    best, since = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
    for sweep in range(1, _SWEEPS + 1):
        with np.errstate(all="ignore"):  # a scenario that runs away overflows; it is dropped below
            current = current_at(op.ports, s, v)
            v = e + op.across(current)
            left = np.abs(v * np.conj(current) - power_at(op.ports, s, v)).max(axis=0, initial=0.0)
        settled = left <= aim[active]
        out[:, active[settled]], settled_v[:, active[settled]] = current[:, settled], v[:, settled]
        done[active[settled]], steps[active] = True, sweep
        better = left < 0.7 * best[active]
        since[active] = np.where(better, 0, since[active] + 1)
        best[active] = np.minimum(best[active], np.nan_to_num(left, nan=np.inf))
        keep = ~settled & (since[active] < _PATIENCE) & np.isfinite(left)
        if not keep.any():
            break
        if not keep.all():
            active, v, e, s = active[keep], v[:, keep], e[:, keep], s[:, keep]
    return Answer(settled_v, out, done, steps, np.zeros((0, count)))


def newton(
    op: Operator, unloaded: Complexes, constant: Complexes, start: Complexes, aim: Floats, hold: Floats, q: Floats
) -> Answer:
    """Newton on F(v, q) = v - e + Z i(v) and |v|^2 = hold^2 at the gens, in blocks of scenarios.

    start  complex[m, S]; hold: float[g, S] magnitudes; q: float[g, S] that the gens give at the start. [pu]
    """
    m, count = unloaded.shape
    size = 2 * m + len(q)
    block = max(1, int(_NEWTON_BYTES / (8.0 * size * size)))
    parts = []
    for k in range(0, count, block):
        here = slice(k, k + block)
        of = (unloaded[:, here], constant[:, here], start[:, here], aim[here], hold[:, here], q[:, here])
        parts.append(_newton_block(op, *of))
    return Answer(*(np.concatenate([part[k] for part in parts], axis=-1) for k in range(5)))


def _newton_block(
    op: Operator, e: Complexes, s: Complexes, start: Complexes, aim: Floats, hold: Floats, q0: Floats
) -> Answer:
    count = e.shape[1]
    v, constant, q = start.copy(), s.copy(), q0.copy()
    gen = op.ports.gen
    done, steps = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
    current = np.zeros_like(v)
    active = np.arange(count)
    for step in range(1, STEPS + 1):
        va = v[:, active]
        constant[np.ix_(gen, active)] = s[np.ix_(gen, active)].real - 1j * q[:, active]
        sa = constant[:, active]
        with np.errstate(all="ignore"):
            ia = current_at(op.ports, sa, va)
            new = e[:, active] + op.across(ia)
            power = np.abs(new * np.conj(ia) - power_at(op.ports, sa, new)).max(axis=0, initial=0.0)
        off = np.abs(np.abs(new[gen]) - hold[:, active]).max(axis=0, initial=0.0)
        settled = (power <= aim[active]) & (off <= 1e-10)
        current[:, active[settled]], v[:, active[settled]] = ia[:, settled], new[:, settled]
        done[active[settled]], steps[active] = True, step
        keep = ~settled & np.isfinite(power)
        active, va, sa, new = active[keep], va[:, keep], sa[:, keep], new[:, keep]
        if not len(active):
            break
        good = _step(op, v, q, active, va, sa, va - new, hold)
        active = active[good]
        if not len(active):
            break
    return Answer(v, current, done, steps, q)


def _step(
    op: Operator, v: Complexes, q: Floats, active: NDArray[np.int64], va: Complexes, sa: Complexes, f: Complexes,
    hold: Floats,
) -> NDArray[np.bool_]:  # fmt: skip
    """One step of v and q; False where it is too long or the Jacobian is singular."""
    m, gen = len(va), op.ports.gen
    jacobian = jacobians(op, va, sa)
    right = np.concatenate([f.real, f.imag, np.abs(va[gen]) ** 2 - hold[:, active] ** 2]).T
    good = np.isfinite(jacobian).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    delta = -solved(jacobian, right, good)
    move = (delta[:, :m] + 1j * delta[:, m : 2 * m]).T
    with np.errstate(invalid="ignore"):
        good &= (np.abs(move) <= LARGEST_STEP * np.abs(va)).all(axis=0)
    v[:, active[good]] += move[:, good]
    q[:, active[good]] += delta[good, 2 * m :].T
    return good


def solved(matrices: Floats, right: Floats, good: NDArray[np.bool_]) -> Floats:
    """The solutions x[S, n] of matrices[S, n, n] x = right[S, n]; NaN where not `good`, or where one is singular."""
    out = np.full_like(right, np.nan)
    try:
        out[good] = np.linalg.solve(matrices[good], right[good][..., None])[..., 0]
    except np.linalg.LinAlgError:  # of a stack NumPy refuses all for one: by halves down to the singular ones
        rows = np.flatnonzero(good)
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]) if len(rows) > 1 else ():
            out[half] = solved(matrices[half], right[half], np.ones(len(half), dtype=bool))
    return out


def jacobians(op: Operator, v: Complexes, constant: Complexes) -> Floats:
    """float[S, 2m + g, 2m + g] of F by (Re v, Im v, q)."""
    assert op.between is not None
    m, count = v.shape
    gen, z = op.ports.gen, op.between
    by_v, by_back = slopes(op.ports, constant, v)
    straight = z[None] * by_v.T[:, None, :] + np.eye(m)
    turned = z[None] * by_back.T[:, None, :]
    out = np.zeros((count, 2 * m + len(gen), 2 * m + len(gen)))
    plus, minus = straight + turned, straight - turned
    out[:, :m, :m], out[:, :m, m : 2 * m] = plus.real, -minus.imag
    out[:, m : 2 * m, :m], out[:, m : 2 * m, m : 2 * m] = plus.imag, minus.real
    if len(gen):
        by_q = z[None][:, :, gen] * (1j / np.conj(v[gen])).T[:, None, :]
        out[:, :m, 2 * m :], out[:, m : 2 * m, 2 * m :] = by_q.real, by_q.imag
        row = 2 * m + np.arange(len(gen))
        out[:, row, gen], out[:, row, m + gen] = 2.0 * v[gen].real.T, 2.0 * v[gen].imag.T
    return out
