"""The map of hosting capacity: its scales show every bus in numbers that can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gridai.plots.hosting import hosting_map
from gridai.results.hosting import HostingBus, HostingMap, add_hosting


def drawn(made_up, mw):
    buses = tuple(
        HostingBus(str(k), 345.0, one, "voltage" if one < 1.0 else "loading", float(k), 0.0) for k, one in enumerate(mw)
    )
    figure = hosting_map(add_hosting(made_up(), HostingMap(buses, ((0.0, 0.0, 1.0, 0.0),), "made up")))
    figure.canvas.draw()
    return figure


@pytest.mark.parametrize(
    "mw", [(0.0, 0.0, 1.55, 7.5, 50.7), (0.3, 4.0, 900.0), (0.0, 1.0, 5000.0), (0.0, 0.0, 0.0), (100.0, 300.0)]
)
def test_every_bus_is_in_view_and_ticks_are_plain_numbers_apart(made_up, mw):
    figure = drawn(made_up, mw)
    _, order, bar = figure.axes
    low, high = order.get_xlim()
    shown = [float(x) for line in order.lines for x in line.get_xdata()]
    assert sorted(shown) == sorted(mw)
    assert all(low <= x <= high for x in shown)
    for axis in (order.xaxis, bar.yaxis):
        labels = [tick for tick in axis.get_ticklabels(which="both") if tick.get_text()]
        [float(tick.get_text()) for tick in labels]
        boxes = sorted((tick.get_window_extent() for tick in labels), key=lambda box: (box.x0, box.y0))
        assert len(boxes) >= 2
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_the_scale_of_colours_keeps_clear_of_the_ranking(made_up):
    figure = drawn(made_up, (0.0, 1.55, 50.7))
    _, order, bar = figure.axes
    assert bar.get_tightbbox().x1 < order.get_tightbbox().x0
