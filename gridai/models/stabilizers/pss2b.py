"""PSS2B: dual-input stabiliser (IEEE PSS2B): PSS2A with limits on the signals and a third lead-lag.

           vs1max
    signal   /  sTW1     sTW2       1                  [ 1 + s T8   ]N
    ics1 ---/-- ------ - ------ - ------ ----(+)------ [ ---------- ]  --(+)-- KS1 -- lead-lags -/-- vs_pu
        vs1min  1+sTW1   1+sTW2   1+s T6      |        [ (1+s T9)^M ]    (-)
           vs2max                            KS3                          |
    signal   /  sTW3     sTW4      KS2        |                           |
    ics2 ---/-- ------ - ------ - ------ -----+---------------------------+
        vs2min  1+sTW3   1+sTW4   1+s T7

    lead-lags (1 + s T1)/(1 + s T2), (1 + s T3)/(1 + s T4), (1 + s T10)/(1 + s T11); the output is clipped to
    vstmin .. vstmax. Signals by code as in IEEEST: 1 speed, 2 bus frequency, 3 air-gap power, 4 accelerating power,
    5 bus voltage, 6 its rate of change, 0 none. A washout, lag or lead-lag with zero time constants is taken out;
    M N = 0 takes out the filter.

Source: IEEE Std 421.5-2005, PSS2B; PSS/E Model Library, PSS2B; OpenIPSL's PSSE.PSS2B.
"""

from gridai.kernel.blocks import clip, lead_lag
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.stabilizers._pss2 import (
    BRANCHES,
    INPUT_PARAMS,
    NO_RAMP_SURPLUS,
    OUTPUT_LIMITS,
    STATES,
    TWO_INPUTS,
    complaints,
    rest,
    set_rates,
    shaped,
    signals,
    start,
)
from gridai.models.stabilizers._signals import OWN_LAG, TMEAS, ZERO_INSIDE, need_lag


@kernel
def outputs(p, x, z, u, y):
    """Stabiliser signal, limited."""
    s1, s2, _, _, _, _ = signals(p, x, u)
    s1, s2 = clip(s1, p.vs1min_pu, p.vs1max_pu), clip(s2, p.vs2min_pu, p.vs2max_pu)
    second, _, _, _ = shaped(p, x, s1, s2)
    out, _ = lead_lag(second, x.lead3, p.t10_s, p.t11_s)
    y.vs_pu = clip(out, p.vstmin_pu, p.vstmax_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurement, washouts, lags, filter, lead-lags."""
    s1, s2, d.meas1, d.meas2, d.meas3, d.meas4 = signals(p, x, u)
    s1, s2 = clip(s1, p.vs1min_pu, p.vs1max_pu), clip(s2, p.vs2min_pu, p.vs2max_pu)
    second, branches, ramp, leads = shaped(p, x, s1, s2)
    set_rates(d, branches, ramp, leads)
    _, d.lead3 = lead_lag(second, x.lead3, p.t10_s, p.t11_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """All blocks at rest at the signals' present values within their limits: the washouts give zero."""
    s1, s2 = start(p, x, u)
    rest(p, x, clip(s1, p.vs1min_pu, p.vs1max_pu), clip(s2, p.vs2min_pu, p.vs2max_pu))
    x.lead3 = 0.0
    y.vs_pu = 0.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """As PSS2A; limits of the signals in order; the third lead has its lag."""
    found = complaints(values) + need_lag(values, ("t10_s", "t11_s"))
    for k in ("1", "2"):
        low, high = f"vs{k}min_pu", f"vs{k}max_pu"
        if values[low] >= values[high]:
            found.append((low, f"not below {high} = {values[high]:g}: give {low} < {high}"))
    return found


DYR = (
    "ics1", "remote_bus", "ics2", "remote_bus2", "m", "n", "tw1_s", "tw2_s", "t6_s", "tw3_s", "tw4_s", "t7_s", "ks2",
    "ks3", "t8_s", "t9_s", "ks1", "t1_s", "t2_s", "t3_s", "t4_s", "t10_s", "t11_s", "vs1max_pu", "vs1min_pu",
    "vs2max_pu", "vs2min_pu", "vstmax_pu", "vstmin_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="PSS2B",
    role="stabilizer",
    title="IEEE dual-input stabiliser PSS2B",
    params=(
        *INPUT_PARAMS,
        *BRANCHES,
        Param("t10_s", "s", 0.0, "lead of the third lead-lag", low=0.0),
        Param("t11_s", "s", 0.0, "lag of the third lead-lag", low=0.0),
        Param("vs1max_pu", "pu", 99.0, "upper limit of signal 1"),
        Param("vs1min_pu", "pu", -99.0, "lower limit of signal 1"),
        Param("vs2max_pu", "pu", 99.0, "upper limit of signal 2"),
        Param("vs2min_pu", "pu", -99.0, "lower limit of signal 2"),
        *OUTPUT_LIMITS,
        TMEAS,
    ),
    states=(State("lead3", "pu", "third lead-lag"), *STATES),
    inputs=TWO_INPUTS,
    outputs=(Output("vs_pu", "pu", "stabiliser signal", "vs_pu"),),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="IEEE Std 421.5-2005, PSS2B; PSS/E Model Library, PSS2B",
    check=check,
    deviations=(OWN_LAG, ZERO_INSIDE, NO_RAMP_SURPLUS),
)
