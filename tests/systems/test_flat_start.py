"""Flat start: with nothing done to it, no bundled case moves.

Reached: largest derivative 3.8e-13 (ieee39), largest drift of any channel over 20 s 1e-14 pu.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.cluster.workloads import Constant
from gridai.engine import check_start, compile_system, simulate

CASES = ("smib", "smib_13_1", "wscc9", "kundur", "ieee39", "feeder33", "cigre_mv")
ALLOWED = 1e-6


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_zero(compiled, name: str) -> None:
    report = check_start(compiled(name))
    assert report.worst < ALLOWED  # reached 3.9e-13
    assert report.voltage_error_pu < ALLOWED  # reached 8.2e-10, the power flow's own tolerance
    assert not report.rows


@pytest.mark.parametrize("name", CASES)
def test_no_channel_drifts_in_20_s(compiled, name: str) -> None:
    result = simulate(compiled(name), until_s=20.0)
    drift = np.abs(result.data - result.data[0]).max(axis=0)
    worst = int(drift.argmax())
    assert drift[worst] < ALLOWED, result.channels[worst].key  # reached 5.3e-15
    assert result.meta["steps"] == 4800
    assert not result.events


def test_a_cluster_stands_still_too() -> None:
    cluster = Cluster.of("H100", count=100_000, workload=Constant())
    system = compile_system(load_case("ieee39").with_cluster(cluster, bus="16"))
    result = simulate(system, until_s=20.0)
    assert np.abs(result.data - result.data[0]).max() < ALLOWED  # reached 1e-12


def test_the_report_names_what_moves(compiled) -> None:
    """A state pushed off its rest is named with its unit, value and derivative."""
    system = compiled("ieee39")
    x0, k = system.x0.copy(), system.state_names.index("G3.SEXS.efd_pu")
    x0[k] += 0.1
    report = check_start(replace(system, x0=x0))
    assert report.rows[0][0] == "G3.SEXS.efd_pu"
    assert report.rows[0][2] == pytest.approx(system.x0[k] + 0.1)
    assert report.rows[0][3] == pytest.approx(-0.1 / 0.015, rel=1e-3)
    assert "G3.SEXS.efd_pu" in str(report)
