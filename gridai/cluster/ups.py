"""UPSGROUP: like UPS or power supplies of a data centre: when they leave the grid, on what, and when they return.

    |V| --[ 1/(1 + s t_v) ]-- v_pu ------- under1..4, over1..2: each a threshold with its own delay --+
     |                          |                                                                     |
     |                          +---- count: a dip below v_count for count_s is one disturbance       +--> leaves
     V --[ PLL: theta, df ]-- |df| > df_hz for f_s;  |d df/dt| > rocof for rocof_s;  |angle error| ---+

    0 normal --(a threshold's delay is over)--> 1 battery --(generator starts)--> 2 generator
        ^  ^                                    |    |                            |    ^
        |  +-- 4 walk-in <--(input good for return_s)+----------------------------+    |
        |           |                           |                                      |
     5 online <-----+ (eco only, hold_s)        +--(battery empty)--> 3 off -----------+
        ^                                                         +-> 7 bypass (input within its window)
        +--------(input good for return_s)-----------------------------+
                                                                      6 latched: battery, waits for a hand

The counter latches: the count_n-th disturbance within window_s puts the group on its battery until somebody returns it.
The times of the last six disturbances are kept, so a window is exact; count_n = 0 counts nothing. by_hand = 1: every
departure waits for a hand. A group without battery (ups = 0: supplies at the mains, or a UPS on its maintenance
bypass) goes from 0 to 3. A UPS whose battery is empty passes its load to the bypass if bypass_low_pu is given and the
voltage lies above it and below over1_pu; the load is then on the grid as it is, without a battery and without a latch.

Power from the grid, with the input stage of gridai.cluster.electrical (constant power, below v_min constant current),
and the balance that holds at every instant:

    p = (p_load k (1 + gain) + p_charge) g(|V|)      k = 1 in normal, online, bypass; the ramp of walk-in; else 0
    p + battery + generator = load + loss            battery = what the grid does not give - charge_eff p_charge g
    E d(soc)/dt = - battery                          E = p0 battery_min 60 s

so the battery gives what the grid does not, also in a dip that the group stays on for; gain = eco_gain while an eco UPS
runs online, hold_s after a disturbance. An eco UPS in normal operation, a bypass and supplies at the mains feed their
load directly: it gets p_load k g. The same holds for a walk-in after the load was lost. Four more states integrate the
balance by the same scheme, so that stored and exchanged energy agree to rounding through steps, cuts and events:

    E (soc0 - soc) = missed - unserved - generator + loss        missed: asked for and not given by the grid

The PLL is of second order (natural frequency pll_rad_per_s, damping 0.7): df is its integral part, its rate of change
is measured through a washout of rocof_t_s, and the angle error jumps with the phase of the voltage. Below 0.1 pu the
error fades, so a dead bus does not turn it.

Load sign: P, Q > 0 consume. Per unit on the base that the engine gives. Thresholds in pu of the bus, Hz from nominal.
Source: the behaviour is that of UPS guide specifications (input window, walk-in, retransfer delay) and, for counting,
of the NERC incident review of 10 July 2024 (load that counts three disturbances in a minute and stays on backup).
"""

from typing import Any

import numpy as np

from gridai.cluster.electrical import supply_share
from gridai.cluster.ups_power import (
    BATTERY,
    BYPASS,
    GENERATOR,
    LATCHED,
    NORMAL,
    OFF,
    ONLINE,
    WALKING,
    asked_pu,
    backed,
    charging_pu,
    gain,
    on_grid,
    taken,
)
from gridai.errors import InitialisationError
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

NEVER = 1e30
HYSTERESIS = 1e-6
TIME_TOL_S = 1e-9
PLL_DAMPING = 0.7
BYPASS_S = 0.1  # least time on the bypass: a battery that is still empty must not bring it back at the same instant
UNDER, OVER, FREQUENCY, ROCOF, PHASE, COUNTED, EMPTY, FORCED = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0
STAGES = ("under1", "under2", "under3", "under4", "over1", "over2", "freq", "rocof")


