"""The case ireland: 204 MW of demand lost on the island."""

from __future__ import annotations

from typing import Any

import pytest

from gridai.case import load_case
from gridai.studies.ride_through import RideThrough


@pytest.fixture(scope="module")
def report() -> Any:
    return RideThrough().run(load_case("ireland"))


def test_the_zenith_is_that_of_the_event(report):
    """Excursion 0.22 Hz within 5 %. Reached: 0.2189 Hz."""
    assert report.summary["zenith"].value - 50.0 == pytest.approx(0.22, rel=0.05)
    assert report.summary["settling"].value > 50.2


def test_the_inertia_is_the_inferred_one(report):
    """An input, no test of the model: 42.5 GWs give 0.12 Hz/s at once."""
    assert sum(report.result.meta["inertia_mws"].values()) == pytest.approx(42_500.0)
    assert report.summary["rocof_500ms"].value == pytest.approx(0.12, rel=0.05)


def test_the_load_that_left_waits_for_a_hand(report):
    assert report.summary["lost"].value == pytest.approx(204.0, rel=1e-4)
    assert "forced" in report.summary["lost"].note


def test_somebody_returns_it():
    report = RideThrough(sequence="1 leave DC-A; 20 return DC-A parts=3 every=15", until_s=80.0).run(
        load_case("ireland")
    )
    assert report.summary["lost"].value == 0.0
    assert report.summary["returned"].value == pytest.approx(204.0, rel=1e-4)
