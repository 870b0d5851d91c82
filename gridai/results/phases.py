"""What a study of unbalance leaves in a result as plain data for its figure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from gridai.results.result import Result


@dataclass(frozen=True)
class PhaseProfile:
    """Voltages of n buses at one moment against their distance from the source.

    bus      keys.   km  distance along the lines.
    vm       three tuples: magnitude of the voltages of the phases to earth, or between them (see `between`). [pu]
    unbalance  negative over positive sequence. [%]
    edges    pairs of positions that a branch joins.
    between  True: voltages between phases ab, bc, ca.
    cluster  positions of the buses with clusters.
    moment   when it is, in words; empty for a steady state.
    """

    bus: tuple[str, ...]
    km: tuple[float, ...]
    vm: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    unbalance: tuple[float, ...]
    edges: tuple[tuple[int, int], ...]
    between: bool
    cluster: tuple[int, ...]
    moment: str = ""


def add_phases(result: Result, profile: PhaseProfile) -> Result:
    """Put it into a result, in place; returns it."""
    data = asdict(profile)
    for key in ("km", "unbalance"):
        data[key] = [_stored(x) for x in data[key]]
    data["vm"] = [[_stored(x) for x in row] for row in data["vm"]]
    data["edges"] = [list(pair) for pair in data["edges"]]
    result.meta["phases"] = {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}
    return result


def phases_of(result: Result) -> PhaseProfile | None:
    """What a result holds, None without it."""
    data: Any = result.meta.get("phases")
    if data is None:
        return None
    a, b, c = (tuple(_read(x) for x in row) for row in data["vm"])
    return PhaseProfile(
        bus=tuple(str(x) for x in data["bus"]), km=tuple(_read(x) for x in data["km"]), vm=(a, b, c),
        unbalance=tuple(_read(x) for x in data["unbalance"]), edges=tuple((int(f), int(t)) for f, t in data["edges"]),
        between=bool(data["between"]), cluster=tuple(int(k) for k in data["cluster"]), moment=str(data["moment"]),
    )  # fmt: skip


def _stored(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _read(value: float | None) -> float:
    return math.nan if value is None else float(value)
