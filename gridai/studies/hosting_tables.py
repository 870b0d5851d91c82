"""Tables and map of the study `hosting`. Imported when a study is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.reports import Table
from gridai.results import Channel, Result
from gridai.results.hosting import HostingBus, HostingMap, add_hosting
from gridai.results.scalars import Scalar, add_scalars
from gridai.studies.common import add_places
from gridai.studies.hosting_answers import (
    MOST_MARGIN,
    UNITS,
    Answer,
    cut_off,
    digits,
    element,
    keys_of,
    outage,
    places,
)

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.sizing import Finding, Sized, Sizing

LISTED = 3


def result_of(case: Case, given: Sequence[Answer], net: Any) -> Result:
    """One sample with hosting_mw of each bus studied, the same as figures (`hosting_mw:16`), and the map."""
    from gridai.grid.layout import layout

    channels = tuple(Channel("bus", a.key, "hosting_mw", "MW") for a in given)
    meta = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result([0.0], np.array([[a.mw for a in given]]), channels, (), meta)
    add_places(result, case)
    add_scalars(result, [Scalar("hosting_mw", a.key, a.mw, "MW", note=f"stopped by {a.stop}") for a in given])
    places = layout(net)
    kv = net.bus["vn_kv"]
    buses = tuple(HostingBus(a.key, float(kv[a.bus]), a.mw, a.stop, *places.xy[a.bus]) for a in given)
    edges = tuple((*places.xy[a], *places.xy[b]) for a, b in places.edges if a in places.xy and b in places.xy)
    return add_hosting(result, HostingMap(buses, edges, places.source))


def tables(
    given: Sequence[Answer], found: Sequence[Sized], sizing: Sizing, growth_percent: float,
    margins: Sequence[tuple[Answer, float, float, str]], priced: Mapping[str, Table], tol_mw: float,
) -> dict[str, Table]:  # fmt: skip
    """One row a bus, one for each element that fails for larger clusters; margins, dynamic runs and prices if asked."""
    keys = keys_of(sizing)
    made = {"hosting": _sizes(given, sizing, keys, growth_percent, places(tol_mw))}
    if growth_percent > 0.0:
        made["reinforcement"] = _in_the_way(found, sizing, keys, growth_percent)
    if margins:
        rows = tuple(
            (a.key, f"{a.mw:.{places(tol_mw)}f}", _percent(x), _percent(y), worst) for a, x, y, worst in margins
        )
        columns = ("bus", "MW", "intact %", "after the worst outage %", "worst outage")
        title = f"how much further each cluster can grow before there is no power flow, up to {100 * MOST_MARGIN:g} %"
        made["loadability"] = Table(title, columns, rows)
    if any(a.lived is not None for a in given):
        made["dynamic"] = _dynamic(given, places(tol_mw))
    return {**made, **priced}


def _sizes(given: Sequence[Answer], sizing: Sizing, keys: Mapping[int, str], growth_percent: float, n: int) -> Table:
    kv = sizing.flow.net.bus["vn_kv"]
    rows = []
    for a in given:
        s = a.sized
        more = "; ".join(growth(sizing, f, keys) for f in s.needed[:LISTED])
        extra = f" +{len(s.needed) - LISTED} more" if len(s.needed) > LISTED else ""
        cuts = cut_off(a, sizing)
        at = "" if a.t_s != a.t_s else f"{a.t_s:.3f}"
        rows.append((a.key, f"{kv[a.bus]:g}", f"{a.mw:.{n}f}", a.stop, a.where, a.outage, at, *digits(a.value, a.limit),
                     a.unit, str(cuts) if cuts else "", more + extra))  # fmt: skip
    columns = ("bus", "kV", "MW", "stopped by", "where", "outage", "at s", "value", "limit", "unit", "cut off by",
               f"what must grow for {growth_percent:g} % more")  # fmt: skip
    empty = [k for k in (6, 10) if not any(r[k] for r in rows)]
    kept = [k for k in range(len(columns)) if k not in empty]
    return Table("largest cluster at each bus; value and limit just beyond it", tuple(columns[k] for k in kept),
                 tuple(tuple(r[k] for k in kept) for r in rows))  # fmt: skip


def _dynamic(given: Sequence[Answer], n: int) -> Table:
    """What the dynamic runs did to the size of each bus."""
    rows = []
    for a in given:
        x = a.lived
        if x is None:
            continue
        b = x.bound
        value, limit = ("", "") if b is None else digits(b.value, b.limit)
        cells = ("", "", "", "", "") if b is None else (
            f"{x.beyond:.{n}f}", f"{b.criterion} ({b.run})", b.element, "" if b.t_s != b.t_s else f"{b.t_s:.3f}",
            f"{value} against {limit} {b.unit}".strip() if b.value == b.value else b.text,
        )  # fmt: skip
        rows.append((a.key, f"{a.sized.mw:.{n}f}", f"{x.mw:.{n}f}", *cells, str(x.sizes), ", ".join(x.left)))
    columns = ("bus", "static MW", "MW", "fails at MW", "criterion", "where", "at s", "what was found", "sizes tried",
               "fails without it too")  # fmt: skip
    return Table("what pause and return, fault at the bus and modes leave of the sizes", columns, tuple(rows))


def _in_the_way(found: Sequence[Sized], sizing: Sizing, keys: Mapping[int, str], growth_percent: float) -> Table:
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


def growth(sizing: Sizing, f: Finding, keys: Mapping[int, str]) -> str:
    """How much an element must grow."""
    after = outage(sizing, f.outage)
    if f.kind == "loading":
        return f"{element(sizing, f, keys)} rating +{100.0 * (f.value / f.limit - 1.0):.1f} %"
    if f.kind == "no solution":
        return f"no solution{' after ' + after if after else ''} beyond {100.0 * f.value:.0f} %"
    if f.kind == "margin":
        return f"margin to the nose{' after ' + after if after else ''} {f.value:.2f} of {f.limit:g} %"
    if f.kind == "step":
        return f"{element(sizing, f, keys)} stiffer by {100.0 * (f.value / f.limit - 1.0):.1f} %"
    sign = "+" if f.value < f.limit else "-"
    return f"{element(sizing, f, keys)} {sign}{abs(f.limit - f.value):.3f} {UNITS[f.kind]}"


def _percent(value: float) -> str:
    if value != value:
        return ""
    return f"over {100.0 * MOST_MARGIN:g}" if value >= 100.0 * MOST_MARGIN * 0.999 else f"{value:.2f}"
