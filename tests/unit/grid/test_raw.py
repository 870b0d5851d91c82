"""RAW files of four versions, the laws of their loads, their transformers against the admittances of the manual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridai.errors import CaseError
from gridai.grid import solve, ybus
from gridai.grid.raw import RawCase, read_raw
from gridai.grid.raw_setpoints import settle

from .raw_samples import RATES, raw_text, small


def read(folder: Path, text: str | bytes) -> RawCase:
    path = folder / "case.raw"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_raw(path)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("version", [32, 33, 34, 35])
def test_every_version_gives_the_same_net(version: int, named: bool, tmp_path: Path) -> None:
    reference = read(tmp_path, raw_text(33, **small(33))).net
    case = read(tmp_path, raw_text(version, named=named, comments=version >= 34, **small(version)))
    for table in ("load", "gen", "line", "trafo", "shunt"):
        pd.testing.assert_frame_equal(case.net[table], reference[table], check_exact=True)
    columns = ["name", "vn_kv", "in_service", "number", "area", "zone"]
    pd.testing.assert_frame_equal(case.net.bus[columns], reference.bus[columns])
    assert case.version == version
    assert case.account.records == 3 + 1 + 1 + 3 + 1 + 1 + 1 + 1
    assert not case.account.unsupported


def test_names_numbers_and_columns(tmp_path: Path) -> None:
    case = read(tmp_path, raw_text(33, **small(33)))
    net = case.net
    assert list(net.bus.index) == [1, 2, 3]
    assert list(net.bus["name"]) == ["NORTH", "SOUTH (2)", "SOUTH (3)"]
    assert list(net.bus["zone"]) == ["VALLEY", "VALLEY", "8"]
    assert list(net.gen["name"]) == ["1 1", "3 G1", "3 G2"]
    assert list(net.gen["slack"]) == [True, False, False]
    assert list(net.gen["q_share"].fillna(-1)) == [-1, 6 / 9, 3 / 9]
    assert list(net.line["name"]) == ["1-2 1"]
    assert net.line["max_i_ka"].iloc[0] == pytest.approx(150.0 / 138.0 / np.sqrt(3))
    assert net.gen.attrs["rows"][0] == net.gen.attrs["rows"][1] - 1
    assert case.keys == {1: "NORTH", 2: "SOUTH (2)", 3: "SOUTH (3)"}
    assert case.title == "first title second title"


def test_loads_have_the_signs_of_psse(tmp_path: Path) -> None:
    """P = 30 + 20 V + 10 V^2, Q = 10 + 6 V + 4 V^2: a negative YQ is inductive."""
    net = read(tmp_path, raw_text(33, **small(33))).net
    point = solve(net)
    v, loads = point.vm_pu("SOUTH (2)"), point.network.loads
    assert loads.p_mw[0] == pytest.approx(30.0 + 20.0 * v + 10.0 * v**2, rel=1e-9)
    assert loads.q_mvar[0] == pytest.approx(10.0 + 6.0 * v + 4.0 * v**2, rel=1e-9)
    assert point.mismatch_mva < 1e-5


def test_load_parts_of_opposite_signs_become_loads_of_their_own(tmp_path: Path) -> None:
    sections = small(33) | {"load": "2, '1', 1, 1, 1, 30.0, 10.0, 20.0, -6.0, 0.0, 5.0, 1, 1, 0"}
    net = read(tmp_path, raw_text(33, **sections)).net
    assert list(net.load["name"]) == ["load 2 1 admittance", "load 2 1 current", "load 2 1 power"]
    point = solve(net)
    v, loads = point.vm_pu("SOUTH (2)"), point.network.loads
    assert loads.p_mw.sum() == pytest.approx(30.0 + 20.0 * v, rel=1e-9)
    assert loads.q_mvar.sum() == pytest.approx(10.0 - 6.0 * v - 5.0 * v**2, rel=1e-9)


def transformer_sections(head: str, impedance: str, first: str, second: str = "1.0, 0.0") -> dict[str, str]:
    rest = f"{', '.join(['0.0'] * 3)}, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0"
    body = f"2, 3, 0, '1', {head}, 2, '', 1, 1, 1.0\n{impedance}\n{first}, {rest}\n{second}"
    return small(33) | {"transformer": body, "fixed_shunt": "", "switched_shunt": "", "load": ""}


def expected(t1: complex, z: complex, t2: float, mag: complex = 0.0) -> np.ndarray:
    """Two-port of I -- t1:1 -- z -- 1:t2 -- J with the magnetising admittance at I [pu on 100 MVA]."""
    y = 1.0 / z
    return np.array([[y / abs(t1) ** 2 + mag, -y / (np.conj(t1) * t2)], [-y / (t1 * t2), y / t2**2]])


NOLOSS = 80e3 / 100e6
PHASE = np.exp(1j * np.radians(30.0))


@pytest.mark.parametrize(
    ("head", "impedance", "windings", "result"),
    [
        ("1, 1, 1, 0, 0", "0.004, 0.08, 80.0", ("1.05, 0, 30", "0.98, 0"), (1.05 * PHASE, 0.004 + 0.08j, 0.98)),
        ("1, 2, 1, 0, 0", "0.004, 0.08, 80.0", ("1.05, 0, 0", "1, 0"), (1.05, (0.004 + 0.08j) / 0.8, 1.0)),
        ("2, 1, 1, 0, 0", "0.004, 0.08, 80.0", ("141.0, 0, 0", "13.5, 0"), (141 / 138, 0.004 + 0.08j, 13.5 / 13.8)),
        ("3, 1, 1, 0, 0", "0.0, 0.08, 80.0", ("1.02, 140, 0", "0.99, 13.2"),
         (1.02 * 140 / 138, 0.08j, 0.99 * 13.2 / 13.8)),
        ("1, 3, 1, 0, 0", "400000.0, 0.08, 80.0", ("1, 0, 0", "1, 0"),
         (1.0, (0.005 + 1j * np.sqrt(0.08**2 - 0.005**2)) / 0.8, 1.0)),
        ("1, 2, 1, 0, 0", "0.0, 0.08, 80.0", ("1, 140, 0", "1, 0"), (1.0, 0.08j / 0.8 * (140 / 138) ** 2, 1.0)),
        ("1, 1, 1, 0.002, -0.01", "0.0, 0.08, 80.0", ("1, 0, 0", "1, 0"), (1.0, 0.08j, 1.0, 0.002 - 0.01j)),
        ("1, 1, 2, 80000.0, 0.005", "0.0, 0.08, 80.0", ("1, 0, 0", "1, 0"),
         (1.0, 0.08j, 1.0, NOLOSS - 1j * np.sqrt((0.005 * 0.8) ** 2 - NOLOSS**2))),
    ],
)  # fmt: skip
def test_transformer_codes(head: str, impedance: str, windings: tuple[str, str], result: tuple, tmp_path: Path) -> None:
    """CW, CZ, CM, angle: the admittance matrix is that of PSS/E's two-winding model."""
    net = read(tmp_path, raw_text(33, **transformer_sections(head, impedance, *windings))).net
    point = solve(net)
    node = point.network.node_of_bus
    both = [node["SOUTH (2)"], node["SOUTH (3)"]]
    y = ybus(point.network).toarray()[np.ix_(both, both)]
    y[0, 0] -= 1.0 / (0.01 + 0.1j) + 0.025j  # the line
    np.testing.assert_allclose(y, expected(*result), rtol=1e-9, atol=1e-9)


