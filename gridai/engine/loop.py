"""The compiled engine: right-hand side, one step, and the loop that cuts steps at breakpoints.

One evaluation of the right-hand side at (t, x):

    1  playback signals at t
    2  currents that depend on states alone (machines), then v = Y^-1 i; currents that depend on voltage (loads,
       clusters, converters) are solved with the network by Newton's method with a Jacobian kept while it contracts
    3  outputs of machines, then outputs and derivatives of each role in order, then derivatives of machines

One step is Adams and Bashforth's of order 2, one evaluation a step, with g the length of the step before:

    x(t + h) = x + h (f(t) + h / (2 g) (f(t) - f(t - g)))

After a jump or a limit, while what is fast decays, and where states are too fast for it (see stiffness), it is Heun's
method (explicit trapezoidal rule, order 2), two evaluations a step:

    k1 = f(t, x)    k2 = f(t + h, x + h k1)    x(t + h) = x + h/2 (k1 + k2)

Functions here are marked `@kernel` and compiled by `gridai.engine.machine`. `pl` (Plan) never changes, `tp`
(Topo) belongs to a network topology, `wk` (Work) is the state and scratch of one run.
"""

from typing import Any

import numpy as np

from gridai.engine.plan import (
    ACTION,
    ACTIONS,
    ADAMS,
    BEFORE_S,
    BUFFER_FULL,
    CHATTER,
    CLAMP,
    COUNT,
    CURRENT,
    CURRENT_VOLTAGE,
    DECIMATE,
    DEN,
    DONE,
    FINE_S,
    FINE_UNTIL,
    G_LEN,
    G_OFF,
    G_WIDTH,
    GRID_K,
    LATE,
    LIMIT_TOL_S,
    LOCATE_TOL_S,
    MAX_CHAIN,
    NETWORK_FAILED,
    NEXT_BREAK,
    NUM,
    PASSIVE,
    ROWS,
    STAGE_END,
    STAGE_JUMP,
    STAGE_TRIAL,
    STATE_FAILED,
    STEPS,
    STORE_END,
    TASK_ADVANCE,
    TASK_ARRIVE,
    TIME,
    TIME_TOL_S,
    TRACK,
    X_LEN,
    X_OFF,
    call,
    gather,
    play,
)
from gridai.engine.reference import reference
from gridai.engine.solve import solve_network
from gridai.kernel.compile import OP_CLAMP, OP_DERIVATIVES, OP_EVALUATE, OP_GUARDS, OP_OUTPUTS, OP_TRACK, OP_UPDATE
from gridai.kernel.contract import kernel


@kernel
def evaluate(pl, tp, wk, x, d, t, stage):
    """f(t, x) into d; signals in wk.sig belong to (t, x) afterwards. Returns False if the network failed.

    stage   STAGE_TRIAL leaves out passive groups (loads that stand wholly in the admittance matrix),
            STAGE_END takes playback before a jump at t, STAGE_JUMP after it
    """
    play(pl, wk, t, stage)
    ng = pl.order.size
    for q in range(ng):
        k = pl.order[q]
        if pl.groups[k, CURRENT] == CURRENT_VOLTAGE:
            gather(pl, wk, k)
    if not solve_network(pl, tp, wk, x, t, stage):
        return False
    for q in range(ng):
        k = pl.order[q]
        if stage == STAGE_TRIAL and pl.groups[k, PASSIVE]:
            continue
        gather(pl, wk, k)
        call(pl, wk, k, np.int64(OP_OUTPUTS if pl.groups[k, LATE] else OP_EVALUATE), x, d, wk.v, wk.i0, t)
    for q in range(ng):
        k = pl.order[q]
        if pl.groups[k, LATE]:
            gather(pl, wk, k)
            call(pl, wk, k, np.int64(OP_DERIVATIVES), x, d, wk.v, wk.i0, t)
    return True


