"""Judging one entry: within and beyond tolerance, element, time, own limits, margins, verdicts, expected failures."""

from __future__ import annotations

from typing import Any

import pytest

from gridai.limits.judge import Outcome, judge
from gridai.limits.records import Amount, Block, Entry
from gridai.limits.running import Found
from gridai.limits.text import failure, row
from gridai.reports import Measure
from gridai.results import Verdict

NAN = float("nan")
BLOCK = Block("pause-16", "pause", None, {}, ())


def metric(**settings: Any) -> Entry:
    usual: dict[str, Any] = {
        "kind": "metric", "name": "nadir", "line": 7, "place": (0, 0), "metric": "nadir", "unit": "Hz",
        "expected": 59.98, "tolerance": Amount(0.002, "Hz"), "element": "COI", "t_s": 18.8, "reason": "a test",
    }  # fmt: skip
    return Entry(**{**usual, **settings})


def limit(**settings: Any) -> Entry:
    usual: dict[str, Any] = {
        "kind": "limit", "name": "ercot/rocof", "line": 9, "place": (0, 0), "profile": "ercot", "criterion": "rocof",
        "reason": "a test",
    }  # fmt: skip
    return Entry(**{**usual, **settings})


def verdict(status: Any, value: float = 0.2, margin: float = 0.8, criterion: str = "rocof", note: str = "") -> Verdict:
    return Verdict(
        criterion, value, 1.0, "Hz/s", margin, "COI", 1.5, status, "7.2", profile="ercot", confidence="P", note=note
    )


def nadir(value: float = 59.98, element: str = "COI", t_s: float = 18.8, unit: str = "Hz") -> Found:
    return Found(measures={"nadir": Measure("frequency nadir", value, unit, element, t_s, "a note")})


def by(entry: Entry, found: Found) -> Outcome:
    return judge(BLOCK, entry, found)


@pytest.mark.parametrize(
    ("found", "entry", "said"),
    [
        (nadir(59.982), metric(), []),
        (nadir(59.9821), metric(), ["moved by +0.0021 Hz, tolerance 0.002 Hz"]),
        (nadir(59.97), metric(), ["moved by -0.0100 Hz"]),
        (nadir(element="bus 7"), metric(), ["the element is bus 7, it was COI"]),
        (nadir(t_s=18.95), metric(), ["the time is 18.950 s, it was 18.800 s, tolerance 0.1 s"]),
        (nadir(t_s=18.95), metric(t_tolerance_s=0.2), []),
        (nadir(t_s=NAN), metric(), ["the time is - s"]),
        (nadir(30.0, "bus 7", 2.0), metric(element=None, t_s=None, expected=None), []),
        (nadir(30.0, "bus 7", 2.0), metric(tolerance=None, low=29.0), []),
        (nadir(30.2), metric(expected=30.0, tolerance=Amount(0.01, "", True)), []),
        (nadir(30.4), metric(expected=30.0, tolerance=Amount(0.01, "", True)), ["tolerance 1 % of value"]),
        (nadir(), metric(low=59.98), []),
        (nadir(), metric(low=59.981), ["lies below low = 59.9810 Hz"]),
        (nadir(), metric(high=59.979), ["lies above high = 59.9790 Hz"]),
        (nadir(), metric(low=59.9, margin=Amount(0.08, "Hz")), []),
        (nadir(), metric(low=59.9, margin=Amount(0.1, "Hz")), ["margin to low 0.0800 Hz, at least 0.1 Hz is wanted"]),
        (nadir(NAN), metric(), ["the run gives no such figure: a note"]),
    ],
)
def test_metrics(found: Found, entry: Entry, said: list[str]) -> None:
    outcome = by(entry, found)
    assert (outcome.status, outcome.exit_status) == (("fail", 1) if said else ("pass", 0))
    assert len(outcome.said) == len(said)
    assert all(part in text for part, text in zip(said, outcome.said, strict=True))


def test_several_faults_of_one_metric() -> None:
    outcome = by(metric(low=59.95), nadir(59.9, "bus 7", 3.0))
    assert len(outcome.said) == 4
    assert outcome.moved


FAILS = "rocof fails: 1.2000 Hz/s at COI, 1.500 s, limit 1.0000 Hz/s (ercot: 7.2)"
NOT = verdict("not assessable", NAN, NAN, note="too short")


