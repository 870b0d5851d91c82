"""`fit`: from a measured trace to the parameters of a workload.

    trace -> parts of the run -> training phase -> cycle -> template -> shape -> Training
                                                                  \\-> what is left -> stalls -> ripple

What is measured: times and levels of steps, evaluation, stalls; idle level, start and stop times. What a trace of the
sum cannot show and is assumed: the correlation of two servers (`coherence`, Training's default), from which the swing
of one server follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from gridai.cluster.calibration.measures import Measures, measure, uniform
from gridai.cluster.calibration.periods import Template, find_cycles, refold
from gridai.cluster.calibration.ripple import Ripple, find_ripple, outside
from gridai.cluster.calibration.run import Schedule, as_measured, metered, play
from gridai.cluster.calibration.segment import Segments, inner, segment
from gridai.cluster.calibration.shape import Shape, fit_shape
from gridai.cluster.calibration.stalls import Stalls, find_stalls
from gridai.cluster.traces.trace import Trace
from gridai.cluster.workloads.base import Constant, Workload
from gridai.cluster.workloads.serving import Serving
from gridai.cluster.workloads.training import STALL_EDGE_S, Training
from gridai.errors import SettingError
from gridai.kernel.profile import Array

LEAST_SAMPLES = 24
MOST_SAMPLES = 2_000_000
LEAST_SWING = 0.004
"""A cycle that swings less than this over the mean is none: the load is steady."""
MOST_UNEXPLAINED = 0.4
"""A cycle that leaves more than this of the variance is none."""
LONE_DEVIATIONS = 4.0
"""Samples so many robust deviations below the median can hide a cycle."""
CLEARLY_BETTER = 0.5
"""The cycles of the record without them are taken where the best leaves less than this of what the others' leaves."""
SEEDS = range(100, 104)
SHORTEST_STEP_S = 0.1
"""Training's shortest step. [s]"""
WELL_MET = 0.1
"""A shape that leaves less than this of the record's variance is met."""
STEADY_DIP = 0.1
"""Without a cycle, dips of half of this over the level are stalls."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A workload fitted to a trace.

    workload  what repeats: Training, or Constant where nothing does.
    mean_mw   mean power of the training phase. [MW]
    schedule  parts of the run with their times; segments: their levels.
    notes     what was found and what was assumed, for the reader.
    """

    trace: Trace
    workload: Workload
    mean_mw: float
    segments: Segments
    schedule: Schedule
    shape: Shape | None = None
    stalls: Stalls | None = None
    notes: tuple[str, ...] = field(default=())

    def model(self, seed: int = 0, in_step: bool = False) -> Trace:
        """The model played as the trace was measured: its start and stop times, its meter, its samples.

        in_step: begin where the model's cycle fits the trace's best, for pictures; measures do not depend on it.
        """
        lead_s = 2.0 * self.shape.cycle_s if in_step and self.shape is not None else 0.0
        phase = self.segments.training
        return as_measured(
            self.workload, self.mean_mw, self.trace, self.schedule, seed=seed, lead_s=lead_s,
            window=(phase.start_s, phase.end_s),
        )  # fmt: skip

    @property
    def training(self) -> Trace:
        """The training phase of the trace, without its edges."""
        return inner(self.trace, self.segments.training)

    def measures(self, seed: int = 0) -> tuple[Measures, Measures]:
        """Measures of the trace and of the model."""
        return measure(self.trace), measure(self.model(seed))

    def rows(self) -> list[tuple[str, float | str, str]]:
        """(parameter, value, unit) of the fitted workload and run, for tables."""
        found: list[tuple[str, float | str, str]] = [("workload", type(self.workload).__name__, "")]
        w = self.workload
        if isinstance(w, Training):
            if w.comm_level < 1.0:
                found += [
                    ("step", w.step_s, "s"), ("communication", w.comm_fraction, "of the step"),
                    ("server's power in communication", w.comm_level, "of compute"),
                    ("jitter", w.jitter, "of the step"),
                ]  # fmt: skip
            if w.eval_every:
                found += [("steps between evaluations", float(w.eval_every), "")] if w.comm_level < 1.0 else []
                found += [
                    ("training between evaluations", w.eval_every * w.step_s, "s"), ("evaluation", w.eval_s, "s"),
                    ("power in an evaluation", w.eval_level, "of compute"),
                ]  # fmt: skip
            if w.comm_level < 1.0 or w.eval_every:
                found.append(("edge", w.edge_s, "s"))
            if w.stalls_per_h:
                found += [("stalls", w.stalls_per_h, "1/h"), ("stall", w.stall_s, "s"),
                          ("mean power in a stall", w.stall_level, "of compute")]  # fmt: skip
            if w.ripple:
                found += [("ripple", w.ripple, "of the mean, rms"), ("ripple's correlation time", w.ripple_s, "s")]
        if isinstance(w, Serving):
            found += [
                ("power in decode", w.decode, "of the mean"), ("power in prefill", w.prefill, "of the mean"),
                ("time in prefill", w.prefill_share, "of all"), ("half-life of a GPU's state", w.turn_s, "s"),
                ("spread within a level", w.spread, "of the mean"), ("correlation of two GPUs", w.correlation, ""),
            ]  # fmt: skip
        found.append(("mean while it runs", self.mean_mw, "MW"))
        if self.trace.gpus:
            found.append(("mean while it runs", self.mean_mw * 1e6 / self.trace.gpus, "W a GPU"))
        if not math.isnan(self.segments.idle_mw):
            found.append(("idle", self.segments.idle_mw, "MW"))
        return found


