"""The dual-input stabiliser of the integral-of-accelerating-power type that PSS2A and PSS2B share.

    s1 -/- sTW1/(1+sTW1) - sTW2/(1+sTW2) - 1/(1+s T6) --(+)-- [ (1 + s T8) / (1 + s T9)^M ]^N --(+)--
                                                         |                                      (-)
                                                        KS3                                      |
    s2 -/- sTW3/(1+sTW3) - sTW4/(1+sTW4) - KS2/(1+s T7) -+---------------------------------------+

    then KS1, the lead-lags T1/T2, T3/T4 (PSS2B: T10/T11) and the output's limits.

The ramp-tracking filter is a chain of M x N lags T9, at most eight, of which the first N carry a lead T8.
"""

from gridai.kernel.blocks import lag, lead_lag, washout
from gridai.kernel.contract import Input, Param, State, kernel
from gridai.models.stabilizers._signals import CODES, INPUTS, measured, measuring_states, need_lag, zero_inside

MOST_LAGS = 8
"""Most lags of the ramp-tracking filter, M x N (PSS/E)."""


@kernel
def washed(u, x, t_s):
    """Washout of gain 1; a time constant of zero takes it out."""
    if t_s <= 0.0:
        return u, 0.0
    return washout(u, x, 1.0, t_s)


@kernel
def ramp_stage(u, x, k, p):
    """Stage k of the ramp-tracking filter: lag with lead up to N, plain lag up to M x N, then nothing."""
    if k > p.m * p.n:
        return u, 0.0
    if k > p.n:
        return lag(u, x, 1.0, p.t9_s)
    return lead_lag(u, x, p.t8_s, p.t9_s)


@kernel
def ramp_tracking(p, x, u):
    """Output of the ramp-tracking filter, and the rates of its eight states."""
    y, r1 = ramp_stage(u, x.ramp1, 1.0, p)
    y, r2 = ramp_stage(y, x.ramp2, 2.0, p)
    y, r3 = ramp_stage(y, x.ramp3, 3.0, p)
    y, r4 = ramp_stage(y, x.ramp4, 4.0, p)
    y, r5 = ramp_stage(y, x.ramp5, 5.0, p)
    y, r6 = ramp_stage(y, x.ramp6, 6.0, p)
    y, r7 = ramp_stage(y, x.ramp7, 7.0, p)
    y, r8 = ramp_stage(y, x.ramp8, 8.0, p)
    return y, (r1, r2, r3, r4, r5, r6, r7, r8)


@kernel
def signals(p, x, u):
    """Both measured signals, and the rates of their measuring states."""
    v1, v2 = complex(u.v_re, u.v_im), complex(u.v2_re, u.v2_im)
    s1, a1, a2 = measured(p.ics1, u, v1, x.meas1, x.meas2, p.tmeas_s, p.omega_base)
    s2, b1, b2 = measured(p.ics2, u, v2, x.meas3, x.meas4, p.tmeas_s, p.omega_base)
    return s1, s2, a1, a2, b1, b2


@kernel
def shaped(p, x, s1, s2):
    """The signal before PSS2B's third lead-lag and the limits; rates of washouts and lags, filter, lead-lags."""
    a, w1 = washed(s1, x.wash1, p.tw1_s)
    a, w2 = washed(a, x.wash2, p.tw2_s)
    a, l1 = lag(a, x.lag1, 1.0, p.t6_s)
    b, w3 = washed(s2, x.wash3, p.tw3_s)
    b, w4 = washed(b, x.wash4, p.tw4_s)
    b, l2 = lag(b, x.lag2, p.ks2, p.t7_s)
    tracked, ramp = ramp_tracking(p, x, a + p.ks3 * b)
    y, lead1 = lead_lag(p.ks1 * (tracked - b), x.lead1, p.t1_s, p.t2_s)
    y, lead2 = lead_lag(y, x.lead2, p.t3_s, p.t4_s)
    return y, (w1, w2, l1, w3, w4, l2), ramp, (lead1, lead2)


@kernel
def set_rates(d, branches, ramp, leads):
    """Rates from `shaped` into the derivatives."""
    d.wash1, d.wash2, d.lag1, d.wash3, d.wash4, d.lag2 = branches
    d.ramp1, d.ramp2, d.ramp3, d.ramp4, d.ramp5, d.ramp6, d.ramp7, d.ramp8 = ramp
    d.lead1, d.lead2 = leads


def start(p, x, u) -> tuple[float, float]:
    """All blocks at rest, the washouts at zero: the caller puts `rest` in. Returns the two signals."""
    x.meas1, x.meas2 = measuring_states(p.ics1, complex(u.v_re, u.v_im))
    x.meas3, x.meas4 = measuring_states(p.ics2, complex(u.v2_re, u.v2_im))
    for s in STATES[4:]:
        setattr(x, s.name, 0.0)
    s1, s2, _, _, _, _ = signals(p, x, u)
    return float(s1), float(s2)


