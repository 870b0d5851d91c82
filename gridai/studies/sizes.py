"""What `size` does: limits on a load's power, the search for each remedy, the closed forms of a square wave, tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridai.errors import ResultError, SettingError
from gridai.reports import Measure, Table
from gridai.results import Channel, Limit, Result

if TYPE_CHECKING:
    from gridai.case import Case
    from gridai.cluster.shapers import Shaped, Shaper
    from gridai.criteria import Profile as Criteria
    from gridai.kernel.profile import Profile
    from gridai.results import Verdict
    from gridai.studies.remedies import Course
    from gridai.studies.size import Size

FAMILIES = ("ramp_rate", "peak_to_peak", "band_oscillation")
SAMPLE_S = 0.005
"""Grid on which criteria see a course: shows 80 Hz. [s]"""
MOST_SMOOTH_S = 1000.0
LARGE_MW, LARGE_MJ = 1e6, 1e6
SPARE = 1.02
"""A battery is tried with so much more than it was found to use."""
WORDS = {"ramp_rate": "ramp", "peak_to_peak": "range", "band_oscillation": "oscillation"}
"""What the families of criteria limit, as the tables call it."""
UNMET = float("nan")


@dataclass(frozen=True, eq=False)
class Asked:
    """What a course is to meet: numbers, and limits of a profile that can be judged on it."""

    study: Size
    limits: tuple[Limit, ...]
    notes: tuple[str, ...]
    window: tuple[float, float]
    period_s: float
    cycles: int

    @classmethod
    def of(cls, study: Size, profile: Criteria | None, course: Course, cycles: int) -> Asked:
        """Those of a study. Raises SettingError for a profile that says nothing of a load's power."""
        window = ((cycles - cycles // 2) * course.period_s, cycles * course.period_s)
        found = tuple(x for x in (profile.of("normal") if profile else ()) if x.criterion in FAMILIES)
        if profile and not found:
            raise SettingError(f"profile '{profile.name}' has no limit on a load's power ({', '.join(FAMILIES)})")
        span = window[1] - window[0]
        long = tuple(x for x in found if float(x.settings.get("window_s", 0.0)) > span * (1.0 - 1e-9))
        notes = tuple(
            f"not assessable: {x.criterion} over {float(x.settings['window_s']):g} s ({x.clause}); the course repeats "
            f"for {span:.3g} s: give more cycles"
            for x in long
        )
        kept = tuple(x for x in found if x not in long)
        if not (kept or study.range_mw or study.ramp_mw_per_min or study.band_share):
            raise SettingError(f"profile '{profile.name if profile else ''}': {'; '.join(notes)}")
        return cls(study, kept, notes, window, course.period_s, cycles)

    def window_of(self, shaped: Shaped) -> tuple[float, float]:
        """The second half of the whole periods of a course, which may be stretched. [s]"""
        from gridai.cluster.shapers import Chain
        from gridai.studies.mitigating import window_of

        return window_of(Chain(shaped.demand, (shaped,)), self.period_s, self.cycles)

    def verdicts(self, shaped: Shaped) -> list[Verdict]:
        """The profile's limits judged on a course's second half."""
        from gridai import criteria

        begin, end = self.window_of(shaped)
        t = np.arange(begin, end + SAMPLE_S / 2.0, SAMPLE_S)
        result = Result(t, shaped.power.value(t)[:, None], (Channel("cluster", "cluster", "p_mw", "MW"),), (), {})
        return [criteria.make(limit).check(result) for limit in self.limits]

    def short(self, shaped: Shaped) -> str:
        """What is not met, in words; empty where all is."""
        from gridai.cluster.shapers import restlessness

        m, s = restlessness(shaped.power, *self.window_of(shaped)), self.study
        ramp = 60.0 * max(m.ramp_up_mw_per_s, m.ramp_down_mw_per_s)
        pairs = [
            ("range", m.peak_to_peak_mw, s.range_mw, "MW"),
            ("ramp", ramp, s.ramp_mw_per_min, "MW/min"),
            ("band", 100.0 * m.band_share, 100.0 * s.band_share if s.band_share else None, "%"),
        ]
        found = [f"{n} {x:.3g} > {most:g} {u}" for n, x, most, u in pairs if most and x > most * (1.0 + 1e-9)]
        for limit, v in zip(self.limits, self.verdicts(shaped), strict=True):
            if v.status != "pass":
                found.append(f"{named(limit)} {v.value:.3g} > {v.limit:.3g} {v.unit}")
        return ", ".join(found)

    def meets(self, shaped: Shaped) -> bool:
        """Whether all is met."""
        return not self.short(shaped)


def named(limit: Limit) -> str:
    """What a limit on a load's power limits, in the words of the tables, with its window."""
    window = limit.settings.get("window_s")
    within = f" within {float(window):g} s" if window is not None else ""
    return f"{WORDS[limit.criterion]}{within} ({limit.criterion})"


@dataclass(frozen=True, eq=False)
class Found:
    """The smallest remedy of one kind.

    size      what was searched, in `unit`; NaN where no size meets what is asked.
    shaper    the remedy at that size, or at the largest size tried; shaped: what it makes of the demand.
    rows      (key, label, value, unit) of what it takes.
    """

    name: str
    label: str
    size: float
    unit: str
    shaped: Shaped
    rows: tuple[tuple[str, str, float, str], ...]


def find(study: Size, demand: Profile, course: Course, asked: Asked) -> tuple[Found, ...]:
    """Each remedy's smallest size."""
    return (_battery(study, demand, course, asked), _floor(demand, course, asked), _ramp(demand, course, asked))


def _battery(study: Size, demand: Profile, course: Course, asked: Asked) -> Found:
    """Searched without losses, which draw the charge down for ever; they enter the capacity afterwards."""
    from gridai.cluster.shapers import area
    from gridai.cluster.shapers.sizing import growing

    if asked.meets(_bare(demand)):
        return _needless("battery", "battery energy", "MJ", demand)
    step_s = min(0.05, course.period_s / 200.0)
    tau = growing(lambda x: asked.meets(settled(demand, x, step_s)), 0.1 * course.period_s, MOST_SMOOTH_S)
    if tau is None:
        return Found("battery", "battery energy", UNMET, "MJ", settled(demand, MOST_SMOOTH_S, step_s), ())
    free = settled(demand, tau, step_s)
    power, energy = used(demand, free, asked.window)
    shaped = settled(demand, tau, step_s, SPARE * power, SPARE * energy)
    if not asked.meets(shaped):
        raise ResultError(f"size: a battery of {power:.4g} MW and {energy:.4g} MJ does not do what it was sized for")
    span, usable = asked.window[1] - asked.window[0], (1.0 - 2.0 * study.soc_low) * study.efficiency
    given = area(demand.plus(shaped.power.scaled(-1.0)).between(*asked.window).clipped(low=0.0)) / span
    rows = (
        ("power", "battery power", power, "MW"),
        ("energy", "battery energy, given from full to empty", energy, "MJ"),
        ("capacity", "battery capacity", energy / usable / 3600.0, "MWh"),
        ("smooth", "time constant", tau, "s"),
        ("throughput", "energy it gives in a day", 24.0 * given, "MWh"),
        ("loss", "its losses in a day", 24.0 * given * (1.0 / study.efficiency**2 - 1.0), "MWh"),
    )
    return Found("battery", "battery energy", energy, "MJ", shaped, rows)


def settled(
    demand: Profile, smooth_s: float, step_s: float, power_mw: float = LARGE_MW, energy_mj: float = LARGE_MJ
) -> Shaped:
    """A lossless battery at a demand that repeats itself for ever, as the first-order lag has come to repeat itself.

    The lag forgets its start y0 as y0 exp(-span / smooth), so the start that comes back is y1 / (1 - exp(-span /
    smooth)) where y1 is the end from 0. The charge begins so that it stays in the middle of what it needs.
    """
    from gridai.cluster.shapers import Battery, Shaped
    from gridai.kernel.profile import Profile

    def run(start_mw: float, soc: float, power: float, energy: float) -> Shaped:
        battery = Battery(power, energy, smooth_s, charge_eff=1.0, discharge_eff=1.0, soc=soc, soc_low=0.0,
                          soc_high=1.0, step_s=step_s)  # fmt: skip
        # A jump at once: the lag's own start.
        t, v = np.insert(demand.t_s, 0, demand.t_s[0]), np.insert(demand.values, 0, start_mw)
        return battery.shape(Profile(t, v, demand.name))

    span = float(demand.t_s[-1] - demand.t_s[0])
    from_0 = run(0.0, 0.5, LARGE_MW, LARGE_MJ).power.values[-1]
    start = float(from_0) / -math.expm1(-span / smooth_s)
    found = run(start, 0.5, LARGE_MW, LARGE_MJ)
    if energy_mj < LARGE_MJ:
        assert found.stored_mj is not None
        above = found.stored_mj.values - 0.5 * LARGE_MJ
        middle = 0.5 - (above.max() + above.min()) / 2.0 / energy_mj
        found = run(start, middle, power_mw, energy_mj)
    return Shaped(demand, found.power, found.cost, found.stored_mj)


def _bare(demand: Profile) -> Shaped:
    """The demand as it is."""
    from gridai.cluster.shapers import Cost, Shaped

    return Shaped(demand, demand, Cost())


def used(demand: Profile, shaped: Shaped, window: tuple[float, float]) -> tuple[float, float]:
    """Power and energy that a store uses within a window. [MW, MJ]"""
    given = demand.plus(shaped.power.scaled(-1.0)).between(*window).values
    assert shaped.stored_mj is not None
    stored = shaped.stored_mj.between(*window).values
    return float(np.abs(given).max()), float(stored.max() - stored.min())


def _floor(demand: Profile, course: Course, asked: Asked) -> Found:
    from gridai.cluster.shapers import PowerFloor
    from gridai.cluster.shapers.sizing import smallest

    if asked.meets(_bare(demand)):
        return _needless("floor", "power floor", "MW", demand)
    low = course.top_mw - course.swing_mw

    def lifted(part: float) -> Shaper:
        return PowerFloor(low + part * course.swing_mw)

    part = smallest(lambda x: asked.meets(lifted(x).shape(demand)), 1e-3, 1.0)
    shaped = lifted(part or 1.0).shape(demand)
    if part is None:
        return Found("floor", "power floor", UNMET, "MW", shaped, ())
    level = low + part * course.swing_mw
    rows = (
        ("level", "power floor", level, "MW"),
        ("lift", "power floor above the lowest power", part * course.swing_mw, "MW"),
        ("ballast", "what it burns in a day", 24.0 * _rate(shaped.cost.ballast_mj, demand), "MWh"),
    )
    return Found("floor", "power floor", level, "MW", shaped, rows)


def _ramp(demand: Profile, course: Course, asked: Asked) -> Found:
    """The job is slowed down by what the ramp holds back, so the periods are longer and the course has one end."""
    from gridai.cluster.shapers import RampLimit
    from gridai.cluster.shapers.sizing import smallest
    from gridai.studies.mitigating import with_periods

    if asked.meets(_bare(demand)):
        return _needless("ramp", "ramp limit", "MW/s", demand)
    whole = with_periods(demand, asked.period_s, asked.cycles)

    def limited(seconds: float) -> Shaped:
        return RampLimit(course.swing_mw / seconds, course.swing_mw / seconds, stretch=True).shape(whole)

    # Slower than a hundred periods it is a constant power.
    seconds = smallest(lambda x: asked.meets(limited(x)), 1e-3, 100.0 * course.period_s)
    shaped = limited(seconds or 100.0 * course.period_s)
    if seconds is None:
        return Found("ramp", "ramp limit", UNMET, "MW/s", shaped, ())
    lost = 100.0 * shaped.cost.progress_s / float(demand.t_s[-1])
    rows = (
        ("rate", "fastest ramp limit", course.swing_mw / seconds, "MW/s"),
        ("ballast", "what it burns in a day", 24.0 * _rate(shaped.cost.ballast_mj, demand), "MWh"),
        ("lost", "training lost", lost, "%"),
    )
    return Found("ramp", "ramp limit", course.swing_mw / seconds, "MW/s", shaped, rows)


def _needless(name: str, label: str, unit: str, demand: Profile) -> Found:
    return Found(name, label, 0.0, unit, _bare(demand), ())


def _rate(energy_mj: float, demand: Profile) -> float:
    """Energy an hour. [MWh/h]"""
    return energy_mj / float(demand.t_s[-1])


def closed_forms(study: Size, course: Course) -> dict[str, float]:
    """Sizes of a square wave for which only the range is asked, by (remedy, key); empty otherwise."""
    from gridai.cluster.shapers.sizing import ballast_of_floor, smooth_for, smoothing_battery

    other = study.ramp_mw_per_min or study.band_share or study.profile != "none"
    if study.shape != "square" or other or not study.range_mw or study.range_mw >= course.swing_mw:
        return {}
    tau = smooth_for(course.swing_mw, course.period_s, study.range_mw)
    size = smoothing_battery(course.swing_mw, course.period_s, tau)
    burnt = ballast_of_floor(course.swing_mw, course.period_s, study.range_mw) / course.period_s
    return {
        "battery_power": size.power_mw,
        "battery_energy": size.energy_mj,
        "battery_smooth": tau,
        "floor_level": course.top_mw - study.range_mw,
        "floor_lift": course.swing_mw - study.range_mw,
        "floor_ballast": 24.0 * burnt,
        "ramp_rate": 2.0 * study.range_mw / course.period_s,
    }


def measures_of(
    asked: Asked, demand: Profile, found: tuple[Found, ...], closed: dict[str, float]
) -> dict[str, Measure]:
    """Summary: what is asked is not met without a remedy, or is; the sizes, with the closed form in the note."""
    short = asked.short(_bare(demand))
    lines = {"unmet": Measure("limits not met without a remedy", float(len(short.split(", ")) if short else 0), "",
                              note=short)}  # fmt: skip
    for one in found:
        if not one.rows:
            note = "none needed" if one.size == 0.0 else f"no size meets it: {asked.short(one.shaped)}"
            lines[one.name] = Measure(one.label, one.size, one.unit, note=note)
        for key, label, value, unit in one.rows:
            form = closed.get(f"{one.name}_{key}")
            note = f"closed form {form:.6g}" if form is not None else ""
            lines[f"{one.name}_{key}"] = Measure(label, value, unit, one.name, note=note)
    return lines


def tables_of(asked: Asked, demand: Profile, found: tuple[Found, ...]) -> dict[str, Table]:
    """What each remedy at its size leaves."""
    from gridai.cluster.shapers import restlessness

    rows = []
    for name, shaped in (("none", _bare(demand)), *((one.name, one.shaped) for one in found)):
        m = restlessness(shaped.power, *asked.window_of(shaped))
        judged = asked.verdicts(shaped)
        rows.append((
            name, *(float(f"{x:.5g}") for x in (m.peak_to_peak_mw, 60.0 * m.ramp_up_mw_per_s,
                                                60.0 * m.ramp_down_mw_per_s, 100.0 * m.band_share, m.band_mw)),
            *(float(f"{v.value:.5g}") for v in judged), asked.short(shaped) or "met",
        ))  # fmt: skip
    bare = asked.verdicts(_bare(demand))
    heads = [f"{named(x)}, limit {v.limit:.3g} [{v.unit}]" for x, v in zip(asked.limits, bare, strict=True)]
    columns = ("remedy", "range [MW]", "ramp up [MW/min]", "ramp down", "band [%]", "band rms [MW]", *heads, "asked")
    return {"sizes": Table("what is left at the smallest sizes", columns, tuple(rows))}


def result_of(case: Case, demand: Profile, found: tuple[Found, ...], course: Course, cycles: int) -> Result:
    """Power at the meter without and with each remedy, and the battery's charge."""
    end = float(demand.t_s[-1])
    t = np.linspace(0.0, end, min(40_000, math.ceil(end / 0.01)) + 1)
    columns, channels = [demand.value(t)], [Channel("cluster", "none", "p_mw", "MW")]
    for one in found:
        columns.append(one.shaped.power.value(t))
        channels.append(Channel("cluster", one.name, "p_mw", "MW"))
        if one.shaped.stored_mj is not None:
            stored = one.shaped.stored_mj.value(t)
            columns.append(stored - stored.min())
            channels.append(Channel("cluster", one.name, "stored_mj", "MJ"))
    window = [(cycles - min(4, cycles // 2)) * course.period_s, cycles * course.period_s]
    return Result(t, np.column_stack(columns), tuple(channels), (), {"case": case.name, "window_s": window})
