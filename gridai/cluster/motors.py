r"""COOLMOTOR: motors of the cooling that stand on the mains: fans, pumps, compressors without a drive or a UPS.

         rs + j lp            j (ls - lp) / (1 + j w slip tpo)
    v o--/\/\/--UUUU-----+---------UUUU-/\/\/---------+      + j b, what the power flow's Q leaves over
                         i -->                        |
                                                  reference        Te = Re(v conj(i)) - rs |i|^2
    d(omega)/dt = (Te - Tl) / (2 H)        Tl = t0 (omega / omega0)^etrq demand / demand0        slip = 1 - omega

Contactors drop out when the voltage lies below drop_pu for drop_s; then the motor slows down with its load and takes
nothing. Once the voltage has been above back_pu for restart_s the contactor closes: the motor starts from the speed it
has left, with the current of that slip. A motor that the voltage does not let run up stays on and stalls.

The rotor's flux follows at once (first-order motor): running down, stalling, reactive power and run-up are those of the
torque-slip curve; the current that a motor feeds into a fault for a few cycles is not there. MOTORW has it.

Constants per unit of the motors' base, which is P / lfm with P the part's active power. Load sign: P, Q > 0 consume.
Source: circuit and defaults are those of motor B (fans) of the WECC composite load model, CMPLDW specification,
27 January 2015, recalled; drop-out of contactors at 0.5 to 0.7 pu within a few cycles as in SEMI F47's background,
recalled. restart_s is assumed: anti-recycle timers of chillers are minutes, those of fans and pumps seconds.
"""

from typing import Any

from gridai.cluster.ups import next_due, stage
from gridai.cluster.ups_power import NORMAL, OFF
from gridai.errors import InitialisationError
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

NEVER = 1e30
DROPPED = 1.0
SLOW = 0.99
"""Part of its speed at the start above which a motor serves its load."""
SLIPS = tuple(10.0 ** (-5 + 5 * k / 400) for k in range(401))


@kernel
def admittance_at(slip: float, rs: float, ls: float, lp: float, turn: float) -> complex:
    """Admittance of a motor at a slip [pu of its base]; turn: angular frequency times open-circuit time constant."""
    return 1.0 / (complex(rs, lp) + complex(0.0, ls - lp) / complex(1.0, turn * slip))


@kernel
def torque_at(v: float, slip: float, rs: float, ls: float, lp: float, turn: float) -> float:
    """Electrical torque at a voltage and a slip: the power across the air gap. [pu]"""
    y = admittance_at(slip, rs, ls, lp, turn)
    return v * v * (y.real - rs * (y.real * y.real + y.imag * y.imag))


@kernel
def load_torque(p: Any, x: Any, u: Any) -> float:
    """Torque of the driven load [pu of the motors' base]; none at standstill."""
    if x.omega_pu <= 0.0:
        return 0.0
    return p.t0_pu * (x.omega_pu / p.omega0_pu) ** p.etrq * u.p_demand_mw / (p.p0_pu * p.mva)


@kernel
def taken(p: Any, x: Any, z: Any) -> complex:
    """Admittance of what is connected [pu of the system's base]."""
    if z.mode == OFF:
        return complex(0.0, 0.0)
    y = admittance_at(1.0 - x.omega_pu, p.rs_pu, p.ls_pu, p.lp_pu, p.omega_base * p.tpo_s)
    return p.m_pu * y + complex(0.0, p.b_pu)


@kernel
def current(p: Any, x: Any, z: Any, v: Any) -> complex:
    """Current into the network."""
    return -taken(p, x, z) * v


@kernel
def outputs(p: Any, x: Any, z: Any, u: Any, y: Any) -> None:
    """Power drawn and asked for, what the driven load gets, speed, mode and cause as those of a UPS group."""
    vm2 = u.v_re * u.v_re + u.v_im * u.v_im
    admittance = taken(p, x, z)
    y.p_pu, y.q_pu = z.on * admittance.real * vm2, -z.on * admittance.imag * vm2
    y.demand_pu = u.p_demand_mw / p.mva
    speed = max(x.omega_pu, 0.0) / p.omega0_pu
    y.load_pu = z.on * y.demand_pu * speed ** (p.etrq + 1.0) if z.mode != OFF else 0.0
    y.omega_pu, y.mode, y.cause, y.soc = x.omega_pu, z.mode, z.cause, 1.0
    y.unserved_mwh = x.unserved_pu_s * p.mva / 3600.0


