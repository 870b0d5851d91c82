"""GGOV1: a general governor and turbine (gas turbine, diesel, steam): PID speed control, load and acceleration limits.

    p_ref + dp_ref --(+)-- db -- minerr..maxerr -- Kpgov + Kigov/s + s Kdgov/(1 + s Tdgov) -- fsrn --+
    speed dev. ------(-)                                                                             |
    R x feedback ----(-)  rselect: 1 power behind Tpelec, 0 none, -1 valve, -2 governor output     low
    Kimw/s (p_mw - power), +-1.1 R (+)                                                             value -- vmin..vmax
                                                                                                   gate        |
    Ldref/Kturb + Wfnl --(+)-- Kpload + Kiload/s, at most 1 -- fsrt -------------------------------- |         fsr
                  texm --(-)                                                                         |         |
    aset --(+)-- Ka/s from fsr: fsra ----------------------------------------------------------------+         |
      s/(1 + s Ta) of speed (-)                                                                                |
                                                                                                               |
    fsr -- servo Tact, rates rclose..ropen, vmin..vmax -- valve -- (x speed if flag 1) = wf -------------------+

    wf - Wfnl -- Kturb -- e^(-s Teng) -- (1 + s Tc)/(1 + s Tb) -- less Dm speed (Dm > 0) -- pm
    wf (x speed^Dm if Dm < 0) -- (1 + s Tsa)/(1 + s Tsb) -- 1/(1 + s Tfload) -- texm

    The integrals of speed control and load limiter follow the governor output fsr while another controller has it:
    d(integral)/dt = (Ki/Kp) (fsr - what stands before the integral), so they take over without a bump and do not
    wind up. With Kp = 0 they wait instead. The load limiter's integral moves no faster than rdown..rup.
    fsra is fsr a moment (TRACK_S) ago plus Ka TRACK_S (aset - acceleration): fsr can rise by Ka (aset - acceleration)
    a second. Ka = 0 takes it out. Feedback of the governor output uses the same moment.

Per unit of trate_mw (the machine's MVA base where it is 0); speed 1 is nominal. dp_ref is in pu power of the machine's
base: at rest the power rises by it (droop by valve or governor output: by as much at nominal speed).
Source: PSS/E Model Library, GGOV1; IEEE PES-TR1, Dynamic Models for Turbine-Governors in Power System Studies, 2013,
section 3.1.2.3; OpenIPSL's PSSE.GGOV1.
"""

from gridai.kernel.blocks import clip, deadband_offset, derivative_filtered, lag, lead_lag, require_within, servo
from gridai.kernel.blocks_delay import delay
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.governors._common import DP_REF, OMEGA, P_REF, PM, REFUSED, REMEDY, order

TRACK_S = 0.01
"""How far back "the governor output before" lies; PSS/E takes its time step. [s]"""

FASTEST_SPEED = 0.01
"""Smallest speed in speed^Dm. [pu]"""


@kernel
def fuel_flow(p, x, u):
    """Valve and fuel flow [pu]."""
    valve = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)
    return valve, valve * (u.omega_pu if p.flag == 1.0 else 1.0)


@kernel
def turbine(p, x, u, wf):
    """Mechanical power [pu of the turbine]; rates of lead-lag and dead time."""
    late, d1, d2, d3 = delay(p.kturb * (wf - p.wfnl_pu), x.dead1, x.dead2, x.dead3, p.teng_s)
    power, d_turb = lead_lag(late, x.turb_pu, p.tc_s, p.tb_s)
    return power - max(p.dm, 0.0) * u.omega_pu, d_turb, d1, d2, d3


@kernel
def exhaust(p, x, u, wf):
    """Measured exhaust temperature, as fuel flow [pu]; rates of lead-lag and lag."""
    heat = wf * max(u.omega_pu, FASTEST_SPEED) ** min(p.dm, 0.0)
    lead, d_lead = lead_lag(heat, x.heat_pu, p.tsa_s, p.tsb_s)
    texm, d_texm = lag(lead, x.texm_pu, 1.0, p.tfload_s)
    return texm, d_lead, d_texm


