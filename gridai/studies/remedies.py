"""The remedies that studies compare: shapers sized for a course of power, and what each can still do for the grid.

Sizes follow the course, so that one table holds like with like: D is its swing, T its period, P its mean power.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridai.errors import UnknownNameError, near

if TYPE_CHECKING:
    from gridai.cluster.shapers import Battery, Shaper
    from gridai.kernel.profile import Profile


@dataclass(frozen=True)
class Course:
    """The course to be smoothed and the sizes that the remedies take from it.

    mean_mw, top_mw, swing_mw  of the demand at the meter. [MW]
    period_s    of the swing. [s]
    jobs        jobs in step that the demand is the sum of.
    floor       floor as a part of the highest power.
    ramp_mw_per_s  of ramp limits. smooth_s: of the battery. store_s: energy of the battery over its power. [s]
    device_mva  size of a device at the bus. [MVA]
    """

    mean_mw: float
    top_mw: float
    swing_mw: float
    period_s: float
    gpus: int
    pue: float
    idle_mw: float
    jobs: int
    floor: float
    ramp_mw_per_s: float
    smooth_s: float
    store_s: float
    device_mva: float

    @property
    def floor_mw(self) -> float:
        """The floor. [MW]"""
        return self.floor * self.top_mw


@dataclass(frozen=True)
class Remedy:
    """Shapers in a row under one name, and what is left for the grid beside them.

    locked_mw     power that the remedy keeps the GPUs from going below; a cap cannot take it off. [MW]
    ramp_mw_per_s fastest fall of the power. [MW/s]
    store_mw, store_mj  power and energy of a store that may give to the grid. [MW, MJ]
    device        a device at the bus besides, a key of gridai.studies.bus_devices.DEVICES; device_mva: its size. [MVA]
    repeats       what it makes of a course that repeats itself does so too.
    """

    name: str
    title: str
    shapers: tuple[Shaper, ...] = ()
    locked_mw: float = 0.0
    ramp_mw_per_s: float = math.inf
    store_mw: float = 0.0
    store_mj: float = 0.0
    device: str = ""
    device_mva: float = 0.0
    repeats: bool = True

    def relief(self, course: Course, capped: float, delay_s: float, until_s: float) -> Profile:
        """Power taken off the grid after a call at 0, as far as it goes. [MW]

        capped   part of the mean power that power caps give, within idle power and the remedy's floor.
        A store adds its power while it has energy; both begin delay_s after the call.
        """
        from gridai.cluster.shapers import RampLimit
        from gridai.kernel.profile import Profile

        capped_mw = min(capped * course.mean_mw, max(0.0, course.mean_mw - max(course.idle_mw, self.locked_mw)))
        call = Profile([0.0, delay_s, delay_s, until_s], [0.0, 0.0, capped_mw, capped_mw])
        given = RampLimit(self.ramp_mw_per_s).shape(call).power if math.isfinite(self.ramp_mw_per_s) else call
        if self.store_mw > 0.0:
            end = min(delay_s + self.store_mj / self.store_mw, until_s)
            t, v = [0.0, delay_s, delay_s, end], [0.0, 0.0, self.store_mw, self.store_mw]
            given = given.plus(Profile(t, v) if end == until_s else Profile([*t, end, until_s], [*v, 0.0, 0.0]))
        return given


def _none(c: Course) -> Remedy:
    return Remedy("none", "no remedy")


def _floor(c: Course) -> Remedy:
    from gridai.cluster.shapers import PowerFloor

    return Remedy("floor", f"GPU power floor {c.floor_mw:.4g} MW", (PowerFloor(c.floor_mw),), c.floor_mw)


def _cap(c: Course) -> Remedy:
    from gridai.cluster.shapers import PowerCap

    cap = PowerCap(c.mean_mw, min(c.idle_mw, c.mean_mw), stretch=True)
    return Remedy("cap", f"GPU power cap {c.mean_mw:.4g} MW", (cap,))


def _ramp(c: Course) -> Remedy:
    from gridai.cluster.shapers import RampLimit

    r = c.ramp_mw_per_s
    return Remedy("ramp", f"ramp limits {r:.3g} MW/s", (RampLimit(r, r, stretch=True),), ramp_mw_per_s=r)


def _firmware(c: Course) -> Remedy:
    from gridai.cluster.shapers import PowerFloor, RampLimit

    r = c.ramp_mw_per_s
    text = f"floor {c.floor_mw:.4g} MW and ramp limits {r:.3g} MW/s"
    return Remedy("floor+ramp", text, (PowerFloor(c.floor_mw), RampLimit(r, r, stretch=True)), c.floor_mw, r)


def _capacitor(c: Course) -> Remedy:
    from gridai.cluster.shapers import Capacitor

    store = Capacitor(gpus=c.gpus, pue=c.pue, smooth_s=min(1.0, c.period_s))
    return Remedy("capacitor", f"{store.joule_per_gpu:g} J at each GPU", (store,))


def _ballast(c: Course) -> Remedy:
    from gridai.cluster.shapers import Ballast

    work = Ballast(level_mw=c.floor_mw, delay_s=BALLAST_DELAY_S)
    return Remedy("ballast", f"secondary work to {c.floor_mw:.4g} MW, {1e3 * work.delay_s:g} ms late", (work,))


def _stagger(c: Course) -> Remedy:
    from gridai.cluster.shapers import Stagger

    return Remedy("stagger", f"{c.jobs} jobs spread over {c.period_s:.3g} s", (Stagger(c.jobs, c.period_s),))


def _jitter(c: Course) -> Remedy:
    from gridai.cluster.shapers import Jitter

    waits = Jitter(c.jobs, every_s=max(c.period_s, 0.1))
    return Remedy("jitter", f"{c.jobs} jobs, waits of {waits.jitter:.0%} at random", (waits,), repeats=False)


def _supercapacitor(c: Course) -> Remedy:
    from gridai.cluster.shapers import supercapacitor

    energy = c.swing_mw * SUPERCAPACITOR_S
    bank = supercapacitor(c.swing_mw, energy, smooth_s=SUPERCAPACITOR_S / 2.0, restore_s=20.0 * SUPERCAPACITOR_S)
    text = f"supercapacitor {bank.power_mw:.4g} MW, {energy:.4g} MJ"
    return Remedy("supercapacitor", text, (bank,), 0.0, math.inf, bank.power_mw, _spare_mj(bank))


def _battery(c: Course) -> Remedy:
    from gridai.cluster.shapers import Battery

    cell = Battery(c.swing_mw, c.swing_mw * c.store_s, smooth_s=c.smooth_s, restore_s=20.0 * c.smooth_s)
    text = f"battery {cell.power_mw:.4g} MW, {cell.energy_mj / 3600.0:.3g} MWh, {c.smooth_s:g} s"
    return Remedy("battery", text, (cell,), 0.0, math.inf, cell.power_mw, _spare_mj(cell))


def _spare_mj(store: Battery) -> float:
    """What a store at its usual charge gives until it is empty. [MJ]"""
    return (store.soc - store.soc_low) * store.energy_mj * store.discharge_eff


def _both(c: Course) -> Remedy:
    floor, battery = _floor(c), _battery(c)
    shapers = (*floor.shapers, *battery.shapers)
    text = f"{floor.title} and {battery.title}"
    return Remedy("floor+battery", text, shapers, c.floor_mw, math.inf, battery.store_mw, battery.store_mj)


def _condenser(c: Course) -> Remedy:
    return Remedy("condenser", f"synchronous condenser {c.device_mva:.4g} MVA", device="condenser",
                  device_mva=c.device_mva)  # fmt: skip


def _grid_forming(c: Course) -> Remedy:
    return Remedy("grid-forming", f"grid-forming inverter with battery {c.device_mva:.4g} MVA", device="grid-forming",
                  device_mva=c.device_mva)  # fmt: skip


def _statcom(c: Course) -> Remedy:
    return Remedy("statcom", f"STATCOM {c.device_mva:.4g} MVA, 3 % droop", device="statcom", device_mva=c.device_mva)


BALLAST_DELAY_S, SUPERCAPACITOR_S = 0.05, 2.0
"""Assumed: time in which secondary work steps in; energy of a supercapacitor over its power. [s]"""
REMEDIES: dict[str, Callable[[Course], Remedy]] = {
    "none": _none,
    "floor": _floor,
    "cap": _cap,
    "ramp": _ramp,
    "floor+ramp": _firmware,
    "ballast": _ballast,
    "stagger": _stagger,
    "jitter": _jitter,
    "capacitor": _capacitor,
    "supercapacitor": _supercapacitor,
    "battery": _battery,
    "floor+battery": _both,
    "condenser": _condenser,
    "grid-forming": _grid_forming,
    "statcom": _statcom,
}
"""Every remedy by name."""


def chosen(names: str, course: Course) -> tuple[Remedy, ...]:
    """The remedies of a list with commas, "all" for every one; none always first.

    Raises UnknownNameError, also for a list of no name.
    """
    wanted = list(REMEDIES) if names.strip() == "all" else [n.strip() for n in names.split(",") if n.strip()]
    for name in wanted or [names]:
        if name not in REMEDIES:
            raise UnknownNameError(near(name, REMEDIES, "remedy"))
    return tuple(REMEDIES[name](course) for name in dict.fromkeys(["none", *wanted]))
