"""The round-rotor machine that GENROU and GENROE share: kernels, start, tables. Their saturation curves differ.

The equations stand in `genrou`. Kernels take the saturation factor S(psi'') as an argument.
"""

from collections.abc import Callable

import numpy as np

from gridai.kernel.contract import Input, Output, Param, Start, State, kernel


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
def set_outputs(p, x, u, y, eq2, ed2, sat):
    """Stator current, powers, field current."""
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
    y.xad_ifd_pu = x.eq1_pu + (p.xd_pu - p.xd1_pu) * id_ + k1 * damper + sat * eq2


@kernel
def set_rates(p, x, u, y, d, ed2, sat):
    """Rotor circuits and the swing equation."""
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


def start(p, x, u, op: Start, saturation: Callable[[float, float, float], float]) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    e2 = op.v + complex(p.ra_pu, p.xd2_pu) * op.i
    sat = saturation(abs(e2), p.sat_a, p.sat_b)
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


def check_reactances(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order."""
    found = []
    for axis in ("d", "q"):
        x, x1 = values[f"x{axis}_pu"], values[f"x{axis}1_pu"]
        if x < x1:
            found.append((f"x{axis}_pu", f"below x{axis}1_pu = {x1:g}: give x{axis} >= x'{axis}"))
        if x1 < values["xd2_pu"]:
            found.append((f"x{axis}1_pu", f"below xd2_pu = {values['xd2_pu']:g}: give x'{axis} >= x''"))
    if values["xd2_pu"] <= values["xl_pu"]:
        found.append(("xd2_pu", f"not above xl_pu = {values['xl_pu']:g}: give x'' > xl"))
    return found


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

PARAMS = (
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
)

STATES = (
    State("delta_rad", "rad", "rotor angle (q-axis) against the synchronous frame"),
    State("omega_pu", "pu", "speed"),
    State("eq1_pu", "pu", "transient voltage E'q"),
    State("ed1_pu", "pu", "transient voltage E'd"),
    State("psikd_pu", "pu", "flux linkage of the d-axis damper"),
    State("psikq_pu", "pu", "flux linkage of the second q-axis damper"),
)

DYR = (
    "td10_s", "td20_s", "tq10_s", "tq20_s", "h_s", "d_pu", "xd_pu", "xq_pu", "xd1_pu", "xq1_pu", "xd2_pu", "xl_pu",
    "s10", "s12",
)  # fmt: skip
"""Order of the record in a DYR file; ra comes from the RAW file (ZSOURCE)."""
