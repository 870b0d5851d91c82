"""Calibration: parameters that made a trace are found again, parts of a run, measures, traces that cannot be fitted."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from gridai.cluster import Constant, Cycle, Phase, Serving, Trace, Training
from gridai.cluster.calibration import fit, fit_cycle, fit_serving, measure, segment
from gridai.cluster.calibration.measures import duration_curve, ramps, spectral_line
from gridai.cluster.calibration.periods import find_cycle, fold
from gridai.cluster.calibration.ripple import metered_covariance
from gridai.cluster.calibration.run import metered
from gridai.cluster.workloads.base import memory
from gridai.errors import SettingError
from gridai.kernel.profile import Profile

GPUS, MEAN_MW = 256, 0.2


def measured(work: Training, hours: float = 1.0, meter_s: float = 1.0, noise: float = 0.002, seed: int = 4) -> Trace:
    """A trace of a made-up run, as a meter of one reading a second shows it."""
    t = np.arange(0.0, 3600.0 * hours)
    course = work.profile(float(t[-1]), GPUS, 8, seed).scaled(MEAN_MW)
    rng = np.random.default_rng(seed)
    return Trace("made up", t, metered(course, t, meter_s) * (1.0 + noise * rng.standard_normal(len(t))), GPUS, meter_s)


BASE = Training(job_gpus=GPUS, edge_s=0.5, jitter=0.002)
RUNS = [
    replace(BASE, step_s=12.0, comm_fraction=0.3, comm_level=0.8),
    replace(BASE, step_s=25.0, comm_fraction=0.15, comm_level=0.6, jitter=0.005),
    replace(BASE, step_s=8.0, comm_fraction=0.35, comm_level=0.75, eval_every=20, eval_s=20.0, eval_level=0.85),
    replace(BASE, step_s=20.0, comm_fraction=0.2, comm_level=0.85, eval_every=6, eval_s=30.0, eval_level=0.7),
]


@pytest.mark.parametrize("run", RUNS, ids=["steps", "slow steps", "20 steps", "6 steps"])
def test_the_parameters_are_found_again(run: Training) -> None:
    found = fit(measured(run))
    work = found.workload
    assert isinstance(work, Training)
    assert work.step_s == pytest.approx(run.step_s, rel=0.01)
    assert work.eval_every == run.eval_every
    if run.eval_every:
        assert work.eval_s == pytest.approx(run.eval_s, rel=0.08)
        assert work.eval_level == pytest.approx(run.eval_level, abs=0.02)
    # A meter mixes depth and width of a dip: their product is what it can tell.
    dip, own = ((1.0 - w.comm_level) * w.comm_fraction for w in (work, run))
    assert dip == pytest.approx(own, rel=0.1)
    trace, model = found.measures(seed=1)
    assert model.mean == pytest.approx(trace.mean, rel=0.005)
    assert model.std == pytest.approx(trace.std, rel=0.1)
    assert model.line.f_hz == pytest.approx(trace.line.f_hz, rel=0.01)
    assert model.line.amplitude == pytest.approx(trace.line.amplitude, rel=0.15)
    assert model.ramp_p95 == pytest.approx(trace.ramp_p95, rel=0.2)


def test_stalls_are_found_again() -> None:
    run = replace(RUNS[0], stalls_per_h=12.0, stall_s=6.0, stall_level=0.5, stall_spread=0.0)
    found = fit(measured(run)).workload
    assert isinstance(found, Training)
    assert found.stalls_per_h == pytest.approx(12.0, abs=3.0)
    assert found.stall_level == pytest.approx(0.5, abs=0.1)
    assert found.stall_s == pytest.approx(6.0, abs=1.5)


@pytest.mark.parametrize(("meter_s", "step_s"), [(0.0, 1.0), (2.0, 1.0), (0.5, 1.0)])
def test_covariance_of_a_metered_noise(meter_s: float, step_s: float) -> None:
    time_s, fine = 1.5, 0.02
    x = memory(np.random.default_rng(0).standard_normal(2_000_000), np.exp(-fine / time_s))
    n = max(1, round(meter_s / fine))
    seen = np.convolve(x, np.full(n, 1.0 / n), mode="valid")
    lag = round(step_s / fine)
    found = np.mean(seen * seen), np.mean(seen[lag:] * seen[:-lag])
    assert found[0] == pytest.approx(metered_covariance(0.0, time_s, meter_s), rel=0.03)  # reached 0.007
    assert found[1] == pytest.approx(metered_covariance(step_s, time_s, meter_s), rel=0.03)  # reached 0.011


@pytest.mark.parametrize("run", [RUNS[0], replace(BASE, comm_level=1.0)], ids=["steps", "steady"])
def test_ripple_is_found_again(run: Training) -> None:
    run = replace(run, ripple=0.02, ripple_s=3.0)
    found = fit(measured(run, meter_s=2.0))
    assert isinstance(found.workload, Training)
    assert found.workload.ripple == pytest.approx(0.02, rel=0.2)
    # Where there are steps, what is left at their edges shortens the time: 1.1 s is found.
    if run.comm_level == 1.0:
        assert found.workload.ripple_s == pytest.approx(3.0, rel=0.3)
    trace, model = found.measures()
    assert model.std == pytest.approx(trace.std, rel=0.1)
    assert model.percentiles[5.0] == pytest.approx(trace.percentiles[5.0], rel=0.01)


def test_lone_deep_dips_do_not_hide_the_steps() -> None:
    trace = measured(replace(RUNS[0], comm_fraction=0.2, comm_level=0.92), hours=0.3)
    power = trace.mw.copy()
    power[[100, 333, 500, 777, 1000]] *= 0.3
    work = fit(replace(trace, mw=power)).workload
    assert isinstance(work, Training)
    assert work.step_s == pytest.approx(12.0, rel=0.01)
    assert work.stalls_per_h == pytest.approx(5 / 0.3, rel=0.05)


@pytest.mark.parametrize("fraction", [0.35, 0.2])
def test_steps_are_found_where_the_block_is_hard_to_see(fraction: float) -> None:
    """Thirty steps that drift between two evaluations: the block is blurred, a step is not."""
    run = replace(BASE, step_s=5.2, comm_fraction=fraction, comm_level=0.55, jitter=0.01, eval_every=30, eval_s=14.0,
                  eval_level=0.66)  # fmt: skip
    work = fit(measured(run, meter_s=0.0)).workload
    assert isinstance(work, Training)
    assert work.step_s == pytest.approx(5.2, rel=0.01)
    assert work.comm_level < 0.75


def test_no_jitter_and_no_ripple_where_there_is_none() -> None:
    run = replace(RUNS[3], jitter=0.0, stalls_per_h=4.0, stall_s=3.0, stall_level=0.6, stall_spread=0.0)
    work = fit(measured(run, noise=0.0)).workload
    assert isinstance(work, Training)
    assert work.jitter < 0.003  # reached 0.0015
    assert work.ripple < 0.003  # reached 0


def test_a_wild_ripple_never_makes_power_negative() -> None:
    course = Training(ripple=0.5, ripple_s=1.0).profile(600.0, GPUS, 8, 0)
    assert course.values.min() > 0.0


def test_parts_of_a_run_with_its_own_start_and_stop() -> None:
    t = np.arange(0.0, 900.0)
    run = RUNS[0].profile(900.0, GPUS, 8, 0).scaled(MEAN_MW).value(t)
    power = np.where(t < 100, 0.08, np.where(t < 300, 0.21, np.where(t < 350, 0.08, np.where(t < 850, run, 0.08))))
    trace = Trace("run", t, power, GPUS, 1.0)
    parts = segment(trace)
    assert [p.high for p in parts.parts] == [False, True, False, True, False]
    # A sample is of the part it is in, so an edge lies up to a sample before it.
    assert [p.start_s for p in parts.parts] == pytest.approx([0.0, 99.5, 299.5, 349.5, 849.5], abs=0.2)
    assert parts.training.start_s == pytest.approx(349.5, abs=0.2)
    assert parts.idle_mw == pytest.approx(0.08, rel=0.01)
    found = fit(trace)
    assert found.schedule.parts[0][2] == pytest.approx(0.21, rel=0.01)  # flat: warm-up
    assert found.schedule.parts[1][2] is None
    model = found.model(in_step=True)
    assert np.sqrt(np.mean((model.mw - trace.mw) ** 2)) < 0.05 * trace.mean_mw
    assert any(row[0] == "idle" for row in found.rows())


def test_edges_come_at_their_times_behind_a_meter() -> None:
    t = np.arange(0.0, 600.0)
    course = Profile([0.0, 200.0, 204.0, 500.0, 501.0, 600.0], [0.08, 0.08, 0.2, 0.2, 0.08, 0.08])
    found = fit(Trace("steps", t, metered(course, t, 4.0), GPUS, 4.0))
    ((start, end, _),) = found.schedule.parts
    assert start == pytest.approx(202.0, abs=0.3)
    assert end == pytest.approx(500.5, abs=0.3)
    assert np.abs(found.model().mw - found.trace.mw).max() < 0.1 * 0.12  # reached 0.035 of the step


def test_a_steady_load_and_one_with_lone_dips() -> None:
    rng = np.random.default_rng(0)
    flat = Trace("flat", np.arange(2000.0), 0.2 * (1.0 + 0.001 * rng.standard_normal(2000)), GPUS)
    assert fit(flat).workload == Constant(1.0)
    dips = flat.mw.copy()
    dips[[300, 301, 302, 1100, 1101, 1102, 1730, 1731, 1732]] *= 0.6
    work = fit(replace(flat, mw=dips)).workload
    assert isinstance(work, Training)
    assert work.comm_level == 1.0
    assert work.stalls_per_h == pytest.approx(3 * 3600 / 2000, rel=0.01)
    assert work.stall_level == pytest.approx(0.6, abs=0.02)


def test_cycle_and_fold() -> None:
    t = np.arange(0.0, 2000.0, 0.5)
    x = np.sin(2 * np.pi * t / 37.3) + 0.5 * np.sin(2 * np.pi * t / 37.3 * 5)
    found = find_cycle(x, 0.5)
    assert found is not None
    assert found.cycle_s == pytest.approx(37.3, rel=0.002)
    template = fold(x, 0.5, 37.0)
    assert template.cycle_s == pytest.approx(37.3, rel=0.002)
    assert np.std(x - template.at(t)) < 0.1 * np.std(x)
    assert find_cycle(np.random.default_rng(0).standard_normal(3000), 1.0) is None


def test_measures() -> None:
    t = np.arange(0.0, 1000.0)
    x = 5.0 + 0.3 * np.sin(2 * np.pi * 0.0731 * t)
    line = spectral_line(x, 1.0)
    assert line.f_hz == pytest.approx(0.0731, rel=0.002)
    assert line.amplitude == pytest.approx(0.3, rel=0.03)
    assert np.abs(ramps(x, 1.0, 2.0, meter_s=2.0)).max() == pytest.approx(0.3 * np.sin(2 * np.pi * 0.0731), rel=0.01)
    assert np.abs(ramps(x, 1.0, 10.0)).max() < np.abs(ramps(x, 1.0, 10.0, meter_s=10.0)).max()
    share, power = duration_curve(x)
    assert (np.diff(power) <= 0.0).all()
    assert np.interp(0.5, share, power) == pytest.approx(5.0, abs=0.01)
    found = measure(Trace("m", t, x))
    assert found.swing == pytest.approx(2 * 0.3 * np.sin(0.45 * np.pi), rel=0.02)
    with pytest.raises(SettingError, match="need more than"):
        ramps(x, 1.0, 900.0)


def test_meter_averages_exactly() -> None:
    course = Profile([0.0, 2.0, 2.0, 10.0], [0.0, 2.0, 6.0, 6.0])
    assert metered(course, np.array([2.0, 3.0, 6.0]), 2.0) == pytest.approx([1.0, (1.75 - 0.25 + 6.0) / 2.0, 6.0])
    assert metered(course, np.array([1.0, 3.0]), 0.0) == pytest.approx([1.0, 6.0])


def test_cycle_of_phases_is_found_again() -> None:
    made = Cycle((Phase(0.9, 3.0, 0.2), Phase(0.3, 1.0, 0.3), Phase(0.8, 4.0, 0.4), Phase(0.25, 2.0, 0.6)))
    t = np.sort(np.random.default_rng(0).uniform(0.0, 10.0, 150))
    t[[0, -1]] = 0.0, 10.0
    found = fit_cycle(t, made.one().value(t), period_s=10.0)
    assert found.rms < 0.03
    levels = [p.level for p in found.cycle.step if p.duration_s > 0.5]
    for own in (0.9, 0.3, 0.8, 0.25):
        assert min(abs(own - level) for level in levels) < 0.03
    two = np.concatenate([t[:-1], t + 10.0])
    again = fit_cycle(two[two < 12.0], np.interp(two[two < 12.0] % 10.0, t, made.one().value(t)))
    assert sum(p.duration_s for p in again.cycle.step) == pytest.approx(10.0, rel=0.02)


def test_serving_is_found_again() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(0.0, 300.0, 0.1)
    busy = (t > 50.0) & (t < 200.0)
    high = rng.random((len(t), 8)) < 0.3
    watt = np.where(busy[:, None], np.where(high, 320.0, 220.0), 80.0) + 5.0 * rng.standard_normal((len(t), 8))
    found = fit_serving(Trace("s", t, watt.sum(axis=1) / 1e6, 8), watt)
    work = found.workload
    assert isinstance(work, Serving)
    assert work.prefill_share == pytest.approx(0.3, abs=0.02)
    assert work.decode / work.prefill == pytest.approx(220.0 / 320.0, rel=0.02)
    assert work.correlation < 0.05
    trace, model = found.measures()
    assert model.mean == pytest.approx(trace.mean, rel=0.02)
    assert model.percentiles[95.0] == pytest.approx(trace.percentiles[95.0], rel=0.03)


def test_an_hour_is_fitted_quickly() -> None:
    t = np.arange(0.0, 3600.0, 0.1)
    course = RUNS[2].profile(3600.0, GPUS, 8, 0).scaled(MEAN_MW)
    start = time.process_time()
    found = fit(Trace("hour", t, metered(course, t, 0.5), GPUS, 0.5))
    _ = found.measures()
    assert time.process_time() - start < 10.0  # reached 2 s for 36,000 samples
    assert isinstance(found.workload, Training)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fit(Trace("short", np.arange(5.0), np.full(5, 0.2))), "5 samples; give 24 or more"),
        (
            lambda: fit(Trace("brief", np.arange(100.0), np.where(np.arange(100) > 85, 0.2, 0.08))),
            "busy part, 85.5 to 99",
        ),
        (lambda: fit(Trace("none", np.arange(50.0), np.zeros(50))), "no power at any time"),
        (lambda: fit_cycle(np.arange(5.0), np.ones(5)), "5 samples: give 12 or more"),
        (lambda: fit_cycle(np.arange(20.0), np.ones(20), period_s=50.0), "period_s = 50 s"),
        (lambda: fit_serving(Trace("s", np.arange(50.0), np.full(50, 0.001)), np.ones((3, 8))), r"shape \(3, 8\)"),
    ],
)
def test_what_cannot_be_fitted(make: object, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        make()  # type: ignore[operator]
