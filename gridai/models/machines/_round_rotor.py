"""The round-rotor machine that GENROU and GENROE share: kernels, start, tables. Their saturation curves differ.

The equations stand in `genrou`. Kernels take the saturation factor S(psi'') as an argument.
"""

from collections.abc import Callable

import numpy as np

from gridai.kernel.blocks import magnitude
from gridai.kernel.contract import Input, Output, Param, Start, State, kernel


@kernel
def current(p, x, z, y):
    """Norton current of E'' behind ra + j x''; the rotor's direction and E'' are kept for the other kernels."""
    y.cos_delta, y.sin_delta = np.cos(x.delta_rad), np.sin(x.delta_rad)
    y.eq2_pu = p.k3d * x.eq1_pu + p.k4d * x.psikd_pu
    y.ed2_pu = p.k3q * x.ed1_pu + p.k4q * x.psikq_pu
    e_re = y.eq2_pu * y.cos_delta + y.ed2_pu * y.sin_delta
    e_im = y.eq2_pu * y.sin_delta - y.ed2_pu * y.cos_delta
    return complex(p.g_pu * e_re - p.b_pu * e_im, p.b_pu * e_re + p.g_pu * e_im)


@kernel
def set_outputs(p, x, u, y, sat):
    """Stator current, powers, field current."""
    cos_d, sin_d, eq2, ed2 = y.cos_delta, y.sin_delta, y.eq2_pu, y.ed2_pu
    vq, vd = u.v_re * cos_d + u.v_im * sin_d, u.v_re * sin_d - u.v_im * cos_d
    eq, ed = eq2 - vq, ed2 - vd
    iq, id_ = p.g_pu * eq + p.b_pu * ed, p.g_pu * ed - p.b_pu * eq
    y.p_pu, y.q_pu = vq * iq + vd * id_, vq * id_ - vd * iq
    y.vt_pu = magnitude(u.v_re, u.v_im)
    y.i_re, y.i_im, y.id_pu, y.iq_pu = iq * cos_d + id_ * sin_d, iq * sin_d - id_ * cos_d, id_, iq
    y.pe_pu = eq2 * iq + ed2 * id_
    y.omega_pu, y.delta_rad, y.pm_pu, y.efd_pu = x.omega_pu, x.delta_rad, u.pm_pu, u.efd_pu
    damper = x.eq1_pu - x.psikd_pu - p.leak_d_pu * id_
    y.sat = sat
    y.xad_ifd_pu = x.eq1_pu + (p.xd_pu - p.xd1_pu) * id_ + p.k1d * damper + sat * eq2


@kernel
def set_rates(p, x, u, y, d):
    """Rotor circuits and the swing equation."""
    damper_d = x.eq1_pu - x.psikd_pu - p.leak_d_pu * y.id_pu
    damper_q = x.ed1_pu - x.psikq_pu + p.leak_q_pu * y.iq_pu
    xaq_i1q = x.ed1_pu - (p.xq_pu - p.xq1_pu) * y.iq_pu + p.k1q * damper_q + p.sat_q * y.sat * y.ed2_pu
    d.eq1_pu = (u.efd_pu - y.xad_ifd_pu) * p.per_td10
    d.ed1_pu = -xaq_i1q * p.per_tq10
    d.psikd_pu = damper_d * p.per_td20
    d.psikq_pu = damper_q * p.per_tq20
    slip = x.omega_pu - 1.0
    d.delta_rad = p.omega_base * slip
    d.omega_pu = ((u.pm_pu - p.d_pu * slip) / x.omega_pu - y.pe_pu) * p.per_2h


def set_constants(p) -> None:
    """The constants k of the equations, the leakage differences and the source admittance g + j b."""
    p.leak_d_pu, p.leak_q_pu = p.xd1_pu - p.xl_pu, p.xq1_pu - p.xl_pu
    p.k3d, p.k4d = (p.xd2_pu - p.xl_pu) / p.leak_d_pu, (p.xd1_pu - p.xd2_pu) / p.leak_d_pu
    p.k3q, p.k4q = (p.xd2_pu - p.xl_pu) / p.leak_q_pu, (p.xq1_pu - p.xd2_pu) / p.leak_q_pu
    p.k1d = (p.xd_pu - p.xd1_pu) * p.k4d / p.leak_d_pu
    p.k1q = (p.xq_pu - p.xq1_pu) * p.k4q / p.leak_q_pu
    p.sat_q = (p.xq_pu - p.xl_pu) / (p.xd_pu - p.xl_pu)
    p.per_td10, p.per_tq10, p.per_td20, p.per_tq20 = 1 / p.td10_s, 1 / p.tq10_s, 1 / p.td20_s, 1 / p.tq20_s
    p.per_2h = 0.5 / p.h_s
    source = admittance(p, None)
    p.g_pu, p.b_pu = source.real, source.imag


def start(p, x, z, u, y, op: Start, saturation: Callable[[float, float, float], float]) -> None:
    """States, field voltage and mechanical power from the power flow, saturation solved exactly."""
    set_constants(p)
    e2 = op.v + complex(p.ra_pu, p.xd2_pu) * op.i
    sat = saturation(abs(e2), p.sat_a, p.sat_b)
    x.delta_rad = np.angle(e2 * (1.0 + sat * p.sat_q) + 1j * (p.xq_pu - p.xd2_pu) * op.i)
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
    current(p, x, z, y)


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

ROTOR_OUTPUTS = (
    *OUTPUTS,
    Output("cos_delta", "", "cosine of the rotor angle"),
    Output("sin_delta", "", "sine of the rotor angle"),
    Output("eq2_pu", "pu", "subtransient voltage E''q"),
    Output("ed2_pu", "pu", "subtransient voltage E''d"),
    Output("sat", "", "saturation factor S(psi'')"),
)
"""What a round-rotor machine keeps besides, set by `current`."""

RATES = ("td10", "tq10", "td20", "tq20", "2h")

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
    Param("sat_q", "", None, "saturation of the q-axis against the d-axis", solved=True),
    Param("leak_d_pu", "pu", None, "x'd - xl", solved=True),
    Param("leak_q_pu", "pu", None, "x'q - xl", solved=True),
    *(Param(f"k{n}", "", None, f"k{n} of the equations", solved=True) for n in ("1d", "3d", "4d", "1q", "3q", "4q")),
    *(Param(f"per_{t}", "1/s", None, f"1 / {t}: a product is quicker than a division", solved=True) for t in RATES),
    Param("g_pu", "pu", None, "source conductance, real part of 1 / (ra + j x'')", solved=True),
    Param("b_pu", "pu", None, "source susceptance, imaginary part of 1 / (ra + j x'')", solved=True),
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
