"""REGCA1: the grid-following converter of the WECC second-generation renewable models, a controlled current source.

               Iqrmax (if Q0 > 0)                                     V
                  /                                     max(0, V - Volim) Khv
    iq_cmd --> 1/(1 + s Tg) --> Iq ----------------------------(+)(-)--> not below Iolim --> reactive current
                  /
               Iqrmin (if Q0 < 0)

              rrpwr   LVPL(Vf)                          gain
                  /   /                             1 |    ____
    ip_cmd --> 1/(1 + s Tg) --> Ip --> ( x ) --> active current       gain(V), straight from 0 to 1
                                         |          0 |___/           between lvpnt0 and lvpnt1
                                       gain(V)        +----------- V

    V --> 1/(1 + s Tfltr) --> Vf      LVPL(Vf): 0 up to zerox, straight to lvpl1 at brkpt, lvpl1 above; with lvplsw = 1

    I = (Ip gain(V) - j Iq) V / |V|        network frame, so that P = |V| Ip gain and Q = |V| Iq

Both currents here are positive when they generate: iq_cmd > 0 gives reactive power. rrpwr limits growth of |Ip|: up
when Ip >= 0, down when Ip <= 0. The reactive rate limits act as the specification says: only upwards when the power
flow has Q0 > 0, only downwards when Q0 < 0, none at Q0 = 0; a limit of zero, or of the wrong sign, is switched off.
The high-voltage part is linear here and found together with the network, so `accel` has nothing to do.

Per unit on the converter's MVA base, voltage in pu of the bus.
Source: WECC Renewable Energy Modeling Task Force, "Solar PV Plant Modeling and Validation Guideline", 2019, REGC_A;
EPRI 3002027129, "Model User Guide for Generic Renewable Energy System Models", 2023; PSS/E Model Library, REGCA1.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, lag, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

V_FLOOR = 0.02
"""Below this voltage the current falls in proportion to it, so that a dead bus has a solution. [pu]"""
NO_LIMIT = 1e10

DYR = (
    "lvplsw", "tg_s", "rrpwr_pu_per_s", "brkpt_pu", "zerox_pu", "lvpl1_pu", "volim_pu", "lvpnt1_pu", "lvpnt0_pu",
    "iolim_pu", "tfltr_s", "khv", "iqrmax_pu_per_s", "iqrmin_pu_per_s", "accel",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M, CON J to J+13."""


@kernel
def ramp(v, low, high):
    """0 below `low`, 1 above `high`, straight between."""
    if v >= high:
        return 1.0
    if v <= low:
        return 0.0
    return (v - low) / (high - low)


@kernel
def active_ceiling(p, x, vm):
    """Largest active current that the low-voltage power logic lets through."""
    if p.lvplsw == 0.0:
        return NO_LIMIT
    vf, _ = lag(vm, x.vf_pu, 1.0, p.tfltr_s)
    return p.lvpl1_pu * ramp(vf, p.zerox_pu, p.brkpt_pu)


@kernel
def injected(p, x, v):
    """Active and reactive current in the direction of the voltage, positive when they generate."""
    vm = abs(v)
    ip = min(x.ip_pu, active_ceiling(p, x, vm)) * ramp(vm, p.lvpnt0_pu, p.lvpnt1_pu)
    iq = max(x.iq_pu - p.khv * max(vm - p.volim_pu, 0.0), p.iolim_pu)
    return ip, iq


@kernel
def current(p, x, z, v):
    """Current into the network."""
    ip, iq = injected(p, x, v)
    return complex(ip, -iq) * v / max(abs(v), V_FLOOR)


@kernel
def outputs(p, x, z, u, y):
    """Terminal power, currents, voltage."""
    v = complex(u.v_re, u.v_im)
    y.ip_pu, y.iq_pu = injected(p, x, v)
    i = current(p, x, z, v)
    s = v * i.conjugate()
    y.p_pu, y.q_pu, y.i_re, y.i_im, y.vt_pu = s.real, s.imag, i.real, i.imag, abs(v)


@kernel
def derivatives(p, x, z, u, y, d):
    """Lags of the currents with their rate limits, lag of the voltage."""
    vm = abs(complex(u.v_re, u.v_im))
    _, d.vf_pu = lag(vm, x.vf_pu, 1.0, p.tfltr_s)
    d.iq_pu = clip((u.iq_cmd_pu - x.iq_pu) / p.tg_s, p.iq_slowest, p.iq_fastest)
    rate = (u.ip_cmd_pu - x.ip_pu) / p.tg_s
    if x.ip_pu >= 0.0:
        rate = min(rate, p.rrpwr_pu_per_s)
    if x.ip_pu <= 0.0:
        rate = max(rate, -p.rrpwr_pu_per_s)
    if x.ip_pu >= active_ceiling(p, x, vm) and rate > 0.0:
        rate = 0.0
    d.ip_pu = rate


@kernel
def clamp(p, x, u):
    """The active current not above the low-voltage power logic."""
    x.ip_pu = min(x.ip_pu, active_ceiling(p, x, abs(complex(u.v_re, u.v_im))))


