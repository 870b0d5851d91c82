"""Full Newton with a Jacobian for each lane: for what the shared one does not reach.

Large changes are made in parts (continuation): the whole change is tried first, then halves of what is left. A lane
that cannot be brought further than a small step beyond some share of the change has no solution there, and the share
is reported. A solution is taken only where the determinant of the Jacobian has kept its sign, that is on the same
side of the fold as the start.

Where a magnitude may be freed (units at a reactive limit) its row stands in the pattern and is an identity in the
lanes that hold it.
"""

from gridai.grid.batch.iterate import HOPELESS
from gridai.grid.batch.lanes import LANES, absolute, floats, largest, load, root, signed, spread, store, unsigned, whole
from gridai.grid.batch.shared import balance
from gridai.kernel.contract import kernel

LARGEST_TURN = 0.7  # rad, or log magnitude


@kernel
def full_residual(g, p, wk):
    """The balance in the order of elimination into full_r, its largest size and that of the set points into err."""
    err = spread(0.0)
    for i in range(g.nodes):
        angle, magnitude = whole(p.angle)[i], whole(p.magnitude)[i]
        d_p, d_q = load(wk.d_p, i * LANES), load(wk.d_q, i * LANES)
        if angle >= 0:
            err = largest(err, absolute(d_p))
            if magnitude >= 0 and whole(g.held)[i] == 0:
                err = largest(err, absolute(d_q))
                store(wk.full_r, angle * LANES, d_p * floats(g.turn_r)[i] - d_q * floats(g.turn_i)[i])
                store(wk.full_r, magnitude * LANES, d_p * floats(g.turn_i)[i] + d_q * floats(g.turn_r)[i])
            else:
                store(wk.full_r, angle * LANES, d_p)
        if whole(g.held)[i] != 0:
            x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
            off = (x * x + y * y) * load(wk.set2, i * LANES) - 1.0
            if magnitude >= 0:
                free = load(wk.free, i * LANES)
                store(wk.full_r, magnitude * LANES, d_q * free - off * (1.0 - free) * 0.5)
                err = largest(err, absolute(d_q * free))
                err = largest(err, absolute(off * (1.0 - free)))
            else:
                err = largest(err, absolute(off))
    store(wk.err, 0, err)


@kernel
def _add(w, at, value):
    store(w, at, load(w, at) + value)


@kernel
def full_scatter(g, p, task, wk, i, reactive):
    """A row of the Jacobian of every lane into full_row."""
    w, y_ptr, y_idx = wk.full_row, unsigned(g.y_ptr), unsigned(g.y_idx)
    y_g, y_b, angle, magnitude = floats(g.y_g), floats(g.y_b), whole(p.angle), whole(p.magnitude)
    x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
    if magnitude[i] >= 0 and whole(g.held)[i] == 0:
        x, y = x * floats(g.turn_r)[i] - y * floats(g.turn_i)[i], x * floats(g.turn_i)[i] + y * floats(g.turn_r)[i]
    t_re, t_im = spread(0.0), spread(0.0)
    for m in range(y_ptr[i], y_ptr[i + 1]):
        at = y_idx[m]
        k = int(at) // LANES
        a, b = load(wk.v_re, at), load(wk.v_im, at)
        a, b = y_g[m] * a - y_b[m] * b, y_g[m] * b + y_b[m] * a
        c_re, c_im = x * a + y * b, y * a - x * b
        t_re, t_im = t_re + c_re, t_im + c_im
        if angle[k] >= 0:
            _add(w, angle[k] * LANES, -c_re if reactive else c_im)
            if magnitude[k] >= 0:
                _add(w, magnitude[k] * LANES, c_im if reactive else c_re)
    _add(w, angle[i] * LANES, t_re if reactive else -t_im)
    if magnitude[i] >= 0:
        _add(w, magnitude[i] * LANES, t_im if reactive else t_re)
        if whole(g.law_of)[i] >= 0:
            _full_law(g, wk, w, i, magnitude[i], reactive)
    for n in range(whole(wk.count)[0]):
        c = whole(wk.change_of)[n]
        if whole(task.change_from)[c] == i:
            _change(g, p, task, wk, c, whole(wk.change_lane)[n], i, i, 0, reactive)
            _change(g, p, task, wk, c, whole(wk.change_lane)[n], i, whole(task.change_to)[c], 2, reactive)
        if whole(task.change_to)[c] == i:
            _change(g, p, task, wk, c, whole(wk.change_lane)[n], i, whole(task.change_from)[c], 4, reactive)
            _change(g, p, task, wk, c, whole(wk.change_lane)[n], i, i, 6, reactive)


