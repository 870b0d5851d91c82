"""Capacitors, storages, photovoltaics, flicker and verdicts in the study timeseries: brute force, by hand, faults."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.cluster import Cluster
from gridai.cluster.workloads import Constant
from gridai.errors import CaseError, SettingError
from gridai.results.course import course_of
from gridai.studies import Flicker, Timeseries


def feeder() -> Any:
    """110/20 kV, a line, a load, two banks; short-circuit data of the grid."""
    net = pp.create_empty_network()
    hv, lv, end = (pp.create_bus(net, kv, name=n) for n, kv in (("hv", 110.0), ("lv", 20.0), ("end", 20.0)))
    pp.create_ext_grid(net, hv, s_sc_max_mva=2000.0, s_sc_min_mva=1500.0, rx_max=0.1, rx_min=0.1)
    pp.create_transformer(net, hv, lv, "25 MVA 110/20 kV", name="T1")
    pp.create_line(net, lv, end, 4.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="L1")
    pp.create_load(net, end, 4.0, 2.0, name="town")
    pp.create_shunt(net, end, q_mvar=-0.8, name="C1", step=0, max_step=3)
    return net


@pytest.fixture(scope="module")
def case() -> Any:
    made = Case.from_pandapower(feeder(), dynamics={}, name="feeder")
    return made.with_cluster(Cluster.of("H100", count=3000), bus="end", balance="slack")


def write(path: Path, **columns: Any) -> str:
    pd.DataFrame({k.replace("__", "/"): v for k, v in columns.items()}).to_csv(path, index=False)
    return str(path)


def day(tmp_path: Path, step_s: float = 300.0) -> str:
    t = np.arange(0.0, 86_400.0, step_s)
    return write(tmp_path / "day.csv", t_s=t, **{"load/town/factor": 0.8 + 0.5 * np.sin(2 * np.pi * t / 86_400.0)})


FULL = Timeseries(
    taps=True, deadband_pu=0.0125, capacitors=True, capacitor_delay_s=600.0, pv_mw=4.0, latitude_degree=50.0,
    storage_mw=1.0, storage_mwh=3.0, followed_by="slack", profile="none",
)  # fmt: skip


@pytest.mark.parametrize(
    "rule", [{"storage_rule": "own"}, {"storage_rule": "shave", "shave_mw": 6.5, "storage_at": "T1"}]
)
def test_sampled_steps_are_runpp(case: Any, tmp_path: Path, rule: dict[str, Any]):
    """Taps, a bank, photovoltaics, demand and a battery at once: voltages of sampled steps by one runpp each."""
    out = tmp_path / "steps.csv"
    report = replace(FULL, profiles=day(tmp_path), keep=str(out), detail=True, **rule).run(case)
    steps = pd.read_csv(out)
    net = copy.deepcopy(case.net)
    pp.create_sgen(net, 2, 0.0)
    pp.create_storage(net, 2, 0.0, 3.0)
    row = net.load.index[net.load.name == "cluster"][0]
    ratio = net.load.at[row, "q_mvar"] / net.load.at[row, "p_mw"]
    town = net.load.loc[net.load.name == "town", ["p_mw", "q_mvar"]].to_numpy().copy()
    columns = [c for c in steps.columns if c.startswith("bus/")]
    factor = pd.read_csv(tmp_path / "day.csv")["load/town/factor"]
    for k in range(0, len(steps), 19):
        s = steps.loc[k]
        net.load.loc[row, ["p_mw", "q_mvar"]] = s.cluster_mw, s.cluster_mw * ratio
        net.load.loc[net.load.name == "town", ["p_mw", "q_mvar"]] = town * factor[k]
        net.sgen.at[0, "p_mw"], net.storage.at[0, "p_mw"] = s.pv_mw, s["storage/battery/p_mw"]
        net.trafo.at[0, "tap_pos"], net.shunt.at[0, "step"] = s["trafo/T1/position"], s["shunt/C1/position"]
        pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-9, numba=False)
        assert np.abs(net.res_bus.vm_pu.to_numpy() - s[columns].to_numpy(dtype=float)).max() < 2e-7  # file: 7 digits
    assert report.summary["unsolved"].value == 0.0
    assert report.summary["capacitor_moves"].value >= 2.0
    assert report.summary["storage_discharged"].value > 0.5
    assert report.summary["pv_energy"].value == pytest.approx(steps.pv_mw.sum() / 12.0, rel=1e-6)
    hours = 1.0 / 12.0
    change = steps["battery/e_mwh"].iloc[-1] - 1.5
    taken = steps["storage/battery/p_mw"].sum() * hours
    assert taken - change == pytest.approx(report.summary["storage_losses"].value, abs=2e-5)  # 288 rounded rows
    if rule["storage_rule"] == "shave":
        giving = (steps["storage/battery/p_mw"] < -1e-6) & (steps["storage/battery/p_mw"] > -1.0 + 1e-6)
        part = giving & (steps["battery/e_mwh"] > 1e-6)
        assert (steps.watched_mw[part] - 6.5).abs().max() < 1e-6


def test_a_rule_for_one_storage_and_a_schedule_for_another(tmp_path: Path):
    """Storages of the case's table: the named one shaves at the transformer, the other follows its profile."""
    net = feeder()
    for name in ("A", "B"):
        pp.create_storage(net, 2, 0.0, 12.0, min_e_mwh=0.5, soc_percent=50.0, sn_mva=2.0, name=name)
    made = Case.from_pandapower(net, dynamics={}, name="f")
    t = 300.0 * np.arange(48)
    town = 1.0 + 0.4 * np.sin(2 * np.pi * t / 14_400.0)
    file = write(tmp_path / "p.csv", t_s=t, load__town__factor=town, storage__A__p_mw=np.full(48, 0.1),
                 storage__B__p_mw=np.where(t < 7200.0, 0.5, -0.5))  # fmt: skip
    study = Timeseries(profiles=file, storage_rule="shave", storage_at="trafo/T1", storage_names="A", shave_mw=4.6,
                       recharge_mw=4.2, followed_by="slack", profile="none", detail=True,
                       keep=str(tmp_path / "s.csv"))  # fmt: skip
    report = study.run(made)
    steps = pd.read_csv(tmp_path / "s.csv")
    assert steps["storage/B/p_mw"].iloc[:24].tolist() == pytest.approx([0.5] * 24)
    giving = steps["storage/A/p_mw"] < -1e-6
    assert giving.sum() > 3
    assert (steps.watched_mw[giving] - 4.6).abs().max() < 1e-6
    assert "profile of storage A is left out" in " ".join(report.notes)
    (row,) = (r for r in report.tables["storages"].rows if r[0] == "B")
    assert float(row[4]) == pytest.approx(1.0)
    with pytest.raises(CaseError, match=r"unknown storage with an energy 'C'.*A"):
        replace(study, storage_names="C").run(made)
    with pytest.raises(SettingError, match="without a profile"):
        replace(study, storage_names="").run(made)


