"""The cheapest reinforcement that moves a size: candidates from what stops a bus, each tried on the batch and priced.

    a loading beyond its limit          a second circuit of the line, a larger transformer
    a voltage, the nose, no solution    a capacitor or STATCOM at the bus, a second circuit of the line that is out
    the voltage step                    a STATCOM, a second circuit of the strongest line at the bus
    short-circuit ratio                 a condenser at the bus

Imported when a study is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import PowerFlowError
from gridai.reports import Table
from gridai.studies.cost_table import Costs, Price, read_costs
from gridai.studies.hosting_answers import places
from gridai.studies.hosting_caps import CAPS

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.reinforce import Change
    from gridai.grid.sizing import Finding, Sized, Sizing
    from gridai.studies.hosting import Hosting
    from gridai.studies.hosting_caps import Cap

MOST_FINDINGS, MOST_CHANGES = 3, 5
"""Candidates come from so many of the things in a bus's way, and so many are tried for a bus."""
SHOWN = 3


@dataclass(frozen=True)
class Tried:
    """One reinforcement at one bus: sizes before and after [MW], what stops the cluster then, and its cost."""

    bus: str
    what: str
    before_mw: float
    after_mw: float
    stop: str
    cost: float
    sure: str

    @property
    def per_mw(self) -> float:
        """Cost of each MW gained; infinite without a gain."""
        gained = self.after_mw - self.before_mw
        return self.cost / gained if gained > 0.0 else math.inf


def priced(
    study: Hosting, case: Case, sizing: Sizing, found: Sequence[Sized], caps: Sequence[Cap], tol_mw: float,
    tick: Callable[[int, int], None] | None = None,
) -> tuple[list[Tried], list[str]]:  # fmt: skip
    """Every candidate tried, and notes; nothing where no costs are asked for. Raises CaseError for a faulty file."""
    if not study.costs:
        return [], []
    costs = read_costs(study.costs)
    keys = {i: k for k, i in case.buses.items()}
    wanted: dict[Change, list[int]] = {}
    for k, (s, cap) in enumerate(zip(found, caps, strict=True)):
        for change in _candidates(sizing, costs, s, cap):
            wanted.setdefault(change, []).append(k)
    out, failed = [], 0
    for n, (change, at) in enumerate(wanted.items(), 1):
        sizes = _try(study, sizing, costs, change, [found[k] for k in at], [caps[k] for k in at], tol_mw)
        failed += sizes is None
        cost, sure, words = _cost(sizing, costs, change, keys)
        for k, (mw, stop) in zip(at, sizes or [], strict=False):
            out.append(Tried(keys[found[k].bus], words, found[k].mw, mw, stop, cost, sure))
        if tick is not None:
            tick(n, len(wanted))
    place = {keys[s.bus]: k for k, s in enumerate(found)}
    return sorted(out, key=lambda t: place[t.bus]), _notes(study, sizing, costs, failed, len(wanted))


def table(tried: Sequence[Tried], costs: str, tol_mw: float) -> Table:
    """The candidates that gain more than the tolerance, by cost for each MW; the SHOWN cheapest of each bus."""
    currency, d = read_costs(costs).currency, places(tol_mw)
    rows = []
    for bus in dict.fromkeys(t.bus for t in tried):
        own = sorted((t for t in tried if t.bus == bus), key=lambda t: t.per_mw)
        gains = [t for t in own if t.after_mw - t.before_mw > tol_mw]
        for t in gains[:SHOWN]:
            rows.append((bus, t.what, f"{t.before_mw:.{d}f}", f"{t.after_mw:.{d}f}",
                         f"{t.after_mw - t.before_mw:.{d}f}", t.stop, f"{t.cost:.2f}", f"{t.per_mw:.4f}",
                         t.sure))  # fmt: skip
        if not gains:
            rows.append(
                (bus, f"none of {len(own)} tried moves it", f"{own[0].before_mw:.{d}f}", "", "", "", "", "", "")
            )
    columns = ("bus", "reinforcement", "MW before", "MW after", "MW gained", "then stopped by", f"cost {currency}",
               f"{currency} per MW", "confidence")  # fmt: skip
    return Table("reinforcements tried, the cheapest for each MW gained first", columns, tuple(rows))


