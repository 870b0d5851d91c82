"""Motors of the cooling: steady state, run-down, stall, contactors, and the whole in the engine."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Constant, Facility, MotorClass, RideThrough, UpsClass, motors
from gridai.cluster.facility import Server
from gridai.engine import BusFault, ForceAway, ReturnLoad, compile_system, simulate
from gridai.errors import InitialisationError, SettingError
from gridai.kernel.contract import Start, argument_names, records_of
from gridai.models.loads._motor import at_slip, torque_of
from gridai.results.ride_through import changes

W = 2.0 * np.pi * 60.0
CIRCUIT = {"rs": 0.03, "ls": 1.8, "lp": 0.19, "turn": W * 0.2}


def unit(v: complex = 1.0 + 0.0j, p_pu: float = 0.5, q_pu: float = 0.1, **given: float) -> dict[str, Any]:
    r = {k: np.zeros(1, t).view(np.recarray)[0] for k, t in records_of(motors.MODEL).items()}
    for q in motors.MODEL.params:
        r["p"][q.name] = given.get(q.name, q.default or 0.0)
    r["p"].mva, r["p"].omega_base, r["z"].on = 100.0, W, 1.0
    for m in motors.MODEL.memory:
        r["z"][m.name] = m.start
    r["u"].v_re, r["u"].v_im = v.real, v.imag
    motors.initialise(*(r[k] for k in "pxzuy"), Start(v, p_pu, q_pu))
    return r


def call(r: dict[str, Any], name: str, t: float = 0.0) -> Any:
    f = motors.MODEL.kernels[name]
    known = {**r, "t": t, "v": complex(r["u"].v_re, r["u"].v_im)}
    return f(*(known[a] for a in argument_names(f)))


@pytest.mark.parametrize("slip", [0.0, 0.005, 0.02, 0.1, 0.5, 1.0])
def test_the_torque_slip_curve_is_that_of_the_full_model_at_rest(slip):
    """Against the equations of MOTORW (another file, two-axis form) with one cage."""
    i, e1, e2 = at_slip(0.97 + 0.0j, slip, 0.03, 0.19, ((1.8 - 0.19, 0.2), (0.0, 0.0)), W)
    y = motors.admittance_at(slip, **CIRCUIT)
    assert y * 0.97 == pytest.approx(i, abs=1e-12)
    assert motors.torque_at(0.97, slip, **CIRCUIT) == pytest.approx(torque_of(i, e1, e2), abs=1e-12)


@pytest.mark.parametrize("v", [1.0 + 0.0j, 0.95 * np.exp(0.3j)])
def test_it_starts_at_rest_with_the_power_of_the_power_flow(v):
    r = unit(v)
    call(r, "outputs")
    call(r, "derivatives")
    assert (r["y"].p_pu, r["y"].q_pu) == (pytest.approx(0.5), pytest.approx(0.1))
    assert max(abs(float(r["d"][s.name])) for s in motors.MODEL.states) < 1e-9
    s = -v * np.conj(call(r, "current"))
    assert s == pytest.approx(0.5 + 0.1j)
    assert 0.001 < 1.0 - r["x"].omega_pu < 0.03


def test_without_voltage_it_runs_down_as_its_load_brakes_it():
    """d(omega)/dt = -k omega^2: omega(t) = omega0 / (1 + omega0 k t), k = t0 / (2 H omega0^2)."""
    r = unit()
    r["z"].mode = motors.OFF
    p, h, t = r["p"], 1e-4, 0.0
    omega0 = float(r["x"].omega_pu)
    while t < 1.0:
        call(r, "outputs")
        call(r, "derivatives")
        r["x"].omega_pu += h * r["d"].omega_pu
        t += h
    k = float(p.t0_pu) / (2.0 * 0.5 * omega0**2)
    assert r["x"].omega_pu == pytest.approx(omega0 / (1.0 + omega0 * k * 1.0), rel=1e-4)
    assert call(r, "current") == 0.0


@pytest.mark.parametrize(("v", "p_pu", "words"), [(1.0, 0.0, "must consume"), (0.55, 0.5, "drop at rest")])
def test_starts_that_cannot_be(v, p_pu, words):
    with pytest.raises(InitialisationError, match=words):
        unit(complex(v), p_pu)
    with pytest.raises(InitialisationError, match="pull-out"):
        unit(lfm=1.45, ls_pu=3.0, lp_pu=0.9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"drop_pu": 0.95}, r"back_pu.*above drop_pu"),
        ({"lp_pu": 0.5, "ls_pu": 0.3}, r"lp_pu.*below ls_pu"),
        ({"return_policy": "steps"}, "return_policy"),
        ({"name": "a/b"}, "slash"),
        ({"h_s": 0.0}, "h_s"),
        ({"groups": 0}, "groups"),
        ({"restart_s": math.nan}, "restart_s"),
    ],
)
def test_bad_settings(given, words):
    with pytest.raises(SettingError, match=f"(?s){words}"):
        MotorClass(**given)


def test_spread_and_returns():
    row = MotorClass(groups=4, v_spread_pu=0.04, delay_spread=0.5, return_policy="one-by-one", return_every_s=5.0)
    drawn = [g.values for g in RideThrough((row, UpsClass(share=0.9))).groups()[:4]]
    assert sorted(d["drop_pu"] for d in drawn) == pytest.approx([0.57, 0.59, 0.61, 0.63])
    assert [d["restart_s"] for d in drawn] == [20.0, 25.0, 30.0, 35.0]
    assert [g.model.name for g in RideThrough((row, UpsClass(share=0.9, groups=2))).groups()] == ["COOLMOTOR"] * 4 + [
        "UPSGROUP"
    ] * 2


def played(row: MotorClass, *events: Any, until_s: float = 10.0, x_pu: float = 0.25, **kind: Any) -> Any:
    """A hall of 107 MW, of which a fifth is cooling on the mains, behind x_pu on 100 MVA."""
    ups = UpsClass("it", share=0.8, groups=2, under1_s=1.0, return_s=1.0, walk_s=1.0)
    settings = RideThrough((ups, replace(row, share=0.2, groups=2)))
    cluster = Cluster.of("H100", count=100_000, workload=Constant(), ride_through=settings)
    case = load_case("bench")
    case = replace(case, dynamics={"source": case.dynamics["source"].assign(r_pu=0.1 * x_pu, x_pu=x_pu)})
    system = compile_system(case.with_cluster(cluster, bus="POC", name="dc"))
    return simulate(system, events, until_s=until_s, **kind)


DIP = BusFault("POC", at_s=1.0, clear_s=1.25, x_pu=0.05)


def test_motors_that_hold_slow_down_and_draw_reactive_power_while_they_run_up():
    result = played(MotorClass(drop_pu=0.0), DIP)
    t, q, speed = result.t_s, result.values("ups", "q_mvar")[:, 2], result.values("ups", "speed_pu")[:, 0]
    assert speed.min() < 0.9  # reached: 0.835
    after = (t > 1.2501) & (t < 1.3)
    assert q[after].max() > 5.0 * q[0]  # reached: 20.9 MVAr after 1.5 MVAr
    assert speed[-1] == pytest.approx(speed[0], abs=1e-5)
    vm = result.bus.vm_pu["POC"]
    assert vm[(t > 1.2501) & (t < 1.26)].max() < vm.iloc[0] - 0.1  # reached: 0.834 pu at first, at SCR 4
    assert vm.iloc[-1] == pytest.approx(vm.iloc[0], abs=1e-4)


def test_contactors_drop_and_close_again():
    result = played(MotorClass(restart_s=2.0, drop_s=0.05), DIP)
    moves = [(c.before, c.after, c.cause) for c in changes(result) if "cooling" in c.group]
    assert moves == [("normal", "off", "undervoltage")] * 2 + [("off", "normal", "undervoltage")] * 2
    times = [c.t_s for c in changes(result) if "cooling" in c.group]
    assert times[0] == pytest.approx(1.05, abs=0.01)
    assert times[2] == pytest.approx(1.25 + 2.0, abs=0.05)
    speed = result.values("ups", "speed_pu")[:, 0]
    assert speed.min() < 0.5
    assert speed[-1] == pytest.approx(speed[0], abs=1e-4)
    assert result.values("ups", "p_mw")[:, 2:].max() > 2.0 * result.values("ups", "p_mw")[0, 2]  # 2.27: inrush
    assert result.values("ups", "unserved_mwh")[-1, 2:].min() > 0.0


def test_a_hand_returns_motors_with_the_rest():
    events = (ForceAway("dc", 1.0), ReturnLoad("dc", 4.0, parts=2, every_s=2.0))
    result = played(MotorClass(restart_s=0.5), *events, until_s=12.0)
    assert [round(c.t_s, 3) for c in changes(result) if c.after == "normal" and "cooling" in c.group] == [6.5, 6.5]
    assert result.cluster.p_mw["dc"].iloc[-1] > 0.99 * result.cluster.p_mw["dc"].iloc[0]


def test_steps_converge():
    """Speed while it runs up, against a step eight times shorter. Reached: 1.5e-6 and 3.4e-7 pu, order 2."""
    row = MotorClass(drop_pu=0.0)
    coarse, half, fine = (
        played(row, DIP, until_s=1.6, step_s=h).values("ups", "speed_pu")[-1, 0] for h in (1 / 240, 1 / 480, 1 / 1920)
    )
    assert abs(coarse - fine) < 5e-6
    assert abs(half - fine) < 0.4 * abs(coarse - fine)


def test_the_share_of_the_cooling_is_that_of_the_facility():
    cluster = Cluster.of("H100", count=10_000, facility=Facility(outdoor_c=30.0))
    stages = cluster.stages(5.0)
    assert cluster.cooling_share == pytest.approx(stages.cooling_mw[0] / stages.meter_mw[0], rel=1e-2)
    assert 0.05 < cluster.cooling_share < 0.3
    rest = UpsClass("it", share=1.0 - cluster.cooling_share)
    assert RideThrough((rest, MotorClass(share=cluster.cooling_share))).groups()
    with pytest.raises(SettingError, match="fixed pue"):
        _ = Cluster.of("H100", count=10).cooling_share


def test_supplies_hold_up_longer_at_part_load():
    """20 ms at the rating of all supplies; a server in training loads them to about a third."""
    cluster = Cluster.of("H100", count=8)
    assert 0.04 < cluster.hold_up_s < 0.08
    quick = replace(cluster, facility=Facility(server=Server(hold_up_s=0.01)))
    assert quick.hold_up_s == pytest.approx(0.5 * cluster.hold_up_s, rel=1e-6)
    assert UpsClass("supplies", ups=0, under1_pu=0.7, under1_s=cluster.hold_up_s).under1_s < 0.08


def test_modes_do_not_see_the_energies():
    """States that only count energy have no slope at rest: they are left out of the linear system."""
    from gridai.engine import linearise

    ups = UpsClass("it", share=0.8, groups=2)
    settings = RideThrough((ups, MotorClass(share=0.2, groups=1)))
    cluster = Cluster.of("H100", count=100_000, workload=Constant(), ride_through=settings)
    linear = linearise(compile_system(load_case("wscc9").with_cluster(cluster, "5", balance="slack", name="dc")))
    counting = [n for n in linear.left_out if n.startswith("dc/") and n.endswith("_pu_s")]
    assert len(counting) == 2 * 4 + 1
    assert "dc/cooling1.COOLMOTOR.omega_pu" in linear.states


def test_the_module_says_what_it_is():
    text = motors.__doc__ or ""
    assert text.startswith("COOLMOTOR:")
    assert "Source:" in text
    good = {q.name: q.default or 0.0 for q in motors.PARAMS}
    assert motors.check(good) == []
    assert SimpleNamespace(**dict(motors.check({**good, "back_pu": 0.5}))).back_pu
