"""A table written as its rows come: CSV or Parquet. While it grows it is `name.part.csv`, at the end `name.csv`.

What was finished before an interruption or an error stays in the part file, readable. Parquet is written in row groups
of GROUP rows and more, so no more than a group and a block is held in memory; a process that is killed outright leaves
a Parquet part file without its footer, which no reader takes, and a CSV one that is good up to its last whole line.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gridai.errors import SettingError

KINDS = (".csv", ".parquet")
DIGITS = 7
GROUP = 32_768
"""Rows of a row group at least, but for the last."""


class Stream:
    """Rows into a file; use as a context. Raises SettingError for another ending, and for Parquet without pyarrow."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix not in KINDS:
            raise SettingError(f"{self.path}: the file must end in {' or '.join(KINDS)}")
        self.part = self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")
        self.rows = 0
        self._writer: Any = None
        self._arrow: Any = None
        self._held: list[Any] = []
        if self.path.suffix == ".parquet":
            try:
                self._arrow = importlib.import_module("pyarrow")
            except ImportError as error:
                remedy = "install it with pip install 'gridai[parquet]', or write a .csv file"
                raise SettingError(f"Parquet needs pyarrow: {remedy}") from error

    def __enter__(self) -> Stream:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows: arrays of one length by column name, the same names each time."""
        if self._arrow is not None:
            self._held.append(self._arrow.table(dict(columns)))
            self.rows += self._held[-1].num_rows
            if sum(t.num_rows for t in self._held) >= GROUP:
                self._flush()
            return
        import pandas as pd

        frame = pd.DataFrame(dict(columns)).round(DIGITS)
        frame.to_csv(self.part, mode="a" if self.rows else "w", header=not self.rows, index=False)
        self.rows += len(frame)

    def _flush(self) -> None:
        """Write what is held as one row group."""
        if not self._held:
            return
        table = self._arrow.concat_tables(self._held)
        if self._writer is None:
            parquet = importlib.import_module("pyarrow.parquet")
            self._writer = parquet.ParquetWriter(self.part, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=table.num_rows)
        self._held = []

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._arrow is not None:
            self._flush()
        if self._writer is not None:
            self._writer.close()
        if error is None and self.rows:
            self.part.replace(self.path)
        elif error is not None and self.rows:
            error.add_note(f"{self.rows} rows that were finished are kept in {self.part}")
