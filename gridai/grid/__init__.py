"""The network: power flow, bus admittance matrix, topology, tables. The only importer of pandapower.

pandapower costs seconds to import, so it is loaded by the first function that needs it and never by
`import gridai.grid`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gridai.grid.network import Branches, Loads, Network, OperatingPoint, Units, ybus

if TYPE_CHECKING:
    from gridai.grid.names import element_names
    from gridai.grid.netjson import read_pandapower_json
    from gridai.grid.powerflow import solve
    from gridai.grid.topology import graph, islands

_HOME = {
    "element_names": "gridai.grid.names",
    "graph": "gridai.grid.topology",
    "islands": "gridai.grid.topology",
    "read_pandapower_json": "gridai.grid.netjson",
    "solve": "gridai.grid.powerflow",
}

__all__ = [
    "Branches", "Loads", "Network", "OperatingPoint", "Units", "element_names", "graph", "islands",
    "read_pandapower_json", "solve", "ybus",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load what needs pandas, networkx or pandapower when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'gridai.grid' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
