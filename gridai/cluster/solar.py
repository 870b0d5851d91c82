"""Power of photovoltaics under a clear sky: where the sun stands, what comes through the air, what a plane sees.

    day, hour --> elevation and azimuth --> beam and diffuse --> plane --> power = rated x irradiance / 1 kW/m2 x 0.86

Sources. Declination and distance: J. W. Spencer, Search 2 (1971) 172. Clear sky: P. Ineichen, "A broadband simplified
version of the Solis clear sky model", Solar Energy 82 (2008) 758, at sea level, aerosol depth 0.1 at 700 nm and 1 cm
of water, with its constants for these. Tilted plane: B. Y. H. Liu and R. C. Jordan, Solar Energy 4 (1960) 1, isotropic
sky, ground albedo 0.2. System losses of 14 %: PVWatts, NREL/TP-6A20-62641 (2014). Beside pvlib 0.16: the clear sky
to 1e-12 W/m2; a tilted plane in every hour of a year at 50 N, 33 N and 33 S, with pvlib's own position of the sun, to
8.7 W/m2, 1.1 in the mean and 0.01 % of the year's energy (tests/unit/cluster/test_solar.py holds its figures).
Left out: clouds, temperature of the cells, refraction, the horizon: an upper bound on a fine day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
SOLAR_CONSTANT = 1367.0
ALBEDO = 0.2
LOSSES = 0.14
STANDARD = 1000.0
"""Irradiance at which a module gives its rated power. [W/m2]"""
_BEAM, _GLOBAL, _DIFFUSE = (0.512, 0.498705), (0.394, 0.405181), (2.514609, 0.17563)
_ENHANCED = 1.1782


def sun(latitude_degree: float, day: ArrayLike, hour: ArrayLike) -> tuple[Floats, Floats]:
    """Sine of the sun's elevation, and its azimuth from north by east [rad], float[n] each.

    day   of the year, 1.0 = the first.   hour  of the solar day: 12 when the sun is highest.
    """
    phi = np.radians(latitude_degree)
    x = 2.0 * np.pi * (np.asarray(day, dtype=float) - 1.0) / 365.0
    delta = (
        0.006918 - 0.399912 * np.cos(x) + 0.070257 * np.sin(x) - 0.006758 * np.cos(2 * x) + 0.000907 * np.sin(2 * x)
        - 0.002697 * np.cos(3 * x) + 0.00148 * np.sin(3 * x)
    )  # fmt: skip
    turn = np.radians(15.0 * (np.asarray(hour, dtype=float) - 12.0))
    up = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(turn)
    east = -np.cos(delta) * np.sin(turn)
    north = np.cos(phi) * np.sin(delta) - np.sin(phi) * np.cos(delta) * np.cos(turn)
    return up, np.arctan2(east, north)


def clear_sky(sine: ArrayLike, day: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Global on the level, beam towards the sun and diffuse irradiance by the sine of the elevation. [W/m2]"""
    up = np.asarray(sine, dtype=float)
    x = 2.0 * np.pi * (np.asarray(day, dtype=float) - 1.0) / 365.0
    distance = (1.00011 + 0.034221 * np.cos(x) + 0.00128 * np.sin(x) + 0.000719 * np.cos(2 * x)
                + 0.000077 * np.sin(2 * x))  # fmt: skip
    outside = _ENHANCED * SOLAR_CONSTANT * distance
    high = np.maximum(up, 1e-3)

    def passed(depth: float, power: float) -> Any:
        return np.where(up > 0.0, outside * np.exp(-depth / high**power), 0.0)

    return passed(*_GLOBAL) * high, passed(*_BEAM), passed(*_DIFFUSE)


def plane_w_per_m2(
    latitude_degree: float, day: ArrayLike, hour: ArrayLike, tilt_degree: float, azimuth_degree: float
) -> Floats:
    """Irradiance on a plane, float[n]; azimuth 180: it looks south. Other arguments as of `sun`. [W/m2]"""
    up, azimuth = sun(latitude_degree, day, hour)
    ghi, dni, dhi = clear_sky(up, day)
    tilt = np.radians(tilt_degree)
    level = np.sqrt(np.maximum(1.0 - up**2, 0.0))
    facing = up * np.cos(tilt) + level * np.sin(tilt) * np.cos(azimuth - np.radians(azimuth_degree))
    sky, ground = 0.5 * (1.0 + np.cos(tilt)), 0.5 * (1.0 - np.cos(tilt))
    return np.asarray(dni * np.maximum(facing, 0.0) + dhi * sky + ALBEDO * ghi * ground)


def share_of_rated(
    t_s: ArrayLike, latitude_degree: float, day: float, hour: float, tilt_degree: float, azimuth_degree: float
) -> Floats:
    """Power over rated power along a time axis that begins at `hour` of `day`, float[n], 1 at most."""
    hours = hour + np.asarray(t_s, dtype=float) / 3600.0
    days = (day - 1.0 + np.floor(hours / 24.0)) % 365.0 + 1.0
    seen = plane_w_per_m2(latitude_degree, days, hours % 24.0, tilt_degree, azimuth_degree)
    return np.minimum((1.0 - LOSSES) * seen / STANDARD, 1.0)
