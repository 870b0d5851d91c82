"""gridai: what an AI cluster does to a power grid, and what it can do for it.

The names below are resolved when they are first used (PEP 562), so `import gridai` is quick and loads
neither pandapower nor numba nor matplotlib.

    import gridai as ga
    case = ga.load_case("ieee39").with_cluster(ga.Cluster.of("H100", count=100_000, pue=1.25), bus="16")
    print(ga.studies.Pause(pause_mw=100).run(case))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gridai._version import __version__

if TYPE_CHECKING:
    import gridai.case as case
    import gridai.cluster as cluster
    import gridai.criteria as criteria
    import gridai.engine as engine
    import gridai.errors as errors
    import gridai.exchange as exchange
    import gridai.grid as grid
    import gridai.kernel as kernel
    import gridai.limits as limits
    import gridai.models as models
    import gridai.plots as plots
    import gridai.reports as reports
    import gridai.results as results
    import gridai.studies as studies
    import gridai.units as units
    from gridai.case import Case, load_case
    from gridai.cluster import Cluster
    from gridai.errors import GridaiError
    from gridai.exchange import import_case
    from gridai.results import Result

_MODULES = (
    "case", "cluster", "criteria", "engine", "errors", "exchange", "grid", "kernel", "limits", "models", "plots",
    "reports", "results", "studies", "units",
)  # fmt: skip
_HOME = {
    "Case": "gridai.case",
    "Cluster": "gridai.cluster",
    "GridaiError": "gridai.errors",
    "Result": "gridai.results",
    "import_case": "gridai.exchange",
    "load_case": "gridai.case",
}

__all__ = [
    "Case", "Cluster", "GridaiError", "Result", "__version__", "case", "cluster", "criteria", "engine", "errors",
    "exchange", "grid", "import_case", "kernel", "limits", "load_case", "models", "plots", "reports", "results",
    "studies", "units",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used and remember it."""
    if name in _MODULES:
        value: Any = importlib.import_module(f"gridai.{name}")
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'gridai' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
