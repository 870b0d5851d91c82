"""What REECA1, REECB1 and REECC1 share: kernels, the start, and the common rows of their tables.

    Names:  v_filt measured voltage   q_ref reactive reference after the power-factor switch   dip 1 while frozen

    q_ref --+-- [Qmin,Qmax] -(+)- PI(Kqp,Kqi) --- VFLAG 1 -+
            |                (-)  [Vmin,Vmax]              +- [Vmin,Vmax] -(+)- PI(Kvp,Kvi) --- QFLAG 1 -+
            |               Q of unit                      |               (-)  [-Iqmax,Iqmax]           +-- iq
            +-- (+ bias) ---------------------- VFLAG 0 ---+              v_filt                         |
            +-- / v_filt -- 1/(1 + s Tiq) ------------------------------------------------- QFLAG 0 -----+

A dip freezes both integrators and both lags. A block whose path is not chosen rests.
Currents and powers per unit on the unit's MVA base; positive when they generate.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, deadband_offset, lag, pi_nonwindup, require_within, servo
from gridai.kernel.contract import Input, Output, Param, State, kernel

V_SMALL = 0.01
"""Smallest voltage that a power is divided by. [pu]"""
HYSTERESIS_PU = 1e-6
NO_LIMIT = 1e10


@kernel
def measured(p, x, u):
    """Voltage now and behind its lag, and the derivative of the lag."""
    v = abs(complex(u.v_re, u.v_im))
    v_filt, d_v = lag(v, x.v_pu, 1.0, p.trv_s)
    return v, v_filt, d_v


@kernel
def voltage_injection(p, v_filt):
    """Reactive current for the voltage error outside its deadband."""
    return clip(p.kqv * deadband_offset(p.v_ref_pu - v_filt, p.dbd1_pu, p.dbd2_pu), p.iql1_pu, p.iqh1_pu)


@kernel
def reactive_reference(p, x, u):
    """Reactive reference after the power-factor switch, and the derivative of the lag of the active power."""
    p_filt, d_p = lag(u.p_pu, x.p_pu, 1.0, p.tp_s)
    if p.pf_flag != 0.0:
        return p_filt * p.tan_phi + u.dq_ref_pu, d_p
    return u.q_ext_pu + u.dq_ref_pu, d_p


@kernel
def reactive_current(p, x, u, q_ref, v_filt, bias, iq_max, dip):
    """Reactive current before the injection, and the derivatives of q_int, v_int, iq."""
    run = 1.0 - dip
    if p.q_flag == 0.0:
        iq, d_iq = lag(q_ref / max(v_filt, V_SMALL), x.iq_pu, 1.0, p.tiq_s)
        return iq, 0.0, 0.0, run * d_iq
    d_q = 0.0
    wanted = q_ref + bias
    if p.v_flag != 0.0:
        error = clip(q_ref, p.qmin_pu, p.qmax_pu) - u.q_pu
        wanted, d_q = pi_nonwindup(error, x.q_int_pu, p.kqp, p.kqi, p.vmin_pu, p.vmax_pu)
    error = clip(wanted, p.vmin_pu, p.vmax_pu) - v_filt
    iq, d_v = pi_nonwindup(error, x.v_int_pu, p.kvp, p.kvi, -iq_max, iq_max)
    return iq, run * d_q, run * d_v, 0.0


@kernel
def power_order(p, x, p_ref, dip):
    """Active power asked for, and its derivative."""
    p_ord, d_p = servo(p_ref, x.p_ord_pu, p.tpord_s, p.dpmin_pu_per_s, p.dpmax_pu_per_s, p.pmin_pu, p.pmax_pu)
    return p_ord, (1.0 - dip) * d_p


@kernel
def rest_of_circle(imax, used):
    """What is left of the current circle."""
    return np.sqrt(max(imax * imax - used * used, 0.0))


@kernel
def table4(v, v1, i1, v2, i2, v3, i3, v4, i4):
    """Current limit at voltage v: straight lines through points of rising voltage, flat outside, all zero: none.

    The points end before the first one whose voltage does not rise.
    """
    if v1 == 0.0 and v2 == 0.0 and v3 == 0.0 and v4 == 0.0 and i1 == 0.0 and i2 == 0.0 and i3 == 0.0 and i4 == 0.0:
        return NO_LIMIT
    if v <= v1 or v2 <= v1:
        return i1
    if v <= v2:
        return i1 + (i2 - i1) * (v - v1) / (v2 - v1)
    if v3 <= v2:
        return i2
    if v <= v3:
        return i2 + (i3 - i2) * (v - v2) / (v3 - v2)
    if v4 <= v3:
        return i3
    if v <= v4:
        return i3 + (i4 - i3) * (v - v3) / (v4 - v3)
    return i4


@kernel
def reactive_table(p, v):
    """VDL1: limit of the reactive current."""
    return table4(v, p.vq1_pu, p.iq1_pu, p.vq2_pu, p.iq2_pu, p.vq3_pu, p.iq3_pu, p.vq4_pu, p.iq4_pu)


@kernel
def active_table(p, v):
    """VDL2: limit of the active current."""
    return table4(v, p.vp1_pu, p.ip1_pu, p.vp2_pu, p.ip2_pu, p.vp3_pu, p.ip3_pu, p.vp4_pu, p.ip4_pu)


@kernel
def outside(p, u):
    """How far the voltage is outside vdip to vup; negative inside. [pu]"""
    v = abs(complex(u.v_re, u.v_im))
    return max(p.vdip_pu - v, v - p.vup_pu)


@kernel
def dip_guards(p, z, u, g):
    """Guards of the voltage dip: it begins, it ends."""
    g.dips, g.returns = -1.0, -1.0
    if z.dip == 0.0:
        g.dips = outside(p, u)
    else:
        g.returns = -outside(p, u) - HYSTERESIS_PU


@kernel
def dip_update(z, g):
    """The memory of the dip."""
    if g.dips > 0.0:
        z.dip = 1.0
    elif g.returns > 0.0:
        z.dip = 0.0
    return 0


@kernel
def clamp(p, x, u):
    """The power order and the integrators in use within their limits."""
    x.p_ord_pu = clip(x.p_ord_pu, p.pmin_pu, p.pmax_pu)
    if p.q_flag != 0.0:
        x.v_int_pu = clip(x.v_int_pu, -p.imax_pu, p.imax_pu)
        if p.v_flag != 0.0:
            x.q_int_pu = clip(x.q_int_pu, p.vmin_pu, p.vmax_pu)


REMEDY = "widen the limit, or change the unit's dispatch, voltage or MVA base"


def start_measurements(name: str, p, x, z, u) -> float:
    """Measurements at rest; returns the voltage. Raises InitialisationError when the controls would start frozen."""
    v = abs(complex(u.v_re, u.v_im))
    x.v_pu, x.p_pu, z.dip = v, u.p_pu, 0.0
    p.v_ref_pu = p.vref0_pu if p.vref0_pu != 0.0 else v
    if not p.vdip_pu <= v <= p.vup_pu:
        raise InitialisationError(
            f"{name}: measured voltage starts at {v:.6g} pu, outside vdip_pu = {p.vdip_pu:.6g} to vup_pu = "
            f"{p.vup_pu:.6g}: the controls would be frozen from the start; change the threshold or the voltage"
        )
    return v


def start_active(name: str, p, x, u, v: float, ip: float, speed: float = 1.0) -> None:
    """Power order and reference for the active current ip. Raises InitialisationError outside pmin, pmax."""
    order = ip * max(v, V_SMALL)
    require_within(name, "power order [pu]", order, ("pmin_pu", p.pmin_pu), ("pmax_pu", p.pmax_pu), REMEDY)
    x.p_ord_pu = order
    u.p_ref_pu = order / speed - u.dp_ref_pu


def start_currents(name: str, y, low: float, high: float, iq_max: float) -> None:
    """Raise InitialisationError when the current limits cannot give what the power flow asks for."""
    limits = ("lower limit in use", low), ("limit from imax_pu and the table in use", high)
    require_within(name, "active current [pu]", y.ip_cmd_pu, *limits, REMEDY)
    limits = ("minus the limit in use", -iq_max), ("limit from imax_pu and the table in use", iq_max)
    require_within(name, "reactive current [pu]", y.iq_cmd_pu, *limits, REMEDY)


def start_reactive(name: str, p, x, u, v: float, iq: float, bias: float) -> None:
    """States and reference of the reactive path for the current iq before the injection."""
    x.q_int_pu, x.v_int_pu, x.iq_pu = 0.0, 0.0, 0.0
    if p.q_flag == 0.0:
        x.iq_pu, wanted = iq, iq * max(v, V_SMALL)
    else:
        require_within(name, "voltage [pu]", v, ("vmin_pu", p.vmin_pu), ("vmax_pu", p.vmax_pu), REMEDY)
        x.v_int_pu, wanted = iq, v - bias
        if p.v_flag != 0.0:
            x.q_int_pu, wanted = v, u.q_pu
            limits = ("qmin_pu", p.qmin_pu), ("qmax_pu", p.qmax_pu)
            require_within(name, "reactive power [pu]", wanted, *limits, REMEDY)
    p.tan_phi = 0.0
    u.q_ext_pu = wanted - u.dq_ref_pu
    if p.pf_flag != 0.0:
        if x.p_pu == 0.0 and wanted != 0.0:
            raise InitialisationError(f"{name}: pf_flag = 1 asks for a power factor, but the unit starts at zero power")
        p.tan_phi = (wanted - u.dq_ref_pu) / x.p_pu if x.p_pu != 0.0 else 0.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order."""
    pairs = ("vdip_pu", "vup_pu"), ("iql1_pu", "iqh1_pu"), ("qmin_pu", "qmax_pu"), ("vmin_pu", "vmax_pu")
    more = ("dpmin_pu_per_s", "dpmax_pu_per_s"), ("pmin_pu", "pmax_pu"), ("dbd1_pu", "dbd2_pu")
    found = []
    for low, high in (*pairs, *more):
        if values[low] > values[high]:
            found.append((low, f"above {high} = {values[high]:g}"))
    return found


