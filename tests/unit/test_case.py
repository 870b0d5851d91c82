"""Cases: bundled, from a folder, from a pandapower net; clusters and who balances them."""

import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pandapower
import pandas as pd
import pytest
from pandapower import networks

from gridai.case import Case, Placement, bundled_cases, load_case, where
from gridai.errors import CaseError, UnknownNameError


@dataclass(frozen=True)
class Load:
    """Stands for a cluster: what a case needs of one."""

    p_mw: float = 107.0
    q_mvar: float = 15.0
    name: str = "AI"


@pytest.fixture(scope="module")
def ieee39():
    return load_case("ieee39")


@pytest.mark.parametrize("name", sorted(bundled_cases()))
def test_every_bundled_case_solves(name):
    case = load_case(name)
    point = case.solve()
    assert case.name == name
    assert case.f_hz == point.network.f_hz
    assert point.mismatch_mva < 1e-8 * point.network.s_base_mva
    assert case.provenance["citation"]
    sources = ("gencls", "genrou", "gensal", "source", "regca1")
    machines = {u for t in sources if t in case.dynamics for u in case.dynamics[t]["unit"]}
    assert machines == set(point.network.units.name)


def test_load_and_solve_are_quick():
    load_case("ieee39").solve()
    start = time.process_time()
    load_case("ieee39").solve()
    assert time.process_time() - start < 0.4  # reached: 0.05 s


def test_importing_cases_loads_neither_pandapower_nor_pandas(child_env):
    code = (
        "import sys, gridai.case, gridai.grid; gridai.case.bundled_cases();"
        "print([m for m in ('pandapower', 'pandas', 'numba', 'scipy', 'networkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=child_env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_case_lists_near_names(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown case 'ieee93'; did you mean 'ieee39'"):
        load_case("ieee93")
    with pytest.raises(CaseError, match=r"case\.toml: is missing"):
        load_case(tmp_path)


def test_buses_by_name_and_by_index(ieee39):
    assert ieee39.resolve_bus("16") == "16"
    assert ieee39.resolve_bus(16) == "17"
    assert ieee39.describe_bus(16) == "bus '17' (pandapower index 16, 345 kV)"
    with pytest.raises(UnknownNameError, match="did you mean '16'"):
        ieee39.resolve_bus("166")


def test_headroom_shares_in_proportion(ieee39):
    case = ieee39.with_cluster(Load(), bus="16")
    assert ieee39.placements == ()
    assert case.placements == (Placement("AI", Load(), "16", "headroom"),)
    before, after = ieee39.solve().network.units, case.solve().network.units
    headroom = before.max_p_mw - before.p_mw
    expected = before.p_mw + 107.0 * headroom / headroom.sum()
    slack = list(before.name).index("G2")
    others = np.arange(len(before.name)) != slack
    assert np.abs(after.p_mw - expected)[others].max() < 1e-9
    # the slack takes its share and the change in losses
    assert abs(after.p_mw[slack] - expected[slack]) < 2.0
    table = case.redispatch
    assert set(table["name"]) == {*before.name, "AI"}
    assert table["change_mw"].to_numpy() == pytest.approx((table["p_after_mw"] - table["p_before_mw"]).to_numpy())
    assert "G10" in str(table)


def test_cluster_is_a_constant_power_load_at_its_bus(ieee39):
    network = ieee39.with_cluster(Load(), bus="16", name="AI campus").solve().network
    k = network.loads.name.index("AI campus")
    assert network.nodes[network.loads.node[k]] == "16"
    assert (network.loads.p_mw[k], network.loads.q_mvar[k], network.loads.pp[k]) == (107.0, 15.0, 1.0)


def test_slack_takes_all_and_a_note_says_so_if_it_cannot(ieee39):
    case = ieee39.with_cluster(Load(), bus="16", balance="slack")
    change = case.redispatch.set_index("name")["change_mw"]
    assert set(change.index) == {"G2", "AI"}
    assert change["G2"] == pytest.approx(107.0, abs=2.0)
    assert case.notes == ("with cluster 'AI': gen 'G2' gives 784.8 MW, above its max_p_mw of 720.0 MW",)
    assert ieee39.with_cluster(Load(20.0, 0.0), bus="16", balance="slack").notes == ()


def test_in_place_of_load_keeps_the_power_factor_of_the_rest(ieee39):
    case = ieee39.with_cluster(Load(), bus="16", balance="in_place_of_load")
    before, after = ieee39.net.load.set_index("name").loc["L16"], case.net.load.set_index("name").loc["L16"]
    assert after["p_mw"] == pytest.approx(before["p_mw"] - 107.0)
    assert after["q_mvar"] / after["p_mw"] == pytest.approx(before["q_mvar"] / before["p_mw"])
    change = case.redispatch.set_index("name")["change_mw"]
    assert change["L16"] == pytest.approx(-107.0)
    assert abs(change.get("G2", 0.0)) < 0.1


def test_too_little_headroom_and_too_little_load_are_errors(ieee39):
    with pytest.raises(CaseError, match=r"not enough headroom: the cluster needs 5000.0 MW, .* have 1282.1 MW left"):
        ieee39.with_cluster(Load(5000.0), bus="16")
    with pytest.raises(CaseError, match=r"not enough load at bus '16': .* 400.0 MW, the loads there draw 329.0 MW"):
        ieee39.with_cluster(Load(400.0), bus="16", balance="in_place_of_load")
    with pytest.raises(CaseError, match=r"the loads there draw 0.0 MW \(none\)"):
        ieee39.with_cluster(Load(1.0), bus="17", balance="in_place_of_load")


