r"""CIM5BL: induction motor given by its circuit, one or two cages, with an undervoltage trip.

    type 1      ra + j xa          j x1        j x2          type 2      ra + j xa
            o---/\/\---UUUU---+----UUUU---+----UUUU---+              o---/\/\---UUUU---+---------+---------+
                              |           |           |                                |         |         |
                            j xm        r1 / s      r2 / s                           j xm     j x1       j x2
                              |           |           |                                |      r1 / s     r2 / s
            o-----------------+-----------+-----------+              o-----------------+---------+---------+

    Te - T0 (omega / omega0)^d = 2 H d(omega)/dt          |v| below vi for ti: the breaker opens after tb

r2 = 0 or x2 = 0 leaves one cage: r1 and x1. Seen from its terminals the circuit is an impedance with two time
constants, ra + j [l'' + d1 / (1 + j w s T1) + d2 / (1 + j w s T2)]: initialisation finds them exactly (poles and
residues), and the equations of `_motor` turn them into e1 and e2, so torque against slip is that of the circuit.
Constants are per unit of mbase; mbase = 0 makes it pmult times the load's MW. A shunt takes up what the circuit's Q
leaves of the power flow's.
Source: PSS/E Model Library, CIM5BL (record, types 1 and 2, load torque T (1 + d omega)^D, relay times in cycles).
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_TRIP, Model, Output, Param, Start, kernel
from gridai.models.loads._motor import (
    RATE_MAX,
    STATES,
    at_slip,
    cage_rate,
    load_torque,
    speed_rate,
    start_slip,
    torque_of,
)
from gridai.models.loads.motorw import INPUTS, clamp
from gridai.models.protection.vtgtpat import GUARDS, relay_guards, relay_update
from gridai.models.protection.vtgtpat import MEMORY as RELAY_MEMORY

HIGH_PU = 1e9
"""The relay has no upper threshold."""


@kernel
def admittance(p, z):
    """Stator admittance and shunt [pu of the system base]."""
    return p.m_pu / complex(p.ra_pu, p.lpp_pu) + complex(0.0, p.b_pu)


@kernel
def current(p, x, z):
    """Current of the voltages behind the stator."""
    return p.m_pu * complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im) / complex(p.ra_pu, p.lpp_pu)


@kernel
def stator_current(p, x, u):
    """Current into the motor [pu of its base]."""
    e = complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im)
    return (complex(u.v_re, u.v_im) - e) / complex(p.ra_pu, p.lpp_pu)


@kernel
def outputs(p, x, z, u, y):
    """Consumed power, speed, torque, the relay's mode."""
    v, i = complex(u.v_re, u.v_im), stator_current(p, x, u)
    s = v * i.conjugate() * p.m_pu - complex(0.0, p.b_pu * (v.real**2 + v.imag**2))
    y.p_pu, y.q_pu = z.on * s.real, z.on * s.imag
    y.omega_pu, y.mode = x.omega_pu, z.mode
    y.te_pu = (complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im) * i.conjugate()).real


@kernel
def derivatives(p, x, z, u, y, d):
    """Both cages and the speed."""
    i, slip = stator_current(p, x, u), 1.0 - x.omega_pu
    e1, e2 = complex(x.e1_re, x.e1_im), complex(x.e2_re, x.e2_im)
    d1 = cage_rate(e1, i, p.drop1_pu, p.lpp_pu, p.t1_s, slip, p.omega_base, p.rate_max_per_s)
    d2 = cage_rate(e2, i, p.drop2_pu, p.lpp_pu, p.t2_s, slip, p.omega_base, p.rate_max_per_s)
    d.e1_re, d.e1_im, d.e2_re, d.e2_im = d1.real, d1.imag, d2.real, d2.imag
    te = ((e1 + e2) * i.conjugate()).real
    d.omega_pu = speed_rate(te, load_torque(x.omega_pu, p.omega0_pu, p.t0_pu, p.d), p.h_s, x.omega_pu)


