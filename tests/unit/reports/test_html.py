"""The HTML report: what stands in it, that it needs nothing from outside, that a stranger's names stay text."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gridai import criteria
from gridai.reports import Measure, Report, Table
from gridai.reports.binding import by_room
from gridai.reports.markup import Markup, escaped, tag
from gridai.reports.page import shown
from gridai.reports.series import rows_kept
from gridai.reports.worst import worst_buses
from gridai.results import Channel, EventRecord, Result, Verdict
from gridai.results.rooms import room
from gridai.studies.summary import all_measures

EVIL = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
SECTIONS = ("What binds", "Results", "Summary", "Scope", "Assumptions", "Criteria", "Case and data", "Figures",
            "Tables", "Events")  # fmt: skip


@dataclass(frozen=True)
class Stop:
    """A stop of the load.

    More about it.
    """

    pause_mw: float = field(default=100.0, metadata={"unit": "MW", "help": "power that goes away"})
    file: str = ""


def report_of(result: Result, title: str = "made-up: a pause", **more) -> Report:
    profile = criteria.load_profile("nerc-eastern")
    known = {
        "gridai": "0", "numpy": "2", "case": "made-up", "case_title": "a case", "f_hz": 60.0, "profile": profile.name,
        "profile_title": profile.title, "case_hash": "sha256:" + "ab" * 32, "case_files": {"case.toml": "0123456789ab"},
        "case_source": {"citation": "a paper", "url": "https://example.org/", "folder": "/home/someone/secret"},
        "engine": {"step_s": 1 / 240, "decimate": 1},
    }  # fmt: skip
    made = Report(
        title=title, study=Stop(), summary=all_measures(result), verdicts=criteria.check(result, profile),
        limits=profile.of(), result=result, figures=("overview", "frequency", "voltages"),
        tables={"redispatch": Table("redispatch", ("unit", "change_mw"), (("G1", 12.5),))},
        notes=("templates are used",), provenance=known,
    )  # fmt: skip
    return replace(made, **more)


class Tags(HTMLParser):
    """All start tags with their attributes, the text between them, and whether tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, name, attrs):
        self.tags.append((name, dict(attrs)))
        if name not in ("meta", "img", "br", "hr"):
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def page(made_up) -> str:
    return report_of(made_up()).html()


def test_all_sections_and_what_they_must_say(page: str):
    seen = Tags(page)
    text = " ".join(" ".join(seen.text).split())
    for words in (*SECTIONS, "unverified", "PRC-006-5", "recalled, high confidence", "a paper", "0123456789ab",
                  "power that goes away", "A stop of the load.", "4.167 ms", "Worst buses", "templates are used",
                  "redispatch", "training_pause", "Figure 1.", "sha256:abab", "https://example.org/"):  # fmt: skip
        assert words in text, words
    assert "More about it" not in text
    assert "/home/someone" not in page


def test_nothing_from_outside_and_no_code(page: str):
    """No address but data: and anchors within the page; no script; a policy that forbids both. 0.9 MB reached."""
    assert len(page.encode()) < 5_000_000
    seen = Tags(page)
    for name, attributes in seen.tags:
        assert name not in ("script", "link", "iframe", "object", "embed", "base", "form"), name
        assert not [key for key in attributes if key.startswith("on")]
        for key in ("src", "href", "srcset", "xlink:href", "action", "data", "poster"):
            assert attributes.get(key, "#").startswith(("#", "data:image/")), (name, attributes)
    assert "url(" not in page and "@import" not in page  # noqa: PT018
    policy = next(a["content"] for n, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:")
    import base64

    for picture in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page):
        svg = base64.b64decode(picture).decode()
        links = {uri for uri in re.findall(r"(?:href|src)=\"([^\"]*)\"", svg) if not uri.startswith("#")}
        assert links == set()
        assert "<script" not in svg


