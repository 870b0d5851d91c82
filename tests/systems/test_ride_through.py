"""UPS groups in the engine: located crossings, exact timers, energy, sums, flapping, order of returns."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Constant, RideThrough, UpsClass
from gridai.engine import compile_system, simulate
from gridai.engine.events import BusFault
from gridai.engine.source_events import ForceAway, ReturnLoad, SourceImpedance
from gridai.results.ride_through import away_by_cause, away_mw, changes, groups_of, load_by_state


def system(*classes: UpsClass, x_pu: float = 0.1) -> Any:
    """The bench: 107 MW behind x_pu on 100 MVA."""
    cluster = Cluster.of("H100", count=100_000, workload=Constant(), ride_through=RideThrough(classes))
    case = load_case("bench")
    source = case.dynamics["source"].assign(r_pu=0.1 * x_pu, x_pu=x_pu)
    case = replace(case, dynamics={"source": source})
    return compile_system(case.with_cluster(cluster, bus="POC", name="dc"))


DIPS = [BusFault("POC", at_s=t, clear_s=t + 0.06, x_pu=0.05) for t in (1.0, 6.0, 11.0)]


@pytest.fixture(scope="module")
def three_dips() -> Any:
    row = UpsClass(groups=10, v_spread_pu=0.03, delay_spread=0.3, count_n=3, return_s=1.0, walk_s=2.0)
    return simulate(system(row), DIPS, until_s=20.0)


def test_the_cluster_is_the_sum_of_its_groups(three_dips):
    for quantity in ("p_mw", "q_mvar", "p_demand_mw", "p_load_mw"):
        groups, whole = three_dips.values("ups", quantity), three_dips.values("cluster", quantity)
        assert np.abs(groups.sum(axis=1) - whole[:, 0]).max() < 1e-9
    assert three_dips.names("cluster", "p_mw") == ("dc",)
    assert len(groups_of(three_dips)) == 10


def test_counting_latches_all_at_the_third_dip(three_dips):
    assert away_by_cause(three_dips) == {"counting of disturbances": pytest.approx(107.125)}
    lost = [c for c in changes(three_dips) if c.after == "latched"]
    assert len(lost) == 10
    assert all(11.0 < c.t_s < 11.1 for c in lost)
    assert three_dips.cluster.p_mw["dc"].iloc[-1] == 0.0
    states = load_by_state(three_dips)
    assert states["latched"][-1] == pytest.approx(107.125)
    assert sum(states.values()) == pytest.approx(np.full(len(three_dips.t_s), 107.125))


def test_timers_are_exact(three_dips):
    """Walk-in takes walk_s, to the tolerance to which crossings are located."""
    moves = [c for c in changes(three_dips) if c.group == "dc/ups03"]
    walking = [c.t_s for c in moves if c.after == "walking in"]
    back = [c.t_s for c in moves if c.after == "normal"]
    assert len(walking) == len(back) == 2
    assert np.array(back) - np.array(walking) == pytest.approx(2.0, abs=1e-6)


def test_without_counting_all_return():
    row = UpsClass(groups=10, v_spread_pu=0.03, delay_spread=0.3, return_s=1.0, walk_s=2.0)
    result = simulate(system(row), DIPS, until_s=20.0)
    assert away_mw(result).max() == pytest.approx(107.125)
    assert away_mw(result)[-1] == 0.0
    assert result.cluster.p_mw["dc"].iloc[-1] == pytest.approx(107.125, rel=0.06)  # batteries charge


def test_crossings_do_not_depend_on_the_step():
    row = UpsClass(groups=5, v_spread_pu=0.03, delay_spread=0.3, return_s=0.5, walk_s=1.0)
    fine, coarse = (simulate(system(row), DIPS[:1], until_s=4.0, step_s=h) for h in (1 / 960, 1 / 240))
    a, b = (changes(r) for r in (fine, coarse))
    assert len(a) == len(b) == 15
    pairs = list(zip(a, b, strict=True))
    assert max(abs(x.t_s - y.t_s) for x, y in pairs if x.leaves) < 1e-5  # reached: 3e-6 s
    assert max(abs(x.t_s - y.t_s) for x, y in pairs) < 1e-3  # reached: 3e-4 s, the lag of the recovering voltage


def test_an_empty_battery_loses_the_load_unless_a_generator_starts():
    row = {"groups": 1, "battery_min": 0.05, "return_policy": "hand"}
    dark = simulate(system(UpsClass(generator=0, **row)), DIPS[:1], until_s=8.0)
    assert [c.after for c in changes(dark)] == ["latched", "off"]
    assert changes(dark)[1].t_s - changes(dark)[0].t_s == pytest.approx(3.0, abs=0.06)
    assert dark.cluster.p_load_mw["dc"].iloc[-1] == 0.0
    fed = simulate(system(UpsClass(generator=1, gen_start_s=2.0, **row)), DIPS[:1], until_s=8.0)
    assert [c.after for c in changes(fed)] == ["latched", "on generator"]
    assert changes(fed)[1].t_s - changes(fed)[0].t_s == pytest.approx(2.0, abs=1e-6)
    assert fed.cluster.p_load_mw["dc"].iloc[-1] == pytest.approx(107.125)


def test_a_hand_returns_them_in_parts():
    row = UpsClass(groups=8, return_policy="hand", return_s=1.0, walk_s=1.0, gen_start_s=1000.0)
    events = [ForceAway("dc", at_s=1.0, share=1.0), ReturnLoad("dc", at_s=5.0, parts=4, every_s=3.0)]
    result = simulate(system(row), events, until_s=20.0)
    back = [c.t_s for c in changes(result) if c.after == "walking in"]
    assert back == pytest.approx([6.0, 6.0, 9.0, 9.0, 12.0, 12.0, 15.0, 15.0], abs=1e-6)
    assert {c.cause for c in changes(result)} == {"forced"}
    assert away_mw(result)[-1] == 0.0


def test_a_weak_grid_flaps_and_counting_ends_it():
    """A line is lost: with the load the voltage lies under the threshold, without it above, again and again."""
    row = {"groups": 4, "under1_pu": 0.94, "v_return_low_pu": 0.95, "return_s": 0.3, "walk_s": 0.05}
    lost = [SourceImpedance("SRC", r_pu=0.03, x_pu=0.3, at_s=1.0)]
    free = simulate(system(UpsClass(**row)), lost, until_s=8.0)
    held = simulate(system(UpsClass(count_n=3, v_count_pu=0.94, **row)), lost, until_s=8.0)
    leaves = [sum(c.leaves for c in changes(r)) for r in (free, held)]
    assert leaves[0] > 40
    assert leaves[1] <= 16
    assert away_by_cause(held) == {"counting of disturbances": pytest.approx(107.125)}


def test_twenty_groups_cost_little():
    row = UpsClass(groups=20, v_spread_pu=0.03, delay_spread=0.3, return_s=1.0, walk_s=2.0)
    made = system(row)
    simulate(made, DIPS, until_s=1.0)
    start = time.process_time()
    simulate(made, DIPS, until_s=20.0)
    assert time.process_time() - start < 2.0  # 0.1 s on a quiet machine
