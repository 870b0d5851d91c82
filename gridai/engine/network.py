"""Network topologies: which branches and units stand in the admittance matrix, its factors, its islands."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from gridai.engine.plan import Topo

PRODUCT_LIMIT = 8
"""Voltages come from a product with columns of Y^-1 while it has up to this many times the entries of L, U and D."""
DENSE_LIMIT = 24
"""Up to this many buses with nonlinear current the Newton matrix is full. 24 measured best on 39 to 240 buses."""


@dataclass(frozen=True)
class Topology:
    """A factorised network: `topo` for the compiled code, `y` the matrix, `live` the energised nodes."""

    topo: Topo
    y: Any
    live: np.ndarray
    island: np.ndarray
    thevenin: Any


@dataclass
class NetworkModel:
    """Branches, fixed shunts and where units connect, ready to be factorised. All per unit on the system base.

    rows, cols   int[4 m]: position of y_ff, y_ft, y_tf, y_tt of each branch
    y_branch     complex[4, m]
    y_fixed      complex[n]: shunts that stay
    nl_nodes     int[]: nodes of units whose current depends on voltage
    all_nodes    int[]: nodes of all units with a current of their own, these included
    near_nodes   int[]: nodes whose voltage is read by a unit that is not passive
    cache        topologies seen before
    rates        decay rates of the states once asked for, after the parameters that they belong to (see stiffness)
    channels     channel tables made before (see simulation)
    start_y      admittances of the units at the start, after the parameters and memory that they belong to
    sources      int[]: node of each unit that can hold an island's voltage
    """

    n: int
    from_node: np.ndarray
    to_node: np.ndarray
    y_branch: np.ndarray
    y_fixed: np.ndarray
    nl_nodes: np.ndarray
    all_nodes: np.ndarray
    near_nodes: np.ndarray
    cache: "OrderedDict[bytes, Topology]" = field(default_factory=OrderedDict)
    rates: tuple[np.ndarray, np.ndarray] | None = None
    start_y: tuple[bytes, dict[int, complex]] | None = None
    channels: dict[Any, tuple[np.ndarray, Any]] = field(default_factory=dict)

    def matrix(self, on: np.ndarray, y_node: np.ndarray) -> Any:
        """Admittance matrix with the branches `on` and the shunts y_node (complex[n], all of them)."""
        f, t = self.from_node[on], self.to_node[on]
        nodes = np.arange(self.n)
        rows = np.concatenate([f, f, t, t, nodes])
        cols = np.concatenate([f, t, f, t, nodes])
        values = np.concatenate([*(self.y_branch[k][on] for k in range(4)), self.y_fixed + y_node])
        return sp.csc_matrix((values, (rows, cols)), shape=(self.n, self.n))

    def islands(self, on: np.ndarray) -> np.ndarray:
        """Island number of each node. int[n]"""
        f, t = self.from_node[on], self.to_node[on]
        graph = sp.coo_matrix((np.ones(f.size), (f, t)), shape=(self.n, self.n))
        labels: np.ndarray = connected_components(graph, directed=False)[1]
        return labels

    def topology(self, on: np.ndarray, y_node: np.ndarray, source_nodes: np.ndarray) -> Topology:
        """The factorised network, from the cache where it was seen before.

        Nodes of an island without a source are dead: their rows become v = 0.
        """
        key = on.tobytes() + y_node.tobytes() + np.sort(source_nodes).tobytes()
        found = self.cache.get(key)
        if found is None:
            found = self._factorise(on, y_node, source_nodes)
            self.cache[key] = found
            if len(self.cache) > 64:
                self.cache.popitem(last=False)
        return found

    def _factorise(self, on: np.ndarray, y_node: np.ndarray, source_nodes: np.ndarray) -> Topology:
        island = self.islands(on)
        live = np.isin(island, island[source_nodes])
        y = self.matrix(on, y_node)
        if not live.all():
            keep = sp.diags_array(live.astype(float))
            y = (keep @ y @ keep + sp.diags_array((~live).astype(float))).tocsc()
        factors = splu(y, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options={"SymmetricMode": True})
        nl = np.unique(self.nl_nodes)
        nl = nl[live[nl]]
        src = np.unique(self.all_nodes)
        near = np.union1d(self.near_nodes, src)
        return Topology(_topo(factors, nl, src[live[src]], near, self.n), y, live, island, factors.solve)


def _topo(factors: Any, nl: np.ndarray, src: np.ndarray, near: np.ndarray, n: int) -> Topo:
    """Factors as plain arrays: strict lower columns of L, strict upper rows of U, inverse diagonal."""
    lower = sp.tril(factors.L, -1, format="csc")
    upper = sp.triu(factors.U, 1, format="csr")
    zmm, dense = _impedances(factors, nl, n)
    if src.size * n > PRODUCT_LIMIT * (lower.nnz + upper.nnz + n):
        src = src[:0]
    columns = np.zeros((0, n), dtype=complex)
    if src.size:
        columns = np.ascontiguousarray(factors.solve(np.eye(n, dtype=complex)[:, src]).T)
    return Topo(
        lower.indptr.astype(np.int64),
        lower.indices.astype(np.int64),
        lower.data.astype(complex),
        upper.indptr.astype(np.int64),
        upper.indices.astype(np.int64),
        upper.data.astype(complex),
        1.0 / factors.U.diagonal(),
        factors.perm_r.astype(np.int64),
        factors.perm_c.astype(np.int64),
        nl.astype(np.int64),
        zmm,
        np.array([dense], dtype=np.int64),
        src.astype(np.int64),
        _product_rows(columns),
        near.astype(np.int64),
        _product_rows(columns[:, near]),
    )


def _product_rows(columns: np.ndarray) -> np.ndarray:
    """Topo.zs: the parts of c and of j c of each row, side by side. float64[s, 2, 2 n]"""
    c = np.ascontiguousarray(columns)
    return np.stack([c.view(float), (1j * c).view(float)], axis=1)


def _impedances(factors: Any, nl: np.ndarray, n: int) -> tuple[np.ndarray, int]:
    """Rows and columns of Y^-1 at the nodes nl; only the diagonal when there are many."""
    dense = int(nl.size <= DENSE_LIMIT)
    z = np.zeros((nl.size, nl.size if dense else 1), dtype=complex)
    for first in range(0, nl.size, 128):
        part = nl[first : first + 128]
        units = np.zeros((n, part.size), dtype=complex)
        units[part, np.arange(part.size)] = 1.0
        columns = factors.solve(units)
        if dense:
            z[:, first : first + part.size] = columns[nl]
        else:
            z[first : first + part.size, 0] = columns[part, np.arange(part.size)]
    return np.ascontiguousarray(z), dense
