"""Serving engines: power and speed of the GPUs that hold one copy of a model, against the batch that decodes.

    GPU power   P(b) = idle_on + range / (1 + exp(-k (log2 b - x0)))         all GPUs of the copy, W
    step time   s(b) = fixed + range / (1 + exp(-k (log2 b - x0)))           s for one token of each of b requests
    prefill     a prompt takes prompt / prefill_per_s, at `prefill_w` for each GPU

Source of both logistic curves: fits of OpenG2G (gpu2grid/openg2g, examples/offline, logistic_fits.csv) to measurements
of the ML.ENERGY Benchmark v3 on H100 (arXiv:2601.22076): power by NVML, in steady serving, prefill of the own requests
included. With the processors' power added, the 70B curve meets the means of another laboratory at 1 to 35 requests a
second (arXiv:2604.07345, tests/validation/test_power_traces.py) within 8 %, from 5 on within 2 %. prefill_per_s is
estimated: 2 operations a parameter and token at half of 989 TFLOPS dense BF16 for each GPU (unverified); prefill_w is
the rated power. idle_w: a loaded model without requests, above that of an empty GPU (assumed as the H100's idle with a
job loaded). Power of processors comes on top (`facility.Server`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridai.errors import UnknownNameError, near
from gridai.kernel.profile import Array


@dataclass(frozen=True)
class Logistic:
    """base + size / (1 + exp(-steep (log2 b - middle)))."""

    size: float
    middle: float
    steep: float
    base: float

    def __call__(self, batch: npt.ArrayLike) -> Array:
        """Values at a batch of 1 or more."""
        x = np.log2(np.maximum(np.asarray(batch, dtype=float), 1.0))
        return np.asarray(self.base + self.size / (1.0 + np.exp(-self.steep * (x - self.middle))))


@dataclass(frozen=True)
class Engine:
    """One copy of a model on so many GPUs."""

    name: str
    gpus: int
    power_w: Logistic
    step_s: Logistic
    prefill_per_s: float
    most: int = 256
    idle_w: float = 100.0
    prefill_w: float = 700.0

    def gpu_w(self, batch: npt.ArrayLike, prefill_share: npt.ArrayLike) -> Array:
        """Mean power of one GPU while `batch` requests decode and a share of the time goes to prefill. [W]"""
        b, share = np.asarray(batch, dtype=float), np.asarray(prefill_share, dtype=float)
        decode = np.where(b > 0.0, self.power_w(b) / self.gpus, self.idle_w)
        return np.asarray(share * self.prefill_w + (1.0 - share) * decode)

    def steady(self, rate_per_s: float, prompt: float, output: float) -> tuple[float, float, float]:
        """Batch, share of prefill and utilisation at a constant rate of one copy: b = rate output s(b) / (1 - share).

        Beyond what it can serve the batch is `most` and the utilisation above 1.
        """
        share = rate_per_s * prompt / self.prefill_per_s
        capacity = (1.0 - min(share, 0.99)) * self.most / float(self.step_s(self.most)) / output
        used = max(rate_per_s / capacity, share)
        if used >= 1.0:
            return float(self.most), min(share, 1.0), used
        b = rate_per_s * output * float(self.step_s(1.0)) / (1.0 - share)
        for _ in range(200):
            b = 0.5 * b + 0.5 * min(rate_per_s * output * float(self.step_s(max(b, 1.0))) / (1.0 - share), self.most)
        return b, share, used


def _rate(gpus: int, parameters_1e9: float) -> float:
    return gpus * 0.5 * 989e12 / (2.0 * parameters_1e9 * 1e9)


_8B = Engine(
    "Llama-3.1-8B", 1, Logistic(210.92, 5.4615, 1.26385, 480.40), Logistic(0.087484, 9.15385, 1.08118, 0.0085246),
    _rate(1, 8.0),
)  # fmt: skip
_70B = Engine(
    "Llama-3.1-70B", 4, Logistic(1154.00, 7.3846, 0.57904, 1646.72), Logistic(0.333717, 11.23077, 0.676875, 0.0158130),
    _rate(4, 70.0),
)  # fmt: skip
_405B = Engine(
    "Llama-3.1-405B", 8, Logistic(1824.24, 5.6923, 1.08118, 3147.21), Logistic(0.110939, 7.74359, 1.26385, 0.0348478),
    _rate(8, 405.0),
)  # fmt: skip
ENGINES = {e.name: e for e in (_8B, _70B, _405B)}
"""Engines by name, on H100 SXM."""


def engine(name: str) -> Engine:
    """The engine of this name. An unknown one lists the near names."""
    if name not in ENGINES:
        raise UnknownNameError(near(name, ENGINES, "engine"))
    return ENGINES[name]
