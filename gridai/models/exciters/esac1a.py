"""ESAC1A: alternator exciter with uncontrolled rectifier and feedback of the exciter's field current (IEEE AC1A).

    v_ref + dv_ref + vs                  vamax                vrmax
             |              1 + s TC   KA  /                   /           1
    |v| -- 1/(1+s TR) -(-)-(+)- -------- -------- va (gates) --/-- vr -(+)- ---- VE --+--(x)-- efd_pu
                       (-)      1 + s TB  1+s TA                        |    s TE  0  |   |
                        |                 /                   /        (-)            |  FEX(KC IFD / VE)
                        |              vamin               vrmin        |             |
                        |                                               +- VFE ---- KE + SE(VE), + KD IFD
                        +------------- s KF / (1 + s TF) ---------------+

    VFE = KE VE + SE(VE) VE + KD IFD. VE cannot fall below 0. SE is drawn through (e1_pu, se1) and (e2_pu, se2).
    Limits va are non-windup, limits vr clip. TR = 0, TA = 0 are algebraic; TB = TC = 0 takes the lead-lag out.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Std 421.5-1992 and -2005, type AC1A; PSS/E Model Library, ESAC1A; OpenIPSL's PSSE.ESAC1A, which was
verified against PSS/E.
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
    """Field voltage and the signal at the alternator's field."""
    y.efd_pu, vfe = alternator(p, x, u)
    va, _, _, _, _ = regulator(p, x, u, vfe, p.vamin_pu, p.vamax_pu)
    y.vr_pu = clip(va, p.vrmin_pu, p.vrmax_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, lead-lag, regulator, alternator, rate feedback."""
    _, vfe = alternator(p, x, u)
    va, d_vc, d_rate, d_lead, d_va = regulator(p, x, u, vfe, p.vamin_pu, p.vamax_pu)
    set_rates(p, x, d, clip(va, p.vrmin_pu, p.vrmax_pu), vfe, (d_vc, d_rate, d_lead, d_va))


@kernel
def clamp(p, x, u):
    """Regulator and alternator back within their limits."""
    x.va_pu = clip(x.va_pu, p.vamin_pu, p.vamax_pu)
    x.ve_pu = max(x.ve_pu, 0.0)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    low = max(("vamin_pu", p.vamin_pu), ("vrmin_pu", p.vrmin_pu), key=lambda limit: limit[1])
    high = min(("vamax_pu", p.vamax_pu), ("vrmax_pu", p.vrmax_pu), key=lambda limit: limit[1])
    start("ESAC1A", p, x, u, y, abs(op.v), low, high)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, saturation, leads with lags."""
    return complaints(values) + order(values, ("vamin_pu", "vamax_pu"), ("vrmin_pu", "vrmax_pu"))


DYR = (
    "tr_s", "tb_s", "tc_s", "ka", "ta_s", "vamax_pu", "vamin_pu", "te_s", "kf", "tf_s", "kc", "kd", "ke", "e1_pu",
    "se1", "e2_pu", "se2", "vrmax_pu", "vrmin_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="ESAC1A",
    role="exciter",
    title="IEEE type AC1A, alternator with uncontrolled rectifier",
    params=(
        TR,
        *AMPLIFIER,
        Param("vamax_pu", "pu", None, "upper limit of the regulator"),
        Param("vamin_pu", "pu", None, "lower limit of the regulator"),
        *ALTERNATOR,
        Param("vrmax_pu", "pu", None, "upper limit of the signal at the alternator's field"),
        Param("vrmin_pu", "pu", None, "lower limit of the signal at the alternator's field"),
        V_REF,
        *SATURATION_SOLVED,
    ),
    states=STATES,
    inputs=(*INPUTS, FIELD_CURRENT),
    outputs=(EFD, Output("vr_pu", "pu", "signal at the alternator's field", "vr_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Std 421.5-2005, AC1A; PSS/E Model Library, ESAC1A",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, REFUSED),
)
