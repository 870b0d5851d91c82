"""DERA1 against PSS/E: unit 102 gives 100 MW at an infinite bus with a load between; line BUS 1 - BUS 2 opens at 2 s.

The record: constant power factor, no frequency control, no trip (V rises by 0.005). V and the angle at BUS 2 swing by
4e-4 pu and 0.1 degrees after the jump, through Trv, Tiq and Tg. That Tp lags the power order and not the power at the
terminals is seen here: with the latter V is missed by 1.4e-4 pu. Our runs open the line at 1 s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.case import Case
from gridai.engine import BranchTrip, check_start, compile_system, simulate
from gridai.exchange import import_case
from gridai.results import Result

from . import psse_scheme

SAMPLES = Path(__file__).parent / "psse_samples"
STEP_S, UNTIL_S = 0.005, 3.0
AFTER = 2


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    """Rows t, V, angle of PSS/E, times less 1 s; row 1 is before the trip, row 2 after it."""
    found = np.loadtxt(SAMPLES / "DERA1.csv", delimiter=",", skiprows=1)
    return found - [1.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def case() -> Case:
    """The case of RAW and DYR."""
    return import_case(SAMPLES / "DERA1.raw", SAMPLES / "DERA1.dyr").case


def changed(case: Case, **values: float) -> Case:
    """The same with other values of DERA1."""
    tables = {**case.dynamics, "dera1": case.dynamics["dera1"].assign(**values)}
    return Case.from_pandapower(case.net, dynamics=tables, name="other")


def run(case: Case) -> Result:
    """The trip by the engine, a row a step."""
    return simulate(compile_system(case), [BranchTrip("101-102 1", at_s=1.0)], until_s=UNTIL_S, step_s=STEP_S)


def errors(result: Result, series: np.ndarray) -> np.ndarray:
    """|V| and angle at each of PSS/E's rows after the trip, less PSS/E's. float[rows, 2]"""
    v, angle = (table["BUS 2"].to_numpy() for table in (result.bus.vm_pu, result.bus.va_degree))
    rows = [round(t / STEP_S) + 1 for t in series[AFTER:, 0]]
    return np.abs(np.column_stack([v[rows], angle[rows]]) - series[AFTER:, 1:])


def test_the_record_is_read(case: Case) -> None:
    row = case.dynamics["dera1"].iloc[0]
    assert (row["unit"], row["kqv"], row["vrfrac"], row["fh_hz"], row["xe_pu"]) == ("102 1", 5.0, 0.7, 120.0, 0.25)


def test_start(case: Case, series: np.ndarray) -> None:
    """Reached: V 4.2e-7 pu and angle 5.3e-6 degrees off (PSS/E's power flow), derivatives 4e-16."""
    result = run(case)
    assert check_start(compile_system(case)).worst < 1e-12
    assert result.bus.vm_pu["BUS 2"].iloc[0] == pytest.approx(series[0, 1], abs=1e-6)
    assert result.bus.va_degree["BUS 2"].iloc[0] == pytest.approx(series[0, 2], abs=1e-5)


def test_series(case: Case, series: np.ndarray) -> None:
    """Asked for: 1e-4 pu, 0.05 degrees. Reached: 3.2e-5 pu, 5.7e-3 degrees; at rest 9.2e-7 pu, 3.4e-4 degrees."""
    found = errors(run(case), series)
    assert (found.max(axis=0) < [4.2e-5, 7.5e-3]).all()
    assert (found[-1] < [1.3e-6, 4.5e-4]).all()


def test_series_with_the_scheme_of_psse(case: Case, series: np.ndarray) -> None:
    """With its integration and its source reactance in the network what is left is 8e-6 pu, a fiftieth of the swing.

    Reached: 2.6e-5 pu, 1.5e-3 degrees in the first row, later 8.2e-6 pu and 5.0e-4 degrees after 15 ms.
    """
    _, result = psse_scheme.run(case, "101-102 1", 450)
    found = errors(result, series[: np.searchsorted(series[:, 0], 2.0)])
    assert (found.max(axis=0) < [3.0e-5, 1.8e-3]).all()
    assert (found[3:].max(axis=0) < [1.0e-5, 6e-4]).all()


@pytest.mark.parametrize("name", ["trv_s", "tiq_s", "tg_s"])
def test_what_the_series_judges(case: Case, series: np.ndarray, name: str) -> None:
    """A quarter more of each time constant moves V by 2.4e-5 pu, three times what the scheme leaves over."""
    usual, other = (run(c).bus.vm_pu["BUS 2"].to_numpy() for c in (case, changed(case, **{name: 0.025})))
    assert np.abs(usual - other).max() > 2e-5
