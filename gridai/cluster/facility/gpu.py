"""GPU power against utilisation, clock and power cap. Not linear in any of them.

    P(u, f) = P_idle + (P_peak - P_idle) u^a s(f)        s(f) = (1 - n) f + n f (V(f) / V(1))^2

    V/V(1) |        /      clock f as a share of the highest; below f_t the voltage rests at v_floor, so power falls
           |_______/       in proportion to the clock; above it voltage rises with the clock and power with about f^3
           +-----f_t-- f

    cap -> the highest clock at which P(u, f) stays below it; ramp of cap_s until power is there

u is the share of the time in which the GPU's units work; a < 1 because memory and clock trees draw power as soon as
anything runs. n is the share of the dynamic power that follows the voltage (the rest is memory, at its own voltage).
Power in W for one GPU. Source of the form: the decomposition into a linear and a nonlinear part beyond a transition
frequency is that of arXiv:2607.00819 (A40 to H200). cap_s: a cap is reached 97.2 ms after the trigger (three V100,
arXiv:2605.26384). The numbers a, n, f_t and v_floor are assumed for a present data-centre GPU and marked unverified;
give a CurveFamily with measured curves where there are any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridai.cluster.facility.curves import Array, CurveFamily
from gridai.cluster.hardware import Hardware
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError

CLOCKS = np.linspace(0.1, 1.0, 181)


@dataclass(frozen=True)
class GpuPower:
    """The curve of one GPU. `measured` (power [W] over utilisation, by clock share) takes the formula's place."""

    idle_w: float = setting(100.0, "W", "power with nothing running", 0.0, 1e4)
    peak_w: float = setting(700.0, "W", "power at full utilisation and clock", 1.0, 1e4)
    exponent: float = setting(0.75, "", "exponent a of the utilisation (unverified)", 0.1, 2.0)
    voltage_share: float = setting(0.75, "", "share n of the power that follows the voltage (unverified)", 0.0, 1.0)
    knee: float = setting(0.6, "", "clock share f_t below which the voltage rests (unverified)", 0.1, 0.99)
    v_floor: float = setting(0.7, "", "voltage below the knee over that at full clock (unverified)", 0.3, 1.0)
    cap_s: float = setting(0.0972, "s", "time from a new cap until the power is there", 1e-3, 10.0)
    measured: CurveFamily | None = None

    def __post_init__(self) -> None:
        bad = Problems("GPU power")
        check_ranges(self, bad)
        if not bad and not self.idle_w < self.peak_w:
            bad.add("GpuPower", None, "idle_w", self.idle_w, f"must be below peak_w = {self.peak_w:g} W")
        bad.raise_if_any(SettingError)

    @classmethod
    def of(cls, hardware: Hardware) -> GpuPower:
        """The curve between the idle and the rated power of a GPU of the catalogue."""
        return cls(idle_w=hardware.gpu_idle_w.value, peak_w=hardware.gpu_tdp_w.value)

    def power_w(self, utilisation: npt.ArrayLike, clock: npt.ArrayLike = 1.0) -> Array:
        """Power at utilisation 0..1 and clock share 0..1. [W]"""
        u = np.clip(np.asarray(utilisation, dtype=float), 0.0, 1.0)
        if self.measured is not None:
            return self.measured(u, clock)
        return self.idle_w + (self.peak_w - self.idle_w) * u**self.exponent * self.clock_factor(clock)

    def clock_factor(self, clock: npt.ArrayLike) -> Array:
        """Dynamic power at a clock share over that at full clock."""
        f = np.clip(np.asarray(clock, dtype=float), 0.0, 1.0)
        volt = self.v_floor + (1.0 - self.v_floor) * np.clip((f - self.knee) / (1.0 - self.knee), 0.0, None)
        return np.asarray((1.0 - self.voltage_share) * f + self.voltage_share * f * volt**2)

    def capped(
        self, utilisation: npt.ArrayLike, cap_w: npt.ArrayLike, clock: npt.ArrayLike = 1.0
    ) -> tuple[Array, Array]:
        """Power [W] and clock share under a cap: the highest clock, not above `clock`, that stays below it.

        A cap below the power at a tenth of the clock cannot be met: the power is then that of a tenth.
        """
        u, cap, top = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (utilisation, cap_w, clock)))
        table = self.power_w(u[..., None], CLOCKS)
        below = (table <= cap[..., None]) & (top[..., None] >= CLOCKS - 1e-12)
        k = np.where(below.any(axis=-1), below.shape[-1] - 1 - below[..., ::-1].argmax(axis=-1), 0)
        n = np.minimum(k + 1, len(CLOCKS) - 1)
        here = np.take_along_axis(table, k[..., None], -1)[..., 0]
        there = np.take_along_axis(table, n[..., None], -1)[..., 0]
        share = np.divide(cap - here, there - here, out=np.zeros_like(here), where=there > here)
        found = np.minimum(CLOCKS[k] + np.clip(share, 0.0, 1.0) * (CLOCKS[n] - CLOCKS[k]), np.maximum(top, CLOCKS[0]))
        return self.power_w(u, found), found

    def utilisation(self, power_w: npt.ArrayLike) -> Array:
        """The utilisation that draws a power at full clock; 0 below idle, 1 above the peak."""
        grid = np.linspace(0.0, 1.0, 1001)
        return np.asarray(np.interp(np.asarray(power_w, dtype=float), self.power_w(grid), grid))
