"""LDELEC: electronic load: constant power that drops out between two voltages and comes back in part.

    P = P0 f(V),  Q = Q0 f(V)         Vmin: the lowest voltage so far, not below vd2

    f   1                                                  Vmin >= vd1
        (V - vd2) / (vd1 - vd2)                            falling: V = Vmin
        ((Vmin - vd2) + frcel (V - Vmin)) / (vd1 - vd2)    recovering, V < vd1
        ((Vmin - vd2) + frcel (vd1 - Vmin)) / (vd1 - vd2)  afterwards
        0                                                  V <= vd2

    These are one expression with V limited to vd1. frcel is the part of what dropped out that comes back.

P0 and Q0 are those of the power flow, load sign. Per unit on the system base.
Source: WECC Dynamic Composite Load Model (CMPLDW) Specifications, January 27, 2015, electronic load.
"""

from gridai.errors import InitialisationError
from gridai.kernel.contract import Model, Output, Param, Start, State, kernel
from gridai.models.loads.motorw import INPUTS


@kernel
def served(v, v_low, vd1, vd2, frcel):
    """Part of an electronic load that is connected at voltage v when the lowest before was v_low."""
    low = max(vd2, min(v, v_low))
    if low >= vd1:
        return 1.0
    top = max(vd2, min(v, vd1))
    return ((low - vd2) + frcel * (top - low)) / (vd1 - vd2)


@kernel
def current(p, x, z, v):
    """Current into the network: minus the conjugate of S / v."""
    size = v.real**2 + v.imag**2
    part = served(abs(v), z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    if part <= 0.0:
        return complex(0.0, 0.0)
    return -part * complex(p.p0_pu, -p.q0_pu) * v / size


@kernel
def outputs(p, x, z, u, y):
    """Consumed power, connected part."""
    y.part = served(abs(complex(u.v_re, u.v_im)), z.v_low_pu, p.vd1_pu, p.vd2_pu, p.frcel)
    y.p_pu, y.q_pu = z.on * y.part * p.p0_pu, z.on * y.part * p.q0_pu


@kernel
def track(p, u, z):
    """The lowest voltage so far, not below vd2, where nothing is left to drop out."""
    z.v_low_pu = min(z.v_low_pu, max(abs(complex(u.v_re, u.v_im)), p.vd2_pu))


def initialise(p, x, z, u, y, op: Start) -> None:
    """All load connected. Raises InitialisationError at or below vd1."""
    p.p0_pu, p.q0_pu, z.v_low_pu = op.p_pu, op.q_pu, abs(op.v)
    require_connected("LDELEC", abs(op.v), p.vd1_pu)


def require_connected(name: str, vm_pu: float, vd1_pu: float) -> None:
    """Raise InitialisationError where the load would have dropped out in part before the start."""
    if vm_pu < vd1_pu:
        raise InitialisationError(
            f"{name}: the voltage at the electronic load starts at {vm_pu:.6g} pu, below vd1_pu = {vd1_pu:.6g}: "
            "give a lower vd1_pu or a power flow with a higher voltage"
        )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """The voltages in order."""
    if not values["vd2_pu"] < values["vd1_pu"]:
        return [("vd2_pu", f"must be below vd1_pu = {values['vd1_pu']:g}")]
    return []


PARAMS = (
    Param("vd1_pu", "pu", 0.7, "voltage at which load begins to drop out", low=0.1, high=1.2),
    Param("vd2_pu", "pu", 0.5, "voltage at which all has dropped out", low=0.05, high=1.2),
)
FRCEL = Param("frcel", "", 1.0, "part of what dropped out that comes back", low=0.0, high=1.0)

MODEL = Model(
    name="LDELEC",
    role="load",
    title="electronic load that drops out at low voltage",
    params=(
        *PARAMS,
        FRCEL,
        Param("p0_pu", "pu", None, "consumed active power of the power flow", solved=True),
        Param("q0_pu", "pu", None, "consumed reactive power of the power flow", solved=True),
    ),
    states=(),
    memory=(State("v_low_pu", "pu", "lowest voltage so far", start=1.0),),
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("part", "", "part of the load that is connected", "connected"),
    ),
    initialise=initialise,
    check=check,
    kernels={"current": current, "outputs": outputs, "track": track},
    source="WECC Dynamic Composite Load Model Specifications, January 27, 2015, electronic load",
)
