"""Clusters and ride-through settings as plain tables, for case folders: rows of text to objects and back.

    clusters.csv              name, bus, hardware, count or p_mw, pue, power_factor, workload, balance, ride_through;
                              or name, bus, balance, settings
    ride_through/<name>.csv   one row a class: name, share, groups and any other field of UpsClass
    clusters/<name>.toml      the whole cluster or site as in gridai.cluster.plain, where a row names it as settings

An empty cell takes the default. p_mw in place of count: as many GPUs as draw it. A row can hold a cluster with the
default workload `training` or `constant` and ride-through settings; every other one is written as a TOML file.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from gridai.cluster.cluster import Cluster
from gridai.cluster.hardware import HARDWARE
from gridai.cluster.plain import from_plain, to_plain, toml_text
from gridai.cluster.ride_through import RideThrough, UpsClass
from gridai.cluster.site import Site
from gridai.cluster.workloads import Constant, Training
from gridai.errors import CaseError, GridaiError, Problems, near

PLACE = ("name", "bus", "balance")
COLUMNS = ("name", "bus", "hardware", "count", "p_mw", "pue", "power_factor", "workload", "balance", "ride_through",
           "settings")  # fmt: skip
PLACED = ("Cluster", "Site")
LARGEST_BYTES = 100_000_000
WORKLOADS: dict[str, type[Any]] = {"training": Training, "constant": Constant}
MANY = 1_000_000
_TEXT = ("name", "return_policy")
_CLASS_FIELDS = {f.name: f for f in fields(UpsClass)}


def read_ride_through(columns: Mapping[str, Sequence[str]], file: str, rows: Sequence[int], found: Problems) -> Any:
    """RideThrough from the cells of a table, or None after noting its faults."""
    before = len(found)
    for column in columns:
        if column not in _CLASS_FIELDS:
            found.add(file, None, "header", column, near(column, _CLASS_FIELDS, "field of a class"))
    classes = []
    for k, row in enumerate(rows):
        given = {c: cells[k] for c, cells in columns.items() if cells[k] and c in _CLASS_FIELDS}
        values = {c: cell if c in _TEXT else _number(cell, c, file, row, found) for c, cell in given.items()}
        if len(found) == before:
            _noting(found, file, row, lambda values=values: classes.append(UpsClass(**values)))
    made: list[RideThrough] = []
    if len(found) == before:
        _noting(found, file, None, lambda: made.append(RideThrough(tuple(classes))))
    return made[0] if made else None


def read_settings(path: Path, file: str, found: Problems) -> Cluster | Site | None:
    """A cluster or site from its TOML file, or None after noting its faults. The file is data: no code of it runs."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            found.add(file, None, "file", f"{size} bytes", f"larger than {LARGEST_BYTES}: give a shorter trace")
            return None
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        found.add(file, None, "file", None, f"cannot be read as TOML: {str(error) or type(error).__name__}")
        return None
    made: Cluster | Site | None = from_plain(table, PLACED, "cluster", file, found)
    return made


def load_cluster(path: str | Path) -> Cluster | Site:
    """A cluster or site from a TOML file such as clusters/<name>.toml of a saved case. Raises CaseError."""
    file, found = Path(path), Problems(f"cluster file {path}")
    made = read_settings(file, file.name, found)
    found.raise_if_any(CaseError)
    assert made is not None
    return made


def save_cluster(cluster: Cluster | Site, path: str | Path) -> Path:
    """Write a cluster or site as a TOML file that load_cluster reads back the same. Raises CaseError."""
    file = Path(path)
    file.write_text(settings_text(cluster), encoding="utf-8")
    return file


def settings_text(cluster: Any, name: str = "cluster") -> str:
    """The TOML file of a cluster or site. Raises CaseError for a part of it that has no form as a table."""
    return toml_text(to_plain(cluster, name))


