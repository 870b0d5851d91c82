"""What a study of time series leaves in a result as plain data: the course in buckets, and duration curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gridai.results.result import Result


@dataclass(frozen=True)
class Duration:
    """A duration curve: `values`, falling, are exceeded for at most the same place of `share` of the solved time.

    group  "voltage", "loading", "losses", "cluster": curves of a group stand in one panel.
    share  0 to 1.
    """

    group: str
    name: str
    unit: str
    share: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Points:
    """Single values over time: Pst of periods. group "pst"; t_s [s] and values as long as each other."""

    group: str
    name: str
    unit: str
    t_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Course:
    """The whole study: duration curves, and spans (from, to) of steps without a solution or without data. [s]

    points  single values over time.
    levels  (name, value): lines across the course of the power that controllers hold. [MW]
    """

    curves: tuple[Duration, ...]
    unsolved: tuple[tuple[float, float], ...]
    points: tuple[Points, ...] = ()
    levels: tuple[tuple[str, float], ...] = ()


TIMES = (("days", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def unit_of_time(span_s: float) -> tuple[str, float]:
    """The unit in which times of a course of this length are read, in figure and tables, and its length. [s]"""
    return next(((unit, size) for unit, size in TIMES if span_s >= 3.0 * size), TIMES[-1])


def add_course(result: Result, course: Course) -> Result:
    """Put a course into a result, in place; returns it."""
    result.meta["course"] = _plain(asdict(course))
    return result


def course_of(result: Result) -> Course | None:
    """The course that a result holds, None without one."""
    data = result.meta.get("course")
    if data is None:
        return None
    curves = tuple(
        Duration(str(c["group"]), str(c["name"]), str(c["unit"]), _row(c["share"]), _row(c["values"]))
        for c in data["curves"]
    )
    points = tuple(
        Points(str(p["group"]), str(p["name"]), str(p["unit"]), _row(p["t_s"]), _row(p["values"]))
        for p in data.get("points", ())
    )
    levels = tuple((str(name), float(value)) for name, value in data.get("levels", ()))
    return Course(curves, tuple((float(a), float(b)) for a, b in data["unsolved"]), points, levels)


def _row(values: Any) -> tuple[float, ...]:
    return tuple(math.nan if x is None else float(x) for x in values)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(x) for k, x in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
