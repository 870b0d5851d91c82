"""What panels share: quantities as arrays, the buses worth naming, event times, lines of limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from gridai.plots import style
from gridai.plots.decimate import FloatArray
from gridai.plots.style import LimitLine
from gridai.results import Limit, Result

NAMES = {
    "frequency_nadir": "nadir limit", "frequency_zenith": "zenith limit", "settling_frequency": "settling band",
    "steady_voltage": "steady voltage limit",
}  # fmt: skip
OWN_BUSES = 3
"""So many buses of clusters are named at most; the envelope holds the others."""


def held(result: Result, kind: str, quantity: str) -> tuple[tuple[str, ...], FloatArray]:
    """Names and values, float[nt, n], of a quantity; no columns where the result does not hold it."""
    if quantity not in result.quantities(kind):
        return (), np.empty((len(result.t_s), 0))
    return result.names(kind, quantity), result.values(kind, quantity)


def roles(result: Result, names: Sequence[str], values: FloatArray, top: str, bottom: str) -> dict[int, str]:
    """Column -> label of the buses worth naming: the clusters', the one with the highest and with the lowest value."""
    found: dict[int, list[str]] = {}
    places = {name: k for k, name in enumerate(names)}
    own = [(cluster, bus) for cluster, bus in result.meta.get("cluster_bus", {}).items() if bus in places]
    for cluster, bus in own[:OWN_BUSES]:
        found.setdefault(places[bus], []).append(f"{cluster}'s bus")
    for column, word in extremes(values, top, bottom):
        found.setdefault(column, []).append(word)
    return {k: f"bus {names[k]} ({', '.join(words)})" for k, words in found.items()}


def extremes(values: FloatArray, top: str, bottom: str) -> list[tuple[int, str]]:
    """Columns with the highest and the lowest value, each with its word; a word that is empty is left out."""
    known = ~np.isnan(values)
    if not known.any():
        return []
    highest = int(np.where(known, values, -np.inf).max(axis=0).argmax())
    lowest = int(np.where(known, values, np.inf).min(axis=0).argmin())
    return [(k, word) for k, word in ((highest, top), (lowest, bottom)) if word]


def named_lines(ax: Axes, t: FloatArray, values: FloatArray, labels: dict[int, str], legend: bool = True) -> None:
    """One line a named column, each with its colour and dash."""
    for n, (k, label) in enumerate(labels.items()):
        color, dash = style.look(n)
        style.line(ax, t, values[:, k], label if legend else None, color, dash)


def event_times(result: Result) -> list[float]:
    """When something happened. [s]"""
    return sorted({event.t_s for event in result.events})


def class_present(limit: Limit, result: Result) -> bool:
    """False for a limit of a voltage class that no bus of the result belongs to."""
    low, high = float(limit.settings.get("kv_min", 0.0)), float(limit.settings.get("kv_max", np.inf))
    kv = result.meta.get("bus_kv")
    return not kv or any(low <= float(x) < high for x in kv.values())


def limit_lines(limits: Sequence[Limit], kinds: Sequence[str], unit: str) -> list[LimitLine]:
    """One line for each different value; the text says what it is and whether its number is verified."""
    found: dict[float, tuple[list[str], bool]] = {}
    for limit in sorted((x for x in limits if x.criterion in kinds), key=lambda x: kinds.index(x.criterion)):
        for value in (limit.low, limit.high):
            if value is not None:
                names, verified = found.setdefault(value, ([], True))
                found[value] = (list(dict.fromkeys([*names, NAMES[limit.criterion]])), verified and limit.verified)
    return [
        LimitLine(value, f"{', '.join(names)} {value:g} {unit}{'' if verified else ', unverified'}")
        for value, (names, verified) in found.items()
    ]