@kernel
def predict(pl, wk, t, h, past):
    """Predictor into wk.xs, windup limits applied (wk.xn is scratch); returns the share of h where the first is met.

    past   weight of the slope's change since the last step: 0 for Euler, h / (2 g) for Adams and Bashforth
    """
    n = wk.x.size
    if past == 0.0:
        for a in range(n):
            wk.xs[a] = wk.x[a] + h * wk.d1[a]
    else:
        for a in range(n):
            wk.xs[a] = wk.x[a] + h * (wk.d1[a] + past * (wk.d1[a] - wk.d0[a]))
    share = 1.0
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, CLAMP]:
            first = pl.groups[k, X_OFF]
            for a in range(first, first + pl.groups[k, X_LEN]):
                wk.xn[a] = wk.xs[a]
            call(pl, wk, k, np.int64(OP_CLAMP), wk.xs, wk.d2, wk.v, wk.i0, t)
            for a in range(first, first + pl.groups[k, X_LEN]):
                if wk.xs[a] != wk.xn[a]:
                    share = min(share, (wk.xs[a] - wk.x[a]) / (wk.xn[a] - wk.x[a]))
    return share


@kernel
def heun(pl, tp, wk, t, h):
    """The step of length h from wk.x, whose predictor is in wk.xs: new state in wk.xn, its derivative in wk.dn."""
    n = wk.x.size
    if not evaluate(pl, tp, wk, wk.xs, wk.d2, t + h, np.int64(STAGE_TRIAL)):
        return False
    for a in range(n):
        wk.xn[a] = wk.x[a] + 0.5 * h * (wk.d1[a] + wk.d2[a])
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, CLAMP]:
            call(pl, wk, k, np.int64(OP_CLAMP), wk.xn, wk.d2, wk.v, wk.i0, t + h)
    return evaluate(pl, tp, wk, wk.xn, wk.dn, t + h, np.int64(STAGE_END))


@kernel
def adams(pl, tp, wk, t, h):
    """The step of length h whose end is in wk.xs: new state in wk.xn, its derivative in wk.dn."""
    for a in range(wk.x.size):
        wk.xn[a] = wk.xs[a]
    return evaluate(pl, tp, wk, wk.xn, wk.dn, t + h, np.int64(STAGE_END))


@kernel
def find_guards(pl, wk, x, t):
    """Guards at (t, x) into wk.g; returns the largest one that has risen through zero, else -1."""
    top = -1.0
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, G_LEN] > 0:
            call(pl, wk, k, np.int64(OP_GUARDS), x, wk.d2, wk.v, wk.i0, t)
    for j in range(wk.g.size):
        if wk.g[j] >= 0.0 and wk.g_old[j] < 0.0 and wk.g[j] > top:
            top = wk.g[j]
    return top


@kernel
def locate(pl, tp, wk, t, h, top):
    """Length of the step that ends just after the first guard rises through zero (Illinois method on the step)."""
    low, high, f_low, f_high = 0.0, h, -1.0, top
    for j in range(wk.g.size):
        if wk.g[j] >= 0.0 and wk.g_old[j] < 0.0:
            f_low = max(f_low, wk.g_old[j])
    for _ in range(60):
        if high - low < LOCATE_TOL_S:
            break
        s = f_low / (f_low - f_high)
        mid = low + min(max(s, 0.02), 0.98) * (high - low)
        predict(pl, wk, t, mid, 0.0)
        if not heun(pl, tp, wk, t, mid):
            return -1.0
        f = find_guards(pl, wk, wk.xn, t + mid)
        if f >= 0.0:
            high, f_high, f_low = mid, f, 0.5 * f_low
        else:
            low, f_high = mid, 0.5 * f_high
            f_low = -1e300
            for j in range(wk.g.size):
                if wk.g_old[j] < 0.0 and wk.g[j] > f_low and wk.g[j] < 0.0:
                    f_low = wk.g[j]
    predict(pl, wk, t, high, 0.0)
    if not heun(pl, tp, wk, t, high):
        return -1.0
    find_guards(pl, wk, wk.xn, t + high)
    return high


