"""HYGOV: a hydro turbine with a mechanical-hydraulic governor: temporary droop, rate-limited gate, water column.

    R (p_ref + dp_ref / At)                        velm      gmax
            |                       1      1 + s Tr /     1  /         1
           (+)-(-)- speed dev. -- -------- -------- /--- --- /-- c -- -------- -- g
            |                     1 + s Tf   r Tr  /      s /    |    1 + s Tg
            |                                   -velm    gmin    |
            +-(-)----------------------- R ----------------------+

                 +--- (q / g)^2 = h ---(x)-- At --(+)-- pm_pu        Tw dq/dt = 1 - h
    g, q --------|                      |         (-)
                 +--- q - qNL ----------+          +--- Dturb g (speed - 1)

    c desired gate, g gate, q flow, h head. The position limits are non-windup; the speed limit acts on dc/dt.
    p_ref is the gate reference: PSS/E's speed reference divided by R. dp_ref is in pu power: at rest the mechanical
    power rises by dp_ref, since the gate then rises by dp_ref / At.

Per unit on the machine's MVA base (gate: full opening 1; flow and head: rated 1); speed 1 is nominal.
Source: PSS/E Model Library, HYGOV; IEEE Working Group, "Hydraulic turbine and turbine control models for system
dynamic studies", IEEE Trans. Power Systems 7(1), 1992; OpenIPSL's PSSE.HYGOV, which was verified against PSS/E.
"""

from gridai.kernel.blocks import clip, held, lag, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel

GATE_FLOOR = 0.01
"""Smallest opening in q / g: a closed gate would divide by zero. [pu]"""


@kernel
def head(x):
    """Head at the turbine, (q / g)^2. [pu]"""
    return (x.flow_pu / max(x.gate_pu, GATE_FLOOR)) ** 2


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power, gate, flow and head."""
    h = head(x)
    y.pm_pu = p.at * h * (x.flow_pu - p.qnl_pu) - p.dturb_pu * x.gate_pu * (u.omega_pu - 1.0)
    y.gate_pu, y.flow_pu, y.head_pu = x.gate_pu, x.flow_pu, h


@kernel
def derivatives(p, x, z, u, y, d):
    """Filter, desired gate, gate servo, water column."""
    wanted = p.p_ref_pu + u.dp_ref_pu / p.at
    error = p.r_perm_pu * (wanted - x.desired_pu) - (u.omega_pu - 1.0)
    filtered, d_filter = lag(error, x.filter_pu, 1.0, p.tf_s)
    speed = clip((filtered + p.tr_s * d_filter) / (p.r_temp_pu * p.tr_s), -p.velm_pu_per_s, p.velm_pu_per_s)
    desired = clip(x.desired_pu, p.gmin_pu, p.gmax_pu)
    d.filter_pu = d_filter
    d.desired_pu = held(speed, x.desired_pu, p.gmin_pu, p.gmax_pu)
    d.gate_pu = (desired - x.gate_pu) / p.tg_s
    d.flow_pu = (1.0 - head(x)) / p.tw_s


@kernel
def clamp(p, x, u):
    """The desired gate back within its limits."""
    x.desired_pu = clip(x.desired_pu, p.gmin_pu, p.gmax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Gate, flow and reference from the mechanical power. Raises InitialisationError outside the gate's limits."""
    slip = u.omega_pu - 1.0
    gate = (y.pm_pu + p.at * p.qnl_pu) / (p.at - p.dturb_pu * slip)
    require_within(
        "HYGOV",
        f"gate [pu] (mechanical power {y.pm_pu:.6g})",
        gate,
        ("gmin_pu", p.gmin_pu),
        ("gmax_pu", p.gmax_pu),
        "widen the limit, raise the turbine gain at, or change the unit's dispatch or MVA base",
    )
    x.desired_pu = x.gate_pu = x.flow_pu = gate
    x.filter_pu = 0.0
    p.p_ref_pu = gate + (slip / p.r_perm_pu if p.r_perm_pu > 0.0 else 0.0) - u.dp_ref_pu / p.at
    y.gate_pu, y.flow_pu, y.head_pu = gate, gate, 1.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits must not cross."""
    if values["gmin_pu"] >= values["gmax_pu"]:
        return [("gmin_pu", f"not below gmax_pu = {values['gmax_pu']:g}: give gmin < gmax")]
    return []


DYR = (
    "r_perm_pu", "r_temp_pu", "tr_s", "tf_s", "tg_s", "velm_pu_per_s", "gmax_pu", "gmin_pu", "tw_s", "at", "dturb_pu",
    "qnl_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="HYGOV",
    role="governor",
    title="hydro turbine with governor, nonlinear water column",
    params=(
        Param("r_perm_pu", "pu", None, "permanent droop R, pu speed for pu gate; 0 is isochronous", low=0.0),
        Param("r_temp_pu", "pu", None, "temporary droop r, pu speed for pu gate, above 0", low=1e-6),
        Param("tr_s", "s", None, "governor (dashpot) time constant, above 0", low=1e-6),
        Param("tf_s", "s", None, "filter time constant, above 0", low=1e-6),
        Param("tg_s", "s", None, "gate servo time constant, above 0", low=1e-6),
        Param("velm_pu_per_s", "pu/s", None, "limit of the gate's speed, above 0", low=1e-6),
        Param("gmax_pu", "pu", None, "upper limit of the gate"),
        Param("gmin_pu", "pu", None, "lower limit of the gate"),
        Param("tw_s", "s", None, "water time constant, above 0", low=1e-6),
        Param("at", "pu", None, "turbine gain, pu power for pu flow above no load, above 0", low=1e-6),
        Param("dturb_pu", "pu", 0.0, "turbine damping, pu power for pu speed at full gate"),
        Param("qnl_pu", "pu", None, "flow at no load", low=0.0),
        Param("p_ref_pu", "pu", None, "gate reference", solved=True),
    ),
    states=(
        State("filter_pu", "pu", "filtered speed error"),
        State("desired_pu", "pu", "desired gate"),
        State("gate_pu", "pu", "gate"),
        State("flow_pu", "pu", "flow"),
    ),
    inputs=(
        Input("omega_pu", "pu", "machine.omega_pu", "speed", default=1.0),
        Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the load reference, in pu power"),
    ),
    outputs=(
        Output("pm_pu", "pu", "mechanical power", "pm_mw", on_base=True),
        Output("gate_pu", "pu", "gate", "gate_pu"),
        Output("flow_pu", "pu", "flow"),
        Output("head_pu", "pu", "head at the turbine"),
    ),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, HYGOV; IEEE Trans. Power Systems 7(1), 1992",
    check=check,
    deviations=(
        f"The head is worked out with a gate of at least {GATE_FLOOR} pu, so that a closed gate has an answer.",
        "A start outside the gate's limits is refused; PSS/E warns and goes on.",
    ),
)
