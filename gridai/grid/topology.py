"""Which nodes hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridai.grid.network import Bools, Ints, Network

if TYPE_CHECKING:
    from networkx import MultiGraph


def graph(network: Network, in_service: Bools | None = None) -> MultiGraph:
    """Graph of the nodes; an edge a branch in service, its key the branch's position in `network.branches`."""
    import networkx as nx

    b = network.branches
    on = b.in_service if in_service is None else np.asarray(in_service, dtype=bool)
    out: MultiGraph = nx.MultiGraph()
    out.add_nodes_from(range(len(network.nodes)))
    out.add_edges_from((int(b.from_node[k]), int(b.to_node[k]), int(k)) for k in np.flatnonzero(on))
    return out


def islands(network: Network, in_service: Bools | None = None) -> tuple[Ints, ...]:
    """Nodes of each connected part, largest first (the one with the lowest node first among equals)."""
    import networkx as nx

    parts = [np.array(sorted(part), dtype=np.int64) for part in nx.connected_components(graph(network, in_service))]
    return tuple(sorted(parts, key=lambda part: (-len(part), part[0])))