def flag(name: str, meaning: str) -> Param:
    """A parameter that is 0 or 1."""
    return Param(name, "1", 0.0, meaning, low=0.0, high=1.0)


FLAGS = (
    flag("pf_flag", "1: constant power factor, 0: reactive reference from outside"),
    flag("v_flag", "1: reactive power control, 0: voltage control (the reference is a voltage)"),
    flag("q_flag", "1: through the voltage control, 0: reactive current from the reference at once"),
    flag("pq_flag", "1: active current has priority, 0: reactive current"),
)
COMMON = (
    Param("vdip_pu", "pu", -99.0, "voltage below which the controls freeze"),
    Param("vup_pu", "pu", 99.0, "voltage above which the controls freeze"),
    Param("trv_s", "s", 0.02, "time constant of the measured voltage; 0 is algebraic", low=0.0),
    Param("dbd1_pu", "pu", -0.05, "lower edge of the deadband of the voltage error", high=0.0),
    Param("dbd2_pu", "pu", 0.05, "upper edge of the deadband of the voltage error", low=0.0),
    Param("kqv", "pu", 0.0, "reactive current for a voltage error outside the deadband", low=0.0),
    Param("iqh1_pu", "pu", 1.05, "upper limit of that current"),
    Param("iql1_pu", "pu", -1.05, "lower limit of that current"),
    Param("vref0_pu", "pu", 0.0, "voltage reference of that current; 0: the voltage of the power flow"),
)
CONTROL = (
    Param("tp_s", "s", 0.05, "time constant of the measured active power; 0 is algebraic", low=0.0),
    Param("qmax_pu", "pu", 0.436, "upper limit of the reactive reference"),
    Param("qmin_pu", "pu", -0.436, "lower limit of the reactive reference"),
    Param("vmax_pu", "pu", 1.1, "upper limit of the voltage reference"),
    Param("vmin_pu", "pu", 0.9, "lower limit of the voltage reference"),
    Param("kqp", "pu", 0.0, "proportional gain of the reactive power control", low=0.0),
    Param("kqi", "pu/s", 0.1, "integral gain of the reactive power control", low=0.0),
    Param("kvp", "pu", 0.0, "proportional gain of the voltage control", low=0.0),
    Param("kvi", "pu/s", 40.0, "integral gain of the voltage control", low=0.0),
)
POWER = (
    Param("tiq_s", "s", 0.02, "time constant of the reactive current where q_flag = 0; 0 is algebraic", low=0.0),
    Param("dpmax_pu_per_s", "pu/s", 99.0, "largest rate of the power order upwards", low=0.0),
    Param("dpmin_pu_per_s", "pu/s", -99.0, "largest rate of the power order downwards", high=0.0),
    Param("pmax_pu", "pu", 1.0, "upper limit of the power order"),
    Param("pmin_pu", "pu", 0.0, "lower limit of the power order"),
    Param("imax_pu", "pu", 1.1, "largest current, above 0", low=1e-6),
    Param("tpord_s", "s", 0.02, "time constant of the power order; 0 is algebraic", low=0.0),
)
TABLES = tuple(
    Param(f"{kind}{axis}{k}_pu", "pu", 0.0, f"{what}, {label} {k}")
    for axis, what in (("q", "table of the reactive current limit"), ("p", "table of the active current limit"))
    for k in (1, 2, 3, 4)
    for kind, label in (("v", "voltage"), ("i", "current"))
)
SOLVED = (
    Param("v_ref_pu", "pu", None, "voltage reference of the injection in use", solved=True),
    Param("tan_phi", "1", None, "reactive over active power where pf_flag = 1", solved=True),
)
STATES = (
    State("v_pu", "pu", "measured voltage (at rest when trv_s = 0)"),
    State("p_pu", "pu", "measured active power (at rest when tp_s = 0)"),
    State("q_int_pu", "pu", "integral part of the reactive power control"),
    State("v_int_pu", "pu", "integral part of the voltage control"),
    State("iq_pu", "pu", "lagged reactive current where q_flag = 0"),
    State("p_ord_pu", "pu", "power order"),
)
MEMORY = (State("dip", "1", "1 while the voltage is outside vdip to vup"),)
INPUTS = (
    Input("v_re", "pu", "remote.v_re", "voltage of the sensed bus, real part"),
    Input("v_im", "pu", "remote.v_im", "voltage of the sensed bus, imaginary part"),
    Input("p_pu", "pu", "converter.p_pu", "active power of the unit"),
    Input("q_pu", "pu", "converter.q_pu", "reactive power of the unit"),
    Input("p_ref_pu", "pu", "plant.p_ref_pu", "active power reference", default=None),
    Input("q_ext_pu", "pu", "plant.q_ext_pu", "reactive power (or voltage) reference", default=None),
    Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the active power reference"),
    Input("dq_ref_pu", "pu", "setpoint.q_ref", "change of the reactive power (or voltage) reference"),
)
OUTPUTS = (
    Output("ip_cmd_pu", "pu", "active current asked for", "ip_cmd_pu"),
    Output("iq_cmd_pu", "pu", "reactive current asked for, positive generates", "iq_cmd_pu"),
    Output("iq_inj_pu", "pu", "reactive current injected for the voltage error", "iq_inj_pu"),
    Output("ip_max_pu", "pu", "limit of the active current", "ip_max_pu"),
    Output("iq_max_pu", "pu", "limit of the reactive current", "iq_max_pu"),
    Output("dip", "1", "1 while the controls are frozen", "voltage_dip"),
)
GUARDS = ("dips", "returns")
DEVIATIONS = (
    "a lag with time constant zero is algebraic and is not frozen in a dip",
    "a block whose path is not chosen by the flags rests",
    "a start outside a limit, or inside the voltage dip, is refused",
    "`remote_bus` gives the one measured voltage, used for the control, the dip and the division by voltage",
)
