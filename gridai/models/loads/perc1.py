"""PERC1: a large electronic load that ceases and reconnects: the data-centre class that NERC's 2026 alert asks for.

    P0 --(x)--> (1 + s tap)/(1 + s tbp) --> current limit --(x)--> P       Q0 by kvq, tvq, taq, tbq likewise
          |                                                  |
          +-- 1 + kvp s tvp/(1 + s tvp) (|V| - V0)           +-- part = 1 - fcease + fcease left back
              + kfp deadband(f - 1; dbfl, dbfh)

    cease     |V| < vc1 for tc1, or < vc2 for tc2, or > vc3 for tc3:   back = 0 at once, left = left frecon
    reconnect vr1 < |V| < vr2 for tr:                                  back rises to 1 at rr a second

    After one cease and reconnection the part is 1 - fcease + frecon fcease.
    current limit: |S| <= imax |S0| / V0 |V|, and below vcut the current falls with the voltage to none.

What is published (PowerWorld's description of PERC1, October 2025, and of LDEV1 by EPRI, November 2022, on which it is
built): the name (power electronic reconnecting and ceasing load), that washouts kvp/tvp and kvq/tvq move P and Q with
voltage, that P and Q have lead-lags tap, tbp, taq, tbq of their own, that frequency acts behind a deadband dbfl, dbfh,
that the part fcease ceases and the part frecon of it reconnects with the result above, and that P and Q come back to
their start if the voltage does and nothing ceased. What is not published, or was not found, and is gridai's own here:
how the parts are joined, all thresholds, times and the ramp (vc*, tc*, vr*, tr, rr), the gain kfp, the current limit,
every default, and the order of a DYR record (there is none). Use it with a stated set of values, not as a copy.

Load sign, per unit on the system base. Thresholds on the voltage behind 1/(1 + s tv).
Source: PowerWorld Simulator help, Load Characteristic PERC1 and LDEV1; EPRI, A Positive Sequence Model for Aggregated
Representation of Electric Vehicle Chargers, November 2022 (as described there); NERC's alert on large loads, 2026.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, deadband_offset, lag, lead_lag, washout
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.loads._compressor import timer_guards, timer_next
from gridai.models.loads.motorw import INPUTS
from gridai.models.loads.zip import phase_error

ACTION_CEASE, ACTION_RECONNECT = 20, 21
FALL_S = 0.01
"""Time constant with which `back` is put to zero while the load has ceased and draws nothing of it."""


@kernel
def wanted(p, x, v):
    """P and Q that the load asks for, before its lead-lags [of P0 and Q0]."""
    df = deadband_offset(x.df_pu, p.dbfl_pu, p.dbfh_pu)
    wp, _ = washout(abs(v), x.wash_p_pu, p.kvp, p.tvp_s)
    wq, _ = washout(abs(v), x.wash_q_pu, p.kvq, p.tvq_s)
    return max(1.0 + wp + p.kfp * df, 0.0), 1.0 + wq


@kernel
def connected(p, x, z):
    """Part of the load that is connected."""
    back = 0.0 if z.ceased > 0.0 else clip(x.back, 0.0, 1.0)
    return 1.0 - p.fcease + p.fcease * z.left * back


@kernel
def drawn(p, x, z, v):
    """P + jQ that the load draws at voltage v [pu of the system base]."""
    m = abs(v)
    want_p, want_q = wanted(p, x, v)
    share_p, _ = lead_lag(want_p, x.p_lag, p.tap_s, p.tbp_s)
    share_q, _ = lead_lag(want_q, x.q_lag, p.taq_s, p.tbq_s)
    s = complex(p.p0_pu * share_p, p.q0_pu * share_q)
    most = p.imax * p.i0_pu * m * min(1.0, m / p.vcut_pu)
    size = abs(s)
    if size > most:
        s = s * (most / size)
    return s * connected(p, x, z)


@kernel
def current(p, x, z, v):
    """Current into the network: minus the conjugate of S / v."""
    if abs(v) < 1e-9:
        return complex(0.0, 0.0)
    return -(drawn(p, x, z, v) / v).conjugate()


@kernel
def outputs(p, x, z, u, y):
    """Consumed power, connected part."""
    s = z.on * drawn(p, x, z, complex(u.v_re, u.v_im))
    y.p_pu, y.q_pu, y.part = s.real, s.imag, connected(p, x, z)


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurements, washouts, lead-lags, and the ramp of a reconnection."""
    v = complex(u.v_re, u.v_im)
    want_p, want_q = wanted(p, x, v)
    _, d.p_lag = lead_lag(want_p, x.p_lag, p.tap_s, p.tbp_s)
    _, d.q_lag = lead_lag(want_q, x.q_lag, p.taq_s, p.tbq_s)
    _, d.wash_p_pu = washout(abs(v), x.wash_p_pu, p.kvp, p.tvp_s)
    _, d.wash_q_pu = washout(abs(v), x.wash_q_pu, p.kvq, p.tvq_s)
    _, d.vm_pu = lag(abs(v), x.vm_pu, 1.0, p.tv_s)
    d.theta_rad = phase_error(v, x.theta_rad) / p.tf_s
    _, d.df_pu = lag(d.theta_rad / p.omega_base, x.df_pu, 1.0, p.tf_s)
    if z.ceased > 0.0:
        d.back = -x.back / FALL_S
    else:
        d.back = p.rr_per_s if x.back < 1.0 else 0.0


