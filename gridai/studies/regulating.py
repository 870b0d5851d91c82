"""What `regulate` does: the signal, the score of each actuator and what its limits cost, the hour of AGC, tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.criteria.balancing import cps1, interconnection
from gridai.criteria.regulation import QUALIFIES, Score, regulation_score
from gridai.errors import CaseError, SettingError
from gridai.reports import Measure, Table
from gridai.results import Channel, Result
from gridai.results.result import COI

if TYPE_CHECKING:
    from gridai.case import Case, Placement
    from gridai.kernel.profile import Array, Profile
    from gridai.studies.regulate import Regulate

SCORED_S, SAMPLE_S = 3900.0, 10.0
"""An hour and the 5 min after it; the score takes means over so long. [s]"""
NOISE_EVERY_S, WARM_S, GRID_S = 4.0, 60.0, 1.0
"""Steps of the wandering load; what is left out at the start; grid of the result. [s]"""
HELD_S = 600.0


@dataclass(frozen=True, eq=False)
class Scored:
    """One actuator on one signal: its score, what each limit costs of it, orders beyond its reach, samples missing."""

    name: str
    title: str
    cycle_s: float
    score: Score
    cost: dict[str, float]
    saturated: int
    orders: int
    missing: int
    signal: Profile
    power: Profile


def made_signal(cycle_s: float, seed: int) -> tuple[Array, Array]:
    """A signal of an hour and 5 min, -1 to 1: noise that forgets itself in 20 s and in 200 s, in equal parts."""
    rng = np.random.default_rng([seed, 7])
    # Drawn every second, so that signals of different periods are samples of one course.
    fine = np.arange(0.0, SCORED_S + 1.0, 1.0)
    course = sum(_wander(rng, len(fine), 1.0, tau) for tau in (20.0, 200.0))
    t = np.arange(0.0, SCORED_S + cycle_s / 2.0, cycle_s)
    return t, np.clip(np.interp(t, fine, course) * 0.35, -1.0, 1.0)


def _wander(rng: np.random.Generator, n: int, step_s: float, tau_s: float) -> Array:
    """Noise of standard deviation 1 that forgets itself in tau_s."""
    from gridai.cluster.workloads.base import memory

    return memory(rng.standard_normal(n), float(np.exp(-step_s / tau_s)))


def signal_of(study: Regulate, cycle_s: float) -> tuple[Array, Array, int]:
    """The signal at a period, and how many samples are missing. Raises SettingError, CaseError for a faulty file."""
    from gridai.cluster.shapers.actuator import without_gaps

    if not study.file:
        return (*made_signal(cycle_s, study.seed), 0)
    t, s = _read(study.file)
    if len(t) and t[-1] - t[0] < SCORED_S - cycle_s:
        raise SettingError(
            f"file: {study.file} holds {t[-1] - t[0]:g} s; the score takes an hour and 5 min, {SCORED_S:g} s"
        )
    return without_gaps(t, s, cycle_s, study.longest_gap_s)


def _read(file: str) -> tuple[Array, Array]:
    """Time and signal of a CSV file; an empty cell is a missing sample. Raises CaseError naming file and line."""
    from pathlib import Path

    path = Path(file)
    if not path.is_file():
        raise CaseError(f"{path}: no such file; give a CSV with a column of time in s and one of the signal")
    rows: list[tuple[float, float]] = []
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.split(",")]
        if not line.strip() or line.startswith("#") or (not rows and not _is_number(cells[0])):
            continue
        if len(cells) < 2 or not _is_number(cells[0]) or (cells[1] and not _is_number(cells[1])):
            raise CaseError(f"{path.name}, line {n}: {line[:60]!r}: give time in s and a signal from -1 to 1")
        rows.append((float(cells[0]), float(cells[1]) if cells[1] else np.nan))
    table = np.array(rows).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def scored(study: Regulate, base_mw: float) -> tuple[Scored, ...]:
    """Each actuator on each signal. The order is the signal times the capability."""
    from gridai.cluster.shapers.actuator import ACTUATORS, LIMITS, staircase
    from gridai.cluster.shapers.measures import sample_means

    found = []
    for cycle_s in study.periods:
        t, signal, missing = signal_of(study, cycle_s)
        order = signal * study.power_mw
        span = float(t[0]), float(t[0]) + SCORED_S, round(SCORED_S / SAMPLE_S)
        course = staircase(t, order, float(t[0]), float(t[-1] + cycle_s))
        wanted = sample_means(course, *span)
        for name, actuator in ACTUATORS.items():
            own = actuator.follow(t, order, base_mw)
            score = regulation_score(wanted, sample_means(own.power, *span))
            cost = {}
            for limit in LIMITS:
                freed = actuator.without(limit).follow(t, order, base_mw).power
                cost[limit] = regulation_score(wanted, sample_means(freed, *span)).composite - score.composite
            found.append(Scored(name, actuator.title, cycle_s, score, cost, own.saturated, len(t), missing, course,
                                own.power))  # fmt: skip
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Played:
    """An hour: times, frequency, the cluster's power, standard deviation of the frequency [Hz], CPS1 [%]."""

    t_s: Array
    f_hz: Array
    p_mw: Array
    order_mw: Array
    std_hz: float
    cps1: float


