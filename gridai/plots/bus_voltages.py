"""Bus voltages: the envelope of all live buses, the buses worth naming, limits, and each dip as an inset.

De-energised buses are left out of the envelope, which they would stretch down to zero; the legend counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gridai.plots import envelopes, style
from gridai.plots.decimate import FloatArray
from gridai.plots.envelopes import Dip
from gridai.plots.panels import class_present, event_times, extremes, held, limit_lines, named_lines, roles
from gridai.plots.style import GREY, SMALL, TEXT
from gridai.results import Limit, Result
from gridai.results.dead import dead_mask

ACROSS = 3


def voltages(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Voltages with their limits; below, each dip by itself; where there is none, the change since the start."""
    names, vm, _ = live_voltages(result)
    dips = envelopes.dips_of(result, vm) if names else []
    if not dips:
        figure, axes = style.new_figure(2, title or "Bus voltages", footer)
        voltage(axes[0], result, limits)
        voltage_change(axes[1], result)
        return figure
    rows = -(-len(dips) // ACROSS)
    figure, wide, insets = style.figure_with_insets(title or "Bus voltages", rows, min(len(dips), ACROSS), footer)
    voltage(wide, result, limits, dips)
    labels = _labels(result, names, vm, dips)
    for k, dip in enumerate(dips):
        _inset(insets[k], result, vm, labels, limits, dip)
        insets[k].set_ylabel("" if k % ACROSS else "voltage (pu)", fontsize=TEXT)
    for ax in insets[len(dips) :]:
        ax.set_visible(False)
    return figure


def voltage(ax: Axes, result: Result, limits: Sequence[Limit], dips: Sequence[Dip] = ()) -> None:
    """The panel of voltages over the whole run."""
    t, (names, vm, dead) = result.t_s, live_voltages(result)
    style.band(ax, t, vm, f"all {len(names)} buses" + (f", {dead} of them de-energised for a time" if dead else ""))
    named_lines(ax, t, vm, _labels(result, names, vm, dips))
    style.event_marks(ax, event_times(result))
    present = [limit for limit in limits if class_present(limit, result)]
    _overlays(ax, result, present, dips, float(t[-1]) if len(t) else 0.0, label=True)
    style.finish(ax, t, "voltage (pu)", 0.004, limit_lines(present, ("steady_voltage",), "pu"))


def voltage_change(ax: Axes, result: Result) -> None:
    """The panel of changes since the start, in % of nominal."""
    t, (names, vm, _) = result.t_s, live_voltages(result)
    change = 100.0 * (vm - vm[:1])
    style.band(ax, t, change, f"all {len(names)} buses")
    named_lines(ax, t, change, roles(result, names, change, "rises most", "falls most"))
    style.event_marks(ax, event_times(result))
    style.finish(ax, t, "change of voltage\n(% of nominal)", 0.05)


def live_voltages(result: Result) -> tuple[tuple[str, ...], FloatArray, int]:
    """Names, voltages float[nt, n] in pu with NaN where a bus is de-energised, and how many ever are."""
    names, vm = held(result, "bus", "vm_pu")
    if not names:
        return names, vm, 0
    dead = dead_mask(result, names, vm)
    return names, np.where(dead, np.nan, vm), int(dead.any(axis=0).sum())


def _labels(result: Result, names: Sequence[str], vm: FloatArray, dips: Sequence[Dip]) -> dict[int, str]:
    """The buses of `roles`, and after a dip the bus that recovers worst."""
    labels = roles(result, names, vm, "highest", "lowest")
    if dips:
        after = vm[result.t_s > max(dip.end_s for dip in dips)]
        for k, word in extremes(after, "", "lowest after") if len(after) else ():
            labels[k] = f"{labels[k][:-1]}, {word})" if k in labels else f"bus {names[k]} ({word})"
    return labels


def _overlays(
    ax: Axes, result: Result, limits: Sequence[Limit], dips: Sequence[Dip], until_s: float, label: bool
) -> None:
    """Limits of voltage against time from each dip on."""
    struck, cleared = envelopes.envelopes_of(limits)
    cleared_s = [e.t_s for e in result.events if "clear" in e.kind]
    for n, dip in enumerate(dips):
        end = dips[n + 1].begin_s if n + 1 < len(dips) else until_s
        for envelope in struck:
            envelopes.draw(ax, envelope, dip.begin_s, min(end, until_s), label and n == 0)
        begin = next((at for at in cleared_s if at >= dip.begin_s), dip.end_s)
        for envelope in cleared:
            envelopes.draw(ax, envelope, begin, min(end, until_s), label and n == 0)


def _inset(ax: Axes, result: Result, vm: FloatArray, labels: dict[int, str], limits: Sequence[Limit], dip: Dip) -> None:
    """One dip: the same lines in its own window, time counted as in the run."""
    begin, end = dip.window
    first = max(0, int(np.searchsorted(result.t_s, begin, side="left")) - 1)
    last = int(np.searchsorted(result.t_s, end, side="right")) + 1
    t, values = result.t_s[first:last], vm[first:last]
    style.band(ax, t, values, "")
    named_lines(ax, t, values, labels, legend=False)
    _overlays(ax, result, [x for x in limits if class_present(x, result)], [dip], end, label=False)
    style.event_marks(ax, [at for at in event_times(result) if begin <= at <= end])
    ax.set_xlim(max(begin, float(t[0])), min(end, float(t[-1])))
    ax.set_title(f"{dip.text}, {dip.begin_s:.4g} s".strip(), fontsize=SMALL, color=GREY, loc="left")
    ax.set_xlabel("time (s)", fontsize=SMALL)
    ax.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))


FIGURES = {"voltages": voltages}

__all__ = ["FIGURES", "live_voltages", "voltage", "voltage_change", "voltages"]
