"""TGOV1: a steam turbine with a simple governor: droop, a limited valve, a reheat lead-lag.

                                   vmax_pu
    p_ref + dp_ref --(+)--    1   /            1 + s T2
                      |  ----------- -- valve -- -------- --(+)-- pm_pu
    (speed - 1) / R -(-)     1 + s T1           1 + s T3    (-)
         |                  /                                |
         |             vmin_pu                               |
         +---------------------------- Dt -------------------+

    p_ref is the load reference in pu power: PSS/E's reference divided by R. Valve limits are non-windup.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: PSS/E Model Library, TGOV1; IEEE PES-TR1, Dynamic Models for Turbine-Governors in Power System Studies, 2013,
section 2.2 (T2 / T3 is the high-pressure fraction, T3 the reheater).
"""

from gridai.kernel.blocks import clip, lag_nonwindup, lead_lag, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power and valve position."""
    valve = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)
    power, _ = lead_lag(valve, x.reheat_pu, p.t2_s, p.t3_s)
    y.valve_pu, y.pm_pu = valve, power - p.dt_pu * (u.omega_pu - 1.0)


@kernel
def derivatives(p, x, z, u, y, d):
    """Valve and reheater."""
    demand = p.p_ref_pu + u.dp_ref_pu - (u.omega_pu - 1.0) / p.r_pu
    valve, d_valve = lag_nonwindup(demand, x.valve_pu, 1.0, p.t1_s, p.vmin_pu, p.vmax_pu)
    _, d_reheat = lead_lag(valve, x.reheat_pu, p.t2_s, p.t3_s)
    d.valve_pu, d.reheat_pu = d_valve, d_reheat


@kernel
def clamp(p, x, u):
    """The valve back within its limits."""
    x.valve_pu = clip(x.valve_pu, p.vmin_pu, p.vmax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Load reference and states from the mechanical power. Raises InitialisationError outside the valve's limits."""
    slip = u.omega_pu - 1.0
    valve = y.pm_pu + p.dt_pu * slip
    require_within(
        "TGOV1",
        "valve position [pu of machine base]",
        valve,
        ("vmin_pu", p.vmin_pu),
        ("vmax_pu", p.vmax_pu),
        "widen the limit, or change the unit's dispatch or MVA base",
    )
    x.valve_pu = x.reheat_pu = y.valve_pu = valve
    p.p_ref_pu = valve + slip / p.r_pu - u.dp_ref_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits must not cross."""
    if values["vmin_pu"] >= values["vmax_pu"]:
        return [("vmin_pu", f"not below vmax_pu = {values['vmax_pu']:g}: give vmin < vmax")]
    return []


DYR = ("r_pu", "t1_s", "vmax_pu", "vmin_pu", "t2_s", "t3_s", "dt_pu")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="TGOV1",
    role="governor",
    title="steam turbine with simple governor",
    params=(
        Param("r_pu", "pu", None, "permanent droop, pu speed for pu power, above 0", low=1e-6),
        Param("t1_s", "s", None, "valve time constant, above 0", low=1e-6),
        Param("vmax_pu", "pu", None, "upper limit of the valve"),
        Param("vmin_pu", "pu", None, "lower limit of the valve"),
        Param("t2_s", "s", None, "lead time constant of the turbine", low=0.0),
        Param("t3_s", "s", None, "lag time constant of the turbine (reheater), above 0", low=1e-6),
        Param("dt_pu", "pu", 0.0, "turbine damping, pu power for pu speed"),
        Param("p_ref_pu", "pu", None, "load reference", solved=True),
    ),
    states=(
        State("valve_pu", "pu", "valve position"),
        State("reheat_pu", "pu", "lagged part of the turbine's lead-lag"),
    ),
    inputs=(
        Input("omega_pu", "pu", "machine.omega_pu", "speed", default=1.0),
        Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the load reference"),
    ),
    outputs=(
        Output("pm_pu", "pu", "mechanical power", "pm_mw", on_base=True),
        Output("valve_pu", "pu", "valve position", "gate_pu"),
    ),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, TGOV1; IEEE PES-TR1 2013, section 2.2",
    check=check,
    deviations=("A start outside the valve's limits is refused; PSS/E warns and goes on.",),
)
