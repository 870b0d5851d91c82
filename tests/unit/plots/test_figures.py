"""The figures of a pause: what stands in them, how they are written, what they load."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gridai import criteria, plots
from gridai.errors import UnknownNameError
from gridai.plots import pause
from gridai.results import Channel, Result

NERC = criteria.load_profile("nerc-eastern").of("normal")


@pytest.mark.parametrize("name", sorted(pause.FIGURES))
def test_axes_have_units_and_legends(made_up, name):
    figure = plots.FIGURES[name](made_up(), NERC, "a title", "a footer")
    assert any(text.get_text() == "a title" for text in figure.texts)
    for ax in figure.axes:
        assert "(" in ax.get_ylabel()
        assert ax.get_legend() is not None
    assert figure.axes[-1].get_xlabel() == "time (s)"


def legend(ax) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts())


def test_worst_buses_the_clusters_bus_and_limits_are_named(made_up):
    text = legend(plots.voltages(made_up(), NERC).axes[0])
    for words in ("all 39 buses", "bus 16 (ai's bus)", "bus 39 (highest)", "bus 1 (lowest)"):
        assert words in text
    assert "voltage limit 1.05 pu, unverified" in text
    assert "centre of inertia" in legend(plots.frequency(made_up(), NERC).axes[0])
    assert "G10 (from 750.0 MW)" in legend(plots.generator_power(made_up()).axes[0])
    assert "ai at bus 16: drawn" in legend(plots.cluster_power(made_up()).axes[0])


def test_a_limit_far_away_is_named_without_spoiling_the_scale(made_up):
    ax = plots.frequency(made_up(), NERC).axes[0]
    low, high = ax.get_ylim()
    assert high - low < 0.2
    assert "zenith limit 61.8 Hz, unverified, out of view" in legend(ax)


def test_limits_of_a_voltage_class_without_buses_are_left_out(made_up):
    limits = criteria.load_profile("gb").of("normal")
    text = legend(plots.voltages(made_up(), limits).axes[0])
    assert "0.95" in text
    assert "1.1 pu" not in text


def test_figures_of_what_the_result_holds_only():
    t = np.linspace(0.0, 2.0, 481)
    channels = (Channel("gen", "G", "speed_pu", "pu"), Channel("gen", "G", "p_mw", "MW"))
    bare = Result(t, np.column_stack([np.ones_like(t), np.full_like(t, 5.0)]), channels, (),
                  {"f_hz": 60.0, "inertia_mws": {"G": 1.0}})  # fmt: skip
    for draw in plots.FIGURES.values():
        assert draw(bare).axes


def test_gaps_are_drawn_as_gaps(made_up, tmp_path: Path):
    whole = made_up()
    data = whole.data.copy()
    data[1000:1500, :2] = 0.0
    broken = Result(whole.t_s, data, whole.channels, whole.events, whole.meta)
    plots.save_figure(plots.overview(broken, NERC), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_png_by_default_and_svg_on_request(made_up, tmp_path: Path):
    figure = plots.cluster_power(made_up(2.0))
    assert plots.save_figure(figure, tmp_path / "a").name == "a.png"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    plots.save_figure(figure, tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_a_failing_write_leaves_nothing(made_up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figure = plots.cluster_power(made_up(2.0))

    def full_disk(path, **options):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full_disk)
    with pytest.raises(OSError, match="No space"):
        plots.save_figure(figure, tmp_path / "a.png")
    assert os.listdir(tmp_path) == []


def test_drawing_and_saving_all_figures_is_quick(made_up, tmp_path: Path):
    """Under 1.5 s of processor time on a quiet machine (0.9 s reached); the bound here allows for a busy one."""
    result = made_up()
    begin = time.process_time()
    for name, draw in plots.FIGURES.items():
        plots.save_figure(draw(result, NERC), tmp_path / f"{name}.png")
    assert time.process_time() - begin < 4.0


def test_importing_plots_loads_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys; from gridai import plots; print('matplotlib' in sys.modules);"
        "plots.save_figure; print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_any_quantity_can_be_drawn(made_up):
    few = plots.quantity(made_up(), "bus", "vm_pu", ["16", "39"])
    assert few.axes[0].get_ylabel() == "bus vm (pu)"
    assert legend(few.axes[0]) == "16 39"
    assert "all 39" in legend(plots.quantity(made_up(), "bus", "f_hz").axes[0])
    assert plots.quantity(made_up(), "gen", "p_mw").axes[0].get_ylabel() == "gen p (MW)"
    with pytest.raises(UnknownNameError, match="16"):
        plots.quantity(made_up(), "bus", "vm_pu", ["166"])
    with pytest.raises(UnknownNameError, match="vm_pu"):
        plots.quantity(made_up(), "bus", "vm")
