"""The arrays that the compiled power flow works on. Lane arrays are flat: element i, lane l at i * LANES + l.

`Grid` belongs to a network and never changes, `Factor` to one operating point, `Task` to one call, `Work` is scratch
of one thread. Compiled code gets each of them as one record (see `record`): arrays by their address, numbers as they
are. So many arrays as arguments would make the compiler work for a minute.
"""

from typing import Any, NamedTuple

import numpy as np

# status of a scenario
SOLVED, NO_SOLUTION, BAD_INPUT, Q_LIMITS_FAIL = range(4)

# what a column of the input drives
DRIVES_P, DRIVES_Q, DRIVES_V = range(3)


class Grid(NamedTuple):
    """n nodes in pandapower's internal order, powers and admittances in pu."""

    y_ptr: Any  # uint64[n + 1]: rows of Ybus
    y_idx: Any  # uint64, times LANES
    y_g: Any  # float64: real part
    y_b: Any  # float64: imaginary part
    turn_r: Any  # float64[n]: factor of unit size on a node's balance that makes its pivot positive
    turn_i: Any  # float64[n]
    nodes: Any  # int: n
    held: Any  # int64[n]: 1 where the magnitude is held
    reference: Any  # int64[n]: 1 where the angle is held too
    q_min: Any  # float64[n]: reactive range of the units at a node whose magnitude may be freed, pu
    q_max: Any  # float64[n]
    laws: Any  # int: nodes whose load follows the voltage
    law_node: Any  # int64[laws]
    law_of: Any  # int64[n]: row of law_node, -1 for constant power
    law_pi: Any  # float64[laws]: share of the load's P that goes with |V|
    law_pz: Any  # with |V|^2
    law_qi: Any  # the same of Q
    law_qz: Any


class Pattern(NamedTuple):
    """See `order.Pattern`."""

    size: Any  # int: unknowns
    angle: Any  # int64[n]
    magnitude: Any  # int64[n]
    owner: Any  # int64[unknowns]: node of each unknown
    l_ptr: Any  # uint64
    l_idx: Any  # uint64, times LANES
    u_ptr: Any  # uint64
    u_idx: Any  # uint64, times LANES


class Factor(NamedTuple):
    """An operating point and the factors of its Jacobian, the same for all lanes."""

    v_re: Any  # float64[n]
    v_im: Any  # float64[n]
    l_val: Any  # float64: unit lower
    u_val: Any  # float64: strictly upper
    pivot: Any  # float64[unknowns]: reciprocal of the diagonal
    row: Any  # float64[unknowns]: scratch
    s_p: Any  # float64[n]: injection of this point, pu
    s_q: Any  # float64[n]
    set2: Any  # float64[n]: 1 / voltage set point^2 where held
    law_p: Any  # float64[laws]: what the law applies to, consumption at 1 pu, pu
    law_q: Any


class Task(NamedTuple):
    """What varies: S scenarios, padded to a multiple of LANES by repeating the last one."""

    base_p: Any  # float64[n]: injection without the columns, pu
    base_q: Any  # float64[n]
    base_v: Any  # float64[n]: voltage set point where held, pu
    base_law_p: Any  # float64[laws]: part of the injection that follows the voltage, without the columns, pu
    base_law_q: Any
    columns: Any  # int
    col_node: Any  # int64[columns]
    col_kind: Any  # int64[columns]: DRIVES_...
    col_scale: Any  # float64[columns]: value to pu
    col_law: Any  # int64[columns]: 1 where the value follows the node's law
    values: Any  # float64[columns * padded]
    scenarios: Any  # int: S
    padded: Any  # int
    has_changes: Any  # int
    change_ptr: Any  # int64[S + 1]: changes of branches of each scenario
    change_from: Any  # int64
    change_to: Any  # int64
    change_y: Any  # float64[:, 8], flat: added to y_ff, y_ft, y_tf, y_tt (real, imaginary)
    change_branch: Any  # int64: row of Branches, -1 if none
    most: Any  # int: largest number of changes in a scenario
    low_rank: Any  # int: 1 to update the factors for the changes (outages), 0 where these are small (taps)
    has_dead: Any  # int
    dead_ptr: Any  # int64[S + 1]: nodes without supply of each scenario
    dead_node: Any  # int64
    has_lost: Any  # int
    lost_ptr: Any  # int64[S + 1]: injections added to each scenario (units and loads that are out)
    lost_node: Any  # int64
    lost_p: Any  # float64, pu
    lost_q: Any  # float64
    lost_law: Any  # int64: 1 where it followed the node's law
    has_free: Any  # int
    free_ptr: Any  # int64[S + 1]: nodes whose magnitude is no longer held in each scenario
    free_node: Any  # int64
    has_range: Any  # int
    range_ptr: Any  # int64[S + 1]: changes of a node's reactive range in each scenario
    range_node: Any  # int64
    range_min: Any  # float64: added to q_min, pu
    range_max: Any  # float64
    aim: Any  # float: largest balance left over that ends the iteration, pu
    tolerance: Any  # float: largest balance left over that is certified, pu
    warm: Any  # int: 1 to start from the block before
    limits: Any  # int: 1 to enforce reactive limits


