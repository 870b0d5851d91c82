"""Figures of a small-signal study: mode shapes as compass plots, the plane of eigenvalues, the frequency response.

Each takes the Result of the study (modes and scan stand in its meta), the limits to draw, a title and a footer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.style import BAND, BLACK, CYCLE, DASHES, GREY, LIMIT, OTHERS, SMALL, TEXT
from gridai.results import Limit, Result
from gridai.results.small_signal import Mode, Scan, eigenvalues_of, has_modes, modes_of, peaks, scan_of

COMPASSES, ACROSS = 6, 3
ARROWS, LEAST = 10, 0.2
"""So many machines at most have a coloured arrow and a name in a compass, and those that move less have neither."""
SECTOR_DEGREE = 24.0
NAMED = 4
LOG_SPAN = 300.0
"""A gain's axis reaches from its highest value down to this part of it at most."""
RAYS = (0.03, 0.05, 0.1, 0.2)
"""Damping ratios drawn as rays in the plane of eigenvalues."""
PANELS = (
    ("bus", "f_hz", 1e3, "bus frequency\n(mHz/MW)"),
    ("bus", "vm_pu", 1e3, "bus voltage\n(1e-3 pu/MW)"),
    ("gen", "speed_pu", 1e6, "speed\n(1e-6 pu/MW)"),
    ("branch", "p_mw", 1.0, "line flow\n(MW/MW)"),
)