def fit(trace: Trace, gpus_per_server: int = 8) -> Fit:
    """The workload that a trace of training shows. Raises SettingError for a trace too short or too long to fit."""
    _check(trace)
    segments = segment(trace)
    part = segments.training
    held = int(np.sum((trace.t_s >= part.start_s) & (trace.t_s <= part.end_s)))
    if held < LEAST_SAMPLES:
        raise SettingError(
            f"fit of {trace.name}: its longest busy part, {part.start_s:g} to {part.end_s:g} s, holds {held} samples; "
            f"{LEAST_SAMPLES} are needed: give a trace with more of the run, or a finer one"
        )
    phase = inner(trace, part)
    power, step_s, gpus = uniform(phase), phase.step_s, max(trace.gpus, 1)
    template, shape = _cycle(power, step_s, phase.meter_s)
    notes = list(trace.notes)
    if template is not None and shape is not None:
        deep = max(shape.depth, shape.eval_depth, shape.switch_depth)
        level, cycles = shape.level, len(template.starts_s)
        expected = template.at(step_s * np.arange(len(power), dtype=np.float64))
        dips = "steps and evaluation" if shape.eval_s > 0.0 and shape.steps > 1 else "one dip"
        notes += [
            f"the cycle is {template.cycle_s:.2f} s, {cycles} of them, {dips}; the shape is met within "
            f"{shape.error:.2%} rms",
            f"coherence {Training().coherence:g} of two servers is assumed: the trace of the sum cannot show it",
        ]
    else:
        level, deep, cycles = float(np.median(power)), STEADY_DIP, 1
        expected = np.full(len(power), level)
        notes.append("nothing repeats in the training phase: a steady load with stalls and ripple is taken")
    stalls = find_stalls(power, expected, step_s, level, deep, phase.meter_s)

    def made(stalls: Stalls, ripple: Ripple) -> Workload:
        if shape is None or template is None:
            return steady_of(stalls, ripple, gpus)
        return training_of(shape, stalls, ripple, template.drift_s, gpus, gpus_per_server)

    kept = outside(stalls, len(power), step_s, phase.meter_s)
    smooth = made(Stalls(), Ripple())
    own = float(power[kept].var()) if kept.any() else 0.0
    lacking = own - _variance(smooth, float(power.mean()), phase, gpus_per_server)
    ripple = find_ripple(power - expected, kept, cycles, step_s, level, phase.meter_s, lacking)
    work = made(stalls, ripple)
    schedule = Schedule.of(segments, trace)
    return Fit(trace, work, float(power.mean()), segments, schedule, shape, stalls, tuple(notes))


def _variance(work: Workload, mean_mw: float, phase: Trace, per_server: int) -> float:
    """Variance of a workload as the meter shows it, mean of some seeds. [MW squared]"""
    t = phase.t_s
    courses = (play(work, mean_mw, max(phase.gpus, 1), per_server, float(t[-1]), seed) for seed in SEEDS)
    return float(np.mean([metered(course, t, phase.meter_s).var() for course in courses]))


