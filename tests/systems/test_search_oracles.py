"""Limit searches against answers from outside: SciPy's linear simulation, equal areas, the nose of a line.

search                case                                   answer                      reached
largest pause         low-order machine, ramp of 0.4 s       SciPy, linear               0.006 % (asked 0.5 %)
largest swing         the same, sine of 0.1, 0.3 and 1 Hz    SciPy, linear               0.4 % (asked 1 %)
shortest recovery     the same, ramp of the return           SciPy, linear, 4.866 s      4.883 s (asked 0.15 s)
longest fault         smib_13_1, Kundur example 13.1         equal area, 0.0868 s        0.0867 s (asked 0.5 ms)
largest cluster       an infinite bus and a line             P = 1 / (2 X), 200 MW       199.85 MW (asked 0.6 MW)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from low_order import F_HZ, H_S, MVA, aggregate, plant, profile
from scipy import optimize, signal

from gridai.case import Case, load_case
from gridai.cluster import Cluster
from gridai.cluster.electrical import PowerSupply
from gridai.cluster.workloads import Constant
from gridai.results.searches import curve_of
from gridai.studies import LargestCluster, LargestPause, LargestSwing, LongestFault, ShortestRecovery

VALVE_S, PSU_S = 0.005, 0.02
STEP_S = 0.005
Course = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def machine() -> Case:
    """The low-order machine with a cluster of 214 MW beside the town and the sites; none of them moves by itself."""
    cluster = Cluster.of("H100", count=200_000, workload=Constant())
    return aggregate("tgov1", t1_s=VALVE_S).with_cluster(cluster, "B", "slack", name="dc")


def speed(lost_mw: Course, until_s: float) -> np.ndarray:
    """Speed deviation in Hz for a course of lost load, the lag of the supplies in between."""
    t = np.arange(0.0, until_s, STEP_S)
    top, bottom = plant(H_S, VALVE_S)
    _, y, _ = signal.lsim((top, np.polymul(bottom, [PSU_S, 1.0])), lost_mw(t) / MVA, t)
    return np.asarray(F_HZ * y)


def test_the_largest_pause(machine, tmp_path):
    def ramp(t: np.ndarray) -> np.ndarray:
        return np.interp(t, [1.0, 1.4], [0.0, 1.0])

    due = 0.3 / speed(ramp, 20.0).max()
    study = LargestPause(profile=profile(tmp_path, F_HZ + 0.3), tol_mw=0.02, until_s=20.0, probes=1)
    assert study.run(machine).summary["limit"].value == pytest.approx(due, rel=0.005)


def test_the_largest_swing(machine, tmp_path):
    """The start of the sine swings further than its steady course: both are in SciPy's answer."""
    frequencies = (0.1, 0.3, 1.0)
    path = profile(tmp_path, F_HZ + 0.05)
    study = LargestSwing(frequency_hz=frequencies, shape="sine", profile=path, tol_mw=0.05, high_mw=100.0, cycles=5,
                         rest_s=5.0, probes=0)  # fmt: skip
    curve = curve_of(study.run(machine).result)
    assert curve is not None
    for f, reached in zip(curve.x, curve.limit, strict=True):

        def sine(t: np.ndarray, f: float = f) -> np.ndarray:
            return -np.sin(2 * np.pi * f * (t - 1.0)) * ((t >= 1.0) & (t <= 1.0 + 5 / f))

        assert reached == pytest.approx(0.05 / speed(sine, 6.0 + 5 / f).max(), rel=0.01), f


def test_the_shortest_recovery(machine, tmp_path):
    """60 MW go in 30 s, hardly felt, and come back: the nadir of the return binds."""
    low = profile(tmp_path, F_HZ - 0.16, "frequency_nadir", "low")

    def nadir(ramp_s: float) -> float:
        return float(speed(lambda t: 60.0 * np.interp(t, [1, 31, 61, 61 + ramp_s], [0, 1, 1, 0]), 120.0).min())

    due = optimize.brentq(lambda s: nadir(s) + 0.16, 0.1, 40.0, xtol=1e-3)
    assert isinstance(due, float)
    assert 1.0 < due < 20.0
    study = ShortestRecovery(pause_mw=60.0, profile=low, ramp_down_s=30.0, delay_s=30.0, slow_s=40.0, tol_s=0.05,
                             probes=1)  # fmt: skip
    report = study.run(machine)
    assert report.summary["limit"].value == pytest.approx(due, abs=0.15)
    assert report.summary["limit"].note.startswith("binds: frequency_nadir")


def test_the_longest_fault():
    """A cluster of 1 MW that may be away: the machine's equal area binds. Asked 0.5 ms; reached 0.1 ms."""
    case = load_case("smib_13_1").with_cluster(Cluster.of("H100", count=1000, workload=Constant()), "LT", "slack")
    study = LongestFault(bus="HT", branch="CCT 2", lost_mw=10.0, high_s=0.2, tol_s=0.0002, watch_s=3.0, profile="none",
                         probes=1)  # fmt: skip
    report = study.run(case)
    assert report.summary["limit"].value == pytest.approx(0.0868, abs=0.0005)
    assert report.summary["limit"].note.startswith("binds: loss_of_step")
    assert report.summary["limit"].element == "G1"


def test_the_largest_cluster():
    """At the end of a lossless line of 0.25 pu on 100 MVA at unity power factor: 200 MW, at 0.707 pu."""
    net = pp.create_empty_network(f_hz=F_HZ, sn_mva=100.0)
    buses = [pp.create_bus(net, 230.0, name=name) for name in ("grid", "end")]
    pp.create_gen(net, buses[0], p_mw=0.0, vm_pu=1.0, sn_mva=100.0, slack=True, name="E")
    pp.create_line_from_parameters(net, *buses, 1.0, 0.0, 0.25 * 230.0**2 / 100.0, 0.0, 9.0, name="line")
    tables = {"gencls": pd.DataFrame([{"unit": "E", "h_s": 0.0, "d_pu": 0.0, "ra_pu": 0.0, "xd1_pu": 1e-6}])}
    low = PowerSupply(v_min_pu=0.3, vd1_pu=0.2, vd2_pu=0.15, v_cut_pu=0.1)
    pattern = Cluster.of("H100", count=10_000, workload=Constant(), power_factor=1.0, supply=low)
    case = Case.from_pandapower(net, dynamics=tables, name="line").with_cluster(pattern, "end", "slack")
    study = LargestCluster(profile="none", high_mw=300.0, tol_mw=0.5, lost_share=0.0, until_s=2.0, probes=0)
    report: Any = study.run(case)
    assert 0.0 <= 200.0 - report.summary["limit"].value <= 0.6
    assert report.summary["limit"].note.startswith("binds: power_flow")
    assert report.result.bus.vm_pu["end"].iloc[-1] == pytest.approx(math.sqrt(0.5), abs=0.05)
