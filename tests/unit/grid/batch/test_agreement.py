"""The batch against pandapower.runpp, one scenario at a time: voltages, flows, loadings, reactive limits."""

import copy

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.case import load_case
from gridai.grid.batch import BatchFlow, Vary

QUICK = ("case9", "case14", "case39", "case57", "case118", "create_cigre_network_mv")
MORE = (
    "case4gs", "case_ieee30", "case89pegase", "case300", "iceland", "create_cigre_network_hv",
    "create_cigre_network_lv", "mv_oberrhein", "simple_mv_open_ring_net", "four_loads_with_branches_out",
    "case1888rte", "GBnetwork", "example_multivoltage",
)  # fmt: skip
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)]


def with_everything():
    """Phase shift, tap, three windings, open switches at a line and a transformer, impedance, wards, DC line, ..."""
    net = networks.example_multivoltage()
    net.trafo.loc[net.trafo.index[0], "shift_degree"] = 150.0
    net.trafo.loc[net.trafo.index[0], "tap_pos"] = 2
    bus = int(net.load.bus.iloc[0])
    pandapower.create_xward(net, bus, 0.4, 0.1, 0.05, 0.02, 0.2, 0.4, 1.0)
    pandapower.create_ward(net, bus, 0.2, 0.1, 0.1, 0.02)
    high = [int(b) for b in net.bus.index[net.bus.vn_kv == 110.0]]
    pandapower.create_dcline(net, high[0], high[1], 5.0, 1.0, 0.1, 1.0, 1.0)
    pandapower.create_impedance(net, high[0], high[2], 0.01, 0.1, 100.0)
    return net


def apart(net, flow, varying, result, scenario, **options):
    """Largest distance of voltages [pu], powers [MVA] and loadings [%] from runpp in one scenario."""
    work = copy.deepcopy(net)
    for item in varying:
        work[item.table].loc[list(item.elements or work[item.table].index), item.column] = item.values[scenario]
    tight = max(1e-10, 0.01 * flow.tolerance_pu)
    asked = {"calculate_voltage_angles": True, "init": "dc", "max_iteration": 30, "numba": False, **options}
    pandapower.runpp(work, tolerance_mva=tight, **asked)
    v = work.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(work.res_bus.va_degree.to_numpy()))
    own = result.vm_pu[scenario] * np.exp(1j * np.radians(result.va_degree[scenario]))
    assert (np.isnan(v) == np.isnan(own)).all()
    power, loading = 0.0, 0.0
    for table in ("line", "trafo", "trafo3w", "impedance"):
        if len(net[table]):
            res = work[f"res_{table}"]
            for name, value in result.flows(table).items():
                power = max(power, np.nanmax(np.abs(res[name].fillna(0.0).to_numpy() - value[scenario]), initial=0.0))
            if table != "impedance":
                ref, got = res.loading_percent.fillna(0.0).to_numpy(), result.loading_percent(table)[scenario]
                some = np.isfinite(ref) & np.isfinite(got)
                loading = max(loading, np.max(np.abs(ref - got)[some], initial=0.0))
    return np.nanmax(np.abs(v - own)), power, loading


