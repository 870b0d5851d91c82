"""pytest as a user runs it: in a repository of his own, with gridai installed beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

Pytest = Callable[..., subprocess.CompletedProcess[str]]
STRICT = ("-W", "error", "--strict-markers", "--strict-config", "-p", "no:cacheprovider", "-p", "no:benchmark")


@pytest.fixture
def run_pytest(child_env: dict[str, str]) -> Pytest:
    """Run pytest in a folder, in a fresh interpreter; the plugin is named where gridai is not installed."""
    installed = list(entry_points(group="pytest11", name="gridai"))
    plugin = () if installed else ("-p", "gridai.pytest_plugin")

    def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", *STRICT, *plugin, *args]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=child_env, check=False)

    return run
