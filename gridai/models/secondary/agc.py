"""AGC: an area's secondary controller: area control error, sampled PI control, one order for all its units.

    f (own bus) --> phase tracking, 1 / (1 + s tf) --(f - f0)--> bias --(+)--> 1 / (1 + s t_ace) --> ace
    P of the ties, at from_bus ------(P - P0 - dp_sched)----------------+

    at every tick k cycle:   e = ace outside the deadband, else 0
                             integral += ki cycle e                       (held within [low, high])
                             order = -(kp e + integral), within [low, high]  --> units of the area (AGCUNIT)

ACE = (export - scheduled export) + bias (f - f0): with the bias of the area's own response a fault elsewhere gives no
error, and the area that has it corrects it (tie-line bias control). With bias and no tie it holds the frequency of the
whole system; with bias = 0 it holds the interchange alone. NERC writes -10 B for the bias, B in MW / 0.1 Hz, negative.

`unit` names the unit or load at whose bus the frequency is measured; a load stays when units trip. Columns branch,
branch2, branch3, branch4 name up to four ties; from_bus, from_bus2, ... the end of each in this area, where the power
into the branch is the area's export (empty: the branch's first end). P0 is the flow of the power flow. A tie that is
out counts as no flow. The units follow through table agcunit.csv.

Ticks are at k cycle (k is counted, times are not added up); the step is cut there, to 1e-7 s off the grid. Power in MW.
Source: NERC BAL-001-2 (ACE); Kundur 1994, section 11.1.6 (tie-line bias control, 2 to 4 s cycle). The gains and the
filter are assumed, of the order that gives back nominal frequency within some minutes.
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.blocks import clip, deadband_step, lag
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.loads.zip import phase_error

EARLY_S = 1e-9
"""The engine's tolerance of time: a tick that falls on a grid point is not missed by rounding."""


@kernel
def branch_power(v_re, v_im, w_re, w_im, ys_re, ys_im, ym_re, ym_im, on):
    """Active power into a branch [pu of the system base]."""
    v, w = complex(v_re, v_im), complex(w_re, w_im)
    i = complex(ys_re, ys_im) * v + complex(ym_re, ym_im) * w
    return on * (v * i.conjugate()).real


@kernel
def export(u):
    """Power that leaves the area through its ties [pu of the system base]."""
    return (
        branch_power(u.v1_re, u.v1_im, u.w1_re, u.w1_im, u.ys1_re, u.ys1_im, u.ym1_re, u.ym1_im, u.on1)
        + branch_power(u.v2_re, u.v2_im, u.w2_re, u.w2_im, u.ys2_re, u.ys2_im, u.ym2_re, u.ym2_im, u.on2)
        + branch_power(u.v3_re, u.v3_im, u.w3_re, u.w3_im, u.ys3_re, u.ys3_im, u.ym3_re, u.ym3_im, u.on3)
        + branch_power(u.v4_re, u.v4_im, u.w4_re, u.w4_im, u.ys4_re, u.ys4_im, u.ym4_re, u.ym4_im, u.on4)
    )


@kernel
def raw_error(p, x, u):
    """Area control error before the filter [MW]."""
    df_hz = x.df_pu * p.omega_base / (2.0 * np.pi)
    return (export(u) - p.p0_pu) * p.s_base_mva - u.dp_sched_mw + p.bias_mw_per_hz * df_hz


@kernel
def outputs(p, x, z, u, y):
    """Filtered error, order, net export, number of ticks so far."""
    y.ace_mw, _ = lag(raw_error(p, x, u), x.ace_mw, 1.0, p.t_ace_s)
    y.order_mw, y.ticks = z.order_mw, z.ticks
    y.export_mw = export(u) * p.s_base_mva


@kernel
def derivatives(p, x, z, u, y, d):
    """Frequency measurement as in ZIP and FRQTPAT, and the filter of the error."""
    d.theta_rad = phase_error(complex(u.v_re, u.v_im), x.theta_rad) / p.tf_s
    _, d.df_pu = lag(d.theta_rad / p.omega_base, x.df_pu, 1.0, p.tf_s)
    _, d.ace_mw = lag(raw_error(p, x, u), x.ace_mw, 1.0, p.t_ace_s)


@kernel
def guards(p, x, z, u, y, t, g):
    """The next tick."""
    g.tick = t - (z.ticks + 1.0) * p.cycle_s + EARLY_S


