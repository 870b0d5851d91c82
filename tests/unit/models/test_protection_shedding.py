"""Load shedding: stage times by the clock, return, shares that add up; and in the engine, what is left of a load.

In the engine a stage opens at pickup plus breaker time, located to 1e-7 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.engine import BusFault, LoadStep, compile_system, simulate
from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_SHED, Model, Start
from gridai.models.protection.ldshbl import MODEL as LDSHBL
from gridai.models.protection.lvshbl import MODEL as LVSHBL

from .conformance import Sample, started, values_of

STEP_S = 1e-4
VOLTAGE = {
    "v1_pu": 0.85, "t1_s": 0.2, "frac1": 0.1, "v2_pu": 0.8, "t2_s": 0.1, "frac2": 0.25, "tb_s": 0.05,
    "vo_pu": 1.2, "to_s": 0.3, "fraco": 0.4,
}  # fmt: skip
FREQUENCY = {
    "f1_hz": 59.5, "t1_s": 0.2, "frac1": 0.05, "f2_hz": 59.3, "t2_s": 0.2, "frac2": 0.07, "f3_hz": 58.0,
    "t3_s": 0.2, "frac3": 0.1, "tb_s": 0.1, "fo_hz": 60.6, "to_s": 0.4, "fraco": 0.3,
}  # fmt: skip


def sheds(model: Model, values: dict[str, float], v: Callable[[float], complex], until_s: float) -> list[tuple]:
    """Times and shares of what the relay sheds; guards fire when they rise through zero, as in the engine."""
    unit = started(Sample(model, values), Start(complex(v(0.0)), 0.0, 0.0))
    old, found = np.full(len(model.guards), -1.0), []
    for k in range(round(until_s / STEP_S) + 1):
        t = k * STEP_S
        unit.set_voltage(complex(v(t)))
        for _ in range(10):
            unit.evaluate()
            unit.call("guards", t=t)
            new = values_of(unit.g)
            fired = (new >= 0.0) & (old < 0.0)
            old = new
            if not fired.any():
                break
            for name, f in zip(model.guards, fired, strict=True):
                unit.g[name] = float(f)
            if unit.call("update", t=t) == ACTION_SHED:
                found.append((t, float(unit.z.shed)))
        else:
            raise AssertionError(f"chatter at {t}")
        for name in unit.x.dtype.names:
            unit.x[name] += STEP_S * unit.d[name]
    return found


def dip(size: float, start_s: float = 0.05, end_s: float = 9.0) -> Callable[[float], complex]:
    """Voltage 1.0 pu, `size` between two times."""
    return lambda t: complex(size if start_s <= t < end_s else 1.0)


def close(found: list[tuple], expected: list[tuple]) -> None:
    """Times within the grid of the driver, shares exactly."""
    assert [share for _, share in found] == [pytest.approx(share) for _, share in expected]
    np.testing.assert_allclose([t for t, _ in found], [t for t, _ in expected], atol=4 * STEP_S)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0.83, [(0.30, 0.1)]),
        (0.5, [(0.20, 0.25), (0.30, 0.1)]),
        (0.0, [(0.20, 0.25), (0.30, 0.1)]),
        (1.25, [(0.40, 0.4)]),
        (0.86, []),
    ],
)
def test_voltage_stages(size: float, expected: list[tuple]) -> None:
    close(sheds(LVSHBL, VOLTAGE, dip(size), 0.8), expected)


def test_stages_due_at_one_instant_shed_together() -> None:
    found = sheds(LVSHBL, {**VOLTAGE, "t2_s": 0.2}, dip(0.5), 0.5)
    close(found, [(0.30, 0.35)])


def test_timer_starts_anew_after_a_return_and_an_open_stage_stays_open() -> None:
    twice = lambda t: complex(0.83 if 0.05 <= t < 0.24 or 0.3 <= t < 0.6 or t > 0.7 else 1.0)  # noqa: E731
    close(sheds(LVSHBL, VOLTAGE, twice, 1.2), [(0.55, 0.1)])


def test_breaker_opens_even_if_the_voltage_returns_meanwhile() -> None:
    close(sheds(LVSHBL, VOLTAGE, dip(0.83, 0.05, 0.26), 0.6), [(0.30, 0.1)])


def test_no_delay_at_all() -> None:
    values = {**VOLTAGE, "t1_s": 0.0, "t2_s": 0.0, "tb_s": 0.0}
    close(sheds(LVSHBL, values, dip(0.5), 0.2), [(0.05, 0.35)])


def turning(slip_hz: float, start_s: float = 0.05) -> Callable[[float], complex]:
    """A bus at 1 pu whose frequency steps away from nominal."""
    return lambda t: np.exp(2j * np.pi * slip_hz * max(t - start_s, 0.0))


def test_frequency_stages() -> None:
    """-1 Hz through two lags of 0.05 s: 0.5 of it after 0.0839 s, 0.7 after 0.1220 s; 58 Hz is never reached."""
    found = sheds(LDSHBL, FREQUENCY, turning(-1.0), 1.0)
    assert [share for _, share in found] == [0.05, 0.07]
    np.testing.assert_allclose([t for t, _ in found], [0.05 + 0.0839 + 0.3, 0.05 + 0.1220 + 0.3], atol=2e-3)


def test_over_frequency_stage() -> None:
    """+0.8 Hz: 0.75 of the step after 0.1346 s."""
    found = sheds(LDSHBL, FREQUENCY, turning(0.8), 1.0)
    assert [share for _, share in found] == [0.3]
    np.testing.assert_allclose(found[0][0], 0.05 + 0.1346 + 0.5, atol=2e-3)


def test_frequency_jump_of_a_fault_does_not_shed() -> None:
    assert sheds(LDSHBL, FREQUENCY, lambda t: complex(np.exp(1j * np.pi / 6 * (t >= 0.05))), 0.6) == []


@pytest.mark.parametrize(
    ("model", "values", "text"),
    [
        (LVSHBL, {**VOLTAGE, "v1_pu": 1.01}, r"bus voltage starts at 1, below v1_pu = 1\.01"),
        (LVSHBL, {**VOLTAGE, "vo_pu": 0.99}, r"starts at 1, above vo_pu = 0\.99"),
        (LDSHBL, {**FREQUENCY, "f2_hz": 60.5}, r"frequency \[Hz\] starts at 60, below f2_hz = 60\.5"),
    ],
)
def test_relay_outside_its_band_at_rest_is_refused(model: Model, values: dict[str, float], text: str) -> None:
    with pytest.raises(InitialisationError, match=text):
        started(Sample(model, values), Start(1.0 + 0.0j, 0.0, 0.0))


def test_stage_without_a_share_is_not_there() -> None:
    started(Sample(LVSHBL, {**VOLTAGE, "v3_pu": 1.5}), Start(1.0 + 0.0j, 0.0, 0.0))
    assert LVSHBL.check is not None
    assert [name for name, _ in LVSHBL.check({**Sample(LVSHBL, VOLTAGE).filled(), "frac3": 0.9})] == ["frac3"]


def feeder(dynamics: dict[str, dict[str, float]], h_s: float = 0.0) -> Any:
    """A machine (h_s = 0: infinite bus) feeds load L of 50 MW, 20 MVAr over a reactance; its dynamic tables."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    a, b = (pp.create_bus(net, 110.0, name=name) for name in "AB")
    pp.create_gen(net, a, p_mw=0.0, vm_pu=1.02, sn_mva=100.0, slack=True, name="G", max_p_mw=100.0, min_p_mw=0.0)
    pp.create_line_from_parameters(net, a, b, 1.0, 0.6, 6.0, 0.0, 10.0, name="AB")
    pp.create_load(net, b, 50.0, 20.0, name="L")
    tables = {name: pd.DataFrame([{"unit": "L", **values}]) for name, values in dynamics.items()}
    tables["gencls"] = pd.DataFrame([{"unit": "G", "h_s": h_s, "xd1_pu": 0.2 if h_s else 1e-4}])
    return compile_system(Case.from_pandapower(net, dynamics=tables))


