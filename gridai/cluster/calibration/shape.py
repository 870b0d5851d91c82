"""The shape of one cycle as a meter sees it: steps of compute and communication, an evaluation, and its fit.

    level a   compute; a (1 - d) communication, the last part f of each of n steps of s; a (1 - g) the evaluation of e,
              which may begin with a stand: the last communication and k more at a (1 - h)
    edges     straight, w wide, centred on the borders (0.4 s at most at the stand); then the mean over the meter's time

The template of a cycle (periods.Template) gives all of them by least squares. n is tried, for the spectrum only gives
the number of dips in a cycle and the evaluation may stand for one or two of them. A cycle with one dip has one step and
an evaluation where the dip is longer than LONG_S, else one step with communication: the trace cannot tell them apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gridai.cluster.calibration.periods import Template
from gridai.cluster.workloads.training import STALL_EDGE_S
from gridai.kernel.profile import Array

LONG_S = 4.0
"""A dip of a single-dip cycle that lasts longer is taken as an evaluation."""
WELL = 0.005
"""One dip that is met so well needs no block of steps."""
CLEARLY = 0.7
"""A block of steps must leave less than this of the error of one dip, for it has more parameters."""
LEAST_DEPTH = 0.015
"""Steps whose communication is shallower cannot be seen: there are none."""
LOOK = 8


@dataclass(frozen=True)
class Shape:
    """Parameters of the cycle as in the module's docstring; level in the template's unit, error: rms over level."""

    cycle_s: float
    steps: int
    level: float
    depth: float
    fraction: float
    edge_s: float
    offset_s: float
    eval_s: float
    eval_depth: float
    switch_s: float = 0.0
    switch_depth: float = 0.0
    error: float = np.inf

    @property
    def step_s(self) -> float:
        """Duration of one step. [s]"""
        return (self.cycle_s - self.eval_s) / self.steps

    @property
    def mean(self) -> float:
        """Mean of the cycle, in the template's unit."""
        dip = self.depth * self.fraction * self.step_s * self.steps + self.eval_depth * self.eval_s
        dip += (self.switch_depth - self.eval_depth) * self.switch_s
        if self.switch_s > 0.0 and self.depth > 0.0:
            dip += (self.switch_depth - self.depth) * self.fraction * self.step_s
        return self.level * (1.0 - dip / self.cycle_s)

    def course(self, phase_s: Array, meter_s: float) -> Array:
        """Power at times within the cycle, as the meter shows it: the mean over the meter_s before."""
        rows = [(self.step_s * (1.0 - self.fraction), 1.0, self.edge_s),
                (self.step_s * self.fraction, 1.0 - self.depth, self.edge_s)] * self.steps  # fmt: skip
        if self.switch_s > 0.0 and self.depth > 0.0:
            rows[-1] = (self.step_s * self.fraction, 1.0 - self.switch_depth, min(self.edge_s, STALL_EDGE_S))
        if self.eval_s > 0.0:
            stand = [(self.switch_s, 1.0 - self.switch_depth, min(self.edge_s, STALL_EDGE_S))] * (self.switch_s > 0.0)
            rows += [*stand, (self.eval_s - self.switch_s, 1.0 - self.eval_depth, self.edge_s)]
        lengths, levels, edges = np.array(rows).T
        levels = self.level * levels
        border = np.cumsum(lengths)
        edge = np.minimum(np.minimum(edges, np.roll(edges, -1)), 0.98 * np.minimum(lengths, np.roll(lengths, -1)))
        half = np.minimum(edge, 0.98 * lengths.min() if self.switch_s == 0.0 else np.inf) / 2.0
        t = np.stack([border - half, border + half], axis=1).ravel()
        v = np.stack([levels, np.roll(levels, -1)], axis=1).ravel()
        period = self.cycle_s
        t = np.concatenate([t - 2 * period, t - period, t])
        return mean_before(t, np.tile(v, 3), (phase_s - self.offset_s) % period, meter_s)


def mean_before(t: Array, v: Array, at: Array, width: float) -> Array:
    """Mean over `width` before each time of a course given by corners; its value where width is 0. Exact."""
    if width <= 0.0:
        return np.asarray(np.interp(at, t, v))
    area = np.concatenate([[0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 2.0)])

    def integral(x: Array) -> Array:
        k = np.clip(np.searchsorted(t, x, side="right") - 1, 0, len(t) - 2)
        return area[k] + (x - t[k]) * (v[k] + np.interp(x, t, v)) / 2.0

    return np.asarray((integral(at) - integral(at - width)) / width)


def fit_shape(template: Template, meter_s: float) -> Shape:
    """The shape that lies closest to a template."""
    tried = (_refine(s, template, meter_s) for s in _single_starts(template))
    single = _named(min(tried, key=lambda shape: shape.error))
    if single.error < WELL:
        return single
    starts = [s for dips in _dips(template.power) for s in _block_starts(template, dips)]
    blocks = [_refine(start, template, meter_s, LOOK) for start in starts]
    best = [_refine(s, template, meter_s) for s in sorted(blocks, key=lambda shape: shape.error)[:3]]
    shown = [shape for shape in best if shape.depth > LEAST_DEPTH]
    block = min(shown, key=lambda shape: shape.error, default=single)
    return block if block.error < CLEARLY * single.error else single


