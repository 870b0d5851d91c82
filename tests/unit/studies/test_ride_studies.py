"""ride-through, recover, cascade, quality: their parameters, their faults, and runs on small cases."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Constant, PowerSupply, RideThrough, Site, UpsClass
from gridai.criteria.suites import load_suite, suite_names
from gridai.errors import CaseError, SettingError, UnknownNameError
from gridai.results.ride_through import changes
from gridai.studies import STUDIES, Cascade, Quality, Recover
from gridai.studies import RideThrough as RideThroughStudy
from gridai.studies.cascade import waves

CLASSES = (Cascade, Quality, Recover, RideThroughStudy)


def on_bench(*classes: UpsClass) -> Any:
    cluster = Cluster.of("H100", count=100_000, workload=Constant(), ride_through=RideThrough(classes))
    return load_case("bench").with_cluster(cluster, "POC", balance="slack", name="dc")


def test_the_registry_and_its_weight():
    assert {STUDIES[n] for n in ("ride-through", "recover", "cascade", "quality")} == set(CLASSES)
    code = (
        "import sys; from gridai.studies import STUDIES; dict(STUDIES);"
        "print(sorted({'numpy', 'pandas', 'numba', 'pandapower', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("study", CLASSES, ids=lambda c: c.__name__)
def test_every_field_states_help_and_unit(study):
    for f in fields(study):
        assert f.metadata["help"], f.name
        assert "unit" in f.metadata, f.name


@pytest.mark.parametrize(
    ("study", "given", "words"),
    [
        (RideThroughStudy, {"sequence": "1 falt F"}, "fault"),
        (RideThroughStudy, {"repeat": 2, "fault_s": 3.0, "every_s": 2.0}, "overlap"),
        (RideThroughStudy, {"fault_s": -1.0}, "fault_s"),
        (RideThroughStudy, {"decimate": 0}, "decimate"),
        (Recover, {"policies": "quick"}, "policies"),
        (Recover, {"policies": ""}, "at least one"),
        (Recover, {"share": 1.5}, "share"),
        (Recover, {"return_s": 0.5}, "return_s"),
        (Cascade, {"shares": "0.5,2"}, "shares"),
        (Cascade, {"shares": "half"}, "shares"),
        (Cascade, {"until_s": 0.5}, "until_s"),
        (Quality, {"recover_s": 0.0}, "recover_s"),
    ],
)
def test_faults_name_the_field(study, given, words):
    with pytest.raises(SettingError, match=words):
        study(**given)


def test_ride_through_of_a_case_without_cluster_says_what_to_do():
    with pytest.raises(SettingError, match="--cluster-bus"):
        RideThroughStudy().run(load_case("wscc9"))


def test_dips_at_a_bus_and_who_left():
    case = on_bench(UpsClass("a", share=0.5, groups=2), UpsClass("b", share=0.5, groups=3, under1_s=0.2))
    report = RideThroughStudy(bus="POC", fault_s=0.1, repeat=2, every_s=30.0, profile="continental-europe").run(case)
    table = report.tables["departures"]
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(r["class"], r["cause"], r["groups"], r["departures"]) for r in rows] == [("a", "undervoltage", 2, 4)]
    assert rows[0]["MW"] == pytest.approx(0.5 * 107.125, rel=1e-3)
    assert report.summary["lost"].value == 0.0
    assert report.summary["returned"].value == pytest.approx(0.5 * 107.125, rel=1e-3)
    assert "who left and why" in str(report)
    assert report.figure("ride_through").axes


def test_what_the_servers_missed_and_what_the_batteries_gave():
    """Supplies at the mains lose their load; a UPS of 0.1 min (6 s) gives 1.1 s and half the ramp of the return."""
    quick = {"groups": 2, "return_s": 1.0, "walk_s": 1.0}
    bare, held = UpsClass("bare", 0.4, ups=0, **quick), UpsClass("held", 0.6, battery_min=0.1, charge_pu=0.0, **quick)
    study = RideThroughStudy(bus="POC", fault_s=0.1, until_s=6.0, profile="continental-europe")
    found = study.run(on_bench(bare, held)).summary
    assert found["unserved"].value == pytest.approx(0.4 * 107.125 * 1.6 / 3600.0, rel=0.05)
    assert found["unserved"].note == "2 groups"
    assert found["battery"].value == pytest.approx(100.0 * (1.0 - 1.6 / 6.0), abs=2.0)
    assert found["battery"].element.startswith("dc/held")
    calm = study.run(on_bench(UpsClass(groups=2, under1_s=0.5))).summary
    assert calm["unserved"].value == 0.0


def test_a_rule_replaces_the_settings_and_says_so():
    report = RideThroughStudy(bus="POC", rule="ercot-lel", profile="continental-europe").run(on_bench(UpsClass()))
    assert report.summary["largest_away"].value == 0.0
    assert "ercot-lel" in report.notes[0]
    with pytest.raises(UnknownNameError, match="ercot-lel"):
        RideThroughStudy(rule="ercot").run(on_bench(UpsClass()))


def test_recover_compares_policies():
    case = on_bench(UpsClass(groups=4, return_s=1.0, walk_s=1.0, over1_pu=1.2, v_return_high_pu=1.2))
    report = Recover(
        share=1.0, return_s=5.0, steps=2, every_s=4.0, until_s=40.0, profile="continental-europe",
        policies="together,steps,one-by-one,hand",
    ).run(case)  # fmt: skip
    table = report.tables["policies"]
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert rows["together"]["back at s"] == pytest.approx(7.0, abs=0.1)
    assert rows["steps"]["back at s"] == pytest.approx(11.0, abs=0.1)
    assert rows["one-by-one"]["back at s"] == pytest.approx(19.0, abs=0.3)  # batteries that charge make up for a little
    assert math.isnan(rows["hand"]["back at s"])
    assert rows["hand"]["MW away at the end"] == pytest.approx(107.125, rel=1e-3)


def test_parts_are_of_what_left():
    """Half of eight groups leave: four steps return one each, at 5, 9, 13 and 17 s."""
    case = on_bench(UpsClass(groups=8, return_s=1.0, walk_s=1.0))
    study = Recover(share=0.5, return_s=5.0, steps=4, every_s=4.0, profile="continental-europe", policies="steps")
    report = study.run(case)
    back = [c.t_s for c in changes(report.result) if c.after == "walking in"]
    assert back == pytest.approx([6.0, 10.0, 14.0, 18.0], abs=1e-6)
    assert float(report.result.t_s[-1]) == pytest.approx(5.0 + 4 * 4.0 + 60.0)


def test_a_cascade_by_overvoltage_and_none_without():
    """The loss of half the load raises the voltage over the threshold of the rest."""
    row = {"share": 0.5, "groups": 2, "over1_pu": 1.005, "v_return_high_pu": 1.005}
    tight = on_bench(UpsClass("a", over1_s=0.5, **row), UpsClass("b", over1_s=2.0, **row))
    report = Cascade(shares="0.25", until_s=10.0, gap_s=1.0, profile="continental-europe").run(tight)
    table = report.tables["cascade"]
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["causes"] == "overvoltage"
    assert row["groups"] == 3
    assert row["waves"] == 2
    wide = on_bench(UpsClass("a", groups=4, over1_pu=1.3))
    report = Cascade(shares="0.25,0.5", until_s=5.0, profile="continental-europe").run(wide)
    assert [r[2] for r in report.tables["cascade"].rows] == [0.0, 0.0]
    assert waves([], 1.0) == 0


def campus(*rows: RideThrough | None) -> Any:
    """Halls of unequal size, each with its own settings, on the bench."""
    halls = [Cluster.of("H100", 20_000 * (k + 1), workload=Constant(), ride_through=row) for k, row in enumerate(rows)]
    return load_case("bench").with_cluster(Site("campus", tuple(halls), 0.5), "POC", balance="slack", name="site")


def test_a_site_of_unlike_halls_goes_through_every_study():
    """Two halls of 20,000 and 40,000 GPUs: only the second leaves, by its own threshold."""
    tough = RideThrough((UpsClass("tough", groups=2, under1_s=0.3, return_s=1.0, walk_s=1.0),))
    weak = RideThrough((UpsClass("weak", groups=4, return_s=1.0, walk_s=1.0),))
    case = campus(tough, weak)
    report = RideThroughStudy(bus="POC", fault_s=0.1, profile="continental-europe", until_s=8.0).run(case)
    whole = case.placements[0].cluster.p_mw
    assert report.summary["largest_away"].value == pytest.approx(whole * 2.0 / 3.0, rel=1e-3)
    assert report.summary["lost"].value == 0.0
    assert [row[1] for row in report.tables["departures"].rows] == ["part 2 weak"]
    assert [row[1] for row in report.tables["settings"].rows] == ["tough", "weak"]
    back = Recover(policies="one-by-one", share=1.0, return_s=5.0, every_s=1.0, until_s=20.0,
                   profile="continental-europe").run(case)  # fmt: skip
    assert back.summary["lost"].value == 0.0
    tests = Quality(tests="flat run,phase jump 20 degrees").run(case)
    assert [v.status for v in tests.verdicts] == ["pass", "pass"]
    chain = Cascade(shares="0.5", until_s=4.0, over1_pu=1.004, profile="continental-europe").run(case)
    assert chain.tables["cascade"].rows[0][6] == "overvoltage"


def test_a_site_without_settings_is_taken_as_default_ups_and_says_so():
    report = RideThroughStudy(bus="POC", profile="continental-europe", until_s=5.0).run(campus(None, None))
    assert any("taken as one class of default UPS" in note for note in report.notes)


@pytest.fixture(scope="module")
def obedient() -> Any:
    return Quality(suite="energinet-dcc", rule="ercot-lel").run(on_bench(UpsClass(groups=3)))


def test_all_39_demand_facility_tests_have_a_verdict(obedient):
    assert len(obedient.verdicts) == 39
    by_name = {v.criterion: v for v in obedient.verdicts}
    assert by_name["DCC_Fault_3_20"].status == "pass"
    assert by_name["DCC_MaxPhaseJump"].status == "pass"
    for name in ("DCC_Fault_2_0", "DCC_Fault_1_80", "DCC_Fault_2_SCR"):
        assert by_name[name].status == "not assessable"
        assert "phase" in by_name[name].note
    assert "not run" in by_name["DCC_SystemGuard"].note
    assert "no limit" in by_name["DCC_freqDip_insta_min"].note
    assert len(obedient.tables["tests"].rows) == 39


def test_the_suite_holds_the_tests_of_the_reference(reference_dir: Path):
    with (reference_dir / "criteria" / "mtb_dcc_demand_facility_tests.csv").open() as file:
        rows = {int(r["rank"]): r for r in csv.DictReader(file)}
    suite = load_suite("energinet-dcc")
    assert [t.rank for t in suite.tests] == list(rows)
    for t in suite.tests:
        r = rows[t.rank]
        assert t.name == r["name"]
        assert (t.scr, t.xr, t.until_s) == pytest.approx((float(r["SCR0"]), float(r["XR0"]), float(r["t_sim_s"])))
        assert t.u0_pu == pytest.approx(float(r["U0_pu"]))
        assert len(t.events) == r["events(type@t:X1,X2; ...)"].count("@")


def test_detection_of_phase_jump_and_rate_of_change_shows():
    plain = Quality(tests="flat run,voltage step up,phase jump 20 degrees").run(on_bench(UpsClass(groups=3)))
    assert [v.status for v in plain.verdicts] == ["pass", "pass", "pass"]
    jumpy = Quality(tests="phase jump 20 degrees").run(on_bench(UpsClass(groups=3, phase_rad=0.2)))
    assert [v.status for v in jumpy.verdicts] == ["fail"]
    assert "phase jump" in jumpy.tables["tests"].rows[0][-1]
    slewed = Quality(tests="rate of change 1 Hz/s").run(on_bench(UpsClass(groups=3, rocof_hz_per_s=0.5, rocof_s=0.1)))
    assert "rate of change" in slewed.tables["tests"].rows[0][-1]


def test_detection_of_frequency_shows():
    """0.3 Hz for 5 s against a threshold of 0.2 Hz for 1 s, and of 0.2 Hz for 10 s."""
    quick, slow = (UpsClass(groups=2, df_hz=0.2, freq_s=s, df_return_hz=0.2) for s in (1.0, 10.0))
    found = Quality(tests="frequency step up,frequency step down").run(on_bench(quick))
    assert [v.status for v in found.verdicts] == ["fail", "fail"]
    assert {row[-1] for row in found.tables["tests"].rows} == {"frequency"}
    assert [v.status for v in Quality(tests="frequency step up").run(on_bench(slow)).verdicts] == ["pass"]


def test_tests_are_chosen_by_name_even_with_commas_and_by_rank():
    suite = load_suite("model-quality")
    chosen = Quality(tests="weak grid, SCR 3,flat run, six dips in 82 s").chosen(suite)
    assert [t.name for t in chosen] == ["weak grid, SCR 3", "flat run", "six dips in 82 s"]
    danish = load_suite("energinet-dcc")
    rank = danish.tests[3].rank
    assert Quality(suite="energinet-dcc", tests=str(rank)).chosen(danish) == [danish.tests[3]]
    assert Quality().chosen(suite) == list(suite.tests)


def test_the_electronic_load_is_tested_as_it_is():
    """No UPS: the composite load's electronic tripping, Vd1 0.65, Vd2 0.6, of which a half reconnects."""
    load = load_case("bench")
    whole, half = (
        Quality().run(load.with_cluster(Cluster.of("H100", 100_000, supply=PowerSupply(frcel=back)), "POC",
                                        balance="slack", name="dc"))
        for back in (1.0, 0.5)
    )  # fmt: skip
    assert any("electronic load" in note for note in whole.notes)
    by_name = {v.criterion: v for v in whole.verdicts}
    assert by_name["flat run"].status == by_name["low voltage, 0.15 s at 0"].status == "pass"
    assert {v.status for v in whole.verdicts} <= {"pass", "fail"}
    dip = {row[1]: row for row in half.tables["tests"].rows}["low voltage, 0.15 s at 0"]
    assert dip[2] == "fail"
    assert dip[5] == pytest.approx(0.5, abs=1e-6)
    assert dip[-1] == "electronic tripping"


@pytest.mark.parametrize("name", suite_names())
def test_suites_can_be_read(name):
    suite = load_suite(name)
    assert suite.source
    for t in suite.tests:
        assert t.last_s <= t.until_s


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"\nuntil_s = 1\nevents = ["0 volt=1"]', "events"),
        ('name = "a"\nuntil_s = 1\nevents = ["0 fault for=1"]', "residual"),
        ('name = "a"\nuntil_s = 1\nevents = ["x v=1"]', "events"),
        ('name = "a"\nuntil_s = 1\njudge = "kind"', "judge"),
        ("until_s = 1", "name"),
        ('name = "a"\nuntil = 1', "until"),
    ],
)
def test_faults_of_a_suite(tmp_path, text, words):
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "t"\nf_hz = 50.0\nsource = "s"\nconfidence = "V"\n[[test]]\n{text}\n')
    with pytest.raises(CaseError, match=words):
        load_suite(str(path))


def test_unknown_suites_and_tests_list_what_there_is():
    with pytest.raises(UnknownNameError, match="energinet-dcc"):
        load_suite("energinet")
    with pytest.raises(UnknownNameError, match="flat run"):
        Quality(tests="flat rum").run(on_bench(UpsClass(groups=2)))