@pytest.mark.parametrize("load", [{"zip": {}}, {"zip": {"pz": 0, "pp": 1, "qz": 0, "qp": 1}}, {"motorw": {}}])
def test_engine_sheds_at_the_stage_times(load: dict) -> None:
    values = {**VOLTAGE, "vo_pu": 9.0}
    result = simulate(feeder({**load, "lvshbl": values}), [BusFault("B", 1.0, 1.4, x_pu=0.05)], until_s=4.0)
    shed = [e for e in result.events if e.kind == "shed"]
    np.testing.assert_allclose([e.t_s for e in shed], [1.15, 1.25], atol=2e-7)
    assert "25 % shed, 75 % left" in shed[0].text
    assert "10 % shed, 65 % left" in shed[1].text
    assert result.relay.shed["L"].iloc[-1] == pytest.approx(0.35)
    if "motorw" not in load:
        vm = result.bus.vm_pu["B"]
        law = (vm.iloc[-1] / vm.iloc[0]) ** 2 if load == {"zip": {}} else 1.0
        assert result.load.p_mw["L"].iloc[-1] == pytest.approx(50.0 * 0.65 * law, rel=1e-9)


def test_under_frequency_load_shedding_stops_the_fall() -> None:
    """20 MW more on a machine of 3 s without governor: 59.5 Hz after 0.5 / (60 * 20 / 600) s, plus the filter's 0.1 s.

    Load shed: 5 % + 7 % of the load, which is now 70 MW; then slower, and the third stage at 58 Hz. Frequency of a
    ramp lags by 2 tf = 0.1 s.
    """
    system = feeder({"zip": {"pz": 0, "pp": 1, "qz": 0, "qp": 1}, "ldshbl": FREQUENCY}, h_s=3.0)
    result = simulate(system, [LoadStep("L", 20.0, at_s=1.0)], until_s=4.0)
    shed = [e for e in result.events if e.kind == "shed"]
    rate = 60.0 * 20.0 / (2 * 3.0 * 100.0)
    np.testing.assert_allclose(shed[0].t_s, 1.0 + 0.5 / rate + 0.1 + 0.3, atol=0.02)
    assert len(shed) == 3
    assert result.load.p_mw["L"].iloc[-1] == pytest.approx(70.0 * (1 - 0.22), rel=1e-6)


