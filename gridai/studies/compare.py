"""The study `compare`: a run against its reference, curve by curve: another version, another model, another program.

    points    runs of the same step: sample against sample
    tube      any steps: beyond a tube of width_s in time and `tolerance` of the span in value
    windows   errors before, during and after a disturbance (MXE, ME, MAE), as operators' model checks ask

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, required, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Measure, Report, Table
    from gridai.results import Result, Verdict
    from gridai.results.compare import Difference
    from gridai.results.curves import Curve

METHODS = ("auto", "points", "tube", "windows")
SHOWN, DRAWN, LISTED = 15, 3, 12
LEAST_SPAN = 1e-9
"""A quantity that moves less is compared by its size, or by 1 where that is less too."""
OWN = {"source": "gridai, results/compare.py", "confidence": "V", "profile": "gridai"}
Pair = tuple["Curve", "Curve"]


@dataclass(frozen=True)
class Compare:
    """Compare a run with its reference: the largest difference of each quantity, where and when, and what is missing.

    Needs no case. The reference is a saved run, or a CSV file of another program with --curves OURS=COLUMN. A
    difference above the tolerance, a missing curve or an event without its match fails.
    """

    needs_cluster: ClassVar[bool] = False

    checked: str = required("folder of the run that is checked")
    reference: str = required("folder of the reference, or a CSV file: a column of time, and one for each curve")
    curves: str = setting(
        "",
        "",
        "curves, parted by commas: bus/vm_pu, gen/G1/p_mw, with a CSV gen/G1/p_mw=COLUMN (default: all recorded)",
    )
    method: Literal["auto", "points", "tube", "windows"] = setting(
        "auto", "", "how; auto: points where both have the same times, else tube", choices=METHODS
    )
    tolerance: float = setting(0.001, "", "allowed difference as a part of the span of its quantity", least=0.0)
    width_s: float = setting(0.01, "s", "half width of the tube in time", least=0.0)
    begin_s: float | None = setting(None, "s", "begin of the disturbance (default: the run's first event)", least=0.0)
    end_s: float | None = setting(None, "s", "end of the disturbance (default: its last event)", above=0.0)
    base: float | None = setting(
        None,
        "",
        "base of curves that are not in pu, for windows (default: the largest value of each reference)",
        above=0.0,
    )
    profile: str = setting(
        "none", "", "criteria profile of model checks for windows, as rte-i16-simulation; none: no limits"
    )

    def __post_init__(self) -> None:
        found = Problems("study compare")
        check_fields(self, found)
        if not found and self.profile != "none" and self.method != "windows":
            found.add("compare", None, "method", self.method, "a profile of model checks judges windows: give windows")
        found.raise_if_any(SettingError)

    def run(self, case: Case | None = None) -> Report:
        """Compare. Raises ResultError for files that are no results, UnknownNameError for curves that are not there."""
        from gridai.reports import Report
        from gridai.results import load
        from gridai.studies.provenance import versions

        checked = load(self.checked)
        reference, pairs, missing = self._pairs(checked)
        if not pairs:
            raise SettingError("curves: no curve is in both; name them with --curves OURS=COLUMN for a CSV file")
        method = self._method(pairs)
        differences = {a.key: self._difference(method, a, b) for a, b in pairs} if method != "windows" else {}
        events = self._events(reference, checked)
        result, verdicts, tables = self._judged(method, checked, pairs, differences)
        verdicts = (*verdicts, *_missing(missing), *_unmatched(events))
        order = sorted(pairs, key=lambda p: -_share(differences.get(p[0].key), _span(pairs, p[0])))
        result.meta["comparison"] = [_drawn(a, b, self._tube(method, pairs, a)) for a, b in order[:DRAWN]]
        return Report(
            title=f"{self.checked} against {self.reference}",
            study=self,
            summary=_summary(method, pairs, differences, missing, events),
            verdicts=verdicts,
            limits=(),
            result=result,
            figures=("comparison",),
            tables={**tables, **_lists(missing, events)},
            notes=(_in_words(self, method),),
            provenance={**versions(), "case": str(checked.meta.get("case", "")), "reference": self.reference},
        )

    def _pairs(self, checked: Result) -> tuple[Result | None, list[Pair], list[str]]:
        """The reference's result (none for a CSV), pairs (reference, run), and the keys that the run lacks."""
        from pathlib import Path

        from gridai.errors import UnknownNameError, near
        from gridai.results import load
        from gridai.results.curves import curves_of, read_curves

        names = [name.strip() for name in self.curves.split(",") if name.strip()]
        if Path(self.reference).is_dir():
            other = load(self.reference)
            theirs, ours = curves_of(other, names), curves_of(checked)
            ours |= {k: c for name in names for k, c in curves_of(checked, [name]).items()}
            both = [(c, ours[key]) for key, c in theirs.items() if key in ours]
            return other, both, [key for key in theirs if key not in ours]
        columns = read_curves(self.reference)
        wanted = dict(name.split("=", 1) for name in names if "=" in name)
        if len(wanted) < len(names) or not names:
            raise SettingError("curves: with a CSV file write OURS=COLUMN for each, as gen/G1/p_mw=PELEC 1")
        pairs = []
        for key, column in wanted.items():
            if column not in columns:
                raise UnknownNameError(near(column, columns, "column"))
            (own,) = curves_of(checked, [key]).values()
            pairs.append((columns[column], own))
        return None, [(_renamed(a, b), b) for a, b in pairs], []

    def _method(self, pairs: list[Pair]) -> str:
        import numpy as np

        if self.method != "auto":
            return self.method
        same = all(len(a.t_s) == len(b.t_s) and np.allclose(a.t_s, b.t_s, rtol=0.0, atol=1e-9) for a, b in pairs)
        return "points" if same else "tube"

    def _tube(self, method: str, pairs: list[Pair], curve: Curve) -> tuple[float, float]:
        """Half width [s] and half height of the tube around a reference; 0 without one."""
        return (self.width_s, self.tolerance * _span(pairs, curve)) if method == "tube" else (0.0, 0.0)

    def _difference(self, method: str, reference: Curve, own: Curve) -> Difference:
        """Point by point, or the whole distance from a tube without height, so that the share can be shown."""
        import numpy as np

        from gridai.results.compare import pointwise, tube

        if method == "tube":
            return tube(reference.t_s, reference.x, own.t_s, own.x, self.width_s, 0.0, reference.key)
        a, b = reference.x, own.x
        gap = np.isnan(a) if len(a) == len(b) else np.zeros(0, dtype=bool)
        if gap.any() and (gap == np.isnan(b)).all():
            a, b = np.where(gap, 0.0, a), np.where(gap, 0.0, b)
        return pointwise(reference.t_s, a, own.t_s, b, reference.key)

    def _events(self, reference: Result | None, checked: Result) -> tuple[str, ...]:
        from gridai.results.compare import SAME_TIME_S, unmatched_events

        if reference is None:
            return ()
        return unmatched_events(reference.events, checked.events, max(self.width_s, SAME_TIME_S))

    def _judged(
        self, method: str, checked: Result, pairs: list[Pair], differences: dict[str, Difference]
    ) -> tuple[Result, tuple[Verdict, ...], dict[str, Table]]:
        """The result to show, verdicts and tables of a method."""
        from gridai import criteria
        from gridai.results import Result
        from gridai.results.step_response import comparison_result

        if method != "windows":
            shown = Result(checked.t_s, checked.data, checked.channels, checked.events, checked.meta)
            return shown, self._verdicts(pairs, differences), {"differences": _table(pairs, differences)}
        windows = self._windows(checked, pairs)
        shown = comparison_result(windows, like=checked)
        if self.profile == "none":
            return shown, (), {"windows": _window_table(windows)}
        profile = criteria.load_profile(self.profile)
        return shown, criteria.check(shown, profile, "model"), {"windows": _window_table(windows)}

    def _verdicts(self, pairs: list[Pair], differences: dict[str, Difference]) -> tuple[Verdict, ...]:
        """One verdict for each quantity, on its worst curve."""
        groups: dict[str, list[tuple[float, Difference]]] = {}
        for a, _ in pairs:
            groups.setdefault(a.group, []).append((_share(differences[a.key], _span(pairs, a)), differences[a.key]))
        made = []
        for rows in groups.values():
            share, worst = max(rows, key=lambda row: row[0])
            made.append(self._verdict(share, worst))
        return tuple(made)

    def _verdict(self, share: float, worst: Difference) -> Verdict:
        from gridai.results import Verdict

        limit, percent = 100.0 * self.tolerance, 100.0 * share
        kept = percent <= limit * (1.0 + 1e-9)
        note = "" if kept else f"largest difference {worst.largest:.6g}"
        if math.isinf(share):
            percent, note = math.nan, "a gap in one of the two"
        return Verdict(
            "curve_difference", percent, limit, "%", limit - percent if math.isfinite(share) else -math.inf,
            worst.element, worst.t_s, "pass" if kept else "fail",
            clause="difference as a part of the span of the quantity in the reference", note=note, **OWN,
        )  # fmt: skip

    def _windows(self, checked: Result, pairs: list[Pair]) -> dict[str, dict[str, Difference]]:
        import numpy as np

        from gridai.results.compare import by_windows

        times = [event.t_s for event in checked.events]
        begin, end = self.begin_s, self.end_s
        begin = min(times, default=None) if begin is None else begin
        end = max(times, default=None) if end is None else end
        if begin is None or end is None or not begin < end:
            raise SettingError(
                f"begin_s = {begin}, end_s = {end}: the run's events give no begin and end of a disturbance; give both"
            )
        found = {}
        for a, b in pairs:
            base = 1.0 if a.group.endswith("_pu") else self.base or float(np.nanmax(np.abs(a.x))) or 1.0
            found[a.key] = by_windows(a.t_s, a.x / base, b.t_s, b.x / base, begin, end, element=a.key)
        return found


