"""All of one operating mode: its dispatch, every contingency from the worst, every limit that is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import SettingError
from gridai.grid.batch import Vary
from gridai.grid.operating import KINDS, RULES, judge
from gridai.grid.sizing import Finding
from gridai.reports import Measure, Report, Table
from gridai.results import Channel, Result, Verdict
from gridai.results.records import Status
from gridai.studies.common import provenance_of
from gridai.studies.contingency_words import name_of
from gridai.studies.operating_run import Done, plan
from gridai.studies.operating_tables import ACCEPTED, OWN, notes, reason

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.studies.operating_modes import OperatingModes


def explain(study: OperatingModes, case: Case) -> Report:
    """The report of the mode `study.explain`. Raises SettingError where there is no such mode."""
    whole = plan(study, case)
    k = study.explain
    assert k is not None
    if k >= len(whole.modes):
        raise SettingError(f"explain = {k}: there are {len(whole.modes):,} modes, from 0 to {len(whole.modes) - 1}")
    mode = whole.modes.part([k])
    states = whole.states[int(mode.planned[0])]
    done = whole.done(judge(whole.sizing, whole.dispatch, mode, whole.states), 0)
    vary, _ = whole.dispatch.vary(mode)
    every = [Vary(v.table, v.column, np.repeat(v.values, len(states), axis=0), v.elements) for v in vary]
    rows = whole.sizing.judge(every, states, keep=True)
    kind = int(done.outcomes.kind[0])
    facts = _facts(done, whole, k, mode)
    tables = {
        "mode": Table(f"mode {k}", ("what", "value"), tuple(facts.items())),
        "dispatch": _dispatch(done, vary, float(rows.slack_mw[0])),
        "contingencies": _contingencies(done, rows, states),
        "beyond": _beyond(done, rows, states),
    }
    result = Result([0.0], np.array([[float(kind == ACCEPTED)]]), (Channel("system", "grid", "accepted", ""),), (),
                    {"case": case.name, "f_hz": case.f_hz, "s_base_mva": case.s_base_mva})  # fmt: skip
    room = float(done.outcomes.room[0])
    status: Status = "pass" if kind == ACCEPTED else "fail"
    good = float(kind == ACCEPTED)
    verdict = Verdict("mode_accepted", good, 1.0, "1", good - 1.0, f"mode {k}", 0.0, status, KINDS[kind], "", **OWN)
    solved = ~np.isnan(rows.voltage)
    summary = {
        "flows": Measure("power flows", float(len(states)), "", note=f"{int((~solved).sum())} without a solution"),
        "room": Measure("least room", room, "", note="of voltage in pu or of loading in parts of the rating"),
    }
    return Report(
        title=f"{case.name}: operating mode {k} is {'accepted' if kind == ACCEPTED else 'rejected: ' + KINDS[kind]}",
        study=study, summary=summary, verdicts=(verdict,), limits=(), result=result, figures=(),
        tables={name: t for name, t in tables.items() if t.rows}, notes=(*notes(study, done), *case.notes),
        provenance=provenance_of(case, result, whole.profile),
    )  # fmt: skip


def _facts(done: Done, whole: Any, k: int, mode: Any) -> dict[str, str]:
    planned = int(mode.planned[0])
    out = name_of(done.sizing.flow, *done.planned[planned - 1].elements[0]) if planned else "none"
    return {
        "season": f"{whole.seasons[int(whole.season[k])]}, load at {100 * mode.load[0]:g} %",
        "dispatch": RULES[int(mode.rule[0])],
        "renewables": f"{100 * mode.share[0]:g} % of the load",
        "clusters": f"{100 * mode.cluster[0]:g} %",
        "planned outage": out,
        "verdict": "accepted" if int(done.outcomes.kind[0]) == ACCEPTED else "rejected",
        "why": reason(done, 0) or "nothing is judged",
    }


def _dispatch(done: Done, vary: list[Vary], slack_mw: float) -> Table:
    """Units with what they give and can give, the slack as solved, loads and renewables in sum."""
    net, rows = done.sizing.flow.net, []
    for v in vary:
        if v.table in ("gen", "sgen") and v.column == "p_mw":
            frame = net[v.table]
            for position, index in enumerate(v.elements):
                mw = float(v.values[0][position]) * float(frame.at[index, "scaling"])
                most = float(frame.at[index, "max_p_mw"]) if "max_p_mw" in frame.columns else float("nan")
                word = f"{most:.1f}" if np.isfinite(most) else ""
                rows.append((name_of(done.sizing.flow, v.table, int(index)), f"{mw:.1f}", word))
    turbines = f"{done.dispatch.slack_most:.1f}" if np.isfinite(done.dispatch.slack_most) else ""
    rows.append(("slack, as solved", f"{slack_mw:.1f}", turbines))
    load = next((v for v in vary if (v.table, v.column) == ("load", "p_mw")), None)
    if load is not None:
        mw = float((load.values[0] * net.load.loc[load.elements, "scaling"].to_numpy(dtype=float)).sum())
        rows.append(("loads less renewables at them, with clusters", f"{mw:.1f}", ""))
    return Table("dispatch of the mode", ("unit", "MW", "of MW"), tuple(rows))


def _contingencies(done: Done, rows: Any, states: Any) -> Table:
    """Every contingency, the one with least room first."""
    room = np.fmin(rows.voltage, rows.loading)
    order = np.argsort(np.where(np.isnan(room), -np.inf, room), kind="stable")
    cells = []
    for s in order.tolist():
        found = done.sizing.finding(rows, s, -1, int(states[s]))
        after = _after(done, int(states[s]))
        if found[0].kind == "no solution":
            cells.append((after, f"no power flow: {100.0 * found[0].value:.0f} % of the way can be made", "", "", ""))
            continue
        worst = min(found, key=lambda f: f.room)
        cells.append((after, "kept" if worst.room >= 0.0 else "broken", *_value(done, worst)))
    columns = ("contingency", "limits", "binds", "value", "limit")
    return Table("the mode and its contingencies, the least room first", columns, tuple(cells))


def _beyond(done: Done, rows: Any, states: Any) -> Table:
    """Every voltage and loading outside its limit."""
    found = [
        (f, int(states[s]))
        for s in np.flatnonzero(~np.isnan(rows.voltage)).tolist()
        for f in done.sizing.beyond(rows, s, int(states[s]))
    ]
    found.sort(key=lambda x: x[0].room)
    cells = tuple((_after(done, state), *_value(done, f)) for f, state in found)
    return Table("limits that are not kept, the worst first", ("contingency", "element", "value", "limit"), cells)


def _after(done: Done, state: int) -> str:
    if state <= len(done.planned):
        return "none"
    elements = done.sizing.outages[state - 1].elements
    return " + ".join(name_of(done.sizing.flow, t, i) for t, i in elements[-1:])


def _value(done: Done, f: Finding) -> tuple[str, str, str]:
    unit, digits = ("pu", 4) if f.kind == "voltage" else ("%", 1)
    limit = f"{f.limit:.{digits}f} {unit}" if np.isfinite(f.limit) else "none"
    return name_of(done.sizing.flow, *f.element), f"{f.value:.{digits}f} {unit}", limit
