"""Where the buses of a net stand on a map, and what joins them: its own coordinates, else a drawing of its graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gridai.errors import CaseError

MOST_SPRINGS = 400
"""Up to so many buses are drawn by distances in the graph (Kamada and Kawai), more by springs, which is quicker."""
SWITCHED = {"line": "l", "trafo": "t", "trafo3w": "t3"}
"""How net.switch names the tables of what a switch is in."""
GEO, DRAWN = "coordinates of the net", "drawing of the graph, no map: the net states no coordinates"


@dataclass(frozen=True)
class Layout:
    """Places of buses.

    xy      place by pandapower index of the bus; in degrees or whatever unit the net has.
    edges   pairs of pandapower indices that a branch without an open switch, or a closed switch, joins.
    source  GEO or DRAWN.
    """

    xy: dict[int, tuple[float, float]]
    edges: tuple[tuple[int, int], ...]
    source: str


def layout(net: Any) -> Layout:
    """The layout of a net: `bus.geo` where every bus in service has it, else a drawing, the same at each call.

    Raises CaseError for coordinates that are no numbers.
    """
    edges = _edges(net)
    buses = [int(i) for i, on in zip(net.bus.index, net.bus["in_service"], strict=True) if on]
    known = _geo(net)
    if buses and all(b in known for b in buses):
        return Layout({b: known[b] for b in buses}, edges, GEO)
    return Layout(_drawn(buses, edges), edges, DRAWN)


def _edges(net: Any) -> tuple[tuple[int, int], ...]:
    ends = {"line": [("from_bus", "to_bus")], "impedance": [("from_bus", "to_bus")], "trafo": [("hv_bus", "lv_bus")],
            "trafo3w": [("hv_bus", "mv_bus"), ("hv_bus", "lv_bus")]}  # fmt: skip
    opened = net.switch[~net.switch["closed"].astype(bool)]
    out = []
    for table, pairs in ends.items():
        cut = opened.loc[opened["et"] == SWITCHED.get(table, ""), "element"]
        rows = net[table][net[table]["in_service"].astype(bool) & ~net[table].index.isin(cut)]
        for one, other in pairs:
            out += [(int(a), int(b)) for a, b in zip(rows[one], rows[other], strict=True)]
    tied = net.switch[(net.switch["et"] == "b") & net.switch["closed"].astype(bool)]
    out += [(int(a), int(b)) for a, b in zip(tied["bus"], tied["element"], strict=True)]
    return tuple(dict.fromkeys(out))


def _geo(net: Any) -> dict[int, tuple[float, float]]:
    out: dict[int, tuple[float, float]] = {}
    if "geo" not in net.bus:
        return out
    for index, text in net.bus["geo"].items():
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            x, y = json.loads(text)["coordinates"][:2]
            out[int(index)] = (float(x), float(y))
        except (ValueError, KeyError, TypeError) as error:
            raise CaseError(f"bus {index}: geo = {text!r} is no GeoJSON point: {error}") from error
    return out


def _drawn(buses: list[int], edges: tuple[tuple[int, int], ...]) -> dict[int, tuple[float, float]]:
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(buses)
    graph.add_edges_from((a, b) for a, b in edges if a in graph and b in graph)
    small = len(buses) <= MOST_SPRINGS and nx.is_connected(graph) if buses else False
    places = nx.kamada_kawai_layout(graph) if small else nx.spring_layout(graph, seed=1, iterations=60)
    return {int(b): (float(x), float(y)) for b, (x, y) in places.items()}
