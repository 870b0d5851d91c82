"""The flickermeter against the tables of IEC 61000-4-15: asked, and in each docstring the worst value reached."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from gridai.errors import ResultError, UnknownNameError
from gridai.results.flickermeter import (
    LAMPS,
    even_samples,
    flicker,
    instantaneous_flicker,
    lamp_of,
    plt,
    pst,
    pst_of_changes,
)

SETTLE_S = 60.0


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "criteria" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rectangle(t: np.ndarray, d_percent: float, per_minute: float) -> np.ndarray:
    """An RMS voltage of 1 that changes by d so many times a minute."""
    return 1.0 + 0.005 * d_percent * np.where(np.floor(t * per_minute / 60.0 + 1e-9) % 2 == 0, 1.0, -1.0)


def measured(row: dict[str, str], rate: float, waveform: bool) -> float:
    lamp, t = row["lamp_system"], np.arange(round((SETTLE_S + 600.0) * rate)) / rate
    v = rectangle(t, float(row["dV_over_V_percent"]), float(row["changes_per_minute"]))
    if waveform:
        v = v * np.sin(2.0 * np.pi * float(lamp[4:]) * t)
    return pst(instantaneous_flicker(v, rate, lamp)[round(SETTLE_S * rate) :])


def test_pst_1_by_the_waveform(reference_dir):
    """Asked 1 %; reached 0.17 % (120 V, 50 Hz, one change a minute). 2000 samples a second."""
    found = {r["lamp_system"] + "/" + r["changes_per_minute"]: measured(r, 2000.0, True)
             for r in rows(reference_dir, "iec61000_4_15_pst1_rect.csv")}  # fmt: skip
    assert len(found) == 19
    assert {key: value for key, value in found.items() if abs(value - 1.0) > 0.01} == {}


@pytest.mark.parametrize("rate", [400.0, 800.0])
def test_pst_1_from_rms_values(reference_dir, rate):
    """Asked 5 %; reached 1.7 % at 400 Hz (230 V, 60 Hz, 4800 changes a minute) and 0.7 % at 800 Hz."""
    table = rows(reference_dir, "iec61000_4_15_pst1_rect.csv")
    off = {r["lamp_system"] + "/" + r["changes_per_minute"]: measured(r, rate, False) - 1.0 for r in table}
    assert {key: value for key, value in off.items() if abs(value) > 0.05} == {}
    assert max(map(abs, off.values())) < (0.02 if rate == 400.0 else 0.01)


def peak(row: dict[str, str], rate: float = 2000.0) -> float:
    """Largest P_inst of a modulation of so many Hz, once it has settled."""
    f, d = float(row["f_mod_Hz"]), 0.01 * float(row["dV_over_V_percent_recalled"])
    t = np.arange(round((24.0 + 2.0 / f) * rate)) / rate
    square = np.where(np.floor(2 * f * t + 1e-9) % 2 == 0, 1.0, -1.0)
    wave = np.sin(2 * np.pi * f * t) if row["wave"] == "sin" else square
    wave[0] = 0.0
    return float(instantaneous_flicker(1.0 + 0.5 * d * wave, rate, row["lamp"])[round(20.0 * rate) :].max())


def test_p_inst_of_sine_waves(reference_dir):
    """Asked 1 % of 1; reached 0.53 % (120 V, 5 Hz); of the computed column 0.28 % (33.3 Hz), below 14 Hz 0.07 %."""
    table = [r for r in rows(reference_dir, "iec61000_4_15_pinst_unity.csv") if r["wave"] == "sin"]
    assert len(table) == 74
    for row in table:
        found = peak(row)
        assert found == pytest.approx(1.0, rel=0.01), row
        assert found == pytest.approx(float(row["Pinst_env_computed"]), rel=0.005), row


def test_p_inst_of_rectangular_waves(reference_dir):
    """Against the computed column. Asked 1 %; reached 0.88 % at 25 Hz, 0.25 % at all others."""
    table = [r for r in rows(reference_dir, "iec61000_4_15_pinst_unity.csv") if r["wave"] == "rect"]
    assert len(table) == 74
    for row in table:
        assert peak(row) == pytest.approx(float(row["Pinst_env_computed"]), rel=0.01), row


def test_the_scale_and_the_gain_of_the_filters():
    for name, lamp in LAMPS.items():
        t = np.arange(40 * 4000) / 4000.0
        v = 1.0 + 0.005 * lamp.unity_percent * np.sin(2 * np.pi * 8.8 * t)
        assert instantaneous_flicker(v, 4000.0, name)[-4000:].max() == pytest.approx(1.0, abs=1e-3)
        assert abs(lamp.response(8.8)) * lamp.unity_percent == pytest.approx(0.25, rel=0.01)
    assert (lamp_of(60.0), lamp_of(50.0)) == ("120V60", "230V50")


def test_pst_is_proportional_and_a_steady_voltage_has_none():
    t = np.arange(60 * 400) / 400.0
    small, large = (instantaneous_flicker(rectangle(t, d, 39.0), 400.0) for d in (0.5, 1.0))
    assert pst(large) == pytest.approx(2.0 * pst(small), rel=0.01)
    assert instantaneous_flicker(np.full(4000, 230.0), 400.0).max() == pytest.approx(0.0, abs=1e-12)
    assert pst([]) != pst([])


def test_a_slow_drift_is_no_flicker():
    t = np.arange(0.0, 600.0 + 1e-9, 0.0025)
    assert flicker(t, 1.0 - 0.05 * t / 600.0).pst[0] < 0.05


def test_plt_and_periods():
    assert plt([1.0] * 12) == pytest.approx(1.0)
    assert plt([2.0] + [0.0] * 11) == pytest.approx((8.0 / 12.0) ** (1.0 / 3.0))
    t = np.arange(0.0, 25.0 + 1e-9, 0.0025)
    found = flicker(t, rectangle(t, 1.0, 110.0), period_s=5.0, skip_s=5.0)
    assert len(found.pst) == 4
    assert np.isnan(found.plt)


def test_the_analytic_method():
    """IEC 61000-3-3: one change of 2.715 % a minute, ten in ten minutes, is Pst = 1 within 4 %."""
    assert pst_of_changes([2.715] * 10) == pytest.approx(1.0, abs=0.04)
    assert pst_of_changes([1.0], shape=0.5) == pytest.approx(0.5 * pst_of_changes([1.0]))


def test_what_a_flickermeter_refuses():
    with pytest.raises(ResultError, match="400 samples"):
        instantaneous_flicker(np.ones(100), 240.0)
    with pytest.raises(ResultError, match="without gaps"):
        instantaneous_flicker([1.0, np.nan], 400.0)
    with pytest.raises(UnknownNameError, match="230V50"):
        instantaneous_flicker(np.ones(10), 400.0, "230V")
    with pytest.raises(ResultError, match=r"4\.17 ms"):
        even_samples(np.arange(10) / 240.0, np.ones(10))
    with pytest.raises(ResultError, match="part of the run"):
        even_samples([0.0, 0.001], [1.0, np.nan])