def _named(single: Shape) -> Shape:
    """The one dip of a cycle as evaluation or as communication, by its length."""
    dip_s = single.eval_s or single.fraction * single.cycle_s
    depth = single.eval_depth or single.depth
    if dip_s > LONG_S:
        return replace(single, depth=0.0, fraction=0.25, eval_s=dip_s, eval_depth=depth)
    return replace(single, depth=depth, fraction=dip_s / single.cycle_s, eval_s=0.0, eval_depth=0.0)


def _dips(power: Array) -> list[int]:
    """Likely numbers of dips within the cycle: the two strongest harmonics from the third on."""
    strength = np.abs(np.fft.rfft(power - power.mean()))[: max(4, len(power) // 8)]
    strength[:3] = 0.0
    order = np.argsort(-strength)[:2]
    return [int(k) for k in order if strength[k] > 0.2 * strength[order[0]]]


def _block_starts(template: Template, dips: int) -> list[Shape]:
    """Guesses: steps less the 0 to 2 dips that the evaluation stands for, with different step times."""
    period, (low, high) = template.cycle_s, np.percentile(template.power, [5.0, 90.0])
    depth, found = float(1.0 - low / high), []
    for less, stretch in itertools.product((0, 1, 2), (0.96, 0.98, 1.0)):
        steps, step_s = dips - less, stretch * period / dips
        eval_s = period - steps * step_s
        if eval_s > 0.5 * step_s:
            found.append(Shape(period, steps, float(high), depth, 0.25, 0.5, 0.0, eval_s, depth))
    found.append(Shape(period, dips, float(high), depth, 0.25, 0.5, 0.0, 0.0, 0.0))
    found += [
        replace(s, switch_s=0.2 * s.eval_s, switch_depth=1.2 * s.depth) for s in found if s.eval_s > 8.0 * STALL_EDGE_S
    ]
    return [_aligned(shape, template) for shape in found]


def _single_starts(template: Template) -> list[Shape]:
    """Guesses for a cycle with one dip, narrow to wide."""
    low, high = np.percentile(template.power, [3.0, 85.0])
    depth, period = float(1.0 - low / high), template.cycle_s
    share = float(np.mean(template.power < (low + high) / 2.0))
    found = []
    for f in (0.7 * share, share, 1.3 * share):
        f = float(np.clip(f, 0.03, 0.85))
        long = f * period > LONG_S
        eval_s = f * period if long else 0.0
        found.append(
            Shape(period, 1, float(high), 0.0 if long else depth, 0.25 if long else f, 0.5, 0.0, eval_s,
                  depth if long else 0.0)
        )  # fmt: skip
    return [_aligned(shape, template) for shape in found]


def _aligned(shape: Shape, template: Template) -> Shape:
    """The shape shifted to where it correlates best with the template."""
    own = shape.course(template.phase_s, 0.0)
    match = np.fft.irfft(np.fft.rfft(template.power) * np.conj(np.fft.rfft(own - own.mean())), len(own))
    return _with(shape, offset_s=float(template.phase_s[int(match.argmax())]))


def _refine(shape: Shape, template: Template, meter_s: float, most: int = 60) -> Shape:
    """Least squares from a guess, so many steps at most."""
    from scipy.optimize import least_squares

    fixed = shape.depth == 0.0
    period = shape.cycle_s
    names = ["level", "edge_s", "offset_s"] + ([] if fixed else ["depth", "fraction"])
    names += ["eval_s", "eval_depth"] if shape.eval_s > 0.0 else []
    names += ["switch_s", "switch_depth"] if shape.switch_s > 0.0 else []
    low = {"level": 0.3, "edge_s": 0.02, "offset_s": -np.inf, "depth": 0.0, "fraction": 0.03, "eval_s": 0.02 * period,
           "eval_depth": -0.2, "switch_s": STALL_EDGE_S, "switch_depth": 0.0}  # fmt: skip
    high = {"level": 2.0, "edge_s": 0.25 * period / shape.steps, "offset_s": np.inf, "depth": 0.95, "fraction": 0.85,
            "eval_s": 0.9 * period, "eval_depth": 0.95, "switch_s": max(0.5 * shape.eval_s, STALL_EDGE_S * 3.0),
            "switch_depth": 0.95}  # fmt: skip
    scale = shape.level
    given = [getattr(shape, n) / (scale if n == "level" else 1.0) for n in names]
    bounds = [low[n] for n in names], [high[n] for n in names]
    start = np.clip(given, np.asarray(bounds[0]) + 1e-6, np.asarray(bounds[1]) - 1e-6)

    def made(x: Array) -> Shape:
        values = {n: float(v) * (scale if n == "level" else 1.0) for n, v in zip(names, x, strict=True)}
        return _with(shape, **values)

    seen = _interpolated(template)

    def off(x: Array) -> Array:
        return np.asarray((seen(made(x).course(template.phase_s, meter_s)) - template.power) / scale)

    answer = least_squares(off, start, bounds=bounds, x_scale="jac", max_nfev=most)
    return _with(made(answer.x), error=float(np.sqrt(np.mean(answer.fun**2))))


def _interpolated(template: Template) -> Callable[[Array], Array]:
    """What laying samples over each other by straight lines does to a course: a triangle of one sample either side."""
    n = len(template.power)
    spacing = template.cycle_s / n
    away = spacing * np.minimum(np.arange(n), n - np.arange(n))
    kernel = np.maximum(1.0 - away / max(template.sample_s, spacing), 0.0)
    factor = np.fft.rfft(kernel / kernel.sum())
    return lambda course: np.asarray(np.fft.irfft(np.fft.rfft(course) * factor, n))


def _with(shape: Shape, **values: float) -> Shape:
    return replace(shape, **values)  # type: ignore[arg-type]
