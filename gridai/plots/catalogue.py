"""All figures of reports by name; each is called with (result, limits, title, footer)."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from gridai.plots import bus_voltages, disturbance, fit, flicker, pause, ride_through, search, small_signal

FIGURES: dict[str, Callable[..., Figure]] = {
    **pause.FIGURES, **bus_voltages.FIGURES, **disturbance.FIGURES, **small_signal.FIGURES, **ride_through.FIGURES,
    **flicker.FIGURES,
    **fit.FIGURES,
    **search.FIGURES,
}  # fmt: skip
