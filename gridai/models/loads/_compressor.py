"""Single-phase air-conditioner compressors (motor D): power curves, stall, restart, and four kinds of tripping.

    running, on the power at nominal voltage; dv = |V - vbrk|
        V >= vbrk     P = P0 + kp1 dv^np1     Q = Q0 + kq1 dv^nq1
        V <  vbrk     P = P0 + kp2 dv^np2     Q = Q0 + kq2 dv^nq2        P (1 + cmpkpf df),  Q (1 + cmpkqf df)
        P0 = 1 - kp1 (1 - vbrk)^np1           Q0 = tan(acos comppf) - kq1 (1 - vbrk)^nq1
    stalled, and running below the voltage where both curves meet:   1 / (rstall + j xstall) on the motors' base

    |V| --> 1 / (1 + s tv) --> vm      vm < vstall for tstall:  all stall
                                       vm > vrst for trst:      the part frst (B) runs again, the rest (A) stays
                                       vm < uvtr1 for uttr1, or uvtr2 for uttr2:  the part fuvr is gone
    contactors     part closed: from (vm - vc2on) / (vc1on - vc2on) to (vm - vc2off) / (vc1off - vc2off), else as it was
    thermal        rstall I^2 --> 1 / (1 + s tth) --> theta; of A and of B the part above th1t .. th2t is gone for good

    vstall and vbrk are first multiplied by 1 + lfadj (lfmd - 1).

Where the curves meet the power of the running motors would jump; it is spread over BAND_PU. The motors' base is their
power at nominal voltage over lfmd. LD1PAC and CMLD use these kernels with records whose fields have these names.
"""

import numpy as np

from gridai.kernel.blocks import clip, lag
from gridai.kernel.contract import Param, State, kernel
from gridai.models.loads.zip import phase_error

BAND_PU = 0.02
LOW_SEARCH_PU = 0.4
HYSTERESIS_PU = 1e-6
IDLE, TIMING, TRIPPED = 0.0, 1.0, 2.0
ACTION_STALL, ACTION_RESTART, ACTION_UNDERVOLTAGE = 20, 21, 22
ACTIONS = {
    ACTION_STALL: "compressors stall",
    ACTION_RESTART: "a part of the compressors restarts",
    ACTION_UNDERVOLTAGE: "undervoltage relays trip a part of the compressors",
}


@kernel
def power(base, exponent):
    """base^exponent for base >= 0; the usual exponents without a logarithm."""
    if exponent == 2.0:
        return base * base
    if exponent == 1.0:
        return base
    return base**exponent


@kernel
def running_power(p, m):
    """P + jQ of running motors at voltage m on their power at nominal voltage, nominal frequency."""
    dv = m - p.vbrk_adj_pu
    if dv >= 0.0:
        return complex(p.p_run0 + p.kp1 * power(dv, p.np1), p.q_run0 + p.kq1 * power(dv, p.nq1))
    return complex(p.p_run0 + p.kp2 * power(-dv, p.np2), p.q_run0 + p.kq2 * power(-dv, p.nq2))


@kernel
def stalled_admittance(p):
    """Admittance of stalled motors on the same base as `running_power`."""
    return 1.0 / (complex(p.rstall_pu, p.xstall_pu) * p.lfmd)


@kernel
def running_admittance(p, df, m):
    """Admittance of motors that have not stalled: that of a stall at voltages below the meeting of the curves."""
    share = clip((m - p.v_meet_pu) / BAND_PU + 1.0, 0.0, 1.0)
    y = stalled_admittance(p)
    if share > 0.0:
        s = running_power(p, m)
        run = complex(s.real * (1.0 + p.cmpkpf * df), -s.imag * (1.0 + p.cmpkqf * df)) / m**2
        y = share * run + (1.0 - share) * y
    return y


@kernel
def contactor_part(p, closed, vm):
    """Part of the contactors that is closed: it follows the voltage between two ramps, and rests in between."""
    if p.vc1off_pu <= 0.0:
        return 1.0
    off = clip((vm - p.vc2off_pu) / (p.vc1off_pu - p.vc2off_pu), 0.0, 1.0)
    on = clip((vm - p.vc2on_pu) / (p.vc1on_pu - p.vc2on_pu), 0.0, 1.0)
    return min(max(closed, on), off)


