"""The study `recover`: the load that left comes back, by several policies; what each does to frequency and voltage.

Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gridai.errors import Problems, SettingError, near
from gridai.studies.common import check_fields, provenance_of, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report
    from gridai.results import Result

POLICIES = ("together", "steps", "one-by-one", "hand")
RETURNED = 0.999


@dataclass(frozen=True)
class Recover:
    """How lost load should come back: all together, in steps, one by one, or not before a hand returns it.

    The clusters leave at at_s (no fault: the loss is given) and wait; each policy returns them from return_s on. A
    table compares them; the report's curves are those of the policy named first.
    """

    needs_cluster: ClassVar[bool] = False

    policies: str = setting("steps,together,one-by-one,hand", "", f"policies to compare, parted by commas: {POLICIES}")
    share: float = setting(0.5, "", "part of each cluster's groups that leaves", above=0.0)
    at_s: float = setting(1.0, "s", "when it leaves", least=0.0)
    return_s: float = setting(30.0, "s", "start of the return", above=0.0)
    steps: int = setting(4, "", "number of parts of the policy 'steps'", least=2)
    every_s: float = setting(15.0, "s", "time from one part to the next", above=0.0)
    until_s: float | None = setting(
        None, "s", "end of all runs (default: 60 s after the policy's last part)", above=0.0
    )
    rule: str = setting("case", "", "load curve that all clusters obey, by name or TOML file; case: their own settings")
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    decimate: int = setting(24, "", "steps from one row to the next; rows at events are always kept", least=1)
    seed: int = setting(0, "", "seed of the clusters' training", least=0)
    profile: str = setting("default", "", "criteria profile, or a TOML file; default: the case's, else by frequency")

    def __post_init__(self) -> None:
        found = Problems("study recover")
        check_fields(self, found)
        for name in self.names:
            if name not in POLICIES:
                found.add("recover", None, "policies", name, near(name, POLICIES, "policy"))
        if not self.names:
            found.add("recover", None, "policies", self.policies, "name at least one")
        if not found and self.share > 1.0:
            found.add("recover", None, "share", self.share, "give a part up to 1")
        if not found and self.return_s <= self.at_s:
            found.add("recover", None, "return_s", self.return_s, f"give an instant after at_s = {self.at_s:g} s")
        found.raise_if_any(SettingError)

    @property
    def names(self) -> tuple[str, ...]:
        """The policies, in the order given."""
        return tuple(dict.fromkeys(p.strip() for p in self.policies.split(",") if p.strip()))

    def events(self, case: Case, policy: str) -> list[Any]:
        """Departure and return of every cluster under a policy."""
        from gridai import engine

        made: list[Any] = []
        for p in case.placements:
            made.append(engine.ForceAway(p.name, self.at_s, self.share))
            if policy != "hand":
                parts = self._parts(policy, self._gone(p.cluster))
                made.append(engine.ReturnLoad(p.name, self.return_s, parts, self.every_s, self.share))
        return made

    def _gone(self, cluster: Any) -> int:
        """Number of groups of a cluster that leave."""
        return max(1, round(self.share * len(cluster.electrical_groups())))

    def _parts(self, policy: str, gone: int) -> int:
        """In how many parts a policy returns so many groups."""
        return {"steps": min(self.steps, gone), "one-by-one": gone}.get(policy, 1)

    def horizon_s(self, case: Case, policy: str) -> float:
        """End of the run of a policy. [s]"""
        if self.until_s is not None:
            return self.until_s
        most = max(self._parts(policy, self._gone(p.cluster)) for p in case.placements)
        return self.return_s + self.every_s * most + 60.0

    def run(self, case: Case) -> Report:
        """Run every policy and compare. Raises SettingError for a case without a cluster."""
        from gridai import criteria
        from gridai.reports import Report
        from gridai.studies import away
        from gridai.studies.summary import frequency_measures, voltage_measures

        made, notes = away.with_settings(case, self.rule)
        profile_name = made.defaults.get("profile", "default") if self.profile == "default" else self.profile
        profile = criteria.load_profile(str(profile_name), made.f_hz)
        first, rows = None, []
        for name in self.names:
            until_s = self.horizon_s(made, name)
            result = away.play(made, self.events(made, name), until_s, self.step_s, self.decimate, self.seed)
            rows.append((name, round(until_s, 1), *_row(result, self.return_s)))
            first = first or result
        assert first is not None
        summary: dict[str, Any] = {**away.load_measures(first), **away.dip_measures(first)}
        if away.has_frequency(first):
            summary |= frequency_measures(first)
        return Report(
            title=f"{case.name}: return of load, policy {self.names[0]}",
            study=self,
            summary={**summary, **voltage_measures(first)},
            verdicts=criteria.check(first, profile, "contingency"),
            limits=profile.of("contingency"),
            result=first,
            figures=away.figures(first),
            tables={"policies": _compared(rows), "settings": away.settings_table(made)},
            notes=(*notes, *case.notes),
            provenance=provenance_of(made, first, profile),
        )


def _compared(rows: list[tuple[Any, ...]]) -> Any:
    """One row a policy: when the load is back, and the extremes from the return on."""
    from gridai.reports import Table

    columns = (
        "policy", "run s", "back at s", "MW away at the end", "lowest Hz", "highest Hz", "lowest V pu", "highest V pu",
        "departures again",
    )  # fmt: skip
    return Table("policies, from the return on", columns, tuple(rows))


def _row(result: Result, return_s: float) -> tuple[Any, ...]:
    import numpy as np

    from gridai.results.ride_through import changes
    from gridai.studies import away

    t = result.t_s
    after = t >= return_s
    drawn, wanted = result.values("cluster", "p_mw").sum(axis=1), result.values("cluster", "p_demand_mw").sum(axis=1)
    short = np.flatnonzero(after & (drawn < RETURNED * wanted))
    back_s = float(t[short[-1]]) if len(short) and short[-1] < len(t) - 1 else float("nan")
    held = away.has_frequency(result)
    f = result.series("system", "COI", "f_hz")[after] if held else np.array([np.nan])
    buses = set(result.meta["cluster_bus"].values())
    names = result.names("bus", "vm_pu")
    vm = result.values("bus", "vm_pu")[after][:, [names.index(b) for b in sorted(buses)]]
    again = sum(c.leaves for c in changes(result) if c.t_s >= return_s)
    gone = float((wanted - drawn)[-1]) if np.isnan(back_s) else 0.0
    return (
        round(back_s, 2), round(gone, 1), round(float(f.min()), 4), round(float(f.max()), 4),
        round(float(vm.min()), 4), round(float(vm.max()), 4), again,
    )  # fmt: skip
