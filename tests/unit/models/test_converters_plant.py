"""REPCA1: transfer functions, limits and deadbands alone; monitored branch, remote bus and droop in the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.engine import BranchTrip, LoadStep, compile_system, simulate
from gridai.errors import CaseError, InitialisationError
from gridai.models.plant.repca1 import MODEL

from .controller_bench import Bench
from .renewable_case import at, case, channel

OMEGA = np.array([0.2, 2.0, 20.0])
S = 1j * OMEGA
UNIT = {"regca1": {}, "reecb1": {"qmax_pu": 0.6, "qmin_pu": -0.6}}


def bench(**values: float) -> Bench:
    """The controller alone at 0.8 pu and 0.3 pu without a branch."""
    target = {"p_ref_pu": 0.8, "q_ext_pu": 0.3}
    return Bench(MODEL, **values).start(1.0, target, p_pu=0.8, q_pu=0.3, i_re=0.8, i_im=-0.3)


def system_with(plant: dict[str, Any], **kwargs: Any) -> Any:
    """The engine's system with this plant controller."""
    return compile_system(case({**UNIT, "repca1": plant}, **kwargs))


def test_reactive_paths() -> None:
    pi = (18.0 + 5.0 / S) * (1 + 0.02 * S) / (1 + 0.05 * S)
    b = bench(ref_flag=0.0, tft_s=0.02)
    np.testing.assert_allclose(b.response("dq_ref_pu", "q_ext_pu", OMEGA), pi, rtol=1e-6)
    np.testing.assert_allclose(b.response("q_pu", "q_ext_pu", OMEGA), -pi / (1 + 0.02 * S), rtol=1e-6)
    b = bench(ref_flag=1.0, tft_s=0.02, kc=0.1)
    np.testing.assert_allclose(b.response("v_re", "q_ext_pu", OMEGA), -pi / (1 + 0.02 * S), rtol=1e-6)
    np.testing.assert_allclose(b.response("q_pu", "q_ext_pu", OMEGA), -0.1 * pi / (1 + 0.02 * S), rtol=1e-6)


def test_line_drop_compensation() -> None:
    b = bench(vc_flag=1.0, rc_pu=0.02, xc_pu=0.1)
    b.call("outputs")
    assert b.y.v_comp_pu == pytest.approx(abs(1.0 - (0.02 + 0.1j) * (0.8 - 0.3j)))


