"""A DERA1 unit of 50 MVA at a source whose voltage and frequency are played: what the unit does is its own answer."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandapower as pp
import pandas as pd

from gridai.case import Case
from gridai.engine import System, compile_system, simulate
from gridai.engine.source_events import SourcePlayback
from gridai.kernel.profile import Profile
from gridai.results import Result

MVA = 50.0
X_PU = 1e-5
"""Source reactance on 50 MVA: the bus voltage is the source's to 2e-6."""


@cache
def system(p_mw: float = 30.0, q_mvar: float = 5.0, vm_pu: float = 1.0, **values: float) -> System:
    """The compiled system: source and unit "pv" at the same bus, 60 Hz."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    bus = pp.create_bus(net, 20.0, name="B")
    pp.create_gen(net, bus, 0.0, vm_pu, sn_mva=MVA, slack=True, name="grid")
    pp.create_sgen(net, bus, p_mw, q_mvar, sn_mva=MVA, name="pv")
    tables = {
        "source": pd.DataFrame([{"unit": "grid", "r_pu": 0.0, "x_pu": X_PU}]),
        "dera1": pd.DataFrame([{"unit": "pv", **values}]),
    }
    return compile_system(Case.from_pandapower(net, dynamics=tables, name="dera"))


def held(signal: Any, *spans: tuple[float, float, float]) -> SourcePlayback:
    """A signal that has a value between two times, and is zero outside: (from, to, value)."""
    t, y = [0.0], [0.0]
    for start, end, value in spans:
        if start == t[-1]:  # spans that touch
            t, y = t[:-1], y[:-1]
        else:
            t, y = [*t, start], [*y, 0.0]
        t, y = [*t, start, end, end], [*y, value, value, 0.0]
    return SourcePlayback("grid", signal, Profile(t, y))


def played(of: System, *events: SourcePlayback, until_s: float = 4.0, step_s: float = 1 / 240) -> Result:
    """The run."""
    return simulate(of, list(events), until_s=until_s, step_s=step_s)


def at(result: Result, quantity: str, t_s: float) -> float:
    """The unit's value just before t_s; powers in pu of its base."""
    series = getattr(result.gen, quantity)["pv"]
    value = float(series[series.index < t_s - 1e-9].iloc[-1])
    return value / MVA if quantity in ("p_mw", "q_mvar") else value


def texts(result: Result) -> list[tuple[float, str]]:
    """Time and text of what the unit's trip logic logged."""
    return [(e.t_s, e.text) for e in result.events if e.kind == "relay" or "DERA1" in e.text]
