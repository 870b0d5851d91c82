"""EXST1: bus-fed static exciter with transient gain reduction or rate feedback (IEEE ST1, 1981).

    v_ref + dv_ref + vs
             |               vimax                            |v| vrmax - KC IFD
             |              /        1 + s TC      KA        /
    |v| -- 1/(1+s TR) -(-)-/------- -------- -- -------- -+-/-- efd_pu
                       (-) vimin    1 + s TB    1 + s TA  | |v| vrmin - KC IFD
                        |                                 |
                        +------ s KF / (1 + s TF) --------+

    The limits vi and those of the output clip (windup); the rate feedback is taken before the output's limits.
    TR = 0, TA = 0 are algebraic; TB = TC = 0 takes the lead-lag out, KF = 0 the rate feedback.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Committee Report, "Excitation system models for power system stability studies", IEEE Trans. PAS-100,
1981, type ST1; PSS/E Model Library, EXST1; structure as in OpenIPSL's PSSE.EXST1.
"""

from gridai.kernel.blocks import clip, derivative_filtered, lag, lead_lag, require_within
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.exciters._common import (
    EFD,
    FIELD_CURRENT,
    INPUTS,
    NO_COMPENSATOR,
    NO_LIMITERS,
    REFUSED,
    REMEDY,
    TR,
    V_REF,
    need_lag,
    order,
    voltage_error,
)


@kernel
def output_limits(p, u):
    """Lower and upper limit of the field voltage [pu]."""
    v, drop = abs(complex(u.v_re, u.v_im)), p.kc * u.xad_ifd_pu
    return v * p.vrmin_pu - drop, v * p.vrmax_pu - drop


@kernel
def regulator(p, x, u):
    """Regulator output before the limits [pu]; rates of transducer, rate feedback, lead-lag, regulator.

    TA = 0 goes without rate feedback: `check` sees to it.

    """
    error, d_vc = voltage_error(p, x, u)
    if p.ta_s > 0.0:
        feedback, d_rate = derivative_filtered(x.va_pu, x.rate_pu, p.kf, p.tf_s)
        lead, d_lead = lead_lag(clip(error - feedback, p.vimin_pu, p.vimax_pu), x.lead_pu, p.tc_s, p.tb_s)
        va, d_va = lag(lead, x.va_pu, p.ka, p.ta_s)
        return va, d_vc, d_rate, d_lead, d_va
    lead, d_lead = lead_lag(clip(error, p.vimin_pu, p.vimax_pu), x.lead_pu, p.tc_s, p.tb_s)
    return p.ka * lead, d_vc, 0.0, d_lead, 0.0


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    y.vr_pu, _, _, _, _ = regulator(p, x, u)
    low, high = output_limits(p, u)
    y.efd_pu = clip(y.vr_pu, low, high)


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, rate feedback, lead-lag, regulator."""
    _, d.vc_pu, d.rate_pu, d.lead_pu, d.va_pu = regulator(p, x, u)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    efd = y.efd_pu
    low, high = output_limits(p, u)
    require_within(
        "EXST1", "field voltage [pu]", efd, ("vrmin_pu vt - kc ifd", low), ("vrmax_pu vt - kc ifd", high), REMEDY
    )
    vi = ("vimin_pu", p.vimin_pu), ("vimax_pu", p.vimax_pu)
    require_within("EXST1", f"voltage error [pu] (field voltage {efd:.6g})", efd / p.ka, *vi, REMEDY)
    x.vc_pu, x.lead_pu, x.va_pu, x.rate_pu = abs(op.v), efd / p.ka, efd, efd
    y.vr_pu = efd
    p.v_ref_pu = efd / p.ka + abs(op.v) - u.vs_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, leads with lags, no rate feedback around an algebraic regulator."""
    found = order(values, ("vimin_pu", "vimax_pu"), ("vrmin_pu", "vrmax_pu"))
    found += need_lag(values, ("tc_s", "tb_s"), ("kf", "tf_s"))
    if values["kf"] != 0.0 and values["ta_s"] <= 0.0:
        found.append(("ta_s", "must be above 0 where kf is not 0: the rate feedback would be an algebraic loop"))
    return found


DYR = (
    "tr_s", "vimax_pu", "vimin_pu", "tc_s", "tb_s", "ka", "ta_s", "vrmax_pu", "vrmin_pu", "kc", "kf", "tf_s",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="EXST1",
    role="exciter",
    title="IEEE type ST1 (1981), bus-fed static exciter",
    params=(
        TR,
        Param("vimax_pu", "pu", 99.0, "upper limit of the voltage error"),
        Param("vimin_pu", "pu", -99.0, "lower limit of the voltage error"),
        Param("tc_s", "s", 0.0, "lead of the lead-lag", low=0.0),
        Param("tb_s", "s", 0.0, "lag of the lead-lag; 0 takes it out", low=0.0),
        Param("ka", "pu", None, "regulator gain, above 0", low=1e-6),
        Param("ta_s", "s", None, "regulator time constant; 0 is algebraic", low=0.0),
        Param("vrmax_pu", "pu", None, "upper limit of the output, times |v|"),
        Param("vrmin_pu", "pu", None, "lower limit of the output, times |v|"),
        Param("kc", "pu", 0.0, "rectifier loading factor", low=0.0),
        Param("kf", "pu", 0.0, "rate feedback gain", low=0.0),
        Param("tf_s", "s", 1.0, "rate feedback time constant, above 0 unless kf = 0", low=0.0),
        V_REF,
    ),
    states=(
        State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
        State("lead_pu", "pu", "lagged part of the lead-lag (at rest when tb_s = 0)"),
        State("va_pu", "pu", "regulator output (at rest when ta_s = 0)"),
        State("rate_pu", "pu", "lagged regulator output of the rate feedback"),
    ),
    inputs=(*INPUTS, FIELD_CURRENT),
    outputs=(EFD, Output("vr_pu", "pu", "regulator output", "vr_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="IEEE Trans. PAS-100, 1981, ST1; PSS/E Model Library, EXST1",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, REFUSED),
)
