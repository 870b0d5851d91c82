"""Tables, summary, verdicts and figure data of the study `contingency`. Imported when a study is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.reports import Measure, Table
from gridai.results import Channel, Result, Verdict
from gridai.results.contingencies import Ranked, add_ranked
from gridai.results.records import Status
from gridai.studies.common import add_places

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.security import Beyond, Security

POINTS = 1000
LISTED = 200
OWN: dict[str, Any] = {"source": "gridai, grid/security.py", "confidence": "V", "profile": "gridai"}


def name_of(flow: Any, table: str, index: int) -> str:
    """An element in words."""
    name = str(flow.net[table].at[index, "name"])
    return f"bus {name}" if table == "bus" else name if name.startswith(table) else f"{table} {name}"


def outage_of(flow: Any, found: Security, k: int) -> str:
    """An outage in words."""
    return " + ".join(name_of(flow, t, i) for t, i in found.outages[k].elements)


def result_of(case: Case, found: Security, levels: Any) -> Result:
    """One sample with the fault level of each bus, and the ranked outages."""
    keys = {i: k for k, i in case.buses.items()}
    some = {} if levels is None else levels.skss_mva
    channels = tuple(Channel("bus", keys[i], "fault_mva", "MVA") for i in some)
    meta = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result([0.0], np.array([[*some.values()]]).reshape(1, -1), channels, (), meta)
    add_places(result, case)
    n = len(found.outages)
    rank = np.unique(np.round(np.geomspace(1, max(n, 1), min(n, POINTS))).astype(int))
    lists = [_ranked(v, rank, up) for v, up in ((found.percent, True), (found.vm_low, False), (found.vm_high, True))]
    unsolved, split = int((~found.solved).sum()), int((found.lost_buses > 0).sum())
    ranked = Ranked(tuple(map(float, rank)), lists[0], lists[1], lists[2], n, unsolved, split)
    return add_ranked(result, ranked)


def _ranked(values: Any, rank: Any, largest_first: bool) -> tuple[float, ...]:
    known = np.sort(values[np.isfinite(values)])
    known = known[::-1] if largest_first else known
    return tuple(float(known[r - 1]) if r <= len(known) else float("nan") for r in rank)


def summary(case: Case, found: Security, flow: Any) -> dict[str, Measure]:
    """Counts, and the worst of each kind."""
    n = len(found.outages)
    split = found.lost_buses > 0
    lost = np.nan_to_num(found.lost_load_mw)
    most = int(np.argmax(lost)) if n else 0
    loses = f"most load lost: {lost[most]:.1f} MW, after {outage_of(flow, found, most)}" if n and lost[most] > 0 else ""
    lines = {
        "outages": Measure("outages", float(n), ""),
        "unsolved": Measure("without a certified solution", float((~found.solved).sum()), ""),
        "split": Measure("that cut buses off", float(split.sum()), "", note=loses),
        "overloading": Measure("that overload a branch", float(len({b.outage for b in found.overloads})), ""),
        "beyond_band": Measure("that drive a voltage out of its band", float(len({b.outage for b in found.voltages})),
                               ""),
    }  # fmt: skip
    for key, label, values, unit, worst in (
        ("percent", "highest loading", found.percent, "%", np.nanargmax),
        ("vm_low", "lowest voltage", found.vm_low, "pu", np.nanargmin),
        ("vm_high", "highest voltage", found.vm_high, "pu", np.nanargmax),
    ):
        if np.isfinite(values).any():
            k = int(worst(np.where(np.isfinite(values), values, np.nan)))
            lines[key] = Measure(label, float(values[k]), unit, note=f"after {outage_of(flow, found, k)}")
    for placement in case.placements:
        index = case.buses[placement.bus]
        cut = sum(index in dead for dead in _dead(flow, found))
        lines[f"cut_{placement.name}"] = Measure(
            f"that cut {placement.name} off", float(cut), "", f"bus {placement.bus}"
        )
    return lines


def _dead(flow: Any, found: Security) -> Any:
    from gridai.grid.contingency import Contingencies

    split = [found.outages[k] for k in np.flatnonzero(found.lost_buses > 0)]
    return Contingencies(flow).prepare(split).dead_buses if split else ()


def verdicts(case: Case, found: Security, flow: Any, judge: Any, most: float) -> tuple[Verdict, ...]:
    """Every outage has a solution, no branch is overloaded, no voltage leaves its band."""
    unsolved = np.flatnonzero(~found.solved)
    first = outage_of(flow, found, int(unsolved[0])) if len(unsolved) else ""
    out = [
        Verdict("solvable", float(len(unsolved)), 0.0, "1", 0.0 - float(len(unsolved)), first, 0.0,
                "fail" if len(unsolved) else "pass", "every outage has a power flow", "", **OWN)
    ]  # fmt: skip
    return (*out, *_thermal(found, flow, most), *_voltage(found, flow, judge))


def _thermal(found: Security, flow: Any, most: float) -> list[Verdict]:
    worst = max(found.overloads, key=lambda b: b.excess, default=None)
    if worst is None and not np.isfinite(found.percent).any():
        return []
    value = min(float(np.nanmax(found.percent)), most) if worst is None else worst.value
    where = "" if worst is None else _after(flow, found, worst)
    status: Status = "pass" if worst is None else "fail"
    text = "loading after an outage"
    return [Verdict("thermal_loading", value, most, "%", most - value, where, 0.0, status, text, "", **OWN)]


def _voltage(found: Security, flow: Any, judge: Any) -> list[Verdict]:
    limit = next((x for x in judge.limits if x.criterion == "steady_voltage"), None)
    if limit is None or not found.solved.any():
        return []
    worst = max(found.voltages, key=lambda b: b.excess, default=None)
    if worst is None:
        bound = limit.low if limit.low is not None else 0.0
        value, where = max(float(np.nanmin(found.vm_low)), bound), ""
        margin = value - bound
    else:
        value, bound, where = worst.value, worst.limit, _after(flow, found, worst)
        margin = -worst.excess
    status: Status = "pass" if worst is None else "fail"
    return [Verdict("voltage_after_outage", value, bound, "pu", margin, where, 0.0, status, limit.clause, limit.edition,
                    limit.source, limit.confidence, limit.profile)]  # fmt: skip


def _after(flow: Any, found: Security, b: Beyond) -> str:
    return f"{name_of(flow, *b.element)} after {outage_of(flow, found, b.outage)}"


def tables(case: Case, found: Security, flow: Any, levels: Any) -> dict[str, Table]:
    """Overloads, voltages, outages without a solution, outages that cut off, fault levels: each from the worst."""
    out: dict[str, Table] = {}
    cells: tuple[tuple[str, ...], ...]
    for key, title, rows, unit in (
        ("overloads", "overloads, the worst first", found.overloads, "%"),
        ("voltages", "voltages beyond their band, the worst first", found.voltages, "pu"),
    ):
        order = sorted(rows, key=lambda b: -b.excess)[:LISTED]
        digits = 1 if unit == "%" else 4
        cells = tuple((name_of(flow, *b.element), outage_of(flow, found, b.outage), f"{b.value:.{digits}f}",
                       f"{b.limit:.{digits}f}", unit) for b in order)  # fmt: skip
        out[key] = Table(_of(title, cells, rows), ("element", "outage", "value", "limit", "unit"), cells)
    unsolved = sorted(found.reasons, key=lambda k: found.reached[k])
    cells = tuple((outage_of(flow, found, k), found.reasons[k]) for k in unsolved[:LISTED])
    out["unsolved"] = Table(_of("outages without a certified solution", cells, unsolved), ("outage", "reason"), cells)
    split = np.flatnonzero(found.lost_buses > 0)
    order_ = split[np.argsort(-found.lost_load_mw[split], kind="stable")]
    cells = tuple((outage_of(flow, found, int(k)), f"{found.lost_buses[k]:.0f}", f"{found.lost_load_mw[k]:.1f}",
                   f"{found.lost_gen_mw[k]:.1f}") for k in order_[:LISTED])  # fmt: skip
    columns = ("outage", "buses", "load MW", "generation MW")
    out["islands"] = Table(
        _of("outages that cut buses off; the rest of the grid is solved", cells, split), columns, cells
    )
    if levels is not None:
        keys = {i: k for k, i in case.buses.items()}
        mw: dict[int, float] = {}
        for p in case.placements:
            mw[case.buses[p.bus]] = mw.get(case.buses[p.bus], 0.0) + float(p.cluster.p_mw)
        weak = sorted(levels.skss_mva, key=lambda i: levels.skss_mva[i])
        cells = tuple((keys[i], f"{levels.ikss_ka[i]:.2f}", f"{levels.skss_mva[i]:.0f}",
                       f"{levels.skss_mva[i] / mw[i]:.1f}" if mw.get(i) else "") for i in weak)  # fmt: skip
        out["fault_levels"] = Table("three-phase faults, the weakest bus first",
                                    ("bus", "Ik'' kA", "Sk'' MVA", "over the cluster's MW"), cells)  # fmt: skip
    return {k: t for k, t in out.items() if t.rows}


def _of(title: str, shown: Any, every: Any) -> str:
    return title if len(shown) == len(every) else f"{title}: {len(shown)} of {len(every):,}"


def notes(found: Security, unrated: int, rating_mva: float | None) -> list[str]:
    """How it was judged."""
    out = [
        "nothing is redispatched after an outage: what is lost falls on the slack, and an island without the slack "
        "counts as cut off; each power flow is certified by its residual",
        f"{found.already} voltages and loadings are outside their limits with everything in; they are not listed again",
    ]
    if unrated:
        out.append(f"{unrated} branches state no rating; " + (
            f"{rating_mva:g} MVA is taken for each" if rating_mva is not None else
            "their loading is not judged; give rating_mva"))  # fmt: skip
    return out
