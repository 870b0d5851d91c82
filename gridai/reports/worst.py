"""The buses a reader looks for first: the lowest, the highest and the most changed voltages of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridai.reports.report import Table
from gridai.results import Result
from gridai.results.dead import dead_mask

EACH = 5


def worst_buses(result: Result) -> Table | None:
    """The five lowest, highest and most changed buses while energised; None where no voltages are held."""
    if "vm_pu" not in result.quantities("bus") or len(result.t_s) < 2:
        return None
    names, vm, t = result.names("bus", "vm_pu"), result.values("bus", "vm_pu"), result.t_s
    live = np.where(dead_mask(result, names, vm), np.nan, vm)
    known = np.flatnonzero(np.isfinite(live).any(axis=0))
    low, high = np.where(np.isnan(live), np.inf, live), np.where(np.isnan(live), -np.inf, live)
    least, most = low.min(axis=0), high.max(axis=0)
    change = np.maximum(np.abs(least - live[0]), np.abs(most - live[0]))
    chosen: dict[int, list[str]] = {}
    for word, order in (("lowest", least), ("highest", -most), ("most changed", -np.nan_to_num(change))):
        for rank, column in enumerate(known[np.argsort(order[known], kind="stable")][:EACH], 1):
            chosen.setdefault(int(column), []).append(f"{word} {rank}")
    kv = result.meta.get("bus_kv", {})
    rows: list[tuple[Any, ...]] = []
    for k, words in chosen.items():
        at_low, at_high = int(low[:, k].argmin()), int(high[:, k].argmax())
        cells = (live[0, k], least[k], most[k], live[-1, k])
        v0, v1, v2, v3 = (f"{x:.4f}" if np.isfinite(x) else "-" for x in cells)
        rows.append((names[k], f"{float(kv[names[k]]):g}" if names[k] in kv else "-", v0, v1, f"{t[at_low]:.3f}", v2,
                     f"{t[at_high]:.3f}", v3, ", ".join(words)))  # fmt: skip
    columns = ("bus", "kV", "start pu", "lowest pu", "at s", "highest pu", "at s", "end pu", "rank")
    return Table("Worst buses", columns, tuple(rows))
