"""GENSAE: salient-pole machine, field and one damper on the d-axis, one damper on the q-axis, exponential saturation.

    efd --(+)----- 1/(s T'd0) ----- E'q ----- k3 --(+)--> E''q = psi''d
           |-                        |              |
       Xad Ifd                    (+)- 1/(s T''d0) --psi_kd-- k4
                                     |-(x'd - xl) id

    The equations are those of GENSAL, but saturation acts on both axes and follows the flux psi'' = |E''|:
    Xad Ifd = E'q + (xd - x'd) id + k1 (E'q - psi_kd - (x'd - xl) id) + S(psi'') psi''d
    T''q0 dE''d/dt = (xq - x'') iq - E''d - S(psi'') E''d (xq - xl) / (xd - xl)
    S(psi) = a psi^b, a = s10 = S(1.0), b = ln(s12 / s10) / ln 1.2, so that S(1.2) = s12. s10 = 0: no saturation.

    The start is exact: delta is the angle of E'' (1 + S (xq - xl) / (xd - xl)) + j (xq - x'') i, as in GENROU.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, GENSAE; OpenIPSL's PSSE.GENSAE, which was verified against PSS/E.
"""

import numpy as np

from gridai.kernel.blocks import saturation_exponential
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.machines._salient import (
    DYR,
    PARAMS,
    STATES,
    admittance,
    check_reactances,
    current,
    set_outputs,
    set_rates,
    start,
    subtransient_q,
)
from gridai.models.machines.genroe import check_saturation, saturation_constants
from gridai.models.machines.genrou import INPUTS, OUTPUTS

__all__ = ["DYR", "MODEL"]


@kernel
def saturation(p, x):
    """S(psi'')."""
    return saturation_exponential(np.sqrt(subtransient_q(p, x) ** 2 + x.ed2_pu**2), p.sat_a, p.sat_b)


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    eq2 = subtransient_q(p, x)
    set_outputs(p, x, u, y, eq2, saturation(p, x) * eq2)


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    ratio = (p.xq_pu - p.xl_pu) / (p.xd_pu - p.xl_pu)
    set_rates(p, x, u, y, d, saturation(p, x) * x.ed2_pu * ratio)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    e2 = op.v + complex(p.ra_pu, p.xd2_pu) * op.i
    sat = saturation_exponential(abs(e2), p.sat_a, p.sat_b)
    ratio = (p.xq_pu - p.xl_pu) / (p.xd_pu - p.xl_pu)
    id_ = start(p, x, u, op, float(np.angle(e2 * (1.0 + sat * ratio) + 1j * (p.xq_pu - p.xd2_pu) * op.i)))
    u.efd_pu = x.eq1_pu + (p.xd_pu - p.xd1_pu) * id_ + sat * subtransient_q(p, x)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that rises."""
    return check_reactances(values) + check_saturation(values)


MODEL = Model(
    name="GENSAE",
    role="machine",
    title="salient-pole machine, exponential saturation on both axes",
    params=PARAMS,
    states=STATES,
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENSAE",
)
