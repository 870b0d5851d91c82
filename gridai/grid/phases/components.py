"""Symmetrical components, and the ways in which something can stand between three phases.

Order of components: zero, positive, negative. Phase b lags phase a by 120 degree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Complexes = NDArray[np.complex128]

_B, _C = complex(-0.5, -np.sqrt(0.75)), complex(-0.5, np.sqrt(0.75))
TO_PHASES: Complexes = np.array([[1, 1, 1], [1, _B, _C], [1, _C, _B]], dtype=complex)
"""Phases a, b, c from the components 0, 1, 2."""
TO_COMPONENTS: Complexes = np.array([[1, 1, 1], [1, _C, _B], [1, _B, _C]], dtype=complex) / (3 + 0j)
"""Components 0, 1, 2 from the phases a, b, c."""

KINDS = ("a", "b", "c", "ab", "bc", "ca", "positive")
"""Between a phase and earth, between two phases, or on the positive sequence alone (a generating unit)."""
WYE, DELTA, POSITIVE = (0, 1, 2), (3, 4, 5), 6

_ACROSS: Complexes = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0], [0, 1, -1], [-1, 0, 1]], dtype=complex)
SEES: Complexes = np.vstack([_ACROSS @ TO_PHASES, [[0, 1, 0]]])
"""complex[7, 3]: the voltage across each kind from the components of its node."""
GIVES: Complexes = np.vstack([_ACROSS @ TO_COMPONENTS.T, [[0, 1, 0]]])
"""complex[7, 3]: the components of the current that each kind draws."""
SEES[3:6, 0] = GIVES[3:6, 0] = 0.0  # exactly: what stands between two phases has no part in the zero sequence

NOMINAL = np.array([1.0, 1.0, 1.0, np.sqrt(3.0), np.sqrt(3.0), np.sqrt(3.0), 1.0])
"""float[7]: the voltage across each kind at 1 pu. [pu of the phase voltage]"""


def to_components(v: Complexes) -> Complexes:
    """Components complex[3, ...] of phases complex[3, ...]."""
    out = np.empty_like(v)
    both, apart = v[1] + v[2], v[1] - v[2]
    np.add(v[0], both, out=out[0])
    both *= -0.5
    both += v[0]
    apart *= 1j * np.sqrt(0.75)
    np.add(both, apart, out=out[1])
    np.subtract(both, apart, out=out[2])
    out *= 1.0 / 3.0
    return out


def to_phases(v: Complexes, out: Complexes | None = None) -> Complexes:
    """Phases complex[3, ...] of components complex[3, ...]; written to `out` where it is given."""
    out = np.empty_like(v) if out is None else out
    both, apart = v[1] + v[2], v[1] - v[2]
    np.add(v[0], both, out=out[0])
    both *= -0.5
    both += v[0]
    apart *= 1j * np.sqrt(0.75)
    np.subtract(both, apart, out=out[1])
    np.add(both, apart, out=out[2])
    return out
