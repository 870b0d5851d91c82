"""Which limit binds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridai.results import Verdict
from gridai.results.rooms import room


def by_room(verdicts: Sequence[Verdict], f_hz: float) -> list[Verdict]:
    """Verdicts in order of what binds: violated limits, then the least room, then what could not be assessed."""
    order = {"fail": 0, "pass": 1, "not assessable": 2}

    def key(v: Verdict) -> tuple[int, float]:
        left = room(v, f_hz)
        return order[v.status], left if math.isfinite(left) else math.inf

    return sorted(verdicts, key=key)