@pytest.mark.parametrize("bad", [Load(float("nan")), Load(-1.0), Load(1.0, float("inf")), object()])
def test_a_cluster_without_finite_power_is_refused(ieee39, bad):
    with pytest.raises(CaseError, match="cluster"):
        ieee39.with_cluster(bad, bus="16")


def test_a_dead_bus_takes_no_cluster():
    net = networks.case9()
    pandapower.create_bus(net, 345.0, name="spare", in_service=False)
    case = Case.from_pandapower(net, dynamics={})
    with pytest.raises(CaseError, match="bus 'spare' is out of service or not connected to a slack"):
        case.with_cluster(Load(1.0), bus="spare")


def test_unknown_balance_bus_and_name_in_use(ieee39):
    with pytest.raises(CaseError, match="unknown balance 'headrom'; did you mean 'headroom'"):
        ieee39.with_cluster(Load(), bus="16", balance="headrom")
    with pytest.raises(CaseError, match="the name 'L16' of the cluster is used already"):
        ieee39.with_cluster(Load(), bus="16", name="L16")


def test_two_clusters_and_their_tables(ieee39):
    case = ieee39.with_cluster(Load(), bus="16").with_cluster(Load(50.0), bus=38)
    assert [(p.name, p.bus) for p in case.placements] == [("AI", "16"), ("AI (2)", "39")]
    assert set(case.redispatch["cluster"]) == {"AI", "AI (2)"}
    assert case.solve().mismatch_mva < 1e-6
    # a cluster already there is not load that makes room for another
    with pytest.raises(CaseError, match="not enough load"):
        case.with_cluster(Load(340.0), bus="16", balance="in_place_of_load")


@pytest.mark.parametrize("name", ["ieee39", "smib", "kundur"])
def test_saved_and_read_back_the_same(name, tmp_path):
    case = load_case(name)
    again = load_case(case.save(tmp_path / "copy"))
    assert (again.name, again.title, again.f_hz, again.s_base_mva) == (
        case.name,
        case.title,
        case.f_hz,
        case.s_base_mva,
    )
    assert (again.notes, again.description) == (case.notes, case.description)
    assert {k: v for k, v in again.provenance.items() if k != "folder"} == {
        k: v for k, v in case.provenance.items() if k != "folder"
    }
    assert np.array_equal(again.solve().v, case.solve().v)
    assert list(again.dynamics) == list(case.dynamics)
    for model, table in case.dynamics.items():
        pd.testing.assert_frame_equal(again.dynamics[model], table)
    for table in ("bus", "line", "trafo", "gen", "load", "ext_grid"):
        pd.testing.assert_frame_equal(again.net[table], case.net[table], check_dtype=True)


def test_saving_is_whole_or_not_at_all(ieee39, tmp_path, monkeypatch):
    with pytest.raises(CaseError, match=r"AI: a Load has no form as a table"):
        ieee39.with_cluster(Load(), "16").save(tmp_path / "x")
    ieee39.save(tmp_path / "x")
    with pytest.raises(CaseError, match="overwrite=True"):
        ieee39.save(tmp_path / "x")
    ieee39.save(tmp_path / "x", overwrite=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(CaseError, match="not a case folder"):
        ieee39.save(tmp_path / "other", overwrite=True)

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridai.grid.csvtable.write_table", full_disk)
    with pytest.raises(OSError, match="No space left"):
        ieee39.save(tmp_path / "y")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "x"]


def test_rows_of_tables_are_known(ieee39):
    assert where(ieee39.dynamics["genrou"], 0) == ("dynamics/genrou.csv", 3)
    assert where(pd.DataFrame({"unit": ["G1"]}), 0) == ("dynamics", 2)


def test_own_dynamics_for_a_pandapower_net():
    net = networks.case9()
    net.gen["sn_mva"] = 300.0
    machine = pd.DataFrame({"unit": ["ext_grid 1", "gen 2", "gen 3"], "h_s": [0.0, 4.0, 3.0], "xd1_pu": 0.3})
    case = Case.from_pandapower(net, dynamics={"GENCLS": machine}, name="nine")
    assert list(case.dynamics) == ["gencls"]
    assert case.name == "nine"
    assert net.gen["name"].isna().all()  # the net given is not written to
    with pytest.raises(CaseError, match=r"dynamics\['gencls'\], row 2: unit = 'gen 7': unknown unit 'gen 7'"):
        Case.from_pandapower(net, dynamics={"gencls": machine.assign(unit=["gen 7", "gen 2", "gen 3"])})
    with pytest.raises(CaseError, match="template"):
        Case.from_pandapower(net, dynamics="template")
    with pytest.raises(CaseError, match="a pandapower net is needed, not a str"):
        Case.from_pandapower("net.json")


def test_a_feeder_of_ones_own_is_judged_by_a_profile_of_feeders():
    net = networks.create_cigre_network_mv(with_der=False)
    case = Case.from_pandapower(net)
    assert case.defaults == {"profile": "en50160"}
    assert any("en50160" in note for note in case.notes)
    net.bus["min_vm_pu"] = 0.95
    assert not Case.from_pandapower(net, dynamics={}).defaults  # limits of its own stand
    assert not Case.from_pandapower(networks.case9(), dynamics={}).defaults
