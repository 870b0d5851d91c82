"""Tap changers and capacitors along a time axis: a plain loop of runpp, pandapower's own controllers, hunting."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridai.errors import CaseError, SettingError
from gridai.grid.batch import BatchFlow, Vary
from gridai.grid.series import blocks
from gridai.grid.series_devices import capacitors, find_branch, tap_changers, watched
from gridai.grid.series_switch import Switch, Switching, Watch


def feeder(load_mw: float = 8.0, load_mvar: float = 6.0, step: int = 0) -> Any:
    """110/20 kV with taps, a line, and two banks of three steps at its end."""
    net = pp.create_empty_network()
    hv, lv, end = pp.create_bus(net, 110.0), pp.create_bus(net, 20.0, name="lv"), pp.create_bus(net, 20.0, name="end")
    pp.create_ext_grid(net, hv)
    pp.create_transformer(net, hv, lv, "25 MVA 110/20 kV", name="T1", tap_pos=0)
    pp.create_line(net, lv, end, 6.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="L1")
    pp.create_load(net, end, load_mw, load_mvar)
    for name in ("C1", "C2"):
        pp.create_shunt(net, end, q_mvar=-1.0, name=name, step=step, max_step=3)
    return net


def solved(net: Any) -> Any:
    pp.runpp(net, calculate_voltage_angles=True, init="dc", tolerance_mva=1e-9, numba=False)
    return net


def play(net: Any, switches: Any, t_s: Any, q: Any, chunk: int = 256) -> tuple[Any, Switching, Any]:
    """Positions, float[n, switches], the switches, and voltages, with the load's reactive power varying."""
    flow = BatchFlow(net)
    made = Switching(flow, switches(flow))
    found = list(
        blocks(flow, t_s, lambda a, b: [Vary("load", "q_mvar", q[a:b, None], [0])], switches=made, chunk=chunk)
    )
    return np.concatenate([b.positions for b in found]), made, np.concatenate([b.vm_pu for b in found])


def test_capacitors_are_those_of_a_plain_loop():
    """Two banks at one bus: the same rule written plainly over one runpp a step; voltages of every step."""
    rng = np.random.default_rng(2)
    q = np.clip(5.0 + 4.0 * np.sin(np.arange(120) / 20.0) + rng.normal(0.0, 0.2, 120), 0.0, None)
    t_s = 20.0 * np.arange(120)
    net = feeder()
    aim, band, delay = 1.0, 0.004, 60.0
    got, made, vm = play(net, lambda f: capacitors(f, delay, aim=aim, deadband=band), t_s, q)
    steps, moves, since = [0, 0], [0, 0], [None, None]
    for k, t in enumerate(t_s):
        net.load.at[0, "q_mvar"] = q[k]
        net.shunt["step"] = steps
        v = float(solved(net).res_bus.vm_pu[2])
        assert got[k].tolist() == steps
        assert np.abs(vm[k] - net.res_bus.vm_pu.to_numpy()).max() < 1e-9  # reached: 7e-12
        side = 0 if abs(v - aim) <= band else 1 if v < aim else -1
        ready = []
        for j in range(2):
            own = 0 if (side > 0 and steps[j] == 3) or (side < 0 and steps[j] == 0) else side
            if own == 0:
                since[j] = None
                continue
            if since[j] is None or since[j][1] not in (own, None):
                since[j] = (t, own)
            else:
                since[j] = (since[j][0], own)
            if t - since[j][0] >= delay:
                ready.append(j)
        if ready:
            j = min(ready, key=lambda j: moves[j])
            steps[j] += side
            moves[j] += 1
            since = [(t, None), (t, None)]
    assert made.moves == moves
    assert min(moves) >= 4


LEVELS = np.array([4.0, 9.0, 14.0, 2.0, 0.5, 11.0])


def controlled(*kinds: str) -> tuple[Any, dict[str, Any]]:
    """The feeder with one bank, and pandapower's own controllers of it."""
    from pandapower.control import DiscreteShuntController, DiscreteTapControl

    net = feeder(step=1)
    net.shunt = net.shunt.iloc[:1].copy()
    made = {}
    if "bank" in kinds:
        made["bank"] = DiscreteShuntController(net, 0, 1.0, tol=0.006)
    if "tap" in kinds:
        made["tap"] = DiscreteTapControl(net, 0, 0.985, 1.015)
    return net, made


def ours(*kinds: str) -> Any:
    """The same in gridai: the bank is the quicker one."""

    def make(flow: BatchFlow) -> Any:
        tap = tap_changers(flow, 0.015, 300.0, 1.0) if "tap" in kinds else ()
        bank = capacitors(flow, 20.0, aim=1.0, deadband=0.006) if "bank" in kinds else ()
        return (*tap, *bank)

    return make


@pytest.mark.parametrize("kind", ["tap", "bank"])
def test_final_positions_are_those_of_pandapowers_time_series(kind: str):
    """Loads that stand for an hour: at its end the device stands where pandapower's control loop leaves it."""
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData, OutputWriter, run_timeseries

    net, _ = controlled(kind)
    data = DFData(pd.DataFrame({"q": LEVELS}))
    ConstControl(net, "load", "q_mvar", [0], profile_name=["q"], data_source=data, level=-1)
    writer = OutputWriter(net, output_path=None)
    table, column = ("trafo", "tap_pos") if kind == "tap" else ("shunt", "step")
    writer.log_variable(table, column)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_timeseries(net, time_steps=range(len(LEVELS)), verbose=False, numba=False)
    plain = controlled()[0]
    got, _, _ = play(plain, ours(kind), 10.0 * np.arange(360 * len(LEVELS)), np.repeat(LEVELS, 360), chunk=4096)
    assert got[359::360, 0].tolist() == writer.output[f"{table}.{column}"].iloc[:, 0].astype(int).tolist()
    assert len(set(got[:, 0])) >= 3


