"""Loadability: how far injections can go towards a target before the power flow has no solution, and where it breaks.

All directions are followed together in the batch. The limit is the nose of the PV curve (a fold), approached from the
base case on the high-voltage side; with enforce_q_lims it can also be where a unit runs out of reactive power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import CaseError, SettingError
from gridai.grid.batch.arrays import NO_SOLUTION
from gridai.grid.batch.flow import BatchFlow
from gridai.grid.batch.vary import Vary

Floats = NDArray[np.float64]

_POINTS = 15  # between the bounds, in each round
_MOST_ROUNDS = 12
_KILO = 1.0 / 300.0


@dataclass(frozen=True, eq=False)
class Nose:
    """One entry a direction.

    factor     largest factor f for which base + f (target - base) has a solution: 1 is the target itself; inf where
               there is none up to the largest factor tried.
    accuracy   relative width of the bracket that is left.
    bus        pandapower index of the bus whose voltage falls fastest at the limit, None where factor is inf.
    vm_pu      its voltage at the limit. [pu]
    vm_base_pu its voltage in the base case. [pu]
    """

    factor: Floats
    accuracy: float
    bus: tuple[Any, ...]
    vm_pu: Floats
    vm_base_pu: Floats

    def text(self, k: int, name: str = "") -> str:
        """The limit of one direction in words; `name` is what to call its bus."""
        f = float(self.factor[k])
        if not np.isfinite(f):
            return "no limit found"
        where = f"the voltage collapses at bus '{name or self.bus[k]}' ({self.vm_pu[k]:.3f} pu at the limit)"
        if f >= 1.0:
            return f"the target can be exceeded {f:.4g} times; there {where}"
        return f"{100.0 * f:.2f} % of the change can be made, the target lies {1.0 / f:.4g} times beyond; {where}"


def nose(flow: BatchFlow, toward: Sequence[Vary], *, accuracy: float = 1e-5, most: float = 1024.0) -> Nose:
    """Follow directions to the limit.

    toward    the target: as for BatchFlow.solve, one row a direction. What does not vary stays as in the net.
    accuracy  relative accuracy of the factor.
    most      largest factor tried.

    Raises CaseError for unknown elements, SettingError for settings out of range.
    """
    if not 1e-9 <= accuracy <= 0.1:
        raise SettingError(f"accuracy = {accuracy:g}: must lie between 1e-9 and 0.1")
    ways = [_Way(item, *_ends(flow, item)) for item in toward]
    if not ways:
        raise CaseError("no direction: give at least one Vary")
    count = len(ways[0].target)
    low, high = _bracket(flow, ways, count, most)
    for _ in range(_MOST_ROUNDS):
        open_ = np.isfinite(high) & (high - low > accuracy * high)
        if not open_.any():
            break
        _narrow(flow, ways, low, high, np.flatnonzero(open_))
    return _read(flow, ways, low, high, accuracy)


@dataclass(frozen=True, eq=False)
class _Way:
    item: Vary
    base: Floats
    target: Floats

    def at(self, direction: Any, factor: Any) -> Vary:
        """Values at factors along directions, one row each."""
        values = self.base + np.asarray(factor)[:, None] * (self.target[direction] - self.base)
        return replace(self.item, values=values)


def _ends(flow: BatchFlow, item: Vary) -> tuple[Floats, Floats]:
    rows = flow.net.get(item.table)
    target = np.asarray(item.values, dtype=float)
    target = target[:, None] if target.ndim == 1 else target
    if item.table == "bus" or rows is None or item.column not in rows.columns:
        return np.zeros(target.shape[1]), target
    elements = item.elements
    if elements is None:
        elements = list(item.values.columns) if hasattr(item.values, "columns") else list(rows.index)
    known = [e for e in elements if e in rows.index]
    if len(known) != len(elements) or len(elements) != target.shape[1]:
        flow.solve([item])  # says what is wrong
    return rows[item.column].reindex(list(elements)).to_numpy(dtype=float), target


def _solved(flow: BatchFlow, ways: list[_Way], direction: Any, factor: Any) -> Any:
    return flow.solve([w.at(direction, factor) for w in ways], loading=False)


def _bracket(flow: BatchFlow, ways: list[_Way], count: int, most: float) -> tuple[Floats, Floats]:
    """Factors with and without a solution for every direction."""
    low, high = np.zeros(count), np.full(count, np.inf)
    factor, open_ = 1.0, np.arange(count)
    while len(open_):
        result = _solved(flow, ways, open_, np.full(len(open_), factor))
        fine = result.solved
        low[open_[fine]] = factor
        # a scenario that only the reactive limits stop has been reached without them
        stuck, share = open_[~fine], np.where(result.status == NO_SOLUTION, result.reached, 0.0)[~fine]
        high[stuck] = factor
        low[stuck] = np.maximum(low[stuck], share * factor)
        open_ = open_[fine]
        if factor >= most:
            break
        factor = min(4.0 * factor, most)
    return low, high


def _narrow(flow: BatchFlow, ways: list[_Way], low: Floats, high: Floats, which: Any) -> None:
    """One round: points between the bounds, closer together towards the lower one, which is often near the limit."""
    steps = (np.arange(1, _POINTS + 1) / (_POINTS + 1.0)) ** 2
    factor = low[which, None] + (high - low)[which, None] * steps
    solved = _solved(flow, ways, np.repeat(which, _POINTS), factor.ravel()).solved.reshape(len(which), _POINTS)
    for row, k in enumerate(which):
        bad = np.flatnonzero(~solved[row])
        first = int(bad[0]) if len(bad) else _POINTS
        if first < _POINTS:
            high[k] = factor[row, first]
        if first > 0:
            low[k] = factor[row, first - 1]


def _read(flow: BatchFlow, ways: list[_Way], low: Floats, high: Floats, accuracy: float) -> Nose:
    """Voltages just before the limit, and the bus where they fall fastest."""
    count = len(low)
    every, index = np.arange(count), flow.net.bus.index
    before, last, base = (
        _solved(flow, ways, every, low * part).vm_pu for part in (1.0 - 1e3 * min(accuracy, 1e-5), 1.0, 0.0)
    )
    fall = np.nan_to_num(before - last, nan=-np.inf)
    at = fall.argmax(axis=1)
    limited = np.isfinite(high)
    bus = tuple(index[k] if on else None for k, on in zip(at, limited, strict=True))
    factor = np.where(limited, 0.5 * (low + np.where(limited, high, 0.0)), np.inf)
    return Nose(factor, accuracy, bus, last[every, at], base[every, at])


def explain(flow: BatchFlow, varying: Sequence[Vary], scenario: int) -> str:
    """Why one scenario of a batch has no solution: how far it lies beyond the limit, and the bus that gives way."""
    from gridai.grid.names import bus_keys_of

    row = [replace(item, values=np.asarray(item.values, dtype=float)[scenario : scenario + 1],
                   elements=_elements(flow, item)) for item in varying]  # fmt: skip
    if any(not np.isfinite(item.values).all() for item in row):
        bad = [f"{item.table}.{item.column}" for item in row if not np.isfinite(item.values).all()]
        return f"the input holds a value that is not finite in {', '.join(bad)}"
    found = nose(flow, row, accuracy=1e-4, most=1.0)
    if not np.isfinite(found.factor[0]):
        return "it has a solution"
    text = found.text(0, bus_keys_of(flow.net)[int(found.bus[0])])
    less = [replace(item, values=0.001 * item.values) for item in row if item.column != "vm_pu"]
    if found.factor[0] < _KILO and less and flow.solve(less, loading=False).solved[0]:
        text += "; with a thousandth of it the power flow solves (kW given as MW?)"
    return text


def _elements(flow: BatchFlow, item: Vary) -> list[Any]:
    if item.elements is not None:
        return list(item.elements)
    return list(item.values.columns) if hasattr(item.values, "columns") else list(flow.net[item.table].index)
