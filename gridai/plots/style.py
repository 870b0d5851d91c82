"""One style for all figures: colours, axes, legend beside the axes, limit lines, files written whole or not at all.

Colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart; lines differ in dash as well, so
that they can be told apart in a grey print.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from gridai.plots.decimate import FloatArray, decimate, kept_samples
from gridai.results import Result, atomic_path

BLACK, BLUE, ORANGE, GREEN, PURPLE, SKY = "#000000", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"
VERMILION = "#D55E00"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
DASHES = ("-", (0, (6, 1.5)), (0, (4, 1.2, 1, 1.2)), (0, (2, 1)), (0, (9, 1.5)), (0, (5, 1, 1, 1, 1, 1)))
GREY, BAND, OTHERS, LIMIT = "#8a8a8a", "#d4d4d4", "#b5b5b5", "#A50026"
WIDTH_IN, PANEL_IN = 9.6, 2.55
TEXT, SMALL = 9.5, 8.0
DPI = 150
LEGEND_CHARS = 32


@dataclass(frozen=True)
class LimitLine:
    """A limit to draw: `value` in the unit of the axes, `text` for the legend."""

    value: float
    text: str


def new_figure(panels: int, title: str, footer: str = "") -> tuple[Figure, list[Axes]]:
    """A figure of panels one above the other, with one time axis and room for legends to the right."""
    height = PANEL_IN * panels + 0.85 + (0.75 if panels == 1 else 0.0)
    figure = blank_figure(WIDTH_IN, height, title, footer)
    first = figure.add_subplot(panels, 1, 1)
    axes = [first, *(figure.add_subplot(panels, 1, k + 1, sharex=first) for k in range(1, panels))]
    figure.subplots_adjust(left=0.09, right=0.735, top=1 - 0.55 / height, bottom=0.55 / height, hspace=0.17)
    for ax in axes:
        plain_axes(ax, last=ax is axes[-1])
        if ax is axes[-1]:
            ax.set_xlabel("time (s)", fontsize=TEXT)
    return figure, axes


def figure_with_insets(title: str, rows: int, columns: int, footer: str = "") -> tuple[Figure, Axes, list[Axes]]:
    """A figure of one wide panel with room for its legend, and below it rows of small panels with one common scale."""
    inset, gap, wide_in = 1.75, 0.62, PANEL_IN
    height = 0.55 + wide_in + 0.8 + rows * inset + (rows - 1) * gap + 0.6
    figure = blank_figure(WIDTH_IN, height, title, footer)
    wide = figure.add_axes((0.09, 1.0 - (0.55 + wide_in) / height, 0.645, wide_in / height))
    plain_axes(wide)
    wide.set_xlabel("time (s)", fontsize=TEXT)
    small: list[Axes] = []
    step = (0.985 - 0.09 + 0.03) / columns
    for k in range(rows * columns):
        top = 0.55 + wide_in + 0.8 + (k // columns) * (inset + gap)
        place = (0.09 + (k % columns) * step, 1.0 - (top + inset) / height, step - 0.03, inset / height)
        small.append(figure.add_axes(place, sharey=small[0] if small else None))
        plain_axes(small[-1])
        small[-1].tick_params(labelleft=k % columns == 0)
    return figure, wide, small


def blank_figure(width_in: float, height_in: float, title: str, footer: str = "") -> Figure:
    """A figure with its title at the top and the footer at the bottom, and no axes yet."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor="white", layout=None)
    FigureCanvasAgg(figure)
    figure.text(0.012, 1 - 0.12 / height_in, title, fontsize=TEXT + 2, fontweight="bold", va="top", ha="left")
    if footer:
        figure.text(0.988, 0.08 / height_in, footer, fontsize=SMALL - 1, color=GREY, va="bottom", ha="right")
    return figure


def plain_axes(ax: Axes, last: bool = True) -> None:
    """Grid, ticks and two spines in grey; tick labels below the last panel only."""
    ax.grid(True, color="#e4e4e4", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=SMALL + 0.5, labelbottom=last, color=GREY)
    ax.ticklabel_format(useOffset=False, style="plain")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)


def line(ax: Axes, t: FloatArray, y: FloatArray, label: str | None, color: str, dash: Any = "-",
         width: float = 1.3, order: float = 3.0) -> None:  # fmt: skip
    """One line, decimated with its peaks kept. Without a label it stays out of the legend."""
    ax.plot(*decimate(t, y), color=color, linestyle=dash, linewidth=width, label=shown(label), zorder=order)


