"""The sections of the HTML report: each takes a Report and gives its markup, empty where there is nothing to say."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.criteria import CONFIDENCE, FAMILIES
from gridai.reports.binding import by_room
from gridai.reports.markup import Markup, joined, table, tag
from gridai.reports.text import clock, more_digits, number, time
from gridai.results import Limit, Verdict
from gridai.results.hashes import SHORT
from gridai.results.rooms import room

if TYPE_CHECKING:
    from gridai.reports.report import Report, Table

ROWS = 300
"""A table shows so many rows at most; the files beside the report hold them all."""
BINDING = 5
NUMBERS = set("0123456789.+-eE%")
NAMES = frozenset({"where", "bus", "name", "unit", "element", "cluster", "group", "branch", "value"})
"""Columns that hold names even where these are numbers."""
BADGE = {"pass": "pass", "fail": "fail", "not assessable": "open"}
UNVERIFIED = tag("span", "unverified", class_="mark")
METHOD = (
    "Positive sequence at fundamental frequency (RMS): no harmonics, no electromagnetic transients, no sub-synchronous "
    "torsion.",
    "The frequency of the system is that of the centre of inertia; the frequency of a bus is the rate of change of its "
    "voltage angle through a filter of 0.05 s.",
    "A value exactly at a limit passes. What could not be assessed has not passed.",
)


def badge(status: str, verified: bool = True) -> Markup:
    """The status of a verdict as a badge, with "unverified" where the limit's number is."""
    mark = tag("span", status, class_=f"badge {BADGE[status]}")
    return mark if verified else joined([mark, " ", UNVERIFIED])


def pairs(rows: Sequence[tuple[object, object]]) -> Markup:
    """A table of names and values without a head."""
    body = [tag("tr", tag("td", name), tag("td", value)) for name, value in rows]
    return tag("table", tag("tbody", *body), class_="pairs")


