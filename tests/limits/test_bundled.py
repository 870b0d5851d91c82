"""Every bundled case has its limits, they hold, and their values belong to the case as it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gridai.casefile import bundled_cases
from gridai.limits import check, find_files, read_limits
from gridai.limits.text import failure

FILES = {path.parent.name: path for path in find_files([], bundled=True)}
SLOW = ("bench", "cigre_mv", "european_lv", "ieee39", "ireland", "virginia")
BUDGET_S = 60.0
"""For all files one after the other; reached 30 s of one core, of which 4 s import and load the models."""


def test_every_case_has_its_limits() -> None:
    assert {name: path.name for name, path in FILES.items()} == {n: f"{n}.limits.toml" for n in bundled_cases()}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in FILES])
def test_limits_hold(name: str) -> None:
    begin = time.process_time()
    checked = check(read_limits(FILES[name]))
    assert checked.passed, "\n\n".join(failure(o, FILES[name]) for o in checked.outcomes if not o.good)
    assert checked.stale == ""
    assert time.process_time() - begin < BUDGET_S


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_files_say_where_their_values_come_from(path: Path) -> None:
    limits = read_limits(path)
    assert limits.title
    assert limits.provenance is not None
    assert limits.provenance.command == "gridai limits update --write"
    assert all(entry.reason for _, entry in limits.entries)


def test_the_example_of_the_readme_is_read(checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "README.md").read_text(encoding="utf-8")
    example = next(block for block in text.split("```toml\n")[1:] if "[[study]]" in block).partition("```")[0]
    path = tmp_path / "readme.limits.toml"
    path.write_text(example, encoding="utf-8")
    assert [entry.name for _, entry in read_limits(path).entries] == ["nerc-eastern/frequency_nadir", "nadir"]
    assert check(read_limits(path)).passed