@kernel
def angle_error(v: Any, theta: Any) -> float:
    """Angle from theta to v [rad]; fades below 0.1 pu."""
    turned = v * complex(np.cos(theta), -np.sin(theta))
    return np.arctan2(turned.imag, turned.real) * min(abs(v) / 0.1, 1.0)


@kernel
def current(p: Any, x: Any, z: Any, v: Any) -> complex:
    """Current into the network of the power now drawn: minus the conjugate of S / V."""
    vm = abs(v)
    if vm < 1e-9:
        return 0.0j
    return -asked_pu(p, x, z) * supply_share(vm, p.v_min_pu, p.v_cut_pu) * complex(1.0, -p.tan_phi) * v / (vm * vm)


@kernel
def outputs(p: Any, x: Any, z: Any, u: Any, y: Any) -> None:
    """Powers of the balance, mode (6: latched on battery), cause of the last departure, charge, what the PLL sees."""
    v = complex(u.v_re, u.v_im)
    share = supply_share(abs(v), p.v_min_pu, p.v_cut_pu)
    k, more = taken(p, x, z), gain(p, z)
    load = x.p_psu_pu * k * share
    given, extra, generator = 0.0, load * more, 0.0
    charge = charging_pu(p, z) * (share if z.mode != GENERATOR else 1.0)
    if backed(p, z) == 1.0:
        load, extra = x.p_psu_pu, x.p_psu_pu * k * more
        given = x.p_psu_pu * (1.0 + k * more - k * (1.0 + more) * share)
    elif z.mode == GENERATOR:
        load, generator = x.p_psu_pu, x.p_psu_pu + charge
    y.p_pu = z.on * asked_pu(p, x, z) * share
    y.q_pu = y.p_pu * p.tan_phi
    y.demand_pu = u.p_demand_mw / p.mva
    y.load_pu, y.generator_pu, y.given_pu = z.on * load, z.on * generator, z.on * given
    y.battery_pu = z.on * (given - p.charge_eff * charge)
    y.loss_pu = z.on * (extra + (1.0 - p.charge_eff) * charge)
    y.mode = LATCHED if z.latched == 1.0 and z.mode == BATTERY else z.mode
    y.cause, y.soc = z.cause, min(max(x.soc, 0.0), 1.0)
    y.stored_mwh = x.soc * p.energy_pu_s * p.mva / 3600.0
    y.missed_mwh, y.unserved_mwh = x.missed_pu_s * p.mva / 3600.0, x.unserved_pu_s * p.mva / 3600.0
    y.generator_mwh, y.loss_mwh = x.generator_pu_s * p.mva / 3600.0, x.loss_pu_s * p.mva / 3600.0
    y.df_hz = x.df_hz
    y.rocof_hz_per_s = (x.df_hz - x.df_slow_hz) / p.rocof_t_s
    y.phase_rad = angle_error(v, x.theta_rad)


@kernel
def derivatives(p: Any, x: Any, z: Any, u: Any, y: Any, d: Any) -> None:
    """Lags, PLL, walk-in ramp, battery, energies."""
    v = complex(u.v_re, u.v_im)
    d.p_psu_pu = (u.p_demand_mw / p.mva - x.p_psu_pu) / p.psu_s
    d.v_pu = (abs(v) - x.v_pu) / p.t_v_s
    d.df_hz = p.pll_rad_per_s**2 * y.phase_rad / (2.0 * np.pi)
    d.theta_rad = 2.0 * np.pi * x.df_hz + 2.0 * PLL_DAMPING * p.pll_rad_per_s * y.phase_rad
    d.df_slow_hz = y.rocof_hz_per_s
    d.walk = 1.0 / p.walk_s if z.mode == WALKING else 0.0
    d.soc = -y.battery_pu / p.energy_pu_s
    d.missed_pu_s = z.on * x.p_psu_pu - y.p_pu
    d.unserved_pu_s = z.on * x.p_psu_pu - y.load_pu
    d.generator_pu_s, d.loss_pu_s = y.generator_pu, y.loss_pu


