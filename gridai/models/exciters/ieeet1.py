"""IEEET1: the 1968 IEEE type 1 excitation system, a rotating DC exciter with a continuous regulator.

    v_ref + dv_ref + vs
             |                 vrmax
            (+)           KA  /                        1
    |v| -- 1/(1+s TR) -(-)---------- -- vr -(+)-- ---------- --+-- efd_pu
                       (-)  1+s TA           |       s TE      |
                        |  /                (-)                |
                        | vrmin              |                 |
                        |                    +-- KE + SE(efd) -+
                        |                                      |
                        +------------- s KF / (1 + s TF) ------+

    SE(e) e = b (e - a)^2 above e = a, drawn through (e1_pu, se1) and (e2_pu, se2), in either order.
    Regulator limits are non-windup. TR = 0 and TA = 0 are algebraic; KF = 0 takes the rate feedback out.

Found at the start, by PSS/E's rules (the values used stand in the solved parameters):
    vrmax_pu = 0:  vrmax = (KE + SE(E2)) E2 if ke > 0, SE(E2) E2 otherwise (E2: the larger voltage); vrmin = -vrmax
    ke = 0:        KE = vrmax / (10 efd) - SE(efd), so that the regulator starts at a tenth of its ceiling

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Committee Report, "Computer representation of excitation systems", IEEE Trans. PAS-87, 1968, figure 1;
PSS/E Model Library, IEEET1; the two rules as in OpenIPSL's PSSE.IEEET1, which was verified against PSS/E.
"""

from gridai.kernel.blocks import clip, lag_nonwindup
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.exciters._common import INPUTS, NO_COMPENSATOR, REFUSED
from gridai.models.exciters._dc import (
    EXCITER,
    OUTPUTS,
    REGULATOR,
    SATURATION_FOOT,
    STATES,
    complaints,
    exciter_rate,
    start,
    summed,
)


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    wanted, _, _ = summed(p, x, u)
    y.vr_pu, _ = lag_nonwindup(wanted, x.vr_pu, p.ka, p.ta_s, p.vr_low_pu, p.vr_high_pu)
    y.efd_pu = x.efd_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, regulator, exciter, rate feedback."""
    wanted, d.vc_pu, d.rate_pu = summed(p, x, u)
    vr, d.vr_pu = lag_nonwindup(wanted, x.vr_pu, p.ka, p.ta_s, p.vr_low_pu, p.vr_high_pu)
    d.efd_pu = exciter_rate(p, x, vr)


@kernel
def clamp(p, x, u):
    """The regulator's state back within its limits."""
    x.vr_pu = clip(x.vr_pu, p.vr_low_pu, p.vr_high_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Saturation, PSS/E's rules for zeros, reference and states from the field voltage.

    Raises InitialisationError when the regulator would start outside its limits.
    """
    start("IEEET1", p, x, u, y, abs(op.v))


DYR = (
    "tr_s", "ka", "ta_s", "vrmax_pu", "vrmin_pu", "ke", "te_s", "kf", "tf_s", "switch", "e1_pu", "se1", "e2_pu", "se2",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="IEEET1",
    role="exciter",
    title="IEEE type 1 excitation system (1968), rotating DC exciter",
    params=(*REGULATOR, *EXCITER),
    states=STATES,
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Trans. PAS-87, 1968; PSS/E Model Library, IEEET1",
    check=complaints,
    deviations=(
        NO_COMPENSATOR,
        SATURATION_FOOT,
        REFUSED,
        "The field voltage is not multiplied by speed (PSS/E's IEEET1 does not; some programs offer it).",
    ),
)
