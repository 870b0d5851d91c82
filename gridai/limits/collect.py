"""Limits files as pytest collects them: a file, its studies, and each limit as a test. Loaded by pytest_plugin.py only.

Collecting reads the file and runs nothing. A run is made by the first of its tests and shared by the others of the
session; with pytest-xdist each worker makes its own runs, and `--dist loadgroup` keeps those of a study together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridai.errors import GridaiError
from gridai.limits.checking import other_versions, staleness
from gridai.limits.judge import judge
from gridai.limits.read import read_limits
from gridai.limits.records import STALE, Block, Entry, LimitsFile
from gridai.limits.running import Job, Runner, jobs_of
from gridai.limits.text import failure

_RUNNER = pytest.StashKey[Runner]()


class LimitFailure(Exception):
    """A limit that does not pass; its text is what pytest shows."""


class LimitsTests(pytest.File):
    """One limits file. A faulty file is an error of collection, with all its faults."""

    def collect(self) -> Iterator[StudyTests]:
        """The studies of the file."""
        try:
            limits = read_limits(self.path)
        except GridaiError as error:
            raise self.CollectError(str(error)) from error
        jobs = jobs_of(limits)
        for block in limits.blocks:
            yield StudyTests.from_parent(self, name=block.name, limits=limits, block=block, jobs=jobs)


class StudyTests(pytest.Collector):
    """One study of a limits file."""

    def __init__(self, limits: LimitsFile, block: Block, jobs: dict[tuple[str, str], Job], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limits, self.block, self.jobs = limits, block, jobs

    def collect(self) -> Iterator[LimitTest]:
        """Its limits and metrics."""
        for entry in self.block.entries:
            yield LimitTest.from_parent(self, name=entry.name, entry=entry)


class LimitTest(pytest.Item):
    """One limit or metric."""

    parent: StudyTests

    def __init__(self, entry: Entry, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry = entry
        if getattr(self.config, "workerinput", None) is not None:
            self.add_marker(pytest.mark.xdist_group(self.parent.nodeid))

    def runtest(self) -> None:
        """Run what the limit needs, unless that was done, and judge it."""
        limits, block, stale = self.parent.limits, self.parent.block, staleness(self.parent.limits)
        if stale and limits.provenance is not None:
            self.user_properties.append((STALE, f"{_shown(self.path)}: {stale}"))
        runner = self.config.stash.setdefault(_RUNNER, Runner())
        outcome = judge(block, self.entry, runner.find(self.parent.jobs[block.name, self.entry.name]))
        if outcome.status == "xfail":
            pytest.xfail(f"{self.entry.xfail} ({'; '.join(outcome.said)})")
        if not outcome.good:
            raise LimitFailure(failure(outcome, _shown(self.path), (stale, other_versions(limits))))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The plain text of a limit that failed; a traceback for anything else."""
        if isinstance(excinfo.value, LimitFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File, line and name, for pytest's headings."""
        line = None if self.entry.line is None else self.entry.line - 1
        return self.path, line, f"{self.parent.name}::{self.name}"


def _shown(path: Path) -> str:
    """The path from the current folder where it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
