"""The figure of a study of time series: the course, and duration curves of voltage and loading."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.style import BLUE, CYCLE, GREY, LIMIT, TEXT
from gridai.results import Limit, Result
from gridai.results.course import Course, course_of, unit_of_time

TOP_IN, GAP_IN, FOOT_IN = 0.62, 0.3, 0.5
TALL_IN, LOW_IN = 1.55, 1.2
LABELS = {"cluster_mw": "clusters", "losses_mw": "losses", "pv_mw": "photovoltaics", "storage_mw": "storages (+ in)",
          "slack_mw": "slack", "watched_mw": "held by storages"}  # fmt: skip


def course(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Clusters, PV, storages, losses and slack over time, and how long voltages and loadings are exceeded.

    With storages their energy too, with flicker Pst of each period. Red: spans with steps that have no solution.
    """
    found = course_of(result)
    panels = _panels(result, found)
    heights = [TALL_IN if kind in ("power", "slack") else LOW_IN for kind in panels]
    timed = [k for k, kind in enumerate(panels) if kind not in ("voltage", "loading")]
    gaps = [GAP_IN if k in timed[:-1] else FOOT_IN for k in range(len(panels))]
    whole = TOP_IN + sum(heights) + sum(gaps)
    figure = style.blank_figure(style.WIDTH_IN, whole, title or "Time series", footer)
    axes, top = [], whole - TOP_IN
    for height, gap in zip(heights, gaps, strict=True):
        axes.append(figure.add_axes((0.09, (top - height) / whole, 0.645, height / whole)))
        top -= height + gap
    for ax in axes:
        style.plain_axes(ax)
    if found is None:
        for ax in axes:
            style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    unit, size = unit_of_time(float(result.t_s[-1] - result.t_s[0]) if len(result.t_s) else 0.0)
    for ax, kind in zip(axes, panels, strict=True):
        _draw(ax, kind, result, found, limits, size)
    for k in timed:
        axes[k].tick_params(labelbottom=k == timed[-1])
        axes[k].set_xlim(axes[0].get_xlim())
    axes[timed[-1]].set_xlabel(f"time ({unit})", fontsize=TEXT)
    axes[-1].set_xlabel("part of the solved time in which the value is exceeded (%)", fontsize=TEXT)
    return figure


def _panels(result: Result, found: Course | None) -> list[str]:
    """What stands in the panels, from the top."""
    out = ["power", "slack"]
    if "e_mwh" in result.quantities("system"):
        out.append("energy")
    if found is not None and found.points:
        out.append("pst")
    return [*out, "voltage", "loading"]


def _draw(ax: Axes, kind: str, result: Result, found: Course, limits: Sequence[Limit], size: float) -> None:
    upper = ("cluster_mw", "losses_mw", "pv_mw", "storage_mw", *(("watched_mw",) if _small(result) else ()))
    if kind == "power":
        _course(ax, result, upper, "power (MW)", size, found)
    elif kind == "slack":
        _course(ax, result, ("slack_mw",) if _small(result) else ("slack_mw", "watched_mw"), "power (MW)", size, found)
    elif kind == "energy":
        t = result.t_s / size
        for n, name in enumerate(result.names("system", "e_mwh")):
            color, dash = style.look(n)
            ax.plot(t, result.values("system", "e_mwh")[:, n], color=color, linestyle=dash, linewidth=1.3, label=name)
        style.finish(ax, t, "energy (MWh)", 0.0)
    elif kind == "pst":
        _pst(ax, result, found, limits, size)
    else:
        _durations(ax, found, kind, f"{kind} ({'pu' if kind == 'voltage' else '%'})")


def _course(ax: Axes, result: Result, names: Sequence[str], ylabel: str, size: float, found: Course) -> None:
    t = result.t_s / size
    there = [name for name in names if name in result.quantities("system")]
    held = "watched_mw" in there
    if held and _alike(result, "slack_mw", "watched_mw"):
        there.remove("watched_mw")
    for name, color in zip(there, CYCLE, strict=False):
        values = result.values("system", name)[:, 0]
        if name == "cluster_mw" and not np.nanmax(np.abs(np.append(values, 0.0))) > 0.0:
            continue
        ax.plot(t, values, color=color, linewidth=1.1, label=LABELS[name], zorder=3)
    if held:
        for label, value in found.levels:
            ax.axhline(value, color=GREY, linewidth=1.0, linestyle=(0, (4, 2)), label=label, zorder=2)
    width = float(t[-1] - t[0]) / 600.0 if len(t) > 1 else 1.0
    for k, (first, last) in enumerate(found.unsolved[:200]):
        ax.axvspan(first / size - width, last / size + width, color=LIMIT, alpha=0.35, linewidth=0, zorder=2,
                   label="no solution" if k == 0 else None)  # fmt: skip
    style.finish(ax, t, ylabel, 0.0)


def _small(result: Result) -> bool:
    """True where what storages hold is of the size of the clusters and not of what the slack gives."""
    if "watched_mw" not in result.quantities("system"):
        return False
    held, site, slack = (np.nanmax(np.abs(np.append(result.values("system", name)[:, 0], 0.0)))
                         for name in ("watched_mw", "cluster_mw", "slack_mw"))  # fmt: skip
    return bool(held < max(2.0 * site, 0.2 * slack))


def _alike(result: Result, one: str, two: str) -> bool:
    return np.allclose(result.values("system", one), result.values("system", two), rtol=1e-9, equal_nan=True)


def _pst(ax: Axes, result: Result, found: Course, limits: Sequence[Limit], size: float) -> None:
    for points in found.points:
        t = np.array(points.t_s) / size
        ax.plot(t, points.values, linestyle="none", marker="o", markersize=2.2, color=BLUE, label=points.name, zorder=3)
    highest = max(max(points.values) for points in found.points)
    kv = float(result.meta.get("bus_kv", {}).get(found.points[0].name.removeprefix("bus "), np.nan))
    for limit in limits:
        own = float(limit.settings.get("kv_min", 0.0)) <= kv < float(limit.settings.get("kv_max", np.inf))
        if limit.criterion == "flicker_pst" and own and limit.high is not None and highest > 0.3 * limit.high:
            ax.axhline(limit.high, color=LIMIT, linewidth=1.2, linestyle=(0, (1, 1)), label="limit")
            highest = max(highest, limit.high)
            break
    ax.set_ylim(0.0, 1.15 * max(ax.get_ylim()[1], highest))
    style.finish(ax, np.zeros(0), "Pst", 0.0)


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
