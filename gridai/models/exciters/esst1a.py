"""ESST1A: bus-fed static exciter with two lead-lags and a field current limit (IEEE ST1A).

    v_ref + dv_ref + vs (vos 1)                              vamax        vs (vos 2)       |v| vrmax - KC IFD
             |             vimax    1+s TC   1+s TC1    KA  /              |              /
    |v| -- 1/(1+s TR) -(-)-/------- ------ - ------- ------/- va --(+)-----+--(-)--+-----/-- efd_pu
                       (-) vimin    1+s TB   1+s TB1   1+s TA                  |   |    |v| vrmin
                        |                            vamin                     |   |
                        |                               KLR max(IFD - ILR, 0) -+   |
                        +-------------- s KF / (1 + s TF) -------------------------+

    The limits va are non-windup; vi and those of the output clip. TR = 0, TA = 0 are algebraic; TB = TC = 0 and
    TB1 = TC1 = 0 take a lead-lag out, KF = 0 the rate feedback, KLR = 0 the field current limiter.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Std 421.5-1992 and -2005, type ST1A; PSS/E Model Library, ESST1A; OpenIPSL's PSSE.ESST1A, which was
verified against PSS/E (the rate feedback is taken where it takes it).
"""

from gridai.kernel.blocks import clip, derivative_filtered, lag_nonwindup, lead_lag, require_within
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
def late_signal(p, u):
    """What is added behind the regulator: the stabiliser (vos 2) less the field current limiter [pu]."""
    late = u.vs_pu if p.vos == 2.0 else 0.0
    return late - p.klr * max(u.xad_ifd_pu - p.ilr_pu, 0.0)


@kernel
def regulator(p, x, u):
    """Field voltage before the output's limits [pu]; rates of transducer, feedback, two lead-lags, regulator.

    TA = 0 goes without rate feedback: `check` sees to it.
    """
    error, d_vc = voltage_error(p, x, u)
    if p.vos == 2.0:
        error -= u.vs_pu
    feedback, d_rate = derivative_filtered(x.va_pu + late_signal(p, u), x.rate_pu, p.kf, p.tf_s)
    vi = clip(error - feedback, p.vimin_pu, p.vimax_pu)
    lead, d_lead = lead_lag(vi, x.lead_pu, p.tc_s, p.tb_s)
    lead1, d_lead1 = lead_lag(lead, x.lead1_pu, p.tc1_s, p.tb1_s)
    va, d_va = lag_nonwindup(lead1, x.va_pu, p.ka, p.ta_s, p.vamin_pu, p.vamax_pu)
    return va + late_signal(p, u), d_vc, d_rate, d_lead, d_lead1, d_va


@kernel
def output_limits(p, u):
    """Lower and upper limit of the field voltage [pu]."""
    v = abs(complex(u.v_re, u.v_im))
    return v * p.vrmin_pu, v * p.vrmax_pu - p.kc * u.xad_ifd_pu


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and the signal before its limits."""
    y.vr_pu, _, _, _, _, _ = regulator(p, x, u)
    low, high = output_limits(p, u)
    y.efd_pu = clip(y.vr_pu, low, high)


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, rate feedback, lead-lags, regulator."""
    _, d.vc_pu, d.rate_pu, d.lead_pu, d.lead1_pu, d.va_pu = regulator(p, x, u)


