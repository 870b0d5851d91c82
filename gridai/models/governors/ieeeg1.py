"""IEEEG1: a steam turbine with up to four stages and a governor with rate and position limits (IEEE type 1, 1973).

                     1 + s T2                uo       pmax        K1   K3   K5   K7   -> pm_pu
    speed dev. -- K ---------- --(-)-- 1 -- /-- 1 -- /-- valve --+----+----+----+
                     1 + s T1     |    T3  uc   s   pmin |       |    |    |    |
         p_ref + dp_ref / K1357 -(+)                     |      T4   T5   T6   T7   (in series, 1 / (1 + s T))
                                 (-)---------------------+

    pm = K1 x4 + K3 x5 + K5 x6 + K7 x7. The valve's rate is limited to uc .. uo, its position non-windup.
    p_ref is the valve reference; dp_ref is in pu power: at rest the power rises by it (K1357 = K1 + K3 + K5 + K7).
    T1 = T2 = 0 leaves the gain K; T4 to T7 = 0 are algebraic.

K2, K4, K6, K8 feed a second shaft (JBUS, JM). For a tandem compound turbine, JBUS = 0, they are not used.

Per unit on the machine's MVA base; speed 1 is nominal.
Source: IEEE Committee Report, "Dynamic models for steam and hydro turbines in power system studies", IEEE Trans.
PAS-92, 1973; PSS/E Model Library, IEEEG1; OpenIPSL's PSSE.IEEEG1, which was verified against PSS/E.
"""

from gridai.kernel.blocks import clip, held, lag, lead_lag, require_within
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.governors._common import DP_REF, OMEGA, P_REF, PM, REFUSED, REMEDY, order


@kernel
def stages(p, x, valve):
    """Mechanical power [pu] and the rates of the four stages."""
    x4, d4 = lag(valve, x.stage4_pu, 1.0, p.t4_s)
    x5, d5 = lag(x4, x.stage5_pu, 1.0, p.t5_s)
    x6, d6 = lag(x5, x.stage6_pu, 1.0, p.t6_s)
    x7, d7 = lag(x6, x.stage7_pu, 1.0, p.t7_s)
    return p.k1 * x4 + p.k3 * x5 + p.k5 * x6 + p.k7 * x7, d4, d5, d6, d7


