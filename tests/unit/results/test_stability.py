"""Loss of step: who leaves, when, against whom; infinite buses and tripped machines."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.results import Channel, Result
from gridai.results.stability import from_centre, largest_spread, loss_of_step

T = np.linspace(0.0, 2.0, 201)


def made(angles: dict[str, np.ndarray], inertia: dict[str, float]) -> Result:
    channels = tuple(Channel("gen", name, "angle_rad", "rad") for name in angles)
    return Result(T, np.radians(np.column_stack(list(angles.values()))), channels, (), {"inertia_mws": inertia})


def test_the_lighter_side_leaves_and_the_farthest_is_named_first():
    result = made({"a": 0 * T, "b": 10 + 0 * T, "c": 200 * T, "d": 190 * T}, {"a": 9, "b": 9, "c": 2, "d": 2})
    lost = loss_of_step(result)
    assert lost is not None
    assert lost.units == ("c", "d")
    assert lost.t_s == pytest.approx(0.91)
    assert lost.slipped
    heavy = loss_of_step(made({"a": 0 * T, "c": 200 * T}, {"a": 1, "c": 5}))
    assert heavy is not None
    assert heavy.units == ("a",)


def test_a_swing_that_returns_slips_no_pole():
    result = made({"a": 0 * T, "b": 200 * np.sin(np.pi * T / 2)}, {"a": 1, "b": 2})
    lost = loss_of_step(result)
    assert lost is not None
    assert not lost.slipped
    assert loss_of_step(result, 210.0) is None
    spread = largest_spread(result)
    assert (round(spread.degree), spread.t_s, spread.leading, spread.lagging) == (200, 1.0, "b", "a")


def test_an_infinite_bus_stays():
    result = made({"INF": 0 * T, "G": -300 * T}, {"G": 1e9})
    lost = loss_of_step(result)
    assert lost is not None
    assert lost.units == ("G",)
    assert np.degrees(from_centre(result)[1][-1]) == pytest.approx([0.0, -600.0])


def test_tripped_machines_do_not_count():
    gone = np.where(T > 1.0, np.nan, 500.0 * T * (T > 2.0))
    result = made({"a": 0 * T, "b": gone, "c": 30 * T}, {"a": 1, "b": 1, "c": 1})
    assert loss_of_step(result) is None
    assert largest_spread(result).degree == pytest.approx(60.0)
    assert np.degrees(from_centre(result)[1][-1][[0, 2]]) == pytest.approx([-30.0, 30.0])


def test_one_machine_or_none_cannot_lose_step():
    assert loss_of_step(made({"a": 900 * T}, {"a": 1.0})) is None
    assert np.isnan(largest_spread(made({"a": 900 * T}, {"a": 1.0})).degree)
    bare = Result(T, np.zeros((T.size, 1)), (Channel("bus", "1", "v_re_pu", "pu"),))
    assert loss_of_step(bare) is None
