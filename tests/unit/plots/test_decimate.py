"""Decimation keeps every peak, the ends and the gaps."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.plots.decimate import decimate


def test_short_series_stay_as_they_are():
    t = np.arange(100.0)
    assert decimate(t, t)[0] is t


@pytest.mark.parametrize("nt", [2001, 4802, 10_000, 33_333])
def test_peaks_and_ends_are_kept(nt):
    rng = np.random.default_rng(1)
    t, y = np.linspace(0.0, 20.0, nt), rng.normal(size=nt)
    y[nt // 3], y[nt // 2] = 50.0, -60.0
    td, yd = decimate(t, y)
    assert len(td) <= 2010
    assert (np.diff(td) > 0).all()
    assert (yd.max(), yd.min()) == (50.0, -60.0)
    assert td[yd.argmax()] == t[nt // 3]
    assert (td[0], td[-1], yd[0], yd[-1]) == (t[0], t[-1], y[0], y[-1])


def test_a_gap_stays_a_gap():
    t = np.linspace(0.0, 1.0, 10_000)
    y = np.where((t > 0.4) & (t < 0.5), np.nan, 1.0)
    td, yd = decimate(t, y)
    assert np.isnan(yd[(td > 0.41) & (td < 0.49)]).all()
    assert np.isfinite(yd[(td < 0.39) | (td > 0.51)]).all()
    assert len(decimate(t, np.full_like(t, np.nan))[0]) < 2010