@kernel
def stage(outside: Any, due_s: Any, t: Any) -> float:
    """Guard of a threshold with a delay: it is passed, or while the delay runs it is over or the signal is back."""
    if due_s >= NEVER:
        return outside
    return max(t - due_s, -outside - HYSTERESIS)


@kernel
def goodness(p: Any, x: Any, y: Any) -> float:
    """Above 0 while the input is good enough to return: within the return window and clear of every threshold.

    The hysteresis keeps a signal that rests on an edge from being good and bad at once.
    """
    voltage = min(x.v_pu - p.v_return_low_pu, p.v_return_high_pu - x.v_pu)
    frequency = 0.1 * (min(p.df_return_hz, p.df_hz) - abs(x.df_hz))
    steady = min(0.1 * (p.rocof_hz_per_s - abs(y.rocof_hz_per_s)), p.phase_rad - abs(y.phase_rad))
    return min(voltage, frequency, steady) - 2.0 * HYSTERESIS


@kernel
def bypass_room(p: Any, x: Any) -> float:
    """Above 0 while the voltage lies in the window of the bypass [pu]; below 0 without a bypass."""
    return min(x.v_pu - p.bypass_low_pu, p.over1_pu - x.v_pu) if p.bypass_low_pu > 0.0 else -1.0


@kernel
def guards(p: Any, x: Any, z: Any, u: Any, y: Any, t: Any, g: Any) -> None:
    """See the module's docstring; a guard that means nothing in the present mode rests at -1."""
    g.under1, g.under2, g.under3, g.under4 = -1.0, -1.0, -1.0, -1.0
    g.over1, g.over2, g.freq, g.rocof, g.phase = -1.0, -1.0, -1.0, -1.0, -1.0
    if on_grid(z.mode) == 1.0:
        g.under1 = stage(p.under1_pu - x.v_pu, z.under1_due_s, t)
        g.under2 = stage(p.under2_pu - x.v_pu, z.under2_due_s, t)
        g.under3 = stage(p.under3_pu - x.v_pu, z.under3_due_s, t)
        g.under4 = stage(p.under4_pu - x.v_pu, z.under4_due_s, t)
        g.over1 = stage(x.v_pu - p.over1_pu, z.over1_due_s, t)
        g.over2 = stage(x.v_pu - p.over2_pu, z.over2_due_s, t)
        g.freq = stage(0.1 * (abs(x.df_hz) - p.df_hz), z.freq_due_s, t)
        g.rocof = stage(0.1 * (abs(y.rocof_hz_per_s) - p.rocof_hz_per_s), z.rocof_due_s, t)
        g.phase = abs(y.phase_rad) - p.phase_rad
    g.count = stage(p.v_count_pu - x.v_pu, z.count_due_s, t) if p.count_n > 0.0 else -1.0
    away = z.mode in (BATTERY, GENERATOR, OFF, BYPASS)
    g.ready = stage(goodness(p, x, y), z.ready_due_s, t) if away and z.latched == 0.0 else -1.0
    g.due = t - z.due_s if z.mode in (BATTERY, ONLINE, OFF) else -1.0
    g.empty = -x.soc if y.given_pu > 0.0 else -1.0
    g.bypass = -bypass_room(p, x) if z.mode == BYPASS else -1.0
    g.walked = x.walk - z.walk0 - 1.0 if z.mode == WALKING else -1.0
    g.charge = -1.0
    if p.ups == 1.0 and z.mode in (NORMAL, ONLINE, GENERATOR):
        g.charge = x.soc - 1.0 if z.charging == 1.0 else p.refill_soc - x.soc - HYSTERESIS


