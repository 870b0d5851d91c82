"""The answers of a batch: voltages, flows and loadings by pandapower's names, and why a scenario has none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, near
from gridai.grid.batch import arrays
from gridai.grid.batch.changes import TIE
from gridai.grid.batch.matrices import Matrices

Floats = NDArray[np.float64]

REASONS = {
    arrays.SOLVED: "",
    arrays.NO_SOLUTION: "no solution: beyond the loadability limit",
    arrays.BAD_INPUT: "the input holds a value that is not finite",
    arrays.Q_LIMITS_FAIL: "no solution once the units' reactive limits are kept",
}
_SIDES = {"trafo": ("hv", "lv"), "trafo3w": ("hv", "mv", "lv")}


class BatchResult:
    """S scenarios. Arrays have one row a scenario; NaN where a scenario has no certified solution.

    status      int[S], a code of gridai.grid.batch.arrays; 0 where solved.
    residual    largest power left over at a node, recomputed from the voltages and Ybus. [pu on the system base]
    reached     share of the change from the base case that could be made; 1 where solved.
    iterations  steps taken.
    """

    def __init__(
        self, net: Any, matrices: Matrices, answer: arrays.Answer, count: int, loading: bool, tolerance_pu: float,
        changes: Any = None,
    ) -> None:  # fmt: skip
        self._net, self._m, self._count, self._changes = net, matrices, count, changes
        self._v_re, self._v_im = (a.reshape(len(matrices.v), -1)[:, :count].T for a in (answer.v_re, answer.v_im))
        rows = len(matrices.branches.kind) if loading else 0
        self._loading = answer.loading.reshape(rows, -1)[:, :count].T if rows else None
        self.status = answer.status[:count]
        self.residual = answer.residual[:count]
        self.reached = answer.reached[:count]
        self.iterations = answer.iterations[:count]
        self.tolerance_pu = tolerance_pu

    def __len__(self) -> int:
        return self._count

    @property
    def solved(self) -> NDArray[np.bool_]:
        """bool[S], True where the solution is certified."""
        return np.asarray(self.status == arrays.SOLVED)

    def reason(self, scenario: int) -> str:
        """Why a scenario has no solution; empty if it has one."""
        text = REASONS[int(self.status[scenario])]
        if self.status[scenario] == arrays.NO_SOLUTION:
            text += f" ({100.0 * self.reached[scenario]:.1f} % of the change from the base case can be made)"
        return text

    @property
    def v_pu(self) -> NDArray[np.complex128]:
        """complex[S, n] voltages of pandapower's internal nodes. [pu]"""
        return np.asarray(self._v_re + 1j * self._v_im)

    def v_pu_at(self, scenario: int, node: int) -> complex:
        """Voltage of an internal node in one scenario. [pu]"""
        return complex(self._v_re[scenario, node], self._v_im[scenario, node])

    def _nodes(self) -> Any:
        return np.array([self._m.node_of_bus.get(int(i), -1) for i in self._net.bus.index], dtype=np.int64)

    def _at_buses(self, values: Floats) -> Floats:
        at = self._nodes()
        out = values[:, np.maximum(at, 0)]
        out[:, at < 0] = np.nan
        return out

    @property
    def vm_pu(self) -> Floats:
        """float[S, buses] voltage magnitude, columns as net.bus. [pu]"""
        return self._at_buses(np.hypot(self._v_re, self._v_im))

    @property
    def va_degree(self) -> Floats:
        """float[S, buses] voltage angle, columns as net.bus. [degree]"""
        return self._at_buses(np.degrees(np.arctan2(self._v_im, self._v_re)))

    def loading_percent(self, table: str = "line") -> Floats:
        """float[S, rows] loading of "line", "trafo" or "trafo3w" as pandapower has it, columns as the table. [%]

        Raises CaseError where loadings were not asked for, and for tables without loadings.
        """
        if self._loading is None and self._m.branches.kind:
            raise CaseError("loadings were not computed: call solve with loading=True")
        out = np.full((self._count, len(self._table(table, ("line", "trafo", "trafo3w")))), np.nan)
        rows, position = self._rows(table)
        if len(rows):
            assert self._loading is not None
            present = np.unique(position)
            out[:, present] = -np.inf
            np.maximum.at(out.T, position, self._loading.T[rows])
        return out

    def flows(self, table: str = "line") -> dict[str, Floats]:
        """Powers at the ends of "line", "trafo", "trafo3w" or "impedance" and their losses, float[S, rows] each.

        Names, signs and order as in pandapower's res_line, res_trafo, ... [MW, MVAr]
        """
        index = self._table(table, ("line", "trafo", "trafo3w", "impedance"))
        rows, position = self._rows(table)
        s_from, s_to = self._power(rows)
        off = np.where(np.isnan(self._v_re[:, :1]), np.nan, 0.0)
        out: dict[str, Floats] = {}
        if table == "trafo3w":
            winding = self._m.branches.winding[rows]
            powers = (s_from, s_to, s_to)
            ends = [(side, np.where(winding == k)[0], powers[k]) for k, side in enumerate(_SIDES[table])]
        else:
            every = np.arange(len(rows))
            names = _SIDES.get(table, ("from", "to"))
            ends = [(names[0], every, s_from), (names[1], every, s_to)]
        total = np.zeros((self._count, len(index)), dtype=complex) + off
        for side, which, s in ends:
            power = np.zeros((self._count, len(index)), dtype=complex) + off
            power[:, position[which]] = s[:, which]
            out[f"p_{side}_mw"], out[f"q_{side}_mvar"] = power.real, power.imag
            total += power
        out["pl_mw"], out["ql_mvar"] = total.real, total.imag
        return out

    def losses_mw(self) -> Floats:
        """float[S] active power lost in all branches. [MW]"""
        rows = np.flatnonzero(self._m.branches.in_service)
        s_from, s_to = self._power(rows)
        lost = np.nansum((s_from + s_to).real, axis=1)
        return np.where(self.solved, lost, np.nan)

    def slack_mva(self) -> NDArray[np.complex128]:
        """complex[S, slacks] net power that each slack node puts into the network. [MVA]"""
        return self.injection_mva()[:, self._m.reference]

    def injection_mva(self) -> NDArray[np.complex128]:
        """complex[S, n] power put into the network at each internal node. [MVA]"""
        from scipy.sparse import csr_matrix

        m, v = self._m, self.v_pu
        y = csr_matrix((m.y, m.idx, m.ptr), shape=(len(m.v), len(m.v)))
        out = np.asarray(v * np.conj((y @ np.nan_to_num(v).T).T) * m.s_base_mva)
        if self._changes is not None and len(self._changes.branch):
            scenario, s_from, s_to = self._changed()
            real = self._changes.branch != TIE  # a tie only holds an angle: what it carries is the reference's own
            np.add.at(out, (scenario[real], self._changes.from_node[real]), s_from[real])
            np.add.at(out, (scenario[real], self._changes.to_node[real]), s_to[real])
        return out

    def _changed(self) -> tuple[Any, Any, Any]:
        """For each change of a branch: its scenario, and what it adds to the powers into the branch's ends. [MVA]"""
        c = self._changes
        scenario = np.repeat(np.arange(self._count), np.diff(c.ptr))
        y_ff, y_ft, y_tf, y_tt = (c.y[:, 2 * k] + 1j * c.y[:, 2 * k + 1] for k in range(4))
        vf, vt = (
            np.nan_to_num(self._v_re[scenario, at]) + 1j * np.nan_to_num(self._v_im[scenario, at])
            for at in (c.from_node, c.to_node)
        )
        base = self._m.s_base_mva
        return scenario, vf * np.conj(y_ff * vf + y_ft * vt) * base, vt * np.conj(y_tf * vf + y_tt * vt) * base

    def _table(self, table: str, known: tuple[str, ...]) -> Any:
        if table not in known:
            raise CaseError(near(table, known, "branch table"))
        return self._net[table].index

    def _rows(self, table: str) -> tuple[Any, Any]:
        """Rows of the branch table that belong to an element table, and their positions in that table."""
        b = self._m.branches
        rows = np.array([k for k, kind in enumerate(b.kind) if kind == table], dtype=np.int64)
        at = {int(i): k for k, i in enumerate(self._net[table].index)}
        return rows, np.array([at[int(i)] for i in b.element[rows]], dtype=np.int64)

    def _power(self, rows: Any) -> tuple[Any, Any]:
        """Complex power into the branches at both ends. [MVA]"""
        b = self._m.branches
        y = np.where(b.in_service[rows, None], b.y[rows], 0.0)
        y_ff, y_ft, y_tf, y_tt = (y[:, 2 * k] + 1j * y[:, 2 * k + 1] for k in range(4))
        f, t = b.from_node[rows], b.to_node[rows]
        vf, vt = self._v_re[:, f] + 1j * self._v_im[:, f], self._v_re[:, t] + 1j * self._v_im[:, t]
        base = self._m.s_base_mva
        s_from, s_to = vf * np.conj(y_ff * vf + y_ft * vt) * base, vt * np.conj(y_tf * vf + y_tt * vt) * base
        if self._changes is not None and len(self._changes.branch):
            column = np.full(len(b.kind), -1, dtype=np.int64)
            column[rows] = np.arange(len(rows))
            at = np.where(self._changes.branch >= 0, column[self._changes.branch], -1)
            scenario, more_from, more_to = self._changed()
            here = at >= 0
            np.add.at(s_from, (scenario[here], at[here]), more_from[here])
            np.add.at(s_to, (scenario[here], at[here]), more_to[here])
        return s_from, s_to
