"""Clusters in a case folder: read, written, read again; faults with file, row and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, PowerSupply
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


def test_what_tables_cannot_hold_is_refused(tmp_path: Path):
    own = Cluster.of("H100", count=1000, supply=PowerSupply(psu_s=0.05))
    case = load_case("wscc9").with_cluster(own, "5", balance="slack", name="AI")
    with pytest.raises(CaseError, match=r"'AI'.*cannot"):
        case.save(tmp_path / "x")


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
