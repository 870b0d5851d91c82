"""Write files whole or not at all, and save and load a Result as plain text.

A file is written under a temporary name in its own folder and renamed when it is complete, so a full disk, an error or
Ctrl-C leaves the old file or none, never half a file. A saved Result is a CSV of the channels (header: t_s and
kind/element/quantity) and a JSON of everything else. The JSON holds the checksum of the CSV, so two files that do not
belong together are noticed when they are read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gridai.errors import ResultError
from gridai.results.records import Channel, EventRecord
from gridai.results.result import Result

FORMAT = 1


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder; renamed to `path` when the block ends well, removed when it does not."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~_umask())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: str | Path) -> Iterator[Path]:
    """A temporary folder beside `folder`. A new folder appears in one rename when the block ends well.

    Where the folder exists already, its other files stay and each written file is renamed into it. When the block
    fails, nothing of it remains.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield part
        part.chmod(0o777 & ~_umask())
        if not folder.exists():
            os.replace(part, folder)
            return
        for file in sorted(p for p in part.rglob("*") if p.is_file()):
            target = folder / file.relative_to(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file (UTF-8), whole or not at all."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8", newline="")
    return Path(path)


def write_json(path: str | Path, data: Any) -> Path:
    """Write plain data as JSON, whole or not at all. NaN and infinity become null."""
    return write_text(path, json.dumps(plain(data), indent=1, allow_nan=False) + "\n")


def write_table(path: str | Path, header: Sequence[str], values: ArrayLike, digits: int = 9) -> str:
    """Write numbers as CSV, whole or not at all; returns the SHA-256 of the file.

    values  float[nt, len(header)]; NaN is written as nan.   digits  significant digits.
    """
    rows = np.asarray(values, dtype=float)
    line = ",".join([f"%.{digits}g"] * rows.shape[1]) + "\n"
    head = _csv_row(header)
    checksum = hashlib.sha256(head)
    with atomic_path(path) as part, part.open("wb") as file:
        file.write(head)
        for start in range(0, len(rows), 256):
            block = "".join([line % tuple(row) for row in rows[start : start + 256].tolist()]).encode("ascii")
            checksum.update(block)
            file.write(block)
    return checksum.hexdigest()


def write_rows(path: str | Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a small table of any cells as CSV, whole or not at all."""
    return write_text(path, b"".join(_csv_row(row) for row in [header, *rows]).decode("utf-8"))


def _csv_row(cells: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8")


def plain(value: Any) -> Any:
    """NumPy values, tuples and mappings as what JSON knows; NaN and infinity as None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def save(result: Result, folder: str | Path, name: str = "result") -> tuple[Path, Path]:
    """Write <folder>/<name>.csv and .json. Twelve significant digits are kept. Returns both paths."""
    csv_path, json_path = Path(folder) / f"{name}.csv", Path(folder) / f"{name}.json"
    with atomic_path(csv_path) as part:
        header = ["t_s", *(c.key for c in result.channels)]
        scale = np.array([1.0, *(c.scale for c in result.channels)])
        table = np.column_stack([result.t_s, result.data]) * scale
        checksum = write_table(part, header, table, digits=12)
        about = {
            "format": FORMAT,
            "csv_sha256": checksum,
            "channels": [asdict(c) for c in result.channels],
            "events": [asdict(e) for e in result.events],
            "meta": _infinite_kept(result.meta),
        }
        write_json(json_path, about)
    return csv_path, json_path


def load(folder: str | Path, name: str = "result") -> Result:
    """Read a saved Result. Raises ResultError when a file is missing, damaged or not of the same run."""
    csv_path, json_path = Path(folder) / f"{name}.csv", Path(folder) / f"{name}.json"
    for path in (csv_path, json_path):
        if not path.is_file():
            raise ResultError(f"{path}: no such file; a saved result is the pair {name}.csv and {name}.json")
    try:
        about = json.loads(json_path.read_text(encoding="utf-8"))
        channels = tuple(Channel(**c) for c in about["channels"])
        events = tuple(EventRecord(**e) for e in about["events"])
        checksum, meta = about["csv_sha256"], _infinite_restored(about["meta"])
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{json_path}: not a saved result ({error})") from error
    content = csv_path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ResultError(f"{csv_path}: differs from what {json_path.name} describes; save the result again")
    rows = np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1, ndmin=2, comments=None)
    table = rows.reshape(-1, len(channels) + 1)
    scale = np.array([c.scale for c in channels])
    return Result(table[:, 0], table[:, 1:] / scale, channels, events, meta)


def _infinite_kept(meta: Any) -> Any:
    """JSON has no infinity; the inertia of an infinite bus has. It is written as the text "inf"."""
    if isinstance(meta, dict):
        return {k: _infinite_kept(v) for k, v in meta.items()}
    return "inf" if isinstance(meta, float | np.floating) and np.isposinf(meta) else meta


def _infinite_restored(meta: Any) -> Any:
    if isinstance(meta, dict):
        return {k: _infinite_restored(v) for k, v in meta.items()}
    return float("inf") if meta == "inf" else meta
