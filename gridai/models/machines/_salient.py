"""The salient-pole machine that GENSAL and GENSAE share: kernels, start, tables. Their saturation differs.

The equations stand in `gensal`. `set_outputs` takes the saturation's part of the field current as an argument,
`set_rates` that of the q-axis.
"""

import numpy as np

from gridai.kernel.contract import Param, Start, State, kernel


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
def set_outputs(p, x, u, y, eq2, saturated):
    """Stator current, powers, field current."""
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
    y.xad_ifd_pu = x.eq1_pu + saturated + (p.xd_pu - p.xd1_pu) * id_ + k1 * damper


@kernel
def set_rates(p, x, u, y, d, saturated_q):
    """Rotor circuits and the swing equation."""
    d.eq1_pu = (u.efd_pu - y.xad_ifd_pu) / p.td10_s
    d.psikd_pu = (x.eq1_pu - x.psikd_pu - (p.xd1_pu - p.xl_pu) * y.id_pu) / p.td20_s
    d.ed2_pu = ((p.xq_pu - p.xd2_pu) * y.iq_pu - x.ed2_pu - saturated_q) / p.tq20_s
    slip = x.omega_pu - 1.0
    d.delta_rad = p.omega_base * slip
    d.omega_pu = ((u.pm_pu - p.d_pu * slip) / x.omega_pu - y.pe_pu) / (2.0 * p.h_s)


def start(p, x, u, op: Start, delta_rad: float) -> float:
    """States and mechanical power from the power flow at a rotor angle; returns the d-axis current [pu].

    The field voltage is the caller's: E'q + (xd - x'd) id and what saturation adds.
    """
    x.delta_rad = delta_rad
    rotor = np.exp(-1j * delta_rad)
    e_dq, i_dq = (op.v + complex(p.ra_pu, p.xd2_pu) * op.i) * rotor, op.i * rotor
    id_ = -i_dq.imag
    x.ed2_pu = -e_dq.imag
    x.psikd_pu = e_dq.real - (p.xd2_pu - p.xl_pu) * id_
    x.eq1_pu = x.psikd_pu + (p.xd1_pu - p.xl_pu) * id_
    x.omega_pu = 1.0
    u.pm_pu = op.p_pu + p.ra_pu * abs(op.i) ** 2
    return float(id_)


def admittance(p, z) -> complex:
    """Source admittance [pu on machine base]."""
    return 1.0 / complex(p.ra_pu, p.xd2_pu)


def check_reactances(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order."""
    found = []
    for large, small in (("xd_pu", "xd1_pu"), ("xd1_pu", "xd2_pu"), ("xq_pu", "xd2_pu")):
        if values[large] < values[small]:
            found.append((large, f"below {small} = {values[small]:g}: give {large} >= {small}"))
    if values["xd2_pu"] <= values["xl_pu"]:
        found.append(("xd2_pu", f"not above xl_pu = {values['xl_pu']:g}: give x'' > xl"))
    return found


PARAMS = (
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
)

STATES = (
    State("delta_rad", "rad", "rotor angle (q-axis) against the synchronous frame"),
    State("omega_pu", "pu", "speed"),
    State("eq1_pu", "pu", "transient voltage E'q"),
    State("psikd_pu", "pu", "flux linkage of the d-axis damper"),
    State("ed2_pu", "pu", "subtransient voltage E''d"),
)

DYR = ("td10_s", "td20_s", "tq20_s", "h_s", "d_pu", "xd_pu", "xq_pu", "xd1_pu", "xd2_pu", "xl_pu", "s10", "s12")
"""Order of the record in a DYR file; ra comes from the RAW file (ZSOURCE)."""
