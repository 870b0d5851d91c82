"""REGFM_A1: a grid-forming inverter with droop (WECC), a voltage source E/_delta behind Re + j Xe.

    p_ref --(+)(-)-- Pm      Pm = P / (1 + s TPf)
             |
             mp
             |                                            1
             +--(+)-- + 1 --> omega      omega - 1 --> omega_base/s --> delta
                 |
                 +-- not above 0 -- Kppmax + Kipmax/s [state <= 0] -- (Pmax - Pm)
                 +-- not below 0 -- Kppmax + Kipmax/s [state >= 0] -- (Pmin - Pm)

    QVFLAG 0: v_cmd = v_set + mq (q_ref - Qm) + ql          Qm = Q / (1 + s TQf)
    QVFLAG 1: v_cmd = v_ref - mq Qm + ql                    ql: the same pair of limiters with Kpqmax, Kiqmax

    VFLAG 0:  E = v_cmd                       within [Emin, Emax]
    VFLAG 1:  E = (Kpv + Kiv/s)(v_cmd - Vm)   within [Emin, Emax]      Vm = V / (1 + s TVf)

    I = (E/_delta - V) / (Re + j Xe); where |I| > Imax its size becomes Imax and its angle stays (Imax = 0: no limit)

The source admittance stands in the network matrix; the current limit is solved together with the network. The unit
holds the voltage of an island alone. The reference q_ref or v_ref passes through the lag TQf, as Q does, so that the
source voltage depends on states and on the voltage only.

Per unit on the inverter's MVA base, speed 1 is nominal, mp in pu frequency per pu power.

Against an infinite bus with E constant its angle obeys s (1 + s TPf) + omega_base mp K = 0, K = dP/d delta of the
network: a test holds the engine's eigenvalues to it. The droop is a machine of damping 1/mp without inertia. An angle
so stiff can take from others the give that keeps them stable: at bus 9 of case kundur (manual excitation, a tie of
400 MW) 1 % droop makes an eigenvalue +0.13/s; a classical machine with D = 100 in its place +0.16/s (REGFM_A1 of
constant E: +0.16/s), an infinite bus +0.84/s. With 20 % droop, or with exciters, all are stable.

Source: W. Du et al., "Model Specification of Droop-Controlled, Grid-Forming Inverters (REGFM_A1)", PNNL-32278, 2023,
approved by WECC; W. Du et al., IEEE Trans. Power Delivery, 2024, doi 10.1109/TPWRD.2024.3376245.
"""

import numpy as np

from gridai.kernel.blocks import clip, lag, pi_nonwindup, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

DYR = (
    "v_flag", "qv_flag", "tpf_s", "tqf_s", "tvf_s", "imax_pu", "emax_pu", "emin_pu", "pmax_pu", "pmin_pu", "qmax_pu",
    "qmin_pu", "mp", "mq", "kppmax", "kipmax", "kpqmax", "kiqmax", "kpv", "kiv",
)  # fmt: skip
"""Order of a DYR record, as GridPACK (PNNL) reads it; re_pu and xe_pu come from ZSORCE of the RAW file."""
DYR_NAMES = ("REGFMA1", "REGFM_A1")
"""What the model is called in DYR files."""

MARGIN = 1e-5
"""A limiter's integral this near to zero rests, so that a linearisation about it sees it at rest. [pu]"""


@kernel
def limiter(m, high, low, x_high, x_low, kp):
    """Correction that brings the measured m back between low and high."""
    return min(kp * (high - m) + x_high, 0.0) + max(kp * (low - m) + x_low, 0.0)


@kernel
def above_zero(rate, x):
    """Rate of a state that must not fall below zero. Within MARGIN it counts as there."""
    if x <= MARGIN and rate < 0.0:
        return 0.0
    return rate


@kernel
def command(p, x):
    """Voltage command."""
    over = limiter(x.q_pu, p.qmax_pu, p.qmin_pu, x.q_high_pu, x.q_low_pu, p.kpqmax)
    if p.qv_flag != 0.0:
        return x.ref_pu - p.mq * x.q_pu + over
    return p.v_set_pu + p.mq * (x.ref_pu - x.q_pu) + over


@kernel
def internal_voltage(p, x, vm):
    """Size of E, and the derivative of the integral part of the voltage control."""
    if p.v_flag == 0.0:
        return clip(command(p, x), p.emin_pu, p.emax_pu), 0.0
    v_meas, _ = lag(vm, x.v_pu, 1.0, p.tvf_s)
    return pi_nonwindup(command(p, x) - v_meas, x.v_int_pu, p.kpv, p.kiv, p.emin_pu, p.emax_pu)


@kernel
def terminal_current(p, x, v):
    """Current into the network after the limit, and 1 where it limits."""
    e, _ = internal_voltage(p, x, abs(v))
    i = (e * complex(np.cos(x.delta_rad), np.sin(x.delta_rad)) - v) / complex(p.re_pu, p.xe_pu)
    size = abs(i)
    if 0.0 < p.imax_pu < size:
        return i * (p.imax_pu / size), 1.0
    return i, 0.0