def read_cluster(
    cells: Mapping[str, str],
    settings: Mapping[str, RideThrough],
    stored: Mapping[str, Any],
    file: str,
    row: int,
    found: Problems,
) -> Any:
    """A cluster from one row of clusters.csv, or None after noting its faults.

    settings  ride-through settings by name; stored: whole clusters and sites by name.
    """
    before = len(found)
    whole = cells.get("settings", "")
    if whole:
        if whole not in stored:
            found.add(file, row, "settings", whole, near(whole, stored, "file in clusters/"))
        for name in (c for c in COLUMNS if c not in (*PLACE, "settings")):
            if cells.get(name):
                text = f"clusters/{whole}.toml states it: leave the cell empty"
                found.add(file, row, name, cells[name], text)
        return stored.get(whole) if len(found) == before else None
    numbers = {n: _number(cells[n], n, file, row, found) for n in ("count", "p_mw", "pue", "power_factor")
               if cells.get(n)}  # fmt: skip
    given: dict[str, Any] = {n: numbers[n] for n in ("pue", "power_factor") if n in numbers}
    if ("count" in numbers) == ("p_mw" in numbers):
        found.add(file, row, "count", cells.get("count"), "give either count (GPUs) or p_mw")
    word = cells.get("workload") or "training"
    if word not in WORKLOADS:
        found.add(file, row, "workload", word, near(word, WORKLOADS, "workload"))
    key = cells.get("ride_through", "")
    if key and key not in settings:
        found.add(file, row, "ride_through", key, near(key, settings, "table in ride_through/"))
    hardware = cells.get("hardware") or "H100"
    if hardware not in HARDWARE:
        found.add(file, row, "hardware", hardware, near(hardware, HARDWARE, "hardware"))
    if len(found) > before:
        return None
    given["workload"], given["ride_through"] = WORKLOADS[word](), settings.get(key)
    made: list[Cluster] = []
    _noting(found, file, row, lambda: made.append(_sized(hardware, numbers, given)))
    return made[0] if made else None


def _sized(hardware: str, numbers: Mapping[str, float], given: dict[str, Any]) -> Cluster:
    if "count" in numbers:
        return Cluster.of(hardware, count=numbers["count"], **given)  # type: ignore[arg-type]
    many = Cluster.of(hardware, count=MANY, **given)
    return Cluster.of(hardware, count=max(1, round(MANY * numbers["p_mw"] / many.p_mw)), **given)


def _number(cell: str, field: str, file: str, row: int, found: Problems) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        found.add(file, row, field, cell, "give a plain finite number")
    whole = field in ("groups", "count", "return_steps", "count_n") and math.isfinite(value) and value == int(value)
    return int(value) if whole else value


def _noting(found: Problems, file: str, row: int | None, make: Any) -> None:
    """Run `make`; its faults go to `found` with file and row."""
    try:
        make()
    except GridaiError as error:
        found.add(file, row, "row", None, " ".join(str(error).split()))


def fits_row(cluster: Any) -> bool:
    """True for a cluster that a row of clusters.csv and a table of ride_through/ hold."""
    whole = isinstance(cluster, Cluster) and cluster.hardware == HARDWARE.get(cluster.hardware.name)
    if not whole or _word(cluster) is None or cluster.facility is not None:
        return False
    return cluster == Cluster.of(
        cluster.hardware.name, cluster.count, cluster.pue, power_factor=cluster.power_factor,
        workload=cluster.workload, ride_through=cluster.ride_through,
    ) and _fits_table(cluster.ride_through)  # fmt: skip


def _fits_table(settings: RideThrough | None) -> bool:
    """True for settings of seed 0 that hold classes of UPS only."""
    return settings is None or (settings.seed == 0 and all(isinstance(c, UpsClass) for c in settings.classes))


def _word(cluster: Cluster) -> str | None:
    return next((w for w, kind in WORKLOADS.items() if cluster.workload == kind()), None)


def settings_row(name: str, bus: str, balance: str, key: str) -> dict[str, Any]:
    """The row of clusters.csv for a placed cluster that a TOML file holds."""
    return {**dict.fromkeys(COLUMNS, ""), "name": name, "bus": bus, "balance": balance, "settings": key}


def cluster_row(name: str, cluster: Cluster, bus: str, balance: str, key: str) -> dict[str, Any]:
    """The row of clusters.csv for a placed cluster that fits one."""
    return {
        **dict.fromkeys(COLUMNS, ""),
        "name": name, "bus": bus, "hardware": cluster.hardware.name, "count": cluster.count, "p_mw": "",
        "pue": cluster.pue, "power_factor": cluster.power_factor, "workload": _word(cluster), "balance": balance,
        "ride_through": key,
    }  # fmt: skip


def class_columns(settings: RideThrough) -> dict[str, Sequence[Any]]:
    """The table of a RideThrough of seed 0: every field that differs from its default in some class."""
    used = [
        name
        for name, f in _CLASS_FIELDS.items()
        if name in ("name", "share", "groups") or any(getattr(c, name) != _default(f) for c in settings.classes)
    ]
    return {name: [getattr(c, name) for c in settings.classes] for name in used}


def _default(f: Any) -> Any:
    return None if f.default is MISSING else f.default


__all__ = [
    "COLUMNS", "class_columns", "cluster_row", "fits_row", "load_cluster", "read_cluster", "read_ride_through",
    "read_settings", "save_cluster", "settings_row", "settings_text",
]  # fmt: skip
