"""Small limits files on the one-machine case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HEAD = 'title = "one machine"\ncase = "smib"\n'
MODES = '[[study]]\nname = "modes"\nstudy = "modes"\nreason = "a test"\n'
DAMPING = '[[study.metric]]\nmetric = "swing_damping"\nunit = "%"\nexpected = 0.0\ntolerance = "0.01 %"\n'

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a limits file: the text, by default behind the head that names the case."""

    def make(text: str, name: str = "one.limits.toml", head: str = HEAD) -> Path:
        path = tmp_path / name
        path.write_text(head + text, encoding="utf-8")
        return path

    return make