def cells(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> Markup:
    """A table of any cells; columns of numbers stand to the right, but not names; ROWS rows at most."""
    text = [[number(c) if isinstance(c, float) else c for c in row] for row in rows[:ROWS]]
    right = [k for k, head in enumerate(columns) if head not in NAMES and _numeric(text, k)]
    made = tag("div", table(columns, text, right), class_="wide")
    if len(rows) <= ROWS:
        return made
    return joined([made, tag("p", f"{ROWS} of {len(rows)} rows; report.json holds all.", class_="note")])


def _numeric(rows: Sequence[Sequence[object]], k: int) -> bool:
    filled = [str(row[k]) for row in rows if str(row[k]) not in ("", "-")]
    return bool(filled) and all(set(cell) <= NUMBERS for cell in filled)


def what_binds(report: Report) -> Markup:
    """The limits that are violated or closest, and in a sentence the first of them."""
    if not report.verdicts:
        return tag("p", "No limit applies to this study: there are no verdicts.")
    f_hz = float(report.provenance.get("f_hz") or math.nan)
    first, unit = by_room(report.verdicts, f_hz), clock(report.result)
    rows = [
        (plain_name(v), where(report, v), time(v.t_s, unit), *_values(v), v.unit, _room(v, f_hz),
         badge(v.status, v.verified))
        for v in first[:BINDING]
    ]  # fmt: skip
    head = ("criterion", "where", f"at {unit[0]}", "value", "limit", "margin", "unit", "room %", "verdict")
    note = (
        "Room: the margin in % of the way from the undisturbed value (nominal frequency, 1 pu, a share of 1, else 0) "
        "to the limit. Violated limits stand first, then those with the least room."
    )
    return joined([
        tag("p", tag("strong", _in_words(report, first[0]))),
        tag("div", table(head, rows, (2, 3, 4, 5, 7)), class_="wide"), tag("p", note, class_="note"),
    ])  # fmt: skip


def plain_name(item: Verdict | Limit) -> str:
    """The name of a criterion as words."""
    return item.criterion.replace("_", " ")


def where(report: Report, v: Verdict) -> str:
    """The element of a verdict, a bus called so unless a unit or cluster has the same name."""
    held = report.result

    def names(kind: str) -> set[str]:
        return {name for quantity in held.quantities(kind)[:1] for name in held.names(kind, quantity)}

    is_bus = v.element in names("bus") and v.element not in names("gen") | names("cluster")
    return f"bus {v.element}" if is_bus else v.element


def _in_words(report: Report, v: Verdict) -> str:
    if v.status == "not assessable":
        return f"No limit could be assessed; first of them {plain_name(v)}: {v.note}."
    word = "is violated" if v.status == "fail" else "is closest to its limit"
    place = f" at {where(report, v)}" if v.element else ""
    unit = clock(report.result)
    when = f", {time(v.t_s, unit)} {unit[0]}" if math.isfinite(v.t_s) else ""
    value, limit = (f"{text} {v.unit}".strip() for text in _values(v)[:2])
    values = f"{value} against {limit}"
    text = f"{plain_name(v)} {word}{place}{when}: {values}."
    return text[:1].upper() + text[1:]


def _values(v: Verdict) -> tuple[str, str, str]:
    """Value, limit and margin, with so many digits that a value beside its limit does not look equal to it."""
    more = more_digits(v.value, v.limit, v.unit)
    return number(v.value, v.unit, more), number(v.limit, v.unit, more), number(v.margin, v.unit, more)


def _room(v: Verdict, f_hz: float) -> str:
    left = room(v, f_hz)
    return "-" if math.isnan(left) else f"{left:.1f}"


def scope(report: Report) -> Markup:
    """What was asked: the study and its parameters, the case, the clusters."""
    known, study = report.provenance, report.study
    lead = _first_paragraph(type(study).__doc__ or "")
    rows: list[tuple[object, object]] = [("study", type(study).__name__)]
    if known.get("case"):
        rows.append(("case", f"{known['case']}: {known.get('case_title', '')}, {number(known.get('f_hz'))} Hz"))
    rows += [("cluster", text) for text in known.get("clusters", ())]
    if known.get("profile"):
        rows.append(("criteria", f"{known['profile']}: {known.get('profile_title', '')}"))
    if len(report.result.t_s) > 1:
        unit = clock(report.result)
        first, last = (time(float(report.result.t_s[k]), unit) for k in (0, -1))
        rows.append(("time", f"{first} to {last} {unit[0]}"))
    settings = [
        (f.name, _setting(getattr(study, f.name)), f.metadata.get("unit", ""), f.metadata.get("help", ""))
        for f in (fields(study) if is_dataclass(study) else ())
    ]
    made = [tag("p", lead), pairs(rows)]
    if settings:
        made += [tag("h3", "Parameters"), cells(settings, ("name", "value", "unit", "meaning"))]
    return joined(made)


def _first_paragraph(doc: str) -> str:
    return " ".join(doc.strip().split("\n\n")[0].split())


def _setting(value: object) -> str:
    return "not given" if value is None or value == "" else f"{value:.8g}" if isinstance(value, float) else str(value)


def provenance(report: Report) -> Markup:
    """Where the data come from, with hashes, and the versions of what computed."""
    known = report.provenance
    source = known.get("case_source") or {}
    rows: list[tuple[object, object]] = [(key, text) for key, text in source.items() if key != "folder" and text]
    files = known.get("case_files") or {}
    if known.get("case"):
        rows.append(("hash of the case", _mono(known.get("case_hash") or "none: the case was not read from files")))
    made: list[object] = [pairs(rows)] if rows else []
    if files:
        listed = [(_mono(name), _mono(digest)) for name, digest in files.items()]
        made += [tag("h3", "Files of the case, first digits of SHA-256"), table(("file", "SHA-256"), listed)]
    inputs = _inputs(report.study)
    if inputs:
        head = "Files that the parameters name, first digits of SHA-256"
        made += [tag("h3", head), table(("file", "SHA-256"), inputs)]
    versions = [(name, known[name]) for name in ("gridai", "python", "pandapower", "numpy", "scipy", "numba")
                if known.get(name)]  # fmt: skip
    if versions:
        made += [tag("h3", "Versions"), pairs(versions)]
    return joined(made)


def _inputs(study: object) -> list[tuple[Markup, Markup]]:
    """Files that the study's parameters name, as they stand when the report is written."""
    given = [getattr(study, f.name) for f in (fields(study) if is_dataclass(study) else ())]
    paths = [Path(text) for text in given if isinstance(text, str | Path) and str(text)]
    return [
        (_mono(path.name), _mono(hashlib.sha256(path.read_bytes()).hexdigest()[:SHORT]))
        for path in paths
        if path.suffix and os.path.isfile(path)  # False too for text that no path can be
    ]


def _mono(text: object) -> Markup:
    return tag("span", text, class_="mono")


def assumptions(report: Report) -> Markup:
    """The method, the numerical settings, the notes of case and study, the redispatch."""
    engine = report.provenance.get("engine") or {}
    lines = list(METHOD) if report.provenance.get("case") else []
    if "step_s" in engine:
        every = int(engine.get("decimate", 1))
        kept = "every step is kept" if every == 1 else f"one of {every} steps is kept, and all at events"
        lines.append(f"Longest integration step {1e3 * float(engine['step_s']):.4g} ms; {kept}.")
    lines += [str(note) for note in engine.get("notes", ())]
    made: list[object] = [tag("ul", *(tag("li", line) for line in lines))] if lines else []
    if report.notes:
        made += [tag("h3", "Of this case and study"), tag("ul", *(tag("li", note) for note in report.notes))]
    return joined(made)


def criteria(report: Report) -> Markup:
    """Every limit that was applied, with clause, edition, source and confidence."""
    if not report.limits:
        return Markup("")
    rows = [
        (plain_name(limit), _number(limit.low), _number(limit.high), limit.unit, limit.condition,
         _settings(limit.settings), joined([limit.clause, _note(limit.note)]), limit.edition, limit.source,
         _confidence(limit))
        for limit in report.limits
    ]  # fmt: skip
    head = ("criterion", "low", "high", "unit", "holds", "settings", "clause", "edition", "source", "confidence")
    made = [tag("div", table(head, rows, (1, 2)), class_="wide"), _meanings(report.limits)]
    if not all(limit.verified for limit in report.limits):
        made.append(tag("p", UNVERIFIED, ": the number was not read in the primary text; check it before relying on "
                        "it."))  # fmt: skip
    return joined(made)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.8g}"


