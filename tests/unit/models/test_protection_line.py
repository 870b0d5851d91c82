"""Relays of lines: zones and directions by faults at known impedances, times by the clock, IEEE's inverse times.

Two infinite buses A and C, lines AB and BC of equal impedance, a load at B. In the engine a line opens at zone time
plus breaker time, located to 1e-7 s.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import BusFault, LoadStep, compile_system, simulate
from gridai.errors import CaseError, InitialisationError
from gridai.kernel.contract import Start
from gridai.models.protection._line import line_current
from gridai.models.protection.distance import MODEL as DISTANCE
from gridai.models.protection.distance import depth
from gridai.models.protection.overcurrent import MODEL as OVERCURRENT
from gridai.models.protection.overcurrent import trip_time

from .conformance import Sample, blank

Z = 0.01 + 0.08j
ZONES = {"reach1": 0.8, "t1_s": 0.0, "reach2": 1.2, "t2_s": 0.3, "reach3": 2.2, "t3_s": 0.8, "tb_s": 0.05}
ENDS = [("AB", "A"), ("AB", "B"), ("BC", "B"), ("BC", "C")]


def case(tables: dict[str, list[dict]], load_mw: float = 50.0) -> Any:
    """The two lines with these rows of dynamic tables."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    a, b, c = (pp.create_bus(net, 110.0, name=name) for name in "ABC")
    for bus, name, slack in ((a, "GA", True), (c, "GC", False)):
        pp.create_gen(
            net, bus, p_mw=20.0, vm_pu=1.0, sn_mva=1000.0, slack=slack, name=name, max_p_mw=1e3, min_p_mw=-1e3
        )
    for name, i, k in (("AB", a, b), ("BC", b, c)):
        pp.create_line_from_parameters(net, i, k, 1.0, Z.real * 121.0, Z.imag * 121.0, 0.0, 10.0, name=name)
    pp.create_load(net, b, load_mw, 5.0, name="L")
    frames = {key: pd.DataFrame(rows) for key, rows in tables.items()}
    frames["gencls"] = pd.DataFrame([{"unit": u, "h_s": 0.0, "xd1_pu": 1e-3} for u in ("GA", "GC")])
    return Case.from_pandapower(net, dynamics=frames)


@cache
def protected() -> Any:
    """A distance relay at every end."""
    return compile_system(case({"distance": [{"unit": u, "from_bus": b, **ZONES} for u, b in ENDS]}))


def opened(result: Any) -> list[tuple[str, float]]:
    """Branches that relays opened, and when."""
    return [(e.element, e.t_s) for e in result.events if e.kind == "open"]


def test_flat_start_and_what_the_relay_sees() -> None:
    """Load at B, 30 MW from A: the impedance is far outside every zone."""
    result = simulate(protected(), until_s=1.0)
    assert opened(result) == []
    assert result.relay.reach["AB at A"].iloc[-1] > 3.0
    assert set(result.relay.reach.columns) == {f"{u} at {b}" for u, b in ENDS}


@pytest.mark.parametrize(
    ("bus", "expected"),
    [("B", {"AB": 1.35, "BC": 1.35}), ("A", {"AB": 1.35}), ("C", {"BC": 1.35})],
)
def test_zone_two_clears_a_fault_at_the_far_bus(bus: str, expected: dict[str, float]) -> None:
    """A fault at the far bus lies at 1.0 of the line: zone 2, 0.3 + 0.05 s. Relays with it behind them stay."""
    result = simulate(protected(), [BusFault(bus, 1.0, 2.5)], until_s=3.0)
    found = dict(opened(result))
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[k] for k in sorted(found)], [expected[k] for k in sorted(found)], atol=2e-7)


def test_fault_cleared_in_time_opens_nothing() -> None:
    assert opened(simulate(protected(), [BusFault("B", 1.0, 1.25)], until_s=3.0)) == []


def test_zone_one_acts_at_once_and_zone_three_as_backup() -> None:
    """Reach 1.1 in zone 1 opens BC after the breaker's 0.05 s; without a relay on BC, zone 3 of AB at 2.0 does."""
    fast = {**ZONES, "reach1": 1.1}
    both = compile_system(case({"distance": [{"unit": "BC", "from_bus": "B", **fast}]}))
    assert opened(simulate(both, [BusFault("C", 1.0, 2.5)], until_s=3.0)) == [("BC", pytest.approx(1.05, abs=2e-7))]
    backup = compile_system(case({"distance": [{"unit": "AB", "from_bus": "A", **ZONES}]}, load_mw=1.0))
    found = opened(simulate(backup, [BusFault("C", 1.0, 2.5)], until_s=3.0))
    assert found == [("AB", pytest.approx(1.85, abs=2e-7))]


def fed(v: complex, w: complex, memory: complex = 1.0 + 0.0j) -> Any:
    """A relay on a line of impedance Z with these voltages at its ends."""
    unit = blank(Sample(DISTANCE, ZONES), Start(1.0 + 0.0j, 0.0, 0.0))
    y = 1.0 / Z
    for name, value in (("v", v), ("w", w), ("ys", y), ("ym", -y)):
        unit.u[f"{name}_re"], unit.u[f"{name}_im"] = complex(value).real, complex(value).imag
    unit.u.on = 1.0
    unit.p.z_re, unit.p.z_im = Z.real, Z.imag
    unit.x.mem_re, unit.x.mem_im = memory.real, memory.imag
    return unit


