"""Unbalanced power flow against hand calculation, the balanced flow, and what must hold of any solution."""

import copy

import numpy as np
import pandapower as pp
import pytest
from pandapower import networks

from gridai.errors import CaseError, SettingError
from gridai.grid.batch import BatchFlow
from gridai.grid.phases import PhaseFlow, Vary
from gridai.grid.phases import operator as operators
from gridai.grid.phases.solver import solved

from .feeders import feeder, one_line, with_zero_sequence

PHASES = "abc"


def own_solution(net, kind, s_mva, source):
    """Voltage across one load behind sequence impedances, by its quadratic: v (v - e)^* = -z^* s."""
    z_base, third = 0.4**2 / net.sn_mva, net.sn_mva / 3.0
    row = net.line.iloc[0]
    line1, line0 = (complex(row[f"r{k}_ohm_per_km"], row[f"x{k}_ohm_per_km"]) / z_base for k in ("", "0"))
    size = 1.1 * net.sn_mva / 20.0
    x = size / np.hypot(1.0, 0.5)
    grid1, grid0 = complex(0.5 * x, x), complex(0.3 * 2 * x, 2 * x)
    z1, z2, z0 = line1 + (grid1 if source == "behind" else 0.0), line1 + grid1, line0 + grid0
    if kind == "a":
        z, e = (z0 + z1 + z2) / 3.0, 1.03
    else:
        z, e = z1 + z2, 1.03 * (1.0 - np.exp(-2j * np.pi / 3.0))
    s = s_mva / third
    # with u = v / e: |u|^2 - u + conj(z) s^* ... solved for the high voltage
    k = z * np.conj(s) / abs(e) ** 2
    imag = -k.imag
    real = 0.5 + np.sqrt(0.25 - k.real - imag**2)
    return e * complex(real, imag)


@pytest.mark.parametrize("source", ["stiff", "behind"])
@pytest.mark.parametrize("kind", ["a", "ab"])
def test_one_load_behind_sequence_impedances_by_hand(kind, source):
    net = one_line()
    s = complex(0.006, 0.002)
    column = f"p_{kind}_mw", f"q_{kind}_mvar"
    flow = PhaseFlow(net, source=source)
    r = flow.solve([Vary("bus", c, [[x]], elements=[1]) for c, x in zip(column, (s.real, s.imag), strict=True)])
    v = r.v_pu[0, 1]
    across = v[0] if kind == "a" else v[0] - v[1]
    assert abs(across - own_solution(net, kind, s, source)) < 1e-10  # reached: 7e-12
    assert r.residual[0] < 1e-10  # reached: 2e-11


def test_no_load_gives_the_source():
    r = PhaseFlow(one_line()).solve()
    turn = np.exp(-2j * np.pi / 3.0)
    assert np.abs(r.v_pu[0] - 1.03 * np.array([1.0, turn, turn**2])).max() < 1e-14
    assert r.unbalance_percent.max() < 1e-12


@pytest.mark.parametrize("name", ["case9", "case14", "case39"])
def test_a_balanced_net_gives_the_balanced_flow(name):
    net = with_zero_sequence(getattr(networks, name)())
    r = PhaseFlow(net).solve()
    balanced = BatchFlow(net).solve(scenarios=1)
    want = balanced.vm_pu[0] * np.exp(1j * np.radians(balanced.va_degree[0]))
    assert np.abs(r.v_sequence_pu[0, :, 1] - want).max() < 1e-8  # reached: 6e-11
    assert r.unbalance_percent.max() < 1e-10
    assert np.abs(r.losses_mw() - balanced.losses_mw()).max() < 1e-5  # reached: 2e-8
    for table in ("line", "trafo"):
        if len(net[table]):
            gap = r.loading_percent(table) - balanced.loading_percent(table)
            assert np.abs(gap).max() < 1e-5  # reached: 1e-7


