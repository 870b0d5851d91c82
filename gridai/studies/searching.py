"""What the limit searches share: how a run is judged, how a search becomes a report, the sweep of inertia.

The report shows the last run that passes; its verdicts are those of that run. What binds is read from the first value
that does not pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gridai.errors import ConvergenceError, InitialisationError, PowerFlowError
from gridai.reports import Measure, Report, Table
from gridai.results import Result, Verdict
from gridai.results.searches import SearchCurve, SearchPoint, add_search
from gridai.results.stability import largest_spread, loss_of_step
from gridai.studies.common import add_places, provenance_of, redispatch_tables
from gridai.studies.search import Bracket, Failure, Found, Trial, search

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria import Profile
    from gridai.engine import Event, System

NO_PROFILE = "none"
FIGURES = ("search_margin",)
OWN = {"source": "gridai, results/stability.py", "confidence": "V", "profile": "gridai"}
MANY_CHANNELS, MANY_DECIMATE = 500, 4
"""A run of more channels keeps every fourth step, and every row at an event: recording takes most of its time."""


@dataclass(frozen=True)
class Judge:
    """What every run of a search is held against.

    profile       limits, None for none.   conditions  those of the profile that are taken.
    limit_degree  angle between two machines that counts as loss of step. [degree]
    """

    case: Case
    profile: Profile | None
    conditions: tuple[str, ...]
    limit_degree: float

    @classmethod
    def of(cls, case: Case, profile: str, conditions: Sequence[str], limit_degree: float) -> Judge:
        """Read the profile; "default" is the one that the case suggests, else that of its frequency; "none" is none.

        Raises UnknownNameError listing near names, SettingError for a profile of another frequency.
        """
        from gridai import criteria

        if profile == NO_PROFILE:
            return cls(case, None, tuple(conditions), limit_degree)
        name = str(case.defaults.get("profile", profile)) if profile == "default" else profile
        return cls(case, criteria.load_profile(name, case.f_hz), tuple(conditions), limit_degree)

    def play(
        self,
        system: System,
        events: Sequence[Event],
        until_s: float,
        step_s: float,
        *,
        case: Case | None = None,
        seed: int = 0,
        decimate: int | None = None,
        before: Mapping[str, float] | None = None,
        more: Callable[[Result], tuple[Verdict, ...]] | None = None,
    ) -> Trial:
        """Simulate and judge. A run without a solution is a failure with its reason.

        case      the case of this run where it is not the one of the search.
        decimate  steps from one row to the next; None: 1, or 4 where a run has many channels.
        before    voltages before the search changed anything [pu]; see `verdicts`.
        more      further verdicts of the study on the run.
        """
        from gridai import engine
        from gridai.engine.simulation import channel_table

        made = case or self.case
        rows = decimate or (MANY_DECIMATE if len(channel_table(system)[1]) > MANY_CHANNELS else None)
        try:
            result = engine.simulate(system, events, until_s=until_s, step_s=step_s, seed=seed, decimate=rows)
        except ConvergenceError as error:
            return _lost(error, made, self.limit_degree)
        add_places(result, made)
        own = self.verdicts(result, before)
        verdicts = (*own, *step_verdicts(result, self.limit_degree), *(more(result) if more else ()))
        return Trial(verdicts, None, result, made.f_hz, self.profile is None)

    def verdicts(self, result: Result, before: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
        """Those of the profile.

        before  voltages of the buses before the search changed anything [pu]: what was outside the steady band then
                is not held against the run. None: the run's own start.
        """
        from gridai import criteria

        if self.profile is None:
            return ()
        steady = tuple(x for x in self.profile.limits if x.criterion == "steady_voltage")
        others = tuple(x for x in self.profile.limits if x.criterion != "steady_voltage")
        pairs = [(replace(self.profile, limits=others), result)]
        pairs.append((replace(self.profile, limits=steady), result if before is None else _started(result, before)))
        return tuple(v for p, r in pairs for condition in self.conditions for v in criteria.check(r, p, condition))

    @property
    def limits(self) -> tuple[Any, ...]:
        """The limits behind them, for the figures."""
        return () if self.profile is None else tuple(x for c in self.conditions for x in self.profile.of(c))


def _started(result: Result, before: Mapping[str, float]) -> Result:
    """The bus voltages of a run whose first sample is what the buses were before; new buses keep their own."""
    keep = [k for k, c in enumerate(result.channels) if c.kind == "bus" and c.quantity in ("v_re_pu", "v_im_pu")]
    channels = tuple(result.channels[k] for k in keep)
    data = result.data[:, keep].copy()
    for k, c in enumerate(channels):
        if c.element in before:
            data[0, k] = before[c.element] / c.scale if c.quantity == "v_re_pu" else 0.0
    return Result(result.t_s, data, channels, result.events, result.meta)


def step_verdicts(result: Result, limit_degree: float) -> tuple[Verdict, ...]:
    """The verdict on the machines staying in step; none with fewer than two machines."""
    spread = largest_spread(result)
    if math.isnan(spread.degree):
        return ()
    lost = loss_of_step(result, limit_degree)
    where, at_s = f"{spread.leading} to {spread.lagging}", spread.t_s
    if lost is not None:
        where, at_s = " ".join(lost.units[:4]), lost.t_s
    return (
        Verdict("loss_of_step", spread.degree, limit_degree, "degree", limit_degree - spread.degree, where, at_s,
                "pass" if lost is None else "fail", clause="largest angle between two machines", **OWN),
    )  # fmt: skip


def _lost(error: ConvergenceError, case: Case, limit_degree: float) -> Trial:
    """A run that ended before its time; machines that had lost step by then are named."""
    text, element = str(error), f"bus {error.bus}"
    if error.result is not None:
        add_places(error.result, case)
        lost = loss_of_step(error.result, limit_degree)
        if lost is not None:
            text = f"{' '.join(lost.units[:4])} lose step at {lost.t_s:.3f} s; {text}"
    return Trial((), Failure("convergence", text, element, error.time_s, error), error.result, case.f_hz)


def built(make: Callable[[], Any]) -> Any:
    """What `make` gives, or a Trial that says why the power flow or the start has no solution at this value."""
    try:
        return make()
    except PowerFlowError as error:
        return Trial((), Failure("power_flow", str(error).partition("\n")[0], error=error))
    except InitialisationError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        element = error.outside[0][0] if error.outside else ""
        return Trial((), Failure("start", lines[min(1, len(lines) - 1)], element, error=error))


def with_inertia(case: Case, factor: float) -> Case:
    """The case with the inertia constant of every machine times a factor.

    Infinite buses (h_s = 0) stay what they are; converters that imitate inertia and motors are not changed.
    """
    from gridai.models.catalog import model

    tables = dict(case.dynamics)
    for key, table in case.dynamics.items():
        if model(key).role == "machine" and "h_s" in table.columns:
            tables[key] = table.assign(h_s=factor * table["h_s"])
            tables[key].attrs = dict(table.attrs)
    return replace(case, dynamics=tables)


@dataclass(frozen=True)
class Sweep:
    """Searches at several values of another quantity: label, unit, and the value (x) of each."""

    x_label: str
    x_unit: str
    x: tuple[float, ...]
    found: tuple[Found, ...]
    rising: bool = False

    @property
    def curve(self) -> SearchCurve:
        """As plain data."""
        records = [f.record for f in self.found]
        return SearchCurve(
            self.x_label, self.x_unit, records[0].label, records[0].unit, self.x,
            tuple(r.limit for r in records), tuple(r.beyond for r in records), tuple(r.end for r in records),
            tuple(f.binding.criterion for f in self.found),
        )  # fmt: skip

    @property
    def table(self) -> Table:
        """One row a search."""
        unit = self.found[0].record.unit
        rows = [
            (round(x, 6), _rounded(f.record.limit), _rounded(f.record.beyond), f.record.end, f.binding.criterion,
             f.binding.element, _rounded(f.binding.t_s), f.binding.text)
            for x, f in zip(self.x, self.found, strict=True)
        ]  # fmt: skip
        head = f"{self.x_label} {self.x_unit}".strip()
        columns = (head, f"passes {unit}", f"fails {unit}", "outcome", "binds", "where", "at s", "what was found")
        return Table(f"{self.found[0].record.label} against {self.x_label}", columns, tuple(rows))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Whether the limit rises with x where it should."""
        limits = [(x, f.record.limit) for x, f in sorted(zip(self.x, self.found, strict=True), key=lambda p: p[0])]
        pairs = [(a, b) for a, b in pairwise(limits) if b[1] < a[1] - self.found[0].record.tol]
        if not self.rising or not pairs:
            return ()
        (x0, y0), (x1, y1) = pairs[0]
        unit = self.found[0].record.unit
        return (f"the limit does not rise with {self.x_label}: {y0:.6g} {unit} at {x0:.6g}, {y1:.6g} at {x1:.6g}",)


