"""Battery: a store at the site's meter that takes the fast part of the demand off the grid.

    power of the grid = demand - b,   b towards demand - target        (block diagram: gridai.cluster.shapers.store)

    target   the demand through 1/(1 + s smooth_s), moving no faster than ramp_mw_per_s, drawn towards the charge soc

For a square wave of peak-to-peak D and period T (lossless, no restoring), once it repeats:

    smooth_s = tau      swing left D tanh(T / 4 tau), power D/2 (1 + tanh(T / 4 tau)), energy D tau tanh(T / 4 tau)
    ramp R >= 2 D / T   swing left D, power D, energy D^2 / (2 R) to each side

(`gridai.cluster.shapers.sizing`.) The default efficiencies, 0.95 each way, are assumed: 0.90 there and back, as
lithium-ion systems with their converters are commonly quoted. Self-discharge and ageing are not modelled; the
throughput is counted. A supercapacitor is a battery of much power, little energy and 0.98: `supercapacitor`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gridai.cluster.settings import setting
from gridai.cluster.shapers.base import Shaped, check
from gridai.cluster.shapers.store import Store, run
from gridai.errors import SettingError
from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Battery:
    """A battery with its control. Raises SettingError naming the field: no power, no energy, crossed bounds.

    smooth_s, ramp_mw_per_s  one of them at least must do something: smooth_s > 0 or a finite ramp.
    soc, soc_low, soc_high   charge at the start, and its bounds, as a part of energy_mj.
    """

    power_mw: float = setting(10.0, "MW", "most power in both directions", 0.0)
    energy_mj: float = setting(100.0, "MJ", "energy between empty and full; 1 MWh = 3,600 MJ", 0.0)
    smooth_s: float = setting(10.0, "s", "time constant of the power that the grid sees; 0: none", 0.0)
    ramp_mw_per_s: float = math.inf
    response_s: float = setting(0.0, "s", "time constant of its own power", 0.0, 60.0)
    restore_s: float = setting(0.0, "s", "time in which its charge is drawn back to the start; 0: not", 0.0)
    charge_eff: float = setting(0.95, "", "energy stored over energy taken", 1e-3, 1.0)
    discharge_eff: float = setting(0.95, "", "energy given over energy drawn from the store", 1e-3, 1.0)
    soc: float = setting(0.5, "", "charge at the start", 0.0, 1.0)
    soc_low: float = setting(0.05, "", "lowest charge", 0.0, 1.0)
    soc_high: float = setting(0.95, "", "highest charge", 0.0, 1.0)
    step_s: float = setting(0.01, "s", "longest step of its course", 1e-5, 60.0)

    def __post_init__(self) -> None:
        check(
            self,
            (self.power_mw > 0.0, "power_mw", "a battery without power does nothing: give a power above 0 MW"),
            (self.energy_mj > 0.0, "energy_mj", "a battery without energy does nothing: give an energy above 0 MJ"),
            (self.soc_low < self.soc_high, "soc_low", f"must be below soc_high = {self.soc_high:g}"),
            (self.soc_low <= self.soc <= self.soc_high, "soc", f"give {self.soc_low:g} to {self.soc_high:g}"),
        )
        if not self.ramp_mw_per_s > 0.0:
            raise SettingError(f"shaper Battery: ramp_mw_per_s = {self.ramp_mw_per_s!r}: give a rate above 0 MW/s")
        if self.smooth_s == 0.0 and math.isinf(self.ramp_mw_per_s):
            raise SettingError("shaper Battery: smooth_s = 0 and no ramp_mw_per_s: it would do nothing; give one")

    @property
    def usable_mj(self) -> float:
        """Energy between the bounds of charge. [MJ]"""
        return (self.soc_high - self.soc_low) * self.energy_mj

    def store(self) -> Store:
        """The numbers of the store."""
        return Store(
            self.power_mw, self.soc_low * self.energy_mj, self.soc_high * self.energy_mj, self.soc * self.energy_mj,
            self.smooth_s, self.ramp_mw_per_s, self.response_s, self.restore_s, self.charge_eff, self.discharge_eff,
            self.step_s,
        )  # fmt: skip

    def shape(self, demand: Profile) -> Shaped:
        """The demand less what the battery gives; its charge as `stored_mj`."""
        return run(self.store(), demand)

    def at_rest(self, p_mw: float) -> float:
        """The demand itself: the battery rests at the start."""
        return p_mw


def supercapacitor(power_mw: float, energy_mj: float, smooth_s: float = 2.0, **settings: float) -> Battery:
    """A bank of supercapacitors: 0.98 each way, charge 0.25 to 1 (half to full voltage), start 0.6; all assumed."""
    usual = {"charge_eff": 0.98, "discharge_eff": 0.98, "soc": 0.6, "soc_low": 0.25, "soc_high": 1.0}
    return Battery(power_mw=power_mw, energy_mj=energy_mj, smooth_s=smooth_s, **{**usual, **settings})