def _renamed(reference: Curve, own: Curve) -> Curve:
    from dataclasses import replace

    return replace(reference, key=own.key, group=own.group)


def _span(pairs: list[Pair], curve: Curve) -> float:
    """Span of a quantity: the largest of its curves in the reference, else its size, else 1."""
    import numpy as np

    same = [a for a, _ in pairs if a.group == curve.group]
    span = max(a.span for a in same)
    if span > LEAST_SPAN:
        return span
    size = max(float(np.nanmax(np.abs(a.x), initial=0.0)) for a in same)
    return size if size > LEAST_SPAN else 1.0


def _share(found: Difference | None, span: float) -> float:
    if found is None:
        return 0.0
    return math.inf if math.isnan(found.largest) else found.largest / span


def _missing(missing: list[str]) -> tuple[Verdict, ...]:
    """A verdict on curves of the reference that the run lacks; none where all are there."""
    return _count("missing_curve", len(missing), missing[0] if missing else "", ", ".join(missing[:6]))


def _unmatched(events: tuple[str, ...]) -> tuple[Verdict, ...]:
    return _count("unmatched_event", len(events), "", "; ".join(events[:6]))


def _count(name: str, n: int, element: str, note: str) -> tuple[Verdict, ...]:
    from gridai.results import Verdict

    if not n:
        return ()
    clause = "what the reference has, the run has too"
    return (Verdict(name, float(n), 0.0, "1", -float(n), element, math.nan, "fail", clause=clause, note=note, **OWN),)


