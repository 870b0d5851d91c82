"""The study regulate: scores of actuators and what limits cost, gaps and excess, AGC with and without the cluster."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.cluster.shapers.actuator import ACTUATORS, Actuator, staircase, without_gaps
from gridai.criteria.regulation import QUALIFIES, Score
from gridai.errors import CaseError, SettingError
from gridai.studies import Regulate
from gridai.studies.regulating import Scored, held_back


@pytest.fixture(scope="module")
def case() -> Any:
    """A cluster of 100 MW."""
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=93_350), bus="16")


@pytest.fixture(scope="module")
def report(case: Any) -> Any:
    return Regulate(hour_s=1200.0).run(case)


def rows(report: Any) -> dict[tuple[str, float], dict[str, Any]]:
    table = report.tables["scores"]
    return {(row[0], row[1]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_a_cluster_of_100_mw_is_scored_on_both_signals(report: Any):
    """Cap 0.9964 and 0.9959 on 2 s and 4 s; a batch that waits for the next iteration 0.768 and 0.763."""
    found = rows(report)
    assert found["power cap", 2.0]["score"] == pytest.approx(0.9964, abs=1e-3)
    assert found["power cap", 4.0]["score"] == pytest.approx(0.9959, abs=1e-3)
    batch = "batch size, at the next iteration"
    assert found[batch, 2.0]["score"] == pytest.approx(0.768, abs=2e-3)
    assert found[batch, 2.0]["delay"] == pytest.approx(1.0 - 10.0 / 300.0, abs=1e-4)
    assert min(row["score"] for row in found.values()) > QUALIFIES


def test_the_limits_that_cost_the_score_are_named(report: Any):
    """Latency costs the batch 0.21; steps of whole jobs cost pausing 0.017 to 0.022, its ramps 0.01."""
    found = rows(report)
    batch, pause = (found[name, 2.0] for name in ("batch size, at the next iteration", "pausing whole jobs"))
    assert batch["latency costs"] == pytest.approx(0.211, abs=5e-3)
    assert batch["latency costs"] > 20.0 * batch["resolution costs"]
    assert pause["resolution costs"] == pytest.approx(0.017, abs=5e-3)
    assert pause["ramp costs"] == pytest.approx(0.0106, abs=5e-3)
    assert "costs most" in report.summary["score_2s"].note


def test_agc_is_better_with_the_cluster(report: Any):
    """Both figures; the cluster stays within its capability. The hour itself: the slow test."""
    value = {key: m.value for key, m in report.summary.items()}
    assert value["std"] < 0.95 * value["std_without"]
    assert value["cps1"] > value["cps1_without"]
    assert value["moved"] <= 30.0 + 1e-6
    assert report.figure("regulate").axes


@pytest.mark.slow
def test_an_hour_of_agc(case: Any):
    """ieee39, a load that wanders by 63 MW: 19.4 to 16.9 mHz, CPS1 159.5 to 171.8 %."""
    value = {key: m.value for key, m in Regulate(cycles_s=(4.0,)).run(case).summary.items()}
    assert value["std_without"] == pytest.approx(19.4, abs=0.2)
    assert value["std"] == pytest.approx(16.9, abs=0.2)
    assert value["cps1_without"] == pytest.approx(159.5, abs=1.5)
    assert value["cps1"] == pytest.approx(171.8, abs=1.5)


def test_actuators_do_what_their_numbers_say():
    """A step of 20 MW about 100 MW: begins after the latency, takes the ramp, ends on a whole step within reach."""
    t, order = np.array([0.0, 10.0, 20.0]), np.array([0.0, 20.0, 20.0])
    slow = Actuator(latency_s=2.0, ramp_per_s=0.05, resolution=0.03, down=0.4, up=0.4).follow(t, order, 100.0)
    assert slow.power.value(11.99) == 0.0
    assert slow.power.value(13.0) == pytest.approx(5.0)
    assert slow.power.value(29.0) == pytest.approx(21.0)
    short = Actuator(latency_s=0.0, ramp_per_s=1e6, resolution=0.0, down=0.1, up=0.1).follow(
        t, 2.0 * order - 20.0, 100.0
    )
    assert short.saturated == 3
    assert short.power.value(15.0) == pytest.approx(10.0)


def test_an_order_beyond_the_reach_saturates_and_is_counted():
    """A capability of 50 MW on actuators that reach 40 of 100 MW: 57 steps of 0.7 MW."""
    t = np.arange(0.0, 100.0, 4.0)
    order = 50.0 * np.sin(t / 10.0)
    found = ACTUATORS["cap"].follow(t, order, 100.0)
    assert found.saturated == int((np.abs(order) > 40.0).sum()) > 0
    assert found.power.values.max() == pytest.approx(39.9)


def test_staircase_holds_each_value():
    course = staircase(np.array([1.0, 3.0, 9.0]), np.array([5.0, -2.0, 7.0]), 0.0, 8.0)
    assert list(course.value(np.array([0.5, 1.0, 2.9, 3.0, 7.9]))) == [0.0, 5.0, 5.0, -2.0, -2.0]


def test_gaps_are_bridged_and_counted_or_refused():
    t = np.arange(0.0, 40.0, 4.0)
    s = np.linspace(-1.0, 1.0, 10)
    holes = s.copy()
    holes[[3, 4]] = np.nan
    grid, filled, missing = without_gaps(np.delete(t, 7), np.delete(holes, 7), 4.0, 10.0)
    assert missing == 3
    assert list(grid) == list(t)
    assert filled[4] == s[2]
    assert filled[7] == s[6]
    with pytest.raises(SettingError, match="gap of 8 s"):
        without_gaps(t, holes, 4.0, 5.0)
    with pytest.raises(SettingError, match=r"1\.5 at 8 s"):
        without_gaps(t, np.where(t == 8.0, 1.5, s), 4.0, 5.0)
    with pytest.raises(SettingError, match="start"):
        without_gaps(t, np.where(t == 0.0, np.nan, s), 4.0, 5.0)
    with pytest.raises(SettingError, match="rise"):
        without_gaps(t[::-1], s, 4.0, 5.0)


def test_a_signal_from_a_file(case: Any, tmp_path: Path):
    """Missing samples are counted in the report; a line that is none is named."""
    file = tmp_path / "signal.csv"
    t = np.arange(0.0, 3901.0, 4.0)
    lines = [f"{x:g},{'' if k == 50 else f'{np.sin(x / 60.0):.6f}'}" for k, x in enumerate(t)]
    file.write_text("t_s,signal\n" + "\n".join(lines), encoding="utf-8")
    report = Regulate(file=str(file), cycles_s=(4.0,), hour_s=0.0).run(case)
    assert rows(report)["power cap", 4.0]["samples missing"] == 1
    assert any("1 samples of the signal are missing" in note for note in report.notes)
    assert "std" not in report.summary
    file.write_text("0,0.1\n4,what\n", encoding="utf-8")
    with pytest.raises(CaseError, match="line 2"):
        Regulate(file=str(file), hour_s=0.0).run(case)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"share": 1.0}, "share"),
        ({"hour_s": 60.0}, "hour_s"),
        ({"actuator": "capp"}, "actuator"),
        ({"cycles_s": (0.0,)}, "cycles_s"),
        ({"cycles_s": (2.0, 2000.0)}, "cycles_s = 2000.*60 s at most"),
    ],
)
def test_bad_settings_are_refused_by_name(settings: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        Regulate(**settings)


def test_a_capability_beyond_idle_or_nameplate(case: Any):
    with pytest.raises(SettingError, match=r"power_mw = 55.*idle.*nameplate"):
        Regulate(power_mw=55.0).run(case)
    with pytest.raises(SettingError, match="latency_s"):
        Actuator(latency_s=-1.0)


def test_names_and_files_are_checked_before_anything_runs(case: Any, tmp_path: Path):
    """An interconnection also without the hour; a signal shorter than what is scored."""
    with pytest.raises(CaseError, match="unknown interconnection 'zz'"):
        Regulate(interconnection="zz", hour_s=0.0).run(case)
    file = tmp_path / "short.csv"
    file.write_text("0,0.1\n2,0.2\n4,0.1\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"holds 4 s.*3900 s"):
        Regulate(file=str(file), hour_s=0.0).run(case)


def test_a_signal_of_a_longer_period_has_no_gaps():
    """4 s samples read every 2 s are held between; one that is left out is missing at two of them."""
    t = np.arange(0.0, 40.0, 4.0)
    assert without_gaps(t, np.zeros(10), 2.0, 10.0)[2] == 0
    assert without_gaps(np.delete(t, 5), np.zeros(9), 2.0, 10.0)[2] == 2


def test_what_following_costs_by_hand():
    """A square order of 20 MW about 100 MW, half the time down: a tenth is lost, a tenth is more."""
    t = np.arange(0.0, 3601.0, 2.0)
    power = staircase(t, np.where(t % 20.0 < 10.0, 20.0, -20.0), 0.0, 3600.0)
    score = Score(1.0, 1.0, 1.0, 1.0, 1.0)
    one = Scored("cap", "power cap", 2.0, score, {}, 0, len(t), 0, power, power)
    assert held_back(one, 100.0) == pytest.approx((10.0, 10.0))


def test_a_grid_without_other_loads():
    bench = load_case("bench").with_cluster(Cluster.of("H100", count=93_350), bus="POC")
    with pytest.raises(SettingError, match="no other load"):
        Regulate(hour_s=300.0, cycles_s=(4.0,)).run(bench)


def test_a_grid_without_governors():
    bare = load_case("kundur").with_cluster(Cluster.of("H100", count=93_350), bus="9")
    with pytest.raises(SettingError, match="no governor"):
        Regulate(hour_s=300.0, cycles_s=(4.0,)).run(bare)


def test_every_field_states_help():
    for f in fields(Regulate):
        assert f.metadata["help"], f.name
