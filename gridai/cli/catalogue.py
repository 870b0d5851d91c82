"""What there is, read without pandapower, numba, pandas or matplotlib: cases, models, studies, criteria, hardware.

Cases and criteria profiles are read from their TOML files; models, studies and hardware are static tables of the
package.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridai.casefile import bundled_cases, find_case
from gridai.errors import CaseError

KINDS = ("cases", "models", "studies", "criteria", "hardware", "workloads")
"""The kinds of things `gridai list` knows, in the plural."""
PARTS_OF_WORKLOADS = ("Checkpoint", "Part", "Phase", "Workload")

Row = tuple[str, ...]


def case_names() -> list[str]:
    """Names of the bundled cases."""
    return sorted(bundled_cases())


def case_folder(name: str) -> Path:
    """The folder of a bundled case or of a path to a case folder."""
    return find_case(name)


def case_header(folder: Path) -> dict[str, Any]:
    """case.toml of a case folder as nested dicts."""
    try:
        return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise CaseError(f"{folder / 'case.toml'}: {fault}") from fault


def table_sizes(folder: Path) -> dict[str, int]:
    """Number of rows of each csv table below `folder`, by file name without the ending."""
    return {path.stem: _rows(path) for path in sorted(folder.glob("*.csv"))}


def _rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        lines = [row for row in csv.reader(file) if row and not row[0].startswith("#") and any(row)]
    return max(0, len(lines) - 1)


def first_comments(folder: Path, ending: str) -> list[Row]:
    """Name and first comment of each file in `folder` with this ending."""
    rows: list[Row] = []
    for path in sorted(folder.glob(f"*.{ending}")):
        with path.open(encoding="utf-8") as file:
            line = file.readline().strip()
        rows.append((path.stem, line.removeprefix("#").strip() if line.startswith("#") else ""))
    return rows


def studies() -> dict[str, type]:
    """The study classes by the name `gridai run` takes."""
    from gridai.studies import STUDIES

    return dict(STUDIES)


def models() -> dict[str, Any]:
    """The dynamic models by name."""
    from gridai.models import catalog

    return dict(catalog.models())


def hardware() -> dict[str, Any]:
    """The GPU hardware rows by name."""
    from gridai.cluster.hardware import HARDWARE

    return dict(HARDWARE)


def workloads() -> dict[str, type]:
    """The workloads of a cluster by class name."""
    from gridai.cluster import workloads as home

    return {name: getattr(home, name) for name in home.__all__ if name not in PARTS_OF_WORKLOADS}


def profiles() -> dict[str, Any]:
    """The criteria profiles (named sets of limits) by name."""
    from gridai import criteria

    return {name: criteria.load_profile(name) for name in criteria.profile_names()}


def first_sentence(text: str | None) -> str:
    """The first sentence or line of a docstring or description."""
    paragraph = " ".join((text or "").strip().split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".")


def list_cases() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list cases`."""
    rows: list[Row] = []
    for name in case_names():
        folder = case_folder(name)
        header = case_header(folder)["case"]
        size = table_sizes(folder / "network")
        machines = sum(n for table, n in table_sizes(folder / "dynamics").items() if table.startswith("gen"))
        rows.append((name, str(size.get("bus", 0)), str(machines), f"{header['f_hz']:g}", str(header["title"])))
    return ("name", "buses", "machines", "Hz", "title"), rows


def list_models() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list models`."""
    found = models().values()
    return ("name", "role", "parameters", "title"), [(m.name, m.role, str(len(m.params)), m.title) for m in found]


def list_studies() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list studies`."""
    return ("name", "what it does"), [(name, first_sentence(cls.__doc__)) for name, cls in studies().items()]


def list_criteria() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list criteria`."""
    found = profiles().values()
    rows: list[Row] = [(p.name, f"{p.f_hz:g}" if p.f_hz else "any", str(len(p.limits)), p.title) for p in found]
    return ("name", "Hz", "limits", "title"), rows


def list_hardware() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list hardware`: AC power at the server's plug for one GPU."""
    columns = ("name", "W training", "W idle", "W nameplate", "GPUs a server", "title")
    return columns, [_hardware_row(name, row) for name, row in hardware().items()]


def _hardware_row(name: str, row: Any) -> Row:
    watts = (row.it_training_w, row.it_idle_w, row.nameplate_w)
    return (name, *(f"{w:.0f}" for w in watts), str(row.gpus_per_server), row.title)


def list_workloads() -> tuple[Row, list[Row]]:
    """Columns and rows for `gridai list workloads`: what a cluster's GPUs can do."""
    return ("name", "what it is"), [(name, first_sentence(cls.__doc__)) for name, cls in workloads().items()]


LISTS: dict[str, Callable[[], tuple[Row, list[Row]]]] = {
    "cases": list_cases,
    "models": list_models,
    "studies": list_studies,
    "criteria": list_criteria,
    "hardware": list_hardware,
    "workloads": list_workloads,
}
