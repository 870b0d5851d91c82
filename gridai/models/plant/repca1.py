"""REPCA1: the plant controller of the WECC second-generation renewable models (REPC_A).

    V, I, P, Q: voltage of the sensed bus (column `remote_bus`, else the own bus) and the flow into the monitored
    branch (columns `branch`, `from_bus`), positive from `from_bus` into the branch; without a branch that of the unit

    |V - (Rc + j Xc) I| --- VCFLAG 1 --+-- 1/(1 + s Tfltr) -(-)(+)- v_ref --- REFFLAG 1 --+
    |V| + Kc Q ------------ VCFLAG 0 --+                                                  |
    Q -------- 1/(1 + s Tfltr) -(-)(+)- q_ref ------------------------------- REFFLAG 0 --+
                                                                                          |
         +--------------------------------------------------------------------------------+
         +-- deadband [dbd1,dbd2] -- [emin,emax] -- Kp + Ki/s [Qmin,Qmax] -- (1 + s Tft)/(1 + s Tfv) -- q_ext
                                       the integrator is frozen while |V| < vfrz

    1 - f -- deadband [fdbd1,fdbd2] --+-- Ddn -- not above 0 --+
                                      +-- Dup -- not below 0 --+
                                                               |
    p_plant -(+)(-)- P/(1 + s Tp) ----------------------------(+)- [femin,femax] - Kpg + Kig/s [Pmin,Pmax]
                                                                                         |
                                        p_ref (FFLAG 1) ------------------------- 1/(1 + s Tg)

With FFLAG 0 p_ref keeps its value of the power flow. f is the frequency of the sensed bus: the rate of turn of its
voltage behind a lag of t_freq_s; it is worked out only with FFLAG 1.

Per unit on the unit's MVA base (Rc, Xc and Kc too), voltage in pu of the bus, frequency 1 is nominal.
Source: WECC REMTF, "Solar PV Plant Modeling and Validation Guideline", 2019, REPC_A; EPRI 3002027129, 2023;
PSS/E Model Library, REPCA1.
"""

from gridai.kernel.blocks import clip, deadband_offset, lag, lead_lag, phasor_slip, pi_nonwindup, require_within
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel
from gridai.models.plant import _branch
from gridai.models.plant._branch import branch_current, branch_voltage, has_branch

HYSTERESIS_PU = 1e-6

DYR = (
    "remote_bus", "branch_from", "branch_to", "branch_circuit", "vc_flag", "ref_flag", "f_flag", "tfltr_s", "kp", "ki",
    "tft_s", "tfv_s", "vfrz_pu", "rc_pu", "xc_pu", "kc", "emax_pu", "emin_pu", "dbd1_pu", "dbd2_pu", "qmax_pu",
    "qmin_pu", "kpg", "kig", "tp_s", "fdbd1_pu", "fdbd2_pu", "femax_pu", "femin_pu", "pmax_pu", "pmin_pu", "tg_s",
    "ddn", "dup",
)  # fmt: skip
"""Order of a PSS/E DYR record: ICON M to M+6, CON J to J+26.

branch_from, branch_to and branch_circuit name one branch: a reader turns them into the columns `branch`, `from_bus`.
"""


@kernel
def measured(p, u):
    """Compensated voltage, active and reactive power."""
    v = complex(u.v_re, u.v_im)
    i, s = complex(u.i_re, u.i_im), complex(u.p_pu, u.q_pu)
    if has_branch(u):
        i = branch_current(p, u)
        s = branch_voltage(u) * i.conjugate()
    if p.vc_flag != 0.0:
        return abs(v - complex(p.rc_pu, p.xc_pu) * i), s.real, s.imag
    return abs(v) + p.kc * s.imag, s.real, s.imag


