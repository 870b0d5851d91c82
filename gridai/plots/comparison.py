"""The figure of a comparison: the curves that differ most, each over its reference, and their difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.style import BAND, BLACK, ORANGE
from gridai.results import Limit, Result
from gridai.results.variation import sliding_extremes


def comparison(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Run and reference of the curves that differ most, and the difference; grey: the tube around the reference."""
    drawn = result.meta.get("comparison", [])
    figure, axes = style.new_figure(max(1, 2 * len(drawn)), title or "Comparison", footer)
    if not drawn:
        style.finish(axes[0], np.zeros(0), "", 0.0)
        return figure
    for k, pair in enumerate(drawn):
        (t, ref), (u, own) = (_arrays(pair[name]) for name in ("reference", "run"))
        ax = axes[2 * k]
        if pair["height"] > 0.0:
            low, high = sliding_extremes(t, ref, t - pair["width_s"], t + pair["width_s"])
            ax.fill_between(t, low - pair["height"], high + pair["height"], color=BAND, linewidth=0, label="tube")
        who, _, quantity = pair["key"].rpartition("/")
        style.line(ax, t, ref, f"{who}: reference", BLACK, width=1.6)
        style.line(ax, u, own, f"{who}: run", ORANGE, (0, (4, 1.2)), 1.3)
        style.finish(ax, t, quantity, 1e-6)
        at = np.unique(np.concatenate([t, u]))
        style.line(axes[2 * k + 1], at, np.interp(at, u, own) - np.interp(at, t, ref), "run less reference", ORANGE)
        style.finish(axes[2 * k + 1], t, "difference", 1e-12)
    return figure


def _arrays(pair: Any) -> tuple[FloatArray, FloatArray]:
    t, x = pair
    return np.array(t, dtype=float), np.array([np.nan if v is None else v for v in x], dtype=float)


FIGURES: dict[str, Callable[..., Figure]] = {"comparison": comparison}

__all__ = ["FIGURES", "comparison"]
