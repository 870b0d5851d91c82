"""Time series as small CSV tables for a spreadsheet. The whole run, every sample, is in the result beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridai.results import Result
from gridai.results.store import write_table

SERIES = {
    "frequency": ("system", "f_hz", "%.5f"),
    "bus_frequency": ("bus", "f_hz", "%.5f"),
    "voltage": ("bus", "vm_pu", "%.6f"),
    "generator_power": ("gen", "p_mw", "%.8g"),
    "cluster_power": ("cluster", "p_mw", "%.8g"),
}
"""Table -> kind, quantity and format: frequencies to 1e-5 Hz, voltages to 1e-6 pu, powers to eight digits."""
STEP_S = 1.0 / 60.0
"""From one row to the next at least, but for events and extremes. [s]"""


def rows_kept(t_s: NDArray[np.float64], values: NDArray[np.float64], step_s: float = STEP_S) -> NDArray[np.int64]:
    """Which samples a table holds: one each step_s, both sides of every event, each column's lowest and highest.

    t_s  float[nt].   values  float[nt, n]. The first and the last sample are always among them.
    """
    if not len(t_s):
        return np.zeros(0, dtype=np.int64)
    _, first = np.unique(np.floor((t_s - t_s[0]) / step_s + 1e-6), return_index=True)
    twice = np.flatnonzero(np.diff(t_s) == 0.0)
    low = np.where(np.isnan(values), np.inf, values).argmin(axis=0)
    high = np.where(np.isnan(values), -np.inf, values).argmax(axis=0)
    return np.unique(np.concatenate([first, twice, twice + 1, low, high, [len(t_s) - 1]]))


def write_series(result: Result, folder: Path) -> None:
    """Write the tables of SERIES that the result holds."""
    for name, (kind, quantity, form) in SERIES.items():
        if quantity not in result.quantities(kind):
            continue
        names, values = result.names(kind, quantity), result.values(kind, quantity)
        kept = rows_kept(result.t_s, values)
        table = np.column_stack([result.t_s[kept], values[kept]])
        write_table(folder / f"{name}.csv", ["t_s", *names], table, forms=["%.9g", *[form] * len(names)])
