"""The figure of regulation: a signal and what each actuator makes of it, an hour of frequency with and without.

Takes the Result of the study `regulate`: cluster order_mw of "signal" and the actuators, system f_hz and cluster p_mw
of "units alone" and "with the cluster"; meta: held_s, scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.panels import held
from gridai.plots.style import BLACK, BLUE, GREY
from gridai.results import Limit, Result


def regulation(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Regulation: signal and responses with scores, frequency over the hour, how long how far off, the cluster."""
    if "scores" not in result.meta:
        figure, axes = style.new_figure(1, title or "Regulation", footer)
        style.finish(axes[0], np.zeros(0), "power (MW)", 0.0)
        return figure
    height = 11.2
    figure = style.blank_figure(style.WIDTH_IN, height, title or "Regulation", footer)
    grid = figure.add_gridspec(4, 1, left=0.09, right=0.735, top=0.93, bottom=0.065, hspace=0.36)
    first, second, spread, third = (figure.add_subplot(grid[k, 0]) for k in range(4))
    for ax in (first, second, spread, third):
        style.plain_axes(ax)
    inside = result.t_s <= float(result.meta.get("held_s", result.t_s[-1]))
    t = result.t_s[inside]
    names, moved = held(result, "cluster", "order_mw")
    scores = result.meta.get("scores", {})
    for k, name in enumerate(names):
        color, dash = (BLACK, "-") if name == "signal" else style.look(k - 1)
        label = "signal" if name == "signal" else f"{name}, score {scores.get(name, float('nan')):.3f}"
        style.line(first, t, moved[inside, k], label, color, dash, 1.0)
    style.finish(first, t, "power about the base (MW)", 1.0)
    for ax, kind, quantity, label in (
        (second, "system", "f_hz", "frequency (Hz)"),
        (third, "cluster", "p_mw", "cluster (MW)"),
    ):
        found, values = held(result, kind, quantity)
        for k, name in enumerate(found):
            style.line(ax, result.t_s, values[:, k], name, GREY if k == 0 else BLUE, "-", 0.8)
        style.finish(ax, result.t_s, label, 0.01)
    found, f = held(result, "system", "f_hz")
    for k, name in enumerate(found):
        away = np.sort(1e3 * np.abs(f[np.isfinite(f[:, k]), k] - float(result.meta["f_hz"])))[::-1]
        style.line(spread, 100.0 * np.arange(len(away)) / max(1, len(away) - 1), away, name, GREY if k == 0 else BLUE)
    style.finish(spread, np.array([0.0, 100.0]), "deviation exceeded (mHz)", 0.1)
    spread.set_xlabel("part of the hour (%)", fontsize=style.TEXT)
    third.set_xlabel("time (s)", fontsize=style.TEXT)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"regulate": regulation}
