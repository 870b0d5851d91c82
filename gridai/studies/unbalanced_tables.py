"""Summary, tables and figure data of the study `unbalanced`. Imported when it is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridai.grid.phases.distance import distances
from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.results.phases import PhaseProfile, add_phases
from gridai.studies.common import add_places
from gridai.studies.unbalanced_view import LOW_KV

if TYPE_CHECKING:
    from gridai.studies.unbalanced_view import View

Floats = NDArray[np.float64]
LISTED, KEPT = 200, 12
QUANTITIES = ("vm_a_pu", "vm_b_pu", "vm_c_pu", "unbalance_percent", "zero_percent")


def summary(view: View, largest: tuple[float, str] | None) -> dict[str, Measure]:
    """The extremes of all steps, and what the clusters change at their buses."""
    first = 0 if view.done.day else view.at
    time = view.done.t_s if view.done.day else np.full(len(view.flows), np.nan)
    lines: dict[str, Measure] = {}
    for key, label, lowest in (
        ("vm_low", "lowest phase voltage", True),
        ("vm_high", "highest phase voltage", False),
    ):
        (s, row, k), value = view.extreme(view.vm[first:], lowest)
        lines[key] = Measure(label, value, "pu", view.phase(row, k), float(time[s]))
    for key, label, values in (("unbalance", "highest unbalance, V2 over V1", view.unbalance),
                               ("zero", "highest zero sequence, V0 over V1", view.flows.zero_percent)):  # fmt: skip
        (s, row), value = view.extreme(values[first:], False)
        lines[key] = Measure(label, value, "%", f"bus {view.keys[row]}", float(time[s]))
    for table, values in view.loading.items():
        if np.isfinite(values[first:]).any():
            (s, row, k), value = view.extreme(values[first:], False)
            where = f"{view.branch(table, row)} {'abc'[k]}"
            lines[f"{table}_percent"] = Measure(f"highest loading of a {table}'s phase", value, "%", where,
                                                float(time[s]))  # fmt: skip
    lines |= _neutral(view, first, time)
    losses = 1e3 * view.flows.losses_mw()[first:]
    drawn = 1e3 * view.flows.source_mva().sum(axis=(1, 2)).real[first:]
    lines["losses"] = Measure("losses" if not view.done.day else "losses, mean", float(np.nanmean(losses)), "kW")
    lines["supply"] = Measure("from the source" + (", highest" if view.done.day else ""), float(np.nanmax(drawn)), "kW")
    if view.done.day:
        lines["unsolved"] = Measure("steps without a certified solution", float((~view.flows.solved).sum()), "")
    lines |= _clusters(view)
    if largest is not None:
        p = view.case.placements[0]
        lines["largest"] = Measure("largest cluster on these phases", 1e3 * largest[0], "kW", f"bus {p.bus}",
                                   note=f"a larger one is stopped by: {largest[1]}")  # fmt: skip
    return lines


def _neutral(view: View, first: int, time: Floats) -> dict[str, Measure]:
    if not len(view.net.line):
        return {}
    current = np.maximum(*view.flows.neutral_ka("line"))[first:]
    (s, row), value = view.extreme(current, False)
    return {"neutral": Measure("highest neutral current of a line", 1e3 * value, "A", view.branch("line", row),
                               float(time[s]))}  # fmt: skip


def _clusters(view: View) -> dict[str, Measure]:
    """Unbalance at each cluster's bus, without and with the clusters."""
    out = {}
    rows = {i: k for k, i in enumerate(view.net.bus.index)}
    for p in view.case.placements:
        row = rows[view.case.buses[p.bus]]
        note = "" if view.done.day else f"{view.unbalance[0, row]:.3g} % without the clusters"
        value = float(np.nanmax(view.unbalance[:, row])) if view.done.day else float(view.unbalance[view.at, row])
        out[f"unbalance_{p.name}"] = Measure(f"unbalance at {p.name}", value, "%", f"bus {p.bus}", note=note)
    return out


def result(view: View) -> Result:
    """Phase voltages and unbalance of all buses, of a day those of the worst buses; the moment that is drawn."""
    rows = np.arange(len(view.keys))
    if view.done.day:
        solved = np.where(view.flows.solved[:, None], view.unbalance, -1.0)
        low = np.where(np.isfinite(view.vm), view.vm, np.inf).min(axis=(0, 2))
        high = np.where(np.isfinite(view.vm), view.vm, -np.inf).max(axis=(0, 2))
        own = [view.keys.index(p.bus) for p in view.case.placements]
        worst = [*np.argsort(-np.nanmax(solved, axis=0))[:KEPT], int(low.argmin()), int(high.argmax()), *own]
        rows = np.array(list(dict.fromkeys(int(k) for k in worst)), dtype=np.int64)
    steps = np.arange(len(view.flows)) if view.done.day else np.array([view.at])
    parts = [*np.moveaxis(view.flows.vm_pu[steps][:, rows], 2, 0), view.unbalance[np.ix_(steps, rows)],
             view.flows.zero_percent[np.ix_(steps, rows)]]  # fmt: skip
    units = ("pu", "pu", "pu", "%", "%")
    channels = tuple(Channel("bus", view.keys[k], q, u) for q, u in zip(QUANTITIES, units, strict=True) for k in rows)
    meta = {"case": view.case.name, "f_hz": view.case.f_hz, "s_base_mva": view.case.s_base_mva}
    t_s = view.done.t_s if view.done.day else np.zeros(1)
    result = Result(t_s, np.concatenate(parts, axis=1), channels, (), meta)
    add_places(result, view.case)
    if view.done.day:
        filled = [np.nanmin(view.vm[s]) if on else np.nan for s, on in enumerate(view.flows.solved)]
        top = [np.nanmax(view.vm[s]) if on else np.nan for s, on in enumerate(view.flows.solved)]
        most = [np.nanmax(view.unbalance[s]) if on else np.nan for s, on in enumerate(view.flows.solved)]
        result.meta["phases_day"] = {
            "vm_low": _plain(filled), "vm_high": _plain(top), "unbalance": _plain(most),
        }  # fmt: skip
    return add_phases(result, _profile(view))