@kernel
def derivatives(p: Any, x: Any, z: Any, u: Any, y: Any, d: Any) -> None:
    """Measured voltage, speed, energy that the driven load missed."""
    v = abs(complex(u.v_re, u.v_im))
    d.v_pu = (v - x.v_pu) / p.t_v_s
    te = 0.0
    if z.mode != OFF:
        te = torque_at(v, 1.0 - x.omega_pu, p.rs_pu, p.ls_pu, p.lp_pu, p.omega_base * p.tpo_s)
    rate = (te - load_torque(p, x, u)) / (2.0 * p.h_s)
    d.omega_pu = 0.0 if x.omega_pu <= 0.0 and rate < 0.0 else rate
    slow = z.mode == OFF or x.omega_pu < SLOW * p.omega0_pu
    d.unserved_pu_s = max(y.demand_pu - y.load_pu, 0.0) if slow else 0.0


@kernel
def clamp(p: Any, x: Any, u: Any) -> None:
    """A load does not turn its motor backwards."""
    x.omega_pu = max(x.omega_pu, 0.0)


@kernel
def guards(p: Any, x: Any, z: Any, u: Any, y: Any, t: Any, g: Any) -> None:
    """Drop-out and return, each with its timer."""
    g.drop = stage(p.drop_pu - x.v_pu, z.drop_due_s, t) if z.mode == NORMAL else -1.0
    away = z.mode == OFF and z.latched == 0.0
    g.ready = stage(x.v_pu - p.back_pu, z.ready_due_s, t) if away else -1.0


@kernel
def update(p: Any, x: Any, z: Any, u: Any, y: Any, t: Any, g: Any) -> int:
    """The contactor opens or closes."""
    if g.drop > 0.0 and z.mode == NORMAL:
        z.drop_due_s = next_due(g.drop, z.drop_due_s, p.drop_s, t)
        if z.drop_due_s < 0.0:
            z.mode, z.cause, z.left_s, z.drop_due_s, z.ready_due_s = OFF, DROPPED, t, NEVER, NEVER
            z.latched = p.by_hand
    elif g.ready > 0.0 and z.mode == OFF and z.latched == 0.0:
        z.ready_due_s = next_due(g.ready, z.ready_due_s, p.restart_s, t)
        if z.ready_due_s < 0.0:
            z.mode, z.ready_due_s, z.drop_due_s = NORMAL, NEVER, NEVER
    return 0


def start_slip(v: float, p_pu: float, rs: float, ls: float, lp: float, turn: float) -> float:
    """The slip below pull-out at which the motor takes p_pu [pu of its base]. Raises InitialisationError."""

    def power(slip: float) -> float:
        """Power taken at a slip. [pu]"""
        return float(v * v * admittance_at(slip, rs, ls, lp, turn).real)

    most = max(SLIPS, key=power)
    if not power(0.0) <= p_pu <= power(most):
        raise InitialisationError(
            f"motors loaded to {p_pu:.4g} pu of their base cannot run at {v:.4g} pu of voltage, where they take "
            f"{power(0.0):.4g} (no load) to {power(most):.4g} pu (pull-out): change lfm"
        )
    low, high = 0.0, most
    for _ in range(200):
        mid = 0.5 * (low + high)
        low, high = (mid, high) if power(mid) < p_pu else (low, mid)
    return 0.5 * (low + high)


def initialise(p: Any, x: Any, z: Any, u: Any, y: Any, op: Start) -> None:
    """Running at the power of the power flow. Raises InitialisationError where it cannot, or a contactor would drop."""
    vm = abs(op.v)
    if op.p_pu <= 0.0:
        raise InitialisationError(f"the motors take {op.p_pu * p.mva:g} MW in the power flow; they must consume")
    if vm < p.drop_pu:
        raise InitialisationError(
            f"the bus voltage {vm:.4g} pu lies below drop_pu = {p.drop_pu:.4g}: the contactors would drop at rest"
        )
    turn = p.omega_base * p.tpo_s
    slip = start_slip(vm, p.lfm, p.rs_pu, p.ls_pu, p.lp_pu, turn)
    p.m_pu, p.p0_pu = op.p_pu / p.lfm, op.p_pu
    y0 = admittance_at(slip, p.rs_pu, p.ls_pu, p.lp_pu, turn)
    p.b_pu = -(op.q_pu / vm**2) - p.m_pu * y0.imag
    p.omega0_pu, p.t0_pu = 1.0 - slip, torque_at(vm, slip, p.rs_pu, p.ls_pu, p.lp_pu, turn)
    x.omega_pu, x.v_pu, u.p_demand_mw = 1.0 - slip, vm, op.p_pu * p.mva


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Reactances in order, the contactor's voltages too."""
    found = []
    if not values["ls_pu"] > values["lp_pu"]:
        found.append(("lp_pu", f"must be below ls_pu = {values['ls_pu']:g} pu"))
    if not values["drop_pu"] < values["back_pu"]:
        found.append(("back_pu", f"must be above drop_pu = {values['drop_pu']:g} pu"))
    return found


