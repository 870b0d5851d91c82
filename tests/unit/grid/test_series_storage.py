"""Storages with energy along a time axis: books that balance, analytic courses, powers settled with the flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridai.errors import CaseError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.series import blocks, hours_of
from gridai.grid.series_site import with_site
from gridai.grid.series_storage import Fleet, Rule, Store, stores_of


def feeder(load_mw: float = 6.0) -> Any:
    net = pp.create_empty_network()
    hv, lv, end = pp.create_bus(net, 110.0), pp.create_bus(net, 20.0, name="lv"), pp.create_bus(net, 20.0, name="end")
    pp.create_ext_grid(net, hv)
    pp.create_transformer(net, hv, lv, "25 MVA 110/20 kV", name="T1")
    pp.create_line(net, lv, end, 8.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="L1")
    pp.create_load(net, end, load_mw, 1.0)
    return net


def store(index: int = 0, **changed: float) -> Store:
    values = {"charge_mw": 2.0, "discharge_mw": 2.0, "least_mwh": 0.0, "most_mwh": 4.0, "start_mwh": 2.0,
              "eta_in": 0.95, "eta_out": 0.95}  # fmt: skip
    return Store(index, f"B{index}", 2, **{**values, **changed})


def site_fleet(net_mw: Any, rule: Rule, stores: Any) -> Fleet:
    return Fleet(BatchFlow(feeder()), stores, rule, site=lambda a, b: np.asarray(net_mw[a:b], dtype=float))


def run(fleet: Fleet, t_s: Any, solve: Any = None, chunk: int = 97) -> tuple[Any, Any]:
    """Powers and energies, float[n, storages], in blocks; without a network unless one is given."""
    hours, p, e = hours_of(t_s), [], []

    class Fine:
        def __init__(self, power: Any) -> None:
            self.solved = np.ones(len(power), dtype=bool)

    for k0 in range(0, len(t_s), chunk):
        at = slice(k0, min(k0 + chunk, len(t_s)))
        _, stored = fleet.settle(k0, t_s[at], hours[at], solve or Fine)
        fleet.keep(stored, hours[at])
        p.append(stored.p_mw)
        e.append(stored.e_mwh)
    return np.concatenate(p), np.concatenate(e)


@pytest.mark.parametrize("seed", range(5))
def test_the_books_balance_and_the_bounds_hold(seed: int):
    """Random load, uneven steps, two storages: sum of power x time = change of energy + losses. Reached: 4e-14 MWh."""
    rng = np.random.default_rng(seed)
    n = 2000
    t_s = np.cumsum(rng.uniform(10.0, 900.0, n))
    load = rng.normal(1.0, 2.5, n)
    stores = (store(0, eta_in=0.9, eta_out=0.97), store(1, most_mwh=1.0, start_mwh=0.1, charge_mw=0.5, least_mwh=0.1))
    kind = Rule("own", "site", 0.0, 0.0, 0.1, 60.0) if seed % 2 else Rule("shave", "site", 1.5, 0.5)
    fleet = site_fleet(load, kind, stores)
    p, e = run(fleet, t_s)
    hours = hours_of(t_s)
    start = np.array([s.start_mwh for s in stores])
    taken = (p * hours[:, None]).sum(axis=0)
    assert np.abs(taken - (e[-1] - start) - fleet.lost_mwh).max() < 1e-9
    assert np.abs(fleet.charged_mwh - fleet.discharged_mwh - taken).max() < 1e-9
    for j, s in enumerate(stores):
        assert e[:, j].min() >= s.least_mwh
        assert e[:, j].max() <= s.most_mwh
        assert p[:, j].max() <= s.charge_mw
        assert p[:, j].min() >= -s.discharge_mw
        charged, given = np.maximum(p[:, j], 0.0) @ hours, -np.minimum(p[:, j], 0.0) @ hours
        assert fleet.lost_mwh[j] == pytest.approx((1 - s.eta_in) * charged + (1 / s.eta_out - 1) * given, abs=1e-9)
    assert np.abs(p).sum() > 100.0


def test_blocks_do_not_matter():
    load = np.random.default_rng(1).normal(1.0, 2.0, 500)
    t_s = 60.0 * np.arange(500)
    rule = Rule("shave", "site", 1.5, 0.8, 0.1, 180.0)
    one, many = (run(site_fleet(load, rule, (store(),)), t_s, chunk=c) for c in (500, 7))
    assert np.array_equal(one[0], many[0])
    assert np.array_equal(one[1], many[1])


def test_a_peak_of_two_hours_is_shaved_as_by_hand():
    """3 MW for two hours over a level of 2 MW: 1 MW is given until 2 MWh x 0.95 are out; then 2.0 - 0.5 MW go in."""
    t_s = 60.0 * np.arange(360)
    load = np.where((t_s >= 3600) & (t_s < 10_800), 3.0, 0.5)
    fleet = site_fleet(load, Rule("shave", "site", 2.0, 2.0), (store(start_mwh=2.0, most_mwh=2.0),))
    p, e = run(fleet, t_s)
    assert p[:60, 0] == pytest.approx(0.0, abs=1e-12)  # full
    assert p[60:174, 0] == pytest.approx(-1.0)  # 1.9 h
    assert e[173, 0] == pytest.approx(0.0, abs=1e-12)
    assert p[174:180, 0] == pytest.approx(0.0, abs=1e-12)
    assert fleet.short_mwh == pytest.approx(0.1)
    assert p[180:264, 0] == pytest.approx(1.5)  # 2 / 0.95 / 1.5 h = 84.2 min
    assert p[264, 0] == pytest.approx((2.0 / 0.95 - 1.5 * 84 / 60) * 60.0)
    assert e[-1, 0] == pytest.approx(2.0)


def test_surplus_is_kept_for_the_evening_and_the_grid_gives_nothing():
    """PV 3 MW against 1 MW for an hour, then none: 2 MWh x 0.95 in, and 1 MW x 0.95 x 1.9 h out."""
    t_s = 60.0 * np.arange(300)
    net = np.where(t_s < 3600, -2.0, 1.0)
    fleet = site_fleet(net, Rule("own", "site", 0.0, 0.0), (store(start_mwh=0.0),))
    p, _ = run(fleet, t_s)
    assert (net + p[:, 0])[:60] == pytest.approx(0.0, abs=1e-12)
    assert -p[60:, 0].sum() / 60.0 == pytest.approx(2.0 * 0.95 * 0.95)
    assert np.flatnonzero(p[60:, 0] < 0.0)[-1] == 108  # 1.805 h = 108.3 min


def test_dead_band_and_delay():
    """A rise by 0.3 MW is within the dead band; one by 1 MW moves the storage after 120 s, and it rests at once."""
    t_s = 60.0 * np.arange(20)
    load = np.array([2.0] * 4 + [2.3] * 4 + [3.0] * 6 + [2.2, 1.9] + [3.0] * 4)
    fleet = site_fleet(load, Rule("shave", "site", 2.0, 0.0, 0.5, 120.0), (store(),))
    p, _ = run(fleet, t_s, chunk=3)
    assert np.round(p[:, 0], 9).tolist() == [0.0] * 10 + [-1.0] * 4 + [-0.2, 0.0, 0.0, 0.0, -1.0, -1.0]


def test_a_schedule_is_bound_by_power_and_energy():
    asked = np.array([[3.0]] * 60 + [[-3.0]] * 240)
    fleet = Fleet(BatchFlow(feeder()), (store(eta_in=1.0, eta_out=1.0),), asked=lambda a, b: asked[a:b])
    p, _ = run(fleet, 60.0 * np.arange(300))
    assert p[:60, 0] == pytest.approx(2.0)
    assert p[60:180, 0] == pytest.approx(-2.0)
    assert p[180:, 0] == pytest.approx(0.0, abs=1e-12)
    assert fleet.short_mwh == pytest.approx(1.0 + 2.0 + 6.0)


def flowing(net: Any, load: Any, rule: Rule, energy: float = 40.0, power: float = 4.0, chunk: int = 200) -> Any:
    """The blocks of a course of the load, with one battery at its bus."""
    made = with_site(net, 2, storage_mw=power, storage_mwh=energy)
    flow = BatchFlow(made.net)
    fleet = Fleet(flow, stores_of(made.net, 0.9), rule)

    def vary(a: int, b: int, stored: Any) -> list[Vary]:
        return [Vary("load", "p_mw", load[a:b, None], [0]), Vary("storage", "p_mw", stored, [made.battery])]

    t_s = 60.0 * np.arange(len(load))
    return made, fleet, list(blocks(flow, t_s, vary, fleet=fleet, watch=rule.at, chunk=chunk))


@pytest.mark.parametrize("at", [("trafo", 0), ("line", 0), "slack"])
def test_the_flow_is_held_at_the_level_as_runpp_has_it(at: Any):
    """Flow through the transformer, through the line, or what the slack gives; the battery stands behind losses."""
    load = 7.0 + 3.0 * np.sin(np.arange(400) / 30.0)
    made, fleet, found = flowing(feeder(), load, Rule("shave", at, 8.0, 6.0))
    p = np.concatenate([b.stored.p_mw[:, 0] for b in found])
    seen = np.concatenate([b.watched_mw for b in found])
    vm = np.concatenate([b.vm_pu for b in found])
    assert fleet.unsettled == 0
    giving, taking = p < -1e-6, p > 1e-6
    assert giving.sum() > 50
    assert taking.sum() > 50
    assert np.abs(seen[giving & (p > -4.0)] - 8.0).max() < 1e-6  # reached: 1.4e-13
    assert np.abs(seen[taking & (p < 4.0)] - 6.0).max() < 1e-6
    assert seen.max() < 8.0 + 1e-6
    net = made.net
    table, column = (
        ("res_ext_grid", "p_mw") if at == "slack" else (f"res_{at[0]}", f"p_{'hv' if at[0] == 'trafo' else 'from'}_mw")
    )
    for k in range(0, 400, 23):
        net.load.at[0, "p_mw"], net.storage.at[made.battery, "p_mw"] = load[k], p[k]
        pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-9, numba=False)
        assert np.abs(net.res_bus.vm_pu.to_numpy() - vm[k]).max() < 1e-8  # reached: 6e-13
        assert net[table].at[0, column] == pytest.approx(seen[k], abs=1e-6)


def test_what_the_feeder_cannot_carry_alone_is_tried_with_the_battery():
    """60 MW at the end of the line have no solution, 60 MW less 40 MW of the battery have one; 200 MW have none."""
    load = np.array([6.0, 60.0, 60.0, 200.0, 6.0])
    _, fleet, found = flowing(feeder(), load, Rule("shave", ("trafo", 0), 15.0, 1.0), energy=20.0, power=50.0)
    solved = np.concatenate([b.solved for b in found])
    p = np.concatenate([b.stored.p_mw[:, 0] for b in found])
    assert solved.tolist() == [True, True, True, False, True]
    assert (p[1:3] < -30.0).all()
    assert p[3] == 0.0
    assert fleet.lost_mwh[0] > 0.0


def test_a_place_that_the_storage_does_not_move_and_faults_of_the_table_are_named():
    net = feeder()
    other = pp.create_bus(net, 20.0)
    pp.create_line(net, 1, other, 2.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="L2")
    pp.create_load(net, other, 1.0, 0.2)
    with pytest.raises(CaseError, match=r"battery.*only .* MW for each of theirs"):
        flowing(net, np.full(10, 6.0), Rule("shave", ("line", 1), 0.5, 0.4))
    for row in ({"max_e_mwh": 1.0, "soc_percent": 120.0}, {"max_e_mwh": 1.0, "min_e_mwh": 2.0}):
        pp.create_storage(net, 2, 0.0, **{"min_e_mwh": 0.0, "soc_percent": 50.0, **row}, name="S")
    with pytest.raises(CaseError, match=r"(?s)soc_percent.*100.*max_e_mwh"):
        stores_of(net, 0.9)
    free = store(charge_mw=np.inf)
    with pytest.raises(CaseError, match="'B0' states no power"):
        Fleet(BatchFlow(feeder()), (free,), Rule("own", "site", 0.0, 0.0))


def test_a_site_gets_its_rows_and_the_net_given_stays():
    net = feeder()
    pp.create_sgen(net, 2, 1.0, name="PV")
    made = with_site(net, 2, pv_mw=3.0, storage_mw=2.0, storage_mwh=5.0, soc_percent=40.0, owner="DC1")
    assert (len(net.sgen), len(net.storage)) == (1, 0)
    assert made.net.sgen.at[made.pv, "name"] == "DC1 PV"
    (one,) = stores_of(made.net, 0.81)
    assert (one.name, one.charge_mw, one.discharge_mw, one.start_mwh) == ("battery", 2.0, 2.0, 2.0)
    assert one.eta_in == pytest.approx(0.9)
    assert with_site(net, 2).net is net
