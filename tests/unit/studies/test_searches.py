"""The limit searches: fields, faults of input, what the reports hold, ends without a limit, one command each."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.engine import compile_system, simulate
from gridai.errors import ConvergenceError, PowerFlowError, SettingError, UnknownNameError
from gridai.grid.weaken import behind_impedance
from gridai.reports import load_report
from gridai.results.searches import curve_of, search_of
from gridai.studies import (
    STUDIES,
    Cct,
    LargestCluster,
    LargestLoss,
    LargestPause,
    LargestSwing,
    LongestFault,
    LowestScr,
    ShortestRecovery,
)
from gridai.studies.largest_cluster import headroom_mw, without_clusters
from gridai.studies.searching import with_inertia
from gridai.studies.steady import loadings, short_circuit_ratio, thevenin_pu

NAMES = (
    "largest-pause", "largest-loss", "largest-swing", "largest-cluster", "lowest-scr", "shortest-recovery",
    "longest-fault",
)  # fmt: skip
UNITS = {"mw": "MW", "s": "s", "hz": "Hz", "pu": "pu", "degree": "degree"}


def profile(folder: Path, *limits: tuple[str, str, str, float], settings: str = "") -> str:
    """A profile of the user: criterion, side, unit and number of each limit."""
    text = 'title = "mine"\nf_hz = 60.0\n'
    for criterion, side, unit, number in limits:
        more = f"settings = {{{settings}}}\n" if settings else ""
        text += f'[[limit]]\ncriterion = "{criterion}"\n{side} = {number}\nunit = "{unit}"\n{more}'
        text += 'clause = "c"\nedition = "e"\nsource = "s"\nconfidence = "V"\n'
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.fixture(scope="module")
def placed() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")


@pytest.fixture(scope="module")
def zenith(tmp_path_factory: Any) -> str:
    return profile(tmp_path_factory.mktemp("zenith"), ("frequency_zenith", "high", "Hz", 60.03))


@pytest.fixture(scope="module")
def pause(placed, zenith) -> Any:
    return LargestPause(profile=zenith, ramp_down_s=0.0, tol_mw=0.5, inertia=(0.5, 1.0, 2.0), until_s=12.0).run(placed)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_states_help_and_unit(name: str):
    study = STUDIES[name]
    assert isinstance(study.needs_cluster, bool)
    for f in fields(study):
        assert f.metadata["help"], f.name
        assert f.metadata["unit"] == UNITS.get(f.name.rpartition("_")[2], ""), f.name


@pytest.mark.parametrize(
    ("study", "given", "words"),
    [
        (LargestPause, {"tol_mw": 0.0}, "tol_mw"),
        (LargestPause, {"resume_s": 1.1}, "resume_s"),
        (LargestPause, {"condition": "norml"}, "normal"),
        (LargestPause, {"inertia": (1.0, -1.0)}, "inertia"),
        (LargestPause, {"probes": -1}, "probes"),
        (LargestLoss, {"until_s": 0.5}, "until_s"),
        (LargestSwing, {"frequency_hz": ()}, "frequency_hz"),
        (LargestSwing, {"frequency_hz": (1.0, 50.0)}, "step_s"),
        (LargestSwing, {"duty": 1.0}, "duty"),
        (LargestCluster, {"lost_share": 1.5}, "lost_share"),
        (LowestScr, {"pause_share": 1.5}, "pause_share"),
        (LowestScr, {"resume_s": 1.0}, "resume_s"),
        (ShortestRecovery, {"slow_s": 1.0, "fast_s": 1.0}, "fast_s"),
        (ShortestRecovery, {"searched": "speed"}, "ramp"),
        (LongestFault, {"bus": "7", "low_s": 2.0}, "low_s"),
    ],
)
def test_faults_name_the_field(study: Any, given: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        study(**given)


@pytest.mark.parametrize(
    ("study", "error", "words"),
    [
        (LargestPause(high_mw=500.0), SettingError, "107"),
        (LargestPause(low_mw=100.0, high_mw=50.0, tol_mw=60.0), SettingError, "tolerance"),
        (LargestPause(profile="nerc-easten"), UnknownNameError, "nerc-eastern"),
        (LargestPause(cluster="dc2"), UnknownNameError, "cluster"),
        (LargestLoss(loads="L399"), UnknownNameError, "L39"),
        (LargestLoss(high_mw=1e5), SettingError, "high_mw"),
        (LargestSwing(high_mw=200.0), SettingError, "below zero"),
        (LowestScr(high_scr=1e6), SettingError, "only weakened"),
        (LowestScr(low_scr=500.0), SettingError, "low_scr"),
        (LongestFault(bus="399"), UnknownNameError, "bus"),
    ],
)
def test_what_does_not_fit_the_case_is_named(placed, study: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        study.run(placed)


def test_a_case_without_a_cluster_is_refused():
    for study in (
        LargestPause(),
        LargestSwing(),
        LargestCluster(),
        LowestScr(),
        ShortestRecovery(),
        LongestFault(bus="7"),
    ):
        with pytest.raises(SettingError, match="no cluster"):
            study.run(load_case("ieee39"))


def test_a_limit_with_what_binds_and_every_value_tried(pause, tmp_path):
    line, record = pause.summary["limit"], search_of(pause.result)
    assert record is not None
    assert (record.end, record.limit) == ("found", line.value)
    assert record.beyond - record.limit <= 0.5
    assert (line.unit, line.element) == ("MW", "COI")
    assert line.t_s > 1.0
    assert line.note.startswith("binds: frequency_zenith")
    assert pause.passed
    assert pause.verdicts[0].margin == pytest.approx(0.0, abs=1e-3)
    assert pause.summary["fails"].value == record.beyond
    assert pause.summary["runs"].value == len(record.points) == len(pause.tables["trials"].rows)
    values = [row[0] for row in pause.tables["trials"].rows]
    assert values == sorted(values)
    folder = pause.save(tmp_path / "out")
    assert {"search_margin.png", "search_curve.png", "trials.csv", "sweep.csv"} <= {p.name for p in folder.iterdir()}
    again = load_report(folder)
    assert search_of(again.result) == record
    assert again.figure("search_margin").axes


def test_the_limit_against_inertia_rises(pause):
    curve = curve_of(pause.result)
    assert curve is not None
    assert curve.x == pytest.approx([39_135.0, 78_270.0, 156_540.0])
    assert list(curve.limit) == sorted(set(curve.limit))
    assert curve.limit[1] == pause.summary["limit"].value


def test_inertia_is_scaled_and_nothing_else(placed):
    double = with_inertia(placed, 2.0)
    assert set(double.dynamics) == set(placed.dynamics)
    for key, table in placed.dynamics.items():
        changed = [c for c in table.columns if not table[c].equals(double.dynamics[key][c])]
        assert changed == (["h_s"] if key == "genrou" else [])
    before, after = (simulate(compile_system(c), (), 0.1).meta["inertia_mws"] for c in (placed, double))
    assert after == {name: pytest.approx(2.0 * x) for name, x in before.items()}


def test_ends_without_a_limit_say_so(placed, zenith, tmp_path):
    open_end = LargestPause(profile="none", until_s=6.0, probes=0).run(placed)
    assert math.isnan(open_end.summary["limit"].value)
    assert "passes up to the end of the bracket, 107.125 MW" in open_end.summary["limit"].note
    assert open_end.summary["passes"].value == pytest.approx(107.125)
    assert open_end.passed
    strict = profile(tmp_path, ("frequency_zenith", "high", "Hz", 60.0001))
    at_once = LargestPause(profile=strict, low_mw=20.0, until_s=6.0).run(placed)
    assert math.isnan(at_once.summary["limit"].value)
    assert "fails already at the safe end of the bracket, 20 MW" in at_once.summary["limit"].note
    assert not at_once.passed
    assert "passes" not in at_once.summary
    assert at_once.figure("search_margin").axes
    nothing = profile(tmp_path, ("mode_damping", "low", "%", 3.0))
    single = LargestLoss(loads="L7", profile=nothing, until_s=6.0, limit_degree=1e3).run(load_case("ieee39"))
    assert "mode_damping" in " ".join(single.notes)


def test_an_unverified_number_says_so_where_it_binds(placed):
    report = LargestLoss(tol_mw=20.0, until_s=20.0, probes=0).run(placed)
    assert not search_of(report.result).points[0].verified  # type: ignore[union-attr]
    if report.summary["limit"].element:
        assert "unverified" in report.summary["limit"].note
        assert any(note.startswith("unverified: the number of") for note in report.notes)


def test_a_run_that_does_not_converge_is_a_failure_with_its_reason(placed, monkeypatch):
    from gridai import engine

    simulate = engine.simulate

    def fragile(system: Any, events: Any, **given: Any) -> Any:
        result = simulate(system, events, **given)
        if events[0].pause.pause_mw > 40.0:
            raise ConvergenceError(1.5, "16", 0.3, result, "voltage collapse")
        return result

    monkeypatch.setattr(engine, "simulate", fragile, raising=False)
    report = LargestPause(profile="none", until_s=3.0).run(placed)
    limit = report.summary["limit"]
    assert 39.0 <= limit.value <= 40.0
    assert (limit.element, limit.t_s) == ("bus 16", 1.5)
    assert "voltage collapse" in limit.note
    at_once = LargestPause(profile="none", low_mw=50.0, until_s=3.0).run(placed)
    assert not at_once.passed
    assert at_once.verdicts[0].criterion == "convergence"
    assert "fails already" in at_once.summary["limit"].note


def test_swings_at_several_frequencies(placed, tmp_path):
    """Near the inter-area mode of 0.6 Hz less is allowed than away from it: 19.1 MW against 40.9 MW."""
    bus = profile(tmp_path, ("frequency_zenith", "high", "Hz", 60.004), settings='of = "bus"')
    report = LargestSwing(
        frequency_hz=(0.6, 1.0), shape="sine", profile=bus, tol_mw=1.0, cycles=8, rest_s=2.0, probes=0
    ).run(placed)
    curve = curve_of(report.result)
    assert curve is not None
    assert curve.x == (0.6, 1.0)
    assert curve.limit[0] < 0.8 * curve.limit[1]
    assert report.summary["limit"].value == curve.limit[0]


def test_the_largest_cluster_is_placed_anew_for_each_size(placed):
    report = LargestCluster(profile="none", high_mw=3000.0, tol_mw=100.0, until_s=4.0, probes=0).run(placed)
    limit = report.summary["limit"]
    assert without_clusters(placed).placements == ()
    left = headroom_mw(without_clusters(placed).solve())
    assert limit.value <= left < limit.value + 200.0 or "headroom" not in limit.note
    gpus = report.summary["gpus"]
    assert gpus.value == pytest.approx(100_000 * limit.value / 107.125, abs=1.0)
    assert report.result.values("cluster", "p_mw")[0, 0] == pytest.approx(limit.value, rel=1e-3)
    assert report.tables["redispatch"].rows[-1][5] == pytest.approx(limit.value, rel=1e-3)


def test_the_largest_cluster_is_held_to_ratings_and_strength(tmp_path):
    limits = profile(tmp_path, ("thermal_loading", "high", "%", 100.0), ("short_circuit_ratio", "low", "1", 3.0))
    text = Path(limits).read_text().replace('confidence = "V"', 'confidence = "V"\ncondition = "planning"')
    Path(limits).write_text(text)
    case = load_case("ieee39").with_cluster(Cluster.of("H100", count=10_000), bus="16")
    report = LargestCluster(profile=limits, tol_mw=20.0, until_s=3.0, probes=0).run(case)
    assert report.summary["limit"].note.startswith("binds: thermal_loading")
    assert report.summary["limit"].element == "2-3"
    assert {v.criterion for v in report.verdicts} >= {"thermal_loading", "short_circuit_ratio"}
    loads = loadings(case.solve())
    assert 0.0 < max(loads.values()) < 100.0


def test_the_other_clusters_stay_where_they_are(placed):
    """What is outside a limit with the other clusters in place is not held against the one that grows."""
    both = placed.with_cluster(Cluster.of("H100", count=20_000), bus="8", name="second")
    report = LargestCluster(cluster="second", profile="none", high_mw=100.0, tol_mw=50.0, until_s=2.0, probes=0).run(
        both
    )
    names = report.result.names("cluster", "p_mw")
    first = report.result.values("cluster", "p_mw")[0]
    assert dict(zip(names, first, strict=True))["cluster"] == pytest.approx(107.125, rel=1e-3)
    assert dict(zip(names, first, strict=True))["second"] == pytest.approx(report.summary["passes"].value, rel=1e-3)


def test_a_weaker_connection_has_the_impedance_asked_for(placed):
    system = compile_system(placed)
    (own,) = placed.placements
    z = thevenin_pu(system, "16")
    assert short_circuit_ratio(system, own) == pytest.approx(100.0 / (abs(z) * 107.125))
    net = behind_impedance(placed.net, own.name, "16 dc", 0.01 + 0.1j)
    assert len(net.bus) == len(placed.net.bus) + 1
    assert len(placed.net.line) == len(net.line) - 1
    from dataclasses import replace

    weaker = compile_system(replace(placed, net=net, placements=(replace(own, bus="16 dc"),)))
    assert thevenin_pu(weaker, "16 dc") == pytest.approx(z + 0.01 + 0.1j, rel=0.03)


def test_a_return_that_is_too_fast(placed, tmp_path):
    limits = profile(tmp_path, ("rocof", "high", "Hz/s", 0.015), settings="window_s = 0.5")
    report = ShortestRecovery(
        pause_mw=107.0, profile=limits, slow_s=20.0, tol_s=0.25, ramp_down_s=10.0, delay_s=5.0, probes=1
    ).run(placed)
    limit = report.summary["limit"]
    assert 0.25 <= limit.value < 20.0
    assert report.summary["steepness"].value == pytest.approx(107.0 / limit.value)
    assert limit.t_s > 16.0
    sooner = ShortestRecovery(searched="delay", profile=limits, slow_s=10.0, fast_s=0.5, ramp_down_s=10.0,
                              ramp_up_s=20.0, tol_s=1.0, probes=0).run(placed)  # fmt: skip
    assert "delay" in sooner.title


def test_the_longest_fault_by_the_load_and_by_the_machines():
    case = load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")
    common: dict[str, Any] = {"bus": "16", "profile": "none", "probes": 0}
    machines = LongestFault(**common, low_s=0.1, high_s=0.3, tol_s=0.02, watch_s=22.0).run(case)
    assert machines.summary["limit"].note.startswith("binds: loss_of_step")
    stays = LongestFault(**common, high_s=0.1, tol_s=0.004, watch_s=3.0, transfers=False).run(case)
    assert 0.0 < stays.summary["limit"].value <= 0.03
    assert stays.summary["limit"].note.startswith("binds: load_away")
    assert stays.summary["limit"].element.startswith("cluster/ups")
    assert stays.tables["departures"].rows[0][2] == "undervoltage"
    alone = Cct(bus="16", tol_s=0.01, watch_s=3.0).run(case)
    record = search_of(alone.result)
    assert record is not None
    assert record.limit == alone.summary["cct"].value
    assert abs(machines.summary["limit"].value - record.limit) < 0.03
    assert alone.figure("search_margin").axes


def test_a_safe_end_without_a_power_flow_raises_its_error(placed):
    from dataclasses import replace

    net = behind_impedance(placed.net, placed.placements[0].name, "far", 0.0 + 5.0j)
    broken = replace(placed, net=net, placements=(replace(placed.placements[0], bus="far"),))
    with pytest.raises(PowerFlowError):
        LowestScr().run(broken)


COMMANDS = (
    ("largest-pause", "--bus", "16", "--high-mw", "50", "--tol-mw", "20", "--until-s", "3", "--inertia", "1,2"),
    ("largest-loss", "--loads", "L39,L20", "--high-mw", "50", "--tol-mw", "20", "--until-s", "3"),
    ("largest-swing", "--bus", "16", "--frequency-hz", "1,2", "--high-mw", "5", "--tol-mw", "2", "--cycles", "1",
     "--rest-s", "1"),
    ("largest-cluster", "--bus", "16", "--high-mw", "50", "--tol-mw", "20", "--until-s", "2"),
    ("lowest-scr", "--bus", "16", "--low-scr", "50", "--tol-scr", "10", "--until-s", "2"),
    ("shortest-recovery", "--bus", "16", "--slow-s", "5", "--tol-s", "2", "--delay-s", "1"),
    ("longest-fault", "--bus", "16", "--cluster-bus", "16", "--high-s", "0.02", "--tol-s", "0.01", "--watch-s", "1"),
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_one_command_each(words: tuple[str, ...], capsys):
    from gridai.cli import call

    assert call(["run", *words, "--case", "ieee39", "--profile", "none", "--probes", "0"]) == 0
    shown = capsys.readouterr().out
    assert "values of the" in shown
    assert "last value that passes" in shown
