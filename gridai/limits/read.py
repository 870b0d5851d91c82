"""Read a limits file: TOML in, checked records out. All faults of a file are collected before one error is raised.

No case is read and no study is run: names, units, settings and contradictions are checked against the catalogues.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gridai.casefile import find_case
from gridai.errors import CaseError, GridaiError, Problems, near
from gridai.limits import layout
from gridai.limits.conflicts import note_conflicts
from gridai.limits.entries import EntryReader
from gridai.limits.records import Block, LimitsFile, Provenance

TOP = ("title", "case", "study", "provenance")
STUDY = ("name", "study", "reason", "cluster", "parameters", *layout.ENTRIES)
CLUSTER = ("bus", "file", "hardware", "count", "pue", "power_factor", "balance", "name")
SIZES = ("hardware", "count", "pue", "power_factor")
FILES = (".csv", ".toml")
BALANCES = ("headroom", "slack", "in_place_of_load")


def read_limits(path: str | Path) -> LimitsFile:
    """Read a limits file. Raises CaseError with every fault: file, line, field, value and remedy."""
    file = Path(path)
    found = Problems(str(file))
    text = _text(file)
    data = _tables(file, text, found)
    limits = LimitsFile(
        file, _title(file, data, found), _case(file, data, found), _blocks(file, text, data, found),
        provenance_of(data.get("provenance")),
    )  # fmt: skip
    _need_clusters(limits, found)
    note_conflicts(limits, found)
    found.raise_if_any(CaseError)
    return limits


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{file}: cannot be read: {error}") from error


def _tables(file: Path, text: str, found: Problems) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{file}: not a TOML file: {error}") from error
    note_unknown(found, file.name, None, data, TOP)
    return data


def note_unknown(
    found: Problems, file: str, line: int | None, table: Mapping[str, Any], known: tuple[str, ...]
) -> None:
    """Note the keys of a table that nothing reads, each with the near ones."""
    for key in table:
        if key not in known:
            found.add(file, line, key, None, near(key, known, "key"))


def _title(file: Path, data: Mapping[str, Any], found: Problems) -> str:
    title = data.get("title", "")
    if not isinstance(title, str):
        found.add(file.name, None, "title", title, "write a text in quotes")
    return str(title)


def _case(file: Path, data: Mapping[str, Any], found: Problems) -> Path:
    """The case's folder: a path from the file's own folder, else a bundled case."""
    text = data.get("case")
    if not isinstance(text, str) or not text:
        remedy = 'name the case: "." for the folder of this file, another folder, or a bundled case as "ieee39"'
        found.add(file.name, None, "case", text, remedy)
        return file.parent
    beside = file.parent / text
    if (beside / "case.toml").is_file():
        return beside.resolve()
    try:
        return find_case(text).resolve()
    except GridaiError as error:
        found.add(file.name, None, "case", text, f"{error}; a path counts from the folder of this file")
        return file.parent


def _blocks(file: Path, text: str, data: Mapping[str, Any], found: Problems) -> tuple[Block, ...]:
    tables = data.get("study", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        found.add(file.name, None, "study", None, "is missing: add [[study]] with its limits and metrics")
        return ()
    places = layout.places(text)
    blocks: list[Block] = []
    for k, table in enumerate(tables):
        line = layout.line_of(places, k)
        block = _block(file, places, k, table, found)
        if block is None:
            continue
        if block.name in [b.name for b in blocks]:
            found.add(file.name, line, "name", block.name, "is the name of two studies: give each its own")
        blocks.append(block)
    return tuple(blocks)


def _block(
    file: Path, places: dict[layout.Place, layout.Part], k: int, table: dict[str, Any], found: Problems
) -> Block | None:
    """One [[study]] with its entries; None where the study itself cannot be made."""
    line, before = layout.line_of(places, k), len(found)
    note_unknown(found, file.name, line, table, STUDY)
    for key in ("name", "study", "reason"):
        if not isinstance(table.get(key, ""), str):
            found.add(file.name, line, key, table[key], "write a text in quotes")
    run = str(table.get("study", ""))
    name = str(table.get("name", run))
    if "::" in name or not name.strip():
        found.add(file.name, line, "name", name, "give a name without '::'")
    parameters = table.get("parameters", {})
    study = _study(file, line, run, parameters, found)
    cluster = _cluster(file, line, table.get("cluster", {}), found)
    named = (*parameters.values(), *cluster.values()) if isinstance(parameters, dict) else ()
    reader = EntryReader(file, places, k, run, str(table.get("reason", "")), found)
    entries = reader.read(table)
    if not entries and len(found) == before:
        found.add(file.name, line, "study", name, "judges nothing: add [[study.limit]] or [[study.metric]]")
    inputs = _inputs(file, [*named, *(entry.profile for entry in entries)])
    return Block(name, run, study, cluster, entries, inputs) if study is not None else None


def _study(file: Path, line: int | None, run: str, parameters: Any, found: Problems) -> Any:
    """The study dataclass with its parameters; faults are noted, None where there are some."""
    from gridai.studies import ALONE, STUDIES

    if run not in STUDIES:
        what = (
            near(run, STUDIES, "study") if run else "is missing: name it as `gridai run` does, see gridai list studies"
        )
        found.add(file.name, line, "study", None, what)
        return None
    if run in ALONE:
        found.add(file.name, line, "study", run, "takes no case: a limits file cannot judge it")
        return None
    kind: Any = STUDIES[run]
    if not isinstance(parameters, dict):
        found.add(file.name, line, "parameters", parameters, "write a table: parameters = { pause_mw = 100 }")
        return None
    known = {f.name: str(f.type) for f in fields(kind) if f.init}
    before = len(found)
    for key, value in parameters.items():
        if key not in known:
            found.add(file.name, line, f"parameters.{key}", value, near(key, known, f"parameter of {run}"))
        elif known[key].startswith("str") and not isinstance(value, str):
            found.add(file.name, line, f"parameters.{key}", value, "write a text in quotes")
        elif known[key] == "bool" and not isinstance(value, bool):
            found.add(file.name, line, f"parameters.{key}", value, "write true or false")
    if len(found) > before:
        return None
    try:
        return kind(**{key: _value(file, value) for key, value in parameters.items()})
    except GridaiError as error:
        found.add(file.name, line, "parameters", None, _below(error))
    except TypeError as error:
        found.add(file.name, line, "parameters", None, f"{error}".partition(")")[2].strip() or str(error))
    return None


def _value(file: Path, value: Any) -> Any:
    """A list as a tuple; the name of a file beside the limits file as its path."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str) and value.endswith(FILES) and (file.parent / value).is_file():
        return str(file.parent / value)
    return value


