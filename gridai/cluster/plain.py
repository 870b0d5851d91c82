"""Clusters and all that belongs to them as plain tables of TOML: to text, and back with every fault named.

    kind = "Cluster"
    hardware = "H100"
    count = 100000
    [workload]
    kind = "Training"
    step_s = 4.0
    [facility]
    kind = "Facility"
    [facility.cooling]
    kind = "Cooling"
    loop_s = 300.0

A table names its kind, one of KINDS, and gives its fields; those left out take their defaults. All fields are written,
so a file does not change its meaning with a later default. Reading builds objects of KINDS and nothing else: a file can
state numbers and texts, not code. What the classes refuse is refused here, with the place in the file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

from gridai.cluster.cluster import Cluster
from gridai.cluster.electrical import PowerSupply
from gridai.cluster.facility import Cooling, Facility, Losses, Server
from gridai.cluster.hardware import HARDWARE, Figure, Hardware
from gridai.cluster.ride_through import MotorClass, RideThrough, UpsClass
from gridai.cluster.shapers import (
    Ballast,
    Battery,
    Capacitor,
    Jitter,
    PowerCap,
    PowerFloor,
    RampLimit,
    Smoothed,
    Stagger,
)
from gridai.cluster.site import Site
from gridai.cluster.waveform import Played
from gridai.cluster.workloads import (
    Constant,
    Cycle,
    Idle,
    Inference,
    Interrupted,
    Mixed,
    Part,
    Phase,
    Replay,
    Serving,
    Training,
)
from gridai.cluster.workloads.arrivals import Requests
from gridai.errors import CaseError, GridaiError, Problems, near
from gridai.kernel.profile import Profile

WORKLOADS: tuple[type, ...] = (
    Constant, Cycle, Idle, Inference, Interrupted, Mixed, Played, Replay, Serving, Smoothed, Training,
)  # fmt: skip
SHAPERS: tuple[type, ...] = (Ballast, Battery, Capacitor, Jitter, PowerCap, PowerFloor, RampLimit, Stagger)
KINDS: dict[str, type] = {
    k.__name__: k
    for k in (
        Cluster, Site, PowerSupply, RideThrough, UpsClass, MotorClass, Facility, Server, Cooling, Losses, Hardware,
        Figure, Part, Phase, Requests, Profile, *WORKLOADS, *SHAPERS,
    )
}  # fmt: skip
"""What a file can hold, by the name that a table gives as its kind."""
GROUPS = {"Workload": tuple(k.__name__ for k in WORKLOADS), "Shaper": tuple(k.__name__ for k in SHAPERS)}
"""Kinds that fit where a field asks for one of a family."""
PROFILE_FIELDS = {"t_s": "Array", "values": "Array", "name": "str"}
MOST_DEEP = 24
"""Tables within tables."""


def to_plain(thing: Any, where: str = "cluster") -> Any:
    """An object of KINDS as tables, lists, texts and numbers. Raises CaseError naming what has no such form."""
    name = type(thing).__name__
    if isinstance(thing, Hardware) and HARDWARE.get(thing.name) == thing:
        return thing.name
    if KINDS.get(name) is type(thing):
        own = PROFILE_FIELDS if isinstance(thing, Profile) else [f.name for f in fields(KINDS[name]) if f.init]
        table = {n: to_plain(getattr(thing, n), f"{where}.{n}") for n in own if getattr(thing, n) is not None}
        if isinstance(thing, Cluster) and thing.facility is not None:
            del table["pue"]
        return {"kind": name, **table}
    if isinstance(thing, tuple | list | np.ndarray):
        return [to_plain(x, f"{where}[{k}]") for k, x in enumerate(thing)]
    if isinstance(thing, np.generic):
        return to_plain(thing.item(), where)
    if isinstance(thing, bool | int | float | str):
        return thing
    raise CaseError(f"{where}: a {name} has no form as a table; there are {', '.join(sorted(KINDS))}")


def from_plain(value: Any, kinds: tuple[str, ...], where: str, file: str, found: Problems, deep: int = 0) -> Any:
    """The object of a table whose kind is one of `kinds`, or None after noting the faults of the file."""
    if "Hardware" in kinds and isinstance(value, str):
        if value not in HARDWARE:
            found.add(file, None, where, value, near(value, HARDWARE, "hardware"))
        return HARDWARE.get(value)
    if not isinstance(value, dict) or deep > MOST_DEEP:
        found.add(file, None, where, _shown(value), f"write a table with kind = {_any_of(kinds)}")
        return None
    kind = value.get("kind")
    if kind not in kinds:
        found.add(file, None, f"{where}.kind", _shown(kind), f"write kind = {_any_of(kinds)}")
        return None
    before = len(found)
    given = _fields(KINDS[kind], kind, value, where, file, found, deep)
    if kind == "Cluster" and "facility" in given and "pue" in given:
        found.add(
            file, None, f"{where}.pue", given["pue"], "the PUE is a result of the facility: leave one of them out"
        )
    if len(found) > before:
        return None
    try:
        return KINDS[kind](*given.values()) if kind == "Profile" else KINDS[kind](**given)
    except (GridaiError, TypeError, ValueError, ArithmeticError) as error:
        found.add(file, None, where, None, " ".join(str(error).split()))
        return None


def _fields(owner: type, kind: str, table: Mapping[str, Any], where: str, file: str, found: Problems,
            deep: int) -> dict[str, Any]:  # fmt: skip
    """The arguments that a table gives, converted; faults of names and types are noted."""
    types, needed = _types(owner)
    for name in table:
        if name != "kind" and name not in types:
            found.add(file, None, f"{where}.{name}", _shown(table[name]), near(name, types, f"field of {kind}"))
    for name in needed:
        if name not in table:
            found.add(file, None, f"{where}.{name}", None, "is missing")
    return {
        name: _field(table[name], types[name], f"{where}.{name}", file, found, deep) for name in types if name in table
    }


def _types(owner: type) -> tuple[dict[str, str], tuple[str, ...]]:
    """Declared type of each field, as text, and the fields without a default."""
    if owner is Profile:
        return PROFILE_FIELDS, ("t_s", "values")
    own: tuple[Field[Any], ...] = fields(owner)
    needed = tuple(f.name for f in own if f.init and f.default is MISSING and f.default_factory is MISSING)
    return {f.name: str(f.type) for f in own if f.init}, needed


def _field(value: Any, kind: str, where: str, file: str, found: Problems, deep: int) -> Any:
    """One value as its declared type asks: object, tuple, array, number, flag or text."""
    kinds = _kinds_in(kind)
    if kind.startswith("tuple["):
        if not isinstance(value, list):
            found.add(file, None, where, _shown(value), "write a list")
            return ()
        inner = kind.removeprefix("tuple[").removesuffix("]").removesuffix(", ...")
        return tuple(_field(x, inner, f"{where}[{k}]", file, found, deep + 1) for k, x in enumerate(value))
    if kinds:
        return from_plain(value, kinds, where, file, found, deep + 1)
    if kind == "Array":
        if not (isinstance(value, list) and all(_number(x) for x in value)):
            found.add(file, None, where, _shown(value), "write a list of numbers")
            return np.zeros(0)
        return np.array(value, dtype=float)
    right, words = _RULES.get(kind.removesuffix(" | None"), _RULES["str"])
    if not right(value):
        found.add(file, None, where, _shown(value), words)
    return value


def _number(value: Any) -> bool:
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    return whole and not math.isnan(value) and abs(value) < 1e300


_RULES: dict[str, tuple[Any, str]] = {
    "float": (lambda v: _number(v) or v in (math.inf, -math.inf), "write a number"),
    "int": (lambda v: _number(v) and v == int(v), "write a whole number"),
    "bool": (lambda v: isinstance(v, bool), "write true or false"),
    "str": (lambda v: isinstance(v, str), "write a text in quotes"),
}


def _kinds_in(declared: str) -> tuple[str, ...]:
    """The kinds that a declared type names: `Hardware`, `Facility | None`, `Cluster | Site`, `Workload`."""
    names = re.findall(r"[A-Za-z_]+", declared)
    return tuple(k for n in names for k in GROUPS.get(n, (n,) if n in KINDS else ()))


def _any_of(kinds: tuple[str, ...]) -> str:
    return " or ".join(f'"{k}"' for k in kinds)


def _shown(value: Any) -> Any:
    """A value for a message: short, whatever a file holds."""
    if isinstance(value, dict | list):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = repr(value)
    return value if len(text) <= 60 else text[:57] + "..."


def toml_text(table: Mapping[str, Any]) -> str:
    """A table of texts, numbers, flags, lists and tables as TOML. Keys are plain names."""
    lines: list[str] = []
    _write(table, "", lines)
    return "\n".join(lines).strip() + "\n"


def _write(table: Mapping[str, Any], path: str, lines: list[str]) -> None:
    tables = {k: v for k, v in table.items() if isinstance(v, dict)}
    rows = {k: v for k, v in table.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    lines += [f"{k} = {_value(v)}" for k, v in table.items() if k not in tables and k not in rows]
    for k, v in tables.items():
        lines += ["", f"[{path}{k}]"]
        _write(v, f"{path}{k}.", lines)
    for k, many in rows.items():
        for v in many:
            lines += ["", f"[[{path}{k}]]"]
            _write(v, f"{path}{k}.", lines)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's; only DEL must not stand as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


__all__ = ["KINDS", "from_plain", "to_plain", "toml_text"]
