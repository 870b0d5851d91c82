"""What a limit search leaves in a result as plain data: the values tried, how much room was left at each, what binds.

They stand under `Result.meta["search"]` and `Result.meta["search_curve"]`, are saved with the result, and the figures
of searches are drawn from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gridai.results.result import Result

Outcome = Literal["pass", "fail", "not assessable"]
End = Literal["found", "fails at once", "passes all", "not assessable"]


@dataclass(frozen=True)
class SearchPoint:
    """One value tried.

    value      of the searched quantity, in its unit.
    outcome    "pass", "fail", or "not assessable" where a criterion that the first value answered gave no answer.
    room       margin of what binds here, in % of the way from the undisturbed value to the limit; NaN without one.
    criterion  what binds: the failing criterion with the least room, else the passing one.
    element, t_s, text   where, when [s], and the verdict in words.
    verified   whether its number was read in the primary text or verified by computation.
    rooms      room of every criterion that could be judged, by label. [%]
    """

    value: float
    outcome: Outcome
    room: float
    criterion: str = ""
    element: str = ""
    t_s: float = math.nan
    text: str = ""
    verified: bool = True
    rooms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchRecord:
    """A search: what was varied, from the safe end to the unsafe one, and every value tried.

    end     "found"; "fails at once": the safe end fails already; "passes all": so does the unsafe end;
            "not assessable": no criterion could be judged at the safe end.
    limit   the last value that passes, NaN where none does.
    beyond  the first value tried beyond it that does not pass, NaN where all do.
    """

    label: str
    unit: str
    safe: float
    unsafe: float
    tol: float
    end: End
    limit: float
    beyond: float
    points: tuple[SearchPoint, ...]


@dataclass(frozen=True)
class SearchCurve:
    """The limits found for several values of another quantity: inertia, frequency.

    x_label, x_unit  that quantity.   label, unit  the searched one.
    x, limit, beyond  one each a search; limit is NaN where the safe end fails already.
    end, criterion    how each search ended, and what binds.
    """

    x_label: str
    x_unit: str
    label: str
    unit: str
    x: tuple[float, ...]
    limit: tuple[float, ...]
    beyond: tuple[float, ...]
    end: tuple[str, ...]
    criterion: tuple[str, ...]


def add_search(result: Result, record: SearchRecord, curve: SearchCurve | None = None) -> Result:
    """Put a search, and a curve of searches, into a result, in place; returns it."""
    result.meta["search"] = _plain(asdict(record))
    if curve is not None:
        result.meta["search_curve"] = _plain(asdict(curve))
    return result


def search_of(result: Result) -> SearchRecord | None:
    """The search that a result holds, None without one."""
    data = result.meta.get("search")
    if data is None:
        return None
    points = []
    for row in data["points"]:
        rooms = {name: _number(x) for name, x in row["rooms"].items()}
        points.append(SearchPoint(**{**row, "room": _number(row["room"]), "t_s": _number(row["t_s"]), "rooms": rooms}))
    numbers = {name: _number(data[name]) for name in ("limit", "beyond")}
    return SearchRecord(**{**data, **numbers, "points": tuple(points)})


def curve_of(result: Result) -> SearchCurve | None:
    """The curve of searches that a result holds, None without one."""
    data = result.meta.get("search_curve")
    if data is None:
        return None
    numbers = {name: tuple(_number(x) for x in data[name]) for name in ("x", "limit", "beyond")}
    return SearchCurve(**{**data, **numbers, "end": tuple(data["end"]), "criterion": tuple(data["criterion"])})


def _plain(value: Any) -> Any:
    """Dicts and lists for JSON; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {key: _plain(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
