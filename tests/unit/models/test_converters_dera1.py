"""DERA1: every path by hand: droop, deadbands, priorities, each trip curve driven into and back, timers, starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from gridai.errors import InitialisationError
from gridai.kernel.contract import Start
from gridai.models.converters import dera1
from gridai.models.converters.dera1 import MODEL as DERA1

from .conformance import Sample, started
from .dera_bench import at, held, played, system, texts

P0, Q0 = 0.6, 0.1
FINE = 1 / 2400
SLOW_TIMERS = {"tvl0_s": 9.0, "tvl1_s": 9.0, "tvh0_s": 9.0, "tvh1_s": 9.0}
FREQUENCY = {"freq_flag": 1.0, "dup": 10.0, "pmin_pu": 0.2, "pmax_pu": 0.9}


# --- frequency -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("df_hz", "power"),
    [
        (0.5, P0 - 20.0 * (0.5 / 60 - 0.0006)),
        (-0.5, P0 + 10.0 * (0.5 / 60 - 0.0006)),
        (0.03, P0),
        (1.9, 0.2),
        (-1.9, 0.9),
    ],
)
def test_droop_at_rest(df_hz: float, power: float) -> None:
    """Ddn above nominal, Dup below, nothing in the deadband, Pmin and Pmax. Reached: 1.2e-5 (the phasor turns)."""
    result = played(system(**FREQUENCY), held("df_hz", (1.0, 9.0, df_hz)), until_s=5.0)
    assert at(result, "p_mw", 5.0) == pytest.approx(power, abs=2e-5)
    assert at(result, "q_mvar", 5.0) == pytest.approx(power * Q0 / P0, abs=1e-5)  # constant power factor


def test_without_frequency_control_power_stays() -> None:
    result = played(system(), held("df_hz", (1.0, 9.0, 1.0)), until_s=3.0)
    assert at(result, "p_mw", 3.0) == pytest.approx(P0, abs=1e-6)


def test_limits_of_the_error_and_of_the_rate() -> None:
    """With the error at femin the integral falls by Kig femin; with dPmin the order falls at that rate."""
    error = played(system(**FREQUENCY, femin_pu=-0.02, kpg=0.0), held("df_hz", (1.0, 9.0, 1.0)), until_s=3.0)
    assert at(error, "p_mw", 2.5) - at(error, "p_mw", 1.5) == pytest.approx(-10.0 * 0.02, abs=1e-5)
    rate = played(system(**FREQUENCY, dpmin_pu_per_s=-0.1), held("df_hz", (1.0, 9.0, 1.0)), until_s=3.0)
    assert at(rate, "p_mw", 2.5) - at(rate, "p_mw", 1.5) == pytest.approx(-0.1, abs=1e-5)


def test_frequency_is_a_lag_of_the_slip() -> None:
    """df (1 - exp(-t / Trf)) to second order of slip Trf (here 1e-5). Reached: 1.2e-10 pu, 7e-7 of it."""
    unit = started(Sample(DERA1, {"trf_s": 0.05, "freq_flag": 1.0}), Start(1.0 + 0.0j, P0, Q0))
    slip = 2 * np.pi * 0.01
    for t in (0.01, 0.05, 0.2):
        x = lagged(slip, t, 0.05)
        unit.x.f_re, unit.x.f_im = x.real, x.imag
        unit.set_voltage(np.exp(1j * slip * t))
        unit.evaluate()
        assert unit.y.df_pu == pytest.approx(0.01 / 60 * (1 - np.exp(-t / 0.05)), rel=1e-4)


# --- reactive power and current limits -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pf_flag", "kqv", "dip", "reactive"),
    [
        (0.0, 0.0, -0.1, lambda v: Q0 / v),
        (1.0, 0.0, -0.1, lambda v: Q0 / v),
        (0.0, 4.0, -0.1, lambda v: Q0 / v + 4.0 * (0.1 - 0.03)),
        (0.0, 4.0, 0.08, lambda v: Q0 / v + 4.0 * (-0.08 + 0.02)),
        (0.0, 4.0, -0.02, lambda v: Q0 / v),
        (0.0, 4.0, -0.3, lambda v: Q0 / v + 0.5),
        (0.0, 8.0, 0.1, lambda v: Q0 / v - 0.4),
    ],
)
def test_reactive_current(pf_flag: float, kqv: float, dip: float, reactive: Any) -> None:
    """Constant Q or power factor, voltage deadband -0.02 to 0.03, limits -0.4 to 0.5. Reached: 1.3e-5."""
    values = {"dbd1_pu": -0.02, "dbd2_pu": 0.03, "iqh1_pu": 0.5, "iql1_pu": -0.4, "imax_pu": 2.0}
    of = system(pf_flag=pf_flag, kqv=kqv, **values)
    result = played(of, held("de_pu", (1.0, 9.0, dip)), until_s=2.0)
    assert at(result, "iq_pu", 2.0) == pytest.approx(reactive(1.0 + dip), abs=3e-5)
    assert at(result, "p_mw", 2.0) == pytest.approx(P0, abs=1e-6)


@pytest.mark.parametrize("pq_flag", [0.0, 1.0])
@pytest.mark.parametrize("p_mw", [30.0, -30.0])
def test_priority(pq_flag: float, p_mw: float) -> None:
    """At 0.55 pu with Imax 1: reactive first gives iq = Q/V + 0.7 and ip what is left; active first the reverse."""
    storage = {"type_flag": 0.0, "pmin_pu": -1.0, "imax_pu": 1.0, "kqv": 3.0, "iqh1_pu": 0.7, "pf_flag": 0.0}
    of = system(p_mw, pq_flag=pq_flag, dbd1_pu=0.0, dbd2_pu=0.0, **storage)
    result = played(of, held("de_pu", (1.0, 9.0, -0.45)), until_s=2.0)
    ip, iq = at(result, "ip_pu", 2.0), at(result, "iq_pu", 2.0)
    if pq_flag == 0.0:
        assert iq == pytest.approx(Q0 / 0.55 + 0.7, abs=3e-5)
        assert ip == pytest.approx(np.sign(p_mw) * np.sqrt(1 - iq**2), abs=3e-5)
    else:
        assert ip == pytest.approx(np.sign(p_mw), abs=1e-6)  # 0.6 / 0.55 is above Imax
        assert iq == pytest.approx(0.0, abs=1e-3)


def test_a_generator_does_not_take_power() -> None:
    """A set point below zero ends at no current with TYPEFLAG 1, below it with TYPEFLAG 0."""
    for type_flag, lowest in ((1.0, 0.0), (0.0, -0.4)):
        unit = started(Sample(DERA1, {"type_flag": type_flag, "pmin_pu": -1.0}), Start(1.0 + 0.0j, P0, Q0))
        unit.x.p_ord_pu, unit.x.p_rate_pu = -0.4, -0.4
        unit.x.ip_pu = lowest
        unit.evaluate()
        assert abs(unit.d.ip_pu) < 1e-9


def test_current_grows_at_its_rate_after_a_fault() -> None:
    """Back from 0.2 pu the active current grows by rrpwr; reactive current has no such limit. Reached: 1e-12."""
    result = played(system(rrpwr_pu_per_s=0.5), held("de_pu", (1.0, 1.1, -0.8)), until_s=4.0)
    ip = result.gen.ip_pu["pv"]
    ramp = ip[(ip.index > 1.3) & (ip.index < 1.9)]
    assert np.polyfit(ramp.index, ramp.to_numpy(), 1)[0] == pytest.approx(0.5, abs=1e-8)
    assert at(result, "p_mw", 4.0) == pytest.approx(P0, abs=1e-6)


# --- voltage trip ----------------------------------------------------------------------------------------------

BAND = {"vl0_pu": 0.5, "vl1_pu": 0.9, "vh1_pu": 1.1, "vh0_pu": 1.3, "vrfrac": 0.6, "fl_hz": 0.0, "fh_hz": 999.0}
LEVELS = [(-0.2, 0.75), (-0.3, 0.5), (-0.45, 0.125), (-0.6, 0.0), (0.15, 0.75), (0.25, 0.25), (0.35, 0.0), (0.05, 1.0)]


def test_curve_before_the_timers() -> None:
    """On the straight line at once, and wholly back as long as no timer has run out. Reached: 5.3e-6."""
    times = np.arange(len(LEVELS)) + 1.0
    spans = [(t, t + 0.5, de) for t, (de, _) in zip(times, LEVELS, strict=True)]
    result = played(system(**BAND | SLOW_TIMERS), held("de_pu", *spans), until_s=10.0)
    np.testing.assert_allclose(
        [at(result, "connected", t + 0.5) for t in times], [part for _, part in LEVELS], atol=1e-5
    )
    np.testing.assert_allclose([at(result, "connected", t + 1.0) for t in times], 1.0, atol=1e-9)
    assert at(result, "p_mw", 10.0) == pytest.approx(P0, abs=1e-6)
    assert not texts(result)


@pytest.mark.parametrize(("de", "part"), [row for row in LEVELS if 0.0 < row[1] < 1.0])
def test_part_comes_back_after_the_timer(de: float, part: float) -> None:
    """Of what is below the lowest voltage the part Vrfrac comes back, in proportion on the way. Reached: 5.3e-6."""
    half = np.sign(de) * (0.1 + (abs(de) - 0.1) / 2)
    result = played(system(**BAND), held("de_pu", (1.0, 2.0, de), (2.0, 3.0, half)), until_s=5.0)
    on_the_way = part + 0.6 * ((1 + part) / 2 - part)
    assert at(result, "connected", 2.0) == pytest.approx(part, abs=1e-5)
    assert at(result, "connected", 3.0) == pytest.approx(on_the_way, abs=2e-5)
    assert at(result, "connected", 5.0) == pytest.approx(part + 0.6 * (1 - part), abs=1e-5)
    assert at(result, "p_mw", 5.0) == pytest.approx(P0 * (part + 0.6 * (1 - part)), abs=1e-5)
    assert [text for _, text in texts(result)] == ["DERA1: part of the inverters has tripped"]


def test_a_deeper_dip_takes_more_and_a_shallower_none() -> None:
    """0.7 pu (0.5 left, 0.8 back), 0.8 pu (0.75 on the curve, above what is back: 0.5 + 0.6 0.25), 0.6 pu (0.25)."""
    spans = [(1.0, 1.5, -0.3), (2.5, 3.0, -0.2), (4.0, 4.5, -0.4)]
    result = played(system(**BAND), held("de_pu", *spans), until_s=6.0)
    found = [at(result, "connected", t) for t in (2.5, 3.0, 4.0, 4.5, 6.0)]
    np.testing.assert_allclose(found, [0.8, 0.65, 0.8, 0.25, 0.7], atol=1e-5)


def test_both_sides_multiply() -> None:
    """A dip that costs 0.2 and a swell that costs 0.1 leave 0.8 0.9."""
    result = played(system(**BAND), held("de_pu", (1.0, 1.5, -0.3), (2.5, 3.0, 0.15)), until_s=5.0)
    assert at(result, "connected", 5.0) == pytest.approx(0.8 * (0.75 + 0.6 * 0.25), abs=1e-5)


@pytest.mark.parametrize(("de", "level"), [(-0.7, 0.5), (0.4, 1.3)])
def test_all_trips_for_good(de: float, level: float) -> None:
    """v_f passes the threshold Trv ln(de / (de - step to it)) after the jump; all is gone 0.3 s after that.

    Reached: 6.1e-7 s with steps of 1/2400 s.
    """
    timers = {"tvl0_s": 0.3, "tvh0_s": 0.3, "tvl1_s": 9.0, "tvh1_s": 9.0}
    result = played(system(**BAND | timers), held("de_pu", (1.0, 1.6, de)), until_s=3.0, step_s=FINE)
    passed = 1.0 + 0.02 * np.log(de / (1.0 + de - level))
    ((time, text),) = texts(result)
    assert text == "DERA1: all inverters have tripped by voltage"
    assert time == pytest.approx(passed + 0.3, abs=2e-6)
    assert at(result, "connected", 3.0) == pytest.approx(0.0, abs=1e-9)
    assert at(result, "p_mw", 3.0) == pytest.approx(0.0, abs=1e-9)


def test_timer_starts_anew() -> None:
    """Twice 0.2 s below vl0 with a return between is not 0.3 s; without voltage trips nothing goes off at all."""
    dips = held("de_pu", (1.0, 1.2, -0.7), (1.4, 1.6, -0.7))
    timers = {**SLOW_TIMERS, "tvl0_s": 0.3}
    assert not texts(played(system(**BAND | timers), dips))
    without = played(system(**BAND | {"vtrip_flag": 0.0, "tvl0_s": 0.0}), dips)
    assert without.gen.connected["pv"].min() == 1.0
    assert not texts(without)


def test_timer_of_zero_and_curve_without_width() -> None:
    """vl0 = vl1: a step; with timers of 0 s all is gone where v_f passes it."""
    step = BAND | {"vl0_pu": 0.8, "vl1_pu": 0.8}
    back = played(system(**step | SLOW_TIMERS), held("de_pu", (1.0, 2.0, -0.3)), until_s=3.0)
    assert at(back, "connected", 2.0) == pytest.approx(0.0, abs=1e-9)
    assert at(back, "connected", 3.0) == pytest.approx(1.0, abs=1e-9)
    gone = played(system(**step | {"tvl0_s": 0.0}), held("de_pu", (1.0, 2.0, -0.3)), until_s=3.0, step_s=FINE)
    assert texts(gone)[0][0] == pytest.approx(1.0 + 0.02 * np.log(0.3 / 0.1), abs=1e-5)
    part = played(system(**step | {"tvl1_s": 0.0, "tvl0_s": 9.0}), held("de_pu", (1.0, 2.0, -0.3)), until_s=3.0)
    assert at(part, "connected", 3.0) == pytest.approx(0.6, abs=1e-6)


def test_lags_of_the_trip_and_of_the_current() -> None:
    """mult = exp(-t / Tv), and behind it Ip with Tg, in closed form; the command is what Imax leaves beside iq.

    Reached: 1.7e-6 and 5.5e-6 with steps of 1/2400 s.
    """
    step = {
        "tv_s": 0.1,
        "tg_s": 0.03,
        "trv_s": 0.0,
        "tiq_s": 0.0,
        "vl0_pu": 0.5,
        "vl1_pu": 0.5,
        "rrpwr_pu_per_s": 999.0,
    }
    of = system(**step | SLOW_TIMERS, pf_flag=0.0)
    result = played(of, held("de_pu", (1.0, 9.0, -0.6)), until_s=1.5, step_s=FINE)
    mult, ip = (series["pv"][series.index >= 1.0].iloc[1:] for series in (result.gen.connected, result.gen.ip_pu))
    t = mult.index.to_numpy() - 1.0
    command = np.sqrt(1.2**2 - (Q0 / 0.4) ** 2)
    fast, slow = np.exp(-t / 0.03), np.exp(-t / 0.1)
    np.testing.assert_allclose(mult, slow, atol=1e-5)
    np.testing.assert_allclose(ip, P0 * fast + command * (slow - fast) * 0.1 / (0.1 - 0.03), atol=1e-4)


# --- frequency trip --------------------------------------------------------------------------------------------


def lagged(slip: float, t: float, time_constant: float) -> complex:
    """A phasor that begins to turn at t = 0, behind a lag."""
    gone = np.exp(-t / time_constant)
    return complex((np.exp(1j * slip * t) - gone) / (1 + 1j * slip * time_constant) + gone)


def slip_behind(slip: float, t: float, time_constant: float) -> float:
    """The rate of turn of that."""
    x = lagged(slip, t, time_constant)
    return float(((np.exp(1j * slip * t) - x) / x).imag / time_constant)


@pytest.mark.parametrize(("df", "trips"), [(-4.0, True), (2.5, True), (-3.0, False), (1.9, False)])
def test_frequency_trip(df: float, trips: bool) -> None:
    """Beyond 56.5 or 62.0 Hz for 0.16 s, from when the lagged phasor turns as fast. Reached: 5.1e-7 s."""
    result = played(system(), held("df_hz", (1.0, 9.0, df)), until_s=2.0, step_s=FINE)
    found = texts(result)
    assert bool(found) == trips
    if trips:
        edge = -3.5 if df < 0 else 2.0
        passed = brentq(lambda t: slip_behind(2 * np.pi * df, t, 0.02) - 2 * np.pi * edge, 1e-6, 0.1)
        assert found[0][0] == pytest.approx(1.16 + passed, abs=2e-6)
        assert found[0][1] == "DERA1: all inverters have tripped by frequency"
        assert at(result, "p_mw", 2.0) == pytest.approx(0.0, abs=1e-9)


def test_frequency_does_not_trip_below_vpr() -> None:
    """While |V| < Vpr the timer stands still and starts anew; FTRIPFLAG 0: never."""
    low = {"vpr_pu": 0.8, "vtrip_flag": 0.0}
    dip, slow = held("de_pu", (1.0, 1.5, -0.3)), held("df_hz", (1.0, 1.6, -4.0))
    assert not texts(played(system(**low), dip, slow))
    assert texts(played(system(**low | {"vpr_pu": 0.6}), dip, slow))
    assert not texts(played(system(**low | {"vpr_pu": 0.6, "ftrip_flag": 0.0}), dip, slow))


# --- the rest --------------------------------------------------------------------------------------------------


def test_source_voltage_behind_xe() -> None:
    """E = V + j Xe I, and the current has no Xe in it."""
    start = Start(0.98 * np.exp(0.4j), P0, Q0)
    units = [started(Sample(DERA1, {"xe_pu": xe}), start) for xe in (0.0, 0.3)]
    for unit in units:
        assert unit.y.e_pu == pytest.approx(abs(start.v + 1j * unit.p.xe_pu * start.i), abs=1e-12)
        assert unit.call("current") == pytest.approx(start.i, abs=1e-12)


def test_set_points() -> None:
    """Changes of both references arrive: the secondary control's way in."""
    unit = started(Sample(DERA1, {"pf_flag": 0.0}), Start(1.0 + 0.0j, P0, Q0))
    unit.u.dp_ref_pu, unit.u.dq_ref_pu = 0.05, 0.02
    unit.evaluate()
    assert unit.d.p_rate_pu == pytest.approx(0.05 / dera1.T_RATE_S)
    assert unit.d.iq_ord_pu == pytest.approx(0.02 / 0.02)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"vl1_pu": 1.02}, r"voltage starts at 1 pu, below vl1_pu = 1.02: part of it would have tripped"),
        ({"vh1_pu": 0.99}, r"voltage starts at 1 pu, above vh1_pu = 0.99"),
        ({"fl_hz": 60.5}, r"nominal frequency of 60 Hz is not between fl_hz = 60.5 and fh_hz = 62: give thresholds"),
        ({"pmax_pu": 0.5}, r"power \[pu\] starts at 0.6, above pmax_pu = 0.5"),
        ({"imax_pu": 0.605}, r"active current \[pu\] starts at 0.6, above what is left of imax_pu = 0.59667"),
    ],
)
def test_start_outside(values: dict[str, float], text: str) -> None:
    with pytest.raises(InitialisationError, match=text):
        started(Sample(DERA1, values), Start(1.0 + 0.0j, P0, Q0))


