"""A run that loses convergence keeps what it computed and says when, where and by how much."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import ConvergenceError


@pytest.fixture(scope="module")
def stubborn() -> Any:
    """ieee39 with every load at constant power down to 0.05 pu: no network can feed that through a fault."""
    case = load_case("ieee39")
    law = {"pz": 0.0, "pi": 0.0, "pp": 1.0, "qz": 0.0, "qi": 0.0, "qp": 1.0, "v_switch_pu": 0.05}
    table = pd.DataFrame({"unit": ["*"], **{k: [v] for k, v in law.items()}})
    return compile_system(replace(case, dynamics={**case.dynamics, "zip": table}))


@pytest.fixture(scope="module")
def collapse(stubborn: Any) -> ConvergenceError:
    with pytest.raises(ConvergenceError) as caught:
        simulate(stubborn, [BusFault("16", 1.0, 1.2, x_pu=0.02)], 5.0)
    return caught.value


def test_it_says_when_where_and_by_how_much(collapse: ConvergenceError, stubborn: Any) -> None:
    assert collapse.time_s == pytest.approx(1.0, abs=0.05)
    assert collapse.bus in stubborn.network.nodes
    assert collapse.residual > 1e-11
    text = str(collapse)
    assert f"worst bus '{collapse.bus}'" in text
    assert "voltage collapse" in text
    assert collapse.exit_status == 3


def test_it_keeps_what_was_computed(collapse: ConvergenceError) -> None:
    result = collapse.result
    assert result.t_s[-1] == pytest.approx(collapse.time_s, abs=1 / 240)
    before = result.t_s <= 1.0
    assert before.sum() == 242  # every 1/240 s, and the instant before and after the fault
    assert np.isfinite(result.data[before]).all()
    assert result.bus.vm_pu["16"].iloc[0] == pytest.approx(1.03, abs=0.01)
    assert [e.kind for e in result.events] == ["fault"]


def test_the_part_before_is_that_of_a_run_without_the_fault(collapse: ConvergenceError, stubborn: Any) -> None:
    quiet = simulate(stubborn, until_s=1.0)
    before = collapse.result.data[: len(quiet.t_s)]
    assert np.abs(before - quiet.data).max() < 1e-9


def test_it_can_be_saved_and_passed_between_processes(collapse: ConvergenceError, tmp_path: Any) -> None:
    collapse.result.save(tmp_path)
    again = pickle.loads(pickle.dumps(collapse))
    assert str(again) == str(collapse)
    assert (again.time_s, again.bus, again.residual) == (collapse.time_s, collapse.bus, collapse.residual)
    assert len(again.result.t_s) == len(collapse.result.t_s)


def test_a_rotor_that_runs_away_is_followed() -> None:
    """A fault that stays: the machine speeds up without bound, and the run goes on with numbers."""
    system = compile_system(load_case("smib_13_1"))
    result = simulate(system, [BusFault("HT", 0.1, None)], 20.0)
    assert np.isfinite(result.data).all()
    assert result.gen.speed_pu["G1"].iloc[-1] == pytest.approx(1.0 + 0.9 / 7.0 * 19.9, rel=1e-6)