def inertia_sweep(
    case: Case, factors: Sequence[float], bracket: Bracket, attempt: Callable[[System], Callable[[float], Trial]]
) -> Sweep:
    """One search for each factor on the inertia of all machines, in rising order; each is compiled once."""
    from gridai.engine import compile_system
    from gridai.engine.simulation import inertia_mws

    ordered = sorted(factors)
    systems = [compile_system(with_inertia(case, factor)) for factor in ordered]
    found = tuple(search(bracket, attempt(made)) for made in systems)
    energies = tuple(sum(inertia_mws(made).values()) for made in systems)
    return Sweep("stored energy", "MWs", energies, found, rising=True)


def report(
    study: Any,
    judge: Judge,
    found: Found,
    title: str,
    what: str,
    *,
    figures: tuple[str, ...] = ("frequency", "voltages"),
    summary: Mapping[str, Measure] | None = None,
    tables: Mapping[str, Table] | None = None,
    notes: Sequence[str] = (),
    sweep: Sweep | None = None,
    case: Case | None = None,
) -> Report:
    """The report of a search. `what` is the limit's name: "largest pause".

    Raises the error of the safe end where not even that has a power flow or a start.
    """
    made = case or judge.case
    result = found.shown.result
    if result is None:
        failure = found.shown.failure
        assert failure is not None
        assert failure.error is not None
        failure.error.add_note(f"{what}: the safe end of the bracket, {_value(found.record.safe, found)}, has no start")
        raise failure.error
    add_search(result, found.record, sweep.curve if sweep else None)
    drawn = (*FIGURES, *(("search_curve",) if sweep else ()), *figures)
    return Report(
        title=title,
        study=study,
        summary={**limit_measures(found, what), **(summary or {})},
        verdicts=found.shown.verdicts or _no_verdict(found),
        limits=judge.limits,
        result=result,
        figures=drawn,
        tables={
            "trials": trials_table(found),
            **({"sweep": sweep.table} if sweep else {}),
            **(tables or {}),
            **redispatch_tables(made),
        },
        notes=(*_assumptions(found), *found.remarks, *(sweep.remarks if sweep else ()), *notes, *made.notes),
        provenance=provenance_of(made, result, judge.profile),
    )