@kernel
def speed_error(p, x, u, power, valve):
    """Error behind deadband and limits [pu speed]."""
    rise = u.dp_ref_pu * p.base_ratio
    wanted = p.p_ref_pu + x.mw_pu - (u.omega_pu - 1.0)
    if p.rselect == 1.0:
        wanted += p.r_pu * (rise - power)
    elif p.rselect == -1.0:
        wanted += p.r_pu * (rise / p.kturb - valve)
    elif p.rselect == -2.0:
        wanted += p.r_pu * (rise / p.kturb - x.track_pu)
    return clip(deadband_offset(wanted, -p.db_pu, p.db_pu), p.minerr_pu, p.maxerr_pu)


@kernel
def integral_rate(kp, ki, error, own, fsr, before, high):
    """Rate of an integral: follows the governor output (kp > 0), or waits while it has no say (kp = 0).

    own     the controller's output.     high      its upper limit.     fsr     the governor output.
    before  what stands beside the proportional part: the integral and others.
    """
    if kp > 0.0:
        return ki / kp * (fsr - before)
    rate = ki * error
    if (rate > 0.0 and (own > fsr or own >= high)) or (rate < 0.0 and own < fsr):
        return 0.0
    return rate


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power, valve, fuel flow."""
    y.valve_pu, y.fuel_pu = fuel_flow(p, x, u)
    power, _, _, _, _ = turbine(p, x, u, y.fuel_pu)
    y.pm_pu = power / p.base_ratio


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurement, controllers, low value gate, valve, turbine."""
    valve, wf = fuel_flow(p, x, u)
    power, d.power_pu = lag(u.p_pu * p.base_ratio, x.power_pu, 1.0, p.tpelec_s)
    error = speed_error(p, x, u, power, valve)
    rate_part, d.rate_pu = derivative_filtered(error, x.rate_pu, p.kdgov, p.tdgov_s)
    fsrn = p.kpgov * error + x.speed_int_pu + rate_part

    texm, d.heat_pu, d.texm_pu = exhaust(p, x, u, wf)
    room = p.ldref_pu / p.kturb + p.wfnl_pu - texm
    fsrt = min(p.kpload * room + x.load_int_pu, 1.0)

    acceleration, d.acc_pu = derivative_filtered(u.omega_pu - 1.0, x.acc_pu, 1.0, p.ta_s)
    lowest = min(fsrn, fsrt)
    if p.ka > 0.0:
        lowest = min(lowest, x.track_pu + p.ka * TRACK_S * (p.aset_pu_per_s - acceleration))
    fsr = clip(lowest, p.vmin_pu, p.vmax_pu)

    d.track_pu = (fsr - x.track_pu) / TRACK_S
    d.speed_int_pu = integral_rate(p.kpgov, p.kigov, error, fsrn, fsr, x.speed_int_pu + rate_part, p.vmax_pu)
    load_rate = integral_rate(p.kpload, p.kiload, room, fsrt, fsr, x.load_int_pu, 1.0)
    d.load_int_pu = clip(load_rate, p.rdown_pu_per_s, p.rup_pu_per_s)
    mw_rate = p.kimw * (p.p_mw_pu + u.dp_ref_pu * p.base_ratio - power)
    d.mw_pu = 0.0 if abs(x.mw_pu) >= 1.1 * p.r_pu and x.mw_pu * mw_rate > 0.0 else mw_rate
    _, d.valve_pu = servo(fsr, x.valve_pu, p.tact_s, p.rclose_pu_per_s, p.ropen_pu_per_s, p.vmin_pu, p.vmax_pu)
    _, d.turb_pu, d.dead1, d.dead2, d.dead3 = turbine(p, x, u, wf)


