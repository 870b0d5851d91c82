"""SOURCE: a controlled voltage source behind an impedance, the test bench of a load or a plant.

    e0 (1 + de_pu) /_ (delta + angle_rad) ---- r + jx ---- bus
    d delta/dt = 2 pi df_hz

Voltage, angle and frequency follow playback (engine event SourcePlayback); the impedance may step (SourceImpedance).
e0 and the angle at the start come from the power flow, so de 0, angle 0 and df 0 stand still. It has no inertia
and takes no part in the frequency of the centre of inertia: read the frequency at the bus.

The current has the bus voltage among its arguments only so that the playback is read before the network is solved.

It stands among the converters, for it has no rotor. Per unit on the MVA base of its unit.
Source: own; what test benches for generator and load models play (Energinet's MTB: grid voltage, frequency, phase and
short-circuit ratio against time).
"""

import numpy as np

from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def inner_voltage(p, x, u):
    """The voltage behind the impedance, network frame."""
    angle = x.delta_rad + u.angle_rad
    return p.e0_pu * (1.0 + u.de_pu) * complex(np.cos(angle), np.sin(angle))


@kernel
def current(p, x, z, u, v):
    """Norton current of the source."""
    return inner_voltage(p, x, u) / complex(z.r_pu, z.x_pu)


@kernel
def outputs(p, x, z, u, y):
    """Power at the terminals, the source's voltage, angle and frequency."""
    v, e = complex(u.v_re, u.v_im), inner_voltage(p, x, u)
    i = (e - v) / complex(z.r_pu, z.x_pu)
    s = v * i.conjugate()
    y.p_pu, y.q_pu = s.real, s.imag
    y.pe_pu = s.real + z.r_pu * (i.real**2 + i.imag**2)
    y.pm_pu = y.pe_pu
    y.omega_pu = 1.0 + 2.0 * np.pi * u.df_hz / p.omega_base
    y.delta_rad = x.delta_rad + u.angle_rad
    y.i_re, y.i_im, y.vt_pu = i.real, i.imag, abs(v)
    y.efd_pu, y.xad_ifd_pu = abs(e), abs(e)


@kernel
def derivatives(p, x, z, u, y, d):
    """The angle turns with the deviation of the frequency."""
    d.delta_rad = 2.0 * np.pi * u.df_hz


def initialise(p, x, z, u, y, op: Start) -> None:
    """Inner voltage from the power flow; nothing is played back yet."""
    e = op.v + complex(p.r_pu, p.x_pu) * op.i
    p.e0_pu, x.delta_rad = abs(e), np.angle(e)
    z.r_pu, z.x_pu = p.r_pu, p.x_pu
    u.de_pu, u.angle_rad, u.df_hz = 0.0, 0.0, 0.0


def admittance(p, z) -> complex:
    """Source admittance [pu on its base]."""
    return 1.0 / complex(z.r_pu, z.x_pu)


MODEL = Model(
    name="SOURCE",
    role="converter",
    title="controlled voltage source: voltage, angle, frequency and impedance against time",
    params=(
        Param("r_pu", "pu", 0.0, "resistance at the start", low=0.0),
        Param("x_pu", "pu", 1e-4, "reactance at the start", low=1e-9),
        Param("e0_pu", "pu", None, "inner voltage at the start", solved=True),
    ),
    states=(State("delta_rad", "rad", "angle turned by the frequency"),),
    memory=(
        State("r_pu", "pu", "present resistance"),
        State("x_pu", "pu", "present reactance", start=1e-4),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("de_pu", "pu", "setpoint.de_pu", "deviation of the inner voltage, in parts of that at the start"),
        Input("angle_rad", "rad", "setpoint.angle_rad", "angle added to the source"),
        Input("df_hz", "Hz", "setpoint.df_hz", "deviation of the frequency"),
    ),
    outputs=(
        Output("p_pu", "pu", "electrical power at the terminals", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
        Output("pm_pu", "pu", "power of the source", "pm_mw", on_base=True),
        Output("omega_pu", "pu", "frequency", "speed_pu"),
        Output("delta_rad", "rad", "angle of the source", "angle_rad"),
        Output("efd_pu", "pu", "inner voltage", "efd_pu"),
        Output("xad_ifd_pu", "pu", "inner voltage"),
        Output("pe_pu", "pu", "power of the source"),
        Output("vt_pu", "pu", "terminal voltage"),
        Output("i_re", "pu", "current, network frame, real part"),
        Output("i_im", "pu", "current, network frame, imaginary part"),
    ),
    forms_voltage=True,
    initialise=initialise,
    admittance=admittance,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="own; what test benches such as Energinet's MTB play against time",
)
