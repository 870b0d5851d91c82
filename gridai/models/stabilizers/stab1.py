"""STAB1: speed-sensitive stabiliser: a washout, two lead-lags, a limit on both sides.

    speed      K s       1 + s T1   1 + s T2   hlim
    dev. --- ------- --- -------- - -------- --/-- vs_pu
             1 + s T     1 + s T3   1 + s T4  -hlim

    Given as K/T, T, T1/T3, T3, T2/T4, T4: the washout's gain at high frequency is K/T. T3 = 0 and T4 = 0 take a
    lead-lag out.

Source: PSS/E Model Library, STAB1.
"""

from gridai.kernel.blocks import clip, lead_lag, washout
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def shaped(p, x, u):
    """The signal before its limit; rates of washout and lead-lags."""
    s, d_wash = washout(u.omega_pu - 1.0, x.wash, p.k_t, p.t_s)
    s, d_lead1 = lead_lag(s, x.lead1, p.t1_t3 * p.t3_s, p.t3_s)
    s, d_lead2 = lead_lag(s, x.lead2, p.t2_t4 * p.t4_s, p.t4_s)
    return s, d_wash, d_lead1, d_lead2


@kernel
def outputs(p, x, z, u, y):
    """Stabiliser signal, limited."""
    out, _, _, _ = shaped(p, x, u)
    y.vs_pu = clip(out, -p.hlim_pu, p.hlim_pu)


@kernel
def derivatives(p, x, z, u, y, d):
    """Washout and lead-lags."""
    _, d.wash, d.lead1, d.lead2 = shaped(p, x, u)


def initialise(p, x, z, u, y, op: Start) -> None:
    """All blocks at rest at the present speed: the washout gives zero."""
    x.wash, x.lead1, x.lead2 = u.omega_pu - 1.0, 0.0, 0.0
    y.vs_pu = 0.0


DYR = ("k_t", "t_s", "t1_t3", "t3_s", "t2_t4", "t4_s", "hlim_pu")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="STAB1",
    role="stabilizer",
    title="speed-sensitive stabiliser",
    params=(
        Param("k_t", "pu", None, "gain K / T of the washout at high frequency"),
        Param("t_s", "s", None, "time constant of the washout, above 0", low=1e-6),
        Param("t1_t3", "1", 1.0, "ratio T1 / T3 of the first lead-lag", low=0.0),
        Param("t3_s", "s", 0.0, "lag of the first lead-lag; 0 takes it out", low=0.0),
        Param("t2_t4", "1", 1.0, "ratio T2 / T4 of the second lead-lag", low=0.0),
        Param("t4_s", "s", 0.0, "lag of the second lead-lag; 0 takes it out", low=0.0),
        Param("hlim_pu", "pu", None, "limit of the output, both ways", low=0.0),
    ),
    states=(
        State("wash", "pu", "lagged speed deviation of the washout"),
        State("lead1", "pu", "first lead-lag"),
        State("lead2", "pu", "second lead-lag"),
    ),
    inputs=(Input("omega_pu", "pu", "machine.omega_pu", "speed", default=1.0),),
    outputs=(Output("vs_pu", "pu", "stabiliser signal", "vs_pu"),),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="PSS/E Model Library, STAB1",
)
