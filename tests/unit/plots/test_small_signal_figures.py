"""Figures of small-signal studies and disturbances: what is named, what long names do, results that hold nothing."""

from __future__ import annotations

import numpy as np

from gridai import plots
from gridai.plots import disturbance, small_signal
from gridai.results import Channel, Limit, Result
from gridai.results.small_signal import Mode, Scan, small_signal_meta


def made(units: int = 4) -> Result:
    shape = {f"unit {k}": (1.0 / (k + 1), 180.0 * (k % 2)) for k in range(units)}
    modes = [Mode(-0.15, 3.42, 0.96, (("unit 0.GENROU.omega_pu", 0.2),), shape)]
    modes.append(Mode(-0.5, 0.6, 0.1, (), shape))
    f_hz = np.geomspace(0.01, 20.0, 50)
    gains = 1e-4 / (1.0 + 1j * (f_hz / 0.5 - 0.5 / f_hz))
    names = (("bus", "9", "f_hz"), ("bus", "8", "f_hz"), ("branch", "8-9", "p_mw"))
    scan = Scan("bus 9", f_hz, names, ("Hz", "Hz", "MW"), np.column_stack([gains, 2 * gains, 1e4 * gains]))
    meta = {"f_hz": 60.0, **small_signal_meta([-0.15 + 3.42j, -0.15 - 3.42j, -1.0], modes, scan)}
    return Result([0.0], np.ones((1, 1)), (Channel("gen", "unit 0", "speed_pu", "pu"),), (), meta)


def test_compass_plots_are_of_swings_of_machines_only():
    figure = plots.mode_shapes(made())
    assert [ax.get_title() for ax in figure.axes] == ["mode 1: 0.544 Hz, damping 4.4 %"]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "unit 0\nunit 2" in texts
    assert "unit 1\nunit 3" in texts


def test_many_names_are_folded():
    assert small_signal._folded(["G5", "G6", "G4", "G7", "G9"]) == "G5 G6 G4\nG7 G9"
    assert small_signal._folded([f"plant {k}" for k in range(9)]).endswith("plant 3 +5")


def test_the_plane_of_eigenvalues_draws_the_limit():
    limit = Limit("mode_damping", "%", low=3.0)
    ax = plots.eigenvalues(made(), [limit]).axes[0]
    labels = [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]
    assert "limit 3 %, unverified" in labels
    assert "swing of machines, numbered as in the table" in labels
    assert "control, numbered as in the table" in labels


def test_the_response_names_the_bus_and_the_peaks():
    figure = plots.response(made())
    assert len(figure.axes) == 2
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[0] == "all 2"
    assert labels[1].startswith("bus 9: peak 0.0998 at 0.483 Hz")
    assert "power at bus 9 (Hz)" in figure.axes[-1].get_xlabel()


def test_results_without_modes_still_draw():
    bare = Result([0.0, 1.0], np.ones((2, 1)), (Channel("gen", "G", "speed_pu", "pu"),), (), {"f_hz": 60.0})
    for draw in (*small_signal.FIGURES.values(), *disturbance.FIGURES.values()):
        assert draw(bare).axes
