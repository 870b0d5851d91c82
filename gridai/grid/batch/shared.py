"""Newton's method with one factorised Jacobian for all lanes and all scenarios near an operating point.

The first step from the operating point is its first-order sensitivity to the injections; each further one shrinks
the balance left over by the relative change of the Jacobian. The balance is computed from the exact admittances in
every step, so the accuracy is that of full Newton; only the number of steps differs. A correction of angle t and log
magnitude m turns a voltage by its second-order series, and a held magnitude is drawn back to its set point.

Such an iteration can converge only to a solution where the determinant of the Jacobian has the same sign as at the
operating point (all eigenvalues of J0^-1 J lie within the unit disc about 1): never to the low-voltage solution
beyond a simple fold.
"""

import math

import numpy as np

from gridai.grid.batch.lanes import LANES, absolute, floats, largest, load, root, spread, store, unsigned, whole
from gridai.kernel.contract import kernel

WIDTH, ONE = np.uint64(LANES), np.uint64(1)  # an int64 beside a uint64 would make a float


@kernel
def balance(g, task, wk):
    """Specified less computed injection of every node into d_p and d_q."""
    v_re, v_im, y_ptr, y_idx = wk.v_re, wk.v_im, unsigned(g.y_ptr), unsigned(g.y_idx)
    y_g, y_b = floats(g.y_g), floats(g.y_b)
    for i in range(g.nodes):
        c_re, c_im = spread(0.0), spread(0.0)
        for k in range(y_ptr[i], y_ptr[i + 1]):
            at = y_idx[k]
            x, y = load(v_re, at), load(v_im, at)
            c_re = c_re + y_g[k] * x - y_b[k] * y
            c_im = c_im + y_g[k] * y + y_b[k] * x
        x, y = load(v_re, i * LANES), load(v_im, i * LANES)
        store(wk.d_p, i * LANES, load(wk.s_p, i * LANES) - (x * c_re + y * c_im))
        store(wk.d_q, i * LANES, load(wk.s_q, i * LANES) - (y * c_re - x * c_im))
    for k in range(g.laws):
        _law_balance(g, wk, k)
    for c in range(whole(wk.count)[0]):
        change_balance(task, wk, whole(wk.change_lane)[c], whole(wk.change_of)[c])


@kernel
def _law_balance(g, wk, k):
    """What a load that follows the voltage takes beyond its consumption at 1 pu."""
    at = whole(g.law_node)[k] * LANES
    x, y = load(wk.v_re, at), load(wk.v_im, at)
    square = x * x + y * y
    more_i, more_z = root(square) - 1.0, square - 1.0
    p = floats(g.law_pi)[k] * more_i + floats(g.law_pz)[k] * more_z
    q = floats(g.law_qi)[k] * more_i + floats(g.law_qz)[k] * more_z
    store(wk.d_p, at, load(wk.d_p, at) - load(wk.law_p, k * LANES) * p)
    store(wk.d_q, at, load(wk.d_q, at) - load(wk.law_q, k * LANES) * q)


@kernel
def change_balance(task, wk, lane, c):
    """Take what flows through the changed part of a branch off the balance of one lane."""
    f, t = whole(task.change_from)[c] * LANES + lane, whole(task.change_to)[c] * LANES + lane
    vf, vt = complex(floats(wk.v_re)[f], floats(wk.v_im)[f]), complex(floats(wk.v_re)[t], floats(wk.v_im)[t])
    y, share = floats(task.change_y), floats(wk.share)[lane]
    s = vf * (complex(y[8 * c + 0], y[8 * c + 1]) * vf + complex(y[8 * c + 2], y[8 * c + 3]) * vt).conjugate() * share
    floats(wk.d_p)[f] -= s.real
    floats(wk.d_q)[f] -= s.imag
    s = vt * (complex(y[8 * c + 4], y[8 * c + 5]) * vf + complex(y[8 * c + 6], y[8 * c + 7]) * vt).conjugate() * share
    floats(wk.d_p)[t] -= s.real
    floats(wk.d_q)[t] -= s.imag


@kernel
def right_side(g, p, wk):
    """The balance in the order of elimination into r, its largest size and that of the set points into err."""
    err = spread(0.0)
    for i in range(g.nodes):
        angle, magnitude = whole(p.angle)[i], whole(p.magnitude)[i]
        if angle >= 0:
            d_p = load(wk.d_p, i * LANES)
            err = largest(err, absolute(d_p))
            if magnitude >= 0:
                d_q = load(wk.d_q, i * LANES)
                err = largest(err, absolute(d_q))
                store(wk.r, angle * LANES, d_p * floats(g.turn_r)[i] - d_q * floats(g.turn_i)[i])
                store(wk.r, magnitude * LANES, d_p * floats(g.turn_i)[i] + d_q * floats(g.turn_r)[i])
            else:
                store(wk.r, angle * LANES, d_p)
        if whole(g.held)[i] != 0:
            x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
            err = largest(err, absolute((x * x + y * y) * load(wk.set2, i * LANES) - 1.0))
    store(wk.err, 0, err)


