"""Branches out or changed, and nodes without supply, scenario by scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Changes:
    """What is different in the network of each of S scenarios, in compressed lists.

    ptr        int64[S + 1]; scenario s has the changes ptr[s] ... ptr[s + 1] - 1.
    from_node  int64[c], to_node: nodes between which the admittances change (the same one for a shunt).
    y          float64[c, 8]: what is added to y_ff, y_ft, y_tf, y_tt, real and imaginary parts. [pu]
    branch     int64[c]: row of Matrices.branches, -1 for none; its loading follows the change.
    dead_ptr   int64[S + 1], dead_node: nodes that have lost their supply; their injections count as nought.
    """

    ptr: Any
    from_node: Any
    to_node: Any
    y: Any
    branch: Any
    dead_ptr: Any
    dead_node: Any

    @classmethod
    def none(cls) -> Changes:
        """No change."""
        whole, nought = np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
        return cls(nought, whole, whole, np.zeros((0, 8)), whole, nought, whole)

    @property
    def scenarios(self) -> int:
        """Number of scenarios, 0 where there are no changes."""
        return len(self.ptr) - 1

    @property
    def most(self) -> int:
        """Largest number of changes in one scenario."""
        return int(np.diff(self.ptr).max(initial=0))

    def arrays(self, padded: int) -> dict[str, Any]:
        """The lists for the compiled code (fields of arrays.Task), with the last scenario repeated up to `padded`."""
        times = padded - self.scenarios if self.scenarios else 0
        ptr, lists = _padded(self.ptr, (self.from_node, self.to_node, self.y, self.branch), times)
        dead_ptr, (dead,) = _padded(self.dead_ptr, (self.dead_node,), times)
        one, two, y, branch = lists
        return {
            "has_changes": int(self.scenarios > 0), "change_ptr": ptr, "change_from": one, "change_to": two,
            "change_y": y, "change_branch": branch, "has_dead": int(len(dead) > 0), "dead_ptr": dead_ptr,
            "dead_node": dead,
        }  # fmt: skip


def _padded(ptr: Any, lists: tuple[Any, ...], times: int) -> tuple[Any, tuple[Any, ...]]:
    if not times:
        return ptr, lists
    last = slice(int(ptr[-2]), int(ptr[-1]))
    length = last.stop - last.start
    more = ptr[-1] + length * np.arange(1, times + 1)
    out = tuple(np.ascontiguousarray(np.concatenate([a, *[a[last]] * times])) for a in lists)
    return np.concatenate([ptr, more]).astype(np.int64), out
