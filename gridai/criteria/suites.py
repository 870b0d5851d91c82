"""Test suites of a load on a controlled source: what is played, and how it is judged. Data in suites/*.toml.

A test names short-circuit ratio and X/R (scr -1: an ideal source), voltage and load at the start, and events:

    "0 fault residual=0.2 for=0.45 kind=three-phase"   voltage left [pu], duration [s]
    "0 v=1.15"   "0 f=49"   "0 f=50 rate=2"   "0 rate=-2"   "0 phase=20"   "0 scr=10 xr=10"   "0 signal=0.5"

voltage [pu of the bus], frequency [Hz] and its rate [Hz/s], angle [degree], a power command to the load. `judge`:

    recover   the load is back in time after the last event          stay     it draws its power all along
    flat      nothing moves                                          record   no limit: noted where the load leaves
    phases    the limit holds for phase voltages                     signal   the load needs a command input

The last three are not assessable. Importing this file loads the standard library only.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gridai.errors import CaseError, Problems, UnknownNameError, near

FOLDER = Path(__file__).parent / "suites"
JUDGES = ("recover", "stay", "flat", "record", "phases", "signal")
KEYS = ("residual", "for", "kind", "v", "f", "rate", "phase", "scr", "xr", "signal")


@dataclass(frozen=True)
class Played:
    """One event of a test: its time [s] from the start of the test, "fault" or "play", and its values."""

    at_s: float
    verb: str
    values: dict[str, Any]

    @property
    def end_s(self) -> float:
        """When it is over. [s]"""
        return self.at_s + float(self.values.get("for", 0.0))


@dataclass(frozen=True)
class Test:
    """A test of a suite; see the module's docstring."""

    __test__ = False  # pytest must not take it for one of its own

    name: str
    until_s: float
    events: tuple[str, ...]
    scr: float = 10.0
    xr: float = 10.0
    u0_pu: float = 1.0
    p0_pu: float = 1.0
    judge: str = "recover"
    rank: int = 0

    @property
    def played(self) -> tuple[Played, ...]:
        """The events, read. Raises ValueError for what is none."""
        return tuple(_event(text) for text in self.events)

    @property
    def last_s(self) -> float:
        """When the last event is over. [s]"""
        return max((e.end_s for e in self.played), default=0.0)


@dataclass(frozen=True)
class Suite:
    """A named set of tests. u_normal_pu: the bus voltage at which a facility is at its rating."""

    name: str
    title: str
    f_hz: float
    source: str
    confidence: str
    tests: tuple[Test, ...]
    description: str = ""
    u_normal_pu: float = 1.0


def suite_names() -> tuple[str, ...]:
    """Names of the suites that come with gridai."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_suite(name: str) -> Suite:
    """Read a suite by name, or from the path of a TOML file. Raises UnknownNameError, or CaseError with all faults."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in suite_names():
        raise UnknownNameError(near(name, suite_names(), "test suite"))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnknownNameError(f"test suite '{path}': no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not a TOML file: {error}") from error
    bad = Problems(f"test suite {path.name}")
    head = {f.name for f in fields(Suite)} - {"name", "tests"}
    for key in data:
        if key not in head | {"test"}:
            bad.add(path.name, None, key, data[key], near(key, head, "key"))
    for key in ("title", "f_hz", "source", "confidence", "test"):
        if not data.get(key):
            bad.add(path.name, None, key, None, "is missing")
    tests = tuple(t for n, row in enumerate(data.get("test", []), 1) if (t := _test(row, n, path.name, bad)))
    bad.raise_if_any(CaseError)
    return Suite(path.stem, tests=tests, **{key: data[key] for key in head if key in data})


def _test(row: dict[str, Any], n: int, file: str, bad: Problems) -> Test | None:
    where, before = f"{file}, test {n}", len(bad)
    known = {f.name for f in fields(Test)}
    for key in row:
        if key not in known:
            bad.add(where, None, key, row[key], near(key, known, "key"))
    for key in ("name", "until_s"):
        if not row.get(key):
            bad.add(where, None, key, None, "is missing")
    if row.get("judge", "recover") not in JUDGES:
        bad.add(where, None, "judge", row["judge"], near(row["judge"], JUDGES, "judge"))
    for text in row.get("events", []):
        try:
            _event(text)
        except ValueError as error:
            bad.add(where, None, "events", text, str(error))
    if len(bad) > before:
        return None
    return Test(**{**row, "events": tuple(row.get("events", []))})


def _event(text: str) -> Played:
    words = text.split()
    if not words:
        raise ValueError("write a time and what is played: 0 v=1.15")
    at_s = float(words[0])
    verb = "fault" if "fault" in words[1:2] else "play"
    values: dict[str, Any] = {}
    for word in words[2 if verb == "fault" else 1 :]:
        key, _, value = word.partition("=")
        if key not in KEYS or not value:
            raise ValueError(near(key, KEYS, "signal"))
        values[key] = value if key == "kind" else float(value)
    if verb == "fault" and not {"residual", "for"} <= set(values):
        raise ValueError("a fault needs residual= and for=")
    if verb == "play" and not values:
        raise ValueError("write what is played: v=, f=, rate=, phase=, scr=, signal=")
    return Played(at_s, verb, values)