def look(n: int) -> tuple[str, Any]:
    """Colour and dash of the n-th line: no two of the first twelve are alike, in colour or in grey."""
    return CYCLE[n % len(CYCLE)], DASHES[(n + n // len(CYCLE)) % len(DASHES)]


def shown(label: str | None) -> str | None:
    """A label that matplotlib shows: it leaves those out that begin with an underscore, as a name may."""
    return f" {label}" if label is not None and label.startswith("_") else label


def band(ax: Axes, t: FloatArray, values: FloatArray, label: str) -> None:
    """The envelope of all columns of values, float[nt, n], as a grey band. NaN samples are left out."""
    if not values.size:
        return
    found = ~np.isnan(values)
    low = np.where(found, values, np.inf).min(axis=1)
    high = np.where(found, values, -np.inf).max(axis=1)
    low, high = np.where(np.isinf(low), np.nan, low), np.where(np.isinf(high), np.nan, high)
    kept = np.union1d(kept_samples(low), kept_samples(high))
    ax.fill_between(t[kept], low[kept], high[kept], color=BAND, linewidth=0, label=shown(label), zorder=1.5)


def event_marks(ax: Axes, times: Sequence[float]) -> None:
    """Thin vertical lines where something happened; none when there are too many to tell apart."""
    if len(times) <= 24:
        for at in times:
            ax.axvline(at, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1.0)


KW_BELOW_MW = 0.1
"""Axes of power within so little of nought are in kW."""


def finish(ax: Axes, t: FloatArray, ylabel: str, least_span: float, limits: Sequence[LimitLine] = ()) -> None:
    """Label, range, limits and legend, once everything is drawn.

    least_span  the axis spans at least this much, so that rounding does not fill the picture. [unit of the axis]
    """
    ax.set_ylabel(ylabel, fontsize=TEXT)
    if not ax.lines and not ax.collections:
        ax.text(0.5, 0.5, "not recorded", transform=ax.transAxes, ha="center", va="center", color=GREY, fontsize=TEXT)
    if len(t) > 1 and t[-1] > t[0]:
        ax.set_xlim(float(t[0]), float(t[-1]))
    low, high = ax.get_ylim()
    if high - low < least_span:
        low, high = (low + high - least_span) / 2, (low + high + least_span) / 2
    if "(MW)" in ylabel and max(abs(low), abs(high)) < KW_BELOW_MW and (ax.lines or ax.collections):
        ax.set_ylabel(ylabel.replace("(MW)", "(kW)"), fontsize=TEXT)
        ax.yaxis.set_major_formatter(lambda mw, _: f"{1e3 * mw:.6g}")
    _draw_limits(ax, low, high, limits)
    legend(ax)


def power_span(result: Result, usual: float = 1.0) -> float:
    """Least span of an axis of power: `usual`, at most a twentieth of what the largest cluster draws. [MW]"""
    if "p_mw" not in result.quantities("cluster"):
        return usual
    highest = float(np.nanmax(np.abs(result.values("cluster", "p_mw")), initial=0.0))
    return min(usual, 0.05 * highest) if highest > 0.0 else usual


def legend(ax: Axes) -> None:
    """The legend to the right of the axes, long labels folded; none where nothing is labelled."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        labels = [textwrap.fill(label.strip(), LEGEND_CHARS, break_on_hyphens=False) for label in labels]
        ax.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1.03), fontsize=SMALL, frameon=False,
                  borderaxespad=0.0, handlelength=2.4, labelspacing=0.45)  # fmt: skip


def _draw_limits(ax: Axes, low: float, high: float, limits: Sequence[LimitLine]) -> None:
    """A limit near the data is a line in view; one far away is named in the legend, so the data keep their scale."""
    reach = 0.75 * (high - low)
    near = [x for x in limits if low - reach <= x.value <= high + reach]
    pad = 0.06 * (high - low)
    low = min([low, *(x.value - pad for x in near)])
    high = max([high, *(x.value + pad for x in near)])
    ax.set_ylim(low, high)
    for x in near:
        ax.axhline(x.value, color=LIMIT, linewidth=1.7, linestyle=(0, (1, 1)), label=x.text, zorder=2.5)
    for x in limits:
        if x not in near:
            ax.plot([], [], color=LIMIT, linestyle="none", marker="^" if x.value > high else "v", markersize=5,
                    label=f"{x.text}, out of view")  # fmt: skip


def literal(figure: Figure) -> Figure:
    """Show all words as they are: a $ in a name is a $, not mathematics. Numbers on axes keep theirs."""
    texts: list[Text] = list(figure.texts)
    for ax in figure.axes:
        legend = ax.get_legend()
        # matplotlib keeps the titles at the left and the right apart from the one in the middle.
        titles = [ax.title, *(getattr(ax, name) for name in ("_left_title", "_right_title") if hasattr(ax, name))]
        texts += [*ax.texts, *titles, ax.xaxis.label, ax.yaxis.label, *(legend.get_texts() if legend else ())]
    for text in texts:
        text.set_parse_math(False)
    return figure


def svg_text(figure: Figure) -> str:
    """A figure as SVG, without dates, names of programs and links; coordinates to a hundredth of a point."""
    text = io.StringIO()
    literal(figure).savefig(text, format="svg", facecolor="white", metadata={"Date": None})
    svg = re.sub(r"<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
    return re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), svg[svg.index("<svg") :])


def png_bytes(figure: Figure, dpi: int = DPI) -> bytes:
    """A figure as PNG, without the names of programs."""
    content = io.BytesIO()
    options: dict[str, Any] = {"pil_kwargs": {"compress_level": 4}, "metadata": {"Software": None}}
    literal(figure).savefig(content, format="png", facecolor="white", dpi=dpi, **options)
    return content.getvalue()


def save_figure(figure: Figure, path: str | Path, dpi: int = DPI) -> Path:
    """Write a figure as PNG or SVG, as the ending of `path` says; whole or not at all. Returns the path."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".") or "png"
    if not path.suffix:
        path = path.with_suffix(".png")
    options: dict[str, Any] = {"metadata": {"Date": None}} if kind in ("svg", "pdf") else {}
    if kind == "png":
        options = {"dpi": dpi, "pil_kwargs": {"compress_level": 4}, "metadata": {"Software": None}}
    with atomic_path(path) as part:
        literal(figure).savefig(part, format=kind, facecolor="white", **options)
    return path
