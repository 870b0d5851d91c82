"""The figure of a study of time series: the course, and duration curves of voltage and loading."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.style import BLUE, LIMIT, ORANGE, TEXT
from gridai.results import Limit, Result
from gridai.results.course import Course, course_of

UNITS_OF_TIME = (("days", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def course(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """The course of clusters, losses and slack over time, and how long voltages and loadings are exceeded.

    Red: spans with steps that have no solution.
    """
    found = course_of(result)
    figure = style.blank_figure(style.WIDTH_IN, 8.2, title or "Time series", footer)
    boxes = [
        (0.09, 0.735, 0.645, 0.19),
        (0.09, 0.515, 0.645, 0.19),
        (0.09, 0.285, 0.645, 0.155),
        (0.09, 0.06, 0.645, 0.155),
    ]
    axes = [figure.add_axes(box) for box in boxes]
    for ax in axes:
        style.plain_axes(ax)
    if found is None:
        for ax in axes:
            style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    unit, size = _unit(result.t_s)
    _course(axes[0], result, ("cluster_mw", "losses_mw"), ("clusters", "losses"), "power (MW)", size, found)
    _course(axes[1], result, ("slack_mw",), ("slack",), "power (MW)", size, found)
    axes[0].tick_params(labelbottom=False)
    axes[1].set_xlabel(f"time ({unit})", fontsize=TEXT)
    _durations(axes[2], found, "voltage", "voltage (pu)")
    _durations(axes[3], found, "loading", "loading (%)")
    axes[3].set_xlabel("part of the solved time in which the value is exceeded (%)", fontsize=TEXT)
    return figure


def _unit(t_s: np.ndarray) -> tuple[str, float]:
    span = float(t_s[-1] - t_s[0]) if len(t_s) else 0.0
    return next(((u, s) for u, s in UNITS_OF_TIME if span >= 3.0 * s), ("s", 1.0))


def _course(ax: Axes, result: Result, names: Sequence[str], labels: Sequence[str], ylabel: str, size: float,
            found: Course) -> None:  # fmt: skip
    t = result.t_s / size
    for name, label, color in zip(names, labels, (BLUE, ORANGE), strict=False):
        values = result.values("system", name)[:, 0]
        if name == "cluster_mw" and not np.nanmax(np.abs(np.append(values, 0.0))) > 0.0:
            continue
        ax.plot(t, values, color=color, linewidth=1.1, label=label, zorder=3)
    width = float(t[-1] - t[0]) / 600.0 if len(t) > 1 else 1.0
    for k, (first, last) in enumerate(found.unsolved[:200]):
        ax.axvspan(first / size - width, last / size + width, color=LIMIT, alpha=0.35, linewidth=0, zorder=2,
                   label="no solution" if k == 0 else None)  # fmt: skip
    style.finish(ax, t, ylabel, 0.0)


def _durations(ax: Axes, found: Course, group: str, ylabel: str) -> None:
    for n, curve in enumerate(c for c in found.curves if c.group == group):
        color, dash = style.look(n)
        ax.plot(100.0 * np.array(curve.share), curve.values, color=color, linestyle=dash, linewidth=1.3,
                label=style.shown(curve.name), zorder=3)  # fmt: skip
    if group == "loading" and ax.lines:
        top = max(float(np.nanmax(np.asarray(line.get_ydata(), dtype=float))) for line in ax.lines)
        if top > 80.0:
            ax.axhline(100.0, color=LIMIT, linewidth=1.5, linestyle=(0, (1, 1)), label="rating")
    ax.set_xlim(0.0, 100.0)
    style.finish(ax, np.zeros(0), ylabel, 0.0)


FIGURES: dict[str, Callable[..., Figure]] = {"course": course}

__all__ = ["FIGURES", "course"]
