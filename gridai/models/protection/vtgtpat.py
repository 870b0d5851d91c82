"""VTGTPAT: under- and over-voltage relay that trips the unit it belongs to.

    |v| --> 1 / (1 + s tv) --> outside [vl, vu] ? --pickup--> timer tp --> breaker tb --> trip
                                      |                         |
                                      +------ back inside ------+ (timer starts anew next time)

    mode 0 waiting --(outside)--> 1 timing --(tp over)--> 2 breaker opening --(tb over)--> 3 tripped
                  <--(inside)--

Once the timer has run out the breaker opens even if the voltage returns. The timer keeps running when the voltage
passes from one side to the other. Going back inside needs HYSTERESIS beyond the threshold, so that a signal that
stands on the threshold does not chatter.

A unit may have several relays, one a row: a stage of its own each.
Voltages in pu of the bus. With vl_pu = 0 or vu_pu large that side never acts.
Source: PSS/E Model Library, VTGTPAT (thresholds VL and VU, pickup time TP, breaker time TB).
"""

from gridai.errors import InitialisationError
from gridai.kernel.blocks import lag
from gridai.kernel.contract import ACTION_TRIP, Input, Model, Output, Param, Start, State, kernel

WAITING, TIMING, OPENING, TRIPPED = 0.0, 1.0, 2.0, 3.0
HYSTERESIS = 1e-6
"""Share of the threshold's unit (pu voltage here, pu frequency in FRQTPAT) that a return must exceed."""


@kernel
def relay_guards(signal, low, high, z, t, g):
    """Guards of the modes: the signal leaves the band, comes back, the timer runs out, the breaker is open."""
    g.pickup, g.reset, g.expired, g.opened = -1.0, -1.0, -1.0, -1.0
    if z.mode == WAITING:
        g.pickup = max(low - signal, signal - high)
    elif z.mode == TIMING:
        g.reset = min(signal - low, high - signal) - HYSTERESIS
        g.expired = t - z.due_s
    elif z.mode == OPENING:
        g.opened = t - z.due_s


@kernel
def relay_update(pickup_s, breaker_s, z, t, g):
    """Next mode; returns ACTION_TRIP when the breaker has opened. A timer that is due wins over a return."""
    if z.mode == WAITING and g.pickup > 0.0:
        z.mode, z.start_s, z.due_s = TIMING, t, t + pickup_s
    elif z.mode == TIMING and g.expired > 0.0:
        z.mode, z.due_s = OPENING, t + breaker_s
    elif z.mode == TIMING and g.reset > 0.0:
        z.mode = WAITING
    elif z.mode == OPENING and g.opened > 0.0:
        z.mode = TRIPPED
        return ACTION_TRIP
    return 0


@kernel
def outputs(p, x, z, u, y):
    """Measured voltage and the relay's mode."""
    y.v_pu, _ = lag(abs(complex(u.v_re, u.v_im)), x.v_pu, 1.0, p.tv_s)
    y.mode = z.mode


@kernel
def derivatives(p, x, z, u, y, d):
    """Lag of the measurement."""
    _, d.v_pu = lag(abs(complex(u.v_re, u.v_im)), x.v_pu, 1.0, p.tv_s)


@kernel
def guards(p, x, z, u, y, t, g):
    """See relay_guards."""
    relay_guards(y.v_pu, p.vl_pu, p.vu_pu, z, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See relay_update."""
    return relay_update(p.tp_s, p.tb_s, z, t, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """Measurement at rest. Raises InitialisationError when the relay would pick up at once."""
    x.v_pu = abs(op.v)
    require_inside("VTGTPAT", "bus voltage", x.v_pu, ("vl_pu", p.vl_pu), ("vu_pu", p.vu_pu))


def require_inside(model: str, what: str, value: float, low: tuple[str, float], high: tuple[str, float]) -> None:
    """Raise InitialisationError when the operating point is not between the thresholds (name, value)."""
    if not low[1] < value < high[1]:
        name, limit = low if value <= low[1] else high
        raise InitialisationError(
            f"{model}: {what} starts at {value:.6g}, outside {name} = {limit:.6g}: the relay would trip the unit at "
            "rest; change the threshold or the operating point"
        )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """The thresholds leave a band."""
    if values["vl_pu"] >= values["vu_pu"]:
        return [("vl_pu", f"not below vu_pu = {values['vu_pu']:g}")]
    return []


MEMORY = (
    State("mode", "", "0 waiting, 1 timing, 2 breaker opening, 3 tripped"),
    State("start_s", "s", "time of the last pickup"),
    State("due_s", "s", "time when the timer or the breaker is due"),
)
GUARDS = ("pickup", "reset", "expired", "opened")
TIMES = (
    Param("tp_s", "s", None, "time outside the band until the relay acts", low=0.0),
    Param("tb_s", "s", 0.0, "time of the breaker after that", low=0.0),
)
BUS_INPUTS = (
    Input("v_re", "pu", "bus.v_re", "bus voltage, real part"),
    Input("v_im", "pu", "bus.v_im", "bus voltage, imaginary part"),
)

DYR = (None, None, None, "vl_pu", "vu_pu", "tp_s", "tb_s")
"""Order of the record in a DYR file, after `number 'VTGTPAT'`: monitored bus, generator's bus and id come first."""

MODEL = Model(
    name="VTGTPAT",
    role="relay",
    title="under- and over-voltage relay that trips its unit",
    params=(
        Param("vl_pu", "pu", 0.0, "lower threshold", low=-1.0),
        Param("vu_pu", "pu", 9.0, "upper threshold"),
        *TIMES,
        Param("tv_s", "s", 0.0, "time constant of the measurement; 0 for none, as in PSS/E", low=0.0),
    ),
    states=(State("v_pu", "pu", "measured voltage"),),
    memory=MEMORY,
    guards=GUARDS,
    inputs=BUS_INPUTS,
    outputs=(
        Output("v_pu", "pu", "measured voltage"),
        Output("mode", "", "0 waiting, 1 timing, 2 breaker opening, 3 tripped"),
    ),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions={ACTION_TRIP: "voltage relay"},
    source="PSS/E Model Library, VTGTPAT",
    deviations=("the crossing of a threshold is located inside the step; PSS/E takes the step's end",),
)
