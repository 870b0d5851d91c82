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
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


def saturation_constants(s10: float, s12: float) -> tuple[float, float]:
    """a and b of the quadratic saturation; s10 = 0 switches it off (PSS/E)."""
    return quadratic_constants(s10, s12) if s10 > 0.0 else (1.0, 0.0)


@kernel
def subtransient(p, x):
    """E''q and E''d [pu]."""
    leak_d, leak_q = p.xd1_pu - p.xl_pu, p.xq1_pu - p.xl_pu
    eq2 = ((p.xd2_pu - p.xl_pu) * x.eq1_pu + (p.xd1_pu - p.xd2_pu) * x.psikd_pu) / leak_d
    ed2 = ((p.xd2_pu - p.xl_pu) * x.ed1_pu + (p.xq1_pu - p.xd2_pu) * x.psikq_pu) / leak_q
    return eq2, ed2


@kernel
def current(p, x, z):
    """Norton current of E'' behind ra + j x''."""
    eq2, ed2 = subtransient(p, x)
    rotor = complex(np.cos(x.delta_rad), np.sin(x.delta_rad))
    return complex(eq2, -ed2) * rotor / complex(p.ra_pu, p.xd2_pu)


@kernel
def outputs(p, x, z, u, y):
    """Stator current, powers, field current."""
    eq2, ed2 = subtransient(p, x)
    v = complex(u.v_re, u.v_im)
    rotor = complex(np.cos(x.delta_rad), np.sin(x.delta_rad))
    i = (complex(eq2, -ed2) * rotor - v) / complex(p.ra_pu, p.xd2_pu)
    i_dq = i * rotor.conjugate()
    iq, id_ = i_dq.real, -i_dq.imag
    s = v * i.conjugate()
    y.p_pu, y.q_pu, y.vt_pu = s.real, s.imag, abs(v)
    y.i_re, y.i_im, y.id_pu, y.iq_pu = i.real, i.imag, id_, iq
    y.pe_pu = eq2 * iq + ed2 * id_
    y.omega_pu, y.delta_rad, y.pm_pu, y.efd_pu = x.omega_pu, x.delta_rad, u.pm_pu, u.efd_pu
    leak = p.xd1_pu - p.xl_pu
    damper = x.eq1_pu - x.psikd_pu - leak * id_
    k1 = (p.xd_pu - p.xd1_pu) * (p.xd1_pu - p.xd2_pu) / leak**2
    sat = saturation_quadratic(np.sqrt(eq2**2 + ed2**2), p.sat_a, p.sat_b)
    y.xad_ifd_pu = x.eq1_pu + (p.xd_pu - p.xd1_pu) * id_ + k1 * damper + sat * eq2


