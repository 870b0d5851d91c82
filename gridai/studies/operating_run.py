"""The run of a study of operating modes: what the modes are, batches of them, the file of finished ones."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import SettingError
from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Contingencies, Outage, single_outages
from gridai.grid.headroom import loading_scales
from gridai.grid.operating import FLOWS, RULES, Dispatch, Modes, Outcomes, judge
from gridai.grid.sizing import Limits, Sizing
from gridai.studies.hosting import bands
from gridai.studies.operating_modes import MOST_MODES, OperatingModes
from gridai.studies.searching import Judge

if TYPE_CHECKING:
    from gridai.case import Case

COLUMNS = ("mode", "kind", "room", "state", "element", "value", "limit")


@dataclass(frozen=True, eq=False)
class Done:
    """Modes with their outcomes, and what the numbers in them stand for."""

    modes: Modes
    outcomes: Outcomes
    seasons: tuple[str, ...]
    season: Any
    planned: tuple[Outage, ...]
    sizing: Sizing
    dispatch: Dispatch
    profile: Any
    unrated: int
    resumed: int
    each: int


@dataclass(frozen=True, eq=False)
class Plan:
    """What is judged: modes, and for each planned outage (0: none) the numbers of the states they are tried in."""

    modes: Modes
    seasons: tuple[str, ...]
    season: Any
    planned: tuple[Outage, ...]
    sizing: Sizing
    dispatch: Dispatch
    states: list[Any]
    profile: Any
    unrated: int

    def done(self, outcomes: Outcomes, resumed: int) -> Done:
        """With the outcomes."""
        return Done(self.modes, outcomes, self.seasons, self.season, self.planned, self.sizing, self.dispatch,
                    self.profile, self.unrated, resumed, max(len(s) for s in self.states))  # fmt: skip


def plan(study: OperatingModes, case: Case) -> Plan:
    """The network, its limits and outages, and the modes; the case as it stands is solved."""
    judged = Judge.of(case, study.profile, ("normal", "contingency"), 180.0)
    flow = BatchFlow(case.net)
    scale, unrated = loading_scales(flow, study.rating_mva)
    low, high = bands(judged.limits, case)
    limits = Limits(low, high, (100.0, study.outage_percent), worse_voltage=study.worse_pu,
                    worse_loading=study.worse_percent, scale=scale)  # fmt: skip
    planned = _planned(study, flow)
    outages, states = _states(study, flow, planned)
    sizing = Sizing(flow, limits, outages=outages, threads=study.threads, planned=len(planned), slack=True)
    states = [s[np.isin(s, [0, *sizing.judged])] for s in states]
    names = {str(n): int(i) for i, n in flow.net.load["name"].items()}
    dispatch = Dispatch(flow, [names[p.name] for p in case.placements])
    seasons, season, modes = _modes(study, len(planned))
    return Plan(modes, seasons, season, planned, sizing, dispatch, states, judged.profile, unrated)


def play(study: OperatingModes, case: Case, tick: Callable[[int, int], None] | None) -> Done:
    """Judge every mode that is not in the file yet."""
    todo_of = plan(study, case)
    modes, states = todo_of.modes, todo_of.states
    file = _File(study, case, len(modes))
    outcomes = file.read()
    todo = np.flatnonzero(outcomes.kind < 0)
    resumed = len(modes) - len(todo)
    each = max(1, FLOWS // max(len(s) for s in states))
    for k in range(0, len(todo), each):
        at = todo[k : k + each]
        file.add(at, outcomes, judge(todo_of.sizing, todo_of.dispatch, modes.part(at), states))
        if tick is not None:
            tick(resumed + k + len(at), len(modes))
    return todo_of.done(outcomes, resumed)


def _planned(study: OperatingModes, flow: BatchFlow) -> tuple[Outage, ...]:
    """Branches that may be out by plan: those that cut nothing off."""
    if study.planned == "none":
        return ()
    single = single_outages(flow)
    parting = Contingencies(flow).prepare(single).islands
    return tuple(o for k, o in enumerate(single) if k not in parting)


def _states(study: OperatingModes, flow: BatchFlow, planned: tuple[Outage, ...]) -> tuple[list[Outage], list[Any]]:
    """All outages, and for each planned one (0: none) the numbers of the states it is tried in."""
    outages = list(planned)
    states = [[k] for k in range(len(planned) + 1)]
    if study.contingencies == "branches":
        for k, first in enumerate((None, *planned)):
            for second in single_outages(flow):
                if first == second:
                    continue
                outages.append(second if first is None else Outage(first.elements + second.elements))
                states[k].append(len(outages))
    return outages, [np.array(s, dtype=np.int64) for s in states]


def _modes(study: OperatingModes, planned: int) -> tuple[tuple[str, ...], Any, Modes]:
    levels, rules = study.levels(), study.rules()
    axes = (range(len(levels)), [RULES.index(r) for r in rules], study.renewables, study.clusters, range(planned + 1))
    count = int(np.prod([len(a) for a in axes]))
    if count > MOST_MODES:
        raise SettingError(f"{count:,} modes; {MOST_MODES:,} at most: give fewer levels")
    table = np.array(list(product(*axes)), dtype=float)
    season = table[:, 0].astype(np.int64)
    load = np.array(list(levels.values()))[season]
    whole = table[:, [1, 4]].astype(np.int64)
    return tuple(levels), season, Modes(load, table[:, 2], table[:, 3], whole[:, 0], whole[:, 1])


class _File:
    """The CSV of finished modes: a first line that says which run it is of, a header, a row a mode."""

    def __init__(self, study: OperatingModes, case: Case, count: int) -> None:
        self.path = Path(study.keep) if study.keep else None
        self.count = count
        own = asdict(replace(study, keep="", threads=1, allowed_percent=0.0, explain=None))
        tables = [case.net[t].to_csv() for t in ("bus", "load", "gen", "ext_grid", "sgen", "line", "trafo", "shunt")]
        self.mark = "# operating modes " + hashlib.sha256(repr((own, tables)).encode()).hexdigest()[:16]

    def read(self) -> Outcomes:
        """What is finished; kind -1 where a mode is not. Raises SettingError for the file of another run."""
        out = Outcomes(
            np.full(self.count, -1, dtype=np.int64), np.full(self.count, np.nan), np.zeros(self.count, dtype=np.int64),
            np.zeros(self.count, dtype=np.int64), np.zeros(self.count), np.zeros(self.count),
        )  # fmt: skip
        if self.path is None:
            return out
        if not self.path.is_file():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(f"{self.mark}\n{','.join(COLUMNS)}\n", encoding="utf-8")
            return out
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        lines = whole.splitlines()
        if not lines or lines[0] != self.mark:
            raise SettingError(f"{self.path}: this file is not of this study and case: name another file, or remove it")
        if whole != text:
            self.path.write_text(whole, encoding="utf-8")
        for row in csv.reader(lines[2:]):
            k = int(row[0])
            out.kind[k], out.room[k], out.state[k] = int(row[1]), float(row[2]), int(row[3])
            out.element[k], out.value[k], out.limit[k] = int(row[4]), float(row[5]), float(row[6])
        return out

    def add(self, at: Any, out: Outcomes, found: Outcomes) -> None:
        """Put finished modes into the outcomes and the file."""
        for name in COLUMNS[1:]:
            getattr(out, name)[at] = getattr(found, name)
        if self.path is None:
            return
        rows = zip(at.tolist(), *(getattr(found, name).tolist() for name in COLUMNS[1:]), strict=True)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write("".join(",".join(map(repr, row)) + "\n" for row in rows))
