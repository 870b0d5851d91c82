"""Cluster: so many GPUs of one kind, their workload and their facility, seen from the meter.

The sum from the card to the meter, for 100,000 H100 in training:

    GPU                              630 W   0.9 of its 700 W (estimate)
    + share of the server            227 W   processors, network cards, switches, fans, power supplies
    = plug of the server             857 W   measured: GPT-3 on 512 H100, MLPerf Training
    x 100,000 GPUs                  85.7 MW  IT power ("86 MW")
    x PUE 1.25                     107.1 MW  at the meter: `p_mw`

By nameplate the same cluster is 10.2 kW for eight GPUs: 100,000 / 8 x 10.2 kW x 1.25 = 159.4 MW (`nameplate_mw`).
A study that takes the nameplate for the load is half as large again. With all jobs stopped and all servers on it
is 334 W a GPU: 41.8 MW (`idle_mw`).

Load sign: P > 0 consumes, Q > 0 consumes (lagging). MW and MVAr at the meter.
A given PUE is a simple facility: meter = PUE x IT power at every instant, so cooling follows the servers at once.
With a `Facility` every stage has its own curve and time constant, cooling lags by minutes and the PUE is a result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gridai.cluster.electrical import MODEL, PowerSupply
from gridai.cluster.facility import Facility, Server, Stages
from gridai.cluster.facility.facility import grid_chunks
from gridai.cluster.hardware import HARDWARE, Hardware, hardware
from gridai.cluster.pauses import Pause, PauseParts, explain_pause, paused_share
from gridai.cluster.ride_through import RideThrough
from gridai.cluster.settings import check_number, check_ranges, setting
from gridai.cluster.ups import MODEL as UPS_MODEL
from gridai.cluster.workloads import Training, Workload
from gridai.errors import Problems, SettingError
from gridai.kernel.contract import Model
from gridai.kernel.profile import Array, Profile
from gridai.units import power_text

DEFAULT_PUE = 1.25


@dataclass(frozen=True)
class Cluster:
    """GPUs, workload and facility. Make one with `Cluster.of`; it never changes.

    Raises SettingError with all faults at once (field, value, remedy), UnknownNameError for unknown hardware.

    >>> cluster = Cluster.of("H100", count=100_000, pue=1.25)
    >>> round(cluster.p_mw, 1), round(cluster.nameplate_mw, 1)
    (107.1, 159.4)
    """

    hardware: Hardware = field(metadata={"help": "GPU server, one of " + ", ".join(HARDWARE), "unit": ""})
    count: int = field(metadata={"help": "number of GPUs", "unit": "", "low": 1, "high": 1e8})
    pue: float = setting(
        DEFAULT_PUE, "", "power usage effectiveness: meter power over IT power; a result with a facility", 1.0, 3.0
    )
    workload: Workload = field(default_factory=Training, metadata={"help": "what the GPUs do", "unit": ""})
    power_factor: float = setting(0.99, "", "P over S at the meter, lagging", 0.5, 1.0)
    supply: PowerSupply = field(
        default_factory=PowerSupply, metadata={"help": "power supplies: behaviour at low voltage", "unit": ""}
    )
    ride_through: RideThrough | None = field(
        default=None, metadata={"help": "UPS groups; none: one electronic load that trips at low voltage", "unit": ""}
    )
    facility: Facility | None = field(
        default=None, metadata={"help": "stages from the plug to the meter; none: the fixed pue", "unit": ""}
    )

    def __post_init__(self) -> None:
        bad = Problems("cluster")
        if not isinstance(self.hardware, Hardware):
            bad.add("cluster", None, "hardware", self.hardware, "give a Hardware, or use Cluster.of with its name")
        check_ranges(self, bad)
        if isinstance(self.count, float) and self.count != int(self.count):
            bad.add("cluster", None, "count", self.count, "give a whole number of GPUs")
        if not isinstance(self.workload, Workload):
            bad.add("cluster", None, "workload", self.workload, "give a workload such as Training() or Constant()")
        if not isinstance(self.supply, PowerSupply):
            bad.add("cluster", None, "supply", self.supply, "give a PowerSupply")
        if self.ride_through is not None and not isinstance(self.ride_through, RideThrough):
            bad.add("cluster", None, "ride_through", self.ride_through, "give a RideThrough, or None")
        if self.facility is not None and not isinstance(self.facility, Facility):
            bad.add("cluster", None, "facility", self.facility, "give a Facility, or None for a fixed pue")
        bad.raise_if_any(SettingError)
        object.__setattr__(self, "count", int(self.count))
        if self.facility is not None:
            object.__setattr__(self, "pue", self._rest(self.plug_mean_w).pue)

    @classmethod
    def of(cls, hardware_name: str | Hardware, count: int, pue: float | None = None, **settings: Any) -> Cluster:
        """A cluster of `count` GPUs of a named hardware (see HARDWARE) or of a Hardware of your own.

        pue       meter power over IT power; 1.25 where neither it nor a facility is given.
        settings  workload, power_factor, supply, ride_through, facility, as in the class.
        """
        if pue is not None and settings.get("facility") is not None:
            raise SettingError(
                f"cluster: pue = {pue!r} and a facility: the PUE is a result of the facility; leave one of them out"
            )
        chosen = hardware_name if isinstance(hardware_name, Hardware) else hardware(hardware_name)
        return cls(chosen, count, DEFAULT_PUE if pue is None else pue, **settings)

    @property
    def p_mw(self) -> float:
        """Mean power at the meter; the power flow uses it, and `demand` starts from it. [MW]"""
        return self._meter_mw(self.plug_mean_w)

    @property
    def q_mvar(self) -> float:
        """Reactive power at the meter at `p_mw`. [MVAr]"""
        return self.p_mw * math.tan(math.acos(self.power_factor))

    @property
    def it_mw(self) -> float:
        """Mean IT power: the servers' plugs together. [MW]"""
        return self.p_mw / self.pue

    @property
    def idle_mw(self) -> float:
        """At the meter with all jobs stopped and all servers on. [MW]"""
        return self._meter_mw(self.hardware.it_idle_w)

    @property
    def nameplate_mw(self) -> float:
        """At the meter if every server drew its nameplate. [MW]"""
        return self.count * self.hardware.nameplate_w * self.pue / 1e6

    def demand(self, until_s: float, pauses: Sequence[Pause] = (), seed: int = 0) -> Profile:
        """Power that the cluster asks for at the meter at nominal voltage, from 0 to until_s. [MW]

        It starts at `p_mw`. The same seed gives the same course. With a facility a pause takes its share of the
        servers at once and of the cooling as that follows, so the meter loses pause_mw after minutes. Raises
        SettingError for pauses larger than the cluster.
        """
        return self.at_meter(self.plug_w(until_s, pauses, seed), until_s)

    def at_meter(self, plug_w: Profile, until_s: float) -> Profile:
        """Power at the meter [MW] where one GPU's plug draws plug_w [W] at the reference inlet temperature."""
        if self.facility is None:
            return plug_w.scaled(self._per_plug_watt, "demand_mw")
        return self.facility.meter(self.hardware, self.count, plug_w, until_s)

    def plug_w(self, until_s: float, pauses: Sequence[Pause] = (), seed: int = 0) -> Profile:
        """Mean power at the servers' plugs for one GPU, at the reference inlet temperature. [W]"""
        bad = Problems("demand")
        check_number(bad, "demand", "until_s", until_s, {"unit": "s", "low": 1e-6, "high": 1e9})
        check_number(bad, "demand", "seed", seed, {"unit": "", "low": 0, "high": 2**63})
        bad.raise_if_any(SettingError)
        course = self.workload.profile(until_s, self.count, self.hardware.gpus_per_server, int(seed))
        if pauses:
            there = paused_share(pauses, self.p_mw).scaled(-1.0).plus(1.0)
            course = course.times(there).between(0.0, until_s)
        return course.scaled(self.hardware.it_training_w, "plug_w")

    def stream(
        self, until_s: float, step_s: float = 0.01, pauses: Sequence[Pause] = (), seed: int = 0, chunk: int = 65_536
    ) -> Iterator[tuple[Array, Array]]:
        """Times [s] and meter power [MW] on a grid of step_s, `chunk` samples at a time: memory stays bounded."""
        bad = Problems("stream")
        check_number(bad, "stream", "step_s", step_s, {"unit": "s", "low": 1e-6, "high": 1e6})
        check_number(bad, "stream", "chunk", chunk, {"unit": "", "low": 1, "high": 1e8})
        bad.raise_if_any(SettingError)
        plug_w = self.plug_w(until_s, pauses, seed)
        if self.facility is not None:
            for part in self.facility.stream(self.hardware, self.count, plug_w, until_s, step_s, int(chunk)):
                yield part.t_s, part.meter_mw
            return
        for t_s in grid_chunks(until_s, step_s, int(chunk)):
            yield t_s, plug_w.value(t_s) * self._per_plug_watt

    def stages(self, until_s: float, step_s: float = 1.0, pauses: Sequence[Pause] = (), seed: int = 0) -> Stages:
        """Power of every stage from the GPU to the meter on a grid of step_s. [MW] Needs a facility."""
        if self.facility is None:
            raise SettingError(f"stages: the cluster has a fixed pue = {self.pue:g}; give it facility=Facility()")
        plug_w = self.plug_w(until_s, pauses, seed)
        slow = self.facility.slow(self.hardware, self.count, plug_w, until_s)
        t_s = np.concatenate(list(grid_chunks(until_s, step_s, 1 << 20)))
        return self.facility.stages(self.hardware, self.count, t_s, plug_w.value(t_s), slow)

    def explain_pause(self, pause: Pause | float) -> PauseParts:
        """How much of a pause [MW, or a Pause] idle GPUs give and how much means servers switched off."""
        return explain_pause(self, pause)

    def electrical(self) -> tuple[Model, dict[str, float]]:
        """The electrical model and its parameters for this cluster; the engine places it on the bus."""
        return MODEL, self.supply.values()

    def electrical_groups(self) -> tuple[tuple[str, Model, dict[str, float], float], ...]:
        """What the engine places: name within the cluster, model, parameters, share of the cluster.

        One nameless part without ride-through settings, else one for each UPS group.
        """
        if self.ride_through is None:
            return (("", *self.electrical(), 1.0),)
        supply = {name: self.supply.values()[name] for name in ("psu_s", "v_min_pu", "v_cut_pu")}
        return tuple(
            (g.name, g.model, {**g.values, **supply} if g.model is UPS_MODEL else g.values, g.share)
            for g in self.ride_through.groups()
        )

    @property
    def hold_up_s(self) -> float:
        """How long the servers' supplies carry the mean load without input: the delay of supplies at the mains. [s]

        By the facility's server, or its defaults where the PUE is fixed.
        """
        server = Server() if self.facility is None else self.facility.server
        return float(server.hold_up(self.hardware, self.plug_mean_w))

    @property
    def cooling_share(self) -> float:
        """Cooling's part of the meter's power at the mean of the workload. Needs a facility."""
        if self.facility is None:
            raise SettingError(
                f"cooling_share: the cluster has a fixed pue = {self.pue:g}; give it facility=Facility()"
            )
        rest = self._rest(self.plug_mean_w)
        return float(rest.cooling_mw[0] / rest.meter_mw[0])

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Itself: a cluster is a site of one."""
        return (self,)

    def with_ride_through(self, change: Callable[[RideThrough | None], RideThrough | None]) -> Cluster:
        """The same cluster with its ride-through settings changed by a function of those it has."""
        return replace(self, ride_through=change(self.ride_through))

    def with_workload(self, workload: Workload) -> Cluster:
        """The same cluster with another workload."""
        return replace(self, workload=workload)

    def scaled(self, share: float) -> Cluster:
        """The same cluster with so large a share of its GPUs, one at least."""
        return replace(self, count=max(1, round(self.count * share)))

    def describe(self) -> str:
        """The sum from the card to the meter, a line a stage, with sources."""
        h = self.hardware
        lines = [
            f"{self.count:,} GPUs, {h.title}",
            f"  GPU in training     {h.gpu_training_w}",
            f"  + server's share    {h.overhead_training_w:.0f} W",
            f"  = plug, one GPU     {h.plug_training_w}",
            f"  x {self.count:,} = IT power {power_text(self.it_mw)} (workload mean {self.workload.mean:g})",
            f"  x PUE {self.pue:g} = {power_text(self.p_mw)} at the meter, power factor {self.power_factor:g}",
            f"  all jobs stopped    {power_text(self.idle_mw)}",
            f"  by nameplate        {power_text(self.nameplate_mw)}, {h.server_nameplate_w}",
        ]
        return "\n".join(lines)

    @property
    def plug_mean_w(self) -> float:
        """Mean plug power of one GPU at the reference inlet temperature. [W]"""
        return self.hardware.it_training_w * self.workload.mean

    @property
    def _per_plug_watt(self) -> float:
        """Power at the meter for each watt at every GPU's plug, with a fixed PUE. [MW]"""
        return self.count * self.pue / 1e6

    def _meter_mw(self, watt_per_gpu: float) -> float:
        if self.facility is None:
            return watt_per_gpu * self._per_plug_watt
        return float(self._rest(watt_per_gpu).meter_mw[0])

    def _rest(self, watt_per_gpu: float) -> Stages:
        assert self.facility is not None
        return self.facility.steady(self.hardware, self.count, watt_per_gpu)

    def __str__(self) -> str:
        return f"{self.count:,} x {self.hardware.name}, PUE {self.pue:g}: {power_text(self.p_mw)}"
