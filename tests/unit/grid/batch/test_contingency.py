"""Outages against pandapower with the element out of service, and islands against networkx."""

import copy

import networkx as nx
import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.case import load_case
from gridai.errors import CaseError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.contingency import Contingencies, Outage, double_outages, single_outages
from gridai.grid.cuts import Cuts

pytestmark = pytest.mark.filterwarnings("ignore")


def single(net, outage, islands=(), **options):
    """pandapower with the elements out, living islands with a slack of their own; None if it does not converge."""
    work = copy.deepcopy(net)
    for table, index in outage.elements:
        work[table].loc[index, "in_service"] = False
    for island in islands:
        if island.lives:
            work.gen.loc[island.reference[1], "slack"] = True
            for (table, index), p_mw in island.shares:
                work[table].loc[index, "p_mw"] += p_mw
    asked = {"calculate_voltage_angles": True, "init": "dc", "max_iteration": 30, "numba": False, **options}
    try:
        pandapower.runpp(work, tolerance_mva=1e-10, **asked)
    except pandapower.LoadflowNotConverged:
        return None
    return work


def agree(net, result, which, **options):
    """The same status, the same buses without supply, voltages and loadings; largest distance of voltages. [pu]

    Only magnitudes where islands live: pandapower turns each so that its slack has angle 0.
    """
    worst = 0.0
    for s in which:
        islands = result.prepared.islands.get(s, ())
        apart = any(island.lives for island in islands)
        work = single(net, result.outages[s], islands, **options)
        assert (work is not None) == result.result.solved[s], str(result.outages[s])
        if work is None:
            continue
        v = work.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(work.res_bus.va_degree.to_numpy()))
        own = result.result.vm_pu[s] * np.exp(1j * np.radians(result.result.va_degree[s]))
        if apart:
            v, own = np.abs(v), np.abs(own)
            v[np.isnan(own)] = np.nan  # pandapower feeds the slack's part that has no load
        assert (np.isnan(v) == np.isnan(own)).all()
        gone = net.bus.index[np.isnan(v)]
        assert set(result.prepared.dead_buses[s]) == set(gone) - set(net.bus.index[~net.bus.in_service])
        worst = max(worst, np.nanmax(np.abs(v - own)))
        loading, mine = work.res_line.loading_percent.to_numpy(), result.result.loading_percent("line")[s]
        some = np.isfinite(loading) & np.isfinite(mine)
        assert np.max(np.abs(loading - mine)[some], initial=0.0) < 1e-5
        for name, power in result.result.flows("line").items():
            there, here = work.res_line[name].to_numpy(), power[s]
            both = np.isfinite(there) & np.isfinite(here)
            assert np.max(np.abs(there - here)[both], initial=0.0) < 1e-5
    return worst


@pytest.mark.parametrize(
    ("name", "every"), [("case14", 1), ("case39", 3), ("case118", 12), ("create_cigre_network_mv", 3)]
)
def test_single_outages(name, every):
    """Reached at most: 7.3e-12 pu (case14)."""
    net = getattr(networks, name)()
    result = Contingencies(BatchFlow(net)).run()
    assert len(result.outages) == sum(int(net[t].in_service.sum()) for t in ("line", "trafo"))
    assert agree(net, result, range(0, len(result.outages), every)) < 1e-8


@pytest.mark.slow
def test_three_winding_transformers_and_wards_of_a_large_network():
    net = networks.example_multivoltage()
    result = Contingencies(BatchFlow(net)).run()
    which = [s for s, o in enumerate(result.outages) if o.elements[0][0] == "trafo3w"] + list(range(0, 30, 7))
    assert which[0] > 0
    assert agree(net, result, which) < 1e-8


def test_pairs_those_that_split_and_those_without_solution():
    net = networks.case39()
    engine = Contingencies(BatchFlow(net))
    pairs = double_outages(engine.flow)
    assert len(pairs) == 46 * 45 // 2
    result = engine.run(pairs)
    failed, split = np.flatnonzero(~result.result.solved), np.flatnonzero(result.splits)
    assert len(failed) == 3
    assert agree(net, result, [*failed, *split[::60], *range(5, len(pairs), 150)]) < 1e-8
    some = double_outages(engine.flow, first=[Outage.of("line", 0)])
    assert len(some) == 45


def test_units_and_loads_out():
    """A unit that is the last one of its bus lets the voltage go; what it gave falls on the slack."""
    net = networks.case39()
    engine = Contingencies(BatchFlow(net))
    outages = [*single_outages(engine.flow, ("gen", "load")), Outage((("gen", 3), ("line", 5)))]
    result = engine.run(outages)
    assert agree(net, result, range(0, len(outages), 3)) < 1e-8
    assert agree(net, result, [len(outages) - 1]) < 1e-8


