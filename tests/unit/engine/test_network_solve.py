"""Four ways to the voltages give the same run: product or triangular solves, full or block Newton matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.engine import BusFault, GeneratorTrip, Run, compile_system, network, simulate

LAW = {"pz": 0.2, "pi": 0.5, "pp": 0.3, "qz": 0.5, "qi": 0.0, "qp": 0.5}
EVENTS = [BusFault("16", 0.5, 0.6, x_pu=0.02), GeneratorTrip("G9", 0.8)]


def case(nonlinear: bool) -> Any:
    """ieee39 with a cluster; its loads constant impedances or mixed."""
    found = load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16", name="site")
    table = pd.DataFrame({"unit": ["*"], **{k: [v] for k, v in LAW.items()}})
    return replace(found, dynamics={**found.dynamics, "zip": table}) if nonlinear else found


@pytest.mark.parametrize("nonlinear", [False, True], ids=["impedances", "mixed"])
def test_all_ways_agree(nonlinear: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked 1e-8 pu through a fault and a trip; reached 1e-11, the tolerance of the iteration."""
    runs = []
    for product in (0, 10**9):
        for full in (0, 10**9):
            monkeypatch.setattr(network, "PRODUCT_LIMIT", product)
            monkeypatch.setattr(network, "DENSE_LIMIT", full)
            runs.append(simulate(compile_system(case(nonlinear)), EVENTS, 1.5).data)
    for other in runs[1:]:
        assert np.nanmax(np.abs(other - runs[0])) < 1e-8


def test_product_only_where_it_is_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    system = compile_system(load_case("ieee39"))
    assert Run(system).topology.topo.src.size == 10
    monkeypatch.setattr(network, "PRODUCT_LIMIT", 1)
    assert Run(compile_system(load_case("ieee39"))).topology.topo.src.size == 0


def test_a_topology_seen_before_is_not_factorised_again() -> None:
    system = compile_system(load_case("ieee39"))
    before = len(system.networks.cache)
    for _ in range(3):
        simulate(system, [BusFault("16", 0.5, 0.6)], 1.0)
    assert len(system.networks.cache) == before + 1
