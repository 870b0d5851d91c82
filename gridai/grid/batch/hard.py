"""Scenarios that the shared factors do not reach: continuation from the base, then reactive limits."""

from gridai.grid.batch.arrays import BAD_INPUT, NO_SOLUTION, Q_LIMITS_FAIL, SOLVED
from gridai.grid.batch.full import full_factorise, full_residual, newton
from gridai.grid.batch.gather import bad_input, gather
from gridai.grid.batch.lanes import LANES, floats, load, spread, store, whole
from gridai.grid.batch.shared import balance
from gridai.grid.batch.write import blank, blank_dead, write
from gridai.kernel.contract import kernel

LEAST_PART = 1.0 / 4096.0
MOST_PARTS = 60
MOST_ROUNDS = 16
NEWTON_STEPS = 12
LIMIT_STEPS = 25


@kernel
def hard(g, p, origin, br, task, wk, answer):
    """Solve the scenarios in wk.scenario by full Newton and write their results."""
    gather(g, task, wk, False)
    for lane in range(LANES):
        whole(answer.status)[whole(wk.scenario)[lane]] = SOLVED
        if bad_input(g, wk, lane):
            whole(answer.status)[whole(wk.scenario)[lane]] = BAD_INPUT
            for i in range(g.nodes):
                at = i * LANES + lane
                floats(wk.s_p)[at], floats(wk.s_q)[at] = floats(origin.s_p)[i], floats(origin.s_q)[i]
                floats(wk.set2)[at] = floats(origin.set2)[i]
            for k in range(g.laws):
                floats(wk.law_p)[k * LANES + lane] = floats(origin.law_p)[k]
                floats(wk.law_q)[k * LANES + lane] = floats(origin.law_q)[k]
    whole(wk.count)[1] = 0
    _continue(g, p, origin, task, wk)
    for lane in range(LANES):
        if floats(wk.reached)[lane] < 1.0:
            whole(answer.status)[whole(wk.scenario)[lane]] = NO_SOLUTION
    if task.limits != 0:
        _enforce_limits(g, p, task, wk, answer)
    _finish(g, p, br, task, wk, answer)


@kernel
def _continue(g, p, origin, task, wk):
    """From the base point towards the scenarios, in parts where the whole change does not settle."""
    for i in range(g.nodes):
        at = i * LANES
        store(wk.t_p, at, load(wk.s_p, at))
        store(wk.t_q, at, load(wk.s_q, at))
        store(wk.t_set, at, load(wk.set2, at))
        store(wk.free, at, spread(0.0))
        store(wk.last_re, at, spread(floats(origin.v_re)[i]))
        store(wk.last_im, at, spread(floats(origin.v_im)[i]))
    for k in range(g.laws):
        store(wk.t_law_p, k * LANES, load(wk.law_p, k * LANES))
        store(wk.t_law_q, k * LANES, load(wk.law_q, k * LANES))
    _copy(wk.last_re, wk.last_im, wk.v_re, wk.v_im, g.nodes)
    store(wk.share, 0, spread(0.0))
    _start_injections(g, origin, task, wk)
    full_factorise(g, p, task, wk)
    store(wk.start_sign, 0, load(wk.sign, 0))
    store(wk.reached, 0, spread(0.0))
    store(wk.part, 0, spread(1.0))
    for _ in range(MOST_PARTS):
        if _next_parts(wk) == 0:
            break
        _blend(g, origin, wk)
        _copy(wk.last_re, wk.last_im, wk.v_re, wk.v_im, g.nodes)
        whole(wk.count)[1] += newton(g, p, task, wk, NEWTON_STEPS, task.aim)
        _accept(g, task, wk)
    _copy(wk.last_re, wk.last_im, wk.v_re, wk.v_im, g.nodes)
    for lane in range(LANES):
        floats(wk.share)[lane] = floats(wk.reached)[lane]
    _blend(g, origin, wk)


@kernel
def _start_injections(g, origin, task, wk):
    """Where the continuation starts: a node whose magnitude is freed gives at first what its unit gave."""
    for i in range(g.nodes):
        store(wk.s_p, i * LANES, spread(floats(origin.s_p)[i]))
        store(wk.s_q, i * LANES, spread(floats(origin.s_q)[i]))
        store(wk.o_q, i * LANES, spread(floats(origin.s_q)[i]))
    for k in range(g.laws):
        store(wk.law_p, k * LANES, spread(floats(origin.law_p)[k]))
        store(wk.law_q, k * LANES, spread(floats(origin.law_q)[k]))
    if task.has_free != 0:
        balance(g, task, wk)
        for lane in range(LANES):
            s = whole(wk.scenario)[lane]
            for k in range(whole(task.free_ptr)[s], whole(task.free_ptr)[s + 1]):
                at = whole(task.free_node)[k] * LANES + lane
                floats(wk.free)[at] = 1.0
                floats(wk.o_q)[at] -= floats(wk.d_q)[at]


