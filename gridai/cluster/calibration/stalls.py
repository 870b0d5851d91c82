"""Stalls: lone deep dips that the mean course of the cycle does not explain, and how often and how deep they come.

    residual = trace - template; a stall is where it falls below -threshold, the threshold being DEVIATIONS robust
    standard deviations of the residual, and HALF the depth of the cycle's own dips at least: less is variation of these

The meter shows a stall shorter than its averaging time too shallow, so stalls are given that time at least, and their
edges besides: what is played and metered again then has the measured depth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridai.cluster.workloads.training import STALL_EDGE_S
from gridai.kernel.profile import Array

DEVIATIONS = 6.0
HALF = 0.5


@dataclass(frozen=True)
class Stalls:
    """Found stalls: times [s], depths over the level, and what they make as parameters of a Training."""

    t_s: Array = field(default_factory=lambda: np.empty(0))
    depth: Array = field(default_factory=lambda: np.empty(0))
    per_h: float = 0.0
    duration_s: float = 0.0

    @property
    def spread(self) -> float:
        """Standard deviation of the depths over their mean, 1 at most: the parameter stall_spread."""
        return float(min(self.depth.std() / self.depth.mean(), 1.0)) if len(self.depth) else 0.0

    @property
    def level(self) -> float:
        """Mean power in a stall over the level: the parameter stall_level."""
        return float(1.0 - self.depth.mean()) if len(self.depth) else 1.0


def find_stalls(power: Array, expected: Array, step_s: float, level: float, own: float, meter_s: float) -> Stalls:
    """The stalls of a record against its expected course (same length and unit as level); own: depth of the dips."""
    residual = power - expected
    spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    threshold = max(DEVIATIONS * spread, HALF * own * level)
    deep = residual < -threshold
    edges = np.flatnonzero(np.diff(np.concatenate([[False], deep, [False]]).astype(int)))
    at, depth, width = [], [], []
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        k = a + int(residual[a:b].argmin())
        at.append(k * step_s)
        depth.append(-residual[k] / level)
        half = residual < residual[k] / 2.0
        width.append(_run_length(half, k) * step_s)
    hours = len(power) * step_s / 3600.0
    duration = max(meter_s, step_s, float(np.median(width)) - meter_s if width else 0.0) + STALL_EDGE_S
    return Stalls(np.array(at), np.array(depth), len(at) / hours, duration)


def _run_length(state: Array, k: int) -> int:
    """Length of the run of True around index k."""
    before = int(np.argmin(state[k::-1])) if not state[: k + 1].all() else k + 1
    after = int(np.argmin(state[k:])) if not state[k:].all() else len(state) - k
    return before + after - 1
