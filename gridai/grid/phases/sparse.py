"""Newton on the node voltages of all sequences at once, one scenario after the other: for networks with many ports."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.grid.batch.matrices import Complexes, Floats, Ints
from gridai.grid.phases.components import GIVES, SEES
from gridai.grid.phases.currents import current_at, power_at, slopes
from gridai.grid.phases.operator import Operator
from gridai.grid.phases.solver import LARGEST_STEP, STEPS, Answer


def newton_sparse(
    op: Operator, unloaded: Complexes, constant: Complexes, start: Complexes, aim: Floats, hold: Floats, q: Floats
) -> Answer:
    """As solver.newton, without the impedances between the ports."""
    count = constant.shape[1]
    solver = _Sparse(op)
    parts = [solver.run(constant[:, k], start[:, k], unloaded[:, k], float(aim[k]), hold[:, k], q[:, k])
             for k in range(count)]  # fmt: skip
    v, current, q = (np.stack([part[k] for part in parts], axis=1) for k in (0, 1, 4))
    done, steps = (np.array([part[k] for part in parts]) for k in (2, 3))
    return Answer(v, current, done, steps, q)


class _Sparse:
    """Unknown: the change dV of the free node voltages in components, real and imaginary part beside each other, and Q.

    Y dV + di(dV) = -F with F = Y V + i(V) - what the sources put in; rows as unknowns, then one row a gen.
    """

    def __init__(self, op: Operator) -> None:
        from scipy.sparse import coo_matrix

        seq, size = op.factors.seq, op.factors.size
        self.op, self.size = op, size
        place = np.full((3, size), -1, dtype=np.int64)
        free = np.ones((3, size), dtype=bool)
        free[1, op.factors.held] = False
        place[free] = np.arange(int(free.sum()))
        self.place, self.count = place, 2 * int(free.sum())
        row, col, value = [], [], []
        for k in range(3):
            y = seq.admittance[k].tocoo()
            inside = free[k, y.row] & free[k, y.col]
            r, c, v = 2 * place[k, y.row[inside]], 2 * place[k, y.col[inside]], y.data[inside]
            row += [r, r, r + 1, r + 1]
            col += [c, c + 1, c, c + 1]
            value += [v.real, -v.imag, v.imag, v.real]
        self.constant = coo_matrix(
            (np.concatenate(value), (np.concatenate(row), np.concatenate(col))), shape=(self.count, self.count)
        ).tocsc()

    def run(
        self, s: Complexes, start: Complexes, unloaded: Complexes, aim: float, hold: Floats, q0: Floats
    ) -> tuple[Complexes, Complexes, bool, int, Floats]:
        """Voltages and currents of the ports, whether they are settled, steps, Q of the gens."""
        op, have = self.op, self.op.ports
        v, q, constant = start.copy(), q0.copy(), s.copy()[:, None]
        for step in range(1, STEPS + 1):
            constant[have.gen, 0] = s[have.gen].real - 1j * q
            with np.errstate(all="ignore"):
                current = current_at(have, constant, v[:, None])
                new = unloaded + op.across(current)[:, 0]
                power = np.abs(new * np.conj(current[:, 0]) - power_at(have, constant, new[:, None])[:, 0]).max()
            off = np.abs(np.abs(new[have.gen]) - hold).max(initial=0.0)
            if power <= aim and off <= 1e-10:
                return new, current[:, 0], True, step, q
            if not np.isfinite(power):
                break
            move, dq = self._step(v, new, constant, hold)
            if not (np.abs(move) <= LARGEST_STEP * np.abs(v)).all():
                break
            v, q = v + move, q + dq
        return start, np.zeros(len(s), dtype=complex), False, STEPS, q0

    def _step(self, v: Complexes, new: Complexes, constant: Complexes, hold: Floats) -> tuple[Complexes, Floats]:
        """Newton's step of the ports' voltages and of Q.

        With node voltages that fit the ports' currents, F is what the change from v to new does to these currents.
        """
        from scipy.sparse import bmat, coo_matrix
        from scipy.sparse.linalg import spsolve

        op, have = self.op, self.op.ports
        by_v, by_back = (x[:, 0] for x in slopes(have, constant, v[:, None]))
        jacobian = self.constant + self._loads(by_v, by_back)
        gap = new - v
        # i at v was used for new: linear in the step from new, di = i_v (dV_port + gap) + ...
        right = -self._put(by_v * gap + by_back * np.conj(gap))
        gens = len(have.gen)
        if gens:
            turn = 1j / np.conj(v[have.gen])
            column = np.stack([self._put(turn[k], have.gen[k : k + 1]) for k in range(gens)], axis=1)
            at = 2 * self.place[1, have.node[have.gen]]
            own, vg = np.arange(gens), new[have.gen]
            rows = coo_matrix((np.concatenate([2 * vg.real, 2 * vg.imag]),
                               (np.concatenate([own, own]), np.concatenate([at, at + 1]))),
                              shape=(gens, self.count))  # fmt: skip
            jacobian = bmat([[jacobian, coo_matrix(column)], [rows, None]]).tocsc()
            right = np.concatenate([right, hold**2 - np.abs(vg) ** 2])
        found = spsolve(jacobian, right)
        nodes = np.zeros((3, self.size), dtype=complex)
        nodes[self.place >= 0] = found[0 : self.count : 2] + 1j * found[1 : self.count : 2]
        return gap + op.sees(nodes[:, :, None])[:, 0], found[self.count :]

    def _put(self, current: Any, which: Ints | None = None) -> Floats:
        """Real right-hand side of currents at ports."""
        have = self.op.ports
        which = np.arange(len(have.node)) if which is None else which
        out = np.zeros((3, self.size), dtype=complex)
        for k in range(3):
            np.add.at(out[k], have.node[which], GIVES[have.kind[which], k] * current)
        flat = out[self.place >= 0]
        return np.asarray(np.stack([flat.real, flat.imag], axis=1).reshape(-1))

    def _loads(self, by_v: Complexes, by_back: Complexes) -> Any:
        """What the ports add to the Jacobian."""
        from scipy.sparse import coo_matrix

        have, row, col, value = self.op.ports, [], [], []
        for a in range(3):
            for b in range(3):
                straight = GIVES[have.kind, a] * by_v * SEES[have.kind, b]
                turned = GIVES[have.kind, a] * by_back * np.conj(SEES[have.kind, b])
                r, c = self.place[a, have.node], self.place[b, have.node]
                on = (r >= 0) & (c >= 0)
                plus, minus = (straight + turned)[on], (straight - turned)[on]
                r, c = 2 * r[on], 2 * c[on]
                row += [r, r, r + 1, r + 1]
                col += [c, c + 1, c, c + 1]
                value += [plus.real, -minus.imag, plus.imag, minus.real]
        shape = (self.count, self.count)
        return coo_matrix((np.concatenate(value), (np.concatenate(row), np.concatenate(col))), shape=shape).tocsc()
