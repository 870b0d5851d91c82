"""Search for the value at which the grid no longer holds: one helper for all limit searches.

    safe end  o-------o-------o---x-------x---------------x  unsafe end
              passes          ^ limit                        fails

The ends are tried first. Then the bracket between the last value that passes and the first that does not is halved
until it is no wider than `tol`. Assumed is that what holds at a value holds at every value on its safe side. A few
probes, in the middle of the widest gaps on both sides of the edge, look for the contrary: a failure on the safe side
moves the search below it, a pass on the unsafe side is reported. Neither proves that there is no narrow window
between two values tried.

A value passes when no verdict fails, one passes, and every criterion that could be judged at the safe end still can:
what cannot be assessed has not passed. A run or power flow without a solution is a failure with its reason, no crash.

The limit reported is the last value that passes, so it errs to the safe side by up to `tol`.
Importing this file loads the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from gridai.errors import GridaiError, SettingError

if TYPE_CHECKING:
    from gridai.results import Result, Verdict
    from gridai.results.searches import End, Outcome, SearchPoint, SearchRecord

MOST_RESTARTS = 5
"""So many failures on the safe side move the edge before the search gives up."""


@dataclass(frozen=True)
class Bracket:
    """What is searched: its label and unit, the end at which the grid should hold, the other end, width at the end.

    probes  values tried on each side of the edge to see whether it is the only one.
    """

    label: str
    unit: str
    safe: float
    unsafe: float
    tol: float
    probes: int = 2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.safe) and math.isfinite(self.unsafe) and self.safe != self.unsafe):
            raise SettingError(
                f"{self.label}: from {self.safe:g} to {self.unsafe:g} {self.unit} is no bracket: give two finite, "
                "different ends"
            )
        if not 0.0 < self.tol < abs(self.unsafe - self.safe):
            raise SettingError(
                f"{self.label}: tolerance {self.tol:g} {self.unit}: give a width above 0 and below that of the "
                f"bracket, {abs(self.unsafe - self.safe):g} {self.unit}"
            )


def scaled(label: str, low_mw: float | None, high_mw: float, tol_mw: float | None, probes: int) -> Bracket:
    """A bracket of power; what is not given is 1 MW, or 1 % of the other end where that is less."""
    usual = min(1.0, 0.01 * high_mw)
    return Bracket(
        label, "MW", usual if low_mw is None else low_mw, high_mw, usual if tol_mw is None else tol_mw, probes
    )


@dataclass(frozen=True)
class Failure:
    """Why a value fails without a verdict: no solution, no start, not enough headroom; where and when [s]."""

    criterion: str
    text: str
    element: str = ""
    t_s: float = math.nan
    error: GridaiError | None = None


@dataclass(frozen=True)
class Trial:
    """What became of one value: verdicts of its run, or why there is none.

    f_hz  nominal frequency, from which the room of a frequency limit counts. [Hz]
    free  no limits were asked for: where there is no verdict either, a run with a solution passes.
    """

    verdicts: tuple[Verdict, ...] = ()
    failure: Failure | None = None
    result: Result | None = field(default=None, repr=False)
    f_hz: float = math.nan
    free: bool = False


@dataclass(frozen=True)
class Found:
    """A finished search.

    shown       the last trial that passes; where none does, the first trial.
    failed      the first trial that does not pass, None where all do.
    binding     the point of that trial, the one that says what binds; of the last passing one where all pass.
    not_judged  criteria that could not be judged at the safe end, with the reason.
    remarks     what the reader has to know: not monotone, ends that answer already.
    """

    record: SearchRecord
    shown: Trial
    failed: Trial | None
    binding: SearchPoint
    not_judged: Mapping[str, str]
    remarks: tuple[str, ...]


def search(bracket: Bracket, attempt: Callable[[float], Trial]) -> Found:
    """Look for the edge between passing and failing. `attempt` runs the case at one value of the quantity."""
    walk = _Walk(bracket, attempt)
    first = walk.point(bracket.safe)
    if first.outcome == "pass" and walk.point(bracket.unsafe).outcome == "pass":
        walk.probe_inside()
    walk.close_in()
    walk.keep_shown()
    return walk.found()


class _Walk:
    """The values tried so far. Results are kept of the two values next to the edge only."""

    def __init__(self, bracket: Bracket, attempt: Callable[[float], Trial]) -> None:
        self.bracket, self.attempt = bracket, attempt
        self.points: dict[float, SearchPoint] = {}
        self.trials: dict[float, Trial] = {}
        self.asked: frozenset[str] | None = None
        self.not_judged: dict[str, str] = {}
        self.remarks: list[str] = []

    def point(self, value: float) -> SearchPoint:
        """Try a value."""
        if value in self.points:
            return self.points[value]
        trial = self.attempt(value)
        if self.asked is None:
            judged = labelled(trial.verdicts)
            self.asked = frozenset(name for name, v in judged.items() if v.status != "not assessable")
            self.not_judged = {name: v.note for name, v in judged.items() if v.status == "not assessable"}
        self.points[value] = judge(value, trial, self.asked)
        self.trials[value] = trial
        self._forget()
        return self.points[value]

    def _forget(self) -> None:
        """Let go of the results of trials that will not be shown: they are large."""
        keep = {self.bracket.safe if self.low is None else self.low, self.high}
        for value in set(self.trials) - keep:
            self.trials[value] = replace(self.trials[value], result=None)

    def far(self, value: float) -> float:
        """Distance from the safe end, which grows towards the unsafe one."""
        return abs(value - self.bracket.safe)

    @property
    def high(self) -> float | None:
        """The first value that does not pass."""
        return min((v for v, p in self.points.items() if p.outcome != "pass"), key=self.far, default=None)

    @property
    def low(self) -> float | None:
        """The last value that passes before it."""
        edge = math.inf if self.high is None else self.far(self.high)
        passing = [v for v, p in self.points.items() if p.outcome == "pass" and self.far(v) < edge]
        return max(passing, key=self.far, default=None)

    def probe_inside(self) -> None:
        """Both ends pass: look for a failure between them."""
        for _ in range(self.bracket.probes):
            value = self._widest(self.points)
            if value is not None and self.point(value).outcome != "pass":
                self.remarks.append(
                    f"not monotone: both ends of the bracket pass, {self._text(value)} does not; the limit is the "
                    "first edge found from the safe end"
                )
                return

    def close_in(self) -> None:
        """Halve the bracket, probe on its safe side, and again where a probe fails; then probe beyond."""
        if self.low is None or self.high is None:
            return
        for _ in range(MOST_RESTARTS):
            self._halve()
            edge = self.high
            if not self._probe_below():
                break
            self.remarks.append(
                f"not monotone: {self._text(self.high)} fails, and values beyond it, up to {self._text(edge)}, passed; "
                "the limit lies below the first failure found"
            )
        else:
            self._halve()
        self._probe_above()

    def _halve(self) -> None:
        low, high = self.low, self.high
        assert low is not None
        assert high is not None
        while abs(high - low) > self.bracket.tol * (1.0 + 1e-9):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.point(middle).outcome == "pass" else (low, middle)

    def _probe_below(self) -> bool:
        """True as soon as a value on the safe side of the edge fails."""
        for _ in range(self.bracket.probes):
            low = self.low
            assert low is not None
            value = self._widest(v for v in self.points if self.far(v) <= self.far(low))
            if value is not None and self.point(value).outcome != "pass":
                return True
        return False

    def _probe_above(self) -> None:
        """Values beyond the edge should fail; one that passes is reported."""
        for _ in range(self.bracket.probes):
            high = self.high
            assert high is not None
            value = self._widest(v for v in self.points if self.far(v) >= self.far(high))
            if value is not None:
                self.point(value)
        again = [v for v, p in self.points.items() if p.outcome == "pass" and self.far(v) > self.far(self.high or 0.0)]
        if again and not self.remarks:
            first = min(again, key=self.far)
            self.remarks.append(
                f"not monotone: {self._text(first)} passes again, beyond the first failure at {self._text(self.high)}; "
                "the limit is the first edge"
            )

    def _widest(self, values: Iterable[float]) -> float | None:
        """The middle of the widest gap between some values; None where all are closer than two tolerances."""
        ordered = sorted(values)
        gaps = [(b - a, 0.5 * (a + b)) for a, b in pairwise(ordered)]
        width, middle = max(gaps, default=(0.0, math.nan))
        return middle if width > 2.0 * self.bracket.tol else None

    def _text(self, value: float | None) -> str:
        return "-" if value is None else f"{value:.6g} {self.bracket.unit}".strip()

    def keep_shown(self) -> None:
        """Run the last passing value again where its result was let go of (its edge moved later)."""
        low = self.low
        if low is not None and self.trials[low].result is None:
            self.trials[low] = self.attempt(low)

    def found(self) -> Found:
        """The search as it now stands."""
        from gridai.results.searches import SearchRecord

        low, high, b = self.low, self.high, self.bracket
        first = self.points[b.safe]
        end: End = "found"
        if low is None:
            end = "not assessable" if first.outcome == "not assessable" else "fails at once"
        elif high is None:
            end = "passes all"
        ordered = tuple(self.points[v] for v in sorted(self.points))
        nan = math.nan
        record = SearchRecord(b.label, b.unit, b.safe, b.unsafe, b.tol, end, nan if low is None else low,
                              nan if high is None else high, ordered)  # fmt: skip
        shown = self.trials[b.safe if low is None else low]
        binding = self.points[b.unsafe if high is None else high]
        failed = None if high is None else self.trials[high]
        return Found(record, shown, failed, binding, self.not_judged, tuple(self.remarks))


def labelled(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Verdicts by the name of their criterion, a number added from the second of a name on."""
    found: dict[str, Verdict] = {}
    for v in verdicts:
        same = sum(name.partition(" ")[0] == v.criterion for name in found)
        found[v.criterion if not same else f"{v.criterion} ({same + 1})"] = v
    return found


