"""What README says of the command line: every study and verb is there, and its examples are commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gridai.cli import VERBS, catalogue
from gridai.cli.run import study_command

EXAMPLE = re.compile(r"^ *(?:\| .*\| `)?(gridai run [^`\n]*)", re.MULTILINE)


@pytest.fixture(scope="module")
def readme(checkout: Path) -> str:
    return (checkout / "README.md").read_text(encoding="utf-8")


def test_every_verb_is_listed(readme: str) -> None:
    assert [verb for verb in VERBS if not re.search(rf"^\| `gridai {verb}\b", readme, re.MULTILINE)] == []


@pytest.mark.parametrize("name", list(catalogue.studies()))
def test_every_study_is_listed_with_an_example_of_its_own(readme: str, name: str) -> None:
    row = re.search(rf"^\| `{name}` \|.*\| `gridai run {name} ([^`]*)` \|$", readme, re.MULTILINE)
    assert row is not None, f"no row of the study {name} with an example"


def test_the_options_of_every_example_exist(readme: str) -> None:
    """click reads them; nothing runs."""
    found = EXAMPLE.findall(readme)
    assert len(found) >= len(catalogue.studies())
    for line in found:
        name, *args = shlex.split(line, comments=True)[2:]
        assert name in catalogue.studies(), line
        study_command(name, catalogue.studies()[name]).make_context(name, list(args))
