"""Tables, summary, result and notes of the study `timeseries`. Imported when a study is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.series import LOADED
from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.results.course import Course, Duration, add_course
from gridai.studies.common import add_places
from gridai.studies.series_sums import COURSES, MOST_RUNS, VM_BIN, Sums

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.series import Changers
    from gridai.studies.timeseries import Timeseries

UNITS = {"cluster_mw": "MW", "losses_mw": "MW", "slack_mw": "MW", "vm_min_pu": "pu", "vm_max_pu": "pu",
         "percent_max": "%"}  # fmt: skip
DRAWN, LISTED, RUNS = 4, 8, 20


def branch_names(net: Any) -> list[str]:
    """Names of the branches in the order of Block.percent."""
    return [str(name) for t in LOADED for name in net[t]["name"]]


def span(sums: Sums) -> str:
    """The time studied in words."""
    hours = float(sums.hours.sum())
    for unit, size in (("days", 24.0), ("h", 1.0), ("min", 1 / 60.0)):
        if hours >= 2.0 * size:
            return f"{hours / size:.4g} {unit}"
    return f"{3600.0 * hours:.4g} s"


def result_of(case: Case, sums: Sums) -> Result:
    """Means of the solved steps in up to 2,000 buckets, with the duration curves."""
    t_s, means = sums.courses()
    channels = tuple(Channel("system", "grid", name, UNITS[name]) for name in COURSES)
    meta = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result(t_s, np.stack([means[name] for name in COURSES], axis=1), channels, (), meta)
    add_places(result, case)
    runs = tuple((float(sums.t_s[r.first]), float(sums.t_s[r.last])) for r in sums.runs[:MOST_RUNS])
    return add_course(result, Course(tuple(_curves(sums)), runs))


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


def summary(sums: Sums, taps: Changers | None) -> dict[str, Measure]:
    """Steps and what became of them, energies, extremes with place and time, tap moves."""
    nan = float("nan")
    n = len(sums.t_s)
    why = ", ".join(f"{count}: {text}" for text, count in sorted(sums.reasons.items(), key=lambda x: -x[1]))
    lines = {
        "steps": Measure("steps", float(n), ""),
        "unsolved": Measure("steps without a certified solution", float(n - sums.solved), "", note=why),
        "cluster_energy": Measure("energy of the clusters", sums.energy["cluster_mw"], "MWh", note="solved steps"),
        "losses_energy": Measure("energy lost in branches", sums.energy["losses_mw"], "MWh", note="solved steps"),
        "slack_energy": Measure("energy from the slack", sums.energy["slack_mw"], "MWh", note="solved steps"),
    }
    for key, label, held, unit, names in (
        ("vm_min", "lowest voltage", sums.low, "pu", sums.buses),
        ("vm_max", "highest voltage", sums.high, "pu", sums.buses),
        ("percent_max", "highest loading", sums.most, "%", sums.branches),
    ):  # fmt: skip
        value, where, at = held[0], int(held[1]), int(held[2])
        known = at >= 0 and np.isfinite(value) and where < len(names)
        word = "bus " if unit == "pu" else ""
        lines[key] = Measure(label, float(value), unit, word + names[where], float(sums.t_s[at])) if known else Measure(
            label, nan, unit, note="no solved step")  # fmt: skip
    over = float(sums.over_hours.max(initial=0.0))
    at_branch = sums.branches[int(sums.over_hours.argmax())] if over > 0.0 else ""
    lines["over_hours"] = Measure("longest overload of a branch, all its hours", over, "h", at_branch)
    if taps is not None:
        lines["tap_moves"] = Measure("tap moves", float(sum(taps.moves)), "", f"{len(taps.changers)} changers")
    return lines


def tables(sums: Sums, taps: Changers | None) -> dict[str, Table]:
    """Steps without a solution, the branches that carry most, the buses that go lowest, the tap changers."""
    out = {}
    if sums.runs:
        rows = tuple(
            (f"{sums.t_s[r.first]:.10g}", f"{sums.t_s[r.last]:.10g}", str(r.last - r.first + 1), r.reason,
             f"{100.0 * r.reached:.1f}" if np.isfinite(r.reached) else "")
            for r in sums.runs[:RUNS]
        )  # fmt: skip
        more = f", the first {RUNS} of {len(sums.runs)}" if len(sums.runs) > RUNS else ""
        out["unsolved"] = Table(f"steps without a certified solution, those in a row together{more}",
                                ("from s", "to s", "steps", "reason", "% of the change possible"), rows)  # fmt: skip
    out["branches"] = _quantiles("highest loadings, %", "branch", sums.branches, sums.percent, sums.over_hours)
    out["voltages"] = _quantiles("lowest voltages, pu", "bus", sums.buses, sums.vm, None)
    if taps is not None:
        names = taps.flow.net.trafo["name"]
        rows = tuple(
            (str(names[c.index]), f"{c.vm_pu:.4f}", str(taps.table.base["trafo", c.index]), str(taps.position[k]),
             str(taps.moves[k]))
            for k, c in enumerate(taps.changers)
        )  # fmt: skip
        out["taps"] = Table(
            "tap changers", ("transformer", "aims at pu", "first position", "last position", "moves"), rows
        )
    return out


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
    columns = (
        kind,
        "highest",
        "1 % of the time above",
        "half",
        "99 %",
        "lowest",
        *(("h above 100 %",) if falling else ()),
    )
    return Table(title, columns, tuple(rows))


def notes(study: Timeseries, sums: Sums) -> list[str]:
    """How it was computed."""
    found = [
        "each step is a power flow of its own, certified by its residual; a step without one counts in nothing but its "
        "own line, and the steps around it are not touched",
        "the load is followed by " + ("all units in proportion to their dispatch, within their turbines, losses by the "
                                      "slack" if study.followed_by == "units" else "the slack alone"),
        "duration curves are read from bins of 0.0005 pu and 0.5 %; the course from means of up to 2,000 spans",
    ]  # fmt: skip
    if study.taps:
        found.append(
            f"tap changers: dead band {study.deadband_pu:g} pu, delay {study.delay_s:g} s, one position at a time"
        )
    if study.keep:
        found.append(f"every step is in {study.keep}")
    return found