def _candidates(sizing: Sizing, costs: Costs, s: Sized, cap: Cap) -> list[Change]:
    """What may move one bus, without repetition."""
    from gridai.grid.reinforce import Change

    if s.binds is None:
        return [Change("condenser", ("bus", s.bus), _step(sizing, costs, s.bus))] if cap.kind == "strength" else []
    out: list[Change] = []
    others = [f for f in s.needed if (f.kind, f.element) != (s.binds.kind, s.binds.element)]
    for f in [s.binds, *others][:MOST_FINDINGS]:
        out += [c for c in _for(sizing, costs, f, s.bus) if c not in out]
    return out[:MOST_CHANGES]


def _for(sizing: Sizing, costs: Costs, f: Finding, own: int) -> list[Change]:
    """Candidates for one thing in the way."""
    from gridai.grid.reinforce import Change

    if f.kind == "loading":
        kind = {"line": "second circuit", "trafo": "larger transformer"}.get(f.element[0])
        size = 1.0 if kind == "second circuit" else costs.of("larger", "factor").value
        return [Change(kind, f.element, size)] if kind else []
    bus = own if f.kind in ("no solution", "margin") else f.element[1]
    out = []
    if not _held(sizing, bus):
        low = f.kind != "step" and f.value < f.limit
        out = [Change("capacitor", ("bus", bus), _step(sizing, costs, bus, "bank"))] if low else []
        out.append(Change("STATCOM", ("bus", bus), _step(sizing, costs, bus)))
    lines = [e for e in (sizing.outages[f.outage].elements if f.outage >= 0 else ()) if e[0] == "line"]
    lines = lines or _strongest(sizing, bus)
    return [*out, *(Change("second circuit", e, 1.0) for e in lines[:1])]


def _held(sizing: Sizing, bus: int) -> bool:
    m = sizing.flow.matrices
    return bool(m.held[m.node_of_bus[bus]])


def _step(sizing: Sizing, costs: Costs, bus: int, name: str = "device") -> float:
    return costs.at(name, float(sizing.flow.net.bus.at[bus, "vn_kv"])).value


def _strongest(sizing: Sizing, bus: int) -> list[tuple[str, int]]:
    """The line in service at a bus with the smallest series reactance."""
    lines = sizing.flow.net.line
    at = lines[lines["in_service"] & ((lines["from_bus"] == bus) | (lines["to_bus"] == bus))]
    x = at["x_ohm_per_km"] * at["length_km"] / at["parallel"]
    return [("line", int(x.idxmin()))] if len(x) else []


def _try(
    study: Hosting, sizing: Sizing, costs: Costs, change: Change, found: Sequence[Sized], caps: Sequence[Cap],
    tol_mw: float,
) -> list[tuple[float, str]] | None:  # fmt: skip
    """Size and what stops it at each bus with a change; None where the network has no solution with it."""
    from gridai.grid.hosting import host
    from gridai.grid.reinforce import reinforced

    try:
        after = reinforced(sizing, change, study.rating_mva)
    except PowerFlowError:
        return None
    ends = [_cap(study, costs, change, s.bus, cap) for s, cap in zip(found, caps, strict=True)]
    sizes = host(after, [s.bus for s in found], np.array([c.mw for c in ends]), tol_mw, probes=0, growth=0.0)
    sizing.flows += after.flows
    return [(s.mw, CAPS[c.kind] if s.binds is None else s.binds.kind) for s, c in zip(sizes, ends, strict=True)]


