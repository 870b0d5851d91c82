"""Clear-sky photovoltaics beside pvlib 0.16.1's figures (simplified Solis at 0.1 and 1 cm, isotropic sky, albedo 0.2).

Made with pvlib.clearsky.simplified_solis, solarposition.get_solarposition (2023, longitude 0, hours in UTC) and
irradiance.get_total_irradiance; the hour given here is UTC plus Spencer's equation of time.
"""

from __future__ import annotations

import numpy as np
import pytest

from gridai.cluster import solar

# sine of elevation: global, beam, diffuse for 1 W/m2 outside the air
SOLIS = (
    (0.05, 0.015638, 0.120407, 0.016711),
    (0.2, 0.110607, 0.375876, 0.041918),
    (0.5, 0.349617, 0.571529, 0.068827),
    (0.8, 0.612358, 0.664793, 0.086196),
    (1.0, 0.794524, 0.70609, 0.09531),
)
# latitude, tilt, azimuth, day, UTC hour, equation of time in minutes: W/m2 on the plane
PLANES = (
    (50.0, 35.0, 180.0, 79.0, 9.0, -8.18, 581.7),
    (50.0, 35.0, 180.0, 172.0, 12.0, -1.344, 1022.8),
    (50.0, 35.0, 180.0, 172.0, 16.0, -1.344, 546.5),
    (50.0, 35.0, 180.0, 355.0, 13.0, 2.155, 529.3),
    (33.0, 25.0, 200.0, 79.0, 9.0, -8.18, 565.0),
    (33.0, 25.0, 200.0, 172.0, 12.0, -1.344, 1021.0),
    (33.0, 25.0, 200.0, 172.0, 16.0, -1.344, 611.5),
    (33.0, 25.0, 200.0, 355.0, 13.0, 2.155, 786.1),
    (-33.0, 30.0, 0.0, 79.0, 9.0, -8.18, 667.2),
    (-33.0, 30.0, 0.0, 172.0, 12.0, -1.344, 797.3),
    (-33.0, 30.0, 0.0, 172.0, 16.0, -1.344, 251.7),
    (-33.0, 30.0, 0.0, 355.0, 13.0, 2.155, 1029.8),
)


def test_the_clear_sky_is_pvlibs():
    scale = solar.SOLAR_CONSTANT * (1.00011 + 0.034221 + 0.000719)
    for sine, *expected in SOLIS:
        found = [float(x) / scale for x in solar.clear_sky(sine, 1.0)]
        assert found == pytest.approx(expected, abs=1e-6)  # as printed; the formulas agree to 1e-15


@pytest.mark.parametrize("row", PLANES)
def test_a_tilted_plane_is_pvlibs_within_9_w_per_m2(row: tuple[float, ...]):
    """Over a whole year the largest difference is 8.7 W/m2, the mean 1.1: position of the sun by day, no refraction."""
    latitude, tilt, azimuth, day, hour, minutes, expected = row
    found = solar.plane_w_per_m2(latitude, day, hour + minutes / 60.0, tilt, azimuth)
    assert float(found) == pytest.approx(expected, abs=9.0)


def test_day_length_and_noon():
    """At 50 degrees a day lasts 16.2 h at midsummer and 7.8 h at midwinter, without refraction."""
    hours = np.arange(0.0, 24.0, 0.01)
    for day, expected in ((172.0, 16.16), (355.0, 7.84), (80.0, 12.0)):
        up, _ = solar.sun(50.0, np.full(len(hours), day), hours)
        assert (up > 0.0).mean() * 24.0 == pytest.approx(expected, abs=0.1)
        assert hours[up.argmax()] == pytest.approx(12.0, abs=0.01)
    assert float(np.degrees(np.arcsin(solar.sun(50.0, 172.0, 12.0)[0]))) == pytest.approx(63.44, abs=0.05)


def test_power_over_days():
    """The second day follows from the first; nothing at night; never above the rating."""
    t = 600.0 * np.arange(2 * 144)
    share = solar.share_of_rated(t, 40.0, 365.0, 0.0, 30.0, 180.0)
    assert share[:20].max() == 0.0
    assert share.max() < 1.0
    assert share[:144].sum() == pytest.approx(share[144:].sum(), rel=0.01)  # 31 December and 1 January
    steep = solar.share_of_rated(t, 0.0, 80.0, 0.0, 0.0, 180.0)
    assert steep.argmax() == 72
    assert 0.75 < steep.max() < 0.95