def judge(value: float, trial: Trial, asked: frozenset[str]) -> SearchPoint:
    """The point of a trial, held against the criteria that the safe end could answer."""
    from gridai.results.rooms import bounded_room
    from gridai.results.searches import SearchPoint

    if trial.failure is not None:
        f = trial.failure
        return SearchPoint(value, "fail", math.nan, f.criterion, f.element, f.t_s, f.text)
    judged = labelled(trial.verdicts)
    rooms = {name: bounded_room(v, trial.f_hz) for name, v in judged.items() if v.status != "not assessable"}
    failing = [name for name, v in judged.items() if v.status == "fail"]
    unknown = [name for name in judged if name in asked and name not in rooms]
    if failing:
        name = min(failing, key=lambda n: rooms[n])
        return _point(value, "fail", name, judged[name], rooms)
    if unknown or not rooms:
        name = (unknown or list(judged) or [""])[0]
        if not name and trial.free:
            return SearchPoint(value, "pass", math.nan, "solution", text="the run has a solution; no limit is asked")
        if not name:
            return SearchPoint(value, "not assessable", math.nan, text="no criterion applies")
        return _point(value, "not assessable", name, judged[name], rooms)
    name = min(rooms, key=lambda n: rooms[n])
    return _point(value, "pass", name, judged[name], rooms)


def _point(value: float, outcome: Outcome, name: str, v: Verdict, rooms: dict[str, float]) -> SearchPoint:
    from gridai.results.searches import SearchPoint

    room_left = math.nan if outcome == "not assessable" else rooms[name]
    return SearchPoint(value, outcome, room_left, name, v.element, v.t_s, in_words(v), v.verified, rooms)


def in_words(v: Verdict) -> str:
    """Value, limit and status of a verdict on one line, with "unverified" where the number is."""
    mark = "" if v.verified else ", unverified"
    if v.status == "not assessable":
        return f"not assessable: {v.note}{mark}"
    side = "within" if v.status == "pass" else "beyond"
    unit = "" if v.unit == "1" else f" {v.unit}"
    digits = next((n for n in range(6, 10) if v.value == v.limit or f"{v.value:.{n}g}" != f"{v.limit:.{n}g}"), 10)
    return f"{v.value:.{digits}g}{unit}, {side} the limit {v.limit:.6g}{unit}{mark}"
