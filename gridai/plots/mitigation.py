"""The figure of remedies: power at the meter, frequency after a trip, and stress, support and cost side by side.

Takes the Result of the study `mitigate`: cluster p_mw and system f_hz by remedy; meta: mitigate (a row of numbers a
remedy), window_s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.panels import held
from gridai.plots.style import BLUE, GREEN, GREY, ORANGE, SMALL, TEXT
from gridai.results import Limit, Result

COLUMNS = (
    ("range", "range", "% of none", ORANGE),
    ("ramp", "ramp", "% of none", ORANGE),
    ("band", "0.1-20 Hz", "% of none", ORANGE),
    ("speed", "machines", "% of none", ORANGE),
    ("voltage", "voltage", "% of none", ORANGE),
    ("pst", "Pst", "% of none", ORANGE),
    ("relief", "in 1 s", "MW", GREEN),
    ("gained", "nadir up", "mHz", GREEN),
    ("burnt", "burnt", "% energy", BLUE),
    ("lost", "training", "% lost", BLUE),
    ("latency", "latency", "s", BLUE),
    ("throughput", "store", "MWh/h", BLUE),
)
GROUPS = (("stress: what is left of it", ORANGE, 0, 6), ("support", GREEN, 6, 8), ("cost", BLUE, 8, 12))
FULL = 130.0
"""Bars of stress reach so far; longer ones are cut and say their number. [%]"""
SAME_MHZ = 1.0
"""A nadir that differs by less has no line of its own."""
LINES = 6
"""So many remedies, of the calmest and the most, are drawn over time."""


def remedies(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Remedies: power at the meter, frequency after the loss of a unit, and bars of stress, support and cost."""
    rows: list[dict[str, Any]] = list(result.meta.get("mitigate", ()))
    if not rows:
        figure, axes = style.new_figure(1, title or "Remedies", footer)
        style.finish(axes[0], np.zeros(0), "power (MW)", 0.0)
        return figure
    bars_in, tripped = 0.24 * len(rows) + 0.2, any(row["gained"] is not None for row in rows)
    trip_in = 2.0 + 0.75 if tripped else 0.0
    height = 0.55 + 2.3 + trip_in + 1.3 + bars_in + 0.35
    figure = style.blank_figure(style.WIDTH_IN, height, title or "Remedies", footer)

    def place(top_in: float, high_in: float, left: float = 0.09, width: float = 0.68) -> Axes:
        ax = figure.add_axes((left, 1.0 - (top_in + high_in) / height, width, high_in / height))
        style.plain_axes(ax)
        return ax

    _courses(place(0.55, 2.3), result, rows)
    if tripped:
        _frequencies(place(0.55 + 2.3 + 0.75, 2.0), result, rows)
    top, left, step = 0.55 + 2.3 + trip_in + 1.3, 0.128, 0.0722
    for k, column in enumerate(COLUMNS):
        _bars(place(top, bars_in, left + k * step, step - 0.011), rows, column, first=k == 0)
    for name, color, a, b in GROUPS:
        x, y = left + 0.5 * (a + b) * step - 0.0055, 1.0 - (top - 0.45) / height
        figure.text(x, y, name, color=color, fontsize=TEXT + 1, fontweight="bold", ha="center")
    return figure


def _drawn(rows: Sequence[dict[str, Any]], key: str) -> list[str]:
    """Names of the remedies worth a line: none, then the others from the calmest (or most helpful) on.

    A device at the bus leaves the power at the meter as it is: no line of its own there.
    """
    sign = -1.0 if key == "gained" else 1.0
    known = [r for r in rows[1:] if r.get(key) is not None and not (key == "band" and r.get("device"))]
    if key == "gained":
        known = [r for r in known if abs(r[key]) >= SAME_MHZ]
    best = sorted(known, key=lambda r: sign * r[key])
    picked = best if len(best) < LINES else [*best[: LINES - 2], best[-1]]
    return [rows[0]["name"], *(r["name"] for r in picked)]


def _courses(ax: Axes, result: Result, rows: Sequence[dict[str, Any]]) -> None:
    names, p = held(result, "cluster", "p_mw")
    begin, end = result.meta.get("window_s", (result.t_s[0], result.t_s[-1]))
    inside = (result.t_s >= begin) & (result.t_s <= end)
    for k, name in enumerate(_drawn(rows, "band")):
        if name in names:
            color, dash = (GREY, "-") if k == 0 else style.look(k - 1)
            style.line(ax, result.t_s[inside], p[inside, names.index(name)], _label(name), color, dash)
    style.finish(ax, result.t_s[inside], "power at the meter (MW)", style.power_span(result))
    ax.set_xlabel("time (s)", fontsize=TEXT)


def _frequencies(ax: Axes, result: Result, rows: Sequence[dict[str, Any]]) -> None:
    names, f = held(result, "system", "f_hz")
    known = np.isfinite(f).all(axis=1) if f.shape[1] else np.zeros(len(result.t_s), dtype=bool)
    for k, name in enumerate(_drawn(rows, "gained")):
        if name in names and known.any():
            color, dash = (GREY, "-") if k == 0 else style.look(k - 1)
            style.line(ax, result.t_s[known], f[known, names.index(name)], _label(name), color, dash)
    style.finish(ax, result.t_s[known], "frequency after the trip (Hz)", 0.01)
    ax.set_xlabel("time (s), unit trips at 1 s", fontsize=TEXT)


def _label(name: str) -> str:
    return "no remedy" if name == "none" else name


def _bars(ax: Axes, rows: Sequence[dict[str, Any]], column: tuple[str, str, str, str], first: bool) -> None:
    """One bar a remedy; its number at the end."""
    key, title, unit, color = column
    values = [row.get(key) for row in rows]
    known = [v for v in values if v is not None]
    reach = FULL if unit.startswith("% of none") else max([1e-9, *known])
    low = min([0.0, *known])
    y = np.arange(len(rows))
    for k, v in enumerate(values):
        if v is None:
            ax.text(0.03 * reach, k, "n/a", fontsize=SMALL - 1.5, color=GREY, va="center")
            continue
        ax.barh(k, min(v, reach), color=color if k else GREY, height=0.72, zorder=3)
        inside = v > 0.5 * reach
        ax.text(min(v, reach) - 0.03 * reach if inside else max(v, 0.0) + 0.03 * reach, k, _number(v),
                fontsize=SMALL - 1.5, va="center", ha="right" if inside else "left",
                color="white" if inside else "black", zorder=4)  # fmt: skip
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(min(0.0, 1.25 * low), reach)
    ax.set_yticks(y, [_label(row["name"]) for row in rows] if first else [""] * len(rows))
    ax.tick_params(axis="y", length=0, labelcolor="black", labelsize=SMALL)
    ax.tick_params(axis="x", labelbottom=False, length=0)
    ax.set_title(f"{title}\n({unit})", fontsize=SMALL - 0.8, loc="left")
    ax.grid(False)


def _number(v: float) -> str:
    """Three digits, and nothing after the point from 100 on."""
    return f"{v:.0f}" if abs(v) >= 99.95 else f"{v:.3g}" if abs(v) >= 0.005 else "0"


FIGURES: dict[str, Callable[..., Figure]] = {"mitigation": remedies}
