"""The figure of a study of unbalance: the three phases along the feeder, and how far they are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.style import BLUE, GREEN, GREY, ORANGE, TEXT, LimitLine
from gridai.results import Limit, Result
from gridai.results.phases import PhaseProfile, phases_of

COLOURS = (BLUE, ORANGE, GREEN)
NAMES = (("phase a", "phase b", "phase c"), ("between a and b", "between b and c", "between c and a"))


def unbalance(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Voltage of the three phases, and their unbalance factor, at every bus against its distance from the source."""
    found = phases_of(result)
    figure = style.blank_figure(style.WIDTH_IN, 6.2, title or "Unbalance", footer)
    top = figure.add_axes((0.09, 0.47, 0.645, 0.45))
    low = figure.add_axes((0.09, 0.09, 0.645, 0.3), sharex=top)
    style.plain_axes(top, last=False)
    style.plain_axes(low)
    if found is None:
        for ax in (top, low):
            style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    for k in range(3):
        _feeder(top, found, found.vm[k], COLOURS[k], NAMES[found.between][k])
    _feeder(low, found, found.unbalance, GREY, "at each bus")
    _clusters(top, found, found.vm)
    _clusters(low, found, (found.unbalance,))
    if found.moment:
        top.plot([], [], linestyle="none", label=found.moment)
    style.finish(top, np.zeros(0), "voltage (pu)", 0.01, _voltage_lines(limits))
    low.set_ylim(0.0, max(1.15 * max((x for x in found.unbalance if x == x), default=0.1), 0.1))
    style.finish(low, np.zeros(0), "negative over positive\nsequence voltage (%)", 0.1, _unbalance_lines(limits))
    low.set_ylim(bottom=0.0)
    low.set_xlabel("distance from the source along the lines (km)", fontsize=TEXT)
    far = max((x for x in found.km if x == x), default=1.0)
    low.set_xlim(-0.02 * far, 1.02 * far if far > 0 else 1.0)
    return figure


def _feeder(ax: Axes, found: PhaseProfile, values: Sequence[float], color: str, label: str) -> None:
    """A point at each bus, and the lines between them."""
    km, y = np.array(found.km), np.array(values)
    pieces: Any = [((km[f], y[f]), (km[t], y[t])) for f, t in found.edges]
    ax.add_collection(LineCollection(pieces, colors=color, linewidths=0.9, alpha=0.55, zorder=2.0))
    many = len(km) > 120
    ax.plot(km, y, linestyle="none", marker=".", markersize=2.5 if many else 6.0, color=color, label=label, zorder=3.0)


def _clusters(ax: Axes, found: PhaseProfile, rows: Sequence[Sequence[float]]) -> None:
    """A ring where clusters stand."""
    for n, k in enumerate(found.cluster):
        ax.plot([found.km[k]] * len(rows), [row[k] for row in rows], linestyle="none", marker="o", markersize=9.0,
                markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.2, zorder=4.0,
                label="bus of a cluster" if n == 0 else None)  # fmt: skip


def unbalance_day(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Lowest and highest phase voltage and the largest unbalance of all buses, over the day."""
    figure = style.blank_figure(style.WIDTH_IN, 5.4, title or "Unbalance over the day", footer)
    axes = [figure.add_axes((0.09, 0.55, 0.645, 0.36)), figure.add_axes((0.09, 0.1, 0.645, 0.36))]
    for ax in axes:
        style.plain_axes(ax, last=ax is axes[1])
    data: Any = result.meta.get("phases_day")
    hours = np.asarray(result.t_s) / 3600.0
    if data is not None:
        for key, label, color in (
            ("vm_low", "lowest of all phases", BLUE),
            ("vm_high", "highest of all phases", ORANGE),
        ):
            style.line(axes[0], hours, _numbers(data[key]), label, color)
        style.line(axes[1], hours, _numbers(data["unbalance"]), "largest of all buses", GREY)
    style.finish(axes[0], hours, "voltage (pu)", 0.01, _voltage_lines(limits))
    style.finish(axes[1], hours, "negative over positive\nsequence voltage (%)", 0.1, _unbalance_lines(limits))
    axes[1].set_ylim(bottom=0.0)
    axes[1].set_xlabel("time (h)", fontsize=TEXT)
    return figure


def _numbers(values: Sequence[float | None]) -> Any:
    return np.array([np.nan if x is None else x for x in values], dtype=float)


def _voltage_lines(limits: Sequence[Limit]) -> list[LimitLine]:
    return [LimitLine(v, f"{v:g} pu, {x.profile}") for x in limits if x.criterion == "steady_voltage"
            for v in (x.low, x.high) if v is not None]  # fmt: skip


def _unbalance_lines(limits: Sequence[Limit]) -> list[LimitLine]:
    return [LimitLine(x.high, f"{x.high:g} %, {x.profile}") for x in limits
            if x.criterion == "voltage_unbalance" and x.high is not None]  # fmt: skip


FIGURES: dict[str, Callable[..., Figure]] = {"unbalance": unbalance, "unbalance_day": unbalance_day}

__all__ = ["FIGURES", "unbalance", "unbalance_day"]
