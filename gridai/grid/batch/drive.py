"""The loop over scenarios: gather a block, solve it with shared factors, certify, hand the rest to full Newton.

A scenario is solved only if its balance, recomputed from its voltages and the exact admittances, is within the
tolerance; otherwise its results are NaN and its status says why. Lanes do not touch each other, and nothing of a
failed block is used for the next one.
"""

from gridai.grid.batch.arrays import SOLVED
from gridai.grid.batch.gather import gather
from gridai.grid.batch.hard import hard
from gridai.grid.batch.iterate import iterate
from gridai.grid.batch.lanes import LANES, floats, largest, load, spread, store, whole
from gridai.grid.batch.shared import factorise
from gridai.grid.batch.write import blank_dead, write
from gridai.kernel.contract import kernel

SLOW_STEPS = 8  # a block that takes more than these moves the operating point, if the last move is long enough ago
BLOCKS_BETWEEN = 4


@kernel
def _outside_limits(g, wk):
    """Largest reactive power beyond the range of a node's units, lane by lane, into share (scratch). [pu]"""
    most = spread(-1.0)
    for i in range(g.nodes):
        if whole(g.held)[i] != 0 and whole(g.reference)[i] == 0:
            q = -load(wk.d_q, i * LANES)
            most = largest(most, largest(q - load(wk.q_max, i * LANES), load(wk.q_min, i * LANES) - q))
    store(wk.share, 0, most)


@kernel
def _start(g, f, wk):
    for i in range(g.nodes):
        store(wk.v_re, i * LANES, spread(floats(f.v_re)[i]))
        store(wk.v_im, i * LANES, spread(floats(f.v_im)[i]))


@kernel
def _mean_point(g, f, wk, task):
    """Move the operating point of the shared factors to the mean of the lanes that are solved."""
    solved = 0
    for lane in range(LANES):
        if floats(wk.err)[lane] <= task.tolerance:
            solved += 1
    if solved == 0:
        return
    for i in range(g.nodes):
        x, y = 0.0, 0.0
        for lane in range(LANES):
            if floats(wk.err)[lane] <= task.tolerance:
                x += floats(wk.v_re)[i * LANES + lane]
                y += floats(wk.v_im)[i * LANES + lane]
        floats(f.v_re)[i], floats(f.v_im)[i] = x / solved, y / solved


@kernel
def run(g, p, origin, f, br, task, wk, answer, first, last, sign):
    """Solve the scenarios of the blocks first ... last - 1 (multiples of LANES); returns how many are left to `finish`.

    origin  factors at the base point; f: a copy of them that is moved; sign: of the determinant there.
    """
    waiting, since, warm = 0, BLOCKS_BETWEEN, False
    for s0 in range(first, last, LANES):
        for lane in range(LANES):
            whole(wk.scenario)[lane] = s0 + lane
        gather(g, task, wk, True)
        if not warm:
            _start(g, f, wk)
        steps = iterate(g, p, f, task, wk)
        waiting = _settle(g, br, task, wk, answer, s0, steps, waiting)
        warm = task.warm != 0 and floats(wk.err)[LANES - 1] <= task.tolerance
        since += 1
        if steps > SLOW_STEPS and since > BLOCKS_BETWEEN and task.low_rank == 0:
            since = 0
            _mean_point(g, f, wk, task)
            if factorise(g, p, f) != sign:
                _restore(g, p, f, origin)
        if warm:
            _carry(g, wk)
    return waiting


@kernel
def finish(g, p, origin, br, task, wk, answer, waiting):
    """Full Newton for the scenarios in wk.waiting."""
    for start in range(0, waiting, LANES):
        for lane in range(LANES):
            whole(wk.scenario)[lane] = whole(wk.waiting)[min(start + lane, waiting - 1)]
        hard(g, p, origin, br, task, wk, answer)


@kernel
def _settle(g, br, task, wk, answer, s0, steps, waiting):
    """Write a block's results and note the scenarios that are left for full Newton."""
    write(g, br, task, wk, answer, True)
    if task.limits != 0:
        _outside_limits(g, wk)
    for lane in range(LANES):
        s = s0 + lane
        good = floats(wk.err)[lane] <= task.tolerance and (task.limits == 0 or floats(wk.share)[lane] <= 0.0)
        if task.has_free != 0 and s < task.scenarios:
            good = good and whole(task.free_ptr)[s] == whole(task.free_ptr)[s + 1]
        floats(answer.residual)[s], whole(answer.iterations)[s] = floats(wk.err)[lane], steps
        floats(answer.reached)[s] = 1.0
        whole(answer.status)[s] = SOLVED
        if good:
            blank_dead(br, task, answer, s)
        elif s < task.scenarios:
            whole(wk.waiting)[waiting] = s
            waiting += 1
    return waiting


@kernel
def _carry(g, wk):
    """All lanes start where the last one stands."""
    for i in range(g.nodes):
        store(wk.v_re, i * LANES, spread(floats(wk.v_re)[i * LANES + LANES - 1]))
        store(wk.v_im, i * LANES, spread(floats(wk.v_im)[i * LANES + LANES - 1]))


@kernel
def _restore(g, p, f, origin):
    """The shared factors back at the base point."""
    for i in range(g.nodes):
        floats(f.v_re)[i], floats(f.v_im)[i] = floats(origin.v_re)[i], floats(origin.v_im)[i]
    factorise(g, p, f)
