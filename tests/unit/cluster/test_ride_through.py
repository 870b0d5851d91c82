"""Ride-through settings: strata, shares, and the faults of bad input."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.cluster import Cluster, PowerSupply, RideThrough, UpsClass
from gridai.errors import SettingError


def test_default_cluster_is_one_electronic_load():
    parts = Cluster.of("H100", count=1000).electrical_groups()
    assert [(name, model.name, share) for name, model, _, share in parts] == [("", "ECLUSTER", 1.0)]


def test_groups_share_the_cluster_and_carry_the_supply():
    settings = RideThrough((UpsClass("a", share=0.7, groups=7), UpsClass("b", share=0.3, groups=12)))
    cluster = Cluster.of("H100", count=1000, supply=PowerSupply(psu_s=0.05), ride_through=settings)
    parts = cluster.electrical_groups()
    assert len(parts) == 19
    assert len({name for name, *_ in parts}) == 19
    assert sum(share for *_, share in parts) == pytest.approx(1.0, abs=1e-12)
    assert {values["psu_s"] for _, _, values, _ in parts} == {0.05}
    assert [name for name, *_ in parts][:2] == ["a1", "a2"]
    assert [name for name, *_ in parts][7] == "b01"


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_strata_cover_the_distribution_evenly(seed):
    settings = RideThrough((UpsClass(groups=10, under1_s=0.03, v_spread_pu=0.03, delay_spread=0.5),), seed=seed)
    drawn = [g.values for g in settings.groups()]
    v, s = (np.sort([d[name] for d in drawn]) for name in ("under1_pu", "under1_s"))
    assert v == pytest.approx(0.85 + 0.03 * (2 * np.arange(10) + 1 - 10) / 10)
    assert s == pytest.approx(0.03 * (1 + 0.5 * (2 * np.arange(10) + 1 - 10) / 10))


def test_the_seed_shuffles_pairs_and_nothing_else():
    def drawn(seed: int) -> list[tuple[float, float]]:
        settings = RideThrough((UpsClass(groups=12, v_spread_pu=0.03, delay_spread=0.5),), seed=seed)
        return [(g.values["under1_pu"], g.values["under1_s"]) for g in settings.groups()]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert sorted(v for v, _ in drawn(3)) == sorted(v for v, _ in drawn(4))


def test_a_spread_moves_all_thresholds_of_a_group_together():
    row = UpsClass(groups=4, under1_pu=0.9, under1_s=2.0, under2_pu=0.5, under2_s=0.2, over1_pu=1.1, v_spread_pu=0.02)
    for g in RideThrough((row,)).groups():
        assert g.values["under1_pu"] - g.values["under2_pu"] == pytest.approx(0.4)
        assert g.values["under1_pu"] + g.values["over1_pu"] == pytest.approx(2.0)
        assert g.values["under3_pu"] == 0.0
        assert g.values["over2_pu"] == 9.0
        assert g.values["under1_pu"] <= g.values["v_return_low_pu"] < g.values["v_return_high_pu"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("together", [10, 10, 10, 10]),
        ("one-by-one", [10, 15, 20, 25]),
        ("steps", [10, 10, 15, 15]),
    ],
)
def test_return_policies(policy, expected):
    row = UpsClass(groups=4, return_policy=policy, return_every_s=5.0, return_steps=2)
    assert [g.values["return_s"] for g in RideThrough((row,)).groups()] == expected


def test_by_hand():
    assert {g.values["by_hand"] for g in RideThrough((UpsClass(return_policy="hand"),)).groups()} == {1.0}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"soc0": 0.0}, "soc0"),
        ({"under1_pu": 0.8, "under2_pu": 0.85}, r"under2_pu.*above under1_pu"),
        ({"under1_s": 0.1, "under2_pu": 0.5, "under2_s": 0.2}, r"under2_s.*deeper"),
        ({"over1_pu": 1.2, "over2_pu": 1.1}, r"over2_pu.*below over1_pu"),
        ({"over2_pu": 1.3, "over2_s": 5.0}, r"over2_s.*higher"),
        ({"under1_pu": 1.0, "over1_pu": 1.0}, "return window"),
        ({"v_return_low_pu": 0.8}, "v_return_low_pu"),
        ({"v_spread_pu": 0.2}, "group"),
        ({"count_n": 7}, "count_n"),
        ({"count_n": 2.5}, "count_n"),
        ({"eco": 1, "ups": 0}, "eco"),
        ({"ups": 0.5}, "ups"),
        ({"return_policy": "slow"}, "return_policy"),
        ({"groups": 0}, "groups"),
        ({"name": "a/b"}, "slash"),
        ({"battery_min": float("nan")}, "battery_min"),
    ],
)
def test_bad_settings_name_the_field(given, words):
    with pytest.raises(SettingError, match=f"(?s){words}"):
        UpsClass(**given)


def test_bad_sets_of_classes():
    with pytest.raises(SettingError, match="sum to 1"):
        RideThrough((UpsClass("a", share=0.5),))
    with pytest.raises(SettingError, match="two classes"):
        RideThrough((UpsClass("a", share=0.5), UpsClass("a", share=0.5)))
    with pytest.raises(SettingError, match="at least one"):
        RideThrough(())
    with pytest.raises(SettingError, match="ride_through"):
        Cluster.of("H100", count=10, ride_through="ups")


def test_without_counting():
    settings = RideThrough((UpsClass(count_n=3),)).without_counting()
    assert settings.classes[0].count_n == 0