@kernel
def current(p, x, z, v):
    """Norton current: the terminal current and what the source admittance takes."""
    i, _ = terminal_current(p, x, v)
    return i + v / complex(p.re_pu, p.xe_pu)


@kernel
def speed(p, x, u, power):
    """Speed of the internal voltage, and the measured power."""
    m, d = lag(power, x.p_pu, 1.0, p.tpf_s)
    over = limiter(m, p.pmax_pu, p.pmin_pu, x.p_high_pu, x.p_low_pu, p.kppmax)
    return 1.0 + p.mp * (u.p_ref_pu + u.dp_ref_pu - m) + over, m, d


@kernel
def outputs(p, x, z, u, y):
    """Power, current, internal voltage, speed."""
    v = complex(u.v_re, u.v_im)
    i, y.limited = terminal_current(p, x, v)
    s = v * i.conjugate()
    y.e_pu, _ = internal_voltage(p, x, abs(v))
    y.p_pu, y.q_pu, y.i_re, y.i_im, y.vt_pu = s.real, s.imag, i.real, i.imag, abs(v)
    y.omega_pu, _, _ = speed(p, x, u, s.real)
    y.delta_rad = x.delta_rad


@kernel
def derivatives(p, x, z, u, y, d):
    """Droop, measurements, limiters, voltage control."""
    omega, m, d.p_pu = speed(p, x, u, y.p_pu)
    d.delta_rad = p.omega_base * (omega - 1.0)
    _, d.q_pu = lag(y.q_pu, x.q_pu, 1.0, p.tqf_s)
    _, d.ref_pu = lag(u.q_ext_pu + u.dq_ref_pu, x.ref_pu, 1.0, p.tqf_s)
    _, d.v_pu = lag(y.vt_pu, x.v_pu, 1.0, p.tvf_s)
    _, d.v_int_pu = internal_voltage(p, x, y.vt_pu)
    d.p_high_pu = -above_zero(p.kipmax * (m - p.pmax_pu), -x.p_high_pu)
    d.p_low_pu = above_zero(p.kipmax * (p.pmin_pu - m), x.p_low_pu)
    d.q_high_pu = -above_zero(p.kiqmax * (x.q_pu - p.qmax_pu), -x.q_high_pu)
    d.q_low_pu = above_zero(p.kiqmax * (p.qmin_pu - x.q_pu), x.q_low_pu)


