"""Cycle: an iteration of several phases, for jobs whose power has more than compute and communication in it.

    level  ___                ____    ____
          /   \\__    ________/    \\__/    \\      each phase: level, duration, and the edge into it (edge_s)
         /       \\__/                      \\__
        | a | b | c |   d    |  e  | f | g |

After `repeat` iterations the phases of `after` (an evaluation, a checkpoint) follow, and so on. An iteration stretches
as a whole by jitter. The course is divided by its mean, known in closed form. Levels are relative to each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.base import from_mean
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile, total


@dataclass(frozen=True)
class Phase:
    """A part of an iteration. The edge into it is centred on its start and belongs half to the phase before."""

    level: float = setting(1.0, "", "power relative to the other phases", 0.0, 10.0)
    duration_s: float = setting(1.0, "s", "duration", 1e-3, 1e6)
    edge_s: float = setting(0.1, "s", "time in which power changes into it", 0.0, 1e5)
    name: str = ""


@dataclass(frozen=True)
class Cycle:
    """Iterations made of phases. Raises SettingError naming phase and field."""

    step: tuple[Phase, ...] = field(metadata={"help": "phases of an iteration", "unit": ""})
    repeat: int = setting(0, "", "iterations before the phases of `after`; 0: none follow", 0, 1e6)
    after: tuple[Phase, ...] = field(default=(), metadata={"help": "phases after `repeat` iterations", "unit": ""})
    jitter: float = setting(0.0, "", "standard deviation of an iteration's duration relative to it", 0.0, 0.2)
    job_gpus: int = setting(10**9, "", "GPUs in one job; a larger cluster runs several, unsynchronised", 1, 1e9)

    def __post_init__(self) -> None:
        bad = Problems("workload Cycle")
        check_ranges(self, bad)
        phases = (*self.step, *self.after)
        for phase in phases:
            check_ranges(phase, bad)
        if not self.step:
            bad.add("Cycle", None, "step", 0, "give one phase at least")
        if bool(self.after) != bool(self.repeat):
            bad.add("Cycle", None, "after", len(self.after), f"{self.repeat} iterations before it: give both or none")
        if not bad:
            self._check_edges(bad)
        bad.raise_if_any(SettingError)

    def _check_edges(self, bad: Problems) -> None:
        for part in (self.step, self.after):
            for k, phase in enumerate(part):
                there = (phase.edge_s + part[(k + 1) % len(part)].edge_s) / 2.0
                if there > phase.duration_s * (1.0 - 4.0 * self.jitter) * (1.0 + 1e-9):
                    bad.add("Cycle", None, f"phase {k + 1}", phase.duration_s, f"its edges take {there:.3g} s: longer")

    @property
    def mean(self) -> float:
        """1: the catalogue's training power is the mean."""
        return 1.0

    @property
    def period_s(self) -> float:
        """One iteration, or with `after` the whole block. [s]"""
        step_s = sum(p.duration_s for p in self.step)
        return step_s * max(1, self.repeat) + sum(p.duration_s for p in self.after)

    def one(self) -> Profile:
        """One iteration in the levels of its phases, from the start of the first phase on."""
        t, v = _edges(
            np.array([p.duration_s for p in self.step] * 3),
            np.array([p.level for p in self.step] * 3),
            np.array([p.edge_s for p in self.step] * 3),
        )
        step_s = sum(p.duration_s for p in self.step)
        return Profile(t, v, "iteration").shifted(-step_s).between(0.0, step_s)

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The jobs that fill the cluster, each with its own phase, from an instant of mean power on."""
        sizes = [self.job_gpus] * (gpus // self.job_gpus) + [gpus % self.job_gpus] * (gpus % self.job_gpus > 0)
        lead_s = 2.0 * self.period_s
        jobs = [self._job(until_s + lead_s, n / gpus, seed, k) for k, n in enumerate(sizes)]
        return from_mean(total(jobs, "cycle workload"), 1.0, until_s, lead_s)

    def _job(self, horizon_s: float, share: float, seed: int, number: int) -> Profile:
        rng = np.random.default_rng([seed, number])
        phase_s = rng.uniform(0.0, self.period_s)
        blocks = math.ceil((horizon_s + phase_s) / self.period_s * (1.0 + 4.0 * self.jitter)) + 2
        steps = blocks * max(1, self.repeat)
        stretch = 1.0 + self.jitter * np.clip(rng.standard_normal(steps), -3.0, 3.0)
        step = np.array([(p.duration_s, p.level, p.edge_s) for p in self.step])
        rows = np.tile(step, (steps, 1)).reshape(steps, len(step), 3)
        rows[:, :, 0] *= stretch[:, None]
        flat = rows.reshape(blocks, -1, 3)
        if self.after:
            rest = np.tile([[p.duration_s, p.level, p.edge_s] for p in self.after], (blocks, 1, 1))
            flat = np.concatenate([flat, rest], axis=1)
        durations, levels, edges = flat.reshape(-1, 3).T
        t, v = _edges(durations, levels, edges)
        return Profile(t - phase_s, v * (share / self._mean_level())).between(0.0, horizon_s)

    def _mean_level(self) -> float:
        """Mean level over a period; edges are symmetric about the phases' borders, so they cancel."""
        weights = [(p, max(1, self.repeat)) for p in self.step] + [(p, 1) for p in self.after]
        parts = [(p.duration_s * n, p.duration_s * n * p.level) for p, n in weights]
        return sum(a for _, a in parts) / sum(d for d, _ in parts)


def _edges(durations: Array, levels: Array, edges: Array) -> tuple[Array, Array]:
    """Corners of the course: the end of each phase and the start of the next, half an edge off the border."""
    border = np.cumsum(durations)[:-1]
    half = edges[1:] / 2.0
    t = np.stack([border - half, border + half], axis=1).ravel()
    v = np.stack([levels[:-1], levels[1:]], axis=1).ravel()
    return np.maximum.accumulate(np.concatenate([[0.0], t])), np.concatenate([levels[:1], v])
