"""Tap positions and shunt steps against runpp with the position written into the net."""

import copy

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.errors import CaseError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.batch.taps import TapTable

pytestmark = pytest.mark.filterwarnings("ignore")


def cigre():
    net = networks.create_cigre_network_mv(with_der="pv_wind")
    net.trafo["tap_min"], net.trafo["tap_max"], net.trafo["tap_neutral"], net.trafo["tap_pos"] = -8, 8, 0, 0
    net.trafo["tap_side"], net.trafo["tap_step_percent"], net.trafo["tap_changer_type"] = "hv", 1.25, "Ratio"
    pandapower.create_shunt(net, 5, q_mvar=-0.5, p_mw=0.01, step=1, max_step=3)
    return net


def test_positions_and_steps():
    """Reached: voltages and loadings of runpp within 2.4e-10."""
    net = cigre()
    flow = BatchFlow(net)
    table = TapTable(flow, [("trafo", 0), ("trafo", 1), ("shunt", 0)])
    rng = np.random.default_rng(0)
    where = {("trafo", 0): rng.integers(-8, 9, 40), ("trafo", 1): 3, ("shunt", 0): rng.integers(0, 4, 40)}
    p = net.load.p_mw.to_numpy() * rng.uniform(0.8, 1.2, (40, len(net.load)))
    result = flow.solve([Vary("load", "p_mw", p)], changes=table.changes(where), warm=True)
    assert result.solved.all()
    for s in (0, 13, 39):
        work = copy.deepcopy(net)
        work.load["p_mw"] = p[s]
        work.trafo["tap_pos"] = [where["trafo", 0][s], 3]
        work.shunt["step"] = where["shunt", 0][s]
        pandapower.runpp(work, numba=False, calculate_voltage_angles=True, tolerance_mva=1e-10)
        assert np.abs(work.res_bus.vm_pu.to_numpy() - result.vm_pu[s]).max() < 1e-9
        assert np.abs(work.res_trafo.loading_percent - result.loading_percent("trafo")[s]).max() < 1e-7
        assert np.abs(work.res_trafo.q_hv_mvar - result.flows("trafo")["q_hv_mvar"][s]).max() < 1e-7
        assert work.res_ext_grid.p_mw.sum() == pytest.approx(
            result.slack_mva()[s].real.sum() + net.load.p_mw[net.load.bus == 0].sum() * p[s, 0] / net.load.p_mw[0]
        )


def test_one_position_holds_for_all_scenarios():
    net = cigre()
    flow = BatchFlow(net)
    table = TapTable(flow, [("trafo", 0)])
    p = net.load.p_mw.to_numpy() * np.linspace(0.5, 1.2, 33)[:, None]
    one = flow.solve([Vary("load", "p_mw", p)], changes=table.changes({("trafo", 0): 4}))
    each = flow.solve([Vary("load", "p_mw", p)], changes=table.changes({("trafo", 0): np.full(33, 4)}))
    assert np.abs(one.vm_pu - each.vm_pu).max() < 1e-12
    assert np.abs(one.vm_pu - flow.solve([Vary("load", "p_mw", p)]).vm_pu).max() > 1e-3


def test_three_windings():
    net = networks.example_multivoltage()
    flow = BatchFlow(net)
    result = flow.solve(changes=TapTable(flow, [("trafo3w", 0)]).changes({("trafo3w", 0): [-8, 0, 5]}))
    for s, position in enumerate((-8, 0, 5)):
        work = copy.deepcopy(net)
        work.trafo3w["tap_pos"] = position
        pandapower.runpp(work, numba=False, calculate_voltage_angles=True, tolerance_mva=1e-10, init="dc")
        assert np.nanmax(np.abs(work.res_bus.vm_pu.to_numpy() - result.vm_pu[s])) < 1e-9


def test_devices_and_positions_are_checked():
    flow = BatchFlow(cigre())
    with pytest.raises(CaseError, match="unknown trafo '9'"):
        TapTable(flow, [("trafo", 9)])
    table = TapTable(flow, [("trafo", 0)])
    with pytest.raises(CaseError, match="position 0 to 11 is outside -8 to 8"):
        table.changes({("trafo", 0): [0, 11]})
    with pytest.raises(CaseError, match="device of the table"):
        table.changes({("trafo", 1): [0]})
    with pytest.raises(CaseError, match="state tap_min"):
        TapTable(BatchFlow(networks.create_cigre_network_mv()), [("trafo", 0)])
