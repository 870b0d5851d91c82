"""The study respond and the model CAPLOAD: nadir with and without, delay, saturation at idle, bad input."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.engine import LoadStep, compile_system, simulate
from gridai.errors import CaseError, InitialisationError, SettingError, UnknownNameError
from gridai.studies import Respond
from gridai.studies.responding import Bench, notes_of


@pytest.fixture(scope="module")
def case() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=200_000), bus="16")


@pytest.fixture(scope="module")
def report(case: Any) -> Any:
    return Respond(delays_s=(0.0, 1.0, 2.0)).run(case)


def capped(case: Any, **values: float) -> Any:
    """The compiled case whose cluster is a load under caps."""
    table = pd.DataFrame([{"unit": case.placements[0].name, **values}])
    return compile_system(replace(case, placements=(), dynamics={**case.dynamics, "capload": table}))


def test_help_lifts_the_nadir_and_slows_the_fall(report: Any):
    """ieee39 loses 1,017 MW: nadir 59.371 to 59.497 Hz (126 mHz for 100 MW), RoCoF 0.2723 to 0.2654 Hz/s."""
    value = {key: m.value for key, m in report.summary.items()}
    assert value["nadir_without"] == pytest.approx(59.371, abs=1e-3)
    assert value["nadir"] == pytest.approx(59.497, abs=1e-3)
    assert value["rocof_without"] == pytest.approx(0.2723, abs=5e-4)
    assert value["rocof"] == pytest.approx(0.2654, abs=5e-4)
    assert value["settled"] > value["settled_without"]
    assert value["relief"] == pytest.approx(100.0, abs=1e-6)
    assert report.figure("respond").axes


def test_a_plain_answer_on_synthetic_inertia(case: Any, report: Any):
    """100 MW of 1,017 gone 100 ms after the trip: RoCoF over 500 ms 12.9 % less, and no answer so late does better.

    A droop so steep that all is called as soon as it is seen leaves 0.2386 Hz/s, all gone at 100 ms 0.2371 Hz/s.
    """
    note = next(text for text in report.notes if text.startswith("synthetic inertia: not from power caps"))
    found = [float(x) for x in re.findall(r"([\d.]+) Hz/s", note)]
    assert found[0] == pytest.approx(report.summary["rocof_without"].value, abs=1e-4)
    assert found[2] == pytest.approx(report.summary["rocof"].value, abs=1e-4)
    assert found[1] == pytest.approx(0.2371, abs=5e-4)
    assert found[1] < found[2] < found[0]
    assert "100 ms" in note
    study = Respond()
    steep = Bench.of(study, case, case.placements[0]).trip(study.settings(0.1, 200.0))
    assert found[1] < steep.rocof_hz_per_s == pytest.approx(0.2386, abs=5e-4)


def test_the_course_of_the_best_is_the_same_cluster(case: Any):
    """Played without relief it is the run without an answer: 0.27233 Hz/s both, 5e-6 apart."""
    study = Respond(power_mw=1e-6)
    bench = Bench.of(study, case, case.placements[0])
    assert bench.at_best().rocof_hz_per_s == pytest.approx(bench.trip(None).rocof_hz_per_s, abs=2e-5)


def test_defaults_fit_each_other():
    """The usual cluster has 65 MW above its idle power: that is taken and said; 20 MW of UPS come on top of it."""
    case = load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")
    bench = Bench.of(Respond(), case, case.placements[0])
    assert bench.study.asked_mw == pytest.approx(107.125 - 41.75, abs=0.01)
    assert "no power_mw is given: 65.38 MW" in notes_of(bench, case.placements[0], "")[0]
    stored = Bench.of(Respond(store_mw=20.0, store_mj=400.0), case, case.placements[0])
    assert stored.study.asked_mw == pytest.approx(bench.study.asked_mw + 20.0)
    assert Respond().sized(200.0).asked_mw == 100.0
    bench = load_case("bench").with_cluster(Cluster.of("H100", count=100_000), bus="POC")
    with pytest.raises(SettingError, match="no machine has inertia"):
        Respond(delays_s=(0.1,)).run(bench)


def test_no_second_dip(report: Any):
    """The work returns as slowly as it is told to: reached 0.01 mHz below the peak after the nadir."""
    assert report.summary["second_dip"].value < 1.0


def test_help_turns_to_harm_with_a_steep_droop_and_a_delay(report: Any):
    """Over 0.3 Hz no delay up to 2 s harms, it only helps less; over 0.015 Hz it hunts at 2 s and not at 1 s."""
    rows = {(row["steeper"], row["delay_s"]): row for row in report.result.meta["respond"]}
    gained = [rows[1.0, d]["gained_mhz"] for d in (0.0, 1.0, 2.0)]
    assert gained[0] > gained[1] > gained[2] > 0.0
    assert not any(row["harm"] for (steeper, _), row in rows.items() if steeper == 1.0)
    assert not rows[20.0, 1.0]["harm"]
    assert "hunting" in rows[20.0, 2.0]["harm"]
    assert np.isnan(report.summary["harm"].value)
    assert report.summary["harm_steep"].value == 2.0


def test_delay_is_what_it_says(case: Any):
    """A step called at a tick acts so many cycles later, to the step of the run."""
    first = {}
    for cycles in (0.0, 7.0):
        system = capped(case, step_mw=50.0, step_hz=0.05, release_hz=0.02, delay_cycles=cycles, idle_mw=83.5)
        result = simulate(system, [LoadStep("L20", 400.0, at_s=1.0)], until_s=4.0)
        called = result.series("load", "cluster", "called_mw")
        first[cycles] = result.t_s[np.flatnonzero(called > 0.0)[0]]
    assert first[0.0] == pytest.approx(round(first[0.0], 1), abs=1e-6)
    assert first[7.0] - first[0.0] == pytest.approx(0.7, abs=1e-6)


def test_relief_saturates_at_the_idle_power_and_in_steps(case: Any):
    """214 MW with 150 idle: 64 MW at most; in steps of 7 MW the caps are whole sevens."""
    system = capped(case, droop_mw_per_hz=5000.0, idle_mw=150.0, resolution_mw=7.0)
    result = simulate(system, [LoadStep("L20", 600.0, at_s=1.0)], until_s=10.0)
    called, relief = (result.series("load", "cluster", q) for q in ("called_mw", "relief_mw"))
    assert relief.max() == pytest.approx(214.25 - 150.0, abs=1e-6)
    assert np.abs(called / 7.0 - np.round(called / 7.0)).max() < 1e-12
    p = result.series("load", "cluster", "p_mw")
    assert p.min() == pytest.approx(150.0, abs=1e-6)


def test_a_store_carries_what_caps_cannot_until_it_is_empty(case: Any):
    """Caps reach 64 MW; 40 MW of UPS with 200 MJ lift the relief to 104 MW for 5 s, then it is 64 MW again."""
    system = capped(case, droop_mw_per_hz=5000.0, idle_mw=150.0, store_mw=40.0, store_mj=200.0)
    result = simulate(system, [LoadStep("L20", 900.0, at_s=1.0)], until_s=20.0)
    relief, used = (result.series("load", "cluster", q) for q in ("relief_mw", "used_mj"))
    assert relief.max() == pytest.approx(104.25, abs=1e-6)
    assert used[-1] == pytest.approx(200.0, abs=40.0 / 240.0 + 1e-6)
    assert relief[-1] == pytest.approx(64.25, abs=1e-6)
    beyond = np.maximum(relief - 64.25, 0.0)
    given = np.sum(np.diff(result.t_s) * (beyond[1:] + beyond[:-1]) / 2.0)
    assert given == pytest.approx(used[-1], rel=1e-3)


def test_over_frequency_adds_work_within_its_bound(case: Any):
    """A load of 400 MW goes: the cluster works 20 MW more."""
    system = capped(case, over_mw_per_hz=1000.0, up_mw=20.0, idle_mw=83.5)
    result = simulate(system, [LoadStep("L20", -400.0, at_s=1.0)], until_s=10.0)
    assert result.series("load", "cluster", "relief_mw").min() == pytest.approx(-20.0, abs=1e-6)


def test_flat_start(case: Any):
    result = simulate(capped(case, droop_mw_per_hz=1000.0), until_s=5.0)
    p = result.series("load", "cluster", "p_mw")
    assert np.abs(p - p[0]).max() < 1e-6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"delay_s": 0.15}, "delay_s.*whole cycles"),
        ({"delays_s": (3.0,)}, "20 at most"),
        ({"kind": "step", "release_hz": 0.2}, "release_hz.*cross"),
        ({"kind": "both", "deadband_hz": 0.2}, "deadband_hz.*cross"),
        ({"kind": "drop"}, "kind"),
        ({"until_s": 10.0}, "until_s"),
        ({"power_mw": 0.0}, "power_mw"),
        ({"store_mw": 10.0}, "store_mj.*both"),
    ],
)
def test_bad_settings_are_refused_by_name(settings: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=f"(?s){words}"):
        Respond(**settings)


def test_more_than_caps_can_give_and_unknown_units(case: Any):
    """Idle power and what is left above it are named."""
    with pytest.raises(SettingError, match=r"idle power of 83\.5 MW.*130\.8 MW"):
        Respond(power_mw=150.0).run(case)
    with pytest.raises(UnknownNameError, match="G1"):
        Respond(unit="G11").run(case)


def test_the_model_refuses_crossed_points_and_an_idle_power_above_the_load(case: Any):
    with pytest.raises(CaseError, match="points cross"):
        capped(case, step_mw=10.0, step_hz=0.1, release_hz=0.1)
    with pytest.raises(CaseError, match="whole number"):
        capped(case, delay_cycles=1.5)
    with pytest.raises(InitialisationError, match="idle_mw"):
        simulate(capped(case, idle_mw=300.0), until_s=1.0)


def test_every_field_states_help():
    for f in fields(Respond):
        assert f.metadata["help"], f.name
