"""Shapers against brute force, closed forms and their invariants: energy kept, charge within bounds, limits held."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gridai.cluster import Cluster, Constant
from gridai.cluster.shapers import (
    Ballast,
    Battery,
    Capacitor,
    Jitter,
    PowerCap,
    PowerFloor,
    RampLimit,
    Shaper,
    Stagger,
    area,
    restlessness,
    shape,
    smoothed,
    supercapacitor,
)
from gridai.cluster.waveform import Played, square
from gridai.errors import SettingError
from gridai.kernel.profile import Profile

EVERY = (
    PowerFloor(60.0),
    PowerFloor(60.0, hold_s=0.7),
    PowerCap(80.0),
    RampLimit(25.0, 40.0),
    RampLimit(down_mw_per_s=10.0),
    PowerCap(80.0, stretch=True),
    RampLimit(25.0, 40.0, stretch=True),
    RampLimit(5.0, 7.0, stretch=True),
    Ballast(70.0, most_mw=15.0, delay_s=0.13),
    Stagger(5, 7.0),
    Jitter(6, every_s=1.5, jitter=0.1),
    Battery(power_mw=20.0, energy_mj=40.0, smooth_s=4.0, restore_s=15.0),
    Battery(power_mw=200.0, energy_mj=25.0, smooth_s=0.0, ramp_mw_per_s=6.0, response_s=0.05),
    supercapacitor(50.0, 10.0),
    Capacitor(gpus=100_000, smooth_s=1.0),
)
"""One of each, sized so that every limit is met by `random_demand`."""


def random_demand(seed: int, span_s: float = 60.0) -> Profile:
    """Corners, plateaus and jumps between 30 and 110 MW."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0.0, span_s, 80))
    t[0], t[-1] = 0.0, span_s
    t[10:70:6] = t[11:71:6]
    v = rng.uniform(30.0, 110.0, 80)
    v[20:60:4] = v[21:61:4]
    return Profile(t, v, "random demand")


