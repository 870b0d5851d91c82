"""What all tests share: no display, the reference folder, a copy of the bundled cases.

Compiled kernels are cached by numba beside the sources (or in its user cache when they are read-only); the tests
leave that cache alone, so a second run starts warm.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds gridai/, cases/, scripts/ and tests/."""
    return CHECKOUT


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """The reference data: $GRIDAI_REFERENCE, else ../shared/reference beside the checkout. Skips when absent."""
    stated = os.environ.get("GRIDAI_REFERENCE")
    folder = Path(stated) if stated else CHECKOUT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set GRIDAI_REFERENCE to its folder")
    return folder


@pytest.fixture(scope="session")
def child_env() -> dict[str, str]:
    """The environment of a child process that is to import the same gridai as the tests."""
    import gridai

    return {**os.environ, "PYTHONPATH": str(Path(gridai.__file__).parents[1])}


@pytest.fixture
def case_copy(tmp_path: Path) -> Callable[[str], Path]:
    """A function that copies a bundled case into tmp_path, for tests that break one on purpose."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(CHECKOUT / "cases" / name, tmp_path / name))

    return copy
