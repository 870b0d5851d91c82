"""One quantity of a Result over time, for whichever elements are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gridai.errors import UnknownNameError, near
from gridai.plots import style
from gridai.plots.style import BLACK, CYCLE, DASHES
from gridai.results import Result
from gridai.results.measures import swings

NAMED = 10
"""So many lines are drawn with their names; of more elements, the envelope and those that move most."""
UNITS = {"pu": "pu", "mw": "MW", "mvar": "MVAr", "hz": "Hz", "rad": "rad", "degree": "degrees", "s": "s"}


def quantity(
    result: Result, kind: str, name: str, elements: Sequence[str] = (), title: str = "", footer: str = ""
) -> Figure:
    """Draw one quantity, such as kind "bus", name "vm_pu".

    elements  names to draw; all when empty. Unknown kinds, quantities and elements list the near ones.
    """
    names, values = result.names(kind, name), result.values(kind, name)
    for element in elements:
        if element not in names:
            raise UnknownNameError(near(element, names, kind))
    columns = [names.index(element) for element in elements] or list(range(len(names)))
    figure, (ax,) = style.new_figure(1, title or f"{kind} {name}", footer)
    if len(columns) > NAMED:
        style.band(ax, result.t_s, values[:, columns], f"all {len(columns)}")
        span = np.nan_to_num(swings(values[:, columns]))
        columns = [columns[k] for k in np.argsort(-span, kind="stable")[: len(CYCLE)]]
    for n, k in enumerate(columns):
        color = CYCLE[n % len(CYCLE)] if n < 2 * len(CYCLE) else BLACK
        style.line(ax, result.t_s, values[:, k], names[k], color, DASHES[(n + n // len(CYCLE)) % len(DASHES)])
    style.event_marks(ax, sorted({event.t_s for event in result.events}))
    style.finish(ax, result.t_s, f"{kind} {name.rpartition('_')[0]} ({_unit(result, kind, name)})", 0.0)
    return figure


def _unit(result: Result, kind: str, name: str) -> str:
    """The unit of the recorded channel; of a derived quantity, what its name ends in."""
    recorded = (c.unit for c in result.channels if (c.kind, c.quantity) == (kind, name))
    return next(recorded, UNITS.get(name.rpartition("_")[2], name.rpartition("_")[2])) or "-"