def _summary(
    method: str, pairs: list[Pair], differences: dict[str, Difference], missing: list[str], events: tuple[str, ...]
) -> dict[str, Measure]:
    from gridai.reports import Measure

    lines = {"curves": Measure("curves compared", float(len(pairs)), "", note=f"method {method}")}
    if differences:
        share, worst = max(
            ((_share(differences[a.key], _span(pairs, a)), differences[a.key]) for a, _ in pairs),
            key=lambda row: row[0],
        )
        value = math.nan if math.isinf(share) else 100.0 * share
        lines["largest"] = Measure("largest difference", value, "%", worst.element, worst.t_s, "of the quantity's span")
    lines["missing"] = Measure("curves that are missing", float(len(missing)), "")
    lines["events"] = Measure("events without a match", float(len(events)), "")
    return lines


def _table(pairs: list[Pair], differences: dict[str, Difference]) -> Table:
    """The curves that differ most, each in its own unit and in % of the span of its quantity."""
    from gridai.reports import Table

    rows = [
        (d.element, d.largest, 100.0 * _share(d, _span(pairs, a)), d.mean, d.mean_abs, d.t_s, d.samples)
        for a, _ in pairs
        for d in (differences[a.key],)
    ]
    rows.sort(key=lambda row: -row[2])
    columns = ("curve", "largest", "% of span", "mean", "mean absolute", "at s", "samples")
    return Table(f"curves that differ most, {min(SHOWN, len(rows))} of {len(rows)}", columns, tuple(rows[:SHOWN]))


def _window_table(windows: dict[str, dict[str, Difference]]) -> Table:
    from gridai.reports import Table

    rows = [
        (key, name, d.largest, d.mean, d.mean_abs, d.t_s) for key, parts in windows.items() for name, d in parts.items()
    ]
    columns = ("curve", "window", "maximum pu", "mean pu", "mean absolute pu", "at s")
    return Table("errors before, during and after", columns, tuple(rows))


def _lists(missing: list[str], events: tuple[str, ...]) -> dict[str, Table]:
    from gridai.reports import Table

    found = {}
    if missing:
        found["missing"] = Table(
            "curves of the reference that the run lacks", ("curve",), tuple((m,) for m in missing[:LISTED])
        )
    if events:
        found["events"] = Table("events without a match", ("event",), tuple((e,) for e in events[:LISTED]))
    return found


def _drawn(reference: Curve, own: Curve, tube: tuple[float, float]) -> dict[str, Any]:
    """A pair of curves as the figure draws it, thinned out with its peaks kept."""
    thin: Callable[[Any, Any], list[list[float | None]]] = _thin
    return {"key": reference.key, "reference": thin(reference.t_s, reference.x), "run": thin(own.t_s, own.x),
            "width_s": tube[0], "height": tube[1]}  # fmt: skip


def _thin(t: Any, x: Any, most: int = 4000) -> list[list[float | None]]:
    import numpy as np

    size = max(1, -(-2 * len(t) // most))
    keep = {0, len(t) - 1}
    for k in range(0, len(t), size):
        part = x[k : k + size]
        known = np.where(np.isnan(part), part[0] if len(part) else 0.0, part)
        keep |= {k + int(known.argmin()), k + int(known.argmax())}
    at = sorted(keep)
    return [[float(v) for v in t[at]], [None if v != v else float(v) for v in x[at]]]


def _in_words(study: Compare, method: str) -> str:
    if method == "points":
        return "point by point: both have the same instants, both sides of every event included"
    if method == "tube":
        return (
            f"tube: a curve may come {study.width_s:g} s early or late; what is left is measured as a part of the span"
        )
    return "windows: 20 ms after the begin and 60 ms after the end left out, low-pass 15 Hz, samples of 2 ms (RTE I16)"
