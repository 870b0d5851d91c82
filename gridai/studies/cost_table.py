"""Unit costs of reinforcements: a TOML table, gridai's own or the user's, read with every fault named.

Each row states its source and confidence: V read in the source, M recalled, A assumed. Rows by voltage hold up to
their kv_max; the first that reaches the voltage is taken. Costs are in the currency of the table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridai.errors import CaseError, Problems

DEFAULT = Path(__file__).parent / "costs" / "default.toml"
CONFIDENCE = {"V": "read in the source", "M": "recalled", "A": "assumed"}
BY_VOLTAGE = {"line": "per_km", "bay": "each", "transformer": "per_mva", "bank": "mvar", "device": "mvar"}
SINGLE = {"capacitor": ("per_mvar",), "statcom": ("per_mvar",), "condenser": ("per_mva", "x_pu"),
          "length": ("x_ohm_per_km",), "larger": ("factor",)}  # fmt: skip
TEXTS = ("title", "currency", "note")


@dataclass(frozen=True)
class Price:
    """A number with where it is from: value, confidence letter, source."""

    value: float
    confidence: str
    source: str


@dataclass(frozen=True)
class Costs:
    """A table of costs: rows by voltage, and single ones."""

    title: str
    currency: str
    note: str
    by_voltage: Mapping[str, tuple[tuple[float, Price], ...]]
    single: Mapping[str, Mapping[str, Price]]

    def at(self, name: str, kv: float) -> Price:
        """The row of a name of BY_VOLTAGE for a voltage. Raises CaseError above all rows."""
        for most, price in self.by_voltage[name]:
            if kv <= most:
                return price
        raise CaseError(
            f"costs '{self.title}': no [[{name}]] reaches {kv:g} kV; add a row with kv_max = {kv:g} or more"
        )

    def of(self, name: str, key: str) -> Price:
        """A single price: of("statcom", "per_mvar")."""
        return self.single[name][key]


def read_costs(source: str | Path) -> Costs:
    """The table of a file, or gridai's for "default". Raises CaseError with every fault of the file."""
    path = DEFAULT if source == "default" else Path(source)
    if not path.is_file():
        raise CaseError(f"costs: no such file: {path}; give a TOML file of unit costs, or default")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{path.name}: not TOML: {error}") from error
    found = Problems(path.name)
    for key in sorted(set(data) - {*TEXTS, *BY_VOLTAGE, *SINGLE}):
        found.add(path.name, None, key, None, f"is not known; known are {', '.join((*TEXTS, *BY_VOLTAGE, *SINGLE))}")
    rows = {name: _rows(path.name, name, key, data.get(name), found) for name, key in BY_VOLTAGE.items()}
    single = {}
    for name, keys in SINGLE.items():
        table = data.get(name)
        if not isinstance(table, dict):
            found.add(path.name, None, name, None, f"is missing; write [{name}]")
            continue
        single[name] = {key: _price(f"{path.name}, {name}", table, key, found) for key in keys}
    for key in TEXTS[:2]:
        if not isinstance(data.get(key), str):
            found.add(path.name, None, key, data.get(key), "is missing; write a text")
    found.raise_if_any(CaseError)
    return Costs(data["title"], data["currency"], str(data.get("note", "")), rows, single)


def _rows(file: str, name: str, key: str, rows: Any, found: Problems) -> tuple[tuple[float, Price], ...]:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        found.add(file, None, name, None, f"is missing; write one [[{name}]] or more, each with kv_max and {key}")
        return ()
    out = []
    for n, row in enumerate(rows, 1):
        where = f"{file}, {name} {n}"
        out.append((_number(where, row, "kv_max", found), _price(where, row, key, found)))
    return tuple(sorted(out, key=lambda item: item[0]))


def _price(where: str, row: Mapping[str, Any], key: str, found: Problems) -> Price:
    if row.get("confidence") not in CONFIDENCE:
        found.add(where, None, "confidence", row.get("confidence"), f"write one of {', '.join(CONFIDENCE)}")
    if not isinstance(row.get("source"), str) or not row["source"]:
        found.add(where, None, "source", row.get("source"), "is missing; every number states it")
    return Price(_number(where, row, key, found), str(row.get("confidence", "")), str(row.get("source", "")))


def _number(where: str, row: Mapping[str, Any], key: str, found: Problems) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < float("inf"):
        found.add(where, None, key, value, "write a number above 0")
        return 1.0
    return float(value)
