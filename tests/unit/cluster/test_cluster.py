"""Cluster: the sum from card to meter, demand with pauses, and one clear error for bad input."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from gridai.cluster import Cluster, Constant, Pause, PowerSupply, Training, explain_pause
from gridai.cluster.hardware import HARDWARE
from gridai.errors import SettingError, UnknownNameError


@pytest.fixture
def h100() -> Cluster:
    return Cluster.of("H100", count=100_000, pue=1.25)


@pytest.fixture
def steady() -> Cluster:
    return Cluster.of("H100", count=100_000, pue=1.25, workload=Constant())


def test_the_sum_from_card_to_meter(h100: Cluster) -> None:
    assert h100.it_mw == pytest.approx(85.7)
    assert h100.p_mw == pytest.approx(107.125)
    assert h100.nameplate_mw == pytest.approx(100_000 / 8 * 10.2e-3 * 1.25)
    assert h100.nameplate_mw == pytest.approx(159.375)
    assert h100.idle_mw == pytest.approx(41.75)
    assert h100.q_mvar == pytest.approx(107.125 * np.tan(np.arccos(0.99)))
    text = h100.describe()
    for part in ("630 W", "227 W", "857 W", "85.7 MW", "107.1 MW", "159.4 MW", "41.8 MW"):
        assert part in text
    assert str(h100) == "100,000 x H100, PUE 1.25: 107.1 MW"


def test_fields_carry_help_and_unit() -> None:
    for owner in (Cluster, Pause, Training, Constant, PowerSupply):
        for f in dataclasses.fields(owner):
            assert f.metadata["help"], f"{owner.__name__}.{f.name}"
            assert "unit" in f.metadata, f"{owner.__name__}.{f.name}"


def test_frozen_and_picklable(h100: Cluster) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        h100.count = 5  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(h100)) == h100
    assert Cluster.of(HARDWARE["H100"], 100_000) == h100


def test_power_scales_with_the_workload(steady: Cluster) -> None:
    half = Cluster.of("H100", count=100_000, workload=Constant(0.5))
    assert half.p_mw == pytest.approx(steady.p_mw / 2)
    assert half.demand(10.0).value(5.0) == pytest.approx(half.p_mw)


@pytest.mark.parametrize("seed", range(5))
def test_demand_starts_at_the_power_of_the_power_flow(h100: Cluster, seed: int) -> None:
    course = h100.demand(60.0, [Pause(at_s=1.0, pause_mw=100.0, resume_s=11.0)], seed=seed)
    assert course.value(0.0) == pytest.approx(h100.p_mw, rel=1e-12)
    assert course.name == "demand_mw"


def test_a_pause_takes_its_power_and_gives_it_back(steady: Cluster) -> None:
    course = steady.demand(30.0, [Pause(at_s=1.0, pause_mw=100.0, resume_s=11.0, ramp_down_s=0.4, ramp_up_s=5.0)])
    for t_s, gone_mw in (
        (0.5, 0),
        (1.0, 0),
        (1.2, 50),
        (1.4, 100),
        (8.0, 100),
        (11.0, 100),
        (13.5, 50),
        (16.0, 0),
        (30, 0),
    ):
        assert course.value(float(t_s)) == pytest.approx(steady.p_mw - gone_mw, abs=1e-9)


def test_a_pause_in_training_takes_its_share(h100: Cluster) -> None:
    pause = Pause(at_s=10.0, pause_mw=h100.p_mw / 4, resume_s=40.0)
    with_pause, without = h100.demand(60.0, [pause], seed=2), h100.demand(60.0, seed=2)
    t = np.linspace(10.4, 40.0, 500)
    np.testing.assert_allclose(with_pause.value(t), 0.75 * without.value(t), rtol=1e-12)
    t = np.linspace(45.0, 60.0, 500)
    np.testing.assert_allclose(with_pause.value(t), without.value(t), rtol=1e-12)


def test_a_step_pause_is_a_jump(steady: Cluster) -> None:
    course = steady.demand(20.0, [Pause(1.0, 100.0, 11.0, ramp_down_s=0.0, ramp_up_s=0.0)])
    np.testing.assert_array_equal(course.breaks, [1.0, 11.0])
    assert course.before(1.0) == pytest.approx(steady.p_mw)
    assert course.value(1.0) == pytest.approx(steady.p_mw - 100.0)
    back_at_once = steady.demand(20.0, [Pause(1.0, 100.0, 1.0, ramp_down_s=0.0, ramp_up_s=0.0)])
    assert back_at_once.value(2.0) == pytest.approx(steady.p_mw)
    after_the_end = steady.demand(5.0, [Pause(8.0, 100.0)])
    assert after_the_end.value(5.0) == pytest.approx(steady.p_mw)
    whole = steady.demand(5.0, [Pause(1.0, steady.p_mw)])
    assert whole.value(5.0) == pytest.approx(0.0, abs=1e-9)


def test_overlapping_pauses_add_up_while_they_fit(steady: Cluster) -> None:
    course = steady.demand(30.0, [Pause(1.0, 60.0, 20.0, 0.0, 0.0), Pause(5.0, 40.0, 10.0, 0.0, 0.0)])
    for t_s, gone_mw in ((2.0, 60.0), (6.0, 100.0), (12.0, 60.0), (25.0, 0.0)):
        assert course.value(t_s) == pytest.approx(steady.p_mw - gone_mw)


def test_overlapping_pauses_that_do_not_fit_are_refused(steady: Cluster) -> None:
    with pytest.raises(SettingError) as fault:
        steady.demand(30.0, [Pause(1.0, 60.0, 20.0), Pause(25.0, 60.0), Pause(5.0, 60.0, 10.0)])
    text = str(fault.value)
    for part in ("pause 1 (60 MW), pause 3 (60 MW)", "add up to 120.0 MW", "107.1 MW"):
        assert part in text
    assert "pause 2" not in text


def test_a_pause_larger_than_the_cluster_is_refused(steady: Cluster) -> None:
    with pytest.raises(SettingError, match=r"pause_mw = 150.*draws 107.1 MW in training"):
        steady.demand(30.0, [Pause(1.0, 150.0)])
    with pytest.raises(SettingError, match=r"pause_mw = 150"):
        steady.explain_pause(150.0)


def test_what_a_pause_takes(h100: Cluster) -> None:
    deep = explain_pause(h100, Pause(at_s=1.0, pause_mw=100.0))
    assert deep.idle_mw == pytest.approx(107.125 - 41.75)
    assert deep.off_mw == pytest.approx(100.0 - 65.375)
    assert deep.off_servers == pytest.approx(34.625 / 41.75)
    assert deep.stopped_servers == 1.0
    left_mw = (1.0 - deep.off_servers) * h100.idle_mw
    assert h100.p_mw - left_mw == pytest.approx(deep.pause_mw)
    assert "65.4 MW, the other 34.6 MW means 83% of the servers switched off" in str(deep)
    mild = h100.explain_pause(30.0)
    assert (mild.off_mw, mild.idle_mw, mild.off_servers) == (0.0, 30.0, 0.0)
    assert mild.stopped_servers == pytest.approx(30.0 / 65.375)
    assert mild.cooling_mw == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"count": 0}, ("count = 0", "give a number from 1 to")),
        ({"count": 10.5}, ("count = 10.5", "whole number")),
        ({"count": -5, "pue": 0.9, "power_factor": float("nan")}, ("3 faults", "pue = 0.9", "power_factor = nan")),
        ({"count": 10, "pue": "1.2"}, ("pue = '1.2'",)),
        ({"count": 10, "power_factor": -0.9}, ("power_factor = -0.9",)),
        ({"count": 10, "workload": "training"}, ("workload = 'training'", "Training()")),
        ({"count": 10, "supply": 3}, ("supply = 3", "PowerSupply")),
    ],
)
def test_bad_settings_are_one_clear_error(settings: dict[str, float], parts: tuple[str, ...]) -> None:
    with pytest.raises(SettingError) as fault:
        Cluster.of("H100", **settings)
    for part in parts:
        assert part in str(fault.value)


def test_unknown_hardware() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown hardware 'H1000'; did you mean .*'H100'"):
        Cluster.of("H1000", count=8)
    with pytest.raises(SettingError, match=r"hardware = 'H100'.*Cluster\.of"):
        Cluster("H100", 8)  # type: ignore[arg-type]


@pytest.mark.parametrize("until_s", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_bad_horizon(h100: Cluster, until_s: float) -> None:
    with pytest.raises(SettingError, match="until_s"):
        h100.demand(until_s)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"at_s": -1.0, "pause_mw": 10.0}, "at_s = -1"),
        ({"at_s": 1.0, "pause_mw": -10.0}, "pause_mw = -10"),
        ({"at_s": 1.0, "pause_mw": 0.0}, "pause_mw = 0.0: give a power above 0 MW"),
        ({"at_s": 1.0, "pause_mw": float("nan")}, "pause_mw = nan"),
        ({"at_s": 1.0, "pause_mw": 10.0, "resume_s": 0.5}, "resume_s = 0.5.*not before the pause is complete at 1.4 s"),
        ({"at_s": 1.0, "pause_mw": 10.0, "resume_s": float("nan")}, "resume_s = nan"),
        ({"at_s": 1.0, "pause_mw": 10.0, "ramp_up_s": -1.0}, "ramp_up_s = -1"),
    ],
)
def test_bad_pause(settings: dict[str, float], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Pause(**settings)
