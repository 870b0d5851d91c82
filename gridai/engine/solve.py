"""The network: triangular solves, and Newton's method on the currents that depend on voltage.

Machines give currents that depend on states alone, so one solve of the factorised matrix gives the voltages,
v = Y^-1 i. Loads, clusters and converters give currents i(v). At their m buses the residual

    r(w) = w - Z (i0 + i(w)),    Z = the rows and columns of Y^-1 at these buses

is driven below the tolerance by Newton's method; its matrix I - Z di/dv is kept while the iteration contracts.
With few such buses Z and the matrix are full; with many, r comes from a full solve and the matrix is a 2 x 2
block for each bus. Functions are marked `@kernel` and compiled by `gridai.engine.machine`.
"""

import numpy as np

from gridai.engine.plan import (
    CURRENT,
    CURRENT_STATES,
    CURRENT_VOLTAGE,
    MAX_ITERATIONS,
    REFRESHES,
    RESIDUAL,
    SOLVES,
    STAGE_END,
    STAGE_TRIAL,
    TOL,
    WORST,
    call,
)
from gridai.kernel.compile import OP_CURRENT
from gridai.kernel.contract import kernel


@kernel
def lu_solve(tp, b, x, c):
    """x = Y^-1 b with the factors of this topology."""
    n = b.size
    for k in range(n):
        c[tp.perm_r[k]] = b[k]
    for j in range(n):
        cj = c[j]
        if cj.real != 0.0 or cj.imag != 0.0:
            for q in range(tp.lp[j], tp.lp[j + 1]):
                c[tp.li[q]] -= tp.lx[q] * cj
    for j in range(n - 1, -1, -1):
        re, im = c[j].real, c[j].imag
        for q in range(tp.up[j], tp.up[j + 1]):
            a, b2 = tp.ux[q], c[tp.ui[q]]
            re -= a.real * b2.real - a.imag * b2.imag
            im -= a.real * b2.imag + a.imag * b2.real
        c[j] = complex(re, im) * tp.dinv[j]
    for k in range(n):
        x[k] = c[tp.perm_c[k]]


@kernel
def near_voltages(tp, wk, b):
    """The product of `voltages` at the nodes tp.near."""
    parts = tp.zt.shape[2]
    for k in range(parts):
        wk.near[k] = 0.0
    for j in range(tp.src.size):
        i_re, i_im = b[tp.src[j]].real, b[tp.src[j]].imag
        for k in range(parts):
            wk.near[k] += tp.zt[j, 0, k] * i_re + tp.zt[j, 1, k] * i_im
    for q in range(tp.near.size):
        wk.v[tp.near[q]] = complex(wk.near[2 * q], wk.near[2 * q + 1])


@kernel
def voltages(tp, wk, b, stage):
    """wk.v = Y^-1 b for currents b at the nodes with a current: by product where that is quicker, else by L U.

    A product for STAGE_TRIAL gives the voltages that are read there, and leaves the others.
    """
    if tp.src.size == 0:
        lu_solve(tp, b, wk.v, wk.c)
        return
    if stage == STAGE_TRIAL:
        near_voltages(tp, wk, b)
        return
    parts = 2 * b.size
    for k in range(parts):
        wk.sig[k] = 0.0
    for j in range(tp.src.size):
        i_re, i_im = b[tp.src[j]].real, b[tp.src[j]].imag
        for k in range(parts):
            wk.sig[k] += tp.zs[j, 0, k] * i_re + tp.zs[j, 1, k] * i_im


@kernel
def background(tp, wk):
    """Voltages without the nonlinear currents into wk.vb, at the nonlinear buses."""
    if tp.src.size == 0:
        lu_solve(tp, wk.i0, wk.vb, wk.c)
        return
    for q in range(tp.nl.size):
        k, re, im = tp.nl[q], 0.0, 0.0
        for j in range(tp.src.size):
            i_re, i_im = wk.i0[tp.src[j]].real, wk.i0[tp.src[j]].imag
            re += tp.zs[j, 0, 2 * k] * i_re + tp.zs[j, 1, 2 * k] * i_im
            im += tp.zs[j, 0, 2 * k + 1] * i_re + tp.zs[j, 1, 2 * k + 1] * i_im
        wk.vb[k] = complex(re, im)