def _no_verdict(found: Found) -> tuple[Verdict, ...]:
    """A safe end that fails without a verdict still fails."""
    failure = found.shown.failure
    if failure is None:
        return ()
    nan = math.nan
    note = f"at {_value(found.record.safe, found)}: {failure.text}"
    return (Verdict(failure.criterion, nan, nan, "", nan, failure.element, failure.t_s, "fail", note=note, **OWN),)


def limit_measures(found: Found, what: str) -> dict[str, Measure]:
    """The limit with what binds, the last value that passes and the first that does not, and the number of runs."""
    record, binds = found.record, found.binding
    value = record.limit if record.end == "found" else math.nan
    lines = {"limit": Measure(what, value, record.unit, binds.element, binds.t_s, ending(found))}
    passing = next((p for p in record.points if p.value == record.limit), None)
    if passing is not None:
        lines["passes"] = Measure("last value that passes", passing.value, record.unit, passing.element, passing.t_s,
                                  _room_text(passing))  # fmt: skip
    if found.failed is not None:
        lines["fails"] = Measure("first value that fails", record.beyond, record.unit, binds.element, binds.t_s,
                                 f"{binds.criterion}: {binds.text}")  # fmt: skip
    lines["runs"] = Measure("runs", float(len(record.points)), "")
    return lines


def ending(found: Found) -> str:
    """How the search ended, in words."""
    record, binds = found.record, found.binding
    if record.end == "found":
        longer = "; a longer run may answer" if binds.outcome == "not assessable" else ""
        return f"binds: {binds.criterion}, {binds.text}{longer}"
    if record.end == "passes all":
        return (
            f"not reached: passes up to the end of the bracket, {_value(record.unsafe, found)}; "
            f"nearest {binds.criterion}, {binds.text}"
        )
    first = f"at the safe end of the bracket, {_value(record.safe, found)}"
    if record.end == "fails at once":
        return f"no limit in the bracket: fails already {first}: {binds.criterion}, {binds.text}"
    return f"not assessable {first}: {binds.text}"


def _room_text(point: SearchPoint) -> str:
    left = "" if math.isnan(point.room) else f"{point.room:.2f} % of the room left, "
    return f"{left}{point.criterion}: {point.text}" if point.criterion else point.text


def trials_table(found: Found) -> Table:
    """The values tried, in order."""
    rows = [
        (_rounded(p.value), p.outcome, _rounded(p.room, 3), p.criterion, p.element, _rounded(p.t_s, 4), p.text)
        for p in found.record.points
    ]
    unit = f" {found.record.unit}" if found.record.unit else ""
    columns = (f"{found.record.label}{unit}", "outcome", "room left %", "binds", "where", "at s", "what was found")
    return Table(f"values of the {found.record.label} tried", columns, tuple(rows))


def _rounded(value: float, digits: int = 6) -> float:
    return value if math.isnan(value) else round(value, digits)


def _value(value: float, found: Found) -> str:
    return f"{value:.6g} {found.record.unit}".strip()


def _assumptions(found: Found) -> tuple[str, ...]:
    record = found.record
    lines = [
        f"bracket {_value(record.safe, found)} to {_value(record.unsafe, found)}, halved until no wider than "
        f"{_value(record.tol, found)}; assumed is one edge between passing and failing, which probes on both sides "
        "look to refute",
        "room left: the margin in % of the way from the undisturbed value (nominal frequency, 1 pu, or 0) to the limit",
    ]
    if found.not_judged:
        listed = "; ".join(f"{name}: {why}" for name, why in found.not_judged.items())
        lines.append(f"not judged, for the safe end gives no answer: {listed}")
    if found.binding.criterion and not found.binding.verified:
        lines.append(f"unverified: the number of {found.binding.criterion}, which binds, was not read in the "
                     "primary text; check it before relying on the limit")  # fmt: skip
    return tuple(lines)


__all__ = [
    "NO_PROFILE", "Judge", "Sweep", "built", "ending", "inertia_sweep", "limit_measures", "report",
    "step_verdicts", "trials_table", "with_inertia",
]  # fmt: skip
