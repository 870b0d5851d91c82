"""The current that a port draws: constant power, current and impedance together, with its derivatives.

i(v) = conj(s_p + s_i |v|/v0 + s_z |v|^2/v0^2) / conj(v)
"""

from __future__ import annotations

import numpy as np

from gridai.grid.batch.matrices import Complexes
from gridai.grid.phases.components import NOMINAL
from gridai.grid.phases.ports import Ports


def power_at(ports: Ports, constant: Complexes, v: Complexes) -> Complexes:
    """complex[m, S] power drawn at voltages v across the ports. constant: the constant part of it."""
    laws = ports.power[:, 1:]
    if not laws.any():
        return constant
    size = np.abs(v) / NOMINAL[ports.kind, None]
    return np.asarray(constant + laws[:, :1] * size + laws[:, 1:] * size**2)


def current_at(ports: Ports, constant: Complexes, v: Complexes) -> Complexes:
    """complex[m, S] current drawn."""
    return np.asarray(np.conj(power_at(ports, constant, v) / v))


def slopes(ports: Ports, constant: Complexes, v: Complexes) -> tuple[Complexes, Complexes]:
    """Derivatives of the current by v and by its conjugate."""
    back = np.conj(v)
    by_back = -np.conj(constant) / back**2
    laws, v0 = np.conj(ports.power[:, 1:]), NOMINAL[ports.kind, None]
    if not laws.any():
        return np.zeros_like(v), by_back
    size = np.abs(v)
    by_v = laws[:, :1] / (2.0 * size * v0) + laws[:, 1:] / v0**2
    return by_v, by_back - laws[:, :1] * v**2 / (2.0 * size**3 * v0)
