"""The case folder on disk: case.toml, network/*.csv, dynamics/*.csv, clusters.csv, clusters/*.toml, ride_through/*.csv.

Read as data, written whole or not at all.
"""

from __future__ import annotations

import copy
import json
import math
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridai.errors import CaseError, Problems, UnknownNameError, near

if TYPE_CHECKING:
    import pandas as pd

SOURCE_ROLES = ("machine", "converter")
ONE_OF = {
    "machine": "a machine", "exciter": "an exciter", "governor": "a governor", "stabilizer": "a stabiliser",
    "electrical": "an electrical control", "plant": "a plant control", "load": "a load model",
}  # fmt: skip
"""Parts of which a unit, or a load, has one at most, in words. A machine and a converter are one part."""
HEADER = ("name", "title", "f_hz", "s_base_mva", "description", "notes")
SECTIONS = ("case", "source", "defaults")
# Columns of dynamics tables that are text; all others are numbers.
_TEXT_COLUMNS = ("unit", "bus", "branch", "area", "signal", "note", "source")


def bundled_cases() -> dict[str, Path]:
    """Name to folder of the bundled cases: beside the package in a checkout, inside it when installed."""
    beside = Path(__file__).resolve().parent.parent / "cases"
    found = {path.parent.name: path.parent for path in sorted(beside.glob("*/case.toml"))}
    if found:
        return found
    try:
        root = resources.files("gridai._cases")
    except ModuleNotFoundError:
        return {}
    for entry in sorted(root.iterdir(), key=lambda e: e.name):
        if entry.is_dir() and (entry / "case.toml").is_file():
            found[entry.name] = Path(str(entry))
    return found


def find_case(name_or_path: str | Path) -> Path:
    """Folder of a bundled case or of a path. Raises UnknownNameError listing the near names."""
    bundled = bundled_cases()
    if isinstance(name_or_path, str) and name_or_path in bundled:
        return bundled[name_or_path]
    path = Path(name_or_path).expanduser()
    if path.name == "case.toml" and path.is_file():
        return path.parent
    if (path / "case.toml").is_file():
        return path
    if path.is_dir():
        raise CaseError(f"{path}: case.toml: is missing: a case folder holds case.toml, network/ and dynamics/")
    raise UnknownNameError(near(str(name_or_path), bundled, "case", "the path of a folder with a case.toml"))


def read_case(folder: Path) -> dict[str, Any]:
    """The fields of a Case from its folder. Raises one CaseError with all faults of all files."""
    from gridai.grid.tables import check_names, read_network

    found = Problems(f"case '{folder.name}' ({folder})")
    sections = _read_header(folder, found)
    header = sections["case"]
    f_hz, s_base = float(header["f_hz"]), float(header["s_base_mva"])
    if not (folder / "network").is_dir():
        found.add("network", None, "folder", None, "is missing: it holds bus.csv and the other element tables")
    net = read_network(folder / "network", header["name"], f_hz, s_base, found)
    check_names(net, found)
    _check_slack(net, found)
    dynamics = _read_dynamics(folder / "dynamics", found)
    _check_units(dynamics, net, found)
    clusters = _read_clusters(folder, found)
    found.raise_if_any(CaseError)
    return {
        "clusters": clusters,
        "name": header["name"],
        "title": header["title"],
        "f_hz": f_hz,
        "net": net,
        "dynamics": dynamics,
        "provenance": {**{k: str(v) for k, v in sections["source"].items()}, "folder": str(folder)},
        "notes": tuple(header["notes"]),
        "description": header["description"],
        "defaults": sections["defaults"],
    }


