"""The study `largest-cluster`: how large a cluster a bus takes, found by bisection.

The cluster of the case is the pattern: its hardware, workload, facility, bus and balance stay, its count changes. For
each size it is placed anew in the case as it was without it, and the power flow, the start and the loss of the whole
cluster are judged.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, placement_of, setting, usual_high_mw
from gridai.studies.search import Bracket, Failure, Trial

if TYPE_CHECKING:
    from gridai.case import Balance, Case, Placement
    from gridai.reports import Measure, Report
    from gridai.studies.search import Found
    from gridai.studies.searching import Judge

CONDITIONS = ("normal", "contingency")
USUAL_MW = 1000.0


@dataclass(frozen=True)
class LargestCluster:
    """The largest cluster that a bus takes: power flow, loadings, short-circuit ratio, and the loss of the cluster.

    The cluster placed is the pattern; its size is searched. Each size has a dispatch and a power flow of its own.
    """

    needs_cluster: ClassVar[bool] = True

    low_mw: float | None = setting(None, "MW", "safe end of the bracket (default: a thousandth of the other end)",
                                   above=0.0)  # fmt: skip
    high_mw: float | None = setting(None, "MW", "other end of the bracket (default: 1,000, on a feeder at most twice "
                                    "what can leave its source)", above=0.0)  # fmt: skip
    tol_mw: float | None = setting(None, "MW", "width of the bracket at the end (default: 0.5 % of the other end)",
                                   above=0.0)  # fmt: skip
    lost_share: float = setting(1.0, "", "part of the cluster that is lost at at_s; 0: nothing happens", least=0.0)
    at_s: float = setting(1.0, "s", "when", least=0.0)
    ramp_down_s: float = setting(0.0, "s", "time in which it is lost; 0: a step", least=0.0)
    condition: Literal["normal", "contingency"] = setting(
        "contingency", "", "which limits of the profile hold after the loss", choices=CONDITIONS
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no limits"
    )
    limit_degree: float = setting(180.0, "degree", "angle between two machines that counts as loss of step", above=0.0)
    probes: int = setting(2, "", "values tried on each side of the edge, to see whether it is the only one", least=0)
    until_s: float = setting(30.0, "s", "end of the runs", above=0.0)
    step_s: float = setting(1 / 240, "s", "longest integration step", above=0.0)
    seed: int = setting(0, "", "seed of the training's jitter", least=0)
    cluster: str | None = setting(None, "", "name of the cluster; needed when the case has several")

    def __post_init__(self) -> None:
        found = Problems("study largest-cluster")
        check_fields(self, found)
        if not found and self.lost_share > 1.0:
            found.add("largest-cluster", None, "lost_share", self.lost_share, "give a part from 0 to 1")
        if not found and self.until_s <= self.at_s:
            found.add("largest-cluster", None, "until_s", self.until_s, f"give an end after {self.at_s:g} s")
        found.raise_if_any(SettingError)

    def bracket(self, case: Case) -> Bracket:
        """From low_mw to high_mw, sized by the source of a feeder where they are not given."""
        high = self.high_mw or usual_high_mw(case, USUAL_MW)
        return Bracket("cluster", "MW", self.low_mw or 0.001 * high, high, self.tol_mw or 0.005 * high, self.probes)

    def run(self, case: Case) -> Report:
        """Search on a case that holds a cluster, the pattern. Raises SettingError for a case without one."""
        from gridai.studies.searching import Judge, report, search

        placement = placement_of(case, self.cluster)
        bare = without_clusters(case)
        judge = Judge.of(case, self.profile, (self.condition,), self.limit_degree)
        found = search(self.bracket(bare), self._attempt(judge, bare, placement))
        shown = case
        if found.record.limit == found.record.limit:
            shown = resized(case, bare, placement, found.record.limit)
        return report(
            self, judge, found, f"{case.name}: largest cluster at bus {placement.bus}", "largest cluster",
            figures=("frequency", "voltages", "cluster_power"), summary=_gpus(found, placement), case=shown,
            notes=(
                f"each size has a power flow of its own, balance {placement.balance}; judged are its voltages, "
                "loadings and short-circuit ratio as well as the run; what was outside its limit without the cluster "
                "is not held against it",
            ),
        )  # fmt: skip

    def _attempt(self, judge: Judge, bare: Case, placement: Placement) -> Callable[[float], Trial]:
        """The run of a cluster of so many MW."""
        from gridai import engine
        from gridai.studies import steady
        from gridai.studies.searching import built

        op = placed_anew(case=judge.case, bare=bare, without=placement.name).solve()
        volts, loads = steady.voltages(op), steady.loadings(op)
        most = headroom_mw(op) if placement.balance == "headroom" else float("inf")

        def at(mw: float) -> Trial:
            if mw > most:
                text = f"the units in service have {most:.1f} MW left; with balance slack the slack takes it all"
                return Trial((), Failure("headroom", text, f"bus {placement.bus}"))
            made = built(lambda: resized(judge.case, bare, placement, mw))
            ready = made if isinstance(made, Trial) else built(lambda: engine.compile_system(made))
            if isinstance(ready, Trial):
                return ready
            own = placement_of(made, placement.name)
            steady_ones = (
                *steady.start_verdicts(judge, ready.op, volts), *steady.planning_verdicts(judge, ready, own, loads),
            )  # fmt: skip
            return judge.play(
                ready, self._events(own), self.until_s, self.step_s, case=made, seed=self.seed,
                before=volts, more=lambda _: steady_ones,
            )  # fmt: skip

        return at

    def _events(self, placement: Placement) -> list[Any]:
        from gridai import engine
        from gridai.cluster import Pause

        if self.lost_share == 0.0:
            return []
        gone = Pause(self.at_s, self.lost_share * placement.cluster.p_mw, None, self.ramp_down_s)
        return [engine.TrainingPause(placement.name, gone)]


def without_clusters(case: Case) -> Case:
    """The case as it was before its clusters were placed. Raises SettingError where that is not known."""
    bare = case
    while bare.placements:
        if bare.before is None:
            raise SettingError(f"case '{case.name}': how it was without its clusters is not known; place them anew")
        bare = bare.before
    return bare


def resized(case: Case, bare: Case, placement: Placement, mw: float) -> Case:
    """The bare case with the clusters of `case`, one of them in so many MW and placed last.

    Raises PowerFlowError, CaseError.
    """
    cluster = placement.cluster
    sized = replace(cluster, count=max(1, round(cluster.count * mw / cluster.p_mw)))
    others = placed_anew(case, bare, placement.name)
    return others.with_cluster(sized, placement.bus, cast("Balance", placement.balance), placement.name)


def placed_anew(case: Case, bare: Case, without: str) -> Case:
    """The bare case with the clusters of `case` but one."""
    made = bare
    for p in case.placements:
        if p.name != without:
            made = made.with_cluster(p.cluster, p.bus, cast("Balance", p.balance), p.name)
    return made


def headroom_mw(op: Any) -> float:
    """What the units of a power flow have left of their turbines; 0 where the maximum is not stated. [MW]"""
    units = op.network.units
    left = [
        max(0.0, float(most - p))
        for kind, p, most in zip(units.kind, units.p_mw, units.max_p_mw, strict=True)
        if kind != "sgen" and most == most
    ]
    return sum(left)


def _gpus(found: Found, placement: Placement) -> dict[str, Measure]:
    from gridai.reports import Measure

    limit, cluster = found.record.limit, placement.cluster
    if limit != limit:
        return {}
    count = float(round(cluster.count * limit / cluster.p_mw))
    return {"gpus": Measure("GPUs of that cluster", count, "", cluster.hardware.name)}
