"""Lowest short-circuit ratio of a constant-power load behind a reactance, against the analytic nose.

    E = 1 pu --- jX --- load P + jQ, Q = P tan(phi)          P_max = E^2 cos(phi) / (2 X (1 + sin(phi)))

With SCR = E^2 / (X P) the load exists down to SCR = 2 (1 + sin(phi)) / cos(phi): 2.000, 2.763 and 3.191 at power
factors of 1, 0.95 and 0.9 lagging (a row of the reference's published examples; that of a leading factor is below).
No limit of a profile is asked, so the power flow itself binds. The search's bracket of 0.002 lies on the safe side.
Reached: 2.0001, 2.7628 and 3.1913.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.cluster import Cluster
from gridai.cluster.electrical import PowerSupply
from gridai.cluster.workloads import Constant
from gridai.studies import LowestScr
from gridai.studies.lowest_scr import added_impedance

LOW = PowerSupply(v_min_pu=0.3, vd1_pu=0.2, vd2_pu=0.15, v_cut_pu=0.1)
TOL = 0.002


def behind_an_infinite_bus(power_factor: float) -> Case:
    """A cluster at the terminals of an infinite bus, supplies of constant power far down."""
    net = pp.create_empty_network(f_hz=60.0, sn_mva=100.0)
    bus = pp.create_bus(net, 230.0, name="grid")
    pp.create_gen(net, bus, p_mw=0.0, vm_pu=1.0, sn_mva=100.0, slack=True, name="E")
    tables = {"gencls": pd.DataFrame([{"unit": "E", "h_s": 0.0, "d_pu": 0.0, "ra_pu": 0.0, "xd1_pu": 1e-6}])}
    cluster = Cluster.of("H100", count=90_000, workload=Constant(), power_factor=power_factor, supply=LOW)
    return Case.from_pandapower(net, dynamics=tables, name="two-bus").with_cluster(cluster, "grid", "slack")


@pytest.mark.parametrize(("power_factor", "word"), [(1.0, "pf1"), (0.95, ".95 lag"), (0.9, ".9 lag")])
def test_the_nose_binds_where_theory_says(power_factor: float, word: str, reference_dir: Path) -> None:
    with (reference_dir / "published" / "worked_examples.csv").open() as file:
        (row,) = [r for r in csv.DictReader(file) if r["case"] == "2-bus constant-power load"]
    found = re.search(rf"([\d.]+) \({re.escape(word)}\)", row["value"])
    assert found is not None
    due = float(found[1])
    study = LowestScr(high_scr=4.0, low_scr=1.5, tol_scr=TOL, xr=1e9, pause_share=0.0, probes=1, profile="none",
                      until_s=1.0)  # fmt: skip
    report = study.run(behind_an_infinite_bus(power_factor))
    reached = report.summary["limit"].value
    assert -5e-4 <= reached - due <= TOL
    assert "power_flow" in report.summary["limit"].note
    assert report.summary["short_circuit_mva"].value == pytest.approx(reached * 96.4, rel=0.01)
    assert report.passed


def test_a_pause_binds_before_the_nose() -> None:
    """The cluster's bus starts below 0.95 pu long before the nose; nerc-eastern's number is unverified and says so."""
    report = LowestScr(high_scr=10.0, tol_scr=TOL, xr=1e9, probes=1, until_s=20.0).run(behind_an_infinite_bus(1.0))
    line: Any = report.summary["limit"]
    assert (line.element, line.t_s) == ("grid cluster", 0.0)
    assert "start_voltage" in line.note
    assert "unverified" in line.note
    # |V|^2 = (1 + sqrt(1 - 4 / SCR^2)) / 2 = 0.95^2 at SCR = 1 / (0.95 sqrt(1 - 0.95^2)) = 3.371
    assert 0.0 <= line.value - 3.3711 <= TOL


def test_the_impedance_added() -> None:
    z = 0.001 + 0.012j
    added = added_impedance(z, 0.05, 10.0)
    assert abs(z + added) == pytest.approx(0.05)
    assert added.imag / added.real == pytest.approx(10.0)
    assert added_impedance(z, abs(z), 10.0) == 0.0
