"""Many unbalanced power flows of one network in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import SettingError
from gridai.grid.batch.matrices import Complexes, Floats, Ints
from gridai.grid.batch.vary import Vary
from gridai.grid.phases.components import SEES, to_phases
from gridai.grid.phases.currents import current_at
from gridai.grid.phases.operator import Factors, Operator, operator
from gridai.grid.phases.path import Followed, Settle, follow
from gridai.grid.phases.ports import Ports, ports, with_places
from gridai.grid.phases.result import BAD_INPUT, NO_SOLUTION, SOLVED, PhaseResult
from gridai.grid.phases.sequences import sequences
from gridai.grid.phases.solver import Answer, fixed_point, newton
from gridai.grid.phases.sparse import newton_sparse
from gridai.grid.phases.vary import applied, drives

_BLOCK = 60_000  # nodes x scenarios that fit the processor's cache
_DENSE_NEWTON = 200  # ports up to which Newton takes full matrices, many scenarios at once
_EPSILON = float(np.finfo(float).eps)


class PhaseFlow:
    """The unbalanced three-phase power flow of a pandapower net, set up for many scenarios.

    net           a pandapower net with zero-sequence data; it is not written to and later changes are not seen.
    source        "stiff": the positive sequence of an external grid's voltage stands at its bus, as in a balanced
                  power flow; the negative and zero sequence see its impedance (pandapower's way). "behind": the voltage
                  stands behind the impedance in all sequences (OpenDSS, power-grid-model).
    trafo_model   "t" or "pi", of the positive and negative sequence, as pandapower.
    tolerance_pu  largest power left over at a phase of a node, in parts of the largest power drawn at one place (at
                  most of a third of the system base), but not below what rounding leaves.

    Loads of `load`, `sgen`, `storage` and `ward` draw a third of their power in each phase: to earth, or between the
    phases where `type` is delta or nothing ties the zero sequence to earth. A gen holds its positive-sequence voltage;
    in the negative sequence it is its subtransient reactance, its neutral is not earthed. Shunts are stars with earthed
    neutral, or not seen by the zero sequence where their column `type` is delta. Where a part of the zero sequence has
    no path to earth its voltage there is set to 0 (`floating`).

    Raises CaseError for what is not modelled and for missing data, each by name; PowerFlowError where the balanced
    power flow of the net as it stands has no solution.

    >>> from pandapower.networks import ieee_european_lv_asymmetric
    >>> flow = PhaseFlow(ieee_european_lv_asymmetric("on_peak_566"))
    >>> bool(flow.solve().solved.all())
    True
    """

    def __init__(self, net: Any, *, source: str = "stiff", trafo_model: str = "t", tolerance_pu: float = 1e-8) -> None:
        if not 0.0 < tolerance_pu <= 1e-3:
            raise SettingError(f"tolerance_pu = {tolerance_pu:g}: must lie above 0 and at most at 1e-3 pu")
        self.net, self.sequences = sequences(net, source, trafo_model)
        self.tolerance_pu = tolerance_pu
        self._factors = Factors(self.sequences)
        self._ports = ports(self.net, self.sequences)
        self._own: tuple[Ports, Operator] | None = None
        rows = [abs(y).sum(axis=1).max() for y in self.sequences.admittance]
        self._floor = 512.0 * _EPSILON * max(float(r) for r in rows)

    @property
    def floating(self) -> tuple[tuple[int, ...], ...]:
        """Buses (pandapower indices) of each part of the zero sequence without a path to earth."""
        buses: dict[int, list[int]] = {}
        for bus, node in self.sequences.matrices.node_of_bus.items():
            buses.setdefault(node, []).append(bus)
        return tuple(
            tuple(sorted(bus for node in part.tolist() for bus in buses.get(node, ())))
            for part in self.sequences.floating
        )

    @property
    def unsupplied(self) -> tuple[int, ...]:
        """Buses (pandapower indices) in service that no source reaches: NaN in results, their loads left out."""
        rows = self.net.bus
        on = rows.index[rows["in_service"].to_numpy(dtype=bool)]
        return tuple(int(i) for i in on if int(i) not in self.sequences.matrices.node_of_bus)

    def solve(self, varying: Sequence[Vary] = (), *, scenarios: int | None = None) -> PhaseResult:
        """Solve all scenarios; what does not vary is as in the net.

        varying    columns of the net's tables that vary, see gridai.grid.phases.vary.
        scenarios  number of scenarios; needed only where nothing varies.

        Raises CaseError for unknown elements and unequal lengths. A scenario without a solution raises nothing: its
        results are NaN and `status` and `reason` say why. Memory: 48 bytes x nodes x scenarios.
        """
        seq = self.sequences
        listed = drives(self.net, seq, self._ports, varying)
        have = with_places(self._ports, [(n, k) for d in listed for n, k, _ in d.ports])
        count = len(listed[0].values) if listed else 1 if scenarios is None else int(scenarios)
        if scenarios is not None and scenarios != count:
            raise SettingError(f"the number of scenarios is not one: {scenarios} asked, {count} given")
        op = self._operator(have)
        constant, emf, hold = applied(have, listed, seq.emf, count)
        finite = np.isfinite(constant).all(axis=0) & np.isfinite(emf).all(axis=0) & np.isfinite(hold).all(axis=0)
        bad = ~finite
        constant[:, bad], emf[:, bad], hold[:, bad] = 0.0, seq.emf[:, None], have.set[:, None]
        allowed = self._allowed(have, constant)
        answer, reached = self._answers(op, constant, emf, hold, 0.01 * allowed)
        constant[have.gen] = constant[have.gen].real - 1j * answer.q
        v = np.empty((3, len(seq.matrices.v), count), dtype=complex)
        residual, worst = np.zeros(count), np.zeros(count, dtype=np.int64)
        block = max(1, _BLOCK // len(seq.matrices.v))
        for part in (slice(k, k + block) for k in range(0, count, block)):
            inside = op.nodes(answer.current[:, part], emf[:, part])
            residual[part] = self._residual(op, inside, constant[:, part], emf[:, part], hold[:, part])
            worst[part] = _lowest(inside, ~answer.done[part])
            to_phases(inside, v[:, :, part])
        status = np.where(bad, BAD_INPUT, np.where(answer.done & (residual <= allowed), SOLVED, NO_SOLUTION))
        v[:, :, status != SOLVED] = np.nan
        return PhaseResult(self.net, seq, op, v, constant, status, residual, worst, answer.steps, reached)

    def _operator(self, have: Ports) -> Operator:
        if have is self._ports:
            if self._own is None:
                self._own = (have, operator(self._factors, have))
            return self._own[1]
        return operator(self._factors, have)

    def _allowed(self, have: Ports, constant: Complexes) -> Floats:
        """float[S] power that may be left over at a phase. [pu of a third of the base]"""
        largest = (np.abs(constant) + np.abs(have.power[:, 1:]).sum(axis=1, keepdims=True)).max(axis=0, initial=0.0)
        return np.asarray(np.maximum(self.tolerance_pu * np.minimum(1.0, largest), self._floor))

    def _answers(
        self, op: Operator, constant: Complexes, emf: Complexes, hold: Floats, aim: Floats
    ) -> tuple[Answer, Floats]:
        """The fixed point, Newton for what it does not settle, and the path from no load for what Newton does not."""
        count, gens = constant.shape[1], len(op.ports.gen)
        reached, none = np.ones(count), np.zeros(count, dtype=np.int64)
        if not len(op.ports.node):
            return Answer(constant, constant, ~none.astype(bool), none, hold), reached
        unloaded = op.unloaded @ emf
        base = SEES[op.ports.kind, 1] * self.sequences.matrices.v[op.ports.node]
        start, q = np.repeat(base[:, None], count, axis=1), np.repeat(self._q[:, None], count, axis=1)
        if gens:
            answer = Answer(start.copy(), np.zeros_like(constant), none.astype(bool), none, q.copy())
        else:
            answer = fixed_point(op, unloaded, constant, start, aim)
        dense = op.between is not None and len(op.ports.node) <= _DENSE_NEWTON
        settle: Settle = newton if dense else newton_sparse
        ways: tuple[Callable[..., Answer | Followed], ...] = (settle, partial(follow, settle))
        for way in ways:
            left = np.flatnonzero(~answer.done)
            if not len(left):
                break
            more = way(op, unloaded[:, left], constant[:, left], start[:, left], aim[left], hold[:, left], q[:, left])
            answer.v[:, left], answer.current[:, left], answer.done[left] = more.v, more.current, more.done
            answer.q[:, left], answer.steps[left] = more.q, answer.steps[left] + more.steps
            if isinstance(more, Followed):
                reached[left] = more.reached
        return answer, reached

    @property
    def _q(self) -> Floats:
        """Reactive power of the gens in the balanced base case. [pu]"""
        rows, seq = self.net.gen, self.sequences
        given: dict[int, float] = {}
        for bus, q in zip(rows["bus"], self.net.res_gen["q_mvar"], strict=True):
            node = seq.matrices.node_of_bus.get(int(bus), -1)
            given[node] = given.get(node, 0.0) + (float(q) if q == q else 0.0)
        at = self._ports.node[self._ports.gen].tolist()
        return np.array([given[node] / seq.s_base_mva for node in at], dtype=float)

    def _residual(self, op: Operator, v: Complexes, constant: Complexes, emf: Complexes, hold: Floats) -> Floats:
        """float[S] bound of the power left over at a phase, from voltages and admittances alone.

        A phase's voltage and current are at most the sums of their components, and these of their parts.
        """
        seq, have = self.sequences, op.ports
        left = op.drawn(current_at(have, constant, op.sees(v))) if len(have.node) else np.zeros_like(v)
        for k in range(3):
            left[k] += seq.admittance[k] @ v[k]
        behind = np.isfinite(seq.behind)
        left[1, seq.source[behind]] -= seq.behind[behind, None] * emf[behind]
        left[1, self._factors.held] = 0.0
        value = (_size(v) * _size(left)).max(axis=0)
        held = seq.source[~behind]
        off = [np.abs(v[1, held] - emf[~behind]), np.abs(np.abs(v[1, have.node[have.gen]]) - hold)]
        return np.asarray(np.maximum(value, np.concatenate(off).max(axis=0, initial=0.0)))


def _lowest(v: Complexes, which: NDArray[np.bool_]) -> Ints:
    """int[S] three times the node, plus the phase, that has the lowest voltage; 0 where it is not asked for."""
    out = np.zeros(v.shape[2], dtype=np.int64)
    if which.any():
        size = np.abs(to_phases(v[:, :, which]))
        out[which] = np.moveaxis(size, 0, 1).reshape(-1, int(which.sum())).argmin(axis=0)
    return out


def _size(v: Complexes) -> Floats:
    """float[n, S] sum of the real and imaginary parts' sizes over the components: above the size in any phase."""
    parts = np.abs(v.view(float)).sum(axis=0)
    return np.asarray(parts[:, ::2] + parts[:, 1::2])
