"""Defaults that fit the grid and the cluster: a feeder of a few MW, a cluster of one, no machine with inertia."""

from __future__ import annotations

import math
from pathlib import Path

import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.cli import call
from gridai.cli.run import own_cluster
from gridai.cluster import Cluster, load_cluster
from gridai.errors import CaseError
from gridai.grid.headroom import supply_mva
from gridai.studies import (
    Fault,
    Hosting,
    LargestCluster,
    LargestLoss,
    LargestPause,
    LargestSwing,
    Mitigate,
    Modes,
    Pause,
    Timeseries,
    Trip,
)
from gridai.studies.pause import usual_mw


@pytest.fixture(scope="module")
def feeder() -> Case:
    """20 kV source, 5 km of cable rated 0.2 kA (6.93 MVA), 2 MW of load, no machine."""
    net = pp.create_empty_network(name="feeder", f_hz=50.0, sn_mva=10.0)
    source, end = (pp.create_bus(net, 20.0, name=name) for name in ("source", "end"))
    pp.create_ext_grid(net, source, name="GRID", s_sc_max_mva=500.0, rx_max=0.1)
    pp.create_line_from_parameters(net, source, end, 5.0, 0.2, 0.12, 200.0, 0.2, name="cable")
    pp.create_load(net, end, 2.0, 0.4, name="town")
    return Case.from_pandapower(net)


def test_what_can_leave_the_source_of_a_feeder(feeder: Case) -> None:
    assert supply_mva(feeder.net) == pytest.approx(math.sqrt(3.0) * 20.0 * 0.2, rel=1e-12)
    assert supply_mva(load_case("ieee39").net) == math.inf


def test_searches_are_as_wide_as_the_feeder(feeder: Case) -> None:
    high = 2.0 * math.sqrt(3.0) * 20.0 * 0.2
    assert Hosting().bracket(feeder) == pytest.approx((high, high / 5000.0), rel=1e-12)
    assert Hosting(high_mw=50.0, tol_mw=2.0).bracket(feeder) == (50.0, 2.0)
    assert Hosting().bracket(load_case("ieee39")) == (3000.0, 1.0)
    found = LargestCluster().bracket(feeder)
    assert (found.safe, found.unsafe, found.tol) == pytest.approx((0.001 * high, high, 0.005 * high), rel=1e-12)
    found = LargestCluster().bracket(load_case("ieee39"))
    assert (found.safe, found.unsafe, found.tol) == (1.0, 1000.0, 5.0)


def test_searches_are_as_fine_as_the_cluster() -> None:
    small, large = Cluster.of("H100", count=1000), Cluster.of("H100", count=100_000)
    for study, at in ((LargestPause(), lambda c: c.p_mw), (LargestLoss(), lambda c: c.p_mw)):
        found = study.bracket(at(small))
        assert (found.safe, found.tol) == pytest.approx((0.01 * small.p_mw, 0.01 * small.p_mw), rel=1e-12)
        assert (study.bracket(at(large)).safe, study.bracket(at(large)).tol) == (1.0, 1.0)
    assert LargestSwing().bracket(small).tol == pytest.approx(0.01 * small.p_mw, rel=1e-12)
    assert LargestSwing().bracket(large).tol == 0.5


def test_a_pause_is_all_jobs_of_a_small_cluster_and_the_frequency_is_that_of_the_source(feeder: Case) -> None:
    cluster = Cluster.of("H100", count=1000)
    assert usual_mw(Cluster.of("H100", count=100_000)) == 100.0
    report = Pause(until_s=20.0).run(feeder.with_cluster(cluster, bus="end", balance="slack"))
    assert report.study.pause_mw == pytest.approx(cluster.p_mw - cluster.idle_mw, rel=1e-12)
    assert not [key for key in report.summary if "nadir" in key or "rocof" in key or "settling" in key]
    assert {v.status for v in report.verdicts if v.unit.startswith("Hz")} == {"not assessable"}
    assert any("the frequency is that of the source" in v.note for v in report.verdicts)
    assert report.summary["lowest_voltage"].value > 0.9


