"""Four stages that shed load: what LVSHBL and LDSHBL share. Three act below a threshold, one above.

signal outside --pickup--> timer --over--> breaker --open--> a share of the load is gone
               <-- back inside (HYSTERESIS) --+

mode 0 waiting, 1 timing, 2 breaker opening, 3 opened; an opened stage stays open. Shares are parts of the load as it
was at the start, and add up. Once a timer has run out its breaker opens even if the signal returns.
"""

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_SHED, Output, Param, State, kernel

WAITING, TIMING, OPENING, OPENED = 0.0, 1.0, 2.0, 3.0
HYSTERESIS = 1e-6
"""What a return must exceed, in pu of voltage or frequency, so that a signal on its threshold does not chatter."""


@kernel
def stage_crossing(mode, outside, share):
    """Guard: the signal leaves the band by `outside` > 0, or comes back while the timer runs."""
    if share <= 0.0:
        return -1.0
    if mode == WAITING:
        return outside
    if mode == TIMING:
        return -outside - HYSTERESIS
    return -1.0


@kernel
def stage_due(mode, t, due_s):
    """Guard: the timer is over, or the breaker is open."""
    if mode in (TIMING, OPENING):
        return t - due_s
    return -1.0


@kernel
def stage_next(mode, due_s, crossed, due, t, pickup_s, breaker_s):
    """(mode, instant that it waits for, 1 if the breaker has just opened)."""
    if mode == WAITING and crossed > 0.0:
        return TIMING, t + pickup_s, 0.0
    if mode == TIMING and due > 0.0:
        if breaker_s <= 0.0:
            return OPENED, due_s, 1.0
        return OPENING, t + breaker_s, 0.0
    if mode == TIMING and crossed > 0.0:
        return WAITING, due_s, 0.0
    if mode == OPENING and due > 0.0:
        return OPENED, due_s, 1.0
    return mode, due_s, 0.0


@kernel
def shed_guards(p, z, low1, low2, low3, high, t, g):
    """All guards, from how far the signal is below the three lower thresholds and above the upper one."""
    g.crossing1, g.due1 = stage_crossing(z.mode1, low1, p.frac1), stage_due(z.mode1, t, z.due1_s)
    g.crossing2, g.due2 = stage_crossing(z.mode2, low2, p.frac2), stage_due(z.mode2, t, z.due2_s)
    g.crossing3, g.due3 = stage_crossing(z.mode3, low3, p.frac3), stage_due(z.mode3, t, z.due3_s)
    g.crossing4, g.due4 = stage_crossing(z.mode4, high, p.fraco), stage_due(z.mode4, t, z.due4_s)


@kernel
def shed_update(p, z, t, g):
    """Next mode of every stage; z.shed is what opens now."""
    z.mode1, z.due1_s, open1 = stage_next(z.mode1, z.due1_s, g.crossing1, g.due1, t, p.t1_s, p.tb_s)
    z.mode2, z.due2_s, open2 = stage_next(z.mode2, z.due2_s, g.crossing2, g.due2, t, p.t2_s, p.tb_s)
    z.mode3, z.due3_s, open3 = stage_next(z.mode3, z.due3_s, g.crossing3, g.due3, t, p.t3_s, p.tb_s)
    z.mode4, z.due4_s, open4 = stage_next(z.mode4, z.due4_s, g.crossing4, g.due4, t, p.to_s, p.tb_s)
    z.shed = open1 * p.frac1 + open2 * p.frac2 + open3 * p.frac3 + open4 * p.fraco
    z.total += z.shed
    return ACTION_SHED if z.shed > 0.0 else 0


def require_inside(model: str, what: str, value: float, p, names: tuple[str, str, str, str]) -> None:
    """Raise InitialisationError when a stage in use would pick up at rest. names: thresholds, the upper one last."""
    for name, share in zip(names, (p.frac1, p.frac2, p.frac3, p.fraco), strict=True):
        outside = value > p[name] if name == names[3] else value < p[name]
        if share > 0.0 and outside:
            side = "above" if name == names[3] else "below"
            raise InitialisationError(
                f"{model}: {what} starts at {value:.6g}, {side} {name} = {p[name]:.6g}: the relay would shed at rest; "
                "change the threshold or the operating point"
            )


def check(values: dict[str, float]) -> list[tuple[str, str]]:
    """The shares of the lower stages leave nothing below zero."""
    total = values["frac1"] + values["frac2"] + values["frac3"]
    if total > 1.0 + 1e-9:
        return [("frac3", f"frac1 + frac2 + frac3 = {total:g}: more than the load")]
    return []


def stage_params(letter: str, unit: str, what: str, high: float) -> tuple[Param, ...]:
    """Thresholds, times and shares; a stage with share 0 is not there."""
    rows: list[Param] = []
    for k, name in ((1, "1"), (2, "2"), (3, "3")):
        rows += [
            Param(f"{letter}{name}_{unit.lower()}", unit, 0.0, f"stage {k}: {what} below which it picks up", low=0.0),
            Param(f"t{name}_s", "s", 0.0, f"stage {k}: pickup time", low=0.0),
            Param(f"frac{name}", "", 0.0, f"stage {k}: share of the load; 0: no such stage", low=0.0, high=1.0),
        ]
    return (
        *rows,
        Param("tb_s", "s", 0.0, "time of the breaker, all stages", low=0.0),
        Param(f"{letter}o_{unit.lower()}", unit, high, f"upper stage: {what} above which it picks up", low=0.0),
        Param("to_s", "s", 0.0, "upper stage: pickup time", low=0.0),
        Param("fraco", "", 0.0, "upper stage: share of the load; 0: no such stage", low=0.0, high=1.0),
    )


def dyr(letter: str, unit: str) -> tuple[str, ...]:
    """Order of the record in a DYR file, after `bus 'MODEL' id`; the upper stage is gridai's own."""
    stages = [(f"{letter}{k}_{unit}", f"t{k}_s", f"frac{k}") for k in (1, 2, 3)]
    return (*stages[0], *stages[1], *stages[2], "tb_s")


GUARDS = tuple(f"{what}{k}" for k in (1, 2, 3, 4) for what in ("crossing", "due"))
MEMORY = (
    *(State(f"mode{k}", "", f"stage {k}: 0 waiting, 1 timing, 2 breaker opening, 3 opened") for k in (1, 2, 3, 4)),
    *(State(f"due{k}_s", "s", f"stage {k}: when its timer is over or its breaker open") for k in (1, 2, 3, 4)),
    State("shed", "", "share of the load that opens now"),
    State("total", "", "share of the load that the relay has opened"),
)
OUTPUT = Output("total", "", "share of the load that the relay has shed", "shed")
ACTIONS = {ACTION_SHED: "load shedding"}
