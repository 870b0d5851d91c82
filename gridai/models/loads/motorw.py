r"""MOTORW: three-phase induction motor of one or two cages (motors A, B, C of the WECC composite load).

         rs + j lpp            e1 (ls - lp, Tpo)    e2 (lp - lpp, Tppo)
    v o--/\/\/--UUUU-----+---------( )------------------( )-----+      + j b, what the power flow's Q leaves over
                         i -->                                  |
                                                            reference
    Te = Re((e1 + e2) conj(i))      Tl = t0 (omega / omega0)^etrq      d(omega)/dt = (Te - Tl) / (2 H)

    v below vtr for ttr: the share ftr trips;  then v above vrc for trc: it is back.  Two such stages.

The equations are those of `_motor`: the WECC motor, fifth order; lpp = lp or tppo = 0 leave the fast cage out (third
order). Constants are per unit of the motors' base, which is P / lfm with P the load's active power. The motors' Q
follows from the circuit; a shunt takes up the difference to the power flow's and trips with the motors.

The stator stands in the admittance matrix (1 / (rs + j lpp)) and e1, e2 behind it are the current: the network stays
linear. The connected part multiplies both; motors that come back are taken to be at the speed of the others.
Source: WECC Dynamic Composite Load Model (CMPLDW) Specifications, January 27, 2015, motors of type 3; PSLF motorw.
"""

from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.loads._motor import (
    ACTIONS,
    RATE_MAX,
    STATES,
    at_slip,
    cage_rate,
    connected_part,
    load_torque,
    speed_rate,
    stage_action,
    stage_crossing,
    stage_delay,
    stage_due,
    stage_next,
    start_slip,
    torque_of,
)


@kernel
def admittance(p, z):
    """Stator admittance and shunt of what is connected [pu of the system base]."""
    part = connected_part(z.mode1, z.mode2, p.ftr1, p.ftr2)
    return part * (p.m_pu / complex(p.rs_pu, p.lpp_pu) + complex(0.0, p.b_pu))


@kernel
def current(p, x, z):
    """Current of the voltages behind the stator."""
    part = connected_part(z.mode1, z.mode2, p.ftr1, p.ftr2)
    return part * p.m_pu * complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im) / complex(p.rs_pu, p.lpp_pu)


@kernel
def stator_current(p, x, u):
    """Current into the motor [pu of the motors' base]."""
    e = complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im)
    return (complex(u.v_re, u.v_im) - e) / complex(p.rs_pu, p.lpp_pu)


@kernel
def outputs(p, x, z, u, y):
    """Consumed power, speed, torque of a connected motor, connected part."""
    v, i = complex(u.v_re, u.v_im), stator_current(p, x, u)
    y.part = z.on * connected_part(z.mode1, z.mode2, p.ftr1, p.ftr2)
    s = v * i.conjugate() * p.m_pu - complex(0.0, p.b_pu * (v.real**2 + v.imag**2))
    y.p_pu, y.q_pu = y.part * s.real, y.part * s.imag
    y.omega_pu = x.omega_pu
    y.te_pu = (complex(x.e1_re + x.e2_re, x.e1_im + x.e2_im) * i.conjugate()).real


@kernel
def derivatives(p, x, z, u, y, d):
    """Both cages and the speed."""
    i, slip = stator_current(p, x, u), 1.0 - x.omega_pu
    e1, e2 = complex(x.e1_re, x.e1_im), complex(x.e2_re, x.e2_im)
    d1 = cage_rate(e1, i, p.ls_pu - p.lp_pu, p.lpp_pu, p.tpo_s, slip, p.omega_base, p.rate_max_per_s)
    d2 = cage_rate(e2, i, p.lp_pu - p.lpp_pu, p.lpp_pu, p.tppo_s, slip, p.omega_base, p.rate_max_per_s)
    d.e1_re, d.e1_im, d.e2_re, d.e2_im = d1.real, d1.imag, d2.real, d2.imag
    te = ((e1 + e2) * i.conjugate()).real
    d.omega_pu = speed_rate(te, load_torque(x.omega_pu, p.omega0_pu, p.t0_pu, p.etrq), p.h_s, x.omega_pu)


@kernel
def clamp(p, x, u):
    """A load does not turn its motor backwards."""
    x.omega_pu = max(x.omega_pu, 0.0)


@kernel
def guards(p, x, z, u, y, t, g):
    """Crossings and timers of both stages."""
    v = abs(complex(u.v_re, u.v_im))
    g.crossing1 = stage_crossing(z.mode1, v, p.vtr1_pu * (p.ftr1 > 0.0), p.vrc1_pu)
    g.due1 = stage_due(z.mode1, t, z.due1_s)
    g.crossing2 = stage_crossing(z.mode2, v, p.vtr2_pu * (p.ftr2 > 0.0), p.vrc2_pu)
    g.due2 = stage_due(z.mode2, t, z.due2_s)


@kernel
def update(p, x, z, u, y, t, g):
    """Next mode of each stage; asks for the new admittance when the connected part changes."""
    mode1 = stage_next(z.mode1, g.crossing1, g.due1)
    mode2 = stage_next(z.mode2, g.crossing2, g.due2)
    if mode1 != z.mode1:
        z.due1_s = t + stage_delay(mode1, p.ttr1_s, p.trc1_s)
    if mode2 != z.mode2:
        z.due2_s = t + stage_delay(mode2, p.ttr2_s, p.trc2_s)
    action = max(stage_action(z.mode1, mode1), stage_action(z.mode2, mode2))
    z.mode1, z.mode2 = mode1, mode2
    return action