@kernel
def _full_law(g, wk, w, i, magnitude, reactive):
    """What a load that follows the voltage adds to the diagonal."""
    row = whole(g.law_of)[i]
    x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
    square = x * x + y * y
    vm = root(square)
    p = load(wk.law_p, row * LANES) * (floats(g.law_pi)[row] * vm + 2.0 * floats(g.law_pz)[row] * square)
    q = load(wk.law_q, row * LANES) * (floats(g.law_qi)[row] * vm + 2.0 * floats(g.law_qz)[row] * square)
    if whole(g.held)[i] == 0:
        p, q = p * floats(g.turn_r)[i] - q * floats(g.turn_i)[i], p * floats(g.turn_i)[i] + q * floats(g.turn_r)[i]
    _add(w, magnitude * LANES, q if reactive else p)


@kernel
def _change(g, p, task, wk, n, lane, i, k, column, reactive):
    """What a changed admittance between i and k adds to the row of i in one lane."""
    w, y = floats(wk.full_row), floats(task.change_y)
    v = complex(floats(wk.v_re)[i * LANES + lane], floats(wk.v_im)[i * LANES + lane])
    if whole(p.magnitude)[i] >= 0 and whole(g.held)[i] == 0:
        v *= complex(floats(g.turn_r)[i], floats(g.turn_i)[i])
    current = complex(y[8 * n + column], y[8 * n + column + 1]) * complex(
        floats(wk.v_re)[k * LANES + lane], floats(wk.v_im)[k * LANES + lane]
    )
    c = v * current.conjugate() * floats(wk.share)[lane]
    if whole(p.angle)[k] >= 0:
        w[whole(p.angle)[k] * LANES + lane] += -c.real if reactive else c.imag
        if whole(p.magnitude)[k] >= 0:
            w[whole(p.magnitude)[k] * LANES + lane] += c.imag if reactive else c.real
    w[whole(p.angle)[i] * LANES + lane] += c.real if reactive else -c.imag
    if whole(p.magnitude)[i] >= 0:
        w[whole(p.magnitude)[i] * LANES + lane] += c.imag if reactive else c.real


@kernel
def full_factorise(g, p, task, wk):
    """Jacobian and factors of every lane, row by row; the sign of each determinant into sign."""
    w, sign, pivots, u_val = wk.full_row, spread(1.0), wk.full_pivot, wk.full_u
    l_ptr, l_idx, u_ptr, u_idx = unsigned(p.l_ptr), unsigned(p.l_idx), unsigned(p.u_ptr), unsigned(p.u_idx)
    for row in range(p.size):
        i = whole(p.owner)[row]
        reactive = whole(p.magnitude)[i] == row
        for m in range(l_ptr[row], l_ptr[row + 1]):
            store(w, l_idx[m], spread(0.0))
        for m in range(u_ptr[row], u_ptr[row + 1]):
            store(w, u_idx[m], spread(0.0))
        store(w, row * LANES, spread(0.0))
        full_scatter(g, p, task, wk, i, reactive)
        if reactive and whole(g.held)[i] != 0:
            free = load(wk.free, i * LANES)
            for m in range(l_ptr[row], l_ptr[row + 1]):
                store(w, l_idx[m], load(w, l_idx[m]) * free)
            for m in range(u_ptr[row], u_ptr[row + 1]):
                store(w, u_idx[m], load(w, u_idx[m]) * free)
            store(w, row * LANES, load(w, row * LANES) * free + (1.0 - free))
        for m in range(l_ptr[row], l_ptr[row + 1]):
            at = l_idx[m]
            k = int(at) // LANES
            factor = load(w, at) * load(pivots, at)
            store(wk.full_l, int(m) * LANES, factor)
            for j in range(u_ptr[k], u_ptr[k + 1]):
                _add(w, u_idx[j], -(factor * load(u_val, int(j) * LANES)))
        for m in range(u_ptr[row], u_ptr[row + 1]):
            store(u_val, int(m) * LANES, load(w, u_idx[m]))
        pivot = load(w, row * LANES)
        sign = signed(spread(1.0), pivot) * sign
        store(pivots, row * LANES, 1.0 / pivot)
    store(wk.sign, 0, sign)


