"""The figure of sizes: power at the meter without and with the smallest remedies, and the battery's charge.

Takes the Result of the study `size`: cluster p_mw by remedy, stored_mj of the battery; meta: window_s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.panels import held
from gridai.plots.style import GREY
from gridai.results import Limit, Result


def smallest_remedies(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Smallest remedies: power at the meter over the last periods, what the battery gives, and its charge."""
    if "window_s" not in result.meta:
        figure, axes = style.new_figure(1, title or "Smallest remedies", footer)
        style.finish(axes[0], np.zeros(0), "power (MW)", 0.0)
        return figure
    figure, axes = style.new_figure(3, title or "Smallest remedies", footer)
    begin, end = result.meta.get("window_s", (result.t_s[0], result.t_s[-1]))
    inside = (result.t_s >= begin - 1e-9) & (result.t_s <= end + 1e-9)
    t = result.t_s[inside]
    names, p = held(result, "cluster", "p_mw")
    for k, name in enumerate(names):
        color, dash = (GREY, "-") if k == 0 else style.look(k - 1)
        style.line(axes[0], t, p[inside, k], "no remedy" if k == 0 else name, color, dash)
    style.finish(axes[0], t, "power at the meter (MW)", style.power_span(result))
    if {"none", "battery"} <= set(names):
        given = p[inside, names.index("none")] - p[inside, names.index("battery")]
        style.line(axes[1], t, given, "battery gives", style.BLUE)
    style.finish(axes[1], t, "battery power (MW)", style.power_span(result, 0.1))
    stored_by, stored = held(result, "cluster", "stored_mj")
    for k, name in enumerate(stored_by):
        style.line(axes[2], t, stored[inside, k], f"{name}, above its lowest charge", style.BLUE)
    style.finish(axes[2], np.asarray(t), "energy stored (MJ)", 0.1)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"sizes": smallest_remedies}