@kernel
def thermal_part(p, left, theta):
    """Part that the thermal relays leave; what they take does not come back."""
    if p.tth_s <= 0.0:
        return 1.0
    return min(left, clip((p.th2t - theta) / (p.th2t - p.th1t), 0.0, 1.0))


@kernel
def compressor_admittance(p, x, z, m):
    """Admittance of all compressors at voltage m on their power at nominal voltage."""
    run, stall = running_admittance(p, x.df_pu, m), stalled_admittance(p)
    a = (1.0 - p.frst) * thermal_part(p, z.left_a, x.theta_a)
    b = p.frst * thermal_part(p, z.left_b, x.theta_b)
    y = a * (stall if z.stalled_a > 0.0 else run) + b * (stall if z.stalled_b > 0.0 else run)
    tripped = z.uv1_mode == TRIPPED or z.uv2_mode == TRIPPED
    return y * contactor_part(p, z.closed, x.vm_pu) * (1.0 - p.fuvr if tripped else 1.0)


@kernel
def heating(p, df, m, stalled):
    """rstall I^2 of one motor [pu of its base]."""
    y = stalled_admittance(p) if stalled > 0.0 else running_admittance(p, df, m)
    return p.rstall_pu * (abs(y) * m * p.lfmd) ** 2


@kernel
def compressor_rates(p, x, z, v, d):
    """Measured voltage, its frequency (as in ZIP), and both temperatures."""
    m = abs(v)
    _, d.vm_pu = lag(m, x.vm_pu, 1.0, p.tv_s)
    tf = max(p.tf_s, 0.01)
    d.phase_rad = phase_error(v, x.phase_rad) / tf
    _, d.df_pu = lag(d.phase_rad / p.omega_base, x.df_pu, 1.0, tf)
    _, d.theta_a = lag(heating(p, x.df_pu, m, z.stalled_a), x.theta_a, 1.0, p.tth_s)
    _, d.theta_b = lag(heating(p, x.df_pu, m, z.stalled_b), x.theta_b, 1.0, p.tth_s)


@kernel
def compressor_track(p, x, z):
    """Contactors and thermal relays at the step's end."""
    z.closed = contactor_part(p, z.closed, x.vm_pu)
    z.left_a, z.left_b = thermal_part(p, z.left_a, x.theta_a), thermal_part(p, z.left_b, x.theta_b)


@kernel
def timer_guards(mode, beyond, t, due_s):
    """Guards of a timer that runs while `beyond` is positive: (crossing either way, over)."""
    if mode == IDLE:
        return beyond, -1.0
    if mode == TIMING:
        return -beyond - HYSTERESIS_PU, t - due_s
    return -1.0, -1.0


@kernel
def timer_next(mode, due_s, crossed, over, t, delay_s):
    """(mode, due time, 1 if the timer is over now)."""
    if mode == IDLE and crossed > 0.0:
        return TIMING, t + delay_s, 0.0
    if mode == TIMING and over > 0.0:
        return IDLE, due_s, 1.0
    if mode == TIMING and crossed > 0.0:
        return IDLE, due_s, 0.0
    return mode, due_s, 0.0


@kernel
def compressor_guards(p, x, z, t, g):
    """Stall, restart and both undervoltage relays."""
    vm = x.vm_pu
    off = -1.0
    can_stall = z.stalled_a == 0.0 or (p.frst > 0.0 and z.stalled_b == 0.0)
    g.stall, g.stall_due = timer_guards(z.stall_mode, p.vstall_adj_pu - vm if can_stall else off, t, z.stall_due_s)
    restart = vm - p.vrst_pu if p.frst > 0.0 and z.stalled_b > 0.0 else off
    g.rst, g.rst_due = timer_guards(z.rst_mode, restart, t, z.rst_due_s)
    uv = p.fuvr > 0.0
    g.uv1, g.uv1_due = timer_guards(z.uv1_mode, p.uvtr1_pu - vm if uv and p.uvtr1_pu > 0.0 else off, t, z.uv1_due_s)
    g.uv2, g.uv2_due = timer_guards(z.uv2_mode, p.uvtr2_pu - vm if uv and p.uvtr2_pu > 0.0 else off, t, z.uv2_due_s)


