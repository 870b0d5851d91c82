"""The batch against pandapower.runpp, one scenario at a time: voltages, flows, loadings, reactive limits."""

import copy
import inspect
from pathlib import Path

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.case import load_case
from gridai.errors import PowerFlowError
from gridai.grid.batch import BatchFlow, Vary

QUICK = ("case9", "case14", "case39", "case57", "case118", "create_cigre_network_mv")
NOT_A_SOLVABLE_NETWORK = ("case11_iwamoto", "create_empty_network", "pp_elements")  # beyond its nose, empty, a helper


def _without_arguments(function):
    kinds = inspect.signature(function).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in kinds)


ALL = [name for name, make in inspect.getmembers(networks, inspect.isfunction) if _without_arguments(make)]
MORE = [name for name in ALL if name not in (*QUICK, *NOT_A_SOLVABLE_NETWORK)]
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
    """All networks of pandapower that have a solution, 59. Reached at most: 2.0e-10 pu, 1.1e-7 MVA, 9.3e-8 %."""
    net = getattr(networks, name)()
    net = net[0] if isinstance(net, tuple) else net
    flow, varying = BatchFlow(net), loads_vary(net, 3, spread=0.01 if name == "case145" else 0.1)
    result = flow.solve(varying if len(net.load) else [], scenarios=3)
    assert result.solved.all()
    volts, power, loading = apart(net, flow, varying if len(net.load) else [], result, 2)
    assert volts < 1e-8
    assert power < 1e-6
    assert loading < 1e-5


BUNDLED = sorted(p.parent.name for p in (Path(__file__).parents[4] / "cases").glob("*/case.toml"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_cases(name):
    """Every folder of cases/. Reached at most: 7.0e-12 pu (wscc9)."""
    net = load_case(name).net
    if len(net.bus) == 1:
        with pytest.raises(PowerFlowError, match="every energised bus is a slack"):
            BatchFlow(net)
        return
    flow, varying = BatchFlow(net), loads_vary(net, 2, spread=0.05) if len(net.load) else []
    result = flow.solve(varying, scenarios=None if varying else 2)
    assert result.solved.all()
    assert apart(net, flow, varying, result, 1)[0] < 1e-8


def with_laws(net, seed=1):
    """Loads of constant impedance, current and power in random shares, other elements beside them."""
    laws = ["const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent"]
    net.load[laws] = np.random.default_rng(seed).uniform(0.0, 50.0, (len(net.load), 4)).round()
    pandapower.create_sgen(net, int(net.load.bus.iloc[1]), 3.0, q_mvar=1.0)
    pandapower.create_load(net, int(net.load.bus.iloc[2]), 1.0, q_mvar=0.3)
    return net


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["case14", "case39", "case118", "create_cigre_network_mv"])
def test_loads_that_follow_the_voltage(name):
    """As runpp has them. Reached at most: 4.8e-11 pu (case14)."""
    net = with_laws(getattr(networks, name)())
    flow = BatchFlow(net)
    varying = loads_vary(net, 20, spread=0.3)
    varying.append(Vary("sgen", "p_mw", net.sgen.p_mw.to_numpy() * np.linspace(0.0, 2.0, 20)[:, None]))
    result = flow.solve(varying)
    assert result.solved.all()
    for scenario in (0, 11, 19):
        volts, power, loading = apart(net, flow, varying, result, scenario)
        assert volts < 1e-8
        assert power < 1e-6
        assert loading < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["case14", "case39"])
def test_loads_that_follow_the_voltage_under_reactive_limits_and_beyond_the_nose(name):
    """Laws away from units: at its limit pandapower would let a unit follow the law, too. Reached: 9.3e-12 pu."""
    net = with_laws(getattr(networks, name)())
    net.load.loc[net.load.bus.isin(net.gen.bus), [c for c in net.load if c.startswith("const_")]] = 0.0
    flow = BatchFlow(net, enforce_q_lims=True)
    varying = loads_vary(net, 6, spread=0.2)
    result = flow.solve(varying)
    assert result.solved.all()
    assert apart(net, flow, varying, result, 4, enforce_q_lims=True)[0] < 1e-8
    level = np.linspace(1.0, 12.0, 12)[:, None]
    varying = [Vary("load", "p_mw", net.load.p_mw.to_numpy() * level)]
    solved = BatchFlow(net).solve(varying).solved
    for scenario in range(12):
        work = copy.deepcopy(net)
        work.load["p_mw"] = varying[0].values[scenario]
        if solved[scenario]:
            pandapower.runpp(work, calculate_voltage_angles=True, init="dc", max_iteration=40, numba=False)
        else:
            with pytest.raises(pandapower.LoadflowNotConverged):
                pandapower.runpp(work, calculate_voltage_angles=True, init="dc", max_iteration=40, numba=False)
    assert 0 < solved.sum() < 12


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
