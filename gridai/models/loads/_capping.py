"""What loads under power caps share: the frequency they see, the caps' delay line and ramps, the current. Kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, lag, servo
from gridai.kernel.contract import Input, Output, Param, Start, State, kernel
from gridai.models.loads.zip import phase_error

EARLY_S = 1e-9
"""The engine's tolerance of time: a tick that falls on a grid point is not missed by rounding."""
SLOTS = 20
"""Calls that the delay line holds."""


@kernel
def most_relief(p, x):
    """What caps and, while it has energy, the store can take off the grid [pu]; not more than the load."""
    store = p.store_mw / p.mva if x.used_mj < p.store_mj else 0.0
    return min(p.caps_pu + store, p.p0_pu)


@kernel
def share_of_voltage(vm, v_switch_pu):
    """1 down to v_switch_pu, below it as a constant impedance."""
    r = min(vm / v_switch_pu, 1.0)
    return r * r


@kernel
def current(p, x, z, v):
    """Current into the network of the power now drawn: minus the conjugate of S / V."""
    vm = abs(v)
    if vm < 1e-9:
        return 0.0j
    drawn = (p.p0_pu - x.relief_pu) * share_of_voltage(vm, p.v_switch_pu)
    return -z.on * drawn * complex(1.0, -p.tan_phi) * v / (vm * vm)


@kernel
def outputs(p, x, z, u, y):
    """Power drawn, relief given and called for, frequency seen."""
    share = z.on * share_of_voltage(abs(complex(u.v_re, u.v_im)), p.v_switch_pu)
    y.p_pu = (p.p0_pu - x.relief_pu) * share
    y.q_pu = y.p_pu * p.tan_phi
    y.relief_pu, y.called_mw, y.df_pu, y.used_mj = x.relief_pu, z.called_mw, x.df_pu, x.used_mj


@kernel
def derivatives(p, x, z, u, y, d):
    """Phase tracking and its lag; the relief follows the caps, fast when it grows and slowly when it is given back."""
    d.theta_rad = phase_error(complex(u.v_re, u.v_im), x.theta_rad) / p.tf_s
    _, d.df_pu = lag(d.theta_rad / p.omega_base, x.df_pu, 1.0, p.tf_s)
    ramp, back = p.ramp_mw_per_s / p.mva, p.recover_mw_per_s / p.mva
    up = ramp if x.relief_pu >= 0.0 else back
    down = back if x.relief_pu > 0.0 else ramp
    low, high = -p.up_mw / p.mva, most_relief(p, x)
    _, d.relief_pu = servo(z.called_mw / p.mva, x.relief_pu, p.t_s, -down, up, low, high)
    d.used_mj = max(0.0, x.relief_pu - p.caps_pu) * p.mva


@kernel
def clamp(p, x, u):
    """Back within what caps and store can do; a store that is empty gives its part back to the grid at once."""
    x.relief_pu = clip(x.relief_pu, -p.up_mw / p.mva, most_relief(p, x))


@kernel
def next_tick(p, z, t):
    """Positive once the next setting of the caps is due."""
    return t - (z.ticks + 1.0) * p.cycle_s + EARLY_S


@kernel
def guards(p, x, z, u, y, t, g):
    """The next tick."""
    g.tick = next_tick(p, z, t)


@kernel
def rounded(call_mw, resolution_mw):
    """The nearest whole number of steps; resolution 0: the call itself."""
    if resolution_mw <= 0.0:
        return call_mw
    return np.floor(call_mw / resolution_mw + 0.5) * resolution_mw


@kernel
def enter(p, z, call_mw):
    """Put a call into the delay line; the one of delay_cycles ticks ago becomes the caps'."""
    z.c20, z.c19, z.c18, z.c17, z.c16 = z.c19, z.c18, z.c17, z.c16, z.c15
    z.c15, z.c14, z.c13, z.c12, z.c11 = z.c14, z.c13, z.c12, z.c11, z.c10
    z.c10, z.c9, z.c8, z.c7, z.c6 = z.c9, z.c8, z.c7, z.c6, z.c5
    z.c5, z.c4, z.c3, z.c2, z.c1, z.c0 = z.c4, z.c3, z.c2, z.c1, z.c0, call_mw
    n = p.delay_cycles
    low = z.c0 if n == 0.0 else z.c1 if n == 1.0 else z.c2 if n == 2.0 else z.c3 if n == 3.0 else z.c4
    mid = z.c5 if n == 5.0 else z.c6 if n == 6.0 else z.c7 if n == 7.0 else z.c8 if n == 8.0 else z.c9
    late = z.c10 if n == 10.0 else z.c11 if n == 11.0 else z.c12 if n == 12.0 else z.c13 if n == 13.0 else z.c14
    last = z.c15 if n == 15.0 else z.c16 if n == 16.0 else z.c17 if n == 17.0 else z.c18 if n == 18.0 else z.c19
    z.called_mw = low if n <= 4.0 else mid if n <= 9.0 else late if n <= 14.0 else last if n <= 19.0 else z.c20
    z.ticks += 1.0


