"""The figure of a fit: trace and model over time and in detail, their spectra, ramps and duration curves.

Takes the Result of the study `fit`: cluster p_mw of "trace" and "model"; meta: parts, training, meter_s, cycle_s. The
lower panels show the fitted part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.cluster.calibration import inner_of
from gridai.cluster.calibration.measures import duration_curve, ramps, spectral_line, spectrum, uniform
from gridai.cluster.traces import Trace
from gridai.plots import style
from gridai.plots.pause import held
from gridai.plots.style import BAND, BLACK, ORANGE, SMALL, TEXT
from gridai.results import Limit, Result

HEIGHT_IN = 9.4
DETAIL_CYCLES, DETAIL_SAMPLES = 3.0, 240
"""The detail shows so many cycles, or so many samples where nothing repeats."""
LEAST_SHARE = 1e-4
NAMES = ("trace", "model")
LOOKS = (("trace", BLACK, "-", 1.1), ("model", ORANGE, "-", 1.1))


def fit_figure(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Trace and model: whole run, detail, spectrum, ramps exceeded, duration curve."""
    if not set(NAMES) <= set(held(result, "cluster", "p_mw")[0]) or "training" not in result.meta:
        figure, axes = style.new_figure(1, title or "Fit", footer)
        style.finish(axes[0], np.zeros(0), "power (MW)", 0.0)
        return figure
    figure = style.blank_figure(style.WIDTH_IN, HEIGHT_IN, title or "Fit", footer)
    pair = _pair(result)
    factor, unit = _scale(max(float(t.mw.max()) for t in pair))
    grid = figure.add_gridspec(3, 3, left=0.085, right=0.985, top=0.93, bottom=0.075, hspace=0.36, wspace=0.38)
    whole, detail = (figure.add_subplot(grid[k, :]) for k in (0, 1))
    for ax in (whole, detail):
        style.plain_axes(ax)
        for trace, (name, color, dash, width) in zip(pair, LOOKS, strict=True):
            style.line(ax, trace.t_s, trace.mw * factor, name, color, dash, width)
            ax.lines[-1].set_alpha(0.85)
        _labels(ax, "time (s)", f"power ({unit})")
    _shade(whole, result)
    _zoom(detail, result, pair)
    whole.set_xlim(0.0, pair[0].duration_s)
    _legend(whole, "whole run; grey: not fitted" if _others(result) else "whole run")
    _legend(detail, "detail")
    phases = [inner_of(trace, *result.meta["training"]) for trace in pair]
    for k, draw in enumerate((_spectra, _ramps, _durations)):
        ax = figure.add_subplot(grid[2, k])
        style.plain_axes(ax)
        draw(ax, phases, factor, unit)
    return figure


def _pair(result: Result) -> list[Trace]:
    """Trace and model as traces, with their meter."""
    meter_s = float(result.meta.get("meter_s", 0.0))
    return [Trace(n, result.t_s, result.series("cluster", n, "p_mw"), 0, meter_s) for n in NAMES]


def _scale(highest_mw: float) -> tuple[float, str]:
    """Factor and unit in which the highest power reads well."""
    return (1.0, "MW") if highest_mw >= 1.0 else (1e3, "kW") if highest_mw >= 1e-3 else (1e6, "W")


def _others(result: Result) -> list[tuple[float, float]]:
    """Start and end of the parts of the run that were not fitted. [s]"""
    begin, end = result.meta["training"]
    return [(a, b) for a, b, _ in result.meta["parts"] if a < begin or b > end]


def _shade(ax: Axes, result: Result) -> None:
    begin, end = result.meta["training"]
    last = float(result.t_s[-1])
    for a, b in ((0.0, begin), (end, last)) if _others(result) else ():
        if b > a:
            ax.axvspan(a, b, color=BAND, alpha=0.5, linewidth=0.0, zorder=0.5)


