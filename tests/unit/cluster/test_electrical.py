"""The electronic load: tripping with memory as in the WECC formula, current limit, start, contract."""

from __future__ import annotations

import numpy as np
import pytest

from gridai.cluster import Cluster, PowerSupply
from gridai.cluster import electrical as el
from gridai.errors import InitialisationError, SettingError
from gridai.kernel.contract import Start, records_of

VD1, VD2 = 0.65, 0.60


def unit(p_pu: float = 1.0, q_pu: float = 0.14, v: complex = 1.0 + 0j, **settings: float) -> dict[str, np.ndarray]:
    """Records of one unit, started from a power flow."""
    found = {k: np.zeros(1, dtype=t).view(np.recarray)[0] for k, t in records_of(el.MODEL).items()}
    for name, value in {**PowerSupply(**settings).values(), "mva": 100.0, "s_base_mva": 100.0}.items():
        found["p"][name] = value
    found["z"].on = 1.0
    el.initialise(*(found[k] for k in "pxzuy"), Start(v, p_pu, q_pu))
    found["u"].v_re, found["u"].v_im = v.real, v.imag
    return found


def power(r: dict[str, np.ndarray], v: complex) -> complex:
    """Power consumed at voltage v."""
    return -v * np.conj(el.current(r["p"], r["x"], r["z"], v))


@pytest.mark.parametrize("frcel", [0.0, 0.4, 1.0])
def test_served_fraction_is_the_formula_of_the_wecc_model(frcel: float) -> None:
    assert el.served_fraction(0.9, 0.7, VD1, VD2, frcel) == 1.0
    for v in (0.649, 0.63, 0.601):
        assert el.served_fraction(v, v, VD1, VD2, frcel) == pytest.approx((v - VD2) / (VD1 - VD2))
    for v, low in ((0.64, 0.62), (0.63, 0.60)):
        expected = ((low - VD2) + frcel * (v - low)) / (VD1 - VD2)
        assert el.served_fraction(v, low, VD1, VD2, frcel) == pytest.approx(expected)
    for low in (0.62, 0.60, 0.3):
        floor = max(low, VD2)
        expected = ((floor - VD2) + frcel * (VD1 - floor)) / (VD1 - VD2)
        assert el.served_fraction(1.0, low, VD1, VD2, frcel) == pytest.approx(expected)
    assert el.served_fraction(0.6, 0.6, VD1, VD2, frcel) == 0.0
    assert el.served_fraction(0.1, 0.1, VD1, VD2, frcel) == 0.0


def test_served_fraction_is_continuous_and_within_bounds() -> None:
    v = np.linspace(0.0, 1.1, 2201)
    for low in (0.0, 0.6, 0.61, 0.64, 0.65, 1.0):
        for frcel in (0.0, 0.5, 1.0):
            f = np.array([el.served_fraction(x, low, VD1, VD2, frcel) for x in v])
            assert f.min() >= 0.0
            assert f.max() <= 1.0
            assert np.abs(np.diff(f)).max() <= 0.5e-3 / (VD1 - VD2) + 1e-12


def test_constant_power_then_constant_current_then_none() -> None:
    r = unit()
    for v in (1.1, 1.0, 0.9, 0.87):
        assert power(r, v + 0j) == pytest.approx(1.0 + 0.14j)
    most = abs(el.current(r["p"], r["x"], r["z"], 0.87 + 0j))
    for v in (0.8, 0.5, 0.3):
        assert abs(el.current(r["p"], r["x"], r["z"], v * np.exp(0.3j))) == pytest.approx(most)
        assert power(r, v + 0j).imag / power(r, v + 0j).real == pytest.approx(0.14)
    assert abs(el.current(r["p"], r["x"], r["z"], 0.15 + 0j)) == pytest.approx(most / 2)
    assert el.current(r["p"], r["x"], r["z"], 0j) == 0j


def test_outputs_agree_with_the_current() -> None:
    r = unit(frcel=0.5)
    r["x"].v_pu, r["z"].v_low_pu = 0.64, 0.61
    for v in (0.95 + 0.2j, 0.5 - 0.3j, 0.1 + 0.1j):
        r["u"].v_re, r["u"].v_im = v.real, v.imag
        el.outputs(*(r[k] for k in "pxzuy"))
        assert r["y"].p_pu + 1j * r["y"].q_pu == pytest.approx(power(r, v))
    assert r["y"].served == pytest.approx(0.5)
    assert r["y"].demand_pu == pytest.approx(1.0)