def test_power_factor_without_power() -> None:
    with pytest.raises(InitialisationError, match="pf_flag = 1 asks for a power factor, but the unit starts at zero"):
        started(Sample(DERA1), Start(1.0 + 0.0j, 0.0, Q0))


@pytest.mark.parametrize(
    ("values", "name", "complaint"),
    [
        ({"vl1_pu": 1.0, "vh1_pu": 0.7}, "vh1_pu", "not above vl1_pu = 1: nothing would be connected"),
        ({"fl_hz": 63.0}, "fh_hz", "not above fl_hz = 63: nothing would be connected"),
        ({"vl0_pu": 0.6}, "vl0_pu", "above vl1_pu = 0.49"),
        ({"vh0_pu": 1.1}, "vh1_pu", "above vh0_pu = 1.1"),
        ({"pmin_pu": 1.5}, "pmin_pu", "above pmax_pu = 1"),
        ({"iql1_pu": 2.0}, "iql1_pu", "above iqh1_pu = 1"),
    ],
)
def test_rules(values: dict[str, float], name: str, complaint: str) -> None:
    assert dera1.check(Sample(DERA1, values).filled()) == [(name, complaint)]


def test_trip_settings_follow_the_standard() -> None:
    """IEEE Std 1547-2018, tables 11 to 13 and 18: default UV2, OV2 and UF2, OF2; the defaults are category II."""
    undervoltage = {"I": (0.45, 0.16), "II": (0.45, 0.16), "III": (0.50, 2.0)}
    defaults = {q.name: q.default for q in DERA1.params}
    for category, (level, time) in undervoltage.items():
        settings = dera1.TRIP_SETTINGS[category]
        assert settings["vl0_pu"] < level < settings["vl1_pu"]
        assert settings["tvl0_s"] == settings["tvl1_s"] == time
        assert (settings["vh0_pu"], settings["tvh0_s"]) == (1.20, 0.16)
        assert (settings["fl_hz"], settings["tfl_s"], settings["fh_hz"], settings["tfh_s"]) == (56.5, 0.16, 62.0, 0.16)
        assert settings.keys() <= defaults.keys()
    assert dera1.TRIP_SETTINGS["II"] == {name: defaults[name] for name in dera1.TRIP_SETTINGS["II"]}
