"""The scenarios of a block into lanes."""

from gridai.grid.batch.arrays import DRIVES_P, DRIVES_Q
from gridai.grid.batch.lanes import LANES, floats, load, spread, store, whole
from gridai.kernel.contract import kernel


@kernel
def gather(g, task, wk, in_a_row):
    """Injections, set points and changes of the scenarios in wk.scenario."""
    for k in range(g.laws):
        store(wk.law_p, k * LANES, spread(floats(task.base_law_p)[k]))
        store(wk.law_q, k * LANES, spread(floats(task.base_law_q)[k]))
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
        if whole(task.col_law)[c] != 0:
            _follow(g, wk, whole(task.col_node)[c], whole(task.col_kind)[c], x)
        if whole(task.col_kind)[c] == DRIVES_P:
            store(wk.s_p, at, load(wk.s_p, at) + x)
        elif whole(task.col_kind)[c] == DRIVES_Q:
            store(wk.s_q, at, load(wk.s_q, at) + x)
        else:
            store(wk.set2, at, 1.0 / (x * x))
    store(wk.share, 0, spread(1.0))
    _gather_changes(task, wk)
    if task.limits != 0:
        _gather_ranges(g, task, wk)
    if task.has_lost != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.lost_ptr)[s], whole(task.lost_ptr)[s + 1]):
                at = whole(task.lost_node)[k] * LANES + lane
                floats(wk.s_p)[at] += floats(task.lost_p)[k]
                floats(wk.s_q)[at] += floats(task.lost_q)[k]
                row = whole(g.law_of)[whole(task.lost_node)[k]]
                if whole(task.lost_law)[k] != 0 and row >= 0:
                    floats(wk.law_p)[row * LANES + lane] -= floats(task.lost_p)[k]
                    floats(wk.law_q)[row * LANES + lane] -= floats(task.lost_q)[k]
    if task.has_dead != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.dead_ptr)[s], whole(task.dead_ptr)[s + 1]):
                at = whole(task.dead_node)[k] * LANES + lane
                floats(wk.s_p)[at], floats(wk.s_q)[at] = 0.0, 0.0
                row = whole(g.law_of)[whole(task.dead_node)[k]]
                if row >= 0:
                    floats(wk.law_p)[row * LANES + lane], floats(wk.law_q)[row * LANES + lane] = 0.0, 0.0


@kernel
def _follow(g, wk, node, kind, x):
    """An injection that follows the law of its node."""
    row = whole(g.law_of)[node]
    if row >= 0:
        if kind == DRIVES_P:
            store(wk.law_p, row * LANES, load(wk.law_p, row * LANES) - x)
        else:
            store(wk.law_q, row * LANES, load(wk.law_q, row * LANES) - x)


@kernel
def _gather_ranges(g, task, wk):
    """Reactive range of every node in every lane."""
    for i in range(g.nodes):
        store(wk.q_min, i * LANES, spread(floats(g.q_min)[i]))
        store(wk.q_max, i * LANES, spread(floats(g.q_max)[i]))
    if task.has_range != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.range_ptr)[s], whole(task.range_ptr)[s + 1]):
                at = whole(task.range_node)[k] * LANES + lane
                floats(wk.q_min)[at] += floats(task.range_min)[k]
                floats(wk.q_max)[at] += floats(task.range_max)[k]


@kernel
def _gather_changes(task, wk):
    whole(wk.count)[0], whole(wk.count)[2] = 0, 0
    if task.has_changes != 0:
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            own = whole(task.change_ptr)[s + 1] - whole(task.change_ptr)[s]
            whole(wk.count)[2] = max(whole(wk.count)[2], own)
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