def _zoom(ax: Axes, result: Result, pair: Sequence[Trace]) -> None:
    """A few cycles out of the middle of the fitted part; of a single cycle, all of it."""
    begin, end = _busiest(result)
    cycle_s = float(result.meta.get("cycle_s", 0.0))
    span = DETAIL_CYCLES * cycle_s if cycle_s else DETAIL_SAMPLES * pair[0].step_s
    span = min(max(span, 40.0 * pair[0].step_s), end - begin)
    first = begin + 0.5 * (end - begin - span)
    ax.set_xlim(first, first + span)
    seen = [t.mw[(t.t_s >= first) & (t.t_s <= first + span)] for t in pair]
    scale = _scale(max(float(t.mw.max()) for t in pair))[0]
    low, high = scale * min(float(x.min()) for x in seen), scale * max(float(x.max()) for x in seen)
    pad = 0.08 * max(high - low, 1e-6 * abs(high), 1e-12)
    ax.set_ylim(low - pad, high + pad)


def _busiest(result: Result) -> tuple[float, float]:
    """Start and end of the fitted part, or of the longest busy part within it. [s]"""
    begin, end = result.meta["training"]
    busy = [(a, b) for a, b, high in result.meta["parts"] if high and a >= begin and b <= end]
    return max(busy, key=lambda part: part[1] - part[0], default=(begin, end))


def _spectra(ax: Axes, phases: Sequence[Trace], factor: float, unit: str) -> None:
    """Amplitude over frequency, the strongest line of each in the legend."""
    top, lowest = 0.0, np.inf
    for trace, (name, color, dash, _) in zip(phases, LOOKS, strict=True):
        power, step_s = factor * uniform(trace), trace.step_s
        f, amplitude = spectrum(power, step_s)
        line = spectral_line(power, step_s)
        label = f"{name}: {line.f_hz:.3g} Hz, {line.amplitude:.3g} {unit}"
        ax.plot(
            f[1:], np.maximum(amplitude[1:], 1e-12), color=color, linestyle=dash, linewidth=0.7, alpha=0.85, label=label
        )
        top, lowest = max(top, float(amplitude[1:].max())), min(lowest, float(f[1]))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(left=lowest)
    if top > 0.0:
        ax.set_ylim(3e-4 * top, 8.0 * top)
    _labels(ax, "frequency (Hz)", f"amplitude ({unit})")
    _legend(ax, "spectrum", "upper left")


def _ramps(ax: Axes, phases: Sequence[Trace], factor: float, unit: str) -> None:
    """Share of the time for which a ramp is exceeded."""
    step_s = min(max(phases[0].meter_s, phases[0].step_s), phases[0].duration_s / 3.0)
    for trace, (name, color, dash, width) in zip(phases, LOOKS, strict=True):
        size = np.sort(np.abs(ramps(factor * uniform(trace), trace.step_s, step_s, trace.meter_s)))
        share = 1.0 - np.arange(len(size)) / len(size)
        ax.plot(size, 100.0 * share, color=color, linestyle=dash, linewidth=width, label=name)
    ax.set_yscale("log")
    ax.set_xlim(left=0.0)
    ax.set_ylim(100.0 * max(LEAST_SHARE, 0.7 / len(size)), 150.0)
    _labels(ax, f"ramp on {step_s:.3g} s ({unit}/s)", "exceeded (% of time)")
    _legend(ax, "ramps")


def _durations(ax: Axes, phases: Sequence[Trace], factor: float, unit: str) -> None:
    for trace, (name, color, dash, width) in zip(phases, LOOKS, strict=True):
        share, power = duration_curve(factor * uniform(trace))
        ax.plot(100.0 * share, power, color=color, linestyle=dash, linewidth=width, label=name)
    ax.set_xlim(0.0, 100.0)
    _labels(ax, "exceeded (% of time)", f"power ({unit})")
    _legend(ax, "duration curve")


def _labels(ax: Axes, x: str, y: str) -> None:
    ax.set_xlabel(x, fontsize=TEXT)
    ax.set_ylabel(y, fontsize=TEXT)


def _legend(ax: Axes, heading: str, where: Any = "best") -> None:
    """The legend within the axes, the panel's name above them."""
    ax.set_title(heading, fontsize=TEXT, loc="left")
    ax.legend(loc=where, fontsize=SMALL, frameon=True, framealpha=0.85, edgecolor="none")


FIGURES: dict[str, Callable[..., Figure]] = {"fit": fit_figure}

__all__ = ["FIGURES", "fit_figure"]