@dataclass(frozen=True, eq=False)
class Hour:
    """The hour without and with the cluster; bias_mw_per_hz: the grid's own response, measured by a pilot run."""

    without: Played
    helped: Played
    bias_mw_per_hz: float
    noise_mw: float

    @classmethod
    def of(cls, study: Regulate, case: Case, placement: Placement) -> Hour:
        """Play both."""
        own = placement.cluster
        bare = replace(case, placements=tuple(p for p in case.placements if p.name != placement.name))
        loads = case.solve().network.loads
        others = [(float(p), str(n)) for p, n in zip(loads.p_mw, loads.name, strict=True) if n != placement.name]
        if not others:
            raise SettingError(f"case '{case.name}' has no other load that could wander: give hour_s = 0")
        load, whole = max(others)[1], sum(p for p, _ in others)
        noise_mw = study.noise_mw or 0.01 * whole
        bias = _response(bare, load, whole, study.step_s)
        runs = [
            _play(study, bare, placement.name, own.idle_mw, load, noise_mw, bias, share) for share in (0.0, study.share)
        ]
        return cls(runs[0], runs[1], bias, noise_mw)


def _response(case: Case, load: str, whole_mw: float, step_s: float) -> float:
    """Power over settled frequency after a step of 1 % of the load. [MW/Hz]"""
    from gridai import engine

    result = engine.simulate(
        engine.compile_system(case), (engine.LoadStep(load, 0.01 * whole_mw),), until_s=60.0, step_s=step_s
    )
    return 0.01 * whole_mw / abs(float(result.series("system", COI, "f_hz")[-1]) - case.f_hz)


