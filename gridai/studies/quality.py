"""The study `quality`: a load model on a controlled source, through a suite of tests with a verdict each.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import ConvergenceError, InitialisationError, Problems, SettingError, UnknownNameError, near
from gridai.studies.common import check_fields, placement_of, provenance_of, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria.suites import Suite, Test
    from gridai.reports import Report
    from gridai.results import Result, Verdict

BACK = 0.9
"""Part of its power before the test from which on a load is back."""
FLAT_PU = 1e-6
"""Largest change of a flat run, as part of the power."""
ELECTRONIC = "electronic tripping"
NOT_JUDGED = {
    "record": "the suite gives no limit: the test finds where the load leaves",
    "phases": "the limit holds for the phase voltages, and this is a positive-sequence study (sequence equivalent run)",
    "signal": "the test sends a power command, and the cluster has no such input: not run",
}


@dataclass(frozen=True)
class Outcome:
    """What a test showed. Times count from the start of the test; powers are parts of the power before it."""

    test: Test
    status: str
    back_s: float = math.nan
    least: float = math.nan
    final: float = math.nan
    away_mw: float = math.nan
    causes: str = ""
    note: str = ""
    result: Result | None = None


@dataclass(frozen=True)
class Quality:
    """Model quality tests of a cluster on a controlled source: steps, dips, swells, jumps, weak grid; or a test suite.

    Each test has a verdict: the load is back at 90 % of its power within recover_s of the last event, or it draws it
    all along, or nothing moves. A test that needs phase voltages or a command input, or that states no limit, is "not
    assessable" and never passed.
    """

    needs_cluster: ClassVar[bool] = True

    suite: str = setting("model-quality", "", "test suite by name (model-quality, energinet-dcc) or TOML file")
    tests: str = setting("", "", "only these tests, by name or rank, parted by commas")
    rule: str = setting("case", "", "load curve that the cluster obeys, by name or TOML file; case: its own settings")
    recover_s: float = setting(2.0, "s", "time in which the load must be back (2 s: ERCOT, large electronic loads)",
                               above=0.0)  # fmt: skip
    nominal_pu: float | None = setting(
        None,
        "pu",
        "bus voltage at which the facility is at its rating (default: the suite's normal voltage)",
        above=0.0,
    )
    cluster: str | None = setting(None, "", "name of the cluster to test; needed when the case has several")
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)

    def __post_init__(self) -> None:
        found = Problems("study quality")
        check_fields(self, found)
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Take the case's cluster to the bench, with a constant workload, and run every test.

        The case's own network plays no part.
        """
        from gridai.cluster import Constant
        from gridai.criteria.suites import load_suite
        from gridai.reports import Report
        from gridai.studies import away

        name = placement_of(case, self.cluster).name
        made, notes = self._settings(case, name)
        cluster = next(p.cluster for p in made.placements if p.name == name).with_workload(Constant())
        suite = load_suite(self.suite)
        nominal = suite.u_normal_pu if self.nominal_pu is None else self.nominal_pu
        outcomes = [self.outcome(test, cluster, suite, nominal) for test in self.chosen(suite)]
        shown, result = _most_telling(outcomes)
        return Report(
            title=f"{suite.name}: {name}, {cluster.p_mw:.1f} MW; shown: {shown.test.name}",
            study=self,
            summary=_counts(outcomes),
            verdicts=tuple(self.verdict(o, suite, name) for o in outcomes),
            limits=(),
            result=result,
            figures=("ride_through", "voltages", "cluster_power"),
            tables={"tests": _table(outcomes), "settings": away.settings_table(made)},
            notes=(suite.title, *notes, *_remarks(suite, nominal)),
            provenance={**provenance_of(made, result), "suite": suite.name, "suite_source": suite.source},
        )

    def _settings(self, case: Case, name: str) -> tuple[Case, tuple[str, ...]]:
        """The case as it is to be tested: a cluster without UPS groups stays the electronic load that it is."""
        from gridai.studies import away

        tested = next(p.cluster for p in case.placements if p.name == name)
        if self.rule == away.CASE_RULE and all(c.ride_through is None for c in tested.clusters):
            return case, (f"'{name}' has no ride-through settings: tested as the electronic load that it is",)
        return away.with_settings(case, self.rule)

    def chosen(self, suite: Suite) -> list[Test]:
        """The tests to run. Raises UnknownNameError for a name or rank that is not there."""
        by_name = {**{str(t.rank): t for t in suite.tests if t.rank}, **{t.name: t for t in suite.tests}}
        words = [w.strip() for w in self.tests.split(",") if w.strip()]
        found: list[Test] = []
        while words:
            # Names may hold commas themselves: the longest run of words that is a name counts.
            longest = next((n for n in range(len(words), 0, -1) if ", ".join(words[:n]) in by_name), 0)
            if not longest:
                raise UnknownNameError(near(words[0], by_name, f"test of suite '{suite.name}'"))
            found.append(by_name[", ".join(words[:longest])])
            words = words[longest:]
        return found or list(suite.tests)

    def outcome(self, test: Test, cluster: Any, suite: Suite, nominal_pu: float) -> Outcome:
        """Run one test and judge it. A run that does not converge, or does not start, has failed."""
        from gridai.studies import away
        from gridai.studies.bench import START_S, bench_case, bench_events

        if test.judge == "signal":
            return Outcome(test, "not assessable", note=NOT_JUDGED["signal"])
        try:
            case = bench_case(cluster, test, suite.f_hz, nominal_pu)
            events = bench_events(test, suite.f_hz, cluster.p_mw)
            result = away.play(case, events, START_S + test.until_s, self.step_s, 1, 0)
        except InitialisationError as error:
            return Outcome(test, "fail", note=f"does not start: {_first_fault(str(error))}")
        except ConvergenceError as error:
            return Outcome(test, "fail", note=f"does not converge: {error}")
        return _judged(test, result, self.recover_s)

    def verdict(self, o: Outcome, suite: Suite, element: str) -> Verdict:
        """The outcome as a verdict: time of the return against recover_s, or the least share against 90 %."""
        from gridai.results import Verdict

        source = {"source": suite.source, "confidence": suite.confidence, "profile": suite.name, "element": element}
        clause = "; ".join(o.test.events) or "nothing is played"
        flat, stay = o.test.judge == "flat", o.test.judge == "stay"
        value, limit = (o.least, BACK) if stay else (o.back_s, self.recover_s)
        unit, margin = ("", value - limit) if stay else ("s", limit - value)
        if flat:
            moved = round(1.0 - o.least, 12)
            value, limit, unit, margin = moved, FLAT_PU, "", FLAT_PU - moved
        if o.status == "not assessable":
            value, margin = math.nan, math.nan
        return Verdict(
            o.test.name, value, limit, unit, margin, t_s=o.test.last_s, status=o.status,  # type: ignore[arg-type]
            clause=clause, note=o.note, **source,
        )  # fmt: skip


