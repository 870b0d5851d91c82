"""The way to a solution that Newton does not reach in short steps: from a state that is known, in as many as it takes.

Without gens the loads grow from nothing, so the share that was reached says how much of them can be carried. With gens
the way goes from the balanced base case: what it leaves over in the equations is taken away bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridai.grid.batch.matrices import Complexes, Floats
from gridai.grid.phases.currents import current_at
from gridai.grid.phases.operator import Operator
from gridai.grid.phases.solver import Answer

_SHORTEST = 1.0 / 512.0
Settle = Callable[[Operator, Complexes, Complexes, Complexes, Floats, Floats, Floats], Answer]


class Followed(NamedTuple):
    """As solver.Answer; reached: float[S] share of the way, NaN with gens where it says nothing about loads."""

    v: Complexes
    current: Complexes
    done: NDArray[np.bool_]
    steps: NDArray[np.int64]
    q: Floats
    reached: Floats


def follow(
    settle: Settle, op: Operator, unloaded: Complexes, constant: Complexes, start: Complexes, aim: Floats, hold: Floats,
    q: Floats,
) -> Followed:  # fmt: skip
    """Take every scenario along its way, halving the step where Newton does not settle. Arguments as solver.newton."""
    count, gens = constant.shape[1], len(op.ports.gen)
    gap, first_hold = np.zeros_like(unloaded), hold
    if gens:
        known = constant.copy()
        known[op.ports.gen] = known[op.ports.gen].real - 1j * q
        gap = start - unloaded - op.across(current_at(op.ports, known, start))
        first_hold = np.abs(start[op.ports.gen])
    v, q = (start.copy() if gens else unloaded.copy()), q.copy()
    current, at, step = np.zeros_like(v), np.zeros(count), np.full(count, 0.25)
    done, steps = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
    active = np.arange(count)
    while len(active):
        to = np.minimum(at[active] + step[active], 1.0)
        loads = constant[:, active] if gens else constant[:, active] * to
        held = first_hold[:, active] + to * (hold - first_hold)[:, active]
        found = settle(op, unloaded[:, active] + (1.0 - to) * gap[:, active], loads, v[:, active], aim[active], held,
                       q[:, active])  # fmt: skip
        good = active[found.done]
        v[:, good], current[:, good], q[:, good] = (x[:, found.done] for x in (found.v, found.current, found.q))
        at[good] = to[found.done]
        steps[active] += found.steps
        step[active] = np.where(found.done, 1.5 * step[active], 0.5 * step[active])
        done[good] = at[good] >= 1.0
        active = active[~done[active] & (step[active] >= _SHORTEST)]
    return Followed(v, current, done, steps, q, np.full(count, np.nan) if gens else at)
