"""Bad input to the engine: one clear error that names what is wrong, the near names, and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Pause
from gridai.engine import (
    BranchClose,
    BranchTrip,
    BusFault,
    GeneratorTrip,
    LoadStep,
    TrainingPause,
    compile_system,
    simulate,
)
from gridai.errors import CaseError, InitialisationError, SettingError, UnknownNameError


@pytest.fixture(scope="module")
def system() -> Any:
    cluster = Cluster.of("H100", count=10_000)
    return compile_system(load_case("ieee39").with_cluster(cluster, bus="16", name="site"))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (BusFault("161"), "unknown bus '161'; did you mean '16'"),
        (BusFault("16", kind="three phase"), "unknown fault kind 'three phase'; did you mean 'three-phase'"),
        (BranchTrip("16-71"), "unknown branch '16-71'; did you mean '16-21', '16-19', '16-17'"),
        (BranchClose("161-17"), "unknown branch '161-17'; did you mean '16-17'"),
        (GeneratorTrip("G11"), r"unknown machine or converter 'G11'; did you mean 'G1'"),
        (LoadStep("L61", 10.0), "unknown load 'L61'; did you mean .*'L16'"),
        (TrainingPause("sight", Pause(1.0, 1.0)), "unknown cluster 'sight'; did you mean 'site'"),
    ],
)
def test_unknown_names_list_the_near_ones(system: Any, event: Any, text: str) -> None:
    with pytest.raises(UnknownNameError, match=text) as caught:
        simulate(system, [event], 2.0)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (BusFault("16", at_s=-1.0), "at_s = -1.0: give a time of at least 0 s"),
        (BusFault("16", at_s=float("nan")), "at_s = nan"),
        (BusFault("16", at_s=1.0, clear_s=1.0), "clear_s = 1.0: must come after at_s = 1.0"),
        (BusFault("16", r_pu=-0.1), "fault impedance -0.1"),
        (BusFault("16", x_pu=float("inf")), "fault impedance"),
        (BranchTrip("16-17", at_s=1.0, reclose_s=0.5), "reclose_s = 0.5: must come after at_s = 1.0"),
        (LoadStep("L16", float("nan")), "p_mw = nan on load 'L16'"),
        (LoadStep("L12", 1.0, float("inf")), "q_mvar = inf on load 'L12'"),
    ],
)
def test_settings_of_events(system: Any, event: Any, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        simulate(system, [event], 2.0)


@pytest.mark.parametrize(
    ("until_s", "step_s"), [(0.0, 1 / 240), (-1.0, 1 / 240), (np.nan, 1 / 240), (1.0, 0.0), (1.0, 2.0), (1.0, np.inf)]
)
def test_horizon_and_step(system: Any, until_s: float, step_s: float) -> None:
    with pytest.raises(SettingError, match="give an end above 0 s and a step between 0 and it"):
        simulate(system, until_s=until_s, step_s=step_s)


def test_a_pause_larger_than_the_cluster(system: Any) -> None:
    with pytest.raises(SettingError, match=r"pause_mw = 100\.0: the cluster draws 10\.7 MW"):
        simulate(system, [TrainingPause("site", Pause(1.0, 100.0))], 2.0)


def broken(model: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Any:
    """ieee39 with one dynamic table changed."""
    case = load_case("ieee39")
    table = change(case.dynamics[model].copy())
    table.attrs.update(case.dynamics[model].attrs)
    table.attrs.pop("rows", None)
    return replace(case, dynamics={**case.dynamics, model: table})


def set_to(unit: str, column: str, value: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Sets one value of a table."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(float)
        table.loc[table["unit"] == unit, column] = value
        return table

    return change


@pytest.mark.parametrize(
    ("model", "change", "texts"),
    [
        ("genrou", set_to("G3", "h_s", np.nan), ("genrou.csv", "row 4", "h_s", "inertia constant")),
        ("genrou", set_to("G3", "h_s", 0.0), ("genrou.csv", "row 4", "h_s = 0.0", "must lie in [0.001")),
        ("genrou", set_to("G3", "h_s", -4.0), ("h_s = -4.0",)),
        ("genrou", lambda t: t.drop(columns="h_s"), ("genrou.csv: h_s: add this column",)),
        ("genrou", lambda t: t.rename(columns={"h_s": "h_sec"}), ("h_sec: not a parameter of GENROU", "'h_s'")),
        ("genrou", lambda t: t[t["unit"] != "G3"], ("gen 'G3' at bus '32' has no machine", "genrou.csv")),
        ("genrou", lambda t: pd.concat([t, t.iloc[:1]]), ("unit = 'G1'", "already has GENROU", "keep one")),
        ("genrou", set_to("G3", "xl_pu", 0.5), ("row 4", "xd2_pu", "not above xl_pu = 0.5")),
        ("sexs", set_to("G4", "emin_pu", 6.0), ("sexs.csv", "row 5", "emin_pu", "give emin < emax")),
        ("zip", lambda t: t.assign(pz=0.5), ("zip.csv", "pz + pi + pp = 0.5", "sum to 1")),
    ],
)  # fmt: skip
def test_faults_of_dynamic_tables(model: str, change: Any, texts: tuple[str, ...]) -> None:
    with pytest.raises(CaseError) as caught:
        compile_system(broken(model, change))
    for text in texts:
        assert text in str(caught.value)


def test_all_faults_in_one_message() -> None:
    """Three faults in three tables: one error lists all."""
    case = broken("genrou", set_to("G3", "h_s", 0.0))
    sexs = set_to("G4", "tb_s", -1.0)(case.dynamics["sexs"].copy())
    case = replace(case, dynamics={**case.dynamics, "sexs": sexs, "tgov9": case.dynamics["tgov1"]})
    with pytest.raises(CaseError) as caught:
        compile_system(case)
    text = str(caught.value)
    assert "3 faults" in text
    assert all(part in text for part in ("h_s = 0.0", "tb_s = -1.0", "unknown model 'tgov9'; did you mean 'tgov1'"))


@pytest.mark.parametrize(
    ("model", "unit", "column", "value", "texts"),
    [
        ("sexs", "G5", "emax_pu", 3.0, ("SEXS", "3.97", "emax_pu", "3")),
        ("tgov1", "G3", "vmax_pu", 0.5, ("TGOV1", "valve position", "0.8125", "vmax_pu")),
    ],
)
def test_an_operating_point_outside_a_limiter(model: str, unit: str, column: str, value: float, texts: Any) -> None:
    with pytest.raises(InitialisationError) as caught:
        compile_system(broken(model, set_to(unit, column, value)))
    for text in (unit, *texts):
        assert text in str(caught.value)


def test_a_relay_that_would_act_at_rest() -> None:
    case = load_case("ieee39")
    relay = pd.DataFrame({"unit": ["G9"], "vl_pu": [1.1], "tp_s": [0.1]})
    with pytest.raises(InitialisationError, match=r"outside vl_pu = 1\.1: the relay would trip the unit at rest"):
        compile_system(replace(case, dynamics={**case.dynamics, "vtgtpat": relay}))
