"""The report as one HTML file that needs no network: text, tables and figures in it, and a rule that forbids the rest.

Figures are SVG: sharp at any size and on paper, and of the size of a PNG of 150 dpi (the overview of a pause 290 and
281 kB, machines of a trip 111 and 194 kB). Where the SVG is larger than SVG_BYTES, the smaller one of the two is put in
(load by state of 168 groups: 1,608 and 160 kB).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from gridai.reports import sections
from gridai.reports.css import CSS
from gridai.reports.markup import Markup, joined, tag
from gridai.reports.worst import worst_buses

if TYPE_CHECKING:
    from gridai.reports.report import Report

SVG_BYTES = 450_000
MOST_BYTES = 4_500_000
"""Figures beyond this sum are left to the files beside the report, so that it stays below 5 MB."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Picture(NamedTuple):
    """A figure of the report: name, what it shows, content as SVG or PNG."""

    name: str
    caption: str
    content: bytes

    @property
    def data_uri(self) -> str:
        """The content as a data: address."""
        kind = "png" if self.content.startswith(b"\x89PNG") else "svg+xml"
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode('ascii')}"


def page(report: Report, pictures: Sequence[Picture]) -> str:
    """The whole report as HTML."""
    parts = [(title, _anchor(title), body) for title, body in _parts(report, pictures) if body]
    links = tag("nav", *(tag("a", title, href=f"#{anchor}") for title, anchor, _ in parts))
    body = joined(tag("section", tag("h2", title, id=anchor), content) for title, anchor, content in parts)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", report.title),
        Markup(f"<style>{CSS}</style>"),
    )
    whole = tag("html", head, tag("body", _header(report), links, body, _footer(report)), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _parts(report: Report, pictures: Sequence[Picture]) -> list[tuple[str, Markup]]:
    """Sections by title, in the order of the report."""
    worst = worst_buses(report.result)
    tables = {"worst_buses": worst, **report.tables} if worst else report.tables
    return [
        ("What binds", sections.what_binds(report)),
        ("Results", sections.results(report)),
        ("Summary", sections.summary(report)),
        ("Scope", sections.scope(report)),
        ("Assumptions", sections.assumptions(report)),
        ("Criteria", sections.criteria(report)),
        ("Case and data", sections.provenance(report)),
        ("Figures", _figures(pictures)),
        ("Tables", sections.further(tables)),
        ("Events", sections.events(report)),
    ]


def _header(report: Report) -> Markup:
    counts = {s: sum(v.status == s for v in report.verdicts) for s in ("fail", "pass", "not assessable")}
    said = (("fail", "violated"), ("pass", "kept"), ("not assessable", "not assessable"))
    words = ", ".join(f"{counts[k]} {'limits' if counts[k] > 1 else 'limit'} {text}" for k, text in said if counts[k])
    clean = counts["pass"] and not counts["not assessable"]
    status = "fail" if counts["fail"] else "pass" if clean else "not assessable"
    unsure = sum(not v.verified for v in report.verdicts)
    line = (
        [sections.badge(status), f" {words}"]
        if report.verdicts
        else ["not judged by a profile; what the study itself asks for stands in its tables"]
    )
    if unsure:
        line += [f"; the numbers of {unsure} of {len(report.verdicts)} are ", sections.UNVERIFIED]
    known = report.provenance
    where = ", ".join(str(known[key]) for key in ("case_title", "profile_title") if known.get(key))
    return tag("header", tag("h1", report.title), tag("p", where, class_="sub"), tag("p", *line))


def _figures(pictures: Sequence[Picture]) -> Markup:
    made = []
    size = 0
    for n, picture in enumerate(pictures, 1):
        caption = tag("figcaption", tag("strong", f"Figure {n}. "), picture.caption)
        size += 4 * len(picture.content) // 3
        if size > MOST_BYTES:
            made.append(tag("p", f"Figure {n}, {picture.name}: left out for its size; see {picture.name}.png."))
            continue
        made.append(tag("figure", tag("img", src=picture.data_uri, alt=picture.caption), caption))
    return joined(made)


def _footer(report: Report) -> Markup:
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    when = datetime.fromtimestamp(int(stamp), UTC) if stamp else datetime.now(UTC)
    written = f"Written by gridai {report.provenance.get('gridai', '')} on {when:%Y-%m-%d at %H:%M} UTC."
    beside = (
        "Beside this file: report.json (all of this as data), CSV tables, figures, and the time series in result.*."
    )
    return tag("footer", tag("p", written), tag("p", beside))


def pictures_of(report: Report, draw: Callable[[str], bytes], captions: Callable[[str], str]) -> list[Picture]:
    """The figures that belong into the report, drawn. `draw` gives SVG or PNG by name."""
    return [Picture(name, captions(name), draw(name)) for name in shown(report)]


CONTAINED = {"overview": ("frequency", "cluster_power", "generator_power")}
"""Figures whose panels another figure of the report has already."""


def shown(report: Report) -> list[str]:
    """Names of the figures in the report: the study's without repetitions, then angles and relays if any."""
    twice = {name for whole, parts in CONTAINED.items() if whole in report.figures for name in parts}
    names = [name for name in report.figures if name not in twice]
    result = report.result
    if len(result.t_s) < 2:
        return names
    angles = result.names("gen", "angle_rad") if "angle_rad" in result.quantities("gen") else ()
    moved = len(angles) > 1 and bool(result.meta.get("inertia_mws")) and "swing_curves" not in names
    acted = any(e.kind in ("shed", "relay") for e in result.events)
    extra = [name for name, wanted in (("machines", moved), ("relays", acted)) if wanted and name not in names]
    return names + extra


__all__ = ["Picture", "page", "pictures_of", "shown"]
