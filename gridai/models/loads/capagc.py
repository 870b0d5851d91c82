"""CAPAGC: a cluster that follows a part of its area's order by power caps, as generators do by their governors.

    order of the AGC (column `area`) x share --> to the nearest resolution_mw, every cycle_s --> delay of delay_cycles
                                            --> caps --> 1/(1 + s t), ramps --> relief
    P = P0 - relief,   -up_mw <= relief <= min(down_mw, P0 - idle_mw) + store_mw while it has given less than store_mj

An order above 0 asks for more generation, so the cluster takes power off; below 0 it does work that waits. To follow
in both directions it runs at P0 with up_mw above it in hand. `share` is beyond the shares of the units, which sum to 1:
for a cluster that takes the part s of the whole, share = s / (1 - s) and the AGC's gains times (1 - s).

Load sign: P > 0 consumes. Per unit on the system base.
Source: following of 2 s and 4 s regulation signals by clusters is reported feasible (reference data of this project);
latency of caps: arXiv:2605.26384; resolution and ramps are settings.
"""

from gridai.kernel.blocks import clip
from gridai.kernel.contract import Input, Model, Param, Start, kernel
from gridai.models.loads._capping import (
    DEVIATIONS,
    INPUTS,
    KERNELS,
    MEMORY,
    OUTPUTS,
    PARAMS,
    STATES,
    at_rest,
    enter,
    rounded,
    whole_delay,
)


@kernel
def update(p, x, z, u, y, t, g):
    """Take the order, and set the caps of delay_cycles ago."""
    if g.tick > 0.0:
        enter(p, z, rounded(clip(p.share * u.order_mw, -p.up_mw, p.down_mw + p.store_mw), p.resolution_mw))
    return 0


def initialise(p, x, z, u, y, op: Start) -> None:
    """At rest at the power of the power flow. Raises InitialisationError for one below idle_mw, or a source."""
    at_rest(p, x, z, u, y, op)


MODEL = Model(
    name="CAPAGC",
    role="load",
    title="cluster that follows its area's order by power caps",
    params=(Param("share", "", None, "part of the order that it follows", low=0.0), *PARAMS),
    states=STATES,
    memory=MEMORY,
    guards=("tick",),
    inputs=(*INPUTS, Input("order_mw", "MW", "area.order_mw", "order of the area's controller")),
    outputs=OUTPUTS,
    initialise=initialise,
    check=whole_delay,
    kernels={**KERNELS, "update": update},
    source="arXiv:2605.26384 (latency of caps); see the module's docstring",
    deviations=DEVIATIONS,
)
