"""Loads and sgens by phase in the balanced paths: the sum of the phases, in the tables and back, never dropped."""

import copy
import warnings

import numpy as np
import pandapower
import pandas as pd
import pytest
from pandapower import networks

from gridai.case import Case, load_case
from gridai.errors import CaseError, Problems
from gridai.grid import solve
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.contingency import Contingencies, Outage
from gridai.grid.netjson import read_pandapower_json
from gridai.grid.tables import read_network

ZERO = {
    "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"),
    "trafo": ("vector_group", "vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial"),
    "ext_grid": ("s_sc_max_mva", "s_sc_min_mva", "rx_max", "rx_min", "x0x_max", "r0x0_max"),
}


@pytest.fixture(scope="module")
def by_phase():
    """Loads of 14 buses split over the phases, one load and one sgen delta, out of service or scaled."""
    net = networks.case14()
    rows = net.load.copy()
    net.load = net.load.iloc[:2].copy()
    for k, row in rows.iloc[2:].iterrows():
        share = {f"{q}_{phase}_{unit}": part * row[f"{q}_{unit}"] / 0.8 for q, unit in (("p", "mw"), ("q", "mvar"))
                 for phase, part in zip("abc", (0.2, 0.5, 0.3), strict=True)}  # fmt: skip
        pandapower.create_asymmetric_load(net, row["bus"], **share, scaling=0.8, type="delta" if k % 2 else "wye")
    pandapower.create_asymmetric_load(net, 3, p_a_mw=1e3, in_service=False)
    pandapower.create_asymmetric_sgen(net, 9, p_a_mw=1.0, p_b_mw=2.0, q_c_mvar=0.5, scaling=1.5)
    return net


@pytest.fixture(scope="module")
def summed(by_phase):
    """The same with one balanced load, or sgen, in the place of each."""
    net = copy.deepcopy(by_phase)
    for table, make in (("load", pandapower.create_load), ("sgen", pandapower.create_sgen)):
        for _, row in net[f"asymmetric_{table}"].iterrows():
            p, q = (sum(row[f"{x}_{phase}_{u}"] for phase in "abc") for x, u in (("p", "mw"), ("q", "mvar")))
            make(net, row["bus"], p, q, scaling=row["scaling"], in_service=row["in_service"])
        net[f"asymmetric_{table}"] = net[f"asymmetric_{table}"].iloc[:0]
    return net


def test_the_balanced_flow_takes_the_sum(by_phase, summed):
    first, second = solve(by_phase), solve(summed)
    assert np.abs(first.v - second.v).max() < 1e-12  # reached: 0
    assert first.mismatch_mva < 1e-6
    assert sum(first.network.loads.p_mw) == pytest.approx(sum(second.network.loads.p_mw) - 4.5, rel=1e-12)


def test_the_batch_takes_the_sum(by_phase, summed):
    values = [[10.0, 20.0], [30.0, 5.0]]
    a, b = (BatchFlow(net).solve([Vary("load", "p_mw", values, elements=[0, 1])]) for net in (by_phase, summed))
    assert a.solved.all()
    assert b.solved.all()
    assert np.abs(a.v_pu - b.v_pu).max() < 1e-12  # reached: 0


def test_an_outage_counts_what_is_lost_by_phase():
    net = networks.create_kerber_landnetz_freileitung_1()
    net.load = net.load.iloc[:0]
    pandapower.create_asymmetric_load(net, net.bus.index[-1], p_a_mw=0.002, p_c_mw=0.001, scaling=0.5)
    pandapower.create_asymmetric_sgen(net, net.bus.index[-1], p_b_mw=0.001)
    engine = Contingencies(BatchFlow(net))
    lost = engine.run([Outage.of("trafo", int(net.trafo.index[0]))])
    assert lost.lost_mw("load").tolist() == pytest.approx([0.0015])
    assert lost.lost_mw("sgen").tolist() == pytest.approx([0.001])


def test_case_there_and_back_with_zero_sequence_and_loads_by_phase(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        net = networks.ieee_european_lv_asymmetric()
    case = Case.from_pandapower(net, dynamics={})
    case.save(tmp_path / "eulv")
    again = load_case(tmp_path / "eulv")
    for table, columns in ZERO.items():
        for column in columns:
            given = case.net[table][column].reset_index(drop=True)
            pd.testing.assert_series_equal(again.net[table][column], given, check_dtype=False, check_names=False)
    for column in ("p_a_mw", "q_b_mvar", "p_c_mw", "scaling", "in_service", "type"):
        assert again.net.asymmetric_load[column].tolist() == case.net.asymmetric_load[column].tolist()
    assert np.array_equal(case.solve().v, again.solve().v)


def test_json_there_and_back(by_phase, tmp_path):
    pandapower.to_json(by_phase, str(tmp_path / "net.json"))
    again = read_pandapower_json(tmp_path / "net.json")
    assert np.abs(solve(again).v - solve(by_phase).v).max() < 1e-12
    assert again.asymmetric_load["type"].tolist() == by_phase.asymmetric_load["type"].tolist()


def test_the_engine_starts_on_them(by_phase):
    from gridai.engine import check_start, compile_system

    assert check_start(compile_system(Case.from_pandapower(by_phase))) is not None


def test_bad_cells_are_named(tmp_path):
    (tmp_path / "bus.csv").write_text("name,vn_kv\nA,10\n")
    (tmp_path / "ext_grid.csv").write_text("name,bus,vm_pu,s_sc_max_mva,rx_max\nS,A,1,-5,0.1\n")
    (tmp_path / "asymmetric_load.csv").write_text("name,bus,p_a_mw,p_b_mvar\nL,B,1,2\n")
    found = Problems("network")
    read_network(tmp_path, "x", 50.0, 1.0, found)
    for text in ("s_sc_max_mva = -5.0: must be greater than 0", "did you mean q_b_mvar", "unknown bus 'B'"):
        assert text in found.text(), found.text()


def test_no_raw_file_of_them(by_phase, tmp_path):
    from gridai.exchange.raw_write import write_raw

    with pytest.raises(CaseError, match="asymmetric_load"):
        write_raw(Case.from_pandapower(by_phase), tmp_path / "x.raw")
