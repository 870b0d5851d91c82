"""IEEEST: the 1981 IEEE single-input stabiliser: a filter, two lead-lags, a washout, an output limit, a cutoff.

    signal         1 + A5 s + A6 s^2            1 + s T1   1 + s T3    KS T5 s      lsmax
    by mode -- ------------------------------ - -------- - -------- -- -------- --/-- vss -- cutoff -- vs_pu
               (1+A1 s+A2 s^2)(1+A3 s+A4 s^2)   1 + s T2   1 + s T4    1 + T6 s   lsmin

    vs = vss while vcl < vt < vcu, else 0, vt the machine's own voltage; a vcu or vcl of zero is not looked at.

Every zero among A1 to A6 lowers the order exactly: A2 = 0 makes the first factor first order, A1 = A2 = 0 takes it
out, and so on. The filter's numerator must not be of higher order than its denominator, and a lead needs its lag:
anything else is refused. T1 = T2 = 0 and T3 = T4 = 0 take a lead-lag out.

    mode  signal
    1     speed deviation of the rotor [pu]
    2     frequency deviation of the bus in column remote_bus, else the machine's own [pu], from its voltage phasor
          behind a lag of tmeas_s
    3     air-gap power [pu of machine base]
    4     accelerating power: mechanical less air-gap power [pu of machine base]
    5     voltage of that bus [pu]
    6     rate of change of that voltage [pu/s], behind a lag of tmeas_s

Source: IEEE Committee Report, "Excitation system models for power system stability studies", IEEE Trans. PAS-100,
1981; PSS/E Model Library, IEEEST.
"""

from gridai.kernel.blocks import biquad, clip, derivative_filtered, lead_lag
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.stabilizers._signals import (
    CODES,
    INPUTS,
    OWN_LAG,
    TMEAS,
    ZERO_INSIDE,
    measured,
    measuring_states,
    need_lag,
    zero_inside,
)


@kernel
def high_frequency_filter(p, x, s):
    """(1 + A5 s + A6 s^2) / ((1 + A1 s + A2 s^2)(1 + A3 s + A4 s^2)): (output, rates of the four states).

    The second factor carries the numerator, from the first one's output and its two derivatives. Where the second
    factor is of lower order than the numerator, these derivatives are taken from the first.
    """
    y1, d1, d1_rate = biquad(s, x.filt1, x.filt1_rate, p.a1, p.a2, 0.0, 0.0)
    if p.a4 > 0.0:
        y2, d2, d2_rate = biquad(y1, x.filt2, x.filt2_rate, p.a3, p.a4, p.a5, p.a6)
        return y2, d1, d1_rate, d2, d2_rate
    if p.a3 > 0.0:
        slope = (y1 - x.filt2) / p.a3
        return x.filt2 + p.a5 * slope + p.a6 * (d1 - slope) / p.a3, d1, d1_rate, slope, 0.0
    return y1 + p.a5 * d1 + p.a6 * d1_rate, d1, d1_rate, 0.0, 0.0


@kernel
def shaped(p, x, s):
    """The two lead-lags and the washout: (output, rates of the three states)."""
    first, d_lead1 = lead_lag(s, x.lead1, p.t1_s, p.t2_s)
    second, d_lead2 = lead_lag(first, x.lead2, p.t3_s, p.t4_s)
    out, d_wash = derivative_filtered(second, x.wash, p.ks * p.t5_s, p.t6_s)
    return out, d_lead1, d_lead2, d_wash


@kernel
def outputs(p, x, z, u, y):
    """Stabiliser signal, limited, and zero outside the voltage window."""
    s, _, _ = measured(p.mode, u, complex(u.v_re, u.v_im), x.meas1, x.meas2, p.tmeas_s, p.omega_base)
    filtered, _, _, _, _ = high_frequency_filter(p, x, s)
    out, _, _, _ = shaped(p, x, filtered)
    y.vs_pu = clip(out, p.lsmin_pu, p.lsmax_pu)
    if (p.vcu_pu != 0.0 and u.vt_pu >= p.vcu_pu) or (p.vcl_pu != 0.0 and u.vt_pu <= p.vcl_pu):
        y.vs_pu = 0.0


@kernel
def derivatives(p, x, z, u, y, d):
    """Measurement, filter, lead-lags, washout."""
    s, d.meas1, d.meas2 = measured(p.mode, u, complex(u.v_re, u.v_im), x.meas1, x.meas2, p.tmeas_s, p.omega_base)
    filtered, d.filt1, d.filt1_rate, d.filt2, d.filt2_rate = high_frequency_filter(p, x, s)
    _, d.lead1, d.lead2, d.wash = shaped(p, x, filtered)


