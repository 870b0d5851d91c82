"""REGCA1, REECB1 and REPCA1 against PSS/E: three buses, line BUS 1 - BUS 3 opens at 1 s, 5 s.

The record: reactive power control in the plant with a deadband of 0.01 pu, reactive current from its reference,
voltage injection with Kqv = 1 outside 0.01 pu (V rises by 0.0096), no monitored branch. P and Q in the file are per
unit of 100 MVA.

PSS/E's power after the trip is at fault, which its own columns show: Ip and Iq are states, so P and Q jump as V does,
to V(1+) / V(1-) of what they were, 0.40380 and 0.10047. The file has half of both jumps in the first row, and the
distance to ours halves with each 5 ms row, as if its network solution took half of each change of such a current.
V is right from the first row.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.case import Case
from gridai.engine import BranchTrip, check_start, compile_system, simulate
from gridai.models import catalog
from gridai.results import Result

STEP_S = 0.005
AFTER = 201
LATER = slice(AFTER + 15, None)


def network(raw: Path) -> pp.pandapowerNet:
    """The network of the RAW file: 100 MVA base, lines without charging, unit 102 the slack."""
    sections: list[list[list[str]]] = [[]]
    for line in raw.read_text().splitlines()[3:]:
        if line.strip().startswith("0 /"):
            sections.append([])
        elif "," in line:
            sections[-1].append([f.strip(" '") for f in line.split(",")])
    buses, loads, _, gens, branches = sections[:5]
    net = pp.create_empty_network(sn_mva=100.0, f_hz=60.0)
    at = {b[0]: pp.create_bus(net, float(b[2]), name=b[0]) for b in buses}
    slack = {b[0] for b in buses if b[3] == "3"}
    for s in loads:
        pp.create_load(net, at[s[0]], float(s[5]), float(s[6]), name=f"load {s[0]}")
    for g in gens:
        mva = float(g[8])
        pp.create_gen(net, at[g[0]], float(g[2]), float(g[6]), sn_mva=mva, slack=g[0] in slack, name=g[0])
    ohm = 138.0**2 / 100.0
    for i, k, _, r, x, *_ in branches:
        z = ohm * complex(float(r), float(x))
        pp.create_line_from_parameters(net, at[i], at[k], 1.0, z.real, z.imag, 0.0, 99.0, name=f"{i}-{k}")
    return net


def tables(dyr: Path) -> dict[str, pd.DataFrame]:
    """Dynamic tables in the order that each model's DYR states; no record here names a bus or a branch."""
    found = {"zip": pd.DataFrame([{"unit": "*", "pz": 1.0, "pi": 0.0, "pp": 0.0, "qz": 1.0, "qi": 0.0, "qp": 0.0}])}
    for record in dyr.read_text().split("/"):
        fields = record.replace("'0 '", "0").replace("'", " ").split()
        if not fields:
            continue
        unit, name, _, *values = fields
        order = import_module(catalog.model_files()[name.lower()]).DYR
        row = dict(zip(order, map(float, values), strict=True))
        links = [key for key in row if key == "remote_bus" or key.startswith("branch_")]
        assert not any(row.pop(key) for key in links)
        row |= {"xd1_pu": 1e-4} if name == "GENCLS" else {}
        found[name.lower()] = pd.DataFrame([{"unit": unit, **row}])
    return found


@pytest.fixture(scope="module")
def series(reference_dir: Path) -> np.ndarray:
    """Rows t, P, Q, V of PSS/E: row 200 is before the trip, row 201 after it, both at 1 s."""
    return np.loadtxt(reference_dir / "psse/RENA/TEST_RENA_DEFAULT_FLAGS.csv", delimiter=",")


@pytest.fixture(scope="module")
def case(reference_dir: Path) -> Case:
    """The case, written from RAW and DYR."""
    folder = reference_dir / "psse/RENA"
    dynamics = tables(folder / "ThreeBus_REN_A_DEFAULT_FLAG.dyr")
    return Case.from_pandapower(network(folder / "ThreeBusRenewable.raw"), dynamics=dynamics, name="rena")


