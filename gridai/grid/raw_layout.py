"""Which field stands where in a RAW record, for each version; and a row that is read by field name.

Sources: PSS/E 32, 33, 34 and 35 Program Operation Manual, chapter "Power flow raw data file contents".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gridai.errors import Problems

_RATES = " ".join(f"RATE{k}" for k in range(1, 13))
_OWNERS = "O1 F1 O2 F2 O3 F3 O4 F4"
_BUS = "I NAME BASKV IDE AREA ZONE OWNER VM VA"
_LOAD = "I ID STAT AREA ZONE PL QL IP IQ YP YQ OWNER SCALE"
_GEN_END = f"MBASE ZR ZX RT XT GTAP STAT RMPCT PT PB {_OWNERS} WMOD WPF"
_BRANCH_END = f"GI BI GJ BJ STAT MET LEN {_OWNERS}"
_TRANSFORMER = f"I J K CKT CW CZ CM MAG1 MAG2 NMETR NAME STAT {_OWNERS} VECGRP"
_WINDING_END = "RMA RMI VMA VMI NTP TAB CR CX CNXA"
_SWITCHED = "I MODSW ADJM STAT VSWHI VSWLO SWREG RMPCT RMIDNT BINIT"

_TEXTS: dict[str, dict[int, str]] = {
    "bus": {32: _BUS, 33: f"{_BUS} NVHI NVLO EVHI EVLO"},
    "load": {32: _LOAD, 33: f"{_LOAD} INTRPT", 34: f"{_LOAD} INTRPT DGENP DGENQ DGENF"},
    "fixed shunt": {32: "I ID STAT GL BL"},
    "generator": {
        32: f"I ID PG QG QT QB VS IREG {_GEN_END}",
        35: f"I ID PG QG QT QB VS IREG NREG {_GEN_END.replace('PB', 'PB BASLOD')}",
    },
    "branch": {32: f"I J CKT R X B RATE1 RATE2 RATE3 {_BRANCH_END}", 34: f"I J CKT R X B NAME {_RATES} {_BRANCH_END}"},
    "system switching device": {32: f"I J CKT X {_RATES} STAT NSTAT MET STYPE NAME"},
    "transformer": {32: _TRANSFORMER},
    "impedance": {32: "R12 X12 SBASE12 R23 X23 SBASE23 R31 X31 SBASE31 VMSTAR ANSTAR"},
    "winding": {
        32: f"WINDV NOMV ANG RATE1 RATE2 RATE3 COD CONT {_WINDING_END}",
        34: f"WINDV NOMV ANG {_RATES} COD CONT {_WINDING_END}",
        35: f"WINDV NOMV ANG {_RATES} COD CONT NODE {_WINDING_END}",
    },
    "switched shunt": {
        32: _SWITCHED,
        35: _SWITCHED.replace("I MODSW", "I ID MODSW").replace("SWREG", "SWREG NREG"),
    },
    "area": {32: "I ISW PDES PTOL NAME"},
    "zone": {32: "I NAME"},
}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)


def layout(record: str, version: int) -> dict[str, int]:
    """Field name to position in a record of this kind."""
    versions = _TEXTS[record]
    newest = max(v for v in versions if v <= version)
    return {name: k for k, name in enumerate(versions[newest].split())}


def to_number(text: str) -> float | None:
    """A number as Fortran writes it, None if it is none or not finite."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text.replace("D", "E").replace("d", "e"))
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Row:
    """One line of a record, read by field name. Faults go to `found`; a field left empty takes the default."""

    places: dict[str, int]
    fields: list[str]
    file: str
    line: int
    found: Problems

    def text(self, name: str, default: str = "") -> str:
        """The field as text."""
        place = self.places.get(name, len(self.fields))
        return (self.fields[place] if place < len(self.fields) else "") or default

    def number(self, name: str, default: float | None = None) -> float:
        """The field as a number. Without a default it must be given."""
        text = self.text(name)
        if not text:
            if default is None:
                self.fault(name, None, "is missing: a number is needed")
            return 0.0 if default is None else default
        value = to_number(text)
        if value is None:
            self.fault(name, text, "is not a plain finite number")
            return 0.0 if default is None else default
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """The field as a whole number."""
        value = self.number(name, None if default is None else float(default))
        if not value.is_integer() or abs(value) > 1e9:
            self.fault(name, self.text(name), "is not a whole number")
            return default or 0
        return int(value)

    def fault(self, name: str, value: object, remedy: str) -> None:
        """Note a fault of this line."""
        self.found.add(self.file, self.line, name, value, remedy)
