"""The limit on damping: pass, fail, growing modes, results that cannot answer."""

from __future__ import annotations

import numpy as np
import pytest

from gridai import criteria
from gridai.results import Channel, Limit, Result
from gridai.results.small_signal import Mode, small_signal_meta

LIMIT = Limit("mode_damping", "%", low=5.0, clause="c", source="s", settings={"f_min_hz": 0.2, "f_max_hz": 2.0})


def result(*eigenvalues: complex) -> Result:
    modes = [Mode(x.real, x.imag, 0.9, (), {"G1": (1.0, 0.0), "G2": (0.4, 180.0)}) for x in eigenvalues if x.imag > 0]
    meta = small_signal_meta([y for x in eigenvalues for y in {x, x.conjugate()}], modes, None)
    return Result([0.0], np.ones((1, 1)), (Channel("gen", "G1", "speed_pu", "pu"),), (), meta)


def at(f_hz: float, damping: float) -> complex:
    size = 2 * np.pi * f_hz / np.sqrt(1 - damping**2)
    return complex(-damping * size, 2 * np.pi * f_hz)


def test_the_least_damped_mode_within_the_band_counts():
    verdict = criteria.make(LIMIT).check(result(at(1.0, 0.08), at(0.5, 0.06), at(5.0, 0.01), -3.0 + 0j))
    assert verdict.passed
    assert verdict.value == pytest.approx(6.0)
    assert verdict.margin == pytest.approx(1.0)
    assert verdict.element == "G1"
    assert "0.500 Hz" in verdict.note
    assert criteria.make(LIMIT).check(result(at(1.0, 0.04))).status == "fail"
    assert criteria.make(LIMIT).check(result(at(1.0, -0.04))).value == pytest.approx(-4.0)


def test_a_growing_exponential_fails():
    verdict = criteria.make(LIMIT).check(result(at(1.0, 0.08), 0.3 + 0j))
    assert verdict.status == "fail"
    assert "grows" in verdict.note


def test_without_modes_it_is_not_assessable():
    bare = Result([0.0], np.ones((1, 1)), (Channel("gen", "G1", "speed_pu", "pu"),))
    assert criteria.make(LIMIT).check(bare).status == "not assessable"
    assert "Hz" in criteria.make(LIMIT).check(result(-1.0 + 0j)).note


def test_profiles_that_state_it_do_so_for_modes_only():
    ercot = criteria.load_profile("ercot")
    assert [x.criterion for x in ercot.of("small-signal")] == ["mode_damping"]
    assert "mode_damping" not in {x.criterion for x in ercot.of("normal")} | {
        x.criterion for x in ercot.of("contingency")
    }
    assert criteria.load_profile("nerc-eastern").of("small-signal") == ()