def rest(p, x, s1: float, s2: float) -> None:
    """The first washout of each branch at rest at its signal (the second, where the first is out)."""
    for s, first, second, time in ((s1, "wash1", "wash2", p.tw1_s), (s2, "wash3", "wash4", p.tw3_s)):
        setattr(x, first if time > 0.0 else second, s)


def complaints(values: dict[str, float]) -> list[tuple[str, str]]:
    """Signals that exist, washed out; leads with lags; a filter that fits; limits."""
    found = []
    for code in ("ics1", "ics2"):
        if values[code] not in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0):
            found.append((code, f"is not an input code: {CODES}, 0 none"))
    for code, one, two in (("ics1", "tw1_s", "tw2_s"), ("ics2", "tw3_s", "tw4_s")):
        if values[code] != 0.0 and values[one] == 0.0 and values[two] == 0.0:
            found.append((one, f"and {two} are both 0: the signal needs a washout"))
    m, n = values["m"], values["n"]
    if m != int(m) or n != int(n) or m * n > MOST_LAGS:
        found.append(("m", f"m x n must be a whole number of lags, at most {MOST_LAGS}: it is {m:g} x {n:g}"))
    if m * n > 0.0 and values["t9_s"] == 0.0 and values["t8_s"] != 0.0:
        found.append(("t9_s", "must be above 0 where t8_s is not 0"))
    found += need_lag(values, ("t1_s", "t2_s"), ("t3_s", "t4_s"))
    return found + zero_inside(values, "vstmin_pu", "vstmax_pu")


TWO_INPUTS = (
    *INPUTS,
    Input("v2_re", "pu", "remote2.v_re", "voltage of the second signal's bus, real part"),
    Input("v2_im", "pu", "remote2.v_im", "voltage of the second signal's bus, imaginary part"),
)
INPUT_PARAMS = (
    Param("ics1", "1", 1.0, "code of the first signal, 0 to 6; 0: none"),
    Param("ics2", "1", 3.0, "code of the second signal, 0 to 6; 0: none"),
    Param("m", "1", 5.0, "lags to a lead in the ramp-tracking filter; m x n at most 8", low=0.0),
    Param("n", "1", 1.0, "leads in the ramp-tracking filter; m = 0 or n = 0 takes it out", low=0.0),
)
BRANCHES = (
    Param("tw1_s", "s", None, "first washout of signal 1; 0 takes it out", low=0.0),
    Param("tw2_s", "s", 0.0, "second washout of signal 1; 0 takes it out", low=0.0),
    Param("t6_s", "s", 0.0, "lag of signal 1; 0 is algebraic", low=0.0),
    Param("tw3_s", "s", None, "first washout of signal 2; 0 takes it out", low=0.0),
    Param("tw4_s", "s", 0.0, "second washout of signal 2; 0 takes it out", low=0.0),
    Param("t7_s", "s", 0.0, "lag of signal 2; 0 is algebraic", low=0.0),
    Param("ks2", "pu", None, "gain of signal 2 (T7 / 2H turns power into speed)"),
    Param("ks3", "pu", 1.0, "gain of signal 2 into the ramp-tracking filter"),
    Param("t8_s", "s", 0.0, "lead of the ramp-tracking filter", low=0.0),
    Param("t9_s", "s", 0.0, "lag of the ramp-tracking filter", low=0.0),
    Param("ks1", "pu", None, "gain"),
    Param("t1_s", "s", 0.0, "lead of the first lead-lag", low=0.0),
    Param("t2_s", "s", 0.0, "lag of the first lead-lag", low=0.0),
    Param("t3_s", "s", 0.0, "lead of the second lead-lag", low=0.0),
    Param("t4_s", "s", 0.0, "lag of the second lead-lag", low=0.0),
)
OUTPUT_LIMITS = (
    Param("vstmax_pu", "pu", None, "upper limit of the output"),
    Param("vstmin_pu", "pu", None, "lower limit of the output"),
)
STATES = (
    State("meas1", "pu", "measured voltage for signal 1 (codes 2 and 6)"),
    State("meas2", "pu", "measured voltage for signal 1 (code 2)"),
    State("meas3", "pu", "measured voltage for signal 2 (codes 2 and 6)"),
    State("meas4", "pu", "measured voltage for signal 2 (code 2)"),
    State("wash1", "pu", "first washout of signal 1"),
    State("wash2", "pu", "second washout of signal 1"),
    State("lag1", "pu", "lag of signal 1"),
    State("wash3", "pu", "first washout of signal 2"),
    State("wash4", "pu", "second washout of signal 2"),
    State("lag2", "pu", "lag of signal 2"),
    *(State(f"ramp{k}", "pu", f"ramp-tracking filter, lag {k}") for k in range(1, MOST_LAGS + 1)),
    State("lead1", "pu", "first lead-lag"),
    State("lead2", "pu", "second lead-lag"),
)
NO_RAMP_SURPLUS = (
    "The ramp-tracking filter is that of IEEE Std 421.5, M x N lags and N leads; OpenIPSL's, fitted to PSS/E 33, has "
    "N lead-lags with M lags behind them."
)