@pytest.mark.parametrize("group", ["Dyn5", "YNyn0", "YNd11", "Yzn5"])
@pytest.mark.parametrize("model", ["t", "pi"])
def test_balanced_loads_behind_a_transformer_with_losses_and_switches(group, model):
    net = feeder(group, earthed=False, between=False, tap=-2)
    net.trafo["pfe_kw"], net.trafo["i0_percent"], net.trafo["parallel"] = 1.5, 0.4, 2
    pp.create_shunt(net, 1, q_mvar=-0.1)
    pp.create_sgen(net, 4, 0.01)
    pp.create_storage(net, 4, 0.02, 0.1, 0.001, scaling=0.5)
    pp.create_ward(net, 3, 0.005, 0.001, 0.004, 0.002)
    pp.create_bus(net, 0.4)
    pp.create_switch(net, 4, 5, "b")
    pp.create_load(net, 5, 0.003)
    pp.create_line(net, 3, 4, 0.1, "NAYY 4x50 SE")
    net.line.loc[net.line.index[-1], ["r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"]] = 1.0
    pp.create_switch(net, 3, int(net.line.index[-1]), "l", closed=False)
    first = PhaseFlow(net, trafo_model=model).solve()
    pp.runpp(net, calculate_voltage_angles=True, trafo_model=model, tolerance_mva=1e-10)
    want = net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(net.res_bus.va_degree.to_numpy()))
    assert np.abs(first.v_sequence_pu[0, :, 1] - want).max() < 1e-8  # reached: 2e-13
    assert first.losses_mw("trafo")[0] == pytest.approx(net.res_trafo.pl_mw.to_numpy(), abs=1e-9)
    assert first.loading_percent("line")[0] == pytest.approx(net.res_line.loading_percent.to_numpy(), abs=1e-6)


@pytest.mark.parametrize("group", ["Dyn11", "YNyn0", "YNyn6", "Yzn5", "YNd5"])
def test_source_gives_what_is_drawn_and_lost(group):
    r = PhaseFlow(feeder(group, earthed=group != "YNd5"), source="behind").solve()
    gap = r.source_mva().sum(axis=(1, 2)).real - r.drawn_mva().real - r.losses_mw()
    assert np.abs(gap).max() < 1e-9  # reached: 2e-13 MW of 0.17
    assert r.losses_mw()[0] == pytest.approx(sum(r.losses_mw(t).sum() for t in ("line", "trafo")), abs=1e-12)


def test_turning_the_phases_turns_the_answer():
    net = feeder("Dyn5")
    turned = copy.deepcopy(net)
    for part in ("p", "q"):
        unit = "mw" if part == "p" else "mvar"
        for a, b in zip("abc", "bca", strict=True):
            turned.asymmetric_load[f"{part}_{b}_{unit}"] = net.asymmetric_load[f"{part}_{a}_{unit}"]
    first, second = (PhaseFlow(n).solve() for n in (net, turned))
    assert np.abs(np.roll(first.vm_pu, 1, axis=2) - second.vm_pu).max() < 1e-13  # reached: 2e-16
    assert np.abs(first.unbalance_percent - second.unbalance_percent).max() < 1e-11
    loading = np.roll(first.loading_by_phase("line"), 1, axis=2)
    assert np.abs(loading - second.loading_by_phase("line")).max() < 1e-10


def test_a_batch_is_its_scenarios_one_by_one_and_a_bad_one_harms_no_other():
    net = feeder("Dyn5")
    flow = PhaseFlow(net)
    p = np.random.default_rng(3).uniform(0.0, 0.02, (40, 3))
    p[7, 1], p[20, 0] = np.nan, 5.0
    columns = [Vary("asymmetric_load", f"p_{x}_mw", p[:, k : k + 1], elements=[0]) for k, x in enumerate("abc")]
    r = flow.solve(columns)
    assert np.flatnonzero(~r.solved).tolist() == [7, 20]
    assert "not finite" in r.reason(7)
    assert "of the loads can be carried; phase a of bus '4' has fallen most" in r.reason(20)
    assert 0.0 < r.reached[20] < 0.2
    assert np.isnan(r.vm_pu[[7, 20]]).all()
    assert np.isnan(r.loading_percent("line")[20]).all()
    for k in (0, 6, 8, 19, 21, 39):
        one = copy.deepcopy(net)
        for j, phase in enumerate("abc"):
            one.asymmetric_load.loc[0, f"p_{phase}_mw"] = p[k, j]
        assert np.abs(PhaseFlow(one).solve().v_pu[0] - r.v_pu[k]).max() < 1e-11  # reached: 1e-14


