"""The compressed lists of changes that outages make, filled outage by outage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridai.grid.batch.changes import TIE, Changes
from gridai.grid.batch.matrices import BranchTable

BOTH, FROM_END, TO_END = range(3)
"""Which ends of a branch see that it is out."""
UNLIMITED_MVAR = 1e9


@dataclass(eq=False)
class Lists:
    """What the outages so far change; `close` ends an outage."""

    row: list[int] = field(default_factory=list)
    side: list[int] = field(default_factory=list)
    ties: list[tuple[int, tuple[int, int, Any]]] = field(default_factory=list)
    lost: list[tuple[int, complex, bool]] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    ranges: list[tuple[int, float, float]] = field(default_factory=list)
    dead: list[Any] = field(default_factory=list)
    _ends: dict[str, list[int]] = field(
        default_factory=lambda: {k: [0] for k in ("ptr", "dead_ptr", "lost_ptr", "free_ptr", "range_ptr")}
    )

    def open(self, row: int, side: int) -> None:
        """A branch is out."""
        self.row.append(row)
        self.side.append(side)

    def tie(self, tie: tuple[int, int, Any]) -> None:
        """An angle is held: from node, to node, admittances."""
        self.ties.append((len(self.row), tie))
        self.open(TIE, BOTH)

    def lose(self, node: int, mva: complex, follows: bool) -> None:
        """An injection is added; follows: it followed the voltage law of its node."""
        self.lost.append((node, mva, follows))

    def release(self, node: int) -> None:
        """No unit holds the voltage of the node any more in this outage."""
        if node not in self.freed[self._ends["free_ptr"][-1] :]:
            self.freed.append(node)

    def limit(self, node: int, low: float, high: float) -> None:
        """The reactive range of a node moves. [MVAr]"""
        self.ranges.append((node, low, high))

    def close(self, dead: Any) -> None:
        """End an outage; `dead`: its nodes without supply."""
        self.dead.append(dead)
        counts = (self.row, None, self.lost, self.freed, self.ranges)
        for ends, items in zip(self._ends.values(), counts, strict=True):
            ends.append(ends[-1] + len(dead) if items is None else len(items))

    def changes(self, b: BranchTable) -> Changes:
        """The live end loses the branch; a dead end keeps it, fed without acting back, so that it has a solution."""
        at, side = np.array(self.row, dtype=np.int64), np.array(self.side, dtype=np.int64)
        y = -b.y[at] if len(at) else np.zeros((0, 8))
        y[side == FROM_END, 4:] = 0.0
        y[side == TO_END, :4] = 0.0
        one, two = (ends[at] if len(at) else np.zeros(0, dtype=np.int64) for ends in (b.from_node, b.to_node))
        for k, (start, end, admittances) in self.ties:
            one[k], two[k], y[k] = start, end, admittances
        whole = np.int64
        ptr = {name: np.array(ends, dtype=whole) for name, ends in self._ends.items()}
        nobody = np.zeros(0, dtype=whole)
        return Changes(
            ptr["ptr"], one, two, y, at, ptr["dead_ptr"], np.concatenate([nobody, *self.dead]),
            lost_ptr=ptr["lost_ptr"], lost_node=np.array([n for n, _, _ in self.lost], dtype=whole),
            lost_mva=np.array([s for _, s, _ in self.lost], dtype=complex),
            lost_law=np.array([follows for _, _, follows in self.lost], dtype=whole), free_ptr=ptr["free_ptr"],
            free_node=np.array(self.freed, dtype=whole), range_ptr=ptr["range_ptr"],
            range_node=np.array([n for n, _, _ in self.ranges], dtype=whole),
            range_mvar=np.array([r[1:] for r in self.ranges], dtype=float).reshape(-1, 2),
        )  # fmt: skip
