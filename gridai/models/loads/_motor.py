"""Induction motor: rotor circuits, torque, start, undervoltage stages; used by MOTORW, CIM5BL and CMLD.

A motor of one or two rotor cages behind its stator, motor sign (current i flows in), phasors in the network frame:

    v = (rs + j lpp) i + e1 + e2                                          (stator)
    de/dt = -(e - j drop i) / t_open - j omega_base slip e                (each cage: e1 slow, e2 fast)
    2 H d(omega)/dt = Te - Tl,   Te = Re((e1 + e2) conj(i)),   slip = 1 - omega

e1 is the E' of the WECC motor with drop ls - lp and t_open Tpo; e1 + e2 is its E'' with drop lp - lpp and Tppo: put
together they are its four equations. The frame turns at nominal speed, so the frequency of the network is in v.
At rest the impedance is rs + j [lpp + (ls - lp) / (1 + j w s Tpo) + (lp - lpp) / (1 + j w s Tppo)], w = omega_base.

A time constant of 2 ms, or the 60 Hz at which the flux of a stalled rotor decays in this frame, is beyond a step of a
quarter of a cycle. `steadied` slows such a decay to `rate_max` (and turns it to the real axis) by a factor on the
whole rate: where the motor comes to rest, so its torque against slip, does not change. Running motors swing below it.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.contract import Param, State, kernel

CONNECTED, TRIPPING, TRIPPED, RETURNING = 0.0, 1.0, 2.0, 3.0
HYSTERESIS_PU = 1e-6
ACTION_PART_TRIP, ACTION_PART_BACK = 10, 11
ACTIONS = {ACTION_PART_TRIP: "a part of the motors trips", ACTION_PART_BACK: "a part of the motors is back"}


@kernel
def steadied(decay, turn, rate_max):
    """Factor on a rate whose eigenvalue is -decay - j turn [1/s]: 1 up to rate_max, and the eigenvalue stays there."""
    size = abs(complex(decay, turn))
    if rate_max <= 0.0 or size <= rate_max:
        return complex(1.0, 0.0)
    angle = np.arctan2(turn, decay)
    turned = angle * rate_max / size - angle
    return rate_max / size * complex(np.cos(turned), np.sin(turned))


@kernel
def cage_rate(e, i, drop, lpp, t_open, slip, omega_base, rate_max):
    """de/dt of one cage [pu/s]; zero where there is no such cage."""
    if t_open <= 0.0 or drop <= 0.0:
        return complex(0.0, 0.0)
    turn = omega_base * slip
    rate = (complex(0.0, drop) * i - e) / t_open - complex(0.0, turn) * e
    return rate * steadied((1.0 + drop / lpp) / t_open, turn, rate_max)


@kernel
def load_torque(omega, omega0, t0, exponent):
    """Torque of the driven load [pu]: t0 (omega / omega0)^exponent; none below standstill."""
    if omega <= 0.0:
        return t0 if exponent == 0.0 else 0.0
    return t0 * (omega / omega0) ** exponent


@kernel
def speed_rate(te, tl, h_s, omega):
    """d(omega)/dt [pu/s]. A load does not drive its motor backwards: at standstill only a positive rate counts."""
    rate = (te - tl) / (2.0 * h_s)
    if omega <= 0.0 and rate < 0.0:
        return 0.0
    return rate


@kernel
def stage_crossing(mode, v, v_trip, v_back):
    """Guard: the voltage falls below the trip level, comes back too early, rises above the return level, or falls."""
    if v_trip <= 0.0:
        return -1.0
    if mode == CONNECTED:
        return v_trip - v
    if mode == TRIPPING:
        return v - v_trip - HYSTERESIS_PU
    if mode == TRIPPED:
        return v - v_back
    return v_back - v - HYSTERESIS_PU


@kernel
def stage_due(mode, t, due_s):
    """Guard: a running timer is over."""
    if mode in (TRIPPING, RETURNING):
        return t - due_s
    return -1.0


@kernel
def stage_next(mode, crossed, due):
    """The next mode of a stage; a timer that is due wins over a return."""
    if mode == CONNECTED and crossed > 0.0:
        return TRIPPING
    if mode == TRIPPED and crossed > 0.0:
        return RETURNING
    if mode == TRIPPING:
        return TRIPPED if due > 0.0 else (CONNECTED if crossed > 0.0 else mode)
    if mode == RETURNING:
        return CONNECTED if due > 0.0 else (TRIPPED if crossed > 0.0 else mode)
    return mode


@kernel
def stage_delay(mode, t_trip, t_back):
    """How long the timer of a mode runs. [s]"""
    return t_trip if mode == TRIPPING else t_back


@kernel
def stage_action(before, after):
    """Action code of a change of mode: 0 where the connected part stays."""
    if before == TRIPPING and after == TRIPPED:
        return ACTION_PART_TRIP
    if before == RETURNING and after == CONNECTED:
        return ACTION_PART_BACK
    return 0


@kernel
def connected_part(mode1, mode2, share1, share2):
    """Part of the motors that is connected: 1 less the shares of the stages that have tripped."""
    part = 1.0
    if mode1 in (TRIPPED, RETURNING):
        part -= share1
    if mode2 in (TRIPPED, RETURNING):
        part -= share2
    return max(part, 0.0)


def at_slip(v: complex, slip: float, rs: float, lpp: float, cages: tuple[tuple[float, float], ...], w: float) -> tuple:
    """Stator current and the cages' voltages at a steady slip, for cages (drop, t_open): (i, e1, e2). [pu]"""
    shares = [1j * drop / (1.0 + 1j * w * slip * t_open) for drop, t_open in cages]
    i = v / (complex(rs, lpp) + sum(shares))
    return (i, *(i * share for share in shares))


