"""A server behind its plug: GPUs, the rest of the server, fans and power supplies. Power in W for one GPU.

    plug = DC + psu loss(DC)          DC = GPU + host(GPU) + fans
    fans = fan_share plug_training n^3               n = (heat / heat in training) (limit - reference) / (limit - inlet)
                                                     held between n_min and n_max, behind a lag of fan_s
    host = what the catalogue's two points leave, linear in the GPU's power between them

The catalogue measures the plug idle and in training; both points are met exactly, whatever the curves of fans and
supplies are. Measured idle is a node that loads its job, so its host can be above that in training.

Power supplies: 80 PLUS Titanium at 230 V: 0.90, 0.94, 0.96 at 10, 20, 50 % load (the programme's table) met exactly by
constant + linear + quadratic losses; redundant supplies stay below that half. Its fourth figure, 0.91 at full load, is
a least value and is exceeded (0.957). psu_rating: installed over nameplate; six of 3.3 kW in a 10.2 kW server are
1.94 (DGX H100; recalled, unverified). hold_up_s: output is kept for so long without input at full load (10 to 20 ms in
server specifications; assumed): E = hold_up_s x rating. The air flow goes with the heat over the rise that the inlet
leaves, its fan power with the third power of the flow (fan law). fan_share 0.05 and limit_c 60 give +0.43 % of the
server's power for each kelvin at 25 C; two Swiss sites measured 0.35 to 0.5 % (arXiv:2509.26163).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gridai.cluster.facility.curves import Array
from gridai.cluster.facility.losses import Losses
from gridai.cluster.hardware import Hardware
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError

TITANIUM = Losses.from_efficiency([0.1, 0.2, 0.5], [0.90, 0.94, 0.96], "80 PLUS Titanium, 230 V")


@dataclass(frozen=True)
class ServerParts:
    """Where the power of the plug goes. [W for one GPU], arrays of one shape; plug is their sum."""

    gpu_w: Array
    host_w: Array
    fans_w: Array
    psu_w: Array
    plug_w: Array


@dataclass(frozen=True)
class Server:
    """Curves of the server; with a Hardware they give the split of the plug's power. Raises SettingError."""

    fan_share: float = setting(0.05, "", "fan power over plug power in training at reference_c", 0.0, 0.3)
    reference_c: float = setting(25.0, "C", "inlet temperature at which the catalogue's plug power holds", 5.0, 45.0)
    limit_c: float = setting(60.0, "C", "air temperature the fans must not exceed", 46.0, 120.0)
    n_min: float = setting(0.3, "", "lowest fan speed over that in training", 0.0, 1.0)
    n_max: float = setting(1.8, "", "highest fan speed over that in training", 1.0, 5.0)
    fan_s: float = setting(10.0, "s", "time constant of the fans behind the heat", 0.1, 600.0)
    psu: Losses = field(default=TITANIUM, metadata={"help": "losses of the power supplies", "unit": ""})
    psu_rating: float = setting(1.94, "", "rating of all supplies over the nameplate (unverified)", 0.5, 5.0)
    hold_up_s: float = setting(0.02, "s", "time at full load without input", 0.0, 1.0)

    def __post_init__(self) -> None:
        bad = Problems("server")
        check_ranges(self, bad)
        bad.raise_if_any(SettingError)

    def rated_w(self, hardware: Hardware) -> float:
        """Rating of the supplies for one GPU. [W]"""
        return self.psu_rating * hardware.nameplate_w

    def stored_j(self, hardware: Hardware) -> float:
        """Energy in the supplies' capacitors that the hold-up uses, for one GPU. [J]"""
        return self.hold_up_s * self.rated_w(hardware)

    def hold_up(self, hardware: Hardware, plug_w: npt.ArrayLike) -> Array:
        """How long the output lasts without input at a load. [s]"""
        dc_w = self.psu.output(plug_w, self.rated_w(hardware))
        return np.asarray(self.stored_j(hardware) / np.maximum(dc_w, 1e-9))

    def fan_w(self, hardware: Hardware, heat_w: npt.ArrayLike, inlet_c: float) -> Array:
        """Fan power at a heat (plug power, lagged) and an inlet temperature. [W]"""
        if not inlet_c < self.limit_c:
            raise SettingError(f"inlet_c = {inlet_c:g} C: must be below limit_c = {self.limit_c:g} C")
        rise = (self.limit_c - self.reference_c) / (self.limit_c - inlet_c)
        speed = np.clip(np.asarray(heat_w, dtype=float) / hardware.it_training_w * rise, self.n_min, self.n_max)
        return np.asarray(self.fan_share * hardware.it_training_w * speed**3)

    def parts(
        self, hardware: Hardware, plug_w: npt.ArrayLike, heat_w: npt.ArrayLike, inlet_c: float | None = None
    ) -> ServerParts:
        """The split of a plug power that holds at reference_c, at the inlet's temperature.

        plug_w  plug power at reference_c: the catalogue's and the workloads' scale. [W]
        heat_w  the same, lagged by fan_s: what the fans see. [W]
        A warmer inlet raises fans, supplies' losses and plug; GPU and host stay.
        """
        plug = np.asarray(plug_w, dtype=float)
        reference_w = self.fan_w(hardware, heat_w, self.reference_c)
        dc_w = self.psu.output(plug, self.rated_w(hardware))
        gpu = self._gpu_w(hardware, dc_w - reference_w)
        host = dc_w - reference_w - gpu
        fans = reference_w if inlet_c is None else self.fan_w(hardware, heat_w, inlet_c)
        return self._behind(hardware, gpu, host, fans)

    def from_gpu(self, hardware: Hardware, gpu_w: npt.ArrayLike, inlet_c: float | None = None) -> ServerParts:
        """The parts and the plug at a steady GPU power: the way up, for caps and clocks."""
        gpu = np.asarray(gpu_w, dtype=float)
        h_idle, slope = self._host(hardware)
        host = np.maximum(h_idle + slope * (gpu - hardware.gpu_idle_w.value), 0.0)
        inlet = self.reference_c if inlet_c is None else inlet_c
        found = self._behind(hardware, gpu, host, np.zeros_like(gpu))
        for _ in range(30):
            heat = self._behind(hardware, gpu, host, self.fan_w(hardware, found.plug_w, self.reference_c)).plug_w
            found = self._behind(hardware, gpu, host, self.fan_w(hardware, heat, inlet))
        return found

    def _behind(self, hardware: Hardware, gpu: Array, host: Array, fans: Array) -> ServerParts:
        dc_w = gpu + host + fans
        loss = self.psu.loss(dc_w, self.rated_w(hardware))
        return ServerParts(gpu, host, fans, loss, dc_w + loss)

    def _gpu_w(self, hardware: Hardware, inner_w: Array) -> Array:
        """GPU power where GPU and host together draw inner_w; never negative."""
        h_idle, slope = self._host(hardware)
        gpu_idle = hardware.gpu_idle_w.value
        gpu = gpu_idle + (inner_w - gpu_idle - h_idle) / (1.0 + slope)
        return np.asarray(np.clip(gpu, 0.0, np.maximum(inner_w, 0.0)))

    def _host(self, hardware: Hardware) -> tuple[float, float]:
        """Host power at the idle point [W] and its slope against GPU power, so that both points are met."""
        host = []
        for plug, gpu in (
            (hardware.it_idle_w, hardware.gpu_idle_w.value),
            (hardware.it_training_w, hardware.gpu_training_w.value),
        ):
            dc_w = float(self.psu.output(plug, self.rated_w(hardware)))
            host.append(dc_w - gpu - float(self.fan_w(hardware, plug, self.reference_c)))
        for state, left in zip(("idle", "training"), host, strict=True):
            if left < 0.0:
                raise SettingError(
                    f"server of {hardware.name}, {state}: fans and supplies leave {left:.0f} W for the rest of the "
                    "server; give a smaller fan_share or psu_rating, or a plug power with less GPU in it"
                )
        span = hardware.gpu_training_w.value - hardware.gpu_idle_w.value
        return host[0], (host[1] - host[0]) / span