def run(case: Case) -> Result:
    """The trip, one row a step."""
    return simulate(compile_system(case), [BranchTrip("101-103", at_s=1.0)], until_s=5.0, step_s=STEP_S)


def power(result: Result) -> np.ndarray:
    """P and Q of unit 103, per unit of 100 MVA. float[nt, 2]"""
    names = [(c.element, c.quantity) for c in result.channels]
    return result.data[:, [names.index(("103", "p_mw")), names.index(("103", "q_mvar"))]]


def test_start(case: Case, series: np.ndarray) -> None:
    """Reached: P and V as printed, Q 4.9e-7 off (PSS/E's power flow), derivatives below 1e-9."""
    result = run(case)
    assert check_start(compile_system(case)).worst < 1e-8
    np.testing.assert_allclose(power(result)[0], series[0, 1:3], atol=1e-6)
    np.testing.assert_allclose(result.bus.vm_pu["103"].iloc[0], series[0, 3], atol=1e-9)


def test_voltage(case: Case, series: np.ndarray) -> None:
    """Reached: 7.1e-6 pu in any row (the file prints to 1e-5); asked for: 1e-4."""
    v = run(case).bus.vm_pu["103"].to_numpy()[: len(series)]
    assert np.abs(v - series[:, 3]).max() < 1e-5


def test_power(case: Case, series: np.ndarray) -> None:
    """Reached: P 4.3e-6, Q 1.8e-6 from 75 ms after the trip on, in swings of 3.8e-3 and 9.5e-4."""
    error = np.abs(power(run(case))[: len(series)] - series[:, 1:3])
    assert (error[LATER].max(axis=0) < [6e-6, 3e-6]).all()


def test_first_rows_of_power_are_at_fault_in_the_file(case: Case, series: np.ndarray) -> None:
    """PSS/E's own rows: half of the jump that its V asks for; its distance to ours halves with each row."""
    ours = power(run(case))
    jump = series[AFTER - 1, 1:3] * (series[AFTER, 3] / series[AFTER - 1, 3] - 1.0)
    np.testing.assert_allclose(ours[AFTER] - ours[AFTER - 1], jump, rtol=1e-3)
    np.testing.assert_allclose(series[AFTER, 1:3] - series[AFTER - 1, 1:3], jump / 2, rtol=2e-3)
    distance = np.abs(ours[AFTER : AFTER + 3] - series[AFTER : AFTER + 3, 1:3])
    np.testing.assert_allclose(distance[1:] / distance[:-1], 0.5, atol=0.06)


def test_what_the_record_exercises(case: Case, series: np.ndarray) -> None:
    """Both deadbands are 0.01 pu and no error leaves them: plant controller and injection must do nothing.

    So the series judges REGCA1, Trv and Tiq of REECB1 and the deadbands, not the rest of REPCA1 (nor Tpord: its input
    rests). With these time constants a tenth larger Q is off by 2.1e-5.
    """
    usual = power(run(case))

    def other(model: str, **values: float) -> np.ndarray:
        dynamics = {**case.dynamics, model: case.dynamics[model].assign(**values)}
        return power(run(Case.from_pandapower(case.net, dynamics=dynamics, name="other")))

    def worst(found: np.ndarray) -> float:
        return float(np.abs(found[: len(series)] - series[:, 1:3])[LATER].max())

    without = {name: table for name, table in case.dynamics.items() if name != "repca1"}
    np.testing.assert_allclose(
        power(run(Case.from_pandapower(case.net, dynamics=without, name="o"))), usual, atol=1e-12
    )
    assert worst(other("repca1", dbd1_pu=0.0, dbd2_pu=0.0)) > 2e-5
    assert worst(other("reecb1", dbd1_pu=0.0, dbd2_pu=0.0)) > 1e-3
    assert worst(other("reecb1", tiq_s=0.022)) > 2e-5
    assert worst(other("reecb1", trv_s=0.022)) > 2e-5
    assert worst(other("regca1", tg_s=0.022)) > 2e-5
