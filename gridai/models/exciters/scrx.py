"""SCRX: static exciter, bus-fed or with a source of its own; SEXS with a voltage-dependent ceiling and crowbar.

    v_ref + dv_ref --(+)                       emax_pu
                      |     1 + s TA      K     /             cswitch 1 ----+
    vs_pu -----------(+)--- -------- -- -------/- x ------+                 |-- IFD < 0 ? -- efd_pu
                      |     1 + s TB    1 + s TE          |   cswitch 0     |      |
    |v| -------------(-)                       emin_pu    +-- x |v| --------+   - (rc/rfd) IFD
                            TA = ta_tb x TB           non-windup limits on the lag

    A rectifier cannot carry negative field current: below zero a crowbar resistor of rc_rfd times the field's takes
    it and the field voltage is -rc_rfd IFD. rc_rfd = 0: the exciter carries negative current.
    TB = 0 takes the lead-lag out, TE = 0 is algebraic.

Per unit: voltage on the bus base, field voltage such that 1 pu gives rated voltage on the air-gap line.
Source: PSS/E Model Library, SCRX; OpenIPSL's PSSE.SCRX (there rc_rfd = 0 gives no field voltage at negative current).
"""

from gridai.kernel.blocks import clip, lag_nonwindup, lead_lag, require_within
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.exciters._common import (
    EFD,
    FIELD_CURRENT,
    INPUTS,
    NO_COMPENSATOR,
    NO_LIMITERS,
    REFUSED,
    REMEDY,
    V_REF,
    order,
)
from gridai.models.exciters.sexs import error


@kernel
def supply(p, u):
    """Factor of the field voltage: the terminal voltage where the exciter is fed from there."""
    return abs(complex(u.v_re, u.v_im)) if p.cswitch == 0.0 else 1.0


@kernel
def outputs(p, x, z, u, y):
    """Field voltage and amplifier output."""
    lead, _ = lead_lag(error(p, u), x.lead_pu, p.ta_tb * p.tb_s, p.tb_s)
    y.vr_pu, _ = lag_nonwindup(lead, x.vr_pu, p.k, p.te_s, p.emin_pu, p.emax_pu)
    y.efd_pu = supply(p, u) * y.vr_pu
    if u.xad_ifd_pu < 0.0 and p.rc_rfd > 0.0:
        y.efd_pu = -p.rc_rfd * u.xad_ifd_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Lead-lag and amplifier."""
    lead, d.lead_pu = lead_lag(error(p, u), x.lead_pu, p.ta_tb * p.tb_s, p.tb_s)
    _, d.vr_pu = lag_nonwindup(lead, x.vr_pu, p.k, p.te_s, p.emin_pu, p.emax_pu)


@kernel
def clamp(p, x, u):
    """The amplifier's state back within its limits."""
    x.vr_pu = clip(x.vr_pu, p.emin_pu, p.emax_pu)


def initialise(p, x, z, u, y, op: Start) -> None:
    """States and reference from the field voltage. Raises InitialisationError outside the limits."""
    vr = y.efd_pu / supply(p, u)
    what = f"amplifier output [pu] (field voltage {y.efd_pu:.6g})"
    require_within("SCRX", what, vr, ("emin_pu", p.emin_pu), ("emax_pu", p.emax_pu), REMEDY)
    x.vr_pu, x.lead_pu = vr, vr / p.k
    y.vr_pu = vr
    p.v_ref_pu = x.lead_pu + abs(op.v) - u.vs_pu


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits in order."""
    return order(values, ("emin_pu", "emax_pu"))


DYR = ("ta_tb", "tb_s", "k", "te_s", "emin_pu", "emax_pu", "cswitch", "rc_rfd")
"""Order of the record in a DYR file."""

MODEL = Model(
    name="SCRX",
    role="exciter",
    title="static exciter, bus-fed or separately fed",
    params=(
        Param("ta_tb", "1", None, "ratio of lead to lag time constant, TA / TB", low=0.0),
        Param("tb_s", "s", None, "lag time constant of the lead-lag; 0 takes it out", low=0.0),
        Param("k", "pu", None, "gain, above 0", low=1e-6),
        Param("te_s", "s", None, "time constant of the amplifier; 0 is algebraic", low=0.0),
        Param("emin_pu", "pu", None, "lower limit of the amplifier"),
        Param("emax_pu", "pu", None, "upper limit of the amplifier"),
        Param("cswitch", "1", 0.0, "0: fed from the terminals; otherwise a source of its own"),
        Param("rc_rfd", "1", 0.0, "crowbar resistance over field resistance; 0: negative current flows", low=0.0),
        V_REF,
    ),
    states=(
        State("lead_pu", "pu", "lagged part of the lead-lag (at rest when tb_s = 0)"),
        State("vr_pu", "pu", "amplifier output (at rest when te_s = 0)"),
    ),
    inputs=(*INPUTS, FIELD_CURRENT),
    outputs=(EFD, Output("vr_pu", "pu", "amplifier output", "vr_pu")),
    initialise=initialise,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="PSS/E Model Library, SCRX",
    check=check,
    deviations=(NO_COMPENSATOR, NO_LIMITERS, REFUSED),
)