@kernel
def update(p, x, z, u, y, t, g):
    """One step of the sampled controller."""
    if g.tick > 0.0:
        error = deadband_step(y.ace_mw, -p.deadband_mw, p.deadband_mw)
        z.integral_mw = clip(z.integral_mw + p.ki_per_s * p.cycle_s * error, -p.high_mw, -p.low_mw)
        z.order_mw = clip(-(p.kp * error + z.integral_mw), p.low_mw, p.high_mw)
        z.ticks += 1.0
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """The interchange of the power flow is the schedule. Raises InitialisationError where there is nothing to hold."""
    if p.bias_mw_per_hz == 0.0 and not any((u.on1, u.on2, u.on3, u.on4)):
        raise InitialisationError("AGC: bias_mw_per_hz is 0 and no tie is given: there is no error to control")
    p.p0_pu = export(u)
    x.theta_rad, x.df_pu, x.ace_mw = np.angle(op.v), 0.0, -u.dp_sched_mw


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits of the order leave room on both sides of zero."""
    if not values["low_mw"] <= 0.0 <= values["high_mw"]:
        return [("low_mw", f"low_mw <= 0 <= high_mw = {values['high_mw']:g} must hold: the order starts at 0")]
    return []


def _tie_inputs() -> tuple[Input, ...]:
    """Signals of the ties of columns branch, branch2, branch3, branch4."""
    found = []
    for k in (1, 2, 3, 4):
        column = "branch" if k == 1 else f"branch{k}"
        for name, meaning in (
            ("v", "voltage at this end"),
            ("w", "voltage at the other end"),
            ("ys", "own admittance"),
            ("ym", "admittance to the other end"),
        ):
            for part in ("re", "im"):
                found.append(Input(f"{name}{k}_{part}", "pu", f"{column}.{name}_{part}", f"tie {k}: {meaning}, {part}"))
        found.append(Input(f"on{k}", "", f"{column}.on", f"tie {k}: 1 in service"))
    return tuple(found)


MODEL = Model(
    name="AGC",
    role="area",
    title="secondary control of an area: frequency bias, ties, sampled PI",
    params=(
        Param("bias_mw_per_hz", "MW/Hz", None, "frequency bias of the area, positive; 0: interchange alone", low=0.0),
        Param("kp", "MW/MW", 0.1, "proportional gain", low=0.0, high=10.0),
        Param("ki_per_s", "1/s", 0.01, "integral gain", low=0.0, high=1.0),
        Param("cycle_s", "s", 4.0, "period of the controller", low=0.1),
        Param("deadband_mw", "MW", 0.0, "error within which nothing is done", low=0.0),
        Param("t_ace_s", "s", 2.0, "time constant of the filter of the error", low=0.0),
        Param("low_mw", "MW", -1e6, "lowest order", high=0.0),
        Param("high_mw", "MW", 1e6, "highest order", low=0.0),
        Param("tf_s", "s", 0.05, "time constant of the frequency measurement, applied twice", low=1e-3),
        Param("p0_pu", "pu", None, "scheduled export, from the power flow", solved=True),
    ),
    states=(
        State("theta_rad", "rad", "tracked angle of the bus voltage"),
        State("df_pu", "pu", "measured deviation of the frequency"),
        State("ace_mw", "MW", "filtered area control error"),
    ),
    memory=(
        State("ticks", "", "number of ticks so far"),
        State("integral_mw", "MW", "integral part of the order, opposite sign"),
        State("order_mw", "MW", "order to the units"),
    ),
    guards=("tick",),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        *_tie_inputs(),
        Input("dp_sched_mw", "MW", "setpoint.interchange", "change of the scheduled export"),
    ),
    outputs=(
        Output("ace_mw", "MW", "filtered area control error", "ace_mw"),
        Output("order_mw", "MW", "order to the units", "order_mw"),
        Output("export_mw", "MW", "power that leaves the area through its ties", "export_mw"),
        Output("ticks", "", "number of ticks so far"),
    ),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    source="NERC BAL-001-2; Kundur 1994, section 11.1.6",
    deviations=(
        "at most four ties; no time-error correction, no inadvertent payback, no delay of telemetry beyond the cycle",
        "gains and filter are assumed values",
    ),
)
