"""The iteration of a block with shared factors."""

from gridai.grid.batch.lanes import LANES, floats, whole
from gridai.grid.batch.lowrank import correct, prepare
from gridai.grid.batch.shared import balance, right_side, substitute, turn
from gridai.kernel.contract import kernel

MOST_STEPS = 40
HOPELESS = 1e3  # a lane with so much left over, in pu, is left to full Newton


@kernel
def iterate(g, p, f, task, wk):
    """Solve one block from the voltages in wk; returns the number of steps. What each lane has left is in err.

    Ends when all lanes are at the aim, or when no other lane shrinks by a third in two steps any more.
    """
    before = 1e300
    low_rank = task.low_rank != 0 and whole(wk.count)[0] > 0
    if low_rank:
        prepare(g, p, f, task, wk)
    for step in range(MOST_STEPS):
        balance(g, task, wk)
        right_side(g, p, wk)
        worst, pending = 0.0, 0
        for lane in range(LANES):
            if floats(wk.err)[lane] > task.aim:
                pending += 1
                if floats(wk.err)[lane] < HOPELESS:
                    worst = max(worst, floats(wk.err)[lane])
        if pending == 0 or worst == 0.0:
            return step
        if step % 4 == 3:
            if worst > 0.3 * before:
                return step
            before = worst
        substitute(p, f, wk.r)
        if low_rank:
            correct(p, task, wk)
        turn(g, p, wk)
    balance(g, task, wk)
    right_side(g, p, wk)
    return MOST_STEPS
