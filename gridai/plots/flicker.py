"""The figure of flicker: power of the cluster, voltage of its bus, instantaneous flicker, Pst of each period."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.errors import ResultError
from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.panels import held
from gridai.plots.style import CYCLE, LimitLine
from gridai.results import Limit, Result
from gridai.results.flickermeter import Flicker, flicker, lamp_of


def flicker_figure(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Power, voltage, P_inst and Pst over time at the clusters' buses; limits of the buses' voltage class."""
    figure, axes = style.new_figure(4, title or "Flicker", footer)
    t, settle_s = result.t_s, float(result.meta.get("flicker_settle_s", 0.0))
    for ax in axes if settle_s > 0.0 else ():
        ax.axvspan(0.0, settle_s, color=style.BAND, alpha=0.5, linewidth=0.0, zorder=0.5, label="not judged")
    for k, (name, p) in enumerate(zip(*_columns(result, "cluster", "p_mw"), strict=True)):
        style.line(axes[0], t, p, name, CYCLE[k % len(CYCLE)], width=0.9)
    style.finish(axes[0], t, "cluster power (MW)", style.power_span(result))
    lamp, (names, voltages) = lamp_of(float(result.meta["f_hz"])), _columns(result, "bus", "vm_pu")
    for k, (name, vm) in enumerate(zip(names, voltages, strict=True)):
        color = CYCLE[k % len(CYCLE)]
        style.line(axes[1], t, vm, f"bus {name}", color, width=0.9)
        found = _measured(axes[2], t, vm, lamp, settle_s)
        if found is not None:
            style.line(axes[2], found.t_s, found.p_inst, f"bus {name}, lamp {lamp}", color, width=0.9)
            _periods(axes[3], found, settle_s, f"bus {name}", color)
    style.finish(axes[1], t, "voltage (pu)", 0.002)
    axes[2].set_ylim(0.0, 1.15 * max([*_heights(axes[2]), 0.01]))
    style.finish(axes[2], t, "instantaneous\nflicker (-)", 0.0)
    axes[3].set_ylim(0.0, 1.15 * max([*_heights(axes[3]), 0.5]))
    style.finish(axes[3], t, "Pst (-)", 0.1, _limit_lines(result, limits, names))
    return figure


def _columns(result: Result, kind: str, quantity: str) -> tuple[tuple[str, ...], list[FloatArray]]:
    """Names and series of a quantity of the clusters' buses, or of all elements; none where it is not held."""
    names, values = held(result, kind, quantity)
    own = set(result.meta.get("cluster_bus", {}).values()) & set(names) if kind == "bus" else set()
    keep = [k for k, name in enumerate(names) if not own or name in own][: len(CYCLE)]
    return tuple(names[k] for k in keep), [values[:, k] for k in keep]


def _measured(ax: Axes, t: FloatArray, vm: FloatArray, lamp: str, settle_s: float) -> Flicker | None:
    """Flicker of a voltage; where its samples do not do, the axes say why."""
    try:
        return flicker(t, vm, lamp, skip_s=settle_s)
    except ResultError as error:
        ax.plot([], [], linestyle="none", label=f"not assessable: {error}")
        return None


def _periods(ax: Axes, found: Flicker, settle_s: float, label: str, color: str) -> None:
    """One level line a period, with its number written above."""
    for k, value in enumerate(found.pst):
        begin = float(found.t_s[0]) + settle_s + k * found.period_s
        ax.plot([begin, begin + found.period_s], [value, value], color=color, linewidth=2.2,
                label=label if k == 0 else None, zorder=3.0)  # fmt: skip
        ax.annotate(f"{value:.3f}", (begin + 0.5 * found.period_s, value), ha="center", va="bottom",
                    fontsize=style.SMALL, xytext=(0, 2), textcoords="offset points")  # fmt: skip


def _heights(ax: Axes) -> list[float]:
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    return [float(np.max(y)) for y in drawn if y.size]


def _limit_lines(result: Result, limits: Sequence[Limit], names: Sequence[str]) -> list[LimitLine]:
    """Limits of Pst that hold for the voltage class of a bus shown."""
    kv = result.meta.get("bus_kv", {})
    found = []
    for limit in limits:
        low, high = float(limit.settings.get("kv_min", 0.0)), float(limit.settings.get("kv_max", np.inf))
        held = not kv or any(low <= float(kv.get(name, np.nan)) < high for name in names)
        if limit.criterion == "flicker_pst" and held and limit.high is not None:
            mark = "" if limit.verified else ", unverified"
            found.append(LimitLine(limit.high, f"Pst limit {limit.high:g}{mark}"))
    return found


FIGURES: dict[str, Callable[..., Figure]] = {"flicker": flicker_figure}

__all__ = ["FIGURES", "flicker_figure"]
