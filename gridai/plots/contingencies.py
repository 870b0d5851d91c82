"""The figure of a study of contingencies: the worst loading and voltages of all outages, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gridai.plots import style
from gridai.plots.style import BLUE, GREEN, LIMIT, ORANGE, TEXT, LimitLine
from gridai.results import Limit, Result
from gridai.results.contingencies import ranked_of


def contingencies(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Highest loading, lowest and highest voltage of every outage, each from the worst outage to the mildest."""
    found = ranked_of(result)
    figure = style.blank_figure(style.WIDTH_IN, 5.8, title or "Contingencies", footer)
    axes = [figure.add_axes((0.09, 0.555, 0.645, 0.35)), figure.add_axes((0.09, 0.1, 0.645, 0.35))]
    for ax in axes:
        style.plain_axes(ax)
    if found is None:
        for ax in axes:
            style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    top, low = axes
    marker: dict[str, Any] = {"marker": ".", "markersize": 4.0, "linewidth": 1.1}
    top.plot(found.rank, found.percent, color=BLUE, label="highest loading", **marker)
    top.axhline(100.0, color=LIMIT, linewidth=1.5, linestyle=(0, (1, 1)), label="rating")
    top.plot([], [], linestyle="none", label=f"{found.total:,} outages: {found.unsolved:,} without a solution, "
             f"{found.split:,} cut buses off")  # fmt: skip
    low.plot(found.rank, found.vm_low, color=ORANGE, label="lowest voltage", **marker)
    low.plot(found.rank, found.vm_high, color=GREEN, label="highest voltage", **marker)
    lines = [LimitLine(v, f"{v:g} pu, {x.profile}") for x in limits for v in (x.low, x.high) if v is not None]
    style.finish(top, np.zeros(0), "loading (%)", 5.0)
    style.finish(low, np.zeros(0), "voltage (pu)", 0.01, lines)
    for ax in axes:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    low.set_xlabel("outages, the worst first", fontsize=TEXT)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"contingencies": contingencies}

__all__ = ["FIGURES", "contingencies"]
