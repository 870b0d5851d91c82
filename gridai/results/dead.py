"""De-energised buses, as the event log tells: a bus whose island has no source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridai.results.frequency import V_DEAD_PU
from gridai.results.result import Result

FloatArray = NDArray[np.float64]
DEAD, LIVE = "de-energised", "energised again"
"""How the log's entries of kind "island" begin."""


def dead_spans(result: Result) -> dict[str, list[tuple[float, float]]]:
    """When each bus was de-energised (its island had no source), by bus: begin and end, s; an end not seen is inf."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for event in sorted((e for e in result.events if e.kind == "island"), key=lambda e: e.t_s):
        own = spans.setdefault(event.element, [])
        if event.text.startswith(DEAD):
            own.append((event.t_s, float("inf")))
        elif event.text.startswith(LIVE) and own:
            own[-1] = (own[-1][0], event.t_s)
    return {bus: own for bus, own in spans.items() if own}


def dead_mask(result: Result, names: Sequence[str], vm: FloatArray) -> NDArray[np.bool_]:
    """True where a bus is de-energised: bool[nt, n] for voltages float[nt, n] of these buses.

    A bus at 0 pu under a fault that a source feeds is live. The log names one bus of several that switches fuse; the
    others show the same voltage.
    """
    mask, t = np.zeros(vm.shape, dtype=bool), result.t_s
    known = result.names("bus", "vm_pu")
    for bus, own in dead_spans(result).items():
        inside = np.any([(t >= a) & (t <= b) for a, b in own], axis=0)
        same = [k for k, name in enumerate(names) if name == bus]
        if bus in known:
            seen = result.series("bus", bus, "vm_pu")
            same = [k for k in range(len(names)) if np.array_equal(vm[:, k], seen)]
        mask[:, same] |= inside[:, None]
    return mask & (vm < V_DEAD_PU)