@kernel
def fire(pl, wk, t):
    """Run `update` of every unit with a fired guard and note the actions asked for."""
    for k in range(pl.groups.shape[0]):
        width = pl.groups[k, G_WIDTH]
        if width == 0:
            continue
        first = pl.groups[k, G_OFF]
        any_fired = False
        for j in range(first, first + pl.groups[k, G_LEN]):
            fired = wk.g[j] >= 0.0 and wk.g_old[j] < 0.0
            wk.g_old[j] = wk.g[j]
            wk.g[j] = 1.0 if fired else 0.0
            any_fired = any_fired or fired
        if any_fired:
            call(pl, wk, k, np.int64(OP_UPDATE), wk.x, wk.d2, wk.v, wk.i0, t)
            for s in range(pl.groups[k, COUNT]):
                if wk.act[s] != 0.0 and wk.ints[ACTIONS] < wk.actions.shape[0]:
                    row = wk.ints[ACTIONS]
                    wk.actions[row, 0], wk.actions[row, 1], wk.actions[row, 2] = k, s, int(wk.act[s])
                    wk.ints[ACTIONS] += 1


@kernel
def store(pl, wk, rec, rec_t, t):
    """Record one row."""
    row = np.uint64(wk.ints[ROWS])
    rec_t[row] = t
    sig, places, line = wk.sig, pl.rec, rec[row]
    for j in range(np.uint64(places.size)):
        line[j] = sig[places[j]]
    wk.ints[ROWS] += 1


@kernel
def arrive(pl, tp, wk, rec, rec_t):
    """After a jump (event, playback edge, start): solve again, fire guards that jumped, record. Returns a status."""
    t = wk.floats[TIME]
    for _ in range(MAX_CHAIN):
        if not evaluate(pl, tp, wk, wk.x, wk.d1, t, np.int64(STAGE_JUMP)):
            return NETWORK_FAILED
        for k in range(pl.groups.shape[0]):
            if pl.groups[k, TRACK]:
                call(pl, wk, k, np.int64(OP_TRACK), wk.x, wk.d2, wk.v, wk.i0, t)
        if wk.g.size == 0 or find_guards(pl, wk, wk.x, t) < 0.0:
            for j in range(wk.g.size):
                wk.g_old[j] = wk.g[j]
            wk.floats[FINE_UNTIL] = t + FINE_S if t > 0.0 else 0.0
            wk.floats[BEFORE_S] = 0.0
            store(pl, wk, rec, rec_t, t)
            return DONE
        fire(pl, wk, t)
        if wk.ints[ACTIONS] > 0:
            return ACTION
    return CHATTER


@kernel
def finite(x):
    """True if every entry is a number: x - x is 0. Whole numbers are gathered several at a time, sums would not be."""
    odd = np.int64(0)
    for k in range(x.size):
        odd |= np.int64(x[k] - x[k] != 0.0)
    return odd == 0


@kernel
def accept(pl, wk, t1):
    """Make the trial step the state."""
    for a in range(wk.x.size):
        wk.x[a] = wk.xn[a]
        wk.d0[a] = wk.d1[a]
        wk.d1[a] = wk.dn[a]
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, TRACK]:
            call(pl, wk, k, np.int64(OP_TRACK), wk.x, wk.d2, wk.v, wk.i0, t1)
    wk.floats[BEFORE_S] = t1 - wk.floats[TIME]
    wk.floats[TIME] = t1
    wk.ints[STEPS] += 1


