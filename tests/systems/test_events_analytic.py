"""Generator trip, load step and ZIP loads against what can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.engine import BusFault, GeneratorTrip, LoadStep, compile_system, simulate

AT_S = 0.5013


def after(result: Any, t_s: float) -> int:
    """Row of the instant after an event."""
    return int(np.flatnonzero(result.t_s == t_s)[-1])


def coi_slope(result: Any, over_s: float = 0.004) -> float:
    """Initial rate of the centre of inertia after AT_S [Hz/s], over one step."""
    f = result.system.f_hz["COI"].to_numpy()
    row = after(result, AT_S)
    later = int(np.searchsorted(result.t_s, AT_S + over_s))
    return float((f[later] - f[row]) / (result.t_s[later] - result.t_s[row]))


def test_generator_trip(compiled) -> None:
    """The rest slows by its own shortfall over its stored energy: df/dt = -f0 dP / (2 E). Reached within 0.2 %."""
    result = simulate(compiled("ieee39"), [GeneratorTrip("G6", AT_S)], 3.0)
    row = after(result, AT_S)
    rest = [g for g in result.gen.elements if g != "G6"]
    shortfall = (result.gen.p_mw[rest].iloc[row] - result.gen.pm_mw[rest].iloc[row]).sum()
    assert 300.0 < shortfall < 650.0  # 415: 650 MW less what the lower voltages take off the loads
    stored = sum(result.meta["inertia_mws"][g] for g in rest)
    assert coi_slope(result) == pytest.approx(-60.0 * shortfall / (2 * stored), rel=0.01)
    assert result.gen.p_mw["G6"].iloc[-1] == 0.0
    assert np.isnan(result.gen.speed_pu["G6"].iloc[row:]).all()
    assert result.meta["units_off"] == {"G6": AT_S}
    assert [(e.kind, e.element) for e in result.events] == [("trip", "G6"), ("trip", "G6")]


def test_load_step(compiled) -> None:
    """200 MW more at load L16: the first slope is that of the swing equation, and the load draws what its law says."""
    system = compiled("ieee39")
    result = simulate(system, [LoadStep("L16", 200.0, 30.0, at_s=AT_S)], 3.0)
    row = after(result, AT_S)
    electrical = (result.gen.p_mw.iloc[row] - result.gen.p_mw.iloc[0]).sum()
    stored = sum(result.meta["inertia_mws"].values())
    assert coi_slope(result) == pytest.approx(-60.0 * electrical / (2 * stored), rel=0.01)
    share = (result.bus.vm_pu["16"] / result.bus.vm_pu["16"].iloc[0]) ** 2
    p0, q0 = result.load.p_mw["L16"].iloc[0], result.load.q_mvar["L16"].iloc[0]
    assert result.load.p_mw["L16"].iloc[row:].to_numpy() == pytest.approx((p0 + 200.0) * share.iloc[row:].to_numpy())
    assert result.load.q_mvar["L16"].iloc[row:].to_numpy() == pytest.approx((q0 + 30.0) * share.iloc[row:].to_numpy())


def test_a_load_step_and_its_reverse_leave_nothing_behind(compiled) -> None:
    """Up at 0.5013 s and down at the same instant: the run is as if nothing had happened."""
    events = [LoadStep("L16", 200.0, at_s=AT_S), LoadStep("L16", -200.0, at_s=AT_S)]
    result = simulate(compiled("ieee39"), events, 2.0)
    assert np.abs(result.data - result.data[0]).max() < 1e-9


def with_loads(**shares: float) -> Any:
    """kundur with one law for all loads."""
    case = load_case("kundur")
    law = {"pz": 0.0, "pi": 0.0, "pp": 0.0, "qz": 0.0, "qi": 0.0, "qp": 0.0} | shares
    table = pd.DataFrame({"unit": ["*"], **{k: [v] for k, v in law.items()}})
    return compile_system(replace(case, dynamics={**case.dynamics, "zip": table}))


@pytest.mark.parametrize(
    ("law", "p_factor"),
    [
        ({"pz": 1.0, "qz": 1.0}, lambda v, v0: (v / v0) ** 2),
        ({"pi": 1.0, "qz": 1.0}, lambda v, v0: np.where(v >= 0.7, v / v0, v**2 / (v0 * 0.7))),
        ({"pp": 1.0, "qz": 1.0}, lambda v, v0: np.where(v >= 0.7, 1.0, (v / 0.7) ** 2)),
        (
            {"pz": 0.2, "pi": 0.3, "pp": 0.5, "qz": 1.0},
            lambda v, v0: np.where(
                v >= 0.7,
                0.2 * (v / v0) ** 2 + 0.3 * v / v0 + 0.5,
                0.2 * (v / v0) ** 2 + 0.3 * v**2 / (v0 * 0.7) + 0.5 * (v / 0.7) ** 2,
            ),
        ),
    ],
    ids=["impedance", "current", "power", "mixed"],
)
def test_zip_law_above_and_below_the_switch(law: dict[str, float], p_factor: Any) -> None:
    """Through a fault that takes bus 9 to 0.53 to 0.66 pu every recorded power lies on the law."""
    result = simulate(with_loads(**law), [BusFault("8", 0.5, 0.53, x_pu=0.01)], 1.0)
    for bus, load in (("7", "L7"), ("9", "L9")):
        v, p = result.bus.vm_pu[bus].to_numpy(), result.load.p_mw[load].to_numpy()
        assert p == pytest.approx(p[0] * p_factor(v, v[0]), rel=1e-8)
    assert result.bus.vm_pu["9"].min() < 0.7
    assert result.bus.vm_pu["9"].iloc[0] > 0.9


def test_constant_power_comes_back_above_the_switch() -> None:
    """No solution lies near the faulted voltages (0.67, 0.58 pu); the one at 0.89, 0.86 pu is found."""
    result = simulate(with_loads(pp=1.0, qz=1.0), [BusFault("8", 0.5, 0.53, x_pu=0.03)], 0.6)
    row = after(result, 0.53)
    assert result.bus.vm_pu[["7", "9"]].iloc[row - 1].to_numpy() == pytest.approx([0.667, 0.583], abs=1e-3)
    assert result.bus.vm_pu[["7", "9"]].iloc[row].to_numpy() == pytest.approx([0.887, 0.863], abs=1e-3)


@pytest.mark.parametrize("law", [{"pi": 1.0, "qi": 1.0}, {"pp": 1.0, "qp": 1.0}], ids=["current", "power"])
def test_currents_balance_at_every_row(law: dict[str, float]) -> None:
    """Generated = consumed + lost: the network's own admittances close the balance to 1e-8 pu through the fault."""
    system = with_loads(**law)
    result = simulate(system, [BusFault("8", 0.5, 0.53, x_pu=0.01)], 1.0)
    net = system.network
    n = len(net.nodes)
    y = np.diag(np.asarray(net.shunt_pu, dtype=complex))
    b = net.branches
    for k in np.flatnonzero(b.in_service):
        f, t = b.from_node[k], b.to_node[k]
        y[f, f] += b.y_ff[k]
        y[f, t] += b.y_ft[k]
        y[t, f] += b.y_tf[k]
        y[t, t] += b.y_tt[k]
    v = result.bus.v_re_pu[list(net.nodes)].to_numpy() + 1j * result.bus.v_im_pu[list(net.nodes)].to_numpy()
    s = v * np.conj(v @ y.T)
    for k, unit in enumerate(net.units.name):
        s[:, net.units.node[k]] -= (result.gen.p_mw[unit] + 1j * result.gen.q_mvar[unit]).to_numpy() / net.s_base_mva
    for k, load in enumerate(net.loads.name):
        s[:, net.loads.node[k]] += (result.load.p_mw[load] + 1j * result.load.q_mvar[load]).to_numpy() / net.s_base_mva
    faulted = (result.t_s >= 0.5) & (result.t_s <= 0.53)
    quiet = np.delete(np.arange(n), system.node("8"))
    assert np.abs(s[:, quiet]).max() < 1e-8
    assert np.abs(s[~faulted]).max() < 1e-8
