"""The study `timeseries`: a cluster and the grid around it over a day or a year, one certified power flow a step.

    profiles (CSV) ---> loads, units, cluster ---> blocks of the batch ---> sums, duration curves, file as they come
    units in service follow the load by their dispatch, or the slack takes it all

A step without a solution is marked with the reason and counted; the next one is unharmed.
Importing this file loads the standard library only; the command line makes its options from the fields below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gridai.errors import Problems, SettingError
from gridai.studies.common import check_fields, provenance_of, redispatch_tables, setting

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Report

COURSES = ("constant", "demand")
GAPS = ("refuse", "bridge", "mark")
FOLLOWERS = ("units", "slack")
DAY_S, MINUTE_S = 86_400.0, 60.0
MOST_STEPS = 40_000_000


@dataclass(frozen=True)
class Timeseries:
    """A day, a year or a second of power flows: losses, energy, duration curves of voltage and loading, tap moves.

    Profiles of loads, units and the cluster come from CSV files, units in the columns' names (load/7/p_mw,
    sgen/PV/p_kw, load/*/factor, cluster/*/p_mw). Steps without a solution are marked with the reason and counted.
    """

    needs_cluster: ClassVar[bool] = False
    ticks: ClassVar[bool] = True

    profiles: str = setting("", "", "CSV files of profiles, or names of the case's own (day), parted by commas; "
                            "none: everything but the cluster stands")  # fmt: skip
    until_s: float | None = setting(None, "s", "end (default: that of the profiles, else a day)", above=0.0)
    step_s: float | None = setting(None, "s", "step (default: the rows of the profiles, else 60 s)", above=0.0)
    course: Literal["constant", "demand"] = setting(
        "constant", "", "clusters without a column: constant, or the demand of their workload", choices=COURSES
    )
    gaps: Literal["refuse", "bridge", "mark"] = setting(
        "refuse", "", "missing rows and cells: refused, a straight line, or steps without data", choices=GAPS
    )
    followed_by: Literal["units", "slack"] = setting(
        "units", "", "who follows the load: all units in proportion to their dispatch, or the slack", choices=FOLLOWERS
    )
    taps: bool = setting(False, "", "tap changers hold the voltage at their low-voltage side")
    tap_vm_pu: float | None = setting(None, "pu", "voltage they aim at (default: that of the case)", above=0.0)
    deadband_pu: float = setting(0.0125, "pu", "they act where the voltage is further off", above=0.0)
    delay_s: float = setting(30.0, "s", "so long must it be off before a tap moves, and between two moves", least=0.0)
    enforce_q_lims: bool = setting(False, "", "hold units within their reactive limits")
    check_units: bool = setting(True, "", "refuse profiles that look a thousand times too large or small")
    keep: str = setting("", "", "write every step to this .csv or .parquet file as it is solved")
    detail: bool = setting(False, "", "write every bus voltage and branch loading there too")
    seed: int = setting(0, "", "seed of the clusters' demand", least=0)
    threads: int = setting(2, "", "threads of the batch", least=1)

    def __post_init__(self) -> None:
        found = Problems("study timeseries")
        check_fields(self, found)
        if not found and self.detail and not self.keep:
            found.add("timeseries", None, "keep", self.keep, "name the file that detail is written to")
        if not found and self.step_s is not None and self.until_s is not None and self.step_s > self.until_s:
            found.add("timeseries", None, "step_s", self.step_s, f"give a step up to until_s = {self.until_s:g} s")
        found.raise_if_any(SettingError)

    def run(self, case: Case, tick: Callable[[int, int], None] | None = None) -> Report:
        """Solve every step; tick(done, total) is called as steps are solved.

        Raises CaseError for faults of the profiles, PowerFlowError where the case as it stands has no power flow.
        """
        from gridai.reports import Report
        from gridai.studies import series_tables as tables

        play, sums, taps = self.sums(case, tick)
        result = tables.result_of(case, sums)
        return Report(
            title=f"{case.name}: {len(sums.t_s):,} power flows over {tables.span(sums)}",
            study=self,
            summary=tables.summary(sums, taps),
            verdicts=(),
            limits=(),
            result=result,
            figures=("course",),
            tables={**tables.tables(sums, taps), **redispatch_tables(case)},
            notes=(*play.notes, *tables.notes(self, sums), *case.notes),
            provenance=provenance_of(case, result),
        )

    def sums(self, case: Case, tick: Callable[[int, int], None] | None = None) -> tuple[Any, Any, Any]:
        """What varies, the sums over all steps, and the tap changers (None without)."""
        from contextlib import nullcontext

        from gridai.grid.batch import BatchFlow
        from gridai.grid.series import blocks, tap_changers
        from gridai.results.stream import Stream
        from gridai.studies.series_play import play_of
        from gridai.studies.series_sums import Sums
        from gridai.studies.series_tables import branch_names

        out = Stream(self.keep) if self.keep else None
        flow = BatchFlow(case.net, enforce_q_lims=self.enforce_q_lims)
        play = play_of(self, case, flow)
        taps = tap_changers(flow, self.deadband_pu, self.delay_s, self.tap_vm_pu) if self.taps else None
        keys = {i: key for key, i in case.buses.items()}
        sums = Sums(play.t_s, [keys[int(i)] for i in flow.net.bus.index], branch_names(flow.net))
        with out or nullcontext() as file:
            for block in blocks(flow, play.t_s, play.vary, threads=self.threads, taps=taps):
                at = slice(block.k0, block.k0 + len(block.solved))
                courses = sums.add(block, play.cluster_mw(at.start, at.stop))
                if file is not None:
                    file.write(_columns(sums, block, courses, play.t_s[at], self.detail))
                if tick is not None:
                    tick(at.stop, len(play.t_s))
        return play, sums, taps


def _columns(sums: Any, block: Any, courses: dict[str, Any], t_s: Any, detail: bool) -> dict[str, Any]:
    """One block as columns of the file: time, whether solved and why not, the courses with their places."""
    import numpy as np

    buses = np.array([*sums.buses, ""])
    branches = np.array([*sums.branches, ""])
    reasons = np.full(len(t_s), "", dtype=object)
    for k, text in block.reasons.items():
        reasons[k - block.k0] = text
    good = block.solved
    out: dict[str, Any] = {"t_s": t_s, "solved": good.astype(int), "reason": reasons}
    for name in ("cluster_mw", "losses_mw", "slack_mw", "vm_min_pu", "vm_max_pu", "percent_max"):
        out[name] = courses[name]
    out["vm_min_bus"] = buses[np.where(good, courses["vm_min_at"], -1)]
    out["percent_max_branch"] = branches[np.where(good, courses["percent_max_at"], -1)]
    if detail:
        out |= {f"bus/{name}/vm_pu": block.vm_pu[:, k] for k, name in enumerate(sums.buses)}
        out |= {f"branch/{name}/percent": block.percent[:, k] for k, name in enumerate(sums.branches)}
        out |= {f"tap/{k}/position": block.taps[:, k] for k in range(block.taps.shape[1])}
    return out
