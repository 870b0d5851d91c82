"""REECC1: the electrical control of a battery energy storage plant (WECC REEC_C).

    sensed V --> 1/(1 + s Trv) --> v_filt
    v_ref - v_filt --> deadband [dbd1,dbd2] --> Kqv --> [Iql1,Iqh1] --> injection (always on)

    P --> 1/(1 + s Tp) --> tan(phi) --- PFFLAG 1 --+
                            q_ext ----- PFFLAG 0 --+-- q_ref --> reactive path (see _reec) --> iq
    iq + injection --> [-Iqmax, Iqmax] --> iq_cmd

              dPmax                    Pmax                            Ipmax sd
    p_ref ----/-- 1/(1 + s Tpord) ----/-- p_ord --> / v_filt --(+)------/------ ip_cmd
             dPmin                    Pmin                     aux   -Ipmax sc

    P --> -1 / (s T) --> soc in [SOCmin, SOCmax]      sd = 0 at SOCmin (no discharge), sc = 0 at SOCmax (no charge)

    Reactive priority (PQFLAG 0): Iqmax = min(VDL1, Imax), Ipmax = min(VDL2, sqrt(Imax^2 - iq_cmd^2))
    Active priority (PQFLAG 1):   Ipmax = min(VDL2, Imax), Iqmax = min(VDL1, sqrt(Imax^2 - ip_cmd^2))

VDL1, VDL2 are tables of four points over v_filt, flat outside; a table of zeros is no limit. While the voltage is
outside vdip to vup both integrators and both lags (Tiq, Tpord) are frozen.

Per unit on the unit's MVA base; currents are positive when they generate, soc in pu of the stored energy.
Source: WECC REMTF, "Battery Storage Dynamic Modeling Guideline", 2016, REEC_C; EPRI 3002027129, 2023;
PSS/E Model Library, REECC1.
"""

from gridai.kernel.blocks import clip, held, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.electrical import _reec
from gridai.models.electrical._reec import (
    V_SMALL,
    active_table,
    dip_guards,
    dip_update,
    measured,
    power_order,
    reactive_current,
    reactive_reference,
    reactive_table,
    rest_of_circle,
    voltage_injection,
)
from gridai.models.electrical._reec import clamp as clamp_controls

