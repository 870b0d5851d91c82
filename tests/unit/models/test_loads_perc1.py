"""PERC1: what is published of it (washouts, lead-lags, the part that stays away), and gridai's own timers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import InitialisationError
from gridai.kernel.contract import Start
from gridai.models.loads.perc1 import MODEL as PERC1

from .conformance import Sample, started

OP = Start(1.0 + 0.0j, 0.8, 0.3)
VALUES = {"fcease": 0.6, "frecon": 0.75, "tc1_s": 0.05, "tr_s": 0.5, "rr_per_s": 0.5, "tv_s": 0.002}


def system(values: dict[str, float]) -> Any:
    """60 MW of this load behind a line on an infinite bus, which holds 1.0 pu."""
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    a, b = (pp.create_bus(net, 110.0, name=name) for name in "AB")
    pp.create_gen(net, a, p_mw=0.0, vm_pu=1.0, sn_mva=1000.0, slack=True, name="G", max_p_mw=1000.0, min_p_mw=0.0)
    pp.create_line_from_parameters(net, a, b, 1.0, 0.6, 4.8, 0.0, 10.0, name="AB")
    pp.create_load(net, b, 60.0, 10.0, name="L")
    tables = {
        "perc1": pd.DataFrame([{"unit": "L", **values}]),
        "gencls": pd.DataFrame([{"unit": "G", "h_s": 0.0, "xd1_pu": 1e-4}]),
    }
    return compile_system(Case.from_pandapower(net, dynamics=tables))


def test_ceases_reconnects_and_leaves_out_what_is_published() -> None:
    """1 - fcease + frecon fcease = 0.85 after one event; then 0.4 + 0.6 * 0.75^2 = 0.7375 after a second one."""
    faults = [BusFault("B", 1.0, 1.1, x_pu=0.02), BusFault("B", 6.0, 6.1, x_pu=0.02)]
    result = simulate(system(VALUES), faults, until_s=12.0)
    part = result.load.connected["L"]
    assert part[part.index < 5.9].iloc[-1] == pytest.approx(0.85, abs=1e-9)
    assert part.min() == pytest.approx(0.4, abs=1e-9)
    assert part.iloc[-1] == pytest.approx(0.7375, abs=1e-9)
    assert result.load.p_mw["L"].iloc[-1] == pytest.approx(60.0 * 0.7375, rel=1e-9)
    texts = [e.text for e in result.events if e.kind == "relay"]
    assert texts == ["PERC1: load ceases", "PERC1: load reconnects"] * 2


def test_times_and_ramp_of_one_event() -> None:
    """Ceased tc1 after the voltage behind 2 ms fell below 0.7; back tr after it rose above 0.9; then 2 s of ramp."""
    result = simulate(system(VALUES), [BusFault("B", 1.0, 1.1, x_pu=0.02)], until_s=6.0)
    ceased, back = (e.t_s for e in result.events if e.kind == "relay")
    assert 1.05 < ceased < 1.05 + 0.005
    assert 1.6 < back < 1.6 + 0.02
    part = result.load.connected["L"]
    ramp = part[(part.index > back + 0.1) & (part.index < back + 1.9)]
    slope = np.polyfit(ramp.index, ramp.to_numpy(), 1)[0]
    assert slope == pytest.approx(0.6 * 0.75 * 0.5, rel=1e-9)
    after = part[part.index > back]
    assert after.index[np.argmax(after.to_numpy() > 0.85 - 1e-9)] == pytest.approx(back + 2.0, abs=1 / 240)


def test_short_dip_changes_nothing_for_good() -> None:
    """P and Q come back to their start if the voltage does and nothing ceased."""
    values = {**VALUES, "kvp": 1.0, "tvp_s": 0.05, "kvq": 2.0, "tap_s": 0.01, "tbp_s": 0.03}
    result = simulate(system(values), [BusFault("B", 1.0, 1.04, x_pu=0.05)], until_s=4.0)
    assert not [e for e in result.events if e.kind == "relay"]
    assert result.load.p_mw["L"].iloc[-1] == pytest.approx(60.0, rel=1e-9)
    assert result.load.q_mvar["L"].iloc[-1] == pytest.approx(10.0, rel=1e-9)
    assert result.load.p_mw["L"].min() < 50.0


def test_small_signal_is_the_washout_and_the_lead_lag() -> None:
    """dP/dV = P0 kvp s tvp / (1 + s tvp) (1 + s tap) / (1 + s tbp), by differences of the kernels."""
    values = {"kvp": 1.5, "tvp_s": 0.05, "tap_s": 0.01, "tbp_s": 0.03, "imax": 5.0}
    unit = started(Sample(PERC1, values), OP)
    names = ("p_lag", "wash_p_pu")
    step = 1e-6

    def probe() -> tuple[np.ndarray, float]:
        unit.evaluate()
        return np.array([float(unit.d[n]) for n in names]), float(unit.y.p_pu)

    d0, y0 = probe()
    columns, row = [], []
    for n in names:
        unit.x[n] += step
        d1, y1 = probe()
        unit.x[n] -= step
        columns.append((d1 - d0) / step)
        row.append((y1 - y0) / step)
    unit.set_voltage(1.0 + step + 0.0j)
    d1, y1 = probe()
    a, b, c, d = np.array(columns).T, (d1 - d0) / step, np.array(row), (y1 - y0) / step
    for w in (1.0, 10.0, 100.0):
        s = 1j * w
        found = c @ np.linalg.solve(s * np.eye(2) - a, b) + d
        expected = 0.8 * 1.5 * s * 0.05 / (1 + s * 0.05) * (1 + s * 0.01) / (1 + s * 0.03)
        assert found == pytest.approx(expected, rel=1e-5)


def test_frequency_acts_beyond_the_deadband_only() -> None:
    unit = started(Sample(PERC1, {"kfp": 2.0, "tbp_s": 0.0}), OP)
    for df, expected in ((0.0005, 0.8), (-0.0005, 0.8), (0.0026, 0.8 * 1.004), (-0.0026, 0.8 * 0.996)):
        unit.x.df_pu = df
        unit.evaluate()
        assert unit.y.p_pu == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("v", "size"), [(0.9, 1 / 0.9), (0.8, 1.2), (0.5, 1.2), (0.3, 1.2), (0.15, 0.6), (0.0, 0.0)])
def test_current_is_limited(v: float, size: float) -> None:
    """Constant power up to 1.2 times the current of the start; below 0.3 pu in proportion to the voltage."""
    unit = started(Sample(PERC1, {}), OP)
    assert abs(unit.call("current", v + 0.0j)) == pytest.approx(size * abs(0.8 + 0.3j), rel=1e-12)


def test_high_voltage_makes_it_cease_too() -> None:
    unit = started(Sample(PERC1, {**VALUES, "vc3_pu": 1.1}), OP)
    unit.x.vm_pu = 1.15
    unit.call("guards", t=1.0)
    assert unit.g.high > 0.0
    assert unit.g.low1 < 0.0


def test_start_and_data_that_cannot_be() -> None:
    with pytest.raises(InitialisationError, match=r"PERC1: bus voltage starts at 0\.6 pu, below vc1_pu = 0\.7"):
        started(Sample(PERC1, {}), Start(0.6 + 0.0j, 0.8, 0.3))
    assert PERC1.check is not None
    for values, name in (
        ({"vr1_pu": 1.2}, "vr1_pu"),
        ({"vc3_pu": 0.6}, "vc3_pu"),
        ({"dbfl_pu": -0.1, "dbfh_pu": -0.05}, "dbfl_pu"),
        ({"tap_s": 0.1, "tbp_s": 0.0}, "tap_s"),
    ):
        assert name in [n for n, _ in PERC1.check({**Sample(PERC1).filled(), **values})]