@kernel
def nonlinear_currents(pl, tp, wk, x, v, out, t):
    """Currents of all groups that depend on voltage, at voltages v."""
    for q in range(tp.nl.size):
        out[tp.nl[q]] = 0.0
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, CURRENT] == CURRENT_VOLTAGE:
            call(pl, wk, k, np.int64(OP_CURRENT), x, wk.d2, v, out, t)


@kernel
def invert(a, n):
    """Inverse of the n x n matrix in a[:, :n] by Gauss-Jordan with row pivots, in place; False if singular."""
    for c in range(n):
        for r in range(n):
            a[r, n + c] = 1.0 if r == c else 0.0
    for c in range(n):
        best = c
        for r in range(c + 1, n):
            if abs(a[r, c]) > abs(a[best, c]):
                best = r
        if abs(a[best, c]) < 1e-300:
            return False
        for q in range(2 * n):
            a[c, q], a[best, q] = a[best, q], a[c, q]
        scale = 1.0 / a[c, c]
        for q in range(2 * n):
            a[c, q] *= scale
        for r in range(n):
            f = a[r, c]
            if r != c and f != 0.0:
                for q in range(2 * n):
                    a[r, q] -= f * a[c, q]
    for r in range(n):
        for q in range(n):
            a[r, q] = a[r, n + q]
    return True


@kernel
def refresh_jacobian(pl, tp, wk, x, t):
    """Inverse of I - Z di/dv at the present voltages: full for few nonlinear buses, else a block for each bus."""
    m, nl = tp.nl.size, tp.nl
    step = 1e-6
    jac = wk.jinv
    dense = tp.dense[0] == 1
    for axis in range(2):
        shift = complex(step, 0.0) if axis == 0 else complex(0.0, step)
        for q in range(m):
            wk.w[nl[q]] += shift
        nonlinear_currents(pl, tp, wk, x, wk.w, wk.ishift, t)
        for q in range(m):
            wk.r[q] = wk.ishift[nl[q]]
            wk.w[nl[q]] -= 2.0 * shift
        nonlinear_currents(pl, tp, wk, x, wk.w, wk.ishift, t)
        for q in range(m):
            wk.w[nl[q]] += shift
            slope = (wk.r[q] - wk.ishift[nl[q]]) / (2.0 * step)
            for k in range(m if dense else 1):
                row = k if dense else q
                e = -(tp.zmm[k, q] if dense else tp.zmm[q, 0]) * slope
                col = 2 * q + axis if dense else axis
                jac[2 * row, col] = e.real
                jac[2 * row + 1, col] = e.imag
    if dense:
        for q in range(2 * m):
            jac[q, q] += 1.0
        return invert(jac, 2 * m)
    for q in range(m):
        a, b = 1.0 + jac[2 * q, 0], jac[2 * q, 1]
        c, d = jac[2 * q + 1, 0], 1.0 + jac[2 * q + 1, 1]
        det = a * d - b * c
        jac[2 * q, 0], jac[2 * q, 1], jac[2 * q + 1, 0], jac[2 * q + 1, 1] = d / det, -b / det, -c / det, a / det
    return True


