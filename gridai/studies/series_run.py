"""One run of the study `timeseries`: the blocks are solved, summed up, written and judged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.grid.series import LOADED, Block, blocks
from gridai.results import Limit, Verdict
from gridai.results.stream import Stream
from gridai.studies.common import placement_of
from gridai.studies.series_flicker import PstCourse, pst_course
from gridai.studies.series_setup import Setup, setup
from gridai.studies.series_sums import Sums
from gridai.studies.series_verdicts import limits_of, share_of, verdicts

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.criteria import Profile
    from gridai.studies.timeseries import Timeseries


@dataclass(frozen=True, eq=False)
class Done:
    """What a run found. pst is None where flicker was not asked for."""

    setup: Setup
    sums: Sums
    pst: PstCourse | None
    limits: tuple[Limit, ...]
    verdicts: tuple[Verdict, ...]


def play(study: Timeseries, case: Case, profile: Profile | None, tick: Callable[[int, int], None] | None) -> Done:
    """Solve every step of a study. Raises what Timeseries.run says."""
    out = Stream(study.keep) if study.keep else None
    made = setup(study, case)
    limits = limits_of(profile, study.flicker)
    flow, t_s = made.flow, made.play.t_s
    keys = {i: key for key, i in case.buses.items()}
    means = study.flicker or any(share_of(x) < 1.0 for x in limits)
    column = [flow.net.bus.index.get_loc(made.bus)] if made.bus is not None else []
    names = [str(name) for t in LOADED for name in flow.net[t]["name"]]
    sums = Sums(t_s, [keys[int(i)] for i in flow.net.bus.index], names, made.more_names, means, column)
    with out or nullcontext() as file:
        for block in blocks(flow, t_s, made.play.vary, threads=study.threads, switches=made.switches,
                            fleet=made.fleet, watch=made.watch):  # fmt: skip
            at = slice(block.k0, block.k0 + len(block.solved))
            courses = sums.add(block, made.play.cluster_mw(at.start, at.stop), made.more(block))
            if file is not None:
                file.write(_columns(made, sums, block, courses, study.detail))
            if tick is not None:
                tick(at.stop, len(t_s))
    pst = _flicker(study, case, made, sums, tick)
    base = flow.net.res_bus["vm_pu"].to_numpy(dtype=float)
    return Done(made, sums, pst, limits, verdicts(case, base, sums, limits, pst))


def _flicker(study: Timeseries, case: Case, made: Setup, sums: Sums, tick: Any) -> PstCourse | None:
    if not study.flicker:
        return None
    return pst_course(made.play, sums, case, placement_of(case, study.cluster), most=study.flicker_periods,
                      stated_mva=study.short_circuit_mva, xr=study.xr, tick=tick)  # fmt: skip


def _columns(made: Setup, sums: Sums, block: Block, courses: dict[str, Any], detail: bool) -> dict[str, Any]:
    """One block as columns of the file: time, whether solved and why not, the courses with their places."""
    buses = np.array([*sums.buses, ""])
    branches = np.array([*sums.branches, ""])
    good, k1 = block.solved, block.k0 + len(block.solved)
    reasons = np.full(len(good), "", dtype=object)
    for k, text in block.reasons.items():
        reasons[k - block.k0] = text
    out: dict[str, Any] = {"t_s": sums.t_s[block.k0 : k1], "solved": good.astype(int), "reason": reasons}
    out |= {name: courses[name] for name in sums.names}
    out["vm_min_bus"] = buses[np.where(good, courses["vm_min_at"], -1)]
    out["percent_max_branch"] = branches[np.where(good, courses["percent_max_at"], -1)]
    if made.switches is not None:
        for k, s in enumerate(made.switches.switches):
            out[f"{s.table}/{made.flow.net[s.table].at[s.index, 'name']}/position"] = block.positions[:, k]
    if detail:
        out |= {f"bus/{name}/vm_pu": block.vm_pu[:, k] for k, name in enumerate(sums.buses)}
        out |= {f"branch/{name}/percent": block.percent[:, k] for k, name in enumerate(sums.branches)}
        if block.stored is not None and made.fleet is not None:
            out |= {f"storage/{s.name}/p_mw": block.stored.p_mw[:, j] for j, s in enumerate(made.fleet.stores)}
    return out
