"""Workloads: mean by calibration, phases, jobs, reproducible jitter, and the measured GPT-3 run."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from gridai.cluster import Cluster, Constant, Training, Workload
from gridai.errors import SettingError
from gridai.kernel.profile import Profile


def test_both_are_workloads() -> None:
    assert isinstance(Training(), Workload)
    assert isinstance(Constant(), Workload)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "work",
    [
        Training(),
        Training.gpt3(),
        Training(jitter=0.1, comm_level=0.4),
        Training(checkpoint_every_s=600.0),
        Training(eval_every=20, checkpoint_every_s=300.0, checkpoint_s=30.0, checkpoint_level=0.5),
    ],
)
def test_mean_is_one_and_the_course_starts_there(work: Training, seed: int) -> None:
    course = work.profile(7200.0, 512, 8, seed)
    assert course.mean(0.0, 7200.0) == pytest.approx(1.0, abs=0.005)
    assert course.value(0.0) == pytest.approx(1.0, abs=1e-12)
    assert (course.t_s[0], course.t_s[-1]) == (0.0, 7200.0)
    assert len(course.breaks) == 0


def test_levels_and_times_of_one_job_without_jitter() -> None:
    work = Training(step_s=10.0, comm_fraction=0.3, comm_level=0.8, edge_s=0.5, jitter=0.0, coherence=1.0)
    course = work.profile(100.0, 64, 8, 0)
    mean = 1.0 - 0.3 * 0.2
    assert course.values.max() == pytest.approx(1.0 / mean)
    assert course.values.min() == pytest.approx(0.8 / mean)
    assert course.mean(0.0, 50.0) == pytest.approx(1.0)
    fall = course.t_s[1:][np.diff(course.values) < -1e-9]
    np.testing.assert_allclose(np.diff(fall)[:-1], 10.0)


def test_evaluation_and_checkpoint_stand_where_they_should() -> None:
    work = Training(jitter=0.0, comm_level=1.0, eval_every=10, eval_s=5.0, eval_level=0.7, edge_s=0.2)
    course = work.profile(600.0, 64, 8, 0)
    low = course.t_s[np.flatnonzero(course.values < 0.75)]
    np.testing.assert_allclose(np.diff(low)[::2], 4.8)
    np.testing.assert_allclose(np.diff(low[::2]), 10 * 10.75 + 5.0)
    saved = Training(jitter=0.0, comm_level=1.0, checkpoint_every_s=107.5, checkpoint_s=5.0, edge_s=0.2)
    course = saved.profile(600.0, 64, 8, 0)
    low = course.t_s[np.flatnonzero(course.values < 0.85)]
    np.testing.assert_allclose(np.diff(low[::2]), 107.5 + 5.0)


def test_same_seed_same_course_other_seed_another() -> None:
    first, again, other = (Training().profile(300.0, 512, 8, seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_swing_shrinks_with_servers_and_with_jobs() -> None:
    work = Training()
    assert work.swing(8, 8) == pytest.approx(0.12)
    assert work.swing(512, 8) == pytest.approx(0.12 * np.sqrt(0.72 + 0.28 / 64))
    one = work.profile(3600.0, 16_384, 8, 0).resampled(0.5)
    many = work.profile(3600.0, 16 * 16_384, 8, 0).resampled(0.5)
    assert one.values.std() / many.values.std() == pytest.approx(4.0, rel=0.25)  # the square root of 16 jobs


def test_ripple_of_many_jobs_adds_by_chance() -> None:
    work = Training(comm_level=1.0, jitter=0.0, ripple=0.04, ripple_s=2.0, job_gpus=512)
    one, many = (work.profile(7200.0, n, 8, 0).resampled(0.5).values for n in (512, 16 * 512))
    assert one.std() == pytest.approx(0.04, rel=0.03)  # reached 0.0012
    assert one.std() / many.std() == pytest.approx(4.0, rel=0.05)  # reached 4.0


def test_default_cluster_swings_modestly() -> None:
    course = Cluster.of("H100", count=100_000).demand(3600.0)
    line = course.resampled(0.5).values
    assert 0.01 < line.std() / line.mean() < 0.025
    assert 0.92 < course.values.min() / line.mean() < course.values.max() / line.mean() < 1.04


def test_an_hour_of_a_large_cluster_is_quick() -> None:
    start = time.process_time()
    Cluster.of("H100", count=100_000).demand(3600.0)
    Cluster.of("B200", count=1_000_000).demand(3600.0)
    assert time.process_time() - start < 2.0  # reached 0.01 s and 0.11 s


def test_an_hour_at_10_ms_of_many_jobs_with_ripple_is_quick() -> None:
    work = Training(job_gpus=512, eval_every=12, ripple=0.013, ripple_s=0.3)
    start, n = time.process_time(), 0
    for t, _ in Cluster.of("H100", count=100_000, workload=work).stream(3600.0, 0.01):
        n += len(t)
    assert time.process_time() - start < 2.0  # reached 1.1 s on a busy core
    assert n == 360_000


def test_constant() -> None:
    course = Constant(0.6).profile(20.0, 8, 8, 0)
    assert isinstance(course, Profile)
    assert course.value(7.0) == 0.6
    assert Constant(0.6).mean == 0.6


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (
            {"step_s": -1.0, "comm_level": 2.0},
            ("2 faults", "step_s = -1.0", "comm_level = 2.0: give a number from 0.05 to 1"),
        ),
        ({"jitter": float("nan")}, ("jitter = nan",)),
        ({"comm_fraction": "a"}, ("comm_fraction = 'a'",)),
        ({"edge_s": 5.0}, ("edge_s = 5.0", "2.69 s")),
        ({"eval_every": 5, "eval_s": 0.1}, ("edge_s = 0.4", "0.1 s")),
        ({"checkpoint_every_s": 5.0}, ("checkpoint_every_s = 5.0", "at least one step_s")),
    ],
)
def test_bad_training_is_one_clear_error(settings: dict[str, float], parts: tuple[str, ...]) -> None:
    with pytest.raises(SettingError) as fault:
        Training(**settings)
    for part in parts:
        assert part in str(fault.value)


def test_too_many_jobs_and_a_bad_constant() -> None:
    with pytest.raises(SettingError, match=r"would run 12500 jobs; give at least 25 GPUs a job"):
        Training(job_gpus=8).profile(10.0, 100_000, 8, 0)
    with pytest.raises(SettingError, match="level = 0"):
        Constant(0.0)


def spectral_line(samples: np.ndarray) -> tuple[float, float]:
    """Frequency of the strongest line [1/sample] and the amplitude around it relative to the mean."""
    amplitude = 2.0 * np.abs(np.fft.rfft(samples - samples.mean())) / len(samples) / samples.mean()
    k = int(amplitude.argmax())
    return float(np.fft.rfftfreq(len(samples))[k]), float(np.sqrt((amplitude[max(k - 3, 0) : k + 4] ** 2).sum()))


def test_measured_gpt3_run(reference_dir: Path) -> None:
    """Predicted from the job's steps and evaluation and the H100's swing, not fitted to this trace."""
    with (reference_dir / "power_traces" / "gpt3_175b_512xh100_ac.csv").open(encoding="utf-8", newline="") as file:
        trace = np.array([float(row["total_kW"]) for row in csv.DictReader(file)])
    blocks = 23 * 142  # whole blocks, so that the line is sharp
    trace = trace[13 : 13 + blocks] / 512
    course = Cluster.of("H100", count=512, pue=1.0, workload=Training.gpt3()).demand(blocks + 4.0, seed=1)
    fine = course.value(np.arange(0.0, blocks + 3.0, 0.1))
    metered = np.convolve(fine, np.ones(20) / 20, "valid")[::10][:blocks] / 512 * 1e3  # 2 s meters, read each second
    line, own = spectral_line(trace), spectral_line(metered)
    assert line[0] == pytest.approx(13 / 142, rel=1e-6)
    assert own[0] == pytest.approx(line[0], rel=0.01)  # reached exactly
    assert own[1] == pytest.approx(line[1], rel=0.15)  # reached 0.061: 0.0396 against 0.0422
    assert metered.mean() == pytest.approx(trace.mean(), rel=0.01)  # reached 0.001
    assert metered.std() == pytest.approx(trace.std(), rel=0.15)  # reached 0.042
    for percentile in (5, 95):
        expected = np.percentile(trace, percentile)
        assert np.percentile(metered, percentile) == pytest.approx(expected, rel=0.03)  # reached 0.007
