"""Islands of the nine-bus system: without a source one goes dead and is reported, with a machine it keeps its speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.engine import BranchTrip, GeneratorTrip, LoadStep, compile_system, simulate

CUT_S = 1.0013


@pytest.fixture(scope="module")
def system() -> Any:
    return compile_system(load_case("wscc9"))


def around_bus_5(reclose_s: float | None = None) -> list[BranchTrip]:
    """Both lines of bus 5 open: load A stands alone."""
    return [BranchTrip("4-5", CUT_S, reclose_s), BranchTrip("5-7", CUT_S, reclose_s)]


def test_an_island_without_source_goes_dead_and_is_reported(system: Any) -> None:
    result = simulate(system, around_bus_5(), 3.0)
    after = result.t_s > CUT_S
    assert np.all(result.bus.vm_pu["5"].to_numpy()[after] == 0.0)
    assert np.all(result.load.p_mw["A"].to_numpy()[after] == 0.0)
    assert result.load.p_mw["A"].iloc[0] == pytest.approx(125.0, abs=1e-6)
    dead = [(e.t_s, e.element) for e in result.events if e.kind == "island"]
    assert dead == [(CUT_S, "5")]
    assert np.isfinite(result.data).all()
    assert result.bus.vm_pu.drop(columns="5").to_numpy()[after].min() > 0.5


def test_the_rest_goes_on_as_if_the_load_had_been_shed(system: Any) -> None:
    """Against a run in which the load itself is taken off and the lines stay: only their charging differs."""
    result = simulate(system, around_bus_5(), 1.5)
    row = np.flatnonzero(result.t_s == CUT_S)[-1]
    accelerating = (result.gen.pm_mw.iloc[row] - result.gen.p_mw.iloc[row]).sum()
    assert accelerating == pytest.approx(125.0, rel=0.15)
    shed = simulate(system, [LoadStep("A", -125.0, -50.0, at_s=CUT_S)], 1.5)
    assert shed.load.p_mw["A"].iloc[-1] == pytest.approx(0.0, abs=1e-9)
    assert result.system.f_hz["COI"].iloc[-1] == pytest.approx(shed.system.f_hz["COI"].iloc[-1], abs=0.1)


def test_a_dead_island_comes_back_when_a_line_recloses(system: Any) -> None:
    result = simulate(system, around_bus_5(reclose_s=1.2), 3.0)
    assert [(e.kind, e.element) for e in result.events].count(("island", "5")) == 2
    assert "energised again" in [e.text for e in result.events if e.kind == "island"][-1]
    dead = (result.t_s > CUT_S) & (result.t_s < 1.2)
    assert np.all(result.bus.vm_pu["5"].to_numpy()[dead] == 0.0)
    assert result.bus.vm_pu["5"].loc[1.21:].min() > 0.7
    v = result.bus.vm_pu["5"].iloc[-1]
    assert result.load.p_mw["A"].iloc[-1] == pytest.approx(125.0 * (v / result.bus.vm_pu["5"].iloc[0]) ** 2, rel=1e-9)


def test_a_machine_without_load_speeds_up_by_its_own_inertia(system: Any) -> None:
    """G2 alone with bus 7: 163 MW into 640 MWs. The swing equation gives its speed exactly; reached 1e-12."""
    result = simulate(system, [BranchTrip("5-7", CUT_S), BranchTrip("7-8", CUT_S)], 2.0)
    after = result.t_s > CUT_S
    expected = 1.0 + 163.0 / (2 * 640.0) * (result.t_s[after] - CUT_S)
    assert np.abs(result.gen.speed_pu["G2"].to_numpy()[after] - expected).max() < 1e-9
    assert not [e for e in result.events if e.kind == "island"]
    own = result.bus.f_hz["7"].iloc[-1] / 60.0
    late = 163.0 / 1280.0 * 0.05  # the filter's 50 ms
    assert own == pytest.approx(result.gen.speed_pu["G2"].iloc[-1] - late, abs=2e-4)
    others = result.gen.speed_pu[["G1", "G3"]].iloc[-1]
    assert (others < 1.0).all()
    assert result.bus.f_hz["5"].iloc[-1] < 60.0


def test_two_live_islands_have_two_frequencies(system: Any) -> None:
    """G2 with load A: 163 MW against 125 MW, it speeds up; G1 and G3 with loads B and C slow down."""
    result = simulate(system, [BranchTrip("4-5", CUT_S), BranchTrip("7-8", CUT_S)], 3.0)
    row = np.flatnonzero(result.t_s == CUT_S)[-1]
    drive = result.gen.pm_mw.iloc[row] - result.gen.p_mw.iloc[row]
    later = row + 1 + int(0.02 * 240)
    dt = result.t_s[later] - result.t_s[row]
    assert result.gen.speed_pu["G2"].iloc[later] - 1 == pytest.approx(drive["G2"] / 1280.0 * dt, rel=0.02)
    assert result.bus.f_hz["7"].iloc[-1] > 60.2
    assert result.bus.f_hz["9"].iloc[-1] < 59.8
    assert result.bus.f_hz["5"].iloc[-1] == pytest.approx(result.bus.f_hz["7"].iloc[-1], abs=0.05)
    assert np.isfinite(result.data).all()


def test_losing_the_last_machine_of_an_island(system: Any) -> None:
    """The island of G2 and load A loses G2: it goes dead bus by bus in the log, the other island does not notice."""
    cut = [BranchTrip("4-5", CUT_S), BranchTrip("7-8", CUT_S)]
    result = simulate(system, [*cut, GeneratorTrip("G2", 1.5)], 2.0, method="heun")
    untouched = simulate(system, cut, 2.0, method="heun")
    assert {e.element for e in result.events if e.kind == "island"} == {"2", "5", "7"}
    assert np.all(result.bus.vm_pu.loc[1.51:, ["2", "5", "7"]] == 0.0)
    assert np.isnan(result.gen.speed_pu["G2"].iloc[-1])
    assert result.gen.p_mw["G2"].iloc[-1] == 0.0
    grid = result.t_s[np.isin(result.t_s, untouched.t_s) & (result.t_s != 1.5)]
    for name in ("G1", "G3"):
        a, b = result.gen.speed_pu[name].loc[grid], untouched.gen.speed_pu[name].loc[grid]
        assert np.abs(a.to_numpy() - b.to_numpy()).max() < 1e-6  # the steps differ: half steps after 1.5 s