@kernel
def next_due(fired: Any, due_s: Any, delay_s: Any, t: Any) -> float:
    """When a threshold's delay is over, after its guard fired or not; -1: it is over now."""
    if fired == 0.0:
        return due_s
    if due_s >= NEVER:
        return t + delay_s if delay_s > 0.0 else -1.0
    return -1.0 if t >= due_s - TIME_TOL_S else NEVER


@kernel
def leave(p: Any, z: Any, t: Any, cause: Any) -> None:
    """Off the grid, all timers of thresholds cleared."""
    z.under1_due_s, z.under2_due_s, z.under3_due_s, z.under4_due_s = NEVER, NEVER, NEVER, NEVER
    z.over1_due_s, z.over2_due_s, z.freq_due_s, z.rocof_due_s = NEVER, NEVER, NEVER, NEVER
    z.ready_due_s, z.charging, z.left_s, z.cause, z.released = NEVER, 0.0, t, cause, 0.0
    z.mode = BATTERY if p.ups == 1.0 and z.dark == 0.0 else OFF
    z.due_s = t + p.gen_start_s if p.generator == 1.0 and p.ups == 1.0 else NEVER
    if p.by_hand == 1.0:
        z.latched = 1.0


@kernel
def watch(p: Any, z: Any, t: Any, g: Any) -> float:
    """Run the timers of the thresholds; returns the cause when one is over, else 0."""
    z.under1_due_s = next_due(g.under1, z.under1_due_s, p.under1_s, t)
    z.under2_due_s = next_due(g.under2, z.under2_due_s, p.under2_s, t)
    z.under3_due_s = next_due(g.under3, z.under3_due_s, p.under3_s, t)
    z.under4_due_s = next_due(g.under4, z.under4_due_s, p.under4_s, t)
    z.over1_due_s = next_due(g.over1, z.over1_due_s, p.over1_s, t)
    z.over2_due_s = next_due(g.over2, z.over2_due_s, p.over2_s, t)
    z.freq_due_s = next_due(g.freq, z.freq_due_s, p.freq_s, t)
    z.rocof_due_s = next_due(g.rocof, z.rocof_due_s, p.rocof_s, t)
    if min(min(z.under1_due_s, z.under2_due_s), min(z.under3_due_s, z.under4_due_s)) < 0.0:
        return UNDER
    if min(z.over1_due_s, z.over2_due_s) < 0.0:
        return OVER
    if z.freq_due_s < 0.0:
        return FREQUENCY
    if z.rocof_due_s < 0.0:
        return ROCOF
    return PHASE if g.phase > 0.0 else 0.0


@kernel
def counted(p: Any, z: Any, t: Any, g: Any) -> float:
    """Note a disturbance when its dip has lasted long enough; returns 1 when it is the one that latches."""
    z.count_due_s = next_due(g.count, z.count_due_s, p.count_s, t)
    if z.count_due_s >= 0.0:
        return 0.0
    z.count_due_s = NEVER
    z.e6_s, z.e5_s, z.e4_s, z.e3_s, z.e2_s, z.e1_s = z.e5_s, z.e4_s, z.e3_s, z.e2_s, z.e1_s, t
    first = z.e1_s
    if p.count_n == 2.0:
        first = z.e2_s
    elif p.count_n == 3.0:
        first = z.e3_s
    elif p.count_n == 4.0:
        first = z.e4_s
    elif p.count_n == 5.0:
        first = z.e5_s
    elif p.count_n == 6.0:
        first = z.e6_s
    return 1.0 if t - first <= p.window_s else 0.0


