"""From the currents of the ports to voltages: the three sequence networks, factored once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gridai.errors import PowerFlowError
from gridai.grid.batch.matrices import Complexes, Ints
from gridai.grid.phases.components import GIVES, SEES
from gridai.grid.phases.ports import Ports
from gridai.grid.phases.sequences import Sequences

DENSE_PORTS = 1200  # above this, impedances between ports are not kept as a full matrix
_DENSE_BYTES = 400e6


class Factors:
    """LU factors of the three sequence networks; the positive one without the nodes where the source holds a voltage.

    unloaded  complex[n, r]: positive-sequence voltages without load, of 1 pu at each source.
    """

    def __init__(self, seq: Sequences) -> None:
        from scipy.sparse.linalg import splu

        self.seq, self.size = seq, len(seq.matrices.v)
        held = np.zeros(self.size, dtype=bool)
        held[seq.source[~np.isfinite(seq.behind)]] = True
        self.held, self.free = held, np.flatnonzero(~held)
        whole = [seq.admittance[k].tocsc() for k in range(3)]
        try:
            self._zero, self._negative = splu(whole[0]), splu(whole[2])
            self._positive = splu(whole[1][self.free][:, self.free]) if len(self.free) else None
        except RuntimeError as error:
            raise PowerFlowError(f"a sequence network is singular ({error}): look for branches of no admittance") from (
                error
            )
        self.unloaded = self._unloaded(whole[1])

    def solve(self, sequence: int, current: Complexes) -> Complexes:
        """Voltages complex[n, k] of currents put in at the nodes, sources at 0."""
        if sequence != 1:
            return _each(self._zero if sequence == 0 else self._negative, current)
        out = np.zeros_like(current)
        if self._positive is not None:
            out[self.free] = _each(self._positive, current[self.free])
        return out

    def _unloaded(self, y: Any) -> Complexes:
        seq, out = self.seq, np.zeros((self.size, len(self.seq.source)), dtype=complex)
        for k, node in enumerate(seq.source):
            current = np.zeros((self.size, 1), dtype=complex)
            if np.isfinite(seq.behind[k]):
                current[node] = seq.behind[k]
            else:
                out[node, k] = 1.0
                current[:, 0] = -y[:, [int(node)]].toarray()[:, 0]
            out[:, k] += self.solve(1, current)[:, 0]
        return out


def _each(factor: Any, right: Complexes) -> Complexes:
    """Columns one by one: SuperLU gives many at once to BLAS, whose threads wait for each other (400 times slower)."""
    out = np.empty_like(right)
    for k in range(right.shape[1]):
        out[:, k] = factor.solve(np.ascontiguousarray(right[:, k]))
    return out


class Operator(NamedTuple):
    """What a solution needs of the network, for one set of ports.

    node, at    nodes with ports, and the place among them of each port.
    columns     complex[3, n, k] voltages of 1 pu put in at each of these nodes; None where solved each time.
    between     complex[m, m] voltage at ports of the current put in at ports; None as well.
    unloaded    complex[m, r] voltage at ports without load, of 1 pu at each source.
    """

    factors: Factors
    ports: Ports
    node: Ints
    at: Ints
    columns: Complexes | None
    between: Complexes | None
    unloaded: Complexes

    def across(self, current: Complexes) -> Complexes:
        """Voltages complex[m, S] across the ports, of currents drawn at the ports alone."""
        if self.between is not None:
            return -(self.between @ current)
        return self.sees(self._solved(current))

    def nodes(self, current: Complexes, emf: Complexes) -> Complexes:
        """Voltages complex[3, n, S] of currents drawn at the ports and the sources' emf."""
        if self.columns is None:
            out = self._solved(current)
        else:
            drawn = -self._gathered(current)
            out = np.empty((3, self.columns.shape[1], current.shape[1]), dtype=complex)
            for k in range(3):
                np.matmul(self.columns[k], drawn[k], out=out[k])
        out[1] += self.factors.unloaded @ emf
        return out

    def sees(self, v: Complexes) -> Complexes:
        """Voltages across the ports of node voltages complex[3, n, S]."""
        kind, node = self.ports.kind, self.ports.node
        return np.asarray(sum(SEES[kind, k, None] * v[k, node] for k in range(3)))

    def drawn(self, current: Complexes) -> Complexes:
        """complex[3, n, S] drawn at all nodes, of currents drawn at the ports."""
        out = np.zeros((3, self.factors.size, current.shape[1]), dtype=complex)
        out[:, self.node] = self._gathered(current)
        return out

    def _gathered(self, current: Complexes) -> Complexes:
        from scipy.sparse import csr_matrix

        count, own = len(self.node), np.arange(len(self.at))
        parts = [csr_matrix((GIVES[self.ports.kind, k], (self.at, own)), shape=(count, len(own))) for k in range(3)]
        return np.stack([part @ current for part in parts])

    def _solved(self, current: Complexes) -> Complexes:
        drawn = self.drawn(current)
        return -np.stack([self.factors.solve(k, drawn[k]) for k in range(3)])


def operator(factors: Factors, ports: Ports) -> Operator:
    """Set up the impedances between the ports, as a full matrix where they are few."""
    node, at = np.unique(ports.node, return_inverse=True)
    columns = between = None
    if len(at) <= DENSE_PORTS and 48.0 * factors.size * len(node) <= _DENSE_BYTES:
        unit = np.zeros((factors.size, len(node)), dtype=complex)
        unit[node, np.arange(len(node))] = 1.0
        columns = np.stack([factors.solve(k, unit) for k in range(3)])
        kind = ports.kind
        between = np.zeros((len(at), len(at)), dtype=complex)
        for k in range(3):
            between += SEES[kind, k, None] * columns[k][np.ix_(ports.node, at)] * GIVES[None, kind, k]
    unloaded = SEES[ports.kind, 1, None] * factors.unloaded[ports.node]
    return Operator(factors, ports, node, at, columns, between, unloaded)
