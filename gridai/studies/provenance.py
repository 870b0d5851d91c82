"""Versions of what a result was computed with."""

from __future__ import annotations

import platform
from importlib import metadata

from gridai._version import __version__

PACKAGES = ("pandapower", "numpy", "scipy", "numba")


def versions() -> dict[str, str]:
    """Version of gridai, Python and the packages that compute, by name."""
    return {
        "gridai": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
