"""DYR files: their text, their units, their constants; faults are collected with line numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridai.errors import CaseError, Problems
from gridai.exchange import Import, import_case, write_dyr
from gridai.exchange.dyr import parse_dyr
from gridai.exchange.dyr_tables import entry_of

from ..grid.raw_samples import raw_text, small

GENROU = "6.0 0.05 1.0 0.05 3.5 0.0 1.8 1.7 0.3 0.55 0.25 0.2 0.0 0.0"
MACHINES = f"1 'GENCLS' 1 4.0 0.0 /\n3 'GENROU' G1 {GENROU} /\n3 'GENROU' G2 {GENROU} /\n"


def imported(folder: Path, dyr: str | bytes, raw: str | None = None, **settings: object) -> Import:
    (folder / "case.raw").write_text(raw or raw_text(33, **small(33)))
    (folder / "case.dyr").write_bytes(dyr if isinstance(dyr, bytes) else dyr.encode())
    return import_case(folder / "case.raw", folder / "case.dyr", limits="keep", **settings)  # type: ignore[arg-type]


def test_the_text_of_a_file(tmp_path: Path) -> None:
    """Comments, commas, blanks, records over several lines, stray slashes, remarks after the slash."""
    text = (
        "// a comment with a / and a 'quote\n/ \n1 'GENCLS' 1   4.0  0.0 /JOBOS 38 'x\n"
        "3, 'SEXS', G1 , 0.1, 10.0,\n 100, 0.1, 0,\n 3.0/\n/\n@! another comment\n3 TGOV1 'G 1' 1.0E-1 2.D0 /"
    )
    (tmp_path / "case.dyr").write_text(text)
    found = Problems()
    read = parse_dyr(tmp_path / "case.dyr", found)
    assert not found
    assert [(r.line, r.bus, r.model, r.ident, r.values) for r in read.records] == [
        (3, 1, "GENCLS", "1", ("4.0", "0.0")),
        (4, 3, "SEXS", "G1", ("0.1", "10.0", "100", "0.1", "0", "3.0")),
        (9, 3, "TGOV1", "G 1", ("1.0E-1", "2.D0")),
    ]
    assert (read.comments, read.strays) == (2, 2)


def test_tables_hold_the_constants_by_name(tmp_path: Path) -> None:
    case, report = imported(tmp_path, MACHINES + "3 'SEXS' 'G1' 0.1 10.0 100.0 0.1 0.0 6.0 /")
    machines = case.dynamics["genrou"].set_index("unit")
    assert list(machines.index) == ["3 G1", "3 G2"]
    assert machines.loc["3 G1", ["td10_s", "h_s", "xd2_pu", "ra_pu"]].tolist() == [6.0, 3.5, 0.25, 0.003]
    assert case.dynamics["gencls"].to_dict("records") == [
        {"unit": "1 1", "h_s": 4.0, "d_pu": 0.0, "ra_pu": 0.0, "xd1_pu": 0.2}
    ]
    assert case.dynamics["sexs"]["emax_pu"].tolist() == [6.0]
    assert (case.dynamics["sexs"].attrs["file"], case.dynamics["sexs"].attrs["rows"]) == ("case.dyr", [4])
    assert {kind: count.used for kind, count in report.accounts[1].counts.items()} == {
        "GENCLS": 1,
        "GENROU": 2,
        "SEXS": 1,
    }


def test_models_that_are_not_there_are_listed_with_their_line(tmp_path: Path) -> None:
    text = MACHINES + "3 'NOSUCH' G1 1 2 3 /\n3 'USRMDL' G2 'MYAVR' 4 0 1 2 3 /\n0 'USRMSC' 1 'SCRIPT' 1 /\n"
    case, report = imported(tmp_path, text)
    assert [str(row) for row in report.unsupported] == [
        "case.dyr, line 4: NOSUCH at bus 3, id 'G1': no model of this name: the unit runs without it",
        "case.dyr, line 5: MYAVR (USRMDL) at bus 3, id 'G2': no model of this name: the unit runs without it",
        "case.dyr, line 6: SCRIPT (USRMSC) at bus 0, id '1': no model of this name: the unit runs without it",
    ]
    assert "not represented: line 4 NOSUCH" in case.notes[0]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("9 'GENCLS' 1 4.0 0.0 /", r"row 4: .*no machine '1' at bus 9 \(the bus has no machine\): add it to the RAW"),
        ("3 'GENCLS' G9 4.0 0.0 /", r"no machine 'G9' at bus 3 \(there: 'G1', 'G2'\)"),
        ("3 'GENCLS' G1 4.0 0.0 /", r"unit '3 G1' has GENROU as machine in line 2 already: keep one"),
        ("3 'SEXS' G1 0.1 10 100 0.1 0 /", r"row 4: .*the record has 5 constants, SEXS has 6: some are missing"),
        ("3 'SEXS' G1 0.1 10 100 0.1 0 6 7 /", r"has 7 constants, SEXS has 6: which of them is one too many cannot"),
        ("3 'SEXS' G1 0.1 0 100 0.1 0 6 /", r"row 4: tb_s = 0.0: must lie in \[1e-06, inf\] s: lag time constant"),
        ("3 'SEXS' G1 0.1 10 100 0.1 6 0 /", r"emin_pu = 6.0: not below emax_pu = 0"),
        ("3 'SEXS' G1 0.1 10 abc 0.1 0 6 /", r"k = 'abc': is not a plain finite number"),
        ("3 'SEXS' G1 0.1 10 nan 0.1 0 6 /", r"k = 'nan': is not a plain finite number"),
        ("3 'SEXS' G1 0.1 10 100 0.1 0 6", r"row 4: record = '3 SEXS G1': the record is not ended by '/'"),
        ("3 'SEXS' G1 0.1 10 100\n3 'TGOV1' G1 1 /", r"'TGOV1' stands among the constants: the '/' before line 5"),
        ("3 'SEXS /", r"row 4: quote = .*is not closed on its line"),
        ("NORTH 'SEXS' 1 0.1 /", r"a record begins with a bus number"),
        ("3 /", r"a record needs bus number, model name and id"),
        ("2 'USRLOD' ll 'SOMELOAD' 1 2 3 /", r"SOMELOAD \(USRLOD\) at bus 2.*no load 'll' at bus 2 \(there: '1'\)"),
    ],
)  # fmt: skip
def test_faults_have_line_and_remedy(record: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=text):
        imported(tmp_path, MACHINES + record + "\n")


def test_faults_are_collected(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="3 faults") as caught:
        imported(tmp_path, MACHINES + "9 'GENCLS' 1 4.0 0.0 /\n3 'SEXS' G1 1 /\n3 'TGOV1' G1 1 2 /\n")
    assert [f"row {n}:" in str(caught.value) for n in (4, 5, 6)] == [True] * 3


def test_a_classical_machine_needs_its_reactance_from_the_raw(tmp_path: Path) -> None:
    raw = raw_text(33, **small(33)).replace("120.0, 0.0, 0.2", "120.0, 0.0, 0.0")
    with pytest.raises(CaseError, match=r"ZX = 0.0: xd1_pu of GENCLS at bus 1, id '1' is ZX of the RAW file"):
        imported(tmp_path, MACHINES, raw)


def test_binary_and_other_text(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="is not a text file"):
        imported(tmp_path, b"\x00\x01")
    case, report = imported(tmp_path, ("// Größe\n" + MACHINES).encode("latin-1"))
    assert "line 1 holds bytes that are not UTF-8: the file is read as Latin-1" in report.accounts[1].notes
    assert len(case.dynamics["genrou"]) == 2


def test_relays_name_the_bus_they_watch(tmp_path: Path) -> None:
    records = "77 'VTGTPAT' 3 3 'G1' 0.5 1.2 0.1 0.05 /\n78 'FRQTPAT' 2 3 'G2' 57.0 62.0 0.1 0.05 /\n"
    case, report = imported(tmp_path, MACHINES + records)
    row = case.dynamics["vtgtpat"].iloc[0]
    assert (row["unit"], row["vl_pu"], row["vu_pu"], row["tp_s"]) == ("3 G1", 0.5, 1.2, 0.1)
    assert [(row.line, "watches bus 2" in row.why) for row in report.unsupported] == [(5, True)]


def test_load_shedding_belongs_to_the_load_of_its_bus_and_id(tmp_path: Path) -> None:
    """LVSHBL names the monitored bus before its ten constants, LDSHBL has the constants alone (the record that ODM and
    GridPACK read: I, 'LVSHxx', LID, ICON(M), CON(J) to CON(J+9))."""
    stages = "0.9 0.2 0.1 0.85 0.3 0.2 0.8 0.4 0.3 0.05"
    hertz = stages.replace("0.9 ", "59.3 ").replace("0.85", "59.0").replace("0.8 ", "58.7 ")
    records = f"2 'LVSHBL' 1 2 {stages} /\n2 'LDSHBL' '1' {hertz} /\n"
    case, report = imported(tmp_path, MACHINES + records)
    volts, herz = case.dynamics["lvshbl"].iloc[0], case.dynamics["ldshbl"].iloc[0]
    assert [volts[c] for c in ("unit", "v1_pu", "t1_s", "frac1", "v3_pu", "frac3", "tb_s")] == [
        "load 2 1", 0.9, 0.2, 0.1, 0.8, 0.3, 0.05,
    ]  # fmt: skip
    assert [herz[c] for c in ("unit", "f1_hz", "t2_s", "frac2", "f3_hz")] == ["load 2 1", 59.3, 0.3, 0.2, 58.7]
    assert {kind: count.used for kind, count in report.accounts[1].counts.items()}["LVSHBL"] == 1
    _, report = imported(tmp_path, MACHINES + f"2 'LVSHBL' 1 3 {stages} /\n")
    assert ["watches bus 3, not its load's" in row.why for row in report.unsupported] == [True]
    with pytest.raises(CaseError, match=r"row 4: .*no load 'G1' at bus 2 \(there: '1'"):
        imported(tmp_path, MACHINES + f"2 'LDSHBL' G1 {hertz} /\n")
    with pytest.raises(CaseError, match="the record has 10 constants, LVSHBL has 11"):
        imported(tmp_path, MACHINES + f"2 'LVSHBL' 1 {stages} /\n")


def test_a_load_with_a_model_of_its_own_is_not_converted(tmp_path: Path) -> None:
    """A motor load at bus 2 stands alone: no row `zip` gives it a second current."""
    order = entry_of("CIM5BL").order  # type: ignore[union-attr]
    model = entry_of("CIM5BL").model  # type: ignore[union-attr]
    given = {"it": 1, "ra_pu": 0.03, "xa_pu": 0.08, "xm_pu": 3.0, "r1_pu": 0.03, "x1_pu": 0.08, "h_s": 0.8}
    values = {q.name: q.default or 0.0 for q in model.params} | given
    record = "2 'CIM5BL' 1 " + " ".join(f"{values.get(str(name), 0.0):g}" for name in order) + " /\n"
    case, _ = imported(tmp_path, MACHINES + record)
    assert case.dynamics["cim5bl"]["unit"].tolist() == ["load 2 1"]
    assert "zip" not in case.dynamics


IEEEG1 = "20 0.1 0.05 0.2 0.5 -0.5 1.1 0 0.3 0.3 0 5 0.4 0 0.5 0.3 0 0 0 0"
IEEEST = "1 0 0 0 0 0 0.1 0.05 0.1 0.05 3 3 5 0.1 -0.1 0 0"


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (f"3 'IEEEG1' G1 1 '1' {IEEEG1} /", "jbus = 1: a second shaft .* is not there"),
    ],
)
def test_what_a_model_does_not_have_is_listed_with_its_line(record: str, text: str, tmp_path: Path) -> None:
    case, report = imported(tmp_path, MACHINES + record + "\n")
    assert [row.line for row in report.unsupported] == [4]
    assert re.search(text + ".*the unit runs without it", report.unsupported[0].why)
    assert set(case.dynamics) == {"gencls", "genrou", "zip"}


@pytest.mark.parametrize(("mode", "bus"), [(2, 3), (5, 3), (1, 2), (3, 1)])
def test_a_stabiliser_at_its_own_bus_is_used(mode: int, bus: int, tmp_path: Path) -> None:
    """IB names the machine's own bus, or the mode does not use it."""
    case, report = imported(tmp_path, MACHINES + f"3 'IEEEST' G1 {mode} {bus} {IEEEST} /\n")
    assert not report.unsupported
    assert "remote_bus" not in case.dynamics["ieeest"].columns