@kernel
def clamp(p, x, u):
    """The integral parts of the limiters on their side of zero, that of the voltage control within its limits."""
    x.v_int_pu = clip(x.v_int_pu, p.emin_pu, p.emax_pu)
    x.p_high_pu, x.q_high_pu = min(x.p_high_pu, 0.0), min(x.q_high_pu, 0.0)
    x.p_low_pu, x.q_low_pu = max(x.p_low_pu, 0.0), max(x.q_low_pu, 0.0)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Internal voltage and references from the power flow. Raises InitialisationError outside a limit."""
    e, vm = op.v + complex(p.re_pu, p.xe_pu) * op.i, abs(op.v)
    remedy = "widen the limit, or change the unit's dispatch, voltage or MVA base"
    for what, value, name in (
        ("internal voltage [pu]", abs(e), "e"),
        ("active power [pu]", op.p_pu, "p"),
        ("reactive power [pu]", op.q_pu, "q"),
    ):
        low, high = (f"{name}min_pu", getattr(p, f"{name}min_pu")), (f"{name}max_pu", getattr(p, f"{name}max_pu"))
        require_within("REGFM_A1", what, value, low, high, remedy)
    if p.imax_pu > 0.0:
        require_within("REGFM_A1", "current [pu]", abs(op.i), ("0", 0.0), ("imax_pu", p.imax_pu), remedy)
    x.delta_rad, x.p_pu, x.q_pu, x.v_pu = np.angle(e), op.p_pu, op.q_pu, vm
    x.v_int_pu = abs(e)
    x.p_high_pu = x.p_low_pu = x.q_high_pu = x.q_low_pu = 0.0
    wanted = vm if p.v_flag != 0.0 else abs(e)
    p.v_set_pu = wanted
    x.ref_pu = op.q_pu if p.qv_flag == 0.0 else wanted + p.mq * op.q_pu
    u.p_ref_pu, u.q_ext_pu = op.p_pu - u.dp_ref_pu, x.ref_pu - u.dq_ref_pu


def admittance(p, z) -> complex:
    """Source admittance [pu on the inverter's base]."""
    return 1.0 / complex(p.re_pu, p.xe_pu)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order; the voltage control needs its integral."""
    pairs = ("emin_pu", "emax_pu"), ("pmin_pu", "pmax_pu"), ("qmin_pu", "qmax_pu")
    found = [(a, f"above {b} = {values[b]:g}") for a, b in pairs if values[a] > values[b]]
    if values["v_flag"] != 0.0 and values["kiv"] <= 0.0:
        found.append(("kiv", "must be above 0 where v_flag = 1"))
    return found


MODEL = Model(
    name="REGFM_A1",
    role="converter",
    title="grid-forming inverter with droop",
    params=(
        Param("v_flag", "1", 1.0, "1: voltage control, 0: the command is the internal voltage", low=0.0, high=1.0),
        Param("qv_flag", "1", 0.0, "1: the reference is a voltage, 0: a reactive power", low=0.0, high=1.0),
        Param("tpf_s", "s", 0.02, "time constant of the measured active power; 0 is algebraic", low=0.0),
        Param("tqf_s", "s", 0.02, "time constant of the measured reactive power, above 0", low=1e-4),
        Param("tvf_s", "s", 0.02, "time constant of the measured voltage; 0 is algebraic", low=0.0),
        Param("re_pu", "pu", 0.0, "resistance to the terminals", low=0.0),
        Param("xe_pu", "pu", 0.15, "reactance to the terminals, above 0", low=1e-4),
        Param("imax_pu", "pu", 2.0, "largest current; 0 is no limit", low=0.0),
        Param("emax_pu", "pu", 1.15, "upper limit of the internal voltage"),
        Param("emin_pu", "pu", 0.0, "lower limit of the internal voltage", low=0.0),
        Param("pmax_pu", "pu", 1.0, "largest active power in the long run"),
        Param("pmin_pu", "pu", 0.0, "smallest active power in the long run"),
        Param("qmax_pu", "pu", 0.6, "largest reactive power in the long run"),
        Param("qmin_pu", "pu", -0.6, "smallest reactive power in the long run"),
        Param("mp", "pu", 0.01, "droop, pu frequency for pu active power", low=0.0),
        Param("mq", "pu", 0.05, "droop, pu voltage for pu reactive power", low=0.0),
        Param("kppmax", "pu", 0.01, "proportional gain of the active power limits", low=0.0),
        Param("kipmax", "pu/s", 0.1, "integral gain of the active power limits", low=0.0),
        Param("kpqmax", "pu", 3.0, "proportional gain of the reactive power limits", low=0.0),
        Param("kiqmax", "pu/s", 20.0, "integral gain of the reactive power limits", low=0.0),
        Param("kpv", "pu", 0.0, "proportional gain of the voltage control", low=0.0),
        Param("kiv", "pu/s", 5.86, "integral gain of the voltage control, above 0 where v_flag = 1", low=0.0),
        Param("v_set_pu", "pu", None, "voltage setting", solved=True),
    ),
    states=(
        State("delta_rad", "rad", "angle of the internal voltage against the synchronous frame"),
        State("p_pu", "pu", "measured active power (at rest when tpf_s = 0)"),
        State("q_pu", "pu", "measured reactive power"),
        State("v_pu", "pu", "measured voltage (at rest when tvf_s = 0)"),
        State("v_int_pu", "pu", "integral part of the voltage control (at rest when v_flag = 0)"),
        State("p_high_pu", "pu", "integral part of the upper active power limit"),
        State("p_low_pu", "pu", "integral part of the lower active power limit"),
        State("q_high_pu", "pu", "integral part of the upper reactive power limit"),
        State("q_low_pu", "pu", "integral part of the lower reactive power limit"),
        State("ref_pu", "pu", "lagged reactive power or voltage reference"),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("p_ref_pu", "pu", "plant.p_ref_pu", "active power reference", default=None),
        Input("q_ext_pu", "pu", "plant.q_ext_pu", "reactive power (or voltage) reference", default=None),
        Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the active power reference"),
        Input("dq_ref_pu", "pu", "setpoint.q_ref", "change of the reactive power (or voltage) reference"),
    ),
    outputs=(
        Output("p_pu", "pu", "active power at the terminals", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
        Output("omega_pu", "pu", "speed of the internal voltage", "speed_pu"),
        Output("delta_rad", "rad", "angle of the internal voltage", "angle_rad"),
        Output("e_pu", "pu", "internal voltage before the current limit", "e_pu"),
        Output("vt_pu", "pu", "terminal voltage"),
        Output("i_re", "pu", "current, network frame, real part"),
        Output("i_im", "pu", "current, network frame, imaginary part"),
        Output("limited", "1", "1 while the current is limited", "limited"),
    ),
    initialise=initialise,
    admittance=admittance,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    check=check,
    forms_voltage=True,
    source="Du et al., PNNL-32278, 2023 (REGFM_A1); IEEE Trans. Power Delivery, 2024",
    deviations=(
        "the reference passes through the lag of the measured reactive power",
        "tqf_s must be above 0: without it reactive power and internal voltage form an algebraic loop",
        "while the current is limited the control states go on",
        "a start outside a limit is refused",
    ),
)