def _play(
    study: Regulate, case: Case, name: str, idle_mw: float, load: str, noise_mw: float, bias: float, share: float
) -> Played:
    """One hour; the cluster takes the part `share` of the regulation, the units the rest: the loop's gain is one."""
    import pandas as pd

    from gridai import engine

    governed = [str(u) for table in ("tgov1", "hygov", "gast", "ieeeg1", "ggov1") if table in case.dynamics
                for u in case.dynamics[table]["unit"]]  # fmt: skip
    if not governed:
        raise SettingError(f"case '{case.name}' has no governor that could follow the AGC: add one, or give hour_s = 0")
    cycle_s = study.periods[-1]
    area = {"unit": load, "bias_mw_per_hz": bias, "kp": study.kp * (1.0 - share),
            "ki_per_s": study.ki_per_s * (1.0 - share), "cycle_s": cycle_s}  # fmt: skip
    units = [{"unit": u, "area": load, "share": 1.0 / len(governed), "ramp_mw_per_min": study.unit_ramp_mw_per_min}
             for u in governed]  # fmt: skip
    capped = {"unit": name, "area": load, "share": share / (1.0 - share), "idle_mw": idle_mw,
              "down_mw": study.power_mw, "up_mw": study.power_mw, **_caps(study, case, name)}  # fmt: skip
    tables = {"agc": [area], "agcunit": units, "capagc": [capped]}
    system = engine.compile_system(
        replace(case, dynamics={**case.dynamics, **{key: pd.DataFrame(rows) for key, rows in tables.items()}})
    )
    result = engine.simulate(system, _noise(study, load, noise_mw), until_s=study.hour_s, step_s=study.step_s,
                             record=("gen", "load", "system"), decimate=max(1, round(0.2 / study.step_s)))  # fmt: skip
    t, f = result.t_s, result.series("system", COI, "f_hz")
    df = np.interp(np.arange(WARM_S, study.hour_s, GRID_S), t, f) - case.f_hz
    minutes = df[: len(df) // 60 * 60].reshape(-1, 60).mean(axis=1)
    eps = interconnection(study.interconnection).epsilon1_hz
    # One area alone: its error is the bias times the frequency's deviation.
    value = cps1(bias * minutes, minutes, -bias / 10.0, eps) if eps else float("nan")
    return Played(t, f, result.series("load", name, "p_mw"), result.series("system", load, "order_mw"),
                  float(df.std()), value)  # fmt: skip


def _caps(study: Regulate, case: Case, name: str) -> dict[str, float]:
    """The actuator as CAPAGC's columns, its period half a second: latency to the next whole one, 20 at most."""
    from gridai.cluster.shapers.actuator import ACTUATORS

    chosen = ACTUATORS[study.actuator]
    loads = case.solve().network.loads
    base = float(loads.p_mw[loads.name.index(name)])
    period = max(0.5, chosen.latency_s / 20.0)
    ramp = min(chosen.ramp_per_s * base, 1e6)
    return {"cycle_s": period, "delay_cycles": float(np.ceil(chosen.latency_s / period - 1e-9)) if
            chosen.latency_s >= period else 0.0, "resolution_mw": chosen.resolution * base, "ramp_mw_per_s": ramp,
            "recover_mw_per_s": ramp}  # fmt: skip


def _noise(study: Regulate, load: str, noise_mw: float) -> list[Any]:
    """Steps of a load that wanders; the same for both runs."""
    from gridai import engine

    rng = np.random.default_rng([study.seed, 11])
    n = int(study.hour_s / NOISE_EVERY_S)
    level = _wander(rng, n, NOISE_EVERY_S, study.noise_s) * noise_mw
    moves = np.diff(np.concatenate([[0.0], level - level[0]]))
    # Half a period off the ticks of the AGC, so that no two things fall on one instant.
    return [engine.LoadStep(load, float(x), at_s=(k + 0.63) * NOISE_EVERY_S) for k, x in enumerate(moves) if x != 0.0]


def measures_of(study: Regulate, scores: tuple[Scored, ...], hour: Hour | None) -> dict[str, Measure]:
    """Scores of the chosen actuator, and the hour."""
    lines = {}
    for one in scores:
        if one.name == study.actuator:
            worst = max(one.cost, key=lambda limit: one.cost[limit])
            note = f"{worst} costs most: {one.cost[worst]:.4f}; {QUALIFIES:g} qualifies (unverified)"
            key = f"score_{one.cycle_s:g}s"
            label = f"score by {one.title}, signal of {one.cycle_s:g} s"
            lines[key] = Measure(label, one.score.composite, "", note=note)
    if hour is not None:
        a, b = hour.without, hour.helped
        lines["std_without"] = Measure("standard deviation of frequency, units alone", 1e3 * a.std_hz, "mHz", COI)
        lines["std"] = Measure("with the cluster", 1e3 * b.std_hz, "mHz", COI,
                               note=f"{100.0 * (1.0 - b.std_hz / a.std_hz):.3g} % less")  # fmt: skip
        lines["cps1_without"] = Measure("CPS1, units alone", a.cps1, "%", note=f"{study.interconnection}, unverified")
        lines["cps1"] = Measure("CPS1, with the cluster", b.cps1, "%")
        moved = float(np.abs(b.p_mw - b.p_mw[0]).max())
        lines["moved"] = Measure("farthest that the cluster moves", moved, "MW")
    return lines


def tables_of(scores: tuple[Scored, ...], hour: Hour | None) -> dict[str, Table]:
    """Scores and what limits cost."""
    rows = tuple(
        (one.title, one.cycle_s, *(round(x, 4) for x in (one.score.accuracy, one.score.delay, one.score.precision,
         one.score.composite, *one.cost.values())), one.saturated, one.missing)
        for one in scores
    )  # fmt: skip
    head = ("actuator", "signal [s]", "accuracy", "delay", "precision", "score", "latency costs", "ramp costs",
            "resolution costs", "saturation costs", "orders beyond reach", "samples missing")  # fmt: skip
    return {"scores": Table("scores, and what each limit costs of them", head, rows)}


def notes_of(study: Regulate, scores: tuple[Scored, ...], hour: Hour | None, base_mw: float) -> tuple[str, ...]:
    """What the reader has to know."""
    lost, more = held_back(next(one for one in scores if one.name == study.actuator), base_mw)
    notes = [
        "score: PJM's of three parts, recalled, on means of 10 s; delays of less than 10 s cost little by it",
        f"price, by {study.actuator} on the first signal: below its mean of {base_mw:.1f} MW the cluster loses "
        f"{lost:.2g} % of its training (progress in proportion to power, assumed); above it, it does work that waits "
        f"or burns {more:.2g} % of its energy. A cluster that trains at full power has no such work: it would have to "
        f"run {study.power_mw:g} MW below, {100.0 * study.power_mw / base_mw:.3g} % of its training, to go up with it",
        "latencies, ramps and steps of the actuators: gridai.cluster.shapers.actuator, where assumed ones are named",
    ]
    missing = scores[0].missing if scores else 0
    if missing:
        notes.append(f"{missing} samples of the signal are missing; the last value was kept")
    if hour is not None:
        notes.append(
            f"hour: a load wanders by {hour.noise_mw:.0f} MW (standard deviation, forgets itself in "
            f"{study.noise_s:g} s), bias {hour.bias_mw_per_hz:.0f} MW/Hz by a pilot run; the cluster takes "
            f"{study.share:.0%} of the regulation over from the units, so the gain of the whole is the same; "
            "the first minute is left out"
        )
    return tuple(notes)


def held_back(one: Scored, base_mw: float) -> tuple[float, float]:
    """Energy that a response leaves out, and that it draws beyond the base, over that of the base. [%]"""
    span = float(one.power.t_s[-1] - one.power.t_s[0])
    below, above = (one.power.clipped(**side).mean(float(one.power.t_s[0]), float(one.power.t_s[0]) + span)
                    for side in ({"high": 0.0}, {"low": 0.0}))  # fmt: skip
    return -100.0 * below / base_mw, 100.0 * above / base_mw


def result_of(study: Regulate, case: Case, scores: tuple[Scored, ...], hour: Hour | None) -> Result:
    """Signal and responses on the last signal, and the hour, on one grid of a second."""
    last = [one for one in scores if one.cycle_s == study.periods[-1]]
    end = max(study.hour_s, HELD_S)
    t = np.arange(0.0, end + GRID_S / 2.0, GRID_S)
    begin = float(last[0].signal.t_s[0])
    columns, channels = [last[0].signal.value(t + begin)], [Channel("cluster", "signal", "order_mw", "MW")]
    for one in last:
        columns.append(one.power.value(t + begin))
        channels.append(Channel("cluster", one.name, "order_mw", "MW"))
    for name, run in (("units alone", hour.without), ("with the cluster", hour.helped)) if hour else ():
        inside = t <= study.hour_s
        for kind, quantity, unit, values in (("system", "f_hz", "Hz", run.f_hz), ("cluster", "p_mw", "MW", run.p_mw)):
            columns.append(np.where(inside, np.interp(t, run.t_s, values), np.nan))
            channels.append(Channel(kind, name, quantity, unit))
    meta = {"case": case.name, "f_hz": case.f_hz, "held_s": HELD_S, "cycle_s": study.periods[-1],
            "scores": {one.name: one.score.composite for one in last}}  # fmt: skip
    return Result(t, np.column_stack(columns), tuple(channels), (), meta)
