"""The map of hosting capacity: every bus coloured by the largest cluster, shaped by what stops a larger one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from gridai.plots import style
from gridai.plots.style import BLACK, GREY, SMALL, TEXT
from gridai.results import Limit, Result
from gridai.results.hosting import HostingMap, hosting_of

MARKERS = "osD^vPX*<>"
COLOURS = "viridis"
NAMED = 12
"""So many buses are named on the map: those that take most and those that take least."""
ALL_NAMED = 24
"""Up to so many buses all have their name."""
NEAR = 0.03
"""No name stands nearer to another than this part of the map's width."""
SMALL_MW = 1.0
"""Where nine of ten buses take less, the scale is in kW."""


def hosting_map(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Largest cluster at each bus: colour on the map, shape by what stops a larger one; all buses in order."""
    found = hosting_of(result)
    figure = style.blank_figure(style.WIDTH_IN, 5.6, title or "Hosting capacity", footer)
    place = figure.add_axes((0.02, 0.06, 0.5, 0.84))
    order = figure.add_axes((0.7, 0.12, 0.285, 0.76))
    if found is None or not found.buses:
        for ax in (place, order):
            style.plain_axes(ax)
            style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    mw = np.array([b.mw for b in found.buses])
    factor, unit = (1e3, "kW") if float(np.quantile(mw, 0.9)) < SMALL_MW else (1.0, "MW")
    size = factor * mw
    norm = _norm(size)
    _map(place, found, size, norm)
    _ranking(order, found, size, norm, unit)
    bar = figure.colorbar(place.collections[-1], cax=figure.add_axes((0.565, 0.12, 0.014, 0.76)))
    bar.ax.tick_params(labelsize=SMALL)
    bar.ax.set_title(unit, fontsize=SMALL)
    if isinstance(norm, LogNorm):
        _plain_ticks(bar.ax.yaxis, _round_steps(norm))
    figure.text(0.02, 0.02, f"places: {found.source}", fontsize=SMALL - 0.5, color=GREY)
    return figure


def _norm(mw: np.ndarray) -> Normalize:
    """Logarithmic where the largest is more than thirty times the smallest above nought, or eight times the middle."""
    some = mw[mw > 0.0]
    low, high = (float(some.min()), float(some.max())) if len(some) else (1.0, 2.0)
    if high > 30.0 * low or high > 8.0 * max(float(np.median(mw)), low):
        return LogNorm(max(low, high / 1e3), high)
    return Normalize(0.0, high)


def _kinds(found: HostingMap) -> list[str]:
    """What binds, the most frequent first."""
    names = [b.binds for b in found.buses]
    return sorted(dict.fromkeys(names), key=lambda n: -names.count(n))


def _map(ax: Axes, found: HostingMap, mw: np.ndarray, norm: Normalize) -> None:
    for x1, y1, x2, y2 in found.edges:
        ax.plot([x1, x2], [y1, y2], color="#c4c4c4", linewidth=0.8, zorder=1)
    x, y = np.array([b.x for b in found.buses]), np.array([b.y for b in found.buses])
    size = 60.0 if len(x) <= 60 else 34.0 if len(x) <= 400 else 10.0
    least = norm.vmin or 0.0
    for k, kind in enumerate(_kinds(found)):
        own = [n for n, b in enumerate(found.buses) if b.binds == kind]
        ax.scatter(x[own], y[own], c=np.maximum(mw[own], least), cmap=COLOURS, norm=norm, s=size,
                   marker=MARKERS[k % len(MARKERS)], edgecolors=BLACK, linewidths=0.5, zorder=3)  # fmt: skip
    rank, named = np.argsort(mw), np.zeros((0, 2))
    apart = NEAR * max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    most = len(x) if len(x) <= ALL_NAMED else NAMED
    for n in dict.fromkeys([*rank[-(most // 2) :].tolist()[::-1], *rank[: most - most // 2].tolist()]):
        if len(named) and float(np.hypot(named[:, 0] - x[n], named[:, 1] - y[n]).min()) < apart:
            continue
        named = np.vstack([named, (x[n], y[n])])
        ax.annotate(found.buses[n].bus, (x[n], y[n]), xytext=(4, 4), textcoords="offset points", fontsize=SMALL - 0.5)
    ax.set_axis_off()


def _ranking(ax: Axes, found: HostingMap, mw: np.ndarray, norm: Normalize, unit: str) -> None:
    """All buses from the least to the most, each with the shape of what stops it."""
    style.plain_axes(ax)
    rank = np.argsort(mw, kind="stable")
    at = np.empty(len(rank))
    at[rank] = np.arange(1, len(rank) + 1)
    for k, kind in enumerate(_kinds(found)):
        own = [n for n, b in enumerate(found.buses) if b.binds == kind]
        ax.plot(mw[own], at[own], linestyle="none", marker=MARKERS[k % len(MARKERS)], markersize=4.0, color=BLACK,
                markerfacecolor="none", markeredgewidth=0.8, label=f"{kind} ({len(own)})")  # fmt: skip
    if isinstance(norm, LogNorm):
        # Linear below the smallest above nought, so that buses that take nothing are seen too.
        ax.set_xscale("symlog", linthresh=float(norm.vmin or 1.0), linscale=0.25)
        ax.set_xlim(left=-0.15 * float(norm.vmin or 1.0))
        _plain_ticks(ax.xaxis, [0.0, *_round_steps(norm)])
    else:
        ax.set_xlim(0.0, 1.06 * float(mw.max()) if mw.any() else 1.0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_ylim(0.4, len(rank) + 0.6)
    ax.set_xlabel(f"largest cluster ({unit})", fontsize=TEXT)
    ax.set_ylabel("buses, the smallest first", fontsize=TEXT)
    ax.legend(fontsize=SMALL, loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", title="stopped by",
              title_fontsize=SMALL)  # fmt: skip


def _round_steps(norm: Normalize) -> list[float]:
    """Round numbers within a logarithmic norm: 1, 2 and 5 times powers of ten; powers alone over three decades."""
    low, high = np.log10(float(norm.vmin or 1.0)), np.log10(float(norm.vmax or 1.0))
    parts = (1.0, 2.0, 5.0) if high - low < 2.0 else (1.0, 3.0) if high - low < 3.0 else (1.0,)
    steps = [part * 10.0**k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1) for part in parts]
    return [s for s in steps if 10.0**low <= s <= 10.0**high]


def _plain_ticks(axis: Axis, at: Sequence[float]) -> None:
    axis.set_major_locator(FixedLocator(list(at)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


FIGURES: dict[str, Callable[..., Figure]] = {"hosting_map": hosting_map}

__all__ = ["FIGURES", "hosting_map"]