@kernel
def _copy(a_re, a_im, b_re, b_im, size):
    for i in range(size):
        store(b_re, i * LANES, load(a_re, i * LANES))
        store(b_im, i * LANES, load(a_im, i * LANES))


@kernel
def _next_parts(wk):
    """The share that each lane tries next; returns how many lanes are still on the way."""
    going = 0
    for lane in range(LANES):
        floats(wk.share)[lane] = floats(wk.reached)[lane]
        if floats(wk.reached)[lane] < 1.0 and floats(wk.part)[lane] >= LEAST_PART:
            floats(wk.share)[lane] = min(1.0, floats(wk.reached)[lane] + floats(wk.part)[lane])
            going += 1
    return going


@kernel
def _blend(g, origin, wk):
    """Injections and set points at the share of each lane."""
    share = load(wk.share, 0)
    for i in range(g.nodes):
        at = i * LANES
        store(wk.s_p, at, floats(origin.s_p)[i] + share * (load(wk.t_p, at) - floats(origin.s_p)[i]))
        start = load(wk.o_q, at)
        store(wk.s_q, at, start + share * (load(wk.t_q, at) - start))
        store(wk.set2, at, floats(origin.set2)[i] + share * (load(wk.t_set, at) - floats(origin.set2)[i]))
    for k in range(g.laws):
        p, q, at = floats(origin.law_p)[k], floats(origin.law_q)[k], k * LANES
        store(wk.law_p, at, p + share * (load(wk.t_law_p, at) - p))
        store(wk.law_q, at, q + share * (load(wk.t_law_q, at) - q))


@kernel
def _accept(g, task, wk):
    """Keep the lanes that settled on the same side of the fold; halve the part of the others."""
    for lane in range(LANES):
        if floats(wk.share)[lane] > floats(wk.reached)[lane]:
            if floats(wk.err)[lane] <= task.tolerance and floats(wk.sign)[lane] == floats(wk.start_sign)[lane]:
                floats(wk.reached)[lane] = floats(wk.share)[lane]
                floats(wk.part)[lane] = 2.0 * floats(wk.part)[lane]
                for i in range(g.nodes):
                    at = i * LANES + lane
                    floats(wk.last_re)[at], floats(wk.last_im)[at] = floats(wk.v_re)[at], floats(wk.v_im)[at]
            else:
                floats(wk.part)[lane] = 0.5 * min(floats(wk.part)[lane], 1.0 - floats(wk.reached)[lane])


@kernel
def _enforce_limits(g, p, task, wk, answer):
    """Units beyond their reactive range give the limit and let the voltage go, all of them at once, as pandapower."""
    for _ in range(MOST_ROUNDS):
        balance(g, task, wk)
        if _free_magnitudes(g, p, wk) == 0:
            return
        full_factorise(g, p, task, wk)
        store(wk.start_sign, 0, load(wk.sign, 0))
        whole(wk.count)[1] += newton(g, p, task, wk, LIMIT_STEPS, task.aim)
        for lane in range(LANES):
            lost = not floats(wk.err)[lane] <= task.tolerance or floats(wk.sign)[lane] != floats(wk.start_sign)[lane]
            if lost and whole(answer.status)[whole(wk.scenario)[lane]] == SOLVED:
                whole(answer.status)[whole(wk.scenario)[lane]] = Q_LIMITS_FAIL


@kernel
def _free_magnitudes(g, p, wk):
    """Free the nodes beyond their range in each lane; returns how many."""
    count = 0
    free, s_q, reached = floats(wk.free), floats(wk.s_q), floats(wk.reached)
    for i in range(g.nodes):
        if whole(g.held)[i] != 0 and whole(p.magnitude)[i] >= 0:
            for lane in range(LANES):
                at = i * LANES + lane
                low, high = floats(wk.q_min)[at], floats(wk.q_max)[at]
                q = -floats(wk.d_q)[at]
                if free[at] == 0.0 and reached[lane] == 1.0 and (q > high or q < low):
                    free[at] = 1.0
                    s_q[at] += high if q > high else low
                    count += 1
    return count


@kernel
def _finish(g, p, br, task, wk, answer):
    """Certify and write."""
    balance(g, task, wk)
    full_residual(g, p, wk)
    write(g, br, task, wk, answer, False)
    for lane in range(LANES):
        s = whole(wk.scenario)[lane]
        floats(answer.residual)[s], whole(answer.iterations)[s] = floats(wk.err)[lane], whole(wk.count)[1]
        floats(answer.reached)[s] = floats(wk.reached)[lane]
        if whole(answer.status)[s] == SOLVED and not floats(wk.err)[lane] <= task.tolerance:
            whole(answer.status)[s] = NO_SOLUTION
        if whole(answer.status)[s] == SOLVED:
            blank_dead(br, task, answer, s)
        else:
            blank(g, br, task, answer, s)
