"""The rotating DC exciter that IEEET1, IEEEX1, ESDC1A and ESDC2A share: kernels, PSS/E's rules for zeros, start.

The last three have a lead-lag before the regulator; ESDC2A's limits follow the terminal voltage (`scale`); ESDC1A
and ESDC2A cannot go below zero field voltage.
"""

from gridai.errors import InitialisationError
from gridai.kernel.blocks import (
    derivative_filtered,
    exciter_complaints,
    exciter_constants,
    exciter_saturation,
    lag_nonwindup,
    lead_lag,
    require_within,
)
from gridai.kernel.contract import Output, Param, State, kernel
from gridai.models.exciters._common import (
    EFD,
    REMEDY,
    SATURATION,
    SATURATION_SOLVED,
    TR,
    V_REF,
    need_lag,
    voltage_error,
)


@kernel
def summed(p, x, u):
    """Signal at the regulator [pu]; rates of the transducer and the rate feedback."""
    error, d_vc = voltage_error(p, x, u)
    feedback, d_rate = derivative_filtered(x.efd_pu, x.rate_pu, p.kf, p.tf_s)
    return error - feedback, d_vc, d_rate


@kernel
def regulator(p, x, u, scale):
    """Regulator behind a lead-lag, limits times `scale` [pu]; rates of transducer, feedback, lead-lag, regulator."""
    wanted, d_vc, d_rate = summed(p, x, u)
    lead, d_lead = lead_lag(wanted, x.lead_pu, p.tc_s, p.tb_s)
    vr, d_vr = lag_nonwindup(lead, x.vr_pu, p.ka, p.ta_s, scale * p.vr_low_pu, scale * p.vr_high_pu)
    return vr, d_vc, d_rate, d_lead, d_vr


@kernel
def exciter_rate(p, x, vr):
    """Rate of the field voltage [pu/s]."""
    return (vr - p.ke_used * x.efd_pu - exciter_saturation(x.efd_pu, p.sat_a, p.sat_b)) / p.te_s


def ceilings(p) -> tuple[float, float]:
    """The regulator's limits: as given, or by the rule for vrmax_pu = 0. [pu]"""
    if p.vrmax_pu != 0.0:
        return p.vrmin_pu, p.vrmax_pu
    e2, se2 = max((p.e1_pu, p.se1), (p.e2_pu, p.se2))
    high = (max(p.ke, 0.0) + se2) * e2
    return -high, high


def self_excited(model: str, p, efd_pu: float, saturated: float) -> float:
    """KE as given, or by the rule for ke = 0. [pu]"""
    if p.ke != 0.0:
        return p.ke
    if efd_pu <= 0.0:
        raise InitialisationError(
            f"{model}: ke = 0 asks for KE from the field voltage, which starts at {efd_pu:.6g} pu: give ke a value"
        )
    return p.vr_high_pu / (10.0 * efd_pu) - saturated / efd_pu


def start(model: str, p, x, u, y, v: float, scale: float = 1.0) -> None:
    """Saturation, PSS/E's rules for zeros, reference and states from the field voltage y.efd_pu.

    v    terminal voltage [pu].    scale    factor of the regulator's limits at the start.
    The state of a lead-lag, if there is one, is the caller's. Raises InitialisationError outside the limits.
    """
    efd = y.efd_pu
    p.sat_a, p.sat_b = exciter_constants(p.e1_pu, p.se1, p.e2_pu, p.se2)
    p.vr_low_pu, p.vr_high_pu = ceilings(p)
    saturated = exciter_saturation(efd, p.sat_a, p.sat_b)
    p.ke_used = self_excited(model, p, efd, saturated)
    vr = p.ke_used * efd + saturated
    given, times = p.vrmax_pu != 0.0, "" if scale == 1.0 else " x vt"
    require_within(
        model,
        f"regulator output [pu] (field voltage {efd:.6g})",
        vr,
        (("vrmin_pu" if given else "vrmin (from vrmax_pu = 0)") + times, scale * p.vr_low_pu),
        (("vrmax_pu" if given else "vrmax (from vrmax_pu = 0)") + times, scale * p.vr_high_pu),
        REMEDY,
    )
    x.efd_pu, x.vr_pu, x.rate_pu, x.vc_pu = efd, vr, efd, v
    y.vr_pu = vr
    p.v_ref_pu = vr / p.ka + v - u.vs_pu