@kernel
def reactive(p, x, z, u):
    """q_ext, and the derivatives of v_pu, q_pu, q_int_pu, q_lag_pu."""
    v_comp, _, q = measured(p, u)
    v_filt, d_v = lag(v_comp, x.v_pu, 1.0, p.tfltr_s)
    q_filt, d_q = lag(q, x.q_pu, 1.0, p.tfltr_s)
    error = p.q_ref_pu + u.dq_ref_pu - q_filt
    if p.ref_flag != 0.0:
        error = p.v_ref_pu + u.dv_ref_pu - v_filt
    error = clip(deadband_offset(error, p.dbd1_pu, p.dbd2_pu), p.emin_pu, p.emax_pu)
    total, d_int = pi_nonwindup(error, x.q_int_pu, p.kp, p.ki, p.qmin_pu, p.qmax_pu)
    q_ext, d_lag = lead_lag(total, x.q_lag_pu, p.tft_s, p.tfv_s)
    return q_ext, d_v, d_q, (1.0 - z.frozen) * d_int, d_lag


@kernel
def frequency(p, x, u):
    """Frequency of the sensed bus, and the derivative of its lagged voltage."""
    slip, rate = phasor_slip(complex(u.v_re, u.v_im), complex(x.f_re, x.f_im), p.t_freq_s)
    return 1.0 + slip / p.omega_base, rate


@kernel
def active(p, x, u, f):
    """p_ref, and the derivatives of p_pu, p_int_pu, p_lag_pu."""
    if p.f_flag == 0.0:
        return p.p_ref_pu + u.dp_ref_pu, 0.0, 0.0, 0.0
    _, power, _ = measured(p, u)
    p_filt, d_p = lag(power, x.p_pu, 1.0, p.tp_s)
    slip = deadband_offset(1.0 - f, p.fdbd1_pu, p.fdbd2_pu)
    droop = min(p.ddn * slip, 0.0) + max(p.dup * slip, 0.0)
    error = clip(p.p_ref_pu + u.dp_ref_pu - p_filt + droop, p.femin_pu, p.femax_pu)
    total, d_int = pi_nonwindup(error, x.p_int_pu, p.kpg, p.kig, p.pmin_pu, p.pmax_pu)
    p_ref, d_lag = lag(total, x.p_lag_pu, 1.0, p.tg_s)
    return p_ref, d_p, d_int, d_lag


@kernel
def outputs(p, x, z, u, y):
    """References for the electrical control, and what they rest on."""
    y.f_pu = 1.0
    if p.f_flag != 0.0:
        y.f_pu, _ = frequency(p, x, u)
    y.q_ext_pu, _, _, _, _ = reactive(p, x, z, u)
    y.p_ref_pu, _, _, _ = active(p, x, u, y.f_pu)
    y.v_comp_pu, y.p_branch_pu, y.q_branch_pu = measured(p, u)
    y.frozen = z.frozen


@kernel
def derivatives(p, x, z, u, y, d):
    """Filters, integrators, lags."""
    d.f_re, d.f_im = 0.0, 0.0
    if p.f_flag != 0.0:
        _, rate = frequency(p, x, u)
        d.f_re, d.f_im = rate.real, rate.imag
    _, d.v_pu, d.q_pu, d.q_int_pu, d.q_lag_pu = reactive(p, x, z, u)
    _, d.p_pu, d.p_int_pu, d.p_lag_pu = active(p, x, u, y.f_pu)


@kernel
def clamp(p, x, u):
    """The integrators in use within their limits."""
    x.q_int_pu = clip(x.q_int_pu, p.qmin_pu, p.qmax_pu)
    if p.f_flag != 0.0:
        x.p_int_pu = clip(x.p_int_pu, p.pmin_pu, p.pmax_pu)


@kernel
def guards(p, x, z, u, y, t, g):
    """The voltage falls below vfrz, or returns."""
    v = abs(complex(u.v_re, u.v_im))
    g.falls, g.returns = -1.0, -1.0
    if z.frozen == 0.0:
        g.falls = p.vfrz_pu - v if p.vfrz_pu > 0.0 else -1.0
    else:
        g.returns = v - p.vfrz_pu - HYSTERESIS_PU


