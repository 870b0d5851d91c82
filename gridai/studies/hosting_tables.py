"""Tables, summary and map of the study `hosting`. Imported when a study is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.results.hosting import HostingBus, HostingMap, add_hosting
from gridai.studies.common import add_places
from gridai.studies.hosting import CAPS, Cap

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.sizing import Finding, Sized, Sizing

LISTED = 3
UNITS = {"voltage": "pu", "loading": "%", "step": "pu", "no solution": ""}


def result_of(case: Case, found: Sequence[Sized], caps: Sequence[Cap], keys: Mapping[int, str], net: Any) -> Result:
    """One sample with hosting_mw of each bus studied, and the map."""
    from gridai.grid.layout import layout

    channels = tuple(Channel("bus", keys[s.bus], "hosting_mw", "MW") for s in found)
    meta = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result([0.0], np.array([[s.mw for s in found]]), channels, (), meta)
    add_places(result, case)
    places = layout(net)
    kv = net.bus["vn_kv"]
    buses = tuple(
        HostingBus(keys[s.bus], float(kv[s.bus]), s.mw, stop(s, cap), *places.xy[s.bus])
        for s, cap in zip(found, caps, strict=True)
    )
    edges = tuple((*places.xy[a], *places.xy[b]) for a, b in places.edges if a in places.xy and b in places.xy)
    return add_hosting(result, HostingMap(buses, edges, places.source))


def stop(sized: Sized, cap: Cap) -> str:
    """What stops a larger cluster, in a word or two."""
    return CAPS[cap.kind] if sized.binds is None else sized.binds.kind


def summary(case: Case, found: Sequence[Sized], sizing: Sizing) -> dict[str, Measure]:
    """Least, middle and most of the buses, and what it took."""
    keys = {i: k for k, i in case.buses.items()}
    order = sorted(found, key=lambda s: s.mw)
    lines = {}
    for key, label, s in (("most", "most", order[-1]), ("median", "bus in the middle", order[len(order) // 2]),
                          ("least", "least", order[0])):  # fmt: skip
        lines[key] = Measure(f"hosting capacity: {label}", s.mw, "MW", f"bus {keys[s.bus]}")
    lines["buses"] = Measure("buses studied", float(len(found)), "")
    lines["outages"] = Measure(
        "outages", float(len(sizing.outages)), "", note="one at a time" if sizing.outages else ""
    )
    lines["flows"] = Measure("power flows", float(sizing.flows), "", note="each certified by its residual")
    return lines


def tables(
    case: Case, found: Sequence[Sized], caps: Sequence[Cap], sizing: Sizing, growth_percent: float, tol_mw: float
) -> dict[str, Table]:
    """One row a bus, and one row for each element that fails for larger clusters."""
    keys = {i: k for k, i in case.buses.items()}
    places = 1 if tol_mw > 0.2 else 2 if tol_mw > 0.005 else 3 if tol_mw > 0.0005 else 4
    kv = sizing.flow.net.bus["vn_kv"]
    rows = []
    for s, cap in zip(found, caps, strict=True):
        b = s.binds
        if b is None:
            cells = ("", "", _short(cap.value), _short(cap.limit), cap.unit)
        else:
            cells = (element(sizing, b, keys), outage(sizing, b.outage), _short(b.value), _short(b.limit),
                     UNITS[b.kind])  # fmt: skip
        more = "; ".join(growth(sizing, f, keys) for f in s.needed[:LISTED])
        extra = f" +{len(s.needed) - LISTED} more" if len(s.needed) > LISTED else ""
        rows.append((keys[s.bus], f"{kv[s.bus]:g}", f"{s.mw:.{places}f}", stop(s, cap), *cells, more + extra))
    columns = ("bus", "kV", "MW", "stopped by", "where", "outage", "value", "limit", "unit",
               f"what must grow for {growth_percent:g} % more")  # fmt: skip
    made = {"hosting": Table("largest cluster at each bus; value and limit just beyond it", columns, tuple(rows))}
    if growth_percent > 0.0:
        made["reinforcement"] = _reinforcement(found, sizing, keys, growth_percent)
    return made


def _reinforcement(found: Sequence[Sized], sizing: Sizing, keys: Mapping[int, str], growth_percent: float) -> Table:
    """Elements by the number of buses that they stop."""
    own: dict[tuple[str, tuple[str, int]], list[Any]] = {}
    for s in found:
        for f in s.needed:
            row = own.setdefault((f.kind, f.element), [0, 0, f])
            row[1] += 1
            row[2] = f if f.room < row[2].room else row[2]
        if s.binds is not None:
            own.setdefault((s.binds.kind, s.binds.element), [0, 0, s.binds])[0] += 1
    rows = [
        (kind, element(sizing, f, keys), str(first), str(often), growth(sizing, f, keys), outage(sizing, f.outage))
        for (kind, _), (first, often, f) in sorted(own.items(), key=lambda item: (-item[1][0], -item[1][1]))
    ]
    columns = ("criterion", "element", "buses it stops", "in the way of", "most that is needed", "worst outage")
    return Table(f"what is in the way of {growth_percent:g} % more, over all buses studied", columns, tuple(rows[:20]))


def element(sizing: Sizing, f: Finding, keys: Mapping[int, str]) -> str:
    """An element in words."""
    table, index = f.element
    return f"bus {keys[index]}" if table == "bus" else _name(sizing, table, index)


def outage(sizing: Sizing, number: int) -> str:
    """An outage in words; empty for the intact grid."""
    if number < 0:
        return ""
    parts = sizing.outages[number].elements
    return " + ".join(_name(sizing, t, i) for t, i in parts)


def _name(sizing: Sizing, table: str, index: int) -> str:
    name = str(sizing.flow.net[table].at[index, "name"])
    return name if name.startswith(table) else f"{table} {name}"


def growth(sizing: Sizing, f: Finding, keys: Mapping[int, str]) -> str:
    """How much an element must grow."""
    if f.kind == "loading":
        return f"{element(sizing, f, keys)} rating +{100.0 * (f.value / f.limit - 1.0):.1f} %"
    if f.kind == "no solution":
        after = outage(sizing, f.outage)
        return f"no solution{' after ' + after if after else ''} beyond {100.0 * f.value:.0f} %"
    if f.kind == "step":
        return f"{element(sizing, f, keys)} stiffer by {100.0 * (f.value / f.limit - 1.0):.1f} %"
    sign = "+" if f.value < f.limit else "-"
    return f"{element(sizing, f, keys)} {sign}{abs(f.limit - f.value):.3f} pu"


def _short(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10.0 else f"{value:.1f}"
