"""Tables, summary, verdicts and figure data of the study `contingency`. Imported when a study is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.reports import Measure, Table
from gridai.results import Channel, Result, Verdict
from gridai.results.contingencies import Ranked, add_ranked
from gridai.results.records import Status
from gridai.studies.common import add_places
from gridai.studies.contingency_islands import islands, restoration, slacks
from gridai.studies.contingency_words import name_of, outage_of

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.security import Beyond, Security
    from gridai.studies.contingency import Contingency

POINTS = 1000
LISTED = 200
OWN: dict[str, Any] = {"source": "gridai, grid/security.py", "confidence": "V", "profile": "gridai"}


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


def summary(
    case: Case, found: Security, flow: Any, single: Security | None = None, restored: Any = ((), 0)
) -> dict[str, Measure]:
    """Counts, and the worst of each kind."""
    n = len(found.outages)
    split = found.lost_buses > 0
    lost = np.nan_to_num(found.lost_load_mw)
    most = int(np.argmax(lost)) if n else 0
    loses = f"after {outage_of(flow, found, most)}" if n and lost[most] > 0 else ""
    lines = {
        "outages": Measure("outages", float(n), ""),
        "unsolved": Measure("without a certified solution", float((~found.solved).sum()), ""),
        "split": Measure("that cut buses off", float(split.sum()), ""),
        "load_lost": Measure("most load that one cuts off", float(lost[most]) if n else 0.0, "MW", note=loses),
        "overloading": Measure("that overload a branch", float(len({b.outage for b in found.overloads})), ""),
        "beyond_band": Measure("that drive a voltage out of its band", float(len({b.outage for b in found.voltages})),
                               ""),
    }  # fmt: skip
    living = sum(any(x.lives for x in own) for own in found.islands.values())
    if living:
        lines["living"] = Measure("that leave an island living on its own", float(living), "")
    if single is not None:
        for key, label, rows, alone in (
            ("pair_overloads", "that overload a branch neither outage overloads alone", found.overloads,
             alone_of(single, single.overloads)),
            ("pair_voltages", "that drive out a voltage neither outage drives out alone", found.voltages,
             alone_of(single, single.voltages)),
        ):  # fmt: skip
            new = {b.outage for b in rows if not any((x, b.element) in alone for x in found.outages[b.outage].elements)}
            lines[key] = Measure(label, float(len(new)), "")
    lines |= _restored(restored)
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
        cut = sum(index in dead for dead in _dead(found))
        lines[f"cut_{placement.name}"] = Measure(
            f"that cut {placement.name} off", float(cut), "", f"bus {placement.bus}"
        )
    return lines


def _restored(restored: Any) -> dict[str, Measure]:
    rows, ties = restored
    if not rows:
        return {}
    good = [x for x in rows if x.tie is not None and not x.beyond]
    note = f"of {len(rows)} that cut load off, by one of {ties} open ties, all limits kept"
    whole = sum(x.restored_mw >= x.lost_mw - 1e-9 for x in good)
    return {"restorable": Measure("that a tie restores", float(len(good)), "", note=f"{note}; {whole} wholly")}


def _dead(found: Security) -> list[set[int]]:
    """Buses without supply of each outage that has some."""
    every = ({bus for x in own if not x.lives for bus in x.buses} for own in found.islands.values())
    return [dead for dead in every if dead]


def verdicts(
    case: Case, found: Security, flow: Any, judge: Any, most: float, most_lost: float | None = None
) -> tuple[Verdict, ...]:
    """Every outage has a solution, none cuts off more load than allowed, overloads a branch, drives out a voltage."""
    unsolved = np.flatnonzero(~found.solved)
    first = outage_of(flow, found, int(unsolved[0])) if len(unsolved) else ""
    out = [
        Verdict("solvable", float(len(unsolved)), 0.0, "1", 0.0 - float(len(unsolved)), first, 0.0,
                "fail" if len(unsolved) else "pass", "every outage has a power flow", "", **OWN)
    ]  # fmt: skip
    if most_lost is not None:
        lost = np.nan_to_num(found.lost_load_mw)
        k = int(np.argmax(lost))
        status: Status = "pass" if lost[k] <= most_lost else "fail"
        where = outage_of(flow, found, k) if lost[k] > 0.0 else ""
        out.append(Verdict("load_lost", float(lost[k]), most_lost, "MW", most_lost - float(lost[k]), where, 0.0, status,
                           "load that an outage cuts off", "", **OWN))  # fmt: skip
    return (*out, *_thermal(found, flow, most), *_voltage(found, flow, judge))


def _thermal(found: Security, flow: Any, most: float) -> list[Verdict]:
    worst = max(found.overloads, key=lambda b: b.excess, default=None)
    near = worst or (found.tightest["%"][1] if "%" in found.tightest else None)
    if near is None:
        return []
    value, bound, where = near.value, near.limit, _after(flow, found, near)
    status: Status = "pass" if worst is None else "fail"
    note = _allowed(found.already - found.already_voltages, "loadings", "1 %")
    return [Verdict("thermal_loading", value, bound, "%", bound - value, where, 0.0, status, "loading after an outage",
                    "", **OWN, note=note)]  # fmt: skip


def _voltage(found: Security, flow: Any, judge: Any) -> list[Verdict]:
    limit = next((x for x in judge.limits if x.criterion == "steady_voltage"), None)
    if limit is None or not found.solved.any():
        return []
    worst = max(found.voltages, key=lambda b: b.excess, default=None)
    near = worst or (found.tightest["pu"][1] if "pu" in found.tightest else None)
    if near is None:
        return []
    margin = found.tightest["pu"][0] if worst is None else -worst.excess
    status: Status = "pass" if worst is None else "fail"
    where, note = _after(flow, found, near), _allowed(found.already_voltages, "voltages", "0.005 pu")
    return [Verdict("voltage_after_outage", near.value, near.limit, "pu", margin, where, 0.0, status, limit.clause,
                    limit.edition, limit.source, limit.confidence, limit.profile, note)]  # fmt: skip


def _allowed(already: int, what: str, worse: str) -> str:
    return f"{already} {what} already outside with everything in; each may get worse by {worse}" if already else ""


def _after(flow: Any, found: Security, b: Beyond) -> str:
    return f"{name_of(flow, *b.element)} after {outage_of(flow, found, b.outage)}"


def tables(
    case: Case, found: Security, flow: Any, levels: Any, single: Security | None = None, restored: Any = ((), 0)
) -> dict[str, Table]:
    """Overloads, voltages, outages without a solution, islands, restoration, fault levels: each from the worst.

    single  of pairs: what becomes of the single outages; restored: of grid.restore.
    """
    out: dict[str, Table] = {}
    cells: tuple[tuple[str, ...], ...]
    for key, title, rows, unit, alone in (
        ("overloads", "overloads", found.overloads, "%", single.overloads if single else []),
        ("voltages", "voltages beyond their band", found.voltages, "pu", single.voltages if single else []),
    ):
        out[key] = _beyond(title, found, flow, rows, unit, None if single is None else alone_of(single, alone))
    unsolved = sorted(found.reasons, key=lambda k: found.reached[k])
    cells = tuple((outage_of(flow, found, k), found.reasons[k]) for k in unsolved[:LISTED])
    out["unsolved"] = Table(_of("outages without a certified solution", cells, unsolved), ("outage", "reason"), cells)
    out["restoration"] = restoration(found, flow, *restored)
    out["islands"], out["slack_units"] = islands(found, flow), slacks(found, flow)
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


def alone_of(single: Security, rows: list[Beyond]) -> dict[tuple[Any, Any], float]:
    """What single outages drive beyond a limit: (element out, element) to the value."""
    return {(single.outages[b.outage].elements[0], b.element): b.value for b in rows}


def _beyond(
    title: str, found: Security, flow: Any, rows: list[Beyond], unit: str, alone: dict[tuple[Any, Any], float] | None
) -> Table:
    """What is beyond its limit, the worst first; of pairs, what neither outage brings alone before the rest."""
    digits = 1 if unit == "%" else 4

    def single(b: Beyond) -> list[float]:
        return [] if alone is None else [alone[x, b.element] for x in found.outages[b.outage].elements
                                         if (x, b.element) in alone]  # fmt: skip

    order = sorted(rows, key=lambda b: (bool(single(b)), -b.excess))[:LISTED]
    cells = []
    for b in order:
        more: tuple[str, ...] = ()
        if alone is not None:
            values = single(b)
            worst = max(values, key=lambda x: abs(x - b.limit)) if values else None
            more = ("within its limit" if worst is None else f"{worst:.{digits}f}",)
        cells.append((name_of(flow, *b.element), outage_of(flow, found, b.outage), f"{b.value:.{digits}f}",
                      f"{b.limit:.{digits}f}", unit, *more))  # fmt: skip
    first = "the worst first" if alone is None else "first what only the pair brings, the worst first"
    columns = ("element", "outage", "value", "limit", "unit", *(() if alone is None else ("after one of them alone",)))
    return Table(_of(f"{title}, {first}", cells, rows), columns, tuple(cells))


def _of(title: str, shown: Any, every: Any) -> str:
    return title if len(shown) == len(every) else f"{title}: {len(shown)} of {len(every):,}"


def notes(study: Contingency, found: Security, unrated: int) -> list[str]:
    """How it was judged."""
    who = "what is lost falls on the slack"
    if study.lost == "headroom":
        who = ("generation and load lost are made up by all units by headroom to max_p_mw (too much: by what they "
               "give), the rest by the slack")  # fmt: skip
    out = [
        f"{who}; nothing else is redispatched after an outage; each power flow is certified by its residual",
    ]
    if found.already:
        out.append(f"{found.already} voltages and loadings are outside their limits with everything in; they are "
                   "listed where an outage makes them worse by more than 0.005 pu or 1 %")  # fmt: skip
    if study.order != "n-1":
        out.insert(1, "n-1-1: nothing is adjusted between the two outages, no dispatch, tap or switch, so the order of "
                   "a pair makes no difference; a dispatch in between is a case of its own")  # fmt: skip
    if found.islands:
        out.append("an island lives if it has load and a unit that holds its voltage, and if what it is short of lies "
                   "within its units' headroom to max_p_mw (over: within what they give); the largest unit becomes its "
                   "reference; the load and generation of any other island are lost")  # fmt: skip
    if unrated:
        out.append(f"{unrated} branches state no rating; " + (
            f"{study.rating_mva:g} MVA is taken for each" if study.rating_mva is not None else
            "their loading is not judged; give rating_mva"))  # fmt: skip
    return out