PARAMS = (
    Param("drop_pu", "pu", 0.6, "voltage below which contactors drop out after drop_s; 0: they hold", 0.0, 1.0),
    Param("drop_s", "s", 0.03, "that delay", 0.0, 100.0),
    Param("back_pu", "pu", 0.9, "voltage above which they close again after restart_s", 0.0, 1.2),
    Param("restart_s", "s", 20.0, "that delay", 0.0, 1e5),
    Param("by_hand", "", 0.0, "1: every departure waits for a hand", 0.0, 1.0),
    Param("lfm", "", 0.75, "loading: power over the motors' base", 0.05, 1.5),
    Param("h_s", "s", 0.5, "inertia constant with the driven load", 0.01, 20.0),
    Param("etrq", "", 2.0, "exponent of the load's torque: 2 fans and pumps, 0 compressors", 0.0, 4.0),
    Param("rs_pu", "pu", 0.03, "stator resistance", 0.0, 0.5),
    Param("ls_pu", "pu", 1.8, "synchronous reactance", 0.1, 20.0),
    Param("lp_pu", "pu", 0.19, "transient reactance", 0.01, 1.0),
    Param("tpo_s", "s", 0.2, "open-circuit time constant of the rotor", 0.005, 10.0),
    Param("t_v_s", "s", 0.005, "time constant of the measured voltage", 0.001, 1.0),
)

MODEL = Model(
    name="COOLMOTOR",
    role="cluster",
    title="motors of a data centre's cooling on the mains",
    params=(
        *PARAMS,
        Param("m_pu", "pu", None, "base of the motors", solved=True),
        Param("b_pu", "pu", None, "shunt that makes up the power flow's Q", solved=True),
        Param("p0_pu", "pu", None, "power at the start", solved=True),
        Param("omega0_pu", "pu", None, "speed at the start", solved=True),
        Param("t0_pu", "pu", None, "torque at the start", solved=True),
    ),
    states=(
        State("omega_pu", "pu", "speed"),
        State("v_pu", "pu", "measured voltage"),
        State("unserved_pu_s", "pu s", "energy that the driven load missed", drifts=True),
    ),
    memory=(
        State("mode", "", "0 on, 3 off"),
        State("cause", "", "of the last departure, as UPS groups number it"),
        State("latched", "", "1: waits for a hand"),
        State("released", "", "1: a hand has released it"),
        State("left_s", "s", "time of the last departure", start=-NEVER),
        State("due_s", "s", "not used: motors have no generator of their own", start=NEVER),
        State("drop_due_s", "s", "when the contactor opens", start=NEVER),
        State("ready_due_s", "s", "when it closes", start=NEVER),
    ),
    guards=("drop", "ready"),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("p_demand_mw", "MW", "playback.p_demand_mw", "power that the part's load asks for", default=None),
    ),
    outputs=(
        Output("p_pu", "pu", "power drawn", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power drawn", "q_mvar", on_base=True),
        Output("demand_pu", "pu", "power that the load asks for", "p_demand_mw", on_base=True),
        Output("load_pu", "pu", "power that the driven load gets", "p_load_mw", on_base=True),
        Output("mode", "", "as the memory", "mode"),
        Output("cause", "", "of the last departure", "cause"),
        Output("soc", "", "1: nothing is stored", "soc"),
        Output("unserved_mwh", "MWh", "energy that the load asked for and did not get", "unserved_mwh"),
        Output("omega_pu", "pu", "speed", "speed_pu"),
    ),
    initialise=initialise,
    kernels={
        "current": current, "outputs": outputs, "derivatives": derivatives, "clamp": clamp, "guards": guards,
        "update": update,
    },
    check=check,
    source="WECC composite load model (CMPLDW), motor B; see the module's docstring",
    deviations=(
        "first-order motor: no current of the decaying rotor flux into a fault",
        "slip counts from the nominal frequency",
        "the load's torque follows the part's demand at once",
    ),
)  # fmt: skip
