"""GAST: a gas turbine with governor, droop, fuel valve, combustor and a limit by exhaust temperature.

    p_ref + dp_ref --(+)-- low        1     vmax       1
                      |    value -- --------- /-- -- -------- --+--(+)-- pm_pu
    (speed - 1) / R -(-)   gate     1 + s T1 /       1 + s T2   |  (-)
                             |            vmin                  |   |
                             |                                  |   Dturb (speed - 1)
                             +-- AT + KT (AT - exhaust) -- 1 / (1 + s T3)

    p_ref is the load reference in pu power: PSS/E's. Valve limits are non-windup. At rest the exhaust signal equals
    the power, so the limiter holds it at AT.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, GAST; OpenIPSL's PSSE.GAST.
"""

from gridai.kernel.blocks import clip, lag, lag_nonwindup, require_within
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.governors._common import DP_REF, OMEGA, P_REF, PM, REFUSED, REMEDY, order


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power and fuel valve."""
    valve = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)
    fuel, _ = lag(valve, x.fuel_pu, 1.0, p.t2_s)
    y.valve_pu, y.pm_pu = valve, fuel - p.dturb_pu * (u.omega_pu - 1.0)


@kernel
def derivatives(p, x, z, u, y, d):
    """Fuel valve, combustor, exhaust measurement."""
    limit = p.at + p.kt * (p.at - x.exhaust_pu)
    demand = min(p.p_ref_pu + u.dp_ref_pu - (u.omega_pu - 1.0) / p.r_pu, limit)
    valve, d.valve_pu = lag_nonwindup(demand, x.valve_pu, 1.0, p.t1_s, p.vmin_pu, p.vmax_pu)
    fuel, d.fuel_pu = lag(valve, x.fuel_pu, 1.0, p.t2_s)
    d.exhaust_pu = (fuel - x.exhaust_pu) / p.t3_s


@kernel
def clamp(p, x, u):
    """The valve back within its limits."""
    x.valve_pu = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Reference and states from the mechanical power. Raises InitialisationError outside valve or exhaust limit."""
    slip = u.omega_pu - 1.0
    valve = y.pm_pu + p.dturb_pu * slip
    high = min(("vmax_pu", p.vmax_pu), ("the exhaust limit at", p.at), key=lambda limit: limit[1])
    require_within("GAST", "fuel valve [pu of machine base]", valve, ("vmin_pu", p.vmin_pu), high, REMEDY)
    x.valve_pu = x.fuel_pu = x.exhaust_pu = y.valve_pu = valve
    p.p_ref_pu = valve + slip / p.r_pu - u.dp_ref_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits must not cross."""
    return order(values, "vmin_pu", "vmax_pu")


DYR = ("r_pu", "t1_s", "t2_s", "t3_s", "at", "kt", "vmax_pu", "vmin_pu", "dturb_pu")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="GAST",
    role="governor",
    title="gas turbine with governor and exhaust temperature limit",
    params=(
        Param("r_pu", "pu", None, "permanent droop, pu speed for pu power, above 0", low=1e-6),
        Param("t1_s", "s", None, "time constant of governor and valve, above 0", low=1e-6),
        Param("t2_s", "s", None, "time constant of the combustor; 0 is algebraic", low=0.0),
        Param("t3_s", "s", None, "time constant of the exhaust measurement, above 0", low=1e-6),
        Param("at", "pu", None, "ambient temperature load limit"),
        Param("kt", "pu", None, "gain of the temperature limiter", low=0.0),
        Param("vmax_pu", "pu", None, "upper limit of the fuel valve"),
        Param("vmin_pu", "pu", None, "lower limit of the fuel valve"),
        Param("dturb_pu", "pu", 0.0, "turbine damping, pu power for pu speed"),
        P_REF,
    ),
    states=(
        State("valve_pu", "pu", "fuel valve"),
        State("fuel_pu", "pu", "combustor output (at rest when t2_s = 0)"),
        State("exhaust_pu", "pu", "measured exhaust temperature, as load"),
    ),
    inputs=(OMEGA, DP_REF),
    outputs=(PM, Output("valve_pu", "pu", "fuel valve", "gate_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, GAST",
    check=check,
    deviations=(REFUSED,),
)