@kernel
def update(p: Any, x: Any, z: Any, u: Any, y: Any, t: Any, g: Any) -> int:
    """What happens when guards fire, thresholds first. Nothing is asked of the engine."""
    latches = counted(p, z, t, g) if g.count > 0.0 else 0.0
    if on_grid(z.mode) == 1.0:
        cause = watch(p, z, t, g)
        if cause > 0.0:
            leave(p, z, t, cause)
    if latches == 1.0 and z.latched == 0.0 and z.mode != OFF and z.mode != BYPASS:
        if on_grid(z.mode) == 1.0:
            leave(p, z, t, COUNTED)
        z.cause, z.latched, z.ready_due_s = COUNTED, 1.0, NEVER
    if g.empty > 0.0 and backed(p, z) == 1.0:
        exhausted(p, x, z)
    elif g.bypass > 0.0 and z.mode == BYPASS:
        z.mode, z.ready_due_s = OFF, NEVER
    elif g.ready > 0.0 and z.latched == 0.0:
        wait_s = p.gen_hold_s if z.mode == GENERATOR and z.released == 0.0 else p.return_s
        if z.mode == BYPASS:
            wait_s = max(wait_s, BYPASS_S)
        z.ready_due_s = next_due(g.ready, z.ready_due_s, wait_s, t)
        if z.ready_due_s < 0.0:
            come_back(p, x, z, t)
    elif g.walked > 0.0 and z.mode == WALKING:
        settle(p, x, z, t)
    elif g.due > 0.0 and z.mode in (BATTERY, OFF):
        z.mode, z.due_s, z.ready_due_s = GENERATOR, NEVER, NEVER
    elif g.due > 0.0 and z.mode == ONLINE:
        z.mode, z.due_s = NORMAL, NEVER
    if g.charge > 0.0 and z.mode in (NORMAL, ONLINE, GENERATOR):
        z.charging = 1.0 - z.charging
    return 0


@kernel
def exhausted(p: Any, x: Any, z: Any) -> None:
    """The battery is empty: the load passes to the bypass if there is one that can carry it, else it is lost."""
    z.cause, z.ready_due_s, z.charging = EMPTY, NEVER, 0.0
    if bypass_room(p, x) > 0.0:
        z.mode, z.latched, z.due_s = BYPASS, 0.0, NEVER
    else:
        z.mode = OFF


@kernel
def come_back(p: Any, x: Any, z: Any, t: Any) -> None:
    """The input has been good for long enough: walk in; from the bypass, where the load is already, at once."""
    if z.mode == BYPASS:
        settle(p, x, z, t)
        return
    z.dark = 1.0 if z.mode == OFF else 0.0
    z.mode, z.walk0, z.due_s, z.ready_due_s = WALKING, x.walk, NEVER, NEVER


@kernel
def settle(p: Any, x: Any, z: Any, t: Any) -> None:
    """Normal operation again, an eco UPS online for hold_s first; the battery is charged."""
    z.mode = ONLINE if p.eco == 1.0 else NORMAL
    z.due_s = t + p.hold_s if p.eco == 1.0 else NEVER
    z.dark, z.ready_due_s = 0.0, NEVER
    z.charging = 1.0 if p.ups == 1.0 and x.soc < 1.0 else 0.0