def test_how_much_can_be_carried_is_the_nose():
    net = one_line()
    s = complex(0.05, 0.02)
    pp.create_asymmetric_load(net, 1, p_a_mw=s.real, q_a_mvar=s.imag)
    net.asymmetric_load["scaling"] = 1e-3
    net.load = net.load.iloc[:0]
    flow = PhaseFlow(net)
    reached = flow.solve([Vary("asymmetric_load", "p_a_mw", [[1e3 * s.real]]),
                          Vary("asymmetric_load", "q_a_mvar", [[1e3 * s.imag]])]).reached[0]  # fmt: skip
    low, high = 0.0, 1.0
    for _ in range(60):  # by hand: the quadratic has a root
        middle = 0.5 * (low + high)
        with np.errstate(invalid="ignore"):
            low, high = (middle, high) if np.isfinite(own_solution(net, "a", middle * s, "stiff")) else (low, middle)
    assert reached == pytest.approx(low, abs=0.004)  # steps of 1/512; reached 0.002


def test_newton_where_the_fixed_point_does_not_contract():
    net = one_line()
    flow = PhaseFlow(net)
    nose = 0.0
    for p in np.linspace(0.005, 0.06, 500):
        with np.errstate(invalid="ignore"):
            nose = p if np.isfinite(own_solution(net, "a", complex(p, 0.4 * p), "stiff")) else nose
    p = 0.999 * nose
    r = flow.solve([Vary("bus", "p_a_mw", [[p]], elements=[1]), Vary("bus", "q_a_mvar", [[0.4 * p]], elements=[1])])
    assert r.solved.all()
    assert r.iterations[0] > 20  # the fixed point gave up
    assert abs(r.v_pu[0, 1, 0] - own_solution(net, "a", complex(p, 0.4 * p), "stiff")) < 1e-8  # reached: 1e-12


@pytest.mark.parametrize("name", ["case14", "case39"])
def test_many_ports_take_the_sparse_way_to_the_same_answer(name, monkeypatch):
    net = with_zero_sequence(getattr(networks, name)())
    bus = int(net.bus.index[-1])
    columns = [Vary("bus", "p_a_mw", [[2.0], [5.0]], elements=[bus]), Vary("bus", "q_ab_mvar", [[0.5], [1.0]], [bus]),
               Vary("gen", "p_mw", [[20.0], [30.0]], elements=[0])]  # fmt: skip
    first = PhaseFlow(net).solve(columns)
    monkeypatch.setattr(operators, "DENSE_PORTS", 0)
    second = PhaseFlow(net).solve(columns)
    assert first.solved.all()
    assert np.abs(first.v_pu - second.v_pu).max() < 1e-11  # reached: 1e-13


def test_gens_hold_the_positive_sequence_and_see_the_negative_one():
    net = with_zero_sequence(networks.case9())
    flow = PhaseFlow(net)
    r = flow.solve([Vary("bus", "p_a_mw", [[5.0]], elements=[8])])
    assert np.abs(np.abs(r.v_sequence_pu[0, 1:3, 1]) - net.gen.vm_pu.to_numpy()).max() < 1e-10
    stiff = copy.deepcopy(net)
    stiff.gen["xdss_pu"] = 1e-4  # a gen of no impedance leaves no negative sequence at its bus
    still = PhaseFlow(stiff).solve([Vary("bus", "p_a_mw", [[5.0]], elements=[8])])
    assert still.unbalance_percent[0, 1] < 0.01 < r.unbalance_percent[0, 1]
    moved = flow.solve([Vary("gen", "vm_pu", [[1.01]], elements=[0]), Vary("ext_grid", "vm_pu", [[1.02]])])
    assert np.abs(moved.v_sequence_pu[0, [0, 1], 1]) == pytest.approx([1.02, 1.01], abs=1e-10)


