"""The order of elimination and the fill, fixed once: sparse triangular factors as an index program.

The unknowns of a node stand together: its angle, and its log magnitude where the voltage is free. Nodes are
eliminated by minimum degree (Tinney's second scheme), which also gives the fill.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Rows of L (strictly lower) and of U (strictly upper) in the order of elimination; the diagonal stands apart.

    angle, magnitude  int64[n]: the unknown of each node's angle and log magnitude, -1 where it is held.
    owner             int64[unknowns]: the node of each unknown.
    l_ptr, l_idx      compressed rows of L; columns ascend.
    u_ptr, u_idx      compressed rows of U; columns ascend.
    """

    angle: NDArray[np.int64]
    magnitude: NDArray[np.int64]
    owner: NDArray[np.int64]
    l_ptr: Indices
    l_idx: Indices
    u_ptr: Indices
    u_idx: Indices

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.l_ptr) - 1


def pattern_of(ptr: Any, idx: Any, has_angle: Any, has_magnitude: Any) -> Pattern:
    """The pattern of the Jacobian's factors.

    ptr, idx       compressed rows of the admittance matrix (its pattern is made symmetric here).
    has_angle      bool[n], the nodes whose angle is unknown.
    has_magnitude  bool[n], the nodes whose magnitude is unknown; these are a part of the former.
    """
    size = len(ptr) - 1
    near: list[set[int]] = [set() for _ in range(size)]
    for i in range(size):
        for k in idx[int(ptr[i]) : int(ptr[i + 1])].tolist():
            if k != i and has_angle[i] and has_angle[k]:
                near[i].add(k)
                near[k].add(i)
    order = eliminate(near, np.flatnonzero(has_angle).tolist())
    return _expand(order, near, np.asarray(has_magnitude, dtype=bool), size)


def eliminate(near: list[set[int]], nodes: list[int]) -> list[int]:
    """Nodes by minimum degree. On return `near[i]` holds the nodes coupled to i that are eliminated after it."""
    heap = [(len(near[i]), i) for i in nodes]
    heapq.heapify(heap)
    done = [False] * len(near)
    order: list[int] = []
    while heap:
        degree, i = heapq.heappop(heap)
        if done[i] or degree != len(near[i]):
            continue
        done[i] = True
        order.append(i)
        ring = near[i]
        for k in ring:
            near[k] |= ring
            near[k].discard(k)
            near[k].discard(i)
            heapq.heappush(heap, (len(near[k]), k))
    return order


def _expand(order: list[int], later: list[set[int]], has_magnitude: Any, size: int) -> Pattern:
    """From nodes to unknowns."""
    angle, magnitude = np.full(size, -1, dtype=np.int64), np.full(size, -1, dtype=np.int64)
    count = 0
    for i in order:
        angle[i] = count
        count += 1
        if has_magnitude[i]:
            magnitude[i] = count
            count += 1
    own = {i: [int(k) for k in (angle[i], magnitude[i]) if k >= 0] for i in order}
    upper: list[list[int]] = [[] for _ in range(count)]
    lower: list[list[int]] = [[] for _ in range(count)]
    for i in order:
        after = sorted(k for j in later[i] for k in own[j])
        for position, row in enumerate(own[i]):
            upper[row] = own[i][position + 1 :] + after
            for k in upper[row]:
                lower[k].append(row)
    l_ptr, l_idx = _compressed(lower)
    u_ptr, u_idx = _compressed(upper)
    owner = np.array([i for i in order for _ in own[i]], dtype=np.int64)
    return Pattern(angle, magnitude, owner, l_ptr, l_idx, u_ptr, u_idx)


def _compressed(rows: list[list[int]]) -> tuple[Indices, Indices]:
    ptr = np.zeros(len(rows) + 1, dtype=np.uint64)
    ptr[1:] = np.cumsum([len(r) for r in rows])
    idx = np.array([k for r in rows for k in r], dtype=np.uint64)
    return ptr, idx