class Branches(NamedTuple):
    """m branches of which the loading is asked for."""

    count: Any  # int: m
    from_node: Any  # int64[m]
    to_node: Any  # int64[m]
    y: Any  # float64[m, 8]: y_ff, y_ft, y_tf, y_tt
    from_scale: Any  # float64[m]: loading in percent of 1 pu current at the from end
    to_scale: Any  # float64[m]


class Answer(NamedTuple):
    """Results, one column a scenario."""

    v_re: Any  # float64[n * padded]
    v_im: Any  # float64[n * padded]
    loading: Any  # float64[m * padded] in percent
    status: Any  # int64[padded]
    residual: Any  # float64[padded]: balance left over, recomputed from the voltages, pu
    reached: Any  # float64[padded]: share of the change from the base that could be made
    iterations: Any  # int64[padded]


class Work(NamedTuple):
    """Lane arrays of one thread."""

    v_re: Any  # [n]
    v_im: Any  # [n]
    s_p: Any  # [n]: specified injection
    s_q: Any  # [n]
    set2: Any  # [n]: 1 / voltage set point^2
    d_p: Any  # [n]: specified less computed injection
    d_q: Any  # [n]
    r: Any  # [unknowns]: right-hand side, then correction
    err: Any  # [1]: largest balance left over
    change_lane: Any  # int64: changes of the block, of all its lanes
    change_of: Any  # int64: which change of the task
    count: Any  # int64[3]: number of changes in the block, steps of full Newton, most changes of one lane
    share: Any  # [1]: share of the change from the base that is made
    scenario: Any  # int64[LANES]: the scenario in each lane
    loading: Any  # [m]
    law_p: Any  # [laws]: consumption at 1 pu that follows the voltage
    law_q: Any
    q_min: Any  # [n]: reactive range, where limits are enforced
    q_max: Any
    # of the low-rank update
    unknown: Any  # int64[4 most * LANES]: unknown of each column
    z: Any  # [4 most * unknowns]
    small_d: Any  # [4 most * 4 most]
    small_m: Any  # float64[4 most * 4 most]
    small_y: Any  # [4 most]
    # of the full Newton alone
    full_r: Any  # [unknowns of the full pattern]
    full_l: Any  # lanes of L
    full_u: Any  # lanes of U
    full_pivot: Any
    full_row: Any
    free: Any  # [n]: 1 where a held magnitude is freed in a lane
    t_p: Any  # [n]: target of the continuation
    t_q: Any  # [n]
    t_set: Any  # [n]
    t_law_p: Any  # [laws]
    t_law_q: Any
    o_q: Any  # [n]: reactive injection where the continuation starts
    last_re: Any  # [n]: last accepted point of the continuation
    last_im: Any  # [n]
    sign: Any  # [1]: sign of the determinant
    reached: Any  # float64[LANES]: share accepted
    part: Any  # float64[LANES]: next part of the change to try
    start_sign: Any  # [1]
    waiting: Any  # int64[LANES]: scenarios left for full Newton


def record(fields: NamedTuple) -> Any:
    """A record of the fields for compiled code: the address of an array, an integer, a float.

    The arrays must live on, with the types stated above and without gaps, while the record is in use.
    """
    names, kinds, values = [], [], []
    for name, value in fields._asdict().items():
        if isinstance(value, np.ndarray):
            if value.dtype.itemsize != 8 or not value.flags.c_contiguous:
                raise TypeError(f"{name}: {value.dtype} of strides {value.strides} cannot be handed to compiled code")
            value = value.ctypes.data
        names.append(name)
        kinds.append(np.float64 if isinstance(value, float) else np.int64)
        values.append(value)
    return np.array([tuple(values)], dtype=np.dtype(list(zip(names, kinds, strict=True))))
