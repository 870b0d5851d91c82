"""Checkpoints: how long a job stands while its state of stated size goes to a store of stated bandwidth.

    duration = size / bandwidth + overhead          size = parameters x bytes a parameter

Mixed-precision training with Adam keeps 16 bytes a parameter (ZeRO, arXiv:1910.02054): 2 of weights, 2 of gradients,
12 of 32-bit weights and both moments; gradients are not saved, so 14. Llama 3's store sustains 2 TB/s and peaks at
7 TB/s (arXiv:2407.21783): 405 billion parameters are 5.7 TB, 2.8 s.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError

BYTES_PER_PARAMETER = 14.0
LLAMA3_BANDWIDTH_GB_S = 2000.0


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of one job. Raises SettingError."""

    size_gb: float = setting(5670.0, "GB", "state that is written", 1e-3, 1e9)
    bandwidth_gb_s: float = setting(LLAMA3_BANDWIDTH_GB_S, "GB/s", "bandwidth of the store, all servers together",
                                    1e-6, 1e9)  # fmt: skip
    overhead_s: float = setting(0.0, "s", "time in which the job stands besides", 0.0, 1e5)

    def __post_init__(self) -> None:
        bad = Problems("checkpoint")
        check_ranges(self, bad)
        bad.raise_if_any(SettingError)

    @classmethod
    def of_model(cls, parameters_1e9: float, bandwidth_gb_s: float = LLAMA3_BANDWIDTH_GB_S,
                 bytes_per_parameter: float = BYTES_PER_PARAMETER, overhead_s: float = 0.0) -> Checkpoint:  # fmt: skip
        """The checkpoint of a model with so many billions of parameters."""
        return cls(parameters_1e9 * bytes_per_parameter, bandwidth_gb_s, overhead_s)

    @property
    def duration_s(self) -> float:
        """How long the job stands. [s]"""
        return self.size_gb / self.bandwidth_gb_s + self.overhead_s
