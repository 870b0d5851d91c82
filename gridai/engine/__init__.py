"""The engine: compile a case, initialise it, integrate it, linearise it. Names resolve on first use."""

from importlib import import_module
from typing import Any

_NAMES = {
    "compile_system": "system",
    "System": "system",
    "simulate": "simulation",
    "Run": "run",
    "linearise": "linear",
    "Linear": "linear",
    "BusPower": "response",
    "Demand": "response",
    "Signal": "response",
    "StateSpace": "response",
    "state_space": "response",
    "branch_flows": "flows",
    "with_branch_flows": "flows",
    "check_start": "initialise",
    "StartReport": "initialise",
    "BusFault": "events",
    "BranchTrip": "events",
    "BranchClose": "events",
    "GeneratorTrip": "events",
    "LoadStep": "events",
    "TrainingPause": "events",
    "ForceAway": "source_events",
    "ReturnLoad": "source_events",
    "SourceImpedance": "source_events",
    "SourcePlayback": "source_events",
    "Event": "events",
}
__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'gridai.engine' has no attribute '{name}'")
    return getattr(import_module(f"gridai.engine.{_NAMES[name]}"), name)
