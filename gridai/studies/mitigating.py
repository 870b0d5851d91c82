"""What `mitigate` does with each remedy: shape, measure, play on the grid, trip a unit; and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import ConvergenceError
from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.studies.bus_devices import DEVICES, with_device

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.cluster.shapers import Chain, Cost, Restlessness
    from gridai.kernel.profile import Profile
    from gridai.studies.mitigate import Mitigate
    from gridai.studies.remedies import Course, Remedy

TRIP_S, AFTER_S = 1.0, 30.0
"""The unit trips then, and so long the run goes on. [s]"""
GRID_S = 0.02
HOUR_S = 3600.0
FELT = (
    ("speed_mhz", "gen", "speed_pu", "machine swing [mHz]"),
    ("line_mw", "branch", "p_mw", "line flow [MW]"),
    ("voltage_mpu", "bus", "vm_pu", "bus voltage [1e-3 pu]"),
)
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Row:
    """One remedy and all that was found of it.

    cost     of the shapers, and of a battery behind a device at the bus.
    felt     largest swing of a generator's speed [mHz], a line's flow [MW], a bus voltage [1e-3 pu]; Pst at the bus.
    relief   power taken off when called, from the call on. [MW]
    nadir_hz, rocof_hz_per_s  after the trip, with that relief; f: (t_s, f_hz) of that run.
    """

    remedy: Remedy
    chain: Chain
    power: Restlessness
    cost: Cost
    felt: dict[str, float]
    relief: Profile
    nadir_hz: float
    rocof_hz_per_s: float
    f: tuple[np.ndarray, np.ndarray]
    short: str


def compare(
    study: Mitigate, case: Case, placement: Placement, demand: Profile, course: Course, cycles: int,
    remedies: Sequence[Remedy],
) -> list[Row]:  # fmt: skip
    """One row a remedy."""
    from gridai.cluster.shapers import restlessness, shape

    rows = []
    for remedy in remedies:
        chain = shape(with_periods(demand, course.period_s, cycles), remedy.shapers)
        window = window_of(chain, course.period_s, cycles)
        power = restlessness(chain.power, *window, periodic=remedy.repeats)
        relief = remedy.relief(course, study.relief, study.delay_s, AFTER_S)
        held = with_device(case, placement.bus, remedy.device, remedy.device_mva) if remedy.device else case
        felt, own = _felt(held, placement, chain.power, window, study.step_s, remedy)
        cost = chain.cost + own
        nadir, rocof, f = _help(study, held, placement, course.mean_mw, relief)
        rows.append(Row(remedy, chain, power, cost, felt, relief, nadir, rocof, f, shortfall(study, power)))
    return rows


def with_periods(demand: Profile, period_s: float, cycles: int) -> Profile:
    """A course with a point at the end of each period, so that a stretched one knows them exactly."""
    from gridai.cluster.shapers.base import with_points

    ends = period_s * np.arange(1, cycles)
    # A point beside one that is there but for rounding would be a piece without length.
    far = np.abs(ends[:, None] - demand.t_s[np.clip(np.searchsorted(demand.t_s, ends)[:, None] + [-1, 0], 0,
                 len(demand) - 1)]).min(axis=1) > 1e-9 * period_s  # fmt: skip
    return with_points(demand, ends[far])


def window_of(chain: Chain, period_s: float, cycles: int) -> tuple[float, float]:
    """The second half of the whole periods of a course that its shapers may have stretched. [s]

    Of the whole span where it is so stretched that there are not two of them.
    """
    ends = [chain.reached_s(k * period_s) for k in range(1, cycles + 1)]
    whole = [0.0, *(t for t in ends if np.isfinite(t))]
    end = float(chain.demand.t_s[-1])
    return (whole[len(whole) // 2], whole[-1]) if len(whole) > 2 else (end / 2.0, end)


def shortfall(study: Any, power: Restlessness) -> str:
    """What of a specification is not met, in words; empty where it is."""
    ramp = 60.0 * max(power.ramp_up_mw_per_s, power.ramp_down_mw_per_s)
    found = []
    if study.range_mw and power.peak_to_peak_mw > study.range_mw * (1.0 + 1e-9):
        found.append(f"range {power.peak_to_peak_mw:.3g} > {study.range_mw:g} MW")
    if study.ramp_mw_per_min and ramp > study.ramp_mw_per_min * (1.0 + 1e-9):
        found.append(f"ramp {ramp:.3g} > {study.ramp_mw_per_min:g} MW/min")
    if power.band_share > study.band_share * (1.0 + 1e-9):
        found.append(f"band {power.band_share:.0%} > {study.band_share:.0%}")
    return ", ".join(found)


def drawing(case: Case, placement: Placement, course: Profile) -> Case:
    """The case with a cluster that draws a course [MW] at the meter; of a site its parts together, as one kind."""
    from gridai.cluster import Constant
    from gridai.cluster.waveform import Played

    own = placement.cluster
    count = sum(part.count for part in own.clusters)
    # The course holds at the meter, so no facility stands between.
    whole = replace(own.clusters[0], count=count, pue=own.pue, facility=None, workload=Constant(1.0))
    played = whole.with_workload(Played(course.scaled(1.0 / whole.p_mw)))
    kept = tuple(replace(p, cluster=played) if p.name == placement.name else p for p in case.placements)
    return replace(case, placements=kept)


def _felt(
    case: Case, placement: Placement, power: Profile, window: tuple[float, float], step_s: float, remedy: Remedy
) -> tuple[dict[str, float], Cost]:
    """The largest swings that the grid feels within a window of time; what a device at the bus costs."""
    from gridai.cluster.shapers import Cost
    from gridai.studies.disturbance import play, swing_rows

    end = float(power.t_s[-1])
    result = play(drawing(case, placement, power), (), end, step_s)
    from gridai.results.stability import loss_of_step

    factors = {"gen": 1e3 * case.f_hz, "branch": 1.0, "bus": 1e3}
    found = {"lost": float(loss_of_step(result) is not None)}
    for key, kind, quantity, _ in FELT:
        if kind == "gen":
            found[key] = factors[kind] * _speed_swing(result, window)
            continue
        known = kind == "bus" or quantity in result.quantities(kind)
        rows = swing_rows(result, *window, kind, quantity) if known else []
        found[key] = factors[kind] * rows[0][1] if rows else NAN
    found["pst"] = _flicker(result, placement.bus, window)
    return found, _device_cost(result, remedy) if remedy.device else Cost()


def _flicker(result: Result, bus: str, window: tuple[float, float]) -> float:
    """Pst of a bus voltage within a window of time; the flickermeter has all the time before it to settle."""
    from gridai.results.flickermeter import LEAST_RATE_HZ, instantaneous_flicker, lamp_of, pst

    t = np.arange(0.0, window[1], 1.0 / LEAST_RATE_HZ)
    v = np.interp(t, result.t_s, result.series("bus", bus, "vm_pu"))
    seen = instantaneous_flicker(v, LEAST_RATE_HZ, lamp_of(float(result.meta["f_hz"])))
    return pst(seen[t >= window[0]])


def _device_cost(result: Result, remedy: Remedy) -> Cost:
    """Losses of the device at the bus that was played, and the throughput of a battery behind it."""
    from gridai.cluster.shapers import Cost
    from gridai.studies.bus_devices import losses_mw

    name = next(n for n in reversed(result.names("gen", "p_mw")) if n.startswith(remedy.device))
    if remedy.device == "grid-forming":
        return battery_cost(result.t_s, result.series("gen", name, "p_mw"))
    lost = losses_mw(remedy.device, remedy.device_mva, result.series("gen", name, "q_mvar"))
    return Cost(loss_mj=float(np.trapezoid(lost, result.t_s)))


def battery_cost(t_s: np.ndarray, p_mw: np.ndarray) -> Cost:
    """Cost of a battery that gives p_mw (below 0: takes) at its terminals, float[nt]; efficiencies of Battery."""
    from gridai.cluster.shapers import Battery, Cost

    given = float(np.trapezoid(np.maximum(p_mw, 0.0), t_s))
    taken = float(np.trapezoid(np.maximum(-p_mw, 0.0), t_s))
    drawn, stored = given / Battery.discharge_eff, taken * Battery.charge_eff
    return Cost(loss_mj=drawn - given + taken - stored, charged_mj=stored - drawn, throughput_mj=drawn)


def _speed_swing(result: Result, window: tuple[float, float]) -> float:
    """Largest swing of a machine's speed against the centre of inertia [pu], devices at the bus left out."""
    from gridai.results.result import COI

    if not result.meta.get("inertia_mws"):
        return NAN
    inside = (result.t_s >= window[0]) & (result.t_s <= window[1])
    centre = result.series("system", COI, "f_hz")[inside] / float(result.meta["f_hz"])
    names, speed = result.names("gen", "speed_pu"), result.values("gen", "speed_pu")[inside]
    own = [k for k, name in enumerate(names) if not name.startswith(tuple(DEVICES))]
    relative = speed[:, own] - centre[:, None]
    return float(np.ptp(relative, axis=0).max())


