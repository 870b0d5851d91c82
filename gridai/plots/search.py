"""Figures of limit searches: room left against the searched quantity, and the limit against another quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gridai.plots import style
from gridai.plots.style import BAND, BLACK, BLUE, CYCLE, DASHES, LIMIT, TEXT, LimitLine
from gridai.results import Limit, Result
from gridai.results.searches import SearchCurve, SearchPoint, SearchRecord, curve_of, search_of

NAMED = 5
SHOWN_ROOM = (-60.0, 100.0)
"""Rooms drawn at most, in %; points beyond stand at the edge as open triangles."""


def search_margin(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Room left of each criterion at the values tried; below zero a limit is violated."""
    record = search_of(result)
    figure, ax = _one_panel(title or "Limit search", footer)
    if record is None:
        style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    low, high = _span(record)
    _curves(ax, record, low, high, limits)
    _marks(ax, record.points, low, high)
    _edge(ax, record)
    ax.axhline(0.0, color=LIMIT, linewidth=1.4, linestyle=(0, (1, 1)), label="limit", zorder=2.5)
    ax.set_ylim(low - 0.04 * (high - low), high + 0.06 * (high - low))
    values = [p.value for p in record.points]
    _range(ax, min(values), max(values), record.beyond)
    ax.set_xlabel(_axis(record.label, record.unit), fontsize=TEXT)
    ax.set_ylabel("room left, % of the way\nfrom undisturbed to limit", fontsize=TEXT)
    style.legend(ax)
    return figure


def search_curve(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """The limit against another quantity: inertia, frequency. Grey: does not pass."""
    curve = curve_of(result)
    figure, ax = _one_panel(_curve_title(curve, title), footer)
    if curve is None:
        style.finish(ax, np.zeros(0), "", 0.0)
        return figure
    x, limit, beyond = (np.array(c, dtype=float) for c in (curve.x, curve.limit, curve.beyond))
    known = np.isfinite(limit)
    top = float(np.nanmax([*limit, *beyond, 1e-9]))
    ax.plot(x[known], limit[known], color=BLUE, linewidth=1.5, zorder=3)
    if np.isfinite(beyond).any():
        ax.fill_between(x, np.where(np.isfinite(beyond), beyond, np.nan), 1.15 * top, color=BAND, alpha=0.5,
                        linewidth=0, label="does not pass")  # fmt: skip
    names = list(dict.fromkeys(curve.criterion))
    for n, name in enumerate(names):
        own = [k for k in range(len(x)) if known[k] and curve.criterion[k] == name and curve.end[k] == "found"]
        if own:
            ax.plot(x[own], limit[own], linestyle="none", marker="os^Dv"[n % 5], markersize=6, color=CYCLE[n % 5],
                    label=f"binds: {in_words(name, limits)}", zorder=4)  # fmt: skip
    for end, marker, label in (("passes all", "^", "bracket passes whole"), ("fails at once", "x", "fails at once")):
        own = [k for k in range(len(x)) if curve.end[k] == end]
        if own:
            y = np.where(np.isfinite(limit), limit, 0.0)[own]
            ax.plot(x[own], y, linestyle="none", marker=marker, markersize=7, color=BLACK, fillstyle="none",
                    label=label, zorder=5)  # fmt: skip
    ax.set_ylim(0.0, 1.15 * top)
    ax.set_xlabel(_axis(curve.x_label, curve.x_unit), fontsize=TEXT)
    ax.set_ylabel(_axis(f"largest {curve.label}", curve.unit), fontsize=TEXT)
    style.legend(ax)
    return figure


def _one_panel(title: str, footer: str) -> tuple[Figure, Axes]:
    figure = style.blank_figure(style.WIDTH_IN, 4.4, title, footer)
    ax = figure.add_subplot(1, 1, 1)
    figure.subplots_adjust(left=0.1, right=0.7, top=0.88, bottom=0.13)
    style.plain_axes(ax)
    return figure, ax


def _range(ax: Axes, first: float, last: float, edge: float) -> None:
    """The x axis: logarithmic where the edge would stand in the lowest tenth of it."""
    if first > 0.0 and edge - first < 0.1 * (last - first):
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        ax.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: ""))
        ax.set_xlim(first / 1.05, last * 1.05)
        return
    pad = 0.02 * ((last - first) or 1.0)
    ax.set_xlim(first - pad, last + pad)


