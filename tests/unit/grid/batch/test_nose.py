"""Loadability against published and analytic noses, and why a scenario fails."""

import csv

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.errors import CaseError, PowerFlowError, SettingError
from gridai.grid import solve
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.nose import explain, nose

pytestmark = pytest.mark.filterwarnings("ignore")


def times(net, factor, generation):
    """All loads by a factor, and generation with them if asked."""
    out = [Vary("load", c, factor * net.load[c].to_numpy()[None]) for c in ("p_mw", "q_mvar")]
    if generation:
        out.append(Vary("gen", "p_mw", factor * net.gen.p_mw.to_numpy()[None]))
        if len(net.sgen):
            out += [Vary("sgen", c, factor * net.sgen[c].to_numpy()[None]) for c in ("p_mw", "q_mvar")]
    return out


def published(reference_dir, start):
    with open(reference_dir / "published" / "worked_examples.csv", newline="") as f:
        (row,) = [row for row in csv.reader(f) if row and row[0].startswith(start)]
    return row


@pytest.mark.parametrize("name", ["case14", "case30", "case39", "case57", "case118"])
def test_published_load_multipliers(name, reference_dir):
    """Asked 1e-3; reached 1e-5 relative (case118 2e-5, the printed digits)."""
    row = published(reference_dir, f"PV nose, uniform load scaling, no Q limits, pandapower {name}")
    scaled, slack = (float(x) for x in row[2].split("/"))
    net = getattr(networks, name)()
    flow = BatchFlow(net)
    assert 1.0 + nose(flow, times(net, 2.0, True)).factor[0] == pytest.approx(scaled, rel=3e-5)
    assert 1.0 + nose(flow, times(net, 2.0, False)).factor[0] == pytest.approx(slack, rel=3e-5)


def test_matpower_continuation():
    """MATPOWER t_cpf, case9 towards 2.5 times load and generation: 0.99025; reached 0.99026."""
    net = networks.case9()
    found = nose(BatchFlow(net), times(net, 2.5, True))
    assert found.factor[0] == pytest.approx(0.99025, abs=2e-5)
    assert "99.03 % of the change can be made" in found.text(0)


def two_bus():
    net = pandapower.create_empty_network(sn_mva=100.0)
    a, b = pandapower.create_bus(net, 110.0), pandapower.create_bus(net, 110.0, name="far")
    pandapower.create_ext_grid(net, a)
    pandapower.create_impedance(net, a, b, 0.0, 0.1, 100.0)
    pandapower.create_load(net, b, 0.0)
    return net


def test_analytic_nose_and_lowest_short_circuit_ratio():
    """E = 1, x = 0.1: Pmax = cos/(2 x (1 + sin)), V = 1/sqrt(2 (1 + sin)); SCR = (1/x)/Pmax: 2.000, 2.763, 3.191."""
    angle = np.arccos([1.0, 0.95, 0.9, 0.95]) * [1, 1, 1, -1]
    p = np.full(4, 100.0)
    flow = BatchFlow(two_bus())
    found = nose(flow, [Vary("load", "p_mw", p[:, None]), Vary("load", "q_mvar", (p * np.tan(angle))[:, None])],
                 accuracy=1e-8)  # fmt: skip
    assert found.factor == pytest.approx([5.0, 3.6197, 3.1339, 6.9066], abs=1e-4)
    assert found.factor == pytest.approx(np.cos(angle) / (0.2 * (1 + np.sin(angle))), rel=1e-7)
    assert found.vm_pu == pytest.approx([0.7071, 0.6173, 0.5901, 0.8526], abs=3e-4)
    assert (10.0 / found.factor[:3]) == pytest.approx([2.000, 2.763, 3.191], abs=1e-3)
    assert found.bus == (1, 1, 1, 1)


def test_no_limit_and_settings():
    net = networks.case9()
    flow = BatchFlow(net)
    found = nose(flow, [Vary("load", "p_mw", net.load.p_mw.to_numpy()[None])], most=4.0)
    assert np.isinf(found.factor[0])
    assert found.text(0) == "no limit found"
    with pytest.raises(SettingError, match="accuracy"):
        nose(flow, [], accuracy=0.5)
    with pytest.raises(CaseError, match="no direction"):
        nose(flow, [])
    with pytest.raises(CaseError, match="unknown load"):
        nose(flow, [Vary("load", "p_mw", [[1.0]], elements=[8])])


def test_reactive_limits_lower_the_nose():
    net = networks.case14()
    free = nose(BatchFlow(net), times(net, 2.0, False)).factor[0]
    kept = nose(BatchFlow(net, enforce_q_lims=True), times(net, 2.0, False)).factor[0]
    assert 0.1 < kept < 0.6 * free


def test_failed_scenario_is_explained():
    flow = BatchFlow(two_bus())
    varying = [Vary("load", "p_mw", [[100.0], [1000.0], [np.nan]])]
    result = flow.solve(varying)
    assert result.solved.tolist() == [True, False, False]
    text = explain(flow, varying, 1)
    assert "50.00 % of the change can be made, the target lies 2 times beyond" in text
    assert "collapses at bus 'far'" in text
    assert "not finite in load.p_mw" in explain(flow, varying, 2)
    assert explain(flow, varying, 0) == "it has a solution"


def test_single_power_flow_says_how_far_and_where():
    net = two_bus()
    net.load["p_mw"] = 1030.0
    with pytest.raises(PowerFlowError, match=r"4[78].*% of these loads .* \(2.0.* times .*collapses at bus 'far'"):
        solve(net)


def test_single_power_flow_tries_a_thousandth():
    net = networks.case9()
    net.load.loc[0, "p_mw"] *= 1000.0
    with pytest.raises(PowerFlowError, match="with a thousandth of it the power flow solves"):
        solve(net)
