"""A stabiliser that measures at another bus: its output against its washout, solved on that bus's own voltage.

signal                                    allowed  reached
voltage (5) of the own bus, of 16, of 20  1e-6     1.2e-7 pu of a swing of 3e-3 to 8e-3
PSS2A, voltages of 16 and 20              1e-6     2.5e-8 pu
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridai.case import load_case
from gridai.engine import LoadStep, compile_system, simulate

WASHOUT_S = 2.0


def washed(t: np.ndarray, v: np.ndarray) -> np.ndarray:
    """T s / (1 + T s) of a signal given by points: exact for straight pieces."""
    x = np.empty_like(v)
    x[0] = v[0]
    for k, h in enumerate(np.diff(t)):
        slope = (v[k + 1] - v[k]) / h if h > 0.0 else 0.0
        rest = v[k] - slope * WASHOUT_S
        x[k + 1] = rest + slope * h + (x[k] - rest) * np.exp(-h / WASHOUT_S)
    return v - x


def run(model: str, row: dict[str, object]) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """One stabiliser, at G2 of the New England system; 50 MW and 50 MVAr more at bus 16."""
    case = load_case("ieee39")
    case.dynamics.pop("ieeest")
    case.dynamics[model] = pd.DataFrame([{"unit": "G2", **row}])
    result = simulate(compile_system(case), [LoadStep("L16", 50.0, 50.0, at_s=1.0)], until_s=5.0)
    return result.t_s, result.series("gen", "G2", "vs_pu"), result.bus.vm_pu


@pytest.mark.parametrize("bus", ["", "16", "20"])
def test_voltage_of_the_named_bus(bus: str) -> None:
    t, vs, vm = run("ieeest", {"remote_bus": bus, "mode": 5.0, "t5_s": WASHOUT_S, "t6_s": WASHOUT_S, "ks": 1.0,
                               "lsmax_pu": 0.2, "lsmin_pu": -0.2})  # fmt: skip
    expected = washed(t, vm[bus or "31"].to_numpy())
    print("R", np.abs(expected).max(), np.abs(vs - expected).max())
    assert np.abs(expected).max() > 1e-3
    assert np.abs(vs - expected).max() < 1e-6


def test_two_signals_from_two_buses() -> None:
    """Filter, lags and gains taken out: the output is the difference of both washed voltages."""
    t, vs, vm = run("pss2a", {"remote_bus": "16", "remote_bus2": "20", "ics1": 5.0, "ics2": 5.0, "m": 0.0, "n": 0.0,
                              "tw1_s": WASHOUT_S, "tw3_s": WASHOUT_S, "ks2": 1.0, "ks3": 0.0, "ks1": 1.0,
                              "vstmax_pu": 0.2, "vstmin_pu": -0.2})  # fmt: skip
    expected = washed(t, vm["16"].to_numpy()) - washed(t, vm["20"].to_numpy())
    print("R2", np.abs(expected).max(), np.abs(vs - expected).max())
    assert np.abs(expected).max() > 1e-3
    assert np.abs(vs - expected).max() < 1e-6
