"""The batch by itself: certificates, failures that stay where they are, inputs, refusals, order, speed of compiling."""

import subprocess
import sys

import numpy as np
import pandapower
import pandas as pd
import pytest
from pandapower import networks
from scipy.sparse import csr_matrix

from gridai.errors import CaseError, PowerFlowError, SettingError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.batch.order import pattern_of

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def flow():
    return BatchFlow(networks.case39())


def ramp(flow, values):
    return flow.solve([Vary("bus", "p_mw", np.asarray(values, dtype=float)[:, None], elements=[15])])


def test_certificate_is_the_balance_of_the_exact_matrix(flow):
    result = ramp(flow, np.linspace(0.0, 400.0, 21))
    m, v = flow.matrices, result.v_pu
    y = csr_matrix((m.y, m.idx, m.ptr), shape=(39, 39))
    left = np.tile(m.s, (21, 1)) - v * np.conj((y @ v.T).T)
    left[:, m.node_of_bus[15]] -= np.linspace(0.0, 4.0, 21)
    left[:, m.held] = left[:, m.held].real
    left[:, m.reference] = 0.0
    assert np.abs(left).max() < 2e-10
    largest = np.maximum(np.abs(left.real), np.abs(left.imag)).max(axis=1)
    assert np.abs(largest - result.residual).max() < 1e-12


def test_a_step_beyond_the_nose_is_nan_with_a_reason_and_harms_no_other(flow):
    """The failure of pandapower's recycled time series (case39, 5 GW at step 5) does not happen here."""
    level = [0.0, 100.0, 200.0, 300.0, 400.0, 5000.0, 400.0, 300.0, np.nan, 200.0, np.inf, 100.0] * 10
    result = ramp(flow, level)
    alone = ramp(flow, level[:5])
    bad = ~(np.asarray(level) <= 400.0)
    assert (result.solved == ~bad).all()
    assert np.isnan(result.vm_pu[bad]).all()
    assert np.isnan(result.loading_percent("line")[bad]).all()
    assert np.nanmax(np.abs(result.vm_pu[:5] - alone.vm_pu)) < 1e-9
    assert np.nanmax(np.abs(result.vm_pu[6] - alone.vm_pu[4])) < 1e-9
    assert result.reason(0) == ""
    assert "not finite" in result.reason(8)
    assert "of the change from the base case can be made" in result.reason(5)


def test_share_reached_is_the_nose():
    """Two buses behind x = 0.1 pu, unity power factor: Pmax = 5 pu (analytic)."""
    net = pandapower.create_empty_network(sn_mva=100.0)
    a, b = pandapower.create_bus(net, 110.0), pandapower.create_bus(net, 110.0)
    pandapower.create_ext_grid(net, a)
    pandapower.create_impedance(net, a, b, 0.0, 0.1, 100.0)
    pandapower.create_load(net, b, 0.0)
    result = BatchFlow(net).solve([Vary("load", "p_mw", [[499.9], [500.1], [1000.0]])])
    assert result.solved.tolist() == [True, False, False]
    assert result.vm_pu[0, 1] == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert result.reached[2] == pytest.approx(0.5, abs=5e-4)


def test_warm_and_threads_and_block_borders_give_the_same(flow):
    varying = [Vary("load", "p_mw", flow.net.load.p_mw.to_numpy() * np.linspace(0.8, 1.1, 77)[:, None])]
    cold = flow.solve(varying)
    for other in (flow.solve(varying, warm=True), flow.solve(varying, threads=2)):
        assert np.abs(other.vm_pu - cold.vm_pu).max() < 1e-9
        assert np.abs(other.loading_percent("line") - cold.loading_percent("line")).max() < 1e-6
    one = flow.solve([Vary("load", "p_mw", varying[0].values[40:41])])
    assert np.abs(one.vm_pu[0] - cold.vm_pu[40]).max() < 1e-9


def test_low_voltage_solution_is_not_taken():
    net = pandapower.create_empty_network(sn_mva=100.0)
    a, b = pandapower.create_bus(net, 110.0), pandapower.create_bus(net, 110.0)
    pandapower.create_ext_grid(net, a)
    pandapower.create_impedance(net, a, b, 0.0, 0.1, 100.0)
    pandapower.create_load(net, b, 480.0)
    result = BatchFlow(net).solve([Vary("load", "p_mw", np.linspace(0.0, 499.0, 64)[:, None])])
    assert result.solved.all()
    p = np.linspace(0.0, 4.99, 64)
    assert np.abs(result.vm_pu[:, 1] - np.sqrt((1 + np.sqrt(1 - 4 * (0.1 * p) ** 2)) / 2)).max() < 1e-8


def test_dataframe_columns_are_elements_and_scaling_counts():
    net = networks.case9()
    net.load.loc[1, "scaling"] = 0.5
    table = pd.DataFrame({1: [100.0, 80.0]})
    result = BatchFlow(net).solve([Vary("load", "p_mw", table)])
    net.load.loc[1, "p_mw"] = 80.0
    pandapower.runpp(net, calculate_voltage_angles=True, numba=False, tolerance_mva=1e-10)
    assert np.abs(result.vm_pu[1] - net.res_bus.vm_pu.to_numpy()).max() < 1e-9