def _help(
    study: Mitigate, case: Case, placement: Placement, p_mw: float, relief: Profile
) -> tuple[float, float, tuple[np.ndarray, np.ndarray]]:
    """Nadir [Hz], RoCoF over 500 ms [Hz/s] and frequency after the loss of a unit, with the relief."""
    from gridai import engine
    from gridai.kernel.profile import Profile
    from gridai.results import rocof
    from gridai.results.result import COI
    from gridai.studies.disturbance import play

    if study.unit == "none":
        return NAN, NAN, (np.zeros(1), np.full(1, NAN))
    rest = Profile([0.0, TRIP_S], [0.0, 0.0]).plus(relief.shifted(TRIP_S)).scaled(-1.0).plus(p_mw)
    unit = study.unit or largest_unit(case)
    trip = engine.GeneratorTrip(unit, TRIP_S)
    try:
        result = play(drawing(case, placement, rest), (trip,), TRIP_S + AFTER_S, study.step_s)
    except ConvergenceError:
        # A grid that does not survive the trip has no nadir; the row says so by having none.
        return NAN, NAN, (np.zeros(1), np.full(1, NAN))
    if unit not in result.meta.get("inertia_mws", {}):
        # The loss of an infinite bus, the source of a feeder, is no question of frequency.
        return NAN, NAN, (np.zeros(1), np.full(1, NAN))
    t, f = result.t_s, result.series("system", COI, "f_hz")
    return float(np.nanmin(f)), abs(rocof(t, f, 0.5).value), (t, f)


