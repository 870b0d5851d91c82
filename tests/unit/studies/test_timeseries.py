"""Study timeseries: step by step against pandapower's runpp, infeasible steps, tap changers, energies, bad profiles."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.cluster import Cluster
from gridai.errors import CaseError, SettingError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.series import blocks
from gridai.grid.series_devices import tap_changers
from gridai.grid.series_switch import Switch, Switching, Watch
from gridai.results.course import course_of
from gridai.studies import Timeseries


@pytest.fixture(scope="module")
def ieee39() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")


def runpp(net: Any) -> Any:
    """vm_pu, or None without a solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pp.runpp(net, calculate_voltage_angles=True, init="dc", max_iteration=30, numba=False, tolerance_mva=1e-9)
        except pp.LoadflowNotConverged:
            return None
    return net.res_bus.vm_pu.to_numpy().copy()


def write(path: Path, **columns: Any) -> str:
    pd.DataFrame({k.replace("__", "/"): v for k, v in columns.items()}).to_csv(path, index=False)
    return str(path)


def test_every_step_is_runpp_and_the_infeasible_one_alone_is_marked(ieee39: Any, tmp_path: Path):
    """5 GW at step 5 of case39: the steps after it are unharmed (pandapower's fast time series is not)."""
    power = np.array([100.0, 110, 120, 90, 100, 5000, 100, 130, 60, 100])
    file = write(tmp_path / "p.csv", t_s=np.arange(10.0), cluster__cluster__p_mw=power)
    out = tmp_path / "steps.csv"
    study = Timeseries(profiles=file, followed_by="slack", keep=str(out), detail=True, check_units=False)
    report = study.run(ieee39)
    steps = pd.read_csv(out)
    assert steps.solved.tolist() == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1]
    assert "no solution" in steps.reason[5]
    assert report.summary["unsolved"].value == 1.0
    net = copy.deepcopy(ieee39.net)
    row = net.load.index[net.load.name == "cluster"][0]
    ratio = net.load.at[row, "q_mvar"] / net.load.at[row, "p_mw"]
    columns = [c for c in steps.columns if c.startswith("bus/")]
    for k in range(10):
        net.load.loc[row, ["p_mw", "q_mvar"]] = power[k], power[k] * ratio
        vm = runpp(net)
        if vm is None:
            assert k == 5
            assert steps.loc[k, columns].isna().all()
            continue
        assert np.abs(steps.loc[k, columns].to_numpy(dtype=float) - vm).max() < 2e-7  # rounded to 1e-7; reached: 5e-8
        assert steps.losses_mw[k] == pytest.approx(net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum(), abs=1e-5)


def test_units_follow_the_load_by_their_dispatch(ieee39: Any, tmp_path: Path):
    file = write(tmp_path / "p.csv", t_s=[0.0, 60.0], **{"load/*/factor": [1.0, 0.9]})
    report = Timeseries(profiles=file, keep=str(tmp_path / "s.csv")).run(ieee39)
    steps = pd.read_csv(tmp_path / "s.csv")
    slack, total = steps.slack_mw, ieee39.net.gen.p_mw.sum()
    own = ieee39.net.load[ieee39.net.load.name != "cluster"].p_mw.sum()
    assert slack[1] / slack[0] == pytest.approx(1.0 - 0.1 * own / total, abs=0.02)  # losses alone are the slack's
    assert report.summary["steps"].value == 2.0


def test_energy_of_a_constant_cluster(ieee39: Any):
    report = Timeseries(until_s=7200.0, step_s=60.0, course="constant").run(ieee39)
    p = ieee39.placements[0].cluster.p_mw
    assert report.summary["cluster_energy"].value == pytest.approx(2.0 * p, rel=1e-12)
    assert report.summary["steps"].value == 120.0
    assert len({tuple(c.values) for c in course_of(report.result).curves if c.group == "loading"}) > 1


def test_duration_curves_are_those_of_the_steps(ieee39: Any, tmp_path: Path):
    factor = 0.9 + 0.1 * np.sin(np.arange(3000.0) / 300.0)
    file = write(tmp_path / "p.csv", t_s=np.arange(3000.0), **{"load/*/factor": factor})
    out = tmp_path / "s.csv"
    report = Timeseries(profiles=file, keep=str(out), detail=True).run(ieee39)
    steps = pd.read_csv(out)
    for curve in course_of(report.result).curves:
        name = (
            f"{curve.name.replace('bus ', 'bus/')}/vm_pu"
            if curve.group == "voltage"
            else f"branch/{curve.name}/percent"
        )
        exact = np.quantile(steps[name], 1.0 - np.array(curve.share))
        bin_ = 0.0005 if curve.group == "voltage" else 0.5
        assert np.abs(exact - np.array(curve.values)).max() < 2.5 * bin_  # reached: 1.1 bins


