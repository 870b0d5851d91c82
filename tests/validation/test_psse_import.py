"""PSS/E cases from RAW and DYR: the folders' power flows and time series, and the WECC 240-bus case.

The time series stand in psse.toml with what is allowed and what was reached; README.md here shows them as a table.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.errors import CaseError
from gridai.exchange import Import, import_case
from gridai.grid import solve

from . import psse_table

RUNS = psse_table.spec()["run"]
STARTS = ("LessLoad", "LOAD", "RENA")
"""RAW files whose stored voltages solve another dispatch or load: starts only."""


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["model"])
def test_series_from_raw_and_dyr(run: dict[str, Any], reference_dir: Path) -> None:
    for row in psse_table.rows_of(run, reference_dir / "psse"):
        assert row.good, row


def test_every_power_flow_solves_to_the_stored_voltages(reference_dir: Path) -> None:
    """Reached: 2.1e-6 pu, 5e-5 degrees; the files print six digits."""
    from gridai.grid.raw import read_raw

    for path in sorted((reference_dir / "psse").glob("*/*.raw")):
        read = read_raw(path)
        point = solve(read.net)
        assert point.mismatch_mva < 1e-5, path
        if not any(word in str(path) for word in STARTS):
            for key, (vm, va) in read.stored.items():
                assert point.vm_pu(key) == pytest.approx(vm, abs=5e-6), (path, key)
                assert point.va_degree(key) == pytest.approx(va, abs=1e-4), (path, key)


def test_every_dyr_is_read_whole(reference_dir: Path) -> None:
    for dyr in sorted((reference_dir / "psse").glob("*/*.dyr")):
        for raw in sorted(dyr.parent.glob("*.raw")):
            report = import_case(raw, dyr).report
            assert not report.unsupported, dyr
            assert sum(count.used for count in report.accounts[1].counts.values()) == report.accounts[1].records


@pytest.fixture(scope="module")
def wecc(reference_dir: Path) -> Import:
    folder = reference_dir / "wecc240"
    return import_case(folder / "240busWECC_2018_PSS.raw", folder / "240busWECC_2018_PSS.dyr")


def test_wecc_accounts_for_every_record(wecc: Import, reference_dir: Path) -> None:
    """Records counted by hand: lines of a section between its `0 /` lines, four lines a transformer."""
    text = (reference_dir / "wecc240/240busWECC_2018_PSS.raw").read_text()
    lines = [line for line in text.splitlines()[3:] if not line.startswith("@!") and line != "Q"]
    counts, section = {}, "system-wide"
    for line in lines:
        if re.match(r"0 /", line):
            said = re.search(r"BEGIN (.+) DATA", line)
            section = said.group(1).lower() if said else ""
        else:
            counts[section] = counts.get(section, 0) + 1
    counts["transformer"] //= 4
    raw, dyr = wecc.report.accounts
    assert {kind: count.total for kind, count in raw.counts.items() if count.total} == counts
    assert not wecc.report.unsupported
    assert not wecc.report.partly
    assert raw.counts["generator"].out == 6
    assert {kind: count.total for kind, count in dyr.counts.items()} == {
        "GENROU": 109, "SEXS": 109, "GAST": 47, "TGOV1": 37, "REGCA1": 37, "REECB1": 37, "REPCA1": 37, "HYGOV": 25,
        "IEEEST": 10,
    }  # fmt: skip
    assert "BASFRQ is empty: 60 Hz is taken" in str(wecc.report)


def test_wecc_loads_have_the_signs_of_psse(wecc: Import) -> None:
    load = wecc.case.net.load.set_index("name").loc["load 6508 1"]
    assert load["p_mw"] == 128.991
    assert load["q_mvar"] == 41.365
    assert load["const_i_p_percent"] == 100.0
    assert load["const_z_q_percent"] == 100.0
    assert (wecc.case.net.load["const_i_p_percent"] == 100.0).all()
    assert (wecc.case.net.load["const_z_q_percent"] == 100.0).sum() == 134


def test_wecc_power_flow_is_that_of_psse(wecc: Import, reference_dir: Path) -> None:
    """Reached: 4.3e-5 pu, 0.0009 degrees, 0.07 MW at the swing; 52 buses regulate another one, one is at its limit."""
    from gridai.grid.raw import read_raw

    stored = read_raw(reference_dir / "wecc240/240busWECC_2018_PSS.raw").stored
    point = wecc.case.solve()
    assert max(abs(point.vm_pu(key) - vm) for key, (vm, _) in stored.items()) < 5e-5
    assert max(abs(point.va_degree(key) - va) for key, (_, va) in stored.items()) < 1e-3
    units = point.network.units
    assert units.p_mw[units.name.index("3933 NH")] == pytest.approx(1275.022, abs=0.1)
    assert units.q_mvar[units.name.index("3731 NH")] == pytest.approx(-121.0, abs=1e-3)
    assert units.q_mvar[units.name.index("1032 S")] == pytest.approx(-3.332, abs=0.05)


def test_wecc_buses_answer_to_name_and_number(wecc: Import) -> None:
    assert wecc.case.resolve_bus("6508") == wecc.case.resolve_bus(6508) == "SPAN FRK"
    assert wecc.case.resolve_bus("1001") == "FOURCORN (1001)"
    with pytest.raises(CaseError, match=r"FOURCORN \(1001\)', 'FOURCORN \(1002\)', 'FOURCORN \(1003\)"):
        wecc.case.resolve_bus("FOURCORN")


def test_a_composite_load_without_its_load_is_refused_by_name(reference_dir: Path) -> None:
    folder = reference_dir / "wecc240"
    with pytest.raises(CaseError, match=r"datacentre_cmld.dyr, row 1: .*CMLDBLU2.* no load 'll' at bus 6508.*'1'"):
        import_case(folder / "240busWECC_2018_PSS.raw", folder / "datacentre_cmld.dyr")


def test_wecc_starts_and_stands_still(wecc: Import) -> None:
    """Two units start outside a limit in the files (PSS/E warns); these limits are moved and reported. Frequency
    moves 3e-14 Hz in 20 s."""
    from gridai.engine import compile_system, simulate

    moved = [text for text in wecc.report.notes if text.startswith("limit widened")]
    assert [re.sub(r" -?[\d.]+ to .*", "", text) for text in moved] == [
        "limit widened to the operating point: 5032 W REPCA1 qmax_pu",
        "limit widened to the operating point: 3135 NG SEXS emax_pu",
    ]
    assert set(moved) <= set(wecc.case.notes)
    result = simulate(compile_system(wecc.case), until_s=20.0)
    assert np.abs(result.system.f_hz.to_numpy() - 60.0).max() < 1e-8


@pytest.fixture(scope="module")
def data_centre(reference_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Import:
    """The WECC case with a load `ll` of 100 MW, 20 MVAr at bus 6508, and its composite load model."""
    folder = reference_dir / "wecc240"
    lines = (folder / "240busWECC_2018_PSS.raw").read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("  6508,'1 ',   1,   3,  12,"))
    cells = lines[at].split(",")
    cells[1], cells[5:11] = "'ll'", ["100.0", "20.0", "0.0", "0.0", "0.0", "0.0"]
    raw = tmp_path_factory.mktemp("wecc") / "with_ll.raw"
    raw.write_text("\n".join([*lines[: at + 1], ",".join(cells), *lines[at + 1 :], ""]))
    return import_case(raw, [folder / "240busWECC_2018_PSS.dyr", folder / "datacentre_cmld.dyr"])


def test_wecc_with_a_composite_load_stands_still(data_centre: Import) -> None:
    """Frequency moves 2e-14 Hz, the load 1e-9 MW in 20 s. The load has its model alone, no row `zip` beside it."""
    from gridai.engine import compile_system, simulate

    case, report = data_centre
    assert report.accounts[2].counts["CMLDBLU2"].used == 1
    assert not report.unsupported
    assert case.dynamics["cmld"]["unit"].tolist() == ["load 6508 ll"]
    assert "zip" not in case.dynamics
    result = simulate(compile_system(case), until_s=20.0)
    assert np.abs(result.system.f_hz.to_numpy() - 60.0).max() < 1e-8
    assert np.ptp(result.load.p_mw["load 6508 ll"]) < 1e-6


def test_wecc_with_a_composite_load_through_a_fault(data_centre: Import) -> None:
    """150 ms through j0.02 pu at the bus: its load bus falls to 0.559 pu, below vd2 = 0.6, so all electronic load (89
    %) is gone, and frcel of it comes back. The record's last constant is frcel (as ODM reads it): 0.8. Afterwards
    the load takes 81.5 MW where 100 - 0.2 x 89 would be 82.2: the feeder loses less, the motor takes what it took."""
    from gridai.engine import BusFault, compile_system, simulate

    name = "load 6508 ll"
    assert data_centre.case.dynamics["cmld"]["frcel"].tolist() == [0.8]
    fault = BusFault("SPAN FRK", at_s=1.0, clear_s=1.15, x_pu=0.02)
    load = simulate(compile_system(data_centre.case), [fault], until_s=10.0).load
    assert load.load_bus_pu[name].min() == pytest.approx(0.559, abs=2e-3)
    assert load.electronic[name].min() == 0.0
    assert load.electronic[name].iloc[-1] == pytest.approx(0.8, abs=1e-12)
    assert load.p_mw[name].iloc[-1] == pytest.approx(81.5, abs=0.1)
    assert load.speed_a_pu[name].min() == pytest.approx(0.842, abs=2e-3)
    assert load.speed_a_pu[name].iloc[-1] == pytest.approx(0.958, abs=2e-3)
