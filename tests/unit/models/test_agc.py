"""Secondary control: frequency back at nominal within minutes, ties back at schedule, exact ticks, ramps, limits.

Reached on ieee39, 300 MW more load, integral gain 0.02/s: -0.0016 Hz after 3 minutes, -6e-8 Hz after 10.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridai.case import Case, load_case
from gridai.engine import BranchTrip, GeneratorTrip, LoadStep, compile_system, simulate
from gridai.errors import CaseError, InitialisationError
from gridai.models.secondary.agc import MODEL as AGC
from gridai.models.secondary.agcunit import MODEL as AGCUNIT

AREA = {"unit": "L4", "bias_mw_per_hz": 3000.0, "kp": 0.1, "ki_per_s": 0.02, "cycle_s": 4.0}
EXCITER = {"ta_tb": 0.1, "tb_s": 10.0, "k": 100.0, "te_s": 0.05, "emin_pu": -5.0, "emax_pu": 6.0}
STABILISER = {
    "mode": 1.0, "t1_s": 0.5, "t2_s": 0.05, "t3_s": 0.5, "t4_s": 0.05, "t5_s": 10.0, "t6_s": 10.0, "ks": 5.0,
    "lsmax_pu": 0.1, "lsmin_pu": -0.1,
}  # fmt: skip
GOVERNOR = {"r_pu": 0.05, "t1_s": 0.5, "vmax_pu": 1.0, "vmin_pu": 0.0, "t2_s": 2.1, "t3_s": 7.0}


def with_agc(case: Case, areas: list[dict], units: list[dict]) -> Case:
    """The case with tables agc and agcunit."""
    return replace(case, dynamics={**case.dynamics, "agc": pd.DataFrame(areas), "agcunit": pd.DataFrame(units)})


@cache
def ieee39(ramp: float = 60.0, deadband: float = 0.0, cycle_s: float = 4.0) -> Any:
    """ieee39 with nine units that share the order equally."""
    case = load_case("ieee39")
    units = [{"unit": g, "area": "L4", "share": 1 / 9, "ramp_mw_per_min": ramp} for g in case.dynamics["tgov1"]["unit"]]
    return compile_system(with_agc(case, [{**AREA, "deadband_mw": deadband, "cycle_s": cycle_s}], units))


@cache
def two_areas() -> Any:
    """Kundur's two areas with all controllers, an AGC in each; its ties are both circuits to bus 8."""
    case = load_case("kundur")
    names = ("G1", "G2", "G3", "G4")
    controllers = {"tgov1": GOVERNOR, "sexs": EXCITER, "ieeest": STABILISER}
    tables = {key: pd.DataFrame([{"unit": g, **values} for g in names]) for key, values in controllers.items()}
    case = replace(case, dynamics={**case.dynamics, **tables})
    base = {"bias_mw_per_hz": 1200.0, "kp": 0.1, "ki_per_s": 0.02, "cycle_s": 2.0}
    ties = [("L7", "7-8 1", "7-8 2", "7"), ("L9", "8-9 1", "8-9 2", "9")]
    areas = [
        {"unit": load, "branch": one, "from_bus": bus, "branch2": two, "from_bus2": bus, **base}
        for load, one, two, bus in ties
    ]
    units = [{"unit": g, "area": a, "share": 0.5} for g, a in zip(names, ("L7", "L7", "L9", "L9"), strict=True)]
    return compile_system(with_agc(case, areas, units))


def test_flat_start_stays_flat() -> None:
    result = simulate(ieee39(), until_s=20.0)
    assert np.abs(result.data - result.data[0]).max() < 1e-6


def test_frequency_returns_to_nominal_within_minutes() -> None:
    result = simulate(ieee39(), [LoadStep("L4", 300.0, at_s=10.0)], until_s=600.0, decimate=24)
    f = result.system.f_hz["COI"]
    assert f.min() < 59.85  # reached 59.830
    assert abs(f[f.index <= 60.0].iloc[-1] - 60.0) > 0.02  # governors alone leave a droop
    assert abs(f[f.index <= 180.0].iloc[-1] - 60.0) < 2e-3  # reached 1.6e-3
    assert abs(f.iloc[-1] - 60.0) < 1e-6  # reached 6e-8
    order = result.system.order_mw["L4"].iloc[-1]
    np.testing.assert_allclose(result.gen.agc_mw.iloc[-1], order / 9, atol=1e-6)
    assert order == pytest.approx(result.gen.pm_mw.iloc[-1].sum() - result.gen.pm_mw.iloc[0].sum(), rel=1e-6)


@pytest.mark.parametrize("cycle_s", [2.0, 4.0])
def test_ticks_are_exact(cycle_s: float) -> None:
    """The order changes at whole multiples of the cycle and nowhere else. Reached: 0 where the grid holds them."""
    result = simulate(ieee39(cycle_s=cycle_s), [LoadStep("L4", 300.0, at_s=1.0)], until_s=60.0)
    order, t = result.system.order_mw["L4"].to_numpy(), result.t_s
    ticks = t[1:][np.diff(order) != 0.0]
    first = np.ceil(1.0 / cycle_s)
    np.testing.assert_array_equal(ticks, cycle_s * np.arange(first, 60.0 / cycle_s + 1))


