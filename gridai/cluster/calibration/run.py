"""A model played as the run it was fitted to: its own start and stop times, seen by the same meter.

    level   idle until a part starts, up in rise_s, the part's course, down in fall_s; flat parts at their mean

Rise and fall are those of the trace itself (from a fifth to four fifths of the way, the shares of the meter and of the
sampling taken off; edges that fall into a gap are left out). The meter averages over the meter_s before each sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridai.cluster.calibration.measures import uniform
from gridai.cluster.calibration.segment import Segments
from gridai.cluster.calibration.shape import mean_before
from gridai.cluster.traces.trace import Trace
from gridai.cluster.workloads.base import Workload, cut, memory
from gridai.kernel.profile import Array, Profile

GAP = 3.0
"""Samples further apart than so many median steps are a gap."""
Bools = npt.NDArray[np.bool_]

SIMILAR = 0.5
"""A part that swings at least so much as the training phase is training too; the others are flat."""


@dataclass(frozen=True)
class Schedule:
    """What the run does when: (start, end, mean MW if flat else None), and the level between."""

    parts: tuple[tuple[float, float, float | None], ...]
    idle_mw: float
    idle_std_mw: float = 0.0
    idle_keeps: float = 0.0
    rise_s: float = 0.0
    fall_s: float = 0.0

    @classmethod
    def of(cls, segments: Segments, trace: Trace, idle: Bools | None = None) -> Schedule:
        """The schedule that a segmentation of a trace shows. idle: which samples are idle, for the ripple there."""
        enough = SIMILAR * segments.training.std_mw
        # A meter shows an edge late by half its averaging time.
        early, last = trace.meter_s / 2.0, trace.duration_s
        rows = [
            (max(p.start_s - early, 0.0), p.end_s - (early if p.end_s < last - 1e-9 else 0.0),
             None if p.std_mw >= enough else p.mean_mw)
            for p in segments.active
        ]  # fmt: skip
        spread, keeps = (0.0, 0.0) if idle is None else _ripple(trace, idle)
        rise_s, fall_s = (_edge(trace, segments, up) for up in (True, False))
        return cls(tuple(rows), segments.idle_mw, spread, keeps, rise_s, fall_s)


def _ripple(trace: Trace, idle: Bools) -> tuple[float, float]:
    """Standard deviation of the idle power [MW] and its correlation from one sample to the next."""
    if idle.sum() < 10:
        return 0.0, 0.0
    x = trace.mw - trace.mw[idle].mean()
    next_too = idle[1:] & idle[:-1] & (np.diff(trace.t_s) < 1.5 * trace.step_s)
    variance = float(np.mean(x[idle] ** 2))
    return float(np.sqrt(variance)), float(np.clip(np.mean((x[1:] * x[:-1])[next_too]) / variance, 0.0, 0.999))


def _edge(trace: Trace, segments: Segments, up: bool) -> float:
    """Median time in which power rises from (falls to) idle, over the whole way. [s]"""
    low, high = segments.idle_mw, segments.active_mw
    if np.isnan(low):
        return 0.0
    marks, found = (low + 0.2 * (high - low), low + 0.8 * (high - low)), []
    for part in segments.active:
        at = part.start_s if up else part.end_s
        near = (trace.t_s > at - 30.0) & (trace.t_s < at + 30.0)
        t, p = trace.t_s[near], trace.mw[near]
        if not up:
            t, p = -t[::-1], p[::-1]
        middle = int(np.argmin(np.abs(t - (at if up else -at)))) if len(t) else 0
        below, above = np.flatnonzero(p[: middle + 1] < marks[0]), np.flatnonzero(p[middle:] > marks[1])
        if len(below) and len(above):
            a, b = int(below[-1]), middle + int(above[0])
            if np.diff(t[a : b + 1]).max() > GAP * trace.step_s:
                continue  # it falls into a gap of the samples
            t_low = np.interp(marks[0], p[a : a + 2], t[a : a + 2])
            t_high = np.interp(marks[1], p[b - 1 : b + 1], t[b - 1 : b + 1])
            found.append(max(float(t_high - t_low) / 0.6, 0.0))
    whole = float(np.median(found)) if found else 0.0
    return float(np.sqrt(max(whole**2 - trace.meter_s**2 - trace.step_s**2, 0.0)))


def metered(course: Profile, t_s: Array, meter_s: float) -> Array:
    """A course as a meter shows it at times t_s: the mean over the meter_s before each."""
    t, v = course.t_s, course.values
    if t[0] > t_s[0] - meter_s:
        t, v = np.concatenate([[t_s[0] - meter_s - 1.0], t]), np.concatenate([v[:1], v])
    return mean_before(t, v, t_s, meter_s)


def play(workload: Workload, mean_mw: float, gpus: int, per_server: int, until_s: float, seed: int) -> Profile:
    """The workload's course on so many GPUs at a mean power. [MW]"""
    return workload.profile(until_s, gpus, per_server, seed).scaled(mean_mw / workload.mean)


