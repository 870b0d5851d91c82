"""Serving: GPUs that serve requests whose load is not known, each alternating between decode and prefill.

    W  |  _    _                 each GPU: decode, and for `prefill_share` of the time prefill, in turns of about
       | | |__| |___ ...         turn_s; within a level it spreads by `spread`; two GPUs correlate by `correlation`
       +-------------> t         (requests that come together)

For a trace without a column of load this is what can be read from it. Where the load is known, `Inference` follows
the requests. Levels are relative; the course is divided by its mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.base import from_mean, memory
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Array, Profile

MOST_POINTS = 5_000_000
MANY = 64
"""Of more GPUs the number in prefill is taken as normally distributed."""


@dataclass(frozen=True)
class Serving:
    """The sum of many GPUs that serve. Defaults are those of eight GPUs measured at 0.11 s (see calibration)."""

    decode: float = setting(0.9, "", "power in decode, relative", 0.01, 10.0)
    prefill: float = setting(1.3, "", "power in prefill, relative", 0.01, 10.0)
    prefill_share: float = setting(0.25, "", "share of the time in prefill", 0.0, 1.0)
    turn_s: float = setting(0.1, "s", "time after which half of what is known of a GPU's state is gone", 1e-3, 1e3)
    spread: float = setting(0.1, "", "standard deviation within a level over the mean", 0.0, 1.0)
    correlation: float = setting(0.1, "", "correlation of two GPUs", 0.0, 1.0)

    def __post_init__(self) -> None:
        bad = Problems("workload Serving")
        check_ranges(self, bad)
        if not bad and self.prefill < self.decode:
            bad.add("Serving", None, "prefill", self.prefill, f"must not be below decode = {self.decode:g}")
        bad.raise_if_any(SettingError)

    @property
    def mean(self) -> float:
        """1: the catalogue's training power is the mean; scale it by the fitted mean power."""
        return 1.0

    @property
    def step_s(self) -> float:
        """Grid of the course. [s]"""
        return self.turn_s / 4.0

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The sum of all GPUs over its mean, from an instant of the mean on."""
        lead_s = 40.0 * self.turn_s
        n = math.ceil((until_s + lead_s) / self.step_s) + 2
        if n > MOST_POINTS:
            raise SettingError(
                f"Serving: {until_s:g} s at turn_s = {self.turn_s:g} s are {n} points: give a longer turn_s"
            )
        rng = np.random.default_rng([seed, 21])
        course = Profile(self.step_s * np.arange(n), self._sum(n, max(1, gpus), rng), "serving")
        return from_mean(course, 1.0, until_s, lead_s)

    def _sum(self, n: int, gpus: int, rng: np.random.Generator) -> Array:
        level = self.decode + self.prefill_share * (self.prefill - self.decode)
        own = math.sqrt(
            self.prefill_share * (1.0 - self.prefill_share) * (self.prefill - self.decode) ** 2
            + (self.spread * level) ** 2
        )
        keep = 0.5 ** (self.step_s / self.turn_s)
        high = self._in_prefill(n, gpus, keep, rng) / gpus - self.prefill_share
        alone = high * (self.prefill - self.decode)
        alone += self.spread * level / math.sqrt(gpus) * memory(rng.standard_normal(n), keep)
        common = own * memory(rng.standard_normal(n), keep)
        rho = self.correlation
        return np.asarray(
            np.maximum(level + math.sqrt(1.0 - rho) * alone + math.sqrt(rho) * common, 0.05 * level) / level
        )

    def _in_prefill(self, n: int, gpus: int, keep: float, rng: np.random.Generator) -> Array:
        """How many GPUs are in prefill at each step: each keeps its state or draws it anew."""
        if gpus > MANY:
            share = self.prefill_share
            spread = math.sqrt(gpus * share * (1.0 - share))
            return np.clip(gpus * share + spread * memory(rng.standard_normal(n), keep), 0.0, gpus)
        found = np.zeros(n)
        for _ in range(gpus):
            anew = rng.random(n) >= keep
            anew[0] = True
            state = rng.random(n) < self.prefill_share
            found += state[np.maximum.accumulate(np.where(anew, np.arange(n), 0))]
        return found
