"""Which outages of branches leave nodes without supply.

A spanning tree from the slacks is fixed once. Every edge off the tree gets a random 64-bit label, every edge of the
tree the sum (exclusive or) of the labels of the loops that it closes: a set of edges can split the network only if the
labels of some of them sum to nought (cycle space; a false alarm has probability 2^-64 and is settled by a search). A
single edge with label nought is a bridge (networkx.bridges finds the same), and what it cuts off is its subtree.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_NONE = np.zeros(0, dtype=np.int64)


class Cuts:
    """Supply of the nodes of a network when edges are taken out.

    size   number of nodes.
    one, two  int[m], the ends of the edges in service.
    slacks nodes that supply.
    """

    def __init__(self, size: int, one: Ints, two: Ints, slacks: Ints) -> None:
        self.size, self.slacks = size, [int(k) for k in slacks]
        self._edge: list[tuple[int, int]] = list(zip(one.tolist(), two.tolist(), strict=True))
        self._at: list[list[tuple[int, int]]] = [[] for _ in range(size)]
        for e, (a, b) in enumerate(self._edge):
            self._at[a].append((b, e))
            self._at[b].append((a, e))
        self._order, self._parent_edge, self._last = self._tree()
        self._place = {node: k for k, node in enumerate(self._order)}
        self._label = self._labels()
        reached = set(self._order)
        self.never = np.array([k for k in range(size) if k not in reached], dtype=np.int64)

    def _tree(self) -> tuple[list[int], list[int], list[int]]:
        """Nodes in preorder, the tree edge to each (by place; -1 at a slack), and the place after its subtree."""
        order: list[int] = []
        parent_edge: list[int] = []
        last: list[int] = []
        seen = [False] * self.size
        for slack in self.slacks:
            if seen[slack]:
                continue
            seen[slack] = True
            # (node, edge to it) to enter, or (place, None) to leave
            stack: list[tuple[int, int | None]] = [(slack, -1)]
            while stack:
                node, edge = stack.pop()
                if edge is None:
                    last[node] = len(order)
                    continue
                if edge >= 0 and seen[node]:
                    continue
                seen[node] = True
                stack.append((len(order), None))
                order.append(node)
                parent_edge.append(edge)
                last.append(0)
                stack.extend((k, e) for k, e in self._at[node] if not seen[k])
        return order, parent_edge, last

    def _labels(self) -> list[int]:
        rng = np.random.default_rng(20240607)
        tree = set(self._parent_edge)
        label = [0 if e in tree else int(x) for e, x in enumerate(rng.integers(1, 2**62, size=len(self._edge)))]
        at_node = [0] * self.size
        for e, (a, b) in enumerate(self._edge):
            if e not in tree and a != b:
                at_node[a] ^= label[e]
                at_node[b] ^= label[e]
        if len(self.slacks) > 1:
            # slacks stand together: all are fed from outside by edges that never go out
            for slack in self.slacks:
                extra = int(rng.integers(1, 2**62))
                at_node[slack] ^= extra
        for place in range(len(self._order) - 1, -1, -1):
            edge, node = self._parent_edge[place], self._order[place]
            if edge >= 0:
                label[edge] = at_node[node]
                a, b = self._edge[edge]
                at_node[a if b == node else b] ^= at_node[node]
        return label

    def dead(self, out: Any) -> Ints:
        """Nodes without supply when the edges `out` are taken out, beyond those that never have any."""
        edges = [int(e) for e in out]
        labels = [self._label[e] for e in edges]
        if len(edges) == 1:
            return self._subtree(edges[0]) if labels[0] == 0 else _NONE
        if not any(_sum(c) == 0 for k in range(1, len(labels) + 1) for c in combinations(labels, k)):
            return _NONE
        return self._search(set(edges))

    def _subtree(self, edge: int) -> Ints:
        a, b = self._edge[edge]
        for node in (a, b):
            place = self._place.get(node, -1)
            if place >= 0 and self._parent_edge[place] == edge:
                return np.array(self._order[place : self._last[place]], dtype=np.int64)
        return _NONE

    def _search(self, out: set[int]) -> Ints:
        seen = [False] * self.size
        todo = list(self.slacks)
        for k in todo:
            seen[k] = True
        while todo:
            for k, e in self._at[todo.pop()]:
                if not seen[k] and e not in out:
                    seen[k] = True
                    todo.append(k)
        return np.array([k for k in self._order if not seen[k]], dtype=np.int64)


def _sum(labels: tuple[int, ...]) -> int:
    total = 0
    for x in labels:
        total ^= x
    return total
