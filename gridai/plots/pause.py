"""Figures of a training pause: frequency, voltages, cluster power, generator power, and all four in one.

Each takes a Result, the limits to draw, and a title; the same functions draw the panels of the overview.
`result.meta["cluster_bus"]` (bus by cluster) names the clusters' buses, `result.meta["bus_kv"]` the voltage classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.style import BLACK, CYCLE, DASHES, OTHERS, LimitLine
from gridai.results import Limit, Result
from gridai.results.measures import swings

_NAMES = {
    "frequency_nadir": "nadir limit", "frequency_zenith": "zenith limit", "settling_frequency": "settling band",
    "steady_voltage": "voltage limit",
}  # fmt: skip
MOVERS = 5


def frequency(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Frequency of the centre of inertia, envelope of all buses, the clusters' buses and the two extreme ones."""
    return _single(_frequency, result, limits, title or "Frequency", footer)


def voltages(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Two panels: voltages with their limits, and their change since the start. Worst and clusters' buses named."""
    figure, axes = style.new_figure(2, title or "Bus voltages", footer)
    _voltage(axes[0], result, limits)
    _voltage_change(axes[1], result)
    return figure


def cluster_power(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Power of each cluster at the meter: what it asks for and what it draws."""
    return _single(_cluster, result, limits, title or "Cluster power", footer)


def generator_power(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Change of the generators' power since the start; the largest movers named."""
    return _single(_generators, result, limits, title or "Generator power", footer)


def overview(result: Result, limits: Sequence[Limit] = (), title: str = "", footer: str = "") -> Figure:
    """Cluster power, frequency, voltages and generator power, one above the other over one time axis."""
    figure, axes = style.new_figure(4, title or "Overview", footer)
    for ax, draw in zip(axes, (_cluster, _frequency, _voltage, _generators), strict=True):
        draw(ax, result, limits)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {
    "overview": overview,
    "frequency": frequency,
    "voltages": voltages,
    "cluster_power": cluster_power,
    "generator_power": generator_power,
}
"""The figures of a pause by name; each is called with (result, limits, title, footer)."""

Draw = Callable[[Axes, Result, Sequence[Limit]], None]


def _single(draw: Draw, result: Result, limits: Sequence[Limit], title: str, footer: str) -> Figure:
    figure, axes = style.new_figure(1, title, footer)
    draw(axes[0], result, limits)
    return figure


def _frequency(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, f) = result.t_s, held(result, "bus", "f_hz")
    style.band(ax, t, f, f"all {len(names)} buses")
    _named_lines(ax, t, f, _roles(result, names, f, "highest", "lowest"))
    for coi in held(result, "system", "f_hz")[1].T:
        style.line(ax, t, coi, "centre of inertia", BLACK, width=1.8, order=3.5)
    style.event_marks(ax, _event_times(result))
    kinds = ("frequency_nadir", "frequency_zenith", "settling_frequency")
    style.finish(ax, t, "frequency (Hz)", 0.004, _limit_lines(limits, kinds, "Hz"))


def _voltage(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, vm) = result.t_s, held(result, "bus", "vm_pu")
    style.band(ax, t, vm, f"all {len(names)} buses")
    _named_lines(ax, t, vm, _roles(result, names, vm, "highest", "lowest"))
    style.event_marks(ax, _event_times(result))
    shown = [limit for limit in limits if _class_present(limit, result)]
    style.finish(ax, t, "voltage (pu)", 0.004, _limit_lines(shown, ("steady_voltage",), "pu"))


def _voltage_change(ax: Axes, result: Result) -> None:
    t, (names, vm) = result.t_s, held(result, "bus", "vm_pu")
    change = 100.0 * (vm - vm[:1])
    style.band(ax, t, change, f"all {len(names)} buses")
    _named_lines(ax, t, change, _roles(result, names, change, "rises most", "falls most"))
    style.event_marks(ax, _event_times(result))
    style.finish(ax, t, "change of voltage (% of nominal)", 0.05)


def _cluster(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, drawn) = result.t_s, held(result, "cluster", "p_mw")
    asked = result.quantities("cluster")
    buses = result.meta.get("cluster_bus", {})
    for k, name in enumerate(names):
        color = CYCLE[k % len(CYCLE)]
        at = f" at bus {buses[name]}" if name in buses else ""
        if "p_demand_mw" in asked and name in result.names("cluster", "p_demand_mw"):
            demand = result.series("cluster", name, "p_demand_mw")
            style.line(ax, t, demand, f"{name}: demand", BLACK, (0, (3, 2)), 0.9, 3.2)
        style.line(ax, t, drawn[:, k], f"{name}{at}: drawn", color, width=1.5)
    style.event_marks(ax, _event_times(result))
    ax.set_ymargin(0.08)
    style.finish(ax, t, "cluster power (MW)", 1.0)


def _generators(ax: Axes, result: Result, limits: Sequence[Limit]) -> None:
    t, (names, p) = result.t_s, held(result, "gen", "p_mw")
    change = p - p[:1]
    order = np.argsort(-np.nan_to_num(swings(change)), kind="stable")
    for k in order[MOVERS:]:
        style.line(ax, t, change[:, k], None, OTHERS, width=0.8, order=2.0)
    for n, k in enumerate(order[:MOVERS]):
        style.line(ax, t, change[:, k], f"{names[k]} (from {p[0, k]:.1f} MW)", CYCLE[n], DASHES[n])
    if len(order) > MOVERS:
        ax.plot([], [], color=OTHERS, linewidth=0.8, label=f"{len(order) - MOVERS} others")
    style.event_marks(ax, _event_times(result))
    style.finish(ax, t, "change of\ngenerator power (MW)", 1.0)


def held(result: Result, kind: str, quantity: str) -> tuple[tuple[str, ...], FloatArray]:
    """Names and values, float[nt, n], of a quantity; no columns where the result does not hold it."""
    if quantity not in result.quantities(kind):
        return (), np.empty((len(result.t_s), 0))
    return result.names(kind, quantity), result.values(kind, quantity)


def _roles(result: Result, names: Sequence[str], values: FloatArray, top: str, bottom: str) -> dict[int, str]:
    """Column -> label of the buses worth naming: the clusters', the one with the highest and with the lowest value."""
    found: dict[int, list[str]] = {}
    for cluster, bus in result.meta.get("cluster_bus", {}).items():
        if bus in names:
            found.setdefault(list(names).index(bus), []).append(f"{cluster}'s bus")
    known = ~np.isnan(values)
    if known.any():
        highest = int(np.where(known, values, -np.inf).max(axis=0).argmax())
        lowest = int(np.where(known, values, np.inf).min(axis=0).argmin())
        found.setdefault(highest, []).append(top)
        found.setdefault(lowest, []).append(bottom)
    return {k: f"bus {names[k]} ({', '.join(words)})" for k, words in found.items()}


def _named_lines(ax: Axes, t: FloatArray, values: FloatArray, roles: dict[int, str]) -> None:
    for n, (k, label) in enumerate(roles.items()):
        style.line(ax, t, values[:, k], label, CYCLE[n % len(CYCLE)], DASHES[n % len(DASHES)])


def _event_times(result: Result) -> list[float]:
    return sorted({event.t_s for event in result.events})


def _class_present(limit: Limit, result: Result) -> bool:
    """False for a limit of a voltage class that no bus of the result belongs to."""
    low, high = float(limit.settings.get("kv_min", 0.0)), float(limit.settings.get("kv_max", np.inf))
    kv = result.meta.get("bus_kv")
    return not kv or any(low <= float(x) < high for x in kv.values())


def _limit_lines(limits: Sequence[Limit], kinds: Sequence[str], unit: str) -> list[LimitLine]:
    """One line for each different value; the text says what it is and whether its number is verified."""
    found: dict[float, tuple[list[str], bool]] = {}
    for limit in sorted((x for x in limits if x.criterion in kinds), key=lambda x: kinds.index(x.criterion)):
        for value in (limit.low, limit.high):
            if value is not None:
                names, verified = found.setdefault(value, ([], True))
                found[value] = (list(dict.fromkeys([*names, _NAMES[limit.criterion]])), verified and limit.verified)
    return [
        LimitLine(value, f"{', '.join(names)} {value:g} {unit}{'' if verified else ', unverified'}")
        for value, (names, verified) in found.items()
    ]


__all__ = ["FIGURES", "cluster_power", "frequency", "generator_power", "overview", "voltages"]
