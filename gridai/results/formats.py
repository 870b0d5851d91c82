"""The numbers of a saved Result as a file: NumPy .npz (the usual), CSV or Parquet. Each reads back the same.

    npz      arrays t_s float[nt] (exact), data float[nt, nch], channels str[nch]; no pickle, no code
    csv      a column t_s and one for each channel, twelve significant digits
    parquet  the same columns as 64-bit floats; needs pyarrow, the extra gridai[parquet]

Data are physical values. In .npz and Parquet they are rounded to KEPT_BITS binary digits, a relative error of 1e-11 at
most, because digits that mean nothing do not compress. Measured on a 30 s run of ieee39, 203 channels at 240 rows a
second: CSV 21.5 MB, .npz 6.2 MB, Parquet 5.1 MB; written in 0.32, 0.19 and 0.27 s, read in 0.12, 0.05 and 0.07 s.
pyarrow is an extra because it takes 170 MB of disk, and pandas loads it at every start once it is there.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gridai.errors import ResultError, SettingError, UnknownNameError, near

FloatArray = NDArray[np.float64]
DataFormat = Literal["npz", "csv", "parquet"]
FORMATS: tuple[str, ...] = get_args(DataFormat)
KEPT_BITS = 36
"""Binary digits behind the leading one that .npz and Parquet keep: eleven decimal digits."""


def check_format(kind: str) -> None:
    """Raise UnknownNameError for an unknown format, SettingError for Parquet without pyarrow."""
    if kind not in FORMATS:
        raise UnknownNameError(near(kind, FORMATS, "format"))
    if kind == "parquet":
        _pyarrow()


def rounded(values: FloatArray) -> FloatArray:
    """The nearest values with KEPT_BITS binary digits; NaN and infinity stay. The relative error is at most 2^-37."""
    bits = np.array(values, dtype=np.float64, order="F").view(np.int64)
    last = 52 - KEPT_BITS
    short = ((bits + (1 << (last - 1))) & -(1 << last)).view(np.float64)
    return np.asarray(np.where(np.isfinite(values), short, values), dtype=np.float64, order="F")


def write_npz(path: Path, t_s: FloatArray, data: FloatArray, keys: Sequence[str]) -> None:
    """Write t_s float[nt], data float[nt, nch] and the channels' keys; numpy.load(path) reads it."""
    arrays: dict[str, NDArray[Any]] = {"t_s": t_s, "data": rounded(data), "channels": np.array(keys, dtype=np.str_)}
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            text = io.BytesIO()
            np.lib.format.write_array(text, array, allow_pickle=False)
            # A fixed date keeps equal results equal byte for byte; higher levels cost four times as long for nothing.
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), text.getbuffer(), zipfile.ZIP_DEFLATED, compresslevel=1)


def read_npz(content: bytes) -> tuple[FloatArray, FloatArray]:
    """t_s and data of what `write_npz` wrote. Raises ValueError or KeyError for anything else."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return np.asarray(file["t_s"], dtype=float), np.asarray(file["data"], dtype=float)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"not a .npz file: {error}") from error


def read_csv(content: bytes, channels: int) -> tuple[FloatArray, FloatArray]:
    """t_s and data of a CSV with one column for the time and one for each channel."""
    rows = np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1, ndmin=2, comments=None)
    table = rows.reshape(-1, channels + 1)
    return table[:, 0], table[:, 1:]


def write_parquet(path: Path, t_s: FloatArray, data: FloatArray, keys: Sequence[str]) -> None:
    """Write one column of 64-bit floats for the time and each channel. Raises SettingError without pyarrow."""
    arrow, parquet = _pyarrow()
    table = arrow.table([t_s, *rounded(data).T], names=["t_s", *keys])
    parquet.write_table(table, path, compression="zstd", use_dictionary=False, use_byte_stream_split=True)


def read_parquet(content: bytes) -> tuple[FloatArray, FloatArray]:
    """t_s and data of what `write_parquet` wrote. Raises ValueError for anything else, SettingError without pyarrow."""
    arrow, parquet = _pyarrow()
    table = parquet.read_table(arrow.BufferReader(content))
    columns = [column.to_numpy() for column in table.columns]
    if not columns or table.column_names[0] != "t_s":
        raise ValueError("the first column must be t_s")
    t_s = np.asarray(columns[0], dtype=float)
    return t_s, np.array(columns[1:], dtype=float).reshape(-1, len(t_s)).T


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        remedy = "install it with pip install 'gridai[parquet]', or choose npz or csv"
        raise SettingError(f"Parquet needs pyarrow: {remedy}") from error


def read_data(path: Path, content: bytes, channels: int) -> tuple[FloatArray, FloatArray]:
    """t_s and data of a file by its ending. Raises ResultError where it is not what it should be."""
    try:
        if path.suffix == ".npz":
            found = read_npz(content)
        elif path.suffix == ".parquet":
            found = read_parquet(content)
        else:
            found = read_csv(content, channels)
    except (ValueError, KeyError, OSError) as error:
        raise ResultError(f"{path}: cannot be read ({error}); save the result again") from error
    if found[0].ndim != 1 or found[1].shape != (len(found[0]), channels):
        raise ResultError(f"{path}: {found[1].shape} numbers, {channels} channels: save the result again")
    return found


__all__ = [
    "FORMATS", "DataFormat", "check_format", "read_data", "rounded", "write_npz", "write_parquet",
]  # fmt: skip
