"""Replay: a measured trace as a workload, for another number of GPUs, at the plug, at the GPU or at the meter.

    at = "plug"    AC power of the servers: taken as it is
    at = "gpu"     NVML or DCGM power: the rest of the server is added by `facility.Server`
    at = "meter"   power of a site: divided by its PUE

The course is in fractions of the hardware's mean power in training. It begins with the trace's first sample, and the
power flow with it. A longer study needs repeat=True: the trace starts again after its end, with a line of one step
between. A cluster of more GPUs than the trace plays it on all of them in step (coherent=True), or in as many copies as
fit, each entered at a time of its own (needs repeat).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridai.cluster.facility.server import Server
from gridai.cluster.hardware import Hardware
from gridai.cluster.traces.trace import Trace
from gridai.cluster.workloads.base import cut, from_mean
from gridai.errors import SettingError, UnknownNameError, near
from gridai.kernel.profile import Profile, total

PLACES = ("plug", "gpu", "meter")
MOST_COPIES = 4096


@dataclass(frozen=True, eq=False)
class Replay:
    """A course of fractions that is played. Make one with `Replay.of`."""

    course: Profile
    gpus: int = 0
    repeat: bool = False
    coherent: bool = True

    @classmethod
    def of(cls, trace: Trace, hardware: Hardware, at: str = "plug", pue: float = 1.0, repeat: bool = False,
           coherent: bool = True) -> Replay:  # fmt: skip
        """The workload that a trace of so many GPUs of a hardware shows. Raises SettingError, UnknownNameError."""
        if at not in PLACES:
            raise UnknownNameError(near(at, PLACES, "place of the meter"))
        if not (np.isfinite(pue) and 1.0 <= pue <= 3.0) or (pue != 1.0 and at != "meter"):
            raise SettingError(f"Replay: pue = {pue!r} at {at!r}: give a PUE from 1 to 3, with at='meter' only")
        watt = trace.watt_per_gpu / pue
        if at == "gpu":
            watt = Server().from_gpu(hardware, watt).plug_w
        return cls(Profile(trace.t_s, watt / hardware.it_training_w, trace.name), trace.gpus, repeat, coherent)

    @property
    def mean(self) -> float:
        """In step, where the course begins; of many copies, the mean of the course."""
        if self.coherent:
            return float(self.course.value(0.0))
        return self.course.mean(0.0, float(self.course.t_s[-1]))

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The course from 0 to until_s. Raises SettingError where the trace is too short and not repeated."""
        if self.coherent:
            return self._long(until_s).between(0.0, until_s)
        copies = max(1, round(gpus / max(1, self.gpus)))
        if copies > MOST_COPIES or not self.gpus:
            raise SettingError(f"Replay: {gpus} GPUs in copies of {self.gpus}: {MOST_COPIES} copies are the most")
        rng = np.random.default_rng([seed, 12])
        length_s = float(self.course.t_s[-1])
        whole = self._long(until_s + 2.0 * length_s)
        parts = [cut(whole, rng.uniform(0.0, length_s), until_s + length_s).scaled(1.0 / copies) for _ in range(copies)]
        return from_mean(total(parts, self.course.name), self.mean, until_s, length_s)

    def _long(self, until_s: float) -> Profile:
        length_s = float(self.course.t_s[-1])
        if until_s <= length_s * (1.0 + 1e-12):
            return self.course
        if not self.repeat:
            raise SettingError(
                f"Replay: {until_s:g} s asked of a trace of {length_s:g} s: give repeat=True, or a shorter study"
            )
        step_s = float(np.median(np.diff(self.course.t_s)))
        times = int(np.ceil(until_s / (length_s + step_s)))
        t = np.concatenate([self.course.t_s + k * (length_s + step_s) for k in range(times)])
        return Profile(t, np.tile(self.course.values, times), self.course.name)
