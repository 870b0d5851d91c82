"""Certified batched power flow on pandapower's own matrices: one network, many scenarios, compiled."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridai.grid.batch.changes import Changes
    from gridai.grid.batch.flow import BatchFlow
    from gridai.grid.batch.result import BatchResult
    from gridai.grid.batch.vary import Vary

_HOME = {"BatchFlow": "flow", "BatchResult": "result", "Changes": "changes", "Vary": "vary"}

__all__ = ["BatchFlow", "BatchResult", "Changes", "Vary"]


def __getattr__(name: str) -> Any:
    """Load what needs numba when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.grid.batch' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gridai.grid.batch.{_HOME[name]}"), name)
    globals()[name] = value
    return value