@pytest.mark.parametrize(
    ("verdicts", "entry", "said"),
    [
        ([verdict("pass")], limit(), []),
        ([verdict("fail", 1.2, -0.2)], limit(), [FAILS]),
        ([verdict("pass"), verdict("fail", 1.2, -0.2)], limit(), ["rocof fails"]),
        ([NOT], limit(), ["not assessable, which is no pass: too short"]),
        ([verdict("pass"), NOT], limit(), []),
        ([verdict("pass")], limit(margin=Amount(0.8, "Hz/s")), []),
        ([verdict("pass")], limit(margin=Amount(0.9, "Hz/s")), ["margin of rocof 0.8000 Hz/s to 1.0000 Hz/s"]),
        ([verdict("pass")], limit(criterion=""), []),
        ([verdict("pass"), verdict("fail", 1.2, -0.2, "other")], limit(criterion=""), ["other fails"]),
        ([verdict("pass"), verdict("not assessable", NAN, NAN, "other")], limit(criterion=""), ["other is not"]),
        ([verdict("pass")], limit(unit="Hz/s", expected=0.3, tolerance=Amount(0.05, "Hz/s")), ["moved by -0.1000"]),
        ([verdict("pass")], limit(unit="Hz/s", expected=0.3), []),
    ],
)  # fmt: skip
def test_verdicts(verdicts: list[Verdict], entry: Entry, said: list[str]) -> None:
    outcome = by(entry, Found(verdicts={"ercot": tuple(verdicts)}))
    assert outcome.status == ("fail" if said else "pass"), outcome.said
    assert len(outcome.said) == len(said)
    assert all(part in text for part, text in zip(said, outcome.said, strict=True))


@pytest.mark.parametrize(
    ("value", "status"),
    [(59.98, "unexpected pass"), (59.6, "unexpected pass"), (59.4, "xfail"), (59.3, "fail")],
)
def test_an_expected_violation_of_a_limit_must_not_grow(value: float, status: str) -> None:
    entry = metric(low=59.5, expected=59.4, tolerance=Amount(0.05, "Hz"), xfail="known")
    assert by(entry, nadir(value)).status == status


def test_an_unverified_number_says_so() -> None:
    unverified = Verdict("rocof", 2.0, 1.0, "Hz/s", -1.0, "COI", 1.5, "fail", "7.2", confidence="M", profile="ercot")
    assert "the number is unverified" in by(limit(), Found(verdicts={"ercot": (unverified,)})).said[0]


@pytest.mark.parametrize("bound", [None, 59.0])
def test_a_figure_that_is_not_there_is_a_failure(bound: float | None) -> None:
    assert by(metric(low=bound), nadir(NAN)).status == "fail"
    assert by(metric(low=bound, xfail="not found yet"), nadir(NAN)).status == "xfail"


def test_expected_failures_are_strict() -> None:
    fails, passes = by(metric(xfail="old exciter"), nadir(59.9)), by(metric(xfail="old exciter"), nadir())
    assert (fails.status, fails.good, fails.exit_status) == ("xfail", True, 0)
    assert (passes.status, passes.good, passes.exit_status) == ("unexpected pass", False, 1)
    assert "is expected to fail (old exciter): take xfail out" in passes.said[0]


@pytest.mark.parametrize(
    ("found", "entry", "text"),
    [
        (nadir(), metric(metric="nadri"), "unknown metric of study pause 'nadri'; did you mean 'nadir'?"),
        (nadir(unit="mHz"), metric(), "unit = 'Hz': the study gives nadir in mHz"),
        (Found(verdicts={"ercot": (verdict("pass"),)}), limit(criterion="rocoff"), "did you mean 'rocof'"),
        (Found(verdicts={"ercot": ()}), limit(), "no limit applies"),
        (Found(verdicts={"ercot": (verdict("pass"),)}), limit(unit="Hz"), "rocof is judged in Hz/s"),
        (Found(verdicts={"ercot": (verdict("pass"),)}), limit(margin=Amount(1.0, "Hz")), "rocof is judged in Hz/s"),
        (Found(faults={"ercot": "written for 60 Hz"}), limit(), "written for 60 Hz"),
    ],
)
def test_bad_input_found_by_the_run(found: Found, entry: Entry, text: str) -> None:
    outcome = by(entry, found)
    assert (outcome.status, outcome.exit_status) == ("error", 2)
    assert text in outcome.said[0]


def test_an_expected_failure_does_not_cover_a_run_that_fails() -> None:
    outcome = by(metric(xfail="old exciter"), Found(error="lost convergence", exit_status=3))
    assert (outcome.status, outcome.good, outcome.exit_status) == ("error", False, 3)


def test_a_failure_names_limit_old_new_element_and_time() -> None:
    entry = metric(low=59.9, tolerance=Amount(0.00002, "Hz"))
    outcome = by(entry, nadir(59.9512, "bus 7", 17.2))
    assert row(outcome) == (
        "pause-16::nadir", "59.980000", "59.951200", "Hz", "+-2e-05 Hz, >= 59.9000", "bus 7", "17.200", "fail",
    )  # fmt: skip
    said = failure(outcome, "grid.limits.toml", ["stale baseline: dynamics/sexs.csv", ""])
    for part in (
        "pause-16::nadir: fail (grid.limits.toml:7)", "old  59.980000 Hz  COI  at 18.800 s",
        "new  59.951200 Hz  bus 7  at 17.200 s", "moved by -0.0288 Hz", "reason: a test", "dynamics/sexs.csv",
        "gridai limits update grid.limits.toml",
    ):  # fmt: skip
        assert part in said