def test_losses_and_slack_balance_the_loads(flow):
    result = ramp(flow, [0.0, 300.0])
    elsewhere = flow.net.load[~flow.net.load.bus.isin(flow.net.ext_grid.bus)]
    drawn = elsewhere.p_mw.sum() - flow.net.gen.p_mw.sum() + np.array([0.0, 300.0])
    assert np.abs(result.slack_mva().real.sum(axis=1) - drawn - result.losses_mw()).max() < 1e-6


def test_what_is_not_modelled_is_refused_by_name():
    net = networks.case9()
    pandapower.create_svc(net, 3, 1.0, -10.0, 1.0, 90.0)
    net["user_pf_options"] = {"distributed_slack": True}
    with pytest.raises(CaseError, match=r"(?s)2 faults.*svc 0.*distributed_slack"):
        BatchFlow(net)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Vary("lode", "p_mw", [[1.0]]), "unknown table 'lode'; did you mean 'load'"),
        (Vary("load", "p_kw", [[1.0] * 3]), "did you mean 'load.p_mw'"),
        (Vary("load", "p_mw", [[1.0]], elements=[77]), "unknown load '77'"),
        (Vary("load", "p_mw", [1.0, 2.0]), "one row a scenario"),
    ],
)
def test_bad_input_is_named(item, text):
    with pytest.raises(CaseError, match=text):
        BatchFlow(networks.case9()).solve([item])


def test_power_drawn_at_a_dead_bus_is_refused():
    net = networks.case9()
    new = pandapower.create_bus(net, 345.0, in_service=False)
    with pytest.raises(CaseError, match=f"bus {new} is out of service or without supply"):
        BatchFlow(net).solve([Vary("bus", "p_mw", [[1.0]], elements=[new])])


def test_island_without_slack_is_named_and_the_net_is_not_written_to():
    net = networks.case9()
    pandapower.create_bus(net, 345.0)
    before = {k: v.copy() for k, v in net.items() if isinstance(v, pd.DataFrame)}
    flow = BatchFlow(net)
    assert flow.unsupplied == (9,)
    assert np.isnan(flow.solve(scenarios=1).vm_pu[0, 9])
    for table, rows in before.items():
        pd.testing.assert_frame_equal(net[table], rows)


def test_unequal_lengths_and_counts():
    flow = BatchFlow(networks.case9())
    p, q = Vary("load", "p_mw", np.ones((4, 3))), Vary("load", "q_mvar", np.ones((5, 3)))
    with pytest.raises(CaseError, match="has 5 scenarios, the first column has 4"):
        flow.solve([p, q])
    with pytest.raises(SettingError, match="number of scenarios"):
        flow.solve([p], scenarios=7)


def test_base_without_solution_says_why():
    net = networks.case9()
    net.load.loc[0, "p_mw"] *= 1000.0
    with pytest.raises(PowerFlowError, match="kW given as MW"):
        BatchFlow(net)


def test_only_slacks_is_said():
    net = pandapower.create_empty_network()
    pandapower.create_ext_grid(net, pandapower.create_bus(net, 110.0))
    with pytest.raises(PowerFlowError, match="every energised bus is a slack"):
        BatchFlow(net)


def test_order_of_elimination_has_no_more_fill_than_superlu():
    """Minimum degree on case300 against SuperLU's on the same pattern."""
    from scipy.sparse.linalg import splu

    m = BatchFlow(networks.case300()).matrices
    every = np.ones(len(m.v), dtype=bool)
    p = pattern_of(m.ptr, m.idx, every, ~every)
    y = csr_matrix((np.abs(m.y) + 1e-9, m.idx, m.ptr)) + csr_matrix(1e6 * np.eye(len(m.v)))
    lu = splu(y.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    assert len(p.l_idx) + len(m.v) <= 1.05 * lu.L.nnz


def test_import_of_the_package_is_light(child_env):
    code = "import sys, gridai.grid.batch; assert not {'numba', 'pandapower', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=child_env)


def test_two_slacks_at_one_bus_hold_it_together():
    """The same set point for both; different ones are refused. Against runpp: reached 1.9e-13 pu."""
    net = networks.case118()
    grid = net.ext_grid.iloc[0]
    second = pandapower.create_ext_grid(net, int(grid.bus), vm_pu=grid.vm_pu, va_degree=grid.va_degree)
    flow, both = BatchFlow(net), [int(net.ext_grid.index[0]), int(second)]
    result = flow.solve([Vary("ext_grid", "vm_pu", [[1.02, 1.02], [1.05, 1.05]], elements=both)])
    net.ext_grid["vm_pu"] = 1.05
    pandapower.runpp(net, calculate_voltage_angles=True, init="dc", numba=False, tolerance_mva=1e-10)
    assert np.abs(result.vm_pu[1] - net.res_bus.vm_pu.to_numpy()).max() < 1e-9
    with pytest.raises(CaseError, match="different voltage set points"):
        flow.solve([Vary("ext_grid", "vm_pu", [[1.02, 1.03]], elements=both)])
