"""What a study of hosting capacity leaves in a result as plain data, and the map that is drawn from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gridai.results.result import Result


@dataclass(frozen=True)
class HostingBus:
    """One bus.

    mw      largest cluster that passes. [MW]
    binds   what stops a larger one, in a word or two: "voltage", "loading", "headroom", ...
    x, y    its place on the map.
    """

    bus: str
    kv: float
    mw: float
    binds: str
    x: float
    y: float


@dataclass(frozen=True)
class HostingMap:
    """The buses, pairs of keys that a branch joins (buses beside those studied too), and where the places are from."""

    buses: tuple[HostingBus, ...]
    edges: tuple[tuple[float, float, float, float], ...]
    source: str


def add_hosting(result: Result, found: HostingMap) -> Result:
    """Put a map into a result, in place; returns it."""
    result.meta["hosting"] = {
        "buses": [_plain(asdict(b)) for b in found.buses],
        "edges": [list(e) for e in found.edges],
        "source": found.source,
    }
    return result


def hosting_of(result: Result) -> HostingMap | None:
    """The map that a result holds, None without one."""
    data = result.meta.get("hosting")
    if data is None:
        return None
    rows: list[dict[str, Any]] = [{k: math.nan if v is None else v for k, v in row.items()} for row in data["buses"]]
    buses = tuple(HostingBus(**row) for row in rows)
    return HostingMap(buses, tuple(_four(e) for e in data["edges"]), str(data["source"]))


def _four(edge: Sequence[float]) -> tuple[float, float, float, float]:
    a, b, c, d = (float(x) for x in edge)
    return a, b, c, d


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