def test_three_windings_meet_at_a_star(tmp_path: Path) -> None:
    """z12, z23, z31 are measured between pairs with the third open; ratios and angles stand at each winding."""
    winding = f"{', '.join(['0.0'] * 3)}, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0"
    body = f"""1, 2, 3, '1', 1, 1, 1, 0.001, -0.002, 2, '', 1, 1, 1.0
        0.002, 0.10, 100.0, 0.003, 0.12, 100.0, 0.004, 0.16, 100.0, 1.0, 0.0
        1.05, 0.0, 0.0, {winding}
        1.0, 0.0, 0.0, {winding}
        0.97, 0.0, 30.0, {winding}"""
    case = read(
        tmp_path,
        raw_text(33, **(small(33) | {"transformer": body, "branch": "", "fixed_shunt": "", "switched_shunt": ""})),
    )
    assert list(case.net.trafo["name"]) == ["1-2-3 1 winding 1", "1-2-3 1 winding 2", "1-2-3 1 winding 3"]
    assert case.net.bus["name"].iloc[3] == "star 1-2-3 1"
    point = solve(case.net)
    node = point.network.node_of_bus
    order = [node[k] for k in ("NORTH", "SOUTH (2)", "SOUTH (3)", "star 1-2-3 1")]
    y = ybus(point.network).toarray()[np.ix_(order, order)]
    z = np.array([0.002 + 0.10j + 0.004 + 0.16j - 0.003 - 0.12j, 0.002 + 0.10j + 0.003 + 0.12j - 0.004 - 0.16j,
                  0.003 + 0.12j + 0.004 + 0.16j - 0.002 - 0.10j]) / 2.0  # fmt: skip
    t = np.array([1.05, 1.0, 0.97 * PHASE])
    np.testing.assert_allclose(np.diag(y)[:3], 1 / z / np.abs(t) ** 2 + [0.001 - 0.002j, 0, 0], rtol=1e-9)
    np.testing.assert_allclose(y[:3, 3], -1 / z / t.conj(), rtol=1e-9)
    np.testing.assert_allclose(y[3, 3], (1 / z).sum(), rtol=1e-9)


