"""Smoothing the measured cycle of a production job (arXiv:2508.14318): band, range, ramps, specification."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridai.cluster.shapers import (
    Battery,
    Capacitor,
    PowerFloor,
    RampLimit,
    Restlessness,
    Shaper,
    area,
    restlessness,
    shape,
    supercapacitor,
)
from gridai.cluster.waveform import trace
from gridai.kernel.profile import Profile

CYCLES, BAND = 12, 0.20
"""Cycles played; share of the energy of all that varies that the paper's example allows in 0.1 to 20 Hz."""


@pytest.fixture(scope="module")
def demand(reference_dir: Path) -> Profile:
    """100 MW on average."""
    course = trace(reference_dir / "power_traces" / "dgx_h100_production_cycle.csv", 0.0, CYCLES)
    return course.scaled(100.0).plus(100.0).between(0.0, float(course.t_s[-1]))


def late(demand: Profile, *shapers: Shaper) -> Restlessness:
    """Measures over the last six cycles."""
    end = float(demand.t_s[-1])
    return restlessness(shape(demand, shapers).power, end / 2.0, end)


def test_the_cycle_as_it_is(demand: Profile):
    """71 % of what varies lies in the band; 97 MW of range at 100 MW; falls by 531 MW/s."""
    m = late(demand)
    assert m.band_share == pytest.approx(0.713, abs=0.003)
    assert m.peak_to_peak_mw == pytest.approx(96.7, abs=0.1)
    assert (m.ramp_up_mw_per_s, m.ramp_down_mw_per_s) == (pytest.approx(307, rel=0.01), pytest.approx(531, rel=0.01))


def test_a_battery_meets_the_specification(demand: Profile):
    """80 MW, 1.1 MWh, 10 s: band 19.2 % (asked 20 %), range 16 MW, ramps 5.9 MW/s, rms in the band an eleventh."""
    before, m = late(demand), late(demand, Battery(80.0, 4000.0, smooth_s=10.0, restore_s=600.0))
    assert m.band_share == pytest.approx(0.192, abs=0.003)
    assert m.band_share <= BAND
    assert m.peak_to_peak_mw == pytest.approx(16.25, rel=0.01)
    assert m.ramp_down_mw_per_s == pytest.approx(5.9, rel=0.02)
    assert m.band_mw == pytest.approx(before.band_mw / 11.5, rel=0.02)


@pytest.mark.parametrize(
    ("shapers", "share", "range_mw"),
    [
        ((PowerFloor(118.6),), 0.927, 13.2),
        ((PowerFloor(118.6), RampLimit(5.0, 5.0)), 0.767, 2.5),
        ((RampLimit(5.0, 5.0),), 0.207, 19.4),
        ((Capacitor(100_000, smooth_s=1.0),), 0.693, 95.5),
        ((supercapacitor(80.0, 200.0),), 0.316, 63.1),
    ],
    ids=["floor", "floor+ramp", "ramp", "capacitor", "supercapacitor"],
)
def test_what_falls_short(demand: Profile, shapers: tuple[Shaper, ...], share: float, range_mw: float):
    """Named: a floor leaves the ripple, which lies in the band; 5 MW/s comes near (20.7 %); small stores run empty."""
    m = late(demand, *shapers)
    assert m.band_share == pytest.approx(share, abs=0.005)
    assert m.band_share > BAND
    assert m.peak_to_peak_mw == pytest.approx(range_mw, rel=0.01)


def test_what_the_floor_burns(demand: Profile):
    """A floor at 0.9 of the peak burns 20 % of the job's energy; with ramps of 5 MW/s the same and 0.9 s of work."""
    chain = shape(demand, [PowerFloor(118.6), RampLimit(5.0, 5.0)])
    assert chain.cost.ballast_mj / area(demand) == pytest.approx(0.197, abs=0.002)
    assert chain.cost.progress_s == pytest.approx(0.9, abs=0.1)
