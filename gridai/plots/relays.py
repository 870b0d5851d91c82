"""The figure of relays: what they measured and shed, and when each stage acted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.panels import held, limit_lines
from gridai.plots.style import BAND, BLACK, GREY, LIMIT, SMALL, VERMILION
from gridai.results import EventRecord, Limit, Result

ROWS, NAMED = 24, 6
"""So many relays have a row of their own, and so many a line with a name."""
_BY_MODEL = re.compile(r"[A-Z][A-Z0-9_]+: ")


def actions_of(result: Result) -> list[EventRecord]:
    """Events that relays brought: sheds, relay notes, and trips and openings whose text names the relay's model."""
    return [e for e in result.events if e.kind in ("shed", "relay") or _BY_MODEL.match(e.text)]


def relays(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Frequency with the instants of the stages, share of load shed, and one row for each relay that acted."""
    acted = actions_of(result)
    figure, axes = style.new_figure(3, title or "Relays", footer)
    _frequency(axes[0], result, limits, acted)
    _shed(axes[1], result)
    _rows(axes[2], result, acted)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"relays": relays}
"""The figure by name; it is called with (result, limits, title, footer)."""


def _frequency(ax: Axes, result: Result, limits: Sequence[Limit], acted: Sequence[EventRecord]) -> None:
    t = result.t_s
    for f in held(result, "system", "f_hz")[1].T:
        style.line(ax, t, f, "centre of inertia", BLACK, width=1.5)
        at = np.array([event.t_s for event in acted])
        if len(at):
            ax.plot(at, np.interp(at, t, f), linestyle="none", marker="v", color=VERMILION, markersize=5,
                    label=f"{len(at)} relay actions", zorder=4)  # fmt: skip
    style.event_marks(ax, sorted({e.t_s for e in result.events if e not in acted}))
    style.finish(ax, t, "frequency (Hz)", 0.01, limit_lines(limits, ("frequency_nadir", "frequency_zenith"), "Hz"))


def _shed(ax: Axes, result: Result) -> None:
    """Share of each relay's load that it has shed: those that shed most by name, all others as an envelope."""
    t, (names, share) = result.t_s, held(result, "relay", "shed")
    if names:
        style.band(ax, t, 100.0 * share, f"all {len(names)} relays that can shed load")
        for n, k in enumerate(np.argsort(-np.nan_to_num(share[-1]), kind="stable")[:NAMED]):
            style.line(ax, t, 100.0 * share[:, k], names[k], *style.look(n))
        ax.set_ylim(0.0, max(1.0, 115.0 * float(np.nanmax(share))))
    style.finish(ax, t, "load shed\n(% of the relay's load)", 0.0)


def _rows(ax: Axes, result: Result, acted: Sequence[EventRecord]) -> None:
    """One row a relay, the first to act on top; a mark for each stage."""
    names = list(dict.fromkeys(event.element for event in acted))
    for row, name in enumerate(names[:ROWS]):
        own = [event.t_s for event in acted if event.element == name]
        ax.axhline(row, color=BAND, linewidth=0.7, zorder=1.0)
        ax.plot(own, [row] * len(own), linestyle="none", marker="|", markersize=9, markeredgewidth=1.8, color=LIMIT,
                label="a stage acts" if row == 0 else None, zorder=3.0)  # fmt: skip
        ax.annotate(name, (own[-1], row), xytext=(6, 0), textcoords="offset points", fontsize=SMALL - 1.5, va="center")
    if not names:
        ax.text(0.5, 0.5, "no relay acted", transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set_yticks([])
    rest = f"\n(first {ROWS} of {len(names)})" if len(names) > ROWS else ""
    style.finish(ax, result.t_s, f"relays that acted{rest}", 0.0)
    ax.set_ylim(max(1, min(len(names), ROWS)) - 0.4, -0.6)


__all__ = ["FIGURES", "actions_of", "relays"]
