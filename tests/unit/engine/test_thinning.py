"""Thinning of a record: what stays, in which order it gives way, and a run whose memory is small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.engine import simulation
from gridai.engine.thinning import thinned
from gridai.results import Result
from gridai.results.ride_through import away_by_cause, away_mw
from gridai.studies import away
from gridai.studies.sequence import events, read

GRID_S = 0.1


def record(pairs: list[tuple[float, float]], until_s: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a grid, and two rows at each instant given, across which a level rises by so much."""
    rows = [(k * GRID_S, 0.0) for k in range(round(until_s / GRID_S) + 1)]
    for t, _ in pairs:
        rows += [(t, 0.0), (t, 0.0)]
    t_s = np.sort(np.array([row[0] for row in rows]))
    level = np.zeros(len(t_s))
    for t, rise in pairs:
        level[np.flatnonzero(np.abs(t_s - t) < 1e-12)[-1] :] += rise
    return t_s, level[:, None]


def test_rows_without_a_jump_go_first():
    """Fifty timers that change nothing, one jump, one row pair of an event: 101 + 2 + 2 rows stay."""
    timers = [(0.0371 + 0.19 * k, 0.0) for k in range(50)]
    t, data = record([*timers, (3.333, 1.0), (7.777, 0.0)])
    kept, factor = thinned(t, data, GRID_S, [7.777], 200)
    assert factor == 1
    assert np.count_nonzero(kept) == 101 + 2 + 2
    assert np.count_nonzero(kept & (np.abs(t - 3.333) < 1e-9)) == 2
    assert np.count_nonzero(kept & (np.abs(t - 7.777) < 1e-9)) == 2


def test_then_jumps_between_two_grid_points():
    """A thousand jumps in a second: before the first and after the last of each of its ten intervals stay."""
    chatter = [(5.0 + (k + 0.5) * 1e-3, 1.0) for k in range(1000)]
    t, data = record(chatter)
    kept, factor = thinned(t, data, GRID_S, [], 130)
    assert factor == 1
    assert np.count_nonzero(kept) == 101 + 20
    # Nothing of the level is lost: it ends where it ended, and grid points lie on the course.
    assert data[kept][-1, 0] == 1000.0
    inside = t[kept][(t[kept] > 5.0) & (t[kept] < 5.1)]
    assert inside == pytest.approx([5.0005, 5.0995])


def test_then_grid_points():
    """101 grid points within 30 rows: every fourth of them."""
    t, data = record([])
    kept, factor = thinned(t, data, GRID_S, [], 30)
    assert factor == 4
    assert t[kept] == pytest.approx(0.4 * np.arange(26))


def test_rows_of_the_log_always_stay():
    """Even where they alone are more than may stay."""
    log = [(0.05 + 0.1 * k, 1.0) for k in range(100)]
    t, data = record(log)
    kept, _ = thinned(t, data, GRID_S, [x for x, _ in log], 10)
    assert all(np.count_nonzero(kept & (np.abs(t - x) < 1e-9)) == 2 for x, _ in log)


def test_a_value_that_ceases_to_be_a_number_jumps():
    t = np.array([0.0, 0.05, 0.05, 0.1])
    data = np.array([[1.0], [1.0], [np.nan], [np.nan]])
    assert list(thinned(t, data, GRID_S, [], 1)[0]) == [True, True, True, True]


def played(monkeypatch: Any, memory: float) -> Result:
    """Two faults of virginia in 20 s within a memory. [bytes]"""
    monkeypatch.setattr(simulation, "MEMORY_BYTES", memory)
    made, _ = away.with_settings(load_case("virginia"))
    lines = read("1 fault F r=0.0012; 1.05 open S3-F; 1.05 open F-S4; 16 close S3-F; 16.066 open S3-F")
    return away.play(made, events(lines), 20.0, 1 / 240, 2, 0)


def test_a_run_within_a_small_memory_tells_the_same(monkeypatch: Any):
    """Fewer rows than fit 40 MB in place of 3,900: voltages to 1e-4, load away, who left, the log the same."""
    whole, small = played(monkeypatch, 400e6), played(monkeypatch, 40e6)
    assert "thinned" not in whole.meta
    assert whole.data.shape[0] > 3500
    assert small.data.nbytes < 40e6
    assert "thinned: rows are 0.0" in small.meta["thinned"]
    assert [e.text for e in small.events] == [e.text for e in whole.events]
    assert away_by_cause(small) == pytest.approx(away_by_cause(whole))
    assert away_mw(small).max() == pytest.approx(away_mw(whole).max(), rel=1e-9)
    # Rows that stayed lie on the whole record; between jumps its rows are at most one grid step apart.
    bus = [k for k, c in enumerate(whole.channels) if c.kind == "bus"]
    calm = small.t_s[(np.abs(small.t_s[:, None] - [e.t_s for e in whole.events]).min(axis=1) > 0.5)]
    assert len(calm) > 300
    both = (np.column_stack([np.interp(calm, r.t_s, r.data[:, k]) for k in bus]) for r in (small, whole))
    assert next(both) == pytest.approx(next(both), abs=1e-4)