@kernel
def next_stop(pl, wk, t_end):
    """The end of the next step: grid point, playback edge or t_end, whichever comes first.

    For FINE_S after a jump there are grid points halfway too: what is fast decays there.
    """
    t = wk.floats[TIME]
    while wk.ints[GRID_K] * wk.ints[NUM] / wk.ints[DEN] <= t + TIME_TOL_S:
        wk.ints[GRID_K] += 1
    while wk.ints[NEXT_BREAK] < pl.breaks.size and pl.breaks[wk.ints[NEXT_BREAK]] <= t + TIME_TOL_S:
        wk.ints[NEXT_BREAK] += 1
    stop = wk.ints[GRID_K] * wk.ints[NUM] / wk.ints[DEN]
    if t < wk.floats[FINE_UNTIL] - TIME_TOL_S:
        half = (2 * wk.ints[GRID_K] - 1) * wk.ints[NUM] / (2 * wk.ints[DEN])
        stop = half if half > t + TIME_TOL_S else stop
    edge = False
    if wk.ints[NEXT_BREAK] < pl.breaks.size and pl.breaks[wk.ints[NEXT_BREAK]] <= stop + TIME_TOL_S:
        stop = pl.breaks[wk.ints[NEXT_BREAK]]
        edge = True
    if t_end < stop + TIME_TOL_S:
        edge = edge and t_end > stop - TIME_TOL_S
        stop = t_end
    return stop, edge


@kernel
def advance(pl, tp, wk, t_end, rec, rec_t):
    """Integrate from the present time to t_end. Returns a status; the state stays at the last accepted step."""
    while wk.floats[TIME] < t_end - TIME_TOL_S:
        if wk.ints[ROWS] + 4 > rec_t.size:
            return BUFFER_FULL
        t = wk.floats[TIME]
        t1, edge = next_stop(pl, wk, t_end)
        past, cut_short = 0.0, False
        if wk.ints[ADAMS] == 1 and wk.floats[BEFORE_S] > 0.0 and t >= wk.floats[FINE_UNTIL]:
            past = 0.5 * (t1 - t) / wk.floats[BEFORE_S]
        share = predict(pl, wk, t, t1 - t, past)
        if share < 1.0:
            past = 0.0
            share = predict(pl, wk, t, t1 - t, past)
            cut_short = True  # the slope jumps at a limit: Adams and Bashforth start afresh
            if share * (t1 - t) > LIMIT_TOL_S:
                t1, edge = t + share * (1.0 - 1e-9) * (t1 - t), False
                predict(pl, wk, t, t1 - t, past)
        done = heun(pl, tp, wk, t, t1 - t) if past == 0.0 else adams(pl, tp, wk, t, t1 - t)
        if not done:
            return NETWORK_FAILED
        fired = False
        if wk.g.size > 0:
            top = find_guards(pl, wk, wk.xn, t1)
            if top >= 0.0:
                fired = True
                cut = locate(pl, tp, wk, t, t1 - t, top)
                if cut < 0.0:
                    return NETWORK_FAILED
                edge = edge and cut == t1 - t
                t1 = t + cut if cut < t1 - t else t1
        if not finite(wk.xn):
            return STATE_FAILED
        accept(pl, wk, t1)
        if cut_short:
            wk.floats[BEFORE_S] = 0.0
        at_end = wk.ints[STORE_END] == 1 and t1 >= t_end - TIME_TOL_S
        on_grid = abs(t1 - wk.ints[GRID_K] * wk.ints[NUM] / wk.ints[DEN]) <= TIME_TOL_S
        if (on_grid and wk.ints[GRID_K] % wk.ints[DECIMATE] == 0) or edge or fired or at_end:
            store(pl, wk, rec, rec_t, t1)
        if fired:
            fire(pl, wk, t1)
            if wk.ints[ACTIONS] > 0:
                return ACTION
        else:
            for j in range(wk.g.size):
                wk.g_old[j] = wk.g[j]
        if edge or fired:
            status = arrive(pl, tp, wk, rec, rec_t)
            if status != DONE:
                return status
    return DONE


@kernel
def operate(task, bundle, topo, work, t, rec, rec_t, x, d, stage):
    """The one door into the compiled engine: advance to t, arrive at a jump, or evaluate f(t, x) into d."""
    pl: Any = reference(bundle)  # type: ignore[call-arg]
    tp: Any = reference(topo)
    wk: Any = reference(work)
    if task == TASK_ADVANCE:
        return advance(pl, tp, wk, t, rec, rec_t)
    if task == TASK_ARRIVE:
        return arrive(pl, tp, wk, rec, rec_t)
    return DONE if evaluate(pl, tp, wk, x, d, t, stage) else NETWORK_FAILED
