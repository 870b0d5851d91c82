"""What `respond` does: the case with a cluster under power caps, the trip, the sweep of delays, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import SettingError, UnknownNameError, near
from gridai.reports import Measure, Table
from gridai.results import Channel, Result, rocof
from gridai.results.result import COI
from gridai.studies.mitigating import largest_unit
from gridai.studies.respond import USUAL_MW

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.studies.respond import Respond

GRID_S, LATE_S, SWING_S = 0.02, 20.0, (2.0, 20.0)
"""Grid of the result; the end of the run in which rest is judged; span after the trip in which machines swing. [s]"""
LESS_NADIR_HZ, MORE_SWING, UNREST_HZ = 1e-3, 1.1, 5e-3
"""Harm: the nadir is lower by so much, the machines swing so many times as much, or the frequency does not rest."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A run and what is read from it: nadir and its time, RoCoF over 500 ms, settled frequency, two kinds of unrest.

    swing_hz   largest swing of a machine's speed against the centre of inertia from 2 to 20 s after the trip.
    unrest_hz  highest less lowest frequency in the last 20 s less its drift.
    """

    result: Result
    nadir_hz: float
    nadir_s: float
    rocof_hz_per_s: float
    settled_hz: float
    swing_hz: float
    unrest_hz: float
    relief_mw: float


@dataclass(frozen=True)
class Swept:
    """One delay: outcome of the trip, and unrest after a smaller step of load that leaves the droop unsaturated."""

    delay_s: float
    steeper: float
    nadir_hz: float
    rocof_hz_per_s: float
    swing_hz: float
    unrest_hz: float
    harm: str


@dataclass(frozen=True, eq=False)
class Bench:
    """The case with the cluster as a load under caps. unit, lost_mw: what trips. [MW]

    placed, placement: the case as given, with the cluster in it. named: the study names the power to take off.
    """

    study: Respond
    placed: Case
    placement: Placement
    case: Case
    name: str
    idle_mw: float
    unit: str
    lost_mw: float
    named: bool = True

    @classmethod
    def of(cls, study: Respond, case: Case, placement: Placement) -> Bench:
        """Raises SettingError for more power than caps can give, UnknownNameError for an unknown unit."""
        own = placement.cluster
        reach = own.p_mw - own.idle_mw
        named, study = study.power_mw is not None, study.sized(reach)
        if study.asked_mw - study.store_mw > reach * (1.0 + 1e-9):
            raise SettingError(
                f"power_mw = {study.asked_mw:g}, store_mw = {study.store_mw:g}: caps end "
                f"at the idle power of {own.idle_mw:.1f} MW; of "
                f"{own.p_mw:.1f} MW they can take off {reach:.1f} MW: give that or less, or a larger cluster"
            )
        units = case.solve().network.units
        unit = study.unit or largest_unit(case)
        if unit not in units.name:
            raise UnknownNameError(near(unit, units.name, "unit"))
        bare = replace(case, placements=tuple(p for p in case.placements if p.name != placement.name))
        lost_mw = float(units.p_mw[units.name.index(unit)])
        return cls(study, case, placement, bare, placement.name, own.idle_mw, unit, lost_mw, named)

    def system(self, settings: Mapping[str, float] | None) -> Any:
        """The compiled system; None: the cluster does not answer."""
        import pandas as pd

        from gridai import engine

        row = {"unit": self.name, "idle_mw": self.idle_mw, **(settings or {"down_mw": 0.0})}
        tables = {**self.case.dynamics, "capload": pd.DataFrame([row])}
        return engine.compile_system(replace(self.case, dynamics=tables))

    def trip(self, settings: Mapping[str, float] | None) -> Outcome:
        """The loss of the unit."""
        from gridai import engine

        return self._play(settings, engine.GeneratorTrip(self.unit, self.study.at_s))

    def at_best(self) -> Outcome:
        """The loss of the unit where all of the power goes delay_s later, by no measurement: no control does better.

        The cluster draws a course here, at its own bus: what a load gives to the frequency depends on where it is,
        for the voltage that it lifts makes other loads draw more.
        """
        from gridai import engine
        from gridai.kernel.profile import Profile
        from gridai.studies.mitigating import drawing

        s, p = self.study, self.placement.cluster.p_mw
        gone = s.at_s + s.delay_s
        course = Profile([0.0, gone, gone, s.until_s], [p, p, p - s.asked_mw, p - s.asked_mw])
        system = engine.compile_system(drawing(self.placed, self.placement, course))
        trip = engine.GeneratorTrip(self.unit, s.at_s)
        result = engine.simulate(system, (trip,), until_s=s.until_s, step_s=s.step_s)
        return self._outcome(result, s.asked_mw)

    def _play(self, settings: Mapping[str, float] | None, *events: Any) -> Outcome:
        from gridai import engine

        s = self.study
        result = engine.simulate(self.system(settings), events, until_s=s.until_s, step_s=s.step_s)
        return self._outcome(result, float(result.series("load", self.name, "relief_mw").max()))

    def _outcome(self, result: Result, relief_mw: float) -> Outcome:
        """What is read from a run. Raises SettingError for a case of no inertia."""
        if not result.meta.get("inertia_mws"):
            raise SettingError(f"case '{self.case.name}': no machine has inertia, so there is no frequency to answer")
        s = self.study
        t, f = result.t_s, result.series("system", COI, "f_hz")
        k = int(np.argmin(f))
        inside = (t >= s.at_s + SWING_S[0]) & (t <= s.at_s + SWING_S[1])
        speed = result.values("gen", "speed_pu")[inside] * float(result.meta["f_hz"])
        swing = np.nanmax(np.ptp(speed - f[inside, None], axis=0)) if speed.size else np.nan
        late = t >= s.until_s - LATE_S
        drift = np.polyval(np.polyfit(t[late], f[late], 2), t[late])
        return Outcome(
            result, float(f[k]), float(t[k]), abs(rocof(t, f, 0.5).value), float(f[-1]), float(swing),
            float(np.ptp(f[late] - drift)), relief_mw,
        )  # fmt: skip

    def sweep(self, without: Outcome) -> tuple[Swept, ...]:
        """Every delay, with the droop as given and steeper."""
        from gridai import engine

        s = self.study
        load = self._a_load()
        pilot = self._play(None, engine.LoadStep(load, s.asked_mw, at_s=s.at_s))
        response = s.asked_mw / max(self.case.f_hz - pilot.settled_hz, 1e-6)
        step = engine.LoadStep(load, response * s.deadband_hz + s.asked_mw / 2.0, at_s=s.at_s)
        rows = []
        calm = self._play(None, step).unrest_hz
        for steeper in (1.0, s.steeper) if s.kind != "step" and s.steeper > 1.0 else (1.0,):
            for delay in s.delays:
                found = self.trip(s.settings(delay, steeper))
                unrest = self._play(s.settings(delay, steeper), step).unrest_hz
                rows.append(Swept(delay, steeper, found.nadir_hz, found.rocof_hz_per_s, found.swing_hz, unrest,
                                  harm_of(found, without, unrest - calm)))  # fmt: skip
        return tuple(rows)

    def _a_load(self) -> str:
        """The largest load that is not the cluster."""
        loads = self.case.solve().network.loads
        order = np.argsort(-np.asarray(loads.p_mw))
        return next(str(loads.name[k]) for k in order if loads.name[k] != self.name)


def harm_of(found: Outcome, without: Outcome, unrest_hz: float) -> str:
    """What is worse with the answer than without, in words; empty where nothing is."""
    words = []
    if found.nadir_hz < without.nadir_hz - LESS_NADIR_HZ:
        words.append(f"nadir {1e3 * (without.nadir_hz - found.nadir_hz):.0f} mHz lower")
    if found.swing_hz > MORE_SWING * without.swing_hz:
        words.append(f"machines swing {found.swing_hz / without.swing_hz:.2g} times as much")
    if unrest_hz > UNREST_HZ:
        words.append(f"hunting by {1e3 * unrest_hz:.0f} mHz after a small step")
    return ", ".join(words)


def first_harm(rows: tuple[Swept, ...], steeper: float) -> float:
    """The least delay of the sweep that harms; NaN where none does. [s]"""
    return min((row.delay_s for row in rows if row.harm and row.steeper == steeper), default=float("nan"))


def measures_of(bench: Bench, without: Outcome, answered: Outcome, rows: tuple[Swept, ...]) -> dict[str, Measure]:
    """Summary lines."""
    used_mj = float(answered.result.series("load", bench.name, "used_mj")[-1])
    gained = 1e3 * (answered.nadir_hz - without.nadir_hz)
    lines = {
        "lost": Measure("power of the unit", bench.lost_mw, "MW", bench.unit),
        "nadir_without": Measure("frequency nadir without the answer", without.nadir_hz, "Hz", COI, without.nadir_s),
        "nadir": Measure("frequency nadir with it", answered.nadir_hz, "Hz", COI, answered.nadir_s),
        "gained": Measure("nadir gained", gained, "mHz"),
        "rocof_without": Measure("RoCoF over 500 ms without", without.rocof_hz_per_s, "Hz/s", COI),
        "rocof": Measure("RoCoF over 500 ms with it", answered.rocof_hz_per_s, "Hz/s", COI),
        "relief": Measure("power taken off", answered.relief_mw, "MW", bench.name),
        "store": Measure("energy from the store", used_mj, "MJ"),
        "settled_without": Measure("frequency at the end without", without.settled_hz, "Hz", COI),
        "settled": Measure("frequency at the end with it", answered.settled_hz, "Hz", COI),
        "second_dip": Measure("second dip after the work returns", second_dip(answered), "mHz"),
    }
    for steeper in dict.fromkeys(row.steeper for row in rows):
        label = (
            "least delay that harms" if steeper == 1.0 else f"least delay that harms, droop {steeper:g} times steeper"
        )
        at = first_harm(rows, steeper)
        words = next((r.harm for r in rows if r.delay_s == at and r.steeper == steeper), "none of the sweep does")
        lines["harm" if steeper == 1.0 else "harm_steep"] = Measure(label, at, "s", note=words)
    return lines


def second_dip(found: Outcome) -> float:
    """How far the frequency falls again after the peak that follows its nadir. [mHz]"""
    t, f = found.result.t_s, found.result.series("system", COI, "f_hz")
    after = f[t >= found.nadir_s]
    peak = np.maximum.accumulate(after)
    return float(1e3 * (peak - after).max())


def tables_of(bench: Bench, without: Outcome, rows: tuple[Swept, ...]) -> dict[str, Table]:
    """The sweep."""
    cells = tuple(
        (f"{bench.study.droop_hz / row.steeper:g}" if bench.study.kind != "step" else "step", row.delay_s,
         round(row.nadir_hz, 4), round(1e3 * (row.nadir_hz - without.nadir_hz), 1), round(row.rocof_hz_per_s, 4),
         round(1e3 * row.swing_hz, 2), round(1e3 * row.unrest_hz, 2), row.harm or "none")
        for row in rows
    )  # fmt: skip
    head = ("droop over [Hz]", "delay [s]", "nadir [Hz]", "gained [mHz]", "RoCoF [Hz/s]", "machine swing [mHz]",
            "hunting [mHz]", "harm")  # fmt: skip
    title = f"delays; without the answer: nadir {without.nadir_hz:.4f} Hz, RoCoF {without.rocof_hz_per_s:.4f} Hz/s, "
    return {"delays": Table(title + f"machine swing {1e3 * without.swing_hz:.2f} mHz", head, cells)}


def inertia_note(bench: Bench, without: Outcome, answered: Outcome, best: Outcome) -> str:
    """The plain answer on synthetic inertia, with the numbers of this run."""
    s = bench.study

    def less(found: Outcome) -> str:
        part = 100.0 * (1.0 - found.rocof_hz_per_s / without.rocof_hz_per_s)
        return f"{found.rocof_hz_per_s:.4f} Hz/s ({part:.1f} % less)"

    return (
        f"synthetic inertia: not from power caps. RoCoF over 500 ms is {without.rocof_hz_per_s:.4f} Hz/s without help; "
        f"all {s.asked_mw:.4g} MW gone {1e3 * s.delay_s:.0f} ms after the trip, by no measurement, leave {less(best)}; "
        f"no control of that latency does better; the answer of this run ({s.kind}) leaves {less(answered)}. A "
        "derivative of frequency takes a window of its own to measure, comes later than that, and gives its power back "
        f"at the nadir; the answer of this run lifts the nadir by {1e3 * (answered.nadir_hz - without.nadir_hz):.0f} "
        "mHz. Use droop or a step"
    )


def notes_of(bench: Bench, placement: Placement, inertia: str) -> tuple[str, ...]:
    """What the reader has to know."""
    s = bench.study
    less = f"no power_mw is given: {s.asked_mw:.4g} MW, all that the caps of this cluster (and its store) reach"
    return (
        *((less,) if s.asked_mw < USUAL_MW and not bench.named else ()),
        f"{placement.name} is a load under power caps here (CAPLOAD), at its mean power; idle {bench.idle_mw:.1f} MW",
        f"harm: a nadir lower by {1e3 * LESS_NADIR_HZ:g} mHz, machines that swing {MORE_SWING:g} times as much against "
        f"the centre of inertia from {SWING_S[0]:g} to {SWING_S[1]:g} s after the trip, or hunting: "
        f"{1e3 * UNREST_HZ:g} mHz more in the last {LATE_S:g} s after a step of load that takes the "
        "frequency to the deadband and half of the power beyond it",
        f"caps are set every {s.cycle_s:g} s, so an answer comes half a cycle later than its delay on average",
        inertia,
    )


def result_of(case: Case, bench: Bench, without: Outcome, answered: Outcome, rows: tuple[Swept, ...]) -> Result:
    """Frequency without and with the answer and its power on one grid; the sweep as plain data."""
    t = np.arange(0.0, bench.study.until_s + GRID_S / 2.0, GRID_S)

    def on_grid(found: Outcome, kind: str, element: str, quantity: str) -> np.ndarray:
        return np.interp(t, found.result.t_s, found.result.series(kind, element, quantity))

    columns = [on_grid(x, "system", COI, "f_hz") for x in (without, answered)]
    columns.append(on_grid(answered, "load", bench.name, "relief_mw"))
    channels = (
        Channel("system", "without", "f_hz", "Hz"),
        Channel("system", "with", "f_hz", "Hz"),
        Channel("load", bench.name, "relief_mw", "MW"),
    )
    sweep = [
        {"delay_s": r.delay_s, "steeper": r.steeper, "gained_mhz": 1e3 * (r.nadir_hz - without.nadir_hz),
         "swing": r.swing_hz / without.swing_hz, "hunting_mhz": 1e3 * r.unrest_hz, "harm": r.harm}
        for r in rows
    ]  # fmt: skip
    meta = {"case": case.name, "f_hz": case.f_hz, "respond": sweep, "droop_hz": bench.study.droop_hz}
    return Result(t, np.column_stack(columns), channels, answered.result.events, meta)
