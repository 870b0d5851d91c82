"""The study `cascade`: part of the load leaves without any fault; does what follows make other groups leave?

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, profile_of, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridai.case import Case
    from gridai.cluster import RideThrough
    from gridai.reports import Report
    from gridai.results import Result
    from gridai.results.ride_through import Change

FORCED = "forced"


@dataclass(frozen=True)
class Cascade:
    """Part of the load leaves at once, with no fault: which other groups leave because of it, when, and why.

    The first loss is given, so everything that leaves after it is its consequence: overvoltage, frequency, rate of
    change, a phase jump. Departures closer together than gap_s make one wave. A table shows the first loss from a part
    of the load to all of it.
    """

    needs_cluster: ClassVar[bool] = False

    cluster: str = setting("", "", "cluster that loses load first (default: all)")
    shares: str = setting("0.25,0.5,0.75,1", "", "parts of its groups that leave, parted by commas; the last is shown")
    at_s: float = setting(1.0, "s", "when they leave", least=0.0)
    gap_s: float = setting(0.5, "s", "departures farther apart belong to different waves", above=0.0)
    until_s: float = setting(30.0, "s", "end of the run", above=0.0)
    over1_pu: float | None = setting(
        None, "pu", "overvoltage threshold of every class in place of the case's", above=1.0
    )
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    decimate: int = setting(8, "", "steps from one row to the next; rows at events are always kept", least=1)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study cascade")
        check_fields(self, found)
        for text in self.shares.split(","):
            try:
                good = 0.0 < float(text) <= 1.0
            except ValueError:
                good = False
            if not good:
                found.add("cascade", None, "shares", text.strip(), "give parts above 0, up to 1, parted by commas")
        if not found and self.until_s <= self.at_s:
            found.add("cascade", None, "until_s", self.until_s, f"give an end after at_s = {self.at_s:g} s")
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Run every share; the report's curves are those of the last. Raises SettingError without a cluster."""
        from gridai import engine
        from gridai.reports import Table
        from gridai.studies import away
        from gridai.studies.common import placement_of

        made, notes = away.with_settings(case)
        if self.over1_pu is not None:
            made = _with_overvoltage(made, self.over1_pu)
        who = [placement_of(made, self.cluster).name] if self.cluster else [p.name for p in made.placements]
        profile = profile_of(made, self.profile)
        rows, result = [], None
        for share in (float(text) for text in self.shares.split(",")):
            events = [engine.ForceAway(name, self.at_s, share) for name in who]
            result = away.play(made, events, self.until_s, self.step_s, self.decimate, self.seed)
            rows.append((share, *self._row(result)))
        assert result is not None
        followers = [c for c in _leaves(result) if c.cause != FORCED]
        columns = ("share", "first loss MW", "others leave MW", "groups", "waves", "last at s", "causes",
                   "highest V pu", "highest Hz")  # fmt: skip
        tables = {
            "cascade": Table("does the loss make others leave", columns, tuple(rows)),
            "departures": away.departures(result, followers),
            "settings": away.settings_table(made),
        }
        title = f"{case.name}: cascade after {', '.join(who)} leave{'s' if len(who) == 1 else ''}"
        return away.report(self, profile, made, result, title, tables, notes)

    def _row(self, result: Result) -> tuple[Any, ...]:
        from gridai.studies import away

        moves = _leaves(result)
        mine = {c.group: c.p_mw for c in moves if c.cause == FORCED}
        others = [c for c in moves if c.cause != FORCED]
        power = {c.group: c.p_mw for c in others}
        causes = ", ".join(sorted({c.cause for c in others})) or "none"
        buses = sorted(set(result.meta["cluster_bus"].values()))
        names = result.names("bus", "vm_pu")
        top = result.values("bus", "vm_pu")[:, [names.index(b) for b in buses]].max()
        held = away.has_frequency(result)
        f = float(result.series("system", "COI", "f_hz").max()) if held else float("nan")
        last = round(max(c.t_s for c in others), 3) if others else float("nan")
        return (
            round(sum(mine.values()), 1), round(sum(power.values()), 1), len(power), waves(others, self.gap_s), last,
            causes, round(float(top), 4), round(f, 4),
        )  # fmt: skip


def _leaves(result: Result) -> list[Change]:
    from gridai.results.ride_through import changes

    return [c for c in changes(result) if c.leaves]


def waves(moves: Sequence[Change], gap_s: float) -> int:
    """Number of groups of departures that lie farther apart than gap_s."""
    times = sorted(c.t_s for c in moves)
    return 0 if not times else 1 + sum(b - a > gap_s for a, b in pairwise(times))


def _with_overvoltage(case: Case, over1_pu: float) -> Case:
    """Every class of every cluster with this first threshold of overvoltage."""
    from gridai.cluster import UpsClass

    def change(settings: RideThrough | None) -> RideThrough | None:
        if settings is None:
            return None
        lower = [
            replace(c, over1_pu=over1_pu, v_return_high_pu=min(c.v_return_high_pu, over1_pu))
            if isinstance(c, UpsClass)
            else c
            for c in settings.classes
        ]
        return replace(settings, classes=tuple(lower))

    placed = [replace(p, cluster=p.cluster.with_ride_through(change)) for p in case.placements]
    return replace(case, placements=tuple(placed))
