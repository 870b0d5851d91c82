"""Unbalanced three-phase power flow: many scenarios of one network, each certified by its residual."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.grid.batch import Vary
    from gridai.grid.phases.flow import PhaseFlow
    from gridai.grid.phases.result import PhaseResult

_HOME = {"PhaseFlow": "phases.flow", "PhaseResult": "phases.result", "Vary": "batch.vary"}

__all__ = ["PhaseFlow", "PhaseResult", "Vary"]


def __getattr__(name: str) -> Any:
    """Load what needs SciPy when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.grid.phases' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gridai.grid.{_HOME[name]}"), name)
    globals()[name] = value
    return value
