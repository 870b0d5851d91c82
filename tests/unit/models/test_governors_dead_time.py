"""The dead time of GGOV1 and DEGOV against a delay that keeps the past: off the step's grid, short, and too short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.engine import BusFault, compile_system, simulate
from gridai.errors import SettingError
from gridai.kernel.blocks_delay import delay
from gridai.results import Result

STEP_S = 1 / 240
GIVEN = {
    "degov": {"unit": "G1", "k": 2.0, "t1_s": 0.1, "t3_s": 0.3, "t6_s": 0.2, "tmax_pu": 1.5, "tmin_pu": 0.0},
    "ggov1": {
        "unit": "G1",
        "r_pu": 0.05,
        "ldref_pu": 2.0,
        "tb_s": 0.0,
        "tc_s": 0.0,
        "tact_s": 0.1,
        "flag": 0.0,
        "wfnl_pu": 0.2,
    },
}
DEAD = {"degov": "td_s", "ggov1": "teng_s"}


def governed(key: str, dead_s: float) -> Case:
    """smib with one governor at G1."""
    case = load_case("smib")
    table = pd.DataFrame([{**GIVEN[key], DEAD[key]: dead_s}])
    return replace(case, dynamics={**case.dynamics, key: table})


def swing(key: str, dead_s: float, step_s: float = STEP_S) -> Result:
    """3 s from a fault of 50 ms at the machine's bus."""
    case = governed(key, dead_s)
    bus = str(case.net.bus.at[case.net.gen["bus"].iloc[0], "name"])
    return simulate(compile_system(case), [BusFault(bus, at_s=0.5, clear_s=0.55)], until_s=3.0, step_s=step_s)


def late(result: Result, key: str, dead_s: float) -> tuple[np.ndarray, np.ndarray]:
    """What the recorded fuel makes of the mechanical power behind a delay that keeps the past, and the power. [pu]"""
    t, gate = result.t_s, result.gen.gate_pu["G1"].to_numpy()
    behind = np.interp(t - dead_s, t, gate, left=gate[0])
    power = result.gen.pm_mw["G1"].to_numpy()
    if key == "degov":
        behind = behind * result.gen.speed_pu["G1"].to_numpy()
    useful = behind - GIVEN[key].get("wfnl_pu", 0.0)
    return useful * power[0] / useful[0], power


@pytest.mark.parametrize("dead_s", [0.05, 0.0513, 0.0137])
def test_a_step_through_a_lag_comes_late(dead_s: float) -> None:
    """1 - e^(-t / 0.2 s) delayed by T, Heun at 1/960 s: from 2 T on within 3.4e-4 (0.05 s), 3.6e-4 (0.0513 s), 1.5e-5
    (0.0137 s); before it the rational block ripples by 0.0174, 0.0178 and 0.0025."""
    h, tau = 1 / 960, 0.2
    x, t = np.zeros(3), np.arange(2000) / 960

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return np.array(delay(1.0 - np.exp(-t / tau), *x, dead_s)[1:])

    found = np.empty(t.size)
    for k, now in enumerate(t):
        found[k] = delay(1.0 - np.exp(-now / tau), *x, dead_s)[0]
        first = rate(now, x)
        x = x + h / 2 * (first + rate(now + h, x + h * first))
    off = np.abs(found - np.where(t > dead_s, 1.0 - np.exp(-(t - dead_s) / tau), 0.0))
    assert off[t > 2 * dead_s].max() < 5e-4
    assert off.max() < 0.025


@pytest.mark.parametrize(
    ("key", "dead_s", "allowed"),
    [
        ("degov", 0.1, 8e-4),  # reached 5.9e-4
        ("degov", 0.0513, 3e-4),  # reached 2.2e-4
        ("degov", 0.0137, 1e-4),  # reached 6.3e-5
        ("ggov1", 0.1, 1.5e-2),  # reached 1.1e-2: its valve's rate limits make corners
        ("ggov1", 0.0513, 6e-3),  # reached 4.2e-3
        ("ggov1", 0.0137, 5e-4),  # reached 3.8e-4
    ],
)
def test_power_is_the_fuel_of_the_dead_time_before(key: str, dead_s: float, allowed: float) -> None:
    """Parts of the power's swing; without the dead time the same comparison is 19 times to 230 times worse."""
    result = swing(key, dead_s)
    expected, power = late(result, key, dead_s)
    off = np.abs(power - expected).max()
    assert off < allowed * np.ptp(power)
    assert np.abs(power - late(result, key, 0.0)[0]).max() > 15.0 * off


@pytest.mark.parametrize("key", ["degov", "ggov1"])
def test_a_short_dead_time_halves_the_step_and_says_so(key: str) -> None:
    """4 ms at a step of 1/60 s: the third state decays with T / 9, so the step becomes 0.52 ms; the log names it."""
    result = swing(key, 0.004, 1 / 60)
    text = next(e.text for e in result.events if e.kind == "step")
    assert text.startswith(f"state G1.{key.upper()}.dead3 decays with 0.444 ms, too fast for a step of 16.67 ms")
    assert text.endswith("the step is 0.5208 ms")
    expected, power = late(result, key, 0.004)
    assert np.abs(power - expected).max() < 0.02 * np.ptp(power)


@pytest.mark.parametrize("key", ["degov", "ggov1"])
def test_a_dead_time_that_no_step_can_follow_is_refused_by_name(key: str) -> None:
    text = rf"state G1.{key.upper()}.dead3 decays with 0.00111 ms.*set it to zero where the model allows"
    with pytest.raises(SettingError, match=text):
        swing(key, 1e-5)
    assert swing(key, 0.0).t_s[-1] == pytest.approx(3.0)
