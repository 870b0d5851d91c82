"""The network as pandapower builds it: admittances, nodes, balance."""

import copy
import warnings
from functools import cache

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.grid import islands, solve, ybus
from gridai.grid.network import mismatch


@cache
def made(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(networks, name)()


def make(name):
    return copy.deepcopy(made(name))


def three_winding():
    """A three-winding transformer with taps, iron losses and an open lv switch; a ward, a shunt, a phase shifter."""
    net = pandapower.create_empty_network(sn_mva=100.0)
    hv, mv, lv, far = (pandapower.create_bus(net, kv, name=n) for n, kv in
                       (("HV", 110.0), ("MV", 20.0), ("LV", 10.0), ("FAR", 110.0)))  # fmt: skip
    pandapower.create_ext_grid(net, hv, vm_pu=1.02)
    pandapower.create_transformer3w_from_parameters(
        net, hv, mv, lv, 110.0, 20.5, 10.2, 40.0, 25.0, 15.0, 10.4, 10.4, 10.4, 0.28, 0.32, 0.35, 30.0, 0.1,
        shift_mv_degree=30.0, tap_side="hv", tap_step_percent=1.2, tap_pos=2, tap_neutral=0, tap_min=-9, tap_max=9,
        tap_changer_type="Ratio", name="T3",
    )  # fmt: skip
    pandapower.create_transformer_from_parameters(
        net, hv, far, 60.0, 110.0, 110.0, 0.3, 9.0, 20.0, 0.1, shift_degree=12.0, name="PST", parallel=2
    )
    pandapower.create_load(net, mv, 12.0, 4.0)
    pandapower.create_load(net, far, 20.0, 4.0)
    pandapower.create_ward(net, lv, 3.0, 1.0, 2.0, 0.5)
    pandapower.create_shunt(net, mv, q_mvar=-2.0, p_mw=0.1, step=2, max_step=2)
    pandapower.create_impedance(net, hv, far, rft_pu=0.01, xft_pu=0.1, rtf_pu=0.02, xtf_pu=0.12, sn_mva=80.0)
    return net


def reference_ybus(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pandapower.runpp(net, numba=False)
    return net._ppc["internal"]["Ybus"], net._ppc["internal"]["V"]


NAMES = ("case9", "case14", "case39", "case118", "case300", "create_cigre_network_mv", "create_cigre_network_hv",
         "example_simple")  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "three_winding"])
def test_ybus_equals_pandapower_and_nothing_is_left_over(name):
    net = three_winding() if name == "three_winding" else make(name)
    point = solve(net)
    network = point.network
    expected, v = reference_ybus(net)
    # reached: 2e-16 of the largest entry
    assert abs(ybus(network) - expected).max() <= 1e-12 * max(1.0, abs(expected).max())
    assert np.abs(point.v - v).max() < 1e-7
    # reached: 6e-7 MVA (case118), set by pandapower's tolerance of 1e-8 pu
    assert np.abs(mismatch(network, point.v)).max() == point.mismatch_mva < 5e-6
    assert len(set(network.nodes)) == len(network.nodes)
    assert len(set(network.branches.name)) == len(network.branches.name)
    assert len(islands(network)) == 1


def test_three_winding_transformer_is_a_star_with_named_centre():
    network = solve(three_winding()).network
    assert "T3: star point" in network.nodes
    assert {"T3 (hv)", "T3 (mv)", "T3 (lv)"} <= set(network.branches.name)
    assert [k for k in network.branches.kind if k == "trafo3w"] == ["trafo3w"] * 3
    ratings = dict(zip(network.branches.name, network.branches.rating_mva, strict=True))
    assert ratings["T3 (mv)"] == 25.0
    assert ratings["PST"] == 120.0
    assert np.isnan(ratings["impedance HV-FAR"])


def test_open_line_ends_and_fused_buses():
    net = make("example_simple")
    point = solve(net)
    network = point.network
    assert any(node.endswith("open to end") for node in network.nodes)
    shared = {}
    for bus, node in network.node_of_bus.items():
        shared.setdefault(node, []).append(bus)
    assert any(len(buses) > 1 for buses in shared.values())
    for index, row in net.bus.iterrows():
        key = next(k for k, i in network.bus_index.items() if i == index)
        if key in network.node_of_bus:
            reference_ybus(net)
            assert point.vm_pu(key) == pytest.approx(net.res_bus.vm_pu[index], abs=1e-9), row["name"]


def test_branch_out_of_service_keeps_its_admittance_and_can_be_closed():
    net = make("case9")
    whole = solve(net)
    net.line.loc[net.line.index[2], "in_service"] = False
    point = solve(net)
    branches = point.network.branches
    assert branches.in_service.sum() == len(net.line) - 1
    assert np.abs(branches.y_ff).min() > 0
    closed = np.ones(len(branches.name), dtype=bool)
    assert abs(ybus(point.network, closed) - ybus(whole.network)).max() < 1e-12
    opened = ybus(point.network)
    f, t = branches.from_node[2], branches.to_node[2]
    assert opened[f, t] == 0


def test_islands_after_opening_branches():
    network = solve(make("case9")).network
    on = network.branches.in_service.copy()
    on[[k for k in range(len(on)) if 3 in (network.branches.from_node[k], network.branches.to_node[k])]] = False
    parts = islands(network, on)
    assert len(parts) >= 2
    assert sum(len(p) for p in parts) == len(network.nodes)


def test_solved_arrays_cannot_be_written():
    point = solve(make("case9"))
    with pytest.raises(ValueError):
        point.v[0] = 1.0
    with pytest.raises(ValueError):
        point.network.branches.in_service[0] = False
