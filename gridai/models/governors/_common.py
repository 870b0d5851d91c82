"""What the governors share: their ports, the standard deviation, the check of limits."""

from gridai.kernel.contract import Input, Output, Param

OMEGA = Input("omega_pu", "pu", "machine.omega_pu", "speed", default=1.0)
DP_REF = Input("dp_ref_pu", "pu", "setpoint.p_ref", "change of the load reference, in pu power")
PM = Output("pm_pu", "pu", "mechanical power", "pm_mw", on_base=True)
P_REF = Param("p_ref_pu", "pu", None, "load reference", solved=True)

REMEDY = "widen the limit, or change the unit's dispatch or MVA base"
"""What can be done about a governor that starts outside its limits."""

REFUSED = "A start outside the limits is refused; PSS/E warns and goes on."


def order(values: dict[str, float], low: str, high: str) -> list[tuple[str, str]]:
    """A complaint if two limits cross."""
    if values[low] >= values[high]:
        return [(low, f"not below {high} = {values[high]:g}: give {low} < {high}")]
    return []
