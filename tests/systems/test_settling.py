"""A 100 MW pause without return at bus 16 and at bus 39 of ieee39, followed for 120 s.

The centre of inertia settles at f0 dP / (sum of 1/R + D), where dP is the electrical change actually reached: the pause
less what the loads take back at their higher voltage, and the losses. Nine governors at R = 0.05, no deadband:
144,000 MW per pu. The machines' own D is 0, but GENROU's torque is the turbine's power over its speed (PSS/E), which
acts as a D of the turbines' power, here 6,320 MW per pu: it must stand in the sum, or the answer is 4.2 % off.
Asked: within 1 %. Reached 0.003 % at both buses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster, Pause
from gridai.cluster.workloads import Constant
from gridai.engine import Run, TrainingPause, compile_system, simulate
from gridai.engine.events import thevenin

UNTIL_S = 120.0
PER_PU_MW = 144_000.0


@pytest.fixture(scope="module", params=["16", "39"])
def paused(request: Any) -> Any:
    return request.param, *run_at(request.param)


def run_at(bus: str) -> tuple[Any, Any]:
    """System and result of the pause at a bus."""
    cluster = Cluster.of("H100", count=100_000, workload=Constant())
    system = compile_system(load_case("ieee39").with_cluster(cluster, bus=bus, name="site"))
    pause = TrainingPause("site", Pause(at_s=1.0, pause_mw=100.0))
    return system, simulate(system, [pause], UNTIL_S)


def test_the_frequency_settles_where_the_droops_say(paused: Any) -> None:
    _, system, result = paused
    droops = sum(d.mva / d.values["r_pu"] for g in system.groups if g.model.name == "TGOV1" for d in g.devices)
    damping = sum(d.mva * d.values["d_pu"] for g in system.groups if g.model.role == "machine" for d in g.devices)
    assert (droops, damping) == (PER_PU_MW, 0.0)
    change_mw = (result.gen.p_mw.iloc[0] - result.gen.p_mw.iloc[-1]).sum()
    assert 80.0 < change_mw < 100.0
    damping += result.gen.pm_mw.iloc[-1].sum()
    settled_hz = result.system.f_hz["COI"].iloc[-1] - 60.0
    assert settled_hz == pytest.approx(60.0 * change_mw / (droops + damping), rel=0.01)
    last_10_s = result.system.f_hz["COI"].loc[UNTIL_S - 10.0 :]
    assert np.ptp(last_10_s) < 1e-4  # Hz: it stands still
    assert result.cluster.p_mw["site"].iloc[-1] == pytest.approx(7.125, abs=1e-3)


def test_power_balance_at_the_end(paused: Any) -> None:
    """What the turbines gave up is what the machines deliver less: torque balance at the settled speed."""
    _, _, result = paused
    delivered, driven = result.gen.p_mw.iloc[-1].sum(), result.gen.pm_mw.iloc[-1].sum()
    speed = result.system.f_hz["COI"].iloc[-1] / 60.0
    assert delivered == pytest.approx(driven / speed, rel=1e-6)


def test_the_weaker_bus_moves_more() -> None:
    """Thevenin reactance 0.0121 pu at 16, 0.0037 pu at 39. Its own voltage has moved by 0.0055 and 0.0018 pu
    when the pause is complete, by 0.0057 and 0.0054 pu at most, and by 0.0025 and 0.00003 pu in the end.
    """
    reactance, complete, most, settled = {}, {}, {}, {}
    for bus in ("16", "39"):
        system, result = run_at(bus)
        reactance[bus] = thevenin(Run(system), system.node(bus)).imag
        moved = (result.bus.vm_pu[bus] - result.bus.vm_pu[bus].iloc[0]).abs()
        complete[bus], most[bus], settled[bus] = moved.loc[:1.4].max(), moved.max(), moved.iloc[-1]
    assert reactance["16"] > 3 * reactance["39"]
    assert complete["16"] > 2 * complete["39"]
    assert most["16"] > most["39"]
    assert settled["16"] > settled["39"]
