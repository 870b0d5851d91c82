"""The study `hosting`: how large a cluster each bus takes, what stops a larger one, and what would have to grow.

    intact grid             voltages, loadings, and the voltage step when the whole cluster pauses
    after every outage      voltages and loadings (N-1 of lines, transformers, impedances)
    strength                short-circuit power over the cluster's power, where the case has dynamic data
    generation              what the units have left of their turbines

All buses are searched side by side on the certified batched power flow. One cluster at one bus at a time.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import CaseError, GridaiError, Problems, SettingError
from gridai.studies.common import bus_of, check_fields, provenance_of, setting, usual_high_mw

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.grid.batch import BatchFlow
    from gridai.grid.sizing import Sized, Sizing
    from gridai.reports import Report
    from gridai.results import Limit

STEP_PU = 0.03
"""Voltage step where the profile states none: 3 %, the general limit of Great Britain and Ireland. [pu]"""
HIGH_MW, TOL_MW, TOL_SHARE = 3000.0, 1.0, 2e-4
BALANCES = ("headroom", "slack")
OUTAGES = ("branches", "none")
CAPS = {"headroom": "headroom", "strength": "short-circuit ratio", "bracket": "upper end"}


@dataclass(frozen=True)
class Cap:
    """An upper end that needs no power flow: which of CAPS, the size, and value and limit of what it stands for."""

    kind: str
    mw: float
    value: float
    limit: float
    unit: str


@dataclass(frozen=True)
class Hosting:
    """The largest cluster at every bus: loadings, voltages, voltage step at a full pause, N-1, short-circuit strength.

    For each bus: the size, what stops a larger one (criterion, element, outage), and what would have to grow for more.
    """

    needs_cluster: ClassVar[bool] = False

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
    outages: Literal["branches", "none"] = setting(
        "branches", "", "N-1 of lines, transformers and impedances, or the intact grid alone", choices=OUTAGES
    )
    profile: str = setting(
        "default", "", "criteria profile, or a TOML file; default: the case's, else by frequency; none: no voltages"
    )
    step_percent: float | None = setting(
        None, "%", "voltage step at a full pause (default: the profile's normal one, else 3 %)", above=0.0
    )
    outage_percent: float = setting(100.0, "%", "loading allowed after an outage", above=0.0)
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
        found.raise_if_any(SettingError)

    def run(self, case: Case) -> Report:
        """Search every bus of a case. Raises PowerFlowError where it has no power flow, UnknownNameError for a bus."""
        from gridai.reports import Report
        from gridai.studies import hosting_tables as tables
        from gridai.studies.searching import Judge

        judge = Judge.of(case, self.profile, ("normal", "contingency"), 180.0)
        found, sizing, caps, notes = self.search(case, judge)
        result = tables.result_of(case, found, caps, self.names(case), sizing.flow.net)
        return Report(
            title=f"{case.name}: the largest cluster at each of {len(found)} buses"
            + (", N-1" if self.outages != "none" else ", intact grid"),
            study=self,
            summary=tables.summary(case, found, sizing),
            verdicts=(),
            limits=self.limits(judge),
            result=result,
            figures=("hosting_map",),
            tables=tables.tables(case, found, caps, sizing, self.growth_percent, self.bracket(case)[1]),
            notes=(*notes, *case.notes),
            provenance=provenance_of(case, result, judge.profile),
        )

    def search(self, case: Case, judge: Any = None) -> tuple[list[Sized], Sizing, list[Cap], list[str]]:
        """The size of each bus, the search, what caps each bus, and what the reader has to know."""
        import numpy as np

        from gridai.grid.batch import BatchFlow
        from gridai.grid.headroom import headroom, loading_scales
        from gridai.grid.hosting import host
        from gridai.grid.sizing import Limits, Sizing
        from gridai.studies.searching import Judge

        judge = judge or Judge.of(case, self.profile, ("normal", "contingency"), 180.0)
        flow = BatchFlow(case.net, enforce_q_lims=self.enforce_q_lims)
        keys = self.names(case, flow)
        share, room_mw = headroom(flow)
        scale, unrated = loading_scales(flow, self.rating_mva)
        low, high = bands(judge.limits, case)
        limits = Limits(low, high, (_loading(judge), self.outage_percent), self._step(judge.limits),
                        self.worse_pu, self.worse_percent, scale)  # fmt: skip
        sizing = Sizing(
            flow, limits, outages=() if self.outages == "none" else None,
            q_per_p=math.tan(math.acos(self.pf)), share=share if self.fed_by == "headroom" else None,
            threads=self.threads,
        )  # fmt: skip
        strength, told = self._strength(case, list(keys.values()))
        high_mw, tol_mw = self.bracket(case)
        caps = self._caps(list(keys.values()), room_mw, strength, high_mw)
        found = host(sizing, list(keys), np.array([c.mw for c in caps]), tol_mw, probes=self.probes,
                     growth=self.growth_percent / 100.0)  # fmt: skip
        return found, sizing, caps, [*_notes(self, sizing, unrated, limits.step), *told]

    def bracket(self, case: Case) -> tuple[float, float]:
        """Upper end of the search and width at its end; by the source of a feeder where not given. [MW]"""
        high = self.high_mw or usual_high_mw(case, HIGH_MW)
        return high, self.tol_mw or (TOL_MW if high >= HIGH_MW else TOL_SHARE * high)

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
        return (*some, *(x for x in planning if x.criterion == "thermal_loading"))

    def _step(self, limits: Sequence[Limit]) -> float:
        if self.step_percent is not None:
            return self.step_percent / 100.0
        stated = [x.high for x in limits if x.criterion == "voltage_step" and x.condition != "contingency" and x.high]
        return min(stated, default=STEP_PU)

    def _caps(self, buses: Sequence[str], room_mw: float, strength: dict[str, float], high_mw: float) -> list[Cap]:
        out = []
        for bus in buses:
            some = [Cap("bracket", high_mw, high_mw, high_mw, "MW")]
            if self.fed_by == "headroom":
                some.append(Cap("headroom", room_mw, room_mw, room_mw, "MW"))
            if bus in strength:
                some.append(Cap("strength", strength[bus] / self.lowest_scr, self.lowest_scr, self.lowest_scr, "1"))
            out.append(min(some, key=lambda cap: cap.mw))
        return out

    def _strength(self, case: Case, buses: Sequence[str]) -> tuple[dict[str, float], list[str]]:
        """Short-circuit power of the buses by the dynamic models [MVA]; empty, and why, where they do not give it."""
        if self.lowest_scr == 0.0:
            return {}, []
        if not case.dynamics:
            return {}, ["short-circuit strength is not judged: the case has no dynamic data"]
        from gridai import engine
        from gridai.engine.events import thevenin

        try:
            system = engine.compile_system(case)
        except GridaiError as error:
            return {}, [f"short-circuit strength is not judged: {error}"]
        run = engine.Run(system)
        base = system.network.s_base_mva
        found = {bus: base / abs(thevenin(run, system.node(bus))) for bus in buses}
        return found, ["short-circuit power: S_base / |z|, z the Thevenin impedance of machines behind subtransient "
                       "reactances with constant-impedance loads in place, without the cluster"]  # fmt: skip


def bands(limits: Sequence[Limit], case: Case) -> tuple[Any, Any]:
    """Voltage band of each bus, intact and after an outage, float[2, buses] in the order of net.bus. [pu]"""
    import numpy as np

    kv = case.net.bus["vn_kv"].to_numpy(dtype=float)
    low, high = np.full((2, len(kv)), -np.inf), np.full((2, len(kv)), np.inf)
    for row, condition in enumerate(("normal", "contingency")):
        for x in limits:
            if x.criterion != "steady_voltage" or x.condition not in ("any", condition):
                continue
            own = (kv >= float(x.settings.get("kv_min", 0.0))) & (kv < float(x.settings.get("kv_max", math.inf)))
            low[row, own] = np.maximum(low[row, own], -np.inf if x.low is None else x.low)
            high[row, own] = np.minimum(high[row, own], np.inf if x.high is None else x.high)
    return low, high


def _loading(judge: Any) -> float:
    """Loading of the intact grid: the profile's, else 100 %."""
    planning = () if judge.profile is None else judge.profile.of("planning")
    return min((x.high for x in planning if x.criterion == "thermal_loading" and x.high), default=100.0)


