"""Branch flows from bus voltages: pandapower's own at the start, none when open, star points of transformers."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pandapower as pp
import pytest

from gridai.case import Case, load_case
from gridai.engine import BranchTrip, branch_flows, compile_system, simulate, with_branch_flows
from gridai.errors import ResultError, UnknownNameError


def test_at_the_start_they_are_the_power_flows():
    case = load_case("ieee39")
    system = compile_system(case)
    result = with_branch_flows(system, simulate(system, until_s=0.05))
    net = deepcopy(case.net)
    pp.runpp(net, numba=False)
    for table, loading in ((net.line, net.res_line.p_from_mw), (net.trafo, net.res_trafo.p_hv_mw)):
        found = result.branch.p_mw.iloc[0][table.name.tolist()]
        assert found.to_numpy() == pytest.approx(loading.to_numpy(), abs=1e-4)
    assert result.branch.q_mvar.shape == (len(result.t_s), 46)
    with pytest.raises(ResultError, match="already"):
        with_branch_flows(system, result)


def test_an_open_branch_carries_nothing_and_comes_back():
    system = compile_system(load_case("ieee39"))
    result = simulate(system, [BranchTrip("16-17", 0.1, reclose_s=0.2)], until_s=0.3)
    flow = branch_flows(system, result, ["16-17", "16-21"])
    open_ = (np.arange(len(result.t_s)) >= np.flatnonzero(result.t_s == 0.1)[-1]) & (
        np.arange(len(result.t_s)) < np.flatnonzero(result.t_s == 0.2)[-1]
    )
    assert np.all(flow[open_, 0] == 0.0)
    assert np.all(np.abs(flow[~open_, 0]) > 10.0)
    assert np.all(np.abs(flow[:, 1]) > 10.0)
    with pytest.raises(UnknownNameError, match="16-17"):
        branch_flows(system, result, ["16-18"])


def test_the_star_point_of_a_transformer_balances():
    """Three windings: the flows into the made-up middle point add up to the losses of its branches."""
    net = pp.create_empty_network(f_hz=50.0)
    high, middle, low = (pp.create_bus(net, vn_kv=kv, name=name) for kv, name in ((110, "h"), (20, "m"), (10, "l")))
    pp.create_ext_grid(net, high, s_sc_max_mva=2000.0, rx_max=0.1, name="grid")
    pp.create_transformer3w(net, high, middle, low, std_type="63/25/38 MVA 110/20/10 kV", name="t")
    pp.create_load(net, middle, p_mw=12.0, q_mvar=3.0, name="a")
    pp.create_load(net, low, p_mw=8.0, q_mvar=1.0, name="b")
    system = compile_system(Case.from_pandapower(net, name="star"))
    result = with_branch_flows(system, simulate(system, until_s=0.02))
    start = result.branch.p_mw.iloc[0]
    assert len(start) == 3
    assert start.max() == pytest.approx(20.0, abs=0.3)
    pp.runpp(net, numba=False)
    assert start.max() == pytest.approx(net.res_trafo3w.p_hv_mw.iloc[0], abs=1e-3)
    assert sorted(start) == pytest.approx([8.0, 12.0, 20.0], abs=0.1)
