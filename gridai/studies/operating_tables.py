"""Tables, summary and figure data of the study `operating-modes`. Imported when a study is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.operating import KINDS, RULES
from gridai.grid.series import LOADED
from gridai.reports import Measure, Table
from gridai.results import Channel, Result, Verdict
from gridai.results.records import Status
from gridai.studies.common import add_places
from gridai.studies.contingency_words import name_of
from gridai.studies.operating_run import Done

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.studies.operating_modes import OperatingModes

ACCEPTED = 0
IMPOSSIBLE = (1, 2, 4)
"""Kinds that no grid could hold: the dispatch itself cannot be."""
OF_THE_GRID = {3: "solvable", 5: "thermal_loading", 6: "voltage_after_outage"}
OWN: dict[str, Any] = {"source": "gridai, grid/operating.py", "confidence": "V", "profile": "gridai"}


def result_of(case: Case, done: Done) -> Result:
    """One sample; the counts of reasons by season and renewable share stand in its meta for the figure."""
    count = float((done.outcomes.kind == ACCEPTED).sum())
    channels = (Channel("system", "grid", "accepted", ""),)
    meta: dict[str, Any] = {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva}
    result = Result([0.0], np.array([[count]]), channels, (), meta)
    add_places(result, case)
    groups: dict[str, dict[str, int]] = {}
    shares = np.unique(done.modes.share)
    for s, season in enumerate(done.seasons):
        for share in shares:
            own = (done.season == s) & (done.modes.share == share)
            kinds = done.outcomes.kind[own]
            groups[f"{season}, {100 * share:g} %"] = {
                KINDS[k]: int((kinds == k).sum()) for k in range(len(KINDS)) if (kinds == k).any()
            }
    result.meta["operating_modes"] = groups
    return result


def summary(done: Done) -> dict[str, Measure]:
    """How many modes are accepted, what rejects the others, what it took."""
    kind, n = done.outcomes.kind, len(done.modes)
    good = int((kind == ACCEPTED).sum())
    lines = {
        "modes": Measure("operating modes", float(n), "", note=f"{done.each} power flows each at most"),
        "accepted": Measure("accepted", float(good), "", note=f"{100.0 * good / max(n, 1):.1f} %"),
    }
    possible = int((~np.isin(kind, IMPOSSIBLE)).sum())
    note = f"of {possible} whose dispatch is possible"
    lines["accepted_percent"] = Measure("accepted of the possible", 100.0 * good / max(possible, 1), "%", note=note)
    for k in range(1, len(KINDS)):
        if (kind == k).any():
            lines[f"rejected_{k}"] = Measure(f"rejected: {KINDS[k]}", float((kind == k).sum()), "")
    lines["flows"] = Measure("power flows", float(done.sizing.flows), "", note="each certified by its residual")
    if done.resumed:
        lines["resumed"] = Measure("modes taken from the file of an earlier run", float(done.resumed), "")
    return lines


def verdicts(study: OperatingModes, done: Done) -> tuple[Verdict, ...]:
    """Parts of the possible modes that the grid rejects, all together and by reason, against the part allowed."""
    o = done.outcomes
    possible = ~np.isin(o.kind, IMPOSSIBLE)
    if not possible.any():
        text = "no mode has a possible dispatch"
        return (Verdict("modes_rejected", float("nan"), study.allowed_percent, "%", float("nan"), "", 0.0,
                        "not assessable", text, "", **OWN, note=text),)  # fmt: skip
    count, out = float(possible.sum()), []
    for name, kinds in (("modes_rejected", tuple(OF_THE_GRID)), *((v, (k,)) for k, v in OF_THE_GRID.items())):
        own = np.flatnonzero(np.isin(o.kind, kinds))
        value = 100.0 * len(own) / count
        worst = int(own[np.argmin(np.where(np.isfinite(o.room[own]), o.room[own], -np.inf))]) if len(own) else -1
        where = "" if worst < 0 else f"worst: mode {worst}"
        status: Status = "pass" if value <= study.allowed_percent else "fail"
        text = "possible modes that the grid rejects" + ("" if len(kinds) > 1 else f": {KINDS[kinds[0]]}")
        out.append(Verdict(name, value, study.allowed_percent, "%", study.allowed_percent - value, where, 0.0, status,
                           text, "", **OWN))  # fmt: skip
    return tuple(out)


def reason(done: Done, k: int) -> str:
    """Why mode k is rejected, or what binds it, in words."""
    o = done.outcomes
    kind, state = int(o.kind[k]), int(o.state[k])
    value, limit = float(o.value[k]), float(o.limit[k])
    after = f" after {_outage(done, state)}" if state > len(done.planned) else ""
    if kind == 1:
        return f"the units are short of {value:.1f} MW"
    if kind == 2:
        return f"renewables are {value:.1f} MW more than load and losses"
    if kind == 3:
        return f"no power flow{after}: {100.0 * value:.0f} % of the way from the case can be made"
    if kind == 4:
        return f"the slack gives {value:.1f} MW, its turbines have {limit:.1f}"
    if int(o.element[k]) < 0:
        return ""
    what, unit = _element(done, k)
    word = "" if kind else "least room: "
    side = ("above" if value > limit else "below") if kind else "limit"
    return f"{word}{what} {value:.{1 if unit == '%' else 4}f} {unit}, {side} {limit:.{1 if unit == '%' else 4}f}{after}"


def _element(done: Done, k: int) -> tuple[str, str]:
    """Element that binds and its unit."""
    net, at = done.sizing.flow.net, int(done.outcomes.element[k])
    o = done.outcomes
    loading = int(o.kind[k]) == 5 or (int(o.kind[k]) == ACCEPTED and float(o.limit[k]) > 5.0)
    if not loading:
        return name_of(done.sizing.flow, "bus", int(net.bus.index[at])), "pu"
    for table in LOADED:
        if at < len(net[table]):
            return name_of(done.sizing.flow, table, int(net[table].index[at])), "%"
        at -= len(net[table])
    return "", "%"


def _outage(done: Done, state: int) -> str:
    """The contingency of a state, without the planned outage beside it."""
    elements = done.sizing.outages[state - 1].elements
    return " + ".join(name_of(done.sizing.flow, t, i) for t, i in elements[-1:])


def tables(done: Done) -> dict[str, Table]:
    """Every mode, the best first; and how often each reason rejects."""
    o, m = done.outcomes, done.modes
    order = sorted(range(len(m)), key=lambda k: (o.kind[k] != ACCEPTED, -_or_low(float(o.room[k]), int(o.kind[k]))))
    rows = []
    for rank, k in enumerate(order, 1):
        out = name_of(done.sizing.flow, *done.planned[m.planned[k] - 1].elements[0]) if m.planned[k] else ""
        rows.append((
            str(rank), str(k), done.seasons[done.season[k]], f"{100 * m.load[k]:g}", RULES[m.rule[k]],
            f"{100 * m.share[k]:g}", f"{100 * m.cluster[k]:g}", out,
            "accepted" if o.kind[k] == ACCEPTED else "rejected", KINDS[o.kind[k]],
            reason(done, k),
        ))  # fmt: skip
    columns = ("rank", "mode", "season", "load %", "dispatch", "renewables %", "clusters %", "planned outage",
               "verdict", "by", "reason")  # fmt: skip
    return {
        "modes": Table("operating modes, the one with most room first", columns, tuple(rows)),
        "reasons": _often(done),
    }


def _or_low(room: float, kind: int) -> float:
    """Rooms in order; a mode without one stands last, by its kind."""
    return room if np.isfinite(room) else -1e6 - (len(KINDS) - kind)


def _often(done: Done) -> Table:
    """Reasons without their numbers, the most frequent first."""
    own: dict[tuple[str, str, str], int] = {}
    o = done.outcomes
    for k in np.flatnonzero(o.kind != ACCEPTED).tolist():
        kind, state = int(o.kind[k]), int(o.state[k])
        what = _element(done, k)[0] if kind in (5, 6) else ""
        after = _outage(done, state) if state > len(done.planned) else ""
        own[KINDS[kind], what, after] = own.get((KINDS[kind], what, after), 0) + 1
    rows = tuple((*key, str(n)) for key, n in sorted(own.items(), key=lambda x: -x[1])[:40])
    return Table("what rejects, the most frequent first", ("by", "element", "after", "modes"), rows)


def notes(study: OperatingModes, done: Done) -> list[str]:
    """How it was judged."""
    out = [
        "a mode is rejected by the first of: " + ", ".join(KINDS[1:]) + "; of a voltage or loading the worst is named, "
        "over the mode itself and all its contingencies",
        "losses are the slack's, which the rules load up to nine tenths; units stay within their turbines; "
        "renewables give no reactive power, "
        + ("at the static generators" if done.dispatch.sgens else "at the loads, in proportion to them"),
        f"what is outside its limit in the case as it stands may get worse by {study.worse_pu:g} pu or "
        f"{study.worse_percent:g} %",
        "an island that a contingency leaves lives if a unit can hold it in the case as it stands; in a mode that unit "
        "takes all that is short or over there",
        "explain (--explain N) tells all of a mode by its number in column mode",
    ]
    if len(done.sizing.without_solution):
        out.append(f"{len(done.sizing.without_solution)} outages have no solution in the case as it stands: left out")
    if done.unrated:
        out.append(f"{done.unrated} branches state no rating; " + (
            f"{study.rating_mva:g} MVA is taken for each" if study.rating_mva is not None else
            "their loading is not judged; give rating_mva"))  # fmt: skip
    return out