@pytest.mark.parametrize("name", ["case14", "case39", "case118"])
def test_islands_with_a_unit_that_can_hold_them_live(name):
    """Reached at most: 7.5e-12 pu (case118)."""
    net = getattr(networks, name)()
    engine = Contingencies(BatchFlow(net))
    result = engine.run([*single_outages(engine.flow), *double_outages(engine.flow)[::5]])
    living = [k for k, found in result.prepared.islands.items() if any(x.lives for x in found)]
    assert living
    which = living[:: max(1, len(living) // 10)]
    assert agree(net, result, which) < 1e-8
    for k in which:
        work = single(net, result.outages[k], result.prepared.islands[k])
        for island in (x for x in result.prepared.islands[k] if x.lives):
            unit = island.reference[1]
            given = engine.islands.given_mw(island, result.result.v_pu_at(k, island.node))
            assert given == pytest.approx(work.res_gen.p_mw[unit], abs=1e-5)


def test_the_slacks_transformer_leaves_the_grid_to_the_largest_unit():
    """ieee39: 6-31 parts G2 and its 9.2 MW from the rest; what it gave is shared by headroom."""
    net = load_case("ieee39").net
    flow = BatchFlow(net)
    engine = Contingencies(flow)
    step_up = next(int(i) for i in net.trafo.index if net.trafo.name[i] == "6-31")
    result = engine.run([Outage.of("trafo", step_up)])
    (island,) = result.prepared.islands[0]
    assert len(island.buses) == 38
    assert net.gen.name[island.reference[1]] == "G1"
    assert result.lost_mw()[0] == 0.0
    losses = float(flow.net.res_line.pl_mw.sum() + flow.net.res_trafo.pl_mw.sum())
    slack = float(flow.net.res_gen.p_mw[flow.net.gen.slack].iloc[0])
    assert island.short_mw == pytest.approx(slack - 9.2 - losses, abs=1e-6)
    assert agree(net, result, [0]) < 1e-8


def test_islands_that_cannot_live_are_lost_and_say_why():
    net = load_case("ieee39").net
    engine = Contingencies(BatchFlow(net))
    trafo = {str(n): int(i) for i, n in net.trafo.name.items()}
    ready = engine.prepare([Outage.of("trafo", trafo["10-32"]), Outage.of("trafo", trafo["19-20"])])
    (alone,), (short,) = ready.islands[0], ready.islands[1]
    assert "no load" in alone.why
    assert "short of" in short.why
    assert len(ready.dead_buses[1]) == 2


@pytest.mark.parametrize(("name", "up"), [("case14", 1.05), ("case39", 1.05), ("case118", 1.05)])
def test_units_beside_others_keep_their_own_reactive_limits(name, up):
    """Units of equal limits, three at one bus, two slacks at one: each out in turn. Reached: 2.9e-12 pu (case14)."""
    net = getattr(networks, name)()
    net.load[["p_mw", "q_mvar"]] *= up
    bus, vm = int(net.gen.bus.iloc[2]), float(net.gen.vm_pu.iloc[2])
    pandapower.create_gen(net, bus, 20.0, vm_pu=vm, min_q_mvar=-5.0, max_q_mvar=8.0)
    pandapower.create_gen(net, bus, 10.0, vm_pu=vm, min_q_mvar=3.0, max_q_mvar=3.0)
    net.gen.loc[net.gen.index[1], ["min_q_mvar", "max_q_mvar"]] = 10.0
    bus, vm = int(net.gen.bus.iloc[1]), float(net.gen.vm_pu.iloc[1])
    pandapower.create_gen(net, bus, 10.0, vm_pu=vm, min_q_mvar=-3.0, max_q_mvar=-3.0)
    grid = net.ext_grid.iloc[0]
    pandapower.create_ext_grid(net, int(grid.bus), vm_pu=grid.vm_pu, va_degree=grid.va_degree)
    engine = Contingencies(BatchFlow(net, enforce_q_lims=True))
    a, b = net.gen.index[-3:-1]
    pairs = [Outage((("gen", a), ("gen", b))), Outage((("gen", a), ("line", 2))),
             Outage((("gen", a), ("gen", b), ("gen", int(net.gen.index[2]))))]  # fmt: skip
    result = engine.run([*single_outages(engine.flow, ("gen",)), *pairs])
    count = len(result.outages)
    which = sorted({*range(0, count, max(1, count // 8)), 2, *range(count - 6, count)})
    assert agree(net, result, which, enforce_q_lims=True) < 1e-8


def test_outage_of_one_load_among_others_of_another_law_is_refused():
    net = networks.case14()
    net.load.loc[0, "const_z_p_percent"] = 50.0
    pandapower.create_load(net, int(net.load.bus.iloc[0]), 1.0)
    engine = Contingencies(BatchFlow(net))
    with pytest.raises(CaseError, match="different laws"):
        engine.run([Outage.of("load", 0)])


def test_state_before_the_outage_varies_and_threads_agree():
    net = networks.case118()
    engine = Contingencies(BatchFlow(net))
    outages = [Outage.of("line", k) for k in range(40)]
    level = [Vary("load", "p_mw", net.load.p_mw.to_numpy() * np.linspace(0.9, 1.1, 40)[:, None])]
    result = engine.run(outages, varying=level, threads=2)
    net.load["p_mw"] *= 1.1
    work = single(net, outages[39])
    assert np.abs(work.res_bus.vm_pu.to_numpy() - result.result.vm_pu[39]).max() < 1e-8


def test_states_crossed_with_outages():
    net = networks.case39()
    engine = Contingencies(BatchFlow(net))
    ready = engine.prepare([Outage.of("line", 3), Outage.of("line", 11), Outage.of("gen", 2), Outage.of("trafo", 4)])
    level = np.repeat([0.9, 1.05], 4)[:, None] * net.load.p_mw.to_numpy()
    result = engine.run(ready.repeat(2), varying=[Vary("load", "p_mw", level)])
    for k, factor in enumerate((0.9, 1.05)):
        alone = engine.run(ready, varying=[Vary("load", "p_mw", factor * net.load.p_mw.to_numpy() * np.ones((4, 1)))])
        both = np.abs(result.result.vm_pu[4 * k : 4 * k + 4] - alone.result.vm_pu)
        assert np.nanmax(both) < 1e-9
        assert result.prepared.dead_buses[4 * k : 4 * k + 4] == alone.prepared.dead_buses


def test_what_is_lost_is_counted_and_told():
    net = networks.create_cigre_network_mv(with_der=False)
    result = Contingencies(BatchFlow(net)).run([Outage.of("line", 0), Outage.of("line", 2)])
    table = result.table()
    assert table.solved.all()
    assert table.buses_lost[0] == len(net.bus) - 5
    gone = net.load.bus.isin(result.prepared.dead_buses[0])
    assert table.load_lost_mw[0] == pytest.approx((net.load.p_mw * net.load.scaling)[gone].sum())
    assert "2 outages: 0 solved with all buses supplied, 2 solved with buses cut off" in result.summary()


def test_unknown_branch_and_table_are_named():
    engine = Contingencies(BatchFlow(networks.case9()))
    with pytest.raises(CaseError, match="unknown branch in service 'line 77'"):
        engine.run([Outage.of("line", 77)])
    with pytest.raises(CaseError, match="did you mean 'line'"):
        single_outages(engine.flow, ("lines",))
    with pytest.raises(CaseError, match="unknown live element 'gen 9'"):
        engine.run([Outage.of("gen", 9)])


def test_cuts_find_what_networkx_finds():
    """Random multigraphs with two slacks: bridges, and every pair by search."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        one, two = rng.integers(0, 14, 24), rng.integers(0, 14, 24)
        keep = one != two
        one, two = one[keep], two[keep]
        cuts = Cuts(14, one, two, np.array([0, 5]))

        def reached(out, one=one, two=two):
            g = nx.MultiGraph()
            g.add_nodes_from(range(14))
            g.add_edges_from((int(a), int(b)) for k, (a, b) in enumerate(zip(one, two, strict=True)) if k not in out)
            return nx.node_connected_component(g, 0) | nx.node_connected_component(g, 5)

        base = reached(())
        assert set(cuts.never.tolist()) == set(range(14)) - base
        for a in range(len(one)):
            assert set(cuts.dead([a]).tolist()) == base - reached((a,))
            for b in range(a):
                assert set(cuts.dead([a, b]).tolist()) == base - reached((a, b))


@pytest.mark.slow
def test_bridges_of_the_rte_network():
    flow = BatchFlow(networks.case2848rte())
    b, m = flow.matrices.branches, flow.matrices
    cuts = Cuts(len(m.v), b.from_node, b.to_node, np.flatnonzero(m.reference))
    g = nx.MultiGraph(zip(b.from_node.tolist(), b.to_node.tolist(), strict=True))
    ends = zip(b.from_node.tolist(), b.to_node.tolist(), strict=True)
    mine = {frozenset(e) for k, e in enumerate(ends) if len(cuts.dead([k]))}
    assert mine == {frozenset(e) for e in nx.bridges(g)}
