"""PSS2A: dual-input stabiliser (IEEE PSS2A), integral of accelerating power with a ramp-tracking filter.

    signal    sTW1     sTW2       1                    [ 1 + s T8   ]N
    ics1 ---- ------ - ------ - ------ ------(+)------ [ ---------- ]  --(+)-- KS1 -- lead-lags -/-- vs_pu
              1+sTW1   1+sTW2   1+s T6        |        [ (1+s T9)^M ]    (-)
                                             KS3                          |
    signal    sTW3     sTW4      KS2          |                           |
    ics2 ---- ------ - ------ - ------ -------+---------------------------+
              1+sTW3   1+sTW4   1+s T7

    lead-lags (1 + s T1)/(1 + s T2), (1 + s T3)/(1 + s T4); the output is clipped to vstmin .. vstmax.
    Signals by code as in IEEEST: 1 speed, 2 bus frequency, 3 air-gap power, 4 accelerating power, 5 bus voltage,
    6 its rate of change, 0 none; the bus of each in remote_bus and remote_bus2, the machine's own where empty. A
    washout, lag or lead-lag with zero time constants is taken out; M N = 0 takes out the filter.

Source: IEEE Std 421.5-1992 and -2005, PSS2A; PSS/E Model Library, PSS2A.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Model, Output, Start, kernel
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
from gridai.models.stabilizers._signals import OWN_LAG, TMEAS, ZERO_INSIDE


@kernel
def outputs(p, x, z, u, y):
    """Stabiliser signal, limited."""
    s1, s2, _, _, _, _ = signals(p, x, u)
    out, _, _, _ = shaped(p, x, s1, s2)
    y.vs_pu = clip(out, p.vstmin_pu, p.vstmax_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurement, washouts, lags, filter, lead-lags."""
    s1, s2, d.meas1, d.meas2, d.meas3, d.meas4 = signals(p, x, u)
    _, branches, ramp, leads = shaped(p, x, s1, s2)
    set_rates(d, branches, ramp, leads)


def initialise(p, x, z, u, y, op: Start) -> None:
    """All blocks at rest at the signals' present values: the washouts give zero."""
    rest(p, x, *start(p, x, u))
    y.vs_pu = 0.0


DYR = (
    "ics1", "remote_bus", "ics2", "remote_bus2", "m", "n", "tw1_s", "tw2_s", "t6_s", "tw3_s", "tw4_s", "t7_s", "ks2",
    "ks3", "t8_s", "t9_s", "ks1", "t1_s", "t2_s", "t3_s", "t4_s", "vstmax_pu", "vstmin_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="PSS2A",
    role="stabilizer",
    title="IEEE dual-input stabiliser PSS2A",
    params=(*INPUT_PARAMS, *BRANCHES, *OUTPUT_LIMITS, TMEAS),
    states=STATES,
    inputs=TWO_INPUTS,
    outputs=(Output("vs_pu", "pu", "stabiliser signal", "vs_pu"),),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="IEEE Std 421.5-2005, PSS2A; PSS/E Model Library, PSS2A",
    check=complaints,
    deviations=(OWN_LAG, ZERO_INSIDE, NO_RAMP_SURPLUS),
)
