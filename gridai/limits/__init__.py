"""Limits under regression test: files `*.limits.toml` that a team keeps beside its grid's data.

A file names a case, the studies to run on it, and for each the verdicts that must pass (by criteria profile) and the
figures that must stay (value, tolerance, element, time, reason). Every name here is stdlib-only until it is used.

    gridai limits check                  run them; exit status 0, 1, 2 or 3
    gridai limits update [--write]       show, or write, the values that moved
    pytest                               each limit is a test, in any repository with gridai installed

    checked = gridai.limits.check(gridai.limits.read_limits("my_grid.limits.toml"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.limits.checking import Checked, check, exit_status, find_files, read_all, staleness
    from gridai.limits.judge import Outcome
    from gridai.limits.read import read_limits
    from gridai.limits.records import Entry, LimitsFile
    from gridai.limits.running import Runner
    from gridai.limits.starting import begin
    from gridai.limits.updating import Update, update, write

_HOME = {
    "Checked": "checking", "Entry": "records", "LimitsFile": "records", "Outcome": "judge", "Runner": "running",
    "Update": "updating", "begin": "starting", "check": "checking", "exit_status": "checking",
    "find_files": "checking", "read_all": "checking", "read_limits": "read", "staleness": "checking",
    "update": "updating", "write": "updating",
}  # fmt: skip

__all__ = [
    "Checked", "Entry", "LimitsFile", "Outcome", "Runner", "Update", "begin", "check", "exit_status", "find_files",
    "read_all", "read_limits", "staleness", "update", "write",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.limits' has no attribute {name!r}")
    return getattr(importlib.import_module(f"gridai.limits.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
