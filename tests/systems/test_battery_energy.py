"""Power balance of UPS groups at every step, and battery energy through whole outages, both to 1e-9.

The balance of energy is an invariant of the integration: the charge and the energies exchanged are states with
derivatives that sum to zero, so it holds to rounding whatever the step, the cuts and the events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, RideThrough, Training, UpsClass
from gridai.engine import compile_system
from gridai.engine.events import BusFault
from gridai.engine.run import Run
from gridai.engine.simulation import _demands, _Recorder
from gridai.results import Channel
from gridai.results.ride_through import changes

DIPS = tuple(BusFault("POC", at_s=t, clear_s=t + 0.06, x_pu=0.05) for t in (1.0, 6.0))
SLOW = {"groups": 3, "v_spread_pu": 0.03, "delay_spread": 0.3, "return_s": 3.0, "walk_s": 4.0}
OUTAGES = {
    "battery, walk-in and recharge": UpsClass(battery_min=0.5, charge_pu=0.2, charge_eff=0.8, generator=0, **SLOW),
    "generator that recharges": UpsClass(
        battery_min=0.2, charge_pu=0.1, gen_start_s=2.0, gen_hold_s=8.0, soc0=0.9, **SLOW
    ),
    "empty battery, load lost and started again": UpsClass(battery_min=0.03, generator=0, **SLOW),
    "empty battery, bypass": UpsClass(battery_min=0.03, generator=0, bypass_low_pu=0.8, **SLOW),
    "eco": UpsClass(battery_min=0.5, eco=1, hold_s=5.0, eco_gain=0.04, charge_pu=0.3, **SLOW),
    "no battery": UpsClass(ups=0, **SLOW),
    "counted, then by hand": UpsClass(battery_min=0.3, count_n=2, gen_start_s=4.0, **SLOW),
}


@dataclass(frozen=True)
class Balance:
    """Rows of a run: recorded powers [MW], energies [MWh], float[nt, groups] by output."""

    t_s: np.ndarray
    y: dict[str, np.ndarray]
    result: Any


def played(row: UpsClass, step: Fraction = Fraction(1, 240), until_s: float = 40.0) -> Balance:
    """Every output of every group at every step: 107 MW in training, with two dips."""
    cluster = Cluster.of("H100", count=100_000, workload=Training(), ride_through=RideThrough((row,)))
    case = load_case("bench")
    case = replace(case, dynamics={"source": case.dynamics["source"].assign(r_pu=0.01, x_pu=0.1)})
    system = compile_system(case.with_cluster(cluster, bus="POC", name="dc"))
    group = next(g for g in system.groups if g.model.role == "cluster")
    places, channels = [], []
    for bus, node in system.network.node_of_bus.items():
        places += [2 * node, 2 * node + 1]
        channels += [Channel("bus", bus, name, "pu") for name in ("v_re_pu", "v_im_pu")]
    for k, d in enumerate(group.devices):
        for j, o in enumerate(group.model.outputs):
            places.append(group.y + k * group.width("y") + j)
            channels.append(Channel("ups", d.name, o.channel or o.name, o.unit, d.mva if o.on_base else 1.0))
    run = Run(system, _demands(system, list(DIPS), until_s, 0), step, 1, np.array(places, dtype=np.int64))
    actions = sorted((a for e in DIPS for a in e.actions(system)), key=lambda a: a.t_s)
    result = _Recorder(run, tuple(channels), until_s, float(step), 1).play(actions)
    names = {o.channel or o.name for o in group.model.outputs}
    return Balance(result.t_s, {n: result.values("ups", n) for n in names}, result)


@pytest.fixture(scope="module", params=OUTAGES)
def outage(request: Any) -> tuple[UpsClass, Balance]:
    row = OUTAGES[request.param]
    return row, played(row)


def test_the_outage_is_one(outage):
    _, b = outage
    assert any(c.leaves for c in changes(b.result))
    assert b.y["missed_mwh"][-1].min() > 0.01


def test_stages_sum_to_the_meter_at_every_step(outage):
    """p + battery + generator = load + loss. Asked 1e-9, reached 4e-16 of the load."""
    _, b = outage
    y = b.y
    left = y["p_mw"] + y["p_battery_mw"] + y["generator_pu"] - y["p_load_mw"] - y["loss_pu"]
    assert np.abs(left).max() < 1e-12 * y["p_demand_mw"].max()
    assert y["p_load_mw"].min() >= 0.0


def test_battery_energy_is_conserved_through_the_whole_outage(outage):
    """Energy lost from the battery is what the grid missed, less what the load and the generator missed and gave."""
    row, b = outage
    y = b.y
    taken = y["stored_mwh"][0] - y["stored_mwh"]
    account = y["missed_mwh"] - y["unserved_mwh"] - y["generator_mwh"] + y["loss_mwh"]
    moved = np.abs(y["missed_mwh"]).max()
    assert np.abs(taken - account).max() < 1e-12 * moved  # asked 1e-9, reached 3.4e-13
    size = row.battery_min / 60.0 * y["p_demand_mw"][0]
    assert y["stored_mwh"] == pytest.approx(y["soc"] * size, abs=3e-6 * size.max())
    assert y["stored_mwh"].min() > -1e-5 * size.max()  # a guard is located to a microsecond


def test_the_energies_are_those_of_the_recorded_powers(outage):
    """The integrated states against the trapezoidal rule on recorded powers: reached 1.5e-5."""
    _, b = outage
    y, h = b.y, np.diff(b.t_s)[:, None] / 3600.0
    for energy, power in (
        ("missed_mwh", y["p_demand_mw"] - y["p_mw"]),
        ("generator_mwh", y["generator_pu"]),
        ("loss_mwh", y["loss_pu"]),
    ):
        by_rows = (0.5 * h * (power[1:] + power[:-1])).sum(axis=0)
        assert y[energy][-1] == pytest.approx(by_rows, abs=1e-4 * np.abs(y["missed_mwh"]).max())


def test_the_balance_does_not_depend_on_the_step():
    row = OUTAGES["battery, walk-in and recharge"]
    coarse = played(row, Fraction(1, 200), 20.0)
    y = coarse.y
    account = y["missed_mwh"] - y["unserved_mwh"] - y["generator_mwh"] + y["loss_mwh"]
    assert np.abs(y["stored_mwh"][0] - y["stored_mwh"] - account).max() < 1e-12 * y["missed_mwh"].max()
    fine = played(row, Fraction(1, 960), 20.0)
    assert coarse.y["missed_mwh"][-1] == pytest.approx(fine.y["missed_mwh"][-1], rel=5e-4)  # reached 9e-5


def test_what_each_outage_does():
    """After the first dip: a UPS without a bypass loses its load when the battery is empty, one with it does not."""
    unserved = {name: played(OUTAGES[name], until_s=5.5).y["unserved_mwh"][-1].sum() for name in OUTAGES}
    assert unserved["battery, walk-in and recharge"] == pytest.approx(0.0, abs=1e-12)
    assert unserved["empty battery, load lost and started again"] > 0.05
    assert unserved["empty battery, bypass"] == pytest.approx(0.0, abs=1e-6)
    assert unserved["no battery"] > 0.1
    assert 0.0 < unserved["eco"] < 0.01  # the dip itself, until the transfer