def test_active_path_and_frequency() -> None:
    b = bench(f_flag=1.0, kpg=0.1, kig=0.05, tp_s=0.25, tg_s=0.1, dup=20.0)
    pi = (0.1 + 0.05 / S) / (1 + 0.1 * S)
    np.testing.assert_allclose(b.response("dp_ref_pu", "p_ref_pu", OMEGA), pi, rtol=1e-6)
    np.testing.assert_allclose(b.response("p_pu", "p_ref_pu", OMEGA), -pi / (1 + 0.25 * S), rtol=1e-6)
    turning = S / (2 * np.pi * 60) / (1 + 0.02 * S)
    np.testing.assert_allclose(b.response("v_im", "f_pu", OMEGA), turning, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(b.response("v_im", "p_ref_pu", OMEGA), -20.0 * pi * turning, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("slip", "power"),
    [(-0.0006, 0.0), (0.0006, 0.0), (0.0016, -0.02), (-0.0016, 0.03)],
)
def test_droop_outside_the_frequency_deadband(slip: float, power: float) -> None:
    """The turning voltage of a sped-up grid; Ddn 20 above nominal, Dup 30 below."""
    values = {"ddn": 20.0, "dup": 30.0, "fdbd1_pu": -0.0006, "fdbd2_pu": 0.0006, "kpg": 1.0, "kig": 0.0, "tg_s": 0.0}
    b = bench(f_flag=1.0, **values)
    angle = 2 * np.pi * 60.0 * slip
    _, p_ref = b.play(lambda t: {"v": np.exp(1j * angle * t)}, 0.5, "p_ref_pu")
    np.testing.assert_allclose(p_ref[-1] - 0.8, power, atol=1e-5)


def test_limits_are_reached_and_left() -> None:
    """A voltage too low by 0.2 pu: error cut to emax, output at Qmax, back within its lag when the voltage returns."""
    b = bench(kp=2.0, ki=5.0, qmax_pu=0.43, emax_pu=0.1, tfv_s=0.0)
    _, q_ext = b.play(lambda t: {"v": 0.8 if 0.1 < t < 1.1 else 1.0}, 1.5, "q_ext_pu")
    assert q_ext.max() == 0.43
    assert q_ext[-1] < 0.43
    assert b.x.q_int_pu < 0.43
    b = bench(kp=1.0, ki=0.0, emax_pu=0.05, tfltr_s=0.0, tfv_s=0.0, dbd1_pu=-0.01, dbd2_pu=0.01)
    for v, q in ((0.995, 0.3), (0.97, 0.32), (0.9, 0.35), (1.03, 0.28)):
        b.put(v=v)
        b.call("outputs")
        assert b.y.q_ext_pu == pytest.approx(q)


def test_integrator_is_frozen_at_low_voltage() -> None:
    b = bench(vfrz_pu=0.7, kp=0.5)
    b.put(v=0.6)
    b.x.v_pu = 0.95
    assert b.rates()["q_int_pu"] > 0.0
    b.z.frozen = 1.0
    assert b.rates()["q_int_pu"] == 0.0
    assert b.rates()["v_pu"] < 0.0


@pytest.mark.parametrize(("bus", "sign"), [("C", 1.0), ("A", -1.0), ("", -1.0)])
def test_branch_flow_counts_from_the_stated_bus(bus: str, sign: float) -> None:
    """Line A-C carries power from C to A; it goes to zero when the line opens. Empty: the line's first end."""
    system = system_with({"ref_flag": 0.0, "branch": "A-C", "from_bus": bus})
    v, b = system.op.v, system.network.branches
    k = list(b.name).index("A-C")
    f, t = v[b.from_node[k]], v[b.to_node[k]]
    s = t * np.conj(b.y_tf[k] * f + b.y_tt[k] * t) if bus == "C" else f * np.conj(b.y_ff[k] * f + b.y_ft[k] * t)
    assert sign * s.real > 0.0
    result = simulate(system, [BranchTrip("A-C", 1.0, 1.5)], until_s=2.0)
    for quantity, value in (("p_branch_mw", s.real), ("q_branch_mvar", s.imag)):
        np.testing.assert_allclose(at(result, quantity, 0.9), value, atol=1e-6)
        np.testing.assert_allclose(at(result, quantity, 1.2), 0.0, atol=1e-12)
        assert at(result, quantity, 1.9) != 0.0


def test_branch_flow_on_another_base() -> None:
    net = case(UNIT).net
    net.gen.loc[net.gen.name == "pv", "sn_mva"] = 50.0
    system = system_with({"ref_flag": 0.0, "branch": "A-C", "from_bus": "C", "qmax_pu": 0.6}, net=net)
    b, v = system.network.branches, system.op.v
    k = list(b.name).index("A-C")
    f, t = v[b.from_node[k]], v[b.to_node[k]]
    s = t * np.conj(b.y_tf[k] * f + b.y_tt[k] * t)
    group, unit = system.device("pv", ("plant",))
    y = group.view(system.sig0, "y", group.y)[unit]
    np.testing.assert_allclose([y.p_branch_pu, y.q_branch_pu], [2 * s.real, 2 * s.imag], rtol=1e-6)


@pytest.mark.parametrize("bus", ["B", "C"])
def test_voltage_of_the_sensed_bus_is_restored(bus: str) -> None:
    """After a load step the voltage control brings its own bus back, and the other bus not."""
    plant = {"remote_bus": bus, "kp": 2.0, "ki": 5.0, "qmax_pu": 0.6, "qmin_pu": -0.6, "emax_pu": 0.2, "emin_pu": -0.2}
    system = system_with(plant, h_s=0.0)
    result = simulate(system, [LoadStep("load", 20.0, 5.0, at_s=1.0)], until_s=30.0)
    change = (result.bus.vm_pu.iloc[-1] - result.bus.vm_pu.iloc[0]).abs()
    other = "C" if bus == "B" else "B"
    assert change[bus] < 1e-5
    assert change[other] > 1e-3


def test_plant_power_follows_its_droop_at_rest() -> None:
    """Load lost: frequency rises until damping and the plant's droop take it; P = p_plant - 20 (f - 1 - deadband)."""
    plant = {"f_flag": 1.0, "ddn": 20.0, "fdbd1_pu": -0.0005, "fdbd2_pu": 0.0005, "kpg": 0.5, "kig": 2.0}
    result = simulate(system_with(plant), [LoadStep("load", -20.0, 0.0, at_s=1.0)], until_s=40.0)
    slip = channel(result, "speed_pu", "grid")[-1] - 1.0
    assert slip > 0.002
    wanted = channel(result, "p_mw")[0] - 20.0 * (slip - 0.0005)
    np.testing.assert_allclose(channel(result, "p_mw")[-1], wanted, atol=2e-5)


def test_start_outside_a_limit_is_refused_by_name() -> None:
    with pytest.raises(InitialisationError, match=r"qmax_pu = 0\.05"):
        system_with({"qmax_pu": 0.05})
    with pytest.raises(InitialisationError, match=r"pmax_pu = 0\.3"):
        system_with({"f_flag": 1.0, "pmax_pu": 0.3})


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ({"remote_bus": "X"}, "unknown bus 'X'"),
        ({"branch": "A-D"}, "unknown branch 'A-D'"),
        ({"branch": "A-C", "from_bus": "B"}, "not an end of branch 'A-C'"),
        ({"from_bus": "B"}, "no meaning without a branch"),
        ({"branches": "A-C"}, "not a parameter of REPCA1"),
        ({"tft_s": 0.1, "tfv_s": 0.0}, "tfv_s"),
    ],
)
def test_faults_of_the_table_are_named(plant: dict, words: str) -> None:
    with pytest.raises(CaseError, match=words):
        system_with(plant)


def test_links_survive_a_case_folder(tmp_path) -> None:
    plant = {"remote_bus": "B", "branch": "A-C", "from_bus": "C"}
    folder = case({**UNIT, "repca1": plant}).save(tmp_path / "renewable")
    system = compile_system(load_case(folder))
    group, unit = system.device("pv", ("plant",))
    links = group.devices[unit].links
    assert (links.remotes, links.branches["branch"]) == ({"remote_bus": system.node("B")}, (1, 1))
