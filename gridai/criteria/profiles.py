"""Profiles: named sets of limits, read from profiles/*.toml or from a file of the user.

A profile is a TOML file:

    title = "EirGrid and SONI, all-island Ireland"
    f_hz = 50.0
    [[limit]]
    criterion = "rocof"
    high = 1.0
    unit = "Hz/s"
    settings = {window_s = 0.5}
    clause = "RoCoF 1 Hz/s measured over a rolling 500 ms"
    edition = "..."
    source = "..."
    confidence = "P"

f_hz = "any" is for limits that hold at every nominal frequency. include = ["wecc"] takes over the limits of another
profile, which keep its name. A profile is a list of limits, not a judgement of who must meet them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

from gridai.criteria.base import Criterion, not_assessable
from gridai.criteria.families import make
from gridai.errors import CaseError, GridaiError, Problems, ResultError, SettingError, UnknownNameError, near
from gridai.results import Limit, Result, Verdict

FOLDER = Path(__file__).parent / "profiles"
DEFAULTS = {60.0: "nerc-eastern", 50.0: "continental-europe"}
"""The profile taken when none is named, by nominal frequency in Hz."""
CONFIDENCE = {
    "P": "primary text read or quoted",
    "V": "verified in code or by computation",
    "S": "secondary source",
    "M": "recalled, high confidence",
    "m": "recalled, medium confidence",
}
CONDITIONS = ("any", "normal", "contingency", "small-signal", "planning", "quality", "model")
"""any: normal and contingency. planning: figures of steady-state studies. quality: minutes and hours of power quality.
model: a model against its reference."""
ANY_HZ = "any"
_TEXT = ("clause", "edition", "source", "note")
_TOP = ("title", "f_hz", "description", "include", "limit")


@dataclass(frozen=True)
class Profile:
    """A named set of limits.

    f_hz    nominal frequency it is written for; 0: any. [Hz]
    limits  its limits, each with clause, edition, source and confidence.
    """

    name: str
    title: str
    f_hz: float
    description: str
    limits: tuple[Limit, ...]

    def of(self, condition: str = "normal") -> tuple[Limit, ...]:
        """The limits that hold in a condition; in "normal" and "contingency" those of "any" as well."""
        if condition not in CONDITIONS[1:]:
            raise UnknownNameError(near(condition, CONDITIONS[1:], "condition"))
        wide = ("any",) if condition in ("normal", "contingency") else ()
        return tuple(limit for limit in self.limits if limit.condition in (*wide, condition))

    def criteria(self, condition: str = "normal") -> tuple[Criterion, ...]:
        """The criteria that hold in a condition, in the order of the file."""
        return tuple(make(limit) for limit in self.of(condition))


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with gridai."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def default_profile_name(f_hz: float) -> str:
    """Name of the profile taken when none is named, for a nominal frequency in Hz."""
    if f_hz not in DEFAULTS:
        raise SettingError(f"profile: there is no default at {f_hz:g} Hz; name one of {', '.join(profile_names())}")
    return DEFAULTS[f_hz]


def load_profile(name: str, f_hz: float | None = None) -> Profile:
    """Read a profile by name ("default" needs f_hz), or from the path of a TOML file.

    f_hz  nominal frequency of the case, Hz: a profile written for another one is refused.
    """
    if name == "default":
        if f_hz is None:
            raise SettingError("profile = 'default': give f_hz, the nominal frequency, to choose it")
        name = default_profile_name(f_hz)
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in profile_names():
        raise UnknownNameError(near(name, [*profile_names(), "default"], "criteria profile"))
    profile = _read(path)
    if f_hz is not None and profile.f_hz not in (0.0, f_hz):
        fitting = [n for n in profile_names() if _read(FOLDER / f"{n}.toml").f_hz in (0.0, f_hz)]
        raise SettingError(
            f"profile = '{profile.name}' is written for {profile.f_hz:g} Hz and the case has {f_hz:g} Hz; "
            f"for {f_hz:g} Hz there are: {', '.join(fitting) or 'none'}"
        )
    return profile


def check(result: Result, profile: Profile, condition: str = "normal") -> tuple[Verdict, ...]:
    """One verdict for each limit of the profile that holds in the condition.

    A limit whose quantities the result does not hold is not assessable, with the reason.
    """
    return tuple(_checked(criterion, result) for criterion in profile.criteria(condition))


def _checked(criterion: Criterion, result: Result) -> Verdict:
    try:
        return criterion.check(result)
    except ResultError as error:
        return not_assessable(criterion.limit, str(error))


def _read(path: Path, within: tuple[str, ...] = ()) -> Profile:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnknownNameError(f"criteria profile '{path}': no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not a TOML file: {error}") from error
    problems = Problems(f"criteria profile {path.name}")
    for key in ("title", "f_hz"):
        if key not in data:
            problems.add(path.name, None, key, None, "is missing; add it at the top of the file")
    if not data.get("limit") and not data.get("include"):
        problems.add(path.name, None, "limit", None, "is missing; add a [[limit]], or include another profile")
    for key in data:
        if key not in _TOP:
            problems.add(path.name, None, key, None, near(key, _TOP, "key"))
    f_hz = _frequency(path, data.get("f_hz", ANY_HZ), problems)
    problems.raise_if_any(CaseError)
    limits = tuple(
        limit for n, row in enumerate(data.get("limit", ()), 1) if (limit := _limit(path, n, row, problems)) is not None
    )
    problems.raise_if_any(CaseError)
    taken = tuple(limit for name in data.get("include", ()) for limit in _included(path, name, f_hz, within))
    return Profile(path.stem, data["title"], f_hz, data.get("description", ""), (*taken, *limits))


def _frequency(path: Path, value: Any, problems: Problems) -> float:
    if value == ANY_HZ:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0.0:
        problems.add(path.name, None, "f_hz", value, 'write the nominal frequency in Hz, or "any"')
        return 0.0
    return float(value)


def _included(path: Path, name: Any, f_hz: float, within: tuple[str, ...]) -> tuple[Limit, ...]:
    """The limits of a profile that comes with gridai and another one includes."""
    if name not in profile_names():
        raise UnknownNameError(f"{path.name}: include: {near(name, profile_names(), 'criteria profile')}")
    if name in within or name == path.stem:
        raise CaseError(f"{path.name}: include: '{name}' includes itself")
    other = _read(FOLDER / f"{name}.toml", (*within, path.stem))
    if other.f_hz not in (0.0, f_hz):
        raise CaseError(f"{path.name}: include: '{name}' is for {other.f_hz:g} Hz, this profile for {f_hz:g} Hz")
    return other.limits


def _limit(path: Path, n: int, row: dict[str, Any], problems: Problems) -> Limit | None:
    """One [[limit]] table as a Limit; its faults are noted, with the number of the table."""
    known = {f.name for f in fields_of(Limit)} - {"profile"}
    where = f"{path.name}, limit {n}"
    before = len(problems)
    for key in row:
        if key not in known:
            problems.add(where, None, key, row[key], near(key, known, "key"))
    for key in ("criterion", "unit", "clause", "source", "confidence"):
        if not row.get(key):
            problems.add(where, None, key, row.get(key), "is missing; every number states it")
    if row.get("confidence", "m") not in CONFIDENCE:
        problems.add(where, None, "confidence", row["confidence"], f"write one of {', '.join(CONFIDENCE)}")
    if row.get("condition", "any") not in CONDITIONS:
        problems.add(where, None, "condition", row["condition"], f"write one of {', '.join(CONDITIONS)}")
    for key in ("low", "high"):
        if key in row and not isinstance(row[key], int | float):
            problems.add(where, None, key, row[key], "write a number")
    for key in _TEXT:
        if not isinstance(row.get(key, ""), str):
            problems.add(where, None, key, row[key], "write a text in quotes")
    if len(problems) > before:
        return None
    limit = Limit(**row, profile=path.stem)
    try:
        make(limit)
    except GridaiError as error:
        problems.add(where, None, "", None, str(error))
    return limit
