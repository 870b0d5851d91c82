"""The study size: closed forms of a square wave within 1 %, limits of profiles, faults of input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.cluster.waveform import square
from gridai.errors import SettingError, UnknownNameError
from gridai.studies import Size
from gridai.studies.sizes import settled


@pytest.fixture(scope="module")
def case() -> Any:
    return load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16")


def test_square_wave_agrees_with_the_closed_form(case: Any):
    """Asked 1 %; reached: battery power 3e-5, energy 2e-5, time constant 2e-4, floor 1e-4, ramp 5e-4."""
    report = Size(range_mw=5.0, efficiency=1.0).run(case)
    forms = {key: float(m.note.removeprefix("closed form ")) for key, m in report.summary.items() if "closed" in m.note}
    assert set(forms) == {
        "battery_power", "battery_energy", "battery_smooth", "floor_level", "floor_lift", "floor_ballast", "ramp_rate",
    }  # fmt: skip
    for key, form in forms.items():
        assert report.summary[key].value == pytest.approx(form, rel=1e-3), key
    assert all(row[-1] == "met" for row in report.tables["sizes"].rows[1:])
    assert report.figure("sizes").axes


def test_a_size_is_the_smallest(case: Any):
    """Two hundredths more range asked, a smaller battery; the range left stands at the limit."""
    wide, tight = (Size(range_mw=r, frequency_hz=2.0, cycles=24).run(case) for r in (6.0, 5.0))
    assert wide.summary["battery_energy"].value < tight.summary["battery_energy"].value
    left = {row[0]: row[1] for row in tight.tables["sizes"].rows}
    assert all(4.97 < left[name] <= 5.0 for name in ("battery", "floor", "ramp"))


def test_losses_enter_capacity_and_energy(case: Any):
    """0.9 each way, a tenth of charge at either end: capacity by 1 / 0.72, losses 1 / 0.81 - 1 of what it gives."""
    found = Size(range_mw=8.0, frequency_hz=2.0, cycles=24, efficiency=0.9, soc_low=0.1).run(case).summary
    assert found["battery_capacity"].value == pytest.approx(found["battery_energy"].value / 0.72 / 3600.0)
    assert found["battery_loss"].value == pytest.approx(found["battery_throughput"].value * (1 / 0.81 - 1.0))


def test_limits_of_a_profile(case: Any):
    """ERCOT's proposal: 10 MW within 5 s in 0.1 to 55 Hz; what is left stands just below."""
    report = Size(profile="ercot-lel", amplitude_mw=20.0, frequency_hz=1.0, cycles=24).run(case)
    table = report.tables["sizes"]
    k = next(k for k, name in enumerate(table.columns) if "within 5 s (peak_to_peak), limit 10 [MW]" in name)
    values = {row[0]: row[k] for row in table.rows}
    assert values["none"] > 50.0
    assert all(9.9 < values[name] <= 10.0 for name in ("battery", "floor", "ramp"))


def test_a_small_ramp_is_met_by_the_battery_that_was_found(case: Any):
    """10 MW/min asks for 65 s of smoothing, longer than the course: the lag is started as it comes to repeat itself."""
    report = Size(ramp_mw_per_min=10.0).run(case)
    left = {row[0]: row[2] for row in report.tables["sizes"].rows}
    assert all(9.9 < left[name] <= 10.0 for name in ("battery", "ramp"))
    # The flat battery's closed form is the limit of much smoothing: D / 2 and D T / 4.
    assert report.summary["battery_energy"].value == pytest.approx(21.425 * 2.0 / 4.0, rel=1e-3)
    assert report.summary["battery_power"].value == pytest.approx(21.425 / 2.0, rel=0.01)


@pytest.mark.parametrize("smooth_s", [0.3, 5.0, 400.0])
def test_a_settled_lag_repeats_itself(smooth_s: float):
    """Ends where it starts, and the charge too: reached 1e-12 of the power, 1e-9 MJ."""
    wave = square(0.5, 20, 0.0).scaled(10.0).plus(100.0).between(0.0, 40.0)
    found = settled(wave, smooth_s, 0.01)
    assert found.power.values[-1] == pytest.approx(found.power.values[0], rel=1e-10)
    assert found.stored_mj.values[-1] == pytest.approx(found.stored_mj.values[0], abs=1e-6)
    small = settled(wave, smooth_s, 0.01, 21.0, 1.02 * np.ptp(found.stored_mj.values))
    assert small.cost.limited_s == 0.0


def test_windows_longer_than_the_course_are_named(case: Any):
    """IESO's ramps over 60 s cannot be judged on 16 s."""
    report = Size(profile="ieso", frequency_hz=1.0, cycles=32, amplitude_mw=1.0).run(case)
    assert "not assessable: ramp_rate over 60 s" in report.notes[0]


def test_production_cycle(case: Any, reference_dir: Path):
    """The paper's 20 % in the band: 63 MW and 0.055 MWh of battery at 106.6 MW; a floor must take all of it.

    Ramps of 2.1 MW/s: the job is slower under them, so more of what is left lies in the band (not stretched 3.9 MW/s).
    """
    file = reference_dir / "power_traces" / "dgx_h100_production_cycle.csv"
    report = Size(shape="measured", file=str(file), band_share=0.2).run(case)
    assert report.summary["battery_smooth"].value == pytest.approx(7.67, rel=0.01)
    assert report.summary["battery_energy"].value == pytest.approx(168.1, rel=0.01)
    assert report.summary["ramp_rate"].value == pytest.approx(2.10, rel=0.02)
    assert report.summary["floor_lift"].value == pytest.approx(103.6, rel=0.01)


def test_nothing_needed(case: Any):
    """A wide range needs no remedy."""
    free = Size(range_mw=100.0).run(case)
    assert free.summary["battery"].note == "none needed"
    assert free.summary["unmet"].value == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "nothing to meet"),
        ({"range_mw": 5.0, "efficiency": 1.5}, "efficiency.*1 at most"),
        ({"range_mw": 5.0, "soc_low": 0.5}, "soc_low.*below 0.5"),
        ({"range_mw": -1.0}, "range_mw.*above 0"),
        ({"range_mw": 5.0, "shape": "measured"}, "file"),
    ],
)
def test_bad_input_is_refused_by_name(settings: dict[str, Any], words: str):
    with pytest.raises(SettingError, match=f"(?s){words}"):
        Size(**settings)


def test_profiles_without_such_a_limit(case: Any):
    with pytest.raises(SettingError, match="no limit on a load's power"):
        Size(profile="wecc").run(case)
    with pytest.raises(UnknownNameError, match="ercot"):
        Size(profile="ercot-lol").run(case)