DYR = (
    "remote_bus", "pf_flag", "v_flag", "q_flag", "pq_flag", "vdip_pu", "vup_pu", "trv_s", "dbd1_pu", "dbd2_pu", "kqv",
    "iqh1_pu", "iql1_pu", "vref0_pu", "tp_s", "qmax_pu", "qmin_pu", "vmax_pu", "vmin_pu", "kqp", "kqi", "kvp", "kvi",
    "tiq_s", "dpmax_pu_per_s", "dpmin_pu_per_s", "pmax_pu", "pmin_pu", "imax_pu", "tpord_s", "vq1_pu", "iq1_pu",
    "vq2_pu", "iq2_pu", "vq3_pu", "iq3_pu", "vq4_pu", "iq4_pu", "vp1_pu", "ip1_pu", "vp2_pu", "ip2_pu", "vp3_pu",
    "ip3_pu", "vp4_pu", "ip4_pu", "t_s", "soc_ini", "soc_max", "soc_min",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M to M+4, CON J to J+44."""
DYR_NAMES = ("REECCU1",)
"""Another name of the record."""


@kernel
def active_range(p, x, ip_max):
    """Limits of the active current for the state of charge."""
    high = ip_max if x.soc > p.soc_min else 0.0
    low = -ip_max if x.soc < p.soc_max else 0.0
    return low, high


@kernel
def control(p, x, z, u):
    """ip_cmd, iq_cmd, injection, Ipmax, Iqmax, and the derivatives in the order of the states but soc."""
    _, v_filt, d_v = measured(p, x, u)
    injection = voltage_injection(p, v_filt)
    q_ref, d_p = reactive_reference(p, x, u)
    p_ord, d_ord = power_order(p, x, u.p_ref_pu + u.dp_ref_pu, z.dip)
    wanted = p_ord / max(v_filt, V_SMALL) + u.p_aux_pu
    ip_max = max(min(active_table(p, v_filt), p.imax_pu), 0.0)
    iq_max = max(min(reactive_table(p, v_filt), p.imax_pu), 0.0)
    if p.pq_flag != 0.0:
        low, high = active_range(p, x, ip_max)
        iq_max = min(iq_max, rest_of_circle(p.imax_pu, clip(wanted, low, high)))
    iq, d_q, d_vint, d_iq = reactive_current(p, x, u, q_ref, v_filt, 0.0, iq_max, z.dip)
    iq = clip(iq + injection, -iq_max, iq_max)
    if p.pq_flag == 0.0:
        ip_max = min(ip_max, rest_of_circle(p.imax_pu, iq))
    low, high = active_range(p, x, ip_max)
    return clip(wanted, low, high), iq, injection, ip_max, iq_max, d_v, d_p, d_q, d_vint, d_iq, d_ord


@kernel
def outputs(p, x, z, u, y):
    """Current commands and their limits, state of charge."""
    y.ip_cmd_pu, y.iq_cmd_pu, y.iq_inj_pu, y.ip_max_pu, y.iq_max_pu, _, _, _, _, _, _ = control(p, x, z, u)
    y.dip, y.soc = z.dip, x.soc


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurements, integrators, lags, state of charge."""
    _, _, _, _, _, d.v_pu, d.p_pu, d.q_int_pu, d.v_int_pu, d.iq_pu, d.p_ord_pu = control(p, x, z, u)
    d.soc = held(-u.p_pu / p.t_s, x.soc, p.soc_min, p.soc_max)


@kernel
def clamp(p, x, u):
    """The power order, the integrators in use and the state of charge within their limits."""
    clamp_controls(p, x, u)
    x.soc = clip(x.soc, p.soc_min, p.soc_max)


@kernel
def guards(p, x, z, u, y, t, g):
    """See dip_guards."""
    dip_guards(p, z, u, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See dip_update."""
    return dip_update(z, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states for the currents that the converter needs. Raises InitialisationError outside a limit."""
    v = _reec.start_measurements("REECC1", p, x, z, u)
    limits = ("soc_min", p.soc_min), ("soc_max", p.soc_max)
    require_within("REECC1", "state of charge", p.soc_ini, *limits, "start between the limits")
    x.soc = p.soc_ini
    _reec.start_active("REECC1", p, x, u, v, y.ip_cmd_pu - u.p_aux_pu)
    ip_max = max(min(active_table(p, v), p.imax_pu), 0.0)
    iq_max = max(min(reactive_table(p, v), p.imax_pu), 0.0)
    if p.pq_flag != 0.0:
        iq_max = min(iq_max, rest_of_circle(p.imax_pu, y.ip_cmd_pu))
    else:
        ip_max = min(ip_max, rest_of_circle(p.imax_pu, y.iq_cmd_pu))
    low, high = active_range(p, x, ip_max)
    _reec.start_currents("REECC1", y, low, high, iq_max)
    _reec.start_reactive("REECC1", p, x, u, v, y.iq_cmd_pu - voltage_injection(p, v), 0.0)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order."""
    found = _reec.check(values)
    if values["soc_min"] >= values["soc_max"]:
        found.append(("soc_min", f"not below soc_max = {values['soc_max']:g}"))
    return found


MODEL = Model(
    name="REECC1",
    role="electrical",
    title="electrical control of a battery energy storage plant",
    params=(
        *_reec.FLAGS,
        *_reec.COMMON,
        *_reec.CONTROL,
        *_reec.POWER,
        *_reec.TABLES,
        Param("t_s", "s", 999.0, "time in which rated power empties the full battery, above 0", low=1e-6),
        Param("soc_ini", "1", 0.5, "state of charge at the start", low=0.0, high=1.0),
        Param("soc_max", "1", 0.8, "state of charge at which charging ends", low=0.0, high=1.0),
        Param("soc_min", "1", 0.2, "state of charge at which discharging ends", low=0.0, high=1.0),
        *_reec.SOLVED,
    ),
    states=(*_reec.STATES, State("soc", "1", "state of charge", drifts=True)),
    memory=_reec.MEMORY,
    guards=_reec.GUARDS,
    inputs=(*_reec.INPUTS, Input("p_aux_pu", "pu", "setpoint.p_aux", "auxiliary signal, added to the active current")),
    outputs=(*_reec.OUTPUTS, Output("soc", "1", "state of charge", "soc")),
    initialise=initialise,
    kernels={
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "guards": guards,
        "update": update,
    },
    check=check,
    source="WECC REMTF, Battery Storage Dynamic Modeling Guideline, 2016, REEC_C; PSS/E Model Library, REECC1",
    deviations=(*_reec.DEVIATIONS, "losses of the battery are not part of the state of charge"),
)
