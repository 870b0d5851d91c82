"""IEEET1: the 1968 IEEE type 1 excitation system, a rotating DC exciter with a continuous regulator.

    v_ref + dv_ref + vs
             |                 vrmax
            (+)           KA  /                        1
    |v| -- 1/(1+s TR) -(-)---------- -- vr -(+)-- ---------- --+-- efd_pu
                       (-)  1+s TA           |       s TE      |
                        |  /                (-)                |
                        | vrmin              |                 |
                        |                    +-- KE + SE(efd) -+
                        |                                      |
                        +------------- s KF / (1 + s TF) ------+

    SE(e) e = b (e - a)^2 above e = a, drawn through (e1_pu, se1) and (e2_pu, se2), in either order.
    Regulator limits are non-windup. TR = 0 and TA = 0 are algebraic; KF = 0 takes the rate feedback out.

Found at the start, by PSS/E's rules (the values used stand in the solved parameters):
    vrmax_pu = 0:  vrmax = (KE + SE(E2)) E2 if ke > 0, SE(E2) E2 otherwise (E2: the larger voltage); vrmin = -vrmax
    ke = 0:        KE = vrmax / (10 efd) - SE(efd), so that the regulator starts at a tenth of its ceiling

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: IEEE Committee Report, "Computer representation of excitation systems", IEEE Trans. PAS-87, 1968, figure 1;
PSS/E Model Library, IEEET1; the two rules as in OpenIPSL's PSSE.IEEET1, which was verified against PSS/E.
"""

from gridai.errors import InitialisationError
from gridai.kernel.blocks import (
    clip,
    derivative_filtered,
    exciter_complaints,
    exciter_constants,
    exciter_saturation,
    lag,
    lag_nonwindup,
    require_within,
)
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def regulator(p, x, u):
    """Regulator output [pu] and the derivatives of the transducer, the regulator and the rate feedback."""
    vc, d_vc = lag(abs(complex(u.v_re, u.v_im)), x.vc_pu, 1.0, p.tr_s)
    feedback, d_rate = derivative_filtered(x.efd_pu, x.rate_pu, p.kf, p.tf_s)
    wanted = p.v_ref_pu + u.dv_ref_pu + u.vs_pu - vc - feedback
    vr, d_vr = lag_nonwindup(wanted, x.vr_pu, p.ka, p.ta_s, p.vr_low_pu, p.vr_high_pu)
    return vr, d_vc, d_vr, d_rate


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and regulator output."""
    vr, _, _, _ = regulator(p, x, u)
    y.efd_pu, y.vr_pu = x.efd_pu, vr


@kernel
def derivatives(p, x, z, u, y, d):
    """Transducer, regulator, exciter, rate feedback."""
    vr, d_vc, d_vr, d_rate = regulator(p, x, u)
    d.vc_pu, d.vr_pu, d.rate_pu = d_vc, d_vr, d_rate
    d.efd_pu = (vr - p.ke_used * x.efd_pu - exciter_saturation(x.efd_pu, p.sat_a, p.sat_b)) / p.te_s


@kernel
def clamp(p, x, u):
    """The regulator's state back within its limits."""
    x.vr_pu = clip(x.vr_pu, p.vr_low_pu, p.vr_high_pu)


def ceilings(p) -> tuple[float, float]:
    """The regulator's limits: as given, or by the rule for vrmax_pu = 0. [pu]"""
    if p.vrmax_pu != 0.0:
        return p.vrmin_pu, p.vrmax_pu
    e2, se2 = max((p.e1_pu, p.se1), (p.e2_pu, p.se2))
    high = (max(p.ke, 0.0) + se2) * e2
    return -high, high


def self_excited(p, efd_pu: float, saturated: float) -> float:
    """KE as given, or by the rule for ke = 0. [pu]"""
    if p.ke != 0.0:
        return p.ke
    if efd_pu <= 0.0:
        raise InitialisationError(
            f"IEEET1: ke = 0 asks for KE from the field voltage, which starts at {efd_pu:.6g} pu: give ke a value"
        )
    return p.vr_high_pu / (10.0 * efd_pu) - saturated / efd_pu


