"""Clusters in a case folder: read, written, read again; faults with file, row and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import (
    Cluster,
    Constant,
    Facility,
    Idle,
    Mixed,
    Part,
    PowerSupply,
    RideThrough,
    Site,
    Training,
    UpsClass,
)
from gridai.cluster.facility import Cooling
from gridai.cluster.stored import settings_text
from gridai.engine import ForceAway, compile_system, simulate
from gridai.errors import CaseError


def test_virginia_brings_its_clusters():
    case = load_case("virginia")
    assert [p.name for p in case.placements] == [f"DC{k}" for k in range(1, 7)]
    assert sum(p.cluster.p_mw for p in case.placements) == pytest.approx(3000.0, rel=1e-5)
    assert [c.name for c in case.placements[0].cluster.ride_through.classes] == ["counting", "plain", "robust"]


def test_a_case_with_clusters_reads_back_the_same(tmp_path: Path):
    case = load_case("virginia")
    again = load_case(case.save(tmp_path / "copy"))
    assert [p.cluster for p in again.placements] == [p.cluster for p in case.placements]
    assert [p.bus for p in again.placements] == [p.bus for p in case.placements]
    assert np.abs(again.solve().v - case.solve().v).max() < 1e-9
    assert again.defaults["sequence"] == case.defaults["sequence"]


def own_clusters() -> list[Any]:
    """What a row of clusters.csv does not hold."""
    facility = Facility(outdoor_c=25.0, cooling=Cooling(loop_s=300.0))
    settings = RideThrough((UpsClass(count_n=3, groups=6, v_spread_pu=0.02),), seed=7)
    hall = Cluster.of("H100", count=20_000, workload=Training(step_s=3.0), facility=facility, ride_through=settings)
    return [
        hall,
        Cluster.of("B200", count=3_000, workload=Mixed((Part(0.6, Training()), Part(0.4, Idle())))),
        Cluster.of("H100", count=5_000, supply=PowerSupply(psu_s=0.05)),
        Site("campus", (hall, Cluster.of("H100", count=1_000)), coherence=0.4),
    ]


def test_clusters_with_settings_of_their_own_read_back_the_same(tmp_path: Path):
    case = load_case("wscc9")
    for k, cluster in enumerate(own_clusters()):
        case = case.with_cluster(cluster, "5", balance="slack", name=f"AI {k}")
    folder = case.save(tmp_path / "copy")
    again = load_case(folder)
    assert [p.cluster for p in again.placements] == [p.cluster for p in case.placements]
    assert [p.name for p in again.placements] == [p.name for p in case.placements]
    assert np.abs(again.solve().v - case.solve().v).max() < 1e-9
    twice = load_case(again.save(tmp_path / "twice"))
    for path in sorted(folder.rglob("*.toml")):
        other = tmp_path / "twice" / path.relative_to(folder)
        assert other.read_text() == path.read_text()
    assert [p.cluster for p in twice.placements] == [p.cluster for p in case.placements]


def test_equal_clusters_share_a_file_and_rows_keep_what_they_can(tmp_path: Path):
    case = load_case("virginia")
    own = own_clusters()[0]
    case = case.with_cluster(own, "S1", balance="slack").with_cluster(own, "S2", balance="slack")
    folder = case.save(tmp_path / "copy")
    assert [p.name for p in (folder / "clusters").iterdir()] == ["cluster1.toml"]
    assert [p.name for p in (folder / "ride_through").iterdir()] == ["settings1.csv"]


def test_a_saved_case_runs_as_the_one_it_came_from(tmp_path: Path):
    case = load_case("wscc9").with_cluster(own_clusters()[0], "5", balance="slack")
    again = load_case(case.save(tmp_path / "copy"))
    runs = [
        simulate(compile_system(c), [ForceAway(c.placements[0].name, 0.5, 0.5)], until_s=2.0) for c in (case, again)
    ]
    for kind, quantity in (("cluster", "p_mw"), ("bus", "vm_pu")):
        assert np.array_equal(*(r.values(kind, quantity) for r in runs))


def test_what_tables_cannot_hold_is_refused(tmp_path: Path):
    class Mine(Constant):
        """A workload of one's own."""

    case = load_case("wscc9").with_cluster(Cluster.of("H100", count=1000, workload=Mine()), "5", balance="slack")
    with pytest.raises(CaseError, match=r"workload: a Mine has no form"):
        case.save(tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("DC1,S1,,,,,,,slack,,nobody", r"row 2.*settings.*cluster1"),
        ("DC1,S1,H100,,,,,,slack,,cluster1", r"row 2.*hardware.*leave the cell empty"),
        ("DC1,S1,,,,,,,slack,,../../cluster1", r"row 2.*settings"),
    ],
)
def test_rows_that_name_a_file(tmp_path: Path, case_copy, row, words):
    folder = case_copy("virginia")
    (folder / "clusters").mkdir()
    (folder / "clusters" / "cluster1.toml").write_text(settings_text(own_clusters()[0]))
    head = "name,bus,hardware,count,p_mw,pue,power_factor,workload,balance,ride_through,settings"
    (folder / "clusters.csv").write_text(f"{head}\n{row}\n")
    with pytest.raises(CaseError, match=f"(?s){words}"):
        load_case(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("clusters.csv", "DC2,S2,H100,500", "DC2,S2,H101,500", "row 4.*hardware.*H100"),
        ("clusters.csv", "DC2,S2,H100,500", "DC2,S2,H100,lots", "row 4.*p_mw"),
        ("clusters.csv", "DC2,S2,H100,500", "DC2,S2,H100,", "row 4.*count or|either count"),
        ("clusters.csv", "DC2,S2,H100,500", "DC2,,H100,500", "row 4.*bus.*missing"),
        ("clusters.csv", "constant,slack,legacy\nDC2", "constant,slack,legcy\nDC2", "row 3.*ride_through.*legacy"),
        ("clusters.csv", "constant,slack,legacy\nDC2", "idle,slack,legacy\nDC2", "row 3.*workload"),
        ("clusters.csv", "power_factor", "powerfactor", "power_factor"),
        ("ride_through/legacy.csv", "counting,0.65", "counting,0.66", "sum to 1"),
        ("ride_through/legacy.csv", "count_n", "counts", "count_n"),
        ("ride_through/legacy.csv", "plain,0.05,4", "plain,0.05,0", "row 4.*groups"),
        ("ride_through/legacy.csv", "0.30,4,0.03,0,0.80", "0.30,4,0.03,0,1.80", "row 5.*under1_pu"),
    ],
)
def test_faults_name_file_row_and_field(case_copy, file, old, new, words):
    folder = case_copy("virginia")
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CaseError, match=f"(?s){words}"):
        load_case(folder)
