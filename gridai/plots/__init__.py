"""Figures. The only part of gridai that imports matplotlib, and only when a figure is drawn.

    figure = gridai.plots.overview(result, limits)
    gridai.plots.save_figure(figure, "overview.png")

Figures are matplotlib Figure objects with the Agg canvas; pyplot and its global state are never used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.plots.bus_voltages import voltages
    from gridai.plots.catalogue import FIGURES, caption
    from gridai.plots.disturbance import branch_flows, machines, swing_curves, swings
    from gridai.plots.fit import fit_figure
    from gridai.plots.flicker import flicker_figure
    from gridai.plots.mitigation import remedies
    from gridai.plots.pause import cluster_power, frequency, generator_power, overview
    from gridai.plots.search import search_curve, search_margin
    from gridai.plots.series import quantity
    from gridai.plots.small_signal import eigenvalues, mode_shapes, response
    from gridai.plots.style import png_bytes, save_figure, svg_text

_HOME = {
    "FIGURES": "gridai.plots.catalogue",
    "branch_flows": "gridai.plots.disturbance",
    "caption": "gridai.plots.catalogue",
    "cluster_power": "gridai.plots.pause",
    "eigenvalues": "gridai.plots.small_signal",
    "fit_figure": "gridai.plots.fit",
    "flicker_figure": "gridai.plots.flicker",
    "frequency": "gridai.plots.pause",
    "generator_power": "gridai.plots.pause",
    "machines": "gridai.plots.disturbance",
    "mode_shapes": "gridai.plots.small_signal",
    "overview": "gridai.plots.pause",
    "png_bytes": "gridai.plots.style",
    "quantity": "gridai.plots.series",
    "remedies": "gridai.plots.mitigation",
    "response": "gridai.plots.small_signal",
    "save_figure": "gridai.plots.style",
    "search_curve": "gridai.plots.search",
    "search_margin": "gridai.plots.search",
    "svg_text": "gridai.plots.style",
    "swing_curves": "gridai.plots.disturbance",
    "swings": "gridai.plots.disturbance",
    "voltages": "gridai.plots.bus_voltages",
}

__all__ = [
    "FIGURES",
    "branch_flows",
    "caption",
    "cluster_power",
    "eigenvalues",
    "fit_figure",
    "flicker_figure",
    "frequency",
    "generator_power",
    "machines",
    "mode_shapes",
    "overview",
    "png_bytes",
    "quantity",
    "remedies",
    "response",
    "save_figure",
    "search_curve",
    "search_margin",
    "svg_text",
    "swing_curves",
    "swings",
    "voltages",
]


def __getattr__(name: str) -> Any:
    """Import matplotlib when the first figure is asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.plots' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
