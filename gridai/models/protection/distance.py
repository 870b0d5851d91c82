r"""DISTANCE: distance relay of a line: three mho zones, each with its time, direction by the voltage before the fault.

    jX     _____                zone k: circle through a point 5 % of zone 1 behind the relay and reach_k z_line,
         /       \             on the line's angle. In it (v: voltage, i: current into the line, c: centre, r: radius)
        |  zone 1 |                     |v - c i| < r |i|
         \__ ____/   R          and  Re(v_mem conj(i) e^(-j angle)) > 0,  |i| > imin
            relay

    v --> 1 / (1 + s tm) --> v_mem, which still has a direction when the fault has taken the voltage away

    in zone k --> timer tk --> breaker tb --> the line opens at both ends;  out of it (HYSTERESIS) the timer starts anew

`unit` is the branch, `from_bus` the end where the relay stands (empty: the first end); one row an end. Reaches are
parts of the branch's own impedance; a reach of 0 leaves a zone out. Currents in pu of the system base.
Source: Horowitz and Phadke, Power System Relaying, 4th edition 2014, chapters 4 and 5 (mho characteristic, memory
polarisation, zones of 80-90 %, 120-150 % and beyond).
"""

import numpy as np

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_OPEN, Model, Output, Param, Start, State, kernel
from gridai.models.loads._compressor import timer_guards, timer_next
from gridai.models.protection._line import INPUTS, MEMORY, breaker_guard, breaker_next, line_current

BEHIND = 0.05
"""How far zone 1's circle reaches behind the relay, as part of its reach: a fault at the relay lies inside."""


@kernel
def depth(p, x, u, reach):
    """How far inside a zone the point lies [pu voltage]; negative outside, behind the relay, at too little current."""
    i = line_current(u)
    size = abs(i)
    if reach <= 0.0 or size <= p.imin_pu or (p.z_re == 0.0 and p.z_im == 0.0):
        return -1.0
    z = complex(p.z_re, p.z_im)
    far, near = reach * z, -BEHIND * p.reach1 * z
    inside = 0.5 * abs(far - near) * size - abs(complex(u.v_re, u.v_im) - 0.5 * (far + near) * i)
    turned = complex(x.mem_re, x.mem_im) * i.conjugate() * z.conjugate()
    return min(inside, turned.real / abs(z))


@kernel
def outputs(p, x, z, u, y):
    """Apparent impedance over the line's, along the line (a large value without current), current, breaker."""
    i = line_current(u)
    y.i_pu = abs(i)
    y.reach = 99.0
    line = complex(p.z_re, p.z_im)
    if abs(i) > 1e-6 and abs(line) > 0.0:
        y.reach = min(max((complex(u.v_re, u.v_im) / (i * line)).real, -99.0), 99.0)
    y.breaker = z.breaker


@kernel
def derivatives(p, x, z, u, y, d):
    """The remembered voltage."""
    d.mem_re, d.mem_im = (u.v_re - x.mem_re) / p.tm_s, (u.v_im - x.mem_im) / p.tm_s


@kernel
def guards(p, x, z, u, y, t, g):
    """The three zones and the breaker."""
    off = -1.0
    ready = z.breaker == 0.0
    g.zone1, g.due1 = timer_guards(z.mode1, depth(p, x, u, p.reach1) if ready else off, t, z.due1_s)
    g.zone2, g.due2 = timer_guards(z.mode2, depth(p, x, u, p.reach2) if ready else off, t, z.due2_s)
    g.zone3, g.due3 = timer_guards(z.mode3, depth(p, x, u, p.reach3) if ready else off, t, z.due3_s)
    g.opened = breaker_guard(z, t)