@pytest.mark.parametrize(("status", "off"), [(0, [1, 2, 3]), (2, [2]), (3, [3]), (4, [1])])
def test_status_of_three_windings(status: int, off: list[int], tmp_path: Path) -> None:
    winding = f"1.0, 0.0, 0.0, {', '.join(['0.0'] * 3)}, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0"
    body = (
        f"1, 2, 3, '1', 1, 1, 1, 0, 0, 2, '', {status}, 1, 1.0\n0, 0.1, 100, 0, 0.1, 100, 0, 0.1, 100, 1, 0\n"
        + "\n".join([winding] * 3)
    )
    net = read(tmp_path, raw_text(33, **(small(33) | {"transformer": small(33)["transformer"] + "\n" + body}))).net
    on = dict(zip(net.trafo["name"], net.trafo["in_service"], strict=True))
    assert [k for k in (1, 2, 3) if not on[f"1-2-3 1 winding {k}"]] == off


def test_line_shunts_and_buses_without_impedance(tmp_path: Path) -> None:
    """A line with its own shunts is an impedance, a branch without impedance joins its buses."""
    branch = """1, 2, '1', 0.01, 0.1, 0.05, 0, 0, 0, 0.001, 0.02, 0.003, 0.04, 1, 1, 0.0, 1, 1.0
        2, -4, '1', 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0.0, 1, 1.0"""
    sections = small(33) | {"branch": branch}
    sections["bus"] += "\n4, 'TWIN', 138.0, 1, 1, 7, 1, 1.0, -2.0"
    case = read(tmp_path, raw_text(33, **sections))
    point = solve(case.net)
    node = point.network.node_of_bus
    assert node["TWIN"] == node["SOUTH (2)"]
    k = point.network.branches.name.index("1-2 1")
    assert point.network.branches.kind[k] == "impedance"
    y = 1.0 / (0.01 + 0.1j)
    assert point.network.branches.y_ff[k] == pytest.approx(y + 0.001 + 0.02j + 0.025j)
    assert point.network.branches.y_tt[k] == pytest.approx(y + 0.003 + 0.04j + 0.025j)


def test_switching_devices_join_or_part_buses(tmp_path: Path) -> None:
    sections = small(34)
    limits = ", 1.1, 0.9, 1.1, 0.9"
    sections["bus"] += f"\n4, 'TWIN', 138.0, 1, 1, 7, 1, 1.0, -2.0{limits}\n5, 'OFF', 138.0, 1, 1, 7, 1, 1.0, 0{limits}"
    sections["system_switching_device"] = (
        f"2, 4, '1', 0.0001, {RATES}, 1, 1, 2, 2, 'BRK'\n2, 5, '1', 0.0001, {RATES}, 0, 1, 2, 2, 'OPEN'"
    )
    case = read(tmp_path, raw_text(34, **sections))
    node = solve(case.net).network.node_of_bus
    assert node["TWIN"] == node["SOUTH (2)"]
    assert "OFF" not in node
    assert (
        case.account.counts["system switching device"].used,
        case.account.counts["system switching device"].out,
    ) == (1, 1)


