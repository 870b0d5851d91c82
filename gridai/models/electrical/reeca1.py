"""REECA1: the electrical control of large wind and solar plants (WECC REEC_A).

    sensed V --> 1/(1 + s Trv) --> v_filt
    v_ref - v_filt --> deadband [dbd1,dbd2] --> Kqv --> [Iql1,Iqh1] --> iqv

    injection:  0 at normal voltage                         in a dip (V < vdip or V > vup): iqv
                for |thld| after the dip: iqfrz if thld > 0, iqv if thld < 0

    P --> 1/(1 + s Tp) --> tan(phi) --- PFFLAG 1 --+
                            q_ext ----- PFFLAG 0 --+-- q_ref --> reactive path (see _reec, bias vref1) --> iq
    iq + injection --> [-Iqmax, Iqmax] --> iq_cmd

                                   dPmax                   Pmax
    p_ref -- x omega_g (PFLAG 1) --/-- 1/(1 + s Tpord) ---/-- p_ord --> / v_filt --> [0, Ipmax] --> ip_cmd
                                  dPmin                   Pmin

    Reactive priority (PQFLAG 0): Iqmax = min(VDL1, Imax), Ipmax = min(VDL2, sqrt(Imax^2 - iq_cmd^2))
    Active priority (PQFLAG 1):   Ipmax = min(VDL2, Imax), Iqmax = min(VDL1, sqrt(Imax^2 - ip_cmd^2))
    for thld2 after a dip Ipmax keeps the value it had at the end of the dip

VDL1, VDL2 are tables of four points over v_filt, flat outside; a table of zeros is no limit. While the voltage is
outside vdip to vup both integrators and both lags (Tiq, Tpord) are frozen.

Per unit on the unit's MVA base; currents are positive when they generate.
Source: WECC REMTF, "Specification of the Second Generation Generic Models for Wind Turbine Generators", 2014, and
"Solar PV Plant Modeling and Validation Guideline", 2019, REEC_A; EPRI 3002027129, 2023; PSS/E Model Library, REECA1.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Input, Model, Param, Start, State, kernel
from gridai.models.electrical import _reec
from gridai.models.electrical._reec import (
    V_SMALL,
    active_table,
    clamp,
    dip_guards,
    measured,
    power_order,
    reactive_current,
    reactive_reference,
    reactive_table,
    rest_of_circle,
    voltage_injection,
)

DYR = (
    "remote_bus", "pf_flag", "v_flag", "q_flag", "p_flag", "pq_flag", "vdip_pu", "vup_pu", "trv_s", "dbd1_pu",
    "dbd2_pu", "kqv", "iqh1_pu", "iql1_pu", "vref0_pu", "iqfrz_pu", "thld_s", "thld2_s", "tp_s", "qmax_pu", "qmin_pu",
    "vmax_pu", "vmin_pu", "kqp", "kqi", "kvp", "kvi", "vref1_pu", "tiq_s", "dpmax_pu_per_s", "dpmin_pu_per_s",
    "pmax_pu", "pmin_pu", "imax_pu", "tpord_s", "vq1_pu", "iq1_pu", "vq2_pu", "iq2_pu", "vq3_pu", "iq3_pu", "vq4_pu",
    "iq4_pu", "vp1_pu", "ip1_pu", "vp2_pu", "ip2_pu", "vp3_pu", "ip3_pu", "vp4_pu", "ip4_pu",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M to M+5, CON J to J+44."""


@kernel
def injection_now(p, z, v_filt):
    """Reactive current injected: in a dip, after it, and none otherwise."""
    if z.dip != 0.0 or (z.hold != 0.0 and p.thld_s < 0.0):
        return voltage_injection(p, v_filt)
    if z.hold != 0.0:
        return p.iqfrz_pu
    return 0.0


@kernel
def control(p, x, z, u):
    """ip_cmd, iq_cmd, injection, Ipmax, Iqmax, and the derivatives in the order of the states."""
    _, v_filt, d_v = measured(p, x, u)
    injection = injection_now(p, z, v_filt)
    q_ref, d_p = reactive_reference(p, x, u)
    p_ref = u.p_ref_pu + u.dp_ref_pu
    if p.p_flag != 0.0:
        p_ref = p_ref * u.omega_pu
    p_ord, d_ord = power_order(p, x, p_ref, z.dip)
    wanted = p_ord / max(v_filt, V_SMALL)
    ip_max = max(min(active_table(p, v_filt), p.imax_pu), 0.0)
    iq_max = max(min(reactive_table(p, v_filt), p.imax_pu), 0.0)
    if p.pq_flag != 0.0:
        if z.ip_hold != 0.0:
            ip_max = z.ip_held_pu
        iq_max = min(iq_max, rest_of_circle(p.imax_pu, clip(wanted, 0.0, ip_max)))
    iq, d_q, d_vint, d_iq = reactive_current(p, x, u, q_ref, v_filt, p.vref1_pu, iq_max, z.dip)
    iq = clip(iq + injection, -iq_max, iq_max)
    if p.pq_flag == 0.0:
        ip_max = min(ip_max, rest_of_circle(p.imax_pu, iq))
        if z.ip_hold != 0.0:
            ip_max = z.ip_held_pu
    ip = clip(wanted, 0.0, ip_max)
    return ip, iq, injection, ip_max, iq_max, d_v, d_p, d_q, d_vint, d_iq, d_ord