def _cap(study: Hosting, costs: Costs, change: Change, bus: int, cap: Cap) -> Cap:
    """The upper end with a change: a condenser adds its own short-circuit power at its bus."""
    if change.kind != "condenser" or change.element[1] != bus or cap.scc_mva != cap.scc_mva:
        return cap
    scc = cap.scc_mva + change.size / costs.of("condenser", "x_pu").value
    mw = scc / study.lowest_scr
    return replace(cap, mw=mw, scc_mva=scc) if mw < cap.rest_mw else replace(cap, kind="bracket", mw=cap.rest_mw)


def _cost(sizing: Sizing, costs: Costs, change: Change, keys: dict[int, str]) -> tuple[float, str, str]:
    """Cost, the least sure of the confidence letters behind it, and the change in words."""
    net, index = sizing.flow.net, change.element[1]
    if change.kind == "second circuit":
        row = net.line.loc[index]
        kv = float(net.bus.at[row["from_bus"], "vn_kv"])
        km, sure = length_km(net, costs, index)
        circuits = float(row["parallel"])
        line, bay = costs.at("line", kv), costs.at("bay", kv)
        words = f"second circuit of {row['name']} ({km:.1f} km{', assumed' if sure else ''})"
        return circuits * (km * line.value + 2.0 * bay.value), _least(line, bay, *sure), words
    if change.kind == "larger transformer":
        row = net.trafo.loc[index]
        mva = float(row["sn_mva"] * row["parallel"]) * change.size
        price = costs.at("transformer", float(row["vn_hv_kv"]))
        words = f"{row['name']} with {mva:.0f} MVA in place of {mva / change.size:.0f}"
        return mva * price.value, _least(price, costs.of("larger", "factor")), words
    name, key, unit = {"capacitor": ("capacitor", "per_mvar", "MVAr"), "STATCOM": ("statcom", "per_mvar", "MVAr"),
                       "condenser": ("condenser", "per_mva", "MVA")}[change.kind]  # fmt: skip
    kv = float(net.bus.at[index, "vn_kv"])
    price, bay = costs.of(name, key), costs.at("bay", kv)
    words = f"{change.kind} of {change.size:g} {unit} at bus {keys[index]}"
    return (
        change.size * price.value + bay.value,
        _least(price, bay, costs.at("bank" if name == "capacitor" else "device", kv)),
        words,
    )


def _least(*prices: Price) -> str:
    """The least sure letter."""
    return max((p.confidence for p in prices), key="VMA".index)


def length_km(net: Any, costs: Costs, index: int) -> tuple[float, list[Price]]:
    """Length of a line; where every line of the net is 1 km long, by its reactance, and the price list's reason."""
    row = net.line.loc[index]
    if len(net.line) > 1 and (net.line["length_km"] == 1.0).all():
        each = costs.of("length", "x_ohm_per_km")
        return float(row["x_ohm_per_km"]) / each.value, [replace(each, confidence="A")]
    return float(row["length_km"]), []


def _notes(study: Hosting, sizing: Sizing, costs: Costs, failed: int, tried: int) -> list[str]:
    said = [
        f"costs: {costs.title}; {' '.join(costs.note.split())}".strip("; "),
        f"{tried} reinforcements are tried, each alone, with every outage anew under the limits that held before; "
        "steps of a device and the factor of a transformer from the table of costs; a second circuit is a line of the "
        "same data, lines and devices are not planned for anything else, and no candidate is a change of generation",
        "a condenser's short-circuit power is added to the bus's as a number, and the strength is otherwise left as it "
        "is: a second circuit adds to it, which is not counted",
    ]  # fmt: skip
    if failed:
        said.append(f"{failed} of them have no power flow")
    net = sizing.flow.net
    if len(net.line) > 1 and (net.line["length_km"] == 1.0).all():
        x = costs.of("length", "x_ohm_per_km").value
        said.append(f"every line of the net is 1 km long, as in MATPOWER's cases: lengths are assumed from reactances "
                    f"at {x:g} ohm/km")  # fmt: skip
    if study.dynamic:
        said.append("reinforcements are tried on the static criteria alone")
    return said