def mode_shapes(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Compass plots of the swings of machines with the least damping: an arrow is the speed of a machine."""
    if not has_modes(result):
        return _nothing(title or "Mode shapes", footer)
    modes = list(enumerate(modes_of(result), 1))
    chosen = [(n, m) for n, m in modes if m.electromechanical and m.shape][:COMPASSES]
    rows = max(1, -(-len(chosen) // ACROSS))
    figure = style.blank_figure(style.WIDTH_IN, 2.9 * rows + 0.9, title or "Mode shapes", footer)
    for place, (number, mode) in enumerate(chosen):
        ax: Any = figure.add_subplot(rows, ACROSS, place + 1, projection="polar")
        _compass(ax, number, mode)
    height = figure.get_figheight()
    if not chosen:
        figure.text(0.5, 0.5, "no swing of machines among the modes listed", ha="center", color=GREY, fontsize=TEXT)
    text = "An arrow is a machine's speed relative to the largest: its length, and its phase, 0 to the right. "
    text += f"Named, the largest first: up to {ARROWS} of {LEAST:g} or more."
    figure.text(0.012, 1 - 0.42 / height, text, fontsize=SMALL, color=GREY, va="top")
    figure.subplots_adjust(left=0.08, right=0.91, top=1 - 1.25 / height, bottom=0.45 / height, hspace=0.6, wspace=0.75)
    return figure


def _nothing(title: str, footer: str) -> Figure:
    """A figure that says that the result does not hold what it should show."""
    figure, axes = style.new_figure(1, title, footer)
    style.finish(axes[0], np.zeros(0), "", 0.0)
    return figure


def _compass(ax: Any, number: int, mode: Mode) -> None:
    """One mode: arrows of the machines' speeds, the largest 1 at angle 0; names outside the circle."""
    order = sorted(mode.shape, key=lambda name: -mode.shape[name][0])
    named = [name for name in order if mode.shape[name][0] >= LEAST][:ARROWS]
    for n, name in enumerate(order):
        size, degree = mode.shape[name]
        if name not in named:
            ax.plot(np.radians([degree, degree]), [0.0, size], color=OTHERS, linewidth=1.0, zorder=2)
            continue
        color = CYCLE[n % len(CYCLE)] if n < len(CYCLE) else BLACK
        look = {"arrowstyle": "-|>", "color": color, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=(np.radians(degree), size), xytext=(0.0, 0.0), zorder=4, arrowprops=look)
    for degree, text in _labels(mode, named):
        side = np.cos(np.radians(degree))
        ha = "left" if side > 0.3 else "right" if side < -0.3 else "center"
        ax.text(np.radians(degree), 1.1, text, fontsize=SMALL - 0.5, ha=ha, va="center", zorder=5)
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks([0.5, 1.0], labels=[])
    ax.set_xticks(np.radians([0, 90, 180, 270]), labels=[])
    ax.grid(True, color="#e0e0e0", linewidth=0.6)
    ax.spines["polar"].set_color("#d0d0d0")
    text = f"mode {number}: {mode.frequency_hz:.3f} Hz, damping {100 * mode.damping:.1f} %"
    ax.set_title(text, fontsize=TEXT, pad=26)


def _labels(mode: Mode, names: Sequence[str]) -> list[tuple[float, str]]:
    """Direction in degrees and names of the machines that point there, the largest first."""
    sectors: list[tuple[float, list[str]]] = []
    for name in names:
        degree = mode.shape[name][1]
        for at, members in sectors:
            if abs((degree - at + 180.0) % 360.0 - 180.0) < SECTOR_DEGREE:
                members.append(name)
                break
        else:
            sectors.append((degree, [name]))
    return [(at, _folded(members)) for at, members in sectors]


def _folded(names: Sequence[str]) -> str:
    """Names on lines of about ten characters, four lines at most, then how many more there are."""
    lines = [names[0]]
    for k, name in enumerate(names[1:], 1):
        if len(lines[-1]) + len(name) < 10:
            lines[-1] += f" {name}"
        elif len(lines) < 4:
            lines.append(name)
        else:
            lines[-1] += f" +{len(names) - k}"
            break
    return "\n".join(lines)


def eigenvalues(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """The upper half plane of eigenvalues with rays of equal damping; the listed modes are numbered."""
    if not has_modes(result):
        return _nothing(title or "Eigenvalues", footer)
    figure = style.blank_figure(style.WIDTH_IN, 5.2, title or "Eigenvalues", footer)
    ax = figure.add_subplot(1, 1, 1)
    style.plain_axes(ax)
    figure.subplots_adjust(left=0.09, right=0.735, top=0.9, bottom=0.11)
    values, modes = eigenvalues_of(result), modes_of(result)
    swing = [m for m in modes if m.electromechanical]
    top = max([1.2 * m.frequency_hz for m in swing], default=2.0)
    left = min([1.6 * m.real for m in swing], default=-2.0)
    left = min(left, -0.5)
    right = max(0.08 * -left, 1.3 * max((m.real for m in modes), default=0.0))
    shown = values[(values.imag >= 0.0) & (values.real >= left) & (values.imag <= 2 * np.pi * top)]
    _rays(ax, left, top, limits)
    ax.axvspan(0.0, right, color=BAND, alpha=0.5, linewidth=0, label="grows")
    ax.plot(shown.real, shown.imag / (2 * np.pi), linestyle="none", marker="x", color=OTHERS, markersize=5,
            label="other eigenvalue", zorder=3)  # fmt: skip
    for control, marker, color, label in (
        (False, "o", CYCLE[0], "swing of machines"),
        (True, "s", CYCLE[1], "control"),
    ):
        some = [(n, m) for n, m in enumerate(modes, 1) if m.electromechanical != control]
        some = [(n, m) for n, m in some if m.real >= left and m.frequency_hz <= top]
        if some:
            ax.plot([m.real for _, m in some], [m.frequency_hz for _, m in some], linestyle="none", marker=marker,
                    color=color, markersize=5.5, label=f"{label}, numbered as in the table", zorder=4)  # fmt: skip
        for n, m in some:
            ax.annotate(str(n), (m.real, m.frequency_hz), xytext=(5, 4), textcoords="offset points", fontsize=SMALL)
    ax.set_xlim(left, right)
    ax.set_ylim(-0.02 * top, top)
    ax.set_xlabel("real part (1/s)", fontsize=TEXT)
    ax.set_ylabel("frequency (Hz)", fontsize=TEXT)
    style.legend(ax)
    return figure


def _rays(ax: Axes, left: float, top: float, limits: Sequence[Limit]) -> None:
    """Lines of equal damping ratio, those of limits in the colour of limits."""
    asked = {x.low / 100.0: x for x in limits if x.criterion == "mode_damping" and x.low}
    for ratio in sorted({*RAYS, *asked}):
        slope = -ratio / np.sqrt(1.0 - ratio**2) * 2 * np.pi
        limit = asked.get(ratio)
        mark = "" if limit is None or limit.verified else ", unverified"
        text = f"limit {100 * ratio:g} %{mark}" if limit else None
        ax.plot([0.0, slope * top], [0.0, top], color=LIMIT if limit else GREY, linewidth=1.5 if limit else 0.7,
                linestyle=(0, (1, 1)) if limit else (0, (1, 2)), label=text, zorder=2)  # fmt: skip
        reach = min(top, left / slope) if slope < 0 else top
        x, y = slope * reach, reach
        ax.text(x, y, f" {100 * ratio:g} %", fontsize=SMALL - 0.5, color=LIMIT if limit else GREY, ha="left",
                va="top", zorder=2)  # fmt: skip


def response(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Gain over frequency from power at one place to bus frequencies, voltages, speeds and line flows."""
    scan = scan_of(result)
    panels = [p for p in PANELS if scan is not None and scan.of(*p[:2])[0]]
    figure, axes = style.new_figure(max(1, len(panels)), title or "Frequency response", footer)
    if scan is None or not panels:
        return _nothing(title or "Frequency response", footer)
    for ax, (kind, quantity, factor, label) in zip(axes, panels, strict=True):
        _gains(ax, scan, kind, quantity, factor, label)
    axes[-1].set_xlabel(f"frequency of the power at {scan.source} (Hz)", fontsize=TEXT)
    return figure


def _gains(ax: Axes, scan: Scan, kind: str, quantity: str, factor: float, label: str) -> None:
    """One panel: the envelope of all elements, and those with the highest peaks by name."""
    names, gains = scan.of(kind, quantity)
    size = factor * np.abs(gains)
    ax.set_xscale("log")
    ax.fill_between(scan.f_hz, size.min(axis=1), size.max(axis=1), color=BAND, linewidth=0, label=f"all {len(names)}")
    place = scan.source.rstrip(")")
    chosen = [k for k, name in enumerate(names) if kind == "bus" and place.endswith(f"bus {name}")]
    chosen += [int(np.argmax(size[at])) for at in peaks(size.max(axis=1))]
    chosen += [int(k) for k in np.argsort(-size.max(axis=0), kind="stable")]
    for n, k in enumerate(list(dict.fromkeys(chosen))[:NAMED]):
        found = peaks(size[:, k])
        at = max(found, key=lambda i: size[i, k]) if len(found) else int(np.argmax(size[:, k]))
        word = "peak" if len(found) else "highest"
        text = f"{'bus ' if kind == 'bus' else ''}{names[k]}: {word} {size[at, k]:.3g} at {scan.f_hz[at]:.3g} Hz"
        ax.plot(scan.f_hz, size[:, k], color=CYCLE[n % len(CYCLE)], linestyle=DASHES[n % len(DASHES)], linewidth=1.3,
                label=text)  # fmt: skip
    style.finish(ax, scan.f_hz, label, 0.0)
    top = float(size.max())
    if top > 0.0:
        ax.set_yscale("log")
        ax.set_ylim(max(float(size.min()), top / LOG_SPAN) / 1.2, 1.3 * top)
    ax.xaxis.set_major_formatter("{x:g}")


FIGURES: dict[str, Callable[..., Figure]] = {
    "mode_shapes": mode_shapes,
    "eigenvalues": eigenvalues,
    "response": response,
}
"""The figures by name; each is called with (result, limits, title, footer)."""

__all__ = ["FIGURES", "eigenvalues", "mode_shapes", "response"]
