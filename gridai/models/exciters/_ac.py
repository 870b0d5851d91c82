"""The alternator exciter with uncontrolled rectifier that EXAC1 and ESAC1A share: kernels, start, tables.

The two differ in the regulator's limits alone: their kernels pass them in.
"""

from gridai.kernel.blocks import (
    derivative_filtered,
    exciter_complaints,
    exciter_constants,
    lag_nonwindup,
    lead_lag,
    require_within,
)
from gridai.kernel.blocks_exciter import exciter_field, first_above_zero, rectifier_source, rectifier_voltage
from gridai.kernel.contract import Param, State, kernel
from gridai.models.exciters._common import REMEDY, SATURATION, need_lag, voltage_error


@kernel
def alternator(p, x, u):
    """Field voltage EFD and the exciter's field current VFE [pu]."""
    ve = max(x.ve_pu, 0.0)
    efd = rectifier_voltage(ve, u.xad_ifd_pu, p.kc)
    return efd, exciter_field(ve, u.xad_ifd_pu, p.ke, p.kd, p.sat_a, p.sat_b)


@kernel
def regulator(p, x, u, vfe, low, high):
    """Regulator output within limits [pu]; rates of transducer, rate feedback, lead-lag and regulator."""
    error, d_vc = voltage_error(p, x, u)
    feedback, d_rate = derivative_filtered(vfe, x.rate_pu, p.kf, p.tf_s)
    lead, d_lead = lead_lag(error - feedback, x.lead_pu, p.tc_s, p.tb_s)
    va, d_va = lag_nonwindup(lead, x.va_pu, p.ka, p.ta_s, low, high)
    return va, d_vc, d_rate, d_lead, d_va


@kernel
def set_rates(p, x, d, vr, vfe, rates):
    """The derivatives of all states from the signal vr at the alternator's field."""
    d.vc_pu, d.rate_pu, d.lead_pu, d.va_pu = rates
    d.ve_pu = first_above_zero((vr - vfe) / p.te_s, x.ve_pu)


def start(model: str, p, x, u, y, v: float, low: tuple[str, float], high: tuple[str, float]) -> None:
    """States and reference from the field voltage y.efd_pu at terminal voltage v.

    low, high    name and value of the regulator's tightest limits [pu].
    Raises InitialisationError outside them, or for a negative field voltage.
    """
    p.sat_a, p.sat_b = exciter_constants(p.e1_pu, p.se1, p.e2_pu, p.se2)
    ve = rectifier_source(model, y.efd_pu, u.xad_ifd_pu, p.kc)
    vfe = exciter_field(ve, u.xad_ifd_pu, p.ke, p.kd, p.sat_a, p.sat_b)
    require_within(model, f"regulator output [pu] (field voltage {y.efd_pu:.6g})", vfe, low, high, REMEDY)
    x.vc_pu, x.lead_pu, x.va_pu, x.ve_pu, x.rate_pu = v, vfe / p.ka, vfe, ve, vfe
    y.vr_pu = vfe
    p.v_ref_pu = vfe / p.ka + v - u.vs_pu


def complaints(values: dict[str, float]) -> list[tuple[str, str]]:
    """Saturation that can be drawn, a lead with its lag, a rate feedback with its time constant."""
    return exciter_complaints(values) + need_lag(values, ("tc_s", "tb_s"), ("kf", "tf_s"))


AMPLIFIER = (
    Param("tb_s", "s", 0.0, "lag of the lead-lag; 0 takes it out", low=0.0),
    Param("tc_s", "s", 0.0, "lead of the lead-lag", low=0.0),
    Param("ka", "pu", None, "regulator gain, above 0", low=1e-6),
    Param("ta_s", "s", None, "regulator time constant; 0 is algebraic", low=0.0),
)
ALTERNATOR = (
    Param("te_s", "s", None, "exciter time constant, above 0", low=1e-6),
    Param("kf", "pu", 0.0, "rate feedback gain", low=0.0),
    Param("tf_s", "s", 1.0, "rate feedback time constant, above 0 unless kf = 0", low=0.0),
    Param("kc", "pu", 0.0, "rectifier loading factor", low=0.0),
    Param("kd", "pu", 0.0, "demagnetising factor", low=0.0),
    Param("ke", "pu", 1.0, "exciter constant"),
    *SATURATION,
)
STATES = (
    State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
    State("lead_pu", "pu", "lagged part of the lead-lag (at rest when tb_s = 0)"),
    State("va_pu", "pu", "regulator output (at rest when ta_s = 0)"),
    State("ve_pu", "pu", "exciter voltage behind the commutating reactance"),
    State("rate_pu", "pu", "lagged field current of the rate feedback"),
)