def test_loads_that_depend_on_voltage():
    net = one_line()
    pp.create_load(net, 1, 0.01, 0.004, const_z_p_percent=100.0, const_z_q_percent=100.0)
    v = PhaseFlow(net).solve().v_sequence_pu[0, 1, 1]
    z, y = complex(0.4, 0.3) / (0.16 / 0.1), complex(0.01, -0.004) / 0.1
    assert abs(v - 1.03 / (1.0 + z * y)) < 1e-12  # a voltage divider
    net.load[["const_z_p_percent", "const_z_q_percent"]] = 0.0
    net.load[["const_i_p_percent", "const_i_q_percent"]] = 100.0
    r = PhaseFlow(net).solve()
    volt = r.v_sequence_pu[0, 1, 1]
    current = np.conj(complex(0.01, 0.004) / 0.1 * abs(volt) / volt)
    assert abs(volt - (1.03 - z * current)) < 1e-9
    with pytest.raises(CaseError, match="depends on voltage"):
        PhaseFlow(net).solve([Vary("load", "p_mw", [[0.01]])])


def test_the_zero_sequence_behind_a_delta_is_not_singular_in_silence():
    net = feeder("YNd5", earthed=False, c0=0.0)
    flow = PhaseFlow(net)
    assert flow.floating == ((2, 3, 4),)
    r = flow.solve()
    assert r.solved.all()
    assert np.abs(r.v_sequence_pu[0, 2:, 0]).max() < 1e-14  # reached: 1e-16
    near = PhaseFlow(feeder("YNd5", earthed=False, c0=1e-3)).solve()
    assert np.abs(near.v_sequence_pu[0, :, 1:] - r.v_sequence_pu[0, :, 1:]).max() < 1e-10
    with pytest.raises(CaseError, match=r"p_a_mw at bus '4' is connected to earth where the zero sequence has no path"):
        flow.solve([Vary("bus", "p_a_mw", [[0.01]], elements=[4])])
    with pytest.raises(CaseError, match=r"asymmetric_load 0 at bus '4'.*connect it between phases"):
        PhaseFlow(feeder("YNd5", c0=0.0))


def test_the_neutral_conductor_carries_the_sum():
    net = one_line()
    r = PhaseFlow(net).solve([Vary("bus", "p_a_mw", [[0.006]], elements=[1])])
    f, t = r.currents_ka("line")
    assert r.neutral_ka("line")[0][0, 0] == pytest.approx(abs(f[0, 0, 0]), rel=1e-9)
    v = r.v_pu[0, 1, 0] * 0.4 / np.sqrt(3.0)
    assert -v * np.conj(t[0, 0, 0]) == pytest.approx(0.006, abs=1e-12)
    assert r.loading_by_phase("line")[0, 0] == pytest.approx([abs(f[0, 0, 0]) * 500.0, 0.0, 0.0], abs=1e-9)
    assert r.zero_percent[0, 1] > r.unbalance_percent[0, 1] > 1.0


def test_what_is_missing_or_not_modelled_is_named():
    net = feeder("Dyn5")
    net.line.loc[[1, 2], "r0_ohm_per_km"] = np.nan
    net.trafo = net.trafo.drop(columns="vector_group")
    net.ext_grid["x0x_max"] = np.nan
    pp.create_motor(net, 3, 0.01, 0.9)
    pp.create_dcline(net, 2, 3, 0.0, 1.0, 0.1, 1.0, 1.0, name="link")
    with pytest.raises(CaseError) as caught:
        PhaseFlow(net)
    text = str(caught.value)
    for part in (
        "column r0_ohm_per_km: is missing for '2-3', '3-4' (2 of 3 in service)", "column vector_group: is missing",
        "column x0x_max: is missing", "motor 'motor 3'", "dcline 'link'" if "dcline 'link'" in text else "dcline '0'",
        "add_zero_impedance_parameters",
    ):  # fmt: skip
        assert part in text, text


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("vector_group", "Dxn5", "is not a vector group"),
        ("vector_group", "Dyn11", "shift_degree = 150 does not fit Dyn11: write 330"),
        ("shift_degree", 0.0, "shift_degree = 0 does not fit Dyn5: write 150"),
        ("shift_degree", 151.0, "a multiple of 30 is needed"),
        ("vkr0_percent", 7.0, "vkr0_percent = 7 is above vk0_percent = 6"),
        ("mag0_percent", np.nan, "mag0_percent missing"),
        ("mag0_percent", 0.0, "mag0_percent = 0: must be above 0"),
    ],
)
def test_transformer_data_that_cannot_be(column, value, says):
    net = feeder("Dyn5")
    net.trafo[column] = value
    with pytest.raises(CaseError, match=says):
        PhaseFlow(net)


