"""DERA1 against PSS/E: unit 102 gives 100 MW at an infinite bus with a load between. A line opens; a bolted fault.

The record: constant power factor, no frequency control. All events come at 2 s in the files, at 1 s here.

DERA1.csv: line BUS 1 - BUS 2 opens. Nothing trips (V rises by 0.005); V and the angle at BUS 2 swing by 4e-4 pu and 0.1
degrees after the jump, through Trv, Tiq and Tg. That Tp lags the power order and not the power at the terminals is seen
here: with the latter V is missed by 1.4e-4 pu.

DERA1_FAULT.csv: of its run only the angle at BUS 2 is stored. It tells the event: a bolted fault at BUS 2 for 85 ms
(the angle begins where 1 pu of active current puts it and ends near where none does; timers of 0.16 s do not run out),
and that rrpwr was 0 in that record: the active current does not grow in the first 15 ms, when its command does, and
never after. So it shows the low-voltage curve, Tv and Tg on the way down, and the reactive current on the way back.

Source: PowerSimulationsDynamics.jl (BSD-3-Clause), test/benchmarks/psse/DERA and test/data_tests/dynamic_test_data.jl.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridai.case import Case
from gridai.engine import BranchTrip, BusFault, check_start, compile_system, simulate
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
    """The same with other values of DERA1, and a load of constant current down to no voltage."""
    tables = {
        **case.dynamics,
        "dera1": case.dynamics["dera1"].assign(**values),
        "zip": case.dynamics["zip"].assign(v_switch_pu=0.02),
    }
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


@pytest.fixture(scope="module")
def fault(case: Case) -> Result:
    """The bolted fault by the engine."""
    system = compile_system(changed(case, rrpwr_pu_per_s=0.0))
    return simulate(system, [BusFault("BUS 2", at_s=1.0, clear_s=1.085)], until_s=2.1, step_s=STEP_S)


def rows_at(result: Result, times: np.ndarray) -> np.ndarray:
    """The last row at each of these times."""
    return np.searchsorted(result.t_s, times + 5e-4, side="right") - 1


def test_fault_after_its_clearing(fault: Result) -> None:
    """Swing 0.57 degrees. Reached: 0.026 degrees in one row, as PSS/E passes the curve in whole steps, else 0.018."""
    t, theirs = np.loadtxt(SAMPLES / "DERA1_FAULT.csv", delimiter=",", skiprows=1).T
    after = np.flatnonzero(t > 2.0849)[1:]
    off = np.abs(fault.bus.va_degree["BUS 2"].to_numpy()[rows_at(fault, t[after] - 1.0)] - theirs[after])
    assert off.max() < 0.03
    assert np.sort(off)[-2] < 0.022
    assert off[-1] < 0.002  # reached 0.0016: P is 0, Q as before
    assert not [e for e in fault.events if "tripped" in e.text]


def test_active_current_in_the_fault(fault: Result) -> None:
    """The fault takes no active power: Ip = |I| sin(angle - angle without Ip), I from the network, so Ip of each row.

    Our angle has no Ip in it: below 0.02 pu the current falls with the voltage. Reached: 0.022 in a swing of 1.
    """
    t, theirs = np.loadtxt(SAMPLES / "DERA1_FAULT.csv", delimiter=",", skiprows=1).T
    inside = np.flatnonzero((t > 1.999) & (t < 2.086))[1:-1]
    none = fault.bus.va_degree["BUS 2"].to_numpy()[np.searchsorted(fault.t_s, 1.084)]
    assert none == pytest.approx(-0.886, abs=1e-2)
    sine = np.sin(np.radians(theirs[inside] - none))
    ours = fault.gen.ip_pu["102 1"].to_numpy()[rows_at(fault, np.minimum(t[inside] - 1.0, 1.084))]
    assert np.abs(sine / sine[0] - ours).max() < 0.03
