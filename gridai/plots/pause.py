"""Figures of a training pause: frequency, cluster power, generator power, and these with voltages in one.

Each takes a Result, the limits to draw, and a title; the same functions draw the panels of the overview.
`result.meta["cluster_bus"]` (bus by cluster) names the clusters' buses, `result.meta["bus_kv"]` the voltage classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.bus_voltages import voltage
from gridai.plots.panels import event_times, held, limit_lines, named_lines, roles
from gridai.plots.style import BLACK, OTHERS
from gridai.results import Limit, Result
from gridai.results.measures import swings
from gridai.units import power_text

MOVERS = 5


def frequency(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Frequency of the centre of inertia, envelope of all buses, the clusters' buses and the two extreme ones."""
    return _single(_frequency, result, limits, title or "Frequency", footer)


def cluster_power(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Power of each cluster at the meter: what it asks for and what it draws."""
    return _single(_cluster, result, limits, title or "Cluster power", footer)


def generator_power(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Change of the generators' power since the start; the largest movers named."""
    return _single(_generators, result, limits, title or "Generator power", footer)


def overview(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Cluster power, frequency, voltages and generator power, one above the other over one time axis."""
    figure, axes = style.new_figure(4, title or "Overview", footer)
    for ax, draw in zip(axes, (_cluster, _frequency, voltage, _generators), strict=True):
        draw(ax, result, limits)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {
    "overview": overview,
    "frequency": frequency,
    "cluster_power": cluster_power,
    "generator_power": generator_power,
}
"""The figures of a pause by name; each is called with (result, limits, title, footer)."""

Draw = Callable[[Axes, Result, Sequence[Limit]], None]


def _single(draw: Draw, result: Result, limits: Sequence[Limit], title: str, footer: str) -> Figure:
    figure, axes = style.new_figure(1, title, footer)
    draw(axes[0], result, limits)
    return figure


def _frequency(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, f) = result.t_s, held(result, "bus", "f_hz")
    style.band(ax, t, f, f"all {len(names)} buses")
    named_lines(ax, t, f, roles(result, names, f, "highest", "lowest"))
    for coi in held(result, "system", "f_hz")[1].T:
        style.line(ax, t, coi, "centre of inertia", BLACK, width=1.8, order=3.5)
    style.event_marks(ax, event_times(result))
    kinds = ("frequency_nadir", "frequency_zenith", "settling_frequency")
    style.finish(ax, t, "frequency (Hz)", 0.004, limit_lines(limits, kinds, "Hz"))


def _cluster(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, drawn) = result.t_s, held(result, "cluster", "p_mw")
    asked = result.quantities("cluster")
    buses = result.meta.get("cluster_bus", {})
    for k, name in enumerate(names):
        at = f" at bus {buses[name]}" if name in buses else ""
        if "p_demand_mw" in asked and name in result.names("cluster", "p_demand_mw"):
            demand = result.series("cluster", name, "p_demand_mw")
            label = (f"{name}: demand" if len(names) == 1 else "demand of each") if k == 0 else None
            style.line(ax, t, demand, label, BLACK, (0, (3, 2)), 0.9, 3.2)
        color, dash = style.look(k)
        style.line(ax, t, drawn[:, k], f"{name}{at}: drawn", color, dash, width=1.5)
    style.event_marks(ax, event_times(result))
    ax.set_ymargin(0.08)
    style.finish(ax, t, "cluster power (MW)", style.power_span(result))


def _generators(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, p) = result.t_s, held(result, "gen", "p_mw")
    change = p - p[:1]
    order = np.argsort(-np.nan_to_num(swings(change)), kind="stable")
    for k in order[MOVERS:]:
        style.line(ax, t, change[:, k], None, OTHERS, width=0.8, order=2.0)
    for n, k in enumerate(order[:MOVERS]):
        style.line(ax, t, change[:, k], f"{names[k]} (from {power_text(float(p[0, k]))})", *style.look(n))
    if len(order) > MOVERS:
        ax.plot([], [], color=OTHERS, linewidth=0.8, label=f"{len(order) - MOVERS} others")
    style.event_marks(ax, event_times(result))
    style.finish(ax, t, "change of\ngenerator power (MW)", style.power_span(result))


__all__ = ["FIGURES", "cluster_power", "frequency", "generator_power", "overview"]
