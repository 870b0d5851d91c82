"""A limits file with any one value of the wrong kind is read or refused with a CaseError, never anything else."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gridai.errors import CaseError
from gridai.limits import read_limits

WHOLE = tomllib.loads(
    """
title = "t"
case = "ieee39"
[[study]]
name = "p"
study = "pause"
reason = "r"
cluster = { bus = "16", hardware = "H100", count = 1000, pue = 1.2, power_factor = 0.99, balance = "slack", name = "x" }
parameters = { pause_mw = 1.0, schedule = "", repeat = 1 }
[[study.limit]]
profile = "nerc-eastern"
criterion = "frequency_nadir"
margin = "0.1 Hz"
[[study.metric]]
metric = "nadir"
unit = "Hz"
expected = 59.9
tolerance = "1 % of value"
element = "COI"
t_s = 1.0
t_tolerance = "1 s"
low = 59.0
high = 61.0
xfail = "x"
[provenance]
case_hash = "h"
written = "w"
command = "c"
versions = { gridai = "1" }
files = { a = "b" }
"""
)
ODD: tuple[Any, ...] = (True, 3, -1.5, "", "::", "a/b", [], [1], ["a"], {}, {"a": 1}, [{}], [{"a": 1}])


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values in nested data."""
    found = [at] if at else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += paths(value, (*at, key))
    return found


def toml(value: Any) -> str:
    """Any value inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("place", paths(WHOLE), ids=lambda p: ".".join(map(str, p)))
def test_any_odd_value(tmp_path: Path, place: tuple[Any, ...]) -> None:
    for odd in ODD:
        data = json.loads(json.dumps(WHOLE))
        inner = data
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = odd
        file = tmp_path / "odd.limits.toml"
        file.write_text("\n".join(f"{key} = {toml(value)}" for key, value in data.items()), encoding="utf-8")
        try:
            read_limits(file)
        except CaseError as error:
            assert "odd.limits.toml" in str(error)  # noqa: PT017
