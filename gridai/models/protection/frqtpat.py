"""FRQTPAT: under- and over-frequency relay that trips the unit it belongs to.

    v --> Im(v e^{-j theta}) / max(|v|, 0.1) --> 1/tf --+--> 1/s --> theta
                                                       +--> 1/(2 pi) --> 1 / (1 + s tf) --> f - f_nominal

    f outside [fl, fu] --pickup--> timer tp --> breaker tb --> trip      (modes and reset as in VTGTPAT)

The bus frequency comes from the angle of the bus voltage through the filter above. A jump of the angle (a fault, a
switched line) passes as a pulse: 30 degrees at tf = 0.05 s reach about 0.6 Hz for 0.1 s, so a pickup time below that
acts on faults too, as it does in the field. Below 0.1 pu of voltage the measurement returns to nominal.

Thresholds in Hz. With fl_hz = 0 or fu_hz large that side never acts.
Source: PSS/E Model Library, FRQTPAT (thresholds FL and FU, pickup time TP, breaker time TB).
"""

import numpy as np

from gridai.kernel.blocks import lag
from gridai.kernel.contract import ACTION_TRIP, Model, Output, Param, Start, State, kernel
from gridai.models.loads.zip import phase_error
from gridai.models.protection.vtgtpat import (
    BUS_INPUTS,
    GUARDS,
    MEMORY,
    TIMES,
    relay_guards,
    relay_update,
    require_inside,
)


@kernel
def outputs(p, x, z, u, y):
    """Measured frequency and the relay's mode."""
    y.f_hz = p.omega_base * (1.0 + x.df_pu) / (2.0 * np.pi)
    y.mode = z.mode


@kernel
def derivatives(p, x, z, u, y, d):
    """Phase tracking and the lag of the frequency."""
    d.theta_rad = phase_error(complex(u.v_re, u.v_im), x.theta_rad) / p.tf_s
    _, d.df_pu = lag(d.theta_rad / p.omega_base, x.df_pu, 1.0, p.tf_s)


@kernel
def guards(p, x, z, u, y, t, g):
    """See relay_guards; the frequency in pu."""
    f_nominal = p.omega_base / (2.0 * np.pi)
    relay_guards(1.0 + x.df_pu, p.fl_hz / f_nominal, p.fu_hz / f_nominal, z, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See relay_update."""
    return relay_update(p.tp_s, p.tb_s, z, t, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Measurement at rest. Raises InitialisationError when the relay would pick up at once."""
    x.theta_rad, x.df_pu = np.angle(op.v), 0.0
    f_nominal = p.omega_base / (2.0 * np.pi)
    require_inside("FRQTPAT", "frequency [Hz]", f_nominal, ("fl_hz", p.fl_hz), ("fu_hz", p.fu_hz))


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """The thresholds leave a band."""
    if values["fl_hz"] >= values["fu_hz"]:
        return [("fl_hz", f"not below fu_hz = {values['fu_hz']:g}")]
    return []


DYR = (None, None, None, "fl_hz", "fu_hz", "tp_s", "tb_s")
"""Order of the record in a DYR file, after `number 'FRQTPAT'`: monitored bus, generator's bus and id come first."""

MODEL = Model(
    name="FRQTPAT",
    role="relay",
    title="under- and over-frequency relay that trips its unit",
    params=(
        Param("fl_hz", "Hz", 0.0, "lower threshold", low=0.0),
        Param("fu_hz", "Hz", 999.0, "upper threshold"),
        *TIMES,
        Param("tf_s", "s", 0.05, "time constant of the frequency measurement, applied twice", low=1e-3),
    ),
    states=(
        State("theta_rad", "rad", "tracked angle of the bus voltage"),
        State("df_pu", "pu", "measured deviation of the bus frequency"),
    ),
    memory=MEMORY,
    guards=GUARDS,
    inputs=BUS_INPUTS,
    outputs=(
        Output("f_hz", "Hz", "measured bus frequency"),
        Output("mode", "", "0 waiting, 1 timing, 2 breaker opening, 3 tripped"),
    ),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions={ACTION_TRIP: "frequency relay"},
    source="PSS/E Model Library, FRQTPAT",
    deviations=("the crossing of a threshold is located inside the step; PSS/E takes the step's end",),
)
