"""Matrix pencil and spectral line: known sums of damped sinusoids, with noise, jumps of the clock and bad input."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.errors import SettingError
from gridai.results.ringdown import ringdown, spectral_line

T = np.arange(0.0, 15.0, 1 / 240)
TRUE = ((0.545, 0.15), (1.08, 0.60))
"""Frequency [Hz] and decay [1/s]."""


def made(series: int, noise: float = 0.0) -> np.ndarray:
    """Two swings of different phase in each series, an offset, a drift; noise relative to each series' deviation."""
    rng = np.random.default_rng(3)
    columns = []
    for k in range(series):
        y = 0.2 + 0.1 * np.exp(-0.2 * T)
        for n, (f, sigma) in enumerate(TRUE):
            y = y + (1.0 - 0.4 * n + 0.1 * k) * np.exp(-sigma * T) * np.cos(2 * np.pi * f * T + k + n)
        columns.append(y + noise * y.std() * rng.standard_normal(T.size))
    return np.column_stack(columns)


def ratio(f_hz: float, sigma: float) -> float:
    return sigma / float(np.hypot(sigma, 2 * np.pi * f_hz))


@pytest.mark.parametrize(
    ("series", "noise", "within"), [(1, 0.0, 1e-5), (3, 0.0, 1e-5), (1, 0.01, 5e-4), (3, 0.05, 1e-3)]
)
def test_known_swings(series: int, noise: float, within: float):
    found = ringdown(T, made(series, noise))[:2]
    for swing, (f, sigma) in zip(found, TRUE, strict=True):
        assert swing.f_hz == pytest.approx(f, rel=max(within, 1e-5))
        assert swing.damping == pytest.approx(ratio(f, sigma), abs=within)
        assert swing.sigma == pytest.approx(-sigma, abs=10 * within)


def test_amplitude_and_phase():
    swing = ringdown(T, made(2))[0]
    assert abs(swing.shape[0]) == pytest.approx(1.0, rel=0.02)
    assert np.angle(swing.shape[1] / swing.shape[0]) == pytest.approx(1.0, abs=1e-3)


def test_a_growing_swing_has_negative_damping():
    y = np.exp(0.1 * T) * np.sin(2 * np.pi * T)
    assert ringdown(T, y)[0].damping == pytest.approx(-ratio(1.0, 0.1), abs=1e-5)


def test_repeated_times_and_dead_series():
    t = np.sort(np.append(T, [1.0, 2.0]))
    y = np.column_stack([np.exp(-0.3 * t) * np.cos(2 * np.pi * 0.8 * t), np.full(t.size, np.nan), np.ones(t.size)])
    swing = ringdown(t, y)[0]
    assert swing.damping == pytest.approx(ratio(0.8, 0.3), abs=1e-4)
    assert np.isnan(swing.shape[1])
    assert ringdown(t, np.ones(t.size)) == ()


def test_bad_input_is_named():
    with pytest.raises(SettingError, match="f_min_hz"):
        ringdown(T, made(1), f_min_hz=2.0, f_max_hz=1.0)
    with pytest.raises(SettingError, match="10 s"):
        ringdown(T[:480], made(1)[:480])


def test_spectral_line():
    y = 3.0 + 2.0 * np.cos(2 * np.pi * 1.25 * T + 0.7) + 0.5 * np.cos(2 * np.pi * 2.5 * T)
    assert spectral_line(T, y, 1.25, 2.0, 10.0)[0] == pytest.approx(2.0 * np.exp(0.7j), rel=1e-3)
    assert abs(spectral_line(T, y, 0.5, 2.0, 10.0)[0]) < 1e-3
