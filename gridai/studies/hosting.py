"""The study `hosting`: how large a cluster each bus takes, what stops a larger one, and what moves that cheapest.

    intact grid             voltages, loadings, and the voltage step when the whole cluster pauses
    after every outage      voltages and loadings: N-1 or N-1-1 of lines, transformers, impedances; units where asked
    loadability             so far beyond the size must the nose of the power flow lie, intact and after every outage
    strength                short-circuit power over the cluster's power, where the case has dynamic data
    generation              what the units have left of their turbines
    dynamic, where asked    frequency at a pause and return, recovery from a fault, damping of modes

All buses are searched side by side on the certified batched power flow. One cluster at one bus at a time.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import CaseError, Problems, SettingError, UnknownNameError, near
from gridai.studies.common import bus_of, check_fields, phase_notes, provenance_of, setting, usual_high_mw

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.batch import BatchFlow
    from gridai.grid.contingency import Outage
    from gridai.grid.sizing import Sized, Sizing
    from gridai.reports import Report
    from gridai.results import Limit
    from gridai.studies.hosting_caps import Cap

STEP_PU = 0.03
"""Voltage step where the profile states none: 3 %, the general limit of Great Britain and Ireland. [pu]"""
HIGH_MW, TOL_MW, TOL_SHARE = 3000.0, 1.0, 2e-4
BALANCES = ("headroom", "slack")
OUTAGES = ("branches", "n-1-1", "none")
MOST_PAIRS = 200_000


@dataclass(frozen=True)
class Hosting:
    """The largest cluster at every bus by ratings, voltages, step at a pause, N-1 or N-1-1, nose, strength, dynamics.

    For each bus: the size, what stops a larger one (criterion, element, outage), what would have to grow for more, and
    where costs are given the reinforcements that move it, by cost for each MW gained.
    """

    needs_cluster: ClassVar[bool] = False
    ticks: ClassVar[bool] = True

    buses: str = setting("", "", "buses parted by commas (default: every bus that is energised)")
    high_mw: float | None = setting(
        None, "MW", "upper end of the search (default: 3,000, on a feeder twice what can leave its source)", above=0.0
    )
    tol_mw: float | None = setting(
        None,
        "MW",
        "width of the bracket at the end (default: 1, where the upper end is below 3,000 its 5,000th)",
        above=0.0,
    )
    pf: float = setting(0.99, "", "power factor of the cluster at the meter, P over S, lagging", above=0.0)
    fed_by: Literal["headroom", "slack"] = setting(
        "headroom", "", "who feeds the cluster: all units by headroom, or the slack", choices=BALANCES
    )
    outages: Literal["branches", "n-1-1", "none"] = setting(
        "branches", "", "branches: each line, transformer and impedance out; n-1-1: each two of them as well; none",
        choices=OUTAGES,
    )  # fmt: skip
    units: bool = setting(False, "", "generating units go out as well; the others must have the power to take over")
    first: str = setting(
        "", "", "n-1-1: only pairs with one of these branches or units, parted by commas (default: every pair)"
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no voltages"
    )
    step_percent: float | None = setting(
        None, "%", "voltage step at a full pause (default: the profile's normal one, else 3 %)", above=0.0
    )
    outage_percent: float = setting(100.0, "%", "loading allowed after an outage", above=0.0)
    margin_percent: float | None = setting(
        None, "%", "how much further the cluster must be able to grow before there is no power flow, half of it after "
        "two outages; 0: not judged (default: the profile's)", least=0.0,
    )  # fmt: skip
    rating_mva: float | None = setting(
        None, "MVA", "rating of branches that state none, as in MATPOWER's cases (default: not judged)", above=0.0
    )
    lowest_scr: float = setting(3.0, "", "short-circuit ratio that is still strong (IEEE 1204); 0: not judged", least=0)
    worse_pu: float = setting(
        0.005, "pu", "how much further out a voltage may go that is outside without the cluster", least=0.0
    )
    worse_percent: float = setting(
        1.0, "%", "how much higher a loading may go that is above its limit without the cluster", least=0.0
    )
    enforce_q_lims: bool = setting(False, "", "hold units within their reactive limits")
    wanted_mw: float | None = setting(None, "MW", "size that every bus studied must take: a verdict", above=0.0)
    dynamic: bool = setting(
        False, "", "lower the sizes until pause and return, a fault at the bus and the modes pass the profile, too"
    )
    fault_s: float = setting(0.1, "s", "dynamic: how long the fault at the bus lasts", above=0.0)
    costs: str = setting(
        "", "", "price reinforcements: `default`, or a TOML file of unit costs; each is tried (default: none is)"
    )
    probes: int = setting(1, "", "sizes below each answer that are tried with every outage", least=0)
    growth_percent: float = setting(
        25.0, "%", "what must grow is listed for a cluster larger by this much; 0: not listed", least=0.0
    )
    threads: int = setting(2, "", "threads of the batch", least=1)

    def __post_init__(self) -> None:
        found = Problems("study hosting")
        check_fields(self, found)
        if not found and self.pf > 1.0:
            found.add("hosting", None, "pf", self.pf, "give a number above 0, at most 1")
        if not found and self.first.strip() and self.outages != "n-1-1":
            found.add("hosting", None, "first", self.first, "goes with outages = n-1-1")
        if not found and self.units and self.outages == "none":
            found.add("hosting", None, "units", self.units, "goes with outages = branches or n-1-1")
        found.raise_if_any(SettingError)

    def run(self, case: Case, tick: Callable[[int, int], None] | None = None) -> Report:
        """Search every bus of a case. tick(done, total) counts the buses of dynamic runs, then reinforcements.

        Raises PowerFlowError where the case has no power flow, UnknownNameError for a bus.
        """
        from gridai.reports import Report
        from gridai.studies import hosting_tables as tables
        from gridai.studies.hosting_answers import answers, margins, summary, verdicts
        from gridai.studies.hosting_costs import priced
        from gridai.studies.hosting_costs import table as cost_table
        from gridai.studies.hosting_dynamic import lowered
        from gridai.studies.searching import Judge

        tol_mw = self.bracket(case)[1]
        judge = Judge.of(case, self.profile, ("normal", "contingency"), 180.0)
        found, sizing, caps, notes = self.search(case, judge)
        lived, told = lowered(self, case, sizing, found, tick)
        tried, costs_told = priced(self, case, sizing, found, caps, tol_mw, tick)
        prices = {"costs": cost_table(tried, self.costs, tol_mw)} if tried else {}
        keys = self.names(case)
        given = answers(found, caps, lived, sizing, keys)
        result = tables.result_of(case, given, sizing.flow.net)
        return Report(
            title=f"{case.name}: the largest cluster at each of {len(found)} buses, {self.in_words}",
            study=self,
            summary=summary(self, given, sizing, tried, tol_mw),
            verdicts=verdicts(self, given, sizing, judge, lived),
            limits=self.limits(judge),
            result=result,
            figures=("hosting_map",),
            tables=tables.tables(given, found, sizing, self.growth_percent, margins(given, sizing), prices, tol_mw),
            notes=(*notes, *told, *costs_told, *phase_notes(case), *case.notes),
            provenance=provenance_of(case, result, judge.profile),
        )

    @property
    def in_words(self) -> str:
        """Which outages are judged."""
        what = {"branches": "N-1", "n-1-1": "N-1-1", "none": "intact grid"}[self.outages]
        return what + (" with units" if self.units else "") + (" and dynamics" if self.dynamic else "")

    def search(self, case: Case, judge: Any = None) -> tuple[list[Sized], Sizing, list[Cap], list[str]]:
        """The size of each bus, the search, what caps each bus, and what the reader has to know."""
        import numpy as np

        from gridai.grid.batch import BatchFlow
        from gridai.grid.headroom import headroom, loading_scales
        from gridai.grid.hosting import host
        from gridai.grid.sizing import Limits, Sizing
        from gridai.studies.hosting_caps import caps_of, notes_of
        from gridai.studies.searching import Judge

        judge = judge or Judge.of(case, self.profile, ("normal", "contingency"), 180.0)
        flow = BatchFlow(case.net, enforce_q_lims=self.enforce_q_lims)
        keys = self.names(case, flow)
        share, room_mw = headroom(flow)
        scale, unrated = loading_scales(flow, self.rating_mva)
        low, high = bands(judge.limits, case)
        margin = self.margin(judge)
        limits = Limits(low, high, (_loading(judge), self.outage_percent), self.steps(judge.limits, case),
                        self.worse_pu, self.worse_percent, scale, (margin, margin, 0.5 * margin))  # fmt: skip
        sizing = Sizing(
            flow, limits, outages=self.outages_of(flow), q_per_p=math.tan(math.acos(self.pf)),
            share=share if self.fed_by == "headroom" else None, threads=self.threads,
        )  # fmt: skip
        high_mw, tol_mw = self.bracket(case)
        caps, told = caps_of(self, case, sizing, keys, room_mw, high_mw)
        found = host(sizing, list(keys), np.array([c.mw for c in caps]), tol_mw, probes=self.probes,
                     growth=self.growth_percent / 100.0)  # fmt: skip
        return found, sizing, caps, [*notes_of(self, sizing, unrated), *told]

    def bracket(self, case: Case) -> tuple[float, float]:
        """Upper end of the search and width at its end; by the source of a feeder where not given. [MW]"""
        high = self.high_mw or usual_high_mw(case, HIGH_MW)
        return high, self.tol_mw or (TOL_MW if high >= HIGH_MW else TOL_SHARE * high)

    def outages_of(self, flow: BatchFlow) -> list[Outage]:
        """What may go out together: single outages, then pairs. Raises UnknownNameError for `first`."""
        from gridai.grid.contingency import BRANCHES, double_outages, single_outages

        if self.outages == "none":
            return []
        tables = (*BRANCHES, "gen", "sgen") if self.units else BRANCHES
        single = single_outages(flow, tables)
        if self.outages == "branches":
            return single
        named = {str(flow.net[t].at[i, "name"]): o for o in single for t, i in o.elements}
        asked = [name.strip() for name in self.first.split(",") if name.strip()]
        for name in asked:
            if name not in named:
                raise UnknownNameError(near(name, named, "branch or unit"))
        pairs = len(single) * (len(asked) if asked else len(single) / 2)
        if pairs > MOST_PAIRS:
            raise SettingError(f"{pairs:,.0f} pairs of outages are too many; name those of interest with first")
        return [*single, *double_outages(flow, tables, [named[name] for name in asked])]

    def margin(self, judge: Any) -> float:
        """Part of the size that the cluster must be able to grow by: the field's, else the profile's; 0: not judged."""
        if self.margin_percent is not None:
            return self.margin_percent / 100.0
        planning = () if judge.profile is None else judge.profile.of("planning")
        return max((x.low for x in planning if x.criterion == "loadability_margin" and x.low), default=0.0) / 100.0

    def names(self, case: Case, flow: BatchFlow | None = None) -> dict[int, str]:
        """pandapower index and key of the buses studied. Raises CaseError for a named bus that has no supply."""
        live = None if flow is None else flow.matrices.node_of_bus
        if not self.buses.strip():
            return {i: key for key, i in case.buses.items() if live is None or i in live}
        out = {}
        for word in self.buses.split(","):
            key = bus_of(case, word.strip())
            index = case.buses[key]
            if live is not None and index not in live:
                raise CaseError(f"{case.describe_bus(key)} is out of service or not connected to a slack: a cluster "
                                "there has no supply; choose a bus that is energised")  # fmt: skip
            out[index] = key
        return out

    def limits(self, judge: Any) -> tuple[Limit, ...]:
        """The limits of the profile that are used."""
        planning = () if judge.profile is None else judge.profile.of("planning")
        some = [x for x in judge.limits if x.criterion in ("steady_voltage", "voltage_step")]
        return (*some, *(x for x in planning if x.criterion in ("thermal_loading", "loadability_margin")))

    def steps(self, limits: Sequence[Limit], case: Case) -> Any:
        """Voltage step allowed at each bus at a full pause, float[buses] in the order of net.bus. [pu]"""
        import numpy as np

        kv = case.net.bus["vn_kv"].to_numpy(dtype=float)
        if self.step_percent is not None:
            return np.full(len(kv), self.step_percent / 100.0)
        out = np.full(len(kv), np.inf)
        for x in limits:
            if x.criterion == "voltage_step" and x.condition != "contingency" and x.high:
                own = within_kv(x, kv)
                out[own] = np.minimum(out[own], x.high)
        out[np.isinf(out)] = STEP_PU
        return out


def bands(limits: Sequence[Limit], case: Case) -> tuple[Any, Any]:
    """Voltage band of each bus, intact and after an outage, float[2, buses] in the order of net.bus. [pu]"""
    import numpy as np

    kv = case.net.bus["vn_kv"].to_numpy(dtype=float)
    low, high = np.full((2, len(kv)), -np.inf), np.full((2, len(kv)), np.inf)
    for row, condition in enumerate(("normal", "contingency")):
        for x in limits:
            if x.criterion != "steady_voltage" or x.condition not in ("any", condition):
                continue
            own = within_kv(x, kv)
            low[row, own] = np.maximum(low[row, own], -np.inf if x.low is None else x.low)
            high[row, own] = np.minimum(high[row, own], np.inf if x.high is None else x.high)
    return low, high


def within_kv(limit: Limit, kv: Any) -> Any:
    """Where a limit holds by the nominal voltages [kV], bool[buses]."""
    return (kv >= float(limit.settings.get("kv_min", 0.0))) & (kv < float(limit.settings.get("kv_max", math.inf)))


def _loading(judge: Any) -> float:
    """Loading of the intact grid: the profile's, else 100 %."""
    planning = () if judge.profile is None else judge.profile.of("planning")
    return min((x.high for x in planning if x.criterion == "thermal_loading" and x.high), default=100.0)