def initialise(p, x, z, u, y, op: Start) -> None:
    """Slip that takes the load's power, the shunt and the load torque. Raises InitialisationError, see start_slip."""
    cages = ((p.ls_pu - p.lp_pu, p.tpo_s), ((p.lp_pu - p.lpp_pu) * (p.tppo_s > 0.0), p.tppo_s))
    slip = start_slip("MOTORW", op.v, p.lfm, p.rs_pu, p.lpp_pu, cages, p.omega_base)
    i, e1, e2 = at_slip(op.v, slip, p.rs_pu, p.lpp_pu, cages, p.omega_base)
    p.m_pu = op.p_pu / p.lfm
    p.b_pu = ((op.v * i.conjugate()).imag * p.m_pu - op.q_pu) / abs(op.v) ** 2
    x.e1_re, x.e1_im, x.e2_re, x.e2_im = e1.real, e1.imag, e2.real, e2.imag
    x.omega_pu = p.omega0_pu = 1.0 - slip
    p.t0_pu = torque_of(i, e1, e2)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances fall from synchronous to subtransient; shares leave something."""
    found = []
    if not values["ls_pu"] > values["lp_pu"] >= values["lpp_pu"]:
        found.append(("lp_pu", "ls_pu > lp_pu >= lpp_pu must hold"))
    if values["lp_pu"] > values["lpp_pu"] and 0.0 < values["tpo_s"] <= values["tppo_s"]:
        found.append(("tppo_s", f"not below tpo_s = {values['tpo_s']:g}: the fast cage must be the faster one"))
    if values["ftr1"] + values["ftr2"] > 1.0 + 1e-9:
        found.append(("ftr2", f"ftr1 + ftr2 = {values['ftr1'] + values['ftr2']:g}: the stages trip more than there is"))
    return found


INPUTS = (
    Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
    Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
)
MEMORY = tuple(
    State(f"{name}{k}{unit}", "s" if unit else "", meaning)
    for k in (1, 2)
    for name, unit, meaning in (
        ("mode", "", f"stage {k}: 0 connected, 1 timing, 2 tripped, 3 timing the return"),
        ("due", "_s", f"time when the timer of stage {k} is over"),
    )
)


def motor_params(lfm: float, h_s: float, etrq: float) -> tuple[Param, ...]:
    """Parameters of a motor with these defaults; the others are of WECC's medium motors."""
    return (
        Param("lfm", "", lfm, "loading: power over the motors' MVA", low=0.01, high=2.0),
        Param("rs_pu", "pu", 0.03, "stator resistance", low=0.0),
        Param("ls_pu", "pu", 1.8, "synchronous reactance", low=1e-3),
        Param("lp_pu", "pu", 0.19, "transient reactance", low=1e-3),
        Param("lpp_pu", "pu", 0.14, "subtransient reactance", low=1e-3),
        Param("tpo_s", "s", 0.2, "transient open-circuit time constant", low=1e-3),
        Param("tppo_s", "s", 0.0026, "subtransient open-circuit time constant; 0: one cage", low=0.0),
        Param("h_s", "s", h_s, "inertia constant", low=0.01),
        Param("etrq", "", etrq, "exponent of the load torque against speed", low=0.0, high=4.0),
    )


def stage_params(k: int) -> tuple[Param, ...]:
    """Parameters of one undervoltage stage."""
    return (
        Param(f"vtr{k}_pu", "pu", 0.0, f"stage {k}: voltage below which it trips; 0: never", low=0.0, high=2.0),
        Param(f"ttr{k}_s", "s", 9999.0, f"stage {k}: how long the voltage must be low", low=0.0),
        Param(f"ftr{k}", "", 0.0, f"stage {k}: share of the motors that trips", low=0.0, high=1.0),
        Param(f"vrc{k}_pu", "pu", 1.0, f"stage {k}: voltage above which it comes back", low=0.0),
        Param(f"trc{k}_s", "s", 9999.0, f"stage {k}: how long the voltage must be back", low=0.0),
    )


MODEL = Model(
    name="MOTORW",
    role="load",
    title="three-phase induction motor",
    params=(
        *motor_params(0.75, 0.5, 2.0),
        *stage_params(1),
        *stage_params(2),
        RATE_MAX,
        Param("m_pu", "pu", None, "the motors' MVA over the system base", solved=True),
        Param("b_pu", "pu", None, "shunt that makes up the power flow's Q", solved=True),
        Param("t0_pu", "pu", None, "load torque at the start", solved=True),
        Param("omega0_pu", "pu", None, "speed at the start", solved=True),
    ),
    states=STATES,
    memory=MEMORY,
    guards=("crossing1", "due1", "crossing2", "due2"),
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("omega_pu", "pu", "speed", "speed_pu"),
        Output("te_pu", "pu", "electrical torque of a connected motor [pu of its base]"),
        Output("part", "", "part of the motors that is connected", "connected"),
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
    actions=ACTIONS,
    source="WECC Dynamic Composite Load Model Specifications, January 27, 2015; PSLF motorw",
    deviations=(
        "a rotor flux that decays faster than rate_max_per_s is slowed to that; torque against slip is exact",
        "no magnetic saturation, as in the source",
        "motors that come back are taken to run at the speed of those that stayed",
        "the shunt that makes up Q trips with the motors",
    ),
)
