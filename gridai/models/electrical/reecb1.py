"""REECB1: the electrical control of a photovoltaic plant (WECC REEC_B).

    sensed V --> 1/(1 + s Trv) --> v_filt
    v_ref - v_filt --> deadband [dbd1,dbd2] --> Kqv --> [Iql1,Iqh1] --> injection (always on)

    P --> 1/(1 + s Tp) --> tan(phi) --- PFFLAG 1 --+
                            q_ext ----- PFFLAG 0 --+-- q_ref --> reactive path (see _reec) --> iq
    iq + injection --> [-Iqmax, Iqmax] --> iq_cmd

              dPmax                    Pmax
    p_ref ----/-- 1/(1 + s Tpord) ----/-- p_ord --> / v_filt --> [0, Ipmax] --> ip_cmd
             dPmin                    Pmin

    Reactive priority (PQFLAG 0): Iqmax = Imax, Ipmax = sqrt(Imax^2 - iq_cmd^2)
    Active priority (PQFLAG 1):   Ipmax = Imax, Iqmax = sqrt(Imax^2 - ip_cmd^2)

While the voltage is below vdip or above vup both integrators and both lags (Tiq, Tpord) are frozen.

Per unit on the unit's MVA base; currents are positive when they generate.
Source: WECC REMTF, "Solar PV Plant Modeling and Validation Guideline", 2019, REEC_B; EPRI 3002027129, 2023;
PSS/E Model Library, REECB1.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.electrical import _reec
from gridai.models.electrical._reec import (
    V_SMALL,
    clamp,
    dip_guards,
    dip_update,
    measured,
    power_order,
    reactive_current,
    reactive_reference,
    rest_of_circle,
    voltage_injection,
)

DYR = (
    "remote_bus", "pf_flag", "v_flag", "q_flag", "pq_flag", "vdip_pu", "vup_pu", "trv_s", "dbd1_pu", "dbd2_pu", "kqv",
    "iqh1_pu", "iql1_pu", "vref0_pu", "tp_s", "qmax_pu", "qmin_pu", "vmax_pu", "vmin_pu", "kqp", "kqi", "kvp", "kvi",
    "tiq_s", "dpmax_pu_per_s", "dpmin_pu_per_s", "pmax_pu", "pmin_pu", "imax_pu", "tpord_s",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M to M+4, CON J to J+24."""


@kernel
def control(p, x, z, u):
    """ip_cmd, iq_cmd, injection, Ipmax, Iqmax, and the derivatives in the order of the states."""
    _, v_filt, d_v = measured(p, x, u)
    injection = voltage_injection(p, v_filt)
    q_ref, d_p = reactive_reference(p, x, u)
    p_ord, d_ord = power_order(p, x, u.p_ref_pu + u.dp_ref_pu, z.dip)
    ip_max, iq_max = p.imax_pu, p.imax_pu
    ip = clip(p_ord / max(v_filt, V_SMALL), 0.0, ip_max)
    if p.pq_flag != 0.0:
        iq_max = rest_of_circle(p.imax_pu, ip)
    iq, d_q, d_vint, d_iq = reactive_current(p, x, u, q_ref, v_filt, 0.0, iq_max, z.dip)
    iq = clip(iq + injection, -iq_max, iq_max)
    if p.pq_flag == 0.0:
        ip_max = rest_of_circle(p.imax_pu, iq)
        ip = min(ip, ip_max)
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
    """See dip_guards."""
    dip_guards(p, z, u, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See dip_update."""
    return dip_update(z, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states for the currents that the converter needs. Raises InitialisationError outside a limit."""
    v = _reec.start_measurements("REECB1", p, x, z, u)
    _reec.start_active("REECB1", p, x, u, v, y.ip_cmd_pu)
    rest_p = p.imax_pu if p.pq_flag != 0.0 else rest_of_circle(p.imax_pu, y.iq_cmd_pu)
    rest_q = p.imax_pu if p.pq_flag == 0.0 else rest_of_circle(p.imax_pu, y.ip_cmd_pu)
    _reec.start_currents("REECB1", y, 0.0, rest_p, rest_q)
    _reec.start_reactive("REECB1", p, x, u, v, y.iq_cmd_pu - voltage_injection(p, v), 0.0)


MODEL = Model(
    name="REECB1",
    role="electrical",
    title="electrical control of a photovoltaic plant",
    params=(*_reec.FLAGS, *_reec.COMMON, *_reec.CONTROL, *_reec.POWER, *_reec.SOLVED),
    states=_reec.STATES,
    memory=_reec.MEMORY,
    guards=_reec.GUARDS,
    inputs=_reec.INPUTS,
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
    source="WECC REMTF, Solar PV Plant Modeling and Validation Guideline, 2019, REEC_B; PSS/E Model Library, REECB1",
    deviations=_reec.DEVIATIONS,
)
