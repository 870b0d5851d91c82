"""Frequency measures against series whose answers are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.results import coi_frequency, lowest_highest, rocof, settling, voltage_frequency
from gridai.results.frequency import FILTER_S


def test_bus_frequency_of_a_steady_offset():
    t = np.linspace(0.0, 2.0, 481)
    v = np.exp(2j * np.pi * 0.25 * t)[:, None]
    assert voltage_frequency(t, v, 60.0) == pytest.approx(60.25, abs=1e-9)


def test_bus_frequency_follows_a_step_with_the_stated_time_constant():
    t = np.linspace(0.0, 1.0, 241)
    v = np.exp(2j * np.pi * 0.5 * np.maximum(t - 0.5, 0.0))[:, None]
    f = voltage_frequency(t, v, 50.0)[:, 0]
    after = t >= 0.5
    expected = 50.0 + 0.5 * (1.0 - np.exp(-(t[after] - 0.5) / FILTER_S))
    assert f[after] == pytest.approx(expected, abs=1e-9)
    assert f[~after] == pytest.approx(50.0, abs=1e-12)


def test_an_angle_jump_at_a_repeated_time_is_no_frequency():
    t = np.array([0.0, 0.1, 0.2, 0.2, 0.3, 0.4])
    angle = np.array([0.0, 0.0, 0.0, 0.8, 0.8, 0.8])
    assert voltage_frequency(t, np.exp(1j * angle)[:, None], 60.0) == pytest.approx(60.0, abs=1e-12)


def test_a_wrapping_angle_is_no_jump():
    t = np.linspace(0.0, 10.0, 2401)
    v = np.exp(1j * (3.0 + 2 * np.pi * 0.3 * t))[:, None]
    assert voltage_frequency(t, v, 60.0) == pytest.approx(60.3, abs=1e-9)


def test_a_dead_bus_has_no_frequency_and_starts_anew():
    t = np.linspace(0.0, 2.0, 201)
    slip = np.where(t < 1.0, 0.0, 0.2)
    v = np.exp(2j * np.pi * slip * t)
    dead = (t >= 0.5) & (t < 1.0)
    v[dead] = 0.0
    f = voltage_frequency(t, np.column_stack([v, np.ones_like(v)]), 60.0)
    assert np.isnan(f[dead, 0]).all()
    assert f[t < 0.5, 0] == pytest.approx(60.0, abs=1e-9)
    assert f[t >= 1.0, 0] == pytest.approx(60.2, abs=1e-9)
    assert f[:, 1] == pytest.approx(60.0)


def test_coi_is_weighted_and_forgets_tripped_units():
    t = np.array([0.0, 1.0, 1.0, 2.0])
    speed = np.array([[1.0, 1.0], [1.01, 1.04], [1.01, 1.04], [1.02, 1.2]])
    f = coi_frequency(speed, ("A", "B"), {"A": 300.0, "B": 100.0}, 50.0, t, {"B": 1.0})
    assert f == pytest.approx(50.0 * np.array([1.0, 1.0175, 1.01, 1.02]))


def test_coi_with_an_infinite_bus_and_without_any_inertia():
    speed = np.array([[1.0, 1.01]])
    assert coi_frequency(speed, ("inf", "A"), {"inf": np.inf, "A": 5.0}, 60.0)[0] == 60.0
    assert np.isnan(coi_frequency(speed, ("x", "y"), {}, 60.0)[0])


def test_rocof_of_a_ramp():
    t = np.linspace(0.0, 4.0, 961)
    f = 60.0 - 0.3 * np.clip(t - 1.0, 0.0, 2.0)
    for window in (0.1, 0.5):
        found = rocof(t, f, window)
        assert found.value == pytest.approx(-0.3, abs=1e-9)
        assert 1.0 + window - 1e-9 <= found.t_s <= 3.0 + 1e-9


def test_rocof_of_a_short_ramp_is_spread_over_the_window():
    t = np.array([0.0, 1.0, 1.2, 3.0])
    f = np.array([50.0, 50.0, 50.3, 50.3])
    assert rocof(t, f, 0.5).value == pytest.approx(0.3 / 0.5)
    assert rocof(t, f, 0.1).value == pytest.approx(0.3 / 0.2)


def test_rocof_of_a_second_order_response_matches_the_analytic_one():
    t = np.linspace(0.0, 20.0, 4801)
    a, w = 0.25, 2.1
    f = 60.0 - 0.1 * np.exp(-a * t) * np.sin(w * t)
    window = 0.5
    ends = np.linspace(window, 20.0, 200001)

    def exact(s):
        return -0.1 * np.exp(-a * s) * np.sin(w * s)

    slopes = (exact(ends) - exact(ends - window)) / window
    worst = np.argmax(np.abs(slopes))
    found = rocof(t, f, window)
    assert found.value == pytest.approx(slopes[worst], rel=1e-4)
    assert found.t_s == pytest.approx(ends[worst], abs=5e-3)


def test_rocof_skips_nan_and_needs_a_whole_window():
    t = np.linspace(0.0, 2.0, 201)
    f = 60.0 + 0.1 * t
    f[120:] = np.nan
    assert rocof(t, f, 0.5).value == pytest.approx(0.1)
    assert not rocof(t[:40], f[:40], 0.5).assessable
    assert not rocof(t, np.full(201, np.nan), 0.5).assessable
    assert rocof(t[:51], f[:51], 0.5).assessable
    with pytest.raises(ValueError, match="window_s"):
        rocof(t, f, 0.0)


def test_nadir_and_zenith_of_a_second_order_response():
    a, w = 0.3, 1.5
    t = np.linspace(0.0, 20.0, 4801)
    f = 60.0 - np.exp(-a * t) * np.sin(w * t)
    first = np.arctan2(w, a) / w
    found = lowest_highest(t, f, "COI")
    assert found.low.t_s == pytest.approx(first, abs=3e-3)
    assert found.low.value == pytest.approx(60.0 - np.exp(-a * first) * np.sin(w * first), abs=1e-5)
    assert found.high.t_s == pytest.approx(first + np.pi / w, abs=3e-3)
    assert found.low.element == "COI"


def test_settling():
    t = np.linspace(0.0, 20.0, 2001)
    f = 60.0 - 0.05 * (1.0 - np.exp(-t / 1.0))
    done = settling(t, f, after_s=1.0)
    assert done.settled
    assert done.value == pytest.approx(59.95, abs=1e-6)
    assert done.reason == ""
    assert not settling(t, f, after_s=17.0).settled
    swinging = settling(t, 60.0 + 0.02 * np.sin(t))
    assert not swinging.settled
    assert "mHz" in swinging.reason
    assert not settling(t[:300], f[:300]).settled
    f[-1] = np.nan
    assert np.isnan(settling(t, f).value)