def test_taps_are_those_of_a_plain_loop():
    """Tap positions and moves of a day in 10 min steps, against one runpp a step and the same rule written plainly."""
    net, changer, q = one_changer()
    t_s = 600.0 * np.arange(len(q))
    flow = BatchFlow(net)
    taps = Switching(flow, (changer,))

    def vary(a: int, b: int) -> list[Vary]:
        return [Vary("load", "q_mvar", q[a:b, None], [0])]

    got = np.concatenate([b.positions[:, 0] for b in blocks(flow, t_s, vary, switches=taps, chunk=64)])
    position, since, moves, expected = 0, None, 0, []
    for k, t in enumerate(t_s):
        net.load.at[0, "q_mvar"], net.trafo.at[0, "tap_pos"] = q[k], position
        expected.append(position)
        error = float(runpp(net)[1]) - changer.aim
        side = 0 if abs(error) <= changer.deadband else int(np.sign(error))
        if (side > 0 and position == 9) or (side < 0 and position == -9):
            side = 0
        if side == 0:
            since = None
            continue
        since = (t, side) if since is None or since[1] not in (side, None) else (since[0], side)
        if t - since[0] >= changer.delay_s:
            position, since, moves = position + side, (t, None), moves + 1
    assert got.tolist() == expected
    assert taps.moves == [moves]
    assert moves > 5


def one_changer() -> tuple[Any, Switch, Any]:
    net = pp.create_empty_network()
    hv, lv = pp.create_bus(net, 110.0), pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, hv)
    pp.create_transformer(net, hv, lv, "25 MVA 110/20 kV")
    pp.create_load(net, lv, 5.0, 8.0)
    day = 8.0 + 7.0 * np.sin(6.0 * np.pi * np.arange(144) / 144.0) + np.random.default_rng(3).normal(0.0, 0.5, 144)
    return net, Switch("trafo", 0, Watch("voltage", "bus", lv), 0.97, 0.008, 1200.0, -1), day


def with_taps(net: Any) -> Any:
    """The network with taps of 1.5 % at the high-voltage side of its transformers."""
    for column, value in {"tap_min": -9, "tap_max": 9, "tap_neutral": 0, "tap_pos": 0, "tap_step_percent": 1.5,
                          "tap_step_degree": 0.0, "tap_side": "hv", "tap_changer_type": "Ratio"}.items():  # fmt: skip
        net.trafo[column] = value
    return net


