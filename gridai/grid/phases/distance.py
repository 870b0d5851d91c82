"""How far the buses of a network are from its source, along the lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.grid.batch.matrices import Floats
from gridai.grid.phases.sequences import Sequences


def distances(net: Any, seq: Sequences) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    """Shortest way of each bus from a source, float[buses] in km, NaN without supply; pairs of rows that are joined.

    Rows as net.bus. Transformers, impedances and switches have no length.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    b, size = seq.branches, len(seq.matrices.v)
    on = np.flatnonzero(b.in_service)
    length = np.full(len(on), 1e-9)  # a way of no length would be none to the search
    is_line = np.array([b.kind[k] == "line" for k in on], dtype=bool)
    length[is_line] = net.line.loc[b.element[on[is_line]], "length_km"].to_numpy(dtype=float)
    graph = coo_matrix((length, (b.from_node[on], b.to_node[on])), shape=(size, size))
    graph.sum_duplicates()
    km = dijkstra(graph, directed=False, indices=seq.source, min_only=True)
    node = np.array([seq.matrices.node_of_bus.get(int(i), -1) for i in net.bus.index], dtype=np.int64)
    first = {int(n): k for k, n in reversed(list(enumerate(node))) if n >= 0}
    pairs = zip(b.from_node[on].tolist(), b.to_node[on].tolist(), strict=True)
    edges = tuple((first[f], first[t]) for f, t in pairs if f in first and t in first)
    return np.where(node >= 0, np.round(km[np.maximum(node, 0)], 6), np.nan), edges
