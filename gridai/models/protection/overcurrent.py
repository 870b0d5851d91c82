"""OVERCURRENT: overcurrent relay of a line or transformer: inverse time, and an instantaneous stage.

    M = |i| / pickup        M > 1:  dc/dt = 1 / (td (a / (M^n - 1) + b))      at c = 1 the relay trips
                            M < 1:  dc/dt = -c / treset                       (treset = 0: c falls at once)
    |i| > instant           trips at once
    trip --> breaker tb --> the branch opens at both ends

a, b, n of IEEE C37.112: moderately inverse 0.0515, 0.1140, 0.02; very inverse 19.61, 0.491, 2; extremely inverse 28.2,
0.1217, 2. a = 0, b = 1: definite time td. Between M = 1 and 1.0001 the time is that of 1.0001.

`unit` is the branch, `from_bus` the end where the relay stands (empty: the first end). Currents as MVA at nominal
voltage, so that a rating can be compared; 0 for `instant_mva` leaves that stage out.
Source: IEEE Std C37.112-2018, Inverse-Time Characteristic Equations for Overcurrent Relays.
"""

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_OPEN, Model, Output, Param, Start, State, kernel
from gridai.models.protection._line import INPUTS, MEMORY, breaker_guard, breaker_next, line_current

NEAREST = 1.0001
FALL_S = 0.005
"""Time constant of a reset "at once"."""


@kernel
def multiple(p, u):
    """Current over pickup."""
    return abs(line_current(u)) * p.s_base_mva / p.pickup_mva


@kernel
def trip_time(p, m):
    """Time to trip at a steady multiple of pickup above 1 [s]."""
    return p.td_s * (p.a / (max(m, NEAREST) ** p.n - 1.0) + p.b)


@kernel
def outputs(p, x, z, u, y):
    """Current and how far the relay has come."""
    y.i_mva = abs(line_current(u)) * p.s_base_mva
    y.travel, y.breaker = x.travel, z.breaker


@kernel
def derivatives(p, x, z, u, y, d):
    """Travel of the disc, or of what stands for it."""
    m = multiple(p, u)
    d.travel = 1.0 / trip_time(p, m) if m > 1.0 else -x.travel / max(p.treset_s, FALL_S)


@kernel
def guards(p, x, z, u, y, t, g):
    """Travel, instantaneous stage, breaker."""
    ready = z.breaker == 0.0
    g.travel = x.travel - 1.0 if ready else -1.0
    g.instant = abs(line_current(u)) * p.s_base_mva - p.instant_mva if ready and p.instant_mva > 0.0 else -1.0
    g.opened = breaker_guard(z, t)


@kernel
def update(p, x, z, u, y, t, g):
    """The breaker."""
    return breaker_next(z, g.travel > 0.0 or g.instant > 0.0, g.opened, t, p.tb_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """At rest. Raises InitialisationError when the branch is above pickup from the start."""
    x.travel = 0.0
    m = multiple(p, u)
    if m > 1.0:
        raise InitialisationError(
            f"OVERCURRENT: the branch starts at {m * p.pickup_mva:.6g} MVA, above pickup_mva = {p.pickup_mva:.6g}: the "
            "relay would trip it at rest; change the pickup or the operating point"
        )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """A time above zero."""
    if values["a"] == 0.0 and values["b"] == 0.0:
        return [("b", "a and b are 0: the relay would have no time; give b = 1 for a definite time td_s")]
    return []


MODEL = Model(
    name="OVERCURRENT",
    role="relay",
    title="inverse-time overcurrent relay of a branch",
    params=(
        Param("pickup_mva", "MVA", None, "current, as MVA at nominal voltage, above which it moves", low=1e-3),
        Param("td_s", "s", 1.0, "time dial", low=1e-3),
        Param("a", "", 0.0515, "constant of the curve; moderately inverse", low=0.0),
        Param("b", "", 0.114, "constant of the curve", low=0.0),
        Param("n", "", 0.02, "exponent of the curve", low=1e-3),
        Param("treset_s", "s", 0.0, "time constant of the reset; 0: at once", low=0.0),
        Param("instant_mva", "MVA", 0.0, "current of the instantaneous stage; 0: none", low=0.0),
        Param("tb_s", "s", 0.05, "time of the breaker", low=0.0),
    ),
    states=(State("travel", "", "how far the relay has come; it trips at 1"),),
    memory=MEMORY,
    guards=("travel", "instant", "opened"),
    inputs=INPUTS,
    outputs=(
        Output("i_mva", "MVA", "current, as MVA at nominal voltage", "i_mva"),
        Output("travel", "", "how far the relay has come; it trips at 1", "travel"),
        Output("breaker", "", "0 waiting, 1 opening, 2 opened"),
    ),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions={ACTION_OPEN: "the branch is opened"},
    source="IEEE Std C37.112-2018",
    deviations=(
        "reset by an exponential, not by the standard's curve",
        "both ends open together",
    ),
)