def initialise(p, x, z, u, y, op: Start) -> None:
    """Currents from the power flow. Raises InitialisationError where the network interface cannot give them."""
    vm = abs(op.v)
    remedy = "change the unit's dispatch or MVA base, the voltage at its bus, or the parameter"
    gain = ramp(vm, p.lvpnt0_pu, p.lvpnt1_pu)
    if gain == 0.0:
        raise InitialisationError(
            f"REGCA1: bus voltage starts at {vm:.6g} pu, not above lvpnt0_pu = {p.lvpnt0_pu:.6g}: no active current "
            "can be given; raise the voltage or lower the parameter"
        )
    ip, iq = op.p_pu / vm / gain, op.q_pu / vm
    x.vf_pu, x.ip_pu = vm, ip
    x.iq_pu = iq + p.khv * max(vm - p.volim_pu, 0.0)
    require_within("REGCA1", "reactive current [pu]", iq, ("iolim_pu", p.iolim_pu), ("infinity", np.inf), remedy)
    ceiling = active_ceiling(p, x, vm)
    require_within("REGCA1", "active current [pu]", ip, ("minus infinity", -np.inf), ("lvpl1_pu", ceiling), remedy)
    p.iq_fastest = p.iqrmax_pu_per_s if op.q_pu > 0.0 and p.iqrmax_pu_per_s > 0.0 else NO_LIMIT
    p.iq_slowest = p.iqrmin_pu_per_s if op.q_pu < 0.0 and p.iqrmin_pu_per_s < 0.0 else -NO_LIMIT
    u.ip_cmd_pu, u.iq_cmd_pu = ip, x.iq_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Break points in order."""
    found = []
    if values["lvplsw"] != 0.0 and values["zerox_pu"] >= values["brkpt_pu"]:
        found.append(("zerox_pu", f"not below brkpt_pu = {values['brkpt_pu']:g}"))
    if values["lvpnt0_pu"] > values["lvpnt1_pu"]:
        found.append(("lvpnt0_pu", f"above lvpnt1_pu = {values['lvpnt1_pu']:g}"))
    return found


MODEL = Model(
    name="REGCA1",
    role="converter",
    title="renewable generator and converter, grid following",
    params=(
        Param("lvplsw", "1", 0.0, "1: low-voltage power logic on, 0: off", low=0.0, high=1.0),
        Param("tg_s", "s", 0.02, "time constant of the current control, above 0", low=1e-6),
        Param("rrpwr_pu_per_s", "pu/s", 10.0, "largest rate at which the active current grows", low=0.0),
        Param("brkpt_pu", "pu", 0.9, "low-voltage power logic: voltage from which the limit is lvpl1"),
        Param("zerox_pu", "pu", 0.4, "low-voltage power logic: voltage up to which the limit is 0"),
        Param("lvpl1_pu", "pu", 1.22, "low-voltage power logic: the limit at brkpt and above", low=0.0),
        Param("volim_pu", "pu", 1.2, "voltage from which the high-voltage logic draws reactive current", low=0.0),
        Param("lvpnt1_pu", "pu", 0.8, "low-voltage active current management: full current from here", low=0.0),
        Param("lvpnt0_pu", "pu", 0.4, "low-voltage active current management: no current below", low=0.0),
        Param("iolim_pu", "pu", -1.3, "lower limit of the reactive current (negative: absorbed)", high=0.0),
        Param("tfltr_s", "s", 0.02, "time constant of the measured voltage; 0 is algebraic", low=0.0),
        Param("khv", "pu", 0.7, "gain of the high-voltage logic, pu current for pu voltage", low=0.0),
        Param("iqrmax_pu_per_s", "pu/s", 999.0, "largest rate of the reactive current upwards; 0 is none"),
        Param(
            "iqrmin_pu_per_s", "pu/s", -999.0, "largest rate of the reactive current downwards (negative); 0 is none"
        ),
        Param("accel", "1", 0.0, "not used (PSS/E: acceleration of its high-voltage iteration); kept for the record"),
        Param("iq_fastest", "pu/s", None, "rate limit upwards in use", solved=True),
        Param("iq_slowest", "pu/s", None, "rate limit downwards in use", solved=True),
    ),
    states=(
        State("iq_pu", "pu", "reactive current, positive generates"),
        State("ip_pu", "pu", "active current"),
        State("vf_pu", "pu", "measured voltage of the low-voltage power logic (at rest when tfltr_s = 0)"),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("ip_cmd_pu", "pu", "electrical.ip_cmd_pu", "active current asked for", default=None),
        Input("iq_cmd_pu", "pu", "electrical.iq_cmd_pu", "reactive current asked for", default=None),
    ),
    outputs=(
        Output("p_pu", "pu", "active power at the terminals", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
        Output("ip_pu", "pu", "active current", "ip_pu"),
        Output("iq_pu", "pu", "reactive current, positive generates", "iq_pu"),
        Output("vt_pu", "pu", "terminal voltage"),
        Output("i_re", "pu", "current, network frame, real part"),
        Output("i_im", "pu", "current, network frame, imaginary part"),
    ),
    initialise=initialise,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    check=check,
    source="WECC REMTF, Solar PV Plant Modeling and Validation Guideline, 2019, REGC_A; PSS/E Model Library, REGCA1",
    deviations=(
        f"below {V_FLOOR} pu the current falls in proportion to the voltage",
        "the reactive current is positive when it generates; PSS/E turns its sign inside",
        "the high-voltage logic is Khv (V - Volim), solved with the network; PSS/E iterates with `accel`",
        "above brkpt the low-voltage power logic stays at lvpl1",
    ),
)