def test_a_stranger_s_names_stay_text(made_up):
    whole = made_up(2.0)
    channels = tuple(Channel(c.kind, EVIL if c.element in ("39", "G10") else c.element, c.quantity, c.unit, c.scale)
                     for c in whole.channels)  # fmt: skip
    meta = {**whole.meta, "inertia_mws": {EVIL if k == "G10" else k: v for k, v in whole.meta["inertia_mws"].items()},
            "cluster_bus": {EVIL: EVIL}, "bus_kv": {EVIL: 345.0}}  # fmt: skip
    odd = Result(whole.t_s, whole.data, channels, (EventRecord(1.0, EVIL, EVIL, EVIL),), meta)
    plain = report_of(whole)
    made = replace(
        plain, title=EVIL, result=odd, study=Stop(file=EVIL), notes=(EVIL,),
        summary={"x": Measure(EVIL, 1.0, EVIL, EVIL, note=EVIL)},
        verdicts=tuple(replace(v, element=EVIL, note=EVIL, clause=EVIL, edition=EVIL) for v in plain.verdicts),
        limits=tuple(replace(x, clause=EVIL, source=EVIL, settings={EVIL: EVIL}) for x in plain.limits),
        tables={"t": Table(EVIL, (EVIL,), ((EVIL,),))}, figures=("voltages",),
        provenance={**plain.provenance, "case": EVIL, "case_title": EVIL, "clusters": [EVIL],
                    "case_files": {EVIL: EVIL}, "case_source": {"citation": EVIL, "url": "javascript:alert(1)"}},
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        seen = Tags(made.html())
    assert not [n for n, _ in seen.tags if n == "script"]
    assert not [a for _, a in seen.tags if "onerror" in a]
    assert all(a["src"].startswith("data:image/") for n, a in seen.tags if n == "img")
    assert not [a for n, a in seen.tags if n == "a" and not a["href"].startswith("#")]
    assert any(EVIL in text for text in seen.text)


def test_escaping_is_by_type():
    assert tag("p", "a < b & \x00\u202e", title='"') == '<p title="&quot;">a &lt; b &amp; \ufffd\ufffd</p>'
    assert tag("p", Markup("<b>x</b>"), 1.5) == "<p><b>x</b>1.5</p>"
    assert escaped(escaped("<")) == "&lt;"


def test_figures_angles_and_relays_are_added_and_none_stands_twice(made_up):
    plain = report_of(made_up(2.0))
    assert shown(plain) == ["overview", "voltages"]
    t = plain.result.t_s
    channels = tuple(Channel("gen", f"G{k}", "angle_rad", "rad") for k in (1, 2))
    acted = (EventRecord(1.0, "shed", "L1", "LDSHBL: load shedding: 5 % shed, 95 % left"),)
    meta = {"f_hz": 60.0, "inertia_mws": {"G1": 1.0, "G2": 1.0}}
    more = replace(
        plain, figures=(), result=Result(t, np.zeros((len(t), 2)), channels, acted, meta), tables={}, summary={}
    )
    assert shown(more) == ["machines", "relays"]
    text = " ".join(Tags(more.html()).text)
    assert "when each stage acted" in text or "relay that acted" in text


def test_a_report_without_a_run_or_verdicts_is_still_a_report():
    bare = Report("bare", Stop(), {}, (), (), Result([], np.zeros((0, 0)), ()), provenance={})
    text = " ".join(Tags(bare.html()).text)
    assert "No limit applies" in text
    assert "Positive sequence" not in text
    known = replace(bare, provenance={"case": "a net"}).html()
    assert "none: the case was not read from files" in known


def test_input_files_are_named_with_their_hash(tmp_path: Path):
    (tmp_path / "trace.csv").write_bytes(b"abc")
    text = Report("x", Stop(file=str(tmp_path / "trace.csv")), {}, (), (), Result([], np.zeros((0, 0)), ())).html()
    assert "trace.csv" in text
    assert "ba7816bf8f01" in text  # SHA-256 of "abc", FIPS 180-2 appendix B.1
    long = Stop(file=",".join(f"season{k}=0.{k}" for k in range(40)))
    assert Report("x", long, {}, (), (), Result([], np.zeros((0, 0)), ())).html()  # no path can be so long


def verdict(status: str, value: float, limit: float, margin: float, unit: str) -> Verdict:
    return Verdict("x", value, limit, unit, margin, "a", 0.0, status)  # type: ignore[arg-type]


def test_room_and_order_of_what_binds():
    """Worked by hand: (60 - 59.5) Hz is the whole way, 0.1 Hz left of it is 20 %."""
    near = verdict("pass", 59.6, 59.5, 0.1, "Hz")
    assert room(near, 60.0) == pytest.approx(20.0)
    assert room(verdict("pass", 1.02, 1.05, 0.03, "pu"), 60.0) == pytest.approx(60.0)
    assert room(verdict("pass", 0.05, 0.2, 0.15, "pu"), 60.0) == pytest.approx(75.0)
    assert room(verdict("pass", 1.0, 0.9, 0.1, "1"), 60.0) == pytest.approx(100.0)
    assert room(verdict("pass", 0.2, 0.8, 0.6, "1"), 60.0) == pytest.approx(75.0)
    beyond = verdict("fail", 2.5, 2.0, -0.5, "s")
    assert room(beyond, 60.0) == pytest.approx(-25.0)
    open_ = verdict("not assessable", math.nan, 1.0, math.nan, "s")
    assert math.isnan(room(open_, 60.0))
    assert by_room([open_, verdict("pass", 1.0, 1.05, 0.05, "pu"), near, beyond], 60.0)[:2] == [beyond, near]


def test_worst_buses_are_the_extremes_of_the_run(made_up):
    result = made_up()
    found = worst_buses(result)
    assert found is not None
    rows = {row[0]: row for row in found.rows}
    assert "lowest 1" in rows["1"][-1]
    assert "highest 1" in rows["39"][-1]
    assert "most changed 1" in rows["16"][-1]
    assert float(rows["16"][5]) == pytest.approx(result.bus.vm_pu["16"].max(), abs=5e-5)


def test_tables_keep_events_and_extremes():
    t = np.sort(np.concatenate([np.arange(0.0, 2.0, 1 / 240), [1.003, 1.003]]))
    x = np.zeros((len(t), 1))
    x[100, 0], x[101, 0] = 5.0, -5.0
    kept = rows_kept(t, x)
    assert {0, 100, 101, len(t) - 1} <= set(kept.tolist())
    assert (t[kept] == 1.003).sum() == 2
    assert len(kept) < len(t) / 3
    assert rows_kept(np.zeros(0), np.zeros((0, 3))).size == 0


def test_saved_with_a_time_that_can_be_fixed(made_up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    report_of(made_up(2.0), figures=()).save(tmp_path / "a")
    assert "1970-01-01 at 00:00 UTC" in (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
