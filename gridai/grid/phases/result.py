"""The answers of an unbalanced power flow: voltages, currents and loadings by phase."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, near
from gridai.grid.batch.matrices import Complexes, Floats, Ints
from gridai.grid.names import bus_keys_of
from gridai.grid.phases.components import to_components, to_phases
from gridai.grid.phases.currents import power_at
from gridai.grid.phases.operator import Operator
from gridai.grid.phases.sequences import Sequences

SOLVED, NO_SOLUTION, BAD_INPUT = 0, 1, 2
_ENDS = {"line": ("from", "to"), "trafo": ("hv", "lv"), "impedance": ("from", "to")}


class PhaseResult:
    """S scenarios. Arrays have one row a scenario; NaN where a scenario has no certified solution.

    The last axis of arrays by phase is a, b, c; of arrays between phases ab, bc, ca; of components 0, 1, 2.

    status      int[S], 0 where solved.
    residual    float[S] bound of the power left over at a phase of a node, from voltages and admittances alone.
                [pu of a third of the system base]
    iterations  int[S] steps taken.
    reached     float[S] share of all loads that can be carried: 1 where solved, NaN where not and there are gens that
                hold a voltage.
    """

    def __init__(
        self, net: Any, seq: Sequences, op: Operator, phases: Complexes, constant: Complexes, status: Any,
        residual: Floats, worst: Ints, iterations: Any, reached: Floats,
    ) -> None:  # fmt: skip
        self._net, self._seq, self._op, self._phases, self._constant = net, seq, op, phases, constant
        self.status: NDArray[np.int64] = status
        self.residual, self.iterations, self.reached = residual, iterations, reached
        self._worst = worst
        nodes = [seq.matrices.node_of_bus.get(int(i), -1) for i in net.bus.index]
        self._node = np.array(nodes, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.status)

    @property
    def solved(self) -> NDArray[np.bool_]:
        """bool[S], True where the solution is certified."""
        return np.asarray(self.status == SOLVED)

    def reason(self, scenario: int) -> str:
        """Why a scenario has no solution; empty if it has one."""
        if self.status[scenario] == SOLVED:
            return ""
        if self.status[scenario] == BAD_INPUT:
            return "the input holds a value that is not finite"
        node, phase = divmod(int(self._worst[scenario]), 3)
        keys = bus_keys_of(self._net)
        bus = next((f"bus '{keys[b]}'" for b, n in self._seq.matrices.node_of_bus.items() if n == node), f"node {node}")
        share = self.reached[scenario]
        how_far = f"{share:.1%} of the loads can be carried" if share == share else "with gens, how far is not known"
        return f"no solution: beyond the loadability limit ({how_far}; phase {'abc'[phase]} of {bus} has fallen most)"

    @cached_property
    def _v(self) -> Complexes:
        """complex[3, n, S] components of the node voltages. [pu]"""
        return to_components(self._phases)

    def _at_buses(self, values: Any) -> Any:
        """[k, n, S] to [S, buses, k], NaN at buses without supply."""
        as_they_are = np.array_equal(self._node, np.arange(values.shape[1]))
        chosen = values if as_they_are else values[:, np.maximum(self._node, 0)]
        out = np.moveaxis(chosen, (0, 1, 2), (2, 1, 0))
        if (self._node < 0).any():
            out = out.copy()
            out[:, self._node < 0] = np.nan
        return out

    @property
    def v_sequence_pu(self) -> Complexes:
        """complex[S, buses, 3] zero, positive and negative sequence voltage, buses as net.bus. [pu]"""
        return np.asarray(self._at_buses(self._v))

    @property
    def v_pu(self) -> Complexes:
        """complex[S, buses, 3] voltage of phases a, b, c to earth, buses as net.bus. [pu of vn_kv / sqrt(3)]"""
        return np.asarray(self._at_buses(self._phases))

    @property
    def vm_pu(self) -> Floats:
        """float[S, buses, 3] magnitude of the phase voltages. [pu of vn_kv / sqrt(3)]"""
        return np.asarray(np.abs(self.v_pu))

    @property
    def va_degree(self) -> Floats:
        """float[S, buses, 3] angle of the phase voltages. [degree]"""
        return np.asarray(np.degrees(np.angle(self.v_pu)))

    @property
    def vm_between_pu(self) -> Floats:
        """float[S, buses, 3] magnitude of the voltages between the phases ab, bc, ca. [pu of vn_kv]"""
        v = self.v_pu
        return np.asarray(np.abs(v - np.roll(v, -1, axis=2)) / np.sqrt(3.0))

    @property
    def unbalance_percent(self) -> Floats:
        """float[S, buses] negative over positive sequence voltage (EN 50160, IEC 61000-2-2). [%]"""
        return self._ratio(2)

    @property
    def zero_percent(self) -> Floats:
        """float[S, buses] zero over positive sequence voltage. [%]"""
        return self._ratio(0)

    def _ratio(self, sequence: int) -> Floats:
        part = np.abs(self._v[sequence]) / np.abs(self._v[1])
        return np.asarray(self._at_buses(100.0 * part[None])[:, :, 0])

    def currents_ka(self, table: str = "line") -> tuple[Complexes, Complexes]:
        """complex[S, rows, 3] currents into "line", "trafo" or "impedance" at its two ends, rows as the table. [kA]

        The first end is from_bus or hv_bus; angles against the source. Raises CaseError for other tables.
        """
        f, t = self._sequence_currents(table)
        b = self._seq.branches
        rows, position = self._rows(table)
        out = []
        for current, node in ((f, b.from_node), (t, b.to_node)):
            base = self._seq.s_base_mva / np.sqrt(3.0) / self._seq.matrices.node_kv[node[rows]]
            whole = np.zeros((len(self), len(self._net[table]), 3), dtype=complex)
            whole[~self.solved] = np.nan
            phases = to_phases(current) * base[None, :, None]
            whole[:, position] = np.moveaxis(phases, (0, 1, 2), (2, 1, 0))
            out.append(whole)
        return out[0], out[1]

    def loading_by_phase(self, table: str = "line") -> Floats:
        """float[S, rows, 3] loading of "line" or "trafo" in each phase, the higher of its ends, as pandapower. [%]"""
        if table not in ("line", "trafo"):
            raise CaseError(near(table, ("line", "trafo"), "table with loadings"))
        f, t = (np.abs(end) for end in self.currents_ka(table))
        rows = self._net[table]
        if table == "line":
            rated = (rows["max_i_ka"] * rows["df"] * rows["parallel"]).to_numpy(dtype=float)[:, None]
            return np.asarray(np.maximum(f, t) * 100.0 / rated)
        scale = [np.sqrt(3.0) * rows[c].to_numpy(dtype=float) for c in ("vn_hv_kv", "vn_lv_kv")]
        rated = (rows["sn_mva"] * rows["parallel"] * rows["df"]).to_numpy(dtype=float)[:, None]
        return np.asarray(np.maximum(f * scale[0][:, None], t * scale[1][:, None]) * 100.0 / rated)

    def loading_percent(self, table: str = "line") -> Floats:
        """float[S, rows] loading of the most loaded phase of "line" or "trafo". [%]"""
        return np.asarray(self.loading_by_phase(table).max(axis=2))

    def neutral_ka(self, table: str = "line") -> tuple[Floats, Floats]:
        """float[S, rows] sum of the three phase currents at both ends: what returns by neutral and earth. [kA]"""
        f, t = self.currents_ka(table)
        return np.abs(f.sum(axis=2)), np.abs(t.sum(axis=2))

    def losses_mw(self, table: str | None = None) -> Floats:
        """float[S] active power lost in all branches, or float[S, rows] in each of a table. [MW]"""
        if table is None:
            rows = np.arange(len(self._seq.branches.kind))
            return np.asarray(np.where(self.solved, self._lost(rows).sum(axis=0), np.nan))
        rows, position = self._rows(table)
        out = np.zeros((len(self), len(self._net[table])))
        out[~self.solved] = np.nan
        out[:, position] = self._lost(rows).T
        return out

    def source_mva(self) -> Complexes:
        """complex[S, sources, 3] power that each source (external grid, slack gen) gives in each phase. [MVA]

        What enters the network at its bus, the impedance behind it not part of the network.
        """
        seq, v = self._seq, self._v
        node = seq.source
        with np.errstate(invalid="ignore"):  # NaN where there is no solution
            drawn = self._op.drawn(np.conj(self._power() / self._op.sees(v))) if len(self._op.ports.node) else 0.0 * v
        given = np.stack([(seq.admittance[k] @ v[k] + drawn[k])[node] for k in range(3)])
        for k in range(3):
            given[k] -= self._behind()[k][:, None] * v[k, node]
        phases = to_phases(v[:, node]) * np.conj(to_phases(given))
        return np.asarray(np.moveaxis(phases, (0, 1, 2), (2, 1, 0)) * seq.s_base_mva / 3.0)

    def drawn_mva(self) -> Complexes:
        """complex[S] power drawn by all loads less what sgens, storages and gens give. [MVA]"""
        power = self._power().sum(axis=0) * self._seq.s_base_mva / 3.0
        gens = self._power()[self._op.ports.gen].sum(axis=0) * self._seq.s_base_mva * 2.0 / 3.0
        return np.asarray(np.where(self.solved, power + gens, np.nan))

    def _power(self) -> Complexes:
        return power_at(self._op.ports, self._constant, self._op.sees(self._v))

    def _behind(self) -> Complexes:
        """complex[3, r] admittance of the sources in each sequence."""
        return self._seq.own[:, self._seq.source]

    def _rows(self, table: str) -> tuple[Any, Any]:
        """Rows of the branch table that belong to a table, and their positions in it."""
        if table not in _ENDS:
            raise CaseError(near(table, _ENDS, "branch table"))
        b = self._seq.branches
        rows = np.array([k for k, kind in enumerate(b.kind) if kind == table], dtype=np.int64)
        at = {int(i): k for k, i in enumerate(self._net[table].index)}
        return rows, np.array([at[int(i)] for i in b.element[rows]], dtype=np.int64)

    def _sequence_currents(self, table: str) -> tuple[Complexes, Complexes]:
        return self._into(self._rows(table)[0])

    def _into(self, rows: Any) -> tuple[Complexes, Complexes]:
        """complex[3, rows, S] components of the currents into branches at both ends. [pu]"""
        b, y = self._seq.branches, self._seq.y[:, rows, :, None]
        vf, vt = self._v[:, b.from_node[rows]], self._v[:, b.to_node[rows]]
        return y[:, :, 0] * vf + y[:, :, 1] * vt, y[:, :, 2] * vf + y[:, :, 3] * vt

    def _lost(self, rows: Any) -> Floats:
        """float[rows, S] active power lost in branches. [MW]"""
        b = self._seq.branches
        f, t = self._into(rows)
        power = self._v[:, b.from_node[rows]] * np.conj(f) + self._v[:, b.to_node[rows]] * np.conj(t)
        return np.asarray(power.real.sum(axis=0) * self._seq.s_base_mva)
