"""AGCUNIT: how a unit follows its area's order: share, limits, ramp; its output moves the governor's load reference.

                      [down_mw, up_mw]      +ramp
    order of AGC --> share x --/ --(+)--> 1/t --/ --> 1/s --+--> setpoint.p_ref of the governor [pu of machine base]
                                    (-)         -ramp       |
                                     +----------------------+

Column `area` names the unit or load of the AGC row that this unit follows; the shares of an area sum to 1.
Source: Kundur 1994, section 11.1.6 (participation of units); ramp limits as system operators state them, MW a minute.
"""

from gridai.kernel.blocks import clip, servo
from gridai.kernel.contract import Input, Model, Output, Param, Start, State, kernel


@kernel
def outputs(p, x, z, u, y):
    """Change of the load reference."""
    y.p_ref = x.dp_pu


@kernel
def derivatives(p, x, z, u, y, d):
    """Towards the unit's part of the order, as fast as it may."""
    target = clip(p.share * u.order_mw, p.down_mw, p.up_mw) / p.mva
    rate = p.ramp_mw_per_min / (60.0 * p.mva)
    _, d.dp_pu = servo(target, x.dp_pu, p.t_s, -rate, rate, p.down_mw / p.mva, p.up_mw / p.mva)


@kernel
def clamp(p, x, u):
    """Back within the limits."""
    x.dp_pu = clip(x.dp_pu, p.down_mw / p.mva, p.up_mw / p.mva)


def initialise(p, x, z, u, y, op: Start) -> None:
    """At the start the load reference is the governor's own."""
    x.dp_pu = y.p_ref = 0.0


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Limits on both sides of zero."""
    if not values["down_mw"] <= 0.0 <= values["up_mw"]:
        return [("down_mw", f"down_mw <= 0 <= up_mw = {values['up_mw']:g} must hold: the change starts at 0")]
    return []


MODEL = Model(
    name="AGCUNIT",
    role="setpoint",
    title="unit that follows an area controller",
    params=(
        Param("share", "", None, "participation factor", low=0.0, high=1.0),
        Param("ramp_mw_per_min", "MW/min", 1e6, "fastest change", low=1e-3),
        Param("up_mw", "MW", 1e6, "most that is added to the unit's power", low=0.0),
        Param("down_mw", "MW", -1e6, "most that is taken from it (negative)", high=0.0),
        Param("t_s", "s", 1.0, "time constant with which the reference follows", low=0.02),
    ),
    states=(State("dp_pu", "pu", "change of the load reference"),),
    inputs=(Input("order_mw", "MW", "area.order_mw", "order of the area's controller"),),
    outputs=(Output("p_ref", "pu", "change of the governor's load reference", "agc_mw", on_base=True),),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "clamp": clamp},
    source="Kundur 1994, section 11.1.6",
)
