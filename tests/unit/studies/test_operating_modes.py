"""Study operating-modes: verdicts against runpp, dispatch rules, reasons in words, interruption and resumption."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.errors import SettingError
from gridai.grid.batch import BatchFlow
from gridai.grid.contingency import Contingencies
from gridai.grid.operating import RULES, Dispatch, Modes
from gridai.studies import OperatingModes
from gridai.studies.operating_run import play

SMALL = {"seasons": "high=1,low=0.6", "renewables": (0.0, 0.3)}


@pytest.fixture(scope="module")
def case() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")


@pytest.fixture(scope="module")
def flow(case: Any) -> BatchFlow:
    return BatchFlow(case.net)


def one(rule: str, load: float = 1.0, share: float = 0.0, cluster: float = 1.0) -> Modes:
    return Modes(
        *(np.array([x]) for x in (load, share, cluster)), np.array([RULES.index(rule)]), np.zeros(1, dtype=int)
    )


def test_the_base_case_is_the_mode_in_proportion(case: Any, flow: BatchFlow):
    dispatch = Dispatch(flow, [int(case.net.load.index[-1])])
    vary, short = dispatch.vary(one("proportional"))
    assert short[0] == 0.0
    values = {(v.table, v.column): v for v in vary}
    assert np.allclose(values["gen", "p_mw"].values[0], case.net.gen.p_mw[values["gen", "p_mw"].elements], atol=1e-6)
    assert np.allclose(values["load", "q_mvar"].values[0], case.net.load.q_mvar)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("load", [0.4, 0.8, 1.05])
def test_units_meet_the_load_within_their_turbines(case: Any, flow: BatchFlow, rule: str, load: float):
    dispatch = Dispatch(flow, [int(case.net.load.index[-1])])
    modes = one(rule, load, 0.1)
    need = float(dispatch.needed(modes)[0])
    points = dispatch._set_points(RULES.index(rule), need)
    assert points.sum() == pytest.approx(min(need, dispatch.most.sum()), rel=1e-9)
    assert (points >= -1e-9).all()
    assert (points <= dispatch.most + 1e-9).all()


def test_the_largest_come_first_in_merit(case: Any, flow: BatchFlow):
    dispatch = Dispatch(flow, [int(case.net.load.index[-1])])
    points = dispatch._set_points(RULES.index("merit"), 3000.0)
    order = np.argsort(-dispatch.most)
    assert points[order[0]] == pytest.approx(dispatch.most[order[0]])
    assert points[order[-1]] == 0.0


def test_every_verdict_is_runpps(case: Any):
    """Each mode with every outage that cuts nothing off, one runpp after the other, against the study's verdict."""
    study = OperatingModes(**SMALL, dispatches="proportional,merit", profile="none", outage_percent=120.0)
    done = play(study, case, None)
    sizing, found = done.sizing, done.outcomes
    islands = Contingencies(sizing.flow).prepare(sizing.outages).islands
    for k in range(len(done.modes)):
        vary, short = done.dispatch.vary(done.modes.part([k]))
        assert short[0] == 0.0
        net = copy.deepcopy(case.net)
        for v in vary:
            net[v.table].loc[v.elements, v.column] = v.values[0]
        worst = room(net, sizing.most[0])
        slack = float(net.res_gen.p_mw[net.gen.slack].sum())
        if slack > done.dispatch.slack_most + 1e-6:
            assert found.kind[k] == 4
            continue
        for n, outage in enumerate(sizing.outages):
            if sizing.dead_buses[n]:
                continue
            work = apart(net, outage, islands.get(n, ()))
            worst = min(worst, room(work, sizing.most[n + 1]))
        assert worst == pytest.approx(found.room[k], abs=1e-6) or worst > found.room[k]  # outages that cut off: above
        assert (found.kind[k] == 0) == (found.room[k] >= 0.0)
        if worst < 0.0:
            assert found.kind[k] != 0


def apart(net: Any, outage: Any, islands: Any) -> Any:
    """The outage, with living islands held by a unit of their own."""
    work = copy.copy(net)
    for table in ("line", "trafo", "gen"):
        work[table] = net[table].copy()
    for table, index in outage.elements:
        work[table].at[index, "in_service"] = False
    for island in islands:
        if island.lives:
            work.gen.at[island.reference[1], "slack"] = True
    return work


