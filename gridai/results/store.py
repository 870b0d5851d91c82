"""Write files whole or not at all, and save and load a Result.

A file is written under a temporary name in its own folder and renamed when it is complete, so a full disk, an error or
Ctrl-C leaves the old file or none, never half a file. A saved Result is a file of numbers (NumPy .npz, CSV or Parquet;
see results/formats.py) and a JSON of everything else. The JSON holds the checksum of the numbers, so two files that do
not belong together are noticed when they are read.
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
from gridai.results.formats import FORMATS, DataFormat, check_format, read_data, write_npz, write_parquet
from gridai.results.records import Channel, EventRecord
from gridai.results.result import Result

FORMAT = 2
FIELDS = ("kind", "element", "quantity", "unit", "scale")


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


def write_table(
    path: str | Path, header: Sequence[str], values: ArrayLike, digits: int = 9, forms: Sequence[str] = ()
) -> str:
    """Write numbers as CSV, whole or not at all; returns the SHA-256 of the file.

    values  float[nt, len(header)]; NaN is written as nan.   digits  significant digits.
    forms   one format for each column, as "%.6f", in place of the digits.
    """
    rows = np.asarray(values, dtype=float)
    line = ",".join(forms or [f"%.{digits}g"] * rows.shape[1]) + "\n"
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


def save(result: Result, folder: str | Path, name: str = "result", data: DataFormat = "npz") -> tuple[Path, Path]:
    """Write the channels as <folder>/<name>.npz, .csv or .parquet and the rest as .json. Returns both paths.

    data  the format of the numbers, see results/formats.py: eleven significant digits are kept, twelve in CSV. The
          numbers of an older result of this name in another format are removed.
    Raises UnknownNameError for an unknown format, SettingError for Parquet without pyarrow.
    """
    check_format(data)
    data_path, json_path = Path(folder) / f"{name}.{data}", Path(folder) / f"{name}.json"
    older = numbers_of(folder, name)
    keys = [c.key for c in result.channels]
    physical = result.data * np.array([c.scale for c in result.channels])
    with atomic_path(data_path) as part:
        if data == "npz":
            write_npz(part, result.t_s, physical, keys)
        elif data == "parquet":
            write_parquet(part, result.t_s, physical, keys)
        else:
            write_table(part, ["t_s", *keys], np.column_stack([result.t_s, physical]), digits=12)
        about = {
            "format": FORMAT,
            "data": {"file": data_path.name, "sha256": hashlib.sha256(part.read_bytes()).hexdigest()},
            "channels": {"fields": FIELDS, "rows": [[getattr(c, f) for f in FIELDS] for c in result.channels]},
            "events": [asdict(e) for e in result.events],
            "meta": _infinite_kept(result.meta),
        }
        write_json(json_path, about)
    if older is not None and older != data_path:
        older.unlink(missing_ok=True)
    return data_path, json_path


def load(folder: str | Path, name: str = "result") -> Result:
    """Read a saved Result. Raises ResultError when a file is missing, damaged or not of the same run."""
    json_path = Path(folder) / f"{name}.json"
    if not json_path.is_file():
        raise ResultError(f"{json_path}: no such file; a saved result is {name}.json with {name}.npz, .csv or .parquet")
    try:
        about = json.loads(json_path.read_text(encoding="utf-8"))
        channels = _channels(about["channels"])
        events = tuple(EventRecord(**e) for e in about["events"])
        file, checksum = _data_of(about, name)
        meta = _infinite_restored(about["meta"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{json_path}: not a saved result ({error})") from error
    data_path = json_path.with_name(file)
    if not data_path.is_file():
        raise ResultError(f"{data_path}: no such file; it holds the numbers of {json_path.name}")
    content = data_path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ResultError(f"{data_path}: differs from what {json_path.name} describes; save the result again")
    t_s, data = read_data(data_path, content, len(channels))
    return Result(t_s, data / np.array([c.scale for c in channels]), channels, events, meta)


def _channels(table: Any) -> tuple[Channel, ...]:
    """Channels from field names and rows; format 1 had one mapping a channel."""
    if isinstance(table, list):
        return tuple(Channel(**c) for c in table)
    return tuple(Channel(**dict(zip(table["fields"], row, strict=True))) for row in table["rows"])


def _data_of(about: dict[str, Any], name: str) -> tuple[str, str]:
    """File and checksum of the numbers; format 1 had a CSV only. A file name with a folder in it is refused."""
    if "csv_sha256" in about:
        return f"{name}.csv", str(about["csv_sha256"])
    file = str(about["data"]["file"])
    if file not in {f"{name}.{kind}" for kind in FORMATS}:
        raise ValueError(f"data.file = {file!r}: must be {name} with the ending {', '.join(FORMATS)}")
    return file, str(about["data"]["sha256"])


def numbers_of(folder: str | Path, name: str = "result") -> Path | None:
    """The file with the numbers of a result saved earlier; None where there is none that can be read."""
    json_path = Path(folder) / f"{name}.json"
    try:
        about = json.loads(json_path.read_text(encoding="utf-8"))
        return json_path.with_name(_data_of(about, name)[0])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _infinite_kept(meta: Any) -> Any:
    """JSON has no infinity; the inertia of an infinite bus has. It is written as the text "inf"."""
    if isinstance(meta, dict):
        return {k: _infinite_kept(v) for k, v in meta.items()}
    return "inf" if isinstance(meta, float | np.floating) and np.isposinf(meta) else meta


def _infinite_restored(meta: Any) -> Any:
    if isinstance(meta, dict):
        return {k: _infinite_restored(v) for k, v in meta.items()}
    return float("inf") if meta == "inf" else meta
