"""RAW and DYR out and in again: the same case. MATPOWER in: the same admittances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.errors import CaseError
from gridai.exchange import import_case, import_matpower, write_dyr, write_raw
from gridai.models import catalog

from ..grid.raw_samples import raw_text, small
from .test_dyr import MACHINES

SHEDDING = """4 'LVSHBL' B 4 0.9 0.2 0.1 0.85 0.3 0.2 0.8 0.4 0.3 0.05 /
4 'LDSHBL' B 59.3 0.2 0.1 59.0 0.3 0.2 58.7 0.4 0.3 0.05 /
"""
TABLES = ("bus", "line", "trafo", "gen", "sgen", "load", "shunt", "switch", "impedance", "ext_grid")


def assert_same(first: Case, second: Case) -> None:
    for table in TABLES:
        pd.testing.assert_frame_equal(
            first.net[table], second.net[table], check_dtype=False, rtol=1e-12, atol=1e-12, obj=table
        )
    assert set(first.dynamics) == set(second.dynamics)
    for key, table in first.dynamics.items():
        pd.testing.assert_frame_equal(table, second.dynamics[key], check_dtype=False, rtol=1e-12, obj=key)


def round_trip(case: Case, folder: Path) -> Case:
    write_raw(case, folder / "out.raw")
    write_dyr(case, folder / "out.dyr")
    return import_case(folder / "out.raw", folder / "out.dyr", name=case.name).case


def everything() -> str:
    """The small system with parts of every kind: machines and loads out of service, three windings, two laws."""
    sections = small(33)
    winding = f"{', '.join(['0.0'] * 3)}, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0"
    sections["bus"] += "\n4, 'O''BRIEN', 138.0, 1, 1, 7, 1, 1.0, -2.0\n5, '', 20.0, 4, 1, 7, 1, 1.0, 0.0".replace(
        "''", "-", 1
    )
    sections["branch"] += """
        2, 4, 'A1', 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0.0, 1, 1.0
        1, 4, '1', 0.01, 0.2, 0.03, 99.5, 0, 0, 0.001, 0.02, 0.003, 0.04, 1, 1, 0.0, 1, 1.0
        1, 4, '2', 0.01, 0.2, 0.03, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0.0, 1, 1.0"""
    sections["transformer"] += f"""
        1, 4, 3, 'T', 1, 1, 1, 0.001, -0.002, 2, '', 4, 1, 1.0
        0.002, 0.10, 100.0, 0.003, 0.12, 100.0, 0.004, 0.16, 100.0, 1.0, 0.0
        1.05, 0.0, 0.0, {winding}
        1.0, 0.0, 0.0, {winding}
        0.97, 0.0, 30.0, {winding}"""
    sections["load"] += "\n4, 'B', 0, 1, 1, 3.0, 1.0\n2, '2', 1, 1, 1, 5.0, 1.0, -2.0"
    sections["generator"] += (
        "\n3, 'W', 2.0, 0.0, 1.0, 1.0, 1.01, 0, 5.0, 0, 0.2, 0, 0, 1, 1, 100, 9, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1"
    )
    sections["generator"] += "\n3, 'X', 2.0, 0.0, 1.0, -1.0, 1.01, 0, 5.0, 0, 0.2, 0, 0, 1, 0"
    return raw_text(33, **sections)


def test_a_case_reads_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "case.raw").write_text(everything())
    (tmp_path / "case.dyr").write_text(
        MACHINES + "3 'GENCLS' W 3.0 0.0 /\n77 'VTGTPAT' 3 3 'G1' 0.5 1.2 0.1 0.05 /\n" + SHEDDING
    )
    case = import_case(tmp_path / "case.raw", tmp_path / "case.dyr", name="all").case
    assert case.dynamics["lvshbl"]["unit"].tolist() == ["load 4 B"]
    again = round_trip(case, tmp_path)
    assert_same(case, again)
    np.testing.assert_allclose(case.solve().v, again.solve().v, atol=1e-12)


def test_a_relay_of_every_load_goes_out_load_by_load(tmp_path: Path) -> None:
    (tmp_path / "case.raw").write_text(everything())
    (tmp_path / "case.dyr").write_text(MACHINES + "3 'GENCLS' W 3.0 0.0 /\n" + SHEDDING)
    case = import_case(tmp_path / "case.raw", tmp_path / "case.dyr", name="all").case
    case.dynamics["ldshbl"].loc[0, "unit"] = "*"
    again = round_trip(case, tmp_path)
    assert sorted(again.dynamics["ldshbl"]["unit"]) == sorted(str(name) for name in case.net.load["name"])
    assert set(again.dynamics["ldshbl"]["f2_hz"]) == {59.0}


def test_records_with_names_of_their_own_come_back(tmp_path: Path) -> None:
    """REECC1, which has a second name; REGFM_A1, whose impedance the RAW file holds; CMLD, a user-written record."""
    (tmp_path / "case.raw").write_text(everything())
    (tmp_path / "case.dyr").write_text(MACHINES.replace("3 'GENROU' G2", "// "))
    case = import_case(tmp_path / "case.raw", tmp_path / "case.dyr", name="all").case
    rows = {
        "regca1": {"unit": "3 G2"},
        "reecc1": {"unit": "3 G2", "t_s": 7200.0, "soc_ini": 0.6},
        "regfm_a1": {"unit": "3 W", "re_pu": 0.0, "xe_pu": 0.2, "mp": 0.03},
        "cmld": {"unit": "load 2 1", "fma": 0.2, "fel": 0.3, "frcel": 0.4},
    }
    tables = {}
    for key, given in rows.items():
        values = {q.name: q.default or 0.0 for q in catalog.model(key).params if not q.solved}
        tables[key] = pd.DataFrame([{"unit": given["unit"], **values, **given}])
    written = replace(case, dynamics={**case.dynamics, **tables})
    again = round_trip(written, tmp_path)
    for key, given in rows.items():
        row = again.dynamics[key].iloc[0]
        assert {name: row[name] for name in given} == given, key


def test_a_case_folder_keeps_numbers_and_dynamics(tmp_path: Path) -> None:
    (tmp_path / "case.raw").write_text(everything())
    (tmp_path / "case.dyr").write_text(MACHINES + "3 'GENCLS' W 3.0 0.0 /")
    case = import_case(tmp_path / "case.raw", tmp_path / "case.dyr", name="all").case
    again = load_case(case.save(tmp_path / "all"))
    assert list(again.net.bus.index) == [1, 2, 3, 4, 5, 6]
    assert again.resolve_bus("2") == again.resolve_bus(2) == "SOUTH (2)"
    for table in TABLES:
        pd.testing.assert_frame_equal(case.net[table], again.net[table], check_dtype=False, rtol=1e-12, obj=table)


@pytest.mark.parametrize("name", ["wscc9", "kundur"])
def test_bundled_cases_go_out_with_the_same_power_flow(name: str, tmp_path: Path) -> None:
    case = load_case(name)
    again = round_trip(case, tmp_path)
    first, second = case.solve(), again.solve()
    for key in first.network.node_of_bus:
        assert second.vm_pu(key) == pytest.approx(first.vm_pu(key), abs=1e-9)
    turned = np.angle(second.v[0] / first.v[first.network.node_of_bus[second.network.nodes[0]]], deg=True)
    for key in first.network.node_of_bus:  # a RAW file's angles count from its swing bus
        assert second.va_degree(key) == pytest.approx(first.va_degree(key) + turned, abs=1e-7)
    assert {k: len(t) for k, t in again.dynamics.items()} == {k: len(t) for k, t in case.dynamics.items()}


def test_what_a_raw_file_cannot_hold_is_refused_or_noted(tmp_path: Path) -> None:
    case = load_case("wscc9")
    net = case.net
    import pandapower as pp

    pp.create_storage(net, net.bus.index[0], 1.0, 1.0, name="battery")
    with pytest.raises(CaseError, match=r"net.storage: 1 rows: has no record"):
        write_raw(case, tmp_path / "out.raw")
    assert not (tmp_path / "out.raw").exists()
    assert write_dyr(load_case("wscc9"), tmp_path / "out.dyr") == (
        "zip: 1 rows have no PSS/E record that gridai writes",
    )


def test_a_second_switched_shunt_of_a_bus_goes_out_as_a_fixed_one(tmp_path: Path) -> None:
    sections = small(35)
    sections["switched_shunt"] += "\n" + sections["switched_shunt"].replace("'1'", "'2'")
    (tmp_path / "case.raw").write_text(raw_text(35, **sections))
    case = import_case(tmp_path / "case.raw").case
    assert any("switched shunt 2 2 goes out as a fixed shunt" in note for note in write_raw(case, tmp_path / "out.raw"))
    again = import_case(tmp_path / "out.raw").case
    assert again.net.shunt["q_mvar"].sum() == pytest.approx(case.net.shunt["q_mvar"].sum())


CASE = """function mpc = case4
%% a comment with a [bracket
mpc.version = '2';
mpc.baseMVA = 100;  % MVA
mpc.bus = [
\t1\t3\t0\t0\t0\t0\t1\t1\t0\t345\t1\t1.1\t0.9;
\t2\t2\t0\t0\t0\t0\t1\t1\t0\t345\t1\t1.1\t0.9;
\t3\t1\t90\t30\t1\t19\t1\t1\t0\t345\t1\t1.1\t0.9; % a load
\t4\t1\t0\t0\t0\t0\t1\t1\t0\t20\t1\t1.1\t0.9;
];
mpc.gen = [
\t1\t0\t0\t300\t-300\t1.02\t100\t1\t250\t10;
\t2\t50\t0\t300\t-300\t1.01\t100\t1\t60\t10;
\t4\t-10\t-2\t0\t0\t1\t100\t1\t0\t-20;
];
mpc.branch = [
\t1\t2\t0.01\t0.10\t0.20\t250\t250\t250\t0\t0\t1\t-360\t360;
\t2\t3\t0.02\t0.12\t0.10\t0\t0\t0\t0\t0\t1\t-360\t360;
\t3\t4\t0.00\t0.05\t0.04\t0\t0\t0\t0.95\t10\t1\t-360\t360;
];
mpc.gencost = [
\t2\t0\t0\t2\t1\t0;
];
mpc.bus_name = {
\t'Alpha';
\t'Beta';
\t'Gamma';
\t'Delta';
};
mpc.genfuel = {'coal'; 'hydro'; 'unknown'};
"""


def test_matpower_tables(tmp_path: Path) -> None:
    (tmp_path / "case4.m").write_text(CASE)
    case, report = import_matpower(tmp_path / "case4.m")
    assert list(case.net.bus["name"]) == ["Alpha", "Beta", "Gamma", "Delta"]
    assert case.resolve_bus("3") == "Gamma"
    assert list(case.net.load["name"]) == ["load 3 1", "load 4 1 dispatchable"]
    assert (list(case.dynamics["genrou"]["unit"]), list(case.dynamics["gensal"]["unit"])) == (["1 1"], ["2 1"])
    assert any("TEMPLATES" in note for note in case.notes)
    assert report.accounts[0].counts["mpc.gencost"].skipped == 1
    assert "the format states no frequency: 60 Hz is taken" in report.accounts[0].notes


def test_matpower_transformer_is_that_of_its_manual(tmp_path: Path) -> None:
    """Yff = (ys + j b / 2) / tap^2, Yft = -ys / conj(t), Ytf = -ys / t, Ytt = ys + j b / 2."""
    from gridai.grid import ybus

    (tmp_path / "case4.m").write_text(CASE)
    point = import_matpower(tmp_path / "case4.m", dynamics="none").case.solve()
    y, node = ybus(point.network).toarray(), point.network.node_of_bus
    ys, t = 1.0 / 0.05j, 0.95 * np.exp(1j * np.radians(10.0))
    assert y[node["Delta"], node["Delta"]] == pytest.approx(ys + 0.02j)
    assert y[node["Gamma"], node["Delta"]] == pytest.approx(-ys / np.conj(t))
    assert y[node["Delta"], node["Gamma"]] == pytest.approx(-ys / t)
    line = 1.0 / (0.02 + 0.12j) + 0.05j
    assert y[node["Gamma"], node["Gamma"]] == pytest.approx((ys + 0.02j) / 0.95**2 + line + 0.01 + 0.19j)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("mpc.gencost = [", "mpc.branch(:, 3) = 0.1;\nmpc.gencost = ["), r"row 21: .*is code: the file computes"),
        (("0.05\t0.04", "1/20\t0.04"), r"row 19: mpc.branch = '1/20': is not a plain number; expressions"),
        (("\t3\t4\t0.00", "\t3\t9\t0.00"), r"F_BUS, T_BUS = '3-9'"),
        (("mpc.baseMVA = 100", "mpc.baseMVA = x"), r"mpc.baseMVA = 'x': is not a plain number"),
        (("\t1\t3\t0", "\t1\t1\t0"), r"no bus has type 3"),
        (("\t2\t50", "\t7\t50"), r"GEN_BUS = 7.0: no bus of the file has this number"),
        (("];\nmpc.gencost", "mpc.gencost"), r"mpc.branch = 'mpc.gencost'"),
    ],
)  # fmt: skip
def test_matpower_faults_have_line_and_remedy(change: tuple[str, str], text: str, tmp_path: Path) -> None:
    assert change[0] in CASE
    (tmp_path / "case4.m").write_text(CASE.replace(*change))
    with pytest.raises(CaseError, match=text):
        import_matpower(tmp_path / "case4.m")
