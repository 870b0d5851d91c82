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
from gridai.kernel.contract import Model, Param, Start, State, kernel
from gridai.models.machines.genrou import INPUTS, OUTPUTS, check_saturation, saturation_constants


@kernel
def subtransient_q(p, x):
    """E''q [pu]; E''d is a state."""
    leak = p.xd1_pu - p.xl_pu
    return ((p.xd2_pu - p.xl_pu) * x.eq1_pu + (p.xd1_pu - p.xd2_pu) * x.psikd_pu) / leak


@kernel
def current(p, x, z):
    """Norton current of E'' behind ra + j x''."""
    rotor = complex(np.cos(x.delta_rad), np.sin(x.delta_rad))
    return complex(subtransient_q(p, x), -x.ed2_pu) * rotor / complex(p.ra_pu, p.xd2_pu)


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    eq2 = subtransient_q(p, x)
    v = complex(u.v_re, u.v_im)
    rotor = complex(np.cos(x.delta_rad), np.sin(x.delta_rad))
    i = (complex(eq2, -x.ed2_pu) * rotor - v) / complex(p.ra_pu, p.xd2_pu)
    i_dq = i * rotor.conjugate()
    iq, id_ = i_dq.real, -i_dq.imag
    s = v * i.conjugate()
    y.p_pu, y.q_pu, y.vt_pu = s.real, s.imag, abs(v)
    y.i_re, y.i_im, y.id_pu, y.iq_pu = i.real, i.imag, id_, iq
    y.pe_pu = eq2 * iq + x.ed2_pu * id_
    y.omega_pu, y.delta_rad, y.pm_pu, y.efd_pu = x.omega_pu, x.delta_rad, u.pm_pu, u.efd_pu
    leak = p.xd1_pu - p.xl_pu
    damper = x.eq1_pu - x.psikd_pu - leak * id_
    k1 = (p.xd_pu - p.xd1_pu) * (p.xd1_pu - p.xd2_pu) / leak**2
    sat = saturation_quadratic(x.eq1_pu, p.sat_a, p.sat_b)
    y.xad_ifd_pu = x.eq1_pu * (1.0 + sat) + (p.xd_pu - p.xd1_pu) * id_ + k1 * damper


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    d.eq1_pu = (u.efd_pu - y.xad_ifd_pu) / p.td10_s
    d.psikd_pu = (x.eq1_pu - x.psikd_pu - (p.xd1_pu - p.xl_pu) * y.id_pu) / p.td20_s
    d.ed2_pu = ((p.xq_pu - p.xd2_pu) * y.iq_pu - x.ed2_pu) / p.tq20_s
    slip = x.omega_pu - 1.0
    d.delta_rad = p.omega_base * slip
    d.omega_pu = ((u.pm_pu - p.d_pu * slip) / x.omega_pu - y.pe_pu) / (2.0 * p.h_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    x.delta_rad = np.angle(op.v + complex(p.ra_pu, p.xq_pu) * op.i)
    rotor = np.exp(-1j * x.delta_rad)
    e_dq, i_dq = (op.v + complex(p.ra_pu, p.xd2_pu) * op.i) * rotor, op.i * rotor
    iq, id_ = i_dq.real, -i_dq.imag
    x.ed2_pu = (p.xq_pu - p.xd2_pu) * iq
    x.psikd_pu = e_dq.real - (p.xd2_pu - p.xl_pu) * id_
    x.eq1_pu = x.psikd_pu + (p.xd1_pu - p.xl_pu) * id_
    x.omega_pu = 1.0
    sat = saturation_quadratic(x.eq1_pu, p.sat_a, p.sat_b)
    u.efd_pu = x.eq1_pu * (1.0 + sat) + (p.xd_pu - p.xd1_pu) * id_
    u.pm_pu = op.p_pu + p.ra_pu * abs(op.i) ** 2


def admittance(p, z) -> complex:
    """Source admittance [pu on machine base]."""
    return 1.0 / complex(p.ra_pu, p.xd2_pu)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that can be drawn through its two points."""
    found = []
    for large, small in (("xd_pu", "xd1_pu"), ("xd1_pu", "xd2_pu"), ("xq_pu", "xd2_pu")):
        if values[large] < values[small]:
            found.append((large, f"below {small} = {values[small]:g}: give {large} >= {small}"))
    if values["xd2_pu"] <= values["xl_pu"]:
        found.append(("xd2_pu", f"not above xl_pu = {values['xl_pu']:g}: give x'' > xl"))
    return found + check_saturation(values)


DYR = ("td10_s", "td20_s", "tq20_s", "h_s", "d_pu", "xd_pu", "xq_pu", "xd1_pu", "xd2_pu", "xl_pu", "s10", "s12")
"""Order of the record in a DYR file; ra comes from the RAW file (ZSOURCE)."""

MODEL = Model(
    name="GENSAL",
    role="machine",
    title="salient-pole machine, quadratic saturation on the d-axis",
    params=(
        Param("h_s", "s", None, "inertia constant", low=1e-3),
        Param("d_pu", "pu", 0.0, "damping power per unit of speed deviation"),
        Param("ra_pu", "pu", 0.0, "armature resistance", low=0.0),
        Param("xd_pu", "pu", None, "synchronous reactance xd", low=1e-3),
        Param("xq_pu", "pu", None, "synchronous reactance xq", low=1e-3),
        Param("xd1_pu", "pu", None, "transient reactance x'd", low=1e-3),
        Param("xd2_pu", "pu", None, "subtransient reactance x''d = x''q", low=1e-3),
        Param("xl_pu", "pu", None, "leakage reactance xl", low=0.0),
        Param("td10_s", "s", None, "open-circuit transient time constant T'd0", low=1e-3),
        Param("td20_s", "s", None, "open-circuit subtransient time constant T''d0", low=1e-3),
        Param("tq20_s", "s", None, "open-circuit subtransient time constant T''q0", low=1e-3),
        Param("s10", "", 0.0, "saturation factor at 1.0 pu; 0 for no saturation", low=0.0),
        Param("s12", "", 0.0, "saturation factor at 1.2 pu", low=0.0),
        Param("sat_a", "pu", None, "voltage where saturation starts", solved=True),
        Param("sat_b", "1/pu", None, "steepness of the saturation", solved=True),
    ),
    states=(
        State("delta_rad", "rad", "rotor angle (q-axis) against the synchronous frame"),
        State("omega_pu", "pu", "speed"),
        State("eq1_pu", "pu", "transient voltage E'q"),
        State("psikd_pu", "pu", "flux linkage of the d-axis damper"),
        State("ed2_pu", "pu", "subtransient voltage E''d"),
    ),
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENSAL; PowerWorld 2015, machine models GENROU, GENSAL, GENTPF, GENTPJ",
)
