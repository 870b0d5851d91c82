"""Branches out or changed, and nodes without supply, scenario by scenario."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

TIE = -2
"""In Changes.branch: what holds the angle of an island's own reference; nothing flows through it in the results."""
_LISTS = {
    "ptr": ("from_node", "to_node", "y", "branch"),
    "dead_ptr": ("dead_node",),
    "lost_ptr": ("lost_node", "lost_mva", "lost_law"),
    "free_ptr": ("free_node",),
    "range_ptr": ("range_node", "range_mvar"),
}


@dataclass(frozen=True, eq=False)
class Changes:
    """What is different in the network of each of S scenarios, in compressed lists.

    ptr        int64[S + 1]; scenario s has the changes ptr[s] ... ptr[s + 1] - 1.
    from_node  int64[c], to_node: nodes between which the admittances change (the same one for a shunt).
    y          float64[c, 8]: what is added to y_ff, y_ft, y_tf, y_tt, real and imaginary parts. [pu]
    branch     int64[c]: row of Matrices.branches, -1 for none; its loading follows the change. TIE: not a branch but
               an angle that is held, see gridai.grid.islanding.
    dead_ptr   int64[S + 1], dead_node: nodes that have lost their supply; their injections count as nought.
    lost_ptr   int64[S + 1], lost_node, lost_mva: complex injections added, generator sign (units out: negative). [MVA]
    lost_law   bool: the injection followed the voltage law of its node (loads).
    free_ptr   int64[S + 1], free_node: nodes that no longer hold their voltage (their last unit is out).
    range_ptr  int64[S + 1], range_node, range_mvar: float[r, 2] added to q_min and q_max of nodes. [MVAr]
    low_rank   update the factors for the changes: for outages; small changes (taps) settle without, and faster.
    """

    ptr: Any
    from_node: Any
    to_node: Any
    y: Any
    branch: Any
    dead_ptr: Any
    dead_node: Any
    low_rank: bool = True
    lost_ptr: Any = None
    lost_node: Any = None
    lost_mva: Any = None
    lost_law: Any = None
    free_ptr: Any = None
    free_node: Any = None
    range_ptr: Any = None
    range_node: Any = None
    range_mvar: Any = None

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

    def repeat(self, times: int) -> Changes:
        """All scenarios several times over, in the same order."""

        def ptr(p: Any) -> Any:
            if p is None:
                return None
            more = p[1:] + p[-1] * np.arange(times)[:, None]
            return np.concatenate([[0], more.ravel()]).astype(np.int64)

        def tiled(a: Any) -> Any:
            return None if a is None else np.tile(a, (times,) + (1,) * (a.ndim - 1))

        pointers = {k: ptr(getattr(self, k)) for k in _LISTS}
        return replace(self, **pointers, **{k: tiled(getattr(self, k)) for own in _LISTS.values() for k in own})

    def pick(self, rows: Any, on: Any = None) -> Changes:
        """The scenarios `rows` (int[S]) of these, with no change where `on` (bool[S]) is False."""
        rows = np.asarray(rows, dtype=np.int64)
        on = np.ones(len(rows), dtype=bool) if on is None else np.asarray(on, dtype=bool)
        out: dict[str, Any] = {}
        for name, own in _LISTS.items():
            start = getattr(self, name)
            if start is None:
                continue
            count = np.where(on, start[rows + 1] - start[rows], 0)
            ptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
            at = (np.arange(ptr[-1]) - np.repeat(ptr[:-1] - start[rows], count)).astype(np.int64)
            out |= {name: ptr, **{k: getattr(self, k)[at] for k in own if getattr(self, k) is not None}}
        return replace(self, **out)

    @property
    def frees(self) -> bool:
        """True if a node no longer holds its voltage in some scenario."""
        return self.free_node is not None and len(self.free_node) > 0

    def arrays(self, padded: int, s_base_mva: float) -> dict[str, Any]:
        """The lists for the compiled code (fields of arrays.Task), with the last scenario repeated up to `padded`."""
        times = padded - self.scenarios if self.scenarios else 0
        ptr, lists = _padded(self.ptr, (self.from_node, self.to_node, self.y, self.branch), times)
        dead_ptr, (dead,) = _padded(self.dead_ptr, (self.dead_node,), times)
        one, two, y, branch = lists
        nought, nobody = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
        lost_ptr, lost_node, lost, free_ptr, free_node = nought, nobody, np.zeros(0, dtype=complex), nought, nobody
        law = np.zeros(0, dtype=np.int64)
        if self.lost_ptr is not None and len(self.lost_node):
            own = np.zeros(len(self.lost_node)) if self.lost_law is None else self.lost_law
            lists = (self.lost_node, self.lost_mva, np.asarray(own, dtype=np.int64))
            lost_ptr, (lost_node, lost, law) = _padded(self.lost_ptr, lists, times)
        range_ptr, range_node, reach = nought, nobody, np.zeros((0, 2))
        if self.range_ptr is not None and len(self.range_node):
            range_ptr, (range_node, reach) = _padded(self.range_ptr, (self.range_node, self.range_mvar), times)
        if self.frees:
            free_ptr, (free_node,) = _padded(self.free_ptr, (self.free_node,), times)
        return {
            "has_changes": int(self.scenarios > 0), "change_ptr": ptr, "change_from": one, "change_to": two,
            "change_y": np.ascontiguousarray(y, dtype=float), "change_branch": branch, "most": self.most,
            "low_rank": int(self.low_rank and self.most > 0), "has_dead": int(len(dead) > 0), "dead_ptr": dead_ptr,
            "dead_node": dead, "has_lost": int(len(lost_node) > 0), "lost_ptr": lost_ptr, "lost_node": lost_node,
            "lost_p": lost.real / s_base_mva, "lost_q": lost.imag / s_base_mva, "has_free": int(self.frees),
            "free_ptr": free_ptr, "free_node": free_node, "lost_law": law, "has_range": int(len(range_node) > 0),
            "range_ptr": range_ptr, "range_node": range_node, "range_min": reach[:, 0] / s_base_mva,
            "range_max": reach[:, 1] / s_base_mva,
        }  # fmt: skip


def _padded(ptr: Any, lists: tuple[Any, ...], times: int) -> tuple[Any, tuple[Any, ...]]:
    if not times:
        return ptr, lists
    last = slice(int(ptr[-2]), int(ptr[-1]))
    length = last.stop - last.start
    more = ptr[-1] + length * np.arange(1, times + 1)
    out = tuple(np.ascontiguousarray(np.concatenate([a, *[a[last]] * times])) for a in lists)
    return np.concatenate([ptr, more]).astype(np.int64), out
