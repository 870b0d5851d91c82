"""DERA1: DER_A, many small inverters of a feeder as one: sun, wind or storage behind meters, with partial tripping.

    |V| -- 1/(1 + s Trv) --> v_f        p_ord -- 1/(1 + s Tp) --> p_f        f -- 1/(1 + s Trf) --> f_f

    v_ref - v_f -- deadband [dbd1, dbd2] -- Kqv -- [Iql1, Iqh1] ----------------------+
    q_ref ------------ PFFLAG 0 -+                                                    |
    p_f tan(phi) ----- PFFLAG 1 -+-- / v_f -- 1/(1 + s Tiq) -------------------------(+)-- [-Iqmax, Iqmax] --> iq_cmd

    1 - f_f -- deadband [fdbd1, fdbd2] -- Ddn where below 0, Dup where above ---+
    p_ref - p_f --------------------------------------------------------------(+)-- [femin, femax]
        -- Kpg + Kig/s [Pmin, Pmax] -- FREQFLAG 1 --+
    p_ref ---------------------------- FREQFLAG 0 --+-- rate [dPmin, dPmax] -- 1/(1 + s Tpord) [Pmin, Pmax] --> p_ord

    p_ord / v_f -- [Ipmin, Ipmax] --> ip_cmd      Ipmin: 0 for a generator (TYPEFLAG 1), -Ipmax for storage (TYPEFLAG 0)
    PQFLAG 0, reactive first: Iqmax = Imax, Ipmax = sqrt(Imax^2 - iq_cmd^2)
    PQFLAG 1, active first:   Ipmax = Imax, Iqmax = sqrt(Imax^2 - ip_cmd^2)

    Ip, Iq = mult ip_cmd, mult iq_cmd behind 1/(1 + s Tg); |Ip| grows by rrpwr at most      I = (Ip - j Iq) V / |V|
    mult = low(v_f) high(v_f) behind 1/(1 + s Tv), and 0 once all has tripped

    low   1                                                        v_f >= vl1
          (v_f - vl0) / (vl1 - vl0)                                falling, and rising until tvl1 has run out
          ((Vmin - vl0) + Vrfrac (v_f - Vmin)) / (vl1 - vl0)       rising after that; v_f counts up to vl1
          0                                                        v_f <= vl0
    high  the same curve turned round, by vh1, vh0, Vmax

    Once v_f has been below vl1 for tvl1, Vmin follows the lowest v_f, and of what lies below it only the part Vrfrac
    comes back (tvh1 and Vmax likewise). All trips for good when v_f is below vl0 for tvl0 or above vh0 for tvh0
    (VTRIPFLAG), or f_f below fl for tfl or above fh for tfh (FTRIPFLAG); with |V| below Vpr the frequency counts as
    nominal. A pair of equal voltages makes a step.

p_f is the order and not the power at the terminals: PSS/E's series of a line trip decides it (with the latter its
voltage is missed by a third of the swing), and so nothing makes up for what has tripped.

Iq > 0 generates. The specification puts the current through a voltage source behind Xe, E = V + j Xe I, which keeps
other programs' network solutions apart from it. Here the network is solved to the current itself, so Xe changes
nothing; E is an output. The energy of a storage unit is outside the model: it charges and discharges without end.

The defaults are those planners use for IEEE Std 1547-2018 category II (inverters of one feeder differ in voltage by
0.05 pu); TRIP_SETTINGS has all three categories and the standard's own two stages beside them.

Per unit on the unit's MVA base, voltage in pu of the bus, fl and fh in Hz.
Source: WECC REMTF, P. Pourbeik, "Proposal for DER_A Model", rev. June 19, 2019; EPRI 3002015320, "The New Aggregated
Distributed Energy Resources (der_a) Model for Transmission Planning Studies", 2019; PSS/E Model Library, DERA1.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import (
    clip,
    deadband_offset,
    lag,
    lag_nonwindup,
    magnitude,
    phasor_slip,
    pi_nonwindup,
    require_within,
)
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

V_FLOOR = 0.02
"""Below this voltage the current falls in proportion to it, so that a dead bus has a solution. [pu]"""
V_SMALL = 0.01
"""Smallest voltage that a power is divided by. [pu]"""
T_RATE_S = 0.0125
"""Time constant of the rate limiter of the power order; slow enough for the engine's quicker method at 1/240 s. [s]"""
STEEP_PU = 1e-6
"""Width of a trip curve whose two voltages are equal, and hysteresis of the timers."""
ACTION_PARTIAL, ACTION_VOLTAGE, ACTION_FREQUENCY = 30, 31, 32