def test_a_schedule_and_photovoltaics_from_profiles(case: Any, tmp_path: Path):
    t = np.arange(0.0, 7200.0, 60.0)
    file = write(tmp_path / "p.csv", t_s=t, sgen__PV__factor=np.where(t < 3600, 0.5, 0.25),
                 storage__battery__p_kw=np.where(t < 3600, 800.0, -400.0))  # fmt: skip
    study = Timeseries(profiles=file, pv_mw=4.0, storage_mw=1.0, storage_mwh=2.0, storage_soc_percent=50.0,
                       course="constant", keep=str(tmp_path / "s.csv"), profile="none")  # fmt: skip
    report = study.run(case)
    steps = pd.read_csv(tmp_path / "s.csv")
    assert steps.pv_mw.iloc[0] == pytest.approx(2.0)
    assert steps.pv_mw.iloc[-1] == pytest.approx(1.0)
    assert steps.storage_mw.iloc[-1] == pytest.approx(-0.4)
    assert steps["battery/e_mwh"].iloc[59] == pytest.approx(1.0 + 0.8 * math.sqrt(0.9))
    assert report.summary["storage_short"].value == pytest.approx(0.0)


def test_verdicts_over_the_course(case: Any, tmp_path: Path):
    """EN 50160: 95 % of means over ten minutes; a rating by the worst step; with a step unsolved nothing passes."""
    t = 60.0 * np.arange(2000)
    low = np.where((t % 60_000.0) < 2400.0, 5.0, 1.0)  # 4 % of the time
    file = write(tmp_path / "p.csv", t_s=t, **{"load/town/factor": low})
    limits = tmp_path / "own.toml"
    limits.write_text(
        'title = "own"\nf_hz = 50.0\n'
        + "".join(
            f'[[limit]]\ncriterion = "{c}"\n{side}\nunit = "{unit}"\nsettings = {{{settings}}}\nclause = "x"\n'
            f'edition = "x"\nsource = "x"\nconfidence = "V"\ncondition = "{condition}"\n'
            for c, side, unit, settings, condition in (
                ("steady_voltage", "low = 0.97", "pu", "time_percent = 95.0", "normal"),
                ("steady_voltage", "low = 0.97", "pu", "time_percent = 98.0", "normal"),
                ("steady_voltage", "low = 0.97", "pu", "", "normal"),
                ("thermal_loading", "high = 100.0", "%", "", "planning"),
            )
        ),
        encoding="utf-8",
    )
    study = Timeseries(profiles=file, course="constant", profile=str(limits), check_units=False, detail=True,
                       keep=str(tmp_path / "s.csv"))  # fmt: skip
    report = study.run(case)
    steps = pd.read_csv(tmp_path / "s.csv")
    share, tight, worst, loading = report.verdicts
    assert (share.status, tight.status, worst.status) == ("pass", "fail", "fail")
    means = steps["bus/end/vm_pu"].groupby((t // 600).astype(int)).mean()
    assert tight.value == pytest.approx(means.sort_values().iloc[int(0.02 * len(means))], abs=0.0005)
    assert worst.value == pytest.approx(steps["bus/end/vm_pu"].min(), abs=1e-6)
    assert steps.set_index("t_s")["bus/end/vm_pu"][worst.t_s] == pytest.approx(worst.value, abs=1e-6)
    assert loading.value == pytest.approx(steps.percent_max.max(), abs=1e-6)
    assert not report.passed
    power = np.full(2000, 3.0)
    power[70] = 500.0
    broken = write(tmp_path / "b.csv", t_s=t, **{"cluster/*/p_mw": power})
    again = Timeseries(profiles=broken, profile=str(limits), check_units=False, followed_by="slack").run(case)
    assert again.summary["unsolved"].value == 1.0
    assert {v.status for v in again.verdicts} <= {"not assessable", "fail"}
    assert "1 steps have no solution" in again.verdicts[0].note


def test_a_limits_file_holds_a_course(tmp_path: Path):
    from gridai.limits import check, read_limits

    (tmp_path / "c.limits.toml").write_text(LIMITS, encoding="utf-8")
    assert [o.status for o in check(read_limits(tmp_path / "c.limits.toml")).outcomes] == ["pass", "pass", "pass"]


LIMITS = """
title = "a day"
case = "wscc9"

[[study]]
name = "day"
study = "timeseries"
reason = "a day of training at bus 5"
cluster = { bus = "5", hardware = "H100", count = 20000 }
parameters = { until_s = 7200.0, storage_mw = 5.0, storage_mwh = 10.0, storage_rule = "own" }

[[study.metric]]
metric = "storage_cycles"
unit = "1"
high = 1.0

[[study.metric]]
metric = "unsolved"
unit = "1"
high = 0

[[study.limit]]
profile = "ercot"
criterion = "steady_voltage"
"""


def test_flicker_of_the_course_is_that_of_the_study_flicker(case: Any):
    """Twenty minutes behind the same impedance: the second period's Pst is that of `flicker`. Reached: 4e-6."""
    placement = case.placements[0]
    mva = 60.0
    report = Timeseries(until_s=1200.0, step_s=1.0, flicker=True, short_circuit_mva=mva, profile="ieee-1453",
                        followed_by="slack").run(case)  # fmt: skip
    (points,) = course_of(report.result).points
    level = report.result.series("system", "grid", "vm_min_pu").mean()
    direct = Flicker(scr=mva / placement.cluster.p_mw * level**2, settle_s=600.0, periods=1).run(case)
    assert points.values[1] == pytest.approx(direct.summary["pst"].value, rel=1e-3)
    assert points.t_s == (600.0, 1200.0)
    assert report.summary["pst_max"].value == max(points.values)
    judged = [v for v in report.verdicts if v.status != "not assessable"]
    assert [(v.criterion, v.status) for v in judged] == [
        ("flicker_pst", "pass")
    ]  # medium voltage; no two hours for Plt


def test_flicker_of_a_feeder_is_that_of_its_dynamic_run():
    """5 MW at bus 14 of cigre_mv: the whole grid simulated, with loads that follow the voltage. Reached: 1.7 %."""
    made = load_case("cigre_mv").with_cluster(Cluster.of("H100", count=5000), bus="14")
    run = Flicker(periods=1, settle_s=600.0, profile="ieee-1453").run(made)
    course = Timeseries(until_s=1200.0, step_s=1.0, flicker=True, profile="none").run(made)
    assert course_of(course.result).points[0].values[1] == pytest.approx(run.summary["pst"].value, rel=0.03)


def test_the_impedance_is_that_of_the_grid(case: Any):
    """Without dynamic data X/R and strength are those of pandapower's smallest fault."""
    from pandapower.shortcircuit import calc_sc

    from gridai.studies.series_flicker import strength

    net = copy.deepcopy(case.net)
    net.line["endtemp_degree"] = 80.0
    calc_sc(net, case="min", fault="3ph")
    row = net.res_bus_sc.loc[2]
    mva, xr, source = strength(case, case.placements[0], None, None)
    assert (mva, xr) == pytest.approx((row.skss_mw, row.xk_ohm / row.rk_ohm))
    assert "60909" in source
    made = load_case("ieee39").with_cluster(Cluster.of("H100", count=1000), bus="16")
    mva, xr, _ = strength(made, made.placements[0], None, None)
    assert mva == pytest.approx(7930.0, rel=0.01)  # 100 MVA over |0.0034 + 0.0121j|
    assert xr == pytest.approx(3.53, rel=0.01)


def test_flicker_follows_the_strength_of_a_profile(case: Any, tmp_path: Path):
    """Half the short-circuit power, twice the Pst: flicker goes with the inverse of it."""
    t = 10.0 * np.arange(240)
    file = write(tmp_path / "p.csv", t_s=t, **{"cluster/*/sc_mva": np.where(t < 1200, 400.0, 200.0)})
    report = Timeseries(profiles=file, flicker=True, followed_by="slack", profile="none").run(case)
    values = course_of(report.result).points[0].values
    assert len(values) == 4
    assert values[3] / values[0] == pytest.approx(2.0, rel=0.1)
    assert "that of the profile" in " ".join(report.notes)


def test_a_constant_course_is_said_and_demand_is_the_default(case: Any):
    report = Timeseries(until_s=600.0, step_s=1.0, profile="none").run(case)
    assert np.ptp(report.result.values("system", "cluster_mw")) > 0.0
    flat = Timeseries(until_s=600.0, step_s=1.0, course="constant", profile="none").run(case)
    assert any("draws its mean all the time" in n for n in flat.notes)
    steady = Case.from_pandapower(feeder(), dynamics={}, name="f").with_cluster(
        Cluster.of("H100", count=3000, workload=Constant()), bus="end", balance="slack"
    )
    assert any("constant: its course is flat" in n for n in Timeseries(until_s=600.0, profile="none").run(steady).notes)
    bare = Case.from_pandapower(feeder(), dynamics={}, name="f")
    assert any("nothing varies" in n for n in Timeseries(until_s=600.0, profile="none").run(bare).notes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pv_mw": 2.0}, "latitude_degree"),
        ({"storage_rule": "own"}, "no storage with an energy"),
        ({"storage_rule": "own", "storage_mw": 1.0, "storage_mwh": 1.0, "storage_at": "T2"}, "unknown branch 'T2'"),
        ({"capacitors": True, "capacitors_hold": "q", "capacitor_branch": "L1", "capacitor_deadband": 0.1}, "narrower"),
        ({"cluster": "DC7", "pv_mw": 1.0}, "unknown cluster 'DC7'"),
        ({"flicker": True, "until_s": 300.0, "step_s": 1.0}, "one period takes 600 s"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(case: Any, settings: dict[str, Any], words: str):
    with pytest.raises((CaseError, SettingError), match=words):
        Timeseries(profile="none", **{"until_s": 1200.0, **settings}).run(case)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"storage_rule": "shave"}, "shave_mw"),
        ({"pv_mw": 1.0, "latitude_degree": 500.0}, "-90 to 90"),
        ({"storage_mw": 1.0}, "storage_mw and storage_mwh together"),
        ({"capacitors": True, "capacitors_hold": "pf"}, "name the branch"),
        ({"storage_rule": "shave", "shave_mw": 1.0, "recharge_mw": 2.0}, "up to shave_mw"),
        ({"storage_mw": 1.0, "storage_mwh": 1.0, "storage_efficiency": 1.2}, "at most 1"),
    ],
)
def test_settings_that_contradict_are_named(settings: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        Timeseries(**settings)


def test_site_devices_need_a_cluster(tmp_path: Path):
    bare = Case.from_pandapower(feeder(), dynamics={}, name="f")
    with pytest.raises(SettingError, match="belongs to a cluster's bus"):
        Timeseries(pv_mw=1.0, latitude_degree=50.0).run(bare)


def test_times_are_read_in_the_unit_of_the_figure(case: Any, tmp_path: Path):
    """A day in hours: summary, tables and axis; the saved numbers stay in seconds."""
    report = replace(FULL, profiles=day(tmp_path), storage_rule="own").run(case)
    assert "at h" in str(report)
    line = next(x for x in str(report).splitlines() if x.lstrip().startswith("lowest voltage  "))
    assert f"{report.summary['vm_min'].t_s / 3600.0:.4f}".rstrip("0") in line
    report.save(tmp_path / "out")
    assert (tmp_path / "out" / "course.png").stat().st_size > 20_000
    assert "at h" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_parquet_has_what_the_csv_has(case: Any, tmp_path: Path):
    """Every column and row, with the controllers' own; the CSV is rounded to seven digits."""
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    study = replace(FULL, profiles=day(tmp_path), storage_rule="own")
    for kind in ("csv", "parquet"):
        replace(study, keep=str(tmp_path / f"s.{kind}"), detail=True).run(case)
    one, two = pd.read_csv(tmp_path / "s.csv", keep_default_na=False), pd.read_parquet(tmp_path / "s.parquet")
    assert list(one.columns) == list(two.columns)
    assert len(one) == len(two) == 288
    for name in one.columns:
        if one[name].dtype == object:
            assert one[name].tolist() == two[name].tolist()
        else:
            assert np.abs(one[name].to_numpy() - two[name].to_numpy()).max() <= 5.1e-8


@pytest.mark.slow
def test_a_day_in_seconds_with_everything(tmp_path: Path):
    """86,400 steps with taps, banks, photovoltaics and a battery at the substation: all solved, all settled."""
    made = Case.from_pandapower(feeder(), dynamics={}, name="f")
    made = made.with_cluster(Cluster.of("H100", count=3000), bus="end", balance="slack")
    study = replace(FULL, profiles=day(tmp_path, 60.0), step_s=1.0, storage_rule="shave", shave_mw=7.0,
                    storage_at="substation")  # fmt: skip
    report = study.run(made)
    assert report.summary["steps"].value == 86_400.0
    assert report.summary["unsolved"].value == 0.0
    assert not any("did not come to stand" in n for n in report.notes)
