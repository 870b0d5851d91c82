"""ESDC1A: rotating DC exciter with a continuous regulator of fixed limits (IEEE DC1A).

    v_ref + dv_ref + vs                vrmax
             |              1 + s TC   KA  /              1
    |v| -- 1/(1+s TR) -(-)- -------- -------- -- vr -(+)- ---- --+-- efd_pu
                       (-)  1 + s TB  1+s TA          |   s TE   |
                        |                 /          (-)  0      |
                        |              vrmin          |          |
                        |                             +- KE + SE -+
                        |                                        |
                        +------------ s KF / (1 + s TF) ---------+

    SE(e) e = b (e - a)^2 above e = a, drawn through (e1_pu, se1) and (e2_pu, se2), in either order.
    Regulator limits are non-windup. TR = 0, TA = 0 are algebraic; TB = TC = 0 takes the lead-lag out, KF = 0 the
    rate feedback.
    The field voltage cannot fall below 0.

Found at the start, by PSS/E's rules (the values used stand in the solved parameters):
    vrmax_pu = 0:  vrmax = (KE + SE(E2)) E2 if ke > 0, SE(E2) E2 otherwise (E2: the larger voltage); vrmin = -vrmax
    ke = 0:        KE = vrmax / (10 efd) - SE(efd), so that the regulator starts at a tenth of its ceiling

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Std 421.5-1992 and -2005, type DC1A; PSS/E Model Library, ESDC1A; OpenIPSL's PSSE.ESDC1A.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.blocks_exciter import first_above_zero
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.exciters._common import INPUTS, NO_COMPENSATOR, NO_LIMITERS, REFUSED
from gridai.models.exciters._dc import (
    EXCITER,
    LEAD_DYR,
    LEAD_LAG,
    LEAD_STATE,
    OUTPUTS,
    REGULATOR,
    SATURATION_FOOT,
    STATES,
    check,
    exciter_rate,
    regulator,
    require_positive,
    start,
)


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    y.vr_pu, _, _, _, _ = regulator(p, x, u, 1.0)
    y.efd_pu = max(x.efd_pu, 0.0)


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, rate feedback, lead-lag, regulator, exciter."""
    vr, d.vc_pu, d.rate_pu, d.lead_pu, d.vr_pu = regulator(p, x, u, 1.0)
    d.efd_pu = first_above_zero(exciter_rate(p, x, vr), x.efd_pu)


@kernel
def clamp(p, x, u):
    """Regulator and field voltage back within their limits."""
    x.vr_pu = clip(x.vr_pu, p.vr_low_pu, p.vr_high_pu)
    x.efd_pu = max(x.efd_pu, 0.0)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Saturation, PSS/E's rules for zeros, reference and states from the field voltage.

    Raises InitialisationError when the regulator would start outside its limits, or the field voltage below 0.
    """
    start("ESDC1A", p, x, u, y, abs(op.v))
    require_positive("ESDC1A", y.efd_pu)
    x.lead_pu = x.vr_pu / p.ka


DYR = LEAD_DYR
"""Order of the record in a DYR file."""

MODEL = Model(
    name="ESDC1A",
    role="exciter",
    title="IEEE type DC1A, rotating DC exciter",
    params=(*REGULATOR, *LEAD_LAG, *EXCITER),
    states=(LEAD_STATE, *STATES),
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Std 421.5-2005, DC1A; PSS/E Model Library, ESDC1A",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, SATURATION_FOOT, REFUSED),
)
