"""Tables, summary and result of the study `timeseries`. Imported when a study is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.series_devices import watched
from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.results.course import Course, Duration, Points, add_course, unit_of_time
from gridai.studies.common import add_places
from gridai.studies.series_sums import MOST_RUNS, VM_BIN, Sums

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.studies.series_run import Done
    from gridai.studies.series_setup import Setup

UNITS = {"vm_min_pu": "pu", "vm_max_pu": "pu", "percent_max": "%"}
DRAWN, LISTED, RUNS = 4, 8, 20


def span(sums: Sums) -> str:
    """The time studied in words."""
    hours = float(sums.hours.sum())
    for unit, size in (("days", 24.0), ("h", 1.0), ("min", 1 / 60.0)):
        if hours >= 2.0 * size:
            return f"{hours / size:.4g} {unit}"
    return f"{3600.0 * hours:.4g} s"


def clock(sums: Sums) -> tuple[str, float]:
    """The unit in which times of this course are written, and its length in s."""
    return unit_of_time(float(sums.axis_s[-1] - sums.axis_s[0]))


def result_of(case: Case, done: Done) -> Result:
    """Means of the solved steps in up to 2,000 buckets, with the duration curves."""
    sums = done.sums
    t_s, means = sums.courses()
    channels = tuple(_channel(name) for name in sums.names)
    meta = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result(t_s, np.stack([means[name] for name in sums.names], axis=1), channels, (), meta)
    add_places(result, case)
    runs = tuple((float(sums.t_s[r.first]), float(sums.t_s[r.last])) for r in sums.runs[:MOST_RUNS])
    points: tuple[Points, ...] = ()
    if done.pst is not None:
        points = (Points("pst", f"bus {done.pst.bus}", "1", tuple(done.pst.t_s), tuple(done.pst.pst)),)
    fleet = done.setup.fleet
    levels: tuple[tuple[str, float], ...] = ()
    if fleet is not None and fleet.rule is not None and fleet.rule.kind == "shave":
        levels = (("shaved to", fleet.rule.target_mw),)
    return add_course(result, Course(tuple(_curves(sums)), runs, points, levels))


def _channel(name: str) -> Channel:
    element, _, quantity = name.rpartition("/")
    unit = UNITS.get(quantity, "MWh" if quantity.endswith("_mwh") else "MW")
    return Channel("system", element or "grid", quantity, unit)


def _curves(sums: Sums) -> list[Duration]:
    """Voltages of the buses that go lowest and highest, without held ones, and loadings of the branches highest up."""
    out = []
    ends = np.array([sums.vm.duration(k)[1][[-1, 0]] for k in range(len(sums.buses))])
    moving = ends[:, 1] - ends[:, 0] > VM_BIN
    low, high = (np.where(moving, side, np.nan) if moving.any() else side for side in ends.T)
    lows = np.argsort(np.nan_to_num(low, nan=np.inf))[: DRAWN // 2]
    highs = np.argsort(-np.nan_to_num(high, nan=-np.inf))[: DRAWN // 2]
    for k in dict.fromkeys([*lows.tolist(), *highs.tolist()]):
        out.append(_curve("voltage", f"bus {sums.buses[k]}", "pu", *sums.vm.duration(k)))
    top = [sums.percent.duration(k)[1][0] for k in range(len(sums.branches))]
    for k in np.argsort(-np.nan_to_num(top, nan=-np.inf))[:DRAWN].tolist():
        out.append(_curve("loading", sums.branches[k], "%", *sums.percent.duration(k)))
    return out


def _curve(group: str, name: str, unit: str, share: Any, values: Any) -> Duration:
    return Duration(group, name, unit, tuple(map(float, share)), tuple(map(float, values)))


def summary(done: Done) -> dict[str, Measure]:
    """Steps and what became of them, energies, extremes with place and time, moves, storages, flicker."""
    sums = done.sums
    n = len(sums.t_s)
    why = ", ".join(f"{count}: {text}" for text, count in sorted(sums.reasons.items(), key=lambda x: -x[1]))
    lines = {
        "steps": Measure("steps", float(n), ""),
        "unsolved": Measure("steps without a certified solution", float(n - sums.solved), "", note=why),
    }
    for key, label in (("cluster", "energy of the clusters"), ("pv", "energy of the photovoltaics"),
                       ("losses", "energy lost in branches"), ("slack", "energy from the slack")):  # fmt: skip
        if f"{key}_mw" in sums.energy:
            lines[f"{key}_energy"] = Measure(label, sums.energy[f"{key}_mw"], "MWh", note="solved steps")
    lines |= _extremes(sums)
    over = float(sums.over_hours.max(initial=0.0))
    at_branch = sums.branches[int(sums.over_hours.argmax())] if over > 0.0 else ""
    lines["over_hours"] = Measure("longest overload of a branch, all its hours", over, "h", at_branch)
    return lines | _moves(done.setup) | _storages(done) | _flicker(done)


def _extremes(sums: Sums) -> dict[str, Measure]:
    lines = {}
    for key, label, held, unit, names in (
        ("vm_min", "lowest voltage", sums.low, "pu", sums.buses),
        ("vm_max", "highest voltage", sums.high, "pu", sums.buses),
        ("percent_max", "highest loading", sums.most, "%", sums.branches),
    ):  # fmt: skip
        value, where, at = held[0], int(held[1]), int(held[2])
        known = at >= 0 and np.isfinite(value) and where < len(names)
        word = "bus " if unit == "pu" else ""
        lines[key] = Measure(label, float(value), unit, word + names[where], float(sums.t_s[at])) if known else Measure(
            label, float("nan"), unit, note="no solved step")  # fmt: skip
    return lines


def _moves(made: Setup) -> dict[str, Measure]:
    lines: dict[str, Measure] = {}
    if made.switches is None:
        return lines
    for key, table, label, word in (("tap_moves", "trafo", "tap moves", "changers"),
                                    ("capacitor_moves", "shunt", "capacitor switchings", "banks")):  # fmt: skip
        own = [m for m, s in zip(made.switches.moves, made.switches.switches, strict=True) if s.table == table]
        if own:
            lines[key] = Measure(label, float(sum(own)), "", f"{len(own)} {word}")
    hunting = [s for s, since in zip(made.switches.switches, made.switches.hunting_s, strict=True) if since == since]
    names = ", ".join(str(made.flow.net[s.table].at[s.index, "name"]) for s in hunting)
    lines["hunting"] = Measure("devices that hunt", float(len(hunting)), "", names)
    return lines


def _storages(done: Done) -> dict[str, Measure]:
    fleet, sums = done.setup.fleet, done.sums
    if fleet is None:
        return {}
    names = ", ".join(s.name for s in fleet.stores)
    size = float(sum(s.most_mwh - s.least_mwh for s in fleet.stores))
    given = float(fleet.discharged_mwh.sum())
    lines = {
        "storage_charged": Measure("energy into the storages", float(fleet.charged_mwh.sum()), "MWh", names),
        "storage_discharged": Measure("energy out of the storages", given, "MWh", names),
        "storage_losses": Measure("lost in the storages", float(fleet.lost_mwh.sum()), "MWh", names),
        "storage_cycles": Measure("cycles of the storages", given / size, "", names, note="energy out over their size"),
    }
    if fleet.rule is None or fleet.rule.kind != "own":
        lines["storage_short"] = Measure("energy asked of them that was not there", fleet.short_mwh, "MWh", names)
    if fleet.rule is not None:
        value, at = sums.peak["watched_mw"]
        where = {"site": "site", "slack": "substation"}.get(str(fleet.rule.at), done.setup.name_of(fleet.rule.at))
        lines["watched_peak"] = Measure("highest power where they hold it", value, "MW", where,
                                        float(sums.t_s[at]) if at >= 0 else float("nan"))  # fmt: skip
    return lines


def _flicker(done: Done) -> dict[str, Measure]:
    pst = done.pst
    if pst is None:
        return {}
    k, (often, at) = int(pst.pst.argmax()), pst.quantile(0.95)
    seen = f"{len(pst.pst)} of {pst.periods} periods"
    lines = {
        "pst_95": Measure("Pst that 95 % of the periods keep to", often, "", f"bus {pst.bus}", at, seen),
        "pst_max": Measure("largest Pst", float(pst.pst[k]), "", f"bus {pst.bus}", float(pst.t_s[k]), seen),
    }
    if len(pst.plt):
        k = int(pst.plt.argmax())
        lines["plt_max"] = Measure("largest Plt", float(pst.plt[k]), "", f"bus {pst.bus}", float(pst.plt_t_s[k]),
                                   f"{len(pst.plt)} spans of two hours")  # fmt: skip
    return lines


def tables(done: Done) -> dict[str, Table]:
    """Steps without a solution, branches that carry most, buses that go lowest, switches, storages, Pst."""
    out, sums, made = {}, done.sums, done.setup
    unit, size = clock(sums)
    if sums.runs:
        rows = tuple(
            (f"{sums.t_s[r.first] / size:.10g}", f"{sums.t_s[r.last] / size:.10g}", str(r.last - r.first + 1), r.reason,
             f"{100.0 * r.reached:.1f}" if np.isfinite(r.reached) else "")
            for r in sums.runs[:RUNS]
        )  # fmt: skip
        more = f", the first {RUNS} of {len(sums.runs)}" if len(sums.runs) > RUNS else ""
        out["unsolved"] = Table(
            f"steps without a certified solution, those in a row together{more}",
            (f"from {unit}", f"to {unit}", "steps", "reason", "% of the change possible"), rows,
        )  # fmt: skip
    out["branches"] = _quantiles("highest loadings, %", "branch", sums.branches, sums.percent, sums.over_hours)
    out["voltages"] = _quantiles("lowest voltages, pu", "bus", sums.buses, sums.vm, None)
    if made.switches is not None:
        out["switches"] = _switches(made)
    if made.fleet is not None:
        out["storages"] = _stores(made)
    if done.pst is not None:
        pst_rows = tuple(
            (f"{t / size:.5g}", f"{value:.4f}") for t, value in zip(done.pst.t_s, done.pst.pst, strict=True)
        )
        out["pst"] = Table("Pst of periods of ten minutes", (f"to {unit}", "Pst"), pst_rows)
    return out


def _switches(made: Setup) -> Table:
    held = made.switches
    assert held is not None
    rows = tuple(
        (str(made.flow.net[s.table].at[s.index, "name"]), watched(made.flow, s), f"{s.deadband:.4g}", f"{s.delay_s:g}",
         str(held.table.base[s.device]), str(held.position[k]), str(held.moves[k]))
        for k, s in enumerate(held.switches)
    )  # fmt: skip
    columns = ("device", "holds", "dead band", "delay s", "first position", "last position", "moves")
    return Table("tap changers and capacitors", columns, rows)


def _stores(made: Setup) -> Table:
    fleet = made.fleet
    assert fleet is not None
    rows = tuple(
        (s.name, f"{s.most_mwh:g}", f"{s.start_mwh:.4g}", f"{fleet.energy_mwh[j]:.4g}", f"{fleet.charged_mwh[j]:.5g}",
         f"{fleet.discharged_mwh[j]:.5g}", f"{fleet.lost_mwh[j]:.4g}",
         f"{fleet.discharged_mwh[j] / (s.most_mwh - s.least_mwh):.3g}")
        for j, s in enumerate(fleet.stores)
    )  # fmt: skip
    columns = ("storage", "size MWh", "first MWh", "last MWh", "in MWh", "out MWh", "lost MWh", "cycles")
    return Table("storages", columns, rows)


def _quantiles(title: str, kind: str, names: Any, histogram: Any, over: Any) -> Table:
    """Exceeded for 0, 1, 50, 99 and 100 % of the time, the most notable elements first."""
    values = np.array([histogram.duration(k)[1] for k in range(len(names))]).reshape(len(names), -1)
    falling = over is not None
    order = np.argsort(np.nan_to_num(-values[:, 0] if falling else values[:, -1], nan=np.inf))[:LISTED]
    places = (0, 2, 100, 198, 200)
    digits = 1 if falling else 4
    rows = [
        (names[k], *(f"{values[k, p]:.{digits}f}" for p in places), *((f"{over[k]:.4g}",) if falling else ()))
        for k in order.tolist()
        if np.isfinite(values[k, 0])
    ]
    last = ("h above 100 %",) if falling else ()
    columns = (kind, "highest", "1 % of the time above", "half", "99 %", "lowest", *last)
    return Table(title, columns, tuple(rows))