def test_machines_without_range_or_at_a_load_bus_give_fixed_q(tmp_path: Path) -> None:
    line = "3, '{}', 10.0, 3.0, {}, {}, 1.01, 0, 60.0, 0, 0.2, 0, 0, 1, 1, 100, 50, 0, 1, 1.0, 0, 1, 0, 1, 0, 1, {}, {}"
    rows = [
        line.format("A", 4, 4, 0, 1),
        line.format("B", 9, -9, 3, -0.8),
        line.format("C", 9, -9, 2, 0.8),
        "2, '1', 1.0, 0.5, 9, -9",
    ]
    first = small(33)["generator"].strip("\n").split("\n")[0]
    net = read(tmp_path, raw_text(33, **(small(33) | {"generator": "\n".join([first, *rows])}))).net
    fixed = net.sgen.set_index("name")
    assert fixed["q_mvar"].to_dict() == {"3 A": 4.0, "3 B": pytest.approx(-7.5), "2 1": 0.5}
    assert net.gen.set_index("name").loc["3 C", ["min_q_mvar", "max_q_mvar"]].tolist() == pytest.approx([-7.5, 7.5])


def test_unused_sections_are_counted_and_equipment_without_a_place_is_listed(tmp_path: Path) -> None:
    dc = "'NORTH-SOUTH', 1, 5.0, 200.0, 345.0\n1, 2, 25, 15\n2, 2, 25, 15"
    sections = small(33) | {
        "two_terminal_dc": dc,
        "facts_device": "'STATCOM', 2, 0, 1",
        "owner": "1, 'US'",
        "area": "1, 0, 0, 5, 'A'",
    }
    account = read(tmp_path, raw_text(33, **sections)).account
    assert [str(row) for row in account.unsupported] == [
        "case.raw, line 25: two-terminal DC line 'NORTH-SOUTH' between buses 1 and 2: the power it carries is missing "
        "at both of its buses",
        "case.raw, line 38: FACTS device 'STATCOM, 2, 0': its reactive power and series voltage are missing",
    ]
    assert (account.counts["owner"].skipped, account.counts["area"].skipped) == (1, 1)
    assert "two-terminal dc" in str(account)
    assert "line 38" in str(account)


def test_defaults_are_reported(tmp_path: Path) -> None:
    case = read(tmp_path, raw_text(34, header="0, 100.0, 34, , , / V0.2", **small(34)))
    assert case.net.f_hz == 60.0
    assert "BASFRQ is empty: 60 Hz is taken" in case.account.notes
    assert read_raw(tmp_path / "case.raw", f_hz=50.0).net.f_hz == 50.0


def test_what_has_only_a_part_in_the_case_is_listed(tmp_path: Path) -> None:
    sections = small(33)
    sections["generator"] = sections["generator"].replace("0.25, 0.0, 0.0, 1.0", "0.25, 0.0, 0.1, 1.0", 1)
    sections["transformer"] = sections["transformer"].replace("33, 0, 0.0", "33, 4, 0.0")
    partly = [row.what for row in read(tmp_path, raw_text(33, **sections)).account.partly]
    assert partly == ["step-up transformer of machine 3 G1 (RT, XT, GTAP)", "impedance correction table 4"]


