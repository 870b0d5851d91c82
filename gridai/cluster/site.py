"""Site: a hall, building or campus as the sum of smaller parts that need not move together.

    campus
      +-- building A (coherence 0.5 of its halls)      meter = sum of the parts' meters, MW
      |     +-- hall 1: Cluster
      |     +-- hall 2: Cluster
      +-- building B ...

A part of each hall's GPUs works for a job that spans the whole site and moves in step with it everywhere; the others
run jobs of their own. For halls of one kind with the share s in the common job the correlation of their powers is

    rho = s^2 / (s^2 + (1 - s)^2)        so        s = sqrt(rho) / (sqrt(rho) + sqrt(1 - rho))

and `coherence` is rho: 0 all halls run their own jobs, 1 one job runs everywhere. Inside a building the share that the
campus leaves is split again by the building's coherence. The site stands at a bus as a cluster does. Its course starts
where all halls together draw their mean; a hall alone may then be above or below its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gridai.cluster.cluster import Cluster
from gridai.cluster.pauses import Pause, paused_share
from gridai.cluster.ride_through import RideThrough
from gridai.cluster.settings import check_number, check_ranges, setting
from gridai.cluster.workloads.base import LEAD_S, Workload, cut, start_of_mean
from gridai.errors import Problems, SettingError
from gridai.kernel.contract import Model
from gridai.kernel.profile import Profile, total
from gridai.units import power_text


@dataclass(frozen=True)
class Site:
    """Parts (clusters or smaller sites) behind one meter. Raises SettingError."""

    name: str = field(metadata={"help": "name of the hall, building or campus", "unit": ""})
    parts: tuple[Cluster | Site, ...] = field(metadata={"help": "what it is made of", "unit": ""})
    coherence: float = setting(0.0, "", "correlation of the powers of two like parts", 0.0, 1.0)

    def __post_init__(self) -> None:
        bad = Problems(f"site {self.name}")
        check_ranges(self, bad)
        if not self.parts:
            bad.add("site", None, "parts", 0, "give one part at least")
        for k, part in enumerate(self.parts):
            if not isinstance(part, Cluster | Site):
                bad.add("site", None, f"parts[{k}]", part, "give a Cluster or a Site")
        bad.raise_if_any(SettingError)

    @property
    def common_share(self) -> float:
        """The share s of each part's GPUs in the job that spans the site."""
        rho = math.sqrt(self.coherence)
        return rho / (rho + math.sqrt(1.0 - self.coherence))

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """All clusters, in the order of the parts."""
        return tuple(c for part in self.parts for c in (part.clusters if isinstance(part, Site) else (part,)))

    @property
    def p_mw(self) -> float:
        """Mean power at the meter. [MW]"""
        return sum(part.p_mw for part in self.parts)

    @property
    def q_mvar(self) -> float:
        """Reactive power at the meter at `p_mw`. [MVAr]"""
        return sum(part.q_mvar for part in self.parts)

    @property
    def it_mw(self) -> float:
        """Mean power of all servers' plugs. [MW]"""
        return sum(part.it_mw for part in self.parts)

    @property
    def idle_mw(self) -> float:
        """At the meter with all jobs stopped and all servers on. [MW]"""
        return sum(part.idle_mw for part in self.parts)

    @property
    def pue(self) -> float:
        """Power at the meter over IT power."""
        return self.p_mw / self.it_mw

    def demand(self, until_s: float, pauses: Sequence[Pause] = (), seed: int = 0) -> Profile:
        """Power that the site asks for at the meter, from 0 to until_s. [MW] It starts at `p_mw`.

        A pause takes its share of every part. The same seed gives the same course.
        """
        there = paused_share(pauses, self.p_mw).scaled(-1.0).plus(1.0) if pauses else None
        return total(self._courses(until_s, there, seed), "demand_mw")

    def courses(self, until_s: float, seed: int = 0) -> list[Profile]:
        """The power of each cluster of the site at its own meter, in the order of `clusters`. [MW]"""
        return self._courses(until_s, None, seed)

    def _courses(self, until_s: float, there: Profile | None, seed: int) -> list[Profile]:
        bad = Problems("demand")
        check_number(bad, "demand", "seed", seed, {"unit": "", "low": 0, "high": 2**63})
        bad.raise_if_any(SettingError)
        halls, long_s = self._plan(1.0, (), (int(seed),)), until_s + LEAD_S
        plugs = [(hall.cluster, hall.plug_w(long_s)) for hall in halls]
        courses = [c.at_meter(plug_w, long_s) for c, plug_w in plugs]
        start_s = start_of_mean(total(courses), self.p_mw, LEAD_S)
        if there is not None:
            gone = there.shifted(start_s)
            courses = [c.at_meter(plug_w.times(gone).between(0.0, long_s), long_s) for c, plug_w in plugs]
        return [cut(course, start_s, until_s) for course in courses]

    def _plan(self, left: float, jobs: tuple[tuple[float, int], ...], path: tuple[int, ...]) -> list[_Hall]:
        """For each cluster the jobs it takes part in: (share, seed), those of wider sites first."""
        here = (*jobs, (left * self.common_share, _seed(path)))
        rest, found = left * (1.0 - self.common_share), []
        for k, part in enumerate(self.parts):
            below = (*path, k + 1)
            if isinstance(part, Site):
                found += part._plan(rest, here, below)
            else:
                found.append(_Hall(part, (*here, (rest, _seed(below)))))
        return found

    def electrical_groups(self) -> tuple[tuple[str, Model, dict[str, float], float], ...]:
        """What the engine places: the groups of all clusters, each with its share of the site's power."""
        whole, clusters = self.p_mw, self.clusters
        if len({(c.supply, c.ride_through) for c in clusters}) == 1:
            return clusters[0].electrical_groups()
        found = []
        for k, c in enumerate(clusters):
            for name, model, values, share in c.electrical_groups():
                found.append((f"part {k + 1} {name}".rstrip(), model, values, share * c.p_mw / whole))
        return tuple(found)

    def electrical(self) -> tuple[Model, dict[str, float]]:
        """The electrical model of a site whose clusters have one kind of supply. Raises SettingError otherwise."""
        groups = self.electrical_groups()
        if len(groups) != 1:
            raise SettingError(f"site {self.name}: its {len(groups)} groups differ; use electrical_groups")
        return groups[0][1], groups[0][2]

    @property
    def ride_through(self) -> RideThrough | None:
        """The ride-through settings of all clusters. Raises SettingError where they differ."""
        settings = [c.ride_through for c in self.clusters]
        if any(other != settings[0] for other in settings):
            raise SettingError(f"site {self.name}: its clusters differ in ride_through; ask one of them")
        return settings[0]

    def with_ride_through(self, change: Callable[[RideThrough | None], RideThrough | None]) -> Site:
        """The same site with the ride-through settings of each cluster changed by a function of those it has."""
        return replace(self, parts=tuple(part.with_ride_through(change) for part in self.parts))

    def with_workload(self, workload: Workload) -> Site:
        """The same site with another workload in every cluster."""
        return replace(self, parts=tuple(part.with_workload(workload) for part in self.parts))

    def scaled(self, share: float) -> Site:
        """The same site with so large a share of each cluster's GPUs."""
        return replace(self, parts=tuple(part.scaled(share) for part in self.parts))

    @property
    def power_factor(self) -> float:
        """P over S at the meter at `p_mw`."""
        return self.p_mw / math.hypot(self.p_mw, self.q_mvar)

    @property
    def nameplate_mw(self) -> float:
        """At the meter if every server drew its nameplate. [MW]"""
        return sum(part.nameplate_mw for part in self.parts)

    def __str__(self) -> str:
        return f"{self.name}: {len(self.clusters)} clusters, {power_text(self.p_mw)}"


@dataclass(frozen=True)
class _Hall:
    """A cluster and the jobs it takes part in, as (share of its GPUs, seed)."""

    cluster: Cluster
    jobs: tuple[tuple[float, int], ...]

    def plug_w(self, until_s: float) -> Profile:
        """Plug power of one GPU [W], each job entered at an instant of its own, the same in all halls."""
        courses = []
        for share, seed in self.jobs:
            if share > 0.0:
                into_s = np.random.default_rng([seed, 5]).uniform(0.0, LEAD_S)
                courses.append(cut(self.cluster.plug_w(until_s + LEAD_S, seed=seed), into_s, until_s).scaled(share))
        return total(courses, "plug_w")


def _seed(path: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence(path).generate_state(1)[0])
