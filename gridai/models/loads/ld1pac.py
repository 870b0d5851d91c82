"""LD1PAC: single-phase air-conditioner compressors that stall, restart and trip (motor D alone).

    V --> curves of running and stalled motors, contactors, thermal and undervoltage relays (see _compressor) --> P, Q
    Q of the power flow less Q of the curves = b |V|^2: a constant shunt

Per unit on the system base; the motors' base is their power at nominal voltage over lfmd.
Source: WECC Dynamic Composite Load Model (CMPLDW) Specifications, January 27, 2015, motor D; PSLF ld1pac; the record is
that of PSS/E's ACMTBLU1.
"""

from gridai.errors import InitialisationError
from gridai.kernel.contract import Model, Output, Param, Start, kernel
from gridai.models.loads import _compressor
from gridai.models.loads._compressor import (
    compressor_admittance,
    compressor_guards,
    compressor_rates,
    compressor_track,
    compressor_update,
    contactor_part,
    running_power,
    thermal_part,
)
from gridai.models.loads.motorw import INPUTS


@kernel
def admittance(p, z):
    """The shunt that makes up the power flow's Q."""
    return complex(0.0, p.b_pu)


@kernel
def current(p, x, z, v):
    """Current into the network beyond the shunt."""
    return -p.pb_pu * compressor_admittance(p, x, z, abs(v)) * v


@kernel
def outputs(p, x, z, u, y):
    """Consumed power and what has become of the motors."""
    m = abs(complex(u.v_re, u.v_im))
    total = p.pb_pu * compressor_admittance(p, x, z, m) + complex(0.0, p.b_pu)
    y.p_pu, y.q_pu = z.on * total.real * m**2, -z.on * total.imag * m**2
    y.stalled = (1.0 - p.frst) * z.stalled_a + p.frst * z.stalled_b
    y.closed = contactor_part(p, z.closed, x.vm_pu)
    a, b = thermal_part(p, z.left_a, x.theta_a), thermal_part(p, z.left_b, x.theta_b)
    y.left = (1.0 - p.frst) * a + p.frst * b


@kernel
def derivatives(p, x, z, u, y, d):
    """See compressor_rates."""
    compressor_rates(p, x, z, complex(u.v_re, u.v_im), d)


@kernel
def track(p, x, z):
    """See compressor_track."""
    compressor_track(p, x, z)


@kernel
def guards(p, x, z, u, y, t, g):
    """See compressor_guards."""
    compressor_guards(p, x, z, t, g)


@kernel
def update(p, x, z, u, y, t, g):
    """See compressor_update."""
    return compressor_update(p, z, t, g)


def initialise(p, x, z, u, y, op: Start) -> None:
    """All motors run. Raises InitialisationError where they would stall or their contactors open at rest."""
    _compressor.derive(p)
    vm = abs(op.v)
    require_running("LD1PAC", vm, p)
    at = running_power(p, vm)
    p.pb_pu = op.p_pu / at.real
    p.b_pu = (p.pb_pu * at.imag - op.q_pu) / vm**2
    _compressor.start(p, x, z, op.v)


def require_running(name: str, vm: float, p) -> None:
    """Raise InitialisationError naming the threshold that the voltage at the motors is below."""
    limits = {"vstall_pu": p.vstall_adj_pu, "vc1off_pu": p.vc1off_pu}
    if p.fuvr > 0.0:
        limits |= {"uvtr1_pu": p.uvtr1_pu, "uvtr2_pu": p.uvtr2_pu}
    for field, limit in limits.items():
        if vm <= limit:
            raise InitialisationError(
                f"{name}: the voltage at the compressors starts at {vm:.6g} pu, below {field} = {limit:.6g}: they "
                "would not run; give other thresholds or a power flow with a higher voltage"
            )


DYR = tuple(q.name for q in _compressor.PARAMS)
"""Order of the constants in a DYR file (ACMTBLU1)."""

MODEL = Model(
    name="LD1PAC",
    role="load",
    title="single-phase compressors that stall",
    params=(
        *_compressor.PARAMS,
        *_compressor.SOLVED,
        Param("pb_pu", "pu", None, "power of the motors at nominal voltage", solved=True),
        Param("b_pu", "pu", None, "shunt that makes up the power flow's Q", solved=True),
    ),
    states=_compressor.STATES,
    memory=_compressor.MEMORY,
    guards=_compressor.GUARDS,
    inputs=INPUTS,
    outputs=(
        Output("p_pu", "pu", "consumed active power", "p_mw", on_base=True),
        Output("q_pu", "pu", "consumed reactive power", "q_mvar", on_base=True),
        Output("stalled", "", "part of the motors that has stalled", "stalled"),
        Output("closed", "", "part of the contactors that is closed", "closed"),
        Output("left", "", "part of the motors that thermal relays have left", "left"),
    ),
    initialise=initialise,
    admittance=admittance,
    check=_compressor.check,
    kernels={
        "current": current,
        "outputs": outputs,
        "derivatives": derivatives,
        "track": track,
        "guards": guards,
        "update": update,
    },
    actions=_compressor.ACTIONS,
    source="WECC Dynamic Composite Load Model Specifications, January 27, 2015, motor D; PSLF ld1pac",
    deviations=(
        "the jump of power where the curves of running and stalled motors meet is spread over 0.02 pu",
        "restart and stall are of all motors of a part at once; the inverse-time stall of some programs is left out",
        "temperatures start where the running current keeps them",
    ),
)