@kernel
def outputs(p, x, z, u, y):
    """Mechanical power and valve."""
    y.valve_pu = clip(x.valve_pu, p.pmin_pu, p.pmax_pu)
    y.pm_pu, _, _, _, _ = stages(p, x, y.valve_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Lead-lag, valve, turbine stages."""
    valve = clip(x.valve_pu, p.pmin_pu, p.pmax_pu)
    droop, d.lead_pu = lead_lag(u.omega_pu - 1.0, x.lead_pu, p.t2_s, p.t1_s)
    wanted = p.p_ref_pu + u.dp_ref_pu / p.k_shaft - p.k * droop
    rate = clip((wanted - valve) / p.t3_s, p.uc_pu_per_s, p.uo_pu_per_s)
    d.valve_pu = held(rate, x.valve_pu, p.pmin_pu, p.pmax_pu)
    _, d.stage4_pu, d.stage5_pu, d.stage6_pu, d.stage7_pu = stages(p, x, valve)


@kernel
def clamp(p, x, u):
    """The valve back within its limits."""
    x.valve_pu = clip(x.valve_pu, p.pmin_pu, p.pmax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Reference and states from the mechanical power. Raises InitialisationError outside the valve's limits."""
    p.k_shaft = p.k1 + p.k3 + p.k5 + p.k7
    valve = y.pm_pu / p.k_shaft
    what = f"valve [pu] (mechanical power {y.pm_pu:.6g})"
    require_within("IEEEG1", what, valve, ("pmin_pu", p.pmin_pu), ("pmax_pu", p.pmax_pu), REMEDY)
    x.lead_pu = u.omega_pu - 1.0
    x.valve_pu = x.stage4_pu = x.stage5_pu = x.stage6_pu = x.stage7_pu = y.valve_pu = valve
    p.p_ref_pu = valve + p.k * x.lead_pu - u.dp_ref_pu / p.k_shaft


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, rates around zero, a lead with its lag, shares of power, one shaft."""
    found = order(values, "pmin_pu", "pmax_pu")
    if values["t2_s"] != 0.0 and values["t1_s"] <= 0.0:
        found.append(("t1_s", "must be above 0 where t2_s is not 0"))
    if values["k1"] + values["k3"] + values["k5"] + values["k7"] <= 0.0:
        found.append(("k1", "k1 + k3 + k5 + k7 must be above 0: they share the power out"))
    if values["jbus"] != 0.0:
        found.append(("jbus", "a second shaft (cross compound) is not there: give 0 and a governor to each unit"))
    return found


DYR = (
    "jbus", None, "k", "t1_s", "t2_s", "t3_s", "uo_pu_per_s", "uc_pu_per_s", "pmax_pu", "pmin_pu", "t4_s", "k1", "k2",
    "t5_s", "k3", "k4", "t6_s", "k5", "k6", "t7_s", "k7", "k8",
)  # fmt: skip
"""Order of the record in a DYR file; JM, the second unit's identifier, is not read."""


def share(name: str, shaft: str) -> Param:
    """A share of the power of one stage."""
    return Param(name, "1", 0.0, f"share of the stage's power on the {shaft} shaft")


MODEL = Model(
    name="IEEEG1",
    role="governor",
    title="steam turbine with up to four stages, IEEE type 1",
    params=(
        Param("jbus", "1", 0.0, "bus of the second shaft's unit; only 0, none, is there"),
        Param("k", "pu", None, "governor gain, pu valve for pu speed (the inverse of droop)", low=0.0),
        Param("t1_s", "s", 0.0, "lag of the governor; 0 with t2_s = 0 takes the lead-lag out", low=0.0),
        Param("t2_s", "s", 0.0, "lead of the governor", low=0.0),
        Param("t3_s", "s", None, "valve time constant, above 0", low=1e-6),
        Param("uo_pu_per_s", "pu/s", None, "limit of the valve's opening rate, above 0", low=1e-9),
        Param("uc_pu_per_s", "pu/s", None, "limit of the valve's closing rate, below 0", high=-1e-9),
        Param("pmax_pu", "pu", None, "upper limit of the valve"),
        Param("pmin_pu", "pu", None, "lower limit of the valve"),
        Param("t4_s", "s", 0.0, "time constant of the first stage (steam chest); 0 is algebraic", low=0.0),
        share("k1", "first"),
        share("k2", "second"),
        Param("t5_s", "s", 0.0, "time constant of the second stage (reheater); 0 is algebraic", low=0.0),
        share("k3", "first"),
        share("k4", "second"),
        Param("t6_s", "s", 0.0, "time constant of the third stage (crossover); 0 is algebraic", low=0.0),
        share("k5", "first"),
        share("k6", "second"),
        Param("t7_s", "s", 0.0, "time constant of the fourth stage; 0 is algebraic", low=0.0),
        share("k7", "first"),
        share("k8", "second"),
        P_REF,
        Param("k_shaft", "1", None, "sum of the shares on the first shaft", solved=True),
    ),
    states=(
        State("lead_pu", "pu", "lagged speed deviation (at rest when t1_s = 0)"),
        State("valve_pu", "pu", "valve"),
        State("stage4_pu", "pu", "output of the first stage"),
        State("stage5_pu", "pu", "output of the second stage"),
        State("stage6_pu", "pu", "output of the third stage"),
        State("stage7_pu", "pu", "output of the fourth stage"),
    ),
    inputs=(OMEGA, DP_REF),
    outputs=(PM, Output("valve_pu", "pu", "valve", "gate_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Trans. PAS-92, 1973; PSS/E Model Library, IEEEG1",
    check=check,
    deviations=("No second shaft: JBUS must be 0.", REFUSED),
)