def room(net: Any, most: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pp.runpp(net, calculate_voltage_angles=True, init="dc", numba=False)
    percent = np.concatenate([net.res_line.loading_percent, net.res_trafo.loading_percent])
    left = (most - percent) / 100.0
    return float(np.nanmin(np.where(np.isfinite(most), left, np.nan)))


def test_reasons_are_in_words_and_accepted_modes_come_first(case: Any):
    study = OperatingModes(seasons="high=1.4,normal=1,dead=0.3", renewables=(0.0, 0.5, 1.2), dispatches="proportional")
    report = study.run(case)
    rows = report.tables["modes"].rows
    verdicts = [r[8] for r in rows]
    assert verdicts == sorted(verdicts)
    reasons = " | ".join(r[10] for r in rows)
    assert "the units are short of" in reasons
    assert "renewables are" in reasons
    assert report.summary["modes"].value == 9.0
    assert report.summary["accepted"].value + sum(m.value for k, m in report.summary.items() if "rejected" in k) == 9.0


def test_planned_outages_with_contingencies(case: Any):
    report = OperatingModes(seasons="a=0.8", renewables=(0.0,), dispatches="proportional", planned="branches").run(case)
    assert report.summary["modes"].value == 36.0  # 35 branches cut nothing off
    assert any(r[7] for r in report.tables["modes"].rows)


def test_the_grid_may_reject_no_more_of_the_possible_modes_than_allowed(case: Any):
    seasons = "high=1.4,normal=1,dead=0.3"
    report = OperatingModes(seasons=seasons, renewables=(0.0, 0.5, 1.2), dispatches="proportional").run(case)
    kinds = [r[9] for r in report.tables["modes"].rows]
    possible = [k for k in kinds if k not in ("short of generation", "too much renewables", "slack")]
    found = {v.criterion: v for v in report.verdicts}
    rejected = 100.0 * sum(k != "accepted" for k in possible) / len(possible)
    assert len(possible) < len(kinds)
    assert found["modes_rejected"].value == pytest.approx(rejected)
    assert found["modes_rejected"].status == ("fail" if rejected > 0.0 else "pass")
    assert not report.passed
    every = {"seasons": seasons, "renewables": (0.0, 0.5, 1.2), "dispatches": "proportional"}
    assert OperatingModes(**every, allowed_percent=100.0).run(case).passed
    none = OperatingModes(seasons="high=2", renewables=(0.0,), dispatches="proportional").run(case)
    assert [v.status for v in none.verdicts] == ["not assessable"]


@pytest.mark.parametrize("k", [1, 7, 14])
def test_a_mode_explained_is_the_one_of_the_table(case: Any, k: int):
    """Its verdict, its reason and what binds it; every limit that is not kept belongs to a contingency."""
    whole = OperatingModes(**SMALL).run(case)
    row = next(r for r in whole.tables["modes"].rows if r[1] == str(k))
    told = OperatingModes(**SMALL, explain=k).run(case)
    facts = dict(told.tables["mode"].rows)
    assert facts["verdict"] == row[8]
    assert facts["why"] == row[10]
    assert told.passed == (row[8] == "accepted")
    first = told.tables["contingencies"].rows[0]
    assert len(told.tables["contingencies"].rows) == 47
    assert first[2] in row[10]
    broken = {r[0] for r in told.tables["contingencies"].rows if r[1] == "broken"}
    assert broken == ({r[0] for r in told.tables["beyond"].rows} if "beyond" in told.tables else set())


@pytest.mark.filterwarnings("ignore")
def test_loads_by_phase_follow_the_season_and_renewables():
    """european_lv at half load with a fifth from renewables at the loads, against runpp. Reached: 3.9e-10 pu."""
    case = load_case("european_lv")
    flow = BatchFlow(case.net)
    vary, short = Dispatch(flow, []).vary(one("proportional", 0.5, 0.2))
    assert short[0] == 0.0
    net = copy.deepcopy(case.net)
    for phase in "abc":
        net.asymmetric_load[f"p_{phase}_mw"] *= 0.4
        net.asymmetric_load[f"q_{phase}_mvar"] *= 0.5
    pp.runpp(net, calculate_voltage_angles=True, init="dc", numba=False, tolerance_mva=1e-11)
    result = flow.solve(vary)
    assert np.nanmax(np.abs(result.vm_pu[0] - net.res_bus.vm_pu.to_numpy())) < 1e-8


def test_renewables_stand_at_the_loads_where_static_generators_give_nothing():
    case = load_case("cigre_mv").with_cluster(Cluster.of("H100", count=500), bus="14")
    net = copy.deepcopy(case.net)
    net.sgen["scaling"] = 0.0
    flow = BatchFlow(net)
    dispatch = Dispatch(flow, [int(net.load.index[-1])])
    varied, short = dispatch.vary(one("proportional", share=0.3))
    assert not dispatch.sgens
    assert np.isfinite(short).all()
    assert flow.solve(varied).solved.all()


def test_no_such_mode(case: Any):
    with pytest.raises(SettingError, match="from 0 to 15"):
        OperatingModes(**SMALL, explain=99).run(case)


def test_an_interrupted_run_goes_on_where_it_stopped(case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gridai.studies import operating_run

    monkeypatch.setattr(operating_run, "FLOWS", 3 * 47)
    whole = OperatingModes(**SMALL).run(case)
    study = OperatingModes(**SMALL, keep=str(tmp_path / "modes.csv"))
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(case, tick=stop)
    assert seen == [(3, 16), (6, 16)]
    with (tmp_path / "modes.csv").open("a", encoding="utf-8") as file:
        file.write("7,0,0.1")  # a line cut short by the interruption
    again = study.run(case)
    assert again.summary["resumed"].value == 6.0
    assert again.tables["modes"].rows == whole.tables["modes"].rows
    with pytest.raises(SettingError, match="not of this study"):
        OperatingModes(**{**SMALL, "renewables": (0.1,)}, keep=str(tmp_path / "modes.csv")).run(case)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"seasons": "winter"}, "name=level"), ({"seasons": "winter=-1"}, "above 0"), ({"dispatches": "merrit"}, "merit"),
     ({"renewables": (-0.1,)}, "renewables"), ({"renewables": ()}, "at least one")],
)  # fmt: skip
def test_settings_outside_their_range_are_named(given: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=words):
        OperatingModes(**given)


def test_the_figure_is_drawn(case: Any, tmp_path: Path):
    OperatingModes(**SMALL, contingencies="none").run(case).save(tmp_path / "out")
    assert (tmp_path / "out" / "operating_modes.png").stat().st_size > 5_000
    assert (tmp_path / "out" / "modes.csv").is_file()
