"""GENROU: round-rotor machine, field and one damper on the d-axis, two dampers on the q-axis.

    efd --(+)----- 1/(s T'd0) ----- E'q ----- k3d --(+)--> E''q = psi''d
           |-                        |               |
       Xad Ifd                    (+)- 1/(s T''d0) --psi_kd-- k4d
                                     |-(x'd - xl) id

    Xad Ifd = E'q + (xd - x'd) id + k1d (E'q - psi_kd - (x'd - xl) id) + S(psi'') psi''d
    Xaq I1q = E'd - (xq - x'q) iq + k1q (E'd - psi_kq + (x'q - xl) iq) + S(psi'') E''d (xq - xl) / (xd - xl)
    T'd0  dE'q/dt    = efd - Xad Ifd            T'q0  dE'd/dt    = - Xaq I1q
    T''d0 dpsi_kd/dt = E'q - psi_kd - (x'd - xl) id
    T''q0 dpsi_kq/dt = E'd - psi_kq + (x'q - xl) iq
    E''q = psi''d = k3d E'q + k4d psi_kd        E''d = -psi''q = k3q E'd + k4q psi_kq
    k1 = (x' - x'') / (x' - xl)^2 times (x - x')    k3 = (x'' - xl) / (x' - xl)    k4 = (x' - x'') / (x' - xl)
    E'' = v + (ra + j x'') i                    (x''q = x''d, no speed term: see below)

    Saturation S(psi) = b (psi - a)^2 / psi above psi = a, with psi'' = |E''| and S(1.0) = s10, S(1.2) = s12.
    s10 = 0 switches it off whatever s12 is, as PSS/E does (its series with s10 = 0, s12 = 1 starts unsaturated).

    d delta/dt   = omega_base (omega - 1)
    2 H domega/dt = (pm - D (omega - 1)) / omega - te,   te = Re(E'' conj(i)) = psi_d iq - psi_q id

The stator voltage has no speed term and the torque of the prime mover is its power over the speed: so does PSS/E.
Its three-bus time series decide it: over 20 s after a line trip (a swing of 4.3 degrees) the angle is off by at
most 0.0023 degrees as written, 0.010 with the speed in the stator voltage, 0.048 with power in place of torque.

Frame: v e^{-j delta} = vq - j vd, and so for currents. The start is exact with saturation: delta is the angle of
E'' (1 + S (xq - xl) / (xd - xl)) + j (xq - x'') i.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, GENROU; J. Weber, "Description of machine models GENROU, GENSAL, GENTPF and GENTPJ",
PowerWorld, 2015; equations as in OpenIPSL's PSSE.GENROU, which was verified against PSS/E.
"""

import numpy as np

from gridai.kernel.blocks import quadratic_constants, saturation_quadratic
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.machines._round_rotor import (
    DYR,
    INPUTS,
    OUTPUTS,
    PARAMS,
    ROTOR_OUTPUTS,
    STATES,
    admittance,
    check_reactances,
    current,
    set_outputs,
    set_rates,
    start,
)

__all__ = ["DYR", "INPUTS", "MODEL", "OUTPUTS", "check_saturation", "saturation_constants"]


def saturation_constants(s10: float, s12: float) -> tuple[float, float]:
    """a and b of the quadratic saturation; s10 = 0 switches it off (PSS/E)."""
    return quadratic_constants(s10, s12) if s10 > 0.0 else (1.0, 0.0)


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    set_outputs(p, x, u, y, saturation_quadratic(np.sqrt(y.eq2_pu**2 + y.ed2_pu**2), p.sat_a, p.sat_b))


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    set_rates(p, x, u, y, d)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    start(p, x, z, u, y, op, saturation_quadratic)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that can be drawn through its two points."""
    return check_reactances(values) + check_saturation(values)


def check_saturation(values: dict[str, float]) -> list[tuple[str, str]]:
    """The pair s10, s12 must rise: 1.2 s12 > s10, or s10 = 0 for none."""
    s10, s12 = values["s10"], values["s12"]
    if s10 > 0.0 and 1.2 * s12 <= s10:
        return [("s12", f"too small for s10 = {s10:g}: give 1.2 s12 > s10, or s10 = 0 for none")]
    return []


MODEL = Model(
    name="GENROU",
    role="machine",
    title="round-rotor machine, quadratic saturation",
    params=PARAMS,
    states=STATES,
    inputs=INPUTS,
    outputs=ROTOR_OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENROU; PowerWorld 2015, machine models GENROU, GENSAL, GENTPF, GENTPJ",
)