def at_rest(p, x, z, u, y, op: Start) -> None:
    """At rest at the power of the power flow. What caps can take off ends at the idle power: `caps_pu`."""
    if op.p_pu <= 0.0:
        raise InitialisationError(f"the load gives {-op.p_pu * p.mva:g} MW in the power flow; caps need a consumer")
    if abs(op.v) < p.v_switch_pu:
        raise InitialisationError(
            f"the bus voltage starts at {abs(op.v):.4g} pu, below v_switch_pu = {p.v_switch_pu:g}"
        )
    if p.idle_mw > op.p_pu * p.mva:
        raise InitialisationError(
            f"idle_mw = {p.idle_mw:g}: above the load's {op.p_pu * p.mva:g} MW; a cap cannot go below the idle power"
        )
    p.p0_pu, p.tan_phi = op.p_pu, op.q_pu / op.p_pu
    p.caps_pu = min(p.down_mw / p.mva, op.p_pu - p.idle_mw / p.mva)
    x.theta_rad, x.df_pu, x.relief_pu, x.used_mj = np.angle(op.v), 0.0, 0.0, 0.0


def whole_delay(values: dict[str, float]) -> list[tuple[str, str]]:
    """The delay is a whole number of cycles."""
    if values["delay_cycles"] != int(values["delay_cycles"]):
        return [("delay_cycles", "give a whole number")]
    return []


KERNELS: dict[str, Callable[..., Any]] = {
    "current": current, "outputs": outputs, "derivatives": derivatives, "clamp": clamp, "guards": guards,
}  # fmt: skip
"""All but `update`, which says what is called for."""
PARAMS = (
    Param("down_mw", "MW", 1e6, "most that caps take off; it ends at the idle power in any case", low=0.0),
    Param("up_mw", "MW", 0.0, "most that is added: work that waits", low=0.0),
    Param("idle_mw", "MW", 0.0, "power with all jobs stopped", low=0.0),
    Param("cycle_s", "s", 0.1, "period in which caps are set", low=1e-3),
    Param("delay_cycles", "", 0.0, "periods from the measurement until a cap acts", low=0.0, high=SLOTS),
    Param("resolution_mw", "MW", 0.0, "steps in which caps are set; 0: any power", low=0.0),
    Param("t_s", "s", 0.02, "time constant of the GPUs behind a new cap", low=1e-3),
    Param("ramp_mw_per_s", "MW/s", 1e6, "fastest change that helps", low=1e-3),
    Param("recover_mw_per_s", "MW/s", 1e6, "fastest return to work", low=1e-3),
    Param("tf_s", "s", 0.02, "time constant of the frequency measurement, applied twice", low=1e-3),
    Param("v_switch_pu", "pu", 0.7, "below this voltage the load is a constant impedance", low=0.01, high=1.0),
    Param("p0_pu", "pu", None, "power of the power flow", solved=True),
    Param("tan_phi", "", None, "Q over P", solved=True),
    Param("store_mw", "MW", 0.0, "power of UPS or battery that carries load beyond the caps", low=0.0),
    Param("store_mj", "MJ", 0.0, "its energy; it is not charged again", low=0.0),
    Param("caps_pu", "pu", None, "most that caps can take off", solved=True),
)
STATES = (
    State("theta_rad", "rad", "tracked angle of the bus voltage"),
    State("df_pu", "pu", "measured deviation of the frequency"),
    State("relief_pu", "pu", "power taken off"),
    State("used_mj", "MJ", "energy that the store has given"),
)
MEMORY = (
    State("ticks", "", "number of ticks so far"),
    State("called_mw", "MW", "relief that the caps are set to"),
    *(State(f"c{k}", "MW", f"call of {k} ticks ago") for k in range(SLOTS + 1)),
)
INPUTS = (
    Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
    Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
)
OUTPUTS = (
    Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
    Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
    Output("relief_pu", "pu", "power taken off", "relief_mw", on_base=True),
    Output("called_mw", "MW", "relief that the caps are set to", "called_mw"),
    Output("used_mj", "MJ", "energy that the store has given", "used_mj"),
    Output("df_pu", "pu", "measured deviation of the frequency"),
)
DEVIATIONS = (
    "constant power at any voltage above v_switch_pu; no trip at low voltage (see ECLUSTER and UPSGROUP)",
    "the delay is a whole number of cycles, 20 at most",
    "the store has no losses and is not charged again; its end is met at the end of a step",
)