@kernel
def clamp(p, x, u):
    """Valve and power controller back within their limits."""
    x.valve_pu = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)
    x.mw_pu = clip(x.mw_pu, -1.1 * p.r_pu, 1.1 * p.r_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states from the mechanical power. Raises InitialisationError outside valve or load limit."""
    slip = u.omega_pu - 1.0
    p.base_ratio = p.mva / p.trate_mw if p.trate_mw > 0.0 else 1.0
    power = y.pm_pu * p.base_ratio + max(p.dm, 0.0) * u.omega_pu
    wf = power / p.kturb + p.wfnl_pu
    valve = wf / (u.omega_pu if p.flag == 1.0 else 1.0)
    heat = wf * u.omega_pu ** min(p.dm, 0.0)
    per_valve = heat / valve if valve > 0.0 else 1.0
    highs = (
        ("vmax_pu", p.vmax_pu),
        ("the load limiter's cap", 1.0),
        ("the load limit ldref_pu / kturb + wfnl_pu", (p.ldref_pu / p.kturb + p.wfnl_pu) / per_valve),
    )
    what = f"valve [pu] (mechanical power {y.pm_pu:.6g})"
    require_within("GGOV1", what, valve, ("vmin_pu", p.vmin_pu), min(highs, key=lambda limit: limit[1]), REMEDY)
    x.valve_pu = x.track_pu = x.speed_int_pu = x.load_int_pu = valve
    if p.kpload <= 0.0 and heat < p.ldref_pu / p.kturb + p.wfnl_pu:
        x.load_int_pu = 1.0
    x.heat_pu = x.texm_pu = heat
    x.turb_pu = x.dead1 = power
    x.dead2 = x.dead3 = x.mw_pu = x.rate_pu = 0.0
    x.acc_pu, x.power_pu = slip, u.p_pu * p.base_ratio
    p.p_mw_pu = x.power_pu - u.dp_ref_pu * p.base_ratio
    feedback = {1.0: x.power_pu, 0.0: 0.0}.get(float(p.rselect), valve)
    rise = u.dp_ref_pu * p.base_ratio * {1.0: 1.0, 0.0: 0.0}.get(float(p.rselect), 1.0 / p.kturb)
    p.p_ref_pu = slip + p.r_pu * (feedback - rise)
    y.valve_pu, y.fuel_pu = valve, wf


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Feedback and flag that exist, limits in order, leads with lags."""
    found = order(values, "vmin_pu", "vmax_pu")
    if values["rselect"] not in (1.0, 0.0, -1.0, -2.0):
        found.append(("rselect", "is not a feedback: 1 power, 0 none, -1 valve, -2 governor output"))
    if values["flag"] not in (0.0, 1.0):
        found.append(("flag", "is not a fuel source: 0 flow independent of speed, 1 proportional to it"))
    for low, high in (
        ("minerr_pu", "maxerr_pu"),
        ("rclose_pu_per_s", "ropen_pu_per_s"),
        ("rdown_pu_per_s", "rup_pu_per_s"),
    ):
        if values[low] >= 0.0 or values[high] <= 0.0:
            found.append((low, f"the signal starts at 0: give {low} < 0 < {high} ({high} = {values[high]:g})"))
    for lead, lag_s in (("kdgov", "tdgov_s"), ("tc_s", "tb_s"), ("tsa_s", "tsb_s")):
        if values[lead] != 0.0 and values[lag_s] <= 0.0:
            found.append((lag_s, f"must be above 0 where {lead} is not 0"))
    if values["ka"] != 0.0 and values["ta_s"] <= 0.0:
        found.append(("ta_s", "must be above 0 where ka is not 0"))
    return found


DYR = (
    "rselect", "flag", "r_pu", "tpelec_s", "maxerr_pu", "minerr_pu", "kpgov", "kigov", "kdgov", "tdgov_s", "vmax_pu",
    "vmin_pu", "tact_s", "kturb", "wfnl_pu", "tb_s", "tc_s", "teng_s", "tfload_s", "kpload", "kiload", "ldref_pu", "dm",
    "ropen_pu_per_s", "rclose_pu_per_s", "kimw", "aset_pu_per_s", "ka", "ta_s", "trate_mw", "db_pu", "tsa_s", "tsb_s",
    "rup_pu_per_s", "rdown_pu_per_s",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="GGOV1",
    role="governor",
    title="general governor and turbine with load and acceleration limits",
    params=(
        Param("rselect", "1", 1.0, "droop feedback: 1 power, 0 none, -1 valve, -2 governor output"),
        Param("flag", "1", 1.0, "fuel flow: 0 independent of speed, 1 proportional to it"),
        Param("r_pu", "pu", 0.04, "permanent droop", low=0.0),
        Param("tpelec_s", "s", 1.0, "time constant of the power transducer; 0 is algebraic", low=0.0),
        Param("maxerr_pu", "pu", 0.05, "upper limit of the speed error, above 0"),
        Param("minerr_pu", "pu", -0.05, "lower limit of the speed error, below 0"),
        Param("kpgov", "pu", 10.0, "proportional gain of the speed control", low=0.0),
        Param("kigov", "1/s", 2.0, "integral gain of the speed control", low=0.0),
        Param("kdgov", "s", 0.0, "derivative gain of the speed control", low=0.0),
        Param("tdgov_s", "s", 1.0, "time constant of the derivative, above 0 unless kdgov = 0", low=0.0),
        Param("vmax_pu", "pu", 1.0, "upper limit of the valve"),
        Param("vmin_pu", "pu", 0.15, "lower limit of the valve"),
        Param("tact_s", "s", 0.5, "time constant of the actuator, above 0", low=1e-6),
        Param("kturb", "pu", 1.5, "turbine gain, above 0", low=1e-6),
        Param("wfnl_pu", "pu", 0.2, "fuel flow at no load"),
        Param("tb_s", "s", 0.1, "lag of the turbine; 0 takes it out", low=0.0),
        Param("tc_s", "s", 0.0, "lead of the turbine", low=0.0),
        Param("teng_s", "s", 0.0, "dead time of the engine; 0 is algebraic", low=0.0),
        Param("tfload_s", "s", 3.0, "lag of the exhaust measurement; 0 is algebraic", low=0.0),
        Param("kpload", "pu", 2.0, "proportional gain of the load limiter", low=0.0),
        Param("kiload", "1/s", 0.67, "integral gain of the load limiter", low=0.0),
        Param("ldref_pu", "pu", 1.0, "load limit"),
        Param("dm", "pu", 0.0, "above 0: power lost in proportion to speed; below 0: exponent of speed in the exhaust"),
        Param("ropen_pu_per_s", "pu/s", 0.1, "limit of the valve's opening rate, above 0"),
        Param("rclose_pu_per_s", "pu/s", -0.1, "limit of the valve's closing rate, below 0"),
        Param("kimw", "1/s", 0.0, "gain of the power controller; 0 takes it out", low=0.0),
        Param("aset_pu_per_s", "pu/s", 0.01, "acceleration where its limiter begins", low=0.0),
        Param("ka", "pu", 10.0, "gain of the acceleration limiter; 0 takes it out", low=0.0),
        Param("ta_s", "s", 0.1, "time constant of the acceleration measurement, above 0 unless ka = 0", low=0.0),
        Param("trate_mw", "MW", 0.0, "rating of the turbine; 0: the machine's MVA base", low=0.0),
        Param("db_pu", "pu", 0.0, "deadband of the speed control, both ways", low=0.0),
        Param("tsa_s", "s", 4.0, "lead of the exhaust", low=0.0),
        Param("tsb_s", "s", 5.0, "lag of the exhaust; 0 takes it out", low=0.0),
        Param("rup_pu_per_s", "pu/s", 99.0, "limit of the load limiter's rate upwards, above 0"),
        Param("rdown_pu_per_s", "pu/s", -99.0, "limit of the load limiter's rate downwards, below 0"),
        P_REF,
        Param("p_mw_pu", "pu", None, "setpoint of the power controller", solved=True),
        Param("base_ratio", "1", None, "machine's MVA base over the turbine's rating", solved=True),
    ),
    states=(
        State("power_pu", "pu", "measured power (at rest when tpelec_s = 0)"),
        State("rate_pu", "pu", "lagged error of the derivative"),
        State("speed_int_pu", "pu", "integral of the speed control"),
        State("mw_pu", "pu", "power controller"),
        State("heat_pu", "pu", "lagged part of the exhaust's lead-lag"),
        State("texm_pu", "pu", "measured exhaust temperature"),
        State("load_int_pu", "pu", "integral of the load limiter"),
        State("acc_pu", "pu", "lagged speed deviation of the acceleration measurement"),
        State("track_pu", "pu", "governor output a moment ago"),
        State("valve_pu", "pu", "valve"),
        State("turb_pu", "pu", "lagged part of the turbine's lead-lag"),
        State("dead1", "pu", "dead time, first state"),
        State("dead2", "pu", "dead time, second state"),
        State("dead3", "pu", "dead time, third state"),
    ),
    inputs=(OMEGA, Input("p_pu", "pu", "machine.p_pu", "electrical power"), DP_REF),
    outputs=(PM, Output("valve_pu", "pu", "valve", "gate_pu"), Output("fuel_pu", "pu", "fuel flow")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, GGOV1; IEEE PES-TR1, 2013, section 3.1.2.3",
    check=check,
    deviations=(
        f"The acceleration limiter looks back {TRACK_S} s where PSS/E takes its time step.",
        "rup and rdown act on the load limiter's integral.",
        "The dead time is a rational approximation (order 2 over 3).",
        REFUSED,
    ),
)
