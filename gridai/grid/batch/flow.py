"""Many power flows of one network in one call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gridai.errors import PowerFlowError, SettingError
from gridai.grid.batch import arrays
from gridai.grid.batch.changes import Changes
from gridai.grid.batch.lanes import LANES, aligned
from gridai.grid.batch.matrices import Matrices, convert
from gridai.grid.batch.order import pattern_of
from gridai.grid.batch.result import BatchResult
from gridai.grid.batch.vary import Columns, Place, Vary, columns

_EPSILON = float(np.finfo(float).eps)


class BatchFlow:
    """The power flow of a pandapower net, compiled for many scenarios.

    net             a pandapower net; it is not written to and later changes of it are not seen.
    enforce_q_lims  units at a reactive limit give the limit and let the voltage go, as in pandapower.
    tolerance_pu    largest power left over at a node of a certified solution, on the system base. [pu]
    options         of runpp: calculate_voltage_angles (default True), trafo_model, trafo3w_losses, ...

    An island without a slack is left out, as in runpp; `unsupplied` names its buses.

    Raises CaseError for what only a single power flow can take (FACTS, DC networks, distributed slack), by name,
    and PowerFlowError where the net as it stands has no solution.

    >>> from pandapower.networks import case9
    >>> flow = BatchFlow(case9())
    >>> result = flow.solve([Vary("load", "p_mw", [[90.0, 100.0, 125.0], [99.0, 110.0, 137.0]])])
    >>> result.solved.tolist()
    [True, True]
    """

    def __init__(self, net: Any, *, enforce_q_lims: bool = False, tolerance_pu: float = 1e-8, **options: Any) -> None:
        if not 0.0 < tolerance_pu <= 1e-3:
            raise SettingError(f"tolerance_pu = {tolerance_pu:g}: must lie above 0 and at most at 1e-3 pu")
        self.enforce_q_lims = enforce_q_lims
        self.net, self.matrices = convert(net, enforce_q_lims, **options)
        self._places: dict[Any, Place] = {}
        m = self.matrices
        row_sum = np.add.reduceat(np.abs(m.y), m.ptr[:-1])
        floor = 64.0 * _EPSILON * float(row_sum.max(initial=1.0))  # what rounding leaves in the balance
        self.tolerance_pu = max(tolerance_pu, 8.0 * floor)
        self._aim = max(0.01 * tolerance_pu, floor)
        self._grid = _grid(m)
        self._pattern = _pattern(m, np.zeros_like(m.held))
        self._flexible: arrays.Pattern | None = None
        self._origin, self._sign = self._base_point()
        self._branches = _branches(m)

    @property
    def unsupplied(self) -> tuple[int, ...]:
        """Buses (pandapower indices) in service that no slack reaches: NaN in results, their loads left out."""
        rows = self.net.bus
        on = rows.index[rows["in_service"].to_numpy(dtype=bool)]
        return tuple(int(i) for i in on if int(i) not in self.matrices.node_of_bus)

    def _full_pattern(self, flexible: bool) -> arrays.Pattern:
        """The pattern of full Newton; flexible: every held magnitude but a slack's may be freed."""
        if not flexible:
            return self._pattern
        if self._flexible is None:
            m = self.matrices
            self._flexible = _pattern(m, m.held & ~m.reference)
        return self._flexible

    def _base_point(self) -> tuple[arrays.Factor, float]:
        """Factors at the base case, its voltages solved to rounding."""
        from gridai.grid.batch.machine import compiled

        m, p = self.matrices, self._pattern
        v2 = np.abs(m.v) ** 2
        origin = arrays.Factor(
            m.v.real.copy(), m.v.imag.copy(), np.zeros(len(p.l_idx)), np.zeros(len(p.u_idx)),
            np.zeros(len(p.owner)), np.zeros(len(p.owner)), m.s.real.copy(), m.s.imag.copy(),
            np.where(m.held, 1.0 / v2, 0.0), m.law_p.copy(), m.law_q.copy(),
        )  # fmt: skip
        sign = compiled().factorise(arrays.record(self._grid), arrays.record(p), arrays.record(origin))
        if sign == 0.0 and len(p.owner):
            raise PowerFlowError("the Jacobian of the base case is singular: it stands at its loadability limit")
        return origin, float(sign)

    def solve(
        self,
        varying: Sequence[Vary] = (),
        *,
        scenarios: int | None = None,
        changes: Changes | None = None,
        loading: bool = True,
        warm: bool = False,
        threads: int = 1,
    ) -> BatchResult:
        """Solve all scenarios; what does not vary is as in the net.

        varying    columns of the net's tables that vary, see Vary.
        scenarios  number of scenarios; needed only where nothing varies.
        changes    branches out or changed and nodes without supply (contingencies, taps), in each scenario or, if it
                   holds one scenario, in all of them.
        loading    compute branch loadings too.
        warm       start each block of 16 from the one before: for series in time.
        threads    blocks are shared among so many threads.

        Raises CaseError for unknown elements and unequal lengths. A scenario without a solution raises nothing: its
        results are NaN and `status` and `reason` say why.
        """
        from gridai.grid.batch.machine import compiled

        cols = columns(self.net, self.matrices, varying, self.enforce_q_lims, self._places)
        count = _count(cols, scenarios, changes)
        if changes is not None and changes.scenarios == 1 and count > 1:
            changes = changes.repeat(count)
        task = self._task(cols, count, changes, warm)
        branches = self._branches if loading else _none(self._branches)
        answer = _answer(len(self.matrices.v), branches.count, task.padded)
        shares = _shares(task.padded, threads)
        full = self._full_pattern(self.enforce_q_lims or (changes is not None and changes.frees))
        doors = compiled()

        def part(bounds: tuple[int, int]) -> None:
            own = self._origin._replace(**{k: getattr(self._origin, k).copy() for k in _MOVED})
            work = self._work(branches.count, full, bounds, changes)
            grid, origin, br, todo, wk, out = (
                arrays.record(x) for x in (self._grid, self._origin, branches, task, work, answer)
            )
            pattern, factors = arrays.record(self._pattern), arrays.record(own)
            left = doors.run(grid, pattern, origin, factors, br, todo, wk, out, bounds[0], bounds[1], self._sign)
            if left:
                doors.finish(grid, arrays.record(full), origin, br, todo, wk, out, left)

        if len(shares) == 1:
            part(shares[0])
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(len(shares)) as pool:
                list(pool.map(part, shares))
        return BatchResult(self.net, self.matrices, answer, count, loading, self.tolerance_pu, changes)

    def _task(self, cols: Columns, count: int, changes: Changes | None, warm: bool) -> arrays.Task:
        m = self.matrices
        base_p, base_q, law_p, law_q = m.s.real.copy(), m.s.imag.copy(), m.law_p.copy(), m.law_q.copy()
        law = np.where(cols.law, self._grid.law_of[cols.node], -1)
        for kind, target, follows in ((arrays.DRIVES_P, base_p, law_p), (arrays.DRIVES_Q, base_q, law_q)):
            mine = cols.kind == kind
            np.subtract.at(target, cols.node[mine], cols.base[mine] * cols.scale[mine])
            mine = mine & (law >= 0)
            np.add.at(follows, law[mine], cols.base[mine] * cols.scale[mine])
        padded = -(-count // LANES) * LANES
        values = aligned(len(cols.values) * padded)
        table = values.reshape(len(cols.values), padded)
        for k, column in enumerate(cols.values):
            table[k, :count] = column
            table[k, count:] = column[-1]
        change = changes if changes is not None else Changes.none()
        return arrays.Task(
            base_p=base_p, base_q=base_q, base_v=np.where(m.held, np.abs(m.v), 0.0), base_law_p=law_p,
            base_law_q=law_q, columns=len(cols.node), col_node=cols.node, col_kind=cols.kind, col_scale=cols.scale,
            col_law=(law >= 0).astype(np.int64), values=values, scenarios=count, padded=padded, aim=self._aim,
            tolerance=self.tolerance_pu, warm=int(warm),
            **change.arrays(padded, m.s_base_mva),
            limits=int(self.enforce_q_lims),
        )  # fmt: skip

    def _work(
        self, branches: int, full: arrays.Pattern, bounds: tuple[int, int], changes: Changes | None
    ) -> arrays.Work:
        n, p, laws = len(self.matrices.v), self._pattern, len(self.matrices.law_p)
        limited = n if self.enforce_q_lims else 0
        each = changes.most if changes is not None else 0
        most, rank = LANES * each, 4 * each if changes is not None and changes.low_rank else 0

        def lanes(count: int) -> Any:
            return aligned(count * LANES)

        def whole(count: int) -> Any:
            return np.zeros(count, dtype=np.int64)

        return arrays.Work(
            v_re=lanes(n), v_im=lanes(n), s_p=lanes(n), s_q=lanes(n), set2=lanes(n), d_p=lanes(n), d_q=lanes(n),
            r=lanes(len(p.owner)), err=lanes(1), change_lane=whole(most), change_of=whole(most), count=whole(3),
            unknown=whole(rank * LANES), z=lanes(rank * len(p.owner)), small_d=lanes(rank * rank),
            small_m=np.zeros(rank * rank), small_y=lanes(rank), share=lanes(1), scenario=whole(LANES),
            loading=lanes(branches), law_p=lanes(laws), law_q=lanes(laws), t_law_p=lanes(laws), t_law_q=lanes(laws),
            q_min=lanes(limited), q_max=lanes(limited), full_r=lanes(len(full.owner)),
            full_l=lanes(len(full.l_idx)), full_u=lanes(len(full.u_idx)), full_pivot=lanes(len(full.owner)),
            full_row=lanes(len(full.owner)), free=lanes(n), t_p=lanes(n), t_q=lanes(n), t_set=lanes(n), o_q=lanes(n),
            last_re=lanes(n), last_im=lanes(n), sign=lanes(1), reached=lanes(1), part=lanes(1), start_sign=lanes(1),
            waiting=whole(max(bounds[1] - bounds[0], 1)),
        )  # fmt: skip


_MOVED = ("v_re", "v_im", "l_val", "u_val", "pivot", "row")


def _grid(m: Matrices) -> arrays.Grid:
    own = np.zeros(len(m.v), dtype=complex)
    row = np.repeat(np.arange(len(m.v)), np.diff(m.ptr))
    on_diagonal = row == m.idx
    own[row[on_diagonal]] = m.y[on_diagonal]
    size = np.abs(own)
    turn = np.where(size > 0.0, 1j * size / np.where(size > 0.0, np.conj(own), 1.0), 1.0)
    turn[m.held] = 1.0
    return arrays.Grid(
        m.ptr.astype(np.uint64), m.idx.astype(np.uint64) * np.uint64(LANES), m.y.real.copy(), m.y.imag.copy(),
        turn.real.copy(), turn.imag.copy(), len(m.v), m.held.astype(np.int64), m.reference.astype(np.int64),
        m.q_min.copy(), m.q_max.copy(), *_laws(m),
    )  # fmt: skip


def _laws(m: Matrices) -> tuple[Any, ...]:
    of = np.full(len(m.v), -1, dtype=np.int64)
    of[m.law_node] = np.arange(len(m.law_node))
    return (len(m.law_node), m.law_node.copy(), of, *(np.ascontiguousarray(column) for column in m.law.T))


def _pattern(m: Matrices, frees: Any) -> arrays.Pattern:
    p = pattern_of(m.ptr, m.idx, ~m.reference, ~m.held | frees)
    wide = np.uint64(LANES)
    return arrays.Pattern(p.size, p.angle, p.magnitude, p.owner, p.l_ptr, p.l_idx * wide, p.u_ptr, p.u_idx * wide)


def _branches(m: Matrices) -> arrays.Branches:
    b, off = m.branches, ~m.branches.in_service
    y = np.where(off[:, None], 0.0, b.y)
    return arrays.Branches(len(b.from_node), b.from_node, b.to_node, np.ascontiguousarray(y), b.from_scale, b.to_scale)


def _none(b: arrays.Branches) -> arrays.Branches:
    return arrays.Branches(0, *(part[:0] for part in b[1:]))


def _answer(nodes: int, branches: int, padded: int) -> arrays.Answer:
    whole = (np.zeros(padded, dtype=np.int64) for _ in range(2))
    return arrays.Answer(
        aligned(nodes * padded), aligned(nodes * padded), aligned(branches * padded), next(whole), np.zeros(padded),
        np.zeros(padded), next(whole),
    )  # fmt: skip


def _count(cols: Columns, scenarios: int | None, changes: Changes | None) -> int:
    changed = changes.scenarios if changes is not None else 0
    stated = {n for n in (cols.scenarios, scenarios) if n}
    if changed > 1 or not stated:
        stated |= {changed} - {0}  # one set of changes holds for all scenarios
    if len(stated) > 1:
        raise SettingError(f"the number of scenarios is not one: {sorted(stated)}")
    return stated.pop() if stated else 1


def _shares(padded: int, threads: int) -> list[tuple[int, int]]:
    """Ranges of whole blocks, one a thread."""
    blocks = padded // LANES
    edges = np.linspace(0, blocks, min(max(threads, 1), max(blocks, 1)) + 1).astype(int) * LANES
    return [(int(a), int(b)) for a, b in pairwise(edges) if b > a]