def initialise(p, x, z, u, y, op: Start) -> None:
    """All blocks at rest at the signal's present value: the washout gives zero."""
    v = complex(u.v_re, u.v_im)
    x.meas1, x.meas2 = measuring_states(p.mode, v)
    start, _, _ = measured(p.mode, u, v, x.meas1, x.meas2, p.tmeas_s, p.omega_base)
    x.filt1 = x.filt2 = x.lead1 = x.lead2 = x.wash = start
    x.filt1_rate = x.filt2_rate = 0.0
    y.vs_pu = 0.0


def factor_order(first: float, second: float) -> int:
    """Order of 1 + first s + second s^2."""
    return 2 if second != 0.0 else int(first != 0.0)


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """The mode exists, the filter is proper, leads have lags, limits hold zero."""
    found = []
    if values["mode"] not in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0):
        found.append(("mode", f"is not an input mode: {CODES}"))
    top = factor_order(values["a5"], values["a6"])
    bottom = factor_order(values["a1"], values["a2"]) + factor_order(values["a3"], values["a4"])
    if top > bottom:
        found.append(
            (
                "a6" if top == 2 else "a5",
                f"numerator of order {top} over a denominator of order {bottom}: give A1 to A4, or zero for A5 and A6",
            )
        )
    found += need_lag(values, ("t1_s", "t2_s"), ("t3_s", "t4_s"))
    found += zero_inside(values, "lsmin_pu", "lsmax_pu")
    if 0.0 < values["vcu_pu"] <= values["vcl_pu"]:
        found.append(("vcu_pu", f"not above vcl_pu = {values['vcl_pu']:g}: give vcl < vcu, or 0 to leave one out"))
    return found


DYR = (
    "mode", "remote_bus", "a1", "a2", "a3", "a4", "a5", "a6", "t1_s", "t2_s", "t3_s", "t4_s", "t5_s", "t6_s", "ks",
    "lsmax_pu", "lsmin_pu", "vcu_pu", "vcl_pu",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="IEEEST",
    role="stabilizer",
    title="IEEE stabiliser (1981), single input",
    params=(
        Param("mode", "1", 1.0, "input signal, 1 to 6"),
        Param("a1", "s", 0.0, "filter denominator, first factor", low=0.0),
        Param("a2", "s^2", 0.0, "filter denominator, first factor", low=0.0),
        Param("a3", "s", 0.0, "filter denominator, second factor", low=0.0),
        Param("a4", "s^2", 0.0, "filter denominator, second factor", low=0.0),
        Param("a5", "s", 0.0, "filter numerator"),
        Param("a6", "s^2", 0.0, "filter numerator"),
        Param("t1_s", "s", 0.0, "lead of the first lead-lag", low=0.0),
        Param("t2_s", "s", 0.0, "lag of the first lead-lag", low=0.0),
        Param("t3_s", "s", 0.0, "lead of the second lead-lag", low=0.0),
        Param("t4_s", "s", 0.0, "lag of the second lead-lag", low=0.0),
        Param("t5_s", "s", None, "numerator of the washout", low=0.0),
        Param("t6_s", "s", None, "time constant of the washout, above 0", low=1e-6),
        Param("ks", "pu", None, "gain"),
        Param("lsmax_pu", "pu", None, "upper limit of the output"),
        Param("lsmin_pu", "pu", None, "lower limit of the output"),
        Param("vcu_pu", "pu", 0.0, "the output is 0 from this voltage up; 0: not looked at"),
        Param("vcl_pu", "pu", 0.0, "the output is 0 from this voltage down; 0: not looked at"),
        TMEAS,
    ),
    states=(
        State("meas1", "pu", "measured voltage: real part (mode 2) or magnitude (mode 6)"),
        State("meas2", "pu", "measured voltage: imaginary part (mode 2)"),
        State("filt1", "pu", "filter, first factor"),
        State("filt1_rate", "pu/s", "filter, first factor: rate"),
        State("filt2", "pu", "filter, second factor"),
        State("filt2_rate", "pu/s", "filter, second factor: rate"),
        State("lead1", "pu", "first lead-lag"),
        State("lead2", "pu", "second lead-lag"),
        State("wash", "pu", "washout"),
    ),
    inputs=(*INPUTS, Input("vt_pu", "pu", "machine.vt_pu", "voltage of the machine's own bus")),
    outputs=(Output("vs_pu", "pu", "stabiliser signal", "vs_pu"),),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives},
    source="IEEE Trans. PAS-100, 1981; PSS/E Model Library, IEEEST",
    check=check,
    deviations=(OWN_LAG, ZERO_INSIDE),
)
