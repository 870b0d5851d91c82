"""Figures of a disturbance: machine angles and speeds, line flows, the curves around a critical clearing time.

Each takes a Result, the limits to draw, a title and a footer, as the figures of a pause do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.style import OTHERS
from gridai.results import Limit, Result
from gridai.results.measures import swings as spans
from gridai.results.stability import POLE_DEGREE, from_centre, weights

NAMED = 10
FAR_DEGREE = 720.0
"""Angles are drawn this far: a machine that has left turns on without end."""


def machines(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Angles from the centre of inertia, speeds and powers of the machines."""
    figure, axes = style.new_figure(3, title or "Machines", footer)
    names, angle = from_centre(result)
    label = "angle from centre\nof inertia (degree)"
    first = _moving(axes[0], result.t_s, names, np.degrees(angle), label, 5.0, reach=FAR_DEGREE)
    f = float(result.meta["f_hz"])
    names, speed = _held(result, "gen", "speed_pu")
    first = _moving(axes[1], result.t_s, names, f * speed, "speed (Hz)", 0.01, around=f, reach=0.1 * f, first=first)
    names, power = _held(result, "gen", "p_mw")
    _moving(axes[2], result.t_s, names, power, "power (MW)", style.power_span(result), first=first)
    return _marked(figure, axes, result)


def swings(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """What swings with a cluster: its power, and how much machine power, line flows and bus frequencies change."""
    figure, axes = style.new_figure(4, title or "Swings", footer)
    for k, (name, drawn) in enumerate(zip(*_columns(result, "cluster", "p_mw"), strict=True)):
        style.line(axes[0], result.t_s, drawn, f"{name}: drawn", *style.look(k))
    style.finish(axes[0], result.t_s, "cluster power (MW)", style.power_span(result))
    for ax, kind, quantity, label, least in (
        (axes[1], "gen", "p_mw", "change of machine\npower (MW)", style.power_span(result, 0.5)),
        (axes[2], "branch", "p_mw", "change of\nline flow (MW)", style.power_span(result, 0.5)),
        (axes[3], "bus", "f_hz", "bus frequency (Hz)", 0.004),
    ):
        names, values = _held(result, kind, quantity)
        shown = values if quantity == "f_hz" else values - values[:1]
        labels = [f"bus {name}" for name in names] if kind == "bus" else names
        _moving(ax, result.t_s, labels, shown, label, least, named=5)
    return figure


def branch_flows(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Active power of the lines and transformers whose flow changes most, and its change."""
    figure, axes = style.new_figure(2, title or "Line flows", footer)
    names, flow = _held(result, "branch", "p_mw")
    first = _moving(axes[0], result.t_s, names, flow, "flow (MW)", style.power_span(result))
    _moving(axes[1], result.t_s, names, flow - flow[:1], "change of flow (MW)", style.power_span(result), first=first)
    return _marked(figure, axes, result)


def swing_curves(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Machine angles just below and just above a critical clearing time."""
    figure, axes = style.new_figure(2, title or "Swing curves", footer)
    names, angle = from_centre(result)
    first = _moving(axes[0], result.t_s, names, np.degrees(angle), "longest stable fault:\nangle (degree)", 5.0)
    names, other = _held(result, "gen", "unstable_angle_rad")
    if names:
        weight = weights(result, names)
        other = other - (np.nan_to_num(other) * weight).sum(axis=1, keepdims=True) / weight.sum()
    label = "shortest unstable fault:\nangle (degree)"
    _moving(axes[1], result.t_s, names, np.degrees(other), label, 5.0, reach=1.2 * POLE_DEGREE, first=first)
    return _marked(figure, axes, result)


FIGURES: dict[str, Callable[..., Figure]] = {
    "machines": machines,
    "swings": swings,
    "branch_flows": branch_flows,
    "swing_curves": swing_curves,
}
"""The figures by name; each is called with (result, limits, title, footer)."""


def _held(result: Result, kind: str, quantity: str) -> tuple[tuple[str, ...], FloatArray]:
    """Names and values of a quantity; no columns where the result does not hold it."""
    if quantity not in result.quantities(kind):
        return (), np.empty((len(result.t_s), 0))
    return result.names(kind, quantity), result.values(kind, quantity)


def _columns(result: Result, kind: str, quantity: str) -> tuple[tuple[str, ...], FloatArray]:
    names, values = _held(result, kind, quantity)
    return names, values.T


def _moving(
    ax: Axes,
    t: FloatArray,
    names: Sequence[str],
    values: FloatArray,
    ylabel: str,
    least_span: float,
    named: int = NAMED,
    around: float = 0.0,
    reach: float = np.inf,
    first: Sequence[str] = (),
) -> tuple[str, ...]:
    """Lines of all elements, those that move most in colour and with their names; drawn up to `reach` from `around`.

    first  names that another panel gave a colour: they have the same one here. Returns the names with a colour.
    """
    near = np.where(np.abs(values - around) <= reach, values, np.nan)
    order = [int(k) for k in np.argsort(-np.nan_to_num(spans(values)), kind="stable")]
    chosen = [names.index(name) for name in first if name in names] or order[:named]
    for k in order:
        if k not in chosen:
            style.line(ax, t, near[:, k], None, OTHERS, width=0.7, order=2.0)
    for n, k in enumerate(chosen):
        style.line(ax, t, near[:, k], names[k], *style.look(n))
    if len(order) > len(chosen):
        ax.plot([], [], color=OTHERS, linewidth=0.7, label=f"{len(order) - len(chosen)} others")
    style.finish(ax, t, ylabel, least_span)
    return tuple(names[k] for k in chosen)


def _marked(figure: Figure, axes: Sequence[Axes], result: Result) -> Figure:
    times = sorted({event.t_s for event in result.events})
    for ax in axes:
        style.event_marks(ax, times)
    return figure


__all__ = ["FIGURES", "branch_flows", "machines", "swing_curves", "swings"]