@kernel
def compressor_update(p, z, t, g):
    """Timers and what they do; returns an action code for the log."""
    action = 0
    z.stall_mode, z.stall_due_s, stalls = timer_next(z.stall_mode, z.stall_due_s, g.stall, g.stall_due, t, p.tstall_s)
    z.rst_mode, z.rst_due_s, restarts = timer_next(z.rst_mode, z.rst_due_s, g.rst, g.rst_due, t, p.trst_s)
    z.uv1_mode, z.uv1_due_s, trips1 = timer_next(z.uv1_mode, z.uv1_due_s, g.uv1, g.uv1_due, t, p.uttr1_s)
    z.uv2_mode, z.uv2_due_s, trips2 = timer_next(z.uv2_mode, z.uv2_due_s, g.uv2, g.uv2_due, t, p.uttr2_s)
    if restarts > 0.0:
        z.stalled_b, action = 0.0, ACTION_RESTART
    if trips1 > 0.0 or trips2 > 0.0:
        z.uv1_mode, z.uv2_mode, action = TRIPPED, TRIPPED, ACTION_UNDERVOLTAGE
    if stalls > 0.0:
        z.stalled_a, z.stalled_b, action = 1.0, 1.0, ACTION_STALL
    return action


def derive(p) -> None:
    """The constants of the curves from the given ones."""
    shift = 1.0 + p.lfadj * (p.lfmd - 1.0)
    p.vbrk_adj_pu, p.vstall_adj_pu = p.vbrk_pu * shift, p.vstall_pu * shift
    p.p_run0 = 1.0 - p.kp1 * (1.0 - p.vbrk_adj_pu) ** p.np1
    p.q_run0 = np.sqrt(1.0 - p.comppf**2) / p.comppf - p.kq1 * (1.0 - p.vbrk_adj_pu) ** p.nq1
    p.v_meet_pu = _meeting(p)


def _meeting(p) -> float:
    """The voltage where running and stalled motors take the same P, sought between 0.4 pu and vstall."""
    g = stalled_admittance(p).real

    def more(m: float) -> float:
        return float(running_power(p, m).real - g * m * m)

    low, high = LOW_SEARCH_PU, min(p.vstall_adj_pu, p.vbrk_adj_pu)
    if high <= low or more(high) > 0.0:
        return float(high)
    if more(low) <= 0.0:
        return low
    for _ in range(60):
        mid = 0.5 * (low + high)
        low, high = (mid, high) if more(mid) > 0.0 else (low, mid)
    return 0.5 * (low + high)


