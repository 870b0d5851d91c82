"""The study pause: its parameters, its faults, and one whole run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from types import SimpleNamespace

import pytest

from gridai import studies
from gridai.errors import SettingError, UnknownNameError
from gridai.studies import STUDIES, Pause


def test_the_registry():
    assert "pause" in STUDIES
    assert STUDIES["pause"] is Pause
    assert studies.HOMES["pause"] == "gridai.studies.pause:Pause"
    with pytest.raises(UnknownNameError, match="pause"):
        STUDIES["pasue"]
    assert STUDIES.get("pasue") is None


def test_listing_studies_loads_the_standard_library_only():
    code = (
        "import sys; from gridai.studies import STUDIES; dict(STUDIES);"
        "print(sorted({'numpy', 'pandas', 'numba', 'pandapower', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_field_states_help_and_unit():
    for f in fields(Pause):
        assert f.metadata["help"], f.name
        assert "unit" in f.metadata, f.name
        if f.name.endswith("_mw"):
            assert f.metadata["unit"] == "MW"
        if f.name.endswith("_s"):
            assert f.metadata["unit"] == "s"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pause_mw": -1.0}, "pause_mw"),
        ({"pause_mw": 0.0}, "pause_mw"),
        ({"pause_mw": float("nan")}, "pause_mw"),
        ({"pause_mw": "much"}, "pause_mw"),
        ({"at_s": -1.0}, "at_s"),
        ({"at_s": float("inf")}, "at_s"),
        ({"resume_s": float("nan")}, "resume_s"),
        ({"repeat": 0}, "repeat"),
        ({"repeat": 2.5}, "repeat"),
        ({"repeat": 3}, "every_s"),
        ({"repeat": 3, "every_s": 0.0}, "every_s"),
        ({"until_s": 0.5}, "until_s"),
        ({"step_s": 0.0}, "step_s"),
        ({"step_s": None}, "step_s"),
        ({"ramp_up_s": -2.0}, "ramp_up_s"),
        ({"resume_s": 1.1}, "resume_s"),
        ({"schedule": "1:100, x:3"}, "schedule"),
        ({"schedule": "1:100:11:3"}, "schedule"),
        ({"schedule": "1:-100:11"}, "pause_mw"),
        ({"schedule": "1:nan:11"}, "schedule"),
    ],
)
def test_faults_name_the_field(given, words):
    with pytest.raises(SettingError, match=words):
        Pause(**given)


def test_all_faults_in_one_message():
    with pytest.raises(SettingError, match=r"(?s)pause_mw = -5.*at_s = nan"):
        Pause(pause_mw=-5.0, at_s=float("nan"))


def test_one_pause_a_train_and_a_schedule():
    one = Pause(pause_mw=50.0, at_s=2.0, resume_s=8.0).pauses()
    assert [(p.at_s, p.pause_mw, p.resume_s) for p in one] == [(2.0, 50.0, 8.0)]
    train = Pause(repeat=3, every_s=20.0, ramp_down_s=0.0, ramp_up_s=1.0).pauses()
    assert [(p.at_s, p.resume_s, p.ramp_down_s, p.ramp_up_s) for p in train] == [
        (1.0, 11.0, 0.0, 1.0), (21.0, 31.0, 0.0, 1.0), (41.0, 51.0, 0.0, 1.0)]  # fmt: skip
    plan = Pause(schedule="1:100:11, 20:50:inf, 30:10").pauses()
    assert [(p.at_s, p.pause_mw, p.resume_s) for p in plan] == [
        (1.0, 100.0, 11.0),
        (20.0, 50.0, None),
        (30.0, 10.0, None),
    ]
    assert Pause(resume_s=float("inf")).pauses()[0].resume_s is None


def test_the_horizon():
    assert Pause(ramp_up_s=5.0).horizon_s == 30.0
    assert Pause(resume_s=None).horizon_s == 20.0
    assert Pause(repeat=2, every_s=20.0, ramp_up_s=0.0).horizon_s == 45.0
    assert Pause(until_s=7.0).horizon_s == 7.0


def cluster(name: str, p_mw: float = 50.0) -> SimpleNamespace:
    return SimpleNamespace(
        name=name, bus="16", balance="headroom", cluster=SimpleNamespace(p_mw=p_mw, idle_mw=0.3 * p_mw)
    )


def case(*placements: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(name="small", f_hz=60.0, defaults={}, placements=placements)


def test_a_case_without_a_cluster_says_the_way_out():
    with pytest.raises(SettingError, match="with_cluster"):
        Pause().run(case())


def test_which_cluster():
    with pytest.raises(SettingError, match="a, b"):
        Pause().run(case(cluster("a"), cluster("b")))
    with pytest.raises(UnknownNameError, match="north"):
        Pause(cluster="nort").run(case(cluster("north")))


def test_a_pause_larger_than_the_cluster_and_an_unknown_profile():
    with pytest.raises(SettingError, match=r"(?s)pause_mw = 100.*50\.0 MW"):
        Pause(pause_mw=100.0).run(case(cluster("a")))
    with pytest.raises(UnknownNameError, match="nerc-eastern"):
        Pause(profile="nerc").run(case(cluster("a")))
    with pytest.raises(SettingError, match="50 Hz"):
        Pause(profile="gb").run(case(cluster("a")))


def test_a_whole_run_on_ieee39(tmp_path):
    import gridai as ga

    placed = ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=100_000, pue=1.25), bus="16")
    report = Pause(pause_mw=100.0, until_s=16.0).run(placed)
    summary = report.summary
    assert summary["zenith"].value > 60.02
    assert summary["meter_change"].value == pytest.approx(-100.0, abs=3.0)
    assert summary["lowest_voltage"].element.startswith("bus ")
    assert summary["before_return"].t_s == 11.0
    assert report.passed
    assert report.result.bus.vm_pu["16"].max() > report.result.bus.vm_pu["16"].iloc[0]
    assert report.result.meta["cluster_bus"] == {placed.placements[0].name: "16"}
    assert "training pause of 100 MW" in str(report)
    assert report.tables["redispatch"].rows
    report.save(tmp_path / "out")
    assert (tmp_path / "out" / "overview.png").stat().st_size > 50_000
