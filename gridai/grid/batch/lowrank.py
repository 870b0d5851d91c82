"""Outages by a low-rank update of the shared factors: J = J0 + E D E', four rows and columns for each changed branch.

With y = J0^-1 r and Z = J0^-1 E the correction is y - Z (I + D E'Z)^-1 D (E'y) (Woodbury). Z costs one solution with
the shared factors for each column, all lanes at once; D is the change of the Jacobian at the operating point.
"""

from gridai.grid.batch.lanes import LANES, floats, load, spread, store, whole
from gridai.grid.batch.shared import substitute
from gridai.kernel.contract import kernel

BYTES = 8
NAN = float("nan")


@kernel
def prepare(g, p, f, task, wk):
    """Columns of Z and the small matrix (I + D E'Z)^-1 D of every lane."""
    rank, size = 4 * whole(wk.count)[2], p.size
    unknown, d = whole(wk.unknown), floats(wk.small_d)
    for k in range(rank * LANES):
        unknown[k] = -1
    for k in range(rank * rank * LANES):
        d[k] = 0.0
    slot, last = 0, -1
    for n in range(whole(wk.count)[0]):
        lane = whole(wk.change_lane)[n]
        slot = slot + 1 if lane == last else 0
        last = lane
        _change_of_jacobian(g, p, f, task, wk, whole(wk.change_of)[n], slot, lane)
    for column in range(rank):
        z = wk.z + column * size * LANES * BYTES
        for k in range(size):
            store(z, k * LANES, spread(0.0))
        for lane in range(LANES):
            if unknown[column * LANES + lane] >= 0:
                floats(z)[unknown[column * LANES + lane] * LANES + lane] = 1.0
        substitute(p, f, z)
    for lane in range(LANES):
        _small_inverse(p, task, wk, lane)


@kernel
def _change_of_jacobian(g, p, f, task, wk, c, slot, lane):
    """Rows and columns 4 slot ... 4 slot + 3 of D: angle and log magnitude of the from node and of the to node."""
    unknown, y, v_re, v_im = whole(wk.unknown), floats(task.change_y), floats(f.v_re), floats(f.v_im)
    one, two = whole(task.change_from)[c], whole(task.change_to)[c]
    for side in range(2):
        i, k = (one, two) if side == 0 else (two, one)
        row = 4 * slot + 2 * side
        far = 4 * slot + 2 - 2 * side
        unknown[row * LANES + lane] = whole(p.angle)[i]
        unknown[(row + 1) * LANES + lane] = whole(p.magnitude)[i]
        v, w = complex(v_re[i], v_im[i]), complex(v_re[k], v_im[k])
        at = 8 * c + (0 if side == 0 else 6)
        own = complex(y[at], y[at + 1])
        at = 8 * c + (2 if side == 0 else 4)
        other = complex(y[at], y[at + 1])
        turned = v
        if whole(p.magnitude)[i] >= 0:
            turned = v * complex(floats(g.turn_r)[i], floats(g.turn_i)[i])
        own = turned * (own * v).conjugate()
        other = turned * (other * w).conjugate()
        _entry(p, task, wk, row, row, i, i, complex(0.0, 1.0) * other, 2.0 * own + other, lane)
        _entry(p, task, wk, row, far, i, k, complex(0.0, -1.0) * other, other, lane)


@kernel
def _entry(p, task, wk, row, column, i, k, by_angle, by_magnitude, lane):
    """Two rows (active, reactive) and two columns of D, where the unknowns exist."""
    d, rank = floats(wk.small_d), 4 * whole(wk.count)[2]
    at = (row * rank + column) * LANES + lane
    if whole(p.angle)[i] < 0 or whole(p.angle)[k] < 0:
        return
    d[at] += by_angle.real
    if whole(p.magnitude)[k] >= 0:
        d[at + LANES] += by_magnitude.real
    if whole(p.magnitude)[i] >= 0:
        d[at + rank * LANES] += by_angle.imag
        if whole(p.magnitude)[k] >= 0:
            d[at + (rank + 1) * LANES] += by_magnitude.imag


@kernel
def _small_inverse(p, task, wk, lane):
    """(I + D S)^-1 D of one lane in place of D, by elimination with pivoting.

    Where det(I + D S) is not positive the network with the change stands beyond its fold at this point: NaN, so that
    the lane is left to continuation.
    """
    rank, size = 4 * whole(wk.count)[2], p.size
    unknown, d, m, z = whole(wk.unknown), floats(wk.small_d), floats(wk.small_m), floats(wk.z)
    for r in range(rank):
        for c in range(rank):
            total = 1.0 if r == c else 0.0
            at = unknown[c * LANES + lane]
            for k in range(rank):
                u = unknown[k * LANES + lane]
                if at >= 0 and u >= 0:
                    # S[k, c]: what a unit in row c moves unknown k
                    total += d[(r * rank + k) * LANES + lane] * z[(c * size + u) * LANES + lane]
            m[r * rank + c] = total
    sign = 1.0
    for c in range(rank):
        top = c
        for r in range(c + 1, rank):
            if abs(m[r * rank + c]) > abs(m[top * rank + c]):
                top = r
        for k in range(rank):
            m[c * rank + k], m[top * rank + k] = m[top * rank + k], m[c * rank + k]
            one, two = (c * rank + k) * LANES + lane, (top * rank + k) * LANES + lane
            d[one], d[two] = d[two], d[one]
        sign *= (1.0 if top == c else -1.0) * m[c * rank + c]
        scale = 1.0 / m[c * rank + c]
        for k in range(rank):
            m[c * rank + k] *= scale
            d[(c * rank + k) * LANES + lane] *= scale
        for r in range(rank):
            factor = m[r * rank + c]
            if r != c and factor != 0.0:
                for k in range(rank):
                    m[r * rank + k] -= factor * m[c * rank + k]
                    d[(r * rank + k) * LANES + lane] -= factor * d[(c * rank + k) * LANES + lane]
    if not sign > 0.0:
        for k in range(rank * rank):
            d[k * LANES + lane] = NAN


@kernel
def correct(p, task, wk):
    """The correction y in r becomes that of the changed Jacobian."""
    rank, size = 4 * whole(wk.count)[2], p.size
    unknown, d, r, part = whole(wk.unknown), floats(wk.small_d), floats(wk.r), floats(wk.small_y)
    for k in range(rank):
        store(wk.small_y, k * LANES, spread(0.0))
    for lane in range(LANES):
        for k in range(rank):
            u = unknown[k * LANES + lane]
            if u >= 0:
                y = r[u * LANES + lane]
                for row in range(rank):
                    part[row * LANES + lane] += d[(row * rank + k) * LANES + lane] * y
    for column in range(rank):
        z, weight = wk.z + column * size * LANES * BYTES, load(wk.small_y, column * LANES)
        for k in range(size):
            store(wk.r, k * LANES, load(wk.r, k * LANES) - load(z, k * LANES) * weight)
