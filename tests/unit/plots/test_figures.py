"""The figures of a pause: what stands in them, how they are written, what they load."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from gridai import criteria, plots
from gridai.errors import UnknownNameError
from gridai.plots import pause
from gridai.results import Channel, EventRecord, Limit, Result

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
    assert "steady voltage limit 1.05 pu, unverified" in text
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


def test_every_figure_is_drawn_and_saved_from_a_plain_result(made_up, tmp_path: Path):
    """What a figure needs and the result lacks leaves its panel empty; nothing warns or stops."""
    result = made_up()
    for name, draw in plots.FIGURES.items():
        plots.save_figure(draw(result, NERC), tmp_path / f"{name}.png")
    assert {path.stem for path in tmp_path.iterdir()} == set(plots.FIGURES)


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


def faulted(made_up) -> Result:
    """The made-up run with a fault at bus 1 from 5 s to 5.1 s, and bus 2 dead from then on."""
    whole = made_up()
    data, t = whole.data.copy(), whole.t_s
    names = [c.key for c in whole.channels]
    for key in ("bus/1/v_re_pu", "bus/1/v_im_pu"):
        data[(t >= 5.0) & (t <= 5.1), names.index(key)] *= 0.02
    for key in ("bus/2/v_re_pu", "bus/2/v_im_pu"):
        data[t >= 5.1, names.index(key)] = 0.0
    events = (EventRecord(5.0, "fault", "1", "three-phase fault"), EventRecord(5.1, "clear", "1", "fault cleared"),
              EventRecord(5.1, "island", "2", "de-energised: its island has no source"))  # fmt: skip
    return Result(t, data, whole.channels, events, whole.meta)


def test_a_dip_gets_an_inset_and_a_dead_bus_leaves_the_envelope(made_up):
    figure = plots.voltages(faulted(made_up), NERC)
    wide, inset = figure.axes
    assert inset.get_xlim()[0] < 5.0 < 5.1 < inset.get_xlim()[1] < 6.0
    assert inset.get_title(loc="left") == "fault 1, 5 s"
    text = legend(wide)
    assert "1 of them de-energised for a time" in text
    assert "bus 1 (lowest, lowest after)" in text
    band = wide.collections[0].get_paths()[0].vertices
    assert band[band[:, 0] > 10.0, 1].min() > 0.5


def test_limits_against_time_begin_with_the_dip_and_with_its_clearing(made_up):
    curve = Limit(
        "tolerance_curve",
        "pu",
        edition="ITIC",
        confidence="V",
        settings={"curve": [[0.0, 0.7, 0.02], [0.7, 0.9, 10.0], [0.9, 1.1, float("inf")], [1.1, 1.2, 0.5]]},
    )
    recovery = Limit("transient_voltage_recovery", "pu", low=0.8, settings={"within_s": 2.0, "reference": "initial"})
    ax = plots.voltages(faulted(made_up), (curve, recovery)).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in ax.lines if "ITIC" in str(line.get_label())
             or "recovery" in str(line.get_label())}  # fmt: skip
    below, above, back = (lines[k] for k in sorted(lines, key=lambda k: ("recovery" in k, "below" in k)))
    assert below[:2].tolist() == [[5.02, 0.7], [15.0, 0.9]]
    assert above[0].tolist() == [5.5, 1.1]
    assert back[0].tolist() == [7.1, 0.8]
    assert any("unverified" in str(k) for k in lines)


def test_a_machine_has_one_colour_in_all_panels(made_up):
    figure = plots.machines(made_up())
    looks = [{line.get_label(): (line.get_color(), line.get_linestyle()) for line in ax.lines} for ax in figure.axes]
    speed, power = ({k: v for k, v in panel.items() if str(k).startswith("G")} for panel in looks[1:])
    assert len(speed) == 10
    assert speed == power


@pytest.mark.parametrize("name", ["$x_1", "a$b$", "_hidden", "<script>", "50 % \\frac", "ünit\u202e"])
def test_names_of_a_stranger_s_case_are_shown_as_they_are(made_up, tmp_path: Path, name: str):
    whole = made_up(2.0)
    channels = tuple(Channel(c.kind, name if c.element == "G10" else c.element, c.quantity, c.unit, c.scale)
                     for c in whole.channels)  # fmt: skip
    inertia = {name if k == "G10" else k: x for k, x in whole.meta["inertia_mws"].items()}
    odd = Result(whole.t_s, whole.data, channels, whole.events, {**whole.meta, "inertia_mws": inertia})
    figure = plots.generator_power(odd, (), f"title {name}")
    assert name in legend(figure.axes[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # glyphs that the font does not have
        plots.save_figure(figure, tmp_path / "a.png")
        svg = plots.svg_text(figure)
    assert "<script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/", "")
