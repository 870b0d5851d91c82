"""Figures of ride-through: the load by what it does, with frequency and the voltages of the clusters' buses below.

Each takes a Result, the limits to draw, and a title, as those of plots/pause.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.decimate import FloatArray, decimate
from gridai.plots.panels import event_times, held, named_lines, roles
from gridai.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from gridai.results import Limit, Result
from gridai.results.ride_through import changes, cluster_of, groups_of, load_by_state

COLORS = {
    "normal": "#d9e8f3", "online": SKY, "walking in": GREEN, "on battery": ORANGE, "latched": PURPLE,
    "on generator": "#9c6b98", "off": "#555555", "bypass": "#b7a36b",
}  # fmt: skip

LEAST_HZ = 0.01


def ride_through(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Load by state, frequency (of the centre of inertia, else at the clusters' buses), voltages of these buses."""
    panels = (_states, _frequency, _voltages) if _frequencies(result) else (_states, _voltages)
    figure, axes = style.new_figure(len(panels), title or "Ride-through", footer)
    for ax, draw in zip(axes, panels, strict=True):
        style.event_marks(ax, event_times(result))
        draw(ax, result)
    return figure


def departures(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """When each group left and came back: a row each, in blocks of clusters, or of classes for one cluster."""
    figure, axes = style.new_figure(1, title or "Groups", footer)
    ax, names = axes[0], groups_of(result)
    style.event_marks(ax, event_times(result))
    end = float(result.t_s[-1])
    last: dict[str, tuple[float, str]] = {name: (float(result.t_s[0]), "normal") for name in names}
    bars: dict[str, list[tuple[int, float, float]]] = {}
    places = {name: k for k, name in enumerate(names)}
    for c in changes(result):
        begin, state = last[c.group]
        bars.setdefault(state, []).append((places[c.group], begin, c.t_s))
        last[c.group] = (c.t_s, c.after)
    for k, name in enumerate(names):
        bars.setdefault(last[name][1], []).append((k, last[name][0], end))
    for state in (name for name in COLORS if name in bars):
        at, begins, ends = (np.array(x) for x in zip(*bars[state], strict=True))
        ax.barh(at, ends - begins, left=begins, height=1.0, color=COLORS[state], label=state, linewidth=0)
    owners = [cluster_of(name) for name in names]
    single = len(set(owners)) < 2
    blocks = [name.rpartition("/")[2].rstrip("0123456789") for name in names] if single else owners
    style.finish(ax, result.t_s, f"{len(names)} groups by {'class' if single else 'cluster'}", 1.0)
    _name_blocks(ax, blocks)
    return figure


def _name_blocks(ax: Axes, owners: Sequence[str]) -> None:
    """The blocks' names beside their rows, the first on top, a line between two."""
    if not owners:
        return
    firsts = [k for k, owner in enumerate(owners) if k == 0 or owner != owners[k - 1]]
    ends = [*firsts[1:], len(owners)]
    ax.set_yticks([(a + b - 1) / 2.0 for a, b in zip(firsts, ends, strict=True)], [owners[k] for k in firsts])
    ax.grid(visible=False, axis="y")
    for k in firsts:
        ax.axhline(k - 0.5, color=GREY, linewidth=0.6)
    ax.set_ylim(len(owners) - 0.5, -0.5)


FIGURES: dict[str, Callable[..., Figure]] = {"ride_through": ride_through, "departures": departures}
"""The figures of ride-through by name; each is called with (result, limits, title, footer)."""


def _states(ax: Axes, result: Result) -> None:
    if "mode" in result.quantities("ups"):
        states = load_by_state(result)
        order = [name for name in COLORS if name in states]
        floor, below = np.zeros(len(result.t_s)), (result.t_s[[0, -1]], np.zeros(2))
        for name in order:
            floor = floor + states[name]
            # Every edge has its own few points: one polygon from the lower to the upper.
            edge = decimate(result.t_s, floor)
            t, p = (np.concatenate([edge[k], below[k][::-1]]) for k in (0, 1))
            ax.fill(t, p, color=COLORS[name], linewidth=0, label=name, zorder=2.0)
            below = edge
    elif "p_demand_mw" in result.quantities("cluster"):
        wanted = result.values("cluster", "p_demand_mw").sum(axis=1)
        style.line(ax, result.t_s, wanted, "asked for by the load", GREY, "dashed", width=1.0)
    if "p_mw" in result.quantities("cluster"):
        drawn = result.values("cluster", "p_mw").sum(axis=1)
        style.line(ax, result.t_s, drawn, "drawn from the grid", BLACK, width=1.0)
    ax.set_ymargin(0.02)
    style.finish(ax, result.t_s, "load of the clusters (MW)", style.power_span(result))


def _cluster_buses(result: Result, known: Sequence[str]) -> list[str]:
    return [b for b in sorted(set(result.meta.get("cluster_bus", {}).values())) if b in known]


def _frequencies(result: Result) -> dict[str, FloatArray]:
    """The centre of inertia, or without any inertia the clusters' buses; empty where nothing is recorded."""
    if result.meta.get("inertia_mws") and "f_hz" in result.quantities("system"):
        return {"centre of inertia": result.series("system", "COI", "f_hz")}
    if "f_hz" not in result.quantities("bus"):
        return {}
    buses = _cluster_buses(result, result.names("bus", "f_hz"))
    found = {f"bus {b}": result.series("bus", b, "f_hz") for b in buses}
    return {name: f for name, f in found.items() if not np.isnan(f).all()}


def _frequency(ax: Axes, result: Result) -> None:
    for n, (name, f) in enumerate(_frequencies(result).items()):
        color, dash = (BLUE, "solid") if n == 0 else style.look(n)
        style.line(ax, result.t_s, f, name, color, dash, width=1.5)
        if np.nanmax(f) - np.nanmin(f) < LEAST_HZ:
            ax.set_ylim(float(f[0]) - LEAST_HZ, float(f[0]) + LEAST_HZ)
        elif n == 0:
            nominal = float(result.meta.get("f_hz", f[0]))
            k = int(np.nanargmax(np.abs(f - nominal)))
            word = "highest" if f[k] >= nominal else "lowest"
            ax.plot([result.t_s[k]], [f[k]], marker="o", color=GREY, markersize=4, linestyle="none",
                    label=f"{word} {f[k]:.4f} Hz at {result.t_s[k]:.1f} s")  # fmt: skip
    style.finish(ax, result.t_s, "frequency (Hz)", LEAST_HZ)


def _voltages(ax: Axes, result: Result) -> None:
    names, vm = held(result, "bus", "vm_pu")
    kept = _cluster_buses(result, names)
    seen = vm[:, [names.index(b) for b in kept]]
    if len(kept) == 1:
        style.line(ax, result.t_s, seen[:, 0], f"bus {kept[0]}", BLUE)
    else:
        style.band(ax, result.t_s, seen, f"{len(kept)} buses with clusters")
        named_lines(ax, result.t_s, seen, roles(result, kept, seen, "highest", "lowest"))
    style.finish(ax, result.t_s, "voltage (pu)", 0.02)


__all__ = ["FIGURES", "departures", "ride_through"]