def test_a_dyn_without_digits_needs_an_odd_shift():
    net = feeder("Dyn5")
    net.trafo["vector_group"] = "Dyn"
    assert PhaseFlow(net).solve().solved.all()
    net.trafo["shift_degree"] = 0.0
    with pytest.raises(CaseError, match=r"does not fit Dyn: an odd multiple of 30 \(150 for Dyn5\)"):
        PhaseFlow(net)


def test_what_varies_is_checked():
    flow = PhaseFlow(feeder("Dyn5"))
    for item, says in (
        (Vary("loads", "p_mw", [[1.0]]), "unknown table 'loads'; did you mean 'load'"),
        (Vary("bus", "p_d_mw", [[1.0]], elements=[3]), "unknown column of bus"),
        (Vary("bus", "p_a_mw", [[1.0]], elements=[77]), "unknown bus '77'"),
        (Vary("bus", "p_a_mw", [[1.0, 2.0]], elements=[3]), "one column an element"),
    ):
        with pytest.raises(CaseError, match=says):
            flow.solve([item])
    with pytest.raises(CaseError, match="has 2 scenarios, the first column has 1"):
        flow.solve([Vary("load", "p_mw", [[0.1]]), Vary("load", "q_mvar", [[0.1], [0.2]])])
    with pytest.raises(SettingError, match="3 asked, 1 given"):
        flow.solve([Vary("load", "p_mw", [[0.1]])], scenarios=3)
    with pytest.raises(CaseError, match="source = 'soft'"):
        PhaseFlow(feeder("Dyn5"), source="soft")
    with pytest.raises(SettingError, match="tolerance_pu"):
        PhaseFlow(feeder("Dyn5"), tolerance_pu=0.0)


def test_the_net_is_not_written_to():
    net = feeder("Dyn5")
    before = copy.deepcopy(net)
    PhaseFlow(net).solve([Vary("load", "p_mw", [[0.1], [0.2]])])
    for table in ("load", "asymmetric_load", "trafo", "ext_grid", "line", "bus"):
        assert before[table].equals(net[table])
    assert not len(net.res_bus)


def test_magnetising_branch_and_neutral_impedance_by_hand():
    """The lv side of a Dyn and of a Yyn seen from a single load: the T of its zero sequence, by hand."""
    net = feeder("Dyn5", earthed=False, between=False)
    net.line = net.line.iloc[:1].copy()
    net.load = net.load.iloc[:0]
    net.trafo["mag0_percent"], net.trafo["mag0_rx"], net.trafo["si0_hv_partial"] = 800.0, 0.3, 0.7
    net.trafo["rn_ohm"], net.trafo["xn_ohm"] = 0.02, 0.01
    base = 10.0
    z_base = 0.4**2 / base
    turns = (0.41 / 0.4) ** 2
    zk = complex(1.2, np.sqrt(36.0 - 1.44)) / 100.0 * base / 0.4 * turns
    zm = 8.0 * abs(zk) * complex(0.3, 1.0) / np.hypot(0.3, 1.0)
    zn = 3.0 * complex(0.02, 0.01) / z_base
    for group, z0 in (("Dyn5", zn + 0.3 * zk + 0.7 * zk * zm / (0.7 * zk + zm)), ("Yyn0", zn + 0.3 * zk + zm)):
        net.trafo["vector_group"], net.trafo["shift_degree"] = group, 150.0 if group == "Dyn5" else 0.0
        flow = PhaseFlow(net)
        r = flow.solve([Vary("bus", "p_a_mw", [[0.002]], elements=[2])])
        v = r.v_pu[0, 2, 0]
        current = np.conj(0.002 / (base / 3.0) / v)
        assert abs(r.v_sequence_pu[0, 2, 0] + z0 * current / 3.0) < 1e-12  # reached: 1e-17


