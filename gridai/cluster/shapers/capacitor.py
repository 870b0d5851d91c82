"""Capacitor: energy stored beside each GPU, or in each rack, that evens out its power.

    store of the cluster   gpus x joule_per_gpu,  gpus x watt_per_gpu      (block diagram: gridai.cluster.shapers.store)

Its default, 65 J a GPU, is what the supplies of GB300 racks hold (vendor's blog; "peak demand down by up to 30 %",
in the reference data of this project). 65 J at the 300 W swing of a GPU last 0.2 s: such a store rounds edges and
takes out what is faster than about 1 Hz, and nothing of an iteration of seconds; a larger one may stand in each rack.
A store behind the PUE: what it takes off the plug comes off the meter times PUE, as all power of the servers does.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Shaped, check
from gridai.cluster.shapers.battery import Battery
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Capacitor:
    """Stores at the GPUs. Raises SettingError naming the field, also for no energy."""

    gpus: int = setting(100_000, "", "GPUs, each with its part", 1, 1e8)
    joule_per_gpu: float = setting(65.0, "J", "usable energy for each GPU", 0.0)
    watt_per_gpu: float = setting(700.0, "W", "most power for each GPU", 0.0)
    smooth_s: float = setting(0.2, "s", "time constant of the power that the plug sees", 1e-3, 1e4)
    efficiency: float = setting(0.99, "", "of charging, and of discharging", 1e-3, 1.0)
    restore_s: float = setting(5.0, "s", "time in which the charge is drawn back to half; 0: not", 0.0)
    pue: float = setting(1.25, "", "power at the meter over power at the plugs", 1.0, 3.0)
    step_s: float = setting(0.005, "s", "longest step of its course", 1e-5, 60.0)

    def __post_init__(self) -> None:
        check(
            self,
            (self.joule_per_gpu > 0.0, "joule_per_gpu", "a store without energy does nothing: give more than 0 J"),
            (self.watt_per_gpu > 0.0, "watt_per_gpu", "a store without power does nothing: give more than 0 W"),
        )

    def battery(self) -> Battery:
        """The same store as one at the meter."""
        scale = self.gpus * self.pue / 1e6
        return Battery(
            power_mw=scale * self.watt_per_gpu, energy_mj=scale * self.joule_per_gpu, smooth_s=self.smooth_s,
            restore_s=self.restore_s, charge_eff=self.efficiency, discharge_eff=self.efficiency, soc_low=0.0,
            soc_high=1.0, step_s=self.step_s,
        )  # fmt: skip

    def shape(self, demand: Profile) -> Shaped:
        """The demand at the meter with the stores' part of it; their charge as `stored_mj`."""
        return self.battery().shape(demand)

    def at_rest(self, p_mw: float) -> float:
        """The demand itself."""
        return p_mw
