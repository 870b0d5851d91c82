"""DEGOV: a Woodward diesel governor: isochronous electric control, actuator, engine with a dead time.

    speed     -(1 + s T3)          K (1 + s T4)     tmax
    dev. --- ----------------- -- -------------- --/------ e^(-s TD) --(x)-- pm_pu
             1 + s T1 + s^2 T1 T2  s (1 + s T5)(1 + s T6)               |
                electric control        actuator   tmin             speed

    The integral and the actuator's output have non-windup limits. T1 = 0 takes the control's lag out (T3 must be 0
    too), T5 = 0 with T4 = 0 the lead-lag; T6 = 0, TD = 0 are algebraic. The dead time is `gridai.kernel.blocks_delay`.

There is no droop and no load reference: the governor brings the speed back to 1, and the setpoint input of other
governors is missing. Two such units on one system share load by chance.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, DEGOV; OpenIPSL's PSSE.DEGOV.
"""

from gridai.kernel.blocks import biquad, clip, held, lag_nonwindup, lead_lag, require_within
from gridai.kernel.blocks_delay import delay
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.governors._common import OMEGA, PM, REFUSED, REMEDY, order


@kernel
def actuator(p, x):
    """Fuel (torque) [pu] and the rates of lead-lag and lag."""
    lead, d_lead = lead_lag(clip(x.integral_pu, p.tmin_pu, p.tmax_pu), x.lead_pu, p.t4_s, p.t5_s)
    fuel, d_fuel = lag_nonwindup(lead, x.fuel_pu, 1.0, p.t6_s, p.tmin_pu, p.tmax_pu)
    return fuel, d_lead, d_fuel


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power and fuel."""
    y.fuel_pu, _, _ = actuator(p, x)
    torque, _, _, _ = delay(y.fuel_pu, x.dead1, x.dead2, x.dead3, p.td_s)
    y.pm_pu = torque * u.omega_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Electric control, actuator, dead time."""
    control, d.box_pu, d.box_rate = biquad(1.0 - u.omega_pu, x.box_pu, x.box_rate, p.t1_s, p.t1_s * p.t2_s, p.t3_s, 0.0)
    d.integral_pu = held(p.k * control, x.integral_pu, p.tmin_pu, p.tmax_pu)
    fuel, d.lead_pu, d.fuel_pu = actuator(p, x)
    _, d.dead1, d.dead2, d.dead3 = delay(fuel, x.dead1, x.dead2, x.dead3, p.td_s)


@kernel
def clamp(p, x, u):
    """Integral and actuator back within their limits."""
    x.integral_pu = clip(x.integral_pu, p.tmin_pu, p.tmax_pu)
    x.fuel_pu = clip(x.fuel_pu, p.tmin_pu, p.tmax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States from the mechanical power. Raises InitialisationError outside the actuator's limits."""
    fuel = y.pm_pu / u.omega_pu
    require_within("DEGOV", "fuel [pu]", fuel, ("tmin_pu", p.tmin_pu), ("tmax_pu", p.tmax_pu), REMEDY)
    x.box_pu, x.box_rate = 1.0 - u.omega_pu, 0.0
    x.integral_pu = x.lead_pu = x.fuel_pu = x.dead1 = y.fuel_pu = fuel
    x.dead2 = x.dead3 = 0.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order; leads with their lags."""
    found = order(values, "tmin_pu", "tmax_pu")
    for lead, lag in (("t3_s", "t1_s"), ("t4_s", "t5_s")):
        if values[lead] != 0.0 and values[lag] <= 0.0:
            found.append((lag, f"must be above 0 where {lead} is not 0"))
    return found


DYR = ("t1_s", "t2_s", "t3_s", "k", "t4_s", "t5_s", "t6_s", "td_s", "tmax_pu", "tmin_pu")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="DEGOV",
    role="governor",
    title="Woodward diesel governor, isochronous",
    params=(
        Param("t1_s", "s", 0.0, "lag of the electric control; 0 takes it out", low=0.0),
        Param("t2_s", "s", 0.0, "second lag of the electric control", low=0.0),
        Param("t3_s", "s", 0.0, "lead of the electric control", low=0.0),
        Param("k", "1/s", None, "integral gain of the actuator, pu fuel per second for pu speed, above 0", low=1e-9),
        Param("t4_s", "s", 0.0, "lead of the actuator", low=0.0),
        Param("t5_s", "s", 0.0, "lag of the actuator; 0 takes it out", low=0.0),
        Param("t6_s", "s", 0.0, "second lag of the actuator; 0 is algebraic", low=0.0),
        Param("td_s", "s", 0.0, "dead time of the engine; 0 is algebraic", low=0.0),
        Param("tmax_pu", "pu", None, "upper limit of the actuator"),
        Param("tmin_pu", "pu", None, "lower limit of the actuator"),
    ),
    states=(
        State("box_pu", "pu", "electric control, low-pass output"),
        State("box_rate", "pu/s", "electric control, its rate"),
        State("integral_pu", "pu", "integral of the actuator"),
        State("lead_pu", "pu", "lagged part of the actuator's lead-lag"),
        State("fuel_pu", "pu", "actuator output (at rest when t6_s = 0)"),
        State("dead1", "pu", "dead time, first state"),
        State("dead2", "pu", "dead time, second state"),
        State("dead3", "pu", "dead time, third state"),
    ),
    inputs=(OMEGA,),
    outputs=(PM, Output("fuel_pu", "pu", "actuator output", "gate_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, DEGOV",
    check=check,
    deviations=(
        "The dead time is a rational approximation (order 2 over 3); PSS/E keeps the past.",
        "Where the limits act inside the actuator is not published in words: both integral and output have them here.",
        REFUSED,
    ),
)
