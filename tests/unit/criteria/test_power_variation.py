"""Ramps, highest less lowest in a window, oscillation in a band, loss of load: hand-made traces of a power."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.criteria import make
from gridai.errors import CaseError, ResultError, UnknownNameError
from gridai.results import Limit
from gridai.results.variation import band_limited, peak_to_peak, window_changes

T = np.linspace(0.0, 120.0, 12001)


@pytest.mark.parametrize(("slope", "status"), [(19.0, "pass"), (20.0, "pass"), (20.01, "fail"), (-25.0, "fail")])
def test_ramp(run, judge, slope, status):
    found = judge(run(T, 100.0 + slope * np.clip(T - 30.0, 0, 70) / 60.0), "ramp_rate", "MW/min", high=20.0)
    assert (found.status, found.element, found.unit) == (status, "ai", "MW/min")
    assert found.value == pytest.approx(abs(slope))
    assert found.margin == pytest.approx(20.0 - abs(slope), abs=1e-9)
    assert 90.0 - 1e-6 <= found.t_s <= 100.0 + 1e-6


def test_ramp_directions_and_percentile(run, judge):
    down = run(T, 100.0 - 0.5 * np.clip(T - 30.0, 0, 70))
    assert judge(down, "ramp_rate", "MW/min", high=20.0, direction="up").value == 0.0
    assert judge(down, "ramp_rate", "MW/min", high=20.0, direction="down").value == pytest.approx(30.0)
    jump = run(T, np.where(T < 115.0, 100.0, 200.0))
    assert judge(jump, "ramp_rate", "MW/min", high=20.0).status == "fail"
    assert judge(jump, "ramp_rate", "MW/min", high=20.0, percentile=75.0).status == "pass"
    with pytest.raises(UnknownNameError, match="both"):
        make(Limit("ramp_rate", "MW/min", None, 20.0, settings={"direction": "bth"}))


def test_ramp_too_short_or_nan_or_without_cluster(run, judge):
    short = judge(run(T[:5900], 1e3 * T[:5900]), "ramp_rate", "MW/min", high=20.0)
    assert short.status == "not assessable"
    assert "window of 60 s" in short.note
    gap = np.full(T.shape, 100.0)
    gap[7] = np.nan
    assert judge(run(T, gap), "ramp_rate", "MW/min", high=20.0).status == "not assessable"
    with pytest.raises(ResultError):
        judge(run(T), "ramp_rate", "MW/min", high=20.0)


@pytest.mark.parametrize(("size", "status"), [(9.0, "pass"), (10.0, "pass"), (10.1, "fail")])
def test_peak_to_peak(run, judge, size, status):
    t = np.array([0.0, 40.0, 40.0, 44.0, 44.0, 120.0])
    p = np.array([100.0, 100.0, 100.0 + size, 100.0 + size, 100.0, 100.0])
    found = judge(run(t, p), "peak_to_peak", "MW", high=10.0, window_s=5.0)
    assert (found.status, found.element) == (status, "ai")
    assert found.value == pytest.approx(size)
    assert found.margin == pytest.approx(10.0 - size)
    assert 40.0 <= found.t_s <= 49.0


def test_peak_to_peak_counts_only_what_lies_in_one_window(run, judge):
    slow = run(T, 100.0 + T)
    assert judge(slow, "peak_to_peak", "MW", high=10.0, window_s=5.0).value == pytest.approx(5.0)
    assert judge(slow, "peak_to_peak", "MW", high=10.0, window_s=130.0).status == "not assessable"
    assert judge(run(T, T * np.nan), "peak_to_peak", "MW", high=10.0, window_s=5.0).status == "not assessable"


def test_peak_to_peak_of_a_band(run, judge):
    drift, swing = 0.5 * T, 3.0 * np.sin(2 * np.pi * 1.0 * T)
    band = {"window_s": 5.0, "band_low_hz": 0.1, "band_high_hz": 30.0}
    found = judge(run(T, 100.0 + drift + swing), "peak_to_peak", "MW", high=10.0, **band)
    assert found.value == pytest.approx(6.0, rel=0.05)
    assert judge(run(T, 100.0 + drift + swing), "peak_to_peak", "MW", high=10.0, window_s=5.0).value > 8.0
    seldom = T[::10]
    with pytest.raises(ResultError, match="30 Hz"):
        judge(run(seldom, 100.0 + 0 * seldom), "peak_to_peak", "MW", high=10.0, **band)


@pytest.mark.parametrize(("amplitude", "status"), [(2.4, "pass"), (2.7, "fail")])
def test_band_oscillation(run, judge, amplitude, status):
    p = 2000.0 + amplitude * np.sin(2 * np.pi * 2.0 * T) * ((T > 20.0) & (T < 60.0))
    found = judge(run(T, p), "band_oscillation", "MW", high=2.5, f_low_hz=0.1, f_high_hz=20.0)
    assert (found.status, found.element) == (status, "ai")
    assert found.value == pytest.approx(amplitude, rel=0.01)
    assert found.margin == pytest.approx(2.5 - found.value)
    assert 20.0 < found.t_s <= 70.0


def test_band_oscillation_the_smaller_of_two_limits_too_short_and_nan(run, judge):
    p = 400.0 + 2.0 * np.sin(2 * np.pi * 2.0 * T)
    band = {"f_low_hz": 0.1, "f_high_hz": 20.0}
    small = judge(run(T, p), "band_oscillation", "MW", high=2.5, share=0.0025, rated_mw=400.0, **band)
    assert (small.status, small.limit) == ("fail", 1.0)
    assert judge(run(T, p), "band_oscillation", "MW", high=2.5, share=0.0025, rated_mw=1e4, **band).limit == 2.5
    with pytest.raises(ResultError, match="one period"):
        judge(run(T[:900], p[:900]), "band_oscillation", "MW", high=2.5, **band)
    p[4] = np.nan
    assert judge(run(T, p), "band_oscillation", "MW", high=2.5, **band).status == "not assessable"
    with pytest.raises(CaseError, match="band"):
        make(Limit("band_oscillation", "MW", None, 1.0, settings={"f_low_hz": 2.0, "f_high_hz": 1.0}))


@pytest.mark.parametrize(("lost", "status"), [(2500.0, "pass"), (2600.0, "pass"), (2601.0, "fail")])
def test_load_loss(run, judge, lost, status):
    t = np.array([0.0, 10.0, 10.0, 10.1, 10.1, 12.0, 12.0, 60.0])
    p = np.array([3000.0, 3000.0, 0.0, 0.0, 3000.0, 3000.0, 3000.0 - lost, 3000.0 - lost])
    found = judge(run(t, p), "load_loss", "MW", high=2600.0)
    assert (found.status, found.element) == (status, "ai")
    assert found.value == pytest.approx(lost)
    assert found.margin == pytest.approx(2600.0 - lost)
    assert found.t_s == pytest.approx(12.0)


def test_load_loss_what_comes_back_slowly_late_too_short_and_nan(run, judge):
    dip = run(T, np.where((T > 20.0) & (T < 20.5), 0.0, 3000.0))
    assert judge(dip, "load_loss", "MW", high=2600.0).value == 0.0
    slow = run(T, 3000.0 - 25.0 * T)
    assert judge(slow, "load_loss", "MW", high=2600.0).value == pytest.approx(125.0, abs=1.0)
    late = run(T, np.where(T < 119.5, 3000.0, 0.0))
    assert judge(late, "load_loss", "MW", high=2600.0).status == "not assessable"
    assert judge(run(T[:100], 1.0), "load_loss", "MW", high=2600.0).status == "not assessable"
    assert judge(run(T, np.where(T < 3.0, np.nan, 1.0)), "load_loss", "MW", high=2600.0).status == "not assessable"


def test_measures_on_jumps_and_windows():
    t, x = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 5.0, 5.0])
    assert peak_to_peak(t, x, 0.5).value == 5.0
    ends, change = window_changes(t, x, 0.5)
    assert change.max() == 5.0
    assert ends[0] == 0.5
    assert not len(window_changes(t, x, 3.0)[0])
    grid, band = band_limited(T, 7.0 + np.sin(2 * np.pi * 3.0 * T), 0.5, 10.0)
    middle = (grid > 20.0) & (grid < 100.0)
    assert np.abs(band[middle] - np.sin(2 * np.pi * 3.0 * grid[middle])).max() < 0.01
