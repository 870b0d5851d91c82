"""Smoothed: a workload whose power goes through shapers; `smoothed` puts them on a cluster with a fixed PUE."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridai.cluster.cluster import Cluster
from gridai.cluster.shapers.base import Shaper, shape
from gridai.cluster.workloads import Workload
from gridai.errors import SettingError
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Smoothed:
    """A workload behind shapers.

    workload  what the GPUs do.   shapers  in their order, in MW at the meter.
    mw        power at the meter where the workload draws its hardware's mean in training. [MW]
    """

    workload: Workload
    shapers: tuple[Shaper, ...]
    mw: float

    @property
    def mean(self) -> float:
        """Where the course begins: the workload's mean as the shapers leave it at rest; the power flow starts there."""
        p_mw = self.workload.mean * self.mw
        for shaper in self.shapers:
            p_mw = shaper.at_rest(p_mw)
        return p_mw / self.mw

    def profile(self, until_s: float, gpus: int, gpus_per_server: int, seed: int) -> Profile:
        """The workload's course after the shapers, from 0 to until_s."""
        course = self.workload.profile(until_s, gpus, gpus_per_server, seed)
        return shape(course.scaled(self.mw), self.shapers).power.scaled(1.0 / self.mw)


def smoothed(cluster: Cluster, *shapers: Shaper) -> Cluster:
    """The cluster with its workload behind shapers. Raises SettingError for one with a facility, whose meter lags."""
    if cluster.facility is not None:
        raise SettingError("smoothed: shapers work on the power at the meter and take a fixed pue; leave facility out")
    return replace(cluster, workload=Smoothed(cluster.workload, shapers, cluster.p_mw / cluster.workload.mean))