def initialise(p: Any, x: Any, z: Any, u: Any, y: Any, op: Start) -> None:
    """On the grid at the power of the power flow. Raises InitialisationError where a threshold would act at rest."""
    vm = abs(op.v)
    if op.p_pu < 0.0:
        raise InitialisationError(f"the group gives {-op.p_pu * p.mva:g} MW in the power flow; it must consume")
    low = {n: float(p[n]) for n in ("under1_pu", "under2_pu", "under3_pu", "under4_pu", "v_min_pu")}
    high = {n: float(p[n]) for n in ("over1_pu", "over2_pu")}
    bad = [f"{n} = {v:.4g}" for n, v in low.items() if vm < v] + [f"{n} = {v:.4g}" for n, v in high.items() if vm > v]
    if bad:
        raise InitialisationError(
            f"the bus voltage {vm:.4g} pu lies beyond {', '.join(bad)}: the group would leave at rest; change the "
            "voltage at the bus or the threshold"
        )
    x.p_psu_pu, x.v_pu, x.theta_rad, x.soc = op.p_pu, vm, np.angle(op.v), p.soc0
    p.tan_phi = op.q_pu / op.p_pu if op.p_pu > 0.0 else 0.0
    p.p0_pu, p.energy_pu_s = op.p_pu, max(op.p_pu, 1e-12) * 60.0 * p.battery_min
    u.p_demand_mw = op.p_pu * p.mva


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Rules that join several parameters: thresholds in order, a return window inside them, one kind."""
    found = []
    for k in (2, 3, 4):
        if values[f"under{k}_pu"] > values[f"under{k - 1}_pu"]:
            found.append((f"under{k}_pu", f"must not be above under{k - 1}_pu = {values[f'under{k - 1}_pu']:g} pu"))
        elif values[f"under{k}_pu"] > 0.0 and values[f"under{k}_s"] > values[f"under{k - 1}_s"]:
            found.append((f"under{k}_s", f"a deeper dip must not be allowed longer: {values[f'under{k - 1}_s']:g} s"))
    if values["over2_pu"] < values["over1_pu"]:
        found.append(("over2_pu", f"must not be below over1_pu = {values['over1_pu']:g} pu"))
    elif values["over2_s"] > values["over1_s"]:
        found.append(("over2_s", f"a higher voltage must not be allowed longer: {values['over1_s']:g} s"))
    if values["under1_pu"] >= values["over1_pu"]:
        found.append(("under1_pu", f"must be below over1_pu = {values['over1_pu']:g} pu"))
    if not values["under1_pu"] <= values["v_return_low_pu"] < values["v_return_high_pu"] <= values["over1_pu"]:
        band = f"under1_pu = {values['under1_pu']:g} to over1_pu = {values['over1_pu']:g} pu"
        found.append(("v_return_low_pu", f"the return window must lie within the thresholds, {band}"))
    if not values["v_cut_pu"] <= values["v_min_pu"]:
        found.append(("v_cut_pu", f"must not be above v_min_pu = {values['v_min_pu']:g} pu"))
    if values["bypass_low_pu"] > values["v_return_low_pu"]:
        found.append(("bypass_low_pu", f"must not be above v_return_low_pu = {values['v_return_low_pu']:g} pu"))
    if values["count_n"] not in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0):
        found.append(("count_n", "give 0 (no counting) or a whole number up to 6"))
    if values["eco"] == 1.0 and values["ups"] == 0.0:
        found.append(("eco", "an eco mode needs a UPS: ups = 1"))
    return found


def _thresholds() -> tuple[Param, ...]:
    """Thresholds of voltage and their delays as parameters."""
    rows = [Param(f"under{k}_pu", "pu", 0.0, "voltage below which a delay runs; 0: unused", 0.0, 1.0)
            for k in (1, 2, 3, 4)]  # fmt: skip
    rows += [Param(f"under{k}_s", "s", 0.0, "that delay", 0.0, 1e6) for k in (1, 2, 3, 4)]
    rows += [Param(f"over{k}_pu", "pu", 9.0, "voltage above which a delay runs; 9: unused", 1.0, 9.0) for k in (1, 2)]
    return (*rows, *(Param(f"over{k}_s", "s", 0.0, "that delay", 0.0, 1e6) for k in (1, 2)))


_PARAMS = (
    *_thresholds(),
    Param("df_hz", "Hz", 9e9, "deviation of the frequency above which a delay runs; 9e9: unused", 0.01, 9e9),
    Param("freq_s", "s", 0.0, "that delay", 0.0, 1e6),
    Param("rocof_hz_per_s", "Hz/s", 9e9, "rate of change of the frequency above which a delay runs", 0.01, 9e9),
    Param("rocof_s", "s", 0.0, "that delay", 0.0, 1e6),
    Param("phase_rad", "rad", 9.0, "jump of the phase that makes it leave at once; 9: unused", 0.01, 9.0),
    Param("count_n", "", 0.0, "disturbances in the window that latch the group; 0: no counting", 0.0, 6.0),
    Param("window_s", "s", 60.0, "the window", 0.1, 1e6),
    Param("v_count_pu", "pu", 0.85, "voltage below which a disturbance is counted", 0.0, 1.0),
    Param("count_s", "s", 0.01, "how long it must last to be counted", 0.0, 100.0),
    Param("by_hand", "", 0.0, "1: every departure waits for a hand", 0.0, 1.0),
    Param("v_return_low_pu", "pu", 0.9, "lowest voltage at which it returns", 0.0, 1.0),
    Param("v_return_high_pu", "pu", 1.1, "highest voltage at which it returns", 1.0, 9.0),
    Param("df_return_hz", "Hz", 9e9, "largest deviation of the frequency at which it returns", 0.01, 9e9),
    Param("return_s", "s", 10.0, "how long the input must be good", 0.0, 1e6),
    Param("walk_s", "s", 10.0, "ramp of the return (walk-in)", 0.01, 1e4),
    Param("ups", "", 1.0, "1: a UPS with battery; 0: supplies at the mains", 0.0, 1.0),
    Param("eco", "", 0.0, "1: the UPS feeds its load directly in normal operation", 0.0, 1.0),
    Param("eco_gain", "", 0.03, "extra power of an eco UPS that runs online", 0.0, 0.5),
    Param("hold_s", "s", 60.0, "how long an eco UPS then runs online", 0.0, 1e6),
    Param("battery_min", "min", 5.0, "battery energy, in minutes of the load at the start", 0.001, 1e5),
    Param("soc0", "", 1.0, "charge at the start; a battery that is empty is refused", 0.01, 1.0),
    Param("charge_pu", "", 0.05, "charger, part of the load at the start", 0.0, 1.0),
    Param("charge_eff", "", 0.9, "efficiency of charging", 0.1, 1.0),
    Param("refill_soc", "", 0.98, "charge below which charging begins by itself", 0.0, 0.999),
    Param("bypass_low_pu", "pu", 0.0, "voltage above which the bypass takes an empty UPS's load; 0: none", 0.0, 1.0),
    Param("generator", "", 1.0, "1: a generator takes over from the battery", 0.0, 1.0),
    Param("gen_start_s", "s", 15.0, "time on battery until it has", 0.0, 1e6),
    Param("gen_hold_s", "s", 900.0, "how long the input must be good to return from the generator", 0.0, 1e6),
    Param("t_v_s", "s", 0.005, "time constant of the measured voltage", 0.001, 1.0),
    Param("pll_rad_per_s", "rad/s", 20.0, "natural frequency of the PLL", 1.0, 500.0),
    Param("rocof_t_s", "s", 0.1, "time constant of the measured rate of change", 0.01, 5.0),
    Param("psu_s", "s", 0.02, "time constant of the load's power", 0.001, 10.0),
    Param("v_min_pu", "pu", 0.87, "lowest voltage at full power; below it constant current", 0.1, 1.0),
    Param("v_cut_pu", "pu", 0.3, "voltage below which the current falls to none", 0.01, 1.0),
)

MODEL = Model(
    name="UPSGROUP",
    role="cluster",
    title="group of UPS or power supplies of a data centre",
    params=(
        *_PARAMS,
        Param("tan_phi", "", None, "Q over P, from the power flow", solved=True),
        Param("p0_pu", "pu", None, "load at the start", solved=True),
        Param("energy_pu_s", "pu s", None, "energy of the battery", solved=True),
    ),
    states=(
        State("p_psu_pu", "pu", "power of the load"),
        State("v_pu", "pu", "measured voltage"),
        State("theta_rad", "rad", "angle of the PLL"),
        State("df_hz", "Hz", "frequency of the PLL, from nominal"),
        State("df_slow_hz", "Hz", "the same behind a lag"),
        State("walk", "", "ramps of all returns so far"),
        State("soc", "", "charge of the battery", drifts=True),
        State("missed_pu_s", "pu s", "energy that the load asked for and the grid did not give", drifts=True),
        State("unserved_pu_s", "pu s", "energy that the load asked for and did not get", drifts=True),
        State("generator_pu_s", "pu s", "energy that the generator gave", drifts=True),
        State("loss_pu_s", "pu s", "energy lost in charging and in an eco UPS that runs online", drifts=True),
    ),
    memory=(
        State("mode", "", "0 normal, 1 battery, 2 generator, 3 off, 4 walk-in, 5 online, 7 bypass"),
        State("latched", "", "1: waits for a hand"),
        State("released", "", "1: a hand has released it, so it need not wait on its generator"),
        State("cause", "", "of the last departure; the numbers are those of gridai.results.ride_through"),
        State("left_s", "s", "time of the last departure", start=-NEVER),
        *(State(f"{name}_due_s", "s", "when this delay is over", start=NEVER) for name in (*STAGES, "count", "ready")),
        State("due_s", "s", "when the generator takes over, or eco mode begins again", start=NEVER),
        State("dark", "", "1: the load was lost, and this walk-in starts it again"),
        State("walk0", "", "state walk when the present walk-in began"),
        State("charging", "", "1: the charger is on"),
        *(State(f"e{k}_s", "s", f"time of the disturbance {k} back", start=-NEVER) for k in range(1, 7)),
    ),
    guards=(*STAGES, "phase", "count", "ready", "due", "empty", "bypass", "walked", "charge"),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("p_demand_mw", "MW", "playback.p_demand_mw", "power that the group's load asks for", default=None),
    ),
    outputs=(
        Output("p_pu", "pu", "power drawn", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power drawn", "q_mvar", on_base=True),
        Output("demand_pu", "pu", "power that the load asks for", "p_demand_mw", on_base=True),
        Output("load_pu", "pu", "power that the load gets, from the grid or the battery", "p_load_mw", on_base=True),
        Output("battery_pu", "pu", "power that the battery gives; below 0: stores", "p_battery_mw", on_base=True),
        Output("generator_pu", "pu", "power that the generator gives", on_base=True),
        Output("loss_pu", "pu", "losses of charging and of an eco UPS that runs online", on_base=True),
        Output("given_pu", "pu", "power that the battery gives, without what it stores", on_base=True),
        Output("mode", "", "as the memory; 6: latched on battery", "mode"),
        Output("cause", "", "of the last departure", "cause"),
        Output("soc", "", "charge of the battery", "soc"),
        Output("unserved_mwh", "MWh", "energy that the load asked for and did not get", "unserved_mwh"),
        Output("missed_mwh", "MWh", "energy that the load asked for and the grid did not give"),
        Output("generator_mwh", "MWh", "energy that the generator gave"),
        Output("loss_mwh", "MWh", "energy lost in charging and in an eco UPS that runs online"),
        Output("stored_mwh", "MWh", "energy in the battery"),
        Output("df_hz", "Hz", "measured frequency, from nominal"),
        Output("rocof_hz_per_s", "Hz/s", "measured rate of change of the frequency"),
        Output("phase_rad", "rad", "angle error of the PLL"),
    ),
    initialise=initialise,
    kernels={
        "current": current, "outputs": outputs, "derivatives": derivatives, "guards": guards,
        "update": update,
    },
    check=check,
    source="UPS guide specifications; NERC incident review of 10 July 2024; see the module's docstring",
    deviations=(
        "one positive-sequence voltage stands for the three phases: a dip of one phase alone is seen smaller",
        "the energy of the battery does not depend on the rate of discharge",
        "reactive power of filters that stay connected while the group is on battery is left out",
    ),
)  # fmt: skip