def _curve_title(curve: SearchCurve | None, title: str) -> str:
    """Case, and what stands against what: the report's title names one of the searches only."""
    if curve is None:
        return title or "Limit against another quantity"
    return f"{title.partition(':')[0] + ': ' if ':' in title else ''}largest {curve.label} against {curve.x_label}"


def _axis(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label


def _span(record: SearchRecord) -> tuple[float, float]:
    """The rooms drawn: the ones that bind, and zero."""
    rooms = [p.room for p in record.points if np.isfinite(p.room)]
    shown = [r for p in record.points for r in p.rooms.values() if np.isfinite(r)]
    low = max(SHOWN_ROOM[0], min([0.0, *rooms]))
    high = min(SHOWN_ROOM[1], max([1.0, *shown]))
    return min(low, -0.15 * high), high


def in_words(name: str, limits: Sequence[Limit]) -> str:
    """The label of a criterion in a search as words; where a profile has several of the kind, with its bound."""
    family, _, number = name.partition(" (")
    words, same = family.replace("_", " "), [x for x in limits if x.criterion == family]
    place = int(number.rstrip(")")) - 1 if number else 0
    if len(same) < 2 or place >= len(same):
        return words if len(same) == 1 else name.replace("_", " ")
    low, high, unit = same[place].low, same[place].high, same[place].unit
    if low is None and high is None:
        return name.replace("_", " ")
    if low is not None and high is not None:
        return f"{words}, {low:g} to {high:g} {unit}"
    return f"{words}, at least {low:g} {unit}" if low is not None else f"{words}, at most {high:g} {unit}"


def _curves(ax: Axes, record: SearchRecord, low: float, high: float, limits: Sequence[Limit]) -> None:
    """One line a criterion, those with the least room in colour."""
    names = list(dict.fromkeys(name for p in record.points for name in p.rooms))
    least = {n: min(p.rooms[n] for p in record.points if n in p.rooms) for n in names}
    for k, name in enumerate(sorted(names, key=lambda n: least[n])[:NAMED]):
        own = [p for p in record.points if name in p.rooms]
        y = np.clip([p.rooms[name] for p in own], low, high)
        ax.plot([p.value for p in own], y, color=CYCLE[k % len(CYCLE)], linestyle=DASHES[k % len(DASHES)],
                linewidth=1.3, marker=".", markersize=4, label=in_words(name, limits), zorder=3)  # fmt: skip


def _marks(ax: Axes, points: Sequence[SearchPoint], low: float, high: float) -> None:
    """The room of what binds at each value, by outcome; values without a room stand at the foot."""
    looks = (("pass", "o", "none", "passes"), ("fail", "x", BLACK, "does not pass"),
             ("none", "v", "none", "no solution (at the foot)"),
             ("not assessable", "s", "none", "not assessable"))  # fmt: skip
    for outcome, marker, face, label in looks:
        own = [p for p in points if outcome == ("none" if p.outcome == "fail" and np.isnan(p.room) else p.outcome)]
        if own:
            y = np.clip([p.room if np.isfinite(p.room) else low for p in own], low, high)
            ax.plot([p.value for p in own], y, linestyle="none", marker=marker, markersize=6.5, color=BLACK,
                    markerfacecolor=face, label=label, zorder=5)  # fmt: skip


def _edge(ax: Axes, record: SearchRecord) -> None:
    """The limit found, as a line, and the side that does not pass in grey."""
    if not np.isfinite(record.beyond):
        return
    far = max((p.value for p in record.points), key=lambda v: abs(v - record.safe))
    ax.axvspan(*sorted((record.beyond, far)), color=BAND, alpha=0.4, linewidth=0, zorder=0.5)
    if np.isfinite(record.limit):
        line = LimitLine(record.limit, f"limit {record.limit:.5g} {record.unit}".strip())
        ax.axvline(line.value, color=BLACK, linewidth=1.1, linestyle=(0, (5, 2)), label=line.text, zorder=2.4)


FIGURES: dict[str, Callable[..., Figure]] = {"search_margin": search_margin, "search_curve": search_curve}

__all__ = ["FIGURES", "search_curve", "search_margin"]