def test_star_gives_every_load_a_relay_but_those_with_a_row_of_their_own() -> None:
    """In the tables of a case: `*` for all loads of ieee39, its own thresholds for L4."""
    case = load_case("ieee39")
    rows = [{"unit": "*", "f1_hz": 59.0, "frac1": 0.1}, {"unit": "L4", "f1_hz": 58.5, "frac1": 0.2}]
    system = compile_system(replace(case, dynamics={**case.dynamics, "ldshbl": pd.DataFrame(rows)}))
    (group,) = (g for g in system.groups if g.model.name == "LDSHBL")
    shares = {d.name: d.values["frac1"] for d in group.devices}
    assert len(shares) == len(group.devices) == len(system.network.loads.name)
    assert {name for name, share in shares.items() if share == 0.2} == {"L4"}


def test_relays_that_act_at_one_instant_all_act() -> None:
    """Every load of ieee39 below 0.9 pu by a bolted fault at bus 16 sheds, all at the same time."""
    case = load_case("ieee39")
    rows = [{"unit": "*", "v1_pu": 0.9, "t1_s": 0.1, "frac1": 0.1}]
    system = compile_system(replace(case, dynamics={**case.dynamics, "lvshbl": pd.DataFrame(rows)}))
    result = simulate(system, [BusFault("16", 1.0, 1.5)], until_s=2.0)
    shed = [e for e in result.events if e.kind == "shed"]
    at_once = [e for e in shed if abs(e.t_s - 1.1) < 1e-6]
    nodes = dict(zip(system.network.loads.name, system.network.loads.node, strict=True))
    volts = result.bus.vm_pu[result.bus.vm_pu.index < 1.05].iloc[-1]
    low = {name for name, node in nodes.items() if volts[system.network.nodes[node]] < 0.9}
    assert len(low) > 10
    assert {e.element for e in at_once} >= low