def start(p, x, z, v: complex) -> None:
    """States and memory of running motors at voltage v; `derive` comes first."""
    x.vm_pu, x.phase_rad, x.df_pu = abs(v), np.angle(v), 0.0
    x.theta_a = x.theta_b = heating(p, 0.0, abs(v), 0.0)
    z.closed, z.left_a, z.left_b = 1.0, 1.0, 1.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Pairs of thresholds in order."""
    found = []
    if values["vc1off_pu"] > 0.0:
        if not values["vc2off_pu"] < values["vc1off_pu"]:
            found.append(("vc2off_pu", f"must be below vc1off_pu = {values['vc1off_pu']:g}"))
        if not values["vc2on_pu"] < values["vc1on_pu"]:
            found.append(("vc2on_pu", f"must be below vc1on_pu = {values['vc1on_pu']:g}"))
        if values["vc1on_pu"] < values["vc1off_pu"] or values["vc2on_pu"] < values["vc2off_pu"]:
            found.append(("vc1on_pu", "contactors must close at a voltage not below that at which they open"))
    if values["tth_s"] > 0.0 and not values["th1t"] < values["th2t"]:
        found.append(("th1t", f"must be below th2t = {values['th2t']:g}"))
    return found


PARAMS = (
    Param("tstall_s", "s", 0.03, "how long the voltage must be below vstall", low=0.0),
    Param("trst_s", "s", 0.3, "how long the voltage must be above vrst", low=0.0),
    Param("tv_s", "s", 0.025, "time constant of the measured voltage", low=1e-3),
    Param("tf_s", "s", 0.1, "time constant of the measured frequency, applied twice; at least 0.01", low=0.0),
    Param("lfmd", "", 1.0, "loading: power at nominal voltage over the motors' MVA", low=0.01, high=2.0),
    Param("comppf", "", 0.98, "power factor at nominal voltage", low=0.1, high=1.0),
    Param("vstall_pu", "pu", 0.6, "voltage below which they stall", low=0.0, high=1.2),
    Param("rstall_pu", "pu", 0.1, "resistance of stalled motors", low=1e-3),
    Param("xstall_pu", "pu", 0.1, "reactance of stalled motors", low=1e-3),
    Param("lfadj", "", 0.0, "how vstall and vbrk follow the loading"),
    Param("kp1", "pu", 0.0, "P above vbrk: factor", low=-100.0, high=100.0),
    Param("np1", "", 1.0, "P above vbrk: exponent", low=0.5, high=10.0),
    Param("kq1", "pu", 6.0, "Q above vbrk: factor", low=-100.0, high=100.0),
    Param("nq1", "", 2.0, "Q above vbrk: exponent", low=0.5, high=10.0),
    Param("kp2", "pu", 12.0, "P below vbrk: factor", low=-100.0, high=100.0),
    Param("np2", "", 3.2, "P below vbrk: exponent", low=0.5, high=10.0),
    Param("kq2", "pu", 11.0, "Q below vbrk: factor", low=-100.0, high=100.0),
    Param("nq2", "", 2.5, "Q below vbrk: exponent", low=0.5, high=10.0),
    Param("vbrk_pu", "pu", 0.86, "voltage where the curves change", low=0.3, high=1.0),
    Param("frst", "", 0.2, "part that can restart (B)", low=0.0, high=1.0),
    Param("vrst_pu", "pu", 0.95, "voltage above which it restarts", low=0.0),
    Param("cmpkpf", "pu/pu", 1.0, "change of P per change of frequency"),
    Param("cmpkqf", "pu/pu", -3.3, "change of Q per change of frequency"),
    Param("vc1off_pu", "pu", 0.5, "contactors begin to open; 0: there are none", low=0.0),
    Param("vc2off_pu", "pu", 0.4, "all contactors are open", low=0.0),
    Param("vc1on_pu", "pu", 0.6, "all contactors have closed again", low=0.0),
    Param("vc2on_pu", "pu", 0.5, "contactors begin to close", low=0.0),
    Param("tth_s", "s", 15.0, "thermal time constant; 0: no thermal relays", low=0.0),
    Param("th1t", "pu", 0.7, "temperature at which thermal relays begin to trip"),
    Param("th2t", "pu", 1.9, "temperature at which all have tripped"),
    Param("fuvr", "", 0.1, "part with undervoltage relays", low=0.0, high=1.0),
    Param("uvtr1_pu", "pu", 0.6, "first undervoltage threshold; 0: none", low=0.0),
    Param("uttr1_s", "s", 0.02, "its time", low=0.0),
    Param("uvtr2_pu", "pu", 0.0, "second undervoltage threshold; 0: none", low=0.0),
    Param("uttr2_s", "s", 9999.0, "its time", low=0.0),
)
"""In the order of the record. Defaults: NERC's reference values for motor D."""

SOLVED = tuple(
    Param(name, unit, None, meaning, solved=True)
    for name, unit, meaning in (
        ("vbrk_adj_pu", "pu", "vbrk at this loading"),
        ("vstall_adj_pu", "pu", "vstall at this loading"),
        ("p_run0", "", "P of running motors at vbrk"),
        ("q_run0", "", "Q of running motors at vbrk"),
        ("v_meet_pu", "pu", "voltage where the curves of running and stalled motors meet"),
    )
)
STATES = (
    State("vm_pu", "pu", "measured voltage"),
    State("phase_rad", "rad", "tracked angle of the voltage"),
    State("df_pu", "pu", "measured deviation of the frequency"),
    State("theta_a", "pu", "temperature of the motors that cannot restart"),
    State("theta_b", "pu", "temperature of the motors that can"),
)
MEMORY = (
    State("stalled_a", "", "1: the motors that cannot restart have stalled"),
    State("stalled_b", "", "1: the motors that can have stalled"),
    State("closed", "", "part of the contactors that is closed", start=1.0),
    State("left_a", "", "part that thermal relays have left", start=1.0),
    State("left_b", "", "part that thermal relays have left", start=1.0),
    *(
        State(f"{name}{what}", unit, meaning)
        for name in ("stall", "rst", "uv1", "uv2")
        for what, unit, meaning in (
            ("_mode", "", f"timer {name}: 0 idle, 1 runs, 2 tripped"),
            ("_due_s", "s", f"timer {name}: when it is over"),
        )
    ),
)
GUARDS = ("stall", "stall_due", "rst", "rst_due", "uv1", "uv1_due", "uv2", "uv2_due")
