"""IEEEX1: the 1979 IEEE type 1 excitation system: IEEET1 with a lead-lag before the regulator.

    v_ref + dv_ref + vs                vrmax
             |              1 + s TC   KA  /              1
    |v| -- 1/(1+s TR) -(-)- -------- -------- -- vr -(+)- ---- --+-- efd_pu
                       (-)  1 + s TB  1+s TA          |   s TE   |
                        |                 /          (-)         |
                        |              vrmin          |          |
                        |                             +- KE + SE -+
                        |                                        |
                        +------------ s KF / (1 + s TF) ---------+

    SE(e) e = b (e - a)^2 above e = a, drawn through (e1_pu, se1) and (e2_pu, se2), in either order.
    Regulator limits are non-windup. TR = 0, TA = 0 are algebraic; TB = TC = 0 takes the lead-lag out, KF = 0 the
    rate feedback.

Found at the start, by PSS/E's rules (the values used stand in the solved parameters):
    vrmax_pu = 0:  vrmax = (KE + SE(E2)) E2 if ke > 0, SE(E2) E2 otherwise (E2: the larger voltage); vrmin = -vrmax
    ke = 0:        KE = vrmax / (10 efd) - SE(efd), so that the regulator starts at a tenth of its ceiling

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Committee Report, "Excitation system dynamic characteristics", IEEE Trans. PAS-92, 1973, and
"Excitation system models for power system stability studies", PAS-100, 1981; PSS/E Model Library, IEEEX1.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.exciters._common import INPUTS, NO_COMPENSATOR, REFUSED
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
    start,
)


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    y.vr_pu, _, _, _, _ = regulator(p, x, u, 1.0)
    y.efd_pu = x.efd_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, rate feedback, lead-lag, regulator, exciter."""
    vr, d.vc_pu, d.rate_pu, d.lead_pu, d.vr_pu = regulator(p, x, u, 1.0)
    d.efd_pu = exciter_rate(p, x, vr)


@kernel
def clamp(p, x, u):
    """The regulator's state back within its limits."""
    x.vr_pu = clip(x.vr_pu, p.vr_low_pu, p.vr_high_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Saturation, PSS/E's rules for zeros, reference and states from the field voltage.

    Raises InitialisationError when the regulator would start outside its limits.
    """
    start("IEEEX1", p, x, u, y, abs(op.v))
    x.lead_pu = x.vr_pu / p.ka


DYR = LEAD_DYR
"""Order of the record in a DYR file."""

MODEL = Model(
    name="IEEEX1",
    role="exciter",
    title="IEEE type 1 excitation system (1979), rotating DC exciter",
    params=(*REGULATOR, *LEAD_LAG, *EXCITER),
    states=(LEAD_STATE, *STATES),
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Trans. PAS-100, 1981; PSS/E Model Library, IEEEX1",
    check=check,
    deviations=(NO_COMPENSATOR, SATURATION_FOOT, REFUSED),
)
