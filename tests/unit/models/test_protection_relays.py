"""Relays: trip times by the clock, reset, stages that never act. The driver finds crossings on a fine grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gridai.errors import InitialisationError
from gridai.kernel.contract import ACTION_TRIP, Model, Start
from gridai.models.protection.frqtpat import MODEL as FRQTPAT
from gridai.models.protection.vtgtpat import MODEL as VTGTPAT

from .conformance import Sample, started, values_of

STEP_S = 1e-4
VOLTAGE = {"vl_pu": 0.8, "vu_pu": 1.2, "tp_s": 0.1, "tb_s": 0.05}
FREQUENCY = {"fl_hz": 59.5, "fu_hz": 60.5, "tp_s": 0.2, "tb_s": 0.05}


def trip_times(model: Model, values: dict[str, float], v: Callable[[float], complex], until_s: float) -> list[float]:
    """Times at which the relay asks for a trip; guards fire when they rise through zero, as in the engine."""
    unit = started(Sample(model, values), Start(complex(v(0.0)), 0.0, 0.0))
    old = np.full(len(model.guards), -1.0)
    trips = []
    for k in range(round(until_s / STEP_S) + 1):
        t = k * STEP_S
        unit.set_voltage(complex(v(t)))
        for _ in range(10):
            unit.evaluate()
            unit.call("guards", t=t)
            new = values_of(unit.g)
            fired = (new >= 0.0) & (old < 0.0)
            old = new
            if not fired.any():
                break
            for name, f in zip(model.guards, fired, strict=True):
                unit.g[name] = float(f)
            if unit.call("update", t=t) == ACTION_TRIP:
                trips.append(t)
        else:
            raise AssertionError(f"chatter at {t}")
        for name in unit.x.dtype.names:
            unit.x[name] += STEP_S * unit.d[name]
    return trips


def dip(low: float, start_s: float, end_s: float) -> Callable[[float], complex]:
    """Voltage 1.0 pu, `low` between two times."""
    return lambda t: complex(low if start_s <= t < end_s else 1.0)


@pytest.mark.parametrize("size", [0.0, 0.79, 1.25])
def test_voltage_trip_after_pickup_and_breaker(size: float) -> None:
    trips = trip_times(VTGTPAT, VOLTAGE, dip(size, 0.05, 1.0), 0.5)
    np.testing.assert_allclose(trips, [0.2], atol=2.5 * STEP_S)


def test_voltage_timer_starts_anew_when_the_voltage_returns() -> None:
    two = lambda t: complex(0.5 if 0.05 <= t < 0.14 or 0.2 <= t < 0.5 else 1.0)  # noqa: E731
    np.testing.assert_allclose(trip_times(VTGTPAT, VOLTAGE, two, 0.6), [0.35], atol=2.5 * STEP_S)
    assert trip_times(VTGTPAT, VOLTAGE, dip(0.5, 0.05, 0.14), 0.6) == []


def test_breaker_opens_even_if_the_voltage_returns_meanwhile() -> None:
    trips = trip_times(VTGTPAT, VOLTAGE, dip(0.5, 0.05, 0.16), 0.6)
    np.testing.assert_allclose(trips, [0.2], atol=2.5 * STEP_S)


def test_without_delay_it_trips_at_once_and_only_once() -> None:
    again = lambda t: complex(0.5 if int(t / 0.1) % 2 else 1.0)  # noqa: E731
    trips = trip_times(VTGTPAT, {**VOLTAGE, "tp_s": 0.0, "tb_s": 0.0}, again, 0.6)
    np.testing.assert_allclose(trips, [0.1], atol=2.5 * STEP_S)


def test_timer_runs_on_from_one_side_to_the_other() -> None:
    swing = lambda t: complex(1.0 if t < 0.05 else 0.5 if t < 0.1 else 1.5)  # noqa: E731
    np.testing.assert_allclose(trip_times(VTGTPAT, VOLTAGE, swing, 0.4), [0.2], atol=2.5 * STEP_S)


def test_voltage_on_the_threshold_does_not_chatter() -> None:
    wobble = lambda t: complex(0.8 + 5e-7 * np.sin(1e3 * t) if t > 0.05 else 1.0)  # noqa: E731
    assert len(trip_times(VTGTPAT, VOLTAGE, wobble, 0.4)) <= 1


def test_measurement_lag_delays_the_pickup() -> None:
    """1 -> 0.5 pu through 0.02 s passes 0.8 after 0.02 ln(5/3) = 0.0102 s."""
    trips = trip_times(VTGTPAT, {**VOLTAGE, "tv_s": 0.02}, dip(0.5, 0.05, 1.0), 0.5)
    np.testing.assert_allclose(trips, [0.2102], atol=4 * STEP_S)


def turning(slip_hz: float, start_s: float) -> Callable[[float], complex]:
    """A bus at 1 pu whose frequency steps away from nominal."""
    return lambda t: np.exp(2j * np.pi * slip_hz * max(t - start_s, 0.0))


@pytest.mark.parametrize("slip_hz", [-1.0, 1.0])
def test_frequency_trip_after_measurement_pickup_and_breaker(slip_hz: float) -> None:
    """Two lags of 0.05 s reach half of the step when (1 + s) e^-s = 1/2: s = 1.6783, 0.0839 s."""
    trips = trip_times(FRQTPAT, FREQUENCY, turning(slip_hz, 0.05), 0.6)
    np.testing.assert_allclose(trips, [0.05 + 0.0839 + 0.25], atol=2e-3)


def test_frequency_inside_the_band_never_trips() -> None:
    assert trip_times(FRQTPAT, FREQUENCY, turning(0.45, 0.05), 1.0) == []


def test_angle_jump_passes_as_a_pulse_shorter_than_the_timer() -> None:
    """30 degrees: a peak near sin(30) / tf / e / (2 pi) = 0.585 Hz, back within the band long before 0.2 s."""
    jump = lambda t: complex(np.exp(1j * np.pi / 6 * (t >= 0.05)))  # noqa: E731
    assert trip_times(FRQTPAT, FREQUENCY, jump, 0.6) == []
    assert trip_times(FRQTPAT, {**FREQUENCY, "tp_s": 0.0}, jump, 0.6) != []
    assert trip_times(FRQTPAT, {**FREQUENCY, "fu_hz": 60.65, "tp_s": 0.0}, jump, 0.6) == []


def test_relay_outside_its_band_at_rest_is_refused() -> None:
    with pytest.raises(InitialisationError, match=r"bus voltage starts at 0\.75, outside vl_pu = 0\.8"):
        started(Sample(VTGTPAT, VOLTAGE), Start(0.75 + 0.0j, 0.0, 0.0))
    with pytest.raises(InitialisationError, match=r"60, outside fl_hz = 60"):
        started(Sample(FRQTPAT, {**FREQUENCY, "fl_hz": 60.0}), Start(1.0 + 0.0j, 0.0, 0.0))


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [(VTGTPAT, {**VOLTAGE, "vl_pu": 1.3}, "vl_pu"), (FRQTPAT, {**FREQUENCY, "fl_hz": 61.0}, "fl_hz")],
    ids=["voltage", "frequency"],
)
def test_crossed_thresholds_are_named(model: Model, values: dict[str, float], name: str) -> None:
    assert model.check is not None
    assert [n for n, _ in model.check(Sample(model, values).filled())] == [name]
