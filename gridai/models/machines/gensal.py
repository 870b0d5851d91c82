"""GENSAL: salient-pole machine, field and one damper on the d-axis, one damper on the q-axis.

    efd --(+)----- 1/(s T'd0) ----- E'q ----- k3 --(+)--> E''q = psi''d
           |-                        |              |
       Xad Ifd                    (+)- 1/(s T''d0) --psi_kd-- k4
                                     |-(x'd - xl) id

    Xad Ifd = E'q (1 + S(E'q)) + (xd - x'd) id + k1 (E'q - psi_kd - (x'd - xl) id)
    T'd0  dE'q/dt    = efd - Xad Ifd
    T''d0 dpsi_kd/dt = E'q - psi_kd - (x'd - xl) id
    T''q0 dE''d/dt   = (xq - x'') iq - E''d
    E''q = k3 E'q + k4 psi_kd
    k1 = (xd - x'd) (x'd - x'') / (x'd - xl)^2    k3 = (x'' - xl) / (x'd - xl)    k4 = (x'd - x'') / (x'd - xl)
    E'' = v + (ra + j x'') i                      (x''q = x''d, no speed term)

    Saturation S(E'q) = b (E'q - a)^2 / E'q above E'q = a, with S(1.0) = s10, S(1.2) = s12 (s10 = 0: none);
    none on the q-axis.

    d delta/dt   = omega_base (omega - 1)
    2 H domega/dt = (pm - D (omega - 1)) / omega - te,   te = Re(E'' conj(i))

Speed in the stator voltage and in the torque: as in GENROU. Against PSS/E's three-bus series (20 s after a line
trip, a swing of 1.3 degrees) the angle is off by at most 0.0016 degrees; with power in place of torque by 0.017.
Frame: v e^{-j delta} = vq - j vd. Saturation does not enter the start's angle: delta is the angle of v + (ra + j xq) i.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, GENSAL; J. Weber, "Description of machine models GENROU, GENSAL, GENTPF and GENTPJ",
PowerWorld, 2015; equations as in OpenIPSL's PSSE.GENSAL, which was verified against PSS/E.
"""

import numpy as np

from gridai.kernel.blocks import saturation_quadratic
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
from gridai.models.machines.genrou import INPUTS, OUTPUTS, check_saturation, saturation_constants

__all__ = ["DYR", "MODEL"]


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    sat = saturation_quadratic(x.eq1_pu, p.sat_a, p.sat_b)
    set_outputs(p, x, u, y, subtransient_q(p, x), sat * x.eq1_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    set_rates(p, x, u, y, d, 0.0)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    id_ = start(p, x, u, op, float(np.angle(op.v + complex(p.ra_pu, p.xq_pu) * op.i)))
    sat = saturation_quadratic(x.eq1_pu, p.sat_a, p.sat_b)
    u.efd_pu = x.eq1_pu * (1.0 + sat) + (p.xd_pu - p.xd1_pu) * id_


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that can be drawn through its two points."""
    return check_reactances(values) + check_saturation(values)


MODEL = Model(
    name="GENSAL",
    role="machine",
    title="salient-pole machine, quadratic saturation on the d-axis",
    params=PARAMS,
    states=STATES,
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENSAL; PowerWorld 2015, machine models GENROU, GENSAL, GENTPF, GENTPJ",
)
