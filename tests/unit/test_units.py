"""Unit conversions against figures worked by hand."""

import math

import numpy as np
import pytest

from gridai import units


def test_bases_of_a_230_kv_100_mva_system():
    assert units.z_base_ohm(230.0, 100.0) == pytest.approx(529.0)
    assert units.i_base_ka(230.0, 100.0) == pytest.approx(0.251022, rel=1e-5)
    assert units.omega_base_rad_per_s(60.0) == pytest.approx(376.991118)


def test_machine_reactance_on_the_system_base():
    # Kundur example 12.2: X'd 0.3 pu on 2220 MVA
    assert units.impedance_to_base(0.3, 2220.0, 100.0) == pytest.approx(0.3 * 100 / 2220)
    assert units.power_to_base(3.5, 2220.0, 100.0) == pytest.approx(77.7)
    assert units.energy_mws(3.5, 2220.0) == pytest.approx(7770.0)


def test_line_charging_goes_there_and_back():
    b_pu = np.array([0.6987, 0.2573])
    nf = units.line_nf_from_b_pu(b_pu, 345.0, 100.0, 60.0)
    assert np.allclose(units.b_pu_from_line_nf(nf, 345.0, 100.0, 60.0), b_pu, rtol=1e-15)
    assert nf[0] == pytest.approx(0.6987 / 1190.25 / (2 * math.pi * 60) * 1e9)


def test_transformer_percent_and_ratings():
    assert units.percent_from_pu(0.0181, 100.0, 700.0) == pytest.approx(12.67)
    assert units.ka_from_mva(units.mva_from_ka(1.5, 345.0), 345.0) == pytest.approx(1.5)
    assert units.line_ohm_from_pu(0.01, 345.0, 100.0) == pytest.approx(11.9025)


@pytest.mark.parametrize(
    ("mw", "text"),
    [
        (107.13, "107.1 MW"),
        (5.005, "5.00 MW"),
        (0.9871, "0.987 MW"),
        (0.0429, "42.9 kW"),
        (0.0, "0.0 MW"),
        (-0.02, "-20 kW"),
    ],
)
def test_powers_in_words(mw: float, text: str) -> None:
    assert units.power_text(mw) == text