def loads_vary(net, scenarios, spread=0.1, seed=0):
    factor = np.random.default_rng(seed).uniform(1 - spread, 1 + spread, (scenarios, len(net.load)))
    return [Vary("load", column, net.load[column].to_numpy() * factor) for column in ("p_mw", "q_mvar")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_networks_of_pandapower(name):
    """Reached at most: voltages 1.3e-10 (GBnetwork), powers 1.0e-7 MVA (same), loadings 2.5e-8 %."""
    net = getattr(networks, name)()
    flow, varying = BatchFlow(net), loads_vary(net, 3)
    result = flow.solve(varying)
    assert result.solved.all()
    volts, power, loading = apart(net, flow, varying, result, 2)
    assert volts < 1e-8
    assert power < 1e-6
    assert loading < 1e-5


@pytest.mark.parametrize("name", ["ieee39", "ireland", "kundur", "smib", "smib_13_1", "virginia", "wscc9"])
def test_bundled_cases(name):
    """Reached at most: 7.0e-12 pu (wscc9)."""
    net = load_case(name).net
    flow, varying = BatchFlow(net), loads_vary(net, 2, spread=0.05) if len(net.load) else []
    result = flow.solve(varying, scenarios=None if varying else 2)
    assert result.solved.all()
    assert apart(net, flow, varying, result, 1, voltage_depend_loads=False)[0] < 1e-8


@pytest.mark.filterwarnings("ignore")
def test_shift_taps_windings_wards_dc_line_and_open_switches():
    """Reached: 2.3e-13 pu, 5.9e-11 MVA, 1.6e-10 %."""
    net = with_everything()
    flow = BatchFlow(net)
    varying = [*loads_vary(net, 3), Vary("xward", "ps_mw", [[0.1], [0.2], [0.9]], elements=[net.xward.index[-1]])]
    varying.append(Vary("gen", "vm_pu", np.full((3, len(net.gen)), 1.02) + np.arange(3)[:, None] * 0.01))
    result = flow.solve(varying)
    volts, power, loading = apart(net, flow, varying, result, 2)
    assert volts < 1e-8
    assert power < 1e-6
    assert loading < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "up"), [("case14", 1.2), ("case39", 1.0), ("case118", 1.1)])
def test_reactive_limits(name, up):
    """Reached at most: 2.8e-14 pu."""
    net = getattr(networks, name)()
    net.load[["p_mw", "q_mvar"]] *= up
    flow, varying = BatchFlow(net, enforce_q_lims=True), loads_vary(net, 20, spread=0.2)
    result, free = flow.solve(varying), BatchFlow(net).solve(varying)
    assert np.nanmax(np.abs(result.vm_pu - free.vm_pu)) > 1e-3
    for scenario in np.flatnonzero(result.solved)[:2]:
        assert apart(net, flow, varying, result, scenario, enforce_q_lims=True)[0] < 1e-8


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "up"), [("case14", 4.0), ("case39", 1.25), ("case118", 1.8)])
def test_infeasible_scenarios_are_those_that_runpp_does_not_solve(name, up):
    """Loads around the nose, slack takes all: every scenario has the status that runpp gives it."""
    net = getattr(networks, name)()
    factor = up * np.random.default_rng(3).uniform(0.9, 1.1, (12, 1)) * np.ones((1, len(net.load)))
    varying = [Vary("load", column, net.load[column].to_numpy() * factor) for column in ("p_mw", "q_mvar")]
    result = BatchFlow(net).solve(varying)
    single = []
    work = copy.deepcopy(net)
    for s in range(12):
        work.load["p_mw"], work.load["q_mvar"] = varying[0].values[s], varying[1].values[s]
        try:
            pandapower.runpp(work, calculate_voltage_angles=True, init="dc", max_iteration=40, numba=False)
            single.append(True)
        except pandapower.LoadflowNotConverged:
            single.append(False)
    assert result.solved.tolist() == single
    assert 0 < sum(single) < 12
    assert np.isnan(result.vm_pu[~result.solved]).all()
    assert not np.isnan(result.vm_pu[result.solved]).any()


@pytest.mark.filterwarnings("ignore")
def test_sgens_are_clipped_to_their_reactive_range_as_pandapower_does():
    net = networks.case14()
    for bus, q in ((4, 30.0), (9, 5.0)):
        pandapower.create_sgen(net, bus, 10.0, q_mvar=q, min_q_mvar=-8.0, max_q_mvar=12.0)
    flow = BatchFlow(net, enforce_q_lims=True)
    varying = [Vary("sgen", "q_mvar", [[30.0, 5.0], [-20.0, 11.0]])]
    result = flow.solve(varying)
    for scenario in range(2):
        assert apart(net, flow, varying, result, scenario, enforce_q_lims=True)[0] < 1e-8
    assert np.abs(flow.solve(scenarios=1).vm_pu[0] - result.vm_pu[0]).max() < 1e-9