def scheduled(course: Profile, schedule: Schedule, until_s: float) -> Profile:
    """The course where a training part runs, the mean where a flat one does, idle between. [MW]"""
    if np.isnan(schedule.idle_mw):
        return course
    whole = Profile.constant(schedule.idle_mw)
    for start, end, flat in schedule.parts:
        level = course if flat is None else Profile.constant(flat)
        whole = whole.plus(level.plus(-schedule.idle_mw).times(_there(start, end, schedule, until_s)))
    return whole.between(0.0, until_s)


def _there(start_s: float, end_s: float, schedule: Schedule, until_s: float) -> Profile:
    """1 while a part runs. Crossings of the middle were measured, so ramps are centred on them."""
    t: list[float] = []
    v: list[float] = []
    if start_s > 0.0:
        t, v = [start_s - schedule.rise_s / 2.0, start_s + schedule.rise_s / 2.0], [0.0, 1.0]
    if end_s < until_s - 1e-9:
        t, v = [*t, end_s - schedule.fall_s / 2.0, end_s + schedule.fall_s / 2.0], [*v, 1.0, 0.0]
    return Profile(t, v) if t else Profile.constant(1.0)


def as_measured(
    workload: Workload,
    mean_mw: float,
    trace: Trace,
    schedule: Schedule,
    per_server: int = 8,
    seed: int = 0,
    lead_s: float = 0.0,
    window: tuple[float, float] | None = None,
) -> Trace:
    """The model's course on the trace's own times, schedule and meter.

    lead_s  the model may begin so much later in its own course, where it is most in step with the trace: for pictures.
    window  start and end of the part of the trace that counts for it; default: all of it. [s]
    """
    until_s = trace.duration_s
    course = play(workload, mean_mw, max(trace.gpus, 1), per_server, until_s + lead_s, seed)
    if lead_s > 0.0:
        course = cut(course, _in_step(course, trace, lead_s, window or (0.0, until_s)), until_s)
    power = metered(scheduled(course, schedule, until_s), trace.t_s, trace.meter_s)
    if schedule.idle_std_mw > 0.0:
        drawn = np.random.default_rng([seed, 3]).standard_normal(len(power))
        noise = schedule.idle_std_mw * memory(drawn, schedule.idle_keeps)
        idle = power < schedule.idle_mw + 0.05 * (mean_mw - schedule.idle_mw)
        power = power + np.where(idle, noise, 0.0)
    return Trace(f"{trace.name}, model", trace.t_s, np.maximum(power, 0.0), trace.gpus, trace.meter_s)


def _in_step(course: Profile, trace: Trace, lead_s: float, window: tuple[float, float]) -> float:
    """The start within lead_s at which the course correlates best with a window of the trace. [s]"""
    step_s = trace.step_s
    first = int(window[0] / step_s)
    x = uniform(trace)[first : int(window[1] / step_s) + 1]
    extra = max(1, int(lead_s / step_s))
    y = metered(course, step_s * (first + np.arange(len(x) + extra - 1, dtype=np.float64)), trace.meter_s)
    size = 1 << (len(y) + len(x)).bit_length()
    match = np.fft.irfft(np.fft.rfft(y - y.mean(), size) * np.conj(np.fft.rfft(x - x.mean(), size)), size)
    return step_s * int(match[:extra].argmax())
