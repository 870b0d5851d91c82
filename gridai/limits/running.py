"""Run what the limits of a file ask for: each distinct run once, keeping only the figures that are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import GridaiError
from gridai.limits import metrics
from gridai.limits.read import make_cluster
from gridai.limits.records import Block, Entry, LimitsFile
from gridai.limits.studies import CONDITIONS

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.reports import Measure, Report
    from gridai.results import Verdict


@dataclass(frozen=True)
class Job:
    """One distinct run, and the figures wanted from it.

    cluster   options of the cluster as sorted pairs.
    profiles  criteria profiles that judge the run; "": the study's own.
    series    metrics of single time series.
    """

    case: Path
    cluster: tuple[tuple[str, Any], ...]
    name: str
    study: Any
    profiles: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The figures of one run; plain data, so that it crosses a process border.

    measures  by metric.
    verdicts  by the profile as the file names it; "" for the profile of the run.
    faults    why a profile or a series could not be had, by its name.
    error     why the run failed; then there is nothing else.
    exit_status  of the error: 2 bad input, 3 no convergence.
    """

    measures: Mapping[str, Measure] = field(default_factory=dict)
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    exit_status: int = 0


def job_key(limits: LimitsFile, block: Block, profile: str = "") -> Job:
    """The run an entry of this study needs, without its wants. A profile that changes the run makes another one."""
    study = block.study
    if profile and block.run not in CONDITIONS and "profile" in type(study).__dataclass_fields__:
        study = replace(study, profile=profile)
    return Job(limits.case, tuple(sorted(block.cluster.items())), block.run, study)


def jobs_of(limits: LimitsFile) -> dict[tuple[str, str], Job]:
    """The run of each entry, by (name of the study, name of the entry); equal runs are one and carry all wants."""
    keys = {(b.name, e.name): job_key(limits, b, e.profile) for b, e in limits.entries}
    wants: dict[Job, tuple[list[str], list[str]]] = {}
    for block, entry in limits.entries:
        profiles, series = wants.setdefault(keys[block.name, entry.name], ([], []))
        if entry.kind == "limit" and entry.profile not in profiles:
            profiles.append(entry.profile)
        if metrics.is_series(entry.metric) and entry.metric not in series:
            series.append(entry.metric)
    full = {key: replace(key, profiles=tuple(p), series=tuple(s)) for key, (p, s) in wants.items()}
    return {name: full[key] for name, key in keys.items()}


class Runner:
    """Runs jobs and remembers what they found; reads each case once. One for a check, one for a pytest session."""

    def __init__(self) -> None:
        self._cases: dict[Path, Case] = {}
        self._found: dict[Job, Found] = {}

    def find(self, job: Job) -> Found:
        """The figures of a job; a run that fails is remembered with its error."""
        if job not in self._found:
            self._found[job] = self._run(job)
        return self._found[job]

    def entry(self, limits: LimitsFile, block: Block, entry: Entry) -> Found:
        """The figures of the run that an entry needs."""
        return self.find(jobs_of(limits)[block.name, entry.name])

    def _run(self, job: Job) -> Found:
        try:
            case = self._case(job)
            report = job.study.run(case)
        except GridaiError as error:
            return Found(error=str(error), exit_status=error.exit_status)
        return _collected(job, case, report)

    def _case(self, job: Job) -> Case:
        from gridai.case import load_case
        from gridai.studies.common import bus_of

        if job.case not in self._cases:
            self._cases[job.case] = load_case(job.case)
        case = self._cases[job.case]
        if not job.cluster:
            return case
        options = dict(job.cluster)
        return case.with_cluster(
            make_cluster(options), bus_of(case, options["bus"]), options.get("balance", "headroom"), options.get("name")
        )


def _collected(job: Job, case: Case, report: Report) -> Found:
    """Measures, verdicts of every profile wanted, and what could not be had."""
    measures, faults = metrics.all_measures(report), {}
    for metric in job.series:
        try:
            measures[metric] = metrics.series_measure(report, metric)
        except GridaiError as error:
            faults[metric] = str(error)
    verdicts = {"": report.verdicts}
    for profile in job.profiles:
        try:
            verdicts[profile] = _judged(job, case, report, profile)
        except GridaiError as error:
            faults[profile] = str(error)
    return Found(measures, verdicts, faults)


def _judged(job: Job, case: Case, report: Report, profile: str) -> tuple[Verdict, ...]:
    """The verdicts of one profile on the run; those of the report where the run was made with it."""
    from gridai import criteria

    if not profile or job.name not in CONDITIONS:
        return report.verdicts
    return criteria.check(report.result, criteria.load_profile(profile, case.f_hz), CONDITIONS[job.name])