def _judged(test: Test, result: Result, recover_s: float) -> Outcome:
    """Status, time of the return, least and last share, causes."""
    import numpy as np

    from gridai.results.ride_through import away_by_cause, away_mw, changes
    from gridai.studies.bench import START_S

    t, p = result.t_s, result.values("cluster", "p_mw").sum(axis=1)
    share = p / p[0]
    inside = t >= START_S
    least = float(share[inside].min())
    if test.judge == "flat":
        least = 1.0 - float(np.abs(share - 1.0).max())
    after = t >= START_S + test.last_s
    short = np.flatnonzero(after & (share < BACK))
    back = 0.0 if not len(short) else max(0.0, float(t[short[-1]]) - START_S - test.last_s)
    if len(short) and short[-1] == len(t) - 1:
        back = math.inf
    first = next((c for c in changes(result) if c.leaves), None)
    causes = ", ".join(sorted({c.cause for c in changes(result) if c.leaves} | _tripping(result)))
    note = f"first leaves at {first.t_s - START_S:.3f} s: {first.group}, {first.cause}" if first else ""
    if test.judge in NOT_JUDGED:
        status = "not assessable"
        note = "; ".join(x for x in (NOT_JUDGED[test.judge], note or "nobody leaves") if x)
    else:
        good = {"recover": back <= recover_s, "stay": least >= BACK, "flat": 1.0 - least <= FLAT_PU}[test.judge]
        status = "pass" if good and bool(np.isfinite(share).all()) else "fail"
    gone = float(away_mw(result)[-1])
    if gone:
        note += f"; away at the end: {', '.join(f'{c} {mw:.1f} MW' for c, mw in away_by_cause(result).items())}"
    return Outcome(test, status, back, least, float(share[-1]), gone, causes, note, result)