def _profile(view: View) -> PhaseProfile:
    km, edges = distances(view.net, view.done.flow.sequences)
    between = not bool(view.low.any())
    vm = (view.flows.vm_between_pu if between else view.flows.vm_pu)[view.at]
    own = tuple(dict.fromkeys(view.keys.index(p.bus) for p in view.case.placements))
    moment = f"at {view.done.t_s[view.at] / 3600.0:.2f} h: the most unbalance" if view.done.day else ""
    columns = tuple(tuple(map(float, vm[:, k])) for k in range(3))
    return PhaseProfile(tuple(view.keys), tuple(map(float, km)), (columns[0], columns[1], columns[2]),
                        tuple(map(float, view.unbalance[view.at])), edges, between, own, moment)  # fmt: skip


def tables(view: View) -> dict[str, Table]:
    """Buses by unbalance, branches by their most loaded phase, and the clusters' buses, at the moment shown."""
    out = {"buses": _buses(view), "branches": _branches(view)}
    if view.case.placements and not view.done.day:
        out["clusters"] = _cluster_table(view)
    return {k: t for k, t in out.items() if t.rows}


def _buses(view: View) -> Table:
    s = view.at
    km = distances(view.net, view.done.flow.sequences)[0]
    unbalance, zero, vm = view.unbalance[s], view.flows.zero_percent[s], view.flows.vm_pu[s]
    order = [
        int(k) for k in np.argsort(-np.nan_to_num(unbalance, nan=-1.0), kind="stable") if unbalance[k] == unbalance[k]
    ]
    rows = tuple((view.keys[k], f"{view.kv[k]:g}", f"{km[k]:.3f}", *(f"{x:.4f}" for x in vm[k]),
                  f"{unbalance[k]:.3f}", f"{zero[k]:.3f}") for k in order[:LISTED])  # fmt: skip
    columns = ("bus", "kV", "km", "a pu", "b pu", "c pu", "V2/V1 %", "V0/V1 %")
    return Table(_of("buses, the most unbalanced first; phase voltages to earth", rows, order), columns, rows)


def _branches(view: View) -> Table:
    s, rows = view.at, []
    for table, values in view.loading.items():
        neutral = 1e3 * np.maximum(*view.flows.neutral_ka(table))[s]
        lost = 1e3 * view.flows.losses_mw(table)[s]
        for row in np.flatnonzero(np.isfinite(values[s]).all(axis=1)):
            cells = (*(f"{x:.1f}" for x in values[s, row]), f"{neutral[row]:.1f}", f"{lost[row]:.3f}")
            rows.append((float(values[s, row].max()), (view.branch(table, int(row)), *cells)))
    rows.sort(key=lambda item: -item[0])
    shown = tuple(r for _, r in rows[:LISTED])
    columns = ("branch", "a %", "b %", "c %", "neutral A", "losses kW")
    return Table(_of("branches, the most loaded phase first", shown, rows), columns, shown)


def _cluster_table(view: View) -> Table:
    rows = []
    for p in view.case.placements:
        k = view.keys.index(p.bus)
        for s, word in ((0, "without"), (view.at, "with")):
            rows.append((p.name, p.bus, word, *(f"{x:.4f}" for x in view.flows.vm_pu[s, k]),
                         f"{view.unbalance[s, k]:.3f}", f"{view.flows.zero_percent[s, k]:.3f}"))  # fmt: skip
    columns = ("cluster", "bus", "", "a pu", "b pu", "c pu", "V2/V1 %", "V0/V1 %")
    return Table("the clusters' buses without and with them", columns, tuple(rows))


def notes(view: View) -> tuple[str, ...]:
    """What the reader has to know."""
    out = [
        "unbalance: negative over positive sequence voltage; phase voltages are judged to earth up to "
        f"{LOW_KV:g} kV, between phases above",
        "balanced loads draw a third in each phase; clusters on three phases draw between them, without neutral",
        *view.done.notes,
    ]
    for part in view.done.flow.floating:
        names = ", ".join(view.keys[list(view.net.bus.index).index(b)] for b in part[:6])
        more = f" and {len(part) - 6} more" if len(part) > 6 else ""
        out.append(f"nothing ties the zero sequence to earth at {names}{more}: its voltage is taken as 0 there, and "
                   "balanced loads draw between the phases")  # fmt: skip
    lost = view.done.flow.unsupplied
    if lost:
        out.append(f"{len(lost)} buses have no supply and are left out")
    return tuple(out)


def _plain(values: Sequence[float]) -> list[float | None]:
    return [float(x) if x == x else None for x in values]


def _of(title: str, shown: Sequence[Any], every: Sequence[Any]) -> str:
    return title if len(shown) == len(every) else f"{title} ({len(shown)} of {len(every):,})"