@kernel
def derivatives(p, x, z, u, y, d):
    """Rotor circuits and the swing equation."""
    eq2, ed2 = subtransient(p, x)
    sat = saturation_quadratic(np.sqrt(eq2**2 + ed2**2), p.sat_a, p.sat_b)
    leak_d, leak_q = p.xd1_pu - p.xl_pu, p.xq1_pu - p.xl_pu
    damper_d = x.eq1_pu - x.psikd_pu - leak_d * y.id_pu
    damper_q = x.ed1_pu - x.psikq_pu + leak_q * y.iq_pu
    k1 = (p.xq_pu - p.xq1_pu) * (p.xq1_pu - p.xd2_pu) / leak_q**2
    xaq_i1q = x.ed1_pu - (p.xq_pu - p.xq1_pu) * y.iq_pu + k1 * damper_q
    xaq_i1q += sat * ed2 * (p.xq_pu - p.xl_pu) / (p.xd_pu - p.xl_pu)
    d.eq1_pu = (u.efd_pu - y.xad_ifd_pu) / p.td10_s
    d.ed1_pu = -xaq_i1q / p.tq10_s
    d.psikd_pu = damper_d / p.td20_s
    d.psikq_pu = damper_q / p.tq20_s
    slip = x.omega_pu - 1.0
    d.delta_rad = p.omega_base * slip
    d.omega_pu = ((u.pm_pu - p.d_pu * slip) / x.omega_pu - y.pe_pu) / (2.0 * p.h_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    p.sat_a, p.sat_b = saturation_constants(p.s10, p.s12)
    e2 = op.v + complex(p.ra_pu, p.xd2_pu) * op.i
    sat = saturation_quadratic(abs(e2), p.sat_a, p.sat_b)
    ratio = (p.xq_pu - p.xl_pu) / (p.xd_pu - p.xl_pu)
    x.delta_rad = np.angle(e2 * (1.0 + sat * ratio) + 1j * (p.xq_pu - p.xd2_pu) * op.i)
    rotor = np.exp(-1j * x.delta_rad)
    e_dq, i_dq = e2 * rotor, op.i * rotor
    eq2, iq, id_ = e_dq.real, i_dq.real, -i_dq.imag
    x.psikd_pu = eq2 - (p.xd2_pu - p.xl_pu) * id_
    x.psikq_pu = -e_dq.imag + (p.xd2_pu - p.xl_pu) * iq
    x.eq1_pu = x.psikd_pu + (p.xd1_pu - p.xl_pu) * id_
    x.ed1_pu = x.psikq_pu - (p.xq1_pu - p.xl_pu) * iq
    x.omega_pu = 1.0
    u.efd_pu = x.eq1_pu + (p.xd_pu - p.xd1_pu) * id_ + sat * eq2
    u.pm_pu = op.p_pu + p.ra_pu * abs(op.i) ** 2


def admittance(p, z) -> complex:
    """Source admittance [pu on machine base]."""
    return 1.0 / complex(p.ra_pu, p.xd2_pu)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, saturation that can be drawn through its two points."""
    found = []
    for axis in ("d", "q"):
        x, x1 = values[f"x{axis}_pu"], values[f"x{axis}1_pu"]
        if x < x1:
            found.append((f"x{axis}_pu", f"below x{axis}1_pu = {x1:g}: give x{axis} >= x'{axis}"))
        if x1 < values["xd2_pu"]:
            found.append((f"x{axis}1_pu", f"below xd2_pu = {values['xd2_pu']:g}: give x'{axis} >= x''"))
    if values["xd2_pu"] <= values["xl_pu"]:
        found.append(("xd2_pu", f"not above xl_pu = {values['xl_pu']:g}: give x'' > xl"))
    return found + check_saturation(values)


def check_saturation(values: dict[str, float]) -> list[tuple[str, str]]:
    """The pair s10, s12 must rise: 1.2 s12 > s10, or s10 = 0 for none."""
    s10, s12 = values["s10"], values["s12"]
    if s10 > 0.0 and 1.2 * s12 <= s10:
        return [("s12", f"too small for s10 = {s10:g}: give 1.2 s12 > s10, or s10 = 0 for none")]
    return []


INPUTS = (
    Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
    Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
    Input("efd_pu", "pu", "exciter.efd_pu", "field voltage", default=None),
    Input("pm_pu", "pu", "governor.pm_pu", "mechanical power", default=None),
)
"""What every machine with a field winding reads."""

OUTPUTS = (
    Output("p_pu", "pu", "electrical power at the terminals", "p_mw", on_base=True),
    Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
    Output("pm_pu", "pu", "mechanical power", "pm_mw", on_base=True),
    Output("omega_pu", "pu", "speed", "speed_pu"),
    Output("delta_rad", "rad", "rotor angle (q-axis)", "angle_rad"),
    Output("efd_pu", "pu", "field voltage", "efd_pu"),
    Output("xad_ifd_pu", "pu", "field current; equals the field voltage at rest (XADIFD of PSS/E)"),
    Output("pe_pu", "pu", "air-gap power"),
    Output("vt_pu", "pu", "terminal voltage"),
    Output("i_re", "pu", "stator current, network frame, real part"),
    Output("i_im", "pu", "stator current, network frame, imaginary part"),
    Output("id_pu", "pu", "stator current, d-axis"),
    Output("iq_pu", "pu", "stator current, q-axis"),
)
"""What every machine with a field winding gives."""

DYR = (
    "td10_s", "td20_s", "tq10_s", "tq20_s", "h_s", "d_pu", "xd_pu", "xq_pu", "xd1_pu", "xq1_pu", "xd2_pu", "xl_pu",
    "s10", "s12",
)  # fmt: skip
"""Order of the record in a DYR file; ra comes from the RAW file (ZSOURCE)."""

MODEL = Model(
    name="GENROU",
    role="machine",
    title="round-rotor machine, quadratic saturation",
    params=(
        Param("h_s", "s", None, "inertia constant", low=1e-3),
        Param("d_pu", "pu", 0.0, "damping power per unit of speed deviation"),
        Param("ra_pu", "pu", 0.0, "armature resistance", low=0.0),
        Param("xd_pu", "pu", None, "synchronous reactance xd", low=1e-3),
        Param("xq_pu", "pu", None, "synchronous reactance xq", low=1e-3),
        Param("xd1_pu", "pu", None, "transient reactance x'd", low=1e-3),
        Param("xq1_pu", "pu", None, "transient reactance x'q", low=1e-3),
        Param("xd2_pu", "pu", None, "subtransient reactance x''d = x''q", low=1e-3),
        Param("xl_pu", "pu", None, "leakage reactance xl", low=0.0),
        Param("td10_s", "s", None, "open-circuit transient time constant T'd0", low=1e-3),
        Param("tq10_s", "s", None, "open-circuit transient time constant T'q0", low=1e-3),
        Param("td20_s", "s", None, "open-circuit subtransient time constant T''d0", low=1e-3),
        Param("tq20_s", "s", None, "open-circuit subtransient time constant T''q0", low=1e-3),
        Param("s10", "", 0.0, "saturation factor at 1.0 pu; 0 for no saturation", low=0.0),
        Param("s12", "", 0.0, "saturation factor at 1.2 pu", low=0.0),
        Param("sat_a", "pu", None, "flux where saturation starts", solved=True),
        Param("sat_b", "1/pu", None, "steepness of the saturation", solved=True),
    ),
    states=(
        State("delta_rad", "rad", "rotor angle (q-axis) against the synchronous frame"),
        State("omega_pu", "pu", "speed"),
        State("eq1_pu", "pu", "transient voltage E'q"),
        State("ed1_pu", "pu", "transient voltage E'd"),
        State("psikd_pu", "pu", "flux linkage of the d-axis damper"),
        State("psikq_pu", "pu", "flux linkage of the second q-axis damper"),
    ),
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, GENROU; PowerWorld 2015, machine models GENROU, GENSAL, GENTPF, GENTPJ",
)