def _first_fault(text: str) -> str:
    """The first of many like faults, one for each group, and how many there are."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    more = f" (and {len(lines) - 2} more groups)" if len(lines) > 2 else ""
    return " ".join(lines[:2]) + more


def _tripping(result: Result) -> set[str]:
    """The cause of an electronic load that has tripped a part of itself."""
    kind = next((k for k in ("cluster", "ups") if "served" in result.quantities(k)), None)
    return {ELECTRONIC} if kind and float(result.values(kind, "served").min()) < 1.0 else set()


def _most_telling(outcomes: list[Outcome]) -> tuple[Outcome, Result]:
    """The run that the figures show: the first that failed, else that in which the load drew least."""
    ran = [(o, o.result) for o in outcomes if o.result is not None]
    if not ran:
        raise SettingError(
            "no test of the suite could be run: " + "; ".join(f"{o.test.name}: {o.note}" for o in outcomes)
        )
    failed = [pair for pair in ran if pair[0].status == "fail"]
    outcome, result = failed[0] if failed else min(ran, key=lambda pair: pair[0].least)
    return outcome, _without_rest(result)


def _without_rest(result: Result) -> Result:
    """The run less the time at its end in which nothing moves any more, so that a short dip can be seen."""
    import numpy as np

    from gridai.results import Result as Run

    t = result.t_s
    watched = np.column_stack([result.values("cluster", "p_mw"), result.values("bus", "vm_pu")])
    scale = np.maximum(np.abs(watched).max(axis=0), 1e-9)
    moving = np.flatnonzero((np.abs(watched - watched[-1]) > 1e-3 * scale).any(axis=1))
    last = max([float(t[moving[-1]]) if len(moving) else 0.0, *(e.t_s for e in result.events)])
    keep = t <= last + max(1.0, 0.25 * last)
    if not result.events or keep.all():
        return result
    return Run(t[keep], result.data[keep], result.channels, result.events, result.meta)


def _counts(outcomes: list[Outcome]) -> dict[str, Any]:
    from gridai.reports import Measure

    counts = {s: [o for o in outcomes if o.status == s] for s in ("pass", "fail", "not assessable")}
    return {
        status.replace(" ", "_"): Measure(f"tests: {status}", float(len(own)), "", note=_named(own))
        for status, own in counts.items()
    }


def _named(own: list[Outcome]) -> str:
    names = [o.test.name for o in own]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _table(outcomes: list[Outcome]) -> Any:
    from gridai.reports import Table

    rows = [
        (o.test.rank or "", o.test.name, o.status, round(o.least, 4), round(o.back_s, 3), round(o.final, 4),
         round(o.away_mw, 1), o.causes)
        for o in outcomes
    ]  # fmt: skip
    columns = ("rank", "test", "verdict", "least share", "back after s", "share at the end", "MW away at the end",
               "left by")  # fmt: skip
    return Table("tests", columns, tuple(rows))


def _remarks(suite: Suite, nominal_pu: float) -> list[str]:
    found = [suite.description] if suite.description else []
    if nominal_pu != 1.0:
        found.append(f"the facility is at its rating at {nominal_pu:.4g} pu of the bus: all voltages are divided by it")
    return found