@kernel
def update(p, x, z, u, y, t, g):
    """Timers of the zones, then the breaker."""
    z.mode1, z.due1_s, one = timer_next(z.mode1, z.due1_s, g.zone1, g.due1, t, p.t1_s)
    z.mode2, z.due2_s, two = timer_next(z.mode2, z.due2_s, g.zone2, g.due2, t, p.t2_s)
    z.mode3, z.due3_s, three = timer_next(z.mode3, z.due3_s, g.zone3, g.due3, t, p.t3_s)
    return breaker_next(z, one + two + three > 0.0, g.opened, t, p.tb_s)


def initialise(p, x, z, u, y, op: Start) -> None:
    """The line's impedance from the branch. Raises InitialisationError when the load lies in a zone."""
    x.mem_re, x.mem_im = u.v_re, u.v_im
    ym = complex(u.ym_re, u.ym_im)
    line = -1.0 / ym if ym != 0.0 else 0j
    p.z_re, p.z_im = line.real, line.imag
    for k in (1, 2, 3):
        if depth(p, x, u, p[f"reach{k}"]) > 0.0:
            raise InitialisationError(
                f"DISTANCE: the line's load lies in zone {k} at the start, where the impedance is "
                f"{np.real(complex(u.v_re, u.v_im) / (line_current(u) * line)):.3g} of the line's along it: "
                f"give a smaller reach{k}"
            )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """Zones in order."""
    found = []
    if 0.0 < values["reach2"] < values["reach1"]:
        found.append(("reach2", f"not above reach1 = {values['reach1']:g}"))
    if 0.0 < values["reach3"] < values["reach2"]:
        found.append(("reach3", f"not above reach2 = {values['reach2']:g}"))
    return found


MODEL = Model(
    name="DISTANCE",
    role="relay",
    title="distance relay of a line, three mho zones",
    params=(
        Param("reach1", "", 0.8, "zone 1: reach as part of the line's impedance", low=0.0, high=100.0),
        Param("t1_s", "s", 0.0, "zone 1: time", low=0.0),
        Param("reach2", "", 1.2, "zone 2: reach; 0: no such zone", low=0.0, high=100.0),
        Param("t2_s", "s", 0.35, "zone 2: time", low=0.0),
        Param("reach3", "", 0.0, "zone 3: reach; 0: no such zone", low=0.0, high=100.0),
        Param("t3_s", "s", 1.0, "zone 3: time", low=0.0),
        Param("tb_s", "s", 0.05, "time of the breaker", low=0.0),
        Param("imin_pu", "pu", 0.1, "current below which the relay does not act", low=0.0),
        Param("tm_s", "s", 0.1, "time constant of the memory of the voltage", low=1e-3),
        Param("z_re", "pu", None, "resistance of the line", solved=True),
        Param("z_im", "pu", None, "reactance of the line", solved=True),
    ),
    states=(
        State("mem_re", "pu", "remembered voltage, real part"),
        State("mem_im", "pu", "remembered voltage, imaginary part"),
    ),
    memory=(
        *MEMORY,
        *(State(f"mode{k}", "", f"zone {k}: 0 idle, 1 timing") for k in (1, 2, 3)),
        *(State(f"due{k}_s", "s", f"zone {k}: when its time is over") for k in (1, 2, 3)),
    ),
    guards=("zone1", "due1", "zone2", "due2", "zone3", "due3", "opened"),
    inputs=INPUTS,
    outputs=(
        Output("reach", "", "apparent impedance along the line, as part of the line's", "reach"),
        Output("i_pu", "pu", "current into the line", "i_pu"),
        Output("breaker", "", "0 waiting, 1 opening, 2 opened"),
    ),
    initialise=initialise,
    check=check,
    kernels={"outputs": outputs, "derivatives": derivatives, "guards": guards, "update": update},
    actions={ACTION_OPEN: "the line is opened"},
    source="Horowitz and Phadke, Power System Relaying, 4th edition 2014",
    deviations=(
        "positive sequence; no reclosing, no blinders, no power-swing blocking, both ends open together",
        "the branch's charging is part of the measured current, as in the field",
    ),
)
