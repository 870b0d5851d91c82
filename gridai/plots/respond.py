"""The figure of fast response: frequency without and with it, the power taken off, and help and harm against delay.

Takes the Result of the study `respond`: system f_hz of "without" and "with", load relief_mw; meta: respond (the sweep).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.panels import event_times, held
from gridai.plots.style import BLUE, GREEN, GREY, TEXT, VERMILION
from gridai.results import Limit, Result

SWEPT = (
    ("gained_mhz", "nadir gained (mHz)"),
    ("swing", "machine swing, times that without"),
    ("hunting_mhz", "hunting after a small step (mHz)"),
)


def response_to_frequency(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Fast response: frequency after the loss, power taken off, and what each delay does; crosses mark harm."""
    if "respond" not in result.meta:
        figure, axes = style.new_figure(1, title or "Fast response", footer)
        style.finish(axes[0], np.zeros(0), "frequency (Hz)", 0.0)
        return figure
    height = 8.6
    figure = style.blank_figure(style.WIDTH_IN, height, title or "Fast response", footer)
    grid = figure.add_gridspec(3, 3, left=0.09, right=0.97, top=0.93, bottom=0.075, hspace=0.4, wspace=0.42,
                               height_ratios=(1.2, 0.8, 1.1))  # fmt: skip
    top, power = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, :])
    names, f = held(result, "system", "f_hz")
    for ax in (top, power):
        style.plain_axes(ax)
        style.event_marks(ax, event_times(result))
    for k, name in enumerate(names):
        label, color = ("without", GREY) if name == "without" else ("with the cluster's answer", BLUE)
        style.line(top, result.t_s, f[:, k], label, color)
    loads, relief = held(result, "load", "relief_mw")
    for k, name in enumerate(loads):
        style.line(power, result.t_s, relief[:, k], f"{name}: power taken off", GREEN)
    for ax, label in ((top, "frequency (Hz)"), (power, "power taken off (MW)")):
        ax.set_ylabel(label, fontsize=TEXT)
        ax.set_xlim(float(result.t_s[0]), float(result.t_s[-1]))
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=style.SMALL, frameon=False, loc="lower right")
    power.set_xlabel("time (s)", fontsize=TEXT)
    rows: list[dict[str, Any]] = list(result.meta.get("respond", ()))
    for k, (key, label) in enumerate(SWEPT):
        _against_delay(figure.add_subplot(grid[2, k]), rows, key, label, float(result.meta.get("droop_hz", np.nan)), k)
    return figure


def _against_delay(ax: Axes, rows: Sequence[dict[str, Any]], key: str, label: str, droop_hz: float, place: int) -> None:
    """One quantity against the delay, one line a droop; a cross where it harms."""
    style.plain_axes(ax)
    for n, steeper in enumerate(dict.fromkeys(row["steeper"] for row in rows)):
        own = [row for row in rows if row["steeper"] == steeper]
        x, y = [row["delay_s"] for row in own], [row[key] for row in own]
        color, dash = style.look(n)
        ax.plot(
            x,
            y,
            color=color,
            linestyle=dash,
            marker="o",
            markersize=3.5,
            label=f"droop over {droop_hz / steeper:.3g} Hz",
        )
        bad = [k for k, row in enumerate(own) if row["harm"]]
        ax.plot([x[k] for k in bad], [y[k] for k in bad], color=VERMILION, linestyle="none", marker="x", markersize=8,
                label="harms" if n == 0 else None, zorder=5)  # fmt: skip
    ax.axhline(1.0 if key == "swing" else 0.0, color=GREY, linewidth=0.8)
    ax.set_xlabel("delay (s)", fontsize=TEXT)
    ax.set_ylabel(label, fontsize=style.SMALL + 0.5)
    if place == 0 and rows:
        ax.legend(fontsize=style.SMALL - 1, frameon=False)


FIGURES: dict[str, Callable[..., Figure]] = {"respond": response_to_frequency}
