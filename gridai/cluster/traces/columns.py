"""Which columns of a trace file hold time and power, and in which unit.

t_s, total_kW, ...                                   meters: unit in the name
timestamp, index, power.draw [W]                     nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv
timestamp, gpu, DCGM_FI_DEV_POWER_USAGE              DCGM exporter, a row for each GPU, W
(no header) 0.0,70.1,70.9,...                        time [s], then one column a GPU; the unit must be given
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gridai.errors import CaseError, Problems, near

UNITS = {"W": 1e-6, "kW": 1e-3, "MW": 1.0, "GW": 1e3, "mW": 1e-9}
"""MW in one of each unit. W and kW are told apart by their letters: mW is milliwatt, MW megawatt."""
TIMES = ("t_s", "time_s", "t", "time", "seconds", "timestamp", "datetime", "date_time", "time (s)", "ts")
MILLISECONDS = ("t_ms", "time_ms", "timestamp_ms")
GPU_INDEX = ("index", "gpu", "gpu_id", "gpu index", "device", "uuid")
POWERS = ("total_kw", "total_w", "total_mw", "power.draw", "power.draw.instant", "power.draw.average", "power",
          "dcgm_fi_dev_power_usage", "p_mw", "p_kw", "p_w", "power_w", "power_kw", "power_mw")  # fmt: skip
_DCGM = "dcgm_fi_dev_power_usage"


@dataclass(frozen=True)
class Columns:
    """Where to find what: positions of the columns, MW in a unit of each power column, s in a unit of time."""

    names: tuple[str, ...]
    time: int
    powers: tuple[int, ...]
    mw: float
    index: int | None
    header: bool
    seconds: float = 1.0


def find_columns(path: Path, unit: str | None, time: str | None, power: Sequence[str] | str | None) -> Columns:
    """Read the first lines of a file and decide. Raises CaseError naming the file and the columns there are."""
    rows = first_rows(path)
    if not rows:
        raise CaseError(f"{path}: the file is empty; give a CSV file with a header, a time and a power column")
    if unit is not None and unit not in UNITS:
        raise CaseError(f"{path}: {near(unit, UNITS, 'unit')}")
    if all(_is_number(cell) for cell in rows[0]):
        return _headless(path, rows[0], unit)
    names = tuple(cell.strip() for cell in rows[0])
    if len(rows) < 2:
        raise CaseError(f"{path}: a header ({', '.join(names)}) but no rows under it")
    folded = [re.sub(r"\s*\[.*?\]\s*$", "", n).casefold() for n in names]
    at = _pick(path, names, folded, time, (*TIMES, *MILLISECONDS), "time")
    wanted: list[str | None] = [power] if isinstance(power, str) else [*power] if power else [None]
    powers = tuple(_pick(path, names, folded, p, POWERS, "power") for p in wanted)
    mw = UNITS[unit] if unit else _unit_of(path, [names[k] for k in powers])
    index = next((k for k, name in enumerate(folded) if name in GPU_INDEX), None)
    seconds = 1e-3 if folded[at] in MILLISECONDS else 1.0
    return Columns(names, at, powers, mw, index, True, seconds)


def holds_each(
    path: str | Path, unit: str | None = None, time: str | None = None, power: Sequence[str] | str | None = None
) -> bool:
    """Whether a file gives the power of single GPUs: a column for each, or a column that numbers them."""
    columns = find_columns(Path(path), unit, time, power)
    return len(columns.powers) > 1 or columns.index is not None


def of_gpus_alone(path: str | Path, unit: str | None = None, time: str | None = None,
                  power: Sequence[str] | str | None = None) -> bool:  # fmt: skip
    """Whether the columns are those of nvidia-smi or DCGM, which see the GPUs and not their server."""
    columns = find_columns(Path(path), unit, time, power)
    return any(re.match(r"power\.draw|dcgm_fi_", columns.names[k].casefold()) for k in columns.powers)


def open_text(path: Path) -> TextIO:
    """A text file for reading, unpacked where its name ends in .gz."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def first_rows(path: Path, count: int = 2) -> list[list[str]]:
    """The first rows that hold anything, comment lines left out."""
    found: list[list[str]] = []
    try:
        with open_text(path) as file:
            for row in csv.reader(file):
                if row and not row[0].lstrip().startswith("#") and any(cell.strip() for cell in row):
                    found.append(row)
                if len(found) == count:
                    break
    except FileNotFoundError:
        raise CaseError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CaseError(f"{path}: a folder; give one CSV file in it") from None
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile) as error:
        raise CaseError(f"{path}: not a CSV text file ({error})") from error
    return found


def _headless(path: Path, row: list[str], unit: str | None) -> Columns:
    if len(row) < 2:
        raise CaseError(f"{path}: one column of numbers; give a time and a power column")
    if unit is None:
        raise CaseError(
            f"{path}: no header, so the unit of power is not known: give unit= ({', '.join(UNITS)}); the first column "
            f"is taken as seconds, the other {len(row) - 1} are added"
        )
    return Columns(tuple(f"column {k + 1}" for k in range(len(row))), 0, tuple(range(1, len(row))), UNITS[unit], None,
                   False)  # fmt: skip


def _pick(
    path: Path, names: Sequence[str], folded: list[str], asked: str | None, known: Sequence[str], what: str
) -> int:
    if asked is not None:
        for k, name in enumerate(names):
            if asked in (name, folded[k]) or asked.casefold() == name.casefold():
                return k
        raise CaseError(f"{path}: {near(asked, names, f'{what} column')}")
    for name in known:
        if name in folded:
            return folded.index(name)
    raise CaseError(f"{path}: no {what} column among {', '.join(names)}; name it with {what}=")


def _unit_of(path: Path, names: Sequence[str]) -> float:
    """MW in the unit that the columns' names end in. Raises CaseError where there is none, or different ones."""
    bad, found = Problems(str(path)), set()
    for name in names:
        match = re.search(r"(?:\[|_|\(|\s)(mW|W|kW|MW|GW|w|kw|mw)\]?\)?$", name)
        if match:
            letters = {"w": "W", "kw": "kW", "mw": "MW"}.get(match[1], match[1])
            found.add(UNITS[letters])
        elif name.casefold() == _DCGM:
            found.add(UNITS["W"])
        else:
            bad.add(path, 1, "column", name, f"its unit is not in its name: give unit= ({', '.join(UNITS)})")
    if len(found) > 1:
        bad.add(path, 1, "columns", ", ".join(names), "their units differ: read them one by one")
    bad.raise_if_any(CaseError)
    return found.pop()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