@kernel
def clamp(p, x, u):
    """The regulator's state back within its limits."""
    x.va_pu = clip(x.va_pu, p.vamin_pu, p.vamax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    efd = y.efd_pu
    low, high = output_limits(p, u)
    require_within("ESST1A", "field voltage [pu]", efd, ("vrmin_pu vt", low), ("vrmax_pu vt - kc ifd", high), REMEDY)
    va = efd - late_signal(p, u)
    what = f"(field voltage {efd:.6g})"
    limits = ("vamin_pu", p.vamin_pu), ("vamax_pu", p.vamax_pu)
    require_within("ESST1A", f"regulator output [pu] {what}", va, *limits, REMEDY)
    limits = ("vimin_pu", p.vimin_pu), ("vimax_pu", p.vimax_pu)
    require_within("ESST1A", f"voltage error [pu] {what}", va / p.ka, *limits, REMEDY)
    x.vc_pu, x.lead_pu, x.lead1_pu, x.va_pu, x.rate_pu = abs(op.v), va / p.ka, va / p.ka, va, efd
    y.vr_pu = efd
    p.v_ref_pu = va / p.ka + abs(op.v) - (u.vs_pu if p.vos != 2.0 else 0.0)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, leads with lags, a place for the stabiliser, no rate feedback around an algebraic regulator."""
    found = order(values, ("vimin_pu", "vimax_pu"), ("vamin_pu", "vamax_pu"), ("vrmin_pu", "vrmax_pu"))
    found += need_lag(values, ("tc_s", "tb_s"), ("tc1_s", "tb1_s"), ("kf", "tf_s"))
    if values["vos"] not in (1.0, 2.0):
        found.append(("vos", "is not a place for the stabiliser: 1 at the voltage error, 2 behind the regulator"))
    if values["kf"] != 0.0 and values["ta_s"] <= 0.0:
        found.append(("ta_s", "must be above 0 where kf is not 0: the rate feedback would be an algebraic loop"))
    return found


DYR = (
    "uel", "vos", "tr_s", "vimax_pu", "vimin_pu", "tc_s", "tb_s", "tc1_s", "tb1_s", "ka", "ta_s", "vamax_pu",
    "vamin_pu", "vrmax_pu", "vrmin_pu", "kc", "kf", "tf_s", "klr", "ilr_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="ESST1A",
    role="exciter",
    title="IEEE type ST1A, bus-fed static exciter",
    params=(
        Param("uel", "1", 1.0, "where an under-excitation limiter acts, 1 to 3; there is none, so not used"),
        Param("vos", "1", 1.0, "where the stabiliser acts: 1 at the voltage error, 2 behind the regulator"),
        TR,
        Param("vimax_pu", "pu", 99.0, "upper limit of the voltage error"),
        Param("vimin_pu", "pu", -99.0, "lower limit of the voltage error"),
        Param("tc_s", "s", 0.0, "lead of the first lead-lag", low=0.0),
        Param("tb_s", "s", 0.0, "lag of the first lead-lag; 0 takes it out", low=0.0),
        Param("tc1_s", "s", 0.0, "lead of the second lead-lag", low=0.0),
        Param("tb1_s", "s", 0.0, "lag of the second lead-lag; 0 takes it out", low=0.0),
        Param("ka", "pu", None, "regulator gain, above 0", low=1e-6),
        Param("ta_s", "s", None, "regulator time constant; 0 is algebraic", low=0.0),
        Param("vamax_pu", "pu", None, "upper limit of the regulator"),
        Param("vamin_pu", "pu", None, "lower limit of the regulator"),
        Param("vrmax_pu", "pu", None, "upper limit of the output, times |v|"),
        Param("vrmin_pu", "pu", None, "lower limit of the output, times |v|"),
        Param("kc", "pu", 0.0, "rectifier loading factor", low=0.0),
        Param("kf", "pu", 0.0, "rate feedback gain", low=0.0),
        Param("tf_s", "s", 1.0, "rate feedback time constant, above 0 unless kf = 0", low=0.0),
        Param("klr", "pu", 0.0, "gain of the field current limiter; 0 takes it out", low=0.0),
        Param("ilr_pu", "pu", 0.0, "field current where the limiter begins"),
        V_REF,
    ),
    states=(
        State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
        State("lead_pu", "pu", "lagged part of the first lead-lag (at rest when tb_s = 0)"),
        State("lead1_pu", "pu", "lagged part of the second lead-lag (at rest when tb1_s = 0)"),
        State("va_pu", "pu", "regulator output (at rest when ta_s = 0)"),
        State("rate_pu", "pu", "lagged input of the rate feedback"),
    ),
    inputs=(*INPUTS, FIELD_CURRENT),
    outputs=(EFD, Output("vr_pu", "pu", "field voltage before its limits", "vr_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Std 421.5-2005, ST1A; PSS/E Model Library, ESST1A",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, REFUSED),
)