def test_an_impedance_is_the_line_of_its_values_and_a_switch_with_impedance_too():
    net = one_line()
    pp.create_bus(net, 0.4)
    pp.create_line_from_parameters(net, 1, 2, 1.0, 0.2, 0.1, 0.0, 0.2, r0_ohm_per_km=0.2, x0_ohm_per_km=0.1,
                                   c0_nf_per_km=0.0)  # fmt: skip
    load = [Vary("bus", "p_a_mw", [[0.004]], elements=[2]), Vary("bus", "p_bc_mw", [[0.002]], elements=[2])]
    want = PhaseFlow(net).solve(load)
    other = one_line()
    pp.create_bus(other, 0.4)
    other.line["in_service"] = False
    base = 0.16 / 0.1
    pp.create_impedance(other, 0, 1, 0.4 / base, 0.3 / base, 0.1, rft0_pu=1.3 / base, xft0_pu=0.9 / base,
                        rtf0_pu=1.3 / base, xtf0_pu=0.9 / base)  # fmt: skip
    pp.create_switch(other, 1, 2, "b", z_ohm=abs(complex(0.2, 0.1)))  # pandapower takes R/X = 2
    found = PhaseFlow(other).solve(load)
    assert np.abs(found.v_pu - want.v_pu).max() < 1e-10  # reached: 1e-15
    assert np.abs(found.losses_mw() - want.losses_mw()).max() < 1e-12
    assert np.abs(found.currents_ka("impedance")[0][0, 0] - want.currents_ka("line")[0][0, 0]).max() < 1e-10
    other.impedance = other.impedance.drop(columns="rft0_pu")
    with pytest.raises(CaseError, match=r"column rft0_pu: is missing"):
        PhaseFlow(other)


def test_a_shunt_in_delta_draws_nothing_from_the_zero_sequence():
    star, delta = feeder("Dyn5"), feeder("Dyn5")
    for net in (star, delta):
        pp.create_shunt(net, 4, q_mvar=-0.02, p_mw=0.001)
    delta.shunt["type"] = "delta"
    seqs = [PhaseFlow(net).sequences for net in (star, delta, feeder("Dyn5"))]
    assert abs(seqs[0].shunt[0] - seqs[2].shunt[0]).max() > 1e-3
    assert abs(seqs[1].shunt[0] - seqs[2].shunt[0]).max() < 1e-12
    assert np.array_equal(seqs[0].shunt[1], seqs[1].shunt[1])


def test_open_switches_and_buses_without_supply():
    net = feeder("Dyn5")
    pp.create_switch(net, 3, 2, "l", closed=False)  # the last piece of line is open at bus 3
    flow = PhaseFlow(net)
    assert flow.unsupplied == (4,)
    r = flow.solve()
    assert r.solved.all()
    assert np.isnan(r.vm_pu[0, 4]).all()
    assert np.isfinite(r.vm_pu[0, :4]).all()
    with pytest.raises(CaseError, match="bus '4' is out of service or without supply"):
        flow.solve([Vary("bus", "p_a_mw", [[0.01]], elements=[4])])


def test_one_singular_scenario_leaves_the_others_their_step():
    """NumPy refuses a whole stack for one singular matrix; analytic answers of the others, NaN for it alone."""
    matrices = np.stack([k * np.eye(2) for k in (1.0, 0.0, 2.0, 4.0)])
    good = np.array([True, True, True, False])
    found = solved(matrices, np.ones((4, 2)), good)
    assert found[[0, 2], 0].tolist() == [1.0, 0.5]
    assert np.isnan(found[[1, 3]]).all()
