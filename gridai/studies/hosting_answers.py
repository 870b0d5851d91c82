"""The answer of `hosting` at each bus, and what the report says of all: summary, verdicts, margins to the nose.

Imported when a study is run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gridai.reports import Measure
from gridai.results import Limit, Verdict
from gridai.studies.hosting_caps import CAPS, Cap
from gridai.studies.hosting_dynamic import Lived

if TYPE_CHECKING:
    from gridai.grid.sizing import Finding, Sized, Sizing
    from gridai.studies.hosting import Hosting
    from gridai.studies.hosting_costs import Tried

UNITS = {"voltage": "pu", "loading": "%", "step": "pu", "margin": "%", "no solution": ""}
CRITERIA = {
    "voltage": "steady_voltage", "loading": "thermal_loading", "step": "voltage_step", "margin": "loadability_margin",
}  # fmt: skip
MOST_MARGIN = 4.0
"""Margins to the nose are looked for up to so many times the size. [-]"""
OWN = {"source": "gridai, study hosting", "confidence": "V", "profile": "gridai"}


@dataclass(frozen=True)
class Answer:
    """One bus.

    mw      the size. [MW]
    stop    what stops a larger one, in a word or two.
    where, outage, value, limit, unit, t_s   of that; "" and NaN where they do not apply.
    """

    bus: int
    key: str
    mw: float
    stop: str
    where: str
    outage: str
    value: float
    limit: float
    unit: str
    t_s: float
    sized: Sized
    cap: Cap
    lived: Lived | None


def places(tol_mw: float) -> int:
    """Digits after the point that a size deserves."""
    return 1 if tol_mw > 0.2 else 2 if tol_mw > 0.005 else 3 if tol_mw > 0.0005 else 4


def digits(value: float, limit: float) -> tuple[str, str]:
    """Value and limit as text, with as many digits as tell them apart; empty for NaN."""
    if value != value or limit != limit:
        return "" if value != value else f"{value:.4g}", "" if limit != limit else f"{limit:.4g}"
    usual = 4 if abs(limit) < 10.0 else 1
    for n in range(usual, usual + 4):
        if value == limit or f"{value:.{n}f}" != f"{limit:.{n}f}":
            break
    return f"{value:.{n}f}", f"{limit:.{n}f}"


def answers(
    found: Sequence[Sized], caps: Sequence[Cap], lived: Sequence[Lived | None], sizing: Sizing, keys: Mapping[int, str]
) -> list[Answer]:
    """Static and dynamic answers brought together."""
    names = keys_of(sizing) | dict(keys)
    return [_answer(s, c, x, sizing, names) for s, c, x in zip(found, caps, lived, strict=True)]


def _answer(s: Sized, cap: Cap, lived: Lived | None, sizing: Sizing, keys: Mapping[int, str]) -> Answer:
    nan, key = math.nan, keys[s.bus]
    b = None if lived is None else lived.bound
    if lived is not None and b is not None:
        return Answer(s.bus, key, lived.mw, f"{b.criterion} ({b.run})", b.element, "", b.value, b.limit, b.unit, b.t_s,
                      s, cap, lived)  # fmt: skip
    f = s.binds
    if f is not None:
        return Answer(s.bus, key, s.mw, f.kind, element(sizing, f, keys), outage(sizing, f.outage), f.value, f.limit,
                      UNITS[f.kind], nan, s, cap, lived)  # fmt: skip
    return Answer(s.bus, key, s.mw, CAPS[cap.kind], "", outage(sizing, cap.outage), cap.value, cap.limit, cap.unit, nan,
                  s, cap, lived)  # fmt: skip


def keys_of(sizing: Sizing) -> dict[int, str]:
    """Key of every bus by pandapower index."""
    from gridai.grid.names import bus_keys_of

    return {int(i): k for i, k in bus_keys_of(sizing.flow.net).items()}


def element(sizing: Sizing, f: Finding, keys: Mapping[int, str]) -> str:
    """An element in words."""
    table, index = f.element
    return f"bus {keys[index]}" if table == "bus" else name_of(sizing, table, index)


def outage(sizing: Sizing, number: int) -> str:
    """An outage in words; empty for the intact grid."""
    if number < 0:
        return ""
    return " + ".join(name_of(sizing, t, i) for t, i in sizing.outages[number].elements)


def name_of(sizing: Sizing, table: str, index: int) -> str:
    """An element of a table by its name."""
    name = str(sizing.flow.net[table].at[index, "name"])
    return name if name.startswith(table) or name.lower().startswith(f"{table} ") else f"{table} {name}"


def cut_off(given: Answer, sizing: Sizing) -> int:
    """Number of single outages that leave a bus without supply, without those that take the slack from the grid."""
    dead = sizing.pickup.dead[:, sizing.row_of(given.bus)]
    return int((dead & (sizing.order <= 1) & ~sizing.headless()).sum())


def summary(
    study: Hosting,
    given: Sequence[Answer],
    sizing: Sizing,
    tried: Sequence[Tried] = (),
    tol_mw: float = 1.0,
) -> dict[str, Measure]:
    """Least, middle and most of the buses, what stops them, and what it took."""
    order = sorted(given, key=lambda a: a.mw)
    lines = {}
    for key, label, a in (("most", "most", order[-1]), ("median", "bus in the middle", order[len(order) // 2]),
                          ("least", "least", order[0])):  # fmt: skip
        lines[key] = Measure(f"hosting capacity: {label}", a.mw, "MW", f"bus {a.key}", note=f"stopped by {a.stop}")
    counts = {stop: sum(a.stop == stop for a in given) for stop in dict.fromkeys(a.stop for a in given)}
    told = ", ".join(f"{stop} {n}" for stop, n in sorted(counts.items(), key=lambda item: -item[1]))
    lines["buses"] = Measure("buses studied", float(len(given)), "", note=f"stopped by: {told}")
    single = int((sizing.order == 1).sum())
    words = (
        "one at a time" if single == len(sizing.outages) else f"{single} alone and {len(sizing.outages) - single} pairs"
    )
    lines["outside"] = Measure(
        "outside their limits without a cluster", float(sizing.outside), "",
        note="voltages and loadings, all outages counted; none may get much worse",
    )  # fmt: skip
    lines["outages"] = Measure(
        "outages", float(len(sizing.outages)), "", note=words if sizing.outages else "none asked"
    )
    lines["flows"] = Measure("power flows", float(sizing.flows), "", note="each certified by its residual")
    played = [a.lived.sizes for a in given if a.lived is not None]
    if played:
        lines["sizes"] = Measure(
            "sizes tried in dynamic runs", float(sum(played)), "", note="pause, fault, modes of each"
        )
    gains = [t for t in tried if t.after_mw - t.before_mw > tol_mw]
    if gains:
        best = min(gains, key=lambda t: t.per_mw)
        lines["cheapest"] = Measure("cheapest reinforcement for each MW", best.per_mw, f"{_currency(study)}/MW",
                                    f"bus {best.bus}", note=f"{best.what}: {best.before_mw:.1f} to {best.after_mw:.1f} "
                                    f"MW for {best.cost:.2f} {_currency(study)}")  # fmt: skip
    return lines


def _currency(study: Hosting) -> str:
    from gridai.studies.cost_table import read_costs

    return read_costs(study.costs).currency


def verdicts(study: Hosting, given: Sequence[Answer], sizing: Sizing, judge: Any, lived: Any) -> tuple[Verdict, ...]:
    """What was judged at the sizes found: of each criterion the bus nearest to its limit; and the size wanted."""
    out = []
    if study.wanted_mw is not None:
        least = min(given, key=lambda a: a.mw)
        out.append(_own("hosting_mw", least.mw, study.wanted_mw, "MW", least.mw - study.wanted_mw, f"bus {least.key}",
                        "size that was asked for at every bus studied", f"stopped by {least.stop}"))  # fmt: skip
    limits = study.limits(judge)
    keys = keys_of(sizing)
    for kind in ("voltage", "loading", "step"):
        some = [(f, a) for a in given for f in a.sized.nearest if f.kind == kind]
        if some:
            f, a = min(some, key=lambda pair: pair[0].room)
            out.append(_static(f, a, _source(f, limits, sizing), sizing, keys))
    strength = [a for a in given if a.cap.scc_mva == a.cap.scc_mva and a.sized.mw > 0.0]
    if strength:
        a = min(strength, key=lambda x: x.cap.scc_mva / x.sized.mw)
        ratio = a.cap.scc_mva / a.sized.mw
        out.append(_own("short_circuit_ratio", ratio, study.lowest_scr, "1", ratio - study.lowest_scr, f"bus {a.key}",
                        "short-circuit power over the cluster's power", f"cluster of {_size(a.sized.mw)}"))  # fmt: skip
    return (*out, *_dynamic(given))


def _size(mw: float) -> str:
    return f"{mw:.1f} MW" if mw >= 1.0 else f"{1e3 * mw:.3g} kW"


def _source(f: Finding, limits: Sequence[Limit], sizing: Sizing) -> Limit | None:
    """The limit of the profile that a finding is held against; None where the study states its own."""
    condition = "normal" if f.outage < 0 else "contingency"
    if f.kind == "loading" and f.outage >= 0:
        return None
    for x in limits:
        if x.criterion != CRITERIA[f.kind] or x.condition not in ("any", condition, "planning"):
            continue
        if any(side is not None and abs(side - f.limit) < 1e-9 for side in (x.low, x.high)):
            return x
    return None


def _own(
    criterion: str, value: float, limit: float, unit: str, margin: float, where: str, clause: str, note: str
) -> Verdict:
    status: Literal["pass", "fail"] = "pass" if margin >= -1e-9 else "fail"
    return Verdict(criterion, value, limit, unit, margin, where, math.nan, status, clause, note=note, **OWN)


def _loosened(f: Finding, sizing: Sizing) -> bool:
    """Whether a voltage or loading is held to more than its limit, as it is outside without the cluster."""
    row = min(f.outage, 0) + 1
    if f.kind == "loading":
        return f.limit > sizing.limits.loading[row] + 1e-9
    if f.kind != "voltage":
        return False
    at = sizing.flow.net.bus.index.get_loc(f.element[1])
    return bool(f.limit < sizing.limits.low[row, at] - 1e-9 or f.limit > sizing.limits.high[row, at] + 1e-9)


def _static(f: Finding, a: Answer, limit: Limit | None, sizing: Sizing, keys: Mapping[int, str]) -> Verdict:
    """The nearest of one criterion; it passes, for the size is the largest that does."""
    after = outage(sizing, f.outage)
    note = f"cluster of {_size(a.sized.mw)} at bus {a.key}" + (f", after {after}" if after else "")
    margin = f.room * (100.0 if f.kind == "loading" else 1.0)
    where, unit = element(sizing, f, keys), UNITS[f.kind]
    if limit is None:
        text = "outside its limit, or on the edge, without the cluster; so much worse it may get"
        text = text if _loosened(f, sizing) else "setting of the study"
        return _own(CRITERIA[f.kind], f.value, f.limit, unit, margin, where, text, note)
    return Verdict(CRITERIA[f.kind], f.value, f.limit, unit, margin, where, math.nan, "pass", limit.clause,
                   limit.edition, limit.source, limit.confidence, limit.profile, note)  # fmt: skip


def _dynamic(given: Sequence[Answer]) -> list[Verdict]:
    """The nearest of each criterion over the dynamic runs at the sizes found; it says which run and bus."""
    from dataclasses import replace

    best: dict[str, tuple[float, Verdict]] = {}
    for a in given:
        for run, v in () if a.lived is None else a.lived.judged:
            if v.status == "not assessable":
                continue
            rank = v.margin / max(abs(v.limit), 1e-9)
            name = f"{v.criterion} {v.clause} {run}"
            if name not in best or rank < best[name][0]:
                note = f"{run} of {a.mw:.1f} MW at bus {a.key}" + (f"; {v.note}" if v.note else "")
                best[name] = rank, replace(v, note=note)
    return [v for _, v in best.values()]


def margins(given: Sequence[Answer], sizing: Sizing) -> list[tuple[Answer, float, float, str]]:
    """Where a margin is judged: how much further each cluster could grow, intact and after the worst single outage. [%]

    Up to MOST_MARGIN times the size; the last entry is that outage in words.
    """
    if not any(x > 0.0 for x in sizing.limits.margin):
        return []
    single = sizing.judged[sizing.order[sizing.judged] == 1]
    out = []
    for a in given:
        if a.mw > 0.0:
            intact, _ = _worst(sizing, a, np.zeros(1, dtype=np.int64))
            left, worst = _worst(sizing, a, single)
            out.append((a, 100.0 * intact, 100.0 * left, outage(sizing, worst - 1) if worst else ""))
    return out


def _worst(sizing: Sizing, a: Answer, states: np.ndarray) -> tuple[float, int]:
    """The smallest margin over some states up to MOST_MARGIN, and the state; NaN without states.

    Growth is doubled until a state has no solution; those that have one then are let go of.
    """
    low, high, live = 0.0, math.inf, states
    if not len(live):
        return math.nan, 0
    tried = max(sizing.limits.margin)
    for _ in range(20):
        good = sizing.solved(np.full(len(live), a.bus), np.full(len(live), (1.0 + tried) * a.mw), live)
        if good.all():
            low = tried
        else:
            high, live = tried, live[~good]
        if low >= MOST_MARGIN or high - low < 1e-3 * (1.0 + low):
            break
        tried = min(2.0 * low, MOST_MARGIN) if math.isinf(high) else 0.5 * (low + high)
    return low, int(live[0]) if math.isfinite(high) else 0
