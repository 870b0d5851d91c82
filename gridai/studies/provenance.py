"""What a result was computed with: versions, and hashes of the case's files."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai._version import __version__

if TYPE_CHECKING:
    from gridai.case import Case

PACKAGES = ("pandapower", "numpy", "scipy", "numba")


def versions() -> dict[str, str]:
    """Version of gridai, Python and the packages that compute, by name."""
    return {
        "gridai": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def case_data(case: Case) -> dict[str, Any]:
    """The hash of a case's data and of each file, on disk; empty for a case that was not read from there."""
    from gridai.results.hashes import case_files, case_hash

    folder = case.provenance.get("folder", "")
    files = case_files(Path(folder)) if folder else {}
    return {"case_hash": case_hash(files), "case_files": files} if files else {}