def _notes(study: Hosting, sizing: Sizing, unrated: int, step: float) -> list[str]:
    worse = sizing.limits
    notes = [
        f"one cluster at one bus at a time, power factor {study.pf:g}, fed by {study.fed_by}; voltage step "
        f"{100 * step:g} % at any bus of the intact grid when the whole cluster goes, dispatch and taps as they were",
        f"what is outside its limit without the cluster ({sizing.outside} voltages and loadings, all outages counted) "
        f"may get worse by {worse.worse_voltage:g} pu or {worse.worse_loading:g} %",
        "a size is the largest of its bracket that passes; what must grow is what fails for a larger cluster, the "
        "worst of each element: ratings and volts, not prices, which gridai does not know",
    ]
    cut = [k for k, dead in enumerate(sizing.dead_buses) if dead]
    if cut:
        buses = {b for k in cut for b in sizing.dead_buses[k]}
        notes.append(f"{len(cut)} outages cut {len(buses)} buses off, with the cluster if it stands there: the rest of "
                     "the grid is judged")  # fmt: skip
    if len(sizing.without_solution):
        notes.append(f"{len(sizing.without_solution)} outages have no solution without the cluster and are left out")
    if unrated and study.rating_mva is None:
        notes.append(f"{unrated} branches state no rating (9,000 MVA or more), so their loading never stops a cluster; "
                     "give rating_mva to judge it")  # fmt: skip
    elif unrated:
        notes.append(f"{unrated} branches state no rating; {study.rating_mva:g} MVA is taken for each")
    return notes
