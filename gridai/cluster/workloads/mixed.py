"""Mixed: several workloads on parts of one cluster: training beside inference beside idle servers.

    Mixed((Part(0.6, Training()), Part(0.3, Inference(...)), Part(0.1, Idle())))

Each part runs on its share of the GPUs with a seed of its own. The course starts where the sum crosses its mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gridai.cluster.settings import check_ranges, setting
from gridai.cluster.workloads.base import Workload, added
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Part:
    """A share of the cluster's GPUs and what it does."""

    share: float = setting(1.0, "", "share of the GPUs", 1e-9, 1.0)
    workload: Workload = field(default=None, metadata={"help": "what they do", "unit": ""})  # type: ignore[assignment]


@dataclass(frozen=True)
class Mixed:
    """Workloads side by side; the shares add up to 1. Raises SettingError."""

    parts: tuple[Part, ...] = field(metadata={"help": "shares and workloads", "unit": ""})

    def __post_init__(self) -> None:
        bad = Problems("workload Mixed")
        for k, part in enumerate(self.parts):
            check_ranges(part, bad)
            if not isinstance(part.workload, Workload):
                bad.add("Mixed", None, f"parts[{k}].workload", part.workload, "give a workload such as Training()")
        whole = sum(part.share for part in self.parts)
        if not bad and abs(whole - 1.0) > 1e-9:
            bad.add("Mixed", None, "share", whole, "the shares must add up to 1; give Idle() the rest")
        bad.raise_if_any(SettingError)

    @property
    def mean(self) -> float:
        """Mean level of all parts together."""
        return sum(part.share * part.workload.mean for part in self.parts)

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The sum of the parts, each on its GPUs."""
        parts: list[tuple[float, Callable[[float], Profile]]] = []
        for k, part in enumerate(self.parts):
            own = int(np.random.SeedSequence([seed, k, 7]).generate_state(1)[0])
            number = max(1, round(part.share * gpus))
            make = partial(part.workload.profile, gpus=number, gpus_per_server=gpus_per_server, seed=own)
            parts.append((part.share, make))
        return added(parts, self.mean, until_s, np.random.default_rng([seed, 71]))
