"""CAPLOAD: a cluster that answers the frequency of its bus by power caps: droop, step, deadband, slow return.

    f (own bus) --> phase tracking, 1/(1 + s tf) --> df [Hz]
    every cycle_s:  droop     droop_mw_per_hz (-df - deadband)          below the deadband   (relief > 0)
                             -over_mw_per_hz  ( df - deadband)          above it             (more work, up_mw at most)
                    step      step_mw from df < -step_hz on, until df > -release_hz
                    call  =   droop + step, to the nearest resolution_mw
    call --> delay of delay_cycles --> caps --> 1/(1 + s t), ramp out, recover back --> relief
    P = P0 - relief,   -up_mw <= relief <= min(down_mw, P0 - idle_mw) + store_mw while it has given less than store_mj

A cap below the idle power does nothing more: the relief saturates there, but for what UPS or a battery carry, as long
as they have energy (no losses, not charged again). `recover_mw_per_s` keeps the return of the
work from pulling the frequency down a second time. A delay of 0 cycles acts at the tick itself: on average half a
cycle late. 97 ms from trigger to cap are measured on three V100 (arXiv:2605.26384): one cycle of 0.1 s.

It has no inertia: a load by power electronics feels the frequency only through this measurement. "Synthetic inertia",
relief in proportion to df/dt, needs the derivative of a signal that is 2 tf_s old and answers before the caps can act:
at 0.1 s it is a fast step response by another name, and a step or droop does the same with less noise. Not offered.

Load sign: P > 0 consumes. Per unit on the system base.
Source: droop with deadband as in NERC's primary frequency control guideline; measured latency as above; resolution,
ramps and recovery are settings.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Model, Param, Start, State, kernel
from gridai.models.loads._capping import (
    DEVIATIONS,
    INPUTS,
    KERNELS,
    MEMORY,
    OUTPUTS,
    PARAMS,
    STATES,
    at_rest,
    enter,
    rounded,
    whole_delay,
)


@kernel
def update(p, x, z, u, y, t, g):
    """Look at the frequency, call, and set the caps of delay_cycles ago."""
    if g.tick > 0.0:
        df_hz = x.df_pu * p.omega_base / 6.283185307179586
        if df_hz < -p.step_hz:
            z.stepped = 1.0
        elif df_hz > -p.release_hz:
            z.stepped = 0.0
        call = p.droop_mw_per_hz * max(0.0, -df_hz - p.deadband_hz)
        call -= p.over_mw_per_hz * max(0.0, df_hz - p.deadband_hz)
        call = clip(call + p.step_mw * z.stepped, -p.up_mw, p.down_mw + p.store_mw)
        enter(p, z, rounded(call, p.resolution_mw))
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """At rest at the power of the power flow. Raises InitialisationError for one below idle_mw, or a source."""
    at_rest(p, x, z, u, y, op)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Points of droop and step in order, the delay whole."""
    found = whole_delay(values)
    if values["step_mw"] > 0.0 and not values["release_hz"] < values["step_hz"]:
        found.append(("release_hz", f"must be below step_hz = {values['step_hz']:g} Hz: the points cross"))
    if values["step_mw"] > 0.0 and not values["deadband_hz"] <= values["step_hz"]:
        found.append(("deadband_hz", f"must not be above step_hz = {values['step_hz']:g} Hz: the points cross"))
    return found


MODEL = Model(
    name="CAPLOAD",
    role="load",
    title="cluster that answers frequency by power caps",
    params=(
        Param("droop_mw_per_hz", "MW/Hz", 0.0, "relief per frequency below the deadband", low=0.0),
        Param("over_mw_per_hz", "MW/Hz", 0.0, "more work per frequency above the deadband", low=0.0),
        Param("deadband_hz", "Hz", 0.036, "deviation within which nothing is done", low=0.0),
        Param("step_mw", "MW", 0.0, "relief at once below step_hz", low=0.0),
        Param("step_hz", "Hz", 0.1, "deviation below nominal that calls it", low=0.0),
        Param("release_hz", "Hz", 0.02, "deviation below nominal above which it is given back"),
        *PARAMS,
    ),
    states=STATES,
    memory=(*MEMORY, State("stepped", "", "1: the step is called")),
    guards=("tick",),
    inputs=INPUTS,
    outputs=OUTPUTS,
    initialise=initialise,
    check=check,
    kernels={**KERNELS, "update": update},
    source="arXiv:2605.26384 (latency of caps); see the module's docstring",
    deviations=DEVIATIONS,
)