def _settings(settings: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} = {value}" for key, value in settings.items())


def _note(note: str) -> Markup:
    return tag("div", note, class_="note") if note else Markup("")


def _confidence(limit: Limit) -> Markup:
    words = CONFIDENCE.get(limit.confidence, limit.confidence)
    return joined([words, *(() if limit.verified else (tag("br"), UNVERIFIED))])


def _meanings(limits: Sequence[Limit]) -> Markup:
    names = sorted({limit.criterion for limit in limits if limit.criterion in FAMILIES})
    return tag(
        "ul",
        *(tag("li", tag("strong", n.replace("_", " ")), f": {FAMILIES[n].meaning}.") for n in names),
        class_="note",
    )


def results(report: Report) -> Markup:
    """One row a verdict: value, limit, margin, where, when, pass or fail."""
    unit = clock(report.result)
    f_hz = float(report.provenance.get("f_hz") or math.nan)
    rows = [
        (badge(v.status, v.verified), joined([plain_name(v), _note(v.note)]), *_values(v), v.unit,
         _room(v, f_hz), where(report, v), time(v.t_s, unit),
         joined([v.clause, tag("div", v.edition, class_="note")]))
        for v in report.verdicts
    ]  # fmt: skip
    head = ("verdict", "criterion", "value", "limit", "margin", "unit", "room %", "where", f"at {unit[0]}",
            "clause, edition")  # fmt: skip
    return tag("div", table(head, rows, (2, 3, 4, 6, 8)), class_="wide") if rows else Markup("")


def summary(report: Report) -> Markup:
    """The measures of the study."""
    unit = clock(report.result)
    rows = [
        (m.label, number(m.value, m.unit), m.unit, m.element, time(m.t_s, unit), m.note)
        for m in report.summary.values()
    ]
    return (
        tag("div", table(("", "value", "unit", "where", f"at {unit[0]}", ""), rows, (1, 4)), class_="wide")
        if rows
        else Markup("")
    )


def further(tables: Mapping[str, Table]) -> Markup:
    """The tables of the study, each under its title."""
    made = []
    for one in tables.values():
        if one.rows:
            made += [tag("h3", one.title), cells(one.rows, one.columns)]
    return joined(made)


def events(report: Report) -> Markup:
    """What happened, in order of time."""
    rows = [(number(e.t_s, "s"), e.kind, e.element, e.text) for e in report.result.events]
    if rows:
        return cells(rows, ("at s", "kind", "where", "what"))
    ran = len(report.result.t_s) > 1 and report.provenance.get("case")
    return tag("p", "Nothing happened in this run.") if ran else Markup("")
