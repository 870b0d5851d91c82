"""Wrong inputs on a transmission grid and on two feeders: what is wrong is said by name, and how far it is beyond."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.errors import CaseError, PowerFlowError
from gridai.grid import solve
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.nose import explain
from gridai.grid.ties import open_ties

pytestmark = pytest.mark.filterwarnings("ignore")


def changed(name: str, mistake: Any) -> Any:
    net = copy.deepcopy(load_case(name).net)
    mistake(net)
    return net


def one_load_in_kw(net: Any) -> None:
    net.load.loc[net.load.index[3], ["p_mw", "q_mvar"]] *= 1000.0


def all_loads_in_kw(net: Any) -> None:
    net.load[["p_mw", "q_mvar"]] *= 1000.0


def a_load_without_power(net: Any) -> None:
    net.load.loc[net.load.index[2], "p_mw"] = np.nan


def no_impedance(net: Any) -> None:
    net.line.loc[net.line.index[2], ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0


def no_length(net: Any) -> None:
    net.line.loc[net.line.index[1], "length_km"] = 0.0


def a_bus_in_volts(net: Any) -> None:
    net.bus.loc[net.line["from_bus"].iloc[3], "vn_kv"] /= 1000.0


def a_set_point_in_kv(net: Any) -> None:
    table = "gen" if len(net.gen) else "ext_grid"
    net[table].loc[net[table].index[0], "vm_pu"] = 345.0


def five_times_the_load(net: Any) -> None:
    net.load[["p_mw", "q_mvar"]] *= 5.0


def a_plant_far_too_large(net: Any) -> None:
    pp.create_sgen(net, int(net.load["bus"].iloc[7]), p_mw=5000.0 if net.bus["vn_kv"].max() > 120.0 else 900.0)


def a_shunt_far_too_large(net: Any) -> None:
    pp.create_shunt(net, int(net.load["bus"].iloc[3]), q_mvar=-1e5)


def no_slack(net: Any) -> None:
    net.gen["slack"] = False
    net.ext_grid["in_service"] = False


def a_line_open(net: Any) -> None:
    net.line.loc[net.line.index[5], "in_service"] = False


def negative_loads(net: Any) -> None:
    net.load["p_mw"] *= -1.0


@pytest.mark.parametrize(
    ("name", "mistake", "words"),
    [
        ("ieee39", one_load_in_kw, r"load 'L7' has p_mw = 233800, 832 times .*kW given as MW.*a thousandth of it"),
        ("feeder33", one_load_in_kw, r"load 'L5' has p_mw = 60, 667 times .*kW given as MW.*a thousandth of it"),
        (
            "ieee39",
            all_loads_in_kw,
            r"all loads are large, .*274,000 MW \(kW given as MW\?\); with a thousandth",
        ),
        ("feeder33", all_loads_in_kw, r"all loads are large, the usual one is 90 MW \(kW given as MW"),
        ("ieee39", a_load_without_power, r"load 'L4' has p_mw = nan: give a number"),
        ("ieee39", no_impedance, r"line '2-3' has no impedance"),
        ("feeder33", no_length, r"line 's2' has length_km = 0"),
        ("ieee39", a_bus_in_volts, r"bus '2' has vn_kv = 0.345, the other ends of all its lines 345$"),
        ("feeder33", a_bus_in_volts, r"bus '4' has vn_kv = 0.01266"),
        ("ieee39", a_set_point_in_kv, r"gen 'G1' has vm_pu = 345 \(kV given as pu"),
        ("feeder33", a_set_point_in_kv, r"ext_grid 'SUB' has vm_pu = 345"),
        (
            "ieee39",
            five_times_the_load,
            r"9.6% of these loads .*10.3\d times beyond .*bus '6'.*31,271 MW against",
        ),
        ("feeder33", five_times_the_load, r"71.9% of these loads .*1.37\d times beyond the limit.*bus '18'"),
        ("ieee39", a_plant_far_too_large, r"sgen 'sgen 15' has p_mw = 5000.*solves with up to 2,\d+ MW of it"),
        (
            "feeder33",
            a_plant_far_too_large,
            r"p_mw = 900, all loads have 3.715 MW; .* solves with up to 46",
        ),
        ("ieee39", a_shunt_far_too_large, r"shunt 'shunt 7' takes 100,000 MVA, all loads 6,254 MW"),
        ("ieee39", no_slack, r"the network has no slack: give one gen slack = true"),
        ("feeder33", no_slack, r"the network has no slack"),
        ("feeder33", a_line_open, r"no slack in an island: bus '7'.*\(open are line 's6', line 's33', line 's35'"),
        ("ieee39", negative_loads, r"21 of 21 loads are negative and add up to -6,254 MW"),
    ],
)
def test_what_is_wrong_is_named(name: str, mistake: Any, words: str):
    with pytest.raises(PowerFlowError, match=words):
        solve(changed(name, mistake))


@pytest.mark.parametrize(
    ("mistake", "words"),
    [(a_load_without_power, "load 'L4' has p_mw = nan"), (no_impedance, "line '2-3' has no impedance"),
     (one_load_in_kw, "load 'L7'"), (a_set_point_in_kv, "gen 'G1' has vm_pu = 345")],
)  # fmt: skip
def test_the_batch_says_the_same(mistake: Any, words: str):
    with pytest.raises(PowerFlowError, match=words):
        BatchFlow(changed("ieee39", mistake))


def test_a_tap_outside_its_range_is_named():
    net = copy.deepcopy(load_case("cigre_mv").net)
    columns = ["tap_side", "tap_neutral", "tap_step_percent", "tap_pos", "tap_min", "tap_max", "tap_changer_type"]
    net.trafo.loc[net.trafo.index[0], columns] = ["hv", 0, 1.5, 60, -16, 16, "Ratio"]
    with pytest.raises(PowerFlowError, match="trafo '0-1' stands at tap 60 outside -16 to 16"):
        solve(net)


def test_a_cluster_larger_than_the_feeder_carries_is_told_how_much_it_does():
    with pytest.raises(PowerFlowError, match=r"load 'cluster' has p_mw = 5.35.*solves with up to \d\.\d+ MW") as found:
        with_racks(5_000)
    most = float(str(found.value).split("with up to ")[1].split(" ")[0])
    count = 5_000 * most / 5.35625
    assert with_racks(int(count)).iterations > 0
    with pytest.raises(PowerFlowError):
        with_racks(int(1.04 * count))


def with_racks(count: int) -> Any:
    return load_case("feeder33").with_cluster(Cluster.of("H100", count=count), bus="18").solve()


def test_a_cluster_at_a_bus_out_of_service_is_refused():
    case = load_case("ieee39")
    case.net.bus.loc[case.buses["12"], "in_service"] = False
    with pytest.raises(CaseError, match="bus '12' is out of service"):
        case.with_cluster(Cluster.of("H100", count=1000), bus="12")
    with pytest.raises(CaseError, match="bus 11 is out of service"):
        BatchFlow(case.net).solve([Vary("bus", "p_mw", [[1.0]], elements=[case.buses["12"]])])


def test_a_scenario_in_kw_is_explained():
    flow = BatchFlow(load_case("ieee39").net)
    varying = [Vary("load", "p_mw", 1000.0 * flow.net.load["p_mw"].to_numpy()[None])]
    assert "with a thousandth of it the power flow solves (kW given as MW?)" in explain(flow, varying, 0)
    varying = [Vary("load", "p_mw", 2.0 * flow.net.load["p_mw"].to_numpy()[None])]
    assert "27.12 % of the change can be made" in explain(flow, varying, 0)
    assert "kW" not in explain(flow, varying, 0)


def test_open_ties_are_lines_out_of_service_and_at_open_switches():
    assert len(open_ties(load_case("feeder33").net)) == 5
    assert len(open_ties(load_case("cigre_mv").net)) == 3
    net = pp.networks.create_cigre_network_mv()
    pp.create_switch(net, 3, 8, et="b", closed=False)
    assert [t.element[0] for t in open_ties(net)] == ["line", "line", "line", "switch"]