def _inputs(file: Path, values: list[Any]) -> tuple[Path, ...]:
    """The files among the values of a study."""
    paths = [Path(_value(file, value)) for value in values if isinstance(value, str) and value.endswith(FILES)]
    return tuple(dict.fromkeys(path for path in paths if path.is_file()))


def _below(error: GridaiError) -> str:
    """The faults of a nested error on one line, without its heading."""
    head, _, rest = str(error).partition("\n")
    return "; ".join(part.strip() for part in rest.splitlines()) if rest else head


def _cluster(file: Path, line: int | None, table: Any, found: Problems) -> dict[str, Any]:
    """The options of the cluster, checked by making it."""
    if not isinstance(table, dict):
        found.add(file.name, line, "cluster", table, 'write a table: cluster = { bus = "16", count = 100_000 }')
        return {}
    before = len(found)
    note_unknown(found, file.name, line, table, CLUSTER)
    if table and not isinstance(table.get("bus"), str | int):
        found.add(file.name, line, "cluster.bus", table.get("bus"), "name the bus that the cluster stands at")
    if table.get("balance", "headroom") not in BALANCES:
        found.add(file.name, line, "cluster.balance", table["balance"], near(table["balance"], BALANCES, "balance"))
    options = {key: _value(file, value) for key, value in table.items()}
    if "file" in options and any(key in options for key in SIZES):
        found.add(file.name, line, "cluster.file", options["file"], f"states it all: leave out {', '.join(SIZES)}")
    if table and len(found) == before:
        try:
            make_cluster(options)
        except GridaiError as error:
            found.add(file.name, line, "cluster", None, _below(error))
    return options


def make_cluster(options: Mapping[str, Any]) -> Any:
    """The cluster that the options mean; unstated ones as those of `gridai run`. Raises SettingError, CaseError."""
    from gridai.cluster import Cluster, load_cluster

    if "file" in options:
        return load_cluster(str(options["file"]))
    return Cluster.of(
        options.get("hardware", "H100"), count=options.get("count", 100_000), pue=options.get("pue", 1.25),
        power_factor=options.get("power_factor", 0.99),
    )  # fmt: skip


def _need_clusters(limits: LimitsFile, found: Problems) -> None:
    """A study that plays with a cluster needs one: here, or in the case's clusters.csv."""
    if (limits.case / "clusters.csv").is_file():
        return
    for block in limits.blocks:
        if type(block.study).needs_cluster and not block.cluster:
            remedy = f'study {block.run} needs one, and the case has none: cluster = {{ bus = "...", count = 100_000 }}'
            found.add(limits.path.name, block.entries[0].line if block.entries else None, "cluster", None, remedy)


def provenance_of(table: Any) -> Provenance | None:
    """The [provenance] of a file as `update` wrote it; None where there is none, or one that says no hash."""
    if not isinstance(table, dict) or not isinstance(table.get("case_hash"), str):
        return None
    texts = {key: str(table.get(key, "")) for key in ("case_hash", "written", "command")}
    return Provenance(
        **texts,
        versions=_texts(table.get("versions")),
        files=_texts(table.get("files")),
    )


def _texts(table: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in table.items()} if isinstance(table, dict) else {}