def _read_header(folder: Path, found: Problems) -> dict[str, dict[str, Any]]:
    file = "case.toml"
    try:
        raw = tomllib.loads((folder / file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        found.add(file, None, "file", None, f"cannot be read as TOML: {error}")
        found.raise_if_any(CaseError)
        raise
    for name in raw:
        if name not in SECTIONS:
            found.add(file, None, f"[{name}]", None, near(name, SECTIONS, "section"))
    sections = {}
    for name in SECTIONS:
        sections[name] = raw.get(name, {})
        if not isinstance(sections[name], dict):
            found.add(file, None, name, raw[name], f"write it as a section: [{name}]")
            sections[name] = {}
    header = dict(sections["case"])
    for key in header:
        if key not in HEADER:
            found.add(file, None, f"case.{key}", header[key], near(key, HEADER, "key"))
    for key, usual in (("name", folder.name), ("title", folder.name), ("description", "")):
        header[key] = _text(header.get(key, usual), key, found)
    for key in ("f_hz", "s_base_mva"):
        header[key] = _positive(header.get(key), key, found)
    notes = header.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(n, str) for n in notes):
        found.add(file, None, "case.notes", notes, "write a list of texts")
        notes = []
    header["notes"] = notes
    return {**sections, "case": header}


def _text(value: Any, key: str, found: Problems) -> str:
    if not isinstance(value, str):
        found.add("case.toml", None, f"case.{key}", value, "write a text in quotes")
    return str(value)


def _positive(value: Any, key: str, found: Problems) -> float:
    unit = "Hz" if key == "f_hz" else "MVA"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        what = "is missing" if value is None else "is not a number above 0"
        found.add(
            "case.toml",
            None,
            f"case.{key}",
            value,
            f"{what}: give it in {unit}, for example {key} = {60.0 if unit == 'Hz' else 100.0}",
        )
        return 60.0 if unit == "Hz" else 100.0
    return float(value)


def _check_slack(net: Any, found: Problems) -> None:
    gen = bool((net.gen["slack"].to_numpy(dtype=bool) & net.gen["in_service"].to_numpy(dtype=bool)).any())
    if not gen and not net.ext_grid["in_service"].to_numpy(dtype=bool).any() and len(net.bus):
        remedy = "no unit in service is the slack: set slack = true for one, or add network/ext_grid.csv"
        found.add("network/gen.csv", None, "column slack", None, remedy)


def _read_dynamics(folder: Path, found: Problems) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from gridai.grid.csvtable import number, read_table

    tables = {}
    for path in sorted(folder.glob("*.csv")):
        raw = read_table(path, f"dynamics/{path.name}", found)
        if not raw.columns:
            continue
        if "unit" not in raw.columns:
            found.add(raw.file, None, "column unit", None, f"is missing; the file has {', '.join(raw.columns)}")
            continue
        data: dict[str, Any] = {"unit": raw.columns["unit"]}
        for column, cells in raw.columns.items():
            if column.rstrip("0123456789") in _TEXT_COLUMNS or column.rstrip("0123456789").endswith("_bus"):
                data[column] = cells
                continue
            values = [number(cell) for cell in cells]
            for cell, value, row in zip(cells, values, raw.rows, strict=True):
                if value is None:
                    found.add(raw.file, row, column, cell, "is not a plain finite number")
            data[column] = [math.nan if v is None else v for v in values]
        frame = pd.DataFrame(data)
        frame.attrs["file"], frame.attrs["rows"] = raw.file, list(raw.rows)
        tables[path.stem.lower()] = frame
    return tables


def _read_clusters(folder: Path, found: Problems) -> list[dict[str, Any]]:
    """The arguments of Case.with_cluster for each row of clusters.csv; none where there is no such file."""
    from gridai.cluster import stored
    from gridai.grid.csvtable import read_table

    settings = {}
    for path in sorted((folder / "ride_through").glob("*.csv")):
        raw = read_table(path, f"ride_through/{path.name}", found)
        settings[path.stem] = stored.read_ride_through(raw.columns, raw.file, raw.rows, found)
    whole = {
        path.stem: stored.read_settings(path, f"clusters/{path.name}", found)
        for path in sorted((folder / "clusters").glob("*.toml"))
    }
    if not (folder / "clusters.csv").is_file():
        return []
    raw, placed = read_table(folder / "clusters.csv", "clusters.csv", found), []
    for column in raw.columns:
        if column not in stored.COLUMNS:
            found.add(raw.file, None, "header", column, near(column, stored.COLUMNS, "column"))
    for k, row in enumerate(raw.rows):
        cells = {column: values[k] for column, values in raw.columns.items()}
        for name in ("name", "bus"):
            if not cells.get(name):
                found.add(raw.file, row, name, None, "is missing")
        cluster = stored.read_cluster(cells, settings, whole, raw.file, row, found)
        balance = cells.get("balance") or "slack"
        placed.append({"cluster": cluster, "bus": cells.get("bus"), "balance": balance, "name": cells.get("name")})
    return placed


def checked_dynamics(tables: Mapping[str, pd.DataFrame], net: Any, title: str) -> dict[str, pd.DataFrame]:
    """A user's own dynamic tables, copied and checked like those of a case folder."""
    found = Problems(title)
    out = {}
    for model, table in tables.items():
        frame = table.copy()
        frame.attrs["file"] = str(table.attrs.get("file", f"dynamics['{model}']"))
        if "unit" in frame.columns:
            frame["unit"] = [str(u) for u in frame["unit"]]
            out[str(model).lower()] = frame
        else:
            found.add(frame.attrs["file"], None, "column unit", None, "is missing: it names the unit of each row")
    _check_units(out, net, found)
    found.raise_if_any(CaseError)
    return out


def _check_units(tables: dict[str, pd.DataFrame], net: Any, found: Problems) -> None:
    """Every unit exists, stands once in a table, and has one model of a kind; every table is a known model."""
    from gridai.grid.names import LOADS, element_names
    from gridai.kernel.contract import ACTION_SHED
    from gridai.models import catalog

    names = element_names(net)
    units = [n for table in ("gen", "ext_grid", "sgen") for n in names.get(table, ())]
    loads = [n for table in LOADS for n in names.get(table, ())]
    branches = [n for table in ("line", "trafo", "trafo3w", "impedance") for n in names.get(table, ())]
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for key, table in tables.items():
        file, rows = table.attrs["file"], table.attrs.get("rows") or range(2, len(table) + 2)
        role, what, all_loads, ends = "", "unit", False, [""] * len(table)
        known = [*units, *loads]
        try:
            model = catalog.model(key)
            role, all_loads = model.role, model.role == "load" or ACTION_SHED in model.actions
            if model.on_branch:
                known, what = branches, "branch"
                ends = [str(bus) for bus in table["from_bus"]] if "from_bus" in table else ends
            elif role in SOURCE_ROLES or role == "load":
                known, what = (loads, "load") if role == "load" else (units, "unit")
        except UnknownNameError as error:
            found.add(file, None, "model", key, str(error))
        seen: dict[tuple[str, str], int] = {}
        for unit, end, row in zip(table["unit"], ends, rows, strict=True):
            if unit not in known and not (unit == "*" and all_loads):
                found.add(file, row, "unit", unit, near(unit, known, what))
            if (unit, end) in seen:
                found.add(file, row, "unit", unit, f"has a row already: row {seen[(unit, end)]}; keep one")
            seen.setdefault((unit, end), row)
            part = "machine" if role in SOURCE_ROLES else role
            if part in ONE_OF:
                other, place = first.setdefault((part, unit), (key, file))
                if other != key:
                    found.add(file, row, "unit", unit, f"has {ONE_OF[part]} already in {place}; keep one")
    _check_bases({unit for part, unit in first if part == "machine"}, net, names, found)


def _check_bases(with_machine: set[str], net: Any, names: Any, found: Problems) -> None:
    """A machine's values are per unit of its own rating, so gens with a machine need one."""
    for table in ("gen", "sgen"):
        rows = net[table].attrs.get("rows") or range(2, len(net[table]) + 2)
        for name, sn, row in zip(names.get(table, ()), net[table]["sn_mva"], rows, strict=True):
            if name in with_machine and sn != sn:
                remedy = f"'{name}' has a machine: give its rating in MVA, the base of the machine's values"
                found.add(f"network/{table}.csv", row, "sn_mva", None, remedy)


def write_case(
    folder: Path,
    header: dict[str, Any],
    source: dict[str, Any],
    defaults: dict[str, Any],
    net: Any,
    dynamics: Mapping[str, pd.DataFrame],
    overwrite: bool,
    placements: Sequence[Any] = (),
) -> Path:
    """Write a case folder beside its place, then move it there."""
    from gridai.grid.csvtable import write_table
    from gridai.grid.tables import write_network

    folder = folder.expanduser()
    if folder.exists() and not (overwrite and (folder / "case.toml").is_file()):
        why = "exists and is not a case folder" if overwrite else "exists: overwrite=True replaces an older copy"
        raise CaseError(f"{folder} {why}; or choose another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write_network(_without_clusters(net, placements), work / "network")
        for model, table in dynamics.items():
            (work / "dynamics").mkdir(exist_ok=True)
            write_table(work / "dynamics" / f"{model}.csv", {str(c): table[c].tolist() for c in table.columns})
        _write_clusters(work, placements)
        sections = {"case": header, "source": source, "defaults": defaults}
        (work / "case.toml").write_text(_toml(sections), encoding="utf-8")
        (work / "README.md").write_text(_readme(header, source), encoding="utf-8")
        work.chmod(0o755)
        _move(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _without_clusters(net: Any, placements: Sequence[Any]) -> Any:
    """The net less the loads that stand for clusters."""
    if not placements:
        return net
    bare, names = copy.deepcopy(net), {p.name for p in placements}
    bare.load = bare.load[~bare.load["name"].isin(names)].copy()
    return bare


def _write_clusters(work: Path, placements: Sequence[Any]) -> None:
    """clusters.csv, ride-through tables, whole clusters. Raises CaseError for a cluster that no table can hold."""
    from gridai.cluster import stored
    from gridai.grid.csvtable import write_table

    settings: list[Any] = []
    texts: list[str] = []
    rows = []
    for p in placements:
        if not stored.fits_row(p.cluster):
            key = _key(stored.settings_text(p.cluster, p.name), texts, "cluster")
            rows.append(stored.settings_row(p.name, p.bus, "slack", key))
            continue
        own = p.cluster.ride_through
        key = "" if own is None else _key(own, settings, "settings")
        rows.append(stored.cluster_row(p.name, p.cluster, p.bus, "slack", key))
    if rows:
        write_table(work / "clusters.csv", {c: [row[c] for row in rows] for c in stored.COLUMNS})
    for k, made in enumerate(settings, 1):
        (work / "ride_through").mkdir(exist_ok=True)
        write_table(work / "ride_through" / f"settings{k}.csv", stored.class_columns(made))
    for k, text in enumerate(texts, 1):
        (work / "clusters").mkdir(exist_ok=True)
        (work / "clusters" / f"cluster{k}.toml").write_text(text, encoding="utf-8")


def _key(thing: Any, kept: list[Any], stem: str) -> str:
    """The name under which equal things are kept once."""
    if thing not in kept:
        kept.append(thing)
    return f"{stem}{kept.index(thing) + 1}"


def _move(work: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(work, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent)) / "case"
    os.replace(folder, old)
    try:
        os.replace(work, folder)
    except OSError:
        os.replace(old, folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


def _toml(sections: dict[str, dict[str, Any]]) -> str:
    """Sections of texts, numbers, flags and lists of these. JSON's forms of them are TOML's too."""
    parts = []
    for name, values in sections.items():
        lines = [
            f"{json.dumps(k)} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items() if v not in (None, [])
        ]
        if lines:
            parts.append("\n".join([f"[{name}]", *lines]) + "\n")
    return "\n".join(parts)


def _readme(header: dict[str, Any], source: dict[str, Any]) -> str:
    lines = [f"# {header['title']}", "", header["description"], ""]
    lines += [f"- {key}: {text}" for key, text in source.items()]
    lines += [f"- note: {text}" for text in header["notes"]]
    return "\n".join(lines).strip() + "\n"
