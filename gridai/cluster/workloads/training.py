r"""Training: power against time in iterations, as a fraction of the hardware's mean power in training.

    fraction
      1.02 |  _______            _______            ____
      1.00 |-/-------\----------/-------\----------/----- mean, exactly 1 over a long time
      0.92 |_/        \________/         \________/
            <- comm -> <- compute ->  one iteration (step_s)

Time zero is an instant at which the course draws its mean, so a study starts from the power of the power flow.

How the mean is met. The catalogue gives the measured mean power of a GPU in training. The course below is made of
phases with levels relative to the compute phase; it is divided by the mean of one whole cycle (steps, evaluation,
stragglers, stalls, checkpoint), which is known in closed form. Jitter changes a finite sample by less than 0.5 %.

Stragglers: in straggler_share of the steps all servers wait for one, straggler_s longer at the level of communication.
Evaluations may begin with a stand: the last communication before one and its first switch_s are at switch_level, with
sharp edges, while the job switches over.
Stalls: stalls_per_h times an hour the job stands for stall_s; the power falls by 1 - stall_level in the mean, all alike
(stall_spread 0) or distributed exponentially (1). Depths are taken by strata (the midpoints of n equal parts of the
distribution, in random order), so that an hour holds the shallow and the deep ones in their proportion.
Ripple: all that varies besides, as noise of the job as a whole with an exponential correlation.

How the swing is found. Measured numbers (power_traces of the reference data):
  one node, 0.2 s        a GPU falls by 16 % in the 2.5 s of communication of a 10.4 s step (arXiv:2604.07345)
  at the plug            0.16 x 630/857 = 12 %: comm_level 0.88
  64 nodes, 512 GPUs     nodes correlate by 0.72, so the sum keeps sqrt(0.72) = 0.85 of it: 10 %
                         measured: 0.80 against 0.89 kW a GPU, spectral line 4.3 % of the mean (MLPerf, GPT-3)
  a large cluster        runs several jobs that know nothing of each other: 100,000 GPUs hold six of 16,384 (the size
                         of Llama 3's job, arXiv:2407.21783) and a part, whose swings add by chance, to about 4 %
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.base import from_mean, memory
from gridai.cluster.workloads.checkpoints import Checkpoint
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile, total

Bools = npt.NDArray[np.bool_]

LLAMA3_GPUS = 16_384
MOST_POINTS = 5_000_000
STALL_EDGE_S = 0.4
"""Edges of a stall, and of the switch to an evaluation: the fall of a production job's power (arXiv:2508.14318). [s]"""