def test_taps_in_the_study_and_a_dead_band_that_would_hunt(tmp_path: Path):
    case = Case.from_pandapower(with_taps(pn.create_cigre_network_mv()), dynamics={}, name="mv")
    n = 3000
    file = write(tmp_path / "p.csv", t_s=np.arange(float(n)), **{"load/*/factor": np.linspace(0.2, 1.2, n)})
    report = Timeseries(profiles=file, taps=True, tap_vm_pu=1.0, deadband_pu=0.013, followed_by="slack").run(case)
    assert report.summary["tap_moves"].value >= 2.0
    assert report.summary["unsolved"].value == 0.0
    assert report.tables["switches"].rows
    with pytest.raises(CaseError, match="hunt"):
        tap_changers(BatchFlow(case.net), 0.001, 30.0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("t_s,load/L3/p_mw\n0,1\n60,2\n120,\n180,3\n", "row 4.*empty"),
        ("t_s,load/L3/p_mw\n0,1\n60,2\n120,3\n300,3\n360,3\n", r"1 gaps in time.*row 5"),
        ("t_s,load/L3/p_mw\n0,300\n60,x\n", "row 3.*'x' is no number"),
        ("t_s,load/L3/p_mw\n0,300\n60,300\n60,300\n", "row 4.*repeated"),
        ("t_s,load/L3/power\n0,300\n60,300\n", "quantity with its unit"),
        ("t_s,load/3\n0,300\n60,300\n", "table/element/quantity"),
        ("t_s,load/33/p_mw\n0,300\n60,300\n", "unknown load .33."),
        ("t_s,load/L3/p_mw\n0,322000\n60,322000\n", "thousand times"),
        ("t_s,load/L3/p_kw\n0,322\n60,322\n", "a thousandth"),
        ("t_s,load/*/p_mw\n0,322\n60,322\n", "goes with factor"),
        ("t_s,load/L3/factor,load/L3/p_mw\n0,1,300\n60,1,300\n", "has a profile"),
        ("when,load/L3/p_mw\n0,300\n60,300\n", "first column is 'when'"),
        ("time,load/L3/p_mw\n2024-10-27T02:00,300\n2024-10-27T02:30,300\n2024-10-27T02:00,300\n2024-10-27T02:30,300\n",
         "clocks go back"),
        ("time,load/L3/p_mw\n2024-03-31T01:00,300\n2024-03-31T01:30,300\n2024-03-31T03:00,300\n2024-03-31T03:30,300\n",
         "clocks go forward"),
        ("", "holds no profile: give a header"),
        ("t_s,load/L3/p_mw\n", "holds no profile"),
        ("t_s,load/L3/sc_mva\n0,300\n60,300\n", "belongs to a cluster"),
    ],
)  # fmt: skip
def test_faults_of_profiles_are_named(ieee39: Any, tmp_path: Path, rows: str, words: str):
    (tmp_path / "p.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(CaseError, match=words):
        Timeseries(profiles=str(tmp_path / "p.csv")).run(ieee39)


def test_the_clock_change_is_none_with_offsets(ieee39: Any, tmp_path: Path):
    times = ["2024-10-27T02:00+02:00", "2024-10-27T02:30+02:00", "2024-10-27T02:00+01:00", "2024-10-27T02:30+01:00"]
    file = write(tmp_path / "p.csv", time=times, load__L3__p_mw=[300.0, 310, 320, 330])
    assert Timeseries(profiles=file).run(ieee39).summary["steps"].value == 4.0


def test_gaps_are_bridged_or_marked_where_asked(ieee39: Any, tmp_path: Path):
    file = write(tmp_path / "p.csv", t_s=[0.0, 60, 120, 300, 360], load__L3__p_mw=[300.0, 310, np.nan, 320, 330])
    bridged = Timeseries(profiles=file, gaps="bridge").run(ieee39)
    assert (bridged.summary["steps"].value, bridged.summary["unsolved"].value) == (7.0, 0.0)
    marked = Timeseries(profiles=file, gaps="mark").run(ieee39)
    assert (marked.summary["steps"].value, marked.summary["unsolved"].value) == (7.0, 3.0)
    assert "input" in marked.summary["unsolved"].note


def test_files_of_different_length_and_an_end_beyond_them(ieee39: Any, tmp_path: Path):
    one = write(tmp_path / "a.csv", t_s=[0.0, 60, 120], load__L3__p_mw=[300.0] * 3)
    two = write(tmp_path / "b.csv", t_s=[0.0, 60], load__L4__p_mw=[500.0] * 2)
    with pytest.raises(CaseError, match="one length"):
        Timeseries(profiles=f"{one},{two}").run(ieee39)
    with pytest.raises(CaseError, match="profiles end at 180 s"):
        Timeseries(profiles=one, until_s=600.0).run(ieee39)


def test_an_interruption_keeps_what_is_solved(ieee39: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gridai.studies import series_sums

    add, seen = series_sums.Sums.add, []

    def stop(self: Any, *given: Any) -> Any:
        if seen:
            raise KeyboardInterrupt
        seen.append(1)
        return add(self, *given)

    monkeypatch.setattr(series_sums.Sums, "add", stop)
    out = tmp_path / "s.csv"
    with pytest.raises(KeyboardInterrupt) as caught:
        Timeseries(until_s=20_000.0, step_s=1.0, keep=str(out)).run(ieee39)
    assert "16384 rows" in caught.value.__notes__[0]
    assert not out.exists()
    assert len(pd.read_csv(tmp_path / "s.part.csv")) == 16384


def test_settings_and_the_figure(ieee39: Any, tmp_path: Path):
    with pytest.raises(SettingError, match="keep"):
        Timeseries(detail=True)
    with pytest.raises(SettingError, match=r"\.csv or \.parquet"):
        Timeseries(keep="x.txt").run(ieee39)
    report = Timeseries(until_s=600.0, course="demand", step_s=1.0).run(ieee39)
    report.save(tmp_path / "out")
    assert (tmp_path / "out" / "course.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_year_in_minutes_with_flows(ieee39: Any, tmp_path: Path):
    """525,600 steps; 4 of them beyond the nose are marked, none other. Reached: 6 s on two cores."""
    t = 60.0 * np.arange(525_600)
    power = np.full(len(t), 100.0)
    power[[200_000, 300_000, 300_001, 300_002]] = 5000.0
    file = write(
        tmp_path / "p.csv", t_s=t, **{"load/*/factor": 0.8 + 0.1 * np.sin(t / 13_750.0), "cluster/*/p_mw": power}
    )
    report = Timeseries(profiles=file).run(ieee39)
    assert report.summary["unsolved"].value == 4.0
    assert [(r[0], r[2]) for r in report.tables["unsolved"].rows] == [("138.8888889", "1"), ("208.3333333", "3")]
