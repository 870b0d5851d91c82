"""Figures of ride-through: the load by what it does, with frequency and the voltages of the clusters' buses below.

Each takes a Result, the limits to draw, and a title, as those of plots/pause.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.panels import event_times, held, named_lines, roles
from gridai.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from gridai.results import Limit, Result
from gridai.results.ride_through import changes, groups_of, load_by_state

COLORS = {
    "normal": "#d9e8f3", "online": SKY, "walking in": GREEN, "on battery": ORANGE, "latched": PURPLE,
    "on generator": "#9c6b98", "off": "#555555", "bypass": "#b7a36b",
}  # fmt: skip


def ride_through(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Load by state, frequency of the centre of inertia, voltages of the clusters' buses, one above the other."""
    figure, axes = style.new_figure(3, title or "Ride-through", footer)
    for ax, draw in zip(axes, (_states, _frequency, _voltages), strict=True):
        style.event_marks(ax, event_times(result))
        draw(ax, result)
    return figure


def departures(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """When each group left and came back: one row a group, coloured by what it does."""
    figure, axes = style.new_figure(1, title or "Groups", footer)
    ax, names = axes[0], groups_of(result)
    if not names:
        style.finish(ax, result.t_s, "groups", 1.0)
        return figure
    end = float(result.t_s[-1])
    last: dict[str, tuple[float, str]] = {name: (float(result.t_s[0]), "normal") for name in names}
    bars: dict[str, list[tuple[int, float, float]]] = {}
    for c in changes(result):
        begin, state = last[c.group]
        bars.setdefault(state, []).append((names.index(c.group), begin, c.t_s))
        last[c.group] = (c.t_s, c.after)
    for k, name in enumerate(names):
        bars.setdefault(last[name][1], []).append((k, last[name][0], end))
    for state, rows in bars.items():
        at, begins, ends = (np.array(x) for x in zip(*rows, strict=True))
        ax.barh(at, ends - begins, left=begins, height=1.0, color=COLORS[state], label=state, linewidth=0)
    style.finish(ax, result.t_s, f"{len(names)} groups", 1.0)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"ride_through": ride_through, "departures": departures}
"""The figures of ride-through by name; each is called with (result, limits, title, footer)."""


def _states(ax: Axes, result: Result) -> None:
    if "mode" in result.quantities("ups"):
        states = load_by_state(result)
        order = [name for name in COLORS if name in states]
        floor = np.zeros(len(result.t_s))
        for name in order:
            top: FloatArray = floor + states[name]
            ax.fill_between(result.t_s, floor, top, color=COLORS[name], linewidth=0, label=name, zorder=2.0)
            floor = top
        drawn = result.values("cluster", "p_mw").sum(axis=1)
        style.line(ax, result.t_s, drawn, "drawn from the grid", BLACK, width=1.0)
    ax.set_ymargin(0.02)
    style.finish(ax, result.t_s, "load of the clusters (MW)", 1.0)


def _frequency(ax: Axes, result: Result) -> None:
    if result.meta.get("inertia_mws") and "f_hz" in result.quantities("system"):
        f = result.series("system", "COI", "f_hz")
        style.line(ax, result.t_s, f, "centre of inertia", BLUE, width=1.5)
        top = int(np.nanargmax(f))
        ax.plot([result.t_s[top]], [f[top]], marker="o", color=GREY, markersize=4, linestyle="none",
                label=f"highest {f[top]:.4f} Hz at {result.t_s[top]:.1f} s")  # fmt: skip
    style.finish(ax, result.t_s, "frequency (Hz)", 0.01)


def _voltages(ax: Axes, result: Result) -> None:
    names, vm = held(result, "bus", "vm_pu")
    own = [names.index(b) for b in sorted(set(result.meta.get("cluster_bus", {}).values())) if b in names]
    style.band(ax, result.t_s, vm[:, own], f"{len(own)} buses with clusters")
    kept, seen = [names[k] for k in own], vm[:, own]
    named_lines(ax, result.t_s, seen, roles(result, kept, seen, "highest", "lowest"))
    style.finish(ax, result.t_s, "voltage (pu)", 0.02)


__all__ = ["FIGURES", "departures", "ride_through"]
