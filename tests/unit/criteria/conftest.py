"""Hand-made runs, and the verdict of one limit on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gridai.criteria import make
from gridai.results import Channel, EventRecord, Limit, Result, Verdict


@pytest.fixture
def run() -> Callable[..., Result]:
    """A function that makes a run: cluster power, voltage of its bus "b" and of others, speeds of machines."""

    def of(t: Any, p: Any = None, vm: Any = None, demand: Any = None, f_hz: Any = None, events: Any = (),
           nominal: float = 60.0, gens: dict[str, Any] | None = None, buses: dict[str, Any] | None = None,
           **meta: Any) -> Result:  # fmt: skip
        t = np.asarray(t, dtype=float)
        columns, channels = [], []

        def add(kind: str, element: str, quantity: str, unit: str, x: Any) -> None:
            channels.append(Channel(kind, element, quantity, unit))
            columns.append(np.broadcast_to(x, t.shape))

        angle = np.zeros_like(t)
        if f_hz is not None:
            f = np.broadcast_to(np.asarray(f_hz, dtype=float), t.shape)
            area = np.diff(t) * ((f[1:] + f[:-1]) / 2.0 - nominal)
            angle = 2.0 * np.pi * np.concatenate([[0.0], np.cumsum(area)])
        for name, v in ({"b": 1.0 if vm is None else vm} | (buses or {})).items():
            add("bus", name, "v_re_pu", "pu", v * np.cos(angle))
            add("bus", name, "v_im_pu", "pu", v * np.sin(angle))
        for name, speed in (gens or {}).items():
            add("gen", name, "speed_pu", "pu", 1.0 + 0.0 * t if speed is None else speed)
        if p is not None:
            add("cluster", "ai", "p_mw", "MW", p)
        if demand is not None:
            add("cluster", "ai", "p_demand_mw", "MW", demand)
        records = tuple(EventRecord(at, kind, "x") for at, kind in events)
        known = {"f_hz": nominal, "cluster_bus": {"ai": "b"}, "inertia_mws": dict.fromkeys(gens or {}, 1.0)}
        return Result(t, np.column_stack(columns), tuple(channels), records, {**known, **meta})

    return of


@pytest.fixture
def judge() -> Callable[..., Verdict]:
    """A function that makes the limit of a family and judges a run by it."""

    def of(result: Result, criterion: str, unit: str, low: float | None = None, high: float | None = None,
           **settings: Any) -> Verdict:  # fmt: skip
        return make(Limit(criterion, unit, low, high, settings=settings, confidence="P")).check(result)

    return of
