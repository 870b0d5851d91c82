"""Places of buses and what joins them."""

import itertools

import pandapower as pp
import pytest

from gridai.case import load_case
from gridai.errors import CaseError
from gridai.grid.layout import DRAWN, GEO, layout


def chain() -> pp.pandapowerNet:
    """Three buses in a chain of two lines."""
    net = pp.create_empty_network()
    at = [pp.create_bus(net, 20.0) for _ in range(3)]
    for a, b in itertools.pairwise(at):
        pp.create_line_from_parameters(net, a, b, 1.0, 0.1, 0.1, 0.0, 1.0)
    return net


def test_an_open_end_joins_nothing():
    net = chain()
    assert layout(net).edges == ((0, 1), (1, 2))
    pp.create_switch(net, 1, 1, et="l", closed=False)
    pp.create_switch(net, 0, 0, et="l", closed=True)
    pp.create_switch(net, 0, 2, et="b", closed=True)
    assert layout(net).edges == ((0, 1), (0, 2))


def test_coordinates_of_the_net_or_a_drawing_that_stays():
    assert layout(load_case("cigre_mv").net).source == GEO
    net = chain()
    first = layout(net)
    assert first.source == DRAWN
    assert layout(net).xy == first.xy


def test_a_place_that_is_none_is_named():
    net = chain()
    net.bus["geo"] = "somewhere"
    with pytest.raises(CaseError, match="bus 0: geo = 'somewhere' is no GeoJSON point"):
        layout(net)