def test_a_stabiliser_at_a_remote_bus(tmp_path: Path) -> None:
    """IEEEST at bus 1, PSS2A with one signal at bus 2; back to DYR the same numbers; an unknown bus is named."""
    pss2a = "2 2 3 7 5 1 10 10 0 10 0 7 0.2 1 0.5 0.1 10 0.2 0.02 0.2 0.02 0.1 -0.1"
    case, _ = imported(tmp_path, MACHINES + f"3 'IEEEST' G1 2 1 {IEEEST} /\n3 'PSS2A' G2 {pss2a} /\n")
    assert case.dynamics["ieeest"]["remote_bus"].tolist() == ["NORTH"]
    row = case.dynamics["pss2a"].iloc[0]
    assert row["remote_bus"] == "SOUTH (2)"
    assert "remote_bus2" not in row, "signal 3 is the machine's own, whatever bus is named"
    write_dyr(case, tmp_path / "back.dyr")
    text = " ".join((tmp_path / "back.dyr").read_text().split())
    assert "3 'IEEEST' 'G1' 2 1 " in text
    assert "3 'PSS2A' 'G2' 2 2 3 0 " in text
    with pytest.raises(CaseError, match="remote_bus = 77: no bus of the case has this number"):
        imported(tmp_path, MACHINES + f"3 'IEEEST' G1 5 77 {IEEEST} /\n")