@kernel
def clamp(p, x, u):
    """A reconnection ends at 1."""
    x.back = clip(x.back, 0.0, 1.0)


@kernel
def guards(p, x, z, u, y, t, g):
    """Three timers that make it cease, one that brings it back."""
    v, off = x.vm_pu, -1.0
    up = z.ceased == 0.0 and p.fcease > 0.0
    g.low1, g.low1_due = timer_guards(z.low1_mode, p.vc1_pu - v if up and p.vc1_pu > 0.0 else off, t, z.low1_due_s)
    g.low2, g.low2_due = timer_guards(z.low2_mode, p.vc2_pu - v if up and p.vc2_pu > 0.0 else off, t, z.low2_due_s)
    g.high, g.high_due = timer_guards(z.high_mode, v - p.vc3_pu if up else off, t, z.high_due_s)
    inside = min(v - p.vr1_pu, p.vr2_pu - v)
    g.back, g.back_due = timer_guards(z.back_mode, inside if z.ceased > 0.0 else off, t, z.back_due_s)


@kernel
def update(p, x, z, u, y, t, g):
    """Timers, and what they do."""
    z.low1_mode, z.low1_due_s, one = timer_next(z.low1_mode, z.low1_due_s, g.low1, g.low1_due, t, p.tc1_s)
    z.low2_mode, z.low2_due_s, two = timer_next(z.low2_mode, z.low2_due_s, g.low2, g.low2_due, t, p.tc2_s)
    z.high_mode, z.high_due_s, three = timer_next(z.high_mode, z.high_due_s, g.high, g.high_due, t, p.tc3_s)
    z.back_mode, z.back_due_s, back = timer_next(z.back_mode, z.back_due_s, g.back, g.back_due, t, p.tr_s)
    if one + two + three > 0.0 and z.ceased == 0.0:
        z.ceased, z.left = 1.0, z.left * p.frecon
        z.low1_mode, z.low2_mode, z.high_mode = 0.0, 0.0, 0.0
        return ACTION_CEASE
    if back > 0.0:
        z.ceased = 0.0
        return ACTION_RECONNECT
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """The power flow's power and voltage. Raises InitialisationError where the load would cease at rest."""
    vm = abs(op.v)
    for name, limit, wrong in (
        ("vc1_pu", p.vc1_pu, vm < p.vc1_pu),
        ("vc2_pu", p.vc2_pu, vm < p.vc2_pu),
        ("vc3_pu", p.vc3_pu, vm > p.vc3_pu),
        ("vcut_pu", p.vcut_pu, vm < p.vcut_pu),
    ):
        if wrong and (p.fcease > 0.0 or name == "vcut_pu"):
            side = "above" if name == "vc3_pu" else "below"
            raise InitialisationError(
                f"PERC1: bus voltage starts at {vm:.6g} pu, {side} {name} = {limit:.6g}: the load would cease at rest; "
                "change the threshold or the operating point"
            )
    p.p0_pu, p.q0_pu, p.i0_pu = op.p_pu, op.q_pu, abs(complex(op.p_pu, op.q_pu)) / vm
    x.p_lag = x.q_lag = x.back = 1.0
    x.wash_p_pu = x.wash_q_pu = x.vm_pu = vm
    x.theta_rad, x.df_pu = np.angle(op.v), 0.0
    z.left, z.ceased = 1.0, 0.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Bands and pairs of time constants."""
    found = []
    if not values["vr1_pu"] < values["vr2_pu"]:
        found.append(("vr1_pu", f"must be below vr2_pu = {values['vr2_pu']:g}: the load could never reconnect"))
    if not max(values["vc1_pu"], values["vc2_pu"]) < values["vc3_pu"]:
        found.append(("vc3_pu", "must be above vc1_pu and vc2_pu"))
    if not values["dbfl_pu"] <= 0.0 <= values["dbfh_pu"]:
        found.append(("dbfl_pu", "dbfl_pu <= 0 <= dbfh_pu must hold"))
    for lead, back in (("tap_s", "tbp_s"), ("taq_s", "tbq_s")):
        if values[back] == 0.0 and values[lead] != 0.0:
            found.append((lead, f"must be 0 where {back} is 0"))
    return found


_TIMERS = ("low1", "low2", "high", "back")

MODEL = Model(
    name="PERC1",
    role="load",
    title="large electronic load that ceases and reconnects",
    params=(
        Param("kvp", "pu/pu", 0.0, "gain of the washout from voltage to P", low=-100.0, high=100.0),
        Param("tvp_s", "s", 0.02, "its time constant; 0: none", low=0.0),
        Param("kvq", "pu/pu", 0.0, "gain of the washout from voltage to Q", low=-100.0, high=100.0),
        Param("tvq_s", "s", 0.02, "its time constant; 0: none", low=0.0),
        Param("tap_s", "s", 0.0, "lead of P", low=0.0),
        Param("tbp_s", "s", 0.02, "lag of P; 0: none", low=0.0),
        Param("taq_s", "s", 0.0, "lead of Q", low=0.0),
        Param("tbq_s", "s", 0.02, "lag of Q; 0: none", low=0.0),
        Param("kfp", "pu/pu", 0.0, "change of P per change of frequency beyond the deadband"),
        Param("dbfl_pu", "pu", -0.0006, "lower edge of the deadband of frequency", high=0.0),
        Param("dbfh_pu", "pu", 0.0006, "upper edge of the deadband of frequency", low=0.0),
        Param("fcease", "", 1.0, "part of the load that can cease", low=0.0, high=1.0),
        Param("frecon", "", 1.0, "part of what ceased that reconnects", low=0.0, high=1.0),
        Param("vc1_pu", "pu", 0.7, "voltage below which it ceases after tc1; 0: none", low=0.0),
        Param("tc1_s", "s", 0.02, "how long", low=0.0),
        Param("vc2_pu", "pu", 0.0, "voltage below which it ceases after tc2; 0: none", low=0.0),
        Param("tc2_s", "s", 9999.0, "how long", low=0.0),
        Param("vc3_pu", "pu", 1.2, "voltage above which it ceases after tc3", low=0.5),
        Param("tc3_s", "s", 0.02, "how long", low=0.0),
        Param("vr1_pu", "pu", 0.9, "lower edge of the band in which it reconnects", low=0.0),
        Param("vr2_pu", "pu", 1.1, "upper edge of the band in which it reconnects", low=0.5),
        Param("tr_s", "s", 1.0, "how long the voltage must be in that band", low=0.0),
        Param("rr_per_s", "1/s", 1.0, "ramp of the reconnection: part of what comes back, a second", low=1e-4),
        Param("imax", "", 1.2, "most current over that at the start", low=1.0),
        Param("vcut_pu", "pu", 0.3, "voltage below which the current limit falls with the voltage", low=0.01, high=1.0),
        Param("tv_s", "s", 0.01, "time constant of the voltage that the timers see", low=1e-3),
        Param("tf_s", "s", 0.05, "time constant of the frequency measurement, applied twice", low=1e-3),
        Param("p0_pu", "pu", None, "consumed active power of the power flow", solved=True),
        Param("q0_pu", "pu", None, "consumed reactive power of the power flow", solved=True),
        Param("i0_pu", "pu", None, "current at the start", solved=True),
    ),
    states=(
        State("p_lag", "", "lagged part of the lead-lag of P"),
        State("q_lag", "", "lagged part of the lead-lag of Q"),
        State("wash_p_pu", "pu", "voltage behind the washout of P"),
        State("wash_q_pu", "pu", "voltage behind the washout of Q"),
        State("vm_pu", "pu", "voltage that the timers see"),
        State("theta_rad", "rad", "tracked angle of the bus voltage"),
        State("df_pu", "pu", "measured deviation of the bus frequency"),
        State("back", "", "how far a reconnection has come"),
    ),
    memory=(
        State("ceased", "", "1: it has ceased"),
        State("left", "", "part of the ceasing load that is not lost for good", start=1.0),
        *(State(f"{name}_mode", "", f"timer {name}: 0 idle, 1 runs") for name in _TIMERS),
        *(State(f"{name}_due_s", "s", f"timer {name}: when it is over") for name in _TIMERS),
    ),
    guards=tuple(f"{name}{what}" for name in _TIMERS for what in ("", "_due")),
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("part", "", "part of the load that is connected", "connected"),
    ),
    initialise=initialise,
    check=check,
    kernels={
        "current": current,
        "outputs": outputs,
        "derivatives": derivatives,
        "clamp": clamp,
        "guards": guards,
        "update": update,
    },
    actions={ACTION_CEASE: "load ceases", ACTION_RECONNECT: "load reconnects"},
    source="PowerWorld Simulator help, PERC1 and LDEV1; EPRI November 2022 as described there",
    deviations=(
        "an equivalent and no copy: the module's docstring says what is published and what is gridai's own",
        "no lock-out after several events in a short time, which data centres' UPS have",
        "ceasing by frequency is by LDSHBL",
    ),
)
