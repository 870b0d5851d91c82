"""The study `contingency`: every single or double outage with the clusters as they stand, ranked; fault levels.

Overloads and voltages are ranked each by how far they are beyond their limit; what an outage cuts off is counted, and
an outage without a solution is listed with how far the way to it goes. Lost generation is made up by all units in
proportion to their headroom, or by the slack; nothing else is redispatched. An island with a unit that can hold it
lives on and is judged like the rest. Where the grid has open lines or switches, the one to close after each outage
that cuts load off is found.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import CaseError, SettingError, UnknownNameError, near
from gridai.studies.common import check_study, phase_notes, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

ORDERS = ("n-1", "n-1-1")
WHAT = ("branches", "branches and units")
LOST = ("headroom", "slack")
FAULTS = ("max", "min", "none")
MOST_PAIRS = 2_000_000


@dataclass(frozen=True)
class Contingency:
    """N-1 and N-1-1: overloads and voltages after every outage, ranked; islands and restoration; fault levels.

    Fault levels by IEC 60909. The clusters of the case are in the power flow. What is outside a limit with everything
    in is listed where it gets worse by 0.005 pu or 1 %. Between the two outages of n-1-1 nothing is adjusted. Exit
    status 1 if an outage has no power flow, overloads a branch, drives a voltage out of its band, or cuts off more
    load than --most-lost-mw.
    """

    needs_cluster: ClassVar[bool] = False

    order: Literal["n-1", "n-1-1"] = setting(
        "n-1", "", "one outage at a time, or every pair, nothing adjusted between", choices=ORDERS
    )
    what: Literal["branches", "branches and units"] = setting(
        "branches", "", "lines, transformers and impedances, or generating units (the slack's too)", choices=WHAT
    )
    first: str = setting("", "", "n-1-1: only pairs with one of these branches, parted by commas (default: every pair)")
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no voltages"
    )
    most_percent: float = setting(100.0, "%", "loading allowed after an outage", above=0.0)
    rating_mva: float | None = setting(
        None, "MVA", "rating of branches that state none, as in MATPOWER's cases (default: not judged)", above=0.0
    )
    most_lost_mw: float | None = setting(
        None, "MW", "load that an outage may cut off (default: counted, not judged)", least=0.0
    )
    lost: Literal["headroom", "slack"] = setting(
        "headroom", "", "who makes up for lost generation: all units by headroom, or the slack alone", choices=LOST
    )
    restore: int = setting(100, "", "outages, those that lose most load, for which an open tie is sought", least=0)
    faults: Literal["max", "min", "none"] = setting(
        "max", "", "fault levels: largest or smallest currents of IEC 60909, or none", choices=FAULTS
    )
    enforce_q_lims: bool = setting(False, "", "hold units within their reactive limits")
    threads: int = setting(2, "", "threads of the batch", least=1)

    def __post_init__(self) -> None:
        check_study(self)
        if self.first and self.order == "n-1":
            raise SettingError("study contingency: first: goes with order n-1-1")

    def run(self, case: Case) -> Report:
        """Assess a case. Raises UnknownNameError for a branch that is not there, PowerFlowError without a base case."""
        from gridai.reports import Report
        from gridai.studies import contingency_tables as tables
        from gridai.studies.searching import Judge

        judge = Judge.of(case, self.profile, ("contingency",), 180.0)
        flow, found, unrated, scale = self.assess(case, judge)
        single = self.singles(flow, found, scale)
        restored = self.restored(flow, found, scale)
        levels, told = self.levels(case)
        result = tables.result_of(case, found, levels)
        return Report(
            title=f"{case.name}: {len(found.outages):,} outages, {self.order.upper()}",
            study=self,
            summary=tables.summary(case, found, flow, single, restored),
            verdicts=tables.verdicts(case, found, flow, judge, self.most_percent, self.most_lost_mw),
            limits=tuple(x for x in judge.limits if x.criterion == "steady_voltage"),
            result=result,
            figures=("contingencies",),
            tables={**tables.tables(case, found, flow, levels, single, restored), **redispatch_tables(case)},
            notes=(*tables.notes(self, found, unrated), *told, *phase_notes(case), *case.notes),
            provenance=provenance_of(case, result, judge.profile),
        )

    def assess(self, case: Case, judge: Any) -> tuple[Any, Any, int, Any]:
        """The network, what became of each outage, the number of branches without a rating, factors on loadings."""
        from gridai.grid.batch import BatchFlow
        from gridai.grid.headroom import loading_scales
        from gridai.grid.security import assess
        from gridai.studies.hosting import bands

        flow = BatchFlow(case.net, enforce_q_lims=self.enforce_q_lims)
        outages = self._outages(flow)
        low, high = bands(judge.limits, case)
        scale, unrated = loading_scales(flow, self.rating_mva)
        found = assess(flow, outages, low[1], high[1], self.most_percent, scale=scale, threads=self.threads,
                       lost=self.lost)  # fmt: skip
        return flow, found, unrated, scale

    def singles(self, flow: Any, found: Any, scale: Any) -> Any:
        """Of pairs: what becomes of each of their outages alone. None for single outages."""
        from gridai.grid.contingency import Outage
        from gridai.grid.security import assess

        if self.order == "n-1":
            return None
        alone = [Outage((x,)) for x in dict.fromkeys(x for o in found.outages for x in o.elements)]
        (low, high), most = found.band, self.most_percent
        return assess(flow, alone, low, high, most, scale=scale, threads=self.threads, lost=self.lost)

    def restored(self, flow: Any, found: Any, scale: Any) -> tuple[Any, int]:
        """The best tie for each outage that cuts load off, and the number of open ties."""
        from gridai.grid.restore import restore

        if not self.restore:
            return (), 0
        return restore(flow, found, self.restore, scale=scale, threads=self.threads, lost=self.lost)

    def _outages(self, flow: Any) -> list[Any]:
        from gridai.grid.contingency import BRANCHES, Outage, pairs_of, single_outages
        from gridai.grid.slack_out import slack_units

        tables = BRANCHES if self.what == "branches" else (*BRANCHES, "gen", "sgen")
        single = single_outages(flow, tables)
        if self.what != "branches":
            single += [Outage((unit,)) for unit in slack_units(flow)]
        if self.order == "n-1":
            return single
        chosen = [self._branch(flow, single, name.strip()) for name in self.first.split(",") if name.strip()]
        pairs = len(single) * (len(chosen) if chosen else len(single) / 2)
        if pairs > MOST_PAIRS:
            raise SettingError(f"{pairs:,.0f} pairs of outages; name those of interest with first")
        return pairs_of(single, chosen)

    def _branch(self, flow: Any, single: Any, name: str) -> Any:
        names = {str(flow.net[t].at[i, "name"]): o for o in single for t, i in o.elements}
        if name not in names:
            raise UnknownNameError(near(name, names, "branch"))
        return names[name]

    def levels(self, case: Case) -> tuple[Any, list[str]]:
        """Fault levels, None with the reason where the data do not give them."""
        from gridai.grid.shortcircuit import fault_levels

        if self.faults == "none":
            return None, []
        try:
            found = fault_levels(case.net, case.dynamics, self.faults)
        except CaseError as error:
            return None, [f"fault levels are not computed: {error}"]
        return found, list(found.notes)