def test_a_record_of_an_area_is_listed(tmp_path: Path) -> None:
    _, report = imported(tmp_path, MACHINES + "7 'USRLOD' '*' 'CMLDARU2' 12 1 2 133 27 146 48 0 0 -1.25 /\n")
    assert [row.why for row in report.unsupported] == ["stands for all loads of an area: give a record to each load"]


def test_links_to_buses_and_branches(tmp_path: Path) -> None:
    """REPCA1 of G2 controls bus 2 and measures the transformer 2-3 from bus 3; REECB1's bus 0 is its own."""
    count = {name: len(entry_of(name).order) for name in ("REGCA1", "REECB1", "REPCA1")}  # type: ignore[union-attr]
    regc = "1 0.02 10 0.9 0.4 1.22 1.2 0.9 0.5 -1.3 0.02 0 100 -100 0.7"
    reec = "0 0 1 0 0 -99 99 0.02 0 0 0 1.1 -1.1 0 0.05 0.44 -0.44 1.05 0.9 0 0.01 10 60 0.02 99 -99 1 0 1.11 0.02"
    repc = "2 3 2 '1 ' 0 0 1 0.02 18 5 0 0.05 0 0 0 0.02 0.1 -0.1 -1 1 0.43 -0.43 1 0.05 0.25 -1 1 99 -99 1 0 0.1 0 0"
    assert count == {"REGCA1": len(regc.split()), "REECB1": len(reec.split()), "REPCA1": len(repc.split()) - 1}
    text = f"1 'GENCLS' 1 4.0 0.0 /\n3 'GENROU' G1 {GENROU} /\n"
    text += f"3 'REGCA1' G2 {regc} /\n3 'REECB1' G2 {reec} /\n3 'REPCA1' G2 {repc} /"
    case, _ = imported(tmp_path, text)
    row = case.dynamics["repca1"].iloc[0]
    assert (row["remote_bus"], row["branch"], row["from_bus"]) == ("SOUTH (2)", "2-3 1", "SOUTH (3)")
    assert "remote_bus" not in case.dynamics["reecb1"].columns
    with pytest.raises(CaseError, match=r"branch = \"3 to 1 circuit '1'\": the case has no such branch"):
        imported(tmp_path, text.replace("2 3 2 '1 '", "2 3 1 '1 '"))


@pytest.mark.parametrize(
    ("loads", "shares"),
    [
        ("usual", (10 / 60, 50 / 60, 0.0, 14 / 20, 6 / 20, 0.0)),
        ("constant_impedance", (40 / 60, 20 / 60, 0.0, 14 / 20, 6 / 20, 0.0)),
        ("constant_power", (10 / 60, 20 / 60, 30 / 60, 4 / 20, 6 / 20, 10 / 20)),
    ],
)  # fmt: skip
def test_load_conversion_moves_the_constant_power_part(loads: str, shares: tuple[float, ...], tmp_path: Path) -> None:
    """Shares at the solved voltage; the numbers above hold at 1 pu, where the load bus is kept."""
    raw = raw_text(33, **small(33)).replace("1.01, 0, 60", "1.0, 2, 60").replace("1.01, 0, 40", "1.0, 2, 40")
    case, report = imported(tmp_path, MACHINES, raw, loads=loads)
    row = case.dynamics["zip"].iloc[0]
    assert row["unit"] == "*"
    assert [row[c] for c in ("pz", "pi", "pp", "qz", "qi", "qp")] == pytest.approx(shares, abs=1e-6)
    assert any("constant-power part of loads" in note for note in report.notes)