@pytest.mark.parametrize("share", [0.3, 0.79, 0.81, 1.19, 1.21])
def test_reach_is_where_it_is_set(share: float) -> None:
    """A point on the line's angle: v = share Z i. Inside a zone up to its reach."""
    i = 3.0 - 4.0j
    unit = fed(share * Z * i, share * Z * i - Z * i, memory=0.9 + 0.1j)
    assert line_current(unit.u) == pytest.approx(i)
    for reach in (0.8, 1.2):
        assert (depth(unit.p, unit.x, unit.u, reach) > 0.0) == (share < reach)


def test_circle_direction_and_least_current() -> None:
    """On the circle at right angles to the line; reverse current; a bolted fault at the relay; too little current."""
    i = 3.0 - 4.0j
    rotated = 0.5 * (0.8 - 0.04) * Z + 0.5 * (0.8 + 0.04) * Z * 1j
    for scale, inside in ((0.99, True), (1.01, False)):
        v = (0.5 * (0.8 - 0.04) * Z + scale * (rotated - 0.5 * (0.8 - 0.04) * Z)) * i
        unit = fed(v, v - Z * i)
        assert (depth(unit.p, unit.x, unit.u, 0.8) > 0.0) == inside
    for direction in (1.0, -1.0):
        unit = fed(0.0j, -Z * i * direction)
        assert (depth(unit.p, unit.x, unit.u, 0.8) > 0.0) == (direction > 0.0)
    unit = fed(0.0j, -Z * 0.05)
    assert depth(unit.p, unit.x, unit.u, 0.8) == -1.0


@pytest.mark.parametrize(("a", "b", "n", "m", "seconds"), [
    (0.0515, 0.114, 0.02, 2.0, 3.8028), (19.61, 0.491, 2.0, 5.0, 1.3081), (28.2, 0.1217, 2.0, 10.0, 0.40655),
    (0.0, 1.0, 1.0, 3.0, 1.0),
])  # fmt: skip
def test_inverse_times_are_those_of_the_standard(a: float, b: float, n: float, m: float, seconds: float) -> None:
    unit = blank(Sample(OVERCURRENT, {"pickup_mva": 100.0, "a": a, "b": b, "n": n}), Start(1.0 + 0.0j, 0.0, 0.0))
    assert trip_time(unit.p, m) == pytest.approx(seconds, rel=1e-3)


def overloaded(values: dict[str, float]) -> Any:
    """A relay on AB at A, which carries about half of the load at B."""
    rows = [{"unit": "AB", "pickup_mva": 60.0, "td_s": 0.5, "tb_s": 0.05, **values}]
    return compile_system(case({"overcurrent": rows, "zip": [{"unit": "L", "pz": 0, "pp": 1, "qz": 0, "qp": 1}]}))


def test_overload_opens_the_line_after_the_inverse_time() -> None:
    """Constant-power load of 250 MW: the relay's current stays, and so does its time."""
    result = simulate(overloaded({}), [LoadStep("L", 200.0, at_s=1.0)], until_s=12.0)
    current = result.relay.i_mva["AB at A"]
    m = float(current[current.index > 1.5].iloc[0]) / 60.0
    expected = 0.5 * (0.0515 / (m**0.02 - 1.0) + 0.114)
    assert 2.0 < m < 3.0
    assert opened(result) == [("AB", pytest.approx(1.0 + expected + 0.05, abs=1e-4))]
    assert result.relay.i_mva["AB at A"].iloc[-1] == 0.0


def test_instantaneous_stage_and_reset() -> None:
    fault = [BusFault("B", 1.0, 1.2)]
    assert opened(simulate(overloaded({"instant_mva": 400.0, "td_s": 10.0}), fault, until_s=2.0)) == [
        ("AB", pytest.approx(1.05, abs=2e-7))
    ]
    result = simulate(overloaded({"td_s": 10.0}), fault, until_s=2.0)
    assert opened(result) == []
    travel = result.relay.travel["AB at A"]
    assert travel.max() > 0.0
    assert travel.iloc[-1] < 1e-9


def test_tables_that_do_not_fit_are_named() -> None:
    with pytest.raises(CaseError, match=r"unit.*AD"):
        compile_system(case({"distance": [{"unit": "AD", **ZONES}]}))
    with pytest.raises(CaseError, match="is not an end of branch 'AB'"):
        compile_system(case({"distance": [{"unit": "AB", "from_bus": "C", **ZONES}]}))
    with pytest.raises(CaseError, match="has a row already"):
        case({"distance": [{"unit": "AB", "from_bus": "A", **ZONES}] * 2})
    with pytest.raises(InitialisationError, match="load lies in zone 3 at the start"):
        compile_system(case({"distance": [{"unit": "AB", "from_bus": "A", **ZONES, "reach3": 80.0}]}, load_mw=400.0))
    with pytest.raises(InitialisationError, match=r"above pickup_mva = 10"):
        compile_system(case({"overcurrent": [{"unit": "AB", "pickup_mva": 10.0}]}))
    assert DISTANCE.check is not None
    assert OVERCURRENT.check is not None
    assert [n for n, _ in DISTANCE.check({**ZONES, "reach2": 0.5})] == ["reach2"]
    assert [n for n, _ in OVERCURRENT.check({"a": 0.0, "b": 0.0})] == ["b"]
