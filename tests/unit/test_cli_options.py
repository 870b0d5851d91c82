"""Options made from a dataclass: names, types, defaults, help; numbers lists; what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import click
import pytest
from click.testing import CliRunner

from gridai.cli import options


@dataclass(frozen=True)
class Sample:
    """A study for these tests."""

    pause_mw: float = field(metadata={"help": "Power that is paused.", "unit": "MW"})
    at_s: tuple[float, ...] = field(default=(1.0,), metadata={"help": "Starts.", "unit": "s"})
    resume_s: float | None = field(default=None, metadata={"help": "Return.", "unit": "s"})
    shape: Literal["step", "ramp"] = field(default="step", metadata={"help": "How."})
    repeat: int = field(default=1, metadata={"help": "How often."})
    governors: bool = field(default=True, metadata={"help": "With governors."})
    hidden: float = field(default=0.0, metadata={"help": "Not here.", "cli": False})
    table: dict[str, float] = field(default_factory=dict, metadata={"help": "Not writable as an option."})


def command() -> click.Command:
    return click.Command("sample", params=[*options.study_options(Sample)], callback=lambda **v: click.echo(repr(v)))


def invoke(*args: str) -> str:
    done = CliRunner().invoke(command(), args)
    return done.output


def test_each_simple_field_is_an_option_and_no_other() -> None:
    names = [option.name for option in options.study_options(Sample)]
    assert names == ["pause_mw", "at_s", "resume_s", "shape", "repeat", "governors"]


def test_values_have_the_types_of_the_fields() -> None:
    text = invoke("--pause-mw", "100", "--at-s", "1,2.5", "--resume-s", "11", "--shape", "ramp", "--no-governors")
    assert "'pause_mw': 100.0" in text
    assert "'at_s': (1.0, 2.5)" in text
    assert "'resume_s': 11.0" in text
    assert "'governors': False" in text


def test_defaults_are_those_of_the_dataclass() -> None:
    text = invoke("--pause-mw", "1")
    assert "'at_s': (1.0,)" in text
    assert "'resume_s': None" in text
    assert "'shape': 'step'" in text
    assert "'repeat': 1" in text


def test_help_gives_meaning_unit_and_default() -> None:
    text = " ".join(invoke("--help").split())
    assert "Power that is paused. [MW]" in text
    assert "required" in text
    assert "[default: step]" in text


def test_a_missing_required_field_is_named() -> None:
    assert "--pause-mw" in invoke()


@pytest.mark.parametrize(
    ("args", "word"), [(("--at-s", "1,x"), "'x' is not a number"), (("--repeat", "a"), "--repeat")]
)
def test_bad_values_are_named(args: tuple[str, str], word: str) -> None:
    assert word in invoke("--pause-mw", "1", *args)


def test_field_rows_state_unit_default_and_meaning() -> None:
    rows = {row[0]: row[1:] for row in options.field_rows(Sample)}
    assert rows["pause_mw"] == ("MW", "required", "Power that is paused.")
    assert rows["at_s"] == ("s", "1", "Starts.")
