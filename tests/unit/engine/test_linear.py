"""Linearisation: slopes against closed forms and step halving, zeros by nature, corners, shapes and participants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridai.case import load_case
from gridai.engine import Run, compile_system, linear, linearise, slopes
from gridai.errors import UnknownNameError

H_S, OMEGA0, REACTANCE = 3.5, 2 * np.pi * 60.0, 0.95
"""Kundur example 12.2: inertia [s], base speed [rad/s], reactance from E' to the infinite bus [pu]."""


@pytest.fixture(scope="module")
def systems() -> dict[str, Any]:
    return {name: compile_system(load_case(name)) for name in ("smib", "wscc9", "kundur", "ieee39")}


def damped(kd_pu: float) -> Any:
    case = load_case("smib")
    table = case.dynamics["gencls"].copy()
    table.loc[table["unit"] == "G1", "d_pu"] = kd_pu
    return compile_system(replace(case, dynamics={"gencls": table}))


@pytest.mark.parametrize("kd_pu", [0.0, 10.0, -10.0])
def test_against_the_closed_form_of_one_machine(kd_pu: float):
    """lambda^2 + KD / 2H lambda + KS omega0 / 2H = 0: 1e-6 asked, 1e-9 reached (the infinite bus has x'd 1e-6)."""
    system = damped(kd_pu)
    sig = {d.name: g.view(system.sig0, "y", g.y)[k] for g in system.groups for k, d in enumerate(g.devices)}
    e, delta, bus = sig["G1"].efd_pu, sig["G1"].delta_rad, sig["INF"]
    ks = e * bus.efd_pu * np.cos(delta - bus.delta_rad) / (REACTANCE + 1e-6)
    roots = np.roots([1.0, kd_pu / (2 * H_S), ks * OMEGA0 / (2 * H_S)])
    found = linearise(system)
    assert np.sort_complex(found.eigenvalues) == pytest.approx(np.sort_complex(roots), rel=1e-8)
    assert found.damping[0] == pytest.approx(kd_pu / (2 * H_S) / 2 / abs(roots[0]), abs=1e-9)
    assert found.zeros == found.corners == ()
    assert found.left_out == ("INF.GENCLS.delta_rad", "INF.GENCLS.omega_pu")


@pytest.mark.parametrize("name", ["smib", "wscc9", "kundur", "ieee39"])
def test_eigenvalues_do_not_depend_on_the_step(systems, name: str, monkeypatch: pytest.MonkeyPatch):
    """Half, double and a tenth of the step: 1e-6 of each eigenvalue asked, 2e-10 reached."""
    usual = linearise(systems[name]).eigenvalues
    for factor in (0.5, 2.0, 0.1):
        steps = tuple(factor * h for h in slopes.STEPS)
        run = Run(systems[name])
        other_slopes = slopes.differentiate(run, run.work.x.copy(), steps)
        monkeypatch.setattr(linear, "differentiate", lambda *_, found=other_slopes: found)
        other = linearise(systems[name]).eigenvalues
        monkeypatch.undo()
        gaps = [np.abs(other - value).min() / abs(value) for value in usual if value != 0.0]
        assert max(gaps) < 1e-8


def test_the_common_angle_and_speed_are_exact_zeros_and_named(systems):
    """wscc9: no damping, no governor, constant impedances: angle and speed of all. kundur: the loads hold the speed."""
    found = linearise(systems["wscc9"])
    assert found.zeros == ("common angle", "common speed")
    assert (found.eigenvalues == 0.0).sum() == 2
    first = int(np.flatnonzero(found.eigenvalues == 0.0)[0])
    angle = found.right[:, first] / found.right[found.angles["G1"], first]
    assert np.abs(found.a @ angle).max() < 1e-7
    assert all(angle[k] == pytest.approx(1.0) for k in found.angles.values())
    assert linearise(systems["kundur"]).zeros == ("common angle",)
    assert linearise(systems["ieee39"]).zeros == ("common angle",)


@pytest.mark.parametrize("name", ["smib", "kundur", "ieee39"])
def test_vectors_are_eigenvectors_and_duals(systems, name: str):
    found = linearise(systems[name])
    n = len(found.states)
    assert np.abs(found.left.T @ found.right - np.eye(n)).max() < 1e-6
    residual = found.a @ found.right - found.right * found.eigenvalues
    assert np.abs(residual).max() < 1e-6 * np.abs(found.a).max()
    assert found.participation.sum(axis=0) == pytest.approx(np.ones(n))


def test_shapes_and_participants(systems):
    """Kundur's inter-area mode: areas against each other; its states are angles and speeds."""
    found = linearise(systems["kundur"])
    inter = int(found.oscillations[0])
    assert found.frequency_hz[inter] == pytest.approx(0.545, rel=0.02)
    shape = found.mode_shape(inter)
    assert max(abs(x) for x in shape.values()) == pytest.approx(1.0)
    assert {name for name, x in shape.items() if x.real > 0.0} in ({"G1", "G2"}, {"G3", "G4"})
    assert found.swing_share(inter) > 0.8
    assert [name.split(".")[2] for name, _ in found.participants(inter, 4)].count("omega_pu") == 2
    with pytest.raises(UnknownNameError, match="mode"):
        found.mode_shape(99)


def test_zip_states_that_rest_are_left_out(systems):
    assert linearise(systems["kundur"]).left_out[:2] == ("L7.ZIP.theta_rad", "L7.ZIP.df_pu")


@pytest.mark.parametrize(
    ("function", "slope", "corner"),
    [
        (lambda x: 3.0 * x, 3.0, False),
        (lambda x: np.exp(2.0 * x), 2.0, False),
        (lambda x: np.abs(x), 0.0, True),
        (lambda x: max(x, 0.0), 0.5, True),
        (lambda x: 5.0 * x if abs(x) < 1e-4 else 5.0 * np.sign(x) * 1e-4, 5.0, False),
        (lambda x: 0.0 if abs(x) < 2e-5 else x - np.sign(x) * 2e-5, 0.0, False),
    ],
    ids=["line", "curve", "corner", "one-sided limit", "limit close by", "dead band"],
)
def test_limits_and_dead_bands(function, slope: float, corner: bool):
    """A limit or a dead band nearer than the first step is not smeared over; a corner is noticed."""
    x0 = np.zeros(1)
    found, noticed = slopes._column(
        lambda x: np.array([function(x[0])]), np.array([function(0.0)]), x0, 0, slopes.STEPS
    )
    assert found[0] == pytest.approx(slope, abs=1e-6)
    assert noticed is corner