@dataclass(frozen=True)
class Training:
    """Training in iterations of a compute and a communication phase. The module's docstring gives the sources.

    Levels are AC power of a server relative to its compute phase. Evaluation and checkpoints are off by default,
    because a short study would show them by chance; `Training.gpt3()` has the evaluations of the measured run.
    """

    step_s: float = setting(10.75, "s", "duration of one iteration (GPT-3 175B on 512 H100)", 0.05, 1000.0)
    comm_fraction: float = setting(0.25, "", "share of the step spent in communication", 0.01, 0.9)
    comm_level: float = setting(0.88, "", "server power in communication relative to compute", 0.05, 1.0)
    edge_s: float = setting(0.4, "s", "time in which power changes from one phase to the next", 1e-3, 60.0)
    jitter: float = setting(0.01, "", "standard deviation of the step time relative to it", 0.0, 0.2)
    coherence: float = setting(0.72, "", "correlation of the swings of two servers of one job", 0.0, 1.0)
    job_gpus: int = setting(LLAMA3_GPUS, "", "GPUs in one job; a larger cluster runs several, unsynchronised", 1, 1e7)
    eval_every: int = setting(0, "steps", "steps between two evaluations; 0 is none", 0, 1e6)
    eval_s: float = setting(13.0, "s", "duration of an evaluation", 0.0, 1e4)
    eval_level: float = setting(0.90, "", "server power in evaluation relative to compute", 0.05, 1.2)
    switch_s: float = setting(0.0, "s", "stand at the start of an evaluation, part of eval_s", 0.0, 1e4)
    switch_level: float = setting(0.85, "", "server power in it relative to compute", 0.05, 1.2)
    checkpoint_every_s: float = setting(0.0, "s", "training time between two checkpoints; 0 is none", 0.0, 1e6)
    checkpoint_s: float = setting(18.0, "s", "duration of a checkpoint", 0.0, 1e4)
    checkpoint_level: float = setting(0.79, "", "server power in a checkpoint relative to compute", 0.05, 1.2)
    straggler_share: float = setting(0.0, "", "share of the steps in which all wait for one server", 0.0, 1.0)
    straggler_s: float = setting(2.0, "s", "how long they wait", 0.0, 1e4)
    stalls_per_h: float = setting(0.0, "1/h", "stalls of the whole job in an hour", 0.0, 3600.0)
    stall_s: float = setting(3.0, "s", "duration of a stall", 0.0, 1e4)
    stall_level: float = setting(0.75, "", "mean power in a stall relative to compute", 0.05, 1.0)
    stall_spread: float = setting(1.0, "", "spread of the stalls' depths: 0 all alike, 1 exponential", 0.0, 1.0)
    ripple: float = setting(0.0, "", "standard deviation of what else varies, over the mean", 0.0, 0.5)
    ripple_s: float = setting(2.0, "s", "time in which the ripple's correlation falls to 1/e", 0.01, 1e4)

    def __post_init__(self) -> None:
        bad = Problems("workload Training")
        check_ranges(self, bad)
        if not bad:
            self._check_edges(bad)
        bad.raise_if_any(SettingError)

    def _check_edges(self, bad: Problems) -> None:
        shortest = self._shortest_s
        if self.stalls_per_h:
            if self.stall_s < min(self.edge_s, STALL_EDGE_S):
                bad.add("Training", None, "stall_s", self.stall_s, f"give {min(self.edge_s, STALL_EDGE_S):g} s or more")
            if self.stalls_per_h * self.stall_s > 1800.0:
                bad.add("Training", None, "stalls_per_h", self.stalls_per_h, f"of {self.stall_s:g} s are half the time")
        if self.eval_every and self.switch_s and not STALL_EDGE_S <= self.switch_s <= self.eval_s - self.edge_s:
            remedy = f"give 0, or {STALL_EDGE_S:g} s to eval_s less an edge, {self.eval_s - self.edge_s:.3g} s"
            bad.add("Training", None, "switch_s", self.switch_s, remedy)
        if self.checkpoint_every_s:
            shortest = min(shortest, self.checkpoint_s)
            if self.checkpoint_every_s < self.step_s:
                bad.add("Training", None, "checkpoint_every_s", self.checkpoint_every_s, "give at least one step_s")
        if self.edge_s > shortest:
            bad.add("Training", None, "edge_s", self.edge_s, f"must not exceed the shortest phase, {shortest:.3g} s")

    @property
    def _shortest_s(self) -> float:
        """The shortest of compute, communication (where it shows) and evaluation. [s]"""
        shares = [1.0 - 3.0 * self.jitter]
        if self.comm_level < 1.0:
            shares = [self.comm_fraction, 1.0 - self.comm_fraction - 3.0 * self.jitter]
        return min(self.step_s * min(shares), self.eval_s - self.switch_s if self.eval_every else math.inf)

    @classmethod
    def gpt3(cls) -> Training:
        """The measured GPT-3 175B run on 512 H100: 12 steps and an evaluation, 142 s in all (MLPerf)."""
        return cls(eval_every=12)

    def with_checkpoint(self, checkpoint: Checkpoint, every_s: float, level: float | None = None) -> Training:
        """The same job with checkpoints of a stated size and bandwidth, every so many seconds of training."""
        at = self.checkpoint_level if level is None else level
        return replace(self, checkpoint_every_s=every_s, checkpoint_s=checkpoint.duration_s, checkpoint_level=at)

    def on_more_gpus(self, ratio: float, efficiency: float = 1.0) -> Training:
        """The same job on `ratio` times the GPUs (strong scaling): steps and evaluations are shorter.

        efficiency: the speed reached over `ratio` times that of before.

        Compute and evaluation share their work, communication keeps its time (ring all-reduce: its volume for one
        GPU hardly depends on their number). Edges shrink with the shortest phase. Ratio below 1: on fewer GPUs.
        """
        comm_s = self.comm_fraction * self.step_s if self.comm_level < 1.0 else 0.0
        ratio *= efficiency
        step_s = (self.step_s - comm_s) / ratio + comm_s
        fraction = min(comm_s / step_s, 0.9) if comm_s else self.comm_fraction
        switch_s = self.switch_s / ratio if self.switch_s / ratio >= STALL_EDGE_S else 0.0
        shorter = replace(self, step_s=step_s, comm_fraction=fraction, eval_s=self.eval_s / ratio, switch_s=switch_s,
                          edge_s=1e-3)  # fmt: skip
        return replace(shorter, edge_s=min(self.edge_s, shorter._shortest_s))

    @property
    def mean(self) -> float:
        """1: the catalogue's training power is the mean."""
        return 1.0

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The sum of the jobs that fill the cluster, each with its own phase, from an instant of mean power on."""
        sizes = [self.job_gpus] * (gpus // self.job_gpus) + [gpus % self.job_gpus] * (gpus % self.job_gpus > 0)
        if len(sizes) > 4096:
            raise SettingError(
                f"Training: job_gpus = {self.job_gpus}: a cluster of {gpus} GPUs would run {len(sizes)} jobs; "
                f"give at least {math.ceil(gpus / 4096)} GPUs a job"
            )
        lead_s = 2.0 * self._cycle_s
        jobs = [self._job(until_s + lead_s, n / gpus, n, gpus_per_server, seed, k) for k, n in enumerate(sizes)]
        course = total(jobs, "training workload")
        if self.ripple:
            course = self._rippled(course, until_s + lead_s, [n / gpus for n in sizes], seed)
        return from_mean(course, 1.0, until_s, lead_s)

    @property
    def _cycle_s(self) -> float:
        """The longest period of the course: a step, a block with its evaluation, or a checkpoint interval. [s]"""
        block_s = self.step_s * max(1, self.eval_every) + (self.eval_s if self.eval_every else 0.0)
        return max(block_s, self.checkpoint_every_s + self.checkpoint_s if self.checkpoint_every_s else 0.0)

    def swing(self, gpus: int, gpus_per_server: int) -> float:
        """Depth of the communication phase of one job, all servers together, relative to compute."""
        servers = max(1.0, gpus / gpus_per_server)
        return (1.0 - self.comm_level) * math.sqrt(self.coherence + (1.0 - self.coherence) / servers)

    def _cycle_mean(self, comm_level: float) -> float:
        """Mean of a whole cycle relative to the compute phase, in closed form."""
        time_s = self.step_s
        area_s = self.step_s * (1.0 - self.comm_fraction * (1.0 - comm_level))
        if self.eval_every:
            time_s += self.eval_s / self.eval_every
            switched_s = self.switch_s * (self.switch_level - self.eval_level)
            if self.switch_s and comm_level < 1.0:
                switched_s += self.comm_fraction * self.step_s * (self.switch_level - comm_level)
            area_s += (self.eval_s * self.eval_level + switched_s) / self.eval_every
        if self.checkpoint_every_s:
            time_s += self.checkpoint_s * self.step_s / self.checkpoint_every_s
            area_s += self.checkpoint_s * self.checkpoint_level * self.step_s / self.checkpoint_every_s
        time_s += self.straggler_share * self.straggler_s
        area_s += self.straggler_share * self.straggler_s * comm_level
        stalled = self.stalls_per_h * self.stall_s / 3600.0
        return (1.0 - stalled) * area_s / time_s + stalled * self.stall_level

    def _job(self, horizon_s: float, share: float, gpus: int, per_server: int, seed: int, number: int) -> Profile:
        """One job's part of the cluster's power, at a random phase of its cycle."""
        rng = np.random.default_rng([seed, number])
        phase_s = rng.uniform(0.0, self._cycle_s)
        comm_level = 1.0 - self.swing(gpus, per_server)
        durations, levels, stands = self._phases(horizon_s + phase_s, comm_level, rng)
        ends = np.cumsum(durations)
        half = np.where(stands[:-1] | stands[1:], min(self.edge_s, STALL_EDGE_S), self.edge_s) / 2.0
        t = np.stack([ends[:-1] - half, ends[:-1] + half], axis=1).ravel() - phase_s
        v = np.stack([levels[:-1], levels[1:]], axis=1).ravel() * (share / self._cycle_mean(comm_level))
        return Profile(np.maximum.accumulate(t), v).between(0.0, horizon_s)

    def _rippled(self, course: Profile, horizon_s: float, shares: list[float], seed: int) -> Profile:
        """The course with the ripple of all jobs: noise with an exponential correlation, straight between its points.

        The jobs' ripples know nothing of each other, so their sum is one noise of the root of their squares. It takes
        nine tenths of the lowest power at most, so that this stays above 0.
        """
        lowest, rng = float(course.values.min()), np.random.default_rng([seed, 17])
        step_s = self.ripple_s / 2.0
        n = math.ceil(horizon_s / step_s) + 2
        if n > MOST_POINTS:
            raise SettingError(f"Training: ripple_s = {self.ripple_s:g} s over {horizon_s:g} s: give a longer one")
        keep = math.exp(-0.5)
        # Straight lines between points smooth the noise: by this the points are larger.
        size = self.ripple * math.hypot(*shares) / math.sqrt((2.0 + keep) / 3.0)
        points = np.maximum(size * memory(rng.standard_normal(n), keep), -0.9 * lowest)
        return course.plus(Profile(step_s * np.arange(n), points).between(0.0, horizon_s))

    def _phases(self, horizon_s: float, comm_level: float, rng: np.random.Generator) -> tuple[Array, Array, Bools]:
        """Durations [s] and levels of the phases, compute first, until the horizon is covered; which are stands."""
        n = math.ceil(horizon_s / (self.step_s * (1.0 - 0.5 * self.jitter))) + 4
        stretch = 1.0 + self.jitter * np.clip(rng.standard_normal(n), -3.0, 3.0)
        if comm_level == 1.0:
            durations, levels, phases = self.step_s * stretch, np.ones(n), 1
        else:
            durations, levels, phases = np.empty(2 * n), np.tile([1.0, comm_level], n), 2
            durations[1::2] = self.step_s * self.comm_fraction
            durations[0::2] = self.step_s * (stretch - self.comm_fraction)
            if self.straggler_share:
                durations[1::2] += self.straggler_s * (rng.random(n) < self.straggler_share)
        stands = np.zeros(len(levels), dtype=bool)
        if self.eval_every and self.switch_s and phases == 2:
            last = 2 * np.arange(self.eval_every, n, self.eval_every) - 1
            levels[last], stands[last] = self.switch_level, True
        at, pause_s, pause_level, stand = self._interruptions(durations.reshape(n, phases).sum(axis=1), rng)
        at = phases * at
        return np.insert(durations, at, pause_s), np.insert(levels, at, pause_level), np.insert(stands, at, stand)

    def _interruptions(self, steps_s: Array, rng: np.random.Generator) -> tuple[Any, Array, Array, Bools]:
        """After which step, how long [s], at which level evaluations, checkpoints and stalls come; which are stands."""
        n, ends_s = len(steps_s), np.cumsum(steps_s)
        stands: list[tuple[Any, float, Any, bool]] = []
        if self.eval_every:
            after = np.arange(self.eval_every, n, self.eval_every)
            if self.switch_s:
                stands.append((after, self.switch_s, self.switch_level, True))
            stands.append((after, self.eval_s - self.switch_s, self.eval_level, False))
        if self.checkpoint_every_s:
            due_s = np.arange(1, math.floor(ends_s[-1] / self.checkpoint_every_s) + 1) * self.checkpoint_every_s
            after = np.minimum(np.searchsorted(ends_s, due_s) + 1, n)
            stands.append((after, self.checkpoint_s, self.checkpoint_level, False))
        if self.stalls_per_h:
            levels = self._stall_levels(float(ends_s[-1]), rng)
            stands.append((np.sort(rng.choice(n, len(levels), replace=len(levels) > n)), self.stall_s, levels, True))
        none: list[Any] = [] if stands else [np.empty(0)]
        at = np.concatenate([a for a, _, _, _ in stands] or none).astype(int)
        how_long = np.concatenate([np.full(len(a), d) for a, d, _, _ in stands] or none)
        level = np.concatenate([np.broadcast_to(v, len(a)) for a, _, v, _ in stands] or none)
        stall = np.concatenate([np.full(len(a), stop) for a, _, _, stop in stands] or none).astype(bool)
        order = np.argsort(at, kind="stable")
        return at[order], how_long[order], level[order], stall[order]

    def _stall_levels(self, work_s: float, rng: np.random.Generator) -> Array:
        """The level of each stall within a stretch of work, depths by strata of an exponential distribution."""
        wanted = work_s * self.stalls_per_h / 3600.0 / (1.0 - self.stalls_per_h * self.stall_s / 3600.0)
        number = math.floor(wanted + rng.random())
        drawn = -np.log1p(-(np.arange(number) + 0.5) / max(number, 1))
        depth = (1.0 - self.stall_spread + self.stall_spread * drawn) * (1.0 - self.stall_level)
        return np.asarray(np.maximum(1.0 - rng.permutation(depth), 0.05))