@kernel
def network_residual(pl, tp, wk, x, t):
    """r = w - Z (i0 + i(w)) at the nonlinear buses; returns the largest |r| and notes its bus."""
    m, nl = tp.nl.size, tp.nl
    nonlinear_currents(pl, tp, wk, x, wk.w, wk.inl, t)
    worst = 0.0
    if tp.dense[0] == 0:
        for k in range(wk.i0.size):
            wk.ishift[k] = wk.i0[k]
        for q in range(m):
            wk.ishift[nl[q]] += wk.inl[nl[q]]
        voltages(tp, wk, wk.ishift, np.int64(STAGE_END))
    for q in range(m):
        if tp.dense[0] == 1:
            s = wk.vb[nl[q]]
            for k in range(m):
                s += tp.zmm[q, k] * wk.inl[nl[k]]
        else:
            s = wk.v[nl[q]]
        wk.r[q] = wk.w[nl[q]] - s
        size = abs(wk.r[q])
        if not size <= worst:
            worst = size
            wk.ints[WORST] = nl[q]
    return worst


@kernel
def correct(tp, wk):
    """w -= J^-1 r."""
    m, nl = tp.nl.size, tp.nl
    if tp.dense[0] == 1:
        for q in range(m):
            re, im = 0.0, 0.0
            for k in range(m):
                rr, ri = wk.r[k].real, wk.r[k].imag
                re += wk.jinv[2 * q, 2 * k] * rr + wk.jinv[2 * q, 2 * k + 1] * ri
                im += wk.jinv[2 * q + 1, 2 * k] * rr + wk.jinv[2 * q + 1, 2 * k + 1] * ri
            wk.w[nl[q]] -= complex(re, im)
    else:
        for q in range(m):
            rr, ri = wk.r[q].real, wk.r[q].imag
            a = wk.jinv[2 * q, 0] * rr + wk.jinv[2 * q, 1] * ri
            b = wk.jinv[2 * q + 1, 0] * rr + wk.jinv[2 * q + 1, 1] * ri
            wk.w[nl[q]] -= complex(a, b)


@kernel
def newton(pl, tp, wk, x, t):
    """Newton's method on w from where it stands. Returns False when it does not settle."""
    tol, before, since = wk.floats[TOL], np.inf, 0
    for _ in range(MAX_ITERATIONS):
        worst = network_residual(pl, tp, wk, x, t)
        wk.floats[RESIDUAL] = worst
        if worst < tol:
            return True
        if not np.isfinite(worst):
            return False
        if wk.have[0] == 0 or (worst > 0.2 * before and since >= 2):
            wk.have[0] = 1 if refresh_jacobian(pl, tp, wk, x, t) else 0
            wk.ints[REFRESHES] += 1
            since = 0
            network_residual(pl, tp, wk, x, t)
        before = worst
        since += 1
        correct(tp, wk)
    return False


@kernel
def solve_network(pl, tp, wk, x, t, stage):
    """Bus voltages at (t, x) into wk.v. Returns False when the nonlinear currents do not settle.

    The iteration starts from the last voltages. After a fault these may be so low that loads which are impedances
    there leave no solution nearby: then once more from the voltages without the nonlinear currents, which are high.
    """
    n = wk.i0.size
    for k in range(n):
        wk.i0[k] = 0.0
    for k in range(pl.groups.shape[0]):
        if pl.groups[k, CURRENT] == CURRENT_STATES:
            call(pl, wk, k, np.int64(OP_CURRENT), x, wk.d2, wk.v, wk.i0, t)
    wk.ints[SOLVES] += 1
    m = tp.nl.size
    if m == 0:
        voltages(tp, wk, wk.i0, stage)
        return True
    if tp.dense[0] == 1:
        background(tp, wk)
    for q in range(m):
        wk.w[tp.nl[q]] = wk.v[tp.nl[q]]
    if not newton(pl, tp, wk, x, t):
        background(tp, wk)
        for q in range(m):
            wk.w[tp.nl[q]] = wk.vb[tp.nl[q]]
        wk.have[0] = 0
        if not newton(pl, tp, wk, x, t):
            return False
    if tp.dense[0] == 1:
        for q in range(m):
            wk.i0[tp.nl[q]] += wk.inl[tp.nl[q]]
        voltages(tp, wk, wk.i0, stage)
    return True