def test_a_source_without_a_stated_maximum_feeds_all(feeder: Case) -> None:
    placed = feeder.with_cluster(Cluster.of("H100", count=1000), bus="end")
    assert placed.redispatch.set_index("name").at["GRID", "change_mw"] == pytest.approx(1.07, abs=0.05)
    report = Hosting(profile="none").run(feeder)
    assert report.summary["most"].value == pytest.approx(2.0 * supply_mva(feeder.net), rel=1e-3)
    assert 3.0 < report.summary["least"].value < supply_mva(feeder.net)


def test_a_day_of_the_case_s_own_and_of_loads_by_phase(tmp_path: Path) -> None:
    """Energy at the source is that of the factors times the loads, and the losses; the file is named `day`."""
    case = load_case("european_lv")
    report = Timeseries(profiles="day", threads=1).run(case)
    folder = Path(case.provenance["folder"]) / "profiles" / "day.csv"
    factor = pd.read_csv(folder, comment="#")["asymmetric_load/*/factor"].to_numpy()
    loads = case.net.asymmetric_load[["p_a_mw", "p_b_mw", "p_c_mw"]].to_numpy().sum()
    from_slack, lost = (report.summary[key].value for key in ("slack_energy", "losses_energy"))
    assert from_slack - lost == pytest.approx(
        factor.sum() / 4.0 * loads, rel=3e-8
    )  # reached: 1.0e-8, the certificate of each step
    bad = tmp_path / "bad.csv"
    bad.write_text("t_h,asymmetric_load/*/p_mw\n0,1\n1,1\n")
    with pytest.raises(CaseError, match="factor"):
        Timeseries(profiles=str(bad)).run(case)


def test_the_sun_is_down_for_half_of_the_day(feeder: Case, tmp_path: Path) -> None:
    """A profile of the sun is no mistyped unit; the same in kW under a heading of MW is one."""
    case, path = load_case("cigre_mv"), tmp_path / "sun.csv"
    for factor, wrong in ((1.0, False), (1000.0, True)):
        rows = [f"{h},{factor * max(0.0, 0.02 * math.sin(math.pi * (h - 6) / 12)):.9f}" for h in range(24)]
        path.write_text("t_h,sgen/PV 3/p_mw\n" + "\n".join(rows) + "\n")
        if wrong:
            with pytest.raises(CaseError, match="thousand times"):
                Timeseries(profiles=str(path)).run(case)
        else:
            assert Timeseries(profiles=str(path)).run(case).summary["unsolved"].value == 0


def test_studies_of_swings_without_a_machine(tmp_path: Path) -> None:
    """Nothing is said of angles, speeds and nadirs that are not there; the figures are drawn without a warning."""
    case = load_case("cigre_mv")
    assert "largest_angle" not in Fault(bus="8", clear_s=1.1, until_s=3.0).run(case).summary
    assert "response" not in Trip(load="R1", until_s=3.0).run(case).summary
    modes = Modes(scan_bus="14")
    assert modes.run(case).save(tmp_path).joinpath("response.png").is_file()
    placed = case.with_cluster(Cluster.of("H100", count=1000), bus="14")
    lines = Mitigate(remedies="ramp,condenser", frequency_hz=1.0).run(placed).summary
    assert not {"best_nadir", "best_speed"} & set(lines)


def test_the_case_s_own_clusters_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["show", "cigre_mv"]) == 0
    assert "training_5mw" in capsys.readouterr().out
    case = load_case("cigre_mv")
    own = own_cluster(case, Path("training_5mw"))
    assert load_cluster(own).p_mw == pytest.approx(5.0, abs=0.01)
    assert own_cluster(case, Path("training_6mw")) == Path("training_6mw")