def test_ticks_off_the_grid_do_not_drift() -> None:
    result = simulate(ieee39(cycle_s=1.7), [LoadStep("L4", 300.0, at_s=1.0)], until_s=60.0)
    order, t = result.system.order_mw["L4"].to_numpy(), result.t_s
    ticks = t[1:][np.diff(order) != 0.0]
    np.testing.assert_allclose(ticks / 1.7, np.round(ticks / 1.7), atol=1e-7)
    assert len(ticks) == 35


def test_ramp_limit_holds() -> None:
    """2 MW a minute for each unit: after a minute of full ramp no unit has moved further."""
    result = simulate(ieee39(ramp=2.0), [LoadStep("L4", 300.0, at_s=1.0)], until_s=61.0, decimate=24)
    moved = result.gen.agc_mw
    rate = np.diff(moved.to_numpy(), axis=0) / np.diff(result.t_s)[:, None].clip(1e-9)
    assert rate.max() <= 2.0 / 60.0 + 1e-9
    assert moved.iloc[-1].max() == pytest.approx(2.0 * 57.0 / 60.0, rel=1e-2)  # the first tick after the step is at 4 s


def test_deadband_leaves_small_errors_alone() -> None:
    """A step of 20 MW gives an error of 20 MW: a deadband of 30 MW does nothing, one of 10 MW stops inside itself."""
    step = [LoadStep("L4", 20.0, at_s=1.0)]
    assert simulate(ieee39(deadband=40.0), step, until_s=60.0, decimate=24).system.order_mw["L4"].abs().max() == 0.0
    result = simulate(ieee39(deadband=5.0), step, until_s=240.0, decimate=24)
    assert result.system.order_mw["L4"].iloc[-1] > 0.0
    assert abs(result.system.ace_mw["L4"].iloc[-1]) <= 5.0


def test_each_area_corrects_its_own_disturbance() -> None:
    """100 MW more in area 2: frequency and interchange come back, and area 1 ends close to where it began.

    The areas meter the ties at their own ends, so a change of the ties' losses (0.2 MW) stays as 8e-5 Hz.
    """
    result = simulate(two_areas(), [LoadStep("L9", 100.0, at_s=5.0)], until_s=600.0, decimate=24)
    assert abs(result.system.f_hz["COI"].iloc[-1] - 60.0) < 2e-4  # reached 7.9e-5
    assert np.abs(result.system.ace_mw.iloc[-1]).max() < 1e-3  # reached 2.3e-4
    export = result.system.export_mw
    assert np.abs(export.iloc[-1] - export.iloc[0]).max() < 0.2  # reached 0.095
    moved = result.gen.agc_mw.iloc[-1]
    assert moved["G1"] + moved["G2"] == pytest.approx(-2.0, abs=0.2)
    assert moved["G3"] + moved["G4"] == pytest.approx(85.7, abs=0.2)


def test_lost_tie_is_an_error_that_the_area_answers() -> None:
    """One circuit trips: the other takes its flow, and both areas balance error against the ties' new losses.

    Losses grow by 14 MW between the two meters: half of it shows at each, and 14 / 2400 Hz is the frequency's part.
    """
    result = simulate(two_areas(), [BranchTrip("7-8 1", 5.0)], until_s=300.0, decimate=24)
    export, f = result.system.export_mw, result.system.f_hz["COI"].iloc[-1]
    lost = (export.iloc[-1] - export.iloc[0]).sum()
    assert np.abs(result.system.ace_mw.iloc[-1]).max() < 0.05
    assert f - 60.0 == pytest.approx(-lost / 2400.0, abs=2e-5)


def test_tripped_unit_is_made_up_by_the_others() -> None:
    result = simulate(ieee39(), [GeneratorTrip("G10", 5.0)], until_s=900.0, decimate=24)
    assert abs(result.system.f_hz["COI"].iloc[-1] - 60.0) < 0.01
    assert np.isnan(result.gen.agc_mw["G10"].iloc[-1])


def faults(areas: list[dict], units: list[dict]) -> str:
    """What is wrong with the tables."""
    with pytest.raises(CaseError) as error:
        compile_system(with_agc(load_case("ieee39"), areas, units))
    return str(error.value)


def test_tables_that_do_not_fit_are_named() -> None:
    one = {"unit": "G2", "area": "L4", "share": 1.0}
    assert "area controller" in faults([AREA], [{**one, "area": "L5"}])
    assert "the shares of its units sum to 0.4" in faults([AREA], [{**one, "share": 0.4}])
    assert "has no governor that takes a setpoint" in faults([AREA], [{**one, "unit": "G1"}])
    assert "branch" in faults([{**AREA, "branch2": "no such line"}], [one])


def test_controller_with_nothing_to_hold_is_refused() -> None:
    with pytest.raises(InitialisationError, match="no error to control"):
        compile_system(
            with_agc(
                load_case("ieee39"), [{**AREA, "bias_mw_per_hz": 0.0}], [{"unit": "G2", "area": "L4", "share": 1.0}]
            )
        )


def test_limits_must_hold_zero() -> None:
    assert AGC.check is not None
    assert AGCUNIT.check is not None
    assert [n for n, _ in AGC.check({"low_mw": 5.0, "high_mw": 10.0})] == ["low_mw"]
    assert [n for n, _ in AGCUNIT.check({"down_mw": -5.0, "up_mw": -1.0})] == ["down_mw"]
