"""Network tables as CSV: there and back, per unit, and every fault with file, row, field, value and remedy."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandapower import networks

from gridai.errors import Problems
from gridai.grid import solve
from gridai.grid.tables import keyed_copy, read_network, write_network

BUS = "name,vn_kv\nA,345\nB,345\nC,20\n"
GEN = "name,bus,p_mw,vm_pu,sn_mva,slack\nG1,A,0,1.02,500,true\n"


def folder(tmp_path, **tables):
    place = tmp_path / "network"
    place.mkdir(exist_ok=True)
    for name, text in {"bus": BUS, "gen": GEN, **tables}.items():
        if text is not None:
            (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return place


def read(place: Path, found: Problems | None = None):
    own = Problems("network") if found is None else found
    net = read_network(place, "test", 60.0, 100.0, own)
    if found is None:
        assert not own, own.text()
    return net


def faults(tmp_path, **tables):
    found = Problems("network")
    read(folder(tmp_path, **tables), found)
    return found.text()


@pytest.mark.parametrize("name", ["case9", "case14", "case39", "case118", "create_cigre_network_mv", "example_simple"])
def test_there_and_back(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        net = keyed_copy(getattr(networks, name)())
    for costs in ("poly_cost", "pwl_cost"):
        net[costs] = net[costs].iloc[:0]
    write_network(net, tmp_path / "network")
    found = Problems("back")
    again = read_network(tmp_path / "network", net.name, net.f_hz, net.sn_mva, found)
    assert not found, found.text()
    first, second = solve(net), solve(again)
    assert first.network.nodes == second.network.nodes
    assert first.network.branches.name == second.network.branches.name
    assert np.array_equal(first.v, second.v)  # the same bits: numbers are written shortest-exact
    for table in ("load", "gen", "line"):
        for column in (c for c in net[table].columns if net[table][c].dtype == float and c in again[table]):
            given = net[table][column].reset_index(drop=True)
            pd.testing.assert_series_equal(again[table][column], given, check_names=False)


def test_lines_in_per_unit_equal_lines_in_ohm(tmp_path):
    per_unit = read(folder(tmp_path, line="name,from_bus,to_bus,r_pu,x_pu,b_pu\nL,A,B,0.0035,0.0411,0.6987\n"))
    z, w = 345.0**2 / 100.0, 2 * np.pi * 60.0
    ohm = (
        "name,from_bus,to_bus,length_km,r_ohm_per_km,x_ohm_per_km,c_nf_per_km\n"
        f"L,A,B,1,{0.0035 * z!r},{0.0411 * z!r},{0.6987 / z / w * 1e9!r}\n"
    )
    plain = read(folder(tmp_path, line=ohm))
    a, b = solve(per_unit).network.branches, solve(plain).network.branches
    series = 1 / (0.0035 + 0.0411j)
    assert a.y_ft[0] == pytest.approx(-series, rel=1e-14)
    assert a.y_ff[0] == pytest.approx(series + 0.6987j / 2, rel=1e-14)
    assert b.y_ff[0] == pytest.approx(a.y_ff[0], rel=1e-14)


@pytest.mark.parametrize("row", ["T,A,C,0.001,0.05,1.05,", "T,A,C,0.001,0.05,1.05,250"])
def test_transformer_in_per_unit_is_the_textbook_pi(row, tmp_path):
    net = read(folder(tmp_path, trafo=f"name,hv_bus,lv_bus,r_pu,x_pu,ratio,sn_mva\n{row}\n"))
    branch = solve(net).network.branches
    series = 1 / (0.001 + 0.05j)
    assert branch.y_tt[0] == pytest.approx(series, rel=1e-12)
    assert branch.y_ff[0] == pytest.approx(series / 1.05**2, rel=1e-12)
    assert branch.y_ft[0] == pytest.approx(-series / 1.05, rel=1e-12)


def test_comments_quotes_and_spaces(tmp_path):
    net = read(
        folder(tmp_path, bus='# a comment, with a comma\nname , vn_kv\n"A, old", 345\n\n"#2",345\nC,20\n', gen=None)
    )
    assert net.bus["name"].tolist() == ["A, old", "#2", "C"]
    assert net.bus.attrs["rows"] == [3, 5, 6]
    write_network(net, tmp_path / "again")
    assert read(tmp_path / "again").bus["name"].tolist() == ["A, old", "#2", "C"]


def test_text_that_looks_like_code_stays_text(tmp_path):
    code = "__import__('os').system('touch ran')"
    net = read(folder(tmp_path, bus=f'name,vn_kv,zone\nA,345,"{code}"\n"=cmd|calc",345,\nC,20,\n'))
    assert net.bus["zone"][0] == code
    assert net.bus["name"][1] == "=cmd|calc"
    text = faults(tmp_path, bus=f'name,vn_kv\nA,"{code}"\nB,1_000\nC,nan\n')
    assert "row 2: vn_kv" in text
    assert "row 3: vn_kv = '1_000': is not a plain finite number" in text
    assert "row 4: vn_kv = 'nan'" in text
    assert not Path("ran").exists()


def test_all_faults_of_all_tables_at_once(tmp_path):
    text = faults(
        tmp_path,
        bus="name,vn_kv\nA,345\nB,-20\nA,345\nC,\n",
        gen="name,bus,p_mw,vm_pu,sn_mva,slak\nG1,A,zero,1.02,500,true\nG2,AB,1,1.02,-3,true\n",
        load="name,bus,q_mvar\nL1,A,1\n",
        line="name,from_bus,to_bus,r_pu,x_pu,r_ohm_per_km\nL1,A,B,0,0.1,1\n",
        machine="name\nx\n",
    )
    for part in (
        "network/bus.csv, row 3: vn_kv = -20.0: must be greater than 0",
        "network/bus.csv, row 4: name = 'A': this key is used already in row 2",
        "network/bus.csv, row 5: vn_kv: the cell is empty",
        "network/gen.csv: column slak: is not known; did you mean slack?",
        "network/gen.csv, row 2: p_mw = 'zero': is not a plain finite number",
        "network/gen.csv, row 3: bus = 'AB': unknown bus 'AB'; did you mean 'B', 'A'",
        "network/gen.csv, row 3: sn_mva = -3.0: must be greater than 0",
        "network/load.csv: column p_mw: is missing; the file has name, bus, q_mvar",
        "network/line.csv: column r_ohm_per_km: give either r_pu, x_pu, b_pu or this, not both",
        "network/machine.csv: table = 'machine': unknown table 'machine'",
    ):
        assert part in text, text
    assert text.startswith("network: 10 faults")


def test_ragged_rows_and_repeated_columns(tmp_path):
    text = faults(tmp_path, bus="name,vn_kv\nA,345,7\nB\n", gen="name,bus,bus\nG,A,A\n", load='name,bus\n"A\n')
    assert "network/bus.csv, row 2: row = '3 cells': the header has 2 columns" in text
    assert "network/gen.csv, row 1: header = 'bus': this column appears twice" in text
    assert "network/load.csv, row 2: row: is not comma-separated text" in text


def test_missing_and_empty_tables(tmp_path):
    assert "network/bus.csv: table: is missing" in faults(tmp_path, bus=None)
    assert "network/bus.csv: header: the table is empty" in faults(tmp_path, bus="# nothing\n")


def test_extra_columns_are_carried(tmp_path):
    net = read(folder(tmp_path, bus="name,vn_kv,owner,area,planned\nA,345,me,1,true\nB,345,you,2,false\nC,20,,,true\n"))
    assert net.bus["owner"].tolist() == ["me", "you", None]
    assert net.bus["area"].tolist()[:2] == [1.0, 2.0]
    assert net.bus["planned"].tolist() == [True, False, True]


def test_switches_name_what_they_act_on(tmp_path):
    tables = {
        "line": "name,from_bus,to_bus,r_pu,x_pu\nL,A,B,0,0.1\n",
        "switch": "bus,element,et,closed\nB,L,l,false\nA,B,b,true\n",
    }
    network = solve(read(folder(tmp_path, **tables))).network
    assert network.node_of_bus["A"] == network.node_of_bus["B"]
    assert "L: open to end" in network.nodes
    text = faults(tmp_path, **{**tables, "switch": "bus,element,et\nB,K,l\nA,L,b\nA,L,x\n"})
    assert "network/switch.csv, row 2: element = 'K': unknown element 'K'; known: 'L'" in text
    assert "row 3: element = 'L'" in text
