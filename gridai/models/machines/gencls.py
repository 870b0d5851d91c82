"""GENCLS: the classical machine, a constant voltage behind the transient reactance.

    E'/_delta ---- ra + j x'd ---- bus

    d delta/dt = omega_base (omega - 1)
    2 H d omega/dt = pm - pe - D (omega - 1)

With h_s = 0 the machine is an infinite bus: neither angle nor speed moves (the convention of PSS/E).

The swing equation balances powers, as the textbooks do: with D = 0 the smib of Kundur's example 12.2 then swings at
+-j6.39 without damping. GENROU and GENSAL follow PSS/E and balance torques, pm / omega - te; here that would add
the damping of D = pm (0.9 pu there: eigenvalue -0.06 +-j6.39) and the worked examples would not come out. No public
PSS/E series has a GENCLS with inertia, so what PSS/E does there is not verified.
The internal voltage is constant: an exciter has nothing to act on. efd_pu and xad_ifd_pu show that voltage.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: P. Kundur, Power System Stability and Control, 1994, section 13.1; PSS/E Model Library, GENCLS.
"""

import numpy as np

from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def current(p, x, z):
    """Norton current of the voltage behind ra + j x'd."""
    return p.e_pu * complex(np.cos(x.delta_rad), np.sin(x.delta_rad)) / complex(p.ra_pu, p.xd1_pu)


@kernel
def outputs(p, x, z, u, y):
    """Terminal power and the power across the air gap."""
    v = complex(u.v_re, u.v_im)
    i = (p.e_pu * complex(np.cos(x.delta_rad), np.sin(x.delta_rad)) - v) / complex(p.ra_pu, p.xd1_pu)
    s = v * i.conjugate()
    y.p_pu, y.q_pu = s.real, s.imag
    y.pe_pu = s.real + p.ra_pu * (i.real**2 + i.imag**2)
    y.omega_pu, y.delta_rad, y.pm_pu = x.omega_pu, x.delta_rad, u.pm_pu
    y.i_re, y.i_im, y.vt_pu = i.real, i.imag, abs(v)
    y.efd_pu, y.xad_ifd_pu = p.e_pu, p.e_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """The swing equation."""
    if p.h_s == 0.0:
        d.delta_rad = 0.0
        d.omega_pu = 0.0
    else:
        slip = x.omega_pu - 1.0
        d.delta_rad = p.omega_base * slip
        d.omega_pu = (u.pm_pu - y.pe_pu - p.d_pu * slip) / (2.0 * p.h_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Internal voltage from the power flow; mechanical power equals the air-gap power."""
    e = op.v + complex(p.ra_pu, p.xd1_pu) * op.i
    p.e_pu, x.delta_rad, x.omega_pu = abs(e), np.angle(e), 1.0
    u.pm_pu = op.p_pu + p.ra_pu * abs(op.i) ** 2


def admittance(p, z) -> complex:
    """Source admittance [pu on machine base]."""
    return 1.0 / complex(p.ra_pu, p.xd1_pu)


DYR = ("h_s", "d_pu")
"""Order of the record in a DYR file; x'd and ra come from the RAW file (ZSOURCE)."""

MODEL = Model(
    name="GENCLS",
    role="machine",
    title="classical machine",
    params=(
        Param("h_s", "s", None, "inertia constant; 0 is an infinite bus", low=0.0),
        Param("d_pu", "pu", 0.0, "damping power per unit of speed deviation"),
        Param("ra_pu", "pu", 0.0, "armature resistance", low=0.0),
        Param("xd1_pu", "pu", None, "transient reactance x'd", low=1e-9),
        Param("e_pu", "pu", None, "constant internal voltage", solved=True),
    ),
    states=(
        State("delta_rad", "rad", "rotor angle against the synchronous frame"),
        State("omega_pu", "pu", "speed"),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("pm_pu", "pu", "governor.pm_pu", "mechanical power", default=None),
    ),
    outputs=(
        Output("p_pu", "pu", "electrical power at the terminals", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
        Output("pm_pu", "pu", "mechanical power", "pm_mw", on_base=True),
        Output("omega_pu", "pu", "speed", "speed_pu"),
        Output("delta_rad", "rad", "rotor angle", "angle_rad"),
        Output("efd_pu", "pu", "constant internal voltage", "efd_pu"),
        Output("xad_ifd_pu", "pu", "constant internal voltage"),
        Output("pe_pu", "pu", "air-gap power"),
        Output("vt_pu", "pu", "terminal voltage"),
        Output("i_re", "pu", "stator current, network frame, real part"),
        Output("i_im", "pu", "stator current, network frame, imaginary part"),
    ),
    initialise=initialise,
    admittance=admittance,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    deviations=("balances powers, not torques: the textbooks' form",),
    source="Kundur 1994, section 13.1; PSS/E Model Library, GENCLS",
)
