"""LDSHBL: under-frequency load shedding in three stages, and one stage for over-frequency; belongs to a load.

    v --> phase tracking --> 1/tf --> 1 / (1 + s tf) --> f       (the measurement of FRQTPAT)
    f below f1, f2, f3 or above fo ? --> timers t1.. --> breaker tb --> frac1.. of the load
                                         (stages, modes and return as in _shedding)

Frequencies in Hz. `*` as unit gives every load a relay. A jump of the bus angle passes the measurement as a pulse; a
pickup time above about 0.1 s rides through it (see FRQTPAT).
Source: PSS/E Model Library, LDSHBL (three stages of frequency, pickup time and fraction, breaker time).
"""

import numpy as np

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
from gridai.models.protection.frqtpat import derivatives
from gridai.models.protection.vtgtpat import BUS_INPUTS


@kernel
def outputs(p, x, z, u, y):
    """Measured frequency and what has been shed."""
    y.f_hz = p.omega_base * (1.0 + x.df_pu) / (2.0 * np.pi)
    y.total = z.total


@kernel
def guards(p, x, z, u, y, t, g):
    """See shed_guards; the frequency in pu."""
    hz = 2.0 * np.pi / p.omega_base
    f = 1.0 + x.df_pu
    shed_guards(p, z, p.f1_hz * hz - f, p.f2_hz * hz - f, p.f3_hz * hz - f, f - p.fo_hz * hz, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See shed_update."""
    return shed_update(p, z, t, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Measurement at rest. Raises InitialisationError when a stage would pick up at once."""
    x.theta_rad, x.df_pu = np.angle(op.v), 0.0
    f_nominal = p.omega_base / (2.0 * np.pi)
    require_inside("LDSHBL", "frequency [Hz]", f_nominal, p, ("f1_hz", "f2_hz", "f3_hz", "fo_hz"))


DYR = dyr("f", "hz")
"""Order of the record in a DYR file, after `bus 'LDSHBL' id`."""

MODEL = Model(
    name="LDSHBL",
    role="relay",
    title="under-frequency load shedding in three stages",
    params=(
        *stage_params("f", "Hz", "frequency", 999.0),
        Param("tf_s", "s", 0.05, "time constant of the frequency measurement, applied twice", low=1e-3),
    ),
    states=(
        State("theta_rad", "rad", "tracked angle of the bus voltage"),
        State("df_pu", "pu", "measured deviation of the bus frequency"),
    ),
    memory=MEMORY,
    guards=GUARDS,
    inputs=BUS_INPUTS,
    outputs=(Output("f_hz", "Hz", "measured bus frequency"), OUTPUT),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions=ACTIONS,
    source="PSS/E Model Library, LDSHBL",
    deviations=(
        "the crossing of a threshold is located inside the step; PSS/E takes the step's end",
        "the frequency is filtered by tf_s twice; PSS/E differentiates the bus angle over a step",
        "the stage for over-frequency is gridai's own",
    ),
)