DYR = (
    "pf_flag", "freq_flag", "pq_flag", "type_flag", "vtrip_flag", "ftrip_flag", "trv_s", "trf_s", "dbd1_pu", "dbd2_pu",
    "kqv", "vref0_pu", "tp_s", "tiq_s", "ddn", "dup", "fdbd1_pu", "fdbd2_pu", "femax_pu", "femin_pu", "pmax_pu",
    "pmin_pu", "dpmax_pu_per_s", "dpmin_pu_per_s", "tpord_s", "kpg", "kig", "imax_pu", "vl0_pu", "vl1_pu", "vh0_pu",
    "vh1_pu", "tvl0_s", "tvl1_s", "tvh0_s", "tvh1_s", "vrfrac", "fl_hz", "fh_hz", "tfl_s", "tfh_s", "tg_s",
    "rrpwr_pu_per_s", "tv_s", "vpr_pu", "iqh1_pu", "iql1_pu",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M to M+5, CON J to J+40; xe_pu is ZX of the RAW file."""
DYR_WRAPPED = {"DERAU1": 6}
"""Another name of the record, and how many numbers of its user-model header come before it."""

_STANDARD = {"vh0_pu": 1.2, "vh1_pu": 1.15, "tvh0_s": 0.16, "tvh1_s": 0.16} | {
    "fl_hz": 56.5, "fh_hz": 62.0, "tfl_s": 0.16, "tfh_s": 0.16,
}  # fmt: skip
TRIP_SETTINGS = {
    "I": {**_STANDARD, "vl0_pu": 0.44, "vl1_pu": 0.49, "tvl0_s": 0.16, "tvl1_s": 0.16},
    "II": {**_STANDARD, "vl0_pu": 0.44, "vl1_pu": 0.49, "tvl0_s": 0.16, "tvl1_s": 0.16},
    "III": {**_STANDARD, "vl0_pu": 0.49, "vl1_pu": 0.54, "tvl0_s": 2.0, "tvl1_s": 2.0},
}
"""Trip settings by abnormal performance category of IEEE Std 1547-2018 (60 Hz), from its default stages UV2 (0.45 pu
and 0.16 s in I and II, 0.50 pu and 2 s in III), OV2 (1.20 pu, 0.16 s), UF2 (56.5 Hz) and OF2 (62.0 Hz), 0.16 s: the
curve begins 0.01 pu below UV2 and is 0.05 pu wide, and ends at OV2. The slow stages (UV1 0.70 pu for 2 and 10 s,
0.88 pu for 21 s; OV1 1.10 pu for 2 or 13 s; UF1 58.5 Hz, OF1 61.2 Hz for 300 s) have no place in this model. EPRI's
OpenDER has the same numbers for III; the standard itself was not at hand."""


@kernel
def remaining(v, extreme, v1, v0, back):
    """Part of the inverters that gives current: 1 from v1 up, 0 from v0 down, less what was lost below `extreme`."""
    span = max(v1 - v0, STEEP_PU)
    top = clip(v - v0, 0.0, span)
    low = min(top, max(extreme - v0, 0.0))
    return (low + back * (top - low)) / span


@kernel
def connected(p, z, v):
    """Part of the inverters that the trip logic leaves at filtered voltage v."""
    if z.tripped != 0.0:
        return 0.0
    if p.vtrip_flag == 0.0:
        return 1.0
    low = remaining(v, z.v_min_pu, p.vl1_pu, p.vl0_pu, p.vrfrac)
    return low * remaining(-v, -z.v_max_pu, -p.vh1_pu, -p.vh0_pu, p.vrfrac)


@kernel
def current(p, x, z, v):
    """Current into the network."""
    return complex(x.ip_pu, -x.iq_pu) * v / max(abs(v), V_FLOOR)


@kernel
def outputs(p, x, z, u, y):
    """Terminal power and current, measured frequency, connected part."""
    v = complex(u.v_re, u.v_im)
    i = current(p, x, z, v)
    s = v * i.conjugate()
    y.p_pu, y.q_pu, y.i_re, y.i_im, y.vt_pu = s.real, s.imag, i.real, i.imag, abs(v)
    y.ip_pu, y.iq_pu = x.ip_pu, x.iq_pu
    y.e_pu = magnitude(y.vt_pu + p.xe_pu * x.iq_pu, p.xe_pu * x.ip_pu)
    y.v_filt_pu, _ = lag(y.vt_pu, x.v_pu, 1.0, p.trv_s)
    y.part, _ = lag(connected(p, z, y.v_filt_pu), x.mult, 1.0, p.tv_s)
    y.df_pu = 0.0
    if p.freq_flag != 0.0 or p.ftrip_flag != 0.0:
        slip, _ = phasor_slip(v, complex(x.f_re, x.f_im), p.trf_s)
        y.df_pu = slip / p.omega_base


@kernel
def power_set(p, x, u, y, p_filt):
    """Active power asked for before its rate limit, and the derivative of the integral part of its control."""
    p_ref = p.p_ref_pu + u.dp_ref_pu
    if p.freq_flag == 0.0:
        return p_ref, 0.0
    error = deadband_offset(-y.df_pu, p.fdbd1_pu, p.fdbd2_pu)
    droop = p.ddn * min(error, 0.0) + p.dup * max(error, 0.0)
    error = clip(p_ref - p_filt + droop, p.femin_pu, p.femax_pu)
    return pi_nonwindup(error, x.p_int_pu, p.kpg, p.kig, p.pmin_pu, p.pmax_pu)


@kernel
def within_circle(p, ip, iq):
    """Both currents within the limits of their priority."""
    lowest = 0.0 if p.type_flag != 0.0 else -p.imax_pu
    if p.pq_flag != 0.0:
        ip = clip(ip, lowest, p.imax_pu)
        rest = np.sqrt(max(p.imax_pu**2 - ip * ip, 0.0))
        return ip, clip(iq, -rest, rest)
    iq = clip(iq, -p.imax_pu, p.imax_pu)
    rest = np.sqrt(max(p.imax_pu**2 - iq * iq, 0.0))
    return clip(ip, max(lowest, -rest), rest), iq


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurements, controls, trip multiplier, currents."""
    v_filt, v_safe = y.v_filt_pu, max(y.v_filt_pu, V_SMALL)
    _, d.v_pu = lag(y.vt_pu, x.v_pu, 1.0, p.trv_s)
    p_ord, d.p_ord_pu = lag_nonwindup(x.p_rate_pu, x.p_ord_pu, 1.0, p.tpord_s, p.pmin_pu, p.pmax_pu)
    p_filt, d.p_pu = lag(p_ord, x.p_pu, 1.0, p.tp_s)
    d.f_re, d.f_im = 0.0, 0.0
    if p.freq_flag != 0.0 or p.ftrip_flag != 0.0:
        d.f_re, d.f_im = (u.v_re - x.f_re) / p.trf_s, (u.v_im - x.f_im) / p.trf_s
    q = (p.tan_phi * p_filt if p.pf_flag != 0.0 else p.q_ref_pu) + u.dq_ref_pu
    iq, d.iq_ord_pu = lag(q / v_safe, x.iq_ord_pu, 1.0, p.tiq_s)
    iq += clip(p.kqv * deadband_offset(p.v_ref_pu - v_filt, p.dbd1_pu, p.dbd2_pu), p.iql1_pu, p.iqh1_pu)
    p_set, d.p_int_pu = power_set(p, x, u, y, p_filt)
    d.p_rate_pu = clip((p_set - x.p_rate_pu) / T_RATE_S, p.dpmin_pu_per_s, p.dpmax_pu_per_s)
    ip, iq = within_circle(p, p_ord / v_safe, iq)
    _, d.mult = lag(connected(p, z, v_filt), x.mult, 1.0, p.tv_s)
    d.iq_pu = (y.part * iq - x.iq_pu) / p.tg_s
    rate = (y.part * ip - x.ip_pu) / p.tg_s
    if x.ip_pu >= 0.0:
        rate = min(rate, p.rrpwr_pu_per_s)
    if x.ip_pu <= 0.0:
        rate = max(rate, -p.rrpwr_pu_per_s)
    d.ip_pu = rate


@kernel
def clamp(p, x, u):
    """The power order within its limits."""
    x.p_ord_pu = clip(x.p_ord_pu, p.pmin_pu, p.pmax_pu)


@kernel
def track(p, z, y):
    """The lowest and the highest voltage once their timers have run out, not beyond where nothing is left."""
    if z.low != 0.0:
        z.v_min_pu = min(z.v_min_pu, max(y.v_filt_pu, p.vl0_pu))
    if z.high != 0.0:
        z.v_max_pu = max(z.v_max_pu, min(y.v_filt_pu, p.vh0_pu))


@kernel
def watch(due_s, beyond, t):
    """Guard of a timer that runs while `beyond` is positive: it starts; then it runs out or is called off."""
    if due_s < 0.0:
        return beyond
    return max(-beyond - STEEP_PU, t - due_s)


@kernel
def guards(p, x, z, u, y, t, g):
    """Four timers of the voltage, two of the frequency; a timer that no longer matters is off."""
    off, v, df = -1.0, y.v_filt_pu, y.df_pu
    by_v = p.vtrip_flag != 0.0 and z.tripped == 0.0
    by_f = p.ftrip_flag != 0.0 and z.tripped == 0.0 and y.vt_pu > p.vpr_pu
    g.vl0 = watch(z.vl0_due_s, p.vl0_pu - v if by_v else off, t)
    g.vl1 = watch(z.vl1_due_s, p.vl1_pu - v if by_v and z.low == 0.0 else off, t)
    g.vh0 = watch(z.vh0_due_s, v - p.vh0_pu if by_v else off, t)
    g.vh1 = watch(z.vh1_due_s, v - p.vh1_pu if by_v and z.high == 0.0 else off, t)
    g.fl = watch(z.fl_due_s, p.fl_pu - 1.0 - df if by_f else off, t)
    g.fh = watch(z.fh_due_s, df - p.fh_pu + 1.0 if by_f else off, t)


@kernel
def after(due_s, fired, t, delay_s):
    """When a timer is due next (-1: idle), and whether it has run out now."""
    if fired <= 0.0:
        return due_s, False
    if due_s < 0.0 < delay_s:
        return t + delay_s, False
    return -1.0, t > due_s - STEEP_PU


@kernel
def update(p, x, z, u, y, t, g):
    """Timers, and what they do: the low or the high part lost for good, or all."""
    z.vl1_due_s, low = after(z.vl1_due_s, g.vl1, t, p.tvl1_s)
    z.vh1_due_s, high = after(z.vh1_due_s, g.vh1, t, p.tvh1_s)
    z.vl0_due_s, under = after(z.vl0_due_s, g.vl0, t, p.tvl0_s)
    z.vh0_due_s, over = after(z.vh0_due_s, g.vh0, t, p.tvh0_s)
    z.fl_due_s, slow = after(z.fl_due_s, g.fl, t, p.tfl_s)
    z.fh_due_s, fast = after(z.fh_due_s, g.fh, t, p.tfh_s)
    z.low, z.high = (1.0 if low else z.low), (1.0 if high else z.high)
    if under or over or slow or fast:
        z.tripped = 1.0
        z.vl0_due_s = z.vl1_due_s = z.vh0_due_s = z.vh1_due_s = z.fl_due_s = z.fh_due_s = -1.0
        return ACTION_VOLTAGE if under or over else ACTION_FREQUENCY
    return ACTION_PARTIAL if low or high else 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states from the power flow. Raises InitialisationError outside a limit or a trip threshold."""
    vm = abs(op.v)
    _require_connected(p, vm)
    ip, iq = op.p_pu / vm, op.q_pu / vm
    p.v_ref_pu = p.vref0_pu if p.vref0_pu != 0.0 else vm
    p.fl_pu, p.fh_pu = (2.0 * np.pi * f / p.omega_base for f in (p.fl_hz, p.fh_hz))
    x.v_pu, x.p_pu, x.f_re, x.f_im = vm, op.p_pu, op.v.real, op.v.imag
    x.p_int_pu = x.p_rate_pu = x.p_ord_pu = p.p_ref_pu = op.p_pu
    x.ip_pu, x.iq_pu, x.mult = ip, iq, 1.0
    x.iq_ord_pu = iq - clip(p.kqv * deadband_offset(p.v_ref_pu - vm, p.dbd1_pu, p.dbd2_pu), p.iql1_pu, p.iqh1_pu)
    p.q_ref_pu = x.iq_ord_pu * vm
    p.tan_phi = p.q_ref_pu / op.p_pu if op.p_pu != 0.0 else 0.0
    if p.pf_flag != 0.0 and op.p_pu == 0.0 and abs(p.q_ref_pu) > 1e-9:
        raise InitialisationError("DERA1: pf_flag = 1 asks for a power factor, but the unit starts at zero power")
    remedy = "widen the limit, or change the unit's dispatch, voltage or MVA base"
    require_within("DERA1", "power [pu]", op.p_pu, ("pmin_pu", p.pmin_pu), ("pmax_pu", p.pmax_pu), remedy)
    most = np.sqrt(max(p.imax_pu**2 - iq * iq, 0.0))
    lowest = ("0, for type_flag is 1", 0.0) if p.type_flag != 0.0 else ("what is left of imax_pu", -most)
    require_within("DERA1", "active current [pu]", ip, lowest, ("what is left of imax_pu", most), remedy)
    require_within("DERA1", "reactive current [pu]", iq, ("-imax_pu", -p.imax_pu), ("imax_pu", p.imax_pu), remedy)


def _require_connected(p, vm: float) -> None:
    """Raise InitialisationError where part of the inverters would be tripped at rest."""
    if p.vtrip_flag != 0.0 and not p.vl1_pu <= vm <= p.vh1_pu:
        name, limit, side = ("vl1_pu", p.vl1_pu, "below") if vm < p.vl1_pu else ("vh1_pu", p.vh1_pu, "above")
        raise InitialisationError(
            f"DERA1: bus voltage starts at {vm:.6g} pu, {side} {name} = {limit:.6g}: part of it would have tripped; "
            "change the threshold or the operating point, or set vtrip_flag to 0"
        )
    nominal = p.omega_base / (2.0 * np.pi)
    if p.ftrip_flag != 0.0 and not p.fl_hz < nominal < p.fh_hz:
        raise InitialisationError(
            f"DERA1: the nominal frequency of {nominal:g} Hz is not between fl_hz = {p.fl_hz:g} and fh_hz = "
            f"{p.fh_hz:g}: give thresholds for this grid (the defaults are for 60 Hz), or set ftrip_flag to 0"
        )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits and trip voltages in order."""
    pairs = ("iql1_pu", "iqh1_pu"), ("pmin_pu", "pmax_pu"), ("vl0_pu", "vl1_pu"), ("vh1_pu", "vh0_pu")
    found = [(low, f"above {high} = {values[high]:g}") for low, high in pairs if values[low] > values[high]]
    for low, high in (("vl1_pu", "vh1_pu"), ("fl_hz", "fh_hz")):
        if values[low] >= values[high]:
            found.append((high, f"not above {low} = {values[low]:g}: nothing would be connected"))
    return found


def _flag(name: str, default: float, meaning: str) -> Param:
    """A parameter that is 0 or 1."""
    return Param(name, "1", default, meaning, low=0.0, high=1.0)


_TIMERS = ("vl0", "vl1", "vh0", "vh1", "fl", "fh")

MODEL = Model(
    name="DERA1",
    role="converter",
    title="distributed inverters of a feeder with partial tripping (DER_A)",
    params=(
        _flag("pf_flag", 1.0, "1: constant power factor, 0: constant reactive power"),
        _flag("freq_flag", 0.0, "1: control of active power and frequency, 0: none"),
        _flag("pq_flag", 0.0, "1: active current has priority, 0: reactive current"),
        _flag("type_flag", 1.0, "1: generator, 0: storage, which may take active power"),
        _flag("vtrip_flag", 1.0, "1: trips by voltage, 0: does not"),
        _flag("ftrip_flag", 1.0, "1: trips by frequency, 0: does not"),
        Param("trv_s", "s", 0.02, "time constant of the measured voltage; 0 is algebraic", low=0.0),
        Param("trf_s", "s", 0.02, "time constant of the measured frequency, above 0", low=1e-3),
        Param("dbd1_pu", "pu", -99.0, "lower edge of the deadband of the voltage error", high=0.0),
        Param("dbd2_pu", "pu", 99.0, "upper edge of the deadband of the voltage error", low=0.0),
        Param("kqv", "pu", 0.0, "reactive current for a voltage error outside the deadband", low=0.0),
        Param("vref0_pu", "pu", 0.0, "voltage reference; 0: the voltage of the power flow", low=0.0),
        Param("tp_s", "s", 0.02, "time constant of the power behind the order; 0 is algebraic", low=0.0),
        Param("tiq_s", "s", 0.02, "time constant of the reactive current; 0 is algebraic", low=0.0),
        Param("ddn", "pu", 20.0, "power per frequency above nominal (1 / droop)", low=0.0),
        Param("dup", "pu", 0.0, "power per frequency below nominal (1 / droop)", low=0.0),
        Param("fdbd1_pu", "pu", -0.0006, "lower edge of the deadband of the frequency error", high=0.0),
        Param("fdbd2_pu", "pu", 0.0006, "upper edge of the deadband of the frequency error", low=0.0),
        Param("femax_pu", "pu", 99.0, "upper limit of the error of the power control", low=0.0),
        Param("femin_pu", "pu", -99.0, "lower limit of the error of the power control", high=0.0),
        Param("pmax_pu", "pu", 1.0, "upper limit of the power order"),
        Param("pmin_pu", "pu", 0.0, "lower limit of the power order"),
        Param("dpmax_pu_per_s", "pu/s", 99.0, "largest rate of the power order upwards", low=0.0),
        Param("dpmin_pu_per_s", "pu/s", -99.0, "largest rate of the power order downwards", high=0.0),
        Param("tpord_s", "s", 0.02, "time constant of the power order; 0 is algebraic", low=0.0),
        Param("kpg", "pu", 0.1, "proportional gain of the power control", low=0.0),
        Param("kig", "1/s", 10.0, "integral gain of the power control", low=0.0),
        Param("imax_pu", "pu", 1.2, "largest current", low=1e-6),
        Param("vl0_pu", "pu", 0.44, "low voltage at which all inverters are off"),
        Param("vl1_pu", "pu", 0.49, "low voltage at which the first inverters go off"),
        Param("vh0_pu", "pu", 1.2, "high voltage at which all inverters are off"),
        Param("vh1_pu", "pu", 1.15, "high voltage at which the first inverters go off"),
        Param("tvl0_s", "s", 0.16, "time below vl0 until all has tripped", low=0.0),
        Param("tvl1_s", "s", 0.16, "time below vl1 until what went off is lost but for vrfrac", low=0.0),
        Param("tvh0_s", "s", 0.16, "time above vh0 until all has tripped", low=0.0),
        Param("tvh1_s", "s", 0.16, "time above vh1 until what went off is lost but for vrfrac", low=0.0),
        Param("vrfrac", "", 1.0, "part that comes back of what was lost", low=0.0, high=1.0),
        Param("fl_hz", "Hz", 56.5, "frequency below which all trips", low=0.0),
        Param("fh_hz", "Hz", 62.0, "frequency above which all trips", low=0.0),
        Param("tfl_s", "s", 0.16, "time below fl until all has tripped", low=0.0),
        Param("tfh_s", "s", 0.16, "time above fh until all has tripped", low=0.0),
        Param("tg_s", "s", 0.02, "time constant of the current control, above 0", low=1e-3),
        Param("rrpwr_pu_per_s", "pu/s", 2.0, "largest rate at which the active current grows; 0: never", low=0.0),
        Param("tv_s", "s", 0.02, "time constant of the trip multiplier; 0 is algebraic", low=0.0),
        Param("vpr_pu", "pu", 0.3, "voltage below which the frequency does not trip", low=0.0),
        Param("iqh1_pu", "pu", 1.0, "upper limit of the current for the voltage error"),
        Param("iql1_pu", "pu", -1.0, "lower limit of the current for the voltage error"),
        Param("xe_pu", "pu", 0.25, "reactance of the source, which changes no current (see the head)", low=0.0),
        Param("p_ref_pu", "pu", None, "active power reference", solved=True),
        Param("q_ref_pu", "pu", None, "reactive power reference", solved=True),
        Param("tan_phi", "1", None, "reactive over active power where pf_flag = 1", solved=True),
        Param("v_ref_pu", "pu", None, "voltage reference in use", solved=True),
        Param("fl_pu", "pu", None, "fl per unit", solved=True),
        Param("fh_pu", "pu", None, "fh per unit", solved=True),
    ),
    states=(
        State("v_pu", "pu", "measured voltage (at rest when trv_s = 0)"),
        State("p_pu", "pu", "power order behind tp (at rest when tp_s = 0)"),
        State("iq_ord_pu", "pu", "reactive current for the reference (at rest when tiq_s = 0)"),
        State("iq_pu", "pu", "reactive current, positive generates"),
        State("mult", "", "part of the inverters that is connected (at rest when tv_s = 0)"),
        State("f_re", "pu", "lagged voltage of the frequency measurement, real part"),
        State("f_im", "pu", "lagged voltage of the frequency measurement, imaginary part"),
        State("p_int_pu", "pu", "integral part of the power control"),
        State("p_rate_pu", "pu", "power order behind its rate limit"),
        State("p_ord_pu", "pu", "power order (at rest when tpord_s = 0)"),
        State("ip_pu", "pu", "active current"),
    ),
    memory=(
        State("tripped", "", "1: all has tripped"),
        State("low", "", "1: what went off below vl1 is lost but for vrfrac"),
        State("high", "", "1: what went off above vh1 is lost but for vrfrac"),
        State("v_min_pu", "pu", "lowest measured voltage since then", start=99.0),
        State("v_max_pu", "pu", "highest measured voltage since then", start=-99.0),
        *(State(f"{name}_due_s", "s", f"timer {name}: when it runs out, -1 idle", start=-1.0) for name in _TIMERS),
    ),
    guards=_TIMERS,
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the active power reference"),
        Input("dq_ref_pu", "pu", "setpoint.q_ref", "change of the reactive power reference"),
    ),
    outputs=(
        Output("p_pu", "pu", "active power at the terminals", "p_mw", on_base=True),
        Output("q_pu", "pu", "reactive power at the terminals", "q_mvar", on_base=True),
        Output("ip_pu", "pu", "active current", "ip_pu"),
        Output("iq_pu", "pu", "reactive current, positive generates", "iq_pu"),
        Output("part", "", "part of the inverters that is connected", "connected"),
        Output("e_pu", "pu", "voltage of the source behind xe"),
        Output("df_pu", "pu", "measured deviation of the frequency"),
        Output("v_filt_pu", "pu", "measured voltage"),
        Output("vt_pu", "pu", "terminal voltage"),
        Output("i_re", "pu", "current, network frame, real part"),
        Output("i_im", "pu", "current, network frame, imaginary part"),
    ),
    initialise=initialise,
    kernels={
        "current": current,
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "track": track,
        "guards": guards,
        "update": update,
    },
    check=check,
    actions={
        ACTION_PARTIAL: "part of the inverters has tripped",
        ACTION_VOLTAGE: "all inverters have tripped by voltage",
        ACTION_FREQUENCY: "all inverters have tripped by frequency",
    },
    source="WECC REMTF, Proposal for DER_A Model, rev. June 19, 2019; EPRI 3002015320; PSS/E Model Library, DERA1",
    deviations=(
        f"below {V_FLOOR} pu the current falls in proportion to the voltage",
        "crossings of thresholds are located inside the step; PSS/E takes the step's end",
        f"the rate limit of the power order is a lag of {T_RATE_S} s with a limited rate",
        "a start with part of the inverters tripped is refused",
        "xe changes no current, because the network is solved to the current itself",
        "the energy of storage is outside the model",
    ),
)
