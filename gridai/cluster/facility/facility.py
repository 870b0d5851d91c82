"""Facility: everything between the servers' plugs and the meter, and the servers' own parts.

    GPU + host + fans --psu--> plug --pdu--> UPS out --ups--> UPS in --+
    chillers, pumps, air handlers, rejection, lighting ----------------+--> busbar --transformer--> meter

A workload gives the plug's power; from it the chain goes both ways: down to GPU, host, fans and supplies, up through
losses to the meter. A server that is on draws its idle power at least: a plug power below that means that a part of
the servers is off. Fans and cooling are slow, so they are computed once on a grid of `slow_s` and interpolated; all
else follows at once. PUE is a result: energy at the meter over energy at the plugs.

Defaults: UPS double conversion 96.4 % at 35 to 60 % load (shape of white papers 108 and 113; modern transformerless
units are rated up to 97 %), distribution 1 % at rated load, transformer 2,500 kVA of EU 548/2014 tier 2 (1,575 W and
18,500 W, recalled: unverified). Equipment is rated for the servers' highest power over its loading.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gridai.cluster.facility.cooling import Cooling, CoolingCourse
from gridai.cluster.facility.curves import Array
from gridai.cluster.facility.losses import Losses
from gridai.cluster.facility.server import Server, ServerParts
from gridai.cluster.facility.stages import STAGES, Stages
from gridai.cluster.hardware import Hardware
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError
from gridai.kernel.profile import Profile

UPS = Losses(constant=0.007, linear=0.015, quadratic=0.018)
UPS_ECO = Losses(constant=0.004, linear=0.003, quadratic=0.002)
PDU = Losses(constant=0.001, linear=0.0, quadratic=0.009)
TRANSFORMER = Losses(constant=0.00063, linear=0.0, quadratic=0.0074)
MOST_SLOW_STEPS = 200_000


@dataclass(frozen=True)
class SlowCourse:
    """What changes slowly: heat the fans see (W for one GPU at reference) and the cooling plant, on one grid."""

    t_s: Array
    heat_w: Array
    cooling: CoolingCourse


@dataclass(frozen=True)
class Facility:
    """A data centre around its servers. Raises SettingError for settings out of range."""

    inlet_c: float = setting(25.0, "C", "air temperature at the servers' inlet", 5.0, 45.0)
    outdoor_c: float = setting(18.0, "C", "outdoor temperature (wet bulb with towers)", -40.0, 50.0)
    server: Server = field(default_factory=Server, metadata={"help": "fans and power supplies", "unit": ""})
    ups: Losses = field(default=UPS, metadata={"help": "losses of the UPS", "unit": ""})
    ups_loading: float = setting(0.8, "", "highest IT power over the UPS rating", 0.05, 1.0)
    pdu: Losses = field(default=PDU, metadata={"help": "losses of the distribution behind the UPS", "unit": ""})
    transformer: Losses = field(default=TRANSFORMER, metadata={"help": "losses of the transformers", "unit": ""})
    transformer_loading: float = setting(0.6, "", "highest IT power over the transformers' rating", 0.05, 1.0)
    cooling: Cooling = field(default_factory=Cooling, metadata={"help": "the cooling plant", "unit": ""})
    other_share: float = setting(0.01, "", "lighting, offices, controls over the highest IT power", 0.0, 0.5)
    slow_s: float = setting(1.0, "s", "grid of fans and cooling", 0.1, 60.0)

    def __post_init__(self) -> None:
        bad = Problems("facility")
        check_ranges(self, bad)
        for name, kind in (("server", Server), ("cooling", Cooling), ("ups", Losses), ("pdu", Losses),
                           ("transformer", Losses)):  # fmt: skip
            if not isinstance(getattr(self, name), kind):
                bad.add("facility", None, name, getattr(self, name), f"give a {kind.__name__}")
        bad.raise_if_any(SettingError)

    def steady(self, hardware: Hardware, count: int, plug_w: float) -> Stages:
        """All stages at rest with every GPU's plug at plug_w (its power at the reference inlet)."""
        return self.stages(hardware, count, np.array([0.0]), np.array([plug_w]), self._rest(hardware, count, plug_w))

    def slow(self, hardware: Hardware, count: int, plug_w: Profile, until_s: float) -> SlowCourse:
        """Fans' heat and cooling behind the plug power of one GPU [W], from rest at its first value."""
        step_s = max(self.slow_s, until_s / MOST_SLOW_STEPS)
        edges: Array = step_s * np.arange(math.ceil(until_s / step_s - 1e-9) + 1, dtype=np.float64)
        mean_w = _means(plug_w, edges)
        start_w = float(plug_w.value(0.0))
        heat_w = _lagged(np.concatenate([[start_w], mean_w]), step_s / self.server.fan_s)
        plug_mw = self._plug_mw(hardware, count, np.concatenate([[start_w], mean_w]), heat_w)
        cooling = self.cooling.course(
            self._heat_mw(hardware, count, plug_mw), step_s, self._design_mw(hardware, count), self.outdoor_c
        )
        return SlowCourse(edges, heat_w, cooling)

    def stages(self, hardware: Hardware, count: int, t_s: Array, plug_w: Array, slow: SlowCourse) -> Stages:
        """Power of each stage at times t_s, where one GPU's plug draws plug_w at the reference inlet. [MW]"""
        parts, on = self._servers(hardware, plug_w, np.interp(t_s, slow.t_s, slow.heat_w))
        mega = on * count / 1e6
        plug = parts.plug_w * mega
        peak_mw = self._peak_mw(hardware, count)
        ups_out = plug + self.pdu.loss(plug, peak_mw)
        ups_in = ups_out + self.ups.loss(ups_out, peak_mw / self.ups_loading)
        c = slow.cooling
        plant = [np.interp(t_s, slow.t_s, p) for p in (c.chillers_mw, c.pumps_mw, c.air_mw, c.rejection_mw)]
        other = np.full_like(plug, self.other_share * peak_mw)
        busbar = ups_in + other + sum(plant)
        meter = busbar + self.transformer.loss(busbar, peak_mw / self.transformer_loading)
        powers = (
            parts.gpu_w * mega, parts.host_w * mega, parts.fans_w * mega, parts.psu_w * mega,
            ups_out - plug, ups_in - ups_out, *plant, other, meter - busbar,
        )  # fmt: skip
        running = {"chillers_running": np.interp(t_s, slow.t_s, c.running)}
        return Stages(t_s, dict(zip(STAGES, powers, strict=True)), meter, running)

    def stream(
        self, hardware: Hardware, count: int, plug_w: Profile, until_s: float, step_s: float, chunk: int = 65_536
    ) -> Iterator[Stages]:
        """All stages on a grid of step_s, chunk samples at a time, so that memory stays bounded."""
        slow = self.slow(hardware, count, plug_w, until_s)
        for t_s in grid_chunks(until_s, step_s, chunk):
            yield self.stages(hardware, count, t_s, plug_w.value(t_s), slow)

    def meter(self, hardware: Hardware, count: int, plug_w: Profile, until_s: float) -> Profile:
        """Power at the meter against time: exact at the plug course's own points, slow parts on their grid. [MW]"""
        slow = self.slow(hardware, count, plug_w, until_s)
        t = np.union1d(plug_w.t_s, slow.t_s[slow.t_s <= until_s])
        jumps = np.isin(t, plug_w.breaks)
        times = np.repeat(t, 1 + jumps.astype(int))
        first = np.zeros(len(times), dtype=bool)
        first[np.cumsum(1 + jumps.astype(int))[jumps] - 2] = True
        watt = np.where(first, plug_w.before(times), plug_w.value(times))
        return Profile(times, self.stages(hardware, count, times, watt, slow).meter_mw, "demand_mw")

    def _rest(self, hardware: Hardware, count: int, plug_w: float) -> SlowCourse:
        watt = np.array([plug_w])
        heat_mw = self._heat_mw(hardware, count, self._plug_mw(hardware, count, watt, watt))
        plant = self.cooling.steady(float(heat_mw[0]), self._design_mw(hardware, count), self.outdoor_c)
        return SlowCourse(np.array([0.0]), watt, plant)

    def _plug_mw(self, hardware: Hardware, count: int, plug_w: Array, heat_w: Array) -> Array:
        parts, on = self._servers(hardware, plug_w, heat_w)
        return np.asarray(parts.plug_w * on * (count / 1e6))

    def _servers(self, hardware: Hardware, plug_w: Array, heat_w: Array) -> tuple[ServerParts, Array]:
        """The parts of a server that is on, and the share of the servers that are."""
        idle_w = hardware.it_idle_w
        on = np.minimum(np.maximum(plug_w, 0.0) / idle_w, 1.0)
        return self.server.parts(hardware, np.maximum(plug_w, idle_w), np.maximum(heat_w, idle_w), self.inlet_c), on

    def _heat_mw(self, hardware: Hardware, count: int, plug_mw: Array) -> Array:
        """Heat in the rooms: servers, distribution and UPS."""
        peak_mw = self._peak_mw(hardware, count)
        out = plug_mw + self.pdu.loss(plug_mw, peak_mw)
        return np.asarray(out + self.ups.loss(out, peak_mw / self.ups_loading))

    def _design_mw(self, hardware: Hardware, count: int) -> float:
        peak_mw = np.array([self._peak_mw(hardware, count)])
        return float(self._heat_mw(hardware, count, peak_mw)[0])

    def _peak_mw(self, hardware: Hardware, count: int) -> float:
        peak_w = np.array([hardware.it_peak_w])
        return float(self.server.parts(hardware, peak_w, peak_w, self.inlet_c).plug_w[0]) * count / 1e6


def grid_chunks(until_s: float, step_s: float, chunk: int) -> Iterator[Array]:
    """The times 0, step_s, ... below until_s, as arrays of at most `chunk`."""
    n = math.ceil(until_s / step_s - 1e-9)
    for start in range(0, n, chunk):
        yield step_s * np.arange(start, min(start + chunk, n), dtype=np.float64)


def _means(profile: Profile, edges: Array) -> Array:
    """Mean of a profile between neighbouring edges, exact. float[n - 1]"""
    t = np.union1d(profile.t_s, edges)
    area = np.concatenate([[0.0], np.cumsum(np.diff(t) * (profile.value(t[:-1]) + profile.before(t[1:])) / 2.0)])
    at = np.searchsorted(t, edges)
    return np.asarray(np.diff(area[at]) / np.diff(edges))


def _lagged(x: Array, share: float) -> Array:
    """First-order lag on a uniform grid, from rest at the first value; share = step over time constant."""
    from scipy.signal import lfilter

    a = math.exp(-share)
    out, _ = lfilter([1.0 - a], [1.0, -a], x, zi=[a * x[0]])
    return np.asarray(out)
