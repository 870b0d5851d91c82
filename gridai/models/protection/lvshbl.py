"""LVSHBL: under-voltage load shedding in three stages, and one stage for over-voltage; belongs to a load.

    |v| --> 1 / (1 + s tv) --> below v1, v2, v3 or above vo ? --> timers t1.. --> breaker tb --> frac1.. of the load
                                                                  (stages, modes and return as in _shedding)

Voltages in pu of the load's bus. `*` as unit gives every load a relay.
Source: PSS/E Model Library, LVSHBL (three stages of voltage, pickup time and fraction, breaker time).
"""

from gridai.kernel.blocks import lag
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.protection._shedding import (
    ACTIONS,
    GUARDS,
    MEMORY,
    OUTPUT,
    check,
    dyr,
    require_inside,
    shed_guards,
    shed_update,
    stage_params,
)
from gridai.models.protection.vtgtpat import BUS_INPUTS


@kernel
def outputs(p, x, z, u, y):
    """Measured voltage and what has been shed."""
    y.v_pu, _ = lag(abs(complex(u.v_re, u.v_im)), x.v_pu, 1.0, p.tv_s)
    y.total = z.total


@kernel
def derivatives(p, x, z, u, y, d):
    """Lag of the measurement."""
    _, d.v_pu = lag(abs(complex(u.v_re, u.v_im)), x.v_pu, 1.0, p.tv_s)


@kernel
def guards(p, x, z, u, y, t, g):
    """See shed_guards."""
    shed_guards(p, z, p.v1_pu - y.v_pu, p.v2_pu - y.v_pu, p.v3_pu - y.v_pu, y.v_pu - p.vo_pu, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See shed_update."""
    return shed_update(p, z, t, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Measurement at rest. Raises InitialisationError when a stage would pick up at once."""
    x.v_pu = abs(op.v)
    require_inside("LVSHBL", "bus voltage", x.v_pu, p, ("v1_pu", "v2_pu", "v3_pu", "vo_pu"))


DYR = (None, *dyr("v", "pu"))
"""Order of the record in a DYR file, after `bus 'LVSHBL' id`: the monitored bus comes first, then the constants."""

MODEL = Model(
    name="LVSHBL",
    role="relay",
    title="under-voltage load shedding in three stages",
    params=(
        *stage_params("v", "pu", "voltage", 9.0),
        Param("tv_s", "s", 0.0, "time constant of the measurement; 0 for none, as in PSS/E", low=0.0),
    ),
    states=(State("v_pu", "pu", "measured voltage"),),
    memory=MEMORY,
    guards=GUARDS,
    inputs=BUS_INPUTS,
    outputs=(Output("v_pu", "pu", "measured voltage"), OUTPUT),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions=ACTIONS,
    source="PSS/E Model Library, LVSHBL",
    deviations=(
        "the crossing of a threshold is located inside the step; PSS/E takes the step's end",
        "the stage for over-voltage is gridai's own",
    ),
)
