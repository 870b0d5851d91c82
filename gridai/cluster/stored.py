"""Clusters and ride-through settings as plain tables, for case folders: rows of text to objects and back.

    clusters.csv              name, bus, hardware, count or p_mw, pue, power_factor, workload, balance, ride_through
    ride_through/<name>.csv   one row a class: name, share, groups and any other field of UpsClass

An empty cell takes the default. p_mw in place of count: as many GPUs as draw it. A workload is stored by its name, so
only the default `training` and `constant` can be; a supply, a facility or hardware of one's own cannot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from gridai.cluster.cluster import Cluster
from gridai.cluster.hardware import HARDWARE
from gridai.cluster.ride_through import RideThrough, UpsClass
from gridai.cluster.workloads import Constant, Training
from gridai.errors import CaseError, GridaiError, Problems, near

COLUMNS = ("name", "bus", "hardware", "count", "p_mw", "pue", "power_factor", "workload", "balance", "ride_through")
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


def read_cluster(
    cells: Mapping[str, str], settings: Mapping[str, RideThrough], file: str, row: int, found: Problems
) -> Cluster | None:
    """A cluster from one row of clusters.csv, or None after noting its faults."""
    before = len(found)
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


def settings_of(name: str, cluster: Any) -> RideThrough | None:
    """The ride-through settings of a placed cluster. Raises CaseError for a cluster that tables cannot hold."""
    whole = isinstance(cluster, Cluster) and cluster.hardware.name in HARDWARE
    if not whole or cluster != Cluster.of(
        cluster.hardware.name, cluster.count, cluster.pue, power_factor=cluster.power_factor,
        workload=cluster.workload, ride_through=cluster.ride_through,
    ) or _word(cluster) is None:  # fmt: skip
        raise CaseError(
            f"the case holds clusters ('{name}') with a workload, supply, facility or hardware of their own, which a "
            "case folder cannot: save it before with_cluster, and place them again after loading"
        )
    found: RideThrough | None = cluster.ride_through
    return found


def _word(cluster: Cluster) -> str | None:
    return next((w for w, kind in WORKLOADS.items() if cluster.workload == kind()), None)


def cluster_row(name: str, cluster: Cluster, bus: str, balance: str, key: str) -> dict[str, Any]:
    """The row of clusters.csv for a placed cluster that `settings_of` lets through."""
    return {
        "name": name, "bus": bus, "hardware": cluster.hardware.name, "count": cluster.count, "p_mw": "",
        "pue": cluster.pue, "power_factor": cluster.power_factor, "workload": _word(cluster), "balance": balance,
        "ride_through": key,
    }  # fmt: skip


def class_columns(settings: RideThrough) -> dict[str, Sequence[Any]]:
    """The table of a RideThrough: every field that differs from its default in some class."""
    if settings.seed != 0:
        raise CaseError(f"ride-through settings with seed = {settings.seed}: a case folder holds those of seed 0")
    used = [
        name
        for name, f in _CLASS_FIELDS.items()
        if name in ("name", "share", "groups") or any(getattr(c, name) != _default(f) for c in settings.classes)
    ]
    return {name: [getattr(c, name) for c in settings.classes] for name in used}


def _default(f: Any) -> Any:
    return None if f.default is MISSING else f.default


__all__ = ["COLUMNS", "class_columns", "cluster_row", "read_cluster", "read_ride_through", "settings_of"]