def test_starts_at_rest_from_the_power_flow() -> None:
    v = 0.98 * np.exp(0.2j)
    r = unit(p_pu=0.8, q_pu=0.1, v=v)
    assert r["u"].p_demand_mw == pytest.approx(80.0)
    el.derivatives(*(r[k] for k in "pxzud"))
    assert [float(r["d"][name]) for name in ("p_psu_pu", "v_pu")] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert power(r, v) == pytest.approx(0.8 + 0.1j)
    el.track(r["p"], r["x"], r["z"])
    assert r["z"].v_low_pu == pytest.approx(0.98)
    assert power(unit(p_pu=0.0, q_pu=0.0), 1.0 + 0j) == 0j


def test_lags_have_the_stated_time_constants() -> None:
    r = unit()
    r["u"].p_demand_mw, r["u"].v_re = 40.0, 0.5
    el.derivatives(*(r[k] for k in "pxzud"))
    assert r["d"].p_psu_pu == pytest.approx((0.4 - 1.0) / 0.02)
    assert r["d"].v_pu == pytest.approx((0.5 - 1.0) / 0.02)


@pytest.mark.parametrize(("frcel", "left"), [(1.0, 1.0), (0.25, 0.25)])
def test_a_dip_and_its_recovery(frcel: float, left: float) -> None:
    r = unit(frcel=frcel)
    served = []
    for k in range(2000):
        r["u"].v_re = 0.3 if 200 <= k < 700 else 1.0
        el.derivatives(*(r[q] for q in "pxzud"))
        for name in ("p_psu_pu", "v_pu"):
            r["x"][name] += 1e-4 * r["d"][name]
        el.track(r["p"], r["x"], r["z"])
        el.outputs(*(r[q] for q in "pxzuy"))
        served.append(float(r["y"].served))
    assert served[199] == 1.0
    assert min(served) == 0.0
    assert served[-1] == pytest.approx(left)
    trip_s = 1e-4 * (np.flatnonzero(np.array(served) < 1.0)[0] - 200)
    assert trip_s == pytest.approx(0.02 * np.log(0.7 / 0.35), abs=3e-4)  # 0.3 + 0.7 exp(-t/0.02) = 0.65


def test_refuses_a_start_that_is_none() -> None:
    with pytest.raises(InitialisationError, match=r"0\.800 pu, v_min_pu = 0\.87 pu"):
        unit(v=0.8 + 0j)
    with pytest.raises(InitialisationError, match="gives 50 MW in the power flow"):
        unit(p_pu=-0.5)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"vd2_pu": 0.7}, "vd2_pu = 0.7: must be below vd1_pu = 0.65 pu"),
        ({"vd1_pu": 0.95}, "vd1_pu = 0.95: must not be above v_min_pu = 0.87 pu"),
        ({"v_cut_pu": 0.9}, "v_cut_pu = 0.9"),
        ({"frcel": 1.5}, "frcel = 1.5: give a number from 0 to 1"),
        ({"psu_s": 0.0}, "psu_s = 0.0: give a number from 0.001 to 10 s"),
        ({"vd1_pu": float("nan")}, "vd1_pu = nan"),
    ],
)
def test_bad_settings(settings: dict[str, float], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        PowerSupply(**settings)


def test_the_cluster_gives_model_and_parameters() -> None:
    model, values = Cluster.of("H100", count=1000, supply=PowerSupply(frcel=0.5)).electrical()
    assert model is el.MODEL
    assert values["frcel"] == 0.5
    assert set(values) == {q.name for q in model.params if not q.solved}
    assert all(q.default == PowerSupply().values()[q.name] for q in model.params if not q.solved)
    assert model.solves_with_network
    assert {o.channel for o in model.outputs} == {"p_mw", "q_mvar", "p_demand_mw", "served"}


def test_static_power() -> None:
    supply = PowerSupply()
    assert el.static_power(supply, 100.0, 0.99, 1.0) == pytest.approx(100.0 + 14.2492j, rel=1e-5)
    assert el.static_power(supply, 100.0, 0.99, 0.7).real == pytest.approx(100.0 * 0.7 / 0.87)
    assert el.static_power(supply, 100.0, 0.99, 0.625).real == pytest.approx(50.0 * 0.625 / 0.87)
    assert el.static_power(supply, 100.0, 0.99, 0.5) == 0.0


@pytest.mark.parametrize("on", [1.0, 0.4, 0.0])
def test_a_cluster_that_is_shed_reports_what_is_left(on: float) -> None:
    """z.on is the part in service, as relays and trips leave it: all reported power follows."""
    r = unit(p_pu=0.5, q_pu=0.1)
    r["z"].on = on
    el.outputs(*(r[k] for k in "pxzuy"))
    assert r["y"].served == pytest.approx(on)
    assert r["y"].p_pu == pytest.approx(0.5 * on)
    assert r["y"].q_pu == pytest.approx(0.1 * on)
