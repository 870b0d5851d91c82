"""Every script in scripts/ runs from start to end and leaves files in the folder it is given; so does README's code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[1] / "scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script: Path, tmp_path: Path, child_env: dict[str, str]) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(out)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=child_env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert any(path.is_file() for path in out.rglob("*"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_is_short_and_says_what_it_does(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40
    assert lines[0].startswith('"""')
    assert "Usage: python scripts/" in script.read_text(encoding="utf-8")


def test_the_python_of_the_readme(checkout: Path, tmp_path: Path, child_env: dict[str, str]) -> None:
    """All of it in turn, as one program."""
    blocks = re.findall(r"```python\n(.*?)```", (checkout / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=child_env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "frequency nadir" in done.stdout
    assert (tmp_path / "out" / "pause" / "overview.png").is_file()