def _cycle(power: Array, step_s: float, meter_s: float) -> tuple[Template | None, Shape | None]:
    """The cycle of a record and its shape; (None, None) without one.

    Of several cycles the first whose shape is met counts, else the one that leaves least.
    """
    best: tuple[Template | None, Shape | None] = (None, None)
    least = MOST_UNEXPLAINED
    for template in _templates(power, step_s):
        shape = fit_shape(template, meter_s)
        if not shape.step_s >= SHORTEST_STEP_S:
            continue
        left = (shape.error * shape.level) ** 2 / float(power.var())
        if left < WELL_MET:
            return template, shape
        left += template.unexplained(power, step_s)
        if left < least or best[0] is None:
            best, least = (template, shape), left
    return best


def _templates(power: Array, step_s: float) -> list[Template]:
    """Cycles of a record, or of the record without lone deep samples where these are clearly better; best first."""
    middle = float(np.median(power))
    lowest = middle - LONE_DEVIATIONS * 1.4826 * float(np.median(np.abs(power - middle)))
    best: list[Template] = []
    left = MOST_UNEXPLAINED
    for course in (power, np.maximum(power, lowest)):
        if course.std() < LEAST_SWING * course.mean():
            continue
        found = [refold(template, power, step_s) for template in find_cycles(course, step_s)]
        found = [template for template in found if template.unexplained(power, step_s) < MOST_UNEXPLAINED]
        unexplained = min((template.unexplained(power, step_s) for template in found), default=np.inf)
        if unexplained < left:
            best, left = found, CLEARLY_BETTER * unexplained
    return best


def steady_of(stalls: Stalls, ripple: Ripple, gpus: int) -> Workload:
    """A load without steps, with the stalls and the ripple found if there are any."""
    steady = Training(step_s=max(1.0, 2.0 * STALL_EDGE_S), comm_level=1.0, edge_s=STALL_EDGE_S, job_gpus=gpus)
    if not len(stalls.depth) and not ripple.share:
        return Constant(1.0)
    return _with(steady, stalls, ripple)


def _with(work: Training, stalls: Stalls, ripple: Ripple) -> Training:
    """A training with stalls and ripple added."""
    if ripple.share:
        work = replace(work, ripple=min(ripple.share, 0.5), ripple_s=max(ripple.time_s, 0.01))
    if not len(stalls.depth):
        return work
    return replace(
        work, stalls_per_h=min(stalls.per_h, 1000.0 / stalls.duration_s), stall_s=stalls.duration_s,
        stall_level=float(np.clip(stalls.level, 0.05, 1.0)), stall_spread=stalls.spread,
    )  # fmt: skip


def training_of(shape: Shape, stalls: Stalls, ripple: Ripple, drift_s: float, gpus: int, per_server: int) -> Training:
    """The parameters of a Training that has the shape, the stalls, the ripple and the drift of a fit."""
    base = Training()
    servers = max(1.0, gpus / per_server)
    together = math.sqrt(base.coherence + (1.0 - base.coherence) / servers)
    jitter = float(np.clip(drift_s / math.sqrt(shape.steps) / shape.step_s, 0.0, 0.1))
    plain = replace(
        base,
        step_s=shape.step_s,
        comm_fraction=shape.fraction,
        comm_level=float(np.clip(1.0 - shape.depth / together, 0.05, 1.0)),
        jitter=jitter,
        job_gpus=gpus,
        eval_every=shape.steps if shape.eval_s > 0.0 else 0,
        eval_s=shape.eval_s,
        eval_level=1.0 - shape.eval_depth,
        switch_s=shape.switch_s,
        switch_level=1.0 - shape.switch_depth,
        edge_s=1e-3,
    )
    return _with(replace(plain, edge_s=max(1e-3, min(shape.edge_s, 0.98 * plain._shortest_s))), stalls, ripple)


def _check(trace: Trace) -> None:
    if len(trace) < LEAST_SAMPLES:
        raise SettingError(f"fit of {trace.name}: {len(trace)} samples; give {LEAST_SAMPLES} or more")
    if len(trace) > MOST_SAMPLES:
        raise SettingError(
            f"fit of {trace.name}: {len(trace)} samples, {MOST_SAMPLES} are the most: use trace.resampled(step_s), or "
            "read it with every_s"
        )
    if float(np.max(trace.mw)) <= 0.0:
        raise SettingError(f"fit of {trace.name}: no power at any time")