def require_positive(model: str, efd_pu: float) -> None:
    """Raise InitialisationError for a negative field voltage, where the exciter cannot give one."""
    if efd_pu < 0.0:
        raise InitialisationError(f"{model}: field voltage starts at {efd_pu:.6g} pu, below 0: {REMEDY}")


def complaints(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, saturation that can be drawn, a rate feedback with a time constant."""
    found = exciter_complaints(values)
    given = values["vrmax_pu"] != 0.0
    if given and values["vrmin_pu"] >= values["vrmax_pu"]:
        found.append(("vrmin_pu", f"not below vrmax_pu = {values['vrmax_pu']:g}: give vrmin < vrmax"))
    if not given and max(values["ke"], 0.0) == 0.0 and max(values["se1"], values["se2"]) <= 0.0:
        found.append(("vrmax_pu", "0 asks for the limit from saturation and ke, which are 0: give vrmax_pu"))
    return found + need_lag(values, ("kf", "tf_s"))


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """`complaints`, and a lead with its lag."""
    return complaints(values) + need_lag(values, ("tc_s", "tb_s"))


REGULATOR = (
    TR,
    Param("ka", "pu", None, "regulator gain, above 0", low=1e-6),
    Param("ta_s", "s", None, "regulator time constant; 0 is algebraic", low=0.0),
)
LEAD_LAG = (
    Param("tb_s", "s", 0.0, "lag of the lead-lag; 0 takes it out", low=0.0),
    Param("tc_s", "s", 0.0, "lead of the lead-lag", low=0.0),
)
EXCITER = (
    Param("vrmax_pu", "pu", None, "upper limit of the regulator; 0: found from saturation at E2"),
    Param("vrmin_pu", "pu", None, "lower limit of the regulator (not read when vrmax_pu = 0)"),
    Param("ke", "pu", None, "exciter constant; 0: found at the start"),
    Param("te_s", "s", None, "exciter time constant, above 0", low=1e-6),
    Param("kf", "pu", 0.0, "rate feedback gain", low=0.0),
    Param("tf_s", "s", 1.0, "rate feedback time constant, above 0 unless kf = 0", low=0.0),
    Param("switch", "1", 0.0, "not used (nor in PSS/E); kept so that records read back the same"),
    *SATURATION,
    V_REF,
    *SATURATION_SOLVED,
    Param("ke_used", "pu", None, "exciter constant in use", solved=True),
    Param("vr_low_pu", "pu", None, "lower limit of the regulator in use", solved=True),
    Param("vr_high_pu", "pu", None, "upper limit of the regulator in use", solved=True),
)
STATES = (
    State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
    State("vr_pu", "pu", "regulator output (at rest when ta_s = 0)"),
    State("efd_pu", "pu", "field voltage"),
    State("rate_pu", "pu", "lagged field voltage of the rate feedback"),
)
LEAD_STATE = State("lead_pu", "pu", "lagged part of the lead-lag (at rest when tb_s = 0)")
OUTPUTS = (EFD, Output("vr_pu", "pu", "regulator output", "vr_pu"))

LEAD_DYR = (
    "tr_s", "ka", "ta_s", "tb_s", "tc_s", "vrmax_pu", "vrmin_pu", "ke", "te_s", "kf", "tf_s", "switch", "e1_pu", "se1",
    "e2_pu", "se2",
)  # fmt: skip
"""Order of the record of the three with a lead-lag."""

SATURATION_FOOT = "Below the foot of the saturation curve, and for negative field voltage, saturation is 0."
