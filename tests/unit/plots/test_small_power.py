"""Axes of power fit a rack of some kW."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gridai.plots import style
from gridai.results import Channel, Result

T = np.linspace(0.0, 10.0, 11)


def drawn(mw: float) -> Result:
    data = np.linspace(0.5 * mw, mw, 11)[:, None]
    return Result(T, data, (Channel("cluster", "rack", "p_mw", "MW"),), (), {"f_hz": 50.0})


@pytest.mark.parametrize(("mw", "span"), [(107.0, 1.0), (3.0, 0.15), (0.043, 0.00215)])
def test_the_least_span_is_a_twentieth_of_a_small_cluster(mw: float, span: float) -> None:
    assert style.power_span(drawn(mw)) == pytest.approx(span, rel=1e-12)
    assert style.power_span(Result(T, np.ones((11, 1)), (Channel("bus", "a", "vm_pu", "pu"),), (), {})) == 1.0


@pytest.mark.parametrize(("mw", "unit", "top"), [(0.043, "kW", 43.0), (3.0, "MW", 3.0)])
def test_a_rack_is_drawn_in_kw(mw: float, unit: str, top: float) -> None:
    figure, axes = plt.subplots()
    axes.plot(T, np.linspace(0.0, mw, 11))
    style.finish(axes, T, "cluster power (MW)", style.power_span(drawn(mw)))
    figure.canvas.draw()
    assert axes.get_ylabel() == f"cluster power ({unit})"
    shown = [float(t.get_text().replace("\N{MINUS SIGN}", "-")) for t in axes.get_yticklabels()]
    assert 0.75 * top < max(shown) < 1.4 * top
    plt.close(figure)