@pytest.mark.parametrize("shaper", EVERY, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("seed", range(4))
def test_energy_is_conserved_and_charge_stays_within_its_bounds(shaper, seed):
    """Asked 1e-9 of the energy; reached 4e-16 (stretched, with times rounded to 1e-10 s: 2e-12).

    The span is kept, and the power never falls below 0.
    """
    assert isinstance(shaper, Shaper)
    demand = random_demand(seed)
    found = shaper.shape(demand)
    # A battery whose own power lags feeds back for a moment after a fall of the demand.
    assert found.power.values.min() >= (-2.0 if getattr(shaper, "response_s", 0.0) else 0.0)
    assert abs(found.imbalance_mj) < 1e-11 * area(demand)
    assert (found.power.t_s[0], found.power.t_s[-1]) == (demand.t_s[0], demand.t_s[-1])
    if found.stored_mj is not None:
        store = (shaper.battery() if isinstance(shaper, Capacitor) else shaper).store()
        assert store.low_mj <= found.stored_mj.values.min()
        assert found.stored_mj.values.max() <= store.high_mj
        given = demand.plus(found.power.scaled(-1.0)).values
        assert np.abs(given).max() <= store.power_mw * (1.0 + 1e-9)
        assert found.cost.limited_s > 0.0
        assert found.cost.throughput_mj > 0.0
        assert found.cost.loss_mj >= 0.0


def test_stored_energy_is_the_integral_of_the_power_at_every_point():
    """Not only over the whole run; the efficiencies enter by the sign of the power. Reached 2e-13 MJ of 40."""
    battery, demand = Battery(power_mw=20.0, energy_mj=40.0, smooth_s=4.0, restore_s=15.0), random_demand(1)
    found = battery.shape(demand)
    given = demand.plus(found.power.scaled(-1.0))
    out = given.clipped(low=0.0).scaled(1.0 / battery.discharge_eff)
    into = given.clipped(high=0.0).scaled(battery.charge_eff)
    drawn = out.plus(into)
    area_to = np.concatenate([[0.0], np.cumsum(np.diff(drawn.t_s) * (drawn.values[1:] + drawn.values[:-1]) / 2.0)])
    at = np.interp(found.stored_mj.t_s, drawn.t_s, area_to)
    assert found.stored_mj.values == pytest.approx(0.5 * battery.energy_mj - at, abs=1e-10)


def brute(demand: Profile, step_s: float, follow) -> tuple[np.ndarray, np.ndarray]:
    """A recursion in small steps: y_{k+1} = follow(y_k, demand there, step)."""
    t = np.arange(demand.t_s[0], demand.t_s[-1], step_s)
    d, y = demand.value(t), np.empty(len(t))
    y[0] = d[0]
    for k in range(1, len(t)):
        y[k] = follow(y[k - 1], d[k], step_s)
    return t, y


@pytest.mark.parametrize("seed", range(3))
def test_ramp_limit_is_exact(seed):
    """Against a recursion of 1 ms: reached 0.053 MW; the rates themselves to rounding."""
    demand, limit = random_demand(seed), RampLimit(25.0, 40.0)
    power = limit.shape(demand).power
    t, y = brute(demand, 1e-3, lambda y, d, h: min(max(d, y - 40.0 * h), y + 25.0 * h))
    # A jump is met up to one step later by the recursion.
    assert np.abs(power.value(t) - y).max() < 0.08
    slope = np.diff(power.values) / np.diff(power.t_s)
    assert slope.max() <= 25.0 * (1.0 + 1e-6)
    assert slope.min() >= -40.0 * (1.0 + 1e-6)
    assert len(power.breaks) == 0


@pytest.mark.parametrize("limit", [RampLimit(25.0, 40.0, stretch=True), RampLimit(5.0, 7.0, stretch=True)])
def test_a_stretched_ramp_limit_is_exact(limit):
    """Against small steps of d job / dt = power / demand: reached 0.0056 MW of 110 and 0.18 ms of the job's time."""
    demand, h = random_demand(0), 1e-4
    found = limit.shape(demand)
    course = demand.value(np.arange(0.0, 60.1, h))
    y, job, power = float(course[0]), 0.0, np.empty(600_000)
    for k in range(len(power)):
        power[k] = y
        job += h * min(1.0, y / course[int(job / h)])
        y = min(max(course[int(job / h)], y - limit.down_mw_per_s * h), y + limit.up_mw_per_s * h)
    assert np.abs(found.power.value(h * np.arange(len(power))) - power).max() < 0.01
    assert found.job_s.values[-1] == pytest.approx(job, abs=5e-4)
    assert found.cost.progress_s == pytest.approx(60.0 - job, abs=5e-4)
    assert found.cost.deferred_mj == 0.0


@pytest.mark.parametrize("start_s", [0.0, 1.0])
def test_a_stretched_square_wave_by_hand(start_s):
    """80 to 120 MW every 2 s, from the high and from the low side: both come to the same course.

    Ramps of 15 MW/s: L = 15 MW below the top, each period L^2 / (2 15 120) = 62.5 ms longer; reached 1e-10 s. A cap of
    100 MW: the high second lasts 1.2 s. Not stretched, the ramp limit hangs 25 MW lower if it starts at the low side.
    """
    wave = square(0.5, 100, 0.0).scaled(20.0).plus(100.0).shifted(-start_s).between(0.0, 198.0)
    for shaper, period_s, top in ((RampLimit(15.0, 15.0, stretch=True), 2.0625, 120.0),
                                  (PowerCap(100.0, stretch=True), 2.2, 100.0)):  # fmt: skip
        chain = shape(wave, [shaper])
        ends = [chain.reached_s(150.0 + start_s + 2.0 * k) for k in range(4)]
        assert np.diff(ends) == pytest.approx([period_s] * 3, abs=1e-8)
        assert chain.power.between(150.0, 190.0).values.max() == pytest.approx(top)
    loose = RampLimit(15.0, 15.0).shape(wave).power.between(150.0, 190.0)
    assert loose.values.max() == pytest.approx(120.0 if start_s == 0.0 else 95.0)


def test_a_job_under_a_cap_below_its_lowest_demand_only_slows_down():
    """50 of 100 MW: half of the work in the span, the other half is left for later; job's time by hand."""
    found = PowerCap(50.0, stretch=True).shape(Profile([0.0, 10.0], [100.0, 100.0]))
    assert found.power.values == pytest.approx([50.0, 50.0])
    assert (found.cost.progress_s, found.cost.shifted_mj) == (pytest.approx(5.0), pytest.approx(500.0))
    assert shape(found.demand, [PowerCap(50.0, stretch=True)]).reached_s(5.0) == pytest.approx(10.0)
    assert math.isnan(shape(found.demand, [PowerCap(50.0, stretch=True)]).reached_s(6.0))


def test_a_meter_does_not_feed_back():
    """A demand that ends: the charge above its start is not given to the grid. Zero demand has no cost."""
    battery = Battery(power_mw=50.0, energy_mj=400.0, smooth_s=2.0, restore_s=5.0)
    power = battery.shape(Profile([0.0, 20.0, 20.0, 25.0, 25.0, 60.0], [0.0, 0.0, 80.0, 80.0, 0.0, 0.0])).power
    assert power.values.min() >= -1e-12
    still = Profile([0.0, 10.0], [0.0, 0.0])
    for shaper in (PowerCap(5.0, stretch=True), RampLimit(1.0, 1.0, stretch=True), battery):
        found = shaper.shape(still)
        assert found.power.values.max() == 0.0
        assert found.cost.progress_s == 0.0


def test_battery_follows_its_lag_and_meets_a_solver():
    """Unlimited: the grid sees the demand through 1/(1 + 4 s). Against 1 ms steps of the lag: 0.0071 MW of 110."""
    demand = random_demand(2)
    battery = Battery(power_mw=1e3, energy_mj=1e5, smooth_s=4.0, charge_eff=1.0, discharge_eff=1.0)
    power = battery.shape(demand).power
    t, y = brute(demand, 1e-3, lambda y, d, h: y + (d - y) * (1.0 - math.exp(-h / 4.0)))
    assert np.abs(power.value(t) - y).max() < 0.01
    coarse = replace(battery, step_s=0.5).shape(demand).power
    # Where the battery turns, a coarse piece is cut elsewhere: the ends of the pieces are what is exact.
    ends = 0.5 * np.arange(1, 120)
    assert coarse.value(ends) == pytest.approx(power.value(ends), abs=1e-9)


def test_floor_holds_and_gives_way():
    """Below 60 MW it holds for 2 s, then gives way until the demand is at 60 MW again; ballast by hand."""
    demand = Profile([0, 1, 1, 2, 2, 5, 5, 10, 10, 11], [80, 80, 50, 50, 80, 80, 40, 40, 80, 80])
    found = PowerFloor(60.0, hold_s=2.0).shape(demand)
    at = np.array([0.5, 1.5, 3.0, 6.0, 6.99, 7.01, 9.99, 10.01])
    assert list(found.power.value(at)) == [80, 60, 80, 60, 60, 40, 40, 80]
    assert found.cost.ballast_mj == pytest.approx(10 * 1 + 20 * 2)
    assert PowerFloor(60.0).shape(demand).cost.ballast_mj == pytest.approx(10 + 20 * 5)
    assert PowerFloor(60.0, hold_s=0.0).shape(demand).cost.ballast_mj == pytest.approx(0.0)


def test_floor_that_is_off_from_the_start_of_a_valley_that_lasts():
    """A demand below the floor at both ends."""
    demand = Profile([0, 4, 4, 6, 6, 20], [40, 40, 80, 80, 40, 40])
    power = PowerFloor(60.0, hold_s=1.0).shape(demand).power
    assert list(power.value(np.array([0.5, 1.5, 5.0, 6.5, 7.5, 19.0]))) == [60, 40, 80, 60, 40, 40]


def test_cap_defers_and_states_the_progress_lost():
    """A tenth of the energy deferred is a tenth of the time lost."""
    found = PowerCap(90.0).shape(Profile([0.0, 10.0], [100.0, 100.0]))
    assert (found.cost.deferred_mj, found.cost.progress_s) == (pytest.approx(100.0), pytest.approx(1.0))


def test_ballast_reacts_late_and_overshoots():
    """A valley from 1 to 3 s, met 0.25 s late, left 0.25 s late: 20 MW too much for so long."""
    demand = Profile([0, 1, 1, 3, 3, 6], [100, 100, 60, 60, 100, 100])
    power = Ballast(80.0, delay_s=0.25).shape(demand).power
    assert list(power.value(np.array([0.5, 1.1, 2.0, 3.1, 3.5]))) == [100, 60, 80, 120, 100]


def test_stagger_cancels_a_wave_spread_over_its_period():
    """Two jobs half a period apart make a square wave flat once both run; four cancel all but the fourth harmonics."""
    wave = square(0.5, 30, 0.0).scaled(20.0).plus(100.0).between(0.0, 60.0)
    assert restlessness(Stagger(2, 2.0).shape(wave).power, 20.0, 40.0).peak_to_peak_mw == 0.0
    other = square(0.5, 30, 0.0, duty=0.3).scaled(20.0).plus(100.0).between(0.0, 60.0)
    assert restlessness(Stagger(4, 2.0).shape(other).power, 20.0, 40.0).line_hz == pytest.approx(2.0)


def test_jitter_brings_jobs_out_of_step_and_counts_the_time():
    """The mean wait is the progress lost (0.06 / 1.06 of the span); the band is cut threefold."""
    wave = square(0.5, 200, 0.0).scaled(20.0).plus(100.0).between(0.0, 400.0)
    jitter = Jitter(16, every_s=2.0, jitter=0.06)
    found = jitter.shape(wave)
    assert found.cost.progress_s == pytest.approx(400.0 * 0.06 / 1.06, rel=0.03)
    before, after = (restlessness(x, 300.0, 400.0, periodic=False) for x in (wave, found.power))
    assert after.band_mw < before.band_mw / 3.0
    course, _ = jitter.stretched(wave, 3)
    assert area(course.between(0.0, 100.0)) > 0.0
    assert jitter.shape(wave).power == found.power


def test_measures_of_known_waves():
    """A square wave of 2 s: peak to peak, ramps over 0.1 s, its first line 4/pi of the half swing, all in the band."""
    wave = square(0.5, 20, 0.0).scaled(10.0).plus(100.0).between(0.0, 40.0)
    m = restlessness(wave, 0.0, 40.0)
    assert (m.mean_mw, m.peak_to_peak_mw) == (pytest.approx(100.0), pytest.approx(20.0))
    assert m.ramp_up_mw_per_s == m.ramp_down_mw_per_s == pytest.approx(200.0)
    assert m.line_mw == pytest.approx(40.0 / math.pi, rel=1e-4)
    assert m.line_hz == pytest.approx(0.5)
    assert 0.985 < m.band_share < 1.0
    assert m.band_mw == pytest.approx(10.0, rel=0.01)
    still = restlessness(Profile([0.0, 10.0], [5.0, 5.0]), 0.0, 10.0)
    assert (still.band_share, still.line_mw, still.ramp_up_mw_per_s) == (0.0, 0.0, 0.0)


def test_chain_adds_costs_and_hands_power_on():
    """Floor, then ramps, then a battery."""
    demand = random_demand(0)
    chain = shape(demand, [PowerFloor(60.0), RampLimit(25.0, 40.0), Battery(50.0, 500.0)])
    assert chain.power is chain.steps[-1].power
    assert chain.steps[1].demand is chain.steps[0].power
    assert chain.cost.ballast_mj == pytest.approx(sum(s.cost.ballast_mj for s in chain.steps))
    assert shape(demand, []).power is demand


def test_a_cluster_behind_shapers_starts_where_its_power_flow_does():
    """Also where a floor lifts it from the start."""
    wave = square(0.5, 20, 1.0).scaled(0.2).plus(0.9)
    cluster = Cluster.of("H100", count=100_000, workload=Played(wave))
    tamed = smoothed(cluster, PowerFloor(100.0), Battery(power_mw=30.0, energy_mj=300.0))
    demand = tamed.demand(20.0)
    assert demand.value(0.0) == pytest.approx(tamed.p_mw)
    assert tamed.p_mw == pytest.approx(100.0)
    assert demand.values.min() >= 99.999
    assert smoothed(Cluster.of("H100", count=1000, workload=Constant()), PowerCap(2.0)).p_mw == pytest.approx(1.07125)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Battery(energy_mj=0.0), "energy_mj.*without energy"),
        (lambda: Battery(power_mw=0.0), "power_mw.*without power"),
        (lambda: Battery(soc_low=0.9, soc_high=0.1), "soc_low.*below soc_high"),
        (lambda: Battery(soc=0.99), "soc.*0.05 to 0.95"),
        (lambda: Battery(smooth_s=0.0), "would do nothing"),
        (lambda: Battery(ramp_mw_per_s=0.0), "ramp_mw_per_s"),
        (lambda: Battery(charge_eff=1.2), "charge_eff"),
        (lambda: Capacitor(joule_per_gpu=0.0), "joule_per_gpu"),
        (lambda: PowerCap(cap_mw=30.0, idle_mw=41.8), "cap_mw.*idle"),
        (lambda: PowerFloor(floor_mw=-1.0), "floor_mw"),
        (lambda: PowerCap(0.0, stretch=True), "cap_mw.*more than 0 MW"),
        (lambda: PowerFloor(1.0, hold_s=-1.0), "hold_s"),
        (lambda: RampLimit(up_mw_per_s=0.0), "up_mw_per_s"),
        (lambda: RampLimit(up_mw_per_s=math.nan), "up_mw_per_s"),
        (lambda: Stagger(jobs=2.5), "jobs.*whole"),
        (lambda: Ballast(most_mw=0.0), "most_mw"),
        (lambda: Stagger(2, 100.0).shape(random_demand(0, 10.0)), "over_s.*lasts 10"),
        (lambda: shape(Profile.constant(5.0), [PowerFloor(1.0)]), "one instant"),
        (lambda: shape(Profile([0.0, 1.0], [5.0, -1.0]), []), "-1 MW at 1 s"),
        (lambda: Jitter(10_000, every_s=0.01).shape(random_demand(0)), "every_s"),
        (lambda: Battery(step_s=1e-5).shape(random_demand(0)), "too many"),
    ],
)
def test_bad_settings_are_refused_by_name(make, words):
    """Value, field and remedy in one line."""
    with pytest.raises(SettingError, match=f"(?s){words}"):
        make()
