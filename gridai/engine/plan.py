"""The arrays that the compiled engine works on, and how it calls a model.

`Plan` never changes in a run, `Topo` belongs to one network topology, `Work` is the state and scratch of one run.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gridai.kernel.contract import kernel

# columns of Plan.groups
ADDR, COUNT, P_OFF, X_OFF, X_LEN, Z_OFF, U_OFF, U_LEN, Y_OFF, G_OFF, G_LEN, G_WIDTH, BUS_OFF = range(13)
CURRENT, LATE, CLAMP, TRACK, PASSIVE = range(13, 18)
CURRENT_NONE, CURRENT_STATES, CURRENT_VOLTAGE = 0, 1, 2

# status of `advance`
DONE, ACTION, NETWORK_FAILED, STATE_FAILED, BUFFER_FULL, CHATTER = range(6)

# integers of Work.ints
GRID_K, NUM, DEN, DECIMATE, ROWS, WORST, ACTIONS, STEPS, SOLVES, REFRESHES, NEXT_BREAK, STORE_END, ADAMS = range(13)
# floats of Work.floats
TIME, RESIDUAL, TOL, FINE_UNTIL, BEFORE_S = range(5)

TASK_ADVANCE, TASK_ARRIVE, TASK_EVALUATE = range(3)
STAGE_JUMP, STAGE_END, STAGE_TRIAL = range(3)

TIME_TOL_S = 1e-9
LOCATE_TOL_S = 1e-7
LIMIT_TOL_S = 1e-6
FINE_S = 0.05
MAX_ITERATIONS = 80
MAX_CHAIN = 200


class Plan(NamedTuple):
    """What never changes in a run: groups of units, wiring, parameters, playback, channels."""

    groups: Any  # int64[groups, 18]
    order: Any  # int64[groups]: groups sorted by role
    bus: Any  # int64: node of each unit of each group
    p: Any  # float64: parameters
    u_src: Any  # uint64 (no index below zero to look for): where each input lies in the signals
    pb_slot: Any  # int64[playbacks]: signal slot
    pb_start: Any  # int64[playbacks + 1]: first point of each
    pb_t: Any  # float64: time of each point [s]
    pb_v: Any  # float64: value of each point
    breaks: Any  # float64: instants where a playback jumps [s]
    rec: Any  # uint64: recorded signal slots


class Topo(NamedTuple):
    """A factorised network: Pr Y Pc = L U, and the impedances between the buses with nonlinear current."""

    lp: Any
    li: Any
    lx: Any
    up: Any
    ui: Any
    ux: Any
    dinv: Any
    perm_r: Any
    perm_c: Any
    nl: Any  # int64[m]: nodes with nonlinear current
    zmm: Any  # complex128[m, m], or [m, 1] (the diagonal) when there are many
    dense: Any  # int64[1]: 1 when zmm is the full matrix
    src: Any  # int64[s]: nodes with current, if multiplying by zs is quicker than L U; else empty
    zs: Any  # float64[s, 2, 2 n]: columns c of Y^-1 at src as rows, the parts of c and of j c side by side
    near: Any  # int64[a]: nodes whose voltage a trial stage needs
    zt: Any  # float64[s, 2, 2 a]: the same as zs at the nodes `near`


class Work(NamedTuple):
    """State and scratch of one run. `sig` holds bus voltages, outputs and constants; `v` is a view of it."""

    at: Any  # int64[groups, 9]: entry, units, addresses of p, (offset of x), z, u, y, g, bus [bytes]
    x: Any
    xs: Any  # predictor
    xn: Any  # corrector
    d0: Any  # derivative at the last step's start
    d1: Any
    d2: Any
    dn: Any
    z: Any
    u: Any
    sig: Any
    v: Any
    g: Any
    g_old: Any
    i0: Any
    inl: Any
    w: Any
    vb: Any
    c: Any
    ishift: Any
    r: Any
    near: Any  # float64[2 n]: voltages at Topo.near in a trial stage
    jinv: Any
    have: Any  # int64[1]: 1 when jinv is usable
    act: Any
    actions: Any  # int64[64, 3]
    seg: Any
    ints: Any
    floats: Any


@intrinsic
def call_entry(typing_context, addr, op, n, p, x, z, u, y, d, g, bus, v, w, a, t):
    """Call a model's compiled entry by address (see kernel.compile)."""
    signature = types.void(*([types.int64] * 14), types.float64)

    def build(context, builder, sig, args):
        i64, void = ir.IntType(64), ir.VoidType()
        entry = ir.FunctionType(void, [i64] * 13 + [ir.DoubleType()])
        builder.call(builder.inttoptr(args[0], entry.as_pointer()), args[1:])
        return context.get_dummy_value()

    return signature, build


@kernel
def call(pl, wk, k, op, x, d, v, w, t):
    """Run one operation over all units of group k."""
    at, row = wk.at, np.uint64(k)
    call_entry(  # type: ignore[call-arg]
        at[row, 0],
        op,
        at[row, 1],
        at[row, 2],
        x.ctypes.data + at[row, 3],
        at[row, 4],
        at[row, 5],
        at[row, 6],
        d.ctypes.data + at[row, 3],
        at[row, 7],
        at[row, 8],
        v.ctypes.data,
        w.ctypes.data,
        wk.act.ctypes.data,
        t,
    )


@kernel
def gather(pl, wk, k):
    """Copy the inputs of group k from the signals."""
    first = np.uint64(pl.groups[k, U_OFF])
    u, sig, places = wk.u, wk.sig, pl.u_src
    for j in range(first, first + np.uint64(pl.groups[k, U_LEN])):
        u[j] = sig[places[j]]


@kernel
def play(pl, wk, t, stage):
    """Playback signals at time t; only STAGE_JUMP takes the value after a jump, else it is the one before."""
    left = stage != STAGE_JUMP
    for k in range(pl.pb_slot.size):
        first, last = pl.pb_start[k], pl.pb_start[k + 1] - 1
        s = min(max(wk.seg[k], first), last)
        while s > first and (pl.pb_t[s] > t or (left and pl.pb_t[s] >= t)):
            s -= 1
        while s < last and (pl.pb_t[s + 1] < t or (not left and pl.pb_t[s + 1] <= t)):
            s += 1
        wk.seg[k] = s
        value = pl.pb_v[s]
        if s < last and t > pl.pb_t[s]:
            span = pl.pb_t[s + 1] - pl.pb_t[s]
            if span > 0.0:
                value += (pl.pb_v[s + 1] - value) * (t - pl.pb_t[s]) / span
        wk.sig[pl.pb_slot[k]] = value