@kernel
def outputs(p, x, z, u, y):
    """Current commands and their limits."""
    y.ip_cmd_pu, y.iq_cmd_pu, y.iq_inj_pu, y.ip_max_pu, y.iq_max_pu, _, _, _, _, _, _ = control(p, x, z, u)
    y.dip = z.dip


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurements, integrators, lags."""
    _, _, _, _, _, d.v_pu, d.p_pu, d.q_int_pu, d.v_int_pu, d.iq_pu, d.p_ord_pu = control(p, x, z, u)


@kernel
def guards(p, x, z, u, y, t, g):
    """The dip begins or ends; the times after it run out."""
    dip_guards(p, z, u, g)
    g.hold_over, g.ip_over = -1.0, -1.0
    if z.hold != 0.0:
        g.hold_over = t - z.until_s
    if z.ip_hold != 0.0:
        g.ip_over = t - z.ip_until_s


@kernel
def update(p, x, z, u, y, t, g):
    """Memory of the dip and of what is held after it. A new dip ends what is held."""
    if g.dips > 0.0:
        z.dip, z.hold, z.ip_hold = 1.0, 0.0, 0.0
    elif g.returns > 0.0:
        z.dip = 0.0
        if p.thld_s != 0.0:
            z.hold, z.until_s = 1.0, t + abs(p.thld_s)
        if p.thld2_s > 0.0:
            z.ip_hold, z.ip_until_s, z.ip_held_pu = 1.0, t + p.thld2_s, y.ip_max_pu
    if g.hold_over > 0.0:
        z.hold = 0.0
    if g.ip_over > 0.0:
        z.ip_hold = 0.0
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states for the currents that the converter needs. Raises InitialisationError outside a limit."""
    v = _reec.start_measurements("REECA1", p, x, z, u)
    z.hold, z.ip_hold = 0.0, 0.0
    _reec.start_active("REECA1", p, x, u, v, y.ip_cmd_pu, u.omega_pu if p.p_flag != 0.0 else 1.0)
    ip_max = max(min(active_table(p, v), p.imax_pu), 0.0)
    iq_max = max(min(reactive_table(p, v), p.imax_pu), 0.0)
    if p.pq_flag != 0.0:
        iq_max = min(iq_max, rest_of_circle(p.imax_pu, y.ip_cmd_pu))
    else:
        ip_max = min(ip_max, rest_of_circle(p.imax_pu, y.iq_cmd_pu))
    _reec.start_currents("REECA1", y, 0.0, ip_max, iq_max)
    _reec.start_reactive("REECA1", p, x, u, v, y.iq_cmd_pu, p.vref1_pu)


MODEL = Model(
    name="REECA1",
    role="electrical",
    title="electrical control of large wind and solar plants",
    params=(
        *_reec.FLAGS,
        _reec.flag("p_flag", "1: the active reference is multiplied by the speed of the turbine"),
        *_reec.COMMON,
        Param("iqfrz_pu", "pu", 0.0, "reactive current injected for thld_s after a dip where thld_s > 0"),
        Param("thld_s", "s", 0.0, "time of injection after a dip; negative: the injection of the dip goes on"),
        Param("thld2_s", "s", 0.0, "time after a dip for which the active current limit is held", low=0.0),
        *_reec.CONTROL,
        Param("vref1_pu", "pu", 0.0, "bias of the voltage control where v_flag = 0 (PSS/E: Vbias)"),
        *_reec.POWER,
        *_reec.TABLES,
        *_reec.SOLVED,
    ),
    states=_reec.STATES,
    memory=(
        *_reec.MEMORY,
        State("hold", "1", "1 while the injection is held after a dip"),
        State("until_s", "s", "end of that time"),
        State("ip_hold", "1", "1 while the active current limit is held after a dip"),
        State("ip_until_s", "s", "end of that time"),
        State("ip_held_pu", "pu", "the limit held"),
    ),
    guards=(*_reec.GUARDS, "hold_over", "ip_over"),
    inputs=(
        *_reec.INPUTS,
        Input("omega_pu", "pu", "governor.omega_g_pu", "speed of the turbine", default=1.0),
    ),
    outputs=_reec.OUTPUTS,
    initialise=initialise,
    kernels={
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "guards": guards,
        "update": update,
    },
    check=_reec.check,
    source="WECC REMTF, specification of the second generation of wind models, 2014, REEC_A; PSS/E, REECA1",
    deviations=(
        *_reec.DEVIATIONS,
        "the speed of the turbine is 1: there is no drive-train model in the library",
    ),
)
