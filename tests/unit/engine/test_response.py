"""Frequency response against the closed form of one machine; inputs, outputs and their faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.cluster import Cluster
from gridai.engine import BusPower, Demand, Run, Signal, compile_system, state_space
from gridai.errors import SettingError, UnknownNameError
from gridai.results.frequency import FILTER_S
from gridai.results.small_signal import peaks

F_HZ = np.array([0.05, 0.3, 1.0, 1.01, 4.0])
H_S, OMEGA0, S_BASE = 3.5, 2 * np.pi * 60.0, 2220.0
"""Kundur example 12.2."""


@pytest.fixture(scope="module")
def smib() -> Any:
    return compile_system(load_case("smib"))


@pytest.fixture(scope="module")
def ieee39() -> Any:
    return compile_system(load_case("ieee39").with_cluster(Cluster.of("H100", count=100_000), bus="16"))


def one_machine(smib: Any) -> dict[str, np.ndarray]:
    """Gains per MW taken at bus HT, from phasors: E' - j0.45 - HT (conductance there) - j0.5 - EB."""
    y = {d.name: g.view(smib.sig0, "y", g.y)[k] for g in smib.groups for k, d in enumerate(g.devices)}
    e0, delta0 = y["G1"].efd_pu, y["G1"].delta_rad
    infinite = y["INF"].efd_pu * np.exp(1j * y["INF"].delta_rad)
    ya, yb = 1.0 / 0.45j, 1.0 / (0.5j + 1e-6j)

    def solved(delta: float, p_pu: float) -> tuple[float, complex]:
        e = e0 * np.exp(1j * delta)
        v0 = (ya * e0 * np.exp(1j * delta0) + yb * infinite) / (ya + yb)
        v = (ya * e + yb * infinite) / (ya + yb + p_pu / abs(v0) ** 2)
        return float((e * np.conj(ya * (e - v))).real), complex(v)

    h = 1e-6
    ks = (solved(delta0 + h, 0.0)[0] - solved(delta0 - h, 0.0)[0]) / (2 * h)
    kp = (solved(delta0, h)[0] - solved(delta0, -h)[0]) / (2 * h) / S_BASE
    v = solved(delta0, 0.0)[1]
    v_delta = (solved(delta0 + h, 0.0)[1] - solved(delta0 - h, 0.0)[1]) / (2 * h)
    v_p = (solved(delta0, h)[1] - solved(delta0, -h)[1]) / (2 * h) / S_BASE
    s = 2j * np.pi * F_HZ
    omega = -kp / (2 * H_S * s + ks * OMEGA0 / s)
    change = omega * OMEGA0 / s
    vm = abs(v) * (change * (v_delta / v).real + (v_p / v).real)
    angle = change * (v_delta / v).imag + (v_p / v).imag
    return {"speed_pu": omega, "vm_pu": vm, "f_hz": angle * s / (2 * np.pi) / (1 + s * FILTER_S)}


def test_one_machine(smib):
    """Speed, voltage and filtered bus frequency per MW at bus HT: within 2e-6, on both sides of the resonance."""
    signals = [Signal("gen", "G1", "speed_pu"), Signal("bus", "HT", "vm_pu"), Signal("bus", "HT", "f_hz")]
    space = state_space(smib, [BusPower("HT")], signals)
    gains = space.response(F_HZ)[:, :, 0]
    expected = one_machine(smib)
    assert space.units == ("pu", "pu", "Hz")
    for k, signal in enumerate(signals):
        assert gains[:, k] == pytest.approx(expected[signal.quantity], rel=2e-6)


def test_a_clusters_demand_passes_its_supplies(ieee39):
    """Drawn power per MW of demand is 1 / (1 + s psu_s)."""
    gains = state_space(ieee39, [Demand("cluster")], [Signal("cluster", "cluster", "p_mw")]).response(F_HZ)[:, 0, 0]
    assert gains == pytest.approx(1.0 / (1.0 + 2j * np.pi * F_HZ * 0.02), rel=1e-6)


def test_flows_into_a_bus_balance_the_power_taken_there(ieee39):
    """The lines around bus 16 bring what is taken there, but for the change of its load with the voltage."""
    lines = ("16-17", "16-19", "16-21", "16-24", "15-16")
    signals = [Signal("branch", name, "p_mw") for name in lines]
    signals += [Signal("load", "L16", "p_mw"), Signal("cluster", "cluster", "p_mw")]
    gains = state_space(ieee39, [BusPower("16")], signals).response(F_HZ)[:, :, 0]
    taken = gains[:, :4].sum(axis=1) + gains[:, 5] + gains[:, 6] + 1.0
    assert taken == pytest.approx(gains[:, 4], abs=1e-2)  # line 15-16 counts at bus 15: its losses change too


def test_measuring_leaves_the_system_as_it_was(ieee39):
    before = Run(ieee39).rhs()(0.0, ieee39.x0)
    state_space(ieee39, [BusPower("16"), Demand("cluster")], [Signal("bus", "39", "va_degree")])
    assert np.array_equal(Run(ieee39).rhs()(0.0, ieee39.x0), before)


@pytest.mark.parametrize(
    ("source", "signal", "words"),
    [
        (BusPower("1x"), Signal("bus", "16", "vm_pu"), "1x"),
        (Demand("clster"), Signal("bus", "16", "vm_pu"), "cluster"),
        (BusPower("16"), Signal("bus", "16", "vm"), "vm_pu"),
        (BusPower("16"), Signal("bus", "166", "vm_pu"), "166"),
        (BusPower("16"), Signal("branch", "16-18", "p_mw"), "16-17"),
        (BusPower("16"), Signal("branch", "16-17", "p"), "p_mw"),
        (BusPower("16"), Signal("gen", "G1", "speed"), "gen/G1/speed_pu"),
    ],
)
def test_unknown_names_list_the_near_ones(ieee39, source, signal, words: str):
    with pytest.raises(UnknownNameError, match=words):
        state_space(ieee39, [source], [signal])


def test_the_matrices_hold_the_filters_too(ieee39):
    """a, b, c, d on their own give what `response` gives."""
    space = state_space(ieee39, [Demand("cluster")], [Signal("bus", "16", "f_hz"), Signal("bus", "16", "vm_pu")])
    s = 2j * np.pi * 0.7
    whole = space.c @ np.linalg.solve(s * np.eye(space.a.shape[0]) - space.a, space.b) + space.d
    assert whole == pytest.approx(space.response(0.7)[0], rel=1e-9)


def test_frequencies_must_be_above_zero(smib):
    space = state_space(smib, [BusPower("HT")], [Signal("gen", "G1", "speed_pu")])
    for bad in (0.0, -1.0, np.nan):
        with pytest.raises(SettingError, match="f_hz"):
            space.response([1.0, bad])


def test_peaks():
    assert peaks(np.array([5.0, 1.0, 2.0, 1.0, 4.0, 3.0, 9.0])) == [4, 2]
