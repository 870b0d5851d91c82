"""What the exciters share: their ports, the voltage error, saturation parameters, deviations."""

from gridai.kernel.blocks import lag
from gridai.kernel.contract import Input, Output, Param, kernel

REMEDY = "widen the limit, or change the unit's voltage setpoint or reactive power"
"""What can be done about an exciter that starts outside its limits."""


@kernel
def voltage_error(p, x, u):
    """Reference and stabiliser less the measured voltage [pu], and the rate of the measurement."""
    vc, d_vc = lag(abs(complex(u.v_re, u.v_im)), x.vc_pu, 1.0, p.tr_s)
    return p.v_ref_pu + u.dv_ref_pu + u.vs_pu - vc, d_vc


def order(values: dict[str, float], *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Complaints about (low, high) pairs of limits that cross."""
    return [
        (low, f"not below {high} = {values[high]:g}: give {low} < {high}")
        for low, high in pairs
        if values[low] >= values[high]
    ]


def need_lag(values: dict[str, float], *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Complaints about (lead, lag) pairs with a lead and no lag."""
    return [
        (lag_s, f"must be above 0 where {lead_s} is not 0")
        for lead_s, lag_s in pairs
        if values[lead_s] != 0.0 and values[lag_s] <= 0.0
    ]


INPUTS = (
    Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
    Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
    Input("vs_pu", "pu", "stabilizer.vs_pu", "stabiliser signal"),
    Input("dv_ref_pu", "pu", "setpoint.v_ref", "change of the voltage reference"),
)
"""What every exciter reads."""

FIELD_CURRENT = Input("xad_ifd_pu", "pu", "machine.xad_ifd_pu", "field current")
"""Read by exciters with a rectifier, and for field current limits."""

EFD = Output("efd_pu", "pu", "field voltage", "efd_pu")
"""What every exciter gives."""

TR = Param("tr_s", "s", 0.0, "time constant of the voltage transducer; 0 is algebraic", low=0.0)
V_REF = Param("v_ref_pu", "pu", None, "voltage reference", solved=True)
SATURATION = (
    Param("e1_pu", "pu", 0.0, "voltage of the first saturation point"),
    Param("se1", "1", 0.0, "saturation SE at e1_pu", low=0.0),
    Param("e2_pu", "pu", 0.0, "voltage of the second saturation point"),
    Param("se2", "1", 0.0, "saturation SE at e2_pu", low=0.0),
)
SATURATION_SOLVED = (
    Param("sat_a", "pu", None, "voltage where saturation begins", solved=True),
    Param("sat_b", "1/pu", None, "curvature of saturation", solved=True),
)

NO_COMPENSATOR = "The regulated voltage is the terminal voltage: no load compensator."
NO_LIMITERS = "No under- or over-excitation limiter is connected: their gates pass the regulator's signal."
REFUSED = "A start outside the limits is refused; PSS/E warns and goes on."
"""Deviations that several exciters have."""
