"""Editing the text of a limits file: only the values asked for change; what is not understood is refused."""

from __future__ import annotations

import tomllib

import pytest

from gridai.errors import CaseError
from gridai.limits import layout
from gridai.limits.edit import HEAD, edited, toml_value
from gridai.limits.records import Provenance

NOW = Provenance("sha256:1", "2026-01-01T00:00:00Z", "gridai limits update --write", {"gridai": "1"}, {"a/b.csv": "2"})
TEXT = '''# head # with a hash
title = "x"   # title
case = "."
note = """
[[study]]   not a header
"""

[[study]]
study = "modes"  # comment = 3

  [[study.metric]]
  metric = "a # b"      # why
  unit = "Hz"
  expected = 1.0        # measured in 2024
  element = "bus # 7"   # the worst

# about the next one
[[ study . limit ]]
profile = 'ercot'

[[study]]
study = "cct"
[[study.metric]]
metric = "c"
tolerance = "1 s"
# last words
'''


def test_comments_and_layout_stay() -> None:
    changes = {
        (0, "metric", 0): {"expected": 2.5, "element": "bus 8", "t_s": 3.0},
        (0, "limit", 0): {"unit": "%", "expected": 4.0},
        (1, "metric", 0): {"unit": "s", "expected": 5.0},
    }  # fmt: skip
    new = edited(TEXT, changes, NOW)  # type: ignore[arg-type]
    old, lines = TEXT.splitlines(), new.splitlines()
    assert [line for line in old if line not in lines] == [
        "  expected = 1.0        # measured in 2024",
        '  element = "bus # 7"   # the worst',
    ]
    added = [line for line in lines[: lines.index(HEAD)] if line.strip() and line not in old]
    assert added == [
        "  expected = 2.5        # measured in 2024", '  element = "bus 8"   # the worst', "  t_s = 3.0",
        'unit = "%"', "expected = 4.0", 'unit = "s"', "expected = 5.0",
    ]  # fmt: skip
    assert lines.index("# about the next one") > lines.index("  t_s = 3.0")


def test_provenance_is_replaced_not_repeated() -> None:
    once = edited(TEXT, {}, NOW)
    assert edited(once, {}, NOW) == once
    assert tomllib.loads(once)["provenance"]["files"] == {"a/b.csv": "2"}
    assert once.count("[provenance]") == 1


def test_tables_written_inline_are_refused() -> None:
    text = 'study = [{ study = "modes", metric = [{ metric = "a" }] }]\n'
    with pytest.raises(CaseError, match="must be headed"):
        edited(text, {(0, "metric", 0): {"expected": 1.0}}, NOW)


def test_a_layout_that_is_not_understood_is_refused() -> None:
    text = '[[study]]\n[[study.metric]]\n"expected" = 1.0\n'
    with pytest.raises(CaseError, match="not understood"):
        edited(text, {(0, "metric", 0): {"expected": 2.0}}, NOW)


def test_lines_of_tables() -> None:
    places = layout.places(TEXT)
    assert layout.line_of(places, 0) == 8
    assert layout.line_of(places, 0, "metric", 0) == 11
    assert layout.line_of(places, 0, "limit", 0) == 18
    assert layout.line_of(places, 1, "metric", 0) == 23
    assert layout.line_of(places, 2) is None


@pytest.mark.parametrize("value", [1.0, 1e-7, 1e20, -0.25, 5, "a \"b\" \\ 'c' é", True, float("inf")])
def test_values_read_back_as_they_were(value: object) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}")["key"] == value
