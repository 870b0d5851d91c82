"""PSS/E's series of which psse_samples/ holds some rows: the models that the reference folder has no series of.

Runs, signals, limits and reasons stand in psse_samples.toml, what is reached in the table of README.md.
"""

from __future__ import annotations

from typing import Any

import pytest

from . import psse_table

RUNS = psse_table.sampled()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["model"])
def test_samples(run: dict[str, Any]) -> None:
    for row in psse_table.rows_of(run, psse_table.SAMPLES):
        assert row.good, row


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["model"])
def test_beyond_what_is_asked_only_with_a_reason(run: dict[str, Any]) -> None:
    """A limit beside the project's own, from 60 ms after the switching, has a reason; PSS/E's scheme is within it.

    DEGOV's series is PowerWorld's, so it has no such run.
    """
    asked = psse_table.spec()["asked"]
    for signal in run["signals"]:
        limit = asked.get(signal["unit"])
        if limit is not None:
            assert signal.get("scheme", 0.0) <= limit, signal
            assert signal["later"] <= limit or signal.get("reason"), signal


def test_samples_have_their_source() -> None:
    """NOTICE names every file of the folder; no file is without a run or a test of its own."""
    notice = (psse_table.SAMPLES / "NOTICE.md").read_text(encoding="utf-8")
    for path in psse_table.SAMPLES.iterdir():
        assert path.name == "NOTICE.md" or f"`{path.name}`" in notice, path
