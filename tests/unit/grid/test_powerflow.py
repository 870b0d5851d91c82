"""Power flow: what it refuses and why it says it fails."""

import numpy as np
import pandapower
import pandas as pd
import pytest
from pandapower import networks

from gridai.errors import CaseError, PowerFlowError
from gridai.grid import solve


def two_bus(**load):
    net = pandapower.create_empty_network(sn_mva=100.0, f_hz=60.0)
    a, b = pandapower.create_bus(net, 110.0, name="A"), pandapower.create_bus(net, 110.0, name="B")
    pandapower.create_ext_grid(net, a)
    pandapower.create_line_from_parameters(net, a, b, 20.0, 0.06, 0.4, 9.0, 0.5, name="A-B")
    pandapower.create_load(net, b, **{"p_mw": 40.0, "q_mvar": 10.0, **load}, name="L")
    return net


def test_net_is_not_written_to():
    net = two_bus()
    pandapower.create_shunt(net, 1, q_mvar=5.0)
    before = {k: v.copy() for k, v in net.items() if isinstance(v, pd.DataFrame)}
    solve(net)
    for table, rows in before.items():
        pd.testing.assert_frame_equal(net[table], rows)
    assert not net.converged


def test_no_slack():
    net = two_bus()
    net.ext_grid.in_service = False
    with pytest.raises(PowerFlowError, match="no slack: give one gen slack = true"):
        solve(net)


def test_island_with_load_and_no_slack_names_bus_and_load():
    net = two_bus()
    net.line.in_service = False
    with pytest.raises(PowerFlowError, match=r"no slack in an island: bus 'B' .* load 'L' there is in service"):
        solve(net)


def test_bus_out_of_service_on_purpose_is_no_island():
    net = two_bus()
    net.bus.loc[1, "in_service"] = False
    point = solve(net)
    assert "B" not in point.network.node_of_bus
    assert point.network.bus_index["B"] == 1
    assert point.network.off == {"L"}


def test_kilowatt_given_as_megawatt_is_named():
    net = networks.case9()
    net.load.loc[0, "p_mw"] *= 1000.0
    with pytest.raises(PowerFlowError) as caught:
        solve(net)
    text = str(caught.value)
    assert "largest mismatch" in text
    assert "load 'load 5' has p_mw = 90000" in text
    assert "kW given as MW?" in text


def test_branch_and_voltage_suspects_are_named():
    net = networks.case9()
    net.line.loc[3, "x_ohm_per_km"] *= 1000.0
    net.gen.loc[0, "vm_pu"] = 20.0
    with pytest.raises(PowerFlowError, match=r"has vm_pu = 20 \(kV given as pu") as caught:
        solve(net)
    assert "times the usual impedance" in str(caught.value)


def test_every_element_without_counterpart_is_refused_by_name_with_the_way_out():
    net = two_bus()
    pandapower.create_dcline(net, 0, 1, 10.0, 1.0, 0.1, 1.0, 1.0, name="HVDC 1")
    pandapower.create_xward(net, 1, 1.0, 0.5, 0.0, 0.0, 0.1, 0.2, 1.0, name="equivalent")
    with pytest.raises(CaseError) as caught:
        solve(net)
    text = str(caught.value)
    assert "2 faults" in text
    assert "dcline 0 'HVDC 1'" in text
    assert "xward 0 'equivalent'" in text
    assert "replace it by a load" in text


def test_refused_elements_out_of_service_do_not_matter():
    net = two_bus()
    pandapower.create_xward(net, 1, 1.0, 0.5, 0.0, 0.0, 0.1, 0.2, 1.0, in_service=False)
    assert solve(net).mismatch_mva < 1e-6


def test_missing_bus_and_unknown_table_are_refused():
    net = two_bus()
    net.load.loc[0, "bus"] = 77
    net["my_machines"] = pd.DataFrame({"bus": [0], "p_mw": [1.0]})
    with pytest.raises(CaseError, match=r"(?s)bus of load 0 = 77.*unknown element table 'my_machines'"):
        solve(net)


def test_branch_without_impedance_is_named():
    net = two_bus()
    pandapower.create_impedance(net, 0, 1, 0.0, 0.0, 100.0, name="Z0", in_service=False)
    with pytest.raises(CaseError, match="impedance 'Z0' has no impedance"):
        solve(net)


def test_loads_have_their_own_voltage_law_even_where_pandapower_averages():
    """Two laws at one bus and an sgen beside them; the balance with each load's own law."""
    net = two_bus(const_z_p_percent=60.0, const_i_p_percent=20.0, const_z_q_percent=100.0)
    pandapower.create_load(net, 1, 60.0, 5.0, name="M", const_i_p_percent=100.0)
    pandapower.create_load(net, 1, 10.0, 5.0, name="P")
    pandapower.create_sgen(net, 1, 15.0, 2.0, name="PV")
    point = solve(net)
    loads, vm = point.network.loads, point.vm_pu("B")
    assert vm < 0.99
    assert point.mismatch_mva < 5e-6
    expected = {"L": 40.0 * (0.6 * vm**2 + 0.2 * vm + 0.2), "M": 60.0 * vm, "P": 10.0}
    assert dict(zip(loads.name, loads.p_mw, strict=True)) == pytest.approx(expected, abs=1e-6)
    for shares in ((loads.pz, loads.pi, loads.pp), (loads.qz, loads.qi, loads.qp)):
        assert np.abs(sum(shares) - 1.0).max() < 1e-15
    assert loads.pi[1] == 1.0
    assert loads.pz[0] == pytest.approx(0.6 * vm**2 / (0.6 * vm**2 + 0.2 * vm + 0.2))


def test_units_carry_solved_powers_and_ratings():
    network = solve(networks.case9()).network
    units = network.units
    assert units.kind == ("ext_grid", "gen", "gen")
    assert units.name == ("ext_grid 1", "gen 2", "gen 3")
    assert units.p_mw[0] == pytest.approx(71.9547, abs=1e-3)
    assert units.sn_mva[0] == 100.0
    assert np.isnan(units.sn_mva[1])
    assert units.max_p_mw.tolist() == [250.0, 300.0, 270.0]


def test_storage_motor_and_ward_are_loads():
    net = two_bus()
    pandapower.create_storage(net, 1, 3.0, 10.0, q_mvar=1.0, name="S")
    pandapower.create_motor(net, 1, 2.0, 0.9, name="Mot", efficiency_percent=95.0, loading_percent=80.0)
    pandapower.create_ward(net, 1, 1.0, 0.5, 2.0, 1.0, name="W")
    point = solve(net)
    loads = dict(zip(point.network.loads.name, point.network.loads.p_mw, strict=True))
    assert loads == pytest.approx({"L": 40.0, "S": 3.0, "W": 1.0, "Mot": 2.0 / 0.95 * 0.8})
    assert point.network.shunt_pu[point.network.node_of_bus["B"]] == pytest.approx(0.02 - 0.01j)
    assert point.mismatch_mva < 5e-6
