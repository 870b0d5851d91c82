"""Compiled cases, shared by all system tests; helper modules of this folder importable by the tests beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@cache
def _compiled(name: str) -> Any:
    from gridai.case import load_case
    from gridai.engine import compile_system

    return compile_system(load_case(name))


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Any]:
    """A function from the name of a bundled case to its System, compiled once."""
    return _compiled
