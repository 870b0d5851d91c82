"""Thinning: fewer rows of a record that has grown past its memory, so that a long run of many events stays bounded.

Rows are recorded at every `decimate`-th grid point, and before and after every jump: events, edges of a demand, guards
of relays and UPS. Where a thousand timers run, or a grid swings across a threshold, the latter are without bound. They
give way in this order, each only as far as it must:

    1. rows of guards at which nothing recorded jumps (a timer that starts or is reset)
    2. of the rows between two kept grid points all but the first and the last: the state before and after them all
    3. every second grid point, and so on

Rows at the instants in `held` (the log of events) always stay, so jumps of the log stay sharp.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAME_S, JUMPS = 1e-9, 1e-6
"""Rows so near in time are at one instant [s]; recorded values that differ by less across it do not jump."""
CHUNK = 2000
MOST_DOUBLINGS = 20

Bools = npt.NDArray[np.bool_]


def thinned(
    t_s: npt.NDArray[np.float64],
    data: npt.NDArray[np.float64],
    grid_s: float,
    held_s: npt.ArrayLike,
    most: int,
) -> tuple[Bools, int]:
    """Which rows stay, and how many grid points of the record now become one.

    t_s     float[nt], not falling, s.   data  float[nt, nch].   grid_s  time between two recorded grid points, s
    held_s  instants of which all rows stay, s.   most  rows that may stay, but for those of held_s
    Returns bool[nt] and a factor of 1, 2, 4, ...
    """
    held = _near(t_s, np.asarray(held_s, dtype=float))
    held[[0, -1]] = True
    on_grid = np.abs(t_s / grid_s - np.round(t_s / grid_s)) * grid_s <= SAME_S
    jumping = _jumping(t_s, data)
    kept = held | on_grid | jumping
    factor = 1
    while np.count_nonzero(kept & ~held) > most and factor < 2**MOST_DOUBLINGS:
        if factor == 1 and np.count_nonzero(kept & ~held & ~on_grid):
            kept = held | on_grid | _outer(t_s, jumping & ~held & ~on_grid, grid_s)
            if np.count_nonzero(kept & ~held) <= most:
                break
        factor *= 2
        wide = grid_s * factor
        on_wide = np.abs(t_s / wide - np.round(t_s / wide)) * wide <= SAME_S
        kept = held | on_wide | _outer(t_s, jumping & ~held & ~on_wide, wide)
    return kept, factor


def _near(t_s: npt.NDArray[np.float64], instants: npt.NDArray[np.float64]) -> Bools:
    """Rows at one of the instants."""
    if not instants.size:
        return np.zeros(len(t_s), dtype=bool)
    ordered = np.sort(instants)
    after = np.clip(np.searchsorted(ordered, t_s), 0, len(ordered) - 1)
    before = np.clip(after - 1, 0, len(ordered) - 1)
    away: npt.NDArray[np.float64] = np.minimum(np.abs(ordered[after] - t_s), np.abs(ordered[before] - t_s))
    return away <= SAME_S


def _jumping(t_s: npt.NDArray[np.float64], data: npt.NDArray[np.float64]) -> Bools:
    """Rows beside another of the same instant from which they differ."""
    pairs = np.flatnonzero(np.diff(t_s) <= SAME_S)
    found = np.zeros(len(t_s), dtype=bool)
    for part in np.array_split(pairs, max(1, -(-len(pairs) // CHUNK))):
        with np.errstate(invalid="ignore"):
            far = np.abs(data[part + 1] - data[part])
            scale = np.maximum(1.0, np.abs(data[part]))
            # A value that is no number on one side alone is a jump too.
            differ = (far > JUMPS * scale) | (np.isnan(data[part + 1]) != np.isnan(data[part]))
        jumps = part[differ.any(axis=1)]
        found[jumps] = found[jumps + 1] = True
    return found


def _outer(t_s: npt.NDArray[np.float64], rows: Bools, grid_s: float) -> Bools:
    """Of the rows marked, the first and the last between two grid points."""
    places = np.flatnonzero(rows)
    found = np.zeros(len(t_s), dtype=bool)
    if len(places):
        cell = np.floor(t_s[places] / grid_s + SAME_S / grid_s)
        new = np.concatenate([[True], np.diff(cell) > 0.0])
        found[places[new]] = True
        found[places[np.concatenate([new[1:], [True]])]] = True
    return found
