"""What a study of contingencies leaves in a result as plain data for its figure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from gridai.results.result import Result


@dataclass(frozen=True)
class Ranked:
    """Worst values of all outages, each list in order from the worst; rank 1 is the worst outage.

    rank     places among the outages, for long lists not all of them.
    percent  highest loading. [%]   vm_low, vm_high  lowest and highest voltage. [pu]
    total, unsolved, split  number of outages, of those without a solution, of those that cut buses off.
    """

    rank: tuple[float, ...]
    percent: tuple[float, ...]
    vm_low: tuple[float, ...]
    vm_high: tuple[float, ...]
    total: int
    unsolved: int
    split: int


def add_ranked(result: Result, ranked: Ranked) -> Result:
    """Put it into a result, in place; returns it."""
    result.meta["contingencies"] = {
        k: [None if not math.isfinite(x) else x for x in v] if isinstance(v, tuple) else v
        for k, v in asdict(ranked).items()
    }
    return result


def ranked_of(result: Result) -> Ranked | None:
    """What a result holds, None without it."""
    data: Any = result.meta.get("contingencies")
    if data is None:
        return None
    lists = {k: tuple(math.nan if x is None else float(x) for x in data[k])
             for k in ("rank", "percent", "vm_low", "vm_high")}  # fmt: skip
    return Ranked(**lists, total=int(data["total"]), unsolved=int(data["unsolved"]), split=int(data["split"]))