@kernel
def update(p, x, z, u, y, t, g):
    """Freeze or release the integrator of the reactive control."""
    if g.falls > 0.0:
        z.frozen = 1.0
    elif g.returns > 0.0:
        z.frozen = 0.0
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """References and states for what the electrical control needs. Raises InitialisationError outside a limit."""
    remedy = "widen the limit, or change the unit's dispatch, voltage or MVA base"
    limits = ("qmin_pu", p.qmin_pu), ("qmax_pu", p.qmax_pu)
    require_within("REPCA1", "reactive (or voltage) reference [pu]", y.q_ext_pu, *limits, remedy)
    if p.f_flag != 0.0:
        limits = ("pmin_pu", p.pmin_pu), ("pmax_pu", p.pmax_pu)
        require_within("REPCA1", "active power reference [pu]", y.p_ref_pu, *limits, remedy)
    v, power, q = measured(p, u)
    x.v_pu, x.p_pu, x.q_pu, x.f_re, x.f_im, z.frozen = v, power, q, u.v_re, u.v_im, 0.0
    x.q_int_pu = x.q_lag_pu = y.q_ext_pu
    x.p_int_pu = x.p_lag_pu = y.p_ref_pu
    p.v_ref_pu, p.q_ref_pu = v - u.dv_ref_pu, q - u.dq_ref_pu
    p.p_ref_pu = (power if p.f_flag != 0.0 else y.p_ref_pu) - u.dp_ref_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order; no lead without a lag."""
    pairs = ("emin_pu", "emax_pu"), ("qmin_pu", "qmax_pu"), ("femin_pu", "femax_pu"), ("pmin_pu", "pmax_pu")
    found = [(a, f"above {b} = {values[b]:g}") for a, b in pairs if values[a] > values[b]]
    if values["tfv_s"] <= 0.0 and values["tft_s"] > 0.0:
        found.append(("tfv_s", "must be above 0 where tft_s is"))
    return found


MODEL = Model(
    name="REPCA1",
    role="plant",
    title="plant controller of renewable units",
    params=(
        Param("vc_flag", "1", 0.0, "1: line-drop compensation, 0: reactive droop", low=0.0, high=1.0),
        Param("ref_flag", "1", 1.0, "1: voltage control, 0: reactive power control", low=0.0, high=1.0),
        Param("f_flag", "1", 0.0, "1: active power and frequency control, 0: none", low=0.0, high=1.0),
        Param("tfltr_s", "s", 0.02, "time constant of measured voltage and reactive power; 0 is algebraic", low=0.0),
        Param("kp", "pu", 18.0, "proportional gain of the reactive control", low=0.0),
        Param("ki", "pu/s", 5.0, "integral gain of the reactive control", low=0.0),
        Param("tft_s", "s", 0.0, "lead time constant of q_ext", low=0.0),
        Param("tfv_s", "s", 0.05, "lag time constant of q_ext; 0 is algebraic", low=0.0),
        Param("vfrz_pu", "pu", 0.0, "voltage below which the reactive integrator is frozen; 0 is never"),
        Param("rc_pu", "pu", 0.0, "resistance of the line-drop compensation"),
        Param("xc_pu", "pu", 0.0, "reactance of the line-drop compensation"),
        Param("kc", "pu", 0.0, "reactive droop, pu voltage for pu reactive power"),
        Param("emax_pu", "pu", 0.1, "upper limit of the error", low=0.0),
        Param("emin_pu", "pu", -0.1, "lower limit of the error", high=0.0),
        Param("dbd1_pu", "pu", 0.0, "lower edge of the deadband of the reactive control", high=0.0),
        Param("dbd2_pu", "pu", 0.0, "upper edge of the deadband of the reactive control", low=0.0),
        Param("qmax_pu", "pu", 0.436, "upper limit of q_ext"),
        Param("qmin_pu", "pu", -0.436, "lower limit of q_ext"),
        Param("kpg", "pu", 0.1, "proportional gain of the active power control", low=0.0),
        Param("kig", "pu/s", 0.05, "integral gain of the active power control", low=0.0),
        Param("tp_s", "s", 0.25, "time constant of the measured active power; 0 is algebraic", low=0.0),
        Param("fdbd1_pu", "pu", 0.0, "lower edge of the frequency deadband", high=0.0),
        Param("fdbd2_pu", "pu", 0.0, "upper edge of the frequency deadband", low=0.0),
        Param("femax_pu", "pu", 99.0, "upper limit of the active power error", low=0.0),
        Param("femin_pu", "pu", -99.0, "lower limit of the active power error", high=0.0),
        Param("pmax_pu", "pu", 1.0, "upper limit of p_ref"),
        Param("pmin_pu", "pu", 0.0, "lower limit of p_ref"),
        Param("tg_s", "s", 0.1, "time constant of p_ref; 0 is algebraic", low=0.0),
        Param("ddn", "pu", 20.0, "power per frequency above nominal (1 / droop)", low=0.0),
        Param("dup", "pu", 0.0, "power per frequency below nominal (1 / droop)", low=0.0),
        Param("t_freq_s", "s", 0.02, "time constant of the measured frequency, above 0", low=1e-3),
        Param("v_ref_pu", "pu", None, "voltage reference", solved=True),
        Param("q_ref_pu", "pu", None, "reactive power reference", solved=True),
        Param("p_ref_pu", "pu", None, "active power reference of the plant", solved=True),
    ),
    states=(
        State("v_pu", "pu", "measured compensated voltage (at rest when tfltr_s = 0)"),
        State("q_pu", "pu", "measured reactive power (at rest when tfltr_s = 0)"),
        State("q_int_pu", "pu", "integral part of the reactive control"),
        State("q_lag_pu", "pu", "lagged part of q_ext (at rest when tfv_s = 0)"),
        State("p_pu", "pu", "measured active power (at rest when tp_s = 0 or f_flag = 0)"),
        State("p_int_pu", "pu", "integral part of the active power control (at rest when f_flag = 0)"),
        State("p_lag_pu", "pu", "lagged p_ref (at rest when tg_s = 0 or f_flag = 0)"),
        State("f_re", "pu", "lagged voltage of the frequency measurement, real part"),
        State("f_im", "pu", "lagged voltage of the frequency measurement, imaginary part"),
    ),
    memory=(State("frozen", "1", "1 while the voltage is below vfrz_pu"),),
    guards=("falls", "returns"),
    inputs=(
        Input("v_re", "pu", "remote.v_re", "voltage of the sensed bus, real part"),
        Input("v_im", "pu", "remote.v_im", "voltage of the sensed bus, imaginary part"),
        Input("p_pu", "pu", "converter.p_pu", "active power of the unit"),
        Input("q_pu", "pu", "converter.q_pu", "reactive power of the unit"),
        Input("i_re", "pu", "converter.i_re", "current of the unit, network frame, real part"),
        Input("i_im", "pu", "converter.i_im", "current of the unit, network frame, imaginary part"),
        *_branch.INPUTS,
        Input("dv_ref_pu", "pu", "setpoint.v_ref", "change of the voltage reference"),
        Input("dq_ref_pu", "pu", "setpoint.q_ref", "change of the reactive power reference"),
        Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the active power reference"),
    ),
    outputs=(
        Output("p_ref_pu", "pu", "active power reference for the electrical control", "p_ref_pu"),
        Output("q_ext_pu", "pu", "reactive power (or voltage) reference for it", "q_ext_pu"),
        Output("v_comp_pu", "pu", "compensated voltage"),
        Output("p_branch_pu", "pu", "active power of the monitored branch", "p_branch_mw", on_base=True),
        Output("q_branch_pu", "pu", "reactive power of the monitored branch", "q_branch_mvar", on_base=True),
        Output("f_pu", "pu", "frequency of the sensed bus"),
        Output("frozen", "1", "1 while the reactive integrator is frozen"),
    ),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp, "guards": guards, "update": update},
    check=check,
    source="WECC REMTF, Solar PV Plant Modeling and Validation Guideline, 2019, REPC_A; PSS/E Model Library, REPCA1",
    deviations=(
        "the frequency is measured behind a lag of t_freq_s, which PSS/E's record does not hold",
        "rc_pu, xc_pu and kc are on the unit's MVA base",
        "a start outside a limit is refused; PSS/E warns and goes on",
    ),
)
