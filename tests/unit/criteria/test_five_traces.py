"""Every criterion family on five hand-made traces: passing, failing, on the boundary, too short, and with NaN.

One row a family. `trace(run, x)` is a run in which the quantity judged is x, so that the margin against `bound` is
known beforehand. Passing and failing: status, margin, element and time must be right. On the boundary: the limit is
moved to the very value found, which passes with margin 0, and by 1e-6 of itself further, which fails. Too short and
NaN: "not assessable" with a reason, whatever the values. The last test holds the table against the list of families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gridai.criteria import FAMILIES, Profile, check
from gridai.results import Channel, EventRecord, Limit, Result, Verdict
from gridai.results.scalars import Scalar, add_scalars
from gridai.results.small_signal import Mode, small_signal_meta

T = np.linspace(0.0, 30.0, 3001)
FAST = np.arange(0.0, 60.0 + 1e-9, 0.0025)
Trace = Callable[..., Result]


class Row(NamedTuple):
    """One family: its limit at a bound, its traces, where the worst is, and when."""

    limit: Callable[[float], Limit]
    trace: Callable[[Trace, float], Result]
    good: float
    bad: float
    bound: float
    short: Callable[[Trace], Result]
    lost: Callable[[Trace], Result]
    element: str
    time: Callable[[float], tuple[float, float]]
    high: bool = True
    tol: float = 1e-9


def limit(name: str, unit: str, side: str = "high", **settings: Any) -> Callable[[float], Limit]:
    """A limit whose `side` is the bound: low, high, or the setting of that name."""

    def of(bound: float) -> Limit:
        sides = {side: bound} if side in ("low", "high") else {}
        fixed = {k: settings[k] for k in ("low", "high") if k in settings}
        own = {k: v for k, v in settings.items() if k not in ("low", "high")}
        own |= {} if sides else {side: bound}
        return Limit(name, unit, **{**fixed, **sides}, settings=own, clause="c", source="s", confidence="P")

    return of


def at(t_s: float, slack: float = 1e-6) -> Callable[[float], tuple[float, float]]:
    return lambda x: (t_s - slack, t_s + slack)


def dip(x: float) -> np.ndarray:
    """A frequency of 60 Hz that goes to x at 5 s and back."""
    return 60.0 + (x - 60.0) * np.exp(-((T - 5.0) ** 2))


def gap(x: Any, n: int = 700) -> np.ndarray:
    """A series without its sample n."""
    made = np.array(np.broadcast_to(x, T.shape), dtype=float)
    made[n:] = np.nan
    return made


def speed(run: Trace, f_hz: Any, **more: Any) -> Result:
    t = more.pop("t", T)
    return run(t, gens={"G": np.broadcast_to(f_hz, t.shape) / 60.0}, **more)


def rectangle(x: float) -> tuple[np.ndarray, np.ndarray]:
    """A sag to 0.5 pu that lasts x s from 1 s on, both sides of each jump kept."""
    t = np.array([0.0, 1.0, 1.0, 1.0 + x, 1.0 + x, 30.0])
    return t, np.array([1.0, 1.0, 0.5, 0.5, 1.0, 1.0])


def sag(run: Trace, x: float, p: Any = None, **more: Any) -> Result:
    t, v = rectangle(x)
    return run(t, p, vm=v, buses={"calm": 1.0}, events=[(1.0, "fault")], **more)


def second_dip(run: Trace, x: float) -> Result:
    """Cleared at 1.2 s, then again below for x s from 3 s on."""
    t = np.array([0.0, 1.0, 1.0, 1.2, 1.2, 3.0, 3.0, 3.0 + x, 3.0 + x, 30.0])
    v = np.array([1.0, 1.0, 0.2, 0.2, 1.0, 1.0, 0.6, 0.6, 1.0, 1.0])
    return run(t, vm=v, buses={"calm": 1.0}, events=[(1.0, "fault"), (1.2, "fault_cleared")])


def back_after(run: Trace, x: float) -> Result:
    """The voltage is back at 1.4 s, the load x s later."""
    t = np.array([0.0, 1.0, 1.0, 1.4, 1.4, 1.4 + x, 1.4 + x, 30.0])
    v = np.array([1.0, 1.0, 0.4, 0.4, 1.0, 1.0, 1.0, 1.0])
    p = np.array([100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 100.0, 100.0])
    return run(t, p, v, events=[(1.0, "fault"), (1.4, "fault_cleared")])


def lost_load(run: Trace, x: float) -> Result:
    t = np.array([0.0, 12.0, 12.0, 30.0])
    return run(t, np.array([3000.0, 3000.0, 3000.0 - x, 3000.0 - x]))


def swinging(run: Trace, damping: float, sigma: float = math.nan) -> Result:
    """Two machines against each other at 0.5 Hz; G1 moves more."""
    s = damping * np.pi / math.sqrt(1.0 - damping**2) if math.isnan(sigma) else sigma
    t = T[::3]
    after = np.maximum(t - 1.0, 0.0)
    x = 1.0 + 1e-3 * np.exp(-s * after) * np.sin(np.pi * after)
    g = {"G1": x, "G2": 2.0 - 0.5 * (x + 1.0)}
    return run(t, gens=g, events=[(1.0, "fault_cleared")], inertia_mws={"G1": 1.0, "G2": 3.0})


def peaks(ratio: float, known: float = math.inf) -> Result:
    """A machine against a very heavy one: each peak of its angle is `ratio` times the one before."""
    after = np.maximum(T - 1.0, 0.0)
    x = np.radians(20.0) * ratio**after * np.cos(2 * np.pi * after) * (T >= 1.0)
    x = np.where(known > T, x, np.nan)
    channels = (Channel("gen", "G1", "angle_rad", "rad"), Channel("gen", "G2", "angle_rad", "rad"))
    return Result(T, np.column_stack([x, 0 * T]), channels, (EventRecord(1.0, "fault_cleared", "x"),),
                  {"f_hz": 60.0, "inertia_mws": {"G1": 1.0, "G2": 1e9}})  # fmt: skip


def modes(*damping: float) -> Result:
    """Modes of 1 Hz with damping ratios in %, machine G1 the mover of each."""
    size = 2 * np.pi
    values = [complex(-d / 100.0 * size, size * math.sqrt(1.0 - (d / 100.0) ** 2)) for d in damping]
    shapes = [Mode(x.real, x.imag, 0.9, (), {"G1": (1.0, 0.0), "G2": (0.5, 180.0)}) for x in values]
    meta = small_signal_meta([y for x in values for y in (x, x.conjugate())], shapes, None)
    return Result([0.0], np.ones((1, 1)), (Channel("gen", "G1", "speed_pu", "pu"),), (), meta)


def flicker(run: Trace, percent: float, t: np.ndarray = FAST) -> Result:
    """Rectangular changes of so many percent, 110 a minute."""
    v = 1.0 + 0.005 * percent * np.where(np.floor(t * 110.0 / 60.0 + 1e-9) % 2 == 0, 1.0, -1.0)
    return run(t, vm=v, buses={"calm": 1.0})


def figures(run: Trace, quantity: str, unit: str, *values: float) -> Result:
    """A result with figures of elements e0, e1, ..."""
    return add_scalars(run(T[:10]), [Scalar(quantity, f"e{k}", x, unit, 7.0) for k, x in enumerate(values)])


def of_figures(name: str, unit: str, quantity: str, bound: float, high: bool, **settings: Any) -> Row:
    """A family that judges the worst of some figures; too short: the study left none."""
    mild = 0.5 if high else 1.5
    good, bad = (0.9, 1.1) if high else (1.1, 0.9)
    return Row(
        limit(name, unit, "high" if high else "low", **settings),
        lambda run, x: figures(run, quantity, unit, bound * mild, x),
        good * bound, bad * bound, bound, lambda run: run(T[:10]),
        lambda run: figures(run, quantity, unit, bound * mild, math.nan), "e1", at(7.0), high,
    )  # fmt: skip


def unbalance(run: Trace, x: float, samples: int = 60) -> Result:
    """A bus with x % in one of six means of ten minutes, the first and one at 0.5 % all the time."""
    t = 60.0 * np.arange(samples)
    data = np.stack([np.where(t < 600.0, 0.3, x), np.full(samples, 0.5)], axis=1)
    channels = tuple(Channel("bus", name, "unbalance_percent", "%") for name in ("b", "calm"))
    return Result(t, data, channels, (), {"f_hz": 50.0})


UNDER = [[2.0, 58.0], [math.inf, 59.3]]
CURVE = [[0.0, 0.8, 0.5], [0.8, 0.9, 2.0], [0.9, 1.1, math.inf]]
JUMP = np.array([0.0, 5.0, 5.0, 30.0])
STEP_EVENT = [(5.0, "trip")]


def envelope(bound: float) -> Limit:
    """The frequency stays above `bound` from 2 s after the first event on."""
    segments = [[2.0, 50.0], [math.inf, bound]]
    return Limit("frequency_envelope", "Hz", settings={"segments": segments, "until_s": 20.0}, clause="c", source="s",
                 confidence="P")  # fmt: skip


def tolerance(bound: float) -> Limit:
    """Below 0.9 pu for `bound` s at most."""
    curve = [[0.0, 0.9, bound], [0.9, 1.1, math.inf]]
    return Limit("tolerance_curve", "pu", settings={"curve": curve}, clause="c", source="s", confidence="P")


def jumps(value: float, before: float = 1.0) -> np.ndarray:
    return np.array([before, before, value, value])


def lasting_nan(run: Trace) -> Result:
    return run(T, vm=gap(1.0, 2950), events=STEP_EVENT)


ROWS: dict[str, Row] = {
    "frequency_nadir": Row(
        limit("frequency_nadir", "Hz", "low"), lambda run, x: speed(run, dip(x)), 59.7, 59.4, 59.5,
        lambda run: speed(run, 60.0, t=T[:1]), lambda run: speed(run, gap(dip(59.9))), "COI", at(5.0), False,
    ),
    "frequency_zenith": Row(
        limit("frequency_zenith", "Hz"), lambda run, x: speed(run, dip(x)), 60.3, 60.6, 60.5,
        lambda run: speed(run, 60.0, t=T[:1]), lambda run: speed(run, gap(dip(60.1))), "COI", at(5.0),
    ),
    "rocof": Row(
        limit("rocof", "Hz/s", window_s=0.5), lambda run, x: speed(run, 60.0 - x * np.clip(T - 2.0, 0.0, 1.0)),
        0.6, 1.2, 1.0, lambda run: speed(run, 60.0 - 9.0 * T[:40], t=T[:40]), lambda run: speed(run, gap(60.0)),
        "COI", lambda x: (2.5 - 1e-6, 3.0 + 1e-6),
    ),
    "settling_frequency": Row(
        limit("settling_frequency", "Hz"), lambda run, x: speed(run, np.where(T < 5.0, 60.0, x), events=STEP_EVENT),
        60.1, 60.3, 60.2, lambda run: speed(run, 60.0, t=T[:100]), lambda run: speed(run, gap(60.0, 2990)), "COI",
        at(30.0),
    ),
    "frequency_envelope": Row(
        envelope, lambda run, x: speed(run, np.where((T > 9.0) & (T < 11.0), x, 60.0), events=STEP_EVENT), 59.4, 59.1,
        59.3, lambda run: speed(run, 60.0, t=T[:900], events=STEP_EVENT),
        lambda run: speed(run, gap(60.0, 1200), events=STEP_EVENT), "COI", lambda x: (9.0, 11.0), False,
    ),
    "swing_damping": Row(
        limit("swing_damping", "%", "low"), lambda run, x: swinging(run, x / 100.0), 5.0, 2.0, 3.0,
        lambda run: run(T, gens={"G1": 1.0, "G2": 1.0}, events=[(25.0, "trip")]),
        lambda run: run(T, gens={"G1": gap(1.0), "G2": 1.0}, events=[(1.0, "trip")]), "G1", at(1.0), False, 0.02,
    ),
    "halving_time": Row(
        limit("halving_time", "s"), lambda run, x: swinging(run, 0.1, math.log(2.0) / x), 4.0, 6.0, 5.0,
        lambda run: run(T, gens={"G1": 1.0, "G2": 1.0}, events=[(25.0, "trip")]),
        lambda run: run(T, gens={"G1": gap(1.0), "G2": 1.0}, events=[(1.0, "trip")]), "G1", at(1.0), True, 0.02,
    ),
    "peak_ratio": Row(
        limit("peak_ratio", "1", periods=3), lambda run, x: peaks(x ** (1.0 / 3.0)), 0.8, 0.9, 0.85,
        lambda run: Result(T[:150], peaks(0.9).data[:150], peaks(0.9).channels, peaks(0.9).events, peaks(0.9).meta),
        lambda run: peaks(0.9, known=9.0), "G1", at(5.0, 0.05), True, 0.01,
    ),
    "mode_damping": Row(
        limit("mode_damping", "%", "low"), lambda run, x: modes(9.0, x), 6.0, 4.0, 5.0, lambda run: run(T[:10]),
        lambda run: modes(9.0, math.nan), "G1", lambda x: (math.nan, math.nan), False,
    ),
    "steady_voltage": Row(
        limit("steady_voltage", "pu", low=0.95), lambda run, x: run(JUMP, vm=jumps(x), buses={"calm": 1.0},
        events=STEP_EVENT), 1.04, 1.06, 1.05, lambda run: run(T[:50]), lasting_nan, "b", at(30.0),
    ),
    "voltage_step": Row(
        limit("voltage_step", "pu", low=-0.03), lambda run, x: run(JUMP, vm=jumps(1.0 + x), buses={"calm": 1.0},
        events=STEP_EVENT), 0.02, 0.05, 0.03, lambda run: run(T[:50], events=[(0.1, "trip")]), lasting_nan, "b",
        at(30.0),
    ),
    "transient_voltage_recovery": Row(
        limit("transient_voltage_recovery", "pu", "within_s", low=0.9), sag, 1.0, 3.0, 2.0,
        lambda run: run([0.0]), lambda run: run(T, vm=gap(1.0)), "b", lambda x: at(1.0 + x)(x),
    ),
    "voltage_dip": Row(
        limit("voltage_dip", "pu", "max_s", low=0.7), second_dip, 0.3, 0.7, 0.5, lambda run: run([0.0]),
        lambda run: run(T, vm=gap(1.0)), "b", lambda x: at(3.0 + x)(x),
    ),
    "tolerance_curve": Row(
        tolerance, sag, 0.3, 0.8, 0.5, lambda run: run([0.0]), lambda run: run(T, vm=gap(1.0)), "b",
        lambda x: at(1.0 + x)(x),
    ),
    "ride_through": Row(
        limit("ride_through", "pu", "low", curve=CURVE), lambda run, x: run(JUMP, jumps(100.0 * x, 100.0),
        events=[(5.0, "fault")]), 0.95, 0.7, 0.9, lambda run: run([0.0, 0.001], 100.0),
        lambda run: run(T, gap(100.0)), "ai", at(5.0, 0.01), False,
    ),
    "load_recovery": Row(
        limit("load_recovery", "pu", "within_s", low=0.9), back_after, 0.5, 1.5, 1.0, lambda run: run([0.0], 100.0),
        lambda run: run(T, gap(100.0)), "ai", lambda x: at(1.4 + x)(x),
    ),
    "rapid_voltage_change": Row(
        limit("rapid_voltage_change", "%"), lambda run, x: run(T, vm=np.where(T < 5.0, 1.0, 1.0 - 0.01 * x),
        buses={"calm": 1.0}), 2.0, 4.0, 3.0, lambda run: run(T[:50]), lambda run: run(T, vm=gap(1.0)), "b",
        at(5.0, 0.02), True, 0.01,
    ),
    "flicker_pst": Row(
        limit("flicker_pst", "1", period_s=50.0, skip_s=10.0), lambda run, x: flicker(run, 0.844 * x), 0.9, 1.1, 1.0,
        lambda run: flicker(run, 0.8, FAST[:8000]), lambda run: run(FAST, vm=np.where(FAST < 30.0, 1.0, np.nan)), "b",
        at(60.0), True, 0.02,
    ),
    "ramp_rate": Row(
        limit("ramp_rate", "MW/min"), lambda run, x: run(10.0 * T, 100.0 + x * np.clip(10.0 * T - 100.0, 0, 80) / 60.0),
        15.0, 25.0, 20.0, lambda run: run(T, 1e3 * T), lambda run: run(10.0 * T, gap(100.0)), "ai",
        lambda x: (160.0 - 1e-6, 180.0 + 1e-6),
    ),
    "peak_to_peak": Row(
        limit("peak_to_peak", "MW", window_s=5.0), lambda run, x: run(JUMP, jumps(100.0 - x, 100.0)), 8.0, 12.0, 10.0,
        lambda run: run(T[:400], 100.0), lambda run: run(T, gap(100.0)), "ai", lambda x: (5.0, 10.0),
    ),
    "band_oscillation": Row(
        limit("band_oscillation", "MW", f_low_hz=0.1, f_high_hz=20.0),
        lambda run, x: run(T, 2000.0 + x * np.sin(4 * np.pi * T) * ((T > 5.0) & (T < 20.0))), 2.0, 3.0, 2.5,
        lambda run: run(T[:900], 2000.0), lambda run: run(T, gap(2000.0)), "ai", lambda x: (5.0, 30.0), True, 0.03,
    ),
    "load_loss": Row(
        limit("load_loss", "MW"), lost_load, 2500.0, 2700.0, 2600.0, lambda run: run(T[:100], 100.0),
        lambda run: run(T, gap(100.0)), "ai", at(12.0),
    ),
    "loadability_margin": of_figures("loadability_margin", "%", "loadability_margin", 5.0, False),
    "short_circuit_ratio": of_figures("short_circuit_ratio", "1", "short_circuit_ratio", 3.0, False),
    "power_change": of_figures("power_change", "%", "power_change", 0.4, True),
    "thermal_loading": of_figures("thermal_loading", "%", "loading_percent", 100.0, True),
    "curve_error": of_figures("curve_error", "pu", "curve_error.after.maximum", 0.05, True, window="after"),
    "voltage_unbalance": Row(
        limit("voltage_unbalance", "%", period_s=600.0), unbalance, 1.5, 2.5, 2.0, lambda run: unbalance(run, 1.5, 9),
        lambda run: unbalance(run, math.nan), "b", at(3600.0),
    ),
    "step_error": of_figures("step_error", "%", "step_error.rise", 10.0, True, part="rise"),
}  # fmt: skip
LONG = "flicker_plt"
"""Two hours of samples: it has a test of its own below, one meter for all limits."""


def verdict_of(result: Result, one: Limit) -> Verdict:
    (found,) = check(result, Profile("mine", "t", 0.0, "", (one,)))
    return found


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("which", ["passing", "failing"])
def test_passing_and_failing(run, name: str, which: str):
    row = ROWS[name]
    x = row.good if which == "passing" else row.bad
    found = verdict_of(row.trace(run, x), row.limit(row.bound))
    assert (found.status, found.element) == ("pass" if which == "passing" else "fail", row.element)
    sign = 1.0 if row.high else -1.0
    assert found.margin == pytest.approx(sign * (row.bound - x), abs=row.tol)
    assert found.value == pytest.approx(x, abs=row.tol) or name == "load_recovery"
    first, last = row.time(x)
    assert first <= found.t_s <= last or (math.isnan(first) and math.isnan(found.t_s))
    assert found.status_text == found.status
    assert found.limit == pytest.approx(row.bound)


@pytest.mark.parametrize("name", ROWS)
def test_on_the_boundary(run, name: str):
    row = ROWS[name]
    result = row.trace(run, row.good)
    value = verdict_of(result, row.limit(row.bound)).value
    on_it = verdict_of(result, row.limit(value))
    assert on_it.status == "pass"
    assert on_it.margin == pytest.approx(0.0, abs=1e-9)
    beyond = 1e-6 * abs(value) * (-1.0 if row.high else 1.0)
    assert verdict_of(result, row.limit(value + beyond)).status == "fail"


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("which", ["short", "lost"])
def test_too_short_and_nan_are_never_a_pass(run, name: str, which: str):
    row = ROWS[name]
    found = verdict_of(getattr(row, which)(run), row.limit(row.bound))
    assert found.status == "not assessable"
    assert found.note
    assert math.isnan(found.margin)


def test_long_term_flicker(run, monkeypatch):
    from gridai.criteria import flicker as family
    from gridai.results import flickermeter

    kept: dict[Any, Any] = {}

    def once(t: Any, v: Any, *more: Any) -> Any:
        key = (float(v[0]), more)
        if key not in kept:
            kept[key] = flickermeter.flicker(t, v, *more)
        return kept[key]

    monkeypatch.setattr(family, "flicker", once)
    one = limit("flicker_plt", "1")
    t = np.arange(0.0, 7200.0 + 1e-9, 0.0025)
    result = flicker(run, 0.844, t)
    value = verdict_of(result, one(9.0)).value
    assert value == pytest.approx(1.0, abs=0.01)
    for bound, status in ((1.1, "pass"), (0.9, "fail"), (value, "pass"), (value - 1e-6, "fail")):
        found = verdict_of(result, one(bound))
        assert (found.status, found.element, found.t_s) == (status, "b", pytest.approx(7200.0))
        assert found.margin == pytest.approx(bound - value, abs=1e-12)
    assert verdict_of(flicker(run, 0.844), one(1.0)).status == "not assessable"
    gone = run(t, vm=np.where(t < 3000.0, 1.0, np.nan))
    assert verdict_of(gone, one(1.0)).status == "not assessable"


def test_every_family_is_in_the_table():
    assert set(ROWS) | {LONG} == set(FAMILIES)


def test_a_unit_that_tripped_leaves_no_gap(run):
    """Its speed is NaN after the trip, by the engine: the others are judged. Without the trip it is a gap."""
    t = T[::3]
    after = np.maximum(t - 1.0, 0.0)
    x = 1.0 + 1e-3 * np.exp(-0.2 * after) * np.sin(np.pi * after)
    speeds = {"G1": x, "G2": 2.0 - x, "G3": np.where(t < 1.0, 1.0, np.nan)}
    one = limit("swing_damping", "%", "low")(3.0)
    tripped = run(t, gens=speeds, events=[(1.0, "trip")], units_off={"G3": 1.0})
    assert verdict_of(tripped, one).status == "pass"
    lost = verdict_of(run(t, gens=speeds, events=[(1.0, "trip")], units_off={}), one)
    assert (lost.status, lost.note) == ("not assessable", "no speed of G3 in part of the run")
