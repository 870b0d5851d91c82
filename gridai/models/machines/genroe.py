"""GENROE: round-rotor machine, field and one damper on the d-axis, two dampers on the q-axis, exponential saturation.

    efd --(+)----- 1/(s T'd0) ----- E'q ----- k3d --(+)--> E''q = psi''d
           |-                        |               |
       Xad Ifd                    (+)- 1/(s T''d0) --psi_kd-- k4d
                                     |-(x'd - xl) id

    The equations are those of GENROU, with S(psi) = a psi^b in place of its quadratic curve:
    a = s10 = S(1.0), b = ln(s12 / s10) / ln 1.2, so that S(1.2) = s12; psi'' = |E''|.
    s10 = 0 switches saturation off.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, GENROE; OpenIPSL's PSSE.GENROE, which was verified against PSS/E.
"""

import numpy as np

from gridai.kernel.blocks import saturation_exponential
from gridai.kernel.contract import Model, Start, kernel
from gridai.models.machines._round_rotor import (
    DYR,
    INPUTS,
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

__all__ = ["DYR", "MODEL", "check_saturation", "saturation_constants"]


def saturation_constants(s10: float, s12: float) -> tuple[float, float]:
    """a and b of the exponential saturation; s10 = 0 switches it off."""
    return (s10, float(np.log(s12 / s10) / np.log(1.2))) if s10 > 0.0 else (0.0, 0.0)


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    set_outputs(p, x, u, y, saturation_exponential(np.sqrt(y.eq2_pu**2 + y.ed2_pu**2), p.sat_a, p.sat_b))


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    set_rates(p, x, u, y, d)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    start(p, x, z, u, y, op, saturation_exponential)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that rises."""
    return check_reactances(values) + check_saturation(values)


def check_saturation(values: dict[str, float]) -> list[tuple[str, str]]:
    """The pair s10, s12 must rise: s12 >= s10, or s10 = 0 for none."""
    s10, s12 = values["s10"], values["s12"]
    if s10 > 0.0 and s12 < s10:
        return [("s12", f"below s10 = {s10:g}: give s12 >= s10, or s10 = 0 for none")]
    return []


MODEL = Model(
    name="GENROE",
    role="machine",
    title="round-rotor machine, exponential saturation",
    params=PARAMS,
    states=STATES,
    inputs=INPUTS,
    outputs=ROTOR_OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENROE",
)
