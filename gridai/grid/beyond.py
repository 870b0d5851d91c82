"""A power flow that fails, asked again with less: how far beyond the limit it lies, and which value is to blame."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from gridai.grid.names import bus_keys_of

Retry = Callable[[Any], bool]  # solve a net of one's own; False where there is no solution

LARGEST = 3000  # buses; beyond it the retries take longer than a user waits
_HALVINGS, _STEPS = 6, 6
_SCALED = ("load", "sgen", "gen", "storage", "asymmetric_load", "asymmetric_sgen")
HOPELESS = "even a small part of the loads and generation has no solution: look at impedances and set points"


def scaled(net: Any, share: float) -> Any:
    """A net with a share of all loads and generation; tables that are not scaled are the same objects."""
    work = copy.copy(net)
    for table in _SCALED:
        if table in net and len(net[table]):
            work[table] = net[table].copy()
            work[table]["scaling"] = work[table]["scaling"] * share
    return work


def how_far(net: Any, retry: Retry) -> str:
    """How much of all loads and generation can be carried, and the bus that gives way, in words."""
    if len(net.bus) > LARGEST:
        return ""
    low, high = 0.0, 1.0
    best, before = None, None
    for _ in range(_HALVINGS):
        work = scaled(net, 0.5 * high)
        if retry(work):
            low, best = 0.5 * high, work
            break
        high *= 0.5
    if best is None:
        return HOPELESS
    for _ in range(_STEPS):
        work = scaled(net, 0.5 * (low + high))
        if retry(work):
            low, before, best = 0.5 * (low + high), best, work
        else:
            high = 0.5 * (low + high)
    text = f"{low:.1%} of these loads and generation can be carried ({1.0 / high:.4g} times beyond the limit)"
    return text + _collapsing(net, best, before)


def _collapsing(net: Any, best: Any, before: Any) -> str:
    """The bus whose voltage falls fastest on the way to the limit."""
    last = best.res_bus["vm_pu"].to_numpy(dtype=float)
    start = before.res_bus["vm_pu"].to_numpy(dtype=float) if before is not None else np.ones(len(last))
    fall = np.nan_to_num(start - last, nan=-np.inf)
    at = int(fall.argmax())
    if not fall[at] > 0.0:
        return ""
    bus = int(net.bus.index[at])
    return f"; there the voltage collapses at bus '{bus_keys_of(net)[bus]}' ({last[at]:.2f} pu)"


def is_to_blame(net: Any, table: str, index: Any, columns: tuple[str, ...], retry: Retry) -> bool:
    """True if the power flow solves with a thousandth of this element's values."""
    return retry(_part_of(net, table, index, columns, 0.001))


def carried(net: Any, table: str, index: Any, columns: tuple[str, ...], retry: Retry) -> float:
    """Part of this element's values up to which the power flow solves, to about 3 %."""
    low, high = 0.001, 1.0
    for _ in range(8):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if retry(_part_of(net, table, index, columns, middle)) else (low, middle)
    return low


def a_thousandth_of_all(net: Any, retry: Retry) -> bool:
    """True if the power flow solves with a thousandth of every load."""
    work = copy.copy(net)
    for table in ("load", "asymmetric_load"):
        if table in net and len(net[table]):
            work[table] = net[table].copy()
            work[table]["scaling"] = work[table]["scaling"] / 1000.0
    return retry(work)


def _part_of(net: Any, table: str, index: Any, columns: tuple[str, ...], part: float) -> Any:
    work = copy.copy(net)
    work[table] = net[table].copy()
    for column in columns:
        work[table][column] = work[table][column].astype(float)
        work[table].loc[index, column] = float(net[table].at[index, column]) * part
    return work
