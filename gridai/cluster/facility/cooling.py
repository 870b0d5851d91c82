"""Cooling: heat of the room, chilled water with its thermal mass, chillers that start and stop, pumps and fans.

    IT heat --[ 1/(1 + s room_s) ]-- air handlers --> loop --> chillers --> heat rejection
                                                   T: C dT/dt = q_in - q
    q wanted = capacity T / band (proportional control on the return temperature), so C = capacity loop_s / band gives
    a loop that follows its heat behind loop_s: a job that stops leaves the chillers running for minutes.

    chillers  n of equal size; one more starts when those running are full, comes up in start_s (drive-limited, no
              inrush) and runs for run_s at least; one stops when the rest would do below stop_load; stage_s between two
              changes. Power of a running one: heat / COP + idle share. None goes below min_load of its size.
    COP       carnot (T_evaporator) / (T_condenser - T_evaporator), at most cop_max; condenser = outdoor + approach
    free      below free_c outdoors no chiller is needed; between free_c and free_c + free_span_k in proportion
    pumps, air handlers, rejection   cubic in their flow (affinity laws), not below a lowest speed

Powers in MW (any unit will do, the same throughout). Sources: the affinity laws; Carnot's bound with the share carnot;
the minutes of a chilled-water loop are those of Schneider white paper 179 (temperature rise during outages). The sizes
of the shares, room_s and loop_s are assumed for a water-cooled plant with warm chilled water and marked unverified.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridai.cluster.facility.curves import Array
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError

ZERO_C = 273.15


@dataclass(frozen=True)
class CoolingCourse:
    """Cooling against time on a uniform grid. Powers in MW; room_mw is the heat that reaches the loop and heat_mw
    what the chillers and free cooling take out of it.

    running  chillers on; rise  return temperature above its set point over band.
    """

    t_s: Array
    chillers_mw: Array
    pumps_mw: Array
    air_mw: Array
    rejection_mw: Array
    room_mw: Array
    heat_mw: Array
    running: Array
    rise: Array

    @property
    def total_mw(self) -> Array:
        """Electrical power of all of it."""
        return self.chillers_mw + self.pumps_mw + self.air_mw + self.rejection_mw


@dataclass(frozen=True)
class Cooling:
    """A chilled-water plant. Shares are of the design heat. Raises SettingError."""

    room_s: float = setting(60.0, "s", "lag of air and servers' mass (unverified)", 1.0, 3600.0)
    loop_s: float = setting(240.0, "s", "time constant of the chilled-water loop (unverified)", 1.0, 36000.0)
    chillers: int = setting(8, "", "number of chillers", 1, 500)
    margin: float = setting(1.25, "", "capacity of all chillers over the design heat", 1.0, 5.0)
    min_load: float = setting(0.15, "", "lowest load of a running chiller over its size", 0.0, 0.9)
    stop_load: float = setting(0.8, "", "load of those left below which one stops", 0.1, 1.0)
    idle_share: float = setting(0.01, "", "power of a running chiller at no load over its size", 0.0, 0.1)
    start_s: float = setting(60.0, "s", "a chiller comes up in", 1.0, 3600.0)
    run_s: float = setting(600.0, "s", "a chiller runs at least", 0.0, 36000.0)
    stage_s: float = setting(120.0, "s", "least time between two starts or stops", 0.0, 36000.0)
    carnot: float = setting(0.45, "", "COP over Carnot's", 0.1, 0.9)
    cop_max: float = setting(9.0, "", "highest COP", 1.0, 30.0)
    evaporator_c: float = setting(15.0, "C", "evaporator temperature", -10.0, 40.0)
    approach_k: float = setting(12.0, "K", "condenser above outdoor temperature", 1.0, 40.0)
    free_c: float = setting(5.0, "C", "outdoor temperature at which no chiller is needed", -50.0, 40.0)
    free_span_k: float = setting(10.0, "K", "above it free cooling fades out over", 0.1, 40.0)
    pump_share: float = setting(0.015, "", "pumps at design flow", 0.0, 0.2)
    air_share: float = setting(0.035, "", "air handlers at design flow", 0.0, 0.2)
    rejection_share: float = setting(0.012, "", "towers or dry coolers at design heat", 0.0, 0.2)
    low_speed: float = setting(0.4, "", "lowest speed of pumps and fans", 0.0, 1.0)

    def __post_init__(self) -> None:
        bad = Problems("cooling")
        check_ranges(self, bad)
        if not bad and self.chillers != int(self.chillers):
            bad.add("Cooling", None, "chillers", self.chillers, "give a whole number")
        bad.raise_if_any(SettingError)

    def cop(self, outdoor_c: float) -> float:
        """Heat taken away over electrical power of a loaded chiller."""
        lift = outdoor_c + self.approach_k - self.evaporator_c
        return self.cop_max if lift <= 0.0 else min(self.cop_max, self.carnot * (self.evaporator_c + ZERO_C) / lift)

    def chilled_share(self, outdoor_c: float) -> float:
        """The part of the heat that needs a chiller; the rest is free cooling."""
        return min(1.0, max(0.0, (outdoor_c - self.free_c) / self.free_span_k))

    def course(self, heat_mw: Array, step_s: float, design_mw: float, outdoor_c: float) -> CoolingCourse:
        """The plant's course behind a heat, from the steady state of its first value.

        heat_mw    mean heat of each step. float[n]
        design_mw  heat the plant is built for. [MW]
        Raises SettingError where the heat exceeds the plant's capacity.
        """
        self._check(heat_mw, design_mw)
        n = len(heat_mw)
        room, taken, running, rise = (np.empty(n) for _ in range(4))
        size = self.margin * design_mw / self.chillers
        chilled = self.chilled_share(outdoor_c)
        state = _Plant(self, float(heat_mw[0]), size, chilled)
        room_gain = -math.expm1(-step_s / self.room_s)
        for k, q in enumerate(heat_mw.tolist()):
            state.room += room_gain * (q - state.room)
            state.step(step_s)
            room[k], taken[k], running[k], rise[k] = state.room, state.q, state.n, state.rise
        t_s = step_s * np.arange(n, dtype=np.float64)
        chillers = chilled * taken / self.cop(outdoor_c) + running * self.idle_share * size
        return CoolingCourse(
            t_s=t_s,
            chillers_mw=chillers,
            pumps_mw=self._cubic(self.pump_share, taken, design_mw),
            air_mw=self._cubic(self.air_share, room, design_mw),
            rejection_mw=self._cubic(self.rejection_share, taken + chillers, design_mw),
            room_mw=room,
            heat_mw=taken,
            running=running,
            rise=rise,
        )

    def steady(self, heat_mw: float, design_mw: float, outdoor_c: float) -> CoolingCourse:
        """The plant at rest under a constant heat: a course of one point."""
        return self.course(np.array([heat_mw]), 1e-9, design_mw, outdoor_c)

    def _cubic(self, share: float, flow_mw: Array, design_mw: float) -> Array:
        speed = np.maximum(flow_mw / design_mw, self.low_speed)
        return np.asarray(share * design_mw * speed**3)

    def _check(self, heat_mw: Array, design_mw: float) -> None:
        most = float(heat_mw.max())
        if most > self.margin * design_mw * (1.0 + 1e-9):
            raise SettingError(
                f"cooling: {most:.3f} MW of heat, {self.margin * design_mw:.3f} MW of chillers (margin {self.margin:g} "
                "over the design heat): give a larger margin"
            )


class _Plant:
    """State of the loop while a course is computed."""

    def __init__(self, plant: Cooling, heat: float, size: float, chilled: float) -> None:
        self.plant, self.size, self.chilled = plant, size, chilled
        self.capacity = size * plant.chillers
        self.room = self.q = heat
        self.rise = heat / self.capacity
        self.n = self._needed(heat)
        self.online = self.n * size
        self.since_s = self.ran_s = math.inf

    def _needed(self, heat: float) -> int:
        return min(self.plant.chillers, max(0, math.ceil(self.chilled * heat / self.size - 1e-9)))

    def step(self, step_s: float) -> None:
        """One step: the chillers' schedule, what they take away, and the loop's temperature."""
        p = self.plant
        wanted = min(max(self.rise, 0.0), 1.0) * self.capacity
        self._stage(self.chilled * wanted)
        self.since_s += step_s
        self.ran_s += step_s
        top = self.n * self.size
        self.online = min(top, self.online + step_s * self.size / p.start_s)
        if self.chilled > 0.0:
            low = p.min_load * top / self.chilled
            wanted = min(max(wanted, low if self.rise > 0.0 else 0.0), self.online / self.chilled)
        self.q = wanted
        self.rise += step_s / p.loop_s * (self.room - wanted) / self.capacity

    def _stage(self, load: float) -> None:
        p = self.plant
        if self.since_s < p.stage_s:
            return
        if load > self.n * self.size * (1.0 + 1e-9) and self.n < p.chillers:
            self.n, self.since_s, self.ran_s = self.n + 1, 0.0, 0.0
        elif self.n > 0 and load <= (self.n - 1) * self.size * p.stop_load and self.ran_s >= p.run_s:
            self.n, self.since_s = self.n - 1, 0.0
