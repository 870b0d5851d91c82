"""The studies modes, oscillate, fault, trip and cct: fields, faults of input, what the reports hold."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.reports import load_report
from gridai.results.small_signal import modes_of, scan_of
from gridai.studies import STUDIES, Cct, Fault, Modes, Oscillate, Trip


@pytest.fixture(scope="module")
def ieee39() -> Any:
    return load_case("ieee39")


@pytest.fixture(scope="module")
def with_cluster(ieee39: Any) -> Any:
    return ieee39.with_cluster(Cluster.of("H100", count=100_000), bus="16")


@pytest.mark.parametrize("name", ["modes", "oscillate", "fault", "trip", "cct"])
def test_every_field_states_help_and_unit(name: str):
    study = STUDIES[name]
    assert isinstance(study.needs_cluster, bool)
    for f in fields(study):
        assert f.metadata["help"], f.name
        ending = f.name.rpartition("_")[2]
        expected = {"mw": "MW", "s": "s", "hz": "Hz", "pu": "pu", "degree": "degree"}.get(ending, "")
        assert f.metadata["unit"] == expected, f.name


@pytest.mark.parametrize(
    ("study", "given", "words"),
    [
        (Fault, {"bus": "1", "clear_s": 0.5}, "clear_s"),
        (Fault, {"bus": "1", "kind": "three"}, "three-phase"),
        (Fault, {"bus": "1", "reclose_s": 2.0}, "branch"),
        (Fault, {"bus": "1", "branch": "1-2", "reclose_s": 1.05}, "reclose_s"),
        (Fault, {"bus": "1", "r_pu": -1.0}, "r_pu"),
        (Fault, {"bus": "1", "until_s": float("nan")}, "until_s"),
        (Trip, {}, "unit"),
        (Trip, {"unit": "G1", "until_s": 0.5}, "until_s"),
        (Cct, {"bus": "1", "tol_s": 2.0}, "tol_s"),
        (Cct, {"bus": "1", "high_s": 0.0}, "high_s"),
        (Oscillate, {"amplitude_mw": -1.0}, "amplitude_mw"),
        (Oscillate, {"shape": "triangle"}, "square"),
        (Oscillate, {"shape": "measured"}, "file"),
        (Oscillate, {"file": "a.csv"}, "file"),
        (Oscillate, {"duty": 1.0}, "duty"),
        (Oscillate, {"frequency_hz": 30.0}, "step_s"),
        (Oscillate, {"cycles": 2.5}, "cycles"),
        (Modes, {"f_min_hz": 9.0}, "f_min_hz"),
        (Modes, {"scan_min_hz": 0.0}, "scan_min_hz"),
        (Modes, {"most": 0}, "most"),
    ],
)
def test_faults_name_the_field(study: Any, given: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        study(**given)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (Fault(bus="166"), "166"),
        (Fault(bus="16", branch="16-18"), "16-17"),
        (Cct(bus="16", branch="16-18"), "16-17"),
        (Trip(unit="G99"), "G9"),
        (Trip(load="L99"), "L9|L39|L29"),
        (Trip(branch="16-18"), "16-17"),
        (Modes(scan_bus="166"), "166"),
    ],
)
def test_what_the_case_does_not_have_lists_near_names(ieee39, study: Any, words: str):
    with pytest.raises(UnknownNameError, match=words):
        study.run(ieee39)


def test_modes(with_cluster, tmp_path: Path):
    report = Modes(profile="ercot", scan_points=60).run(with_cluster)
    assert report.passed
    assert report.verdicts[0].criterion == "mode_damping"
    assert report.summary["growing"].value == 0
    modes = modes_of(report.result)
    assert len(modes) == 15
    assert [m.damping for m in modes] == sorted(m.damping for m in modes)
    assert 0.59 < report.summary["damping"].value / report.verdicts[0].value * 0.6 < 0.61
    scan = scan_of(report.result)
    assert scan is not None
    assert scan.gains.shape == (60, 39 + 39 + 10 + 46)
    assert report.tables["resonances"].rows
    assert "common angle" in " ".join(report.notes)
    assert report.result.bus.vm_pu["16"].iloc[0] == pytest.approx(1.03, abs=0.02)
    report.save(tmp_path / "out")
    assert {"mode_shapes.png", "eigenvalues.png", "response.png", "modes.csv"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    again = load_report(tmp_path / "out")
    assert modes_of(again.result)[0].frequency_hz == pytest.approx(modes[0].frequency_hz)
    assert again.figure("response").axes


def test_modes_without_a_cluster_scan_no_bus_or_the_one_asked_for(ieee39):
    assert Modes().run(ieee39).figures == ("mode_shapes", "eigenvalues")
    asked = Modes(scan_bus="8", scan_points=20).run(ieee39)
    scan = scan_of(asked.result)
    assert scan is not None
    assert scan.source == "bus 8"


def test_an_unstable_machine_fails_its_verdict():
    case = load_case("smib")
    table = case.dynamics["gencls"].copy()
    table.loc[table["unit"] == "G1", "d_pu"] = -10.0
    report = Modes(profile="ercot").run(replace(case, dynamics={"gencls": table}))
    assert not report.passed
    assert report.verdicts[0].value == pytest.approx(-11.2, abs=0.1)
    assert report.summary["growing"].value == 2


def test_fault(ieee39):
    report = Fault(bus="16", branch="16-17", clear_s=1.1, reclose_s=1.6, until_s=6.0).run(ieee39)
    kinds = [event.kind for event in report.result.events]
    assert kinds == ["fault", "open", "clear", "close"] or sorted(kinds) == ["clear", "close", "fault", "open"]
    assert report.summary["loss_of_step"].value == 0
    flow = report.result.branch.p_mw["16-17"]
    assert flow.loc[1.2:1.5].abs().max() == 0.0
    assert abs(flow.iloc[-1]) > 10.0
    assert all(report.figure(name).axes for name in report.figures)
    assert "opening 16-17" in report.title
    assert {v.criterion for v in report.verdicts} >= {"frequency_nadir", "steady_voltage"}


def test_a_fault_cleared_too_late_names_the_machines(ieee39):
    report = Fault(bus="16", clear_s=1.5, until_s=4.0).run(ieee39)
    assert report.summary["loss_of_step"].value >= 1
    assert "swing" not in report.summary
    assert "G" in report.summary["loss_of_step"].element


def test_an_unbalanced_fault_states_its_estimate(ieee39):
    report = Fault(bus="16", kind="line-ground", until_s=2.0).run(ieee39)
    assert any("sequence" in note for note in report.notes)
    assert report.summary["lowest_voltage"].value > 0.3


def test_loss_of_a_unit(ieee39):
    report = Trip(unit="G9", until_s=40.0).run(ieee39)
    summary = report.summary
    assert summary["surplus"].value == pytest.approx(-830.0)
    assert summary["nadir"].value < 59.5
    initial = 830.0 * 60.0 / (2 * summary["energy"].value)
    assert abs(summary["rocof_100ms"].value) < initial
    assert summary["response"].value > 0.0
    assert not report.passed


def test_loss_of_a_load_of_a_cluster_and_of_a_line(with_cluster):
    load = Trip(load="L20", until_s=5.0).run(with_cluster)
    assert load.summary["zenith"].value > 60.05
    assert load.result.load.p_mw["L20"].iloc[-1] == 0.0
    cluster = Trip(load="cluster", until_s=5.0).run(with_cluster)
    assert cluster.result.cluster.p_mw["cluster"].iloc[-1] == pytest.approx(0.0, abs=1e-6)
    assert cluster.summary["surplus"].value == pytest.approx(107.125)
    line = Trip(branch="16-17", unit="G9", until_s=5.0).run(with_cluster)
    assert line.summary["surplus"].value < -800.0
    assert "unit G9" in line.title
    assert "branch 16-17" in line.title


def test_cct_on_a_grid_with_controllers(ieee39):
    report = Cct(bus="16", branch="16-17", tol_s=0.005).run(ieee39)
    cct = report.summary["cct"].value
    assert 0.14 < cct < 0.16
    assert report.summary["loses_step"].element.startswith("G5")
    assert report.result.gen.unstable_angle_rad.shape[1] == 10
    assert report.figure("swing_curves").axes
    loose = Cct(bus="16", branch="16-17", tol_s=0.005, limit_degree=360.0).run(ieee39)
    assert loose.summary["cct"].value > cct + 0.015
    assert "360 degrees" in " ".join(loose.notes)


def test_cct_without_an_upper_end_or_a_lower_one():
    case = load_case("smib_13_1")
    safe = Cct(bus="HT", high_s=0.02, tol_s=0.005).run(case)
    assert np.isnan(safe.summary["cct"].value)
    assert "raise it" in safe.summary["cct"].note
    lost = Cct(bus="HT", branch="CCT 1", high_s=0.5, limit_degree=50.0).run(case)
    assert "without the fault" in lost.summary["cct"].note
    assert lost.figure("swing_curves").axes


def test_oscillate(with_cluster):
    report = Oscillate(amplitude_mw=20.0, frequency_hz=1.25, until_s=17.0, most=5).run(with_cluster)
    tables = report.tables
    assert [len(tables[name].rows) for name in ("generator_swings", "branch_swings", "bus_swings")] == [5, 5, 5]
    assert report.summary["swing_of_cluster"].value == pytest.approx(40.0, rel=1e-3)
    first = dict(zip(tables["branch_swings"].columns, tables["branch_swings"].rows[0], strict=True))
    assert 0.1 < first["MW per MW"] < 2.0
    drawn = report.result.cluster.p_mw["cluster"]
    assert drawn.iloc[0] == pytest.approx(107.125)
    assert all(report.figure(name).axes for name in report.figures)


def test_oscillate_with_a_measured_course(with_cluster, tmp_path: Path):
    path = tmp_path / "rack.csv"
    path.write_text("t_s,kW\n" + "".join(f"{k},{100 + 10 * (k % 3)}\n" for k in range(10)))
    report = Oscillate(shape="measured", file=str(path)).run(with_cluster)
    assert report.result.t_s[-1] == pytest.approx(15.0)
    highest = report.result.cluster.p_mw["cluster"].max()
    assert highest == pytest.approx(107.125 * 120 / 110, rel=2e-3)
    scaled = Oscillate(shape="measured", file=str(path), amplitude_mw=5.0).run(with_cluster)
    asked = scaled.result.cluster.p_demand_mw["cluster"]
    assert asked.max() - asked.min() == pytest.approx(10.0, rel=1e-6)
    assert 9.5 < scaled.summary["swing_of_cluster"].value < 10.0  # the supplies' lag rounds the peaks


def test_oscillate_needs_a_cluster_large_enough_and_a_file_that_is_there(ieee39, with_cluster):
    with pytest.raises(SettingError, match="no cluster"):
        Oscillate().run(ieee39)
    with pytest.raises(SettingError, match="smaller amplitude"):
        Oscillate(amplitude_mw=200.0).run(with_cluster)
    with pytest.raises(CaseError, match="no such file"):
        Oscillate(shape="measured", file="missing.csv").run(with_cluster)
