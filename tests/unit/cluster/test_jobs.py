"""Jobs: checkpoints of stated size, stragglers, stalls, failures at published rates, cycles, mixed clusters."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.cluster import HARDWARE, Cluster, Constant, Training, Workload
from gridai.cluster.workloads import Checkpoint, Cycle, Idle, Interrupted, Mixed, Part, Phase
from gridai.cluster.workloads.base import cut
from gridai.cluster.workloads.failures import LLAMA3_CAUSES, LLAMA3_PER_GPU_DAY
from gridai.errors import SettingError
from gridai.kernel.profile import Profile

BLOCK = Cycle((Phase(1.0, 8.0, 0.4), Phase(0.5, 2.0, 0.4)), repeat=10, after=(Phase(0.7, 13.0, 0.4),), jitter=0.01)
JOBS = [
    Idle(),
    Training(straggler_share=0.05, straggler_s=6.0),
    Training(stalls_per_h=20.0, stall_level=0.6),
    Training(eval_every=12, switch_s=2.0, switch_level=0.7),
    Training(ripple=0.03, ripple_s=5.0),
    Training(eval_every=12, stalls_per_h=6.0, checkpoint_every_s=600.0, straggler_share=0.02),
    BLOCK,
    Mixed((Part(0.6, Training()), Part(0.3, BLOCK), Part(0.1, Idle()))),
    Interrupted(per_gpu_day=0.0),
]


@pytest.mark.parametrize("work", JOBS, ids=lambda w: type(w).__name__)
def test_long_mean_start_and_seed(work: Workload) -> None:
    assert isinstance(work, Workload)
    courses = [work.profile(20_000.0, 16_384, 8, seed) for seed in (0, 1, 2)]
    assert np.mean([c.mean(0.0, 20_000.0) for c in courses]) == pytest.approx(work.mean, rel=0.004)  # reached 0.0007
    for course in courses:
        assert course.value(0.0) == pytest.approx(work.mean, rel=1e-9)
        assert (course.t_s[0], course.t_s[-1]) == (0.0, 20_000.0)
    assert work.profile(500.0, 512, 8, 7) == work.profile(500.0, 512, 8, 7)


def test_checkpoint_of_llama3() -> None:
    saved = Checkpoint.of_model(405.0)
    assert saved.size_gb == pytest.approx(5670.0)
    assert saved.duration_s == pytest.approx(2.835)
    job = Training(jitter=0.0, comm_level=1.0).with_checkpoint(
        Checkpoint(1000.0, 50.0, overhead_s=5.0), 107.5, level=0.6
    )
    course = job.profile(600.0, 64, 8, 0)
    low = course.t_s[np.flatnonzero(course.values < 0.7)]
    np.testing.assert_allclose(np.diff(low)[::2], 25.0 - 0.4)  # 1,000 GB at 50 GB/s and 5 s
    np.testing.assert_allclose(np.diff(low[::2]), 107.5 + 25.0)


def test_stragglers_lengthen_communication() -> None:
    quick, slow = (Training(jitter=0.0, straggler_share=s, straggler_s=5.0) for s in (0.0, 1.0))
    a, b = (w.profile(2000.0, 64, 8, 0) for w in (quick, slow))
    steps = [len(c.crossings((c.values.max() + c.values.min()) / 2)) for c in (a, b)]
    assert steps[0] / steps[1] == pytest.approx(15.75 / 10.75, rel=0.02)


def test_stalls_come_as_often_and_as_deep_as_stated() -> None:
    work = Training(jitter=0.0, comm_level=1.0, stalls_per_h=30.0, stall_s=4.0, stall_level=0.7)
    course = work.profile(36_000.0, 64, 8, 3)
    top = course.values.max()
    stalls = course.values[np.flatnonzero(np.diff(course.values) > 1e-9)] / top
    assert len(stalls) == pytest.approx(300, abs=8)  # reached 4: some of the last ones lie beyond the end
    assert stalls.mean() == pytest.approx(0.7, abs=0.01)
    assert stalls.min() >= 0.05


def test_failures_of_llama3() -> None:
    assert sum(LLAMA3_CAUSES.values()) == 466
    job = Interrupted()
    found = [len(job.failures(54 * 86_400.0, 16_384, seed)) for seed in range(20)]
    assert np.mean(found) == pytest.approx(466, rel=0.03)  # reached 0.014
    assert pytest.approx(466) == LLAMA3_PER_GPU_DAY * 16_384 * 54
    assert 0.9 < job.up_share < 1.0  # the paper: more than 90 % effective
    idle = Idle.of(HARDWARE["H100"]).level
    course = job.profile(5 * 86_400.0, 16_384, 8, 1)
    stands = course.values <= idle + 1e-9
    assert stands.any()
    assert course.values.min() == pytest.approx(idle)
    assert course.mean(0.0, 5 * 86_400.0) == pytest.approx(job.mean_with_stops, rel=0.03)
    half = Interrupted(Constant(), down_spread=0.0, down_s=100.0, warm_s=20.0).profile(2 * 86_400.0, 16_384, 8, 2)
    down = half.crossings(0.6)
    np.testing.assert_allclose(np.diff(down)[::2], 106.7, atol=0.5)  # 100 s and a third of the warm-up


def test_many_jobs_fail_apart_and_leave_the_others_running() -> None:
    work = Interrupted(workload=Constant(), job_gpus=1000, per_gpu_day=2e-3, down_spread=0.0)
    course = work.profile(86_400.0, 10_000, 8, 0)
    alone = 1.0 - 0.1 * (1.0 - work.idle_level)
    assert np.isclose(course.values, alone).sum() > 10
    assert course.mean(0.0, 86_400.0) == pytest.approx(work.mean_with_stops, rel=0.01)


def test_jobs_side_by_side_are_not_in_step() -> None:
    same = Training(jitter=0.0, job_gpus=512)
    two = Mixed((Part(0.5, same), Part(0.5, same)))
    t = np.arange(0.0, 200.0, 0.1)
    swings = [np.ptp(two.profile(200.0, 1024, 8, seed).value(t)) for seed in range(8)]
    assert np.std(swings) > 0.01


def test_strong_scaling() -> None:
    job = Training(step_s=40.0, comm_fraction=0.05, eval_every=10, eval_s=16.0, edge_s=1.0)
    more = job.on_more_gpus(8.0)
    assert more.step_s == pytest.approx(38.0 / 8 + 2.0)
    assert more.step_s * more.comm_fraction == pytest.approx(2.0)
    assert more.eval_s == pytest.approx(2.0)
    assert job.on_more_gpus(1.0) == job


def test_one_iteration_of_a_cycle() -> None:
    one = Cycle((Phase(1.0, 3.0, 0.5), Phase(0.4, 2.0, 1.0))).one()
    assert one.value(np.array([1.0, 2.5, 3.0, 4.0, 5.0])) == pytest.approx([1.0, 1.0, 0.7, 0.4, 0.7])
    assert cut(Profile([0.0, 10.0], [0.0, 10.0]), 4.0, 3.0) == Profile([0.0, 3.0], [4.0, 7.0])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Training(stalls_per_h=1000.0, stall_s=3.0), "are half the time"),
        (lambda: Training(stalls_per_h=1.0, stall_s=0.1), r"stall_s = 0.1: give 0.4 s or more"),
        (lambda: Cycle(()), "one phase at least"),
        (lambda: Cycle((Phase(),), repeat=3), "3 iterations before it: give both or none"),
        (lambda: Cycle((Phase(1.0, 0.1, 1.0), Phase(0.5, 5.0, 0.1))), "phase 1 = 0.1: its edges take 0.55 s"),
        (lambda: Cycle((Phase(level=-1.0),)), "level = -1.0"),
        (lambda: Mixed((Part(0.5, Training()),)), "share = 0.5: the shares must add up to 1"),
        (lambda: Mixed((Part(1.0, 3),)), r"parts\[0\].workload = 3"),  # type: ignore[arg-type]
        (lambda: Interrupted(workload=None), "workload, such as|give a workload such as"),  # type: ignore[arg-type]
        (lambda: Interrupted(per_gpu_day=1.0), "the job hardly runs"),
        (lambda: Interrupted(job_gpus=10, per_gpu_day=0.0).profile(10.0, 100_000, 8, 0), "10000 jobs; give larger"),
        (lambda: Checkpoint(bandwidth_gb_s=0.0), "bandwidth_gb_s = 0.0"),
        (lambda: Cluster.of("H100", 8, workload=Part()), "workload = Part"),
    ],
)
def test_bad_settings(make: object, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        make()  # type: ignore[operator]