def largest_unit(case: Case) -> str:
    """The unit with the most power in the power flow that has dynamic data."""
    units = case.solve().network.units
    return str(units.name[int(np.argmax(units.p_mw))])


def result_of(case: Case, rows: Sequence[Row], course: Course, cycles: int) -> Result:
    """Each remedy's power at the meter (kind cluster) and frequency after the trip (kind system), on one grid."""
    end = max(float(rows[0].chain.demand.t_s[-1]), TRIP_S + AFTER_S)
    t = np.arange(0.0, end + GRID_S / 2.0, GRID_S)
    columns, channels = [], []
    for row in rows:
        own = row.chain.power
        columns.append(np.where(t <= own.t_s[-1] + 1e-9, own.value(t), NAN))
        channels.append(Channel("cluster", row.remedy.name, "p_mw", "MW"))
        columns.append(np.where(t <= TRIP_S + AFTER_S + 1e-9, np.interp(t, *row.f), NAN))
        channels.append(Channel("system", row.remedy.name, "f_hz", "Hz"))
    window = [(cycles - min(4, cycles // 2)) * course.period_s, cycles * course.period_s]
    meta = {"case": case.name, "f_hz": case.f_hz, "mitigate": [bars(row, rows[0]) for row in rows], "window_s": window}
    return Result(t, np.column_stack(columns), tuple(channels), (), meta)


def bars(row: Row, none: Row) -> dict[str, Any]:
    """The numbers of a row that the figure draws: stress in % of no remedy, support, cost."""

    def part(x: float, of: float) -> float | None:
        return 100.0 * x / of if of > 0.0 and np.isfinite(x) else None

    hours = float(row.chain.demand.t_s[-1]) / HOUR_S
    cost, energy = row.cost, none.power.mean_mw * hours * HOUR_S
    p, q = row.power, none.power
    ramp = max(p.ramp_up_mw_per_s, p.ramp_down_mw_per_s)
    gained = 1e3 * (row.nadir_hz - none.nadir_hz) if np.isfinite(row.nadir_hz) else None
    return {
        "name": row.remedy.name,
        "title": row.remedy.title,
        "short": row.short,
        "range": part(p.peak_to_peak_mw, q.peak_to_peak_mw),
        "ramp": part(ramp, max(q.ramp_up_mw_per_s, q.ramp_down_mw_per_s)),
        "band": part(p.band_mw, q.band_mw),
        "speed": part(row.felt["speed_mhz"], none.felt["speed_mhz"]),
        "voltage": part(row.felt["voltage_mpu"], none.felt["voltage_mpu"]),
        "pst": part(row.felt["pst"], none.felt["pst"]),
        "device": row.remedy.device,
        "relief": float(row.relief.value(1.0)),
        "gained": gained,
        "burnt": 100.0 * (cost.ballast_mj + cost.loss_mj) / energy,
        "lost": 100.0 * cost.progress_s / (hours * HOUR_S),
        "latency": cost.delay_s,
        "throughput": cost.throughput_mj / HOUR_S / hours,
    }


def measures_of(rows: Sequence[Row], course: Course) -> dict[str, Measure]:
    """Summary: the course, and which remedy is best at what."""
    none, others = rows[0], rows[1:]
    lines = {
        "swing": Measure("swing of the demand, highest less lowest", course.swing_mw, "MW"),
        "band": Measure("part of its energy in 0.1 to 20 Hz", 100.0 * none.power.band_share, "%"),
        "speed": Measure("largest swing of a machine without a remedy", none.felt["speed_mhz"], "mHz"),
    }
    if not others:
        return lines
    felt = [row for row in others if np.isfinite(row.felt["speed_mhz"])]
    if felt and np.isfinite(none.felt["speed_mhz"]):
        calm = min(felt, key=lambda row: row.felt["speed_mhz"])
        lines["best_speed"] = Measure("with the calmest remedy", calm.felt["speed_mhz"], "mHz", calm.remedy.name,
                                      note=_calmer(none.felt["speed_mhz"], calm.felt["speed_mhz"]))  # fmt: skip
    meeting = [row.remedy.name for row in rows if not row.short]
    lines["meet"] = Measure("remedies that meet the specification", float(len(meeting)), "", note=", ".join(meeting))
    known = [row for row in rows if np.isfinite(row.nadir_hz)]
    if known:
        best = max(known, key=lambda row: row.nadir_hz)
        lines["best_nadir"] = Measure("highest nadir after the trip", best.nadir_hz, "Hz", best.remedy.name)
    return lines


def _calmer(before: float, after: float) -> str:
    """How much less a swing is, in words."""
    if after > 0.99 * before:
        return "none makes it calmer"
    times = before / max(after, 1e-12)
    return "more than 1,000 times less" if times > 1e3 else f"{times:.3g} times less"


def tables_of(study: Mitigate, rows: Sequence[Row]) -> dict[str, Table]:
    """Stress and support in one table, cost in the second."""
    stress = []
    for row in rows:
        p = row.power
        stress.append((
            row.remedy.name, p.peak_to_peak_mw, 60.0 * p.ramp_up_mw_per_s, 60.0 * p.ramp_down_mw_per_s,
            100.0 * p.band_share, p.band_mw, *(row.felt[key] for key, *_ in FELT), row.felt["pst"],
            float(row.relief.value(1.0)), row.nadir_hz, row.rocof_hz_per_s, row.short or "met",
        ))  # fmt: skip
    head = ("remedy", "range [MW]", "ramp up [MW/min]", "ramp down", "band [%]", "band rms [MW]",
            *(title for *_, title in FELT), "Pst", "relief in 1 s [MW]", "nadir [Hz]", "RoCoF [Hz/s]",
            "specification")  # fmt: skip
    cost = []
    for row in rows:
        span = float(row.chain.demand.t_s[-1])
        c, hours, energy = row.cost, span / HOUR_S, row.chain.demand.mean(0.0, span) * span
        cost.append((
            row.remedy.name, row.remedy.title, 100.0 * c.ballast_mj / energy, 100.0 * c.loss_mj / energy,
            100.0 * c.progress_s / span, c.delay_s, c.throughput_mj / HOUR_S / hours, 100.0 * c.limited_s / span,
        ))  # fmt: skip
    return {
        "remedies": Table("stress on the grid and support for it", head, _rounded(stress)),
        "costs": Table(
            "cost",
            ("remedy", "what", "ballast [%]", "losses [%]", "training lost [%]", "latency [s]",
             "throughput [MWh/h]", "at its limit [%]"),
            _rounded(cost),
        ),
    }  # fmt: skip


def _rounded(rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(float(f"{x:.6g}") if isinstance(x, float) else x for x in row) for row in rows)
