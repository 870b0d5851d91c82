"""What the lanes hold into the columns of their scenarios."""

from gridai.grid.batch.lanes import LANES, floats, largest, load, root, store, whole
from gridai.kernel.contract import kernel

NAN = float("nan")


@kernel
def _loadings(br, task, wk):
    """Loading of every branch in percent: the larger end's current over its rating."""
    for k in range(br.count):
        f, t = whole(br.from_node)[k] * LANES, whole(br.to_node)[k] * LANES
        a, b, c, d = load(wk.v_re, f), load(wk.v_im, f), load(wk.v_re, t), load(wk.v_im, t)
        y = floats(br.y)
        x = y[8 * k + 0] * a - y[8 * k + 1] * b + y[8 * k + 2] * c - y[8 * k + 3] * d
        z = y[8 * k + 0] * b + y[8 * k + 1] * a + y[8 * k + 2] * d + y[8 * k + 3] * c
        one = (x * x + z * z) * (floats(br.from_scale)[k] * floats(br.from_scale)[k])
        x = y[8 * k + 4] * a - y[8 * k + 5] * b + y[8 * k + 6] * c - y[8 * k + 7] * d
        z = y[8 * k + 4] * b + y[8 * k + 5] * a + y[8 * k + 6] * d + y[8 * k + 7] * c
        two = (x * x + z * z) * (floats(br.to_scale)[k] * floats(br.to_scale)[k])
        store(wk.loading, k * LANES, root(largest(one, two)))
    for n in range(whole(wk.count)[0]):
        k = whole(task.change_branch)[whole(wk.change_of)[n]]
        if 0 <= k < br.count:
            _changed_loading(br, task, wk, k, whole(wk.change_of)[n], whole(wk.change_lane)[n])


@kernel
def _changed_loading(br, task, wk, k, c, lane):
    f, t = whole(br.from_node)[k] * LANES + lane, whole(br.to_node)[k] * LANES + lane
    v_f, v_t = complex(floats(wk.v_re)[f], floats(wk.v_im)[f]), complex(floats(wk.v_re)[t], floats(wk.v_im)[t])
    one = _entry(br, task, k, c, 0) * v_f + _entry(br, task, k, c, 2) * v_t
    two = _entry(br, task, k, c, 4) * v_f + _entry(br, task, k, c, 6) * v_t
    top = max(abs(one) * floats(br.from_scale)[k], abs(two) * floats(br.to_scale)[k])
    floats(wk.loading)[k * LANES + lane] = top


@kernel
def _entry(br, task, k, c, column):
    """An admittance of branch k with its change c."""
    y, change = floats(br.y), floats(task.change_y)
    return complex(y[8 * k + column] + change[8 * c + column], y[8 * k + column + 1] + change[8 * c + column + 1])


@kernel
def write(g, br, task, wk, answer, in_a_row):
    """The lanes' results into the columns of their scenarios."""
    _loadings(br, task, wk)
    for i in range(g.nodes):
        _write_row(wk, wk.v_re, i, answer.v_re, task.padded, in_a_row)
        _write_row(wk, wk.v_im, i, answer.v_im, task.padded, in_a_row)
    for k in range(br.count):
        _write_row(wk, wk.loading, k, answer.loading, task.padded, in_a_row)


@kernel
def _write_row(wk, lanes, row, out, padded, in_a_row):
    if in_a_row:
        store(out, row * padded + whole(wk.scenario)[0], load(lanes, row * LANES))
    else:
        for lane in range(LANES):
            floats(out)[row * padded + whole(wk.scenario)[lane]] = floats(lanes)[row * LANES + lane]


@kernel
def blank(g, br, task, answer, s):
    """NaN for a scenario without a certified solution."""
    for i in range(g.nodes):
        floats(answer.v_re)[i * task.padded + s] = NAN
        floats(answer.v_im)[i * task.padded + s] = NAN
    for k in range(br.count):
        floats(answer.loading)[k * task.padded + s] = NAN


@kernel
def blank_dead(br, task, answer, s):
    """NaN for the nodes without supply, and for the branches at them."""
    if task.has_dead != 0:
        for k in range(whole(task.dead_ptr)[s], whole(task.dead_ptr)[s + 1]):
            i = whole(task.dead_node)[k]
            floats(answer.v_re)[i * task.padded + s] = NAN
            floats(answer.v_im)[i * task.padded + s] = NAN
            for b in range(br.count):
                if whole(br.from_node)[b] == i or whole(br.to_node)[b] == i:
                    floats(answer.loading)[b * task.padded + s] = NAN
