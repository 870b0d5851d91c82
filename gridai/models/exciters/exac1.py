"""EXAC1: alternator exciter with uncontrolled rectifier and feedback of the exciter's field current (IEEE AC1, 1981).

    v_ref + dv_ref + vs                  vrmax
             |              1 + s TC   KA  /           1
    |v| -- 1/(1+s TR) -(-)-(+)- -------- -------- vr -(+)- ---- VE --+--(x)-- efd_pu
                       (-)      1 + s TB  1+s TA       |    s TE  0  |   |
                        |                 /           (-)            |  FEX(KC IFD / VE)
                        |              vrmin           |             |
                        |                              +- VFE ---- KE + SE(VE), + KD IFD
                        +---- s KF / (1 + s TF) -------+

    VFE = KE VE + SE(VE) VE + KD IFD. VE cannot fall below 0. SE is drawn through (e1_pu, se1) and (e2_pu, se2).
    Regulator limits are non-windup. TR = 0, TA = 0 are algebraic; TB = TC = 0 takes the lead-lag out.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Committee Report, "Excitation system models for power system stability studies", IEEE Trans. PAS-100,
1981, type AC1; PSS/E Model Library, EXAC1; structure as in OpenIPSL's PSSE.EXAC1.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Model, Output, Param, Start, kernel
from gridai.models.exciters._ac import (
    ALTERNATOR,
    AMPLIFIER,
    STATES,
    alternator,
    complaints,
    regulator,
    set_rates,
    start,
)
from gridai.models.exciters._common import (
    EFD,
    FIELD_CURRENT,
    INPUTS,
    NO_COMPENSATOR,
    NO_LIMITERS,
    REFUSED,
    SATURATION_SOLVED,
    TR,
    V_REF,
    order,
)


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    y.efd_pu, vfe = alternator(p, x, u)
    y.vr_pu, _, _, _, _ = regulator(p, x, u, vfe, p.vrmin_pu, p.vrmax_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, lead-lag, regulator, alternator, rate feedback."""
    _, vfe = alternator(p, x, u)
    vr, d_vc, d_rate, d_lead, d_va = regulator(p, x, u, vfe, p.vrmin_pu, p.vrmax_pu)
    set_rates(p, x, d, vr, vfe, (d_vc, d_rate, d_lead, d_va))


@kernel
def clamp(p, x, u):
    """Regulator and alternator back within their limits."""
    x.va_pu = clip(x.va_pu, p.vrmin_pu, p.vrmax_pu)
    x.ve_pu = max(x.ve_pu, 0.0)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    start("EXAC1", p, x, u, y, abs(op.v), ("vrmin_pu", p.vrmin_pu), ("vrmax_pu", p.vrmax_pu))


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, saturation, leads with lags."""
    return complaints(values) + order(values, ("vrmin_pu", "vrmax_pu"))


DYR = (
    "tr_s", "tb_s", "tc_s", "ka", "ta_s", "vrmax_pu", "vrmin_pu", "te_s", "kf", "tf_s", "kc", "kd", "ke", "e1_pu",
    "se1", "e2_pu", "se2",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="EXAC1",
    role="exciter",
    title="IEEE type AC1 (1981), alternator with uncontrolled rectifier",
    params=(
        TR,
        *AMPLIFIER,
        Param("vrmax_pu", "pu", None, "upper limit of the regulator"),
        Param("vrmin_pu", "pu", None, "lower limit of the regulator"),
        *ALTERNATOR,
        V_REF,
        *SATURATION_SOLVED,
    ),
    states=STATES,
    inputs=(*INPUTS, FIELD_CURRENT),
    outputs=(EFD, Output("vr_pu", "pu", "regulator output", "vr_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Trans. PAS-100, 1981, AC1; PSS/E Model Library, EXAC1",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, REFUSED),
)
