"""All figures of reports by name; each is called with (result, limits, title, footer)."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from gridai.plots import (
    bus_voltages,
    comparison,
    contingencies,
    course,
    disturbance,
    fit,
    flicker,
    hosting,
    mitigation,
    operating_modes,
    pause,
    regulate,
    relays,
    respond,
    ride_through,
    search,
    sizes,
    small_signal,
    unbalance,
)

FIGURES: dict[str, Callable[..., Figure]] = {
    **pause.FIGURES, **bus_voltages.FIGURES, **disturbance.FIGURES, **small_signal.FIGURES, **ride_through.FIGURES,
    **flicker.FIGURES, **relays.FIGURES,
    **fit.FIGURES, **hosting.FIGURES, **course.FIGURES, **contingencies.FIGURES,
    **operating_modes.FIGURES,
    **mitigation.FIGURES,
    **sizes.FIGURES,
    **respond.FIGURES,
    **regulate.FIGURES,
    **unbalance.FIGURES,
    **search.FIGURES, **comparison.FIGURES,
}  # fmt: skip


def caption(name: str) -> str:
    """What a figure shows: the first paragraph of its function's docstring."""
    text = (FIGURES[name].__doc__ or name).strip().split("\n\n")[0]
    return " ".join(text.split())
