"""The scenarios of a block into lanes."""

from gridai.grid.batch.arrays import DRIVES_P, DRIVES_Q
from gridai.grid.batch.lanes import LANES, floats, load, spread, store, whole
from gridai.kernel.contract import kernel


@kernel
def gather(g, task, wk, in_a_row):
    """Injections, set points and changes of the scenarios in wk.scenario."""
    for i in range(g.nodes):
        store(wk.s_p, i * LANES, spread(floats(task.base_p)[i]))
        store(wk.s_q, i * LANES, spread(floats(task.base_q)[i]))
        v = floats(task.base_v)[i]
        store(wk.set2, i * LANES, spread(1.0 / (v * v) if v > 0.0 else 0.0))
    for c in range(task.columns):
        at, start = whole(task.col_node)[c] * LANES, c * task.padded
        if in_a_row:
            store(wk.err, 0, load(task.values, start + whole(wk.scenario)[0]))
        else:
            for lane in range(LANES):
                floats(wk.err)[lane] = floats(task.values)[start + whole(wk.scenario)[lane]]
        x = load(wk.err, 0) * floats(task.col_scale)[c]
        if whole(task.col_kind)[c] == DRIVES_P:
            store(wk.s_p, at, load(wk.s_p, at) + x)
        elif whole(task.col_kind)[c] == DRIVES_Q:
            store(wk.s_q, at, load(wk.s_q, at) + x)
        else:
            store(wk.set2, at, 1.0 / (x * x))
    store(wk.share, 0, spread(1.0))
    _gather_changes(task, wk)
    if task.has_lost != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.lost_ptr)[s], whole(task.lost_ptr)[s + 1]):
                at = whole(task.lost_node)[k] * LANES + lane
                floats(wk.s_p)[at] += floats(task.lost_p)[k]
                floats(wk.s_q)[at] += floats(task.lost_q)[k]
    if task.has_dead != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.dead_ptr)[s], whole(task.dead_ptr)[s + 1]):
                at = whole(task.dead_node)[k] * LANES + lane
                floats(wk.s_p)[at], floats(wk.s_q)[at] = 0.0, 0.0


@kernel
def _gather_changes(task, wk):
    whole(wk.count)[0] = 0
    if task.has_changes != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for c in range(whole(task.change_ptr)[s], whole(task.change_ptr)[s + 1]):
                whole(wk.change_lane)[whole(wk.count)[0]] = lane
                whole(wk.change_of)[whole(wk.count)[0]] = c
                whole(wk.count)[0] += 1


@kernel
def bad_input(g, wk, lane):
    """True if an injection or set point of the lane is not a sensible number."""
    for i in range(g.nodes):
        at = i * LANES + lane
        if not abs(floats(wk.s_p)[at]) + abs(floats(wk.s_q)[at]) + floats(wk.set2)[at] < 1e30:
            return True
    return False
