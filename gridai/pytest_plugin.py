"""The pytest plugin: `pytest` in a repository with gridai installed collects `*.limits.toml`, each limit as one test.

pytest loads this file in every run on the machine, so it imports the standard library only, and the rest of gridai
when a limits file is met. `pytest -p no:gridai` leaves it out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SUFFIX = ".limits.toml"
STALE = "gridai stale"
"""Name of the property of a test that says what of its case has changed."""


def pytest_collect_file(file_path: Path, parent: Any) -> Any:
    """Collect a limits file; None for any other."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from gridai.limits.collect import LimitsTests

    return LimitsTests.from_parent(parent, path=file_path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say of each limits file whose case has changed since its values were written, also where all limits hold."""
    reports = (report for group in terminalreporter.stats.values() for report in group)
    properties = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    for line in sorted({str(text) for name, text in properties if name == STALE}):
        terminalreporter.write_line(line)