@kernel
def full_substitute(p, wk):
    """Solve with each lane's own factors, in place in full_r."""
    r, l_val, u_val = wk.full_r, wk.full_l, wk.full_u
    l_ptr, l_idx, u_ptr, u_idx = unsigned(p.l_ptr), unsigned(p.l_idx), unsigned(p.u_ptr), unsigned(p.u_idx)
    for i in range(p.size):
        x = load(r, i * LANES)
        for m in range(l_ptr[i], l_ptr[i + 1]):
            x = x - load(l_val, int(m) * LANES) * load(r, l_idx[m])
        store(r, i * LANES, x)
    for i in range(p.size - 1, -1, -1):
        x = load(r, i * LANES)
        for m in range(u_ptr[i], u_ptr[i + 1]):
            x = x - load(u_val, int(m) * LANES) * load(r, u_idx[m])
        store(r, i * LANES, x * load(wk.full_pivot, i * LANES))


@kernel
def full_turn(g, p, wk):
    """Turn every voltage by a Cayley factor (1 + z/2) / (1 - z/2), z = log magnitude + j angle, of limited size."""
    most = spread(0.0)
    for i in range(p.size):
        most = largest(most, absolute(load(wk.full_r, i * LANES)))
    half = 0.5 / largest(spread(1.0), most * (1.0 / LARGEST_TURN))
    for i in range(g.nodes):
        x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
        if whole(p.angle)[i] >= 0:
            a, b = spread(0.0), load(wk.full_r, whole(p.angle)[i] * LANES) * half
            if whole(p.magnitude)[i] >= 0:
                a = load(wk.full_r, whole(p.magnitude)[i] * LANES) * half
            below = 1.0 / ((1.0 - a) * (1.0 - a) + b * b)
            c, d = (1.0 - a * a - b * b) * below, 2.0 * b * below
            x, y = x * c - y * d, x * d + y * c
        if whole(g.held)[i] != 0:
            c = 1.5 - 0.5 * ((x * x + y * y) * load(wk.set2, i * LANES))
            if whole(p.magnitude)[i] >= 0:
                free = load(wk.free, i * LANES)
                c = free + (1.0 - free) * c
            x, y = x * c, y * c
        store(wk.v_re, i * LANES, x)
        store(wk.v_im, i * LANES, y)


@kernel
def newton(g, p, task, wk, steps, tolerance):
    """Newton from the voltages in wk until every lane has either settled or left all bounds; returns the steps."""
    for step in range(steps):
        balance(g, task, wk)
        full_residual(g, p, wk)
        going = 0
        for lane in range(LANES):
            if floats(wk.err)[lane] > tolerance and floats(wk.err)[lane] < HOPELESS * 100.0:
                going += 1
        full_factorise(g, p, task, wk)
        if going == 0 or step == steps - 1:
            return step
        full_substitute(p, wk)
        full_turn(g, p, wk)
    return steps
