"""DERA1 through DYR: the record as in PSS/E's files, its user-written form, out and in again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridai.errors import CaseError
from gridai.exchange import import_case, write_dyr, write_raw
from gridai.exchange.dyr_tables import entry_of
from gridai.models.converters.dera1 import DYR, MODEL

from .test_dyr import GENROU, imported

# the record of the NREL 240-bus case with DER_A, its high voltages in order
CONSTANTS = """1 1 0 1 1 1
    0.02 0.02 -99 99 0 0  0.02 0.02 20 20 -0.0006 0.0006  99 -99 1 0 99 -99  5 0.1 10 1.2 0.44 0.94
    1.2 1.15 0.16 0.17 0.18 0.19  1 56.5 62.0 0.16 0.16 0.02  2.0 0.02 0.3 1 -1"""
OTHERS = f"1 'GENCLS' 1 4.0 0.0 /\n3 'GENROU' G1 {GENROU} /\n"
SHAPES = {"DERA1": f"3 'DERA1' G2 {CONSTANTS} /", "DERAU1": f"3 'USRMDL' G2 'DERAU1' 101 1 6 41 10 23 {CONSTANTS} /"}


@pytest.mark.parametrize("shape", SHAPES)
def test_record(shape: str, tmp_path: Path) -> None:
    """Flags, then constants CON J to J+40 in the order of three independent readers; xe is ZX of the RAW file."""
    case, report = imported(tmp_path, OTHERS + SHAPES[shape])
    row = case.dynamics["dera1"].iloc[0]
    expected = {
        "unit": "3 G2", "pf_flag": 1.0, "freq_flag": 1.0, "pq_flag": 0.0, "type_flag": 1.0, "ftrip_flag": 1.0,
        "dbd1_pu": -99.0, "dbd2_pu": 99.0, "ddn": 20.0, "fdbd2_pu": 0.0006, "femax_pu": 99.0, "femin_pu": -99.0,
        "tpord_s": 5.0, "imax_pu": 1.2, "vl0_pu": 0.44, "vl1_pu": 0.94, "vh0_pu": 1.2, "vh1_pu": 1.15,
        "tvl0_s": 0.16, "tvl1_s": 0.17, "tvh0_s": 0.18, "tvh1_s": 0.19, "fl_hz": 56.5, "rrpwr_pu_per_s": 2.0,
        "vpr_pu": 0.3, "iqh1_pu": 1.0, "iql1_pu": -1.0,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    units = case.net.gen.set_index("name")
    assert row["xe_pu"] == units.loc["3 G2", "zx_pu"]
    assert not report.unsupported


def test_count_is_checked(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="has 46 constants, DERA1 has 47: some are missing"):
        imported(tmp_path, OTHERS + SHAPES["DERA1"].replace("1 -1 /", "1 /"))
    assert entry_of("DERAU1").order.count(None) == 6  # type: ignore[union-attr]


def test_swapped_voltages_are_refused(tmp_path: Path) -> None:
    """As that file has it: 1.2 0.7 for vh0 and vh1."""
    with pytest.raises(CaseError, match=r"vh1_pu = 0.7: not above vl1_pu = 0.94: nothing would be connected"):
        imported(tmp_path, OTHERS + SHAPES["DERA1"].replace("1.2 1.15", "1.2 0.7"))


def test_out_and_in_again(tmp_path: Path) -> None:
    case, _ = imported(tmp_path, OTHERS + SHAPES["DERA1"])
    write_raw(case, tmp_path / "out.raw")
    assert not [note for note in write_dyr(case, tmp_path / "out.dyr") if "dera1" in note]
    again = import_case(tmp_path / "out.raw", tmp_path / "out.dyr").case
    names = [*DYR, "xe_pu"]
    assert sorted(names) == sorted(q.name for q in MODEL.params if not q.solved)
    assert again.dynamics["dera1"][names].equals(case.dynamics["dera1"][names])
