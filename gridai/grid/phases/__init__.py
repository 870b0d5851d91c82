"""Unbalanced three-phase power flow: many scenarios of one network, each certified by its residual."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.grid.phases.flow import PhaseFlow
    from gridai.grid.phases.result import PhaseResult
    from gridai.grid.phases.vary import Vary

_HOME = {"PhaseFlow": "flow", "PhaseResult": "result", "Vary": "vary"}

__all__ = ["PhaseFlow", "PhaseResult", "Vary"]


def __getattr__(name: str) -> Any:
    """Load what needs SciPy when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.grid.phases' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gridai.grid.phases.{_HOME[name]}"), name)
    globals()[name] = value
    return value
