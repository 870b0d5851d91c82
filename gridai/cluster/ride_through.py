"""Ride-through settings: classes of UPS, power supplies and motors, and the groups that are drawn from them.

    settings = RideThrough((
        UpsClass("counting", share=0.6, groups=24, under1_pu=0.85, under1_s=0.02, count_n=3, window_s=60.0),
        UpsClass("supplies", share=0.4, groups=8, ups=0.0, under1_pu=0.7, under1_s=0.02),
    ))
    Cluster.of("H100", count=100_000, ride_through=settings)

Cooling that stands on the mains is a MotorClass("cooling", share=0.1): its contactors drop out and its motors run down,
run up again and draw reactive power meanwhile; `Cluster.cooling_share` is the share by the facility.

A class is a share of the cluster that is built alike. Its groups differ: thresholds lie within +-v_spread_pu, delays
within +-delay_spread (a share), and returns are spread over return_spread_s, by strata: n groups take the midpoints of
n equal strata of the uniform distribution, in an order that `seed` shuffles for each quantity apart. So another seed
pairs thresholds and delays otherwise, but never moves a mean, and no group lies at random beyond its neighbours.

Returns: "together" all groups after return_s; "one-by-one" each return_every_s later than the one before; "steps" in
return_steps parts, return_every_s apart; "hand": nobody returns before an event `ReturnLoad` (latched groups anyway).

Defaults are a double-conversion UPS with the input window +10/-15 % of guide specifications, battery for 5 minutes,
a generator after 15 s, 10 s until it returns and 10 s of walk-in. Phase jump and rate of change are off by default,
for no published setting was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from gridai.cluster import motors, ups
from gridai.cluster.settings import check_ranges, setting
from gridai.errors import Problems, SettingError, near
from gridai.kernel.contract import Model

ReturnPolicy = Literal["together", "one-by-one", "steps", "hand"]
POLICIES = ("together", "one-by-one", "steps", "hand")
UNUSED_OVER_PU, UNUSED = 9.0, 9e9
MOST_GROUPS = 500
_UNDER = tuple(f"under{k}_pu" for k in (1, 2, 3, 4))
_OVER = ("over1_pu", "over2_pu")
_DELAYS = ("under1_s", "under2_s", "under3_s", "under4_s", "over1_s", "over2_s", "freq_s", "rocof_s", "count_s")


def _own(name: str, default: float | None = None, model: Model = ups.MODEL) -> Any:
    """A field that is a parameter of the model: unit, meaning, range and, if not given, default are those of it."""
    q = next(q for q in model.params if q.name == name)
    return setting(q.default if default is None else default, q.unit, q.meaning, q.low, q.high)


def _motor(name: str) -> Any:
    return _own(name, model=motors.MODEL)


@dataclass(frozen=True)
class UpsClass:
    """A part of a cluster that is built alike. Fields are those of the model UPSGROUP, and how they are spread.

    Raises SettingError with all faults at once: ranges, thresholds in the wrong order, curves that cross.
    """

    name: str = field(
        default="ups", metadata={"help": "name of the class, first part of its groups' names", "unit": ""}
    )
    share: float = setting(1.0, "", "part of the cluster; the shares of all classes sum to 1", 1e-6, 1.0)
    groups: int = setting(20, "", "number of groups that it is divided into", 1, MOST_GROUPS)
    v_spread_pu: float = setting(0.0, "pu", "thresholds of voltage lie within +- this", 0.0, 0.2)
    delay_spread: float = setting(0.0, "", "delays lie within +- this part of themselves", 0.0, 0.99)
    return_spread_s: float = setting(0.0, "s", "the groups' returns are spread over this", 0.0, 1e6)
    return_policy: ReturnPolicy = field(
        default="together", metadata={"help": "how groups return", "unit": "", "choices": POLICIES}
    )
    return_every_s: float = setting(0.0, "s", "time from one return to the next (one-by-one, steps)", 0.0, 1e6)
    return_steps: int = setting(4, "", "number of parts in which the class returns (steps)", 1, MOST_GROUPS)
    under1_pu: float = _own("under1_pu", 0.85)
    under1_s: float = _own("under1_s", 0.02)
    under2_pu: float = _own("under2_pu", 0.0)
    under2_s: float = _own("under2_s", 0.0)
    under3_pu: float = _own("under3_pu", 0.0)
    under3_s: float = _own("under3_s", 0.0)
    under4_pu: float = _own("under4_pu", 0.0)
    under4_s: float = _own("under4_s", 0.0)
    over1_pu: float = _own("over1_pu", 1.1)
    over1_s: float = _own("over1_s", 0.1)
    over2_pu: float = _own("over2_pu", UNUSED_OVER_PU)
    over2_s: float = _own("over2_s", 0.0)
    df_hz: float = _own("df_hz", 5.0)
    freq_s: float = _own("freq_s", 0.1)
    rocof_hz_per_s: float = _own("rocof_hz_per_s", UNUSED)
    rocof_s: float = _own("rocof_s", 0.1)
    phase_rad: float = _own("phase_rad", 9.0)
    count_n: int = _own("count_n", 0)
    window_s: float = _own("window_s", 60.0)
    v_count_pu: float = _own("v_count_pu", 0.85)
    count_s: float = _own("count_s", 0.01)
    v_return_low_pu: float = _own("v_return_low_pu", 0.9)
    v_return_high_pu: float = _own("v_return_high_pu", 1.1)
    df_return_hz: float = _own("df_return_hz", 5.0)
    return_s: float = _own("return_s", 10.0)
    walk_s: float = _own("walk_s", 10.0)
    ups: float = _own("ups", 1.0)
    eco: float = _own("eco", 0.0)
    eco_gain: float = _own("eco_gain", 0.03)
    hold_s: float = _own("hold_s", 60.0)
    battery_min: float = _own("battery_min", 5.0)
    soc0: float = _own("soc0", 1.0)
    charge_pu: float = _own("charge_pu", 0.05)
    charge_eff: float = _own("charge_eff", 0.9)
    refill_soc: float = _own("refill_soc", 0.98)
    bypass_low_pu: float = _own("bypass_low_pu", 0.0)
    generator: float = _own("generator", 1.0)
    gen_start_s: float = _own("gen_start_s", 15.0)
    gen_hold_s: float = _own("gen_hold_s", 900.0)
    t_v_s: float = _own("t_v_s", 0.005)
    pll_rad_per_s: float = _own("pll_rad_per_s", 20.0)
    rocof_t_s: float = _own("rocof_t_s", 0.1)

    def __post_init__(self) -> None:
        bad = Problems(f"ride-through class '{self.name}'")
        check_ranges(self, bad)
        if self.return_policy not in POLICIES:
            bad.add("UpsClass", None, "return_policy", self.return_policy, near(self.return_policy, POLICIES, "policy"))
        if not self.name.strip() or "/" in self.name:
            bad.add("UpsClass", None, "name", self.name, "give a name without a slash")
        for name in ("ups", "eco", "generator"):
            if not bad and getattr(self, name) not in (0, 1):
                bad.add("UpsClass", None, name, getattr(self, name), "write 1 for yes, 0 for no")
        if not bad and not self.under1_pu <= self.v_return_low_pu < self.v_return_high_pu <= self.over1_pu:
            text = f"the return window must lie within {self.under1_pu:g} to {self.over1_pu:g} pu, the first thresholds"
            bad.add("UpsClass", None, "v_return_low_pu", self.v_return_low_pu, text)
        if not bad:
            for k, values in enumerate(self._drawn(0)):
                for name, complaint in ups.check({**values, "v_min_pu": 1.0, "v_cut_pu": 0.0}):
                    if not any(item.field == name for item in bad.items):
                        where = f" in group {k + 1}: narrow the spread" if self.v_spread_pu else ""
                        bad.add("UpsClass", None, name, round(values[name], 6), complaint + where)
        bad.raise_if_any(SettingError)

    def _drawn(self, seed: int) -> list[dict[str, float]]:
        """Model parameters of each group."""
        own = {q.name for q in ups.MODEL.params if not q.solved}
        base = {f.name: float(getattr(self, f.name)) for f in fields(self) if f.name in own}
        base["by_hand"] = float(self.return_policy == "hand")
        n = self.groups
        strata = _strata(n, seed, self.name)
        drawn = []
        for k in range(n):
            v = {**base, **self._shifted(base, strata, k)}
            drawn.append(v)
        return drawn

    def _shifted(self, base: dict[str, float], strata: dict[str, np.ndarray], k: int) -> dict[str, float]:
        """The quantities that are spread, for group k; `strata` are uniform on -1 to 1."""
        dv = self.v_spread_pu * float(strata["voltage"][k])
        longer = 1.0 + self.delay_spread * float(strata["delay"][k])
        found = {n: base[n] + dv for n in (*_UNDER, "v_count_pu") if base[n] > 0.0}
        found.update({n: base[n] - dv for n in _OVER if base[n] < UNUSED_OVER_PU})
        found.update({n: base[n] * longer for n in _DELAYS})
        found["v_return_low_pu"] = max(base["v_return_low_pu"], found.get("under1_pu", 0.0))
        found["v_return_high_pu"] = min(base["v_return_high_pu"], found.get("over1_pu", UNUSED_OVER_PU))
        late = self.return_spread_s * 0.5 * (1.0 + float(strata["return"][k]))
        found["return_s"] = base["return_s"] + late + self._turn(k) * self.return_every_s
        return found

    def _turn(self, k: int) -> int:
        """How many turns of the return policy come before group k."""
        if self.return_policy == "one-by-one":
            return k
        return k * self.return_steps // self.groups if self.return_policy == "steps" else 0


def _strata(n: int, seed: int, name: str) -> dict[str, np.ndarray]:
    """Midpoints of n strata of the uniform distribution on -1 to 1, shuffled for each quantity apart."""
    draw = np.random.default_rng([seed, *name.encode()])
    middle = (2.0 * np.arange(n) + 1.0) / n - 1.0
    return {quantity: draw.permutation(middle) for quantity in ("voltage", "delay", "return")}


@dataclass(frozen=True)
class MotorClass:
    """Motors on the mains that are built alike, as fans, pumps and compressors of the cooling.

    Fields are those of the model COOLMOTOR, and how they are spread. Raises SettingError with all faults at once.
    """

    name: str = field(
        default="cooling", metadata={"help": "name of the class, first part of its groups' names", "unit": ""}
    )
    share: float = setting(0.1, "", "part of the cluster; the shares of all classes sum to 1", 1e-6, 1.0)
    groups: int = setting(4, "", "number of groups that it is divided into", 1, MOST_GROUPS)
    v_spread_pu: float = setting(0.0, "pu", "drop-out voltages lie within +- this", 0.0, 0.2)
    delay_spread: float = setting(0.0, "", "drop-out delays lie within +- this part of themselves", 0.0, 0.99)
    return_policy: Literal["together", "one-by-one", "hand"] = field(
        default="together",
        metadata={"help": "how groups return", "unit": "", "choices": ("together", "one-by-one", "hand")},
    )
    return_every_s: float = setting(0.0, "s", "time from one return to the next (one-by-one)", 0.0, 1e6)
    drop_pu: float = _motor("drop_pu")
    drop_s: float = _motor("drop_s")
    back_pu: float = _motor("back_pu")
    restart_s: float = _motor("restart_s")
    lfm: float = _motor("lfm")
    h_s: float = _motor("h_s")
    etrq: float = _motor("etrq")
    rs_pu: float = _motor("rs_pu")
    ls_pu: float = _motor("ls_pu")
    lp_pu: float = _motor("lp_pu")
    tpo_s: float = _motor("tpo_s")
    t_v_s: float = _motor("t_v_s")

    def __post_init__(self) -> None:
        bad = Problems(f"ride-through class '{self.name}'")
        check_ranges(self, bad)
        if self.return_policy not in ("together", "one-by-one", "hand"):
            text = near(self.return_policy, ("together", "one-by-one", "hand"), "policy")
            bad.add("MotorClass", None, "return_policy", self.return_policy, text)
        if not self.name.strip() or "/" in self.name:
            bad.add("MotorClass", None, "name", self.name, "give a name without a slash")
        if not bad:
            for values in self._drawn(0):
                for name, complaint in motors.check(values):
                    if not any(item.field == name for item in bad.items):
                        bad.add("MotorClass", None, name, round(values[name], 6), complaint)
        bad.raise_if_any(SettingError)

    def _drawn(self, seed: int) -> list[dict[str, float]]:
        """Model parameters of each group."""
        strata = _strata(self.groups, seed, self.name)
        base = {q.name: float(getattr(self, q.name)) for q in motors.PARAMS if q.name != "by_hand"}
        base["by_hand"] = float(self.return_policy == "hand")
        turn_s = self.return_every_s if self.return_policy == "one-by-one" else 0.0
        return [
            {
                **base,
                "drop_pu": base["drop_pu"] + self.v_spread_pu * float(strata["voltage"][k]) * (base["drop_pu"] > 0.0),
                "drop_s": base["drop_s"] * (1.0 + self.delay_spread * float(strata["delay"][k])),
                "restart_s": base["restart_s"] + k * turn_s,
            }
            for k in range(self.groups)
        ]


@dataclass(frozen=True)
class Drawn:
    """A group: its name within the cluster, its part of the cluster, its parameters and its model."""

    name: str
    share: float
    values: dict[str, float]
    model: Model = ups.MODEL


@dataclass(frozen=True)
class RideThrough:
    """How a cluster behaves in disturbances: its classes, and the seed that pairs their thresholds and delays."""

    classes: tuple[UpsClass | MotorClass, ...] = (UpsClass(),)
    seed: int = setting(0, "", "seed of the order of the strata", 0, 2**31)

    def __post_init__(self) -> None:
        bad = Problems("ride-through")
        check_ranges(self, bad)
        names = [c.name for c in self.classes]
        if not self.classes:
            bad.add("RideThrough", None, "classes", None, "give at least one UpsClass")
        for name in sorted({n for n in names if names.count(n) > 1}):
            bad.add("RideThrough", None, "classes", name, "two classes have this name")
        total = math.fsum(c.share for c in self.classes)
        if self.classes and abs(total - 1.0) > 1e-6:
            bad.add("RideThrough", None, "share", round(total, 9), "the shares of the classes must sum to 1")
        bad.raise_if_any(SettingError)

    def groups(self) -> tuple[Drawn, ...]:
        """The groups of all classes: shares sum to 1, names are `class01`, `class02`, ..."""
        found = []
        for c in self.classes:
            width = len(str(c.groups))
            model = motors.MODEL if isinstance(c, MotorClass) else ups.MODEL
            for k, values in enumerate(c._drawn(int(self.seed)), 1):
                found.append(Drawn(f"{c.name}{k:0{width}d}", c.share / c.groups, values, model))
        return tuple(found)

    def without_counting(self) -> RideThrough:
        """The same settings with no class counting disturbances."""
        return self.changed(count_n=0)

    def changed(self, **settings: Any) -> RideThrough:
        """The same classes with these fields of each class of UPS changed; motors stay as they are."""
        changed = (replace(c, **settings) if isinstance(c, UpsClass) else c for c in self.classes)
        return replace(self, classes=tuple(changed))
