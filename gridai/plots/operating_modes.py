"""The figure of a study of operating modes: how many are accepted by season and share, and what rejects the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gridai.plots import style
from gridai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, SMALL, TEXT, VERMILION
from gridai.results import Limit, Result

COLOURS = {"accepted": GREEN, "short of generation": BLACK, "too much renewables": SKY, "no solution": VERMILION,
           "slack": PURPLE, "loading": ORANGE, "voltage": BLUE}  # fmt: skip
HATCHES = {"accepted": "", "short of generation": "", "too much renewables": "..", "no solution": "xx", "slack": "\\\\",
           "loading": "//", "voltage": "--"}  # fmt: skip
MOST = 60


def operating_modes(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Modes accepted, and those rejected by reason, for each season and share of renewables."""
    groups: Mapping[str, Mapping[str, int]] = result.meta.get("operating_modes", {})
    names = list(groups)[:MOST]
    height = max(3.6, 1.3 + 0.22 * len(names))
    figure = style.blank_figure(style.WIDTH_IN, height, title or "Operating modes", footer)
    ax = figure.add_axes((0.17, 0.65 / height, 0.57, 1.0 - 1.2 / height))
    style.plain_axes(ax)
    if not names:
        style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    left = np.zeros(len(names))
    place = np.arange(len(names))
    for kind, color in COLOURS.items():
        counts = np.array([groups[n].get(kind, 0) for n in names], dtype=float)
        if counts.any():
            ax.barh(place, counts, left=left, color=color, height=0.75, label=f"{kind} ({counts.sum():,.0f})",
                    hatch=HATCHES[kind], edgecolor="white", linewidth=0.3)  # fmt: skip
            left += counts
    ax.set_yticks(place, names, fontsize=SMALL)
    ax.invert_yaxis()
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("operating modes", fontsize=TEXT)
    ax.set_title("season, renewables in % of the load", fontsize=SMALL, loc="left")
    style.legend(ax)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"operating_modes": operating_modes}

__all__ = ["FIGURES", "operating_modes"]
