"""Interrupted: a job that fails at published rates, stands, restarts and warms up.

    level  ____        __/~~~~      failure: power falls to idle in fall_s; detection and restart take down_s;
               |______/             then the job climbs for warm_s to its level
                down_s  warm_s

Failures come at random (exponential times) at a rate for one GPU, so a job of N GPUs fails N times as often. A whole
job stops when one of its GPUs does; while it stands its share of the cluster is idle.

Llama 3 (arXiv:2407.21783): 466 interruptions in 54 days at 16,384 GPUs, 47 planned and 419 not; of the 419: GPU 148,
HBM3 72, network 35, SRAM 19, GSP 17, processors 2, the rest other hardware and software. That is one in 2.8 h in all
and one in 3.1 h unplanned. down_s: the paper reports more than 90 % effective training time, so 466 stops in 54 days
took at most 0.1 x 54 d / 466 = 1,000 s each, lost work included; the default of 600 s is assumed within that bound and
marked unverified.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.base import Idle, Workload, added
from gridai.cluster.workloads.training import LLAMA3_GPUS, Training
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile, total

LLAMA3_DAYS = 54.0
LLAMA3_CAUSES = {
    "planned": 47, "GPU": 148, "HBM3": 72, "network": 35, "SRAM": 19, "GSP": 17, "processor": 2, "other": 126,
}  # fmt: skip
"""Interruptions of the Llama 3 run by cause; "other" is what the paper's 419 unplanned ones leave."""
LLAMA3_PER_GPU_DAY = 466 / (LLAMA3_DAYS * LLAMA3_GPUS)


@dataclass(frozen=True)
class Interrupted:
    """Jobs of `job_gpus` GPUs that fail and come back. Raises SettingError."""

    workload: Workload = field(default_factory=Training, metadata={"help": "what a job does while it runs", "unit": ""})
    per_gpu_day: float = setting(LLAMA3_PER_GPU_DAY, "1/d", "interruptions of one GPU in a day (Llama 3)", 0.0, 10.0)
    job_gpus: int = setting(LLAMA3_GPUS, "", "GPUs in one job: one that fails stops them all", 1, 1e8)
    down_s: float = setting(600.0, "s", "from the failure to the restart of the steps (unverified)", 1.0, 1e6)
    down_spread: float = setting(0.5, "", "standard deviation of the logarithm of down_s", 0.0, 3.0)
    idle_level: float = setting(Idle().level, "", "power while it stands over the mean in training", 0.0, 1.0)
    fall_s: float = setting(0.4, "s", "time in which the power falls", 1e-3, 60.0)
    warm_s: float = setting(30.0, "s", "warm-up: time in which power climbs back", 1e-3, 1e4)

    def __post_init__(self) -> None:
        bad = Problems("workload Interrupted")
        check_ranges(self, bad)
        if not isinstance(self.workload, Workload):
            bad.add("Interrupted", None, "workload", self.workload, "give a workload such as Training()")
        if not bad and self.per_gpu_day * self.job_gpus * (self.down_s + self.warm_s) > 86400.0:
            text = (
                f"{self.job_gpus} GPUs fail {self.per_gpu_day * self.job_gpus:.1f} times a day, so the job hardly runs"
            )
            bad.add("Interrupted", None, "down_s", self.down_s, f"{text}: give a lower rate or a shorter time")
        bad.raise_if_any(SettingError)

    @property
    def up_share(self) -> float:
        """Share of the time in which a job runs; the warm-up counts half."""
        up_s = 86400.0 / max(self.per_gpu_day * self.job_gpus, 1e-12)
        return (up_s + self.warm_s / 2.0) / (up_s + self.down_s + self.warm_s)

    @property
    def mean(self) -> float:
        """Mean level while all jobs run: a study starts there; `mean_with_stops` is that of a long time."""
        return self.workload.mean

    @property
    def mean_with_stops(self) -> float:
        """Mean level over a long time, stops included."""
        return self.up_share * self.workload.mean + (1.0 - self.up_share) * self.idle_level

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The jobs that fill the cluster, all running at time 0, each with failures of its own from then on."""
        sizes = [self.job_gpus] * (gpus // self.job_gpus) + [gpus % self.job_gpus] * (gpus % self.job_gpus > 0)
        if len(sizes) > 4096:
            raise SettingError(f"Interrupted: job_gpus = {self.job_gpus}: {len(sizes)} jobs; give larger jobs")
        rng = np.random.default_rng([seed, 466])
        running = added(
            [
                (n / gpus, partial(self._level, gpus=n, gpus_per_server=gpus_per_server, seed=seed, number=k))
                for k, n in enumerate(sizes)
            ],
            self.mean,
            until_s,
            rng,
        )
        stops = [self._stopped(until_s, n, rng).scaled(n / gpus) for n in sizes]
        stopped = total(stops, "stopped")
        return running.plus(-self.idle_level).times(stopped.scaled(-1.0).plus(1.0)).plus(self.idle_level)

    def _level(self, until_s: float, gpus: int, gpus_per_server: int, seed: int, number: int) -> Profile:
        own = int(np.random.SeedSequence([seed, number, 466]).generate_state(1)[0])
        return self.workload.profile(until_s, gpus, gpus_per_server, own)

    def failures(self, until_s: float, gpus: int, seed: int) -> Array:
        """Times at which a job of `gpus` GPUs fails while nothing else stops it. [s]"""
        rng = np.random.default_rng([seed, 0, 466])
        return _times(until_s, self.per_gpu_day * gpus / 86400.0, rng)

    def _stopped(self, until_s: float, gpus: int, rng: np.random.Generator) -> Profile:
        """1 while a job stands, 0 while it runs; it runs at time 0."""
        rate = self.per_gpu_day * gpus / 86400.0
        corners: list[tuple[float, float]] = [(0.0, 0.0)]
        at = 0.0
        while rate > 0.0:
            at += rng.exponential(1.0 / rate)
            if at > until_s:
                break
            stands_s = self.down_s * math.exp(self.down_spread * rng.standard_normal() - self.down_spread**2 / 2.0)
            back = at + max(stands_s, 2.0 * self.fall_s)
            corners += [(at, 0.0), (at + self.fall_s, 1.0), (back, 1.0), (back + self.warm_s, 0.0)]
            at = back + self.warm_s
        t, v = zip(*corners, strict=True)
        return Profile(t, v, "stopped").between(0.0, until_s)


def _times(until_s: float, rate_per_s: float, rng: np.random.Generator) -> Array:
    number = rng.poisson(rate_per_s * until_s)
    return np.sort(rng.uniform(0.0, until_s, number))
