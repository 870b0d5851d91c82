"""Stages: power of each part of a facility against time, and their sum at the meter."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridai.cluster.facility.curves import Array

STAGES = {
    "gpu": "GPUs",
    "host": "rest of the servers: processors, memory, network",
    "fans": "fans of the servers",
    "psu": "losses of the power supplies",
    "pdu": "losses of the distribution between UPS and server",
    "ups": "losses of the UPS",
    "chillers": "compressors of the chillers",
    "pumps": "pumps of chilled and condenser water",
    "air": "air handlers",
    "rejection": "towers or dry coolers",
    "other": "lighting, offices, controls",
    "transformer": "losses of the transformers",
}
"""The stages from the GPU to the meter, each power or loss counted once."""
IT = ("gpu", "host", "fans", "psu")
COOLING = ("chillers", "pumps", "air", "rejection")


@dataclass(frozen=True)
class Stages:
    """Powers in MW, arrays of one length.

    t_s       times. [s]
    mw        power of each stage of STAGES.
    meter_mw  power at the meter, computed along the chain of inputs and outputs and not as the sum.
    stored    chillers running and other measures that are no power, by name.
    """

    t_s: Array
    mw: dict[str, Array]
    meter_mw: Array
    stored: dict[str, Array] = field(default_factory=dict)

    @property
    def it_mw(self) -> Array:
        """Power of the servers' plugs."""
        return np.asarray(sum(self.mw[name] for name in IT))

    @property
    def cooling_mw(self) -> Array:
        """Power of all cooling."""
        return np.asarray(sum(self.mw[name] for name in COOLING))

    @property
    def pue(self) -> float:
        """Energy at the meter over energy at the servers' plugs, over all samples."""
        return float(self.meter_mw.mean() / self.it_mw.mean())

    @property
    def balance(self) -> float:
        """Largest difference between the sum of all stages and the meter, over the meter's power."""
        total = np.asarray(sum(self.mw.values()))
        return float(np.abs(total - self.meter_mw).max() / np.abs(self.meter_mw).max())

    def table(self) -> list[tuple[str, float, float, str]]:
        """(stage, mean MW, share of the meter, what it is), in the order of the chain."""
        mean = float(self.meter_mw.mean())
        return [(name, float(p.mean()), float(p.mean()) / mean, STAGES[name]) for name, p in self.mw.items()]