def start_slip(name: str, v: complex, p_pu: float, rs: float, lpp: float, cages: tuple, w: float) -> float:
    """The slip below pull-out at which the motor takes p_pu [pu of its own base].

    Raises InitialisationError when the motor cannot carry it at this voltage, or needs more at no load.
    """

    def power(slip: float) -> float:
        return float((v * at_slip(v, slip, rs, lpp, cages, w)[0].conjugate()).real)

    slips = [10.0 ** (-6 + 6 * k / 600) for k in range(601)]
    most = max(slips, key=power)
    if not power(0.0) <= p_pu <= power(most):
        raise InitialisationError(
            f"{name}: a motor loaded to {p_pu:.4g} pu of its base cannot run at {abs(v):.4g} pu of voltage, where it "
            f"takes {power(0.0):.4g} (no load) to {power(most):.4g} pu (pull-out): change its loading or its base"
        )
    low, high = 0.0, most
    for _ in range(200):
        mid = 0.5 * (low + high)
        low, high = (mid, high) if power(mid) < p_pu else (low, mid)
    return 0.5 * (low + high)


def torque_of(i: complex, e1: complex, e2: complex) -> float:
    """Electrical torque. [pu]"""
    return ((e1 + e2) * i.conjugate()).real


def pull_out(v: complex, rs: float, lpp: float, cages: tuple, w: float) -> tuple[float, float]:
    """Slip and torque at the top of the torque curve. [pu]"""
    slips = [10.0 ** (-6 + 6 * k / 600) for k in range(601)]
    return max(((s, torque_of(*at_slip(v, s, rs, lpp, cages, w))) for s in slips), key=lambda pair: pair[1])


RATE_MAX = Param(
    "rate_max_per_s", "1/s", 200.0, "fastest decay of a rotor flux that is followed at quarter-cycle steps; 0: any",
    low=0.0,
)  # fmt: skip

STATES = (
    State("e1_re", "pu", "voltage behind the transient reactance, real part"),
    State("e1_im", "pu", "voltage behind the transient reactance, imaginary part"),
    State("e2_re", "pu", "what the fast cage adds to it, real part"),
    State("e2_im", "pu", "what the fast cage adds to it, imaginary part"),
    State("omega_pu", "pu", "speed"),
)
