"""Sizes of battery, floor and ramp limit for a square wave: closed forms against the shapers, and the search."""

import math

import pytest

from gridai.cluster.shapers import Battery, PowerFloor, RampLimit, Shaped, restlessness
from gridai.cluster.shapers.sizing import (
    ballast_of_floor,
    flat_battery,
    growing,
    ramping_battery,
    smallest,
    smooth_for,
    smoothing_battery,
)
from gridai.cluster.waveform import square
from gridai.errors import SettingError
from gridai.kernel.profile import Profile

SWING, PERIOD = 40.0, 2.0
LATE = (160.0, 200.0)
"""Where the run repeats itself; whole periods. [s]"""
WAVE = square(1.0 / PERIOD, 100, 0.0).scaled(SWING / 2.0).plus(100.0).between(0.0, 200.0)


def lossless(**settings: float) -> Battery:
    """A battery without losses, and so large that nothing limits it."""
    return Battery(**{"power_mw": 1e3, "energy_mj": 1e5, "charge_eff": 1.0, "discharge_eff": 1.0, **settings})


def used(found: Shaped) -> tuple[float, float, float]:
    """Power, energy between lowest and highest charge, and swing left, once the run repeats. [MW, MJ, MW]"""
    given = WAVE.plus(found.power.scaled(-1.0)).between(*LATE)
    stored = found.stored_mj.between(*LATE).values
    return abs(given.values).max(), stored.max() - stored.min(), restlessness(found.power, *LATE).peak_to_peak_mw


@pytest.mark.parametrize("tau", [0.5, 2.0, 10.0])
def test_smoothing_battery(tau):
    """Asked 1 %; reached 3.3e-5 (charge read at steps of 10 ms)."""
    size = smoothing_battery(SWING, PERIOD, tau)
    power, energy, left = used(lossless(smooth_s=tau).shape(WAVE))
    assert (power, energy, left) == (
        pytest.approx(size.power_mw, rel=1e-5),
        pytest.approx(size.energy_mj, rel=1e-4),
        pytest.approx(size.left_mw, rel=1e-5),
    )


def test_ramping_battery():
    """Asked 1 %; reached 5e-5 (charge read at steps of 10 ms)."""
    size = ramping_battery(SWING, PERIOD, 60.0)
    power, energy, left = used(lossless(smooth_s=0.0, ramp_mw_per_s=60.0).shape(WAVE))
    assert (power, left) == (pytest.approx(size.power_mw), pytest.approx(size.left_mw))
    assert energy == pytest.approx(size.energy_mj, rel=1e-4)
    with pytest.raises(SettingError, match="never arrives"):
        ramping_battery(SWING, PERIOD, 10.0)


def test_flat_battery_is_the_limit_of_much_smoothing():
    """tau of 50 periods: within 0.1 % of the battery that makes it flat."""
    size, flat = smoothing_battery(SWING, PERIOD, 100.0), flat_battery(SWING, PERIOD)
    assert size.power_mw == pytest.approx(flat.power_mw, rel=6e-3)
    assert size.energy_mj == pytest.approx(flat.energy_mj, rel=1e-3)


def test_floor_and_ramp_limit():
    """Ballast of a floor, swing and energies of a ramp limit: exact."""
    floor = PowerFloor(95.0).shape(WAVE)
    assert floor.cost.ballast_mj == pytest.approx(100 * ballast_of_floor(SWING, PERIOD, 25.0), rel=1e-12)
    found = RampLimit(60.0, 60.0).shape(WAVE)
    each = ramping_battery(SWING, PERIOD, 60.0).energy_mj
    # The first edge is met at the start of the run, so one rise is missing.
    assert found.cost.ballast_mj == pytest.approx(100 * each, rel=1e-9)
    assert found.cost.deferred_mj == pytest.approx(99 * each, rel=1e-2)
    assert restlessness(RampLimit(15.0, 15.0).shape(WAVE).power, *LATE).peak_to_peak_mw == pytest.approx(15.0)


def test_search_finds_the_closed_form():
    """Least smoothing that leaves 8 MW, and from it the battery: asked 1 %; reached 0.1 %, the search's bracket."""

    def meets(tau: float) -> bool:
        return restlessness(lossless(smooth_s=tau).shape(WAVE).power, *LATE).peak_to_peak_mw <= 8.0

    tau = smallest(meets, 0.1, 100.0)
    assert tau == pytest.approx(smooth_for(SWING, PERIOD, 8.0), rel=3e-3)
    power, energy, _ = used(lossless(smooth_s=tau).shape(WAVE))
    size = smoothing_battery(SWING, PERIOD, smooth_for(SWING, PERIOD, 8.0))
    assert (power, energy) == (pytest.approx(size.power_mw, rel=3e-3), pytest.approx(size.energy_mj, rel=3e-3))


def test_a_battery_of_the_found_size_is_enough_and_a_tenth_less_is_not():
    """With its start in the middle of the charge it uses; the first period starts off the cycle, so it needs more."""
    whole = lossless(smooth_s=2.0).shape(WAVE)
    low, high = whole.stored_mj.values.min(), whole.stored_mj.values.max()
    need, start = high - low, (5e4 - low) / (high - low)
    bounds = {"smooth_s": 2.0, "power_mw": 1e3, "soc_low": 0.0, "soc_high": 1.0, "soc": start}
    assert lossless(energy_mj=1.0001 * need, **bounds).shape(WAVE).cost.limited_s < 0.05
    assert lossless(energy_mj=0.9 * need, **bounds).shape(WAVE).cost.limited_s > 0.5


def test_losses_draw_the_charge_down_and_restoring_holds_it():
    """0.9 each way: without restoring the charge falls for ever, with it the mean grid power covers the loss."""
    losing = lossless(smooth_s=2.0, charge_eff=0.9, discharge_eff=0.9)
    falls = losing.shape(WAVE)
    assert falls.stored_mj.values[-1] < falls.stored_mj.values[0] - 100.0
    holds = lossless(smooth_s=2.0, charge_eff=0.9, discharge_eff=0.9, restore_s=5.0).shape(WAVE)
    late = holds.stored_mj.between(*LATE).values
    assert abs(late[-1] - late[0]) < 0.01
    assert holds.power.mean(*LATE) == pytest.approx(WAVE.mean(*LATE) + 2.07, abs=0.3)


def test_smallest_says_when_nothing_meets():
    """The lower end that meets already, and None where nothing does."""
    assert smallest(lambda x: x > 0.0, 1.0, 2.0) == 1.0
    assert smallest(lambda x: x > 5.0, 1.0, 2.0) is None
    assert growing(lambda x: x >= 30.0, 1.0, 90.0) == pytest.approx(30.0, rel=2e-3)
    assert growing(lambda x: x > 0.0, 1.0, 90.0) == 1.0
    assert growing(lambda x: x > 100.0, 1.0, 90.0) is None
    assert smallest(lambda x: x >= 3.0, 1.0, 9.0) == pytest.approx(3.0, rel=2e-3)
    with pytest.raises(SettingError):
        smallest(lambda x: True, 2.0, 1.0)
    with pytest.raises(SettingError):
        smooth_for(10.0, 1.0, 11.0)


def test_wave_is_what_the_closed_forms_take():
    """Mean, swing, half the time high."""
    assert isinstance(WAVE, Profile)
    assert WAVE.mean(*LATE) == pytest.approx(100.0)
    assert math.isclose(restlessness(WAVE, *LATE).peak_to_peak_mw, SWING)
