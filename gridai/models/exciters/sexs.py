"""SEXS: the simplified excitation system, a lead-lag and a limited first-order lag.

    v_ref + dv_ref --(+)
                      |      1 + s TA          K        emax_pu
    vs_pu -----------(+)---- -------- ---- ---------- ---/---- efd_pu
                      |      1 + s TB      1 + s TE   emin_pu
    |v| -------------(-)
                             TA = ta_tb x TB           non-windup limits on the lag

TE = 0 is allowed: the amplifier is algebraic, the limits clip its output, and a step of voltage passes straight
to the field as K TA / TB times the step.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: PSS/E Model Library (PSS/E 33 and later), SEXS; NEPLAN, Exciter Models, SEXS.
"""

from gridai.kernel.blocks import clip, lag_nonwindup, lead_lag, magnitude, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def error(p, u):
    """Voltage error at the regulator's input [pu]."""
    return p.v_ref_pu + u.dv_ref_pu + u.vs_pu - magnitude(u.v_re, u.v_im)


@kernel
def outputs(p, x, z, u, y):
    """Field voltage."""
    lead, _ = lead_lag(error(p, u), x.lead_pu, p.ta_tb * p.tb_s, p.tb_s)
    efd, _ = lag_nonwindup(lead, x.efd_pu, p.k, p.te_s, p.emin_pu, p.emax_pu)
    y.efd_pu = efd


@kernel
def derivatives(p, x, z, u, y, d):
    """Lead-lag and amplifier."""
    lead, d_lead = lead_lag(error(p, u), x.lead_pu, p.ta_tb * p.tb_s, p.tb_s)
    _, d_efd = lag_nonwindup(lead, x.efd_pu, p.k, p.te_s, p.emin_pu, p.emax_pu)
    d.lead_pu, d.efd_pu = d_lead, d_efd


@kernel
def clamp(p, x, u):
    """The amplifier's state back within its limits."""
    x.efd_pu = clip(x.efd_pu, p.emin_pu, p.emax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Reference and states from the field voltage. Raises InitialisationError when that lies outside the limits."""
    require_within(
        "SEXS",
        "field voltage [pu]",
        y.efd_pu,
        ("emin_pu", p.emin_pu),
        ("emax_pu", p.emax_pu),
        "widen the limit, or change the unit's voltage setpoint or reactive power",
    )
    x.efd_pu, x.lead_pu = y.efd_pu, y.efd_pu / p.k
    p.v_ref_pu = x.lead_pu + abs(op.v) - u.vs_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits must not cross."""
    if values["emin_pu"] >= values["emax_pu"]:
        return [("emin_pu", f"not below emax_pu = {values['emax_pu']:g}: give emin < emax")]
    return []


DYR = ("ta_tb", "tb_s", "k", "te_s", "emin_pu", "emax_pu")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="SEXS",
    role="exciter",
    title="simplified excitation system",
    params=(
        Param("ta_tb", "1", None, "ratio of lead to lag time constant, TA / TB", low=0.0),
        Param("tb_s", "s", None, "lag time constant of the lead-lag, above 0", low=1e-6),
        Param("k", "pu", None, "gain, above 0", low=1e-6),
        Param("te_s", "s", None, "time constant of the amplifier; 0 is algebraic", low=0.0),
        Param("emin_pu", "pu", None, "lower limit of field voltage"),
        Param("emax_pu", "pu", None, "upper limit of field voltage"),
        Param("v_ref_pu", "pu", None, "voltage reference", solved=True),
    ),
    states=(
        State("lead_pu", "pu", "lagged part of the lead-lag"),
        State("efd_pu", "pu", "field voltage (at rest when te_s = 0)"),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("vs_pu", "pu", "stabilizer.vs_pu", "stabiliser signal"),
        Input("dv_ref_pu", "pu", "setpoint.v_ref", "change of the voltage reference"),
    ),
    outputs=(Output("efd_pu", "pu", "field voltage", "efd_pu"),),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, SEXS",
    check=check,
    deviations=(
        "The regulated voltage is the terminal voltage: no load compensator.",
        "A start outside the limits is refused; PSS/E warns and goes on.",
    ),
)