@kernel
def substitute(p, f, r):
    """Solve L U x = r in place, all lanes with the same factors."""
    size, ptr, idx, values = p.size, unsigned(p.l_ptr), unsigned(p.l_idx), floats(f.l_val)
    for i in range(size):
        x = load(r, i * LANES)
        for k in range(ptr[i], ptr[i + 1]):
            x = x - values[k] * load(r, idx[k])
        store(r, i * LANES, x)
    ptr, idx, values, pivot = unsigned(p.u_ptr), unsigned(p.u_idx), floats(f.u_val), floats(f.pivot)
    for i in range(size - 1, -1, -1):
        x = load(r, i * LANES)
        for k in range(ptr[i], ptr[i + 1]):
            x = x - values[k] * load(r, idx[k])
        store(r, i * LANES, x * pivot[i])


@kernel
def turn(g, p, wk):
    """Apply the correction in r to the voltages."""
    for i in range(g.nodes):
        x, y = load(wk.v_re, i * LANES), load(wk.v_im, i * LANES)
        if whole(p.angle)[i] >= 0:
            b = load(wk.r, whole(p.angle)[i] * LANES)
            if whole(p.magnitude)[i] >= 0:
                a = load(wk.r, whole(p.magnitude)[i] * LANES)
                c, d = 1.0 + a + 0.5 * (a * a - b * b), b + a * b
            else:
                c, d = 1.0 - 0.5 * (b * b), b
            x, y = x * c - y * d, x * d + y * c
        if whole(g.held)[i] != 0:
            c = 1.5 - 0.5 * ((x * x + y * y) * load(wk.set2, i * LANES))
            x, y = x * c, y * c
        store(wk.v_re, i * LANES, x)
        store(wk.v_im, i * LANES, y)


@kernel
def factorise(g, p, f):
    """Factorise the Jacobian at the point held in f; returns the sign of its determinant, 0 if it is singular."""
    w, sign, pivot, l_val, u_val = floats(f.row), 1.0, floats(f.pivot), floats(f.l_val), floats(f.u_val)
    l_ptr, l_idx, u_ptr, u_idx = unsigned(p.l_ptr), unsigned(p.l_idx), unsigned(p.u_ptr), unsigned(p.u_idx)
    for row in range(p.size):
        for m in range(l_ptr[row], l_ptr[row + 1]):
            w[l_idx[m] // WIDTH] = 0.0
        for m in range(u_ptr[row], u_ptr[row + 1]):
            w[u_idx[m] // WIDTH] = 0.0
        w[row] = 0.0
        i = whole(p.owner)[row]
        _scatter(g, p, f, i, whole(p.magnitude)[i] == row)
        for m in range(l_ptr[row], l_ptr[row + 1]):
            k = l_idx[m] // WIDTH
            factor = w[k] * pivot[k]
            l_val[m] = factor
            for j in range(u_ptr[k], u_ptr[k + ONE]):
                w[u_idx[j] // WIDTH] -= factor * u_val[j]
        for m in range(u_ptr[row], u_ptr[row + 1]):
            u_val[m] = w[u_idx[m] // WIDTH]
        pivot[row] = 1.0 / w[row] if w[row] != 0.0 else 0.0
        sign *= 1.0 if w[row] > 0.0 else (-1.0 if w[row] < 0.0 else 0.0)
    return sign


@kernel
def _scatter(g, p, f, i, reactive):
    """A row of the Jacobian: d(turn S_i) by angle is -j c_k, by log magnitude c_k, with c_k = V_i (Y_ik V_k)*."""
    w, angle, magnitude, v_re, v_im = floats(f.row), whole(p.angle), whole(p.magnitude), floats(f.v_re), floats(f.v_im)
    y_ptr, y_idx, y_g, y_b = unsigned(g.y_ptr), unsigned(g.y_idx), floats(g.y_g), floats(g.y_b)
    v, total = complex(v_re[i], v_im[i]), 0j
    if magnitude[i] >= 0:
        v *= complex(floats(g.turn_r)[i], floats(g.turn_i)[i])
    for m in range(y_ptr[i], y_ptr[i + 1]):
        k = y_idx[m] // WIDTH
        c = v * (complex(y_g[m], y_b[m]) * complex(v_re[k], v_im[k])).conjugate()
        total += c
        if angle[k] >= 0:
            w[angle[k]] += -c.real if reactive else c.imag
            if magnitude[k] >= 0:
                w[magnitude[k]] += c.imag if reactive else c.real
    w[angle[i]] += total.real if reactive else -total.imag
    if magnitude[i] >= 0:
        w[magnitude[i]] += total.imag if reactive else total.real
        row = whole(g.law_of)[i]
        if row >= 0:
            v2 = v_re[i] * v_re[i] + v_im[i] * v_im[i]
            vm = math.sqrt(v2)
            p = floats(f.law_p)[row] * (floats(g.law_pi)[row] * vm + 2.0 * floats(g.law_pz)[row] * v2)
            q = floats(f.law_q)[row] * (floats(g.law_qi)[row] * vm + 2.0 * floats(g.law_qz)[row] * v2)
            c = complex(p, q) * complex(floats(g.turn_r)[i], floats(g.turn_i)[i])
            w[magnitude[i]] += c.imag if reactive else c.real
