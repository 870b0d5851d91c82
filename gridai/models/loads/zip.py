"""ZIP: load of constant impedance, current and power parts, with frequency dependence and low-voltage switch.

    P = P0 kp (pz (V/V0)^2 + pi V/V0 + pp) (1 + kpf df)        V >= v_switch
    Q = Q0 kq (qz (V/V0)^2 + qi V/V0 + qp) (1 + kqf df)

    Below v_switch every part is a constant impedance that joins without a step:
    pi V/V0 -> pi V^2 / (V0 v_switch)        pp -> pp (V / v_switch)^2

    v --> Im(v e^{-j theta}) / max(|v|, 0.1) --> 1/tf --+--> 1/s --> theta (follows the angle of v)
                                                       |
                                                       +--> 1/omega_base --> 1 / (1 + s tf) --> df

P0, Q0, V0 are those of the power flow, with load sign: positive consumes. `op.p_pu`, `op.q_pu` of a load are the
consumed power; the current into the network is minus the load's. The frequency df [pu, 0 at nominal] is a state, so
the current depends on v through the ZIP law alone. The tracking error fades below 0.1 pu, which lets the frequency
return to nominal on a dead bus; it follows slips up to 1/tf (8 Hz at 0.02 s). With kpf = kqf = 0 both states rest.
The memory values kp and kq start at 1; a load step sets them, after which `admittance` is asked again.

What stands in the admittance matrix is P0 kp (pz + pi / 2) / V0^2, likewise Q; `current` gives the load's current
less that admittance times v, so the sum is exact at any voltage. The half is the best constant part: seen from the
network a constant impedance y has the same slope y in the direction of v and across it, a constant current 0 and y,
a constant power -y and +y; their means are y, y/2 and 0, and the remainder left to the iteration is smallest.

Per unit on the system base.
Source: Kundur 1994, section 7.1.1 (ZIP, frequency factor); threshold 0.7 pu: PSS/E's PQBRAK.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import lag, magnitude
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

PARTS = ("pz", "pi", "pp", "qz", "qi", "qp")


@kernel
def phase_error(v, theta):
    """Sine of the angle from theta to v; fades below 0.1 pu."""
    return (v.imag * np.cos(theta) - v.real * np.sin(theta)) / max(abs(v), 0.1)


@kernel
def admittance(p, z):
    """Constant part of the load [pu on the system base]: impedance part and half of the current part."""
    g = p.p0_pu * z.kp * (p.pz + 0.5 * p.pi)
    b = p.q0_pu * z.kq * (p.qz + 0.5 * p.qi)
    scale = p.per_v02
    return complex(g * scale, -b * scale)


@kernel
def load_admittance(p, x, z, v):
    """The admittance that the load has at this voltage and frequency [pu on the system base]."""
    r = p.v0_pu / max(magnitude(v.real, v.imag), p.v_switch_pu)
    scale = p.per_v02
    g = p.p0_pu * z.kp * (1.0 + p.kpf * x.df_pu) * (p.pz + r * (p.pi + r * p.pp))
    b = p.q0_pu * z.kq * (1.0 + p.kqf * x.df_pu) * (p.qz + r * (p.qi + r * p.qp))
    return complex(g * scale, -b * scale)


@kernel
def current(p, x, z, v):
    """Current into the network beyond what the constant admittance draws."""
    return (admittance(p, z) - load_admittance(p, x, z, v)) * v


@kernel
def outputs(p, x, z, u, y):
    """Consumed power, load sign."""
    v = complex(u.v_re, u.v_im)
    s = load_admittance(p, x, z, v).conjugate() * (v.real**2 + v.imag**2)
    y.p_pu, y.q_pu, y.df_pu = s.real, s.imag, x.df_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Phase tracking and the lag of the frequency; at rest where nothing depends on frequency."""
    d.theta_rad = 0.0
    d.df_pu = 0.0
    if p.kpf != 0.0 or p.kqf != 0.0:
        d.theta_rad = phase_error(complex(u.v_re, u.v_im), x.theta_rad) / p.tf_s
        _, d.df_pu = lag(d.theta_rad / p.omega_base, x.df_pu, 1.0, p.tf_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """The power flow's power and voltage. Raises InitialisationError when the voltage is below the switch."""
    p.p0_pu, p.q0_pu, p.v0_pu = op.p_pu, op.q_pu, abs(op.v)
    p.per_v02 = 1.0 / p.v0_pu**2
    x.theta_rad, x.df_pu = np.angle(op.v), 0.0
    if p.v0_pu < p.v_switch_pu and any((p.pi, p.pp, p.qi, p.qp)):
        raise InitialisationError(
            f"ZIP: bus voltage starts at {p.v0_pu:.6g} pu, below v_switch_pu = {p.v_switch_pu:.6g}, where the load is "
            "a constant impedance: give a lower v_switch_pu or a power flow with a higher voltage"
        )


def is_linear(values: dict[str, float]) -> bool:
    """True if the load's current is wholly in its admittance: impedance parts only, no frequency dependence."""
    return all(values[name] == 0.0 for name in ("pi", "pp", "qi", "qp", "kpf", "kqf"))


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Fractions of P and of Q sum to 1."""
    found = []
    for letter in "pq":
        total = sum(values[letter + part] for part in "zip")
        if abs(total - 1.0) > 1e-6:
            names = f"{letter}z + {letter}i + {letter}p"
            found.append((letter + "z", f"{names} = {total:g}: the fractions must sum to 1"))
    return found


MODEL = Model(
    name="ZIP",
    role="load",
    title="impedance, current and power load with frequency dependence",
    params=(
        Param("pz", "", 1.0, "part of P at constant impedance, at the operating voltage"),
        Param("pi", "", 0.0, "part of P at constant current"),
        Param("pp", "", 0.0, "part of P at constant power"),
        Param("qz", "", 1.0, "part of Q at constant impedance, at the operating voltage"),
        Param("qi", "", 0.0, "part of Q at constant current"),
        Param("qp", "", 0.0, "part of Q at constant power"),
        Param("kpf", "pu/pu", 0.0, "change of P per change of frequency"),
        Param("kqf", "pu/pu", 0.0, "change of Q per change of frequency"),
        Param("tf_s", "s", 0.02, "time constant of the frequency measurement, applied twice", low=1e-3),
        Param("v_switch_pu", "pu", 0.7, "below this voltage the load is a constant impedance", low=0.01, high=1.0),
        Param("p0_pu", "pu", None, "consumed active power at the operating voltage", solved=True),
        Param("q0_pu", "pu", None, "consumed reactive power at the operating voltage", solved=True),
        Param("v0_pu", "pu", None, "operating voltage", solved=True),
        Param("per_v02", "1/pu2", None, "1 / v0_pu^2: a product is quicker than a division", solved=True),
    ),
    states=(
        State("theta_rad", "rad", "tracked angle of the bus voltage"),
        State("df_pu", "pu", "measured deviation of the bus frequency"),
    ),
    memory=(
        State("kp", "", "factor on P", start=1.0),
        State("kq", "", "factor on Q", start=1.0),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
    ),
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("df_pu", "pu", "measured deviation of the bus frequency"),
    ),
    initialise=initialise,
    admittance=admittance,
    linear=is_linear,
    check=check,
    kernels={"current": current, "outputs": outputs, "derivatives": derivatives},
    source="Kundur 1994, section 7.1.1; PSS/E PQBRAK",
    deviations=(
        "below its threshold PSS/E bends the constant-power part along an unpublished curve; here it is an impedance",
        "one threshold for the power and current parts",
    ),
)
