"""Tolerance curves of equipment and no-trip zones: no bus stays beyond an edge of the curve longer than it allows.

Curves as in criteria/curve.py. Where an edge is crossed, the verdict is in seconds, of the stay with the least margin;
where none is, it is the distance to the nearest edge in the unit of the limit. `quantity` is "vm_pu", "f_hz" or
"v_per_f_pu" (voltage over frequency, for overfluxing). While a bus is de-energised it has no voltage to judge, and its
frequency is a straight line between what it was before and after. A stay that lasts to the end of the run, still
allowed then, is not assessable. An RMS run shows nothing shorter than about a period: times of a few milliseconds
count as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from gridai.criteria.base import (
    FloatArray,
    Places,
    buses_of_class,
    buses_to_judge,
    dead_mask,
    first_event_s,
    frequency_while_live,
    not_assessable,
    verdict,
)
from gridai.criteria.curve import Curve, Stay, Threshold, parse, stays
from gridai.errors import UnknownNameError, near
from gridai.results import Extreme, Limit, Result, Verdict

Quantity = Literal["vm_pu", "f_hz", "v_per_f_pu"]
QUANTITIES = ("vm_pu", "f_hz", "v_per_f_pu")


@dataclass(frozen=True)
class ToleranceCurve:
    """Every bus (the clusters' buses where at = "clusters") within a curve of value against time.

    curve           bands [from, to, seconds] in the unit of the limit; see criteria/curve.py.
    quantity        "vm_pu", "f_hz" or "v_per_f_pu".
    centre          value in the normal range: 1 pu, or the nominal frequency. [unit of the limit]
    kv_min, kv_max  only buses of this class of nominal voltage. [kV]
    """

    limit: Limit
    curve: Any
    quantity: Quantity = "vm_pu"
    centre: float = 1.0
    at: Places = "all"
    kv_min: float = 0.0
    kv_max: float = float("inf")

    name: ClassVar[str] = "tolerance_curve"
    meaning: ClassVar[str] = "no bus stays beyond a curve of value against time for longer than it allows"

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise UnknownNameError(near(self.quantity, QUANTITIES, "quantity of a curve"))
        parse(self.curve, self.centre)

    def check(self, result: Result) -> Verdict:
        """Verdict for the bus and edge with the least margin; its time is the end of the stay."""
        curve = parse(self.curve, self.centre)
        names, values = self._values(result)
        t = result.t_s
        if len(t) < 2 or not names:
            return not_assessable(self.limit, "no samples, or no bus of this voltage class")
        lost = [name for name, x in zip(names, values.T, strict=True) if np.isnan(x).any()]
        if lost:
            return not_assessable(self.limit, f"no value at bus {lost[0]} in part of the run")
        found = [
            (limit, stay, name)
            for name, x in zip(names, values.T, strict=True)
            for limit in curve.thresholds
            for stay in stays(t, x, limit.level, limit.side)
            if np.isfinite(limit.allowed_s)
        ]
        if not found:
            return self._nearest(curve, t, names, values)
        limit, stay, name = min(found, key=lambda row: row[0].allowed_s - row[1].lasted_s)
        return self._stay(limit, stay, name, [s for s in found if not s[1].ended], first_event_s(result))

    def _values(self, result: Result) -> tuple[list[str], FloatArray]:
        if self.quantity == "vm_pu":
            names, vm = buses_to_judge(result, self.kv_min, self.kv_max, self.at)
            return names, np.where(dead_mask(result, names, vm), self.centre, vm)
        every_bus, vm = result.names("bus", "f_hz"), result.values("bus", "vm_pu")
        columns = buses_of_class(result, every_bus, self.kv_min, self.kv_max)
        every = result.values("bus", "f_hz")
        f = np.array([frequency_while_live(result.t_s, every[:, k], vm[:, k]) for k in columns])
        f = f.reshape(len(columns), len(result.t_s)).T
        if self.quantity == "v_per_f_pu":
            f = vm[:, columns] / (f / float(result.meta["f_hz"]))
        return [every_bus[k] for k in columns], f

    def _stay(
        self, limit: Threshold, stay: Stay, name: str, lasting: list[tuple[Threshold, Stay, str]], event_s: float | None
    ) -> Verdict:
        margin = limit.allowed_s - stay.lasted_s
        if margin >= -1e-9 and lasting:
            edge, longest, bus = min(lasting, key=lambda row: row[0].allowed_s - row[1].lasted_s)
            text = f"bus {bus} is still {_side(edge)} {edge.level:g} at the end, before {edge.allowed_s:g} s are over"
            return not_assessable(
                self.limit, text, Extreme(longest.lasted_s, longest.end_s, bus), bound=edge.allowed_s, unit="s"
            )
        note = f"{_side(limit)} {limit.level:g} {self.limit.unit} from {stay.begin_s:.4g} s"
        if event_s is not None and stay.begin_s < event_s - 1e-9:
            note += ", already before the first event"
        found = Extreme(stay.lasted_s, stay.end_s, name)
        return verdict(self.limit, stay.lasted_s, limit.allowed_s, margin, found, note, "s")

    def _nearest(self, curve: Curve, t: FloatArray, names: list[str], values: FloatArray) -> Verdict:
        rows = []
        for limit in curve.thresholds:
            row, column = np.unravel_index(int((limit.side * values).argmax()), values.shape)
            value = float(values[row, column])
            rows.append((limit.side * (limit.level - value), limit.level, Extreme(value, float(t[row]), names[column])))
        margin, level, found = min(rows, key=lambda row: row[0])
        return verdict(self.limit, found.value, level, margin, found, "beyond no edge of the curve")


def _side(limit: Threshold) -> str:
    return "below" if limit.side < 0 else "above"