def initialise(p, x, z, u, y, op: Start) -> None:
    """Saturation, PSS/E's rules for zeros, reference and states from the field voltage.

    Raises InitialisationError when the regulator would start outside its limits.
    """
    efd = y.efd_pu
    p.sat_a, p.sat_b = exciter_constants(p.e1_pu, p.se1, p.e2_pu, p.se2)
    p.vr_low_pu, p.vr_high_pu = ceilings(p)
    saturated = exciter_saturation(efd, p.sat_a, p.sat_b)
    p.ke_used = self_excited(p, efd, saturated)
    vr = p.ke_used * efd + saturated
    require_within(
        "IEEET1",
        f"regulator output [pu] (field voltage {efd:.6g})",
        vr,
        ("vrmin_pu" if p.vrmax_pu != 0.0 else "vrmin (from vrmax_pu = 0)", p.vr_low_pu),
        ("vrmax_pu" if p.vrmax_pu != 0.0 else "vrmax (from vrmax_pu = 0)", p.vr_high_pu),
        "widen the limit, or change the unit's voltage setpoint or reactive power",
    )
    x.efd_pu, x.vr_pu, x.rate_pu, x.vc_pu = efd, vr, efd, abs(op.v)
    y.vr_pu = vr
    p.v_ref_pu = vr / p.ka + abs(op.v) - u.vs_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order, saturation that can be drawn, a rate feedback with a time constant."""
    found = exciter_complaints(values)
    given = values["vrmax_pu"] != 0.0
    if given and values["vrmin_pu"] >= values["vrmax_pu"]:
        found.append(("vrmin_pu", f"not below vrmax_pu = {values['vrmax_pu']:g}: give vrmin < vrmax"))
    if not given and max(values["ke"], 0.0) == 0.0 and max(values["se1"], values["se2"]) <= 0.0:
        found.append(("vrmax_pu", "0 asks for the limit from saturation and ke, which are 0: give vrmax_pu"))
    if values["kf"] != 0.0 and values["tf_s"] <= 0.0:
        found.append(("tf_s", "must be above 0 where kf is not 0"))
    return found


DYR = (
    "tr_s", "ka", "ta_s", "vrmax_pu", "vrmin_pu", "ke", "te_s", "kf", "tf_s", "switch", "e1_pu", "se1", "e2_pu", "se2",
)  # fmt: skip
"""Order of the record in a DYR file."""

MODEL = Model(
    name="IEEET1",
    role="exciter",
    title="IEEE type 1 excitation system (1968), rotating DC exciter",
    params=(
        Param("tr_s", "s", 0.0, "time constant of the voltage transducer; 0 is algebraic", low=0.0),
        Param("ka", "pu", None, "regulator gain, above 0", low=1e-6),
        Param("ta_s", "s", None, "regulator time constant; 0 is algebraic", low=0.0),
        Param("vrmax_pu", "pu", None, "upper limit of the regulator; 0: found from saturation at E2"),
        Param("vrmin_pu", "pu", None, "lower limit of the regulator (not read when vrmax_pu = 0)"),
        Param("ke", "pu", None, "exciter constant; 0: found at the start"),
        Param("te_s", "s", None, "exciter time constant, above 0", low=1e-6),
        Param("kf", "pu", 0.0, "rate feedback gain", low=0.0),
        Param("tf_s", "s", 1.0, "rate feedback time constant, above 0 unless kf = 0", low=0.0),
        Param("switch", "1", 0.0, "not used (nor in PSS/E); kept so that records read back the same"),
        Param("e1_pu", "pu", 0.0, "field voltage of the first saturation point"),
        Param("se1", "1", 0.0, "saturation SE at e1_pu", low=0.0),
        Param("e2_pu", "pu", 0.0, "field voltage of the second saturation point"),
        Param("se2", "1", 0.0, "saturation SE at e2_pu", low=0.0),
        Param("v_ref_pu", "pu", None, "voltage reference", solved=True),
        Param("sat_a", "pu", None, "field voltage where saturation begins", solved=True),
        Param("sat_b", "1/pu", None, "curvature of saturation", solved=True),
        Param("ke_used", "pu", None, "exciter constant in use", solved=True),
        Param("vr_low_pu", "pu", None, "lower limit of the regulator in use", solved=True),
        Param("vr_high_pu", "pu", None, "upper limit of the regulator in use", solved=True),
    ),
    states=(
        State("vc_pu", "pu", "measured voltage (at rest when tr_s = 0)"),
        State("vr_pu", "pu", "regulator output (at rest when ta_s = 0)"),
        State("efd_pu", "pu", "field voltage"),
        State("rate_pu", "pu", "lagged field voltage of the rate feedback"),
    ),
    inputs=(
        Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
        Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
        Input("vs_pu", "pu", "stabilizer.vs_pu", "stabiliser signal"),
        Input("dv_ref_pu", "pu", "setpoint.v_ref", "change of the voltage reference"),
    ),
    outputs=(
        Output("efd_pu", "pu", "field voltage", "efd_pu"),
        Output("vr_pu", "pu", "regulator output", "vr_pu"),
    ),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="IEEE Trans. PAS-87, 1968; PSS/E Model Library, IEEET1",
    check=check,
    deviations=(
        "The regulated voltage is the terminal voltage: no load compensator.",
        "Below the foot of the saturation curve, and for negative field voltage, saturation is 0.",
        "A start outside the limits is refused; PSS/E warns and goes on.",
        "The field voltage is not multiplied by speed (PSS/E's IEEET1 does not; some programs offer it).",
    ),
)