@kernel
def guards(p, x, z, u, y, t, g):
    """The undervoltage relay, see vtgtpat; vi = 0 keeps it off."""
    relay_guards(abs(complex(u.v_re, u.v_im)), p.vi_pu if p.vi_pu > 0.0 else -1.0, HIGH_PU, z, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """Next mode of the relay; its times are in cycles."""
    cycle_s = 2.0 * np.pi / p.omega_base
    return relay_update(p.ti_cycles * cycle_s, p.tb_cycles * cycle_s, z, t, g)


def time_constants(p, w: float) -> tuple[float, list[tuple[float, float]]]:
    """l'' and (drop, open-circuit time constant) of each cage, slow one first: the circuit's own, exactly. [pu, s]"""
    r1, r2 = w * p.r1_pu, w * p.r2_pu
    q = np.array([1.0, 0.0])
    cage1, cage2 = np.array([p.x1_pu, r1]), np.array([p.x2_pu, r2])
    if p.r2_pu <= 0.0 or p.x2_pu <= 0.0:
        top, bottom = cage1, q
    elif p.it == 2.0:
        top, bottom = np.polymul(cage1, cage2), np.polymul(q, np.polyadd(cage1, cage2))
    else:
        inner = np.polyadd(cage2, [r1])
        top, bottom = np.polyadd(p.x1_pu * np.polymul(q, inner), r1 * cage2), np.polymul(q, inner)
    above, below = p.xm_pu * top, np.polyadd(p.xm_pu * bottom, top)
    lpp, poles = p.xa_pu + above[0] / below[0], np.roots(below).real
    slope = np.polyder(below)
    cages = [(float(-np.polyval(above, s) / (np.polyval(slope, s) * s)), float(-1.0 / s)) for s in poles]
    return float(lpp), sorted(cages, key=lambda c: -c[1])


def initialise(p, x, z, u, y, op: Start) -> None:
    """Time constants, slip, shunt and load torque. Raises InitialisationError, see start_slip."""
    p.lpp_pu, cages = time_constants(p, p.omega_base)
    (p.drop1_pu, p.t1_s), (p.drop2_pu, p.t2_s) = (*cages, (0.0, 0.0))[:2]
    p.m_pu = p.mbase_mva / p.mva if p.mbase_mva > 0.0 else p.pmult * op.p_pu
    if not p.m_pu > 0.0:
        raise InitialisationError(f"CIM5BL: the load takes {op.p_pu * p.mva:g} MW: a motor needs more than 0")
    slip = start_slip("CIM5BL", op.v, op.p_pu / p.m_pu, p.ra_pu, p.lpp_pu, tuple(cages), p.omega_base)
    i, *e = at_slip(op.v, slip, p.ra_pu, p.lpp_pu, tuple(cages), p.omega_base)
    e1, e2 = (*e, 0j)[:2]
    p.b_pu = ((op.v * i.conjugate()).imag * p.m_pu - op.q_pu) / abs(op.v) ** 2
    x.e1_re, x.e1_im, x.e2_re, x.e2_im = e1.real, e1.imag, e2.real, e2.imag
    x.omega_pu = p.omega0_pu = 1.0 - slip
    p.t0_pu = torque_of(i, e1, e2)
    if p.vi_pu >= abs(op.v):
        raise InitialisationError(
            f"CIM5BL: bus voltage starts at {abs(op.v):.6g} pu, below vi_pu = {p.vi_pu:.6g}: the relay would trip the "
            "motor at rest; change the threshold or the operating point"
        )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """What is not modelled is refused by name."""
    found = []
    if values["it"] not in (1.0, 2.0):
        found.append(("it", "type of the two-cage circuit: give 1 or 2"))
    for name in ("se1", "se2"):
        if values[name] != 0.0:
            found.append((name, "magnetic saturation is not modelled: give 0"))
    if values["mbase_mva"] <= 0.0 and values["pmult"] <= 0.0:
        found.append(("pmult", "give mbase_mva, or pmult: one of them above 0"))
    return found


DYR = (
    "it", "ra_pu", "xa_pu", "xm_pu", "r1_pu", "x1_pu", "r2_pu", "x2_pu", "e1_pu", "se1", "e2_pu", "se2", "mbase_mva",
    "pmult", "h_s", "vi_pu", "ti_cycles", "tb_cycles", "d", "tnom_pu",
)  # fmt: skip
"""Order of the record in a DYR file, after `bus 'CIM5BL' id`."""

MODEL = Model(
    name="CIM5BL",
    role="load",
    title="induction motor given by its circuit",
    params=(
        Param("it", "", 1.0, "type of the two-cage circuit, 1 or 2"),
        Param("ra_pu", "pu", None, "stator resistance", low=0.0),
        Param("xa_pu", "pu", None, "stator leakage reactance", low=1e-4),
        Param("xm_pu", "pu", None, "magnetising reactance", low=1e-3),
        Param("r1_pu", "pu", None, "resistance of the first cage, above 0", low=1e-6),
        Param("x1_pu", "pu", None, "leakage reactance of the first cage, above 0", low=1e-6),
        Param("r2_pu", "pu", 0.0, "resistance of the second cage; 0: one cage", low=0.0),
        Param("x2_pu", "pu", 0.0, "leakage reactance of the second cage; 0: one cage", low=0.0),
        Param("e1_pu", "pu", 1.0, "saturation point, not used"),
        Param("se1", "", 0.0, "saturation at e1: only 0 is taken"),
        Param("e2_pu", "pu", 1.2, "saturation point, not used"),
        Param("se2", "", 0.0, "saturation at e2: only 0 is taken"),
        Param("mbase_mva", "MVA", 0.0, "base; 0: pmult times the load's MW", low=0.0),
        Param("pmult", "MVA/MW", 1.0, "base over the load's MW where mbase is 0", low=0.0),
        Param("h_s", "s", None, "inertia constant, above 0", low=0.01),
        Param("vi_pu", "pu", 0.0, "voltage of the undervoltage relay; 0: none", low=0.0),
        Param("ti_cycles", "cycles", 0.0, "its pickup time", low=0.0),
        Param("tb_cycles", "cycles", 0.0, "time of the breaker", low=0.0),
        Param("d", "", 0.0, "exponent of the load torque against speed", low=0.0, high=4.0),
        Param("tnom_pu", "pu", 0.0, "load torque of a motor that starts from standstill; not used by a running one"),
        RATE_MAX,
        *(
            Param(name, unit, None, meaning, solved=True)
            for name, unit, meaning in (
                ("lpp_pu", "pu", "subtransient reactance"),
                ("drop1_pu", "pu", "reactance that the slow cage takes away"),
                ("t1_s", "s", "its open-circuit time constant"),
                ("drop2_pu", "pu", "reactance that the fast cage takes away"),
                ("t2_s", "s", "its open-circuit time constant; 0: one cage"),
                ("m_pu", "pu", "base of the motor over the system base"),
                ("b_pu", "pu", "shunt that makes up the power flow's Q"),
                ("t0_pu", "pu", "load torque at the start"),
                ("omega0_pu", "pu", "speed at the start"),
            )
        ),
    ),
    states=STATES,
    memory=RELAY_MEMORY,
    guards=GUARDS,
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("omega_pu", "pu", "speed", "speed_pu"),
        Output("te_pu", "pu", "electrical torque [pu of the motor's base]"),
        Output("mode", "", "relay: 0 waiting, 1 timing, 2 breaker opening, 3 tripped"),
    ),
    initialise=initialise,
    admittance=admittance,
    check=check,
    kernels={
        "current": current,
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "guards": guards,
        "update": update,
    },
    actions={ACTION_TRIP: "undervoltage relay of the motor"},
    source="PSS/E Model Library, CIM5BL",
    deviations=(
        "saturation is refused; a motor that starts from standstill (tnom) cannot be initialised",
        "two cages by the circuit's exact time constants; how PSS/E rounds them is not published",
        "a rotor flux that decays faster than rate_max_per_s is slowed to that; torque against slip is exact",
    ),
)