def test_remote_voltage_and_reactive_limits_give_setpoints(tmp_path: Path) -> None:
    """The machines at bus 3 hold bus 2 at 1.0 pu; with a range of 1 MVAr each they stand at its end instead."""
    sections = small(33)
    sections["generator"] = (
        sections["generator"].replace("1.01, 0, 60", "1.0, 2, 60").replace("1.01, 0, 40", "1.0, 2, 40")
    )
    case = read(tmp_path, raw_text(33, **sections))
    net, notes = settle(case.net, case.regulators)
    assert solve(net).vm_pu("SOUTH (2)") == pytest.approx(1.0, abs=1e-7)
    assert "machines at 1 buses regulate another bus" in notes[0]
    sections["generator"] = (
        sections["generator"].replace("30.0, -30.0", "0.5, -0.5").replace("20.0, -20.0", "0.5, -0.5")
    )
    case = read(tmp_path, raw_text(33, **sections))
    net, notes = settle(case.net, case.regulators)
    units = solve(net).network.units
    both = [units.q_mvar[units.name.index(n)] for n in ("3 G1", "3 G2")]
    assert abs(sum(both)) == pytest.approx(1.0, abs=1e-3)
    assert both[0] / sum(both) == pytest.approx(6 / 9)
    assert notes[-1].endswith("bus 3")
    assert settle(case.net, case.regulators, q_limits=False)[1] != notes


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"load": "9, '1', 1"}, r"row 8: I = 9: no bus of the file has this number"),
        ({"generator": "1, '1', 1, 1\n1, '1', 1, 1"}, r"machine = '1 1': stands in line \d+ already: two records"),
        ({"branch": "1, 1, '1', 0, 0.1"}, r"both ends are the same bus"),
        ({"branch": "1, 2, '1', 0.0, abc"}, r"X = 'abc': is not a plain finite number"),
        ({"branch": "1, 2, '1, 0.0, 0.1"}, r"the quote that opens at column \d+ is not closed"),
        ({"bus": "1, 'A', 138.0, 5"}, r"IDE = 5: must be 1 \(load\)"),
        ({"bus": "1, 'A', 138.0, 1\n1, 'B', 138.0, 1"}, r"bus = '1': stands in line"),
        ({"generator": "1, '1', 1, 1, -5, 5"}, r"QB = 5.0: is above QT = -5"),
        ({"generator": "1, '1', 1, 1, 5, -5, 1.0, 0, 0.0"}, r"MBASE = 0.0: give the machine's base"),
        ({"generator": "3, '1', 1, 1, 5, -5, 1.0"}, r"swing bus = 1: has type code 3 but no machine in service"),
    ],
)  # fmt: skip
def test_faults_have_line_and_remedy(change: dict[str, str], text: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=text):
        read(tmp_path, raw_text(33, **(small(33) | change)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "is empty"),
        ("0, 100.0, 30, 0, 1, 60.0\n\n\n0\nQ\n", r"row 1: REV = '30': this version is not read: write"),
        ("0, 100.0, 36, 0, 1, 60.0\n\n\n0\nQ\n", r"REV = '36'"),
        ("hello world\n", r"is not the first line of a RAW file"),
        ('{"network": {}}', r"RAWX"),
        ("1, 100.0, 33, 0, 1, 60.0\n\n\n0\nQ\n", r"changes to another case"),
        (b"\x00\x01\x02PSSE", r"row 1: character = '\\\\x00': is not a text file"),
        ("0, -5, 33, 0, 1, 60.0\n\n\n" + "0\n" * 20 + "Q", r"SBASE = '-5': is not a number above 0 MVA"),
    ],
)  # fmt: skip
def test_files_that_are_no_raw_file(content: str | bytes, text: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=text):
        read(tmp_path, content)


def test_numbers_that_overflow_are_a_fault_of_their_line(tmp_path: Path) -> None:
    sections = small(33)
    sections["transformer"] = sections["transformer"].replace("0.08, 80.0", "0.08, 1e-320")
    with pytest.raises(CaseError, match=r"row 18: vk_percent = .*: the record's numbers are out of range for a trafo"):
        read(tmp_path, raw_text(33, **sections))


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    lines = raw_text(33, **small(33)).split("\n")
    last_needed = next(k for k, line in enumerate(lines) if "END OF SWITCHED SHUNT" in line)
    for count in range(3, last_needed):
        with pytest.raises(CaseError, match="cut off"):
            read(tmp_path, "\n".join(lines[:count]))


def test_names_outside_ascii_are_read(tmp_path: Path) -> None:
    text = raw_text(33, **small(33)).replace("NORTH", "MÜLHEIM")
    assert read(tmp_path, text).keys[1] == "MÜLHEIM"
    latin = read(tmp_path, text.encode("latin-1"))
    assert latin.keys[1] == "MÜLHEIM"
    assert latin.account.notes[0] == "line 4 holds bytes that are not UTF-8: the file is read as Latin-1"


def test_free_format(tmp_path: Path) -> None:
    """Blanks part fields as commas do, a slash ends a record, empty fields take their default, Windows line ends."""
    sections = small(33)
    sections["fixed_shunt"] = "2 'A' 1 0.5 12.0 / a remark, with a comma"
    sections["load"] = "2,,,1,1,30.0,10.0,20.0D+0,6.0,1.E1,-4.0"
    net = read(tmp_path, raw_text(33, **sections).replace("\n", "\r\n")).net
    reference = read(tmp_path, raw_text(33, **small(33))).net
    pd.testing.assert_frame_equal(net.load, reference.load)
    pd.testing.assert_frame_equal(net.shunt, reference.shunt)