def test_where_tap_and_bank_come_to_rest_pandapowers_controllers_rest_too():
    """With both the order decides which of several points of rest is reached; each of ours is one of theirs."""
    plain = controlled()[0]
    got, _, _ = play(
        plain, ours("tap", "bank"), 10.0 * np.arange(360 * len(LEVELS)), np.repeat(LEVELS, 360), chunk=4096
    )
    for k, q in enumerate(LEVELS):
        net, made = controlled("tap", "bank")
        net.load.at[0, "q_mvar"] = q
        net.trafo.at[0, "tap_pos"], net.shunt.at[0, "step"] = got[360 * k + 359]
        solved(net)
        for controller in made.values():
            controller.initialize_control(net)
        made["bank"].step = net.shunt.at[0, "step"]
        assert made["tap"].is_converged(net)
        assert made["bank"].is_converged(net)
    assert len(set(got[:, 0])) >= 3
    assert len(set(got[:, 1])) >= 2


@pytest.mark.parametrize("holds", ["q", "pf"])
def test_reactive_power_and_power_factor_are_held_through_a_branch(holds: str):
    """After each step of the load the transformer's reactive power comes back within the dead band, by runpp too."""
    levels = np.array([5.0, 3.0, 6.0, 1.5])
    t_s, q = 10.0 * np.arange(200 * len(levels)), np.repeat(levels, 200)
    net = feeder()
    aim = {"q": 1.5, "pf": 0.97}[holds]
    got, made, _ = play(net, lambda f: capacitors(f, 30.0, holds=holds, branch="T1", aim=aim), t_s, q)
    band = made.switches[0].deadband
    assert band == pytest.approx(0.65, rel=0.15)  # 0.65 of a step of 1 MVAr and what it does to the losses
    for k in range(199, len(t_s), 200):
        net.load.at[0, "q_mvar"], net.shunt["step"] = q[k], got[k]
        solved(net)
        p, reactive = (float(net.res_trafo.at[0, f"{x}"]) for x in ("p_hv_mw", "q_hv_mvar"))
        off = reactive - aim if holds == "q" else reactive
        wide = band if holds == "q" else max(band, abs(p) * np.tan(np.arccos(aim)))
        at_end = (off > 0 and got[k].sum() == 6) or (off < 0 and got[k].sum() == 0)
        assert abs(off) <= wide or at_end
    assert "of trafo T1" in watched(made.flow, made.switches[0])


def test_what_would_hunt_or_cannot_act_is_refused_by_name():
    net = feeder()
    flow = BatchFlow(net)
    with pytest.raises(CaseError, match=r"C1: dead band 0.001 pu is narrower than half a step, 0\.00\d+ pu"):
        capacitors(flow, 60.0, deadband=0.001)
    with pytest.raises(CaseError, match=r"shunt C1: dead band 0.2 MVAr is narrower"):
        capacitors(flow, 60.0, holds="q", branch="trafo/T1", deadband=0.2)
    with pytest.raises(CaseError, match=r"hunt"):
        tap_changers(flow, 0.001, 30.0)
    with pytest.raises(CaseError, match=r"unknown shunt 'C3'.*C1"):
        capacitors(flow, 60.0, names=["C3"])
    with pytest.raises(SettingError, match="name the branch"):
        capacitors(flow, 60.0, holds="pf")
    with pytest.raises(CaseError, match=r"unknown branch 'T2'.*T1"):
        find_branch(net, "T2")
    other = pp.create_bus(net, 20.0)
    pp.create_line(net, 1, other, 2.0, "NA2XS2Y 1x240 RM/25 12/20 kV", name="L2")
    pp.create_load(net, other, 1.0, 0.2)
    with pytest.raises(CaseError, match="C1: a step moves the reactive power of line L2"):
        capacitors(BatchFlow(net), 60.0, holds="q", branch="L2")
    net.shunt["in_service"] = False
    with pytest.raises(CaseError, match="no shunt can be switched"):
        capacitors(BatchFlow(net), 60.0)


def test_what_hunts_is_named_and_a_longer_delay_rests():
    """A load that changes every 30 s by more than the dead band: with a delay of 20 s a bank runs after it."""
    net = feeder(step=1)
    t_s = 10.0 * np.arange(600)
    q = np.where(np.arange(600) // 3 % 2, 8.0, 4.0)
    quick = play(net, lambda f: capacitors(f, 20.0, deadband=0.006), t_s, q)[1]
    slow = play(net, lambda f: capacitors(f, 60.0, deadband=0.006), t_s, q)[1]
    assert np.isfinite(quick.hunting_s).any()
    assert sum(quick.moves) > 50
    assert np.isnan(slow.hunting_s).all()
    assert sum(slow.moves) == 0


def test_the_quickest_acts_first_where_two_hold_the_same_thing():
    """At coarse steps both are due at once: the bank, with the shorter delay, moves; the tap after it."""
    net = feeder()
    t_s, q = 900.0 * np.arange(40), np.full(40, 7.0)

    def both(flow: BatchFlow) -> Any:
        tap = tap_changers(flow, 0.0125, 300.0, 1.0)[0]
        watch = Watch("voltage", "bus", 1)
        return (tap, *(Switch("shunt", i, watch, 1.0, 0.0125, 60.0, 1) for i in (0, 1)))

    got, _, _ = play(net, both, t_s, q)
    changed = [np.flatnonzero(np.diff(got[:, k])) for k in range(3)]
    assert changed[1][0] == 1  # the first bank: off at the first step, due at the second
    assert len(changed[0]) == 0 or changed[0][0] > changed[2][-1]  # the tap after the banks are at their ends
