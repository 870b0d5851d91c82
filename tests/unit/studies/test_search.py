"""The search helper: edges, ends, edges that are not the only one, criteria that cannot be judged, failed runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gridai.errors import SettingError
from gridai.results import Result, Verdict
from gridai.results.rooms import bounded_room
from gridai.results.searches import SearchCurve, add_search, curve_of, search_of
from gridai.studies.search import Bracket, Failure, Found, Trial, in_words, judge, labelled, search

EMPTY = Result(np.zeros(1), np.zeros((1, 0)), (), (), {"f_hz": 60.0})


def verdict(margin: float, criterion: str = "frequency_zenith", status: str = "", **given: object) -> Verdict:
    """A verdict of 60.5 Hz with such a margin."""
    word = status or ("pass" if margin >= 0.0 else "fail")
    base = {"value": 60.5 - margin, "limit": 60.5, "unit": "Hz", "margin": margin, "element": "COI", "t_s": 2.0}
    return Verdict(criterion=criterion, status=word, confidence="P", **{**base, **given})  # type: ignore[arg-type]


def trial(*verdicts: Verdict) -> Trial:
    return Trial(verdicts, None, EMPTY, 60.0)


def linear(edge: float, sign: float = 1.0) -> Callable[[float], Trial]:
    """Passes on the side of `edge` where sign (edge - value) is positive."""
    return lambda value: trial(verdict(0.01 * sign * (edge - value)))


def run(
    attempt: Callable[[float], Trial], safe: float = 0.0, unsafe: float = 100.0, tol: float = 0.5, **k: int
) -> Found:
    return search(Bracket("size", "MW", safe, unsafe, tol, **k), attempt)


@pytest.mark.parametrize("edge", [0.3, 37.3, 50.0, 99.9])
def test_an_edge_is_found_within_the_tolerance_on_the_safe_side(edge: float):
    found = run(linear(edge))
    assert found.record.end == "found"
    assert 0.0 <= edge - found.record.limit <= 0.5
    assert 0.0 < found.record.beyond - edge <= 0.5
    assert found.shown.result is not None
    assert found.failed is not None
    assert found.failed.result is not None
    assert (found.binding.criterion, found.binding.element, found.binding.t_s) == ("frequency_zenith", "COI", 2.0)
    assert found.remarks == ()
    assert len(found.record.points) == len({p.value for p in found.record.points}) <= 2 + 8 + 4


def test_the_safe_end_may_be_the_higher_one():
    found = run(linear(8.0, -1.0), 100.0, 0.0)
    assert 0.0 <= found.record.limit - 8.0 <= 0.5
    assert found.record.points[0].value == 0.0


@pytest.mark.parametrize(("edge", "end"), [(-5.0, "fails at once"), (200.0, "passes all")])
def test_brackets_without_an_edge_say_so(edge: float, end: str):
    found = run(linear(edge))
    assert found.record.end == end
    assert math.isnan(found.record.beyond) == (end == "passes all")
    assert math.isnan(found.record.limit) == (end == "fails at once")
    assert len(found.record.points) == (1 if end == "fails at once" else 4)


def test_a_failure_on_the_safe_side_moves_the_search_below_it():
    """Passes below 20 and from 30 to 60: halving ends at 60, a probe finds the hole."""
    found = run(lambda x: trial(verdict(0.1 if x < 20.0 or 30.0 <= x < 60.0 else -0.1)), probes=4)
    assert 19.0 < found.record.limit < 20.0
    assert any("not monotone" in text for text in found.remarks)
    assert found.shown.result is not None


def test_a_pass_beyond_the_edge_is_reported():
    found = run(lambda x: trial(verdict(0.1 if x < 40.0 or 60.0 <= x < 90.0 else -0.1)), probes=4)
    assert 39.0 < found.record.limit < 40.0
    assert "passes again" in found.remarks[0]


def test_a_hole_between_two_ends_that_pass():
    found = run(lambda x: trial(verdict(-0.1 if 40.0 < x < 60.0 else 0.1)))
    assert found.record.end == "found"
    assert 39.5 <= found.record.limit <= 40.0
    assert "both ends of the bracket pass" in found.remarks[0]


def test_a_result_that_was_let_go_is_computed_again():
    """Two values pass alone: where probes fail below them the edge moves back to values tried long before."""

    def attempt(x: float) -> Trial:
        return trial(verdict(0.1 if x < 10.0 or x in (25.0, 37.5) else -0.1))

    found = run(attempt, tol=5.0, probes=3)
    assert found.shown.result is not None
    assert found.record.limit < 10.0


def test_a_run_without_a_solution_is_a_failure_with_its_reason():
    lost = Trial((), Failure("convergence", "lost convergence at t = 1.2 s", "bus 4", 1.2), None, 60.0)
    found = run(lambda x: lost if x > 33.0 else trial(verdict(0.2)))
    assert 0.0 <= 33.0 - found.record.limit <= 0.5
    assert (found.binding.criterion, found.binding.element, found.binding.t_s) == ("convergence", "bus 4", 1.2)
    assert "1.2 s" in found.binding.text
    assert math.isnan(found.binding.room)


def test_what_can_no_longer_be_judged_has_not_passed():
    def attempt(x: float) -> Trial:
        late = verdict(math.nan, "settling_frequency", "not assessable", note="still moving") if x > 30.0 else verdict(
            0.3, "settling_frequency"
        )  # fmt: skip
        return trial(verdict(0.2), late)

    found = run(attempt)
    assert 29.0 < found.record.limit <= 30.0
    assert found.binding.outcome == "not assessable"
    assert (found.binding.criterion, found.binding.text) == ("settling_frequency", "not assessable: still moving")


def test_what_the_safe_end_cannot_judge_is_named_and_left_out():
    unknown = verdict(math.nan, "load_loss", "not assessable", note="no cluster")
    found = run(lambda x: trial(verdict(0.01 * (50.0 - x)), unknown))
    assert found.record.end == "found"
    assert found.not_judged == {"load_loss": "no cluster"}
    alone = run(lambda x: trial(unknown))
    assert alone.record.end == "not assessable"
    assert math.isnan(alone.record.limit)
    none = run(lambda x: trial())
    assert (none.record.end, none.binding.text) == ("not assessable", "no criterion applies")


def test_the_criterion_that_binds_is_the_failing_one_with_the_least_room():
    point = judge(1.0, trial(verdict(0.1), verdict(-0.1, "rocof"), verdict(-0.3, "frequency_nadir")), frozenset())
    assert (point.outcome, point.criterion) == ("fail", "frequency_nadir")
    passing = judge(1.0, trial(verdict(0.1), verdict(0.3, "frequency_nadir")), frozenset())
    assert (passing.outcome, passing.criterion, passing.room) == ("pass", "frequency_zenith", pytest.approx(20.0))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"unit": "Hz", "limit": 59.5, "margin": 0.25}, 50.0),
        ({"unit": "pu", "limit": 1.05, "margin": 0.05}, 100.0),
        ({"unit": "pu", "limit": 0.03, "margin": -0.03}, -100.0),
        ({"unit": "s", "limit": 2.0, "margin": 0.5}, 25.0),
        ({"unit": "MW", "limit": 0.0, "margin": 0.0}, 100.0),
        ({"unit": "MW", "limit": 0.0, "margin": -3.0}, -300.0),
        ({"unit": "s", "limit": 2.0, "margin": -math.inf}, -1000.0),
    ],
)
def test_room(given: dict[str, float], expected: float):
    assert bounded_room(verdict(status="fail", **given), 60.0) == pytest.approx(expected)


def test_labels_and_words():
    assert list(labelled([verdict(0.1), verdict(0.2), verdict(0.3, "rocof")])) == [
        "frequency_zenith", "frequency_zenith (2)", "rocof",
    ]  # fmt: skip
    close = in_words(verdict(-1e-7, unit="pu", value=1.0500001, limit=1.05))
    assert close == "1.0500001 pu, beyond the limit 1.05 pu"
    assert in_words(Verdict("x", 1.0, 2.0, "1", 1.0, "", 0.0, "pass", confidence="m")).endswith("2, unverified")


@pytest.mark.parametrize(
    ("safe", "unsafe", "tol"), [(1.0, 1.0, 0.1), (0.0, math.inf, 1.0), (0.0, 1.0, 2.0), (0.0, 1.0, 0.0)]
)
def test_what_is_no_bracket_is_refused(safe: float, unsafe: float, tol: float):
    with pytest.raises(SettingError, match="size"):
        Bracket("size", "MW", safe, unsafe, tol)


def test_a_search_is_kept_as_plain_data():
    found = run(linear(37.3))
    curve = SearchCurve(
        "energy", "MWs", "size", "MW", (1.0, 2.0), (37.0, math.nan), (38.0, 0.0), ("found", "fails at once"), ("a", "b")
    )
    result = add_search(Result(np.zeros(1), np.zeros((1, 0)), (), (), {}), found.record, curve)
    import json

    result.meta = json.loads(json.dumps(result.meta, allow_nan=False))
    again, lines = search_of(result), curve_of(result)
    assert again is not None
    assert lines is not None
    assert again.limit == found.record.limit
    assert [p.outcome for p in again.points] == [p.outcome for p in found.record.points]
    assert again.points[0].rooms == found.record.points[0].rooms
    assert lines.limit[0] == 37.0
    assert math.isnan(lines.limit[1])
    assert search_of(EMPTY) is None
    assert curve_of(EMPTY) is None


@pytest.mark.parametrize("end", ["found", "fails at once", "passes all"])
def test_figures_of_every_end(end: str):
    from gridai import plots

    edge = {"found": 30.0, "fails at once": -5.0, "passes all": 200.0}[end]
    found = run(linear(edge))
    nan = math.nan
    curve = SearchCurve("energy", "MWs", "size", "MW", (1.0, 2.0, 3.0), (nan, 37.0, 100.0), (0.0, 38.0, nan),
                        ("fails at once", "found", "passes all"), ("rocof", "rocof", "frequency_zenith"))  # fmt: skip
    result = add_search(Result(np.zeros(1), np.zeros((1, 0)), (), (), {}), found.record, curve)
    for figure in (plots.search_margin(result, (), "case: title"), plots.search_curve(result, (), "case: title")):
        (ax,) = figure.axes
        assert ax.get_legend() is not None
        assert ax.get_xlabel().endswith(")")
    assert plots.search_margin(EMPTY).axes
    assert plots.search_curve(EMPTY).axes


def test_an_edge_in_the_lowest_tenth_gets_a_logarithmic_axis():
    from gridai import plots

    record = run(linear(2.0), 1.0, 100.0, tol=0.1).record
    figure = plots.search_margin(add_search(Result(np.zeros(1), np.zeros((1, 0)), (), (), {}), record))
    assert figure.axes[0].get_xscale() == "log"
